//! The places of a finding as they stand in the sources.
//!
//! Knows how to find and read them. Does not know the rest of the explanation: where a source
//! cannot be read, or there is too much to show, it draws nothing, and words take its place.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Snippet};
use gordian::report::{Edge, Finding, Site};

use super::canvas::Canvas;
use crate::outcome::scenario::Refusal;
use crate::report::plain;

/// More waiting threads than this do not fit a screen.
const EDGES_MAX: usize = 3;
/// By so much the code is cut at a time until all fits.
const WIDTH_STEP: usize = 4;
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
        self.texts
            .borrow_mut()
            .insert(file.to_owned(), text.clone());
        text
    }

    fn read(&self, file: &str) -> Option<String> {
        // How far below the root each part of the way is; none where it leaves it.
        let way = |depth: u32, part: Component<'_>| match part {
            Component::Normal(_) => Some(depth + 1),
            Component::CurDir => Some(depth),
            Component::ParentDir => depth.checked_sub(1),
            Component::RootDir | Component::Prefix(_) => None,
        };
        let depth = Path::new(file).components().try_fold(0, way)?;
        if depth == 0 {
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

/// Draws the places of a finding in a model, whose files are relative to the workspace's root.
pub(super) fn picture(root: &Path, finding: &Finding, canvas: Canvas) -> Option<String> {
    let sources = Sources::below(root);
    drawing(finding, canvas, call, |file| {
        sources.text(file).map(|text| text.to_string())
    })
}

/// Draws the places of a finding, as those of a model and as those of a scenario, when this is the
/// text of every file.
pub(super) fn pictures(source: &str, finding: &Finding, canvas: Canvas) -> [Option<String>; 2] {
    let model = drawing(finding, canvas, call, |_| Some(source.to_owned()));
    [model, picture_of_scenario(source, finding, canvas)]
}

/// Draws the places of a finding in a scenario whose text this is.
pub(super) fn picture_of_scenario(
    source: &str,
    finding: &Finding,
    canvas: Canvas,
) -> Option<String> {
    drawing(finding, canvas, statement, |_| Some(source.to_owned()))
}

/// Draws the places of a finding, when all can be read; `extent` says how far each reaches.
fn drawing(
    finding: &Finding,
    canvas: Canvas,
    extent: impl Fn(&str, &Site) -> Option<Range<usize>>,
    read: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    if finding.edges.len() > EDGES_MAX {
        return None;
    }
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for mark in marks(finding, true) {
        if !files.contains_key(&*mark.site.file) {
            files.insert(&mark.site.file, tame(&read(&mark.site.file)?));
        }
    }
    if files.is_empty() {
        return None;
    }
    // Labels stand behind the code: what is too wide has the code cut, or a word of the labels.
    let shapes = [true, false].into_iter().flat_map(|with_steps| {
        let widths = (canvas.columns / 2..=canvas.columns)
            .rev()
            .step_by(WIDTH_STEP);
        widths.map(move |columns| (with_steps, columns))
    });
    shapes
        .filter_map(|(with_steps, columns)| {
            let canvas = Canvas { columns, ..canvas };
            drawn(&files, marks(finding, with_steps), canvas, &extent)
        })
        .find(|drawn| columns_of(drawn) <= canvas.columns)
}

/// The places that a finding is about, and what is said at each.
fn marks(finding: &Finding, with_steps: bool) -> Vec<Mark<'_>> {
    let edges = finding.edges.iter();
    let mut marks: Vec<Mark<'_>> = edges.flat_map(|edge| marks_of(edge, with_steps)).collect();
    marks.extend(finding.site.iter().map(|site| Mark {
        site,
        kind: AnnotationKind::Primary,
        label: "here".to_owned(),
    }));
    marks
}

fn drawn(
    files: &BTreeMap<&str, String>,
    marks: Vec<Mark<'_>>,
    canvas: Canvas,
    extent: &impl Fn(&str, &Site) -> Option<Range<usize>>,
) -> Option<String> {
    let mut group = Group::with_level(Level::ERROR);
    for (file, text) in files {
        let here = marks.iter().filter(|mark| mark.site.file == **file);
        let annotations: Option<Vec<Annotation<'_>>> = here
            .map(|mark| Some(mark.kind.span(extent(text, mark.site)?).label(&mark.label)))
            .collect();
        let snippet = Snippet::source(text).path(plain(file));
        group = group.element(snippet.annotations(annotations?));
    }
    Some(canvas.renderer().render(&[group]))
}

/// The same, byte for byte, without the control characters above ASCII, which the renderer lets
/// through: it takes care of the others.
fn tame(text: &str) -> String {
    text.replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "·")
}

/// The columns of the widest line.
fn columns_of(drawn: &str) -> usize {
    let plain = anstream::adapter::strip_str(drawn).to_string();
    let lines = plain.lines().map(|line| line.chars().count());
    lines.max().unwrap_or(0)
}

/// Why a file is no scenario, with the place in its text.
pub(super) fn refusal(refusal: &Refusal, canvas: Canvas) -> String {
    let all = std::iter::once(refusal).chain(&refusal.more);
    let drawn: Vec<String> = all.map(|one| one_refusal(one, canvas)).collect();
    drawn.join("\n\n")
}

fn one_refusal(refusal: &Refusal, canvas: Canvas) -> String {
    let title = Level::ERROR.primary_title(refusal.message.as_str());
    let file = plain(&refusal.file);
    let mut group = match &refusal.pane {
        None => title.element(Origin::path(file)),
        Some(pane) => {
            let Excerpt {
                text,
                line,
                span,
                cut,
            } = excerpt(&pane.source, pane.span.clone());
            let label = pane.label.as_deref();
            let mark = AnnotationKind::Primary.span(span).label(label);
            let snippet = Snippet::source(text).line_start(line).annotation(mark);
            if cut {
                // Its own count of columns means nothing.
                let origin = Origin::path(file);
                let origin = origin.line(pane.line as usize);
                let origin = origin.char_column(pane.column as usize);
                title.element(origin).element(snippet)
            } else {
                title.element(snippet.path(file))
            }
        }
    };
    if let Some(hint) = &refusal.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    canvas.renderer().render(&[group])
}

/// A part of a text that can be drawn.
struct Excerpt {
    text: String,
    /// The number of its first line, from 1.
    line: usize,
    /// What is marked, in bytes of the part.
    span: Range<usize>,
    /// Whether it begins in the midst of a line.
    cut: bool,
}

/// The line in which a span begins, and the one before it. Of a long line only what is around the
/// span: a file of one line can have a million characters.
fn excerpt(source: &str, span: Range<usize>) -> Excerpt {
    const CHARS_AROUND: usize = 200;
    let start_of_line = |at: usize| source[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line_start = start_of_line(span.start);
    let line_end = source[span.start..]
        .find('\n')
        .map_or(source.len(), |length| span.start + length);
    let is_short = |line: &str| line.chars().nth(CHARS_AROUND).is_none();
    let before = line_start
        .checked_sub(1)
        .map(start_of_line)
        .filter(|&start| is_short(&source[start..line_start]));
    let far = source[line_start..span.start].char_indices().rev();
    let from = match far.take(CHARS_AROUND).last() {
        Some((offset, _)) if offset > 0 => line_start + offset,
        _ => before.unwrap_or(line_start),
    };
    let end = span.end.clamp(span.start, line_end);
    let near = source[span.start..line_end].char_indices();
    let to = near
        .skip(CHARS_AROUND)
        .map(|(offset, _)| span.start + offset)
        .next();
    let to = to.unwrap_or(line_end);
    Excerpt {
        text: tame(&source[from..to]),
        line: source[..from].matches('\n').count() + 1,
        span: span.start - from..end.min(to) - from,
        cut: from > line_start,
    }
}

/// Where a thread waits, and where the other one took what it waits for.
fn marks_of(edge: &Edge, with_steps: bool) -> Vec<Mark<'_>> {
    let waits = format!("{} waits for `{}`", edge.thread, edge.object);
    let mut marks = vec![Mark {
        site: &edge.site,
        kind: AnnotationKind::Primary,
        label: label(waits, Some(edge.step).filter(|_| with_steps)),
    }];
    if let Some((holder, site)) = edge
        .holder
        .as_ref()
        .and_then(|holder| Some((holder, holder.site.as_ref()?)))
    {
        let holds = format!("{} holds `{}`", holder.thread, edge.object);
        let label = label(holds, holder.step.filter(|_| with_steps));
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
    let text = plain(&text);
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
fn call(text: &str, site: &Site) -> Option<Range<usize>> {
    let (line_start, line, at) = locate(text, site)?;
    let is_receiver = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let before = line[..at].trim_end_matches(is_receiver).len();
    // A receiver that ends in brackets is left out, and with it the dot behind them.
    let start = before + usize::from(line[before..at].starts_with('.'));
    let name = line[at..]
        .find(|c: char| !is_receiver(c))
        .unwrap_or(line.len() - at);
    // A file that has changed since may have any character there.
    let sign = line[at..].chars().next().map_or(0, char::len_utf8);
    let end = match name {
        0 => at + sign,
        name => at + name + brackets(&line[at + name..]),
    };
    Some(line_start + start..line_start + end)
}

/// The bytes of the statement that a place is the beginning of, without its block.
fn statement(text: &str, site: &Site) -> Option<Range<usize>> {
    let (line_start, line, at) = locate(text, site)?;
    let mut in_text = false;
    let end = line[at..].find(|c| {
        in_text ^= c == '"';
        !in_text && matches!(c, ';' | '#' | '{' | '}')
    });
    let end = at + end.unwrap_or(line.len() - at);
    let end = at + line[at..end].trim_end().len();
    Some(line_start + at..line_start + end)
}

/// Where the line of a place begins in a text, the line, and where in it the place is.
fn locate<'a>(text: &'a str, site: &Site) -> Option<(usize, &'a str, usize)> {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(site.line.checked_sub(1)? as usize)
        .map(str::len)
        .sum();
    let line = text[line_start..].lines().next()?;
    let column = site.column.checked_sub(1)? as usize;
    let (at, _) = line.char_indices().nth(column)?;
    Some((line_start, line, at))
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

    const COLUMNS_MAX: usize = 80;
    use crate::outcome::scenario::Pane;

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
        let drawn = picture(root.path(), finding, Canvas::default()).unwrap_or_default();
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
    fn what_is_drawn_fits_every_width_or_is_left_to_words() {
        let edges = vec![
            edge("teller-1", "bob", "teller-2"),
            edge("teller-2", "alice", "teller-1"),
        ];
        let finding = finding(edges, Value::Null);
        let indented = TRANSFER.replace("    let mut", &format!("{:60}let mut", ""));
        let mut shown = 0;
        for columns in 20..=120 {
            for text in [TRANSFER, &indented] {
                let canvas = Canvas {
                    columns,
                    ..Canvas::default()
                };
                let read = |_: &str| Some(text.to_owned());
                if let Some(drawn) = drawing(&finding, canvas, call, read) {
                    assert!(columns_of(&drawn) <= columns, "{columns}:\n{drawn}");
                    shown += 1;
                }
            }
        }
        assert!(shown > 100, "only {shown} of 202");
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

    fn refused(source: &str, span: Range<usize>, hint: Option<&str>) -> String {
        let before = &source[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let refused = Refusal {
            file: "bank.gordian".to_owned(),
            message: "there is no statement `lok`".to_owned(),
            pane: Some(Pane {
                line: before.matches('\n').count() as u32 + 1,
                column: before[line_start..].chars().count() as u32 + 1,
                source: source.to_owned(),
                span,
                label: Some("expected a statement".to_owned()),
            }),
            hint: hint.map(str::to_owned),
            defect: false,
            more: Vec::new(),
        };
        let drawn = refusal(&refused, Canvas::default());
        anstream::adapter::strip_str(&drawn).to_string()
    }

    #[test]
    fn a_refused_place_is_shown_with_its_line() {
        let source = "mutex m\nthread t {\n    lok m\n}\n";
        let help = Some("did you mean `lock`?");
        expect![[r#"
            error: there is no statement `lok`
              ╭▸ bank.gordian:3:5
              │
            3 │     lok m
              │     ━━━ expected a statement
              │
              ╰ help: did you mean `lock`?"#]]
        .assert_eq(&refused(source, 23..26, help));
        expect![[r#"
            error: there is no statement `lok`
              ╭▸ bank.gordian:4:3
              │
            4 │ }
              ╰╴ ━ expected a statement"#]]
        .assert_eq(&refused(source, source.len()..source.len(), None));
        expect![[r#"
            error: there is no statement `lok`
              ╭▸ bank.gordian:1:1
              │
            1 │
              ╰╴━ expected a statement"#]]
        .assert_eq(&refused("", 0..0, None));
    }

    #[test]
    fn of_a_long_line_only_the_part_around_is_shown() {
        let source = format!("mutex m\n{}lok{}", "é".repeat(100_000), "x".repeat(100_000));
        let start = "mutex m\n".len() + 200_000;
        expect![[r#"
            error: there is no statement `lok`
              ╭▸ bank.gordian:2:100001
              │
              ⸬  
            2 │ …ééééééééééééééééééééééééélokxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
              ╰╴                          ━━━ expected a statement"#]]
        .assert_eq(&refused(&source, start..start + 3, None));
    }

    #[test]
    fn the_statement_of_a_scenario_is_marked() {
        let source = "thread t { lock \"a;b\"; unlock x # why\n  with m { nop } }";
        for (line, column, marked) in [
            (1, 12, "lock \"a;b\""),
            (1, 24, "unlock x"),
            (2, 3, "with m"),
            (2, 12, "nop"),
        ] {
            let site = serde_json::from_value(site(line, column)).unwrap();
            let range = statement(source, &site).unwrap();
            assert_eq!(&source[range], marked);
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
