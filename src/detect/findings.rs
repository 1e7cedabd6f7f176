//! The distinct findings of a search, in words.

use std::collections::BTreeMap;

use super::{Defect, fingerprint};
use crate::op::{Action, ObjectId, Until};
use crate::report::{Code, Edge, Finding, Holder, Shrunk, Site};
use crate::trace::{Paths, ReplayToken, Run, Steps, Turn};

/// Collects defects: each distinct one is described once, when it is first met.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    /// By what makes a defect distinct: its place in the list, and the execution that met it last.
    known: BTreeMap<Key, (usize, u64)>,
    /// By place in the list: the schedule that led there.
    schedules: Vec<Vec<Turn>>,
}

/// What makes a defect distinct: its code and the places involved.
type Key = (Code, Vec<crate::op::Site>, String, Option<Site>);

/// Where a defect was met.
pub(crate) struct Met<'a> {
    pub(crate) run: &'a Run,
    pub(crate) paths: &'a Paths,
    /// Counted from 1.
    pub(crate) execution: u64,
}

/// More findings than this are counted, not described: nobody reads them, and each holds a trace.
const FINDINGS_MAX: usize = 1_000;

impl Findings {
    /// Takes a defect in.
    pub(crate) fn add(&mut self, defect: &Defect, met: &Met<'_>) {
        let key = key(defect);
        if let Some((at, last)) = self.known.get_mut(&key) {
            if *last != met.execution {
                *last = met.execution;
                self.list[*at].seen += 1;
            }
            return;
        }
        if self.list.len() == FINDINGS_MAX {
            return;
        }
        self.known.insert(key, (self.list.len(), met.execution));
        self.list.push(describe(defect, met));
        self.schedules.push(met.run.schedule());
    }

    /// The place of the defect in the list, if it is there.
    pub(crate) fn place(&self, defect: &Defect) -> Option<usize> {
        self.known.get(&key(defect)).map(|(at, _)| *at)
    }

    /// The schedule that led to a finding.
    pub(crate) fn schedule(&self, at: usize) -> Vec<Turn> {
        self.schedules[at].clone()
    }

    /// The same finding is met in a simpler interleaving.
    pub(crate) fn simplify(&mut self, at: usize, defect: &Defect, met: &Met<'_>) {
        let before = &self.list[at];
        let shrunk = before.shrunk.unwrap_or_else(|| Shrunk::of(&before.steps));
        self.list[at] = Finding {
            execution: before.execution,
            seen: before.seen,
            fingerprint: before.fingerprint.clone(),
            shrunk: Some(shrunk),
            ..describe(defect, met)
        };
    }

    pub(crate) fn list(&self) -> &[Finding] {
        &self.list
    }
}

fn key(defect: &Defect) -> Key {
    let mut places: Vec<crate::op::Site> = Vec::new();
    for wait in &defect.waits {
        places.push(wait.site);
        places.extend(wait.taken.map(|(site, _)| site));
    }
    places.extend(defect.related.iter().map(|related| related.site));
    places.sort_unstable();
    // A panic is where it was raised, whatever its thread did last.
    places.extend(defect.site.filter(|_| defect.raised.is_none()));
    let detail = match defect.code {
        Code::Starvation => String::new(),
        _ => defect.detail.clone(),
    };
    (defect.code, places, detail, defect.raised.clone())
}

fn describe(defect: &Defect, met: &Met<'_>) -> Finding {
    let run = met.run;
    let steps = run.steps();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        names
    };
    Finding {
        code: defect.code,
        severity: defect.code.severity(),
        message: message(defect, run),
        threads: sorted(
            defect
                .threads
                .iter()
                .map(|&id| run.thread_name(id))
                .collect(),
        ),
        objects: sorted(
            defect
                .objects
                .iter()
                .map(|&id| run.object_name(id))
                .collect(),
        ),
        edges: edges(defect, run, &steps),
        site: defect.raised.clone().or_else(|| defect.site.map(Site::at)),
        notes: notes(defect, run),
        fingerprint: fingerprint::of(run, defect),
        token: match is_of_all_states(defect, run) || defect.code == Code::Nondeterminism {
            true => String::new(),
            false => ReplayToken::of(run, met.paths).to_string(),
        },
        execution: met.execution,
        seen: 1,
        shrunk: None,
        steps: steps.list,
    }
}

/// Whether it shows only in how the states lead to one another, not in one interleaving: who never
/// comes to an end has no last step.
fn is_of_all_states(defect: &Defect, run: &Run) -> bool {
    defect.code == Code::Starvation && run.events.is_empty()
}

/// What a thread waits for that waits for no object.
fn nameless(action: Action) -> &'static str {
    match action {
        Action::Park => "its token",
        _ => "nothing",
    }
}

/// Whether the thread goes on reading the object in vain.
fn spins(wait: &super::Wait) -> bool {
    wait.op.action == Action::Load && wait.op.until != Until::Nothing
}

fn edges(defect: &Defect, run: &Run, steps: &Steps) -> Vec<Edge> {
    let number_of = |event: u32| steps.of_event.get(event as usize).copied();
    let edge = |wait: &super::Wait| Edge {
        thread: run.thread_name(wait.thread),
        operation: match spins(wait) {
            true => "spin".to_owned(),
            false => run.verb(wait.op).to_owned(),
        },
        object: run
            .subject(wait.op)
            .unwrap_or_else(|| nameless(wait.op.purpose()).to_owned()),
        site: Site::at(wait.site),
        step: steps
            .waiting
            .iter()
            .find(|(thread, _)| *thread == wait.thread)
            .map_or(steps.list.len() as u32, |(_, step)| *step),
        holder: wait.holder.map(|holder| Holder {
            thread: run.thread_name(holder),
            site: wait.taken.map(|(site, _)| Site::at(site)),
            step: wait.taken.and_then(|(_, event)| number_of(event)),
        }),
    };
    defect.waits.iter().map(edge).collect()
}

fn notes(defect: &Defect, run: &Run) -> Vec<String> {
    let held = defect.related.iter().map(|related| {
        format!(
            "`{}` took `{}` at {}",
            run.thread_name(related.holder),
            run.object_name(related.object),
            Site::at(related.site)
        )
    });
    let whole = is_of_all_states(defect, run).then(|| {
        "the states say so as a whole: there is no one interleaving to show or to replay".to_owned()
    });
    let usual = (defect.code == Code::Nondeterminism).then(|| {
        "usual causes: the order of a HashMap, an address, a clock, a random number, a static or \
         thread-local that outlives an execution, a std::sync::Arc; `cargo gordian explain \
         nondeterminism` says what to do"
            .to_owned()
    });
    held.chain(whole).chain(usual).collect()
}

/// One sentence, lower case, without a full stop.
fn message(defect: &Defect, run: &Run) -> String {
    let thread = |at: usize| format!("`{}`", run.thread_name(defect.threads[at]));
    let object = |at: usize| format!("`{}`", run.object_name(defect.objects[at]));
    let detail = &defect.detail;
    match defect.code {
        Code::Deadlock if defect.threads.len() == 2 => {
            format!("{} and {} wait for each other", thread(0), thread(1))
        }
        Code::Deadlock => format!("{} wait for one another", all_threads(defect, run)),
        Code::SelfDeadlock => match defect.waits[0].op.object {
            ObjectId::NONE => format!("{} waits for its own end", thread(0)),
            _ => format!(
                "{} waits for {}, which it holds itself",
                thread(0),
                object(0)
            ),
        },
        Code::LostWakeup => lost_wakeup(defect, run),
        Code::DoubleRelease => format!("{} releases {}, which nobody holds", thread(0), object(0)),
        Code::ForeignRelease => {
            format!(
                "{} releases {}, which {} holds",
                thread(0),
                object(0),
                thread(1)
            )
        }
        Code::LeakedGuard => format!(
            "{} ended while it held {}",
            thread(0),
            all_objects(defect, run)
        ),
        Code::SlowUnderLock => format!(
            "{} makes the slow call `{detail}` while it holds {}",
            thread(0),
            all_objects(defect, run)
        ),
        Code::TimeoutOnly => {
            format!(
                "only a time-out broke the cycle of {}",
                all_threads(defect, run)
            )
        }
        Code::Starvation => match defect.objects.first() {
            Some(_) => format!("{} tried {} {detail}, in vain", thread(0), object(0)),
            None => format!("{} got nowhere: {detail}", thread(0)),
        },
        Code::RecursiveRead => format!(
            "{} reads {} again, which blocks when a writer queues in between",
            thread(0),
            object(0)
        ),
        Code::Panic => format!("{} {detail}", thread(0)),
        _ => detail.clone(),
    }
}

fn lost_wakeup(defect: &Defect, run: &Run) -> String {
    let wait = &defect.waits[0];
    let thread = run.thread_name(wait.thread);
    let object = run.subject(wait.op).unwrap_or_default();
    let what = match wait.op.purpose() {
        Action::Load if spins(wait) => {
            Some((format!("spins until `{object}` changes"), "change it"))
        }
        Action::Park => Some(("is parked".to_owned(), "unpark it")),
        Action::Wake => Some((format!("waits to be notified on `{object}`"), "notify it")),
        Action::Recv => Some((format!("waits to receive from `{object}`"), "send")),
        Action::Send => Some((format!("waits to send on `{object}`"), "receive")),
        Action::Select => Some((format!("waits in a select over `{object}`"), "take part")),
        Action::WaitZero => Some((format!("waits for `{object}` to be 0"), "count it down")),
        Action::Arrive => Some((format!("waits at `{object}`"), "come there")),
        Action::Enlist => Some((format!("waits for `{object}`"), "notify it")),
        Action::Acquire => Some((format!("waits for permits of `{object}`"), "release any")),
        Action::Evaluate => Some(("waits for a condition".to_owned(), "make it true")),
        Action::Join => {
            return format!("`{thread}` waits for the end of `{object}`, which never comes");
        }
        Action::Forever => return format!("`{thread}` blocks for ever"),
        _ => None,
    };
    match (what, wait.holder) {
        (Some((waits, remedy)), _) => format!("`{thread}` {waits}, and nobody is left to {remedy}"),
        (_, Some(holder)) if run.live & (1 << holder.0) != 0 => format!(
            "`{thread}` waits for `{object}`, which `{}` never {}",
            run.thread_name(holder),
            match wait.op.action {
                Action::Begin => "completes",
                _ => "gives back",
            }
        ),
        (_, Some(holder)) => format!(
            "`{thread}` waits for `{}`, which `{}` held when it ended",
            run.subject(wait.op).unwrap_or_default(),
            run.thread_name(holder)
        ),
        (_, None) => format!("`{thread}` waits, and nobody is left to wake it"),
    }
}

fn all_threads(defect: &Defect, run: &Run) -> String {
    listed(
        defect
            .threads
            .iter()
            .map(|&id| run.thread_name(id))
            .collect(),
    )
}

fn all_objects(defect: &Defect, run: &Run) -> String {
    listed(
        defect
            .objects
            .iter()
            .map(|&id| run.object_name(id))
            .collect(),
    )
}

/// "`a`, `b` and `c`".
pub(crate) fn listed(names: Vec<String>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
