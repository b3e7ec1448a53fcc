//! Arrow IPC streams. What the reader of the format breaks on is caught and refused; so panics are silent here, and only
//! those that get out of the decoder count.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::contract;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let _work = contract(*choice).decode_arrow(&body.to_vec().into());
});
