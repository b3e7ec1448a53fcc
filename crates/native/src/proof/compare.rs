//! Two answers against each other: the same form, the same labels, numbers within the bound.

use arrow_array::{Array, RecordBatch};
use sluis_mlflow::{Answer, DType, DenseBlock};

/// How far numbers may be apart: so many units in the last place of the number, or of the terms it was added up from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    ulps: f64,
}

impl Bound {
    pub(super) fn of(ulps: u32) -> Self {
        Self { ulps: ulps.into() }
    }
}

/// Where two answers differ first.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) row: usize,
    /// How they differ, without a value of either.
    pub(super) text: String,
    /// Both values, where there are two.
    values: Option<(f64, f64)>,
}

impl Difference {
    pub(super) fn at(row: usize, text: impl Into<String>) -> Self {
        Self {
            row,
            text: text.into(),
            values: None,
        }
    }

    /// The same of rows that come after others.
    pub(super) fn after(self, rows: usize) -> Self {
        Self {
            row: rows + self.row,
            ..self
        }
    }

    /// How they differ, with the values: for rows that are nobody's.
    pub(super) fn with_values(&self) -> String {
        match self.values {
            Some((ours, theirs)) => format!("{}: {ours:?}, Python's is {theirs:?}", self.text),
            None => self.text.clone(),
        }
    }
}

fn at(row: usize, text: impl Into<String>) -> Difference {
    Difference::at(row, text)
}

/// The largest difference in units of the last place, or the first difference beyond the bound. `magnitudes` has for each row
/// the sum of the magnitudes that linear steps added up.
pub(super) fn answers(
    ours: &Answer,
    theirs: &Answer,
    magnitudes: &[f64],
    bound: Bound,
) -> Result<f64, Difference> {
    match (ours, theirs) {
        (Answer::Dense(ours), Answer::Dense(theirs)) => blocks(ours, theirs, magnitudes, bound),
        (Answer::Json(ours), Answer::Json(theirs)) if ours == theirs => Ok(0.0),
        (Answer::Json(ours), Answer::Json(theirs)) => {
            let alike = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
            let row = ours[..alike]
                .windows(2)
                .filter(|pair| *pair == b", ")
                .count();
            Err(at(row, "another label than Python's"))
        }
        (Answer::Batch(ours), Answer::Batch(theirs)) => tables(ours, theirs),
        _ => Err(at(0, "an answer of another form than Python's")),
    }
}

/// Frames of several types: the same columns, and the same bits in each.
fn tables(ours: &RecordBatch, theirs: &RecordBatch) -> Result<f64, Difference> {
    let same_columns = ours.num_columns() == theirs.num_columns()
        && ours
            .schema()
            .fields()
            .iter()
            .zip(theirs.schema().fields())
            .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
    if !same_columns || ours.num_rows() != theirs.num_rows() {
        return Err(at(0, "a frame of other columns or rows than Python's"));
    }
    for row in 0..ours.num_rows() {
        for (column, (a, b)) in ours.columns().iter().zip(theirs.columns()).enumerate() {
            if a.slice(row, 1).to_data() != b.slice(row, 1).to_data() {
                return Err(at(
                    row,
                    format!("column {column} of the answer is another than Python's"),
                ));
            }
        }
    }
    Ok(0.0)
}

fn blocks(
    ours: &DenseBlock,
    theirs: &DenseBlock,
    magnitudes: &[f64],
    bound: Bound,
) -> Result<f64, Difference> {
    if ours.dtype != theirs.dtype || ours.shape != theirs.shape || ours.columns != theirs.columns {
        let text = format!(
            "an answer of {} with shape {:?}, Python's is of {} with shape {:?}",
            ours.dtype.name(),
            ours.shape,
            theirs.dtype.name(),
            theirs.shape
        );
        return Err(at(0, text));
    }
    let width: usize = ours.shape.iter().skip(1).product();
    let (ours_cells, theirs_cells) = (cells(ours), cells(theirs));
    let mut largest = 0.0_f64;
    for (index, (a, b)) in ours_cells.iter().zip(&theirs_cells).enumerate() {
        let row = index / width.max(1);
        if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) {
            continue;
        }
        let distance = distance(
            *a,
            *b,
            magnitudes.get(row).copied().unwrap_or(0.0),
            ours.dtype,
        );
        if !is_float(ours.dtype) || distance.is_nan() || distance > bound.ulps {
            let column = index % width.max(1);
            let text = if is_float(ours.dtype) {
                let bound = bound.ulps;
                format!(
                    "column {column} of the answer is {distance:.1} units in the last place from Python's, the bound is {bound}"
                )
            } else {
                format!("column {column} of the answer has another label than Python's")
            };
            return Err(Difference {
                values: is_float(ours.dtype).then_some((*a, *b)),
                ..at(row, text)
            });
        }
        largest = largest.max(distance);
    }
    Ok(largest)
}

fn is_float(dtype: DType) -> bool {
    matches!(dtype, DType::Float32 | DType::Float64)
}

/// In units of the last place of what is larger: the numbers, or the terms that they were added up from.
fn distance(a: f64, b: f64, magnitude: f64, dtype: DType) -> f64 {
    let epsilon = match dtype {
        DType::Float32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    };
    let size = a.abs().max(b.abs());
    // Behind an exponential, the terms' last bits count relative to the answer.
    let size = size
        .max(magnitude)
        .max(magnitude * size)
        .max(f64::MIN_POSITIVE);
    (a - b).abs() / (epsilon * size)
}

fn cells(block: &DenseBlock) -> Vec<f64> {
    let size = block.dtype.size();
    let read = |cell: &[u8]| {
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(cell);
        match block.dtype {
            DType::Float64 => f64::from_le_bytes(wide),
            DType::Float32 => f32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]]).into(),
            // Distinct labels stay distinct as the bits of a double.
            _ => f64::from_bits(u64::from_le_bytes(wide)),
        }
    };
    block.bytes.chunks_exact(size).map(read).collect()
}

/// The rows of a part are those of the whole, to the bit.
pub(super) fn part(
    part: &Answer,
    whole: &Answer,
    start: usize,
    rows: usize,
) -> Result<(), Difference> {
    let same = match (part, whole) {
        (Answer::Dense(part), Answer::Dense(whole)) => {
            let size = whole.bytes.len() / whole.rows().max(1);
            part.bytes == whole.bytes[start * size..(start + rows) * size]
        }
        // Labels as text: each row is a lookup, and was compared with Python's.
        (Answer::Json(_), Answer::Json(_)) => true,
        _ => false,
    };
    if same {
        Ok(())
    } else {
        Err(at(start, "answered otherwise alone than among others"))
    }
}
