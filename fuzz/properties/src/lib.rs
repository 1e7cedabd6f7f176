//! What holds for every string of bytes.
//!
//! Each property is one plain function that panics where it does not hold, with words for a person.
//! A fuzz target calls it with what the fuzzer makes, a test with what proptest makes, and the
//! [replay] with the seeds: strings that once showed something.
//!
//! Knows how bytes become what a property is about. Does not know where the bytes come from: no
//! fuzzer is linked here.

mod config_parser;
mod program_oracle;
pub mod replay;
mod report_renderers;
mod scenario_parser;
mod schedule_autotrader;
mod std_trace_parser;
mod token_roundtrip;

pub use config_parser::config_parser;
pub use program_oracle::program_oracle;
pub use report_renderers::report_renderers;
pub use scenario_parser::scenario_parser;
pub use schedule_autotrader::{Situation, schedule_autotrader};
pub use std_trace_parser::std_trace_parser;
pub use token_roundtrip::token_roundtrip;

/// How far a property went with its input, where it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// To the end.
    All,
    /// The input is refused, or is more than the property looks at.
    Refused,
}

/// A property that a fuzzer can look into.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the fuzz target, and of the directory of its seeds.
    pub name: &'static str,
    /// Looks at one input.
    ///
    /// # Panics
    /// When the property does not hold.
    pub check: fn(&[u8]) -> Seen,
}

/// All properties.
pub const TARGETS: &[Target] = &[
    Target {
        name: "program_oracle",
        check: program_oracle,
    },
    Target {
        name: "schedule_autotrader",
        check: schedule_autotrader,
    },
    Target {
        name: "token_roundtrip",
        check: token_roundtrip,
    },
    Target {
        name: "scenario_parser",
        check: scenario_parser,
    },
    Target {
        name: "report_renderers",
        check: report_renderers,
    },
    Target {
        name: "std_trace_parser",
        check: std_trace_parser,
    },
    Target {
        name: "config_parser",
        check: config_parser,
    },
];
