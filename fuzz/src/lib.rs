//! What the fuzz targets share: model folders made on the fly, and one contract of every kind.

use std::fmt::Write;
use std::sync::OnceLock;

use sluis_mlflow::Contract;
use sluis_mlflow::model::{Model, ModelError};

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
    static CONTRACTS: OnceLock<Vec<Contract>> = OnceLock::new();
    let contracts = CONTRACTS.get_or_init(|| {
        let signatures: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../signatures.json")).expect("a list of signatures");
        signatures.iter().map(compiled).collect()
    });
    &contracts[usize::from(choice) % contracts.len()]
}

fn compiled(signature: &serde_json::Value) -> Contract {
    let inputs = signature["inputs"].to_string();
    let params = Some(&signature["params"]).filter(|params| !params.is_null());
    let params = params.map(ToString::to_string);
    let text = mlmodel(Some(&inputs), None, params.as_deref());
    let folder = Folder::with("MLmodel", text.as_bytes());
    Contract::compile(&folder.open().expect("a model"))
}
