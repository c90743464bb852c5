//! Randomness from a seed: jitter, `States.MathRandom`, identifiers and task tokens.

use std::cell::RefCell;
use std::time::Duration;

/// A source of random numbers that the parts of an execution share.
#[derive(Debug)]
pub struct Luck(RefCell<fastrand::Rng>);

impl Luck {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(RefCell::new(fastrand::Rng::with_seed(seed)))
    }

    /// A number in [0, 1).
    pub fn number(&self) -> f64 {
        self.0.borrow_mut().f64()
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let bits = self.0.borrow_mut().u128(..);
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let digits = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
    }

    /// A task token, in the alphabet and with the beginning that the service's have.
    pub fn token(&self) -> String {
        let mut random = self.0.borrow_mut();
        let mut token = "AQCEAAAAKgAAAAMAAAAA".to_owned();
        token.extend((0..76).map(|_| random.alphanumeric()));
        token
    }

    /// A time in [0, `longest`].
    pub fn up_to(&self, longest: Duration) -> Duration {
        longest.mul_f64(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same() {
        let story = |seed| {
            let luck = Luck::new(seed);
            (luck.uuid(), luck.token(), luck.number().to_bits())
        };
        assert_eq!(story(1), story(1));
        assert_ne!(story(1), story(2));
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let uuid = Luck::new(7).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    }
}
