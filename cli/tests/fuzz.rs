//! `cargo gordian fuzz` from the outside: what it finds, what it keeps, and how it ends.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{fixture, gordian, target, turn};

/// What a run came to: exit code, stdout, stderr.
fn run(line: &str) -> (Option<i32>, String, String) {
    let output = gordian(&fixture("fuzzing"), line);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A directory for schedules that is empty.
fn empty(name: &str) -> PathBuf {
    let directory = target().join("corpora").join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn files(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).unwrap();
    let mut files: Vec<(String, String)> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_rare_deadlock_is_found_and_the_next_run_has_it_at_once() {
    let _turn = turn();
    let corpus = empty("found");
    let line = |more: &str| {
        let corpus = corpus.display();
        format!("fuzz dinner_of_seven --corpus {corpus} --executions-max 20000 {more}")
    };
    let (code, stdout, stderr) = run(&line("--seed 3"));
    assert_eq!(code, Some(100), "{stdout}{stderr}");
    for part in [
        "error[deadlock]: ",
        "waits for `fork-",
        "sampled (fuzz)",
        "\n  replay",
    ] {
        assert!(stdout.contains(part), "no `{part}`: {stdout}");
    }
    for part in ["Fuzzing", "seed 3", "FAIL", "Corpus", "Token deadlock g2:"] {
        assert!(stderr.contains(part), "no `{part}`: {stderr}");
    }
    let kept = files(&corpus);
    assert!(kept.len() > 3, "{kept:?}");
    assert!(
        kept.iter()
            .all(|(name, text)| name.ends_with(".token") && text.starts_with("g2:"))
    );

    // A file that cannot be used is told of, and stays.
    fs::write(corpus.join("0-broken.token"), "g2:nothing").unwrap();
    let bound = kept.len();
    let (code, stdout, stderr) = run(&format!(
        "fuzz dinner_of_seven --corpus {} --executions-max {bound} --seed 4",
        corpus.display()
    ));
    assert_eq!(code, Some(100), "the corpus leads there: {stdout}{stderr}");
    assert!(stderr.contains("0-broken.token was skipped"), "{stderr}");
    assert!(corpus.join("0-broken.token").exists());
}

#[test]
fn the_end_of_the_time_proves_nothing() {
    let _turn = turn();
    let corpus = empty("nothing");
    let line = "fuzz dinner_in_order --executions-max 400 --seed 5";
    let line = format!("{line} --corpus {}", corpus.display());
    let (code, stdout, stderr) = run(&line);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(
        stdout.contains("nothing found in a sample (fuzz)"),
        "{stdout}"
    );
    assert!(
        stderr.contains("nothing was found, which proves nothing"),
        "{stderr}"
    );
    assert!(
        stderr.contains("400 executions"),
        "the model's own bound is no bound: {stderr}"
    );
    let (code, _, stderr) = run("fuzz dinner_in_order --time-max 300ms");
    assert_eq!(code, Some(0), "{stderr}");
    let default = target().join("gordian/corpus/fuzzing.tests.dinner_in_order");
    assert!(!files(&default).is_empty());

    // The same seed and nothing to begin with: the same schedules.
    let first = files(&corpus);
    let corpus = empty("nothing");
    run(&line);
    assert_eq!(files(&corpus), first);
}

#[test]
fn one_model_is_fuzzed() {
    let _turn = turn();
    let (code, _, stderr) = run("fuzz dinner");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.contains("matches 2 models") && stderr.contains("dinner_of_seven"),
        "{stderr}"
    );
    let (code, _, stderr) = run("fuzz supper");
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("no model matches `supper`"), "{stderr}");
}
