//! The routes of other servers' protocols, and the forms of an answer.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};

use super::{Limits, SPLIT, app, send, split};

const ROWS: &str =
    r#"[{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]"#;

#[tokio::test]
async fn tensorflow_serving_is_answered_in_the_format_that_was_asked() {
    let predict = "/v1/models/sk_cols:predict";
    let instances = format!(r#"{{"signature_name": "serving_default", "instances": {ROWS}}}"#);
    let inputs = r#"{"inputs": {"sepal_length": [1, 2], "sepal_width": [1, 2], "petal_length": [1, 2], "petal_width": [1, 2]}}"#;
    let table = [
        (predict, instances.as_str(), r#"{"predictions": [7]}"#),
        (
            "/v1/models/sk_cols/versions/1:predict",
            inputs,
            r#"{"outputs": [7, 7]}"#,
        ),
        // Not by column name: MLflow's to judge.
        (
            predict,
            r#"{"instances": [[1, 2, 3, 4]]}"#,
            r#"{"predictions": 29}"#,
        ),
    ];
    for (path, body, expected) in table {
        // Clients of TensorFlow Serving often send no content type.
        let answer = send("POST", path, None, body.to_owned()).await;
        assert_eq!(
            answer,
            (StatusCode::OK, expected.to_owned()),
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn tensorflow_serving_tells_refusals_under_error() {
    let predict = "/v1/models/sk_cols:predict";
    let instances = format!(r#"{{"instances": {ROWS}}}"#);
    let negative = instances.replace("5.1", "-1.0");
    let table = [
        ("POST", predict, "{", 400, "at byte 2"),
        (
            "POST",
            predict,
            negative.as_str(),
            400,
            "ValueError: negative",
        ),
        (
            "POST",
            "/v1/models/other:predict",
            "{}",
            404,
            "There is no model 'other' here",
        ),
        (
            "POST",
            "/v1/models/sk_cols/versions/2:predict",
            "{}",
            404,
            "no version '2'",
        ),
        (
            "POST",
            "/v1/models/sk_cols/labels/a:predict",
            "{}",
            404,
            "has a label",
        ),
        (
            "POST",
            "/v1/models/sk_cols:classify",
            "{}",
            501,
            "':classify' is not supported",
        ),
        ("POST", "/v1/models/sk_cols", "{}", 405, "takes GET"),
        ("GET", predict, "", 405, "takes POST"),
        ("GET", "/v1/models/a/b/c", "", 404, "Not a path"),
    ];
    for (method, path, body, status, part) in table {
        let (found, text) = send(method, path, None, body.to_owned()).await;
        assert_eq!(found.as_u16(), status, "{path} {text}");
        let error: serde_json::Value = serde_json::from_str(&text).unwrap();
        let error = error["error"].as_str().unwrap();
        assert!(error.contains(part), "{path}: {error}");
    }
}

#[tokio::test]
async fn tensorflow_serving_describes_the_model() {
    let get = |path: &'static str| async move {
        let (status, text) = send("GET", path, None, "").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let status = get("/v1/models/sk_cols").await;
    assert_eq!(status["model_version_status"][0]["version"], "1");
    let metadata = get("/v1/models/sk_cols/versions/1/metadata").await;
    assert_eq!(metadata["model_spec"]["name"], "sk_cols");
    let signature = &metadata["metadata"]["signature_def"]["signature_def"]["serving_default"];
    assert_eq!(signature["inputs"]["sepal_width"]["dtype"], "DT_DOUBLE");
    assert_eq!(signature["outputs"]["outputs"]["dtype"], "DT_INT64");
    assert_eq!(
        signature["outputs"]["outputs"]["tensor_shape"]["dim"][0]["size"],
        "-1"
    );
}

#[tokio::test]
async fn the_accept_header_chooses_the_form_of_the_answer() {
    let ask = |accept: &'static str, body: String| async move {
        let request = Request::post("/invocations")
            .header("content-type", "application/json")
            .header("accept", accept)
            .body(Body::from(body))
            .unwrap();
        let response = tower::ServiceExt::oneshot(app(Limits::default()), request)
            .await
            .unwrap();
        let status = response.status().as_u16();
        let form = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (
            status,
            form,
            to_bytes(response.into_body(), 1 << 20).await.unwrap(),
        )
    };
    let (status, form, body) = ask("text/csv", split()).await;
    assert_eq!((status, form.as_str()), (200, "text/csv; charset=utf-8"));
    assert_eq!(body.as_ref(), b"predictions\n7\n7\n");
    let (status, form, body) = ask(
        "application/vnd.apache.arrow.stream;q=0.9, */*;q=0.1",
        split(),
    )
    .await;
    assert_eq!(
        (status, form.as_str()),
        (200, "application/vnd.apache.arrow.stream")
    );
    let stream = arrow_ipc::reader::StreamReader::try_new(body.as_ref(), None).unwrap();
    let rows: usize = stream.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 2);
    let azure = Request::post("/score")
        .header("content-type", "application/json")
        .header("accept", "text/csv")
        .body(Body::from(format!("{{\"input_data\": {SPLIT}}}")))
        .unwrap();
    let answer = super::answer(app(Limits::default()), azure).await;
    assert_eq!(answer, (StatusCode::OK, "predictions\n7\n7\n".to_owned()));
    let (status, form, _) = ask("*/*", split()).await;
    assert_eq!((status, form.as_str()), (200, "application/json"));
    let (status, _, body) = ask("image/png", split()).await;
    assert_eq!(status, 406);
    assert!(body.starts_with(b"None of the types"), "{body:?}");
    // A raw answer is one number: no table. And errors are told in JSON whatever is accepted.
    let (status, form, body) = ask("text/csv", "{\"inputs\": 1}".to_owned()).await;
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!((status, form.as_str()), (406, "application/json"), "{text}");
    assert!(text.contains("not a table"), "{text}");
    let raising = format!(
        "{{\"dataframe_split\": {}}}",
        SPLIT.replacen("5.1", "-1.0", 1)
    );
    let (status, form, _) = ask("text/csv", raising).await;
    assert_eq!((status, form.as_str()), (400, "application/json"));
}

#[tokio::test]
async fn tables_are_decoded_by_their_content_type() {
    let csv = "petal_width,sepal_length,sepal_width,petal_length\n0.2,5.1,3.5,1.4\n";
    let (status, text) = send("POST", "/invocations", Some("text/csv"), csv).await;
    assert_eq!(
        (status.as_u16(), text.as_str()),
        (200, "{\"predictions\": [7]}")
    );
    let (status, text) = send(
        "POST",
        "/invocations",
        Some("text/csv"),
        "sepal_length\n1\n",
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        text.contains("SCHEMA_ENFORCEMENT_FAILED") && text.contains("'sepal_width'"),
        "{text}"
    );
    let arrow = Some("application/vnd.apache.arrow.stream");
    let (status, text) = send("POST", "/invocations", arrow, "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        text.contains("BAD_REQUEST") && text.contains("no Arrow IPC stream"),
        "{text}"
    );
    // Bytes that are no Parquet are MLflow's to refuse.
    let parquet = Some("application/vnd.apache.parquet");
    let answer = send("POST", "/invocations", parquet, "PAR1").await;
    assert_eq!(answer, (StatusCode::OK, "{\"predictions\": 4}".to_owned()));
}
