//! What the pages of a Parquet file claim to hold, read from their headers alone.
//!
//! The reader of the format makes room for what a header claims before it looks at the page, so a file of some hundred
//! bytes could take gigabytes. Headers are Thrift structs in the compact protocol; of `PageHeader` the sizes and the number
//! of values count here, and all else is passed over.

use parquet::file::metadata::ParquetMetaData;

/// Bytes that one page may take when it is unpacked.
const LARGEST_PAGE: u64 = 256 << 20;

/// Structs and lists within a header nest no deeper.
const MAX_DEPTH: u32 = 8;

/// Whether every page of the file claims no more than it can hold, and all together no more than `limit` bytes. `None`
/// where a header cannot be read.
pub(super) fn are_sound(file: &[u8], metadata: &ParquetMetaData, limit: u64) -> Option<bool> {
    let mut total = 0_u64;
    for group in metadata.row_groups() {
        for column in group.columns() {
            let data = column.data_page_offset();
            let start = column
                .dictionary_page_offset()
                .map_or(data, |offset| offset.min(data));
            let start = usize::try_from(start).ok()?;
            let length = usize::try_from(column.compressed_size()).ok()?;
            let mut pages = file.get(start..start.checked_add(length)?)?;
            while !pages.is_empty() {
                let page = Page::read(&mut pages)?;
                total = total.checked_add(page.unpacked)?;
                // Even packed into bits, a dictionary has no more values than that.
                let too_many = page.is_dictionary && page.values > page.unpacked.saturating_mul(8);
                if page.unpacked > LARGEST_PAGE || total > limit || too_many {
                    return Some(false);
                }
                pages = pages.get(page.packed..)?;
            }
        }
    }
    Some(true)
}

/// What a header says of its page.
#[derive(Default)]
struct Page {
    unpacked: u64,
    packed: usize,
    values: u64,
    is_dictionary: bool,
}

impl Page {
    /// The header at the start of `bytes`, which then begin behind it.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut thrift = Thrift(bytes);
        let mut page = Self::default();
        let mut id = 0;
        while let Some((field, kind)) = thrift.field(&mut id)? {
            match (field, kind) {
                (2, Kind::INT) => page.unpacked = thrift.unsigned()?,
                (3, Kind::INT) => page.packed = usize::try_from(thrift.unsigned()?).ok()?,
                // The headers of data pages, of dictionaries, and of data pages of version 2.
                (5 | 7 | 8, Kind::STRUCT) => {
                    page.is_dictionary |= field == 7;
                    page.values = thrift.number_of_values()?;
                }
                _ => thrift.skip(kind, 0)?,
            }
        }
        *bytes = thrift.0;
        Some(page)
    }
}

/// The type of a field, as the compact protocol numbers it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind(u8);

impl Kind {
    const TRUE: Kind = Kind(1);
    const FALSE: Kind = Kind(2);
    const BYTE: Kind = Kind(3);
    const SHORT: Kind = Kind(4);
    const INT: Kind = Kind(5);
    const LONG: Kind = Kind(6);
    const DOUBLE: Kind = Kind(7);
    const BINARY: Kind = Kind(8);
    const LIST: Kind = Kind(9);
    const SET: Kind = Kind(10);
    const STRUCT: Kind = Kind(12);
}

/// What is left to read.
struct Thrift<'a>(&'a [u8]);

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// An integer that must not be negative; the protocol writes it doubled, the odd ones being negative.
    fn unsigned(&mut self) -> Option<u64> {
        let value = self.varint()?;
        (value & 1 == 0).then_some(value >> 1)
    }

    /// The next field of a struct; none at its end. `id` is that of the field before.
    #[expect(
        clippy::option_option,
        reason = "the outer one is a header that cannot be read"
    )]
    fn field(&mut self, id: &mut u64) -> Option<Option<(u64, Kind)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = match byte >> 4 {
            0 => self.unsigned()?,
            step => id.checked_add(u64::from(step))?,
        };
        Some(Some((*id, Kind(byte & 0x0f))))
    }

    /// The first field of a page's own header, which is its number of values in all of them.
    fn number_of_values(&mut self) -> Option<u64> {
        let (mut values, mut id) = (0, 0);
        while let Some((field, kind)) = self.field(&mut id)? {
            match (field, kind) {
                (1, Kind::INT) => values = self.unsigned()?,
                _ => self.skip(kind, 1)?,
            }
        }
        Some(values)
    }

    fn skip(&mut self, kind: Kind, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            Kind::TRUE | Kind::FALSE => Some(()),
            Kind::BYTE => self.pass(1),
            Kind::SHORT | Kind::INT | Kind::LONG => self.varint().map(drop),
            Kind::DOUBLE => self.pass(8),
            Kind::BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            Kind::LIST | Kind::SET => self.skip_list(depth),
            Kind::STRUCT => {
                let mut id = 0;
                while let Some((_, kind)) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            // Maps, which no page header has, and what the protocol does not know.
            _ => None,
        }
    }

    fn skip_list(&mut self, depth: u32) -> Option<()> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        match Kind(byte & 0x0f) {
            // In a list a truth value has a byte.
            Kind::TRUE | Kind::FALSE => self.pass(count),
            kind => (0..count).try_for_each(|_| self.skip(kind, depth + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header: data page, sizes, and a header of its own with a number of values.
    fn header(unpacked: u8, own: u8) -> Vec<u8> {
        let step = own - 3;
        vec![
            0x15,
            0,
            0x15,
            unpacked,
            0x15,
            6,
            (step << 4) | 12,
            0x15,
            20,
            0x15,
            0,
            0,
            0,
            1,
            2,
            3,
            9,
        ]
    }

    #[test]
    fn sizes_and_numbers_of_values_are_read_and_the_rest_is_passed_over() {
        let bytes = header(80, 5);
        let mut rest = bytes.as_slice();
        let page = Page::read(&mut rest).unwrap();
        assert_eq!((page.unpacked, page.packed, page.values), (40, 3, 10));
        assert!(!page.is_dictionary);
        assert_eq!(rest, [1, 2, 3, 9]);
        let bytes = header(80, 7);
        assert!(Page::read(&mut bytes.as_slice()).unwrap().is_dictionary);
    }

    #[test]
    fn what_is_no_header_is_none() {
        let whole = header(80, 5);
        for length in 0..13 {
            assert!(Page::read(&mut &whole[..length]).is_none(), "{length}");
        }
        assert!(
            Page::read(&mut header(81, 5).as_slice()).is_none(),
            "negative"
        );
        let nested: Vec<u8> = std::iter::repeat_n(0x1c, 1_000).collect();
        assert!(Page::read(&mut nested.as_slice()).is_none());
        let endless = [
            0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ];
        assert!(Page::read(&mut endless.as_slice()).is_none());
    }
}
