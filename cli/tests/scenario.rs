//! `cargo gordian scenario` from the outside: results, messages, streams and exit codes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const ABBA: &str = "\
expect deadlock
mutex a, b
thread one { lock a; lock b; unlock b; unlock a }
thread two { lock b; lock a; unlock a; unlock b }
";
const CLEAN: &str = "\
title \"one lock\"
expect clean
mutex m
var x
thread t * 2 {
    with m {
        x += 1
    }
}
";
const WRONG: &str = "mutex m\nthread t {\n    lok m\n}\n";

/// A directory with files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn command(root: &Path, line: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cargo-gordian"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") || text.starts_with("GORDIAN_") {
            command.env_remove(name);
        }
    }
    command
        .arg("scenario")
        .args(line.split_whitespace())
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What the program does with a text on stdin.
fn run_with(root: &Path, line: &str, stdin: &[u8]) -> Output {
    let mut child = command(root, line).spawn().unwrap();
    // Nobody may want to read it.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

/// Stdout and stderr of a run that must end with this exit code.
fn run(root: &Path, line: &str, code: i32) -> (String, String) {
    let output = run_with(root, line, b"");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let seen = format!("{line}\n{stdout}\n{stderr}");
    assert_eq!(output.status.code(), Some(code), "{seen}");
    (stdout, stderr)
}

/// The objects that `check --message-format json` writes, one a line.
fn lines(stdout: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    stdout.lines().map(read).collect()
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

#[test]
fn what_is_expected_passes_and_says_how_much_was_explored() {
    let root = directory(&[("abba.gordian", ABBA), ("clean.gordian", CLEAN)]);
    let (stdout, stderr) = run(root.path(), "check abba.gordian clean.gordian", 0);
    has(
        &stdout,
        &[
            "found deadlock as expected",
            "proved",
            "2 scenarios",
            "2 passed",
        ],
    );
    has(
        &stderr,
        &[
            "PASS [",
            "abba.gordian · found deadlock as expected; exhaustive: 3 interl",
        ],
    );
    assert!(!stdout.contains("BLOCKED"), "{stdout}");

    let (stdout, stderr) = run(root.path(), "check -q --oracle --jobs 1 .", 0);
    has(&stdout, &["abba.gordian", "clean.gordian"]);
    assert!(!stderr.contains("PASS"), "{stderr}");
}

#[test]
fn what_is_not_expected_is_explained_at_its_place() {
    let wrong = ABBA.replace("deadlock", "clean");
    let silent = ABBA.replace("expect deadlock\n", "");
    let missing = CLEAN.replace("clean", "stuck");
    let counted = CLEAN.replace("expect clean", "expect clean\nexpect_executions 7");
    let root = directory(&[
        ("wrong.gordian", &wrong),
        ("silent.gordian", &silent),
        ("missing.gordian", &missing),
        ("counted.gordian", &counted),
    ]);
    let (stdout, stderr) = run(root.path(), "check wrong.gordian", 100);
    has(
        &stdout,
        &[
            "FAIL wrong.gordian\nerror: found deadlock, expected nothing\nerror[deadlock]: `one` and",
            "wrong.gordian:3:22",
            "lock a; lock b; unlock b",
            "one waits for `b`",
            "BLOCKED",
        ],
    );
    has(&stderr, &["FAIL ["]);
    run(root.path(), "check silent.gordian", 100);
    let (stdout, _) = run(root.path(), "check missing.gordian", 100);
    has(&stdout, &["found nothing, expected a thread that is stuck"]);
    let (stdout, _) = run(root.path(), "check counted.gordian", 100);
    has(&stdout, &["took 2 interleavings, expected 7"]);
}

#[test]
fn json_has_exactly_the_promised_keys() {
    let root = directory(&[
        ("a.gordian", ABBA),
        ("b.gordian", WRONG),
        ("c.gordian", CLEAN),
    ]);
    let (stdout, stderr) = run(root.path(), "check --message-format json . gone.gordian", 2);
    let lines = lines(&stdout);
    assert_eq!(lines.len(), 4);
    let keys = [
        "v",
        "kind",
        "file",
        "title",
        "verdict",
        "expected",
        "findings",
        "executions",
        "complete",
        "steps_max",
        "seconds",
        "error",
    ];
    for line in &lines {
        let found: BTreeSet<&str> = line
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(found, keys.into_iter().collect());
        assert_eq!((&line["v"], &line["kind"]), (&1.into(), &"scenario".into()));
        assert!(line["seconds"].as_f64().unwrap() >= 0.0);
    }
    let [deadlock, wrong, clean, gone] = &lines[..] else {
        unreachable!("there are four lines");
    };
    assert_eq!(deadlock["file"], "a.gordian");
    assert_eq!(deadlock["title"], Value::Null);
    assert_eq!(
        (&deadlock["verdict"], &deadlock["expected"]),
        (&"found".into(), &true.into())
    );
    assert_eq!(
        (&deadlock["executions"], &deadlock["complete"]),
        (&3.into(), &true.into())
    );
    assert!(deadlock["steps_max"].as_u64().unwrap() > 4);
    let finding = deadlock["findings"][0].as_object().unwrap();
    let keys: Vec<&str> = finding.keys().map(String::as_str).collect();
    let promised = ["code", "fingerprint", "objects", "severity", "threads"];
    assert_eq!(
        keys.into_iter().collect::<BTreeSet<_>>(),
        promised.into_iter().collect()
    );
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&"deadlock".into(), &"error".into())
    );
    assert_eq!(finding["threads"], serde_json::json!(["one", "two"]));
    assert_eq!(finding["objects"], serde_json::json!(["a", "b"]));

    assert_eq!(
        (&wrong["verdict"], &wrong["expected"]),
        (&"error".into(), &Value::Null)
    );
    let error = "line 3, column 5: there is no statement `lok`; did you mean `lock`?";
    assert_eq!(wrong["error"], error);
    has(
        &stderr,
        &[
            "error: there is no statement `lok`",
            "b.gordian:3:5",
            "did you mean `lock`?",
        ],
    );
    assert_eq!(
        (&clean["verdict"], &clean["title"]),
        (&"clean".into(), &"one lock".into())
    );
    assert_eq!(
        (&clean["expected"], &clean["error"]),
        (&true.into(), &Value::Null)
    );
    assert_eq!(gone["verdict"], "error");
    has(gone["error"].as_str().unwrap(), &["cannot be read"]);
}

#[test]
fn the_worst_file_decides_the_exit_code() {
    // Exhaustive exploration takes more executions than are allowed.
    let large = "mutex m\nthread t * 4 { lock m; unlock m; lock m; unlock m }\n";
    let failing = ABBA.replace("deadlock", "clean");
    let root = directory(&[
        ("clean.gordian", CLEAN),
        ("large.gordian", large),
        ("failing.gordian", &failing),
        ("wrong.gordian", WRONG),
    ]);
    let check = "check --executions-max 3";
    for (files, code) in [
        ("clean.gordian", 0),
        ("large.gordian", 106),
        ("large.gordian clean.gordian", 106),
        ("large.gordian failing.gordian", 100),
        ("failing.gordian large.gordian clean.gordian", 100),
        (
            "wrong.gordian failing.gordian large.gordian clean.gordian",
            2,
        ),
        ("gone.gordian clean.gordian", 2),
    ] {
        let (stdout, _) = run(
            root.path(),
            &format!("{check} --message-format json {files}"),
            code,
        );
        let found: Vec<Value> = lines(&stdout)
            .iter()
            .map(|line| line["file"].clone())
            .collect();
        assert_eq!(found, files.split(' ').collect::<Vec<_>>());
    }
    let (stdout, stderr) = run(root.path(), &format!("{check} large.gordian"), 106);
    has(&stdout, &["INCOMPLETE", "not a pass"]);
    has(&stderr, &["1 incomplete"]);
    // The oracle has no such bound, and decides.
    let (stdout, stderr) = run(root.path(), &format!("{check} --oracle large.gordian"), 0);
    has(&stdout, &["proved"]);
    has(&stderr, &["PASS", "oracle: ", " states"]);
    let (stdout, _) = run(
        root.path(),
        &format!("{check} --oracle --message-format json large.gordian"),
        0,
    );
    assert_eq!(lines(&stdout)[0]["complete"], true);
}

#[test]
fn wrong_command_lines_and_empty_directories_are_refused() {
    let root = directory(&[("empty/readme.md", "")]);
    for (line, code, message) in [
        ("check", 2, "FILE"),
        ("check --strategy brute a", 2, "exhaustive"),
        ("check empty", 4, "no *.gordian file"),
        ("fmt empty", 4, "no *.gordian file"),
        ("explain empty", 4, "no *.gordian file"),
        ("chek a", 2, "check"),
    ] {
        let (stdout, stderr) = run(root.path(), line, code);
        has(&stderr, &[message]);
        assert_eq!(stdout, "");
    }
}

#[test]
fn garbage_is_refused_at_once_and_with_its_place() {
    let root = directory(&[]);
    let garbage: [(&str, Vec<u8>, &str); 7] = [
        ("empty", Vec::new(), "1:1"),
        ("not-utf-8", b"mutex m\nthread \xff\xfe {}".to_vec(), "2:8"),
        ("nul", b"mutex m\0\n".to_vec(), "1:8"),
        ("zeros", vec![0; 10 << 20], "1:1"),
        ("one-line", "lock (".repeat(2 << 20).into_bytes(), "1:1"),
        (
            "braces",
            [b"thread t ".to_vec(), vec![b'{'; 100_000]].concat(),
            "1:11",
        ),
        (
            "blocks",
            ["thread t {", &"loop{".repeat(100_000)]
                .concat()
                .into_bytes(),
            "1:",
        ),
    ];
    for (name, bytes, place) in garbage {
        let file = format!("{name}.gordian");
        fs::write(root.path().join(&file), bytes).unwrap();
        for subcommand in ["check", "explain", "fmt --check"] {
            let (_, stderr) = run(root.path(), &format!("{subcommand} {file}"), 2);
            has(&stderr, &["error: ", &format!("{file}:{place}")]);
            assert!(
                stderr.len() < 2_000 + 200 * stderr.lines().count(),
                "{}",
                stderr.len()
            );
        }
    }
}

#[test]
fn an_endless_loop_is_an_answer_and_not_a_hang() {
    let root = directory(&[
        (
            "spin.gordian",
            "var x\nthread t { while x == 0 { nop } }\nthread u { nop }\n",
        ),
        ("local.gordian", "thread t {\n    loop { $a += 1 }\n}\n"),
    ]);
    run(root.path(), "check --time-max 20 spin.gordian", 0);
    let output = run_with(root.path(), "check --time-max 20 local.gordian", b"");
    let code = output.status.code();
    assert!(matches!(code, Some(2 | 106)), "{code:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    has(&text, &["local.gordian"]);
}

#[test]
fn fmt_lays_out_in_place_and_only_what_has_to_change() {
    let untidy = "mutex m;thread t{lock m # mine\nunlock m}";
    let tidy = "mutex m\nthread t {\n    lock m  # mine\n    unlock m\n}\n";
    let root = directory(&[
        ("a.gordian", untidy),
        ("b.gordian", tidy),
        ("sub/c.gordian", untidy),
        ("wrong.gordian", WRONG),
    ]);
    let text = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    let (stdout, _) = run(root.path(), "fmt --check a.gordian b.gordian sub", 100);
    assert_eq!(stdout, "a.gordian\nsub/c.gordian\n");
    assert_eq!(text("a.gordian"), untidy);

    let (stdout, stderr) = run(root.path(), "fmt wrong.gordian a.gordian b.gordian sub", 2);
    assert_eq!(stdout, "");
    has(
        &stderr,
        &[
            "wrong.gordian:3:5",
            "Formatted a.gordian",
            "Formatted sub/c.gordian",
        ],
    );
    assert!(!stderr.contains("Formatted b.gordian"), "{stderr}");
    for name in ["a.gordian", "b.gordian", "sub/c.gordian"] {
        assert_eq!(text(name), tidy);
    }
    assert_eq!(text("wrong.gordian"), WRONG);
    let (stdout, stderr) = run(root.path(), "fmt --check a.gordian b.gordian sub", 0);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""));

    let output = run_with(root.path(), "fmt -", untidy.as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), tidy);
    let output = run_with(root.path(), "fmt --check -", untidy.as_bytes());
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(100), &b"-\n"[..])
    );
    let output = run_with(root.path(), "fmt -", WRONG.as_bytes());
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(2), &b""[..])
    );
}

#[test]
fn explain_says_what_a_file_says() {
    let root = directory(&[
        ("a.gordian", ABBA),
        ("b.gordian", CLEAN),
        ("c.gordian", WRONG),
    ]);
    let (stdout, stderr) = run(root.path(), "explain b.gordian", 0);
    has(
        &stdout,
        &[
            "one lock\n2 threads share 2 objects.",
            "`t.1` and `t.2`",
            "1. Locks `m`",
        ],
    );
    assert_eq!(stderr, "");
    let (stdout, stderr) = run(root.path(), "explain a.gordian b.gordian c.gordian", 2);
    has(&stdout, &["a.gordian\n\n", "\n\nb.gordian\n\n"]);
    has(&stderr, &["c.gordian:3:5"]);
    let output = run_with(root.path(), "explain -", CLEAN.as_bytes());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("one lock\n")
    );
}

#[test]
fn stdin_is_checked_too() {
    let root = directory(&[]);
    let output = run_with(
        root.path(),
        "check --message-format json -",
        ABBA.as_bytes(),
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        lines(&String::from_utf8(output.stdout).unwrap())[0]["file"],
        "-"
    );
}

#[test]
fn colours_are_as_asked_for() {
    let wrong = ABBA.replace("deadlock", "clean");
    let root = directory(&[("a.gordian", &wrong), ("b.gordian", WRONG)]);
    for (color, coloured) in [("always", true), ("never", false), ("auto", false)] {
        // None of the streams is a terminal.
        let (stdout, stderr) = run(root.path(), &format!("check --color {color} ."), 2);
        assert_eq!(stdout.contains('\u{1b}'), coloured, "{stdout}");
        assert_eq!(stderr.contains('\u{1b}'), coloured, "{stderr}");
        let (_, stderr) = run(root.path(), &format!("fmt --color {color} b.gordian"), 2);
        assert_eq!(stderr.contains('\u{1b}'), coloured, "{stderr}");
    }
}

/// Whoever reads only the first lines has seen enough.
#[test]
fn a_closed_pipe_is_no_error() {
    let root = directory(&[("a.gordian", CLEAN)]);
    let mut child = command(root.path(), "explain a.gordian").spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

/// The specimens and the seeds: each broken one has its finding, each repaired one is clean, and
/// the oracle says so too.
#[test]
fn the_scenarios_of_this_project_are_as_they_expect() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let line = "check --oracle --message-format json scenarios/autotrader scenarios/seeds";
    let (stdout, _) = run(root, line, 0);
    let lines = lines(&stdout);
    assert!(lines.len() > 50, "{}", lines.len());
    for line in lines {
        let file = line["file"].as_str().unwrap();
        let repaired = ["fixed", "one_loop", "timeout"];
        let repaired = repaired
            .iter()
            .any(|word| file.ends_with(&format!(".{word}.gordian")));
        assert_eq!(
            line["verdict"],
            if repaired { "clean" } else { "found" },
            "{file}"
        );
        assert_eq!(
            (&line["expected"], &line["complete"]),
            (&true.into(), &true.into()),
            "{file}"
        );
    }
}
