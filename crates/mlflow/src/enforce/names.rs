//! Which columns of a payload are whose: by name, or by position where the signature names none.
//!
//! Refuses what misses a required column, with MLflow's sentence and the names that were probably meant.

use std::collections::HashSet;

use super::suggest::nearest;
use crate::contract::ColumnLayout;
use crate::lossy::{Lossy, LossyCast};
use crate::refusal::Refusal;

/// Names shown in a message; more are counted.
const SHOWN: usize = 20;

/// A name longer than this is cut in a message.
const LONGEST: usize = 80;

/// The columns of a payload under a layout.
pub(crate) struct Matched {
    /// For each column of the layout, the position of the payload's column; `None` where an optional one is absent.
    pub(crate) positions: Vec<Option<usize>>,
    /// The payload's columns that the signature does not name, each once.
    pub(crate) extra: Vec<String>,
}

impl Matched {
    /// Matches the columns of a payload; `labels` are their names, `None` for one whose label is no text.
    pub(crate) fn columns(layout: &ColumnLayout, labels: &[Option<&str>]) -> Result<Self, Refusal> {
        if layout.named {
            by_name(layout, labels)
        } else {
            by_position(layout, labels.len())
        }
    }

    /// The left out columns, as losses.
    pub(crate) fn losses(&self) -> impl Iterator<Item = Lossy> + '_ {
        self.extra.iter().map(|name| Lossy {
            name: shown(name),
            cast: LossyCast::ExtraColumn,
            count: 1,
        })
    }
}

fn by_name(layout: &ColumnLayout, labels: &[Option<&str>]) -> Result<Matched, Refusal> {
    let mut positions = vec![None; layout.names.len()];
    let (mut extra, mut known): (Vec<&str>, HashSet<&str>) = (Vec::new(), HashSet::new());
    let mut unlabelled = 0;
    for (position, label) in labels.iter().enumerate() {
        match label {
            None => unlabelled += 1,
            Some(label) => match layout.position(label) {
                Some(column) => positions[column] = Some(position),
                None if known.insert(label) => extra.push(label),
                None => {}
            },
        }
    }
    let missing: Vec<&str> = (positions
        .iter()
        .zip(&layout.required)
        .zip(layout.names.iter()))
    .filter(|((position, required), _)| position.is_none() && **required)
    .map(|(_, name)| name.as_str())
    .collect();
    if missing.is_empty() {
        return Ok(Matched {
            positions,
            extra: extra.into_iter().map(str::to_owned).collect(),
        });
    }
    Err(Refusal::schema(missing_message(
        &missing, &extra, unlabelled,
    )))
}

fn missing_message(missing: &[&str], extra: &[&str], unlabelled: usize) -> String {
    let mut message = format!("Model is missing inputs {}.", python_list(missing));
    if !extra.is_empty() {
        let extra = python_list(extra);
        message.push_str(&format!(" Note that there were extra inputs: {extra}."));
    }
    if unlabelled > 0 {
        message.push_str(&format!(
            " {unlabelled} column{} came with a number instead of a name: name the columns as the signature does.",
            if unlabelled == 1 { "" } else { "s" }
        ));
    }
    for wrong in extra.iter().take(SHOWN) {
        if let Some(meant) = nearest(wrong, missing.iter().copied()) {
            message.push_str(&format!(
                " Did you mean {} instead of {}?",
                python_text(meant),
                python_text(wrong)
            ));
        }
    }
    message
}

fn by_position(layout: &ColumnLayout, found: usize) -> Result<Matched, Refusal> {
    let declared = layout.names.len();
    if found < declared {
        return Err(Refusal::schema(format!(
            "Model inference is missing inputs. The model signature declares {declared} inputs  but the provided value only \
             has {found} inputs. Note: the inputs were not named in the signature so we can only verify their count."
        )));
    }
    Ok(Matched {
        positions: (0..declared).map(Some).collect(),
        extra: (declared..found)
            .map(|position| position.to_string())
            .collect(),
    })
}

/// Names as Python writes a list of texts, cut to a bound.
pub(crate) fn python_list(names: &[&str]) -> String {
    let mut shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| python_text(name))
        .collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    format!("[{}]", shown.join(", "))
}

fn python_text(name: &str) -> String {
    let quote = if name.contains('\'') && !name.contains('"') {
        '"'
    } else {
        '\''
    };
    format!("{quote}{}{quote}", shown(name))
}

/// A name as messages show it: cut, without control characters.
pub(crate) fn shown(name: &str) -> String {
    let mut shown: String = name
        .chars()
        .take(LONGEST)
        .flat_map(|letter| {
            let escaped = letter.is_control().then(|| letter.escape_default());
            let plain = escaped.is_none().then_some(letter);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// The refusal of columns that the signature does not name, for those who asked for strictness.
pub(crate) fn unknown_columns(layout: &ColumnLayout, extra: &[&str]) -> Refusal {
    if !layout.named {
        return Refusal::schema(format!(
            "The signature declares {} columns without names, but {} more came. Strict checking refuses what would be \
             left out.",
            layout.names.len(),
            extra.len()
        ));
    }
    let declared: Vec<&str> = layout.names.iter().map(String::as_str).collect();
    unknown_names(&declared, extra)
}

/// The same, where the signature names its columns.
pub(crate) fn unknown_names(declared: &[&str], extra: &[&str]) -> Refusal {
    let mut message = format!(
        "The signature does not name these columns: {}. Strict checking refuses what would be left out.",
        python_list(extra)
    );
    for wrong in extra.iter().take(SHOWN) {
        if let Some(meant) = nearest(wrong, declared.iter().copied()) {
            let (meant, wrong) = (python_text(meant), python_text(wrong));
            message.push_str(&format!(" Did you mean {meant} instead of {wrong}?"));
        }
    }
    Refusal::schema(message)
}
