//! Shrinking: from a schedule that leads to a finding to one that a person understands.
//!
//! Knows schedules as lists of threads and cases, and proposes simpler ones; whether one still
//! leads there is found out by running it. Simpler is, in this order: fewer threads, fewer choices
//! that are not the first case, fewer context switches, fewer steps. It is a greedy search for a
//! schedule that none of its moves makes simpler (delta debugging: Zeller, Hildebrandt, TSE 2002;
//! the moves that join the steps of a thread: Jalbert, Sen, "A trace simplification technique for
//! effective debugging of concurrent programs", FSE 2010).

use super::{Ending, Next, Strategy, natural};
use crate::op::{ThreadId, mask_of};
use crate::trace::{Run, Turn};

/// What makes a schedule hard to read; less is simpler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    threads: u32,
    choices: usize,
    switches: usize,
    steps: usize,
}

impl Cost {
    fn of(schedule: &[Turn]) -> Cost {
        let threads = mask_of(schedule.iter().map(|turn| turn.thread));
        let chosen = |turn: &&Turn| turn.case.is_some_and(|case| case != 0);
        Cost {
            threads: threads.count_ones(),
            choices: schedule.iter().filter(chosen).count(),
            switches: switches(schedule),
            steps: schedule.len(),
        }
    }
}

fn switches(schedule: &[Turn]) -> usize {
    let differ = |pair: &&[Turn]| pair[0].thread != pair[1].thread;
    schedule.windows(2).filter(differ).count()
}

/// Proposes simpler schedules, one after the other.
#[derive(Debug)]
pub(crate) struct Shrinker {
    best: Vec<Turn>,
    cost: Cost,
    /// Which move on `best` is proposed next.
    number: usize,
    proposals_left: u32,
    steps_left: usize,
}

/// Proposals for one finding.
const PROPOSALS_MAX: u32 = 400;
/// Steps of all proposals for one finding.
const STEPS_MAX: usize = 200_000;

impl Shrinker {
    pub(crate) fn new(schedule: Vec<Turn>) -> Shrinker {
        Shrinker {
            cost: Cost::of(&schedule),
            best: schedule,
            number: 0,
            proposals_left: PROPOSALS_MAX,
            steps_left: STEPS_MAX,
        }
    }

    /// The next schedule to be tried; none when there is nothing left to try.
    pub(crate) fn propose(&mut self) -> Option<Vec<Turn>> {
        self.proposals_left = self.proposals_left.checked_sub(1)?;
        self.steps_left = self.steps_left.checked_sub(self.best.len().max(1))?;
        loop {
            let proposal = moved(&self.best, self.number)?;
            self.number += 1;
            if proposal != self.best {
                return Some(proposal);
            }
        }
    }

    /// This schedule led to the finding; whether it is simpler than all before.
    pub(crate) fn met(&mut self, schedule: Vec<Turn>) -> bool {
        let cost = Cost::of(&schedule);
        let simpler = cost < self.cost;
        if simpler {
            self.cost = cost;
            self.best = schedule;
            self.number = 0;
        }
        simpler
    }
}

/// The schedule after its move of this number; none when it has no more.
fn moved(schedule: &[Turn], number: usize) -> Option<Vec<Turn>> {
    let mut left = number;
    let mut pick = |count: usize| {
        let mine = left < count;
        let at = left;
        left = left.saturating_sub(count);
        mine.then_some(at)
    };
    let threads = threads(schedule);
    let blocks = blocks(schedule);
    if let Some(at) = pick(threads.len()) {
        // Without a thread.
        let without = schedule.iter().filter(|turn| turn.thread != threads[at]);
        return Some(without.copied().collect());
    }
    let choices: Vec<usize> = (0..schedule.len())
        .filter(|&at| schedule[at].case.is_some_and(|case| case != 0))
        .collect();
    if let Some(at) = pick(choices.len() * DROPPED_MAX) {
        return Some(chosen_first(
            schedule,
            choices[at / DROPPED_MAX],
            at % DROPPED_MAX,
        ));
    }
    if let Some(at) = pick(threads.len() * threads.len()) {
        // One thread as far as it goes, then another, then all as before.
        let (first, second) = (threads[at / threads.len()], threads[at % threads.len()]);
        return Some(gathered(schedule, &[first, second]));
    }
    if let Some(at) = pick(blocks.len()) {
        return Some(joined(schedule, &blocks, at, true));
    }
    if let Some(at) = pick(blocks.len()) {
        return Some(joined(schedule, &blocks, at, false));
    }
    if let Some(at) = pick(blocks.len()) {
        // Without a block.
        let (from, to) = blocks[at];
        return Some([&schedule[..from], &schedule[to..]].concat());
    }
    let at = pick(schedule.len())?;
    // Without a step, from the last one backwards.
    let at = schedule.len() - 1 - at;
    Some([&schedule[..at], &schedule[at + 1..]].concat())
}

/// Another case may need fewer steps: so many are tried to be left out, less one.
const DROPPED_MAX: usize = 9;

/// With the first case of a choice, and without some of the thread's steps that follow it.
fn chosen_first(schedule: &[Turn], at: usize, dropped: usize) -> Vec<Turn> {
    let mut left = dropped;
    let mut other = schedule.to_vec();
    other[at].case = Some(0);
    let thread = other[at].thread;
    let mut number = 0;
    other.retain(|turn| {
        let drops = number > at && turn.thread == thread && left > 0;
        number += 1;
        left -= usize::from(drops);
        !drops
    });
    other
}

fn threads(schedule: &[Turn]) -> Vec<ThreadId> {
    let mut threads: Vec<ThreadId> = schedule.iter().map(|turn| turn.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    threads
}

/// Where each thread runs in a row: from, to.
fn blocks(schedule: &[Turn]) -> Vec<(usize, usize)> {
    let mut blocks = Vec::new();
    let mut from = 0;
    for at in 1..=schedule.len() {
        if at == schedule.len() || schedule[at].thread != schedule[from].thread {
            blocks.push((from, at));
            from = at;
        }
    }
    blocks
}

/// All steps of these threads first, in this order.
fn gathered(schedule: &[Turn], first: &[ThreadId]) -> Vec<Turn> {
    let rank = |turn: &Turn| {
        let place = first.iter().position(|thread| *thread == turn.thread);
        place.unwrap_or(first.len())
    };
    let mut sorted = schedule.to_vec();
    sorted.sort_by_key(rank);
    sorted
}

/// With a block put to the next one of its thread (or that one to it).
fn joined(schedule: &[Turn], blocks: &[(usize, usize)], at: usize, late: bool) -> Vec<Turn> {
    let (from, to) = blocks[at];
    let thread = schedule[from].thread;
    let next = blocks[at + 1..]
        .iter()
        .find(|(from, _)| schedule[*from].thread == thread);
    let Some(&(next_from, next_to)) = next else {
        return schedule.to_vec();
    };
    let (own, between) = (&schedule[from..to], &schedule[to..next_from]);
    let next = &schedule[next_from..next_to];
    match late {
        true => [&schedule[..from], between, own, next, &schedule[next_to..]].concat(),
        false => [&schedule[..from], own, next, between, &schedule[next_to..]].concat(),
    }
}

/// Follows a schedule as far as it goes: turns of threads that cannot go on are left out, and what
/// comes after its end goes on naturally.
#[derive(Debug)]
pub(crate) struct Guide {
    schedule: Vec<Turn>,
    at: usize,
}

impl Guide {
    pub(crate) fn new(schedule: Vec<Turn>) -> Guide {
        Guide { schedule, at: 0 }
    }
}

impl Strategy for Guide {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let mut turn = None;
        while turn.is_none() && self.at < self.schedule.len() {
            let next = self.schedule[self.at];
            self.at += 1;
            turn = Some(next).filter(|turn| enabled & (1 << turn.thread.0) != 0);
        }
        let thread = turn.map_or_else(|| natural(run, enabled, current), |turn| turn.thread);
        let pending = run.pending(thread).expect("it is enabled to do something");
        let cases = run.world.cases(pending.op, thread);
        let case = turn.and_then(|turn| turn.case);
        let case = case.filter(|case| cases.contains(case)).unwrap_or(cases[0]);
        Next::Go { thread, case }
    }

    fn end(&mut self, _run: &Run, _ending: Ending) -> Result<bool, String> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(threads: &[u8]) -> Vec<Turn> {
        let turn = |&thread| Turn {
            thread: ThreadId(thread),
            case: None,
        };
        threads.iter().map(turn).collect()
    }

    /// Shrinks as long as `holds`; the result as thread numbers.
    fn shrunk(schedule: &[u8], holds: impl Fn(&[Turn]) -> bool) -> Vec<u8> {
        let mut shrinker = Shrinker::new(turns(schedule));
        while let Some(proposal) = shrinker.propose() {
            if holds(&proposal) {
                shrinker.met(proposal);
            }
        }
        shrinker.best.iter().map(|turn| turn.thread.0).collect()
    }

    fn count(schedule: &[Turn], thread: u8) -> usize {
        let own = |turn: &&Turn| turn.thread == ThreadId(thread);
        schedule.iter().filter(own).count()
    }

    #[test]
    fn what_does_not_matter_goes() {
        let needs_two = |its: &[Turn]| count(its, 1) >= 2 && count(its, 2) >= 1;
        let long = [0, 1, 2, 0, 3, 1, 1, 2, 3, 0, 2, 1];
        let short = shrunk(&long, needs_two);
        assert_eq!(short.iter().filter(|thread| **thread == 1).count(), 2);
        assert_eq!(short.len(), 3, "{short:?}");
        assert_eq!(switches(&turns(&short)), 1);
    }

    #[test]
    fn what_matters_stays() {
        let exact = turns(&[1, 2, 1, 2]);
        assert_eq!(shrunk(&[1, 2, 1, 2], |its| its == exact), [1, 2, 1, 2]);
    }

    #[test]
    fn choices_go_to_their_first_case() {
        let mut schedule = turns(&[1, 1, 1]);
        schedule[0].case = Some(3);
        schedule[2].case = Some(1);
        let mut shrinker = Shrinker::new(schedule);
        let chosen = |its: &[Turn]| its.iter().map(|turn| turn.case).collect::<Vec<_>>();
        while let Some(proposal) = shrinker.propose() {
            let cases = chosen(&proposal);
            if cases.len() == 3 && cases[2] == Some(1) {
                shrinker.met(proposal);
            }
        }
        assert_eq!(chosen(&shrinker.best), [Some(0), None, Some(1)]);
    }

    #[test]
    fn there_is_an_end_to_it() {
        let mut shrinker = Shrinker::new(turns(&[1; 5_000]));
        let mut proposals = 0;
        while let Some(proposal) = shrinker.propose() {
            proposals += 1;
            shrinker.met(proposal);
        }
        assert!(proposals <= 50, "{proposals}");
    }
}
