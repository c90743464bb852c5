//! Random numbers by name: what is drawn for one thing does not depend on what else is drawn, nor on the order.
//!
//! So a fleet stays what it was, down to the millisecond, when another machine or fault is added to it.

/// Numbers for one thing.
#[derive(Debug, Clone)]
pub struct Draw(fastrand::Rng);

/// Names a thing for which numbers are drawn: the seed of the fleet, and what tells the thing from others.
#[derive(Debug, Clone, Copy)]
pub struct Key(u64);

impl Key {
    /// Of a fleet.
    pub fn new(seed: u64) -> Self {
        Self(scrambled(seed))
    }

    /// Of a thing inside what this names.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        // FNV-1a: all of a name must count, and the numbers must not change with a library.
        let hashed = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        self.number(hashed)
    }

    /// Of a thing inside what this names.
    #[must_use]
    pub fn number(self, number: u64) -> Self {
        Self(scrambled(self.0 ^ scrambled(number)))
    }

    /// A number that stands for the name.
    pub fn seed(self) -> u64 {
        self.0
    }

    /// Its numbers.
    pub fn draw(self) -> Draw {
        Draw(fastrand::Rng::with_seed(self.0))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn scrambled(number: u64) -> u64 {
    let mut number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Draw {
    /// In [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.f64()
    }

    /// In [`low`, `high`).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { self.0.usize(..bound) }
    }

    /// True for a share of all draws.
    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Lognormal with this median; `sigma` is the standard deviation of the logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// The position that a weight has, drawn by weight; 0 where there are none.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().sum();
        let mut left = self.uniform() * total;
        let mut last = 0;
        for (position, weight) in weights.enumerate() {
            last = position;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        crate::interpreter::luck::Luck::new(self.0.u64(..)).uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(count: usize, mut draw: impl FnMut(&mut Draw) -> f64) -> Vec<f64> {
        let mut numbers = Key::new(1).text("sample").draw();
        let mut sample: Vec<f64> = (0..count).map(|_| draw(&mut numbers)).collect();
        sample.sort_by(f64::total_cmp);
        sample
    }

    #[test]
    fn a_name_has_its_own_numbers() {
        let first = |key: Key| key.draw().uniform().to_bits();
        let orders = Key::new(7).text("orders");
        assert_eq!(first(orders.number(1)), first(Key::new(7).text("orders").number(1)));
        assert_ne!(first(orders.number(1)), first(orders.number(2)));
        assert_ne!(first(orders), first(Key::new(8).text("orders")));
        assert_ne!(first(orders.text("a").text("b")), first(orders.text("b").text("a")));
    }

    #[test]
    fn a_lognormal_has_the_median_and_the_spread_that_were_asked_for() {
        let sample = sample(4_001, |draw| draw.lognormal(200.0, 0.5));
        let (median, p84) = (sample[2_000], sample[3_365]);
        // Standard errors: 1.25 σ/√n of the median's logarithm, about 1 %.
        assert!((median / 200.0 - 1.0).abs() < 0.04, "{median}");
        assert!(((p84 / median).ln() - 0.5).abs() < 0.05, "{p84}");
    }

    #[test]
    fn an_exponential_has_its_mean_and_weights_are_kept() {
        let sample = sample(4_000, |draw| draw.exponential(3.0));
        #[allow(clippy::cast_precision_loss, reason = "a small count")]
        let mean = sample.iter().sum::<f64>() / sample.len() as f64;
        assert!((mean - 3.0).abs() < 0.2, "{mean}");
        let mut draw = Key::new(3).draw();
        let thirds = (0..3_000).filter(|_| draw.weighted([1.0, 2.0].into_iter()) == 0).count();
        assert!((900..1_100).contains(&thirds), "{thirds}");
        assert_eq!(draw.weighted([].into_iter()), 0);
    }
}
