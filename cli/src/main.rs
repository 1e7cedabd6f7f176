//! `cargo gordian`: runs the models of a workspace and says what they prove.
//!
//! This file knows how the program starts and ends. Each subcommand is a module, what a person
//! sees is in [`output`], and how it ends is an [`exit_code::ExitCode`].

mod args;
mod cargo;
mod error;
mod exit_code;
mod models;
mod outcome;
mod output;
mod process;
mod report;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};

use args::{Cli, Command};
use exit_code::ExitCode;
use output::{Event, Output};

fn main() -> std::process::ExitCode {
    // A panic of our own must not end in 101, which says that the build failed. The default hook
    // has described it by then.
    let code = catch_unwind(AssertUnwindSafe(dispatch)).unwrap_or(ExitCode::Internal);
    code.into()
}

fn dispatch() -> ExitCode {
    let (mut output, code) = match Cli::of_command_line().command {
        Command::Test(args) => {
            let mut output = Output::new(&args);
            let code = run::test(&args, &mut output);
            (output, code)
        }
        Command::Report(args) => {
            let mut output = Output::for_people(args.color);
            let code = report::again(&args, &mut output);
            (output, code)
        }
    };
    let code = code.unwrap_or_else(|error| {
        output.event(&Event::Failed(&error));
        error.exit_code()
    });
    // A result that nobody could read is none.
    if output.is_lost() {
        ExitCode::Internal
    } else {
        code
    }
}
