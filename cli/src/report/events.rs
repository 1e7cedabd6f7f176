//! A run as it is written to `events.jsonl`, one JSON object a line, and read again.
//!
//! Knows the fields of a line: the same as those of `--message-format json`. All that the other
//! formats show is taken from here, so a run and what was kept of it look the same.

use gordian::Report;
use gordian::report::{Finding, REPORT_VERSION, Severity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::foreign::Foreign;
use crate::outcome::Status;
use crate::output::json;

/// All models of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Results {
    /// One per model, in the order in which they are shown.
    pub(crate) models: Vec<Entry>,
    /// Wall-clock time of all, in seconds.
    pub(crate) seconds: f64,
    /// Whether somebody interrupted.
    pub(crate) interrupted: bool,
    /// How the program ended.
    pub(crate) exit_code: u8,
}

/// A model, and how it came out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// What it is in: a test binary, or where scenario files come from.
    pub(crate) group: String,
    /// Its name there.
    pub(crate) name: String,
    pub(crate) status: Status,
    /// Wall-clock time, in seconds.
    pub(crate) seconds: f64,
    /// What else is to be said about its end.
    pub(crate) remark: Option<String>,
    /// The last lines that it wrote, if there is no report.
    pub(crate) printed: Vec<String>,
    pub(crate) report: Option<Report>,
    /// Of a vacuous model: where its crate names locks that are not gordian's.
    pub(crate) foreign: Vec<Foreign>,
    /// Findings that the project's baseline lets through.
    pub(crate) accepted: Vec<Accepted>,
    /// Whether it is this program that is wrong.
    pub(crate) defect: bool,
}

/// A finding that is let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accepted {
    pub(crate) fingerprint: String,
    /// Why.
    pub(crate) reason: String,
    /// The last day on which it is.
    pub(crate) expires: String,
}

impl Entry {
    /// Group and name.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.group, self.name)
    }

    /// Whether a finding of this model is what the model is there to show.
    pub(crate) fn expects(&self, finding: &Finding) -> bool {
        let report = self.report.as_ref();
        report.is_some_and(|report| report.expect.contains(&finding.code))
    }

    /// Why a finding of this model is let through, if it is.
    pub(crate) fn accepts(&self, finding: &Finding) -> Option<&Accepted> {
        let mut accepted = self.accepted.iter();
        accepted.find(|one| one.fingerprint == finding.fingerprint)
    }

    /// The codes found, and those expected in vain, in a few words.
    pub(crate) fn gist(&self) -> String {
        let Some(report) = &self.report else {
            return self.remark.clone().unwrap_or_default();
        };
        let mut words = Vec::new();
        for code in report.codes() {
            let hazard =
                report.find(code).map(|finding| finding.severity) == Some(Severity::Hazard);
            let how = match (report.expect.contains(&code), hazard) {
                (true, _) => " (expected)",
                (false, true) => " (hazard)",
                (false, false) => "",
            };
            words.push(format!("{code}{how}"));
        }
        let missing = report.expect.iter().filter(|code| !report.has(**code));
        words.extend(missing.map(|code| format!("{code} (expected, not found)")));
        words.extend(self.remark.clone());
        words.extend(report.error.clone());
        words.extend(report.search.incomplete_reason.clone());
        words.extend(report.vacuity().map(|why| why.to_string()));
        words.join(", ")
    }
}

/// What a line has whatever its kind is.
#[derive(Deserialize)]
struct Any {
    v: u32,
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct ModelFields {
    binary: String,
    test: String,
    status: String,
    process_seconds: f64,
    #[serde(default)]
    remark: Option<String>,
    #[serde(default)]
    printed: Vec<String>,
    #[serde(default)]
    foreign: Vec<Foreign>,
    #[serde(default)]
    accepted: Vec<Accepted>,
    #[serde(default)]
    defect: bool,
}

#[derive(Deserialize)]
struct SummaryFields {
    seconds: f64,
    interrupted: bool,
    exit_code: u8,
}

impl Results {
    /// Reads the lines of a run.
    ///
    /// # Errors
    /// Which line cannot be read, and why. Lines of a kind that is not known are left out.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut results = Results::default();
        for (index, line) in text.lines().enumerate() {
            if !line.trim().is_empty() {
                results
                    .take(line)
                    .map_err(|reason| format!("line {}: {reason}", index + 1))?;
            }
        }
        Ok(results)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let words = |error: serde_json::Error| error.to_string();
        let mut value: Value = serde_json::from_str(line).map_err(words)?;
        let any = Any::deserialize(&value).map_err(words)?;
        if any.v != json::VERSION {
            return Err(format!(
                "it has version {}, this program reads {}: run `cargo gordian test` again",
                any.v,
                json::VERSION
            ));
        }
        match any.kind.as_str() {
            "model" => {
                let fields = ModelFields::deserialize(&value).map_err(words)?;
                let has_report = value.get("verdict").is_some();
                value["v"] = REPORT_VERSION.into();
                let report = has_report.then(|| serde_json::from_value(value));
                self.models.push(Entry {
                    group: fields.binary,
                    name: fields.test,
                    status: Status::of_name(&fields.status)
                        .ok_or_else(|| format!("no status is named `{}`", fields.status))?,
                    seconds: fields.process_seconds,
                    remark: fields.remark,
                    printed: fields.printed,
                    foreign: fields.foreign,
                    accepted: fields.accepted,
                    defect: fields.defect,
                    report: report.transpose().map_err(words)?,
                });
            }
            "summary" => {
                let fields = SummaryFields::deserialize(&value).map_err(words)?;
                self.seconds = fields.seconds;
                self.interrupted = fields.interrupted;
                self.exit_code = fields.exit_code;
            }
            _ => {}
        }
        Ok(())
    }

    /// All findings, model by model.
    pub(crate) fn findings(&self) -> impl Iterator<Item = (&Entry, &Report, &Finding)> {
        let reports = self
            .models
            .iter()
            .filter_map(|entry| Some((entry, entry.report.as_ref()?)));
        reports.flat_map(|(entry, report)| {
            let findings = report.findings.iter();
            findings.map(move |finding| (entry, report, finding))
        })
    }

    /// How many models came out so.
    pub(crate) fn count(&self, status: Status) -> usize {
        let such = self.models.iter().filter(|entry| entry.status == status);
        such.count()
    }
}
