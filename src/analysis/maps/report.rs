//! The answer to `maps`, as `docs/json.md` fixes it: fields are added, never renamed.
//!
//! Everything here is raw: masking of secrets and escaping are the renderer's work.

use serde::Serialize;

pub use super::concurrency::Concurrency;
use crate::analysis::failures::Statuses;
use crate::analysis::why::NextCommand;
use crate::model::{ExecutionStatus, MapRunCounts, Timestamp};

/// The schema of [`MapsReport`].
pub const SCHEMA: &str = "stepscope.maps/1";

/// The schema of a [`MapRunReport`] on a line of its own.
pub const SCHEMA_RUN: &str = "stepscope.maps.run/1";

/// What became of Map Runs.
#[derive(Debug, Clone, Serialize)]
pub struct MapsReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The runs, in the order in which they started.
    pub runs: Vec<MapRunReport>,
    /// Files of inputs that were written.
    pub written: Vec<WrittenInputs>,
}

/// One Map Run.
#[derive(Debug, Clone, Serialize)]
pub struct MapRunReport {
    /// ARN of the Map Run; null where nothing names it.
    pub map_run: Option<String>,
    /// ARN of the state machine.
    pub state_machine: Option<String>,
    /// The label of the Map.
    pub label: Option<String>,
    /// The Map's state; null where its execution was not read.
    pub state: Option<String>,
    /// ARN of the execution whose Map it is.
    pub execution: Option<String>,
    /// `RUNNING`, `SUCCEEDED`, `FAILED` or `ABORTED`; null where nothing tells.
    pub status: Option<String>,
    /// The error with which it failed.
    pub error: Option<String>,
    /// The cause with which it failed.
    pub cause: Option<String>,
    /// When it started, or its first child did.
    pub start: Option<Timestamp>,
    /// When it ended, or the last child known did; null while it runs.
    pub stop: Option<Timestamp>,
    /// From start to end.
    pub duration_ms: Option<i64>,
    /// Who counted: `service`, `files`, `children`.
    pub counted_by: &'static str,
    /// The items.
    pub items: MapRunCounts,
    /// The child executions.
    pub executions: MapRunCounts,
    /// Whether children have several items (ItemBatcher).
    pub batched: bool,
    /// Items that were done with in each second.
    pub items_per_second: Option<f64>,
    /// What failures the Map tolerates, and whether there were more.
    pub tolerance: Tolerance,
    /// How many children ran at once; null where no start is known.
    pub concurrency: Option<Concurrency>,
    /// Whether and how often it was redriven.
    pub redrive: Redrive,
    /// What the ResultWriter left; null where none is known.
    pub results: Option<Results>,
    /// What did not succeed, by cause: failed, timed out, stopped; the most frequent first.
    pub groups: Vec<ItemGroup>,
    /// Groups that are not among them.
    pub groups_left_out: u64,
    /// Unsuccessful children whose error was not looked at.
    pub unexplained: u64,
    /// The children that took longest, the slowest first.
    pub slowest: Vec<SlowChild>,
    /// What the answer does not rest on, because it is missing.
    pub incomplete: Vec<NotKnown>,
    /// Commands to run next; none is run by the program.
    pub next: Vec<NextCommand>,
}

/// What failures a Map tolerates. An item has failed when its child failed or timed out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tolerance {
    /// `ToleratedFailureCount`; null where it is not known or not set.
    pub count: Option<u64>,
    /// `ToleratedFailurePercentage`; null where it is not known or not set.
    pub percentage: Option<f64>,
    /// Items that failed.
    pub failed_items: u64,
    /// Of all items, of 100; null where all are not known.
    pub failed_percentage: Option<f64>,
    /// Whether more failed than is tolerated; null where the limit is not known.
    pub exceeded: Option<bool>,
    /// The child whose failure was one too many.
    pub broken_by: Option<String>,
    /// When that was.
    pub broken_at: Option<Timestamp>,
}

/// Redrives of a Map Run: they run its failed, stopped and pending children again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Redrive {
    /// How often it was redriven.
    pub count: u64,
    /// When last.
    pub last: Option<Timestamp>,
    /// Whether its execution can be redriven, in the service's word; null where it was not asked.
    pub status: Option<String>,
    /// The service's reason.
    pub reason: Option<String>,
    /// Children that a redrive would not run again.
    pub children_not_redrivable: Option<u64>,
}

/// What the ResultWriter left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Results {
    /// The manifest, or the folder of the files.
    pub location: String,
    /// The files, as far as they were looked at.
    pub files: Vec<ResultFileReport>,
    /// Whether there is a manifest, so that a missing file would be noticed.
    pub has_manifest: bool,
}

impl Results {
    /// Whether every record was read.
    pub(super) fn is_whole(&self) -> bool {
        self.has_manifest && self.files.iter().all(|file| file.broke_off.is_none() && file.damaged == 0 && file.was_read)
    }
}

/// A file of results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ResultFileReport {
    /// Where it is.
    pub file: String,
    /// `SUCCEEDED`, `FAILED`, `PENDING`.
    pub group: &'static str,
    /// Its bytes, as the manifest has them.
    pub bytes: Option<u64>,
    /// Whether it was looked at.
    pub was_read: bool,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Records and outputs that were read.
    pub elements: u64,
    /// Elements that could not be read.
    pub damaged: u64,
    /// Why the rest was not read.
    pub broke_off: Option<String>,
}

/// Children of a Map Run that did not succeed for the same cause.
#[derive(Debug, Clone, Serialize)]
pub struct ItemGroup {
    /// The fingerprint, by the rules of `failures`.
    pub id: String,
    /// The state of the root cause, where the children's histories were read.
    pub state: Option<String>,
    /// The error; null when none was given.
    pub error: Option<String>,
    /// The cause, with everything taken out that varies; empty for none.
    pub message: String,
    /// Children.
    pub count: u64,
    /// Items of those children.
    pub items: u64,
    /// How they ended.
    pub statuses: Statuses,
    /// Of all children that did not succeed and whose error is known, how large a part; from 0 to 1.
    pub share: f64,
    /// When the first of them ended.
    pub first: Option<Timestamp>,
    /// When the last of them ended.
    pub last: Option<Timestamp>,
    /// Some of them, the latest first.
    pub samples: Vec<ItemSample>,
    /// What the histories of some of them say.
    pub explained: Vec<ExplainedChild>,
    /// Fingerprints that differ in one free value, and were put together.
    pub merged_from: Vec<String>,
}

/// A child execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemSample {
    /// Its ARN.
    pub execution: String,
    /// How it ended.
    pub status: Option<ExecutionStatus>,
    /// When it ended.
    pub stop: Option<Timestamp>,
    /// Its input: JSON text; null where it is not known or larger than 16 KiB.
    pub input: Option<String>,
    /// Its cause, word for word.
    pub cause: Option<String>,
}

/// Why a child failed, by its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedChild {
    /// Its ARN.
    pub execution: String,
    /// The state of the root cause; null when nothing tells.
    pub state: Option<String>,
    /// Its error.
    pub error: Option<String>,
    /// What its cause says.
    pub message: Option<String>,
    /// The kind of the root cause, as `why` has it.
    pub kind: &'static str,
    /// How sure that is: `certain`, `likely`, `guess`.
    pub confidence: &'static str,
}

/// A child that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowChild {
    /// Its ARN.
    pub execution: String,
    /// How it ended.
    pub status: Option<ExecutionStatus>,
    /// When it started.
    pub start: Timestamp,
    /// How long it took.
    pub duration_ms: i64,
    /// Its input: JSON text; null where it is not known or larger than 16 KiB.
    pub input: Option<String>,
}

/// Inputs that were written to a file, to be run again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WrittenInputs {
    /// The file.
    pub file: String,
    /// Of which children: `failed` (also timed out and stopped), `pending`.
    pub of: &'static str,
    /// Items in it.
    pub items: u64,
    /// Children whose items these are.
    pub children: u64,
    /// Children of which several items were unfolded.
    pub unfolded: u64,
    /// ARNs of children whose input is not there; not in the file.
    pub without_input: Vec<String>,
    /// How many there are.
    pub without_input_count: u64,
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotKnown {
    /// A short name that scripts may rely on.
    pub id: Lack,
    /// A sentence without a full stop.
    pub text: String,
}

/// What is not known of a Map Run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// The execution whose Map it is.
    ExecutionNotRead,
    /// All of the children.
    ChildrenNotRead,
    /// Children other than those that were read.
    ChildrenRead,
    /// The files of the ResultWriter.
    ResultsNotRead,
    /// The rest of a file.
    ResultsBroken,
    /// Elements of a file.
    ResultsDamaged,
    /// A file has another size than its manifest says.
    ResultsSize,
    /// Whether all files are there.
    NoManifest,
    /// Files that were not asked for.
    SucceededNotRead,
    /// When children ran whose outputs stand in place of records.
    OutputsOnly,
    /// Which of two counts is right.
    CountsDiffer,
    /// What became of items of which no child was read.
    ItemsWithoutChild,
    /// Children that were not listed.
    ChildrenNotListed,
    /// Errors of children that were not asked for.
    ChildrenNotDescribed,
    /// Histories of children.
    ChildNotRead,
    /// Inputs of items that were never started.
    PendingInputsNotKnown,
}
