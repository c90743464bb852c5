//! The answer to `failures`, as `docs/json.md` fixes it: fields are added, never renamed.
//!
//! Everything here is raw: masking of secrets and escaping are the renderer's work.

use serde::Serialize;

use crate::analysis::changes::Since;
use crate::analysis::fingerprint::Parts;
use crate::analysis::fleet::Coverage;
use crate::analysis::why::{Advice, DecodedCause, NextCommand};
use crate::model::{ExecutionStatus, Micros};

/// The schema of [`FailuresReport`].
pub const SCHEMA: &str = "stepscope.failures/1";

/// The schema of [`FailureGroupReport`].
pub const SCHEMA_GROUP: &str = "stepscope.failures.group/1";

/// The schema of a [`FailureGroup`] on a line of its own.
pub const SCHEMA_ROW: &str = "stepscope.failures.row/1";

/// The schema of a [`Sample`] on a line of its own.
pub const SCHEMA_EXECUTION: &str = "stepscope.failures.execution/1";

/// What failed, by cause.
#[derive(Debug, Clone, Serialize)]
pub struct FailuresReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// How many executions failed, of those asked for.
    pub failures: u64,
    /// Those of them that failed themselves; the others failed because a child did.
    pub own_failures: u64,
    /// The bins in which groups count.
    pub timeline: Timeline,
    /// The groups, in the order that was asked for.
    pub groups: Vec<FailureGroup>,
    /// The groups that are not among them.
    pub left_out: LeftOut,
}

/// Groups that are not told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// How many.
    pub groups: u64,
    /// Executions in them.
    pub executions: u64,
}

/// Bins of equal width.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// Where the first one begins; null when nothing has a time.
    pub start: Option<Micros>,
    /// How wide each is.
    pub bin_seconds: u64,
    /// How many there are.
    pub bins: usize,
}

/// Executions of one state machine that failed from the same cause.
#[derive(Debug, Clone, Serialize)]
pub struct FailureGroup {
    /// The fingerprint of the cause; for executions that failed because a child did, made from the child's and their own machine.
    pub id: String,
    /// ARN of the state machine whose executions these are; null when nothing names it.
    pub state_machine: Option<String>,
    /// ARN of the state machine in which the cause is: another one for executions that failed because a child did.
    pub root_state_machine: Option<String>,
    /// The state of the root cause; null when nothing tells.
    pub state: Option<String>,
    /// The error of the root cause; null when none was given.
    pub error: Option<String>,
    /// The kind of the root cause, as `why` has it.
    pub kind: &'static str,
    /// The cause, with everything taken out that varies; empty for none.
    pub message: String,
    /// What the failed task called.
    pub resource: Option<String>,
    /// Executions of this group.
    pub count: u64,
    /// How they ended.
    pub statuses: Statuses,
    /// Of the machine's executions, how large a part; from 0 to 1.
    pub share_of_machine: f64,
    /// Of all failures, how large a part; from 0 to 1.
    pub share_of_failures: f64,
    /// When the first of them failed.
    pub first_seen: Option<Micros>,
    /// When the last of them failed.
    pub last_seen: Option<Micros>,
    /// When the first failed that was read at all, before the window included.
    pub first_seen_ever: Option<Micros>,
    /// How many failed in each bin of the report's `timeline`.
    pub counts: Vec<u64>,
    /// Present when it was not there before.
    pub new: Option<NewSince>,
    /// Since when it is more frequent; null where no moment stands out.
    pub since: Option<Since>,
    /// Present when it came with a version of the machine.
    pub new_in_version: Option<NewInVersion>,
    /// By version of the machine, where the executions name one.
    pub versions: Vec<VersionCount>,
    /// Aliases through which they were started.
    pub aliases: Vec<String>,
    /// For executions that failed because a child did: the states that waited for it.
    pub waited_in: Vec<WaitedIn>,
    /// The group of the child's failure, when it is one of another machine.
    pub caused_by: Option<String>,
    /// Groups of other machines whose executions failed because of these.
    pub brought_down: Vec<Upstream>,
    /// What made the fingerprint.
    pub why_grouped: Parts,
    /// Fingerprints that differ in one free value, and were put together.
    pub merged_from: Vec<String>,
    /// Some of the executions, the latest first.
    pub samples: Vec<Sample>,
    /// ARNs of all of them, in the order in which they failed.
    pub executions: Vec<String>,
    /// What to check.
    pub advice: Vec<Advice>,
    /// Commands to run next; none is run by the program.
    pub next: Vec<NextCommand>,
}

/// How executions ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Statuses {
    /// `FAILED`.
    pub failed: u64,
    /// `TIMED_OUT`.
    pub timed_out: u64,
    /// `ABORTED`.
    pub aborted: u64,
}

/// What tells that a group was not there before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NewSince {
    /// Executions of the machine before the group's first: none of them is in it.
    pub executions_before: u64,
    /// Executions of the machine from the group's first on.
    pub executions_since: u64,
    /// Those of them that are in the group.
    pub failures_since: u64,
    /// How likely it is not to have seen the group before, had it always been there at this rate.
    pub probability: f64,
}

/// What tells that a group came with a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewInVersion {
    /// The version.
    pub version: String,
    /// When its first execution started.
    pub first_start: Micros,
    /// From then to the start of the group's first execution.
    pub after_ms: Option<f64>,
    /// Its executions.
    pub executions: u64,
    /// Those of them that are in the group.
    pub failures: u64,
    /// Executions of other versions: none of them is in the group.
    pub executions_of_others: u64,
    /// How likely that is, were the version no different.
    pub probability: f64,
}

/// A version of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionCount {
    /// Its number.
    pub version: String,
    /// Its executions in the group.
    pub count: u64,
}

/// A state that waited for a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitedIn {
    /// Its name; null when nothing tells.
    pub state: Option<String>,
    /// Executions in the group that ended there.
    pub count: u64,
}

/// A group of parents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// Its id.
    pub id: String,
    /// ARN of its state machine.
    pub state_machine: Option<String>,
    /// Its executions.
    pub count: u64,
}

/// One execution of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Its ARN.
    pub execution: String,
    /// Its name; empty for a bare history.
    pub name: String,
    /// How it ended.
    pub status: ExecutionStatus,
    /// When it started.
    pub start: Option<Micros>,
    /// When it failed.
    pub failed: Option<Micros>,
    /// The version of the machine, when it was started by version or alias.
    pub version: Option<String>,
    /// The alias, when it was started by one.
    pub alias: Option<String>,
}

/// One group, with everything about it.
#[derive(Debug, Clone, Serialize)]
pub struct FailureGroupReport {
    /// Always [`SCHEMA_GROUP`].
    pub schema: &'static str,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// The bins in which it counts.
    pub timeline: Timeline,
    /// The group.
    pub group: FailureGroup,
    /// Failures of this group word for word, the latest first.
    pub examples: Vec<FailureRecord>,
    /// The same failure where a retry cured it or a Catch took it; null when visits were not looked at.
    pub handled: Option<Handled>,
    /// All of its executions, in the order in which they failed.
    pub members: Vec<Sample>,
}

/// A failure word for word.
#[derive(Debug, Clone, Serialize)]
pub struct FailureRecord {
    /// ARN of the execution in which it happened.
    pub execution: String,
    /// Its name; empty for a bare history.
    pub name: String,
    /// When it happened.
    pub time: Option<Micros>,
    /// Enclosing iterations and branches of the state, outermost first, joined by `/`; empty for none.
    pub scope: String,
    /// The event that records it.
    pub event_id: Option<u64>,
    /// Error name.
    pub error: Option<String>,
    /// The cause, as the service gave it.
    pub cause: Option<String>,
    /// What the cause says once decoded.
    pub decoded: Option<DecodedCause>,
    /// How sure the naming of the state is: `certain`, `likely`, `guess`.
    pub confidence: String,
}

/// Failures in the same state with the same error that did not end their execution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Handled {
    /// Visits in which a retry succeeded.
    pub cured_by_retry: u64,
    /// Visits that a Catch left, in executions that did not fail.
    pub caught: u64,
}
