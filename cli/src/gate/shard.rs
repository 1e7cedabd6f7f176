//! Parts of a run as files, and one run made of all of them.
//!
//! Knows who runs what, and when parts are those of one run: the same commit, profile, settings and
//! models, each part once. Does not know what the results mean.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::changed::git;
use super::{Gathered, Scope};
use crate::args::Shard;
use crate::error::Error;
use crate::output::json::VERSION;

/// The directory of the parts, below that of all results.
const DIRECTORY: &str = "shards";
/// How a part's first line is told from others.
const KIND: &str = "shard";
/// No run has a larger part; what a device gives may have no end.
const BYTES_MAX: u64 = 1 << 30;

/// Whether the item at this place of all is one of this shard's. Neighbours take about the same
/// time, so they go to different ones.
pub(super) fn is_part(at: usize, shard: Shard) -> bool {
    at % shard.of == shard.number - 1
}

/// The first line of a part: whose part of what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    v: u32,
    kind: String,
    shard: usize,
    of: usize,
    /// What is the same in all parts of a run.
    #[serde(flatten)]
    run: Run,
    seconds: f64,
    interrupted: bool,
}

/// Which run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    /// None where there is no git.
    commit: Option<String>,
    profile: String,
    /// How the models are searched: `NAME=value`.
    settings: Vec<String>,
    /// The commit that this one was compared with, if only what has changed is run.
    changed: Option<String>,
    left_out: Vec<String>,
    /// The titles of all models and scenarios of the run, in order.
    items: Vec<String>,
}

/// A part of a run.
pub(super) struct Part {
    head: Head,
    lines: Vec<Value>,
}

/// The commit that is checked out, if there is one.
fn commit(root: &Path) -> Option<String> {
    let commit = git(root, &["rev-parse", "--verify", "--quiet", "HEAD"]).ok()?;
    Some(commit.trim().to_owned())
}

impl Part {
    /// What has been run here, as a part of the run of all these items.
    pub(super) fn of(
        gathered: &Gathered,
        items: Vec<String>,
        settings: Vec<(String, String)>,
        profile: &str,
        root: &Path,
    ) -> Self {
        let shard = gathered.scope.shard.unwrap_or(Shard { number: 1, of: 1 });
        let settings = settings.into_iter();
        Part {
            head: Head {
                v: VERSION,
                kind: KIND.to_owned(),
                shard: shard.number,
                of: shard.of,
                run: Run {
                    commit: commit(root),
                    profile: profile.to_owned(),
                    settings: settings
                        .map(|(name, value)| format!("{name}={value}"))
                        .collect(),
                    changed: gathered.scope.changed.clone(),
                    left_out: gathered.scope.left_out.clone(),
                    items,
                },
                seconds: gathered.time.as_secs_f64(),
                interrupted: gathered.interrupted,
            },
            lines: gathered.lines.clone(),
        }
    }

    /// Writes the part below this directory; returns its file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, directory: &Path) -> Result<PathBuf, Error> {
        let directory = directory.join(DIRECTORY);
        let Head { shard, of, .. } = &self.head;
        let path = directory.join(format!("{shard}-of-{of}.jsonl"));
        let head = serde_json::to_string(&self.head).map_err(Error::internal(path.display()))?;
        let lines = self.lines.iter().map(Value::to_string);
        let lines = [head].into_iter().chain(lines);
        let text: String = lines.map(|line| line + "\n").collect();
        fs::create_dir_all(&directory)
            .and_then(|()| fs::write(&path, text))
            .map_err(Error::internal(path.display()))?;
        Ok(path)
    }

    /// Reads a part.
    fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let wrong = |error: serde_json::Error| format!("this is no part of a gate's run: {error}");
        let head: Head = serde_json::from_str(lines.next().unwrap_or_default()).map_err(wrong)?;
        if head.v != VERSION || head.kind != KIND {
            return Err("this is no part of a gate's run, or one of another version".to_owned());
        }
        if !(1..=head.of).contains(&head.shard) {
            return Err(format!("there is no part {} of {}", head.shard, head.of));
        }
        let lines = lines
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>();
        let lines = lines.map_err(|error| format!("a line cannot be read: {error}"))?;
        Ok(Part { head, lines })
    }
}

/// All parts of a run, as if they had been run in one.
///
/// # Errors
/// When a file cannot be read, a part is missing or there twice, or one is of another run.
pub(super) fn merge(paths: &[PathBuf], root: &Path, profile: &str) -> Result<Gathered, Error> {
    let mut parts: Vec<(String, Part)> = Vec::new();
    for path in files(paths)? {
        let name = path.display().to_string();
        let usage = |reason: String| Error::Usage(format!("{name}: {reason}"));
        let length = fs::metadata(&path)
            .map_err(|error| usage(error.to_string()))?
            .len();
        if length > BYTES_MAX {
            return Err(usage(format!("it has more than {BYTES_MAX} bytes")));
        }
        let text = fs::read_to_string(&path).map_err(|error| usage(error.to_string()))?;
        parts.push((name.clone(), Part::read(&text).map_err(usage)?));
    }
    let here = Here {
        commit: commit(root),
        profile,
    };
    join(parts, &here).map_err(Error::Usage)
}

/// The files that are meant: those of directories, and of their directories.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    fn below(path: &Path, depth: u32, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
        if !path.is_dir() {
            files.push(path.to_path_buf());
            return Ok(());
        }
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let is_part = path
                .extension()
                .is_some_and(|extension| extension == "jsonl");
            if (path.is_dir() && depth > 0) || is_part {
                below(&path, depth.saturating_sub(1), files)?;
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    for path in paths {
        below(path, 2, &mut files)
            .map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        let paths: Vec<_> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(Error::Usage(format!(
            "there is no part of a run in {}: `--shard K/N` writes one to \
             target/gordian/{DIRECTORY}/K-of-N.jsonl",
            paths.join(", ")
        )));
    }
    Ok(files)
}

/// What is judged, and as what.
struct Here<'a> {
    commit: Option<String>,
    profile: &'a str,
}

fn join(mut parts: Vec<(String, Part)>, here: &Here<'_>) -> Result<Gathered, String> {
    parts.sort_by_key(|(_, part)| part.head.shard);
    let (first, rest) = parts.split_first().ok_or("there is no part")?;
    for (name, part) in rest {
        if let Some(reason) = differs(&first.1.head, &part.head) {
            return Err(format!(
                "{name} is of another run than {}: {reason}",
                first.0
            ));
        }
    }
    let (head, of) = (&first.1.head, first.1.head.of);
    for pair in parts.windows(2) {
        if pair[0].1.head.shard == pair[1].1.head.shard {
            let (number, one, other) = (pair[0].1.head.shard, &pair[0].0, &pair[1].0);
            return Err(format!(
                "part {number} of {of} is there twice: {one} and {other}"
            ));
        }
    }
    let is_there = |number: &usize| parts.iter().any(|(_, part)| part.head.shard == *number);
    let missing: Vec<String> = (1..=of)
        .filter(|number| !is_there(number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(format!("of the run these parts are missing: {missing}"));
    }
    if here.commit.is_some() && head.run.commit.is_some() && here.commit != head.run.commit {
        return Err(format!(
            "the parts are of commit {}, and {} is checked out here",
            shown(&head.run.commit),
            shown(&here.commit)
        ));
    }
    if head.run.profile != here.profile {
        return Err(format!(
            "the parts were run in profile `{}`, and are to be judged in `{}`: say --profile {0}",
            head.run.profile, here.profile
        ));
    }
    let lines = in_order(&parts, &head.run.items)?;
    let seconds: f64 = parts.iter().map(|(_, part)| part.head.seconds).sum();
    Ok(Gathered {
        lines,
        scope: Scope {
            shard: None,
            changed: head.run.changed.clone(),
            left_out: head.run.left_out.clone(),
        },
        time: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        interrupted: parts.iter().any(|(_, part)| part.head.interrupted),
    })
}

/// Why two parts are not of one run.
fn differs(one: &Head, other: &Head) -> Option<String> {
    let (a, b) = (&one.run, &other.run);
    if one.of != other.of {
        return Some(format!("one of {} parts, and one of {}", one.of, other.of));
    }
    if a.commit != b.commit {
        return Some(format!(
            "commit {}, and {}",
            shown(&a.commit),
            shown(&b.commit)
        ));
    }
    if a.profile != b.profile {
        return Some(format!("profile `{}`, and `{}`", a.profile, b.profile));
    }
    if a.settings != b.settings {
        let (a, b) = (a.settings.join(" "), b.settings.join(" "));
        return Some(format!("searched with `{a}`, and with `{b}`"));
    }
    if a.changed != b.changed || a.left_out != b.left_out {
        return Some("they leave out different things".to_owned());
    }
    if a.items != b.items {
        let lacks = |a: &Run, b: &Run| a.items.iter().find(|item| !b.items.contains(item)).cloned();
        let only = lacks(a, b).or_else(|| lacks(b, a)).unwrap_or_default();
        return Some(format!("only one of them knows `{only}`"));
    }
    None
}

fn shown(commit: &Option<String>) -> &str {
    let commit = commit.as_deref().unwrap_or("(none)");
    commit.get(..12).unwrap_or(commit)
}

/// The lines of all parts in the order of the items: each item once, and from who had to run it.
fn in_order(parts: &[(String, Part)], items: &[String]) -> Result<Vec<Value>, String> {
    let mut lines: Vec<Option<Value>> = vec![None; items.len()];
    for (name, part) in parts {
        let shard = Shard {
            number: part.head.shard,
            of: part.head.of,
        };
        let mut mine = (0..items.len()).filter(|at| is_part(*at, shard));
        for line in &part.lines {
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
            let title = format!("{} {}", text("binary"), text("test"));
            match mine.next().filter(|at| items[*at] == title) {
                Some(at) => lines[at] = Some(line.clone()),
                None => {
                    return Err(format!(
                        "{name} has a result that is not its own: `{title}`"
                    ));
                }
            }
        }
        if let Some(at) = mine.next() {
            return Err(format!("{name} has no result of `{}`", items[at]));
        }
    }
    lines
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| "a result is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(number: usize) -> String {
        format!("bank model_{number}")
    }

    /// A part of a run of ten models in three parts.
    fn part(number: usize) -> Part {
        let shard = Shard { number, of: 3 };
        let mine = (0..10).filter(|at| is_part(*at, shard));
        let line = |at| json!({ "binary": "bank", "test": format!("model_{at}"), "at": at });
        Part {
            head: Head {
                v: VERSION,
                kind: KIND.to_owned(),
                shard: number,
                of: 3,
                run: Run {
                    commit: Some("c0ffee".to_owned()),
                    profile: "ci".to_owned(),
                    settings: vec!["GORDIAN_TIME_MAX=3".to_owned()],
                    changed: None,
                    left_out: Vec::new(),
                    items: (0..10).map(item).collect(),
                },
                seconds: 1.5,
                interrupted: false,
            },
            lines: mine.map(line).collect(),
        }
    }

    fn joined(parts: Vec<Part>) -> Result<Gathered, String> {
        let name = |part: Part| (format!("{}.jsonl", part.head.shard), part);
        let here = Here {
            commit: Some("c0ffee".to_owned()),
            profile: "ci",
        };
        join(parts.into_iter().map(name).collect(), &here)
    }

    #[test]
    fn parts_in_any_order_are_the_whole() {
        let whole = joined(vec![part(3), part(1), part(2)]).unwrap();
        let order: Vec<_> = whole.lines.iter().map(|line| line["at"].as_u64()).collect();
        assert_eq!(order, (0..10).map(Some).collect::<Vec<_>>());
        assert_eq!(whole.time, Duration::from_millis(4_500));
        assert_eq!(whole.scope.shard, None);
    }

    #[test]
    fn every_item_is_in_one_part() {
        for of in 1..8 {
            for at in 0..40 {
                let parts = (1..=of).filter(|&number| is_part(at, Shard { number, of }));
                assert_eq!(parts.count(), 1);
            }
        }
    }

    #[test]
    fn parts_that_are_no_whole_are_refused() {
        type Damage = fn(&mut Vec<Part>);
        let cases: [(&str, Damage); 12] = [
            ("parts are missing: 2/3", |parts| drop(parts.remove(1))),
            ("2 of 3 is there twice", |parts| parts.push(part(2))),
            ("one of 3 parts, and one of 4", |parts| parts[2].head.of = 4),
            ("commit c0ffee, and beef", |parts| {
                parts[1].head.run.commit = Some("beef".to_owned());
            }),
            ("commit c0ffee, and (none)", |parts| {
                parts[1].head.run.commit = None
            }),
            ("and c0ffee is checked out here", |parts| {
                for part in parts {
                    part.head.run.commit = Some("beef".to_owned());
                }
            }),
            ("profile `ci`, and `default`", |parts| {
                parts[1].head.run.profile = "default".to_owned();
            }),
            ("searched with", |parts| parts[2].head.run.settings.clear()),
            ("knows `bank model_9`", |parts| {
                drop(parts[1].head.run.items.pop())
            }),
            ("leave out different", |parts| {
                parts[1].head.run.left_out = vec!["package app".to_owned()];
            }),
            ("has no result of `bank model_7`", |parts| {
                drop(parts[1].lines.pop())
            }),
            ("not its own: `bank model_0`", |parts| {
                let line = parts[0].lines[0].clone();
                parts[1].lines.insert(0, line);
            }),
        ];
        for (message, damage) in cases {
            let mut parts = vec![part(1), part(2), part(3)];
            damage(&mut parts);
            let error = joined(parts).err().expect(message);
            assert!(error.contains(message), "{error}");
        }
        for part in [1, 2, 3].map(part) {
            assert_eq!(Part::read(&text(&part)).unwrap().head, part.head);
        }
    }

    fn text(part: &Part) -> String {
        let directory = tempfile::tempdir().unwrap();
        fs::read_to_string(part.write(directory.path()).unwrap()).unwrap()
    }

    #[test]
    fn what_is_no_part_is_refused() {
        let good = text(&part(1));
        for bad in [
            String::new(),
            "{}".to_owned(),
            "no json".to_owned(),
            good.replace("\"kind\":\"shard\"", "\"kind\":\"model\""),
            good.replace("\"v\":1,", "\"v\":2,"),
            good.replace("\"shard\":1", "\"shard\":4"),
            good.clone() + "half a li",
        ] {
            assert!(Part::read(&bad).is_err(), "{bad}");
        }
    }
}
