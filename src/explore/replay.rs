//! Replay: the one schedule that a token names.

use super::{Ending, Next, Strategy, natural};
use crate::op::{Action, ThreadId};
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
            return Next::Go {
                thread: natural(run, enabled, current),
                case: 0,
            };
        };
        let thread = threads_in(run.live).find(|&id| &*run.threads[id.index()].path == path);
        match thread {
            Some(thread) if enabled & (1 << thread.0) != 0 => {
                let op = run
                    .pending(thread)
                    .expect("it is enabled to do something")
                    .op;
                let case = case.unwrap_or(0);
                let cases = if op.action == Action::Choose {
                    op.arg
                } else {
                    1
                };
                if case >= cases {
                    return Next::Diverged(format!(
                        "step {} of {} of the token chooses case {case}, and there are {cases}",
                        number + 1,
                        self.token.len(),
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
