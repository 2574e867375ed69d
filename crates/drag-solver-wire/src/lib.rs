//! The protocols of services that answer drag challenges, from the server's side: what a request asks for, and how a reply
//! reads, as pure functions over bytes.
