//! The form of an answer by the request's `Accept` header: JSON, CSV, or an Arrow stream.
//!
//! MLflow's server answers JSON whatever is accepted; without the header, or where JSON is as welcome as another, so does
//! this one.

use axum::http::{HeaderMap, header};

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    /// In the shape of the dialect.
    Json,
    /// A table: a header line, then rows.
    Csv,
    /// A table as an Arrow IPC stream.
    Arrow,
}

impl AnswerForm {
    /// In the order of preference.
    const ALL: [(AnswerForm, &'static str); 3] = [
        (AnswerForm::Json, "application/json"),
        (AnswerForm::Csv, "text/csv"),
        (AnswerForm::Arrow, ARROW),
    ];

    /// The form that the headers prefer; the error is the text of the 406 answer.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let ranges: Vec<Range> = headers
            .get_all(header::ACCEPT)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or("*/*").split(','))
            .filter_map(Range::of)
            .collect();
        if ranges.is_empty() {
            return Ok(AnswerForm::Json);
        }
        let mut best = (AnswerForm::Json, 0);
        for (form, name) in Self::ALL {
            let weight = weight(&ranges, name);
            if weight > best.1 {
                best = (form, weight);
            }
        }
        if best.1 == 0 {
            return Err(
                "None of the types in the Accept header can be answered. The predictions come as 'application/json' (also \
                 without an Accept header), as 'text/csv', or as 'application/vnd.apache.arrow.stream'."
                    .to_owned(),
            );
        }
        Ok(best.0)
    }
}

/// The media type of an Arrow IPC stream.
pub(crate) const ARROW: &str = "application/vnd.apache.arrow.stream";

/// One range of an `Accept` header.
struct Range {
    main: String,
    sub: String,
    /// Thousandths, from 0 (not acceptable) to 1000.
    weight: u16,
}

impl Range {
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let weight = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1.0), |(_, value)| value.trim().parse::<f64>().ok())
            .filter(|weight| (0.0..=1.0).contains(weight))
            .unwrap_or(1.0);
        Some(Self {
            main: main.trim().to_ascii_lowercase(),
            sub: sub.trim().to_ascii_lowercase(),
            weight: (weight * 1000.0).round() as u16,
        })
    }

    /// How closely the range names the type; `None` where it does not.
    fn closeness(&self, main: &str, sub: &str) -> Option<u8> {
        match (self.main.as_str(), self.sub.as_str()) {
            ("*", "*") => Some(0),
            (range, "*") if range == main => Some(1),
            (range, inner) if range == main && inner == sub => Some(2),
            _ => None,
        }
    }
}

/// The weight that the closest range gives to a type.
fn weight(ranges: &[Range], name: &str) -> u16 {
    let (main, sub) = name.split_once('/').unwrap_or_default();
    ranges
        .iter()
        .filter_map(|range| Some((range.closeness(main, sub)?, range.weight)))
        .max()
        .map_or(0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_range_decides_and_json_wins_ties() {
        let table = [
            (None, Some(AnswerForm::Json)),
            (Some(""), Some(AnswerForm::Json)),
            (Some("*/*"), Some(AnswerForm::Json)),
            (Some("application/*"), Some(AnswerForm::Json)),
            (Some("text/*"), Some(AnswerForm::Csv)),
            (Some("Text/CSV"), Some(AnswerForm::Csv)),
            (
                Some("text/csv;q=0.5, application/json;q=0.4"),
                Some(AnswerForm::Csv),
            ),
            (Some("text/csv; q=0.5, */*"), Some(AnswerForm::Json)),
            (
                Some("application/json;q=0, */*;q=0.1"),
                Some(AnswerForm::Csv),
            ),
            (Some(ARROW), Some(AnswerForm::Arrow)),
            (
                Some("text/html, application/xhtml+xml, */*;q=0.8"),
                Some(AnswerForm::Json),
            ),
            (Some("text/html"), None),
            (Some("application/json;q=0"), None),
        ];
        for (accept, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(AnswerForm::of(&headers).ok(), expected, "{accept:?}");
        }
    }
}
