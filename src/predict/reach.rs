//! Whether the threads of a circle can meet in it: the sync-preserving closure.
//!
//! Knows causes and critical sections. Does not know how a circle was found.

use std::collections::HashMap;

use super::clocks::Clocks;
use super::cycles::Node;
use super::sections::{Section, Sections};
use crate::trace::{ActorId, LockId, Trace};

/// What a reordering of a run keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// Causes only: such a prefix need not be a run.
    Causes,
    /// Also the order of the critical sections on each lock.
    OrderOfLocks,
}

/// Requests that are all open at the end of one prefix of the run.
pub(super) struct Meeting {
    /// Which of [`Sections::requests`], in the order of the circle.
    pub(super) requests: Vec<usize>,
    /// Of each thread, how many events are in the prefix.
    pub(super) prefix: Vec<u32>,
}

/// Finds meetings in one run.
pub(super) struct Reach<'t> {
    trace: &'t Trace,
    clocks: &'t Clocks,
    sections: &'t Sections,
}

/// A set of events that has the causes of all of its events.
struct Prefix {
    /// Of each thread, how many events.
    upto: Vec<u32>,
    /// Of each thread, how many sections have begun.
    begun: Vec<usize>,
    /// The last section of each thread on a lock.
    last: HashMap<LockId, Vec<(ActorId, Section)>>,
    /// Locks whose sections have to be looked at again.
    changed: Vec<LockId>,
}

impl<'t> Reach<'t> {
    pub(super) fn new(trace: &'t Trace, clocks: &'t Clocks, sections: &'t Sections) -> Reach<'t> {
        Reach {
            trace,
            clocks,
            sections,
        }
    }

    /// The first requests, one of each node, that can all be open at once; none if there are none.
    ///
    /// The prefix only grows and no request is looked at twice: O((events + requests) × threads).
    pub(super) fn meeting(&self, circle: &[&Node], rules: Rules) -> Option<Meeting> {
        let threads = self.trace.threads();
        let mut prefix = Prefix {
            upto: vec![0; threads],
            begun: vec![0; threads],
            last: HashMap::new(),
            changed: Vec::new(),
        };
        let mut at = vec![0; circle.len()];
        loop {
            for (node, &at) in circle.iter().zip(&at) {
                let event = self.sections.requests[node.requests[at]].event;
                self.include(&mut prefix, event, self.clocks.own(event) - 1);
            }
            if rules == Rules::OrderOfLocks && !self.close(&mut prefix) {
                return None;
            }
            let mut all_open = true;
            for (node, at) in circle.iter().zip(&mut at) {
                while !self.is_open(&prefix, *node.requests.get(*at)?) {
                    all_open = false;
                    *at += 1;
                }
            }
            if all_open {
                let requests = circle.iter().zip(&at);
                return Some(Meeting {
                    requests: requests.map(|(node, &at)| node.requests[at]).collect(),
                    prefix: prefix.upto,
                });
            }
        }
    }

    /// Whether the lock that was asked for is not taken within the prefix.
    fn is_open(&self, prefix: &Prefix, request: usize) -> bool {
        let request = &self.sections.requests[request];
        let upto = prefix.upto[request.thread.0 as usize];
        request
            .acquired
            .is_none_or(|event| self.clocks.own(event) > upto)
    }

    /// The event's causes, and its own thread up to that number, are in the prefix from now on.
    fn include(&self, prefix: &mut Prefix, event: usize, own: u32) {
        let me = self.trace.events()[event].thread.0 as usize;
        for (thread, &known) in self.clocks.known(event).iter().enumerate() {
            let upto = if thread == me { own } else { known };
            if upto > prefix.upto[thread] {
                prefix.upto[thread] = upto;
                self.begin_sections(prefix, thread);
            }
        }
    }

    /// Sections of the thread that have begun in the prefix.
    fn begin_sections(&self, prefix: &mut Prefix, thread: usize) {
        let me = ActorId(thread as u32);
        while let Some(&section) = self.sections.of_thread[thread].get(prefix.begun[thread])
            && self.clocks.own(section.acquired) <= prefix.upto[thread]
        {
            prefix.begun[thread] += 1;
            let last = prefix.last.entry(section.lock).or_default();
            match last.iter_mut().find(|(of, _)| *of == me) {
                Some((_, before)) => *before = section,
                None => last.push((me, section)),
            }
            prefix.changed.push(section.lock);
        }
    }

    /// Of the sections on one lock that have begun, only the run's last may still be open. False
    /// if one of the others never ends.
    fn close(&self, prefix: &mut Prefix) -> bool {
        while let Some(lock) = prefix.changed.pop() {
            let begun = prefix.last[&lock].clone();
            let latest = begun.iter().map(|(_, section)| section.acquired).max();
            for (_, section) in begun {
                if Some(section.acquired) == latest {
                    continue;
                }
                let Some(released) = section.released else {
                    return false;
                };
                self.include(prefix, released, self.clocks.own(released));
            }
        }
        true
    }
}
