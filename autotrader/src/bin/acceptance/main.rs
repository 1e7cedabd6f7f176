//! The acceptance: the service, run and measured from outside.
//!
//! Knows the order of things and the exit code. Clients speak HTTP to a child process on loopback;
//! the exchange is simulated here, so that its book is the judge's and outlives the service.

use std::path::PathBuf;
use std::process::ExitCode;

use autotrader::service::venue::Weather;
use clap::Parser;

mod child;
mod client;
mod crash;
mod disk;
mod ledger;
mod load;
mod machine;
mod measure;
mod output;
mod profile;
mod soak;

use output::Output;
use profile::Verdict;

/// Starts the autotrader's service and holds it to what it promises.
///
/// Every reset, resume and look at the stats is answered by 200 within 0.1 s while the exchange is
/// slow, hangs or loses replies; what was acknowledged is so and stays so; the books agree with the
/// exchange's. With --crash the service is killed again and again, and nothing acknowledged is
/// lost. With --soak the load is steady, and memory must be flat. Everything stays on loopback, and
/// is bounded in time and in requests.
///
/// Exit codes: 0 accepted · 2 usage · 100 not accepted · 106 inconclusive: nothing is wrong for
/// certain, but the machine was too busy to judge, or memory cannot be read here · 70 it could not
/// be tried.
#[derive(Debug, Parser)]
#[command(version, about, verbatim_doc_comment)]
struct Arguments {
    /// How many clients at a time; several numbers: one run each. Default: 8,64.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    clients: Vec<u16>,
    /// Which profiles of the exchange: fast, slow3, slow15, hanging, lossy. Default: all.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    profile: Vec<Weather>,
    /// How long the clients work, for each number of clients and each profile.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Instead: kill the service so many times, then try what can happen to its disk.
    #[arg(long, value_name = "KILLS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    crash: Option<u32>,
    /// Instead: one run of so many seconds (at least 600) under a load that does not change, with
    /// the first number of clients and the first profile, or 16 and lossy; memory must be flat.
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = clap::value_parser!(u64).range(600..=86_400))]
    #[arg(conflicts_with_all = ["crash", "seconds"])]
    soak: Option<u64>,
    /// How often a run is repeated whose end is inconclusive; what is wrong is wrong at once.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=10))]
    retries: u8,
    /// The seed of the exchange, the clients and the kills.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON object on stdout instead of the tables.
    #[arg(long)]
    json: bool,
    /// The service; default: the one that this program was built with.
    #[arg(long, value_name = "FILE")]
    service: Option<PathBuf>,
    /// A file whose keys the service gets besides.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A broken variant, which must not be accepted: held_across_api, timeout503 or, by a soak,
    /// keeps_answers.
    #[cfg(feature = "specimens")]
    #[arg(long, value_name = "NAME")]
    specimen: Option<String>,
}

const FOUND: u8 = 100;
const INCOMPLETE: u8 = 106;
const INTERNAL: u8 = 70;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    if words.nth(1).is_some_and(|word| word == child::SERVE) {
        return autotrader::service::command::main(
            std::iter::once("autotrader".into()).chain(words),
        );
    }
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(&arguments, &output)),
        Err(error) => Err(error.to_string()),
    };
    match result {
        Ok(Verdict::Accepted) => ExitCode::SUCCESS,
        Ok(Verdict::Inconclusive) => ExitCode::from(INCOMPLETE),
        Ok(Verdict::NotAccepted) => ExitCode::from(FOUND),
        Err(error) => {
            output.error(&error);
            ExitCode::from(INTERNAL)
        }
    }
}

/// What is to be said of the service.
async fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, String> {
    let program = child::Program::new(arguments.service.as_deref());
    let program = program.map_err(|error| error.to_string())?;
    if let Some(kills) = arguments.crash {
        let plan = crash::Plan {
            program,
            kills,
            seed: arguments.seed,
        };
        let report = crash::run(&plan, output).await?;
        output.crash(&report);
        return Ok(if report.is_accepted() {
            Verdict::Accepted
        } else {
            Verdict::NotAccepted
        });
    }
    let mut reports = Vec::new();
    let mut verdict = Verdict::Accepted;
    for (clients, weather) in arguments.runs() {
        let plan = profile::Plan {
            program: program.clone(),
            config: arguments.base()?,
            clients,
            weather,
            seconds: arguments.soak.unwrap_or(arguments.seconds),
            seed: arguments.seed,
            soaks: arguments.soak.is_some(),
        };
        let mut report = profile::run(&plan, output).await?;
        output.profile(&report);
        for _ in 0..arguments.retries {
            if report.verdict != Verdict::Inconclusive {
                break;
            }
            output.step("inconclusive: once more");
            report = profile::run(&plan, output).await?;
            output.profile(&report);
        }
        verdict = verdict.max(report.verdict);
        reports.push(report);
    }
    output.verdict(&reports, verdict, arguments.seed);
    Ok(verdict)
}

impl Arguments {
    /// Numbers of clients, and moods of the exchange.
    fn runs(&self) -> Vec<(usize, Weather)> {
        let (clients, weathers): (&[u16], &[Weather]) = if self.soak.is_some() {
            (&[16], &[Weather::Lossy])
        } else {
            (&[8, 64], &Weather::TESTED)
        };
        let clients = if self.clients.is_empty() {
            clients
        } else {
            &self.clients
        };
        let weathers = if self.profile.is_empty() {
            weathers
        } else {
            &self.profile
        };
        let runs = clients.iter().flat_map(|clients| {
            weathers
                .iter()
                .map(|weather| (usize::from(*clients), *weather))
        });
        let one = self.soak.map_or(usize::MAX, |_| 1);
        runs.take(one).collect()
    }

    /// What the service is told besides what the profile says.
    fn base(&self) -> Result<autotrader::service::config::Config, String> {
        use autotrader::service::config::{Config, Flags};
        let flags = Flags {
            config: self.config.clone(),
            ..Flags::default()
        };
        #[cfg_attr(
            not(feature = "specimens"),
            expect(unused_mut, reason = "changed by a specimen")
        )]
        let mut config = Config::load(&flags).map_err(|error| error.to_string())?;
        #[cfg(feature = "specimens")]
        if let Some(name) = &self.specimen {
            let name = serde_json::Value::from(name.as_str());
            config.specimen =
                Some(serde_json::from_value(name).map_err(|error| error.to_string())?);
        }
        Ok(config)
    }
}
