//! What each operation touches: the dependence table of [`object`](super) as code.

use smallvec::SmallVec;

use super::{List, State, World, state};
use crate::op::{Action, Effect, How, Kind, ObjectId, Op, Preference, ThreadId, Until};

/// One thing that operations can conflict over. Dense: the cells of threads come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell(pub(crate) u32);

impl Cell {
    /// What registered invariants see.
    pub(crate) const INVARIANT: Cell = Cell(0);
    /// That nobody else can go on.
    pub(crate) const STANDSTILL: Cell = Cell(1);
    const THREADS: u32 = 2;
    const CLUSTERS: u32 = Self::THREADS + 2 * ThreadId::COUNT_MAX as u32;
    const OBJECTS: u32 = Self::CLUSTERS + u8::MAX as u32 + 1;

    fn end_of(thread: ThreadId) -> Cell {
        Cell(Self::THREADS + 2 * u32::from(thread.0))
    }

    fn token_of(thread: ThreadId) -> Cell {
        Cell(Self::THREADS + 2 * u32::from(thread.0) + 1)
    }

    /// All rendezvous that threads may offer to meet at, at the same time.
    fn cluster(cluster: u8) -> Cell {
        Cell(Self::CLUSTERS + u32::from(cluster))
    }

    pub(crate) fn of(object: ObjectId) -> Cell {
        Cell(Self::OBJECTS + object.0)
    }

    /// The object that it is of, if it is one's.
    pub(crate) fn object(self) -> Option<ObjectId> {
        self.0.checked_sub(Self::OBJECTS).map(ObjectId)
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
    /// Commutes with its own kind, and with whatever else cannot tell one handle from another.
    Signal,
    /// Gives a handle back, not the last one. Commutes with others of its kind, and with signals.
    Drop,
    /// The same, and one handle is left.
    LastButOne,
    /// Asks whether there is a handle, and makes one more if there is. Commutes with its own kind,
    /// and with signals.
    Revive,
}

impl Mode {
    /// Whether two steps are dependent that touch a cell so, both having been done.
    pub(crate) fn conflicts(self, other: Mode) -> bool {
        match (self, other) {
            (Mode::Read, Mode::Read) | (Mode::Signal, Mode::Signal | Mode::Revive) => false,
            (Mode::Revive, Mode::Signal | Mode::Revive) => false,
            (Mode::Signal, its) | (its, Mode::Signal) => !its.drops(),
            (one, other) => !one.drops() || !other.drops(),
        }
    }

    /// Whether a step that touches a cell so, and is done now, makes a difference to one that was to
    /// touch it in the other way.
    pub(crate) fn wakes(self, other: Mode) -> bool {
        self.conflicts(other) || self == Mode::LastButOne && other.drops()
    }

    fn drops(self) -> bool {
        matches!(self, Mode::Drop | Mode::LastButOne)
    }
}

/// What an operation touches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Footprint {
    cells: SmallVec<[(Cell, Mode); 2]>,
    /// Whether others can disable it.
    pub(crate) waits: bool,
    /// Whether it can disable others.
    pub(crate) disables: bool,
}

impl Footprint {
    fn one(cell: Cell, mode: Mode) -> Footprint {
        Footprint::default().and(cell, mode)
    }

    /// Touches another cell, or one that it touches already, in the stronger of both modes.
    pub(super) fn and(mut self, cell: Cell, mode: Mode) -> Footprint {
        match self.cells.iter_mut().find(|(its, _)| *its == cell) {
            Some((_, its)) if *its != mode => *its = Mode::Write,
            Some(_) => {}
            None => self.cells.push((cell, mode)),
        }
        self
    }

    fn and_invariant(self, observed: bool) -> Footprint {
        match observed {
            true => self.and(Cell::INVARIANT, Mode::Write),
            false => self,
        }
    }

    fn waiting(self) -> Footprint {
        Footprint {
            waits: true,
            ..self
        }
    }

    fn disabling(self) -> Footprint {
        Footprint {
            disables: true,
            ..self
        }
    }

    pub(crate) fn cells(&self) -> &[(Cell, Mode)] {
        &self.cells
    }

    /// Whether it takes something that others may want.
    pub(crate) fn acquires(&self) -> bool {
        self.disables
    }

    /// Whether the two operations, of different threads, are dependent, both having been done.
    pub(crate) fn conflicts(&self, other: &Footprint) -> bool {
        self.meets(other, Mode::conflicts)
    }

    /// Whether an operation, which is done now, makes a difference to another thread's that was to
    /// come: with a footprint from whatever state.
    pub(crate) fn wakes(&self, other: &Footprint) -> bool {
        self.meets(other, Mode::wakes)
    }

    fn meets(&self, other: &Footprint, meet: impl Fn(Mode, Mode) -> bool) -> bool {
        self.cells.iter().any(|(cell, mode)| {
            let mut its = other.cells.iter();
            its.any(|(its, its_mode)| cell == its && meet(*mode, *its_mode))
        })
    }
}

impl World {
    /// What the operation touches, if it is done now.
    pub(crate) fn footprint(&self, op: Op, by: ThreadId) -> Footprint {
        let footprint = self.footprint_of_itself(op, by);
        let reads_all = |footprint: Footprint, list: u32| {
            let looks = self.looks_of(list).iter();
            looks.fold(footprint.waiting(), |footprint, (cell, _)| {
                footprint.and(*cell, Mode::Read)
            })
        };
        match op.until {
            Until::Nothing => footprint,
            Until::Change(list) => reads_all(footprint, list),
            Until::Anyway(list) => reads_all(footprint, list).and(Cell::STANDSTILL, Mode::Write),
        }
    }

    /// What the operation has touched that came to this, in whatever state.
    pub(crate) fn footprint_done(&self, op: Op, by: ThreadId, effect: Effect) -> Footprint {
        let mut footprint = self.footprint(op, by);
        if op.action == Action::Drop
            && let Effect::Chose(last) = effect
            && self.keeps_value(op.object)
        {
            let mode = if last == 1 { Mode::Write } else { Mode::Drop };
            footprint.cells[0].1 = mode;
        }
        footprint
    }

    fn footprint_of_itself(&self, op: Op, by: ThreadId) -> Footprint {
        let footprint = self.footprint_of(op, by);
        let observed = op.object != ObjectId::NONE && self.objects[op.object.index()].observed;
        // Who takes a lock changes nothing yet that an invariant could see.
        let takes_lock = matches!(
            op.purpose(),
            Action::Lock
                | Action::Read
                | Action::ReadRecursive
                | Action::Write
                | Action::Upgradable
                | Action::Upgrade
                | Action::Wake
                | Action::Begin
        );
        let writes = footprint.cells.iter().any(|(_, mode)| *mode != Mode::Read);
        let changes = writes && !takes_lock;
        footprint.and_invariant(observed && changes)
    }

    fn footprint_of(&self, op: Op, by: ThreadId) -> Footprint {
        let id = op.object;
        let write = || Footprint::one(Cell::of(id), Mode::Write);
        let read = || Footprint::one(Cell::of(id), Mode::Read);
        match op.action {
            Action::Lock if op.how == How::Insist => write().waiting().disabling(),
            Action::Lock => write().disabling(),
            // Readers come and go without a conflict, and whether there is one is asked here.
            Action::IsLocked if self.is_rwlock(id) => write(),
            Action::IsLocked
            | Action::IsWritten
            | Action::Load
            | Action::Permits
            | Action::Len
            | Action::IsComplete => read(),
            Action::Read | Action::ReadRecursive | Action::Unread => {
                let mode = if self.is_fifo(id) { write() } else { read() };
                match (op.action, op.how) {
                    (Action::Unread, _) if !self.is_fifo(id) => mode,
                    (Action::Unread, _) => mode.disabling(),
                    (_, How::Insist) => mode.waiting().disabling(),
                    _ => mode.disabling(),
                }
            }
            Action::Queued => self.footprint_of_queued(op),
            Action::Wake => {
                let is_plain = op.how == How::Insist && op.arg == 0 && !self.is_spurious(id);
                let condvar = if is_plain { read() } else { write() };
                let lock = Cell::of(op.other());
                condvar.and(lock, Mode::Write).waiting().disabling()
            }
            Action::Wait => write().and(Cell::of(op.other()), Mode::Write),
            Action::Release if !self.has_max(id) => Footprint::one(Cell::of(id), Mode::Signal),
            Action::Send | Action::Recv | Action::CloseSend | Action::CloseRecv => {
                let footprint = self.footprint_of_channel(Footprint::default(), id);
                match (op.action, op.how) {
                    (Action::Send | Action::Recv, How::Insist) => footprint.waiting().disabling(),
                    (Action::Send | Action::Recv, _) => footprint.disabling(),
                    _ => footprint,
                }
            }
            Action::Select => self.footprint_of_arms(op.with),
            Action::Add if (op.arg as i32) < 0 && !self.is_exact(id) => {
                Footprint::one(Cell::of(id), Mode::Signal)
            }
            Action::Add => write().disabling(),
            Action::WaitZero | Action::Pass => read().waiting(),
            Action::Evaluate => self.footprint_of_variables(op.with),
            _ if Self::is_about_handles(op) => self.footprint_of_handles(op),
            _ => self.footprint_of_rest(op, by),
        }
    }

    fn footprint_of_rest(&self, op: Op, by: ThreadId) -> Footprint {
        match op.action {
            Action::Exit => Footprint::one(Cell::end_of(by), Mode::Write),
            Action::Join => Footprint::one(Cell::end_of(op.thread()), Mode::Read).waiting(),
            Action::IsFinished => Footprint::one(Cell::end_of(op.thread()), Mode::Read),
            Action::Park => Footprint::one(Cell::token_of(by), Mode::Write).waiting(),
            Action::Unpark => Footprint::one(Cell::token_of(op.thread()), Mode::Signal),
            Action::Start
            | Action::Spawn
            | Action::Yield
            | Action::Sleep
            | Action::Forever
            | Action::Slow
            | Action::Choose => Footprint::default(),
            // What one lets go of goes to the head of a queue, and is not there for others.
            Action::Unwrite
            | Action::Unupgradable
            | Action::Downgrade
            | Action::DowngradeToUpgradable
            | Action::DowngradeUpgradable => {
                Footprint::one(Cell::of(op.object), Mode::Write).disabling()
            }
            Action::Write
            | Action::Upgradable
            | Action::Upgrade
            | Action::Acquire
            | Action::Begin => {
                let write = Footprint::one(Cell::of(op.object), Mode::Write).disabling();
                match op.how {
                    How::Insist => write.waiting(),
                    _ => write,
                }
            }
            _ => Footprint::one(Cell::of(op.object), Mode::Write),
        }
    }

    fn footprint_of_queued(&self, op: Op) -> Footprint {
        let footprint = match op.purpose() {
            Action::Select => return self.footprint_of_arms(op.with),
            Action::Send | Action::Recv => {
                self.footprint_of_channel(Footprint::default(), op.object)
            }
            _ => {
                let reads = op.how == How::Insist
                    && !matches!(self.objects[op.object.index()].state, State::RwLock(_));
                let mode = if reads { Mode::Read } else { Mode::Write };
                Footprint::one(Cell::of(op.object), mode)
            }
        };
        match op.how {
            How::Insist => footprint.waiting().disabling(),
            _ => footprint.disabling(),
        }
    }

    fn footprint_of_channel(&self, footprint: Footprint, id: ObjectId) -> Footprint {
        let cell = match self.objects[id.index()].kind {
            Kind::Channel {
                capacity: Some(0),
                cluster,
            } => Cell::cluster(cluster),
            _ => Cell::of(id),
        };
        footprint.and(cell, Mode::Write)
    }

    fn footprint_of_arms(&self, list: u32) -> Footprint {
        let arms = self.arms_of(list).iter();
        arms.fold(Footprint::default(), |footprint, (id, _)| {
            self.footprint_of_channel(footprint, *id)
        })
        .waiting()
        .disabling()
    }

    fn footprint_of_handles(&self, op: Op) -> Footprint {
        let mode = match op.action {
            Action::Clone if op.arg == 1 => Mode::Write,
            Action::Clone => Mode::Signal,
            Action::Drop if self.keeps_value(op.object) => {
                match state!(self, op.object, Handles).count {
                    1 => Mode::Write,
                    2 => Mode::LastButOne,
                    _ => Mode::Drop,
                }
            }
            Action::Drop => Mode::Signal,
            Action::Revive => Mode::Revive,
            Action::Count => Mode::Read,
            _ => Mode::Write,
        };
        let footprint = Footprint::one(Cell::of(op.object), mode);
        match op.with {
            Op::NOTHING => footprint,
            _ => footprint.and(Cell::of(op.other()), Mode::Read),
        }
    }

    pub(super) fn keeps_value(&self, id: ObjectId) -> bool {
        matches!(self.objects[id.index()].kind, Kind::Arc { .. })
    }

    fn footprint_of_variables(&self, list: u32) -> Footprint {
        let List::Variables {
            reads,
            writes,
            condition,
        } = &self.lists[list as usize]
        else {
            unreachable!("an evaluation is about variables")
        };
        let written = writes.iter().map(|id| (*id, Mode::Write));
        let read = reads.iter().map(|id| (*id, Mode::Read));
        let footprint = written
            .chain(read)
            .fold(Footprint::default(), |footprint, (id, mode)| {
                footprint.and(Cell::of(id), mode)
            });
        Footprint {
            waits: condition.is_some(),
            disables: !writes.is_empty(),
            ..footprint
        }
    }

    fn is_fifo(&self, id: ObjectId) -> bool {
        self.objects[id.index()].kind == Kind::RwLock(Preference::Fifo)
    }

    pub(super) fn is_raw(&self, id: ObjectId) -> bool {
        self.objects[id.index()].kind == Kind::RawLock
    }

    fn is_rwlock(&self, id: ObjectId) -> bool {
        matches!(self.objects[id.index()].state, State::RwLock(_))
    }

    fn is_spurious(&self, id: ObjectId) -> bool {
        state!(self, id, Condvar).is_spurious()
    }

    fn is_exact(&self, id: ObjectId) -> bool {
        matches!(
            self.objects[id.index()].kind,
            Kind::WaitGroup { exact: true, .. }
        )
    }

    fn has_max(&self, id: ObjectId) -> bool {
        state!(self, id, Semaphore).has_max()
    }
}
