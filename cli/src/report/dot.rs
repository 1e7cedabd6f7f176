//! The graphs of a finding, and of a model, for Graphviz.
//!
//! Knows DOT's syntax. Does not know what is in a graph.

use std::fmt::Write as _;

use gordian::report::{Coverage, Finding};

use super::graph::{self, Node, Orders, Relation, WaitFor};
use super::text::plain;

/// Both graphs of each finding, side by side.
pub(super) fn document(title: &str, finding: &Finding) -> String {
    let mut text = head(title, &finding.message);
    wait_for(&mut text, finding);
    orders(&mut text, finding);
    text + "}\n"
}

/// In which order a model takes its locks; none if none is ever taken while another is held.
pub(super) fn lock_order(title: &str, coverage: &Coverage) -> Option<String> {
    let orders = Orders::of(coverage);
    if orders.arrows.is_empty() {
        return None;
    }
    let mut text = head(
        title,
        "in which order locks were taken, in all interleavings",
    );
    for (at, name) in orders.nodes.iter().enumerate() {
        let _ = writeln!(text, "  l{at} [label={}]", quoted(name));
    }
    for arrow in &orders.arrows {
        let style = match (arrow.both, arrow.tried) {
            (true, _) => " color=red",
            (false, true) => " style=dashed",
            (false, false) => "",
        };
        let (from, to, label) = (arrow.from, arrow.to, quoted(&arrow.label));
        let _ = writeln!(text, "  l{from} -> l{to} [label={label}{style}]");
    }
    Some(text + "}\n")
}

fn head(title: &str, label: &str) -> String {
    format!(
        "// {}\ndigraph gordian {{\n  rankdir=LR\n  fontname=\"sans-serif\"\n  \
         node [fontname=\"sans-serif\"]\n  edge [fontname=\"sans-serif\" fontsize=10]\n  \
         label={}\n",
        plain(title),
        quoted(label),
    )
}

fn wait_for(text: &mut String, finding: &Finding) {
    let graph = WaitFor::in_the_end(finding);
    if graph.arrows.is_empty() {
        return;
    }
    *text += "  subgraph cluster_waits {\n    label=\"who waits for whom, in the end\"\n";
    for (at, node) in graph.nodes.iter().enumerate() {
        let shape = match node {
            Node::Thread(_) => "box",
            Node::Object(_) => "ellipse",
        };
        let _ = writeln!(
            text,
            "    w{at} [label={} shape={shape}]",
            quoted(node.name())
        );
    }
    for arrow in &graph.arrows {
        let (label, style) = match arrow.relation {
            Relation::WaitsFor => ("waits for", "color=red"),
            Relation::HeldBy => ("held by", "style=dashed"),
        };
        let _ = writeln!(
            text,
            "    w{} -> w{} [label=\"{label}\" {style}]",
            arrow.from, arrow.to
        );
    }
    *text += "  }\n";
}

fn orders(text: &mut String, finding: &Finding) {
    let orders = graph::taken_in_order(finding);
    if orders.is_empty() {
        return;
    }
    *text += "  subgraph cluster_order {\n    label=\"in which order locks were taken\"\n";
    for order in &orders {
        for (number, name) in &order.new {
            let _ = writeln!(text, "    l{number} [label={}]", quoted(name));
        }
        let label = quoted(&order.label);
        let _ = writeln!(text, "    l{} -> l{} [label={label}]", order.from, order.to);
    }
    *text += "  }\n";
}

/// A string of DOT: only quotes and backslashes mean something.
fn quoted(text: &str) -> String {
    let text = plain(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}
