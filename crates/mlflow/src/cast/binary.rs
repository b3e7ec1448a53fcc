//! Columns of a frame declared as binary: base64, read as leniently as Python's `base64.decodebytes`.

use std::sync::Arc;

use arrow_array::BinaryArray;

use super::{Cast, Cell, Item, Stop, each};
use crate::json::View;
use crate::lossy::LossyCast;

pub(super) fn decoded(items: &[Item<'_>]) -> Result<Cast, Stop> {
    let (values, losses) = each(items, |item| match item.view() {
        View::Text(text) => match decode(text.as_bytes()) {
            Some((bytes, false)) => Cell::Is(bytes),
            Some((bytes, true)) => Cell::Lost(bytes, LossyCast::SkippedBase64),
            None => Cell::Fault,
        },
        _ => Cell::Fault,
    })?;
    let array = BinaryArray::from_iter_values(values);
    Ok(Cast::new(Arc::new(array), losses))
}

/// The bytes, and whether anything but white space was skipped; `None` where the text breaks off within a group.
fn decode(text: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut filled, mut left, mut pads, mut skipped) = (0_u8, 0_u8, 0_u8, false);
    for (position, letter) in text.iter().enumerate() {
        if *letter == b'=' {
            pads += u8::from(filled >= 2);
            if filled >= 2 && filled + pads >= 4 {
                skipped |= text[position + 1..]
                    .iter()
                    .any(|letter| !letter.is_ascii_whitespace());
                return Some((out, skipped));
            }
            continue;
        }
        let Some(value) = sextet(*letter) else {
            skipped |= !letter.is_ascii_whitespace();
            continue;
        };
        pads = 0;
        match filled {
            0 => {}
            1 => out.push(left << 2 | value >> 4),
            2 => out.push(left << 4 | value >> 2),
            _ => out.push(left << 6 | value),
        }
        left = value;
        filled = (filled + 1) % 4;
    }
    (filled == 0).then_some((out, skipped))
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_python_reads_it() {
        for (text, bytes) in [
            ("", ""),
            ("YWJj", "abc"),
            ("YWI=", "ab"),
            ("YQ==", "a"),
            ("YQ==YWJj", "a"),
            ("Y W\nJj", "abc"),
            ("Y-WJj", "abc"),
            ("=", ""),
            ("YWJj=", "abc"),
        ] {
            let (decoded, _) = decode(text.as_bytes()).unwrap();
            assert_eq!(decoded, bytes.as_bytes(), "{text}");
        }
        for text in ["Y", "YW", "YWJ", "YQ=", "YWJjZ"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        assert!(decode(b"Y!WJj").unwrap().1 && !decode(b"YW\nJj").unwrap().1);
    }
}
