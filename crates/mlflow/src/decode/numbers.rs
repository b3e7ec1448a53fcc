//! The straightest way from text to doubles: nested lists that hold plain numbers and nulls, read byte by byte.
//!
//! Most payloads are such lists, and most of their cost is reading numbers. Anything else (a text, a boolean, a ragged
//! list, a number that JSON does not allow) makes the reader give up, and the general readers judge the payload.

use super::cell::Cell;

/// Integers of so many digits are exact in a double, so that `integer -> double -> float` rounds once.
const EXACT_DIGITS: usize = 15;

/// A float that a number of a payload becomes.
pub(crate) trait Float: Cell {
    /// Whether any integer is rounded as the integer itself would be.
    const WIDE: bool;
    /// From the double nearest to the text.
    fn of(value: f64) -> Self;
}

impl Float for f64 {
    const WIDE: bool = true;
    fn of(value: f64) -> Self {
        value
    }
}

impl Float for f32 {
    const WIDE: bool = false;
    fn of(value: f64) -> Self {
        value as f32
    }
}

/// A list of rows, each a list of `order.len()` numbers: the values row by row, each at the place that `order` gives it
/// among `width` columns; places without one are left out. Null is NaN.
pub(crate) fn rows<T: Float>(json: &[u8], order: &[Option<usize>], width: usize) -> Option<Vec<T>> {
    let in_order = order.len() == width && order.iter().copied().eq((0..width).map(Some));
    let mut text = Text(skip(json));
    let mut values: Vec<T> = Vec::with_capacity(estimate(json.len()));
    text.open()?;
    loop {
        text.open()?;
        let start = values.len();
        if !in_order {
            values.resize(start + width, T::default());
        }
        for (position, place) in order.iter().enumerate() {
            if position > 0 {
                text.comma()?;
            }
            let value = text.number::<T>()?;
            if in_order {
                values.push(value);
            } else if let Some(place) = place {
                *values.get_mut(start + place)? = value;
            }
        }
        text.close()?;
        if !text.more()? {
            break;
        }
    }
    text.is_over().then_some(values)
}

/// Lists nested `extents.len()` deep: their values in C order. Extents become those found.
pub(crate) fn nested<T: Float>(json: &[u8], extents: &mut [Option<usize>]) -> Option<Vec<T>> {
    let mut text = Text(skip(json));
    let mut values = Vec::with_capacity(estimate(json.len()));
    level(&mut text, extents, &mut values)?;
    text.is_over().then_some(values)
}

fn level<T: Float>(
    text: &mut Text<'_>,
    extents: &mut [Option<usize>],
    values: &mut Vec<T>,
) -> Option<()> {
    let Some((extent, inner)) = extents.split_first_mut() else {
        values.push(text.number()?);
        return Some(());
    };
    text.open()?;
    let mut count = 0;
    loop {
        level(text, inner, values)?;
        count += 1;
        if !text.more()? {
            break;
        }
    }
    let known = *extent.get_or_insert(count);
    (known == count).then_some(())
}

/// Values to make room for: a number with its comma takes some ten bytes. More are grown into.
fn estimate(bytes: usize) -> usize {
    bytes / 12
}

/// What is left of the text, without leading blanks.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn open(&mut self) -> Option<()> {
        self.take(b'[')
    }

    fn close(&mut self) -> Option<()> {
        self.take(b']')
    }

    fn comma(&mut self) -> Option<()> {
        self.take(b',')
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = skip(rest);
        (*first == byte).then_some(())
    }

    /// Whether a list goes on; its end is taken.
    fn more(&mut self) -> Option<bool> {
        let (first, rest) = self.0.split_first()?;
        self.0 = skip(rest);
        match first {
            b',' => Some(true),
            b']' => Some(false),
            _ => None,
        }
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// A number as JSON writes it, or null.
    fn number<T: Float>(&mut self) -> Option<T> {
        let negative = self.0.first() == Some(&b'-');
        let digits = self.0.get(usize::from(negative)..)?;
        let whole = digits
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(digits.len());
        let after = digits.get(whole);
        let fraction = after == Some(&b'.');
        let is_json = match whole {
            0 => return self.null(),
            1 => true,
            _ => digits[0] != b'0',
        } && !(fraction && !digits.get(whole + 1)?.is_ascii_digit());
        if !is_json {
            return None;
        }
        let (value, length) = fast_float2::parse_partial::<f64, _>(self.0).ok()?;
        self.0 = skip(self.0.get(length..)?);
        let integer = !fraction && !matches!(after, Some(b'e' | b'E'));
        if !value.is_finite() || (integer && !T::WIDE && whole > EXACT_DIGITS) {
            return None;
        }
        // Python reads `-0` as the integer zero, which has no sign.
        Some(T::of(if integer { value + 0.0 } else { value }))
    }

    fn null<T: Float>(&mut self) -> Option<T> {
        self.0 = skip(self.0.strip_prefix(b"null")?);
        Some(T::of(f64::NAN))
    }
}

/// The text without the blanks before it.
fn skip(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_column(json: &str) -> Option<Vec<f64>> {
        rows(json.as_bytes(), &[Some(0)], 1)
    }

    #[test]
    fn numbers_of_json_are_read_to_the_last_bit() {
        for text in [
            "0",
            "-1",
            "0.1",
            "-0.0",
            "1e5",
            "1E+5",
            "1.5e-7",
            "5e-324",
            "1.7976931348623157e308",
            "9007199254740993",
            "18446744073709551617",
            "123456789.123456789",
            "2.2250738585072014e-308",
        ] {
            let read = one_column(&format!("[[ {text} ] ]\n")).unwrap()[0];
            assert_eq!(
                read.to_bits(),
                text.parse::<f64>().unwrap().to_bits(),
                "{text}"
            );
        }
        assert!(one_column("[[null]]").unwrap()[0].is_nan());
        assert_eq!(one_column("[[-0]]").unwrap()[0].to_bits(), 0);
    }

    #[test]
    fn whatever_is_no_list_of_plain_numbers_is_left_to_others() {
        for text in [
            "",
            "[",
            "[]",
            "[[]]",
            "[[1]",
            "[[1]]]",
            "[[1]] 2",
            "[[1],]",
            "[[1,]]",
            "[[1 2]]",
            "[1]",
            "[[[1]]]",
            "[[01]]",
            "[[-]]",
            "[[.5]]",
            "[[5.]]",
            "[[5.e1]]",
            "[[+1]]",
            "[[1e]]",
            "[[1e+]]",
            "[[NaN]]",
            "[[inf]]",
            "[[Infinity]]",
            "[[-Infinity]]",
            "[[1e400]]",
            "[[true]]",
            "[[\"1\"]]",
            "[[nul]]",
            "[[1],[2,3]]",
            "{}",
            "[[1,2]]",
            "[[0x1]]",
            "[[1_0]]",
        ] {
            assert!(one_column(text).is_none(), "{text}");
        }
    }

    #[test]
    fn columns_go_where_the_order_says_and_others_are_left_out() {
        let order = [Some(1), None, Some(0)];
        let read: Vec<f32> = rows(b"[[1, 2, 3], [4, 5, null]]", &order, 2).unwrap();
        assert_eq!((read[0], read[1], read[3]), (3.0, 1.0, 4.0));
        assert!(read[2].is_nan());
        assert!(rows::<f64>(b"[[1, 2]]", &order, 2).is_none());
    }

    #[test]
    fn a_float_takes_no_integer_that_would_round_twice() {
        assert!(rows::<f32>(b"[[9007199254740993]]", &[Some(0)], 1).is_none());
        assert!(rows::<f32>(b"[[16777217]]", &[Some(0)], 1).is_some());
    }

    #[test]
    fn nested_lists_have_one_extent_a_level() {
        let mut extents = [None, None, None];
        let read: Vec<f64> = nested(b"[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]", &mut extents).unwrap();
        assert_eq!(extents, [Some(2), Some(2), Some(2)]);
        assert_eq!(read, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert!(nested::<f64>(b"[[1], [2, 3]]", &mut [None, None]).is_none());
        assert!(nested::<f64>(b"[1]", &mut [None, None]).is_none());
    }
}
