//! Each specimen as a model of its own, for people to read and to replay: judged by the property,
//! or found by the detector, that its row is named for. The whole table is checked in `table.rs`.

use model_tests::properties::{Judge, Property as P};
use model_tests::table::SPECIMENS;

/// Runs the case with this number of a specimen.
fn run(specimen: &str, case: usize, judge: Judge) {
    let row = SPECIMENS
        .iter()
        .find(|row| row.specimen == specimen)
        .expect("it has a row");
    row.cases[case].scenario.run(row.build, judge);
}

#[gordian::test(expect = "slow-under-lock")]
fn held_across_api() {
    run("held_across_api", 0, Judge::Detectors);
}

#[gordian::test(expect = "slow-under-lock, deadlock")]
fn held_across_api_when_the_exchange_outlasts_the_reset() {
    run("held_across_api", 1, Judge::By(P::BoundedReply));
}

#[gordian::test(expect = "slow-under-lock, panic")]
fn timeout_503() {
    run("timeout_503", 0, Judge::By(P::BoundedReply));
}

/// Endless: the loop ticks and the client tries for ever, so the search is cut off.
#[gordian::test(
    expect = "slow-under-lock, starvation",
    steps_max = 1_000,
    executions_max = 2_000
)]
fn timeout_503_starves_a_client_that_retries() {
    run("timeout_503", 2, Judge::Detectors);
}

#[gordian::test(expect = "foreign-release, double-release, panic")]
fn locked_then_release() {
    run("locked_then_release", 0, Judge::Detectors);
}

#[gordian::test(expect = "panic")]
fn finally_clears_flag() {
    run("finally_clears_flag", 0, Judge::By(P::BoughtOnce));
}

#[gordian::test(expect = "self-deadlock")]
fn info_under_lock() {
    run("info_under_lock", 0, Judge::Detectors);
}

#[gordian::test(expect = "panic")]
fn flag_only() {
    run("flag_only", 0, Judge::By(P::BoughtOnce));
}

#[gordian::test(expect = "panic")]
fn wrong_write_order() {
    run("wrong_write_order", 0, Judge::By(P::BoughtOnce));
}

#[gordian::test(expect = "panic")]
fn racy_lock_dict() {
    run("racy_lock_dict", 0, Judge::By(P::MutualExclusion));
}

#[gordian::test(expect = "panic")]
fn cooldown_guard() {
    run("cooldown_guard", 0, Judge::By(P::BoughtOnce));
}

#[gordian::test(expect = "panic")]
fn timeout_clears_flag() {
    run("timeout_clears_flag", 1, Judge::By(P::OwnerClears));
}

#[gordian::test(expect = "panic")]
fn stuck_flag() {
    run("stuck_flag", 0, Judge::By(P::TokenCleared));
}

#[gordian::test(expect = "panic")]
fn exception_in_reset() {
    run("exception_in_reset", 0, Judge::By(P::ResetIsWhole));
}

#[gordian::test(expect = "panic")]
fn lost_reset() {
    run("lost_reset", 0, Judge::By(P::ResetWins));
}

#[gordian::test(expect = "panic")]
fn pause_not_rechecked() {
    run("pause_not_rechecked", 0, Judge::By(P::NoOrderAfterReset));
}

#[gordian::test(expect = "panic")]
fn order_after_reset() {
    run("order_after_reset", 0, Judge::By(P::NoOrderAfterReset));
}

#[gordian::test(expect = "panic")]
fn stale_commit() {
    run("stale_commit", 0, Judge::By(P::Structure));
}

#[gordian::test(expect = "panic")]
fn stale_commit_into_the_next_cycle() {
    run("stale_commit", 1, Judge::By(P::CurrentEpoch));
}

#[gordian::test(expect = "panic")]
fn sell_commit_after_reset() {
    run("sell_commit_after_reset", 0, Judge::By(P::PauseIsTheUsers));
}

#[gordian::test(vacuous = "allow")]
fn clear_flag_self_deadlock_with_one_loop() {
    run("clear_flag_self_deadlock", 0, Judge::Detectors);
}

#[gordian::test(expect = "self-deadlock")]
fn clear_flag_self_deadlock_with_two_loops() {
    run("clear_flag_self_deadlock", 1, Judge::Detectors);
}

#[gordian::test(expect = "panic")]
fn two_loops() {
    run("two_loops", 1, Judge::By(P::OneLoop));
}

#[gordian::test(vacuous = "allow")]
fn split_test_and_set_with_one_loop() {
    run("split_test_and_set", 0, Judge::All);
}

#[gordian::test(expect = "panic")]
fn split_test_and_set_with_two_loops() {
    run("split_test_and_set", 2, Judge::By(P::SoldOnce));
}

#[gordian::test(expect = "panic")]
fn timeout_means_no() {
    run("timeout_means_no", 0, Judge::By(P::UnknownIsNotNo));
}

#[gordian::test(expect = "panic")]
fn fail_open_guard() {
    run("fail_open_guard", 0, Judge::By(P::FailClosed));
}

#[gordian::test(expect = "panic")]
fn torn_state_file() {
    run("torn_state_file", 0, Judge::By(P::Durable));
}
