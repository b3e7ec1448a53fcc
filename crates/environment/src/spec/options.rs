//! Option lines of a requirements file: those that uv reads, and what the others come to.

use std::path::Path;

use super::requirement::{Requirement, RequirementKind, option_value};

/// Options that uv reads from a requirements file.
const KNOWN: [&str; 8] = [
    "-i",
    "--index-url",
    "--extra-index-url",
    "--no-index",
    "-f",
    "--find-links",
    "--no-binary",
    "--only-binary",
];

/// Options that change nothing here. Hashes are checked where they are given; what inference adds has none.
const MEANINGLESS: [&str; 4] = [
    "--prefer-binary",
    "--use-feature",
    "--require-hashes",
    "--no-cache-dir",
];

/// Options of pip that uv takes on its command line only, and uv's name for them.
const ARGUMENTS: [(&str, &str); 2] = [
    ("--pre", "--prerelease=allow"),
    ("--trusted-host", "--allow-insecure-host"),
];

/// What becomes of an option line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is given to uv.
    Kept(String),
    /// It may be left out.
    Meaningless,
    /// It is left out, and the user should know.
    Unknown,
}

/// Reads an option line of a file in `folder`.
pub(crate) fn read(line: &str, folder: &Path) -> Reading {
    if let Some(links) = option_value(line, &["-f", "--find-links"]) {
        let place = folder.join(links);
        return match !links.contains("://") && place.exists() {
            true => Reading::Kept(format!("--find-links {}", place.display())),
            false => Reading::Kept(line.to_owned()),
        };
    }
    let is = |name: &str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ' ', '\t']))
    };
    if KNOWN.iter().any(|name| is(name)) || ARGUMENTS.iter().any(|(pip, _)| is(pip)) {
        Reading::Kept(line.to_owned())
    } else if MEANINGLESS.iter().any(|name| is(name)) {
        Reading::Meaningless
    } else {
        Reading::Unknown
    }
}

/// The option lines of a spec as uv takes them: lines of a file, and arguments.
pub(crate) fn for_uv(requirements: &[Requirement]) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut arguments) = (Vec::new(), Vec::new());
    let options = requirements
        .iter()
        .filter(|line| line.kind == RequirementKind::Option);
    for option in options {
        let text = option.text.as_str();
        let argument = ARGUMENTS
            .iter()
            .find(|(pip, _)| text == *pip || option_value(text, &[pip]).is_some());
        match argument {
            Some((pip, uv)) => {
                arguments.push((*uv).to_owned());
                arguments.extend(option_value(text, &[pip]).map(str::to_owned));
            }
            None => lines.push(text.to_owned()),
        }
    }
    (lines, arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_kept_turned_into_arguments_or_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("wheels")).unwrap();
        let kept = |line: &str| Reading::Kept(line.to_owned());
        let links = format!("--find-links {}", folder.path().join("wheels").display());
        for (line, reading) in [
            ("-f wheels", kept(&links)),
            (
                "--find-links=https://host/x",
                kept("--find-links=https://host/x"),
            ),
            (
                "--index-url https://host/simple",
                kept("--index-url https://host/simple"),
            ),
            ("--pre", kept("--pre")),
            ("--require-hashes", Reading::Meaningless),
            ("--use-feature=fast-deps", Reading::Meaningless),
            ("--process-dependency-links", Reading::Unknown),
        ] {
            assert_eq!(read(line, folder.path()), reading, "{line}");
        }
        let lines = ["--pre", "--trusted-host host", "--no-index", "six"];
        let requirements: Vec<_> = lines
            .iter()
            .filter_map(|line| Requirement::read(line, "r", 1))
            .collect();
        let (lines, arguments) = for_uv(&requirements);
        assert_eq!(lines, ["--no-index"]);
        assert_eq!(
            arguments,
            ["--prerelease=allow", "--allow-insecure-host", "host"]
        );
    }
}
