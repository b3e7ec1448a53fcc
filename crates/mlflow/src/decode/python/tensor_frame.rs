//! A frame under the signature of one unnamed tensor: its columns side by side.

use std::sync::Arc;

use arrow_array::ArrayRef;

use super::Stop;
use super::envelope::{Envelope, Form};
use super::finish::Enforced;
use super::frame::{self, RawFrame};
use super::report;
use crate::block::DType;
use crate::cast;
use crate::contract::{CellKind, Contract, TensorLayout};
use crate::enforce::block_of;
use crate::input::Input;
use crate::refusal::Refusal;

impl Contract {
    /// The tensor of a frame of single values; every column is cast to the tensor's type.
    pub(super) fn tensor_frame(
        &self,
        layout: &TensorLayout,
        envelope: &Envelope<'_>,
    ) -> Result<Enforced, Stop> {
        let frame = match envelope.form {
            Form::Split => frame::split(envelope.data)?,
            _ => frame::records(envelope.data)?,
        };
        let kind = match layout.dtype {
            DType::Bool => CellKind::Boolean,
            DType::Int32 => CellKind::Integer,
            DType::Int64 => CellKind::Long,
            DType::Float32 => CellKind::Float,
            DType::Float64 => CellKind::Double,
            _ => return Err(Stop::Undecided),
        };
        if !frame.plain_index || has_lists(&frame) || frame.repeats() {
            return Err(Stop::Undecided);
        }
        if frame.rows == 0 && !frame.labels.is_empty() {
            return Err(Refusal::parse(
                "Invalid input. Data is not compatible with model signature. The frame has no rows, and a tensor needs some.",
            )
            .into());
        }
        if frame.rows == 0 || frame.labels.is_empty() {
            return Err(Stop::Undecided);
        }
        let (mut casts, mut faults, mut undecided) = (Vec::new(), Vec::new(), false);
        for (position, (label, items)) in frame.labels.iter().zip(&frame.columns).enumerate() {
            let label = label
                .text()
                .map_or_else(|| position.to_string(), str::to_owned);
            match cast::column(items, kind, &self.versions) {
                Ok(cast) => casts.push((label, kind, cast)),
                Err(cast::Stop::Undecided) => undecided = true,
                Err(cast::Stop::Faults(found)) => faults.push((label, kind, found)),
            }
        }
        if !faults.is_empty() {
            return Err(report::cast(&faults).into());
        }
        if undecided {
            return Err(Stop::Undecided);
        }
        let shape = shape(layout, frame.rows, casts.len())?;
        let losses = self.strictly(&casts)?;
        let arrays: Vec<ArrayRef> = casts
            .into_iter()
            .map(|(_, _, cast)| Arc::clone(&cast.array))
            .collect();
        let arrays: Vec<&ArrayRef> = arrays.iter().collect();
        let mut block = block_of(&arrays, frame.rows).ok_or(Stop::Undecided)?;
        block.shape = shape;
        Ok(Enforced {
            input: Input::Tensor(block),
            losses,
        })
    }
}

fn has_lists(frame: &RawFrame<'_>) -> bool {
    let mut items = frame.columns.iter().flatten();
    items.any(
        |item| matches!(item, cast::Item::Value(value) if value.is_list() || value.is_object()),
    )
}

/// The shape that the tensor has; refused where the signature declares another.
fn shape(layout: &TensorLayout, rows: usize, columns: usize) -> Result<Vec<usize>, Stop> {
    match (layout.shape.as_slice(), columns) {
        ([None], 1) => Ok(vec![rows]),
        ([None, Some(width)], _) if *width == columns => Ok(vec![rows, columns]),
        _ => Err(Refusal::schema(format!(
            "The signature declares a tensor of {} dimensions, and a frame of {columns} column{} of single values has the shape \
             (-1, {columns}).",
            layout.shape.len(),
            if columns == 1 { "" } else { "s" }
        ))
        .into()),
    }
}
