//! One step of a finding, and what each thread holds and waits for after it.
//!
//! Knows only what the steps say. Does not know streams, nor who asked.

use std::fmt::Write as _;
use std::rc::Rc;

use anstyle::{AnsiColor, Style};
use gordian::report::{Outcome, Step};

use crate::report::plain;

const BOLD: Style = Style::new().bold();
const BLOCKED: Style = AnsiColor::Red.on_default().bold();
const COLUMNS_MAX: usize = 80;

/// What one thread holds and waits for.
#[derive(Debug, PartialEq, Eq)]
struct Standing<'a> {
    thread: &'a str,
    holds: Vec<&'a str>,
    waits_for: Option<&'a str>,
}

/// The step at this place, counted from 0, with its line of source and all threads. `read` knows
/// the texts of files.
pub(super) fn page(steps: &[Step], at: usize, read: impl Fn(&str) -> Option<Rc<str>>) -> String {
    let Some(step) = steps.get(at) else {
        return String::new();
    };
    let object = step.object.as_ref();
    let object = object.map_or(String::new(), |name| format!(" {}", plain(name)));
    let mut text = format!(
        "{BOLD}step {} of {}{BOLD:#}  {}: {}{object}{}\n",
        step.number,
        steps.len(),
        plain(&step.thread),
        plain(&step.operation),
        outcome(step),
    );
    let _ = writeln!(text, "  at {}", plain(&step.site.to_string()));
    if let Some(line) = source_line(read, step) {
        let _ = writeln!(
            text,
            "  {:>4} | {}",
            step.site.line,
            cut(&line, COLUMNS_MAX - 9)
        );
    }
    text.push('\n');
    text += &table(&standings(&steps[..=at], steps));
    if !step.alternatives.is_empty() {
        let _ = writeln!(
            text,
            "  could also have run here: {}",
            plain(&step.alternatives.join(", "))
        );
    }
    text.push('\n');
    text
}

fn outcome(step: &Step) -> String {
    match step.outcome {
        Outcome::Blocked => format!("  {BLOCKED}BLOCKED{BLOCKED:#}"),
        Outcome::Failed => "  failed".to_owned(),
        Outcome::Queued => "  queued".to_owned(),
        Outcome::Closed => "  closed".to_owned(),
        Outcome::Chose(case) => format!("  case {case}"),
        _ => String::new(),
    }
}

/// The line of code, without what is around it.
fn source_line(read: impl Fn(&str) -> Option<Rc<str>>, step: &Step) -> Option<String> {
    let text = read(&step.site.file)?;
    let line = text.lines().nth(step.site.line.checked_sub(1)? as usize)?;
    Some(line.trim().to_owned())
}

/// All threads after the steps so far; `all` names those too that come later.
fn standings<'a>(past: &'a [Step], all: &'a [Step]) -> Vec<Standing<'a>> {
    let mut standings: Vec<Standing<'a>> = Vec::new();
    for step in all {
        if !standings.iter().any(|its| its.thread == step.thread) {
            standings.push(Standing {
                thread: &step.thread,
                holds: Vec::new(),
                waits_for: None,
            });
        }
    }
    for step in past {
        for object in &step.releases {
            // Its own, or else anybody's: who releases need not be who holds.
            let own = |its: &Standing<'a>| its.thread == step.thread;
            let holds = |its: &&mut Standing<'a>| its.holds.contains(&object.as_str());
            let mut holders: Vec<_> = standings.iter_mut().filter(holds).collect();
            let at = holders.iter().position(|its| own(its)).unwrap_or(0);
            if let Some(holder) = holders.get_mut(at) {
                let last = holder.holds.iter().rposition(|held| held == object);
                last.map(|last| holder.holds.remove(last));
            }
        }
        let Some(own) = standings.iter_mut().find(|its| its.thread == step.thread) else {
            continue;
        };
        own.holds.extend(step.acquires.iter().map(String::as_str));
        // To sleep on a condition variable is done at once; what comes then is the waiting.
        let sleeps = step.operation == "sleep" && step.object.is_some();
        let waits = sleeps || matches!(step.outcome, Outcome::Blocked | Outcome::Queued);
        own.waits_for = waits.then(|| step.object.as_deref().unwrap_or("?"));
    }
    standings
}

fn table(standings: &[Standing<'_>]) -> String {
    let width = |title: &str, cell: &dyn Fn(&Standing<'_>) -> String| {
        let cells = standings.iter().map(|its| cell(its).chars().count());
        cells.max().unwrap_or(0).max(title.len())
    };
    let holds = |its: &Standing<'_>| match its.holds.is_empty() {
        true => "-".to_owned(),
        false => its.holds.join(", "),
    };
    let thread = width("thread", &|its| its.thread.to_owned()).min(24);
    let held = width("holds", &holds).min(30);
    let mut text = format!("  {:<thread$}  {:<held$}  waits for\n", "thread", "holds");
    for its in standings {
        let line = format!(
            "  {:<thread$}  {:<held$}  {}",
            cut(its.thread, thread),
            cut(&holds(its), held),
            its.waits_for.unwrap_or("-"),
        );
        text += &cut(&line, COLUMNS_MAX);
        text.push('\n');
    }
    text
}

/// Cuts the end off.
fn cut(text: &str, columns: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= columns {
        return text;
    }
    let kept: String = text.chars().take(columns.saturating_sub(3)).collect();
    kept + "..."
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    /// `thread operation object outcome +taken -given`, one a line.
    fn steps(text: &str) -> Vec<Step> {
        let step = |(number, line): (usize, &str)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let of = |mark: &str| -> Vec<&str> {
                words
                    .iter()
                    .filter_map(|word| word.strip_prefix(mark))
                    .collect()
            };
            json!({
                "number": number + 1, "thread": words[0], "operation": words[1],
                "object": words[2], "outcome": words[3],
                "site": { "file": "a.rs", "line": 2, "column": 1 },
                "acquires": of("+"), "releases": of("-"), "alternatives": of("~"),
            })
        };
        let steps: Vec<_> = text.lines().enumerate().map(step).collect();
        serde_json::from_value(steps.into()).unwrap()
    }

    fn check(text: &str, at: usize, expected: Expect) {
        let source = Rc::from("fn a() {\n    b.lock();\n}\n");
        let page = page(&steps(text), at, |_| Some(Rc::clone(&source)));
        expected.assert_eq(&anstream::adapter::strip_str(&page).to_string());
    }

    const ABBA: &str = "main lock alice done +alice ~teller
teller lock bob done +bob
main lock bob blocked
teller lock alice blocked";

    #[test]
    fn a_step_says_what_all_hold_and_wait_for() {
        check(
            ABBA,
            0,
            expect![[r#"
            step 1 of 4  main: lock alice
              at a.rs:2:1
                 2 | b.lock();

              thread  holds  waits for
              main    alice  -
              teller  -      -
              could also have run here: teller

        "#]],
        );
        check(
            ABBA,
            3,
            expect![[r#"
            step 4 of 4  teller: lock alice  BLOCKED
              at a.rs:2:1
                 2 | b.lock();

              thread  holds  waits for
              main    alice  bob
              teller  bob    alice

        "#]],
        );
        check(ABBA, 4, expect![[""]]);
    }

    #[test]
    fn others_may_release_and_sleepers_wait() {
        check(
            "a lock l done +l\nb unlock l done -l\na sleep c done",
            2,
            expect![[r#"
                step 3 of 3  a: sleep c
                  at a.rs:2:1
                     2 | b.lock();

                  thread  holds  waits for
                  a       -      c
                  b       -      -

            "#]],
        );
    }
}
