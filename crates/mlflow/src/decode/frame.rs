//! Frames from MLflow's JSON forms: `dataframe_split`, `dataframe_records`, and `inputs`/`instances` by column name.
//!
//! Chooses the sink by the layout, the reader by the form.

use serde::Deserialize;
use serde::de::DeserializeSeed;
use sonic_rs::{JsonValueTrait, LazyValue};

use super::columns::ColumnLists;
use super::rows::{Extras, ObjectRows, SplitRows};
use super::sink::{DenseSink, FrameSink, MixedSink};
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
pub(crate) fn from_split(layout: &ColumnLayout, value: &LazyValue<'_>) -> Option<Input> {
    if !value.is_object() {
        return None;
    }
    let split: Split<'_> = sonic_rs::from_str(value.as_raw_str()).ok()?;
    let order = column_order(layout, &split.columns)?;
    let data = split.data.as_raw_str();
    let mut rows = 0;
    let input = with_sink!(layout, |sink| {
        read(
            data,
            SplitRows {
                sink,
                order: &order,
            },
        )
        .inspect(|count| rows = *count)
    });
    match split.index {
        // The model sees the labels: only those that a frame without an index has anyway are left out.
        Some(index) if !index.iter().copied().eq(0..rows as u64) => None,
        _ => input,
    }
}

/// Rows as objects; with [`Extras::Dropped`] the columns that the signature does not name are left out.
pub(crate) fn from_records(
    layout: &ColumnLayout,
    value: &LazyValue<'_>,
    extras: Extras,
) -> Option<Input> {
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
    // Text passes through numpy on this way, so how a null or an empty list ends is Python's to say.
    if layout.has_text() {
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

/// The contract's column at each position of `columns`; `None` when a column is missing or named twice.
fn column_order(layout: &ColumnLayout, columns: &[String]) -> Option<Vec<Option<usize>>> {
    let mut seen = vec![false; layout.names.len()];
    let mut order = Vec::with_capacity(columns.len());
    for (position, name) in columns.iter().enumerate() {
        let column = match layout.names.get(position) {
            Some(expected) if expected == name => Some(position),
            _ => layout.position(name),
        };
        if let Some(column) = column
            && std::mem::replace(&mut seen[column], true)
        {
            return None;
        }
        order.push(column);
    }
    seen.into_iter().all(|found| found).then_some(order)
}

/// Reads all of `json` with `seed`.
pub(crate) fn read<'de, S: DeserializeSeed<'de>>(json: &'de str, seed: S) -> Option<S::Value> {
    let mut deserializer = sonic_rs::Deserializer::from_str(json);
    let value = seed.deserialize(&mut deserializer).ok()?;
    deserializer.end().is_ok().then_some(value)
}
