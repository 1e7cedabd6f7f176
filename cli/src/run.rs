//! `cargo gordian test`: builds, finds the models, runs each in a process of its own, and sums up.
//!
//! Knows what makes a model pass. Does not know how results look: it sends events to [`Output`].

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gordian::Report;
use gordian::report::{REPORT_VERSION, Verdict};

use crate::args::{SearchArgs, TestArgs};
use crate::cargo::{self, Project};
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::models::{self, Model};
use crate::output::{Event, Output};
use crate::process::{Ended, Interrupt, Killed, last_lines, supervise};

/// What a child gets on top of the time limit of its search, to start and to report. The checker
/// gives up on a stalled thread after 5 s by itself.
const GRACE: Duration = Duration::from_secs(10);
/// Lines kept of what a child wrote.
const LINES_MAX: usize = 200;

/// One model and how it came out.
pub(crate) struct Outcome {
    /// Which model.
    pub(crate) model: Model,
    /// How it came out.
    pub(crate) status: Status,
    /// What the checker found, unless the process died first.
    pub(crate) report: Option<Report>,
    /// What else is to be said about the end of the process.
    pub(crate) remark: Option<String>,
    /// The last lines of what the model printed.
    pub(crate) printed: Vec<String>,
    /// Wall-clock time of the process.
    pub(crate) time: Duration,
}

/// How a model came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should.
    Passed,
    /// A finding that is not expected, or an expected one that is missing.
    Failed,
    /// Nothing found, but not everything explored.
    Incomplete,
    /// The process died without a report.
    Crashed,
    /// The check could not be carried out.
    Error,
    /// Not run: `#[ignore]`.
    Ignored,
    /// Not run: another model failed first, or somebody interrupted.
    NotRun,
}

/// All outcomes, in the order of the binaries and names.
pub(crate) struct Summary {
    /// One per model.
    pub(crate) outcomes: Vec<Outcome>,
    /// Wall-clock time from the first start to the last end.
    pub(crate) time: Duration,
    /// Whether somebody interrupted.
    pub(crate) interrupted: bool,
    /// The directory that the places of findings are relative to.
    pub(crate) root: PathBuf,
}

impl Summary {
    /// How many models came out so.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.status == status)
            .count()
    }

    /// Interleavings of all models together.
    pub(crate) fn interleavings(&self) -> u64 {
        let reports = self
            .outcomes
            .iter()
            .filter_map(|outcome| outcome.report.as_ref());
        reports.map(|report| report.search.executions).sum()
    }

    /// What all of it comes to. A failure says more than something left out.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let any = |status| self.count(status) > 0;
        if any(Status::Failed) || any(Status::Crashed) || any(Status::Error) {
            ExitCode::Findings
        } else if any(Status::Incomplete) || self.interrupted || any(Status::NotRun) {
            ExitCode::Incomplete
        } else if any(Status::Passed) {
            ExitCode::Clean
        } else {
            ExitCode::NothingToRun
        }
    }
}

/// The whole subcommand.
///
/// # Errors
/// When nothing could be run; what the models found is not an error but the exit code.
pub(crate) fn test(args: &TestArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::on_signals().map_err(Error::internal("signals"))?;
    let project = Project::find(&args.build)?;
    let binaries = cargo::build(args, &project, &interrupt)?;
    let models = models::discover(binaries, &args.filters, &args.test_args)?;
    if models.is_empty() {
        return Err(Error::NothingToRun(nothing(args)));
    }
    let reports = fresh_directory(&project.output_directory())?;
    let start = Instant::now();
    let outcomes = run_all(args, &models, &reports, &interrupt, output)?;
    let outcomes = outcomes.into_iter().zip(models);
    let summary = Summary {
        outcomes: outcomes
            .map(|(outcome, model)| outcome.unwrap_or_else(|| not_run(model)))
            .collect(),
        time: start.elapsed(),
        interrupted: interrupt.is_raised(),
        root: project.root(),
    };
    output.event(&Event::Finished(&summary));
    Ok(summary.exit_code())
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
fn fresh_directory(output: &Path) -> Result<PathBuf, Error> {
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

/// What a worker thread needs to run a model; models themselves stay with the main thread.
struct Job {
    index: usize,
    executable: PathBuf,
    directory: PathBuf,
    path: String,
    report: PathBuf,
    variables: Vec<(&'static str, String)>,
}

/// What a worker sends back.
enum News {
    Started(usize),
    Ended(usize, Result<Run, Error>),
}

/// A process that has ended, and what it left.
struct Run {
    ended: Ended,
    report: Option<Vec<u8>>,
    printed: Vec<String>,
    time: Duration,
}

/// Runs the models, as many at a time as there are processors. A model that was not run has no
/// outcome.
fn run_all(
    args: &TestArgs,
    models: &[Model],
    reports: &Path,
    interrupt: &Interrupt,
    output: &mut Output,
) -> Result<Vec<Option<Outcome>>, Error> {
    let jobs: VecDeque<Job> = models
        .iter()
        .enumerate()
        .filter(|(_, model)| !model.ignored)
        .map(|(index, model)| job(index, model, reports, &args.search))
        .collect();
    let workers = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(jobs.len());
    output.event(&Event::Started { models, workers });

    let stop = AtomicBool::new(false);
    let queue = Mutex::new(jobs);
    let time_max = args.search.time_max.map(|time| time + GRACE);
    let mut outcomes: Vec<Option<Outcome>> = models.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, news) = mpsc::channel();
        for _ in 0..workers {
            let (sender, queue, stop) = (sender.clone(), &queue, &stop);
            scope.spawn(move || work(queue, time_max, interrupt, stop, &sender));
        }
        drop(sender);
        for event in news {
            match event {
                News::Started(index) => output.event(&Event::Running(&models[index])),
                News::Ended(index, run) => {
                    // Without the other children the threads end, and the scope with them.
                    let run = run.inspect_err(|_| interrupt.raise())?;
                    let outcome = judge(models[index].clone(), run);
                    output.event(&Event::Ended(&outcome));
                    let good = matches!(outcome.status, Status::Passed | Status::Incomplete);
                    // Workers look at it before they take the next job; late is good enough.
                    stop.fetch_or(args.fail_fast && !good, Ordering::Relaxed);
                    outcomes[index] = Some(outcome);
                }
            }
        }
        Ok(outcomes)
    })
}

/// The outcome of a model that was not run.
fn not_run(model: Model) -> Outcome {
    Outcome {
        status: if model.ignored {
            Status::Ignored
        } else {
            Status::NotRun
        },
        model,
        report: None,
        remark: None,
        printed: Vec::new(),
        time: Duration::ZERO,
    }
}

fn job(index: usize, model: &Model, reports: &Path, search: &SearchArgs) -> Job {
    let binary = &model.binary;
    let file = format!("{}.{}.json", binary.label, model.path);
    let report = reports.join(file.replace("::", ".").replace('/', "-"));
    let mut variables = vec![
        ("GORDIAN_REPORT", report.display().to_string()),
        // As cargo would, for models that ask at run time.
        ("CARGO_MANIFEST_DIR", binary.directory.display().to_string()),
        ("CARGO_PKG_NAME", binary.package.clone()),
        ("CARGO_PKG_VERSION", binary.version.clone()),
    ];
    let settings = [
        ("GORDIAN_ENGINE", search.engine.clone()),
        ("GORDIAN_STRATEGY", search.strategy.clone()),
        (
            "GORDIAN_TIME_MAX",
            search.time_max.map(|time| time.as_secs_f64().to_string()),
        ),
    ];
    variables.extend(
        settings
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    Job {
        index,
        executable: binary.path.clone(),
        directory: binary.directory.clone(),
        path: model.path.clone(),
        report,
        variables,
    }
}

/// Takes jobs until there are none, or there shall be no more.
fn work(
    queue: &Mutex<VecDeque<Job>>,
    time_max: Option<Duration>,
    interrupt: &Interrupt,
    stop: &AtomicBool,
    sender: &mpsc::Sender<News>,
) {
    while !interrupt.is_raised() && !stop.load(Ordering::Relaxed) {
        let job = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(job) = job else {
            return;
        };
        // The receiver goes away only when the command fails as a whole.
        let _ = sender.send(News::Started(job.index));
        let run = run_one(&job, time_max, interrupt);
        if sender.send(News::Ended(job.index, run)).is_err() {
            return;
        }
    }
}

fn run_one(job: &Job, time_max: Option<Duration>, interrupt: &Interrupt) -> Result<Run, Error> {
    let failed = || Error::internal(format!("{}", job.executable.display()));
    let start = Instant::now();
    let mut child = Command::new(&job.executable)
        // Ignored tests are listed apart and run only when asked for.
        .args([
            "--exact",
            &job.path,
            "--nocapture",
            "--include-ignored",
            "--test-threads=1",
        ])
        .current_dir(&job.directory)
        .envs(job.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed())?;
    let (ended, printed) = watch(&mut child, time_max, interrupt).map_err(failed())?;
    let time = start.elapsed();
    Ok(Run {
        ended,
        report: fs::read(&job.report).ok(),
        printed,
        time,
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

/// Whether a model passed, from its report and from how its process ended.
fn judge(model: Model, run: Run) -> Outcome {
    let Run {
        ended,
        report,
        printed,
        time,
    } = run;
    let read = report.map(|bytes| read_report(&bytes));
    let (report, unreadable) = match read {
        Some(Ok(report)) => (Some(report), None),
        Some(Err(message)) => (None, Some(message)),
        None => (None, None),
    };
    let success = ended.status.success();
    let (status, remark) = match (&report, ended.killed) {
        (None, Some(Killed::Interrupt)) => (Status::NotRun, Some("interrupted".to_owned())),
        (None, Some(Killed::Deadline(time))) => (
            Status::Crashed,
            Some(format!("killed after {} s", time.as_secs())),
        ),
        (None, None) => {
            let how = format!("no report; {}", ended.status);
            (Status::Crashed, Some(unreadable.unwrap_or(how)))
        }
        (Some(report), _) => match (report.verdict, report.passed(), success) {
            (Verdict::Error, ..) => (Status::Error, None),
            (Verdict::Incomplete, false, _) => (Status::Incomplete, None),
            (_, true, true) => (Status::Passed, None),
            (_, true, false) => {
                let how = format!(
                    "the check came out as expected, but the test failed ({})",
                    ended.status
                );
                (Status::Failed, Some(how))
            }
            // `#[should_panic]`: the test's own answer counts.
            (_, false, true) => (Status::Passed, Some("should panic, and did".to_owned())),
            (_, false, false) => (Status::Failed, None),
        },
    };
    Outcome {
        model,
        status,
        report,
        remark,
        printed,
        time,
    }
}

fn read_report(bytes: &[u8]) -> Result<Report, String> {
    /// What every version has.
    #[derive(serde::Deserialize)]
    struct Versioned {
        v: u32,
    }
    let found: Versioned = serde_json::from_slice(bytes)
        .map_err(|error| format!("the report cannot be read: {error}"))?;
    if found.v != REPORT_VERSION {
        return Err(format!(
            "the report has version {}, this program reads {REPORT_VERSION}: \
             use the same version of gordian and cargo-gordian",
            found.v
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("the report cannot be read: {error}"))
}
