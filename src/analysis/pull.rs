//! What came of pulling executions from AWS into a store, and what was not looked at.

use serde::Serialize;

use super::pull_logs::MachineLogs;
use crate::model::Timestamp;
use crate::model::facts::WorkflowType;

/// The schema of [`PullReport`].
pub const SCHEMA: &str = "stepscope.pull/1";

/// What was asked of AWS, what the store has of it now, and what is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PullReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The store's folder.
    pub store: String,
    /// Whether somebody stopped it; the same command goes on where it was.
    pub is_interrupted: bool,
    /// Of all accounts and regions together.
    pub executions: PullCounts,
    /// Each account and region that was asked, in the order in which they were given.
    pub places: Vec<Place>,
    /// What was not looked at, and why.
    pub not_looked_at: Vec<NotLookedAt>,
    /// Calls that were made, all tries of them.
    pub calls: u64,
    /// How many of them the service throttled.
    pub throttled: u64,
    /// Histories that were fetched and wait for the next pull: they are not in the tables yet.
    pub waiting: u64,
    /// Batches that were written.
    pub batches: u64,
    /// Bytes of their files.
    pub bytes_out: u64,
    /// Batches of the store that could not be read, in words: their executions count as not stored.
    pub damaged: Vec<String>,
    /// How long it took.
    pub duration_ms: u64,
}

/// Executions by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PullCounts {
    /// That were listed, in the window and with a status that was asked for.
    pub listed: u64,
    /// That the store did not have.
    pub new: u64,
    /// That the store had less complete.
    pub replaced: u64,
    /// That were fetched again, and are as the store had them: they still run.
    pub unchanged: u64,
    /// That were not fetched since the store has them as they are.
    pub already_stored: u64,
    /// That `--sample` left out.
    pub left_out_by_sample: u64,
    /// That `--limit` left out.
    pub left_out_by_limit: u64,
    /// That were to be fetched and are not stored.
    pub missing: u64,
}

impl PullCounts {
    /// Adds those of another machine or place.
    pub fn add(&mut self, other: &Self) {
        self.listed += other.listed;
        self.new += other.new;
        self.replaced += other.replaced;
        self.unchanged += other.unchanged;
        self.already_stored += other.already_stored;
        self.left_out_by_sample += other.left_out_by_sample;
        self.left_out_by_limit += other.left_out_by_limit;
        self.missing += other.missing;
    }
}

/// An account and region, under one profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// The profile that was named.
    pub profile: Option<String>,
    /// The region; `None` where none was found.
    pub region: Option<String>,
    /// The account; `None` where nothing told it.
    pub account: Option<String>,
    /// How it ended.
    pub outcome: PlaceOutcome,
    /// The first moment of the window.
    pub since: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// When the pull began that this one took up; `None` for one that began anew.
    pub resumed_from: Option<Timestamp>,
    /// Its executions.
    pub executions: PullCounts,
    /// Its state machines that were selected, by their ARNs.
    pub machines: Vec<PulledMachine>,
    /// What came of the logs of those whose logs were read, or were to be read, by their ARNs.
    pub logs: Vec<MachineLogs>,
    /// Calls by action.
    pub calls: Vec<ActionCalls>,
}

/// How the work on an account and region ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceOutcome {
    /// Everything was asked.
    Done,
    /// Somebody stopped the program.
    Interrupted,
    /// It broke off: credentials ran out, or it stopped answering. The same command goes on where it was.
    BrokeOff,
    /// Nothing could be asked.
    Failed,
    /// Another profile leads to the same account and region.
    SameAccount,
    /// Another process pulls this account and region into the same store.
    Claimed,
}

impl PlaceOutcome {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Done, Self::Interrupted, Self::BrokeOff, Self::Failed, Self::SameAccount, Self::Claimed];
}

/// A state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PulledMachine {
    /// Its ARN.
    pub state_machine: String,
    /// `None` for a word that is new to us, or where nothing told.
    pub workflow_type: Option<WorkflowType>,
    /// Its executions.
    #[serde(flatten)]
    pub executions: PullCounts,
}

/// Calls of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionCalls {
    /// As permissions name it, such as `states:GetExecutionHistory`.
    pub action: String,
    /// All tries.
    pub calls: u64,
    /// Those that the service throttled.
    pub throttled: u64,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotLookedAt {
    /// What.
    pub what: Missing,
    /// The profile that was named.
    pub profile: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The state machine that it is about; `None` for the whole region.
    pub state_machine: Option<String>,
    /// How many executions, where that is known.
    pub executions: Option<u64>,
    /// The ARN of one of them.
    pub example: Option<String>,
    /// Why, and what to do about it.
    pub reason: String,
}

/// What was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A whole account and region.
    Place,
    /// The tags of a state machine.
    Tags,
    /// The list of a state machine's executions, or the rest of it.
    Listing,
    /// Executions of an Express machine: the API has no histories of them.
    Express,
    /// Histories that were listed and can't be had any more.
    Gone,
    /// Histories that could not be fetched.
    Histories,
    /// The rest of histories that broke off.
    Rest,
    /// The definition that executions ran with.
    Definition,
    /// Log records, or some of them.
    Logs,
    /// Executions that left nothing, since their state machine does not log.
    NotLogged,
}

impl Missing {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Place,
        Self::Tags,
        Self::Listing,
        Self::Express,
        Self::Gone,
        Self::Histories,
        Self::Rest,
        Self::Definition,
        Self::Logs,
        Self::NotLogged,
    ];

    /// Whether the pull is as good as it can be without it: nobody failed to fetch it.
    pub fn is_expected(self) -> bool {
        matches!(self, Self::Express | Self::NotLogged)
    }
}
