//! What uv's errors mean: one sentence that names the package and the reason.

use crate::spec::Addition;

/// The longest piece of uv's own words in a sentence.
const MAX_QUOTE: usize = 600;

/// One sentence about a failed solve or install.
pub(crate) fn explain(output: &str, additions: &[Addition]) -> String {
    let text = unwrapped(output);
    let sentence = missing_package(&text)
        .or_else(|| missing_version(&text))
        .or_else(|| other_python(&text))
        .or_else(|| unreachable(&text))
        .or_else(|| failed_build(&text))
        .or_else(|| conflict(&text));
    let sentence = sentence.unwrap_or_else(|| format!("uv failed: {}", last_error(&text)));
    match additions
        .iter()
        .find(|addition| sentence.contains(addition.requirement.as_str()))
    {
        Some(addition) => format!(
            "{sentence} ({} is added for inference: {})",
            addition.requirement, addition.reason
        ),
        None => sentence,
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

/// The word before `marker`.
fn word_before<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    text[..text.find(marker)?].rsplit(' ').next()
}

fn missing_package(text: &str) -> Option<String> {
    let name = word_before(text, " was not found in the package registry")
        .or_else(|| word_before(text, " was not found in the provided package locations"))?;
    Some(format!(
        "the package '{name}' does not exist in the package index"
    ))
}

fn missing_version(text: &str) -> Option<String> {
    let wanted = between(text, "Because there is no version of ", " and")?;
    Some(format!("there is no version {wanted} in the package index"))
}

fn other_python(text: &str) -> Option<String> {
    let start = text
        .find("Because the requested Python version (")
        .or_else(|| text.find("does not satisfy Python"))?;
    let needs = between(&text[start..], "does not satisfy Python", " and")?;
    let package = between(&text[start..], " and ", " depends on Python").unwrap_or("a package");
    Some(format!(
        "{package} needs Python {needs}, which the chosen Python is not; choose another with --python-version"
    ))
}

fn unreachable(text: &str) -> Option<String> {
    const SIGNS: [&str; 7] = [
        "error sending request",
        "Failed to fetch",
        "dns error",
        "Connection refused",
        "Network connectivity is disabled",
        "Could not connect",
        "operation timed out",
    ];
    let found = SIGNS.iter().any(|sign| text.contains(sign));
    found.then(|| format!("the package index cannot be reached ({})", last_error(text)))
}

fn failed_build(text: &str) -> Option<String> {
    let package = between(text, "Failed to build `", "`")
        .or_else(|| between(text, "Failed to download and build `", "`"))?;
    let why = if text.contains("error: command 'gcc' failed")
        || text.contains("No such file or directory: 'gcc'")
        || text.contains("unable to find a compiler")
    {
        "its C code needs a compiler and headers"
    } else if text.contains("ModuleNotFoundError") || text.contains("AttributeError") {
        "its build script does not work with this Python and these build tools"
    } else {
        "its build script failed"
    };
    Some(format!(
        "'{package}' has no wheel for this Python and platform and could not be built from source: {why}"
    ))
}

fn conflict(text: &str) -> Option<String> {
    let start = text.find("Because ")?;
    let words = text[start..].split(" hint: ").next().unwrap_or_default();
    Some(format!(
        "the requirements contradict each other: {}",
        cut(words)
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
    fn each_kind_of_failure_names_its_package() {
        let table = [
            (
                "  × No solution found when resolving dependencies:\n  ╰─▶ Because no-such-package was not found in the package registry and you require\n no-such-package, we can conclude",
                "'no-such-package' does not exist",
            ),
            (
                "Because there is no version of six==99.0 and you require six==99.0, we can conclude",
                "no version six==99.0",
            ),
            (
                "Because the requested Python version (>=3.8) does not satisfy Python>=3.11 and pandas==3.1.1 depends on Python>=3.11, we",
                "pandas==3.1.1 needs Python >=3.11",
            ),
            (
                "error: Failed to fetch: `https://index/simple/six/`",
                "cannot be reached",
            ),
            (
                "  × Failed to build `pyyaml==6.0`\n  ├─▶ The build backend returned an error\n AttributeError: cython_sources",
                "'pyyaml==6.0' has no wheel",
            ),
            (
                "Because a==1 depends on b<2 and you require b==3, we can conclude that your requirements are unsatisfiable.",
                "contradict each other: Because a==1",
            ),
        ];
        for (output, part) in table {
            let sentence = explain(output, &[]);
            assert!(sentence.contains(part), "{sentence}");
        }
        let addition = Addition {
            requirement: "pyarrow".into(),
            reason: "data".into(),
        };
        assert!(
            explain(
                "Because pyarrow was not found in the package registry",
                &[addition]
            )
            .contains("added for inference")
        );
    }
}
