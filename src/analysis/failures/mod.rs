//! Failed, timed-out and stopped executions, grouped by what failed.
//!
//! An execution belongs to the failure that started it: a parent that failed because its child did, to the child's. What is the
//! same failure is a matter of [`fingerprint`](super::fingerprint)s. A group is of one state machine; where a failure went up into
//! parents, their groups name the one that they came from.
//!
//! | file          | holds                                                                  |
//! |---------------|------------------------------------------------------------------------|
//! | `records.rs`  | what is kept of each execution while they pass                          |
//! | `roots.rs`    | from a parent to the child that failed first                            |
//! | `merge.rs`    | fingerprints that differ in a free value alone                          |
//! | `groups.rs`   | the groups, and what is known of each                                   |
//! | `novelty.rs`  | whether a group is new, and whether it came with a version              |
//! | `timeline.rs` | how often, over time                                                   |
//! | `opened.rs`   | one group with everything about it                                     |
//! | `report.rs`   | the answer                                                             |

mod groups;
mod merge;
mod novelty;
mod opened;
mod records;
mod report;
mod roots;
#[cfg(test)]
mod tests;
mod timeline;

pub(in crate::analysis) use merge::{Known, Merged, merge};

pub use groups::{Asked, Sort, report};
pub use opened::{Unopened, open};
pub use records::Failures;
pub use report::{
    FailureGroup, FailureGroupReport, FailureRecord, FailuresReport, Handled, LeftOut, NewInVersion, NewSince, SCHEMA, SCHEMA_EXECUTION,
    SCHEMA_GROUP, SCHEMA_ROW, Sample, Statuses, Timeline, Upstream, VersionCount, WaitedIn,
};
