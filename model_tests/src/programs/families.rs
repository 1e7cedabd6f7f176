//! Programs whose numbers of Mazurkiewicz traces are published, or follow from a closed form.
//!
//! Knows their definitions, written anew from what the literature says of them: POPL'14 (Abdulla,
//! Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction"), CAV'18 (Nguyen,
//! Rodríguez, Sousa, Coti, Petrucci, "Quasi-Optimal Partial Order Reduction"), and the regression
//! suites of Nidhugg, GenMC and SimGrid. Does not know the numbers: the tables of the tests do.

use super::language::{Arith, Expr, Program, Stmt, local};
use Stmt::{FetchAdd, If, Let, Load, Lock, Set, Store, TryLock, Unlock, While};

/// `lock` held around `body`.
fn with(lock: impl Into<Expr>, body: Vec<Stmt>) -> Vec<Stmt> {
    let lock = lock.into();
    let mut section = vec![Lock(lock.clone())];
    section.extend(body);
    section.push(Unlock(lock));
    section
}

/// `body` so many times in a row.
fn repeat(times: usize, body: &[Stmt]) -> Vec<Stmt> {
    body.iter()
        .cloned()
        .cycle()
        .take(times * body.len())
        .collect()
}

fn locks_only(locks: usize, bodies: Vec<Vec<Stmt>>) -> Program {
    Program::parallel(locks, Vec::new(), bodies)
}

/// Each thread takes one lock that all share, `rounds` times.
pub fn one_lock(threads: usize, rounds: usize) -> Program {
    locks_only(1, vec![repeat(rounds, &with(0_usize, vec![])); threads])
}

/// Each thread takes a lock of its own, `rounds` times.
pub fn own_locks(threads: usize, rounds: usize) -> Program {
    locks_only(
        threads,
        (0..threads)
            .map(|own| repeat(rounds, &with(own, vec![])))
            .collect(),
    )
}

/// Two threads, two locks, two orders.
pub fn ab_ba() -> Program {
    locks_only(
        2,
        vec![
            with(0_usize, with(1_usize, vec![])),
            with(1_usize, with(0_usize, vec![])),
        ],
    )
}

/// Every thread takes the first lock, then the second (GenMC's `lock2inc`).
pub fn two_nested(threads: usize) -> Program {
    locks_only(2, vec![with(0_usize, with(1_usize, vec![])); threads])
}

/// GenMC's `lock-inplace3`: every thread takes again what it holds.
pub fn lock_inplace3() -> Program {
    let takes = |locks: [usize; 4]| locks.into_iter().map(|lock| Lock(lock.into())).collect();
    locks_only(
        3,
        vec![
            takes([2, 0, 0, 2]),
            takes([1, 2, 2, 1]),
            takes([1, 0, 0, 1]),
        ],
    )
}

/// How the philosophers pick up their forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// Left, then right: they can starve.
    Naive,
    /// The last one right, then left.
    Ordered,
    /// Left, then try right and give up.
    Try,
    /// A host lets one at a time pick up both forks.
    Host,
}

/// Dining philosophers who eat `rounds` times each.
pub fn philosophers(manners: Manners, seats: usize, rounds: usize) -> Program {
    let bodies = (0..seats).map(|seat| {
        let (left, right) = (seat, (seat + 1) % seats);
        let (first, second) = match manners {
            Manners::Ordered if seat + 1 == seats => (right, left),
            _ => (left, right),
        };
        let meal = match manners {
            Manners::Naive | Manners::Ordered => with(first, with(second, vec![])),
            Manners::Try => with(first, try_section(second)),
            Manners::Host => {
                let mut meal = with(seats, vec![Lock(left.into()), Lock(right.into())]);
                meal.extend([Unlock(left.into()), Unlock(right.into())]);
                meal
            }
        };
        repeat(rounds, &meal)
    });
    let bodies = bodies.collect();
    locks_only(seats + 1, bodies)
}

/// Takes the lock if it is free, and gives it back if it was.
fn try_section(lock: usize) -> Vec<Stmt> {
    vec![
        TryLock(lock.into(), 0),
        If(local(0), vec![Unlock(lock.into())], vec![]),
    ]
}

/// Threads that try one lock and give it back if they got it.
pub fn try_and_unlock(threads: usize) -> Program {
    locks_only(1, vec![try_section(0); threads])
}

/// Threads that try one lock and keep it if they got it.
pub fn try_and_keep(threads: usize) -> Program {
    locks_only(1, vec![vec![TryLock(0_usize.into(), 0)]; threads])
}

/// One thread that waits for the lock beside others that try it.
pub fn lock_against_tries(tries: usize) -> Program {
    let mut bodies = vec![try_section(0); tries];
    bodies.push(with(0_usize, vec![]));
    locks_only(1, bodies)
}

/// Threads that take one lock; those in `keepers` never give it back (Nidhugg's `mutex_deadlock`).
pub fn lock_and_keep(threads: usize, keepers: std::ops::Range<usize>) -> Program {
    let body = |thread| match keepers.contains(&thread) {
        true => vec![Lock(0_usize.into())],
        false => with(0_usize, vec![]),
    };
    locks_only(1, (0..threads).map(body).collect())
}

/// Nidhugg's `mutex_hard`: thread n gives the lock back only if it is the n-th to take it.
pub fn lock_hard(threads: usize) -> Program {
    let body = |thread: usize| {
        let in_turn = local(0).then(Arith::Eq, thread);
        vec![
            Lock(0_usize.into()),
            FetchAdd(0_usize.into(), 1_i64.into(), 0),
            If(in_turn, vec![Unlock(0_usize.into())], vec![]),
        ]
    };
    Program::parallel(1, vec![0], (0..threads).map(body).collect())
}

/// POPL'14's `readers`: one writer, `readers` readers of one variable.
pub fn readers(readers: usize) -> Program {
    let mut bodies = vec![vec![Store(0_usize.into(), 42_i64.into())]];
    bodies.resize(readers + 1, vec![Load(0_usize.into(), 0)]);
    Program::parallel(0, vec![0], bodies)
}

/// POPL'14's `lastzero`: writer j sets word j to one more than word j − 1, while a reader looks for
/// the last word that is zero.
pub fn last_zero(writers: usize) -> Program {
    const AT: usize = 0;
    const SEEN: usize = 1;
    let mut bodies = vec![vec![
        Let(AT, writers.into()),
        Load(local(AT), SEEN),
        While(
            local(SEEN),
            vec![
                Let(AT, local(AT).then(Arith::Add, -1_i64)),
                Load(local(AT), SEEN),
            ],
        ),
    ]];
    bodies.extend((1..=writers).map(|writer| {
        vec![
            Load((writer - 1).into(), 0),
            Store(writer.into(), local(0).then(Arith::Add, 1_i64)),
        ]
    }));
    Program::parallel(0, vec![0; writers + 1], bodies)
}

/// Threads that each overwrite one variable (TACAS'18's `lastwrite`).
pub fn last_write(writers: usize) -> Program {
    let body = |writer: usize| vec![Store(0_usize.into(), (writer + 1).into())];
    Program::parallel(0, vec![0], (0..writers).map(body).collect())
}

/// POPL'14's `indexer`: threads put four messages each into a hash table of 128 slots; each slot
/// has a lock, and the next slot is tried when one is taken.
pub fn indexer(threads: usize) -> Program {
    const SLOTS: usize = 128;
    const MESSAGES: usize = 4;
    const SLOT: usize = 0;
    const PLACED: usize = 1;
    const SEEN: usize = 2;
    let body = |thread: usize| {
        let mut body = Vec::new();
        for message in 1..=MESSAGES {
            let word = message * 11 + thread;
            let free = local(SEEN).then(Arith::Eq, 0_i64);
            let put = vec![Store(local(SLOT), word.into()), Let(PLACED, 1_i64.into())];
            let next = local(SLOT).then(Arith::Add, 1_i64).then(Arith::Rem, SLOTS);
            // The lock is given back before the slot is moved on.
            let mut probe = with(
                local(SLOT),
                vec![Load(local(SLOT), SEEN), If(free, put, vec![])],
            );
            probe.push(If(local(PLACED), vec![], vec![Let(SLOT, next)]));
            body.extend([
                Let(SLOT, (word * 7 % SLOTS).into()),
                Let(PLACED, 0_i64.into()),
            ]);
            body.push(While(local(PLACED).then(Arith::Eq, 0_i64), probe));
        }
        body
    };
    Program::parallel(SLOTS, vec![0; SLOTS], (0..threads).map(body).collect())
}

/// POPL'14's `filesystem`: a thread takes the lock of its inode and looks for a free block, whose
/// lock it takes while it looks. 32 inodes, 26 blocks.
pub fn filesystem(threads: usize) -> Program {
    const INODES: usize = 32;
    const BLOCKS: usize = 26;
    const LOOKS_MAX: i64 = 10;
    const BLOCK: usize = 0;
    const LOOKS: usize = 1;
    const SEEN: usize = 2;
    let body = |thread: usize| {
        let inode = thread % INODES;
        let block = || local(BLOCK).then(Arith::Add, INODES);
        let found = vec![
            Store(block(), 1_i64.into()),
            Store(inode.into(), local(BLOCK).then(Arith::Add, 1_i64)),
            Let(LOOKS, LOOKS_MAX.into()),
        ];
        let is_free = local(SEEN).then(Arith::Eq, 0_i64);
        let mut look = with(
            block(),
            vec![Load(block(), SEEN), If(is_free, found, vec![])],
        );
        let next = local(BLOCK)
            .then(Arith::Add, 1_i64)
            .then(Arith::Rem, BLOCKS);
        look.extend([
            Let(BLOCK, next),
            Let(LOOKS, local(LOOKS).then(Arith::Add, 1_i64)),
        ]);
        let search = vec![
            Let(BLOCK, (inode * 2 % BLOCKS).into()),
            Let(LOOKS, 0_i64.into()),
            While(local(LOOKS).then(Arith::Less, LOOKS_MAX), look),
        ];
        let unused = local(SEEN).then(Arith::Eq, 0_i64);
        with(
            inode,
            vec![Load(inode.into(), SEEN), If(unused, search, vec![])],
        )
    };
    let objects = INODES + BLOCKS;
    Program::parallel(objects, vec![0; objects], (0..threads).map(body).collect())
}

/// CAV'18's `mpat`: `pairs` threads take a lock each; as many others take it inside a common lock.
pub fn mpat(pairs: usize) -> Program {
    let mut bodies = Vec::new();
    for own in 0..pairs {
        bodies.push(with(own, vec![]));
        bodies.push(with(pairs, with(own, vec![])));
    }
    locks_only(pairs + 1, bodies)
}

/// CAV'18's `multiprodcon`: producers build a number together, each then gives work to the worker
/// that its last intermediate result names; a worker looks twice.
pub fn multi_producers(producers: usize, workers: usize) -> Program {
    const DIGITS: usize = 2;
    const TASKS: usize = 2;
    const SEEN: usize = 0;
    let number_lock = workers;
    let number = Expr::plain(workers);
    let mut bodies = Vec::new();
    for worker in 0..workers {
        let requests = Expr::plain(worker);
        let fewer = Set(worker.into(), requests.clone().then(Arith::Add, -1_i64));
        bodies.push(repeat(
            TASKS,
            &with(worker, vec![If(requests, vec![fewer], vec![])]),
        ));
    }
    for producer in 0..producers {
        let longer = number
            .clone()
            .then(Arith::Mul, producers)
            .then(Arith::Add, producer);
        let digit = vec![Set(workers.into(), longer), Let(SEEN, number.clone())];
        let mut body = repeat(DIGITS, &with(number_lock, digit));
        let target = local(SEEN).then(Arith::Rem, workers);
        let more = Expr::plain(target.clone()).then(Arith::Add, 1_i64);
        body.extend(with(target.clone(), vec![Set(target, more)]));
        bodies.push(body);
    }
    locks_only(workers + 1, bodies).with_plain(workers + 1)
}

/// CAV'18's `poke`: workers say that they are done; a chooser runs a counter up while a poker reads
/// it and looks at the worker that it names, `rounds` times one after the other.
pub fn poke(workers: usize, rounds: usize) -> Program {
    const CHOSEN: usize = 0;
    let counter_lock = workers;
    let mut threads = vec![Vec::new()];
    for worker in 0..workers {
        threads.push(with(worker, vec![Set(worker.into(), 1_i64.into())]));
    }
    let mut main: Vec<_> = (1..=workers).map(Stmt::Spawn).collect();
    for _ in 0..rounds {
        let count = |to: usize| with(counter_lock, vec![Set(workers.into(), to.into())]);
        let mut poker = with(counter_lock, vec![Let(CHOSEN, Expr::plain(workers))]);
        poker.extend(with(local(CHOSEN), vec![Set(local(CHOSEN), 0_i64.into())]));
        let (chooser_id, poker_id) = (threads.len(), threads.len() + 1);
        threads.push((1..workers).flat_map(count).collect());
        threads.push(poker);
        main.extend([chooser_id, poker_id].map(Stmt::Spawn));
        main.extend([chooser_id, poker_id].map(Stmt::Join));
    }
    main.extend((1..=workers).map(Stmt::Join));
    threads[0] = main;
    Program {
        locks: workers + 1,
        raw: false,
        atomics: vec![],
        plain: vec![0; workers + 1],
        threads,
    }
}

/// CAV'18's `dispatcher`: for each request a thread runs a counter up while the main thread reads
/// it and sends the request to the server that it names; a server looks once.
pub fn dispatch(servers: usize, requests: usize) -> Program {
    const CHOSEN: usize = 0;
    let counter_lock = servers;
    let mut threads = vec![Vec::new()];
    threads.resize(servers + 1, Vec::new());
    for server in 0..servers {
        threads[server + 1] = with(server, vec![]);
    }
    let mut main: Vec<_> = (1..=servers).map(Stmt::Spawn).collect();
    for _ in 0..requests {
        let count = |to: usize| with(counter_lock, vec![Set(servers.into(), to.into())]);
        let picker = threads.len();
        threads.push((0..servers).flat_map(count).collect());
        main.push(Stmt::Spawn(picker));
        main.extend(with(counter_lock, vec![Let(CHOSEN, Expr::plain(servers))]));
        let more = Expr::plain(local(CHOSEN)).then(Arith::Add, 1_i64);
        main.extend(with(local(CHOSEN), vec![Set(local(CHOSEN), more)]));
        main.push(Stmt::Join(picker));
    }
    main.extend((1..=servers).map(Stmt::Join));
    threads[0] = main;
    Program {
        locks: servers + 1,
        raw: false,
        atomics: vec![],
        plain: vec![0; servers + 1],
        threads,
    }
}

/// The autotrader in small: `ticks` passes of its loop beside `resets` and `resumes`, each in a row,
/// all on one lock. A pass looks, ends if the cycle is active, takes a token, and activates the
/// cycle if the token is still good: four sections.
pub fn tick_reset_resume(ticks: usize, resets: usize, resumes: usize) -> Program {
    const ACTIVE: usize = 0;
    const EPOCH: usize = 1;
    const PAUSED: usize = 2;
    const SEEN: usize = 0;
    const TOKEN: usize = 1;
    let section = |body| with(0_usize, body);
    let set = |word: usize, value: i64| Set(word.into(), value.into());
    let is_current = Expr::plain(EPOCH).then(Arith::Eq, local(TOKEN));
    let mut activation = section(vec![Let(TOKEN, Expr::plain(EPOCH))]);
    activation.extend(section(vec![If(is_current, vec![set(ACTIVE, 1)], vec![])]));
    let mut pass = section(vec![Let(SEEN, Expr::plain(PAUSED))]);
    pass.extend(section(vec![Let(SEEN, Expr::plain(ACTIVE))]));
    pass.push(If(local(SEEN), vec![], activation));
    let next_epoch = Set(EPOCH.into(), Expr::plain(EPOCH).then(Arith::Add, 1_i64));
    let reset = section(vec![next_epoch, set(ACTIVE, 0), set(PAUSED, 1)]);
    let resume = section(vec![set(PAUSED, 0)]);
    let bodies = [(ticks, pass), (resets, reset), (resumes, resume)];
    let bodies = bodies.map(|(times, body)| repeat(times, &body));
    locks_only(1, bodies.to_vec()).with_plain(3)
}
