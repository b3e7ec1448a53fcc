//! Health, version and metrics: routes that never touch the model.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::respond;
use crate::served::Served;

/// MLflow's answer to `/ping` and `/health`: an empty line that calls itself JSON.
pub(crate) fn ping() -> Response {
    respond::json(StatusCode::OK, "\n")
}

/// The MLflow version of the model's environment, bare, as MLflow's server answers it.
pub(crate) fn version(served: &Served) -> Response {
    respond::json(StatusCode::OK, served.mlflow_version.clone())
}

/// All metrics in the text form of OpenMetrics.
pub(crate) fn metrics(served: &Served) -> Response {
    let mut text = String::new();
    if prometheus_client::encoding::text::encode(&mut text, &served.registry).is_err() {
        return respond::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics could not be written",
        );
    }
    let mut response = Response::new(Body::from(text));
    let form =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, form);
    response
}
