//! `cargo gordian replay`: runs the interleaving of a finding again.
//!
//! Knows where tokens come from and whose they are. Does not know what a token says (the library
//! does), nor how a finding looks.

mod regression;
mod scenario;
mod steps;
mod tokens;

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use gordian::private::{DEFAULT, shell_word};
use gordian::report::{Finding, Verdict};
use gordian::{ReplayToken, Report};

use crate::args::{BuildArgs, ReplayArgs};
use crate::cargo::{self, Project};
use crate::config::Chosen;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::models::{self, Model};
use crate::outcome::Outcome;
use crate::output::{Event, Output};
use crate::process::Interrupt;
use crate::run::{Start, run_model};
use tokens::{Found, is_token, tokens, traces};

pub(crate) use scenario::of_command_line as replay_scenario;

/// No report of this program is as long; what a device gives may have no end.
const BYTES_MAX: u64 = 256 << 20;

/// Findings of a file that are listed.
const LISTED_MAX: usize = 20;

/// The whole subcommand.
///
/// # Errors
/// When there is no token, no model that it fits, or nothing to write a test for.
pub(crate) fn replay(args: &ReplayArgs, output: &mut Output) -> Result<ExitCode, Error> {
    let interrupt = Interrupt::on_signals().map_err(Error::internal("signals"))?;
    let wish = Wish {
        source: args.source.trim(),
        finding: args.finding.as_deref(),
        file: None,
    };
    let found = chosen(&wish, args.view.quiet, output)?;
    if let Some(file) = &found.scenario {
        return scenario::of_a_file(args, file, &found, output);
    }
    // Before anything is built for it.
    let _: ReplayToken = found.token.parse().map_err(unusable)?;
    let build = of_package(&args.build, found.package.as_deref());
    let project = Project::find(&build).map_err(|error| match (error, is_token(wish.source)) {
        (Error::Usage(message), true) => Error::Usage(format!(
            "{message}; the token of a scenario goes with its file: `cargo gordian scenario check \
             FILE --replay TOKEN`"
        )),
        (error, _) => error,
    })?;
    let binaries = cargo::build(&build, args.view, &project, &interrupt)?;
    let models = models::discover(binaries, &args.filters, &[])?;
    let models = of_this_name(models, &found);
    if models.is_empty() {
        return Err(Error::NothingToRun(nothing(args, &found)));
    }
    let chosen = Chosen::of(&args.config, Some(&project.root()))?;
    let below = chosen.searching().named().into_iter();
    let mut settings: Vec<_> = below
        .map(|(name, value)| (format!("{DEFAULT}{name}"), value))
        .collect();
    settings.push(("GORDIAN_REPLAY".to_owned(), found.token.clone()));
    let task = Task {
        models: &models,
        found: &found,
        settings,
        interrupt: &interrupt,
    };
    let outcome = replayed(&task, &project, output)?;
    let root = project.root();
    let finding = wanted(&outcome, &found);
    match finding {
        Some(finding) if args.emit_test => {
            let text = regression::regression_test(&outcome.model.path, finding);
            output.event(&Event::Text(&text));
            return Ok(ExitCode::Clean);
        }
        None if args.emit_test => {
            let message = "the token leads to no finding any more: there is nothing to test for";
            return Err(Error::Usage(message.to_owned()));
        }
        Some(finding) if args.step => {
            let stdin = io::stdin();
            let interactive = stdin.is_terminal() && io::stdout().is_terminal();
            steps::walk(finding, &root, stdin.lock(), interactive, output)?;
        }
        _ => {}
    }
    output.event(&Event::Replayed {
        outcome: &outcome,
        root: &root,
        command: wish.command().as_deref(),
    });
    Ok(match (&outcome.report, finding) {
        (_, Some(_)) | (None, _) => ExitCode::Findings,
        (Some(report), None) if report.verdict == Verdict::Error => ExitCode::Usage,
        _ => ExitCode::Clean,
    })
}

/// What the command line says of the finding that is meant.
struct Wish<'a> {
    /// A token, or where there is one.
    source: &'a str,
    /// Which of several.
    finding: Option<&'a str>,
    /// The scenario file that it is of.
    file: Option<&'a str>,
}

impl Wish<'_> {
    /// The command that says the same again, if that is shorter than the token itself.
    fn command(&self) -> Option<String> {
        if is_token(self.source) || self.source == "-" {
            return None;
        }
        let finding = self
            .finding
            .map(|which| format!(" --finding {}", shell_word(which)));
        let source = shell_word(self.source);
        Some(match self.file {
            Some(file) => format!(
                "cargo gordian scenario check {} --replay {source}",
                shell_word(file)
            ),
            None => format!(
                "cargo gordian replay {source}{}",
                finding.unwrap_or_default()
            ),
        })
    }
}

fn unusable(error: gordian::ConfigError) -> Error {
    Error::Usage(format!(
        "{error}; run `cargo gordian test` again for a token of this version"
    ))
}

/// The token that the command line means.
fn chosen(wish: &Wish<'_>, quiet: bool, output: &mut Output) -> Result<Found, Error> {
    let source = wish.source;
    if is_token(source) {
        return Ok(Found {
            token: source.to_owned(),
            ..Found::default()
        });
    }
    let mut all = all_of(&text(source)?);
    if let Some(file) = wish.file.filter(|file| *file != "-") {
        // A run may be of many files; one that says nothing may be of this one.
        let name = |file: &str| Path::new(file).file_name().map(ToOwned::to_owned);
        all.retain(|one| {
            one.scenario
                .as_deref()
                .is_none_or(|its| name(its) == name(file))
        });
    }
    if all.is_empty() {
        let of = wish
            .file
            .map_or(String::new(), |file| format!(" of `{file}`"));
        return Err(Error::Usage(format!(
            "there is no replay token{of} in `{source}`: a token begins with `g2:`, and stands in \
             traces and in events.jsonl, which a run leaves in target/gordian"
        )));
    }
    let number = match wish.finding {
        None => 0,
        Some(which) => numbered(&all, which).ok_or_else(|| {
            let message = format!("no finding is `{which}`; there are\n{}", listed(&all));
            Error::Usage(message.trim_end().to_owned())
        })?,
    };
    if all.len() > 1 && wish.finding.is_none() && !quiet {
        output.event(&Event::Status {
            verb: "Found",
            text: &format!(
                "{} findings, of which this is the first; `--finding` chooses another\n{}",
                all.len(),
                listed(&all).trim_end(),
            ),
        });
    }
    Ok(all[number].clone())
}

/// The tokens of a text, and of the traces whose replay it tells of.
fn all_of(text: &str) -> Vec<Found> {
    let mut all = tokens(text);
    for path in traces(text) {
        // One that is gone is none of this text's.
        let more = fs::read_to_string(path).map_or_else(|_| Vec::new(), |text| tokens(&text));
        for one in more {
            if !all.iter().any(|other| other.token == one.token) {
                all.push(one);
            }
        }
    }
    all
}

/// The place of a finding by its number, its code, or how its fingerprint begins.
fn numbered(all: &[Found], which: &str) -> Option<usize> {
    if let Ok(number) = which.parse::<usize>()
        && (1..=all.len()).contains(&number)
    {
        return Some(number - 1);
    }
    let is_it = |one: &Found| {
        let begins = |print: &String| which.len() >= 4 && print.starts_with(which);
        one.code.as_deref() == Some(which) || one.fingerprint.as_ref().is_some_and(begins)
    };
    all.iter().position(is_it)
}

/// The findings of a file, a line each.
fn listed(all: &[Found]) -> String {
    let line = |(number, one): (usize, &Found)| {
        let known = [&one.model, &one.code, &one.fingerprint];
        let words: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
        format!("{:>12} {}\n", number + 1, words.join(" · "))
    };
    let lines = all.iter().enumerate().take(LISTED_MAX).map(line);
    let mut text: String = lines.collect();
    if let Some(more @ 1..) = all.len().checked_sub(LISTED_MAX) {
        text += &format!("{:>12} {more} more\n", "…");
    }
    text
}

/// The text of a file, or of stdin.
fn text(source: &str) -> Result<String, Error> {
    let read = |stream: &mut dyn Read| {
        let mut bytes = Vec::new();
        stream.take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text: io::Result<String> = match source {
        "-" => read(&mut io::stdin().lock()),
        path => fs::File::open(path).and_then(|mut file| read(&mut file)),
    };
    text.map_err(|error| {
        Error::Usage(format!(
            "`{source}` is neither a replay token (g2:…) nor a file that can be read: {error}"
        ))
    })
}

/// What is to be built: only the package that the file names, unless the command line says.
fn of_package(args: &BuildArgs, package: Option<&str>) -> BuildArgs {
    let mut args = args.clone();
    let workspace = &mut args.workspace;
    let is_said = workspace.workspace || workspace.all || !workspace.package.is_empty();
    if !is_said && workspace.exclude.is_empty() {
        workspace.package.extend(package.map(str::to_owned));
    }
    args
}

/// The model that the file names, or all.
fn of_this_name(models: Vec<Model>, found: &Found) -> Vec<Model> {
    let is_it = |model: &Model| {
        let name = found.model.as_ref();
        let package = found.package.as_ref();
        name.is_none_or(|name| *name == model.path)
            && package.is_none_or(|package| *package == model.binary.package)
    };
    models.into_iter().filter(is_it).collect()
}

fn nothing(args: &ReplayArgs, found: &Found) -> String {
    match (&found.model, args.filters.is_empty()) {
        (Some(model), true) => format!("the token is of `{model}`, and no model has that name"),
        (_, true) => "no model was built (a scenario's token: `cargo gordian scenario check FILE \
                      --replay TOKEN`): a model is a test under `#[gordian::test]`"
            .to_owned(),
        (_, false) => format!("no model matches `{}`", args.filters.join(" ")),
    }
}

/// Runs the token with each model until one comes to a finding. A token does not say which model
/// it is of, but fits hardly any other.
fn replayed(task: &Task<'_>, project: &Project, output: &mut Output) -> Result<Outcome, Error> {
    let Task {
        models,
        found,
        interrupt,
        ..
    } = task;
    let directory = project.output_directory();
    fs::create_dir_all(&directory).map_err(Error::internal(directory.display()))?;
    let report = directory.join("replay.json");
    let mut best: Option<Outcome> = None;
    for model in *models {
        if interrupt.is_raised() {
            return Err(Error::Interrupted);
        }
        output.event(&Event::Status {
            verb: "Replaying",
            text: &model.title(),
        });
        let outcome = run_once(model, &report, task)?;
        let is_there = wanted(&outcome, found).is_some();
        if is_there || best.as_ref().is_none_or(|best| rank(&outcome) < rank(best)) {
            best = Some(outcome);
        }
        if is_there {
            break;
        }
    }
    let _ = fs::remove_file(&report);
    let best = best.expect("there is a model");
    if models.len() > 1
        && best
            .report
            .as_ref()
            .is_some_and(|it| it.verdict == Verdict::Error)
    {
        return Err(Error::Usage(format!(
            "the token fits none of {} models: name its model, or the model has changed too much",
            models.len()
        )));
    }
    Ok(best)
}

/// What is replayed.
struct Task<'a> {
    models: &'a [Model],
    found: &'a Found,
    /// What the checkers read, the token among it.
    settings: Vec<(String, String)>,
    interrupt: &'a Interrupt,
}

fn run_once(model: &Model, report: &Path, task: &Task<'_>) -> Result<Outcome, Error> {
    // What an earlier replay left is not this one's.
    let _ = fs::remove_file(report);
    let start = Start {
        report,
        settings: &task.settings,
        time_max: None,
        interrupt: task.interrupt,
        progress: None,
    };
    let run = run_model(model, &start)?;
    Ok(Outcome::of(model.clone(), run))
}

/// How well a token fits, best first.
fn rank(outcome: &Outcome) -> u8 {
    match &outcome.report {
        Some(report) if !report.findings.is_empty() => 0,
        None => 1,
        Some(report) if report.verdict != Verdict::Error => 2,
        Some(_) => 3,
    }
}

/// The finding that the token is of, or else the first one that it leads to.
fn wanted<'a>(outcome: &'a Outcome, found: &Found) -> Option<&'a Finding> {
    among(outcome.report.as_ref()?, found)
}

fn among<'a>(report: &'a Report, found: &Found) -> Option<&'a Finding> {
    // What a token meets that does not fit is not what it is of.
    let findings = match report.verdict {
        Verdict::Error => &[],
        _ => report.findings.as_slice(),
    };
    let code = found.code.as_deref();
    let same = findings.iter().find(|one| Some(one.code.as_str()) == code);
    same.or(findings.first())
}
