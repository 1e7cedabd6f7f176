//! What loom and shuttle miss, or report where nothing is wrong. Each is a pair: a broken program
//! whose defect is found, and a fixed one that is clean, on both engines.
#![cfg(feature = "model")]

use gordian::report::{Code, Engine, Severity, Verdict};
use gordian::sync::atomic::{AtomicUsize, Ordering};
use gordian::sync::{Condvar, CondvarOptions, Mutex, RwLock, RwLockOptions};
use gordian::{Checker, Named, Report, check, thread};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(1);

const ENGINES: &[Engine] = &[
    Engine::Controlled,
    #[cfg(feature = "loom")]
    Engine::Loom,
];

/// Checks on each engine; condvars keep parking_lot's promise, so that nothing but what the program
/// does is found. What is more than loom can go through in a minute it checks with 2 preemptions.
fn on_each(model: fn(), is_big: bool) -> impl Iterator<Item = Report> {
    ENGINES.iter().map(move |&engine| {
        let mut checker = Checker::new().engine(engine).spurious_max(0);
        if is_big && engine == Engine::Loom {
            checker = checker.preemptions_max(2);
        }
        let report = checker.check(model);
        assert_eq!(report.error, None, "{engine:?}");
        report
    })
}

/// The codes of what is wrong; hazards are not.
fn errors(report: &Report) -> Vec<Code> {
    let errors = report
        .findings
        .iter()
        .filter(|it| it.severity == Severity::Error);
    let mut codes: Vec<_> = errors.map(|finding| finding.code).collect();
    codes.dedup();
    codes
}

#[track_caller]
fn check_pair(broken: fn(), finds: &[Code], fixed: fn(), is_big: bool) {
    for report in on_each(broken, is_big) {
        assert_eq!(errors(&report), finds, "{report}");
        assert_eq!(report.verdict, Verdict::Found, "{report}");
    }
    for report in on_each(fixed, is_big) {
        report.assert_clean();
    }
}

#[track_caller]
fn pair(broken: fn(), finds: &[Code], fixed: fn()) {
    check_pair(broken, finds, fixed, false);
}

/// loom and shuttle let a reader in while a writer waits, so they never see this one.
#[test]
fn a_reader_behind_a_waiting_writer_deadlocks() {
    fn read_twice(lock: RwLock<u8>, again: fn(&RwLock<u8>) -> u8) {
        let lock = Arc::new(lock.named("prices"));
        let its = Arc::clone(&lock);
        let writer = thread::spawn(move || *its.write() = 1);
        {
            let one = lock.read();
            assert_eq!(*one, again(&lock));
        }
        writer.join().unwrap();
    }
    pair(
        || read_twice(RwLock::new(0), |lock| *lock.read()),
        &[Code::Deadlock],
        || read_twice(RwLock::new(0), |lock| *lock.read_recursive()),
    );
    pair(
        || read_twice(RwLock::new(0).fifo(), |lock| *lock.read()),
        &[Code::Deadlock],
        || read_twice(RwLock::new(0).reader_preferring(), |lock| *lock.read()),
    );
}

/// shuttle reports a second read by one thread as a deadlock, whoever waits.
#[test]
fn reading_twice_with_no_writer_is_no_deadlock() {
    fn with(other: fn(&RwLock<u8>)) {
        let lock = Arc::new(RwLock::new(0));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || other(&its));
        {
            let (one, two) = (lock.read(), lock.read());
            assert_eq!(*one, *two);
        }
        other.join().unwrap();
    }
    pair(
        || with(|lock| *lock.write() = 0),
        &[Code::Deadlock],
        || with(|lock| assert_eq!(*lock.read(), 0)),
    );
}

/// In both no time-out ever fires: a thread that waits for a time is said to wait for ever.
#[test]
fn a_lone_timed_wait_is_no_deadlock() {
    fn wait(how: fn(&Condvar, &Mutex<()>)) {
        let (lock, changed) = (Mutex::new(()), Condvar::new().named("changed"));
        how(&changed, &lock);
    }
    pair(
        || wait(|changed, lock| changed.wait(&mut lock.lock())),
        &[Code::LostWakeup],
        || wait(|changed, lock| assert!(changed.wait_for(&mut lock.lock(), SOON).timed_out())),
    );
}

/// In both no time-out ever fires: what happens after one is never seen.
#[test]
fn time_outs_fire() {
    fn take_in_time(otherwise: fn()) {
        let lock = Arc::new(Mutex::new(()));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || drop(its.lock()));
        if lock.try_lock_for(SOON).is_none() {
            otherwise();
        }
        other.join().unwrap();
    }
    pair(
        || take_in_time(|| panic!("it took too long")),
        &[Code::Panic],
        || take_in_time(|| {}),
    );
}

/// loom's condition variable shares the thread's token: any `unpark` ends a wait (its issue 422).
#[test]
fn an_unrelated_unpark_does_not_end_a_wait() {
    fn wake(how: fn(&thread::Thread, &Condvar)) {
        let shared = Arc::new((Mutex::new(false), Condvar::new().named("changed")));
        let its = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            let mut ready = its.0.lock();
            if !*ready {
                its.1.wait(&mut ready);
            }
        });
        *shared.0.lock() = true;
        how(waiter.thread(), &shared.1);
        waiter.join().unwrap();
    }
    pair(
        || wake(|waiter, _| waiter.unpark()),
        &[Code::LostWakeup],
        || {
            wake(|_, changed| {
                changed.notify_one();
            });
        },
    );
}

/// loom wakes whoever has waited longest; any of them may be the one.
#[test]
fn notify_one_may_wake_the_later_waiter() {
    fn two_wait(changed: Condvar) {
        let shared = Arc::new((Mutex::new((0, 0)), changed.named("changed")));
        let waiters = [0, 1].map(|_| {
            let its = Arc::clone(&shared);
            thread::spawn(move || {
                let mut state = its.0.lock();
                let ticket = state.0;
                state.0 += 1;
                its.1.wait(&mut state);
                assert_eq!(state.1, ticket, "out of turn");
                state.1 += 1;
            })
        });
        // Once both wait, one is woken after the other; executions in which they do not yet are
        // not to the point.
        for turn in 0..2 {
            if *shared.0.lock() != (2, turn) {
                return;
            }
            shared.1.notify_one();
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
    }
    let broken = Checker::new()
        .spurious_max(0)
        .check(|| two_wait(Condvar::new()));
    broken.assert_found(Code::Panic);
    let fixed = Checker::new()
        .spurious_max(0)
        .check(|| two_wait(Condvar::new().fifo()));
    assert!(!fixed.has(Code::Panic), "{fixed}");
}

/// The wrong waiter is woken, and goes to sleep again with the notice that was not for it.
#[test]
fn a_notice_may_reach_the_wrong_waiter() {
    fn hand_out(notify: fn(&Condvar)) {
        let shared = Arc::new((Mutex::new(0), Condvar::new().named("changed")));
        let waiters = [1, 2].map(|wants| {
            let its = Arc::clone(&shared);
            thread::spawn(move || {
                its.1
                    .wait_while(&mut its.0.lock(), |number| *number < wants);
            })
        });
        for _ in 0..2 {
            *shared.0.lock() += 1;
            notify(&shared.1);
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
    }
    check_pair(
        || {
            hand_out(|changed| {
                changed.notify_one();
            });
        },
        &[Code::LostWakeup],
        || {
            hand_out(|changed| {
                changed.notify_all();
            });
        },
        true,
    );
}

/// shuttle's `try_read` under an own read guard leaks a permit: the writer waits for ever.
#[test]
fn a_try_read_under_a_read_guard_leaks_nothing() {
    fn read_twice(second: fn(&RwLock<u8>)) {
        let lock = Arc::new(RwLock::new(0).named("prices"));
        {
            let _one = lock.read();
            second(&lock);
        }
        let its = Arc::clone(&lock);
        let writer = thread::spawn(move || *its.write() = 1);
        writer.join().unwrap();
    }
    let broken: fn() = || read_twice(|lock| std::mem::forget(lock.try_read()));
    for report in on_each(broken, false) {
        assert_eq!(report.verdict, Verdict::Found, "{report}");
    }
    for report in on_each(
        || read_twice(|lock| assert!(lock.try_read().is_some())),
        false,
    ) {
        report.assert_clean();
    }
}

/// shuttle sees a deadlock only when nobody can run any more (its issue 67).
#[test]
fn a_partial_deadlock_is_found_beside_a_thread_that_runs() {
    fn beside(second_first: bool) {
        let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
        let running = Arc::new(AtomicUsize::new(0));
        for swapped in [false, second_first] {
            let its = Arc::clone(&locks);
            thread::spawn(move || {
                let (first, second) = match swapped {
                    false => (&its.0, &its.1),
                    true => (&its.1, &its.0),
                };
                let _first = first.lock();
                let _second = second.lock();
            });
        }
        for _ in 0..5 {
            running.fetch_add(1, Ordering::SeqCst);
        }
        assert_eq!(running.load(Ordering::SeqCst), 5, "it has got to its end");
    }
    pair(|| beside(true), &[Code::Deadlock], || beside(false));
}

/// loom's `try_lock` can wait, and then a deadlock is reported that is none (its issue 376).
#[test]
fn a_try_lock_is_no_deadlock() {
    fn against_the_order(take: fn(&Mutex<()>)) {
        let locks = Arc::new((Mutex::new(()).named("a"), Mutex::new(()).named("b")));
        let its = Arc::clone(&locks);
        let other = thread::spawn(move || {
            let _b = its.1.lock();
            take(&its.0);
        });
        {
            let _a = locks.0.lock();
            let _b = locks.1.lock();
        }
        other.join().unwrap();
    }
    pair(
        || against_the_order(|lock| drop(lock.lock())),
        &[Code::Deadlock],
        || against_the_order(|lock| drop(lock.try_lock())),
    );
}

/// loom aborts the process when a deadlock is met with one of its `Arc`s alive (its issue 291).
#[test]
fn a_deadlock_is_a_finding_and_nothing_is_leaked() {
    struct Counts(Arc<std::sync::atomic::AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let alive = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for &engine in ENGINES {
        let count = Arc::clone(&alive);
        let report = Checker::new().engine(engine).check(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let kept = Arc::new((Mutex::new(()), Counts(Arc::clone(&count))));
            let its = Arc::clone(&kept);
            let other = thread::spawn(move || {
                let _one = its.0.lock();
                let _two = its.0.lock();
            });
            other.join().unwrap();
        });
        report.assert_found(Code::SelfDeadlock);
        let left = alive.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(left, 0, "every stack was unwound");
    }
}

/// loom allows 5 threads.
#[test]
fn seven_threads_are_no_problem() {
    fn seven(wait: bool) {
        let count = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..6)
            .map(|_| {
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    if wait {
                        thread::park();
                    }
                    drop(count);
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(Arc::strong_count(&count), 1);
    }
    check(|| seven(true)).assert_found(Code::LostWakeup);
    let fixed = check(|| seven(false));
    fixed.assert_clean();
    assert_eq!(fixed.search.threads, 7);
}
