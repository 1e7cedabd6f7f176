//! Where a crate's sources name locks and threads that Gordian does not see.
//!
//! Knows how paths and `use` declarations are written, and which of the known libraries' items
//! threads share or wait for. Does not know types or macros: a name that stands there is told, an
//! alias is not followed.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A place where such an item is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Foreign {
    /// The file, relative to the root of the workspace if it is below that.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: u32,
    /// What is named: `std::sync::Mutex`.
    pub(crate) path: String,
}

/// Places of one crate that are told.
const PLACES_MAX: usize = 20;
/// Files that are read, and bytes of each.
const FILES_MAX: usize = 2_000;
const BYTES_MAX: u64 = 1 << 20;
/// Directories inside of one another.
const DEPTH_MAX: usize = 20;
/// Braces inside of one another in a `use`.
const NESTING_MAX: usize = 20;

/// What is looked for: the beginning of a path, and what may follow. Without anything, whatever
/// follows.
const FOREIGN: &[(&[&str], &[&str])] = &[
    (
        &["std", "sync"],
        &[
            "Mutex",
            "RwLock",
            "Condvar",
            "Once",
            "OnceLock",
            "LazyLock",
            "Barrier",
            "mpsc",
            "mpmc",
            "ReentrantLock",
        ],
    ),
    (
        &["std", "sync", "atomic"],
        &[
            "AtomicBool",
            "AtomicI8",
            "AtomicI16",
            "AtomicI32",
            "AtomicI64",
            "AtomicIsize",
            "AtomicU8",
            "AtomicU16",
            "AtomicU32",
            "AtomicU64",
            "AtomicUsize",
            "AtomicPtr",
        ],
    ),
    (
        &["std", "thread"],
        &[
            "spawn",
            "scope",
            "Builder",
            "park",
            "park_timeout",
            "sleep",
            "yield_now",
            "current",
            "JoinHandle",
        ],
    ),
    (&["parking_lot"], &[]),
    (&["tokio", "sync"], &[]),
    (&["tokio", "spawn"], &[]),
    (&["tokio", "task"], &[]),
    (&["crossbeam_channel"], &[]),
    (&["crossbeam", "channel"], &[]),
    (&["crossbeam", "sync"], &[]),
    (&["crossbeam_utils", "sync"], &[]),
    (&["flume"], &[]),
    (&["async_std", "sync"], &[]),
    (&["rayon"], &[]),
    (&["once_cell", "sync"], &[]),
];

/// The places in the sources of the package in this directory, in the order of files and lines.
/// Other packages below it are none of its.
pub(crate) fn named_in(package: &Path, root: &Path) -> Vec<Foreign> {
    let mut files = Vec::new();
    collect(package, DEPTH_MAX, &mut files);
    files.sort();
    let mut places = Vec::new();
    for file in files {
        let is_small = fs::metadata(&file).is_ok_and(|data| data.len() <= BYTES_MAX);
        let text = is_small.then(|| fs::read_to_string(&file).ok()).flatten();
        let name = file.strip_prefix(root).unwrap_or(&file);
        let name = name.display().to_string();
        for (line, path) in paths(&text.unwrap_or_default()) {
            if places.len() == PLACES_MAX {
                return places;
            }
            places.push(Foreign {
                file: name.clone(),
                line,
                path,
            });
        }
    }
    places
}

/// The source files below a directory. What cannot be read is left out: nothing depends on it.
fn collect(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let is_hidden = name.to_string_lossy().starts_with('.');
        // A link may lead round in a circle.
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() && !is_hidden && name != "target" && depth > 0 {
            if !path.join("Cargo.toml").exists() {
                collect(&path, depth - 1, files);
            }
        } else if kind.is_file()
            && path.extension().is_some_and(|its| its == "rs")
            && files.len() < FILES_MAX
        {
            files.push(path);
        }
    }
}

/// A word or sign, and its line.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Sign(char),
}

/// The paths of a source text that are looked for, each with its line, those of a line once.
fn paths(text: &str) -> Vec<(u32, String)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_first = !matches!(
            at.checked_sub(1).map(|before| &tokens[before].1),
            Some(Token::Colons)
        ) || !matches!(
            at.checked_sub(2).map(|before| &tokens[before].1),
            Some(Token::Word(_))
        );
        let starts = FOREIGN.iter().map(|(path, _)| path[0]);
        let is_start = matches!(&tokens[at].1, Token::Word(word)
            if starts.clone().any(|start| start == word) || word == "core");
        if is_first && is_start && matches!(tokens.get(at + 1), Some((_, Token::Colons))) {
            at = tree(&tokens, at, &mut Vec::new(), NESTING_MAX, &mut found);
        } else {
            at += 1;
        }
    }
    found.dedup();
    found
}

/// Reads a path, or a tree of them, from this token on: where the next thing begins.
fn tree(
    tokens: &[(u32, Token)],
    mut at: usize,
    front: &mut Vec<String>,
    depth: usize,
    found: &mut Vec<(u32, String)>,
) -> usize {
    let length = front.len();
    let mut line = 0;
    loop {
        match tokens.get(at) {
            Some((its, Token::Word(word))) => {
                line = *its;
                front.push(word.clone());
                at += 1;
            }
            Some((its, Token::Sign('*'))) => {
                line = *its;
                front.push("*".to_owned());
                at += 1;
                break;
            }
            Some((_, Token::Sign('{'))) if depth > 0 => {
                at += 1;
                while let Some((_, token)) = tokens.get(at) {
                    match token {
                        Token::Sign('}') => {
                            at += 1;
                            break;
                        }
                        Token::Word(_) | Token::Sign('{' | '*') => {
                            // What is nested too deeply is passed over.
                            at = tree(tokens, at, front, depth - 1, found).max(at + 1);
                        }
                        Token::Sign(',') | Token::Colons => at += 1,
                        // This is no `use`.
                        Token::Sign(_) => break,
                    }
                }
                front.truncate(length);
                return at;
            }
            _ => break,
        }
        match tokens.get(at) {
            Some((_, Token::Colons)) => at += 1,
            _ => break,
        }
    }
    // Behind `as` stands another name for the same.
    if let (Some((_, Token::Word(word))), Some((_, Token::Word(_)))) =
        (tokens.get(at), tokens.get(at + 1))
        && word == "as"
    {
        at += 2;
    }
    if let Some(path) = looked_for(front) {
        found.push((line, path));
    }
    front.truncate(length);
    at
}

/// The part of a path that is looked for, if it is one.
fn looked_for(path: &[String]) -> Option<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    // Those of `core` are std's.
    let std: Vec<&str> = match path.first() {
        Some(&"core") => std::iter::once("std")
            .chain(path[1..].iter().copied())
            .collect(),
        _ => path.clone(),
    };
    let (front, _) = FOREIGN.iter().find(|(front, items)| {
        std.starts_with(front)
            && match std.get(front.len()) {
                Some(&"*") => true,
                Some(item) => items.is_empty() || items.contains(item),
                None => items.is_empty(),
            }
    })?;
    let length = (front.len() + 1).min(path.len());
    Some(path[..length].join("::"))
}

/// The words and signs of a source text, without comments and texts.
fn tokens(text: &str) -> Vec<(u32, Token)> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let from = at;
        match c {
            '/' if next == Some('/') => {
                while chars.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            '/' if next == Some('*') => at = after_comment(&chars, at),
            '"' => at = after_text(&chars, at),
            '\'' => at = after_quote(&chars, at),
            'r' | 'b' | 'c' if raw_text(&chars, at).is_some() => {
                at = raw_text(&chars, at).unwrap_or(at + 1);
            }
            _ if is_word(c) => {
                while chars.get(at).is_some_and(|c| is_word(*c)) {
                    at += 1;
                }
                tokens.push((line, Token::Word(chars[from..at].iter().collect())));
            }
            ':' if next == Some(':') => {
                tokens.push((line, Token::Colons));
                at += 2;
            }
            _ => {
                if !c.is_whitespace() {
                    tokens.push((line, Token::Sign(c)));
                }
                at += 1;
            }
        }
        line += chars[from..at].iter().filter(|c| **c == '\n').count() as u32;
    }
    tokens
}

fn after_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_u32;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    break;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn after_text(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Behind a character, or behind the quote of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let end = chars[at + 2..]
                .iter()
                .skip(1)
                .take(12)
                .position(|c| *c == '\'');
            end.map_or(at + 1, |end| at + end + 4)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

/// Behind a raw text that begins here: `r"…"`, `br#"…"#`.
fn raw_text(chars: &[char], at: usize) -> Option<usize> {
    if at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') {
        return None;
    }
    let mut from = at;
    from += usize::from(matches!(chars.get(from), Some('b' | 'c')));
    if chars.get(from) != Some(&'r') {
        return None;
    }
    from += 1;
    let hashes = chars[from..].iter().take_while(|c| **c == '#').count();
    from += hashes;
    if chars.get(from) != Some(&'"') {
        return None;
    }
    let mut end = from + 1;
    while end < chars.len() {
        let closes = chars[end] == '"'
            && chars[end + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes;
        if closes {
            return Some(end + 1 + hashes);
        }
        end += 1;
    }
    Some(chars.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_items_are_named_with_their_lines() {
        let cases: &[(&str, &[(u32, &str)])] = &[
            ("use std::sync::Mutex;", &[(1, "std::sync::Mutex")]),
            (
                "use std::sync::{Arc, Mutex,\n    RwLock as Lock};",
                &[(1, "std::sync::Mutex"), (2, "std::sync::RwLock")],
            ),
            (
                "use std::{collections::HashMap, sync::{mpsc::{Sender, channel}, Arc}, thread::spawn};",
                &[(1, "std::sync::mpsc"), (1, "std::thread::spawn")],
            ),
            (
                "\n\nlet a = ::std::thread::spawn(f);",
                &[(3, "std::thread::spawn")],
            ),
            (
                "std::thread::Builder::new()",
                &[(1, "std::thread::Builder")],
            ),
            ("use std::sync::*;", &[(1, "std::sync::*")]),
            (
                "use std::sync::atomic::{AtomicU32, Ordering};",
                &[(1, "std::sync::atomic::AtomicU32")],
            ),
            (
                "core::sync::atomic::AtomicBool::new(true)",
                &[(1, "core::sync::atomic::AtomicBool")],
            ),
            ("parking_lot::Mutex::new(0)", &[(1, "parking_lot::Mutex")]),
            ("tokio::sync::Mutex::new(0)", &[(1, "tokio::sync::Mutex")]),
            (
                "use crossbeam_channel::bounded;",
                &[(1, "crossbeam_channel::bounded")],
            ),
            // What is none.
            ("use gordian::std_sync::Mutex;", &[]),
            ("use gordian::sync::Mutex; use std::sync::Arc;", &[]),
            ("use std::sync::atomic::Ordering::SeqCst;", &[]),
            ("gordian::std::sync::Mutex", &[]),
            (
                "mod std {} // std::sync::Mutex\n/* std::sync::Mutex /* std::sync::Once */ */",
                &[],
            ),
            (
                "\"std::sync::Mutex\"; r#\"\" std::sync::Mutex\"#; b\"std::thread::spawn\\\"\"",
                &[],
            ),
            (
                "'\"'; std::sync::Mutex; '\\''; '\\u{7f}'",
                &[(1, "std::sync::Mutex")],
            ),
            (
                "fn f<'a>(it: &'a std::sync::Mutex<u8>) {}",
                &[(1, "std::sync::Mutex")],
            ),
            ("std::thread::panicking(); std::thread_local!();", &[]),
        ];
        for (text, expected) in cases {
            let found = paths(text);
            let found: Vec<(u32, &str)> =
                found.iter().map(|(line, path)| (*line, &**path)).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        let whole =
            "use std::{sync::{a::{b, {c}}, Mutex}}; r##\"x\"## 'a' '\\n' /* */ \"\\\"\" ::std::x";
        let chars: Vec<char> = whole.chars().collect();
        for from in 0..chars.len() {
            for to in from..=chars.len() {
                let text: String = chars[from..to].iter().collect();
                let lines = paths(&text);
                assert!(lines.iter().all(|(line, _)| *line == 1), "{text}");
            }
        }
        let deep = format!("std::{}", "{a::".repeat(10_000));
        assert_eq!(paths(&deep), []);
    }
}
