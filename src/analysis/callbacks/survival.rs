//! The share of waits that last longer than a time: Kaplan and Meier's estimate, which counts open waits for as long as they lasted.
//!
//! `S(t)` is the product of `1 - d / n` over the times up to t at which d of the n waits that were still open were answered; its
//! variance is Greenwood's `S² · sum of d / (n (n - d))` (Kaplan and Meier 1958; Greenwood 1926).

use serde::Serialize;

/// The 97.5th percentile of the normal distribution: two of them enclose 95 %.
const TWO_SIDED: f64 = 1.959_963_984_540_054;

/// A step of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// The time of an answer, in milliseconds.
    pub age_ms: f64,
    /// The share of waits that last longer.
    pub survival: f64,
    /// Standard error of that, by Greenwood.
    pub error: f64,
}

/// The curve, a step for each time at which something was answered.
pub fn curve(answered: &[f64], open: &[f64]) -> Vec<Step> {
    let mut ends: Vec<(f64, bool)> = answered.iter().map(|age| (*age, true)).chain(open.iter().map(|age| (*age, false))).collect();
    ends.retain(|(age, _)| age.is_finite());
    ends.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
    let (mut steps, mut survival, mut sum) = (Vec::new(), 1.0, 0.0);
    let mut at = 0;
    while at < ends.len() {
        let age = ends[at].0;
        let waiting = ends.len() - at;
        let together = ends[at..].iter().take_while(|end| end.0 <= age).count();
        let answers = ends[at..at + together].iter().filter(|end| end.1).count();
        at += together;
        if answers == 0 {
            continue;
        }
        let (d, n) = (count(answers), count(waiting));
        survival *= 1.0 - d / n;
        sum += if answers < waiting { d / (n * (n - d)) } else { 0.0 };
        steps.push(Step { age_ms: age, survival, error: survival * sum.sqrt() });
    }
    steps
}

/// The time by which a share of the waits was answered; `None` where the curve does not get there.
pub fn quantile(curve: &[Step], share: f64) -> Option<f64> {
    // Shares such as 0.95 and products of fractions are not exact.
    curve.iter().find(|step| step.survival <= 1.0 - share + 1e-12).map(|step| step.age_ms)
}

/// The share that had no answer at the right end of the curve, and 95 % bounds of it.
pub fn plateau(curve: &[Step]) -> Option<(f64, f64, f64)> {
    let last = curve.last()?;
    let width = TWO_SIDED * last.error;
    Some((last.survival, (last.survival - width).max(0.0), (last.survival + width).min(1.0)))
}

#[allow(clippy::cast_precision_loss, reason = "counts of waits, far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 6-MP arm of Freireich et al. (1963), the textbook example: weeks to relapse, 12 of 21 censored.
    const RELAPSED: [f64; 9] = [6.0, 6.0, 6.0, 7.0, 10.0, 13.0, 16.0, 22.0, 23.0];
    const CENSORED: [f64; 12] = [6.0, 9.0, 10.0, 11.0, 17.0, 19.0, 20.0, 25.0, 32.0, 32.0, 34.0, 35.0];

    #[test]
    fn the_curve_is_that_of_the_textbook() {
        let steps = curve(&RELAPSED, &CENSORED);
        let told: Vec<(f64, f64, f64)> =
            steps.iter().map(|step| (step.age_ms, (step.survival * 1e4).round() / 1e4, (step.error * 1e4).round() / 1e4)).collect();
        assert_eq!(
            told,
            [
                (6.0, 0.8571, 0.0764),
                (7.0, 0.8067, 0.0869),
                (10.0, 0.7529, 0.0963),
                (13.0, 0.6902, 0.1068),
                (16.0, 0.6275, 0.1141),
                (22.0, 0.5378, 0.1282),
                (23.0, 0.4482, 0.1346)
            ]
        );
        assert_eq!((quantile(&steps, 0.5), quantile(&steps, 0.9)), (Some(23.0), None));
        let (share, low, high) = plateau(&steps).expect("a curve");
        assert!((share - 0.4482).abs() < 1e-4 && (low - 0.1844).abs() < 1e-3 && (high - 0.7120).abs() < 1e-3, "{share} {low} {high}");
    }

    #[test]
    fn without_open_waits_it_is_the_share_that_lasted_longer() {
        let steps = curve(&[1.0, 2.0, 3.0, 4.0], &[]);
        assert_eq!(steps.iter().map(|step| step.survival).collect::<Vec<_>>(), [0.75, 0.5, 0.25, 0.0]);
        assert_eq!((quantile(&steps, 0.5), quantile(&steps, 1.0)), (Some(2.0), Some(4.0)));
        assert!(curve(&[], &[1.0, f64::NAN]).is_empty() && plateau(&[]).is_none());
    }
}
