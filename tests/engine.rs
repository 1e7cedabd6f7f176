//! The controlled engine from outside: counts, findings, replay.
#![cfg(feature = "model")]

use gordian::report::{Code, Outcome};
use gordian::sync::{Mutex, RawLock};
use gordian::{Checker, Named, Strategy, check, thread};
use std::sync::Arc;

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
