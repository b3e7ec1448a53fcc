//! The routes through the real router, with a scorer that answers by the first value of what it gets.

mod azure;
mod dialects;
mod methods;
mod open_inference;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use prometheus_client::registry::Registry;
use sluis_mlflow::contract::Strictness;
use sluis_mlflow::describe::Swagger;
use sluis_mlflow::model::Model;
use sluis_mlflow::{
    Answer, Contract, DType, DenseBlock, HttpAnswer, Input, ModelCall, Raised, Work,
};
use sluis_scoring::{
    Scorer, ScorerError, ScorerLost, ScoringConfig, ScoringMetrics, ScoringService,
};
use tokio::time::Instant;
use tower::ServiceExt;

use crate::{GatewayMetrics, Identity, Limits, Methods, Served, router};

/// Answers frames with the first byte of each row's first value, and raw payloads with what they were.
struct Echo;

impl Scorer for Echo {
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        Ok(())
    }
    async fn ended(&mut self) {
        std::future::pending().await
    }
    async fn score(&mut self, work: Work, _: Instant) -> Result<Answer, ScorerError> {
        match work {
            Work::Call(ModelCall {
                input: Input::Frame(frame),
                ..
            }) if frame.bytes.starts_with(&(-1.0_f64).to_le_bytes()) => {
                Err(ScorerError::Model(Raised {
                    class: "ValueError".into(),
                    message: "negative".into(),
                    document: None,
                    unserializable: false,
                    unasked: false,
                }))
            }
            Work::Call(call) => {
                let rows = call.input.rows();
                Ok(Answer::Dense(
                    DenseBlock::new(DType::UInt8, vec![rows], vec![7; rows].into()).unwrap(),
                ))
            }
            Work::Raw(raw) => Ok(Answer::Http(HttpAnswer {
                status: 200,
                headers: vec![("content-type".into(), "application/json".into())],
                body: format!("{{\"predictions\": {}}}", raw.body.len()).into(),
            })),
        }
    }
    async fn stop(self, _: Duration) {}
}

fn app(limits: Limits) -> axum::Router {
    app_with(limits, Strictness::Mlflow)
}

fn app_with(limits: Limits, strictness: Strictness) -> axum::Router {
    app_of("sk_cols", limits, strictness)
}

/// A model without a signature: all of its payloads go to Python as they came.
fn undecided(limits: Limits) -> axum::Router {
    app_of("echo_nosig", limits, Strictness::Mlflow)
}

fn app_of(model: &str, limits: Limits, strictness: Strictness) -> axum::Router {
    let folder = format!(
        "{}/../../conformance/mlflow/models/{model}",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut registry = Registry::with_prefix("sluis");
    let scoring = ScoringMetrics::register(&mut registry);
    let metrics = GatewayMetrics::register(&mut registry);
    let model = Model::open(&folder).unwrap();
    router(Arc::new(Served {
        contract: Arc::new(
            Contract::compile(&model)
                .beside("3.17.2")
                .with_pandas("3.1.1")
                .with_strictness(strictness),
        ),
        openapi: "{}".into(),
        swagger: Swagger::of(&model),
        identity: Identity::of(&model),
        methods: Methods::of(vec!["predict".into(), "predict_proba".into()]),
        scoring: ScoringService::start(ScoringConfig::default(), vec![Echo], scoring),
        mlflow_version: "3.17.2".into(),
        limits,
        metrics,
        registry: Arc::new(registry),
    }))
}

async fn send(
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Body>,
) -> (StatusCode, String) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    answer(app(Limits::default()), request.body(body.into()).unwrap()).await
}

async fn answer(app: axum::Router, request: Request<Body>) -> (StatusCode, String) {
    let response = app.oneshot(request).await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const JSON: Option<&str> = Some("application/json");
const SPLIT: &str = r#"{"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": [[5.1, 3.5, 1.4, 0.2], [1, 2, 3, 4]]}"#;

#[tokio::test]
async fn routes_answer_as_mlflow_does() {
    let table = [
        ("GET", "/ping", 200, "\n"),
        ("GET", "/health?x=1", 200, "\n"),
        ("GET", "/version", 200, "3.17.2"),
        ("HEAD", "/ping", 405, ""),
        ("GET", "/", 200, "Healthy"),
        (
            "POST",
            "/swagger.json",
            405,
            r#"{"detail":"Method Not Allowed"}"#,
        ),
        (
            "GET",
            "/invocations",
            405,
            r#"{"detail":"Method Not Allowed"}"#,
        ),
        ("GET", "/nothing", 404, r#"{"detail":"Not Found"}"#),
        ("POST", "/invocations/", 307, ""),
        ("GET", "/INVOCATIONS", 404, r#"{"detail":"Not Found"}"#),
    ];
    for (method, path, status, body) in table {
        let (found_status, found_body) = send(method, path, None, "").await;
        assert_eq!(
            (found_status.as_u16(), found_body.as_str()),
            (status, body),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn decoded_payloads_answer_in_the_callers_dialect() {
    let mlflow = format!("{{\"dataframe_split\": {SPLIT}}}");
    assert_eq!(
        send("POST", "/invocations", JSON, mlflow.clone()).await,
        (StatusCode::OK, "{\"predictions\": [7, 7]}".into())
    );
    assert_eq!(
        send("POST", "/score", JSON, mlflow).await.1,
        "{\"predictions\": [7, 7]}"
    );
    let azure = format!("{{\"input_data\": {SPLIT}}}");
    assert_eq!(
        send("POST", "/score", JSON, azure).await,
        (StatusCode::OK, "[7, 7]".into())
    );
    for (path, content_type, body, expected) in [
        (
            "/score",
            "application/json",
            "{\"input_data\": [[1]]}",
            "17",
        ),
        (
            "/invocations",
            "text/csv",
            "a,b\n1,2\n",
            "{\"predictions\": 8}",
        ),
    ] {
        let request = Request::post(path)
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(
            answer(undecided(Limits::default()), request).await.1,
            expected
        );
    }
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let deep = "[".repeat(2_000);
    let raising = format!(
        "{{\"dataframe_split\": {}}}",
        SPLIT.replacen("5.1", "-1.0", 1)
    );
    let table: Vec<(&str, Option<&str>, String, u16, &str)> = vec![
        ("/invocations", None, "{}".into(), 415, "no content-type"),
        (
            "/invocations",
            Some("application/xml"),
            "{}".into(),
            415,
            "application/xml",
        ),
        ("/invocations", JSON, deep, 400, "nested deeper"),
        ("/invocations", JSON, raising, 400, "ValueError: negative"),
        (
            "/score",
            Some("text/csv"),
            "a".into(),
            415,
            "application/json",
        ),
        ("/score", JSON, String::new(), 400, "POST body is empty"),
        (
            "/score",
            JSON,
            "[1]".into(),
            400,
            "should be a JSON dictionary",
        ),
        (
            "/score",
            JSON,
            "{\"input_data\": [1 2]}".into(),
            400,
            "line 1 column",
        ),
    ];
    for (path, content_type, body, status, part) in table {
        let (found, text) = send("POST", path, content_type, body).await;
        assert_eq!(found.as_u16(), status, "{path} {text}");
        assert!(text.contains(part), "{path}: {text}");
    }
}

fn split() -> String {
    format!("{{\"dataframe_split\": {SPLIT}}}")
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_packed_or_not() {
    let small = Limits {
        max_body_bytes: 1_000,
        ..Limits::default()
    };
    let request = |body: Vec<u8>, encoding: &str| {
        let request = Request::builder()
            .method("POST")
            .uri("/invocations")
            .header("content-type", "application/json");
        request
            .header("content-encoding", encoding)
            .body(Body::from(body))
            .unwrap()
    };
    let gzip = |text: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut out, text).unwrap();
        out.finish().unwrap()
    };
    let status = |request| async { answer(app(small), request).await };
    assert_eq!(
        status(request(vec![b' '; 1_001], "identity")).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        status(request(gzip(&vec![b' '; 1 << 20]), "gzip")).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(
        status(request(b"no gzip".to_vec(), "gzip")).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        status(request(gzip(split().as_bytes()), "GZip")).await.0,
        StatusCode::OK
    );
    assert_eq!(
        status(request(b"{}".to_vec(), "br")).await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(
        status(request(gzip(split().as_bytes()), "gzip")).await.1,
        "{\"predictions\": [7, 7]}"
    );
}

#[tokio::test]
async fn metrics_tell_routes_and_decoders() {
    let app = app(Limits::default());
    let split = format!("{{\"dataframe_split\": {SPLIT}}}");
    let request = Request::post("/invocations")
        .header("content-type", "application/json")
        .body(Body::from(split))
        .unwrap();
    answer(app.clone(), request).await;
    let (_, text) = answer(app, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert!(
        text.contains("sluis_gateway_requests_total{route=\"invocations\",status=\"200\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("sluis_gateway_payloads_total{decoder=\"rust\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("sluis_scoring_queue_wait_seconds_count 1"),
        "{text}"
    );
}

/// A body of so many bytes that comes in chunks, and counts how many were taken.
fn counted(chunks: usize, taken: &Arc<AtomicUsize>) -> Body {
    let taken = taken.clone();
    let chunks = (0..chunks).map(move |_| {
        taken.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::convert::Infallible>(bytes::Bytes::from_static(&[b' '; 1_000]))
    });
    Body::from_stream(futures_util::stream::iter(chunks))
}

#[tokio::test]
async fn refused_bodies_are_read_off_unless_the_caller_waits_to_be_told() {
    let table = [
        ("POST", "/nothing", "application/json", 404),
        ("POST", "/ping", "application/json", 405),
        ("POST", "/invocations/", "application/json", 307),
        ("POST", "/invocations", "a/b", 415),
        ("POST", "/score", "a/b", 415),
    ];
    for (method, path, content_type, status) in table {
        for (expect, taken) in [("", 100), ("100-continue", 0)] {
            let count = Arc::new(AtomicUsize::new(0));
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("content-type", content_type)
                .header("expect", expect)
                .body(counted(100, &count))
                .unwrap();
            let (found, _) = answer(app(Limits::default()), request).await;
            assert_eq!(found.as_u16(), status, "{path}");
            assert_eq!(count.load(Ordering::Relaxed), taken, "{path} {expect}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_ends_with_408() {
    let trickle = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Some((Ok::<_, std::convert::Infallible>("1"), ()))
    });
    let request = Request::post("/invocations")
        .header("content-type", "application/json")
        .body(Body::from_stream(trickle))
        .unwrap();
    let since = Instant::now();
    let (status, text) = answer(app(Limits::default()), request).await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{text}");
    assert!(since.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn bodies_of_all_callers_share_their_room() {
    let limits = Limits {
        max_body_bytes: 100_000,
        max_bodies_bytes: 100_000,
        ..Limits::default()
    };
    let app = undecided(limits);
    let post = |body: Body| {
        Request::post("/invocations")
            .header("content-type", "application/json")
            .body(body)
            .unwrap()
    };
    // The first holds its room, since its end never comes.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let held = futures_util::stream::unfold(receiver, |mut receiver| async {
        let chunk: Option<&'static str> = receiver.recv().await;
        chunk.map(|chunk| (Ok::<_, std::convert::Infallible>(chunk), receiver))
    });
    let large: &'static str = Box::leak(" ".repeat(60_000).into_boxed_str());
    let first = tokio::spawn(app.clone().oneshot(post(Body::from_stream(held))));
    sender.send(large).await.unwrap();
    // Taken only once the chunk before has been.
    let permit = sender.reserve().await.unwrap();
    tokio::task::yield_now().await;
    let response = app.clone().oneshot(post(large.into())).await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "1");
    drop(permit);
    drop(sender);
    assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
    let response = app.oneshot(post(large.into())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}
