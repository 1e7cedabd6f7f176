//! Fixtures, and the program run in them.
//!
//! Each fixture is copied to the target directory first, with the workspace's lock file, so that
//! nothing is written beside the sources and no version is looked up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The fixtures share one target directory, so that gordian is built once, and with it the
/// directory of the reports: one run at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for the other tests of this binary.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn copy(from: &Path, to: &Path, root: &str) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to, root);
            continue;
        }
        let text = fs::read_to_string(&from).unwrap();
        let paths = [
            format!("\"{}..\"", "../".repeat(4)),
            format!("\"{}..\"", "../".repeat(3)),
        ];
        let text = paths
            .iter()
            .fold(text, |text, path| text.replace(path, &format!("{root:?}")));
        // What has not changed keeps its time, so that cargo does not build it again.
        if fs::read_to_string(&to).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&to, text).unwrap();
    }
}

/// A copy of a fixture that can be built.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = home.parent().expect("the package is in a workspace");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("fixtures")
        .join(name);
    copy(
        &home.join("tests/fixtures").join(name),
        &to,
        &root.display().to_string(),
    );
    if !to.join("Cargo.lock").exists() {
        fs::copy(root.join("Cargo.lock"), to.join("Cargo.lock")).unwrap();
    }
    to
}

/// Where the fixtures are built, and where their reports go.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("target")
}

/// The program, about to be run in a directory.
pub(crate) fn command(directory: &Path, line: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cargo-gordian"));
    // What the run of these tests sets must not reach the run that they start.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") || text.starts_with("GORDIAN_") {
            command.env_remove(name);
        }
    }
    command
        .env("CARGO_TARGET_DIR", target())
        .env("NO_COLOR", "1")
        .env_remove("CI")
        .current_dir(directory)
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What the program does in a directory.
#[allow(dead_code, reason = "not every binary of tests needs it")]
pub(crate) fn gordian(directory: &Path, line: &str) -> Output {
    command(directory, line).output().unwrap()
}
