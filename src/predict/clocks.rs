//! What must have happened before what: thread order, reads-from, forks, joins and wake-ups.
//!
//! Knows nothing of critical sections: the order of two of them on one lock is no cause.

use crate::trace::{ActorId, LockId, Recorded, Trace, TraceError};

/// Most numbers in all clocks together: 256 MiB.
const NUMBERS_MAX: usize = 1 << 26;

/// The causes of each event, as vector clocks.
///
/// Events of one thread share a clock until one of them learns something of another thread, so
/// there are as many clocks as such events, not as many as events.
pub(super) struct Clocks {
    /// For each event its number among its thread's, from 1.
    own: Vec<u32>,
    /// For each event which row of `known` it has.
    row: Vec<u32>,
    /// Rows: of each thread, the number of its last event that is a cause.
    known: Vec<Box<[u32]>>,
}

/// Where a thread is.
#[derive(Clone, Copy, Default)]
struct Now {
    own: u32,
    row: u32,
}

impl Clocks {
    /// O(events + threads × events that learn something).
    pub(super) fn of(trace: &Trace) -> Result<Clocks, TraceError> {
        let threads = trace.threads();
        let mut clocks = Clocks {
            own: Vec::with_capacity(trace.len()),
            row: Vec::with_capacity(trace.len()),
            known: vec![vec![0; threads].into()],
        };
        let mut now = vec![Now::default(); threads];
        let mut writes: Vec<Option<(ActorId, Now)>> = vec![None; trace.variables()];
        // Of each lock's condition the notifications, and the number of the event.
        let mut wakes: Vec<Vec<(usize, ActorId, Now)>> = vec![Vec::new(); trace.locks()];
        // Who waits on the condition of which lock, and since which event.
        let mut waits: Vec<Option<(LockId, usize)>> = vec![None; threads];
        for (number, event) in trace.events().iter().enumerate() {
            let me = event.thread;
            let index = me.0 as usize;
            now[index].own += 1;
            match event.what {
                Recorded::Read(variable) => {
                    clocks.learn(&mut now[index], me, writes[variable.0 as usize])?;
                }
                Recorded::Join(child) => {
                    let other = Some((child, now[child.0 as usize]));
                    clocks.learn(&mut now[index], me, other)?;
                }
                Recorded::Request(lock) | Recorded::Acquire(lock) => {
                    // Which of the notifications since woke it is not recorded: all are causes.
                    if let Some((_, since)) = waits[index].take_if(|(of, _)| *of == lock) {
                        let wakes = wakes[lock.0 as usize].iter().rev();
                        for &(_, who, then) in wakes.take_while(|(wake, ..)| *wake > since) {
                            clocks.learn(&mut now[index], me, Some((who, then)))?;
                        }
                    }
                }
                Recorded::Write(variable) => writes[variable.0 as usize] = Some((me, now[index])),
                Recorded::Fork(child) => {
                    let parent = Some((me, now[index]));
                    clocks.learn(&mut now[child.0 as usize], child, parent)?;
                }
                Recorded::Wait(lock) => waits[index] = Some((lock, number)),
                Recorded::Notify(lock) | Recorded::NotifyAll(lock) => {
                    wakes[lock.0 as usize].push((number, me, now[index]));
                }
                _ => {}
            }
            clocks.own.push(now[index].own);
            clocks.row.push(now[index].row);
        }
        Ok(clocks)
    }

    /// `now` of thread `me` also has the other thread's causes from here on.
    fn learn(
        &mut self,
        now: &mut Now,
        me: ActorId,
        other: Option<(ActorId, Now)>,
    ) -> Result<(), TraceError> {
        let Some((other, then)) = other else {
            return Ok(());
        };
        let mine = &self.known[now.row as usize];
        let index = other.0 as usize;
        // Who knows an event knows its causes.
        if other == me || mine[index] >= then.own {
            return Ok(());
        }
        if (self.known.len() + 1).saturating_mul(mine.len()) > NUMBERS_MAX {
            let message = "the trace is too large: too many threads that hear too often of others";
            return Err(TraceError::at(0, message));
        }
        let theirs = &self.known[then.row as usize];
        let mut both: Box<[u32]> = mine.iter().zip(theirs).map(|(a, b)| *a.max(b)).collect();
        both[index] = both[index].max(then.own);
        now.row = self.known.len() as u32;
        self.known.push(both);
        Ok(())
    }

    /// The event's number among its thread's, from 1.
    pub(super) fn own(&self, event: usize) -> u32 {
        self.own[event]
    }

    /// Of each thread, the number of its last event that must happen before this one. What stands
    /// for the event's own thread means nothing.
    pub(super) fn known(&self, event: usize) -> &[u32] {
        &self.known[self.row[event] as usize]
    }
}
