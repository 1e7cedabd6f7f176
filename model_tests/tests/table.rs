//! Every row of the specimens' table: what it must show is shown, what it must not is not; and the
//! reference shows nothing at all in the same environments.

use gordian::report::{Engine, Report, Verdict};
use model_tests::observe::{checker, observe, shows};
use model_tests::properties::{Judge, Property};
use model_tests::seeds::SEEDS;
use model_tests::table::{Case, Loom, PROPERTIES, Row, SPECIMENS, Sign, reference};

/// Runs `check` on every case of every row, and fails with everything that was wrong.
fn for_each_case(check: impl Fn(&Row, &Case, &mut Vec<String>)) {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for row in SPECIMENS {
        for case in row.cases {
            check(row, case, &mut wrong);
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > SPECIMENS.len(), "some rows have several cases");
}

/// What was wrong with a case.
fn complaint(row: &Row, case: &Case, sign: Sign, what: &str, report: &Report) -> String {
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|f| format!("{}: {}", f.code, f.message))
        .collect();
    let Row { specimen, .. } = row;
    let (name, strength) = (case.name, report.strength());
    format!(
        "{specimen} ({name}): {sign:?} {what}; {strength}; found {found:?}; {:?}",
        report.error
    )
}

fn check_signs(row: &Row, case: &Case, engine: Engine, wrong: &mut Vec<String>) {
    let wanted = case.finds.iter().map(|sign| (*sign, true));
    let unwanted = case.clean_of.iter().map(|sign| (*sign, false));
    for (sign, expected) in wanted.chain(unwanted) {
        if !expected && may_be_incomplete(case, engine) {
            // What a search that was cut off has not found may still be there.
            continue;
        }
        let (shown, report) = shows(row.specimen, row.build, case, sign, engine);
        let mut complain = |what| wrong.push(complaint(row, case, sign, what, &report));
        match (shown, expected) {
            (false, true) => complain("is not found"),
            (true, false) => complain("is found"),
            _ => {}
        }
        if !may_be_incomplete(case, engine) && !model_tests::searched_to_the_end(&report) {
            complain("was not searched to the end");
        }
    }
}

/// Whether a bound may end the search: then only what is found counts.
fn may_be_incomplete(case: &Case, engine: Engine) -> bool {
    case.endless.is_some() || (engine == Engine::Loom && case.loom == Loom::FindsOnly)
}

#[test]
fn specimens_show_what_they_must_and_nothing_they_must_not() {
    for_each_case(|row, case, wrong| check_signs(row, case, Engine::Controlled, wrong));
}

/// The second opinion: the same table under loom, wherever it can run it.
#[test]
fn loom_agrees_on_the_specimens() {
    for_each_case(|row, case, wrong| {
        if case.loom != Loom::TooLarge {
            check_signs(row, case, Engine::Loom, wrong);
        }
    });
}

/// Only searches without an end, and one with two loops and a client, are left out.
#[test]
fn loom_can_run_almost_every_case() {
    let cases = || SPECIMENS.iter().flat_map(|row| row.cases);
    let count = |loom| cases().filter(|case| case.loom == loom).count();
    assert_eq!((count(Loom::TooLarge), count(Loom::FindsOnly)), (2, 3));
    assert!(
        SPECIMENS
            .iter()
            .all(|row| row.cases.iter().any(|case| case.loom != Loom::TooLarge))
    );
}

#[test]
fn the_reference_is_clean_wherever_a_specimen_is_not() {
    for_each_case(|row, case, wrong| {
        if case.endless.is_some() {
            return;
        }
        let checker = checker("reference", case, Engine::Controlled);
        let observed = observe(checker, reference, case.scenario, Judge::All);
        let report = &observed.report;
        if report.verdict != Verdict::Clean {
            wrong.push(complaint(
                row,
                case,
                Sign::Anything,
                "of the reference",
                report,
            ));
        }
        if observed.isolated != report.search.executions {
            let isolation = Sign::Property(Property::Isolation);
            wrong.push(complaint(row, case, isolation, "of the reference", report));
        }
    });
}

/// The table that says which specimen violates which property is true: the row demands it, and the
/// test above sees to it that it is found. No property is missing.
#[test]
fn every_property_is_violated_by_some_specimen() {
    for (property, sign, specimen) in PROPERTIES {
        let row = SPECIMENS.iter().find(|row| row.specimen == *specimen);
        let in_row = row.is_some_and(|row| row.cases.iter().any(|case| case.finds.contains(sign)));
        let seed = SEEDS.iter().find(|seed| seed.name == *specimen);
        let in_seed =
            seed.is_some_and(|seed| seed.finds.iter().any(|code| Sign::Code(*code) == *sign));
        assert!(
            in_row || in_seed,
            "`{specimen}` does not have to violate `{property}`"
        );
    }
    for (property, name) in Property::ALL {
        let sign = Sign::Property(*property);
        assert!(
            PROPERTIES.iter().any(|row| row.1 == sign),
            "nothing violates `{name}`"
        );
    }
}

/// The rows of the protocol's specification, in its order.
#[test]
fn all_specimens_are_there() {
    let names: Vec<_> = SPECIMENS.iter().map(|row| row.specimen).collect();
    let specified = "held_across_api timeout_503 locked_then_release finally_clears_flag \
        info_under_lock flag_only wrong_write_order racy_lock_dict cooldown_guard \
        timeout_clears_flag stuck_flag exception_in_reset lost_reset pause_not_rechecked \
        order_after_reset stale_commit sell_commit_after_reset clear_flag_self_deadlock two_loops \
        split_test_and_set timeout_means_no fail_open_guard torn_state_file";
    assert_eq!(names, specified.split_whitespace().collect::<Vec<_>>());
}
