//! Random scenario files over all objects of the language.
//!
//! Knows how statements are written and which of them belong together often enough for programs to
//! be interesting. Does not know what they mean, nor where randomness comes from: the tests of the
//! search make files by proptest, fuzz targets make them of bytes.

mod bytes;
mod vocabulary;

use std::fmt::Write as _;

pub use vocabulary::Words;

/// What a program is about: one to three of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Mutexes of all kinds, and locks without an owner.
    Locks,
    /// Readers, writers, upgrades.
    RwLock,
    /// Condvars and who waits for them.
    Condvar,
    /// Permits.
    Semaphore,
    /// Places in the queue of a semaphore.
    Tickets,
    /// Channels that hold something.
    Channels,
    /// Channels that hold nothing.
    Rendezvous,
    /// Wait groups.
    Groups,
    /// Barriers.
    Barrier,
    /// What is done once.
    Once,
    /// tokio's `Notify`.
    Notify,
    /// Spawn, join, park, procs.
    Threads,
    /// Shared variables.
    Vars,
    /// What should not be done.
    Misuse,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 14] = [
        Topic::Locks,
        Topic::RwLock,
        Topic::Condvar,
        Topic::Semaphore,
        Topic::Tickets,
        Topic::Channels,
        Topic::Rendezvous,
        Topic::Groups,
        Topic::Barrier,
        Topic::Once,
        Topic::Notify,
        Topic::Threads,
        Topic::Vars,
        Topic::Misuse,
    ];
}

/// A program.
#[derive(Clone, Debug)]
pub struct File {
    /// What it is about.
    pub topics: Vec<Topic>,
    /// What it says its answer is, right or wrong: one of [`File::EXPECTED`].
    pub expect: &'static str,
    /// How its objects are declared.
    pub options: Options,
    /// Its threads, four at most.
    pub threads: Vec<(Kind, Vec<Statement>)>,
}

/// How objects are declared.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who goes first at an rwlock.
    pub preference: &'static str,
    /// Whom a condvar wakes.
    pub condvar: &'static str,
    /// Permits of a semaphore at the start, up to 2.
    pub permits: u32,
    /// Whom a semaphore serves, and how many permits it may have.
    pub semaphore: &'static str,
    /// How much a channel holds.
    pub capacity: &'static str,
    /// Parties of a barrier, 1 to 3.
    pub parties: u32,
}

impl Options {
    /// Words for [`Options::preference`].
    pub const PREFERENCES: [&str; 3] = ["", " fifo", " reader_preferring"];
    /// Words for [`Options::condvar`].
    pub const CONDVARS: [&str; 3] = ["", " fifo", " spurious"];
    /// Words for [`Options::semaphore`].
    pub const SEMAPHORES: [&str; 4] = ["", " fifo", " max 2", " fifo max 2"];
    /// Words for [`Options::capacity`].
    pub const CAPACITIES: [&str; 3] = ["", " = 1", " = 2"];
}

/// How a thread begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It runs from the start.
    Plain,
    /// It need not end.
    Daemon,
    /// It runs once somebody spawns it.
    Deferred,
}

impl Kind {
    /// The kinds that a program about these topics may have beside plain threads.
    pub fn unusual(topics: &[Topic]) -> &'static [Kind] {
        match topics.contains(&Topic::Threads) {
            true => &[Kind::Deferred, Kind::Deferred, Kind::Daemon],
            false => &[Kind::Daemon],
        }
    }
}

/// A part of a thread.
#[derive(Clone, Debug)]
pub enum Statement {
    /// One or more statements.
    Line(&'static str),
    /// A first line, others, and a last line.
    Around(&'static str, Vec<Statement>, &'static str),
    /// Blocks with their heads; `}` ends them all.
    Blocks(Vec<(&'static str, Vec<Statement>)>),
}

/// The names of objects, and what to declare when one is used.
fn declarations(options: &Options) -> [(&'static str, String); 20] {
    let Options {
        preference,
        condvar,
        permits,
        semaphore,
        capacity,
        parties,
    } = options;
    [
        ("m", "mutex m".to_owned()),
        ("n", "mutex n".to_owned()),
        ("l", "lock l".to_owned()),
        ("q", "rmutex q".to_owned()),
        ("r", format!("rwlock r{preference}")),
        ("k", "rwlock k".to_owned()),
        ("c", format!("condvar c{condvar}")),
        ("s", format!("semaphore s = {permits}{semaphore}")),
        ("u", "semaphore u = 1".to_owned()),
        ("f", format!("semaphore f = {permits} fifo")),
        ("h", format!("channel h{capacity}")),
        ("g", "channel g = 1".to_owned()),
        ("i", "channel i = 0".to_owned()),
        ("j", "channel j = 0".to_owned()),
        ("w", format!("waitgroup w = {}", parties - 1)),
        ("b", format!("barrier b = {parties}")),
        ("o", "once o".to_owned()),
        ("y", "notify y".to_owned()),
        ("x", "var x".to_owned()),
        ("z", "var z".to_owned()),
    ]
}

/// The names of threads.
const THREADS: [&str; 4] = ["t0", "t1", "t2", "t3"];

impl File {
    /// What a file may expect.
    pub const EXPECTED: [&str; 4] = ["expect clean\n", "expect stuck\n", "expect misuse\n", ""];

    /// The program as text. Only what is used is declared.
    pub fn source(&self) -> String {
        let mut body = String::new();
        let makes_ticket = self.threads.iter().any(|(_, body)| makes_ticket(body));
        let left_out = |line: &str| {
            let missing = THREADS[self.threads.len()..]
                .iter()
                .any(|name| line.contains(name));
            let started = THREADS.iter().zip(&self.threads).any(|(name, (kind, _))| {
                *kind != Kind::Deferred && line.strip_prefix("spawn ") == Some(name)
            });
            missing || started || line.contains("ticket f V") && !makes_ticket
        };
        for (name, (kind, statements)) in THREADS.iter().zip(&self.threads) {
            let kind = match kind {
                Kind::Plain => "",
                Kind::Daemon => "daemon ",
                Kind::Deferred => "deferred ",
            };
            let _ = writeln!(body, "{kind}thread {name} {{");
            print(statements, 1, &left_out, &mut body);
            body.push_str("}\n");
        }
        let words: Vec<&str> = body
            .split(|letter: char| !letter.is_ascii_alphanumeric() && !"_$".contains(letter))
            .collect();
        let mut source = self.expect.to_owned();
        for (name, declaration) in declarations(&self.options) {
            if words.contains(&name) {
                source.push_str(&declaration);
                source.push('\n');
            }
        }
        if words.contains(&"p") {
            source.push_str("proc p {\n    with m { if x == 1 { return }; z += 1 }\n}\n");
            for needed in ["mutex m\n", "var x\n", "var z\n"] {
                if !source.contains(needed) {
                    source.push_str(needed);
                }
            }
        }
        source + &body
    }

    /// Whether its traces can be counted by brute force.
    pub fn is_about_locks_only(&self) -> bool {
        self.topics.iter().all(|topic| *topic == Topic::Locks)
    }
}

/// Whether the ticket that any thread may use is made.
fn makes_ticket(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Line(line) => line.starts_with("ticket f V"),
        Statement::Around(_, body, _) => makes_ticket(body),
        Statement::Blocks(blocks) => blocks.iter().any(|(_, body)| makes_ticket(body)),
    })
}

/// Writes statements, leaving out those that would not be understood.
fn print(
    statements: &[Statement],
    depth: usize,
    left_out: &dyn Fn(&str) -> bool,
    text: &mut String,
) {
    let indent = "    ".repeat(depth);
    for statement in statements {
        match statement {
            Statement::Line(line) => {
                if !left_out(line) {
                    let _ = writeln!(text, "{indent}{line}");
                }
            }
            Statement::Around(first, body, last) => {
                let _ = writeln!(text, "{indent}{first}");
                print(body, depth, left_out, text);
                let _ = writeln!(text, "{indent}{last}");
            }
            Statement::Blocks(blocks) => {
                for (at, (head, body)) in blocks.iter().enumerate() {
                    let close = if at > 0 && !head.starts_with("case") && *head != "default:" {
                        "} "
                    } else {
                        ""
                    };
                    let _ = writeln!(text, "{indent}{close}{head}");
                    print(body, depth + 1, left_out, text);
                }
                let _ = writeln!(text, "{indent}}}");
            }
        }
    }
}
