//! Threads that come round a loop to no purpose: what they have read and to whom they give way.
//!
//! A round goes from a *hint* (a yield, a spin hint, a sleep, a try, a timed wait or a
//! compare-exchange that failed) to the same one at the same place. It is to no purpose if the
//! thread has changed nothing in it. After `spins_max` rounds that are alike, results included, the
//! thread goes on only when somebody else has changed something that it read: what it would do
//! earlier it has done before. If nobody else can go on it goes round again, as it may have a limit
//! of its own; [`ANYWAY_MAX`] rounds later it never will.
//!
//! A loop without a hint counts as one after [`BARE_MAX`] rounds. A lock that is taken, and given
//! back after a try under it has failed, is no change.
//!
//! Related: spin loops as assumptions (Kokologiannakis, Raad, Vafeiadis, GenMC), fair scheduling by
//! yields (Musuvathi, Qadeer, PLDI 2008). Knows operations by what they touch and came to.

use crate::object::{Cell, Mode, World};
use crate::op::{Action, Effect, How, ObjectId, Op, Site, ThreadId, Until};
use crate::trace::Event;

/// What a thread has done since it last changed something.
#[derive(Debug, Default)]
pub(crate) struct Spin {
    /// Each operation as a number: the same one at the same place with the same result is the same.
    log: Vec<u64>,
    /// The end of the log repeats what is so far before it; 0 if it repeats nothing.
    period: usize,
    /// So much of it.
    repeated: usize,
    /// Whether there is a hint in the log: then nothing else ends a round.
    hinted: bool,
    round: u32,
    looks: Vec<Look>,
    /// Hints at which it has waited.
    patient: Vec<(Action, usize)>,
    waits: Option<Wait>,
    /// Operations of the thread that were looked at.
    noted: u32,
    /// Times that it went on though it waits, since so many changes.
    anyway: u32,
    anyway_since: u32,
    /// Handles that it has made.
    made: Vec<ObjectId>,
}

/// What a thread knows of a cell.
#[derive(Clone, Copy, Debug)]
struct Look {
    cell: Cell,
    /// How often it had been changed, the thread's own changes included.
    seen: u32,
    round: u32,
}

/// Which operation is the next to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Any,
    /// The next timed one, as those are waits by themselves.
    Timed,
}

/// Rounds that a loop without a hint goes before it counts as one that waits.
const BARE_MAX: usize = 50;

/// Operations that are remembered: the longest round that is recognised is half of that.
const LOG_MAX: usize = 256;

/// Rounds that a thread goes though it waits, while nothing changes.
const ANYWAY_MAX: u32 = 1_000;

/// The same, of a loop that has shown [`STUBBORN_MIN`] times that it does not give up.
const ANYWAY_MAX_STUBBORN: u32 = 100;

const STUBBORN_MIN: u32 = 3;

/// What is known of the loops of a model, from one execution to the next: a loop that never gives
/// up need not be asked so often.
#[derive(Debug, Default)]
pub(super) struct Loops {
    known: Vec<(Site, Loop)>,
    /// Those that have gone round often at this standstill.
    patient: Vec<Site>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Loop {
    /// How often it was seen not to give up.
    stubborn: u32,
    /// Whether somebody went on after it had gone round often.
    late: bool,
}

impl Loops {
    fn at(&mut self, site: Site) -> &mut Loop {
        let known = self.known.iter().position(|(its, _)| *its == site);
        let at = known.unwrap_or_else(|| {
            self.known.push((site, Loop::default()));
            self.known.len() - 1
        });
        &mut self.known[at].1
    }

    /// The loop whose operation is at this place has gone round so often at a standstill.
    pub(super) fn goes_round(&mut self, site: Site, rounds: u32) {
        if rounds > ANYWAY_MAX_STUBBORN && !self.patient.contains(&site) {
            self.patient.push(site);
        }
    }

    /// The standstill is over: somebody has given up, or found what it waits for. Those who went
    /// round before may do so again, or the same interleaving would not be possible any more.
    pub(super) fn go_on(&mut self) {
        for site in std::mem::take(&mut self.patient) {
            self.at(site).late = true;
        }
    }

    /// The loops whose operations are at these places have gone round in vain as often as they may.
    pub(super) fn are_stubborn(&mut self, sites: impl Iterator<Item = Site>) {
        self.patient.clear();
        sites.for_each(|site| self.at(site).stubborn += 1);
    }

    fn rounds_max(&self, site: Site) -> u32 {
        let found = self.known.iter().find(|(its, _)| *its == site);
        match found {
            Some((_, its)) if its.stubborn >= STUBBORN_MIN && !its.late => ANYWAY_MAX_STUBBORN,
            _ => ANYWAY_MAX,
        }
    }
}

/// What an event is to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// It changes something for good.
    Changes,
    /// It changes nothing, or what its thread will put back.
    Quiet,
    /// The same, and says so.
    Hint,
}

impl Nature {
    fn of(event: &Event) -> Nature {
        let failed = event.effect == Effect::Failed;
        match event.op.purpose() {
            Action::Yield | Action::Sleep => Nature::Hint,
            Action::Update if failed => Nature::Hint,
            _ if failed && event.op.how != How::Insist => Nature::Hint,
            action if looks(action) || takes(action) => Nature::Quiet,
            Action::Slow | Action::Choose | Action::Wait => Nature::Quiet,
            Action::Clone | Action::Revive => Nature::Quiet,
            Action::Drop
            | Action::Unlock
            | Action::Unread
            | Action::Unwrite
            | Action::Unupgradable
                if event.change < 0 =>
            {
                Nature::Quiet
            }
            _ => Nature::Changes,
        }
    }
}

impl Spin {
    /// Forgets all, and keeps its memory.
    pub(super) fn restart(&mut self) {
        self.forget();
        self.round = 0;
        self.noted = 0;
        self.anyway = 0;
        self.anyway_since = 0;
    }

    /// The thread has changed something.
    pub(super) fn forget(&mut self) {
        self.log.clear();
        self.period = 0;
        self.repeated = 0;
        self.hinted = false;
        self.looks.clear();
        self.patient.clear();
        self.waits = None;
        self.made.clear();
    }

    /// The thread has made a handle of this object, which it may soon give back.
    pub(super) fn makes(&mut self, object: ObjectId) {
        self.made.push(object);
    }

    /// The thread gives a handle of this object back; whether it is one that it has made itself.
    pub(super) fn gives_back(&mut self, object: ObjectId) -> bool {
        let made = self.made.iter().position(|its| *its == object);
        made.map(|at| self.made.swap_remove(at)).is_some()
    }

    /// Whether the event, the thread's last one, is still to be noted.
    pub(super) fn is_to_note(&self, event: &Event) -> bool {
        event.index >= self.noted
    }

    /// Whether changes have to be counted, from here on.
    pub(super) fn needs_counts(&self) -> bool {
        self.log.len() > BARE_MAX / 2
    }

    /// Takes note of the thread's last event. `counted` says whether changes are.
    pub(super) fn note(&mut self, event: &Event, world: &World, counted: bool, max: u32) -> bool {
        self.noted = event.index + 1;
        let nature = Nature::of(event);
        if nature == Nature::Changes {
            self.forget();
            return false;
        }
        if counted {
            self.look(event, world);
        }
        self.repeat(number_of(event));
        let rounds = match self.period {
            0 => 0,
            period => 1 + self.repeated / period,
        };
        self.hinted |= nature == Nature::Hint;
        let most = match nature {
            Nature::Hint => max as usize,
            _ if self.hinted => usize::MAX,
            _ => BARE_MAX,
        };
        let place = (event.op.action, event.site.number());
        let patient = rounds > 0 && self.patient.contains(&place);
        if rounds > most || patient {
            if !patient {
                self.patient.push(place);
            }
            let timed = event.op.how == How::Timed;
            self.waits = Some(if timed { Wait::Timed } else { Wait::Any });
        }
        if nature == Nature::Hint {
            self.round += 1;
        }
        nature == Nature::Hint
    }

    /// Adds an operation to the log.
    fn repeat(&mut self, number: u64) {
        if self.log.len() == LOG_MAX {
            self.log.drain(..LOG_MAX / 2);
            self.repeated = self
                .repeated
                .min(self.log.len().saturating_sub(self.period));
            if self.period >= self.log.len() {
                self.period = 0;
            }
        }
        let before = |period: usize| self.log.len().checked_sub(period).map(|at| self.log[at]);
        if self.period != 0 && before(self.period) == Some(number) {
            self.repeated += 1;
        } else {
            let last = self.log.iter().rposition(|its| *its == number);
            self.period = last.map_or(0, |at| self.log.len() - at);
            self.repeated = usize::from(last.is_some());
        }
        self.log.push(number);
    }

    /// Remembers how what the event touches was when it was done.
    fn look(&mut self, event: &Event, world: &World) {
        let footprint = world.footprint(event.op.itself(), event.thread);
        for &(cell, mode) in footprint.cells() {
            if cell == Cell::INVARIANT {
                continue;
            }
            let now = world.changes_of(cell);
            let own = if mode == Mode::Read { 0 } else { event.change };
            let is_look = !World::is_about_handles(event.op)
                || matches!(mode, Mode::Read | Mode::Write | Mode::Revive);
            let before = now.saturating_add_signed(-i32::from(own));
            match self.looks.iter_mut().find(|look| look.cell == cell) {
                // It was changed by somebody else since the thread looked in the same round, which
                // may have gone another way for that.
                Some(look) if look.round == self.round && look.seen != before => {}
                Some(look) => {
                    look.seen = now;
                    look.round = self.round;
                }
                // Who only makes a handle, or gives one back, learns nothing of others by that.
                None if !is_look => {}
                None => self.looks.push(Look {
                    cell,
                    seen: now,
                    round: self.round,
                }),
            }
        }
    }

    /// What the next operation of the thread, this one, waits for beyond its own meaning.
    pub(super) fn until(&mut self, op: Op, by: ThreadId, world: &mut World) -> Until {
        // Whoever gives something back does so at once: others may need it.
        if !may_wait(op) {
            return Until::Nothing;
        }
        match self.waits {
            // One that has to queue waits there.
            Some(Wait::Timed) if op.how != How::Timed || !world.would_wait(op, by) => {
                return Until::Nothing;
            }
            Some(_) => self.waits = None,
            None => return Until::Nothing,
        }
        // Whoever reads nothing does not wait for anything.
        if self.looks.is_empty() {
            return Until::Nothing;
        }
        let looks = self.looks.iter().map(|look| (look.cell, look.seen));
        Until::Change(world.looks(looks.collect()))
    }

    /// Whether it may go on though it waits at this place; `changes` is how many there were.
    pub(super) fn may_go_anyway(&self, changes: u32, site: Site, loops: &Loops) -> bool {
        self.anyway_since != changes || self.anyway < loops.rounds_max(site)
    }

    /// It goes on though it waits.
    pub(super) fn goes_anyway(&mut self, changes: u32) {
        if self.anyway_since != changes {
            self.anyway_since = changes;
            self.anyway = 0;
        }
        self.anyway += 1;
    }

    /// How often it has gone on though it waits, since anything has changed.
    pub(super) fn gone_anyway(&self) -> u32 {
        self.anyway
    }
}

/// Only looks, and changes nothing.
fn looks(action: Action) -> bool {
    matches!(
        action,
        Action::Load
            | Action::IsLocked
            | Action::IsWritten
            | Action::Permits
            | Action::Len
            | Action::IsComplete
            | Action::IsFinished
            | Action::Count
    )
}

/// Takes a lock.
fn takes(action: Action) -> bool {
    matches!(
        action,
        Action::Lock | Action::Read | Action::ReadRecursive | Action::Write | Action::Upgradable
    )
}

/// Whether an operation may be the first of a round: it looks, or takes.
fn may_wait(op: Op) -> bool {
    let action = op.purpose();
    looks(action)
        || takes(action)
        || matches!(
            action,
            Action::Yield
                | Action::Sleep
                | Action::Update
                | Action::Acquire
                | Action::Send
                | Action::Recv
                | Action::Select
                | Action::Park
                | Action::Wake
        )
}

/// Whether an event changes something, and no taking of a lock, for others to go by.
pub(super) fn is_progress(event: &Event) -> bool {
    let action = event.op.purpose();
    let timed_out = event.effect == Effect::Failed && event.op.how == How::Timed;
    let makes_handle = matches!(action, Action::Clone | Action::Revive);
    event.change > 0 && !takes(action) && action != Action::Wait && !timed_out && !makes_handle
}

/// How an operation that was done counts for those who wait for a change. `useless` is a lock that
/// is given back after a try under it has failed, and a handle that the thread itself has made since
/// it last changed something.
pub(super) fn change_of(op: Op, effect: Effect, useless: bool) -> i8 {
    let quiet = looks(op.action)
        || matches!(
            op.action,
            Action::Join
                | Action::WaitZero
                | Action::Pass
                | Action::Yield
                | Action::Sleep
                | Action::Slow
                | Action::Choose
        );
    let given_up = effect == Effect::Failed && op.action != Action::Wake;
    match (quiet || given_up, useless) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    }
}

/// An operation, where it was done, and what it came to: different ones have different numbers, but
/// for a chance of 2^-64 or so. (As rustc's own hash: done for each operation, it has to be cheap.)
fn number_of(event: &Event) -> u64 {
    let op = event.op;
    let effect = match event.effect {
        Effect::Done => 0,
        Effect::Failed => 1,
        Effect::Queued => 2,
        Effect::Closed => 3,
        Effect::Chose(number) => 4 + u64::from(number),
    };
    let parts = [
        (op.action as u64) << 8 | op.how as u64,
        u64::from(op.object.0) << 32 | u64::from(op.arg),
        event.site.number() as u64,
        effect,
        event.value,
    ];
    parts.into_iter().fold(0, |number: u64, part| {
        (number.rotate_left(5) ^ part).wrapping_mul(0x517C_C1B7_2722_0A95)
    })
}
