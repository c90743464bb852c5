//! Map Runs and their child executions, as DescribeMapRun, ListExecutions and the files of a ResultWriter tell of them.

use serde::Serialize;

use super::{ExecutionStatus, Timestamp};

/// How far the items, or the child executions, of a Map Run are. With an ItemBatcher a child has several items, and the two differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MapRunCounts {
    /// Not started yet, or never.
    pub pending: u64,
    /// Started and not ended.
    pub running: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Failed of themselves.
    pub failed: u64,
    /// Ran out of time.
    pub timed_out: u64,
    /// Stopped: by somebody, or because the Map Run failed.
    pub aborted: u64,
    /// All of them.
    pub total: u64,
    /// Those whose results the ResultWriter has written.
    pub results_written: u64,
}

impl MapRunCounts {
    /// Those that count against what is tolerated: an aborted child has not failed.
    pub fn failed_or_timed_out(&self) -> u64 {
        self.failed.saturating_add(self.timed_out)
    }

    /// Adds so many that stand so; `None` for those that were never started.
    pub fn add(&mut self, status: Option<ExecutionStatus>, count: u64) {
        let field = match status {
            None => &mut self.pending,
            // It failed once and waits to run again.
            Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive) => &mut self.running,
            Some(ExecutionStatus::Succeeded) => &mut self.succeeded,
            Some(ExecutionStatus::Failed) => &mut self.failed,
            Some(ExecutionStatus::TimedOut) => &mut self.timed_out,
            Some(ExecutionStatus::Aborted) => &mut self.aborted,
        };
        *field = field.saturating_add(count);
        self.total = self.total.saturating_add(count);
    }
}

/// What DescribeMapRun says.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the service")]
pub struct MapRun {
    pub arn: String,
    /// The execution whose Map it is.
    pub execution: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED` or `ABORTED`.
    pub status: String,
    pub start: Option<Timestamp>,
    pub stop: Option<Timestamp>,
    /// 0 for no limit.
    pub max_concurrency: u64,
    /// Of 100.
    pub tolerated_failure_percentage: f64,
    pub tolerated_failure_count: u64,
    pub items: MapRunCounts,
    pub executions: MapRunCounts,
    /// Children that a redrive would not run again; `None` where the service does not say.
    pub failures_not_redrivable: Option<u64>,
    pub redrive_count: u64,
    pub redrive: Option<Timestamp>,
}

/// A child execution of a Map Run, or what would have been one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapChild {
    /// Its ARN; empty where nothing names it.
    pub arn: String,
    /// How it ended; `None` when it was never started.
    pub status: Option<ExecutionStatus>,
    /// When it was started.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub stop: Option<Timestamp>,
    /// Its input as JSON text, where it is whole.
    pub input: Option<String>,
    /// Error name.
    pub error: Option<String>,
    /// The cause, as the service gave it.
    pub cause: Option<String>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// Whether it can be redriven, in the service's word, and why not.
    pub redrive: Option<(String, Option<String>)>,
}

/// The parts of a Map Run's ARN: `arn:<partition>:states:<region>:<account>:mapRun:<machine>/<label>:<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapRunName<'a> {
    /// Such as `eu-west-1`.
    pub region: &'a str,
    /// The state machine's name.
    pub machine: &'a str,
    /// The label of the Map: of its own, or one that the service made up.
    pub label: &'a str,
    /// What tells it from other runs of the same Map; the ResultWriter's folder has this name.
    pub id: &'a str,
}

impl<'a> MapRunName<'a> {
    /// Takes an ARN apart; `None` when it is none of a Map Run.
    pub fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(7, ':');
        let head = [parts.next()?, parts.next()?, parts.next()?];
        let (region, _account, kind, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if head[0] != "arn" || head[2] != "states" || kind != "mapRun" || rest.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return None;
        }
        let (name, id) = rest.rsplit_once(':')?;
        let (machine, label) = name.split_once('/')?;
        let is_whole = [machine, label, id].iter().all(|part| !part.is_empty());
        is_whole.then_some(Self { region, machine, label, id })
    }

    /// The ARN of the state machine in which the Map is, by the ARN of its run.
    pub fn state_machine_of(arn: &'a str) -> Option<String> {
        let name = Self::parse(arn)?;
        let (head, _) = arn.split_once(":mapRun:")?;
        Some(format!("{head}:stateMachine:{}", name.machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_map_run_names_machine_label_and_run() {
        let name = MapRunName::parse("arn:aws:states:eu-west-1:111111111111:mapRun:Orders/Each:5b0f").expect("a Map Run");
        assert_eq!((name.region, name.machine, name.label, name.id), ("eu-west-1", "Orders", "Each", "5b0f"));
        let machine = MapRunName::state_machine_of("arn:aws:states:eu-west-1:111111111111:mapRun:Orders/Each:5b0f");
        assert_eq!(machine.as_deref(), Some("arn:aws:states:eu-west-1:111111111111:stateMachine:Orders"));
        for other in [
            "arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:5b0f",
            "arn:aws:states:eu-west-1:111111111111:mapRun:Orders:5b0f",
            "arn:aws:states:eu-west-1:111111111111:mapRun:Orders/Each:",
            "arn:aws:states:eu-west-1:111111111111:mapRun:Orders/E ch:5",
            "mapRun:Orders/Each:5b0f",
        ] {
            assert_eq!(MapRunName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_was_stopped_has_not_failed() {
        let mut counts = MapRunCounts::default();
        for (status, count) in
            [(Some(ExecutionStatus::Failed), 2), (Some(ExecutionStatus::TimedOut), 1), (Some(ExecutionStatus::Aborted), 4), (None, 8)]
        {
            counts.add(status, count);
        }
        assert_eq!((counts.failed_or_timed_out(), counts.pending, counts.total), (3, 8, 15));
    }
}
