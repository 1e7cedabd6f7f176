//! `cargo gordian explain`: what a finding code means, with an example and the way out.
//!
//! Knows how an explanation is laid out: 80 columns. Does not know what it says ([`topics`] does).

mod topics;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use gordian::Code;
use gordian::report::Severity;

use crate::args::ExplainCodeArgs;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::output::{Event, Output};
use topics::{Example, Language, topic};

const COLUMNS_MAX: usize = 80;
const BOLD: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HAZARD: Style = AnsiColor::Yellow.on_default().bold();

/// The whole subcommand.
///
/// # Errors
/// When there is no such code; the message names the nearest one.
pub(crate) fn explain(args: &ExplainCodeArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let text = match &args.code {
        None => list(),
        Some(name) => match named(name) {
            Some(code) => explanation(code),
            None => return Err(Error::Usage(unknown(name))),
        },
    };
    output.event(&Event::Text(&text));
    Ok(ExitCode::Clean)
}

/// The code of a name as reports write it: `deadlock`, `error[deadlock]`; case and kind of dash do
/// not matter.
fn named(name: &str) -> Option<Code> {
    let name = name.trim().to_lowercase().replace(['_', ' '], "-");
    let inner = name.split_once('[').map_or(name.as_str(), |(_, rest)| rest);
    inner.trim_end_matches([']', ':']).parse().ok()
}

fn unknown(name: &str) -> String {
    let lower = name.to_lowercase();
    // A part of a name is nearer than what is only as long.
    let distance = |code: &&Code| {
        (
            !code.as_str().contains(&lower),
            distance(&lower, code.as_str()),
        )
    };
    let near = Code::ALL.iter().min_by_key(distance);
    let near = near.map_or("", |code| code.as_str());
    format!(
        "no finding code is named `{name}`; did you mean `{near}`?\n\
         `cargo gordian explain` lists all codes"
    )
}

/// How many letters have to be put in, taken out or changed to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, one) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(one != *other);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[b.len()]
}

/// All codes with a sentence each.
fn list() -> String {
    let mut text = String::new();
    let widest = Code::ALL.iter().map(|code| code.as_str().len()).max();
    let indent = widest.unwrap_or(0) + 2;
    for &code in Code::ALL {
        let style = style(code);
        let first = sentence(topic(code).rule.meaning[0]);
        let lines = filled(first, COLUMNS_MAX - indent);
        for (number, line) in lines.iter().enumerate() {
            let name = if number == 0 { code.as_str() } else { "" };
            let gap = " ".repeat(indent - name.len());
            let _ = writeln!(text, "{style}{name}{style:#}{gap}{line}");
        }
    }
    text + "\n`cargo gordian explain CODE` has an example, and the way out.\n"
}

/// The first sentence of a paragraph.
fn sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

fn explanation(code: Code) -> String {
    let topic = topic(code);
    let style = style(code);
    let kind = match code.severity() {
        Severity::Error => "error",
        Severity::Hazard => "hazard",
    };
    let mut text = format!("{style}{kind}[{code}]{style:#}\n");
    for paragraph in topic.rule.meaning {
        text += &paragraph_of(paragraph);
    }
    let language = match topic.example.language {
        Language::Scenario => "a scenario",
        Language::Rust => "a model in Rust",
    };
    let finds = topic.example.finds.map_or("nothing", Code::as_str);
    let what = format!("{language}; finds `{finds}`");
    text += &example("An example", &what, &topic.example);
    text += &format!("\n{BOLD}What to do{BOLD:#}\n");
    text += &paragraph_of(topic.rule.fix);
    text += &example("The example, fixed", "finds nothing", &topic.fixed);
    if !topic.see_also.is_empty() {
        let codes: Vec<String> = topic
            .see_also
            .iter()
            .map(|code| format!("`{code}`"))
            .collect();
        text += &paragraph_of(&format!("See also {}.", codes.join(", ")));
    }
    text
}

fn paragraph_of(text: &str) -> String {
    format!("\n{}\n", filled(text, COLUMNS_MAX).join("\n"))
}

fn example(head: &str, what: &str, example: &Example) -> String {
    let mut text = format!("\n{BOLD}{head}{BOLD:#} ({what})\n\n");
    for line in example.text.trim_end().lines() {
        text += format!("    {line}").trim_end();
        text.push('\n');
    }
    text
}

fn style(code: Code) -> Style {
    match code.severity() {
        Severity::Error => ERROR,
        Severity::Hazard => HAZARD,
    }
}

/// The words of a text in lines of at most so many columns.
fn filled(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is a first line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > columns {
            lines.push(word.to_owned());
            continue;
        }
        if !last.is_empty() {
            last.push(' ');
        }
        *last += word;
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn every_explanation_is_whole_and_fits() {
        for &code in Code::ALL {
            let text = plain(&explanation(code));
            for part in ["An example", "What to do", "The example, fixed"] {
                assert!(text.contains(part), "{text}");
            }
            assert!(text.contains(&format!("[{code}]\n")), "{text}");
            assert!(!text.contains("\n\n\n"), "{text}");
            for line in text.lines() {
                assert!(line.chars().count() <= COLUMNS_MAX, "{line}");
            }
        }
        let list = plain(&list());
        assert!(
            list.lines().all(|line| line.chars().count() <= COLUMNS_MAX),
            "{list}"
        );
        for code in Code::ALL {
            let count = list
                .lines()
                .filter(|line| line.starts_with(&format!("{code} ")))
                .count();
            assert_eq!(count, 1, "{list}");
        }
    }

    #[test]
    fn an_explanation_reads_so() {
        expect![[r#"
            hazard[recursive-read]

            A thread reads an rwlock that it reads already. Where waiting writers go before
            new readers, as in parking_lot and in std on Linux, a writer that queues in
            between makes it wait for itself. It is a hazard: with no writer nothing
            happens, and with one in the model the deadlock is found as well.

            An example (a scenario; finds `recursive-read`)

                expect recursive-read

                rwlock settings

                proc timeout {
                    read settings
                    unlock settings
                }
                thread connect {
                    read settings
                    call timeout
                    unlock settings
                }

            What to do

            Read once, and hand on the guard or what it guards. `read_recursive` of
            parking_lot does not wait for writers, but may keep them waiting for ever.

            The example, fixed (finds nothing)

                expect clean

                rwlock settings

                proc timeout {
                    read settings
                    unlock settings
                }
                thread connect {
                    read settings
                    unlock settings
                    call timeout
                }

            See also `self-deadlock`, `deadlock`.
        "#]]
        .assert_eq(&plain(&explanation(Code::RecursiveRead)));
    }

    #[test]
    fn codes_are_known_as_they_are_printed() {
        for name in [
            "deadlock",
            "error[deadlock]",
            "error[deadlock]:",
            " Deadlock ",
        ] {
            assert_eq!(named(name), Some(Code::Deadlock), "{name}");
        }
        assert_eq!(named("self_deadlock"), Some(Code::SelfDeadlock));
        assert_eq!(named("dead-lock"), None);
    }

    #[test]
    fn an_unknown_code_is_answered_with_the_nearest() {
        for (name, near) in [
            ("dead-lock", "`deadlock`"),
            ("lost_wake", "`lost-wakeup`"),
            ("doublerelease", "`double-release`"),
            ("PANICS", "`panic`"),
            ("lost", "`lost-wakeup`"),
        ] {
            assert!(unknown(name).contains(near), "{}", unknown(name));
        }
    }
}
