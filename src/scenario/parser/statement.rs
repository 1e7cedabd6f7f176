//! Statements and blocks.
//!
//! Knows how each statement is written and what it is in the [tree](crate::scenario::ast). Does not
//! know what is declared, nor what a statement means.

use super::error::{Failure, Parsed, did_you_mean};
use super::expression::{begins, expression, expression_before_another};
use super::input::{
    Input, TicketUse, accept, accept_word, ahead, begin_line, check_depth, count_statement, expect,
    expected, integer, is_word, name, nested, next, quoted, skip_ends, skip_lines, take,
};
use super::lexer::{Kind, shortened};
use super::objects::{Class, LOCKS, kind, object, proc, thread, threads, var};
use crate::scenario::ast::{
    Arm, ArmKind, Assignment, Attempt, Block, Expression, LocalIndex, ObjectIndex, ObjectKind,
    Operator, Place, Span, Statement, StatementKind, ThreadIndex, TicketIndex,
};

/// The words that begin a statement; an assignment begins with none.
pub(super) const STATEMENTS: &[&str] = &[
    "lock",
    "unlock",
    "trylock",
    "timedlock",
    "locked",
    "with",
    "read",
    "write",
    "tryread",
    "trywrite",
    "downgrade",
    "upgradable",
    "upgrade",
    "wait",
    "timedwait",
    "notify_one",
    "notify_all",
    "acquire",
    "release",
    "tryacquire",
    "ticket",
    "await_ticket",
    "drop_ticket",
    "send",
    "recv",
    "close",
    "drop_rx",
    "select",
    "wg_add",
    "wg_done",
    "wg_wait",
    "barrier",
    "once",
    "notify",
    "notify_waiters",
    "wait_notify",
    "enable_notify",
    "drop_notify",
    "park",
    "unpark",
    "spawn",
    "join",
    "fetch_add",
    "cas",
    "atomic",
    "await",
    "assert",
    "panic",
    "slow",
    "if",
    "while",
    "loop",
    "repeat",
    "break",
    "continue",
    "return",
    "choose",
    "nop",
    "yield",
    "block_forever",
    "call",
];

/// Reads the operands of the statements that begin with some words; none for other words.
type Group = fn(&mut Input<'_, '_>, &str) -> Parsed<Option<StatementKind>>;

const GROUPS: &[Group] = &[
    locks,
    rwlocks,
    condvars,
    semaphores,
    channels,
    groups,
    notifies,
    other_threads,
    variables,
    control,
    plain,
];

/// `{ … }`, with what stands before it on its line already read.
pub(super) fn block(input: &mut Input<'_, '_>) -> Parsed<Block> {
    skip_lines(input)?;
    let open = expect(input, Kind::OpenBrace, "`{`")?;
    let body = nested(input, |input| statements(input, false))?;
    close(input, open.span)?;
    Ok(body)
}

/// The `}` of a block.
fn close(input: &mut Input<'_, '_>, open: Span) -> Parsed<()> {
    begin_line(input);
    if accept(input, Kind::CloseBrace)?.is_some() {
        return Ok(());
    }
    if next(input).kind == Kind::End {
        return Err(Failure::new(open, "this `{` is never closed").expected("`}`"));
    }
    let line = input.state.line_of(open);
    Err(expected(input, "a statement or `}`").hint(Some(format!(
        "the block that begins in line {line} is not closed"
    ))))
}

/// Statements up to a `}`, or in a `case` up to the next one.
fn statements(input: &mut Input<'_, '_>, in_case: bool) -> Parsed<Block> {
    let mut body = Block::new();
    loop {
        skip_ends(input)?;
        let at_case = is_word(input, "case") || is_word(input, "default");
        let done = match next(input).kind {
            Kind::CloseBrace | Kind::End => true,
            Kind::Word => (in_case && at_case && !assigns(input)) || begins_item(input),
            _ => false,
        };
        if done {
            return Ok(body);
        }
        body.push(statement(input)?);
        end_of_statement(input, in_case)?;
    }
}

/// Whether something begins here that stands outside of all threads.
pub(super) fn begins_item(input: &Input<'_, '_>) -> bool {
    let follows = ahead(input, 1).kind;
    matches!(follows, Kind::Word | Kind::Text)
        && ["thread", "deferred", "daemon", "proc"]
            .iter()
            .any(|word| is_word(input, word))
}

fn end_of_statement(input: &Input<'_, '_>, in_case: bool) -> Parsed<()> {
    let after_block = input
        .previous_tokens()
        .next()
        .is_some_and(|token| token.kind == Kind::CloseBrace);
    let token = next(input);
    let ended = match token.kind {
        Kind::Newline | Kind::Semicolon | Kind::CloseBrace | Kind::End => true,
        Kind::Word => in_case && (is_word(input, "case") || is_word(input, "default")),
        _ => false,
    };
    if ended || after_block {
        return Ok(());
    }
    let failure = expected(input, "the end of the statement");
    let word = input.state.text_of(token.span);
    let hint = match token.kind {
        Kind::Word if STATEMENTS.contains(&word) => Some("`;` separates statements on one line"),
        Kind::Slash => Some("a comment begins with `#`"),
        _ => None,
    };
    Err(failure.hint(hint))
}

/// One statement, without what ends it.
fn statement(input: &mut Input<'_, '_>) -> Parsed<Statement> {
    begin_line(input);
    count_statement(input)?;
    let first = next(input);
    let span = head(input);
    if first.kind == Kind::Local || assigns(input) {
        let assignment = assignment(input)?;
        return Ok(Statement {
            span: assignment.span,
            kind: StatementKind::Assign(assignment),
        });
    }
    if first.kind != Kind::Word {
        return Err(expected(input, "a statement"));
    }
    let word = input.state.text_of(first.span);
    take(input)?;
    for group in GROUPS {
        if let Some(kind) = group(input, word)? {
            return Ok(Statement { kind, span });
        }
    }
    Err(unknown(input, word, first.span))
}

/// A word that begins no statement.
fn unknown(input: &Input<'_, '_>, word: &str, span: Span) -> Failure {
    let declares = Class::ALL.iter().any(|class| class.word() == word);
    let hint = if declares {
        Some("objects are declared outside of threads".to_owned())
    } else if let Some(place) = misplaced(word) {
        Some(place.to_owned())
    } else if input.state.objects.contains_key(word) {
        Some(format!(
            "`{word}` is an object: a statement begins with what is done to it"
        ))
    } else {
        did_you_mean(word, STATEMENTS.iter().copied())
    };
    let message = format!("there is no statement `{}`", shortened(word));
    Failure::new(span, message)
        .expected("a statement")
        .hint(hint)
}

/// Where the statement that comes next stands: its first line, without its block.
fn head(input: &Input<'_, '_>) -> Span {
    let first = next(input).span;
    let mut span = first;
    for count in 1.. {
        let token = ahead(input, count);
        match token.kind {
            Kind::OpenBrace
            | Kind::CloseBrace
            | Kind::Newline
            | Kind::Semicolon
            | Kind::Colon
            | Kind::End => break,
            _ => span.end = token.span.end,
        }
    }
    span
}

/// Where a word belongs that begins no statement.
fn misplaced(word: &str) -> Option<&'static str> {
    Some(match word {
        "else" => "`else` follows the `}` of its `if`",
        "case" => "`case` stands in `select` or `choose`",
        "default" => "`default` stands in `select`",
        "title" | "expect" | "expect_executions" => "it stands outside of threads",
        _ => return None,
    })
}

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
        "select" => select(input)?,
        _ => return Ok(None),
    }))
}

/// The operands of `send`. A `$x` alone is what is sent.
fn send(input: &mut Input<'_, '_>) -> Parsed<(ObjectIndex, Expression, Option<LocalIndex>)> {
    let channel = object(input, "send", &[Class::Channel])?;
    let value = if begins(input) {
        expression(input)?
    } else {
        Expression::Number(0)
    };
    Ok((channel, value, optional_local(input)?))
}

/// The operands of `recv`.
fn receive(
    input: &mut Input<'_, '_>,
) -> Parsed<(ObjectIndex, Option<LocalIndex>, Option<LocalIndex>)> {
    let channel = object(input, "recv", &[Class::Channel])?;
    Ok((channel, optional_local(input)?, optional_local(input)?))
}

fn select(input: &mut Input<'_, '_>) -> Parsed<StatementKind> {
    let mut arms = Vec::new();
    let mut default = None;
    let start = next(input).span;
    cases(input, |input| {
        let span = head(input);
        if accept_word(input, "default")? {
            if default.is_some() {
                return Err(Failure::new(span, "this `select` has a `default` already"));
            }
            default = Some(case_body(input)?);
            return Ok(());
        }
        expect_case(input, "`case recv`, `case send` or `default`")?;
        let kind = if accept_word(input, "recv")? {
            let (channel, value, ok) = receive(input)?;
            ArmKind::Recv { channel, value, ok }
        } else if accept_word(input, "send")? {
            let (channel, value, ok) = send(input)?;
            ArmKind::Send { channel, value, ok }
        } else {
            return Err(expected(input, "`recv` or `send`"));
        };
        let body = case_body(input)?;
        arms.push(Arm { kind, body, span });
        Ok(())
    })?;
    if arms.is_empty() && default.is_none() {
        return Err(Failure::new(start, "this `select` has no case")
            .hint(Some("to wait for ever is written `block_forever`")));
    }
    Ok(StatementKind::Select { arms, default })
}

fn choose(input: &mut Input<'_, '_>) -> Parsed<StatementKind> {
    let mut found = Vec::new();
    let start = next(input).span;
    cases(input, |input| {
        expect_case(input, "`case:`")?;
        found.push(case_body(input)?);
        Ok(())
    })?;
    if found.is_empty() {
        return Err(Failure::new(start, "this `choose` has no case").expected("`case:`"));
    }
    Ok(StatementKind::Choose { cases: found })
}

/// `{`, cases, `}`.
fn cases<'a, 's>(
    input: &mut Input<'a, 's>,
    mut case: impl FnMut(&mut Input<'a, 's>) -> Parsed<()>,
) -> Parsed<()> {
    skip_lines(input)?;
    let open = expect(input, Kind::OpenBrace, "`{`")?;
    nested(input, |input| {
        loop {
            skip_ends(input)?;
            if matches!(next(input).kind, Kind::CloseBrace | Kind::End) {
                return Ok(());
            }
            begin_line(input);
            count_statement(input)?;
            case(input)?;
        }
    })?;
    close(input, open.span)
}

fn expect_case(input: &mut Input<'_, '_>, what: &str) -> Parsed<()> {
    if accept_word(input, "case")? {
        Ok(())
    } else {
        Err(expected(input, what))
    }
}

/// What is done in a case, from its colon on.
fn case_body(input: &mut Input<'_, '_>) -> Parsed<Block> {
    expect(input, Kind::Colon, "`:`")?;
    nested(input, |input| statements(input, true))
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
        "atomic" => {
            skip_lines(input)?;
            let open = expect(input, Kind::OpenBrace, "`{`")?;
            let assignments = nested(input, assignments)?;
            close(input, open.span)?;
            StatementKind::Atomic { assignments }
        }
        "await" => StatementKind::Await {
            condition: expression(input)?,
        },
        "assert" => StatementKind::Assert {
            condition: expression(input)?,
        },
        _ => return Ok(None),
    }))
}

fn assignments(input: &mut Input<'_, '_>) -> Parsed<Vec<Assignment>> {
    let mut found = Vec::new();
    loop {
        skip_ends(input)?;
        let first = next(input);
        if matches!(first.kind, Kind::CloseBrace | Kind::End) {
            return Ok(found);
        }
        if first.kind != Kind::Local && !assigns(input) {
            return Err(
                expected(input, "an assignment").hint(Some("`atomic` takes assignments only"))
            );
        }
        begin_line(input);
        count_statement(input)?;
        found.push(assignment(input)?);
        end_of_statement(input, false)?;
    }
}

/// Whether a name comes next that something is assigned to.
fn assigns(input: &Input<'_, '_>) -> bool {
    matches!(next(input).kind, Kind::Word | Kind::Text)
        && matches!(
            ahead(input, 1).kind,
            Kind::Becomes | Kind::Grows | Kind::Shrinks
        )
}

fn assignment(input: &mut Input<'_, '_>) -> Parsed<Assignment> {
    let first = next(input);
    let (place, old) = match accept(input, Kind::Local)? {
        Some(token) => {
            let local = input.state.local(token)?;
            (Place::Local(local), Expression::Local(local))
        }
        None => {
            let name = name(input, "a variable")?;
            let var = var(input, name)?;
            (Place::Var(var), Expression::Var(var))
        }
    };
    let operator = match next(input).kind {
        Kind::Becomes => None,
        Kind::Grows => Some(Operator::Add),
        Kind::Shrinks => Some(Operator::Subtract),
        _ => return Err(expected(input, "`=`, `+=` or `-=`")),
    };
    take(input)?;
    skip_lines(input)?;
    let value = expression(input)?;
    let value = match operator {
        None => value,
        Some(operator) => Expression::Binary(operator, Box::new(old), Box::new(value)),
    };
    let end = input.previous_tokens().next().unwrap_or(&first).span.end;
    let span = Span {
        start: first.span.start,
        end,
    };
    Ok(Assignment { place, value, span })
}

fn control(input: &mut Input<'_, '_>, word: &str) -> Parsed<Option<StatementKind>> {
    Ok(Some(match word {
        "if" => branch(input)?,
        "while" => StatementKind::While {
            condition: Some(expression(input)?),
            body: loop_body(input)?,
        },
        "loop" => StatementKind::While {
            condition: None,
            body: loop_body(input)?,
        },
        "repeat" => {
            let times = integer(input, 0..=i64::from(u32::MAX), "a number of times")?;
            StatementKind::Repeat {
                times: u32::try_from(times).unwrap_or(u32::MAX),
                body: loop_body(input)?,
            }
        }
        "break" | "continue" => {
            if input.state.loops == 0 {
                let token = input.previous_tokens().next().copied();
                let span = token.unwrap_or(next(input)).span;
                let message = format!("`{word}` stands outside of any loop");
                return Err(
                    Failure::new(span, message).hint(Some("`return` ends the thread, or the proc"))
                );
            }
            match word {
                "break" => StatementKind::Break,
                _ => StatementKind::Continue,
            }
        }
        "choose" => choose(input)?,
        "call" => StatementKind::Call { proc: proc(input)? },
        _ => return Ok(None),
    }))
}

/// `if` from its condition on. Each `else if` counts as one block in another.
fn branch(input: &mut Input<'_, '_>) -> Parsed<StatementKind> {
    let condition = expression(input)?;
    let then = block(input)?;
    let mut ends = 0;
    while ahead(input, ends).kind == Kind::Newline {
        ends += 1;
    }
    let word = ahead(input, ends);
    let otherwise = if word.kind == Kind::Word && input.state.text_of(word.span) == "else" {
        skip_lines(input)?;
        take(input)?;
        otherwise(input)?
    } else {
        Block::new()
    };
    Ok(StatementKind::If {
        condition,
        then,
        otherwise,
    })
}

/// What follows an `else`.
fn otherwise(input: &mut Input<'_, '_>) -> Parsed<Block> {
    if !is_word(input, "if") {
        return block(input);
    }
    let span = head(input);
    take(input)?;
    count_statement(input)?;
    // The blocks of an `else if` stand no further to the right, but whoever visits them is deeper.
    input.state.chain += 1;
    check_depth(input)?;
    let kind = branch(input)?;
    input.state.chain -= 1;
    Ok(vec![Statement { kind, span }])
}

fn loop_body(input: &mut Input<'_, '_>) -> Parsed<Block> {
    input.state.loops += 1;
    let body = block(input)?;
    input.state.loops -= 1;
    Ok(body)
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
fn optional_local(input: &mut Input<'_, '_>) -> Parsed<Option<LocalIndex>> {
    let token = accept(input, Kind::Local)?;
    token.map(|token| input.state.local(token)).transpose()
}
