//! Request ids: the caller's own where it is fit to be logged, else a random one.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const MAX_LENGTH: usize = 64;

/// The id of a request.
pub(crate) fn of(headers: &HeaderMap) -> HeaderValue {
    match headers.get(REQUEST_ID) {
        Some(given) if fit(given.as_bytes()) => given.clone(),
        _ => random(),
    }
}

fn fit(id: &[u8]) -> bool {
    !id.is_empty()
        && id.len() <= MAX_LENGTH
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

fn random() -> HeaderValue {
    let mut text = String::with_capacity(32);
    let _infallible = write!(text, "{:032x}", rand::random::<u128>());
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_of_callers_are_kept() {
        let id = |given: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(given));
            of(&headers)
        };
        assert_eq!(id("job-7.a:b_c"), "job-7.a:b_c");
        assert_ne!(id("two words"), "two words");
        assert_eq!(id("").len(), 32);
        assert_ne!(random(), random());
    }
}
