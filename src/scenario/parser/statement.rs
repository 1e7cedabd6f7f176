//! Statements that have others inside, blocks, assignments, and where one statement ends.
//!
//! Knows how control flow is written and what it is in the [tree](crate::scenario::ast). Does not
//! know operations on objects (`operations`), nor what a statement means.

use winnow::stream::Stream as _;

use super::error::{Failure, Parsed, did_you_mean};
use super::expression::expression;
use super::input::{
    Input, State, accept, accept_word, ahead, begin_line, check_depth, count_statement, expect,
    expected, integer, is_word, name, nested, next, pass_over_rest, skip_ends, skip_lines, take,
};
use super::lexer::{Kind, shortened};
use super::objects::{Class, proc, var};
use super::operations::{OPERATIONS, receive, send};
use crate::scenario::ast::{
    Arm, ArmKind, Assignment, Block, Expression, Operator, Place, Span, Statement, StatementKind,
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
        // If something else is wrong, it may be what hid the `}`.
        return Err(match input.state.has_problems() {
            true => Failure::noted(),
            false => Failure::new(open, "this `{` is never closed").expected("`}`"),
        });
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
        let start = input.checkpoint();
        let State {
            depth,
            loops,
            chain,
            ..
        } = *input.state;
        let read = statement(input).and_then(|read| {
            end_of_statement(input, in_case)?;
            Ok(read)
        });
        match read {
            Ok(read) => body.push(read),
            Err(failure) => {
                input.state.note(failure)?;
                // From its beginning, so that its own block is passed over as a whole.
                input.reset(&start);
                (input.state.depth, input.state.loops, input.state.chain) = (depth, loops, chain);
                pass_over_rest(input, begins_item)?;
            }
        }
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
    if let Some(kind) = control(input, word)? {
        return Ok(Statement { kind, span });
    }
    for operation in OPERATIONS {
        if let Some(kind) = operation(input, word)? {
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
        "select" => select(input)?,
        "atomic" => {
            skip_lines(input)?;
            let open = expect(input, Kind::OpenBrace, "`{`")?;
            let assignments = nested(input, assignments)?;
            close(input, open.span)?;
            StatementKind::Atomic { assignments }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn every_word_of_the_list_begins_a_statement() {
        for word in STATEMENTS {
            if let Err(error) = parse(&format!("thread t {{ {word} }}")) {
                let message = error.message();
                assert!(!message.contains("there is no statement"), "{error}");
            }
        }
    }
}
