//! A history as it is at a moment: what comes later has not happened.

use crate::model::{ExecutionStatus, History, Timestamp};

/// The history at `now`; `None` when the execution has not started.
pub(super) fn at(mut history: History, now: Timestamp) -> Option<History> {
    if history.header.start? > now {
        return None;
    }
    history.events.retain(|event| event.timestamp.is_none_or(|at| at <= now));
    let header = &mut history.header;
    if header.stop.is_none_or(|stop| stop > now) {
        header.status = Some(ExecutionStatus::Running);
        (header.stop, header.output, header.error, header.cause) = (None, None, None, None);
    }
    Some(history)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::builder::{history, seconds};

    fn told() -> History {
        let mut told = history("Orders");
        told.enter_task("Call", json!({})).taking(seconds(10)).attempt_succeeded(json!({})).exit(json!({}));
        told.execution_succeeded(json!({})).build()
    }

    #[test]
    fn an_execution_that_goes_on_after_now_runs() {
        let whole = told();
        let (start, stop) = (whole.header.start.expect("a start"), whole.header.stop.expect("an end"));
        let early = at(whole.clone(), start.checked_add(seconds(5)).expect("a moment")).expect("it started");
        assert_eq!((early.header.status, early.header.stop, early.header.output), (Some(ExecutionStatus::Running), None, None));
        assert!(early.events.len() < whole.events.len() && !early.events.is_empty());
        let late = at(whole.clone(), stop).expect("it started");
        assert_eq!((late.header.status, late.events.len()), (Some(ExecutionStatus::Succeeded), whole.events.len()));
        assert!(at(whole, start.checked_sub(seconds(1)).expect("a moment")).is_none());
    }
}
