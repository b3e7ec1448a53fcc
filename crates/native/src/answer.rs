//! From the last matrix to the answer: numbers of the model's own type, or its labels.

use bytes::Bytes;
use sluis_mlflow::encode::json;
use sluis_mlflow::{Answer, DType, DenseBlock};

use crate::container::Container;
use crate::error::{Declined, Flaw};
use crate::head::{OutputHead, Precision};

pub(crate) enum Output {
    Values {
        vector: bool,
        dtype: DType,
    },
    /// By the number of a class, its bytes.
    Labels {
        dtype: DType,
        cells: Vec<Vec<u8>>,
        /// A matrix of one column, not a vector.
        column: bool,
    },
    /// By the number of a class, its text as JSON.
    Texts(Vec<Vec<u8>>),
}

/// An answer in the making.
pub(crate) struct Room {
    bytes: Vec<u8>,
    width: usize,
}

/// How an answer of texts begins.
const TEXTS: &[u8] = b"{\"predictions\": [";

const NO_CLASS: Declined = Declined("an answer that is no class");

impl Output {
    /// Reads an output, and which buffer it is made from. `made` has buffer and width of each step.
    pub(crate) fn read(
        head: &OutputHead,
        container: &Container<'_>,
        made: &[(usize, usize)],
    ) -> Result<(Self, usize), Flaw> {
        let from = match head {
            OutputHead::Values { from, .. } | OutputHead::Labels { from, .. } => *from,
        };
        let (buffer, width) = *made.get(from).ok_or("its source is not there")?;
        match head {
            OutputHead::Values { vector, dtype, .. } => {
                if *vector && width != 1 {
                    return Err("a vector has one column");
                }
                let dtype = match dtype {
                    Precision::Float32 => DType::Float32,
                    Precision::Float64 => DType::Float64,
                };
                Ok((
                    Output::Values {
                        vector: *vector,
                        dtype,
                    },
                    buffer,
                ))
            }
            OutputHead::Labels { .. } if width != 1 => Err("labels have one column"),
            OutputHead::Labels { .. } => Ok((labels(head, container)?, buffer)),
        }
    }

    pub(crate) fn room(&self, rows: usize, width: usize) -> Room {
        let cell = match self {
            Output::Values { dtype, .. } | Output::Labels { dtype, .. } => dtype.size(),
            Output::Texts(_) => 16,
        };
        let mut bytes = Vec::with_capacity(rows * width * cell + 32);
        if matches!(self, Output::Texts(_)) {
            bytes.extend_from_slice(TEXTS);
        }
        Room { bytes, width }
    }

    /// Adds the rows of a block.
    pub(crate) fn write(&self, made: &[f64], room: &mut Room) -> Result<(), Declined> {
        let bytes = &mut room.bytes;
        match self {
            Output::Values {
                dtype: DType::Float32,
                ..
            } => bytes.extend(made.iter().flat_map(|value| (*value as f32).to_le_bytes())),
            Output::Values { .. } => {
                bytes.extend(made.iter().flat_map(|value| value.to_le_bytes()))
            }
            Output::Labels { cells, .. } => {
                for value in made {
                    bytes.extend_from_slice(cells.get(*value as usize).ok_or(NO_CLASS)?);
                }
            }
            Output::Texts(cells) => {
                for value in made {
                    if bytes.len() > TEXTS.len() {
                        bytes.extend_from_slice(b", ");
                    }
                    bytes.extend_from_slice(cells.get(*value as usize).ok_or(NO_CLASS)?);
                }
            }
        }
        Ok(())
    }

    /// The whole answer.
    pub(crate) fn finish(&self, room: Room, rows: usize) -> Result<Answer, Declined> {
        let Room { mut bytes, width } = room;
        let (dtype, shape) = match self {
            Output::Texts(_) => {
                bytes.extend_from_slice(b"]}");
                return Ok(Answer::Json(Bytes::from(bytes)));
            }
            Output::Labels {
                dtype,
                column: true,
                ..
            } => (*dtype, vec![rows, 1]),
            Output::Labels { dtype, .. } => (*dtype, vec![rows]),
            Output::Values { dtype, vector } => (
                *dtype,
                if *vector {
                    vec![rows]
                } else {
                    vec![rows, width]
                },
            ),
        };
        DenseBlock::new(dtype, shape, bytes.into())
            .map(Answer::Dense)
            .map_err(|_| Declined("an answer of another size"))
    }
}

fn labels(head: &OutputHead, container: &Container<'_>) -> Result<Output, Flaw> {
    let OutputHead::Labels {
        count,
        column,
        dtype,
        labels,
        numbers,
        texts,
        ..
    } = head
    else {
        return Err("it has no labels");
    };
    let output = match (labels, numbers, texts) {
        (Some(labels), None, None) => {
            let dtype = dtype
                .as_deref()
                .and_then(DType::from_name)
                .ok_or("its type is not known")?;
            let cells = container.i64s(*labels)?;
            Output::Labels {
                dtype,
                column: *column,
                cells: cells
                    .into_iter()
                    .map(|label| label.to_le_bytes()[..dtype.size()].to_vec())
                    .collect(),
            }
        }
        (None, Some(numbers), None) => {
            let single = dtype.as_deref() == Some("float32");
            let cell = |number: f64| match single {
                true => (number as f32).to_le_bytes().to_vec(),
                false => number.to_le_bytes().to_vec(),
            };
            Output::Labels {
                dtype: if single {
                    DType::Float32
                } else {
                    DType::Float64
                },
                column: *column,
                cells: container.f64s(*numbers)?.into_iter().map(cell).collect(),
            }
        }
        (None, None, Some(texts)) => {
            let texts = container.texts(*texts)?.into_iter();
            Output::Texts(texts.map(|text| text_cell(text, *column)).collect())
        }
        _ => return Err("its labels are not there"),
    };
    let (Output::Labels { cells, .. } | Output::Texts(cells)) = &output else {
        return Err("it has no labels");
    };
    if cells.len() != *count {
        return Err("its labels do not fit their number");
    }
    Ok(output)
}

/// A text as JSON, or a list of it alone.
fn text_cell(text: &str, column: bool) -> Vec<u8> {
    let mut cell = Vec::new();
    if column {
        cell.push(b'[');
    }
    json::text(text, &mut cell);
    if column {
        cell.push(b']');
    }
    cell
}
