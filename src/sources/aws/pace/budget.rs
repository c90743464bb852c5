//! How much of a quota the calls of this program may take.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::sources::aws::{Action, Quota};

/// What is left alone of the share: clocks differ a little, and calls that leave apart may arrive close together.
const KEPT_BACK: f64 = 0.01;

/// A share of a quota: more than nothing, and all of it at most.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// Half: the other half is for what the account runs.
    pub const HALF: Self = Self(0.5);

    /// The whole quota, for accounts in which nothing else calls.
    pub const ALL: Self = Self(1.0);

    /// Of a number from 0, which is excluded, to 1.
    pub fn new(share: f64) -> Result<Self, BudgetError> {
        if share > 0.0 && share <= 1.0 { Ok(Self(share)) } else { Err(BudgetError::Share { text: share.to_string() }) }
    }

    /// As a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A percentage such as `50%`, or a number such as `0.5`.
impl FromStr for Share {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let bad = || BudgetError::Share { text: text.to_owned() };
        let number = |digits: &str| digits.trim().parse::<f64>().map_err(|_| bad());
        let share = match text.strip_suffix('%') {
            Some(percent) => number(percent)? / 100.0,
            None => number(text)?,
        };
        Self::new(share).map_err(|_| bad())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No more digits than say something: 0.07 is 7.000000000000001 percent.
        let percent = (self.0 * 1e6).round() / 1e4;
        write!(f, "{percent}%")
    }
}

/// What may be spent, in each account and region.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    share: Share,
    quotas: HashMap<Action, Quota>,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Share::HALF)
    }
}

impl Budget {
    /// A share of the quotas that AWS publishes.
    pub fn new(share: Share) -> Self {
        Self { share, quotas: HashMap::new() }
    }

    /// The same budget for accounts whose quota of one action was raised or lowered.
    #[must_use]
    pub fn with_quota(mut self, of: QuotaOf) -> Self {
        self.quotas.insert(of.action, of.quota);
        self
    }

    /// The share of every quota.
    pub fn share(&self) -> Share {
        self.share
    }

    /// How often an action may be called in a region, by everybody together.
    pub fn quota(&self, action: Action, region: &str) -> Quota {
        self.quotas.get(&action).copied().unwrap_or_else(|| action.quota(region))
    }

    /// How often this program calls an action in a region at most: its share of the bucket, though a whole call, and of the refill.
    pub fn allowance(&self, action: Action, region: &str) -> Quota {
        let quota = self.quota(action, region);
        let part = self.share.0 * (1.0 - KEPT_BACK);
        Quota { bucket: (quota.bucket * part).max(1.0), refill: quota.refill * part }
    }
}

/// The quota of one action where it is not what AWS publishes: `states:GetExecutionHistory=40/800`, which is the refill per second,
/// then the bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuotaOf {
    /// Whose quota.
    pub action: Action,
    /// The quota.
    pub quota: Quota,
}

impl FromStr for QuotaOf {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let malformed = || BudgetError::Quota { text: text.to_owned() };
        let (name, numbers) = text.split_once('=').ok_or_else(malformed)?;
        let (refill, bucket) = numbers.split_once('/').ok_or_else(malformed)?;
        let name = name.trim();
        let number = |digits: &str| {
            let number = digits.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(malformed)
        };
        let quota = Quota { bucket: number(bucket)?, refill: number(refill)? };
        if name.is_empty() || quota.refill <= 0.0 || quota.bucket < 1.0 {
            return Err(malformed());
        }
        let action = Action::from_name(name).ok_or_else(|| BudgetError::Action { name: name.to_owned() })?;
        Ok(Self { action, quota })
    }
}

/// What is wrong with a budget.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BudgetError {
    /// No share.
    #[error("`{text}` is no share of a quota; give a percentage above 0% and up to 100%, such as 50%")]
    Share {
        /// What was given.
        text: String,
    },
    /// No quota.
    #[error("`{text}` is no quota; it looks like states:GetExecutionHistory=40/800: refill per second, then bucket")]
    Quota {
        /// What was given.
        text: String,
    },
    /// Not one of the actions.
    #[error("`{name}` is no action that is called here; the actions are {}", Action::ALL.map(|action| action.to_string()).join(", "))]
    Action {
        /// What was given.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages_or_numbers_above_nothing_and_up_to_all() {
        for (text, share) in [("50%", 0.5), ("0.25", 0.25), ("100%", 1.0), ("1", 1.0), ("7 %", 0.07)] {
            assert_eq!(text.parse::<Share>().expect("a share").get(), share);
        }
        for text in ["0%", "0", "101%", "-5%", "50", "half", "", "NaN", "inf"] {
            let message = text.parse::<Share>().expect_err("no share").to_string();
            assert!(message.contains(&format!("`{text}`")) && message.contains("50%"), "{message}");
        }
        assert_eq!(Share::HALF.to_string(), "50%");
        assert_eq!("7%".parse::<Share>().expect("a share").to_string(), "7%");
    }

    #[test]
    fn a_budget_shares_the_bucket_and_the_refill_and_keeps_a_little_back() {
        let budget = Budget::new(Share::HALF);
        let allowance = budget.allowance(Action::GetExecutionHistory, "eu-north-1");
        assert!((allowance.bucket - 198.0).abs() < 1e-9 && (allowance.refill - 9.9).abs() < 1e-9, "{allowance:?}");
    }

    #[test]
    fn the_smallest_share_still_lets_a_call_through() {
        let budget = Budget::new(Share::new(0.01).expect("a share"));
        let allowance = budget.allowance(Action::GetTraceSummaries, "eu-north-1");
        assert_eq!(allowance.bucket, 1.0);
        assert!(allowance.refill < 0.05);
    }

    #[test]
    fn quotas_of_an_account_replace_those_that_are_published() {
        let raised: QuotaOf = "states:GetExecutionHistory=40/800".parse().expect("a quota");
        let budget = Budget::new(Share::ALL).with_quota(raised);
        assert_eq!(budget.quota(Action::GetExecutionHistory, "eu-west-1"), Quota { bucket: 800.0, refill: 40.0 });
        assert_eq!(budget.quota(Action::ListExecutions, "eu-west-1"), Quota { bucket: 200.0, refill: 5.0 });
        assert_eq!("ListMapRuns=2/50".parse::<QuotaOf>().expect("a quota").action, Action::ListMapRuns);
    }

    #[test]
    fn quotas_that_are_none_are_refused_with_an_example() {
        for text in ["", "states:GetExecutionHistory", "=1/2", "states:GetExecutionHistory=40", "ListMapRuns=0/5", "ListMapRuns=1/0"] {
            let message = text.parse::<QuotaOf>().expect_err("no quota").to_string();
            assert!(message.contains(text) && message.contains("states:"), "{message}");
        }
        let message = "states:StartExecution=1/2".parse::<QuotaOf>().expect_err("not called").to_string();
        assert!(message.contains("`states:StartExecution`") && message.contains("states:ListExecutions"), "{message}");
    }
}
