//! `GET /swagger.json`: Azure's documents of the model, in the version that the query names.

use axum::http::StatusCode;
use axum::response::Response;
use sluis_mlflow::describe::SwaggerVersion;

use crate::served::Served;
use crate::{azure, respond};

pub(crate) fn answer(served: &Served, query: Option<&str>) -> Response {
    match SwaggerVersion::of(version(query).as_deref()) {
        Ok(version) => respond::json(StatusCode::OK, served.swagger.document(version)),
        Err(unknown) => azure::message(StatusCode::NOT_FOUND, &unknown.to_string()),
    }
}

/// The first `version` of a query; versions hold nothing that is escaped, so what is stays as it is.
fn version(query: Option<&str>) -> Option<String> {
    let mut pairs = query?
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .find(|(name, _)| *name == "version")
        .map(|(_, value)| value.replace("%2E", ".").replace("%2e", "."))
}
