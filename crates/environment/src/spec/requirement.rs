//! Lines of a requirements file, told apart. What they solve to is uv's to say.

use std::path::PathBuf;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementKind {
    /// A package of an index.
    Package,
    /// A package at a URL or in a version control system.
    Url,
    /// A file of the model folder.
    Path,
    /// An option such as `--extra-index-url`.
    Option,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The line, without its comment.
    pub text: String,
    /// What it is.
    pub kind: RequirementKind,
    /// The package's name in lower case with `-`, where the line tells it.
    pub name: Option<String>,
    /// Whether it allows one version only.
    pub pinned: bool,
    /// The hashes that its file may have, as `sha256:…`; they stand apart from the text.
    pub hashes: Vec<String>,
    /// The file or folder on this machine that it names.
    pub path: Option<PathBuf>,
    /// The file that it stands in, and its line.
    pub origin: (String, usize),
}

impl Requirement {
    /// Reads one line; `None` for an empty one or a comment.
    pub(crate) fn read(line: &str, file: &str, number: usize) -> Option<Self> {
        let text = without_comment(line).trim();
        if text.is_empty() {
            return None;
        }
        // A copy that may be edited is of no use here: the package itself is installed.
        let text = option_value(text, &["-e", "--editable"]).unwrap_or(text);
        let (text, hashes) = without_hashes(text);
        let text = text.as_str();
        let (kind, name) = classify(text);
        let specifier = text.split(';').next().unwrap_or(text);
        Some(Self {
            text: text.to_owned(),
            kind,
            name,
            pinned: kind != RequirementKind::Package
                || (specifier.contains("==") && !specifier.contains('*')),
            hashes,
            path: None,
            origin: (file.to_owned(), number),
        })
    }

    /// The exact version that the line asks for.
    pub fn version(&self) -> Option<&str> {
        let specifier = self.text.split(';').next()?;
        let version = specifier.split("==").nth(1)?.trim_start_matches('=');
        let end = version.find([',', ' ', '\t']).unwrap_or(version.len());
        let version = version[..end].trim();
        (self.pinned && !version.is_empty()).then_some(version)
    }
}

/// The value of an option line.
pub(crate) fn option_value<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix('=')
            .or_else(|| rest.strip_prefix(char::is_whitespace))?;
        Some(value.trim())
    })
}

/// Takes `--hash=sha256:…` off a line.
fn without_hashes(line: &str) -> (String, Vec<String>) {
    if !line.contains(" --hash") {
        return (line.to_owned(), Vec::new());
    }
    let (mut words, mut hashes) = (Vec::new(), Vec::new());
    let mut parts = line.split_whitespace();
    while let Some(word) = parts.next() {
        match word.strip_prefix("--hash") {
            Some("") => hashes.extend(parts.next().map(str::to_owned)),
            Some(value) => hashes.push(value.trim_start_matches('=').to_owned()),
            None => words.push(word),
        }
    }
    (words.join(" "), hashes)
}

fn without_comment(line: &str) -> &str {
    // A fragment of a URL is no comment: those follow a blank.
    match line
        .find(" #")
        .or_else(|| line.starts_with('#').then_some(0))
    {
        Some(start) => &line[..start],
        None => line,
    }
}

fn classify(text: &str) -> (RequirementKind, Option<String>) {
    if text.starts_with('-') {
        return (RequirementKind::Option, None);
    }
    if let Some((name, _)) = text.split_once(" @ ").or_else(|| {
        text.split_once('@')
            .filter(|(_, rest)| rest.contains("://") || rest.trim_start().starts_with("file:"))
    }) {
        return (RequirementKind::Url, Some(normal(name)));
    }
    if text.contains("://") || text.starts_with("file:") {
        return (RequirementKind::Url, None);
    }
    let is_file = [".whl", ".tar.gz", ".zip"]
        .iter()
        .any(|ending| text.ends_with(ending));
    if is_file || text.starts_with('.') || text.starts_with('/') {
        return (RequirementKind::Path, None);
    }
    (RequirementKind::Package, Some(normal(text)))
}

/// The name that a line begins with, as indexes write it.
fn normal(text: &str) -> String {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(text.len());
    text[..end].to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn lines_are_told_apart() {
        let table = [
            (
                "mlflow==3.17.2",
                RequirementKind::Package,
                Some("mlflow"),
                true,
                Some("3.17.2"),
            ),
            (
                "Scikit_Learn[extra] >= 1.2  # why",
                RequirementKind::Package,
                Some("scikit-learn"),
                false,
                None,
            ),
            ("x==1.*", RequirementKind::Package, Some("x"), false, None),
            (
                "x===1.0; python_version < '3.9'",
                RequirementKind::Package,
                Some("x"),
                true,
                Some("1.0"),
            ),
            (
                "pkg @ git+https://host/repo@v1",
                RequirementKind::Url,
                Some("pkg"),
                true,
                None,
            ),
            (
                "git+https://host/repo#egg=pkg",
                RequirementKind::Url,
                None,
                true,
                None,
            ),
            (
                "wheels/a-1.0-py3-none-any.whl",
                RequirementKind::Path,
                None,
                true,
                None,
            ),
            ("./code", RequirementKind::Path, None, true, None),
            (
                "--extra-index-url https://host/simple",
                RequirementKind::Option,
                None,
                true,
                None,
            ),
        ];
        for (line, kind, name, pinned, version) in table {
            let read = Requirement::read(line, "r", 1).unwrap();
            assert_eq!(
                (read.kind, read.name.as_deref(), read.pinned, read.version()),
                (kind, name, pinned, version),
                "{line}"
            );
        }
        assert!(Requirement::read("  # only words", "r", 1).is_none());
    }

    #[test]
    fn hashes_stand_apart_and_editable_copies_are_plain_ones() {
        let read = |line| Requirement::read(line, "r", 1).unwrap();
        let hashed = read("six==1.16.0 ; python_version > '3' --hash=sha256:aa --hash sha256:bb");
        assert_eq!(hashed.text, "six==1.16.0 ; python_version > '3'");
        assert_eq!(hashed.hashes, ["sha256:aa", "sha256:bb"]);
        let editable = read("-e ./lib");
        assert_eq!(
            (editable.text.as_str(), editable.kind),
            ("./lib", RequirementKind::Path)
        );
        assert_eq!(read("a @ file:wheels/a.whl").kind, RequirementKind::Url);
    }
}
