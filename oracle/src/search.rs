//! The search: every state once, in the order of their distance from the first.
//!
//! Knows the order of things. Does not know what a step does (`meaning`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use gordian::report;
use gordian::scenario::ast::{ObjectKind, Scenario};
use gordian::scenario::{End, Phase, Terminal};

use crate::code::Code;
use crate::graph::{Components, Graph, Mask};
use crate::meaning::{Machine, Way};
use crate::state::{Life, State, Thread};
use crate::table::Table;
use crate::waits;

/// Where the search gives up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most states.
    pub states_max: u32,
    /// Most bytes that all states take together.
    pub bytes_max: usize,
    /// Most instructions of local arithmetic, jumps and choices between two steps.
    pub moves_max: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            states_max: 2_000_000,
            bytes_max: 1 << 30,
            moves_max: 100_000,
        }
    }
}

/// What the search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether every state was visited.
    pub complete: bool,
    /// Why not.
    pub incomplete_reason: Option<String>,
    /// Why the scenario cannot be searched; nothing else says anything then.
    pub error: Option<Failure>,
    /// States that were met.
    pub states: u64,
    /// Steps between them.
    pub transitions: u64,
    /// Steps from the first state to the one that is farthest from it.
    pub depth: u64,
    /// Whether there is an interleaving without an end.
    pub endless: bool,
    /// The states in which nothing can move.
    pub terminal: BTreeSet<Terminal>,
    /// The threads, daemons left out, that in some state can never move again, and where.
    pub stuck: BTreeSet<Stuck>,
    /// The kinds of all findings of severity error, [`Starvation`](report::Code::Starvation)
    /// included.
    pub codes: BTreeSet<report::Code>,
    /// Those of severity hazard: what a thread leaves locked, which matters when somebody waits for
    /// it, and a `lock`, which has no owner, freed by another than who took it.
    pub hazards: BTreeSet<report::Code>,
}

/// A thread that can never move again, whatever the others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stuck {
    /// Its place among [`Scenario::threads`].
    pub thread: u32,
    /// Where it waits.
    pub end: End,
}

/// A thread that does not come to its next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its name.
    pub thread: String,
    /// Where in the source the statement starts that it was about to do.
    pub statement: u32,
    /// How many instructions it has done.
    pub moves: u32,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "thread `{}` loops without a step that others can see ({} moves): put a `nop` into the \
             loop if it is meant",
            self.thread, self.moves
        )
    }
}

/// Visits every state of a scenario whose indices are right, as those of a parsed one are.
pub fn search(scenario: &Scenario, limits: &Limits) -> Answer {
    let code = Code::new(scenario);
    let mut search = Search {
        machine: Machine::new(&code, limits.moves_max),
        limits,
        table: Table::new(),
        graph: Graph::default(),
        bytes: Vec::new(),
        settled: Vec::new(),
        depth: 0,
        incomplete: None,
    };
    search.run();
    search.answer()
}

struct Search<'a> {
    machine: Machine<'a>,
    limits: &'a Limits,
    table: Table,
    graph: Graph,
    /// Of the state that was met last.
    bytes: Vec<u8>,
    /// States that a step has led to; empty between two steps.
    settled: Vec<State>,
    depth: u64,
    incomplete: Option<String>,
}

impl Search<'_> {
    fn run(&mut self) {
        let code = self.machine.code;
        if code.threads.len() > usize::from(u16::MAX) {
            self.incomplete = Some(format!("{} threads", code.threads.len()));
            return;
        }
        let mut state = State::first(code);
        self.reach(state.clone(), None);
        let mut next = 0;
        // The first state that is farther away than those before it.
        let mut farther = self.table.len();
        while next < self.table.len() {
            if next == farther {
                self.depth += 1;
                farther = self.table.len();
            }
            if self.machine.failure.is_some() || self.is_over_limit() {
                return;
            }
            self.expand(next as u32, &mut state);
            next += 1;
        }
    }

    fn is_over_limit(&mut self) -> bool {
        let (states, bytes) = (self.table.len(), self.table.bytes());
        self.incomplete = if states > self.limits.states_max as usize {
            Some(format!("more than {} states", self.limits.states_max))
        } else if bytes > self.limits.bytes_max {
            Some(format!(
                "states of more than {} bytes",
                self.limits.bytes_max
            ))
        } else {
            None
        };
        self.incomplete.is_some()
    }

    /// All steps of a state.
    fn expand(&mut self, number: u32, scratch: &mut State) {
        let code = self.machine.code;
        scratch.decode(code, self.table.get(number));
        let mut ways: Vec<(u32, Way)> = Vec::new();
        let mut some = Vec::new();
        for thread in 0..code.threads.len() as u32 {
            self.machine.ways(scratch, thread, &mut some);
            ways.extend(some.drain(..).map(|way| (thread, way)));
        }
        for (index, (thread, way)) in ways.into_iter().enumerate() {
            if index > 0 {
                scratch.decode(code, self.table.get(number));
            }
            self.machine.step(scratch, thread, way);
            self.reach(scratch.clone(), Some(thread));
        }
        self.graph.expanded();
    }

    /// Meets the states that a step of this thread has led to, or the first ones.
    fn reach(&mut self, state: State, by: Option<u32>) {
        let mut settled = std::mem::take(&mut self.settled);
        self.machine.settle(state, &mut settled);
        for state in settled.drain(..) {
            self.bytes.clear();
            state.encode(self.machine.code, &mut self.bytes);
            let (number, _) = self.table.number(&self.bytes);
            if let Some(thread) = by {
                self.graph.add(number, thread as u16);
            }
        }
        self.settled = settled;
    }

    fn answer(self) -> Answer {
        let Search { machine, table, .. } = &self;
        if machine.failure.is_some() {
            return Answer {
                error: machine.failure.clone(),
                ..Answer::default()
            };
        }
        let mut answer = Answer {
            complete: self.incomplete.is_none(),
            incomplete_reason: self.incomplete.clone(),
            states: table.len() as u64,
            transitions: self.graph.transitions() as u64,
            depth: self.depth,
            codes: machine.codes.clone(),
            hazards: machine.hazards.clone(),
            ..Answer::default()
        };
        let mut state = State::first(machine.code);
        for number in 0..table.len() as u32 {
            if self.graph.is_terminal(number) {
                state.decode(machine.code, table.get(number));
                answer.terminal.insert(terminal(machine.code, &state));
            }
        }
        let components = self.graph.components(table.len());
        answer.endless = components.endless;
        self.find_stuck(&components, &mut answer);
        answer
    }

    /// Who can never move again, what kind of being stuck that is, and who moves for ever.
    fn find_stuck(&self, components: &Components, answer: &mut Answer) {
        let code = self.machine.code;
        // Who is stuck stays so, but why is known only where nothing else can happen any more. In
        // an incomplete search there may be no such state.
        let mut is_last = vec![!answer.complete; self.table.len()];
        for state in &components.last {
            is_last[*state as usize] = true;
        }
        // For each of those, who is blocked for ever, daemons too.
        let mut blocked: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for first in (0..code.threads.len()).step_by(64) {
            let mut over = self.find_over(first, &is_last, &mut blocked, answer);
            if components.endless {
                self.graph.spread_back(&mut over);
                self.find_starving(first, &over, answer);
            }
        }
        let mut state = State::first(code);
        for (number, threads) in blocked {
            if threads
                .iter()
                .all(|thread| code.threads[*thread as usize].daemon)
            {
                continue;
            }
            state.decode(code, self.table.get(number));
            answer.codes.extend(waits::kinds(code, &state, &threads));
        }
    }

    /// Of up to 64 threads from the first on: for each state, who has ended or is stuck.
    fn find_over(
        &self,
        first: usize,
        is_last: &[bool],
        blocked: &mut BTreeMap<u32, Vec<u32>>,
        answer: &mut Answer,
    ) -> Vec<Mask> {
        let code = self.machine.code;
        let mut moves = self.graph.movers(self.table.len(), first);
        self.graph.spread_back(&mut moves);
        let all = first..code.threads.len().min(first + 64);
        let mut state = State::first(code);
        for (number, mask) in (0..).zip(&mut moves) {
            let moves = *mask;
            *mask = 0;
            if moves.count_ones() as usize >= all.len() {
                continue;
            }
            state.decode(code, self.table.get(number));
            for thread in all.clone() {
                let bit = 1 << (thread - first);
                let it = &state.threads[thread];
                if moves & bit != 0 || it.life == Life::NotStarted {
                    continue;
                }
                *mask |= bit;
                if it.life == Life::Ended {
                    continue;
                }
                if is_last[number as usize] {
                    blocked.entry(number).or_default().push(thread as u32);
                }
                if !code.threads[thread].daemon {
                    answer.stuck.insert(Stuck {
                        thread: thread as u32,
                        end: end_of(code, it),
                    });
                }
            }
        }
        moves
    }

    /// Of the same threads: whether one is alive in a state from which it comes to no end.
    fn find_starving(&self, first: usize, over: &[Mask], answer: &mut Answer) {
        let code = self.machine.code;
        let all = first..code.threads.len().min(first + 64);
        let mut state = State::first(code);
        for (number, over) in (0..).zip(over) {
            if over.count_ones() as usize >= all.len() {
                continue;
            }
            state.decode(code, self.table.get(number));
            let starves = |thread: usize| {
                over & (1 << (thread - first)) == 0
                    && state.threads[thread].life == Life::Running
                    && !code.threads[thread].daemon
            };
            if all.clone().any(starves) {
                answer.codes.insert(report::Code::Starvation);
                return;
            }
        }
    }
}

fn terminal(code: &Code, state: &State) -> Terminal {
    Terminal {
        vars: (0..)
            .zip(&code.objects)
            .filter(|(_, kind)| matches!(kind, ObjectKind::Var { .. }))
            .map(|(index, _)| state.var(index))
            .collect(),
        locals: state
            .threads
            .iter()
            .map(|thread| thread.locals[..code.locals_written].to_vec())
            .collect(),
        threads: state
            .threads
            .iter()
            .map(|thread| end_of(code, thread))
            .collect(),
    }
}

fn end_of(code: &Code, thread: &Thread) -> End {
    match thread.life {
        Life::NotStarted => End::NotStarted,
        Life::Ended => End::Ended,
        Life::Running => End::Waiting {
            statement: code.starts[thread.pc as usize],
            phase: if thread.arrived {
                Phase::GoingOn
            } else {
                Phase::Arriving
            },
        },
    }
}
