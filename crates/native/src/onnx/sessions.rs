//! Sessions over one graph: each answers a call at a time, so there are several where the graph is small.

use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::element::Element;
use super::head::{InputHead, OptionsHead, OutputHead};

/// Bytes that the graphs of all sessions may have together, each counted by its files.
const ROOM: u64 = 32 << 20;

/// More sessions are never made.
const MOST: usize = 8;

/// More threads are never asked for.
const MOST_THREADS: usize = 1024;

/// Waiting threads that spin would take processors from whoever decodes.
const SPINNING: [&str; 2] = [
    "session.intra_op.allow_spinning",
    "session.inter_op.allow_spinning",
];

pub(super) struct Sessions {
    idle: Mutex<Vec<Session>>,
    freed: Condvar,
    /// Whether calls run beside each other.
    pub(super) many: bool,
}

impl Sessions {
    /// Opens sessions; `bytes` are those of the graph with all of its weights.
    pub(super) fn open(
        environment: &Environment,
        graph: &Path,
        bytes: u64,
        options: &OptionsHead,
    ) -> Result<Self, String> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let room = usize::try_from(ROOM / bytes.max(1)).unwrap_or(MOST);
        if options.intra_op_threads.max(options.inter_op_threads) > MOST_THREADS {
            return Err(format!("it asks for more than {MOST_THREADS} threads"));
        }
        let alone = options.parallel || options.intra_op_threads > 1;
        let count = if alone {
            1
        } else {
            room.clamp(1, processors.min(MOST))
        };
        // Several calls at a time on a thread each, or one on as many as it likes.
        let threads = if count > 1 {
            1
        } else {
            options.intra_op_threads
        };
        let open = || {
            let mut builder = configured(environment, options, threads)?;
            builder
                .commit_from_file(graph)
                .map_err(|error| error.to_string())
        };
        let sessions: Result<Vec<Session>, String> = (0..count).map(|_| open()).collect();
        let sessions =
            sessions.map_err(|error| format!("its ONNX Runtime refuses the graph ({error})"))?;
        Ok(Self {
            idle: Mutex::new(sessions),
            freed: Condvar::new(),
            many: count > 1,
        })
    }

    /// Whether the graph has these inputs and outputs, in this order.
    pub(super) fn fits(&self, inputs: &[InputHead], outputs: &[OutputHead]) -> bool {
        let lease = self.lease();
        let Some(session) = &lease.session else {
            return false;
        };
        let same = |name: &str, dtype: &str, outlet: &ort::value::Outlet| {
            let found = Element::of(outlet.dtype());
            outlet.name() == name && found.is_some() && found == Element::from_name(dtype)
        };
        session.inputs().len() == inputs.len()
            && session.outputs().len() == outputs.len()
            && session
                .inputs()
                .iter()
                .zip(inputs)
                .all(|(outlet, head)| same(&head.name, &head.dtype, outlet))
            && session
                .outputs()
                .iter()
                .zip(outputs)
                .all(|(outlet, head)| same(&head.name, &head.dtype, outlet))
    }

    /// Waits for an idle session and uses it.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&mut Session) -> T) -> Option<T> {
        let mut lease = self.lease();
        lease.session.as_mut().map(ask)
    }

    fn lease(&self) -> Lease<'_> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while idle.is_empty() {
            idle = self
                .freed
                .wait(idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Lease {
            session: idle.pop(),
            owner: self,
        }
    }
}

/// A session in use; it goes back by itself.
struct Lease<'a> {
    session: Option<Session>,
    owner: &'a Sessions,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.owner
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(session);
            self.owner.freed.notify_one();
        }
    }
}

fn configured(
    environment: &Environment,
    options: &OptionsHead,
    threads: usize,
) -> Result<SessionBuilder, String> {
    let refused = |error: ort::Error<SessionBuilder>| error.to_string();
    let level = match options.optimization {
        0 => GraphOptimizationLevel::Disable,
        1 => GraphOptimizationLevel::Level1,
        2 => GraphOptimizationLevel::Level2,
        3 => GraphOptimizationLevel::Level3,
        99 => GraphOptimizationLevel::All,
        other => return Err(format!("it has no optimization level {other}")),
    };
    let mut builder = Session::builder(environment)
        .map_err(|error| error.to_string())?
        .with_optimization_level(level)
        .map_err(refused)?
        .with_parallel_execution(options.parallel)
        .map_err(refused)?
        .with_intra_threads(threads)
        .map_err(refused)?
        .with_inter_threads(options.inter_op_threads)
        .map_err(refused)?;
    for key in SPINNING {
        if !options.entries.contains_key(key) {
            builder = builder.with_config_entry(key, "0").map_err(refused)?;
        }
    }
    for (key, value) in &options.entries {
        builder = builder.with_config_entry(key, value).map_err(refused)?;
    }
    Ok(builder)
}
