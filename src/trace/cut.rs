//! Parts of an execution that are executions as well: one event is left out and what comes after it
//! in every order of the independent steps, or all is left out that need not come before it.
//!
//! Both depend on the trace alone, and not on the order in which its independent steps were done.
//! Knows which steps depend on one another (their footprints). Does not know what is looked for.

use crate::object::{Footprint, World};
use crate::op::Until;
use crate::trace::run::{Pending, Run, Spawn, Thread};

/// The events of an execution with what they touch.
pub(crate) struct Cuts<'a> {
    run: &'a Run,
    /// By event.
    footprints: Vec<Footprint>,
}

impl<'a> Cuts<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        let mut world = World::default();
        world.copy_from(&run.world);
        world.rewind();
        let events = run.events.iter().zip(0..);
        let footprints = events.map(|(event, number)| {
            let footprint = world.footprint_done(event.op, event.thread, event.effect);
            run.redo(&mut world, number);
            footprint
        });
        Cuts {
            footprints: footprints.collect(),
            run,
        }
    }

    /// As far as the execution can go while the event is still to come.
    pub(crate) fn without(&self, event: u32) -> Run {
        let events = &self.run.events;
        let mut later = vec![event];
        for number in event + 1..events.len() as u32 {
            let follows = |&before: &u32| self.depends(before, number);
            if later.iter().any(follows) {
                later.push(number);
            }
        }
        self.part(event, |number| later.binary_search(&number).is_err())
    }

    /// No more of the execution than has to be done before the event can come.
    pub(crate) fn just_before(&self, event: u32) -> Run {
        // The last one first.
        let mut earlier = vec![event];
        for number in (0..event).rev() {
            let leads = |&after: &u32| self.depends(number, after);
            if earlier.iter().any(leads) {
                earlier.push(number);
            }
        }
        self.part(event, |number| {
            number != event && earlier.binary_search_by(|its| number.cmp(its)).is_ok()
        })
    }

    /// Whether the later event cannot come before the earlier one.
    fn depends(&self, earlier: u32, later: u32) -> bool {
        let run = self.run;
        let (one, two) = (&run.events[earlier as usize], &run.events[later as usize]);
        one.thread == two.thread
            || run.threads[two.thread.index()].spawned_after == Some(earlier)
            // It went on since nobody else could.
            || matches!(two.op.until, Until::Anyway(_))
            || self.footprints[earlier as usize].conflicts(&self.footprints[later as usize])
    }

    /// The events that are kept, which with each one has all that it depends on; the event is
    /// what its thread is about to do.
    fn part(&self, event: u32, keeps: impl Fn(u32) -> bool) -> Run {
        let run = self.run;
        let mut part = Run::new(run.program.clone(), None);
        part.epoch = run.epoch;
        part.objects = run.objects.clone();
        part.slow_names = run.slow_names.clone();
        part.world.copy_from(&run.world);
        part.world.rewind();
        part.threads = run.threads.iter().map(begun).collect();
        let kept_before = |at: u32| (0..at).filter(|&number| keeps(number)).count() as u32;
        let is_born =
            |thread: &Thread| !thread.is_unborn() && thread.spawned_after.is_none_or(&keeps);
        for (index, thread) in run.threads.iter().enumerate() {
            let is_born = is_born(thread);
            let its = &mut part.threads[index];
            its.live = is_born;
            its.spawned_after = thread.spawned_after.filter(|_| is_born).map(kept_before);
            if is_born {
                part.live |= 1 << index;
            }
        }
        for number in (0..run.events.len() as u32).filter(|&number| keeps(number)) {
            part.repeat(run, number);
        }
        let born = |spawn: &&Spawn| is_born(&run.threads[spawn.child.index()]);
        let spawns = run.spawns.iter().filter(born).map(|spawn| Spawn {
            at: kept_before(spawn.at),
            ..*spawn
        });
        part.spawns = spawns.collect();
        for (index, thread) in run.threads.iter().enumerate() {
            let its = &mut part.threads[index];
            let done = its.ops.len();
            if !its.live || done >= thread.ops.len() {
                continue;
            }
            its.ops.push(thread.ops[done]);
            its.sites.push(thread.sites[done]);
            its.pending = Some(Pending {
                op: thread.ops[done],
                site: thread.sites[done],
                announced: its.last_event,
                waits: false,
            });
        }
        debug_assert_eq!(
            part.pending(run.events[event as usize].thread)
                .map(|its| its.op),
            Some(run.events[event as usize].op),
        );
        part
    }
}

/// The thread before it has done anything.
fn begun(thread: &Thread) -> Thread {
    let mut begun = Thread::default();
    begun.name = thread.name.clone();
    begun.path = thread.path.clone();
    begun.daemon = thread.daemon;
    begun
}
