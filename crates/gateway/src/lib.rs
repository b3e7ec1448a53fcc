//! The data plane: HTTP requests in, scored answers out.
//!
//! Reads a request within its limits, tells payload dialects apart, has the input contract decode it, asks the scoring
//! service, and answers in the caller's dialect. Knows no model folder, no environment, no worker process.

mod accept;
mod azure;
mod body;
mod casts;
mod content_type;
mod fault;
mod health;
mod identity;
mod invocations;
mod methods;
mod metrics;
mod open_files;
mod open_inference;
mod request_id;
mod respond;
mod room;
mod router;
mod score;
mod served;
mod server;
mod stream;
mod swagger;
mod tensorflow;
#[cfg(test)]
mod tests;

pub use identity::Identity;
pub use methods::{Methods, NoMethod};
pub use metrics::GatewayMetrics;
pub use router::router;
pub use served::{Limits, Served};
pub use server::{Listening, Server, ServerError};
