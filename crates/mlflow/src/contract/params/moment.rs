//! Dates and times as `numpy.datetime64` reads them from text, for the forms that all its versions read alike.

use crate::params::{Moment, ParamValue};

/// What a text is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    /// A date, or a time.
    Is(ParamValue),
    /// numpy refuses it.
    IsNot,
    /// A time, but finer than Python's own: MLflow refuses it.
    TooFine,
    /// A form that is left to numpy.
    Undecided,
}

/// Reads `2024-01-02`, `2024-01-02T03:04`, `2024-01-02 03:04:05.678`, and times with `Z` or an offset from UTC.
pub(super) fn read(text: &str) -> Reading {
    if is_no_date(text) {
        return Reading::IsNot;
    }
    plain(text).unwrap_or(Reading::Undecided)
}

/// Whether numpy stops before it has a year: at a letter that begins none of its words, or after the first digits.
fn is_no_date(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if first.is_ascii_alphabetic() {
        let word = text.trim_end().to_ascii_lowercase();
        return !["nat", "today", "now"].contains(&word.as_str());
    }
    let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    first.is_ascii_digit() && rest.starts_with(['/', '.', ':', ',', '_'])
}

fn plain(text: &str) -> Option<Reading> {
    let mut rest = Cursor(text.as_bytes());
    let year = rest.digits(4)?;
    rest.take(b'-')?;
    let month = rest.digits(2)?;
    rest.take(b'-')?;
    let date = Moment::midnight(year, month, rest.digits(2)?)?;
    if rest.0.is_empty() {
        return Some(Reading::Is(ParamValue::Date(date)));
    }
    rest.take(b'T').or_else(|| rest.take(b' '))?;
    let hour = rest.digits(2).filter(|hour| *hour < 24)?;
    rest.take(b':')?;
    let minute = rest.digits(2).filter(|minute| *minute < 60)?;
    let (mut second, mut fraction) = (0, Some(0));
    if rest.take(b':').is_some() {
        second = rest.digits(2).filter(|second| *second < 60)?;
        if rest.take(b'.').is_some() {
            fraction = rest.micros()?;
        }
    }
    let offset = rest.offset()?;
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    let moment = date.shifted(seconds * 1_000_000 + fraction.unwrap_or(0))?;
    Some(match fraction {
        Some(_) => Reading::Is(ParamValue::Datetime(moment)),
        None => Reading::TooFine,
    })
}

/// What is left of a text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == byte).then(|| self.0 = rest)
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
        }
        self.0 = rest;
        Some(number)
    }

    /// The digits of a fraction: one to six are microseconds, seven to nine are finer than Python's times (`None` inside).
    fn micros(&mut self) -> Option<Option<i64>> {
        let length = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let number = self.digits(length)?;
        match length {
            1..=6 => Some(Some(number * 10_i64.pow(6 - u32::try_from(length).ok()?))),
            7..=9 => Some(None),
            _ => None,
        }
    }

    /// Minutes from UTC, up to the end of the text: nothing, `Z`, `+01:00`.
    fn offset(&mut self) -> Option<i64> {
        if self.0.is_empty() || (self.take(b'Z').is_some() && self.0.is_empty()) {
            return Some(0);
        }
        let sign = if self.take(b'+').is_some() {
            1
        } else {
            self.take(b'-')?;
            -1
        };
        let hours = self.digits(2).filter(|hours| *hours < 24)?;
        self.take(b':')?;
        let minutes = self.digits(2).filter(|minutes| *minutes < 60)?;
        self.0.is_empty().then_some(sign * (hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reading of a text, written as Python's `str` of the value.
    fn shown(text: &str) -> String {
        match read(text) {
            Reading::Is(ParamValue::Date(moment)) => format!("date {}", moment.date_text()),
            Reading::Is(ParamValue::Datetime(moment)) => format!("time {}", moment.datetime_text()),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn texts_are_read_as_numpy_reads_them() {
        // Each row was measured: `numpy.datetime64(text).item()` of numpy 1.26 and 2.4.
        let table = [
            ("2024-01-02", "date 2024-01-02"),
            ("0001-01-01", "date 0001-01-01"),
            ("2024-01-02T03:04", "time 2024-01-02T03:04:00"),
            ("2024-01-02 03:04:05", "time 2024-01-02T03:04:05"),
            ("2024-01-02T03:04:05.1", "time 2024-01-02T03:04:05.100000"),
            (
                "2024-01-02T03:04:05.123456",
                "time 2024-01-02T03:04:05.123456",
            ),
            ("2024-01-02T03:04:05Z", "time 2024-01-02T03:04:05"),
            ("2024-01-02T03:04:05+01:00", "time 2024-01-02T02:04:05"),
            ("2024-01-01T00:04:05+01:00", "time 2023-12-31T23:04:05"),
            ("2024-12-31T23:00:00-01:30", "time 2025-01-01T00:30:00"),
            ("2024-01-02T03:04:05.1234567", "TooFine"),
            ("01/02/2024", "IsNot"),
            ("2024/01/02", "IsNot"),
            ("Jan 2, 2024", "IsNot"),
            ("natx", "IsNot"),
            ("1.5", "IsNot"),
            ("12:30", "IsNot"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn other_forms_are_left_to_numpy() {
        for text in [
            "",
            "NaT",
            "Today",
            "now",
            "2024",
            "2024-01",
            "20240102",
            " 2024-01-02",
            "-2024-01-02",
            "2024-01-02T03",
            "2024-02-30",
            "2024-01-02T24:00",
            "2024-01-02T03:04:60",
            "2024-01-02T03:04:05.",
            "2024-01-02T03:04:05+0100",
            "2024-01-02T03:04:05.1234567890",
            "2024-01-02Z",
            "2024-01-02T03:04:05 ",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01",
            "2024-01-02T03:04:05é",
            "é",
        ] {
            assert_eq!(shown(text), "Undecided", "{text}");
        }
    }
}
