//! `inputs` as a list of objects of scalars: rows, whose types pandas infers anew from numpy's scalars.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Stop;
use super::finish::Enforced;
use super::frame::bounded;
use super::report;
use crate::cast::{self, Cast, Faults, Item};
use crate::contract::{CellKind, ColumnLayout, Contract};
use crate::enforce::{Held, Matched, incompatible, shown};
use crate::json::Value;
use crate::refusal::Refusal;

/// What is known of the columns so far.
#[derive(Default)]
struct Judged {
    casts: Vec<(String, CellKind, Cast)>,
    faults: Vec<(String, CellKind, Faults)>,
    /// Sentences about columns that enforcement refuses.
    refused: Vec<String>,
    undecided: bool,
}

impl Contract {
    /// A list of objects under the names of columns.
    pub(super) fn scalar_rows(
        &self,
        layout: &ColumnLayout,
        value: Value<'_>,
    ) -> Result<Enforced, Stop> {
        let rows = value.items().len();
        if rows == 0 && layout.named {
            Matched::columns(layout, &[])?;
        }
        if rows == 0 || !layout.named {
            return Err(Stop::Undecided);
        }
        let values = value.items().map(Value::count).sum();
        bounded(rows, layout.names.len(), values)?;
        let (mut names, mut known): (Vec<String>, HashSet<Cow<'_, str>>) = Default::default();
        let mut cells: Vec<Vec<Item<'_>>> = vec![vec![Item::Absent; rows]; layout.names.len()];
        for (row, object) in value.items().enumerate() {
            for (key, value) in object.members() {
                if value.is_list() {
                    return Err(Stop::Undecided);
                }
                if let Some(column) = layout.position(&key) {
                    cells[column][row] = Item::Value(value);
                }
                if !known.contains(&key) {
                    names.push(key.to_string());
                    known.insert(key);
                }
            }
        }
        let mut judged = Judged::default();
        for (column, name) in layout.names.iter().enumerate() {
            if known.contains(name.as_str()) {
                self.judge(name, layout.kinds[column], &cells[column], &mut judged);
            }
        }
        if !judged.faults.is_empty() {
            return Err(report::cast(&judged.faults).into());
        }
        if judged.undecided {
            return Err(Stop::Undecided);
        }
        let labels: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let matched = Matched::columns(layout, &labels)?;
        if !judged.refused.is_empty() {
            return Err(Refusal::schema(judged.refused.join(" ")).into());
        }
        self.finished(layout, judged.casts, &matched, false)
    }

    /// Casts one column, and says what becomes of it where rows leave it out.
    fn judge(&self, name: &str, kind: CellKind, cells: &[Item<'_>], judged: &mut Judged) {
        let present: Vec<Item<'_>> = cells
            .iter()
            .filter(|item| !matches!(item, Item::Absent))
            .copied()
            .collect();
        let mut cast = match cast::array(&present, kind, &self.versions) {
            Ok(cast) => cast,
            Err(cast::Stop::Undecided) => {
                judged.undecided = true;
                return;
            }
            Err(cast::Stop::Faults(found)) => {
                judged.faults.push((name.to_owned(), kind, found));
                return;
            }
        };
        if present.len() < cells.len() {
            match kind {
                CellKind::Integer | CellKind::Long | CellKind::Float => {
                    let held = Held::Float {
                        bits: 64,
                        whole_with_missing: kind != CellKind::Float,
                    };
                    judged.refused.push(incompatible(&shown(name), &held, kind));
                }
                CellKind::Double => match cast::array(cells, kind, &self.versions) {
                    Ok(filled) => cast = filled,
                    Err(_) => judged.undecided = true,
                },
                _ => judged.undecided = true,
            }
        }
        self.keep_scalars(kind, &mut cast);
        judged.casts.push((name.to_owned(), kind, cast));
    }
}
