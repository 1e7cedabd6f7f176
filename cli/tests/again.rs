//! Every command that a finding names, run as it stands there: it meets the finding again.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{command, fixture, gordian, turn};
use serde_json::Value;
use tempfile::TempDir;

const ABBA: &str = "\
expect clean
mutex a, b
thread one { lock a; lock b; unlock b; unlock a }
thread two { lock b; lock a; unlock a; unlock b }
";
/// The step that is wrong is not the one that would come by itself.
const FOREIGN: &str = "\
expect clean
mutex m
thread t1 { lock m; unlock m }
thread t2 { unlock m }
";
const LOST: &str = "\
expect clean
mutex m
condvar c
thread waiter { lock m; wait c m; unlock m }
thread waker { notify_one c }
";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The commands of a text that replay a finding, as a shell reads them.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", "").replace("''", "");
    let lines: Vec<&str> = joined.lines().collect();
    let of_line = |(at, line): (usize, &&str)| {
        let rest = line.trim_start().strip_prefix("replay")?.trim();
        Some(match rest {
            "" => lines[at + 1].trim().to_owned(),
            rest => rest.to_owned(),
        })
    };
    lines.iter().enumerate().filter_map(of_line).collect()
}

/// Runs a command in a shell, with this program for `cargo gordian`.
fn shell(directory: &Path, line: &str) -> Output {
    let program = assert_cmd::cargo::cargo_bin!("cargo-gordian");
    let program = format!("'{}' gordian", program.display());
    let line = line.replace("cargo gordian", &program);
    let mut shell = Command::new("sh");
    // What the other commands are run with, too.
    let like = command(directory, "");
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let shell = shell.args(["-c", &line]).current_dir(directory);
    shell.stdin(Stdio::null()).output().unwrap()
}

/// Runs each command that a run names, which meets the finding again, and names a command again.
#[track_caller]
fn check(directory: &Path, run: &Output, codes: &[&str]) -> Vec<String> {
    let printed = text(&run.stdout);
    let all = commands(&printed);
    assert_eq!(all.len(), codes.len(), "{printed}{}", text(&run.stderr));
    for (line, code) in all.iter().zip(codes) {
        let again = shell(directory, line);
        let said = text(&again.stdout) + &text(&again.stderr);
        let at = format!("{line}\n{said}");
        // What `cargo test` ends with is its own.
        assert_eq!(
            again.status.code(),
            Some(if line.contains("cargo test") {
                101
            } else {
                100
            }),
            "{at}"
        );
        assert!(said.contains(&format!("[{code}]")), "{at}");
        let named = commands(&said);
        assert_eq!(named.len(), 1, "{at}");
        assert!(
            line.contains("cargo test") || named == [line.as_str()],
            "{named:?}\n{at}"
        );
    }
    all
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

const FILES: [(&str, &str); 3] = [
    ("ab ba.gordian", ABBA),
    ("foreign.gordian", FOREIGN),
    ("sub/lost.gordian", LOST),
];
/// What is found in them, in which file.
const FOUND: [(&str, &str); 4] = [
    ("deadlock", "ab ba.gordian"),
    ("double-release", "foreign.gordian"),
    ("foreign-release", "foreign.gordian"),
    ("lost-wakeup", "sub/lost.gordian"),
];

#[test]
fn without_a_project_nothing_is_written_and_tokens_replay() {
    let root = directory(&FILES);
    let before = names(root.path());
    let run = gordian(root.path(), "scenario check .");
    assert_eq!(run.status.code(), Some(100));
    let all = check(root.path(), &run, &FOUND.map(|(code, _)| code));
    for (line, (_, name)) in all.iter().zip(FOUND) {
        let is_whole = line.contains("scenario check ") && line.contains(name);
        assert!(is_whole, "{line}");
    }
    assert_eq!(names(root.path()), before);
}

#[test]
fn what_is_asked_for_is_written_there_and_replays_from_its_traces() {
    let root = directory(&FILES);
    let run = gordian(root.path(), "scenario check . --out kept/here");
    assert_eq!(run.status.code(), Some(100));
    let all = check(root.path(), &run, &FOUND.map(|(code, _)| code));
    for line in &all {
        assert!(
            line.starts_with("cargo gordian replay kept/here/traces/"),
            "{line}"
        );
    }
    let kept = root.path().join("kept/here");
    assert_eq!(
        names(&kept),
        [
            "events.jsonl",
            "graphs",
            "junit.xml",
            "report.html",
            "report.sarif",
            "traces"
        ]
    );
    let page = fs::read_to_string(kept.join("report.html")).unwrap();
    assert!(page.contains("foreign.gordian") && page.contains("thread t1 { lock m; unlock m }"));
    let log: Value =
        serde_json::from_str(&fs::read_to_string(kept.join("report.sarif")).unwrap()).unwrap();
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        ["uri"];
    assert_eq!(uri, "ab%20ba.gordian");

    // From elsewhere, too; step by step, with the source.
    let elsewhere = root.path().join("kept");
    let trace = names(&kept.join("traces")).remove(0);
    let line = format!("replay here/traces/{trace} --step");
    let said = text(&gordian(&elsewhere, &line).stdout);
    assert!(
        said.contains("step 4 of 4") && said.contains(" 3 | thread one { lock a;"),
        "{said}"
    );
    assert!(said.contains("FOUND AGAIN ab ba.gordian"), "{said}");

    // What a run printed holds its traces.
    fs::write(root.path().join("log.txt"), &run.stdout).unwrap();
    let said = gordian(root.path(), "replay log.txt --finding foreign-release");
    assert_eq!(said.status.code(), Some(100));
    assert!(text(&said.stdout).contains("error[foreign-release]"));

    // CI's log is read where the files are not.
    let ci = command(root.path(), "scenario check foreign.gordian --out kept")
        .env("CI", "true")
        .output()
        .unwrap();
    let lines = commands(&text(&ci.stdout));
    assert!(lines[0].contains("--replay 'g2:"), "{lines:?}");
}

#[test]
fn in_a_project_they_are_kept_where_its_runs_are() {
    let _turn = turn();
    let bank = fixture("failing");
    let file = bank.join("protocols/abba.gordian");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, ABBA).unwrap();
    let below = bank.join("protocols");
    let run = gordian(&below, "scenario check abba.gordian");
    assert_eq!(run.status.code(), Some(100));
    let stderr = text(&run.stderr);
    assert!(stderr.contains("gordian/report.html"), "{stderr}");
    let lines = check(&below, &run, &["deadlock"]);
    assert!(lines[0].contains("gordian/traces/abba-"), "{lines:?}");
    let events = fs::read_to_string(common::target().join("gordian/events.jsonl")).unwrap();
    let event: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!(event["scenario"], "protocols/abba.gordian");
    assert_eq!(
        event["findings"][0]["edges"][0]["site"]["file"],
        "protocols/abba.gordian"
    );
    fs::remove_file(file).unwrap();
    let gone = shell(&below, &lines[0]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(
        text(&gone.stderr).contains("which is not there"),
        "{}",
        text(&gone.stderr)
    );
}

#[test]
fn models_replay_from_their_traces() {
    let _turn = turn();
    let directory = fixture("regression");
    let run = gordian(&directory, "test");
    assert_eq!(run.status.code(), Some(100));
    let lines = check(&directory, &run, &["deadlock"]);
    for line in &lines {
        assert!(line.contains("gordian/traces/"), "{line}");
    }
    // Without the files, by what the library itself says.
    let ci = command(&directory, "test both_ways")
        .env("CI", "1")
        .output()
        .unwrap();
    let lines = check(&directory, &ci, &["deadlock"]);
    assert!(lines[0].starts_with("GORDIAN_REPLAY='g2:"), "{lines:?}");
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let files = [
        ("a.gordian", ABBA),
        ("b.gordian", FOREIGN),
        ("none.txt", "nothing\n"),
    ];
    let root = directory(&files);
    let token = "g2:one~0.0,two~0.1:lock+a,lock+b:0.0-1.1";
    for (line, code, said) in [
        (
            format!("scenario check a.gordian --replay {token}"),
            100,
            "error[deadlock]",
        ),
        (
            format!("scenario check b.gordian --replay {token}"),
            2,
            "does not fit",
        ),
        (
            format!("scenario check a.gordian b.gordian --replay {token}"),
            2,
            "takes one scenario",
        ),
        (
            format!("scenario check gone.gordian --replay {token}"),
            2,
            "cannot be read",
        ),
        (
            "scenario check a.gordian --replay none.txt".to_owned(),
            2,
            "no replay token of `a.gordian`",
        ),
        (
            "scenario check a.gordian --replay g1:0,0.0:0-1".to_owned(),
            2,
            "not a replay token of this version",
        ),
        (
            format!("scenario check a.gordian --oracle --replay {token}"),
            2,
            "--oracle",
        ),
        (format!("replay {token}"), 2, "goes with its file"),
    ] {
        let run = gordian(root.path(), &line);
        let all = text(&run.stdout) + &text(&run.stderr);
        assert_eq!(run.status.code(), Some(code), "{line}\n{all}");
        assert!(all.contains(said), "`{said}` is not in\n{line}\n{all}");
    }
    gordian(root.path(), "scenario check a.gordian --out kept");
    let trace = names(&root.path().join("kept/traces")).remove(0);
    let test = gordian(
        root.path(),
        &format!("replay kept/traces/{trace} --emit-test"),
    );
    assert_eq!(test.status.code(), Some(2));
    assert!(
        text(&test.stderr).contains("its own regression test"),
        "{}",
        text(&test.stderr)
    );
}
