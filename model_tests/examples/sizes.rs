use gordian::Checker;
use gordian::report::grouped;
use model_tests::market::*;
use model_tests::observe::observe;
use model_tests::properties::{Judge, Property as P};
use model_tests::scenario::{Call::*, *};
use model_tests::table::*;
fn main() {
    const Q: Scenario = Scenario { watched: false, ..Scenario::QUIET };
    const RR: &[Call] = &[Reset(C0), Resume(C0)];
    let restart: &[Call] = &[Stop("loop-1"), Start(1)];
    let all: &[(&str, Scenario)] = &[
        ("1 loop 1 tick, RR", Scenario { clients: &[RR], ..Q }),
        ("1 loop 1 tick, RR watched", Scenario { clients: &[RR], watched: true, ..Q }),
        ("1 loop 3 tick, RR", Scenario { loops: &[3], clients: &[RR], ..Q }),
        ("1 loop 3 tick, RR watched", Scenario { loops: &[3], clients: &[RR], watched: true, ..Q }),
        ("1 loop 3 tick, RR, RR", Scenario { loops: &[3], clients: &[RR, RR], ..Q }),
        ("2 loop 1 tick, RR", Scenario { loops: &[1, 1], clients: &[RR], ..Q }),
        ("2 loop 1 tick, RR, RR", Scenario { loops: &[1, 1], clients: &[RR, RR], ..Q }),
        ("2 loops 2+1 tick, RR, RR", Scenario { loops: &[2, 1], clients: &[RR, RR], ..Q }),
        ("1 loop restart", Scenario { loops: &[1], clients: &[&[Stop("loop-1"), Start(1)]], ..Q }),
        ("1 loop restart, RR", Scenario { loops: &[1], clients: &[&[Stop("loop-1"), Start(1)], RR], ..Q }),
        ("1 loop restart, RR RR", Scenario { loops: &[1], clients: &[&[Stop("loop-1"), Start(1)], RR, RR], ..Q }),
        ("2 loop restart, RR RR", Scenario { loops: &[2], clients: &[&[Stop("loop-1"), Start(1)], RR, RR], ..Q }),
    ];
    let _ = restart;
    const TRADE: &[P] = &[P::OneOperation, P::NoLostFill, P::BoughtOnce, P::SoldOnce, P::UnknownIsNotNo, P::FailClosed, P::Structure, P::CurrentEpoch, P::StartsAndEnds, P::HonestProfit, P::TokenCleared, P::UnknownResolves, P::BoundedReply];
    for judge in [Judge::Detectors, Judge::These(TRADE), Judge::These(&[P::NoOrderAfterReset]), Judge::These(&[P::OneLoop]), Judge::These(&[P::StopIsPrompt]), Judge::All] {
    for (name, scenario) in all {
        let report = observe(Checker::new().executions_max(100_000), reference, *scenario, judge).report;
        println!("{judge:?} {name}: {} longest {} {} {:?}", report.strength(), report.search.steps_longest, if report.search.complete {""} else {"INCOMPLETE"}, report.search.executions_estimate.map(|e| grouped(e as u64)));
        for f in &report.findings { println!("   {} {}", f.code, f.message); }
    } }
}
