//! What an exporter left, proved method by method. Long arithmetic: to be run on a thread of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use sluis_native::{Layout, Program, prove};

use super::cache::{Attempted, Finding, Programs};
use super::candidate::METHODS;

/// What is to be proved.
pub(crate) struct Trial {
    /// Where programs and samples are.
    pub(crate) folder: PathBuf,
    /// The model's folder.
    pub(crate) model: PathBuf,
    pub(crate) layout: Layout,
    pub(crate) own: Attempted,
    pub(crate) others: BTreeMap<String, Attempted>,
}

/// What was.
#[derive(Default)]
pub(crate) struct Tried {
    pub(crate) own: Finding,
    pub(crate) others: BTreeMap<String, Finding>,
    pub(crate) programs: Programs,
    /// The files of the programs.
    pub(crate) files: BTreeMap<Option<String>, Arc<Vec<u8>>>,
}

/// A program and its file.
type Made = (Arc<Program>, Arc<Vec<u8>>);

impl Trial {
    /// Proves all of them.
    pub(crate) fn run(&self) -> Tried {
        let mut tried = Tried::default();
        let mut made: BTreeMap<Option<String>, Made> = BTreeMap::new();
        let (own, program) = self.one(None, &self.own);
        tried.own = own;
        made.extend(program.map(|program| (None, program)));
        for name in METHODS {
            let Some(attempted) = self.others.get(name) else {
                continue;
            };
            let (finding, program) = match attempted {
                Attempted::SameAs(first) => (
                    tried.others.get(first).cloned(),
                    made.get(&Some(first.clone())).cloned(),
                ),
                attempted => {
                    let (finding, program) = self.one(Some(name), attempted);
                    (Some(finding), program)
                }
            };
            let Some(finding) = finding else { continue };
            tried.others.insert(name.to_owned(), finding);
            made.extend(program.map(|program| (Some(name.to_owned()), program)));
        }
        tried.share(made);
        tried
    }

    fn one(&self, method: Option<&str>, attempted: &Attempted) -> (Finding, Option<Made>) {
        let turning_points = match attempted {
            Attempted::Exported { turning_points } => *turning_points,
            Attempted::Refused(reason) => return (Finding::refused(reason.clone()), None),
            Attempted::SameAs(name) => {
                return (
                    Finding::refused(format!("the exporter took it for {name}")),
                    None,
                );
            }
        };
        match self.prove(method) {
            Ok((finding, program, bytes)) => {
                let finding = Finding {
                    turning_points,
                    ..finding
                };
                (finding, Some((Arc::new(program), Arc::new(bytes))))
            }
            Err(reason) => {
                let reason = format!("not proved equal to Python: {reason}");
                let finding = Finding {
                    turning_points,
                    ..Finding::refused(reason)
                };
                (finding, None)
            }
        }
    }

    fn prove(&self, method: Option<&str>) -> Result<(Finding, Program, Vec<u8>), String> {
        let read = |what: &str| {
            let name = match method {
                Some(method) => format!("{what}.{method}"),
                None => what.to_owned(),
            };
            fs::read(self.folder.join(&name)).map_err(|error| format!("{name}: {error}"))
        };
        let bytes = read("program")?;
        let program =
            Program::read_beside(&bytes, &self.model).map_err(|error| error.to_string())?;
        let evidence = prove(&program, &read("sample")?, &self.layout);
        let finding = Finding {
            class: Some(program.name().to_owned()),
            evidence: Some(evidence.map_err(|error| error.to_string())?),
            ..Finding::default()
        };
        Ok((finding, program, bytes))
    }
}

impl Tried {
    /// Methods whose programs are equal to the byte share one in memory.
    fn share(&mut self, made: BTreeMap<Option<String>, Made>) {
        let mut first: Vec<Made> = Vec::new();
        for (method, (program, bytes)) in made {
            let known = first.iter().find(|(_, known)| *known == bytes);
            let program = match known {
                Some((known, _)) => Arc::clone(known),
                None => {
                    first.push((Arc::clone(&program), Arc::clone(&bytes)));
                    program
                }
            };
            self.programs.push((method.clone(), program));
            self.files.insert(method, bytes);
        }
    }
}
