//! Readers of rows: lists in a given column order, objects by column name, and columns as lists.
//!
//! Each reader hands every cell of a row to the sink exactly once, or fails; a failure means "not for Rust to decide",
//! never "wrong".

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::sink::FrameSink;
use crate::contract::ColumnLayout;

/// One cell of the current row.
struct IntoCell<'s, S> {
    sink: &'s mut S,
    column: usize,
}

impl<'de, S: FrameSink> DeserializeSeed<'de> for IntoCell<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.sink.cell(self.column, deserializer)
    }
}

/// A list of rows, each a list of values in the order of `order`: the contract's column at each position, if any.
pub(crate) struct SplitRows<'s, S> {
    pub(crate) sink: &'s mut S,
    pub(crate) order: &'s [Option<usize>],
}

impl<'de, S: FrameSink> DeserializeSeed<'de> for SplitRows<'_, S> {
    type Value = usize;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: FrameSink> Visitor<'de> for SplitRows<'_, S> {
    type Value = usize;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of rows")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(()) = rows.next_element_seed(ListRow {
            sink: &mut *self.sink,
            order: self.order,
        })? {
            count += 1;
        }
        Ok(count)
    }
}

struct ListRow<'s, S> {
    sink: &'s mut S,
    order: &'s [Option<usize>],
}

impl<'de, S: FrameSink> DeserializeSeed<'de> for ListRow<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: FrameSink> Visitor<'de> for ListRow<'_, S> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a row of {} values", self.order.len())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        for (position, column) in self.order.iter().enumerate() {
            let found = match column {
                Some(column) => {
                    let cell = IntoCell {
                        sink: &mut *self.sink,
                        column: *column,
                    };
                    row.next_element_seed(cell)?.is_some()
                }
                None => row.next_element::<IgnoredAny>()?.is_some(),
            };
            if !found {
                return Err(A::Error::invalid_length(position, &self));
            }
        }
        if row.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom("a longer row"));
        }
        self.sink.end_row();
        Ok(())
    }
}

/// A list of rows, each an object by column name. Unknown keys are left out when `extras` says so, else they fail.
pub(crate) struct ObjectRows<'s, S> {
    pub(crate) sink: &'s mut S,
    pub(crate) layout: &'s ColumnLayout,
    pub(crate) extras: Extras,
}

/// What becomes of a column that the signature does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extras {
    /// It is left out, as MLflow does for frames.
    Dropped,
    /// It goes to Python: whether it matters depends on its values.
    Undecided,
}

impl<'de, S: FrameSink> DeserializeSeed<'de> for ObjectRows<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: FrameSink> Visitor<'de> for ObjectRows<'_, S> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let mut seen = vec![false; self.layout.names.len()];
        while let Some(()) = rows.next_element_seed(ObjectRow {
            rows: ObjectRows {
                sink: &mut *self.sink,
                layout: self.layout,
                extras: self.extras,
            },
            seen: &mut seen,
        })? {}
        Ok(())
    }
}

struct ObjectRow<'s, S> {
    rows: ObjectRows<'s, S>,
    seen: &'s mut [bool],
}

impl<'de, S: FrameSink> DeserializeSeed<'de> for ObjectRow<'_, S> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: FrameSink> Visitor<'de> for ObjectRow<'_, S> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let ObjectRows {
            sink,
            layout,
            extras,
        } = self.rows;
        self.seen.fill(false);
        let mut filled = 0;
        while let Some(column) = row.next_key_seed(ColumnKey {
            layout,
            expected: filled,
        })? {
            match column {
                Some(column) if !std::mem::replace(&mut self.seen[column], true) => {
                    row.next_value_seed(IntoCell {
                        sink: &mut *sink,
                        column,
                    })?;
                    filled += 1;
                }
                Some(_) => return Err(A::Error::custom("a repeated key")),
                None if extras == Extras::Dropped => {
                    row.next_value::<IgnoredAny>()?;
                }
                None => return Err(A::Error::custom("an unknown key")),
            }
        }
        if filled != layout.names.len() {
            return Err(A::Error::custom("a missing key"));
        }
        sink.end_row();
        Ok(())
    }
}

/// A key as the contract's column; records usually repeat the signature's order, so the next column is tried first.
pub(crate) struct ColumnKey<'s> {
    pub(crate) layout: &'s ColumnLayout,
    pub(crate) expected: usize,
}

impl<'de> DeserializeSeed<'de> for ColumnKey<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ColumnKey<'_> {
    type Value = Option<usize>;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a column name")
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<Option<usize>, E> {
        let next = self.layout.names.get(self.expected);
        Ok(match next {
            Some(name) if name == key => Some(self.expected),
            _ => self.layout.position(key),
        })
    }
}
