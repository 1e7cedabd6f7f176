//! How the interleaving of a finding is run again.
//!
//! Knows commands as a POSIX shell takes them, and where it joins lines that were broken. Does not
//! know what a token says, nor who reads the command.

use super::{clean, labelled, prefix, width};
use crate::report::{Finding, Report, grouped};

/// Lines of a replay command; a longer token is in the serialised report only.
const REPLAY_LINES_MAX: usize = 9;

impl Report {
    /// The command that runs the interleaving of a finding again, as a shell takes it; the call,
    /// where the check is not a test of its own. None of a finding without a token.
    pub fn how_to_replay(&self, finding: &Finding) -> Option<String> {
        let token = clean(&finding.token);
        if token.is_empty() {
            return None;
        }
        Some(match &self.scenario {
            Some(file) => format!(
                "cargo gordian scenario check {} --replay {}",
                shell_word(&clean(file)),
                quoted(&token)
            ),
            None if is_test_path(&self.model) => format!(
                "GORDIAN_REPLAY={} cargo test {} -- --exact",
                quoted(&token),
                self.model
            ),
            // It reads no environment: the token goes into the code.
            None => format!("Checker::replay({token:?}.parse()?)"),
        })
    }
}

/// How to run this interleaving again: the command that is given, or the one with the token. A long
/// one is broken where a shell joins it.
pub(super) fn replay(
    report: &Report,
    finding: &Finding,
    given: Option<String>,
    page: usize,
) -> Vec<String> {
    let is_command = given.is_some() || report.scenario.is_some() || is_test_path(&report.model);
    let Some(how) = given.or_else(|| report.how_to_replay(finding)) else {
        return Vec::new();
    };
    if width(&how) + 12 <= page {
        return vec![format!("  replay    {how}")];
    }
    if width(&how) + 4 <= page && is_command {
        return vec!["  replay".to_owned(), format!("    {how}")];
    }
    let mut lines = vec!["  replay".to_owned()];
    lines.extend(shell_lines(&how, page));
    let fits = lines.len() <= REPLAY_LINES_MAX && lines.iter().all(|l| width(l) <= page);
    if fits && is_command {
        lines
    } else {
        labelled("replay", &token_elsewhere(report, &finding.token), page)
    }
}

fn token_elsewhere(report: &Report, token: &str) -> String {
    let length = grouped(token.chars().count() as u64);
    let place = match &report.scenario {
        Some(_) => "the traces that `cargo gordian scenario check --out DIR` writes",
        None => "the serialised report, which GORDIAN_REPORT=FILE makes a test write",
    };
    format!("the token has {length} characters and is in {place}")
}

/// A command in lines that a POSIX shell joins. Words that fit no line are broken inside of quotes.
fn shell_lines(command: &str, page: usize) -> Vec<String> {
    let words = shell_words(command);
    let (assigned, run) = words.split_at(words.partition_point(|word| has_assignment(word)));
    // A command that fits stays in one piece.
    let run = match run.join(" ") {
        whole if width(&whole) <= page => vec![whole],
        _ => run.to_vec(),
    };
    let units = [assigned, &run].concat();
    let mut lines: Vec<String> = vec![String::new()];
    for (index, unit) in units.iter().enumerate() {
        // A blank and a backslash, unless nothing follows.
        let more = if index + 1 < units.len() { 2 } else { 0 };
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            *line += unit;
        } else if width(line) + 1 + width(unit) + more <= page {
            *line += &format!(" {unit}");
        } else {
            *line += " \\";
            lines.push(unit.clone());
        }
        let line = lines.last().expect("there is a first line");
        if width(line) + more > page {
            let long = lines.pop().expect("it was pushed");
            lines.extend(broken(&long, page));
        }
    }
    lines
}

/// A word in pieces that a shell joins to one.
fn broken(word: &str, page: usize) -> Vec<String> {
    let name = word.find('=').filter(|_| has_assignment(word));
    let (mut start, quoted_text) = word.split_at(name.map_or(0, |at| at + 1));
    let text = unquoted(quoted_text);
    let mut rest = text.as_str();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        // Two quotes, and a blank and a backslash. A quote inside takes four: such words are rare,
        // and lines that are too long are not shown.
        let piece = prefix(rest, page.saturating_sub(4 + start.len()).max(1));
        rest = &rest[piece.len()..];
        let end = if rest.is_empty() { "" } else { "\\" };
        pieces.push(format!("{start}{}{end}", quoted(piece)));
        start = "";
    }
    pieces
}

/// The words of a command, as they are quoted.
fn shell_words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in command.chars() {
        is_quoted ^= c == '\'';
        match c {
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().expect("there is a first word").push(c),
        }
    }
    words
}

/// Whether a word sets a variable for the command behind it.
fn has_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// Whether `cargo test` finds the model by this name: a path of identifiers. A check that was not
/// given a name is called `model`.
fn is_test_path(name: &str) -> bool {
    name != "model"
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

/// Quotes a word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A word as a shell takes it, with quotes only where it must have some.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// What a shell makes of a word that [`quoted`] or [`shell_word`] wrote.
fn unquoted(word: &str) -> String {
    word.replace(r"'\''", "\0")
        .replace('\'', "")
        .replace('\0', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [&str; 4] = [
        "cargo gordian replay target/gordian/traces/a-model-with-a-name-of-some-length-4f2a1b3c.json",
        "cargo gordian scenario check 'my files/ab ba.gordian' --replay 'g2:0,t~0.0:lock+a:0.0-1.0'",
        "GORDIAN_REPLAY='g2:0,teller~0.0:lock+alice,lock+bob:0.0-1.1' cargo test x::y -- --exact",
        "GORDIAN_REPLAY='g2:0,t~0.0:lock+a:0.0-1.0' cargo test a_test_of_a_name_that_is_long -- --exact",
    ];

    /// What a shell makes of a command: its lines joined, its words without quotes.
    fn meant(command: &str) -> Vec<String> {
        let joined = command.replace("\\\n", "");
        shell_words(&joined)
            .iter()
            .map(|word| unquoted(word))
            .collect()
    }

    #[test]
    fn a_command_means_the_same_in_every_width() {
        for command in COMMANDS {
            for page in 30..200 {
                let lines = shell_lines(command, page);
                assert!(
                    lines.iter().all(|line| width(line) <= page),
                    "{page}: {lines:#?}"
                );
                assert_eq!(
                    meant(&lines.join("\n")),
                    meant(command),
                    "{page}: {lines:#?}"
                );
                assert!(page < 120 || lines.len() == 1, "{page}: {lines:#?}");
            }
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_asks_for_it() {
        for (text, word) in [
            ("a/b-c_1.gordian", "a/b-c_1.gordian"),
            ("my file", "'my file'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("$HOME;ls", "'$HOME;ls'"),
        ] {
            assert_eq!(shell_word(text), word);
            assert_eq!(unquoted(word), text);
        }
    }
}
