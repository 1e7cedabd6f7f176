//! Examples of the finding codes.
//!
//! Knows programs. Does not know what a code means (`codes` does), nor any one finding. Each
//! example is checked by a test: it finds what is said here, and once it is fixed nothing is found.

use gordian::Code;

use crate::codes::{Rule, rule};

/// A finding code, explained.
pub(crate) struct Topic {
    /// What it means, and how one gets rid of it.
    pub(crate) rule: &'static Rule,
    pub(crate) example: Example,
    /// The example after that.
    pub(crate) fixed: Example,
    /// Codes that are often mistaken for it, or found beside it.
    pub(crate) see_also: &'static [Code],
}

/// A small program.
pub(crate) struct Example {
    pub(crate) text: &'static str,
    pub(crate) language: Language,
    /// What it finds; nothing when it is fixed.
    pub(crate) finds: Option<Code>,
}

/// What an example is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// A scenario.
    Scenario,
    /// The body of a model.
    Rust,
}

/// The example of a code, and the fixed one.
macro_rules! scenarios {
    ($name:literal, $finds:expr) => {
        (
            Example {
                text: include_str!(concat!($name, ".gordian")),
                language: Language::Scenario,
                finds: Some($finds),
            },
            Example {
                text: include_str!(concat!($name, ".fixed.gordian")),
                language: Language::Scenario,
                finds: None,
            },
        )
    };
}

/// The explanation of a code.
pub(crate) fn topic(code: Code) -> Topic {
    let (example, fixed) = examples(code);
    Topic {
        rule: rule(code),
        example,
        fixed,
        see_also: related(code),
    }
}

fn examples(code: Code) -> (Example, Example) {
    match code {
        Code::Deadlock => scenarios!("deadlock", Code::Deadlock),
        Code::SelfDeadlock => scenarios!("self-deadlock", Code::SelfDeadlock),
        Code::LostWakeup => scenarios!("lost-wakeup", Code::LostWakeup),
        Code::DoubleRelease => scenarios!("double-release", Code::DoubleRelease),
        Code::ForeignRelease => scenarios!("foreign-release", Code::ForeignRelease),
        Code::LeakedGuard => scenarios!("leaked-guard", Code::LeakedGuard),
        // What these two announce is found when it happens.
        Code::LockOrder => scenarios!("lock-order", Code::Deadlock),
        Code::AwaitUnderLock => scenarios!("await-under-lock", Code::SelfDeadlock),
        Code::SlowUnderLock => scenarios!("slow-under-lock", Code::SlowUnderLock),
        Code::Starvation => scenarios!("starvation", Code::Starvation),
        Code::TimeoutOnly => scenarios!("timeout-only", Code::TimeoutOnly),
        Code::Panic => scenarios!("panic", Code::Panic),
        Code::RecursiveRead => scenarios!("recursive-read", Code::RecursiveRead),
        Code::Nondeterminism => (
            Example {
                text: include_str!("nondeterminism.rs"),
                language: Language::Rust,
                finds: Some(Code::Nondeterminism),
            },
            Example {
                text: include_str!("nondeterminism.fixed.rs"),
                language: Language::Rust,
                finds: None,
            },
        ),
        other => unreachable!("the code `{other}` has no example"),
    }
}

fn related(code: Code) -> &'static [Code] {
    match code {
        Code::Deadlock => &[Code::SelfDeadlock, Code::LockOrder, Code::TimeoutOnly],
        Code::SelfDeadlock => &[Code::Deadlock, Code::RecursiveRead],
        Code::LostWakeup => &[Code::Deadlock, Code::LeakedGuard],
        Code::DoubleRelease => &[Code::ForeignRelease],
        Code::ForeignRelease => &[Code::DoubleRelease],
        Code::LeakedGuard => &[Code::LostWakeup],
        Code::LockOrder | Code::TimeoutOnly => &[Code::Deadlock],
        Code::SlowUnderLock => &[Code::AwaitUnderLock],
        Code::AwaitUnderLock => &[Code::SlowUnderLock, Code::SelfDeadlock],
        Code::Starvation => &[Code::Deadlock, Code::LostWakeup],
        Code::RecursiveRead => &[Code::SelfDeadlock, Code::Deadlock],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gordian::report::Severity;
    use gordian::scenario::{self, Options};
    use gordian::{Checker, Report};

    use super::*;

    // The examples in Rust, compiled.
    #[expect(
        unreachable_pub,
        reason = "they read as they would in a crate of their own"
    )]
    mod nondeterminism {
        include!("nondeterminism.rs");
    }
    #[expect(unreachable_pub, reason = "as above")]
    mod nondeterminism_fixed {
        include!("nondeterminism.fixed.rs");
    }

    fn report(code: Code, example: &Example) -> Report {
        if example.language == Language::Rust {
            assert_eq!(
                code,
                Code::Nondeterminism,
                "the model of `{code}` is not run"
            );
            return match example.finds {
                Some(_) => Checker::new().check(nondeterminism::model),
                None => Checker::new().check(nondeterminism_fixed::model),
            };
        }
        let parsed = Arc::new(scenario::parse(example.text).unwrap());
        assert_eq!(scenario::format(example.text).unwrap(), example.text);
        let options = Options::default();
        let checked = scenario::check(&parsed, "example", example.text, &options);
        assert_eq!(checked.expected, Some(true), "{code}: {}", checked.report);
        checked.report
    }

    #[test]
    fn every_example_finds_what_it_says() {
        for &code in Code::ALL {
            let topic = topic(code);
            let found = report(code, &topic.example);
            assert!(found.has(topic.example.finds.unwrap()), "{code}: {found}");
        }
    }

    #[test]
    fn every_fixed_example_is_clean() {
        for &code in Code::ALL {
            let fixed = topic(code).fixed;
            let found = report(code, &fixed);
            assert!(found.search.complete, "{code}: {found}");
            // Those who give up in time are no defect, and not fixed here: the order is.
            let bad = found
                .findings
                .iter()
                .filter(|one| one.severity == Severity::Error);
            assert_eq!(bad.count(), 0, "{code}: {found}");
            assert!(fixed.finds.is_none() && !found.has(code), "{code}: {found}");
        }
    }
}
