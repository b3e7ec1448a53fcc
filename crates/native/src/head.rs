//! The head of a program's file, as it is written: names of arrays and steps, not yet checked against each other.

use serde::Deserialize;

use crate::container::Array;
use crate::onnx::GraphHead;

/// The version of the form that this crate reads.
pub(crate) const FORMAT: u32 = 1;

#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) inputs: Vec<InputKind>,
    /// The steps and what they answer.
    #[serde(default)]
    pub(crate) steps: Vec<StepHead>,
    pub(crate) output: Option<OutputHead>,
    /// An ONNX model, instead of steps, and the names of the columns that feed it.
    pub(crate) graph: Option<Box<GraphHead>>,
    pub(crate) names: Option<Vec<String>>,
    pub(crate) ulps: u32,
}

/// The type of an input column, by MLflow's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InputKind {
    Boolean,
    Integer,
    Long,
    Float,
    Double,
    String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StepHead {
    pub(crate) from: Vec<usize>,
    pub(crate) width: usize,
    #[serde(flatten)]
    pub(crate) op: Op,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Op {
    Columns {
        columns: Vec<usize>,
    },
    Check {
        rule: Rule,
    },
    Each {
        r#do: Arithmetic,
        operand: Array,
        #[serde(default)]
        single: bool,
    },
    Concat {},
    Sum {},
    Pick {
        columns: Vec<usize>,
    },
    Above {
        threshold: f64,
    },
    IsAbove {
        threshold: f64,
        equal: bool,
    },
    Normalize {
        norm: Norm,
    },
    Powers {
        powers: Array,
    },
    Linear {
        weights: Array,
        intercept: Array,
    },
    Impute {
        missing: Option<f64>,
        fill: Array,
    },
    IsMissing {
        missing: Option<f64>,
    },
    OneHot {
        features: Vec<FeatureHead>,
    },
    Ordinal {
        features: Vec<FeatureHead>,
    },
    Bins {
        ends: Array,
        edges: Array,
    },
    Exp {
        #[serde(default)]
        single: bool,
    },
    Sigmoid {
        #[serde(default)]
        single: bool,
        slope: Option<f64>,
    },
    Softmax {
        #[serde(default)]
        single: bool,
    },
    Complement {
        #[serde(default)]
        single: bool,
    },
    Share {
        /// What a row becomes whose sum is zero; NaN without.
        none: Option<f64>,
    },
    Tanh {},
    Argmax {
        #[serde(default)]
        last: bool,
    },
    Trees(Box<TreesHead>),
    Apart {
        threshold: f64,
        ulps: u32,
    },
    Beside {
        columns: Vec<usize>,
        ends: Array,
        edges: Array,
        ulps: Array,
        more: Array,
    },
    Function {
        name: FunctionName,
        #[serde(default)]
        single: bool,
    },
    Table {
        values: Array,
    },
    Duels {},
    WeightedMedian {
        weights: Array,
    },
    Kernel(Box<KernelHead>),
    Coupling {
        slopes: Array,
        shifts: Array,
    },
    Gaussian {
        means: Array,
        variances: Array,
        priors: Array,
        scales: Array,
    },
    Interpolate {
        ends: Array,
        xs: Array,
        ys: Array,
    },
    Neighbors(Box<NeighborsHead>),
    Power {
        kind: PowerKind,
        exponents: Array,
        direct: bool,
    },
}

impl Op {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Op::Columns { .. } => "columns",
            Op::Check { .. } => "check",
            Op::Each { .. } => "each",
            Op::Concat {} => "concat",
            Op::Sum {} => "sum",
            Op::Pick { .. } => "pick",
            Op::Above { .. } => "above",
            Op::IsAbove { .. } => "is_above",
            Op::Normalize { .. } => "normalize",
            Op::Powers { .. } => "powers",
            Op::Linear { .. } => "linear",
            Op::Impute { .. } => "impute",
            Op::IsMissing { .. } => "is_missing",
            Op::OneHot { .. } => "one_hot",
            Op::Ordinal { .. } => "ordinal",
            Op::Bins { .. } => "bins",
            Op::Exp { .. } => "exp",
            Op::Sigmoid { .. } => "sigmoid",
            Op::Softmax { .. } => "softmax",
            Op::Complement { .. } => "complement",
            Op::Share { .. } => "share",
            Op::Tanh {} => "tanh",
            Op::Argmax { .. } => "argmax",
            Op::Trees(_) => "trees",
            Op::Apart { .. } => "apart",
            Op::Beside { .. } => "beside",
            Op::Function { .. } => "function",
            Op::Table { .. } => "table",
            Op::Duels {} => "duels",
            Op::WeightedMedian { .. } => "weighted_median",
            Op::Kernel(_) => "kernel",
            Op::Coupling { .. } => "coupling",
            Op::Gaussian { .. } => "gaussian",
            Op::Interpolate { .. } => "interpolate",
            Op::Neighbors(_) => "neighbors",
            Op::Power { .. } => "power",
        }
    }
}

/// What a row must be for the program to answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    Finite,
    NoInfinity,
    Single,
    SingleOrNan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arithmetic {
    Subtract,
    Divide,
    Multiply,
    Add,
    AtLeast,
    AtMost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Norm {
    L1,
    L2,
    Max,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FeatureHead {
    pub(crate) count: usize,
    /// The input column, for texts.
    pub(crate) text: Option<usize>,
    pub(crate) usable: Option<Array>,
    /// Which of the step's sources, for numbers, and its column.
    pub(crate) from: Option<usize>,
    pub(crate) column: Option<usize>,
    pub(crate) known: Array,
    pub(crate) slots: Option<Array>,
    pub(crate) codes: Option<Array>,
    #[serde(default)]
    pub(crate) declined: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TreesHead {
    pub(crate) span: usize,
    pub(crate) rule: SplitRule,
    pub(crate) compare: Precision,
    pub(crate) add: Precision,
    pub(crate) ends: Array,
    pub(crate) targets: Array,
    pub(crate) feature: Array,
    pub(crate) threshold: Array,
    pub(crate) left: Array,
    pub(crate) right: Array,
    pub(crate) flags: Array,
    pub(crate) slot: Array,
    pub(crate) values: Array,
    pub(crate) base: Array,
    pub(crate) divisor: Option<f64>,
    pub(crate) zero_below: Option<f64>,
    pub(crate) word_ends: Array,
    pub(crate) words: Array,
}

/// A function of one number, by numpy's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FunctionName {
    Absolute,
    Cbrt,
    Ceil,
    Cos,
    Exp,
    Exp2,
    Expm1,
    Floor,
    Log,
    Log10,
    Log1p,
    Log2,
    Negative,
    Reciprocal,
    Rint,
    Sin,
    Sqrt,
    Square,
    Tanh,
}

#[derive(Debug, Deserialize)]
pub(crate) struct KernelHead {
    pub(crate) kind: KernelKind,
    pub(crate) gamma: f64,
    pub(crate) coef0: f64,
    pub(crate) degree: u32,
    pub(crate) vectors: Array,
    pub(crate) weights: Array,
    pub(crate) intercept: Array,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KernelKind {
    Linear,
    Poly,
    Rbf,
    Sigmoid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PowerKind {
    BoxCox,
    YeoJohnson,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NeighborsHead {
    pub(crate) distance: DistanceKind,
    pub(crate) points: Array,
    pub(crate) targets: Array,
    pub(crate) count: usize,
    pub(crate) by_distance: bool,
    pub(crate) classes: bool,
    pub(crate) expanded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DistanceKind {
    Euclidean,
    Manhattan,
    Chebyshev,
}

/// When a row goes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SplitRule {
    /// value <= threshold; a category in the set.
    Le,
    /// value < threshold; a category not in the set.
    Lt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Precision {
    Float32,
    Float64,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub(crate) enum OutputHead {
    Values {
        from: usize,
        vector: bool,
        dtype: Precision,
    },
    Labels {
        from: usize,
        count: usize,
        dtype: Option<String>,
        labels: Option<Array>,
        numbers: Option<Array>,
        texts: Option<Array>,
        /// A row has a label for each column, also where there is one.
        #[serde(default)]
        matrix: bool,
    },
}
