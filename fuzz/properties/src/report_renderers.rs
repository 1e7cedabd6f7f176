//! A run of bytes, rendered in every format.

use arbitrary::{Result, Unstructured};
use cargo_gordian::private::{draw, render};
use gordian::Report;
use gordian::report::Code;
use serde_json::{Value, json};

use crate::Seen;

/// What no document may have as markup: every text of a made report has it inside.
const MARKUP: &str = "<b7fc onload=\"x\">";

/// Texts that break what does not escape.
const TEXTS: &[&str] = &[
    "",
    "main",
    "`a` `b",
    "</script></style></title>",
    "]]>",
    "--><!--",
    "%%{init: {}}%%",
    "x\" -> y [label=\"z",
    "end\nsubgraph",
    "\u{0}\u{1}\u{1b}[31m\u{7f}\u{85}\u{fffe}",
    "\u{202e}desrever",
    "щит 锁 🔒 ﷽ e\u{301}",
    "\\",
    "../../../etc/passwd",
    "file.rs?query#part",
];

/// What places of findings are in.
const SOURCES: &[&str] = &[
    "",
    "\n",
    "a.lock();\r\n\tb.lock(\t);\r\n",
    "let _ = счета[0].锁🔒(\"\u{1b}]0;\u{7}\").e\u{301};\n🔒🔒→→\u{85}\u{0}(((\n))\u{202e}",
];

/// Whatever the lines of a run say, every format renders them and takes none of it for markup, and
/// nothing of it moves the cursor of a terminal, however wide that is.
///
/// Bytes that are text are the lines of a run as they are; of all others a run is made.
///
/// # Panics
/// When that is not so.
pub fn report_renderers(bytes: &[u8]) -> Seen {
    let text = str::from_utf8(bytes).ok();
    let lines = match text.filter(|text| text.trim_start().starts_with('{')) {
        Some(text) => text.to_owned(),
        None => match made(&mut Unstructured::new(bytes)) {
            Ok(lines) => lines,
            Err(_) => return Seen::Refused,
        },
    };
    let Ok(documents) = render(&lines) else {
        return Seen::Refused;
    };
    for (name, text) in &documents {
        let extension = name.rsplit('.').next().unwrap_or_default();
        match extension {
            "html" | "xml" => assert!(!text.contains("<b7fc"), "{name}: markup\n{text}"),
            "sarif" | "json" => {
                let read = serde_json::from_str::<Value>(text);
                assert!(read.is_ok(), "{name}: {read:?}\n{text}");
            }
            _ => {}
        }
    }
    let columns = 20 + bytes.len() % 281;
    for line in lines.lines() {
        if let Ok(report) = serde_json::from_str::<Report>(line) {
            stays(&report.explain_within(columns, |_| None));
        }
    }
    for (number, source) in SOURCES.iter().enumerate() {
        let ascii = (bytes.len() + number).is_multiple_of(2);
        for drawing in draw(&lines, source, columns, ascii).into_iter().flatten() {
            stays(&without_colours(&drawing));
        }
    }
    Seen::All
}

/// Nothing moves the cursor, but the ends of lines.
fn stays(text: &str) {
    let moves = |letter: char| letter.is_control() && letter != '\n';
    assert!(!text.contains(moves), "a name moves the cursor: {text:?}");
}

/// Without the sequences that choose a colour: `ESC [ … m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letters = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match letters.strip_prefix('m') {
            Some(rest) => plain += rest,
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

/// The lines of a run.
fn made(bytes: &mut Unstructured<'_>) -> Result<String> {
    let mut lines = Vec::new();
    for _ in 0..bytes.int_in_range(1..=2)? {
        lines.push(model(bytes)?.to_string());
    }
    let summary = json!({
        "v": 1, "kind": "summary", "seconds": 0.25, "interrupted": bytes.arbitrary::<bool>()?,
        "exit_code": bytes.arbitrary::<u8>()?,
    });
    lines.push(summary.to_string());
    Ok(lines.join("\n"))
}

fn model(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let statuses = ["passed", "failed", "incomplete", "crashed", "error"];
    let verdicts = ["clean", "found", "incomplete", "error"];
    let strengths = [
        json!({ "kind": "exhaustive" }),
        json!({ "kind": "bounded", "preemptions_max": bytes.arbitrary::<u32>()? }),
        json!({ "kind": "sampled" }),
        json!({ "kind": "replayed" }),
    ];
    let error = option(bytes, text)?;
    Ok(json!({
        "v": 1, "kind": "model", "package": text(bytes)?, "binary": text(bytes)?,
        "test": text(bytes)?, "status": bytes.choose(&statuses)?, "process_seconds": 0.5,
        "remark": option(bytes, text)?, "printed": list(bytes, 2, text)?,
        "model": text(bytes)?, "verdict": bytes.choose(&verdicts)?,
        "findings": list(bytes, 3, finding)?, "error": error,
        "expect": list(bytes, 2, |bytes| Ok(bytes.choose(Code::ALL)?.as_str().into()))?,
        "search": {
            "engine": bytes.choose(&["controlled", "loom"])?, "strategy": "exhaustive",
            "strength": bytes.choose(&strengths)?, "complete": bytes.arbitrary::<bool>()?,
            "incomplete_reason": error, "executions": bytes.arbitrary::<u64>()?,
            "executions_blocked": 0, "executions_capped": bytes.arbitrary::<u8>()?,
            "executions_estimate": bytes.arbitrary::<u32>()?, "steps": bytes.arbitrary::<u64>()?,
            "steps_longest": bytes.arbitrary::<u16>()?, "threads": bytes.arbitrary::<u8>()?,
            "contended": bytes.arbitrary::<u16>()?, "seconds": 0.0, "seed": null,
            "remarks": list(bytes, 1, text)?,
        },
    }))
}

fn finding(bytes: &mut Unstructured<'_>) -> Result<Value> {
    Ok(json!({
        "code": bytes.choose(Code::ALL)?.as_str(),
        "severity": bytes.choose(&["error", "hazard"])?,
        "message": text(bytes)?, "threads": list(bytes, 3, text)?,
        "objects": list(bytes, 3, text)?, "notes": list(bytes, 2, text)?,
        "edges": list(bytes, 3, edge)?, "site": option(bytes, site)?,
        "steps": list(bytes, 12, step)?, "fingerprint": text(bytes)?, "token": text(bytes)?,
        "execution": bytes.arbitrary::<u64>()?, "seen": bytes.arbitrary::<u64>()?,
    }))
}

fn edge(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let holder = |bytes: &mut Unstructured<'_>| {
        let step = option(bytes, number)?;
        Ok(json!({ "thread": text(bytes)?, "site": option(bytes, site)?, "step": step }))
    };
    Ok(json!({
        "thread": text(bytes)?, "operation": text(bytes)?, "object": text(bytes)?,
        "site": site(bytes)?, "step": number(bytes)?, "holder": option(bytes, holder)?,
    }))
}

fn step(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let outcomes = [
        json!("done"),
        json!("failed"),
        json!("queued"),
        json!("closed"),
        json!("blocked"),
        json!({ "chose": bytes.arbitrary::<u32>()? }),
    ];
    Ok(json!({
        "number": number(bytes)?, "thread": text(bytes)?, "operation": text(bytes)?,
        "object": option(bytes, text)?, "outcome": bytes.choose(&outcomes)?,
        "site": site(bytes)?, "acquires": list(bytes, 2, text)?,
        "releases": list(bytes, 2, text)?, "alternatives": list(bytes, 2, text)?,
    }))
}

fn site(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let file = text(bytes)?;
    Ok(json!({ "file": file, "line": number(bytes)?, "column": number(bytes)? }))
}

/// Small ones mostly, so that steps and edges meet.
fn number(bytes: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match bytes.arbitrary::<u8>()? {
        255 => u32::MAX.into(),
        small => u32::from(small / 8).into(),
    })
}

fn text(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let times = match bytes.int_in_range(0..=15_u8)? {
        15 => 50,
        _ => 1,
    };
    let text = bytes.choose(TEXTS)?.repeat(times);
    Ok(match bytes.arbitrary::<bool>()? {
        true => format!("{text}{MARKUP}").into(),
        false => text.into(),
    })
}

type Make = fn(&mut Unstructured<'_>) -> Result<Value>;

fn option(
    bytes: &mut Unstructured<'_>,
    make: impl Fn(&mut Unstructured<'_>) -> Result<Value>,
) -> Result<Value> {
    match bytes.arbitrary::<bool>()? {
        true => make(bytes),
        false => Ok(Value::Null),
    }
}

fn list(bytes: &mut Unstructured<'_>, most: usize, make: Make) -> Result<Value> {
    let count = bytes.int_in_range(0..=most)?;
    (0..count).map(|_| make(bytes)).collect()
}
