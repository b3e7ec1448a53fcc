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
        /// A row has several labels.
        matrix: bool,
    },
    /// By the number of a class, its text as JSON.
    Texts {
        cells: Vec<Vec<u8>>,
        matrix: bool,
    },
}

/// An answer in the making.
pub(crate) struct Room {
    bytes: Vec<u8>,
    width: usize,
}

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
            OutputHead::Labels { matrix, .. } if width != 1 && !matrix => {
                Err("labels have one column")
            }
            OutputHead::Labels { .. } => Ok((labels(head, container)?, buffer)),
        }
    }

    pub(crate) fn room(&self, rows: usize, width: usize) -> Room {
        let cell = match self {
            Output::Values { dtype, .. } | Output::Labels { dtype, .. } => dtype.size(),
            Output::Texts { .. } => 16,
        };
        let mut bytes = Vec::with_capacity(rows * width * cell + 32);
        if matches!(self, Output::Texts { .. }) {
            bytes.extend_from_slice(b"{\"predictions\": [");
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
            Output::Texts {
                cells,
                matrix: false,
            } => {
                texts(made, cells, bytes)?;
            }
            Output::Texts { cells, .. } => {
                for row in made.chunks_exact(room.width) {
                    separate(bytes);
                    bytes.push(b'[');
                    texts(row, cells, bytes)?;
                    bytes.push(b']');
                }
            }
        }
        Ok(())
    }

    /// The whole answer.
    pub(crate) fn finish(&self, room: Room, rows: usize) -> Result<Answer, Declined> {
        let Room { mut bytes, width } = room;
        let (dtype, shape) = match self {
            Output::Texts { .. } => {
                bytes.extend_from_slice(b"]}");
                return Ok(Answer::Json(Bytes::from(bytes)));
            }
            Output::Labels {
                dtype,
                matrix: false,
                ..
            } => (*dtype, vec![rows]),
            Output::Labels { dtype, .. } => (*dtype, vec![rows, width]),
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

/// A comma, but for the first of a list.
fn separate(bytes: &mut Vec<u8>) {
    if bytes.last() != Some(&b'[') {
        bytes.extend_from_slice(b", ");
    }
}

fn texts(made: &[f64], cells: &[Vec<u8>], bytes: &mut Vec<u8>) -> Result<(), Declined> {
    for value in made {
        separate(bytes);
        bytes.extend_from_slice(cells.get(*value as usize).ok_or(NO_CLASS)?);
    }
    Ok(())
}

fn quoted(text: &str) -> Vec<u8> {
    let mut cell = Vec::new();
    json::text(text, &mut cell);
    cell
}

fn labels(head: &OutputHead, container: &Container<'_>) -> Result<Output, Flaw> {
    let OutputHead::Labels {
        count,
        dtype,
        labels,
        numbers,
        texts,
        matrix,
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
                matrix: *matrix,
                cells: cells
                    .into_iter()
                    .map(|label| label.to_le_bytes()[..dtype.size()].to_vec())
                    .collect(),
            }
        }
        (None, Some(numbers), None) => numbers_of(
            &container.f64s(*numbers)?,
            dtype.as_deref() == Some("float32"),
            *matrix,
        ),
        (None, None, Some(texts)) => Output::Texts {
            cells: container.texts(*texts)?.into_iter().map(quoted).collect(),
            matrix: *matrix,
        },
        _ => return Err("its labels are not there"),
    };
    let (Output::Labels { cells, .. } | Output::Texts { cells, .. }) = &output else {
        return Err("it has no labels");
    };
    if cells.len() != *count {
        return Err("its labels do not fit their number");
    }
    Ok(output)
}

/// Labels that are numbers with a point.
fn numbers_of(numbers: &[f64], single: bool, matrix: bool) -> Output {
    let cell = |number: &f64| match single {
        true => (*number as f32).to_le_bytes().to_vec(),
        false => number.to_le_bytes().to_vec(),
    };
    Output::Labels {
        dtype: if single {
            DType::Float32
        } else {
            DType::Float64
        },
        cells: numbers.iter().map(cell).collect(),
        matrix,
    }
}
