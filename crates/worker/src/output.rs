//! What a worker prints: log lines of the model, and the last words of one that fails.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A longer line is cut here.
const MAX_LINE: usize = 8 << 10;

/// Lines of stderr that are kept for an error.
const KEPT: usize = 12;

/// The last lines of stderr.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    pub(crate) fn take(&self) -> Vec<String> {
        self.0
            .lock()
            .map(|mut lines| std::mem::take(&mut *lines).into())
            .unwrap_or_default()
    }

    fn push(&self, line: &str) {
        if let Ok(mut lines) = self.0.lock() {
            if lines.len() == KEPT {
                lines.pop_front();
            }
            lines.push_back(line.to_owned());
        }
    }
}

/// Logs every line of a stream until it ends. Lines that are not UTF-8 are shown as well as they can be.
pub(crate) async fn log(
    mut stream: impl AsyncRead + Unpin,
    name: &'static str,
    instance: String,
    last: LastLines,
) {
    let (mut line, mut cut, mut chunk) = (Vec::new(), false, [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        for byte in &chunk[..count] {
            if *byte == b'\n' {
                emit(&line, cut, name, &instance, &last);
                line.clear();
                cut = false;
            } else if line.len() < MAX_LINE {
                line.push(*byte);
            } else {
                cut = true;
            }
        }
    }
    if !line.is_empty() {
        emit(&line, cut, name, &instance, &last);
    }
}

fn emit(line: &[u8], cut: bool, stream: &'static str, instance: &str, last: &LastLines) {
    let text = String::from_utf8_lossy(line);
    let text: String = text
        .trim_end()
        .chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if text.is_empty() {
        return;
    }
    if stream == "stderr" {
        last.push(&text);
    }
    let mark = if cut { " … (cut)" } else { "" };
    tracing::info!(target: "sluis::model", stream, instance, "{text}{mark}");
}
