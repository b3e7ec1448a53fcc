//! Moments in the ISO form that pandas and numpy read alike.

/// What a text says: nanoseconds since 1970, and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Nanoseconds; `None` outside of what 64 bits hold.
    pub(crate) nanoseconds: Option<i64>,
    /// Digits of the fraction of a second, and the parts that are there.
    pub(crate) shape: Shape,
}

/// Which parts a text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The letter between date and time, if there is a time.
    pub(crate) separator: Option<u8>,
    /// Whether there are seconds.
    pub(crate) seconds: bool,
    /// Digits of the fraction.
    pub(crate) fraction: usize,
    /// What stands for the zone.
    pub(crate) zone: Zone,
}

/// A zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    None,
    Utc,
    /// Minutes east.
    Offset(i32),
}

/// Whether a text is a date or a moment in that form, within what 64 bits of nanoseconds hold.
pub(crate) fn is_iso_date(text: &str) -> bool {
    read(text).is_some_and(|moment| moment.nanoseconds.is_some())
}

/// The moment of a text `YYYY-MM-DD[(T| )HH:MM[:SS[.f{1,9}]][Z|±HH:MM]]`; `None` for any other.
pub(crate) fn read(text: &str) -> Option<Moment> {
    let bytes = text.as_bytes();
    let mut shape = Shape {
        separator: None,
        seconds: false,
        fraction: 0,
        zone: Zone::None,
    };
    let (year, month, day) = (
        number(bytes, 0, 4)?,
        number(bytes, 5, 2)?,
        number(bytes, 8, 2)?,
    );
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let days = days(year, month, day)?;
    let (mut seconds, fraction) = match bytes.get(10) {
        None => (0, 0),
        Some(separator) => time(*separator, bytes, &mut shape)?,
    };
    seconds += i128::from(days) * 86_400;
    if let Zone::Offset(minutes) = shape.zone {
        seconds -= i128::from(minutes) * 60;
    }
    let nanoseconds = seconds * 1_000_000_000 + i128::from(fraction);
    Some(Moment {
        // The smallest 64-bit number stands for a missing moment.
        nanoseconds: i64::try_from(nanoseconds)
            .ok()
            .filter(|value| *value != i64::MIN),
        shape,
    })
}

/// Seconds of the day and nanoseconds of the second, from the eleventh byte on.
fn time(separator: u8, bytes: &[u8], shape: &mut Shape) -> Option<(i128, i64)> {
    if !matches!(separator, b'T' | b' ') {
        return None;
    }
    shape.separator = Some(separator);
    let (hour, minute) = (number(bytes, 11, 2)?, number(bytes, 14, 2)?);
    if bytes.get(13) != Some(&b':') || hour > 23 || minute > 59 {
        return None;
    }
    let (mut seconds, mut fraction) = (i128::from(hour * 3600 + minute * 60), 0);
    let mut at = 16;
    if bytes.get(at) == Some(&b':') {
        let second = number(bytes, at + 1, 2)?;
        if second > 59 {
            return None;
        }
        shape.seconds = true;
        seconds += i128::from(second);
        at += 3;
        if bytes.get(at) == Some(&b'.') {
            let rest = bytes[at + 1..].iter();
            let digits = rest.take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            fraction = number(bytes, at + 1, digits)? * 10_i64.pow(9 - digits as u32);
            shape.fraction = digits;
            at += 1 + digits;
        }
    }
    shape.zone = zone(bytes.get(at..)?)?;
    Some((seconds, fraction))
}

/// Whether every reader of dates refuses a text: letters alone, which name no month, no day and nothing else that one of
/// them knows.
pub(crate) fn is_no_date(text: &str) -> bool {
    const NAMES: [&str; 19] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon",
        "tue", "wed", "thu", "fri", "sat", "sun",
    ];
    const WORDS: [&str; 12] = [
        "now", "today", "nat", "nan", "none", "na", "null", "utc", "gmt", "am", "pm", "z",
    ];
    let lower = text.to_ascii_lowercase();
    let letters = !lower.is_empty() && lower.bytes().all(|letter| letter.is_ascii_lowercase());
    letters && !NAMES.iter().any(|name| lower.contains(name)) && !WORDS.contains(&lower.as_str())
}

fn zone(rest: &[u8]) -> Option<Zone> {
    match rest {
        [] => Some(Zone::None),
        [b'Z'] => Some(Zone::Utc),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(rest, 1, 2)?, number(rest, 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let east = (hours * 60 + minutes) as i32;
            Some(Zone::Offset(if *sign == b'-' { -east } else { east }))
        }
        _ => None,
    }
}

fn number(bytes: &[u8], start: usize, digits: usize) -> Option<i64> {
    let digits = bytes.get(start..start + digits)?;
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

/// Days since 1970 of a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let length = *lengths.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if year < 1 || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day at their end.
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_1970() {
        let at = |text: &str| read(text).unwrap().nanoseconds;
        assert_eq!(at("1970-01-01"), Some(0));
        assert_eq!(at("2024-02-29T12:00:00.5"), Some(1_709_208_000_500_000_000));
        assert_eq!(at("1969-12-31 23:59:59.999999999"), Some(-1));
        assert_eq!(at("2024-01-02T03:04:05+02:00"), at("2024-01-02T01:04:05Z"));
        assert_eq!(at("9999-12-31"), None);
        assert_eq!(at("1677-09-21T00:12:43.145224192"), None);
        for text in [
            "2024-13-01",
            "2023-02-29",
            "2024-01-01T24:00",
            "2024-1-1",
            "20240101",
            "2024-01-01T",
            "2024-01-01T00:00z",
            "0000-01-01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
