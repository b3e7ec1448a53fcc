//! From cells to a call: cast, names, enforcement, strictness, params.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::Field;
use sonic_rs::LazyValue;

use super::envelope::{Envelope, Form};
use super::frame::{self, Label, RawFrame};
use super::{Stop, report};
use crate::cast::{self, Cast};
use crate::contract::{CellKind, ColumnLayout, Contract, Strictness};
use crate::decode::Decoded;
use crate::enforce::{Matched, assemble, shown, unknown_columns};
use crate::input::{Input, PYTHON_COLUMN};
use crate::json::Value;
use crate::lossy::Lossy;
use crate::refusal::Refusal;

/// An enforced input, and what it lost.
pub(super) struct Enforced {
    pub(super) input: Input,
    pub(super) losses: Vec<Lossy>,
}

impl Contract {
    /// A payload under a column signature.
    pub(super) fn under_columns(
        &self,
        layout: &ColumnLayout,
        envelope: &Envelope<'_>,
    ) -> Result<Enforced, Stop> {
        match envelope.form {
            Form::Split => self.enforce_frame(layout, &frame::split(envelope.data)?),
            Form::Records => self.enforce_frame(layout, &frame::records(envelope.data)?),
            form @ (Form::Inputs | Form::Instances) => {
                self.enforce_inputs(layout, form, envelope.data)
            }
        }
    }

    /// A frame of uncast cells: every column that the signature names is cast before any is missed.
    fn enforce_frame(&self, layout: &ColumnLayout, frame: &RawFrame<'_>) -> Result<Enforced, Stop> {
        if repeats(layout, frame) {
            return Err(Stop::Undecided);
        }
        let labels: Vec<Option<&str>> = frame.labels.iter().map(Label::text).collect();
        let places = positions(layout, &labels);
        let (mut casts, mut faults, mut undecided) = (Vec::new(), Vec::new(), false);
        for (column, position) in places.iter().enumerate() {
            let Some(position) = *position else { continue };
            let kind = layout.kinds[column];
            let label = labels[position].map_or_else(|| position.to_string(), str::to_owned);
            match cast::column(&frame.columns[position], kind, &self.versions) {
                Ok(cast) => casts.push((label, kind, cast)),
                Err(cast::Stop::Faults(found)) => faults.push((label, kind, found)),
                Err(cast::Stop::Undecided) => undecided = true,
            }
        }
        if !faults.is_empty() {
            return Err(report::cast(&faults).into());
        }
        if undecided {
            return Err(Stop::Undecided);
        }
        let matched = Matched::columns(layout, &labels)?;
        if let Some((label, _, _)) = casts.iter().find(|(_, kind, cast)| zoned(*kind, cast)) {
            return Err(Refusal::schema(format!(
                "Please ensure that the input data of datetime column only contains timezone-naive datetime objects. \
                 Column '{}' holds texts with a zone: convert them to UTC and drop the zone.",
                shown(label)
            ))
            .into());
        }
        if !frame.plain_index {
            return Err(Stop::Undecided);
        }
        let names = names(layout, frame)?;
        let mut losses = self.strictly(&casts)?;
        self.extras(layout, &matched)?;
        losses.extend(matched.losses());
        if casts.is_empty() {
            return Err(Stop::Undecided);
        }
        let columns = casts
            .into_iter()
            .map(|(label, kind, cast)| field(&label, kind, cast));
        let input = assemble(names, columns.collect(), frame.rows).ok_or(Stop::Undecided)?;
        Ok(Enforced { input, losses })
    }

    /// What the casts lost; a refusal where nothing may be lost.
    pub(super) fn strictly(&self, casts: &[(String, CellKind, Cast)]) -> Result<Vec<Lossy>, Stop> {
        if self.strictness == Strictness::Strict {
            let lost: Vec<String> = casts
                .iter()
                .flat_map(|(label, kind, cast)| {
                    cast.losses.0.iter().map(move |loss| (label, kind, loss))
                })
                .take(10)
                .map(|(label, kind, (loss, count, row))| {
                    format!(
                        "Column '{}' ({}): {} at {count} place{}, first in row {row}.",
                        shown(label),
                        kind.name(),
                        loss.words(),
                        if *count == 1 { "" } else { "s" }
                    )
                })
                .collect();
            if !lost.is_empty() {
                return Err(Refusal::schema(format!(
                    "Strict checking refuses values that fit the signature only by a lossy or surprising cast. {}",
                    lost.join(" ")
                ))
                .into());
            }
        }
        let lossy = casts.iter().flat_map(|(label, _, cast)| {
            cast.losses.0.iter().map(|(cast, count, _)| Lossy {
                name: shown(label),
                cast: *cast,
                count: *count,
            })
        });
        Ok(lossy.collect())
    }

    /// Refuses columns that would be left out, where nothing may be lost.
    pub(super) fn extras(&self, layout: &ColumnLayout, matched: &Matched) -> Result<(), Stop> {
        if self.strictness == Strictness::Strict && !matched.extra.is_empty() {
            let extra: Vec<&str> = matched.extra.iter().map(String::as_str).collect();
            return Err(unknown_columns(layout, &extra).into());
        }
        Ok(())
    }
}

/// The position of each column of the layout, where the frame has it.
fn positions(layout: &ColumnLayout, labels: &[Option<&str>]) -> Vec<Option<usize>> {
    if !layout.named {
        return (0..layout.names.len())
            .map(|position| (position < labels.len()).then_some(position))
            .collect();
    }
    let mut positions = vec![None; layout.names.len()];
    for (position, label) in labels.iter().enumerate() {
        if let Some(column) = label.and_then(|label| layout.position(label)) {
            positions[column] = Some(position);
        }
    }
    positions
}

/// Whether a column that the model takes is there twice; then pandas hands out a frame where MLflow expects a column.
fn repeats(layout: &ColumnLayout, frame: &RawFrame<'_>) -> bool {
    let mut taken: Vec<&str> = frame.labels.iter().filter_map(Label::text).collect();
    if layout.named {
        taken.retain(|label| layout.position(label).is_some());
    }
    let count = taken.len();
    taken.sort_unstable();
    taken.dedup();
    taken.len() != count
}

/// The names of the columns that the model gets; `None` where they are numbered.
fn names(layout: &ColumnLayout, frame: &RawFrame<'_>) -> Result<Option<Arc<[String]>>, Stop> {
    if layout.named {
        let labels: Vec<Option<&str>> = frame.labels.iter().map(Label::text).collect();
        let present = positions(layout, &labels);
        if present.iter().all(Option::is_some) {
            return Ok(Some(layout.names.clone()));
        }
        let names = layout
            .names
            .iter()
            .zip(&present)
            .filter(|(_, present)| present.is_some());
        return Ok(Some(names.map(|(name, _)| name.clone()).collect()));
    }
    let labels = frame
        .labels
        .get(..layout.names.len())
        .ok_or(Stop::Undecided)?;
    if labels.iter().all(|label| *label == Label::Position) {
        return Ok(None);
    }
    let names: Option<Vec<String>> = labels
        .iter()
        .map(|label| label.text().map(str::to_owned))
        .collect();
    names.map(|names| Some(names.into())).ok_or(Stop::Undecided)
}

fn zoned(kind: CellKind, cast: &Cast) -> bool {
    kind == CellKind::Datetime && *cast.array.data_type() == arrow_schema::DataType::Null
}

/// The field of a cast column: the layout's own where it holds the layout's own type.
pub(super) fn field(label: &str, kind: CellKind, cast: Cast) -> (Field, ArrayRef) {
    let array = cast.array;
    if let Some(python) = cast.python {
        let field = Field::new(label, array.data_type().clone(), true);
        let metadata = HashMap::from([(PYTHON_COLUMN.to_owned(), python.to_owned())]);
        return (field.with_metadata(metadata), array);
    }
    if *array.data_type() == kind.arrow() {
        return (kind.field(label), array);
    }
    (Field::new(label, array.data_type().clone(), true), array)
}

/// The call of an enforced input and the payload's params, which MLflow checks last.
pub(super) fn call(
    contract: &Contract,
    enforced: Enforced,
    params: Option<Value<'_>>,
) -> Result<Decoded, Stop> {
    let raw = match params {
        None => None,
        Some(value) => {
            Some(sonic_rs::from_str::<LazyValue<'_>>(value.json()).map_err(|_| Stop::Undecided)?)
        }
    };
    let mut decoded = contract.with_params(enforced.input, raw.as_ref());
    if let Decoded::Call(call) = &mut decoded {
        call.lossy.extend(enforced.losses);
    }
    Ok(decoded)
}
