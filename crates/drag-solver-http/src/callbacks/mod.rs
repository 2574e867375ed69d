//! Calls from providers that say that an answer is there.

mod receiver;
#[cfg(feature = "callback-router")]
mod router;

pub use self::receiver::CallbackReceiver;
pub(crate) use self::receiver::Registration;
