//! The wait-for graph of a finding as SVG.
//!
//! Knows shapes and where they stand: around an ellipse, in the order of the cycle. Does not know
//! what is in a graph, nor which step is shown: arrows say from which step to which they are there.

use gordian::report::Finding;
use maud::{Markup, html};

use super::{lanes, span};
use crate::report::graph::{Arrow, Node, Relation, WaitFor};
use crate::report::text::{cut, plain};

/// Characters of a name at most; the whole of it is its tooltip.
const NAME_CHARS_MAX: usize = 20;
const NODE_HEIGHT: f64 = 34.0;
const CHAR_WIDTH: f64 = 8.0;
const MARGIN: f64 = 16.0;
/// How far an arrow bends to the side, so that one back does not hide it.
const BEND: f64 = 22.0;

/// A box: its middle and half its size.
#[derive(Clone, Copy)]
struct Shape {
    x: f64,
    y: f64,
    half_width: f64,
}

/// The picture; none where nobody holds or waits for anything.
pub(super) fn wait_for(id: &str, finding: &Finding) -> Option<Markup> {
    let graph = WaitFor::of(finding);
    if graph.arrows.is_empty() {
        return None;
    }
    let shapes = placed(&graph.nodes);
    let far = |value: fn(&Shape) -> f64| shapes.iter().map(value).fold(0.0, f64::max);
    let width = far(|shape| shape.x + shape.half_width) + MARGIN;
    let below = if shapes.len() <= 2 { BEND } else { 0.0 };
    let height = far(|shape| shape.y + NODE_HEIGHT / 2.0) + MARGIN + below;
    let label: Vec<String> = graph
        .arrows
        .iter()
        .filter(|arrow| arrow.is_last())
        .map(|arrow| sentence(arrow, &graph.nodes))
        .collect();
    let colors = lanes::colors(finding);
    Some(html! {
        svg role="img" aria-label=(in_words(&label))
            viewBox=(format!("0 0 {width:.0} {height:.0}"))
            style=(format!("max-width:{width:.0}px")) {
            defs {
                @for kind in ["waits", "held"] {
                    marker .(kind) id={ (id) "-" (kind) } viewBox="0 0 8 8" refX="7" refY="4"
                        markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                        path d="M0 0 8 4 0 8z" {}
                    }
                }
            }
            @for arrow in &graph.arrows { (edge(id, arrow, &shapes, graph.nodes.len())) }
            @for (node, shape) in graph.nodes.iter().zip(&shapes) {
                @let color = colors.get(node.name());
                g.node.thread[matches!(node, Node::Thread(_))] {
                    title { (plain(node.name())) }
                    (outline(node, shape, color))
                    text x=(number(shape.x)) y=(number(shape.y)) {
                        (cut(&plain(node.name()), NAME_CHARS_MAX))
                    }
                }
            }
        }
    })
}

/// The picture for who cannot see it.
fn in_words(sentences: &[String]) -> String {
    match sentences {
        [] => "in the end nobody holds or waits for anything".to_owned(),
        some => format!("in the end: {}", some.join(", ")),
    }
}

fn sentence(arrow: &Arrow, nodes: &[Node<'_>]) -> String {
    let (from, to) = (nodes[arrow.from].name(), nodes[arrow.to].name());
    match arrow.relation {
        Relation::WaitsFor => format!("{from} waits for {to}"),
        Relation::HeldBy => format!("{from} is held by {to}"),
    }
}

/// Threads are boxes, objects have round ends.
fn outline(node: &Node<'_>, shape: &Shape, color: Option<&usize>) -> Markup {
    let radius = match node {
        Node::Thread(_) => 4.0,
        Node::Object(_) => NODE_HEIGHT / 2.0,
    };
    let color = color.filter(|_| matches!(node, Node::Object(_)));
    html! {
        rect class=[color.map(|color| format!("r{color}"))]
            x=(number(shape.x - shape.half_width)) y=(number(shape.y - NODE_HEIGHT / 2.0))
            width=(number(shape.half_width * 2.0)) height=(number(NODE_HEIGHT))
            rx=(number(radius)) {}
    }
}

/// The nodes around an ellipse, clockwise from the left.
fn placed(nodes: &[Node<'_>]) -> Vec<Shape> {
    let half_width = |node: &Node<'_>| {
        let chars = node.name().chars().count().min(NAME_CHARS_MAX);
        (chars as f64 * CHAR_WIDTH / 2.0 + 14.0).max(32.0)
    };
    let widest = nodes.iter().map(half_width).fold(0.0, f64::max);
    let count = nodes.len() as f64;
    // A pair has only one way between its two, and that needs room for what its arrows say.
    let room = if nodes.len() <= 2 { 60.0 } else { 12.0 * count };
    let radius_x = (widest * 1.15 + room).max(90.0);
    let radius_y = if nodes.len() <= 2 {
        0.0
    } else {
        34.0 + 15.0 * count
    };
    let place = |(at, node): (usize, &Node<'_>)| {
        let angle = std::f64::consts::PI + at as f64 / count * std::f64::consts::TAU;
        Shape {
            x: radius_x * angle.cos(),
            y: radius_y * angle.sin(),
            half_width: half_width(node),
        }
    };
    let mut shapes: Vec<Shape> = nodes.iter().enumerate().map(place).collect();
    // A pair has its arrows above and below; room is left for them and what they say.
    let above = if nodes.len() <= 2 { BEND } else { 0.0 };
    let left = shapes
        .iter()
        .map(|shape| shape.x - shape.half_width)
        .fold(0.0, f64::min);
    let top = shapes.iter().map(|shape| shape.y).fold(0.0, f64::min);
    for shape in &mut shapes {
        shape.x += MARGIN - left;
        shape.y += MARGIN + NODE_HEIGHT / 2.0 + above - top;
    }
    shapes
}

/// An arrow from border to border, bent to its left.
fn edge(id: &str, arrow: &Arrow, shapes: &[Shape], nodes: usize) -> Markup {
    let (from, to) = (shapes[arrow.from], shapes[arrow.to]);
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1.0);
    let (side_x, side_y) = (dy / length * BEND, -dx / length * BEND);
    let middle = (
        (from.x + to.x) / 2.0 + side_x,
        (from.y + to.y) / 2.0 + side_y,
    );
    let start = border(from, middle);
    let end = border(to, middle);
    let (kind, word) = match arrow.relation {
        Relation::WaitsFor => ("waits", "waits for"),
        Relation::HeldBy => ("held", "held by"),
    };
    let spans: Vec<String> = arrow
        .spans
        .iter()
        .map(|&(from, to)| span((from, to)))
        .collect();
    let curve = format!(
        "M{} {} Q{} {} {} {}",
        number(start.0),
        number(start.1),
        number(middle.0),
        number(middle.1),
        number(end.0),
        number(end.1),
    );
    // The curve's own middle is half way to the point that bends it.
    let text = (
        (start.0 + end.0) / 4.0 + middle.0 / 2.0,
        (start.1 + end.1) / 4.0 + middle.1 / 2.0,
    );
    html! {
        g.edge.(kind).off[!arrow.is_last()] data-spans=(spans.join(" ")) {
            path d=(curve) marker-end={ "url(#" (id) "-" (kind) ")" } {}
            @if nodes <= 8 { text x=(number(text.0)) y=(number(text.1)) { (word) } }
        }
    }
}

/// Where the line from a shape's middle to a point leaves the shape.
fn border(shape: Shape, (x, y): (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (x - shape.x, y - shape.y);
    let half_height = NODE_HEIGHT / 2.0;
    let scale = |distance: f64, half: f64| {
        if distance.abs() < 0.01 {
            f64::MAX
        } else {
            half / distance.abs()
        }
    };
    // A little away, so that the tip does not touch.
    let along = scale(dx, shape.half_width + 2.0).min(scale(dy, half_height + 2.0));
    let along = along.min(1.0);
    (shape.x + dx * along, shape.y + dy * along)
}

/// A coordinate, to a tenth.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
