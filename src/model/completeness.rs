//! How complete a sight of an execution is: one rule for stores and for files.
//!
//! More complete is what was redriven more often, then what is closed, then what has more events, then what lacks less. Whether a
//! definition was at hand says nothing about the execution, and does not count.

use super::{ExecutionFacts, ExecutionStatus};

/// How complete a sight of an execution is; the greater is taken for the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completeness {
    redrives: u32,
    is_closed: bool,
    events: u32,
    /// Fewer gaps are better.
    gaps_less: u8,
}

impl Completeness {
    /// By what the columns of a store have of an execution; `gaps` is how many kinds of gaps are known.
    pub fn new(redrives: u64, status: Option<ExecutionStatus>, events: u64, gaps: usize) -> Self {
        let bounded = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            redrives: bounded(redrives),
            is_closed: status.is_some_and(ExecutionStatus::is_closed),
            events: bounded(events),
            gaps_less: u8::MAX - u8::try_from(gaps).unwrap_or(u8::MAX),
        }
    }

    /// Of an execution that was read.
    pub fn of(facts: &ExecutionFacts<'_>) -> Self {
        Self::new(facts.redrive_count, facts.status, facts.events, facts.gaps.len())
    }

    /// Whether more of it is to come.
    pub fn is_open(self) -> bool {
        !self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ExecutionStatus::{Failed, PendingRedrive, Running, Succeeded};

    #[test]
    fn what_was_redriven_or_is_closed_or_longer_or_lacks_less_is_more_complete() {
        let sight = |redrives, status, events, gaps| Completeness::new(redrives, Some(status), events, gaps);
        let order = [
            sight(0, Running, 5, 0),
            sight(0, Running, 9, 0),
            sight(0, Failed, 4, 0),
            sight(0, Failed, 10, 2),
            sight(0, Failed, 10, 1),
            sight(0, Failed, 10, 0),
            sight(1, PendingRedrive, 2, 0),
            sight(1, Running, 12, 0),
            sight(1, Succeeded, 12, 0),
        ];
        assert!(order.is_sorted());
        assert_eq!(Completeness::new(0, None, 5, 0), sight(0, Running, 5, 0));
    }
}
