//! The shared library of an ONNX Runtime, in this process: the one whose digest a program names, and one only.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ort::environment::Environment;
use sha2::{Digest, Sha256};

use super::head::LibraryHead;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// What was loaded first, and what came of it. It stays as long as the process.
static LOADED: OnceLock<(String, Result<Environment, String>)> = OnceLock::new();

/// Loads the library, unless it is loaded already.
pub(super) fn load(head: &LibraryHead) -> Result<&'static Environment, String> {
    let path = Path::new(&head.path);
    if !is_a_runtime(path) {
        return Err("its library is no ONNX Runtime of a Python package".to_owned());
    }
    check(path, &head.sha256, "the library of its ONNX Runtime")?;
    let (digest, loaded) = LOADED.get_or_init(|| (head.sha256.clone(), open(path)));
    if *digest != head.sha256 {
        return Err(
            "this process has loaded another ONNX Runtime, and holds one at most".to_owned(),
        );
    }
    loaded.as_ref().map_err(Clone::clone)
}

fn open(path: &Path) -> Result<Environment, String> {
    let builder = ort::init_from(path)
        .map_err(|error| format!("its ONNX Runtime cannot be loaded ({error})"))?;
    // What is logged may quote a payload; what fails is told by its result.
    builder
        .with_name("sluis")
        .with_telemetry(false)
        .with_logger(Arc::new(|_, _, _, _, _| ()))
        .build()
        .map_err(|error| format!("its ONNX Runtime does not start ({error})"))
}

/// Only `…/onnxruntime/capi/libonnxruntime*`: a program cannot name any other file to be run.
fn is_a_runtime(path: &Path) -> bool {
    let folder = path.parent();
    let named = |part: Option<&Path>, name: &str| {
        part.and_then(Path::file_name)
            .is_some_and(|found| found == name)
    };
    path.is_absolute()
        && named(folder, "capi")
        && named(folder.and_then(Path::parent), "onnxruntime")
        && path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"libonnxruntime"))
}

/// Whether a file is the one that was exported.
pub(super) fn check(path: &Path, sha256: &str, what: &str) -> Result<(), String> {
    let missing = |error| format!("{what} cannot be read: {} ({error})", path.display());
    let mut file = File::open(path).map_err(missing)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk).map_err(missing)?;
        if count == 0 {
            break;
        }
        hash.update(&chunk[..count]);
    }
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found == sha256 {
        return Ok(());
    }
    Err(format!(
        "{what} has changed since the export: {}",
        path.display()
    ))
}
