//! `cargo gordian fuzz`: drives one model's schedules and choices by what they show, for a while.
//!
//! Knows which model is meant, where its schedules are kept from one run to the next, and what the
//! end of the time comes to. Does not know how schedules are changed: the checker does that, in the
//! model's own process, under the strategy `fuzz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gordian::report::{Finding, Progress, Severity, Verdict};

use crate::args::FuzzArgs;
use crate::cargo::{self, Project};
use crate::config::Chosen;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::models::{self, Model};
use crate::outcome::{Outcome, Run, Status, Summary};
use crate::output::{Event, Output, Pace};
use crate::process::Interrupt;
use crate::run::{GRACE, Start, fresh_directory, keep, run_model};

/// Between two times that it is told how far it is.
const TICK: Duration = Duration::from_millis(200);
/// Models that are listed when several are meant.
const LISTED_MAX: usize = 20;

/// The whole subcommand.
///
/// # Errors
/// When there is no such model, or more than one; what is found is no error.
pub(crate) fn fuzz(args: &FuzzArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::on_signals().map_err(Error::internal("signals"))?;
    let project = Project::find(&args.build)?;
    let profile = Chosen::of(&args.config, Some(&project.root()))?;
    let binaries = cargo::build(&args.build, args.view.much, &project, &interrupt)?;
    let model = chosen(models::discover(binaries, &[], &[])?, &args.model)?;
    let start = Instant::now();
    let trial = Trial {
        args,
        below: profile.searching().variables(),
        model: &model,
        seed: args.seed.unwrap_or_else(seed_of_now),
        corpus: corpus(args, &project, &model)?,
        reports: fresh_directory(&project.output_directory())?,
        interrupt: &interrupt,
    };
    let before = trial.schedules();
    let run = trial.run(output)?;
    let outcome = weighed(Outcome::of(model.clone(), run));
    output.event(&Event::Ended(&outcome));
    let summary = Summary {
        outcomes: vec![outcome],
        time: start.elapsed(),
        interrupted: interrupt.is_raised(),
        root: project.root(),
    };
    let kept = keep(&project, &summary);
    output.event(&Event::Finished {
        summary: &summary,
        kept: kept.as_ref().ok(),
    });
    trial.tell_end(&summary.outcomes[0], before, output);
    output.event(&Event::Written(&kept?.page));
    Ok(summary.exit_code())
}

/// The one model that is meant: of this name, or with this text in its name.
fn chosen(models: Vec<Model>, wanted: &str) -> Result<Model, Error> {
    let is_it = |model: &Model| model.path == wanted || model.title() == wanted;
    let exact: Vec<&Model> = models.iter().filter(|model| is_it(model)).collect();
    let similar: Vec<&Model> = match exact.is_empty() {
        true => models
            .iter()
            .filter(|model| model.title().contains(wanted))
            .collect(),
        false => exact,
    };
    match similar[..] {
        [only] => Ok(only.clone()),
        [] if models.is_empty() => Err(Error::NothingToRun(
            "no model was built: a model is a test under `#[gordian::test]`".to_owned(),
        )),
        [] => Err(Error::NothingToRun(format!("no model matches `{wanted}`"))),
        _ => {
            let titles = similar.iter().take(LISTED_MAX).map(|model| model.title());
            let titles: Vec<String> = titles.map(|title| format!("`{title}`")).collect();
            let more = match similar.len() - titles.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Err(Error::Usage(format!(
                "`{wanted}` matches {} models, and one is fuzzed at a time: {}{more}",
                similar.len(),
                titles.join(", ")
            )))
        }
    }
}

/// Another one each time: schedules that were tried are in the corpus, and not to be tried again.
fn seed_of_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_micros() as u64)
}

/// Where the model's schedules are kept.
fn corpus(args: &FuzzArgs, project: &Project, model: &Model) -> Result<PathBuf, Error> {
    let directory = args.corpus.clone().unwrap_or_else(|| {
        let name = format!("{}.{}", model.binary.label, model.path);
        let name = name.replace("::", ".").replace(['/', ' '], "-");
        project.output_directory().join("corpus").join(name)
    });
    fs::create_dir_all(&directory)
        .map_err(|error| Error::Usage(format!("{}: {error}", directory.display())))?;
    // The model's process runs elsewhere.
    let whole = directory.canonicalize();
    whole.map_err(Error::internal(directory.display()))
}

/// What the run comes to: a finding is one whether the model expects it or not, and the end of the
/// time is what was asked for.
fn weighed(mut outcome: Outcome) -> Outcome {
    let Some(report) = &mut outcome.report else {
        return outcome;
    };
    report.expect.clear();
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    outcome.status = match report.verdict {
        Verdict::Error => Status::Error,
        _ if report.findings.iter().any(is_error) => Status::Failed,
        _ if report.vacuity().is_some() => Status::Vacuous,
        _ => Status::Passed,
    };
    outcome.remark = None;
    outcome
}

/// One model, fuzzed for a while.
struct Trial<'a> {
    args: &'a FuzzArgs,
    /// What the profile says, and the model may say otherwise.
    below: Vec<(String, String)>,
    model: &'a Model,
    seed: u64,
    corpus: PathBuf,
    reports: PathBuf,
    interrupt: &'a Interrupt,
}

impl Trial<'_> {
    /// Runs it to the end, and tells how far it is.
    fn run(&self, output: &mut Output) -> Result<Run, Error> {
        let model = self.model;
        output.event(&Event::Status {
            verb: "Fuzzing",
            text: &format!(
                "{} for up to {} s, seed {}",
                model.title(),
                self.args.time_max.as_secs_f64(),
                self.seed
            ),
        });
        output.event(&Event::Started {
            models: std::slice::from_ref(model),
            workers: 1,
        });
        output.event(&Event::Running(model));
        let watched = output.is_watched();
        let progress = self.reports.join("fuzz.progress");
        let report = self.reports.join("fuzz.json");
        let settings = self.settings();
        let start = Start {
            report: &report,
            settings: &settings,
            time_max: Some(self.args.time_max + GRACE),
            interrupt: self.interrupt,
            progress: watched.then_some(&*progress),
        };
        let since = Instant::now();
        let run = thread::scope(|scope| {
            let (sender, news) = mpsc::channel();
            scope.spawn(move || {
                // The receiver waits for this.
                let _ = sender.send(run_model(model, &start));
            });
            loop {
                match news.recv_timeout(TICK) {
                    Ok(run) => return run,
                    Err(mpsc::RecvTimeoutError::Timeout) if watched => {
                        self.tell(&progress, since, output);
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(error @ mpsc::RecvTimeoutError::Disconnected) => {
                        return Err(Error::internal("the model's process")(error));
                    }
                }
            }
        });
        // There is none if it was quick.
        let _ = fs::remove_file(&progress);
        run
    }

    /// What the checker reads.
    fn settings(&self) -> Vec<(String, String)> {
        let args = self.args;
        let mut settings = vec![
            ("GORDIAN_ENGINE", "controlled".to_owned()),
            ("GORDIAN_STRATEGY", "fuzz".to_owned()),
            ("GORDIAN_TIME_MAX", args.time_max.as_secs_f64().to_string()),
            ("GORDIAN_SEED", self.seed.to_string()),
            ("GORDIAN_CORPUS", self.corpus.display().to_string()),
        ];
        // Without a bound of its own the time alone is one, whatever the model says.
        let executions = args.executions_max.unwrap_or(u64::MAX);
        settings.push(("GORDIAN_EXECUTIONS_MAX", executions.to_string()));
        if !args.keep_going {
            settings.push(("GORDIAN_ERRORS_MAX", "1".to_owned()));
        }
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        let settings = settings.into_iter().map(named);
        settings.chain(self.below.iter().cloned()).collect()
    }

    fn tell(&self, progress: &Path, since: Instant, output: &mut Output) {
        // A file that is being written is read the next time.
        let said = fs::read(progress).ok();
        let said: Option<Progress> = said.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        output.event(&Event::Progress {
            executions: 0,
            running: &[Pace {
                model: self.model,
                progress: said,
                time: since.elapsed(),
            }],
            time_max: Some(self.args.time_max),
        });
    }

    /// How many schedules are kept.
    fn schedules(&self) -> usize {
        let entries = fs::read_dir(&self.corpus).into_iter().flatten().flatten();
        let is_one = |path: PathBuf| path.extension().is_some_and(|its| its == "token");
        entries.filter(|entry| is_one(entry.path())).count()
    }

    /// What became of the corpus, and what it means that nothing was found.
    fn tell_end(&self, outcome: &Outcome, before: usize, output: &mut Output) {
        let mut tell = |verb, text: &str| output.event(&Event::Status { verb, text });
        let remarks = outcome.report.iter();
        for remark in remarks.flat_map(|report| &report.search.remarks) {
            tell("Warning", remark);
        }
        // The command beside a finding may name a file that the next run replaces.
        let reports = outcome.report.iter();
        for finding in reports.flat_map(|report| &report.findings) {
            tell("Token", &format!("{} {}", finding.code, finding.token));
        }
        let now = self.schedules();
        tell(
            "Corpus",
            &format!(
                "{}: {now} schedules, {} of them new",
                self.corpus.display(),
                now.saturating_sub(before)
            ),
        );
        if outcome.status == Status::Passed {
            tell(
                "Ended",
                "nothing was found, which proves nothing: `cargo gordian test` explores all",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn models(paths: &[&str]) -> Vec<Model> {
        let binary = Arc::new(cargo::Binary {
            path: "bank".into(),
            label: "bank".to_owned(),
            crate_name: "bank".to_owned(),
            package: "bank".to_owned(),
            version: "0.1.0".to_owned(),
            directory: ".".into(),
        });
        let model = |path: &&str| Model {
            binary: Arc::clone(&binary),
            path: (*path).to_owned(),
            ignored: false,
        };
        paths.iter().map(model).collect()
    }

    #[test]
    fn one_model_is_meant() {
        let all = || models(&["tests::drain", "tests::drain_twice", "tests::pour"]);
        for (wanted, path) in [
            ("tests::drain", "tests::drain"),
            ("bank tests::drain", "tests::drain"),
            ("twice", "tests::drain_twice"),
            ("pour", "tests::pour"),
        ] {
            assert_eq!(chosen(all(), wanted).unwrap().path, path, "{wanted}");
        }
        let several = chosen(all(), "drain").unwrap_err();
        assert_eq!(several.exit_code(), ExitCode::Usage);
        assert!(
            several.to_string().contains("`bank tests::drain_twice`"),
            "{several}"
        );
        for (models, wanted) in [(all(), "fill"), (models(&[]), "drain")] {
            let none = chosen(models, wanted).unwrap_err();
            assert_eq!(none.exit_code(), ExitCode::NothingToRun);
        }
    }
}
