//! The schedule token: the choices that lead to an interleaving, as one word.
//!
//! A token says which thread does which operation on which object, in which order: names, not
//! positions. So it outlives an edit that has nothing to do with it, and can say which of its steps
//! does not come any more when one does.

use std::fmt;
use std::str::FromStr;

use crate::error::ConfigError;
use crate::op::ThreadId;
use crate::trace::{Paths, Run};

/// A schedule: which thread did which operation in each step, and what was chosen.
///
/// As text: `g2:` then the threads, separated by `,`, each by its spawn path, after its name and a
/// `~` if it was given one; then `:` and the operations, separated by `,`, as `lock+alice`; then
/// `:` and the steps. These are grouped by thread: a group is the thread's place in the list and
/// its operations' places, with `.` between them, groups are separated by `-`. `!N` after an
/// operation says that case N was chosen. In names everything but letters, digits and some signs
/// is written as `%` and two hexadecimal digits.
///
/// ```
/// use gordian::ReplayToken;
///
/// let text = "g2:0,teller~0.0:lock+alice,lock+bob,choose:0.0-1.1.2!3-0.1";
/// let token: ReplayToken = text.parse().unwrap();
/// assert_eq!(token.to_string(), text);
/// assert!("g2:0::7.0".parse::<ReplayToken>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayToken {
    threads: Vec<ThreadKey>,
    operations: Vec<String>,
    steps: Vec<TokenStep>,
}

/// Who a thread is, whatever else was edited: by the name it was given, else by its spawn path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadKey {
    pub(crate) name: Option<String>,
    pub(crate) path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TokenStep {
    /// Index in `threads`.
    thread: usize,
    /// Index in `operations`.
    operation: usize,
    case: Option<u32>,
}

/// One step as a replay reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheduled<'a> {
    pub(crate) thread: &'a ThreadKey,
    /// As [`Run::operation_key`] has it.
    pub(crate) operation: &'a str,
    pub(crate) case: Option<u32>,
}

/// Longest token that is read: bounds what a corrupt one can cost.
const STEPS_MAX: usize = 10_000_000;

impl ReplayToken {
    /// The schedule of the execution so far.
    pub(crate) fn of(run: &Run, paths: &Paths) -> ReplayToken {
        let mut token = ReplayToken::default();
        let mut ids: Vec<ThreadId> = Vec::new();
        for event in &run.events {
            let known = ids.iter().position(|&id| id == event.thread);
            let thread = known.unwrap_or_else(|| {
                ids.push(event.thread);
                token.threads.push(ThreadKey {
                    name: run.given_name(event.thread, paths),
                    path: paths.text(event.thread).to_string(),
                });
                ids.len() - 1
            });
            let key = run.operation_key(event.op);
            let operation = position_or_push(&mut token.operations, key);
            token.steps.push(TokenStep {
                thread,
                operation,
                case: event.case,
            });
        }
        token
    }

    /// How many steps it fixes.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// A step, counted from 0.
    pub(crate) fn step(&self, index: usize) -> Option<Scheduled<'_>> {
        let step = self.steps.get(index)?;
        Some(Scheduled {
            thread: &self.threads[step.thread],
            operation: &self.operations[step.operation],
            case: step.case,
        })
    }
}

fn position_or_push(list: &mut Vec<String>, item: String) -> usize {
    let known = list.iter().position(|known| *known == item);
    known.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

impl fmt::Display for ReplayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = |thread: &ThreadKey| match &thread.name {
            Some(name) => format!("{}~{}", encoded(name), encoded(&thread.path)),
            None => encoded(&thread.path),
        };
        let threads: Vec<String> = self.threads.iter().map(thread).collect();
        let operations: Vec<String> = self.operations.iter().map(|its| encoded(its)).collect();
        write!(f, "g2:{}:{}:", threads.join(","), operations.join(","))?;
        let mut before = None;
        for step in &self.steps {
            if before != Some(step.thread) {
                let separator = if before.is_some() { "-" } else { "" };
                write!(f, "{separator}{}", step.thread)?;
                before = Some(step.thread);
            }
            write!(f, ".{}", step.operation)?;
            if let Some(case) = step.case {
                write!(f, "!{case}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for ReplayToken {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        parse(text).map_err(|why| ConfigError(format!("not a replay token of this version: {why}")))
    }
}

fn parse(text: &str) -> Result<ReplayToken, String> {
    let mut parts = text.trim().splitn(4, ':');
    if parts.next() != Some("g2") {
        return Err("it does not begin with `g2:`".to_owned());
    }
    let (Some(threads), Some(operations), Some(steps)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err("it has not three parts with `:` between them".to_owned());
    };
    let items = |list: &'static str, part: &str| -> Result<Vec<String>, String> {
        let items = part.split(',').filter(|item| !item.is_empty());
        let bad = |item: &str| format!("{list} `{item}` cannot be read");
        items
            .map(|item| decoded(item).ok_or_else(|| bad(item)))
            .collect()
    };
    let threads = threads.split(',').filter(|item| !item.is_empty());
    let threads: Vec<ThreadKey> = threads.map(parse_thread).collect::<Result<_, _>>()?;
    if threads.len() > ThreadId::COUNT_MAX {
        return Err(format!(
            "it names more than {} threads",
            ThreadId::COUNT_MAX
        ));
    }
    let operations = items("operation", operations)?;
    let mut parsed = Vec::new();
    for group in steps.split('-').filter(|group| !group.is_empty()) {
        parse_group(group, threads.len(), operations.len(), &mut parsed)?;
    }
    Ok(ReplayToken {
        threads,
        operations,
        steps: parsed,
    })
}

fn parse_thread(item: &str) -> Result<ThreadKey, String> {
    let bad = || format!("thread `{item}` cannot be read");
    let (name, path) = match item.split_once('~') {
        Some((name, path)) => (Some(decoded(name).ok_or_else(bad)?), path),
        None => (None, item),
    };
    let path = decoded(path).ok_or_else(bad)?;
    Ok(ThreadKey { name, path })
}

/// The steps of one thread in a row.
fn parse_group(
    group: &str,
    threads: usize,
    operations: usize,
    steps: &mut Vec<TokenStep>,
) -> Result<(), String> {
    let bad = || format!("`{group}` among its steps cannot be read");
    let mut parts = group.split('.');
    let thread: usize = parts
        .next()
        .and_then(|part| part.parse().ok())
        .ok_or_else(bad)?;
    if thread >= threads {
        return Err(format!(
            "`{group}` among its steps is of a thread that is not in its list"
        ));
    }
    for part in parts {
        let (operation, case) = match part.split_once('!') {
            Some((operation, case)) => (operation, Some(case.parse().map_err(|_| bad())?)),
            None => (part, None),
        };
        let operation: usize = operation.parse().map_err(|_| bad())?;
        if operation >= operations {
            return Err(format!(
                "`{group}` among its steps has an operation that is not in its list"
            ));
        }
        if steps.len() == STEPS_MAX {
            return Err(format!("it has more than {STEPS_MAX} steps"));
        }
        steps.push(TokenStep {
            thread,
            operation,
            case,
        });
    }
    Ok(())
}

/// Signs that need no quotes in a shell and have no meaning in a token.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@#/+=.[]".contains(&byte)
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(byte as char);
        } else {
            encoded.push_str(&format!("%{byte:02x}"));
        }
    }
    encoded
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).ok()
}
