//! The autotrader's protocol core in a situation of bytes: who calls what, how every call of the
//! exchange ends, and who goes on at each step.

use arbitrary::{Arbitrary, Result, Unstructured};
use autotrader::{Currency, Money};
use gordian::{Checker, Report};
use model_tests::disk::Faults;
use model_tests::market::{FALL, HOLD, RISE, Script};
use model_tests::properties::Judge;
use model_tests::scenario::{Build, Call, Scenario};
use model_tests::table::reference;

use crate::Seen;

/// Most loops, clients, and calls or passes of each.
const LOOPS_MAX: usize = 2;
const CLIENTS_MAX: usize = 3;
const CALLS_MAX: usize = 3;

/// All properties of the protocol hold in the one interleaving that the bytes choose.
///
/// # Panics
/// When one does not, with the situation and the interleaving.
pub fn schedule_autotrader(bytes: &[u8]) -> Seen {
    let mut bytes = Unstructured::new(bytes);
    let Ok(situation) = Situation::arbitrary(&mut bytes) else {
        return Seen::Refused;
    };
    let report = situation.run(reference, bytes.take_rest());
    assert!(
        report.findings.is_empty() && report.error.is_none(),
        "{situation:#?}\n\n{}",
        report.explain()
    );
    assert_eq!(
        (report.search.executions, report.search.executions_capped),
        (1, 0),
        "the interleaving came to no end"
    );
    Seen::All
}

/// Who does what, before it is decided who goes first.
#[derive(Clone, Debug)]
pub struct Situation {
    currencies: usize,
    prelude: Vec<Money>,
    loops: Vec<usize>,
    clients: Vec<Vec<Call>>,
    patient: bool,
    faults: Faults,
    watched: bool,
}

impl Situation {
    /// Runs the interleaving that the bytes choose, and judges it by every property.
    pub fn run(&self, build: Build, choices: &[u8]) -> Report {
        let situation = self.clone();
        let model = move || {
            let clients: Vec<&[Call]> = situation.clients.iter().map(Vec::as_slice).collect();
            let scenario = Scenario {
                currencies: situation.currencies,
                script: Script::WILD,
                prelude: &situation.prelude,
                loops: &situation.loops,
                clients: &clients,
                patient: situation.patient,
                faults: situation.faults,
                watched: situation.watched,
            };
            scenario.run(build, Judge::All);
        };
        Checker::new()
            .name("schedule_autotrader")
            .choices(choices)
            .check(model)
    }

    /// Makes it one that the properties are stated for.
    ///
    /// - Nobody stops for good: there would be nobody left to learn the fate of an order, and after
    ///   a crash the process is started anyway.
    /// - What is looked at after each step is the first process: with a disk that fails there is
    ///   another one in the end.
    /// - What a slow call waits for is handed to one loop before it starts: there must be only one.
    fn be_sound(mut self) -> Situation {
        for calls in &mut self.clients {
            let control = |call: &&Call| matches!(call, Call::Stop(_) | Call::Start(_));
            if let Some(Call::Stop(_)) = calls.iter().rev().find(control) {
                calls.push(Call::Start(1));
            }
        }
        let starts = |calls: &Vec<Call>| calls.iter().any(|call| matches!(call, Call::Start(_)));
        self.watched &= self.faults == Faults::None;
        self.patient &= self.loops.len() == 1 && !self.clients.iter().any(starts);
        self
    }
}

impl<'a> Arbitrary<'a> for Situation {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let currencies = bytes.int_in_range(1..=2)?;
        let prices = 0..bytes.int_in_range(0..=2)?;
        let prelude = prices.map(|_| bytes.choose(&[HOLD, FALL, RISE]).copied());
        let prelude = prelude.collect::<Result<_>>()?;
        let loops = 0..bytes.int_in_range(1..=LOOPS_MAX)?;
        let loops = loops.map(|_| bytes.int_in_range(1..=CALLS_MAX));
        let loops = loops.collect::<Result<_>>()?;
        let clients = 0..bytes.int_in_range(0..=CLIENTS_MAX)?;
        let clients = clients.map(|_| {
            let calls = 0..bytes.int_in_range(1..=CALLS_MAX)?;
            calls.map(|_| call(bytes, currencies)).collect()
        });
        let situation = Situation {
            currencies,
            prelude,
            loops,
            clients: clients.collect::<Result<_>>()?,
            patient: bytes.arbitrary()?,
            faults: *bytes.choose(&[Faults::None, Faults::Failing, Faults::Crashing])?,
            watched: bytes.arbitrary()?,
        };
        Ok(situation.be_sound())
    }
}

fn call(bytes: &mut Unstructured<'_>, currencies: usize) -> Result<Call> {
    let currency = Currency(bytes.int_in_range(0..=currencies - 1)?);
    Ok(match bytes.int_in_range(0..=6_u8)? {
        0 | 1 => Call::Reset(currency),
        2 | 3 => Call::Resume(currency),
        4 => Call::Stats(currency),
        5 => Call::Stop("loop-1"),
        _ => Call::Start(bytes.int_in_range(1..=2)?),
    })
}
