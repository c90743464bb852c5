//! How complete a sight of an execution is: one rule for stores and for files.
//!
//! First comes what holds a run from its first event to its end, or on into a redrive: log records of a redrive alone, or of failures
//! alone, tell of a later moment, and are no substitute for it. After that, more complete is what was redriven more often, then what is
//! closed, then what has more events, then what lacks less. Whether a definition was at hand says nothing about the execution, and does
//! not count.

use super::{ExecutionFacts, ExecutionStatus};

/// Gaps, by their short names, that say of events which the execution had and the sight has not.
const LACKING: [&str; 6] = ["no_events", "missing_events", "more_pages", "not_fetched", "no_end", "logged_only"];

/// Whether one of the gaps, given by their short names, says that events are missing: another source, or the same one read again, may
/// have them.
pub fn lacks_events(gaps: &[&str]) -> bool {
    gaps.iter().any(|gap| LACKING.contains(gap))
}

/// How complete a sight of an execution is; the greater is taken for the lesser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completeness {
    /// No event is missing, and the first run has ended.
    holds_a_run: bool,
    redrives: u32,
    is_closed: bool,
    events: u32,
    /// Fewer gaps are better.
    gaps_less: u8,
}

impl Completeness {
    /// By what the columns of a store have of an execution; `gaps` is how many kinds of gaps are known, and whether one of them
    /// [lacks events](lacks_events).
    pub fn new(redrives: u64, status: Option<ExecutionStatus>, events: u64, (gaps, lacks_events): (usize, bool)) -> Self {
        let bounded = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let has_ended_once = redrives > 0 || status.is_some_and(|status| status != ExecutionStatus::Running);
        Self {
            holds_a_run: has_ended_once && !lacks_events,
            redrives: bounded(redrives),
            is_closed: status.is_some_and(ExecutionStatus::is_closed),
            events: bounded(events),
            gaps_less: u8::MAX - u8::try_from(gaps).unwrap_or(u8::MAX),
        }
    }

    /// Of an execution that was read.
    pub fn of(facts: &ExecutionFacts<'_>) -> Self {
        Self::new(facts.redrive_count, facts.status, facts.events, (facts.gaps.len(), lacks_events(facts.gaps)))
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
        let sight = |redrives, status, events, gaps| Completeness::new(redrives, Some(status), events, (gaps, false));
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
        assert_eq!(Completeness::new(0, None, 5, (0, false)), sight(0, Running, 5, 0));
    }

    #[test]
    fn what_lacks_events_never_stands_before_a_run_that_is_whole_however_often_it_was_redriven() {
        let sight = |redrives, status, events, lacks_events| Completeness::new(redrives, status, events, (1, lacks_events));
        let order = [
            sight(0, Some(Running), 5, false),
            sight(0, Some(Failed), 4, true),
            sight(0, Some(Failed), 20, true),
            sight(1, None, 6, true),
            sight(2, Some(Succeeded), 30, true),
            sight(0, Some(Failed), 10, false),
            sight(1, Some(Running), 12, false),
            sight(1, Some(Succeeded), 20, false),
        ];
        assert!(order.is_sorted());
        for gap in ["no_events", "missing_events", "more_pages", "not_fetched", "no_end", "logged_only"] {
            assert!(lacks_events(&["no_definition", gap]), "{gap}");
        }
        assert!(!lacks_events(&["payloads_left_out", "no_end_logged"]) && !lacks_events(&[]));
    }
}
