//! Any text is a scenario or is refused at a place inside of it.

use gordian::scenario::{explain, format, parse};

use crate::Seen;

/// A scenario that is laid out means the same, and is laid out already; a text that is none is
/// refused at a place inside of it.
///
/// # Panics
/// When that is not so.
pub fn scenario_parser(bytes: &[u8]) -> Seen {
    let Ok(text) = str::from_utf8(bytes) else {
        return Seen::Refused;
    };
    let scenario = match parse(text) {
        Ok(scenario) => scenario,
        Err(error) => {
            let span = error.span();
            let (start, end) = (span.start as usize, span.end as usize);
            assert!(
                text.get(start..end).is_some(),
                "{error}: the place {start}..{end} is none of the text"
            );
            return Seen::Refused;
        }
    };
    let tidy = format(text).expect("what is read can be laid out");
    let again = parse(&tidy).expect("what is laid out can be read");
    assert_eq!(
        explain(&again),
        explain(&scenario),
        "laid out it means something else:\n{tidy}"
    );
    assert_eq!(
        format(&tidy).as_deref(),
        Ok(tidy.as_str()),
        "laid out twice it changes"
    );
    Seen::All
}
