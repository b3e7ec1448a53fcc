//! The params of a signature, compiled: which a call may give, and of what type.
//!
//! The rules are those of MLflow's own check: strict types, unlike those of columns; a null for any single value; unknown
//! names dropped. A value that only Python can judge makes the whole payload Python's.

mod json;
mod moment;
mod value;
mod words;

use std::collections::HashMap;

use sonic_rs::LazyValue;

use self::json::Json;
use self::value::{Judged, ParamType};
use crate::enforce::python_list;
use crate::model::ParamSpec;
use crate::params::{ParamValue, Params};
use crate::refusal::Refusal;

/// Params are settings that travel in a call's head, which has a limit; more than this goes to Python in the body.
const MAX_BYTES: usize = 256 << 10;

/// Unknown names that are told, and letters of each.
const MAX_UNKNOWN: usize = 16;
const MAX_NAME: usize = 100;

/// The params that a signature declares; none where it declares none.
#[derive(Clone, Debug, Default)]
pub struct ParamsContract {
    params: Vec<Param>,
    positions: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Param {
    name: String,
    ty: ParamType,
    /// How MLflow writes the declaration in its messages.
    shown: String,
    /// Its default, where that reaches the model as it is written.
    default: Option<ParamValue>,
}

/// What became of the params of a call.
#[derive(Debug, PartialEq)]
pub(crate) enum CheckedParams {
    /// They are as declared.
    Enforced {
        /// Those that were given; `None` where none was.
        params: Option<Params>,
        /// Names that the signature does not declare, which were dropped.
        unknown: Vec<String>,
    },
    /// MLflow refuses them.
    Refused(Refusal),
    /// Python decides.
    Undecided,
}

impl ParamsContract {
    /// Compiles what a signature declares.
    pub(crate) fn compile(specs: &[ParamSpec]) -> Self {
        let params: Vec<Param> = specs
            .iter()
            .map(|spec| {
                let ty = ParamType::of(spec);
                Param {
                    name: spec.name.clone(),
                    default: ty.plain(&spec.default),
                    ty,
                    shown: words::declaration(spec),
                }
            })
            .collect();
        let positions = params
            .iter()
            .enumerate()
            .map(|(position, param)| (param.name.clone(), position))
            .collect();
        Self { params, positions }
    }

    /// Whether the signature declares any.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// Params whose defaults reach the model as they are written, with those: a call that gives them so might as well not.
    pub fn plain_defaults(&self) -> Params {
        let plain = self
            .params
            .iter()
            .filter_map(|param| Some((param.name.clone(), param.default.clone()?)));
        Params(plain.collect())
    }

    /// Checks the value of `params`, where the payload has one.
    pub(crate) fn check(&self, given: Option<&LazyValue<'_>>) -> CheckedParams {
        let Some(given) = given.filter(|given| given.as_raw_str() != "null") else {
            return enforced(None);
        };
        if self.is_empty() {
            // Whatever was sent, the model gets no params; but it sees that some were.
            return enforced(Some(Params::default()));
        }
        if given.as_raw_str().len() > MAX_BYTES {
            return CheckedParams::Undecided;
        }
        match Json::read(given) {
            None => CheckedParams::Undecided,
            Some(Json::Object(entries)) => self.check_entries(entries),
            Some(other) => CheckedParams::Refused(Refusal::params(format!(
                "Parameters must be a dictionary. Got type '{}'.",
                other.python_type()
            ))),
        }
    }

    /// The refusal of params that the signature does not declare, for those who asked for strictness.
    pub(crate) fn unknown(&self, unknown: &[String]) -> Refusal {
        let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
        let declared: Vec<&str> = self
            .params
            .iter()
            .map(|param| param.name.as_str())
            .collect();
        Refusal::params(format!(
            "The signature does not declare these params: {}. It declares {}. Strict checking refuses what would be left out.",
            python_list(&unknown),
            python_list(&declared)
        ))
    }

    fn check_entries(&self, entries: Vec<(String, Json)>) -> CheckedParams {
        let (mut given, mut unknown) = (Vec::new(), Vec::new());
        let mut problems: Vec<(usize, String)> = Vec::new();
        for (name, value) in entries {
            let Some(&position) = self.positions.get(&name) else {
                if unknown.len() < MAX_UNKNOWN {
                    unknown.push(name.chars().take(MAX_NAME).collect());
                }
                continue;
            };
            let param = &self.params[position];
            match param.ty.judge(value, &param.shown) {
                Judged::Good(value) => given.push((name, value)),
                Judged::Bad(problem) => problems.push((position, problem)),
                Judged::Undecided => return CheckedParams::Undecided,
            }
        }
        if problems.is_empty() {
            let params = (!given.is_empty()).then_some(Params(given));
            return CheckedParams::Enforced { params, unknown };
        }
        problems.sort_by_key(|(position, _)| *position);
        let shown: Vec<String> = problems
            .iter()
            .map(|(position, problem)| {
                let name = words::quoted(&self.params[*position].name);
                format!("({name}, {})", words::quoted(problem))
            })
            .collect();
        CheckedParams::Refused(Refusal::params(format!(
            "Invalid parameters found: {{{}}}",
            shown.join(", ")
        )))
    }
}

fn enforced(params: Option<Params>) -> CheckedParams {
    CheckedParams::Enforced {
        params,
        unknown: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
