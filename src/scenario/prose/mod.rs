//! What a scenario says, in sentences, for somebody who has never seen the language.
//!
//! Knows English. Does not know what can happen when the scenario runs.

mod expression;
mod objects;
mod statement;

use std::fmt::Write;

use super::ast::{Block, Expect, Scenario, Statement, StatementKind, Thread};
use crate::report::Code;

/// Columns of the text.
const COLUMNS_MAX: usize = 80;
/// Deeper steps stand no further to the right, so that there is room for words.
const INDENT_MAX: usize = 40;

/// Says in prose what a scenario says: its objects and how they behave, the steps of each thread,
/// and what is expected. 80 columns.
///
/// ```
/// let scenario = gordian::scenario::parse("mutex m\nthread t { with m { slow \"ship\" } }")?;
/// let text = gordian::scenario::explain(&scenario);
/// assert!(text.contains("1. Locks `m`, and gives it back however the block ends:"));
/// # Ok::<(), gordian::scenario::ParseError>(())
/// ```
pub fn explain(scenario: &Scenario) -> String {
    let mut page = Page {
        scenario,
        text: String::new(),
    };
    page.head();
    page.objects();
    page.threads();
    page.expectation();
    page.text
}

/// What has been said so far.
struct Page<'a> {
    scenario: &'a Scenario,
    text: String,
}

impl Page<'_> {
    fn head(&mut self) {
        let Scenario {
            title,
            objects,
            threads,
            ..
        } = self.scenario;
        let title = title.as_deref().unwrap_or("A scenario without a title");
        let threads = counted(threads.len(), "thread");
        let objects = match objects.len() {
            0 => "share nothing".to_owned(),
            count => format!("share {}", counted(count, "object")),
        };
        let verb = match self.scenario.threads.len() {
            1 => objects.replacen("share", "uses", 1),
            _ => objects,
        };
        self.paragraph(0, "", title);
        self.paragraph(0, "", &format!("{} {verb}.", capitalized(&threads)));
    }

    fn objects(&mut self) {
        if self.scenario.objects.is_empty() {
            return;
        }
        self.text.push('\n');
        self.paragraph(0, "", "Objects");
        for sentence in objects::sentences(self.scenario) {
            self.paragraph(2, "- ", &sentence);
        }
    }

    fn threads(&mut self) {
        let mut threads = self.scenario.threads.as_slice();
        while let Some(first) = threads.first() {
            let alike = threads.iter().take_while(|other| is_alike(first, other));
            let (crew, rest) = threads.split_at(alike.count());
            threads = rest;
            let names: Vec<_> = crew.iter().map(|thread| quoted(&thread.name)).collect();
            let head = match names.len() {
                1 => format!("Thread {}", names[0]),
                _ => format!("Threads {}, each of them", and(&names)),
            };
            self.text.push('\n');
            self.paragraph(0, "", &(head + &manner(first)));
            self.block(2, &first.body, "Does nothing.");
        }
        for proc in &self.scenario.procs {
            self.text.push('\n');
            let name = quoted(&proc.name);
            self.paragraph(0, "", &format!("Steps {name}, for whoever calls them"));
            self.block(2, &proc.body, "Nothing.");
        }
    }

    /// Steps as a numbered list, or what to say when there are none.
    fn block(&mut self, indent: usize, block: &Block, otherwise: &str) {
        if block.is_empty() {
            self.paragraph(indent, "", otherwise);
        }
        for (index, statement) in block.iter().enumerate() {
            self.step(indent, index + 1, statement);
        }
    }

    fn step(&mut self, indent: usize, number: usize, statement: &Statement) {
        let label = format!("{number}. ");
        let inside = indent + label.len();
        let sentence = statement::sentence(self.scenario, &statement.kind);
        self.paragraph(indent, &label, &capitalized(&sentence));
        match &statement.kind {
            StatementKind::If {
                then, otherwise, ..
            } => {
                self.block(inside, then, "Nothing.");
                if !otherwise.is_empty() {
                    self.paragraph(inside, "", "Otherwise:");
                    self.block(inside, otherwise, "");
                }
            }
            StatementKind::Choose { cases } => {
                for (index, case) in cases.iter().enumerate() {
                    self.paragraph(inside, "", &format!("Case {}:", index + 1));
                    self.block(inside + 2, case, "Nothing.");
                }
            }
            StatementKind::Select { arms, default } => {
                for arm in arms {
                    let head = statement::arm(self.scenario, &arm.kind);
                    self.paragraph(inside, "", &format!("{}:", capitalized(&head)));
                    self.block(inside + 2, &arm.body, "Nothing more.");
                }
                if let Some(default) = default {
                    self.paragraph(inside, "", "When none of these can be done at once:");
                    self.block(inside + 2, default, "Nothing.");
                }
            }
            StatementKind::Atomic { assignments } => {
                for (index, assignment) in assignments.iter().enumerate() {
                    let sentence = statement::assignment(self.scenario, assignment);
                    let label = format!("{}. ", index + 1);
                    self.paragraph(inside, &label, &format!("{}.", capitalized(&sentence)));
                }
            }
            kind => {
                for block in kind.blocks() {
                    self.block(inside, block, "Nothing.");
                }
            }
        }
    }

    fn expectation(&mut self) {
        self.text.push('\n');
        let sentence = match &self.scenario.expect {
            None => "What is to be found is not said: nothing is taken to be expected.".to_owned(),
            Some(Expect::Clean) => "Expected: no error in any interleaving.".to_owned(),
            Some(Expect::Stuck) => "Expected: in some interleaving a thread waits for ever \
                (a deadlock, a self-deadlock or a lost wake-up)."
                .to_owned(),
            Some(Expect::Misuse) => "Expected: in some interleaving an object is misused or a \
                thread panics (a panic, a double or a foreign release)."
                .to_owned(),
            Some(Expect::Codes(codes)) => {
                let codes: Vec<_> = codes.iter().map(|&code| described(code)).collect();
                format!("Expected, and nothing else: {}.", and(&codes))
            }
        };
        self.paragraph(0, "", &sentence);
        if let Some(count) = self.scenario.expect_executions {
            let count = counted(usize::try_from(count).unwrap_or(usize::MAX), "execution");
            let sentence = format!(
                "An exhaustive search takes exactly {count}: as many as there are interleavings \
                 that differ in more than the order of independent steps."
            );
            self.paragraph(0, "", &sentence);
        }
    }

    /// Words in lines of 80 columns; all lines begin where the words after the label do.
    fn paragraph(&mut self, indent: usize, label: &str, words: &str) {
        let indent = indent.min(INDENT_MAX);
        let hang = indent + label.chars().count();
        let _ = write!(self.text, "{:indent$}{label}", "");
        let mut column = hang;
        for (index, word) in words_of(words).into_iter().enumerate() {
            let length = word.chars().count();
            if index > 0 && column + 1 + length > COLUMNS_MAX {
                let _ = write!(self.text, "\n{:hang$}", "");
                column = hang;
            } else if index > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += length;
        }
        self.text.push('\n');
    }
}

/// Words with blanks between; what stands in backquotes is one, unless it is long.
fn words_of(text: &str) -> Vec<&str> {
    const CODE_MAX: usize = 30;
    let mut words = Vec::new();
    let mut start = 0;
    let mut code: Option<usize> = None;
    for (index, c) in text.char_indices() {
        match c {
            '`' if code.is_some() => code = None,
            '`' => {
                let length = text[index + 1..].find('`').unwrap_or(usize::MAX);
                code = (length <= CODE_MAX).then_some(index);
            }
            ' ' if code.is_none() => {
                words.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// Whether two threads come from one declaration `* K`.
fn is_alike(one: &Thread, other: &Thread) -> bool {
    one.span == other.span && one.body == other.body
}

/// How a thread starts and may end, where that is not as usual.
fn manner(thread: &Thread) -> String {
    match (thread.deferred, thread.daemon) {
        (false, false) => String::new(),
        (true, false) => " (starts when it is spawned)".to_owned(),
        (false, true) => " (a daemon: it may be blocked for ever)".to_owned(),
        (true, true) => {
            " (starts when it is spawned; a daemon: it may be blocked for ever)".to_owned()
        }
    }
}

fn described(code: Code) -> String {
    let words = match code {
        Code::Deadlock => "threads that wait for one another in a circle",
        Code::SelfDeadlock => "a thread that waits for what it holds itself",
        Code::LostWakeup => "a thread that waits for what nobody will do any more",
        Code::DoubleRelease => "a release of what nobody holds",
        Code::ForeignRelease => "a release of what another thread holds",
        Code::LeakedGuard => "a thread that ends and still holds a lock",
        Code::LockOrder => "two locks taken in both orders",
        Code::SlowUnderLock => "a slow call while a lock is held",
        Code::AwaitUnderLock => "a wait for a future while a lock is held",
        Code::Starvation => "a thread that could go on for ever and never does",
        Code::TimeoutOnly => "a circle that only a time-out breaks",
        Code::Panic => "a panic",
        Code::Nondeterminism => "another result from the same order of steps",
        Code::RecursiveRead => "a second read of what the thread reads already",
    };
    format!("{words} (`{code}`)")
}

/// In backquotes, as code.
fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// `a`, `a and b`, `a, b and c`.
fn and(items: &[String]) -> String {
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

/// A count with its noun: `one thread`, `3 threads`.
fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("one {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}
