//! The crate graph is the one that `docs/ARCHITECTURE.md` draws.

use std::collections::BTreeMap;
use std::fs;

use super::server::root;

/// Each crate, and the crates of ours that it may name. Dependencies point down.
const ALLOWED: &[(&str, &[&str])] = &[
    ("mlflow", &[]),
    ("environment", &[]),
    ("worker", &["mlflow"]),
    ("native", &["mlflow"]),
    ("scoring", &["mlflow", "native", "worker"]),
    ("gateway", &["mlflow", "scoring"]),
    (
        "sluis",
        &[
            "environment",
            "gateway",
            "mlflow",
            "native",
            "scoring",
            "worker",
        ],
    ),
];

#[test]
fn crates_depend_on_what_the_table_allows_and_nothing_else() {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("crates")).unwrap().flatten() {
        let manifest = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap();
        let names = manifest
            .lines()
            .filter_map(|line| line.strip_prefix("sluis-"));
        let names = names.map(|line| line.split(['.', ' ', '=']).next().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.dedup();
        found.insert(entry.file_name().into_string().unwrap(), names);
    }
    let allowed: BTreeMap<String, Vec<String>> = ALLOWED
        .iter()
        .map(|(name, below)| {
            (
                (*name).to_owned(),
                below.iter().map(|name| (*name).to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(
        found, allowed,
        "change the table in docs/ARCHITECTURE.md together with this one"
    );
}

#[test]
fn the_table_of_the_architecture_page_names_every_crate() {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    for (name, below) in ALLOWED {
        let row = format!(
            "| `{name}` | {} |",
            if below.is_empty() {
                "–".to_owned()
            } else {
                below.join(", ")
            }
        );
        assert!(
            page.contains(&row),
            "docs/ARCHITECTURE.md lacks the row {row}"
        );
    }
}
