//! Refusals that teach: MLflow's sentence, then each place with what was expected and what was found.

use crate::cast::Faults;
use crate::contract::CellKind;
use crate::enforce::shown;
use crate::refusal::Refusal;

/// Columns that one message names.
const COLUMNS: usize = 10;

/// The refusal of columns whose values cannot be cast; `faults` has one entry per column, in signature order.
pub(super) fn cast(faults: &[(String, CellKind, Faults)]) -> Refusal {
    let Some((first, kind, _)) = faults.first() else {
        return Refusal::parse("Invalid input.");
    };
    let mut message = format!(
        "Invalid input. Data is not compatible with model signature. Failed to convert column {} to type '{}'.",
        shown(first),
        pandas_name(*kind)
    );
    for (name, kind, faults) in faults.iter().take(COLUMNS) {
        message.push(' ');
        message.push_str(&places(&format!("Column '{}'", shown(name)), *kind, faults));
    }
    if faults.len() > COLUMNS {
        message.push_str(&format!(
            " {} more columns have such problems.",
            faults.len() - COLUMNS
        ));
    }
    Refusal::parse(message)
}

/// The places of one column, counted from 0.
pub(super) fn places(what: &str, kind: CellKind, faults: &Faults) -> String {
    let listed: Vec<String> = faults
        .listed
        .iter()
        .map(|(row, found)| format!("row {row} ({found})"))
        .collect();
    let more = faults.count - faults.listed.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "{what} expects {}, which cannot be made of: {}{more}.",
        kind.name(),
        listed.join(", ")
    )
}

/// The name of the pandas type in MLflow's sentence.
fn pandas_name(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text | CellKind::Binary => "object",
        other => other.numpy_name(),
    }
}
