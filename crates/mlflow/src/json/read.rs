//! The text of a document into nodes, in one pass, within bounds of depth and count.

use std::fmt;

use super::depth::MAX_JSON_DEPTH;

/// Values of one document: 320 MiB of nodes.
const MAX_NODES: usize = 16 << 20;

/// Digits of an integer: Python's own reader stops at 4300.
const MAX_DIGITS: usize = 400;

/// A document: its text, and a node for each value and key, parents before children.
pub(crate) struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: Vec<Node>,
}

/// One value or key.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Where its text begins; for a text, after the quote.
    pub(super) start: u32,
    /// Where it ends.
    pub(super) end: u32,
    /// How many elements or members a list or object has.
    pub(super) count: u32,
    /// The node after it and all within it.
    pub(super) next: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Int,
    Float,
    NaN,
    Infinity,
    NegativeInfinity,
    /// A text without escapes.
    Text,
    Escaped,
    List,
    Object,
}

/// A text that is no document, or one that is not read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// Python's reader refuses it as well.
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// Over a bound, or a text that Rust cannot hold.
    Unreadable,
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Syntax { what, line, column } => {
                write!(formatter, "{what}: line {line} column {column}")
            }
            ReadError::Unreadable => formatter.write_str("not read here"),
        }
    }
}

impl<'t> Document<'t> {
    /// Reads a whole text.
    pub(crate) fn read(text: &'t str) -> Result<Self, ReadError> {
        if u32::try_from(text.len()).is_err() {
            return Err(ReadError::Unreadable);
        }
        let mut reader = Reader {
            bytes: text.as_bytes(),
            at: 0,
            nodes: Vec::new(),
        };
        reader.value(0)?;
        reader.space();
        if reader.at < reader.bytes.len() {
            return Err(reader.wrong("text after the end of the document"));
        }
        Ok(Self {
            text,
            nodes: reader.nodes,
        })
    }
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn wrong(&self, what: &'static str) -> ReadError {
        let before = &self.bytes[..self.at.min(self.bytes.len())];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |position| position + 1);
        ReadError::Syntax {
            what,
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Result<usize, ReadError> {
        let index = self.nodes.len();
        if index >= MAX_NODES {
            return Err(ReadError::Unreadable);
        }
        self.nodes.push(Node {
            kind,
            start: start as u32,
            end: end as u32,
            count: 0,
            next: index as u32 + 1,
        });
        Ok(index)
    }

    fn value(&mut self, depth: usize) -> Result<(), ReadError> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b't') => self.word("true", Kind::True),
            Some(b'f') => self.word("false", Kind::False),
            Some(b'N') => self.word("NaN", Kind::NaN),
            Some(b'I') => self.word("Infinity", Kind::Infinity),
            Some(_) => Err(self.wrong("expected a value")),
            None => Err(self.wrong("the text ends where a value is expected")),
        }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), ReadError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("expected a value"));
        }
        self.push(kind, self.at, self.at + word.len())?;
        self.at += word.len();
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<(), ReadError> {
        let index = self.open(Kind::List, depth)?;
        let mut count = 0;
        self.space();
        if self.peek() == Some(b']') {
            return self.close(index, count);
        }
        loop {
            self.value(depth + 1)?;
            count += 1;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.close(index, count),
                Some(_) => return Err(self.wrong("expected ',' or ']'")),
                None => return Err(self.wrong("the text ends within a list")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), ReadError> {
        let index = self.open(Kind::Object, depth)?;
        let mut count = 0;
        self.space();
        if self.peek() == Some(b'}') {
            return self.close(index, count);
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in double quotes"));
            }
            self.text()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.wrong("expected ':'"));
            }
            self.at += 1;
            self.value(depth + 1)?;
            count += 1;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.close(index, count),
                Some(_) => return Err(self.wrong("expected ',' or '}'")),
                None => return Err(self.wrong("the text ends within an object")),
            }
        }
    }

    fn open(&mut self, kind: Kind, depth: usize) -> Result<usize, ReadError> {
        if depth >= MAX_JSON_DEPTH {
            return Err(ReadError::Unreadable);
        }
        let index = self.push(kind, self.at, 0)?;
        self.at += 1;
        Ok(index)
    }

    fn close(&mut self, index: usize, count: u32) -> Result<(), ReadError> {
        self.at += 1;
        self.nodes[index].count = count;
        self.nodes[index].end = self.at as u32;
        self.nodes[index].next = self.nodes.len() as u32;
        Ok(())
    }

    fn number(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                self.word("Infinity", Kind::NegativeInfinity)?;
                return Ok(());
            }
        }
        let digits = self.at;
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.wrong("expected a digit")),
        }
        let whole = self.at - digits;
        let mut kind = Kind::Int;
        // As in Python, a dot or an exponent without digits ends the number before it.
        if self.peek() == Some(b'.') && self.is_digit(self.at + 1) {
            kind = Kind::Float;
            self.at += 1;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            let sign = usize::from(matches!(self.bytes.get(self.at + 1), Some(b'+' | b'-')));
            if self.is_digit(self.at + 1 + sign) {
                kind = Kind::Float;
                self.at += 1 + sign;
                self.digits();
            }
        }
        if kind == Kind::Int && whole > MAX_DIGITS {
            return Err(ReadError::Unreadable);
        }
        self.push(kind, start, self.at)?;
        Ok(())
    }

    fn is_digit(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(u8::is_ascii_digit)
    }

    fn digits(&mut self) {
        while self.is_digit(self.at) {
            self.at += 1;
        }
    }

    fn text(&mut self) -> Result<(), ReadError> {
        self.at += 1;
        let start = self.at;
        let mut kind = Kind::Text;
        loop {
            match self.peek() {
                None => return Err(self.wrong("the text ends within a string")),
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::Escaped;
                    self.escape()?;
                }
                Some(0..=0x1f) => return Err(self.wrong("a control character within a string")),
                Some(_) => self.at += 1,
            }
        }
        self.push(kind, start, self.at)?;
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), ReadError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let low = 0xdc00..0xe000_u16;
                let unit = self.unit()?;
                let high = (0xd800..0xdc00).contains(&unit);
                let pair = high
                    && self.bytes[self.at..].starts_with(b"\\u")
                    && low.contains(&self.unit()?);
                if low.contains(&unit) || (high && !pair) {
                    return Err(ReadError::Unreadable);
                }
            }
            _ => return Err(self.wrong("an unknown escape within a string")),
        }
        Ok(())
    }

    /// The four hexadecimal digits of an escape.
    fn unit(&mut self) -> Result<u16, ReadError> {
        let digits = self.bytes.get(self.at + 2..self.at + 6);
        let hex = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let unit = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u16::from_str_radix(hex, 16).ok())
            .ok_or_else(|| self.wrong("expected four hexadecimal digits after \\u"))?;
        self.at += 6;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        match Document::read(text) {
            Ok(_) => "read".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_python_reads_is_read() {
        for text in [
            "null",
            " [1, -0, 1.5e3, NaN, Infinity, -Infinity] ",
            r#"{"a": {}, "a": []}"#,
            r#""\u00e9\ud83d\ude00\n""#,
            "1e400",
            "[[],{}]",
            "123456789012345678901234567890",
        ] {
            assert_eq!(place(text), "read", "{text}");
        }
    }

    #[test]
    fn what_python_refuses_is_refused_with_its_place() {
        for (text, expected) in [
            (
                "",
                "the text ends where a value is expected: line 1 column 1",
            ),
            ("[1,\n 2,]", "expected a value: line 2 column 4"),
            ("[1 2]", "expected ',' or ']': line 1 column 4"),
            ("01", "text after the end of the document: line 1 column 2"),
            ("1.", "text after the end of the document: line 1 column 2"),
            (
                "{'a': 1}",
                "expected a key in double quotes: line 1 column 2",
            ),
            ("[1", "the text ends within a list: line 1 column 3"),
            (
                "\"a\nb\"",
                "a control character within a string: line 1 column 3",
            ),
            (
                "\"\\x\"",
                "an unknown escape within a string: line 1 column 2",
            ),
            ("nul", "expected a value: line 1 column 1"),
            ("-", "expected a digit: line 1 column 2"),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
        for text in [
            &*"[".repeat(501),
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            &*"1".repeat(401),
        ] {
            assert_eq!(place(text), "not read here", "{text}");
        }
    }
}
