//! Search by states: for models whose whole state is known, and which need not end.
//!
//! Executions are not the unit here: each distinct state is visited once, and from each every
//! enabled thread goes on once, in each of its cases. So a model that never ends is searched to the
//! end as long as its states are finitely many. Nothing is reduced: partial-order reduction may
//! ignore a thread for ever on a cycle.
//!
//! States are told apart by a hash of 128 bits. A state is reached by running the model again from
//! its beginning, along the shortest path that is known. One step only is put before the others:
//! the last one of a thread, and the first of one that was started. Such a step commutes with all
//! that others can do then, and no cycle has one.
//!
//! At the end the graph tells what no single execution shows: who can never go on again, whatever
//! the others do, and who can go on for ever but never come to an end. One more execution each goes
//! where that is so, for the report.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::{Ending, Next, Strategy, natural};
use crate::op::{Action, ThreadId, mask_of};
use crate::report::StateFacts;
use crate::trace::{Run, threads_in};

/// The search.
pub(super) struct States {
    graph: Graph,
    known: HashMap<u128, NodeIndex>,
    /// States from which something is left to be explored, those with short paths first. An entry
    /// counts only if it has the state's current depth.
    open: BinaryHeap<Reverse<(u32, NodeIndex)>>,
    /// What the execution repeats: states, and which of their edges to take.
    path: Vec<(NodeIndex, u32)>,
    depth: usize,
    /// The edge that the execution has taken last.
    taken: Option<(NodeIndex, u32)>,
    /// Where else an execution is to go, for a report; the last one first.
    goals: Vec<Goal>,
    goal: Option<Goal>,
    liveness: bool,
    states_max: usize,
    analysed: bool,
    incomplete: Option<String>,
    endless: bool,
}

type NodeIndex = u32;

#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// A state.
#[derive(Debug)]
struct Node {
    hash: u128,
    /// Steps of the shortest path that was known when the state was met last, or more.
    depth: u32,
    /// The edge of the path that led here.
    parent: Option<(NodeIndex, u32)>,
    /// Its edges: the next ones in `edges` from here.
    first: u32,
    count: u32,
    /// How many of its edges have been taken.
    tried: u32,
    enabled: u64,
    /// Threads that are not at their end, may not wait for ever, and have begun.
    live: u64,
    /// What the threads that wait here wait for, in one number.
    waits: u64,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    thread: ThreadId,
    case: u32,
    /// Where it leads; [`NOWHERE`] as long as it was not taken, or was cut off.
    to: NodeIndex,
}

const NOWHERE: NodeIndex = NodeIndex::MAX;

/// A state that something is to be said about.
#[derive(Clone, Copy, Debug)]
struct Goal {
    node: NodeIndex,
    stuck: u64,
    starving: u64,
}

/// What is known of a state when the graph is: masks of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Future {
    /// Those who can go on here or later.
    moves: u64,
    /// Those who can come to their end, or have.
    ends: u64,
    /// Those who are stuck here, or can become so later.
    stuck: u64,
    /// Whether everything can come to a standstill.
    halts: bool,
}

impl States {
    pub(super) fn new(liveness: bool, states_max: usize) -> States {
        States {
            graph: Graph::default(),
            known: HashMap::new(),
            open: BinaryHeap::new(),
            path: Vec::new(),
            depth: 0,
            taken: None,
            goals: Vec::new(),
            goal: None,
            liveness,
            states_max,
            analysed: false,
            incomplete: None,
            endless: false,
        }
    }

    /// The execution has come to a state.
    fn arrive(&mut self, run: &Run, enabled: u64, current: ThreadId) -> NodeIndex {
        let depth = self.depth as u32;
        let hash = run.state;
        let node = match self.known.get(&hash) {
            Some(&node) => node,
            None => {
                let node = self.graph.add(run, enabled, current, depth, self.taken);
                self.known.insert(hash, node);
                if self.graph.nodes[node as usize].count > 0 {
                    self.open.push(Reverse((depth, node)));
                }
                node
            }
        };
        if let Some((from, edge)) = self.taken {
            self.graph.edges[edge as usize].to = node;
            if self.shorten(node, depth) {
                self.graph.nodes[node as usize].parent = Some((from, edge));
            }
        }
        node
    }

    /// Goes on from the state by an edge that was not taken yet.
    fn expand(&mut self, node: NodeIndex) -> Next {
        let state = &mut self.graph.nodes[node as usize];
        if state.tried == state.count {
            return Next::Known;
        }
        let edge = state.first + state.tried;
        state.tried += 1;
        self.go(node, edge)
    }

    fn go(&mut self, node: NodeIndex, edge: u32) -> Next {
        self.taken = Some((node, edge));
        self.depth += 1;
        let Edge { thread, case, .. } = self.graph.edges[edge as usize];
        Next::Go { thread, case }
    }

    /// Prepares the next execution; whether there is to be one.
    fn plan(&mut self) -> bool {
        self.depth = 0;
        self.taken = None;
        self.goal = None;
        if self.graph.nodes.len() >= self.states_max {
            let states = self.graph.nodes.len();
            self.incomplete = Some(format!("{states} states were met, and there are more"));
            return false;
        }
        let next = self.next_open();
        if next.is_none() && !self.analysed {
            self.analyse();
        }
        let node = match next {
            Some(node) => node,
            None => match self.goals.pop() {
                Some(goal) => {
                    self.goal = Some(goal);
                    goal.node
                }
                None => return false,
            },
        };
        self.path = self.graph.path_to(node);
        // A state on it may still have the length of the longer way on which it was met: coming to
        // it again behind this path must not look like a shorter way, which would go in a circle.
        for depth in 0..self.path.len() {
            self.shorten(self.path[depth].0, depth as u32);
        }
        true
    }

    /// The state can be reached in so many steps; whether that is less than was known.
    fn shorten(&mut self, node: NodeIndex, depth: u32) -> bool {
        let state = &mut self.graph.nodes[node as usize];
        let shorter = depth < state.depth;
        if shorter {
            state.depth = depth;
            if state.tried < state.count {
                self.open.push(Reverse((depth, node)));
            }
        }
        shorter
    }

    fn next_open(&mut self) -> Option<NodeIndex> {
        while let Some(&Reverse((depth, node))) = self.open.peek() {
            let state = &self.graph.nodes[node as usize];
            if state.tried < state.count && state.depth == depth {
                return Some(node);
            }
            self.open.pop();
        }
        None
    }

    /// Finds the states that something is to be said about.
    fn analyse(&mut self) {
        self.analysed = true;
        self.endless = self.graph.has_cycle();
        let futures = self.graph.futures();
        let mut said = BTreeSet::new();
        for (node, (state, future)) in self.graph.nodes.iter().zip(&futures).enumerate() {
            let stuck = state.live & !future.moves;
            // Whoever is stuck stays so. Where a standstill can follow it is said there, and else
            // where nobody more can become stuck.
            let is_last = !future.halts && stuck == future.stuck;
            let starving = match self.liveness {
                true => state.live & !future.ends & !future.stuck,
                false => 0,
            };
            let stuck = if is_last { stuck } else { 0 };
            if stuck | starving != 0 && said.insert((stuck, starving, state.waits)) {
                self.goals.push(Goal {
                    node: node as NodeIndex,
                    stuck,
                    starving,
                });
            }
        }
        self.goals.reverse();
    }
}

impl Graph {
    /// Adds a state, with an edge for each way to go on.
    fn add(
        &mut self,
        run: &Run,
        enabled: u64,
        current: ThreadId,
        depth: u32,
        parent: Option<(NodeIndex, u32)>,
    ) -> NodeIndex {
        let first = self.edges.len() as u32;
        let op = |thread: ThreadId| {
            run.pending(thread)
                .expect("it is enabled to do something")
                .op
        };
        let is_private = |thread: &ThreadId| {
            matches!(
                op(*thread).action,
                Action::Exit | Action::Pass | Action::Start
            )
        };
        let alone = threads_in(enabled).find(is_private);
        // Going on as if nothing were there to be explored makes for short ways to an end.
        let favourite = alone.or_else(|| (enabled != 0).then(|| natural(run, enabled, current)));
        let others =
            threads_in(enabled).filter(|&thread| alone.is_none() && Some(thread) != favourite);
        for thread in favourite.into_iter().chain(others) {
            let op = op(thread);
            let cases = run.world.cases(op, thread);
            self.edges.extend(cases.into_iter().map(|case| Edge {
                thread,
                case,
                to: NOWHERE,
            }));
        }
        let begun = |thread: &ThreadId| {
            let pending = run.pending(*thread);
            pending.is_some_and(|pending| pending.op.action != Action::Pass)
        };
        let counts = |thread: &ThreadId| begun(thread) && !run.threads[thread.index()].daemon;
        self.nodes.push(Node {
            hash: run.state,
            depth,
            parent,
            first,
            count: self.edges.len() as u32 - first,
            tried: 0,
            enabled,
            live: mask_of(threads_in(run.live).filter(counts)),
            waits: waits(run, run.live & !enabled),
        });
        self.nodes.len() as NodeIndex - 1
    }

    fn edges_of(&self, node: &Node) -> &[Edge] {
        &self.edges[node.first as usize..][..node.count as usize]
    }

    /// The states on the way to this one, and the edges that lead there.
    fn path_to(&self, node: NodeIndex) -> Vec<(NodeIndex, u32)> {
        let mut path = Vec::new();
        let mut at = node;
        while let Some((parent, edge)) = self.nodes[at as usize].parent {
            path.push((parent, edge));
            at = parent;
        }
        path.reverse();
        path
    }

    /// What can follow each state: the least masks such that those of a state contain its own and
    /// those of its successors. An edge that was cut off may lead anywhere.
    fn futures(&self) -> Vec<Future> {
        let backwards = self.backwards();
        let own = |node: &Node| {
            let cut = self.edges_of(node).iter().any(|edge| edge.to == NOWHERE);
            Future {
                moves: if cut { u64::MAX } else { node.enabled },
                ends: if cut { u64::MAX } else { !node.live },
                stuck: 0,
                halts: node.count == 0,
            }
        };
        let mut futures: Vec<Future> = self.nodes.iter().map(own).collect();
        self.spread(&mut futures, &backwards);
        for (node, future) in self.nodes.iter().zip(&mut futures) {
            future.stuck = node.live & !future.moves;
        }
        self.spread(&mut futures, &backwards);
        futures
    }

    /// The states from which each state is reached in one step.
    fn backwards(&self) -> Vec<Vec<NodeIndex>> {
        let mut backwards = vec![Vec::new(); self.nodes.len()];
        for (from, node) in self.nodes.iter().enumerate() {
            for edge in self.edges_of(node).iter().filter(|edge| edge.to != NOWHERE) {
                backwards[edge.to as usize].push(from as NodeIndex);
            }
        }
        backwards
    }

    fn spread(&self, futures: &mut [Future], backwards: &[Vec<NodeIndex>]) {
        let mut left: Vec<NodeIndex> = (0..futures.len() as NodeIndex).collect();
        let mut waiting = vec![true; futures.len()];
        while let Some(node) = left.pop() {
            waiting[node as usize] = false;
            let later = futures[node as usize];
            for &before in &backwards[node as usize] {
                let future = &mut futures[before as usize];
                let joined = Future {
                    moves: future.moves | later.moves,
                    ends: future.ends | later.ends,
                    stuck: future.stuck | later.stuck,
                    halts: future.halts | later.halts,
                };
                if joined != *future {
                    *future = joined;
                    if !std::mem::replace(&mut waiting[before as usize], true) {
                        left.push(before);
                    }
                }
            }
        }
    }

    /// Whether a state can be come back to: states without predecessors are taken away until there
    /// are none.
    fn has_cycle(&self) -> bool {
        let mut before = vec![0_u32; self.nodes.len()];
        for edge in self.edges.iter().filter(|edge| edge.to != NOWHERE) {
            before[edge.to as usize] += 1;
        }
        let free = |count: &(usize, &u32)| *count.1 == 0;
        let mut left: Vec<usize> = before
            .iter()
            .enumerate()
            .filter(free)
            .map(|it| it.0)
            .collect();
        let mut taken = 0;
        while let Some(node) = left.pop() {
            taken += 1;
            for edge in self.edges_of(&self.nodes[node]).iter() {
                if let Some(count) = before.get_mut(edge.to as usize) {
                    *count -= 1;
                    if *count == 0 {
                        left.push(edge.to as usize);
                    }
                }
            }
        }
        taken < self.nodes.len()
    }
}

/// What these threads wait for: two states in which the same threads wait elsewhere are told apart.
fn waits(run: &Run, threads: u64) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};

    let mut hasher = DefaultHasher::new();
    for thread in threads_in(threads) {
        if let Some(pending) = run.pending(thread) {
            thread.hash(&mut hasher);
            (pending.site.line(), pending.site.column()).hash(&mut hasher);
            pending.op.action.hash(&mut hasher);
        }
    }
    hasher.finish()
}

impl Strategy for States {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        if let Some(&(node, edge)) = self.path.get(self.depth) {
            if self.graph.nodes[node as usize].hash != run.state {
                return Next::Diverged("the same steps led to another state before".to_owned());
            }
            return self.go(node, edge);
        }
        if self.depth == self.path.len()
            && let Some(Goal {
                stuck, starving, ..
            }) = self.goal
        {
            return Next::Stuck { stuck, starving };
        }
        let node = self.arrive(run, enabled, current);
        self.expand(node)
    }

    fn end(&mut self, run: &Run, ending: Ending) -> Result<bool, String> {
        if ending == Ending::Maximal && self.goal.is_none() {
            self.arrive(run, 0, ThreadId::MAIN);
        }
        Ok(self.plan())
    }

    fn incomplete(&self) -> Option<String> {
        self.incomplete.clone()
    }

    fn states(&self) -> Option<StateFacts> {
        Some(StateFacts {
            count: Some(self.graph.nodes.len() as u64),
            endless: self.endless,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state of a graph: who is enabled, who is live, and where its edges lead.
    type State = (u64, u64, &'static [NodeIndex]);

    fn graph(states: &[State]) -> Graph {
        let mut graph = Graph::default();
        for &(enabled, live, to) in states {
            graph.nodes.push(Node {
                hash: 0,
                depth: 0,
                parent: None,
                first: graph.edges.len() as u32,
                count: to.len() as u32,
                tried: to.len() as u32,
                enabled,
                live,
                waits: 0,
            });
            graph.edges.extend(to.iter().map(|&to| Edge {
                thread: ThreadId(0),
                case: 0,
                to,
            }));
        }
        graph
    }

    fn searched(graph: Graph) -> Vec<(NodeIndex, u64, u64)> {
        let mut search = States::new(true, 10_000);
        search.graph = graph;
        search.analyse();
        let goals = search.goals.iter().rev();
        goals
            .map(|goal| (goal.node, goal.stuck, goal.starving))
            .collect()
    }

    #[test]
    fn a_thread_that_waits_beside_a_loop_is_stuck_and_the_loop_starves() {
        // Thread 0 turns round and round; thread 1 waits for what never comes.
        let goals = searched(graph(&[(0b01, 0b11, &[1]), (0b01, 0b11, &[0])]));
        assert_eq!(goals, [(0, 0b10, 0b01)]);
    }

    #[test]
    fn a_thread_that_can_be_woken_is_not_stuck() {
        // From each turn of the loop thread 0 may wake thread 1, and then end.
        let states: &[State] = &[(0b01, 0b11, &[0, 1]), (0b11, 0b11, &[2]), (0, 0, &[])];
        assert_eq!(searched(graph(states)), []);
    }

    #[test]
    fn what_was_cut_off_is_given_the_benefit_of_the_doubt() {
        let goals = searched(graph(&[(0b01, 0b11, &[0, NOWHERE])]));
        assert_eq!(goals, []);
    }

    #[test]
    fn cycles_are_found_wherever_they_are() {
        let cases: [(&[State], bool); 3] = [
            (&[(1, 1, &[1, 2]), (1, 1, &[2]), (0, 0, &[])], false),
            (&[(1, 1, &[1]), (1, 1, &[2]), (1, 1, &[1])], true),
            (&[(1, 1, &[0])], true),
        ];
        for (states, cycle) in cases {
            assert_eq!(graph(states).has_cycle(), cycle, "{states:?}");
        }
    }
}
