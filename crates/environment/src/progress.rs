//! What a build is doing, for whoever watches.

use std::time::Duration;

/// A step of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// uv is fetched, once for this data folder.
    FetchUv,
    /// A Python is fetched by uv.
    FetchPython(String),
    /// Another process builds the same environment.
    Wait,
    /// Requirements are solved.
    Solve,
    /// Packages are installed: so many.
    Install(usize),
}

/// Watches a build. Both calls return quickly.
pub trait Progress {
    /// A step begins.
    fn begin(&mut self, step: &Step);
    /// It has ended well.
    fn done(&mut self, step: &Step, time: Duration);
    /// Something that the user should know.
    fn warn(&mut self, text: &str);
}
