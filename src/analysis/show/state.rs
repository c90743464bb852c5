//! Every visit of one state, with what went in and what came out.

use serde::Serialize;

use crate::analysis::why::{ExecutionSummary, Incomplete};
use crate::model::path::{EventIndex, Visit};
use crate::model::{Details, ExecutionPath, History, Payload};

use super::{VisitReport, visits};
use crate::analysis::execution::{incomplete, summary};

/// The schema of [`StateReport`].
pub const SCHEMA: &str = "stepscope.show.state/1";

/// Every visit of one state.
#[derive(Debug, Clone, Serialize)]
pub struct StateReport {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// Which execution.
    pub execution: ExecutionSummary,
    /// The state.
    pub state: String,
    /// In the order in which they were entered.
    pub visits: Vec<StateVisit>,
    /// What the answer does not rest on, because it is missing.
    pub incomplete: Vec<Incomplete>,
}

/// One visit, with its payloads.
#[derive(Debug, Clone, Serialize)]
pub struct StateVisit {
    /// The visit itself.
    #[serde(flatten)]
    pub visit: VisitReport,
    /// What the state received: JSON text.
    pub input: Option<String>,
    /// What the state gave: JSON text.
    pub output: Option<String>,
    /// Variables that it assigned: name and JSON text.
    pub assigned_variables: Vec<(String, String)>,
    /// The payloads of its attempts, in the order of `attempts`.
    pub attempt_payloads: Vec<AttemptPayloads>,
}

/// What one attempt received and gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptPayloads {
    /// From 1.
    pub number: u32,
    /// What the task really received, after Parameters or Arguments: JSON text.
    pub effective_input: Option<String>,
    /// What the first call of `.sync` or `.waitForTaskToken` answered: JSON text.
    pub submitted: Option<String>,
    /// What the task gave, before ResultSelector or Output: JSON text.
    pub result: Option<String>,
}

/// Tells of every visit of a state; no visits when the execution never came there.
pub fn state(history: &History, path: &ExecutionPath, name: &str) -> StateReport {
    let clock = visits::Clock::new(history);
    let reports = visits::visits(history, path, &clock);
    let named = path.visits.iter().zip(reports).filter(|(_, report)| report.state.as_deref() == Some(name));
    StateReport {
        schema: SCHEMA,
        execution: summary(history, path),
        state: name.to_owned(),
        visits: named.map(|(visit, report)| with_payloads(history, visit, report)).collect(),
        incomplete: incomplete(history, path),
    }
}

fn with_payloads(history: &History, visit: &Visit, report: VisitReport) -> StateVisit {
    let event = |index: Option<EventIndex>| history.events.get(index?);
    let text = |payload: &Payload| payload.text.decode().into_owned();
    let exited = event(visit.exited).map(|event| &event.details);
    let assigned_variables = match exited {
        Some(Details::StateExited(exited)) => exited.assigned_variables.iter().flat_map(|assigned| &assigned.values).collect(),
        _ => Vec::new(),
    };
    StateVisit {
        input: event(visit.entered).and_then(|event| event.input()).map(text),
        output: event(visit.exited).and_then(|event| event.output()).map(text),
        assigned_variables: assigned_variables.into_iter().map(|(name, value)| (name.clone(), value.decode().into_owned())).collect(),
        attempt_payloads: visit
            .attempts
            .iter()
            .map(|attempt| AttemptPayloads {
                number: attempt.number,
                effective_input: event(attempt.scheduled).and_then(|event| event.input()).map(text),
                submitted: event(attempt.submitted).and_then(|event| event.output()).map(text),
                result: event(attempt.ended).and_then(|event| event.output()).map(text),
            })
            .collect(),
        visit: report,
    }
}
