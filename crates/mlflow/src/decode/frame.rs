//! Frames from MLflow's JSON forms: `dataframe_split`, `dataframe_records`, and `inputs`/`instances` by column name.
//!
//! Chooses the sink by the layout, the reader by the form.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use sonic_rs::{JsonValueTrait, LazyValue};

use super::columns::ColumnLists;
use super::numbers::{self, Float};
use super::rows::{Extras, ObjectRows, SplitRows};
use super::sink::{DenseSink, FrameSink, MixedSink, dense_frame};
use crate::block::DType;
use crate::contract::ColumnLayout;
use crate::input::Input;

/// Runs `$read` with the sink that fits the layout.
macro_rules! with_sink {
    ($layout:expr, |$sink:ident| $read:expr) => {
        match $layout.dense {
            Some(DType::Float64) => with_sink!(@run DenseSink::<f64>::new($layout.names.clone()), $sink, $read),
            Some(DType::Float32) => with_sink!(@run DenseSink::<f32>::new($layout.names.clone()), $sink, $read),
            Some(DType::Int64) => with_sink!(@run DenseSink::<i64>::new($layout.names.clone()), $sink, $read),
            Some(DType::Int32) => with_sink!(@run DenseSink::<i32>::new($layout.names.clone()), $sink, $read),
            Some(DType::Bool) => with_sink!(@run DenseSink::<bool>::new($layout.names.clone()), $sink, $read),
            _ => with_sink!(@run MixedSink::new($layout.schema.clone(), &$layout.kinds), $sink, $read),
        }
    };
    (@run $new:expr, $sink:ident, $read:expr) => {{
        let mut sink = $new;
        let $sink = &mut sink;
        $read?;
        sink.finish()
    }};
}

/// The value of `dataframe_split`: `data`, and optionally `columns` and `index`, nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split<'a> {
    columns: Vec<String>,
    #[serde(borrow)]
    data: LazyValue<'a>,
    #[serde(default)]
    index: Option<Vec<u64>>,
}

/// A frame in split orientation.
pub(crate) fn from_split(
    layout: &ColumnLayout,
    value: &LazyValue<'_>,
    extras: Extras,
) -> Option<Input> {
    if !value.is_object() {
        return None;
    }
    let split: Split<'_> = sonic_rs::from_str(value.as_raw_str()).ok()?;
    let (layout, order) = column_order(layout, &split.columns)?;
    if extras == Extras::Undecided && order.contains(&None) {
        return None;
    }
    let data = split.data.as_raw_str();
    let input = match plain_rows(&layout, data, &order) {
        Some(input) => input,
        None => with_sink!(layout, |sink| read(
            data,
            SplitRows {
                sink,
                order: &order,
            },
        ))?,
    };
    match split.index {
        // The model sees the labels: only those that a frame without an index has anyway are left out.
        Some(index) if !index.iter().copied().eq(0..input.rows() as u64) => None,
        _ => Some(input),
    }
}

/// Rows of plain numbers under floats of one type, the straightest way; `None` for all others.
fn plain_rows(layout: &ColumnLayout, data: &str, order: &[Option<usize>]) -> Option<Input> {
    match layout.dense? {
        DType::Float64 => plain::<f64>(layout, data, order),
        DType::Float32 => plain::<f32>(layout, data, order),
        _ => None,
    }
}

fn plain<T: Float>(layout: &ColumnLayout, data: &str, order: &[Option<usize>]) -> Option<Input> {
    let width = layout.names.len();
    let values = numbers::rows::<T>(data.as_bytes(), order, width)?;
    dense_frame(values, layout.names.clone())
}

/// Rows as objects; with [`Extras::Dropped`] the columns that the signature does not name are left out.
pub(crate) fn from_records(
    layout: &ColumnLayout,
    value: &LazyValue<'_>,
    extras: Extras,
) -> Option<Input> {
    if !layout.named {
        return None;
    }
    let data = value.as_raw_str();
    with_sink!(layout, |sink| read(
        data,
        ObjectRows {
            sink,
            layout,
            extras
        }
    ))
}

/// The value of `inputs` or `instances` under a column signature: columns as lists, or a list of records.
pub(crate) fn from_inputs(layout: &ColumnLayout, value: &LazyValue<'_>) -> Option<Input> {
    // Text passes through numpy on this way, where a null or an empty list end otherwise.
    if !layout.named {
        return None;
    }
    if !layout.is_numeric() {
        return None;
    }
    if value.is_array() {
        // pandas infers a list of objects anew, which widens the narrow types: only those that stay are decided here.
        return if layout.survives_inference() {
            from_records(layout, value, Extras::Undecided)
        } else {
            None
        };
    }
    let data = value.as_raw_str();
    with_sink!(layout, |sink| ColumnLists::read(data, layout)
        .and_then(|lists| lists.fill(sink)))
}

/// A layout, and its column at each position of a row.
type Order<'l> = (Cow<'l, ColumnLayout>, Vec<Option<usize>>);

/// The layout of a frame with these columns, and the layout's column at each of their positions; `None` when a required
/// column is missing or any is named twice.
pub(crate) fn column_order<'l, S: AsRef<str>>(
    layout: &'l ColumnLayout,
    columns: &[S],
) -> Option<Order<'l>> {
    if !layout.named {
        return positions(layout, columns);
    }
    let mut present = vec![false; layout.names.len()];
    let mut order = Vec::with_capacity(columns.len());
    for (position, name) in columns.iter().map(AsRef::as_ref).enumerate() {
        let column = match layout.names.get(position) {
            Some(expected) if expected == name => Some(position),
            _ => layout.position(name),
        };
        if let Some(column) = column
            && std::mem::replace(&mut present[column], true)
        {
            return None;
        }
        order.push(column);
    }
    if present.iter().all(|present| *present) {
        return Some((Cow::Borrowed(layout), order));
    }
    let mut pairs = present.iter().zip(&layout.required);
    if pairs.any(|(present, required)| *required && !present) {
        return None;
    }
    let layout = layout.only(&present).ok()?;
    let names = columns.iter().map(AsRef::as_ref);
    let order = names.map(|name| layout.position(name)).collect();
    Some((Cow::Owned(layout), order))
}

/// The same where the signature names no columns: the first ones are its, under their names in the payload.
fn positions<'l, S: AsRef<str>>(layout: &'l ColumnLayout, columns: &[S]) -> Option<Order<'l>> {
    let count = layout.names.len();
    let mut names: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    let layout = layout.renamed(columns.get(..count)?).ok()?;
    let order = (0..columns.len()).map(|position| (position < count).then_some(position));
    Some((Cow::Owned(layout), order.collect()))
}

/// Reads all of `json` with `seed`.
pub(crate) fn read<'de, S: DeserializeSeed<'de>>(json: &'de str, seed: S) -> Option<S::Value> {
    let mut deserializer = sonic_rs::Deserializer::from_str(json);
    let value = seed.deserialize(&mut deserializer).ok()?;
    deserializer.end().is_ok().then_some(value)
}
