//! What each finding code means, and how one gets rid of it.
//!
//! Knows the codes in general. Does not know any one finding.

use gordian::Code;

/// A code explained.
pub(crate) struct Rule {
    pub(crate) code: Code,
    /// One sentence.
    pub(crate) short: &'static str,
    /// Why it is a defect.
    pub(crate) why: &'static str,
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
        fix: "Take the locks in the same order everywhere, or give one back before waiting for \
              another, or put both under one lock.",
    },
    Rule {
        code: Code::SelfDeadlock,
        short: "A thread waits for what it holds itself.",
        why: "The lock is not reentrant: the thread that holds it is the only one that could give \
              it back, and it waits.",
        fix: "Give the lock back before the call that takes it again, or pass the guard, or what \
              it guards, to the function called.",
    },
    Rule {
        code: Code::LostWakeup,
        short: "A thread waits to be woken, and nobody is left to do so.",
        why: "The notification came before the wait, went to another waiter, or never comes.",
        fix: "Wait in a loop for a condition that is changed under the same lock, notify after \
              each change, and notify all when waiters wait for different things.",
    },
    Rule {
        code: Code::DoubleRelease,
        short: "A lock is released that nobody holds.",
        why: "Some path releases twice, or without having taken the lock. By then another thread \
              may hold it, and loses it.",
        fix: "Release in one place only, where the lock is known to be held: by a guard.",
    },
    Rule {
        code: Code::ForeignRelease,
        short: "A thread releases a lock that another thread holds.",
        why: "The other thread believes that it is alone, and no longer is.",
        fix: "Do not ask whether the lock is held but whether this thread holds it: release by a \
              guard, or remember what was taken.",
    },
    Rule {
        code: Code::LeakedGuard,
        short: "A thread ends, or forgets a guard, with a lock held.",
        why: "Nobody can release the lock any more: whoever wants it waits for ever.",
        fix: "Let the guard go out of scope on every path, that of an error too.",
    },
    Rule {
        code: Code::LockOrder,
        short: "The same locks are taken in two orders.",
        why: "Two threads that do so at the same time wait for each other.",
        fix: "Decide on one order and take the locks in it everywhere.",
    },
    Rule {
        code: Code::SlowUnderLock,
        short: "A slow call is made while a lock is held.",
        why: "Everyone who needs the lock waits as long as the disk, the network or the other side \
              takes, which may be for ever.",
        fix: "Copy what the call needs, give the lock back, make the call, take the lock again and \
              check that what was copied still holds.",
    },
    Rule {
        code: Code::AwaitUnderLock,
        short: "A blocking lock's guard lives across an await.",
        why: "The task may be parked with the lock held, and the thread that runs it then blocks \
              on the same lock.",
        fix: "Give the guard back before the await, or use an asynchronous lock.",
    },
    Rule {
        code: Code::Starvation,
        short: "A thread tries again and again without getting anywhere.",
        why: "There is a schedule in which others always come first, or all undo what the others \
              do.",
        fix: "Wait instead of trying again: on the lock itself, or on a condition variable.",
    },
    Rule {
        code: Code::TimeoutOnly,
        short: "Only a time-out broke a cycle of waiting threads.",
        why: "Without the time-out it is a deadlock; with it, the threads lose that much time and \
              then what they were about to do.",
        fix: "Remove the cycle as that of a deadlock. A time-out hides it, and fires when it \
              suits least.",
    },
    Rule {
        code: Code::Panic,
        short: "A thread panics, or an invariant or assertion fails, in some interleaving.",
        why: "The order of steps shown leads there, and every order that is possible happens.",
        fix: "Make the steps between the check and its use one: under one lock, or by checking \
              again.",
    },
    Rule {
        code: Code::Nondeterminism,
        short: "The same schedule led elsewhere.",
        why: "The model depends on something that is not under control: the clock, addresses, a \
              random hash, a global. What was explored is not all there is.",
        fix: "Take the time, random numbers and the environment's answers from \
              `gordian::choose`, and create all state inside of the model.",
    },
    Rule {
        code: Code::RecursiveRead,
        short: "A thread takes an rwlock for reading twice.",
        why: "A writer that queues between the two blocks the second one, and waits for the first.",
        fix: "Keep the first guard and use it, or take the lock by `read_recursive` where the lock \
              has it.",
    },
];

/// What the code means.
pub(crate) fn rule(code: Code) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_rule_in_the_same_order() {
        let codes: Vec<Code> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes, Code::ALL);
        for rule in RULES {
            for text in [rule.short, rule.why, rule.fix] {
                assert!(
                    text.ends_with('.') && text.len() > 20,
                    "{}: {text}",
                    rule.code
                );
            }
        }
        assert_eq!(
            rule(Code::SlowUnderLock).map(Rule::name).as_deref(),
            Some("SlowUnderLock")
        );
    }
}
