//! `cargo gordian predict` from the outside: traces in, predictions and exit codes out.

use std::fs;
use std::process::Command;

use expect_test::{Expect, expect};
use serde_json::Value;
use tempfile::TempDir;

const BROKEN: &str = "\
main|fork(A)|1
main|fork(B)|2
A|acq(alice)|10
A|acq(bob)|11
A|rel(bob)|12
A|rel(alice)|13
B|acq(bob)|20
B|acq(alice)|21
B|rel(alice)|22
B|rel(bob)|23
";

/// B takes them in A's order.
fn fixed() -> String {
    BROKEN.replace(
        "B|acq(bob)|20\nB|acq(alice)|21",
        "B|acq(alice)|20\nB|acq(bob)|21",
    )
}

fn directory() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("broken.std"), BROKEN).unwrap();
    fs::write(root.path().join("fixed.std"), fixed()).unwrap();
    fs::write(
        root.path().join("garbage.std"),
        "main|fork(A)|1\nnot a trace\n",
    )
    .unwrap();
    fs::write(root.path().join("bytes.std"), [0xff, 0xfe, b'\n']).unwrap();
    fs::write(root.path().join("empty.std"), "\n").unwrap();
    fs::write(root.path().join("no-run.std"), "A|rel(x)|1\n").unwrap();
    root
}

/// Exit code, stdout, stderr.
fn predict(root: &TempDir, line: &str) -> (i32, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cargo-gordian"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") || text.starts_with("GORDIAN_") {
            command.env_remove(name);
        }
    }
    let output = command
        .arg("predict")
        .args(line.split_whitespace())
        .current_dir(root.path())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn check(line: &str, code: i32, stdout: Expect, stderr: Expect) {
    let (found, out, err) = predict(&directory(), line);
    // How long it took is the machine's.
    let timeless: Vec<_> = out
        .lines()
        .map(|line| match line.rsplit_once(", ") {
            Some((rest, time)) if time.ends_with(" s") => format!("{rest}, T s\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    stdout.assert_eq(&timeless.concat());
    stderr.assert_eq(&err);
    assert_eq!(found, code, "{line}");
}

#[test]
fn a_run_that_could_have_deadlocked() {
    check(
        "broken.std",
        100,
        expect![[r#"
        PREDICTED broken.std
        error[lock-order]: `A` and `B` take `bob` and `alice` in opposite orders
          ╭▸ broken.std:4:1
          │
        3 │ A|acq(alice)|10
          │ ─────────────── A holds `alice` (step 1)
        4 │ A|acq(bob)|11
          │ ━━━━━━━━━━━━━ A waits for `bob` (step 3)
          ┆
        7 │ B|acq(bob)|20
          │ ───────────── B holds `bob` (step 2)
        8 │ B|acq(alice)|21
          ╰╴━━━━━━━━━━━━━━━ B waits for `alice` (step 4)

          step   A                     B
             1   lock  alice  ok       ·
             2   ·                     lock  bob    ok
             3   lock  bob    BLOCKED  ·
             4   ·                     lock  alice  BLOCKED
          cycle  A → bob → B → alice → A

          explored  predicted from one run: 10 events, 3 threads, T s
          note      4 of the run's events lead there in another order; shown are those
                    that matter
    "#]],
        expect![[""]],
    );
}

#[test]
fn a_run_that_could_not() {
    check(
        "fixed.std",
        0,
        expect![[r#"
        CLEAN fixed.std
        clean: fixed.std · predicted from one run: 10 events, 3 threads, T s
    "#]],
        expect![[""]],
    );
}

#[test]
fn what_is_no_run_is_an_error_and_the_others_are_looked_at() {
    check(
        "garbage.std fixed.std",
        2,
        expect![[r#"
        CLEAN fixed.std
        clean: fixed.std · predicted from one run: 10 events, 3 threads, T s
    "#]],
        expect![[r#"
        error: garbage.std: line 2: an event has three fields, `THREAD|OPERATION(OPERAND)|LOCATION`; this has 1
    "#]],
    );
    for (file, reason) in [
        ("bytes.std", "bytes.std: not UTF-8"),
        ("empty.std", "empty.std: there is no event in it"),
        (
            "no-run.std",
            "no-run.std: line 1: `A` releases `x`, which it does not hold",
        ),
        ("missing.std", "missing.std: No such file"),
    ] {
        let (code, stdout, stderr) = predict(&directory(), file);
        assert_eq!((code, stdout.as_str()), (2, ""), "{file}");
        assert!(stderr.contains(reason), "{file}: {stderr}");
    }
}

#[test]
fn a_program_reads_the_same() {
    let (code, stdout, _) = predict(&directory(), "--message-format json broken.std fixed.std");
    assert_eq!(code, 100);
    let lines: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verdicts: Vec<_> = lines
        .iter()
        .map(|line| &line["report"]["verdict"])
        .collect();
    assert_eq!(verdicts, ["found", "clean"]);
    assert!(
        lines
            .iter()
            .all(|line| line["v"] == 1 && line["kind"] == "prediction")
    );
    assert_eq!(lines[0]["report"]["findings"][0]["code"], "lock-order");
}
