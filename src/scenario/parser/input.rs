//! What the grammar reads from, and what it knows while it reads.
//!
//! Knows tokens, the names of a file and how deep the reader is in it. Does not know statements.

use std::collections::HashMap;

use winnow::prelude::*;
use winnow::stream::{Stateful, Stream, TokenSlice};
use winnow::token::any;

use super::error::{Failure, Parsed, Problem, did_you_mean};
use super::lexer::{Kind, Lexed, Token, shortened};
use crate::scenario::ast::{
    LocalIndex, ObjectIndex, Scenario, Span, TextIndex, Ticket, TicketIndex,
};

/// Blocks in blocks: whoever visits a scenario does so recursively, on a thread's small stack.
pub(super) const DEPTH_MAX: u32 = 64;
/// Statements of all threads together: far more than any search gets through.
const STATEMENTS_MAX: usize = 1 << 16;

/// Errors of a text that are told.
const ERRORS_MAX: usize = 10;

/// Names of one sort: each is part of every state.
const NAMES_MAX: usize = 4096;

/// The tokens that are left, and what is known.
pub(super) type Input<'a, 's> = Stateful<TokenSlice<'a, Token>, &'a mut State<'s>>;

/// A name as written, without its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'s> {
    pub(super) text: &'s str,
    pub(super) span: Span,
}

/// Threads of one declaration: `thread NAME * K`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crew {
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) deferred: bool,
    /// Declared `* K`, so that each has a number behind its name.
    pub(super) numbered: bool,
}

/// Where a statement is used that speaks of a ticket, until all tickets are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct TicketUse<'s> {
    pub(super) name: Name<'s>,
    pub(super) ticket: TicketIndex,
    /// `ticket` with so many permits; none for `await_ticket` and `drop_ticket`.
    pub(super) made: Option<u32>,
}

/// How a file is laid out, in numbers of tokens; for the formatter.
#[derive(Clone, Debug, Default)]
pub(in crate::scenario) struct Layout {
    /// A line begins with this token, so many steps to the right.
    pub(in crate::scenario) lines: Vec<(usize, u32)>,
    /// Signs without a blank behind them.
    pub(in crate::scenario) prefixes: Vec<usize>,
    /// Signs with a blank on neither side.
    pub(in crate::scenario) joints: Vec<usize>,
}

/// What is known while a file is read.
#[derive(Debug, Default)]
pub(super) struct State<'s> {
    source: &'s str,
    tokens: usize,
    pub(super) scenario: Scenario,
    pub(super) objects: HashMap<&'s str, ObjectIndex>,
    pub(super) crews: HashMap<&'s str, Crew>,
    pub(super) procs: HashMap<&'s str, u32>,
    locals: HashMap<&'s str, LocalIndex>,
    texts: HashMap<&'s str, TextIndex>,
    tickets: HashMap<(ObjectIndex, &'s str), TicketIndex>,
    pub(super) ticket_uses: Vec<TicketUse<'s>>,
    /// Who calls whom, where: the caller is none for threads.
    pub(super) calls: Vec<(Option<u32>, u32, Span)>,
    /// The proc whose body is read.
    pub(super) proc: Option<u32>,
    /// Loops around the statement at hand.
    pub(super) loops: u32,
    pub(super) depth: u32,
    /// How many `else if` the reader is in.
    pub(super) chain: u32,
    /// How many threads the body at hand is for.
    pub(super) copies: usize,
    statements: usize,
    pub(super) layout: Layout,
    /// What is wrong, as far as it is known.
    problems: Vec<Problem>,
    /// Whether a declaration cannot be read: then names are unknown that are not wrong.
    pub(super) lacks_names: bool,
}

impl<'s> State<'s> {
    pub(super) fn new(source: &'s str, lexed: &Lexed) -> Self {
        State {
            source,
            tokens: lexed.tokens.len(),
            copies: 1,
            ..State::default()
        }
    }

    /// Notes what is wrong, unless it is but what follows from something that is noted.
    ///
    /// # Errors
    /// When there is enough of it.
    pub(super) fn note(&mut self, failure: Failure) -> Parsed<()> {
        if let Some(problem) = failure.into_problem() {
            let is_known = |other: &Problem| {
                other.span.start == problem.span.start
                    || (problem.is_name && other.message == problem.message)
            };
            let follows =
                (problem.is_name && self.lacks_names) || self.problems.iter().any(is_known);
            if !follows {
                self.problems.push(*problem);
            }
        }
        match self.problems.len() < ERRORS_MAX {
            true => Ok(()),
            false => Err(Failure::noted()),
        }
    }

    /// Whether something is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// What is wrong, in the order of the text.
    pub(super) fn take_problems(&mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.span.start);
        std::mem::take(&mut self.problems)
    }

    pub(super) fn text_of(&self, span: Span) -> &'s str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// The variable of this name; a name is known once it is used.
    pub(super) fn local(&mut self, token: Token) -> Parsed<LocalIndex> {
        let name = &self.text_of(token.span)[1..];
        let local = *self.locals.entry(name).or_insert_with(|| {
            self.scenario.locals.push(name.to_owned());
            LocalIndex(self.scenario.locals.len() as u32 - 1)
        });
        check_names(self.locals.len(), "local variables", token.span)?;
        Ok(local)
    }

    /// The line in which something begins, counted from 1.
    pub(super) fn line_of(&self, span: Span) -> usize {
        let before = &self.source.as_bytes()[..span.start as usize];
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// The ticket of this name at this semaphore; a ticket is known once it is spoken of.
    pub(super) fn ticket(&mut self, semaphore: ObjectIndex, name: Name<'s>) -> Parsed<TicketIndex> {
        let key = (semaphore, name.text);
        let ticket = *self.tickets.entry(key).or_insert_with(|| {
            let name = name.text.to_owned();
            self.scenario.tickets.push(Ticket { name, semaphore });
            TicketIndex(self.scenario.tickets.len() as u32 - 1)
        });
        check_names(self.tickets.len(), "tickets", name.span)?;
        Ok(ticket)
    }

    pub(super) fn text(&mut self, name: Name<'s>) -> TextIndex {
        *self.texts.entry(name.text).or_insert_with(|| {
            self.scenario.texts.push(name.text.to_owned());
            TextIndex(self.scenario.texts.len() as u32 - 1)
        })
    }
}

/// The token that comes next.
pub(super) fn next(input: &Input<'_, '_>) -> Token {
    ahead(input, 0)
}

/// A token further on. The last one, [`Kind::End`], is never taken.
pub(super) fn ahead(input: &Input<'_, '_>, count: usize) -> Token {
    let left = &**input;
    let (token, end) = (left.get(count), left.last());
    *token.or(end).expect("the last token stays")
}

/// The number of the token that comes next.
pub(super) fn position(input: &Input<'_, '_>) -> usize {
    input.state.tokens - input.input.eof_offset()
}

/// Takes the token that comes next.
pub(super) fn take(input: &mut Input<'_, '_>) -> Parsed<Token> {
    match next(input) {
        end if end.kind == Kind::End => Ok(end),
        _ => any.parse_next(input).copied(),
    }
}

/// Takes the next token when it is of this kind.
pub(super) fn accept(input: &mut Input<'_, '_>, kind: Kind) -> Parsed<Option<Token>> {
    if next(input).kind == kind {
        take(input).map(Some)
    } else {
        Ok(None)
    }
}

/// Takes the next token when it is this word.
pub(super) fn accept_word(input: &mut Input<'_, '_>, word: &str) -> Parsed<bool> {
    let found = is_word(input, word);
    if found {
        take(input)?;
    }
    Ok(found)
}

/// Whether the next token is this word.
pub(super) fn is_word(input: &Input<'_, '_>, word: &str) -> bool {
    let token = next(input);
    token.kind == Kind::Word && input.state.text_of(token.span) == word
}

/// Takes a token that must come next.
pub(super) fn expect(input: &mut Input<'_, '_>, kind: Kind, what: &str) -> Parsed<Token> {
    match accept(input, kind)? {
        Some(token) => Ok(token),
        None => Err(expected(input, what)),
    }
}

/// The failure that something else comes next.
pub(super) fn expected(input: &Input<'_, '_>, what: &str) -> Failure {
    let token = next(input);
    let message = format!("expected {what}, found {}", described(input, token));
    Failure::new(token.span, message).expected(what)
}

/// A token as a message names it.
pub(super) fn described(input: &Input<'_, '_>, token: Token) -> String {
    match token.kind {
        Kind::End => "the end of the file".to_owned(),
        Kind::Newline => "the end of the line".to_owned(),
        _ => format!("`{}`", shortened(input.state.text_of(token.span))),
    }
}

/// Passes over line ends, where a line may go on.
pub(super) fn skip_lines(input: &mut Input<'_, '_>) -> Parsed<()> {
    while accept(input, Kind::Newline)?.is_some() {}
    Ok(())
}

/// Passes over what stands between statements.
pub(super) fn skip_ends(input: &mut Input<'_, '_>) -> Parsed<()> {
    while matches!(next(input).kind, Kind::Newline | Kind::Semicolon) {
        take(input)?;
    }
    Ok(())
}

/// Notes that a line begins here.
pub(super) fn begin_line(input: &mut Input<'_, '_>) {
    let line = (position(input), input.state.depth);
    input.state.layout.lines.push(line);
}

/// A name, quoted or not.
pub(super) fn name<'s>(input: &mut Input<'_, 's>, what: &str) -> Parsed<Name<'s>> {
    let token = next(input);
    let text = input.state.text_of(token.span);
    let text = match token.kind {
        Kind::Word => text,
        Kind::Text => &text[1..text.len() - 1],
        _ => return Err(expected(input, what)),
    };
    take(input)?;
    Ok(Name {
        text,
        span: token.span,
    })
}

/// A text in quotes.
pub(super) fn quoted<'s>(input: &mut Input<'_, 's>, what: &str) -> Parsed<Name<'s>> {
    if next(input).kind == Kind::Text {
        name(input, what)
    } else {
        let what = format!("{what} in double quotes");
        Err(expected(input, &what))
    }
}

/// One of a few words, when a word comes next: the number of the word, or none at the end of the
/// line.
pub(super) fn one_of_words(
    input: &mut Input<'_, '_>,
    words: &[&str],
    what: &str,
) -> Parsed<Option<usize>> {
    let token = next(input);
    if token.kind != Kind::Word {
        return Ok(None);
    }
    let text = input.state.text_of(token.span);
    match words.iter().position(|&word| word == text) {
        Some(index) => {
            take(input)?;
            Ok(Some(index))
        }
        None => {
            let hint = did_you_mean(text, words.iter().copied());
            Err(expected(input, what).hint(hint))
        }
    }
}

/// A whole number that must come next, with its sign, in these bounds.
pub(super) fn integer(
    input: &mut Input<'_, '_>,
    bounds: std::ops::RangeInclusive<i64>,
    what: &str,
) -> Parsed<i64> {
    let start = position(input);
    let minus = accept(input, Kind::Minus)?;
    let number = expect(input, Kind::Number, what)?;
    let span = Span {
        start: minus.unwrap_or(number).span.start,
        end: number.span.end,
    };
    let sign = if minus.is_some() {
        input.state.layout.prefixes.push(start);
        "-"
    } else {
        ""
    };
    let digits = input.state.text_of(number.span);
    let value = format!("{sign}{digits}").parse::<i64>().ok();
    value.filter(|value| bounds.contains(value)).ok_or_else(|| {
        let (low, high) = bounds.into_inner();
        let high = match high {
            i64::MAX => "2⁶³ - 1".to_owned(),
            high => high.to_string(),
        };
        let low = match low {
            i64::MIN => "-2⁶³".to_owned(),
            low => low.to_string(),
        };
        let written = shortened(digits);
        let message = format!("{sign}{written} is not {what} from {low} to {high}");
        Failure::new(span, message)
    })
}

/// Passes over what cannot be read, to where the next statement or declaration begins: behind the
/// end of a line that is in no block begun on the way, before what closes a block that was begun
/// before, or before the next thread.
pub(super) fn pass_over_rest(
    input: &mut Input<'_, '_>,
    begins_item: impl Fn(&Input<'_, '_>) -> bool,
) -> Parsed<()> {
    let mut depth = 0_usize;
    loop {
        match next(input).kind {
            Kind::End => return Ok(()),
            Kind::CloseBrace if depth == 0 => return Ok(()),
            Kind::CloseBrace => depth -= 1,
            Kind::OpenBrace => depth += 1,
            Kind::Newline | Kind::Semicolon => {
                skip_ends(input)?;
                if begins_item(input) || (depth == 0 && !is_word(input, "else")) {
                    return Ok(());
                }
                continue;
            }
            _ => {}
        }
        take(input)?;
    }
}

/// Runs a parser one block further in.
pub(super) fn nested<'a, 's, T>(
    input: &mut Input<'a, 's>,
    parser: impl FnOnce(&mut Input<'a, 's>) -> Parsed<T>,
) -> Parsed<T> {
    input.state.depth += 1;
    check_depth(input)?;
    let result = parser(input)?;
    input.state.depth -= 1;
    Ok(result)
}

/// Fails when the reader is too deep in blocks.
pub(super) fn check_depth(input: &Input<'_, '_>) -> Parsed<()> {
    if input.state.depth + input.state.chain > DEPTH_MAX {
        let message = format!("blocks are nested more than {DEPTH_MAX} deep");
        return Err(Failure::new(next(input).span, message)
            .hint(Some("`proc` and `call` share statements without nesting")));
    }
    Ok(())
}

/// Fails when there are too many names of one sort; `at` is the one that is too many.
pub(super) fn check_names(count: usize, what: &str, at: Span) -> Parsed<()> {
    if count <= NAMES_MAX {
        return Ok(());
    }
    let message = format!("there are more than {NAMES_MAX} {what}");
    Err(Failure::new(at, message).of_name())
}

/// Counts a statement, for each of the threads that it is for.
pub(super) fn count_statement(input: &mut Input<'_, '_>) -> Parsed<()> {
    input.state.statements += input.state.copies;
    if input.state.statements > STATEMENTS_MAX {
        let message = format!("the threads have more than {STATEMENTS_MAX} statements together");
        return Err(Failure::new(next(input).span, message).of_name());
    }
    Ok(())
}
