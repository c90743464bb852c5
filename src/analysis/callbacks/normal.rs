//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::erfc;

/// Density over upper tail: the inverse of Mills's ratio.
pub(super) fn mills(z: f64) -> f64 {
    // Beyond 30 the tail is 0 in floating point; there the ratio is z + 1/z.
    if z > 30.0 { z + 1.0 / z } else { density_of(z) / upper(z).max(f64::MIN_POSITIVE) }
}

/// The density.
pub(super) fn density_of(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (2.0 * PI).sqrt()
}

/// The probability of more.
pub(super) fn upper(z: f64) -> f64 {
    erfc(z / SQRT_2) / 2.0
}

/// The probability of less.
pub(super) fn lower(z: f64) -> f64 {
    upper(-z)
}
