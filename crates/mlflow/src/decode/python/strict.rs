//! Strict checking of JSON that Python decides: value by value, what fits its type only by a cast is refused.
//!
//! MLflow's own enforcement still follows, in Python; so what is missing, or no form of the protocol, is left to it.

use std::collections::{HashMap, HashSet};

use super::envelope::{Envelope, Form};
use super::frame;
use crate::cast::is_iso_date;
use crate::contract::{CheckedParams, Contract};
use crate::enforce::{nearest, shown, unknown_names};
use crate::json::{Int, Value, View};
use crate::model::{ColumnSpec, DataType, Schema, TensorSpec};
use crate::refusal::Refusal;
use sonic_rs::LazyValue;

/// Problems that one message tells.
const TOLD: usize = 10;

impl Contract {
    /// The refusal of what MLflow would take only by a cast, or leave out.
    pub(super) fn refused_strictly(&self, envelope: &Envelope<'_>) -> Option<Refusal> {
        let mut problems = Problems::default();
        match self.inputs.as_deref()? {
            Schema::Columns(columns) => {
                let mut frame = Frame::of(columns);
                frame.look(envelope, &mut problems);
                if let Some(refusal) = frame.unknown() {
                    return Some(refusal);
                }
            }
            Schema::Tensors(tensors) => look_at_tensors(tensors, envelope, &mut problems),
        }
        problems
            .refusal()
            .or_else(|| self.unknown_params(envelope.params?))
    }

    fn unknown_params(&self, params: Value<'_>) -> Option<Refusal> {
        let params = sonic_rs::from_str::<LazyValue<'_>>(params.json()).ok()?;
        match self.params.check(Some(&params)) {
            CheckedParams::Enforced { unknown, .. } if !unknown.is_empty() => {
                Some(self.params.unknown(&unknown))
            }
            _ => None,
        }
    }
}

/// Places whose values do not fit.
#[derive(Default)]
struct Problems {
    told: Vec<String>,
    count: usize,
}

impl Problems {
    fn add(&mut self, place: &str, expected: &str, found: &str) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told
                .push(format!("{place}: expected {expected}, found {found}."));
        }
    }

    fn refusal(self) -> Option<Refusal> {
        let more = match self.count - self.told.len() {
            0 => String::new(),
            more => format!(" {more} more values have such problems."),
        };
        (self.count > 0).then(|| {
            Refusal::schema(format!(
                "Strict checking refuses values that fit the signature only by a lossy or surprising cast. {}{more}",
                self.told.join(" ")
            ))
        })
    }
}

/// The columns of a signature, and what a payload names beside them.
struct Frame<'s> {
    columns: &'s [ColumnSpec],
    named: bool,
    positions: HashMap<&'s str, usize>,
    unknown: Vec<String>,
    told: HashSet<String>,
}

impl<'s> Frame<'s> {
    fn of(columns: &'s [ColumnSpec]) -> Self {
        Self {
            columns,
            named: columns.first().is_some_and(|column| column.name.is_some()),
            positions: (columns.iter().enumerate())
                .filter_map(|(position, column)| Some((column.name.as_deref()?, position)))
                .collect(),
            unknown: Vec::new(),
            told: HashSet::new(),
        }
    }

    fn unknown(&self) -> Option<Refusal> {
        let names: Vec<&str> = (self.columns.iter())
            .filter_map(|column| column.name.as_deref())
            .collect();
        let unknown: Vec<&str> = self.unknown.iter().map(String::as_str).collect();
        (!unknown.is_empty() && self.named).then(|| unknown_names(&names, &unknown))
    }

    fn look(&mut self, envelope: &Envelope<'_>, problems: &mut Problems) {
        let data = envelope.data;
        match envelope.form {
            Form::Split => self.split(data, problems),
            Form::Records => self.rows(data, problems),
            Form::Inputs | Form::Instances if data.is_object() => self.lists(data, problems),
            Form::Inputs | Form::Instances => self.rows(data, problems),
        }
    }

    /// The column of a name. One that the signature does not have is remembered.
    fn column(&mut self, name: &str) -> Option<&'s ColumnSpec> {
        let found = self
            .positions
            .get(name)
            .map(|position| &self.columns[*position]);
        if found.is_none() && !self.told.contains(name) {
            self.told.insert(name.to_owned());
            self.unknown.push(name.to_owned());
        }
        found
    }

    fn split(&mut self, data: Value<'_>, problems: &mut Problems) {
        let columns: Vec<Option<&ColumnSpec>> = match frame::member(data, "columns") {
            Some(labels) if self.named => labels
                .items()
                .map(|label| match label.view() {
                    View::Text(name) => self.column(&name),
                    _ => None,
                })
                .collect(),
            _ => self.columns.iter().map(Some).collect(),
        };
        let rows = frame::member(data, "data")
            .into_iter()
            .flat_map(Value::items);
        for (row, cells) in rows.enumerate() {
            for (column, cell) in columns.iter().zip(cells.items()) {
                if let Some(column) = column {
                    look_at_cell(column, row, cell, problems);
                }
            }
        }
    }

    /// A list of records, of rows by position, or of single values.
    fn rows(&mut self, data: Value<'_>, problems: &mut Problems) {
        for (row, record) in data.items().enumerate() {
            if record.is_object() {
                for (name, cell) in record.members() {
                    if let Some(column) = self.column(&name) {
                        look_at_cell(column, row, cell, problems);
                    }
                }
            } else if let ([column], false) = (self.columns, record.is_list()) {
                look_at_cell(column, row, record, problems);
            } else if !self.named {
                for (column, cell) in self.columns.iter().zip(record.items()) {
                    look_at_cell(column, row, cell, problems);
                }
            }
        }
    }

    /// An object of columns: each a list with a cell per row, or the one cell of one row.
    fn lists(&mut self, data: Value<'_>, problems: &mut Problems) {
        for (name, value) in data.members() {
            let Some(column) = self.column(&name) else {
                continue;
            };
            let array = matches!(column.ty, DataType::Array(_));
            if value.is_list() && (!array || value.items().all(Value::is_list)) {
                for (row, cell) in value.items().enumerate() {
                    look_at_cell(column, row, cell, problems);
                }
            } else {
                look_at_cell(column, 0, value, problems);
            }
        }
    }
}

fn look_at_cell(column: &ColumnSpec, row: usize, cell: Value<'_>, problems: &mut Problems) {
    if cell.is_null() && !column.required {
        return;
    }
    let place = match &column.name {
        Some(name) => format!("Row {row}, column '{}'", shown(name)),
        None => format!("Row {row}"),
    };
    look_at_value(&column.ty, cell, &place, problems);
}

fn look_at_value(ty: &DataType, value: Value<'_>, place: &str, problems: &mut Problems) {
    match (ty, value.view()) {
        // Whether one may be missing is for MLflow to say.
        (_, View::Null) | (DataType::Any | DataType::SparkMlVector, _) => {}
        (DataType::Array(items), View::List(_)) => {
            for (index, item) in value.items().enumerate() {
                look_at_value(items, item, &format!("{place}[{index}]"), problems);
            }
        }
        (DataType::Map(values), View::Object(_)) => {
            for (key, item) in value.members() {
                look_at_value(values, item, &format!("{place}.{}", shown(&key)), problems);
            }
        }
        (DataType::Object(properties), View::Object(_)) => {
            for (key, item) in value.members() {
                let place = format!("{place}.{}", shown(&key));
                match properties.iter().find(|property| property.name == key) {
                    Some(property) => look_at_value(&property.ty, item, &place, problems),
                    None => {
                        let names = properties.iter().map(|property| property.name.as_str());
                        let expected = nearest(&key, names).map_or_else(
                            || "no property of this name".to_owned(),
                            |meant| format!("no property of this name (meant '{}'?)", shown(meant)),
                        );
                        problems.add(&place, &expected, item.type_name());
                    }
                }
            }
        }
        (scalar, _) if scalar.is_scalar() => {
            if let Some(found) = misfit(scalar, value) {
                problems.add(place, &scalar.to_string(), found);
            }
        }
        (other, _) => problems.add(place, &other.to_string(), value.type_name()),
    }
}

/// What is found where a scalar type was expected and only a cast would make one.
fn misfit(ty: &DataType, value: Value<'_>) -> Option<&'static str> {
    let whole = |int: &Int<'_>, limit: u32| {
        let value = int.value().map(i128::unsigned_abs);
        let fits = value.is_some_and(|value| value <= 1 << limit);
        (!fits).then_some("an integer that it rounds")
    };
    let within = |int: &Int<'_>, low: i128, high: i128| {
        let fits = int
            .value()
            .is_some_and(|value| (low..=high).contains(&value));
        (!fits).then_some("an integer out of its range")
    };
    match (ty, &value.view()) {
        (DataType::Boolean, View::Bool(_)) => None,
        (DataType::Integer, View::Int(int)) => within(int, i32::MIN.into(), i32::MAX.into()),
        (DataType::Long, View::Int(int)) => within(int, i64::MIN.into(), i64::MAX.into()),
        (DataType::Integer | DataType::Long, View::Float(_)) => {
            Some("a number with a point or an exponent")
        }
        (DataType::Float, View::Int(int)) => whole(int, f32::MANTISSA_DIGITS),
        (DataType::Double, View::Int(int)) => whole(int, f64::MANTISSA_DIGITS),
        (DataType::Float, View::Float(value)) => {
            let overflows = value.is_finite() && !(*value as f32).is_finite();
            overflows.then_some("a number out of its range")
        }
        (DataType::Double, View::Float(_)) => None,
        (DataType::String | DataType::Binary, View::Text(_)) => None,
        (DataType::Datetime, View::Text(text)) => {
            (!is_iso_date(text)).then_some("a text that is no ISO date")
        }
        _ => Some(value.type_name()),
    }
}

fn look_at_tensors(tensors: &[TensorSpec], envelope: &Envelope<'_>, problems: &mut Problems) {
    let data = envelope.data;
    if !matches!(envelope.form, Form::Inputs | Form::Instances) {
        return;
    }
    match tensors {
        [tensor] if tensor.name.is_none() => look_at_leaves(tensor, data, "Tensor", problems),
        _ => {
            for (name, value) in data.members() {
                let named = |tensor: &&TensorSpec| tensor.name.as_deref() == Some(&*name);
                let place = format!("Tensor '{}'", shown(&name));
                match tensors.iter().find(named) {
                    Some(tensor) => look_at_leaves(tensor, value, &place, problems),
                    None => problems.add(&place, "no tensor of this name", value.type_name()),
                }
            }
        }
    }
}

fn look_at_leaves(tensor: &TensorSpec, value: Value<'_>, place: &str, problems: &mut Problems) {
    if value.is_list() {
        for (index, item) in value.items().enumerate() {
            look_at_leaves(tensor, item, &format!("{place}[{index}]"), problems);
        }
        return;
    }
    let ty = match tensor.dtype.as_str() {
        "bool" => DataType::Boolean,
        "float64" => DataType::Double,
        "float16" | "float32" => DataType::Float,
        "int64" | "uint64" | "uint32" => DataType::Long,
        "int8" | "int16" | "int32" | "uint8" | "uint16" => DataType::Integer,
        _ => return,
    };
    if let (false, Some(found)) = (value.is_null(), misfit(&ty, value)) {
        problems.add(place, &tensor.dtype, found);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::contract;
    use super::*;
    use crate::contract::Strictness;
    use crate::decode::Decoded;

    fn strict(model: &str) -> Contract {
        contract(model).with_strictness(Strictness::Strict)
    }

    fn record(cells: &str) -> String {
        format!("{{\"dataframe_records\": [{{{cells}}}]}}")
    }

    fn refusal(contract: &Contract, body: &str) -> String {
        match contract.decode_json(body.as_bytes()) {
            Decoded::Refused(refusal) => refusal.message,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn nested_values_that_need_a_cast_are_told_by_their_path() {
        let contract = strict("echo_nested");
        let good = r#""arr": [1, 2.5], "arr2": [[1], [2, 3]], "obj": {"k": "a", "n": 3}"#;
        let decoded = contract.decode_json(record(good).as_bytes());
        assert!(matches!(decoded, Decoded::AsItCame), "{decoded:?}");
        let message = refusal(
            &contract,
            &record(r#""arr": [1, "2"], "arr2": [[1], [2.0]], "obj": {"k": 7, "tag": 1}"#),
        );
        for told in [
            "Row 0, column 'arr'[1]: expected double, found string.",
            "Row 0, column 'arr2'[1][0]: expected long, found a number with a point or an exponent.",
            "Row 0, column 'obj'.k: expected string, found integer.",
            "Row 0, column 'obj'.tag: expected no property of this name (meant 'tags'?), found integer.",
        ] {
            assert!(message.contains(told), "{told}: {message}");
        }
        let message = refusal(&contract, &record(&format!("{good}, \"ar\": [1]")));
        assert!(
            message.contains("does not name these columns: ['ar']"),
            "{message}"
        );
        let split = r#"{"dataframe_split": {"columns": ["arr"], "data": [[[1]], [[true]]]}}"#;
        let message = refusal(&contract, split);
        assert!(
            message.contains("Row 1, column 'arr'[0]: expected double, found boolean."),
            "{message}"
        );
    }

    #[test]
    fn what_only_python_reads_is_looked_through_too() {
        let contract = strict("echo_types");
        let date = r#"{"dataframe_records": [{"b": true, "i": 1, "l": 1, "f": 1.5, "d": 1.5, "s": "a", "x": "YQ==", "t": "1 May 2024"}]}"#;
        let message = refusal(&contract, date);
        assert!(
            message.contains("expected datetime, found a text that is no ISO date"),
            "{message}"
        );
        let csv = contract.decode_csv(b"b,i,l,f,d,s,x,t\nTrue,3.0,1,1,1,a,YQ==,2024-05-01\n");
        assert!(matches!(csv, Decoded::Refused(_)), "{csv:?}");
    }

    #[test]
    fn other_strictness_leaves_python_alone() {
        let contract = strict("echo_nested").with_strictness(Strictness::Mlflow);
        let body = record(r#""arr": ["x"], "other": 1"#);
        assert!(matches!(
            contract.decode_json(body.as_bytes()),
            Decoded::AsItCame
        ));
    }
}
