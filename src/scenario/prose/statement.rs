//! What each statement does, in a sentence.

use super::expression::{local, object, written};
use super::{and, counted, quoted};
use crate::scenario::ast::{
    ArmKind, Assignment, Attempt, Expression, LocalIndex, ObjectIndex, Operator, Place, Scenario,
    StatementKind as S, ThreadIndex, TicketIndex,
};

/// What a statement does, with a full stop, or a colon before its blocks.
pub(super) fn sentence(scenario: &Scenario, kind: &S) -> String {
    let words = Words { scenario };
    words.of_blocks(kind).unwrap_or_else(|| {
        let found = words
            .of_locks(kind)
            .or_else(|| words.of_signals(kind))
            .or_else(|| words.of_notifies(kind))
            .or_else(|| words.of_channels(kind))
            .or_else(|| words.of_threads(kind))
            .or_else(|| words.of_variables(kind))
            .unwrap_or_default();
        found + "."
    })
}

/// What a case of a `select` waits for.
pub(super) fn arm(scenario: &Scenario, kind: &ArmKind) -> String {
    let words = Words { scenario };
    match kind {
        ArmKind::Recv { channel, value, ok } => {
            format!("when it can, {}", words.receives(*channel, *value, *ok))
        }
        ArmKind::Send { channel, value, ok } => {
            format!("when it can, {}", words.sends(*channel, value, *ok))
        }
    }
}

/// What an assignment does.
pub(super) fn assignment(scenario: &Scenario, assignment: &Assignment) -> String {
    let words = Words { scenario };
    let (name, own) = match assignment.place {
        Place::Local(index) => (words.local(index), Expression::Local(index)),
        Place::Var(index) => (words.object(index), Expression::Var(index)),
    };
    match &assignment.value {
        Expression::Binary(Operator::Add, left, right) if **left == own => {
            format!("adds {} to {name}", words.expression(right))
        }
        Expression::Binary(Operator::Subtract, left, right) if **left == own => {
            format!("subtracts {} from {name}", words.expression(right))
        }
        value => format!("sets {name} to {}", words.expression(value)),
    }
}

struct Words<'a> {
    scenario: &'a Scenario,
}

impl Words<'_> {
    fn object(&self, index: ObjectIndex) -> String {
        quoted(object(self.scenario, index))
    }

    fn local(&self, index: LocalIndex) -> String {
        quoted(&local(self.scenario, index))
    }

    fn expression(&self, expression: &Expression) -> String {
        quoted(&written(self.scenario, expression))
    }

    /// An expression that holds or not.
    fn condition(&self, condition: &Expression) -> String {
        let holds = match condition {
            Expression::Var(_) | Expression::Local(_) => " is not 0",
            _ => "",
        };
        self.expression(condition) + holds
    }

    fn threads(&self, threads: &[ThreadIndex]) -> String {
        let name =
            |&ThreadIndex(index): &ThreadIndex| quoted(&self.scenario.threads[index as usize].name);
        let names: Vec<_> = threads.iter().map(name).collect();
        let noun = if names.len() == 1 {
            "thread"
        } else {
            "threads"
        };
        format!("{noun} {}", and(&names))
    }

    fn ticket(&self, TicketIndex(index): TicketIndex, permits: u32) -> String {
        let ticket = &self.scenario.tickets[index as usize];
        let semaphore = self.object(ticket.semaphore);
        let permits = counted(permits as usize, "permit");
        format!("ticket {} ({permits} of {semaphore})", quoted(&ticket.name))
    }

    /// Whether it succeeded, where that is kept.
    fn outcome(&self, ok: Option<LocalIndex>) -> String {
        ok.map_or(String::new(), |ok| {
            format!("; {} is 1 if that succeeds, else 0", self.local(ok))
        })
    }

    fn attempt(&self, what: &str, attempt: Attempt, ok: Option<LocalIndex>) -> String {
        match attempt {
            Attempt::Insist => format!("{what}, and waits until it can"),
            Attempt::Try => format!("{what} if it can at once{}", self.outcome(ok)),
            Attempt::Timed => format!(
                "{what}, but may give up when it has to wait{}",
                self.outcome(ok)
            ),
        }
    }

    fn receives(
        &self,
        channel: ObjectIndex,
        value: Option<LocalIndex>,
        ok: Option<LocalIndex>,
    ) -> String {
        let into = value.map_or(String::new(), |value| {
            format!(" into {}", self.local(value))
        });
        let ok = ok.map_or(String::new(), |ok| {
            format!(
                "; {} is 0 if the channel is closed and empty, else 1",
                self.local(ok)
            )
        });
        format!("receives from {}{into}{ok}", self.object(channel))
    }

    fn sends(&self, channel: ObjectIndex, value: &Expression, ok: Option<LocalIndex>) -> String {
        let ok = ok.map_or(String::new(), |ok| {
            format!("; {} is 0 if the channel is closed, else 1", self.local(ok))
        });
        let (value, channel) = (self.expression(value), self.object(channel));
        format!("sends {value} to {channel}{ok}")
    }

    fn of_locks(&self, kind: &S) -> Option<String> {
        Some(match kind {
            S::Lock { lock, attempt, ok } => {
                let lock = self.object(*lock);
                match attempt {
                    Attempt::Insist => format!("locks {lock}"),
                    _ => self.attempt(&format!("locks {lock}"), *attempt, *ok),
                }
            }
            S::Unlock { lock } => format!("unlocks {}", self.object(*lock)),
            S::IsLocked { lock, result } => format!(
                "sets {} to 1 if {} is held by anyone, else to 0",
                self.local(*result),
                self.object(*lock)
            ),
            S::Read { lock, attempt, ok } => self.attempt(
                &format!("enters {} to read", self.object(*lock)),
                *attempt,
                *ok,
            ),
            S::Write { lock, attempt, ok } => self.attempt(
                &format!("enters {} to write", self.object(*lock)),
                *attempt,
                *ok,
            ),
            S::Upgradable { lock } => format!(
                "enters {} to read, as the one reader that may become the writer",
                self.object(*lock)
            ),
            S::Upgrade { lock } => format!(
                "becomes the writer of {}, and waits until the other readers have left",
                self.object(*lock)
            ),
            S::Downgrade { lock } => {
                format!(
                    "becomes a reader of {} instead of its writer",
                    self.object(*lock)
                )
            }
            S::UnlockRw { lock } => format!("leaves {}", self.object(*lock)),
            _ => return None,
        })
    }

    fn of_signals(&self, kind: &S) -> Option<String> {
        let permits = |count: &u32, of: &ObjectIndex| {
            format!(
                "{} of {}",
                counted(*count as usize, "permit"),
                self.object(*of)
            )
        };
        Some(match kind {
            S::Wait {
                condvar,
                lock,
                attempt,
                timed_out,
            } => {
                let (condvar, lock) = (self.object(*condvar), self.object(*lock));
                let timed = match attempt {
                    Attempt::Timed => " or the time is up",
                    _ => "",
                };
                let out = timed_out.map_or(String::new(), |local| {
                    format!("; {} is 1 if the time was up, else 0", self.local(local))
                });
                format!(
                    "unlocks {lock} and waits for a notice of {condvar}{timed}, then locks {lock} \
                     again{out}"
                )
            }
            S::NotifyOne { condvar } => {
                format!("notifies one who waits for {}", self.object(*condvar))
            }
            S::NotifyAll { condvar } => {
                format!("notifies all who wait for {}", self.object(*condvar))
            }
            S::Acquire {
                semaphore,
                permits: count,
                attempt,
                ok,
            } => {
                let what = format!("takes {}", permits(count, semaphore));
                self.attempt(&what, *attempt, *ok)
            }
            S::Release {
                semaphore,
                permits: count,
            } => format!("gives {}", permits(count, semaphore)),
            S::Ticket { ticket, permits } => format!(
                "queues up without waiting, with {}",
                self.ticket(*ticket, *permits)
            ),
            S::AwaitTicket { ticket, permits } => {
                format!(
                    "waits until it is the turn of {}",
                    self.ticket(*ticket, *permits)
                )
            }
            S::DropTicket { ticket, permits } => format!(
                "gives up {}: leaves the queue, or gives back what it got",
                self.ticket(*ticket, *permits)
            ),
            _ => return None,
        })
    }

    fn of_notifies(&self, kind: &S) -> Option<String> {
        Some(match kind {
            S::Notify { notify } => format!("gives a notice to {}", self.object(*notify)),
            S::NotifyWaiters { notify } => {
                format!(
                    "wakes all who wait for {}, and keeps no notice",
                    self.object(*notify)
                )
            }
            S::WaitNotify { notify } => format!("waits for a notice of {}", self.object(*notify)),
            S::EnableNotify { notify } => {
                format!(
                    "registers for a notice of {} without waiting",
                    self.object(*notify)
                )
            }
            S::DropNotify { notify } => format!(
                "gives up waiting for {}, and hands on a notice that it got",
                self.object(*notify)
            ),
            _ => return None,
        })
    }

    fn of_channels(&self, kind: &S) -> Option<String> {
        Some(match kind {
            S::Send { channel, value, ok } => self.sends(*channel, value, *ok),
            S::Recv { channel, value, ok } => self.receives(*channel, *value, *ok),
            S::Close { channel } => format!("closes {}", self.object(*channel)),
            S::DropReceiver { channel } => format!(
                "drops the receiver of {}: what it holds is lost, and sends fail",
                self.object(*channel)
            ),
            S::Add { group, count } => {
                format!("adds {count} to the count of {}", self.object(*group))
            }
            S::Done { group } => format!("takes 1 from the count of {}", self.object(*group)),
            S::WaitGroup { group } => {
                format!("waits until the count of {} is 0", self.object(*group))
            }
            S::Barrier { barrier } => format!("waits for the others at {}", self.object(*barrier)),
            _ => return None,
        })
    }

    fn of_threads(&self, kind: &S) -> Option<String> {
        Some(match kind {
            S::Park => "parks: waits until another thread unparks it".to_owned(),
            S::Unpark { thread } => {
                format!(
                    "unparks {}, now or when it parks next",
                    self.threads(&[*thread])
                )
            }
            S::Spawn { threads } => format!("starts {}", self.threads(threads)),
            S::Join { threads } => {
                let ends = if threads.len() == 1 { "has" } else { "have" };
                format!("waits until {} {ends} ended", self.threads(threads))
            }
            S::Break => "leaves the loop".to_owned(),
            S::Continue => "goes on with the next round of the loop".to_owned(),
            S::Return => "ends here".to_owned(),
            S::Nop => "makes a step that does nothing".to_owned(),
            S::BlockForever => "waits for ever".to_owned(),
            S::Call { proc } => {
                let name = &self.scenario.procs[proc.0 as usize].name;
                format!("does the steps {}", quoted(name))
            }
            _ => return None,
        })
    }

    fn of_variables(&self, kind: &S) -> Option<String> {
        let text = |index: u32| &self.scenario.texts[index as usize];
        Some(match kind {
            S::Assign(one) => assignment(self.scenario, one),
            S::FetchAdd { var, amount, old } => format!(
                "adds {} to {}, and sets {} to what it was before",
                self.expression(amount),
                self.object(*var),
                self.local(*old)
            ),
            S::CompareAndSwap { var, old, new, ok } => format!(
                "if {} is {}, sets it to {}; {} is 1 if so, else 0",
                self.object(*var),
                self.expression(old),
                self.expression(new),
                self.local(*ok)
            ),
            S::Await { condition } => format!("waits until {}", self.condition(condition)),
            S::Assert { condition } => format!("panics unless {}", self.condition(condition)),
            S::Panic { why } => format!("panics: \"{}\"", text(why.0)),
            S::Slow { name } => format!("makes the slow call \"{}\"", text(name.0)),
            _ => return None,
        })
    }

    /// Of statements that have blocks: the blocks follow.
    fn of_blocks(&self, kind: &S) -> Option<String> {
        Some(match kind {
            S::With { lock, .. } => format!(
                "locks {}, and gives it back however the block ends:",
                self.object(*lock)
            ),
            S::Once { once, .. } => {
                format!(
                    "unless {} is done already, does this once for all:",
                    self.object(*once)
                )
            }
            S::Atomic { .. } => "in one step:".to_owned(),
            S::If { condition, .. } => format!("if {}:", self.condition(condition)),
            S::While {
                condition: Some(condition),
                ..
            } => format!("as long as {}, again and again:", self.condition(condition)),
            S::While {
                condition: None, ..
            } => "again and again, without end:".to_owned(),
            S::Repeat { times, .. } => format!("{}:", counted(*times as usize, "time")),
            S::Choose { .. } => {
                "one of these, as the environment decides; every case is explored:".to_owned()
            }
            S::Select { .. } => {
                "waits until one of these can be done, and does it, any of those that can:"
                    .to_owned()
            }
            _ => return None,
        })
    }
}
