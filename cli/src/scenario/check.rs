//! Many files checked at once.
//!
//! Knows threads and order: results are told in the order of the files, whichever ends first. The
//! only file here that knows the search.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use gordian::Strategy;
use gordian::scenario::{self, Options};

use super::files::File;
use super::oracle;
use super::read;
use crate::args::CheckArgs;
use crate::error::Error;
use crate::outcome::scenario::{Checked, Checks, Findings, Refusal};
use crate::output::{Event, Output};

/// The stack of a worker: what visits a scenario recursively runs on it.
const STACK_BYTES: usize = 8 << 20;

/// Checks all files and tells of each.
///
/// # Errors
/// When a setting cannot be used, or no thread can be started.
pub(super) fn run(
    args: &CheckArgs,
    files: Vec<File>,
    output: &mut Output,
) -> Result<Checks, Error> {
    let options = options(args)?;
    let start = Instant::now();
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let workers = args.jobs.map_or_else(processors, NonZeroUsize::get);
    let workers = workers.min(files.len());
    output.event(&Event::Checking {
        files: files.len(),
        workers,
    });
    let next = AtomicUsize::new(0);
    let results = thread::scope(|scope| {
        let (sender, news) = mpsc::channel();
        for _ in 0..workers {
            let (sender, files, next, options) = (sender.clone(), &files, &next, &options);
            let work = move || {
                // The numbers are handed out once each and guard no other memory.
                while let Some(file) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    files.get(number).map(|file| (number, file))
                } {
                    let (number, file) = file;
                    // The receiver goes away only when the command fails as a whole.
                    let _ = sender.send((number, check(file, options, args)));
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

fn options(args: &CheckArgs) -> Result<Options, Error> {
    let mut options = Options::default().liveness(args.liveness);
    if let Some(strategy) = &args.strategy {
        let strategy: Strategy = strategy
            .parse()
            .map_err(|error: gordian::ConfigError| Error::Usage(error.to_string()))?;
        options = options.strategy(strategy);
    }
    if let Some(executions) = args.executions_max {
        options = options.executions_max(executions);
    }
    if let Some(time) = args.time_max {
        options = options.time_max(time);
    }
    Ok(options)
}

fn check(file: &File, options: &Options, args: &CheckArgs) -> Checked {
    let start = Instant::now();
    // One file's defect does not take the results of the others with it.
    let findings = catch_unwind(AssertUnwindSafe(|| findings(file, options, args)));
    let findings = findings.unwrap_or_else(|_| {
        Err(Box::new(Refusal {
            file: file.name.clone(),
            message: "the search panicked: this is a defect of gordian".to_owned(),
            pane: None,
            hint: None,
            defect: true,
        }))
    });
    Checked {
        file: file.name.clone(),
        findings,
        time: start.elapsed(),
    }
}

fn findings(file: &File, options: &Options, args: &CheckArgs) -> Result<Findings, Box<Refusal>> {
    let (source, scenario) = read(file)?;
    let scenario = Arc::new(scenario);
    let checked = scenario::check(&scenario, &file.name, &source, options);
    let mut findings = Findings::of(&checked, scenario, source);
    if args.oracle {
        oracle::compare(&mut findings, &checked.terminals, args.liveness);
    }
    Ok(findings)
}
