//! What each finding code means, with an example and the way out.
//!
//! Knows the codes in general. Does not know any one finding. Each example is checked by a test: it
//! finds what is said here, and once it is fixed nothing is found.

use gordian::Code;

/// A finding code, explained.
pub(crate) struct Topic {
    pub(crate) code: Code,
    /// What it means, a paragraph each.
    pub(crate) meaning: &'static [&'static str],
    pub(crate) example: Example,
    /// How one gets rid of it.
    pub(crate) remedy: &'static str,
    /// The example after that.
    pub(crate) fixed: Example,
    /// Codes that are often mistaken for it, or found beside it.
    pub(crate) see_also: &'static [Code],
}

/// A small program.
pub(crate) struct Example {
    pub(crate) text: &'static str,
    pub(crate) language: Language,
    /// What it finds; nothing when it is fixed.
    pub(crate) finds: Option<Code>,
}

/// What an example is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// A scenario.
    Scenario,
    /// The body of a model.
    Rust,
}

/// The example of a code, and the fixed one.
macro_rules! scenarios {
    ($name:literal, $finds:expr) => {
        (
            Example {
                text: include_str!(concat!($name, ".gordian")),
                language: Language::Scenario,
                finds: Some($finds),
            },
            Example {
                text: include_str!(concat!($name, ".fixed.gordian")),
                language: Language::Scenario,
                finds: None,
            },
        )
    };
}

/// The explanation of a code.
pub(crate) fn topic(code: Code) -> Topic {
    let (meaning, remedy) = words(code);
    let (example, fixed) = examples(code);
    Topic {
        code,
        meaning,
        example,
        remedy,
        fixed,
        see_also: related(code),
    }
}

fn examples(code: Code) -> (Example, Example) {
    match code {
        Code::Deadlock => scenarios!("deadlock", Code::Deadlock),
        Code::SelfDeadlock => scenarios!("self-deadlock", Code::SelfDeadlock),
        Code::LostWakeup => scenarios!("lost-wakeup", Code::LostWakeup),
        Code::DoubleRelease => scenarios!("double-release", Code::DoubleRelease),
        Code::ForeignRelease => scenarios!("foreign-release", Code::ForeignRelease),
        Code::LeakedGuard => scenarios!("leaked-guard", Code::LeakedGuard),
        // What these two announce is found when it happens.
        Code::LockOrder => scenarios!("lock-order", Code::Deadlock),
        Code::AwaitUnderLock => scenarios!("await-under-lock", Code::SelfDeadlock),
        Code::SlowUnderLock => scenarios!("slow-under-lock", Code::SlowUnderLock),
        Code::Starvation => scenarios!("starvation", Code::Starvation),
        Code::TimeoutOnly => scenarios!("timeout-only", Code::TimeoutOnly),
        Code::Panic => scenarios!("panic", Code::Panic),
        Code::RecursiveRead => scenarios!("recursive-read", Code::RecursiveRead),
        Code::Nondeterminism => (
            Example {
                text: include_str!("nondeterminism.rs"),
                language: Language::Rust,
                finds: Some(Code::Nondeterminism),
            },
            Example {
                text: include_str!("nondeterminism.fixed.rs"),
                language: Language::Rust,
                finds: None,
            },
        ),
        other => unreachable!("the code `{other}` has no example"),
    }
}

fn related(code: Code) -> &'static [Code] {
    match code {
        Code::Deadlock => &[Code::SelfDeadlock, Code::LockOrder, Code::TimeoutOnly],
        Code::SelfDeadlock => &[Code::Deadlock, Code::RecursiveRead],
        Code::LostWakeup => &[Code::Deadlock, Code::LeakedGuard],
        Code::DoubleRelease => &[Code::ForeignRelease],
        Code::ForeignRelease => &[Code::DoubleRelease],
        Code::LeakedGuard => &[Code::LostWakeup],
        Code::LockOrder | Code::TimeoutOnly => &[Code::Deadlock],
        Code::SlowUnderLock => &[Code::AwaitUnderLock],
        Code::AwaitUnderLock => &[Code::SlowUnderLock, Code::SelfDeadlock],
        Code::Starvation => &[Code::Deadlock, Code::LostWakeup],
        Code::RecursiveRead => &[Code::SelfDeadlock, Code::Deadlock],
        _ => &[],
    }
}

/// What a code means, a paragraph each, and what to do about it.
type Words = (&'static [&'static str], &'static str);

fn words(code: Code) -> Words {
    let words = of_waiting(code)
        .or_else(|| of_holding(code))
        .or_else(|| of_running(code));
    words.unwrap_or_else(|| unreachable!("the code `{code}` is not explained"))
}

/// What a code about threads that wait means, and what to do about it.
#[rustfmt::skip]
fn of_waiting(code: Code) -> Option<Words> {
    Some(match code {
        Code::Deadlock => (
            &["Each of some threads holds what the next one waits for, and the last one holds what \
               the first one waits for. None of them ever goes on; others may. What is waited for \
               can be a lock, but also a message, a permit, a notification, or the end of a \
               thread.",
              "Tests seldom meet it: each thread must be stopped between its two acquisitions. In \
               production it happens on the day with the most traffic."],
            "Take the locks in the same order everywhere. Or give one back before taking the \
             other, or put under one lock what belongs together. A thread that joins another one \
             must hold nothing that the other one wants.",
        ),
        Code::SelfDeadlock => (
            &["A thread waits for what it holds itself: it takes a lock again that is not \
               reentrant, or joins itself. No other thread is needed, so it happens in every run \
               that comes along here.",
              "Often a function that takes the lock calls another one that takes it too. In Rust \
               look for a guard that lives longer than it seems: one in the head of an `if let` or \
               `match` lives to the end of the block."],
            "Give the lock back before the call, or hand the guard, or what it guards, to the \
             function that is called.",
        ),
        Code::LostWakeup => (
            &["A thread waits to be woken and nobody is left to do so, though there is no cycle: \
               the notification came before the wait, went to another waiter, or never comes; the \
               last sender, the last permit or the holder of the lock is gone."],
            "Wait in a loop for a condition that is changed under the same lock, notify after each \
             change, and notify all waiters when they wait for different things. Whoever owes a \
             message, a permit or a release must pay it on every path, that of an error too.",
        ),
        Code::LockOrder => (
            &["The same locks are taken in two orders. As long as something else keeps the two \
               places apart nothing happens; once it does not, their threads wait for each other.",
              "Models and scenarios are searched in every interleaving, so this version of Gordian \
               reports what comes of it: `deadlock` when it can happen, nothing when it cannot. \
               The code is for what is seen in a single run, where only the order is known."],
            "Decide on one order, write it down where the locks are declared, and take them in it \
             everywhere.",
        ),
        Code::TimeoutOnly => (
            &["Threads wait for each other, and only a time-out lets them go on: a deadlock that \
               lasts as long as the time-out. It is a hazard: nobody is stuck for ever, but work \
               is given up that nothing was wrong with."],
            "Break the cycle as for `deadlock`, by one order of the locks. Keep the time-out for \
             what it is for: others that do not answer.",
        ),
        Code::RecursiveRead => (
            &["A thread reads an rwlock that it reads already. Where waiting writers go before new \
               readers, as in parking_lot and in std on Linux, a writer that queues in between \
               makes it wait for itself. It is a hazard: with no writer nothing happens, and with \
               one in the model the deadlock is found as well."],
            "Read once, and hand on the guard or what it guards. `read_recursive` of parking_lot \
             does not wait for writers, but may keep them waiting for ever.",
        ),
        _ => return None,
    })
}

/// What a code about what is held means, and what to do about it.
#[rustfmt::skip]
fn of_holding(code: Code) -> Option<Words> {
    Some(match code {
        Code::DoubleRelease => (
            &["A lock is released that nobody holds. Some path releases twice, or without having \
               taken the lock. With a lock that has no owner, such as Python's, the second release \
               may hit another thread that has taken it meanwhile: it is not alone any more."],
            "Release in one place only, where the lock is known to be held: by a guard, or `with`.",
        ),
        Code::ForeignRelease => (
            &["A thread releases a lock that another thread holds. The other one believes that it \
               is alone, and no longer is.",
              "`if lock.locked(): lock.release()` is the usual way to write it: the question is \
               whether anyone holds the lock, not who."],
            "Release only what this thread took: by a guard, or by remembering whether it was \
             taken.",
        ),
        Code::LeakedGuard => (
            &["A thread has ended, or has forgotten a guard, and still holds a lock. Nobody can \
               release it any more: whoever comes next waits for ever. In a scenario it is a \
               hazard, in a model in Rust an error."],
            "Let a guard release it, which works on every path: a `return`, a `?`, a panic.",
        ),
        Code::SlowUnderLock => (
            &["A call that was marked slow (a file, a socket, another service) is made while a \
               lock is held. All who want the lock wait as long as the call takes; when the other \
               side never answers, for ever.",
              "`gordian::slow(\"name\")` marks such a call in Rust, `slow \"name\"` in a \
               scenario."],
            "Make the call first and take the lock for its result; or take what is needed out of \
             the lock, give it back, and make the call then.",
        ),
        Code::AwaitUnderLock => (
            &["The guard of a lock that blocks is alive across an `await`. The task goes to sleep \
               with the lock held; the worker polls another task, which wants the lock and blocks \
               the worker: nobody is left to wake the first one.",
              "This version of Gordian does not report the code by itself: it finds what comes of \
               it, as below."],
            "End the guard's block before the `await`, or use a lock that is awaited itself.",
        ),
        _ => return None,
    })
}

/// What a code about how a model runs means, and what to do about it.
#[rustfmt::skip]
fn of_running(code: Code) -> Option<Words> {
    Some(match code {
        Code::Starvation => (
            &["A thread can always go on and gets nowhere: it asks again and again for what will \
               not come, though everybody has their turn. A livelock is of this kind: threads that \
               step aside for each other for ever.",
              "A model in Rust reports it when an execution reaches `steps_max`. A scenario is \
               asked for it by `expect starvation` or `--liveness`."],
            "Say also that it has failed, so that nobody waits for it. Better wait than ask: for a \
             lock, a condition variable, a message. Where it must be tried again, give up after a \
             number of times.",
        ),
        Code::Panic => (
            &["In some interleaving a thread panics, an assertion fails, or what \
               `gordian::invariant` was told is not true after some step. The steps that lead \
               there are in the finding; the values are in its message."],
            "Read the steps: two of them that belong together have those of another thread between \
             them. Put them under one lock, or make them one operation.",
        ),
        Code::Nondeterminism => (
            &["The same schedule led to other steps than before: something decides in the model \
               that Gordian does not control. A clock, a random number, the order of a hash map, \
               a static that lives longer than an execution. What was not explored because of it \
               is not proved."],
            "Make anew in each execution all that the model uses, and let `gordian::any` or \
             `gordian::choose` decide what the environment decides: all cases are explored then.",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gordian::report::Severity;
    use gordian::scenario::{self, Options};
    use gordian::{Checker, Report};

    use super::*;

    // The examples in Rust, compiled.
    #[expect(
        unreachable_pub,
        reason = "they read as they would in a crate of their own"
    )]
    mod nondeterminism {
        include!("nondeterminism.rs");
    }
    #[expect(unreachable_pub, reason = "as above")]
    mod nondeterminism_fixed {
        include!("nondeterminism.fixed.rs");
    }

    fn report(code: Code, example: &Example) -> Report {
        if example.language == Language::Rust {
            assert_eq!(
                code,
                Code::Nondeterminism,
                "the model of `{code}` is not run"
            );
            return match example.finds {
                Some(_) => Checker::new().check(nondeterminism::model),
                None => Checker::new().check(nondeterminism_fixed::model),
            };
        }
        let parsed = Arc::new(scenario::parse(example.text).unwrap());
        assert_eq!(scenario::format(example.text).unwrap(), example.text);
        let options = Options::default();
        let checked = scenario::check(&parsed, "example", example.text, &options);
        assert_eq!(checked.expected, Some(true), "{code}: {}", checked.report);
        checked.report
    }

    #[test]
    fn every_example_finds_what_it_says() {
        for &code in Code::ALL {
            let topic = topic(code);
            let found = report(code, &topic.example);
            assert!(found.has(topic.example.finds.unwrap()), "{code}: {found}");
        }
    }

    #[test]
    fn every_fixed_example_is_clean() {
        for &code in Code::ALL {
            let fixed = topic(code).fixed;
            let found = report(code, &fixed);
            assert!(found.search.complete, "{code}: {found}");
            // Those who give up in time are no defect, and not fixed here: the order is.
            let bad = found
                .findings
                .iter()
                .filter(|one| one.severity == Severity::Error);
            assert_eq!(bad.count(), 0, "{code}: {found}");
            assert!(fixed.finds.is_none() && !found.has(code), "{code}: {found}");
        }
    }
}
