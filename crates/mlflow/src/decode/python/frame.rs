//! `dataframe_split` and `dataframe_records` as the frames that pandas makes of them.
//!
//! Labels and cells only; types come with the cast.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::Stop;
use crate::cast::Item;
use crate::json::{Value, View};
use crate::refusal::Refusal;

/// Frames of up to so many cells may have any number of holes, and larger ones so many cells for each value.
const SMALL: usize = 1 << 22;
const SPARSE: usize = 16;

/// A frame before its types.
pub(super) struct RawFrame<'d> {
    pub(super) labels: Vec<Label<'d>>,
    /// As many as labels, each with `rows` cells.
    pub(super) columns: Vec<Vec<Item<'d>>>,
    pub(super) rows: usize,
    /// Whether rows are numbered from 0, as without an index.
    pub(super) plain_index: bool,
}

impl RawFrame<'_> {
    /// Whether two columns have the same name.
    pub(super) fn repeats(&self) -> bool {
        let mut names: Vec<&str> = self.labels.iter().filter_map(Label::text).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        names.len() != count
    }
}

/// The label of a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Label<'d> {
    Text(Cow<'d, str>),
    /// Its position, since it has no other.
    Position,
    /// A number, null or anything else that no name of a signature equals.
    Other,
}

impl Label<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Label::Text(text) => Some(text),
            Label::Position | Label::Other => None,
        }
    }
}

/// The frame of `dataframe_records`.
pub(super) fn records<'d>(value: Value<'d>) -> Result<RawFrame<'d>, Stop> {
    if !value.is_list() {
        let got = if value.is_object() {
            "dictionary".to_owned()
        } else {
            format!("type <class '{}'>", value.python_class())
        };
        return Err(Refusal::parse(format!(
            "Invalid input. Dataframe records format must be a list of records. Got {got}."
        ))
        .into());
    }
    rows(value, None, "records")
}

/// The frame of `dataframe_split`.
pub(super) fn split<'d>(value: Value<'d>) -> Result<RawFrame<'d>, Stop> {
    if !value.is_object() {
        let got = if value.is_list() {
            "list".to_owned()
        } else {
            format!("type <class '{}'>", value.python_class())
        };
        let message =
            format!("Invalid input. Dataframe split format must be a dictionary. Got {got}.");
        return Err(Refusal::parse(message).into());
    }
    let members = value.members();
    let find = |key: &str| {
        members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    };
    let odd = members
        .iter()
        .find(|(key, _)| !matches!(key.as_ref(), "columns" | "data" | "index"));
    let (Some(data), None) = (find("data"), odd) else {
        let problem = odd.map_or("It has no 'data'".to_owned(), |(key, _)| {
            format!("It has the key '{}'", crate::enforce::shown(key))
        });
        return Err(Refusal::parse(format!(
            "Invalid input. Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. \
             {problem}."
        ))
        .into());
    };
    let labels = labels(find("columns"))?;
    let mut frame = rows(data, labels, "split")?;
    frame.plain_index = plain_index(find("index"), frame.rows)?;
    Ok(frame)
}

/// The member of an object, where it has it.
pub(super) fn member<'d>(object: Value<'d>, key: &str) -> Option<Value<'d>> {
    let members = object.members();
    let found = members.into_iter().find(|(name, _)| name == key);
    found.map(|(_, value)| value)
}

/// The labels that a payload gives; `None` where it gives none.
fn labels<'d>(columns: Option<Value<'d>>) -> Result<Option<Vec<Label<'d>>>, Stop> {
    let Some(columns) = columns.filter(|columns| !columns.is_null()) else {
        return Ok(None);
    };
    if !columns.is_list() {
        return Err(Stop::Undecided);
    }
    let mut labels = Vec::with_capacity(columns.items().len());
    for label in columns.items() {
        labels.push(match label.view() {
            View::Text(text) => Label::Text(text),
            // Labels of several levels, or none at all.
            View::List(_) | View::Object(_) => return Err(Stop::Undecided),
            _ => Label::Other,
        });
    }
    Ok(Some(labels))
}

/// Whether an index numbers the rows from 0; a refusal where its length is another.
fn plain_index(index: Option<Value<'_>>, rows: usize) -> Result<bool, Stop> {
    let Some(index) = index.filter(|index| !index.is_null()) else {
        return Ok(true);
    };
    if !index.is_list()
        || index
            .items()
            .any(|label| label.is_list() || label.is_object())
    {
        return Err(Stop::Undecided);
    }
    let found = index.items().len();
    if found != rows && rows == 1 {
        // pandas repeats a single row.
        return Err(Stop::Undecided);
    }
    if found != rows {
        return Err(not_valid(
            "split",
            &format!("{rows} rows passed, but the index has {found} labels"),
        )
        .into());
    }
    let mut labels = index.items().enumerate();
    Ok(labels.all(|(row, label)| match label.view() {
        View::Int(int) => int.value() == i128::try_from(row).ok(),
        _ => false,
    }))
}

fn not_valid(orient: &str, problem: &str) -> Refusal {
    Refusal::parse(format!(
        "Invalid input. Provided dataframe_{orient} field is not a valid dataframe representation in '{orient}' format. \
         Error: '{problem}'"
    ))
}

/// The frame of a list of rows, of whatever form.
fn rows<'d>(
    data: Value<'d>,
    labels: Option<Vec<Label<'d>>>,
    orient: &str,
) -> Result<RawFrame<'d>, Stop> {
    if !data.is_list() {
        return Err(Stop::Undecided);
    }
    let Some(first) = data.items().next() else {
        let labels = labels.unwrap_or_default();
        return Ok(RawFrame {
            columns: labels.iter().map(|_| Vec::new()).collect(),
            labels,
            rows: 0,
            plain_index: true,
        });
    };
    if data.items().all(Value::is_object) {
        return objects(data, labels);
    }
    let lists = data.items().all(Value::is_list);
    let nested = data.items().any(|row| row.is_list() || row.is_object());
    if !lists && nested {
        return Err(Stop::Undecided);
    }
    let width = if lists {
        data.items().map(|row| row.items().len()).max().unwrap_or(0)
    } else {
        1
    };
    let labels = match labels {
        Some(labels) if labels.len() != width => {
            return Err(other_width(orient, data, lists, labels.len(), width).into());
        }
        Some(labels) => labels,
        None => vec![Label::Position; width],
    };
    let rows = data.items().len();
    bounded(rows, width, data.items().map(Value::count).sum())?;
    let mut columns: Vec<Vec<Item<'d>>> = (0..width).map(|_| Vec::with_capacity(rows)).collect();
    for row in data.items() {
        if !first.is_list() {
            columns[0].push(Item::Value(row));
            continue;
        }
        let mut cells = row.items();
        for column in &mut columns {
            column.push(cells.next().map_or(Item::Padding, Item::Value));
        }
    }
    Ok(RawFrame {
        labels,
        columns,
        rows,
        plain_index: true,
    })
}

/// Refuses a frame that would be mostly holes: it takes far more memory than its payload.
pub(super) fn bounded(rows: usize, columns: usize, values: usize) -> Result<(), Stop> {
    let cells = rows.saturating_mul(columns);
    if cells <= SMALL.max(values.saturating_mul(SPARSE)) {
        return Ok(());
    }
    Err(Refusal::parse(format!(
        "Invalid input. {rows} rows of {columns} columns are {cells} cells, and only {values} of them have values. Give each \
         row its columns, or send fewer rows at once."
    ))
    .into())
}

/// The same for a list of rows that pandas is to make a frame of.
pub(super) fn bounded_rows(data: Value<'_>) -> Result<(), Stop> {
    let (mut keys, mut width, mut values) = (HashSet::new(), 0, 0);
    for row in data.items() {
        values += row.count();
        if row.is_object() {
            keys.extend(row.members().into_iter().map(|(key, _)| key));
        } else {
            width = width.max(row.count());
        }
    }
    bounded(data.count(), width.max(keys.len()), values)
}

/// The refusal of rows that are not as wide as there are labels.
fn other_width(orient: &str, data: Value<'_>, lists: bool, labels: usize, width: usize) -> Refusal {
    let ragged = lists.then(|| first_of_other_width(data, labels)).flatten();
    let place = ragged.map_or(String::new(), |(row, found)| {
        format!(" (row {row} has {found} values)")
    });
    not_valid(
        orient,
        &format!("{labels} columns passed, passed data had {width} columns{place}"),
    )
}

fn first_of_other_width(data: Value<'_>, width: usize) -> Option<(usize, usize)> {
    let mut lengths = data.items().map(|row| row.items().len()).enumerate();
    lengths.find(|(_, length)| *length != width)
}

/// The frame of a list of objects: a column for each key, in the order in which keys first appear.
fn objects<'d>(data: Value<'d>, labels: Option<Vec<Label<'d>>>) -> Result<RawFrame<'d>, Stop> {
    let rows = data.items().len();
    let mut frame = RawFrame {
        labels: Vec::new(),
        columns: Vec::new(),
        rows,
        plain_index: true,
    };
    let mut positions: HashMap<Cow<'d, str>, usize> = HashMap::new();
    let chosen = labels.is_some();
    if labels.as_ref().is_some_and(Vec::is_empty) {
        return Err(Stop::Undecided);
    }
    for label in labels.into_iter().flatten() {
        let Label::Text(text) = &label else {
            return Err(Stop::Undecided);
        };
        if positions.insert(text.clone(), frame.labels.len()).is_some() {
            return Err(Stop::Undecided);
        }
        frame.labels.push(label);
    }
    let values = data.items().map(Value::count).sum();
    bounded(rows, frame.labels.len(), values)?;
    frame.columns = vec![vec![Item::Absent; rows]; frame.labels.len()];
    for (row, object) in data.items().enumerate() {
        for (key, value) in object.members() {
            let column = match positions.get(&key) {
                Some(column) => *column,
                None if chosen => continue,
                None => {
                    positions.insert(key.clone(), frame.labels.len());
                    frame.labels.push(Label::Text(key));
                    bounded(rows, frame.labels.len(), values)?;
                    frame.columns.push(vec![Item::Absent; rows]);
                    frame.labels.len() - 1
                }
            };
            frame.columns[column][row] = Item::Value(value);
        }
    }
    Ok(frame)
}
