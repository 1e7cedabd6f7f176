//! The steps of a finding as a table with a column for each thread.
//!
//! Knows rows, marks and bars. Does not know what the source looks like, only which line a step has
//! in it.

use std::collections::HashMap;

use gordian::report::{Finding, Outcome, Step};
use maud::{Markup, html};

use super::code::Listing;
use crate::report::holds::{holds, threads};
use crate::report::text::outcome;

/// More threads than this do not get a lane each: then a column says who it was.
const LANES_MAX: usize = 8;
/// Bars beside each other in a lane at most.
const SLOTS_MAX: usize = 5;
/// Colours of objects; the style sheet has as many.
pub(super) const COLORS: usize = 8;

/// A lock held in a lane: where its bar stands, and its colour.
#[derive(Clone, Copy)]
struct Bar<'a> {
    slot: usize,
    color: usize,
    object: &'a str,
}

/// The table, all of it visible: the script only says where it stands.
pub(super) fn table(id: &str, finding: &Finding, listing: &Listing<'_>) -> Markup {
    let steps = &finding.steps;
    let threads = threads(steps);
    let lanes = threads.len() <= LANES_MAX;
    let colors = colors(finding);
    let mut bars = Bars::of(finding, &colors);
    let slots = slots(&colors, finding);
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby={ (id) "-steps" } {
            table.steps #{ (id) "-lanes" } style={ "--slots:" (slots) } {
                thead { tr {
                    th scope="col" { "step" }
                    @if lanes {
                        @for thread in &threads {
                            th.lane scope="col" title=(thread) { (thread) }
                        }
                    } @else {
                        th scope="col" { "thread" }
                        th.lane scope="col" { "what" }
                        th scope="col" { "could also have run" }
                    }
                    th scope="col" { "where" }
                } }
                tbody { @for (at, step) in steps.iter().enumerate() {
                    @let held = bars.pass(at);
                    @let class = (step.outcome == Outcome::Blocked).then_some("blocked");
                    tr #{ (id) "-s" (at + 1) } data-thread=(step.thread) class=[class] {
                        th scope="row" {
                            a href={ "#" (id) "-s" (at + 1) } { (step.number) }
                        }
                        @if lanes {
                            @for thread in &threads {
                                (lane(step, thread, held.get(thread), &colors))
                            }
                        } @else {
                            td { (step.thread) }
                            td.lane.act { (done(step, &colors)) }
                            td { (step.alternatives.join(", ")) }
                        }
                        td.where { (place(step, listing)) }
                    }
                } }
            }
        }
        p.legend {
            @if lanes {
                span { i.alt { "○" } " could also have run here" }
                span { i.bar.c0 {} " holds a lock, one colour each" }
            }
        }
    }
}

/// One thread's cell in one row.
fn lane(step: &Step, thread: &str, held: Option<&Vec<Bar<'_>>>, colors: &Colors<'_>) -> Markup {
    let acts = step.thread == thread;
    let could = !acts && step.alternatives.iter().any(|name| name == thread);
    html! {
        td.lane.act[acts] {
            @for bar in held.into_iter().flatten() {
                i class={ "bar c" (bar.color) " s" (bar.slot) } title={ "holds " (bar.object) } {}
            }
            @if acts { (done(step, colors)) }
            @else if could {
                span.alt title={ (thread) " could also have run here" } { "○" }
            }
        }
    }
}

/// The colours of objects by name.
type Colors<'a> = HashMap<&'a str, usize>;

fn done(step: &Step, colors: &Colors<'_>) -> Markup {
    let outcome = outcome(step);
    html! {
        span.op { (step.operation) }
        @if let Some(object) = &step.object {
            " "
            @match colors.get(object.as_str()) {
                Some(color) => span class={ "object t" (color) } { (object) },
                None => span.object { (object) },
            }
        }
        @if !outcome.is_empty() { " " span.outcome { (outcome) } }
    }
}

/// The file's name and the line, as a link to it if it is on the page.
fn place(step: &Step, listing: &Listing<'_>) -> Markup {
    let site = &step.site;
    let file = site.file.rsplit(['/', '\\']).next().unwrap_or(&site.file);
    html! {
        @match listing.anchor(site) {
            Some(anchor) => a href={ "#" (anchor) } title=(site) { (file) ":" (site.line) },
            None => span title=(site) { (file) ":" (site.line) },
        }
    }
}

/// How many bars stand beside each other at most, in any lane.
fn slots(colors: &Colors<'_>, finding: &Finding) -> usize {
    let mut bars = Bars::of(finding, colors);
    let in_row = |at| {
        let row = bars.pass(at);
        let last = |bars: &Vec<Bar<'_>>| bars.iter().map(|bar| bar.slot + 1).max();
        row.values().filter_map(last).max().unwrap_or(0)
    };
    (0..finding.steps.len()).map(in_row).max().unwrap_or(0)
}

/// Which bars there are, row by row.
struct Bars<'a> {
    colors: &'a Colors<'a>,
    /// By step: the holds that begin and end there, as thread and bar.
    begins: HashMap<usize, Vec<(&'a str, usize, &'a str)>>,
    ends: HashMap<usize, Vec<usize>>,
    /// By thread, the bars that are there; the number is that of the hold.
    now: HashMap<&'a str, Vec<(usize, Bar<'a>)>>,
    owner: HashMap<usize, &'a str>,
}

impl<'a> Bars<'a> {
    fn of(finding: &'a Finding, colors: &'a Colors<'a>) -> Self {
        let mut bars = Bars {
            colors,
            begins: HashMap::new(),
            ends: HashMap::new(),
            now: HashMap::new(),
            owner: HashMap::new(),
        };
        for (number, hold) in holds(&finding.steps).into_iter().enumerate() {
            let begin = bars.begins.entry(hold.from).or_default();
            begin.push((hold.thread, number, hold.object));
            if let Some(to) = hold.to {
                bars.ends.entry(to).or_default().push(number);
            }
        }
        bars
    }

    /// The bars of the row of a step, by thread: a hold's bar reaches from the step that takes it
    /// to the one that gives it back.
    fn pass(&mut self, at: usize) -> HashMap<&'a str, Vec<Bar<'a>>> {
        for (thread, number, object) in self.begins.remove(&at).unwrap_or_default() {
            let own = self.now.entry(thread).or_default();
            let free = (0..SLOTS_MAX).find(|slot| own.iter().all(|(_, bar)| bar.slot != *slot));
            if let Some(slot) = free {
                let color = self.colors.get(object).copied().unwrap_or(0);
                own.push((
                    number,
                    Bar {
                        slot,
                        color,
                        object,
                    },
                ));
                self.owner.insert(number, thread);
            }
        }
        let row = self
            .now
            .iter()
            .map(|(thread, bars)| (*thread, bars.iter().map(|(_, bar)| *bar).collect()))
            .collect();
        for number in self.ends.remove(&at).unwrap_or_default() {
            if let Some(own) = self
                .owner
                .get(&number)
                .and_then(|thread| self.now.get_mut(thread))
            {
                own.retain(|(other, _)| *other != number);
            }
        }
        row
    }
}

/// A colour for each object that is held or waited for, in the order of the steps.
pub(super) fn colors(finding: &Finding) -> Colors<'_> {
    let mut colors = Colors::new();
    for step in &finding.steps {
        // The end of a thread is nothing that is held.
        let waits = step.outcome == Outcome::Blocked && step.operation != "join";
        let waited = waits.then_some(step.object.as_ref());
        for object in step.acquires.iter().chain(waited.flatten()) {
            let next = colors.len() % COLORS;
            colors.entry(object).or_insert(next);
        }
    }
    colors
}
