//! The values that are no plain numbers or texts.
//!
//! Knows how each is written, and what its schema is. Every refusal says how it is written right.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gordian::report::{Engine, Severity};
use gordian::{Code, Leftover, Strategy, Vacuous};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::keys::nearest;
use crate::args::parse_duration;

/// A finding that is known, and let through until it is mended.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Which finding: the 16 hexadecimal digits in its report.
    #[serde(deserialize_with = "fingerprint")]
    #[schemars(regex(pattern = "^[0-9a-f]{16}$"))]
    pub fingerprint: String,
    /// Only where this model finds it: "BINARY PATH", or "scenario FILE".
    #[serde(default)]
    pub model: Option<String>,
    /// Why it is let through.
    #[serde(deserialize_with = "reason")]
    #[schemars(length(min = 1))]
    pub reason: String,
    /// The last day on which it is, in UTC.
    pub expires: Day,
}

fn fingerprint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if text.len() == 16 && text.chars().all(is_digit) {
        return Ok(text);
    }
    Err(de::Error::custom(format_args!(
        "`{text}` is no fingerprint: it has 16 digits of 0-9 and a-f, as in the finding's report"
    )))
}

fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(de::Error::custom("say why the finding is let through"));
    }
    Ok(text)
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// Today, in UTC.
    pub(crate) fn today() -> Self {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        Day(now.date())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_written_so = text.len() == "2026-12-31".len();
        let date = text.parse().ok().filter(|_| is_written_so);
        date.map(Day)
            .ok_or_else(|| format!("`{text}` is no day: one is written 2026-12-31"))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // With quotes or without.
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::Datetime(day) => day.to_string(),
            toml::Value::String(text) => text,
            other => other.type_str().to_owned(),
        };
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

/// A word of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<T>(pub(crate) T);

/// What words there are for something.
pub(crate) trait Words: Sized + Copy + 'static {
    /// What it is called, for people and for schemas.
    const KIND: &'static str;

    /// All of them.
    fn words() -> Vec<(&'static str, Self)>;
}

impl Words for Strategy {
    const KIND: &'static str = "strategy";

    fn words() -> Vec<(&'static str, Self)> {
        let all = Strategy::ALL.iter();
        all.map(|&(strategy, name)| (name, strategy)).collect()
    }
}

impl Words for Leftover {
    const KIND: &'static str = "way to end leftover threads";

    fn words() -> Vec<(&'static str, Self)> {
        let all = Leftover::ALL.iter();
        all.map(|&(leftover, name)| (name, leftover)).collect()
    }
}

impl Words for Vacuous {
    const KIND: &'static str = "judgement of a vacuous model";

    fn words() -> Vec<(&'static str, Self)> {
        let all = Vacuous::ALL.iter();
        all.map(|&(vacuous, name)| (name, vacuous)).collect()
    }
}

impl Words for Engine {
    const KIND: &'static str = "engine";

    fn words() -> Vec<(&'static str, Self)> {
        vec![("controlled", Engine::Controlled), ("loom", Engine::Loom)]
    }
}

impl Words for Code {
    const KIND: &'static str = "code";

    fn words() -> Vec<(&'static str, Self)> {
        Code::ALL
            .iter()
            .map(|code| (code.as_str(), *code))
            .collect()
    }
}

/// What a finding is judged by: how bad it is, or what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// All of this severity.
    Severity(Severity),
    /// All of this kind, which says more than a severity.
    Code(Code),
}

impl Words for Ground {
    const KIND: &'static str = "severity or code";

    fn words() -> Vec<(&'static str, Self)> {
        let severities = [("error", Severity::Error), ("hazard", Severity::Hazard)];
        let severities = severities.map(|(name, it)| (name, Ground::Severity(it)));
        let codes = Code::words().into_iter();
        let codes = codes.map(|(name, code)| (name, Ground::Code(code)));
        severities.into_iter().chain(codes).collect()
    }
}

impl<T: Words> Named<T> {
    /// The word for it.
    pub(crate) fn word(&self) -> &'static str
    where
        T: PartialEq,
    {
        let found = T::words().into_iter().find(|(_, it)| *it == self.0);
        found.map_or("", |(name, _)| name)
    }
}

impl<'de, T: Words> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let words = T::words();
        if let Some((_, it)) = words.iter().find(|(name, _)| *name == text) {
            return Ok(Named(*it));
        }
        let names = words.iter().map(|(name, _)| *name);
        let kind = T::KIND;
        Err(de::Error::custom(match nearest(&text, names.clone()) {
            Some(word) => format!("no {kind} is named `{text}`; did you mean `{word}`?"),
            None => {
                let names: Vec<_> = names.collect();
                format!(
                    "no {kind} is named `{text}`; there are {}",
                    names.join(", ")
                )
            }
        }))
    }
}

impl<T: Words> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        let mut name = T::KIND.replace(' ', "-");
        name[..1].make_ascii_uppercase();
        name.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = T::words().into_iter().map(|(name, _)| name).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

/// How long a search may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Time(pub(crate) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time: 30, 2.5, \"2s\", \"500ms\" or \"3min\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                parse_duration(text).map(Time).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Time, E> {
                self.visit_str(&seconds.to_string())
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Seconds, or a text such as \"2s\", \"500ms\" or \"3min\"",
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "pattern": "^[0-9.]+ *(ms|s|min)?$" },
            ],
        })
    }
}

/// The model that must be found, or that there shall be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Canary {
    /// Whoever wrote this knows that nothing proves that the gate can fail.
    None,
    /// By binary and path.
    Model(String),
}

impl<'de> Deserialize<'de> for Canary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Canary;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model by binary and path, as in \"bank tests::canary\", or false")
            }

            fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Canary, E> {
                match wanted {
                    false => Ok(Canary::None),
                    true => Err(E::invalid_type(de::Unexpected::Bool(true), &self)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Canary, E> {
                match text.split_once(' ') {
                    Some((binary, path)) if !binary.is_empty() && !path.is_empty() => {
                        Ok(Canary::Model(text.to_owned()))
                    }
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Canary {
    fn schema_name() -> Cow<'static, str> {
        "Canary".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A model by binary and path, as in \"bank tests::canary\", or false",
            "anyOf": [{ "type": "string", "pattern": "^[^ ]+ .+$" }, { "const": false }],
        })
    }
}
