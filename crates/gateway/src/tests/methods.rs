//! The method that a request names, on its way to the scorer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use prometheus_client::registry::Registry;
use sluis_mlflow::describe::Swagger;
use sluis_mlflow::model::Model;
use sluis_mlflow::{Answer, Contract, Work};
use sluis_scoring::{
    Scorer, ScorerError, ScorerLost, ScoringConfig, ScoringMetrics, ScoringService,
};
use tokio::time::Instant;

use super::{answer, split};
use crate::{GatewayMetrics, Identity, Limits, Methods, Served, router};

/// Answers with the method that it was asked by, and who decoded.
struct Named;

impl Scorer for Named {
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        Ok(())
    }
    async fn ended(&mut self) {
        std::future::pending().await
    }
    async fn score(&mut self, work: Work, _: Instant) -> Result<Answer, ScorerError> {
        let (who, method) = match work {
            Work::Call(call) => ("rust", call.options.method),
            Work::Raw(raw) => ("python", raw.model_method),
        };
        let method = method.as_deref().unwrap_or("its own");
        Ok(Answer::Json(format!("{who}: {method}").into()))
    }
    async fn stop(self, _: Duration) {}
}

async fn asked(methods: Methods, path: &str, header: Option<&str>, body: &str) -> (u16, String) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/mlflow/models/sk_cols"
    );
    let mut registry = Registry::with_prefix("sluis");
    let scoring = ScoringMetrics::register(&mut registry);
    let metrics = GatewayMetrics::register(&mut registry);
    let model = Model::open(folder).unwrap();
    let app = router(Arc::new(Served {
        contract: Arc::new(Contract::compile(&model)),
        openapi: "{}".into(),
        swagger: Swagger::of(&model),
        identity: Identity::of(&model),
        methods,
        scoring: ScoringService::start(ScoringConfig::default(), vec![Named], scoring),
        mlflow_version: "3.17.2".into(),
        limits: Limits::default(),
        metrics,
        registry: Arc::new(registry),
    }));
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(header) = header {
        request = request.header("x-sluis-method", header);
    }
    let (status, body) = answer(app, request.body(Body::from(body.to_owned())).unwrap()).await;
    (status.as_u16(), body)
}

fn two() -> Methods {
    Methods::of(vec!["predict".into(), "predict_proba".into()])
}

#[tokio::test]
async fn a_request_asks_by_the_method_that_it_names() {
    let of_server = two().choose("predict_proba").unwrap();
    let table = [
        (two(), "/invocations", None, "its own"),
        (
            two(),
            "/invocations?method=predict_proba",
            None,
            "predict_proba",
        ),
        (two(), "/score", Some("predict_proba"), "predict_proba"),
        (of_server.clone(), "/invocations?x=1", None, "predict_proba"),
        (of_server, "/invocations", Some("predict"), "predict"),
        (
            Methods::default(),
            "/invocations",
            Some("predict"),
            "its own",
        ),
    ];
    for (methods, path, header, method) in table {
        let found = asked(methods, path, header, &split()).await;
        assert_eq!(found, (200, format!("rust: {method}")), "{path} {header:?}");
    }
    let as_it_came = asked(
        two(),
        "/invocations",
        Some("predict_proba"),
        r#"{"messages": []}"#,
    )
    .await;
    assert_eq!(as_it_came, (200, "python: predict_proba".to_owned()));
}

#[tokio::test]
async fn a_method_that_the_model_lacks_is_refused_with_those_it_has() {
    let table = [
        (
            two(),
            "/invocations?method=transform",
            None,
            "It has predict, predict_proba.",
        ),
        (
            two(),
            "/invocations?method=predict",
            Some("predict_proba"),
            "name two methods",
        ),
        (
            Methods::default(),
            "/score",
            Some("predict_proba"),
            "its own predict function only",
        ),
    ];
    for (methods, path, header, words) in table {
        let (status, body) = asked(methods, path, header, &split()).await;
        assert_eq!(status, 400, "{body}");
        assert!(
            body.contains(words) && body.contains("INVALID_PARAMETER_VALUE"),
            "{body}"
        );
    }
    let tensorflow = "/v1/models/sk_cols:predict";
    let (status, body) = asked(two(), tensorflow, Some("transform"), &split()).await;
    assert!(
        status == 400 && body.starts_with(r#"{"error":"The model has no method"#),
        "{body}"
    );
}
