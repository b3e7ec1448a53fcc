//! TensorFlow Serving's predict bodies: rewritten as a payload of MLflow that decodes, or a named error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::served;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let (contract, signature) = served(*choice);
    if let Ok(request) = contract.from_tensorflow(body, signature.as_ref()) {
        let _decoded = contract.decode_json(&request.body);
    }
});
