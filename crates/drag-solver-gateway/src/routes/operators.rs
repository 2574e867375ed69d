//! The page where people answer.

use std::sync::Arc;

use axum::Router;
use drag_solver::operators::pages;

use crate::Gateway;
use crate::caller::Caller;

/// What operators are served, if there is a desk where they sit.
pub(super) fn router(gateway: &Gateway) -> Router {
    let Some((desk, practice)) = gateway.operators() else {
        return Router::new();
    };
    let keys = gateway.clone();
    let keys = move |key, from| {
        let gateway = keys.clone();
        async move { gateway.operator(&Caller { key, from }).await }
    };
    pages::router(desk, Arc::new(keys), practice.clone())
}
