//! A scoring program: steps that were checked against each other, in the order in which they run; or an ONNX model.
//!
//! Each step makes one matrix from matrices that earlier steps made. Where matrices lie in memory is decided here, how rows
//! run through them in `evaluate`.

use std::path::Path;

use crate::answer::Output;
use crate::container::Container;
use crate::error::{Flaw, ProgramError};
use crate::head::{FORMAT, Head, InputKind, Op, StepHead};
use crate::onnx::{Graph, GraphSite};
use crate::steps::{Context, Step};

/// Wider matrices are refused.
const MAX_WIDTH: usize = 1 << 20;

/// Longer programs are refused.
const MAX_STEPS: usize = 10_000;

/// Numbers of one block of rows in all matrices together: a wide program takes fewer rows at a time.
const BLOCK_NUMBERS: usize = 1 << 20;

/// Rows that run through the steps together: a tree's nodes are used by all of them while they are in the cache.
const BLOCK_ROWS: usize = 256;

/// A step and where its matrices lie.
pub(crate) struct Placed {
    pub(crate) step: Step,
    /// Buffers of the sources.
    pub(crate) from: Vec<usize>,
    /// Its own buffer; that of its source where it changes nothing.
    pub(crate) buffer: usize,
}

/// A model that needs no Python.
pub struct Program {
    pub(crate) name: String,
    pub(crate) ulps: u32,
    pub(crate) form: Form,
}

/// What computes it.
pub(crate) enum Form {
    Steps(Steps),
    Graph(Graph),
}

/// A model as steps.
pub(crate) struct Steps {
    pub(crate) inputs: Vec<InputKind>,
    pub(crate) steps: Vec<Placed>,
    /// Width of each buffer.
    pub(crate) widths: Vec<usize>,
    pub(crate) output: Output,
    pub(crate) output_buffer: usize,
    pub(crate) block_rows: usize,
    pub(crate) cost: usize,
}

/// The steps read so far.
#[derive(Default)]
struct Line {
    /// By step, buffer and width of what it makes.
    made: Vec<(usize, usize)>,
    steps: Vec<Placed>,
    widths: Vec<usize>,
    cost: usize,
}

impl Line {
    fn add(
        &mut self,
        head: &StepHead,
        container: &Container<'_>,
        inputs: &[InputKind],
    ) -> Result<(), Flaw> {
        let sources: Option<Vec<(usize, usize)>> = head
            .from
            .iter()
            .map(|from| self.made.get(*from).copied())
            .collect();
        let sources = sources.ok_or("a source is not made before it")?;
        if head.width > MAX_WIDTH || head.width == 0 {
            return Err("its width is out of bounds");
        }
        let widths: Vec<usize> = sources.iter().map(|(_, width)| *width).collect();
        let context = Context {
            container,
            inputs,
            sources: &widths,
            width: head.width,
        };
        let step = Step::read(&head.op, &context)?;
        let buffer = match (&head.op, sources.first()) {
            (Op::Check { .. } | Op::Apart { .. } | Op::Beside { .. }, Some((buffer, _))) => *buffer,
            _ => {
                self.widths.push(head.width);
                self.widths.len() - 1
            }
        };
        self.cost += step.cost();
        self.steps.push(Placed {
            step,
            from: sources.iter().map(|(buffer, _)| *buffer).collect(),
            buffer,
        });
        self.made.push((buffer, head.width));
        Ok(())
    }
}

impl Program {
    /// Reads a program of steps from the bytes of its file. An ONNX model is read with [`read_beside`](Self::read_beside).
    pub fn read(bytes: &[u8]) -> Result<Self, ProgramError> {
        Self::of(bytes, None)
    }

    /// Reads a program from the bytes of its file; `model` is the folder of the model that it was exported from. That of an
    /// ONNX model loads the ONNX Runtime of the model's environment into this process.
    pub fn read_beside(bytes: &[u8], model: &Path) -> Result<Self, ProgramError> {
        Self::of(bytes, Some(model))
    }

    fn of(bytes: &[u8], model: Option<&Path>) -> Result<Self, ProgramError> {
        let (head, container) = Container::read::<Head>(bytes)?;
        if head.format != FORMAT {
            return Err(ProgramError::Version {
                found: head.format,
                expected: FORMAT,
            });
        }
        let form = match &head.graph {
            Some(graph) => {
                let site = GraphSite {
                    folder: model,
                    kinds: &head.inputs,
                    names: head.names.as_deref().unwrap_or_default(),
                };
                let graph = Graph::open(graph, &site);
                Form::Graph(graph.map_err(|problem| ProgramError::Graph { problem })?)
            }
            None => Form::Steps(Steps::read(&head, &container)?),
        };
        Ok(Self {
            name: head.name,
            ulps: head.ulps,
            form,
        })
    }

    /// The class of the model that it was exported from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is and who computes it, for people.
    pub fn title(&self) -> String {
        match &self.form {
            Form::Steps(_) => format!("{} in Rust", self.name),
            Form::Graph(graph) => format!(
                "{} by ONNX Runtime {}, called from Rust",
                self.name, graph.version
            ),
        }
    }

    /// About how many nanoseconds a row takes.
    pub fn row_cost(&self) -> usize {
        match &self.form {
            Form::Steps(steps) => steps.cost,
            Form::Graph(graph) => graph.row_cost(),
        }
    }
}

impl Steps {
    fn read(head: &Head, container: &Container<'_>) -> Result<Self, ProgramError> {
        if head.steps.len() > MAX_STEPS {
            return Err(ProgramError::Form {
                problem: "it has too many steps",
            });
        }
        let mut line = Line::default();
        for (number, step) in head.steps.iter().enumerate() {
            line.add(step, container, &head.inputs)
                .map_err(|problem| ProgramError::Step {
                    step: number,
                    op: step.op.name(),
                    problem,
                })?;
        }
        let Line {
            made,
            steps,
            widths,
            cost,
        } = line;
        let output = head.output.as_ref().ok_or("it is not there");
        let (output, from) = output
            .and_then(|output| Output::read(output, container, &made))
            .map_err(|problem| ProgramError::Output { problem })?;
        let numbers: usize = widths.iter().sum();
        Ok(Self {
            inputs: head.inputs.clone(),
            steps,
            output,
            output_buffer: from,
            block_rows: (BLOCK_NUMBERS / numbers.max(1)).clamp(1, BLOCK_ROWS),
            widths,
            cost,
        })
    }
}
