//! The tensors of a model, as its metadata lists them.

use serde::Serialize;

use super::datatype::Datatype;
use crate::model::{Schema, Signature};

/// The name of an input that has none.
const INPUT: &str = "inputs";

/// The name of an output that has none.
pub(crate) const OUTPUT: &str = "predictions";

/// A tensor in a model's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TensorMetadata {
    /// Its name.
    pub name: String,
    /// The protocol's name of its type.
    pub datatype: &'static str,
    /// Its extents; -1 where one varies.
    pub shape: Vec<i64>,
}

/// The inputs of a signature: one per column, or one per tensor.
pub fn inputs_of(signature: Option<&Signature>) -> Vec<TensorMetadata> {
    let schema = signature.and_then(|signature| signature.inputs.as_ref());
    schema.map_or_else(Vec::new, |schema| tensors(schema, INPUT))
}

/// The outputs of a signature.
pub fn outputs_of(signature: Option<&Signature>) -> Vec<TensorMetadata> {
    let schema = signature.and_then(|signature| signature.outputs.as_ref());
    schema.map_or_else(Vec::new, |schema| tensors(schema, OUTPUT))
}

fn tensors(schema: &Schema, unnamed: &str) -> Vec<TensorMetadata> {
    match schema {
        Schema::Columns(columns) => columns
            .iter()
            .enumerate()
            .map(|(index, column)| TensorMetadata {
                name: match &column.name {
                    Some(name) => name.clone(),
                    None if columns.len() == 1 => unnamed.to_owned(),
                    None => index.to_string(),
                },
                datatype: Datatype::of_column(&column.ty).name(),
                shape: vec![-1],
            })
            .collect(),
        Schema::Tensors(specs) => specs
            .iter()
            .map(|spec| TensorMetadata {
                name: spec.name.clone().unwrap_or_else(|| unnamed.to_owned()),
                datatype: Datatype::of_numpy(&spec.dtype).name(),
                shape: spec.shape.clone(),
            })
            .collect(),
    }
}
