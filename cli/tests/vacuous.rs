//! Models that prove nothing, from the outside: in every format, and in `cargo test`.

mod common;

use std::fs;
use std::process::{Command, Output};

use common::{fixture, gordian, target, turn};
use serde_json::Value;

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn kept(name: &str) -> String {
    fs::read_to_string(target().join("gordian").join(name)).unwrap()
}

#[test]
fn a_vacuous_model_is_no_pass_in_any_format() {
    let _turn = turn();
    let root = fixture("vacuous");
    let run = gordian(&root, "test");
    let (stdout, stderr) = texts(&run);
    let all = format!("{stdout}\n{stderr}");
    assert_eq!(run.status.code(), Some(106), "{all}");
    for said in [
        "VACUOUS: used no lock of gordian",
        "VACUOUS: has one thread",
        "vacuous: this model used no lock of gordian; did you mean",
        "not seen  src/lib.rs:3: `std::sync::Mutex`",
        "`std::thread::spawn`",
        "nothing proved: it has one thread, as is meant",
        "found deadlock as expected",
        "3 passed, 2 vacuous",
    ] {
        assert!(stdout.contains(said), "`{said}` is not in {all}");
    }
    assert!(
        stderr.contains("Proof rests on only what goes through gordian"),
        "{all}"
    );

    let worths: Vec<(String, Value, Value)> = kept("events.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["kind"] == "model")
        .map(|line| {
            let name = line["test"].as_str().unwrap().replace("tests::", "");
            (name, line["status"].clone(), line["worth"].clone())
        })
        .collect();
    let expected = [
        ("one_thread", "vacuous", "vacuous"),
        ("one_thread_on_purpose", "passed", "vacuous"),
        ("seen_locks", "passed", "found"),
        ("seen_locks_in_order", "passed", "proved"),
        ("std_locks", "vacuous", "vacuous"),
    ];
    let expected = expected
        .map(|(name, status, worth)| (name.to_owned(), Value::from(status), Value::from(worth)));
    assert_eq!(worths, expected);
    let summary = kept("events.jsonl");
    let summary: Value = serde_json::from_str(summary.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&summary["passed"], &summary["vacuous"]),
        (&3.into(), &2.into())
    );

    let page = kept("report.html");
    for part in [
        "2 of 5 models prove nothing",
        "<span class=\"status vacuous\">vacuous</span>",
        "<span class=\"status passed\">passed</span> <span class=\"status worth proved\">proved</span>",
        "<span class=\"status passed weak\">passed</span>",
        "vacuous, as is meant: has one thread",
        "A proof rests on only what goes through gordian",
        "src/lib.rs:3",
    ] {
        assert!(page.contains(part), "`{part}` is not on the page");
    }
    let xml = kept("junit.xml");
    assert!(
        xml.contains("errors=\"2\"") && xml.contains("type=\"vacuous\""),
        "{xml}"
    );
    assert!(
        xml.contains("name=\"gordian.worth\" value=\"proved\""),
        "{xml}"
    );
    let log: Value = serde_json::from_str(&kept("report.sarif")).unwrap();
    let invocation = &log["runs"][0]["invocations"][0];
    let told = &invocation["toolExecutionNotifications"];
    assert_eq!(invocation["executionSuccessful"], false);
    let levels: Vec<&Value> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["level"])
        .collect();
    assert_eq!(levels, ["warning", "warning", "note"], "{told}");
    let text = told[1]["message"]["text"].as_str().unwrap();
    assert!(
        text.contains("vacuous: this model used no lock of gordian"),
        "{text}"
    );
}

#[test]
fn what_is_meant_or_corrected_passes() {
    let _turn = turn();
    let root = fixture("vacuous");
    for (line, code) in [
        ("test seen_locks", 0),
        ("test one_thread_on_purpose", 0),
        ("test --vacuous allow", 0),
        ("test --vacuous fail one_thread_on_purpose", 106),
        ("test std_locks", 106),
        ("test --strategy random --executions-max 200 std_locks", 106),
        ("test --report plain std_locks", 106),
    ] {
        let run = gordian(&root, line);
        let (stdout, stderr) = texts(&run);
        assert_eq!(run.status.code(), Some(code), "{line}\n{stdout}\n{stderr}");
    }
}

#[test]
fn cargo_test_says_the_same() {
    let _turn = turn();
    let root = fixture("vacuous");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") || text.starts_with("GORDIAN_") {
            command.env_remove(name);
        }
    }
    command.args(["test", "--offline"]).current_dir(&root);
    let run = command.env("CARGO_TARGET_DIR", target()).output().unwrap();
    let (stdout, stderr) = texts(&run);
    assert_eq!(run.status.code(), Some(101), "{stdout}\n{stderr}");
    for said in [
        "test tests::std_locks ... FAILED",
        "test tests::one_thread ... FAILED",
        "test tests::one_thread_on_purpose ... ok",
        "test tests::seen_locks_in_order ... ok",
        "vacuous: this model used no lock of gordian; did you mean",
        "vacuous: this model has one thread",
    ] {
        assert!(stdout.contains(said), "`{said}` is not in {stdout}");
    }
}

/// What cargo makes of a virtual workspace that names no resolver is told, and only that.
#[test]
fn checking_that_is_on_in_builds_is_told_of() {
    let _turn = turn();
    let root = fixture("virtual");
    let manifest = root.join("Cargo.toml");
    let told = |text: &str| {
        fs::write(&manifest, text).unwrap();
        let (stdout, stderr) = texts(&gordian(&root, "test"));
        assert!(stdout.contains("proved"), "{stdout}\n{stderr}");
        stderr.contains("Warning cargo turns the feature `model` of gordian on in `cargo build`")
    };
    let members = "[workspace]\nmembers = [\"bank\"]\n";
    assert!(told(members));
    assert!(!told(&format!("{members}resolver = \"2\"\n")));
}
