//! The schedule token: the choices that lead to an interleaving, as one short word.

use std::fmt;
use std::str::FromStr;

use crate::error::ConfigError;
use crate::op::ThreadId;
use crate::trace::{Paths, Run};

/// A schedule: which thread did each step, and what the environment chose.
///
/// As text: `g1:` then the spawn paths of the threads that take part, separated by `,`; then `:`
/// and the steps, separated by `-`: the thread's place in that list from 0, `xN` when it does N
/// steps in a row, `!N` when its step is a choice and case N was chosen.
///
/// ```
/// use gordian::ReplayToken;
///
/// let token: ReplayToken = "g1:0,0.0,0.1:1-2x2-1!3-0".parse().unwrap();
/// assert_eq!(token.to_string(), "g1:0,0.0,0.1:1-2x2-1!3-0");
/// assert!("g1:0:7".parse::<ReplayToken>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayToken {
    threads: Vec<String>,
    steps: Vec<TokenStep>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TokenStep {
    /// Index in `threads`.
    thread: usize,
    case: Option<u32>,
}

/// Longest token that is read: bounds what a corrupt one can cost.
const STEPS_MAX: usize = 10_000_000;

impl ReplayToken {
    /// The schedule of the execution so far.
    pub(crate) fn of(run: &Run, paths: &Paths) -> ReplayToken {
        let mut ids: Vec<ThreadId> = Vec::new();
        let mut steps = Vec::with_capacity(run.events.len());
        for event in &run.events {
            let thread = ids
                .iter()
                .position(|&id| id == event.thread)
                .unwrap_or_else(|| {
                    ids.push(event.thread);
                    ids.len() - 1
                });
            steps.push(TokenStep {
                thread,
                case: event.case,
            });
        }
        ReplayToken {
            threads: ids
                .into_iter()
                .map(|id| paths.text(id).to_string())
                .collect(),
            steps,
        }
    }

    /// How many steps it fixes.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The spawn path of the thread that does this step, and the case that is chosen in it.
    pub(crate) fn step(&self, index: usize) -> Option<(&str, Option<u32>)> {
        let step = self.steps.get(index)?;
        Some((&self.threads[step.thread], step.case))
    }
}

impl fmt::Display for ReplayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g1:{}:", self.threads.join(","))?;
        let mut rest = &self.steps[..];
        let mut separator = "";
        while let Some((first, _)) = rest.split_first() {
            let same = rest.iter().take_while(|step| *step == first).count();
            write!(f, "{separator}{}", first.thread)?;
            let taken = match first.case {
                Some(case) => {
                    write!(f, "!{case}")?;
                    1
                }
                None if same > 1 => {
                    write!(f, "x{same}")?;
                    same
                }
                None => 1,
            };
            rest = &rest[taken..];
            separator = "-";
        }
        Ok(())
    }
}

impl FromStr for ReplayToken {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        parse(text).map_err(|why| ConfigError(format!("not a replay token of this version: {why}")))
    }
}

fn parse(text: &str) -> Result<ReplayToken, String> {
    let mut parts = text.splitn(3, ':');
    if parts.next() != Some("g1") {
        return Err("it does not begin with `g1:`".to_owned());
    }
    let (Some(threads), Some(steps)) = (parts.next(), parts.next()) else {
        return Err("it has no `:` between threads and steps".to_owned());
    };
    let threads: Vec<String> = threads.split(',').map(str::to_owned).collect();
    if threads.len() > ThreadId::COUNT_MAX {
        return Err(format!(
            "it names more than {} threads",
            ThreadId::COUNT_MAX
        ));
    }
    let mut parsed = Vec::new();
    for step in steps.split('-').filter(|step| !step.is_empty()) {
        let (thread, case, count) = parse_step(step)?;
        if thread >= threads.len() {
            return Err(format!(
                "step `{step}` names a thread that is not in its list"
            ));
        }
        if parsed.len() + count > STEPS_MAX {
            return Err(format!("it has more than {STEPS_MAX} steps"));
        }
        parsed.extend(std::iter::repeat_n(TokenStep { thread, case }, count));
    }
    Ok(ReplayToken {
        threads,
        steps: parsed,
    })
}

/// Thread, chosen case, repetitions.
fn parse_step(step: &str) -> Result<(usize, Option<u32>, usize), String> {
    let bad = || format!("step `{step}` cannot be read");
    let number = |digits: &str| digits.parse::<usize>().map_err(|_| bad());
    if let Some((thread, case)) = step.split_once('!') {
        return Ok((number(thread)?, Some(case.parse().map_err(|_| bad())?), 1));
    }
    match step.split_once('x') {
        Some((thread, count)) => Ok((number(thread)?, None, count.parse().map_err(|_| bad())?)),
        None => Ok((number(step)?, None, 1)),
    }
}
