//! Enforcement: what a signature says to data whose types are already there.
//!
//! The second of MLflow's two layers, and the strict one. JSON hardly ever meets it, since its values are cast first; typed
//! payloads (Parquet, Arrow, Open Inference) meet nothing else. Source of the rules: the measured table of
//! `conformance/mlflow/enforcement_matrix.json`, and of `enforcement_matrix_pandas2.json`.

mod assemble;
mod batch;
mod names;
mod suggest;
mod table;
mod tensors;
#[cfg(test)]
mod tests;

pub(crate) use assemble::{assemble, block_of};
pub(crate) use names::{Matched, python_list, shown, unknown_columns, unknown_names};
pub(crate) use suggest::nearest;
pub(crate) use table::{Held, Objects, incompatible};
pub(crate) use tensors::check_shape;
