//! The parent side of a Python worker: the process, its protocol, its supervision.
//!
//! A [`Worker`] is one process that holds one model and scores one piece of work at a time; an [`Instance`] starts it
//! again when it has ended. The contract with the process stands in `protocol/worker.md`. Knows nothing of requests,
//! queues or HTTP.

mod control;
#[cfg(test)]
mod drift;
mod error;
mod exchange;
mod export;
mod frame;
mod guardian;
mod instance;
mod options;
mod output;
mod process;
mod program;
mod protocol;
mod worker;

pub use control::{Ready, Versions};
pub use error::{CallError, StartError};
pub use export::{Export, ExportError};
pub use frame::{FrameError, Header};
pub use guardian::{Guardian, GuardianError};
pub use instance::{Instance, InstanceState, Warmed};
pub use program::{Program, ProgramError};
pub use protocol::VERSION as PROTOCOL_VERSION;
pub use worker::{Worker, WorkerConfig};
