//! What each operation touches, as the table of [`object`](crate::object) has it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::*;

const KINDS: &[Kind] = &[
    Kind::Mutex,
    Kind::RwLock(Preference::Writer),
    Kind::RwLock(Preference::Fifo),
    Kind::Condvar {
        spurious: false,
        fifo: false,
    },
    Kind::Condvar {
        spurious: true,
        fifo: false,
    },
    Kind::Semaphore {
        permits: 1,
        fifo: true,
        max: u32::MAX,
    },
    Kind::Semaphore {
        permits: 1,
        fifo: true,
        max: 2,
    },
    Kind::Channel {
        capacity: Some(0),
        cluster: 3,
    },
    Kind::Channel {
        capacity: Some(1),
        cluster: 0,
    },
    Kind::WaitGroup {
        count: 0,
        exact: true,
    },
    Kind::WaitGroup {
        count: 0,
        exact: false,
    },
    Kind::Barrier { parties: 2 },
    Kind::Once { done: false },
    Kind::Gate,
    Kind::Notify,
    Kind::Atomic,
    Kind::Variable { value: 0 },
    Kind::Variable { value: 0 },
    Kind::Arc { count: 1 },
    Kind::Arc { count: 2 },
    Kind::Arc { count: 3 },
    Kind::Weak { count: 1 },
];
const MUTEX: u32 = 0;
const RW: u32 = 1;
const RW_FIFO: u32 = 2;
const CONDVAR: u32 = 3;
const CONDVAR_SPURIOUS: u32 = 4;
const SEMAPHORE: u32 = 5;
const SEMAPHORE_MAX: u32 = 6;
const RENDEZVOUS: u32 = 7;
const CHANNEL: u32 = 8;
const GROUP_EXACT: u32 = 9;
const GROUP: u32 = 10;
const BARRIER: u32 = 11;
const ONCE: u32 = 12;
const GATE: u32 = 13;
const NOTIFY: u32 = 14;
const VALUE: u32 = 15;
const X: u32 = 16;
const Y: u32 = 17;
const LAST: u32 = 18;
const ONE_OF_TWO: u32 = 19;
const ONE_OF_THREE: u32 = 20;
const WEAK: u32 = 21;

/// The lists of the world below, in their order.
fn lists() -> [List; 4] {
    let [x, y] = [X, Y].map(ObjectId);
    let always: Condition = Rc::new(|_: &dyn Fn(usize) -> i64| true);
    [
        List::Arms(vec![
            (ObjectId(RENDEZVOUS), Action::Recv),
            (ObjectId(CHANNEL), Action::Send),
        ]),
        List::Variables {
            reads: vec![x, y],
            writes: vec![x],
            condition: None,
        },
        List::Variables {
            reads: vec![x, x],
            writes: vec![],
            condition: Some(always),
        },
        List::Variables {
            reads: vec![],
            writes: vec![],
            condition: None,
        },
    ]
}

fn everything() -> World {
    let mut world = world(KINDS);
    for list in lists() {
        world.add_list(list);
    }
    world
}

/// Cells by name, each with its mode, then what the operation waits for and disables.
fn told(footprint: &Footprint) -> String {
    let mut text = String::new();
    for (cell, mode) in footprint.cells() {
        let name = |of: &dyn Fn(u32) -> (Cell, String), count| {
            let mut all = (0..count).map(of);
            all.find_map(|(its, name)| (its == *cell).then_some(name))
        };
        let of_thread = |id: u32| ThreadId(id as u8);
        let world = everything();
        let exit = |id| {
            world
                .footprint(Op::plain(Action::Exit, 0), of_thread(id))
                .cells()[0]
                .0
        };
        let token = |id| {
            world
                .footprint(Op::plain(Action::Park, 0), of_thread(id))
                .cells()[0]
                .0
        };
        let name = None
            .or(name(
                &|id| (Cell::of(ObjectId(id)), format!("{id}")),
                KINDS.len() as u32,
            ))
            .or(name(&|id| (exit(id), format!("end{id}")), 64))
            .or(name(&|id| (token(id), format!("token{id}")), 64))
            .or((*cell == Cell::INVARIANT).then(|| "invariant".to_owned()))
            .unwrap_or_else(|| "cluster".to_owned());
        let mode = format!("{mode:?}").to_lowercase();
        write!(text, "{name}:{mode} ").unwrap();
    }
    if footprint.waits {
        text.push_str("waits ");
    }
    if footprint.disables {
        text.push_str("disables ");
    }
    text.trim_end().to_owned()
}

fn queued(op: Op) -> Op {
    Op {
        action: Action::Queued,
        arg: op.action.joining(),
        ..op
    }
}

/// Each row: an operation, and what it touches when nothing is observed.
fn table() -> Vec<(Op, &'static str)> {
    let mut rows = locks();
    rows.extend(others());
    rows
}

fn locks() -> Vec<(Op, &'static str)> {
    use Action::*;
    let wait = on(CONDVAR, Wait).with(MUTEX);
    let wake = |condvar| on(condvar, Wake).with(MUTEX).arg(0);
    vec![
        (on(MUTEX, Lock), "0:write waits disables"),
        (on(MUTEX, Lock).how(How::Try), "0:write disables"),
        (on(MUTEX, Lock).how(How::Timed), "0:write disables"),
        (on(MUTEX, Unlock), "0:write"),
        (on(MUTEX, IsLocked), "0:read"),
        (on(RW, IsLocked), "1:write"),
        (on(RW, IsWritten), "1:read"),
        (on(RW, Read), "1:read waits disables"),
        (on(RW, Read).how(How::Try), "1:read disables"),
        (on(RW, ReadRecursive), "1:read waits disables"),
        (on(RW, Unread), "1:read"),
        (on(RW_FIFO, Read), "2:write waits disables"),
        (on(RW_FIFO, Read).how(How::Timed), "2:write disables"),
        (on(RW_FIFO, Unread), "2:write disables"),
        (on(RW, Write), "1:write waits disables"),
        (on(RW, Write).how(How::Try), "1:write disables"),
        (on(RW, Upgradable), "1:write waits disables"),
        (on(RW, Upgrade), "1:write waits disables"),
        (on(RW, Unwrite), "1:write disables"),
        (on(RW, Unupgradable), "1:write disables"),
        (on(RW, Downgrade), "1:write disables"),
        (on(RW, DowngradeToUpgradable), "1:write disables"),
        (on(RW, DowngradeUpgradable), "1:write disables"),
        (queued(on(RW, Write)), "1:write waits disables"),
        (queued(on(RW, Write)).how(How::Timed), "1:write disables"),
        (wait, "3:write 0:write"),
        (wake(CONDVAR), "3:read 0:write waits disables"),
        (
            wake(CONDVAR).how(How::Timed),
            "3:write 0:write waits disables",
        ),
        (wake(CONDVAR).arg(1), "3:write 0:write waits disables"),
        (wake(CONDVAR_SPURIOUS), "4:write 0:write waits disables"),
        (on(CONDVAR, NotifyOne), "3:write"),
        (on(CONDVAR, NotifyAll), "3:write"),
    ]
}

fn others() -> Vec<(Op, &'static str)> {
    use Action::*;
    let minus_one = -1_i32 as u32;
    let list = |action, list| Op::plain(action, 0).with(list);
    vec![
        (on(SEMAPHORE, Acquire).arg(1), "5:write waits disables"),
        (on(SEMAPHORE, Acquire).how(How::Try), "5:write disables"),
        (queued(on(SEMAPHORE, Acquire)), "5:read waits disables"),
        (
            queued(on(SEMAPHORE, Acquire).how(How::Timed)),
            "5:write disables",
        ),
        (on(SEMAPHORE, Release).arg(1), "5:signal"),
        (on(SEMAPHORE_MAX, Release).arg(1), "6:write"),
        (on(SEMAPHORE, Permits), "5:read"),
        (on(RENDEZVOUS, Send), "cluster:write waits disables"),
        (queued(on(RENDEZVOUS, Send)), "cluster:write waits disables"),
        (
            queued(on(RENDEZVOUS, Recv).how(How::Timed)),
            "cluster:write disables",
        ),
        (on(CHANNEL, Recv), "8:write waits disables"),
        (on(CHANNEL, Recv).how(How::Timed), "8:write disables"),
        (on(CHANNEL, CloseSend), "8:write"),
        (on(CHANNEL, CloseRecv), "8:write"),
        (on(CHANNEL, Len), "8:read"),
        (list(Select, 0), "cluster:write 8:write waits disables"),
        (
            queued(list(Select, 0)),
            "cluster:write 8:write waits disables",
        ),
        (on(GROUP_EXACT, Add).arg(1), "9:write disables"),
        (on(GROUP_EXACT, Add).arg(minus_one), "9:write disables"),
        (on(GROUP, Add).arg(1), "10:write disables"),
        (on(GROUP, Add).arg(0), "10:write disables"),
        (on(GROUP, Add).arg(minus_one), "10:signal"),
        (on(GROUP, WaitZero), "10:read waits"),
        (on(BARRIER, Arrive), "11:write"),
        (queued(on(BARRIER, Arrive)), "11:read waits disables"),
        (on(ONCE, Begin), "12:write waits disables"),
        (on(ONCE, Complete), "12:write"),
        (on(ONCE, IsComplete), "12:read"),
        (on(GATE, Open), "13:write"),
        (on(GATE, Pass), "13:read waits"),
        (on(NOTIFY, Enlist), "14:write"),
        (queued(on(NOTIFY, Enlist)), "14:read waits disables"),
        (on(NOTIFY, Signal), "14:write"),
        (on(NOTIFY, Withdraw), "14:write"),
        (list(Evaluate, 1), "16:write 17:read disables"),
        (list(Evaluate, 2), "16:read waits"),
        (list(Evaluate, 3), ""),
        (on(LAST, Clone), "18:signal"),
        (on(LAST, Clone).arg(1), "18:write"),
        (on(LAST, Drop), "18:write"),
        (on(ONE_OF_TWO, Drop), "19:lastbutone"),
        (on(ONE_OF_THREE, Drop), "20:drop"),
        (on(LAST, Revive), "18:revive"),
        (on(LAST, Count), "18:read"),
        (on(LAST, Count).with(WEAK), "18:read 21:read"),
        (on(LAST, Unwrap), "18:write"),
        (on(LAST, Unwrap).with(WEAK), "18:write 21:read"),
        (on(WEAK, Clone), "21:signal"),
        (on(WEAK, Drop), "21:signal"),
        (on(WEAK, Count), "21:read"),
        (on(VALUE, Load), "15:read"),
        (on(VALUE, Store), "15:write"),
        (on(VALUE, Update), "15:write"),
        (Op::plain(Exit, 0), "end1:write"),
        (Op::of_thread(Join, B), "end2:read waits"),
        (Op::of_thread(IsFinished, B), "end2:read"),
        (Op::plain(Park, 0), "token1:write waits"),
        (Op::of_thread(Unpark, B), "token2:signal"),
        (Op::of_thread(Spawn, B), ""),
        (Op::plain(Yield, 0), ""),
        (Op::plain(Sleep, 0), ""),
        (Op::plain(Slow, 0), ""),
        (Op::plain(Choose, 2), ""),
        (Op::plain(Forever, 0), ""),
    ]
}

#[test]
fn of_each_operation() {
    let world = everything();
    for (op, expected) in table() {
        let footprint = world.footprint(op, A);
        assert_eq!(told(&footprint), expected, "{op:?}");
        assert_eq!(
            footprint.acquires(),
            expected.contains("disables"),
            "{op:?}"
        );
    }
}

/// A drop that was done touches what it says it was, whatever the state is now.
#[test]
fn of_a_drop_that_was_done() {
    let world = everything();
    for object in [LAST, ONE_OF_TWO, ONE_OF_THREE] {
        for (last, mode) in [(1, "write"), (0, "drop")] {
            let done = Effect::Chose(last);
            let footprint = world.footprint_done(on(object, Action::Drop), A, done);
            assert_eq!(told(&footprint), format!("{object}:{mode}"));
        }
    }
    let weak = world.footprint_done(on(WEAK, Action::Drop), A, Effect::Chose(1));
    assert_eq!(told(&weak), format!("{WEAK}:signal"));
}

/// In which modes two steps are dependent, by what was done; and by what one was to do later.
#[test]
fn modes() {
    use Mode::*;
    let modes = [Read, Write, Signal, Drop, LastButOne, Revive];
    let rows = ["-xxxxx", "xxxxxx", "xx----", "xx---x", "xx-wwx", "xx-xx-"];
    for (one, row) in modes.into_iter().zip(rows) {
        for (other, told) in modes.into_iter().zip(row.chars()) {
            let found = match (one.conflicts(other), one.wakes(other)) {
                (true, true) => 'x',
                (false, true) => 'w',
                (false, false) => '-',
                (true, false) => '?',
            };
            assert_eq!(found, told, "{one:?} and {other:?}");
        }
    }
}

#[test]
fn objects_of_an_evaluation_are_named_once() {
    let world = everything();
    let objects = |list| world.objects_of(Op::plain(Action::Evaluate, 0).with(list));
    assert_eq!(objects(1), [X, Y].map(ObjectId));
    assert_eq!(objects(2), [X].map(ObjectId));
    assert_eq!(objects(3), []);
}

/// What an invariant reads is observed: changes of it are, but taking a lock changes nothing yet.
#[test]
fn of_operations_on_what_an_invariant_reads() {
    use Action::*;
    let mut world = everything();
    for object in 0..KINDS.len() {
        world.observe(ObjectId(object as u32));
    }
    let takes_lock = [
        Lock,
        Read,
        ReadRecursive,
        Write,
        Upgradable,
        Upgrade,
        Wake,
        Begin,
    ];
    for (op, plain) in table() {
        let changing = ["write", "signal", "lastbutone", "drop", "revive"];
        let changes = changing.iter().any(|mode| plain.contains(mode));
        let sees = changes && op.object != ObjectId::NONE && !takes_lock.contains(&op.purpose());
        let seen = told(&world.footprint(op, A)).contains("invariant:write");
        assert_eq!(seen, sees, "{op:?}");
    }
}

#[test]
fn a_cell_touched_twice_is_touched_in_the_stronger_mode() {
    use Mode::*;
    let cell = Cell::of(ObjectId(0));
    for (one, other, both) in [
        (Read, Read, Read),
        (Write, Write, Write),
        (Signal, Signal, Signal),
        (Read, Write, Write),
        (Write, Read, Write),
        (Read, Signal, Write),
    ] {
        let footprint = Footprint::default().and(cell, one).and(cell, other);
        assert_eq!(footprint.cells(), [(cell, both)], "{one:?} and {other:?}");
    }
}

/// No two things share a cell, and there is none but theirs.
#[test]
fn cells_are_distinct() {
    let clusters: Vec<Kind> = (0..=u8::MAX)
        .map(|cluster| Kind::Channel {
            capacity: Some(0),
            cluster,
        })
        .collect();
    let mut world = world(&clusters);
    world.add_thread(ThreadId(ThreadId::COUNT_MAX as u8 - 1));
    let mut cells = vec![Cell::INVARIANT, Cell::STANDSTILL];
    for thread in (0..ThreadId::COUNT_MAX as u8).map(ThreadId) {
        for action in [Action::Exit, Action::Park] {
            cells.push(world.footprint(Op::plain(action, 0), thread).cells()[0].0);
        }
    }
    for object in (0..clusters.len() as u32).map(ObjectId) {
        cells.push(world.footprint(Op::on(Action::Send, object), A).cells()[0].0);
        cells.push(Cell::of(object));
    }
    let all = Cell::count(clusters.len());
    assert!(cells.iter().all(|cell| cell.index() < all));
    let distinct: BTreeSet<usize> = cells.iter().map(|cell| cell.index()).collect();
    assert_eq!(distinct.len(), cells.len());
    assert_eq!(distinct.len(), all, "dense");
}
