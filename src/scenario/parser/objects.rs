//! Names as operands: what they stand for, and whether that is the right kind of thing.
//!
//! Knows the words for kinds of objects. Does not know what the statements do with them.

use super::error::{Failure, Parsed, did_you_mean};
use super::input::{Crew, Input, Name, accept, ahead, name, next, position};
use super::lexer::{Kind, shortened};
use crate::scenario::ast::{ObjectIndex, ObjectKind, ProcIndex, Span, ThreadIndex};

/// Kinds of objects, without how they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Mutex,
    Lock,
    ReentrantMutex,
    RwLock,
    Condvar,
    Semaphore,
    Channel,
    WaitGroup,
    Barrier,
    Once,
    Notify,
    Var,
}

/// What `lock` takes.
pub(super) const LOCKS: &[Class] = &[Class::Mutex, Class::Lock, Class::ReentrantMutex];

impl Class {
    pub(super) const ALL: &[Class] = &[
        Class::Mutex,
        Class::Lock,
        Class::ReentrantMutex,
        Class::RwLock,
        Class::Condvar,
        Class::Semaphore,
        Class::Channel,
        Class::WaitGroup,
        Class::Barrier,
        Class::Once,
        Class::Notify,
        Class::Var,
    ];

    fn of(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Mutex => Class::Mutex,
            ObjectKind::Lock => Class::Lock,
            ObjectKind::ReentrantMutex => Class::ReentrantMutex,
            ObjectKind::RwLock(_) => Class::RwLock,
            ObjectKind::Condvar { .. } => Class::Condvar,
            ObjectKind::Semaphore { .. } => Class::Semaphore,
            ObjectKind::Channel { .. } => Class::Channel,
            ObjectKind::WaitGroup { .. } => Class::WaitGroup,
            ObjectKind::Barrier { .. } => Class::Barrier,
            ObjectKind::Once => Class::Once,
            ObjectKind::Notify => Class::Notify,
            ObjectKind::Var { .. } => Class::Var,
        }
    }

    /// The word that declares it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Class::Mutex => "mutex",
            Class::Lock => "lock",
            Class::ReentrantMutex => "rmutex",
            Class::RwLock => "rwlock",
            Class::Condvar => "condvar",
            Class::Semaphore => "semaphore",
            Class::Channel => "channel",
            Class::WaitGroup => "waitgroup",
            Class::Barrier => "barrier",
            Class::Once => "once",
            Class::Notify => "notify",
            Class::Var => "var",
        }
    }

    /// With its article.
    fn a(self) -> String {
        let article = if matches!(self, Class::ReentrantMutex | Class::RwLock) {
            "an"
        } else {
            "a"
        };
        format!("{article} {}", self.word())
    }

    /// How one of them is declared.
    fn declared(self, name: &str) -> String {
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let quote = if plain { "" } else { "\"" };
        let begins = match self {
            Class::Semaphore | Class::Barrier => " = 1",
            Class::Var => " = 0",
            _ => "",
        };
        format!("{} {quote}{name}{quote}{begins}", self.word())
    }
}

/// `a mutex, a lock or an rmutex`.
fn any_of(classes: &[Class]) -> String {
    let words: Vec<String> = classes.iter().map(|class| class.a()).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The object that must come next, of one of these kinds; `statement` is the word that takes it.
pub(super) fn object(
    input: &mut Input<'_, '_>,
    statement: &str,
    classes: &[Class],
) -> Parsed<ObjectIndex> {
    let name = name(input, &format!("the name of {}", any_of(classes)))?;
    find(input, statement, classes, name)
}

/// The variable of this name.
pub(super) fn var(input: &Input<'_, '_>, name: Name<'_>) -> Parsed<ObjectIndex> {
    find(input, "an expression", &[Class::Var], name)
}

/// The kind of an object.
pub(super) fn kind(input: &Input<'_, '_>, object: ObjectIndex) -> ObjectKind {
    input.state.scenario.objects[object.0 as usize].kind
}

fn find(
    input: &Input<'_, '_>,
    statement: &str,
    classes: &[Class],
    name: Name<'_>,
) -> Parsed<ObjectIndex> {
    let shown = shortened(name.text);
    let Some(&index) = input.state.objects.get(name.text) else {
        let first = classes.first().copied().unwrap_or(Class::Var);
        let message = format!("there is no {} `{shown}`", first.word());
        let hint = unknown(input, classes, name.text)
            .unwrap_or_else(|| format!("declare it: `{}`", first.declared(&shown)));
        return Err(Failure::new(name.span, message).hint(Some(hint)).of_name());
    };
    let found = Class::of(kind(input, index));
    if classes.contains(&found) {
        return Ok(index);
    }
    let statement = match statement {
        "an expression" => statement.to_owned(),
        word => format!("`{word}`"),
    };
    let message = format!(
        "{statement} takes {}, and `{shown}` is {}",
        any_of(classes),
        found.a()
    );
    Err(Failure::new(name.span, message).hint(instead(&statement, found)))
}

/// What may have been meant by a name that nothing has.
fn unknown(input: &Input<'_, '_>, classes: &[Class], name: &str) -> Option<String> {
    let objects = &input.state.scenario.objects;
    let of_class = objects
        .iter()
        .filter(|object| classes.contains(&Class::of(object.kind)));
    let hint = did_you_mean(name, of_class.map(|object| object.name.as_str()));
    hint.or_else(|| {
        let local = input
            .state
            .scenario
            .locals
            .iter()
            .any(|local| local == name);
        let is_var = classes == [Class::Var];
        match name {
            "true" if is_var => Some("write `1`".to_owned()),
            "false" if is_var => Some("write `0`".to_owned()),
            _ if local && is_var => Some(format!("did you mean `${name}`?")),
            _ => None,
        }
    })
}

/// The statement that does to an object of this kind what `statement` does to others.
fn instead(statement: &str, found: Class) -> Option<&'static str> {
    Some(match (statement.trim_matches('`'), found) {
        ("lock", Class::RwLock) => "write `read` or `write`",
        ("trylock", Class::RwLock) => "write `tryread` or `trywrite`",
        ("lock", Class::Semaphore) => "write `acquire`",
        ("trylock", Class::Semaphore) => "write `tryacquire`",
        ("unlock", Class::Semaphore) => "write `release`",
        ("read" | "write", Class::Mutex | Class::Lock | Class::ReentrantMutex) => "write `lock`",
        ("read" | "write", Class::Var) => "a `var` is read by using it: `$r = x`",
        ("acquire", Class::Mutex | Class::Lock | Class::ReentrantMutex) => "write `lock`",
        ("release", Class::Mutex | Class::Lock | Class::ReentrantMutex) => "write `unlock`",
        ("release", Class::RwLock) => "write `unlock`",
        ("wait", Class::Notify) => "write `wait_notify`",
        ("wait", Class::WaitGroup) => "write `wg_wait`",
        ("notify", Class::Condvar) => "write `notify_one` or `notify_all`",
        ("notify_one" | "notify_all", Class::Notify) => "write `notify` or `notify_waiters`",
        ("wait_notify", Class::Condvar) => "write `wait`",
        _ => return None,
    })
}

/// The threads that a name stands for: `w`, all of them, or `w.2` of a `thread w * 3`.
pub(super) fn threads(input: &mut Input<'_, '_>) -> Parsed<(Crew, Span)> {
    let name = name(input, "the name of a thread")?;
    let crew = input.state.crews.get(name.text).copied();
    let joint = next(input);
    let number = ahead(input, 1);
    if joint.kind == Kind::Dot && number.kind == Kind::Number {
        let at = position(input);
        input.state.layout.joints.push(at);
        accept(input, Kind::Dot)?;
        accept(input, Kind::Number)?;
        let digits = input.state.text_of(number.span);
        let span = Span {
            start: name.span.start,
            end: number.span.end,
        };
        let text = format!("{}.{digits}", name.text);
        return Ok((one_of_crew(input, &text, span)?, span));
    }
    match crew {
        Some(crew) => Ok((crew, name.span)),
        None => Ok((one_of_crew(input, name.text, name.span)?, name.span)),
    }
}

fn one_of_crew(input: &Input<'_, '_>, name: &str, span: Span) -> Parsed<Crew> {
    let member = name.rsplit_once('.').and_then(|(crew, number)| {
        let crew = input.state.crews.get(crew)?;
        let number = number.parse::<u32>().ok()?.checked_sub(1)?;
        let inside = crew.numbered && number < crew.count;
        inside.then_some(Crew {
            first: crew.first + number,
            count: 1,
            deferred: crew.deferred,
            numbered: false,
        })
    });
    member.ok_or_else(|| {
        let crews = input.state.crews.keys().copied();
        let hint = did_you_mean(name, sorted(crews));
        Failure::new(span, format!("there is no thread `{}`", shortened(name)))
            .hint(hint)
            .of_name()
    })
}

/// One thread that must come next.
pub(super) fn thread(input: &mut Input<'_, '_>, statement: &str) -> Parsed<ThreadIndex> {
    let (crew, span) = threads(input)?;
    if crew.count == 1 {
        return Ok(ThreadIndex(crew.first));
    }
    let name = input.state.text_of(span);
    let message = format!(
        "`{statement}` takes one thread, and there are {} `{name}`",
        crew.count
    );
    Err(Failure::new(span, message).hint(Some(format!("name one of them: `{name}.1`"))))
}

/// The proc that must come next.
pub(super) fn proc(input: &mut Input<'_, '_>) -> Parsed<ProcIndex> {
    let name = name(input, "the name of a proc")?;
    match input.state.procs.get(name.text) {
        Some(&index) => {
            let caller = input.state.proc;
            input.state.calls.push((caller, index, name.span));
            Ok(ProcIndex(index))
        }
        None => {
            let hint = did_you_mean(name.text, sorted(input.state.procs.keys().copied()));
            let message = format!("there is no proc `{}`", shortened(name.text));
            Err(Failure::new(name.span, message).hint(hint).of_name())
        }
    }
}

/// Names in an order that is the same in each run.
fn sorted<'s>(names: impl Iterator<Item = &'s str>) -> Vec<&'s str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}
