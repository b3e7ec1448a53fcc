//! What goes wrong: a file that is no program, and rows that a program does not answer.

/// A file that is no scoring program, or one that contradicts itself.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It does not begin as it should, or ends too early.
    #[error("not a scoring program: {problem}")]
    Form {
        /// What is wrong.
        problem: &'static str,
    },
    /// Its head is not what is expected.
    #[error("the head of the scoring program cannot be read")]
    Head(#[from] serde_json::Error),
    /// It is of another version.
    #[error("the scoring program is of version {found}; this server reads version {expected}")]
    Version {
        /// Its version.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// A step that does not fit.
    #[error("step {step} of the scoring program ({op}): {problem}")]
    Step {
        /// Its number.
        step: usize,
        /// What it does.
        op: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// An ONNX model that cannot be used.
    #[error("the ONNX model of the scoring program: {problem}")]
    Graph {
        /// What is wrong.
        problem: String,
    },
    /// An output that does not fit.
    #[error("the output of the scoring program: {problem}")]
    Output {
        /// What is wrong.
        problem: &'static str,
    },
}

/// What is wrong with a step, before its place is known.
pub(crate) type Flaw = &'static str;

/// Rows that a program leaves to Python: the reason, which names no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("left to Python: {0}")]
pub struct Declined(pub &'static str);
