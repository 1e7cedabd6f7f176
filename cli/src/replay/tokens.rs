//! Which tokens a text holds, and whose they are.
//!
//! Knows what the files of this program look like: JSON with a `token` beside a finding's code and
//! below a model's name, one object or one a line; and text with the commands in it that replay a
//! finding. Does not know what is in a token, and reads no file.

use serde_json::{Map, Value};

/// A token, and what is known about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The token itself.
    pub(super) token: String,
    /// The model's path in its test binary.
    pub(super) model: Option<String>,
    /// The scenario file that it is of, if it is of one.
    pub(super) scenario: Option<String>,
    /// The package that the model is in.
    pub(super) package: Option<String>,
    /// The finding's code.
    pub(super) code: Option<String>,
    /// The finding's fingerprint.
    pub(super) fingerprint: Option<String>,
}

/// Whether a word is a token, of whatever version.
pub(super) fn is_token(word: &str) -> bool {
    let version = word.strip_prefix('g').and_then(|rest| rest.split_once(':'));
    version.is_some_and(|(digits, _)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The tokens of a text, each once, in their order.
pub(super) fn tokens(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        walk(&value, &Found::default(), &mut found);
    } else {
        for line in joined(text).lines() {
            match serde_json::from_str::<Value>(line) {
                Ok(value) if value.is_object() => walk(&value, &Found::default(), &mut found),
                _ => in_line(line, &mut found),
            }
        }
    }
    found
}

/// The traces that a text names in the commands that replay them.
pub(super) fn traces(text: &str) -> Vec<String> {
    let joined = joined(text);
    let named = joined
        .lines()
        .filter_map(|line| after(line, "cargo gordian replay "));
    named.filter(|name| name.ends_with(".json")).collect()
}

/// The word of a command after the ones that are given, as a shell takes it.
fn after(line: &str, words: &str) -> Option<String> {
    let (_, rest) = line.split_once(words)?;
    let mut word = String::new();
    let mut is_quoted = false;
    for c in rest.trim_start().chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => break,
            c => word.push(c),
        }
    }
    (!word.is_empty()).then_some(word)
}

/// Commands that were broken where a shell joins them.
fn joined(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace("'\\\n'", "")
        .replace("\\\n", "")
}

fn push(found: &mut Vec<Found>, one: Found) {
    if !found.iter().any(|other| other.token == one.token) {
        found.push(one);
    }
}

/// All tokens below a value; what stands above a token says whose it is.
fn walk(value: &Value, above: &Found, found: &mut Vec<Found>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, above, found)),
        Value::Object(fields) => {
            let here = context(fields, above);
            if let Some(token) = word(fields, "token").filter(|token| is_token(token)) {
                push(
                    found,
                    Found {
                        token,
                        ..here.clone()
                    },
                );
            }
            fields.values().for_each(|field| walk(field, &here, found));
        }
        _ => {}
    }
}

fn word(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name)?.as_str().map(str::to_owned)
}

fn context(fields: &Map<String, Value>, above: &Found) -> Found {
    let test = || word(fields, "test").or_else(|| word(fields, "model"));
    Found {
        token: String::new(),
        model: test().or_else(|| above.model.clone()),
        scenario: word(fields, "scenario").or_else(|| above.scenario.clone()),
        package: word(fields, "package").or_else(|| above.package.clone()),
        code: word(fields, "code").or_else(|| above.code.clone()),
        fingerprint: word(fields, "fingerprint").or_else(|| above.fingerprint.clone()),
    }
}

/// The tokens of a line of a log.
fn in_line(line: &str, found: &mut Vec<Found>) {
    let scenario = after(line, "cargo gordian scenario check ");
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_@#/+=.[]%,:-!~".contains(c);
    let mut rest = line;
    while let Some(at) = rest.find(is_part) {
        let word = &rest[at..];
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        rest = &word[end..];
        let word = &word[..end];
        // As a variable's value it may stand without quotes.
        let word = word.strip_prefix("GORDIAN_REPLAY=").unwrap_or(word);
        if is_token(word) && word.matches(':').count() == 3 {
            let model = rest
                .split_once("cargo test ")
                .and_then(|(_, command)| command.split_whitespace().next())
                .filter(|name| !name.starts_with('-'));
            push(
                found,
                Found {
                    token: word.to_owned(),
                    model: model.map(str::to_owned),
                    scenario: scenario.clone(),
                    ..Found::default()
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TOKEN model package code`, one a line; `-` for what is not known.
    fn check(text: &str, expected: &[&str]) {
        let shown = |its: &Option<String>| its.clone().unwrap_or("-".to_owned());
        let found: Vec<String> = tokens(text)
            .iter()
            .map(|one| {
                let known = [&one.model, &one.package, &one.code].map(shown);
                format!("{} {}", one.token, known.join(" "))
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn reports_lines_and_traces_are_read() {
        let report = r#"{"v":1,"model":"tests::a","findings":[
            {"code":"deadlock","token":"g2:0:x:0.0"}, {"code":"panic","token":"g2:0:y:0.0"}]}"#;
        check(
            report,
            &[
                "g2:0:x:0.0 tests::a - deadlock",
                "g2:0:y:0.0 tests::a - panic",
            ],
        );
        let finding = r#"{"code":"panic","token":"g2:0:z:0.0"}"#;
        let line = format!(r#"{{"package":"bank","test":"b","findings":[{finding}]}}"#);
        let lines = format!("{line}\n{}\n{line}\n", r#"{"kind":"summary"}"#);
        check(&lines, &["g2:0:z:0.0 b bank panic"]);
        let finding = r#"{"model":"c","code":"panic","token":"g2:0:t:0.0"}"#;
        let trace = format!(r#"{{"traceEvents":[{{"name":"lock"}}],"otherData":{finding}}}"#);
        check(&trace, &["g2:0:t:0.0 c - panic"]);
    }

    #[test]
    fn commands_in_logs_are_read() {
        check(
            "  replay    GORDIAN_REPLAY='g2:0,t~0.0:lock+a:0.0-1.0' cargo test x::y -- --exact\n",
            &["g2:0,t~0.0:lock+a:0.0-1.0 x::y - -"],
        );
        check(
            "  replay\nGORDIAN_REPLAY='g2:0,t~0.0:lo'\\\n'ck+a:0.0-1.0' \\\ncargo test x -- --exact\n",
            &["g2:0,t~0.0:lock+a:0.0-1.0 x - -"],
        );
        check("g2:0:x:0.0", &["g2:0:x:0.0 - - -"]);
    }

    #[test]
    fn scenarios_and_traces_are_known_by_their_commands() {
        let of = |text: &str| tokens(text).first().and_then(|one| one.scenario.clone());
        for (text, file) in [
            (
                "  replay    cargo gordian scenario check a/b.gordian --replay 'g2:0:x:0.0'",
                "a/b.gordian",
            ),
            (
                "cargo gordian scenario check 'my a.gordian' \\\n--replay 'g2:0'\\\n':x:0.0'\n",
                "my a.gordian",
            ),
            (
                r#"{"gordian":{"scenario":"c.gordian","token":"g2:0:x:0.0"}}"#,
                "c.gordian",
            ),
        ] {
            assert_eq!(of(text).as_deref(), Some(file), "{text}");
        }
        assert_eq!(of("GORDIAN_REPLAY='g2:0:x:0.0' cargo test x"), None);
        let log = "  replay    cargo gordian replay target/x-1.json\n\
                   cargo gordian replay \\\n'it is/ta'\\\n'rget/y-2.json'\n\
                   cargo gordian replay g2:0:x:0.0\n";
        assert_eq!(traces(log), ["target/x-1.json", "it is/target/y-2.json"]);
    }

    #[test]
    fn what_is_no_token_is_passed_over() {
        for text in [
            "",
            "{}",
            "[1, 2]",
            "null",
            "g2",
            "log2: 3",
            "{\"token\": 7}",
            "{\"token\":\"\"}",
            "dig2:a:b:c",
        ] {
            check(text, &[]);
        }
        assert!(is_token("g1:0:0") && is_token("g2:0:x:0.0"));
        assert!(!is_token("g:0") && !is_token("target/g2:x") && !is_token("g2"));
    }
}
