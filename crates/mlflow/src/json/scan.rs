//! A reader that walks over a text and hands out one value at a time, as tokens or as spans of the text.

use std::borrow::Cow;

use super::depth::MAX_JSON_DEPTH;

/// Where a text stops being JSON, and what was expected there. Holds nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {}: expected {expected}", .at + 1)]
pub struct JsonError {
    /// Bytes before the place.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

/// A place in a JSON text. Cheap to make and to clone; reads nothing ahead.
#[derive(Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

/// A value without inner values, or the opening of one that has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    Null,
    Bool(bool),
    /// A number, as it is written: also `NaN`, `Infinity`, `-Infinity`.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// To be followed by [`Scanner::list`]'s inner part.
    List,
    /// To be followed by [`Scanner::object`]'s inner part.
    Object,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// Bytes that were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn error<T>(&self, expected: &'static str) -> Result<T, JsonError> {
        Err(JsonError {
            at: self.at,
            expected,
        })
    }

    fn blank(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The next byte that is no blank.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.blank();
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Fails unless nothing but blanks is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.error("the end of the JSON"),
        }
    }

    /// Reads a list: `each` is called before every item, and has to read it.
    pub(crate) fn list(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        if !self.take(b'[') {
            return self.error("a list");
        }
        self.enter()?;
        if !self.take(b']') {
            loop {
                each(self)?;
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return self.error("',' or ']'");
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an object: `each` is called with every key, and has to read its value.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        if !self.take(b'{') {
            return self.error("an object");
        }
        self.enter()?;
        if !self.take(b'}') {
            loop {
                let key = self.text()?;
                if !self.take(b':') {
                    return self.error("':'");
                }
                each(self, key)?;
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return self.error("',' or '}'");
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        self.depth += 1;
        if self.depth > MAX_JSON_DEPTH {
            return self.error("no more than 500 nested levels");
        }
        Ok(())
    }

    /// Reads a value that is neither list nor object; of those only the kind is told, and nothing read.
    pub(crate) fn token(&mut self) -> Result<Token<'a>, JsonError> {
        match self.peek() {
            Some(b'[') => Ok(Token::List),
            Some(b'{') => Ok(Token::Object),
            Some(b'"') => self.text().map(Token::Text),
            Some(b'n') if self.word("null") => Ok(Token::Null),
            Some(b't') if self.word("true") => Ok(Token::Bool(true)),
            Some(b'f') if self.word("false") => Ok(Token::Bool(false)),
            Some(_) => self.number().map(Token::Number),
            None => self.error("a value"),
        }
    }

    /// Reads over a value; its bytes.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], JsonError> {
        self.blank();
        let start = self.at;
        match self.token()? {
            Token::List => self.list(|inner| inner.skip().map(drop))?,
            Token::Object => self.object(|inner, _| inner.skip().map(drop))?,
            _ => {}
        }
        Ok(&self.text[start..self.at])
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.text[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.word("NaN") || self.word("Infinity") || self.word("-Infinity") {
            return self.ascii(start);
        }
        self.at += usize::from(self.text.get(self.at) == Some(&b'-'));
        let first = self.at;
        self.digits("a value")?;
        if self.text[first] == b'0' && self.at - first > 1 {
            self.at = first + 1;
            return self.error("no digit after a leading zero");
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("a digit")?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.text.get(self.at), Some(b'+' | b'-')));
            self.digits("a digit")?;
        }
        self.ascii(start)
    }

    fn digits(&mut self, expected: &'static str) -> Result<(), JsonError> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            return self.error(expected);
        }
        Ok(())
    }

    fn ascii(&self, start: usize) -> Result<&'a str, JsonError> {
        std::str::from_utf8(&self.text[start..self.at]).or_else(|_| self.error("a number"))
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, JsonError> {
        if !self.take(b'"') {
            return self.error("a text");
        }
        let start = self.at;
        let mut escaped = false;
        loop {
            let Some(step) = memchr::memchr2(b'"', b'\\', &self.text[self.at..]) else {
                self.at = self.text.len();
                return self.error("'\"'");
            };
            self.at += step;
            if self.text[self.at] == b'"' {
                break;
            }
            escaped = true;
            self.at = (self.at + 2).min(self.text.len());
        }
        let inner = &self.text[start..self.at];
        let quoted = &self.text[start - 1..=self.at];
        let place = JsonError {
            at: start,
            expected: "a text of valid characters and escapes",
        };
        self.at += 1;
        if escaped {
            let text: String = serde_json::from_slice(quoted).map_err(|_| place)?;
            return Ok(Cow::Owned(text));
        }
        if inner.iter().any(|byte| *byte < b' ') {
            return Err(place);
        }
        std::str::from_utf8(inner)
            .map(Cow::Borrowed)
            .map_err(|_| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(text: &str) -> Result<usize, JsonError> {
        let mut scanner = Scanner::new(text.as_bytes());
        scanner.skip()?;
        scanner.end()?;
        Ok(scanner.at())
    }

    #[test]
    fn it_takes_what_python_takes_and_nothing_else() {
        for text in [
            "null",
            " [1, -0.5e+3 ,NaN, -Infinity] ",
            r#"{"a": {"b\u00e9\"": [true, false]}, "": ""}"#,
            "[]",
            "{}",
        ] {
            assert_eq!(skipped(text), Ok(text.len()), "{text}");
        }
        for text in [
            "", "[1,]", "{\"a\"}", "01", "1.", "nul", "\"a", "[1 2]", "-", "+1", "1e", "\"\\x\"",
            "\"a\nb\"", "{1: 2}", "[1]]", "\"\\",
        ] {
            assert!(skipped(text).is_err(), "{text}");
        }
        assert!(skipped(&"[".repeat(100_000)).is_err());
    }
}
