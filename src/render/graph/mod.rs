//! Graphs of states: who leads where, how often and how it went, as SVG laid out here or as DOT for other programs.
//!
//! `picture.rs` makes a [`Graph`] of a report, `nested.rs` gives everything its place (Parallel and Map are boxes around what they
//! hold, each a drawing of its own from `layout`), `svg.rs` and `dot.rs` write it.

mod color;
mod dot;
pub(in crate::render) mod layout;
mod lettering;
mod nested;
mod picture;
mod svg;

pub use dot::dot;
pub use picture::{ColorBy, GraphOf, picture};
pub use svg::svg;

/// A graph to be drawn.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// What it is of.
    title: String,
    /// What is to be known of all of it.
    subtitle: String,
    /// What colours mean; `None` for a graph without.
    legend: Option<Legend>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// A state, or a beginning or end.
#[derive(Debug, Clone)]
struct Node {
    name: String,
    /// Lines below the name.
    notes: Vec<String>,
    /// What is told when somebody points at it.
    hover: String,
    shape: Shape,
    /// The Parallel or Map around it.
    within: Option<usize>,
    /// Which branch of it.
    branch: u64,
    fill: Fill,
}

/// What a node looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A rectangle with round corners.
    State,
    /// A hexagon.
    Choice,
    /// A rectangle with half circles at its sides.
    Last,
    /// A small circle: the beginning or the end.
    Terminal,
}

/// The colour of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fill {
    /// From 0 to 1 on the scale of the legend.
    Scale(f64),
    /// Nothing to tell.
    Plain,
    /// Never entered.
    Never,
}

#[derive(Debug, Clone)]
struct Edge {
    from: usize,
    to: usize,
    label: String,
    hover: String,
    line: Line,
    /// From 0 to 1: how much of all goes this way.
    weight: f64,
}

/// What an edge looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Line {
    Normal,
    /// Of a Catch.
    Catch,
    /// Only failed executions took it.
    Failures,
    /// The same, of a Catch.
    CatchFailures,
    /// Never taken.
    Never,
}

/// What colours mean.
#[derive(Debug, Clone)]
struct Legend {
    title: String,
    scale: Scale,
    /// Texts at places from 0 to 1.
    marks: Vec<(f64, String)>,
}

/// A range of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// From pale to dark red.
    Failures,
    /// From pale to dark blue.
    Time,
}
