//! The loom engine from outside: it agrees with the controlled one, and never aborts.
#![cfg(feature = "loom")]

use gordian::report::{Code, Engine, Verdict};
use gordian::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use gordian::sync::{Mutex, RawLock};
use gordian::{Checker, Ghost, Named, Report, thread};
use std::sync::Arc;
use std::time::Duration;

fn both(model: fn()) -> [Report; 2] {
    [Engine::Controlled, Engine::Loom].map(|engine| Checker::new().engine(engine).check(model))
}

#[track_caller]
fn agree(model: fn(), codes: &[Code]) {
    for report in both(model) {
        assert_eq!(report.error, None);
        let waits = [Code::Deadlock, Code::SelfDeadlock, Code::LostWakeup];
        let waits = waits.iter().any(|&code| report.has(code));
        // Loom cannot promise to have seen every order around a thread that waits for ever.
        let expected = report.search.engine == Engine::Controlled || !waits;
        assert_eq!(report.search.complete, expected, "{report}");
        assert_eq!(report.codes(), codes, "{report}");
    }
}

fn ab_ba() {
    let a = Arc::new(Mutex::new(()).named("a"));
    let b = Arc::new(Mutex::new(()).named("b"));
    let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
    let other = thread::spawn(move || {
        let _b = b2.lock();
        let _a = a2.lock();
    });
    {
        let _a = a.lock();
        let _b = b.lock();
    }
    other.join().unwrap();
}

#[test]
fn ab_ba_is_a_finding_not_an_abort() {
    agree(ab_ba, &[Code::Deadlock]);
    let [controlled, loom] = both(ab_ba);
    let (one, other) = (
        controlled.find(Code::Deadlock).unwrap(),
        loom.find(Code::Deadlock).unwrap(),
    );
    assert_eq!(one.fingerprint, other.fingerprint);
    assert_eq!(one.threads, other.threads);
    // What loom found is replayed by the controlled engine.
    let replayed = Checker::new()
        .replay(other.token.parse().unwrap())
        .check(ab_ba);
    replayed.assert_found(Code::Deadlock);
}

#[test]
fn counting_under_a_lock_is_clean() {
    agree(
        || {
            let count = Arc::new(Mutex::new(0));
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let count = Arc::clone(&count);
                    thread::spawn(move || *count.lock() += 1)
                })
                .collect();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            assert_eq!(*count.lock(), 2);
        },
        &[],
    );
}

#[test]
fn tries_and_choices_agree() {
    agree(
        || {
            let lock = Arc::new(Mutex::new(0));
            let its = Arc::clone(&lock);
            let other = thread::spawn(move || {
                if let Some(mut guard) = its.try_lock() {
                    *guard += 1;
                }
            });
            if gordian::any() {
                let mut guard = lock.lock();
                *guard += 1;
            }
            other.join().unwrap();
            assert!((0..=2).contains(&*lock.lock()));
        },
        &[],
    );
    agree(
        || assert_ne!((gordian::choose(3), gordian::choose(2)), (2, 1)),
        &[Code::Panic],
    );
}

#[test]
fn a_lost_update_is_found() {
    agree(
        || {
            let count = Arc::new(AtomicUsize::new(0));
            let its = Arc::clone(&count);
            let add = |count: &AtomicUsize| {
                let old = count.load(Ordering::SeqCst);
                count.store(old + 1, Ordering::SeqCst);
            };
            let other = thread::spawn(move || add(&its));
            add(&count);
            other.join().unwrap();
            assert_eq!(count.load(Ordering::SeqCst), 2, "lost update");
        },
        &[Code::Panic],
    );
}

#[test]
fn atomics_agree() {
    agree(
        || {
            let mut cells = [0_u8, 1];
            let [first, second] = cells.each_mut().map(std::ptr::from_mut);
            let shared = Arc::new((AtomicPtr::new(first), AtomicUsize::new(7)));
            let its = Arc::clone(&shared);
            let second = second.expose_provenance();
            let other = thread::spawn(move || {
                its.0.store(
                    std::ptr::with_exposed_provenance_mut(second),
                    Ordering::SeqCst,
                );
                its.1.fetch_add(1, Ordering::SeqCst);
            });
            let seen = shared.0.load(Ordering::SeqCst);
            assert!(seen == first || seen.addr() == second);
            let _ = shared
                .1
                .compare_exchange(7, 9, Ordering::SeqCst, Ordering::SeqCst);
            other.join().unwrap();
            assert!([8, 10].contains(&shared.1.load(Ordering::SeqCst)));
        },
        &[],
    );
}

#[test]
fn weak_memory_is_looms_alone() {
    let [controlled, loom] = both(|| {
        let shared = Arc::new((AtomicBool::new(false), AtomicBool::new(false)));
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || {
            its.0.store(true, Ordering::Relaxed);
            its.1.store(true, Ordering::Relaxed);
        });
        if shared.1.load(Ordering::Relaxed) {
            assert!(shared.0.load(Ordering::Relaxed), "stores seen out of order");
        }
        other.join().unwrap();
    });
    assert_eq!(controlled.verdict, Verdict::Clean);
    loom.assert_found(Code::Panic);
}

#[test]
fn misuse_and_parking_agree() {
    agree(
        || {
            let lock = Arc::new(RawLock::new().named("l"));
            lock.acquire();
            let its = Arc::clone(&lock);
            thread::spawn(move || assert!(its.release()))
                .join()
                .unwrap();
        },
        &[Code::ForeignRelease],
    );
    agree(
        || {
            let main = thread::current();
            let other = thread::spawn(move || main.unpark());
            thread::park();
            other.join().unwrap();
        },
        &[],
    );
    agree(thread::park, &[Code::LostWakeup]);
    agree(
        || {
            let lock = Mutex::new(()).named("l");
            let _one = lock.lock();
            gordian::slow("price");
            let _two = lock.lock();
        },
        &[Code::SelfDeadlock, Code::SlowUnderLock],
    );
}

#[test]
fn a_leaked_guard_and_who_waits_for_it() {
    agree(
        || {
            let lock = Arc::new(Mutex::new(()).named("l"));
            let its = Arc::clone(&lock);
            let other = thread::spawn(move || std::mem::forget(its.lock()));
            drop(lock.lock());
            other.join().unwrap();
        },
        &[Code::LostWakeup, Code::LeakedGuard],
    );
}

#[test]
fn timed_locks_agree() {
    agree(
        || {
            let a = Arc::new(Mutex::new(()).named("a"));
            let b = Arc::new(Mutex::new(()).named("b"));
            let (a2, b2) = (Arc::clone(&a), Arc::clone(&b));
            let other = thread::spawn(move || {
                let _b = b2.lock();
                let _a = a2.try_lock_for(Duration::from_secs(1));
            });
            {
                let _a = a.lock();
                let _b = b.lock();
            }
            other.join().unwrap();
        },
        &[Code::TimeoutOnly],
    );
}

#[test]
fn ghosts_and_invariants_agree() {
    agree(
        || {
            let state = Arc::new((Ghost::new(0), Ghost::new(0)));
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
        },
        &[Code::Panic],
    );
}

#[test]
fn too_many_threads_is_a_clear_error() {
    let report = Checker::new().engine(Engine::Loom).check(|| {
        let threads: Vec<_> = (0..5).map(|_| thread::spawn(|| {})).collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(report.verdict, Verdict::Error);
    let error = report.error.unwrap();
    assert!(
        error.contains("5 threads") && error.contains("controlled engine"),
        "{error}"
    );
}

#[test]
fn a_scope_under_loom() {
    agree(
        || {
            let count = Mutex::new(0);
            thread::scope(|scope| {
                scope.spawn(|| *count.lock() += 1);
                *count.lock() += 1;
            });
            assert_eq!(count.into_inner(), 2);
        },
        &[],
    );
}

/// A panic of a model prints nothing, whichever engine ran first in the process.
#[test]
fn panics_are_quiet_after_loom() {
    const VARIABLE: &str = "GORDIAN_TEST_QUIET";
    if std::env::var_os(VARIABLE).is_some() {
        for engine in [Engine::Loom, Engine::Controlled] {
            let report = Checker::new().engine(engine).check(|| panic!("on purpose"));
            report.assert_found(Code::Panic);
        }
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "panics_are_quiet_after_loom", "--nocapture"])
        .env(VARIABLE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Loom lets a thread that yields wait until another has run: of several yields in a row it does
/// not try all places, and here misses the deadlock. So such a search is not complete.
#[test]
fn a_search_with_yields_is_not_complete() {
    let model = |yields: usize, mine: usize| {
        move || {
            let a = Arc::new(Mutex::new(0));
            let b = Arc::new(Mutex::new(0));
            let (c, d) = (Arc::clone(&a), Arc::clone(&b));
            let other = thread::spawn(move || {
                (0..yields).for_each(|_| thread::yield_now());
                let _first = d.lock();
                let _second = c.lock();
            });
            (0..mine).for_each(|_| thread::yield_now());
            let first = a.lock();
            let second = b.lock();
            drop((first, second));
            other.join().unwrap();
        }
    };
    for (yields, mine) in [(1, 0), (5, 0), (0, 1), (0, 5), (5, 5)] {
        let report = Checker::new()
            .engine(Engine::Loom)
            .check(model(yields, mine));
        let reason = report.search.incomplete_reason.as_deref().unwrap_or("");
        assert!(reason.contains("yield_now"), "{yields}, {mine}: {report}");
        assert_ne!(report.verdict, Verdict::Clean, "{yields}, {mine}");
        // The controlled engine does.
        let report = Checker::new().check(model(yields, mine));
        report.assert_found(Code::Deadlock);
    }
}
