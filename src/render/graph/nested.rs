//! Places for a graph of boxes within boxes: each box is laid out for itself, the innermost first, and is one node of what holds it.
//!
//! No edge of a state machine leads into or out of a Parallel or Map, so that this loses nothing.

use std::collections::{BTreeMap, HashMap};

use super::Graph;
use super::layout::{Arc, LOOP, Plan, Way, place};
use super::lettering::{Weight, lines, width};

/// Letters of names, and of what stands below them.
pub(super) const NAME: f64 = 13.0;
pub(super) const NOTE: f64 = 11.0;
pub(super) const LABEL: f64 = 11.0;
pub(super) const NAME_LINE: f64 = 17.0;
pub(super) const NOTE_LINE: f64 = 14.5;
/// Names are broken at this width, and have at most so many lines.
const WIDEST_NAME: f64 = 168.0;
const MOST_LINES: usize = 3;
/// Within a box, around what it holds.
const PADDING: f64 = 16.0;
/// Between neighbours in a box.
const GAP: f64 = 24.0;
/// Branches that do not fit into this width stand below one another.
const WIDEST_ROW: f64 = 1_800.0;

/// The rectangle of a node and the lines of its name.
#[derive(Debug, Clone, Default)]
pub(super) struct Box {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    pub lines: Vec<String>,
    /// How high its own text is.
    pub text: f64,
    /// Whether it holds others; its own text then stands on top.
    pub is_holder: bool,
}

/// Where all stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub boxes: Vec<Box>,
    /// By edge; without stops for those of a node to itself.
    pub ways: Vec<Way>,
    pub width: f64,
    pub height: f64,
}

/// One connected part of what a box holds.
struct Block {
    nodes: Vec<usize>,
    edges: Vec<usize>,
    placed: super::layout::Placed,
    at: (f64, f64),
}

/// What a box holds, or nothing does: parts that are connected.
type Parts = Vec<Part>;

#[derive(Default)]
struct Part {
    nodes: Vec<usize>,
    edges: Vec<usize>,
}

/// Gives every node and edge its place. Nodes stand behind the node that holds them.
pub(super) fn places(graph: &Graph) -> Places {
    let count = graph.nodes.len();
    let mut places = Places { boxes: vec![Box::default(); count], ways: vec![Way::default(); graph.edges.len()], ..Places::default() };
    let (top, held) = parts(graph);
    // From the inside out, boxes know how large they are.
    let mut inner: Vec<Vec<Block>> = Vec::with_capacity(count);
    for (node, parts) in held.iter().enumerate().rev() {
        let mut blocks: Vec<Block> = parts.iter().map(|part| block(graph, &places, part)).collect();
        let size = arrange(&mut blocks);
        places.boxes[node] = measure(graph, node, size);
        inner.push(blocks);
    }
    inner.reverse();
    let mut outer: Vec<Block> = top.iter().map(|part| block(graph, &places, part)).collect();
    (places.width, places.height) = arrange(&mut outer);
    // From the outside in, they know where they stand.
    put(&outer, (0.0, 0.0), &mut places);
    for (node, blocks) in inner.iter().enumerate().filter(|(_, blocks)| !blocks.is_empty()) {
        let around = &places.boxes[node];
        let wide = blocks.iter().map(|block| block.at.0 + block.placed.width).fold(0.0, f64::max);
        let corner = (around.x + (around.width - wide) / 2.0, around.y + header(around.text));
        put(blocks, corner, &mut places);
    }
    places
}

/// Puts blocks where their holder stands.
fn put(blocks: &[Block], (x, y): (f64, f64), places: &mut Places) {
    for block in blocks {
        let (x, y) = (x + block.at.0, y + block.at.1);
        for (node, (left, top)) in block.nodes.iter().zip(&block.placed.nodes) {
            (places.boxes[*node].x, places.boxes[*node].y) = (left + x, top + y);
        }
        for (edge, way) in block.edges.iter().zip(&block.placed.ways) {
            let mut way = way.clone();
            for stop in &mut way.stops {
                (stop.x, stop.from, stop.to) = (stop.x + x, stop.from + y, stop.to + y);
            }
            way.label = way.label.map(|(left, top)| (left + x, top + y));
            places.ways[*edge] = way;
        }
    }
}

/// What nothing holds, and what each node holds: what is connected, branches in their order.
fn parts(graph: &Graph) -> (Parts, Vec<Parts>) {
    let is_drawn = |edge: &super::Edge| graph.nodes[edge.from].within == graph.nodes[edge.to].within;
    let mut root: Vec<usize> = (0..graph.nodes.len()).collect();
    for edge in graph.edges.iter().filter(|edge| is_drawn(edge)) {
        let (one, other) = (first_of(&mut root, edge.from), first_of(&mut root, edge.to));
        root[one.max(other)] = one.min(other);
    }
    // By the first node of each part.
    let mut found: BTreeMap<usize, Part> = BTreeMap::new();
    for node in 0..graph.nodes.len() {
        found.entry(first_of(&mut root, node)).or_default().nodes.push(node);
    }
    for (position, edge) in graph.edges.iter().enumerate().filter(|(_, edge)| is_drawn(edge)) {
        found.entry(first_of(&mut root, edge.from)).or_default().edges.push(position);
    }
    let mut sorted: Vec<(u64, usize, Part)> = found.into_iter().map(|(first, part)| (graph.nodes[first].branch, first, part)).collect();
    sorted.sort_by_key(|(branch, first, _)| (*branch, *first));
    let (mut top, mut held) = (Parts::new(), Vec::new());
    held.resize_with(graph.nodes.len(), Parts::new);
    for (_, first, part) in sorted {
        match graph.nodes[first].within.filter(|holder| *holder < first) {
            Some(holder) => held[holder].push(part),
            None => top.push(part),
        }
    }
    (top, held)
}

/// The first node of those that are known to be connected with this one.
fn first_of(root: &mut [usize], mut node: usize) -> usize {
    while root[node] != node {
        root[node] = root[root[node]];
        node = root[node];
    }
    node
}

fn block(graph: &Graph, places: &Places, Part { nodes, edges }: &Part) -> Block {
    let position: HashMap<usize, usize> = nodes.iter().enumerate().map(|(position, node)| (*node, position)).collect();
    let plan = Plan {
        sizes: nodes.iter().map(|node| (places.boxes[*node].width, places.boxes[*node].height)).collect(),
        arcs: edges
            .iter()
            .map(|edge| {
                let edge = &graph.edges[*edge];
                let label = if edge.label.is_empty() { (0.0, 0.0) } else { (width(&edge.label, LABEL, Weight::Regular) + 8.0, 15.0) };
                Arc { from: position[&edge.from], to: position[&edge.to], label, class: edge.line as u8 }
            })
            .collect(),
    };
    Block { nodes: nodes.clone(), edges: edges.clone(), placed: place(&plan), at: (0.0, 0.0) }
}

/// Side by side, in as many rows as it takes; how much room they need.
fn arrange(blocks: &mut [Block]) -> (f64, f64) {
    let area: f64 = blocks.iter().map(|block| (block.placed.width + GAP) * (block.placed.height + GAP)).sum();
    let widest = WIDEST_ROW.max((area * 1.6).sqrt());
    let (mut x, mut y, mut tallest, mut width) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for block in blocks {
        if x > 0.0 && x + block.placed.width > widest {
            (x, y, tallest) = (0.0, y + tallest + GAP, 0.0);
        }
        block.at = (x, y);
        width = width.max(x + block.placed.width);
        x += block.placed.width + GAP;
        tallest = tallest.max(block.placed.height);
    }
    (width, y + tallest)
}

/// The size of a node that holds so much.
fn measure(graph: &Graph, node: usize, (held_width, held_height): (f64, f64)) -> Box {
    let entry = &graph.nodes[node];
    let is_holder = held_height > 0.0;
    let most = if is_holder { held_width.max(WIDEST_NAME) } else { WIDEST_NAME };
    let lines = lines(&entry.name, most, MOST_LINES, NAME, Weight::Bold);
    let names = lines.iter().map(|line| width(line, NAME, Weight::Bold)).fold(0.0, f64::max);
    let notes = entry.notes.iter().map(|note| width(note, NOTE, Weight::Regular)).fold(0.0, f64::max);
    let text = names.max(notes);
    let own = text_height(lines.len(), entry.notes.len());
    let mut found = Box { lines, text: own, is_holder, ..Box::default() };
    if entry.shape == super::Shape::Terminal {
        (found.width, found.height) = (text.max(18.0) + 18.0, 26.0);
    } else if is_holder {
        found.width = held_width.max(text) + 2.0 * PADDING;
        found.height = header(own) + held_height + PADDING;
    } else {
        let sides = if entry.shape == super::Shape::State { 24.0 } else { 40.0 };
        found.width = (text * 1.04 + sides).max(84.0);
        found.height = own + 14.0;
    }
    found
}

#[allow(clippy::cast_precision_loss, reason = "a handful of lines")]
fn text_height(names: usize, notes: usize) -> f64 {
    names as f64 * NAME_LINE + notes as f64 * NOTE_LINE
}

/// How far below its top a box holds others.
fn header(text: f64) -> f64 {
    text + 8.0 + PADDING
}

/// The place of the edge of a node to itself: from where, to where, and how far to the right.
pub(super) fn itself(place: &Box) -> (f64, f64, f64, f64) {
    let (middle, right) = (place.y + place.height / 2.0, place.x + place.width);
    let high = (place.height * 0.22).min(14.0);
    (right, middle - high, middle + high, LOOP - 6.0)
}
