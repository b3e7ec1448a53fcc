//! The routes under `--strictness azure`: methods, headers, refusals. What a payload means there is recorded in conformance.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use sluis_mlflow::contract::Strictness;
use tower::ServiceExt;

use super::{Limits, app_with};

async fn ask(request: Request<Body>) -> (u16, HeaderMap, String) {
    let app = app_with(Limits::default(), Strictness::Azure);
    let response = app.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (parts.status.as_u16(), parts.headers, text)
}

const DATA: &str = r#"{"input_data": [[1, 2, 3, 4]]}"#;
const JSON: &str = "application/json";

/// The scorer of these tests answers with the size of what it got.
const SCORED: &str = r#"{"predictions": 30}"#;

#[tokio::test]
async fn payloads_are_taken_by_their_content_type() {
    let deep = "[".repeat(600);
    let table = [
        (JSON, DATA, 200, SCORED),
        ("Application/JSON; charset=x", DATA, 200, SCORED),
        ("application/problem+json", DATA, 200, SCORED),
        ("text/json", DATA, 415, "Expects Content-Type"),
        ("", DATA, 415, "Expects Content-Type"),
        (JSON, deep.as_str(), 400, "nested deeper than 500"),
    ];
    for (content_type, body, status, part) in table {
        try_one("POST", "/score", content_type, body, (status, part)).await;
    }
}

#[tokio::test]
async fn methods_and_paths_are_azures() {
    let lost = "not found on the server";
    let table = [
        (
            "GET",
            "/score?input_data=1",
            "",
            200,
            r#"{"predictions": 0}"#,
        ),
        ("PATCH", "/score", DATA, 405, "not allowed"),
        ("HEAD", "/score", "", 405, ""),
        ("OPTIONS", "/score", "", 200, ""),
        ("POST", "/score/", DATA, 404, lost),
        ("GET", "/nope", "", 404, lost),
        ("GET", "/", "", 200, "Healthy"),
        ("HEAD", "/", "", 200, ""),
        ("GET", "/swagger.json", "", 200, "\"swagger\":\"2.0\""),
        (
            "GET",
            "/swagger.json?version=3.1",
            "",
            200,
            "\"openapi\":\"3.1.0\"",
        ),
        (
            "GET",
            "/swagger.json?version=9",
            "",
            404,
            "Swagger version [9] is not valid",
        ),
        ("GET", "/ping", "", 200, "\n"),
    ];
    for (method, path, body, status, part) in table {
        try_one(method, path, JSON, body, (status, part)).await;
    }
}

async fn try_one(method: &str, path: &str, content_type: &str, body: &str, expected: (u16, &str)) {
    let mut request = Request::builder().method(method).uri(path);
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (status, headers, text) = ask(request).await;
    assert_eq!(status, expected.0, "{method} {path} {content_type}: {text}");
    assert!(text.contains(expected.1), "{method} {path}: {text}");
    if status >= 400 && method != "HEAD" {
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(document["message"].is_string(), "{text}");
    }
    if !matches!(path, "/" | "/ping") {
        assert_eq!(headers["x-ms-run-function-failed"], "False", "{path}");
        assert!(headers.contains_key("x-ms-server-version"));
    }
}

#[tokio::test]
async fn ids_are_echoed_and_bounded() {
    let request = |name: &str, value: &str| {
        let request = Request::builder().uri("/").header(name, value);
        request.body(Body::empty()).unwrap()
    };
    let (status, headers, _) = ask(request("x-ms-client-request-id", "job 7")).await;
    assert_eq!(status, 200);
    assert_eq!(headers["x-ms-request-id"], "job 7");
    assert_eq!(headers["x-ms-client-request-id"], "job 7");
    let (status, headers, text) = ask(request("x-request-id", &"i".repeat(101))).await;
    assert_eq!(status, 431);
    assert_eq!(headers["x-request-id"].len(), 32);
    assert!(text.contains("must not exceed 100 characters"), "{text}");
}
