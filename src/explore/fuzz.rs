//! Fuzzing: schedules that showed something new are kept and changed.
//!
//! Knows schedules, and numbers that stand for what an execution showed; a schedule with a number
//! that none before had is worth keeping. Does not know what the numbers mean, where schedules of
//! earlier runs were kept, or what a defect is. Deterministic: the same seed and the same schedules
//! to begin with lead to the same executions.

use std::collections::{BTreeMap, VecDeque};

use super::random::{Rng, Surw, hold_and_wait};
use super::replay::Replay;
use super::{Ending, Next, Strategy, natural};
use crate::op::ThreadId;
use crate::trace::{ReplayToken, Run, Turn};

/// Schedules that are changed, at most; what is new beyond that is still told.
const CORPUS_MAX: usize = 4_096;
/// Of so many executions one begins with nothing.
const FRESH_EVERY: u32 = 5;
/// Changes to one schedule, at most; one is as likely as all other counts together.
const CHANGES_MAX: u32 = 4;
/// Of so many schedules at random the rarest is changed.
const CANDIDATES: u32 = 4;
/// How far a turn that cannot be taken yet is put off.
const AHEAD_MAX: usize = 64;
/// Remarks on schedules that do not fit any more.
const REMARKS_MAX: usize = 3;

/// The search.
pub(super) struct Fuzz {
    rng: Rng,
    executions: u64,
    executions_max: u64,
    /// Of earlier runs, still to be run again: file and token.
    left: VecDeque<(String, ReplayToken)>,
    /// The one that is being run again, and its file.
    again: Option<(String, Replay)>,
    corpus: Vec<Entry>,
    /// In how many executions each number was there.
    seen: BTreeMap<u64, u32>,
    /// What the execution that has ended showed first.
    news: Vec<u64>,
    /// Whether that is to be kept.
    is_new: bool,
    surw: Surw,
    plan: Plan,
    unfit: usize,
    remarks: Vec<String>,
}

/// A schedule that showed something new.
struct Entry {
    schedule: Vec<Turn>,
    /// What it showed first.
    news: Vec<u64>,
    /// How often it was changed.
    chosen: u32,
}

/// What the execution at hand is to do.
struct Plan {
    /// What is left of the schedule.
    turns: VecDeque<Turn>,
    rest: Rest,
}

/// Who goes on where the schedule says nothing.
#[derive(Clone, Copy, Debug)]
enum Rest {
    /// Any thread.
    Walk,
    /// Any order of the acquisitions that are ever nested.
    Surw,
    /// Mostly the one that ran last.
    Sticky,
    /// One that then holds something and wants more.
    HoldAndWait,
    /// The one that ran last, as long as it can.
    Natural,
}

impl Fuzz {
    pub(super) fn new(seed: u64, executions_max: u64, corpus: Vec<(String, ReplayToken)>) -> Fuzz {
        let mut fuzz = Fuzz {
            rng: Rng::new(seed),
            executions: 0,
            executions_max,
            left: corpus.into(),
            again: None,
            corpus: Vec::new(),
            seen: BTreeMap::new(),
            news: Vec::new(),
            is_new: false,
            surw: Surw::default(),
            plan: Plan {
                turns: VecDeque::new(),
                rest: Rest::Natural,
            },
            unfit: 0,
            remarks: Vec::new(),
        };
        fuzz.prepare();
        fuzz
    }

    /// Decides what the next execution is to do.
    fn prepare(&mut self) {
        self.again = None;
        if let Some((file, token)) = self.left.pop_front() {
            self.again = Some((file, Replay::new(token)));
            return;
        }
        let rest = match self.rng.below(8) {
            0 => Rest::Walk,
            1 => Rest::Sticky,
            2 => Rest::HoldAndWait,
            3 | 4 => Rest::Natural,
            _ => Rest::Surw,
        };
        let is_fresh = self.corpus.is_empty() || self.rng.below(FRESH_EVERY) == 0;
        self.plan = match is_fresh {
            true => Plan {
                turns: VecDeque::new(),
                // Without a schedule the natural order is always the same.
                rest: match rest {
                    Rest::Natural => Rest::Surw,
                    rest => rest,
                },
            },
            false => Plan {
                turns: self.changed().into(),
                rest,
            },
        };
    }

    /// A schedule that was kept, with some changes.
    fn changed(&mut self) -> Vec<Turn> {
        let at = self.choose();
        self.corpus[at].chosen += 1;
        let mut schedule = self.corpus[at].schedule.clone();
        for number in 0..CHANGES_MAX {
            if number > 0 && self.rng.below(2) == 0 {
                break;
            }
            let other = self.rng.below(self.corpus.len() as u32) as usize;
            change(&mut schedule, &self.corpus[other].schedule, &mut self.rng);
        }
        schedule
    }

    /// The one that shows what was seen least often, of some at random; the one that was changed
    /// least often, if in doubt.
    fn choose(&mut self) -> usize {
        let count = self.corpus.len() as u32;
        let rarity = |entry: &Entry| {
            let often = entry.news.iter().filter_map(|number| self.seen.get(number));
            (often.min().copied().unwrap_or(u32::MAX), entry.chosen)
        };
        let candidates = (0..CANDIDATES).map(|_| self.rng.below(count) as usize);
        let rarest = candidates.min_by_key(|&at| rarity(&self.corpus[at]));
        rarest.expect("there are candidates")
    }

    fn note_unfit(&mut self, file: &str, why: &str) {
        self.unfit += 1;
        if self.unfit <= REMARKS_MAX {
            self.remarks.push(format!(
                "{file} does not fit the model any more, and is left out: {why}"
            ));
        }
    }

    /// The thread whose turn it is, and its case.
    fn planned(&mut self, enabled: u64) -> Option<Turn> {
        let turns = &mut self.plan.turns;
        let can_go = |turn: &Turn| enabled & (1 << turn.thread.0) != 0;
        match turns.iter().take(AHEAD_MAX).position(can_go) {
            // Those that were passed over come later.
            Some(at) => turns.remove(at),
            None => {
                let passed = turns.len().min(AHEAD_MAX);
                turns.drain(..passed);
                None
            }
        }
    }

    fn unplanned(&mut self, run: &Run, enabled: u64, current: ThreadId) -> ThreadId {
        match self.plan.rest {
            Rest::Walk => self.rng.of_mask(enabled),
            Rest::Sticky if self.rng.below(6) == 0 => self.rng.of_mask(enabled),
            Rest::Sticky | Rest::Natural => natural(run, enabled, current),
            Rest::Surw => self.surw.next(run, enabled, &mut self.rng),
            Rest::HoldAndWait => hold_and_wait(run, enabled, &mut self.rng),
        }
    }
}

impl Strategy for Fuzz {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        if let Some((file, mut again)) = self.again.take() {
            match again.next(run, enabled, current) {
                Next::Diverged(why) => self.note_unfit(&file, &why),
                next => {
                    self.again = Some((file, again));
                    return next;
                }
            }
        }
        let turn = self.planned(enabled);
        let thread = match turn {
            Some(turn) => turn.thread,
            None => self.unplanned(run, enabled, current),
        };
        let op = run
            .pending(thread)
            .expect("an enabled thread has announced something")
            .op;
        let cases = run.world.cases(op, thread);
        let wanted = turn.and_then(|turn| turn.case);
        let case = match (&cases[..], wanted) {
            ([only], _) => *only,
            (all, Some(case)) if all.contains(&case) => case,
            (all, _) => all[self.rng.below(all.len() as u32) as usize],
        };
        Next::Go { thread, case }
    }

    fn wants_signal(&self) -> bool {
        true
    }

    fn signal(&mut self, numbers: &[u64]) {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        self.news.clear();
        for number in numbers {
            let often = self.seen.entry(number).or_default();
            *often = often.saturating_add(1);
            if *often == 1 {
                self.news.push(number);
            }
        }
    }

    fn end(&mut self, run: &Run, ending: Ending) -> Result<bool, String> {
        self.executions += 1;
        let again = self.again.take();
        if let Some((file, mut replay)) = again
            && let Err(why) = replay.end(run, ending)
        {
            self.note_unfit(&file, &why);
        }
        self.surw.learn(run);
        // What was cut off need not end, and is long.
        self.is_new = ending == Ending::Maximal && !self.news.is_empty();
        if self.is_new && self.corpus.len() < CORPUS_MAX {
            self.corpus.push(Entry {
                schedule: run.schedule(),
                news: std::mem::take(&mut self.news),
                chosen: 0,
            });
        }
        self.prepare();
        Ok(self.executions < self.executions_max)
    }

    fn is_worth_keeping(&self) -> bool {
        self.is_new
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks.clone();
        if self.unfit > REMARKS_MAX {
            let more = self.unfit - REMARKS_MAX;
            remarks.push(format!(
                "{more} more files of the corpus do not fit any more"
            ));
        }
        remarks
    }
}

/// Changes a schedule in one place.
fn change(schedule: &mut Vec<Turn>, other: &[Turn], rng: &mut Rng) {
    let Some(at) = place_in(schedule, rng) else {
        return;
    };
    match rng.below(6) {
        // Goes on otherwise from there.
        0 => schedule.truncate(at),
        // Goes on as another one does.
        1 => {
            let from = place_in(other, rng).unwrap_or(0);
            schedule.truncate(at);
            schedule.extend_from_slice(&other[from..]);
        }
        // Another thread runs first, for a while.
        2 | 3 => preempt(schedule, at, rng),
        // What a thread does there in a row comes later.
        4 => put_off(schedule, at, rng),
        // Another case of a choice.
        _ => {
            let mut choices = (at..schedule.len()).chain(0..at);
            if let Some(choice) = choices.find(|&at| schedule[at].case.is_some()) {
                // One that there is not becomes any other.
                schedule[choice].case = Some(rng.below(4));
            } else {
                preempt(schedule, at, rng);
            }
        }
    }
}

/// Rather late than early: what came before is what led to something new.
fn place_in(schedule: &[Turn], rng: &mut Rng) -> Option<usize> {
    let count = u32::try_from(schedule.len()).ok().filter(|len| *len > 0)?;
    Some(rng.below(count).max(rng.below(count)) as usize)
}

/// Lets another thread that comes later go first: the next steps of it, up to some number.
fn preempt(schedule: &mut Vec<Turn>, at: usize, rng: &mut Rng) {
    let current = schedule[at].thread;
    let others: Vec<ThreadId> = {
        let mut others: Vec<ThreadId> = schedule[at..]
            .iter()
            .map(|turn| turn.thread)
            .filter(|its| *its != current)
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    };
    if others.is_empty() {
        return;
    }
    let first = others[rng.below(others.len() as u32) as usize];
    let most = 1 + rng.below(4) as usize;
    let mut moved = Vec::new();
    let mut number = 0;
    schedule.retain(|turn| {
        let moves = number >= at && turn.thread == first && moved.len() < most;
        number += 1;
        if moves {
            moved.push(*turn);
        }
        !moves
    });
    schedule.splice(at..at, moved);
}

/// Moves what the thread does from there in a row behind some of what follows.
fn put_off(schedule: &mut [Turn], at: usize, rng: &mut Rng) {
    let thread = schedule[at].thread;
    let row = schedule[at..]
        .iter()
        .take_while(|turn| turn.thread == thread)
        .count();
    let behind = (schedule.len() - at - row).min(16) as u32;
    if behind > 0 {
        let by = 1 + rng.below(behind) as usize;
        schedule[at..at + row + by].rotate_left(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(threads: &[u8]) -> Vec<Turn> {
        let turn = |&thread| Turn {
            thread: ThreadId(thread),
            case: (thread == 3).then_some(1),
        };
        threads.iter().map(turn).collect()
    }

    fn counts(schedule: &[Turn]) -> [usize; 4] {
        [0, 1, 2, 3].map(|thread| {
            let own = schedule
                .iter()
                .filter(|turn| turn.thread == ThreadId(thread));
            own.count()
        })
    }

    #[test]
    fn moves_lose_no_turn() {
        let mut rng = Rng::new(1);
        let before = turns(&[0, 1, 1, 2, 0, 2, 1, 0, 3]);
        for _ in 0..500 {
            for at in 0..before.len() {
                let (mut one, mut two) = (before.clone(), before.clone());
                preempt(&mut one, at, &mut rng);
                put_off(&mut two, at, &mut rng);
                assert_eq!(counts(&one), counts(&before));
                assert_eq!(counts(&two), counts(&before));
                assert_eq!(one[..at], before[..at], "what was before stays");
                assert_eq!(two[..at], before[..at]);
            }
        }
    }

    #[test]
    fn every_kind_of_change_happens() {
        let mut rng = Rng::new(7);
        let (before, other) = (turns(&[0, 1, 1, 2, 0, 3, 1]), turns(&[2, 2, 2]));
        let (mut shorter, mut spliced, mut moved, mut chosen) = (false, false, false, false);
        for _ in 0..300 {
            let mut changed = before.clone();
            change(&mut changed, &other, &mut rng);
            shorter |= changed.len() < before.len() && before.starts_with(&changed);
            spliced |= changed.ends_with(&other[..1]);
            moved |= counts(&changed) == counts(&before) && changed != before;
            chosen |= changed.iter().any(|turn| turn.case == Some(2));
        }
        assert!(shorter && spliced && moved && chosen);
        let mut empty = Vec::new();
        change(&mut empty, &other, &mut rng);
        assert!(empty.is_empty());
    }
}
