//! Profiles: what each may say, and what several of them come to.
//!
//! Knows the keys and the defaults. A key that a profile does not name has the value of `default`;
//! what is built in for `ci` counts more than what `default` says, and less than what `ci` says.

use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use gordian::private::DEFAULT;
use gordian::report::{Engine, Finding};
use gordian::{Code, Leftover, Strategy, Vacuous};
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{Baseline, Canary, Ground, Named, Time};

/// How models are searched, and what the gate lets through.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// What runs the threads.
    pub(crate) engine: Option<Named<Engine>>,
    /// Who runs next.
    pub(crate) strategy: Option<Named<Strategy>>,
    /// Only interleavings with at most so many preemptions.
    pub(crate) preemptions_max: Option<u32>,
    /// Cuts an execution off after so many steps.
    pub(crate) steps_max: Option<NonZeroU32>,
    /// How many rounds a loop goes to no purpose before its thread waits for a change.
    pub(crate) spins_max: Option<u32>,
    /// How many executions are run again at the end, to see whether they go the same way.
    pub(crate) reruns: Option<u32>,
    /// How often a thread may wake spuriously from a condition variable, in one execution.
    pub(crate) spurious_max: Option<u32>,
    /// Ends a model's search after so many executions.
    pub(crate) executions_max: Option<NonZeroU64>,
    /// Ends a model's search after so much time.
    pub(crate) time_max: Option<Time>,
    /// Gives up when a model takes so long from one operation to the next.
    pub(crate) stall_max: Option<Time>,
    /// Of the random strategies.
    pub(crate) seed: Option<u64>,
    /// What becomes of threads that are left when an execution ends.
    pub(crate) leftover: Option<Named<Leftover>>,
    /// Whether a model passes that proves nothing: without a lock of gordian, with one thread, or
    /// with threads that never meet.
    pub(crate) vacuous: Option<Named<Vacuous>>,
    /// What `cargo gordian gate` asks for.
    pub(crate) gate: Gate,
}

/// What the gate asks for. Lists replace those of another profile as a whole.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// The packages whose models are run, unless the command line says: all that use gordian.
    pub(crate) packages: Option<Vec<String>>,
    /// Scenario files, and directories of them, from the root of the workspace.
    pub(crate) scenarios: Option<Vec<PathBuf>>,
    /// Whether the independent oracle must come to the same answer on each scenario.
    pub(crate) oracle: Option<bool>,
    /// The findings that fail, by severity and code: ["error"] unless given. A code counts more.
    pub(crate) fail: Option<Vec<Named<Ground>>>,
    /// The findings that do not fail, by severity and code.
    pub(crate) allow: Option<Vec<Named<Ground>>>,
    /// What a search that a bound ended is: "warn", and in ci "fail".
    pub(crate) incomplete: Option<Level>,
    /// What a model is that proves nothing: "warn", and in ci "fail".
    pub(crate) vacuous: Option<Level>,
    /// Models that are there to show just that, by binary and path.
    pub(crate) vacuous_models: Option<Vec<String>>,
    /// At least so many models and scenarios: 1 unless given.
    pub(crate) models_min: Option<u64>,
    /// At least so many distinct interleavings of all together: 1 unless given.
    pub(crate) executions_min: Option<u64>,
    /// The model that must be found, by binary and path, or false; in ci one must be named.
    pub(crate) canary: Option<Canary>,
}

/// How bad something is that is no finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The gate fails.
    Fail,
    /// It is said.
    Warn,
    /// It is not looked at.
    Allow,
}

impl Gate {
    /// What the fields' types do not say: the key, and what is wrong.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let (fail, allow) = (self.fail.iter().flatten(), self.allow.iter().flatten());
        for (index, ground) in allow.enumerate() {
            if fail.clone().any(|other| other == ground) {
                let message = format!("`{}` is also what fails", ground.word());
                return Err((format!("allow[{index}]"), message));
            }
        }
        Ok(())
    }

    /// What another profile makes of this.
    pub(super) fn under(self, above: Gate) -> Gate {
        Gate {
            packages: above.packages.or(self.packages),
            scenarios: above.scenarios.or(self.scenarios),
            oracle: above.oracle.or(self.oracle),
            fail: above.fail.or(self.fail),
            allow: above.allow.or(self.allow),
            incomplete: above.incomplete.or(self.incomplete),
            vacuous: above.vacuous.or(self.vacuous),
            vacuous_models: above.vacuous_models.or(self.vacuous_models),
            models_min: above.models_min.or(self.models_min),
            executions_min: above.executions_min.or(self.executions_min),
            canary: above.canary.or(self.canary),
        }
    }
}

impl Profile {
    /// The profiles that there are in every project.
    pub(crate) const BUILT_IN: [&str; 2] = ["default", "ci"];

    /// What a profile says before the file says anything.
    pub(super) fn built_in(name: &str) -> Profile {
        let mut profile = Profile::default();
        if name == "ci" {
            profile.gate.incomplete = Some(Level::Fail);
            profile.gate.vacuous = Some(Level::Fail);
        }
        profile
    }
}

/// The settings of searches; none is what the library does by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Searching(Profile);

impl Searching {
    /// What another profile makes of these.
    pub(super) fn under(self, above: Profile) -> Searching {
        let Searching(below) = self;
        Searching(Profile {
            engine: above.engine.or(below.engine),
            strategy: above.strategy.or(below.strategy),
            preemptions_max: above.preemptions_max.or(below.preemptions_max),
            steps_max: above.steps_max.or(below.steps_max),
            spins_max: above.spins_max.or(below.spins_max),
            reruns: above.reruns.or(below.reruns),
            spurious_max: above.spurious_max.or(below.spurious_max),
            executions_max: above.executions_max.or(below.executions_max),
            time_max: above.time_max.or(below.time_max),
            stall_max: above.stall_max.or(below.stall_max),
            seed: above.seed.or(below.seed),
            leftover: above.leftover.or(below.leftover),
            vacuous: above.vacuous.or(below.vacuous),
            gate: Gate::default(),
        })
    }

    /// By the names that variables end in.
    pub(crate) fn named(&self) -> Vec<(&'static str, String)> {
        let Searching(its) = self;
        let text = |it: Option<u64>| it.map(|number| number.to_string());
        let settings = [
            ("ENGINE", its.engine.map(|it| it.word().to_owned())),
            ("STRATEGY", its.strategy.map(|it| it.word().to_owned())),
            ("PREEMPTIONS_MAX", text(its.preemptions_max.map(u64::from))),
            ("STEPS_MAX", text(its.steps_max.map(|it| it.get().into()))),
            ("SPINS_MAX", text(its.spins_max.map(u64::from))),
            ("RERUNS", text(its.reruns.map(u64::from))),
            ("SPURIOUS_MAX", text(its.spurious_max.map(u64::from))),
            (
                "EXECUTIONS_MAX",
                text(its.executions_max.map(NonZeroU64::get)),
            ),
            (
                "TIME_MAX",
                its.time_max.map(|it| it.0.as_secs_f64().to_string()),
            ),
            (
                "STALL_MAX",
                its.stall_max.map(|it| it.0.as_secs_f64().to_string()),
            ),
            ("SEED", text(its.seed)),
            ("LEFTOVER", its.leftover.map(|it| it.word().to_owned())),
            ("VACUOUS", its.vacuous.map(|it| it.word().to_owned())),
        ];
        let given = settings.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

impl Searching {
    /// As a checker reads them: below what a model says of itself.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let named = self.named().into_iter();
        named
            .map(|(name, value)| (format!("{DEFAULT}{name}"), value))
            .collect()
    }
}

/// What the gate lets through, in one profile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Policy {
    /// Whose.
    pub(crate) profile: String,
    pub(crate) packages: Vec<String>,
    pub(crate) scenarios: Vec<PathBuf>,
    pub(crate) oracle: bool,
    fail: Vec<Ground>,
    allow: Vec<Ground>,
    pub(crate) incomplete: Level,
    pub(crate) vacuous: Level,
    pub(crate) vacuous_models: Vec<String>,
    pub(crate) models_min: u64,
    pub(crate) executions_min: u64,
    /// None when the profile does not say.
    pub(crate) canary: Option<Canary>,
    pub(crate) baseline: Vec<Baseline>,
}

impl Policy {
    pub(super) fn of(profile: &str, gate: Gate, baseline: Vec<Baseline>) -> Self {
        let grounds = |list: Option<Vec<Named<Ground>>>| {
            let list = list.into_iter().flatten();
            list.map(|named| named.0).collect::<Vec<_>>()
        };
        let is_said = gate.fail.is_some();
        let mut fail = grounds(gate.fail);
        if !is_said {
            fail.push(Ground::Severity(gordian::report::Severity::Error));
        }
        Policy {
            profile: profile.to_owned(),
            packages: gate.packages.unwrap_or_default(),
            scenarios: gate.scenarios.unwrap_or_default(),
            oracle: gate.oracle.unwrap_or(false),
            fail,
            allow: grounds(gate.allow),
            incomplete: gate.incomplete.unwrap_or(Level::Warn),
            vacuous: gate.vacuous.unwrap_or(Level::Warn),
            vacuous_models: gate.vacuous_models.unwrap_or_default(),
            models_min: gate.models_min.unwrap_or(1),
            executions_min: gate.executions_min.unwrap_or(1),
            canary: gate.canary,
            baseline,
        }
    }

    /// Whether a finding fails, the baseline aside. A code says more than a severity, and of two
    /// severities the one that fails.
    pub(crate) fn fails(&self, finding: &Finding) -> bool {
        let named = |list: &[Ground], code: Code| list.contains(&Ground::Code(code));
        if named(&self.fail, finding.code) {
            return true;
        }
        let severity = Ground::Severity(finding.severity);
        !named(&self.allow, finding.code) && self.fail.contains(&severity)
    }

    /// Whether the profile is one in which a gate must be able to fail.
    pub(crate) fn is_strict(&self) -> bool {
        self.profile == "ci"
    }
}
