//! Typed columns of a body, as pandas would lay them out: what Arrow streams and Parquet files have in common.
//!
//! Readers of binary formats do what the bytes say; here stands what keeps a small body from becoming large rows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::{DataType as ArrowType, Field, FieldRef, Schema};
use serde_json::Value as Json;

use super::Decoded;
use crate::contract::{Contract, Layout};
use crate::enforce::block_of;
use crate::input::Input;

/// pandas' own key in the metadata of a schema.
const PANDAS: &str = "pandas";

/// What a field has in its metadata when its type is more than Arrow's own.
const EXTENSION: &str = "ARROW:extension:name";

impl Contract {
    /// Puts the rows of a body under the contract, as MLflow does with the frame that pandas reads from it.
    pub(crate) fn decode_columns(&self, batch: &RecordBatch) -> Decoded {
        if !is_plain(&batch.schema()) {
            return Decoded::AsItCame;
        }
        match &self.layout {
            Layout::Columns(_) => self.enforce_batch(batch),
            Layout::Tensor(layout) => {
                let columns: Vec<_> = batch.columns().iter().collect();
                let fits = layout.shape == [None, Some(columns.len())] && columns.len() > 1;
                match block_of(&columns, batch.num_rows()).filter(|_| fits) {
                    Some(block) if block.dtype == layout.dtype && block.rows() > 0 => {
                        Decoded::Call(Input::Tensor(block).into())
                    }
                    _ => Decoded::AsItCame,
                }
            }
            Layout::Tensors(_) | Layout::Python(_) => Decoded::AsItCame,
        }
    }
}

/// Reads with code that was made for files of good will; what it breaks on is not read.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

/// Whether the frame that pandas makes of such columns has these columns and the rows' numbers as its index: neither its
/// metadata nor an extension type asks for more than Arrow's own types say.
fn is_plain(schema: &Schema) -> bool {
    let extended = |field: &FieldRef| field.metadata().contains_key(EXTENSION);
    if schema.fields().iter().any(extended) {
        return false;
    }
    let Some(metadata) = schema.metadata().get(PANDAS) else {
        return true;
    };
    let Ok(metadata) = serde_json::from_str::<Json>(metadata) else {
        return false;
    };
    has_plain_index(&metadata) && has_plain_labels(&metadata) && has_plain_types(&metadata)
}

/// Whether the index is the rows' numbers. The model sees any other, which is made of columns or begins elsewhere.
fn has_plain_index(metadata: &Json) -> bool {
    match metadata
        .get("index_columns")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
    {
        None | Some([]) => true,
        Some([range]) => {
            range.get("kind") == Some(&Json::from("range"))
                && range.get("name").is_none_or(Json::is_null)
                && range.get("start") == Some(&Json::from(0))
                && range.get("step") == Some(&Json::from(1))
        }
        Some(_) => false,
    }
}

/// Whether column labels are texts on one level.
fn has_plain_labels(metadata: &Json) -> bool {
    match metadata
        .get("column_indexes")
        .and_then(Json::as_array)
        .map(Vec::as_slice)
    {
        None | Some([]) => true,
        Some([level]) => {
            matches!(
                level.get("pandas_type").and_then(Json::as_str),
                Some("unicode" | "string")
            )
        }
        Some(_) => false,
    }
}

/// Whether pandas keeps every column in the type that Arrow's own becomes, under its own name.
fn has_plain_types(metadata: &Json) -> bool {
    const PLAIN: [&str; 13] = [
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "object",
    ];
    let Some(columns) = metadata.get("columns").and_then(Json::as_array) else {
        return true;
    };
    columns.iter().all(|column| {
        let text = |key: &str| column.get(key).and_then(Json::as_str);
        let (Some(field), Some(numpy)) = (text("field_name"), text("numpy_type")) else {
            return false;
        };
        let plain = PLAIN.contains(&numpy) || numpy == "str" || numpy.starts_with("datetime64");
        plain && text("pandas_type") != Some("categorical") && text("name") == Some(field)
    })
}

/// Whether values of this type have their own bytes in a body, so that a small one holds few.
pub(crate) fn has_own_bytes(field: &Field, nested: bool) -> bool {
    match field.data_type() {
        ArrowType::Null => !nested,
        ArrowType::List(inner) | ArrowType::LargeList(inner) | ArrowType::Map(inner, _) => {
            has_own_bytes(inner, true)
        }
        ArrowType::Struct(fields) => {
            !fields.is_empty() && fields.iter().all(|field| has_own_bytes(field, true))
        }
        ArrowType::Utf8View | ArrowType::BinaryView => !nested,
        ArrowType::Utf8
        | ArrowType::LargeUtf8
        | ArrowType::Binary
        | ArrowType::LargeBinary
        | ArrowType::Boolean
        | ArrowType::Float16
        | ArrowType::Date32
        | ArrowType::Date64
        | ArrowType::Time32(_)
        | ArrowType::Time64(_)
        | ArrowType::Timestamp(_, _)
        | ArrowType::Duration(_)
        | ArrowType::Decimal128(_, _)
        | ArrowType::Decimal256(_, _) => true,
        other => other.is_integer() || other.is_floating(),
    }
}
