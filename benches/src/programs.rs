//! The programs, each written once for all engines.
//!
//! Knows what they do. Does not know who runs them. The first columns of the table are the numbers
//! of Mazurkiewicz traces that a search without waste takes.

use crate::engines::Engine;

/// A program, and how many executions it takes without waste.
pub(crate) struct Program<E> {
    pub(crate) name: &'static str,
    pub(crate) traces: u64,
    pub(crate) model: fn(),
    engine: std::marker::PhantomData<E>,
}

/// All programs for one engine.
pub(crate) fn all<E: Engine>() -> Vec<Program<E>> {
    let program = |name, traces, model| Program {
        name,
        traces,
        model,
        engine: std::marker::PhantomData::<E>,
    };
    vec![
        program("one lock, 3 threads × 1", 6, one_lock::<E, 3, 1>),
        program("one lock, 3 threads × 2", 90, one_lock::<E, 3, 2>),
        program("one lock, 4 threads × 1", 24, one_lock::<E, 4, 1>),
        program("one lock, 4 threads × 2", 2_520, one_lock::<E, 4, 2>),
        program("own locks, 3 threads × 2", 1, own_locks::<E, 3, 2>),
        program("AB-BA", 3, philosophers::<E, 2, false>),
        program("philosophers, cyclic, 3", 7, philosophers::<E, 3, false>),
        program("philosophers, cyclic, 4", 15, philosophers::<E, 4, false>),
        program("philosophers, ordered, 3", 6, philosophers::<E, 3, true>),
        program(
            "tick (4 sections) + reset + resume",
            30,
            tick_reset_resume::<E, 0>,
        ),
        program(
            "tick (5 sections) + reset + resume",
            42,
            tick_reset_resume::<E, 1>,
        ),
    ]
}

fn join_all<E: Engine>(threads: impl Iterator<Item = E::Handle>) {
    // All are started before the first is waited for.
    for thread in threads.collect::<Vec<_>>() {
        E::join(thread);
    }
}

fn one_lock<E: Engine, const THREADS: usize, const ROUNDS: usize>() {
    let lock = E::share(E::lock(0));
    join_all::<E>((0..THREADS).map(|_| {
        let lock = lock.clone();
        E::spawn(move || {
            for _ in 0..ROUNDS {
                E::with(&lock, |count| *count += 1);
            }
        })
    }));
}

fn own_locks<E: Engine, const THREADS: usize, const ROUNDS: usize>() {
    join_all::<E>((0..THREADS).map(|_| {
        let lock = E::lock(0);
        E::spawn(move || {
            for _ in 0..ROUNDS {
                E::with(&lock, |count| *count += 1);
            }
        })
    }));
}

/// Dining philosophers. Two of them are AB-BA. When they are ordered the last one takes the right
/// fork first.
fn philosophers<E: Engine, const SEATS: usize, const ORDERED: bool>() {
    let forks = E::share((0..SEATS).map(|_| E::lock(0)).collect::<Vec<_>>());
    join_all::<E>((0..SEATS).map(|seat| {
        let forks = forks.clone();
        let (mut first, mut second) = (seat, (seat + 1) % SEATS);
        if ORDERED && first > second {
            std::mem::swap(&mut first, &mut second);
        }
        E::spawn(move || {
            E::with(&forks[first], |left| {
                E::with(&forks[second], |right| *right += 1);
                *left += 1;
            });
        })
    }));
}

/// What the lock of one currency protects.
#[derive(Default)]
struct Cycle {
    active: bool,
    paused: bool,
    epoch: u64,
    price: u64,
}

/// The autotrader in small: one pass of its loop beside a reset and a resume, all on one lock.
fn tick_reset_resume<E: Engine, const SECTIONS_MORE: usize>() {
    let lock = E::share(E::lock(Cycle::default()));
    let shared = [lock.clone(), lock.clone(), lock];
    let [ticking, resetting, resuming] = shared;
    let threads = [
        E::spawn(move || tick::<E>(&ticking, SECTIONS_MORE)),
        E::spawn(move || {
            E::with(&resetting, |cycle| {
                cycle.epoch += 1;
                cycle.active = false;
                cycle.paused = true;
            });
        }),
        E::spawn(move || E::with(&resuming, |cycle| cycle.paused = false)),
    ];
    join_all::<E>(threads.into_iter());
}

/// A buy: look, check, take a token, and activate if the token is still good.
fn tick<E: Engine>(lock: &E::Lock<Cycle>, sections_more: usize) {
    let price = E::with(lock, |cycle| if cycle.paused { cycle.price } else { 100 });
    for _ in 0..sections_more {
        E::with(lock, |cycle| cycle.price = price);
    }
    if E::with(lock, |cycle| cycle.active) {
        return;
    }
    let token = E::with(lock, |cycle| cycle.epoch);
    E::with(lock, |cycle| {
        if cycle.epoch == token {
            cycle.active = true;
        }
    });
}
