//! The order within layers: medians of neighbours, down and up by turns, and swaps of neighbours; the best is kept.

use super::chain::Layers;

/// How often the layers are gone through.
const SWEEPS: usize = 24;
/// Of large graphs.
const FEW_SWEEPS: usize = 4;
/// So many rounds without fewer crossings are enough.
const PATIENCE: usize = 4;
/// Swaps are tried for graphs up to this many vertices.
const MOST_SWAPPED: usize = 4_000;
const LARGE: usize = 20_000;

pub(super) fn order(layers: &mut Layers) {
    let mut positions = vec![0; layers.vertices.len()];
    begin(layers);
    number(&layers.of, &mut positions);
    let mut best = layers.of.clone();
    let mut fewest = crossings(layers, &positions);
    let sweeps = if layers.vertices.len() > LARGE { FEW_SWEEPS } else { SWEEPS };
    let mut without = 0;
    for sweep in 0..sweeps {
        if fewest == 0 || without == PATIENCE {
            break;
        }
        let down = sweep % 2 == 0;
        // Equals change places in every second pair of sweeps, lest the same is tried for ever.
        medians(layers, &mut positions, down, sweep % 4 > 1);
        if layers.vertices.len() <= MOST_SWAPPED {
            swap(layers, &mut positions);
        }
        let now = crossings(layers, &positions);
        if now < fewest {
            fewest = now;
            best.clone_from(&layers.of);
            without = 0;
        } else {
            without += 1;
        }
    }
    layers.of = best;
}

/// Depth first from the top, so that what belongs together begins together.
fn begin(layers: &mut Layers) {
    let count = layers.vertices.len();
    let mut seen = vec![false; count];
    let mut fresh: Vec<Vec<usize>> = vec![Vec::new(); layers.of.len()];
    let roots: Vec<usize> = layers.of.iter().flatten().copied().collect();
    for root in roots {
        let mut stack = vec![root];
        while let Some(vertex) = stack.pop() {
            if std::mem::replace(&mut seen[vertex], true) {
                continue;
            }
            fresh[layers.vertices[vertex].layer].push(vertex);
            stack.extend(layers.below[vertex].iter().rev().filter(|below| !seen[**below]));
        }
    }
    layers.of = fresh;
}

fn number(of: &[Vec<usize>], positions: &mut [usize]) {
    for layer in of {
        for (position, vertex) in layer.iter().enumerate() {
            positions[*vertex] = position;
        }
    }
}

fn medians(layers: &mut Layers, positions: &mut [usize], down: bool, turn_equals: bool) {
    let count = layers.of.len();
    for step in 1..count {
        let layer = if down { step } else { count - 1 - step };
        let neighbours = if down { &layers.above } else { &layers.below };
        let weight = |vertex: usize| median(&neighbours[vertex], positions);
        let mut order = std::mem::take(&mut layers.of[layer]);
        // Those without neighbours on that side keep their places.
        let mut moving: Vec<(f64, usize, usize)> =
            order.iter().enumerate().filter_map(|(place, vertex)| Some((weight(*vertex)?, place, *vertex))).collect();
        let places: Vec<usize> = moving.iter().map(|(_, place, _)| *place).collect();
        moving.sort_by(|one, other| {
            let places = if turn_equals { other.1.cmp(&one.1) } else { one.1.cmp(&other.1) };
            one.0.total_cmp(&other.0).then(places)
        });
        for (place, (.., vertex)) in places.into_iter().zip(moving) {
            order[place] = vertex;
        }
        for (position, vertex) in order.iter().enumerate() {
            positions[*vertex] = position;
        }
        layers.of[layer] = order;
    }
}

/// The weighted median of the neighbours' places.
#[allow(clippy::cast_precision_loss, reason = "places are small")]
fn median(neighbours: &[usize], positions: &[usize]) -> Option<f64> {
    if let [only] = neighbours {
        return Some(positions[*only] as f64);
    }
    let mut places: Vec<usize> = neighbours.iter().map(|vertex| positions[*vertex]).collect();
    places.sort_unstable();
    let middle = places.len() / 2;
    match places.len() {
        0 => None,
        2 => Some((places[0] + places[1]) as f64 / 2.0),
        odd if odd % 2 == 1 => Some(places[middle] as f64),
        count => {
            let left = (places[middle - 1] - places[0]) as f64;
            let right = (places[count - 1] - places[middle]) as f64;
            let (before, after) = (places[middle - 1] as f64, places[middle] as f64);
            Some(if left + right == 0.0 { f64::midpoint(before, after) } else { (before * right + after * left) / (left + right) })
        }
    }
}

/// Neighbours change places while that makes crossings fewer.
fn swap(layers: &mut Layers, positions: &mut [usize]) {
    for _ in 0..8 {
        let mut better = false;
        for layer in 0..layers.of.len() {
            for place in 1..layers.of[layer].len() {
                let (left, right) = (layers.of[layer][place - 1], layers.of[layer][place]);
                let now = crossed(&layers.above, left, right, positions) + crossed(&layers.below, left, right, positions);
                let then = crossed(&layers.above, right, left, positions) + crossed(&layers.below, right, left, positions);
                if then < now {
                    layers.of[layer].swap(place - 1, place);
                    positions[left] = place;
                    positions[right] = place - 1;
                    better = true;
                }
            }
        }
        if !better {
            break;
        }
    }
}

/// How often edges of `left` and `right` cross when they stand in this order.
fn crossed(neighbours: &[Vec<usize>], left: usize, right: usize, positions: &[usize]) -> usize {
    let place = |vertex: &usize| positions[*vertex];
    let mut count = 0;
    for one in neighbours[left].iter().map(place) {
        count += neighbours[right].iter().map(place).filter(|other| *other < one).count();
    }
    count
}

/// All crossings between neighbouring layers.
pub(super) fn crossings(layers: &Layers, positions: &[usize]) -> usize {
    let mut total = 0;
    for pair in layers.of.windows(2) {
        let mut tree = vec![0usize; pair[1].len() + 1];
        let mut added = 0;
        for upper in &pair[0] {
            let mut ends: Vec<usize> = layers.below[*upper].iter().map(|lower| positions[*lower]).collect();
            ends.sort_unstable();
            for end in &ends {
                // Those that were added and end further right.
                let mut not_right = 0;
                let mut at = end + 1;
                while at > 0 {
                    not_right += tree[at];
                    at &= at - 1;
                }
                total += added - not_right;
            }
            for end in &ends {
                let mut at = end + 1;
                while at < tree.len() {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                added += 1;
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::{Arc, Plan, chain, rank};
    use super::*;

    fn ordered(arcs: &[(usize, usize)], nodes: usize) -> (Layers, usize) {
        let arcs = arcs.iter().map(|(from, to)| Arc { from: *from, to: *to, label: (0.0, 0.0), class: 0 }).collect();
        let plan = Plan { sizes: vec![(10.0, 10.0); nodes], arcs };
        let mut layers = chain::layers(&plan, &rank::rank(&plan));
        order(&mut layers);
        let mut positions = vec![0; layers.vertices.len()];
        number(&layers.of, &mut positions);
        let count = crossings(&layers, &positions);
        (layers, count)
    }

    #[test]
    fn what_can_be_drawn_without_crossings_is() {
        assert_eq!(ordered(&[(0, 1), (0, 2), (0, 3), (1, 6), (2, 5), (3, 4), (4, 7), (5, 7), (6, 7)], 8).1, 0);
    }

    #[test]
    fn what_cannot_has_as_few_as_there_must_be() {
        // Three that lead to three: the complete bipartite graph crosses nine times, however it is drawn in two layers.
        let all: Vec<(usize, usize)> = (0..3).flat_map(|from| (3..6).map(move |to| (from, to))).collect();
        assert_eq!(ordered(&all, 6).1, 9);
    }
}
