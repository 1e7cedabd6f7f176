//! A finished execution, kept until the same schedule is run again: does it lead to the same steps?
//!
//! Knows steps by what people know of them: the thread, the operation, the object by name and place,
//! where in the code. Does not know why they may differ.

use super::run::{Event, Object, Run, Turn, in_words};
use crate::op::{Action, ObjectId, Op, Site, ThreadId};

/// What is kept of an execution.
#[derive(Debug)]
pub(crate) struct Record {
    events: Vec<Event>,
    objects: Vec<Object>,
    /// Whether it went on until no thread could.
    to_the_end: bool,
}

/// Where a later execution of the same schedule went elsewhere.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The thread whose next step it is about.
    pub(crate) thread: ThreadId,
    /// Where that step was, or would have been.
    pub(crate) site: Site,
    /// In words.
    pub(crate) why: String,
}

impl Record {
    /// Keeps an execution that is over.
    pub(crate) fn of(run: &Run, to_the_end: bool) -> Record {
        Record {
            events: run.events.clone(),
            objects: run.objects.clone(),
            to_the_end,
        }
    }

    pub(crate) fn schedule(&self) -> Vec<Turn> {
        self.events.iter().map(Event::turn).collect()
    }

    /// The first step in which a later execution of this schedule differs, if any does.
    pub(crate) fn difference(&self, run: &Run, to_the_end: bool) -> Option<Difference> {
        let differs = |at: &usize| match run.events.get(*at) {
            Some(now) => !self.is_same(&self.events[*at], now, run),
            None => true,
        };
        let Some(at) = (0..self.events.len()).find(differs) else {
            let ended = self.to_the_end && to_the_end;
            let more = run.events.get(self.events.len()).filter(|_| ended)?;
            return Some(Difference {
                thread: more.thread,
                site: more.site,
                why: format!(
                    "at step {} the execution ended before, and now `{}` goes on to {}",
                    self.events.len() + 1,
                    run.thread_name(more.thread),
                    in_words(more.op, more.site, &run.objects),
                ),
            });
        };
        let before = &self.events[at];
        let of_thread = |event: &&Event| event.thread == before.thread;
        let done = run.events[..at].iter().filter(of_thread).count();
        let thread = run.threads.get(before.thread.index());
        let now = thread.and_then(|its| Some((*its.ops.get(done)?, *its.sites.get(done)?)));
        let now = match now {
            Some((op, site)) if !self.is_same_step((before.op, before.site), (op, site), run) => {
                format!("to {}", in_words(op, site, &run.objects))
            }
            Some(_) => "it has to wait there".to_owned(),
            None if thread.is_none_or(|its| its.is_unborn()) => "it is not there".to_owned(),
            None => "it has ended".to_owned(),
        };
        Some(Difference {
            thread: before.thread,
            site: before.site,
            why: format!(
                "at step {} `{}` was about to {} before, and now {now}{}",
                at + 1,
                run.thread_name(before.thread),
                in_words(before.op, before.site, &self.objects),
                self.value_before(at, run),
            ),
        })
    }

    /// What had another value than before already, of all that was read up to the step: the last of it.
    fn value_before(&self, at: usize, run: &Run) -> String {
        let mut read = self.events[..at].iter().zip(&run.events[..at]).enumerate();
        let differs = |(_, (before, now)): &(usize, (&Event, &Event))| before.value != now.value;
        match read.rfind(differs) {
            None => String::new(),
            Some((step, (before, now))) => format!(
                "; at step {} `{}` held {} before, and now {}",
                step + 1,
                run.object_name(now.op.object),
                before.value,
                now.value,
            ),
        }
    }

    fn is_same(&self, before: &Event, now: &Event, run: &Run) -> bool {
        before.thread == now.thread
            && before.case == now.case
            && self.is_same_step((before.op, before.site), (now.op, now.site), run)
    }

    fn is_same_step(&self, before: (Op, Site), now: (Op, Site), run: &Run) -> bool {
        let same = |id: ObjectId| {
            let object = |list: &[Object]| {
                let object = list.get(id.index());
                object.map(|object| (object.name.clone(), object.site))
            };
            object(&self.objects) == object(&run.objects)
        };
        let two = matches!(now.0.action, Action::Wait | Action::Wake);
        before.0.itself() == now.0.itself()
            && before.1 == now.1
            && same(now.0.object)
            && (!two || same(now.0.other()))
    }
}
