//! Which executions are wanted: of which machines, from when to when.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::analysis::pattern;
use crate::cli::exit_code::WrongUsage;
use crate::model::{ExecutionHeader, Micros, StateMachineArn, time};

/// A moment as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    At(Micros),
    /// So many microseconds before now.
    Before(i64),
}

impl Moment {
    /// `2026-11-20T08:00:00Z`, the same in UTC with less said (`2026-11-20 08:00`, `2026-11-20`), epoch seconds, or how long before now:
    /// `90m`, `2h`, `7d`, `1d12h`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let none = || {
            let text = format!("`{text}` is no time; write 2026-11-20T08:00:00Z, 2026-11-20, or how long before now: 90m, 2h, 7d");
            anyhow::Error::from(WrongUsage(text))
        };
        let moment = || time::parse(text).or_else(|| in_utc(text)).map(|moment| Self::At(moment.into()));
        duration(text).map(Self::Before).or_else(moment).ok_or_else(none)
    }

    pub fn is_relative(self) -> bool {
        matches!(self, Self::Before(_))
    }

    /// The moment itself; `None` for a relative one where nothing says when now is.
    pub fn resolve(self, now: Option<Micros>) -> Option<Micros> {
        match self {
            Self::At(moment) => Some(moment),
            Self::Before(microseconds) => now.map(|now| Micros(now.0.saturating_sub(microseconds))),
        }
    }
}

/// A number of things to show, as a flag gives it: one or more.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("wanted is a number from 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// A date with or without a time of day, without an offset, as reports print it: UTC.
fn in_utc(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let at_midnight = || text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0));
    let has_time = text.contains([':', 'T', 't']);
    let moment = if has_time { text.parse::<DateTime>().ok() } else { at_midnight() }?;
    moment.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp())
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

    /// Whether all machines are meant.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
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
        let at = |text: &str| Moment::parse(text).expect("a time");
        for (short, whole) in [
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20 08:30", "2026-11-20T08:30:00Z"),
            ("2026-11-20T08:30:15.25", "2026-11-20T08:30:15.250Z"),
        ] {
            assert_eq!(at(short), at(whole), "{short}");
        }
        for text in [
            "2026-11-20 8",
            "2026-13-01",
            "2026-11-20T25:00",
            "20:00",
            "",
            " ",
            "h",
            "2 h",
            "2x",
            "yesterday",
            "-2h",
            "99999999999999999999d",
            "9223372036854775807w",
        ] {
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
