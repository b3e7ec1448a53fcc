//! Whole payloads of plain numbers in one pass over their bytes, the commonest there are:
//! `{"dataframe_split": {"columns": […], "data": [[…], …]}}`, and `{"inputs": [[…], …]}` for a tensor; under
//! `input_data` in Azure's dialect.
//!
//! Gives up at the first byte that is not as expected, and the general decoder begins anew. What it takes is what the
//! general decoder takes without any cast: the same cells, nothing beside the payload. Columns of numbers that the signature
//! does not name are left out, and told.

use std::collections::HashSet;

use super::frame::column_order;
use super::numbers::{Float, Text};
use super::sink::dense_frame;
use super::tensor;
use crate::block::DType;
use crate::contract::{ColumnLayout, Layout, TensorLayout};
use crate::enforce::shown;
use crate::input::Input;
use crate::lossy::{Lossy, LossyCast};

/// The keys under which a dialect puts its payload.
pub(crate) struct Keys {
    frame: &'static [&'static str],
    tensor: &'static [&'static str],
}

/// MLflow's.
pub(crate) const MLFLOW: Keys = Keys {
    frame: &["dataframe_split"],
    tensor: &["inputs", "instances"],
};

/// Azure's.
pub(crate) const AZURE: Keys = Keys {
    frame: &["input_data"],
    tensor: &["input_data"],
};

/// Whether no number that is read here is rounded by more than its text was: of doubles, not of floats.
pub(crate) fn is_exact(layout: &Layout) -> bool {
    match layout {
        Layout::Columns(layout) => layout.dense == Some(DType::Float64),
        Layout::Tensor(layout) => layout.dtype == DType::Float64,
        Layout::Tensors(_) | Layout::Python(_) => false,
    }
}

/// An input, and the columns that were left out of it.
type Read = (Input, Vec<Lossy>);

/// The input of a payload of plain numbers.
pub(crate) fn read(layout: &Layout, body: &[u8], keys: &Keys) -> Option<Read> {
    let mut text = Text::new(body);
    text.take(b'{')?;
    let key = text.word()?;
    text.take(b':')?;
    let read = match layout {
        Layout::Columns(layout) if keys.frame.contains(&key) => split(layout, &mut text)?,
        Layout::Tensor(layout) if keys.tensor.contains(&key) => {
            (tensor(layout, &mut text)?, Vec::new())
        }
        _ => return None,
    };
    text.take(b'}')?;
    text.is_over().then_some(read)
}

/// The value of `dataframe_split`, its columns before its data, without an index.
fn split(layout: &ColumnLayout, text: &mut Text<'_>) -> Option<Read> {
    let dtype = layout.dense?;
    text.take(b'{')?;
    text.key("columns")?;
    let names = names(text)?;
    let (layout, order) = column_order(layout, &names)?;
    text.comma()?;
    text.key("data")?;
    let input = match dtype {
        DType::Float64 => frame::<f64>(&layout, &order, text),
        DType::Float32 => frame::<f32>(&layout, &order, text),
        _ => None,
    }?;
    text.take(b'}')?;
    Some((input, extra_columns(layout.named, &names, &order)))
}

/// The columns without a place, each once.
fn extra_columns(named: bool, names: &[&str], order: &[Option<usize>]) -> Vec<Lossy> {
    let mut known = HashSet::new();
    let left_out = names
        .iter()
        .enumerate()
        .filter(|(position, name)| order[*position].is_none() && (!named || known.insert(**name)));
    left_out
        .map(|(position, name)| Lossy {
            name: if named {
                shown(name)
            } else {
                position.to_string()
            },
            cast: LossyCast::ExtraColumn,
            count: 1,
        })
        .collect()
}

fn names<'t>(text: &mut Text<'t>) -> Option<Vec<&'t str>> {
    let mut names = Vec::new();
    text.open()?;
    loop {
        names.push(text.word()?);
        if !text.more()? {
            return Some(names);
        }
    }
}

fn frame<T: Float>(
    layout: &ColumnLayout,
    order: &[Option<usize>],
    text: &mut Text<'_>,
) -> Option<Input> {
    let cells = text.rows::<T>(order, layout.names.len())?;
    dense_frame(cells, layout.names.clone())
}

fn tensor(layout: &TensorLayout, text: &mut Text<'_>) -> Option<Input> {
    let mut extents = vec![None; layout.shape.len()];
    let block = match layout.dtype {
        DType::Float64 => {
            let cells = text.nested::<f64>(&mut extents)?;
            tensor::block(layout, extents, cells)
        }
        DType::Float32 => {
            let cells = text.nested::<f32>(&mut extents)?;
            tensor::block(layout, extents, cells)
        }
        _ => None,
    }?;
    Some(Input::Tensor(block))
}
