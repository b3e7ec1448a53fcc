//! Open Inference requests, the first two bytes of the body being how much of it is JSON (all of it for 0): typed inputs, a
//! payload of MLflow, or a named error. The body is read as an answer, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluis_fuzz::served;
use sluis_mlflow::Answer;
use sluis_mlflow::open_inference::{InferRequest, Prepared, Responder};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    let (contract, signature) = served(*choice);
    let Some((length, body)) = body.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length));
    let body = body.to_vec().into();
    if let Ok(request) = InferRequest::read(&body, (length > 0).then_some(length)) {
        let responder = Responder::to(&request, "m", "1", signature.as_ref());
        let _response = responder.respond(Answer::Json(body));
        if let Ok(Prepared::Json(rewritten)) =
            contract.from_open_inference(request, signature.as_ref())
        {
            let _decoded = contract.decode_json(&rewritten);
        }
    }
});
