//! Private package indexes: what the user told pip is told to uv, unless uv was told itself.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// Settings of pip, by pip's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    settings: Vec<(String, String)>,
}

/// pip's setting, and the variables of uv that mean the same: the first is set, any of them set by the user wins.
const MEANING: &[(&str, &[&str])] = &[
    ("index-url", &["UV_DEFAULT_INDEX", "UV_INDEX_URL"]),
    ("extra-index-url", &["UV_INDEX", "UV_EXTRA_INDEX_URL"]),
    ("find-links", &["UV_FIND_LINKS"]),
    ("trusted-host", &["UV_INSECURE_HOST"]),
    ("no-index", &["UV_NO_INDEX"]),
    ("cert", &["SSL_CERT_FILE"]),
];

impl Index {
    /// What pip's files and variables say, as pip itself reads them. Without pip, nothing.
    pub(crate) fn of_pip(python: &Path) -> Self {
        let output = Command::new(python)
            .args(["-m", "pip", "config", "list"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {
                Self::parse(&String::from_utf8_lossy(&output.stdout))
            }
            _ => Self::default(),
        }
    }

    /// Reads `global.index-url='…'`, `install.find-links='…'`, `:env:.index-url='…'`; the environment wins.
    fn parse(text: &str) -> Self {
        let mut settings: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let Some((section, name)) = key.rsplit_once('.') else {
                continue;
            };
            let value = value
                .trim_matches(['\'', '"'])
                .replace("\\n", " ")
                .trim()
                .to_owned();
            let known = MEANING.iter().any(|(pip, _)| *pip == name);
            let counts = ["global", "install", ":env:"].contains(&section);
            if !known || !counts || value.is_empty() {
                continue;
            }
            match settings.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) if section != "global" => *old = value,
                Some(_) => {}
                None => settings.push((name.to_owned(), value)),
            }
        }
        Self { settings }
    }

    /// The variables that tell uv the same.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        self.variables_beside(|name| env::var_os(name).is_some())
    }

    fn variables_beside(&self, is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        for (pip, uv) in MEANING {
            let given = self.settings.iter().find(|(name, _)| name == pip);
            let Some((_, value)) = given.filter(|_| !uv.iter().any(|name| is_set(name))) else {
                continue;
            };
            let value = match *pip {
                "no-index"
                    if ["1", "true", "yes", "on"]
                        .contains(&value.to_ascii_lowercase().as_str()) =>
                {
                    "1".to_owned()
                }
                "no-index" => continue,
                // pip separates links by blanks, uv by commas.
                "find-links" => value.split_whitespace().collect::<Vec<_>>().join(","),
                _ => value.clone(),
            };
            variables.push((uv[0], value));
        }
        variables
    }
}

/// A text without the user and password of the URLs in it.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || "/'\"`<>".contains(c))
            .unwrap_or(after.len());
        match after[..end].rfind('@') {
            Some(at) => {
                out.push_str("***@");
                rest = &after[at + 1..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_knows_uv_learns_unless_it_was_told_itself() {
        let text = "global.index-url='https://user:pass@one.example/simple'\n:env:.index-url='https://two.example/simple'\n\
                    install.find-links='/a /b'\nglobal.timeout='3'\nglobal.no-index='false'\n";
        let index = Index::parse(text);
        let expected = vec![
            ("UV_DEFAULT_INDEX", "https://two.example/simple".to_owned()),
            ("UV_FIND_LINKS", "/a,/b".to_owned()),
        ];
        assert_eq!(index.variables_beside(|_| false), expected);
        assert_eq!(
            index.variables_beside(|name| name == "UV_INDEX_URL"),
            expected[1..]
        );
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        let masked = without_secrets(
            "from https://user:p@ss@host.example/simple and http://plain.example/x@y 'ftp://u:p@h'",
        );
        assert_eq!(
            masked,
            "from https://***@host.example/simple and http://plain.example/x@y 'ftp://***@h'"
        );
    }
}
