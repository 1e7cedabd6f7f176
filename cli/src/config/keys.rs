//! Keys that there are not, and where a key is.
//!
//! Knows TOML's tables and the schema, whose properties are the keys. Does not know what a key is
//! for.

use std::ops::Range;
use std::sync::OnceLock;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Config;

/// A key that is none: its place, and what to say.
type Unknown = (Range<usize>, String);

/// The first key that there is not.
pub(super) fn unknown(table: &Spanned<DeTable<'_>>) -> Option<Unknown> {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let root = SCHEMA.get_or_init(Config::schema);
    in_table(table.get_ref(), root, root, "")
}

fn in_table(table: &DeTable<'_>, schema: &Value, root: &Value, above: &str) -> Option<Unknown> {
    let schema = object(schema, root)?;
    let known = schema.get("properties").and_then(Value::as_object);
    let any = schema
        .get("additionalProperties")
        .filter(|any| any.is_object());
    // As they stand in the file, not in the order of letters.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries.into_iter().find_map(|(key, value)| {
        let name = key.get_ref().as_ref();
        let path = match above {
            "" => name.to_owned(),
            above => format!("{above}.{name}"),
        };
        match known.and_then(|known| known.get(name)).or(any) {
            Some(below) => in_value(value.get_ref(), below, root, &path),
            None => {
                let names = known.into_iter().flatten().map(|(name, _)| name.as_str());
                Some((key.span(), answer(&path, name, names)))
            }
        }
    })
}

fn in_value(value: &DeValue<'_>, schema: &Value, root: &Value, path: &str) -> Option<Unknown> {
    match value {
        DeValue::Table(table) => in_table(table, schema, root, path),
        DeValue::Array(array) => {
            let items = schema.get("items")?;
            array.iter().enumerate().find_map(|(index, value)| {
                in_value(value.get_ref(), items, root, &format!("{path}[{index}]"))
            })
        }
        _ => None,
    }
}

/// The schema of a table, behind references and alternatives; none where a table is no value.
fn object<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return object(root.pointer(reference.strip_prefix('#')?)?, root);
    }
    let has_keys = |schema: &&Value| {
        schema.get("properties").is_some() || schema.get("additionalProperties").is_some()
    };
    Some(schema).filter(has_keys)
}

fn answer<'a>(path: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(word) => format!("no key is named `{path}`; did you mean `{word}`?"),
        None => {
            let known: Vec<_> = known.collect();
            format!("no key is named `{path}`; there are {}", known.join(", "))
        }
    }
}

/// The word that somebody meant, if one is near.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| {
        let lower = word.to_lowercase().replace('-', "_");
        match lower.strip_prefix("max_") {
            Some(rest) => format!("{rest}_max"),
            None => lower,
        }
    };
    let wanted = plain(word);
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted, &plain(name));
    let near = known.map(|name| (distance(name), name));
    near.filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// Where the value of a key is, such as `baseline[0].reason`.
pub(super) fn span(table: &Spanned<DeTable<'_>>, path: &str) -> Option<Range<usize>> {
    let mut span = None;
    let mut table = Some(table.get_ref());
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let mut value = table?.get(name)?;
        if let (Some(index), DeValue::Array(array)) = (index, value.get_ref()) {
            value = array.get(index)?;
        }
        span = Some(value.span());
        table = match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        };
    }
    span
}
