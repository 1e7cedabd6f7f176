//! The critical sections of a run, and the requests made inside of others.
//!
//! Knows who held what when, and refuses what is no run. Does not know which order was needed.

use crate::trace::{ActorId, LockId, Recorded, Trace, TraceError};

/// From an acquisition to its release.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) lock: LockId,
    /// The event that took it.
    pub(super) acquired: usize,
    /// The event that gave it back; none if the run ended first.
    pub(super) released: Option<usize>,
}

/// A request for a lock by a thread that holds others.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) thread: ActorId,
    pub(super) lock: LockId,
    /// What it held, by lock, and the event that took it.
    pub(super) held: Box<[(LockId, usize)]>,
    /// The event: the `req`, or the `acq` where the recorder writes none.
    pub(super) event: usize,
    /// The event that took the lock; none if that never came.
    pub(super) acquired: Option<usize>,
}

/// What a run did with its locks.
#[derive(Default)]
pub(super) struct Sections {
    /// By thread, in their order.
    pub(super) of_thread: Vec<Vec<Section>>,
    /// In the order of the run.
    pub(super) requests: Vec<Request>,
    /// Acquisitions of locks that more than one thread uses.
    pub(super) shared: u64,
}

/// A lock that a thread has.
struct Holding {
    lock: LockId,
    /// Which of the thread's sections.
    section: usize,
    acquired: usize,
    /// How often it was taken: recorders of re-entrant locks write each.
    depth: u32,
}

/// What a thread is at.
#[derive(Default)]
struct Actor {
    holds: Vec<Holding>,
    requests: Option<(LockId, usize)>,
    acts: bool,
    joined: bool,
}

/// A run, as far as it has been read.
struct Reading<'t> {
    trace: &'t Trace,
    actors: Vec<Actor>,
    owners: Vec<Option<ActorId>>,
    /// Who uses a lock, while that is one thread.
    only: Vec<Option<ActorId>>,
    shared: Vec<bool>,
    taken: Vec<u64>,
    sections: Sections,
}

impl Sections {
    /// O(events × locks held at once).
    pub(super) fn of(trace: &Trace) -> Result<Sections, TraceError> {
        let mut reading = Reading {
            trace,
            actors: (0..trace.threads()).map(|_| Actor::default()).collect(),
            owners: vec![None; trace.locks()],
            only: vec![None; trace.locks()],
            shared: vec![false; trace.locks()],
            taken: vec![0; trace.locks()],
            sections: Sections {
                of_thread: vec![Vec::new(); trace.threads()],
                ..Sections::default()
            },
        };
        for (index, event) in trace.events().iter().enumerate() {
            let refuse = |message| Err(TraceError::at(event.line, message));
            reading
                .step(index, event.thread, event.what)
                .or_else(refuse)?;
        }
        // What was still asked for at the end never came.
        for (index, actor) in std::mem::take(&mut reading.actors).into_iter().enumerate() {
            if let Some((lock, event)) = actor.requests {
                reading.request(ActorId(index as u32), &actor.holds, lock, event, None);
            }
        }
        let counts = reading.taken.iter().zip(&reading.shared);
        reading.sections.shared = counts.filter(|(_, shared)| **shared).map(|(n, _)| n).sum();
        reading
            .sections
            .requests
            .sort_by_key(|request| request.event);
        Ok(reading.sections)
    }
}

impl Reading<'_> {
    fn step(&mut self, index: usize, me: ActorId, what: Recorded) -> Result<(), String> {
        let name = |thread| self.trace.thread_name(thread);
        let actor = &mut self.actors[me.0 as usize];
        if actor.joined {
            return Err(format!("`{}` acts after it was joined", name(me)));
        }
        actor.acts = true;
        // A request that something else follows was given up: it had a time limit.
        let requested = actor.requests.take();
        match what {
            Recorded::Request(lock) => actor.requests = Some((lock, index)),
            Recorded::Acquire(lock) => {
                let requested = requested.filter(|(asked, _)| *asked == lock);
                let since = requested.map_or(index, |(_, event)| event);
                return self.acquire(index, me, lock, since);
            }
            Recorded::Release(lock) => return self.release(index, me, lock),
            Recorded::Fork(child) if self.actors[child.0 as usize].acts => {
                return Err(format!("`{}` has acted before it is forked", name(child)));
            }
            Recorded::Join(child) if child == me => {
                return Err(format!("`{}` joins itself", name(me)));
            }
            Recorded::Join(child) => self.actors[child.0 as usize].joined = true,
            _ => {}
        }
        Ok(())
    }

    fn acquire(
        &mut self,
        index: usize,
        me: ActorId,
        lock: LockId,
        since: usize,
    ) -> Result<(), String> {
        let number = lock.0 as usize;
        match self.owners[number] {
            Some(owner) if owner != me => {
                return Err(format!(
                    "`{}` takes `{}`, which `{}` holds",
                    self.trace.thread_name(me),
                    self.trace.lock_name(lock),
                    self.trace.thread_name(owner)
                ));
            }
            Some(_) => {
                let holds = &mut self.actors[me.0 as usize].holds;
                let again = holds.iter_mut().find(|holding| holding.lock == lock);
                again.expect("its owner holds it").depth += 1;
                return Ok(());
            }
            None => self.owners[number] = Some(me),
        }
        self.taken[number] += 1;
        self.shared[number] |= self.only[number].replace(me).is_some_and(|only| only != me);
        let holds = std::mem::take(&mut self.actors[me.0 as usize].holds);
        self.request(me, &holds, lock, since, Some(index));
        let actor = &mut self.actors[me.0 as usize];
        actor.holds = holds;
        let sections = &mut self.sections.of_thread[me.0 as usize];
        actor.holds.push(Holding {
            lock,
            section: sections.len(),
            acquired: index,
            depth: 1,
        });
        sections.push(Section {
            lock,
            acquired: index,
            released: None,
        });
        Ok(())
    }

    fn release(&mut self, index: usize, me: ActorId, lock: LockId) -> Result<(), String> {
        let holds = &mut self.actors[me.0 as usize].holds;
        let Some(place) = holds.iter().position(|holding| holding.lock == lock) else {
            return Err(format!(
                "`{}` releases `{}`, which it does not hold",
                self.trace.thread_name(me),
                self.trace.lock_name(lock)
            ));
        };
        holds[place].depth -= 1;
        if holds[place].depth == 0 {
            let holding = holds.remove(place);
            self.sections.of_thread[me.0 as usize][holding.section].released = Some(index);
            self.owners[lock.0 as usize] = None;
        }
        Ok(())
    }

    fn request(
        &mut self,
        thread: ActorId,
        holds: &[Holding],
        lock: LockId,
        event: usize,
        acquired: Option<usize>,
    ) {
        let waits_for_itself = holds.iter().any(|holding| holding.lock == lock);
        if holds.is_empty() || waits_for_itself {
            return;
        }
        let mut held: Box<[_]> = holds
            .iter()
            .map(|held| (held.lock, held.acquired))
            .collect();
        held.sort_unstable();
        self.sections.requests.push(Request {
            thread,
            lock,
            held,
            event,
            acquired,
        });
    }
}
