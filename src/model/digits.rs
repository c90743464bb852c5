//! Digits of numbers, as they are written for people.

/// A count with its thousands apart: `12,345`.
pub fn thousands(count: u64) -> String {
    grouped(&count.to_string())
}

/// Digits with a comma before every third from the end.
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 7, 999, 1000, 34_218, 1_234_567].map(thousands), ["0", "7", "999", "1,000", "34,218", "1,234,567"]);
    }
}
