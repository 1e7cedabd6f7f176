//! The controlled engine from outside: counts, findings, replay.
#![cfg(feature = "model")]

use gordian::report::{Code, Outcome, Strength, Verdict};
use gordian::sync::{Mutex, RawLock};
use gordian::{Checker, Named, Strategy, check, thread};
use std::sync::Arc;
use std::time::Duration;

/// `threads` threads take one lock `times` times each.
fn one_lock(threads: usize, times: usize) -> impl Fn() + Send + Sync + 'static {
    move || {
        let lock = Arc::new(Mutex::new(0));
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || (0..times).for_each(|_| *lock.lock() += 1))
            })
            .collect();
        handles
            .into_iter()
            .for_each(|handle| handle.join().unwrap());
        assert_eq!(*lock.lock(), threads * times);
    }
}

fn philosophers(n: usize, ordered: bool) -> impl Fn() + Send + Sync + 'static {
    move || {
        let forks: Vec<_> = (0..n)
            .map(|i| Arc::new(Mutex::new(()).named(format!("fork-{i}"))))
            .collect();
        let handles: Vec<_> = (0..n)
            .map(|i| {
                let (mut left, mut right) = (i, (i + 1) % n);
                if ordered && left > right {
                    std::mem::swap(&mut left, &mut right);
                }
                let (left, right) = (Arc::clone(&forks[left]), Arc::clone(&forks[right]));
                thread::spawn(move || {
                    let _left = left.lock();
                    let _right = right.lock();
                })
            })
            .collect();
        handles
            .into_iter()
            .for_each(|handle| handle.join().unwrap());
    }
}

#[test]
fn one_execution_per_order_of_one_lock() {
    for (threads, times, expected) in [(2, 1, 2), (2, 2, 6), (3, 1, 6), (3, 2, 90), (4, 1, 24)] {
        let report = check(one_lock(threads, times));
        report.assert_clean();
        assert_eq!(
            report.search.executions, expected,
            "{threads} threads, {times} times"
        );
        assert_eq!(report.search.executions_blocked, 0);
    }
}

#[test]
fn philosophers_deadlock_once() {
    for n in 2..=6 {
        let report = check(philosophers(n, false));
        assert_eq!(report.search.executions, (1 << n) - 1);
        assert_eq!(report.assert_found(Code::Deadlock).seen, 1);
        let report = check(philosophers(n, true));
        report.assert_clean();
        assert_eq!(report.search.executions, (1 << n) - 2);
    }
}

#[test]
fn source_sets_and_plain_enumeration_agree() {
    for strategy in [Strategy::Source, Strategy::Dfs] {
        let report = Checker::new()
            .strategy(strategy)
            .check(philosophers(2, false));
        assert!(report.search.complete);
        report.assert_found(Code::Deadlock);
    }
}

#[test]
fn a_deadlock_names_everything_and_replays() {
    let model = philosophers(2, false);
    let report = check(philosophers(2, false));
    let finding = report.assert_found(Code::Deadlock);
    assert_eq!(finding.threads, ["thread-1", "thread-2"]);
    assert_eq!(finding.objects, ["fork-0", "fork-1"]);
    assert_eq!(finding.edges.len(), 2);
    let edge = &finding.edges[0];
    assert!(edge.site.file.ends_with("tests/engine.rs"), "{edge:?}");
    let holder = edge.holder.as_ref().unwrap();
    assert_ne!(holder.site.as_ref().unwrap().line, edge.site.line);
    let blocked = finding
        .steps
        .iter()
        .filter(|step| step.outcome == Outcome::Blocked);
    assert_eq!(
        blocked.count(),
        3,
        "two philosophers, and main that joins one: {finding:#?}"
    );
    let again = Checker::new()
        .replay(finding.token.parse().unwrap())
        .check(model);
    let replayed = again.assert_found(Code::Deadlock);
    assert_eq!(replayed.fingerprint, finding.fingerprint);
    assert_eq!(replayed.steps, finding.steps);
    assert_eq!(again.search.executions, 1);
}

#[test]
fn every_random_strategy_finds_the_deadlock() {
    for &(strategy, name) in Strategy::ALL {
        if strategy.is_systematic() {
            continue;
        }
        let checker = Checker::new().strategy(strategy).executions_max(500);
        let report = checker.check(philosophers(3, false));
        assert!(report.has(Code::Deadlock), "{name}");
        assert_eq!(report.search.executions, 500);
    }
}

#[test]
fn releases_are_watched() {
    let report = check(|| {
        let lock = RawLock::new().named("l");
        assert!(!lock.release());
    });
    report.assert_found(Code::DoubleRelease);
    let report = check(|| {
        let lock = Arc::new(RawLock::new().named("l"));
        lock.acquire();
        let its = Arc::clone(&lock);
        thread::spawn(move || assert!(its.release()))
            .join()
            .unwrap();
        assert!(!lock.locked());
    });
    report.assert_found(Code::ForeignRelease);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn a_panic_is_a_finding_and_the_join_sees_it() {
    let report = check(|| {
        let handle = thread::spawn(|| panic!("oh dear"));
        assert!(handle.join().is_err());
    });
    let finding = report.assert_found(Code::Panic);
    assert!(finding.message.contains("oh dear"), "{}", finding.message);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn choices_are_explored() {
    let report = check(|| {
        let choice = gordian::choose(3);
        assert_ne!((choice, gordian::any::<bool>()), (2, true));
    });
    assert_eq!(report.search.executions, 6);
    report.assert_found(Code::Panic);
}

#[test]
fn slow_calls_under_a_lock() {
    let report = check(|| {
        let lock = Mutex::new(()).named("l");
        gordian::slow("fine");
        let _guard = lock.lock();
        gordian::slow("price");
    });
    let finding = report.assert_found(Code::SlowUnderLock);
    assert_eq!(
        finding.message,
        "`main` makes the slow call `price` while it holds `l`"
    );
}

#[test]
fn a_scope_joins_even_in_a_deadlock() {
    let report = check(|| {
        let a = Mutex::new(());
        let b = Mutex::new(());
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock();
                let _b = b.lock();
            });
            scope.spawn(|| {
                let _b = b.lock();
                let _a = a.lock();
            });
        });
    });
    assert_eq!(report.search.executions, 3);
    report.assert_found(Code::Deadlock);
}

#[test]
fn self_deadlock_and_leak() {
    let report = check(|| {
        let lock = Mutex::new(()).named("l");
        let _one = lock.lock();
        let _two = lock.lock();
    });
    report.assert_found(Code::SelfDeadlock);
    let report = check(|| {
        let lock = Mutex::new(());
        std::mem::forget(lock.lock());
    });
    report.assert_found(Code::LeakedGuard);
}

#[test]
fn invariants_see_every_intermediate_state() {
    // x and y are never both 1, but only in one order of the two independent stores and resets.
    let report = check(|| {
        let state = Arc::new((gordian::Ghost::new(0), gordian::Ghost::new(0)));
        let its = Arc::clone(&state);
        gordian::invariant("not both", move || {
            its.0.read(|x| *x) + its.1.read(|y| *y) < 2
        });
        let its = Arc::clone(&state);
        let thread = thread::spawn(move || {
            its.0.write(|x| *x = 1);
            its.0.write(|x| *x = 0);
        });
        state.1.write(|y| *y = 1);
        state.1.write(|y| *y = 0);
        thread.join().unwrap();
    });
    let finding = report.assert_found(Code::Panic);
    assert!(
        finding.message.contains("`not both`"),
        "{}",
        finding.message
    );
}

#[test]
fn park_and_unpark() {
    let report = check(|| {
        let main = thread::current();
        let thread = thread::spawn(move || main.unpark());
        thread::park();
        thread.join().unwrap();
    });
    report.assert_clean();
    let report = check(thread::park);
    report.assert_found(Code::LostWakeup);
}

#[test]
fn bounds_make_a_search_incomplete_and_it_does_not_pass() {
    let bounded = [
        ("executions_max", Checker::new().executions_max(10)),
        ("time_max", Checker::new().time_max(Duration::ZERO)),
        ("steps_max", Checker::new().steps_max(12)),
    ];
    for (name, checker) in bounded {
        let report = checker.check(one_lock(3, 2));
        assert_eq!(report.verdict, Verdict::Incomplete, "{name}");
        assert!(!report.passed() && !report.search.complete, "{name}");
        let reason = report.search.incomplete_reason.as_ref().unwrap();
        assert!(reason.contains(name), "{name}: {reason}");
    }
    let report = Checker::new().executions_max(45).check(one_lock(3, 2));
    let estimate = report.search.executions_estimate.unwrap();
    assert!((45.0..1_000.0).contains(&estimate), "{estimate} of 90");
}

#[test]
fn time_is_up_inside_an_execution_too() {
    let checker = Checker::new()
        .steps_max(u32::MAX)
        .time_max(Duration::from_millis(50));
    let report = checker.check(|| {
        let lock = Mutex::new(());
        loop {
            drop(lock.lock());
        }
    });
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_eq!(report.search.executions, 1);
}

#[test]
fn few_preemptions_are_a_bounded_search() {
    let mut last = 0;
    for preemptions in 0..3 {
        let report = Checker::new()
            .preemptions_max(preemptions)
            .check(one_lock(2, 2));
        report.assert_clean();
        let bounded = Strength::Bounded {
            preemptions_max: preemptions,
        };
        assert_eq!(report.search.strength, bounded);
        assert!(
            report.search.executions > last,
            "more preemptions, more interleavings"
        );
        last = report.search.executions;
    }
    // AB-BA needs one.
    let deadlocks = |preemptions| {
        let checker = Checker::new().preemptions_max(preemptions);
        checker.check(philosophers(2, false)).has(Code::Deadlock)
    };
    assert_eq!([deadlocks(0), deadlocks(1)], [false, true]);
}

/// Locks in its destructor, as a pooled connection does.
struct Returns(Arc<Mutex<i32>>);

impl Drop for Returns {
    fn drop(&mut self) {
        *self.0.lock() += 1;
    }
}

#[test]
fn destructors_that_lock_are_run_when_a_deadlock_is_unwound() {
    // The one that is unwound first wants, in a destructor, what the other one holds.
    let report = check(|| {
        let pool = Arc::new(Mutex::new(0).named("pool"));
        let item = Arc::new(Mutex::new(0).named("item"));
        let (its_pool, its_item) = (Arc::clone(&pool), Arc::clone(&item));
        let other = thread::spawn(move || {
            let _item = its_item.lock();
            let _returns = Returns(Arc::clone(&its_pool));
            let _pool = its_pool.lock();
        });
        {
            let _pool = pool.lock();
            let _item = item.lock();
        }
        other.join().unwrap();
    });
    assert_eq!(report.error, None);
    assert!(report.search.complete);
    report.assert_found(Code::Deadlock);
}

#[test]
fn a_destructor_that_can_never_lock_is_left_behind() {
    let report = check(|| {
        let lock = Arc::new(Mutex::new(0).named("l"));
        let _guard = lock.lock();
        let _returns = Returns(Arc::clone(&lock));
    });
    report.assert_found(Code::SelfDeadlock);
    assert!(report.search.complete);
}

#[test]
fn a_destructor_may_lock_while_a_panic_unwinds() {
    let report = check(|| {
        let lock = Arc::new(Mutex::new(0));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || {
            let _returns = Returns(its);
            panic!("oh dear");
        });
        *lock.lock() += 1;
        assert!(other.join().is_err() && !thread::panicking());
        assert_eq!(*lock.lock(), 2);
    });
    assert_eq!(report.codes(), [Code::Panic], "{report}");
    assert_eq!(report.search.executions, 2);
}

#[test]
fn names_and_places_are_in_a_report() {
    let report = check(|| {
        let lock = Arc::new(Mutex::new(()));
        let its = Arc::clone(&lock);
        let worker = thread::Builder::new().name("worker".to_owned());
        worker
            .spawn(move || std::mem::forget(its.lock()))
            .unwrap()
            .join()
            .unwrap();
    });
    let finding = report.assert_found(Code::LeakedGuard);
    assert_eq!(finding.threads, ["worker"]);
    assert!(
        finding.objects[0].starts_with("mutex@engine.rs:"),
        "{:?}",
        finding.objects
    );
    assert_eq!(finding.fingerprint.len(), 16);
}

#[test]
fn a_report_survives_serde() {
    let report = check(philosophers(2, false));
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<gordian::Report>(&json).unwrap(),
        report
    );
}
