//! Rows through the steps, a block at a time.

use std::cell::RefCell;

use sluis_mlflow::{Answer, Input};

use crate::error::Declined;
use crate::program::{Form, Program, Steps};
use crate::rows::Rows;
use crate::steps::Block;
use crate::trees::Bins;

/// What evaluating writes to, kept from call to call.
#[derive(Default)]
pub(crate) struct Workspace {
    buffers: Vec<Vec<f64>>,
    pub(crate) scratch: Scratch,
}

/// Room for single steps.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) singles: Vec<f32>,
    pub(crate) doubles: Vec<f64>,
    pub(crate) bins: Vec<Bins>,
    pub(crate) single_sums: Vec<f32>,
    pub(crate) double_sums: Vec<f64>,
    /// By row of the block, the largest sum of magnitudes that a linear step added up; kept only where it is asked for.
    pub(crate) magnitudes: Option<Vec<f64>>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

impl Program {
    /// The answer to these rows, or why Python has to give it.
    pub fn evaluate(&self, input: &Input) -> Result<Answer, Declined> {
        let steps = match &self.form {
            Form::Steps(steps) => steps,
            Form::Graph(graph) => return graph.evaluate(input),
        };
        WORKSPACE.with(|workspace| match workspace.try_borrow_mut() {
            Ok(mut workspace) => steps.run(input, &mut workspace, |_, _| ()),
            Err(_) => steps.run(input, &mut Workspace::default(), |_, _| ()),
        })
    }

    /// The answer, and for each row how large the terms were that linear steps added up.
    pub(crate) fn evaluate_measured(&self, input: &Input) -> Result<(Answer, Vec<f64>), Declined> {
        let steps = match &self.form {
            Form::Steps(steps) => steps,
            Form::Graph(graph) => return Ok((graph.evaluate(input)?, Vec::new())),
        };
        let mut workspace = Workspace::default();
        workspace.scratch.magnitudes = Some(Vec::new());
        let mut magnitudes = Vec::new();
        let answer = steps.run(input, &mut workspace, |scratch, rows| {
            let block = scratch.magnitudes.as_deref().unwrap_or_default();
            magnitudes.extend_from_slice(&block[..rows]);
        })?;
        Ok((answer, magnitudes))
    }

    /// Whether a row is answered alike whatever is asked with it. A library's arithmetic may depend on how many rows there are.
    pub fn by_row(&self) -> bool {
        matches!(self.form, Form::Steps(_))
    }
}

impl Steps {
    fn run(
        &self,
        input: &Input,
        workspace: &mut Workspace,
        mut after_block: impl FnMut(&Scratch, usize),
    ) -> Result<Answer, Declined> {
        let rows = Rows::of(input, &self.inputs)?;
        let count = rows.count();
        let mut answer = self.output.room(count, self.widths[self.output_buffer]);
        let capacity = self.block_rows.min(count);
        workspace
            .buffers
            .resize_with(self.widths.len().max(workspace.buffers.len()), Vec::new);
        for (buffer, width) in workspace.buffers.iter_mut().zip(&self.widths) {
            if buffer.len() < capacity * width {
                buffer.resize(capacity * width, 0.0);
            }
        }
        for start in (0..count).step_by(self.block_rows) {
            let size = self.block_rows.min(count - start);
            if let Some(magnitudes) = &mut workspace.scratch.magnitudes {
                magnitudes.clear();
                magnitudes.resize(size, 0.0);
            }
            let block = Block {
                rows: &rows,
                start,
                size,
            };
            self.run_block(&block, workspace)?;
            let made =
                &workspace.buffers[self.output_buffer][..size * self.widths[self.output_buffer]];
            self.output.write(made, &mut answer)?;
            after_block(&workspace.scratch, size);
        }
        self.output.finish(answer, count)
    }

    fn run_block(&self, block: &Block<'_>, workspace: &mut Workspace) -> Result<(), Declined> {
        let Workspace { buffers, scratch } = workspace;
        for placed in &self.steps {
            // Taken out, so that sources can be read while it is written; put back below. A step that only looks has
            // the buffer of its source.
            let mut own = std::mem::take(&mut buffers[placed.buffer]);
            let size = block.size * self.widths[placed.buffer];
            let result = {
                let source = |index: usize| {
                    let buffer = placed.from[index];
                    &buffers[buffer][..block.size * self.widths[buffer]]
                };
                placed.step.run(block, &source, &mut own[..size], scratch)
            };
            buffers[placed.buffer] = own;
            result?;
        }
        Ok(())
    }
}
