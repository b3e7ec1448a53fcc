//! Azure's `input_data`: rewritten as a payload of MLflow that decodes, or a named error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::contract;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    if let Ok(Some(rewritten)) = sluis_mlflow::from_input_data(body) {
        let _decoded = contract(*choice).decode_json(&rewritten);
    }
});
