//! Who may sit at the desk.

use std::net::IpAddr;
use std::pin::Pin;

use secrecy::SecretString;

/// Says whose key it is: implemented by closures `|key, from| async { .. }`.
pub trait OperatorKeys: Send + Sync + 'static {
    /// The name of the operator whose key this is, `None` if it belongs to none. `from` is where the request comes from, if
    /// the server says so (`ConnectInfo<SocketAddr>`).
    fn operator(
        &self,
        key: SecretString,
        from: Option<IpAddr>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send>>;
}

impl<F, Fut> OperatorKeys for F
where
    F: Fn(SecretString, Option<IpAddr>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Option<String>> + Send + 'static,
{
    fn operator(
        &self,
        key: SecretString,
        from: Option<IpAddr>,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send>> {
        Box::pin(self(key, from))
    }
}
