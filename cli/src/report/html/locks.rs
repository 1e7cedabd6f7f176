//! The locks of each model: who takes them, where, and in which order.
//!
//! Knows tables, and what other models of the same run do with the same lock. A model whose locks
//! are used as they should be is folded away.
//!
//! # Sites that a model never comes to
//! Nothing lists all places of a program at which a lock is taken. Known are those to which some
//! model of the run came. A place counts as not reached by a model when another model of the run
//! took *the same lock* there: one of the same name, made at the same place, which this model uses
//! too. Of a lock that a model does not have, it is told nothing.

use std::collections::BTreeSet;

use gordian::report::{
    Acquisition, BothOrders, Coverage, LockMode, LockUse, Nesting, Site, grouped,
};
use maud::{Markup, html};

use crate::outcome::Status;
use crate::report::events::{Entry, Results};

/// More sites of one lock than this are only counted.
const SITES_MAX: usize = 12;

/// The section on the locks of all models; nothing if none has any.
pub(super) fn section(results: &Results) -> Markup {
    let with_locks: Vec<(&Entry, &Coverage)> = results
        .models
        .iter()
        .filter_map(|entry| Some((entry, &entry.report.as_ref()?.coverage)))
        .filter(|(_, coverage)| !coverage.is_empty())
        .collect();
    if with_locks.is_empty() {
        return html! {};
    }
    html! {
        section.locks aria-labelledby="locks" {
            h2 #locks { "Locks" }
            @for (entry, coverage) in &with_locks { (model(results, entry, coverage)) }
        }
    }
}

/// One model.
fn model(results: &Results, entry: &Entry, coverage: &Coverage) -> Markup {
    let remarks = remarks(coverage);
    let clean = entry.status == Status::Passed && remarks.is_empty();
    html! {
        details open[!clean] {
            summary {
                span.group { (entry.group) } " " span.name { (entry.name) }
                small { (gist(coverage)) }
                @for remark in &remarks { span.expected { (remark) } }
            }
            div.scroll tabindex="0" role="region" aria-label={ "locks of " (entry.name) } {
                (uses(results, entry, coverage))
                @if !coverage.nested.is_empty() { (orders(coverage)) }
            }
            @if !coverage.unreached.is_empty() {
                p { "Never reached: "
                    @for (at, its) in coverage.unreached.iter().enumerate() {
                        @if at > 0 { ", " }
                        code { (its.lock) } " at " (place(&its.site))
                    }
                }
            }
            @if coverage.left_out > 0 {
                p { (grouped(coverage.left_out)) " more locks, places and orders are left out." }
            }
        }
    }
}

/// `2 locks, 3 orders`.
fn gist(coverage: &Coverage) -> String {
    let counted = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    };
    let locks = counted(coverage.locks.len(), "lock");
    match coverage.nested.len() {
        0 => format!(" {locks}, none nested"),
        nested => format!(" {locks}, {} nested", counted(nested, "pair")),
    }
}

/// What is worth a look.
fn remarks(coverage: &Coverage) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    if coverage.is_uncontended() {
        remarks.push("never contended");
    }
    let mut nested = coverage.nested.iter();
    if nested.any(|its| coverage.both_orders(its) == Some(BothOrders::Seen)) {
        remarks.push("both orders");
    }
    if !coverage.unreached.is_empty() {
        remarks.push("not all reached");
    }
    remarks
}

fn uses(results: &Results, entry: &Entry, coverage: &Coverage) -> Markup {
    html! {
        table.uses {
            thead { tr {
                th scope="col" { "Lock" }
                th scope="col" { "Threads" }
                th scope="col" { "Taken" }
                th scope="col" { "Contended" }
                th scope="col" { "Where" }
            } }
            tbody { @for lock in &coverage.locks {
                tr {
                    th scope="row" {
                        code { (lock.name) } " " small { (lock.kind) }
                        @if lock.count > 1 { small { " · " (lock.count) " made at one place" } }
                    }
                    td {
                        (lock.threads.join(", "))
                        @if lock.is_of_one_thread() { " " span.expected { "one thread" } }
                    }
                    td.number { (grouped(lock.acquired())) }
                    td.number {
                        @if lock.is_contended() { (grouped(lock.contended())) }
                        @else { span.expected { "never" } }
                    }
                    td { (sites(lock, &elsewhere(results, entry, lock))) }
                }
            } }
        }
    }
}

fn sites(lock: &LockUse, elsewhere: &BTreeSet<&Site>) -> Markup {
    let line = |its: &Acquisition| {
        html! {
            li {
                (its.operation) " " (place(&its.site))
                @if its.contended == 0 { small { " · never contended" } }
            }
        }
    };
    html! {
        ul {
            @for its in lock.sites.iter().take(SITES_MAX) { (line(its)) }
            @if lock.sites.len() > SITES_MAX {
                li { small { (lock.sites.len() - SITES_MAX) " more places" } }
            }
            @for site in elsewhere.iter().take(SITES_MAX) {
                li.missing { (place(site)) small { " · not reached here, but by another model" } }
            }
            @if elsewhere.len() > SITES_MAX {
                li.missing { small { (elsewhere.len() - SITES_MAX) " more of these" } }
            }
        }
    }
}

/// Where other models of the run take this lock, and this one does not.
fn elsewhere<'a>(results: &'a Results, entry: &Entry, lock: &LockUse) -> BTreeSet<&'a Site> {
    let own = |site: &&Site| lock.sites.iter().any(|its| its.site == **site);
    // One that has neither a name nor a place may be any.
    let others = results
        .models
        .iter()
        .filter(|other| !std::ptr::eq(*other, entry) && lock.made.is_some());
    others
        .filter_map(|other| other.report.as_ref())
        .flat_map(|report| &report.coverage.locks)
        .filter(|other| other.is_same(lock))
        .flat_map(|other| &other.sites)
        .map(|its| &its.site)
        .filter(|site| !own(site))
        .collect()
}

fn orders(coverage: &Coverage) -> Markup {
    html! {
        table.orders {
            thead { tr {
                th scope="col" { "Held" }
                th scope="col" { "then taken" }
                th scope="col" { "Threads" }
                th scope="col" { "Seen" }
                th scope="col" { "First at" }
                th scope="col" { "Order" }
            } }
            tbody { @for its in &coverage.nested { (order(coverage, its)) } }
        }
    }
}

fn order(coverage: &Coverage, its: &Nesting) -> Markup {
    let verdict = match coverage.both_orders(its) {
        Some(BothOrders::Seen) => "both orders seen",
        Some(BothOrders::SeenOfSeveral) => "both orders seen, of several locks",
        None if its.outer == its.inner => "of several locks",
        None if its.tried => "only tried",
        _ => "",
    };
    html! {
        tr {
            td { (name(coverage, its.outer)) (mode(its.outer_mode)) }
            td { (name(coverage, its.inner)) (mode(its.inner_mode)) }
            td { (its.threads.join(", ")) }
            td.number { (grouped(its.seen)) }
            td { (place(&its.outer_site)) ", " (place(&its.inner_site)) }
            td { @if verdict.starts_with("both") { span.expected { (verdict) } }
                @else { (verdict) } }
        }
    }
}

fn name(coverage: &Coverage, at: u32) -> Markup {
    let lock = coverage.locks.get(at as usize);
    html! { code { (lock.map_or("?", |lock| lock.name.as_str())) } }
}

fn mode(mode: LockMode) -> Markup {
    let word = match mode {
        LockMode::Shared => " (reads)",
        LockMode::Upgradable => " (upgradable)",
        _ => "",
    };
    html! { small { (word) } }
}

fn place(site: &Site) -> Markup {
    html! { span.place { (site.file) ":" (site.line) ":" (site.column) } }
}
