//! What the fuzz targets share: model folders made on the fly, and one contract of every kind.

use std::fmt::Write;
use std::sync::OnceLock;

use sluis_mlflow::Contract;
use sluis_mlflow::model::{Model, ModelError, Signature};

/// A model folder that goes with its value.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with one file.
    pub fn with(name: &str, content: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(name), content).expect("a file in it");
        Self(folder)
    }

    /// The model in it.
    pub fn open(&self) -> Result<Model, ModelError> {
        Model::open(&self.0.path().to_string_lossy())
    }
}

/// An `MLmodel` with these texts as its signature.
pub fn mlmodel(inputs: Option<&str>, outputs: Option<&str>, params: Option<&str>) -> String {
    let mut text = String::from(
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    python_version: 3.11.7\nsignature:\n",
    );
    for (key, value) in [("inputs", inputs), ("outputs", outputs), ("params", params)] {
        let quoted = value.map_or("null".to_owned(), |value| format!("'{}'", value.replace('\'', "''")));
        writeln!(text, "  {key}: {quoted}").expect("a text grows");
    }
    text
}

/// One of the contracts of `signatures.json`.
pub fn contract(choice: u8) -> &'static Contract {
    &served(choice).0
}

/// One of the contracts of `signatures.json`, and its signature.
pub fn served(choice: u8) -> &'static (Contract, Option<Signature>) {
    static SERVED: OnceLock<Vec<(Contract, Option<Signature>)>> = OnceLock::new();
    let served = SERVED.get_or_init(|| {
        let signatures: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../signatures.json")).expect("a list of signatures");
        signatures.iter().map(compiled).collect()
    });
    &served[usize::from(choice) % served.len()]
}

fn compiled(signature: &serde_json::Value) -> (Contract, Option<Signature>) {
    let inputs = signature["inputs"].to_string();
    let params = Some(&signature["params"]).filter(|params| !params.is_null());
    let params = params.map(ToString::to_string);
    let text = mlmodel(Some(&inputs), None, params.as_deref());
    let folder = Folder::with("MLmodel", text.as_bytes());
    let model = folder.open().expect("a model");
    // Versions whose rules are known: without them Rust decides less.
    let contract = Contract::compile(&model).beside("3.17.2").with_pandas("3.1.1");
    (contract, model.signature)
}
