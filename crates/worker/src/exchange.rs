//! Work and answers as frames.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sluis_mlflow::{Answer, DType, DenseBlock, HttpAnswer, Input, Raised, Work};

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
}

#[derive(Serialize)]
struct BlockHead<'a> {
    dtype: &'static str,
    shape: &'a [usize],
}

#[derive(Serialize)]
struct TensorHead<'a> {
    name: &'a str,
    dtype: &'static str,
    shape: &'a [usize],
    length: usize,
}

#[derive(Serialize)]
struct TensorsHead<'a> {
    tensors: Vec<TensorHead<'a>>,
}

#[derive(Serialize)]
struct RawHead<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(String, String)],
}

/// The frame of a piece of work.
pub(crate) fn call(work: &Work) -> Result<CallFrame, AnswerError> {
    Ok(match work {
        Work::Input(Input::Frame(block)) => dense(protocol::CALL_FRAME, block)?,
        Work::Input(Input::Tensor(block)) => dense(protocol::CALL_TENSOR, block)?,
        Work::Input(Input::Tensors(tensors)) => {
            let heads = tensors.iter().map(|(name, block)| TensorHead {
                name,
                dtype: block.dtype.name(),
                shape: &block.shape,
                length: block.bytes.len(),
            });
            CallFrame {
                kind: protocol::CALL_TENSORS,
                head: serde_json::to_vec(&TensorsHead { tensors: heads.collect() })?,
                bodies: tensors.iter().map(|(_, block)| block.bytes.clone()).collect(),
            }
        }
        Work::Input(Input::Batch(batch)) => {
            let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema())?;
            writer.write(batch)?;
            CallFrame {
                kind: protocol::CALL_ARROW,
                head: Vec::new(),
                bodies: vec![writer.into_inner()?.into()],
            }
        }
        Work::Raw(raw) => CallFrame {
            kind: protocol::CALL_RAW,
            head: serde_json::to_vec(&RawHead {
                method: &raw.method,
                path: &raw.path,
                headers: &raw.headers,
            })?,
            bodies: vec![raw.body.clone()],
        },
    })
}

fn dense(kind: u8, block: &DenseBlock) -> Result<CallFrame, AnswerError> {
    let head = BlockHead {
        dtype: block.dtype.name(),
        shape: &block.shape,
    };
    Ok(CallFrame {
        kind,
        head: serde_json::to_vec(&head)?,
        bodies: vec![block.bytes.clone()],
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
    document: Option<String>,
    status: Option<u16>,
}

/// The answer of a frame; the inner error is the model's own.
pub(crate) fn answer(kind: u8, head: &[u8], body: Bytes) -> Result<Result<Answer, Raised>, AnswerError> {
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
            return Ok(Err(Raised {
                unserializable: head.kind == "unserializable",
                class: head.class,
                message: head.message,
                document: head.status.zip(head.document),
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
