//! What the gateway serves: one model behind its contract and its scoring service.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::registry::Registry;
use sluis_mlflow::describe::Swagger;
use sluis_mlflow::{Answer, Contract, Work};
use sluis_scoring::{ScoreError, ScoringService};

use crate::identity::Identity;
use crate::methods::Methods;
use crate::metrics::GatewayMetrics;

/// Limits on what a caller may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body, also after unpacking.
    pub max_body_bytes: usize,
    /// Bytes of all bodies that are in work at a time; at least one body fits in any case.
    pub max_bodies_bytes: usize,
    /// The longest pause within a body, and the longest time that a caller may read nothing of an answer.
    pub body_pause: Duration,
    /// The longest time for a request's head.
    pub head_timeout: Duration,
    /// Connections at a time.
    pub max_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 100 << 20,
            max_bodies_bytes: 1 << 30,
            body_pause: Duration::from_secs(30),
            head_timeout: Duration::from_secs(30),
            max_connections: 10_000,
        }
    }
}

/// A model that is ready to be asked.
#[derive(Clone)]
pub struct Served {
    /// How payloads are decoded.
    pub contract: Arc<Contract>,
    /// The page of `/openapi.json`.
    pub openapi: Bytes,
    /// The model's Swagger documents.
    pub swagger: Swagger,
    /// How the model is named in the routes of other servers' protocols.
    pub identity: Identity,
    /// Its methods, and the one that is asked.
    pub methods: Methods,
    /// Who scores them.
    pub scoring: ScoringService,
    /// The MLflow version in the model's environment, which `/version` answers.
    pub mlflow_version: String,
    /// What callers may send.
    pub limits: Limits,
    /// The gateway's own metrics.
    pub metrics: GatewayMetrics,
    /// All metrics of the process, for `/metrics`.
    pub registry: Arc<Registry>,
}

impl Served {
    /// Has the method that is asked score one request's work.
    pub(crate) async fn score(&self, work: Work) -> Result<Answer, ScoreError> {
        let work = work.with_method(self.methods.chosen());
        self.scoring.score(work).await
    }
}
