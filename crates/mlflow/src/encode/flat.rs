//! Tables from response bodies whose cells are single values: infinities stay what they are, NaN is a missing value.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use bytes::Bytes;

use super::predictions::{Predictions, columns_of};
use super::table::PREDICTIONS;
use crate::answer::Answer;
use crate::json::Tree;

/// The table of a body; `None` where a cell is a list or an object, or a column mixes types.
pub(crate) fn table(body: &[u8]) -> Option<RecordBatch> {
    let predictions = Predictions::of(Answer::Json(Bytes::copy_from_slice(body))).ok()?;
    let Predictions::Tree(Tree::List(rows)) = predictions else {
        return None;
    };
    if rows.is_empty() {
        return None;
    }
    let columns = match columns_of(rows) {
        Ok(columns) => columns,
        Err(rows) if rows.iter().all(|row| matches!(row, Tree::List(_))) => transposed(rows)?,
        Err(rows) => vec![(PREDICTIONS.to_owned(), rows)],
    };
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for (name, values) in columns {
        let array = array(&values)?;
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).ok()
}

/// The columns of rows that are lists of one length, named by their positions.
fn transposed(rows: Vec<Tree>) -> Option<Vec<(String, Vec<Tree>)>> {
    let Some(Tree::List(first)) = rows.first() else {
        return None;
    };
    let mut columns: Vec<(String, Vec<Tree>)> = (0..first.len())
        .map(|position| (position.to_string(), Vec::with_capacity(rows.len())))
        .collect();
    if columns.is_empty() {
        return None;
    }
    for row in rows {
        let Tree::List(cells) = row else { return None };
        if cells.len() != columns.len() {
            return None;
        }
        for ((_, column), cell) in columns.iter_mut().zip(cells) {
            column.push(cell);
        }
    }
    Some(columns)
}

fn is_missing(value: &Tree) -> bool {
    match value {
        Tree::Null => true,
        Tree::Float(value) => value.is_nan(),
        _ => false,
    }
}

/// The column of these values, in the type that all of them have; integers beside fractions are fractions.
fn array(values: &[Tree]) -> Option<ArrayRef> {
    let all = |is: fn(&Tree) -> bool| values.iter().all(|value| is_missing(value) || is(value));
    if values.iter().all(is_missing) {
        return Some(Arc::new(Float64Array::new_null(values.len())));
    }
    if all(|value| matches!(value, Tree::Bool(_))) {
        let values = values.iter().map(|value| match value {
            Tree::Bool(value) => Some(*value),
            _ => None,
        });
        return Some(Arc::new(values.collect::<BooleanArray>()));
    }
    if all(|value| matches!(value, Tree::Int(_))) {
        let values = values.iter().map(|value| match value {
            Tree::Int(value) => Some(*value),
            _ => None,
        });
        return Some(Arc::new(values.collect::<Int64Array>()));
    }
    if all(|value| matches!(value, Tree::Int(_) | Tree::Float(_))) {
        let values = values.iter().map(|value| match value {
            Tree::Int(value) => Some(*value as f64),
            Tree::Float(value) if !value.is_nan() => Some(*value),
            _ => None,
        });
        return Some(Arc::new(values.collect::<Float64Array>()));
    }
    if all(|value| matches!(value, Tree::Text(_))) {
        let values = values.iter().map(|value| match value {
            Tree::Text(text) => Some(text.as_str()),
            _ => None,
        });
        return Some(Arc::new(values.collect::<StringArray>()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{Table, TableFormat};

    #[test]
    fn infinities_and_missing_values_keep_their_meaning() {
        let body = br#"{"predictions": [[1, Infinity, "a", true], [NaN, -2, null, null]]}"#;
        let mut out = Vec::new();
        let table = Table::from_response(body).unwrap();
        table.write(TableFormat::Csv, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "0,1,2,3\n1,inf,a,true\n,-2.0,,\n"
        );
    }
}
