//! The bot.

use std::process::ExitCode;

fn main() -> ExitCode {
    autotrader::service::command::main(std::env::args_os())
}
