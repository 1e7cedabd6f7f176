//! Every row of the specimens' table: what it must show is shown, what it must not is not; and the
//! reference shows nothing at all in the same environments.

use gordian::report::{Engine, Report};
use gordian::{Checker, Code};
use model_tests::observe::{checker, observe, shows};
use model_tests::properties::{Judge, Property};
use model_tests::seeds::SEEDS;
use model_tests::table::{Case, PROPERTIES, Row, SPECIMENS, Sign, reference};

/// Runs `check` on every case of every row, and fails with everything that was wrong.
fn for_each_case(check: impl Fn(&Row, &Case, &mut Vec<String>)) {
    let mut wrong = Vec::new();
    for row in SPECIMENS {
        for case in row.cases {
            check(row, case, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One line on a check.
fn line(row: &Row, case: &Case, sign: Sign, what: &str, report: &Report) -> String {
    format!(
        "{} ({}): {sign:?} {what}; {}; {}",
        row.specimen,
        case.name,
        report.strength(),
        report.findings.iter().map(|f| format!("{}: {}", f.code, f.message)).collect::<Vec<_>>().join(" | "),
    )
}

fn check_signs(row: &Row, case: &Case, engine: Engine, wrong: &mut Vec<String>) {
    let wanted = case.finds.iter().map(|sign| (sign, true));
    let unwanted = case.clean_of.iter().map(|sign| (sign, false));
    for (sign, expected) in wanted.chain(unwanted) {
        let (shown, report) = shows(row.specimen, row.build, case, *sign, engine);
        eprintln!("{}", line(row, case, *sign, if shown {"shown"} else {"not shown"}, &report));
        if shown != expected {
            let what = if expected { "is not found" } else { "is found" };
            wrong.push(line(row, case, *sign, what, &report));
        }
        if case.endless.is_none() && !report.search.complete {
            wrong.push(line(row, case, *sign, "was not searched to the end", &report));
        }
    }
}

#[test]
fn specimens_show_what_they_must_and_nothing_they_must_not() {
    for_each_case(|row, case, wrong| check_signs(row, case, Engine::Controlled, wrong));
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
        eprintln!("{}", line(row, case, Sign::Anything, "", report));
        if report.verdict != gordian::report::Verdict::Clean {
            wrong.push(line(row, case, Sign::Anything, "is found in the reference", report));
        }
        if observed.isolated != report.search.executions {
            wrong.push(line(row, case, Sign::Property(Property::Isolation), "is lost", report));
        }
    });
}
