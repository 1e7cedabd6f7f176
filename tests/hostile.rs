//! Whatever a model does when its execution has ended, its check ends with a report, and nothing
//! that happens then is held against the model.
//!
//! A table: what a thread has on its stack (a destructor that panics, starts threads, locks, spins,
//! waits …) by what ends the execution, by engine and by what is done with the threads that are left.

#![cfg(feature = "model")]

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use gordian::report::{Engine, Report, Verdict};
use gordian::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use gordian::sync::{Condvar, Mutex, RwLock, mpsc};
use gordian::{Checker, Code, Leftover, Strategy, std_sync, thread};

/// What all threads of a model share.
#[derive(Default)]
struct Shared {
    a: Mutex<u32>,
    b: Mutex<u32>,
    poisonable: std_sync::Mutex<u32>,
    rw: RwLock<u32>,
    changed: Condvar,
    never: AtomicBool,
    count: AtomicU32,
}

/// What a destructor does, unless its thread has come to its end as it should.
type Act = fn(&Shared);

/// Lies on a thread's stack.
struct Hostile {
    act: Act,
    shared: Arc<Shared>,
    done: bool,
}

impl Hostile {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        if !self.done {
            (self.act)(&self.shared);
        }
    }
}

const DESTRUCTORS: &[(&str, Act)] = &[
    ("nothing", |_| {}),
    ("panics", |_| panic!("a destructor that panics")),
    ("unreachable", |_| unreachable!()),
    ("catches its own panic", |_| {
        assert!(catch_unwind(|| panic!("caught")).is_err());
    }),
    ("starts a thread", |_| {
        thread::spawn(|| {});
    }),
    ("starts and joins", |_| {
        let _ = thread::spawn(|| 1).join();
    }),
    ("starts one that waits", |_| {
        thread::spawn(|| {
            let (_sender, receiver) = mpsc::channel::<u8>();
            let _ = receiver.recv();
        });
    }),
    ("starts one like itself", starts_one_like_itself),
    ("scope", |shared| {
        thread::scope(|scope| {
            scope.spawn(|| *shared.a.lock() += 1);
        });
    }),
    ("locks", |shared| *shared.a.lock() += 1),
    ("locks both", |shared| {
        let _a = shared.a.lock();
        let _b = shared.b.lock();
    }),
    ("locks and unwraps", |shared| {
        *shared.poisonable.lock().unwrap() += 1
    }),
    ("locks for ever", |shared| {
        mem::forget(shared.a.lock());
        let _again = shared.a.lock();
    }),
    ("writes", |shared| *shared.rw.write() += 1),
    ("spins", |shared| {
        while !shared.never.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }),
    ("spins without a yield", |shared| {
        while !shared.never.load(Ordering::SeqCst) {}
    }),
    ("counts for ever", |shared| {
        loop {
            shared.count.fetch_add(1, Ordering::SeqCst);
        }
    }),
    (
        "tries for ever",
        |shared| while shared.a.try_lock().is_none() {},
    ),
    ("sleeps for ever", |_| {
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }),
    ("receives", |_| {
        let (_sender, receiver) = mpsc::channel::<u8>();
        let _ = receiver.recv();
    }),
    ("waits", |shared| {
        let mut guard = shared.b.lock();
        shared.changed.wait(&mut guard);
    }),
    ("parks", |_| thread::park()),
    ("catches everything", |shared| {
        loop {
            let lock = AssertUnwindSafe(|| mem::forget(shared.a.lock()));
            let _ = catch_unwind(lock);
        }
    }),
    ("chooses", |_| {
        gordian::choose(3);
        gordian::slow("closing");
    }),
];

fn starts_one_like_itself(shared: &Shared) {
    let hostile = Hostile {
        act: starts_one_like_itself,
        shared: Arc::new(Shared::default()),
        done: false,
    };
    let _ = shared;
    thread::spawn(move || {
        let _its = &hostile;
        let lock = Mutex::new(());
        mem::forget(lock.lock());
        drop(lock.lock());
    });
}

/// What ends an execution, and what the report says then.
struct Ending {
    name: &'static str,
    model: fn(&dyn Fn() -> Hostile, &Arc<Shared>),
    configure: fn(Checker) -> Checker,
    expect: &'static [Code],
    engines: &'static [Engine],
}

const BOTH: &[Engine] = &[Engine::Controlled, Engine::Loom];

const ENDINGS: &[Ending] = &[
    Ending {
        name: "opposite orders",
        model: |hostile, shared| {
            let (its, theirs) = (hostile(), hostile());
            let other = Arc::clone(shared);
            let thread = thread::spawn(move || {
                let guards = (other.b.lock(), other.a.lock());
                drop(guards);
                theirs.done();
            });
            let guards = (shared.a.lock(), shared.b.lock());
            drop(guards);
            thread.join().unwrap();
            its.done();
        },
        configure: |checker| checker,
        expect: &[Code::Deadlock],
        engines: BOTH,
    },
    Ending {
        name: "a lock that is never given back, poisonable",
        model: |hostile, shared| {
            let theirs = hostile();
            let (one, other) = (Arc::clone(shared), Arc::clone(shared));
            let first = thread::spawn(move || {
                let _guard = one.poisonable.lock();
                let (_sender, receiver) = mpsc::channel::<u8>();
                let _ = receiver.recv();
            });
            let second = thread::spawn(move || {
                let guard = other.poisonable.lock();
                drop(guard);
                theirs.done();
            });
            let _ = (first.join(), second.join());
        },
        configure: |checker| checker,
        expect: &[Code::LostWakeup],
        engines: BOTH,
    },
    Ending {
        name: "a wait that nobody ends",
        model: |hostile, shared| {
            let theirs = hostile();
            let other = Arc::clone(shared);
            let thread = thread::spawn(move || {
                let mut guard = other.a.lock();
                other.changed.wait(&mut guard);
                drop(guard);
                theirs.done();
            });
            shared.changed.notify_one();
            thread.join().unwrap();
        },
        configure: |checker| checker.spurious_max(0),
        expect: &[Code::LostWakeup],
        engines: BOTH,
    },
    Ending {
        name: "a panic elsewhere, at an atomic",
        model: |hostile, shared| {
            let theirs = hostile();
            let other = Arc::clone(shared);
            let thread = thread::spawn(move || {
                for _ in 0..2 {
                    other.count.fetch_add(1, Ordering::SeqCst);
                }
                let guard = other.a.lock();
                drop(guard);
                theirs.done();
            });
            mem::forget(shared.a.lock());
            let _ = thread;
            panic!("elsewhere");
        },
        configure: |checker| checker,
        expect: &[
            Code::Panic,
            Code::Deadlock,
            Code::LostWakeup,
            Code::LeakedGuard,
        ],
        engines: BOTH,
    },
    Ending {
        name: "a bound on steps, at atomics",
        model: |hostile, shared| {
            let (its, theirs) = (hostile(), hostile());
            let other = Arc::clone(shared);
            let thread = thread::spawn(move || {
                for _ in 0..100 {
                    other.count.fetch_add(1, Ordering::SeqCst);
                }
                theirs.done();
            });
            for _ in 0..100 {
                shared.count.fetch_add(1, Ordering::SeqCst);
            }
            thread.join().unwrap();
            its.done();
        },
        configure: |checker| checker.steps_max(20).executions_max(10),
        expect: &[],
        engines: BOTH,
    },
    Ending {
        name: "a bound on steps, at locks",
        model: |hostile, shared| {
            let (its, theirs) = (hostile(), hostile());
            let other = Arc::clone(shared);
            let thread = thread::spawn(move || {
                (0..100).for_each(|_| *other.a.lock() += 1);
                theirs.done();
            });
            (0..100).for_each(|_| *shared.a.lock() += 1);
            thread.join().unwrap();
            its.done();
        },
        configure: |checker| checker.steps_max(20).executions_max(10),
        expect: &[],
        engines: BOTH,
    },
    Ending {
        name: "a strategy that gives up",
        model: |hostile, shared| {
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (theirs, other) = (hostile(), Arc::clone(shared));
                    thread::spawn(move || {
                        *other.a.lock() += 1;
                        *other.b.lock() += 1;
                        theirs.done();
                    })
                })
                .collect();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        },
        configure: |checker| checker.strategy(Strategy::Source),
        expect: &[],
        engines: &[Engine::Controlled],
    },
    Ending {
        name: "opposite orders in a scope",
        model: |hostile, shared| {
            let its = hostile();
            thread::scope(|scope| {
                let theirs = hostile();
                scope.spawn(move || {
                    let guards = (shared.b.lock(), shared.a.lock());
                    drop(guards);
                    theirs.done();
                });
                let guards = (shared.a.lock(), shared.b.lock());
                drop(guards);
            });
            its.done();
        },
        configure: |checker| checker,
        expect: &[Code::Deadlock],
        engines: BOTH,
    },
];

fn check(ending: &'static Ending, act: Act, engine: Engine, leftover: Leftover) -> Report {
    let checker = Checker::new()
        .engine(engine)
        .leftover(leftover)
        .stall_max(Duration::from_secs(60));
    (ending.configure)(checker).check(move || {
        let shared = Arc::new(Shared::default());
        let hostile = || Hostile {
            act,
            shared: Arc::clone(&shared),
            done: false,
        };
        (ending.model)(&hostile, &shared);
    })
}

fn table(leftover: Leftover, only: Engine) {
    let mut wrong = String::new();
    for ending in ENDINGS
        .iter()
        .filter(|ending| ending.engines.contains(&only))
    {
        for &(destructor, act) in DESTRUCTORS {
            let report = check(ending, act, only, leftover);
            let codes: Vec<Code> = report.findings.iter().map(|finding| finding.code).collect();
            let unexpected = codes.iter().any(|code| !ending.expect.contains(code));
            let missed = ending
                .expect
                .first()
                .is_some_and(|code| !codes.contains(code));
            if report.verdict == Verdict::Error || unexpected || missed {
                wrong += &format!("{} / {destructor}: {report}\n", ending.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_ending_by_every_destructor_unwinding() {
    table(Leftover::Unwind, Engine::Controlled);
}

#[test]
fn every_ending_by_every_destructor_abandoning() {
    table(Leftover::Abandon, Engine::Controlled);
}

#[cfg(feature = "loom")]
#[test]
fn every_ending_by_every_destructor_unwinding_under_loom() {
    table(Leftover::Unwind, Engine::Loom);
}

#[cfg(feature = "loom")]
#[test]
fn every_ending_by_every_destructor_abandoning_under_loom() {
    table(Leftover::Abandon, Engine::Loom);
}

const ENGINES: &[Engine] = if cfg!(feature = "loom") {
    BOTH
} else {
    &[Engine::Controlled]
};

#[test]
fn the_report_says_which_destructor_panicked() {
    for &engine in ENGINES {
        let report = check(&ENDINGS[0], |_| panic!("not now"), engine, Leftover::Unwind);
        report.assert_found(Code::Deadlock);
        let said = report.search.remarks.join("\n");
        assert!(said.contains("a destructor at tests/hostile.rs:"), "{said}");
        assert!(
            said.contains("not now") && said.contains("leftover"),
            "{said}"
        );
        assert!(report.explain().contains("not now"), "{}", report.explain());
        // Nothing is unwound, so nothing has to be said.
        let report = check(
            &ENDINGS[0],
            |_| panic!("not now"),
            engine,
            Leftover::Abandon,
        );
        report.assert_found(Code::Deadlock);
        assert!(report.search.remarks.is_empty(), "{report}");
    }
}

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

#[test]
fn a_panic_in_a_destructor_that_unwinds_is_a_finding() {
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| {
            let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
            let other = Arc::clone(&locks);
            let thread = thread::spawn(move || {
                let _bomb = Bomb("the second");
                let first = *other.0.lock();
                assert_eq!(first, 1, "the first");
                mem::forget(_bomb);
            });
            *locks.0.lock() += 1;
            let _ = thread.join();
        });
        let finding = report.assert_found(Code::Panic);
        assert!(
            finding.message.contains("the second"),
            "{}",
            finding.message
        );
        assert!(finding.message.contains("aborts"), "{}", finding.message);
        assert!(!report.search.complete, "{report}");
    }
}

#[test]
fn a_model_that_aborts_is_a_finding() {
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| {
            let lock = Arc::new(Mutex::new(0));
            let other = Arc::clone(&lock);
            let thread = thread::spawn(move || {
                if *other.lock() == 0 {
                    std::process::abort();
                }
            });
            *lock.lock() += 1;
            thread.join().unwrap();
        });
        let finding = report.assert_found(Code::Panic);
        assert!(finding.message.contains("abort"), "{}", finding.message);
    }
}

/// A destructor waits for ever while its thread unwinds by a panic of its own: that thread is left
/// behind in the middle of it, again and again, and the search goes on all the same.
#[test]
fn a_destructor_that_waits_while_it_unwinds() {
    struct Joins(Option<thread::JoinHandle<()>>);

    impl Drop for Joins {
        fn drop(&mut self) {
            let _ = self.0.take().map(thread::JoinHandle::join);
        }
    }

    let model = |panics: bool| {
        move || {
            let order = Arc::new(Mutex::new(0));
            let (sender, receiver) = mpsc::channel::<u8>();
            let its = Arc::clone(&order);
            let handle = thread::spawn(move || {
                *its.lock() += 1;
                let _ = receiver.recv();
            });
            let pool = (sender, Joins(Some(handle)));
            *order.lock() += 1;
            if panics {
                // The handle first, the sender after it.
                let (_sender, _joins) = pool;
                panic!("in the middle");
            }
            let (sender, joins) = pool;
            drop(sender);
            drop(joins);
        }
    };
    for &engine in ENGINES {
        let checker = Checker::new().engine(engine);
        let fixed = checker.clone().check(model(false));
        fixed.assert_clean();
        let report = checker.check(model(true));
        report.assert_found(Code::Panic);
        report.assert_found(Code::LostWakeup);
        if engine == Engine::Controlled {
            assert!(report.search.complete, "{report}");
            assert_eq!(
                report.search.executions, fixed.search.executions,
                "{report}"
            );
        }
    }
}

/// A reference count taken over for a moment, as `unsafe` code does, where nothing can panic.
struct Owned(&'static AtomicU64);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// What cannot unwind in reality never does: each line is an operation under which a count is held
/// that must not be dropped.
#[test]
fn what_cannot_panic_never_unwinds() {
    type Operation = fn(&Shared, &thread::Thread, &mpsc::Sender<u8>);
    let operations: &[(&str, Operation)] = &[
        ("load", |its, _, _| _ = its.count.load(Ordering::Relaxed)),
        ("store", |its, _, _| its.count.store(1, Ordering::Relaxed)),
        ("fetch_add", |its, _, _| {
            _ = its.count.fetch_add(1, Ordering::Relaxed)
        }),
        ("compare_exchange", |its, _, _| {
            let _ = its
                .count
                .compare_exchange(7, 8, Ordering::SeqCst, Ordering::SeqCst);
        }),
        ("notify_one", |its, _, _| _ = its.changed.notify_one()),
        ("notify_all", |its, _, _| _ = its.changed.notify_all()),
        ("try_lock", |its, _, _| _ = its.a.try_lock()),
        ("is_locked", |its, _, _| _ = its.a.is_locked()),
        ("unpark", |_, thread, _| thread.unpark()),
        ("send", |_, _, sender| _ = sender.send(1)),
        ("clone and drop", |_, _, sender| _ = sender.clone()),
        ("yield_now", |_, _, _| thread::yield_now()),
        ("sleep", |_, _, _| thread::sleep(Duration::from_secs(1))),
        ("park", |_, _, _| thread::park()),
        ("park_timeout", |_, _, _| {
            thread::park_timeout(Duration::from_secs(1))
        }),
        ("try_recv", |_, _, _| {
            let (_sender, receiver) = mpsc::channel::<u8>();
            let _ = receiver.try_recv();
        }),
        ("recv", |_, _, _| {
            let (_sender, receiver) = mpsc::channel::<u8>();
            let _ = receiver.recv();
        }),
    ];
    static DROPPED: AtomicU64 = AtomicU64::new(0);
    for &engine in ENGINES {
        for leftover in [Leftover::Unwind, Leftover::Abandon] {
            for &(name, operation) in operations {
                let bounded = Checker::new().steps_max(12).executions_max(50);
                bounded.engine(engine).leftover(leftover).check(move || {
                    let shared = Arc::new(Shared::default());
                    let other = Arc::clone(&shared);
                    let main = thread::current();
                    let (sender, receiver) = mpsc::channel();
                    let thread = thread::spawn(move || {
                        loop {
                            let owned = Owned(&DROPPED);
                            operation(&other, &main, &sender);
                            mem::forget(owned);
                        }
                    });
                    for _ in 0..100 {
                        shared.count.fetch_add(1, Ordering::SeqCst);
                        drop(shared.a.try_lock());
                    }
                    drop(receiver);
                    thread.join().unwrap();
                });
                assert_eq!(
                    DROPPED.load(SeqCst),
                    0,
                    "{name} unwound: {engine:?}, {leftover:?}"
                );
            }
        }
    }
}

#[test]
fn the_end_of_an_execution_poisons_nothing() {
    struct Counts(Arc<std_sync::Mutex<u32>>);

    impl Drop for Counts {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }

    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| {
            let pair = Arc::new((std_sync::Mutex::new(0), std_sync::Mutex::new(0)));
            let count = Arc::new(std_sync::Mutex::new(0));
            let (other, its) = (Arc::clone(&pair), Arc::clone(&count));
            let thread = thread::spawn(move || {
                let _counts = Counts(its);
                let _b = other.1.lock().unwrap();
                let _a = other.0.lock().unwrap();
            });
            let _counts = Counts(count);
            let _a = pair.0.lock().unwrap();
            let _b = pair.1.lock().unwrap();
            drop((_b, _a));
            thread.join().unwrap();
        });
        report.assert_found(Code::Deadlock);
        assert_eq!(report.findings.len(), 1, "{report}");
        assert!(report.search.remarks.is_empty(), "{report}");
    }
}
