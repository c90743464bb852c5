//! Which executions are wanted.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::analysis::pattern;
use crate::model::{ExecutionStatus, Micros, StateMachineArn};

/// What to pull.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Names, ARNs and patterns of both; none for all state machines.
    pub machines: Vec<String>,
    /// Tags that a state machine must have, all of them: name and value.
    pub tags: Vec<(String, String)>,
    /// The statuses of executions; none for all.
    pub statuses: Vec<ExecutionStatus>,
    /// The first moment of the window in which they started.
    pub since: Micros,
    /// The first moment after it.
    pub until: Micros,
    /// Which of the succeeded ones; `None` for all.
    pub sample: Option<Sample>,
    /// Whether the children of their Map Runs are wanted as well.
    pub map_runs: bool,
    /// How many executions of each account and region at most.
    pub limit: Option<u64>,
    /// The window in the words of the user: a later pull with the same words and the same selection takes up one that was interrupted.
    pub window_words: String,
    /// Whether it does.
    pub resumes: bool,
}

/// A share of executions, the same ones every time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample(f64);

impl Sample {
    /// Of percents above 0, up to 100.
    pub fn percent(percent: f64) -> Option<Self> {
        (percent > 0.0 && percent <= 100.0).then_some(Self(percent / 100.0))
    }

    /// Whether an execution is among them: by a hash of its ARN.
    pub fn contains(self, arn: &str) -> bool {
        let digest = Sha256::digest(arn);
        let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        f64::from(number) / (f64::from(u32::MAX) + 1.0) < self.0
    }
}

impl Wanted {
    /// Whether the machine is wanted, by its name or ARN.
    pub fn names(&self, machine: &StateMachineArn) -> bool {
        let of = |pattern: &String| {
            if pattern.starts_with("arn:") {
                pattern::matches(unqualified(pattern).as_deref().unwrap_or(pattern), machine.unqualified())
            } else {
                pattern::matches(pattern, machine.name())
            }
        };
        self.machines.is_empty() || self.machines.iter().any(of)
    }

    /// The state machines that are named by their ARNs.
    pub fn arns(&self) -> impl Iterator<Item = StateMachineArn> {
        self.machines.iter().filter_map(|pattern| unqualified(pattern)?.parse().ok())
    }

    /// Whether executions with this status are wanted; one with a status that is new to us is.
    pub fn has_status(&self, status: Option<ExecutionStatus>) -> bool {
        self.statuses.is_empty() || status.is_none_or(|status| self.statuses.contains(&status))
    }

    /// The statuses that are wanted, the most useful first.
    pub fn statuses(&self) -> Vec<ExecutionStatus> {
        use ExecutionStatus::{Aborted, Failed, PendingRedrive, Running, Succeeded, TimedOut};
        let by_use = [Failed, TimedOut, Aborted, Running, PendingRedrive, Succeeded];
        by_use.into_iter().filter(|status| self.has_status(Some(*status))).collect()
    }

    /// What tells this selection from others: two pulls with the same words look for the same.
    pub fn words(&self) -> String {
        let sorted = |mut words: Vec<String>| {
            words.sort();
            words
        };
        let tags = self.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let statuses = self.statuses().into_iter().map(ExecutionStatus::name).collect::<Vec<_>>();
        let words = serde_json::json!({
            "machines": sorted(self.machines.clone()), "tags": sorted(tags), "statuses": statuses, "window": self.window_words,
            "sample": self.sample, "limit": self.limit, "map_runs": self.map_runs,
        });
        words.to_string()
    }
}

/// The ARN of a machine without version and alias; `None` for a name or a pattern.
fn unqualified(pattern: &str) -> Option<String> {
    let arn = pattern.parse::<StateMachineArn>().ok().filter(|_| !pattern.contains(['*', '?']))?;
    Some(arn.unqualified().to_owned())
}

/// The lower, the earlier: what did not succeed before what did, and of either the children of Map Runs after the others.
pub(super) fn rank(status: Option<ExecutionStatus>, is_child: bool) -> u8 {
    2 * u8::from(status == Some(ExecutionStatus::Succeeded)) + u8::from(is_child)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(machines: &[&str]) -> Wanted {
        Wanted {
            machines: machines.iter().map(|name| (*name).to_owned()).collect(),
            tags: Vec::new(),
            statuses: Vec::new(),
            since: Micros(0),
            until: Micros(1),
            sample: None,
            map_runs: false,
            limit: None,
            window_words: "24h".to_owned(),
            resumes: true,
        }
    }

    #[test]
    fn machines_go_by_name_arn_and_pattern() {
        let orders: StateMachineArn = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".parse().expect("an ARN");
        for pattern in ["Orders", "Ord*", orders.as_str(), &format!("{orders}:7"), "arn:aws:states:*:stateMachine:O*"] {
            assert!(wanted(&[pattern]).names(&orders), "{pattern}");
        }
        for pattern in ["orders", "Bills", "arn:aws:states:us-east-1:111111111111:stateMachine:Orders"] {
            assert!(!wanted(&[pattern]).names(&orders), "{pattern}");
        }
        assert!(wanted(&[]).names(&orders) && wanted(&["Bills", "Orders"]).names(&orders));
        assert_eq!(wanted(&["Orders", &format!("{orders}:7"), "arn:*:O*"]).arns().collect::<Vec<_>>(), [orders]);
    }

    #[test]
    fn failed_children_come_after_failed_executions_and_before_succeeded_ones() {
        use ExecutionStatus::{Failed, Running, Succeeded};
        let ranks = [rank(Some(Failed), false), rank(Some(Running), true), rank(Some(Succeeded), false), rank(Some(Succeeded), true)];
        assert!(ranks.is_sorted() && ranks[0] < ranks[1] && ranks[1] < ranks[2] && ranks[2] < ranks[3], "{ranks:?}");
    }

    #[test]
    fn a_sample_is_the_same_every_time_and_about_as_large_as_asked() {
        let arns: Vec<String> =
            (0..10_000).map(|number| format!("arn:aws:states:eu-west-1:111111111111:execution:Orders:run-{number}")).collect();
        let chosen = |percent: f64| {
            let sample = Sample::percent(percent).expect("a share");
            arns.iter().filter(|arn| sample.contains(arn)).collect::<Vec<_>>()
        };
        let (tenth, half) = (chosen(10.0), chosen(50.0));
        assert!((900..1_100).contains(&tenth.len()), "{}", tenth.len());
        assert!(tenth.iter().all(|arn| half.contains(arn)), "a larger sample holds a smaller one");
        assert_eq!(chosen(100.0).len(), arns.len());
        assert_eq!(Sample::percent(0.0).or(Sample::percent(100.1)).or(Sample::percent(f64::NAN)), None);
    }

    #[test]
    fn the_same_selection_has_the_same_words() {
        assert_eq!(wanted(&["Orders", "Bills"]).words(), wanted(&["Bills", "Orders"]).words());
        let other = Wanted { limit: Some(5), ..wanted(&["Bills", "Orders"]) };
        assert_ne!(wanted(&["Bills", "Orders"]).words(), other.words());
        let with_children = Wanted { map_runs: true, ..wanted(&["Bills", "Orders"]) };
        assert_ne!(wanted(&["Bills", "Orders"]).words(), with_children.words());
    }
}
