use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

fn check(cases: &[(&str, Expect)]) {
    for (text, expected) in cases {
        expected.assert_eq(&refused(text));
    }
}

#[test]
fn the_schema_is_the_one_that_is_checked_in() {
    let schema = serde_json::to_string_pretty(&Config::schema()).unwrap() + "\n";
    expect_file!["../../schema/gordian.schema.json"].assert_eq(&schema);
}

/// Everything that there is.
const WHOLE: &str = r#"
[profile.default]
engine = "loom"
strategy = "hold-and-wait"
preemptions_max = 0
steps_max = 500
spins_max = 3
reruns = 5
spurious_max = 2
executions_max = 10
time_max = "500ms"
stall_max = 30
seed = 7
leftover = "abandon"
vacuous = "allow"

[profile.ci]
time_max = 2.5
strategy = "pct"

[profile.nightly.gate]
packages = ["bank"]
scenarios = ["scenarios"]
oracle = true
fail = ["error", "recursive-read"]
allow = ["timeout-only", "starvation"]
incomplete = "allow"
vacuous = "warn"
vacuous_models = ["bank tests::alone"]
models_min = 3
executions_min = 1000
canary = "bank tests::canary"

[[baseline]]
fingerprint = "0123456789abcdef"
reason = "mended in the next release"
expires = 2026-12-31

[[baseline]]
fingerprint = "0123456789abcdef"
model = "bank tests::transfer"
reason = "for this one a little longer"
expires = "2027-01-31"
"#;

#[test]
fn everything_can_be_said_and_is_what_the_schema_says() {
    let config = read(WHOLE).unwrap();
    assert_eq!(config.baseline.len(), 2);
    assert_eq!(config.baseline[0].expires.to_string(), "2026-12-31");
    let schema = jsonschema::validator_for(&Config::schema()).unwrap();
    let value: toml::Value =
        toml::from_str(&WHOLE.replace("2026-12-31", "\"2026-12-31\"")).unwrap();
    let errors: Vec<_> = schema
        .iter_errors(&serde_json::to_value(value).unwrap())
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn profiles_stand_one_above_the_other() {
    let config = read(WHOLE).unwrap();
    let of = |profile: &str| Chosen {
        config: config.clone(),
        profile: profile.to_owned(),
    };
    let named = |profile: &str, name: &str| {
        let all = of(profile).searching().named();
        all.into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    assert_eq!(
        named("default", "STRATEGY").as_deref(),
        Some("hold-and-wait")
    );
    assert_eq!(named("ci", "STRATEGY").as_deref(), Some("pct"));
    assert_eq!(named("ci", "TIME_MAX").as_deref(), Some("2.5"));
    assert_eq!(named("ci", "SEED").as_deref(), Some("7"));
    assert_eq!(named("nightly", "TIME_MAX").as_deref(), Some("0.5"));
    assert_eq!(of("default").searching().named().len(), 13);

    assert_eq!(of("default").policy().incomplete, Level::Warn);
    assert_eq!(of("ci").policy().incomplete, Level::Fail);
    assert_eq!(of("nightly").policy().incomplete, Level::Allow);
    assert_eq!(of("nightly").policy().models_min, 3);
    assert_eq!(of("ci").policy().models_min, 1);
    assert_eq!(of("ci").policy().baseline.len(), 2);

    // What is built in for ci stands between the two.
    let config = "[profile.default.gate]\nincomplete = \"allow\"\nvacuous = \"allow\"\n\
                  [profile.ci.gate]\nvacuous = \"warn\"\n";
    let chosen = Chosen {
        config: read(config).unwrap(),
        profile: "ci".to_owned(),
    };
    assert_eq!(chosen.policy().incomplete, Level::Fail);
    assert_eq!(chosen.policy().vacuous, Level::Warn);
}

#[test]
fn keys_that_there_are_not() {
    check(&[
        (
            "profil = 1",
            expect!["line 1, column 1: no key is named `profil`; did you mean `profile`?"],
        ),
        (
            "[profile.ci]\ntime_max = 3\n  [profile.ci.gate]\n  fial = [\"error\"]\n",
            expect![
                "line 4, column 3: no key is named `profile.ci.gate.fial`; did you mean `fail`?"
            ],
        ),
        (
            "[profile.ci]\nmax_steps = 3\n",
            expect![
                "line 2, column 1: no key is named `profile.ci.max_steps`; did you mean `steps_max`?"
            ],
        ),
        (
            "[[baseline]]\nfingerprint = \"0123456789abcdef\"\ncomment = \"x\"\n",
            expect![
                "line 3, column 1: no key is named `baseline[0].comment`; there are expires, fingerprint, model, reason"
            ],
        ),
        (
            "profile = { ci = { gate = { canry = false } } }",
            expect![
                "line 1, column 29: no key is named `profile.ci.gate.canry`; did you mean `canary`?"
            ],
        ),
    ]);
}

#[test]
fn values_that_are_wrong() {
    check(&[
        (
            "[profile.ci]\nengine = \"lom\"\n",
            expect![
                "line 2, column 10: `profile.ci.engine`: no engine is named `lom`; did you mean `loom`?"
            ],
        ),
        (
            "[profile.ci]\nstrategy = \"hold_and_wait\"\n",
            expect![
                "line 2, column 12: `profile.ci.strategy`: no strategy is named `hold_and_wait`; did you mean `hold-and-wait`?"
            ],
        ),
        (
            "[profile.ci]\nsteps_max = 0\n",
            expect![
                "line 2, column 13: `profile.ci.steps_max`: invalid value: integer `0`, expected a nonzero u32"
            ],
        ),
        (
            "[profile.ci]\nseed = -1\n",
            expect![
                "line 2, column 8: `profile.ci.seed`: invalid value: integer `-1`, expected u64"
            ],
        ),
        (
            "[profile.ci]\ntime_max = \"soon\"\n",
            expect![
                "line 2, column 12: `profile.ci.time_max`: a time is written 30, 2.5, 2s, 500ms or 3min"
            ],
        ),
        (
            "[profile.ci]\ntime_max = true\n",
            expect![[
                r#"line 2, column 12: `profile.ci.time_max`: invalid type: boolean `true`, expected a time: 30, 2.5, "2s", "500ms" or "3min""#
            ]],
        ),
        (
            "[profile.ci.gate]\nfail = [\"error\", \"dedlock\"]\n",
            expect![
                "line 2, column 18: `profile.ci.gate.fail[1]`: no severity or code is named `dedlock`; did you mean `deadlock`?"
            ],
        ),
        (
            "[profile.ci.gate]\nfail = [\"error\"]\nallow = [\"panic\", \"error\"]\n",
            expect!["line 3, column 19: `profile.ci.gate.allow[1]`: `error` is also what fails"],
        ),
        (
            "[profile.ci.gate]\nincomplete = \"ignore\"\n",
            expect![
                "line 2, column 14: `profile.ci.gate.incomplete`: unknown variant `ignore`, expected one of `fail`, `warn`, `allow`"
            ],
        ),
        (
            "[profile.ci.gate]\ncanary = \"canary\"\n",
            expect![[
                r#"line 2, column 10: `profile.ci.gate.canary`: invalid value: string "canary", expected a model by binary and path, as in "bank tests::canary", or false"#
            ]],
        ),
        (
            "[profile.ci.gate]\nmodels_min = \"3\"\n",
            expect![[
                r#"line 2, column 14: `profile.ci.gate.models_min`: invalid type: string "3", expected u64"#
            ]],
        ),
        (
            "[[baseline]]\nfingerprint = \"123\"\n",
            expect![
                "line 2, column 15: `baseline[0].fingerprint`: `123` is no fingerprint: it has 16 digits of 0-9 and a-f, as in the finding's report"
            ],
        ),
        (
            "[[baseline]]\nfingerprint = \"0123456789abcdef\"\nreason = \" \"\n",
            expect!["line 3, column 10: `baseline[0].reason`: say why the finding is let through"],
        ),
        (
            "[[baseline]]\nfingerprint = \"0123456789abcdef\"\nreason = \"r\"\n",
            expect!["line 1, column 1: `baseline[0]`: missing field `expires`"],
        ),
        (
            "[[baseline]]\nfingerprint = \"0123456789abcdef\"\nreason = \"r\"\nexpires = 2026-02-30\n",
            expect!["line 4, column 11: invalid date, expected day between 01 and 28"],
        ),
        (
            "[[baseline]]\nfingerprint = \"0123456789abcdef\"\nreason = \"r\"\nexpires = \"2026-02-30\"\n",
            expect![
                "line 4, column 11: `baseline[0].expires`: `2026-02-30` is no day: one is written 2026-12-31"
            ],
        ),
        (
            "[[baseline]]\nfingerprint = \"0123456789abcdef\"\nreason = \"r\"\nexpires = 2026-02-20T10:00:00Z\n",
            expect![
                "line 4, column 11: `baseline[0].expires`: `2026-02-20T10:00:00Z` is no day: one is written 2026-12-31"
            ],
        ),
        (
            "baseline = [\n  { fingerprint = \"0123456789abcdef\", reason = \"r\", expires = 2026-02-20 },\n  \
             { fingerprint = \"0123456789abcdef\", reason = \"s\", expires = 2026-02-21 },\n]\n",
            expect![
                "line 3, column 19: `baseline[1].fingerprint`: `0123456789abcdef` is in the baseline twice"
            ],
        ),
    ]);
}

#[test]
fn texts_that_are_no_toml() {
    check(&[
        (
            "[profile",
            expect!["line 1, column 9: unclosed table, expected `]`"],
        ),
        (
            "[profile.ci]\nseed = \n",
            expect!["line 2, column 8: string values must be quoted, expected literal string"],
        ),
        (
            "profile = 3",
            expect!["line 1, column 11: `profile`: invalid type: integer `3`, expected a map"],
        ),
    ]);
}

/// Lines that a configuration may have, and some that it may not.
fn line() -> impl Strategy<Value = String> {
    let known: Vec<String> = WHOLE.lines().map(str::to_owned).collect();
    prop_oneof![
        6 => prop::sample::select(known),
        1 => "[a-z_.]{1,12} = [\\[{\"0-9a-z\\-]{0,6}",
        1 => ".{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_read_or_refused_at_a_place_inside(lines in prop::collection::vec(line(), 0..20)) {
        let text = lines.join("\n");
        if let Err(error) = crate::private::config(&text) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
            if let Some((line, column)) = error.place() {
                let length = text.split('\n').nth(line - 1).map(|line| line.chars().count());
                prop_assert!(length.is_some_and(|length| column <= length + 1), "{}", error);
            }
        }
    }
}
