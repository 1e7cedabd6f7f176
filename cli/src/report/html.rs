//! `report.html`: everything in one file, for people.
//!
//! Knows the page: an index of the models, and for each finding its steps as lanes, its wait-for
//! graph, its source and what else helps; then the locks of each model. The page needs nothing from elsewhere and no script to
//! be read; the script only steps through it. Does not know where the file is written.

mod code;
mod lanes;
mod locks;
mod picture;

use gordian::Report;
use gordian::report::{Finding, RESTS_ON, Severity, Strength, Worth, grouped};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::events::{Entry, Results};
use super::holds::{holds, waits};
use super::text::{cycle, file_name};
use crate::codes::rule;
use crate::outcome::Status;
use crate::output::source::Sources;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// Nothing is loaded, whatever a name or a message may contain.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";
/// More holds and waits than this are not listed beside the graph.
const FACTS_MAX: usize = 200;

/// What the page links to.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// The way from the page to the root of the workspace, if there is one: `../../`.
    pub(super) root: Option<String>,
    /// Whether the trace and the graphs of each finding lie beside the page.
    pub(super) files: bool,
}

/// One finding on the page.
struct Shown<'a> {
    /// The page's own name for it.
    id: String,
    entry: &'a Entry,
    report: &'a Report,
    finding: &'a Finding,
}

/// The whole page.
pub(super) fn document(results: &Results, sources: &Sources, links: &Links) -> String {
    let shown: Vec<Shown<'_>> = results
        .findings()
        .zip(1..)
        .map(|((entry, report, finding), number)| Shown {
            id: format!("f{number}"),
            entry,
            report,
            finding,
        })
        .collect();
    let (verdict, good) = verdict(results);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Gordian: " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (top(results, &verdict, good))
                main {
                    (index(results, &shown))
                    @for one in &shown { (article(one, sources, links)) }
                    (locks::section(results))
                }
                footer {
                    p {
                        "Written by " code { "cargo gordian " (env!("CARGO_PKG_VERSION")) }
                        ". Render it again with " code { "cargo gordian report" } "."
                    }
                    @if !shown.is_empty() {
                        p.keys {
                            kbd { "←" } " " kbd { "→" } " step through the finding in view, "
                            kbd { "Home" } " " kbd { "End" } " first and last step. "
                            "The address bar keeps the step."
                        }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// The whole run in a phrase, and whether that is good.
fn verdict(results: &Results) -> (String, bool) {
    let all = results.models.len();
    let models = if all == 1 { "model" } else { "models" };
    let bad = |status| results.count(status);
    let failed = bad(Status::Failed) + bad(Status::Crashed) + bad(Status::Error);
    let open = bad(Status::Incomplete) + bad(Status::NotRun);
    let vacuous = bad(Status::Vacuous);
    match (failed, open + vacuous) {
        _ if all == 0 => ("no model was run".to_owned(), false),
        (0, 0) => (
            format!("{} of {all} {models} passed", bad(Status::Passed)),
            true,
        ),
        (0, _) => {
            let proves = if vacuous == 1 {
                "proves nothing"
            } else {
                "prove nothing"
            };
            let text = match (open, vacuous) {
                (0, _) => format!("{vacuous} of {all} {models} {proves}"),
                (_, 0) => format!("{open} of {all} {models} not fully explored"),
                _ => format!("{open} of {all} {models} not fully explored, {vacuous} {proves}"),
            };
            (text, false)
        }
        _ => (format!("{failed} of {all} {models} failed"), false),
    }
}

fn top(results: &Results, verdict: &str, good: bool) -> Markup {
    let reports = || {
        results
            .models
            .iter()
            .filter_map(|entry| entry.report.as_ref())
    };
    let interleavings: u64 = reports()
        .map(|report| report.search.interleavings())
        .fold(0, u64::saturating_add);
    let findings: usize = reports().map(|report| report.findings.len()).sum();
    html! {
        header.top {
            p.brand { "Gordian" }
            h1 class=(if good { "good" } else { "bad" }) { (verdict) }
            p.figures {
                span { b { (grouped(interleavings)) } " interleavings" }
                span { b { (findings) } @if findings == 1 { " finding" } @else { " findings" } }
                span { b { (format!("{:.1}", results.seconds.max(0.0))) " s" } }
                @if results.interrupted {
                    span.bad { "interrupted: what was not run is not proved" }
                }
            }
            p.figures.worths {
                @for (worth, count) in worths(results) {
                    span { b { (grouped(count)) } " " (worth.as_str()) }
                }
            }
            @if worths(results).iter().any(|(worth, _)| *worth == Worth::Proved) {
                p.rests { "A proof rests on " (RESTS_ON) }
            }
        }
    }
}

fn index(results: &Results, shown: &[Shown<'_>]) -> Markup {
    html! {
        section.index aria-labelledby="models" {
            h2 #models { "Models" }
            div.scroll tabindex="0" role="region" aria-labelledby="models" {
                table.models {
                    thead { tr {
                        th scope="col" { "Result" }
                        th scope="col" { "Model" }
                        th scope="col" { "Findings" }
                        th scope="col" { "Explored" }
                    } }
                    tbody { @for entry in &results.models { (row(entry, shown)) } }
                }
            }
        }
    }
}

fn row(entry: &Entry, shown: &[Shown<'_>]) -> Markup {
    // Those of one model stand beside each other.
    let is_own = |one: &Shown<'_>| std::ptr::eq(one.entry, entry);
    let from = shown.iter().position(is_own).unwrap_or(shown.len());
    let count = shown[from..].iter().take_while(|one| is_own(one)).count();
    let own = &shown[from..from + count];
    let gist = entry.gist();
    html! {
        tr {
            td { (badges(entry)) }
            th scope="row" { span.group { (entry.group) } " " span.name { (entry.name) } }
            td {
                @if own.is_empty() { (gist) } @else {
                    ul.links { @for same in own.chunk_by(have_same_code) {
                        li { (same_code(same)) }
                    } }
                    @if let Some(remark) = &entry.remark { p { (remark) } }
                }
                @for place in &entry.foreign {
                    p { "not seen: " code { (place.path) } " at " (place.file) ":" (place.line) }
                }
                @if !entry.printed.is_empty() {
                    details {
                        summary { "its last lines" }
                        pre { @for line in &entry.printed { (line) "\n" } }
                    }
                }
            }
            td { @if let Some(report) = &entry.report { (report.strength()) } }
        }
    }
}

/// How it came out, and what that is worth: a pass that is no proof does not look like one.
fn badges(entry: &Entry) -> Markup {
    let name = entry.status.name();
    let report = entry
        .report
        .as_ref()
        .filter(|_| entry.status == Status::Passed);
    let worth = report.map(Report::worth);
    let is_weak = !matches!(worth, None | Some(Worth::Proved | Worth::Found));
    html! {
        span class={ "status " (name) @if is_weak { " weak" } } { (name) }
        @if let (Some(report), Some(worth)) = (report, worth) {
            " "
            span class={ "status worth " (worth.as_str()) } { (in_words(report, worth)) }
        }
    }
}

/// What a pass is worth.
fn in_words(report: &Report, worth: Worth) -> String {
    match (worth, report.search.strength, report.search.vacuous) {
        (Worth::Found, ..) => "as expected".to_owned(),
        (Worth::Bounded, Strength::Bounded { preemptions_max }, _) => {
            format!("bounded: ≤ {preemptions_max} preemptions")
        }
        (Worth::Vacuous, _, Some(vacuous)) => format!("vacuous, as is meant: {}", vacuous.what()),
        _ => worth.as_str().to_owned(),
    }
}

/// Of how many models it may be said.
fn worths(results: &Results) -> Vec<(Worth, u64)> {
    let mut counts: Vec<(Worth, u64)> = Vec::new();
    for report in results
        .models
        .iter()
        .filter_map(|entry| entry.report.as_ref())
    {
        let worth = report.worth();
        match counts.iter_mut().find(|(its, _)| *its == worth) {
            Some((_, count)) => *count += 1,
            None => counts.push((worth, 1)),
        }
    }
    counts
}

fn have_same_code(one: &Shown<'_>, next: &Shown<'_>) -> bool {
    one.finding.code == next.finding.code
}

/// Findings of one code: `panic 2 3`.
fn same_code(shown: &[Shown<'_>]) -> Markup {
    let Some(first) = shown.first() else {
        return html! {};
    };
    html! {
        @for (at, one) in shown.iter().enumerate() {
            @if at > 0 { " " }
            a href={ "#" (one.id) } title=(one.finding.message) {
                @if at == 0 { (first.finding.code) } @else { (at + 1) }
            }
        }
        @if first.entry.expects(first.finding) { " (expected)" }
        @else if first.finding.severity == Severity::Hazard { " (hazard)" }
    }
}

fn article(shown: &Shown<'_>, sources: &Sources, links: &Links) -> Markup {
    let Shown {
        id,
        entry,
        report,
        finding,
    } = shown;
    let severity = match finding.severity {
        Severity::Hazard => "hazard",
        Severity::Error => "error",
    };
    let steps = finding.steps.len();
    let listing = code::listing(id, finding, sources);
    html! {
        article.finding #(id) data-steps=(steps) aria-labelledby={ (id) "-title" } {
            header {
                p.kicker {
                    span class={ "code " (severity) } { (severity) "[" (finding.code) "]" }
                    @if entry.expects(finding) { span.expected { "expected by the model" } }
                    @if let Some(accepted) = entry.accepts(finding) {
                        span.expected title=(accepted.reason) {
                            "in the baseline until " (accepted.expires)
                        }
                    }
                    span.model { (entry.title()) }
                    a.anchor href={ "#" (id) } aria-label="link to this finding" { "#" }
                }
                h2 #{ (id) "-title" } { (ticked(&finding.message)) }
                p.why { (rule(finding.code).why) }
            }
            @if steps > 0 { (player(id, finding)) }
            div.panes {
                @if steps > 0 {
                    section.lanes aria-labelledby={ (id) "-steps" } {
                        h3 #{ (id) "-steps" } { "Steps" }
                        (lanes::table(id, finding, &listing))
                    }
                }
                div.aside {
                    (graph(id, finding))
                    (code::pane(id, &listing, links))
                }
            }
            (facts(report, finding, links))
        }
    }
}

/// The controls; the script shows them.
fn player(id: &str, finding: &Finding) -> Markup {
    let last = finding.steps.len();
    html! {
        div.player hidden {
            div.buttons {
                button type="button" data-go="first" aria-label="first step" { "«" }
                button type="button" data-go="back" aria-label="one step back" { "‹" }
                button type="button" data-go="on" aria-label="one step on" { "›" }
                button type="button" data-go="last" aria-label="last step" { "»" }
            }
            input type="range" min="1" max=(last) value=(last) step="1"
                aria-label="step" aria-controls={ (id) "-lanes" };
            output for="" { "step " b.at { (last) } " of " (last) }
            p.now aria-live="polite" {}
        }
    }
}

/// The wait-for graph, and the same in words.
fn graph(id: &str, finding: &Finding) -> Markup {
    let Some(svg) = picture::wait_for(id, finding) else {
        return html! {};
    };
    let number = |at: usize| finding.steps.get(at).map_or(0, |step| step.number);
    let mut held = holds(&finding.steps);
    let mut waited = waits(&finding.steps);
    // Those that the finding is about come first.
    let other = |thread: &str| !finding.threads.iter().any(|name| name == thread);
    held.sort_by_key(|hold| other(hold.thread));
    waited.sort_by_key(|wait| other(wait.thread));
    html! {
        section.graph aria-labelledby={ (id) "-graph" } {
            h3 #{ (id) "-graph" } { "Who holds and waits for what" }
            (svg)
            @if held.len() + waited.len() <= FACTS_MAX {
                ul.state {
                    @for wait in &waited {
                        li class=(if wait.to.is_some() { "waits off" } else { "waits" })
                            data-spans=(span((wait.from, wait.to))) {
                            b { (wait.thread) } " waits for "
                            b { (wait.object.unwrap_or("its turn")) }
                            small { " since step " (number(wait.from)) }
                        }
                    }
                    @for hold in &held {
                        li class=[hold.to.map(|_| "off")] data-spans=(span((hold.from, hold.to))) {
                            b { (hold.thread) } " holds " b { (hold.object) }
                            small { " since step " (number(hold.from)) }
                        }
                    }
                }
            }
        }
    }
}

/// From which step to before which one: `3-7`, `3-`. The script counts from 1.
fn span((from, to): (usize, Option<usize>)) -> String {
    let to = to.map(|to| (to + 1).to_string()).unwrap_or_default();
    format!("{}-{to}", from + 1)
}

/// What else helps: the cycle, how much was explored, how to see it again, what to change.
fn facts(report: &Report, finding: &Finding, links: &Links) -> Markup {
    let seen = finding.seen.max(1);
    let file = file_name(report, finding);
    html! {
        dl.facts {
            @if let Some(cycle) = cycle(finding) { dt { "Cycle" } dd { (cycle) } }
            @for note in &finding.notes { dt { "Note" } dd { (ticked(note)) } }
            dt { "What to do" }
            dd { (ticked(rule(finding.code).fix)) }
            @if let Some(command) = report.how_to_replay(finding) {
                dt { "Replay" }
                dd.replay {
                    code { (command) }
                    button.copy type="button" hidden { "copy" }
                }
            }
            dt { "Explored" }
            dd {
                (report.strength()) "; seen in " (report.search.counted(seen))
                ", first in number " (grouped(finding.execution))
                @if !report.search.complete {
                    "; not complete: "
                    (report.search.incomplete_reason.as_deref().unwrap_or("cut short"))
                }
            }
            @if let Some(text) = finding.shrunk_in_words() { dt { "Shrunk" } dd { (text) } }
            @for remark in &report.search.remarks { dt { "Remark" } dd { (remark) } }
            @if !finding.fingerprint.is_empty() {
                dt { "Fingerprint" } dd { code { (finding.fingerprint) } }
            }
            @if links.files {
                dt { "Files" }
                dd {
                    a href={ "traces/" (file) ".json" } { "trace" }
                    " (open it in ui.perfetto.dev) · "
                    a href={ "graphs/" (file) ".dot" } { "DOT" } " · "
                    a href={ "graphs/" (file) ".mmd" } { "Mermaid" }
                }
            }
        }
    }
}

/// A sentence whose names are between backquotes.
fn ticked(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    let paired = parts.len() % 2 == 1;
    html! {
        @for (at, part) in parts.iter().enumerate() {
            @if paired && at % 2 == 1 { code { (part) } }
            @else if !paired && at > 0 { "`" (part) }
            @else { (part) }
        }
    }
}
