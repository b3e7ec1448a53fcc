//! The straightest way from text to doubles: nested lists that hold plain numbers and nulls, read byte by byte.
//!
//! Most payloads are such lists, and most of their cost is reading numbers. Anything else (a text, a boolean, a ragged
//! list, a number that JSON does not allow) makes the reader give up, and the general readers judge the payload.

use super::cell::Cell;
use super::decimal;

/// Integers of so many digits are exact in a double. Longer ones are rounded, and that is for others to judge.
const EXACT_DIGITS: usize = 15;

/// A float that a number of a payload becomes.
pub(crate) trait Float: Cell {
    /// From the double nearest to the text; none where it is beyond the type.
    fn of(value: f64) -> Option<Self>;
}

impl Float for f64 {
    fn of(value: f64) -> Option<Self> {
        value.is_finite().then_some(value)
    }
}

impl Float for f32 {
    fn of(value: f64) -> Option<Self> {
        Some(value as f32).filter(|value| value.is_finite())
    }
}

/// A list of rows, each a list of `order.len()` numbers, followed by nothing.
pub(crate) fn rows<T: Float>(json: &[u8], order: &[Option<usize>], width: usize) -> Option<Vec<T>> {
    let mut text = Text::new(json);
    let values = text.rows(order, width)?;
    text.is_over().then_some(values)
}

/// Lists nested `extents.len()` deep, followed by nothing.
pub(crate) fn nested<T: Float>(json: &[u8], extents: &mut [Option<usize>]) -> Option<Vec<T>> {
    let mut text = Text::new(json);
    let values = text.nested(extents)?;
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
pub(crate) struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    pub(crate) fn new(json: &'a [u8]) -> Self {
        Self(skip(json))
    }

    /// A list of rows, each a list of `order.len()` numbers: the values row by row, each at the place that `order` gives
    /// it among `width` columns; places without one are left out. Null is NaN.
    pub(crate) fn rows<T: Float>(
        &mut self,
        order: &[Option<usize>],
        width: usize,
    ) -> Option<Vec<T>> {
        let in_order = order.len() == width && order.iter().copied().eq((0..width).map(Some));
        let mut values: Vec<T> = Vec::with_capacity(estimate(self.0.len()));
        self.open()?;
        loop {
            self.open()?;
            let start = values.len();
            if !in_order {
                values.resize(start + width, T::default());
            }
            for (position, place) in order.iter().enumerate() {
                if position > 0 {
                    self.comma()?;
                }
                let value = self.number::<T>()?;
                if in_order {
                    values.push(value);
                } else if let Some(place) = place {
                    *values.get_mut(start + place)? = value;
                }
            }
            self.close()?;
            if !self.more()? {
                return Some(values);
            }
        }
    }

    /// Lists nested `extents.len()` deep: their values in C order. Extents become those found.
    pub(crate) fn nested<T: Float>(&mut self, extents: &mut [Option<usize>]) -> Option<Vec<T>> {
        let mut values = Vec::with_capacity(estimate(self.0.len()));
        level(self, extents, &mut values)?;
        Some(values)
    }

    /// A text without escapes.
    pub(crate) fn word(&mut self) -> Option<&'a str> {
        let rest = self.0.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', rest)?;
        let word = &rest[..end];
        self.0 = skip(&rest[end + 1..]);
        let plain = word.iter().all(|byte| *byte != b'\\' && *byte >= b' ');
        std::str::from_utf8(word).ok().filter(|_| plain)
    }

    /// Whether `word` and a colon come next; they are taken.
    pub(crate) fn key(&mut self, key: &str) -> Option<()> {
        (self.word()? == key).then_some(())?;
        self.take(b':')
    }

    pub(crate) fn open(&mut self) -> Option<()> {
        self.take(b'[')
    }

    fn close(&mut self) -> Option<()> {
        self.take(b']')
    }

    pub(crate) fn comma(&mut self) -> Option<()> {
        self.take(b',')
    }

    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = skip(rest);
        (*first == byte).then_some(())
    }

    /// Whether a list goes on; its end is taken.
    pub(crate) fn more(&mut self) -> Option<bool> {
        let (first, rest) = self.0.split_first()?;
        self.0 = skip(rest);
        match first {
            b',' => Some(true),
            b']' => Some(false),
            _ => None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// A number as JSON writes it, or null.
    #[inline]
    fn number<T: Float>(&mut self) -> Option<T> {
        let Some((value, length)) = decimal::read(self.0) else {
            return self.other_number();
        };
        self.0 = skip(self.0.get(length..)?);
        T::of(value)
    }

    /// One of another form than most.
    fn other_number<T: Float>(&mut self) -> Option<T> {
        let negative = self.0.first() == Some(&b'-');
        let digits = self.0.get(usize::from(negative)..)?;
        let whole = digits
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(digits.len());
        let after = digits.get(whole);
        let fraction = after == Some(&b'.');
        if whole == 0 {
            return self.null();
        }
        // JSON has no leading zero, and no point without a digit behind it.
        if whole > 1 && digits[0] == b'0' || fraction && !digits.get(whole + 1)?.is_ascii_digit() {
            return None;
        }
        let (value, length) = fast_float2::parse_partial::<f64, _>(self.0).ok()?;
        self.0 = skip(self.0.get(length..)?);
        let integer = !fraction && !matches!(after, Some(b'e' | b'E'));
        if integer && whole > EXACT_DIGITS {
            return None;
        }
        // Python reads `-0` as the integer zero, which has no sign.
        T::of(if integer { value + 0.0 } else { value })
    }

    fn null<T: Float>(&mut self) -> Option<T> {
        self.0 = skip(self.0.strip_prefix(b"null")?);
        T::from_null()
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
            "999999999999999",
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
    fn numbers_that_a_type_does_not_hold_are_left_to_others() {
        assert!(rows::<f64>(b"[[9007199254740993]]", &[Some(0)], 1).is_none());
        assert!(rows::<f32>(b"[[1e39]]", &[Some(0)], 1).is_none());
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
