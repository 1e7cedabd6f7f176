//! The graphs of a finding, and of a model, for Mermaid, as Markdown pages show it.
//!
//! Knows Mermaid's syntax. Does not know what is in a graph.

use std::fmt::Write as _;

use gordian::report::{Coverage, Finding};

use super::graph::{self, Node, Orders, Relation, WaitFor};
use super::text::plain;

/// Both graphs of a finding, below each other.
pub(super) fn document(title: &str, finding: &Finding) -> String {
    let mut text = head(title);
    wait_for(&mut text, finding);
    orders(&mut text, finding);
    text
}

/// In which order a model takes its locks; none if none is ever taken while another is held.
pub(super) fn lock_order(title: &str, coverage: &Coverage) -> Option<String> {
    let orders = Orders::of(coverage);
    if orders.arrows.is_empty() {
        return None;
    }
    let mut text = head(title);
    for (at, name) in orders.nodes.iter().enumerate() {
        let _ = writeln!(text, "  l{at}([{}])", quoted(name));
    }
    for arrow in &orders.arrows {
        let line = match (arrow.both, arrow.tried) {
            (true, _) => "==>",
            (false, true) => "-.->",
            (false, false) => "-->",
        };
        let (from, to, label) = (arrow.from, arrow.to, quoted(&arrow.label));
        let _ = writeln!(text, "  l{from} {line}|{label}| l{to}");
    }
    Some(text)
}

fn head(title: &str) -> String {
    // A comment ends with its line, and may not have braces.
    let title = plain(title).replace(['{', '}'], " ");
    format!("%% {title}\nflowchart LR\n")
}

fn wait_for(text: &mut String, finding: &Finding) {
    let graph = WaitFor::in_the_end(finding);
    if graph.arrows.is_empty() {
        return;
    }
    *text += "  subgraph waits[\"who waits for whom, in the end\"]\n";
    for (at, node) in graph.nodes.iter().enumerate() {
        let name = quoted(node.name());
        let _ = match node {
            Node::Thread(_) => writeln!(text, "    w{at}[{name}]"),
            Node::Object(_) => writeln!(text, "    w{at}([{name}])"),
        };
    }
    for arrow in &graph.arrows {
        let _ = match arrow.relation {
            Relation::WaitsFor => {
                writeln!(text, "    w{} ==>|waits for| w{}", arrow.from, arrow.to)
            }
            Relation::HeldBy => writeln!(text, "    w{} -.->|held by| w{}", arrow.from, arrow.to),
        };
    }
    *text += "  end\n";
}

fn orders(text: &mut String, finding: &Finding) {
    let orders = graph::taken_in_order(finding);
    if orders.is_empty() {
        return;
    }
    *text += "  subgraph order[\"in which order locks were taken\"]\n";
    for order in &orders {
        for (number, name) in &order.new {
            let _ = writeln!(text, "    l{number}([{}])", quoted(name));
        }
        let label = quoted(&order.label);
        let _ = writeln!(text, "    l{} -->|{label}| l{}", order.from, order.to);
    }
    *text += "  end\n";
}

/// A label: what is not a letter, a digit or harmless is written by its number.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in plain(text).chars() {
        if c.is_alphanumeric() || " .,:;()-_/@+*=!?'".contains(c) {
            quoted.push(c);
        } else {
            let _ = write!(quoted, "#{};", u32::from(c));
        }
    }
    quoted.push('"');
    quoted
}
