//! The receiver, as a router of axum.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http_body_util::BodyExt as _;

use super::receiver::CallbackReceiver;

/// Bytes of a call's body that are read. What calls say does not matter.
const MAX_BODY: u64 = 64 * 1024;

impl CallbackReceiver {
    /// Takes every request below where it is nested, of any method and to any path, as a call, and answers
    /// 200: no caller learns which paths are known. The body is read, up to 64 KiB, and thrown away.
    ///
    /// ```
    /// use axum::Router;
    /// use drag_solver_http::CallbackReceiver;
    ///
    /// let callbacks = CallbackReceiver::new("https://hooks.example.com/drags")?;
    /// let app: Router = Router::new().nest("/drags", callbacks.router());
    /// # let _ = app;
    /// # Ok::<(), drag_solver_core::ConfigError>(())
    /// ```
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        Router::new().fallback(take).with_state(self.clone())
    }
}

async fn take(State(receiver): State<CallbackReceiver>, request: Request) -> &'static str {
    receiver.receive(request.uri().path());
    throw_away(request.into_body()).await;
    "ok\n"
}

/// Reads the body, so that the caller gets its response instead of a broken connection.
async fn throw_away(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > MAX_BODY {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn every_request_is_answered_alike_and_one_to_a_known_path_is_a_call() {
        let receiver = CallbackReceiver::new("https://my.example/hooks").unwrap();
        let job = receiver.register().unwrap();
        let known = job.url().replace("https://my.example", "");
        let app: Router = Router::new().nest("/hooks", receiver.router());
        let unknown = format!("/hooks/{:032x}", 7);
        for (method, path, body) in [
            ("GET", &*unknown, 0),
            ("POST", "/hooks/a/b/c", 10),
            ("DELETE", "/hooks/x", 1_000_000),
            ("POST", &*known, 1_000_000),
            ("GET", &*known, 0),
        ] {
            assert_eq!(job.called_at().is_some(), method == "GET" && path == known);
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::from(vec![b'x'; body])).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{method} {path}");
            let told = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(told, "ok\n", "{method} {path}");
        }
        assert!(job.called_at().is_some());
    }
}
