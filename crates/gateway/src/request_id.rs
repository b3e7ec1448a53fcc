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

/// Longest id of Azure's server.
const AZURE_MAX_LENGTH: usize = 100;

const LEGACY_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CLIENT_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const TRACE_ID: HeaderName = HeaderName::from_static("traceid");

/// The ids of a request in Azure's headers: its own, which the caller may choose, and those that are only echoed.
pub(crate) struct AzureIds {
    pub(crate) request: HeaderValue,
    legacy: Option<HeaderValue>,
    client: Option<HeaderValue>,
    trace: Option<HeaderValue>,
}

/// The ids of a request, and the text of the refusal where one is too long.
pub(crate) fn azure(headers: &HeaderMap) -> (AzureIds, Option<&'static str>) {
    let given = |name: HeaderName| headers.get(name).filter(|id| !id.is_empty()).cloned();
    let long = |id: &Option<HeaderValue>| id.as_ref().is_some_and(|id| id.len() > AZURE_MAX_LENGTH);
    let (own, legacy, client) = (given(REQUEST_ID), given(LEGACY_ID), given(CLIENT_ID));
    let refusal = if long(&own) {
        Some("x-request-id must not exceed 100 characters")
    } else if long(&legacy) || long(&client) {
        Some("x-ms-request-id and x-ms-client-request-id must not exceed 100 characters")
    } else {
        None
    };
    let short = |id: Option<HeaderValue>| id.filter(|id| id.len() <= AZURE_MAX_LENGTH);
    let request = short(own).unwrap_or_else(random);
    let (legacy, client) = (short(legacy), short(client));
    let ids = AzureIds {
        legacy: legacy
            .clone()
            .or_else(|| client.clone())
            .or_else(|| Some(request.clone())),
        client: client.or(legacy),
        trace: short(given(TRACE_ID)),
        request,
    };
    (ids, refusal)
}

impl AzureIds {
    /// Writes the ids into the headers of an answer.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let ids = [
            (REQUEST_ID, Some(&self.request)),
            (LEGACY_ID, self.legacy.as_ref()),
            (CLIENT_ID, self.client.as_ref()),
            (TRACE_ID, self.trace.as_ref()),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                headers.insert(name, id.clone());
            }
        }
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

    #[test]
    fn azures_ids_stand_in_for_each_other() {
        let shown = |given: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, HeaderValue::from_str(value).unwrap());
            }
            let (ids, refusal) = azure(&headers);
            let mut answer = HeaderMap::new();
            ids.write(&mut answer);
            let text =
                |name: HeaderName| answer.get(name).map(|id| id.to_str().unwrap().to_owned());
            (
                text(REQUEST_ID).unwrap(),
                text(LEGACY_ID),
                text(CLIENT_ID),
                refusal,
            )
        };
        let (own, legacy, client, _) = shown(&[]);
        assert_eq!((legacy, client), (Some(own), None));
        let (own, legacy, client, _) = shown(&[("x-ms-client-request-id", "c")]);
        assert_eq!(
            (own.len(), legacy.as_deref(), client.as_deref()),
            (32, Some("c"), Some("c"))
        );
        let all = [
            ("x-request-id", "r"),
            ("x-ms-request-id", "l"),
            ("x-ms-client-request-id", "c"),
        ];
        let (own, legacy, client, refusal) = shown(&all);
        assert_eq!(
            (own.as_str(), legacy.as_deref(), client.as_deref()),
            ("r", Some("l"), Some("c"))
        );
        assert!(refusal.is_none());
        let long = "i".repeat(101);
        assert!(
            shown(&[("x-request-id", &long)])
                .3
                .unwrap()
                .starts_with("x-request-id")
        );
        assert!(
            shown(&[("x-ms-client-request-id", &long)])
                .3
                .unwrap()
                .starts_with("x-ms-request-id")
        );
    }
}
