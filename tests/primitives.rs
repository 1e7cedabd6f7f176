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
    assert!(!endless.search.complete, "{endless}");
    check(|| poll(true)).assert_clean();
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
