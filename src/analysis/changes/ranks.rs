//! Where a series steps: the largest rank-sum statistic over all places to cut it in two, or to cut a piece out of it.
//!
//! Ranks take durations as they are: no distribution is assumed, and a cold start of a minute counts as the slowest, not as a
//! thousand. With `n` values of which `i` lie before the cut, `Z = (R - i (n + 1) / 2) / sqrt(i (n - i) v / n)`, where `R` is the sum of the first
//! ranks and `v` the variance of all (ties share their rank). Wilcoxon, Mann and Whitney's test is this for one cut; over all
//! cuts the largest has a distribution of its own ([`p_of_largest`]).

use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// Where a series is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    /// The first value of the piece.
    pub from: usize,
    /// The first value after it; the length of the series where it goes to the end.
    pub to: usize,
    /// How many standard deviations the piece lies above the rest.
    pub z: f64,
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 attempts")]
pub(super) fn real(count: usize) -> f64 {
    count as f64
}

/// The ranks of values, those that are equal sharing the mean of theirs, less the mean of all ranks.
pub(super) fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|one, other| values[*one].total_cmp(&values[*other]));
    let middle = f64::midpoint(real(values.len()), 1.0);
    let mut ranks = vec![0.0; values.len()];
    for equal in ties(&order, values) {
        let shared = real(equal.0) + f64::midpoint(real(equal.1.len()), 1.0);
        equal.1.iter().for_each(|position| ranks[*position] = shared - middle);
    }
    ranks
}

/// Runs of equal values, each with how many come before it.
fn ties<'o>(order: &'o [usize], values: &'o [f64]) -> impl Iterator<Item = (usize, &'o [usize])> {
    let mut before = 0;
    order.chunk_by(|one, other| values[*one].total_cmp(&values[*other]).is_eq()).map(move |equal| {
        let first = before;
        before += equal.len();
        (first, equal)
    })
}

/// The sum of the first `i` values, for each `i`.
fn sums(values: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let running = values.iter().map(|value| {
        sum += value;
        sum
    });
    std::iter::once(0.0).chain(running).collect()
}

/// The variance of values whose mean is 0.
fn variance(centred: &[f64]) -> f64 {
    centred.iter().map(|value| value * value).sum::<f64>() / real(centred.len().saturating_sub(1).max(1))
}

/// The cut in two with the largest |Z|, at least so many values on each side; `None` where there are too few, or all are equal.
pub(super) fn best_cut(centred: &[f64], fewest: usize) -> Option<Cut> {
    let last = centred.len().checked_sub(fewest)?;
    let (sums, variance) = (sums(centred), variance(centred));
    let cuts = (fewest.max(1)..=last).map(|at| Cut { from: at, to: centred.len(), z: z_of(&sums, variance, at, centred.len()) });
    largest(cuts)
}

/// The piece inside a series with the largest |Z| against all the rest, at least so many values in it, and in the rest.
pub(super) fn best_piece(centred: &[f64], fewest: usize) -> Option<Cut> {
    /// Every pair of so many places is tried, then what lies around the best pair.
    const PLACES: usize = 96;
    let length = centred.len();
    let (sums, variance) = (sums(centred), variance(centred));
    let step = (length / PLACES).max(1);
    let fits = |from: usize, to: usize| from >= 1 && to < length && to >= from + fewest && length - (to - from) >= fewest;
    let cut = |from: usize, to: usize| Cut { from, to, z: z_of(&sums, variance, from, to) };
    let coarse = |from: usize| (from + fewest..length).step_by(step).filter(move |to| fits(from, *to)).map(move |to| cut(from, to));
    let mut best = largest((1..length).step_by(step).flat_map(coarse))?;
    for _ in 0..2 {
        let around = |middle: usize| middle.saturating_sub(step)..=(middle + step);
        best = largest(around(best.from).filter(|from| fits(*from, best.to)).map(|from| cut(from, best.to))).unwrap_or(best);
        best = largest(around(best.to).filter(|to| fits(best.from, *to)).map(|to| cut(best.from, to))).unwrap_or(best);
    }
    Some(best)
}

/// The statistic of one piece of a series whose mean is 0.
pub(super) fn z_at(centred: &[f64], piece: Cut) -> f64 {
    z_of(&sums(centred), variance(centred), piece.from, piece.to)
}

/// The statistic of a piece against the rest.
fn z_of(sums: &[f64], variance: f64, from: usize, to: usize) -> f64 {
    let (inside, all) = (real(to - from), real(sums.len() - 1));
    let spread = (variance * inside * (all - inside) / all).sqrt();
    if spread > 0.0 { (sums[to] - sums[from] - inside * sums[sums.len() - 1] / all) / spread } else { 0.0 }
}

fn largest(cuts: impl Iterator<Item = Cut>) -> Option<Cut> {
    cuts.filter(|cut| cut.z != 0.0).reduce(|best, cut| if cut.z.abs() > best.z.abs() { cut } else { best })
}

/// The log likelihood ratio of every cut in two with at least so many values on each side, by the first value after it: of normal
/// scores with one step, `-n / 2 ln(1 - Z² / (n - 1))`.
pub(super) fn likelihoods(centred: &[f64], fewest: usize) -> Vec<(usize, f64)> {
    let (sums, variance) = (sums(centred), variance(centred));
    let length = real(centred.len());
    let llr = |at: usize| {
        let z = z_of(&sums, variance, at, centred.len());
        -length / 2.0 * (-(z * z / (length - 1.0)).min(0.999_999)).ln_1p()
    };
    (fewest.max(1)..=centred.len().saturating_sub(fewest)).map(|at| (at, llr(at))).collect()
}

/// How likely the largest |Z| over all cuts of an unchanged series with independent values is to reach `z`, approximately: Siegmund's
/// tail of the maximum of a standardised Brownian bridge between the shares `fewest / n` and `1 - fewest / n` (Siegmund, *Boundary
/// crossing probabilities and statistical applications*, 1986).
pub(super) fn p_of_largest(z: f64, length: usize, fewest: usize) -> f64 {
    let z = z.abs();
    let one = Normal::standard().sf(z) * 2.0;
    let share = (real(fewest.max(1)) / real(length.max(1))).min(0.5);
    let spread = ((1.0 - share) / share).ln() * 2.0;
    let several = if z > 1.0 { Normal::standard().pdf(z) * ((z - 1.0 / z) * spread + 4.0 / z) } else { 1.0 };
    several.max(one).clamp(f64::MIN_POSITIVE, 1.0)
}

/// By how much neighbours that are alike inflate the variance of a mean: `1 + 2 Σ (1 - k / (L + 1)) r_k` with the autocorrelations `r_k` of what
/// is left when the piece's and the rest's own means are taken out (Newey and West), at least 1.
pub(super) fn inflation(values: &[f64], piece: Cut) -> f64 {
    let left = without_means(values, piece);
    let whole: f64 = left.iter().map(|value| value * value).sum();
    if whole <= 0.0 {
        return 1.0;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let lags = ((real(values.len()).cbrt() * 1.5) as usize).min(values.len() / 4);
    let together = |lag: usize| left.iter().zip(&left[lag..]).map(|(one, other)| one * other).sum::<f64>() / whole;
    let weighted = |lag: usize| (1.0 - real(lag) / real(lags + 1)) * together(lag);
    (1.0 + 2.0 * (1..=lags).map(weighted).sum::<f64>()).max(1.0)
}

/// The values, each less the mean of its side.
pub(super) fn without_means(values: &[f64], piece: Cut) -> Vec<f64> {
    let is_inside = |at: usize| (piece.from..piece.to).contains(&at);
    let mut totals = [(0.0, 0.0); 2];
    for (at, value) in values.iter().enumerate() {
        let side = &mut totals[usize::from(is_inside(at))];
        *side = (side.0 + value, side.1 + 1.0);
    }
    let means = totals.map(|(sum, count): (f64, f64)| sum / count.max(1.0));
    values.iter().enumerate().map(|(at, value)| value - means[usize::from(is_inside(at))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(centred_ranks(&[5.0, 1.0, 5.0, 9.0]), [0.0, -1.5, 0.0, 1.5]);
        assert_eq!(centred_ranks(&[]), [0.0; 0]);
    }

    /// Twelve values in order: cut in the middle, the rank sum 21 of the lower six is 18 below its mean 39, and its variance is
    /// 6 × 6 × 13 / 12 = 39.
    #[test]
    fn the_statistic_is_the_rank_sum_of_the_textbooks() {
        let values: Vec<f64> = (1..=12).map(f64::from).collect();
        let cut = best_cut(&centred_ranks(&values), 6).expect("a cut");
        assert_eq!(cut.from, 6);
        assert!((cut.z - 18.0 / 39f64.sqrt()).abs() < 1e-12, "{}", cut.z);
    }

    #[test]
    fn a_step_is_found_where_it_is_and_a_piece_by_both_ends() {
        let stepped: Vec<f64> = (0..100).map(|at| f64::from(at % 7) + if at >= 60 { 5.0 } else { 0.0 }).collect();
        assert_eq!(best_cut(&centred_ranks(&stepped), 15).map(|cut| cut.from), Some(60));
        let bumped: Vec<f64> = (0..400).map(|at| f64::from(at % 7) + if (197..261).contains(&at) { 9.0 } else { 0.0 }).collect();
        let piece = best_piece(&centred_ranks(&bumped), 15).expect("a piece");
        assert_eq!((piece.from, piece.to), (197, 261));
        assert!(piece.z > best_cut(&centred_ranks(&bumped), 15).expect("a cut").z.abs());
    }

    #[test]
    fn what_never_varies_and_what_is_short_have_no_cut() {
        assert_eq!(best_cut(&centred_ranks(&[3.0; 80]), 15), None);
        assert_eq!(best_cut(&centred_ranks(&[1.0, 2.0]), 15), None);
        assert_eq!(best_piece(&centred_ranks(&[3.0; 80]), 15), None);
        assert_eq!(best_piece(&[], 15), None);
    }

    /// Series without a step, 2,000 of each length: the largest Z exceeds a value about as often as promised.
    #[test]
    fn the_largest_of_all_cuts_is_as_likely_as_promised() {
        let mut random = fastrand::Rng::with_seed(11);
        for length in [60, 200] {
            let mut exceeded = 0;
            for _ in 0..2000 {
                let values: Vec<f64> = (0..length).map(|_| random.f64()).collect();
                let z = best_cut(&centred_ranks(&values), 15).map_or(0.0, |cut| cut.z.abs());
                exceeded += u32::from(z > 3.0);
            }
            let promised = p_of_largest(3.0, length, 15);
            let seen = f64::from(exceeded) / 2000.0;
            assert!(seen < promised * 1.3 && seen > promised / 3.0, "{length}: {seen} for {promised}");
        }
    }

    #[test]
    fn neighbours_that_are_alike_count_for_less() {
        let mut random = fastrand::Rng::with_seed(3);
        let alone: Vec<f64> = (0..400).map(|_| random.f64()).collect();
        let pairs: Vec<f64> = (0..400).map(|at| alone[at / 8 * 8]).collect();
        let half = Cut { from: 200, to: 400, z: 0.0 };
        assert!(inflation(&alone, half) < 1.6);
        assert!(inflation(&pairs, half) > 3.0);
        assert!((inflation(&[2.0; 50], half) - 1.0).abs() < 1e-12);
    }
}
