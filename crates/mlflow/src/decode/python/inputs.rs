//! `inputs` and `instances` under a column signature: numpy arrays first, a frame then.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::Stop;
use super::envelope::Form;
use super::finish::{Enforced, field};
use super::nested::{Nested, Shaped, shaped};
use super::report;
use crate::cast::{self, Cast, Item};
use crate::contract::{CellKind, ColumnLayout, Contract};
use crate::enforce::{Held, Matched, assemble, incompatible, shown};
use crate::json::Value;
use crate::refusal::Refusal;

/// A key of the payload and what it holds.
struct Entry<'d> {
    name: String,
    /// The column of the layout, where the signature names it.
    column: Option<usize>,
    shape: Vec<usize>,
    items: Vec<Item<'d>>,
}

impl Contract {
    /// The value of `inputs` or `instances`.
    pub(super) fn enforce_inputs(
        &self,
        layout: &ColumnLayout,
        form: Form,
        value: Value<'_>,
    ) -> Result<Enforced, Stop> {
        if value.is_object() {
            return self.lists(layout, form, &entries(layout, value)?);
        }
        if !value.is_list() {
            return self.scalar(layout, value);
        }
        let objects = value.items().filter(|item| item.is_object()).count();
        let count = value.items().len();
        if form == Form::Instances && value.items().next().is_some_and(Value::is_object) {
            return if objects < count {
                Err(Refusal::parse("Invalid input. Every element of 'instances' must be an object where the first one is.").into())
            } else {
                self.lists(layout, form, &gathered(layout, value)?)
            };
        }
        let one = layout.named && layout.names.len() == 1;
        if one && objects == 0 {
            let entry = entry(layout, &layout.names[0], value)?;
            return self.lists(layout, form, &[entry]);
        }
        if objects == count {
            return self.scalar_rows(layout, value);
        }
        if objects > 0 && one {
            return Err(Stop::Undecided);
        }
        self.matrix(layout, value)
    }

    /// One array of the first column's type, whose columns have numbers for names.
    fn matrix(&self, layout: &ColumnLayout, value: Value<'_>) -> Result<Enforced, Stop> {
        let kind = layout.kinds[0];
        let array = whole_array("The list", value, kind)?;
        let cast = self.cast("The list", &array, kind)?;
        if array.shape.len() > 2 {
            return Err(Refusal::schema(format!(
                "Must pass 2-d input. The list has {} dimensions, and a frame has two.",
                array.shape.len()
            ))
            .into());
        }
        let width = array.shape.get(1).copied().unwrap_or(1);
        let rows = array.shape[0];
        if rows == 0 {
            return Err(Stop::Undecided);
        }
        let matched = Matched::columns(layout, &vec![None; width])?;
        if layout.named || layout.kinds.iter().any(|other| *other != kind) {
            return Err(Stop::Undecided);
        }
        let count = layout.names.len();
        let casts = (0..count).map(|column| {
            let items: Vec<Item<'_>> = array
                .items
                .iter()
                .skip(column)
                .step_by(width)
                .copied()
                .collect();
            let cast = cast::array(&items, kind, &self.versions).map_err(|_| Stop::Undecided)?;
            Ok((column.to_string(), kind, cast))
        });
        let casts = casts.collect::<Result<Vec<_>, Stop>>()?;
        drop(cast);
        self.finished(layout, casts, &matched, true)
    }

    /// A single value: one row of one column named 0.
    fn scalar(&self, layout: &ColumnLayout, value: Value<'_>) -> Result<Enforced, Stop> {
        if !layout.named && value.is_null() {
            return Err(unnamed("NoneType").into());
        }
        let kind = layout.kinds[0];
        let array = Nested {
            shape: vec![1],
            items: vec![Item::Value(value)],
        };
        let mut cast = self.cast("The value", &array, kind)?;
        let matched = Matched::columns(layout, &[None])?;
        if layout.named || layout.names.len() != 1 {
            return Err(Stop::Undecided);
        }
        self.keep_scalars(kind, &mut cast);
        self.finished(layout, vec![("0".to_owned(), kind, cast)], &matched, true)
    }

    /// Arrays by column name.
    fn lists(
        &self,
        layout: &ColumnLayout,
        form: Form,
        entries: &[Entry<'_>],
    ) -> Result<Enforced, Stop> {
        let mut casts: Vec<Option<Cast>> = Vec::with_capacity(entries.len());
        let (mut faults, mut undecided) = (Vec::new(), false);
        for entry in entries {
            let Some(column) = entry.column else {
                casts.push(None);
                continue;
            };
            let kind = layout.kinds[column];
            match cast::array(&entry.items, kind, &self.versions) {
                Ok(cast) => casts.push(Some(cast)),
                Err(cast::Stop::Undecided) => undecided = true,
                Err(cast::Stop::Faults(found)) => faults.push((entry.name.clone(), kind, found)),
            }
        }
        if !faults.is_empty() {
            return Err(report::cast(&faults).into());
        }
        if undecided {
            return Err(Stop::Undecided);
        }
        if form == Form::Instances {
            required_lengths(layout, entries)?;
        }
        let scalars = entries
            .iter()
            .filter(|entry| entry.shape.is_empty())
            .count();
        if scalars == entries.len()
            && entries.iter().all(|entry| entry.column.is_some())
            && !entries.is_empty()
        {
            return self.one_row(layout, entries, casts);
        }
        if scalars > 0 || entries.is_empty() {
            return Err(Stop::Undecided);
        }
        let rows = entries[0].shape[0];
        if let Some(other) = entries.iter().find(|entry| entry.shape[0] != rows) {
            return Err(Refusal::schema(format!(
                "This model contains a column-based signature, which suggests a DataFrame input. There was an error casting \
                 the input data to a DataFrame: All arrays must be of the same length. '{}' has {} values, '{}' has {rows}.",
                shown(&other.name),
                other.shape[0],
                shown(&entries[0].name)
            ))
            .into());
        }
        let labels: Vec<Option<&str>> = entries
            .iter()
            .map(|entry| Some(entry.name.as_str()))
            .collect();
        let matched = Matched::columns(layout, &labels)?;
        deep(layout, entries)?;
        if rows == 0 {
            return Err(Stop::Undecided);
        }
        self.in_order(layout, casts, &matched)
    }

    /// One row of scalars, whose types pandas takes over.
    fn one_row(
        &self,
        layout: &ColumnLayout,
        entries: &[Entry<'_>],
        mut casts: Vec<Option<Cast>>,
    ) -> Result<Enforced, Stop> {
        let labels: Vec<Option<&str>> = entries
            .iter()
            .map(|entry| Some(entry.name.as_str()))
            .collect();
        let matched = Matched::columns(layout, &labels)?;
        for (entry, cast) in entries.iter().zip(&mut casts) {
            if let (Some(column), Some(cast)) = (entry.column, cast) {
                self.keep_scalars(layout.kinds[column], cast);
            }
        }
        self.in_order(layout, casts, &matched)
    }

    /// Marks a column whose numpy scalars are not what an array of them becomes in a frame.
    pub(super) fn keep_scalars(&self, kind: CellKind, cast: &mut Cast) {
        let texts = kind == CellKind::Text && self.versions.pandas_major() != Some(3);
        if kind == CellKind::Binary || texts {
            cast.python = Some("numpy");
        }
    }

    /// The columns in signature order.
    fn in_order(
        &self,
        layout: &ColumnLayout,
        mut casts: Vec<Option<Cast>>,
        matched: &Matched,
    ) -> Result<Enforced, Stop> {
        let mut ordered = Vec::with_capacity(layout.names.len());
        for (column, position) in matched.positions.iter().enumerate() {
            let Some(position) = *position else { continue };
            let cast = casts[position].take().ok_or(Stop::Undecided)?;
            ordered.push((layout.names[column].clone(), layout.kinds[column], cast));
        }
        self.finished(layout, ordered, matched, false)
    }

    pub(super) fn finished(
        &self,
        layout: &ColumnLayout,
        casts: Vec<(String, CellKind, Cast)>,
        matched: &Matched,
        numbered: bool,
    ) -> Result<Enforced, Stop> {
        let rows = casts.first().ok_or(Stop::Undecided)?.2.array.len();
        let mut losses = self.strictly(&casts)?;
        self.extras(layout, matched)?;
        losses.extend(matched.losses());
        let names: Arc<[String]> = if casts.len() == layout.names.len() {
            layout.names.clone()
        } else {
            casts.iter().map(|(name, _, _)| name.clone()).collect()
        };
        let names = (!numbered).then_some(names);
        let columns = casts
            .into_iter()
            .map(|(label, kind, cast)| field(&label, kind, cast));
        let input = assemble(names, columns.collect(), rows).ok_or(Stop::Undecided)?;
        Ok(Enforced { input, losses })
    }

    fn cast(&self, what: &str, array: &Nested<'_>, kind: CellKind) -> Result<Cast, Stop> {
        cast::array(&array.items, kind, &self.versions).map_err(|stop| match stop {
            cast::Stop::Undecided => Stop::Undecided,
            cast::Stop::Faults(faults) => Stop::Refused(Refusal::parse(format!(
                "Invalid input. {}",
                report::places(what, kind, &faults)
            ))),
        })
    }
}

pub(super) fn unnamed(class: &str) -> Refusal {
    Refusal::parse(format!(
        "Invalid input. Failed to parse input data. This model contains an un-named  model signature which expects a single \
         n-dimensional array or a single value as input, however, an input of type <class '{class}'> was found."
    ))
}

/// The entries of an object.
fn entries<'d>(layout: &ColumnLayout, value: Value<'d>) -> Result<Vec<Entry<'d>>, Stop> {
    if !layout.named {
        return Err(unnamed("dict").into());
    }
    let members = value.members();
    members
        .into_iter()
        .map(|(name, value)| entry(layout, &name, value))
        .collect()
}

fn entry<'d>(layout: &ColumnLayout, name: &str, value: Value<'d>) -> Result<Entry<'d>, Stop> {
    let column = layout.position(name);
    let kind = column.map(|column| layout.kinds[column]);
    let what = format!("'{}'", shown(name));
    let array = match kind {
        Some(kind) => whole_array(&what, value, kind)?,
        None => match shaped(value)? {
            Shaped::Array(array) => array,
            Shaped::Ragged(dimension) => return Err(ragged(&what, dimension).into()),
        },
    };
    Ok(Entry {
        name: name.to_owned(),
        column,
        shape: array.shape,
        items: array.items,
    })
}

/// The array of a value that is to have a type.
fn whole_array<'d>(what: &str, value: Value<'d>, _kind: CellKind) -> Result<Nested<'d>, Stop> {
    match shaped(value)? {
        Shaped::Array(array) => Ok(array),
        Shaped::Ragged(dimension) => Err(ragged(what, dimension).into()),
    }
}

pub(super) fn ragged(what: &str, dimension: usize) -> Refusal {
    Refusal::parse(format!(
        "Invalid input. setting an array element with a sequence. The requested array has an inhomogeneous shape after \
         {dimension} dimensions. {what} holds lists of unequal length, or lists beside values."
    ))
}

/// The columns of a list of objects, each with the values of the rows that have it.
fn gathered<'d>(layout: &ColumnLayout, value: Value<'d>) -> Result<Vec<Entry<'d>>, Stop> {
    if !layout.named {
        return Err(Stop::Undecided);
    }
    let mut entries: Vec<Entry<'d>> = Vec::new();
    let mut positions: HashMap<Cow<'d, str>, usize> = HashMap::new();
    for object in value.items() {
        for (key, value) in object.members() {
            if value.is_list() {
                return Err(Stop::Undecided);
            }
            let position = *positions.entry(key).or_insert_with_key(|key| {
                entries.push(Entry {
                    column: layout.position(key),
                    name: key.to_string(),
                    shape: vec![0],
                    items: Vec::new(),
                });
                entries.len() - 1
            });
            entries[position].items.push(Item::Value(value));
            entries[position].shape[0] += 1;
        }
    }
    Ok(entries)
}

/// `instances` needs one length for all required columns.
fn required_lengths(layout: &ColumnLayout, entries: &[Entry<'_>]) -> Result<(), Stop> {
    let required = |entry: &&Entry<'_>| entry.column.is_some_and(|column| layout.required[column]);
    let mut arrays = entries
        .iter()
        .filter(required)
        .filter(|entry| !entry.shape.is_empty());
    let Some(first) = arrays.next() else {
        return Ok(());
    };
    match arrays.find(|entry| entry.shape[0] != first.shape[0]) {
        None => Ok(()),
        Some(other) => Err(Refusal::parse(format!(
            "Invalid input. The length of values for each input/column name are not the same: '{}' has {}, '{}' has {}.",
            shown(&first.name),
            first.shape[0],
            shown(&other.name),
            other.shape[0]
        ))
        .into()),
    }
}

/// Lists within lists are lists in a frame, which no number or moment is.
fn deep(layout: &ColumnLayout, entries: &[Entry<'_>]) -> Result<(), Stop> {
    let mut undecided = false;
    for entry in entries.iter().filter(|entry| entry.shape.len() > 1) {
        if entry.column.is_some() && entry.items.is_empty() {
            return Err(Stop::Undecided);
        }
        let Some(column) = entry.column else { continue };
        let kind = layout.kinds[column];
        match kind {
            CellKind::Integer | CellKind::Long | CellKind::Float => {
                let held = Held::Objects(crate::enforce::Objects::Nulls);
                let sentence = incompatible(&shown(&entry.name), &held, kind);
                return Err(Refusal::schema(format!(
                    "{sentence} It holds lists instead of single values."
                ))
                .into());
            }
            CellKind::Double | CellKind::Datetime => {
                return Err(Refusal::schema(format!(
                    "Failed to convert column {} from type object to {}. It holds lists instead of single values.",
                    shown(&entry.name),
                    kind.name()
                ))
                .into());
            }
            CellKind::Boolean | CellKind::Text | CellKind::Binary => undecided = true,
        }
    }
    if undecided {
        Err(Stop::Undecided)
    } else {
        Ok(())
    }
}
