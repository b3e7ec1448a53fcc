//! Arrow IPC streams. What the reader of the format breaks on is caught and refused; it counts as a finding all the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::contract;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let _work = contract(*choice).decode_arrow(&body.to_vec().into());
});
