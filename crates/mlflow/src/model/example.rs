//! The stored input example as a request that can be sent.

use std::fs;

use bytes::Bytes;
use serde_json::{Value, json};

use super::folder;
use super::mlmodel::{ExampleInfo, Model};

/// A file above this is not read as an example.
const MAX_BYTES: u64 = 16 << 20;

/// A body for `POST /invocations`, `application/json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleRequest {
    /// The body.
    pub body: Bytes,
    /// The file it comes from.
    pub source: String,
}

impl Model {
    /// The model's own example as a request; `None` when it has none, or one that JSON cannot carry.
    pub fn example_request(&self) -> Option<ExampleRequest> {
        let info = self.example.as_ref()?;
        if let Some(source) = &info.serving_path
            && let Some(body) = self.read_example(source)
            && serde_json::from_slice::<Value>(&body).is_ok()
        {
            return Some(ExampleRequest {
                body: body.into(),
                source: source.clone(),
            });
        }
        let source = info.path.as_ref()?;
        let example: Value = serde_json::from_slice(&self.read_example(source)?).ok()?;
        let body = request(info, example)?.to_string();
        Some(ExampleRequest {
            body: body.into(),
            source: source.clone(),
        })
    }

    /// The file of the stored input example as it is; `None` when there is none, or one too large to be shown.
    pub(crate) fn example_file(&self) -> Option<Vec<u8>> {
        self.read_example(self.example.as_ref()?.path.as_ref()?)
    }

    fn read_example(&self, file: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(file);
        let small = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
        (small && folder::inside(&self.folder, file)).then(|| fs::read(path).ok())?
    }
}

/// The request that sends `example`, by the kind recorded with it.
fn request(info: &ExampleInfo, mut example: Value) -> Option<Value> {
    let mut params = None;
    if info.params
        && let Value::Object(parts) = &mut example
    {
        params = parts.remove("params");
        example = parts.remove("inputs").unwrap_or(Value::Null);
    }
    let mut body = match (info.kind.as_deref()?, info.orient.as_deref()) {
        ("dataframe", Some("values")) => {
            json!({ "dataframe_split": { "data": example.get("data")? } })
        }
        ("dataframe", _) => json!({ "dataframe_split": example }),
        // MLflow 1.x wrote `{"inputs": …}` for arrays, the form of TensorFlow Serving.
        ("ndarray" | "json_object", _) => match example {
            Value::Object(parts) if parts.len() == 1 && parts.contains_key("inputs") => {
                Value::Object(parts)
            }
            example => json!({ "inputs": example }),
        },
        _ => return None,
    };
    if let (Some(params), Value::Object(parts)) = (params, &mut body) {
        parts.insert("params".to_owned(), params);
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_finds_its_payload_form() {
        let info = |kind: &str, orient: Option<&str>, params| ExampleInfo {
            kind: Some(kind.into()),
            orient: orient.map(str::to_owned),
            params,
            ..ExampleInfo::default()
        };
        let split = json!({"columns": ["a"], "data": [[1]]});
        assert_eq!(
            request(&info("dataframe", Some("split"), false), split.clone()),
            Some(json!({"dataframe_split": split}))
        );
        assert_eq!(
            request(&info("ndarray", None, false), json!({"inputs": [1]})),
            Some(json!({"inputs": [1]}))
        );
        assert_eq!(
            request(&info("json_object", None, false), json!(["x"])),
            Some(json!({"inputs": ["x"]}))
        );
        assert_eq!(
            request(
                &info("ndarray", None, true),
                json!({"inputs": [1], "params": {"k": 2}})
            ),
            Some(json!({"inputs": [1], "params": {"k": 2}}))
        );
        assert_eq!(
            request(&info("sparse_matrix_csr", None, false), json!({})),
            None
        );
    }
}
