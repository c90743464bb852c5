//! Amounts of money, exact: sums of list prices are never binary fractions.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

use super::digits::grouped;

/// US dollars.
///
/// Serialises as a string with at most twelve digits after the point, without zeros at its end: `"24.9"`, `"0.000025"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(pub Decimal);

/// Digits after the point in documents: a picodollar. Only quotients have more.
const DIGITS: u32 = 12;
/// As invoices round.
const HALF_UP: RoundingStrategy = RoundingStrategy::MidpointAwayFromZero;

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// That many at this price; the largest amount where that is too much to write down.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.checked_mul(Decimal::from(count)).unwrap_or(Decimal::MAX))
    }

    /// This, for `part` of `whole`; nothing of nothing.
    #[must_use]
    pub fn share(self, part: u64, whole: u64) -> Self {
        let product = self.0.checked_mul(Decimal::from(part));
        // Where the product is too large, less exact is good enough.
        let quotient = match product {
            Some(product) => product.checked_div(Decimal::from(whole)),
            None => self.0.checked_div(Decimal::from(whole)).and_then(|one| one.checked_mul(Decimal::from(part))),
        };
        Self(quotient.unwrap_or_default())
    }

    /// For a reader: dollars and cents from a dollar up, below that four digits that say something, never an exponent.
    pub fn shown(self) -> String {
        let amount = self.0.abs();
        if amount.is_zero() {
            return "$0".to_owned();
        }
        let rounded = if amount >= Decimal::ONE {
            amount.round_dp_with_strategy(2, HALF_UP)
        } else {
            amount.round_sf_with_strategy(4, HALF_UP).unwrap_or(amount)
        };
        self.fixed(rounded.normalize().scale().max(2))
    }

    /// For a column of amounts: with so many digits after the point, and `<` before what is less than the last of them.
    pub fn fixed(self, places: u32) -> String {
        let amount = self.0.abs();
        let smallest = Decimal::new(1, places.min(28));
        if !amount.is_zero() && amount < smallest {
            return format!("< ${smallest}");
        }
        let text = format!("{:.*}", places as usize, amount.round_dp_with_strategy(places, HALF_UP));
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = grouped(whole);
        let sign = if self.0.is_sign_negative() && !amount.is_zero() { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}${whole}{point}{fraction}")
    }

    /// How many digits after the point a column of these amounts needs: enough for the smallest to say something, and no more
    /// than six, or two beside more than a hundred dollars.
    pub fn places(amounts: impl Iterator<Item = Self>) -> u32 {
        let (mut places, mut most) = (2, Decimal::ZERO);
        for amount in amounts {
            let amount = amount.0.abs();
            most = most.max(amount);
            let needed = if amount >= Decimal::ONE { 2 } else { amount.round_sf(2).unwrap_or(amount).normalize().scale() };
            places = places.max(needed);
        }
        let limit = match most {
            most if most >= Decimal::ONE_HUNDRED => 2,
            most if most >= Decimal::ONE => 4,
            _ => 6,
        };
        places.min(limit)
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.round_dp(DIGITS).normalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_written_without_exponent() {
        let price = Usd(Decimal::new(25, 6));
        assert_eq!(serde_json::to_string(&price).ok().as_deref(), Some("\"0.000025\""));
        assert_eq!(price.times(996_000), Usd(Decimal::new(2490, 2)));
        let thirds: Usd = std::iter::repeat_n(price.share(1, 3), 3).sum();
        assert_eq!(serde_json::to_string(&thirds).ok().as_deref(), Some("\"0.000025\""));
    }

    #[test]
    fn a_reader_sees_enough_digits_and_no_more() {
        let shown = |text: &str| Usd(Decimal::from_str_exact(text).expect("an amount")).shown();
        let amounts = ["0", "0.000025", "0.0864", "0.9", "0.99999", "1", "12.345", "1234567.8", "0.0000012083333333"].map(shown);
        assert_eq!(amounts, ["$0", "$0.000025", "$0.0864", "$0.90", "$1.00", "$1.00", "$12.35", "$1,234,567.80", "$0.000001208"]);
    }

    #[test]
    fn a_column_of_amounts_has_one_number_of_digits() {
        let column = |texts: &[&str]| -> Vec<String> {
            let amounts: Vec<Usd> = texts.iter().map(|text| Usd(Decimal::from_str_exact(text).expect("an amount"))).collect();
            let places = Usd::places(amounts.iter().copied());
            amounts.iter().map(|amount| amount.fixed(places)).collect()
        };
        assert_eq!(column(&["0.01015", "0.0021", "0.000025", "0"]), ["$0.010150", "$0.002100", "$0.000025", "$0.000000"]);
        assert_eq!(column(&["1250", "0.5", "0.001"]), ["$1,250.00", "$0.50", "< $0.01"]);
        assert_eq!(column(&[]), [""; 0]);
    }

    #[test]
    fn there_is_no_amount_that_panics() {
        let most = Usd(Decimal::MAX);
        assert_eq!(most.times(u64::MAX), most);
        assert_eq!(most + most, most);
        assert_eq!(most.share(u64::MAX, 0), Usd::ZERO);
        assert!(most.share(u64::MAX, u64::MAX) > Usd::ZERO);
    }
}
