//! Params and methods: the ways to ask a model that a call may choose.

use std::path::Path;

use serde_json::{Value, json};
use sluis_mlflow::model::Model;
use sluis_mlflow::{Answer, Contract, Decoded, Work};
use sluis_worker::{CallError, Guardian, Ready, Worker};
use tokio::time::Instant;

use crate::support::{LONG, config, raw};

/// A worker with one of the conformance models, and the model's contract.
async fn serving(model: &str, guardian: &Guardian) -> (Worker, Ready, Contract) {
    let (_data, mut config) = config("probe");
    config.model = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../conformance/mlflow/models")
        .join(model);
    let model = Model::open(&config.model.to_string_lossy()).unwrap();
    let contract = Contract::compile(&model);
    config.columns = contract.columns().cloned();
    let (worker, ready) = Worker::start(&config, guardian).await.unwrap();
    (worker, ready, contract)
}

/// What the model answers to a payload that Rust decodes, with another method where one is named.
async fn ask(
    worker: &mut Worker,
    contract: &Contract,
    body: &str,
    method: Option<&str>,
) -> Result<Answer, CallError> {
    let Decoded::Call(mut call) = contract.decode_json(body.as_bytes()) else {
        panic!("not decoded: {body}");
    };
    call.options.method = method.map(str::to_owned);
    worker.call(&Work::Call(call), Instant::now() + LONG).await
}

async fn echoed(worker: &mut Worker, contract: &Contract, params: &str) -> Value {
    let body = format!(r#"{{"inputs": {{"x": [1.0]}}{params}}}"#);
    let Ok(Answer::Json(answer)) = ask(worker, contract, &body, None).await else {
        panic!("no JSON");
    };
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["predictions"]["params"].clone()
}

#[tokio::test]
async fn params_reach_the_model_as_mlflow_hands_them_on() {
    let guardian = Guardian::start().unwrap();
    let (mut worker, _, contract) = serving("echo_params", &guardian).await;
    let defaults = json!({
        "p_str": ["str", "dflt"], "p_int": ["int", "3"], "p_long": ["int", "7"], "p_float": ["float", "0.5"],
        "p_double": ["float", "0.25"], "p_bool": ["bool", "False"], "p_dt": ["datetime", "2024-01-02 03:04:05"],
        "p_list": ["list", [["int", "1"], ["int", "2"]]], "p_strs": ["list", [["str", "a"]]], "p_none": ["None"],
        "p_obj": ["dict", {"a": ["str", "x"]}]
    });
    assert_eq!(echoed(&mut worker, &contract, "").await, defaults);
    let given = echoed(
        &mut worker,
        &contract,
        r#", "params": {"p_dt": "2024-05-06T07:08:09.5+01:00", "p_double": 1, "zz": 0, "p_obj": {"b": 1, "a": "y"}, "p_long": null}"#,
    )
    .await;
    assert_eq!(
        given["p_dt"],
        json!(["datetime", "2024-05-06 06:08:09.500000"])
    );
    assert_eq!(given["p_double"], json!(["float", "1.0"]));
    assert_eq!(
        given["p_obj"],
        json!(["dict", {"b": ["int", "1"], "a": ["str", "y"]}])
    );
    assert_eq!(given["p_long"], json!(["None"]));
    let order: Vec<String> = given.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        order.join(" "),
        "p_dt p_double p_obj p_long p_str p_int p_float p_bool p_list p_strs p_none"
    );
    let date = echoed(
        &mut worker,
        &contract,
        r#", "params": {"p_dt": "2024-05-06"}"#,
    )
    .await;
    assert_eq!(date["p_dt"], json!(["date", "2024-05-06"]));
    worker.stop(LONG).await;
}

const FLOWER: &str = r#"{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
    "data": [[5.1, 3.5, 1.4, 0.2], [6.0, 2.9, 4.5, 1.5]]}}"#;

async fn probabilities(worker: &mut Worker, contract: &Contract) -> Vec<f64> {
    let answer = ask(worker, contract, FLOWER, Some("predict_proba")).await;
    let Ok(Answer::Dense(block)) = answer else {
        panic!("an array: {answer:?}");
    };
    assert_eq!(block.shape, [2, 3]);
    let cells = block.bytes.chunks_exact(8);
    let values: Vec<f64> = cells
        .map(|cell| f64::from_le_bytes(cell.try_into().unwrap()))
        .collect();
    for row in values.chunks(3) {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
    }
    values
}

fn as_it_came(method: Option<&str>, body: &'static str) -> Work {
    let Work::Raw(mut request) = raw("POST", "/invocations", Some("application/json"), body) else {
        panic!("raw");
    };
    request.model_method = method.map(str::to_owned);
    Work::Raw(request)
}

#[tokio::test]
async fn a_named_method_is_asked_in_both_ways_of_scoring() {
    let guardian = Guardian::start().unwrap();
    let (mut worker, ready, contract) = serving("sk_cols", &guardian).await;
    assert_eq!(
        ready.methods.join(" "),
        "predict predict_proba predict_log_proba decision_function"
    );
    let probabilities = probabilities(&mut worker, &contract).await;
    let mut answers = Vec::new();
    for work in [
        as_it_came(Some("predict_proba"), FLOWER),
        as_it_came(None, FLOWER),
        as_it_came(
            Some("predict_proba"),
            r#"{"inputs": {"sepal_width": [1.0]}}"#,
        ),
        as_it_came(Some("transform"), FLOWER),
    ] {
        answers.push(worker.call(&work, Instant::now() + LONG).await);
    }
    let Ok(Answer::Http(http)) = &answers[0] else {
        panic!("an answer")
    };
    let answer: Value = serde_json::from_slice(&http.body).unwrap();
    let rows: Vec<Vec<f64>> = serde_json::from_value(answer["predictions"].clone()).unwrap();
    assert_eq!(rows.concat(), probabilities);
    let Ok(Answer::Http(http)) = &answers[1] else {
        panic!("an answer")
    };
    let answer: Value = serde_json::from_slice(&http.body).unwrap();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 2);
    assert!(answer["predictions"][0].is_i64(), "{answer}");
    let Ok(Answer::Http(http)) = &answers[2] else {
        panic!("an answer")
    };
    let text = String::from_utf8_lossy(&http.body);
    assert!(
        http.status == 400 && text.contains("Model is missing inputs"),
        "{text}"
    );
    let Err(CallError::Raised(raised)) = &answers[3] else {
        panic!("a refusal")
    };
    let (status, document) = raised.document.clone().unwrap();
    assert!(
        status == 400 && document.contains("it has predict, predict_proba"),
        "{document}"
    );
    worker.stop(LONG).await;
}

#[tokio::test]
async fn boosters_have_margins_and_a_python_model_has_its_own_function_only() {
    let guardian = Guardian::start().unwrap();
    let (mut worker, ready, contract) = serving("lgb_cols", &guardian).await;
    assert_eq!(
        ready.methods.join(" "),
        "predict margin raw_score pred_leaf pred_contrib"
    );
    for (method, shape) in [
        ("raw_score", [2].as_slice()),
        ("pred_contrib", [2, 5].as_slice()),
    ] {
        let answer = ask(&mut worker, &contract, FLOWER, Some(method)).await;
        let Ok(Answer::Dense(block)) = answer else {
            panic!("{method}: {answer:?}")
        };
        assert_eq!(block.shape, shape, "{method}");
    }
    worker.stop(LONG).await;
    let (worker, ready, _) = serving("echo_params", &guardian).await;
    assert!(ready.methods.is_empty());
    worker.stop(LONG).await;
}
