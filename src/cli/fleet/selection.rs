//! Which executions are wanted: of which machines, from when to when.

use crate::analysis::pattern;
use crate::cli::exit_code::WrongUsage;
use crate::model::{ExecutionHeader, Micros, StateMachineArn, time};

/// A moment as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    At(Micros),
    /// So many microseconds before now.
    Before(i64),
}

impl Moment {
    /// `2026-11-20T08:00:00Z`, epoch seconds, or how long before now: `90m`, `2h`, `7d`, `1d12h`.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let none = || {
            let text = format!("`{text}` is no time; write 2026-11-20T08:00:00Z, or how long before now: 90m, 2h, 7d");
            anyhow::Error::from(WrongUsage(text))
        };
        duration(text).map(Self::Before).or_else(|| time::parse(text).map(|moment| Self::At(moment.into()))).ok_or_else(none)
    }

    pub(super) fn is_relative(self) -> bool {
        matches!(self, Self::Before(_))
    }

    /// The moment itself; `None` for a relative one where nothing says when now is.
    pub(super) fn resolve(self, now: Option<Micros>) -> Option<Micros> {
        match self {
            Self::At(moment) => Some(moment),
            Self::Before(microseconds) => now.map(|now| Micros(now.0.saturating_sub(microseconds))),
        }
    }
}

/// Microseconds of `1d12h`; every number has its unit.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: i64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = number.checked_mul(seconds)?.checked_mul(1_000_000)?.checked_add(total)?;
        rest = &rest[end + unit.len_utf8()..];
    }
    (!text.trim().is_empty()).then_some(total)
}

/// When executions must have started; both ends may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The first moment inside.
    pub since: Option<Micros>,
    /// The first moment after it.
    pub until: Option<Micros>,
}

impl Window {
    /// Whether an execution that started then lies inside; one of which nobody knows does.
    pub fn contains(&self, start: Option<Micros>) -> bool {
        let Some(start) = start else { return true };
        self.since.is_none_or(|since| start >= since) && self.until.is_none_or(|until| start < until)
    }
}

/// State machines, by names, ARNs and patterns of both.
#[derive(Debug, Clone, Default)]
pub(super) struct Machines {
    /// None of them means all machines.
    patterns: Vec<String>,
}

impl Machines {
    pub(super) fn new(patterns: &[String]) -> Self {
        // Executions go by their machine, whatever version or alias of it was named.
        let unqualified = |pattern: &String| match pattern.parse::<StateMachineArn>() {
            Ok(arn) if !pattern.contains(['*', '?']) => arn.unqualified().to_owned(),
            _ => pattern.clone(),
        };
        Self { patterns: patterns.iter().map(unqualified).collect() }
    }

    /// Whether the machine with this ARN, without version and alias, is wanted; one that nothing names is not, unless all are.
    pub(super) fn contain(&self, arn: Option<&str>) -> bool {
        if self.patterns.is_empty() {
            return true;
        }
        let Some(arn) = arn else { return false };
        let name = arn.rsplit(':').next().unwrap_or(arn);
        self.patterns.iter().any(|pattern| pattern::matches(pattern, if pattern.starts_with("arn:") { arn } else { name }))
    }

    /// The same of a description, whose ARN may still have version and alias.
    pub(super) fn contain_described(&self, header: &ExecutionHeader) -> bool {
        if self.patterns.is_empty() {
            return true;
        }
        match (&header.state_machine_arn, &header.arn) {
            (Some(machine), _) => self.contain(Some(machine.unqualified())),
            (None, Some(arn)) => self.contain(Some(arn.state_machine().as_str())),
            (None, None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let minute = 60_000_000;
        for (text, wanted) in
            [("90m", 90 * minute), ("2h", 120 * minute), ("7d", 7 * 1440 * minute), ("1d12h", 36 * 60 * minute), ("45s", 45_000_000)]
        {
            assert_eq!(Moment::parse(text).expect("a time"), Moment::Before(wanted), "{text}");
        }
        assert!(!Moment::parse("2026-11-20T08:00:00Z").expect("a time").is_relative());
        assert!(!Moment::parse("1767225600").expect("a time").is_relative());
        for text in ["", " ", "h", "2 h", "2x", "yesterday", "-2h", "99999999999999999999d", "9223372036854775807w"] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn machines_go_by_name_arn_and_pattern() {
        let arn = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
        let wanted = |pattern: &str| Machines::new(&[pattern.to_owned()]).contain(Some(arn));
        for pattern in ["Orders", "Ord*", arn, &format!("{arn}:7"), &format!("{arn}:live"), "arn:aws:states:*:stateMachine:O*"] {
            assert!(wanted(pattern), "{pattern}");
        }
        for pattern in ["Order", "orders", "arn:aws:states:us-east-1:111111111111:stateMachine:Orders", "arn:*:Bills"] {
            assert!(!wanted(pattern), "{pattern}");
        }
        assert!(Machines::default().contain(None));
        assert!(!Machines::new(&["Orders".to_owned()]).contain(None));
    }
}
