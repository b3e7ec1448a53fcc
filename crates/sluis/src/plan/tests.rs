//! Plans of real model folders: three as committed text and JSON, and every other without a fault.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p sluis plan` writes the expected files anew; read the difference before keeping it.

use std::fs;
use std::path::{Path, PathBuf};

use sluis_mlflow::Contract;
use sluis_mlflow::model::Model;

use super::report::{
    AdditionPlan, EnvironmentPlan, PackagePlan, Plan, ResolvedEnvironment, Warning,
};
use super::{collect, environment, text};
use crate::native::Prospect;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance")
}

fn plan(folder: &str) -> Plan {
    let model = Model::open(root().join(folder).to_str().unwrap()).unwrap();
    collect::collect(
        &model,
        environment::from_folder(&model),
        Prospect::of_folder(&model, &Contract::compile(&model)),
    )
}

fn json(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).unwrap() + "\n"
}

/// Compares with the committed file, after machine paths are replaced.
fn matches_snapshot(name: &str, shown: &str) {
    let home = fs::canonicalize(root()).unwrap();
    let shown = shown.replace(home.to_str().unwrap(), "<conformance>");
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/plan/snapshots")
        .join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, &shown).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(shown, expected, "{name} differs; see the head of tests.rs");
}

#[test]
fn three_models_are_shown_as_committed() {
    let models = [
        ("dense", "mlflow/models/sk_cols"),
        ("params", "mlflow/models/echo_params"),
        ("missing", "article"),
    ];
    for (name, folder) in models {
        let plan = plan(folder);
        matches_snapshot(&format!("{name}.txt"), &text::render(&plan));
        matches_snapshot(&format!("{name}.json"), &json(&plan));
    }
}

#[test]
fn every_model_folder_has_a_plan() {
    let (mut seen, mut folders) = (0, vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "MLmodel") {
                let model = Model::open(path.to_str().unwrap()).unwrap();
                let plan = collect::collect(
                    &model,
                    environment::from_folder(&model),
                    Prospect::of_folder(&model, &Contract::compile(&model)),
                );
                assert!(
                    text::render(&plan).contains("Scoring"),
                    "{}",
                    path.display()
                );
                let value: serde_json::Value = serde_json::from_str(&json(&plan)).unwrap();
                assert_eq!(value["format_version"], 1);
                seen += 1;
            }
        }
    }
    assert!(seen > 80, "only {seen} models found");
}

#[test]
fn a_resolved_environment_is_shown_with_its_reasons() {
    let model = Model::open(root().join("mlflow/models/sk_cols").to_str().unwrap()).unwrap();
    let resolved = ResolvedEnvironment {
        interpreter: Some("/bin/python3.12".into()),
        interpreter_version: Some("3.12.1".into()),
        packages: vec![
            PackagePlan {
                requirement: "numpy==2.4.6".into(),
                pinned: true,
            },
            PackagePlan {
                requirement: "scipy".into(),
                pinned: false,
            },
        ],
        additions: vec![AdditionPlan {
            requirement: "pyarrow".into(),
            reason: "data exchange".into(),
        }],
        conda_packages: vec!["libgomp".into()],
        built: false,
        warnings: vec![Warning::new("python_version", "3.11 is not available")],
    };
    let environment = EnvironmentPlan {
        resolved: Some(resolved),
        ..environment::from_folder(&model)
    };
    let prospect = Prospect::of_folder(&model, &Contract::compile(&model));
    let plan = collect::collect(&model, environment, prospect);
    let shown = text::render(&plan);
    for line in [
        "3.12.1 (/bin/python3.12)",
        "pyarrow (data exchange)",
        "conda only    libgomp",
        "not built yet",
    ] {
        assert!(shown.contains(line), "{line} not in\n{shown}");
    }
    let codes: Vec<&str> = plan.warnings.iter().map(|warning| warning.code).collect();
    assert!(codes.contains(&"unpinned_packages") && codes.contains(&"python_version"));
}

#[test]
fn every_warning_code_is_documented() {
    let source = include_str!("warnings.rs");
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plan.md");
    let document = fs::read_to_string(document).unwrap();
    let mut codes = 0;
    for call in source.split("Warning::new(").skip(1) {
        let code = call.split('"').nth(1).unwrap();
        assert!(
            document.contains(&format!("`{code}`")),
            "{code} is not in docs/plan.md"
        );
        codes += 1;
    }
    assert!(codes > 8);
}
