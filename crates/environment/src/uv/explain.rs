//! What uv's errors mean: one sentence that names the package and the reason.

use crate::spec::Addition;

/// The longest piece of uv's own words in a sentence.
const MAX_QUOTE: usize = 400;

/// Why uv did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Which package and why.
    pub(crate) sentence: String,
    /// Whether the reason is the Python, so that another one may do.
    pub(crate) is_of_python: bool,
}

/// What is known of a failure: its sentence, and the package that it is about.
struct Known {
    sentence: String,
    package: Option<String>,
    is_of_python: bool,
}

impl Known {
    fn of(package: Option<&str>, sentence: String) -> Self {
        Self {
            sentence,
            package: package.map(name_of),
            is_of_python: false,
        }
    }
}

/// One sentence about a failed solve or install.
pub(crate) fn explain(output: &str, additions: &[Addition]) -> Failure {
    let text = unwrapped(output);
    let known = full_disk(&text)
        .or_else(|| offline(&text))
        .or_else(|| git(&text))
        .or_else(|| other_hash(&text))
        .or_else(|| failed_build(&text, output))
        .or_else(|| missing_package(&text))
        .or_else(|| missing_version(&text))
        .or_else(|| other_python(&text))
        .or_else(|| unreachable(&text))
        .or_else(|| unreadable(&text))
        .or_else(|| conflict(&text))
        .unwrap_or_else(|| Known::of(None, format!("uv failed: {}", last_error(&text))));
    let added = additions
        .iter()
        .find(|addition| known.package.as_deref() == Some(name_of(&addition.requirement).as_str()));
    let sentence = match added {
        Some(addition) => format!(
            "{} ({} is added for inference: {})",
            known.sentence, addition.requirement, addition.reason
        ),
        None => known.sentence,
    };
    Failure {
        sentence,
        is_of_python: known.is_of_python,
    }
}

/// uv wraps its sentences at the width of a terminal; each line becomes words of one text.
fn unwrapped(output: &str) -> String {
    output.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)? + open.len();
    let end = text[start..].find(close)? + start;
    Some(text[start..end].trim())
}

/// What follows `open`, to the end of uv's sentence about it.
fn after<'a>(text: &'a str, open: &str) -> Option<&'a str> {
    let rest = &text[text.find(open)? + open.len()..];
    let ends = [" cause: ", " Caused by: ", " hint: "];
    let end = ends.iter().filter_map(|end| rest.find(end)).min();
    Some(rest[..end.unwrap_or(rest.len())].trim())
}

/// The word before `marker`.
fn word_before<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    text[..text.find(marker)?].rsplit(' ').next()
}

/// The name at the start of a requirement.
fn name_of(requirement: &str) -> String {
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
        .unwrap_or(requirement.len());
    requirement[..end].to_ascii_lowercase().replace('_', "-")
}

fn full_disk(text: &str) -> Option<Known> {
    text.contains("No space left on device").then(|| {
        let sentence = "the disk is full; an environment takes from 0.3 to several GB in the data folder, as much again in uv's cache";
        Known::of(None, sentence.to_owned())
    })
}

fn offline(text: &str) -> Option<Known> {
    let package = word_before(text, " was not found in the cache")
        .or_else(|| word_before(text, " needs to be downloaded from a registry"))
        .or_else(|| {
            text.contains("Network connectivity is disabled")
                .then_some("a package")
        })?;
    let sentence = format!(
        "uv is told to do without network (UV_OFFLINE), and '{package}' is not in its cache"
    );
    Some(Known::of(None, sentence))
}

fn git(text: &str) -> Option<Known> {
    if text.contains("Git executable not found") {
        let sentence = "a requirement comes from a Git repository, and git is not on PATH";
        return Some(Known::of(None, sentence.to_owned()));
    }
    if !text.contains("Git operation failed") {
        return None;
    }
    let from = failed_package(text)
        .or_else(|| between(text, "--update-head-ok '", "'"))
        .unwrap_or("a requirement");
    let why = after(text, "fatal: ").unwrap_or("git failed");
    let sentence = format!(
        "'{from}' comes from a Git repository that cannot be fetched ({})",
        cut(why)
    );
    Some(Known::of(None, sentence))
}

fn other_hash(text: &str) -> Option<Known> {
    let package = between(text, "Hash mismatch for `", "`")?;
    let sentence =
        format!("the index has '{package}' with another hash than the model's requirements allow");
    Some(Known::of(Some(package), sentence))
}

fn failed_package(text: &str) -> Option<&str> {
    between(text, "Failed to download and build `", "`")
        .or_else(|| between(text, "Failed to build `", "`"))
}

fn failed_build(text: &str, output: &str) -> Option<Known> {
    let package = failed_package(text)?;
    let needs_compiler = [
        "error: command 'gcc' failed",
        "No such file or directory: 'gcc'",
        "unable to find a compiler",
        "Unknown compiler(s)",
    ];
    let why = if needs_compiler.iter().any(|sign| text.contains(sign)) {
        "its C code needs a compiler and headers".to_owned()
    } else {
        let raised = output.lines().rev().map(str::trim).find(|line| {
            let word = line.split_once(": ").map_or("", |(word, _)| word);
            word.ends_with("Error") && !word.contains(' ')
        });
        raised.map_or_else(
            || "its build script failed".to_owned(),
            |line| format!("its build script failed with '{}'", cut(line)),
        )
    };
    let within = text
        .rsplit("Failed to build `")
        .next()
        .and_then(|rest| rest.split('`').next())
        .filter(|inner| {
            text.contains("Failed to download and build") && *inner != package && inner.len() < 80
        })
        .map_or_else(String::new, |inner| {
            format!(", which needs '{inner}' for that")
        });
    let sentence = format!(
        "'{package}' has no wheel for this Python and platform and could not be built from source{within}: {why}"
    );
    Some(Known {
        is_of_python: true,
        ..Known::of(Some(package), sentence)
    })
}

fn missing_package(text: &str) -> Option<Known> {
    let name = word_before(text, " was not found in the package registry")
        .or_else(|| word_before(text, " was not found in the provided package locations"))?;
    let sentence = match refused_index(text) {
        Some((index, status)) => format!(
            "the package '{name}' was not found, and the index {index} refused the user and password given for it ({status})"
        ),
        None => format!("the package '{name}' does not exist in the package index"),
    };
    Some(Known::of(Some(name), sentence))
}

/// An index that wants to know who asks.
fn refused_index(text: &str) -> Option<(&str, &str)> {
    let index = between(text, "An index URL (", ") could not be queried")?;
    let status = between(text, "lack of valid authentication credentials (", ")")?;
    Some((index, status))
}

fn missing_version(text: &str) -> Option<Known> {
    let wanted = between(text, "Because there is no version of ", " and")?;
    let mut sentence = format!("there is no version {wanted} in the package index");
    if let Some(index) = between(text, " was found on ", ", but not at the requested version") {
        sentence = format!(
            "{sentence} {index}, the first that has this package; UV_INDEX_STRATEGY=unsafe-best-match makes uv look in all \
             of them, as pip does"
        );
    }
    Some(Known::of(Some(wanted), sentence))
}

fn other_python(text: &str) -> Option<Known> {
    let rest = &text[text.find("does not satisfy Python")?..];
    let needs = between(rest, "does not satisfy Python", " and")?;
    let start = rest.find(" and ")? + " and ".len();
    let package = rest.get(start..end_of(rest)?)?;
    let python = between(text, "Python version (", ")").unwrap_or("chosen");
    // Several ranges of versions at once: their common name says enough.
    let sentence = match package.strip_prefix("all of: ") {
        Some(ranges) => format!(
            "no version of {} that the requirements allow runs on Python {python}: it needs Python {needs}",
            name_of(ranges)
        ),
        None => format!("{package} needs Python {needs}, and this is {python}"),
    };
    Some(Known {
        is_of_python: true,
        ..Known::of(
            Some(package),
            format!("{sentence}; choose another with --python-version"),
        )
    })
}

fn end_of(rest: &str) -> Option<usize> {
    let ends = [" depends on Python", " depend on Python"];
    ends.iter().filter_map(|end| rest.find(end)).min()
}

fn unreachable(text: &str) -> Option<Known> {
    const SIGNS: [&str; 6] = [
        "error sending request",
        "Failed to fetch",
        "dns error",
        "Connection refused",
        "Could not connect",
        "operation timed out",
    ];
    if !SIGNS.iter().any(|sign| text.contains(sign)) {
        return None;
    }
    let from = after(text, "Failed to fetch: ").map(|url| url.trim_matches('`'));
    let why = text.rsplit(" cause: ").next().unwrap_or(text);
    let why = why.split(" hint: ").next().unwrap_or(why);
    let sentence = match from {
        Some(url) => format!("the package index cannot be reached ({url}: {})", cut(why)),
        None => format!("the package index cannot be reached ({})", last_error(text)),
    };
    Some(Known::of(None, sentence))
}

fn unreadable(text: &str) -> Option<Known> {
    let start = text.find("Couldn't parse requirement in `")?;
    let why = text[start..].split(" cause: ").nth(1)?;
    Some(Known::of(
        None,
        format!("a requirement line is not valid: {}", cut(why)),
    ))
}

fn conflict(text: &str) -> Option<Known> {
    let start = text.find("Because ")?;
    let words = text[start..].split(" hint: ").next().unwrap_or_default();
    Some(Known::of(
        None,
        format!("the requirements contradict each other: {}", cut(words)),
    ))
}

fn last_error(text: &str) -> String {
    let start = text
        .rfind("error: ")
        .or_else(|| text.find('×'))
        .unwrap_or(0);
    cut(text[start..].trim_start_matches("error: "))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn each_kind_of_failure_names_its_package() {
        let table = [
            (
                "  × No solution found when resolving dependencies:\n  ╰─▶ Because no-such-package was not found in the package registry and you require\n no-such-package, we can conclude",
                "'no-such-package' does not exist",
                false,
            ),
            (
                "cause: Because tiny was not found in the package registry and you require tiny\nhint: An index URL (http://one.example/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)",
                "http://one.example/simple refused the user and password",
                false,
            ),
            (
                "Because there is no version of six==99.0 and you require six==99.0, we can conclude",
                "no version six==99.0",
                false,
            ),
            (
                "Because there is no version of six==9 and you require six==9, we can conclude x. hint: `six` was found on http://one.example/simple, but not at the requested version (six==9).",
                "UV_INDEX_STRATEGY",
                false,
            ),
            (
                "Because the requested Python version (3.8.1) does not satisfy Python>=3.11 and pandas==3.1.1 depends on Python>=3.11, we",
                "pandas==3.1.1 needs Python >=3.11, and this is 3.8.1",
                true,
            ),
            (
                "Because the current Python version (3.8.18) does not satisfy Python>=3.11 and all of:\n numpy>=2.3.0rc1,<=2.4.0rc1\n numpy>=2.4.1 depend on Python>=3.11, we",
                "no version of numpy that the requirements allow runs on Python 3.8.18",
                true,
            ),
            (
                "error: Request failed after 3 retries\n cause: Failed to fetch: http://127.0.0.1:9/simple/six/\n cause: error sending request\n cause: Connection refused (os error 111)",
                "cannot be reached (http://127.0.0.1:9/simple/six/: Connection refused",
                false,
            ),
            (
                "  × Failed to build `pyyaml==6.0`\n  ├─▶ The build backend returned an error\n AttributeError: cython_sources",
                "'pyyaml==6.0' has no wheel for this Python and platform and could not be built from source: its build script failed with 'AttributeError: cython_sources'",
                true,
            ),
            (
                "error: Failed to download and build `pandas==1.3.1`\n cause: Failed to build `numpy==1.19.3`\n ModuleNotFoundError: No module named 'distutils'",
                "'pandas==1.3.1' has no wheel for this Python and platform and could not be built from source, which needs 'numpy==1.19.3' for that",
                true,
            ),
            (
                "error: Failed to download and build `tiny @ git+https://***@host/x.git@v1`\n cause: Git operation failed\n --- stderr\n fatal: unable to access 'https://host/x.git/': Failed to connect",
                "'tiny @ git+https://***@host/x.git@v1' comes from a Git repository that cannot be fetched (unable to access",
                false,
            ),
            (
                "error: Failed to download `six==1.16.0`\n cause: Hash mismatch for `six==1.16.0`",
                "another hash",
                false,
            ),
            (
                "Because mlflow was not found in the cache and you require mlflow==3.17.2",
                "'mlflow' is not in its cache",
                false,
            ),
            (
                "error: Failed to install: a.whl\n cause: failed to copy file from /a to /b: No space left on device (os error 28)",
                "the disk is full",
                false,
            ),
            (
                "error: Couldn't parse requirement in `/tmp/x/requirements.in` at position 0\n cause: no such comparison operator \"=\", must be one of == \n six=1",
                "a requirement line is not valid: no such comparison operator",
                false,
            ),
            (
                "Because a==1 depends on b<2 and you require b==3, we can conclude that your requirements are unsatisfiable.",
                "contradict each other: Because a==1",
                false,
            ),
        ];
        for (output, part, is_of_python) in table {
            let failure = explain(output, &[]);
            assert!(failure.sentence.contains(part), "{}", failure.sentence);
            assert_eq!(failure.is_of_python, is_of_python, "{output}");
        }
    }

    #[test]
    fn what_inference_added_is_said_of_its_own_failures_only() {
        let addition = Addition {
            requirement: "numpy".into(),
            reason: "data".into(),
        };
        let says = |output: &str| {
            let failure = explain(output, std::slice::from_ref(&addition));
            failure.sentence.contains("added for inference")
        };
        assert!(says(
            "Because numpy was not found in the package registry and"
        ));
        assert!(!says(
            "Failed to download and build `pandas==1.3.1` cause: Failed to build `numpy==1.19.3`"
        ));
    }
}
