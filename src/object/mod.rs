//! The meaning of each primitive: when an operation is enabled, what it does, and with which other
//! operations it commutes.
//!
//! Knows the state of every object of one execution. Does not know who runs next, why, or how a
//! thread is made to wait.
//!
//! # Dependence
//! Two operations of different threads are *dependent* when their footprints conflict: they touch
//! the same cell in modes of which at least one excludes the other.
//!
//! | operation | footprint | enabled when | acquires |
//! |---|---|---|---|
//! | lock, acquire | lock: write | nobody holds it | yes |
//! | unlock, release | lock: write (and invariant: write) | always | |
//! | try-lock, timed lock | lock: write, whatever comes of it | always | yes |
//! | is-locked | lock: read | always | |
//! | load | value: read | always | |
//! | store, update | value: write (and invariant: write) | always | |
//! | exit | end of the thread: write | always | |
//! | join | end of the thread: read | it has ended | |
//! | is-finished | end of the thread: read | always | |
//! | park | own token: write | the token is there | yes |
//! | unpark | the thread's token: a class of its own | always | |
//! | spawn, yield, slow, choose | nothing | always | |
//!
//! "And invariant: write" holds for objects that a registered invariant reads: what it sees must
//! be seen in every order.

mod mutex;
mod thread;

use crate::op::{Action, Effect, Kind, ObjectId, Op, ThreadId};
use mutex::Mutex;
use thread::Thread;

/// One thing that operations can conflict over. Dense: the cells of threads come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell(pub(crate) u32);

impl Cell {
    /// What registered invariants see.
    pub(crate) const INVARIANT: Cell = Cell(0);
    const THREADS: u32 = 1;
    const OBJECTS: u32 = Self::THREADS + 2 * ThreadId::COUNT_MAX as u32;

    fn end_of(thread: ThreadId) -> Cell {
        Cell(Self::THREADS + 2 * u32::from(thread.0))
    }

    fn token_of(thread: ThreadId) -> Cell {
        Cell(Self::THREADS + 2 * u32::from(thread.0) + 1)
    }

    fn of(object: ObjectId) -> Cell {
        Cell(Self::OBJECTS + object.0)
    }

    /// How many cells there are, with so many objects.
    pub(crate) fn count(objects: usize) -> usize {
        Self::OBJECTS as usize + objects
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How an operation touches a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Commutes with reads only.
    Read,
    /// Commutes with nothing.
    Write,
    /// Commutes with its own kind only.
    Signal,
}

impl Mode {
    pub(crate) fn conflicts(self, other: Mode) -> bool {
        self != other || self == Mode::Write
    }
}

/// What an operation touches: at most two cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    cells: [(Cell, Mode); 2],
    len: u8,
    /// Whether executing the operation can disable another acquisition, or be disabled by one.
    pub(crate) acquires: bool,
}

impl Footprint {
    const NOTHING: Footprint = Footprint {
        cells: [(Cell::INVARIANT, Mode::Read); 2],
        len: 0,
        acquires: false,
    };

    fn one(cell: Cell, mode: Mode) -> Footprint {
        Footprint {
            cells: [(cell, mode); 2],
            len: 1,
            acquires: false,
        }
    }

    fn and_invariant(mut self, observed: bool) -> Footprint {
        if observed {
            self.cells[1] = (Cell::INVARIANT, Mode::Write);
            self.len = 2;
        }
        self
    }

    fn acquiring(self) -> Footprint {
        Footprint {
            acquires: true,
            ..self
        }
    }

    pub(crate) fn cells(&self) -> &[(Cell, Mode)] {
        &self.cells[..usize::from(self.len)]
    }

    /// Whether the two operations, of different threads, are dependent.
    pub(crate) fn conflicts(&self, other: &Footprint) -> bool {
        self.cells().iter().any(|(cell, mode)| {
            other
                .cells()
                .iter()
                .any(|(its, its_mode)| cell == its && mode.conflicts(*its_mode))
        })
    }
}

/// Who could let a waiting thread go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Nothing: the operation is enabled.
    Nobody,
    /// This thread, and only this one.
    Thread(ThreadId),
    /// Any thread that cares to.
    Anyone,
}

/// The state of every object and thread of one execution, as far as it decides who can go on.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    objects: Vec<Object>,
    threads: Vec<Thread>,
}

#[derive(Clone, Debug)]
struct Object {
    state: State,
    /// Whether a registered invariant reads it.
    observed: bool,
}

#[derive(Clone, Debug)]
enum State {
    Lock(Mutex),
    /// Has no state that could make anyone wait.
    Value,
}

impl World {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.objects.clear();
        self.threads.clear();
    }

    /// Puts every object and thread back to how it was when it was made.
    pub(crate) fn rewind(&mut self) {
        for object in &mut self.objects {
            if let State::Lock(lock) = &mut object.state {
                *lock = Mutex::default();
            }
        }
        self.threads.fill(Thread::default());
    }

    /// Takes over the state of another world, without giving up memory.
    pub(crate) fn copy_from(&mut self, other: &World) {
        self.objects.clone_from(&other.objects);
        self.threads.clone_from(&other.threads);
    }

    pub(crate) fn add(&mut self, kind: Kind) -> ObjectId {
        let id = ObjectId(u32::try_from(self.objects.len()).expect("fewer than 2^32 objects"));
        let state = match kind {
            Kind::Mutex | Kind::RawLock => State::Lock(Mutex::default()),
            Kind::Atomic | Kind::Ghost => State::Value,
        };
        self.objects.push(Object {
            state,
            observed: false,
        });
        id
    }

    pub(crate) fn add_thread(&mut self, thread: ThreadId) {
        if self.threads.len() <= thread.index() {
            self.threads.resize(thread.index() + 1, Thread::default());
        }
    }

    pub(crate) fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Notes that an invariant reads the object.
    pub(crate) fn observe(&mut self, object: ObjectId) {
        self.objects[object.index()].observed = true;
    }

    /// Whether the thread could do the operation now.
    pub(crate) fn enabled(&self, op: Op, by: ThreadId) -> bool {
        match op.action {
            Action::Lock => self.lock(op.object).holder.is_none(),
            Action::Join => self.thread(op.thread()).ended,
            Action::Park => self.thread(by).token,
            _ => true,
        }
    }

    /// Whether the operation is ever disabled.
    pub(crate) fn may_wait(op: Op) -> bool {
        matches!(op.action, Action::Lock | Action::Join | Action::Park)
    }

    /// Does the operation, which must be enabled.
    pub(crate) fn apply(&mut self, op: Op, by: ThreadId) -> Effect {
        debug_assert!(
            self.enabled(op, by),
            "{op:?} by {by:?} is done while it is disabled"
        );
        match op.action {
            Action::Lock | Action::TryLock | Action::TimedLock => {
                Effect::of(self.lock_mut(op.object).take(by))
            }
            Action::Unlock => Effect::of(self.lock_mut(op.object).release()),
            Action::IsLocked => Effect::of(self.lock(op.object).holder.is_some()),
            Action::Exit => {
                self.thread_mut(by).ended = true;
                Effect::Done
            }
            Action::IsFinished => Effect::of(self.thread(op.thread()).ended),
            Action::Park => {
                self.thread_mut(by).token = false;
                Effect::Done
            }
            Action::Unpark => {
                self.thread_mut(op.thread()).token = true;
                Effect::Done
            }
            Action::Load
            | Action::Store
            | Action::Update
            | Action::Start
            | Action::Spawn
            | Action::Join
            | Action::Yield
            | Action::Slow
            | Action::Choose => Effect::Done,
        }
    }

    /// What the operation touches.
    pub(crate) fn footprint(&self, op: Op, by: ThreadId) -> Footprint {
        let cell = || Cell::of(op.object);
        match op.action {
            Action::Lock | Action::TryLock | Action::TimedLock => {
                Footprint::one(cell(), Mode::Write).acquiring()
            }
            Action::Unlock | Action::Store | Action::Update => {
                let observed = self.objects[op.object.index()].observed;
                Footprint::one(cell(), Mode::Write).and_invariant(observed)
            }
            Action::IsLocked | Action::Load => Footprint::one(cell(), Mode::Read),
            Action::Exit => Footprint::one(Cell::end_of(by), Mode::Write),
            Action::Join | Action::IsFinished => {
                Footprint::one(Cell::end_of(op.thread()), Mode::Read)
            }
            Action::Park => Footprint::one(Cell::token_of(by), Mode::Write).acquiring(),
            Action::Unpark => Footprint::one(Cell::token_of(op.thread()), Mode::Signal),
            Action::Start | Action::Spawn | Action::Yield | Action::Slow | Action::Choose => {
                Footprint::NOTHING
            }
        }
    }

    /// Whom the thread waits for, if it tried the operation now and insisted.
    pub(crate) fn awaited(&self, op: Op, by: ThreadId) -> Awaited {
        match op.action {
            Action::Lock | Action::TimedLock => match self.lock(op.object).holder {
                Some(holder) => Awaited::Thread(holder),
                None => Awaited::Nobody,
            },
            Action::Join if !self.thread(op.thread()).ended => Awaited::Thread(op.thread()),
            Action::Park if !self.thread(by).token => Awaited::Anyone,
            _ => Awaited::Nobody,
        }
    }

    /// Who holds the lock.
    pub(crate) fn holder(&self, lock: ObjectId) -> Option<ThreadId> {
        self.lock(lock).holder
    }

    fn lock(&self, id: ObjectId) -> &Mutex {
        match &self.objects[id.index()].state {
            State::Lock(lock) => lock,
            State::Value => unreachable!("only locks are locked"),
        }
    }

    fn lock_mut(&mut self, id: ObjectId) -> &mut Mutex {
        match &mut self.objects[id.index()].state {
            State::Lock(lock) => lock,
            State::Value => unreachable!("only locks are locked"),
        }
    }

    fn thread(&self, id: ThreadId) -> &Thread {
        &self.threads[id.index()]
    }

    fn thread_mut(&mut self, id: ThreadId) -> &mut Thread {
        &mut self.threads[id.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ThreadId = ThreadId(1);
    const B: ThreadId = ThreadId(2);

    fn world(kinds: &[Kind]) -> World {
        let mut world = World::default();
        for &kind in kinds {
            world.add(kind);
        }
        world.add_thread(B);
        world
    }

    /// For each pair of actions on one object: do they commute? The dependence table as data.
    #[test]
    fn dependence_of_pairs_on_one_object() {
        use Action::*;
        let world = world(&[Kind::Mutex, Kind::Atomic]);
        let cases: &[(u32, Action, Action, bool)] = &[
            (0, Lock, Lock, true),
            (0, Lock, Unlock, true),
            (0, Unlock, TryLock, true),
            (0, TryLock, TimedLock, true),
            (0, IsLocked, Lock, true),
            (0, IsLocked, Unlock, true),
            (0, IsLocked, IsLocked, false),
            (1, Load, Load, false),
            (1, Load, Store, true),
            (1, Load, Update, true),
            (1, Store, Store, true),
            (1, Update, Update, true),
        ];
        for &(object, one, other, dependent) in cases {
            let one = world.footprint(Op::on(one, ObjectId(object)), A);
            let other = world.footprint(Op::on(other, ObjectId(object)), B);
            assert_eq!(one.conflicts(&other), dependent, "{one:?} and {other:?}");
            assert_eq!(other.conflicts(&one), dependent, "{other:?} and {one:?}");
        }
    }

    #[test]
    fn dependence_of_thread_operations() {
        use Action::*;
        let world = world(&[]);
        let of = |action, thread| Op::of_thread(action, thread);
        let cases = [
            ((Op::plain(Exit, 0), A), (of(Join, A), B), true),
            ((Op::plain(Exit, 0), A), (of(IsFinished, A), B), true),
            ((Op::plain(Exit, 0), A), (Op::plain(Exit, 0), B), false),
            ((of(Join, A), A), (of(Join, A), B), false),
            ((Op::plain(Park, 0), A), (of(Unpark, A), B), true),
            ((Op::plain(Park, 0), A), (of(Unpark, B), B), false),
            ((of(Unpark, A), A), (of(Unpark, A), B), false),
            ((Op::plain(Choose, 2), A), (Op::plain(Choose, 2), B), false),
        ];
        for ((one, by), (other, its), dependent) in cases {
            let one = world.footprint(one, by);
            assert_eq!(
                one.conflicts(&world.footprint(other, its)),
                dependent,
                "{one:?}"
            );
        }
    }

    #[test]
    fn what_an_invariant_reads_makes_changes_dependent() {
        let mut world = world(&[Kind::Mutex, Kind::Atomic]);
        let unlock = Op::on(Action::Unlock, ObjectId(0));
        let store = Op::on(Action::Store, ObjectId(1));
        let conflict = |world: &World| {
            world
                .footprint(unlock, A)
                .conflicts(&world.footprint(store, B))
        };
        assert!(!conflict(&world));
        world.observe(ObjectId(0));
        assert!(!conflict(&world));
        world.observe(ObjectId(1));
        assert!(conflict(&world));
    }

    #[test]
    fn a_lock_is_enabled_while_nobody_holds_it() {
        let mut world = world(&[Kind::Mutex]);
        let lock = Op::on(Action::Lock, ObjectId(0));
        let unlock = Op::on(Action::Unlock, ObjectId(0));
        assert!(world.enabled(lock, A));
        assert_eq!(world.apply(lock, A), Effect::Done);
        assert!(
            !world.enabled(lock, B) && !world.enabled(lock, A),
            "not reentrant"
        );
        assert_eq!(world.awaited(lock, B), Awaited::Thread(A));
        assert_eq!(
            world.apply(Op::on(Action::TryLock, ObjectId(0)), B),
            Effect::Failed
        );
        assert_eq!(world.apply(unlock, A), Effect::Done);
        assert_eq!(world.apply(unlock, A), Effect::Failed, "it was free");
        assert!(world.enabled(lock, B));
    }
}
