//! Signatures in the words of a plan.

use sluis_mlflow::model::{ParamSpec, Schema};

use super::report::{FieldPlan, ParamPlan, SchemaPlan};

/// One side of a signature.
pub(crate) fn plan(schema: &Schema) -> SchemaPlan {
    match schema {
        Schema::Columns(columns) => {
            let fields = columns.iter().map(|column| FieldPlan {
                name: column.name.clone(),
                ty: column.ty.to_string(),
                required: column.required,
            });
            SchemaPlan {
                kind: "columns",
                fields: fields.collect(),
            }
        }
        Schema::Tensors(tensors) => {
            // MLflow has no optional tensors.
            let fields = tensors.iter().map(|tensor| FieldPlan {
                name: tensor.name.clone(),
                ty: tensor.to_string(),
                required: true,
            });
            SchemaPlan {
                kind: "tensors",
                fields: fields.collect(),
            }
        }
    }
}

/// The params of a call.
pub(crate) fn params(params: &[ParamSpec]) -> Vec<ParamPlan> {
    let params = params.iter().map(|param| ParamPlan {
        name: param.name.clone(),
        ty: match param.shape {
            Some(_) => format!("Array({})", param.ty),
            None => param.ty.to_string(),
        },
        default: param.default.clone(),
    });
    params.collect()
}
