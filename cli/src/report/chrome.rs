//! A finding as a Chrome trace, for Perfetto: <https://ui.perfetto.dev>.
//!
//! Knows the trace event format, and what Perfetto makes of it. A step takes a millisecond, since
//! how long it really took says nothing. One track per thread with its steps, one per lock with its
//! holders, and an arrow from whoever holds to whoever waits.

use gordian::Report;
use gordian::report::{Finding, Step};
use serde_json::{Value, json};

use super::holds::{Hold, holds, threads, waits};
use super::text::phrase;

/// Process numbers: the threads are in one, the locks in another.
const THREADS: u32 = 1;
const LOCKS: u32 = 2;
/// Microseconds of a step, and how much of that its slice takes.
const STEP_MICROS: usize = 1000;
const SLICE_MICROS: usize = 900;

/// The trace of a finding. What is not for trace viewers is under `gordian`.
pub(super) fn document(report: &Report, finding: &Finding) -> Value {
    let steps = &finding.steps;
    let names = threads(steps);
    let held = holds(steps);
    let mut locks: Vec<&str> = Vec::new();
    for hold in &held {
        if !locks.contains(&hold.object) {
            locks.push(hold.object);
        }
    }
    let mut events = vec![
        metadata(
            "process_name",
            THREADS,
            1,
            &format!("threads of {}", report.model),
        ),
        metadata("process_name", LOCKS, names.len() + 1, "locks"),
    ];
    for (at, name) in names.iter().enumerate() {
        events.push(metadata("thread_name", THREADS, at + 1, name));
    }
    let track = |thread: &str| names.iter().position(|name| *name == thread).unwrap_or(0) + 1;
    events.extend(slices(steps, &track));
    // Some viewers know a thread by its number alone, whatever process it is in.
    let other = names.len() + 1;
    events.extend(lock_holds(&held, &locks, steps.len(), other));
    events.extend(arrows(steps, &held, &track));
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "gordian": {
            "v": 1,
            "model": report.model,
            "scenario": report.scenario,
            "code": finding.code,
            "message": finding.message,
            "fingerprint": finding.fingerprint,
            "token": finding.token,
            "replay": report.how_to_replay(finding),
        },
    })
}

fn metadata(kind: &str, process: u32, thread: usize, name: &str) -> Value {
    json!({
        "ph": "M", "name": kind, "pid": process, "tid": thread, "args": { "name": name },
    })
}

/// Every step on its thread's track; one at which its thread waits reaches to the end of the wait.
fn slices(steps: &[Step], track: &impl Fn(&str) -> usize) -> Vec<Value> {
    let mut ends: Vec<Option<usize>> = vec![None; steps.len()];
    for wait in waits(steps) {
        ends[wait.from] = Some(wait.to.unwrap_or(steps.len()));
    }
    let slice = |(at, step): (usize, &Step)| {
        let time = at * STEP_MICROS;
        let duration = match ends[at] {
            Some(end) => (end - at) * STEP_MICROS - (STEP_MICROS - SLICE_MICROS),
            None => SLICE_MICROS,
        };
        json!({
            "ph": "X", "cat": "step", "name": phrase(step), "pid": THREADS,
            "tid": track(&step.thread), "ts": time, "dur": duration,
            "args": {
                "step": step.number,
                "site": step.site.to_string(),
                "could also have run": step.alternatives,
            },
        })
    };
    steps.iter().enumerate().map(slice).collect()
}

/// Holds as async slices: they need not nest. A track has the name of its first slice, so each
/// begins with one of the lock's name that lasts to the end, and the holds are inside of it, by the
/// names of the holders. One track a lock, and more where holds of it overlap, as readers' do.
fn lock_holds(held: &[Hold<'_>], locks: &[&str], steps: usize, track: usize) -> Vec<Value> {
    let last = (steps + 1) * STEP_MICROS;
    // By lock: the holds on each of its tracks, with their ends.
    let mut lanes: Vec<Vec<Vec<(&Hold<'_>, usize)>>> = vec![Vec::new(); locks.len()];
    for hold in held {
        let lock = locks.iter().position(|lock| *lock == hold.object);
        let lanes = &mut lanes[lock.unwrap_or(0)];
        let begin = hold.from * STEP_MICROS;
        // What is held in the end is held a little longer than the last step takes.
        let end = hold.to.map_or(last, |to| to * STEP_MICROS + SLICE_MICROS);
        let is_free =
            |lane: &Vec<(&Hold<'_>, usize)>| lane.last().is_none_or(|(_, end)| *end <= begin);
        match lanes.iter_mut().find(|lane| is_free(lane)) {
            Some(lane) => lane.push((hold, end)),
            None => lanes.push(vec![(hold, end)]),
        }
    }
    let mut events = Vec::new();
    for (lock, lanes) in lanes.iter().enumerate() {
        for (lane, holds) in lanes.iter().enumerate() {
            let id = format!("{}.{}", lock + 1, lane + 1);
            let event = |phase: &str, name: &str, time: usize| {
                json!({
                    "ph": phase, "cat": "hold", "id": id, "name": name,
                    "pid": LOCKS, "tid": track, "ts": time,
                    "args": { "lock": locks[lock] },
                })
            };
            events.push(event("b", locks[lock], 0));
            for (hold, end) in holds {
                events.push(event("b", hold.thread, hold.from * STEP_MICROS));
                events.push(event("e", hold.thread, *end));
            }
            events.push(event("e", locks[lock], last));
        }
    }
    events
}

/// From the step that took something to each wait for it that falls into that hold.
fn arrows(steps: &[Step], held: &[Hold<'_>], track: &impl Fn(&str) -> usize) -> Vec<Value> {
    let mut events = Vec::new();
    for wait in waits(steps) {
        let holder = held.iter().rev().find(|hold| {
            Some(hold.object) == wait.object
                && hold.from <= wait.from
                && hold.to.is_none_or(|to| to > wait.from)
        });
        let Some(hold) = holder else { continue };
        let id = events.len() / 2 + 1;
        for (phase, thread, at) in [("s", hold.thread, hold.from), ("f", wait.thread, wait.from)] {
            let mut event = json!({
                "ph": phase, "cat": "wait-for", "name": "waits for", "id": id, "pid": THREADS,
                "tid": track(thread), "ts": at * STEP_MICROS + SLICE_MICROS / 2,
            });
            if phase == "f" {
                // To the slice that encloses it, not to the next one.
                event["bp"] = "e".into();
            }
            events.push(event);
        }
    }
    events
}
