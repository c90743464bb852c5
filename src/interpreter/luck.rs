//! What no definition determines: jitter, `States.MathRandom`, identifiers, task tokens and the time.
//!
//! It comes from a seed and from the virtual clock; a world may have its say on each value but jitter ([`Chance`]).

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::world::Chance;
use crate::model::Timestamp;

/// A source of random numbers that the parts of an execution share.
pub struct Luck {
    random: RefCell<fastrand::Rng>,
    chance: Option<Rc<dyn Chance>>,
}

impl Luck {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self::with_chance(seed, None)
    }

    /// As `chance` has it, to which what the seed gives is only a proposal.
    pub fn with_chance(seed: u64, chance: Option<Rc<dyn Chance>>) -> Self {
        Self { random: RefCell::new(fastrand::Rng::with_seed(seed)), chance }
    }

    /// A number in [0, 1).
    pub fn number(&self) -> f64 {
        let drawn = self.random.borrow_mut().f64();
        self.chance.as_ref().map_or(drawn, |chance| chance.random(drawn))
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let bits = self.random.borrow_mut().u128(..);
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let digits = format!("{bits:032x}");
        let drawn = format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        match &self.chance {
            Some(chance) => chance.uuid(drawn),
            None => drawn,
        }
    }

    /// A task token, in the alphabet and with the beginning that the service's have.
    pub fn token(&self) -> String {
        let mut token = "AQCEAAAAKgAAAAMAAAAA".to_owned();
        token.extend((0..76).map(|_| self.random.borrow_mut().alphanumeric()));
        self.name(token)
    }

    /// A name that the service makes up, for which there is a proposal.
    pub fn name(&self, drawn: String) -> String {
        match &self.chance {
            Some(chance) => chance.name(drawn),
            None => drawn,
        }
    }

    /// The time in milliseconds since the epoch, when the virtual clock says `now`.
    pub fn now(&self, now: Timestamp) -> i64 {
        let clock = now.as_millisecond();
        self.chance.as_ref().map_or(clock, |chance| chance.now(clock))
    }

    /// A time in [0, `longest`].
    pub fn up_to(&self, longest: Duration) -> Duration {
        let part = self.random.borrow_mut().f64();
        longest.mul_f64(part)
    }
}

impl fmt::Debug for Luck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Luck").field("random", &self.random).field("chance", &self.chance.is_some()).finish()
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
