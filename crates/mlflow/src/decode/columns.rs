//! Columns as lists: `{"age": [31, 44], "bmi": [22.1, 30.5]}`.
//!
//! Rows are put together from lists of equal length; anything else is Python's to judge.

use sonic_rs::{JsonValueTrait, LazyValue};

use super::sink::FrameSink;
use crate::contract::ColumnLayout;

/// The values of each column of the contract, still raw JSON.
pub(crate) struct ColumnLists<'a> {
    lists: Vec<Vec<LazyValue<'a>>>,
}

impl<'a> ColumnLists<'a> {
    /// The lists of an object that names each column of the contract exactly once, and nothing else.
    pub(crate) fn read(json: &'a str, layout: &ColumnLayout) -> Option<Self> {
        let mut lists: Vec<Option<Vec<LazyValue<'a>>>> = vec![None; layout.names.len()];
        for entry in sonic_rs::to_object_iter(json) {
            let (key, value) = entry.ok()?;
            let slot = &mut lists[layout.position(&key)?];
            if slot.is_some() || !value.is_array() {
                return None;
            }
            let values = value
                .into_array_iter()?
                .collect::<Result<Vec<_>, _>>()
                .ok()?;
            *slot = Some(values);
        }
        let lists = lists.into_iter().collect::<Option<Vec<_>>>()?;
        let rows = lists.first()?.len();
        lists
            .iter()
            .all(|list| list.len() == rows)
            .then_some(Self { lists })
    }

    /// Hands the values to the sink, row by row.
    pub(crate) fn fill<S: FrameSink>(self, sink: &mut S) -> Option<()> {
        let rows = self.lists.first()?.len();
        for row in 0..rows {
            for (column, list) in self.lists.iter().enumerate() {
                let mut deserializer = sonic_rs::Deserializer::from_str(list[row].as_raw_str());
                sink.cell(column, &mut deserializer).ok()?;
            }
            sink.end_row();
        }
        Some(())
    }
}
