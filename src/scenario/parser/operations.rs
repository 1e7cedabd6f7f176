//! The statements that are one line: an operation and its operands.
//!
//! Knows how each is written and what it is in the [tree](crate::scenario::ast). Does not know
//! blocks but by asking for one, nor what a statement means.

use super::error::{Failure, Parsed};
use super::expression::{begins, expression, expression_before_another};
use super::input::{Input, TicketUse, accept, expect, integer, name, next, quoted};
use super::lexer::{Kind, shortened};
use super::objects::{Class, LOCKS, kind, object, thread, threads};
use super::statement::block;
use crate::scenario::ast::{
    Attempt, Expression, LocalIndex, ObjectIndex, ObjectKind, StatementKind, ThreadIndex,
    TicketIndex,
};

/// Reads the operands of the statements that begin with some words; none for other words.
type Group = fn(&mut Input<'_, '_>, &str) -> Parsed<Option<StatementKind>>;

/// The operations on each kind of object, and those on none.
pub(super) const OPERATIONS: &[Group] = &[
    locks,
    rwlocks,
    condvars,
    semaphores,
    channels,
    groups,
    notifies,
    other_threads,
    variables,
    plain,
];

fn locks(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    let attempt = match word {
        "lock" => Attempt::Insist,
        "trylock" => Attempt::Try,
        "timedlock" => Attempt::Timed,
        "unlock" => {
            let takes = [LOCKS, &[Class::RwLock]].concat();
            let lock = object(input, word, &takes)?;
            return Ok(Some(match kind(input, lock) {
                ObjectKind::RwLock(_) => StatementKind::UnlockRw { lock },
                _ => StatementKind::Unlock { lock },
            }));
        }
        "locked" => {
            let lock = object(input, word, LOCKS)?;
            let result = local(input, "`$r` for the answer")?;
            return Ok(Some(StatementKind::IsLocked { lock, result }));
        }
        "with" => {
            let lock = object(input, word, LOCKS)?;
            let body = block(input)?;
            return Ok(Some(StatementKind::With { lock, body }));
        }
        _ => return Ok(None),
    };
    let lock = object(input, word, LOCKS)?;
    let ok = match attempt {
        Attempt::Insist => None,
        Attempt::Try => optional_local(input)?,
        Attempt::Timed => Some(local(input, "`$ok` for the outcome")?),
    };
    Ok(Some(StatementKind::Lock { lock, attempt, ok }))
}

fn rwlocks(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    if ![
        "read",
        "tryread",
        "write",
        "trywrite",
        "upgradable",
        "upgrade",
        "downgrade",
    ]
    .contains(&word)
    {
        return Ok(None);
    }
    let lock = object(input, word, &[Class::RwLock])?;
    let (attempt, ok) = if word.starts_with("try") {
        (Attempt::Try, optional_local(input)?)
    } else {
        (Attempt::Insist, None)
    };
    Ok(Some(match word {
        "read" | "tryread" => StatementKind::Read { lock, attempt, ok },
        "write" | "trywrite" => StatementKind::Write { lock, attempt, ok },
        "upgradable" => StatementKind::Upgradable { lock },
        "upgrade" => StatementKind::Upgrade { lock },
        _ => StatementKind::Downgrade { lock },
    }))
}

fn condvars(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    let attempt = match word {
        "wait" => Attempt::Insist,
        "timedwait" => Attempt::Timed,
        "notify_one" | "notify_all" => {
            let condvar = object(input, word, &[Class::Condvar])?;
            return Ok(Some(match word {
                "notify_one" => StatementKind::NotifyOne { condvar },
                _ => StatementKind::NotifyAll { condvar },
            }));
        }
        _ => return Ok(None),
    };
    let condvar = object(input, word, &[Class::Condvar])?;
    let lock = object(input, word, LOCKS)?;
    let timed_out = match attempt {
        Attempt::Timed => optional_local(input)?,
        _ => None,
    };
    Ok(Some(StatementKind::Wait {
        condvar,
        lock,
        attempt,
        timed_out,
    }))
}

fn semaphores(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "acquire" | "tryacquire" => {
            let semaphore = object(input, word, &[Class::Semaphore])?;
            let permits = permits(input)?.unwrap_or(1);
            let (attempt, ok) = if word == "acquire" {
                (Attempt::Insist, None)
            } else {
                (Attempt::Try, Some(local(input, "`$ok` for the outcome")?))
            };
            StatementKind::Acquire {
                semaphore,
                permits,
                attempt,
                ok,
            }
        }
        "release" => StatementKind::Release {
            semaphore: object(input, word, &[Class::Semaphore])?,
            permits: permits(input)?.unwrap_or(1),
        },
        "ticket" => {
            let (ticket, permits) = ticket(input, word, true)?;
            StatementKind::Ticket { ticket, permits }
        }
        "await_ticket" => {
            let (ticket, permits) = ticket(input, word, false)?;
            StatementKind::AwaitTicket { ticket, permits }
        }
        "drop_ticket" => {
            let (ticket, permits) = ticket(input, word, false)?;
            StatementKind::DropTicket { ticket, permits }
        }
        _ => return Ok(None),
    }))
}

/// `s T [N]`. Without N, who makes a ticket means 1, and who uses one means as many as it was made
/// with: that is 0 here until all of the file is known.
fn ticket(input: &mut Input<'_, '_>, word: &str, makes: bool) -> Parsed<(TicketIndex, u32)> {
    let at = next(input).span;
    let semaphore = object(input, word, &[Class::Semaphore])?;
    if !matches!(
        kind(input, semaphore),
        ObjectKind::Semaphore { fifo: true, .. }
    ) {
        let shown = input.state.text_of(at);
        let message = format!("`{word}` takes a fifo semaphore, and `{shown}` has no queue");
        return Err(Failure::new(at, message)
            .hint(Some(format!("declare it `semaphore {shown} = … fifo`"))));
    }
    let name = name(input, "the name of a ticket")?;
    let ticket = input.state.ticket(semaphore, name)?;
    let written = permits(input)?;
    input.state.ticket_uses.push(TicketUse {
        name,
        ticket,
        made: makes.then_some(written.unwrap_or(1)),
    });
    let otherwise = u32::from(makes);
    Ok((ticket, written.unwrap_or(otherwise)))
}

/// A number of permits, when a number comes next.
fn permits(input: &mut Input<'_, '_>) -> Parsed<Option<u32>> {
    if !matches!(next(input).kind, Kind::Number | Kind::Minus) {
        return Ok(None);
    }
    let permits = integer(input, 1..=i64::from(u32::MAX), "a number of permits")?;
    Ok(u32::try_from(permits).ok())
}

fn channels(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "send" => {
            let (channel, value, ok) = send(input)?;
            StatementKind::Send { channel, value, ok }
        }
        "recv" => {
            let (channel, value, ok) = receive(input)?;
            StatementKind::Recv { channel, value, ok }
        }
        "close" => StatementKind::Close {
            channel: object(input, word, &[Class::Channel])?,
        },
        "drop_rx" => StatementKind::DropReceiver {
            channel: object(input, word, &[Class::Channel])?,
        },
        _ => return Ok(None),
    }))
}

/// The operands of `send`. A `$x` alone is what is sent.
pub(super) fn send(
    input: &mut Input<'_, '_>,
) -> Parsed<(ObjectIndex, Expression, Option<LocalIndex>)> {
    let channel = object(input, "send", &[Class::Channel])?;
    let value = if begins(input) {
        expression(input)?
    } else {
        Expression::Number(0)
    };
    Ok((channel, value, optional_local(input)?))
}

/// The operands of `recv`.
pub(super) fn receive(
    input: &mut Input<'_, '_>,
) -> Parsed<(ObjectIndex, Option<LocalIndex>, Option<LocalIndex>)> {
    let channel = object(input, "recv", &[Class::Channel])?;
    Ok((channel, optional_local(input)?, optional_local(input)?))
}

fn groups(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "wg_add" => {
            let group = object(input, word, &[Class::WaitGroup])?;
            let bounds = -i64::from(u32::MAX)..=i64::from(u32::MAX);
            let count = match next(input).kind {
                Kind::Number | Kind::Minus => integer(input, bounds, "a count")?,
                _ => 1,
            };
            StatementKind::Add { group, count }
        }
        "wg_done" => StatementKind::Done {
            group: object(input, word, &[Class::WaitGroup])?,
        },
        "wg_wait" => StatementKind::WaitGroup {
            group: object(input, word, &[Class::WaitGroup])?,
        },
        "barrier" => StatementKind::Barrier {
            barrier: object(input, word, &[Class::Barrier])?,
        },
        "once" => {
            let once = object(input, word, &[Class::Once])?;
            let body = block(input)?;
            StatementKind::Once { once, body }
        }
        _ => return Ok(None),
    }))
}

fn notifies(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    if ![
        "notify",
        "notify_waiters",
        "wait_notify",
        "enable_notify",
        "drop_notify",
    ]
    .contains(&word)
    {
        return Ok(None);
    }
    let notify = object(input, word, &[Class::Notify])?;
    Ok(Some(match word {
        "notify" => StatementKind::Notify { notify },
        "notify_waiters" => StatementKind::NotifyWaiters { notify },
        "wait_notify" => StatementKind::WaitNotify { notify },
        "enable_notify" => StatementKind::EnableNotify { notify },
        _ => StatementKind::DropNotify { notify },
    }))
}

fn other_threads(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "unpark" => StatementKind::Unpark {
            thread: thread(input, word)?,
        },
        "spawn" => {
            let (crew, span) = threads(input)?;
            if !crew.deferred {
                let name = shortened(input.state.text_of(span));
                let message = format!("thread `{name}` starts at once, it cannot be spawned");
                return Err(Failure::new(span, message)
                    .hint(Some(format!("declare it `deferred thread {name}`"))));
            }
            let threads = (crew.first..crew.first + crew.count).map(ThreadIndex);
            StatementKind::Spawn {
                threads: threads.collect(),
            }
        }
        "join" => {
            let (crew, _) = threads(input)?;
            let threads = (crew.first..crew.first + crew.count).map(ThreadIndex);
            StatementKind::Join {
                threads: threads.collect(),
            }
        }
        _ => return Ok(None),
    }))
}

fn variables(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "fetch_add" => StatementKind::FetchAdd {
            var: object(input, word, &[Class::Var])?,
            amount: expression(input)?,
            old: local(input, "`$old` for the old value")?,
        },
        "cas" => StatementKind::CompareAndSwap {
            var: object(input, word, &[Class::Var])?,
            old: expression_before_another(input)?,
            new: expression(input)?,
            ok: local(input, "`$ok` for the outcome")?,
        },
        "await" => StatementKind::Await {
            condition: expression(input)?,
        },
        "assert" => StatementKind::Assert {
            condition: expression(input)?,
        },
        _ => return Ok(None),
    }))
}

fn plain(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "park" => StatementKind::Park,
        "return" => StatementKind::Return,
        "nop" | "yield" => StatementKind::Nop,
        "block_forever" => StatementKind::BlockForever,
        "panic" => {
            let why = quoted(input, "the reason")?;
            StatementKind::Panic {
                why: input.state.text(why),
            }
        }
        "slow" => {
            let name = quoted(input, "the name of the call")?;
            StatementKind::Slow {
                name: input.state.text(name),
            }
        }
        _ => return Ok(None),
    }))
}

/// A local variable that must come next.
fn local(input: &mut Input<'_, '_>, what: &str) -> Parsed<LocalIndex> {
    let token = expect(input, Kind::Local, what)?;
    input.state.local(token)
}

/// A local variable, when one comes next.
pub(super) fn optional_local(input: &mut Input<'_, '_>) -> Parsed<Option<LocalIndex>> {
    let token = accept(input, Kind::Local)?;
    token.map(|token| input.state.local(token)).transpose()
}
