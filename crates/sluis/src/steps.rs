//! The steps of a deployment, shown one by one with their time.

use std::time::{Duration, Instant};

/// Prints to stderr, so that stdout stays free for answers.
pub(crate) struct Steps {
    start: Instant,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Announces a step that takes a while.
    pub(crate) fn begin(&mut self, name: &str, what: &str) {
        eprintln!("  … {name:<12} {what}");
        self.start = Instant::now();
    }

    /// Ends the step that was begun last.
    pub(crate) fn done(&mut self, name: &str, what: &str) {
        eprintln!("  ✓ {name:<12} {what}  ({})", seconds(self.start.elapsed()));
        self.start = Instant::now();
    }

    /// Says something that the user should not miss.
    pub(crate) fn warn(&self, text: &str) {
        eprintln!("  ! {text}");
    }
}

fn seconds(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        return format!("{:.1} ms", time.as_secs_f64() * 1e3);
    }
    format!("{:.2} s", time.as_secs_f64())
}
