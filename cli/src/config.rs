//! `.config/gordian.toml`: how a project searches, and what its gate lets through.
//!
//! Knows where the file is, its keys, and which profile's value counts. Does not know what is done
//! with a value. [`read`] is a plain function from a text; its keys and its schema are the fields
//! of [`Config`], in one place.

mod keys;
mod profile;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::ConfigArgs;
use crate::error::Error as Refusal;
pub(crate) use keys::nearest;
pub use profile::{Gate, Level, Profile};
pub(crate) use profile::{Policy, Searching};
pub(crate) use values::Canary;
pub use values::{Baseline, Day};

/// Where it is, from the root of the workspace.
pub(crate) const FILE: &str = ".config/gordian.toml";
/// No configuration is as long.
const BYTES_MAX: u64 = 1 << 20;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Gordian's configuration, .config/gordian.toml")]
pub struct Config {
    /// Settings by name: `default` holds for all, `ci` and others change what they name.
    pub profile: BTreeMap<String, Profile>,
    /// Findings that are known and let through for a while.
    pub baseline: Vec<Baseline>,
}

/// Why a text is no configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// From 1; in characters.
    place: Option<(usize, usize)>,
    message: String,
}

impl Error {
    fn at(text: &str, span: Option<Range<usize>>, message: String) -> Self {
        let place = span.map(|span| {
            // What is wrong may be the end of the text.
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.rsplit('\n').next().unwrap_or_default();
            (before.matches('\n').count() + 1, line.chars().count() + 1)
        });
        Error { place, message }
    }

    /// Line and column of what is wrong, from 1, if it is at a place.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Reads a configuration.
///
/// # Errors
/// The first thing that is wrong with the text: its place, the way to the key, and the way out.
pub(crate) fn read(text: &str) -> Result<Config, Error> {
    let table = toml::de::DeTable::parse(text).map_err(|error| {
        let message = error.message().trim().replace('\n', ", ");
        Error::at(text, error.span(), message)
    })?;
    if let Some((span, message)) = keys::unknown(&table) {
        return Err(Error::at(text, Some(span), message));
    }
    let unusable = |error: toml::de::Error| Error::at(text, error.span(), error.message().into());
    let deserializer = toml::Deserializer::parse(text).map_err(unusable)?;
    let config: Config = serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let key = error.path().to_string();
        let inner = error.into_inner();
        let message = format!("`{key}`: {}", inner.message().trim());
        // Of what is in a list, the reader only knows where the list is.
        let span = keys::span(&table, &key).or(inner.span());
        Error::at(text, span, message)
    })?;
    config.check().map_err(|(key, message)| {
        Error::at(
            text,
            keys::span(&table, &key),
            format!("`{key}`: {message}"),
        )
    })?;
    Ok(config)
}

impl Config {
    /// What only the whole file shows: the key, and what is wrong.
    fn check(&self) -> Result<(), (String, String)> {
        for (name, profile) in &self.profile {
            profile
                .gate
                .check()
                .map_err(|(key, message)| (format!("profile.{name}.gate.{key}"), message))?;
        }
        for (index, entry) in self.baseline.iter().enumerate() {
            let before = self.baseline[..index].iter();
            let same = |other: &Baseline| {
                other.fingerprint == entry.fingerprint && other.model == entry.model
            };
            if before.clone().any(same) {
                let message = format!("`{}` is in the baseline twice", entry.fingerprint);
                return Err((format!("baseline[{index}].fingerprint"), message));
            }
        }
        Ok(())
    }

    /// The schema of the file, for editors.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Config).to_value()
    }
}

/// A configuration, and which of its profiles counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) config: Config,
    pub(crate) profile: String,
}

impl Chosen {
    /// The configuration that the command line means; an empty one where there is none.
    ///
    /// # Errors
    /// When the file cannot be used, or has no such profile.
    pub(crate) fn of(args: &ConfigArgs, root: Option<&Path>) -> Result<Self, Refusal> {
        let path = match (&args.config_file, root) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(root)) => Some(root.join(FILE)).filter(|path| path.exists()),
            (None, None) => None,
        };
        let config = match &path {
            None => Config::default(),
            Some(path) => {
                let shown = path.display();
                let usage = |error: &dyn fmt::Display| Refusal::Usage(format!("{shown}: {error}"));
                let length = fs::metadata(path).map_err(|error| usage(&error))?.len();
                if length > BYTES_MAX {
                    return Err(usage(&format!("it has more than {BYTES_MAX} bytes")));
                }
                let text = fs::read_to_string(path).map_err(|error| usage(&error))?;
                read(&text).map_err(|error| usage(&error))?
            }
        };
        let profile = args.profile.clone().unwrap_or_else(|| "default".to_owned());
        let chosen = Chosen { config, profile };
        chosen.check(path.as_deref())?;
        Ok(chosen)
    }

    fn check(&self, path: Option<&Path>) -> Result<(), Refusal> {
        let known = Profile::BUILT_IN.iter().copied();
        let known: Vec<&str> = known
            .chain(self.config.profile.keys().map(String::as_str))
            .collect();
        if known.contains(&self.profile.as_str()) {
            return Ok(());
        }
        let hint = nearest(&self.profile, known.iter().copied());
        let hint = hint.map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
        let file = path.map_or_else(|| FILE.to_owned(), |path| path.display().to_string());
        Err(Refusal::Usage(format!(
            "no profile is named `{}`{hint} (a profile is a table [profile.{0}] in {file})",
            self.profile
        )))
    }

    /// How models are searched unless they say otherwise.
    pub(crate) fn searching(&self) -> Searching {
        self.layers().fold(Searching::default(), Searching::under)
    }

    /// What the gate lets through.
    pub(crate) fn policy(&self) -> Policy {
        let gates = self.layers().map(|profile| profile.gate.clone());
        let gate = gates.fold(Gate::default(), Gate::under);
        Policy::of(&self.profile, gate, self.config.baseline.clone())
    }

    /// The profiles that count, the first one least.
    fn layers(&self) -> impl Iterator<Item = Profile> {
        let own = |name: &str| self.config.profile.get(name).cloned();
        let is_default = self.profile == "default";
        let layers = [
            own("default"),
            (!is_default).then(|| Profile::built_in(&self.profile)),
            own(&self.profile).filter(|_| !is_default),
        ];
        layers.into_iter().flatten().collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests;
