//! What of a model keeps Azure's no-code scoring from starting.

use super::Strictness;
use crate::model::{ColumnSpec, Model, Schema};

/// A column that Azure's scoring has no type for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{part} '{column}' is of type {ty}, and Azure's no-code scoring knows columns of scalar types only"
)]
pub struct Unscorable {
    part: &'static str,
    column: String,
    ty: String,
}

impl Strictness {
    /// Whether a model can be served with this strictness.
    pub fn admits(self, model: &Model) -> Result<(), Unscorable> {
        let signature = match &model.signature {
            Some(signature) if self == Strictness::Azure => signature,
            _ => return Ok(()),
        };
        // The columns of these are described by texts, not by frames.
        let text = model.flavors.iter().any(|(name, _)| name == "transformers");
        let inputs = signature.inputs.as_ref().filter(|_| !text);
        first_nested("input", inputs)
            .or_else(|| first_nested("output", signature.outputs.as_ref()))
            .map_or(Ok(()), Err)
    }
}

fn first_nested(part: &'static str, schema: Option<&Schema>) -> Option<Unscorable> {
    let Some(Schema::Columns(columns)) = schema else {
        return None;
    };
    let nested = |(_, column): &(usize, &ColumnSpec)| !column.ty.is_scalar();
    let (position, column) = columns.iter().enumerate().find(nested)?;
    Some(Unscorable {
        part,
        column: column.name.clone().unwrap_or_else(|| position.to_string()),
        ty: column.ty.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn models_that_azure_does_not_start_are_refused_with_the_column() {
        let models =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/azure/nocode/models");
        let refused = |name: &str, strictness: Strictness| {
            let model = Model::open(models.join(name).to_str().unwrap()).unwrap();
            strictness.admits(&model).err().map(|why| why.to_string())
        };
        assert_eq!(refused("any_output", Strictness::Mlflow), None);
        assert_eq!(refused("pf_mixed", Strictness::Azure), None);
        assert_eq!(refused("llm_params", Strictness::Azure), None);
        let output = refused("any_output", Strictness::Azure).unwrap();
        assert!(output.starts_with("output '0' is of type Any"), "{output}");
        let nested = refused("nested", Strictness::Azure).unwrap();
        assert!(
            nested.starts_with("input 'tags' is of type Array(string)"),
            "{nested}"
        );
    }
}
