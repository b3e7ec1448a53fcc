//! Whole response bodies: predictions under MLflow's key, or alone.

use bytes::Bytes;

use super::{EncodeError, json};
use crate::answer::{Answer, HttpAnswer};

/// Whether predictions stand under a key or alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"predictions": …}`, MLflow's.
    Wrapped,
    /// The bare value, Azure's.
    Bare,
}

const OPEN: &[u8] = b"{\"predictions\": ";

/// The body of a successful answer. Bodies that MLflow's own code wrote are kept, but for the shape.
pub fn response(answer: Answer, shape: Shape) -> Result<Bytes, EncodeError> {
    let mut out = Vec::with_capacity(room(&answer));
    if shape == Shape::Wrapped {
        out.extend_from_slice(OPEN);
    }
    match answer {
        Answer::Dense(block) => json::dense(&block, &mut out),
        Answer::Batch(batch) => json::records(&batch, &mut out)?,
        Answer::Json(body) | Answer::Http(HttpAnswer { body, .. }) => {
            return Ok(shaped(body, shape));
        }
    }
    if shape == Shape::Wrapped {
        out.push(b'}');
    }
    Ok(out.into())
}

/// About the bytes that the text of an answer takes.
fn room(answer: &Answer) -> usize {
    match answer {
        Answer::Dense(block) => 32 + 2 * block.bytes.len(),
        Answer::Batch(batch) => 32 + 256 * batch.num_rows(),
        Answer::Json(_) | Answer::Http(_) => 0,
    }
}

fn shaped(body: Bytes, shape: Shape) -> Bytes {
    if shape == Shape::Bare && body.starts_with(OPEN) && body.ends_with(b"}") {
        return body.slice(OPEN.len()..body.len() - 1);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_mlflow_lose_their_key_only_when_bare() {
        let body = || Answer::Json(Bytes::from_static(b"{\"predictions\": [1]}"));
        assert_eq!(response(body(), Shape::Bare).unwrap().as_ref(), b"[1]");
        assert_eq!(
            response(body(), Shape::Wrapped).unwrap().as_ref(),
            b"{\"predictions\": [1]}"
        );
        let legacy = Answer::Json(Bytes::from_static(b"[1]"));
        assert_eq!(response(legacy, Shape::Bare).unwrap().as_ref(), b"[1]");
    }
}
