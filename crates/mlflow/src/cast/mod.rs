//! The first of MLflow's two layers: JSON values, as pandas or numpy hold them, forced into the declared type.
//!
//! A cast ends in one of three ways: the values that the model gets, with what they lost; a fault, where MLflow refuses
//! the payload; or undecided, where only Python knows. Source of the rules: `mlflow-semantics`, measured on MLflow 3.17
//! with pandas 3 and 2, and compared with the real thing in `conformance/differential`.

mod binary;
mod datetime;
mod element;
mod infer;
mod moment;
mod number_text;
mod numeric;
mod tensor;
mod text;

use arrow_array::ArrayRef;

use crate::contract::{CellKind, Versions};
use crate::json::{Value, View};
use crate::lossy::LossyCast;

pub(crate) use element::array;
pub(crate) use infer::{Inferred, infer};
pub(crate) use moment::is_iso_date;
pub(crate) use tensor::elements;

/// One cell of a column that pandas made.
#[derive(Clone, Copy)]
pub(crate) enum Item<'d> {
    /// A value of the payload.
    Value(Value<'d>),
    /// A place that a shorter row left: None.
    Padding,
    /// A place that a record without the key left: NaN.
    Absent,
}

impl<'d> Item<'d> {
    /// The value as Python sees it; NaN where there is none.
    pub(crate) fn view(self) -> View<'d> {
        match self {
            Item::Value(value) => value.view(),
            Item::Padding => View::Null,
            Item::Absent => View::Float(f64::NAN),
        }
    }

    /// How messages call what was found.
    pub(crate) fn found(self) -> &'static str {
        match self {
            Item::Value(value) => value.type_name(),
            Item::Padding | Item::Absent => "nothing",
        }
    }
}

/// A column in its declared type.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) array: ArrayRef,
    /// What the model gets instead of values of one type: see [`crate::PYTHON_COLUMN`].
    pub(crate) python: Option<&'static str>,
    pub(crate) losses: Losses,
}

impl Cast {
    pub(crate) fn new(array: ArrayRef, losses: Losses) -> Self {
        Self {
            array,
            python: None,
            losses,
        }
    }
}

/// How often each loss happened in a column, and where first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses(pub(crate) Vec<(LossyCast, usize, usize)>);

impl Losses {
    pub(crate) fn add(&mut self, cast: LossyCast, row: usize) {
        match self.0.iter_mut().find(|(known, _, _)| *known == cast) {
            Some((_, count, _)) => *count += 1,
            None => self.0.push((cast, 1, row)),
        }
    }
}

/// Why a column has no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// MLflow refuses them.
    Faults(Faults),
    /// Only Python knows.
    Undecided,
}

/// The cells that cannot be cast: row and what was found there, up to a bound, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    pub(crate) listed: Vec<(usize, &'static str)>,
    pub(crate) count: usize,
}

/// Cells of one column that one message lists.
const LISTED: usize = 10;

impl Faults {
    pub(crate) fn add(&mut self, row: usize, found: &'static str) {
        if self.listed.len() < LISTED {
            self.listed.push((row, found));
        }
        self.count += 1;
    }
}

/// What became of one cell.
pub(crate) enum Cell<T> {
    Is(T),
    /// With a loss.
    Lost(T, LossyCast),
    Fault,
    Undecided,
}

/// The cells of a column through `read`, or why not. A fault decides, whatever else is undecided: one is enough for
/// MLflow.
pub(crate) fn each<'d, T>(
    items: &[Item<'d>],
    mut read: impl FnMut(Item<'d>) -> Cell<T>,
) -> Result<(Vec<T>, Losses), Stop> {
    let (mut values, mut losses) = (Vec::with_capacity(items.len()), Losses::default());
    let (mut faults, mut undecided) = (Faults::default(), false);
    for (row, item) in items.iter().enumerate() {
        match read(*item) {
            Cell::Is(value) => values.push(value),
            Cell::Lost(value, cast) => {
                losses.add(cast, row);
                values.push(value);
            }
            Cell::Fault => faults.add(row, item.found()),
            Cell::Undecided => undecided = true,
        }
    }
    if faults.count > 0 {
        return Err(Stop::Faults(faults));
    }
    if undecided {
        return Err(Stop::Undecided);
    }
    Ok((values, losses))
}

/// A column of a data frame in its declared type, as `astype` makes it.
pub(crate) fn column(
    items: &[Item<'_>],
    kind: CellKind,
    versions: &Versions,
) -> Result<Cast, Stop> {
    let inferred = infer(items).ok_or(Stop::Undecided)?;
    match kind {
        CellKind::Boolean => numeric::booleans(items, inferred, versions),
        CellKind::Integer => numeric::integers(items, inferred, versions),
        CellKind::Long => numeric::longs(items, inferred),
        CellKind::Float => numeric::floats(items, inferred),
        CellKind::Double => numeric::doubles(items, inferred),
        CellKind::Text => text::texts(items, inferred, versions),
        CellKind::Binary => binary::decoded(items),
        CellKind::Datetime => datetime::moments(items, inferred, versions),
    }
}
