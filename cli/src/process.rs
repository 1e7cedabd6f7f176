//! Child processes that end: by themselves, at a deadline, or with this program.
//!
//! Knows how to wait, to kill, and to keep the last lines a child wrote. Does not know what the
//! children do.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at a child, at most; the first ones come sooner.
const PAUSE_MAX: Duration = Duration::from_millis(20);
/// Bytes of one line that are kept.
const LINE_BYTES_MAX: u64 = 4096;

/// Whether somebody wants the program to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C, SIGTERM and SIGHUP ask instead of killing: children first.
    pub(crate) fn on_signals() -> Result<Self, ctrlc::Error> {
        let interrupt = Interrupt::default();
        let flag = interrupt.clone();
        ctrlc::set_handler(move || flag.raise())?;
        Ok(interrupt)
    }

    /// Asks the program to end.
    pub(crate) fn raise(&self) {
        // One flag that guards no other memory, asked again and again: no order is needed.
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What the system says.
    pub(crate) status: ExitStatus,
    /// Why it was killed, if it was.
    pub(crate) killed: Option<Killed>,
}

/// Why a child was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// Its time was over.
    Deadline(Duration),
    /// The program was asked to end.
    Interrupt,
}

/// Waits for a child; kills it when its time is over or the program is asked to end.
pub(crate) fn supervise(
    child: &mut Child,
    time_max: Option<Duration>,
    interrupt: &Interrupt,
) -> io::Result<Ended> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended {
                status,
                killed: None,
            });
        }
        let over = time_max
            .filter(|time| start.elapsed() >= *time)
            .map(Killed::Deadline);
        let killed = if interrupt.is_raised() {
            Some(Killed::Interrupt)
        } else {
            over
        };
        if killed.is_some() {
            // It may have ended in the meantime, which is as good.
            let _ = child.kill();
            return Ok(Ended {
                status: child.wait()?,
                killed,
            });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Reads a stream to its end and keeps its last `lines_max` lines, so that a child that writes
/// without end costs no memory.
pub(crate) fn last_lines(stream: impl Read, lines_max: usize) -> Vec<String> {
    let mut lines = VecDeque::new();
    let mut reader = BufReader::new(stream);
    let mut bytes = Vec::new();
    // A line longer than the limit arrives in pieces. A read error ends the stream: what has
    // arrived is still worth showing.
    while matches!(
        reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes),
        Ok(count) if count > 0
    ) {
        if lines.len() == lines_max {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        bytes.clear();
    }
    lines.into()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let text: String = (1..=100).map(|number| format!("line {number}\n")).collect();
        assert_eq!(last_lines(text.as_bytes(), 2), ["line 99", "line 100"]);
        assert_eq!(last_lines("no end".as_bytes(), 2), ["no end"]);
        assert!(last_lines("".as_bytes(), 2).is_empty());
        let long = "x".repeat(10_000);
        assert!(last_lines(long.as_bytes(), 1)[0].len() <= LINE_BYTES_MAX as usize);
    }

    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .spawn()
            .expect("there is a `sleep`")
    }

    #[test]
    fn deadlines_and_interrupts_kill() {
        let time = Duration::from_millis(20);
        let ended = supervise(&mut sleeper(), Some(time), &Interrupt::default()).unwrap();
        assert_eq!(ended.killed, Some(Killed::Deadline(time)));
        assert!(!ended.status.success());

        let interrupt = Interrupt::default();
        interrupt.raise();
        let ended = supervise(&mut sleeper(), None, &interrupt).unwrap();
        assert_eq!(ended.killed, Some(Killed::Interrupt));
    }
}
