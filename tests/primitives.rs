//! What goes wrong with each primitive, as pairs: a broken program whose defect is found, and a
//! fixed one that is clean; on every engine.
#![cfg(feature = "model")]

use gordian::report::{Code, Engine, Severity, Verdict};
use gordian::sync::channel::{Select, bounded};
use gordian::sync::{
    Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockUpgradableReadGuard,
    Semaphore, WaitGroup, mpsc,
};
use gordian::time::{Duration, Instant};
use gordian::{Checker, Named, check, std_sync, thread};
use std::sync::Arc;

const ENGINES: &[Engine] = &[
    Engine::Controlled,
    #[cfg(feature = "loom")]
    Engine::Loom,
];

#[track_caller]
fn pair(broken: fn(), finds: Code, fixed: fn()) {
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(broken);
        assert_eq!(
            (&report.error, report.verdict),
            (&None, Verdict::Found),
            "{report}"
        );
        let errors = report
            .findings
            .iter()
            .filter(|it| it.severity == Severity::Error);
        let mut codes: Vec<_> = errors.map(|finding| finding.code).collect();
        codes.dedup();
        assert_eq!(codes, [finds], "{engine:?}: {report}");
        Checker::new().engine(engine).check(fixed).assert_clean();
    }
}

#[test]
fn two_upgradable_readers_exclude_and_two_readers_that_upgrade_deadlock() {
    fn upgrade(read_beside: bool) {
        let lock = Arc::new(RwLock::new(0).named("prices"));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || {
            let upgradable = its.upgradable_read();
            *RwLockUpgradableReadGuard::upgrade(upgradable) += 1;
        });
        {
            let reader = read_beside.then(|| lock.read());
            drop(lock.upgradable_read());
            drop(reader);
        }
        other.join().unwrap();
    }
    pair(|| upgrade(true), Code::Deadlock, || upgrade(false));
}

#[test]
fn a_wait_with_a_second_lock_held() {
    fn wait(held: bool) {
        let shared = Arc::new((
            Mutex::new(()).named("outer"),
            Mutex::new(false).named("ready"),
            Condvar::new().named("changed"),
        ));
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || {
            let _outer = its.0.lock();
            *its.1.lock() = true;
            its.2.notify_one();
        });
        {
            let _outer = held.then(|| shared.0.lock());
            shared.2.wait_while(&mut shared.1.lock(), |ready| !*ready);
        }
        other.join().unwrap();
    }
    pair(|| wait(true), Code::LostWakeup, || wait(false));
}

#[test]
fn a_notification_before_the_wait_is_lost() {
    fn wait(looks_first: bool) {
        let shared = Arc::new((Mutex::new(false), Condvar::new().named("changed")));
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || {
            *its.0.lock() = true;
            its.1.notify_one();
        });
        let mut ready = shared.0.lock();
        if !looks_first || !*ready {
            shared.1.wait(&mut ready);
        }
        drop(ready);
        other.join().unwrap();
    }
    pair(|| wait(false), Code::LostWakeup, || wait(true));
}

#[test]
fn a_waiter_that_does_not_look_again_is_woken_by_nobody() {
    fn wait(looks_again: bool) {
        let shared = Arc::new((std_sync::Mutex::new(false), std_sync::Condvar::new()));
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || {
            *its.0.lock().unwrap() = true;
            its.1.notify_one();
        });
        let mut ready = shared.0.lock().unwrap();
        if looks_again {
            ready = shared.1.wait_while(ready, |ready| !*ready).unwrap();
        } else if !*ready {
            ready = shared.1.wait(ready).unwrap();
        }
        assert!(*ready, "it woke too early");
        drop(ready);
        other.join().unwrap();
    }
    pair(|| wait(false), Code::Panic, || wait(true));
}

#[test]
fn a_barrier_that_one_does_not_come_to() {
    fn meet(parties: usize) {
        let barrier = Arc::new(Barrier::new(parties).named("start"));
        let its = Arc::clone(&barrier);
        let other = thread::spawn(move || {
            its.wait();
        });
        barrier.wait();
        other.join().unwrap();
    }
    pair(|| meet(3), Code::LostWakeup, || meet(2));
}

#[test]
fn a_once_that_calls_itself() {
    fn initialise(again: bool) {
        let once = Once::new().named("init");
        once.call_once(|| {
            if again {
                once.call_once(|| {});
            }
        });
    }
    pair(
        || initialise(true),
        Code::SelfDeadlock,
        || initialise(false),
    );
}

#[test]
fn two_lazy_values_that_need_each_other() {
    fn force(crossed: bool) {
        static FIRST: LazyLock<Mutex<u8>> = LazyLock::new(|| Mutex::new(1));
        static SECOND: OnceLock<u8> = OnceLock::new();
        let lock = Arc::new(Mutex::new(()).named("lock"));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || {
            let _guard = its.lock();
            SECOND.get_or_init(|| *FIRST.lock());
        });
        SECOND.get_or_init(|| {
            let guard = crossed.then(|| lock.lock());
            drop(guard);
            *FIRST.lock()
        });
        other.join().unwrap();
    }
    pair(|| force(true), Code::Deadlock, || force(false));
}

#[test]
fn two_semaphores_in_two_orders() {
    fn take(fair: bool, swapped: bool) {
        let make = if fair {
            Semaphore::fair
        } else {
            Semaphore::new
        };
        let both = Arc::new((make(1).named("a"), make(1).named("b")));
        let its = Arc::clone(&both);
        let other = thread::spawn(move || {
            let (first, second) = if swapped {
                (&its.1, &its.0)
            } else {
                (&its.0, &its.1)
            };
            let _permits = (first.acquire(), second.acquire());
        });
        {
            let _permits = (both.0.acquire(), both.1.acquire());
        }
        other.join().unwrap();
    }
    pair(|| take(false, true), Code::Deadlock, || take(false, false));
    pair(|| take(true, true), Code::Deadlock, || take(true, false));
}

#[test]
fn a_forgotten_permit() {
    fn take(forget: bool) {
        let semaphore = Arc::new(Semaphore::new(1).named("connections"));
        let its = Arc::clone(&semaphore);
        let other = thread::spawn(move || {
            let permit = its.acquire();
            if forget {
                permit.forget();
            }
        });
        drop(semaphore.acquire());
        other.join().unwrap();
    }
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| take(true));
        assert_eq!(report.verdict, Verdict::Found, "{report}");
        Checker::new()
            .engine(engine)
            .check(|| take(false))
            .assert_clean();
    }
}

#[test]
fn a_wait_group_whose_member_never_leaves() {
    fn work(leaves: bool) {
        let group = WaitGroup::new().named("workers");
        let its = group.clone();
        let other = thread::spawn(move || {
            if leaves {
                drop(its);
            } else {
                std::mem::forget(its);
            }
        });
        group.wait();
        other.join().unwrap();
    }
    pair(|| work(false), Code::LostWakeup, || work(true));
}

#[test]
fn two_rendezvous_in_two_orders() {
    fn exchange(send_first: bool) {
        let (questions, question) = mpsc::sync_channel(0).named("questions");
        let (answers, answer) = mpsc::sync_channel(0).named("answers");
        let other = thread::spawn(move || {
            if send_first {
                let _ = answers.send(1);
                let _ = question.recv();
            } else {
                let _ = question.recv();
                let _ = answers.send(1);
            }
        });
        let _ = questions.send(0);
        let _ = answer.recv();
        other.join().unwrap();
    }
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| exchange(true));
        assert_eq!(report.verdict, Verdict::Found, "{report}");
        Checker::new()
            .engine(engine)
            .check(|| exchange(false))
            .assert_clean();
    }
}

#[test]
fn a_receiver_that_waits_for_a_sender_it_holds() {
    fn receive(keep: bool) {
        let (sender, receiver) = mpsc::channel::<u8>().named("answers");
        let its = sender.clone();
        let other = thread::spawn(move || its.send(1).unwrap());
        let kept = keep.then_some(sender);
        let all: Vec<_> = receiver.iter().collect();
        assert_eq!(all, [1]);
        drop(kept);
        other.join().unwrap();
    }
    pair(|| receive(true), Code::LostWakeup, || receive(false));
}

#[test]
fn a_full_channel_under_a_lock() {
    fn send(capacity: usize) {
        let (jobs, job) = bounded(capacity);
        let lock = Arc::new(Mutex::new(()).named("state"));
        let its = Arc::clone(&lock);
        let worker = thread::spawn(move || {
            for _ in 0..2 {
                drop(its.lock());
                job.recv().unwrap();
            }
        });
        {
            let _guard = lock.lock();
            jobs.send(1).unwrap();
            jobs.send(2).unwrap();
        }
        worker.join().unwrap();
    }
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| send(1));
        assert_eq!(report.verdict, Verdict::Found, "{report}");
        Checker::new()
            .engine(engine)
            .check(|| send(2))
            .assert_clean();
    }
}

#[test]
fn a_select_that_nobody_serves() {
    fn serve(sends: bool) {
        let (orders, order) = bounded::<u8>(0);
        let (stops, stop) = bounded::<u8>(0);
        let kept = stops.clone();
        let other = thread::spawn(move || {
            if sends {
                stops.send(1).unwrap();
            }
        });
        let mut select = Select::new();
        let of_order = select.recv(&order);
        select.recv(&stop);
        let operation = select.select();
        assert_ne!(operation.index(), of_order);
        assert_eq!(operation.recv(&stop), Ok(1));
        other.join().unwrap();
        drop((orders, kept));
    }
    pair(|| serve(false), Code::LostWakeup, || serve(true));
}

/// Either of two ready operations may be selected, and each has its executions.
#[test]
fn a_select_takes_each_ready_operation() {
    fn select(expected: usize) {
        let (first, one) = bounded(1);
        let (second, two) = bounded(1);
        first.send(1).unwrap();
        second.send(2).unwrap();
        let mut select = Select::new();
        select.recv(&one);
        select.recv(&two);
        let operation = select.select();
        assert_eq!(operation.index(), expected);
        let _ = match operation.index() {
            0 => operation.recv(&one),
            _ => operation.recv(&two),
        };
    }
    for engine in ENGINES {
        let checker = Checker::new().engine(*engine);
        checker
            .clone()
            .check(|| select(0))
            .assert_found(Code::Panic);
        checker.check(|| select(1)).assert_found(Code::Panic);
    }
}

/// A selected operation that is dropped panics, and not a second time while its thread unwinds.
#[test]
fn a_selected_operation_has_to_be_completed() {
    fn select(panics: bool) {
        let (sender, receiver) = bounded(1);
        sender.send(1).unwrap();
        let mut select = Select::new();
        select.recv(&receiver);
        let operation = select.select();
        assert!(!panics, "on purpose");
        drop(operation);
    }
    let dropped = check(|| select(false));
    let message = &dropped.assert_found(Code::Panic).message;
    assert!(message.contains("without completing"), "{message}");
    let unwound = check(|| select(true));
    let message = &unwound.assert_found(Code::Panic).message;
    assert!(message.contains("on purpose"), "{message}");
}

/// The lock is given back half way through a change, by a panic that another thread then sees.
#[test]
fn poison_is_seen_in_every_order() {
    fn change(ignore: bool) {
        let lock = Arc::new(std_sync::Mutex::new(0));
        let its = Arc::clone(&lock);
        let other = thread::spawn(move || {
            let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let mut guard = its.lock().unwrap();
                *guard = 1;
                std::panic::resume_unwind(Box::new("half way"));
            }));
            assert!(changed.is_err());
        });
        let seen = lock.lock().map(|guard| *guard);
        match seen {
            Ok(value) => assert_eq!(value, 0),
            Err(_) => assert!(ignore, "poisoned"),
        }
        other.join().unwrap();
    }
    pair(|| change(false), Code::Panic, || change(true));
}

/// A panic that the model's code has caught is over: it poisons no lock of that thread's while
/// another thread unwinds.
#[test]
fn a_caught_panic_is_over() {
    let report = check(|| {
        let locks = Arc::new((std_sync::Mutex::new(0), Mutex::new(0)));
        assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
        let its = Arc::clone(&locks);
        let other = thread::spawn(move || {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _guard = its.1.lock();
                panic!("caught");
            }));
            assert!(caught.is_err());
        });
        *locks.0.lock().unwrap() += 1;
        *locks.1.lock() += 1;
        assert!(!locks.0.is_poisoned());
        other.join().unwrap();
    });
    report.assert_clean();
    assert!(report.search.executions > 1);
}

/// A time-out moves the clock of its thread to the deadline, so a loop until then ends.
#[test]
fn a_loop_until_a_deadline_ends() {
    fn poll(ends: bool) {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let deadline = Instant::now() + Duration::from_secs(1);
        let mut ready = shared.0.lock();
        while !*ready && (!ends || Instant::now() < deadline) {
            shared.1.wait_until(&mut ready, deadline);
        }
    }
    let endless = Checker::new().steps_max(200).check(|| poll(false));
    endless.assert_found(Code::LostWakeup);
    check(|| poll(true)).assert_clean();
}

/// Every timed operation of the face: one that gives up moves its thread's clock to its limit.
#[test]
fn every_time_out_moves_the_clock() {
    use gordian::sync::channel::Select;
    use gordian::sync::{RawLock, ReentrantMutex};
    use gordian::thread::park_timeout;

    const SOON: Duration = Duration::from_millis(5);
    fn later() -> Instant {
        Instant::now() + SOON
    }
    /// Does `try_it`, which is to give up, while another thread does `hold`.
    fn while_another<T: Send + Sync + 'static>(
        shared: T,
        hold: fn(&T, &dyn Fn()),
        try_it: fn(&T) -> bool,
    ) -> bool {
        let shared = Arc::new(shared);
        let other = Arc::clone(&shared);
        let begun = Arc::new(Semaphore::new(0));
        let its = Arc::clone(&begun);
        let main = thread::current();
        let holder = thread::spawn(move || {
            hold(&other, &|| {
                its.add_permits(1);
                thread::park();
            });
        });
        begun.acquire().forget();
        let gave_up = !try_it(&shared);
        holder.thread().unpark();
        holder.join().unwrap();
        drop(main);
        gave_up
    }
    type Case = (&'static str, fn() -> bool);
    macro_rules! held {
        ($new:expr, |$held:ident| $hold:expr, |$tried:ident| $try_it:expr) => {
            || {
                while_another(
                    $new,
                    |$held, wait| {
                        let _guard = $hold;
                        wait();
                    },
                    |$tried| $try_it,
                )
            }
        };
    }
    let cases: &[Case] = &[
        (
            "try_lock_for",
            held!(Mutex::new(0), |it| it.lock(), |it| it
                .try_lock_for(SOON)
                .is_some()),
        ),
        (
            "try_lock_until",
            held!(Mutex::new(0), |it| it.lock(), |it| it
                .try_lock_until(later())
                .is_some()),
        ),
        (
            "reentrant try_lock_for",
            held!(ReentrantMutex::new(0), |it| it.lock(), |it| it
                .try_lock_for(SOON)
                .is_some()),
        ),
        (
            "reentrant try_lock_until",
            held!(ReentrantMutex::new(0), |it| it.lock(), |it| it
                .try_lock_until(later())
                .is_some()),
        ),
        (
            "try_read_for",
            held!(RwLock::new(0), |it| it.write(), |it| it
                .try_read_for(SOON)
                .is_some()),
        ),
        (
            "try_read_until",
            held!(RwLock::new(0), |it| it.write(), |it| it
                .try_read_until(later())
                .is_some()),
        ),
        (
            "try_read_recursive_for",
            held!(RwLock::new(0), |it| it.write(), |it| it
                .try_read_recursive_for(SOON)
                .is_some()),
        ),
        (
            "try_write_for",
            held!(RwLock::new(0), |it| it.read(), |it| it
                .try_write_for(SOON)
                .is_some()),
        ),
        (
            "try_write_until",
            held!(RwLock::new(0), |it| it.read(), |it| it
                .try_write_until(later())
                .is_some()),
        ),
        (
            "try_upgradable_read_for",
            held!(RwLock::new(0), |it| it.write(), |it| it
                .try_upgradable_read_for(SOON)
                .is_some()),
        ),
        (
            "try_upgradable_read_until",
            held!(RwLock::new(0), |it| it.write(), |it| it
                .try_upgradable_read_until(later())
                .is_some()),
        ),
        (
            "try_upgrade_for",
            held!(RwLock::new(0), |it| it.read(), |it| {
                RwLockUpgradableReadGuard::try_upgrade_for(it.upgradable_read(), SOON).is_ok()
            }),
        ),
        (
            "try_upgrade_until",
            held!(RwLock::new(0), |it| it.read(), |it| {
                RwLockUpgradableReadGuard::try_upgrade_until(it.upgradable_read(), later()).is_ok()
            }),
        ),
        (
            "try_acquire_for",
            held!(Semaphore::new(1), |it| it.acquire(), |it| it
                .try_acquire_for(SOON)
                .is_some()),
        ),
        (
            "try_acquire_many_for",
            held!(Semaphore::fair(1), |it| it.acquire(), |it| it
                .try_acquire_many_for(1, SOON)
                .is_some()),
        ),
        ("acquire_timeout", || {
            let lock = RawLock::new();
            lock.acquire();
            let gave_up = !lock.acquire_timeout(SOON);
            lock.release();
            gave_up
        }),
        ("wait_for", || {
            Condvar::new()
                .wait_for(&mut Mutex::new(0).lock(), SOON)
                .timed_out()
        }),
        ("wait_until", || {
            Condvar::new()
                .wait_until(&mut Mutex::new(0).lock(), later())
                .timed_out()
        }),
        ("wait_while_for", || {
            let (condvar, lock) = (Condvar::new(), Mutex::new(0));
            condvar
                .wait_while_for(&mut lock.lock(), |_| true, SOON)
                .timed_out()
        }),
        ("wait_while_until", || {
            let (condvar, lock) = (Condvar::new(), Mutex::new(0));
            condvar
                .wait_while_until(&mut lock.lock(), |_| true, later())
                .timed_out()
        }),
        ("std wait_timeout", || {
            let (condvar, lock) = (std_sync::Condvar::new(), std_sync::Mutex::new(0));
            condvar
                .wait_timeout(lock.lock().unwrap(), SOON)
                .unwrap()
                .1
                .timed_out()
        }),
        ("std wait_timeout_while", || {
            let (condvar, lock) = (std_sync::Condvar::new(), std_sync::Mutex::new(0));
            let guard = lock.lock().unwrap();
            condvar
                .wait_timeout_while(guard, SOON, |_| true)
                .unwrap()
                .1
                .timed_out()
        }),
        ("mpsc recv_timeout", || {
            let (_sender, receiver) = mpsc::channel::<u8>();
            receiver.recv_timeout(SOON).is_err()
        }),
        ("recv_timeout", || {
            let (_sender, receiver) = bounded::<u8>(0);
            receiver.recv_timeout(SOON).is_err()
        }),
        ("recv_deadline", || {
            let (_sender, receiver) = bounded::<u8>(1);
            receiver.recv_deadline(later()).is_err()
        }),
        ("send_timeout", || {
            let (sender, _receiver) = bounded::<u8>(0);
            sender.send_timeout(1, SOON).is_err()
        }),
        ("send_deadline", || {
            let (sender, _receiver) = bounded::<u8>(0);
            sender.send_deadline(1, later()).is_err()
        }),
        ("select_timeout", || {
            let (_sender, receiver) = bounded::<u8>(1);
            let mut select = Select::new();
            select.recv(&receiver);
            select.select_timeout(SOON).is_err()
        }),
        ("select_deadline", || {
            let (_sender, receiver) = bounded::<u8>(0);
            let mut select = Select::new();
            select.recv(&receiver);
            select.select_deadline(later()).is_err()
        }),
        ("park_timeout", || {
            park_timeout(SOON);
            true
        }),
        ("sleep", || {
            thread::sleep(SOON);
            true
        }),
    ];
    for &(name, case) in cases {
        let report = Checker::new().spurious_max(0).check(move || {
            let begun = Instant::now();
            if case() {
                let elapsed = begun.elapsed();
                assert!(elapsed >= SOON, "{name}: {elapsed:?}");
            }
        });
        assert!(
            !report.has(Code::Panic) && report.search.complete,
            "{name}: {report}"
        );
    }
}

/// A wait for a token until a deadline, as channels built on `park_timeout` have it.
#[test]
fn a_park_until_a_deadline_ends() {
    let report = check(|| {
        let ready = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let its = Arc::clone(&ready);
        let main = thread::current();
        let other = thread::spawn(move || {
            its.store(true, std::sync::atomic::Ordering::SeqCst);
            main.unpark();
        });
        let deadline = Instant::now() + Duration::from_millis(20);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if ready.load(std::sync::atomic::Ordering::SeqCst) || left.is_zero() {
                break;
            }
            thread::park_timeout(left);
        }
        other.join().unwrap();
    });
    report.assert_clean();
}

/// What the model leaves behind when it deadlocks is unwound, whatever it is.
#[test]
fn everything_unwinds() {
    fn stuck(all: bool) {
        let (sender, receiver) = bounded::<Arc<()>>(1);
        let (words, word) = mpsc::sync_channel::<Arc<()>>(0);
        let lock = std_sync::Mutex::new(());
        let (semaphore, group) = (Semaphore::fair(1), WaitGroup::new());
        let shared = RwLock::new(());
        let (its, its_words, its_receiver) = (group.clone(), words.clone(), receiver.clone());
        thread::scope(|scope| {
            scope.spawn(|| {
                let _held = (
                    its,
                    its_words,
                    its_receiver,
                    semaphore.acquire(),
                    shared.read(),
                );
                if all {
                    thread::park();
                }
            });
            let held = (lock.lock().unwrap(), semaphore.acquire());
            sender.send(Arc::new(())).unwrap();
            drop((word, words));
            if !all {
                drop(held);
            }
            group.wait();
        });
    }
    for &engine in ENGINES {
        let report = Checker::new().engine(engine).check(|| stuck(true));
        assert_eq!(
            (&report.error, report.verdict),
            (&None, Verdict::Found),
            "{report}"
        );
        Checker::new()
            .engine(engine)
            .check(|| stuck(false))
            .assert_clean();
    }
}
