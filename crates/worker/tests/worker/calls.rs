//! Every kind of call and answer, on one worker.

use sluis_mlflow::{Answer, DType, Input, Raised, Work};
use sluis_worker::{CallError, Guardian, Ready, Worker};
use tokio::time::Instant;

use crate::support::{LONG, act, config, doubles, raw};

async fn call(worker: &mut Worker, work: Work) -> Result<Answer, Raised> {
    match worker.call(&work, Instant::now() + LONG).await {
        Ok(answer) => Ok(answer),
        Err(CallError::Raised(raised)) => Err(raised),
        Err(broken) => panic!("{broken}"),
    }
}

async fn json(worker: &mut Worker, work: Work) -> String {
    match call(worker, work).await {
        Ok(Answer::Json(body)) => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn http(worker: &mut Worker, work: Work) -> (u16, String) {
    match call(worker, work).await {
        Ok(Answer::Http(http)) => (http.status, String::from_utf8(http.body.to_vec()).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_worker_answers_every_kind_of_call() {
    let (_data, config) = config("probe");
    let guardian = Guardian::start().unwrap();
    let (mut worker, ready) = Worker::start(&config, &guardian).await.unwrap();
    assert!(
        ready.versions.mlflow.is_some() && ready.versions.pandas.is_some(),
        "{ready:?}"
    );
    arrays_come_back(&mut worker).await;
    frames_come_back(&mut worker).await;
    tables_come_in_every_form(&mut worker).await;
    exceptions_are_answers(&mut worker).await;
    requests_are_answered_by_mlflow(&mut worker, &ready).await;
    worker.stop(LONG).await;
}

async fn arrays_come_back(worker: &mut Worker) {
    let tensor = doubles(&[1, 2, 2], &[1.0, f64::NAN, f64::INFINITY, -0.0]);
    let Ok(Answer::Dense(block)) = call(worker, Work::from(Input::Tensor(tensor.clone()))).await
    else {
        panic!()
    };
    assert_eq!(
        (block.shape, block.bytes),
        (tensor.shape.clone(), tensor.bytes.clone())
    );
    let named = vec![
        ("p".to_owned(), doubles(&[1], &[0.25])),
        ("q".to_owned(), doubles(&[0, 3], &[])),
    ];
    let text = json(worker, Work::from(Input::Tensors(named))).await;
    assert_eq!(text, r#"{"predictions": {"p": [0.25], "q": []}}"#);
    let Ok(Answer::Dense(block)) = call(worker, act("big_endian")).await else {
        panic!()
    };
    assert_eq!(
        (block.dtype, block.bytes.as_ref()),
        (DType::Int32, [1, 0, 0, 0, 2, 0, 0, 0].as_slice())
    );
    let error = call(worker, act("large:2000000")).await.unwrap_err();
    assert!(
        error.unserializable && error.message.contains("1048576"),
        "{error}"
    );
    let large = call(
        worker,
        Work::from(Input::Tensor(doubles(&[200_000], &[0.0; 200_000]))),
    )
    .await;
    assert_eq!(large.unwrap_err().document.unwrap().0, 413);
}

async fn frames_come_back(worker: &mut Worker) {
    let known: std::sync::Arc<[String]> = vec!["a".to_owned(), "b".to_owned()].into();
    let other: std::sync::Arc<[String]> = vec!["ä".to_owned(), "b".to_owned()].into();
    for columns in [known, other] {
        let frame = doubles(&[2, 2], &[1.0, 2.0, 3.0, 4.0]).with_columns(columns);
        let Ok(Answer::Dense(block)) = call(worker, Work::from(Input::Frame(frame.clone()))).await
        else {
            panic!()
        };
        assert_eq!(block, frame);
    }
    let Ok(Answer::Batch(batch)) = call(worker, act("echo")).await else {
        panic!()
    };
    assert_eq!(
        (batch.num_rows(), batch.schema().field(0).name().as_str()),
        (1, "do")
    );
    let types = json(worker, act("types")).await;
    assert!(
        types == r#"{"predictions": ["str", "float64"]}"#
            || types.contains(r#"["object", "float64"]"#),
        "{types}"
    );
}

async fn tables_come_in_every_form(worker: &mut Worker) {
    let Ok(Answer::Dense(series)) = call(worker, act("series")).await else {
        panic!()
    };
    assert_eq!(series.columns.unwrap().join(","), "x");
    let Ok(Answer::Dense(numbered)) = call(worker, act("numbered")).await else {
        panic!()
    };
    assert_eq!(
        (numbered.dtype, numbered.columns.unwrap().join(",")),
        (DType::Float32, "0,1".to_owned())
    );
    let Ok(Answer::Dense(written)) = call(worker, act("write")).await else {
        panic!()
    };
    assert_eq!(written.bytes, doubles(&[1, 2], &[3.0, 4.0]).bytes);
    let Ok(Answer::Batch(mixed)) = call(worker, act("mixed")).await else {
        panic!()
    };
    assert_eq!((mixed.num_rows(), mixed.num_columns()), (2, 4));
    assert!(
        mixed
            .columns()
            .iter()
            .all(|column| column.null_count() == 0),
        "{mixed:?}"
    );
    let missing = json(worker, act("missing_text")).await;
    assert_eq!(
        missing,
        r#"{"predictions": [{"t": "a", "n": 1}, {"t": null, "n": 2}]}"#
    );
    assert_eq!(
        json(worker, act("twice_named")).await,
        r#"{"predictions": [{"a": 2}]}"#
    );
    assert_eq!(
        json(worker, act("text")).await,
        r#"{"predictions": "plain \u00e9"}"#
    );
    assert_eq!(json(worker, act("noise")).await, r#"{"predictions": 1}"#);
}

async fn exceptions_are_answers(worker: &mut Worker) {
    let raised = call(worker, act("raise")).await.unwrap_err();
    assert_eq!(
        (raised.class.as_str(), raised.message.as_str()),
        ("ValueError", "refused \\udcff é")
    );
    assert!(raised.document.is_none() && !raised.unserializable);
    let raised = call(worker, act("refuse")).await.unwrap_err();
    let (status, document) = raised.document.unwrap();
    assert_eq!(status, 404);
    assert!(
        document.contains("RESOURCE_DOES_NOT_EXIST") && document.contains("no such row"),
        "{document}"
    );
    assert_eq!(
        call(worker, act("system_exit")).await.unwrap_err().class,
        "SystemExit"
    );
    assert!(call(worker, act("set")).await.unwrap_err().unserializable);
}

async fn requests_are_answered_by_mlflow(worker: &mut Worker, ready: &Ready) {
    let version = http(worker, raw("GET", "/version", None, "")).await;
    assert_eq!(version, (200, ready.versions.mlflow.clone().unwrap()));
    let json = Some("application/json");
    let body = r#"{"dataframe_records": [{"do": "text", "x": 1}]}"#;
    let answer = http(worker, raw("POST", "/invocations", json, body)).await;
    assert_eq!(
        answer,
        (200, r#"{"predictions": "plain \u00e9"}"#.to_owned())
    );
    let (status, text) = http(worker, raw("POST", "/invocations", json, "{")).await;
    assert!(status == 400 && text.contains("BAD_REQUEST"), "{text}");
    let body = r#"{"dataframe_records": [{"do": "set", "x": 1}]}"#;
    assert_eq!(
        http(worker, raw("POST", "/invocations", json, body))
            .await
            .0,
        500
    );
    let body = r#"{"dataframe_records": [{"do": "system_exit", "x": 1}]}"#;
    assert_eq!(
        http(worker, raw("POST", "/invocations", json, body))
            .await
            .0,
        500
    );
    assert_eq!(
        http(worker, raw("POST", "/invocations", Some("text/html"), "x"))
            .await
            .0,
        415
    );
    assert_eq!(http(worker, raw("GET", "/nowhere", None, "")).await.0, 404);
    assert_eq!(
        http(worker, raw("GET", "/ping", None, "")).await,
        (200, "\n".to_owned())
    );
}
