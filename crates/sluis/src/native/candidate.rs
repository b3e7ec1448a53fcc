//! Which models are tried, and what their exporter is told.

use std::path::Path;

use serde_json::{Value, json};
use sluis_mlflow::contract::{CellKind, ColumnLayout, Layout as Contracted, TensorLayout};
use sluis_mlflow::model::Model;
use sluis_mlflow::{Contract, DType};
use sluis_native::Layout;

/// Flavors that the exporter knows.
const FLAVORS: [&str; 5] = [
    "mlflow.sklearn",
    "mlflow.xgboost",
    "mlflow.lightgbm",
    "mlflow.catboost",
    GRAPH,
];

/// The flavor whose programs take tensors of any shape.
const GRAPH: &str = "mlflow.onnx";

/// Methods that have native forms and that a request may name, beside the model's own function.
pub(crate) const METHODS: [&str; 6] = [
    "predict",
    "predict_proba",
    "decision_function",
    "score_samples",
    "margin",
    "raw_score",
];

/// A model that may have a native form.
pub(crate) struct Candidate {
    /// The form of its inputs.
    pub(crate) layout: Layout,
    flavor: String,
    method: String,
    kinds: Vec<&'static str>,
    names: Option<Vec<String>>,
    tensor: Option<&'static str>,
    /// Tensors of any shape: name, type, extents.
    tensors: Option<Vec<Value>>,
}

impl Candidate {
    /// The candidate, or why there is none.
    pub(crate) fn of(model: &Model, contract: &Contract) -> Result<Self, String> {
        let function = &model.python_function;
        let flavor = function.loader_module.clone();
        if !FLAVORS.contains(&flavor.as_str()) {
            return Err(format!("models of {flavor} have no native form yet"));
        }
        let mut candidate = Self {
            layout: Layout::Dense {
                dtype: DType::Float64,
                columns: None,
            },
            flavor,
            method: function.predict_fn.clone(),
            kinds: Vec::new(),
            names: None,
            tensor: None,
            tensors: None,
        };
        let graph = candidate.is_graph();
        match contract.layout() {
            Contracted::Columns(columns) if !columns.named => {
                return Err("the columns of its signature have no names".to_owned());
            }
            Contracted::Columns(columns) => candidate.takes_columns(columns)?,
            Contracted::Tensor(tensor) if graph => {
                candidate.takes(std::iter::once((None, tensor)));
            }
            Contracted::Tensors(tensors) if graph => {
                let named = tensors.iter();
                candidate.takes(named.map(|(name, tensor)| (Some(name.as_str()), tensor)));
            }
            Contracted::Tensor(tensor) => {
                let [_, Some(width)] = tensor.shape[..] else {
                    return Err("its tensor is no matrix of a fixed number of columns".to_owned());
                };
                let kind = tensor_kind(tensor.dtype).ok_or_else(|| {
                    format!("a tensor of {} has no native form", tensor.dtype.name())
                })?;
                candidate.kinds = vec![kind; width];
                candidate.tensor = Some(tensor.dtype.name());
                candidate.layout = Layout::Dense {
                    dtype: tensor.dtype,
                    columns: None,
                };
            }
            Contracted::Tensors(_) => return Err("several tensors have no native form".to_owned()),
            Contracted::Python(reason) => {
                return Err(format!("Python decodes its payloads ({reason})"));
            }
        }
        Ok(candidate)
    }

    fn takes_columns(&mut self, columns: &ColumnLayout) -> Result<(), String> {
        let kinds = columns.kinds.iter().map(|kind| kind_name(*kind));
        self.kinds = kinds
            .collect::<Option<_>>()
            .ok_or("a column of its signature is of a type without native form")?;
        self.names = Some(columns.names.to_vec());
        self.layout = match columns.dense {
            Some(dtype) => Layout::Dense {
                dtype,
                columns: Some(columns.names.clone()),
            },
            None => Layout::Batch(columns.schema.clone()),
        };
        Ok(())
    }

    /// Whether its program calls a library of the model's environment in this process.
    pub(crate) fn is_graph(&self) -> bool {
        self.flavor == GRAPH
    }

    fn takes<'a>(&mut self, tensors: impl Iterator<Item = (Option<&'a str>, &'a TensorLayout)>) {
        let spec = |(name, tensor): (Option<&str>, &TensorLayout)| json!({"name": name, "dtype": tensor.dtype.name(), "shape": tensor.shape});
        self.tensors = Some(tensors.map(spec).collect());
        self.layout = Layout::Tensors;
    }

    /// What the exporter is told: `protocol/program.md`.
    pub(crate) fn order(&self, model: &Path, out: &Path) -> Value {
        json!({
            "model": model,
            "out": out,
            "flavor": self.flavor,
            "method": self.method,
            "methods": METHODS,
            "kinds": self.kinds,
            "names": self.names,
            "tensor": self.tensor,
            "tensors": self.tensors,
        })
    }
}

/// Types that programs compute with, by MLflow's name.
fn kind_name(kind: CellKind) -> Option<&'static str> {
    match kind {
        CellKind::Binary | CellKind::Datetime => None,
        kind => Some(kind.name()),
    }
}

fn tensor_kind(dtype: DType) -> Option<&'static str> {
    Some(match dtype {
        DType::Bool => "boolean",
        DType::Int32 => "integer",
        DType::Int64 => "long",
        DType::Float32 => "float",
        DType::Float64 => "double",
        _ => return None,
    })
}
