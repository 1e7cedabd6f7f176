//! The files that a run leaves, and `cargo gordian report`, from the outside.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{fixture, gordian, target, turn};
use serde_json::Value;

fn kept(name: &str) -> PathBuf {
    target().join("gordian").join(name)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a directory, by name.
fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_its_reports() {
    let _turn = turn();
    let failing = fixture("failing");
    let run = gordian(&failing, "test opposite_orders");
    assert_eq!(run.status.code(), Some(100));
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert!(
        stderr.contains("Report ") && stderr.contains("report.html"),
        "{stderr}"
    );

    let page = read(&kept("report.html"));
    assert!(page.contains("<!DOCTYPE html>") && page.contains("tests::opposite_orders"));
    assert!(
        page.contains("wait for each other") && page.contains("holds"),
        "{page}"
    );
    let source = "let _alice = other.0.lock();";
    assert!(page.contains(source), "the source is on the page");

    let log: Value = serde_json::from_str(&read(&kept("report.sarif"))).unwrap();
    let found = &log["runs"][0]["results"][0];
    assert_eq!(found["ruleId"], "deadlock");
    let place = &found["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(place["uri"], "src/lib.rs", "relative to the workspace");
    let fingerprint = found["partialFingerprints"]["gordian/v1"].clone();

    let xml = read(&kept("junit.xml"));
    assert!(
        xml.contains("failures=\"1\"") && xml.contains("type=\"deadlock\""),
        "{xml}"
    );

    let events = read(&kept("events.jsonl"));
    let kinds: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["model", "summary"]);

    let traces = files(&kept("traces"));
    assert_eq!(traces.len(), 1);
    let trace: Value = serde_json::from_str(&read(&kept("traces").join(&traces[0]))).unwrap();
    assert_eq!(trace["gordian"]["fingerprint"], fingerprint);
    let graphs = files(&kept("graphs"));
    // Of the finding, and of the model's locks, for Graphviz and for Markdown.
    assert_eq!(graphs.len(), 4, "{graphs:?}");

    // The next run puts them aside, and has the same fingerprint.
    let json = gordian(&failing, "test --message-format json opposite_orders");
    assert_eq!(read(&kept("report.html.old")), page);
    assert_eq!(read(&kept("events.jsonl.old")), events);
    assert_eq!(files(&kept("traces.old")), traces);
    let log: Value = serde_json::from_str(&read(&kept("report.sarif"))).unwrap();
    let again = &log["runs"][0]["results"][0]["partialFingerprints"]["gordian/v1"];
    assert_eq!(*again, fingerprint);
    let stdout = String::from_utf8(json.stdout).unwrap();
    assert_eq!(
        stdout,
        read(&kept("events.jsonl")),
        "what is printed is what is kept"
    );
}

#[test]
fn a_run_is_rendered_again() {
    let _turn = turn();
    let failing = fixture("failing");
    gordian(&failing, "test");
    let names = ["report.html", "report.sarif", "junit.xml"];
    let before = names.map(|name| read(&kept(name)));
    for name in names {
        fs::remove_file(kept(name)).unwrap();
    }
    let again = gordian(&failing, "report --open no");
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(
        names.map(|name| read(&kept(name))),
        before,
        "the same as after the run"
    );
    let listed = String::from_utf8(again.stdout).unwrap();
    for name in listed.lines() {
        assert!(Path::new(name).is_file(), "{name}");
    }

    // Elsewhere, from a file, in some formats.
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("events.jsonl");
    fs::copy(kept("events.jsonl"), &copy).unwrap();
    let line = format!("gordian report --format dot,sarif {}", copy.display());
    assert_eq!(gordian(&failing, &line).status.code(), Some(0));
    assert_eq!(
        files(elsewhere.path()),
        ["events.jsonl", "graphs", "report.sarif"]
    );
    let graphs = files(&elsewhere.path().join("graphs"));
    assert!(
        graphs.iter().all(|name| name.ends_with(".dot")),
        "{graphs:?}"
    );
}

#[test]
fn what_cannot_be_rendered_is_said() {
    let _turn = turn();
    let failing = fixture("failing");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.jsonl");
    for (text, reason) in [
        (None, "cannot be read"),
        (
            Some("{\"v\":1,\"kind\":\"summary\"}\n"),
            "line 1: missing field `seconds`",
        ),
        (
            Some("\n{\"v\":9,\"kind\":\"model\"}"),
            "line 2: it has version 9",
        ),
        (Some("no JSON"), "line 1: expected"),
    ] {
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let output = gordian(&failing, &format!("report {}", file.display()));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(reason), "`{reason}` is not in {stderr}");
    }
    // A kind of line that a later version may have is no mistake.
    fs::write(&file, "{\"v\":1,\"kind\":\"coverage\"}\n").unwrap();
    let output = gordian(&failing, &format!("report --open no {}", file.display()));
    assert_eq!(output.status.code(), Some(0));
    assert!(read(&directory.path().join("report.html")).contains("no model was run"));
}

/// Baselines and code scanning know a finding by its fingerprint, whatever is edited above it.
#[test]
fn a_fingerprint_survives_unrelated_lines() {
    let _turn = turn();
    let failing = fixture("failing");
    let print = || {
        gordian(&failing, "test opposite_orders");
        let log: Value = serde_json::from_str(&read(&kept("report.sarif"))).unwrap();
        let found = log["runs"][0]["results"][0].clone();
        let line = found["locations"][0]["physicalLocation"]["region"]["startLine"].clone();
        (found["partialFingerprints"]["gordian/v1"].clone(), line)
    };
    let (before, line) = print();
    let file = failing.join("src/lib.rs");
    let text = read(&file);
    let above = "// Nothing that matters.\n".repeat(7);
    fs::write(
        &file,
        text.replacen("#[cfg(test)]", &format!("{above}#[cfg(test)]"), 1),
    )
    .unwrap();
    let (after, moved) = print();
    fs::write(&file, text).unwrap();
    assert!(before.is_string());
    assert_eq!(
        moved.as_u64(),
        line.as_u64().map(|line| line + 7),
        "it did move"
    );
    assert_eq!(before, after);
}
