//! How long healthy waits take: a law fitted to answered and open waits alike.
//!
//! Waits are taken as lognormal, the usual shape of times that people and queues need, with a share that is never answered (a cure
//! model: Boag 1949; Maller and Zhou, *Survival Analysis with Long-Term Survivors*, 1996). Open waits are right-censored: all
//! that is known is that they last longer than their age. The parameters are those of the greatest likelihood,
//!
//! ```text
//! sum over answered of ln((1 - lost) f(t))  +  sum over open of ln(lost + (1 - lost) S(a))
//! ```
//!
//! found by expectation and maximisation (Dempster, Laird and Rubin 1977; for censored normal data Schmee and Hahn 1979). Only the
//! upper half of the answered waits counts with its values: of the lower half it counts that they lie below the median. What is
//! asked of the law is its upper tail, and very short waits (answered as soon as an office opens) would spoil it.
//!
//! A class may mix two kinds, a fast automatic and a slow manual one: two lognormal parts are taken where the Bayesian information
//! criterion gains more than 10 and the two lie clearly apart (Ashman's D above 2). Beyond the longest waits the tail is
//! Pareto's where that is heavier, or lighter beyond doubt.

use std::f64::consts::SQRT_2;

use super::normal::{density_of, lower, mills, upper};
use super::tail::Tail;

/// The narrowest spread of logarithms: waits that all take the same time still vary by some 15 %.
const LEAST_SIGMA: f64 = 0.15;
/// Rounds of expectation and maximisation, at most.
const ROUNDS: usize = 400;
/// Of many waits those that follow each other are taken together, so that there are at most about so many.
const POINTS: usize = 512;
/// Before anything was seen, a wait is taken to be lost as if so many of [`SEEN_BEFORE`] had been.
pub(super) const LOST_BEFORE: f64 = 0.1;
/// See [`LOST_BEFORE`]: together one in 200.
pub(super) const SEEN_BEFORE: f64 = 20.0;

/// Mean and spread estimated from n normal values leave `(1 + z^2 / 2) / n` of variance in a place z; where the lower half counts by
/// its number alone, the spread is about half as well known.
const TAIL: f64 = 1.0;
/// A part of a [`Law`]: lognormal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its share of the waits that are answered.
    pub share: f64,
    /// Mean of the logarithms of the waits, in milliseconds.
    pub mu: f64,
    /// Standard deviation of the logarithms.
    pub sigma: f64,
}

/// How long healthy waits take, and how many are never answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// One part, or a fast and a slow one.
    pub parts: Vec<Part>,
    /// The share of waits that are never answered.
    pub lost: f64,
    /// On how many answered waits it rests.
    pub answered: f64,
    log_likelihood: f64,
    tail: Option<Tail>,
}

/// An answered wait, or several alike: its logarithm, and for how many it stands. `is_below` where only that it is at most so long
/// counts.
#[derive(Debug, Clone, Copy)]
struct Point {
    y: f64,
    weight: f64,
    is_below: bool,
}

/// Sums of a part over a round.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    weight: f64,
    y: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, weight: f64, y: f64, square: f64) {
        self.weight += weight;
        self.y += weight * y;
        self.square += weight * square;
    }
}

impl Law {
    /// The law of waits of which some were answered and others are open, or ended without an answer; milliseconds. `None` for fewer
    /// than two answered.
    pub fn fit(answered: &[f64], open: &[f64]) -> Option<Self> {
        let logarithms = |times: &[f64]| -> Vec<f64> {
            let mut all: Vec<f64> = times.iter().filter(|time| time.is_finite()).map(|time| time.max(1.0).ln()).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        };
        let (answered, open) = (logarithms(answered), logarithms(open));
        if answered.len() < 2 {
            return None;
        }
        let mut law = Self::of_logarithms(&answered, &open)?;
        if let Some((tail, lost)) = Tail::of(&law, &answered, &open) {
            (law.tail, law.lost) = (Some(tail), lost);
        }
        Some(law)
    }

    fn of_logarithms(answered: &[f64], open: &[f64]) -> Option<Self> {
        let waiting = count(open.len()) / count(answered.len() + open.len());
        let open = points(open, f64::NEG_INFINITY);
        let whole = points(answered, f64::NEG_INFINITY);
        // A wide law that loses none may be likely, too, and more likely than all laws about it: both ends are tried.
        let likeliest = |parts: &[Part], points: &[Point]| {
            let few = iterate(parts, LOST_BEFORE / SEEN_BEFORE, points, &open);
            let many = iterate(parts, waiting.clamp(LOST_BEFORE / SEEN_BEFORE, 0.9), points, &open);
            if many.log_likelihood > few.log_likelihood { many } else { few }
        };
        let alone = start(answered, 1.0)?;
        let one = likeliest(&[alone], &whole);
        if let Some(two) = split(answered).map(|parts| likeliest(&parts, &whole))
            && is_clearly_two(&one, &two, answered.len())
        {
            return Some(two);
        }
        let median = middle(answered);
        Some(likeliest(&[alone], &points(answered, median)))
    }

    /// The probability that a healthy wait lasts longer; with what is not known of the parameters taken into account.
    pub fn survival(&self, milliseconds: f64) -> f64 {
        let y = milliseconds.max(1.0).ln();
        let part = |part: &Part| {
            let z = (y - part.mu) / part.sigma;
            // The variance of (y - mu) / sigma where both are estimated from n values.
            let unsure = (1.0 + z * z * TAIL) / (part.share * self.answered).max(1.0);
            part.share * upper(z / (1.0 + unsure).sqrt())
        };
        let lognormal = self.parts.iter().map(part).sum::<f64>();
        self.tail.map_or(lognormal, |tail| tail.survival(y, lognormal)).clamp(0.0, 1.0)
    }

    /// The sum of the hazard up to an age: how many answers a healthy wait would have been due by then.
    pub fn hazard(&self, milliseconds: f64) -> f64 {
        if milliseconds <= 0.0 { 0.0 } else { -self.survival(milliseconds).max(f64::MIN_POSITIVE).ln() }
    }

    /// The time that a share of healthy waits exceeds, in milliseconds.
    pub fn exceeded_by(&self, share: f64) -> f64 {
        // Logarithms of a tenth of a millisecond and of many times the age of the universe.
        let (mut low, mut high) = (-2.0, 60.0);
        for _ in 0..80 {
            let middle = f64::midpoint(low, high);
            if self.survival(f64::exp(middle)) > share { low = middle } else { high = middle }
        }
        f64::exp(high)
    }

    /// The probability that a wait of this age is lost, where so large a share is lost before the age is known.
    pub fn lost_at(&self, milliseconds: f64, lost: f64) -> f64 {
        let alive = (1.0 - lost) * self.survival(milliseconds);
        if lost + alive > 0.0 { lost / (lost + alive) } else { 0.0 }
    }
}

/// The answered waits, those up to `below` by their number alone.
fn points(answered: &[f64], below: f64) -> Vec<Point> {
    let (low, high): (Vec<f64>, Vec<f64>) = answered.iter().partition(|y| **y <= below);
    let mut points = Vec::new();
    if !low.is_empty() {
        points.push(Point { y: below, weight: count(low.len()), is_below: true });
    }
    let each = high.len().div_ceil(POINTS).max(1);
    points.extend(high.chunks(each).map(|alike| Point {
        y: alike.iter().sum::<f64>() / count(alike.len()),
        weight: count(alike.len()),
        is_below: false,
    }));
    points
}

fn start(answered: &[f64], share: f64) -> Option<Part> {
    let n = count(answered.len());
    let mu = answered.iter().sum::<f64>() / n;
    let square = answered.iter().map(|y| (y - mu).powi(2)).sum::<f64>() / n;
    (!answered.is_empty()).then(|| Part { share, mu, sigma: square.sqrt().max(LEAST_SIGMA) })
}

/// The split of sorted values into two groups with the least variance within.
fn split(answered: &[f64]) -> Option<[Part; 2]> {
    let n = answered.len();
    let (mut best, mut left, total) = (None, 0.0, answered.iter().sum::<f64>());
    for at in 1..n {
        left += answered[at - 1];
        let right = total - left;
        // The sum of squares between the groups.
        let between = left * left / count(at) + right * right / count(n - at);
        if best.is_none_or(|(most, _)| between > most) {
            best = Some((between, at));
        }
    }
    let (fast, slow) = answered.split_at(best?.1);
    Some([start(fast, count(fast.len()) / count(n))?, start(slow, count(slow.len()) / count(n))?])
}

fn is_clearly_two(one: &Law, two: &Law, answered: usize) -> bool {
    let [fast, slow] = two.parts.as_slice() else { return false };
    // Three parameters more: a share, a mean and a spread.
    let gain = 2.0 * (two.log_likelihood - one.log_likelihood) - 3.0 * count(answered).ln();
    let apart = SQRT_2 * (slow.mu - fast.mu).abs() / fast.sigma.hypot(slow.sigma);
    let least = fast.share.min(slow.share) * count(answered);
    gain > 10.0 && apart > 2.0 && least >= 20.0
}

fn iterate(start: &[Part], lost: f64, answered: &[Point], open: &[Point]) -> Law {
    let total: f64 = answered.iter().map(|point| point.weight).sum();
    let mut law = Law { parts: start.to_vec(), lost, answered: total, log_likelihood: f64::NEG_INFINITY, tail: None };
    for _ in 0..ROUNDS {
        let before = law.log_likelihood;
        law = round(&law, answered, open);
        if (law.log_likelihood - before).abs() < 1e-7 * (1.0 + law.log_likelihood.abs()) {
            break;
        }
    }
    law
}

/// One round: what is expected of the waits under the law, and the law that makes this most likely.
fn round(law: &Law, answered: &[Point], open: &[Point]) -> Law {
    let mut sums = vec![Sums::default(); law.parts.len()];
    let mut likelihood = 0.0;
    let mut lost = 0.0;
    let mut densities = vec![0.0; law.parts.len()];
    for point in answered {
        for (density, part) in densities.iter_mut().zip(&law.parts) {
            let z = (point.y - part.mu) / part.sigma;
            *density = part.share * if point.is_below { lower(z) } else { density_of(z) / part.sigma };
        }
        let all = densities.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        likelihood += point.weight * ((1.0 - law.lost) * all).max(f64::MIN_POSITIVE).ln();
        for ((density, part), sums) in densities.iter().zip(&law.parts).zip(&mut sums) {
            let weight = point.weight * density / all;
            if point.is_below {
                let (mean, square) = below(part, point.y);
                sums.add(weight, mean, square);
            } else {
                sums.add(weight, point.y, point.y * point.y);
            }
        }
    }
    for point in open {
        for (density, part) in densities.iter_mut().zip(&law.parts) {
            *density = (1.0 - law.lost) * part.share * upper((point.y - part.mu) / part.sigma);
        }
        let all = (law.lost + densities.iter().sum::<f64>()).max(f64::MIN_POSITIVE);
        likelihood += point.weight * all.ln();
        lost += point.weight * law.lost / all;
        for ((density, part), sums) in densities.iter().zip(&law.parts).zip(&mut sums) {
            let (mean, square) = above(part, point.y);
            sums.add(point.weight * density / all, mean, square);
        }
    }
    let waiting: f64 = open.iter().map(|point| point.weight).sum();
    let healthy: f64 = sums.iter().map(|sums| sums.weight).sum::<f64>().max(f64::MIN_POSITIVE);
    let part = |sums: &Sums, before: &Part| {
        if sums.weight <= 1e-9 {
            return Part { share: 0.0, ..*before };
        }
        let mu = sums.y / sums.weight;
        let sigma = (sums.square / sums.weight - mu * mu).max(0.0).sqrt().max(LEAST_SIGMA);
        Part { share: sums.weight / healthy, mu, sigma }
    };
    Law {
        parts: sums.iter().zip(&law.parts).map(|(sums, before)| part(sums, before)).collect(),
        lost: (lost + LOST_BEFORE) / (law.answered + waiting + SEEN_BEFORE),
        answered: law.answered,
        log_likelihood: likelihood,
        tail: None,
    }
}

/// Mean and mean square of a normal value above `y`.
fn above(part: &Part, y: f64) -> (f64, f64) {
    let z = (y - part.mu) / part.sigma;
    let ratio = mills(z);
    let (mean, square) = (ratio, 1.0 + z * ratio);
    moments(part, mean, square)
}

/// Mean and mean square of a normal value up to `y`.
fn below(part: &Part, y: f64) -> (f64, f64) {
    let z = (y - part.mu) / part.sigma;
    let ratio = mills(-z);
    moments(part, -ratio, 1.0 - z * ratio)
}

fn moments(part: &Part, mean: f64, square: f64) -> (f64, f64) {
    let Part { mu, sigma, .. } = *part;
    (mu + sigma * mean, mu * mu + 2.0 * mu * sigma * mean + sigma * sigma * square)
}

fn middle(sorted: &[f64]) -> f64 {
    let at = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[at - 1], sorted[at]) } else { sorted[at] }
}

#[allow(clippy::cast_precision_loss, reason = "counts of waits, far below 2^52")]
pub(super) fn count(number: usize) -> f64 {
    number as f64
}
