//! Replay: the one schedule that a token names.
//!
//! The token's steps are looked for by thread, operation and object. A thread that comes to an
//! operation which the token does not have does it on the way (something was added to the model);
//! a step that a thread has passed without coming to it is left out (something was taken away).
//! Both are remarked upon. A step that has to wait where it did not before ends the replay.

use std::rc::Rc;

use super::{Ending, Next, Strategy, natural};
use crate::op::ThreadId;
use crate::trace::{ReplayToken, Run, Scheduled, threads_in};

/// Follows the token; what comes after its end goes on naturally.
pub(super) struct Replay {
    token: Rc<ReplayToken>,
    step: usize,
    /// By step: whether it does not come any more.
    gone: Vec<bool>,
    /// Operations that the token does not have: the first ones, in words.
    extra: Vec<String>,
    extra_count: usize,
}

/// Operations that the token does not have, in all; more mean that it is of another model.
const EXTRA_MAX: usize = 10_000;
/// How many of a thread's next steps are looked at for the operation that it has come to.
const AHEAD_MAX: usize = 64;
/// Remarks of one kind that are written out.
const REMARKS_MAX: usize = 3;

impl Replay {
    pub(super) fn new(token: ReplayToken) -> Replay {
        let gone = vec![false; token.len()];
        Replay {
            token: Rc::new(token),
            step: 0,
            gone,
            extra: Vec::new(),
            extra_count: 0,
        }
    }

    /// "step 3 of 9 of the token (`teller` lock bob)".
    fn place(&self, step: usize) -> String {
        let of = self.token.len();
        let words = self.token.step(step).map_or(String::new(), |its| {
            let thread = its.thread.name.as_deref().unwrap_or(&its.thread.path);
            format!(" (`{thread}` {})", its.operation.replacen('+', " ", 1))
        });
        format!("step {} of {of} of the token{words}", step + 1)
    }

    /// What the thread does for the token's current step, which is its; none when that step is
    /// gone.
    fn follow(&mut self, run: &Run, enabled: u64, thread: ThreadId) -> Option<Next> {
        let token = Rc::clone(&self.token);
        let step = token.step(self.step)?;
        let Some(pending) = run.pending(thread) else {
            self.gone[self.step] = true;
            return None;
        };
        let key = run.operation_key(pending.op);
        let is_step = key == step.operation;
        if !is_step && self.passes(step, &key) {
            return None;
        }
        if enabled & (1 << thread.0) == 0 {
            return Some(Next::Diverged(format!(
                "{} has come, and `{}` waits there now, to {}: the model has changed since the \
                 token was made",
                self.place(self.step),
                run.thread_name(thread),
                run.verb(pending.op),
            )));
        }
        let cases = run.world.cases(pending.op, thread);
        if !is_step {
            return Some(self.on_the_way(run, thread, cases[0]));
        }
        let case = step.case.unwrap_or(cases[0]);
        if !cases.contains(&case) {
            return Some(Next::Diverged(format!(
                "{} chooses case {case}, and there are {}",
                self.place(self.step),
                listed(&cases),
            )));
        }
        self.step += 1;
        Some(Next::Go { thread, case })
    }

    /// Whether the operation is a later one of the same thread: then those before it are gone.
    fn passes(&mut self, step: Scheduled<'_>, key: &str) -> bool {
        let mut own = Vec::new();
        for at in self.step..self.token.len() {
            let Some(its) = self.token.step(at) else {
                break;
            };
            if its.thread != step.thread || self.gone[at] {
                continue;
            }
            if its.operation == key {
                own.into_iter().for_each(|at: usize| self.gone[at] = true);
                return true;
            }
            own.push(at);
            if own.len() == AHEAD_MAX {
                break;
            }
        }
        false
    }

    /// An operation that the token does not have.
    fn on_the_way(&mut self, run: &Run, thread: ThreadId, case: u32) -> Next {
        self.extra_count += 1;
        if self.extra_count > EXTRA_MAX {
            return Next::Diverged(format!(
                "{} does not come: the token is of another model",
                self.place(self.step)
            ));
        }
        if self.extra.len() < REMARKS_MAX
            && let Some(pending) = run.pending(thread)
        {
            let subject = run.subject(pending.op).unwrap_or_default();
            self.extra.push(format!(
                "`{}` {} {subject}",
                run.thread_name(thread),
                run.verb(pending.op)
            ));
        }
        Next::Go { thread, case }
    }
}

impl Strategy for Replay {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let token = Rc::clone(&self.token);
        while let Some(step) = token.step(self.step) {
            if self.gone[self.step] {
                self.step += 1;
                continue;
            }
            let thread = match run.thread_of(step.thread) {
                Some(thread) => thread,
                // It is not there yet: whoever is to start it goes on.
                None => {
                    match parent(run, &step.thread.path).filter(|_| self.extra_count < EXTRA_MAX) {
                        Some(parent) if enabled & (1 << parent.0) != 0 => {
                            let pending = run.pending(parent).expect("it is enabled");
                            let case = run.world.cases(pending.op, parent)[0];
                            return self.on_the_way(run, parent, case);
                        }
                        _ => {
                            self.gone[self.step] = true;
                            continue;
                        }
                    }
                }
            };
            if let Some(next) = self.follow(run, enabled, thread) {
                return next;
            }
        }
        let thread = natural(run, enabled, current);
        let pending = run.pending(thread).expect("it is enabled");
        let case = run.world.cases(pending.op, thread)[0];
        Next::Go { thread, case }
    }

    fn end(&mut self, _run: &Run, ending: Ending) -> Result<bool, String> {
        if ending == Ending::Maximal {
            self.gone[self.step..].fill(true);
        }
        let gone = self.gone.iter().filter(|gone| **gone).count();
        match gone * 2 > self.token.len() {
            true => Err(format!(
                "{gone} of its {} steps do not come: the token is of another model",
                self.token.len()
            )),
            false => Ok(false),
        }
    }

    fn remarks(&self) -> Vec<String> {
        let gone = (0..self.gone.len()).filter(|&step| self.gone[step]);
        let mut remarks: Vec<String> = gone
            .map(|step| format!("{} does not come any more", self.place(step)))
            .collect();
        shorten(&mut remarks, |more| {
            format!("{more} more steps of the token do not come any more")
        });
        if self.extra_count > 0 {
            let more = match self.extra_count - self.extra.len() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            remarks.push(format!(
                "the token does not have these: {}{more}",
                self.extra.join(", ")
            ));
        }
        remarks
    }
}

fn shorten(remarks: &mut Vec<String>, rest: impl Fn(usize) -> String) {
    if remarks.len() > REMARKS_MAX {
        let more = remarks.len() - REMARKS_MAX;
        remarks.truncate(REMARKS_MAX);
        remarks.push(rest(more));
    }
}

/// The nearest thread on the spawn path that is live.
fn parent(run: &Run, path: &str) -> Option<ThreadId> {
    let (above, _) = path.rsplit_once('.')?;
    let found = threads_in(run.live).find(|&id| &*run.threads[id.index()].path == above);
    found.or_else(|| parent(run, above))
}

/// "the cases 0, 1 and 3".
fn listed(cases: &[u32]) -> String {
    let words: Vec<String> = cases.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("the cases {} and {last}", others.join(", "))
        }
        _ => format!("only case {}", words.join("")),
    }
}
