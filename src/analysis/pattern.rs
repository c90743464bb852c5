//! Names by patterns: one rule for every option and expression that takes one.

/// Whether the text is as the pattern says: `*` stands for any characters, `?` for one. Takes the product of both lengths at most.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where to go on when the last `*` must stand for one character more.
    let mut again = None;
    loop {
        let mut ahead = pattern.clone();
        match (ahead.next(), text.clone().next()) {
            (Some('*'), _) => {
                again = Some((ahead.clone(), text.clone()));
                pattern = ahead;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                pattern = ahead;
                text.next();
            }
            (None, None) => return true,
            _ => {
                let Some((after, mut rest)) = again.take() else { return false };
                if rest.next().is_none() {
                    return false;
                }
                again = Some((after.clone(), rest.clone()));
                (pattern, text) = (after, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, text) in
            [("Orders", "Orders"), ("Ord*", "Orders"), ("*", ""), ("*ers", "Orders"), ("O?d*s", "Orders"), ("**a*", "banana"), ("?", "é")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("Orders", "orders"), ("Ord", "Orders"), ("?", ""), ("*x", "Orders"), ("a*b*c", "acb"), ("", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        let long = "a".repeat(2000);
        assert!(!matches(&("a*".repeat(1000) + "b"), &long));
    }
}
