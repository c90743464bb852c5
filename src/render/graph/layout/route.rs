//! Heights of layers, where edges touch their nodes, and the ways of edges.

use super::chain::Layers;
use super::rank::Ranks;
use super::{Placed, Plan, Stop, Way};

/// The least room between layers, and the most.
const LEAST_GAP: f64 = 14.0;
const MOST_GAP: f64 = 46.0;
/// Between neighbouring ends of edges on one side of a node.
const PORT_GAP: f64 = 12.0;
/// Ends of edges stay away from corners.
const CORNER: f64 = 14.0;

pub(super) fn route(plan: &Plan, ranks: &Ranks, layers: &Layers, columns: &[f64]) -> Placed {
    let heights = Heights::find(layers, columns);
    let nodes: Vec<(f64, f64)> = plan
        .sizes
        .iter()
        .enumerate()
        .map(|(node, (width, height))| {
            let layer = layers.vertices[node].layer;
            (columns[node] - width / 2.0, f64::midpoint(heights.top[layer], heights.bottom[layer]) - height / 2.0)
        })
        .collect();
    let ports = Ports::find(plan, layers, columns);
    let ways = (0..plan.arcs.len()).map(|arc| way(arc, plan, ranks, layers, columns, &heights, &nodes, &ports)).collect();
    let width = layers.vertices.iter().zip(columns).map(|(vertex, x)| x + vertex.width / 2.0).fold(0.0, f64::max);
    let height = heights.bottom.last().copied().unwrap_or(0.0);
    Placed { nodes, ways, width, height, ranks: ranks.of.clone() }
}

/// Where layers begin and end.
struct Heights {
    top: Vec<f64>,
    bottom: Vec<f64>,
}

impl Heights {
    fn find(layers: &Layers, columns: &[f64]) -> Self {
        let mut heights = Self { top: Vec::new(), bottom: Vec::new() };
        let mut y = 0.0;
        for layer in &layers.of {
            let tallest = layer.iter().map(|vertex| layers.vertices[*vertex].height).fold(0.0, f64::max);
            heights.top.push(y);
            heights.bottom.push(y + tallest);
            // Edges that lead far to the side need height to do so.
            let furthest = layer
                .iter()
                .flat_map(|upper| layers.below[*upper].iter().map(|lower| (columns[*upper] - columns[*lower]).abs()))
                .fold(0.0, f64::max);
            y += tallest + (LEAST_GAP + furthest * 0.06).min(MOST_GAP);
        }
        heights
    }
}

/// Where edges touch nodes: by node, the neighbour's vertex and the column, on the side above and below.
struct Ports {
    above: Vec<Vec<(usize, f64)>>,
    below: Vec<Vec<(usize, f64)>>,
}

impl Ports {
    fn find(plan: &Plan, layers: &Layers, columns: &[f64]) -> Self {
        let side = |neighbours: &[Vec<usize>]| -> Vec<Vec<(usize, f64)>> {
            (0..plan.sizes.len()).map(|node| spread(&neighbours[node], columns[node], plan.sizes[node].0, columns)).collect()
        };
        Self { above: side(&layers.above), below: side(&layers.below) }
    }
}

/// Straight to the neighbours where they stand within the node's width, else as near as may be, and apart from each other.
fn spread(neighbours: &[usize], x: f64, width: f64, columns: &[f64]) -> Vec<(usize, f64)> {
    let half = (width / 2.0 - CORNER).max(0.0);
    let mut ports: Vec<(usize, f64)> = neighbours.iter().map(|vertex| (*vertex, columns[*vertex])).collect();
    ports.sort_by(|one, other| one.1.total_cmp(&other.1).then(one.0.cmp(&other.0)));
    let count = ports.len();
    #[allow(clippy::cast_precision_loss, reason = "a node has few edges")]
    let gap = if count > 1 { PORT_GAP.min(2.0 * half / (count - 1) as f64) } else { 0.0 };
    let (low, high) = (x - half, x + half);
    let mut least = low;
    for port in &mut ports {
        port.1 = port.1.clamp(low, high).max(least);
        least = port.1 + gap;
    }
    let mut most = high;
    for port in ports.iter_mut().rev() {
        port.1 = port.1.min(most);
        most = port.1 - gap;
    }
    ports
}

#[allow(clippy::too_many_arguments, reason = "everything that was found before")]
fn way(
    arc: usize,
    plan: &Plan,
    ranks: &Ranks,
    layers: &Layers,
    columns: &[f64],
    heights: &Heights,
    nodes: &[(f64, f64)],
    ports: &Ports,
) -> Way {
    let chain = &layers.chains[arc];
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else { return Way::default() };
    let back = ranks.back[arc];
    let (from, to) = (plan.arcs[arc].from, plan.arcs[arc].to);
    let (upper, lower) = if back { (to, from) } else { (from, to) };
    let port = |side: &[(usize, f64)], vertex: usize, node: usize| {
        side.iter().find(|(known, _)| *known == vertex).map_or(columns[node], |(_, x)| *x)
    };
    let layer = |node: usize| layers.vertices[node].layer;
    let mut stops = vec![Stop {
        x: port(&ports.below[upper], *first, upper),
        from: nodes[upper].1 + plan.sizes[upper].1,
        to: heights.bottom[layer(upper)],
    }];
    stops.extend(chain.iter().map(|vertex| Stop {
        x: columns[*vertex],
        from: heights.top[layer(*vertex)],
        to: heights.bottom[layer(*vertex)],
    }));
    stops.push(Stop { x: port(&ports.above[lower], *last, lower), from: heights.top[layer(lower)], to: nodes[lower].1 });
    if back {
        stops.reverse();
        for stop in &mut stops {
            std::mem::swap(&mut stop.from, &mut stop.to);
        }
    }
    let label = layers.labels[arc];
    let label = (plan.arcs[arc].label.0 > 0.0 && label != usize::MAX)
        .then(|| (columns[label], f64::midpoint(heights.top[layer(label)], heights.bottom[layer(label)])));
    Way { stops, label, back }
}
