//! Any text is a scenario or is refused at a place inside of it; one that is laid out means the
//! same, and is laid out already.
#![no_main]

use gordian::scenario::{explain, format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(scenario) => {
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
        }
        Err(error) => {
            let span = error.span();
            assert!(
                span.start <= span.end && span.end as usize <= text.len(),
                "{error}: the place is outside of the text"
            );
        }
    }
});
