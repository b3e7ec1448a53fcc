//! The content types of `/invocations`, told apart as MLflow's server does.
//!
//! Media types compare by exact case; the only parameter is `charset`, whose value must be `utf-8`. A missing header is
//! refused with 415, where MLflow's server fails with 500.

use crate::accept::ARROW;

/// A payload's form by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayloadType {
    Json,
    Csv,
    Parquet,
    /// An Arrow IPC stream, which MLflow itself does not know.
    Arrow,
    /// A form that only the model's own MLflow knows.
    Other,
}

impl PayloadType {
    const ALL: [(&'static str, PayloadType); 4] = [
        ("text/csv", PayloadType::Csv),
        ("application/json", PayloadType::Json),
        ("application/vnd.apache.parquet", PayloadType::Parquet),
        (ARROW, PayloadType::Arrow),
    ];

    /// The form that a content type header names, or the text of the 415 answer.
    pub(crate) fn of(header: Option<&str>) -> Result<Self, String> {
        let Some(header) = header else {
            return Err(format!(
                "The request has no content-type header. {}",
                supported("none")
            ));
        };
        let mut parts = header.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let mut unknown = Vec::new();
        let mut charset = None;
        for part in parts {
            match part.split_once('=') {
                Some(("charset", value)) => charset = Some(value),
                Some((name, _)) => unknown.push(name),
                None => unknown.push(part),
            }
        }
        if let Some(charset) = charset
            && !charset.eq_ignore_ascii_case("utf-8")
        {
            return Err("The scoring server only supports UTF-8".to_owned());
        }
        if !unknown.is_empty() {
            return Err(format!(
                "Unrecognized content type parameters: {}. Send the media type alone, or with 'charset=utf-8'.",
                unknown.join(", ")
            ));
        }
        Self::ALL
            .iter()
            .find(|(name, _)| *name == media_type)
            .map(|(_, payload)| *payload)
            .ok_or_else(|| supported(media_type))
    }
}

fn supported(found: &str) -> String {
    let names: Vec<String> = PayloadType::ALL
        .iter()
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    format!(
        "This predictor only supports the following content types: Types: [{}]. Got '{found}'.",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_parameters_are_told_apart_as_mlflow_does() {
        let table = [
            (Some("application/json"), Ok(PayloadType::Json)),
            (
                Some("application/json ; charset=UTF-8"),
                Ok(PayloadType::Json),
            ),
            (Some("text/csv;charset=utf-8"), Ok(PayloadType::Csv)),
            (
                Some("application/vnd.apache.parquet"),
                Ok(PayloadType::Parquet),
            ),
            (Some("application/json; charset=utf8"), Err("UTF-8")),
            (Some("application/json; charset=\"utf-8\""), Err("UTF-8")),
            (
                Some("application/json; format=pandas-split"),
                Err("parameters: format"),
            ),
            (
                Some("application/json; Charset=utf-8"),
                Err("parameters: Charset"),
            ),
            (Some("application/json;"), Err("parameters: ")),
            (Some("Application/JSON"), Err("'Application/JSON'")),
            (Some(""), Err("Got ''")),
            (None, Err("no content-type")),
        ];
        for (header, expected) in table {
            match (PayloadType::of(header), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{header:?}"),
                (Err(found), Err(part)) => assert!(found.contains(part), "{header:?}: {found}"),
                (found, _) => panic!("{header:?}: {found:?}"),
            }
        }
    }
}
