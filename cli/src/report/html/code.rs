//! The source around the steps of a finding, with what is to be said about its places.
//!
//! Knows lines and marks. Does not know how files are found: [`Sources`] does, and a file that it
//! does not have is not shown.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use gordian::report::{Finding, Site};
use maud::{Markup, html};

use super::Links;
use crate::output::source::Sources;
use crate::report::text::{holds, waits};

/// Lines shown around what a finding is about, and around any other step.
const CONTEXT: u32 = 3;
const CONTEXT_OF_STEPS: u32 = 1;
/// More lines than this in all are not shown, except around what the finding is about.
const LINES_MAX: usize = 240;
/// A remark stands below its place, but not farther to the right than this.
const INDENT_MAX: usize = 60;
/// A longer line is cut: nobody reads it here.
const LINE_CHARS_MAX: usize = 400;

/// The lines of a finding's files that are shown.
pub(super) struct Listing<'a> {
    /// What the page calls the finding.
    id: &'a str,
    files: Vec<File<'a>>,
}

struct File<'a> {
    name: &'a str,
    text: Rc<str>,
    /// From 1.
    lines: BTreeSet<u32>,
    marks: BTreeMap<u32, Vec<Mark>>,
}

/// What is to be said about a place.
struct Mark {
    column: u32,
    waits: bool,
    text: String,
}

impl<'a> Listing<'a> {
    /// What the page calls the line of a place, if it is there.
    pub(super) fn anchor(&self, site: &Site) -> Option<String> {
        let number = self.files.iter().position(|file| file.name == site.file)?;
        let shown = self.files[number].lines.contains(&site.line);
        shown.then(|| self.name(number, site.line))
    }

    fn name(&self, file: usize, line: u32) -> String {
        format!("{}-l{}-{line}", self.id, file + 1)
    }

    /// The file's lines around a place, if it can be read and has them.
    fn add(&mut self, site: &'a Site, context: u32, sources: &Sources) -> Option<&mut File<'a>> {
        let known = self.files.iter().position(|file| file.name == site.file);
        let at = match known {
            Some(at) => at,
            None => {
                self.files.push(File {
                    name: &site.file,
                    text: sources.text(&site.file)?,
                    lines: BTreeSet::new(),
                    marks: BTreeMap::new(),
                });
                self.files.len() - 1
            }
        };
        let file = &mut self.files[at];
        if file.lines.contains(&site.line) && context == CONTEXT_OF_STEPS {
            return Some(file);
        }
        let count = u32::try_from(file.text.lines().count()).unwrap_or(u32::MAX);
        if site.line == 0 || site.line > count {
            return None;
        }
        let from = site.line.saturating_sub(context).max(1);
        let to = site.line.saturating_add(context).min(count);
        file.lines.extend(from..=to);
        Some(file)
    }

    fn mark(&mut self, site: &'a Site, waits: bool, text: String, sources: &Sources) {
        if let Some(file) = self.add(site, CONTEXT, sources) {
            let marks = file.marks.entry(site.line).or_default();
            if marks.iter().all(|mark| mark.text != text) {
                marks.push(Mark {
                    column: site.column,
                    waits,
                    text,
                });
            }
        }
    }
}

/// Both places of each edge, the place of a misuse, and around them those of the steps.
pub(super) fn listing<'a>(id: &'a str, finding: &'a Finding, sources: &Sources) -> Listing<'a> {
    let mut listing = Listing {
        id,
        files: Vec::new(),
    };
    for edge in &finding.edges {
        listing.mark(&edge.site, true, waits(edge), sources);
        let site = edge.holder.as_ref().and_then(|holder| holder.site.as_ref());
        if let Some((site, text)) = site.zip(holds(edge)) {
            listing.mark(site, false, text, sources);
        }
    }
    if let Some(site) = &finding.site {
        listing.mark(site, true, format!("{} here", finding.code), sources);
    }
    let mut known = BTreeSet::new();
    for step in &finding.steps {
        let lines: usize = listing.files.iter().map(|file| file.lines.len()).sum();
        if lines < LINES_MAX && known.insert(&step.site) {
            listing.add(&step.site, CONTEXT_OF_STEPS, sources);
        }
    }
    listing.files.retain(|file| !file.lines.is_empty());
    listing
}

/// The lines, file by file.
pub(super) fn pane(id: &str, listing: &Listing<'_>, links: &Links) -> Markup {
    if listing.files.is_empty() {
        return html! {};
    }
    html! {
        section.source aria-labelledby={ (id) "-source" } {
            h3 #{ (id) "-source" } { "Source" }
            @for (at, file) in listing.files.iter().enumerate() { figure {
                figcaption {
                    @match &links.root {
                        Some(root) => a href={ (root) (address(file.name)) } { (file.name) },
                        None => (file.name),
                    }
                }
                div.scroll tabindex="0" role="region" aria-label=(file.name) {
                    table { tbody { (lines(at, file, listing)) } }
                }
            } }
        }
    }
}

fn lines(at: usize, file: &File<'_>, listing: &Listing<'_>) -> Markup {
    let shared = shared_indent(file);
    let mut before = None;
    let mut text = file.text.lines().enumerate();
    html! {
        @for &number in &file.lines {
            @let line = text.find(|(at, _)| *at + 1 == number as usize);
            @let line = line.map_or("", |(_, line)| line);
            @if before.replace(number).is_some_and(|before| before + 1 != number) {
                tr.gap { td { "⋮" } td {} }
            }
            @let marks = file.marks.get(&number);
            tr id=(listing.name(at, number)) class=[marks.map(|_| "marked")] {
                td { (number) }
                td { code { (line.chars().skip(shared).take(LINE_CHARS_MAX).collect::<String>()) } }
            }
            @for mark in marks.into_iter().flatten() {
                @let column = (mark.column as usize).saturating_sub(1 + shared).min(INDENT_MAX);
                tr class=(if mark.waits { "remark waits" } else { "remark" }) {
                    td {}
                    td { span style={ "--column:" (column) } { "╰ " (mark.text) } }
                }
            }
        }
    }
}

/// Spaces that all lines shown begin with.
fn shared_indent(file: &File<'_>) -> usize {
    let shown = file.text.lines().zip(1u32..);
    let shown =
        shown.filter(|(line, number)| file.lines.contains(number) && !line.trim().is_empty());
    shown
        .map(|(line, _)| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0)
}

/// A path as a relative address: what means something in addresses is written by its number.
fn address(path: &str) -> String {
    let mut address = String::new();
    for c in path.chars() {
        match c {
            '%' => address += "%25",
            '?' => address += "%3F",
            '#' => address += "%23",
            '\\' => address.push('/'),
            // A name like `a:b` is not a scheme.
            ':' => address += "%3A",
            c => address.push(c),
        }
    }
    address
}
