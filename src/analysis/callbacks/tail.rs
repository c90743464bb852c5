//! The longest waits, on which the tail of a law rests.
//!
//! Taken as Pareto's: the logarithm of a wait exceeds a threshold by an exponential excess (Hill 1975). A lognormal tail falls ever
//! faster, and what is asked of it lies beyond all that was seen.
//!
//! | the longest waits seen     | tail                                                                                          |
//! |----------------------------|------------------------------------------------------------------------------------------------|
//! | exceed as a lognormal does | lognormal                                                                                     |
//! | exceed by more             | falls as fast as they do, and no faster: there is a heavier law, or a few waits are of a slower kind |
//! | exceed by less             | falls as fast as they do, or slower by two standard errors: waits have an end, as those of people who look at their list once a day, and a lognormal tail far beyond any wait that was seen would take lost ones for healthy |

use super::law::{LOST_BEFORE, Law, SEEN_BEFORE, count};
use super::normal::mills;

/// The tail is taken of the square root of all waits, the longest, and of so many at least.
const LEAST: usize = 10;
/// Excesses larger than lognormal ones by this share are all the tail's; so much ten waits may differ by chance.
const HEAVIER: f64 = 0.3;
/// A tail is called lighter than a lognormal one from so many longest waits on: those of 400 answered ones.
const LIGHT_LEAST: usize = 20;
/// Standard errors that the mean excess of a light tail is taken larger by; one is the mean by the square root of their number.
const DOUBT: f64 = 2.0;
/// Rounds of expectation and maximisation.
const ROUNDS: usize = 60;

/// The longest waits of a [`Law`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tail {
    /// The threshold, a logarithm.
    from: f64,
    /// The share of healthy waits beyond it.
    share: f64,
    /// The mean excess.
    excess: f64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Believed so far, from 0 to 1: by how much heavier it is than a lognormal tail.
    Heavy(f64),
    Light,
}

/// What lies beyond the threshold.
struct Longest<'a> {
    from: f64,
    /// Of the answered ones.
    answered: &'a [f64],
    /// The mean excess of a lognormal law.
    usual: f64,
}

impl<'a> Longest<'a> {
    /// Of sorted logarithms; `None` for too few.
    fn of(law: &Law, answered: &'a [f64]) -> Option<Self> {
        let n = count(answered.len());
        let slowest = law.parts.iter().map(|part| part.share).fold(1.0, f64::min);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
        let longest = ((slowest / 2.0 * n).min(n.sqrt()) as usize).max(LEAST);
        let (shorter, answered) = answered.split_at(answered.len().checked_sub(longest)?);
        let from = *shorter.last()?;
        let slow = law.parts.iter().max_by(|one, other| one.mu.total_cmp(&other.mu))?;
        let z = (from - slow.mu) / slow.sigma;
        Some(Self { from, answered, usual: slow.sigma * (mills(z) - z) })
    }

    fn excesses(&self) -> f64 {
        self.answered.iter().map(|y| y - self.from).sum()
    }
}

impl Tail {
    /// The tail of a law of these answered and open waits, sorted logarithms, and the share that is lost by it; `None` for too few.
    pub fn of(law: &Law, answered: &[f64], open: &[f64]) -> Option<(Self, f64)> {
        let longest = Longest::of(law, answered)?;
        Self::light(law, &longest, open).or_else(|| Some((Self::heavy(law, &longest, open)?, law.lost)))
    }

    fn heavy(law: &Law, longest: &Longest<'_>, open: &[f64]) -> Option<Self> {
        let (from, top) = (longest.from, *longest.answered.last()?);
        // Open waits are censored, at the longest answered one at the latest: lost ones among them are no measure of the tail.
        let beyond = open.iter().filter(|y| **y > from);
        let so_far: f64 = beyond.map(|y| (1.0 - law.lost_at(y.exp(), law.lost)) * (y.min(top) - from)).sum();
        let excess = (longest.excesses() + so_far) / count(longest.answered.len());
        let weight = ((excess / longest.usual - 1.0) / HEAVIER).clamp(0.0, 1.0);
        Some(Self { from, share: law.survival(from.exp()), excess, kind: Kind::Heavy(weight) })
    }

    /// With the share that is lost: the likeliest two, found from a law that loses few and from one in which whatever is older than all
    /// answered waits is lost. `None` where that is no lighter than lognormal.
    fn light(law: &Law, longest: &Longest<'_>, open: &[f64]) -> Option<(Self, f64)> {
        if longest.answered.len() < LIGHT_LEAST {
            return None;
        }
        let top = *longest.answered.last()?;
        let share = law.survival(longest.from.exp());
        let beyond = count(open.iter().filter(|y| **y > top).count());
        let none_lost = Light { excess: longest.usual, lost: law.lost };
        let all_lost = Light { excess: longest.excesses() / count(longest.answered.len()), lost: beyond / (law.answered + beyond) };
        let fitted = [none_lost, all_lost].map(|mut light| {
            let mut likelihood = f64::NEG_INFINITY;
            for _ in 0..ROUNDS {
                (light, likelihood) = light.round(law, longest, open, share);
            }
            (light, likelihood)
        });
        let (light, _) = fitted.into_iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
        let excess = light.excess * (1.0 + DOUBT / count(longest.answered.len()).sqrt());
        let is_light = light.excess > 0.0 && light.excess < longest.usual;
        is_light.then_some((Self { from: longest.from, share, excess, kind: Kind::Light }, light.lost))
    }

    /// The share that lasts longer, where a lognormal tail gives this.
    pub fn survival(&self, y: f64, lognormal: f64) -> f64 {
        if y <= self.from || self.excess <= 0.0 {
            return lognormal;
        }
        let pareto = self.share * (-(y - self.from) / self.excess).exp();
        match self.kind {
            Kind::Heavy(weight) => pareto.max(lognormal).powf(weight) * lognormal.powf(1.0 - weight),
            Kind::Light => pareto.min(lognormal),
        }
    }
}

/// A light tail on its way.
#[derive(Debug, Clone, Copy)]
struct Light {
    excess: f64,
    lost: f64,
}

impl Light {
    /// A round of expectation and maximisation, and the logarithm of the likelihood before it.
    fn round(self, law: &Law, longest: &Longest<'_>, open: &[f64], share: f64) -> (Self, f64) {
        let (answered, excesses) = (count(longest.answered.len()), longest.excesses());
        let mut likelihood = law.answered * (1.0 - self.lost).ln() - answered * self.excess.ln() - excesses / self.excess;
        let (mut lost, mut healthy) = (0.0, 0.0);
        for y in open {
            let above = (y - longest.from).max(0.0);
            let survival = if above > 0.0 { share * (-above / self.excess).exp() } else { law.survival(y.exp()) };
            let all = self.lost + (1.0 - self.lost) * survival;
            likelihood += all.ln();
            let of_lost = self.lost / all.max(f64::MIN_POSITIVE);
            lost += of_lost;
            healthy += (1.0 - of_lost) * above;
        }
        let waits = law.answered + count(open.len());
        let next = Self { excess: (excesses + healthy) / answered, lost: (lost + LOST_BEFORE) / (waits + SEEN_BEFORE) };
        (next, likelihood)
    }
}
