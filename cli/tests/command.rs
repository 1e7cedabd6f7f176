//! `cargo gordian test` from the outside: the fixtures' results, messages and exit codes.

mod common;

use std::process::{Output, Stdio};
use std::time::Duration;

use common::{command, fixture, gordian, target, turn};
use serde_json::Value;

/// What a run in a fixture must come to.
struct Case {
    fixture: &'static str,
    line: &'static str,
    code: i32,
    /// Texts that stdout and stderr must have.
    stdout: &'static [&'static str],
    stderr: &'static [&'static str],
    /// Texts that neither may have.
    neither: &'static [&'static str],
}

fn check(cases: &[Case]) {
    let _turn = turn();
    for case in cases {
        let output = gordian(&fixture(case.fixture), case.line);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let seen = format!("{}: {}\n{stdout}\n{stderr}", case.fixture, case.line);
        assert_eq!(output.status.code(), Some(case.code), "{seen}");
        for text in case.stdout {
            assert!(stdout.contains(text), "`{text}` is not on stdout of {seen}");
        }
        for text in case.stderr {
            assert!(stderr.contains(text), "`{text}` is not on stderr of {seen}");
        }
        for text in case.neither {
            assert!(
                !stdout.contains(text) && !stderr.contains(text),
                "`{text}` in {seen}"
            );
        }
    }
}

#[test]
fn a_pass_states_its_strength() {
    check(&[
        Case {
            fixture: "clean",
            line: "test",
            code: 0,
            stdout: &[
                "proved",
                "found deadlock as expected",
                "found self-deadlock as expected",
            ],
            stderr: &[
                "PASS [0.",
                "clean tests::counting_is_exact · exhaustive: 2 interleavings, 2 threads",
                "clean::outside locking_twice · found self-deadlock as expected",
                "6 models: 5 passed, 1 ignored",
            ],
            neither: &["no_model", "FAIL"],
        },
        Case {
            fixture: "clean",
            line: "gordian test -q counting",
            code: 0,
            stdout: &["counting_is_exact", "1 model "],
            stderr: &["1 model: 1 passed · 2 interleavings"],
            neither: &["PASS", "Compiling", "outside"],
        },
        Case {
            fixture: "clean",
            line: "test --strategy random --time-max 120s counting",
            code: 0,
            stdout: &["nothing found in a sample (random)"],
            stderr: &["sampled (random)"],
            neither: &["proved"],
        },
        Case {
            fixture: "workspace",
            line: "test",
            code: 0,
            stdout: &["tests::spawns"],
            stderr: &["1 model: 1 passed"],
            neither: &["stranger"],
        },
    ]);
}

#[test]
fn ignored_models_run_when_asked_for() {
    check(&[Case {
        fixture: "clean",
        line: "test -- --ignored",
        code: 100,
        stdout: &["must not run unless asked for"],
        stderr: &["FAIL", "1 model: 0 passed, 1 failed"],
        neither: &["counting_is_exact"],
    }]);
}

#[test]
fn failures_are_explained() {
    check(&[
        Case {
            fixture: "failing",
            line: "test",
            code: 100,
            stdout: &[
                "FAIL failing tests::opposite_orders\nerror[deadlock]: ",
                "waits for `alice`",
                "waits for `bob`",
                "src/lib.rs:",
                "BLOCKED",
                "cargo gordian replay",
                "expected but not found: `deadlock`",
                "these are my last words",
            ],
            stderr: &[
                "FAIL [",
                "CRASH [",
                "signal: 9",
                "5 models: 1 passed, 3 failed, 1 crashed",
                "the check came out as expected, but",
            ],
            neither: &["panicked at"],
        },
        Case {
            fixture: "failing",
            line: "test as_it_should_be",
            code: 0,
            stdout: &["proved"],
            stderr: &["1 model: 1 passed"],
            neither: &["FAIL"],
        },
    ]);
}

#[test]
fn a_search_cut_off_is_neither_pass_nor_failure() {
    check(&[Case {
        fixture: "unfinished",
        line: "test",
        code: 106,
        stdout: &["INCOMPLETE: only 3", "incomplete: nothing found so far"],
        stderr: &[
            "INCOMPLETE [",
            "2 models: 0 passed, 1 incomplete, 1 ignored",
        ],
        neither: &["proved\n", "PASS"],
    }]);
}

#[test]
fn a_pass_that_proves_little_is_warned_of() {
    check(&[
        Case {
            fixture: "regression",
            line: "test apart",
            code: 106,
            stdout: &["VACUOUS: has no thread that ever has to wait for another"],
            stderr: &["1 model: 0 passed, 1 vacuous"],
            neither: &["PASS", "Proof"],
        },
        Case {
            fixture: "regression",
            line: "test in_turn",
            code: 0,
            stdout: &["proved, but no lock is ever contended"],
            stderr: &["proves little of `ledger`: it is never contended"],
            neither: &["of its threads"],
        },
        Case {
            fixture: "clean",
            line: "test counting",
            code: 0,
            stdout: &["proved\n"],
            stderr: &["1 model: 1 passed"],
            neither: &["contended", "Warning"],
        },
    ]);
}

#[test]
fn findings_are_drawn_as_asked_for() {
    check(&[
        Case {
            fixture: "regression",
            line: "test both_ways --ascii",
            code: 100,
            stdout: &[
                "cycle  main > bob > teller > alice > main",
                "explored  exhaustive",
            ],
            stderr: &["FAIL ["],
            neither: &["→", "·", "━", "╭", "│"],
        },
        Case {
            fixture: "regression",
            line: "test both_ways --report plain",
            code: 100,
            stdout: &[
                "Finding 1 of 1, an error, deadlock: `main` and `teller` wait for each other.",
                "teller waits for alice (lock) since step ",
                "Step 1: main does spawn teller",
                "To replay it: cargo gordian replay ",
            ],
            stderr: &["FAIL ["],
            neither: &["cycle  ", "━"],
        },
    ]);
}

/// A finding in a terminal of so many columns.
#[test]
fn findings_fit_the_terminal() {
    let _turn = turn();
    let directory = fixture("regression");
    for columns in [40, 60, 80, 120] {
        let output = command(&directory, "test -q both_ways")
            .env("COLUMNS", columns.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // The table above it has its own width.
        let finding = text.split_once("\nerror[deadlock]").unwrap().1;
        let lines = || finding.lines().map(|line| line.chars().count());
        assert!(
            lines().all(|length| length <= columns),
            "{columns}:\n{text}"
        );
        assert!(lines().count() <= 40 || columns < 80, "{text}");
        for part in ["teller", "cycle  ", "explored", "replay"] {
            assert!(finding.contains(part), "{columns}: no `{part}`\n{text}");
        }
    }
}

/// The drawing of a finding on a screen of 80 columns: everything that explains it is there.
#[test]
fn a_finding_is_whole_by_default() {
    let _turn = turn();
    let output = gordian(&fixture("regression"), "test -q both_ways");
    let text = String::from_utf8(output.stdout).unwrap();
    let finding = text.split_once("\nerror[deadlock]").unwrap().1;
    assert!(!text.contains('\u{1b}'), "{text}");
    for part in [
        "main waits for `bob`",
        "teller holds `bob`",
        "teller waits for `alice`",
        "main holds `alice`",
        "  step   main ",
        "  cycle  main → bob → teller → alice → main",
        "  explored  exhaustive: 3 interleavings, 2 threads",
        "cargo gordian replay",
    ] {
        assert!(finding.contains(part), "no `{part}`\n{text}");
    }
    assert!(finding.lines().count() < 40, "{text}");
    assert!(
        finding.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn a_model_says_how_far_it_is() {
    let _turn = turn();
    let directory = fixture("unfinished");
    let file = directory.join("progress.json");
    let _ = std::fs::remove_file(&file);
    let line = "test --time-max 1s practically_endless -- --ignored";
    let output = command(&directory, line)
        .env("GORDIAN_PROGRESS", &file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(106));
    let text = std::fs::read_to_string(&file).unwrap();
    let said: Value = serde_json::from_str(&text).unwrap();
    assert!(said["executions"].as_u64().unwrap() > 0, "{text}");
    assert!(
        said["executions_estimate"].as_f64().unwrap() > 1e6,
        "{text}"
    );
    assert!(
        (0.2..1.5).contains(&said["seconds"].as_f64().unwrap()),
        "{text}"
    );
}

#[test]
fn what_cannot_be_run_says_why() {
    let case = |fixture, line, code, stderr| Case {
        fixture,
        line,
        code,
        stdout: &[],
        stderr,
        neither: &["PASS", "panicked"],
    };
    check(&[
        case(
            "empty",
            "test",
            4,
            &["no model was built", "#[gordian::test]"],
        ),
        case(
            "clean",
            "test no_such_model",
            4,
            &["no model matches `no_such_model`"],
        ),
        case(
            "broken",
            "test",
            101,
            &["mismatched types", "the tests do not compile"],
        ),
        case(
            "clean",
            "test -p nobody",
            2,
            &["nobody", "did not match any packages"],
        ),
        case("clean", "test --features none", 2, &["none"]),
        case(
            "clean",
            "test --manifest-path nowhere/Cargo.toml",
            2,
            &["nowhere/Cargo.toml"],
        ),
        case("clean", "test --engine lom", 2, &["lom", "loom"]),
        case("clean", "test -- --no-such-option", 2, &["no-such-option"]),
        case("clean", "tets", 2, &["test"]),
        case(
            "workspace",
            "test --manifest-path stranger/Cargo.toml",
            101,
            &["mismatched types"],
        ),
    ]);
}

#[test]
fn a_directory_without_a_project_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let output = gordian(directory.path(), "test");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.starts_with("error: could not find `Cargo.toml`"),
        "{stderr}"
    );
}

#[test]
fn fail_fast_starts_nothing_after_a_failure() {
    check(&[Case {
        fixture: "failing",
        line: "test --fail-fast --test-threads 1",
        code: 100,
        stdout: &["tests::as_it_should_be", "CRASH", "NOT RUN"],
        stderr: &["5 models: 1 passed, 1 crashed, 3 not run"],
        neither: &["opposite_orders ·"],
    }]);
}

#[test]
fn a_time_limit_ends_a_search_that_would_not() {
    check(&[Case {
        fixture: "unfinished",
        line: "test --time-max 500ms practically_endless -- --ignored",
        code: 106,
        stdout: &["INCOMPLETE: only "],
        stderr: &["1 model: 0 passed, 1 incomplete"],
        neither: &["NOT RUN", "CRASH"],
    }]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_children_too() {
    let _turn = turn();
    let line = "test --message-format json practically_endless -- --ignored";
    let child = command(&fixture("unfinished"), line)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let reports = target().join("gordian/reports");
    // The model runs once its binary is built and the directory for its report is there anew.
    let _ = std::fs::remove_dir_all(&reports);
    while !reports.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    let killed = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    // It waits for its children: were they left alone, it would never end.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(106));
    let objects = objects(&output);
    assert_eq!(objects[0]["status"], "not-run");
    assert_eq!(objects[1]["interrupted"], true);
}

/// The objects on stdout, all of which must be of this version.
fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    assert!(objects.iter().all(|object| object["v"] == 1), "{text}");
    objects
}

#[test]
fn json_has_one_object_a_model_and_a_summary() {
    let _turn = turn();
    let output = gordian(&fixture("failing"), "test --message-format json");
    assert_eq!(output.status.code(), Some(100));
    let objects = objects(&output);
    let (summary, models) = objects.split_last().unwrap();
    assert_eq!(models.len(), 5);
    assert_eq!(summary["kind"], "summary");
    assert_eq!(summary["failed"], 3);
    assert_eq!(summary["crashed"], 1);
    assert_eq!(summary["exit_code"], 100);

    let of = |name: &str| models.iter().find(|model| model["test"] == name).unwrap();
    let deadlock = of("tests::opposite_orders");
    assert_eq!(deadlock["status"], "failed");
    assert_eq!(deadlock["verdict"], "found");
    assert_eq!(deadlock["findings"][0]["code"], "deadlock");
    assert!(deadlock["search"]["executions"].as_u64().unwrap() >= 2);
    assert_eq!(of("tests::dies")["status"], "crashed");
    assert_eq!(of("tests::as_it_should_be")["status"], "passed");
}

#[test]
fn json_errors_are_objects_too() {
    let _turn = turn();
    let output = gordian(&fixture("empty"), "test --message-format json");
    let objects = objects(&output);
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0]["kind"], "error");
    assert_eq!(objects[0]["exit_code"], 4);
}

#[test]
fn the_replay_command_finds_the_same_again() {
    let _turn = turn();
    let directory = fixture("failing");
    let output = gordian(&directory, "test --message-format json opposite_orders");
    let found = objects(&output)[0]["findings"][0].clone();
    let replayed = command(&directory, "test --message-format json opposite_orders")
        .env("GORDIAN_REPLAY", found["token"].as_str().unwrap())
        .output()
        .unwrap();
    let again = objects(&replayed)[0].clone();
    assert_eq!(again["search"]["strength"]["kind"], "replayed");
    assert_eq!(again["search"]["executions"], 1);
    assert_eq!(again["findings"][0]["fingerprint"], found["fingerprint"]);
}

#[test]
fn every_code_is_explained_in_80_columns() {
    let directory = tempfile::tempdir().unwrap();
    for code in gordian::Code::ALL {
        let output = gordian(directory.path(), &format!("explain {code}"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(
            text.contains(&format!("[{code}]\n")) && text.contains("What to do"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn explain_without_a_code_lists_all() {
    let directory = tempfile::tempdir().unwrap();
    let output = gordian(directory.path(), "explain");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for code in gordian::Code::ALL {
        assert!(
            text.contains(&format!("\n{code} ")) || text.starts_with(code.as_str()),
            "{text}"
        );
    }
}

#[test]
fn an_unknown_code_is_answered_with_the_nearest() {
    let directory = tempfile::tempdir().unwrap();
    for (line, near) in [
        ("explain dedlock", "`deadlock`"),
        ("explain lost", "`lost-wakeup`"),
    ] {
        let output = gordian(directory.path(), line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(near), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}
