//! The plan as data: what `sluis plan --json` prints, field by field as `docs/plan.md` describes it.
//!
//! Plain values only. Every field is always there, `null` where nothing is known.

use serde::Serialize;

/// The version of this form; raised when a field changes its meaning or goes.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// What serving a model would mean.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Plan {
    /// [`FORMAT_VERSION`].
    pub(crate) format_version: u32,
    /// The model folder.
    pub(crate) model: ModelPlan,
    /// What the model takes and gives; `null` without a signature.
    pub(crate) signature: Option<SignaturePlan>,
    /// The stored input example; `null` without one that can be sent.
    pub(crate) example: Option<ExamplePlan>,
    /// What the model's Python needs.
    pub(crate) environment: EnvironmentPlan,
    /// Who would answer, and how payloads get there.
    pub(crate) scoring: ScoringPlan,
    /// Files that the model cannot be loaded without and the folder lacks.
    pub(crate) missing_files: Vec<String>,
    /// What to know before serving.
    pub(crate) warnings: Vec<Warning>,
}

/// The folder and what `MLmodel` says of its making.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ModelPlan {
    /// Registered name, else the folder's name.
    pub(crate) name: String,
    /// Absolute path.
    pub(crate) folder: String,
    /// Every flavor, in the file's order.
    pub(crate) flavors: Vec<FlavorPlan>,
    /// The module that loads the model.
    pub(crate) loader_module: String,
    /// The attribute that is called.
    pub(crate) predict_fn: String,
    /// The MLflow that wrote the folder.
    pub(crate) mlflow_version: Option<String>,
    /// When, in UTC.
    pub(crate) created: Option<String>,
    /// The model's id.
    pub(crate) model_uuid: Option<String>,
    /// The run that logged it.
    pub(crate) run_id: Option<String>,
    /// Bytes of all files, links not followed.
    pub(crate) size_bytes: u64,
    /// Number of files.
    pub(crate) files: usize,
}

/// A flavor.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FlavorPlan {
    /// Its name.
    pub(crate) name: String,
    /// The version of its library; for `python_function` the version of Python.
    pub(crate) version: Option<String>,
}

/// A signature.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SignaturePlan {
    /// Whether it follows from Python type hints.
    pub(crate) from_type_hint: bool,
    /// The inputs.
    pub(crate) inputs: Option<SchemaPlan>,
    /// The outputs.
    pub(crate) outputs: Option<SchemaPlan>,
    /// The params of a call.
    pub(crate) params: Vec<ParamPlan>,
}

/// One side of a signature.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SchemaPlan {
    /// `columns` or `tensors`.
    pub(crate) kind: &'static str,
    /// The columns or tensors, in order.
    pub(crate) fields: Vec<FieldPlan>,
}

/// A column or a tensor.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FieldPlan {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its type, as MLflow writes it.
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// Whether it must be there.
    pub(crate) required: bool,
}

/// A param.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ParamPlan {
    /// Its name.
    pub(crate) name: String,
    /// Its type, as MLflow writes it; `Array(…)` for a list.
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// Its value when a call leaves it out.
    pub(crate) default: serde_json::Value,
}

/// The input example as a request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExamplePlan {
    /// The file it comes from.
    pub(crate) source: String,
    /// Bytes of the request.
    pub(crate) request_bytes: usize,
}

/// What the model's Python needs.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct EnvironmentPlan {
    /// Files of the folder that describe the environment.
    pub(crate) files: Vec<String>,
    /// Files that `MLmodel` names for it and the folder lacks.
    pub(crate) missing_files: Vec<String>,
    /// The Python version that was asked for.
    pub(crate) python_asked: Option<String>,
    /// What was solved from the files; `null` while they are not read.
    pub(crate) resolved: Option<ResolvedEnvironment>,
}

/// What the environment files say, and what would be done about it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ResolvedEnvironment {
    /// The interpreter that would be used.
    pub(crate) interpreter: Option<String>,
    /// Its version.
    pub(crate) interpreter_version: Option<String>,
    /// The packages asked for.
    pub(crate) packages: Vec<PackagePlan>,
    /// What inference adds.
    pub(crate) additions: Vec<AdditionPlan>,
    /// Conda packages that pip has no counterpart for.
    pub(crate) conda_packages: Vec<String>,
    /// Whether the environment is built already.
    pub(crate) built: bool,
    /// What to know.
    pub(crate) warnings: Vec<Warning>,
}

/// A package of the model.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PackagePlan {
    /// The line that asks for it.
    pub(crate) requirement: String,
    /// Whether it names one version.
    pub(crate) pinned: bool,
}

/// A package that inference adds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AdditionPlan {
    /// The line that asks for it.
    pub(crate) requirement: String,
    /// Why.
    pub(crate) reason: String,
}

/// Who would answer, and how payloads get there.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ScoringPlan {
    /// `native`, `python`, or `auto` where it is not known before the first start.
    pub(crate) scorer: &'static str,
    /// Why this one.
    pub(crate) reason: String,
    /// Whether requests share calls.
    pub(crate) request_batches: bool,
    /// Why, or why not.
    pub(crate) request_batches_reason: String,
    /// `dense`, `arrow` or `as_it_came`.
    pub(crate) data_path: &'static str,
    /// Why this path.
    pub(crate) data_path_reason: String,
}

/// Something to know before serving.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Warning {
    /// What kind, one of the codes in `docs/plan.md`.
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) message: String,
}

impl Warning {
    /// A warning of that kind.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}
