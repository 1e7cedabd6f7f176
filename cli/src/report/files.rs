//! Which files a run leaves, and where.
//!
//! Knows names and directories; those of the run before are kept with `.old` behind. Does not know
//! what is in a file.

use std::fs;
use std::path::{Component, Path, PathBuf};

use gordian::Report;
use gordian::private::shell_word;
use gordian::report::{Coverage, Finding};

use super::events::Results;
use super::html::{self, Links};
use super::text::{file_name, harmless};
use super::{chrome, dot, junit, mermaid, sarif};
use crate::error::Error;
use crate::output::sentences;
use crate::output::source::Sources;

/// The run itself, from which all others are rendered.
pub(super) const EVENTS: &str = "events.jsonl";
const HTML: &str = "report.html";
const SARIF: &str = "report.sarif";
const JUNIT: &str = "junit.xml";
const TRACES: &str = "traces";
const GRAPHS: &str = "graphs";

/// A format that a report can be rendered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One page for people.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for CI systems.
    Junit,
    /// Chrome traces, for ui.perfetto.dev.
    Chrome,
    /// Graphs for Graphviz.
    Dot,
    /// Graphs for Markdown pages.
    Mermaid,
}

impl Format {
    /// All of them.
    pub(super) const ALL: [Format; 6] = [
        Format::Html,
        Format::Sarif,
        Format::Junit,
        Format::Chrome,
        Format::Dot,
        Format::Mermaid,
    ];
}

/// What was kept of a run.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The page for people.
    pub(crate) page: PathBuf,
    /// A trace for each finding that has steps.
    traces: PathBuf,
}

impl Kept {
    /// The command that replays a finding from the trace that was kept of it.
    pub(crate) fn how_to_replay(&self, report: &Report, finding: &Finding) -> Option<String> {
        let name = format!("{}.json", file_name(report, finding));
        let path = self.traces.join(name);
        let is_there = !finding.token.is_empty() && path.is_file();
        let word = || shell_word(&from_here(&path).display().to_string());
        is_there.then(|| format!("cargo gordian replay {}", word()))
    }
}

/// A path as it is typed here: relative, if it leads below the current directory.
fn from_here(path: &Path) -> PathBuf {
    let below = || {
        let here = std::env::current_dir().ok()?;
        if let Ok(below) = path.strip_prefix(&here) {
            return Some(below.to_path_buf());
        }
        let (path, here) = (path.canonicalize().ok()?, here.canonicalize().ok()?);
        path.strip_prefix(here).map(Path::to_path_buf).ok()
    };
    below().unwrap_or_else(|| path.to_path_buf())
}

/// Keeps a run that has ended: writes its lines, those of `--message-format json`, and renders them
/// in every format. What the run before left stays beside it as `.old`. Places are relative to
/// `root`.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn keep(directory: &Path, root: &Path, lines: &str) -> Result<Kept, Error> {
    let results = Results::read(lines).map_err(Error::internal(EVENTS))?;
    fs::create_dir_all(directory).map_err(Error::internal(directory.display()))?;
    for name in [EVENTS, HTML, SARIF, JUNIT, TRACES, GRAPHS] {
        put_aside(directory, name)?;
    }
    write(&directory.join(EVENTS), lines)?;
    for format in Format::ALL {
        render(directory, &results, format, root)?;
    }
    Ok(Kept {
        page: directory.join(HTML),
        traces: directory.join(TRACES),
    })
}

/// Renders a run in a format; returns the files that it wrote.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn render(
    directory: &Path,
    results: &Results,
    format: Format,
    root: &Path,
) -> Result<Vec<PathBuf>, Error> {
    let one = |name: &str, text: &str| {
        let path = directory.join(name);
        write(&path, text).map(|()| vec![path])
    };
    match format {
        Format::Html => {
            let links = Links {
                root: way_up(directory, root),
                files: true,
            };
            one(
                HTML,
                &html::document(results, &Sources::below(root), &links),
            )
        }
        Format::Sarif => {
            let log = serde_json::to_string(&sarif::document(results));
            one(SARIF, &log.map_err(Error::internal(SARIF))?)
        }
        Format::Junit => one(JUNIT, &junit::document(results)?),
        Format::Chrome => each(directory, TRACES, "json", results, |_, report, finding| {
            chrome::document(report, finding).to_string()
        }),
        Format::Dot => {
            let mut paths = each(directory, GRAPHS, "dot", results, |title, _, finding| {
                dot::document(title, finding)
            })?;
            paths.extend(of_models(directory, "dot", results, dot::lock_order)?);
            Ok(paths)
        }
        Format::Mermaid => {
            let mut paths = each(directory, GRAPHS, "mmd", results, |title, _, finding| {
                mermaid::document(title, finding)
            })?;
            paths.extend(of_models(directory, "mmd", results, mermaid::lock_order)?);
            Ok(paths)
        }
    }
}

/// A run's lines, rendered in every format without any file: names and texts.
///
/// # Errors
/// Which line cannot be read, and why.
pub(crate) fn documents(lines: &str) -> Result<Vec<(String, String)>, String> {
    let results = Results::read(lines)?;
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let links = Links {
        root: None,
        files: false,
    };
    // No file is below what is not there: sources are left out.
    let page = html::document(&results, &Sources::below(Path::new("\0")), &links);
    let log = serde_json::to_string(&sarif::document(&results)).map_err(|error| failed(&error))?;
    let suites = junit::document(&results).map_err(|error| failed(&error))?;
    let mut documents = vec![
        (HTML.to_owned(), page),
        (SARIF.to_owned(), log),
        (JUNIT.to_owned(), suites),
    ];
    for (entry, report, finding) in results.findings() {
        let (name, title) = (file_name(report, finding), entry.title());
        let trace = chrome::document(report, finding).to_string();
        documents.push((format!("{TRACES}/{name}.json"), trace));
        documents.push((
            format!("{GRAPHS}/{name}.dot"),
            dot::document(&title, finding),
        ));
        let graph = mermaid::document(&title, finding);
        documents.push((format!("{GRAPHS}/{name}.mmd"), graph));
    }
    for entry in &results.models {
        if let Some(report) = &entry.report {
            documents.push((format!("{}.txt", entry.title()), report.explain()));
            documents.push((
                format!("{}.prose.txt", entry.title()),
                sentences(report, |_| None),
            ));
        }
    }
    Ok(documents)
}

/// A file for each finding. The same finding of two models is the same file.
fn each(
    directory: &Path,
    below: &str,
    extension: &str,
    results: &Results,
    render: impl Fn(&str, &Report, &Finding) -> String,
) -> Result<Vec<PathBuf>, Error> {
    let directory = directory.join(below);
    fs::create_dir_all(&directory).map_err(Error::internal(directory.display()))?;
    let mut paths = Vec::new();
    for (entry, report, finding) in results.findings() {
        let path = directory.join(format!("{}.{extension}", file_name(report, finding)));
        if !paths.contains(&path) {
            write(&path, &render(&entry.title(), report, finding))?;
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The lock order of each model whose locks are nested, in a file of its own.
fn of_models(
    directory: &Path,
    extension: &str,
    results: &Results,
    render: impl Fn(&str, &Coverage) -> Option<String>,
) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in &results.models {
        let report = entry.report.as_ref();
        let text = report.and_then(|report| render(&entry.title(), &report.coverage));
        if let Some(text) = text {
            let name = harmless(&entry.title());
            let named = |name: &str| directory.join(GRAPHS).join(format!("{name}.{extension}"));
            let mut path = named(&format!("{name}.locks"));
            // Long names are cut, and may then be the same.
            for number in 2.. {
                if !paths.contains(&path) {
                    break;
                }
                path = named(&format!("{name}-{number}.locks"));
            }
            write(&path, &text)?;
            paths.push(path);
        }
    }
    Ok(paths)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::internal(path.display()))
}

/// Renames what the run before left, which replaces what the one before that left.
fn put_aside(directory: &Path, name: &str) -> Result<(), Error> {
    let now = directory.join(name);
    let before = directory.join(format!("{name}.old"));
    if !now.exists() {
        return Ok(());
    }
    let failed = || Error::internal(before.display());
    if before.is_dir() {
        fs::remove_dir_all(&before).map_err(failed())?;
    }
    fs::rename(&now, &before).map_err(failed())
}

/// The way from a directory up to one that it is in: `../../`.
fn way_up(directory: &Path, root: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let below = directory.strip_prefix(root.canonicalize().ok()?).ok()?;
    let parts = below.components();
    let normal = parts.filter(|part| matches!(part, Component::Normal(_)));
    Some("../".repeat(normal.count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_before_is_kept_and_no_older_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for run in ["first", "second", "third"] {
            for name in [HTML, TRACES] {
                put_aside(directory.path(), name).unwrap();
            }
            fs::write(path(HTML), run).unwrap();
            fs::create_dir(path(TRACES)).unwrap();
            fs::write(path(TRACES).join(run), run).unwrap();
        }
        assert_eq!(
            fs::read_to_string(path("report.html.old")).unwrap(),
            "second"
        );
        assert!(path("traces.old/second").exists() && !path("traces.old/first").exists());
        assert!(path("traces/third").exists() && !path("traces/second").exists());
    }

    #[test]
    fn the_way_up_is_relative() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("target/gordian");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(way_up(&below, root.path()).as_deref(), Some("../../"));
        assert_eq!(way_up(root.path(), &below), None);
    }
}
