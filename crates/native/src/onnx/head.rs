//! The part of a program's head that stands for an ONNX model, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct GraphHead {
    pub(super) library: LibraryHead,
    pub(super) file: FileHead,
    pub(super) options: OptionsHead,
    pub(super) form: Form,
    pub(super) inputs: Vec<InputHead>,
    pub(super) outputs: Vec<OutputHead>,
}

/// The shared library of the environment's ONNX Runtime.
#[derive(Debug, Deserialize)]
pub(super) struct LibraryHead {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) version: String,
}

/// The graph, by its place in the model's folder.
#[derive(Debug, Deserialize)]
pub(super) struct FileHead {
    pub(super) path: String,
    pub(super) sha256: String,
}

/// Settings of MLflow's session; 0 threads are as many as the library likes.
#[derive(Debug, Deserialize)]
pub(super) struct OptionsHead {
    pub(super) intra_op_threads: usize,
    pub(super) inter_op_threads: usize,
    pub(super) parallel: bool,
    pub(super) optimization: u32,
    pub(super) entries: BTreeMap<String, String>,
}

/// How an input becomes tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// A frame as the one input.
    Matrix,
    /// A column of a frame for each input.
    Columns,
    /// The one tensor of an unnamed signature.
    Tensor,
    /// A tensor for each input.
    Tensors,
}

impl Form {
    pub(super) fn is_frame(self) -> bool {
        matches!(self, Form::Matrix | Form::Columns)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct InputHead {
    pub(super) name: String,
    /// What the graph takes.
    pub(super) dtype: String,
    /// What MLflow has before it casts doubles to single precision.
    pub(super) via: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct OutputHead {
    pub(super) name: String,
    pub(super) dtype: String,
}
