//! From text to a [`Scenario`].
//!
//! Knows how the language is written. Does not know what it means. A file is read in two passes:
//! first everything that is declared, then the bodies, whose names are all known by then.
//!
//! Everything has a bound, so that no text can exhaust the stack or the memory: the length of the
//! file, statements, threads, blocks and brackets in one another, calls in one another.

mod error;
mod expression;
mod input;
mod lexer;
mod objects;
mod operations;
mod outline;
mod statement;

pub use error::ParseError;
pub(super) use input::Layout;
pub(super) use lexer::{Kind, Token};

use winnow::stream::{Stateful, TokenSlice};

use super::ast::{Block, Scenario, Span, Statement, StatementKind};
use error::{Failure, Parsed, Problem, did_you_mean};
use input::{Input, State};
use lexer::{Lexed, shortened};
use outline::{Body, Owner};

/// Calls in calls: each takes stack of whoever runs the scenario.
const CALLS_MAX: usize = 64;

/// Reads a scenario.
///
/// ```
/// let source = "mutex m\nthread t * 2 {\n    lock m\n    unlock m\n}\n";
/// let scenario = gordian::scenario::parse(source)?;
/// assert_eq!(scenario.threads[1].name, "t.2");
/// assert_eq!(scenario.threads[1].body.len(), 2);
/// # Ok::<(), gordian::scenario::ParseError>(())
/// ```
///
/// # Limits
/// A file has at most 1 MiB of text, blanks not counted, 63 threads, and 65 536 statements (those of a thread `* K` count K
/// times), and 4096 objects, procs, tickets and names of local variables each. Blocks are nested at most 64 deep, brackets too; an expression has at most 128 operators
/// in one another; procs call one another at most 64 deep. So whoever visits a scenario may do so
/// recursively.
///
/// # Errors
/// When the text is not a scenario: it is written differently, or speaks of what is not declared or
/// of the wrong kind. The first such place is told; [`parse_all`] tells more of them.
pub fn parse(source: &str) -> Result<Scenario, ParseError> {
    parse_all(source).map_err(first)
}

/// Reads a scenario as [`parse`] does, and says of more than one place what is wrong there.
///
/// ```
/// let source = "mutex m\nthread t {\n    lok m\n    lock m\n    unlock n\n}\n";
/// let errors = gordian::scenario::parse_all(source).unwrap_err();
/// let lines: Vec<u32> = errors.iter().map(|error| error.line()).collect();
/// assert_eq!(lines, [3, 5]);
/// ```
///
/// # Errors
/// At least one and at most 10, in the order of the text. What only follows from another one is not
/// told.
pub fn parse_all(source: &str) -> Result<Scenario, Vec<ParseError>> {
    read(source).map(|read| read.scenario)
}

/// The first of what is wrong.
pub(super) fn first(errors: Vec<ParseError>) -> ParseError {
    let mut errors = errors.into_iter();
    errors.next().expect("a text that is refused has an error")
}

/// A text that has been read, with what the formatter needs.
pub(super) struct Read {
    pub(super) scenario: Scenario,
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Span>,
    pub(super) layout: Layout,
}

/// Reads a scenario and its layout.
pub(super) fn read(source: &str) -> Result<Read, Vec<ParseError>> {
    let refused = |problem: Problem| ParseError::new(source, problem);
    let lexed = lexer::lex(source)
        .map_err(|failure| vec![refused(*failure.into_problem().unwrap_or_default())])?;
    let mut state = State::new(source, &lexed);
    if let Err(failure) = read_all(&lexed, &mut state) {
        // Nothing comes after it.
        let _ = state.note(failure);
    }
    if state.has_problems() {
        return Err(state.take_problems().into_iter().map(refused).collect());
    }
    let mut layout = state.layout;
    layout.lines.sort_unstable();
    layout.prefixes.sort_unstable();
    layout.joints.sort_unstable();
    Ok(Read {
        scenario: state.scenario,
        layout,
        tokens: lexed.tokens,
        comments: lexed.comments,
    })
}

fn read_all(lexed: &Lexed, state: &mut State<'_>) -> Parsed<()> {
    let bodies = outline::outline(&mut input(lexed, 0, state))?;
    for Body { start, owner } in bodies {
        state.copies = match owner {
            Owner::Threads(crew) => crew.count as usize,
            Owner::Proc(_) => 1,
        };
        state.proc = match owner {
            Owner::Threads(_) => None,
            Owner::Proc(index) => Some(index),
        };
        (state.depth, state.loops, state.chain) = (0, 0, 0);
        let body = match statement::block(&mut input(lexed, start, state)) {
            Ok(body) => body,
            Err(failure) => {
                state.note(failure)?;
                continue;
            }
        };
        match owner {
            Owner::Threads(crew) => {
                let crew = crew.first as usize..(crew.first + crew.count) as usize;
                for thread in &mut state.scenario.threads[crew] {
                    thread.body.clone_from(&body);
                }
            }
            Owner::Proc(index) => state.scenario.procs[index as usize].body = body,
        }
    }
    // What is not read is neither called nor made.
    if state.has_problems() {
        return Ok(());
    }
    check_calls(state)?;
    finish_tickets(state)
}

/// The tokens from one of them on.
fn input<'a, 's>(lexed: &'a Lexed, start: usize, state: &'a mut State<'s>) -> Input<'a, 's> {
    Stateful {
        input: TokenSlice::new(&lexed.tokens[start..]),
        state,
    }
}

/// No proc calls itself, not even through others, and calls are not too deep.
fn check_calls(state: &State<'_>) -> Parsed<()> {
    let count = state.scenario.procs.len();
    // Calls in calls below each proc, when it is known; each round finds those of one more level.
    let mut calls: Vec<Vec<u32>> = vec![Vec::new(); count];
    for &(caller, callee, _) in &state.calls {
        if let Some(caller) = caller {
            calls[caller as usize].push(callee);
        }
    }
    let mut depths: Vec<Option<usize>> = vec![None; count];
    for _ in 0..CALLS_MAX {
        let before = depths.clone();
        for (depth, callees) in depths.iter_mut().zip(&calls) {
            let mut below = callees.iter().map(|&callee| before[callee as usize]);
            if depth.is_none() {
                *depth = below.try_fold(1, |deepest, one| Some(deepest.max(one? + 1)));
            }
        }
        if depths == before {
            break;
        }
    }
    let deep = |index: u32| depths[index as usize].is_none();
    let deep_calls = state.calls.iter().filter(|(_, callee, _)| deep(*callee));
    let Some(&(_, first, mut span)) = deep_calls.clone().find(|(caller, ..)| caller.is_some())
    else {
        return Ok(());
    };
    // From a deep proc on there is always a call of a deep one, or the last level is reached.
    let mut path = vec![first];
    loop {
        let here = path.last().copied();
        let onward = deep_calls.clone().find(|(caller, ..)| *caller == here);
        let Some(&(_, callee, at)) = onward.filter(|_| path.len() <= 2 * CALLS_MAX) else {
            let message = format!("calls are nested more than {CALLS_MAX} deep");
            return Err(Failure::new(span, message));
        };
        span = at;
        if path.contains(&callee) {
            let name = &state.scenario.procs[callee as usize].name;
            let message = format!("proc `{}` calls itself", shortened(name));
            return Err(Failure::new(span, message).hint(Some("use `loop`: a proc is no function")));
        }
        path.push(callee);
    }
}

/// Every ticket is made somewhere; one that is used without a number has as many permits as it was
/// made with.
fn finish_tickets(state: &mut State<'_>) -> Parsed<()> {
    let count = state.scenario.tickets.len();
    let mut made: Vec<Option<u32>> = vec![None; count];
    let mut agreed = vec![true; count];
    for one in &state.ticket_uses {
        let index = one.ticket.0 as usize;
        agreed[index] &= one.made.is_none() || made[index].is_none() || one.made == made[index];
        made[index] = made[index].or(one.made);
    }
    for one in &state.ticket_uses {
        let ticket = &state.scenario.tickets[one.ticket.0 as usize];
        if made[one.ticket.0 as usize].is_none() {
            let semaphore = &state.scenario.objects[ticket.semaphore.0 as usize].name;
            let message = format!("no `ticket {semaphore} {}` makes this ticket", ticket.name);
            let others = state.scenario.tickets.iter().zip(&made);
            let others = others
                .filter(|(other, made)| other.semaphore == ticket.semaphore && made.is_some());
            let hint = did_you_mean(&ticket.name, others.map(|(other, _)| other.name.as_str()));
            return Err(Failure::new(one.name.span, message).hint(hint));
        }
    }
    let permits: Vec<u32> = made
        .into_iter()
        .zip(agreed)
        .map(|(made, agreed)| made.filter(|_| agreed).unwrap_or(1))
        .collect();
    let Scenario { threads, procs, .. } = &mut state.scenario;
    let bodies = threads.iter_mut().map(|thread| &mut thread.body);
    for body in bodies.chain(procs.iter_mut().map(|proc| &mut proc.body)) {
        complete(body, &permits);
    }
    Ok(())
}

/// Fills in the permits of the tickets that are used without a number.
fn complete(block: &mut Block, made: &[u32]) {
    for Statement { kind, .. } in block {
        match kind {
            StatementKind::AwaitTicket { ticket, permits }
            | StatementKind::DropTicket { ticket, permits } => {
                if *permits == 0 {
                    *permits = made[ticket.0 as usize];
                }
            }
            _ => {
                for inner in kind.blocks_mut() {
                    complete(inner, made);
                }
            }
        }
    }
}
