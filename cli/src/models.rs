//! Which models a test binary has.
//!
//! Knows the mark that `#[gordian::test]` leaves in a binary, and how a test binary lists its
//! tests. Does not know how models are run.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;

use memchr::memmem;

use crate::cargo::Binary;
use crate::error::Error;

/// What stands before a model's path in the binary. In two parts, so that this program is not taken
/// for a model itself.
const MARK: [&str; 2] = ["gordian-", "model: "];
/// Bytes of a path that are worth looking at.
const PATH_BYTES_MAX: usize = 1024;

/// One model: a test that searches.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The binary it is in.
    pub(crate) binary: Arc<Binary>,
    /// Its name for the test binary: the path without the crate.
    pub(crate) path: String,
    /// Whether it is left out unless asked for.
    pub(crate) ignored: bool,
}

impl Model {
    /// What people call it: binary and test.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.binary.label, self.path)
    }
}

/// The models of all binaries that the filters and the options let through, binary by binary.
///
/// # Errors
/// When a binary cannot be read or does not list its tests.
pub(crate) fn discover(
    binaries: Vec<Binary>,
    filters: &[String],
    test_args: &[String],
) -> Result<Vec<Model>, Error> {
    let mut models = Vec::new();
    for binary in binaries {
        let bytes = std::fs::read(&binary.path)
            .map_err(Error::internal(format_args!("{}", binary.path.display())))?;
        let marked = marked(&bytes, &binary.crate_name);
        if marked.is_empty() {
            continue;
        }
        let binary = Arc::new(binary);
        let chosen: Vec<String> = filters.iter().chain(test_args).cloned().collect();
        let paths = list(&binary, &chosen)?;
        let ignored = if runs_ignored(test_args) {
            BTreeSet::new()
        } else {
            list(&binary, &[&chosen[..], &["--ignored".to_owned()]].concat())?
        };
        for path in paths.intersection(&marked) {
            let ignored = ignored.contains(path);
            models.push(Model {
                binary: Arc::clone(&binary),
                path: path.clone(),
                ignored,
            });
        }
    }
    Ok(models)
}

fn runs_ignored(test_args: &[String]) -> bool {
    test_args
        .iter()
        .any(|arg| arg == "--ignored" || arg == "--include-ignored")
}

/// The paths after the marks of one crate, without the crate. A binary contains other text as well:
/// only what is a path of identifiers and ends in a line end counts.
fn marked(bytes: &[u8], crate_name: &str) -> BTreeSet<String> {
    let mark = MARK.concat();
    let found = memmem::find_iter(bytes, &mark);
    found
        .filter_map(|at| model_path(&bytes[at + mark.len()..], crate_name))
        .collect()
}

fn model_path(bytes: &[u8], crate_name: &str) -> Option<String> {
    let window = &bytes[..bytes.len().min(PATH_BYTES_MAX)];
    let end = memchr::memchr(b'\n', window)?;
    let path = std::str::from_utf8(&window[..end]).ok()?;
    let (first, rest) = path.split_once("::")?;
    (first == crate_name && rest.split("::").all(is_identifier)).then(|| rest.to_owned())
}

fn is_identifier(text: &str) -> bool {
    let text = text.strip_prefix("r#").unwrap_or(text);
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    starts && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The tests that a binary would run with these options.
fn list(binary: &Binary, options: &[String]) -> Result<BTreeSet<String>, Error> {
    let output = Command::new(&binary.path)
        .args(["--list", "--format", "terse"])
        .args(options)
        .current_dir(&binary.directory)
        .stdin(Stdio::null())
        .output()
        .map_err(Error::internal(format_args!("{}", binary.path.display())))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Usage(format!(
            "the tests of {} cannot be listed with `{}`: {}",
            binary.label,
            options.join(" "),
            reason.trim().trim_start_matches("error: "),
        )));
    }
    Ok(listed(&String::from_utf8_lossy(&output.stdout)))
}

/// The tests in a list such as `tests::transfer: test`.
fn listed(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let bytes = text.replace("MARK ", &MARK.concat()).into_bytes();
        let paths: Vec<_> = marked(&bytes, "bank").into_iter().collect();
        expected.assert_eq(&paths.join("\n"));
    }

    #[test]
    fn marks_are_found_between_anything() {
        check(
            "\0\u{7f}MARK bank::transfer\nMARK bank::tests::nested::deposit\n\0\0MARK bank::_x1\n",
            expect![[r#"
                _x1
                tests::nested::deposit
                transfer"#]],
        );
    }

    #[test]
    fn marks_count_once_and_identifiers_may_be_any() {
        check(
            "MARK bank::счёт\nMARK bank::счёт\nMARK bank::r#try\n",
            expect![[r#"
            r#try
            счёт"#]],
        );
    }

    #[test]
    fn what_is_no_path_of_this_crate_is_no_mark() {
        for text in [
            "MARK bank\n",
            "MARK bank::\n",
            "MARK ::transfer\n",
            "MARK vault::transfer\n",
            "MARK bank::trans fer\n",
            "MARK bank::1st\n",
            "MARK bank::a::::b\n",
            "MARK bank::a::b",
            "MARK bank::a\0b\n",
            "MARK \nbank::a\n",
            "MARK ",
            "",
        ] {
            check(text, expect![""]);
        }
        let long = format!("MARK bank::{}\n", "a".repeat(PATH_BYTES_MAX));
        check(&long, expect![""]);
    }

    #[test]
    fn bytes_that_are_no_text_are_passed_over() {
        let mut bytes = MARK.concat().into_bytes();
        bytes.extend(b"bank::a\xFF\n");
        assert!(marked(&bytes, "bank").is_empty());
    }

    #[test]
    fn only_tests_are_listed() {
        let text = "tests::a: test\nb: benchmark\n\n2 tests, 1 benchmark\n";
        assert_eq!(listed(text), BTreeSet::from(["tests::a".to_owned()]));
    }
}
