//! `/openapi.json`: what the page says can be asked, can be asked, and its examples score.

use serde_json::Value;

use super::server::{Server, model, request};

/// Sends every request that the page describes by an example, and every GET.
fn try_page(name: &str, options: &[&str]) {
    let server = Server::start(&model(name), options);
    let (status, page) = request(server.port, "GET", "/openapi.json", &[], b"");
    assert_eq!(status, 200);
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["openapi"], "3.1.0");
    let (mut posted, mut got) = (0, 0);
    for (path, item) in page["paths"].as_object().unwrap() {
        if item.get("get").is_some() {
            let (status, text) = request(server.port, "GET", path, &[], b"");
            assert_eq!(status, 200, "{name} GET {path}: {text}");
            got += 1;
            continue;
        }
        for (content_type, content) in item["post"]["requestBody"]["content"].as_object().unwrap() {
            let many = content["examples"].as_object().into_iter().flatten();
            let examples = many.map(|(_, example)| &example["value"]);
            for example in examples.chain(content.get("example")) {
                let body = match example {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let (status, text) = server.post(path, content_type, body.as_bytes());
                assert_eq!(
                    status, 200,
                    "{name} {options:?} POST {path} {content_type} {body}: {text}"
                );
                posted += 1;
            }
        }
    }
    assert!(posted >= 2, "{name}: {posted} examples");
    assert!(got >= 10, "{name}: {got} pages");
}

#[test]
fn examples_of_frames_score() {
    try_page("sk_cols", &["--strictness", "strict"]);
    try_page("echo_types", &[]);
    try_page("echo_params", &["--strictness", "azure"]);
}

#[test]
fn examples_of_other_payloads_score() {
    try_page("echo_nested", &[]);
    try_page("sk_tensor", &["--strictness", "azure"]);
    try_page("echo_tensor_named", &[]);
    try_page("hint_pydantic", &[]);
}
