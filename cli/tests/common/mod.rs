//! Fixtures, and the program run in them.
//!
//! Each fixture is copied to the target directory first, with the workspace's lock file, so that
//! nothing is written beside the sources and no version is looked up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Mutex, MutexGuard, PoisonError};

use assert_cmd::Command;

/// The fixtures share one target directory, so that gordian is built once, and with it the
/// directory of the reports: one run at a time.
static TURN: Mutex<()> = Mutex::new(());

pub fn turn() -> MutexGuard<'static, ()> {
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
pub fn fixture(name: &str) -> PathBuf {
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

pub fn gordian(directory: &Path, line: &str) -> Output {
    let mut command = Command::cargo_bin("cargo-gordian").unwrap();
    // What the run of these tests sets must not reach the run that they start.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") || text.starts_with("GORDIAN_") {
            command.env_remove(name);
        }
    }
    command
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("target"),
        )
        .env("NO_COLOR", "1")
        .current_dir(directory)
        .args(line.split_whitespace())
        .output()
        .unwrap()
}
