//! The state of a scenario that runs, as far as the engine does not keep it.
//!
//! Knows where each thread is, what its variables are and which values travel through channels.
//! Does not know what a statement does, nor whether a thread may go on.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use parking_lot::Mutex;

use super::ast::{LocalIndex, ObjectIndex, ObjectKind, Scenario};
use super::code::{Code, Hold, Pc, Slot};
use super::intern;
use super::places::Places;
use super::terminal::{End, Phase, Terminal};
use crate::engine::{Identity, Program};
use crate::op::{Kind, Preference, Site};
use crate::report::{self, Coverage, Unreached};

/// A scenario, ready to be run again and again, and the execution that is under way.
pub(super) struct Machine {
    pub(super) scenario: Arc<Scenario>,
    pub(super) code: Code,
    pub(super) objects: Vec<Object>,
    /// For each thread that is deferred, the number of its gate in `gates`.
    pub(super) gate_of: Vec<Option<usize>>,
    pub(super) gates: Vec<Object>,
    /// For each instruction.
    pub(super) sites: Vec<Site>,
    /// For each text, the same for as long as the process lives.
    pub(super) texts: Vec<&'static str>,
    source: String,
    state: Mutex<State>,
    terminals: Mutex<BTreeSet<Terminal>>,
}

/// An object as the engine knows it.
pub(super) struct Object {
    pub(super) identity: Identity,
    pub(super) kind: Kind,
}

/// Everything that changes.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct State {
    pub(super) threads: Vec<Thread>,
    /// By object: the value of a `var`, else 0.
    pub(super) vars: Vec<i64>,
    /// By object: what is in a channel.
    pub(super) buffers: Vec<VecDeque<i64>>,
}

/// One thread.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Thread {
    pub(super) life: Life,
    pub(super) pc: Pc,
    /// The calls that it is in, the innermost last.
    pub(super) calls: Vec<Pc>,
    /// Its variables, and the counters of its loops.
    pub(super) slots: Vec<i64>,
    /// How often it holds each re-entrant mutex; ordered, without zeros.
    pub(super) depths: Vec<(ObjectIndex, u32)>,
    /// How it holds rwlocks: ordered by lock, and for each lock in the order it took them.
    pub(super) holds: Vec<(ObjectIndex, Hold)>,
    /// What it would send, on each channel where it offers to meet a receiver, until one has taken
    /// it.
    pub(super) offers: Vec<(ObjectIndex, i64)>,
    /// What the sender who met it has left for it.
    pub(super) received: Option<i64>,
}

/// Whether a thread has begun, and whether it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Life {
    #[default]
    NotStarted,
    Running,
    Ended,
}

impl Machine {
    pub(super) fn new(scenario: &Arc<Scenario>, file: &str, source: &str) -> Machine {
        let code = Code::new(scenario);
        let places = Places::new(file, source);
        let sites = places.sites(&code.spans);
        let clusters = clusters(scenario, &code);
        let object = |(at, object): (usize, &super::ast::Object)| Object {
            identity: identity(&object.name),
            kind: kind(object.kind, clusters[at]),
        };
        let (gate_of, gates) = gates(scenario);
        Machine {
            objects: scenario.objects.iter().enumerate().map(object).collect(),
            gate_of,
            gates,
            sites,
            texts: scenario
                .texts
                .iter()
                .map(|text| intern::text(text))
                .collect(),
            source: source.to_owned(),
            state: Mutex::default(),
            terminals: Mutex::default(),
            scenario: Arc::clone(scenario),
            code,
        }
    }

    /// Where the text takes a lock, as far as no execution came there.
    pub(super) fn unreached(&self, seen: &Coverage) -> Vec<Unreached> {
        let reached: BTreeSet<&report::Site> = seen
            .locks
            .iter()
            .flat_map(|lock| &lock.sites)
            .map(|its| &its.site)
            .collect();
        let all = self.code.acquisitions(&self.scenario).into_iter();
        let unreached: BTreeSet<Unreached> = all
            .map(|(pc, lock)| {
                let name = &self.scenario.objects[lock.0 as usize].name;
                Unreached::new(report::Site::at(self.sites[pc as usize]), name.clone())
            })
            .filter(|its| !reached.contains(&its.site))
            .collect();
        unreached.into_iter().collect()
    }

    /// Begins an execution.
    pub(super) fn restart(&self) {
        let threads = self.code.entries.iter().map(|&entry| Thread {
            pc: entry,
            slots: vec![0; self.code.slots],
            ..Thread::default()
        });
        let value = |object: &super::ast::Object| match object.kind {
            ObjectKind::Var { value } => value,
            _ => 0,
        };
        *self.state.lock() = State {
            threads: threads.collect(),
            vars: self.scenario.objects.iter().map(value).collect(),
            buffers: vec![VecDeque::new(); self.scenario.objects.len()],
        };
    }

    /// Works on the state. `f` must not do an operation: others run then.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock())
    }

    /// Works on the state of a thread, in the same way.
    pub(super) fn thread<R>(&self, thread: usize, f: impl FnOnce(&mut Thread) -> R) -> R {
        f(&mut self.state.lock().threads[thread])
    }

    pub(super) fn object(&self, index: ObjectIndex) -> (&Identity, Kind) {
        let object = &self.objects[index.0 as usize];
        (&object.identity, object.kind)
    }

    pub(super) fn kind(&self, index: ObjectIndex) -> ObjectKind {
        self.scenario.objects[index.0 as usize].kind
    }

    pub(super) fn name(&self, index: ObjectIndex) -> &str {
        &self.scenario.objects[index.0 as usize].name
    }

    /// The source of the statement at this position.
    pub(super) fn text(&self, pc: Pc) -> &str {
        let span = self.code.spans[pc as usize];
        let text = self.source.get(span.start as usize..span.end as usize);
        text.unwrap_or_default().trim()
    }

    /// All ends that executions came to so far.
    pub(super) fn take_terminals(&self) -> BTreeSet<Terminal> {
        std::mem::take(&mut self.terminals.lock())
    }

    /// Where the thread is, now that nothing moves.
    fn end_of(&self, thread: &Thread) -> End {
        match thread.life {
            Life::NotStarted => End::NotStarted,
            Life::Ended => End::Ended,
            Life::Running => {
                let at = thread.pc as usize;
                let kinds = |index: ObjectIndex| self.kind(index);
                let second = self.code.instructions[at].waits_after_arriving(kinds);
                End::Waiting {
                    statement: self.code.spans[at].start,
                    phase: match second {
                        true => Phase::GoingOn,
                        false => Phase::Arriving,
                    },
                }
            }
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("scenario", &self.scenario.title)
            .finish_non_exhaustive()
    }
}

impl Program for Machine {
    fn hash(&self, mut hasher: &mut dyn Hasher) {
        self.state.lock().hash(&mut hasher);
    }

    fn maximal(&self) {
        let state = self.state.lock();
        let objects = self.scenario.objects.iter().zip(&state.vars);
        let vars = objects.filter(|(object, _)| matches!(object.kind, ObjectKind::Var { .. }));
        let named = self.scenario.locals.len();
        let threads = state.threads.iter();
        let terminal = Terminal {
            vars: vars.map(|(_, value)| *value).collect(),
            locals: threads
                .clone()
                .map(|it| it.slots[..named].to_vec())
                .collect(),
            threads: threads.map(|thread| self.end_of(thread)).collect(),
        };
        self.terminals.lock().insert(terminal);
    }
}

impl Thread {
    pub(super) fn local(&self, index: LocalIndex) -> i64 {
        self.slots[index.0 as usize]
    }

    pub(super) fn set_local(&mut self, index: Option<LocalIndex>, value: i64) {
        if let Some(index) = index {
            self.slots[index.0 as usize] = value;
        }
    }

    pub(super) fn counter(&mut self, slot: Slot) -> &mut i64 {
        &mut self.slots[slot as usize]
    }

    /// How often it holds the re-entrant mutex.
    pub(super) fn depth(&self, lock: ObjectIndex) -> u32 {
        let found = self.depths.iter().find(|(its, _)| *its == lock);
        found.map_or(0, |(_, depth)| *depth)
    }

    pub(super) fn set_depth(&mut self, lock: ObjectIndex, depth: u32) {
        self.depths.retain(|(its, _)| *its != lock);
        if depth > 0 {
            let at = self.depths.partition_point(|(its, _)| *its < lock);
            self.depths.insert(at, (lock, depth));
        }
    }

    /// Its latest hold of the rwlock.
    pub(super) fn latest_hold(&mut self, lock: ObjectIndex) -> Option<&mut (ObjectIndex, Hold)> {
        self.holds.iter_mut().rev().find(|(its, _)| *its == lock)
    }

    pub(super) fn add_hold(&mut self, lock: ObjectIndex, hold: Hold) {
        let at = self.holds.partition_point(|(its, _)| *its <= lock);
        self.holds.insert(at, (lock, hold));
    }

    /// Its hold of the rwlock of this kind, if it has one.
    pub(super) fn hold(&mut self, lock: ObjectIndex, hold: Hold) -> Option<&mut Hold> {
        let found = self.holds.iter_mut().find(|its| **its == (lock, hold));
        found.map(|(_, hold)| hold)
    }

    /// Forgets its latest hold of the rwlock.
    pub(super) fn remove_latest_hold(&mut self, lock: ObjectIndex) {
        if let Some(at) = self.holds.iter().rposition(|(its, _)| *its == lock) {
            self.holds.remove(at);
        }
    }
}

fn identity(name: &str) -> Identity {
    Identity::default().named(name.to_owned().into())
}

/// What the engine is told an object is.
fn kind(kind: ObjectKind, cluster: u8) -> Kind {
    match kind {
        ObjectKind::Mutex | ObjectKind::ReentrantMutex => Kind::Mutex,
        ObjectKind::Lock => Kind::RawLock,
        ObjectKind::RwLock(preference) => Kind::RwLock(match preference {
            super::ast::Preference::Writer => Preference::Writer,
            super::ast::Preference::Fifo => Preference::Fifo,
            super::ast::Preference::Reader => Preference::Reader,
        }),
        ObjectKind::Condvar { spurious, fifo } => Kind::Condvar { spurious, fifo },
        ObjectKind::Semaphore { permits, fifo, max } => Kind::Semaphore {
            permits,
            fifo,
            max: max.unwrap_or(u32::MAX),
        },
        ObjectKind::Channel { capacity } => Kind::Channel { capacity, cluster },
        ObjectKind::WaitGroup { count } => Kind::WaitGroup { count, exact: true },
        ObjectKind::Barrier { parties } => Kind::Barrier { parties },
        ObjectKind::Once => Kind::Once { done: false },
        ObjectKind::Notify => Kind::Notify,
        ObjectKind::Var { value } => Kind::Variable { value },
    }
}

/// For each object the cluster it belongs to, if it is a rendezvous: those that are arms of one
/// select, and those that are arms of another together with one of these, are of one cluster.
fn clusters(scenario: &Scenario, code: &Code) -> Vec<u8> {
    let mut roots: Vec<usize> = (0..scenario.objects.len()).collect();
    let is_rendezvous =
        |at: &usize| scenario.objects[*at].kind == ObjectKind::Channel { capacity: Some(0) };
    for channels in code.selected_together() {
        let channels: Vec<usize> = channels.map(|index| index.0 as usize).collect();
        let mut members = channels.into_iter().filter(is_rendezvous);
        let Some(first) = members.next() else {
            continue;
        };
        for member in members {
            let (from, to) = (roots[member], roots[first]);
            roots
                .iter_mut()
                .filter(|root| **root == from)
                .for_each(|root| *root = to);
        }
    }
    let mut known: Vec<usize> = Vec::new();
    let numbers = roots.iter().enumerate().map(|(at, root)| {
        if !is_rendezvous(&at) {
            return 0;
        }
        let number = known.iter().position(|its| its == root).unwrap_or_else(|| {
            known.push(*root);
            known.len() - 1
        });
        // Too many clusters share the last one, which only costs executions.
        u8::try_from(number).unwrap_or(u8::MAX)
    });
    numbers.collect()
}

/// For each deferred thread the number of its gate, and the gates: one for each declaration.
fn gates(scenario: &Scenario) -> (Vec<Option<usize>>, Vec<Object>) {
    let mut gates = Vec::new();
    let mut last = None;
    let mut numbers = Vec::new();
    for thread in &scenario.threads {
        if !thread.deferred {
            numbers.push(None);
            continue;
        }
        if last != Some(thread.span) {
            last = Some(thread.span);
            gates.push(Object {
                identity: identity(&thread.name),
                kind: Kind::Gate,
            });
        }
        numbers.push(Some(gates.len() - 1));
    }
    (numbers, gates)
}
