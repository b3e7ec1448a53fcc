//! Work and answers as frames.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluis_mlflow::{
    Answer, CallOptions, DType, DenseBlock, HttpAnswer, Input, Raised, RawRequest, Work,
};

use crate::options::OptionsHead;
use crate::protocol;

/// A call ready to be written.
pub(crate) struct CallFrame {
    pub(crate) kind: u8,
    pub(crate) head: Vec<u8>,
    pub(crate) bodies: Vec<Bytes>,
}

/// An answer that this side cannot read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error("the head of an answer is not as agreed")]
    Head(#[from] serde_json::Error),
    #[error("an answer's array does not fit its shape")]
    Block(#[from] sluis_mlflow::BlockSizeError),
    #[error("an answer's array has the unknown type '{0}'")]
    DType(String),
    #[error("an answer's Arrow stream cannot be read")]
    Arrow(#[from] arrow_schema::ArrowError),
    #[error("unknown kind of answer: {0}")]
    Kind(u8),
    #[error("the worker refused a call that is none: {0}")]
    Refused(String),
}

#[derive(Serialize)]
struct BlockHead<'a> {
    dtype: &'static str,
    shape: &'a [usize],
    #[serde(rename = "as")]
    form: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<Labels<'a>>,
    #[serde(flatten)]
    options: OptionsHead<'a>,
}

/// The columns of a dense frame that are not those of `load`.
#[derive(Serialize)]
#[serde(untagged)]
enum Labels<'a> {
    Names(&'a [String]),
    /// So many, numbered from 0.
    Numbered(usize),
}

#[derive(Serialize)]
struct TensorHead<'a> {
    name: &'a str,
    dtype: &'static str,
    shape: &'a [usize],
    offset: usize,
    length: usize,
}

#[derive(Serialize)]
struct TensorsHead<'a> {
    tensors: Vec<TensorHead<'a>>,
    #[serde(flatten)]
    options: OptionsHead<'a>,
}

#[derive(Serialize)]
struct RawHead<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
    #[serde(skip_serializing_if = "Option::is_none")]
    model_method: Option<&'a str>,
}

/// The frame of a piece of work; `known` are the columns that the worker was told when it loaded the model.
pub(crate) fn call(work: &Work, known: Option<&[String]>) -> Result<CallFrame, AnswerError> {
    let call = match work {
        Work::Call(call) => call,
        Work::Raw(raw) => return raw_call(raw),
    };
    match &call.input {
        Input::Frame(block) => {
            let labels = match block.columns.as_deref() {
                None => Some(Labels::Numbered(block.shape.get(1).copied().unwrap_or(0))),
                columns if columns == known => None,
                Some(columns) => Some(Labels::Names(columns)),
            };
            dense(block, "frame", labels, &call.options)
        }
        Input::Tensor(block) => dense(block, "tensor", None, &call.options),
        Input::Tensors(tensors) => named(tensors, &call.options),
        Input::Batch(batch) => {
            let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema())?;
            writer.write(batch)?;
            Ok(CallFrame {
                kind: protocol::CALL_ARROW,
                head: serde_json::to_vec(&OptionsHead::of(&call.options))?,
                bodies: vec![writer.into_inner()?.into()],
            })
        }
    }
}

fn raw_call(raw: &RawRequest) -> Result<CallFrame, AnswerError> {
    Ok(CallFrame {
        kind: protocol::CALL_RAW,
        head: serde_json::to_vec(&RawHead {
            method: &raw.method,
            path: &raw.path,
            headers: &raw.headers,
            model_method: raw.model_method.as_deref(),
        })?,
        bodies: vec![raw.body.clone()],
    })
}

fn dense(
    block: &DenseBlock,
    form: &'static str,
    columns: Option<Labels<'_>>,
    options: &CallOptions,
) -> Result<CallFrame, AnswerError> {
    let head = BlockHead {
        dtype: block.dtype.name(),
        shape: &block.shape,
        form,
        columns,
        options: OptionsHead::of(options),
    };
    Ok(CallFrame {
        kind: protocol::CALL_DENSE,
        head: serde_json::to_vec(&head)?,
        bodies: vec![block.bytes.clone()],
    })
}

fn named(
    tensors: &[(String, DenseBlock)],
    options: &CallOptions,
) -> Result<CallFrame, AnswerError> {
    let mut heads = Vec::with_capacity(tensors.len());
    let mut offset = 0;
    for (name, block) in tensors {
        heads.push(TensorHead {
            name,
            dtype: block.dtype.name(),
            shape: &block.shape,
            offset,
            length: block.bytes.len(),
        });
        offset += block.bytes.len();
    }
    Ok(CallFrame {
        kind: protocol::CALL_TENSORS,
        head: serde_json::to_vec(&TensorsHead {
            tensors: heads,
            options: OptionsHead::of(options),
        })?,
        bodies: tensors
            .iter()
            .map(|(_, block)| block.bytes.clone())
            .collect(),
    })
}

#[derive(Deserialize)]
struct DenseAnswer {
    dtype: String,
    shape: Vec<usize>,
    columns: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct HttpHead {
    status: u16,
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct ErrorHead {
    kind: String,
    class: String,
    message: String,
    status: Option<u16>,
}

/// The answer of a frame; the inner error is the model's own.
pub(crate) fn answer(
    kind: u8,
    head: &[u8],
    body: Bytes,
) -> Result<Result<Answer, Raised>, AnswerError> {
    Ok(Ok(match kind {
        protocol::ANSWER_DENSE => {
            let head: DenseAnswer = serde_json::from_slice(head)?;
            let dtype = DType::from_name(&head.dtype).ok_or(AnswerError::DType(head.dtype))?;
            let block = DenseBlock::new(dtype, head.shape, body)?;
            Answer::Dense(match head.columns {
                Some(columns) => block.with_columns(columns.into()),
                None => block,
            })
        }
        protocol::ANSWER_ARROW => Answer::Batch(batch(&body)?),
        protocol::ANSWER_JSON => Answer::Json(body),
        protocol::ANSWER_HTTP => {
            let head: HttpHead = serde_json::from_slice(head)?;
            Answer::Http(HttpAnswer {
                status: head.status,
                headers: head.headers,
                body,
            })
        }
        protocol::ANSWER_ERROR => {
            let head: ErrorHead = serde_json::from_slice(head)?;
            if head.kind == "protocol" {
                return Err(AnswerError::Refused(head.message));
            }
            let document = String::from_utf8(body.to_vec())
                .ok()
                .filter(|document| !document.is_empty());
            return Ok(Err(Raised {
                unserializable: head.kind == "unserializable",
                unasked: head.kind == "worker",
                class: head.class,
                message: head.message,
                document: head.status.zip(document),
            }));
        }
        other => return Err(AnswerError::Kind(other)),
    }))
}

fn batch(body: &[u8]) -> Result<arrow_array::RecordBatch, AnswerError> {
    let reader = arrow_ipc::reader::StreamReader::try_new(body, None)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(arrow_select::concat::concat_batches(&schema, &batches)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::Golden;
    use std::sync::Arc;

    fn block(dtype: DType, shape: &[usize], bytes: &[u8]) -> DenseBlock {
        DenseBlock::new(dtype, shape.to_vec(), Bytes::copy_from_slice(bytes)).unwrap()
    }

    fn assert_call(work: &Work, known: Option<&[String]>, name: &str) {
        let golden = Golden::named(name);
        let call = call(work, known).unwrap();
        let body: Vec<u8> = call.bodies.concat();
        let head = String::from_utf8(call.head).unwrap();
        assert_eq!(
            (call.kind, head, body),
            (golden.kind, golden.head, golden.body),
            "{name}"
        );
    }

    #[test]
    fn work_becomes_the_golden_frames() {
        let doubles: Vec<u8> = [1.0_f64, 2.0, 3.0, 4.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let names: Arc<[String]> = vec!["a".to_owned(), "b".to_owned()].into();
        let frame =
            Input::Frame(block(DType::Float64, &[2, 2], &doubles).with_columns(names.clone()));
        assert_call(&Work::from(frame), None, "01-dense-frame-with-columns");
        let known: Vec<u8> = [0.5_f64, -0.25]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let frame =
            Input::Frame(block(DType::Float64, &[1, 2], &known).with_columns(names.clone()));
        assert_call(&Work::from(frame), Some(&names), "02-dense-frame");
        let numbered = Input::Frame(block(DType::Float64, &[1, 2], &known));
        assert_call(
            &Work::from(numbered),
            Some(&names),
            "17-dense-frame-numbered",
        );
        let singles: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let tensor = block(DType::Float32, &[1, 2, 2], &singles);
        assert_call(&Work::from(Input::Tensor(tensor)), None, "03-dense-tensor");
        let empty = Input::Frame(block(DType::Int64, &[0, 2], &[]).with_columns(names.clone()));
        assert_call(&Work::from(empty), Some(&names), "04-dense-empty");
        let tensors = vec![
            (
                "x".to_owned(),
                block(DType::Float32, &[1, 2], &singles[..8]),
            ),
            (
                "k".to_owned(),
                block(DType::Int64, &[1], &7_i64.to_le_bytes()),
            ),
        ];
        assert_call(&Work::from(Input::Tensors(tensors)), None, "06-tensors");
        let texts: Vec<u8> = ['x', '\0', 'y', 'é']
            .iter()
            .flat_map(|character| u32::from(*character).to_le_bytes())
            .collect();
        let texts = block(DType::Text(2), &[2], &texts);
        assert_call(&Work::from(Input::Tensor(texts)), None, "18-dense-texts");
        let raw = sluis_mlflow::RawRequest {
            method: "POST".to_owned(),
            path: "/invocations".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from_static(br#"{"inputs":[1]}"#),
            model_method: None,
        };
        assert_call(&Work::Raw(raw.clone()), None, "07-raw");
        let asked = sluis_mlflow::RawRequest {
            model_method: Some("predict_proba".to_owned()),
            ..raw
        };
        assert_call(&Work::Raw(asked), None, "16-raw-with-method");
    }

    #[test]
    fn options_become_the_golden_frames() {
        let signature = r#"[{"name": "x", "type": "double"}]"#;
        let params = r#"[{"name": "text", "type": "string", "default": ""}, {"name": "none", "type": "long", "default": 1},
            {"name": "whole", "type": "double", "default": 0.5}, {"name": "day", "type": "datetime", "default": null},
            {"name": "times", "type": "datetime", "default": [], "shape": [-1]},
            {"name": "object", "type": "object", "default": {"a": "x"}, "properties": {"a": {"type": "string"}}}]"#;
        let contract = contract(signature, params);
        let body = r#"{"inputs": {"x": [0.5]}, "params": {"whole": 2, "text": "é", "none": null, "day": "2024-01-02",
            "times": ["2024-01-02T03:04:05.000006", null], "object": {"a": "y"}}}"#;
        let sluis_mlflow::Decoded::Call(mut call) = contract.decode_json(body.as_bytes()) else {
            panic!("decoded");
        };
        let names: Arc<[String]> = vec!["x".to_owned()].into();
        assert_call(
            &Work::Call(call.clone()),
            Some(&names),
            "14-dense-with-params",
        );
        call.options = CallOptions {
            params: None,
            method: Some("predict_proba".to_owned()),
        };
        assert_call(&Work::Call(call), Some(&names), "15-dense-with-method");
    }

    /// The contract of a model with this signature.
    fn contract(inputs: &str, params: &str) -> sluis_mlflow::Contract {
        let folder = tempfile::tempdir().unwrap();
        let document = serde_json::json!({
            "flavors": {"python_function": {"loader_module": "none"}},
            "signature": {"inputs": inputs, "params": params},
        });
        std::fs::write(folder.path().join("MLmodel"), document.to_string()).unwrap();
        let model = sluis_mlflow::model::Model::open(&folder.path().to_string_lossy()).unwrap();
        sluis_mlflow::Contract::compile(&model)
    }

    fn read(name: &str) -> Result<Answer, Raised> {
        let golden = Golden::named(name);
        answer(golden.kind, golden.head.as_bytes(), golden.body.into()).unwrap()
    }

    #[test]
    fn golden_answers_are_read() {
        let Ok(Answer::Dense(block)) = read("08-dense-answer") else {
            panic!()
        };
        assert_eq!(
            (block.dtype, block.shape.as_slice(), block.columns),
            (DType::Float64, [2].as_slice(), None)
        );
        let Ok(Answer::Dense(block)) = read("09-dense-answer-with-columns") else {
            panic!()
        };
        assert_eq!(block.columns.unwrap().join(","), "no,yes");
        let Ok(Answer::Batch(batch)) = read("10-arrow-answer") else {
            panic!()
        };
        assert_eq!((batch.num_rows(), batch.num_columns()), (2, 3));
        let Ok(Answer::Json(body)) = read("11-json-answer") else {
            panic!()
        };
        assert_eq!(body.as_ref(), br#"{"predictions": ["a", "b"]}"#);
        let Ok(Answer::Http(http)) = read("12-http-answer") else {
            panic!()
        };
        assert_eq!((http.status, http.headers.len()), (415, 1));
        let Err(raised) = read("13-error-answer") else {
            panic!()
        };
        assert_eq!(
            (raised.message.as_str(), raised.unserializable),
            ("noé", false)
        );
        assert_eq!(raised.document.unwrap().0, 404);
    }

    #[test]
    fn answers_that_are_none_are_refused() {
        let cases: [(u8, &str, &str); 5] = [
            (99, "{}", "unknown kind of answer: 99"),
            (
                protocol::ANSWER_DENSE,
                "[",
                "the head of an answer is not as agreed",
            ),
            (
                protocol::ANSWER_DENSE,
                r#"{"dtype":"float16","shape":[1]}"#,
                "unknown type 'float16'",
            ),
            (
                protocol::ANSWER_DENSE,
                r#"{"dtype":"int8","shape":[4]}"#,
                "does not fit",
            ),
            (protocol::ANSWER_ARROW, "{}", "Arrow"),
        ];
        for (kind, head, words) in cases {
            let error = answer(kind, head.as_bytes(), Bytes::from_static(b"abc")).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
