//! Real model folders, and broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Model, ModelError};
use crate::contract::{Contract, Layout};

/// Every `MLmodel` of the conformance data.
fn all_models() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance");
    let (mut found, mut folders) = (Vec::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "MLmodel") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_model_folder_of_the_conformance_data_is_read() {
    let models = all_models();
    assert!(models.len() > 50, "only {} models found", models.len());
    for path in models {
        let model = Model::open(path.to_str().unwrap());
        let model = model.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
        assert!(!model.name.is_empty() && !model.python_function.loader_module.is_empty());
        Contract::compile(&model);
    }
}

#[test]
fn a_model_of_doubles_is_dense_and_one_of_hints_is_pythons() {
    let open = |name: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/mlflow/models");
        Model::open(root.join(name).to_str().unwrap()).unwrap()
    };
    let iris = open("sk_cols");
    assert!(iris.row_wise() && iris.missing_files.is_empty());
    assert!(iris.example_request().is_some());
    assert!(
        matches!(Contract::compile(&iris).layout(), Layout::Columns(layout) if layout.dense.is_some())
    );
    assert!(matches!(
        Contract::compile(&open("sk_tensor")).layout(),
        Layout::Tensor(_)
    ));
    assert!(matches!(
        Contract::compile(&open("hint_str")).layout(),
        Layout::Python(_)
    ));
}

#[test]
fn broken_folders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |text: &str| {
        fs::write(folder.path().join("MLmodel"), text).unwrap();
        Model::open(folder.path().to_str().unwrap()).unwrap_err()
    };
    assert!(matches!(open("a: [1"), ModelError::Yaml { .. }));
    assert!(matches!(open("- 1"), ModelError::Field { .. }));
    assert!(matches!(
        open("flavors: {crate: {}}"),
        ModelError::NoPythonFunction { .. }
    ));
    assert!(matches!(
        open("flavors: {python_function: {}}"),
        ModelError::Field { .. }
    ));
    let outside = "flavors: {python_function: {loader_module: m, data: ../x}}";
    assert!(matches!(open(outside), ModelError::Outside { .. }));
    let external =
        "flavors: {python_function: {loader_module: m}}\nmetadata: {mlflow.model.isExternal: true}";
    assert!(matches!(open(external), ModelError::External { .. }));
    assert!(matches!(
        Model::open("/no/such/folder"),
        Err(ModelError::Missing { .. })
    ));
    assert!(matches!(
        Model::open("models:/churn/1"),
        Err(ModelError::Scheme { .. })
    ));
    let parent = folder.path().parent().unwrap();
    let inner = tempfile::tempdir_in(parent).unwrap();
    fs::create_dir(inner.path().join("model")).unwrap();
    fs::write(inner.path().join("model/MLmodel"), "").unwrap();
    let hint = Model::open(inner.path().to_str().unwrap())
        .unwrap_err()
        .to_string();
    assert!(hint.contains("did you mean"), "{hint}");
}

#[test]
fn no_cut_or_changed_file_panics() {
    let folder = tempfile::tempdir().unwrap();
    for path in all_models().into_iter().step_by(7) {
        let bytes = fs::read(&path).unwrap();
        for step in 1..40 {
            let mut changed = bytes.clone();
            let place = (step * 7919) % changed.len();
            if step % 2 == 0 {
                changed.truncate(place);
            } else {
                changed[place] = b"{}[]:-'\"0\n"[step % 10];
            }
            fs::write(folder.path().join("MLmodel"), changed).unwrap();
            let _either_way = Model::open(folder.path().to_str().unwrap());
        }
    }
}

#[test]
fn loaders_environment_files_and_links_are_judged() {
    use super::LoaderOrigin;
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let open = |flavor: &str| {
        let text = format!("flavors: {{python_function: {{{flavor}}}}}");
        fs::write(folder.path().join("MLmodel"), text).unwrap();
        Model::open(location)
    };
    fs::create_dir_all(folder.path().join("code")).unwrap();
    fs::write(folder.path().join("code/mine.py"), "").unwrap();
    let origin = |flavor: &str| open(flavor).unwrap().loader_origin();
    assert_eq!(
        origin("loader_module: mlflow.sklearn"),
        LoaderOrigin::Mlflow
    );
    assert_eq!(
        origin("loader_module: mlflow.gluon"),
        LoaderOrigin::OldMlflow
    );
    assert_eq!(
        origin("loader_module: mlflow.nothing"),
        LoaderOrigin::Unknown
    );
    assert_eq!(
        origin("loader_module: mine, code: code"),
        LoaderOrigin::ModelCode
    );
    // Without a code folder nobody brings the module.
    assert_eq!(
        open("loader_module: mine")
            .unwrap()
            .facts()
            .unknown_loader
            .as_deref(),
        Some("mine")
    );

    let model = open("loader_module: m, env: {conda: c.yaml, virtualenv: p.yaml}").unwrap();
    assert_eq!(model.missing_environment_files, ["c.yaml", "p.yaml"]);
    assert!(model.missing_files.is_empty());
    let outside = |flavor: &str| matches!(open(flavor), Err(ModelError::Outside { .. }));
    assert!(outside("loader_module: m, env: ../conda.yaml"));
    assert!(outside(
        "loader_module: m, env: {virtualenv: /etc/hostname}"
    ));
    assert!(outside("loader_module: m, artifacts: {a: {path: ../a}}"));
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("link")).unwrap();
    assert!(outside("loader_module: m, data: link"));
}

#[test]
fn pickles_are_found_wherever_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/model.pth"), "12345").unwrap();
    fs::write(folder.path().join("python_model.pkl.lzma"), "123").unwrap();
    let text = "flavors: {python_function: {loader_module: mlflow.pytorch, data: data}}";
    fs::write(folder.path().join("MLmodel"), text).unwrap();
    let facts = Model::open(folder.path().to_str().unwrap())
        .unwrap()
        .facts();
    assert_eq!(facts.pickles, ["data/model.pth", "python_model.pkl.lzma"]);
    assert_eq!((facts.files, facts.size_bytes), (3, 8 + text.len() as u64));
}

#[test]
fn a_file_uri_and_the_file_itself_give_an_absolute_folder() {
    let folder = tempfile::tempdir().unwrap();
    let spaced = folder.path().join("my model");
    fs::create_dir(&spaced).unwrap();
    let text = "flavors: {python_function: {loader_module: mlflow.sklearn}}";
    fs::write(spaced.join("MLmodel"), text).unwrap();
    let expected = fs::canonicalize(&spaced).unwrap();
    let uri = format!("file://{}", spaced.display()).replace(' ', "%20");
    let file = spaced.join("../my model/MLmodel");
    for location in [
        uri.as_str(),
        file.to_str().unwrap(),
        spaced.to_str().unwrap(),
    ] {
        assert_eq!(
            Model::open(location).unwrap().folder,
            expected,
            "{location}"
        );
    }
    let other = spaced.join("conda.yaml");
    fs::write(&other, "").unwrap();
    assert!(matches!(
        Model::open(other.to_str().unwrap()),
        Err(ModelError::NotAFolder { .. })
    ));
}
