//! Which scorer would serve, whether requests share calls, and in what form payloads reach it; each with its reason.

use sluis_mlflow::Contract;
use sluis_mlflow::contract::{ColumnLayout, Layout, TensorLayout};
use sluis_mlflow::model::Model;

use super::report::ScoringPlan;
use crate::native::Prospect;

/// The scoring of a model whose contract is `contract`.
pub(crate) fn choose(model: &Model, contract: &Contract, prospect: Prospect) -> ScoringPlan {
    let (data_path, data_path_reason) = data_path(contract.layout());
    let (request_batches, request_batches_reason) = request_batches(model, contract.layout());
    ScoringPlan {
        scorer: prospect.scorer,
        reason: prospect.reason,
        request_batches,
        request_batches_reason,
        data_path,
        data_path_reason,
    }
}

/// Requests share calls when the model answers row by row and payloads are decoded into rows that can be joined.
fn request_batches(model: &Model, layout: &Layout) -> (bool, String) {
    let function = &model.python_function;
    let call = format!("{} of {}", function.predict_fn, function.loader_module);
    if !model.row_wise() {
        return (false, format!("{call} is not known to answer row by row"));
    }
    match layout {
        Layout::Columns(_) | Layout::Tensor(_) => (true, format!("{call} answers row by row")),
        Layout::Tensors(_) => (false, "several named tensors are not joined".to_owned()),
        Layout::Python(_) => (
            false,
            "payloads reach Python as they came and cannot be joined".to_owned(),
        ),
    }
}

fn data_path(layout: &Layout) -> (&'static str, String) {
    match layout {
        Layout::Columns(columns) => frame(columns),
        Layout::Tensor(tensor) => ("dense", format!("one tensor, {}", describe(tensor))),
        Layout::Tensors(tensors) => {
            let named = tensors
                .iter()
                .map(|(name, tensor)| format!("{name}: {}", describe(tensor)));
            ("dense", named.collect::<Vec<_>>().join("; "))
        }
        Layout::Python(reason) => ("as_it_came", reason.to_string()),
    }
}

fn frame(columns: &ColumnLayout) -> (&'static str, String) {
    let count = columns.names.len();
    match columns.dense {
        Some(dtype) if count == 1 => ("dense", format!("one column of {}", dtype.name())),
        Some(dtype) => ("dense", format!("all {count} columns are {}", dtype.name())),
        None if count == 1 => ("arrow", "one column of text".to_owned()),
        None => (
            "arrow",
            format!("{count} columns of text or of several types"),
        ),
    }
}

fn describe(tensor: &TensorLayout) -> String {
    let extents = tensor
        .shape
        .iter()
        .map(|extent| extent.map_or_else(|| "any".to_owned(), |extent| extent.to_string()));
    let extents = extents.collect::<Vec<_>>().join(" x ");
    format!("{} of {extents}", tensor.dtype.name())
}
