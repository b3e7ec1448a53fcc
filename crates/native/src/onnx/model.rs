//! An ONNX model that answers: its head checked against itself, its file, its library and its graph.

use std::path::{Component, Path};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sluis_mlflow::{Answer, Input};

use super::element::Element;
use super::feed::{Inlet, feed};
use super::head::{Form, GraphHead, InputHead};
use super::sessions::Sessions;
use super::{library, outputs};
use crate::error::Declined;
use crate::head::InputKind;

/// Work that would take longer than so many nanoseconds goes to Python, whose process can be ended at a deadline.
const LONGEST: usize = 5_000_000_000;

/// What a row is taken to cost until one was scored, and at least where calls wait for each other: a thread of its own.
const UNKNOWN: usize = 1_000_000;

/// What a graph is fed from, and where its file lies.
pub(crate) struct GraphSite<'a> {
    /// The model's folder; without it there is no graph.
    pub(crate) folder: Option<&'a Path>,
    /// By input column, its type; none for tensors.
    pub(crate) kinds: &'a [InputKind],
    /// By input column, its name.
    pub(crate) names: &'a [String],
}

pub(crate) struct Graph {
    /// The version of its ONNX Runtime.
    pub(crate) version: String,
    form: Form,
    kinds: Vec<InputKind>,
    inlets: Vec<Inlet>,
    names: Arc<[String]>,
    elements: Vec<Element>,
    sessions: Sessions,
    /// About how many nanoseconds a row takes, as measured; 0 until one was scored.
    cost: AtomicUsize,
}

impl Graph {
    /// Loads the graph into the library that the head names, where both are what was exported.
    pub(crate) fn open(head: &GraphHead, site: &GraphSite<'_>) -> Result<Self, String> {
        let folder = site
            .folder
            .ok_or("an ONNX model is read with its folder only")?;
        let inlets = inlets(head, site)?;
        let elements: Option<Vec<Element>> = head
            .outputs
            .iter()
            .map(|output| Element::from_name(&output.dtype))
            .collect();
        let elements = elements.ok_or("an output is of an unknown type")?;
        if inlets.is_empty() || elements.is_empty() {
            return Err("it has no inputs, or no outputs".to_owned());
        }
        let file = inside(folder, &head.file.path)?;
        library::check(&file, &head.file.sha256, "its graph")?;
        let environment = library::load(&head.library)?;
        let bytes = bytes_beside(&file);
        let sessions = Sessions::open(environment, &file, bytes, &head.options)?;
        if !sessions.fits(&head.inputs, &head.outputs) {
            return Err("the graph has other inputs or outputs than were exported".to_owned());
        }
        let names: Vec<String> = head.outputs.iter().map(|one| one.name.clone()).collect();
        Ok(Self {
            version: head.library.version.clone(),
            form: head.form,
            kinds: site.kinds.to_vec(),
            inlets,
            names: names.into(),
            elements,
            sessions,
            cost: AtomicUsize::new(0),
        })
    }

    /// About how many nanoseconds a row takes.
    pub(crate) fn row_cost(&self) -> usize {
        match self.cost.load(Ordering::Relaxed) {
            0 => UNKNOWN,
            cost if self.sessions.many => cost,
            cost => cost.max(UNKNOWN),
        }
    }

    /// The answer, or why Python has to give it.
    pub(crate) fn evaluate(&self, input: &Input) -> Result<Answer, Declined> {
        let rows = input.rows();
        if rows == 0 {
            return Err(Declined("no rows"));
        }
        if self.cost.load(Ordering::Relaxed).saturating_mul(rows) > LONGEST {
            return Err(Declined("work that may outlast its deadline"));
        }
        let start = Instant::now();
        let fed = feed(self.form, &self.inlets, &self.kinds, input)?;
        let asked = self.sessions.with(|session| {
            let refused = Declined("ONNX Runtime refuses it");
            let found = session.run(fed).map_err(|_| refused)?;
            outputs::read(&found, &self.names, &self.elements)
        });
        let made = asked.unwrap_or(Err(Declined("no session")))?;
        let answer = if self.form.is_frame() {
            outputs::frame(&made, &self.names)?
        } else {
            outputs::named(&made, &self.names)
        };
        self.learn(start.elapsed().as_nanos(), rows);
        Ok(answer)
    }

    /// A moving average, so that one slow call does not decide.
    fn learn(&self, nanoseconds: u128, rows: usize) {
        let row = usize::try_from(nanoseconds).unwrap_or(usize::MAX) / rows;
        let before = match self.cost.load(Ordering::Relaxed) {
            0 => row,
            before => before,
        };
        let after = before - before / 8 + row / 8;
        self.cost.store(after.max(1), Ordering::Relaxed);
    }
}

fn inlets(head: &GraphHead, site: &GraphSite<'_>) -> Result<Vec<Inlet>, String> {
    if matches!(head.form, Form::Matrix | Form::Tensor) && head.inputs.len() != 1 {
        return Err("it feeds one input of several".to_owned());
    }
    if head.form.is_frame() && (site.kinds.is_empty() || site.names.len() != site.kinds.len()) {
        return Err("its columns have no names".to_owned());
    }
    head.inputs
        .iter()
        .map(|input| inlet(input, head.form, site.names))
        .collect()
}

fn inlet(head: &InputHead, form: Form, names: &[String]) -> Result<Inlet, String> {
    let problem = |what: &str| format!("input '{}': {what}", head.name);
    let known = |name: &str| match Element::from_name(name) {
        Some(Element::Maps) | None => Err(problem("it is of an unknown type")),
        Some(element) => Ok(element),
    };
    let column = match form {
        Form::Columns => names.iter().position(|name| *name == head.name),
        _ => Some(0),
    };
    Ok(Inlet {
        name: head.name.clone(),
        element: known(&head.dtype)?,
        via: known(&head.via)?,
        column: column.ok_or_else(|| problem("no column has its name"))?,
    })
}

/// A file of the folder, by a path that does not leave it.
fn inside(folder: &Path, path: &str) -> Result<std::path::PathBuf, String> {
    let path = Path::new(path);
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !stays || path.as_os_str().is_empty() {
        return Err("its graph lies outside of the model's folder".to_owned());
    }
    Ok(folder.join(path))
}

/// The bytes of the graph and of what lies beside it: weights may be in files of their own.
fn bytes_beside(file: &Path) -> u64 {
    let folder = file.parent().unwrap_or(file);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum()
}
