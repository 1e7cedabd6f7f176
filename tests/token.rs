//! Replay tokens: every one that is printed can be read, and nothing that is read can do harm.
#![cfg(feature = "model")]

use gordian::sync::Mutex;
use gordian::{Checker, ReplayToken, Report, thread};
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
    fn any_text_is_read_or_refused(text in "(g1:)?[0-9.,:x!-]{0,40}|.{0,40}") {
        if let Ok(token) = text.parse::<ReplayToken>() {
            let printed = token.to_string();
            prop_assert_eq!(printed.parse::<ReplayToken>().unwrap(), token);
        }
    }

    #[test]
    fn any_token_is_followed_or_refused(text in "g1:0,0\\.0(,0\\.1)?:[01]([x!][0-9])?(-[0-2]([x!][0-9])?){0,12}") {
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
    }
}

#[test]
fn bad_tokens_say_what_is_wrong() {
    for (text, why) in [
        ("", "`g1:`"),
        ("g2:0:0", "`g1:`"),
        ("g1:0", "no `:`"),
        ("g1:0:7", "not in its list"),
        ("g1:0:0y", "`0y` cannot be read"),
        ("g1:0:0x99999999999", "more than"),
    ] {
        let error = text.parse::<ReplayToken>().unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}
