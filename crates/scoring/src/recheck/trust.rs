//! Whether the direct scorer is believed. Once withdrawn, trust does not come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Read with every request: a lock would be felt.
    withdrawn: AtomicBool,
    told: CancellationToken,
}

impl Trust {
    /// Whether every request goes to the instances.
    pub fn is_withdrawn(&self) -> bool {
        self.0.withdrawn.load(Ordering::Relaxed)
    }

    /// Waits until it is. Cancel-safe.
    pub async fn withdrawn(&self) {
        self.0.told.cancelled().await;
    }

    pub(crate) fn withdraw(&self) {
        self.0.withdrawn.store(true, Ordering::Relaxed);
        self.0.told.cancel();
    }
}
