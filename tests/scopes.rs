//! What a thread owns is gone before whoever waits for it goes on: std's order, in every interleaving.
//!
//! A table: what has a destructor with operations (a local, a capture, the result …) by how the
//! thread is waited for, by engine. The destructor borrows from the frame that waits, and looks
//! whether that is still there.

#![cfg(feature = "model")]

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use gordian::report::Engine;
use gordian::sync::Mutex;
use gordian::{Checker, thread};

const ENGINES: &[Engine] = &[
    Engine::Controlled,
    #[cfg(feature = "loom")]
    Engine::Loom,
];

/// What the waiting frame lends.
struct Frame {
    lock: Mutex<u32>,
    /// Whether it still waits.
    stands: AtomicBool,
    dropped: AtomicU32,
}

impl Frame {
    fn new() -> Frame {
        Frame {
            lock: Mutex::new(0),
            stands: AtomicBool::new(true),
            dropped: AtomicU32::new(0),
        }
    }
}

/// A destructor with operations.
struct Loud<'a>(&'a Frame);

impl Drop for Loud<'_> {
    fn drop(&mut self) {
        *self.0.lock.lock() += 1;
        assert!(self.0.stands.load(SeqCst), "the frame is gone");
        *self.0.lock.lock() += 1;
        assert!(self.0.stands.load(SeqCst), "the frame is gone");
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

gordian::thread_local! {
    static LOCAL: RefCell<Option<Loud<'static>>> = const { RefCell::new(None) };
}

/// Where the thing with the destructor is.
#[derive(Clone, Copy, Debug)]
enum What {
    Local,
    Captured,
    Result,
    /// The payload of a panic.
    Payload,
    ThreadLocal,
    /// What another thread of the scope has, which this one starts when the scope waits already.
    OfAnother,
    /// The same, started by a destructor.
    OfAnotherFromDestructor,
}

const WHATS: &[What] = &[
    What::Local,
    What::Captured,
    What::Result,
    What::Payload,
    What::ThreadLocal,
    What::OfAnother,
    What::OfAnotherFromDestructor,
];

/// How the thread is waited for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// Its handle goes at once; the scope waits.
    ScopeOnly,
    /// Its handle goes at the end; the scope waits.
    HandleHeld,
    /// The same, after the other thread was given time.
    HandleHeldLong,
    Join,
}

const WAITS: &[Wait] = &[
    Wait::ScopeOnly,
    Wait::HandleHeld,
    Wait::HandleHeldLong,
    Wait::Join,
];

struct Starts<'scope, 'env>(&'scope thread::Scope<'scope, 'env>, &'env Frame);

impl Drop for Starts<'_, '_> {
    fn drop(&mut self) {
        let frame = self.1;
        *frame.lock.lock() += 1;
        self.0.spawn(move || drop(Loud(frame)));
    }
}

fn model(what: What, wait: Wait) {
    let frame = Frame::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        thread::scope(|scope| {
            let its = &frame;
            let captured = matches!(what, What::Captured).then(|| Loud(its));
            let handle = scope.spawn(move || {
                *its.lock.lock() += 1;
                let captured = captured;
                match what {
                    What::Local => drop(Loud(its)),
                    What::Captured => assert!(captured.is_some()),
                    What::Result => return Some(Loud(its)),
                    What::Payload => {
                        // SAFETY: only the lifetime changes; the test asserts that it is kept.
                        let payload: Loud<'static> = unsafe { std::mem::transmute(Loud(its)) };
                        std::panic::resume_unwind(Box::new(payload));
                    }
                    What::ThreadLocal => LOCAL.with(|local| {
                        // SAFETY: as above.
                        let loud: Loud<'static> = unsafe { std::mem::transmute(Loud(its)) };
                        *local.borrow_mut() = Some(loud);
                    }),
                    What::OfAnother => {
                        scope.spawn(move || {
                            let _loud = Loud(its);
                            *its.lock.lock() += 1;
                        });
                    }
                    What::OfAnotherFromDestructor => drop(Starts(scope, its)),
                }
                None
            });
            match wait {
                Wait::ScopeOnly => drop(handle),
                Wait::HandleHeld => {}
                Wait::HandleHeldLong => {
                    *its.lock.lock() += 1;
                    *its.lock.lock() += 1;
                }
                Wait::Join => {
                    drop(handle.join());
                    let joined = its.dropped.load(SeqCst);
                    if !matches!(what, What::OfAnother | What::OfAnotherFromDestructor) {
                        assert_eq!(joined, 1, "it is gone once its thread is joined");
                    }
                }
            }
        });
    }));
    frame.stands.store(false, SeqCst);
    assert_eq!(
        frame.dropped.load(SeqCst),
        1,
        "it is gone once the scope is"
    );
    let panics = matches!(
        (what, wait),
        (
            What::Payload,
            Wait::ScopeOnly | Wait::HandleHeld | Wait::HandleHeldLong
        )
    );
    assert_eq!(panicked.is_err(), panics);
}

#[test]
fn what_a_scoped_thread_owns_is_gone_before_the_scope_ends() {
    for &engine in ENGINES {
        for &what in WHATS {
            for &wait in WAITS {
                let report = Checker::new()
                    .engine(engine)
                    .check(move || model(what, wait));
                let case = format!("{what:?}, {wait:?}, {engine:?}");
                match what {
                    // A panic is a finding, whatever becomes of its payload.
                    What::Payload => {
                        let findings: Vec<_> = report
                            .findings
                            .iter()
                            .map(|it| it.message.as_str())
                            .collect();
                        assert_eq!(findings.len(), 1, "{case}: {report}");
                        assert!(findings[0].contains("not text"), "{case}: {findings:?}");
                    }
                    _ => assert!(
                        report.findings.is_empty() && report.error.is_none(),
                        "{case}: {report}"
                    ),
                }
            }
        }
    }
}
