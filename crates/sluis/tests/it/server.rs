//! A `sluis serve` of a test: started, asked, ended; nothing is left behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// No step of a test may take longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

pub(crate) fn test_python() -> PathBuf {
    std::env::var_os("SLUIS_TEST_PYTHON")
        .map(PathBuf::from)
        .expect("SLUIS_TEST_PYTHON names a Python with the packages of conformance/environment; ./check builds one")
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A model of the conformance data.
pub(crate) fn model(name: &str) -> PathBuf {
    root().join("conformance/mlflow/models").join(name)
}

/// The binary with a data folder of the tests' own.
pub(crate) fn sluis() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command
        .env(
            "SLUIS_DATA_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("data"),
        )
        .stdin(Stdio::null());
    for name in [
        "MLFLOW_HOST",
        "MLFLOW_PORT",
        "MLFLOW_MODELS_WORKERS",
        "MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
        "SLUIS_LOG",
    ] {
        command.env_remove(name);
    }
    command
}

/// `sluis predict` of a model on a JSON body, with the tests' Python.
pub(crate) fn predict(model: &Path, body: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.json");
    std::fs::write(&input, body).unwrap();
    let mut command = sluis();
    command
        .arg("predict")
        .args(options)
        .args(["--env-manager", "local", "--python"])
        .arg(test_python());
    let command = command.arg("-m").arg(model).arg("-i").arg(&input);
    command.output().unwrap()
}

pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) port: u16,
    log: mpsc::Receiver<String>,
}

impl Server {
    /// Serves a model by its Python on a free port, and waits until it is ready.
    pub(crate) fn start(model: &Path, options: &[&str]) -> Self {
        Self::start_with(model, &[&["--scorer", "python"], options].concat())
    }

    /// Serves a model on a free port, and waits until it is ready.
    pub(crate) fn start_with(model: &Path, options: &[&str]) -> Self {
        let mut command = sluis();
        command
            .arg("serve")
            .arg(model)
            .args(["--port", "0", "--env-manager", "local", "--python"])
            .arg(test_python());
        let mut process = command
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = process.stderr.take().unwrap();
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            process,
            port: 0,
            log,
        };
        let line = server.wait_for("ready: POST http://");
        let address = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next())
            .unwrap();
        server.port = address.rsplit(':').next().unwrap().parse().unwrap();
        server
    }

    /// The next line of the log that holds `part`.
    pub(crate) fn wait_for(&mut self, part: &str) -> String {
        let end = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        loop {
            match self
                .log
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("'{part}' was not logged ({error}):\n{}", seen.join("\n")),
            }
        }
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, String) {
        request(
            self.port,
            "POST",
            path,
            &[("content-type", content_type)],
            body,
        )
    }

    /// Sends so many blanks as one body, all of them before the answer is read.
    pub(crate) fn post_spaces(&self, path: &str, count: usize) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {count}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = vec![b' '; 1 << 20];
        for _ in 0..count / chunk.len() {
            stream.write_all(&chunk).unwrap();
        }
        answer(stream)
    }

    pub(crate) fn predict(&self, json: &str) -> (u16, String) {
        self.post("/invocations", "application/json", json.as_bytes())
    }

    /// Process ids below the server, of all generations.
    pub(crate) fn descendants(&self) -> Vec<u32> {
        descendants(self.process.id())
    }

    /// Ends with SIGTERM; what was logged and not yet looked at.
    pub(crate) fn rest_of_log(mut self) -> Vec<String> {
        signal("TERM", self.process.id());
        wait(&mut self.process);
        self.log.iter().collect()
    }

    /// Ends with SIGTERM; the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        signal("TERM", self.process.id());
        wait(&mut self.process)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.process.kill().ok();
            self.process.wait().ok();
        }
        if std::thread::panicking() {
            let log: Vec<String> = self.log.try_iter().collect();
            eprintln!("what the server logged since:\n{}", log.join("\n"));
        }
    }
}

pub(crate) fn signal(name: &str, id: u32) {
    assert!(
        Command::new("kill")
            .args(["-s", name, &id.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// The exit code of a process that ends within the deadline.
pub(crate) fn wait(process: &mut Child) -> Option<i32> {
    eventually("the process ends", || process.try_wait().unwrap()).code()
}

/// What `look` finds in the end.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("not within {DEADLINE:?}: {what}");
}

pub(crate) fn alive(id: u32) -> bool {
    // A zombie has ended: only its parent has not looked yet.
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn descendants(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task");
    let mut found = Vec::new();
    for task in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|id| id.parse().ok()) {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

/// One HTTP/1.1 request on a connection of its own; status and body of the answer.
pub(crate) fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(b"\r\n"))
        .unwrap();
    stream.write_all(body).unwrap();
    answer(stream)
}

fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (
        status.unwrap_or_else(|| panic!("no answer: {text}")),
        body.to_owned(),
    )
}
