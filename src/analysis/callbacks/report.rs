//! The answer to `callbacks`, as `docs/json.md` fixes it: fields are added, never renamed.

use serde::Serialize;

use super::limits::DeadlineBy;
use super::survival::Step;
use super::waits::WaitsFor;
use crate::analysis::finding::{Common, NotEnough};
use crate::analysis::fleet::Coverage;
use crate::analysis::pattern;
use crate::model::Micros;

/// The schema of [`CallbacksReport`].
pub const SCHEMA: &str = "stepscope.callbacks/1";
/// The schema of a line that is a [`StuckCallback`].
pub const SCHEMA_ROW: &str = "stepscope.callbacks.row/1";

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct CallbacksReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The moment it looks from.
    pub now: Option<Micros>,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// Waits that nobody will end.
    pub findings: Vec<StuckCallback>,
    /// Every open wait, the worst first.
    pub waiting: Vec<Waiting>,
    /// Open waits that `--limit` left out of `waiting`.
    pub waiting_left_out: u64,
    /// The states in which something waits or waited.
    pub classes: Vec<WaitClass>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}

/// Whether an answer still comes; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No answer comes any more.
    Stuck,
    /// Longer than healthy waits usually take, and not so long that it must be lost.
    Late,
    /// Too little is known of such waits.
    Unknown,
    /// As healthy waits are.
    Normal,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stuck, Self::Late, Self::Unknown, Self::Normal];

    /// As JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Normal => "normal",
        }
    }
}

/// A wait that nobody will end.
#[derive(Debug, Clone, Serialize)]
pub struct StuckCallback {
    /// Always `stuck_callback`.
    pub kind: &'static str,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// ARN of the execution.
    pub execution: String,
    /// When the wait began.
    pub since: Micros,
    /// What all findings have.
    #[serde(flatten)]
    pub common: Common,
    /// What can be checked by hand.
    pub evidence: WaitEvidence,
}

/// What can be checked by hand.
#[derive(Debug, Clone, Serialize)]
pub struct WaitEvidence {
    /// How long it has waited.
    pub age_ms: f64,
    /// How long by the hours in which answers come; null where all hours count.
    pub working_age_ms: Option<f64>,
    /// Who has to answer.
    pub waits_for: WaitsFor,
    /// What was called.
    pub resource: Option<String>,
    /// The event that scheduled it.
    pub scheduled_event_id: Option<u64>,
    /// Answered waits of the state.
    pub answered: u64,
    /// Open waits of the state.
    pub open: u64,
    /// Of them, how many are stuck.
    pub stuck: u64,
    /// When the first of the stuck ones began.
    pub stuck_since: Micros,
    /// Half of the waits were answered by then.
    pub median_ms: Option<f64>,
    /// 95 % of the waits were answered by then; null where that many were not.
    pub p95_ms: Option<f64>,
    /// 99 % of the waits were answered by then; null where that many were not.
    pub p99_ms: Option<f64>,
    /// The longest answered wait.
    pub longest_ms: Option<f64>,
    /// From which age on a wait is stuck, by the clock of the class.
    pub limit_ms: Option<f64>,
    /// The null hypothesis: this is a healthy wait, and this is the share of those that lasts longer.
    pub survival: Option<f64>,
    /// The probability that an answer still comes.
    pub answer_probability: Option<f64>,
    /// How many healthy waits as old as this there should be.
    pub expected_as_old: Option<f64>,
    /// Since when nothing was answered, where answers have stopped.
    pub stopped: Option<Stopped>,
    /// When it ends at the latest; null where nothing tells.
    pub deadline: Option<Micros>,
    /// What ends it then.
    pub deadline_by: Option<DeadlineBy>,
    /// The state's `TimeoutSeconds`.
    pub timeout_seconds: Option<u64>,
    /// The state's `HeartbeatSeconds`.
    pub heartbeat_seconds: Option<u64>,
    /// Why it is judged so, in sentences.
    pub grounds: Vec<String>,
}

/// Answers that have stopped.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Stopped {
    /// The last answer.
    pub since: Micros,
    /// How many answers were due since then.
    pub due: f64,
    /// The chance that none comes though so many are due.
    pub chance: f64,
}

/// One open wait.
#[derive(Debug, Clone, Serialize)]
pub struct Waiting {
    /// Whether an answer still comes.
    pub verdict: Verdict,
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// ARN of the execution.
    pub execution: String,
    /// Who has to answer.
    pub waits_for: WaitsFor,
    /// What was called.
    pub resource: Option<String>,
    /// When the wait began.
    pub since: Micros,
    /// How long it has waited.
    pub age_ms: f64,
    /// How long by the hours in which answers come; null where all hours count.
    pub working_age_ms: Option<f64>,
    /// The share of healthy waits that lasts longer; null where it is not known.
    pub survival: Option<f64>,
    /// The probability that an answer still comes; null where it is not known.
    pub answer_probability: Option<f64>,
    /// How many healthy waits as old as this there should be; null where it is not known.
    pub expected_as_old: Option<f64>,
    /// When it ends at the latest; null where nothing tells.
    pub deadline: Option<Micros>,
    /// What ends it then.
    pub deadline_by: Option<DeadlineBy>,
    /// The state's `TimeoutSeconds`.
    pub timeout_seconds: Option<u64>,
    /// The state's `HeartbeatSeconds`.
    pub heartbeat_seconds: Option<u64>,
    /// The machine's `TimeoutSeconds`, where the definition is known.
    pub machine_timeout_seconds: Option<u64>,
    /// The event that scheduled it.
    pub scheduled_event_id: Option<u64>,
    /// Which attempt of its visit, from 1.
    pub attempt: u32,
    /// How often the execution was redriven before it.
    pub redrive: u32,
    /// ARN of the child execution that it waits for.
    pub child: Option<String>,
    /// What is known of the child: `not_read`, a status, or the verdict of what it waits for.
    pub child_verdict: Option<String>,
    /// The worker that took it; null unless histories were looked at again.
    pub worker: Option<String>,
    /// Other open waits of the state.
    pub others: u64,
    /// Whether the execution was not read whole.
    pub incomplete: bool,
    /// Why it is judged so, in sentences.
    pub grounds: Vec<String>,
    /// The command that would release it; none is run by the program.
    pub release: String,
}

/// The waits of a state.
#[derive(Debug, Clone, Serialize)]
pub struct WaitClass {
    /// ARN of the state machine; null when nothing names it.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// Who has to answer.
    pub waits_for: WaitsFor,
    /// What is called.
    pub resource: Option<String>,
    /// How many were answered.
    pub answered: u64,
    /// How many ended without an answer: by a time limit, a stop, a sibling.
    pub unanswered: u64,
    /// How many are open.
    pub open: u64,
    /// Of them stuck.
    pub stuck: u64,
    /// Of them late.
    pub late: u64,
    /// Of them such as cannot be judged.
    pub unknown: u64,
    /// When the first of the stuck ones began.
    pub stuck_since: Option<Micros>,
    /// The last answer.
    pub last_answer: Option<Micros>,
    /// Half of the waits were answered by then; by Kaplan and Meier, as the two after it.
    pub median_ms: Option<f64>,
    /// 95 % of the waits were answered by then; null where that many were not.
    pub p95_ms: Option<f64>,
    /// 99 % of the waits were answered by then; null where that many were not.
    pub p99_ms: Option<f64>,
    /// The longest answered wait.
    pub longest_ms: Option<f64>,
    /// The share that had no answer at the right end of the curve.
    pub plateau: Option<Plateau>,
    /// The share of waits that is never answered, by the law that was fitted; null for too few.
    pub lost_share: Option<f64>,
    /// From which age on a wait is stuck; by working hours where those are used; null for too few.
    pub limit_ms: Option<f64>,
    /// The hours in which answers come; null where all hours count.
    pub working_hours: Option<WorkingHours>,
    /// The law that was fitted, one part or a fast and a slow one.
    pub law: Vec<LawPart>,
    /// Answers that have stopped.
    pub stopped: Option<Stopped>,
    /// Earlier times in which answers had stopped: what waited then is left out of what is normal.
    pub earlier_stops: Vec<Between>,
    /// The curve of Kaplan and Meier, thinned to 60 steps at most.
    pub curve: Vec<Step>,
}

/// The right end of the curve.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Plateau {
    /// The share that had no answer.
    pub share: f64,
    /// Lower bound, 95 %.
    pub low: f64,
    /// Upper bound, 95 %.
    pub high: f64,
}

/// The hours in which answers come.
#[derive(Debug, Clone, Serialize)]
pub struct WorkingHours {
    /// In words, UTC.
    pub text: String,
    /// Weight of each hour of the day in UTC: a usual open one has 1, a closed one 0.
    pub weights: Vec<f64>,
    /// Whether weekends are closed.
    pub weekends_closed: bool,
    /// The statistic that told the hours apart, with 23 degrees of freedom.
    pub chi_square: f64,
}

/// A lognormal part of a law.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LawPart {
    /// Its share of the answered waits.
    pub share: f64,
    /// Its median, by the clock of the class.
    pub median_ms: f64,
    /// Standard deviation of the logarithms.
    pub sigma: f64,
}

/// A time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Between {
    /// Its beginning.
    pub from: Micros,
    /// Its end.
    pub to: Micros,
}

/// Which waits are shown.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// States by name or pattern; empty for all.
    pub states: Vec<String>,
    /// Verdicts; empty for all.
    pub verdicts: Vec<Verdict>,
    /// ARNs or names of executions; empty for all.
    pub executions: Vec<String>,
    /// At most so many rows of `waiting`.
    pub limit: Option<usize>,
}

impl CallbacksReport {
    /// Leaves out what is not to be shown.
    pub fn narrow(&mut self, shown: &Shown) {
        let has_state = |state: &str| shown.states.is_empty() || shown.states.iter().any(|pattern| pattern::matches(pattern, state));
        let has_execution = |arn: &str| {
            let is_it = |wanted: &String| arn == wanted || arn.strip_suffix(wanted.as_str()).is_some_and(|before| before.ends_with(':'));
            shown.executions.is_empty() || shown.executions.iter().any(is_it)
        };
        let has_verdict = |verdict: Verdict| shown.verdicts.is_empty() || shown.verdicts.contains(&verdict);
        self.findings.retain(|finding| has_state(&finding.state) && has_execution(&finding.execution) && has_verdict(Verdict::Stuck));
        self.waiting.retain(|waiting| has_state(&waiting.state) && has_execution(&waiting.execution) && has_verdict(waiting.verdict));
        let waiting = &self.waiting;
        let is_waiting =
            |row: &WaitClass| waiting.iter().any(|waiting| (&waiting.state_machine, &waiting.state) == (&row.state_machine, &row.state));
        let is_narrow = !shown.executions.is_empty() || !shown.verdicts.is_empty();
        self.classes.retain(|row| has_state(&row.state) && (!is_narrow || is_waiting(row)));
        self.not_enough.retain(|lack| lack.state.as_deref().is_none_or(has_state));
        if let Some(limit) = shown.limit {
            self.waiting_left_out = self.waiting.len().saturating_sub(limit) as u64;
            self.waiting.truncate(limit);
        }
    }
}
