//! Answers and errors as HTTP responses: the one place where either becomes bytes.
//!
//! Errors are told in MLflow's words (an error code, or plain text where its server is plain), or as the one text under
//! `error` that TensorFlow Serving and the Open Inference Protocol know.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use sluis_mlflow::encode::{self, EncodeError, Shape, Table, TableFormat};
use sluis_mlflow::{Answer, HttpAnswer};
use sluis_scoring::ScoreError;

use crate::accept::{self, AnswerForm};
use crate::body::BodyError;
use crate::fault::{self, Fault, Words};

/// In which words an error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    /// MLflow's document of code and message.
    Mlflow,
    /// `{"error": "…"}`.
    ErrorText,
    /// `{"message": …}`, Azure's.
    MessageText,
}

pub(crate) fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    typed(status, HeaderValue::from_static("application/json"), body)
}

pub(crate) fn plain(status: StatusCode, body: impl Into<Body>) -> Response {
    typed(
        status,
        HeaderValue::from_static("text/plain; charset=utf-8"),
        body,
    )
}

pub(crate) fn typed(
    status: StatusCode,
    content_type: HeaderValue,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// A request without predictions, in the words of its dialect.
pub(crate) fn fault(fault: Fault, form: ErrorForm) -> Response {
    let (status, retry_after) = (fault.status, fault.retry_after);
    let mut response = match (form, fault.words) {
        (ErrorForm::Mlflow, Words::Document(document)) => json(status, document.to_json()),
        (ErrorForm::Mlflow, Words::Json(document)) => json(status, document),
        (ErrorForm::Mlflow, Words::Plain(text)) => plain(status, text),
        (form, words) => {
            let text = Fault {
                status,
                words,
                retry_after,
            }
            .text();
            match form {
                // The text of a request that took too long calls itself JSON.
                ErrorForm::Mlflow => json(status, text),
                ErrorForm::ErrorText => {
                    json(status, serde_json::json!({ "error": text }).to_string())
                }
                ErrorForm::MessageText => {
                    json(status, serde_json::json!({ "message": text }).to_string())
                }
            }
        }
    };
    if let Some(seconds) = retry_after {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

pub(crate) fn body_error(problem: &BodyError) -> Response {
    fault(problem.into(), ErrorForm::Mlflow)
}

/// A model's answer in MLflow's JSON.
pub(crate) fn answer(answer: Answer, shape: Shape) -> Response {
    match answer {
        Answer::Http(answer) => passed_on(answer, shape),
        answer => match encode::response(answer, shape) {
            Ok(body) => json(StatusCode::OK, body),
            Err(problem) => fault(fault::unserializable(&problem), ErrorForm::Mlflow),
        },
    }
}

/// A model's answer as a table, in the form that the caller accepts.
pub(crate) fn table(answer: Answer, form: AnswerForm) -> Result<Response, EncodeError> {
    let (format, content_type) = match form {
        AnswerForm::Arrow => (TableFormat::ArrowStream, accept::ARROW),
        AnswerForm::Csv | AnswerForm::Json => (TableFormat::Csv, "text/csv; charset=utf-8"),
    };
    let mut out = Vec::new();
    Table::of(answer)?.write(format, &mut out)?;
    Ok(typed(
        StatusCode::OK,
        HeaderValue::from_static(content_type),
        out,
    ))
}

/// The response of MLflow's own application, without what should not leave the server.
fn passed_on(answer: HttpAnswer, shape: Shape) -> Response {
    let headers = answer.headers.clone();
    let mut response = match Fault::of_answer(answer) {
        Ok(problem) => fault(problem, ErrorForm::Mlflow),
        Err(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or_default();
            let body = encode::response(Answer::Http(answer), shape).unwrap_or_default();
            json(status, body)
        }
    };
    for (name, value) in headers {
        let kept = ["content-type", "allow", "location"].contains(&name.as_str());
        if kept
            && let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Why there is no answer, in MLflow's words.
pub(crate) fn score_error(problem: ScoreError) -> Response {
    fault(problem.into(), ErrorForm::Mlflow)
}
