//! JSON payloads under contracts of every kind: decoded, refused or left to Python, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::contract;

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses the contract.
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let _decoded = contract(*choice).decode_json(body);
});
