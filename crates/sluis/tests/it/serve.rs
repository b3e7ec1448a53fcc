//! `sluis serve`: answers, ends, and survives what goes wrong.

use std::io::Write;
use std::net::TcpStream;

use super::server::{Server, alive, eventually, model, request, signal};

const IRIS: &str = r#"{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"], "data": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}}"#;

fn kind(name: &str) -> String {
    format!(r#"{{"dataframe_records": [{{"kind": "{name}"}}]}}"#)
}

#[test]
fn it_answers_every_payload_form_and_ends_clean_on_sigterm() {
    let server = Server::start(&model("sk_cols"), &["--workers", "2"]);
    assert_eq!(
        server.predict(IRIS),
        (200, "{\"predictions\": [0, 2]}".into())
    );
    let csv = b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n";
    assert_eq!(
        server.post("/invocations", "text/csv", csv),
        (200, "{\"predictions\": [0]}".into())
    );
    let azure = IRIS.replace("dataframe_split", "input_data");
    assert_eq!(
        server.post("/score", "application/json", azure.as_bytes()),
        (200, "[0, 2]".into())
    );
    assert_eq!(
        request(server.port, "GET", "/version", &[], b""),
        (200, "3.17.2".into())
    );
    let workers = server.descendants();
    assert!(workers.len() >= 2, "{workers:?}");
    assert_eq!(server.terminate(), Some(0));
    eventually("no process is left", || {
        workers.iter().all(|id| !alive(*id)).then_some(())
    });
}

#[test]
fn another_method_is_asked_by_option_and_by_request() {
    let server = Server::start(&model("sk_cols"), &["--method", "predict_proba"]);
    let columns = |body: &str| body.matches("], [").count() + 1;
    let (status, body) = server.predict(IRIS);
    assert!(
        status == 200 && body.starts_with("{\"predictions\": [[0.9") && columns(&body) == 2,
        "{body}"
    );
    let json = "application/json";
    let (status, body) = server.post("/invocations?method=predict", json, IRIS.as_bytes());
    assert_eq!((status, body.as_str()), (200, "{\"predictions\": [0, 2]}"));
    let csv = b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n";
    let (status, body) = server.post("/invocations", "text/csv", csv);
    assert!(
        status == 200 && body.starts_with("{\"predictions\": [[0.9"),
        "{body}"
    );
    let (status, body) = server.post("/invocations?method=transform", json, IRIS.as_bytes());
    assert!(
        status == 400 && body.contains("decision_function"),
        "{body}"
    );
}

#[test]
fn a_killed_server_leaves_no_process_behind() {
    let mut server = Server::start(&model("sk_cols"), &[]);
    let below = server.descendants();
    assert!(!below.is_empty());
    signal("KILL", server.process.id());
    server.process.wait().unwrap();
    eventually("no process is left", || {
        below.iter().all(|id| !alive(*id)).then_some(())
    });
}

#[test]
fn a_killed_worker_is_replaced_and_its_request_answered() {
    let mut server = Server::start(&model("sk_cols"), &[]);
    // The guardian is a shell; the worker is the descendant that runs Python.
    let is_python = |id: &u32| {
        std::fs::read_to_string(format!("/proc/{id}/cmdline"))
            .is_ok_and(|line| line.contains("python"))
    };
    let worker = server.descendants().into_iter().find(is_python).unwrap();
    signal("KILL", worker);
    server.wait_for("ended by itself");
    assert_eq!(server.predict(IRIS).0, 200);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_stuck_call_ends_with_504_and_the_next_is_answered() {
    let server = Server::start(&model("outputs"), &["--timeout", "2"]);
    assert_eq!(server.predict(&kind("sleep")).0, 504);
    assert_eq!(request(server.port, "GET", "/ping", &[], b"").0, 200);
    let (status, body) = server.predict(&kind("int"));
    assert_eq!(status, 200, "{body}");
}

#[test]
fn more_requests_than_may_wait_are_refused_at_once() {
    let server = Server::start(
        &model("outputs"),
        &["--max-requests", "1", "--timeout", "20"],
    );
    let port = server.port;
    // Our own probes may be what is in work when it arrives: it is sent until it is taken.
    let slow = std::thread::spawn(move || {
        let json = [("content-type", "application/json")];
        while request(
            port,
            "POST",
            "/invocations",
            &json,
            kind("sleep").as_bytes(),
        )
        .0 == 429
        {}
    });
    let refused = eventually("a request is refused", || {
        let (status, body) = server.predict(&kind("int"));
        (status == 429).then_some(body)
    });
    assert!(refused.contains("REQUEST_LIMIT_EXCEEDED"), "{refused}");
    slow.join().unwrap();
}

#[test]
fn a_caller_that_hangs_up_and_one_that_sends_too_much_disturb_nobody() {
    let server = Server::start(&model("sk_cols"), &["--max-body-size", "1"]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.write_all(b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").unwrap();
    drop(stream);
    let (status, body) = server.post_spaces("/invocations", 1 << 30);
    assert_eq!(status, 413, "{body}");
    // Whatever is wrong with a request, its answer can be read after all of it was sent.
    let large = vec![b' '; 64 << 20];
    for (path, content_type, status) in [
        ("/nothing", "application/json", 404),
        ("/ping", "application/json", 405),
        ("/invocations", "a/b", 415),
    ] {
        let (found, body) = server.post(path, content_type, &large);
        assert_eq!(found, status, "{path}: {body}");
    }
    assert_eq!(server.predict(IRIS).0, 200);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn no_log_line_quotes_a_request() {
    let server = Server::start(&model("sk_nosig"), &[]);
    // MLflow warns of parameters that the model does not take, by their names.
    let (status, body) = server.predict(
        r#"{"dataframe_split": {"columns": ["secret-a"], "data": [["secret-b"]]}, "params": {"secret-c": "secret-d"}}"#,
    );
    assert_eq!(status, 400, "{body}");
    assert_eq!(
        server
            .post("/invocations", "text/csv", b"secret-e\nsecret-f\n")
            .0,
        400
    );
    let log = server.rest_of_log().join("\n");
    assert!(log.contains("text left out"), "{log}");
    assert!(!log.contains("secret-"), "{log}");
}
