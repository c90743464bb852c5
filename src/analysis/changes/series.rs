//! Durations as a series of logarithms, thinned where they are many, and without the hour of the day.

use super::season::{self, Season};
use crate::analysis::statistics::quantile_of;

/// Series are thinned to so many medians of neighbours: what steps is seen in them as well.
const MOST: usize = 20_000;
/// The service counts milliseconds: what is shorter took half of one.
const SHORTEST_MS: f64 = 0.5;

/// One duration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// When it began, in microseconds.
    pub at: i64,
    /// How long it took.
    pub ms: f64,
}

/// A series, thinned where it is long.
pub(super) struct Series {
    pub at: Vec<i64>,
    /// Logarithms, without the hour of the day.
    pub level: Vec<f64>,
    /// Logarithms as they were.
    pub raw: Vec<f64>,
    /// How many durations stand for one.
    pub thinned: usize,
}

/// The series, and what was done about the hour of the day.
pub(super) fn of(points: &[Point]) -> (Series, Season) {
    let thinned = points.len().div_ceil(MOST);
    let of_chunk = |chunk: &[Point]| median(chunk.iter().map(|point| point.ms.max(SHORTEST_MS).ln()).collect());
    let mut level: Vec<f64> = points.chunks(thinned).map(of_chunk).collect();
    let at: Vec<i64> = points.chunks(thinned).filter_map(|chunk| chunk.first()).map(|point| point.at).collect();
    let raw = level.clone();
    let season = season::take_out(&at, &mut level);
    (Series { at, level, raw, thinned }, season)
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    quantile_of(&mut values, 0.5).unwrap_or_default()
}
