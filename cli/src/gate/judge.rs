//! The rules of the gate, and what each of them says of a run.
//!
//! Knows what a project's policy asks for, and which exit code a violation has. Does not run
//! anything and reads no clock. A finding that is let through, and the canary, are changed into
//! what they are for all reports: models that came out as they should.

use std::path::PathBuf;

use gordian::Report;
use gordian::report::{Finding, Severity, grouped};
use serde_json::{Value, json};

use super::Gathered;
use crate::args::Shard;
use crate::config::{Baseline, Canary, Day, Level, Policy};
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::outcome::Status;
use crate::output::json as format;
use crate::report::{Entry, Results};

/// What came of the gate.
pub(crate) struct Judgement {
    pub(crate) profile: String,
    /// All rules, in the order in which they are shown.
    pub(crate) rules: Vec<Rule>,
    /// The run, with what is let through marked as such.
    pub(crate) results: Results,
    /// The places of the findings that fail: of the model, and among its findings.
    pub(crate) failing: Vec<(usize, usize)>,
    /// The same for those that the baseline lets through, with its entry.
    pub(crate) let_through: Vec<(usize, usize, Baseline)>,
    pub(crate) scope: Scope,
    /// The lines that are kept.
    pub(crate) lines: String,
    /// The directory that places are relative to.
    pub(crate) root: PathBuf,
}

impl Judgement {
    /// What the baseline lets through: the model, its finding, and the entry that does so.
    pub(crate) fn known(&self) -> impl Iterator<Item = (&Entry, &Finding, &Baseline)> {
        self.let_through.iter().filter_map(|(at, index, known)| {
            let entry = self.results.models.get(*at)?;
            let finding = entry.report.as_ref()?.findings.get(*index)?;
            Some((entry, finding, known))
        })
    }
}

/// How much of the workspace was run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    /// Only a part, which is merged with others later.
    pub(crate) shard: Option<Shard>,
    /// Only what differs from this commit.
    pub(crate) changed: Option<String>,
    /// What was not run for that.
    pub(crate) left_out: Vec<String>,
}

impl Scope {
    /// Whether nothing can be said about what is not there.
    fn is_partial(&self) -> bool {
        self.shard.is_some() || self.changed.is_some()
    }
}

/// What a rule says of a run.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) verdict: Verdict,
    /// In one line.
    pub(crate) why: String,
    /// Where it does not hold: titles, and what is wrong with each.
    pub(crate) reasons: Vec<(String, String)>,
    /// How the program ends if it fails.
    code: ExitCode,
}

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// It does not, and need not.
    Warn,
    Fail,
    /// It is about a whole run, and this is none.
    NotJudged,
}

impl Verdict {
    /// What programs call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::NotJudged => "not-judged",
        }
    }
}

impl Judgement {
    /// Whether all rules hold.
    pub(crate) fn passed(&self) -> bool {
        self.rules.iter().all(|rule| rule.verdict != Verdict::Fail)
    }

    /// How the program ends: the worst of the rules that do not hold.
    pub(crate) fn exit_code(&self) -> ExitCode {
        worst(&self.rules)
    }
}

fn worst(rules: &[Rule]) -> ExitCode {
    let order = [
        ExitCode::Internal,
        ExitCode::Usage,
        ExitCode::Findings,
        ExitCode::NothingToRun,
        ExitCode::Incomplete,
    ];
    let fails = |code: &ExitCode| {
        let mut failing = rules.iter().filter(|rule| rule.verdict == Verdict::Fail);
        failing.any(|rule| rule.code == *code)
    };
    order.into_iter().find(fails).unwrap_or(ExitCode::Clean)
}

/// What became of a finding.
enum Fate<'a> {
    /// The model says that it must be there.
    Expected,
    /// The policy does not mind.
    Allowed,
    /// In the baseline, on a day on which that holds.
    LetThrough(&'a Baseline),
    /// In the baseline, but not any more.
    Expired(&'a Baseline),
    Fails,
}

/// A run, looked at model by model.
struct Court<'a> {
    policy: &'a Policy,
    today: Day,
    entries: &'a [Entry],
}

/// Judges a run.
///
/// # Errors
/// When a line of it cannot be read, which is a defect of this program.
pub(super) fn judge(
    gathered: Gathered,
    policy: &Policy,
    today: Day,
    root: PathBuf,
) -> Result<Judgement, Error> {
    let unreadable = || Error::internal("the lines of the run");
    let mut lines = gathered.lines;
    let results = Results::read(&text(&lines)).map_err(unreadable())?;
    let court = Court {
        policy,
        today,
        entries: &results.models,
    };
    let (scope, interrupted) = (gathered.scope, gathered.interrupted);
    let (mut failing, mut let_through) = (Vec::new(), Vec::new());
    for (at, entry) in court.others() {
        for (index, finding) in findings(entry).enumerate() {
            match court.fate(entry, finding) {
                Fate::Fails | Fate::Expired(_) => failing.push((at, index)),
                Fate::LetThrough(known) => let_through.push((at, index, known.clone())),
                Fate::Expected | Fate::Allowed => {}
            }
        }
    }
    let is_partial = scope.is_partial() || interrupted;
    let rules = vec![
        court.findings(&failing, &let_through),
        court.checks(),
        court.incomplete(),
        court.vacuous(is_partial),
        court.minimum(&scope),
        court.baseline(is_partial),
        court.canary(&scope),
    ];
    for (at, entry) in court.others() {
        let known = |one: &&(usize, usize, Baseline)| one.0 == at;
        let known: Vec<&Baseline> = let_through.iter().filter(known).map(|one| &one.2).collect();
        mark(
            &mut lines[at],
            entry,
            &known,
            court.own_failure(entry),
            &failing,
            at,
            policy.vacuous_models.contains(&entry.title()),
        );
    }
    let mut results = Results::read(&text(&lines)).map_err(unreadable())?;
    let exit_code = worst(&rules);
    lines.push(verdict_line(policy, &scope, &rules, exit_code));
    lines.push(summary_line(
        &results,
        gathered.time.as_secs_f64(),
        interrupted,
        exit_code,
    ));
    results.seconds = gathered.time.as_secs_f64();
    results.interrupted = interrupted;
    results.exit_code = exit_code as u8;
    Ok(Judgement {
        profile: policy.profile.clone(),
        rules,
        results,
        failing,
        let_through,
        scope,
        lines: text(&lines),
        root,
    })
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn findings(entry: &Entry) -> impl Iterator<Item = &Finding> {
    entry.report.iter().flat_map(|report| &report.findings)
}

/// Changes the line of a model whose only failures are let through into one of a model that
/// passed, and says of each finding why.
fn mark(
    line: &mut Value,
    entry: &Entry,
    known: &[&Baseline],
    own_failure: Option<String>,
    failing: &[(usize, usize)],
    at: usize,
    is_known_empty: bool,
) {
    if !known.is_empty() {
        let accepted = known.iter().map(|known| {
            json!({
                "fingerprint": known.fingerprint,
                "reason": known.reason,
                "expires": known.expires.to_string(),
            })
        });
        line["accepted"] = accepted.collect();
    }
    let fails = own_failure.is_some() || failing.iter().any(|one| one.0 == at);
    if entry.status == Status::Vacuous && is_known_empty {
        line["status"] = Status::Passed.name().into();
        line["remark"] = "it is named in vacuous_models".into();
    }
    if entry.status == Status::Failed && !fails {
        line["status"] = Status::Passed.name().into();
        let remark = match known {
            [] => "the policy allows what was found".to_owned(),
            [one] => format!("let through until {}: {}", one.expires, one.reason),
            several => format!("{} findings are let through by the baseline", several.len()),
        };
        line["remark"] = remark.into();
    }
}

/// `3 models`.
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number as u64))
}

impl Court<'_> {
    /// All but the canary, with their places.
    fn others(&self) -> impl Iterator<Item = (usize, &Entry)> {
        let all = self.entries.iter().enumerate();
        all.filter(|(_, entry)| !self.is_canary(entry))
    }

    /// Those that were to be run, the canary aside.
    fn counted(&self) -> impl Iterator<Item = &Entry> {
        let others = self.others().map(|(_, entry)| entry);
        others.filter(|entry| entry.status != Status::Ignored)
    }

    fn is_canary(&self, entry: &Entry) -> bool {
        matches!(&self.policy.canary, Some(Canary::Model(title)) if *title == entry.title())
    }

    /// The entry of the baseline for a finding, if there is one.
    fn known(&self, entry: &Entry, finding: &Finding) -> Option<&Baseline> {
        let all = self.policy.baseline.iter();
        let mut same = all.filter(|known| is_about(known, entry, finding));
        // One that names the model says more than one that does not.
        let first = same.next();
        first
            .into_iter()
            .chain(same)
            .max_by_key(|known| known.model.is_some())
    }

    fn fate(&self, entry: &Entry, finding: &Finding) -> Fate<'_> {
        // Of a test that panics and should, its own answer counts.
        if entry.expects(finding) || is_settled(entry) {
            return Fate::Expected;
        }
        if !self.policy.fails(finding) {
            return Fate::Allowed;
        }
        match self.known(entry, finding) {
            Some(known) if self.today <= known.expires => Fate::LetThrough(known),
            Some(known) => Fate::Expired(known),
            None => Fate::Fails,
        }
    }

    fn findings(
        &self,
        failing: &[(usize, usize)],
        let_through: &[(usize, usize, Baseline)],
    ) -> Rule {
        let mut reasons = Vec::new();
        for &(at, index) in failing {
            let entry = &self.entries[at];
            if let Some(finding) = findings(entry).nth(index) {
                let expired = match self.fate(entry, finding) {
                    Fate::Expired(known) => format!(" (let through until {})", known.expires),
                    _ => String::new(),
                };
                let text = format!("{}: {}{expired}", finding.code, finding.message);
                reasons.push((entry.title(), text));
            }
        }
        let all = self.others().flat_map(|(_, entry)| {
            let findings = findings(entry);
            findings.map(move |finding| self.fate(entry, finding))
        });
        let (mut expected, mut allowed) = (0, 0);
        for fate in all {
            match fate {
                Fate::Expected => expected += 1,
                Fate::Allowed => allowed += 1,
                _ => {}
            }
        }
        let mut why = match failing.len() {
            0 => "none that fails".to_owned(),
            number => format!(
                "{} that fail{}",
                count(number, "finding"),
                if number == 1 { "s" } else { "" }
            ),
        };
        if !let_through.is_empty() {
            let last = let_through.iter().map(|(_, _, known)| known.expires).min();
            let last = last.map_or_else(String::new, |day| format!(" until {day}"));
            why += &format!("; {} let through by the baseline{last}", let_through.len());
        }
        for (number, words) in [(expected, "expected"), (allowed, "allowed")] {
            if number > 0 {
                why += &format!("; {number} {words}");
            }
        }
        rule("findings", reasons, why, Level::Fail, ExitCode::Findings)
    }

    /// What is wrong with a model apart from findings and from how far its search came.
    fn own_failure(&self, entry: &Entry) -> Option<String> {
        let remark = || entry.remark.clone();
        match entry.status {
            Status::Passed
            | Status::Incomplete
            | Status::Vacuous
            | Status::Ignored
            | Status::NotRun => None,
            Status::Crashed => Some(remark().unwrap_or_else(|| "the process died".to_owned())),
            Status::Error => {
                let error = entry
                    .report
                    .as_ref()
                    .and_then(|report| report.error.clone());
                let why = remark().or(error);
                Some(why.unwrap_or_else(|| "the check could not be carried out".to_owned()))
            }
            Status::Failed => {
                if let Some(remark) = remark() {
                    return Some(remark);
                }
                let report = entry.report.as_ref()?;
                let missing = report.expect.iter().filter(|code| !report.has(**code));
                let missing: Vec<_> = missing.map(|code| code.as_str()).collect();
                if !missing.is_empty() {
                    return Some(format!("{} expected, not found", missing.join(", ")));
                }
                // Then the findings are the failure, unless there are none.
                let unexpected = |finding: &Finding| {
                    finding.severity == Severity::Error && !entry.expects(finding)
                };
                let is_found = report.findings.iter().any(unexpected);
                (!is_found).then(|| "the test failed".to_owned())
            }
        }
    }

    fn checks(&self) -> Rule {
        let mut code = ExitCode::Findings;
        let mut reasons = Vec::new();
        for (_, entry) in self.others() {
            if let Some(text) = self.own_failure(entry) {
                code = match (entry.status, code) {
                    _ if entry.defect => ExitCode::Internal,
                    (Status::Error, ExitCode::Findings) => ExitCode::Usage,
                    (_, code) => code,
                };
                reasons.push((entry.title(), text));
            }
        }
        let all = self.counted().count();
        let why = match reasons.len() {
            0 => format!("{all} of {all} came to their end as they should"),
            bad => format!("{bad} of {all} did not come to their end as they should"),
        };
        rule("checks", reasons, why, Level::Fail, code)
    }

    fn incomplete(&self) -> Rule {
        let mut reasons = Vec::new();
        let mut not_run = 0;
        for entry in self.counted() {
            let report = entry.report.as_ref();
            if entry.status == Status::NotRun {
                not_run += 1;
                reasons.push((entry.title(), "was not run".to_owned()));
            } else if let Some(report) = report.filter(|report| is_cut_off(entry, report)) {
                let reason = report.search.incomplete_reason.as_deref();
                let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
                let explored = report.progress();
                reasons.push((entry.title(), format!("only {explored}{reason}")));
            }
        }
        let why = match reasons.len() {
            0 => "every search came to its end".to_owned(),
            number => format!(
                "{} cut off",
                count(number, "search").replace("searchs", "searches")
            ),
        };
        let level = match not_run {
            0 => self.policy.incomplete,
            _ => Level::Fail,
        };
        rule("incomplete", reasons, why, level, ExitCode::Incomplete)
    }

    fn vacuous(&self, is_partial: bool) -> Rule {
        let empty: Vec<String> = self
            .counted()
            .filter(|entry| entry.status == Status::Vacuous)
            .map(Entry::title)
            .collect();
        let known = &self.policy.vacuous_models;
        let (known_empty, new): (Vec<_>, Vec<_>) =
            empty.iter().partition(|title| known.contains(title));
        let mut reasons: Vec<_> = self
            .counted()
            .filter(|entry| new.contains(&&entry.title()))
            .map(|entry| (entry.title(), why_vacuous(entry)))
            .collect();
        // What is named is held to it, as in the baseline.
        let stale = known
            .iter()
            .filter(|title| !empty.contains(title) && !is_partial);
        let text = "is named in vacuous_models, and is not vacuous or not there".to_owned();
        reasons.extend(stale.map(|title| (title.clone(), text.clone())));
        let mut why = match new.len() {
            0 => "threads meet in every model".to_owned(),
            number => format!(
                "{} that prove{} nothing",
                count(number, "model"),
                if number == 1 { "s" } else { "" }
            ),
        };
        if !known_empty.is_empty() {
            why += &format!("; {} named as vacuous", known_empty.len());
        }
        let level = self.policy.vacuous;
        rule("vacuous", reasons, why, level, ExitCode::Incomplete)
    }

    fn minimum(&self, scope: &Scope) -> Rule {
        let run = self.counted().filter(|entry| entry.report.is_some());
        let (mut models, mut executions) = (0u64, 0u64);
        for report in run.filter_map(|entry| entry.report.as_ref()) {
            models += 1;
            executions += report.search.interleavings();
        }
        let (models_min, executions_min) = (self.policy.models_min, self.policy.executions_min);
        let what = format!(
            "{} and {}",
            count(models as usize, "model"),
            count(executions as usize, "interleaving")
        );
        if scope.is_partial() {
            return not_judged("minimum", format!("{what}; the minimum is of whole runs"));
        }
        let mut reasons = Vec::new();
        for (found, min, word) in [
            (models, models_min, "models"),
            (executions, executions_min, "interleavings"),
        ] {
            if found < min {
                let text = format!(
                    "{} {word} were checked, {} must be",
                    grouped(found),
                    grouped(min)
                );
                reasons.push(("the run".to_owned(), text));
            }
        }
        let why = format!(
            "{what}; at least {} and {}",
            grouped(models_min),
            grouped(executions_min)
        );
        rule("minimum", reasons, why, Level::Fail, ExitCode::NothingToRun)
    }

    fn baseline(&self, is_partial: bool) -> Rule {
        let entries = &self.policy.baseline;
        let mut reasons = Vec::new();
        for known in entries {
            let title = format!("baseline {}", known.fingerprint);
            let is_used = self.others().any(|(_, entry)| {
                findings(entry).any(|finding| {
                    is_about(known, entry, finding)
                        && !entry.expects(finding)
                        && self.policy.fails(finding)
                })
            });
            if known.expires < self.today {
                let text = format!("expired on {}: mend it, or decide anew", known.expires);
                reasons.push((title, text));
            } else if !is_used && !is_partial {
                let text = "no finding that fails has this fingerprint: take it out".to_owned();
                reasons.push((title, text));
            }
        }
        let entries = count(entries.len(), "entry").replace("entrys", "entries");
        if reasons.is_empty() && is_partial && !self.policy.baseline.is_empty() {
            return not_judged("baseline", format!("{entries}, which others may use"));
        }
        let why = match reasons.len() {
            0 => format!("{entries}, none of them expired or unused"),
            number => format!("{number} of {entries} expired or unused"),
        };
        rule("baseline", reasons, why, Level::Fail, ExitCode::Findings)
    }

    fn canary(&self, scope: &Scope) -> Rule {
        let bad = |title: &str, text: String| {
            let reasons = vec![(title.to_owned(), text.clone())];
            rule("canary", reasons, text, Level::Fail, ExitCode::Findings)
        };
        let title = match &self.policy.canary {
            Some(Canary::Model(title)) => title,
            Some(Canary::None) => {
                let text = "the project wants none: nothing shows that this gate can fail";
                return not_judged("canary", text.to_owned());
            }
            None => {
                let text = "no canary is named: nothing shows that this gate can fail \
                            (canary = \"BINARY PATH\" in [profile.*.gate], or false)";
                let level = match self.policy.is_strict() {
                    true => Level::Fail,
                    false => Level::Warn,
                };
                let reasons = vec![("the policy".to_owned(), text.to_owned())];
                return rule(
                    "canary",
                    reasons,
                    text.to_owned(),
                    level,
                    ExitCode::Findings,
                );
            }
        };
        let Some(entry) = self.entries.iter().find(|entry| self.is_canary(entry)) else {
            if scope.shard.is_some() {
                return not_judged("canary", "it is in another part".to_owned());
            }
            return bad(
                title,
                format!("`{title}` is not there: this gate may not be able to fail"),
            );
        };
        if entry.status != Status::Passed {
            let text = entry.remark.clone();
            let text = text.unwrap_or_else(|| entry.status.name().to_owned());
            return bad(title, format!("{text}: this gate cannot fail"));
        }
        // The policy must not let it through, nor the baseline.
        let fails =
            |finding: &&Finding| self.policy.fails(finding) && self.known(entry, finding).is_none();
        match findings(entry).find(fails) {
            Some(finding) => {
                let why = format!("{} found in `{title}`, as it must be", finding.code);
                rule("canary", Vec::new(), why, Level::Fail, ExitCode::Findings)
            }
            None => bad(
                title,
                "what it finds would be let through: this gate cannot fail".to_owned(),
            ),
        }
    }
}

/// Why a model proves nothing, and where its crate names locks that are not seen.
fn why_vacuous(entry: &Entry) -> String {
    let report = entry.report.as_ref();
    let why = report.and_then(Report::vacuity);
    let mut text = why.map_or_else(|| "proves nothing".to_owned(), |why| why.to_string());
    for place in &entry.foreign {
        text += &format!(
            "\n{}:{}: `{}` is not seen",
            place.file, place.line, place.path
        );
    }
    text
}

/// Whether an entry of the baseline means this finding of this model.
fn is_about(known: &Baseline, entry: &Entry, finding: &Finding) -> bool {
    let is_model = |model: &String| *model == entry.title();
    known.fingerprint == finding.fingerprint && known.model.as_ref().is_none_or(is_model)
}

/// Whether a test passed for reasons of its own: it should panic, and did.
fn is_settled(entry: &Entry) -> bool {
    let errors = |finding: &Finding| finding.severity == Severity::Error && !entry.expects(finding);
    entry.status == Status::Passed && findings(entry).any(errors)
}

/// Whether a bound ended the search before it could say what it has to.
fn is_cut_off(entry: &Entry, report: &Report) -> bool {
    let is_met = !report.expect.is_empty() && report.expect.iter().all(|code| report.has(*code));
    // A check that was not carried out has another rule.
    !report.search.complete && !is_met && entry.status != Status::Error && !is_settled(entry)
}

fn rule(
    name: &'static str,
    reasons: Vec<(String, String)>,
    why: String,
    level: Level,
    code: ExitCode,
) -> Rule {
    let verdict = match (reasons.is_empty(), level) {
        (true, _) => Verdict::Pass,
        (false, Level::Fail) => Verdict::Fail,
        (false, Level::Warn) => Verdict::Warn,
        (false, Level::Allow) => Verdict::Pass,
    };
    // A name may hold anything, and a terminal takes some of it for a command.
    let plain = |text: &str| text.replace(|c: char| c.is_control() && c != '\n', " ");
    let reasons = reasons.iter();
    Rule {
        name,
        verdict,
        why: plain(&why),
        reasons: reasons
            .map(|(title, text)| (plain(title), plain(text)))
            .collect(),
        code,
    }
}

fn not_judged(name: &'static str, why: String) -> Rule {
    Rule {
        name,
        verdict: Verdict::NotJudged,
        why,
        reasons: Vec::new(),
        code: ExitCode::Clean,
    }
}

/// The verdict, for programs.
fn verdict_line(policy: &Policy, scope: &Scope, rules: &[Rule], exit_code: ExitCode) -> Value {
    let rules = rules.iter().map(|rule| {
        let reasons = rule.reasons.iter();
        let reasons = reasons.map(|(title, text)| json!({ "title": title, "text": text }));
        json!({
            "rule": rule.name,
            "verdict": rule.verdict.name(),
            "why": rule.why,
            "reasons": reasons.collect::<Vec<_>>(),
        })
    });
    json!({
        "v": format::VERSION,
        "kind": "gate",
        "profile": policy.profile,
        "verdict": if exit_code == ExitCode::Clean { "pass" } else { "fail" },
        "rules": rules.collect::<Vec<_>>(),
        "shard": scope.shard.map(|shard| format!("{}/{}", shard.number, shard.of)),
        "changed": scope.changed,
        "left_out": scope.left_out,
        "exit_code": exit_code as u8,
    })
}

/// All models, with the fields that every run has.
fn summary_line(results: &Results, seconds: f64, interrupted: bool, exit_code: ExitCode) -> Value {
    let mut line = json!({
        "v": format::VERSION,
        "kind": "summary",
        "models": results.models.len(),
        "interleavings": executions(results),
        "seconds": seconds,
        "interrupted": interrupted,
        "exit_code": exit_code as u8,
    });
    for status in Status::ALL {
        line[status.name().replace('-', "_")] = results.count(status).into();
    }
    line
}

/// Distinct interleavings of all together.
pub(crate) fn executions(results: &Results) -> u64 {
    let reports = results
        .models
        .iter()
        .filter_map(|entry| entry.report.as_ref());
    reports.map(|report| report.search.interleavings()).sum()
}

#[cfg(test)]
mod tests;
