//! Answers of the face that the real primitives give, and a checker is tempted not to: each mistake
//! is named, and its correction is proved.
#![cfg(feature = "model")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use gordian::report::{Engine, Severity, Verdict};
use gordian::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use gordian::sync::channel::{bounded, never, select};
use gordian::sync::{Arc, Condvar, LazyLock, Mutex, OnceLock};
use gordian::time::Duration;
use gordian::{Checker, Code, Named, Report, thread};

const ENGINES: &[Engine] = &[
    Engine::Controlled,
    #[cfg(feature = "loom")]
    Engine::Loom,
];

fn reports(model: fn()) -> impl Iterator<Item = Report> {
    let check = move |&engine| Checker::new().engine(engine).check(model);
    ENGINES.iter().map(check)
}

#[track_caller]
fn finds(model: fn(), code: Code, message: &str) {
    for report in reports(model) {
        let errors = report.findings.iter();
        let errors: Vec<_> = errors.filter(|it| it.severity == Severity::Error).collect();
        assert_eq!(report.error, None, "{report}");
        assert!(!errors.is_empty(), "{report}");
        for error in errors {
            assert_eq!(error.code, code, "{report}");
            assert!(error.message.contains(message), "{report}");
        }
    }
}

#[track_caller]
fn clean(model: fn()) {
    for report in reports(model) {
        assert_eq!(report.verdict, Verdict::Clean, "{report}");
        assert!(report.search.complete, "{report}");
    }
}

/// Two threads wait, each with a lock of its own or both with one.
fn wait_with(locks: usize) {
    let shared = Arc::new(([(); 2].map(|()| Mutex::new(())), Condvar::new()));
    let its = Arc::clone(&shared);
    let other = thread::spawn(move || {
        let mut guard = its.0[1 % locks].lock();
        its.1.wait_for(&mut guard, Duration::from_secs(1));
    });
    let mut guard = shared.0[0].lock();
    shared.1.wait_for(&mut guard, Duration::from_secs(1));
    drop(guard);
    let _ = other.join();
}

#[test]
fn a_condvar_is_for_one_mutex_at_a_time() {
    let message = "attempted to use a condition variable with more than one mutex";
    finds(|| wait_with(2), Code::Panic, message);
    clean(|| wait_with(1));
    // One after the other is none of parking_lot's business.
    clean(|| {
        let (one, other, changed) = (Mutex::new(()), Mutex::new(()), Condvar::new());
        thread::scope(|scope| {
            for lock in [&one, &other] {
                let mut guard = lock.lock();
                let notifier = scope.spawn(|| {
                    let _guard = lock.lock();
                    changed.notify_all();
                });
                changed.wait(&mut guard);
                drop(guard);
                notifier.join().unwrap();
            }
        });
    });
}

#[test]
fn an_update_is_made_again_when_the_value_has_changed() {
    fn calls(expected: fn(usize) -> bool) {
        let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let its = Arc::clone(&shared);
        // The closure may use the face.
        let add = |shared: &(AtomicUsize, AtomicUsize)| {
            let add = |value| {
                shared.1.fetch_add(1, SeqCst);
                Some(value + 1)
            };
            shared.0.fetch_update(SeqCst, SeqCst, add).unwrap()
        };
        let other = thread::spawn(move || add(&its));
        let mine = add(&shared);
        let theirs = other.join().unwrap();
        assert_eq!((mine + theirs, shared.0.load(SeqCst)), (1, 2));
        assert!(expected(shared.1.load(SeqCst)), "calls");
    }
    finds(|| calls(|calls| calls == 2), Code::Panic, "calls");
    clean(|| calls(|calls| calls == 2 || calls == 3));
}

#[test]
fn an_update_that_always_succeeds() {
    clean(|| {
        let value = Arc::new(AtomicUsize::new(1));
        let its = Arc::clone(&value);
        let other = thread::spawn(move || its.update(SeqCst, SeqCst, |value| 2 * value));
        value
            .try_update(SeqCst, SeqCst, |value| Some(3 * value))
            .unwrap();
        assert!(value.try_update(SeqCst, SeqCst, |_| None).is_err());
        other.join().unwrap();
        assert_eq!(value.load(SeqCst), 6);
    });
}

#[test]
fn the_same_sender_in_two_arms() {
    fn model(receives: usize) {
        let (sender, receiver) = bounded(0);
        let other = thread::spawn(move || {
            for _ in 0..receives {
                let _ = receiver.recv();
            }
        });
        for _ in 0..2 {
            let sent = select! {
                send(sender, 1) -> sent => sent,
                send(sender, 2) -> sent => sent,
            };
            sent.unwrap();
        }
        // Nobody sends any more, and who receives is told.
        drop(sender);
        other.join().unwrap();
    }
    clean(|| model(2));
    clean(|| model(3));
    finds(|| model(1), Code::Panic, "SendError");
}

#[test]
fn a_channel_on_which_nothing_ever_comes() {
    clean(|| {
        let (one, two) = (never::<u8>(), never::<u8>());
        assert_eq!((one.capacity(), one.len()), (Some(0), 0));
        assert!(one.is_full() && one.is_empty() && one.try_recv().is_err());
        assert!(one.same_channel(&two) && one.clone().same_channel(&one));
        assert!(!one.same_channel(&bounded(1).1));
    });
    finds(
        || assert!(never::<u8>().recv().is_err()),
        Code::LostWakeup,
        "",
    );
}

#[test]
fn threads_without_a_name_have_none() {
    clean(|| {
        let name = || thread::current().name().map(str::to_owned);
        assert_eq!(name().as_deref(), Some("main"));
        let thread = thread::spawn(name);
        assert_eq!(thread.thread().name(), None);
        assert_eq!(thread.join().unwrap(), None);
        // One that reports would give it.
        for given in ["thread-1", "worker"] {
            let builder = thread::Builder::new().name(given.to_owned());
            let thread = builder.spawn(name).unwrap();
            assert_eq!(thread.thread().name(), Some(given));
            assert_eq!(thread.join().unwrap().as_deref(), Some(given));
        }
    });
    let report = gordian::check(|| thread::spawn(|| panic!("no")).join().unwrap_or(()));
    let finding = report.assert_found(Code::Panic);
    assert!(finding.message.starts_with("`thread-1`"), "{report}");
}

#[test]
fn a_lazy_value_whose_maker_panicked_says_so() {
    fn model(fails: bool) {
        let lazy = LazyLock::new(move || {
            assert!(!fails, "not made");
            1
        });
        let first = catch_unwind(AssertUnwindSafe(|| *lazy));
        assert_eq!(first.is_err(), fails);
        assert_eq!(*lazy, 1);
    }
    let message = "LazyLock instance has previously been poisoned";
    finds(|| model(true), Code::Panic, message);
    clean(|| model(false));
    let outside = catch_unwind(|| model(true)).unwrap_err();
    assert_eq!(
        outside.downcast_ref::<String>().map(String::as_str),
        Some(message)
    );
}

/// As std's: what it holds may borrow what is dropped before it.
#[test]
fn a_once_lock_may_outlive_what_it_borrows() {
    let (cell, value);
    cell = OnceLock::new();
    value = String::from("short");
    assert_eq!(cell.set(value.as_str()), Ok(()));
    assert_eq!(cell.get(), Some(&"short"));
}

#[test]
fn more_threads_than_there_can_be() {
    fn start(count: usize) {
        let threads: Vec<_> = (0..count).map(|_| thread::spawn(|| {})).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
    let report = gordian::check(|| start(64));
    let error = report.error.as_deref();
    assert_eq!(
        error,
        Some("a model may start at most 63 threads"),
        "{report}"
    );
    assert!(!report.to_string().contains("steps_max"), "{report}");
    gordian::check(|| start(63)).assert_clean();
}

/// A thread that asks for more has it, though the model's others have less.
#[test]
fn a_stack_is_at_least_as_large_as_was_asked_for() {
    fn deep(levels: usize) -> usize {
        let here = std::hint::black_box([levels; 512]);
        match levels {
            0 => here.len(),
            _ => deep(levels - 1) + here[0] - levels,
        }
    }
    let model = |size: usize| {
        move || {
            let builder = thread::Builder::new().stack_size(size);
            let thread = builder.spawn(|| deep(500)).unwrap();
            assert_eq!(thread.join().unwrap(), 512);
        }
    };
    for &engine in ENGINES {
        let checker = Checker::new().engine(engine).stack_size(64 * 1024);
        checker.clone().check(model(8 << 20)).assert_clean();
        // One that asks for less than the others have.
        checker.stack_size(8 << 20).check(model(1)).assert_clean();
    }
}

/// A model's code may catch the unwinding with which its threads are brought to their end: it ends
/// nothing but the execution, and nothing goes on for ever.
#[test]
fn code_that_catches_every_panic() {
    /// Takes both locks until nothing panics.
    fn insist(first: &Mutex<u32>, second: &Mutex<u32>) {
        let both = || {
            let _count = CountsUnder(first);
            let first = first.lock();
            let second = second.lock();
            *first + *second
        };
        while catch_unwind(AssertUnwindSafe(both)).is_err() {}
    }

    /// Takes the lock when it is dropped, and catches what that may raise.
    struct CountsUnder<'a>(&'a Mutex<u32>);

    impl Drop for CountsUnder<'_> {
        fn drop(&mut self) {
            let _ = catch_unwind(AssertUnwindSafe(|| *self.0.lock() += 1));
        }
    }

    fn model(opposite: bool) {
        let locks = Arc::new((Mutex::new(0).named("a"), Mutex::new(0).named("b")));
        let its = Arc::clone(&locks);
        let other = thread::spawn(move || match opposite {
            true => insist(&its.1, &its.0),
            false => insist(&its.0, &its.1),
        });
        insist(&locks.0, &locks.1);
        assert!(catch_unwind(|| panic!("of its own")).is_err());
        let joined = catch_unwind(AssertUnwindSafe(|| other.join().is_ok()));
        assert!(joined.unwrap_or(true));
    }
    finds(|| model(true), Code::Deadlock, "wait for each other");
    clean(|| model(false));
}

/// Loom compares nothing but numbers, and says so in its way.
#[cfg(feature = "loom")]
#[test]
fn a_model_that_is_not_deterministic_under_loom() {
    use std::sync::atomic::AtomicUsize as Unseen;

    static RUNS: Unseen = Unseen::new(0);
    fn model(run: usize) {
        let value = Arc::new([(); 2].map(|()| AtomicUsize::new(0)));
        let its = Arc::clone(&value);
        let other = thread::spawn(move || {
            for at in 0..1 + run % 3 {
                its[at % 2].fetch_add(1, SeqCst);
            }
        });
        value[0].fetch_add(1, SeqCst);
        other.join().unwrap();
    }
    let check = |model: fn()| Checker::new().engine(Engine::Loom).check(model);
    let report = check(|| model(RUNS.fetch_add(1, SeqCst)));
    let error = report.error.as_deref().unwrap_or_default();
    assert!(
        error.starts_with("the model is not deterministic"),
        "{report}"
    );
    check(|| model(1)).assert_clean();
}
