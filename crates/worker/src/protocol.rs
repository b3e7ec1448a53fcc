//! Names and limits of the contract with the worker; mirrored in `python/worker/sluis_worker/protocol.py`.

/// The version of the contract; a worker of another version is refused.
pub const VERSION: u32 = 2;

/// The worker's end of the control channel, where it looks for it unless told otherwise.
pub(crate) const CONTROL_FD: i32 = 3;
/// The worker's end of the data channel, likewise.
pub(crate) const DATA_FD: i32 = 4;

pub(crate) const MAGIC: [u8; 4] = *b"SLW1";
/// Bytes of a frame's head at most.
pub(crate) const MAX_HEAD: usize = 1 << 20;
/// Bytes of one line on the control channel at most.
pub(crate) const MAX_LINE: usize = 1 << 20;

pub(crate) const CALL_DENSE: u8 = 1;
pub(crate) const CALL_ARROW: u8 = 2;
pub(crate) const CALL_TENSORS: u8 = 3;
pub(crate) const CALL_RAW: u8 = 4;

pub(crate) const ANSWER_DENSE: u8 = 129;
pub(crate) const ANSWER_ARROW: u8 = 130;
pub(crate) const ANSWER_JSON: u8 = 131;
pub(crate) const ANSWER_HTTP: u8 = 132;
pub(crate) const ANSWER_ERROR: u8 = 133;
