//! Signatures: the JSON texts in `MLmodel`, separated by a line each, are a signature or a named error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::{Folder, mlmodel};
use sluis_mlflow::Contract;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut texts = text.splitn(3, '\n');
    let [inputs, outputs, params] = [(); 3].map(|()| texts.next().filter(|text| !text.is_empty()));
    let folder = Folder::with("MLmodel", mlmodel(inputs, outputs, params).as_bytes());
    if let Ok(model) = folder.open() {
        let contract = Contract::compile(&model);
        let _decoded = contract.decode_json(br#"{"inputs": [[1, 2], [3, 4]]}"#);
        let _decoded = contract.decode_json(br#"{"dataframe_split": {"columns": ["a"], "data": [[1]]}}"#);
    }
});
