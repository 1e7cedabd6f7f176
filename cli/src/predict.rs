//! `cargo gordian predict`: which deadlocks a recorded run could have had.
//!
//! Knows where traces are read from. Does not know what is in them (the library does), nor how a
//! prediction looks.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gordian::predict::{Limits, Trace, predict};
use gordian::report::Verdict;

use crate::args::PredictArgs;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::output::{Event, Output};

/// Ten million events or so; what a device gives may have no end.
const BYTES_MAX: u64 = 512 << 20;

/// The whole subcommand. Every trace is looked at, whatever the others come to.
///
/// # Errors
/// When a file cannot be read, or holds no run. The others have been told of by then.
pub(crate) fn all(args: &PredictArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let mut limits = Limits::default();
    if let Some(threads) = args.threads_max {
        limits = limits.threads_max(threads.get());
    }
    let (mut found, mut incomplete, mut refused) = (false, false, None);
    for file in &args.traces {
        match one(file, &limits, output) {
            Ok(verdict) => {
                found |= verdict == Verdict::Found;
                incomplete |= verdict == Verdict::Incomplete;
            }
            Err(error) if refused.is_none() => refused = Some(error),
            Err(error) => output.event(&Event::Failed(&error)),
        }
    }
    match refused {
        Some(error) => Err(error),
        None if found => Ok(ExitCode::Findings),
        None if incomplete => Ok(ExitCode::Incomplete),
        None => Ok(ExitCode::Clean),
    }
}

fn one(file: &Path, limits: &Limits, output: &mut Output) -> Result<Verdict, Error> {
    let name = match file.as_os_str() == "-" {
        true => "stdin".to_owned(),
        false => file.display().to_string(),
    };
    let unusable = |error: &dyn std::fmt::Display| Error::Usage(format!("{name}: {error}"));
    let text = text(file).map_err(|error| unusable(&error))?;
    let trace = Trace::parse_std(&text).map_err(|error| unusable(&error))?;
    if trace.is_empty() {
        return Err(unusable(&"there is no event in it"));
    }
    let report = predict(&name, &trace, limits).map_err(|error| unusable(&error))?;
    output.event(&Event::Predicted {
        report: &report,
        source: &text,
    });
    Ok(report.verdict)
}

fn text(file: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut source: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(File::open(file)?),
    };
    source
        .by_ref()
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        let message = format!("longer than {} MiB", BYTES_MAX >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
}
