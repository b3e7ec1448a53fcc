//! From rows to tensors, as MLflow's wrapper feeds them: a frame whole or column by column, doubles cast where the graph wants
//! single precision.

use arrow_array::Array;
use ort::session::SessionInputValue;
use ort::value::Tensor;
use sluis_mlflow::{DType, DenseBlock, Input};

use super::element::Element;
use super::head::Form;
use crate::error::Declined;
use crate::head::InputKind;
use crate::rows::{Column, Rows};

/// An input of the graph.
pub(super) struct Inlet {
    pub(super) name: String,
    /// What it takes.
    pub(super) element: Element,
    /// What MLflow has before the cast.
    pub(super) via: Element,
    /// The column that feeds it, where columns do.
    pub(super) column: usize,
}

pub(super) type Fed<'a> = Vec<(&'a str, SessionInputValue<'static>)>;

const REFUSED: Declined = Declined("a tensor that ONNX Runtime does not take");
const OTHER: Declined = Declined("an input of another layout");

/// The graph's inputs for these rows.
pub(super) fn feed<'a>(
    form: Form,
    inlets: &'a [Inlet],
    kinds: &[InputKind],
    input: &Input,
) -> Result<Fed<'a>, Declined> {
    let single = |inlet: &'a Inlet, value| vec![(inlet.name.as_str(), value)];
    match (form, input, inlets) {
        (Form::Tensor, Input::Tensor(block), [inlet]) => {
            Ok(single(inlet, from_block(block, inlet)?))
        }
        (Form::Tensors, Input::Tensors(tensors), inlets) if tensors.len() == inlets.len() => {
            let named = |inlet: &'a Inlet| {
                let found = tensors.iter().find(|(name, _)| *name == inlet.name);
                let (_, block) = found.ok_or(OTHER)?;
                Ok((inlet.name.as_str(), from_block(block, inlet)?))
            };
            inlets.iter().map(named).collect()
        }
        (Form::Matrix, Input::Frame(_) | Input::Batch(_), [inlet]) => {
            let rows = Rows::of(input, kinds)?;
            Ok(single(inlet, matrix(&rows, inlet)?))
        }
        (Form::Columns, Input::Frame(_) | Input::Batch(_), inlets) => {
            let rows = Rows::of(input, kinds)?;
            let one = |inlet: &'a Inlet| Ok((inlet.name.as_str(), column(&rows, inlet)?));
            inlets.iter().map(one).collect()
        }
        _ => Err(OTHER),
    }
}

fn from_block(block: &DenseBlock, inlet: &Inlet) -> Result<SessionInputValue<'static>, Declined> {
    match (block.dtype, inlet.via) {
        (DType::Text(_), Element::Text) => texts(&block.shape, &block.texts()),
        (dtype, Element::Block(via)) if dtype == via => {
            numbers(dtype, &block.shape, &block.bytes, inlet.element)
        }
        _ => Err(OTHER),
    }
}

fn matrix(rows: &Rows<'_>, inlet: &Inlet) -> Result<SessionInputValue<'static>, Declined> {
    match rows {
        Rows::Dense { block, .. } => from_block(block, inlet),
        Rows::Columns { columns, rows } => {
            let shape = [*rows, columns.len()];
            match inlet.via {
                Element::Text => {
                    let mut cells = Vec::with_capacity(rows * columns.len());
                    for row in 0..*rows {
                        for column in columns {
                            cells.push(text(column, row).ok_or(OTHER)?);
                        }
                    }
                    texts(&shape, &cells)
                }
                Element::Block(via) => {
                    numbers(via, &shape, &promoted(columns, *rows, via)?, inlet.element)
                }
                Element::Maps => Err(OTHER),
            }
        }
    }
}

fn column(rows: &Rows<'_>, inlet: &Inlet) -> Result<SessionInputValue<'static>, Declined> {
    match (rows, inlet.via) {
        (Rows::Dense { block, width }, Element::Block(via)) if via == block.dtype => {
            let size = via.size();
            let mut bytes = Vec::with_capacity(block.rows() * size);
            for row in block.bytes.chunks_exact(size * width) {
                bytes.extend_from_slice(&row[inlet.column * size..(inlet.column + 1) * size]);
            }
            numbers(via, &[block.rows()], &bytes, inlet.element)
        }
        (Rows::Columns { columns, rows }, via) => {
            let column = columns.get(inlet.column).ok_or(OTHER)?;
            if via == Element::Text {
                let cells: Option<Vec<&str>> = (0..*rows).map(|row| text(column, row)).collect();
                return texts(&[*rows], &cells.ok_or(OTHER)?);
            }
            let Element::Block(via) = via else {
                return Err(OTHER);
            };
            let bytes = match (column, via) {
                (Column::Boolean(array), DType::Bool) => {
                    (0..*rows).map(|row| u8::from(array.value(row))).collect()
                }
                (_, DType::Bool) => return Err(OTHER),
                _ => promoted(std::slice::from_ref(column), *rows, via)?,
            };
            numbers(via, &[*rows], &bytes, inlet.element)
        }
        _ => Err(OTHER),
    }
}

fn text<'a>(column: &Column<'a>, row: usize) -> Option<&'a str> {
    match column {
        Column::Text(array) => array.is_valid(row).then(|| array.value(row)),
        Column::LargeText(array) => array.is_valid(row).then(|| array.value(row)),
        _ => None,
    }
}

/// Numbers of several types, row after row, in the type that holds them all, as numpy puts them together.
fn promoted(columns: &[Column<'_>], rows: usize, via: DType) -> Result<Vec<u8>, Declined> {
    let mut bytes = Vec::with_capacity(rows * columns.len() * via.size());
    for row in 0..rows {
        for column in columns {
            match (via, column) {
                (DType::Float64, Column::Double(array)) => {
                    bytes.extend_from_slice(&array.value(row).to_le_bytes());
                }
                (DType::Float64, Column::Float(array)) => {
                    bytes.extend_from_slice(&f64::from(array.value(row)).to_le_bytes());
                }
                (DType::Float64, Column::Long(array)) => {
                    bytes.extend_from_slice(&(array.value(row) as f64).to_le_bytes());
                }
                (DType::Float64, Column::Integer(array)) => {
                    bytes.extend_from_slice(&f64::from(array.value(row)).to_le_bytes());
                }
                (DType::Float32, Column::Float(array)) => {
                    bytes.extend_from_slice(&array.value(row).to_le_bytes());
                }
                (DType::Int64, Column::Long(array)) => {
                    bytes.extend_from_slice(&array.value(row).to_le_bytes());
                }
                (DType::Int64, Column::Integer(array)) => {
                    bytes.extend_from_slice(&i64::from(array.value(row)).to_le_bytes());
                }
                (DType::Int32, Column::Integer(array)) => {
                    bytes.extend_from_slice(&array.value(row).to_le_bytes());
                }
                _ => return Err(OTHER),
            }
        }
    }
    Ok(bytes)
}

fn texts<T: AsRef<str>>(
    shape: &[usize],
    cells: &[T],
) -> Result<SessionInputValue<'static>, Declined> {
    // The library wants texts of its own: nothing is borrowed.
    let cells: Vec<String> = cells.iter().map(|cell| cell.as_ref().to_owned()).collect();
    let tensor = Tensor::from_string_array((shape, cells.as_slice())).map_err(|_| REFUSED)?;
    Ok(tensor.into())
}

/// A tensor of little-endian values, cast from double to single precision where the graph wants that.
fn numbers(
    dtype: DType,
    shape: &[usize],
    bytes: &[u8],
    element: Element,
) -> Result<SessionInputValue<'static>, Declined> {
    macro_rules! tensor {
        ($type:ty) => {{
            let (cells, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
            let values: Vec<$type> = cells
                .iter()
                .map(|cell| <$type>::from_le_bytes(*cell))
                .collect();
            made(shape, values)
        }};
    }
    match (dtype, element) {
        (DType::Float64, Element::Block(DType::Float32)) => {
            let (cells, _) = bytes.as_chunks::<8>();
            let values: Vec<f32> = cells
                .iter()
                .map(|cell| f64::from_le_bytes(*cell) as f32)
                .collect();
            made(shape, values)
        }
        (dtype, Element::Block(wanted)) if dtype == wanted => match dtype {
            DType::Bool => made(shape, bytes.iter().map(|byte| *byte != 0).collect()),
            DType::Int8 => tensor!(i8),
            DType::Int16 => tensor!(i16),
            DType::Int32 => tensor!(i32),
            DType::Int64 => tensor!(i64),
            DType::UInt8 => tensor!(u8),
            DType::UInt16 => tensor!(u16),
            DType::UInt32 => tensor!(u32),
            DType::UInt64 => tensor!(u64),
            DType::Float32 => tensor!(f32),
            DType::Float64 => tensor!(f64),
            DType::Text(_) => Err(OTHER),
        },
        _ => Err(OTHER),
    }
}

fn made<T>(shape: &[usize], values: Vec<T>) -> Result<SessionInputValue<'static>, Declined>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    let tensor = Tensor::from_array((shape, values)).map_err(|_| REFUSED)?;
    Ok(tensor.into())
}
