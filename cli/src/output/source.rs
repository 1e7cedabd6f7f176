//! The places of a finding as they stand in the sources.
//!
//! Knows how to find and read them. Does not know the rest of the explanation: where a source
//! cannot be read, or there is too much to show, it draws nothing, and words take its place.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use gordian::report::{Edge, Finding, Site};

/// More waiting threads than this do not fit a screen.
const EDGES_MAX: usize = 3;
const COLUMNS_MAX: usize = 80;
/// Columns of a label at most: it stands behind the code.
const LABEL_COLUMNS_MAX: usize = 35;

/// Bytes of a file at most: a larger one was not written by people.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The files that places are in, each read once.
pub(crate) struct Sources {
    root: PathBuf,
    texts: RefCell<HashMap<String, Option<Rc<str>>>>,
}

impl Sources {
    /// The files of a workspace.
    pub(crate) fn below(root: &Path) -> Self {
        Sources {
            root: root.to_path_buf(),
            texts: RefCell::default(),
        }
    }

    /// The text of a file, by the name that places have: relative to the workspace's root. None for
    /// what cannot be read, and for what is not below the root: somebody else's code, whose path
    /// says more than its lines.
    pub(crate) fn text(&self, file: &str) -> Option<Rc<str>> {
        if let Some(known) = self.texts.borrow().get(file) {
            return known.clone();
        }
        let text = self.read(file).map(Rc::from);
        self.texts.borrow_mut().insert(file.to_owned(), text.clone());
        text
    }

    fn read(&self, file: &str) -> Option<String> {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if file.is_empty() || !Path::new(file).components().all(inside) {
            return None;
        }
        let path = self.root.join(file);
        let data = std::fs::metadata(&path).ok()?;
        if !data.is_file() || data.len() > FILE_BYTES_MAX {
            return None;
        }
        std::fs::read_to_string(path).ok()
    }
}

/// A place and what is to be said about it.
struct Mark<'a> {
    site: &'a Site,
    kind: AnnotationKind,
    label: String,
}

/// Draws the places of a finding, whose files are relative to the workspace's root.
pub(super) fn picture(root: &Path, finding: &Finding) -> Option<String> {
    if finding.edges.len() > EDGES_MAX {
        return None;
    }
    let mut marks: Vec<Mark<'_>> = finding.edges.iter().flat_map(marks).collect();
    marks.extend(finding.site.iter().map(|site| Mark {
        site,
        kind: AnnotationKind::Primary,
        label: "here".to_owned(),
    }));
    let mut files: BTreeMap<&str, Vec<Mark<'_>>> = BTreeMap::new();
    for mark in marks {
        files.entry(&mark.site.file).or_default().push(mark);
    }
    if files.is_empty() {
        return None;
    }
    let sources = Sources::below(root);
    let mut group = Group::with_level(Level::ERROR);
    for (file, marks) in files {
        let text = sources.text(file)?.to_string();
        let annotations: Option<Vec<Annotation<'_>>> = marks
            .into_iter()
            .map(|mark| Some(mark.kind.span(span(&text, mark.site)?).label(mark.label)))
            .collect();
        group = group.element(Snippet::source(text).path(file).annotations(annotations?));
    }
    let renderer = Renderer::styled()
        .decor_style(DecorStyle::Unicode)
        .term_width(COLUMNS_MAX);
    Some(renderer.render(&[group]))
}

/// Where a thread waits, and where the other one took what it waits for.
fn marks(edge: &Edge) -> Vec<Mark<'_>> {
    let waits = format!("{} waits for `{}`", edge.thread, edge.object);
    let mut marks = vec![Mark {
        site: &edge.site,
        kind: AnnotationKind::Primary,
        label: label(waits, Some(edge.step)),
    }];
    if let Some((holder, site)) = edge
        .holder
        .as_ref()
        .and_then(|holder| Some((holder, holder.site.as_ref()?)))
    {
        let holds = format!("{} holds `{}`", holder.thread, edge.object);
        let label = label(holds, holder.step);
        marks.push(Mark {
            site,
            kind: AnnotationKind::Context,
            label,
        });
    }
    marks
}

/// With the number of the step where there is room for it.
fn label(text: String, step: Option<u32>) -> String {
    let length = text.chars().count();
    let step = step
        .map(|step| format!(" (step {step})"))
        .unwrap_or_default();
    if length + step.len() <= LABEL_COLUMNS_MAX {
        text + &step
    } else if length <= LABEL_COLUMNS_MAX {
        text
    } else {
        text.chars()
            .take(LABEL_COLUMNS_MAX - 1)
            .chain(['…'])
            .collect()
    }
}

/// The bytes of the call that a place is in: a place is a method's name, the call reaches from its
/// receiver to its closing bracket.
fn span(text: &str, site: &Site) -> Option<Range<usize>> {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(site.line.checked_sub(1)? as usize)
        .map(str::len)
        .sum();
    let line = text[line_start..].lines().next()?;
    let column = site.column.checked_sub(1)? as usize;
    let (at, _) = line.char_indices().nth(column)?;
    let is_receiver = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let before = line[..at].trim_end_matches(is_receiver).len();
    // A receiver that ends in brackets is left out, and with it the dot behind them.
    let start = before + usize::from(line[before..at].starts_with('.'));
    let name = line[at..]
        .find(|c: char| !is_receiver(c))
        .unwrap_or(line.len() - at);
    let end = at + name.max(1) + brackets(&line[at + name..]);
    let end = end.min(line.len());
    Some(line_start + start..line_start + end)
}

/// The length of what the brackets at the beginning of a text enclose, with the brackets.
fn brackets(text: &str) -> usize {
    let mut depth = 0;
    for (index, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if c == ')' { index + 1 } else { 0 };
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;

    const TRANSFER: &str = "\
pub fn transfer(from: &Account, to: &Account, amount: u64) {
    let mut source = from.balance.lock();
    let mut target = to.balance.lock();
    *source -= amount;
    gordian::slow(\"wire (abroad)\");
    let _ = счета[0].lock();
}
";

    fn site(line: u32, column: u32) -> Value {
        json!({ "file": "src/transfer.rs", "line": line, "column": column })
    }

    fn edge(thread: &str, object: &str, holder: &str) -> Value {
        json!({
            "thread": thread, "operation": "lock", "object": object, "step": 4,
            "site": site(3, 33),
            "holder": { "thread": holder, "site": site(2, 35), "step": 2 },
        })
    }

    fn finding(edges: Vec<Value>, site: Value) -> Finding {
        let finding = json!({
            "code": "deadlock", "severity": "error", "message": "", "threads": [], "objects": [],
            "edges": edges, "site": site, "notes": [], "steps": [], "fingerprint": "", "token": "",
            "execution": 1, "seen": 1,
        });
        serde_json::from_value(finding).unwrap()
    }

    fn check(finding: &Finding, expected: Expect) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("src")).unwrap();
        std::fs::write(root.path().join("src/transfer.rs"), TRANSFER).unwrap();
        let drawn = picture(root.path(), finding).unwrap_or_default();
        let plain = anstream::adapter::strip_str(&drawn).to_string();
        expected.assert_eq(&plain);
        assert!(
            plain
                .lines()
                .all(|line| line.chars().count() <= COLUMNS_MAX),
            "{plain}"
        );
    }

    #[test]
    fn both_places_of_an_edge_are_shown() {
        check(
            &finding(vec![edge("teller-1", "bob", "teller-2")], Value::Null),
            expect![[r#"
                  ╭▸ src/transfer.rs:3:22
                  │
                2 │     let mut source = from.balance.lock();
                  │                      ─────────────────── teller-2 holds `bob` (step 2)
                3 │     let mut target = to.balance.lock();
                  ╰╴                     ━━━━━━━━━━━━━━━━━ teller-1 waits for `bob` (step 4)"#]],
        );
    }

    #[test]
    fn places_that_coincide_have_a_label_each() {
        let edges = vec![
            edge("teller-1", "bob", "teller-2"),
            edge("teller-2", "alice", "teller-1"),
        ];
        check(
            &finding(edges, Value::Null),
            expect![[r#"
              ╭▸ src/transfer.rs:3:22
              │
            2 │     let mut source = from.balance.lock();
              │                      ┬──────────────────
              │                      │
              │                      teller-2 holds `bob` (step 2)
              │                      teller-1 holds `alice` (step 2)
            3 │     let mut target = to.balance.lock();
              │                      ┯━━━━━━━━━━━━━━━━
              │                      │
              │                      teller-1 waits for `bob` (step 4)
              ╰╴                     teller-2 waits for `alice` (step 4)"#]],
        );
    }

    #[test]
    fn the_place_of_a_misuse_is_shown() {
        check(
            &finding(Vec::new(), site(5, 5)),
            expect![[r#"
              ╭▸ src/transfer.rs:5:5
              │
            5 │     gordian::slow("wire (abroad)");
              ╰╴    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ here"#]],
        );
        check(
            &finding(Vec::new(), site(6, 22)),
            expect![[r#"
                  ╭▸ src/transfer.rs:6:22
                  │
                6 │     let _ = счета[0].lock();
                  ╰╴                     ━━━━━━ here"#]],
        );
    }

    #[test]
    fn what_cannot_be_shown_is_left_to_words() {
        check(&finding(Vec::new(), Value::Null), expect![""]);
        check(&finding(Vec::new(), site(70, 5)), expect![""]);
        check(&finding(Vec::new(), site(1, 500)), expect![""]);
        let many = vec![edge("teller-1", "bob", "teller-2"); EDGES_MAX + 1];
        check(&finding(many, Value::Null), expect![""]);
        for file in ["src/gone.rs", "/dev/null"] {
            let mut elsewhere = finding(Vec::new(), site(1, 1));
            elsewhere.site.as_mut().unwrap().file = file.to_owned();
            check(&elsewhere, expect![""]);
        }
    }

    #[test]
    fn long_labels_are_cut() {
        let name = "a_thread_with_quite_a_name".repeat(2);
        check(
            &finding(vec![edge(&name, "bob", "teller-2")], Value::Null),
            expect![[r#"
                  ╭▸ src/transfer.rs:3:22
                  │
                2 │     let mut source = from.balance.lock();
                  │                      ─────────────────── teller-2 holds `bob` (step 2)
                3 │     let mut target = to.balance.lock();
                  ╰╴                     ━━━━━━━━━━━━━━━━━ a_thread_with_quite_a_namea_thread…"#]],
        );
    }
}
