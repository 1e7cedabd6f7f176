//! What the statements of each topic look like.
//!
//! Knows lines, pairs of lines and blocks as text. Does not know how they are put together.

use super::Topic;

/// The statements of some topics.
#[derive(Clone, Debug)]
pub struct Words {
    /// Each stands by itself; never empty.
    pub lines: Vec<&'static str>,
    /// A first and a last line.
    pub pairs: Vec<(&'static str, &'static str)>,
    /// The heads of blocks.
    pub blocks: Vec<&'static [&'static str]>,
}

impl Words {
    /// The statements about these topics and, now and then, about nothing.
    pub fn about(topics: &[Topic]) -> Words {
        let mut words = Words {
            lines: Vec::new(),
            pairs: Vec::new(),
            blocks: vec![&["repeat 2 {"], &["choose { case:", "case:"]],
        };
        for topic in topics {
            let (lines, pairs, blocks) = vocabulary(*topic);
            words.lines.extend(lines);
            words.pairs.extend(pairs);
            words.blocks.extend(blocks);
        }
        if topics.iter().any(|topic| *topic != Topic::Locks) {
            words.lines.extend(["x = 1", "x += 1", "await x > 0"]);
            words
                .blocks
                .extend([&["if x == 0 {", "else {"][..], &["while x == 0 {"]]);
        }
        if words.lines.is_empty() {
            words.lines.push("nop");
        }
        words
    }
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
