//! Lines for people: results as they come, a table, and every failure explained.
//!
//! Knows cargo's manners: status on stderr behind a verb of 12 columns, data on stdout. Does not
//! know how a finding is put into words: [`gordian::Report::explain`] does.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use gordian::Report;
use gordian::report::{Finding, RESTS_ON, Verdict, Worth, grouped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::canvas::Canvas;
use super::prose;
use super::source::{Sources, picture, picture_of_scenario, refusal};
use super::steps::page;
use super::table::table;
use super::words::{counted, counts, pace, phrase, quiet_locks, seconds, verb};
use super::{Event, Renderer, gate, scenario};
use crate::args::View;
use crate::error::Error;
use crate::foreign::Foreign;
use crate::gate::Judgement;
use crate::models::Model;
use crate::outcome::scenario::{Checked, Checks, Findings, Refusal, Status as CheckStatus};
use crate::outcome::{Outcome, Status, Summary};
use crate::report::Kept;

const VERB: Style = AnsiColor::Green.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HAZARD: Style = AnsiColor::Yellow.on_default().bold();
/// Drawn so often in a second at most.
const PROGRESS_HERTZ: u8 = 10;
/// Lines shown of what a crashed model wrote last.
const LAST_LINES: usize = 12;

/// Writes for people.
pub(super) struct Human {
    quiet: bool,
    verbose: bool,
    /// Whether what is printed here is read elsewhere, where the files of the run are not.
    is_ci: bool,
    canvas: Canvas,
    progress: ProgressBar,
    running: Vec<String>,
}

impl Human {
    /// As the command line wants it.
    pub(super) fn new(view: &View) -> Self {
        Human {
            quiet: view.much.quiet,
            verbose: view.much.verbose > 0,
            is_ci: std::env::var_os("CI").is_some(),
            canvas: Canvas::of(&view.drawing),
            progress: ProgressBar::hidden(),
            running: Vec::new(),
        }
    }

    /// Writes to stderr while the progress bar is out of the way.
    fn status(&self, verb: &str, style: Style, text: &str) -> io::Result<()> {
        let text = self.canvas.signs(text);
        self.progress.suspend(|| {
            writeln!(
                anstream::stderr().lock(),
                "{style}{verb:>12}{style:#} {text}"
            )
        })
    }

    fn started(&mut self, models: &[Model], workers: usize) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        let mut labels: Vec<_> = models.iter().map(|model| &model.binary.label).collect();
        labels.dedup();
        let count = models.iter().filter(|model| !model.ignored).count();
        let text = format!(
            "{} in {}, {workers} at a time",
            counted(count, "model"),
            counted_in(labels.len()),
        );
        self.status("Exploring", VERB, &text)?;
        self.begin_progress(count)
    }

    fn begin_progress(&mut self, count: usize) -> io::Result<()> {
        if self.is_watched() {
            let target = ProgressDrawTarget::stderr_with_hz(PROGRESS_HERTZ);
            self.progress = ProgressBar::with_draw_target(Some(count as u64), target);
            // What draws it does not know of `--color`.
            let prefix = match anstream::AutoStream::choice(&io::stderr()) {
                anstream::ColorChoice::Never => "{prefix:>12}",
                _ => "{prefix:>12.cyan.bold}",
            };
            let style = format!("{prefix} [{{bar:10}}] {{pos}}/{{len}} {{elapsed}} {{wide_msg}}");
            let style = ProgressStyle::with_template(&style).map_err(io::Error::other)?;
            self.progress.set_style(style.progress_chars("=> "));
            self.progress.set_prefix("Exploring");
            self.progress
                .enable_steady_tick(std::time::Duration::from_millis(500));
        }
        Ok(())
    }

    fn ended(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.running.retain(|title| *title != outcome.model.title());
        self.progress.set_message(self.running.join(", "));
        self.progress.inc(1);
        if !self.quiet {
            let (word, style) = verb(outcome.status);
            self.status(word, style, &line(outcome))?;
        }
        if self.verbose && !outcome.printed.is_empty() {
            self.progress.suspend(|| {
                let mut stderr = anstream::stderr().lock();
                outcome
                    .printed
                    .iter()
                    .try_for_each(|line| writeln!(stderr, "    {line}"))
            })?;
        }
        Ok(())
    }

    fn finished(&mut self, summary: &Summary, kept: Option<&Kept>) -> io::Result<()> {
        self.progress.finish_and_clear();
        {
            if !self.quiet {
                writeln!(anstream::stderr().lock())?;
            }
            let mut stdout = anstream::stdout().lock();
            write!(stdout, "{}", self.canvas.signs(&table(summary)))?;
            for outcome in summary
                .outcomes
                .iter()
                .filter(|outcome| is_bad(outcome.status) || has_hazard(outcome))
            {
                self.explain(&mut stdout, outcome, &summary.root, kept)?;
            }
            writeln!(stdout)?;
            stdout.flush()?;
        }
        let text = format!(
            "[{}] {}: {} · {}",
            seconds(summary.time.as_secs_f64()),
            counted(summary.outcomes.len(), "model"),
            counts(summary),
            interleavings(summary.interleavings()),
        );
        self.status("Summary", VERB, &text)?;
        for outcome in summary
            .outcomes
            .iter()
            .filter(|outcome| is_bad(outcome.status))
        {
            let (word, style) = verb(outcome.status);
            self.status(word, style, &line(outcome))?;
        }
        for outcome in &summary.outcomes {
            if let Some(why) = proves_little(outcome) {
                let text = format!("{} {why}", outcome.model.title());
                self.status("Warning", HAZARD, &text)?;
            }
        }
        let mut reports = summary
            .outcomes
            .iter()
            .filter_map(|one| one.report.as_ref());
        self.rests_on(reports.any(|report| report.worth() == Worth::Proved))?;
        if summary.interrupted {
            self.status("Interrupted", HAZARD, "what was not run is not proved")?;
        }
        Ok(())
    }

    /// What a proof rests on, below every summary that speaks of one.
    fn rests_on(&self, is_proof: bool) -> io::Result<()> {
        match is_proof {
            true => self.status("Proof", VERB, &format!("rests on {RESTS_ON}")),
            false => Ok(()),
        }
    }

    fn checking(&mut self, files: usize, workers: usize) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        let text = format!("{}, {workers} at a time", counted(files, "scenario"));
        self.status("Exploring", VERB, &text)?;
        self.begin_progress(files)
    }

    fn checked(&mut self, result: &Checked) -> io::Result<()> {
        self.progress.inc(1);
        if let Err(refusal) = &result.findings {
            self.refused(refusal)?;
        }
        if !self.quiet {
            let (word, style) = scenario::word(result.status());
            self.status(word, style, &scenario::line(result))?;
        }
        Ok(())
    }

    fn all_checked(&mut self, checks: &Checks, kept: Option<&Kept>) -> io::Result<()> {
        self.progress.finish_and_clear();
        if !self.quiet {
            writeln!(anstream::stderr().lock())?;
        }
        let bad = |result: &&Checked| result.status() != CheckStatus::Passed;
        let mut stdout = anstream::stdout().lock();
        write!(stdout, "{}", self.canvas.signs(&scenario::table(checks)))?;
        for result in checks.results.iter().filter(bad) {
            self.explain_scenario(&mut stdout, result, kept)?;
        }
        writeln!(stdout)?;
        stdout.flush()?;
        drop(stdout);
        let text = format!(
            "[{}] {}: {} · {}",
            seconds(checks.time.as_secs_f64()),
            counted(checks.results.len(), "scenario"),
            scenario::counts(checks),
            interleavings(checks.interleavings()),
        );
        self.status("Summary", VERB, &text)?;
        for result in checks.results.iter().filter(bad) {
            let (word, style) = scenario::word(result.status());
            self.status(word, style, &scenario::line(result))?;
        }
        let mut found = checks
            .results
            .iter()
            .filter_map(|one| one.findings.as_ref().ok());
        self.rests_on(found.any(|its| its.report.worth() == Worth::Proved))?;
        for result in &checks.results {
            for remark in scenario::unreached(result) {
                self.status("Warning", HAZARD, &remark)?;
            }
        }
        Ok(())
    }

    /// The findings that fail, each explained, and the verdict.
    fn judged(&mut self, judgement: &Judgement, kept: Option<&Kept>) -> io::Result<()> {
        self.progress.finish_and_clear();
        if !self.quiet {
            writeln!(anstream::stderr().lock())?;
        }
        let mut stdout = anstream::stdout().lock();
        for (at, entry) in judgement.results.models.iter().enumerate() {
            let failing = judgement.failing.iter().filter(|one| one.0 == at);
            let failing: Vec<usize> = failing.map(|one| one.1).collect();
            let Some(report) = entry.report.as_ref().filter(|_| !failing.is_empty()) else {
                continue;
            };
            writeln!(stdout, "{ERROR}FAIL{ERROR:#} {}", entry.title())?;
            let mut report = report.clone();
            let mut numbers = 0..;
            // Those that are let through are named below the rules.
            report.findings.retain(|_| {
                numbers
                    .next()
                    .is_some_and(|number| failing.contains(&number))
            });
            let root = &judgement.root;
            let picture = |finding: &Finding| picture(root, finding, self.canvas);
            let command = |finding: &Finding| self.command(kept, &report, finding);
            self.show(&mut stdout, &report, picture, command)?;
            writeln!(stdout)?;
        }
        for line in gate::table(judgement).lines() {
            writeln!(stdout, "{}", self.canvas.signs(line))?;
        }
        writeln!(stdout)?;
        stdout.flush()?;
        drop(stdout);
        let (word, style, text) = gate::verdict(judgement);
        self.status(word, style, &text)
    }

    /// Why a scenario did not pass; one that was refused has been explained on stderr.
    fn explain_scenario(
        &self,
        stdout: &mut impl Write,
        result: &Checked,
        kept: Option<&Kept>,
    ) -> io::Result<()> {
        let Ok(findings) = &result.findings else {
            return Ok(());
        };
        let (word, style) = scenario::word(result.status());
        writeln!(stdout, "\n{style}{word}{style:#} {}", result.file)?;
        if result.status() == CheckStatus::Failed {
            let failure = scenario::failure(findings);
            writeln!(stdout, "{ERROR}error{ERROR:#}: {failure}")?;
        }
        if let Some(defect) = &findings.defect {
            writeln!(
                stdout,
                "{ERROR}error{ERROR:#}: a defect of gordian shows: {defect}"
            )?;
        }
        let command = |finding: &Finding| self.command(kept, &findings.report, finding);
        self.show_scenario(stdout, findings, command)
    }

    fn show_scenario(
        &self,
        stdout: &mut impl Write,
        findings: &Findings,
        command: impl Fn(&Finding) -> Option<String>,
    ) -> io::Result<()> {
        let picture =
            |finding: &Finding| picture_of_scenario(&findings.source, finding, self.canvas);
        self.show(stdout, &findings.report, picture, command)
    }

    /// The short command that replays a finding, where the files that it reads are.
    fn command(&self, kept: Option<&Kept>, report: &Report, finding: &Finding) -> Option<String> {
        kept.filter(|_| !self.is_ci)?.how_to_replay(report, finding)
    }

    /// Why a model did not pass.
    fn explain(
        &self,
        stdout: &mut impl Write,
        outcome: &Outcome,
        root: &Path,
        kept: Option<&Kept>,
    ) -> io::Result<()> {
        let (word, style) = verb(outcome.status);
        writeln!(stdout, "\n{style}{word}{style:#} {}", outcome.model.title())?;
        let report = outcome.report.as_ref();
        let command = |finding: &Finding| self.command(kept, report?, finding);
        self.reasons(stdout, outcome, root, command)
    }

    /// What a replay came to.
    fn replayed(
        &self,
        stdout: &mut impl Write,
        outcome: &Outcome,
        root: &Path,
        command: Option<&str>,
    ) -> io::Result<()> {
        let (word, style) = found_again(outcome.report.as_ref());
        writeln!(stdout, "{style}{word}{style:#} {}", outcome.model.title())?;
        self.reasons(stdout, outcome, root, |_| command.map(str::to_owned))?;
        stdout.flush()
    }

    /// What a replay of a scenario came to.
    fn replayed_scenario(
        &self,
        stdout: &mut impl Write,
        result: &Checked,
        command: Option<&str>,
    ) -> io::Result<()> {
        let Ok(findings) = &result.findings else {
            return Ok(());
        };
        let (word, style) = found_again(Some(&findings.report));
        writeln!(stdout, "{style}{word}{style:#} {}", result.file)?;
        self.show_scenario(stdout, findings, |_| command.map(str::to_owned))?;
        stdout.flush()
    }

    /// What a recorded run could have come to.
    fn predicted(&self, stdout: &mut impl Write, report: &Report, source: &str) -> io::Result<()> {
        let (word, style) = match report.verdict {
            Verdict::Found => ("PREDICTED", ERROR),
            Verdict::Incomplete => ("INCOMPLETE", HAZARD),
            _ => ("CLEAN", VERB),
        };
        writeln!(stdout, "{style}{word}{style:#} {}", report.model)?;
        let picture = |finding: &Finding| picture_of_scenario(source, finding, self.canvas);
        self.show(stdout, report, picture, |_| None)?;
        stdout.flush()
    }

    fn reasons(
        &self,
        stdout: &mut impl Write,
        outcome: &Outcome,
        root: &Path,
        command: impl Fn(&Finding) -> Option<String>,
    ) -> io::Result<()> {
        if let Some(report) = &outcome.report {
            let picture = |finding: &Finding| picture(root, finding, self.canvas);
            self.show(stdout, report, picture, command)?;
        }
        for place in &outcome.foreign {
            let Foreign { file, line, path } = place;
            writeln!(stdout, "  not seen  {file}:{line}: `{path}`")?;
        }
        if let Some(remark) = &outcome.remark {
            writeln!(stdout, "{ERROR}error{ERROR:#}: {remark}")?;
            let from = outcome.printed.len().saturating_sub(LAST_LINES);
            for line in outcome.printed[from..]
                .iter()
                .filter(|line| !line.trim().is_empty())
            {
                writeln!(stdout, "  {line}")?;
            }
        }
        Ok(())
    }

    /// A report as it is wanted: drawn, or in sentences.
    fn show(
        &self,
        stdout: &mut impl Write,
        report: &Report,
        picture: impl Fn(&Finding) -> Option<String>,
        command: impl Fn(&Finding) -> Option<String>,
    ) -> io::Result<()> {
        if self.canvas.prose {
            let text = prose::report(report, command);
            return write!(stdout, "{}", self.canvas.signs(&text));
        }
        let text = report.explain_replayed_by(self.canvas.columns, picture, command);
        for line in text.lines() {
            writeln!(stdout, "{}", painted(&self.canvas.signs(line)))?;
        }
        Ok(())
    }

    fn refused(&self, it: &Refusal) -> io::Result<()> {
        let text = refusal(it, self.canvas);
        self.progress
            .suspend(|| writeln!(anstream::stderr().lock(), "{}\n", text.trim_end()))
    }

    fn failed(&mut self, error: &Error) -> io::Result<()> {
        self.progress.finish_and_clear();
        writeln!(anstream::stderr().lock(), "{ERROR}error{ERROR:#}: {error}")
    }
}

impl Renderer for Human {
    fn is_watched(&self) -> bool {
        !self.quiet && !self.is_ci && io::stderr().is_terminal()
    }

    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match event {
            Event::Started { models, workers } => self.started(models, *workers),
            Event::Running(model) => {
                self.running.push(model.title());
                self.progress.set_message(self.running.join(", "));
                Ok(())
            }
            Event::Slow { .. } if self.quiet => Ok(()),
            Event::Slow { model, time } => {
                let text = format!("[>{}s] {} · still exploring", time.as_secs(), model.title());
                self.status("SLOW", HAZARD, &text)
            }
            Event::Progress {
                executions,
                running,
                time_max,
            } => {
                let message = pace(*executions, running, *time_max);
                self.progress.set_message(self.canvas.signs(&message));
                Ok(())
            }
            Event::Ended(outcome) => self.ended(outcome),
            Event::Finished { summary, kept } => self.finished(summary, *kept),
            Event::Judged { judgement, kept } => self.judged(judgement, *kept),
            Event::Annotations(text) => write!(anstream::stderr().lock(), "{text}"),
            Event::Written(_) if self.quiet => Ok(()),
            Event::Written(path) => self.status("Report", VERB, &path.display().to_string()),
            Event::Checking { files, workers } => self.checking(*files, *workers),
            Event::Checked(result) => self.checked(result),
            Event::AllChecked { checks, kept } => self.all_checked(checks, *kept),
            Event::Refused(refusal) => self.refused(refusal),
            Event::Formatted(_) if self.quiet => Ok(()),
            Event::Formatted(file) => self.status("Formatted", VERB, file),
            Event::Untidy(file) => writeln!(anstream::stdout().lock(), "{file}"),
            Event::Text(text) => {
                let mut stdout = anstream::stdout().lock();
                write!(stdout, "{text}")?;
                stdout.flush()
            }
            Event::Replayed {
                outcome,
                root,
                command,
            } => self.replayed(&mut anstream::stdout().lock(), outcome, root, *command),
            Event::ReplayedScenario { result, command } => {
                self.replayed_scenario(&mut anstream::stdout().lock(), result, *command)
            }
            Event::Predicted { report, source } => {
                self.predicted(&mut anstream::stdout().lock(), report, source)
            }
            Event::Step { steps, at, root } => {
                let sources = Sources::below(root);
                let page = page(steps, *at, |file| sources.text(file));
                write!(anstream::stdout().lock(), "{page}")
            }
            Event::Warning(text) => self.status("Warning", HAZARD, text),
            Event::Status { .. } if self.quiet => Ok(()),
            Event::Status { verb, text } => self.status(verb, VERB, text),
            Event::Failed(error) => self.failed(error),
        }
    }
}

/// What a replay came to, in a word.
fn found_again(report: Option<&Report>) -> (&'static str, Style) {
    match report {
        Some(report) if report.verdict == Verdict::Error => ("NOT REPLAYED", HAZARD),
        Some(report) if !report.findings.is_empty() => ("FOUND AGAIN", ERROR),
        Some(report) if report.verdict == Verdict::Clean => ("GONE", VERB),
        _ => ("NOT REPLAYED", HAZARD),
    }
}

fn interleavings(count: u64) -> String {
    format!(
        "{} interleaving{}",
        grouped(count),
        if count == 1 { "" } else { "s" }
    )
}

fn counted_in(binaries: usize) -> String {
    if binaries == 1 {
        "1 test binary".to_owned()
    } else {
        format!("{binaries} test binaries")
    }
}

/// Whether a model is worth naming again at the end.
fn is_bad(status: Status) -> bool {
    !matches!(status, Status::Passed | Status::Ignored | Status::NotRun)
}

/// Whether a pass has something to say all the same: a hazard that nobody expects.
fn has_hazard(outcome: &Outcome) -> bool {
    let report = outcome.report.as_ref();
    outcome.status == Status::Passed
        && outcome.remark.is_none()
        && report.is_some_and(|report| report.expect.is_empty() && !report.findings.is_empty())
}

/// Why a pass says little, if it does: the threads never meet at any lock.
fn proves_little(outcome: &Outcome) -> Option<String> {
    let is_pass = outcome.status == Status::Passed && outcome.remark.is_none();
    let report = outcome.report.as_ref().filter(|_| is_pass)?;
    report.expect.is_empty().then(|| quiet_locks(report))?
}

/// `[0.021s] bank transfer · exhaustive: 24 interleavings, 2 threads`.
fn line(outcome: &Outcome) -> String {
    let time = match &outcome.report {
        Some(report) => report.search.seconds,
        None => outcome.time.as_secs_f64(),
    };
    let phrase = phrase(outcome);
    let dot = if phrase.is_empty() { "" } else { " · " };
    format!("[{}] {}{dot}{phrase}", seconds(time), outcome.model.title())
}

/// A line of an explanation in colour: its head, and the threads that wait.
fn painted(line: &str) -> String {
    for (head, style) in [
        ("error", ERROR),
        ("hazard", HAZARD),
        ("incomplete", HAZARD),
        ("vacuous", HAZARD),
    ] {
        if let Some((code, message)) = line.split_once(": ").filter(|_| line.starts_with(head)) {
            return format!("{style}{code}{style:#}: {message}");
        }
    }
    line.replace("BLOCKED", &format!("{ERROR}BLOCKED{ERROR:#}"))
}
