//! The program on a terminal: what a person sees while it runs, and what stays.
#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{command, fixture, turn};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Enough for all that is written: nothing scrolls away.
const ROWS: u16 = 400;

/// What a person has seen of a run.
struct Seen {
    /// The rows in the end, without the blanks behind them.
    rows: Vec<String>,
    /// Whether a row was too long, and went on in the next one.
    wrapped: Vec<bool>,
    /// Whether there ever was a progress bar.
    progress: bool,
    /// All that was written.
    bytes: Vec<u8>,
    code: Option<i32>,
}

/// A bar as it is drawn: `Exploring [=>        ] 0/1 2s`.
fn is_bar(row: &str) -> bool {
    row.trim_start().starts_with("Exploring [")
}

/// Runs a command on a terminal of its own.
fn on_terminal(mut command: Command, columns: u16) -> Seen {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize {
        ws_row: ROWS,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let side = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    command
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .stdout(side.try_clone().unwrap())
        .stderr(side);
    let mut child = command.spawn().unwrap();
    // Only the child has the other side open now, so that it ends with it.
    drop(command);
    let mut terminal = File::from(terminal);
    let mut screen = vt100::Parser::new(ROWS, columns, 0);
    let (mut bytes, mut progress) = (Vec::new(), false);
    let mut buffer = [0; 4096];
    // Linux ends it with an error.
    while let Ok(length @ 1..) = terminal.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..length]);
        screen.process(&buffer[..length]);
        progress |= screen.screen().rows(0, columns).any(|row| is_bar(&row));
    }
    let rows = screen.screen().rows(0, columns);
    Seen {
        rows: rows.map(|row| row.trim_end().to_owned()).collect(),
        wrapped: (0..ROWS)
            .map(|row| screen.screen().row_wrapped(row))
            .collect(),
        progress,
        bytes,
        code: child.wait().unwrap().code(),
    }
}

impl Seen {
    fn text(&self) -> String {
        self.rows.join("\n")
    }

    /// Whether something was coloured: `ESC [ … m` with more than a reset.
    fn is_coloured(&self) -> bool {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let sequences = text.split("\u{1b}[").skip(1);
        let mut styles = sequences.filter_map(|rest| {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            rest[end..].starts_with('m').then_some(&rest[..end])
        });
        styles.any(|style| !style.is_empty() && style != "0")
    }
}

/// A model that has far more to do than the time allows.
fn unfinished(line: &str) -> Command {
    let line = format!("test --time-max 2 {line} practically_endless -- --ignored");
    command(&fixture("unfinished"), &line)
}

#[test]
fn progress_is_there_while_it_runs_and_gone_afterwards() {
    let _turn = turn();
    let seen = on_terminal(unfinished(""), 80);
    assert_eq!(seen.code, Some(106), "{}", seen.text());
    assert!(seen.progress, "{}", String::from_utf8_lossy(&seen.bytes));
    assert!(!seen.rows.iter().any(|row| is_bar(row)), "{}", seen.text());
    for said in ["Exploring 1 model", "INCOMPLETE", "Summary", "Report"] {
        assert!(seen.text().contains(said), "{said}\n{}", seen.text());
    }
    // The bar has said how far it is, which a pipe would have shown as rubbish.
    let bytes = String::from_utf8_lossy(&seen.bytes).into_owned();
    assert!(
        bytes.contains(" executions") && bytes.contains("/s"),
        "{bytes}"
    );
}

#[test]
fn progress_is_for_people_who_watch() {
    let _turn = turn();
    let quiet = on_terminal(unfinished("--quiet"), 80);
    let mut in_ci = unfinished("");
    in_ci.env("CI", "true");
    let in_ci = on_terminal(in_ci, 80);
    for seen in [&quiet, &in_ci] {
        assert_eq!(seen.code, Some(106), "{}", seen.text());
        assert!(
            !seen.progress && seen.text().contains("INCOMPLETE"),
            "{}",
            seen.text()
        );
    }
    let piped = unfinished("").output().unwrap();
    assert_eq!(piped.status.code(), Some(106));
    let piped = [piped.stdout, piped.stderr].concat();
    assert!(!piped.contains(&b'\x1b') && !piped.contains(&b'\r'));
    assert!(!String::from_utf8_lossy(&piped).lines().any(is_bar));
}

const ABBA: &str = "\
expect clean
mutex alice, bob
thread teller_of_the_first_desk { lock alice; lock bob; unlock bob; unlock alice }
thread teller_of_the_second_desk { lock bob; lock alice; unlock alice; unlock bob }
";

fn scenario(directory: &Path, line: &str) -> Command {
    fs::write(directory.join("abba.gordian"), ABBA).unwrap();
    command(directory, &format!("scenario check -q {line} abba.gordian"))
}

#[test]
fn findings_are_as_wide_as_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    for columns in [40, 80, 200] {
        for line in ["", "--ascii"] {
            let seen = on_terminal(scenario(directory.path(), line), columns);
            assert_eq!(seen.code, Some(100), "{}", seen.text());
            let from = seen
                .rows
                .iter()
                .position(|row| row.starts_with("error["))
                .unwrap();
            let to = seen
                .rows
                .iter()
                .rposition(|row| row.contains("seen  "))
                .unwrap();
            for row in from..=to {
                assert!(
                    !seen.wrapped[row],
                    "{columns}: {}\n{}",
                    seen.rows[row],
                    seen.text()
                );
            }
            let widest = seen.rows[from..=to]
                .iter()
                .map(|row| row.chars().count())
                .max();
            // Lines get no longer than a person can follow.
            let (least, most) = match columns {
                40 => (30, 40),
                80 => (60, 80),
                _ => (81, 120),
            };
            let widest = widest.unwrap();
            assert!(
                (least..=most).contains(&widest),
                "{columns}: {widest}\n{}",
                seen.text()
            );
            assert!(line.is_empty() || seen.text().is_ascii(), "{}", seen.text());
        }
    }
}

#[test]
fn colours_are_for_terminals_and_can_be_refused() {
    let _turn = turn();
    let directory = tempfile::tempdir().unwrap();
    for (line, variable, coloured) in [
        ("", None, true),
        ("--color never", None, false),
        ("", Some(("NO_COLOR", "1")), false),
        ("--color always", Some(("NO_COLOR", "1")), true),
        ("", Some(("CARGO_TERM_COLOR", "never")), false),
    ] {
        let mut command = scenario(directory.path(), line);
        // After what a terminal is given.
        let seen = match variable {
            None => on_terminal(command, 80),
            Some((name, value)) => {
                command = through_env(command, name, value);
                on_terminal(command, 80)
            }
        };
        assert_eq!(
            seen.is_coloured(),
            coloured,
            "{line} {variable:?}\n{}",
            seen.text()
        );
    }
    // The bar too.
    let seen = on_terminal(unfinished("--color never"), 80);
    assert!(
        seen.progress && !seen.is_coloured(),
        "{}",
        String::from_utf8_lossy(&seen.bytes)
    );
}

/// The same command with a variable that [`on_terminal`] does not take away.
fn through_env(like: Command, name: &str, value: &str) -> Command {
    let mut command = Command::new("env");
    command.arg(format!("{name}={value}"));
    command.arg(like.get_program()).args(like.get_args());
    command.current_dir(like.get_current_dir().unwrap());
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}
