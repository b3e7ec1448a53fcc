//! Texts as numbers, by the rules of Python's `int()` and `float()`.
//!
//! Digits of other scripts, which Python reads too, are not decided here.

/// A text read as a number.
#[derive(Debug, PartialEq)]
pub(crate) enum Parsed<T> {
    Is(T),
    /// Python refuses it.
    No,
    Undecided,
}

/// `int(text)`.
pub(crate) fn int(text: &str) -> Parsed<i128> {
    let Some(text) = trimmed(text) else {
        return Parsed::Undecided;
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some(digits) = without_underscores(digits) else {
        return Parsed::No;
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Parsed::No;
    }
    if digits.len() > 4000 {
        return Parsed::Undecided;
    }
    let significant = digits.trim_start_matches('0');
    // Longer ones overflow every type in the same way.
    let value = significant.get(..significant.len().min(38)).unwrap_or("");
    let value: i128 = if value.is_empty() {
        0
    } else {
        value.parse().unwrap_or(i128::MAX)
    };
    Parsed::Is(if text.starts_with('-') { -value } else { value })
}

/// `float(text)`.
pub(crate) fn float(text: &str) -> Parsed<f64> {
    let Some(text) = trimmed(text) else {
        return Parsed::Undecided;
    };
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Parsed::Is(f64::INFINITY * sign),
        "nan" => return Parsed::Is(f64::NAN),
        _ => {}
    }
    let Some(plain) = without_underscores(unsigned) else {
        return Parsed::No;
    };
    if !is_decimal(&plain) {
        return Parsed::No;
    }
    plain
        .parse::<f64>()
        .map_or(Parsed::No, |value| Parsed::Is(value * sign))
}

/// The text without white space at its ends; `None` for what Rust does not judge.
fn trimmed(text: &str) -> Option<&str> {
    if !text.is_ascii() || text.bytes().any(|byte| matches!(byte, 0x1c..=0x1f)) {
        return None;
    }
    Some(text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']))
}

/// The text without underscores, each of which must stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (position, byte) in bytes.iter().enumerate() {
        if *byte == b'_' {
            let before = position.checked_sub(1).and_then(|before| bytes.get(before));
            let sides = [before, bytes.get(position + 1)];
            if !sides
                .iter()
                .all(|side| side.is_some_and(u8::is_ascii_digit))
            {
                return None;
            }
        }
    }
    Some(text.replace('_', ""))
}

/// Digits with a dot anywhere among them, and an exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(position) => (&text[..position], Some(&text[position + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        digits(exponent) && !exponent.is_empty()
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_python_reads_them() {
        for (text, value) in [
            ("12", 12),
            (" 12\n", 12),
            ("1_000", 1000),
            ("+1", 1),
            ("-0", 0),
            ("007", 7),
        ] {
            assert_eq!(int(text), Parsed::Is(value), "{text}");
        }
        for text in [
            "", " ", "1.0", "1e5", "0x10", "1__0", "_1", "1_", "--1", "+ 1", "1 2", "nan",
        ] {
            assert_eq!(int(text), Parsed::No, "{text}");
        }
        assert_eq!(int("١٢"), Parsed::Undecided);
        assert!(matches!(int(&"9".repeat(99)), Parsed::Is(value) if value > i128::from(u64::MAX)));
    }

    #[test]
    fn floats_are_read_as_python_reads_them() {
        for (text, value) in [
            ("1.5", 1.5),
            (" 1.5\n", 1.5),
            ("1_0.5", 10.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e5", 1e5),
            ("-Infinity", f64::NEG_INFINITY),
            ("1E-2", 0.01),
            ("1e999", f64::INFINITY),
        ] {
            assert_eq!(float(text), Parsed::Is(value), "{text}");
        }
        assert!(matches!(float("-nan"), Parsed::Is(value) if value.is_nan()));
        for text in [
            "", ".", "x", "1e", "e5", "0x1p3", "1__0", "1_.5", "1,5", "infinit", "1 2", "\0",
        ] {
            assert_eq!(float(text), Parsed::No, "{text}");
        }
    }
}
