//! Executions that do not end well leave nothing behind: neither memory nor words on stderr.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use gordian::report::Code;
use gordian::scenario::{self, Options};
use gordian::sync::Mutex;
use gordian::{Checker, Strategy, thread};
use model_tests::child;
use model_tests::files::File;

const TIME_MAX: Duration = Duration::from_secs(300);
/// Executions after which all that is allocated once has been allocated.
const WARM_UP: u64 = 5_000;
const GROWTH_BYTES_MAX: u64 = 2 << 20;

/// Philosophers who starve in many interleavings.
fn dine(seats: usize) {
    let forks: Arc<[_]> = (0..seats).map(|_| Mutex::new(0)).collect();
    let philosophers = (0..seats).map(|seat| {
        let forks = Arc::clone(&forks);
        thread::spawn(move || {
            let mut left = forks[seat].lock();
            let mut right = forks[(seat + 1) % seats].lock();
            *left += 1;
            *right += 1;
        })
    });
    for philosopher in philosophers.collect::<Vec<_>>() {
        philosopher.join().unwrap();
    }
}

/// Resident memory of this process; only Linux tells.
fn resident_bytes() -> Option<u64> {
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm
        .split(' ')
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|pages| pages * PAGE_BYTES)
}

/// Runs `model` so many times under `checker`, and panics if memory grows after the warm-up.
fn grows_not(checker: Checker, executions: u64, model: fn()) -> gordian::Report {
    let runs = Arc::new(AtomicU64::new(0));
    let before = Arc::new(AtomicU64::new(0));
    let (inner_runs, inner_before) = (Arc::clone(&runs), Arc::clone(&before));
    let report = checker.executions_max(executions).check(move || {
        if inner_runs.fetch_add(1, Ordering::Relaxed) == WARM_UP {
            inner_before.store(resident_bytes().unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        model();
    });
    assert!(runs.load(Ordering::Relaxed) >= executions, "{report}");
    let before = before.load(Ordering::Relaxed);
    let after = resident_bytes().unwrap_or(0);
    assert!(
        after <= before.saturating_add(GROWTH_BYTES_MAX),
        "resident memory grew from {before} to {after} bytes over {executions} executions"
    );
    report
}

#[test]
#[ignore = "runs in a process of its own"]
fn deadlocking_executions() {
    const EXECUTIONS: u64 = 100_000;
    if !child::is_for("deadlocking_executions") {
        return;
    }
    // The share of deadlocks is what this strategy is for: nearly all of them.
    let checker = Checker::new().strategy(Strategy::HoldAndWait);
    let report = grows_not(checker, 2 * EXECUTIONS, || dine(3));
    let seen = report.assert_found(Code::Deadlock).seen;
    assert!(seen >= EXECUTIONS, "only {seen} executions deadlocked");
}

#[test]
#[ignore = "runs in a process of its own"]
fn executions_cut_off() {
    const EXECUTIONS: u64 = 20_000;
    if !child::is_for("executions_cut_off") {
        return;
    }
    let checker = Checker::new().strategy(Strategy::Random).steps_max(9);
    let report = grows_not(checker, EXECUTIONS, || dine(3));
    assert!(report.search.executions_capped > EXECUTIONS / 2, "{report}");
}

#[test]
#[ignore = "runs in a process of its own"]
fn panicking_executions() {
    const EXECUTIONS: u64 = 20_000;
    if !child::is_for("panicking_executions") {
        return;
    }
    let checker = Checker::new().strategy(Strategy::Random);
    let report = grows_not(checker, EXECUTIONS, || {
        let lock = Arc::new(Mutex::new(0));
        let other = Arc::clone(&lock);
        let thread = thread::spawn(move || {
            let guard = other.lock();
            assert_eq!(*guard, 1, "the main thread was not first");
        });
        *lock.lock() += 1;
        let _ = thread.join();
    });
    let seen = report.assert_found(Code::Panic).seen;
    assert!(seen > EXECUTIONS / 10, "only {seen} executions panicked");
}

/// A fuzzer checks one program after the other in one process. `MODEL_TESTS_PROGRAMS` says how many.
#[test]
#[ignore = "runs in a process of its own"]
fn one_scenario_after_the_other() {
    const PROGRAMS: u64 = 10_000;
    if !child::is_for("one_scenario_after_the_other") {
        return;
    }
    let programs = std::env::var("MODEL_TESTS_PROGRAMS")
        .map_or(PROGRAMS, |text| text.parse().expect("a number of programs"));
    let (mut before, mut found) = (u64::MAX, 0);
    let mut random = 1_u64;
    for number in 0..WARM_UP + programs {
        if number == WARM_UP {
            before = resident_bytes().unwrap_or(u64::MAX);
        }
        let bytes: [u8; 96] = std::array::from_fn(|_| {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            (random >> 56) as u8
        });
        let file = File::arbitrary(&mut Unstructured::new(&bytes)).expect("any bytes are a file");
        let source = file.source();
        let parsed = Arc::new(scenario::parse(&source).expect("a made file is a scenario"));
        let options = Options::default().executions_max(2);
        let checked = scenario::check(&parsed, "made.gordian", &source, &options);
        found += u64::from(!checked.report.findings.is_empty());
    }
    assert!(found > programs / 20, "only {found} had findings");
    let after = resident_bytes().unwrap_or(0);
    assert!(
        after <= before.saturating_add(GROWTH_BYTES_MAX),
        "resident memory grew from {before} to {after} bytes over {programs} programs"
    );
}

#[test]
fn nothing_is_left_behind() {
    for name in [
        "one_scenario_after_the_other",
        "deadlocking_executions",
        "executions_cut_off",
        "panicking_executions",
    ] {
        let ended = child::run(name, TIME_MAX);
        assert!(ended.success && !ended.killed, "{name}: {ended:#?}");
        assert!(
            ended.stdout.contains("1 passed"),
            "{name} did not run: {ended:#?}"
        );
        assert_eq!(ended.stderr, "", "{name} wrote to stderr");
    }
}
