//! The dependence table, as data and as a property: what it calls independent commutes.

mod footprints;
mod meaning;

use super::*;
use crate::op::Preference;

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
    assert_eq!(world.apply(lock, A, 0), Effect::Done);
    assert!(
        !world.enabled(lock, B) && !world.enabled(lock, A),
        "not reentrant"
    );
    assert_eq!(world.awaited(lock, B), Waits::all_of(1 << A.0));
    assert_eq!(world.apply(lock.how(How::Try), B, 0), Effect::Failed);
    assert_eq!(world.apply(unlock, A, 0), Effect::Done);
    assert_eq!(world.apply(unlock, A, 0), Effect::Failed, "it was free");
    assert!(world.enabled(lock, B));
}

/// What a thread can do to the objects, and what it is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Situation {
    /// By thread: the second step that it is to do next, if it is in the middle of something.
    next: Vec<Option<Op>>,
}

/// One kind of world: its objects, and the operations that each thread may do at any time.
struct Case {
    name: &'static str,
    kinds: &'static [Kind],
    ops: fn() -> Vec<Op>,
}

fn on(object: u32, action: Action) -> Op {
    Op::on(action, ObjectId(object))
}

fn all_how(op: Op) -> [Op; 3] {
    [op, op.how(How::Try), op.how(How::Timed)]
}

fn rwlock_ops() -> Vec<Op> {
    use Action::*;
    let mut ops = Vec::new();
    for action in [Read, ReadRecursive, Write, Upgradable, Upgrade] {
        ops.extend(all_how(on(0, action)));
    }
    for action in [
        Unread,
        Unwrite,
        Unupgradable,
        Downgrade,
        DowngradeToUpgradable,
        DowngradeUpgradable,
        IsWritten,
        IsLocked,
    ] {
        ops.push(on(0, action));
    }
    ops
}

fn condvar_ops() -> Vec<Op> {
    use Action::*;
    let wait = on(0, Wait).with(1);
    vec![
        wait,
        wait.arg(1),
        on(0, NotifyOne),
        on(0, NotifyAll),
        on(1, Lock),
        on(1, Unlock),
    ]
}

fn semaphore_ops() -> Vec<Op> {
    use Action::*;
    let mut ops = vec![
        on(0, Release).arg(1),
        on(0, Permits),
        on(0, Withdraw).with(7),
        on(0, Acquire).arg(1).with(7),
    ];
    for permits in [1, 2] {
        ops.extend(all_how(on(0, Acquire).arg(permits)));
    }
    ops
}

fn channel_ops() -> Vec<Op> {
    use Action::*;
    let mut ops = Vec::new();
    for object in [0, 1] {
        for action in [Send, Recv] {
            ops.extend(all_how(on(object, action)));
        }
        ops.push(on(object, Len));
    }
    ops.push(on(0, CloseSend));
    ops.push(on(1, CloseRecv));
    // The lists are made in `start`.
    for list in [0, 1] {
        let select = Op::plain(Select, 0).with(list);
        ops.extend(all_how(select));
    }
    ops
}

fn count_ops() -> Vec<Op> {
    use Action::*;
    vec![
        on(0, Add).arg(1),
        on(0, Add).arg(-1_i32 as u32),
        on(0, WaitZero),
        on(1, Arrive),
        on(2, Begin),
        on(2, Complete),
        on(2, Abandon),
        on(2, IsComplete),
        on(3, Open),
        on(3, Pass),
    ]
}

fn notify_ops() -> Vec<Op> {
    use Action::*;
    let enlist = on(0, Enlist);
    vec![
        enlist,
        enlist.how(How::Try),
        on(0, Signal),
        on(0, SignalAll),
        on(0, Withdraw),
        Op::plain(Park, 0),
        Op::plain(Park, 0).how(How::Timed),
        Op::of_thread(Unpark, ThreadId(1)),
        Op::of_thread(Unpark, ThreadId(2)),
        Op::of_thread(Join, ThreadId(2)),
        Op::of_thread(IsFinished, ThreadId(2)),
    ]
}

fn lock_ops() -> Vec<Op> {
    use Action::*;
    let mut ops = vec![on(0, Unlock), on(0, IsLocked), on(1, Load), on(1, Store)];
    ops.extend(all_how(on(0, Lock)));
    ops
}

const CASES: &[Case] = &[
    Case {
        name: "lock",
        kinds: &[Kind::RawLock, Kind::Atomic],
        ops: lock_ops,
    },
    Case {
        name: "rwlock, writers first",
        kinds: &[Kind::RwLock(Preference::Writer)],
        ops: rwlock_ops,
    },
    Case {
        name: "rwlock, fifo",
        kinds: &[Kind::RwLock(Preference::Fifo)],
        ops: rwlock_ops,
    },
    Case {
        name: "rwlock, readers first",
        kinds: &[Kind::RwLock(Preference::Reader)],
        ops: rwlock_ops,
    },
    Case {
        name: "condvar",
        kinds: &[
            Kind::Condvar {
                spurious: false,
                fifo: false,
            },
            Kind::RawLock,
        ],
        ops: condvar_ops,
    },
    Case {
        name: "condvar, fifo and spurious",
        kinds: &[
            Kind::Condvar {
                spurious: true,
                fifo: true,
            },
            Kind::RawLock,
        ],
        ops: condvar_ops,
    },
    Case {
        name: "semaphore",
        kinds: &[Kind::Semaphore {
            permits: 2,
            fifo: false,
            max: u32::MAX,
        }],
        ops: semaphore_ops,
    },
    Case {
        name: "semaphore, fifo",
        kinds: &[Kind::Semaphore {
            permits: 1,
            fifo: true,
            max: u32::MAX,
        }],
        ops: semaphore_ops,
    },
    Case {
        name: "semaphore, with a maximum",
        kinds: &[Kind::Semaphore {
            permits: 1,
            fifo: true,
            max: 2,
        }],
        ops: semaphore_ops,
    },
    Case {
        name: "channels: a rendezvous and a buffer",
        kinds: &[
            Kind::Channel {
                capacity: Some(0),
                cluster: 0,
            },
            Kind::Channel {
                capacity: Some(1),
                cluster: 0,
            },
        ],
        ops: channel_ops,
    },
    Case {
        name: "channels: two rendezvous",
        kinds: &[
            Kind::Channel {
                capacity: Some(0),
                cluster: 3,
            },
            Kind::Channel {
                capacity: Some(0),
                cluster: 3,
            },
        ],
        ops: channel_ops,
    },
    Case {
        name: "channels: without a bound and with one",
        kinds: &[
            Kind::Channel {
                capacity: None,
                cluster: 0,
            },
            Kind::Channel {
                capacity: Some(2),
                cluster: 0,
            },
        ],
        ops: channel_ops,
    },
    Case {
        name: "counts, once and gate",
        kinds: &[
            Kind::WaitGroup {
                count: 1,
                exact: true,
            },
            Kind::Barrier { parties: 2 },
            Kind::Once { done: false },
            Kind::Gate,
        ],
        ops: count_ops,
    },
    Case {
        name: "notify and park",
        kinds: &[Kind::Notify],
        ops: notify_ops,
    },
];

const THREADS: [ThreadId; 3] = [ThreadId(1), ThreadId(2), ThreadId(3)];

/// States that are looked at of each kind of world.
const STATES_MAX: usize = 1_500;

fn start(case: &Case) -> World {
    let mut world = world(case.kinds);
    for thread in THREADS {
        world.add_thread(thread);
    }
    if matches!(case.kinds[0], Kind::Channel { .. }) {
        let (a, b) = (ObjectId(0), ObjectId(1));
        world.arms(vec![(a, Action::Recv), (b, Action::Send)]);
        world.arms(vec![(b, Action::Recv), (a, Action::Recv)]);
    }
    world
}

fn hash(world: &World) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    world.hash_state(&mut hasher);
    hasher.finish()
}

/// What the thread has to do after this.
fn second_step(op: Op, effect: Effect) -> Option<Op> {
    match (op.action, effect) {
        (Action::Acquire, _) if op.with != Op::NOTHING => None,
        (Action::Wait, Effect::Chose(case)) => Some(Op {
            action: Action::Wake,
            ..op.arg(case)
        }),
        (_, Effect::Queued) => Some(Op {
            action: Action::Queued,
            arg: op.action.joining(),
            ..op
        }),
        _ => None,
    }
}

/// Whether a program could do the operation there: one waits with the lock held, upgrades what it
/// holds for that, and opens or completes what it began.
fn is_legal(world: &World, op: Op, by: ThreadId) -> bool {
    match op.action {
        Action::Wait => world.holder(op.other()) == Some(by),
        Action::Upgrade => {
            world.awaited(on(0, Action::Upgradable), ThreadId(0)).all & (1 << by.0) != 0
        }
        Action::Complete | Action::Abandon => {
            world.awaited(on(2, Action::Begin), ThreadId(0)).all == 1 << by.0
        }
        Action::Join | Action::IsFinished => op.thread() != by,
        _ => true,
    }
}

/// All states that can be reached, up to a number; each with what every thread could do next.
fn states(case: &Case) -> Vec<(World, Vec<Vec<Op>>)> {
    let ops = (case.ops)();
    let idle = Situation {
        next: vec![None; THREADS.len()],
    };
    let mut seen = std::collections::HashSet::new();
    let mut queue = std::collections::VecDeque::from([(start(case), idle)]);
    let mut states = Vec::new();
    while let Some((world, situation)) = queue.pop_front() {
        if !seen.insert((hash(&world), situation.clone())) {
            continue;
        }
        let choices = |at: usize| match situation.next[at] {
            Some(op) => vec![op],
            None => {
                let legal = |op: &&Op| is_legal(&world, **op, THREADS[at]);
                ops.iter().filter(legal).copied().collect::<Vec<_>>()
            }
        };
        let choices: Vec<Vec<Op>> = (0..THREADS.len()).map(choices).collect();
        for (at, &thread) in THREADS.iter().enumerate() {
            for &op in &choices[at] {
                if seen.len() + queue.len() > STATES_MAX || !world.enabled(op, thread) {
                    continue;
                }
                for chosen in world.cases(op, thread) {
                    let mut next = world.clone();
                    let effect = next.apply(op, thread, chosen);
                    let mut situation = situation.clone();
                    situation.next[at] = second_step(op, effect);
                    queue.push_back((next, situation));
                }
            }
        }
        states.push((world, choices));
    }
    states
}

/// What two independent operations must do: neither enables nor disables the other, nor changes
/// what comes of it, and both orders lead to the same state.
#[test]
fn what_is_independent_commutes() {
    for case in CASES {
        let states = states(case);
        let mut commuting = 0;
        for (world, choices) in &states {
            for (one, &p) in THREADS.iter().enumerate() {
                for (other, &q) in THREADS
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != one)
                {
                    for &a in &choices[one] {
                        for &b in &choices[other] {
                            commuting += commute(case.name, world, (a, p), (b, q));
                        }
                    }
                }
            }
        }
        assert!(
            states.len() > 3 && commuting > 10,
            "{}: too little was compared",
            case.name
        );
    }
}

/// The same for handles, which are not given back by who has none.
#[test]
fn what_is_independent_commutes_of_handles() {
    use Action::*;
    let mut commuting = 0;
    let counts = |counts: usize| (0..counts).flat_map(move |a| (0..counts).map(move |b| (a, b)));
    for ((mine, its), (third, weak)) in counts(3).flat_map(|two| counts(3).map(move |b| (two, b))) {
        let held = [mine, its, third];
        let count = held.iter().sum::<usize>() as u32;
        let weak = weak as u32;
        let world = world(&[Kind::Arc { count }, Kind::Weak { count: weak }]);
        let ops = |held: usize| {
            let mut ops = vec![on(0, Revive), on(0, Count), on(1, Count)];
            if held > 0 {
                ops.extend([
                    on(0, Clone),
                    on(0, Drop),
                    on(0, Count).with(1),
                    on(1, Clone),
                ]);
                ops.extend([on(0, Unwrap), on(0, Unwrap).with(1)]);
            }
            if weak > 2 {
                ops.push(on(1, Drop));
            }
            ops
        };
        for (a, b) in ops(mine)
            .into_iter()
            .flat_map(|a| ops(its).into_iter().map(move |b| (a, b)))
        {
            commuting += commute("handles", &world, (a, A), (b, B));
        }
    }
    assert!(commuting > 500, "too little was compared: {commuting}");
}

/// Compares both orders, if the operations are independent; how many comparisons were made.
fn commute(name: &str, world: &World, (a, p): (Op, ThreadId), (b, q): (Op, ThreadId)) -> usize {
    let (mine, its) = (world.footprint(a, p), world.footprint(b, q));
    let place = || format!("{name}: {a:?} by {p:?} and {b:?} by {q:?} in {world:#?}");
    if !world.enabled(a, p) {
        return 0;
    }
    for chosen in world.cases(a, p) {
        let mut after_a = world.clone();
        let effect = after_a.apply(a, p, chosen);
        let (before, after) = (world.enabled(b, q), after_a.enabled(b, q));
        if mine.wakes(&its) {
            // Whatever disables what waits must say so.
            let says_so = mine.disables && its.waits;
            assert!(
                !before || after || says_so,
                "disables without saying: {}",
                place()
            );
            continue;
        }
        assert_eq!(before, after, "enables or disables: {}", place());
        // How many drops will come before the last one is nobody's business but the drops'.
        let cells = |world: &World| {
            let footprint = world.footprint(b, q);
            let cells = footprint.cells().iter();
            let cells = cells.map(|&(cell, mode)| match mode {
                Mode::LastButOne => (cell, Mode::Drop),
                mode => (cell, mode),
            });
            cells.collect::<Vec<_>>()
        };
        assert_eq!(
            cells(world),
            cells(&after_a),
            "changes the footprint: {}",
            place()
        );
        if !before {
            continue;
        }
        assert_eq!(
            world.cases(b, q),
            after_a.cases(b, q),
            "changes the cases: {}",
            place()
        );
        for its_case in world.cases(b, q) {
            let mut ab = after_a.clone();
            let its_effect = ab.apply(b, q, its_case);
            let mut ba = world.clone();
            let its_effect_first = ba.apply(b, q, its_case);
            assert!(ba.enabled(a, p), "disabled by the other: {}", place());
            assert_eq!(its_effect, its_effect_first, "another effect: {}", place());
            assert_eq!(
                ba.apply(a, p, chosen),
                effect,
                "another effect: {}",
                place()
            );
            assert_eq!(hash(&ab), hash(&ba), "another state: {}", place());
        }
    }
    1
}
