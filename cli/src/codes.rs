//! What each finding code means, and how one gets rid of it: the only place that says so.
//!
//! Knows the codes in general. Does not know any one finding, nor who shows it: reports say it in a
//! sentence, `cargo gordian explain` in paragraphs.

use gordian::Code;

/// A code explained.
pub(crate) struct Rule {
    pub(crate) code: Code,
    /// One sentence.
    pub(crate) short: &'static str,
    /// Why it is a defect, in one sentence or two.
    pub(crate) why: &'static str,
    /// What it means, a paragraph each.
    pub(crate) meaning: &'static [&'static str],
    /// What to change.
    pub(crate) fix: &'static str,
}

impl Rule {
    /// The code as a name without dashes: `SelfDeadlock`.
    pub(crate) fn name(&self) -> String {
        let words = self.code.as_str().split('-');
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        };
        words.map(capital).collect()
    }
}

/// Every code, in the order of [`Code::ALL`].
pub(crate) const RULES: &[Rule] = &[
    Rule {
        code: Code::Deadlock,
        short: "Threads wait for each other in a circle.",
        why: "Each of the threads holds what another one waits for, so none of them ever goes on.",
        meaning: &[
            "Each of some threads holds what the next one waits for, and the last one holds what \
             the first one waits for. None of them ever goes on; others may. What is waited for \
             can be a lock, but also a message, a permit, a notification, or the end of a thread.",
            "Tests seldom meet it: each thread must be stopped between its two acquisitions. In \
             production it happens on the day with the most traffic.",
        ],
        fix: "Take the locks in the same order everywhere. Or give one back before taking the \
              other, or put under one lock what belongs together. A thread that joins another one \
              must hold nothing that the other one wants.",
    },
    Rule {
        code: Code::SelfDeadlock,
        short: "A thread waits for what it holds itself.",
        why: "The lock is not reentrant: the thread that holds it is the only one that could give \
              it back, and it waits.",
        meaning: &[
            "A thread waits for what it holds itself: it takes a lock again that is not \
             reentrant, or joins itself. No other thread is needed, so it happens in every run \
             that comes along here.",
            "Often a function that takes the lock calls another one that takes it too. In Rust \
             look for a guard that lives longer than it seems: one in the head of an `if let` or \
             `match` lives to the end of the block.",
        ],
        fix: "Give the lock back before the call, or hand the guard, or what it guards, to the \
              function that is called.",
    },
    Rule {
        code: Code::LostWakeup,
        short: "A thread waits to be woken, and nobody is left to do so.",
        why: "The notification came before the wait, went to another waiter, or never comes.",
        meaning: &[
            "A thread waits to be woken and nobody is left to do so, though there is no cycle: \
             the notification came before the wait, went to another waiter, or never comes; the \
             last sender, the last permit or the holder of the lock is gone.",
            "A thread that spins waits as well: for somebody to change what it looks at again and \
             again. Where the one who would do that waits for a lock that it holds itself, it is a \
             `deadlock`.",
        ],
        fix: "Wait in a loop for a condition that is changed under the same lock, notify after \
              each change, and notify all waiters when they wait for different things. Whoever \
              owes a message, a permit or a release must pay it on every path, that of an error \
              too.",
    },
    Rule {
        code: Code::DoubleRelease,
        short: "A lock is released that nobody holds.",
        why: "Some path releases twice, or without having taken the lock. By then another thread \
              may hold it, and loses it.",
        meaning: &[
            "A lock is released that nobody holds. Some path releases twice, or without having \
             taken the lock. With a lock that has no owner, such as Python's, the second release \
             may hit another thread that has taken it meanwhile: it is not alone any more.",
        ],
        fix: "Release in one place only, where the lock is known to be held: by a guard, or \
              `with`.",
    },
    Rule {
        code: Code::ForeignRelease,
        short: "A thread releases a lock that another thread holds.",
        why: "The other thread believes that it is alone, and no longer is.",
        meaning: &[
            "A thread releases a lock that another thread holds. The other one believes that it \
             is alone, and no longer is.",
            "`if lock.locked(): lock.release()` is the usual way to write it: the question is \
             whether anyone holds the lock, not who.",
        ],
        fix: "Release only what this thread took: by a guard, or by remembering whether it was \
              taken.",
    },
    Rule {
        code: Code::LeakedGuard,
        short: "A thread ends, or forgets a guard, with a lock held.",
        why: "Nobody can release the lock any more: whoever wants it waits for ever.",
        meaning: &[
            "A thread has ended, or has forgotten a guard, and still holds a lock. Nobody can \
             release it any more: whoever comes next waits for ever. In a scenario it is a hazard, \
             in a model in Rust an error.",
        ],
        fix: "Let a guard release it, which works on every path: a `return`, a `?`, a panic.",
    },
    Rule {
        code: Code::LockOrder,
        short: "The same locks are taken in two orders.",
        why: "Two threads that do so at the same time wait for each other.",
        meaning: &[
            "The same locks are taken in two orders. As long as something else keeps the two \
             places apart nothing happens; once it does not, their threads wait for each other.",
            "Models and scenarios are searched in every interleaving, so this version of Gordian \
             reports what comes of it: `deadlock` when it can happen, nothing when it cannot. The \
             code is for what is seen in a single run, where only the order is known.",
        ],
        fix: "Decide on one order, write it down where the locks are declared, and take them in \
              it everywhere.",
    },
    Rule {
        code: Code::SlowUnderLock,
        short: "A slow call is made while a lock is held.",
        why: "Everyone who needs the lock waits as long as the disk, the network or the other \
              side takes, which may be for ever.",
        meaning: &[
            "A call that was marked slow (a file, a socket, another service) is made while a lock \
             is held. All who want the lock wait as long as the call takes; when the other side \
             never answers, for ever.",
            "`gordian::slow(\"name\")` marks such a call in Rust, `slow \"name\"` in a scenario.",
        ],
        fix: "Make the call first and take the lock for its result; or take what is needed out of \
              the lock, give it back, and make the call then.",
    },
    Rule {
        code: Code::AwaitUnderLock,
        short: "A blocking lock's guard lives across an await.",
        why: "The task may be parked with the lock held, and the thread that runs it then blocks \
              on the same lock.",
        meaning: &[
            "The guard of a lock that blocks is alive across an `await`. The task goes to sleep \
             with the lock held; the worker polls another task, which wants the lock and blocks \
             the worker: nobody is left to wake the first one.",
            "This version of Gordian does not report the code by itself: it finds what comes of \
             it, as below.",
        ],
        fix: "End the guard's block before the `await`, or use a lock that is awaited itself.",
    },
    Rule {
        code: Code::Starvation,
        short: "A thread tries again and again without getting anywhere.",
        why: "There is a schedule in which others always come first, or all undo what the others \
              do.",
        meaning: &[
            "A thread can always go on and gets nowhere: it asks again and again for what will \
             not come, though everybody has their turn. A livelock is of this kind: threads that \
             step aside for each other for ever.",
            "A model in Rust reports it when an execution reaches `steps_max`. A scenario is \
             asked for it by `expect starvation` or `--liveness`.",
        ],
        fix: "Say also that it has failed, so that nobody waits for it. Better wait than ask: for \
              a lock, a condition variable, a message. Where it must be tried again, give up after \
              a number of times.",
    },
    Rule {
        code: Code::TimeoutOnly,
        short: "Only a time-out broke a cycle of waiting threads.",
        why: "Without the time-out it is a deadlock; with it, the threads lose that much time and \
              then what they were about to do.",
        meaning: &[
            "Threads wait for each other, and only a time-out lets them go on: a deadlock that \
             lasts as long as the time-out. It is a hazard: nobody is stuck for ever, but work is \
             given up that nothing was wrong with.",
        ],
        fix: "Break the cycle as for `deadlock`, by one order of the locks. Keep the time-out for \
              what it is for: others that do not answer.",
    },
    Rule {
        code: Code::Panic,
        short: "A thread panics, or an invariant or assertion fails, in some interleaving.",
        why: "The order of steps shown leads there, and every order that is possible happens.",
        meaning: &[
            "In some interleaving a thread panics, an assertion fails, or what \
             `gordian::invariant` was told is not true after some step. The steps that lead there \
             are in the finding; the values are in its message.",
            "A `std::thread_local!` is one for all threads of a model, since those share one OS \
             thread: a value that a thread did not leave there itself comes from that. \
             `gordian::thread_local!` gives each thread its own.",
        ],
        fix: "Read the steps: two of them that belong together have those of another thread \
              between them. Put them under one lock, or make them one operation.",
    },
    Rule {
        code: Code::Nondeterminism,
        short: "The same schedule led elsewhere.",
        why: "The model depends on something that is not under control: the clock, addresses, a \
              random hash, a global. What was explored is not all there is.",
        meaning: &[
            "The same schedule led to other steps than before: something decides in the model \
             that Gordian does not control. A clock, a random number, the order of a hash map, a \
             static that lives longer than an execution, a `std::thread_local!` (one for all threads \
             of a model). What was not explored because of it is not proved.",
            "To see it, a search runs 14 of its executions again at the end and compares them step \
             by step (`reruns` says how many). The finding names the first step that differs: what \
             was done there before, and what is done instead.",
            "A handle of `std::sync::Arc` or `Weak` is one of those things where threads share it: \
             who drops the last one, and so runs the destructor, and what `strong_count`, \
             `upgrade`, `try_unwrap` and `get_mut` answer, depends on an order that is not seen. \
             `gordian::sync::Arc` and `Weak` are seen.",
        ],
        fix: "Make anew in each execution all that the model uses, and let `gordian::any` or \
              `gordian::choose` decide what the environment decides: all cases are explored then.",
    },
    Rule {
        code: Code::RecursiveRead,
        short: "A thread takes an rwlock for reading twice.",
        why: "A writer that queues between the two blocks the second one, and waits for the \
              first.",
        meaning: &[
            "A thread reads an rwlock that it reads already. Where waiting writers go before new \
             readers, as in parking_lot and in std on Linux, a writer that queues in between makes \
             it wait for itself. It is a hazard: with no writer nothing happens, and with one in \
             the model the deadlock is found as well.",
        ],
        fix: "Read once, and hand on the guard or what it guards. `read_recursive` of parking_lot \
              does not wait for writers, but may keep them waiting for ever.",
    },
];

/// What the code means.
pub(crate) fn rule(code: Code) -> &'static Rule {
    let rule = RULES.iter().find(|rule| rule.code == code);
    rule.unwrap_or_else(|| unreachable!("the code `{code}` is not explained"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_rule_in_the_same_order() {
        let codes: Vec<Code> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes, Code::ALL);
        for rule in RULES {
            let texts = [rule.short, rule.why, rule.fix];
            for text in texts.iter().chain(rule.meaning) {
                assert!(
                    text.ends_with('.') && text.len() > 20,
                    "{}: {text}",
                    rule.code
                );
            }
        }
        assert_eq!(rule(Code::SlowUnderLock).name(), "SlowUnderLock");
    }
}
