//! What chance alone does: exact tests on tables of four counts, intervals, and the correction for having tested many.
//!
//! |            | has it | has it not |
//! |------------|--------|------------|
//! | side A     | `a`    | `a_total - a` |
//! | side B     | `b`    | `b_total - b` |

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::ln_gamma;

/// How many of each side have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub a: u64,
    pub a_total: u64,
    pub b: u64,
    pub b_total: u64,
}

/// 97.5 % of a normal distribution lie below: two-sided 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Two tables whose probabilities differ by less are as likely as each other.
const SAME: f64 = 1e-7;

#[allow(clippy::cast_precision_loss, reason = "nobody compares 2^52 executions")]
fn real(count: u64) -> f64 {
    count as f64
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_gamma(real(n) + 1.0) - ln_gamma(real(k) + 1.0) - ln_gamma(real(n - k) + 1.0)
}

impl Table {
    /// How many have it on both sides.
    pub fn having(self) -> u64 {
        self.a + self.b
    }

    /// The share of side A; 0 for an empty side.
    pub fn share_a(self) -> f64 {
        real(self.a) / real(self.a_total.max(1))
    }

    /// The share of side B; 0 for an empty side.
    pub fn share_b(self) -> f64 {
        real(self.b) / real(self.b_total.max(1))
    }

    /// Whether side A has it more often.
    pub fn is_over(self) -> bool {
        self.share_a() > self.share_b()
    }

    /// What has it not.
    pub fn complement(self) -> Self {
        Self { a: self.a_total - self.a, b: self.b_total - self.b, ..self }
    }

    fn bounds(self) -> (u64, u64) {
        (self.having().saturating_sub(self.b_total), self.having().min(self.a_total))
    }

    /// Log of the probability that chance gives side A `a` of those that have it.
    fn ln_probability(self, a: u64) -> f64 {
        let x = self.having();
        ln_choose(self.a_total, a) + ln_choose(self.b_total, x - a) - ln_choose(self.a_total + self.b_total, x)
    }

    /// Fisher's exact test, two-sided: the probability of tables that are no likelier than this one. Exact at any size; not
    /// below the smallest normal number.
    pub fn fisher(self) -> f64 {
        let (low, high) = self.bounds();
        let observed = self.ln_probability(self.a);
        // The likeliest table is at the expected count; to both sides the probability falls.
        let mode = (self.having() + 1) * (self.a_total + 1) / (self.a_total + self.b_total + 2);
        let mode = mode.clamp(low, high);
        let limit = observed + SAME;
        let is_above = self.a >= mode;
        let own = self.tail(self.a, is_above);
        let other = match is_above {
            true if self.a > low => self.edge_below(low, mode.min(self.a - 1), limit),
            false if self.a < high => self.edge_above(mode.max(self.a + 1), high, limit),
            _ => None,
        };
        let opposite = other.map_or(0.0, |edge| (self.ln_probability(edge) - observed).exp() * self.tail(edge, !is_above));
        (observed.exp() * (own + opposite)).clamp(f64::MIN_POSITIVE, 1.0)
    }

    /// The last count from `low`, where the probability rises, whose probability does not exceed the limit.
    fn edge_below(self, low: u64, last: u64, limit: f64) -> Option<u64> {
        if self.ln_probability(low) > limit {
            return None;
        }
        let (mut inside, mut outside) = (low, last + 1);
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2;
            if self.ln_probability(middle) <= limit { inside = middle } else { outside = middle }
        }
        Some(inside)
    }

    /// The first count up to `high`, where the probability falls, whose probability does not exceed the limit.
    fn edge_above(self, first: u64, high: u64, limit: f64) -> Option<u64> {
        if self.ln_probability(high) > limit {
            return None;
        }
        if self.ln_probability(first) <= limit {
            return Some(first);
        }
        let (mut outside, mut inside) = (first, high);
        while inside - outside > 1 {
            let middle = outside + (inside - outside) / 2;
            if self.ln_probability(middle) <= limit { inside = middle } else { outside = middle }
        }
        Some(inside)
    }

    /// The probabilities from a count outwards, as multiples of that of the count itself.
    fn tail(self, from: u64, upwards: bool) -> f64 {
        let (low, high) = self.bounds();
        let (mut at, mut weight, mut sum) = (from, 1.0, 1.0);
        while (upwards && at < high) || (!upwards && at > low) {
            weight *= if upwards { self.ratio_to_next(at) } else { 1.0 / self.ratio_to_next(at - 1) };
            at = if upwards { at + 1 } else { at - 1 };
            sum += weight;
            if weight < sum * 1e-17 {
                break;
            }
        }
        sum
    }

    /// The probability of `a + 1` as a multiple of that of `a`.
    fn ratio_to_next(self, a: u64) -> f64 {
        let x = self.having();
        let down = real(a + 1) * real(self.b_total + a + 1 - x);
        real(self.a_total - a) * real(x - a) / down
    }

    /// The one-sided test: the probability that side A has at least as many of those that have it.
    pub fn at_least(self) -> f64 {
        (self.ln_probability(self.a).exp() * self.tail(self.a, true)).clamp(f64::MIN_POSITIVE, 1.0)
    }

    /// The smallest p that any table with these totals could have: what is not below the level by then cannot be claimed.
    pub fn smallest_p(self) -> f64 {
        let (low, high) = self.bounds();
        self.ln_probability(low).min(self.ln_probability(high)).exp().min(1.0)
    }

    /// Ratio of the shares with its 95 % interval (log method, half a count added to each cell).
    pub fn lift(self) -> (Option<f64>, f64, f64) {
        let (a, b) = (real(self.a) + 0.5, real(self.b) + 0.5);
        let (a_total, b_total) = (real(self.a_total) + 0.5, real(self.b_total) + 0.5);
        let middle = (a / a_total).ln() - (b / b_total).ln();
        let spread = Z * (1.0 / a - 1.0 / a_total + 1.0 / b - 1.0 / b_total).max(0.0).sqrt();
        let lift = (self.b > 0).then(|| self.share_a() / self.share_b());
        (lift, (middle - spread).exp(), (middle + spread).exp())
    }

    /// Lower 95 % bound of the odds ratio (Haldane: half a count added to each cell).
    pub fn odds_ratio_low(self) -> f64 {
        let cells = [self.a, self.b_total - self.b, self.b, self.a_total - self.a].map(|count| real(count) + 0.5);
        let middle = (cells[0] * cells[1] / (cells[2] * cells[3])).ln();
        let spread = Z * cells.iter().map(|cell| 1.0 / cell).sum::<f64>().sqrt();
        (middle - spread).exp()
    }
}

/// A quantile of values in any order, which are put into another: what [`quantile`](super::fleet::quantile) gives for them once sorted, to the
/// bit, in time that grows with their number alone. `None` for no values. `p` is from 0 to 1.
pub(super) fn quantile_of(values: &mut [f64], p: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let position = real(last as u64) * p.clamp(0.0, 1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let below = position as usize;
    let (_, at, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*at);
    Some(*at + (next - *at) * position.fract())
}

/// Whether side A still has it more often, or less, within strata: the test of Cochran, Mantel and Haenszel with continuity
/// correction; p, approximately. 1 where no stratum tells anything.
pub(super) fn stratified(strata: &[Table]) -> f64 {
    let (mut difference, mut variance) = (0.0, 0.0);
    for table in strata {
        let (a_total, b_total, having) = (real(table.a_total), real(table.b_total), real(table.having()));
        let total = a_total + b_total;
        if total > 1.0 {
            difference += real(table.a) - a_total * having / total;
            variance += a_total * b_total * having * (total - having) / (total * total * (total - 1.0));
        }
    }
    if variance < 1e-9 {
        return 1.0;
    }
    let z = (difference.abs() - 0.5).max(0.0) / variance.sqrt();
    2.0 * Normal::standard().sf(z)
}

/// Corrected p of each test by Benjamini and Hochberg: what is claimed at 5 % of it is false in 5 % of the cases.
pub(super) fn corrected(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut corrected = vec![1.0; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, position) in order.iter().enumerate().rev() {
        smallest = smallest.min(p[*position] * real(p.len() as u64) / real(rank as u64 + 1));
        corrected[*position] = smallest;
    }
    corrected
}

/// Of tests with these smallest possible p, in ascending order, how many to make: those that could not be claimed whatever the
/// sides are do not count against the others (Tarone 1990, for false discoveries by Gilbert 2005).
pub(super) fn worth_testing(smallest: &[f64], level: f64) -> usize {
    let possible = |tests: usize| smallest.partition_point(|p| *p <= level / real(tests as u64));
    (1..=smallest.len()).find(|tests| possible(*tests) <= *tests).map_or(smallest.len(), possible)
}

/// How many executions side A needs at least so that something that all of them have and a fifth of side B could be claimed
/// after so many tests.
pub(super) fn needed(b_total: u64, tests: usize, level: f64) -> u64 {
    let limit = level / real(tests.max(1) as u64);
    let is_enough = |a: u64| Table { a, a_total: a, b: b_total / 5, b_total }.fisher() <= limit;
    (1..=60).find(|a| is_enough(*a)).unwrap_or(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(a: u64, a_total: u64, b: u64, b_total: u64) -> Table {
        Table { a, a_total, b, b_total }
    }

    fn assert_close(one: f64, other: f64) {
        assert!((one / other - 1.0).abs() < 1e-6, "{one} is not {other}");
    }

    /// The sum over all tables, one by one.
    fn fisher_by_hand(table: Table) -> f64 {
        let (low, high) = table.bounds();
        let observed = table.ln_probability(table.a);
        (low..=high).map(|a| table.ln_probability(a)).filter(|p| *p <= observed + SAME).map(f64::exp).sum()
    }

    #[test]
    fn fishers_test_gives_what_is_published() {
        // Fisher's tea, and the example in SciPy's documentation.
        assert_close(table(3, 4, 1, 4).fisher(), 0.485_714_285_7);
        assert_close(table(8, 10, 1, 6).fisher(), 0.034_965_034_97);
        assert_close(table(4, 4, 0, 28).fisher(), 2.780_867_630_7e-5);
        assert_close(table(27, 27, 20, 204).fisher(), 7.865_214_564_4e-23);
        assert_close(table(5, 10, 50, 100).fisher(), 1.0);
    }

    #[test]
    fn fishers_test_is_the_sum_over_all_tables() {
        for (a_total, b_total) in [(1, 1), (3, 17), (20, 20), (7, 60), (60, 7)] {
            for a in 0..=a_total {
                for b in 0..=b_total {
                    let table = table(a, a_total, b, b_total);
                    assert_close(table.fisher(), fisher_by_hand(table).min(1.0));
                }
            }
        }
    }

    /// As `scipy.stats.hypergeom.sf(k - 1, total, having, draws)` gives it.
    #[test]
    fn one_side_alone_is_the_upper_tail() {
        assert_close(table(3, 4, 1, 4).at_least(), 0.242_857_142_857);
        assert_close(table(11, 63, 0, 96).at_least(), 2.132_397_460_2e-5);
        assert_close(table(0, 5, 3, 5).at_least(), 1.0);
    }

    #[test]
    fn large_counts_are_exact_and_end_at_the_smallest_number() {
        assert_close(table(5_200, 50_000, 5_000, 50_000).fisher(), fisher_by_hand(table(5_200, 50_000, 5_000, 50_000)));
        assert!(table(50_000, 50_000, 0, 50_000).fisher() > 0.0);
    }

    #[test]
    fn the_correction_is_that_of_benjamini_and_hochberg() {
        let corrected = corrected(&[0.01, 0.04, 0.03, 0.005, 0.9]);
        for (one, other) in corrected.iter().zip([0.025, 0.05, 0.05, 0.025, 0.9]) {
            assert_close(*one, other);
        }
    }

    #[test]
    fn what_could_never_be_claimed_is_not_tested() {
        assert_eq!(worth_testing(&[1e-9, 1e-4, 0.03, 0.03, 0.5], 0.05), 2);
        assert_eq!(worth_testing(&[0.2, 0.5], 0.05), 0);
        assert_eq!(worth_testing(&[], 0.05), 0);
        assert_close(table(2, 4, 0, 10).smallest_p(), 6.0 / 91.0);
    }

    #[test]
    fn the_number_needed_grows_with_the_number_of_tests() {
        assert_eq!(needed(150, 1, 0.05), 2);
        assert_eq!(needed(150, 30, 0.05), 5);
        assert_eq!(needed(0, 30, 0.05), 60);
    }

    #[test]
    fn a_selected_quantile_is_that_of_sorted_values() {
        let mut random = fastrand::Rng::with_seed(2);
        for count in [1, 2, 3, 10, 101] {
            let values: Vec<f64> = (0..count).map(|_| (random.f64() * 20.0).round() / 3.0).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for p in [0.0, 0.05, 0.5, 0.95, 1.0] {
                let wanted = crate::analysis::fleet::quantile(&sorted, p);
                assert_eq!(quantile_of(&mut values.clone(), p).map(f64::to_bits), wanted.map(f64::to_bits), "{count} {p}");
            }
        }
        assert_eq!(quantile_of(&mut [], 0.5), None);
    }

    #[test]
    fn a_difference_within_strata_is_told_from_one_between_them() {
        // Within both strata the sides are alike; taken together they would not be.
        let alike = [table(90, 100, 9, 10), table(1, 10, 10, 100)];
        assert!(stratified(&alike) > 0.5, "{}", stratified(&alike));
        assert!(stratified(&[table(30, 40, 10, 40), table(30, 40, 10, 40)]) < 1e-6);
        assert_close(stratified(&[table(5, 5, 5, 5)]), 1.0);
    }
}
