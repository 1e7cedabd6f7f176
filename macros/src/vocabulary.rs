//! The words that arguments may use, with the names they have in `gordian`.
//!
//! Knows nothing but the lists. A proc-macro crate cannot depend on the crate that re-exports it,
//! so they stand here a second time; a test compares them with `gordian`'s own.

/// A word and the enum variant it stands for.
pub(crate) type Word = (&'static str, &'static str);

/// The keys of the attribute.
pub(crate) const KEYS: &[&str] = &[
    "engine",
    "strategy",
    "preemptions_max",
    "steps_max",
    "spins_max",
    "executions_max",
    "time_max",
    "stall_max",
    "reruns",
    "seed",
    "leftover",
    "vacuous",
    "expect",
];

/// What runs the threads: variants of `gordian::report::Engine`.
pub(crate) const ENGINES: &[Word] = &[("controlled", "Controlled"), ("loom", "Loom")];

/// Who runs next: variants of `gordian::Strategy`.
pub(crate) const STRATEGIES: &[Word] = &[
    ("exhaustive", "Exhaustive"),
    ("dfs", "Dfs"),
    ("source", "Source"),
    ("states", "States"),
    ("random", "Random"),
    ("pct", "Pct"),
    ("urw", "Urw"),
    ("surw", "Surw"),
    ("pos", "Pos"),
    ("hold-and-wait", "HoldAndWait"),
    ("portfolio", "Portfolio"),
    ("fuzz", "Fuzz"),
];

/// What becomes of threads that are left: variants of `gordian::Leftover`.
pub(crate) const LEFTOVERS: &[Word] = &[("unwind", "Unwind"), ("abandon", "Abandon")];

/// What a vacuous model comes to: variants of `gordian::Vacuous`.
pub(crate) const VACUOUS: &[Word] = &[("fail", "Fail"), ("allow", "Allow")];

/// What can be found: variants of `gordian::Code`.
pub(crate) const CODES: &[Word] = &[
    ("deadlock", "Deadlock"),
    ("self-deadlock", "SelfDeadlock"),
    ("lost-wakeup", "LostWakeup"),
    ("double-release", "DoubleRelease"),
    ("foreign-release", "ForeignRelease"),
    ("leaked-guard", "LeakedGuard"),
    ("lock-order", "LockOrder"),
    ("slow-under-lock", "SlowUnderLock"),
    ("await-under-lock", "AwaitUnderLock"),
    ("starvation", "Starvation"),
    ("timeout-only", "TimeoutOnly"),
    ("panic", "Panic"),
    ("nondeterminism", "Nondeterminism"),
    ("recursive-read", "RecursiveRead"),
];

/// The sentence that answers an unknown word: the nearest known one, if any is near, and all.
pub(crate) fn unknown<'a>(
    kind: &str,
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> String {
    let wanted = plain(word);
    let nearest = known
        .clone()
        .map(|name| (unlikeness(&wanted, &plain(name)), name))
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .min();
    let hint = nearest.map(|(_, name)| format!("; did you mean `{name}`?"));
    let all: Vec<_> = known.collect();
    format!(
        "no {kind} is named `{word}`{}\nknown: {}",
        hint.unwrap_or_default(),
        all.join(", ")
    )
}

/// Without what people mix up: case, `-` and `_`, and whether the bound stands first or last.
fn plain(word: &str) -> String {
    let lower = word.to_lowercase().replace('-', "_");
    match lower.strip_prefix("max_") {
        Some(rest) => format!("{rest}_max"),
        None => lower,
    }
}

/// How many mistakes it takes to write one word for the other; leaving off `_max` is none.
fn unlikeness(wanted: &str, name: &str) -> usize {
    let short = name.strip_suffix("_max").unwrap_or(name);
    distance(wanted, name).min(distance(wanted, short))
}

/// The least number of letters to insert, delete or replace (Levenshtein), in time and space
/// proportional to the product of the lengths.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for column in 0..to.len() {
            let replaced = diagonal + usize::from(letter != to[column]);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered() {
        let cases = [
            ("max_steps", Some("steps_max")),
            ("step_max", Some("steps_max")),
            ("Engine", Some("engine")),
            ("max-preemptions", Some("preemptions_max")),
            ("time-max", Some("time_max")),
            ("sead", Some("seed")),
            ("step", Some("steps_max")),
            ("preemptions", Some("preemptions_max")),
            ("colour", None),
        ];
        for (word, expected) in cases {
            let text = unknown("argument", word, KEYS.iter().copied());
            match expected {
                Some(name) => assert!(text.contains(&format!("did you mean `{name}`?")), "{text}"),
                None => assert!(!text.contains("did you mean"), "{text}"),
            }
            assert!(text.ends_with("seed, leftover, vacuous, expect"), "{text}");
        }
    }

    #[test]
    fn distances_are_levenshteins() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("steps", "steps", 0),
            ("dead_lock", "deadlock", 1),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }
}
