//! Calls from providers that say that an answer is there.

mod reason;
mod receiver;
#[cfg(feature = "callback-router")]
mod router;

pub use self::reason::NoCallbacks;
pub use self::receiver::CallbackReceiver;
pub(crate) use self::receiver::Registration;
