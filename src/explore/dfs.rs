//! Plain depth-first enumeration of interleavings, all of them or those with few preemptions.
//!
//! No reduction, nothing clever: the reference for the exhaustive strategy, and what a bound on
//! preemptions is defined by.

use super::{Ending, Next, Strategy, again};
use crate::op::{Action, Op, Site, ThreadId};
use crate::trace::{Run, threads_in};

/// The search.
pub(super) struct Dfs {
    preemptions_max: Option<u32>,
    frames: Vec<Frame>,
    depth: usize,
    executions: u64,
}

/// One decision, and the ones that are left.
struct Frame {
    chosen: Decision,
    left: Vec<Decision>,
    done: u64,
    /// Preemptions up to and with this decision.
    preemptions: u32,
}

#[derive(Clone, Copy, Debug)]
struct Decision {
    thread: ThreadId,
    op: Op,
    site: Site,
    case: u32,
    preempts: bool,
}

impl Dfs {
    pub(super) fn unbounded() -> Dfs {
        Dfs {
            preemptions_max: None,
            frames: Vec::new(),
            depth: 0,
            executions: 0,
        }
    }

    pub(super) fn bounded(preemptions_max: u32) -> Dfs {
        Dfs {
            preemptions_max: Some(preemptions_max),
            ..Dfs::unbounded()
        }
    }

    /// All decisions at this point, the one that goes on with the current thread first.
    fn decisions(&self, run: &Run, enabled: u64, current: ThreadId, spent: u32) -> Vec<Decision> {
        let goes_on = enabled & (1 << current.0) != 0;
        // Leaving a thread that yields is no preemption.
        let yields = goes_on
            && run
                .pending(current)
                .is_some_and(|pending| pending.op.action == Action::Yield);
        let others = threads_in(enabled & !(1 << current.0));
        let mine = goes_on.then_some(current);
        let order: Vec<ThreadId> = match yields {
            true => others.chain(mine).collect(),
            false => mine.into_iter().chain(others).collect(),
        };
        let mut decisions = Vec::new();
        for thread in order {
            let preempts = goes_on && !yields && thread != current;
            if preempts && self.preemptions_max.is_some_and(|max| spent >= max) {
                continue;
            }
            let pending = run
                .pending(thread)
                .expect("an enabled thread has announced something");
            let cases = run.world.cases(pending.op, thread);
            decisions.extend(cases.into_iter().map(|case| Decision {
                thread,
                op: pending.op,
                site: pending.site,
                case,
                preempts,
            }));
        }
        decisions
    }
}

impl Strategy for Dfs {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let depth = self.depth;
        self.depth += 1;
        let is_new = depth == self.frames.len();
        if is_new {
            let spent = self.frames.last().map_or(0, |frame| frame.preemptions);
            let mut left = self.decisions(run, enabled, current, spent);
            left.reverse();
            let chosen = left
                .pop()
                .expect("going on with a thread is within any bound");
            let preemptions = spent + u32::from(chosen.preempts);
            self.frames.push(Frame {
                chosen,
                left,
                done: 0,
                preemptions,
            });
        }
        let Decision {
            thread,
            op,
            site,
            case,
            ..
        } = self.frames[depth].chosen;
        if !is_new && let Err(why) = again(run, enabled, thread, (op, site)) {
            return Next::Diverged(why);
        }
        Next::Go { thread, case }
    }

    fn end(&mut self, run: &Run, _ending: Ending) -> Result<bool, String> {
        self.executions += 1;
        // Rounds to no purpose were forgotten, and with them their decisions.
        self.frames.truncate(run.events.len());
        self.depth = 0;
        while let Some(frame) = self.frames.last_mut() {
            frame.done += 1;
            if let Some(next) = frame.left.pop() {
                frame.preemptions -= u32::from(frame.chosen.preempts);
                frame.preemptions += u32::from(next.preempts);
                frame.chosen = next;
                return Ok(true);
            }
            self.frames.pop();
        }
        Ok(false)
    }

    /// As if every branch that is left were as large as the average of those done.
    fn estimate(&self) -> Option<f64> {
        let mut share = 0.0;
        let mut weight = 1.0;
        for frame in &self.frames {
            let branches = (frame.done as usize + 1 + frame.left.len()) as f64;
            share += weight * frame.done as f64 / branches;
            weight /= branches;
        }
        let share = share + weight;
        Some((self.executions as f64 / share).max(self.executions as f64))
    }
}
