//! Replay tokens: every one that is printed can be read, nothing that is read can do harm, and one
//! outlives edits that have nothing to do with it.
#![cfg(feature = "model")]

use gordian::sync::Mutex;
use gordian::{Checker, Named, ReplayToken, Report, thread};
use proptest::prelude::*;
use std::sync::Arc;

/// Two threads, one lock, one choice.
fn model() {
    let lock = Arc::new(Mutex::new(0));
    let its = Arc::clone(&lock);
    let other = thread::spawn(move || *its.lock() += [0, 1, 2][gordian::choose(3)]);
    *lock.lock() *= 2;
    other.join().unwrap();
    assert_ne!(*lock.lock(), 2);
}

fn replay(token: ReplayToken) -> Report {
    Checker::new().replay(token).check(model)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(g2:)?[0-9a-z.,:~+%!-]{0,40}|.{0,40}") {
        if let Ok(token) = text.parse::<ReplayToken>() {
            let printed = token.to_string();
            prop_assert_eq!(printed.parse::<ReplayToken>().unwrap(), token);
        }
    }

    #[test]
    fn any_token_is_followed_or_refused(
        text in "g2:0,0\\.0:lock\\+mutex@tests/token.rs,unlock\\+mutex@tests/token.rs,choose,exit:\
                 [01](\\.[0-3](![0-4])?){1,3}(-[01](\\.[0-3](![0-4])?){1,3}){0,4}"
    ) {
        if let Ok(token) = text.parse::<ReplayToken>() {
            let report = replay(token);
            prop_assert_eq!(report.search.executions, 1);
            if let Some(error) = report.error {
                prop_assert!(error.contains("token"), "{}", error);
            }
        }
    }
}

#[test]
fn a_finding_s_token_leads_to_it_again() {
    let report = Checker::new().check(model);
    assert!(!report.findings.is_empty());
    for finding in &report.findings {
        let again = replay(finding.token.parse().unwrap());
        assert_eq!(again.findings.len(), 1, "{again}");
        assert_eq!(again.findings[0].fingerprint, finding.fingerprint);
        assert!(
            again.search.remarks.is_empty(),
            "{:?}",
            again.search.remarks
        );
    }
}

#[test]
fn bad_tokens_say_what_is_wrong() {
    for (text, why) in [
        ("", "`g2:`"),
        ("g1:0:0", "`g2:`"),
        ("g2:0", "three parts"),
        ("g2:0:lock:7.0", "not in its list"),
        ("g2:0:lock:0.1", "not in its list"),
        ("g2:0:lock:0.y", "`0.y` among its steps cannot be read"),
        ("g2:0:lo%zz:0.0", "operation `lo%zz` cannot be read"),
        ("g2:%:lock:0.0", "thread `%` cannot be read"),
    ] {
        let error = text.parse::<ReplayToken>().unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}

/// What is edited between the run that prints the token and the one that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    None,
    /// A lock of its own is taken and released on the way.
    StepsAdded,
    /// A thread that has nothing to do with it is started before the others.
    ThreadAdded,
    /// A section that has nothing to do with it is gone.
    StepsRemoved,
    /// The two threads take the locks in the same order: what the token leads to is mended.
    Mended,
    /// Another program.
    Replaced,
}

fn transfers(edit: Edit) {
    if edit == Edit::Replaced {
        let ready = Arc::new(Mutex::new(0).named("ready"));
        drop(ready.lock());
        return;
    }
    let alice = Arc::new(Mutex::new(100).named("alice"));
    let bob = Arc::new(Mutex::new(100).named("bob"));
    let audit = Arc::new(Mutex::new(0).named("audit"));
    let mut others = Vec::new();
    if edit == Edit::ThreadAdded {
        let audit = Arc::clone(&audit);
        others.push(thread::spawn(move || *audit.lock() += 1));
    }
    let (a, b, log) = (Arc::clone(&alice), Arc::clone(&bob), Arc::clone(&audit));
    let teller = move || {
        if edit == Edit::StepsAdded {
            *log.lock() += 1;
        }
        let (first, second) = if edit == Edit::Mended { (a, b) } else { (b, a) };
        let mut from = first.lock();
        let mut to = second.lock();
        *from -= 1;
        *to += 1;
    };
    let builder = thread::Builder::new().name("teller".to_owned());
    others.push(builder.spawn(teller).unwrap());
    if edit != Edit::StepsRemoved {
        *audit.lock() += 1;
    }
    let mut from = alice.lock();
    let mut to = bob.lock();
    *from -= 2;
    *to += 2;
    drop((from, to));
    for other in others {
        other.join().unwrap();
    }
}

#[test]
fn a_token_outlives_edits_that_have_nothing_to_do_with_it() {
    let report = Checker::new().check(|| transfers(Edit::None));
    let token: ReplayToken = report.findings[0].token.parse().unwrap();
    for (edit, remark) in [
        (Edit::None, None),
        (
            Edit::StepsAdded,
            Some("does not have these: `teller` lock audit"),
        ),
        (Edit::ThreadAdded, None),
        (
            Edit::StepsRemoved,
            Some("(`0` lock audit) does not come any more"),
        ),
    ] {
        let again = Checker::new()
            .replay(token.clone())
            .check(move || transfers(edit));
        assert_eq!(again.error, None, "{edit:?}");
        let codes: Vec<_> = again.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [gordian::Code::Deadlock], "{edit:?}: {again}");
        let remarks = again.search.remarks.join("; ");
        match remark {
            Some(remark) => assert!(remarks.contains(remark), "{edit:?}: {remarks}"),
            None => assert_eq!(remarks, "", "{edit:?}"),
        }
    }
}

#[test]
fn a_token_says_which_step_does_not_fit() {
    let report = Checker::new().check(|| transfers(Edit::None));
    let token: ReplayToken = report.findings[0].token.parse().unwrap();
    let again = |edit| {
        Checker::new()
            .replay(token.clone())
            .check(move || transfers(edit))
    };
    let mended = again(Edit::Mended);
    assert!(mended.findings.is_empty(), "{mended}");
    let said = format!("{:?} {:?}", mended.error, mended.search.remarks);
    assert!(
        said.contains("of the token (`teller` lock bob)") || said.contains("waits there now"),
        "{said}"
    );
    let replaced = again(Edit::Replaced);
    let error = replaced.error.expect("it does not fit");
    assert!(error.contains("the token is of another model"), "{error}");
}
