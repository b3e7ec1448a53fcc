//! Azure's no-code scoring and the signature: what keeps it from starting, and whose payloads mean there what they mean to MLflow.

use super::{CellKind, Layout, Strictness, TensorLayout};
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

/// Whether payloads that need no cast mean the same to Azure's scoring as to MLflow: numbers and truth values only, since
/// text takes ways of its own there, and no name that pandas' reader takes for a date or a number.
pub(super) fn reads_alike(model: &Model, layout: &Layout) -> bool {
    if model.flavors.iter().any(|(name, _)| name == "transformers") {
        return false;
    }
    // Azure makes a sample of zeros, which an inner extent that varies has none of.
    let fixed = |layout: &TensorLayout| {
        !layout.is_text() && layout.shape.iter().skip(1).all(Option::is_some)
    };
    match layout {
        Layout::Columns(columns) => {
            columns.named
                && columns.kinds.iter().all(is_plain)
                && columns.names.iter().all(|name| !is_date_column(name))
                && !columns.names.iter().all(|name| may_be_converted(name))
        }
        Layout::Tensor(tensor) => fixed(tensor),
        Layout::Tensors(tensors) => tensors.iter().all(|(_, tensor)| fixed(tensor)),
        Layout::Python(_) => false,
    }
}

fn is_plain(kind: &CellKind) -> bool {
    matches!(
        kind,
        CellKind::Boolean | CellKind::Integer | CellKind::Long | CellKind::Float | CellKind::Double
    )
}

/// The names by which pandas' JSON reader tells columns of dates.
fn is_date_column(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with("_at")
        || name.ends_with("_time")
        || name.starts_with("timestamp")
        || name == "modified"
        || name == "date"
}

/// Whether a name may read as a date or a number. The reader converts column names where all of them do.
fn may_be_converted(name: &str) -> bool {
    const WORDS: [&str; 16] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "now",
        "tod", "nan", "inf",
    ];
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let name = name.trim().to_lowercase();
    !name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        || WORDS.iter().chain(&DAYS).any(|word| name.starts_with(word))
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
