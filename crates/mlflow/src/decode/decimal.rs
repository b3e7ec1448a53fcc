//! A number as most payloads write it, read without a branch on how long it is.
//!
//! One to seven digits, then perhaps a point and one to nineteen more, nineteen in all, and no exponent. Processors guess branches, and lengths of
//! numbers are what they can't guess: a wrong guess costs more than the arithmetic of a whole number. So the digits are taken eight at a
//! time, and what is no digit is shifted out. Any other text is `None`, and a general reader reads it.
//!
//! The value is the double nearest to the text: a quotient of two exact doubles, or one product with the reciprocal
//! of the power of ten in 64 bits, where that decides the rounding (all but one in some hundred), or `None`.

/// Digits but for a leading zero, at most, so that they fit 64 bits.
const DIGITS: usize = 19;
/// Bytes that are looked at: seven digits, the point, three times eight more.
const LONGEST: usize = 32;
/// Up to here, integers are exact in a double.
const EXACT: u64 = 1 << 53;
/// Below, the quotient is taken at once: the product would often leave such short numbers undecided.
const SHORT: u64 = 1 << 32;

const POWERS: [u64; DIGITS + 1] = {
    let mut powers = [1; DIGITS + 1];
    let mut index = 1;
    while index <= DIGITS {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// For each power of five: the bits it takes, and its reciprocal times two to that plus 63, cut to an integer.
const RECIPROCALS: [(i32, u64); DIGITS + 1] = {
    let mut reciprocals = [(0, 0); DIGITS + 1];
    let (mut index, mut five) = (1, 5_u64);
    while index <= DIGITS {
        let bits = (u64::BITS - five.leading_zeros()) as i32;
        reciprocals[index] = (bits, ((1_u128 << (63 + bits)) / five as u128) as u64);
        five *= 5;
        index += 1;
    }
    reciprocals
};

/// The number at the start of `text` and the bytes it takes, where it is a plain one and followed by some more.
#[inline(always)]
pub(super) fn read(text: &[u8]) -> Option<(f64, usize)> {
    let negative = usize::from(*text.first()? == b'-');
    // So much is looked at, whatever is there.
    let text = text.get(negative..negative + LONGEST)?;
    let digits = digits(text, 0);
    let whole_digits = count(digits);
    // JSON allows no leading zero.
    if whole_digits.wrapping_sub(1) > 6 || whole_digits > 1 && text[0] == b'0' {
        return None;
    }
    let whole = number(digits, whole_digits);
    let (magnitude, length) = match text[whole_digits] {
        b'.' => with_fraction(text, whole, whole_digits)?,
        b'e' | b'E' => return None,
        // An integer zero has no sign, as in Python.
        _ if whole == 0 => return Some((0.0, negative + 1)),
        _ => (whole as f64, whole_digits),
    };
    let sign = (negative as u64) << 63;
    Some((
        f64::from_bits(magnitude.to_bits() | sign),
        negative + length,
    ))
}

/// The value of `whole` and the digits after the point, and the bytes of both.
#[inline(always)]
fn with_fraction(text: &[u8], whole: u64, whole_digits: usize) -> Option<(f64, usize)> {
    let first = digits(text, whole_digits + 1);
    let (mantissa, places) = match count(first) {
        0 => return None,
        8 => {
            let second = digits(text, whole_digits + 9);
            let more = count(second);
            // A zero before the point takes no room.
            let room = DIGITS - 8 - if whole == 0 { 0 } else { whole_digits };
            if more > room {
                return None;
            }
            let mantissa = whole * POWERS[8] + number(first, 8);
            let mantissa = mantissa * POWERS[more] + number(second, more);
            if more < 8 {
                (mantissa, 8 + more)
            } else {
                let third = digits(text, whole_digits + 17);
                let last = count(third);
                if more + last > room {
                    return None;
                }
                (mantissa * POWERS[last] + number(third, last), 16 + last)
            }
        }
        places => (whole * POWERS[places] + number(first, places), places),
    };
    let length = whole_digits + 1 + places;
    if matches!(text[length], b'e' | b'E') {
        return None;
    }
    Some((divided(mantissa, places)?, length))
}

/// Each byte less the digit zero: 0 to 9 for a digit, more for anything else. The first is the lowest.
#[inline(always)]
fn digits(text: &[u8], from: usize) -> u64 {
    let mut chunk = [0; 8];
    chunk.copy_from_slice(&text[from..from + 8]);
    u64::from_le_bytes(chunk) ^ 0x3030_3030_3030_3030
}

/// How many digits are there before the first byte that is none.
#[inline(always)]
fn count(digits: u64) -> usize {
    let above_nine = (digits & 0x7f7f_7f7f_7f7f_7f7f) + 0x7676_7676_7676_7676;
    let others = (above_nine | digits) & 0x8080_8080_8080_8080;
    others.trailing_zeros() as usize / 8
}

/// The number that the first `count` digits are: pairs, then fours, then all.
#[inline(always)]
fn number(digits: u64, count: usize) -> u64 {
    // Twice, since by all 64 bits it can't be shifted at once.
    let digits = digits << (4 * (8 - count)) << (4 * (8 - count));
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

/// The double nearest to `mantissa` over ten to the `power`, where that is easily told.
#[inline(always)]
fn divided(mantissa: u64, power: usize) -> Option<f64> {
    if mantissa >= SHORT
        && let Some(value) = multiplied(mantissa, power)
    {
        return Some(value);
    }
    (mantissa <= EXACT).then(|| mantissa as f64 / POWERS[power] as f64)
}

/// By the reciprocal of the power of five; that of the power of two goes to the exponent. The reciprocal is too small by
/// less than one of its units, so the true product's upper half is `upper` or one more.
#[inline(always)]
fn multiplied(mantissa: u64, power: usize) -> Option<f64> {
    let (bits, reciprocal) = RECIPROCALS[power];
    let zeros = mantissa.leading_zeros();
    let product = u128::from(mantissa << zeros) * u128::from(reciprocal);
    let (upper, lower) = ((product >> 64) as u64, product as u64);
    let full = (upper >> 63) as i32;
    // 53 bits and one to round by; what is below must neither be nothing nor about to carry.
    let cut = 9 + full;
    let below = upper & ((1 << cut) - 1);
    if below + 1 == 1 << cut || below == 0 && lower == 0 {
        return None;
    }
    let rounded = ((upper >> cut) + 1) >> 1;
    let exponent = 11 + full - zeros as i32 - bits - power as i32;
    let scale = i64::from(exponent) << 52;
    Some(f64::from_bits(
        (rounded as f64).to_bits().wrapping_add_signed(scale),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look like those of payloads, and those that are hard to round.
    fn texts(seed: u64) -> impl Iterator<Item = String> {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        (0..400_000).map(move |turn| {
            let sign = if next() % 2 == 0 { "-" } else { "" };
            let whole = next() % [1, 10, 1000, 10_000_000][(next() % 4) as usize];
            let places = 1 + (next() % 19) as usize;
            let fraction = next().wrapping_mul(next()) % 10_u64.pow(places as u32);
            match turn % 4 {
                // The shortest text of a double.
                0 => format!(
                    "{sign}{}",
                    (next() as f64 / (1_u64 << 53) as f64) * (1 + whole) as f64
                ),
                // A tie between two doubles, or a neighbour of one.
                1 => {
                    let tie = (EXACT + 2 * (next() % (EXACT / 2)) + 1) as f64 / 2.0;
                    format!("{sign}{:.3}", tie / 8_f64.powi((next() % 12) as i32 + 8))
                }
                2 => format!("{sign}{whole}"),
                _ => format!("{sign}{whole}.{fraction:0places$}"),
            }
        })
    }

    fn padded(text: &str) -> String {
        format!("{text},                                ")
    }

    #[test]
    fn what_is_read_is_the_nearest_double() {
        let (mut read_here, mut all) = (0, 0);
        for text in texts(7) {
            all += 1;
            let Some((value, length)) = read(padded(&text).as_bytes()) else {
                continue;
            };
            read_here += 1;
            assert_eq!(length, text.len(), "{text}");
            let nearest: f64 = if text == "-0" {
                0.0
            } else {
                text.parse().unwrap()
            };
            assert_eq!(value.to_bits(), nearest.to_bits(), "{text}");
        }
        assert!(read_here * 10 > all * 8, "{read_here} of {all} were read");
    }

    #[test]
    fn other_texts_are_left_to_others() {
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "01",
            "1e5",
            "1.5e5",
            "12345678",
            "1.1234567890123456789",
            "0.12345678901234567890",
            "x",
            "--1",
        ] {
            assert_eq!(read(padded(text).as_bytes()), None, "{text}");
        }
        assert_eq!(read(b"1.5,"), None);
    }
}
