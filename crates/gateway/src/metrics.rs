//! The gateway's metrics. Routes and statuses are finite sets; nothing of a request becomes a label.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecoderLabel {
    decoder: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CastLabels {
    column: String,
    cast: &'static str,
}

/// Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct GatewayMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Family<RouteLabel, Histogram, fn() -> Histogram>,
    payloads: Family<DecoderLabel, Counter>,
    casts: Family<CastLabels, Counter>,
    decode: Histogram,
    encode: Histogram,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(50e-6, 2.5, 16))
}

impl GatewayMetrics {
    /// Metrics that are shown by `registry`, whose prefix is `sluis`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(seconds),
            payloads: Family::default(),
            casts: Family::default(),
            decode: seconds(),
            encode: seconds(),
        };
        let gateway = registry.sub_registry_with_prefix("gateway");
        gateway.register(
            "requests",
            "Requests answered, by route and status",
            metrics.requests.clone(),
        );
        let all = metrics.duration.clone();
        gateway.register_with_unit(
            "request_duration",
            "Time from request head to answer",
            Unit::Seconds,
            all,
        );
        gateway.register(
            "payloads",
            "Payloads by who decoded them: rust, or python where Rust leaves the decision to MLflow",
            metrics.payloads.clone(),
        );
        gateway.register(
            "lossy_casts",
            "Values that a cast to the signature's type changed, by column and cast",
            metrics.casts.clone(),
        );
        gateway.register_with_unit(
            "decode_duration",
            "Time to decode a payload",
            Unit::Seconds,
            metrics.decode.clone(),
        );
        gateway.register_with_unit(
            "encode_duration",
            "Time to encode an answer",
            Unit::Seconds,
            metrics.encode.clone(),
        );
        metrics
    }

    pub(crate) fn answered(&self, route: &'static str, status: u16, seconds: f64) {
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
        self.duration
            .get_or_create(&RouteLabel { route })
            .observe(seconds);
    }

    pub(crate) fn decoded(&self, in_rust: bool, seconds: f64) {
        let decoder = if in_rust { "rust" } else { "python" };
        self.payloads.get_or_create(&DecoderLabel { decoder }).inc();
        self.decode.observe(seconds);
    }

    /// `column` is one of the signature's: labels are bounded by it.
    pub(crate) fn cast(&self, column: &str, cast: &'static str, count: usize) {
        let column = column.to_owned();
        self.casts
            .get_or_create(&CastLabels { column, cast })
            .inc_by(count as u64);
    }

    pub(crate) fn encoded(&self, seconds: f64) {
        self.encode.observe(seconds);
    }
}
