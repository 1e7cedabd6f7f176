//! A file from the outside: its header, what it declares, and where the bodies are.
//!
//! Knows all names afterwards. Does not look into the bodies: they may speak of what is declared
//! further down.

use winnow::stream::Stream as _;

use super::error::{Failure, Parsed, did_you_mean};
use super::input::{
    Crew, Input, Name, accept, accept_word, ahead, begin_line, check_names, expect, expected,
    integer, name, next, one_of_words, pass_over_rest, position, quoted, skip_ends, skip_lines,
    take,
};
use super::lexer::{Kind, shortened};
use super::objects::Class;
use super::statement::begins_item;
use crate::report::Code;
use crate::scenario::ast::{
    Expect, Object, ObjectIndex, ObjectKind, Preference, Proc, Span, Thread,
};

/// Threads of one file. The one that starts them all is the explorer's 64th.
pub(super) const THREADS_MAX: usize = 63;

/// Whose statements are where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    /// The number of the token that is its `{`.
    pub(super) start: usize,
    pub(super) owner: Owner,
}

/// Whose statements.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Threads(Crew),
    Proc(u32),
}

/// Reads everything but the bodies.
pub(super) fn outline(input: &mut Input<'_, '_>) -> Parsed<Vec<Body>> {
    let mut bodies = Vec::new();
    // Whether a body has ended too early: what follows up to the next one is of it.
    let mut is_lost = false;
    loop {
        skip_ends(input)?;
        if next(input).kind == Kind::End {
            break;
        }
        begin_line(input);
        let (start, first) = (input.checkpoint(), next(input));
        let is_stray = is_stray(input);
        let read = match begins_item(input) {
            true => {
                is_lost = false;
                thread_or_proc(input).map(|body| bodies.push(body))
            }
            false => whole_line(input),
        };
        if let Err(failure) = read {
            if !is_lost {
                input.state.note(failure)?;
            }
            input.state.lacks_names = true;
            is_lost |= is_stray;
            input.reset(&start);
            if first.kind == Kind::CloseBrace {
                take(input)?;
            }
            pass_over_rest(input, begins_item)?;
        }
    }
    if input.state.scenario.threads.is_empty() && !input.state.has_problems() {
        return Err(expected(input, "a thread")
            .hint(Some("a scenario has at least one `thread NAME { … }`")));
    }
    Ok(bodies)
}

/// Whether what comes next belongs into a thread.
fn is_stray(input: &Input<'_, '_>) -> bool {
    let first = next(input);
    let text = input.state.text_of(first.span);
    first.kind == Kind::CloseBrace
        || (super::statement::STATEMENTS.contains(&text)
            && !Class::ALL.iter().any(|class| class.word() == text))
}

/// A line of the header, or a declaration, to its end.
fn whole_line(input: &mut Input<'_, '_>) -> Parsed<()> {
    line(input)?;
    if matches!(
        next(input).kind,
        Kind::Newline | Kind::Semicolon | Kind::End
    ) {
        return Ok(());
    }
    let another = matches!(next(input).kind, Kind::Word | Kind::Text);
    let hint = another.then_some("`,` separates objects of one declaration");
    Err(expected(input, "the end of the line").hint(hint))
}

/// A line of the header, or a declaration.
fn line(input: &mut Input<'_, '_>) -> Parsed<()> {
    let first = next(input);
    if first.kind == Kind::CloseBrace {
        return Err(Failure::new(first.span, "this `}` closes nothing"));
    }
    if first.kind != Kind::Word {
        return Err(expected(input, "a declaration or a thread"));
    }
    let word = input.state.text_of(first.span);
    take(input)?;
    if let Some(&class) = Class::ALL.iter().find(|class| class.word() == word) {
        return objects(input, class);
    }
    let twice = |given: bool| match given {
        true => Err(Failure::new(
            first.span,
            format!("`{word}` is given a second time"),
        )),
        false => Ok(()),
    };
    match word {
        "title" => {
            twice(input.state.scenario.title.is_some())?;
            let title = quoted(input, "the title")?;
            input.state.scenario.title = Some(title.text.to_owned());
        }
        "expect" => {
            twice(input.state.scenario.expect.is_some())?;
            input.state.scenario.expect = Some(expect_line(input)?);
        }
        "expect_executions" => {
            twice(input.state.scenario.expect_executions.is_some())?;
            let count = integer(input, 1..=i64::MAX, "a number of executions")?;
            input.state.scenario.expect_executions = Some(count.unsigned_abs());
        }
        "thread" | "deferred" | "daemon" | "proc" => {
            return Err(expected(input, "a name or `thread`"));
        }
        _ => return Err(unknown(word, first.span)),
    }
    Ok(())
}

/// A word that begins nothing outside of threads.
fn unknown(word: &str, span: Span) -> Failure {
    let declarations = Class::ALL.iter().map(|class| class.word());
    let others = [
        "title",
        "expect",
        "expect_executions",
        "thread",
        "deferred",
        "daemon",
        "proc",
    ];
    let hint = if super::statement::STATEMENTS.contains(&word) {
        Some(format!("`{word}` is a statement: it stands in a thread"))
    } else {
        did_you_mean(word, declarations.chain(others))
    };
    let message = format!(
        "expected a declaration or a thread, found `{}`",
        shortened(word)
    );
    Failure::new(span, message)
        .expected("a declaration or a thread")
        .hint(hint)
}

/// `clean`, `stuck`, `misuse`, or codes.
fn expect_line(input: &mut Input<'_, '_>) -> Parsed<Expect> {
    for (word, expect) in [
        ("clean", Expect::Clean),
        ("stuck", Expect::Stuck),
        ("misuse", Expect::Misuse),
    ] {
        if accept_word(input, word)? {
            if next(input).kind == Kind::Comma {
                return Err(expected(input, "the end of the line")
                    .hint(Some(format!("`{word}` stands alone"))));
            }
            return Ok(expect);
        }
    }
    let mut codes = Vec::new();
    loop {
        let (code, span) = code(input)?;
        if codes.contains(&code) {
            return Err(Failure::new(span, format!("`{code}` is named twice")));
        }
        codes.push(code);
        if accept(input, Kind::Comma)?.is_none() {
            return Ok(Expect::Codes(codes));
        }
        skip_lines(input)?;
    }
}

/// A code of a finding: words with hyphens between.
fn code(input: &mut Input<'_, '_>) -> Parsed<(Code, Span)> {
    const WHAT: &str = "`clean`, `stuck`, `misuse` or the code of a finding";
    let mut span = expect(input, Kind::Word, WHAT)?.span;
    while next(input).kind == Kind::Minus && ahead(input, 1).kind == Kind::Word {
        let joint = position(input);
        input.state.layout.joints.push(joint);
        take(input)?;
        span.end = take(input)?.span.end;
    }
    let written = input.state.text_of(span);
    if let Ok(code) = written.parse::<Code>() {
        return Ok((code, span));
    }
    let names = Code::ALL.iter().map(|code| code.as_str());
    let hint = match written {
        "clean" | "stuck" | "misuse" => Some(format!("`{written}` stands alone")),
        _ => did_you_mean(written, names.chain(["clean", "stuck", "misuse"])),
    };
    let message = format!("no finding has the code `{}`", shortened(written));
    Err(Failure::new(span, message).expected(WHAT).hint(hint))
}

/// The objects of one declaration, after its word.
fn objects(input: &mut Input<'_, '_>, class: Class) -> Parsed<()> {
    loop {
        let name = name(input, &format!("the name of the {}", class.word()))?;
        let kind = object_kind(input, class)?;
        declare(input, name, kind)?;
        if accept(input, Kind::Comma)?.is_none() {
            return Ok(());
        }
        skip_lines(input)?;
    }
}

fn declare<'s>(input: &mut Input<'_, 's>, name: Name<'s>, kind: ObjectKind) -> Parsed<()> {
    let index = input.state.scenario.objects.len();
    let object = Object {
        name: name.text.to_owned(),
        kind,
        span: name.span,
    };
    input.state.scenario.objects.push(object);
    check_names(index + 1, "objects", name.span)?;
    let index = ObjectIndex(u32::try_from(index).unwrap_or(u32::MAX));
    match input.state.objects.insert(name.text, index) {
        None => Ok(()),
        Some(ObjectIndex(before)) => {
            let before = input.state.scenario.objects[before as usize].span;
            Err(duplicate(input, "object", name, before))
        }
    }
}

fn duplicate(input: &Input<'_, '_>, what: &str, name: Name<'_>, before: Span) -> Failure {
    let line = input.state.line_of(before);
    let name_shown = shortened(name.text);
    let message = format!("there are two {what}s `{name_shown}`");
    Failure::new(name.span, message).hint(Some(format!("the other one is declared in line {line}")))
}

/// How an object begins, after its name.
fn object_kind(input: &mut Input<'_, '_>, class: Class) -> Parsed<ObjectKind> {
    let any = 0..=i64::from(u32::MAX);
    let narrow = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(match class {
        Class::Mutex => ObjectKind::Mutex,
        Class::Lock => ObjectKind::Lock,
        Class::ReentrantMutex => ObjectKind::ReentrantMutex,
        Class::RwLock => ObjectKind::RwLock(preference(input)?),
        Class::Condvar => condvar(input)?,
        Class::Semaphore => {
            expect(input, Kind::Becomes, "`=` and a number of permits")?;
            let permits = narrow(integer(input, any, "a number of permits")?);
            semaphore(input, permits)?
        }
        Class::Channel => ObjectKind::Channel {
            capacity: match accept(input, Kind::Becomes)? {
                Some(_) => Some(narrow(integer(input, any, "a capacity")?)),
                None => None,
            },
        },
        Class::WaitGroup => ObjectKind::WaitGroup {
            count: match accept(input, Kind::Becomes)? {
                Some(_) => narrow(integer(input, any, "a count")?),
                None => 0,
            },
        },
        Class::Barrier => {
            expect(input, Kind::Becomes, "`=` and a number of threads")?;
            let parties = integer(input, 1..=i64::from(u32::MAX), "a number of threads")?;
            ObjectKind::Barrier {
                parties: narrow(parties),
            }
        }
        Class::Once => ObjectKind::Once,
        Class::Notify => ObjectKind::Notify,
        Class::Var => ObjectKind::Var {
            value: match accept(input, Kind::Becomes)? {
                Some(_) => integer(input, i64::MIN..=i64::MAX, "a number")?,
                None => 0,
            },
        },
    })
}

fn preference(input: &mut Input<'_, '_>) -> Parsed<Preference> {
    let words = ["writer_preferring", "fifo", "reader_preferring"];
    let what = "`writer_preferring`, `fifo` or `reader_preferring`";
    Ok(match one_of_words(input, &words, what)? {
        None | Some(0) => Preference::Writer,
        Some(1) => Preference::Fifo,
        _ => Preference::Reader,
    })
}

fn condvar(input: &mut Input<'_, '_>) -> Parsed<ObjectKind> {
    let (mut spurious, mut fifo) = (false, false);
    while let Some(word) = one_of_words(input, &["spurious", "fifo"], "`spurious` or `fifo`")? {
        if word == 0 {
            spurious = true;
        } else {
            fifo = true;
        }
    }
    Ok(ObjectKind::Condvar { spurious, fifo })
}

fn semaphore(input: &mut Input<'_, '_>, permits: u32) -> Parsed<ObjectKind> {
    let (mut fifo, mut max) = (false, None);
    while let Some(word) = one_of_words(input, &["fifo", "max"], "`fifo` or `max`")? {
        if word == 0 {
            fifo = true;
        } else {
            let bounds = i64::from(permits)..=i64::from(u32::MAX);
            max = u32::try_from(integer(input, bounds, "a number of permits")?).ok();
        }
    }
    Ok(ObjectKind::Semaphore { permits, fifo, max })
}

/// `[deferred] [daemon] thread NAME [* K] { … }` or `proc NAME { … }`.
fn thread_or_proc(input: &mut Input<'_, '_>) -> Parsed<Body> {
    let (mut deferred, mut daemon) = (false, false);
    loop {
        if accept_word(input, "deferred")? {
            deferred = true;
        } else if accept_word(input, "daemon")? {
            daemon = true;
        } else {
            break;
        }
    }
    let owner = if !deferred && !daemon && accept_word(input, "proc")? {
        proc(input)?
    } else if accept_word(input, "thread")? {
        threads(input, deferred, daemon)?
    } else {
        return Err(expected(input, "`thread`"));
    };
    skip_lines(input)?;
    let start = position(input);
    if next(input).kind != Kind::OpenBrace {
        return Err(expected(input, "`{`"));
    }
    pass_over(input)?;
    Ok(Body { start, owner })
}

fn proc(input: &mut Input<'_, '_>) -> Parsed<Owner> {
    let name = name(input, "the name of the proc")?;
    let index = u32::try_from(input.state.scenario.procs.len()).unwrap_or(u32::MAX);
    // One of the same name is added, too: a third one is told of it.
    input.state.scenario.procs.push(Proc {
        name: name.text.to_owned(),
        body: Vec::new(),
        span: name.span,
    });
    check_names(input.state.scenario.procs.len(), "procs", name.span)?;
    match input.state.procs.insert(name.text, index) {
        None => Ok(Owner::Proc(index)),
        Some(before) => {
            let before = input.state.scenario.procs[before as usize].span;
            Err(duplicate(input, "proc", name, before))
        }
    }
}

fn threads(input: &mut Input<'_, '_>, deferred: bool, daemon: bool) -> Parsed<Owner> {
    let name = name(input, "the name of the thread")?;
    let at = next(input).span;
    let numbered = accept(input, Kind::Star)?.is_some();
    let count = match numbered {
        true => integer(input, 1..=THREADS_MAX as i64, "a number of threads")?,
        false => 1,
    };
    let first = input.state.scenario.threads.len();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if first + count > THREADS_MAX {
        let span = if numbered { at } else { name.span };
        let message = format!("there are more than {THREADS_MAX} threads");
        return Err(Failure::new(span, message));
    }
    for number in 1..=count {
        let text = match numbered {
            true => format!("{}.{number}", name.text),
            false => name.text.to_owned(),
        };
        let threads = &mut input.state.scenario.threads;
        if let Some(other) = threads.iter().find(|thread| thread.name == text) {
            let (text, span) = (text.as_str(), name.span);
            let before = other.span;
            return Err(duplicate(input, "thread", Name { text, span }, before));
        }
        threads.push(Thread {
            name: text,
            deferred,
            daemon,
            body: Vec::new(),
            span: name.span,
        });
    }
    let crew = Crew {
        first: first as u32,
        count: count as u32,
        deferred,
        numbered,
    };
    if input.state.crews.insert(name.text, crew).is_some() {
        let message = format!("there are two threads `{}`", shortened(name.text));
        return Err(Failure::new(name.span, message));
    }
    Ok(Owner::Threads(crew))
}

/// Passes over a body, up to its `}`; or up to the next item, when a `}` is missing: then whoever
/// reads the body says where.
fn pass_over(input: &mut Input<'_, '_>) -> Parsed<()> {
    let mut depth = 0_usize;
    loop {
        let token = take(input)?;
        match token.kind {
            Kind::OpenBrace => depth += 1,
            Kind::CloseBrace => depth -= 1,
            Kind::End => return Ok(()),
            _ => {}
        }
        let begins = matches!(token.kind, Kind::Newline | Kind::Semicolon);
        if depth == 0 || (begins && begins_item(input)) {
            return Ok(());
        }
    }
}
