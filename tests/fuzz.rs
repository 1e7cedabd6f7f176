//! Fuzzing schedules: rare defects are found, the same models without them are not accused, and
//! what was learnt is kept.
#![cfg(feature = "model")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gordian::sync::{Mutex, Semaphore};
use gordian::thread::Builder;
use gordian::{Checker, Code, Named, Report, Strategy};

/// Philosophers, each with some steps of its own before. All of them take the left fork first; the
/// last one does not, if `fixed`.
fn philosophers(count: usize, fixed: bool) {
    let forks: Vec<_> = (0..count)
        .map(|at| Arc::new(Mutex::new(0).named(format!("fork-{at}"))))
        .collect();
    let noise = Arc::new(Mutex::new(0).named("noise"));
    for at in 0..count {
        let (left, right) = (at, (at + 1) % count);
        let (first, second) = match fixed && left > right {
            true => (right, left),
            false => (left, right),
        };
        let (first, second) = (Arc::clone(&forks[first]), Arc::clone(&forks[second]));
        let noise = Arc::clone(&noise);
        let body = move || {
            *noise.lock() += 1;
            let _first = first.lock();
            let _second = second.lock();
        };
        let thread = Builder::new().name(format!("p{at}"));
        thread.spawn(body).expect("it starts");
    }
}

/// A deadlock that needs a choice and, then, both threads at once.
fn choosy(fixed: bool) {
    let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
    let other = Arc::clone(&locks);
    let place = Arc::new(Semaphore::new(1).named("place"));
    let body = move || {
        let _place = place.acquire();
        match gordian::choose(8) {
            7 if !fixed => {
                let _b = other.1.lock();
                let _a = other.0.lock();
            }
            _ => {
                let _a = other.0.lock();
                let _b = other.1.lock();
            }
        }
    };
    Builder::new()
        .name("t1".to_owned())
        .spawn(body)
        .expect("it starts");
    let _a = locks.0.lock();
    let _b = locks.1.lock();
}

fn fuzz(executions: u64) -> Checker {
    let checker = Checker::new().name("fuzz").strategy(Strategy::Fuzz);
    checker.executions_max(executions).errors_max(1)
}

type Model = fn(bool);

const MODELS: [(&str, Model, u64); 3] = [
    ("6 philosophers", |fixed| philosophers(6, fixed), 5_000),
    ("9 philosophers", |fixed| philosophers(9, fixed), 5_000),
    ("a choice", choosy, 2_000),
];

#[test]
fn rare_deadlocks_are_found() {
    for (name, model, executions) in MODELS {
        let report = fuzz(executions).check(move || model(false));
        let finding = report.assert_found(Code::Deadlock);
        assert!(finding.execution <= executions, "{name}");
        let token = finding.token.parse().expect("a token");
        let again = Checker::new().replay(token).check(move || model(false));
        again.assert_found(Code::Deadlock);
    }
}

#[test]
fn without_the_defect_nothing_is_found_or_proved() {
    for (name, model, _) in MODELS {
        let report = fuzz(1_000).check(move || model(true));
        assert!(report.findings.is_empty(), "{name}: {report}");
        assert_eq!(report.search.executions, 1_000, "{name}");
        assert!(report.strength().starts_with("sampled (fuzz)"), "{name}");
    }
}

/// All that can differ between two runs but the time.
fn without_time(mut report: Report) -> Report {
    report.search.seconds = 0.0;
    report
}

#[test]
fn the_same_seed_does_the_same() {
    let run = |seed| {
        let report = fuzz(300).seed(seed).check(|| philosophers(7, false));
        without_time(report)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).search.steps, run(2).search.steps);
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_later_run_begins_where_an_earlier_one_ended() {
    let directory = tempfile::tempdir().unwrap();
    let corpus = directory.path().join("not/there/yet");
    let run = |executions, seed| {
        let checker = fuzz(executions).corpus(&corpus).seed(seed);
        checker.check(|| philosophers(8, false))
    };
    let first = run(5_000, 1);
    let found = first.assert_found(Code::Deadlock).execution;
    let kept = files(&corpus);
    assert!(
        kept.len() > 10 && kept.iter().all(|name| name.ends_with(".token")),
        "{kept:?}"
    );
    // The schedule that led there is one of them: another seed comes to it while they are run.
    let again = run(5_000, 2);
    assert!(again.assert_found(Code::Deadlock).execution <= kept.len() as u64);
    assert!(
        again.search.remarks.is_empty(),
        "{:?}",
        again.search.remarks
    );
    assert!(found > 1, "the first execution shows no cycle of eight");
}

#[test]
fn what_cannot_be_used_is_told_and_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(directory.path().join(name), text).unwrap();
    write("00.token", b"no token at all");
    write("01.token", b"\xff\xfe\x00");
    write("02.token", b"");
    write("03.token", b"g2:0:lock+x:0.9");
    write("04.token", b"g2:::");
    write("notes.txt", b"not of the corpus");
    // Readable, and of another model.
    write(
        "05.token",
        b"g2:0,z~0.7:lock+nothing,lock+other:1.0.1.0.1.0.1",
    );
    let checker = fuzz(200).corpus(directory.path());
    let report = checker.check(|| philosophers(3, true));
    assert_eq!(report.search.executions, 200);
    assert!(
        report.findings.is_empty() && report.error.is_none(),
        "{report}"
    );
    let remarks = report.search.remarks.join("\n");
    for part in [
        "00.token was skipped",
        "01.token was skipped",
        "02.token was skipped",
        "2 more files of the corpus were skipped",
        "05.token does not fit the model any more",
    ] {
        assert!(remarks.contains(part), "no `{part}`: {remarks}");
    }
    assert!(!remarks.contains("notes.txt"));
    assert!(
        directory.path().join("00.token").exists(),
        "it may be of another version"
    );

    // A file where the directory should be.
    let report = fuzz(50)
        .corpus(directory.path().join("00.token"))
        .check(|| choosy(true));
    assert_eq!(report.search.executions, 50);
    assert!(
        report.search.remarks[0].contains("00.token"),
        "{:?}",
        report.search.remarks
    );
}

#[test]
fn errors_end_a_search_when_asked_to() {
    let run = |checker: Checker| {
        let report = checker
            .strategy(Strategy::Random)
            .executions_max(500)
            .check(|| {
                let case = gordian::choose(4);
                assert!(case != 1, "one");
                assert!(case != 2, "two");
            });
        (report.findings.len(), report.search.executions)
    };
    assert_eq!(run(Checker::new()), (2, 500));
    let (findings, executions) = run(Checker::new().errors_max(1));
    assert!(findings == 1 && executions < 500, "{executions}");
}
