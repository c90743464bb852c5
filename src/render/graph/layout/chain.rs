//! Layers with a point for every edge that passes: points hold labels, and keep long edges away from nodes.

use std::collections::HashMap;

use super::rank::Ranks;
use super::{LOOP, Plan};

/// Nodes and points by layers. Even layers hold nodes and passing edges, odd ones labels and passing edges.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Vertices by layer, from left to right.
    pub of: Vec<Vec<usize>>,
    pub vertices: Vec<Vertex>,
    /// By vertex: neighbours in the layer above and below; nodes come first and have the numbers of the plan.
    pub above: Vec<Vec<usize>>,
    pub below: Vec<Vec<usize>>,
    /// By vertex: the neighbour above and below with which it should stand in one column, on the main way.
    pub main_above: Vec<Option<usize>>,
    pub main_below: Vec<Option<usize>>,
    /// By arc: its points from top to bottom; empty for a node's edge to itself.
    pub chains: Vec<Vec<usize>>,
    /// By arc: the point of its label.
    pub labels: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    pub layer: usize,
    pub width: f64,
    pub height: f64,
    pub is_node: bool,
    /// Whether it is a point of a long edge, which should be straight.
    pub is_point: bool,
}

pub(super) fn layers(plan: &Plan, ranks: &Ranks) -> Layers {
    let mut layers = Layers::default();
    // Room beside nodes for their edges to themselves, on both sides: the node stays in the middle.
    let mut beside = vec![0.0f64; plan.sizes.len()];
    for arc in plan.arcs.iter().filter(|arc| arc.from == arc.to) {
        beside[arc.from] = beside[arc.from].max(LOOP + arc.label.0);
    }
    for (node, (width, height)) in plan.sizes.iter().enumerate() {
        let width = width + 2.0 * beside[node];
        layers.add(Vertex { layer: 2 * ranks.of[node], width, height: *height, is_node: true, is_point: false });
    }
    let mut trunks: HashMap<(usize, u8, bool, usize), usize> = HashMap::new();
    for (position, arc) in plan.arcs.iter().enumerate() {
        if arc.from == arc.to {
            layers.chains.push(Vec::new());
            layers.labels.push(usize::MAX);
            continue;
        }
        let back = ranks.back[position];
        let (upper, lower) = if back { (arc.to, arc.from) } else { (arc.from, arc.to) };
        let (first, last) = (2 * ranks.of[upper] + 1, 2 * ranks.of[lower] - 1);
        let at_label = if back { last } else { first };
        let mut chain = Vec::with_capacity(last + 1 - first);
        let mut label = usize::MAX;
        for layer in first..=last {
            let point = if layer == at_label {
                label = layers.add(Vertex { layer, width: arc.label.0, height: arc.label.1, is_node: false, is_point: first < last });
                label
            } else {
                *trunks
                    .entry((arc.to, arc.class, back, layer))
                    .or_insert_with(|| layers.add(Vertex { layer, width: 0.0, height: 0.0, is_node: false, is_point: true }))
            };
            chain.push(point);
        }
        let whole: Vec<usize> = [upper].into_iter().chain(chain.iter().copied()).chain([lower]).collect();
        // Of the edges of a node the first that leads to a node without such an edge is the main way.
        let is_main = !back && layers.main_below[upper].is_none() && layers.main_above[lower].is_none();
        for pair in whole.windows(2) {
            layers.link(pair[0], pair[1]);
            // So is where long edges run together.
            let is_trunk = [pair[0], pair[1]].iter().all(|vertex| layers.vertices[*vertex].is_point && *vertex != label);
            if (is_main || is_trunk) && layers.main_below[pair[0]].is_none() && layers.main_above[pair[1]].is_none() {
                layers.main_below[pair[0]] = Some(pair[1]);
                layers.main_above[pair[1]] = Some(pair[0]);
            }
        }
        layers.chains.push(chain);
        layers.labels.push(label);
    }
    layers
}

impl Layers {
    fn add(&mut self, vertex: Vertex) -> usize {
        let number = self.vertices.len();
        if self.of.len() <= vertex.layer {
            self.of.resize(vertex.layer + 1, Vec::new());
        }
        self.of[vertex.layer].push(number);
        self.vertices.push(vertex);
        self.main_above.push(None);
        self.main_below.push(None);
        self.above.push(Vec::new());
        self.below.push(Vec::new());
        number
    }

    fn link(&mut self, upper: usize, lower: usize) {
        // Edges that run together are one from there on. A trunk is the last that a point was linked to, or one of few.
        if !self.below[upper].contains(&lower) {
            self.below[upper].push(lower);
            self.above[lower].push(upper);
        }
    }
}
