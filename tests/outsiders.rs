//! What happens beside a model in the same process: other models that use the same static, and OS
//! threads that nobody controls.
//!
//! Each case is done many times, since it is a matter of luck in which order OS threads come.

#![cfg(feature = "model")]

use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use gordian::report::{Engine, Report, Verdict};
use gordian::sync::atomic::{AtomicU32, Ordering::SeqCst};
use gordian::sync::{
    Condvar, LazyLock, Mutex, Once, OnceLock, RawLock, RwLock, Semaphore, channel,
};
use gordian::{Checker, Code, Ghost, Strategy, std_sync, thread};

/// How often each case is done.
const TIMES: usize = 50;

const ENGINES: &[Engine] = &[
    Engine::Controlled,
    #[cfg(feature = "loom")]
    Engine::Loom,
];

/// One thread more than this one, and both do it.
fn twice(act: fn()) {
    let other = thread::spawn(act);
    act();
    other.join().unwrap();
}

/// Models of one static each; with how many interleavings is found out by running one alone.
const STATICS: &[(&str, fn())] = &[
    ("Mutex", || {
        static LOCK: Mutex<u32> = Mutex::new(0);
        *LOCK.lock() = 0;
        twice(|| *LOCK.lock() += 1);
        assert_eq!(*LOCK.lock(), 2);
    }),
    ("RwLock", || {
        static LOCK: RwLock<u32> = RwLock::new(0);
        *LOCK.write() = 0;
        twice(|| *LOCK.write() += 1);
        assert_eq!(*LOCK.read(), 2);
    }),
    ("std_sync::Mutex", || {
        static LOCK: std_sync::Mutex<u32> = std_sync::Mutex::new(0);
        *LOCK.lock().unwrap() = 0;
        twice(|| *LOCK.lock().unwrap() += 1);
        assert_eq!(*LOCK.lock().unwrap(), 2);
    }),
    ("std_sync::RwLock", || {
        static LOCK: std_sync::RwLock<u32> = std_sync::RwLock::new(0);
        *LOCK.write().unwrap() = 0;
        twice(|| *LOCK.write().unwrap() += 1);
        assert_eq!(*LOCK.read().unwrap(), 2);
    }),
    ("RawLock and Ghost", || {
        static LOCK: RawLock = RawLock::new();
        static COUNT: Ghost<u32> = Ghost::new(0);
        COUNT.write(|count| *count = 0);
        twice(|| {
            LOCK.acquire();
            COUNT.write(|count| *count += 1);
            LOCK.release();
        });
        assert_eq!(COUNT.read(|count| *count), 2);
    }),
    ("Semaphore", || {
        static SEMAPHORE: Semaphore = Semaphore::new(1);
        twice(|| drop(SEMAPHORE.acquire()));
        assert_eq!(SEMAPHORE.available_permits(), 1);
    }),
    ("Condvar", || {
        static FLAG: Mutex<u32> = Mutex::new(0);
        static CHANGED: Condvar = Condvar::new();
        *FLAG.lock() = 0;
        let other = thread::spawn(|| {
            *FLAG.lock() = 1;
            CHANGED.notify_one();
        });
        CHANGED.wait_while(&mut FLAG.lock(), |flag| *flag == 0);
        other.join().unwrap();
    }),
    ("atomic", || {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        COUNT.store(0, SeqCst);
        twice(|| {
            COUNT.fetch_add(1, SeqCst);
        });
        assert_eq!(COUNT.load(SeqCst), 2);
    }),
    ("Once", || {
        static ONCE: Once = Once::new();
        static LOCK: Mutex<()> = Mutex::new(());
        twice(|| ONCE.call_once(|| drop(LOCK.lock())));
        assert!(ONCE.is_completed());
    }),
    ("OnceLock", || {
        static CELL: OnceLock<u32> = OnceLock::new();
        static LOCK: Mutex<u32> = Mutex::new(7);
        twice(|| assert_eq!(*CELL.get_or_init(|| *LOCK.lock()), 7));
    }),
    ("LazyLock", || {
        static CELL: LazyLock<Mutex<u32>> = LazyLock::new(|| Mutex::new(0));
        twice(|| *CELL.lock() += 1);
        assert_eq!(*CELL.lock(), 2);
    }),
    ("two locks in one order", || {
        static FIRST: Mutex<u32> = Mutex::new(0);
        static SECOND: Mutex<u32> = Mutex::new(0);
        twice(|| {
            let _first = FIRST.lock();
            *SECOND.lock() += 1;
        });
    }),
    ("two locks in the other order", || {
        static FIRST: Mutex<u32> = Mutex::new(0);
        static SECOND: Mutex<u32> = Mutex::new(0);
        let other = thread::spawn(|| {
            let _first = FIRST.lock();
            *SECOND.lock() += 1;
        });
        {
            let _second = SECOND.lock();
            *FIRST.lock() += 1;
        }
        other.join().unwrap();
    }),
];

fn check(engine: Engine, model: fn()) -> Report {
    Checker::new().engine(engine).check(model)
}

/// What is to be the same, whoever else runs.
fn outcome(report: &Report) -> (Verdict, u64, Vec<Code>, Option<String>) {
    let codes = report.findings.iter().map(|finding| finding.code).collect();
    (
        report.verdict,
        report.search.executions,
        codes,
        report.error.clone(),
    )
}

#[test]
fn models_that_use_one_static_do_not_disturb_each_other() {
    for &engine in ENGINES {
        for &(name, model) in STATICS {
            let alone = outcome(&check(engine, model));
            let expected = match name {
                "two locks in the other order" => vec![Code::Deadlock],
                _ => Vec::new(),
            };
            assert_eq!(alone.2, expected, "{name} alone, {engine:?}");
            for round in 0..TIMES {
                std::thread::scope(|scope| {
                    let checks = [(); 2].map(|()| scope.spawn(move || check(engine, model)));
                    for check in checks {
                        let report = check.join().expect("a check does not panic");
                        assert_eq!(outcome(&report), alone, "{name}, {engine:?}, round {round}");
                    }
                });
            }
        }
    }
}

/// Two searches of which each meets first what the other one meets later.
#[test]
fn models_that_meet_two_statics_in_opposite_orders_both_end() {
    static ONE: AtomicU32 = AtomicU32::new(0);
    static TWO: AtomicU32 = AtomicU32::new(0);
    fn forth() {
        twice(|| {
            ONE.fetch_add(1, SeqCst);
            TWO.fetch_add(1, SeqCst);
        });
    }
    fn back() {
        twice(|| {
            TWO.fetch_add(1, SeqCst);
            ONE.fetch_add(1, SeqCst);
        });
    }
    for &engine in ENGINES {
        for _ in 0..TIMES {
            let checks = [forth, back, forth, back]
                .map(|model| std::thread::spawn(move || check(engine, model)));
            for check in checks {
                let report = check.join().expect("a check does not panic");
                report.assert_clean();
            }
        }
    }
}

/// How an OS thread is started that no model controls, and is waited for or not.
type Start = fn(Box<dyn FnOnce() + Send>);

const STARTS: &[(&str, Start)] = &[
    ("joined", |act| std::thread::spawn(act).join().unwrap()),
    ("let go", |act| drop(std::thread::spawn(act))),
    ("let go, and slow", |act| {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(3));
            act();
        });
    }),
    ("of a pool", |act| {
        static POOL: std::sync::LazyLock<std_mpsc::Sender<Box<dyn FnOnce() + Send>>> =
            std::sync::LazyLock::new(|| {
                let (sender, jobs) = std_mpsc::channel::<Box<dyn FnOnce() + Send>>();
                let worker = std::thread::Builder::new().name("worker".to_owned());
                worker
                    .spawn(move || jobs.iter().for_each(|job| job()))
                    .unwrap();
                sender
            });
        let (done, is_done) = std_mpsc::channel();
        let job = Box::new(move || {
            act();
            done.send(()).unwrap();
        });
        POOL.send(job).unwrap();
        is_done.recv().unwrap();
    }),
];

struct Shared {
    a: Mutex<u32>,
    b: Mutex<u32>,
    rw: RwLock<u32>,
    raw: RawLock,
    changed: Condvar,
    semaphore: Semaphore,
    flag: AtomicU32,
    std: std_sync::Mutex<u32>,
}

impl Default for Shared {
    fn default() -> Self {
        Shared {
            a: Mutex::new(0),
            b: Mutex::new(0),
            rw: RwLock::new(0),
            raw: RawLock::new(),
            changed: Condvar::new(),
            semaphore: Semaphore::new(1),
            flag: AtomicU32::new(0),
            std: std_sync::Mutex::new(0),
        }
    }
}

/// What an OS thread does with the model's objects.
type Use = fn(&Shared);

const USES: &[(&str, Use)] = &[
    ("two locks in the other order", |its| {
        let _b = its.b.lock();
        *its.a.lock() += 1;
    }),
    ("a try", |its| drop(its.a.try_lock())),
    ("a read", |its| drop(its.rw.read())),
    ("a look", |its| {
        its.raw.locked();
    }),
    ("a notification", |its| {
        its.changed.notify_all();
    }),
    ("a permit", |its| its.semaphore.add_permits(1)),
    ("a flag", |its| its.flag.store(1, SeqCst)),
    ("a std lock", |its| drop(its.std.lock())),
];

fn meet_all(its: &Shared) {
    let _a = its.a.lock();
    *its.b.lock() += 1;
    drop(its.rw.read());
    its.raw.locked();
    its.changed.notify_all();
    its.semaphore.available_permits();
    its.flag.load(SeqCst);
    drop(its.std.lock());
}

#[test]
fn an_os_thread_that_uses_a_models_objects_is_an_error_every_time() {
    // The model meets its objects before the thread uses them, after that, or in the meantime.
    for &engine in ENGINES {
        for &(how, start) in STARTS {
            for &(what, act) in USES {
                for first in [true, false] {
                    for round in 0..TIMES / 10 {
                        let report = Checker::new().engine(engine).check(move || {
                            let shared = Arc::new(Shared::default());
                            if first {
                                meet_all(&shared);
                            }
                            let its = Arc::clone(&shared);
                            start(Box::new(move || act(&its)));
                            meet_all(&shared);
                        });
                        let case = format!("{what}, {how}, {engine:?}, {first}, round {round}");
                        assert_eq!(report.verdict, Verdict::Error, "{case}: {report}");
                        let error = report.error.unwrap_or_default();
                        assert!(
                            error.contains("was used by") && error.contains("does not control"),
                            "{case}: {error}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_model_of_controlled_threads_is_none() {
    let report = gordian::check(|| {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || USES.iter().skip(1).for_each(|(_, act)| act(&its)));
        meet_all(&shared);
        other.join().unwrap();
    });
    report.assert_clean();
    let report = gordian::check(|| {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || USES[0].1(&its));
        meet_all(&shared);
        other.join().unwrap();
    });
    report.assert_found(Code::Deadlock);
}

/// What an OS thread has to itself is nobody's business, nor what was used before the search.
#[test]
fn an_os_thread_that_uses_nothing_of_the_models_is_no_error() {
    static BEFORE: Mutex<u32> = Mutex::new(0);
    static SETTING: LazyLock<u32> = LazyLock::new(|| 3);
    for &engine in ENGINES {
        for _ in 0..TIMES {
            *BEFORE.lock() = *SETTING;
            let report = Checker::new().engine(engine).check(|| {
                let own = std::thread::spawn(|| {
                    let shared = Shared::default();
                    meet_all(&shared);
                    *SETTING
                });
                twice(|| *BEFORE.lock() += 1);
                assert_eq!(own.join().unwrap(), *SETTING);
            });
            report.assert_clean();
        }
    }
}

#[test]
fn strategies_that_sample_say_it_as_well() {
    for strategy in [
        Strategy::Random,
        Strategy::Pct,
        Strategy::Fuzz,
        Strategy::Dfs,
    ] {
        let checker = Checker::new().strategy(strategy).executions_max(20);
        let report = checker.check(|| {
            let shared = Arc::new(Shared::default());
            let its = Arc::clone(&shared);
            std::thread::spawn(move || USES[0].1(&its));
            meet_all(&shared);
        });
        assert_eq!(report.verdict, Verdict::Error, "{strategy}: {report}");
    }
}

#[test]
fn a_thread_that_is_left_running_is_remarked_upon() {
    let (stop, stopped) = std_mpsc::channel::<()>();
    let stopped = std::sync::Mutex::new(Some(stopped));
    let report = gordian::check(move || {
        let stopped = stopped.lock().unwrap().take();
        if let Some(stopped) = stopped {
            std::thread::spawn(move || stopped.recv());
        }
        let lock = Arc::new(Mutex::new(0));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || *its.lock() += 1);
        *lock.lock() += 1;
        other.join().unwrap();
    });
    drop(stop);
    report.assert_clean();
    if cfg!(target_os = "linux") {
        let remarks = report.search.remarks.join("; ");
        assert!(remarks.contains("is still running"), "{remarks}");
    }
}

#[test]
fn channels_of_a_model_are_not_for_other_threads() {
    for _ in 0..TIMES {
        let report = gordian::check(|| {
            let (sender, receiver) = channel::unbounded();
            std::thread::spawn(move || sender.send(1));
            let _ = receiver.try_recv();
        });
        assert_eq!(report.verdict, Verdict::Error, "{report}");
    }
}
