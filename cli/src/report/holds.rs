//! Who holds what, and who waits for what, from step to step.
//!
//! Knows only what the steps of a finding say. Steps are numbered by their places in the list,
//! from 0, whatever numbers they carry.

use std::collections::HashMap;

use gordian::report::{Outcome, Step};

/// A thread holds something from one step to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold<'a> {
    pub(super) thread: &'a str,
    pub(super) object: &'a str,
    /// The step that took it.
    pub(super) from: usize,
    /// The step that gave it back; none when it is held at the end.
    pub(super) to: Option<usize>,
}

/// A thread waits for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait<'a> {
    pub(super) thread: &'a str,
    /// What it waits for, if that has a name.
    pub(super) object: Option<&'a str>,
    /// Whether that is the end of another thread.
    pub(super) is_join: bool,
    /// The step at which it began to wait.
    pub(super) from: usize,
    /// The next step that it did; none when it waits at the end.
    pub(super) to: Option<usize>,
}

/// All holds, in the order in which they began.
pub(super) fn holds(steps: &[Step]) -> Vec<Hold<'_>> {
    let mut holds: Vec<Hold<'_>> = Vec::new();
    // By object: the holds that have not ended.
    let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        for object in &step.releases {
            let Some(held) = open.get_mut(object.as_str()) else {
                continue;
            };
            // Its own last one, else the oldest: who releases need not be who holds.
            let own = held
                .iter()
                .rposition(|&hold| holds[hold].thread == step.thread);
            if !held.is_empty() {
                let hold = held.remove(own.unwrap_or(0));
                holds[hold].to = Some(at);
            }
        }
        for object in &step.acquires {
            open.entry(object).or_default().push(holds.len());
            holds.push(Hold {
                thread: &step.thread,
                object,
                from: at,
                to: None,
            });
        }
    }
    holds
}

/// All waits, in the order in which they began.
pub(super) fn waits(steps: &[Step]) -> Vec<Wait<'_>> {
    let mut waits: Vec<Wait<'_>> = Vec::new();
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        if let Some(wait) = open.remove(step.thread.as_str()) {
            waits[wait].to = Some(at);
        }
        if matches!(step.outcome, Outcome::Blocked | Outcome::Queued) {
            open.insert(&step.thread, waits.len());
            waits.push(Wait {
                thread: &step.thread,
                object: step.object.as_deref(),
                is_join: step.operation == "join",
                from: at,
                to: None,
            });
        }
    }
    waits
}

/// The threads in the order of their first steps.
pub(super) fn threads(steps: &[Step]) -> Vec<&str> {
    let mut threads: Vec<&str> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for step in steps {
        if known.insert(step.thread.as_str()) {
            threads.push(&step.thread);
        }
    }
    threads
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `thread +taken -given` or `thread ?waited`, one a step.
    fn steps(text: &str) -> Vec<Step> {
        let step = |line: &str| {
            let mut words = line.split_whitespace();
            let thread = words.next().unwrap();
            let words: Vec<&str> = words.collect();
            let of = |mark: &str| -> Vec<&str> {
                words
                    .iter()
                    .filter_map(|word| word.strip_prefix(mark))
                    .collect()
            };
            let waited = of("?").first().copied();
            json!({
                "number": 1, "thread": thread, "operation": "lock", "object": waited,
                "outcome": if waited.is_some() { "blocked" } else { "done" },
                "site": { "file": "a.rs", "line": 1, "column": 1 },
                "acquires": of("+"), "releases": of("-"),
            })
        };
        let steps: Vec<_> = text.lines().map(|line| step(line.trim())).collect();
        serde_json::from_value(steps.into()).unwrap()
    }

    fn check(text: &str, held: &[(&str, &str, usize, Option<usize>)]) {
        let steps = steps(text);
        let found: Vec<_> = holds(&steps)
            .iter()
            .map(|hold| (hold.thread, hold.object, hold.from, hold.to))
            .collect();
        assert_eq!(found, held, "{text}");
    }

    #[test]
    fn holds_end_where_they_are_given_back() {
        check(
            "a +x\na +y\na -x\na -y",
            &[("a", "x", 0, Some(2)), ("a", "y", 1, Some(3))],
        );
        check(
            "a +x\nb +x\nb -x",
            &[("a", "x", 0, None), ("b", "x", 1, Some(2))],
        );
        check(
            "a +x\na -x +x",
            &[("a", "x", 0, Some(1)), ("a", "x", 1, None)],
        );
    }

    #[test]
    fn anyone_may_release() {
        check("a +x\nb -x\nb -x", &[("a", "x", 0, Some(1))]);
        check("a -x", &[]);
    }

    #[test]
    fn waits_end_with_the_next_step_of_their_thread() {
        let steps = steps("a ?x\nb +y\na +x\nb ?x");
        let found: Vec<_> = waits(&steps)
            .iter()
            .map(|wait| (wait.thread, wait.object, wait.from, wait.to))
            .collect();
        assert_eq!(
            found,
            [("a", Some("x"), 0, Some(2)), ("b", Some("x"), 3, None)]
        );
        assert_eq!(threads(&steps), ["a", "b"]);
    }
}
