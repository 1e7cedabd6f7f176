//! The same programs under Gordian, loom and shuttle, side by side.
//!
//! `cargo run --release -p gordian-benches` prints a table of executions, time and ratios;
//! `--json` prints one JSON object a line instead. Each program runs under each engine in a
//! process of its own, with a bound on its time, so that one that aborts or never ends disturbs
//! nobody.

mod engines;
mod parent;
mod programs;
mod table;

use std::process::ExitCode;

/// What stands in the command line between the parent process and its children.
const CHILD_FLAG: &str = "--child";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => parent::run(table::Form::Text),
        ["--json"] => parent::run(table::Form::Json),
        [CHILD_FLAG, program, engine] => parent::run_child(program, engine),
        _ => {
            table::complain("usage: gordian-benches [--json]");
            ExitCode::from(2)
        }
    }
}
