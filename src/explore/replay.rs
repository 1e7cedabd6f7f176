//! Replay: the one schedule that a token names.

use super::{Ending, Next, Strategy, natural};
use crate::op::ThreadId;
use crate::trace::{ReplayToken, Run, threads_in};

/// Follows the token; what comes after its end goes on naturally.
pub(super) struct Replay {
    token: ReplayToken,
    step: usize,
}

impl Replay {
    pub(super) fn new(token: ReplayToken) -> Replay {
        Replay { token, step: 0 }
    }
}

impl Strategy for Replay {
    fn next(&mut self, run: &Run, enabled: u64, current: ThreadId) -> Next {
        let number = self.step;
        self.step += 1;
        let Some((path, case)) = self.token.step(number) else {
            let thread = natural(run, enabled, current);
            let pending = run.pending(thread).expect("it is enabled");
            let case = run.world.cases(pending.op, thread)[0];
            return Next::Go { thread, case };
        };
        let thread = threads_in(run.live).find(|&id| &*run.threads[id.index()].path == path);
        match thread {
            Some(thread) if enabled & (1 << thread.0) != 0 => {
                let op = run
                    .pending(thread)
                    .expect("it is enabled to do something")
                    .op;
                let cases = run.world.cases(op, thread);
                let case = case.unwrap_or(cases[0]);
                if !cases.contains(&case) {
                    return Next::Diverged(format!(
                        "step {} of {} of the token chooses case {case}, and there are {}",
                        number + 1,
                        self.token.len(),
                        listed(&cases),
                    ));
                }
                Next::Go { thread, case }
            }
            Some(thread) => Next::Diverged(format!(
                "step {} of {} of the token is `{}`'s, which waits there now: the model has \
                 changed since the token was made",
                number + 1,
                self.token.len(),
                run.thread_name(thread)
            )),
            None => Next::Diverged(format!(
                "step {} of {} of the token is that of thread {path}, which is not there: the \
                 model has changed since the token was made",
                number + 1,
                self.token.len(),
            )),
        }
    }

    fn end(&mut self, _run: &Run, _ending: Ending) -> Result<bool, String> {
        Ok(false)
    }
}

/// "0, 1 and 3".
fn listed(cases: &[u32]) -> String {
    let words: Vec<String> = cases.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("the cases {} and {last}", others.join(", "))
        }
        _ => format!("only case {}", words.join("")),
    }
}
