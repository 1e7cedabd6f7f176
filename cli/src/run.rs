//! `cargo gordian test`: builds, finds the models, and runs each in a process of its own.
//!
//! Knows processes, files and threads. Does not know what makes a model pass
//! ([`Outcome::of`] does) or how results look: it sends events to [`Output`].

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use gordian::report::Progress;

use crate::args::{SearchArgs, TestArgs};
use crate::cargo::{self, Project};
use crate::config::{Chosen, Searching};
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::foreign;
use crate::models::{self, Model};
use crate::outcome::{Outcome, Run, Status, Summary};
use crate::output::{Event, Output, Pace, json};
use crate::process::{Ended, Interrupt, last_lines, supervise};
use crate::report::{self, Kept};

/// Between two times that it is told how far the models are.
const TICK: Duration = Duration::from_millis(200);
/// A model that takes longer is worth a line of its own.
const SLOW_AFTER: Duration = Duration::from_secs(10);
/// What a child gets on top of the time limit of its search, to start and to report. The checker
/// gives up on a stalled thread after 5 s by itself.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// Lines kept of what a child wrote.
const LINES_MAX: usize = 200;

/// The whole subcommand.
///
/// # Errors
/// When nothing could be run; what the models found is not an error but the exit code.
pub(crate) fn test(args: &TestArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::on_signals().map_err(Error::internal("signals"))?;
    let project = Project::find(&args.build)?;
    let chosen = Chosen::of(&args.config, Some(&project.root()))?;
    warn(&project, output);
    let binaries = cargo::build(&args.build, args.view.much, &project, &interrupt)?;
    let models = models::discover(binaries, &args.filters, &args.test_args)?;
    if models.is_empty() {
        return Err(Error::NothingToRun(nothing(args)));
    }
    let plan = Plan {
        models: &models,
        variables: variables(&args.search, &chosen.searching()),
        time_max: args.search.time_max,
        workers: args.test_threads,
        fail_fast: args.fail_fast,
        canary: None,
    };
    let summary = explore(&plan, &project, &interrupt, output)?;
    let kept = keep(&project, &summary);
    output.event(&Event::Finished {
        summary: &summary,
        kept: kept.as_ref().ok(),
    });
    output.event(&Event::Written(&kept?.page));
    Ok(summary.exit_code())
}

/// Says where cargo builds other things than it is meant to.
pub(crate) fn warn(project: &Project, output: &mut Output) {
    for text in project.warnings() {
        output.event(&Event::Warning(&text));
    }
}

/// Which models are run, and how.
pub(crate) struct Plan<'a> {
    /// All of them, those that are ignored too.
    pub(crate) models: &'a [Model],
    /// What their checkers read.
    pub(crate) variables: Vec<(String, String)>,
    /// When the search of each is ended, if the models have no say in it.
    pub(crate) time_max: Option<Duration>,
    /// How many run at a time, unless as many as there are processors.
    pub(crate) workers: Option<NonZeroUsize>,
    /// Whether no further model is started after one has failed.
    pub(crate) fail_fast: bool,
    /// The title of the model that must be found.
    pub(crate) canary: Option<&'a str>,
}

/// The settings of searches as checkers read them: those of the command line and of its own
/// environment count more than what a model says, those of a profile less.
pub(crate) fn variables(search: &SearchArgs, searching: &Searching) -> Vec<(String, String)> {
    let above = search.named().into_iter();
    let above = above.map(|(name, value)| (format!("GORDIAN_{name}"), value));
    above.chain(searching.variables()).collect()
}

/// Runs models and tells of each.
///
/// # Errors
/// When a process or a file cannot be had; what the models found is no error.
pub(crate) fn explore(
    plan: &Plan<'_>,
    project: &Project,
    interrupt: &Interrupt,
    output: &mut Output,
) -> Result<Summary, Error> {
    let start = Instant::now();
    let crew = Crew {
        plan,
        reports: fresh_directory(&project.output_directory())?,
        interrupt,
        root: &project.root(),
        watched: output.is_watched(),
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    };
    Ok(Summary {
        outcomes: crew.run(output)?,
        time: start.elapsed(),
        interrupted: interrupt.is_raised(),
        root: project.root(),
    })
}

/// Writes the reports of the run.
pub(crate) fn keep(project: &Project, summary: &Summary) -> Result<Kept, Error> {
    let lines = json::lines(summary).map_err(Error::internal("the events of the run"))?;
    report::keep(&project.output_directory(), &summary.root, &lines)
}

fn nothing(args: &TestArgs) -> String {
    if args.filters.is_empty() && args.test_args.is_empty() {
        "no model was built: a model is a test under `#[gordian::test]`".to_owned()
    } else {
        let words: Vec<&str> = args
            .filters
            .iter()
            .chain(&args.test_args)
            .map(String::as_str)
            .collect();
        format!("no model matches `{}`", words.join(" "))
    }
}

/// An empty directory for the reports; those of the run before stay beside it.
pub(crate) fn fresh_directory(output: &Path) -> Result<PathBuf, Error> {
    let (now, before) = (output.join("reports"), output.join("reports.old"));
    let failed = || Error::internal(format!("{}", now.display()));
    if now.exists() {
        if before.exists() {
            fs::remove_dir_all(&before).map_err(failed())?;
        }
        fs::rename(&now, &before).map_err(failed())?;
    }
    fs::create_dir_all(&now).map_err(failed())?;
    Ok(now)
}

/// What a worker sends back: the model's number, and its outcome.
enum News {
    Started(usize),
    Ended(usize, Box<Result<Outcome, Error>>),
}

/// How far the run is.
#[derive(Default)]
struct Advance {
    /// By number: the models that run.
    running: BTreeMap<usize, Running>,
    /// Executions of the models that have ended.
    executions: u64,
    /// When it was last told.
    told: Option<Instant>,
}

struct Running {
    since: Instant,
    progress: Option<Progress>,
    /// Whether it was said that it takes long.
    is_slow: bool,
}

impl Advance {
    fn begin(&mut self, number: usize, now: Instant) {
        let running = Running {
            since: now,
            progress: None,
            is_slow: false,
        };
        self.running.insert(number, running);
    }

    fn end(&mut self, number: usize, outcome: &Outcome) {
        self.running.remove(&number);
        let report = outcome.report.as_ref();
        self.executions += report.map_or(0, |report| report.search.executions);
    }

    /// The models of which it is to be said that they take long, each once.
    fn slow(&mut self, now: Instant) -> Vec<usize> {
        let running = self.running.iter_mut();
        running
            .filter(|(_, its)| !its.is_slow && now.duration_since(its.since) >= SLOW_AFTER)
            .map(|(&number, its)| {
                its.is_slow = true;
                number
            })
            .collect()
    }

    /// Whether it is time to tell it again.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = self
            .told
            .is_none_or(|told| now.duration_since(told) >= TICK);
        if due {
            self.told = Some(now);
        }
        due
    }
}

/// The workers that run the models, and what they share.
struct Crew<'a> {
    plan: &'a Plan<'a>,
    /// Where the children write their reports.
    reports: PathBuf,
    interrupt: &'a Interrupt,
    /// Of the workspace.
    root: &'a Path,
    /// Whether somebody sees how far the models are.
    watched: bool,
    /// The number of the next model to run.
    next: AtomicUsize,
    /// Whether no further model shall be started.
    stop: AtomicBool,
}

impl Crew<'_> {
    /// Runs all models and tells of each; in the order of the models.
    fn run(&self, output: &mut Output) -> Result<Vec<Outcome>, Error> {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let models = self.plan.models;
        let workers = self.plan.workers.map_or_else(processors, NonZeroUsize::get);
        let workers = workers.min(models.len());
        output.event(&Event::Started { models, workers });

        let mut outcomes: Vec<Option<Outcome>> = models.iter().map(|_| None).collect();
        let mut advance = Advance::default();
        thread::scope(|scope| {
            let (sender, news) = mpsc::channel();
            for _ in 0..workers {
                let sender = sender.clone();
                scope.spawn(move || self.work(&sender));
            }
            drop(sender);
            loop {
                match news.recv_timeout(TICK) {
                    Ok(News::Started(number)) => {
                        output.event(&Event::Running(&models[number]));
                        advance.begin(number, Instant::now());
                    }
                    Ok(News::Ended(number, outcome)) => {
                        // Without the other children the workers end, and the scope with them.
                        let outcome = outcome.inspect_err(|_| self.interrupt.raise())?;
                        output.event(&Event::Ended(&outcome));
                        advance.end(number, &outcome);
                        outcomes[number] = Some(outcome);
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                }
                self.tell(&mut advance, output);
            }
        })?;
        let outcomes = outcomes.into_iter().zip(models);
        let or_not_run = |(outcome, model): (Option<Outcome>, &Model)| {
            outcome.unwrap_or_else(|| Outcome::not_run(model.clone()))
        };
        Ok(outcomes.map(or_not_run).collect())
    }

    /// Runs one model after the other until there are none, or there shall be no more.
    fn work(&self, sender: &mpsc::Sender<News>) {
        // The numbers are handed out once each and guard no other memory, and the flag is only
        // advice: no order is needed for either.
        while !self.interrupt.is_raised() && !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(model) = self.plan.models.get(number) else {
                return;
            };
            if model.ignored {
                continue;
            }
            // The receiver goes away only when the command fails as a whole.
            let _ = sender.send(News::Started(number));
            let outcome = self
                .run_one(number, model)
                .map(|run| self.outcome(model, run));
            let good = [Status::Passed, Status::Incomplete, Status::Vacuous];
            if self.plan.fail_fast
                && outcome
                    .as_ref()
                    .is_ok_and(|one| !good.contains(&one.status))
            {
                self.stop.store(true, Ordering::Relaxed);
            }
            let _ = sender.send(News::Ended(number, Box::new(outcome)));
        }
    }

    /// Tells how far the models are that run, and which of them take long.
    fn tell(&self, advance: &mut Advance, output: &mut Output) {
        let now = Instant::now();
        for number in advance.slow(now) {
            output.event(&Event::Slow {
                model: &self.plan.models[number],
                time: SLOW_AFTER,
            });
        }
        if !self.watched || !advance.is_due(now) {
            return;
        }
        for (&number, running) in &mut advance.running {
            let said = fs::read(self.progress_file(number)).ok();
            let said = said.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            // A file that is being written is read the next time.
            running.progress = said.or(running.progress);
        }
        let running = advance.running.iter();
        let running: Vec<Pace<'_>> = running
            .map(|(&number, running)| Pace {
                model: &self.plan.models[number],
                progress: running.progress,
                time: now.duration_since(running.since),
            })
            .collect();
        output.event(&Event::Progress {
            executions: advance.executions,
            running: &running,
            time_max: self.plan.time_max,
        });
    }

    /// Where a model says how far it is.
    fn progress_file(&self, number: usize) -> PathBuf {
        self.reports.join(format!("{number}.progress"))
    }

    fn run_one(&self, number: usize, model: &Model) -> Result<Run, Error> {
        let progress = self.watched.then(|| self.progress_file(number));
        let file = format!("{}.{}.json", model.binary.label, model.path);
        let report = self.reports.join(file.replace("::", ".").replace('/', "-"));
        let start = Start {
            report: &report,
            settings: &self.plan.variables,
            time_max: self.plan.time_max.map(|time| time + GRACE),
            interrupt: self.interrupt,
            progress: progress.as_deref(),
        };
        let run = run_model(model, &start);
        if let Some(progress) = &progress {
            // There is none of a model that was quick.
            let _ = fs::remove_file(progress);
        }
        run
    }

    fn outcome(&self, model: &Model, run: Run) -> Outcome {
        let mut outcome = Outcome::of(model.clone(), run);
        if outcome.status == Status::Vacuous {
            outcome.foreign = foreign::named_in(&model.binary.directory, self.root);
        }
        match self.plan.canary {
            Some(title) if title == model.title() => outcome.into_canary(),
            _ => outcome,
        }
    }
}

/// How a model is run.
pub(crate) struct Start<'a> {
    /// Where its report goes.
    pub(crate) report: &'a Path,
    /// Variables that the checker reads.
    pub(crate) settings: &'a [(String, String)],
    /// When it is killed.
    pub(crate) time_max: Option<Duration>,
    /// What else may end it.
    pub(crate) interrupt: &'a Interrupt,
    /// Where it says how far it is.
    pub(crate) progress: Option<&'a Path>,
}

/// Runs one model in a process of its own, to its end.
///
/// # Errors
/// When there is no such process; what the model does is not an error.
pub(crate) fn run_model(model: &Model, its: &Start<'_>) -> Result<Run, Error> {
    let binary = &model.binary;
    let failed = || Error::internal(format!("{}", binary.path.display()));
    let start = Instant::now();
    let mut command = Command::new(&binary.path);
    command
        // Ignored models are left out before, unless asked for.
        .args([
            "--exact",
            &model.path,
            "--nocapture",
            "--include-ignored",
            "--test-threads=1",
        ])
        .current_dir(&binary.directory)
        // As cargo would, for models that ask at run time.
        .env("CARGO_MANIFEST_DIR", &binary.directory)
        .env("CARGO_PKG_NAME", &binary.package)
        .env("CARGO_PKG_VERSION", &binary.version)
        .env("GORDIAN_REPORT", its.report)
        .envs(its.settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(progress) = its.progress {
        command.env("GORDIAN_PROGRESS", progress);
    }
    let mut child = command.spawn().map_err(failed())?;
    let (ended, printed) = watch(&mut child, its.time_max, its.interrupt).map_err(failed())?;
    Ok(Run {
        ended,
        report: fs::read(its.report).ok(),
        printed,
        time: start.elapsed(),
    })
}

/// Waits for a child while its output is read, so that a full pipe does not stop it.
fn watch(
    child: &mut Child,
    time_max: Option<Duration>,
    interrupt: &Interrupt,
) -> std::io::Result<(Ended, Vec<String>)> {
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    thread::scope(|scope| {
        let stdout = scope.spawn(move || last_lines(stdout, LINES_MAX));
        let stderr = scope.spawn(move || last_lines(stderr, LINES_MAX));
        let ended = supervise(child, time_max, interrupt)?;
        let mut printed = stdout.join().unwrap_or_default();
        printed.retain(|line| !is_frame(line));
        printed.extend(stderr.join().unwrap_or_default());
        Ok((ended, printed))
    })
}

/// Whether a line is what the test harness itself says around a test.
fn is_frame(line: &str) -> bool {
    let framed = ["running 1 test", "test result: ", "failures:"];
    let result = line.starts_with("test ") && (line.contains(" ... ") || line.ends_with(" ..."));
    line.is_empty() || result || framed.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_called_slow_once() {
        let start = Instant::now();
        let mut advance = Advance::default();
        advance.begin(3, start);
        advance.begin(5, start + SLOW_AFTER);
        assert!(advance.slow(start + SLOW_AFTER / 2).is_empty());
        assert_eq!(advance.slow(start + SLOW_AFTER), [3]);
        assert!(advance.slow(start + SLOW_AFTER).is_empty());
        assert_eq!(advance.slow(start + 2 * SLOW_AFTER), [5]);
    }

    #[test]
    fn progress_is_told_a_few_times_in_a_second() {
        let start = Instant::now();
        let mut advance = Advance::default();
        let millis = (0..1_000).map(Duration::from_millis);
        let told = millis.filter(|&time| advance.is_due(start + time)).count();
        assert_eq!(told, 5);
    }
}
