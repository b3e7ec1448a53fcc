//! `sluis plan` on every model folder there is.

use std::fs;
use std::path::PathBuf;

use super::server::{root, sluis};

fn model_folders() -> Vec<PathBuf> {
    let (mut found, mut folders) = (
        Vec::new(),
        vec![root().join("conformance"), root().join("demo")],
    );
    while let Some(folder) = folders.pop() {
        if folder.join("MLmodel").is_file() {
            found.push(folder);
            continue;
        }
        folders.extend(
            fs::read_dir(folder)
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_dir()),
        );
    }
    found
}

#[test]
fn every_model_folder_has_a_plan() {
    let folders = model_folders();
    assert!(
        folders.len() > 60,
        "only {} model folders found",
        folders.len()
    );
    for folder in folders {
        let json = sluis()
            .arg("plan")
            .arg(&folder)
            .arg("--json")
            .output()
            .unwrap();
        let plan: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(
            plan["model"]["name"].is_string() && plan["scoring"].is_object(),
            "{}",
            folder.display()
        );
    }
}

#[test]
fn the_articles_model_is_planned_and_what_it_lacks_is_named() {
    let output = sluis()
        .arg("plan")
        .arg(root().join("conformance/article"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for part in ["model.pkl", "3.10.11", "bmi", "scikit-learn==1.1.2"] {
        assert!(text.contains(part), "'{part}' is not in the plan:\n{text}");
    }
}
