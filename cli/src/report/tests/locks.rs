//! The table of locks, and the graphs of their orders.

use std::sync::Arc;

use expect_test::{Expect, expect};
use gordian::report::Report;
use gordian::sync::{Mutex, RwLock};
use gordian::{Checker, Named, thread};
use serde_json::json;

use super::browser::{Opened, opened_page};
use super::{page_of, results_of};
use crate::report::{dot, mermaid};

/// Two locks that models share, as those of one program do.
struct Bank {
    alice: Mutex<i32>,
    bob: Mutex<i32>,
    rates: RwLock<i32>,
}

impl Bank {
    fn new() -> Arc<Bank> {
        Arc::new(Bank {
            alice: Mutex::new(0).named("alice"),
            bob: Mutex::new(0).named("bob"),
            rates: RwLock::new(1).named("rates"),
        })
    }

    fn transfer(&self) {
        let mut alice = self.alice.lock();
        *self.bob.lock() += *self.rates.read();
        *alice -= 1;
    }

    fn refund(&self) {
        let mut bob = self.bob.lock();
        *self.alice.lock() += 1;
        *bob -= 1;
    }

    fn raise(&self) {
        *self.rates.write() += 1;
    }
}

fn model(name: &str, body: impl Fn(Arc<Bank>) + Send + Sync + 'static) -> Report {
    let mut report = Checker::new().name(name).check(move || body(Bank::new()));
    report.search.seconds = 0.001;
    report
}

/// One that is as it should be, one that never contends, one with both orders.
fn reports() -> Vec<Report> {
    let twice = model("bank::transfers", |bank| {
        let other = Arc::clone(&bank);
        thread::spawn(move || other.transfer());
        bank.transfer();
    });
    let apart = model("bank::apart", |bank| {
        let other = Arc::clone(&bank);
        thread::spawn(move || other.transfer()).join().unwrap();
        bank.raise();
    });
    let opposite = model("bank::opposite", |bank| {
        let other = Arc::clone(&bank);
        thread::spawn(move || other.transfer());
        bank.refund();
    });
    vec![twice, apart, opposite]
}

/// The rows of the tables of one model, as a person reads them.
fn rows(page: &mut Opened, model: usize) -> String {
    let rows = page.value(&format!(
        "[...document.querySelectorAll('.locks details')[{model}].querySelectorAll('tbody tr')]
            .map((row) => [...row.children].map((cell) => cell.innerText.trim()
                .replace(/\\s+/g, ' ').replace(/\\S*locks.rs:\\d+:\\d+/g, 'PLACE')).join(' | '))"
    ));
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| format!("{}\n", row.as_str().expect("a row")))
        .collect()
}

#[test]
fn the_table_says_who_takes_what() {
    let mut reports = reports();
    let statuses = [true, true, false];
    let mut results = results_of(&reports);
    for (entry, passed) in results.models.iter_mut().zip(statuses) {
        if passed {
            entry.status = crate::outcome::Status::Passed;
        }
    }
    let Some(mut page) = opened_page(&page_of(&results)) else {
        return;
    };
    let open =
        page.value("[...document.querySelectorAll('.locks details')].map((its) => its.open)");
    assert_eq!(
        open,
        json!([false, true, true]),
        "only what is clean is folded away"
    );
    page.value("document.querySelectorAll('.locks details').forEach((its) => its.open = true)");
    let check = |page: &mut Opened, model, expected: Expect| {
        expected.assert_eq(&rows(page, model));
    };
    check(
        &mut page,
        0,
        expect![[r#"
        alice mutex | main, thread-1 | 4 | 2 | lock PLACE PLACE · not reached here, but by another model
        bob mutex | main, thread-1 | 4 | never | lock PLACE · never contended PLACE · not reached here, but by another model
        rates rwlock | main, thread-1 | 4 | never | read PLACE · never contended PLACE · not reached here, but by another model
        alice | bob | main, thread-1 | 4 | PLACE, PLACE | 
        alice | rates (reads) | main, thread-1 | 4 | PLACE, PLACE | 
        rates (reads) | bob | main, thread-1 | 4 | PLACE, PLACE | 
    "#]],
    );
    check(
        &mut page,
        1,
        expect![[r#"
        alice mutex | thread-1 one thread | 1 | never | lock PLACE · never contended PLACE · not reached here, but by another model
        bob mutex | thread-1 one thread | 1 | never | lock PLACE · never contended PLACE · not reached here, but by another model
        rates rwlock | main, thread-1 | 2 | never | read PLACE · never contended write PLACE · never contended
        alice | bob | thread-1 | 1 | PLACE, PLACE | 
        alice | rates (reads) | thread-1 | 1 | PLACE, PLACE | 
        rates (reads) | bob | thread-1 | 1 | PLACE, PLACE | 
    "#]],
    );
    check(
        &mut page,
        2,
        expect![[r#"
        alice mutex | main, thread-1 | 5 | 2 | lock PLACE lock PLACE
        bob mutex | main, thread-1 | 5 | 2 | lock PLACE lock PLACE
        rates rwlock | thread-1 one thread | 3 | never | read PLACE · never contended PLACE · not reached here, but by another model
        alice | bob | thread-1 | 3 | PLACE, PLACE | both orders seen
        alice | rates (reads) | thread-1 | 3 | PLACE, PLACE | 
        bob | alice | main | 3 | PLACE, PLACE | both orders seen
        rates (reads) | bob | thread-1 | 3 | PLACE, PLACE | 
    "#]],
    );
    let remarks = page.value(
        "[...document.querySelectorAll('.locks summary')]
            .map((its) => [...its.querySelectorAll('.expected')].map((one) => one.textContent))",
    );
    assert_eq!(remarks, json!([[], ["never contended"], ["both orders"]]));

    // Without any lock there is no table.
    reports.truncate(1);
    reports[0].coverage = Default::default();
    assert!(!page_of(&results_of(&reports)).contains("id=\"locks\""));
}

#[test]
fn graphs_have_an_arrow_for_each_order() {
    let [twice, apart, opposite] = <[Report; 3]>::try_from(reports()).unwrap();
    let text = dot::lock_order("bank opposite", &opposite.coverage).unwrap();
    expect![[r#"
        // bank opposite
        digraph gordian {
          rankdir=LR
          fontname="sans-serif"
          node [fontname="sans-serif"]
          edge [fontname="sans-serif" fontsize=10]
          label="in which order locks were taken, in all interleavings"
          l0 [label="alice"]
          l1 [label="bob"]
          l2 [label="rates"]
          l0 -> l1 [label="thread-1 (3)" color=red]
          l0 -> l2 [label="thread-1 (3)"]
          l1 -> l0 [label="main (3)" color=red]
          l2 -> l1 [label="thread-1 (3)"]
        }
    "#]]
    .assert_eq(&text);
    let text = mermaid::lock_order("bank transfers", &twice.coverage).unwrap();
    expect![[r#"
        %% bank transfers
        flowchart LR
          l0(["alice"])
          l1(["bob"])
          l2(["rates"])
          l0 -->|"main, thread-1 (4)"| l1
          l0 -->|"main, thread-1 (4)"| l2
          l2 -->|"main, thread-1 (4)"| l1
    "#]]
    .assert_eq(&text);
    assert!(dot::lock_order("apart", &apart.coverage).is_some());
    let alone = model("bank::alone", |bank| bank.raise());
    assert_eq!(dot::lock_order("alone", &alone.coverage), None);
    assert_eq!(mermaid::lock_order("alone", &alone.coverage), None);
}
