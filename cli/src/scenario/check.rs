//! Many files checked at once.
//!
//! Knows threads and order: results are told in the order of the files, whichever ends first. The
//! only file here that knows the search.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gordian::scenario::{self, Options};

use super::files::File;
use super::oracle;
use super::read;
use crate::args::{CheckArgs, SearchArgs};
use crate::config::Searching;
use crate::error::Error;
use crate::outcome::scenario::{Checked, Checks, Findings, Refusal};
use crate::output::{Event, Output};
use crate::process::Interrupt;

/// The stack of a worker: what visits a scenario recursively runs on it.
const STACK_BYTES: usize = 8 << 20;

/// Checks all files and tells of each.
///
/// # Errors
/// When a setting cannot be used, or no thread can be started.
pub(crate) fn run(files: &[File], its: &Manner, output: &mut Output) -> Result<Checks, Error> {
    let start = Instant::now();
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let workers = its.workers.map_or_else(processors, NonZeroUsize::get);
    let workers = workers.min(files.len());
    output.event(&Event::Checking {
        files: files.len(),
        workers,
    });
    let next = AtomicUsize::new(0);
    let results = thread::scope(|scope| {
        let (sender, news) = mpsc::channel();
        for _ in 0..workers {
            let (sender, next) = (sender.clone(), &next);
            let work = move || {
                // The numbers are handed out once each and guard no other memory.
                while let Some(file) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let file = files.get(number).filter(|_| !its.interrupt.is_raised());
                    file.map(|file| (number, file))
                } {
                    let (number, file) = file;
                    // The receiver goes away only when the command fails as a whole.
                    let _ = sender.send((number, check(file, its)));
                }
            };
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            builder
                .spawn_scoped(scope, work)
                .map_err(Error::internal("a thread"))?;
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut results = Vec::with_capacity(files.len());
        for (number, result) in news {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&results.len()) {
                output.event(&Event::Checked(&result));
                results.push(result);
            }
        }
        Ok(results)
    })?;
    Ok(Checks {
        results,
        time: start.elapsed(),
    })
}

/// How files are checked.
pub(crate) struct Manner {
    /// The search.
    options: Options,
    liveness: bool,
    /// Whether the independent oracle is asked too.
    oracle: bool,
    /// How many files are checked at a time, unless as many as there are processors.
    workers: Option<NonZeroUsize>,
    /// What ends the run: files that no worker has begun have no result.
    interrupt: Interrupt,
}

impl Manner {
    /// What the command line wants, on top of what a profile says.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub(super) fn of(args: &CheckArgs, searching: &Searching) -> Result<Self, Error> {
        let strategy = args.strategy.clone();
        let seconds = |time: Duration| time.as_secs_f64().to_string();
        let above = [
            ("STRATEGY", strategy),
            (
                "EXECUTIONS_MAX",
                args.executions_max.map(|it| it.to_string()),
            ),
            ("TIME_MAX", args.time_max.map(seconds)),
        ];
        let above = above.into_iter();
        let above = above.filter_map(|(name, value)| Some((name, value?)));
        Ok(Manner {
            options: options(searching.named().into_iter().chain(above))?.liveness(args.liveness),
            liveness: args.liveness,
            oracle: args.oracle,
            workers: args.jobs,
            interrupt: Interrupt::default(),
        })
    }

    /// What a gate wants.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub(crate) fn of_gate(
        search: &SearchArgs,
        searching: &Searching,
        oracle: bool,
        workers: Option<NonZeroUsize>,
        interrupt: Interrupt,
    ) -> Result<Self, Error> {
        Ok(Manner {
            options: options(searching.named().into_iter().chain(search.named()))?,
            liveness: false,
            oracle,
            workers,
            interrupt,
        })
    }
}

/// The search by these settings, of which the last with a name counts. Which engine runs models,
/// and what it bounds, says nothing of scenarios.
fn options(settings: impl Iterator<Item = (&'static str, String)>) -> Result<Options, Error> {
    fn read<T: FromStr<Err: fmt::Display>>(name: &str, value: &str) -> Result<T, Error> {
        let wrong = |error| Error::Usage(format!("{name}={value}: {error}"));
        value.parse().map_err(wrong)
    }
    let mut options = Options::default();
    for (name, value) in settings {
        options = match name {
            "STRATEGY" => options.strategy(read(name, &value)?),
            "EXECUTIONS_MAX" => options.executions_max(read(name, &value)?),
            "STEPS_MAX" => options.steps_max(read(name, &value)?),
            "SEED" => options.seed(read(name, &value)?),
            "TIME_MAX" => {
                let seconds = Duration::try_from_secs_f64(read(name, &value)?);
                options.time_max(seconds.map_err(|error| Error::Usage(error.to_string()))?)
            }
            _ => options,
        };
    }
    Ok(options)
}

fn check(file: &File, its: &Manner) -> Checked {
    let start = Instant::now();
    // One file's defect does not take the results of the others with it.
    let findings = catch_unwind(AssertUnwindSafe(|| findings(file, its)));
    let findings = findings.unwrap_or_else(|_| {
        Err(Box::new(Refusal {
            file: file.name.clone(),
            message: "the search panicked: this is a defect of gordian".to_owned(),
            pane: None,
            hint: None,
            defect: true,
            more: Vec::new(),
        }))
    });
    Checked {
        file: file.name.clone(),
        findings,
        time: start.elapsed(),
    }
}

fn findings(file: &File, its: &Manner) -> Result<Findings, Box<Refusal>> {
    let (source, scenario) = read(file)?;
    let scenario = Arc::new(scenario);
    let checked = scenario::check(&scenario, &file.name, &source, &its.options);
    let mut findings = Findings::of(&checked, scenario, source);
    if its.oracle {
        oracle::compare(&mut findings, &checked.terminals, its.liveness);
    }
    Ok(findings)
}
