//! Answers in the shapes of TensorFlow Serving's REST protocol.
//!
//! Row format: `predictions` is a list with one value per row, or one object per row where there are several outputs.
//! Column format: `outputs` is the whole array, or an object of arrays. A single output has no name in either.

use bytes::Bytes;

use super::predictions::{Predictions, columns_of};
use super::{EncodeError, json};
use crate::answer::Answer;
use crate::json::Tree;

/// How values are laid out; the answer follows the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `instances` → `predictions`.
    Row,
    /// `inputs` → `outputs`.
    Column,
}

/// The body of a successful answer.
pub fn response(answer: Answer, format: Format) -> Result<Bytes, EncodeError> {
    let predictions = Predictions::of(answer)?;
    let mut out = Vec::new();
    match format {
        Format::Row => {
            out.extend_from_slice(b"{\"predictions\": ");
            rows(predictions, &mut out)?;
        }
        Format::Column => {
            out.extend_from_slice(b"{\"outputs\": ");
            columns(predictions, &mut out)?;
        }
    }
    out.push(b'}');
    Ok(out.into())
}

fn rows(predictions: Predictions, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match predictions {
        Predictions::Array(block) => json::dense(&block, out),
        Predictions::Frame(batch) if batch.num_columns() == 1 => json::column(&batch, 0, out)?,
        Predictions::Frame(batch) => json::records(&batch, out)?,
        Predictions::Tree(Tree::List(records)) => match columns_of(records) {
            Ok(columns) if columns.len() == 1 => one(columns, out),
            Ok(columns) => records_of(&columns, out),
            Err(items) => Tree::List(items).write(out),
        },
        Predictions::Tree(Tree::Object(entries)) => {
            let columns = lists_of_one_length(entries)?;
            if columns.len() == 1 {
                one(columns, out);
            } else {
                records_of(&columns, out);
            }
        }
        Predictions::Tree(value) => value.write(out),
    }
    Ok(())
}

fn columns(predictions: Predictions, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match predictions {
        Predictions::Array(block) => json::dense(&block, out),
        Predictions::Frame(batch) if batch.num_columns() == 1 => json::column(&batch, 0, out)?,
        Predictions::Frame(batch) => {
            out.push(b'{');
            for (index, field) in batch.schema().fields().iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                json::text(field.name(), out);
                out.extend_from_slice(b": ");
                json::column(&batch, index, out)?;
            }
            out.push(b'}');
        }
        Predictions::Tree(Tree::List(records)) => match columns_of(records) {
            Ok(columns) if columns.len() == 1 => one(columns, out),
            Ok(columns) => {
                let lists = columns
                    .into_iter()
                    .map(|(name, values)| (name, Tree::List(values)));
                Tree::Object(lists.collect()).write(out);
            }
            Err(items) => Tree::List(items).write(out),
        },
        Predictions::Tree(Tree::Object(mut entries))
            if entries.len() == 1 && matches!(entries[0].1, Tree::List(_)) =>
        {
            entries.swap_remove(0).1.write(out);
        }
        Predictions::Tree(value) => value.write(out),
    }
    Ok(())
}

/// The values of the only output.
fn one(columns: Vec<(String, Vec<Tree>)>, out: &mut Vec<u8>) {
    for (_, values) in columns {
        Tree::List(values).write(out);
    }
}

fn records_of(columns: &[(String, Vec<Tree>)], out: &mut Vec<u8>) {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    json::listed(0..rows, out, |row, out| {
        out.push(b'{');
        for (index, (name, values)) in columns.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            json::text(name, out);
            out.extend_from_slice(b": ");
            values[row].write(out);
        }
        out.push(b'}');
    });
}

fn lists_of_one_length(
    entries: Vec<(String, Tree)>,
) -> Result<Vec<(String, Vec<Tree>)>, EncodeError> {
    let no_form = |found: String| EncodeError::NoForm {
        dialect: "TensorFlow Serving's row format",
        found,
        remedy: "Ask with 'inputs' (column format), or at /invocations.",
    };
    let mut columns = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        match value {
            Tree::List(values) => columns.push((name, values)),
            other => {
                let kind = other.kind();
                return Err(no_form(format!(
                    "its '{name}' is {kind}, not a list of one value per row"
                )));
            }
        }
    }
    let rows = columns
        .first()
        .map(|(_, values): &(String, Vec<Tree>)| values.len());
    match rows {
        None => Err(no_form("it is an empty object".to_owned())),
        Some(rows) if columns.iter().all(|(_, values)| values.len() == rows) => Ok(columns),
        Some(_) => Err(no_form(
            "it is an object of lists of different lengths".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{DType, DenseBlock};

    fn both(answer: &Answer) -> (String, String) {
        let text = |format| match response(answer.clone(), format) {
            Ok(body) => String::from_utf8(body.to_vec()).unwrap(),
            Err(problem) => problem.to_string(),
        };
        (text(Format::Row), text(Format::Column))
    }

    fn json(predictions: &str) -> Answer {
        Answer::Json(format!("{{\"predictions\": {predictions}}}").into())
    }

    #[test]
    fn every_answer_has_both_formats_where_it_can() {
        let table = [
            ("[1, NaN]", "[1, NaN]", "[1, NaN]"),
            ("3", "3", "3"),
            ("\"x\"", "\"x\"", "\"x\""),
            (r#"[{"a": 1}, {"a": 2}]"#, "[1, 2]", "[1, 2]"),
            (
                r#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#,
                r#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#,
                r#"{"a": [1, 2], "b": ["x", "y"]}"#,
            ),
            (
                r#"{"a": [1, 2], "b": [[3], [4]]}"#,
                r#"[{"a": 1, "b": [3]}, {"a": 2, "b": [4]}]"#,
                r#"{"a": [1, 2], "b": [[3], [4]]}"#,
            ),
            (r#"{"a": [1, 2]}"#, "[1, 2]", "[1, 2]"),
            (
                r#"[{"a": 1}, {"b": 2}]"#,
                r#"[{"a": 1}, {"b": 2}]"#,
                r#"[{"a": 1}, {"b": 2}]"#,
            ),
        ];
        for (predictions, row, column) in table {
            let expected = (
                format!("{{\"predictions\": {row}}}"),
                format!("{{\"outputs\": {column}}}"),
            );
            assert_eq!(both(&json(predictions)), expected, "{predictions}");
        }
        let (row, column) = both(&json(r#"{"a": 1}"#));
        assert!(
            row.contains("'a' is an integer") && row.contains("column format"),
            "{row}"
        );
        assert_eq!(column, r#"{"outputs": {"a": 1}}"#);
        assert!(
            both(&json(r#"{"a": [1], "b": [1, 2]}"#))
                .0
                .contains("different lengths")
        );
    }

    #[test]
    fn frames_are_records_or_columns() {
        let names: Vec<String> = vec!["a".into(), "b".into()];
        let block = DenseBlock::new(DType::UInt8, vec![2, 2], vec![1, 2, 3, 4].into()).unwrap();
        let frame = Answer::Dense(block.clone().with_columns(names.into()));
        assert_eq!(
            both(&frame),
            (
                r#"{"predictions": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}"#.into(),
                r#"{"outputs": {"a": [1, 3], "b": [2, 4]}}"#.into()
            )
        );
        assert_eq!(
            both(&Answer::Dense(block)).0,
            r#"{"predictions": [[1, 2], [3, 4]]}"#
        );
    }
}
