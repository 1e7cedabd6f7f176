//! The command: reads its configuration, runs the service, and says how it ended.
//!
//! Knows flags, signals, logs and exit codes. Two programs begin with it: the bot, and the child
//! that the acceptance starts, so that what is accepted is what was built with it.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use super::config::{Config, Flags, LogFormat};
use super::store::StoreError;
use super::{Service, ServiceError};

/// The autotrader: buys, sells, and answers at once.
///
/// A flag goes over the variable `AUTOTRADER_<KEY>` (`AUTOTRADER_EXCHANGE__TIMEOUT_MS`), that over
/// the file, that over the default. Exit codes: 0 ended as it was told · 2 usage or configuration ·
/// 70 internal error · 74 the database cannot be used · 75 it is in use by another process.
#[derive(Parser)]
#[command(name = "autotrader", version, about)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Shows the configuration as a file, and ends.
    #[arg(long)]
    print_config: bool,
}

/// How the process ends.
enum End {
    Usage = 2,
    Internal = 70,
    Database = 74,
    InUse = 75,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        ExitCode::from(end as u8)
    }
}

/// Runs the service as these arguments say; the first one is the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(arguments);
    let config = match Config::load(&arguments.flags) {
        Ok(config) => config,
        Err(error) => return say(&error, End::Usage),
    };
    if arguments.print_config {
        return print(&config);
    }
    if let Err(error) = log(&config) {
        return say(&format!("`log.filter`: {error}"), End::Usage);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return say(&error, End::Internal),
    };
    let result = runtime.block_on(run(config));
    // Calls of an exchange that does not answer are not waited for.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let end = match &error {
                ServiceError::Store(StoreError::InUse(_)) => End::InUse,
                ServiceError::Store(_) => End::Database,
                ServiceError::System(..) | ServiceError::LoopFailed => End::Internal,
            };
            say(&error, end)
        }
    }
}

async fn run(config: Config) -> Result<(), ServiceError> {
    // Before anything is opened: from here on a signal ends it in order, never in the middle.
    let end = told_to_end().map_err(|error| ServiceError::System("the signals", error))?;
    let service = Service::open(config).await?;
    tracing::info!(address = %service.address(), "listening");
    service.run(end).await
}

/// SIGTERM or Ctrl-C, also one that comes before this is waited for.
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
    })
}

fn log(config: &Config) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::builder().parse(&config.log.filter)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

fn say(error: &impl std::fmt::Display, end: End) -> ExitCode {
    // Whoever closed the stream does not want to know.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    end.into()
}

fn print(config: &Config) -> ExitCode {
    let text = match config.to_toml() {
        Ok(text) => text,
        Err(error) => return say(&error, End::Internal),
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
