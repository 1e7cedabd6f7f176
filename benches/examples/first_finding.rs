//! How many executions each random strategy needs to its first finding, on models with a rare one.
//!
//! `cargo run --release -p gordian-benches --example first_finding [SEEDS]`: for each model and
//! strategy the median over so many seeds (11 unless given), and how many of them found it at all.
#![expect(clippy::print_stdout, reason = "the numbers are what this is for")]

use std::sync::Arc;

use gordian::sync::{Condvar, Mutex};
use gordian::thread::Builder;
use gordian::{Checker, Strategy};

/// Executions after which a strategy has not found it.
const EXECUTIONS_MAX: u64 = 20_000;

const STRATEGIES: [Strategy; 7] = [
    Strategy::Random,
    Strategy::Pct,
    Strategy::Surw,
    Strategy::Pos,
    Strategy::HoldAndWait,
    Strategy::Portfolio,
    Strategy::Fuzz,
];

fn spawn(name: String, body: impl FnOnce() + Send + 'static) {
    Builder::new().name(name).spawn(body).expect("it starts");
}

/// A cycle that needs all of them at once; each takes other locks before.
fn philosophers<const COUNT: usize>() {
    let forks: Vec<_> = (0..COUNT).map(|_| Arc::new(Mutex::new(0))).collect();
    let noise = Arc::new(Mutex::new(0));
    for at in 0..COUNT {
        let (left, right) = (Arc::clone(&forks[at]), Arc::clone(&forks[(at + 1) % COUNT]));
        let noise = Arc::clone(&noise);
        spawn(format!("p{at}"), move || {
            *noise.lock() += 1;
            let _left = left.lock();
            let _right = right.lock();
        });
    }
}

/// Six tellers with three transfers each; two of the eighteen are in opposite orders.
fn tellers() {
    let accounts: Vec<_> = (0..6).map(|_| Arc::new(Mutex::new(0))).collect();
    for teller in 0..6 {
        let accounts = accounts.clone();
        spawn(format!("teller-{teller}"), move || {
            for round in 0..3 {
                let (from, to) = match (teller, round) {
                    (5, 2) => (5, 0),
                    (0, 1) => (0, 5),
                    _ => (teller.min(4), 5.min(teller + round + 1)),
                };
                let _from = accounts[from].lock();
                if from != to {
                    *accounts[to].lock() += 1;
                }
            }
        });
    }
}

/// Whoever finds the flag down waits without asking again: the only signal may have come by then.
fn lost_signal() {
    let state = Arc::new((Mutex::new(false), Condvar::new()));
    for at in 0..5 {
        let state = Arc::clone(&state);
        spawn(format!("busy-{at}"), move || drop(state.0.lock()));
    }
    let waiter = Arc::clone(&state);
    spawn("waiter".to_owned(), move || {
        let is_up = *waiter.0.lock();
        if !is_up {
            let mut flag = waiter.0.lock();
            waiter.1.wait(&mut flag);
        }
    });
    *state.0.lock() = true;
    state.1.notify_one();
}

/// Six choices, each of one out of four, and all of them have to be right.
fn choices() {
    let lock = Mutex::new(0);
    macro_rules! right {
        ($($case:literal)*) => {
            $(if gordian::choose(4) != $case {
                return;
            }
            *lock.lock() += 1;)*
        };
    }
    right!(2 0 3 1 1 2);
    panic!("all of them were right");
}

/// Two threads that have to take turns eight times, each time just so.
fn turns() {
    let step = Arc::new(Mutex::new(0));
    for at in 0..2 {
        let step = Arc::clone(&step);
        spawn(format!("t{at}"), move || {
            macro_rules! stage {
                ($($number:literal)*) => {
                    $({
                        let mut step = step.lock();
                        if *step == 2 * $number + at {
                            *step += 1;
                        }
                        assert!(*step < 8, "all eight were done in turn");
                    })*
                };
            }
            stage!(0 1 2 3);
        });
    }
}

fn first_finding(strategy: Strategy, seed: u64, model: fn()) -> Option<u64> {
    let checker = Checker::new().strategy(strategy).seed(seed).shrink(false);
    let checker = checker.executions_max(EXECUTIONS_MAX).errors_max(1);
    let report = checker.check(model);
    report.findings.first().map(|finding| finding.execution)
}

fn main() {
    let seeds = std::env::args().nth(1);
    let seeds: u64 = seeds.map_or(11, |text| text.parse().expect("a number of seeds"));
    let models: [(&str, fn()); 7] = [
        ("4 philosophers", philosophers::<4>),
        ("7 philosophers", philosophers::<7>),
        ("10 philosophers", philosophers::<10>),
        ("6 tellers", tellers),
        ("lost signal", lost_signal),
        ("6 choices", choices),
        ("8 turns", turns),
    ];
    print!("{:18}", "");
    STRATEGIES
        .iter()
        .for_each(|strategy| print!("{strategy:>16}"));
    println!();
    for (name, model) in models {
        print!("{name:18}");
        for strategy in STRATEGIES {
            let mut needed: Vec<u64> = (1..=seeds)
                .filter_map(|seed| first_finding(strategy, seed, model))
                .collect();
            needed.sort_unstable();
            let found = needed.len() as u64;
            // The median over all seeds, if more than half of them found it.
            let median = needed.get(seeds as usize / 2);
            let median = median.map_or_else(|| "-".to_owned(), u64::to_string);
            print!("{:>16}", format!("{median} ({found}/{seeds})"));
        }
        println!();
    }
}
