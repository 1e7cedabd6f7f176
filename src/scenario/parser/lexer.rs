//! From characters to tokens.
//!
//! Knows words, numbers, texts, signs, line ends and comments. Does not know which words mean
//! anything.

use winnow::combinator::{alt, dispatch, empty, eof, fail, not, opt, peek, preceded, terminated};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, take_while};

use super::error::{Failure, Parsed};
use crate::scenario::ast::Span;

/// Nobody writes so much by hand, and a generated file is better cut in two. Blanks do not count: a
/// file is no longer for being laid out.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// With blanks; places are numbers of 32 bits.
const SOURCE_BYTES_MAX: usize = 1 << 30;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenario) enum Kind {
    /// A name or a word of the language.
    Word,
    /// `"…"`.
    Text,
    /// `$x`.
    Local,
    Number,
    OpenBrace,
    CloseBrace,
    OpenRound,
    CloseRound,
    Comma,
    Colon,
    Dot,
    /// `=`.
    Becomes,
    /// `+=`.
    Grows,
    /// `-=`.
    Shrinks,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Semicolon,
    Newline,
    /// After the last character; every list of tokens ends with one.
    End,
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenario) struct Token {
    pub(in crate::scenario) kind: Kind,
    pub(in crate::scenario) span: Span,
}

/// A whole text, in tokens.
pub(super) struct Lexed {
    /// Without comments and blanks, with line ends.
    pub(super) tokens: Vec<Token>,
    /// From `#` to the last character that is not blank.
    pub(super) comments: Vec<Span>,
}

type Input<'s> = LocatingSlice<&'s str>;

/// Cuts a text into tokens.
pub(super) fn lex(source: &str) -> Parsed<Lexed> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(too_long(0));
    }
    let mut input = LocatingSlice::new(source);
    let mut text_bytes = 0;
    let mut lexed = Lexed {
        tokens: Vec::new(),
        comments: Vec::new(),
    };
    // Some editors begin a file with a mark of its byte order.
    opt('\u{feff}').parse_next(&mut input)?;
    loop {
        blanks(&mut input)?;
        if opt(eof).parse_next(&mut input)?.is_some() {
            break;
        }
        let rest: &str = input.as_ref();
        let (piece, range) = alt((comment.map(|()| None), kind.map(Some)))
            .with_span()
            .parse_next(&mut input)
            .map_err(|_: Failure| refuse(source, rest))?;
        let span = span(range.start, range.end);
        let is_end = |kind| matches!(kind, Kind::Newline | Kind::Semicolon);
        let after_end = lexed.tokens.last().is_none_or(|last| is_end(last.kind));
        match piece {
            // One end of a line is as good as many.
            Some(kind) if is_end(kind) => {
                if !after_end {
                    lexed.tokens.push(Token { kind, span });
                }
                continue;
            }
            Some(kind) => lexed.tokens.push(Token { kind, span }),
            None => lexed.comments.push(without_blanks(source, span)),
        }
        text_bytes += range.len();
        if text_bytes > TEXT_BYTES_MAX {
            return Err(too_long(range.start));
        }
    }
    let kind = Kind::End;
    let span = span(source.len(), source.len());
    lexed.tokens.push(Token { kind, span });
    Ok(lexed)
}

fn span(start: usize, end: usize) -> Span {
    let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span {
        start: narrow(start),
        end: narrow(end),
    }
}

fn too_long(start: usize) -> Failure {
    let mebibytes = TEXT_BYTES_MAX >> 20;
    let message = format!("the file has more than {mebibytes} MiB of text");
    Failure::new(span(start, start), message)
        .hint(Some("a scenario is a handful of threads: cut it in parts"))
}

fn without_blanks(source: &str, span: Span) -> Span {
    let text = &source[span.start as usize..span.end as usize];
    let blank = text.len() - text.trim_end().len();
    Span {
        start: span.start,
        end: span.end - blank as u32,
    }
}

fn blanks(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., [' ', '\t']).void().parse_next(input)
}

/// Characters that a terminal would obey have no place in a source.
fn is_harmless(c: char) -> bool {
    c == '\t' || !c.is_control()
}

fn comment(input: &mut Input<'_>) -> Parsed<()> {
    let end = peek(alt((eof, "\n", "\r\n")));
    ('#', take_while(0.., is_harmless), end)
        .void()
        .parse_next(input)
}

fn kind(input: &mut Input<'_>) -> Parsed<Kind> {
    dispatch! { peek(any);
        'a'..='z' | 'A'..='Z' | '_' => word.value(Kind::Word),
        '0'..='9' => number.value(Kind::Number),
        '$' => preceded('$', word).value(Kind::Local),
        '"' => text.value(Kind::Text),
        '\r' => "\r\n".value(Kind::Newline),
        '\n' => '\n'.value(Kind::Newline),
        _ => sign,
    }
    .parse_next(input)
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word(input: &mut Input<'_>) -> Parsed<()> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    (take_while(1, first), take_while(0.., is_of_word))
        .void()
        .parse_next(input)
}

fn number(input: &mut Input<'_>) -> Parsed<()> {
    let digits = take_while(1.., '0'..='9');
    let end = not(take_while(1, is_of_word));
    terminated(digits, end).void().parse_next(input)
}

fn text(input: &mut Input<'_>) -> Parsed<()> {
    let inside = take_while(1.., |c| c != '"' && is_harmless(c));
    ('"', inside, '"').void().parse_next(input)
}

fn sign(input: &mut Input<'_>) -> Parsed<Kind> {
    let long = alt((
        "==".value(Kind::Equal),
        "!=".value(Kind::NotEqual),
        "<=".value(Kind::LessOrEqual),
        ">=".value(Kind::GreaterOrEqual),
        "+=".value(Kind::Grows),
        "-=".value(Kind::Shrinks),
    ));
    let short = dispatch! { any;
        '{' => empty.value(Kind::OpenBrace),
        '}' => empty.value(Kind::CloseBrace),
        '(' => empty.value(Kind::OpenRound),
        ')' => empty.value(Kind::CloseRound),
        ',' => empty.value(Kind::Comma),
        ':' => empty.value(Kind::Colon),
        ';' => empty.value(Kind::Semicolon),
        '.' => empty.value(Kind::Dot),
        '=' => empty.value(Kind::Becomes),
        '+' => empty.value(Kind::Plus),
        '-' => empty.value(Kind::Minus),
        '*' => empty.value(Kind::Star),
        '/' => empty.value(Kind::Slash),
        '%' => empty.value(Kind::Percent),
        '<' => empty.value(Kind::Less),
        '>' => empty.value(Kind::Greater),
        _ => fail,
    };
    alt((long, short)).parse_next(input)
}

/// Why no token begins here.
fn refuse(source: &str, rest: &str) -> Failure {
    let start = source.len() - rest.len();
    let first = rest.chars().next().unwrap_or_default();
    let at = |length: usize| span(start, start + length);
    match first {
        '"' | '#' => {
            let inside = &rest[1..];
            let end = inside
                .find(|c| (c == '"' && first == '"') || !is_harmless(c))
                .unwrap_or(inside.len());
            match inside[end..].chars().next() {
                Some('"') => Failure::new(at(2), "the text is empty"),
                None | Some('\n' | '\r') if first == '"' => {
                    Failure::new(at(1 + end), "the text does not end on its line").expected("`\"`")
                }
                stray => {
                    let stray = stray.unwrap_or_default();
                    let start = start + 1 + end;
                    unexpected(stray, span(start, start + stray.len_utf8()))
                }
            }
        }
        '$' => Failure::new(at(1), "`$` has no name").expected("a name"),
        '0'..='9' => {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            let message = format!(
                "`{}` is neither a number nor a name",
                shortened(&rest[..end])
            );
            Failure::new(at(end), message).hint(Some("a name does not begin with a digit"))
        }
        _ => unexpected(first, at(first.len_utf8())),
    }
}

fn unexpected(c: char, span: Span) -> Failure {
    let hint = match c {
        '&' => Some("write `and`"),
        '|' => Some("write `or`"),
        '!' => Some("write `not`"),
        '\'' => Some("a text stands in double quotes"),
        '\r' => Some("a line ends with a line feed, with or without a carriage return before it"),
        _ if c.is_alphanumeric() => {
            Some("a name with other characters than A-Z, a-z, 0-9 and _ stands in double quotes")
        }
        _ => None,
    };
    let shown = if c.is_control() || c.is_whitespace() {
        format!("U+{:04X}", u32::from(c))
    } else {
        format!("`{c}`")
    };
    Failure::new(span, format!("unexpected character {shown}")).hint(hint)
}

/// A text that fits a message.
pub(super) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    if text.chars().nth(CHARS_MAX).is_none() {
        text.to_owned()
    } else {
        text.chars().take(CHARS_MAX - 1).chain(['…']).collect()
    }
}
