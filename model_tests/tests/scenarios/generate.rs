//! Random scenario files over all objects of the language.
//!
//! Knows how statements are written and which of them belong together often enough for programs to
//! be interesting. Does not know what they mean. A file shrinks by losing statements and threads.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// What a program is about: one to three of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Locks,
    RwLock,
    Condvar,
    Semaphore,
    Tickets,
    Channels,
    Rendezvous,
    Groups,
    Barrier,
    Once,
    Notify,
    Threads,
    Vars,
    Misuse,
}

impl Topic {
    pub(crate) const ALL: [Topic; 14] = [
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
pub(crate) struct File {
    pub(crate) topics: Vec<Topic>,
    /// What it says its answer is, right or wrong.
    expect: &'static str,
    options: Options,
    threads: Vec<(Kind, Vec<Statement>)>,
}

/// How objects are declared.
#[derive(Clone, Debug)]
struct Options {
    preference: &'static str,
    condvar: &'static str,
    permits: u32,
    semaphore: &'static str,
    capacity: &'static str,
    parties: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Daemon,
    Deferred,
}

#[derive(Clone, Debug)]
enum Statement {
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
    /// The program as text. Only what is used is declared.
    pub(crate) fn source(&self) -> String {
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

    pub(crate) fn is_about_locks_only(&self) -> bool {
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

/// Any program.
pub(crate) fn file() -> impl Strategy<Value = File> {
    let topics = prop_oneof![
        1 => Just(vec![Topic::Locks]),
        6 => subsequence(Topic::ALL.to_vec(), 1..=3),
    ];
    let expect = select(vec![
        "expect clean\n",
        "expect stuck\n",
        "expect misuse\n",
        "",
    ]);
    (topics, options(), expect).prop_flat_map(|(topics, options, expect)| {
        let statement = statement(&topics);
        let unusual = match topics.contains(&Topic::Threads) {
            true => vec![Kind::Deferred, Kind::Deferred, Kind::Daemon],
            false => vec![Kind::Daemon],
        };
        let kind = prop_oneof![6 => Just(Kind::Plain), 1 => select(unusual)];
        let few = vec((kind.clone(), vec(statement.clone(), 1..=4)), 2..=2);
        let some = vec((kind.clone(), vec(statement.clone(), 1..=3)), 3..=3);
        let many = vec((kind, vec(statement, 1..=1)), 3..=4);
        let threads = prop_oneof![3 => few, 3 => some, 1 => many];
        (Just(topics), Just(options), threads).prop_map(move |(topics, options, threads)| File {
            topics,
            expect,
            options,
            threads,
        })
    })
}

fn options() -> impl Strategy<Value = Options> {
    (
        select(vec!["", " fifo", " reader_preferring"]),
        select(vec!["", " fifo", " spurious"]),
        0..=2_u32,
        select(vec!["", " fifo", " max 2", " fifo max 2"]),
        select(vec!["", " = 1", " = 2"]),
        1..=3_u32,
    )
        .prop_map(
            |(preference, condvar, permits, semaphore, capacity, parties)| Options {
                preference,
                condvar,
                permits,
                semaphore,
                capacity,
                parties,
            },
        )
}

/// A statement about one of these topics, or, now and then, about nothing.
fn statement(topics: &[Topic]) -> BoxedStrategy<Statement> {
    let mut lines: Vec<&'static str> = Vec::new();
    let mut pairs: Vec<(&'static str, &'static str)> = Vec::new();
    let mut blocks: Vec<&'static [&'static str]> =
        vec![&["repeat 2 {"], &["choose { case:", "case:"]];
    for topic in topics {
        let (more_lines, more_pairs, more_blocks) = vocabulary(*topic);
        lines.extend(more_lines);
        pairs.extend(more_pairs);
        blocks.extend(more_blocks);
    }
    if topics.iter().any(|topic| *topic != Topic::Locks) {
        lines.extend(["x = 1", "x += 1", "await x > 0"]);
        blocks.extend([&["if x == 0 {", "else {"][..], &["while x == 0 {"]]);
    }
    if lines.is_empty() {
        lines.push("nop");
    }
    let line = select(lines).prop_map(Statement::Line);
    let leaf = if pairs.is_empty() {
        line.boxed()
    } else {
        let pair = select(pairs.clone())
            .prop_map(|(first, last)| Statement::Around(first, Vec::new(), last));
        prop_oneof![3 => line, 2 => pair].boxed()
    };
    leaf.prop_recursive(2, 5, 2, move |inner| {
        let body = vec(inner.clone(), 1..=2);
        let heads = select(blocks.clone());
        let nested = (heads, vec(vec(inner.clone(), 0..=1), 3)).prop_map(|(heads, bodies)| {
            Statement::Blocks(heads.iter().copied().zip(bodies).collect())
        });
        if pairs.is_empty() {
            return prop_oneof![4 => inner, 1 => nested].boxed();
        }
        let pair = (select(pairs.clone()), body)
            .prop_map(|((first, last), body)| Statement::Around(first, body, last));
        prop_oneof![2 => inner, 3 => pair, 1 => nested].boxed()
    })
    .boxed()
}

/// Lines, lines that go together, and blocks.
type Vocabulary = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    &'static [&'static [&'static str]],
);

fn vocabulary(topic: Topic) -> Vocabulary {
    match topic {
        Topic::Locks => (
            &[
                "nop",
                "trylock m $a; if $a == 1 { unlock m }",
                "timedlock n $a; if $a == 1 { unlock n }",
                "locked m $b",
            ],
            &[
                ("lock m", "unlock m"),
                ("lock n", "unlock n"),
                ("lock q", "unlock q"),
                ("lock l", "unlock l"),
                ("with m {", "}"),
                ("with q {", "}"),
            ],
            &[],
        ),
        Topic::RwLock => (
            &[
                "tryread r $a; if $a == 1 { unlock r }",
                "trywrite r $a; if $a == 1 { unlock r }",
                "upgradable r; upgrade r; unlock r",
                "write r; downgrade r; unlock r",
            ],
            &[
                ("read r", "unlock r"),
                ("write r", "unlock r"),
                ("upgradable r", "unlock r"),
                ("write r; downgrade r", "unlock r"),
                ("upgradable r; upgrade r", "unlock r"),
                ("read k", "unlock k"),
                ("write k", "unlock k"),
            ],
            &[],
        ),
        Topic::Condvar => (
            &[
                "notify_one c",
                "notify_all c",
                "lock m; wait c m; unlock m",
                "lock m; timedwait c m $a; unlock m",
                "lock m; while x == 0 { wait c m }; unlock m",
                "lock m; x = 1; notify_one c; unlock m",
                "lock q; wait c q; unlock q",
            ],
            &[("lock m", "unlock m"), ("lock n", "unlock n")],
            &[],
        ),
        Topic::Semaphore => (
            &[
                "release s",
                "acquire s",
                "acquire s 2; release s 2",
                "tryacquire s $a; if $a == 1 { release s }",
            ],
            &[("acquire s", "release s"), ("acquire u", "release u")],
            &[],
        ),
        Topic::Tickets => (
            &[
                "ticket f T; await_ticket f T; release f",
                "ticket f T; drop_ticket f T",
                "ticket f V",
                "await_ticket f V; release f",
                "drop_ticket f V",
                "release f",
                "tryacquire f $a; if $a == 1 { release f }",
            ],
            &[
                ("acquire f", "release f"),
                ("ticket f T", "drop_ticket f T"),
            ],
            &[],
        ),
        Topic::Channels => (
            &[
                "send h 1",
                "send h x",
                "send h 2 $a",
                "recv h $b",
                "recv h $b $a",
                "send g 3 $a",
                "recv g $b",
                "close h",
                "drop_rx g",
            ],
            &[],
            &[
                &["select { case recv h $b:", "case recv g $b $a:"],
                &["select { case recv h:", "default:"],
                &["select { case send g 4 $a:", "case recv h $b:", "default:"],
            ],
        ),
        Topic::Rendezvous => (
            &[
                "send i 1",
                "send i x",
                "send i 2 $a",
                "recv i $b",
                "recv i $b $a",
                "send j 3",
                "recv j $b",
                "close i",
                "drop_rx j",
            ],
            &[],
            &[
                &["select { case recv i $b:", "case recv j $b $a:"],
                &["select { case send i 4:", "case recv j $b:"],
                &["select { case send i 5 $a:", "case recv i $b $a:"],
                &["select { case recv i:", "default:"],
                &["select { case send j 6:", "case recv g $b:"],
            ],
        ),
        Topic::Groups => (
            &["wg_add w 1", "wg_done w", "wg_wait w"],
            &[("wg_add w", "wg_done w")],
            &[],
        ),
        Topic::Barrier => (&["barrier b"], &[("lock m", "unlock m")], &[]),
        Topic::Once => (
            &["once o { x += 1 }", "once o { panic \"why\" }"],
            &[("once o {", "}"), ("lock m", "unlock m")],
            &[],
        ),
        Topic::Notify => (
            &[
                "notify y",
                "notify_waiters y",
                "wait_notify y",
                "enable_notify y",
                "drop_notify y",
            ],
            &[
                ("enable_notify y", "wait_notify y"),
                ("enable_notify y", "drop_notify y"),
            ],
            &[],
        ),
        Topic::Threads => (
            &[
                "park",
                "unpark t0",
                "unpark t1",
                "join t1",
                "join t2",
                "spawn t1",
                "spawn t2",
                "call p",
            ],
            &[("lock m", "unlock m")],
            &[],
        ),
        Topic::Vars => (
            &[
                "x = 1 - x",
                "$a = x",
                "x = $a + 1",
                "z = x",
                "fetch_add x 1 $b",
                "cas x 0 1 $a",
                "atomic { x += 1; z = x }",
                "await x == z",
                "assert x < 3",
                "$b = $a + z",
            ],
            &[],
            &[
                &["if $a == 1 {", "else {"],
                &["loop { if x > 0 { break }"],
                &["while z < 2 { z += 1"],
            ],
        ),
        Topic::Misuse => (
            &[
                "lock m",
                "unlock m",
                "unlock l",
                "unlock q",
                "lock l",
                "read r",
                "unlock r",
                "upgrade r",
                "downgrade r",
                "panic \"why\"",
                "assert 1 == 0",
                "slow \"call\"",
                "return",
                "x = 1 / x",
                "block_forever",
                "wait c m",
                "release s 2",
                "slow \"call\"",
            ],
            &[
                ("lock m", "unlock m"),
                ("with m {", "}"),
                ("lock l", "unlock l"),
            ],
            &[],
        ),
    }
}
