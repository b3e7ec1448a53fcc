//! JSON payloads under contracts of every kind: decoded, refused or left to Python, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::contract;
use sluis_mlflow::contract::Strictness;

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses the contract.
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let contract = contract(*choice);
    let _decoded = contract.decode_json(body);
    let _checked = contract.clone().with_strictness(Strictness::Strict).decode_json(body);
});
