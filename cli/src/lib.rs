//! `cargo gordian`: runs the models of a workspace and says what they prove.
//!
//! This file knows how the program starts and ends. Each subcommand is a module, what a person
//! sees is in `output`, and how it ends is an `exit_code::ExitCode`. The library is there for
//! the program, its tests and its fuzz targets; it is no interface for others.

mod args;
mod cargo;
mod codes;
mod config;
mod error;
mod exit_code;
mod explain;
mod foreign;
mod fuzz;
mod gate;
mod models;
mod outcome;
mod output;
mod predict;
mod process;
mod replay;
mod report;
mod resolver;
mod run;
mod scenario;

#[doc(hidden)]
pub mod private;

use std::panic::{AssertUnwindSafe, catch_unwind};

use args::{Cli, Command, ScenarioCommand, View};
use exit_code::ExitCode;
use output::{Event, Output};

/// The program.
#[doc(hidden)]
pub fn main() -> std::process::ExitCode {
    // A panic of our own must not end in 101, which says that the build failed. The default hook
    // has described it by then.
    let code = catch_unwind(AssertUnwindSafe(dispatch)).unwrap_or(ExitCode::Internal);
    code.into()
}

fn dispatch() -> ExitCode {
    let command = Cli::of_command_line().command;
    let mut output = Output::new(&view(&command));
    let done = match &command {
        Command::Test(args) => run::test(args, &mut output),
        Command::Gate(args) => gate::gate(args, &mut output),
        Command::Fuzz(args) => fuzz::fuzz(args, &mut output),
        Command::Replay(args) => replay::replay(args, &mut output),
        Command::Explain(args) => explain::explain(args, &mut output),
        Command::Report(args) => report::again(args, &mut output),
        Command::Predict(args) => predict::all(args, &mut output),
        Command::Scenario(ScenarioCommand::Check(args)) => match &args.replay {
            Some(source) => replay::replay_scenario(args, source, &mut output),
            None => scenario::check(args, &mut output),
        },
        Command::Scenario(ScenarioCommand::Fmt(args)) => scenario::fmt(args, &mut output),
        Command::Scenario(ScenarioCommand::Explain(args)) => scenario::explain(args, &mut output),
    };
    let code = done.unwrap_or_else(|error| {
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

/// How the command line wants things to be shown.
fn view(command: &Command) -> View {
    let plain = View::plain;
    match command {
        Command::Test(args) => args.view.clone(),
        Command::Gate(args) => args.view.clone(),
        Command::Fuzz(args) => args.view.clone(),
        Command::Predict(args) => args.view.clone(),
        Command::Scenario(ScenarioCommand::Check(args)) => args.view.clone(),
        Command::Replay(args) => View {
            drawing: args.drawing.clone(),
            ..plain(args.view)
        },
        Command::Explain(args) => plain(args.view),
        Command::Report(args) => plain(args.view),
        Command::Scenario(ScenarioCommand::Fmt(args)) => plain(args.view),
        Command::Scenario(ScenarioCommand::Explain(args)) => plain(args.view),
    }
}
