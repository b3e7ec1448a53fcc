//! `MLmodel` files: any bytes are a model or a named error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::Folder;

fuzz_target!(|bytes: &[u8]| {
    let folder = Folder::with("MLmodel", bytes);
    if let Ok(model) = folder.open() {
        // Whatever was read can be shown, compiled, and asked for its example.
        let _shown = format!("{model:?}");
        let _contract = sluis_mlflow::Contract::compile(&model);
        let _example = model.example_request();
    }
});
