//! What the steps of a finding say of holds, and of who could have run instead.
#![cfg(feature = "model")]

use std::sync::Arc;

use expect_test::{Expect, expect};
use gordian::report::Step;
use gordian::sync::{Condvar, Mutex, RawLock, RwLock, Semaphore};
use gordian::thread::Builder;
use gordian::{Checker, Code, Named};

/// One line a step: what it takes (`+`), gives back (`-`), and who could have run instead (`|`).
fn told(step: &Step) -> String {
    let mut text = format!("{} {} {}", step.number, step.thread, step.operation);
    for (mark, names) in [
        ("+", &step.acquires),
        ("-", &step.releases),
        ("|", &step.alternatives),
    ] {
        for name in names {
            text += &format!(" {mark}{name}");
        }
    }
    text
}

fn check(code: Code, model: impl Fn() + Send + Sync + 'static, expected: Expect) {
    let report = Checker::new().name("steps").check(model);
    let finding = report.assert_found(code);
    let lines: Vec<String> = finding.steps.iter().map(told).collect();
    expected.assert_eq(&lines.join("\n"));
    for step in &finding.steps {
        assert!(!step.alternatives.contains(&step.thread), "{}", told(step));
    }
    let json = serde_json::to_string(&report).unwrap();
    let read: gordian::Report = serde_json::from_str(&json).unwrap();
    assert_eq!(read, report, "what is written can be read");
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) {
    let thread = Builder::new().name(name.to_owned());
    thread.spawn(body).expect("it starts");
}

#[test]
fn opposite_orders() {
    check(
        Code::Deadlock,
        || {
            let alice = Arc::new(Mutex::new(0).named("alice"));
            let bob = Arc::new(Mutex::new(0).named("bob"));
            for (name, first, second) in [("t1", &alice, &bob), ("t2", &bob, &alice)] {
                let (first, second) = (Arc::clone(first), Arc::clone(second));
                spawn(name, move || {
                    let _first = first.lock();
                    let _second = second.lock();
                });
            }
        },
        expect![[r#"
            1 main spawn
            2 main spawn
            3 t1 lock +alice |main |t2
            4 t2 lock +bob |main |t1
            5 t1 lock
            6 t2 lock"#]],
    );
}

#[test]
fn a_lock_given_back_by_another_thread() {
    check(
        Code::ForeignRelease,
        || {
            let lock = Arc::new(RawLock::new().named("lock"));
            let other = Arc::clone(&lock);
            spawn("stranger", move || {
                let _ = other.release();
            });
            lock.acquire();
        },
        expect![[r#"
            1 main spawn
            2 main acquire +lock |stranger
            3 stranger release -lock |main"#]],
    );
}

#[test]
fn a_wait_gives_back_the_lock() {
    check(
        Code::LostWakeup,
        || {
            let pair = Arc::new((Mutex::new(false).named("flag"), Condvar::new().named("set")));
            let other = Arc::clone(&pair);
            spawn("waiter", move || {
                let mut flag = other.0.lock();
                // Nobody notifies a second time.
                other.1.wait(&mut flag);
                other.1.wait(&mut flag);
            });
            *pair.0.lock() = true;
            pair.1.notify_one();
        },
        expect![[r#"
            1 main spawn
            2 main lock +flag |waiter
            3 main unlock -flag
            4 main notify-one |waiter
            5 main exit |waiter
            6 waiter lock +flag
            7 waiter sleep -flag
            8 waiter wait"#]],
    );
}

#[test]
fn readers_hold_beside_each_other() {
    check(
        Code::Deadlock,
        || {
            let (lock, other) = (RwLock::new(0).named("lock"), Mutex::new(0).named("other"));
            let shared = Arc::new((lock, other));
            for name in ["r1", "r2"] {
                let shared = Arc::clone(&shared);
                spawn(name, move || {
                    let _value = shared.0.read();
                    let _other = shared.1.lock();
                });
            }
            let other = shared.1.lock();
            let value = shared.0.write();
            drop((value, other));
        },
        expect![[r#"
            1 main spawn
            2 main spawn
            3 r1 read +lock |main |r2
            4 main lock +other |r1 |r2
            5 r1 lock
            6 main write |r2
            7 main write
            8 r2 read"#]],
    );
}

#[test]
fn permits_are_held() {
    check(
        Code::LostWakeup,
        || {
            let semaphore = Arc::new(Semaphore::new(1).named("permits"));
            for name in ["s1", "s2"] {
                let semaphore = Arc::clone(&semaphore);
                spawn(name, move || {
                    // Never given back.
                    std::mem::forget(semaphore.acquire());
                });
            }
        },
        expect![[r#"
            1 main spawn
            2 main spawn
            3 main exit |s1 |s2
            4 s1 acquire +permits |s2
            5 s2 acquire
            6 s1 exit"#]],
    );
}
