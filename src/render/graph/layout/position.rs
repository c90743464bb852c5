//! Columns within ordered layers, after Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001).
//!
//! Vertices are aligned with the median of their neighbours in four ways (from above or below, from left or right), each is made as
//! narrow as it can be, and the middle of the four is taken. Since all four keep the distances, so does their middle.

use super::chain::Layers;
use super::{EDGE_GAP, NODE_GAP};

/// The middle of every vertex, from 0 for the leftmost edge.
pub(super) fn columns(layers: &Layers) -> Vec<f64> {
    let count = layers.vertices.len();
    if count == 0 {
        return Vec::new();
    }
    let mut positions = vec![0; count];
    for layer in &layers.of {
        for (position, vertex) in layer.iter().enumerate() {
            positions[*vertex] = position;
        }
    }
    let conflicts = conflicts(layers, &positions);
    let mut four: Vec<Vec<f64>> = Vec::with_capacity(4);
    for down in [true, false] {
        for left in [true, false] {
            let aligned = Aligned::find(layers, &positions, &conflicts, down, left);
            let mut xs = compact(layers, &aligned);
            if !left {
                for x in &mut xs {
                    *x = -*x;
                }
            }
            four.push(xs);
        }
    }
    middle(layers, four)
}

/// Pairs (upper, lower) that are not to stand in one column, by the lower: those that cross a long edge, so that long edges stay
/// straight, and those of which one belongs to the main way with another.
fn conflicts(layers: &Layers, positions: &[usize]) -> Vec<Vec<usize>> {
    let mut conflicts = vec![Vec::new(); layers.vertices.len()];
    for pair in layers.of.windows(2) {
        let (upper, lower) = (&pair[0], &pair[1]);
        let inner = |vertex: usize| -> Option<usize> {
            let is_point = layers.vertices[vertex].is_point;
            let above = layers.above[vertex].iter().filter(|above| layers.vertices[**above].is_point && is_point);
            above.map(|above| positions[*above]).min()
        };
        let (mut left, mut from) = (0, 0);
        for place in 0..lower.len() {
            let bound = inner(lower[place]);
            if bound.is_none() && place + 1 < lower.len() {
                continue;
            }
            let right = bound.unwrap_or(upper.len());
            for vertex in &lower[from..=place] {
                for above in &layers.above[*vertex] {
                    let at = positions[*above];
                    let is_inner = layers.vertices[*vertex].is_point && layers.vertices[*above].is_point;
                    let leaves = |main: Option<usize>, other: usize| main.is_some_and(|main| main != other);
                    let off_the_way = leaves(layers.main_above[*vertex], *above) || leaves(layers.main_below[*above], *vertex);
                    if off_the_way || (at < left || at > right) && !is_inner {
                        conflicts[*vertex].push(*above);
                    }
                }
            }
            left = right;
            from = place + 1;
        }
    }
    conflicts
}

/// Vertices that stand one below the other.
struct Aligned {
    /// The topmost of those aligned.
    root: Vec<usize>,
    /// Layers in the order of going through, each from the side from which it was gone through.
    order: Vec<Vec<usize>>,
}

impl Aligned {
    fn find(layers: &Layers, positions: &[usize], conflicts: &[Vec<usize>], down: bool, left: bool) -> Self {
        let count = layers.vertices.len();
        let mut order: Vec<Vec<usize>> = layers.of.clone();
        if !down {
            order.reverse();
        }
        if !left {
            for layer in &mut order {
                layer.reverse();
            }
        }
        let mut root: Vec<usize> = (0..count).collect();
        let mut align: Vec<usize> = (0..count).collect();
        let place = |vertex: usize| {
            let at = positions[vertex];
            if left { at } else { layers.of[layers.vertices[vertex].layer].len() - 1 - at }
        };
        let mut near: Vec<usize> = Vec::new();
        for layer in &order {
            let mut taken: Option<usize> = None;
            for vertex in layer {
                let upper = |neighbour: usize| if down { (neighbour, *vertex) } else { (*vertex, neighbour) };
                let all = if down { &layers.above[*vertex] } else { &layers.below[*vertex] };
                near.clear();
                near.extend(all.iter().copied().filter(|neighbour| {
                    let (upper, lower) = upper(*neighbour);
                    !conflicts[lower].contains(&upper)
                }));
                if near.is_empty() {
                    continue;
                }
                near.sort_unstable_by_key(|neighbour| place(*neighbour));
                let (low, high) = ((near.len() - 1) / 2, near.len() / 2);
                for neighbour in &near[low..=high] {
                    let is_free = taken.is_none_or(|taken| taken < place(*neighbour));
                    if align[*vertex] == *vertex && is_free {
                        align[*neighbour] = *vertex;
                        root[*vertex] = root[*neighbour];
                        align[*vertex] = root[*vertex];
                        taken = Some(place(*neighbour));
                    }
                }
            }
        }
        Self { root, order }
    }
}

/// Columns of blocks: as far to the side as they may be, then back to the neighbours where there is room.
fn compact(layers: &Layers, aligned: &Aligned) -> Vec<f64> {
    let count = layers.vertices.len();
    // The graph of blocks: what stands right of what, and how far.
    let mut right: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
    let mut waiting = vec![0usize; count];
    for layer in &aligned.order {
        for pair in layer.windows(2) {
            let (one, other) = (aligned.root[pair[0]], aligned.root[pair[1]]);
            right[one].push((other, distance(layers, pair[0], pair[1])));
            waiting[other] += 1;
        }
    }
    let mut xs = vec![0.0f64; count];
    let mut sorted: Vec<usize> = (0..count).filter(|vertex| aligned.root[*vertex] == *vertex && waiting[*vertex] == 0).collect();
    let mut next = 0;
    while next < sorted.len() {
        let block = sorted[next];
        next += 1;
        for (other, distance) in &right[block] {
            xs[*other] = xs[*other].max(xs[block] + distance);
            waiting[*other] -= 1;
            if waiting[*other] == 0 {
                sorted.push(*other);
            }
        }
    }
    for block in sorted.iter().rev() {
        let room = right[*block].iter().map(|(other, distance)| xs[*other] - distance).fold(f64::INFINITY, f64::min);
        if room.is_finite() {
            xs[*block] = xs[*block].max(room);
        }
    }
    (0..count).map(|vertex| xs[aligned.root[vertex]]).collect()
}

fn distance(layers: &Layers, one: usize, other: usize) -> f64 {
    let (one, other) = (&layers.vertices[one], &layers.vertices[other]);
    let gap = if one.is_node && other.is_node { NODE_GAP } else { EDGE_GAP };
    one.width / 2.0 + gap + other.width / 2.0
}

/// All four side by side with the narrowest, and the mean of the two in the middle.
fn middle(layers: &Layers, mut four: Vec<Vec<f64>>) -> Vec<f64> {
    let ends = |xs: &[f64]| {
        let half = |vertex: usize| layers.vertices[vertex].width / 2.0;
        let from = xs.iter().enumerate().map(|(vertex, x)| x - half(vertex)).fold(f64::INFINITY, f64::min);
        let to = xs.iter().enumerate().map(|(vertex, x)| x + half(vertex)).fold(f64::NEG_INFINITY, f64::max);
        (from, to)
    };
    let all: Vec<(f64, f64)> = four.iter().map(|xs| ends(xs)).collect();
    let narrowest = (0..4).min_by(|one, other| (all[*one].1 - all[*one].0).total_cmp(&(all[*other].1 - all[*other].0))).unwrap_or(0);
    for (way, xs) in four.iter_mut().enumerate() {
        // Those compacted to the left keep their left edge, the others their right one.
        let shift = if way % 2 == 0 { all[narrowest].0 - all[way].0 } else { all[narrowest].1 - all[way].1 };
        for x in xs.iter_mut() {
            *x += shift;
        }
    }
    let mut xs: Vec<f64> = (0..layers.vertices.len())
        .map(|vertex| {
            let mut values = [four[0][vertex], four[1][vertex], four[2][vertex], four[3][vertex]];
            values.sort_unstable_by(f64::total_cmp);
            f64::midpoint(values[1], values[2])
        })
        .collect();
    let from = ends(&xs).0;
    for x in &mut xs {
        *x -= from;
    }
    xs
}
