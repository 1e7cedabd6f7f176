//! What operations do, as plays: who does what, and what comes of it.

use Action::*;
use Effect::{Chose, Closed, Done, Failed, Queued as InQueue};

use super::*;

const C: ThreadId = ThreadId(3);

/// What comes of an operation.
#[derive(Clone, Copy, Debug)]
enum Comes {
    /// This, in the first case.
    Is(Effect),
    /// This, in that case.
    In(u32, Effect),
    /// It cannot be done now: each of some threads, or any of others, has to do something first.
    Blocks(u64, u64),
    /// It is left undone; these are its cases.
    Has(&'static [u32]),
}

use Comes::{Blocks, Has, In, Is};

type Play = [(ThreadId, Op, Comes)];

const AB: u64 = 1 << A.0 | 1 << B.0;
const ONLY_A: u64 = 1 << A.0;
const ONLY_B: u64 = 1 << B.0;
const ONLY_C: u64 = 1 << C.0;

#[track_caller]
fn play_in(mut world: World, play: &Play) -> World {
    world.add_thread(C);
    for (at, &(by, op, comes)) in play.iter().enumerate() {
        let place = format!("step {at}, {op:?} by {by:?}");
        let enabled = world.enabled(op, by);
        match comes {
            Blocks(all, any) => {
                assert!(!enabled, "{place} does not block");
                assert!(world.would_wait(op, by), "{place}");
                assert_eq!(world.awaited(op, by), Waits { all, any }, "{place}");
            }
            Has(cases) => assert_eq!(world.cases(op, by).as_slice(), cases, "{place}"),
            Is(effect) | In(_, effect) => {
                assert!(enabled, "{place} blocks");
                let case = if let In(case, _) = comes { case } else { 0 };
                assert_eq!(world.apply(op, by, case), effect, "{place}");
            }
        }
    }
    world
}

#[track_caller]
fn play(kinds: &[Kind], steps: &Play) -> World {
    play_in(world(kinds), steps)
}

/// Goes on after this.
fn after(op: Op) -> Op {
    Op {
        action: Action::Queued,
        arg: op.action.joining(),
        ..op
    }
}

fn timed(op: Op) -> Op {
    op.how(How::Timed)
}

fn attempt(op: Op) -> Op {
    op.how(How::Try)
}

fn on0(action: Action) -> Op {
    on(0, action)
}

#[test]
fn locks() {
    play(
        &[Kind::RawLock],
        &[
            (A, on0(Lock), Is(Done)),
            (B, on0(Lock), Blocks(0, ONLY_A)),
            (B, on0(IsLocked), Is(Done)),
            (B, on0(Unlock), Is(Done)),
            (B, on0(IsLocked), Is(Failed)),
            (B, on0(Lock), Is(Done)),
        ],
    );
}

#[test]
fn rwlock_with_writers_first() {
    let read = on0(Read);
    let write = on0(Write);
    let world = play(
        &[Kind::RwLock(Preference::Writer)],
        &[
            (A, read, Is(Done)),
            (B, write, Is(InQueue)),
            (C, read, Blocks(ONLY_B, 0)),
            (C, on0(Upgradable), Blocks(ONLY_B, 0)),
            (C, on0(ReadRecursive), Is(Done)),
            (A, on0(IsLocked), Is(Done)),
            (A, on0(IsWritten), Is(Failed)),
            (B, after(write), Blocks(ONLY_A | ONLY_C, 0)),
            (A, on0(Unread), Is(Done)),
            (C, on0(Unread), Is(Done)),
            (C, on0(Unread), Is(Failed)),
            (A, on0(IsLocked), Is(Failed)),
            (B, after(write), Is(Done)),
            (A, on0(IsWritten), Is(Done)),
            (A, on0(IsLocked), Is(Done)),
            (A, read, Blocks(ONLY_B, 0)),
            (A, attempt(read), Is(Failed)),
            (A, on0(Unwrite), Is(Failed)),
            (B, on0(Downgrade), Is(Done)),
            (B, on0(Downgrade), Is(Failed)),
            (A, read, Is(Done)),
        ],
    );
    assert!(world.is_read_by(ObjectId(0), A) && world.is_read_by(ObjectId(0), B));
    assert!(!world.is_read_by(ObjectId(0), C));
}

/// The lock is free, and a writer about to go: another may overtake it, unless it only tries.
#[test]
fn rwlock_that_is_free_while_a_writer_waits() {
    let begun: &Play = &[
        (A, on0(Read), Is(Done)),
        (B, timed(on0(Write)), Is(InQueue)),
        (A, on0(Unread), Is(Done)),
    ];
    let next: &[&Play] = &[
        &[(C, attempt(on0(Write)), Is(Failed))],
        &[(C, on0(Write), Is(Done))],
        &[(C, timed(on0(Write)), Is(Done))],
        &[(C, on0(Read), Blocks(ONLY_B, 0))],
    ];
    for next in next {
        play(&[Kind::RwLock(Preference::Writer)], &[begun, next].concat());
    }
    play(
        &[Kind::RwLock(Preference::Writer)],
        &[
            (A, on0(Read), Is(Done)),
            (B, timed(on0(Write)), Is(InQueue)),
            (B, after(timed(on0(Write))), Is(Failed)),
            (C, on0(Read), Is(Done)),
        ],
    );
}

#[test]
fn rwlock_upgraded() {
    let upgrade = on0(Upgrade);
    let world = play(
        &[Kind::RwLock(Preference::Writer)],
        &[
            (A, on0(Upgradable), Is(Done)),
            (A, on0(IsLocked), Is(Done)),
            (B, on0(Upgradable), Blocks(ONLY_A, 0)),
            (B, on0(Read), Is(Done)),
            (A, upgrade, Is(InQueue)),
            (A, after(upgrade), Blocks(ONLY_B, 0)),
            (C, on0(Read), Blocks(ONLY_A, 0)),
            (B, on0(Unread), Is(Done)),
            (A, after(upgrade), Is(Done)),
            (B, on0(IsWritten), Is(Done)),
            (A, on0(DowngradeToUpgradable), Is(Done)),
            (B, on0(Read), Is(Done)),
            (A, on0(DowngradeUpgradable), Is(Done)),
            (A, on0(Unupgradable), Is(Failed)),
            (C, on0(Upgradable), Is(Done)),
            (C, on0(Unupgradable), Is(Done)),
            (A, on0(Unread), Is(Done)),
            (B, on0(Unread), Is(Done)),
            (C, on0(IsLocked), Is(Failed)),
            // Who holds it in two ways is in the way once.
            (A, on0(Upgradable), Is(Done)),
            (A, on0(ReadRecursive), Is(Done)),
            (A, on0(ReadRecursive), Is(Done)),
            (B, on0(Write), Is(InQueue)),
            (B, after(on0(Write)), Blocks(ONLY_A, 0)),
        ],
    );
    for (action, threads) in [(Write, ONLY_A), (Upgrade, ONLY_A), (Upgradable, ONLY_A)] {
        assert_eq!(world.in_the_way(on0(action)), threads, "{action:?}");
    }
    for action in [Read, Unread] {
        assert_eq!(world.in_the_way(on0(action)), 0, "{action:?}");
    }
}

#[test]
fn rwlock_first_come_first_served() {
    let (read, write) = (on0(Read), on0(Write));
    let fifo = &[Kind::RwLock(Preference::Fifo)];
    play(
        fifo,
        &[
            (A, write, Is(Done)),
            (B, read, Is(InQueue)),
            (C, write, Is(InQueue)),
            (B, after(read), Blocks(ONLY_A, 0)),
            (C, after(write), Blocks(AB, 0)),
            (A, attempt(read), Is(Failed)),
            (A, on0(Unwrite), Is(Done)),
            (B, after(read), Is(Done)),
            (C, after(write), Blocks(ONLY_B, 0)),
            (A, timed(read), Is(Failed)),
            (A, on0(ReadRecursive), Is(Done)),
            (A, on0(Unread), Is(Done)),
            (B, on0(Unread), Is(Done)),
            (C, after(write), Is(Done)),
            (C, on0(Unwrite), Is(Done)),
            (C, write, Is(Done)),
        ],
    );
    // An upgrade goes first.
    play(
        fifo,
        &[
            (A, on0(Upgradable), Is(Done)),
            (B, read, Is(Done)),
            (C, write, Is(InQueue)),
            (A, on0(Upgrade), Is(InQueue)),
            (B, on0(Unread), Is(Done)),
            (A, after(on0(Upgrade)), Is(Done)),
            (C, after(write), Blocks(ONLY_A, 0)),
        ],
    );
    // Two are let in at once, and one after the other goes on.
    play(
        fifo,
        &[
            (A, write, Is(Done)),
            (B, read, Is(InQueue)),
            (C, read, Is(InQueue)),
            (A, on0(Unwrite), Is(Done)),
            (B, after(read), Is(Done)),
            (C, after(read), Is(Done)),
            (B, on0(Unread), Is(Done)),
            (C, on0(Unread), Is(Done)),
            (A, write, Is(Done)),
            (B, read, Is(InQueue)),
            (B, after(read), Blocks(ONLY_A, 0)),
        ],
    );
    // A reader that queues behind itself is waited for once.
    play(
        fifo,
        &[
            (A, read, Is(Done)),
            (A, write, Is(InQueue)),
            (B, write, Is(InQueue)),
            (B, after(write), Blocks(ONLY_A, 0)),
        ],
    );
}

#[test]
fn rwlock_with_readers_first() {
    play(
        &[Kind::RwLock(Preference::Reader)],
        &[
            (A, on0(Read), Is(Done)),
            (B, on0(Write), Blocks(ONLY_A, 0)),
            (C, on0(Read), Is(Done)),
            (B, on0(Write), Blocks(ONLY_A | ONLY_C, 0)),
        ],
    );
}

fn condvar(spurious: bool, fifo: bool) -> [Kind; 2] {
    [Kind::Condvar { spurious, fifo }, Kind::Mutex]
}

#[test]
fn condvars() {
    let (wait, wake) = (on0(Wait).with(1).arg(0), on0(Wake).with(1).arg(0));
    let (one, lock, unlock) = (on0(NotifyOne), on(1, Lock), on(1, Unlock));
    let waiting: &Play = &[
        (C, one, Has(&[0])),
        (C, one, Is(Failed)),
        (C, on0(NotifyAll), Is(Chose(0))),
        (A, wait, Is(Failed)),
        (A, wait, Has(&[0])),
        (A, wait.arg(1), Has(&[0, 1])),
        (B, lock, Is(Done)),
        (B, wait, Is(Chose(0))),
        (A, lock, Is(Done)),
        (A, wait, Is(Chose(0))),
        (C, on(1, IsLocked), Is(Failed)),
        (A, wake, Blocks(0, 0)),
    ];
    let any: &Play = &[
        (C, one, Has(&[2, 3])),
        (C, one, In(2, Done)),
        (C, one, Has(&[3])),
        (C, on0(NotifyAll), Is(Chose(1))),
        (C, on0(NotifyAll), Is(Chose(0))),
        (A, wake, Is(Done)),
        (B, wake, Blocks(ONLY_A, 0)),
        (A, unlock, Is(Done)),
        (B, wake, Is(Done)),
        (C, one, Has(&[0])),
    ];
    let first: &Play = &[
        (C, one, Has(&[3])),
        (C, one, In(3, Done)),
        (C, one, Has(&[2])),
        (B, wake, Is(Done)),
        (A, wake, Blocks(0, 0)),
    ];
    play(&condvar(false, false), &[waiting, any].concat());
    play(&condvar(false, true), &[waiting, first].concat());
}

#[test]
fn condvars_left_without_a_notification() {
    let (wait, wake) = (on0(Wait).with(1), on0(Wake).with(1).arg(0));
    let waiting: &Play = &[(A, on(1, Lock), Is(Done)), (A, wait, Is(Chose(0)))];
    for (spurious, wake, effect) in [
        (false, timed(wake), Failed),
        (false, wake.arg(1), Done),
        (true, wake, Done),
    ] {
        let ways: [&Play; 2] = [
            &[(A, wake, Is(effect)), (B, on0(NotifyOne), Has(&[0]))],
            &[(B, on(1, Lock), Is(Done)), (A, wake, Blocks(ONLY_B, 0))],
        ];
        for way in ways {
            play(&condvar(spurious, false), &[waiting, way].concat());
        }
    }
}

fn semaphore(permits: u32, fifo: bool, max: u32) -> [Kind; 1] {
    [Kind::Semaphore { permits, fifo, max }]
}

#[test]
fn semaphores() {
    let (acquire, release) = (|n| on0(Acquire).arg(n), |n| on0(Release).arg(n));
    play(
        &semaphore(2, false, 3),
        &[
            (A, acquire(1), Is(Done)),
            (A, on0(Permits), Is(Chose(1))),
            (B, acquire(2), Blocks(0, ONLY_A)),
            (B, attempt(acquire(2)), Is(Failed)),
            (B, timed(acquire(2)), Is(Failed)),
            (C, release(1), Is(Done)),
            (B, acquire(2), Is(Done)),
            (C, on0(Permits), Is(Chose(0))),
            (C, acquire(1), Blocks(0, AB)),
            (A, release(1), Is(Done)),
            (C, acquire(2), Blocks(0, ONLY_B)),
            (C, release(3), Is(Failed)),
            (C, on0(Permits), Is(Chose(1))),
            (C, release(2), Is(Done)),
            (C, on0(Permits), Is(Chose(3))),
        ],
    );
}

#[test]
fn semaphores_first_come_first_served() {
    let (acquire, release) = (|n| on0(Acquire).arg(n), |n| on0(Release).arg(n));
    play(
        &semaphore(1, true, u32::MAX),
        &[
            (A, acquire(2), Is(InQueue)),
            (B, acquire(1), Is(InQueue)),
            (C, attempt(acquire(1)), Is(Failed)),
            (A, after(acquire(2)), Blocks(0, 0)),
            (C, release(1), Is(Done)),
            (A, after(acquire(2)), Is(Done)),
            (B, after(acquire(1)), Blocks(0, ONLY_A)),
            (A, release(2), Is(Done)),
            (B, after(acquire(1)), Is(Done)),
            (C, on0(Permits), Is(Chose(1))),
        ],
    );
    // Who gives up lets the next one go.
    play(
        &semaphore(1, true, u32::MAX),
        &[
            (A, timed(acquire(2)), Is(InQueue)),
            (B, acquire(1), Is(InQueue)),
            (A, after(timed(acquire(2))), Is(Failed)),
            (B, after(acquire(1)), Is(Done)),
        ],
    );
}

#[test]
fn tickets() {
    let ticket = |number| on0(Acquire).arg(1).with(number);
    let drop = |number| on0(Withdraw).with(number);
    play(
        &semaphore(2, true, u32::MAX),
        &[
            (A, ticket(8), Is(Done)),
            (A, ticket(8), Is(Failed)),
            (A, ticket(7), Is(Done)),
            (A, ticket(9), Is(InQueue)),
            (A, ticket(9), Is(Failed)),
            (A, after(ticket(9)), Blocks(0, 0)),
            (A, after(ticket(7)), Is(Done)),
            (A, after(ticket(7)), Is(Failed)),
            (A, drop(7), Is(Failed)),
            (A, drop(8), Is(Done)),
            (A, drop(8), Is(Failed)),
            (B, on0(Permits), Is(Chose(0))),
            (A, after(ticket(9)), Is(Done)),
            (A, ticket(8), Is(InQueue)),
            (A, drop(8), Is(Done)),
            (B, on0(Release).arg(1), Is(Done)),
            (B, on0(Permits), Is(Chose(1))),
        ],
    );
}

fn channel(capacity: Option<u32>) -> Kind {
    Kind::Channel {
        capacity,
        cluster: 0,
    }
}

#[test]
fn channels_with_a_buffer() {
    let (send, recv) = (on0(Send), on0(Recv));
    play(
        &[channel(Some(1))],
        &[
            (B, recv, Blocks(0, 0)),
            (B, attempt(recv), Is(Failed)),
            (A, send, Is(Done)),
            (A, on0(Len), Is(Chose(1))),
            (A, send, Blocks(0, 0)),
            (A, timed(send), Is(Failed)),
            (B, recv, Is(Done)),
            (A, send, Is(Done)),
            (A, on0(CloseSend), Is(Done)),
            (A, on0(CloseSend), Is(Failed)),
            (A, send, Is(Closed)),
            (B, recv, Is(Done)),
            (B, recv, Is(Closed)),
        ],
    );
    play(
        &[channel(None)],
        &[
            (A, send, Is(Done)),
            (A, send, Is(Done)),
            (B, on0(CloseRecv), Is(Done)),
            (B, on0(CloseRecv), Is(Failed)),
            (B, on0(Len), Is(Chose(0))),
            (A, send, Is(Closed)),
            (B, recv, Is(Closed)),
        ],
    );
}

#[test]
fn rendezvous() {
    let (send, recv) = (on0(Send), on0(Recv));
    play(
        &[channel(Some(0))],
        &[
            (A, attempt(send), Is(Failed)),
            (A, send, Is(InQueue)),
            (A, after(send), Blocks(0, 0)),
            (B, recv, Is(Chose(1))),
            (C, attempt(recv), Is(Failed)),
            (A, after(send), Is(Chose(2))),
            (B, timed(recv), Is(InQueue)),
            (B, after(timed(recv)), Is(Failed)),
            (A, attempt(send), Is(Failed)),
            (B, recv, Is(InQueue)),
            (A, on0(CloseSend), Is(Done)),
            (B, after(recv), Is(Closed)),
        ],
    );
}

/// Neither two of a kind meet, nor one itself.
#[test]
fn who_does_not_meet() {
    let (send, recv) = (on0(Send), on0(Recv));
    play(
        &[channel(Some(0))],
        &[
            (A, send, Is(InQueue)),
            (B, send, Is(InQueue)),
            (A, after(send), Blocks(0, 0)),
            (C, recv, Is(Chose(1))),
            (C, recv, Is(Chose(2))),
        ],
    );
    let mut world = world(&[channel(Some(0))]);
    let list = world.arms(vec![(ObjectId(0), Recv), (ObjectId(0), Send)]);
    let select = Op::plain(Select, 0).with(list);
    play_in(
        world,
        &[
            (A, select, Is(InQueue)),
            (A, after(select), Blocks(0, 0)),
            (B, recv, Is(Chose(1))),
            (A, after(select), Is(Chose(1))),
        ],
    );
}

/// Arms: a rendezvous and a buffer to receive from; the buffer alone.
fn selecting() -> (World, Op, Op) {
    let mut world = world(&[channel(Some(0)), channel(Some(1))]);
    let (zero, one) = (ObjectId(0), ObjectId(1));
    let both = world.arms(vec![(zero, Recv), (one, Recv)]);
    let buffer = world.arms(vec![(one, Recv)]);
    assert_ne!(both, buffer);
    assert_eq!(world.arms(vec![(one, Recv)]), buffer, "numbered once");
    let select = |list| Op::plain(Select, 0).with(list);
    (world, select(both), select(buffer))
}

#[test]
fn selects() {
    let (world, both, buffer) = selecting();
    assert_eq!(world.objects_of(both), [ObjectId(0), ObjectId(1)]);
    assert_eq!(world.objects_of(buffer), [ObjectId(1)]);
    assert_eq!(world.objects_of(on(0, Send).with(0)), []);
    play_in(
        world.clone(),
        &[
            (A, buffer, Blocks(0, 0)),
            (A, timed(buffer), Is(Failed)),
            (A, attempt(both), Is(Failed)),
            (A, both, Is(InQueue)),
            (A, after(both), Blocks(0, 0)),
            (B, on(1, Send), Is(Done)),
            (A, after(both), Has(&[1])),
            (A, after(both), In(1, Chose(1))),
            (B, attempt(on(0, Send)), Is(Failed)),
            (B, on(1, Send), Is(Done)),
            (A, buffer, Is(Chose(0))),
        ],
    );
    let met = play_in(
        world,
        &[
            (A, both, Is(InQueue)),
            (B, on(0, Send), Is(Chose(1))),
            (B, on(1, Send), Is(Done)),
            (A, after(both), Has(&[0])),
            (A, after(both), Is(Chose(0))),
        ],
    );
    assert_eq!(met.exchanged(), Chose(2), "whom it met");
}

#[test]
fn counts() {
    let add = |count: i32| on0(Add).arg(count as u32);
    play(
        &[Kind::WaitGroup {
            count: 1,
            exact: true,
        }],
        &[
            (A, on0(WaitZero), Blocks(0, 0)),
            (A, add(1), Is(Done)),
            (A, add(-3), Is(Failed)),
            (A, add(-1), Is(Done)),
            (A, on0(WaitZero), Blocks(0, 0)),
            (A, add(-1), Is(Done)),
            (A, on0(WaitZero), Is(Done)),
        ],
    );
    play(
        &[Kind::Barrier { parties: 2 }],
        &[
            (A, on0(Arrive), Is(InQueue)),
            (A, after(on0(Arrive)), Blocks(0, 0)),
            (B, on0(Arrive), Is(Done)),
            (A, after(on0(Arrive)), Is(Failed)),
            (A, on0(Arrive), Is(InQueue)),
            (A, after(on0(Arrive)), Blocks(0, 0)),
        ],
    );
}

#[test]
fn once_and_gate() {
    play(
        &[Kind::Once { done: false }],
        &[
            (A, on0(Begin), Is(Done)),
            (B, on0(Begin), Blocks(ONLY_A, 0)),
            (A, on0(Abandon), Is(Done)),
            (B, on0(IsComplete), Is(Failed)),
            (B, on0(Begin), Is(Done)),
            (B, on0(Complete), Is(Done)),
            (A, on0(IsComplete), Is(Done)),
            (A, on0(Begin), Is(Failed)),
        ],
    );
    play(
        &[Kind::Gate],
        &[
            (A, on0(Pass), Blocks(0, 0)),
            (B, on0(Open), Is(Done)),
            (B, on0(Open), Is(Failed)),
            (A, on0(Pass), Is(Done)),
        ],
    );
}

#[test]
fn handles() {
    let both = [Kind::Arc { count: 2 }, Kind::Weak { count: 1 }];
    let alone = |op: Op| op.with(1);
    play(
        &both,
        &[
            (A, on(0, Count), Is(Chose(2))),
            (A, alone(on(0, Count)), Is(Failed)),
            (A, on(0, Unwrap), Is(Failed)),
            (A, on(0, Revive), Is(Done)),
            (B, on(0, Drop), Is(Chose(0))),
            (B, on(0, Drop), Is(Chose(0))),
            // There is a weak one.
            (A, alone(on(0, Count)), Is(Failed)),
            (A, on(1, Drop), Is(Chose(1))),
            (A, alone(on(0, Count)), Is(Done)),
            // It stays where it is.
            (A, alone(on(0, Unwrap)), Is(Done)),
            (A, on(0, Count), Is(Chose(1))),
            (A, on(1, Clone), Is(Done)),
            // It is moved, and what was weak has nothing.
            (A, alone(on(0, Unwrap)), Is(Done)),
            (B, on(0, Count), Is(Chose(0))),
            (B, on(0, Revive), Is(Failed)),
            (B, on(0, Count), Is(Chose(0))),
        ],
    );
    play(
        &both,
        &[
            (A, on(0, Clone), Is(Done)),
            (A, on(0, Drop), Is(Chose(0))),
            (A, on(0, Drop), Is(Chose(0))),
            (A, on(0, Unwrap), Is(Done)),
            (B, on(0, Revive), Is(Failed)),
        ],
    );
    play(
        &[Kind::Arc { count: 0 }],
        &[
            (A, on(0, Revive), Is(Failed)),
            (B, on(0, Clone).arg(1), Is(Done)),
            (A, on(0, Revive), Is(Done)),
            (A, on(0, Drop), Is(Chose(0))),
            (B, on(0, Drop), Is(Chose(1))),
        ],
    );
}

#[test]
fn notify() {
    let (enlist, signal, withdraw) = (on0(Enlist), on0(Signal), on0(Withdraw));
    let goes = after(enlist);
    let plays: &[&Play] = &[
        &[
            (C, signal, Is(Done)),
            (C, signal, Is(Done)),
            (A, enlist, Is(Done)),
            (A, enlist, Is(InQueue)),
            (A, enlist, Is(InQueue)),
            (B, enlist, Is(InQueue)),
            (A, goes, Blocks(0, 0)),
            (C, signal, Is(Done)),
            (B, goes, Blocks(0, 0)),
            (A, goes, Is(Done)),
            (A, enlist, Is(InQueue)),
            (C, on0(SignalAll), Is(Done)),
            (A, goes, Is(Done)),
            (B, goes, Is(Done)),
            (B, enlist, Is(InQueue)),
        ],
        // The permit of one who does not wait after all goes on to the next.
        &[
            (A, enlist, Is(InQueue)),
            (B, enlist, Is(InQueue)),
            (C, signal, Is(Done)),
            (A, withdraw, Is(Done)),
            (A, withdraw, Is(Failed)),
            (B, goes, Is(Done)),
            (A, enlist, Is(InQueue)),
            (A, withdraw, Is(Done)),
            (C, signal, Is(Done)),
            (B, enlist, Is(Done)),
        ],
        // That of one whom all were notified with does not, nor one that was used.
        &[
            (A, enlist, Is(InQueue)),
            (C, on0(SignalAll), Is(Done)),
            (A, withdraw, Is(Done)),
            (A, enlist, Is(InQueue)),
            (C, signal, Is(Done)),
            (A, goes, Is(Done)),
            (A, withdraw, Is(Failed)),
            (B, enlist, Is(InQueue)),
        ],
        // Registered now, to wait later.
        &[
            (A, attempt(enlist), Is(Failed)),
            (A, attempt(enlist), Is(Failed)),
            (B, attempt(enlist), Is(Failed)),
            (C, signal, Is(Done)),
            (B, attempt(enlist), Is(Failed)),
            (A, attempt(enlist), Is(Done)),
            (A, enlist, Is(Done)),
            (A, enlist, Is(InQueue)),
            (C, signal, Is(Done)),
            (B, goes, Is(Done)),
            (A, goes, Blocks(0, 0)),
        ],
        &[
            (C, signal, Is(Done)),
            (A, attempt(enlist), Is(Done)),
            (B, attempt(enlist), Is(Failed)),
            (A, withdraw, Is(Done)),
            (B, enlist, Is(InQueue)),
            (B, goes, Blocks(0, 0)),
        ],
        // Registered again after it was notified: it has one place.
        &[
            (A, attempt(enlist), Is(Failed)),
            (C, signal, Is(Done)),
            (A, attempt(enlist), Is(Done)),
            (C, signal, Is(Done)),
            (B, enlist, Is(Done)),
        ],
        // Who gives up is not in the queue any more.
        &[
            (A, timed(enlist), Is(InQueue)),
            (A, after(timed(enlist)), Is(Failed)),
            (C, signal, Is(Done)),
            (B, enlist, Is(Done)),
        ],
    ];
    for steps in plays {
        play(&[Kind::Notify], steps);
    }
}

#[test]
fn threads() {
    let park = Op::plain(Park, 0);
    play(
        &[],
        &[
            (A, park, Blocks(0, 0)),
            (A, timed(park), Is(Failed)),
            (B, Op::of_thread(Unpark, A), Is(Done)),
            (C, Op::of_thread(Unpark, A), Is(Done)),
            (A, park, Is(Done)),
            (A, park, Blocks(0, 0)),
            (B, Op::of_thread(Join, A), Blocks(ONLY_A, 0)),
            (B, Op::of_thread(IsFinished, A), Is(Failed)),
            (A, Op::plain(Exit, 0), Is(Done)),
            (B, Op::of_thread(Join, A), Is(Done)),
            (B, Op::of_thread(IsFinished, A), Is(Done)),
            (B, Op::plain(Forever, 0), Blocks(0, 0)),
        ],
    );
}

/// Served at once, or not: also where one who is not would join a queue.
#[test]
fn who_is_ready() {
    let (world, both, buffer) = selecting();
    let rwlock = || world_after_read(Preference::Writer);
    let cases = [
        (rwlock(), on0(Read), true),
        (rwlock(), on0(Write), false),
        (rwlock(), on0(Upgradable), true),
        (play(&semaphore(1, true, 9), &[]), on0(Acquire).arg(1), true),
        (
            play(&semaphore(1, true, 9), &[]),
            on0(Acquire).arg(2),
            false,
        ),
        (world.clone(), on(0, Send), false),
        (world.clone(), on(1, Send), true),
        (world.clone(), on(1, Recv), false),
        (world.clone(), both, false),
        (world, buffer, false),
        (play(&[Kind::Mutex], &[]), on0(Lock), true),
        (
            play(&[Kind::Mutex], &[(A, on0(Lock), Is(Done))]),
            on0(Lock),
            false,
        ),
    ];
    for (world, op, ready) in cases {
        assert_eq!(world.is_ready(op, B), ready, "{op:?} in {world:?}");
    }
}

fn world_after_read(preference: Preference) -> World {
    play(&[Kind::RwLock(preference)], &[(A, on0(Read), Is(Done))])
}

/// Steps that enable others without touching what those touch come from these kinds of objects.
#[test]
fn what_is_more_than_locks_and_values() {
    for case in CASES {
        for &kind in case.kinds {
            let expected = !matches!(kind, Kind::RawLock | Kind::Atomic);
            let mut world = world(&[Kind::Mutex, kind, Kind::Ghost]);
            assert_eq!(world.is_complex(), expected, "{kind:?}");
            world.clear();
            assert!(!world.is_complex() && world.objects() == 0, "{kind:?}");
        }
    }
}

/// What makes a difference to what can happen next makes another state; going back makes none.
#[test]
fn states_are_told_apart() {
    let steps: &[(Kind, Op, Op)] = &[
        (Kind::Mutex, on0(Lock), on0(Unlock)),
        (Kind::RwLock(Preference::Writer), on0(Read), on0(Unread)),
        (channel(Some(1)), on0(Send), on0(Recv)),
        (
            semaphore(1, true, 2)[0],
            on0(Acquire).arg(1),
            on0(Release).arg(1),
        ),
        (Kind::Mutex, Op::of_thread(Unpark, B), Op::plain(Park, 0)),
    ];
    for &(kind, there, back) in steps {
        let begun = world(&[kind]);
        let other = play(&[kind], &[(B, there, Is(Done))]);
        assert_ne!(hash(&begun), hash(&other), "{there:?}");
        let mut again = play_in(other.clone(), &[(B, back, Is(Done))]);
        again.copy_from(&play_in(begun, &[]));
        assert_ne!(hash(&again), hash(&other), "{back:?}");
        let mut rewound = other;
        rewound.rewind();
        assert_eq!(hash(&rewound), hash(&again), "{there:?}, rewound");
    }
}
