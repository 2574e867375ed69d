//! The transport over HTTP.

mod carrier;
mod clients;
mod failure;
mod transport;

pub use self::carrier::Carrier;
pub use self::failure::ProxyRefused;
pub use self::transport::ReqwestTransport;
