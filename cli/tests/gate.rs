//! `cargo gordian gate` from the outside: what turns it green, what turns it red, and how parts of
//! a run come to the same as the whole.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{command, fixture, gordian, target, turn};
use serde_json::Value;

/// The policy of the fixture, to which cases add.
const POLICY: &str = "\
[profile.default.gate]
scenarios = [\"scenarios\"]
oracle = true
canary = \"bank tests::canary\"
models_min = 4
executions_min = 10
";
/// The day on which these tests think they run.
const TODAY: &str = "2026-11-22";

/// A run of the gate in the fixture.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Run {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn all(&self) -> String {
        format!("exit code {}\n{}\n{}", self.code, self.stdout, self.stderr)
    }

    /// The objects of this kind on stdout.
    fn lines(&self, kind: &str) -> Vec<Value> {
        let lines = self.stdout.lines().map(serde_json::from_str::<Value>);
        let lines = lines.map(|line| line.expect("only JSON is on stdout"));
        lines.filter(|line| line["kind"] == kind).collect()
    }

    /// What the gate says of a rule.
    fn rule(&self, name: &str) -> String {
        let gate = self
            .lines("gate")
            .pop()
            .unwrap_or_else(|| panic!("{}", self.all()));
        let rules = gate["rules"].as_array().unwrap().clone();
        let rule = rules.iter().find(|rule| rule["rule"] == name).expect(name);
        rule["verdict"].as_str().unwrap().to_owned()
    }
}

/// A configuration beside the fixture.
fn configuration(name: &str, text: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configurations");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{name}.toml"));
    fs::write(&path, text).unwrap();
    path
}

fn prepared(root: &Path, name: &str, line: &str, policy: &str) -> Command {
    let line = format!("gate --profile ci --today {TODAY} {line}");
    let mut command = command(root, &line);
    for name in [
        "CI",
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_WORKSPACE",
    ] {
        command.env_remove(name);
    }
    command
        .arg("--config-file")
        .arg(configuration(name, policy));
    command.stderr(std::process::Stdio::piped());
    command
}

fn gate(name: &str, line: &str, policy: &str) -> Run {
    let root = fixture("gate");
    Run::of(prepared(&root, name, line, policy).output().unwrap())
}

/// What a run must come to.
struct Case {
    name: &'static str,
    line: &'static str,
    policy: String,
    code: i32,
    /// Texts that stdout must have.
    stdout: &'static [&'static str],
}

fn check(cases: &[Case]) {
    let _turn = turn();
    for case in cases {
        let run = gate(case.name, case.line, &case.policy);
        assert_eq!(run.code, case.code, "{}: {}", case.name, run.all());
        for text in case.stdout {
            assert!(
                run.stdout.contains(text),
                "{}: `{text}` is not in {}",
                case.name,
                run.all()
            );
        }
    }
}

#[test]
fn what_is_as_it_should_be_is_green() {
    check(&[Case {
        name: "green",
        line: "",
        policy: POLICY.to_owned(),
        code: 0,
        stdout: &[
            "findings    pass     none that fails",
            "checks      pass     5 of 5",
            "incomplete  pass",
            "vacuous     pass",
            "minimum     pass     5 models and ",
            "baseline    pass     0 entries",
            "canary      pass     deadlock found in `bank tests::canary`, as it must be",
        ],
    }]);
    // The project's own file says the same.
    let _turn = turn();
    let own = Run::of(gordian(&fixture("gate"), "gate --profile ci"));
    assert_eq!(own.code, 0, "{}", own.all());
}

#[test]
fn what_is_wrong_is_red() {
    let with = |text: &str| format!("{POLICY}{text}\n");
    check(&[
        Case {
            name: "specimen",
            line: "--features bank/specimen",
            policy: POLICY.to_owned(),
            code: 100,
            stdout: &[
                "FAIL bank tests::specimen\nerror[deadlock]: ",
                "findings    FAIL     1 finding that fails",
                "bank tests::specimen: deadlock: ",
                "canary      pass",
            ],
        },
        Case {
            name: "panics-at-build",
            line: "--features bank/panics-at-build",
            policy: POLICY.to_owned(),
            code: 100,
            stdout: &[
                "FAIL bank tests::panics_at_build\nerror[panic]: ",
                "there is an account",
                "findings    FAIL     1 finding that fails",
            ],
        },
        Case {
            name: "aborts-at-build",
            line: "--features bank/aborts-at-build",
            policy: POLICY.to_owned(),
            code: 100,
            stdout: &["checks      FAIL     ", "bank tests::aborts_at_build"],
        },
        Case {
            name: "capped",
            line: "--executions-max 1",
            policy: POLICY.to_owned(),
            // The canary is not met in the first interleaving.
            code: 100,
            stdout: &[
                "incomplete  FAIL     ",
                "bank tests::counting_is_exact: only 1 ",
                "canary      FAIL     the canary was not found",
            ],
        },
        Case {
            name: "capped-late",
            line: "--executions-max 5",
            policy: POLICY.to_owned(),
            code: 106,
            stdout: &["incomplete  FAIL     ", "canary      pass"],
        },
        Case {
            name: "vacuous",
            line: "--features bank/vacuous",
            policy: POLICY.to_owned(),
            code: 106,
            stdout: &[
                "vacuous     FAIL     1 model",
                "bank tests::vacuous: this model has no thread that ever has to wait",
            ],
        },
        Case {
            name: "too-few",
            line: "",
            policy: POLICY.replace("models_min = 4", "models_min = 6"),
            code: 4,
            stdout: &["minimum     FAIL", "5 models were checked, 6 must be"],
        },
        Case {
            name: "empty",
            line: "",
            policy: "[profile.ci.gate]\npackages = [\"nothing\"]\ncanary = false\n".to_owned(),
            code: 4,
            stdout: &["minimum     FAIL", "0 models were checked, 1 must be"],
        },
        Case {
            name: "wrong-answer",
            line: "",
            policy: with("[profile.ci.gate]\nscenarios = [\"wrong/answer.gordian\"]"),
            code: 100,
            stdout: &[
                "scenario wrong/answer.gordian: found deadlock, expected nothing",
                "checks      FAIL",
            ],
        },
        Case {
            name: "no-answer",
            line: "",
            policy: with("[profile.ci.gate]\nscenarios = [\"wrong/unanswered.gordian\"]"),
            code: 100,
            stdout: &[
                "findings    FAIL",
                "FAIL scenario wrong/unanswered.gordian\nerror[deadlock]",
            ],
        },
        Case {
            name: "no-scenario",
            line: "",
            policy: with("[profile.ci.gate]\nscenarios = [\"wrong/text.gordian\"]"),
            code: 2,
            stdout: &[
                "checks      FAIL",
                "scenario wrong/text.gordian: line 3, column 5: ",
            ],
        },
    ]);
}

#[test]
fn a_gate_that_cannot_fail_fails() {
    check(&[
        Case {
            name: "no-canary",
            line: "--features bank/no-canary",
            policy: POLICY.to_owned(),
            code: 100,
            stdout: &["canary      FAIL     `bank tests::canary` is not there"],
        },
        Case {
            name: "canary-not-named",
            line: "",
            policy: POLICY.replace("canary = \"bank tests::canary\"\n", ""),
            code: 100,
            stdout: &["canary      FAIL     no canary is named"],
        },
        Case {
            name: "clean-canary",
            line: "",
            policy: POLICY.replace("tests::canary", "tests::counting_is_exact"),
            code: 100,
            stdout: &["canary      FAIL     the canary was not found"],
        },
        Case {
            name: "allowed-canary",
            line: "",
            policy: POLICY.to_owned() + "allow = [\"deadlock\"]\n",
            code: 100,
            stdout: &["canary      FAIL     what it finds would be let through"],
        },
    ]);
}

#[test]
fn what_cannot_be_carried_out_is_no_verdict() {
    let _turn = turn();
    let run = gate("broken", "--features bank/broken", POLICY);
    assert_eq!(run.code, 101, "{}", run.all());
    assert!(
        run.stderr.contains("the tests do not compile"),
        "{}",
        run.all()
    );
    let run = gate("misspelt", "", "[profile.ci.gate]\nfial = [\"error\"]\n");
    assert_eq!(run.code, 2, "{}", run.all());
    let message = "misspelt.toml: line 2, column 1: no key is named `profile.ci.gate.fial`; did \
                   you mean `fail`?";
    assert!(run.stderr.contains(message), "{}", run.all());
    let run = gate("strange", "--profile co", POLICY);
    assert_eq!(run.code, 2, "{}", run.all());
    assert!(run.stderr.contains("did you mean `ci`?"), "{}", run.all());
}

/// An entry of the baseline.
fn known(fingerprint: &str, expires: &str) -> String {
    format!(
        "[[baseline]]\nfingerprint = \"{fingerprint}\"\nreason = \"later\"\nexpires = {expires}\n"
    )
}

#[test]
fn a_baseline_lets_one_finding_through_for_a_while() {
    let _turn = turn();
    let run = gate(
        "seen",
        "--features bank/specimen --message-format json",
        POLICY,
    );
    let specimen = run.lines("model").into_iter();
    let mut specimen = specimen.filter(|line| line["test"] == "tests::specimen");
    let specimen = specimen.next_back().expect("the specimen is there");
    let fingerprint = specimen["findings"][0]["fingerprint"].as_str().unwrap();
    let line = "--features bank/specimen";
    let other = known("0123456789abcdef", "2027-01-01");
    let cases = [
        (
            "hidden",
            line,
            known(fingerprint, "2026-11-22"),
            0,
            "1 let through by the baseline",
        ),
        (
            "expired",
            line,
            known(fingerprint, "2026-11-21"),
            100,
            "expired on 2026-11-21",
        ),
        (
            "unused",
            "",
            known(fingerprint, "2027-01-01"),
            100,
            "take it out",
        ),
        (
            "another",
            line,
            other,
            100,
            "findings    FAIL     1 finding that fails",
        ),
    ];
    for (name, line, entry, code, text) in cases {
        let run = gate(name, line, &format!("{POLICY}{entry}"));
        assert_eq!(run.code, code, "{name}: {}", run.all());
        assert!(run.stdout.contains(text), "{name}: {}", run.all());
    }
    let run = gate(
        "hidden",
        line,
        &format!("{POLICY}{}", known(fingerprint, "2026-11-22")),
    );
    let said = format!("deadlock in bank tests::specimen ({fingerprint}; later)");
    assert!(run.stdout.contains(&said), "{}", run.all());
    let log = fs::read_to_string(target().join("gordian/report.sarif")).unwrap();
    assert!(
        log.contains("in the baseline until 2026-11-22: later"),
        "{log}"
    );
    let page = fs::read_to_string(target().join("gordian/junit.xml")).unwrap();
    assert!(!page.contains("<failure"), "{page}");
}

/// Each finding with its model, and the interleavings of each model.
fn union(lines: &[Value]) -> (BTreeSet<String>, u64) {
    let mut found = BTreeSet::new();
    let mut executions = 0;
    for line in lines {
        let title = format!("{} {}", line["binary"], line["test"]);
        let findings = line["findings"].as_array().into_iter().flatten();
        found.extend(findings.map(|finding| format!("{title} {}", finding["fingerprint"])));
        executions += line["search"]["executions"].as_u64().unwrap_or(0);
    }
    (found, executions)
}

/// The models and scenarios that were kept of a run.
fn kept(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == "model").collect()
}

#[test]
fn parts_come_to_the_same_as_the_whole() {
    let _turn = turn();
    let (line, shards) = ("--features bank/specimen", target().join("gordian/shards"));
    let _ = fs::remove_dir_all(&shards);
    let whole = gate("whole", line, POLICY);
    let expected = union(&kept(&target().join("gordian/events.jsonl")));
    assert!(expected.0.len() >= 3, "{:?}", expected.0);

    let mut ran = Vec::new();
    for number in 1..=3 {
        let run = gate(
            "part",
            &format!("{line} --shard {number}/3 --message-format json"),
            POLICY,
        );
        assert!([0, 100].contains(&run.code), "{}", run.all());
        assert_eq!(run.rule("minimum"), "not-judged");
        ran.extend(kept(&shards.join(format!("{number}-of-3.jsonl"))));
    }
    assert_eq!(union(&ran), expected);
    let merge = format!("--merge {}", shards.display());
    let merged = gate("merged", &merge, POLICY);
    assert_eq!((merged.code, whole.code), (100, 100), "{}", merged.all());
    assert_eq!(
        union(&kept(&target().join("gordian/events.jsonl"))),
        expected
    );
    let rules = |run: &Run| {
        let from = run
            .stdout
            .find("rule        verdict")
            .expect("there is a table");
        run.stdout[from..].to_owned()
    };
    assert_eq!(rules(&merged), rules(&whole));

    // Parts that are no whole.
    fs::copy(shards.join("1-of-3.jsonl"), shards.join("again.jsonl")).unwrap();
    let twice = gate("twice", &merge, POLICY);
    assert_eq!(twice.code, 2, "{}", twice.all());
    assert!(
        twice.stderr.contains("part 1 of 3 is there twice"),
        "{}",
        twice.all()
    );
    fs::remove_file(shards.join("again.jsonl")).unwrap();
    fs::remove_file(shards.join("2-of-3.jsonl")).unwrap();
    let missing = gate("missing", &merge, POLICY);
    assert_eq!(missing.code, 2, "{}", missing.all());
    assert!(
        missing.stderr.contains("parts are missing: 2/3"),
        "{}",
        missing.all()
    );
    let nowhere = gate("nowhere", "--merge /nonexistent", POLICY);
    assert_eq!(nowhere.code, 2, "{}", nowhere.all());
}

#[test]
fn only_what_has_changed_and_what_depends_on_it() {
    let _turn = turn();
    let root = fixture("gate");
    // A repository of its own, whatever is around it.
    let git = |line: &str| {
        let mut git = Command::new("git");
        git.args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            "-c",
            "init.defaultBranch=main",
        ]);
        let done = git
            .args(line.split(' '))
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "git {line}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    };
    let _ = fs::remove_dir_all(root.join(".git"));
    git("init -q");
    git("add -A");
    git("commit -qm fixture");
    let models = |run: &Run| {
        let lines = run.lines("model").into_iter();
        let ran = lines.filter(|line| line["status"] != "ignored");
        let names: BTreeSet<String> = ran.map(|line| line["binary"].to_string()).collect();
        names
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
            .replace('"', "")
    };
    let line = "--changed HEAD --message-format json";
    // Without the fixture being made anew.
    let gate = |name, line| Run::of(prepared(&root, name, line, POLICY).output().unwrap());
    let append = |file: &str, text: &str| {
        let path = root.join(file);
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, old + text).unwrap();
    };
    let none = gate("none", line);
    assert_eq!(
        (none.code, models(&none).as_str()),
        (0, "bank"),
        "{}",
        none.all()
    );
    append("app/src/lib.rs", "// changed\n");
    let app = gate("app", line);
    assert_eq!(
        (app.code, models(&app).as_str()),
        (0, "app bank"),
        "{}",
        app.all()
    );
    append("scenarios/abba.gordian", "# changed\n");
    let both = gate("both", line);
    assert_eq!(
        (both.code, models(&both).as_str()),
        (0, "app bank"),
        "{}",
        both.all()
    );
    assert_eq!(both.lines("scenario").len(), 1, "{}", both.all());
    let left_out = both.lines("gate")[0]["left_out"].to_string();
    assert_eq!(left_out, "[\"package nothing\",\"1 scenario\"]");
    let unknown = gate("unknown", "--changed nowhere");
    assert_eq!(unknown.code, 2, "{}", unknown.all());
    assert!(
        unknown.stderr.contains("`nowhere` is no commit here"),
        "{}",
        unknown.all()
    );
    fs::remove_dir_all(root.join(".git")).unwrap();
}

#[test]
fn github_is_told() {
    let _turn = turn();
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("summary.md");
    let _ = fs::remove_file(&page);
    let root = fixture("gate");
    let mut told = prepared(
        &root,
        "told",
        "--features bank/specimen,bank/vacuous",
        POLICY,
    );
    told.env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &page);
    let told = Run::of(told.env("GITHUB_WORKSPACE", &root).output().unwrap());
    assert_eq!(told.code, 100, "{}", told.all());
    let mut commands = told.stderr.lines().filter(|line| line.starts_with("::"));
    let first = commands.next().unwrap_or_else(|| panic!("{}", told.all()));
    let place = "::error file=bank/src/lib.rs,line=";
    assert!(
        first.starts_with(place) && first.contains("title=deadlock%3A bank tests%3A%3Aspecimen"),
        "{first}"
    );
    let second = commands.next().unwrap();
    assert!(
        second.starts_with("::error title=vacuous%3A bank tests%3A%3Avacuous::"),
        "{second}"
    );
    let text = fs::read_to_string(&page).unwrap();
    for part in [
        "## Gordian gate: failed",
        "| findings | **fail** |",
        "### deadlock in bank tests::specimen",
        "waits for alice at bank/src/lib.rs:",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }

    let mut broken = prepared(&root, "told", "--features bank/broken", POLICY);
    broken
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &page);
    let broken = Run::of(broken.output().unwrap());
    assert!(
        broken
            .stderr
            .contains("::error title=gordian gate::the tests do not compile")
    );
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("## Gordian gate: not carried out"), "{text}");
}

/// Flag, environment, attribute, profile, default: the first of them that says anything.
#[test]
fn of_two_settings_the_nearer_one_counts() {
    let _turn = turn();
    let searched = |line: &str, seed: Option<&str>| {
        let line = format!("test -q -p app --message-format json {line}");
        let mut command = command(&fixture("gate"), &line);
        if let Some(seed) = seed {
            command.env("GORDIAN_SEED", seed);
        }
        let run = Run::of(command.output().unwrap());
        let words = |line: &Value| {
            let search = &line["search"];
            let (strategy, executions) = (&search["strategy"], &search["executions"]);
            format!(
                "{} {executions} {}",
                strategy.as_str().unwrap(),
                search["seed"]
            )
        };
        let mut lines = run.lines("model");
        lines.sort_by_key(|line| line["test"].to_string());
        lines.iter().map(words).collect::<Vec<_>>().join("; ")
    };
    // The model with an attribute comes first.
    for (line, seed, expected) in [
        ("", None, "random 5 11; exhaustive 6 null"),
        ("--profile other", None, "random 5 11; pct 7 22"),
        ("--profile other", Some("33"), "random 5 33; pct 7 33"),
        (
            "--profile other --seed 44",
            Some("33"),
            "random 5 44; pct 7 44",
        ),
        (
            "--profile other --executions-max 3",
            None,
            "random 3 11; pct 3 22",
        ),
        ("--profile other --strategy urw", None, "urw 5 11; urw 7 22"),
    ] {
        assert_eq!(searched(line, seed), expected, "{line}");
    }
}
