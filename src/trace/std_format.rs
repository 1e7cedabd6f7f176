//! Recorded runs as text: RAPID's "STD" format, which predictive analyses of other teams read too.
//!
//! Knows the format and the names in it. Does not know whether the events make sense in their
//! order, nor what they imply.
//!
//! One event a line, `THREAD|OPERATION(OPERAND)|LOCATION`; the location is an integer:
//!
//! ```text
//! T1|fork(T2)|10
//! T1|acq(alice)|11
//! T1|w(balance)|12
//! T1|req(bob)|13
//! ```
//!
//! Operations are `acq rel r w fork join begin end dummy`, and of the dialects that deadlock
//! detectors record `req` (before the `acq`, so that one which never came is in the trace) and
//! `wait notify notifyAll` (the lock that a wait gives back and takes again is spelled out around
//! it). Some recorders write `fork(9)` for the thread `T9`; both are read, `T9` is written.

use std::collections::HashMap;
use std::fmt::{self, Write};

/// A thread of a recorded run, by the order of first mention. Recorded runs may have many more than
/// a model, so this is not a model's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ActorId(pub(crate) u32);

/// A lock of a recorded run, by the order of first mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LockId(pub(crate) u32);

/// A variable of a recorded run, by the order of first mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct VariableId(pub(crate) u32);

/// What an event of a recorded run was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// Is about to take the lock, and may have to wait for it.
    Request(LockId),
    /// Has taken the lock.
    Acquire(LockId),
    Release(LockId),
    Read(VariableId),
    Write(VariableId),
    Fork(ActorId),
    Join(ActorId),
    /// Waits on the condition that belongs to the lock.
    Wait(LockId),
    Notify(LockId),
    NotifyAll(LockId),
    Begin,
    End,
}

/// One event of a recorded run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordedEvent {
    pub(crate) thread: ActorId,
    pub(crate) what: Recorded,
    /// Where in the recorded program: a number that means something to its recorder.
    pub(crate) location: i32,
    /// Where in the trace, from 1.
    pub(crate) line: u32,
}

/// One run of a program, as it was recorded: who did what, in which order.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    threads: Names,
    locks: Names,
    variables: Names,
    events: Vec<RecordedEvent>,
}

/// Names, numbered by the order of first mention.
#[derive(Clone, Debug, Default)]
struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// A text that is no recorded run: the line, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// From 1; 0 when it is about the whole trace.
    line: u32,
    message: String,
}

impl TraceError {
    pub(crate) fn at(line: u32, message: impl Into<String>) -> TraceError {
        TraceError {
            line,
            message: message.into(),
        }
    }

    /// The line that is meant, from 1; none when it is the whole trace.
    pub fn line(&self) -> Option<u32> {
        (self.line > 0).then_some(self.line)
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line() {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for TraceError {}

impl Trace {
    /// Reads a trace in the STD format. Blank lines are passed over. O(length of the text).
    ///
    /// # Errors
    /// At the first line that is no event, saying what an event looks like.
    ///
    /// # Examples
    /// ```
    /// use gordian::predict::Trace;
    ///
    /// let trace = Trace::parse_std("T1|acq(alice)|11\nT1|rel(alice)|12\n")?;
    /// assert_eq!(trace.len(), 2);
    /// let error = Trace::parse_std("T1|lock(alice)|11").unwrap_err();
    /// assert!(error.to_string().starts_with("line 1: no operation is named `lock`"));
    /// # Ok::<(), gordian::predict::TraceError>(())
    /// ```
    pub fn parse_std(text: &str) -> Result<Trace, TraceError> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if !line.trim().is_empty() {
                lines.push(Line::parse(index as u32 + 1, line)?);
            }
        }
        let mut trace = Trace::default();
        // Those that act come first: only then is it known whether `fork(9)` means `9` or `T9`.
        // A dummy is no event, so nobody acts by it.
        for line in lines.iter().filter(|line| line.operation != "dummy") {
            trace.threads.number(line.thread);
        }
        for line in &lines {
            trace.add(line)?;
        }
        Ok(trace)
    }

    fn add(&mut self, line: &Line<'_>) -> Result<(), TraceError> {
        if line.operation == "dummy" {
            return Ok(());
        }
        let thread = ActorId(self.threads.number(line.thread));
        let what = match (line.operation, line.operand) {
            ("begin", _) => Recorded::Begin,
            ("end", _) => Recorded::End,
            (operation, None) => {
                let message = format!("`{operation}` of what? Write `{operation}(NAME)`");
                return Err(TraceError::at(line.number, message));
            }
            ("fork", Some(child)) => Recorded::Fork(self.thread(child)),
            ("join", Some(child)) => Recorded::Join(self.thread(child)),
            ("r", Some(name)) => Recorded::Read(VariableId(self.variables.number(name))),
            ("w", Some(name)) => Recorded::Write(VariableId(self.variables.number(name))),
            (operation, Some(name)) => {
                let of_lock = LOCK_OPERATIONS.iter().find(|(text, _)| *text == operation);
                let Some((_, of_lock)) = of_lock else {
                    let message = format!("no operation is named `{operation}`; {OPERATIONS}");
                    return Err(TraceError::at(line.number, message));
                };
                of_lock(LockId(self.locks.number(name)))
            }
        };
        self.events.push(RecordedEvent {
            thread,
            what,
            location: line.location,
            line: line.number,
        });
        Ok(())
    }

    /// The thread that a fork or a join means.
    fn thread(&mut self, name: &str) -> ActorId {
        let bare = name.bytes().all(|byte| byte.is_ascii_digit());
        let acts = self.threads.numbers.contains_key(name);
        ActorId(match bare && !acts {
            true => self.threads.number(&format!("T{name}")),
            false => self.threads.number(name),
        })
    }

    /// The trace in the STD format, with the dialects' operations where it has them.
    pub fn to_std(&self) -> String {
        let mut text = String::new();
        for event in &self.events {
            let thread = self.thread_name(event.thread);
            let lock = |lock| self.lock_name(lock);
            let variable = |variable: VariableId| &self.variables.names[variable.0 as usize];
            let written = match event.what {
                Recorded::Begin => "begin".to_owned(),
                Recorded::End => "end".to_owned(),
                Recorded::Fork(child) => format!("fork({})", self.thread_name(child)),
                Recorded::Join(child) => format!("join({})", self.thread_name(child)),
                Recorded::Read(id) => format!("r({})", variable(id)),
                Recorded::Write(id) => format!("w({})", variable(id)),
                Recorded::Request(id) => format!("req({})", lock(id)),
                Recorded::Acquire(id) => format!("acq({})", lock(id)),
                Recorded::Release(id) => format!("rel({})", lock(id)),
                Recorded::Wait(id) => format!("wait({})", lock(id)),
                Recorded::Notify(id) => format!("notify({})", lock(id)),
                Recorded::NotifyAll(id) => format!("notifyAll({})", lock(id)),
            };
            writeln!(text, "{thread}|{written}|{}", event.location)
                .expect("writing to a string does not fail");
        }
        text
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is no event at all.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// How many threads are named.
    pub fn threads(&self) -> usize {
        self.threads.names.len()
    }

    /// How many locks are named.
    pub fn locks(&self) -> usize {
        self.locks.names.len()
    }

    pub(crate) fn variables(&self) -> usize {
        self.variables.names.len()
    }

    pub(crate) fn events(&self) -> &[RecordedEvent] {
        &self.events
    }

    pub(crate) fn thread_name(&self, thread: ActorId) -> &str {
        &self.threads.names[thread.0 as usize]
    }

    pub(crate) fn lock_name(&self, lock: LockId) -> &str {
        &self.locks.names[lock.0 as usize]
    }
}

/// How an operation on a lock is written.
type OfLock = (&'static str, fn(LockId) -> Recorded);

const LOCK_OPERATIONS: [OfLock; 6] = [
    ("req", Recorded::Request),
    ("acq", Recorded::Acquire),
    ("rel", Recorded::Release),
    ("wait", Recorded::Wait),
    ("notify", Recorded::Notify),
    ("notifyAll", Recorded::NotifyAll),
];

const OPERATIONS: &str =
    "they are req, acq, rel, r, w, fork, join, begin, end, wait, notify, notifyAll, dummy";

/// A line, cut into its parts.
struct Line<'t> {
    number: u32,
    thread: &'t str,
    operation: &'t str,
    operand: Option<&'t str>,
    location: i32,
}

impl<'t> Line<'t> {
    fn parse(number: u32, line: &'t str) -> Result<Line<'t>, TraceError> {
        let refuse = |message: String| Err(TraceError::at(number, message));
        let mut fields = line.trim().split('|');
        let (Some(thread), Some(event), Some(location), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            let found = line.trim().split('|').count();
            return refuse(format!(
                "an event has three fields, `THREAD|OPERATION(OPERAND)|LOCATION`; this has {found}"
            ));
        };
        let name = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        if !name(thread) {
            return refuse(format!("`{thread}` is no name of a thread"));
        }
        let Ok(location) = location.parse() else {
            return refuse(format!(
                "the location `{location}` is no integer of 32 bits"
            ));
        };
        let (operation, operand) = match event.split_once('(') {
            None => (event, None),
            Some((operation, rest)) => match rest.strip_suffix(')') {
                Some("") if matches!(operation, "begin" | "end") => (operation, None),
                Some(operand) if name(operand) => (operation, Some(operand)),
                Some(operand) => return refuse(format!("`{operand}` is no name")),
                None => return refuse(format!("`{event}` has no closing parenthesis")),
            },
        };
        Ok(Line {
            number,
            thread,
            operation,
            operand,
            location,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, written: &str) {
        let trace = Trace::parse_std(text).expect("it is a trace");
        assert_eq!(trace.to_std(), written);
        assert_eq!(Trace::parse_std(written).unwrap().to_std(), written);
    }

    #[test]
    fn every_operation_is_read_and_written() {
        let all = "T0|begin|1\nT0|fork(T1)|2\nT1|req(l)|3\nT1|acq(l)|3\nT1|r(x)|4\nT1|w(x)|-5\n\
                   T1|notify(l)|6\nT1|notifyAll(l)|6\nT1|wait(l)|7\nT1|rel(l)|8\nT0|join(T1)|9\n\
                   T0|end|10\n";
        check(all, all);
    }

    #[test]
    fn other_recorders_habits() {
        check("\r\nT0|begin(x)|1\r\nT0|end()|2", "T0|begin|1\nT0|end|2\n");
        check("T0|dummy(x)|1\nT0|end|2", "T0|end|2\n");
        // A child by its bare number, unless a thread has that very name.
        check("T0|fork(9)|1\nT9|r(x)|2", "T0|fork(T9)|1\nT9|r(x)|2\n");
        check("0|fork(9)|1\n9|r(x)|2", "0|fork(9)|1\n9|r(x)|2\n");
        check("T0|fork(9)|1\n9|dummy(x)|2", "T0|fork(T9)|1\n");
        // Names may hold signs that are none of the format's.
        check("a b|r(x)|1".replace(' ', "_").as_str(), "a_b|r(x)|1\n");
        check("T|r(f(x))|1", "T|r(f(x))|1\n");
    }

    #[test]
    fn what_is_no_event_is_refused_at_its_line() {
        let cases = [
            ("T0|acq(l)", "line 1: an event has three fields"),
            ("T0|acq(l)|1|2", "line 1: an event has three fields"),
            ("T0|acq(l)|1\nT0|rel(l)|x", "line 2: the location `x`"),
            ("T0|acq(l)|99999999999", "line 1: the location"),
            ("T0|lock(l)|1", "line 1: no operation is named `lock`"),
            ("T0|acq|1", "line 1: `acq` of what?"),
            ("T0|acq(l|1", "line 1: `acq(l` has no closing"),
            ("T0|acq(a b)|1", "line 1: `a b` is no name"),
            ("T0|acq()|1", "line 1: `` is no name"),
            ("|acq(l)|1", "line 1: `` is no name of a thread"),
        ];
        for (text, message) in cases {
            let error = Trace::parse_std(text).expect_err(text).to_string();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
