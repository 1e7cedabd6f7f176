//! Models that no model checker can do justice to: each gets an answer within a bound, and the
//! answer says what is wrong. None may hang, and none may pass.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gordian::report::{Code, Engine, Report, Verdict};
use gordian::sync::Mutex;
use gordian::sync::atomic::{AtomicBool, Ordering};
use gordian::{Checker, thread};
use model_tests::child;

const STALL_MAX: Duration = Duration::from_millis(300);
/// All bounds below end a check long before this.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Checks `model` with small bounds, and demands an answer that is not "clean" and that names all
/// of `words`.
#[track_caller]
fn answer(checker: Checker, model: fn(), words: &[&str]) -> Report {
    let start = Instant::now();
    let report = checker.stall_max(STALL_MAX).steps_max(300).check(model);
    assert!(
        start.elapsed() < ANSWER_MAX,
        "the answer took {:?}",
        start.elapsed()
    );
    assert_ne!(report.verdict, Verdict::Clean, "{report:#?}");
    let text = report.explain();
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in:\n{text}");
    }
    report
}

#[test]
fn a_channel_of_std_that_nobody_sends_to() {
    answer(
        Checker::new(),
        || {
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            let thread = thread::spawn(move || receiver.recv());
            thread.join().unwrap().unwrap_err();
            drop(sender);
        },
        &["stall"],
    );
}

#[test]
fn a_mutex_of_std_that_another_thread_of_the_model_holds() {
    answer(
        Checker::new(),
        || {
            let lock = Arc::new(std::sync::Mutex::new(0));
            let other = Arc::clone(&lock);
            let thread = thread::spawn(move || {
                let guard = other.lock().unwrap();
                thread::yield_now();
                drop(guard);
            });
            thread::yield_now();
            *lock.lock().unwrap() += 1;
            thread.join().unwrap();
        },
        &["stall"],
    );
}

#[test]
fn a_branch_on_the_clock() {
    let report = answer(
        Checker::new(),
        || {
            // The first execution is early, all others are late: whatever the machine does in
            // between, they differ.
            static START: OnceLock<Instant> = OnceLock::new();
            const LATE: Duration = Duration::from_millis(500);
            if let Some(start) = START.get() {
                std::thread::sleep(LATE.saturating_sub(start.elapsed()));
            }
            let start = *START.get_or_init(Instant::now);
            let lock = Arc::new(Mutex::new(0));
            let work = move || {
                if start.elapsed() < LATE {
                    *lock.lock() += 1;
                } else {
                    *lock.lock() -= 1;
                }
            };
            let threads = [thread::spawn(work.clone()), thread::spawn(work)];
            for thread in threads {
                thread.join().unwrap();
            }
        },
        &["nondeterminism"],
    );
    assert!(report.has(Code::Nondeterminism), "{report}");
}

#[test]
fn a_thread_of_std_that_uses_a_lock_of_the_model() {
    answer(
        Checker::new(),
        || {
            let lock = Arc::new(Mutex::new(0));
            let other = Arc::clone(&lock);
            let _guard = lock.lock();
            let thread = std::thread::spawn(move || *other.lock() += 1);
            if let Err(payload) = thread.join() {
                std::panic::resume_unwind(payload);
            }
        },
        &["model"],
    );
}

#[test]
fn a_spin_loop_over_an_atomic() {
    answer(
        Checker::new(),
        || {
            let flag = Arc::new(AtomicBool::new(false));
            let other = Arc::clone(&flag);
            let thread = thread::spawn(move || while !other.load(Ordering::SeqCst) {});
            thread.join().unwrap();
            flag.store(true, Ordering::SeqCst);
        },
        &["spins until", "changes"],
    );
}

#[test]
fn a_model_that_takes_and_gives_back_for_ever() {
    answer(
        Checker::new().executions_max(10),
        || {
            let lock = Mutex::new(0);
            loop {
                *lock.lock() += 1;
            }
        },
        &["300"],
    );
}

#[test]
fn six_threads_under_loom() {
    let report = answer(
        Checker::new().engine(Engine::Loom),
        || {
            let threads: Vec<_> = (0..6).map(|_| thread::spawn(thread::yield_now)).collect();
            for thread in threads {
                thread.join().unwrap();
            }
        },
        &["loom", "5 threads"],
    );
    assert_eq!(report.verdict, Verdict::Error, "{report}");
}

#[test]
#[ignore = "runs in a process of its own"]
fn no_operation_for_ever() {
    if child::is_for("no_operation_for_ever") {
        // The thread cannot be stopped: the process must end around it.
        answer(
            Checker::new(),
            || loop {
                std::hint::spin_loop();
            },
            &["stall"],
        );
    }
}

#[test]
fn a_loop_without_operations() {
    let ended = child::run("no_operation_for_ever", ANSWER_MAX);
    assert!(ended.success && !ended.killed, "{ended:#?}");
}

/// Recursion that does not end, as far as the compiler can see it does.
fn deeper(level: u64) -> u64 {
    let frame = std::hint::black_box([level; 64]);
    if frame[0] == u64::MAX {
        return 0;
    }
    frame[3] + deeper(level + 1) + frame[60]
}

#[test]
#[ignore = "ends its process"]
fn recursion_at_once() {
    if child::is_for("recursion_at_once") {
        Checker::new().check(|| {
            let thread = thread::spawn(|| std::hint::black_box(deeper(0)));
            thread.join().unwrap();
        });
    }
}

#[test]
#[ignore = "ends its process"]
fn recursion_after_a_switch() {
    if child::is_for("recursion_after_a_switch") {
        Checker::new().check(|| {
            let lock = Arc::new(Mutex::new(0));
            let other = Arc::clone(&lock);
            let thread = thread::spawn(move || {
                let _guard = other.lock();
                std::hint::black_box(deeper(0))
            });
            drop(lock.lock());
            thread.join().unwrap();
        });
    }
}

#[test]
fn a_stack_that_overflows() {
    for name in ["recursion_at_once", "recursion_after_a_switch"] {
        let ended = child::run(name, ANSWER_MAX);
        assert!(!ended.success && !ended.killed, "{ended:#?}");
        assert!(
            ended.stderr.contains("overflowed its stack"),
            "{name}: {ended:#?}"
        );
    }
}
