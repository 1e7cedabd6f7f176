//! The kernels: real bugs and their fixes, each with its answer in its file.
//!
//! Each is checked to the end: the findings must be those that the file expects, and where it says
//! how many executions there are, that must be their number. The directory is part of the default
//! test run, so it has to be fast: it runs on two threads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use gordian::report::{Code, Engine, Severity};
use gordian::scenario::ast::{Expect, Scenario};
use gordian::scenario::{CheckReport, Options, check, parse};
use gordian_oracle::{Answer, Limits};

/// Threads that check kernels.
const WORKERS: usize = 2;

/// Kernels that there are at least; an empty directory proves nothing.
const KERNELS_MIN: usize = 373;

fn kernels() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/kernels");
    let entries = std::fs::read_dir(&directory).expect("the kernels are there");
    let paths = entries.map(|entry| entry.expect("an entry of the directory").path());
    let is_kernel = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "gordian");
    let mut kernels: Vec<PathBuf> = paths.filter(is_kernel).collect();
    kernels.sort();
    kernels
}

/// Checks one kernel; what is wrong with the answer, if anything.
fn wrong(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let source = std::fs::read_to_string(path).expect("a kernel is text");
    let scenario = match parse(&source) {
        Ok(scenario) => scenario.into(),
        Err(error) => return Some(format!("{name}: {error}")),
    };
    let checked = check(&scenario, &name, &source, &Options::default());
    let right = checked.expected == Some(true) && checked.is_complete();
    if !right {
        return Some(format!("{name}: {}", told(&checked)));
    }
    let answer = gordian_oracle::search(&scenario, &Limits::default());
    disagreement(&checked, &answer).map(|what| format!("{name}: {what}; {}", told(&checked)))
}

/// Where the two searches do not say the same, which share no code.
fn disagreement(checked: &CheckReport, answer: &Answer) -> Option<String> {
    if !answer.complete {
        return Some(format!("the oracle: {:?}", answer.incomplete_reason));
    }
    let mine: BTreeSet<Code> = checked.report.codes().into_iter().collect();
    let theirs: BTreeSet<Code> = answer.codes.union(&answer.hazards).copied().collect();
    for class in [STUCK, MISUSE] {
        let has = |codes: &BTreeSet<Code>| class.iter().any(|code| codes.contains(code));
        if has(&mine) != has(&theirs) {
            return Some(format!("{mine:?} here, {theirs:?} there"));
        }
    }
    if checked.endless != answer.endless {
        return Some(format!(
            "endless: {} here, {} there",
            checked.endless, answer.endless
        ));
    }
    let ends = (&checked.terminals, &answer.terminal);
    (ends.0 != ends.1).then(|| {
        let missing = ends.1.difference(ends.0).next();
        let surplus = ends.0.difference(ends.1).next();
        format!(
            "{} ends, not {}: {missing:?}, {surplus:?}",
            ends.0.len(),
            ends.1.len()
        )
    })
}

const STUCK: [Code; 3] = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];

const MISUSE: [Code; 3] = [Code::Panic, Code::DoubleRelease, Code::ForeignRelease];

fn told(checked: &CheckReport) -> String {
    let report = &checked.report;
    let findings: Vec<&str> = report
        .findings
        .iter()
        .map(|its| its.message.as_str())
        .collect();
    format!(
        "expected {:?}, {:?} by {}, {} executions, complete {} ({:?}); {findings:?} {:?}",
        checked.expected,
        report.verdict,
        report.search.strategy,
        report.search.executions,
        report.search.complete,
        report.search.incomplete_reason,
        report.error,
    )
}

/// Checks the kernels, those that `KERNEL` is part of the names of if that is set; none of them may
/// be wrong.
fn check_all(wrong: impl Fn(&Path) -> Option<String> + Sync) {
    let kernels = kernels();
    assert!(kernels.len() >= KERNELS_MIN, "{} kernels", kernels.len());
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let only = std::env::var("KERNEL").ok();
    let is_meant = |path: &Path| {
        let name = path.to_string_lossy();
        only.as_ref()
            .is_none_or(|only| name.contains(only.as_str()))
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(path) = kernels.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if is_meant(path)
                        && let Some(what) = wrong(path)
                    {
                        failures.lock().expect("no worker panics").push(what);
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no worker panics");
    failures.sort();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_kernel_has_the_answer_that_its_file_expects() {
    check_all(wrong);
}

/// What loom may take for one kernel: many have more interleavings than it can do, or more threads.
const LOOM_TIME_MAX: Duration = Duration::from_millis(100);

/// Kernels that loom answers at least, on a slow machine.
const LOOM_ANSWERS_MIN: usize = 100;

#[test]
fn loom_does_not_contradict() {
    let answers = AtomicUsize::new(0);
    check_all(|path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let source = std::fs::read_to_string(path).expect("a kernel is text");
        let scenario: Arc<Scenario> = parse(&source).expect("a scenario").into();
        let options = Options::default()
            .engine(Engine::Loom)
            .time_max(LOOM_TIME_MAX);
        let checked = check(&scenario, &name, &source, &options);
        // It cannot tell how many traces there are, and never is complete when it finds something.
        let found = checked.report.findings.iter();
        let errors: Vec<Code> = found
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.code)
            .collect();
        let is_answer = checked.is_complete() || !errors.is_empty();
        answers.fetch_add(usize::from(is_answer), Ordering::Relaxed);
        let expects_clean = scenario.expect == Some(Expect::Clean);
        let contradicts = is_answer && expects_clean != errors.is_empty();
        contradicts.then(|| format!("{name}: {errors:?}"))
    });
    let answers = answers.into_inner();
    if std::env::var_os("KERNEL").is_none() {
        assert!(answers >= LOOM_ANSWERS_MIN, "only {answers} answers");
    }
}
