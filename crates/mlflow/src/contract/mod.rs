//! The input contract: a signature compiled once, so that payloads decode straight into typed columns or tensors.
//!
//! Says for a model which payloads Rust may decode, and into what; everything else is Python's, with the reason.

mod azure;
mod layout;
mod params;
mod strictness;
mod versions;

pub use azure::Unscorable;
pub use layout::{CellKind, Column, ColumnLayout, Layout, PythonReason, TensorLayout};
pub(crate) use params::CheckedParams;
pub use params::ParamsContract;
pub use strictness::{Strictness, UnknownStrictness};
pub(crate) use versions::{Version, Versions};

use std::sync::Arc;

use crate::model::{ColumnSpec, DataType, Model, Schema, TensorSpec};

/// A compiled signature.
#[derive(Clone, Debug)]
pub struct Contract {
    pub(crate) layout: Layout,
    /// What the layout was made of, for strict checking of what Python decides; none where only Python knows the types.
    pub(crate) inputs: Option<Arc<Schema>>,
    pub(crate) params: ParamsContract,
    pub(crate) versions: Versions,
    pub(crate) strictness: Strictness,
    /// Whether payloads that need no cast mean the same to Azure's scoring.
    pub(crate) azure_reads_alike: bool,
}

impl Contract {
    /// Compiles the input side of a model's signature.
    pub fn compile(model: &Model) -> Self {
        let params = model
            .signature
            .as_ref()
            .and_then(|signature| signature.params.as_deref());
        let layout = compile_layout(model).unwrap_or_else(Layout::Python);
        let inputs = (model.signature.as_ref())
            .filter(|_| !model.is_signature_from_type_hint)
            .and_then(|signature| signature.inputs.clone());
        Self {
            inputs: inputs.map(Arc::new),
            azure_reads_alike: azure::reads_alike(model, &layout),
            layout,
            params: ParamsContract::compile(params.unwrap_or_default()),
            versions: Versions::default(),
            strictness: Strictness::default(),
        }
    }

    /// The contract beside the MLflow of the model's environment. The server of MLflow 1.x has its own payload forms and
    /// answers, which its own code gives; the frames of MLflow 2, which it does not know, are decoded all the same.
    #[must_use]
    pub fn beside(mut self, mlflow_version: &str) -> Self {
        self.versions.mlflow = Version::read(mlflow_version);
        self
    }

    /// The contract beside the pandas of the model's environment. What differs by its version is left to Python where the
    /// version is not known.
    #[must_use]
    pub fn with_pandas(mut self, version: &str) -> Self {
        self.versions.pandas = Version::read(version);
        self
    }

    /// The contract beside the numpy of the model's environment, as with pandas.
    #[must_use]
    pub fn with_numpy(mut self, version: &str) -> Self {
        self.versions.numpy = Version::read(version);
        self
    }

    /// The contract with this much leniency.
    #[must_use]
    pub fn with_strictness(mut self, strictness: Strictness) -> Self {
        self.strictness = strictness;
        self
    }

    /// How much casting payloads may need.
    pub fn strictness(&self) -> Strictness {
        self.strictness
    }

    /// Whether the MLflow of the model's environment is 1.x.
    pub fn speaks_1x(&self) -> bool {
        self.versions.mlflow.is_some_and(|version| version.0 == 1)
    }

    /// The params of the signature.
    pub fn params(&self) -> &ParamsContract {
        &self.params
    }

    /// What payloads are decoded into.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The column names of decoded frames, when the signature names columns.
    pub fn columns(&self) -> Option<&Arc<[String]>> {
        match &self.layout {
            Layout::Columns(layout) if layout.named => Some(&layout.names),
            _ => None,
        }
    }
}

fn compile_layout(model: &Model) -> Result<Layout, PythonReason> {
    if model.is_signature_from_type_hint {
        return Err(PythonReason::TypeHint);
    }
    let signature = model.signature.as_ref().ok_or(PythonReason::NoSignature)?;
    match signature.inputs.as_ref().ok_or(PythonReason::NoSignature)? {
        Schema::Columns(columns) => compile_columns(columns),
        Schema::Tensors(tensors) => compile_tensors(tensors),
    }
}

fn compile_columns(columns: &[ColumnSpec]) -> Result<Layout, PythonReason> {
    // MLflow goes by the first column.
    let named = columns.first().is_some_and(|column| column.name.is_some());
    let mut compiled = Vec::with_capacity(columns.len());
    for (position, column) in columns.iter().enumerate() {
        if column.name.is_some() != named || !(named || column.required) {
            return Err(PythonReason::UnnamedColumns);
        }
        let name = column.name.clone().unwrap_or_else(|| position.to_string());
        if column.numbered {
            return Err(PythonReason::NumberedColumn { name });
        }
        compiled.push(Column {
            kind: cell_kind(&name, &column.ty)?,
            required: column.required,
            name,
        });
    }
    ColumnLayout::new(compiled, named).map(Layout::Columns)
}

fn cell_kind(name: &str, ty: &DataType) -> Result<CellKind, PythonReason> {
    match ty {
        DataType::Boolean => Ok(CellKind::Boolean),
        DataType::Integer => Ok(CellKind::Integer),
        DataType::Long => Ok(CellKind::Long),
        DataType::Float => Ok(CellKind::Float),
        DataType::Double => Ok(CellKind::Double),
        DataType::String => Ok(CellKind::Text),
        DataType::Binary => Ok(CellKind::Binary),
        DataType::Datetime => Ok(CellKind::Datetime),
        other => Err(PythonReason::ColumnType {
            name: name.to_owned(),
            ty: other.to_string(),
        }),
    }
}

fn compile_tensors(tensors: &[TensorSpec]) -> Result<Layout, PythonReason> {
    let mut layouts = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let layout = TensorLayout::new(&tensor.dtype, &tensor.shape)?;
        layouts.push((tensor.name.clone(), layout));
    }
    if let [(None, layout)] = layouts.as_slice() {
        return Ok(Layout::Tensor(layout.clone()));
    }
    let named: Option<Vec<_>> = layouts
        .into_iter()
        .map(|(name, layout)| name.map(|name| (name, layout)))
        .collect();
    named
        .map(Layout::Tensors)
        .ok_or(PythonReason::UnnamedColumns)
}
