//! What decides in a model and is under nobody's control is told of, every time.
//!
//! Pairs: a model in which something uncontrolled decides, and the same one in which the environment
//! is asked instead. A coin that is tossed in each execution goes unseen once in 16 384 checks.

#![cfg(feature = "model")]

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(feature = "loom")]
use gordian::report::Engine;
use gordian::report::{Finding, Report, Verdict};
use gordian::sync::Mutex;
use gordian::{Checker, Code, Named, Strategy, thread};

/// How often each case is done.
const TIMES: usize = 50;

/// What decides.
type Toss = fn() -> bool;

/// In the order of the two locks, `a` first if the coin says so; another thread always takes `a`.
fn lock_both(a_first: bool) {
    let a = Arc::new(Mutex::new(0).named("a"));
    let b = Arc::new(Mutex::new(0).named("b"));
    let its = Arc::clone(&a);
    let other = thread::spawn(move || *its.lock() += 1);
    let (first, second) = if a_first { (&a, &b) } else { (&b, &a) };
    *first.lock() += 1;
    *second.lock() += 1;
    other.join().unwrap();
}

/// A bit of something that is different each time.
fn bit_of(number: u64) -> bool {
    RandomState::new().hash_one(number).is_multiple_of(2)
}

const TOSSES: &[(&str, Toss)] = &[
    ("a random number", || bit_of(1)),
    ("the order of a hash map", || {
        let map: HashMap<_, _> = [(1, ()), (2, ())].into();
        map.keys().next() == Some(&1)
    }),
    ("a clock", || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        bit_of(now.as_nanos() as u64)
    }),
    ("an address", || {
        // What is never freed is never at the same place again.
        let address = std::ptr::from_ref(Box::leak(Box::new([0_u8; 48]))).addr();
        (address / 64).is_multiple_of(2)
    }),
];

fn check(strategy: Strategy, model: impl Fn() + Send + Sync + 'static) -> Report {
    Checker::new()
        .strategy(strategy)
        .executions_max(100_000)
        .check(model)
}

#[track_caller]
fn the_finding(report: &Report, case: &str) -> Finding {
    assert_eq!(report.verdict, Verdict::Found, "{case}: {report}");
    assert!(!report.search.complete, "{case}: {report}");
    let found = report.findings.iter();
    let found: Vec<_> = found
        .filter(|finding| finding.code == Code::Nondeterminism)
        .collect();
    assert_eq!(found.len(), 1, "{case}: {report}");
    found[0].clone()
}

#[test]
fn what_is_tossed_in_each_execution_is_told_of() {
    for &(name, toss) in TOSSES {
        for strategy in [Strategy::Exhaustive, Strategy::Dfs, Strategy::Source] {
            for round in 0..TIMES {
                let case = format!("{name}, {strategy}, round {round}");
                let report = check(strategy, move || lock_both(toss()));
                let finding = the_finding(&report, &case);
                let message = &finding.message;
                assert!(message.starts_with("at step "), "{case}: {message}");
                // What was, and what is instead: two different things. Or else a step that does not
                // come, of an interleaving that another one promised.
                if let Some((before, now)) = message.split_once(" before, and now ") {
                    let before = before.rsplit_once("was about to ").map(|(_, what)| what);
                    assert!(!now.ends_with(before.expect(&case)), "{case}: {message}");
                } else {
                    assert!(
                        message.contains("in an equivalent interleaving"),
                        "{case}: {message}"
                    );
                }
                assert_eq!(finding.token, "", "it cannot be replayed");
                let notes = finding.notes.join("; ");
                assert!(notes.contains("explain nondeterminism"), "{case}: {notes}");
                assert!(notes.contains("HashMap"), "{case}: {notes}");
            }
        }
    }
}

#[test]
fn one_execution_is_enough_to_tell() {
    // No other thread: there is one interleaving, and it is run again.
    for &(name, toss) in TOSSES {
        for _ in 0..TIMES {
            let report = gordian::check(move || {
                let locks = [Mutex::new(0).named("a"), Mutex::new(0).named("b")];
                *locks[usize::from(toss())].lock() += 1;
            });
            let finding = the_finding(&report, name);
            assert!(
                finding.message.contains("`a`") && finding.message.contains("`b`"),
                "{}",
                finding.message
            );
        }
    }
}

#[test]
fn what_the_environment_decides_is_explored() {
    for strategy in [Strategy::Exhaustive, Strategy::Dfs, Strategy::Source] {
        let report = check(strategy, || lock_both(gordian::any::<bool>()));
        report.assert_clean();
    }
}

/// What the first execution leaves behind for the others.
#[test]
fn what_only_the_first_execution_does_is_told_of() {
    for round in 0..TIMES {
        static LOCK: Mutex<u32> = Mutex::new(0);
        for extra in [true, false] {
            // As in a cell of std's, which is filled for good: with a lock in the first execution, or
            // in all but that.
            let filled = AtomicBool::new(false);
            let report = gordian::check(move || {
                let first = !filled.swap(true, SeqCst);
                if first == extra {
                    *LOCK.lock() += 1;
                }
                let lock = Arc::new(Mutex::new(0));
                let its = Arc::clone(&lock);
                let other = thread::spawn(move || *its.lock() += 1);
                *lock.lock() += 1;
                other.join().unwrap();
            });
            the_finding(&report, &format!("{extra}, round {round}"));
        }
    }
}

/// The locks come in the order of their addresses, as in code that orders locks so.
#[test]
fn unnamed_locks_are_told_apart() {
    for _ in 0..TIMES {
        let report = gordian::check(|| {
            let locks: Arc<Vec<_>> = Arc::new((0..2).map(Mutex::new).collect());
            *locks[0].lock() += 1;
            *locks[usize::from(bit_of(2))].lock() += 1;
        });
        let finding = the_finding(&report, "unnamed");
        let message = &finding.message;
        assert!(
            message.contains("#1") || message.contains("nondeterminism.rs"),
            "{message}"
        );
    }
}

#[test]
fn a_value_that_differs_is_named() {
    use gordian::sync::atomic::AtomicU32;
    let count = AtomicUsize::new(0);
    let report = gordian::check(move || {
        let ticket = AtomicU32::new(count.fetch_add(1, SeqCst) as u32 / 8).named("ticket");
        let locks = [Mutex::new(0).named("a"), Mutex::new(0).named("b")];
        let mine = ticket.load(SeqCst);
        *locks[mine as usize % 2].lock() += 1;
    });
    let finding = the_finding(&report, "value");
    assert!(
        finding
            .message
            .contains("at step 1 `ticket` held 0 before, and now 1"),
        "{}",
        finding.message
    );
}

#[test]
fn a_sample_is_run_again_as_well() {
    for strategy in [Strategy::Random, Strategy::Pct, Strategy::Fuzz] {
        for _ in 0..TIMES / 5 {
            let checker = Checker::new().strategy(strategy).executions_max(20);
            let report = checker.check(|| lock_both(bit_of(3)));
            the_finding(&report, strategy.as_str());
        }
    }
}

#[test]
fn executions_that_are_run_again_do_not_count() {
    for (reruns, extra) in [(0, 0), (1, 1), (14, 14), (50, 50)] {
        let runs = Arc::new(AtomicUsize::new(0));
        let its = Arc::clone(&runs);
        let report = Checker::new().reruns(reruns).check(move || {
            its.fetch_add(1, SeqCst);
            lock_both(true);
        });
        report.assert_clean();
        assert_eq!(report.search.executions, 2);
        assert_eq!(runs.load(SeqCst), 2 + extra, "{reruns}");
    }
}

#[test]
fn without_reruns_one_execution_tells_nothing() {
    let report = Checker::new().reruns(0).check(|| {
        let locks = [Mutex::new(0), Mutex::new(0)];
        *locks[usize::from(bit_of(4))].lock() += 1;
    });
    report.assert_clean();
}

#[cfg(feature = "loom")]
#[test]
fn loom_runs_its_first_execution_again() {
    for _ in 0..TIMES {
        let report = Checker::new().engine(Engine::Loom).check(|| {
            let locks = [Mutex::new(0).named("a"), Mutex::new(0).named("b")];
            *locks[usize::from(bit_of(5))].lock() += 1;
        });
        the_finding(&report, "loom");
    }
    let report = Checker::new()
        .engine(Engine::Loom)
        .check(|| lock_both(true));
    report.assert_clean();
}
