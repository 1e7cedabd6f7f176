//! `cargo gordian replay` as people and scripts use it.

mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{command, fixture, gordian, turn};

/// What was printed, and how it ended.
fn texts(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// The fixture, and the JSON lines of a run of it.
fn ran() -> (PathBuf, String) {
    let directory = fixture("regression");
    let output = gordian(&directory, "test --message-format json");
    let (stdout, stderr, code) = texts(&output);
    assert_eq!(code, Some(100), "{stdout}{stderr}");
    fs::write(directory.join("run.jsonl"), &stdout).unwrap();
    (directory, stdout)
}

fn token(lines: &str, test: &str) -> String {
    let objects = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let model = objects.into_iter().find(|it| it["test"] == test).unwrap();
    model["findings"][0]["token"].as_str().unwrap().to_owned()
}

/// Runs the command and checks what it says.
#[track_caller]
fn check(directory: &Path, arguments: &[&str], code: i32, said: &[&str], not_said: &[&str]) {
    let output = command(directory, "replay")
        .args(arguments)
        .output()
        .unwrap();
    let (stdout, stderr, found) = texts(&output);
    let all = format!("{arguments:?}\n{stdout}{stderr}");
    assert_eq!(found, Some(code), "{all}");
    for text in said {
        assert!(all.contains(text), "`{text}` is not in\n{all}");
    }
    for text in not_said {
        assert!(!all.contains(text), "`{text}` is in\n{all}");
    }
}

#[test]
fn findings_are_met_again() {
    let _turn = turn();
    let (directory, lines) = ran();
    let deadlock = token(&lines, "tests::both_ways");
    let drawn = [
        "error[deadlock]",
        "cycle  main → bob",
        "replayed: 1 interleaving",
    ];
    for arguments in [
        &["run.jsonl", "--finding", "deadlock"][..],
        &[&deadlock],
        &[&deadlock, "both_ways"],
    ] {
        check(&directory, arguments, 100, &drawn, &["remark"]);
    }
    // Several in a file: the first one, and a list.
    check(
        &directory,
        &["run.jsonl"],
        100,
        &[
            "2 findings",
            "tests::both_ways · deadlock",
            "tests::counts_in_a_race · panic",
            "FOUND AGAIN",
        ],
        &[],
    );
    check(
        &directory,
        &["run.jsonl", "--finding", "panic"],
        100,
        &["error[panic]"],
        &["error[deadlock]"],
    );
    // A log holds one too.
    let (log, _, _) = texts(&gordian(&directory, "test both_ways"));
    fs::write(directory.join("log.txt"), log).unwrap();
    check(&directory, &["log.txt"], 100, &drawn, &[]);
    // So does each trace that the run left, and what it kept of itself.
    let kept = common::target().join("gordian");
    let traces = fs::read_dir(kept.join("traces")).unwrap();
    let traces: Vec<_> = traces.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(traces.len(), 1, "{traces:?}");
    for file in [&traces[0], &kept.join("events.jsonl")] {
        check(&directory, &[file.to_str().unwrap()], 100, &drawn, &[]);
    }
}

#[test]
fn stdin_is_a_file_too() {
    let _turn = turn();
    let (directory, lines) = ran();
    let mut child = command(&directory, "replay - --finding deadlock")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let (stdout, _, code) = texts(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(100), "{stdout}");
    assert!(stdout.contains("error[deadlock]"), "{stdout}");
}

#[test]
fn steps_say_who_holds_and_who_waits() {
    let _turn = turn();
    let (directory, lines) = ran();
    let deadlock = token(&lines, "tests::both_ways");
    // Nobody is there to press a key: all steps at once.
    check(
        &directory,
        &[&deadlock, "both_ways", "--step"],
        100,
        &[
            "step 1 of ",
            "  thread  holds  waits for\n",
            "  main    alice  bob\n  teller  bob    alice\n",
            "let mut target = bob.lock();",
            "error[deadlock]",
        ],
        &["quit >"],
    );
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let _turn = turn();
    let (directory, lines) = ran();
    let race = token(&lines, "tests::counts_in_a_race");
    fs::write(directory.join("nothing.txt"), "no token here\n").unwrap();
    for (arguments, code, said) in [
        (
            &["g1:0,0.0:0-1"][..],
            2,
            "not a replay token of this version",
        ),
        (&["g2:0:lock+a"], 2, "three parts"),
        (&["nowhere.json"], 2, "neither a replay token"),
        (
            &["nothing.txt"],
            2,
            "there is no replay token in `nothing.txt`",
        ),
        (
            &["run.jsonl", "--finding", "7"],
            2,
            "no finding is `7`; there are",
        ),
        (
            &[&race, "no_such_model"],
            4,
            "no model matches `no_such_model`",
        ),
        (&[&race, "tests::apart"], 2, "does not fit"),
        (
            &[&race, "tests::apart", "--emit-test"],
            2,
            "nothing to test for",
        ),
    ] {
        check(&directory, arguments, code, &[said], &["panicked at cli"]);
    }
}

#[test]
fn a_regression_test_fails_until_the_defect_is_gone() {
    let _turn = turn();
    let (directory, lines) = ran();
    let deadlock = token(&lines, "tests::both_ways");
    let output = command(&directory, "replay")
        .args([&deadlock, "both_ways", "--emit-test"])
        .output()
        .unwrap();
    let (test, stderr, code) = texts(&output);
    assert_eq!(code, Some(0), "{stderr}");
    let file = directory.join("src/lib.rs");
    let before = fs::read_to_string(&file).unwrap();
    let with_test = before.replace("    // more tests\n", &test);
    let fixed = with_test.replace(
        "let (from, to) = (b, a); // swapped",
        "let (from, to) = (a, b);",
    );
    assert!(with_test != before && fixed != with_test);
    let run = |source: &str| {
        fs::write(&file, source).unwrap();
        let output = std::process::Command::new(env!("CARGO"))
            .args(["test", "--offline", "without_deadlock"])
            .env("CARGO_TARGET_DIR", common::target())
            .current_dir(&directory)
            .output()
            .unwrap();
        texts(&output)
    };
    let (stdout, stderr, code) = run(&with_test);
    assert_eq!(code, Some(101), "{stdout}{stderr}");
    assert!(
        stdout.contains("both_ways_without_deadlock"),
        "{stdout}{stderr}"
    );
    assert!((stdout + &stderr).contains("error[deadlock]"), "{stderr}");
    let (stdout, stderr, code) = run(&fixed);
    fs::write(&file, before).unwrap();
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "{stdout}");
}
