//! The Open Inference Protocol over HTTP.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use super::{Limits, app, send};

const INFER: &str = "/v2/models/sk_cols/infer";

fn columns(datatype: &str, data: &Value) -> Value {
    let names = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
    let inputs =
        names.map(|name| json!({"name": name, "shape": [1], "datatype": datatype, "data": data}));
    json!({"id": "42", "inputs": inputs})
}

async fn infer(length: Option<&str>, body: Vec<u8>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::post(INFER);
    if let Some(length) = length {
        request = request.header("Inference-Header-Content-Length", length);
    }
    let request = request.body(Body::from(body)).unwrap();
    let response = tower::ServiceExt::oneshot(app(Limits::default()), request)
        .await
        .unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, headers, body.to_vec())
}

#[tokio::test]
async fn server_and_model_are_described() {
    let table = [
        ("/v2", json!("sluis"), "name"),
        ("/v2/health/live", json!(true), "live"),
        ("/v2/models/sk_cols", json!("mlflow_sklearn"), "platform"),
        ("/v2/models/sk_cols/versions/1", json!(["1"]), "versions"),
    ];
    for (path, expected, key) in table {
        let (status, text) = send("GET", path, None, "").await;
        assert_eq!(status, StatusCode::OK, "{path} {text}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document[key], expected, "{path} {text}");
    }
    let (_, text) = send("GET", "/v2/models/sk_cols", None, "").await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        document["inputs"][1],
        json!({"name": "sepal_width", "datatype": "FP64", "shape": [-1]})
    );
    assert_eq!(
        document["outputs"],
        json!([{"name": "predictions", "datatype": "INT64", "shape": [-1]}])
    );
}

#[tokio::test]
async fn tensors_are_scored_as_json_and_as_bytes() {
    let expected = json!({"model_name": "sk_cols", "model_version": "1", "id": "42",
        "outputs": [{"name": "predictions", "datatype": "UINT8", "shape": [1], "data": [7]}]});
    let (status, headers, body) =
        infer(None, columns("FP32", &json!([1.5])).to_string().into()).await;
    assert_eq!(
        (status, &headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);

    let mut request = columns("FP64", &Value::Null);
    for input in request["inputs"].as_array_mut().unwrap() {
        let input = input.as_object_mut().unwrap();
        input.remove("data");
        input.insert("parameters".into(), json!({"binary_data_size": 8}));
    }
    request["parameters"] = json!({"binary_data_output": true});
    let head = request.to_string();
    let tail = 1.5_f64.to_le_bytes().repeat(4);
    let body = [head.as_bytes(), &tail].concat();
    let (status, headers, body) = infer(Some(&head.len().to_string()), body).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    assert_eq!(headers["content-type"], "application/octet-stream");
    let length: usize = headers["inference-header-content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(body[length..], [7]);
}

#[tokio::test]
async fn refusals_are_told_under_error() {
    let table = [
        ("GET", INFER, String::new(), 405, "takes POST"),
        ("POST", INFER, "{".to_owned(), 400, "at byte 2"),
        (
            "POST",
            INFER,
            columns("INT64", &json!([5])).to_string(),
            400,
            "int64 to float64",
        ),
        (
            "POST",
            INFER,
            columns("FP64", &json!([-1.0])).to_string(),
            400,
            "ValueError: negative",
        ),
        (
            "POST",
            "/v2/models/other/infer",
            "{}".to_owned(),
            404,
            "no model 'other'",
        ),
        (
            "GET",
            "/v2/models/sk_cols/versions/9/ready",
            String::new(),
            404,
            "no version '9'",
        ),
        ("GET", "/v2/models", String::new(), 404, "Not a path"),
        (
            "POST",
            INFER,
            columns("FP64", &json!([1])).to_string().replacen(
                '{',
                r#"{"outputs": [{"name": "p"}], "#,
                1,
            ),
            400,
            "no output 'p'; it has predictions",
        ),
    ];
    for (method, path, body, status, part) in table {
        let (found, text) = send(method, path, None, body).await;
        assert_eq!(found.as_u16(), status, "{path} {text}");
        let document: Value = serde_json::from_str(&text).unwrap();
        assert!(
            document["error"].as_str().unwrap().contains(part),
            "{path}: {text}"
        );
    }
    let (status, _, _) = infer(Some("x"), b"{}".to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
