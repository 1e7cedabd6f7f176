//! Any text is a recorded run or is refused at one of its lines.

use std::collections::BTreeSet;

use gordian::predict::{Limits, Trace, predict};
use gordian::report::Code;

use crate::Seen;

/// Steps of the search for circles: enough for small runs, and soon over.
const STEPS_MAX: u64 = 20_000;

/// A run that is written is read again as the same, and what is predicted of it is the same.
///
/// # Panics
/// When it is not.
pub fn std_trace_parser(bytes: &[u8]) -> Seen {
    let Ok(text) = str::from_utf8(bytes) else {
        return Seen::Refused;
    };
    let trace = match Trace::parse_std(text) {
        Ok(trace) => trace,
        Err(error) => {
            let lines = text.lines().count();
            let line = error.line().map_or(0, |line| line as usize);
            assert!(line <= lines, "{error}: there are {lines} lines");
            return Seen::Refused;
        }
    };
    let written = trace.to_std();
    let again = Trace::parse_std(&written).expect("what is written can be read");
    assert_eq!(again.len(), trace.len(), "events get lost:\n{written}");
    assert_eq!(again.to_std(), written, "written twice it changes");
    assert_eq!(predicted(&again), predicted(&trace), "of\n{written}");
    Seen::All
}

/// What is predicted, or whether the events make no run.
fn predicted(trace: &Trace) -> Result<(BTreeSet<Code>, usize), ()> {
    let mut limits = Limits::default();
    limits.steps_max = STEPS_MAX;
    let report = predict("fuzzed.std", trace, &limits).map_err(drop)?;
    Ok((report.codes().into_iter().collect(), report.findings.len()))
}
