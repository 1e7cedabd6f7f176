//! Circles in the lock order: threads that each ask for what the next one holds.
//!
//! Knows who asked for what while holding what. Does not know whether they can meet.

use std::collections::HashMap;

use super::Limits;
use super::sections::Sections;
use crate::trace::{ActorId, LockId};

/// All requests of one thread for one lock while it held the same others.
pub(super) struct Node {
    pub(super) thread: ActorId,
    pub(super) lock: LockId,
    /// Sorted.
    pub(super) held: Vec<LockId>,
    /// Which of [`Sections::requests`], in the order of the run.
    pub(super) requests: Vec<usize>,
}

/// The circles of a run.
pub(super) struct Cycles {
    pub(super) nodes: Vec<Node>,
    /// Each begins with its smallest node, and each thread waits for what the next one holds.
    pub(super) found: Vec<Vec<usize>>,
    /// Why there may be more.
    pub(super) cut_short: Option<String>,
}

impl Cycles {
    /// Exponential in the length of circles in the worst case, hence the limits.
    pub(super) fn of(sections: &Sections, limits: &Limits) -> Cycles {
        let nodes = nodes(sections);
        let alive = in_circles(&nodes);
        let mut holders: HashMap<LockId, Vec<usize>> = HashMap::new();
        for (index, node) in nodes.iter().enumerate().filter(|(index, _)| alive[*index]) {
            for &lock in &node.held {
                holders.entry(lock).or_default().push(index);
            }
        }
        let mut search = Search {
            nodes: &nodes,
            holders: &holders,
            limits,
            path: Vec::new(),
            found: Vec::new(),
            steps: 0,
            too_long: false,
        };
        for root in (0..nodes.len()).filter(|&root| alive[root]) {
            search.path.push(root);
            search.extend();
            search.path.pop();
        }
        let cut_short = if search.steps >= limits.steps_max {
            Some("the lock order has too many circles to try them all".to_owned())
        } else if search.too_long {
            let most = limits.threads_max;
            Some(format!(
                "circles of more than {most} threads were not tried"
            ))
        } else {
            None
        };
        let found = search.found;
        Cycles {
            nodes,
            found,
            cut_short,
        }
    }
}

/// Requests that differ only in when they were made, together.
fn nodes(sections: &Sections) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut numbers = HashMap::new();
    for (index, request) in sections.requests.iter().enumerate() {
        let held: Vec<_> = request.held.iter().map(|&(lock, _)| lock).collect();
        let key = (request.thread, request.lock, held.clone());
        let number = *numbers.entry(key).or_insert(nodes.len());
        if number == nodes.len() {
            nodes.push(Node {
                thread: request.thread,
                lock: request.lock,
                held,
                requests: Vec::new(),
            });
        }
        nodes[number].requests.push(index);
    }
    nodes
}

/// Which nodes are left when those whose lock nobody holds, or whose locks nobody asks for, are
/// taken away again and again. O(locks named in the nodes).
fn in_circles(nodes: &[Node]) -> Vec<bool> {
    let mut alive = vec![true; nodes.len()];
    loop {
        let mut held: HashMap<LockId, u32> = HashMap::new();
        let mut asked: HashMap<LockId, u32> = HashMap::new();
        for node in nodes
            .iter()
            .zip(&alive)
            .filter(|(_, alive)| **alive)
            .map(|(node, _)| node)
        {
            *asked.entry(node.lock).or_default() += 1;
            for &lock in &node.held {
                *held.entry(lock).or_default() += 1;
            }
        }
        let mut changed = false;
        for (node, alive) in nodes.iter().zip(&mut alive).filter(|(_, alive)| **alive) {
            let stays = held.contains_key(&node.lock)
                && node.held.iter().any(|lock| asked.contains_key(lock));
            changed |= !stays;
            *alive = stays;
        }
        if !changed {
            return alive;
        }
    }
}

struct Search<'n> {
    nodes: &'n [Node],
    holders: &'n HashMap<LockId, Vec<usize>>,
    limits: &'n Limits,
    path: Vec<usize>,
    found: Vec<Vec<usize>>,
    steps: u64,
    too_long: bool,
}

impl Search<'_> {
    /// Tries all ways on from the path's end. As deep as a circle may be long.
    fn extend(&mut self) {
        let (Some(&root), Some(&last)) = (self.path.first(), self.path.last()) else {
            return;
        };
        let wanted = self.nodes[last].lock;
        if self.path.len() > 1 && self.nodes[root].held.binary_search(&wanted).is_ok() {
            // Whoever holds the lock closes it; a longer way would ask for the lock twice.
            self.found.push(self.path.clone());
            return;
        }
        let Some(holders) = self.holders.get(&wanted) else {
            return;
        };
        let from = holders.partition_point(|&node| node <= root);
        for &next in &holders[from..] {
            self.steps += 1;
            if self.steps >= self.limits.steps_max {
                return;
            }
            if !self.fits(next) {
                continue;
            }
            if self.path.len() >= self.limits.threads_max {
                self.too_long = true;
                return;
            }
            self.path.push(next);
            self.extend();
            self.path.pop();
        }
    }

    /// Whether the node can stand in one circle with those of the path: another thread, another
    /// lock, and no lock that guards both.
    fn fits(&self, next: usize) -> bool {
        let next = &self.nodes[next];
        self.path.iter().map(|&node| &self.nodes[node]).all(|node| {
            node.thread != next.thread
                && node.lock != next.lock
                && !node
                    .held
                    .iter()
                    .any(|lock| next.held.binary_search(lock).is_ok())
        })
    }
}
