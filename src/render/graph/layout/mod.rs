//! A layered drawing of a directed graph, after Sugiyama: what follows stands below, with few crossings and straight long edges.
//!
//! | step                                                                                | file          |
//! |-------------------------------------------------------------------------------------|---------------|
//! | edges that close a cycle are turned round; nodes get layers, the edges short         | `rank.rs`     |
//! | every edge gets a point in each layer that it passes; edges to one node share them   | `chain.rs`    |
//! | layers are ordered by medians and swaps, as long as crossings become fewer           | `order.rs`    |
//! | columns, after Brandes and Köpf                                                      | `position.rs` |
//! | heights, ends of edges, ways                                                        | `route.rs`    |
//!
//! Every second layer holds labels of edges alone, so that labels take room like nodes and overlap nothing. All is pure and depends on
//! the order of nodes and edges alone.

mod chain;
mod order;
mod position;
mod rank;
mod route;
#[cfg(test)]
mod tests;

/// What is to be drawn. The first node stands on top of those that it leads to, in cycles too.
#[derive(Debug, Clone, Default)]
pub(in crate::render) struct Plan {
    /// Width and height of each node.
    pub sizes: Vec<(f64, f64)>,
    /// Edges between them.
    pub arcs: Vec<Arc>,
}

/// An edge to be drawn.
#[derive(Debug, Clone, Copy)]
pub(in crate::render) struct Arc {
    /// Position in [`Plan::sizes`].
    pub from: usize,
    /// Position in [`Plan::sizes`].
    pub to: usize,
    /// Width and height of its label; zero for none.
    pub label: (f64, f64),
    /// Long edges to one node run together when they are of one class.
    pub class: u8,
}

/// Where all stands; the top left corner is (0, 0).
#[derive(Debug, Clone, Default)]
pub(in crate::render) struct Placed {
    /// Top left corners.
    pub nodes: Vec<(f64, f64)>,
    /// In the order of the plan.
    pub ways: Vec<Way>,
    pub width: f64,
    pub height: f64,
    /// By node; tests look at it.
    #[cfg_attr(not(test), allow(dead_code, reason = "for tests"))]
    pub ranks: Vec<usize>,
}

/// The way of an edge.
#[derive(Debug, Clone, Default)]
pub(in crate::render) struct Way {
    /// From its beginning to its end; straight down or up within a stop, curved in between. Empty for a node's edge to itself.
    pub stops: Vec<Stop>,
    /// The middle of its label.
    pub label: Option<(f64, f64)>,
    /// Whether it leads up.
    pub back: bool,
}

/// A straight part of a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::render) struct Stop {
    pub x: f64,
    /// Where the way comes in.
    pub from: f64,
    /// Where it leaves.
    pub to: f64,
}

/// Room between neighbours in a layer.
const NODE_GAP: f64 = 26.0;
/// Room beside an edge.
const EDGE_GAP: f64 = 14.0;
/// Room that an edge from a node to itself takes beside it.
pub(in crate::render) const LOOP: f64 = 30.0;

/// Places everything.
pub(in crate::render) fn place(plan: &Plan) -> Placed {
    let ranks = rank::rank(plan);
    let mut layers = chain::layers(plan, &ranks);
    order::order(&mut layers);
    let columns = position::columns(&layers);
    route::route(plan, &ranks, &layers, &columns)
}
