//! The protocol core against a reference that is too simple to be wrong: random sequences of calls,
//! with the loop anywhere in between, and after each step the same answer and the same state.
//!
//! Calls come one after the other here; what they do at the same time is proved in `autotrader.rs`.
//! A sequence that fails is shrunk to the shortest; planted bugs show how short that is.

mod bench;
mod model;

use std::marker::PhantomData;
use std::sync::Arc;

use autotrader::{
    Autotrader, CallFailed, ClientOrderId, Coins, Currency, Exchange, Journal, Lease, Money,
    NotDurable, Order, OrderStatus, Protocol, Record, Refusal, Reply, Stats, Tick,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use bench::{Bench, Build, Line, Paper, settings};
use model::{Model, Outcome, Quote, Step};

/// Most steps of a sequence.
const STEPS_MAX: usize = 40;
/// Sequences of the protocol; a planted bug has to show in fewer.
const SEQUENCES: u32 = 1_000;

struct Reference;

impl ReferenceStateMachine for Reference {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::new()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Step> {
        let quote = prop_oneof![
            6 => select(vec![50, 80, 100, 130, 300]).prop_map(Quote::Price),
            1 => Just(Quote::NoPrice),
            1 => Just(Quote::NoBalance),
        ];
        let outcome = prop_oneof![
            3 => Just(Outcome::Filled),
            1 => Just(Outcome::Partly),
            1 => Just(Outcome::Rejected),
            2 => Just(Outcome::Lost),
            1 => Just(Outcome::Open),
        ];
        let mut steps = vec![
            (3, Just(Step::Start).boxed()),
            (1, Just(Step::Stop).boxed()),
            (2, Just(Step::Reset).boxed()),
            (3, Just(Step::Resume).boxed()),
            (1, Just(Step::Stats).boxed()),
            (1, Just(Step::Restart).boxed()),
        ];
        let of_the_loop = [
            (Step::Begin, Just(Step::Begin).boxed()),
            (
                Step::Submit(Quote::NoPrice),
                quote.prop_map(Step::Submit).boxed(),
            ),
            (
                Step::Finish(Outcome::Lost),
                outcome.prop_map(Step::Finish).boxed(),
            ),
        ];
        let possible = of_the_loop
            .into_iter()
            .filter(|(step, _)| model.allows(*step));
        steps.extend(possible.map(|(_, strategy)| (10, strategy)));
        proptest::strategy::Union::new_weighted(steps).boxed()
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        model.apply(*step);
        model
    }
}

/// A program to be tested.
trait Variant {
    const BUILD: Build;
}

struct Test<V>(PhantomData<V>);

impl<V: Variant> StateMachineTest for Test<V> {
    type SystemUnderTest = Bench;
    type Reference = Reference;

    fn init_test(_: &Model) -> Bench {
        Bench::new(V::BUILD, Vec::new())
    }

    fn apply(mut bench: Bench, after: &Model, step: Step) -> Bench {
        // What is in the account changes by fills only, and those are not answered by a balance.
        let answer = bench.apply(step, after.balance());
        assert_eq!(answer, after.answer, "the answer to {step:?}");
        assert_eq!(bench.stats(), after.stats(), "the state after {step:?}");
        bench
    }
}

/// The shortest sequence at which a variant differs from the reference, if there is one.
fn shortest<V: Variant>(seed: u8) -> Option<Vec<Step>> {
    let config = Config {
        cases: SEQUENCES,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let sequences = Reference::sequential_strategy(1..=STEPS_MAX);
    let result = runner.run(&sequences, |(model, steps, seen)| {
        Test::<V>::test_sequential(config.clone(), model, steps, seen);
        Ok(())
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(_, (_, steps, _))) => Some(without_idle_steps::<V>(steps)),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// Leaves out one step, or two, as long as the variant still differs. Proptest goes through the
/// steps once; which of them are idle may show only after a later one was changed.
fn without_idle_steps<V: Variant>(mut steps: Vec<Step>) -> Vec<Step> {
    let without = |steps: &[Step], one: usize, two: usize| -> Vec<Step> {
        let kept = (0..steps.len()).filter(|at| *at != one && *at != two);
        kept.map(|at| steps[at]).collect()
    };
    loop {
        let pairs = (0..steps.len()).flat_map(|two| (0..=two).map(move |one| (one, two)));
        let mut shorter = pairs.map(|(one, two)| without(&steps, one, two));
        match shorter.find(|shorter| differs::<V>(shorter)) {
            Some(shorter) => steps = shorter,
            None => return steps,
        }
    }
}

/// Whether the variant answers otherwise than the reference somewhere.
fn differs<V: Variant>(steps: &[Step]) -> bool {
    let (mut model, mut bench) = (Model::new(), Bench::new(V::BUILD, Vec::new()));
    steps.iter().any(|step| {
        model.apply(*step);
        let answer = bench.apply(*step, model.balance());
        answer != model.answer || bench.stats() != model.stats()
    })
}

/// The protocol core.
struct Core;

impl Variant for Core {
    const BUILD: Build =
        |line, paper, records| Arc::new(Autotrader::restored(line, paper, settings(), records));
}

#[test]
fn the_protocol_is_the_reference() {
    for seed in [1, 2] {
        let differs = shortest::<Core>(seed);
        assert_eq!(differs, None, "seed {seed}: panics are above");
    }
}

/// The sequences come everywhere: a comparison in which nothing happens shows nothing.
#[test]
fn sequences_come_everywhere() {
    type Reached = fn(&Stats) -> bool;
    let mut wanted: Vec<(&str, Reached)> = vec![
        ("a rebuy", |stats| stats.step == 1),
        ("a last rebuy", |stats| stats.step == 2),
        ("a partial fill", |stats| stats.volume % 2 == 1),
        ("a sale", |stats| stats.profit != 0),
        ("an unknown order", |stats| stats.unknown),
        ("an unknown order after a reset", |stats| {
            stats.unknown && stats.epoch.0 > 0
        }),
        ("a position given up", |stats| {
            stats.orphans.iter().any(|orphan| orphan.order.is_none())
        }),
        ("a purchase that came too late", |stats| {
            stats.orphans.iter().any(|orphan| orphan.order.is_some())
        }),
        ("a sale that came too late", |stats| {
            stats.orphans.iter().any(|orphan| orphan.volume < 0)
        }),
    ];
    let mut runner = TestRunner::deterministic();
    let sequences = Reference::sequential_strategy(1..=STEPS_MAX);
    for _ in 0..SEQUENCES {
        let tree = sequences.new_tree(&mut runner).expect("a sequence");
        let (mut model, steps, _) = tree.current();
        for step in steps {
            model.apply(step);
            wanted.retain(|(_, reached)| !reached(&model.stats()));
        }
    }
    let missing: Vec<&str> = wanted.iter().map(|(what, _)| *what).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// An exchange that takes no answer for a no.
struct TimeoutMeansNo(Arc<Line>);

impl Exchange for TimeoutMeansNo {
    fn price(&self, currency: Currency) -> Result<Money, CallFailed> {
        self.0.price(currency)
    }

    fn balance(&self, currency: Currency) -> Result<Coins, CallFailed> {
        self.0.balance(currency)
    }

    fn post(&self, order: &Order) {
        self.0.post(order);
    }

    fn reply(&self, id: ClientOrderId) -> Result<Reply, CallFailed> {
        Ok(self.0.reply(id).unwrap_or(Reply::Rejected))
    }

    fn query(&self, id: ClientOrderId) -> Result<OrderStatus, CallFailed> {
        self.0.query(id)
    }

    fn cancel(&self, id: ClientOrderId) -> Result<(), CallFailed> {
        self.0.cancel(id)
    }
}

impl Variant for TimeoutMeansNo {
    const BUILD: Build = |line, paper, records| {
        let line = TimeoutMeansNo(line);
        Arc::new(Autotrader::restored(line, paper, settings(), records))
    };
}

/// A disk that says yes and forgets pauses.
struct ForgetsPauses(Arc<Paper>);

impl Journal for ForgetsPauses {
    fn append(&self, record: &Record) -> Result<(), NotDurable> {
        let mut record = record.clone();
        record.book.paused = false;
        self.0.append(&record)
    }
}

impl Variant for ForgetsPauses {
    const BUILD: Build = |line, paper, records| {
        let paper = ForgetsPauses(paper);
        Arc::new(Autotrader::restored(line, paper, settings(), records))
    };
}

/// A trader around the core, which does some calls differently.
struct Around {
    core: Arc<dyn Protocol>,
    /// The loop ends the pause after a trade, as if it had begun the cycle anew.
    unpauses: bool,
    /// A stop is not heard.
    deaf: bool,
}

impl Protocol for Around {
    fn currencies(&self) -> usize {
        self.core.currencies()
    }

    fn start(&self) -> Option<Lease> {
        self.core.start()
    }

    fn stop(&self) {
        if !self.deaf {
            self.core.stop();
        }
    }

    fn tick(&self, lease: Lease, currency: Currency) -> Tick {
        let tick = self.core.tick(lease, currency);
        if self.unpauses && tick == Tick::Traded {
            // It is refused when the loop was stopped meanwhile.
            let _ = self.core.resume(currency);
        }
        tick
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        self.core.reset(currency)
    }

    fn resume(&self, currency: Currency) -> Result<(), Refusal> {
        self.core.resume(currency)
    }

    fn stats(&self, currency: Currency) -> Result<Stats, Refusal> {
        self.core.stats(currency)
    }
}

struct LosesThePause;

impl Variant for LosesThePause {
    const BUILD: Build = |line, paper, records| {
        Arc::new(Around {
            core: (Core::BUILD)(line, paper, records),
            unpauses: true,
            deaf: false,
        })
    };
}

struct DeafToStop;

impl Variant for DeafToStop {
    const BUILD: Build = |line, paper, records| {
        Arc::new(Around {
            core: (Core::BUILD)(line, paper, records),
            unpauses: false,
            deaf: true,
        })
    };
}

/// Each planted bug is found, and the sequence that shows it has no step too many.
#[test]
fn planted_bugs_are_found_by_the_shortest_sequence() {
    use Step::{Begin, Finish, Reset, Restart, Start, Stop, Submit};
    let found = shortest::<TimeoutMeansNo>(1).expect("it differs");
    assert!(
        matches!(
            found[..],
            [Start, Begin, Submit(Quote::Price(_)), Finish(_)]
        ),
        "{found:?}"
    );
    let found = shortest::<ForgetsPauses>(1).expect("it differs");
    assert!(matches!(found[..], [Start, Reset, Restart]), "{found:?}");
    let found = shortest::<LosesThePause>(1).expect("it differs");
    assert!(
        matches!(found[..], [Start, Begin, Submit(_), Reset, Finish(_)]),
        "{found:?}"
    );
    let found = shortest::<DeafToStop>(1).expect("it differs");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(matches!(found[..2], [Start, Stop]), "{found:?}");
}
