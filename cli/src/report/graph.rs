//! The two graphs of a finding: who waits for whom, and in which order locks were taken; and the
//! latter of all executions of a model.
//!
//! Knows nodes and edges, and from which step to which an edge is there. Does not know how a graph
//! is drawn.

use std::collections::{BTreeSet, HashMap, HashSet};

use gordian::report::{Coverage, Finding, Outcome};

use super::holds::{holds, threads, waits};

/// More nodes than this make no picture.
const NODES_MAX: usize = 16;
/// More edges of the lock order than this make no picture either.
const ORDERS_MAX: usize = 64;

/// A thread or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node<'a> {
    Thread(&'a str),
    Object(&'a str),
}

impl<'a> Node<'a> {
    pub(super) fn name(self) -> &'a str {
        match self {
            Node::Thread(name) | Node::Object(name) => name,
        }
    }
}

/// What an edge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Relation {
    /// From a thread to what it waits for.
    WaitsFor,
    /// From an object to the thread that holds it.
    HeldBy,
}

/// One edge, with the steps during which it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    /// Places in [`WaitFor::nodes`].
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) relation: Relation,
    /// First step, and the first step after it at which the edge is gone; from 0.
    pub(super) spans: Vec<(usize, Option<usize>)>,
}

impl Arrow {
    /// Whether the edge is there in the end.
    pub(super) fn is_last(&self) -> bool {
        self.spans.iter().any(|(_, to)| to.is_none())
    }
}

/// Who waits for what, and who holds it, as it changes from step to step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WaitFor<'a> {
    /// Those of a cycle first, in its order.
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) arrows: Vec<Arrow>,
}

impl<'a> WaitFor<'a> {
    /// The graph of what a finding is about.
    pub(super) fn of(finding: &'a Finding) -> Self {
        let mut nodes = core(finding);
        let is_thread: HashSet<&str> = threads(&finding.steps).into_iter().collect();
        let mut spans: HashMap<(Node<'a>, Node<'a>, Relation), Vec<_>> = HashMap::new();
        let mut order = Vec::new();
        let mut add = |from, to, relation, span| {
            let key = (from, to, relation);
            let list = spans.entry(key).or_insert_with(|| {
                order.push(key);
                Vec::new()
            });
            list.push(span);
        };
        for wait in waits(&finding.steps) {
            let Some(object) = wait.object else { continue };
            let target = match wait.is_join && is_thread.contains(object) {
                true => Node::Thread(object),
                false => Node::Object(object),
            };
            let span = (wait.from, wait.to);
            add(Node::Thread(wait.thread), target, Relation::WaitsFor, span);
        }
        for hold in holds(&finding.steps) {
            let (from, to) = (Node::Object(hold.object), Node::Thread(hold.thread));
            add(from, to, Relation::HeldBy, (hold.from, hold.to));
        }
        // What else the threads of the finding hold or wait for, as long as there is room.
        let everyone = nodes.is_empty();
        let central: HashSet<Node<'_>> = nodes.iter().copied().collect();
        for &(from, to, _) in &order {
            let thread = if let Node::Thread(_) = from { from } else { to };
            if everyone || central.contains(&thread) {
                for node in [from, to] {
                    if nodes.len() < NODES_MAX && !nodes.contains(&node) {
                        nodes.push(node);
                    }
                }
            }
        }
        let place = |node: Node<'_>| nodes.iter().position(|other| *other == node);
        let arrows: Vec<Arrow> = order
            .iter()
            .filter_map(|key| {
                Some(Arrow {
                    from: place(key.0)?,
                    to: place(key.1)?,
                    relation: key.2,
                    spans: spans[key].clone(),
                })
            })
            .collect();
        WaitFor { nodes, arrows }.without_loners()
    }

    /// The graph as it is in the end.
    pub(super) fn in_the_end(finding: &'a Finding) -> Self {
        let mut graph = WaitFor::of(finding);
        graph.arrows.retain(Arrow::is_last);
        graph.without_loners()
    }

    /// Leaves out the nodes that no edge touches.
    fn without_loners(self) -> Self {
        let used: BTreeSet<usize> = self
            .arrows
            .iter()
            .flat_map(|arrow| [arrow.from, arrow.to])
            .collect();
        let new: HashMap<usize, usize> = used
            .iter()
            .enumerate()
            .map(|(new, &old)| (old, new))
            .collect();
        WaitFor {
            nodes: used.iter().map(|&at| self.nodes[at]).collect(),
            arrows: self
                .arrows
                .into_iter()
                .map(|arrow| Arrow {
                    from: new[&arrow.from],
                    to: new[&arrow.to],
                    ..arrow
                })
                .collect(),
        }
    }
}

/// The nodes that the finding names, those of its edges first.
fn core(finding: &Finding) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    let mut add = |node| {
        if nodes.len() < NODES_MAX && !nodes.contains(&node) {
            nodes.push(node);
        }
    };
    for edge in &finding.edges {
        add(Node::Thread(&edge.thread));
        let holder = edge.holder.as_ref();
        if holder.is_none_or(|holder| holder.thread != edge.object) {
            add(Node::Object(&edge.object));
        }
        if let Some(holder) = holder {
            add(Node::Thread(&holder.thread));
        }
    }
    let threads = finding.threads.iter().map(|name| Node::Thread(name));
    let objects = finding.objects.iter().map(|name| Node::Object(name));
    threads.chain(objects).for_each(add);
    nodes
}

/// A thread took one lock, or tried to, while it held another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Order<'a> {
    first: &'a str,
    second: &'a str,
    thread: &'a str,
    /// The first step that did so, from 0.
    step: usize,
}

/// An order as an arrow between numbered locks.
pub(super) struct Taken<'a> {
    /// The locks that no arrow before has, with their numbers.
    pub(super) new: Vec<(usize, &'a str)>,
    /// The number of the lock that was held.
    pub(super) from: usize,
    /// The number of the lock that was taken.
    pub(super) to: usize,
    /// Who did so, and at which step.
    pub(super) label: String,
}

/// [`lock_order`] as a graph: its locks are numbered as they are met.
pub(super) fn taken_in_order(finding: &Finding) -> Vec<Taken<'_>> {
    let mut locks: Vec<&str> = Vec::new();
    let orders = lock_order(finding).into_iter();
    orders
        .map(|order| {
            let mut new = Vec::new();
            let mut number = |name| {
                let known = locks.iter().position(|lock| *lock == name);
                known.unwrap_or_else(|| {
                    new.push((locks.len(), name));
                    locks.push(name);
                    locks.len() - 1
                })
            };
            let (from, to) = (number(order.first), number(order.second));
            let step = finding.steps.get(order.step).map_or(0, |step| step.number);
            Taken {
                new,
                from,
                to,
                label: format!("{}, step {step}", order.thread),
            }
        })
        .collect()
}

/// The orders in which the threads of a finding took locks, each once, as they were met.
fn lock_order(finding: &Finding) -> Vec<Order<'_>> {
    let mut held: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut known = HashSet::new();
    let mut orders = Vec::new();
    let lockable: HashSet<&str> = finding
        .steps
        .iter()
        .flat_map(|step| &step.acquires)
        .map(String::as_str)
        .collect();
    for (at, step) in finding.steps.iter().enumerate() {
        for object in &step.releases {
            let own = held.entry(&step.thread).or_default();
            let owner = match own.iter().rposition(|one| one == object) {
                Some(place) => {
                    own.remove(place);
                    continue;
                }
                None => held
                    .values_mut()
                    .find(|list| list.contains(&object.as_str())),
            };
            if let Some(list) = owner {
                list.retain(|one| one != object);
            }
        }
        let waited = (step.outcome == Outcome::Blocked)
            .then_some(step.object.as_ref())
            .flatten()
            .filter(|object| lockable.contains(object.as_str()));
        let own = held.entry(&step.thread).or_default();
        for second in step.acquires.iter().chain(waited) {
            for &first in own.iter().filter(|first| *first != second) {
                if orders.len() < ORDERS_MAX && known.insert((first, second, &step.thread)) {
                    orders.push(Order {
                        first,
                        second,
                        thread: &step.thread,
                        step: at,
                    });
                }
            }
        }
        own.extend(step.acquires.iter().map(String::as_str));
    }
    orders
}

/// The locks of a model, and in which order they were taken over all its executions.
pub(super) struct Orders<'a> {
    /// Those that are ever nested: their names.
    pub(super) nodes: Vec<&'a str>,
    pub(super) arrows: Vec<OrderArrow>,
}

/// One lock was taken while the other was held.
pub(super) struct OrderArrow {
    /// Places in [`Orders::nodes`].
    pub(super) from: usize,
    pub(super) to: usize,
    /// Who did so, and how often.
    pub(super) label: String,
    /// Whether another thread took the two the other way round.
    pub(super) both: bool,
    /// Whether nobody ever waited for the second one.
    pub(super) tried: bool,
}

impl<'a> Orders<'a> {
    /// The graph of a model.
    pub(super) fn of(coverage: &'a Coverage) -> Self {
        let mut orders = Orders {
            nodes: Vec::new(),
            arrows: Vec::new(),
        };
        let mut places: HashMap<u32, usize> = HashMap::new();
        for nesting in coverage.nested.iter().take(ORDERS_MAX) {
            let mut place = |at: u32| {
                let name = &coverage.locks.get(at as usize)?.name;
                Some(*places.entry(at).or_insert_with(|| {
                    orders.nodes.push(name);
                    orders.nodes.len() - 1
                }))
            };
            let (Some(from), Some(to)) = (place(nesting.outer), place(nesting.inner)) else {
                continue;
            };
            orders.arrows.push(OrderArrow {
                from,
                to,
                label: format!("{} ({})", nesting.threads.join(", "), nesting.seen),
                both: coverage.both_orders(nesting).is_some(),
                tried: nesting.tried,
            });
        }
        orders
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A finding about these threads with steps `thread operation object`, of which `wait` blocks.
    fn finding(threads: &[&str], steps: &str) -> Finding {
        let step = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (blocked, join) = (words[1] == "wait" || words[1] == "join", words[1] == "join");
            let of = |word: &str| -> Vec<&str> {
                if words[1] == word {
                    vec![words[2]]
                } else {
                    vec![]
                }
            };
            json!({
                "number": 1, "thread": words[0], "operation": if join { "join" } else { "lock" },
                "object": words[2], "outcome": if blocked { "blocked" } else { "done" },
                "site": { "file": "a.rs", "line": 1, "column": 1 },
                "acquires": of("take"), "releases": of("give"),
            })
        };
        let steps: Vec<Value> = steps.lines().map(|line| step(line.trim())).collect();
        serde_json::from_value(json!({
            "code": "deadlock", "severity": "error", "message": "", "threads": threads,
            "objects": [], "edges": [], "site": null, "notes": [], "steps": steps,
            "fingerprint": "", "token": "", "execution": 1, "seen": 1,
        }))
        .unwrap()
    }

    fn arrows(graph: &WaitFor<'_>) -> Vec<String> {
        let name = |at: usize| graph.nodes[at].name();
        let told = |arrow: &Arrow| {
            let word = match arrow.relation {
                Relation::WaitsFor => "waits for",
                Relation::HeldBy => "held by",
            };
            format!("{} {word} {}", name(arrow.from), name(arrow.to))
        };
        graph.arrows.iter().map(told).collect()
    }

    #[test]
    fn what_was_given_back_is_not_there_in_the_end() {
        let finding = finding(&["a", "b"], "a take x\nb take y\nb give y\nb wait x");
        assert_eq!(
            arrows(&WaitFor::of(&finding)),
            ["b waits for x", "x held by a", "y held by b"]
        );
        assert_eq!(
            arrows(&WaitFor::in_the_end(&finding)),
            ["b waits for x", "x held by a"]
        );
    }

    #[test]
    fn a_join_waits_for_a_thread() {
        let finding = finding(&["a", "b"], "b take x\na join b");
        let graph = WaitFor::of(&finding);
        assert!(graph.nodes.contains(&Node::Thread("b")));
        assert!(!graph.nodes.contains(&Node::Object("b")));
        assert_eq!(arrows(&graph), ["a waits for b", "x held by b"]);
    }

    #[test]
    fn threads_that_it_is_not_about_are_left_out() {
        let finding = finding(&["a"], "a take x\nb take y");
        assert_eq!(arrows(&WaitFor::of(&finding)), ["x held by a"]);
    }

    #[test]
    fn a_lock_is_taken_after_those_that_are_held() {
        let told = |steps: &str| -> Vec<String> {
            let finding = finding(&[], steps);
            let orders = lock_order(&finding).into_iter();
            orders
                .map(|order| format!("{} {}<{}", order.thread, order.first, order.second))
                .collect()
        };
        assert_eq!(
            told("a take x\na take y\na give x\na take z"),
            ["a x<y", "a y<z"]
        );
        assert_eq!(
            told("a take x\nb take y\na wait y\nb wait x"),
            ["a x<y", "b y<x"]
        );
        // Given back by another thread; and what is only waited for is no lock.
        assert!(told("a take x\nb give x\na take y").is_empty());
        assert!(told("a take x\na wait channel").is_empty());
    }
}
