//! What the steps of a finding say of holds, and of who could have run instead.
#![cfg(feature = "model")]

use std::sync::Arc;

use expect_test::{Expect, expect};
use gordian::report::Step;
use gordian::sync::{Mutex, RawLock};
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
            3 main exit |t1 |t2
            4 t1 lock +alice |t2
            5 t2 lock +bob |t1
            6 t1 lock
            7 t2 lock"#]],
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
            3 main exit |stranger"#]],
    );
}
