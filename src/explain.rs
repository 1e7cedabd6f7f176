//! What a report says, in words: plain text that fits a screen.
//!
//! Knows how each part of a [`Report`] looks in at most 80 columns and 40 lines a finding. Does not
//! know the sources (no file is read here), colours, or where the text goes (nothing here prints).

mod command;

use std::collections::BTreeSet;
use std::fmt;

use self::command::replay;
pub use self::command::shell_word;
use crate::report::{
    Edge, Finding, Outcome, RESTS_ON, Report, Severity, Shrunk, Site, Step, Strength, Vacuity,
    Verdict, Worth, grouped,
};

/// Columns of a line at most, when nothing else is asked for.
const COLUMNS_MAX: usize = 80;
/// Whatever is asked for: below that nothing can be read any more.
const COLUMNS_MIN: usize = 20;
/// Lines of one finding at most.
const FINDING_LINES_MAX: usize = 40;
/// Lines that say who waits for whom.
const EDGE_LINES_MAX: usize = 8;
/// Lines of a headline, of a cycle, of a sentence behind a label. The headline of a panic is its
/// message, and in an assertion's the last lines are the values.
const HEADLINE_LINES_MAX: usize = 6;
const CYCLE_LINES_MAX: usize = 2;
const SENTENCE_LINES_MAX: usize = 4;
/// Threads that get a column each; more are shown as a list.
const THREAD_COLUMNS_MAX: usize = 4;
/// An object's name is cut to no fewer columns than this before the table becomes a list.
const OBJECT_COLUMNS_MIN: usize = 8;
/// Columns before the first thread: two, `step`, three.
const STEP_COLUMNS: usize = 9;
/// Columns between two neighbours in a table.
const GAP: usize = 2;

impl Report {
    /// The whole report in words: every finding with who waits for whom, the steps that lead there,
    /// how much was explored and the command that replays it; or what is missing for a pass.
    ///
    /// Plain text without colour, at most 80 columns wide and 40 lines a finding.
    pub fn explain(&self) -> String {
        self.explain_with(|_| None)
    }

    /// As [`Report::explain`], with pictures: what `picture` draws of a finding's places stands
    /// instead of the lines that name them. It is used as it is, colours and all.
    pub fn explain_with(&self, picture: impl Fn(&Finding) -> Option<String>) -> String {
        self.explain_within(COLUMNS_MAX, picture)
    }

    /// As [`Report::explain_with`], in lines of at most so many columns; 20 at least. Only a replay
    /// command that does not fit is left out, and said to be.
    pub fn explain_within(
        &self,
        columns: usize,
        picture: impl Fn(&Finding) -> Option<String>,
    ) -> String {
        self.explain_replayed_by(columns, picture, |_| None)
    }

    /// As [`Report::explain_within`], where another command than that of
    /// [`Report::how_to_replay`] replays a finding: that of `command`, if there is one.
    pub fn explain_replayed_by(
        &self,
        columns: usize,
        picture: impl Fn(&Finding) -> Option<String>,
        command: impl Fn(&Finding) -> Option<String>,
    ) -> String {
        let page = columns.max(COLUMNS_MIN);
        let explained = |finding: &Finding| {
            let (picture, command) = (picture(finding), command(finding));
            explain_finding(self, finding, picture, command, page)
        };
        let mut blocks: Vec<String> = self.findings.iter().map(explained).collect();
        let verdict = match self.verdict {
            Verdict::Error => explain_error(self, page),
            Verdict::Incomplete => explain_incomplete(self, page),
            Verdict::Clean => explain_clean(self, page),
            Verdict::Found => Vec::new(),
        };
        for lines in [explain_missing(self, page), verdict] {
            blocks.extend((!lines.is_empty()).then(|| joined(&lines, page)));
        }
        blocks.join("\n")
    }

    /// How far the search came: `81 204 of about 6·10⁵ interleavings`.
    pub fn progress(&self) -> String {
        let done = grouped(self.search.executions);
        match self.search.executions_estimate {
            // An estimate below what was done already says nothing.
            Some(estimate) if estimate.is_finite() && estimate > self.search.executions as f64 => {
                format!("{done} of about {} interleavings", magnitude(estimate))
            }
            _ => self.search.extent(),
        }
    }
}

impl Finding {
    /// How small the interleaving is and what it was before it was shrunk, if that was larger:
    /// `5 steps, 1 context switch (from 31 steps, 4 context switches)`.
    pub fn shrunk_in_words(&self) -> Option<String> {
        let before = self.shrunk.as_ref()?;
        let now = Shrunk::of(&self.steps);
        (now != *before).then(|| shrunk(&now, before))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain())
    }
}

/// Lines as text, none of them wider than the screen, and none that moves the cursor.
fn joined(lines: &[String], page: usize) -> String {
    lines
        .iter()
        .map(|line| cut(&clean(line.trim_end()), page) + "\n")
        .collect()
}

// The parts of a finding, from the top down.

fn explain_finding(
    report: &Report,
    finding: &Finding,
    picture: Option<String>,
    command: Option<String>,
    page: usize,
) -> String {
    let head = joined(&headline(finding, page), page);
    let picture = match picture {
        Some(text) => text.trim_end().to_owned() + "\n",
        None => joined(&sites(finding, page), page),
    };
    let mut bottom = cycle(&finding.edges, page);
    bottom.push(String::new());
    bottom.extend(explored(report, finding, page));
    bottom.extend(replay(report, finding, command, page));
    bottom.extend(notes(&finding.notes, page));

    let lines_used = head.lines().count() + picture.lines().count() + bottom.len();
    let mut table = step_table(
        finding,
        FINDING_LINES_MAX.saturating_sub(lines_used + 1),
        page,
    );
    if !table.is_empty() {
        table.insert(0, String::new());
    }
    table.extend(bottom);
    head + &picture + &joined(&table, page)
}

fn headline(finding: &Finding, page: usize) -> Vec<String> {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Hazard => "hazard",
    };
    let head = format!("{severity}[{}]: ", finding.code);
    wrapped(&finding.message, &head, "  ", HEADLINE_LINES_MAX, page)
}

/// Who waits where, for what, and who holds it since where; or the one place of the defect.
fn sites(finding: &Finding, page: usize) -> Vec<String> {
    let mut pairs: Vec<(String, Option<&Site>)> =
        finding.edges.iter().flat_map(edge_phrases).collect();
    if pairs.len() > EDGE_LINES_MAX {
        // Who holds what stands in the cycle and in the steps too.
        pairs = finding
            .edges
            .iter()
            .filter_map(|edge| edge_phrases(edge).into_iter().next())
            .collect();
    }
    if let Some(site) = &finding.site {
        pairs.push(("here".to_owned(), Some(site)));
    }
    let phrase_width = pairs
        .iter()
        .map(|(phrase, _)| width(phrase))
        .max()
        .unwrap_or(0);
    let site_width = pairs
        .iter()
        .filter_map(|(_, site)| *site)
        .map(|site| width(&site.to_string()))
        .max();
    let beside = 2 + phrase_width + GAP + site_width.unwrap_or(0) <= page;
    let mut lines = Vec::new();
    for (phrase, site) in &pairs {
        match site {
            Some(site) if beside => {
                lines.push(format!("  {}  {site}", padded(phrase, phrase_width)))
            }
            Some(site) => {
                lines.push(format!("  {phrase}"));
                lines.push(format!("    at {}", cut_left(&site.to_string(), page - 7)));
            }
            None => lines.push(format!("  {phrase}")),
        }
    }
    shortened(lines, EDGE_LINES_MAX)
}

fn edge_phrases(edge: &Edge) -> Vec<(String, Option<&Site>)> {
    let Edge {
        thread,
        operation,
        object,
        step,
        ..
    } = edge;
    let mut phrases = vec![(
        format!(
            "{} waits for `{}` ({operation}, step {step})",
            clean(thread),
            clean(object)
        ),
        Some(&edge.site),
    )];
    if let Some(holder) = &edge.holder {
        let name = clean(&holder.thread);
        let since = holder
            .step
            .map(|step| format!(" since step {step}"))
            .unwrap_or_default();
        match &holder.site {
            Some(site) => {
                phrases.push((
                    format!("`{}` is held by {name}{since}", clean(object)),
                    Some(site),
                ));
            }
            // For a join the object is the thread itself, and its own edge says why it cannot end.
            None if holder.thread == *object => {}
            None => phrases.push((format!("only {name} could let it go on"), None)),
        }
    }
    phrases
}

/// `cycle  a → x → b → y → a`, when the edges close one.
fn cycle(edges: &[Edge], page: usize) -> Vec<String> {
    let holder = |edge: &Edge| edge.holder.as_ref().map(|holder| holder.thread.clone());
    let closes = edges.iter().enumerate().all(|(index, edge)| {
        holder(edge).is_some_and(|name| name == edges[(index + 1) % edges.len()].thread)
    });
    let Some(first) = edges.first().filter(|_| closes) else {
        return Vec::new();
    };
    let mut stops = vec![clean(&first.thread)];
    for edge in edges {
        let next = holder(edge).expect("a cycle is of held objects");
        if edge.object != next {
            stops.push(clean(&edge.object));
        }
        stops.push(clean(&next));
    }
    let text = stops.join(" → ");
    wrapped(&text, "  cycle  ", "         ", CYCLE_LINES_MAX, page)
}

fn explored(report: &Report, finding: &Finding, page: usize) -> Vec<String> {
    let mut lines = labelled("explored", &report.strength(), page);
    if report.search.strength != Strength::Predicted {
        let seen = finding.seen.max(1);
        let seen = report.search.counted(seen);
        let execution = grouped(finding.execution);
        let text = format!("in {seen}, first in number {execution}");
        lines.extend(labelled("seen", &text, page));
    }
    if let Some(text) = finding.shrunk_in_words() {
        lines.extend(labelled("shrunk", &text, page));
    }
    lines.extend(remarks(report, page));
    if !report.search.complete {
        let reason = report
            .search
            .incomplete_reason
            .as_deref()
            .unwrap_or("cut short");
        lines.extend(labelled(
            "missing",
            &format!("the search is not complete: {reason}"),
            page,
        ));
    }
    lines
}

/// What is to be said about how the search went.
fn remarks(report: &Report, page: usize) -> Vec<String> {
    let remarks = report.search.remarks.iter();
    remarks
        .flat_map(|remark| labelled("remark", remark, page))
        .collect()
}

/// "5 steps, 1 context switch (from 31 steps, 4 context switches)".
fn shrunk(now: &Shrunk, before: &Shrunk) -> String {
    let counted = |count: u32, what: &str, many: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{} {many}", grouped(u64::from(count))),
    };
    let measures = |its: &Shrunk| {
        let steps = counted(its.steps, "step", "steps");
        let switches = counted(its.switches, "context switch", "context switches");
        match now.threads == before.threads {
            true => format!("{steps}, {switches}"),
            false => format!(
                "{}, {steps}, {switches}",
                counted(its.threads, "thread", "threads")
            ),
        }
    };
    format!("{} (from {})", measures(now), measures(before))
}

fn notes(notes: &[String], page: usize) -> Vec<String> {
    shortened(
        notes
            .iter()
            .flat_map(|note| labelled("note", note, page))
            .collect(),
        SENTENCE_LINES_MAX,
    )
}

// What a report without findings says.

/// The findings that the model expects and that are not there.
fn explain_missing(report: &Report, page: usize) -> Vec<String> {
    let missing: Vec<String> = report
        .expect
        .iter()
        .filter(|&&code| !report.has(code))
        .map(|code| format!("`{code}`"))
        .collect();
    if missing.is_empty() || report.verdict == Verdict::Error {
        return Vec::new();
    }
    let text = format!("expected but not found: {}", missing.join(", "));
    let mut lines = wrapped(&text, "error: ", "  ", HEADLINE_LINES_MAX, page);
    lines.extend(labelled("model", &report.model, page));
    lines.extend(labelled("explored", &report.strength(), page));
    lines
}

fn explain_clean(report: &Report, page: usize) -> Vec<String> {
    if !report.expect.is_empty() {
        return Vec::new();
    }
    if let Some(vacuous) = report.vacuity() {
        return explain_vacuous(report, vacuous, page);
    }
    let mut text = format!("{} · {}", report.model, report.strength());
    if let Some(vacuous) = report.search.vacuous {
        text += &format!("; it {}, as is meant", vacuous.what());
    }
    let mut lines = wrapped(&text, "clean: ", "  ", HEADLINE_LINES_MAX, page);
    if report.worth() == Worth::Proved {
        lines.extend(labelled("rests on", RESTS_ON, page));
    }
    lines.extend(remarks(report, page));
    lines
}

fn explain_vacuous(report: &Report, vacuous: Vacuity, page: usize) -> Vec<String> {
    let text = vacuous.to_string();
    let mut lines = wrapped(&text, "vacuous: ", "  ", HEADLINE_LINES_MAX, page);
    lines.extend(labelled("model", &report.model, page));
    lines.extend(labelled("explored", &report.strength(), page));
    lines.extend(remarks(report, page));
    let advice = "use gordian::sync or gordian::std_sync and gordian::thread for all that threads \
                  share in the model, or say that it is meant so: `vacuous = \"allow\"`";
    lines.extend(labelled("to do", advice, page));
    let note = "nothing was found, but nothing could have been: this is not a pass";
    lines.extend(labelled("note", note, page));
    lines
}

fn explain_error(report: &Report, page: usize) -> Vec<String> {
    let error = report
        .error
        .as_deref()
        .unwrap_or("the check could not be carried out");
    let mut lines = wrapped(
        error,
        "error: ",
        "  ",
        FINDING_LINES_MAX - SENTENCE_LINES_MAX,
        page,
    );
    lines.extend(labelled("model", &report.model, page));
    lines.extend(remarks(report, page));
    lines
}

fn explain_incomplete(report: &Report, page: usize) -> Vec<String> {
    let search = &report.search;
    let text = format!(
        "nothing found so far, but the search ended early: {}",
        report.progress()
    );
    let mut lines = wrapped(&text, "incomplete: ", "  ", HEADLINE_LINES_MAX, page);
    lines.extend(labelled("model", &report.model, page));
    if let Some(reason) = &search.incomplete_reason {
        lines.extend(labelled("why", reason, page));
    }
    lines.extend(labelled("explored", &report.strength(), page));
    let by_time = search
        .incomplete_reason
        .iter()
        .any(|why| why.starts_with("time_max"));
    let mut advice = if search.executions_capped > 0 {
        "look for a loop that never ends, or raise `steps_max`".to_owned()
    } else if search.states.is_some() && !by_time {
        "let the scenario count and keep less: no bound but memory ends this search".to_owned()
    } else {
        "raise `time_max` or `executions_max`, make the model smaller, or ask for less: \
         `preemptions_max = 2`, or a sample with `strategy = \"portfolio\"`"
            .to_owned()
    };
    if by_time && cfg!(debug_assertions) {
        advice += "; `--release` makes it faster";
    }
    lines.extend(labelled("to do", &advice, page));
    lines.extend(labelled(
        "note",
        "what was not explored is not proved: this is not a pass",
        page,
    ));
    lines
}

/// A number of which only the first digit means something: `600`, `6·10⁵`.
fn magnitude(number: f64) -> String {
    let mut exponent = number.log10().floor() as i32;
    let mut digit = (number / 10f64.powi(exponent)).round() as u32;
    if digit == 10 {
        digit = 1;
        exponent += 1;
    }
    if exponent < 4 {
        return grouped(u64::from(digit) * 10u64.pow(exponent.max(0) as u32));
    }
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let power: String = exponent
        .to_string()
        .chars()
        .filter_map(|c| c.to_digit(10))
        .map(|digit| RAISED[digit as usize])
        .collect();
    format!("{digit}·10{power}")
}

// The steps.

/// The steps of a finding in at most `lines_max` lines: a column per thread where they fit.
fn step_table(finding: &Finding, lines_max: usize, page: usize) -> Vec<String> {
    if finding.steps.is_empty() || lines_max < 3 {
        return Vec::new();
    }
    let rows = chosen_rows(finding, lines_max - 1);
    let shown: Vec<&Step> = rows
        .iter()
        .filter_map(|row| row.as_ref().ok())
        .copied()
        .collect();
    let threads = in_order_of_appearance(&finding.steps);
    let columns: Vec<Column> = threads
        .iter()
        .map(|thread| Column::of(thread, &shown))
        .collect();
    match fitted(columns, page) {
        Some(columns) => column_table(&rows, &columns),
        None => list_table(&rows, &shown, page),
    }
}

/// A row of the table: a step, or how many are left out here.
type Row<'a> = Result<&'a Step, usize>;

/// As many rows as fit: the steps that the explanation names come first, then the last ones, which
/// are nearer to the defect than the first ones.
fn chosen_rows(finding: &Finding, rows_max: usize) -> Vec<Row<'_>> {
    let steps = &finding.steps;
    if steps.len() <= rows_max {
        return steps.iter().map(Ok).collect();
    }
    let named: BTreeSet<u32> = finding
        .edges
        .iter()
        .flat_map(|edge| {
            [
                Some(edge.step),
                edge.holder.as_ref().and_then(|holder| holder.step),
            ]
        })
        .flatten()
        .collect();
    let (mut order, rest): (Vec<usize>, Vec<usize>) = (0..steps.len())
        .rev()
        .partition(|&index| named.contains(&steps[index].number));
    order.extend(rest);
    for count in (1..=rows_max).rev() {
        let chosen: BTreeSet<usize> = order[..count].iter().copied().collect();
        let rows = with_gaps(steps, &chosen);
        if rows.len() <= rows_max {
            return rows;
        }
    }
    vec![Err(steps.len())]
}

fn with_gaps<'a>(steps: &'a [Step], chosen: &BTreeSet<usize>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if chosen.contains(&index) {
            rows.push(Ok(step));
        } else if let Some(Err(count)) = rows.last_mut() {
            *count += 1;
        } else {
            rows.push(Err(1));
        }
    }
    rows
}

fn in_order_of_appearance(steps: &[Step]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for step in steps {
        if !names.contains(&step.thread.as_str()) {
            names.push(&step.thread);
        }
    }
    names
}

/// The widths of one thread's column.
struct Column {
    /// The name by which steps refer to the thread.
    thread: String,
    operation: usize,
    object: usize,
    outcome: usize,
    /// Of the whole column; at least what the three need.
    total: usize,
}

impl Column {
    fn of(thread: &str, steps: &[&Step]) -> Self {
        let mut column = Column {
            thread: thread.to_owned(),
            operation: 0,
            object: 0,
            outcome: 0,
            total: 0,
        };
        for step in steps.iter().filter(|step| step.thread == thread) {
            column.operation = column.operation.max(width(&clean(&step.operation)));
            column.object = column.object.max(width(&object_name(step)));
            column.outcome = column.outcome.max(width(&outcome(step)));
        }
        column.set_total();
        column
    }

    fn set_total(&mut self) {
        let parts = [self.operation, self.object, self.outcome];
        let gaps = parts
            .iter()
            .filter(|&&part| part > 0)
            .count()
            .saturating_sub(1);
        let name = width(&clean(&self.thread)).min(16);
        self.total = (parts.iter().sum::<usize>() + gaps * GAP).max(name);
    }

    fn cell(&self, step: &Step) -> String {
        let parts = [
            (clean(&step.operation), self.operation),
            (cut(&object_name(step), self.object), self.object),
            (outcome(step), self.outcome),
        ];
        let shown = parts.iter().filter(|(_, columns)| *columns > 0);
        let cells: Vec<String> = shown
            .map(|(text, columns)| padded(text, *columns))
            .collect();
        cells.join("  ")
    }
}

/// Cuts the longest object names until all columns fit, or gives up.
fn fitted(mut columns: Vec<Column>, page: usize) -> Option<Vec<Column>> {
    if columns.len() > THREAD_COLUMNS_MAX.max(page / COLUMNS_MIN) {
        return None;
    }
    let room = page.saturating_sub(STEP_COLUMNS + GAP * columns.len().saturating_sub(1));
    while columns.iter().map(|column| column.total).sum::<usize>() > room {
        let widest = columns.iter_mut().max_by_key(|column| column.object)?;
        if widest.object <= OBJECT_COLUMNS_MIN {
            return None;
        }
        widest.object -= 1;
        widest.set_total();
    }
    Some(columns)
}

fn column_table(rows: &[Row<'_>], columns: &[Column]) -> Vec<String> {
    let heads: Vec<String> = columns
        .iter()
        .map(|column| padded(&cut(&clean(&column.thread), column.total), column.total))
        .collect();
    let mut lines = vec![format!("  step   {}", heads.join("  "))];
    for row in rows {
        match row {
            Err(count) => lines.push(left_out(*count)),
            Ok(step) => {
                let cells: Vec<String> = columns
                    .iter()
                    .map(|column| {
                        let mine = column.thread == step.thread;
                        let cell = if mine {
                            column.cell(step)
                        } else {
                            "·".to_owned()
                        };
                        padded(&cell, column.total)
                    })
                    .collect();
                lines.push(format!("  {:>4}   {}", step.number, cells.join("  ")));
            }
        }
    }
    lines
}

fn list_table(rows: &[Row<'_>], shown: &[&Step], page: usize) -> Vec<String> {
    let widest = |name: &str, text: &dyn Fn(&Step) -> String| {
        shown
            .iter()
            .map(|step| width(&text(step)))
            .max()
            .unwrap_or(0)
            .max(name.len())
    };
    let thread = widest("thread", &|step| clean(&step.thread)).min(24);
    let operation = widest("op", &|step| clean(&step.operation)).min(16);
    let outcomes = widest("outcome", &outcome);
    let others = STEP_COLUMNS + thread + operation + outcomes + 3 * GAP;
    let room = page.saturating_sub(others).max(OBJECT_COLUMNS_MIN);
    let object = widest("object", &object_name).min(room);
    let line = |number: &str, cells: [&str; 4]| {
        let widths = [thread, operation, object, outcomes];
        let cells: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, columns)| padded(&cut(cell, columns), columns))
            .collect();
        format!("  {number:>4}   {}", cells.join("  "))
    };
    let mut lines = vec![line("step", ["thread", "op", "object", "outcome"])];
    for row in rows {
        lines.push(match row {
            Err(count) => left_out(*count),
            Ok(step) => line(
                &step.number.to_string(),
                [
                    &clean(&step.thread),
                    &clean(&step.operation),
                    &object_name(step),
                    &outcome(step),
                ],
            ),
        });
    }
    lines
}

fn left_out(count: usize) -> String {
    let steps = if count == 1 { "step" } else { "steps" };
    format!("     ⋮   {} {steps} left out", grouped(count as u64))
}

fn object_name(step: &Step) -> String {
    step.object.as_deref().map(clean).unwrap_or_default()
}

fn outcome(step: &Step) -> String {
    match step.outcome {
        Outcome::Done if may_wait(&step.operation) => "ok".to_owned(),
        Outcome::Done => String::new(),
        Outcome::Failed => "failed".to_owned(),
        Outcome::Queued => "queued".to_owned(),
        Outcome::Closed => "closed".to_owned(),
        Outcome::Blocked => "BLOCKED".to_owned(),
        Outcome::Chose(case) => format!("case {case}"),
    }
}

/// Whether it is worth saying that an operation succeeded, because it need not have.
fn may_wait(operation: &str) -> bool {
    let waits = [
        "lock", "acquire", "join", "park", "read", "write", "upgrad", "wait", "recv", "send",
        "select", "barrier", "once",
    ];
    let never = ["un", "is-", "to-", "notify-"];
    !never.iter().any(|name| operation.starts_with(name))
        && waits.iter().any(|name| operation.contains(name))
}

// Text.

/// `  label     text`, wrapped, with the text in a column of its own.
fn labelled(label: &str, text: &str, page: usize) -> Vec<String> {
    wrapped(
        text,
        &format!("  {label:<10}"),
        "            ",
        SENTENCE_LINES_MAX,
        page,
    )
}

/// At most `lines_max` lines; the last one says how many are missing.
fn shortened(mut lines: Vec<String>, lines_max: usize) -> Vec<String> {
    if lines.len() > lines_max {
        let missing = lines.len() - (lines_max - 1);
        lines.truncate(lines_max - 1);
        lines.push(format!("  … {missing} more lines"));
    }
    lines
}

/// Breaks a text between words, and at its own line ends. `head` leads the first line and `indent`
/// the others. What does not fit into `lines_max` lines ends in `…`.
fn wrapped(text: &str, head: &str, indent: &str, lines_max: usize, page: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (number, paragraph) in text.lines().map(clean).enumerate() {
        let mut line = if number == 0 {
            head.to_owned()
        } else {
            indent.to_owned()
        };
        let mut fresh = true;
        for word in paragraph.split_whitespace() {
            if !fresh && width(&line) + 1 + width(word) > page {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
            } else if !fresh {
                line.push(' ');
            }
            // Only a word that is wider than a whole line is broken.
            let mut rest = word;
            while width(&line) + width(rest) > page {
                // No room at all: behind a head that is as wide as the page.
                let piece = match page.saturating_sub(width(&line)) {
                    0 => "",
                    room => prefix(rest, room),
                };
                rest = &rest[piece.len()..];
                lines.push(std::mem::replace(&mut line, indent.to_owned()) + piece);
            }
            line += rest;
            fresh = false;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(head.to_owned());
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        let last = lines.last_mut().expect("there is room for a line");
        *last = cut(last, page - 2) + " …";
    }
    lines
}

/// The longest prefix in so many columns; at least one character.
fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += char_width(c);
        if used > columns && index > 0 {
            return &text[..index];
        }
    }
    text
}

/// Cuts the end off, with `…`, so that the text takes at most so many columns.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let kept = prefix(text, columns - 1);
    let kept = if width(kept) < columns { kept } else { "" };
    format!("{kept}…")
}

/// Cuts the beginning off: of a path the end says most.
fn cut_left(text: &str, columns: usize) -> String {
    let mut kept = text;
    if width(text) <= columns {
        return text.to_owned();
    }
    while width(kept) >= columns {
        let mut rest = kept.chars();
        rest.next();
        kept = rest.as_str();
    }
    format!("…{kept}")
}

fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// A name without what would break a line or steer a terminal.
fn clean(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

/// Columns that a text takes in a terminal.
fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// 2 for what East Asian scripts and emoji use, 0 for marks that combine with the letter before:
/// the blocks of Unicode that names are likely to contain, not the whole standard.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF => 2,
        0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 => 2,
        0x1F300..=0x1FAFF | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::report::{Code, Engine, Holder, REPORT_VERSION, Search, Strength};

    fn site(line: u32) -> Site {
        Site {
            file: "bank/src/transfer.rs".to_owned(),
            line,
            column: 22,
        }
    }

    fn step(number: u32, thread: &str, operation: &str, object: &str, outcome: Outcome) -> Step {
        let object = (!object.is_empty()).then(|| object.to_owned());
        let (thread, operation) = (thread.to_owned(), operation.to_owned());
        Step {
            number,
            thread,
            operation,
            object,
            outcome,
            site: site(number),
            acquires: Vec::new(),
            releases: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    fn edge(thread: &str, object: &str, since: u32, holder: &str, taken: u32) -> Edge {
        Edge {
            thread: thread.to_owned(),
            operation: "lock".to_owned(),
            object: object.to_owned(),
            site: site(since),
            step: since,
            holder: Some(Holder {
                thread: holder.to_owned(),
                site: Some(site(taken)),
                step: Some(taken),
            }),
        }
    }

    fn finding(code: Code, message: &str) -> Finding {
        Finding {
            code,
            severity: code.severity(),
            message: message.to_owned(),
            threads: Vec::new(),
            objects: Vec::new(),
            edges: Vec::new(),
            site: None,
            notes: Vec::new(),
            steps: Vec::new(),
            fingerprint: "0123456789abcdef".to_owned(),
            token: "g1.AbCd".to_owned(),
            execution: 3,
            seen: 1,
            shrunk: None,
        }
    }

    /// A ring of threads: each takes its own lock and waits for its neighbour's.
    fn ring(names: &[String], object: impl Fn(usize) -> String) -> Finding {
        let count = names.len();
        let mut found = finding(Code::Deadlock, "the threads wait for each other in a ring");
        for (index, name) in names.iter().enumerate() {
            let number = index as u32 + 1;
            found
                .steps
                .push(step(number, name, "lock", &object(index), Outcome::Done));
        }
        for (index, name) in names.iter().enumerate() {
            let next = (index + 1) % count;
            let since = (count + index) as u32 + 1;
            found
                .steps
                .push(step(since, name, "lock", &object(next), Outcome::Blocked));
            found.edges.push(edge(
                name,
                &object(next),
                since,
                &names[next],
                next as u32 + 1,
            ));
        }
        found
    }

    fn report(verdict: Verdict, findings: Vec<Finding>) -> Report {
        Report {
            v: REPORT_VERSION,
            model: "tests::transfer".to_owned(),
            verdict,
            search: Search {
                engine: Engine::Controlled,
                strategy: "exhaustive".to_owned(),
                strength: Strength::Exhaustive,
                complete: verdict != Verdict::Incomplete,
                incomplete_reason: None,
                executions: 81204,
                executions_blocked: 0,
                executions_capped: 0,
                executions_estimate: None,
                steps: 900,
                steps_longest: 12,
                threads: 3,
                contended: 4,
                distinct: None,
                vacuous: None,
                vacuous_allowed: false,
                spins_max: None,
                seconds: 0.0213,
                seed: None,
                remarks: Vec::new(),
                states: None,
            },
            findings,
            error: None,
            expect: Vec::new(),
            scenario: None,
            coverage: crate::report::Coverage::default(),
        }
    }

    fn teller(number: usize) -> String {
        format!("teller-{number}")
    }

    fn transfer() -> Finding {
        let mut found = ring(&[teller(1), teller(2)], |index| {
            ["alice", "bob"][index].to_owned()
        });
        found.message = "`teller-1` and `teller-2` wait for each other".to_owned();
        found
    }

    fn check(report: &Report, expected: Expect) {
        expected.assert_eq(&report.explain());
        assert_fits(report);
    }

    fn assert_fits(report: &Report) {
        let text = report.explain();
        for line in text.lines() {
            assert!(
                width(line) <= COLUMNS_MAX,
                "{} columns: {line}\n{text}",
                width(line)
            );
        }
        // An empty line stands between two findings.
        let lines_max = (FINDING_LINES_MAX + 1) * report.findings.len().max(1) - 1;
        assert!(
            text.lines().count() <= lines_max,
            "{} lines\n{text}",
            text.lines().count()
        );
    }

    #[test]
    fn deadlock_shows_both_sites_of_both_edges_and_the_steps_by_thread() {
        check(
            &report(Verdict::Found, vec![transfer()]),
            expect![[r#"
                error[deadlock]: `teller-1` and `teller-2` wait for each other
                  teller-1 waits for `bob` (lock, step 3)    bank/src/transfer.rs:3:22
                  `bob` is held by teller-2 since step 2     bank/src/transfer.rs:2:22
                  teller-2 waits for `alice` (lock, step 4)  bank/src/transfer.rs:4:22
                  `alice` is held by teller-1 since step 1   bank/src/transfer.rs:1:22

                  step   teller-1              teller-2
                     1   lock  alice  ok       ·
                     2   ·                     lock  bob    ok
                     3   lock  bob    BLOCKED  ·
                     4   ·                     lock  alice  BLOCKED
                  cycle  teller-1 → bob → teller-2 → alice → teller-1

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
                  replay    GORDIAN_REPLAY='g1.AbCd' cargo test tests::transfer -- --exact
            "#]],
        );
    }

    #[test]
    fn join_in_a_cycle_names_the_thread_once() {
        let mut found = finding(Code::Deadlock, "`main` and `worker` wait for each other");
        let mut join = edge("main", "worker", 3, "worker", 0);
        join.operation = "join".to_owned();
        join.holder = Some(Holder {
            thread: "worker".to_owned(),
            site: None,
            step: None,
        });
        found.edges = vec![join, edge("worker", "orders", 4, "main", 1)];
        found
            .notes
            .push("a guard lives until the end of its block".to_owned());
        check(
            &report(Verdict::Found, vec![found]),
            expect![[r#"
                error[deadlock]: `main` and `worker` wait for each other
                  main waits for `worker` (join, step 3)    bank/src/transfer.rs:3:22
                  worker waits for `orders` (lock, step 4)  bank/src/transfer.rs:4:22
                  `orders` is held by main since step 1     bank/src/transfer.rs:1:22
                  cycle  main → worker → orders → main

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
                  replay    GORDIAN_REPLAY='g1.AbCd' cargo test tests::transfer -- --exact
                  note      a guard lives until the end of its block
            "#]],
        );
    }

    #[test]
    fn misuse_shows_the_one_place_and_every_kind_of_outcome() {
        let mut found = finding(
            Code::ForeignRelease,
            "`api` released `L[BTC]`, held by `loop`",
        );
        found.site = Some(site(41));
        found.steps = vec![
            step(1, "loop", "acquire", "L[BTC]", Outcome::Done),
            step(2, "api", "acquire", "L[BTC]", Outcome::Failed),
            step(3, "loop", "choose", "", Outcome::Chose(2)),
            step(4, "api", "release", "L[BTC]", Outcome::Done),
        ];
        check(
            &report(Verdict::Found, vec![found]),
            expect![[r#"
                error[foreign-release]: `api` released `L[BTC]`, held by `loop`
                  here  bank/src/transfer.rs:41:22

                  step   loop                     api
                     1   acquire  L[BTC]  ok      ·
                     2   ·                        acquire  L[BTC]  failed
                     3   choose           case 2  ·
                     4   ·                        release  L[BTC]

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
                  replay    GORDIAN_REPLAY='g1.AbCd' cargo test tests::transfer -- --exact
            "#]],
        );
    }

    #[test]
    fn many_threads_become_a_list() {
        let names: Vec<_> = (1..=5).map(teller).collect();
        let found = ring(&names, |index| format!("fork-{index}"));
        check(
            &report(Verdict::Found, vec![found]),
            expect![[r#"
                error[deadlock]: the threads wait for each other in a ring
                  teller-1 waits for `fork-1` (lock, step 6)   bank/src/transfer.rs:6:22
                  teller-2 waits for `fork-2` (lock, step 7)   bank/src/transfer.rs:7:22
                  teller-3 waits for `fork-3` (lock, step 8)   bank/src/transfer.rs:8:22
                  teller-4 waits for `fork-4` (lock, step 9)   bank/src/transfer.rs:9:22
                  teller-5 waits for `fork-0` (lock, step 10)  bank/src/transfer.rs:10:22

                  step   thread    op    object  outcome
                     1   teller-1  lock  fork-0  ok
                     2   teller-2  lock  fork-1  ok
                     3   teller-3  lock  fork-2  ok
                     4   teller-4  lock  fork-3  ok
                     5   teller-5  lock  fork-4  ok
                     6   teller-1  lock  fork-1  BLOCKED
                     7   teller-2  lock  fork-2  BLOCKED
                     8   teller-3  lock  fork-3  BLOCKED
                     9   teller-4  lock  fork-4  BLOCKED
                    10   teller-5  lock  fork-0  BLOCKED
                  cycle  teller-1 → fork-1 → teller-2 → fork-2 → teller-3 → fork-3 → teller-4 →
                         fork-4 → teller-5 → fork-0 → teller-1

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
                  replay    GORDIAN_REPLAY='g1.AbCd' cargo test tests::transfer -- --exact
            "#]],
        );
    }

    #[test]
    fn long_runs_keep_the_steps_that_the_explanation_names() {
        let mut found = transfer();
        let filler = (5..90).map(|n| step(n, "teller-1", "load", "total", Outcome::Done));
        let blocked = found.steps.split_off(2);
        found.steps.extend(filler);
        for (index, mut last) in blocked.into_iter().enumerate() {
            last.number = 90 + index as u32;
            found.edges[index].step = last.number;
            found.steps.push(last);
        }
        check(
            &report(Verdict::Found, vec![found]),
            expect![[r#"
                error[deadlock]: `teller-1` and `teller-2` wait for each other
                  teller-1 waits for `bob` (lock, step 90)    bank/src/transfer.rs:3:22
                  `bob` is held by teller-2 since step 2      bank/src/transfer.rs:2:22
                  teller-2 waits for `alice` (lock, step 91)  bank/src/transfer.rs:4:22
                  `alice` is held by teller-1 since step 1    bank/src/transfer.rs:1:22

                  step   teller-1              teller-2
                     1   lock  alice  ok       ·
                     2   ·                     lock  bob    ok
                     ⋮   62 steps left out
                    67   load  total           ·
                    68   load  total           ·
                    69   load  total           ·
                    70   load  total           ·
                    71   load  total           ·
                    72   load  total           ·
                    73   load  total           ·
                    74   load  total           ·
                    75   load  total           ·
                    76   load  total           ·
                    77   load  total           ·
                    78   load  total           ·
                    79   load  total           ·
                    80   load  total           ·
                    81   load  total           ·
                    82   load  total           ·
                    83   load  total           ·
                    84   load  total           ·
                    85   load  total           ·
                    86   load  total           ·
                    87   load  total           ·
                    88   load  total           ·
                    89   load  total           ·
                    90   lock  bob    BLOCKED  ·
                    91   ·                     lock  alice  BLOCKED
                  cycle  teller-1 → bob → teller-2 → alice → teller-1

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
                  replay    GORDIAN_REPLAY='g1.AbCd' cargo test tests::transfer -- --exact
            "#]],
        );
    }

    #[test]
    fn long_names_and_places_are_cut_and_tokens_are_not() {
        let long = "an_object_with_a_name_that_nobody_would_type_twice".repeat(2);
        let mut found = ring(&[teller(1), teller(2)], |index| format!("{index}{long}"));
        found.message = format!(
            "`{long}` has a message of many words {}",
            "and more ".repeat(40)
        );
        found.edges[0].site.file = format!("{}/transfer.rs", "deep/".repeat(30));
        found.token = "0123456789".repeat(20);
        let report = report(Verdict::Found, vec![found.clone()]);
        check(
            &report,
            expect![[r#"
                error[deadlock]: `an_object_with_a_name_that_nobody_would_type_twicean_object_wi
                  th_a_name_that_nobody_would_type_twice` has a message of many words and more
                  and more and more and more and more and more and more and more and more and
                  more and more and more and more and more and more and more and more and more
                  and more and more and more and more and more and more and more and more and
                  more and more and more and more and more and more and more and more and more …
                  teller-1 waits for `1an_object_with_a_name_that_nobody_would_type_twicean_obj…
                    at …deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep//transfer.rs:3:22
                  `1an_object_with_a_name_that_nobody_would_type_twicean_object_with_a_name_tha…
                    at bank/src/transfer.rs:2:22
                  teller-2 waits for `0an_object_with_a_name_that_nobody_would_type_twicean_obj…
                    at bank/src/transfer.rs:4:22
                  `0an_object_with_a_name_that_nobody_would_type_twicean_object_with_a_name_tha…
                    at bank/src/transfer.rs:1:22

                  step   teller-1                             teller-2
                     1   lock  0an_object_with_a_n…  ok       ·
                     2   ·                                    lock  1an_object_with_a_…  ok
                     3   lock  1an_object_with_a_n…  BLOCKED  ·
                     4   ·                                    lock  0an_object_with_a_…  BLOCKED
                  cycle  teller-1 →
                         1an_object_with_a_name_that_nobody_would_type_twicean_object_with_a_… …

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
                  replay
                GORDIAN_REPLAY='0123456789012345678901234567890123456789012345678901234567890'\
                '1234567890123456789012345678901234567890123456789012345678901234567890123456'\
                '789012345678901234567890123456789012345678901234567890123456789' \
                cargo test tests::transfer -- --exact
            "#]],
        );

        // What a shell makes of the command is the token and the test.
        let text = report.explain();
        let command = text
            .split_once("  replay\n")
            .expect("the command has lines of its own")
            .1;
        let joined = command.replace("\\\n", "").replace("''", "");
        let whole = format!(
            "GORDIAN_REPLAY='{}' cargo test tests::transfer",
            found.token
        );
        assert!(joined.starts_with(&whole), "{joined}");
    }

    #[test]
    fn tokens_of_every_length_are_replayed() {
        for length in 1..500 {
            let mut found = transfer();
            found.token = "t".repeat(length);
            let report = report(Verdict::Found, vec![found]);
            assert!(report.explain().contains("GORDIAN_REPLAY='t"), "{length}");
            assert_fits(&report);
        }
    }

    #[test]
    fn every_shape_fits_the_screen() {
        let scripts = [
            "a",
            "lock-with-a-rather-long-name",
            "資金口座の残高",
            "счёт",
            "e\u{301}💥",
        ];
        for count in 1..=8 {
            for name in scripts {
                for token in [0, 7, 60, 100, 500, 5000] {
                    let names: Vec<_> = (0..count).map(|index| format!("{name}{index}")).collect();
                    let mut found = ring(&names, |index| format!("{}-{index}", name.repeat(4)));
                    found.token = "t".repeat(token);
                    found.notes = vec![name.repeat(50); 7];
                    for number in 17..60 {
                        found
                            .steps
                            .push(step(number, &names[0], name, "x", Outcome::Done));
                    }
                    assert_fits(&report(Verdict::Found, vec![found.clone(), found]));
                }
            }
        }
    }

    #[test]
    fn every_width_is_kept_to() {
        let names: Vec<_> = (0..3).map(|index| format!("資金-teller-{index}")).collect();
        let mut found = ring(&names, |index| {
            format!("an-account-with-a-long-name-{index}")
        });
        found.token = "t".repeat(300);
        found.notes = vec!["a note of some words".repeat(9)];
        for number in 7..90 {
            let name = &names[number as usize % 3];
            found
                .steps
                .push(step(number, name, "timed-upgradable", "x", Outcome::Failed));
        }
        let mut missing = report(Verdict::Clean, Vec::new());
        missing.expect = vec![Code::Nondeterminism];
        let mut error = report(Verdict::Error, Vec::new());
        error.error = Some("word".repeat(100));
        error.search.remarks = vec!["step 3 of the token does not come any more".to_owned()];
        let reports = [
            report(Verdict::Found, vec![found.clone(), transfer()]),
            report(Verdict::Incomplete, Vec::new()),
            report(Verdict::Clean, Vec::new()),
            missing,
            error,
        ];
        for page in (0..=300).step_by(3) {
            for report in &reports {
                let text = report.explain_within(page, |_| None);
                for line in text.lines() {
                    assert!(
                        width(line) <= page.max(COLUMNS_MIN),
                        "{page} columns: {line}"
                    );
                }
            }
        }
        // More room is used: nothing is cut any more.
        let wide = reports[0].explain_within(240, |_| None);
        let whole = "an-account-with-a-long-name-2  ok";
        assert!(wide.contains(whole), "{wide}");
        assert!(
            reports[0]
                .explain()
                .lines()
                .all(|line| width(line) <= COLUMNS_MAX)
        );
    }

    #[test]
    fn names_cannot_break_lines_or_steer_the_terminal() {
        let mut found = ring(&["a\nb".to_owned(), "\u{1b}[31mred".to_owned()], |_| {
            "x\t".into()
        });
        found.message = "two\nlines".to_owned();
        let text = report(Verdict::Found, vec![found]).explain();
        assert!(!text.contains('\u{1b}') && !text.contains('\t'), "{text}");
        assert!(
            text.starts_with("error[deadlock]: two\n  lines\n"),
            "{text}"
        );
    }

    #[test]
    fn an_empty_finding_is_still_explained() {
        let mut found = finding(Code::Panic, "");
        found.token.clear();
        check(
            &report(Verdict::Found, vec![found]),
            expect![[r#"
                error[panic]:

                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  seen      in 1 interleaving, first in number 3
            "#]],
        );
    }

    #[test]
    fn checks_that_are_no_tests_are_replayed_from_code() {
        let mut report = report(Verdict::Found, vec![transfer()]);
        for name in ["model", "bank transfer"] {
            report.model = name.to_owned();
            let text = report.explain();
            assert!(
                text.contains("replay    Checker::replay(\"g1.AbCd\".parse()?)"),
                "{text}"
            );
        }
    }

    #[test]
    fn incomplete_says_how_much_is_left_and_what_to_do() {
        let mut report = report(Verdict::Incomplete, Vec::new());
        report.search.executions_estimate = Some(612_345.0);
        report.search.incomplete_reason = Some("the time limit of 30 s was reached".to_owned());
        check(
            &report,
            expect![[r#"
                incomplete: nothing found so far, but the search ended early: 81 204 of about
                  6·10⁵ interleavings
                  model     tests::transfer
                  why       the time limit of 30 s was reached
                  explored  not complete: 81 204 interleavings, 3 threads, 0.021 s
                  to do     raise `time_max` or `executions_max`, make the model smaller, or ask
                            for less: `preemptions_max = 2`, or a sample with `strategy =
                            "portfolio"`
                  note      what was not explored is not proved: this is not a pass
            "#]],
        );
        report.search.executions_capped = 3;
        assert!(report.explain().contains("raise `steps_max`"), "{report}");
    }

    #[test]
    fn clean_missing_and_error_are_short() {
        check(
            &report(Verdict::Clean, Vec::new()),
            expect![[r#"
                clean: tests::transfer · exhaustive: 81 204 interleavings, 3 threads, 0.021 s
                  rests on  only what goes through gordian, in this model, within limits:
                            https://github.com/gordian-rs/gordian#limitations
            "#]],
        );

        let mut missing = report(Verdict::Clean, Vec::new());
        missing.expect = vec![Code::Deadlock, Code::Panic];
        check(
            &missing,
            expect![[r#"
                error: expected but not found: `deadlock`, `panic`
                  model     tests::transfer
                  explored  exhaustive: 81 204 interleavings, 3 threads, 0.021 s
            "#]],
        );

        let mut error = report(Verdict::Error, Vec::new());
        error.error = Some("the model started 64 threads; 63 are possible".to_owned());
        check(
            &error,
            expect![[r#"
            error: the model started 64 threads; 63 are possible
              model     tests::transfer
        "#]],
        );
    }

    #[test]
    fn estimates_are_orders_of_magnitude() {
        let cases = [
            (1.0, "1"),
            (37.0, "40"),
            (612.0, "600"),
            (9_600.0, "1·10⁴"),
            (612_345.0, "6·10⁵"),
            (9.7e11, "1·10¹²"),
            (2.2e23, "2·10²³"),
        ];
        for (number, text) in cases {
            assert_eq!(magnitude(number), text);
        }
    }
}
