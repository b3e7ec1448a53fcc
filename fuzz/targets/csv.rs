//! CSV bodies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::contract;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let _decoded = contract(*choice).decode_csv(body);
});
