//! Through a finding's steps, forth and back.
//!
//! Knows the keys and where in the steps a person is. Does not know how a step is shown.

use std::io::BufRead;
use std::path::Path;

use gordian::report::Finding;

use crate::error::Error;
use crate::output::{Event, Output};

/// What a person wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// To the step at this place.
    To(usize),
    Quit,
    /// Nothing that is known.
    Help,
}

/// Shows the steps: one after the other as the person asks for them, or all of them when nobody
/// is there to ask.
///
/// # Errors
/// When the person's wishes cannot be read.
pub(super) fn walk(
    finding: &Finding,
    root: &Path,
    mut input: impl BufRead,
    interactive: bool,
    output: &mut Output,
) -> Result<(), Error> {
    let steps = &finding.steps;
    let mut show = |at: usize| output.event(&Event::Step { steps, at, root });
    if !interactive {
        (0..steps.len()).for_each(show);
        return Ok(());
    }
    let Some(last) = steps.len().checked_sub(1) else {
        return Ok(());
    };
    let mut at = 0;
    show(at);
    loop {
        let keys = format!(
            "Enter or n next, b back, g N to step N of {}, q quit > ",
            last + 1
        );
        output.event(&Event::Text(&keys));
        let mut line = String::new();
        let length = input
            .read_line(&mut line)
            .map_err(Error::internal("stdin"))?;
        let next = match length {
            0 => Move::Quit,
            _ => asked(&line, at, last),
        };
        match next {
            Move::To(next) => {
                at = next;
                output.event(&Event::Step { steps, at, root });
            }
            Move::Help => {}
            Move::Quit => {
                output.event(&Event::Text("\n"));
                return Ok(());
            }
        }
    }
}

/// What a line asks for; `last` is the place of the last step.
fn asked(line: &str, at: usize, last: usize) -> Move {
    let line = line.trim();
    let number = line.strip_prefix('g').unwrap_or(line).trim();
    match (line, number.parse::<usize>()) {
        // Past the end there is nothing more to see.
        ("" | "n" | "next", _) if at == last => Move::Quit,
        ("" | "n" | "next", _) => Move::To(at + 1),
        ("b" | "back", _) => Move::To(at.saturating_sub(1)),
        ("q" | "quit", _) => Move::Quit,
        (_, Ok(number)) => Move::To(number.saturating_sub(1).min(last)),
        _ => Move::Help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_forth_and_back() {
        for (line, at, next) in [
            ("\n", 0, Move::To(1)),
            ("n\n", 3, Move::To(4)),
            ("n", 4, Move::Quit),
            ("b\n", 3, Move::To(2)),
            ("b\n", 0, Move::To(0)),
            ("g 2\n", 4, Move::To(1)),
            ("g2\n", 4, Move::To(1)),
            ("3", 0, Move::To(2)),
            ("g 0", 3, Move::To(0)),
            ("g 99999999999999999999999", 3, Move::Help),
            ("g 99", 0, Move::To(4)),
            ("g", 1, Move::Help),
            ("g -1", 1, Move::Help),
            ("what?", 1, Move::Help),
            (" q \n", 1, Move::Quit),
        ] {
            assert_eq!(asked(line, at, 4), next, "{line:?} at {at}");
        }
    }
}
