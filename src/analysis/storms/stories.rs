//! Storms for tests: stories of executions, and what of them is a storm.

use bumpalo::Bump;
use serde_json::{Value, json};

use super::{Retry, Seen, Spread};
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::fleet::Question;
use crate::analysis::observed::{Gather, Observed};
use crate::model::builder::{history, milliseconds, seconds};
use crate::model::{History, Micros, Timestamp};
use crate::rebuild::rebuild;

/// What was observed of executions.
pub(super) fn observed(histories: &[History]) -> Observed {
    let mut gather = Gather::new();
    for history in histories {
        let path = rebuild(history, None);
        let arena = Bump::new();
        gather.take(&extract(Rebuilt { history, path: &path, definition: None }, gather.needs(), &arena));
    }
    gather.finish()
}

/// All retries of a state as one storm.
pub(super) fn everything(observed: &Observed, state: &str, spread: Spread) -> Seen {
    let class = observed.classes.iter().position(|class| observed.text(class.state) == state).expect("the state");
    let attempts = &observed.classes[class].attempts;
    let retry = |(position, attempt): (usize, &crate::analysis::observed::Attempt)| {
        let wait = attempt.wait_before.filter(|_| attempt.is_retry())?;
        let scheduled = attempt.scheduled?;
        let failed = Micros(scheduled.0 - wait);
        let cause = attempts.iter().position(|before| {
            let same = before.execution == attempt.execution && before.parent_visit == attempt.parent_visit;
            same && before.has_failed() && before.scheduled < attempt.scheduled && before.ended.is_some_and(|ended| ended >= failed)
        });
        let error = cause.and_then(|cause| attempts[cause].error);
        let number = if attempt.by_hand { attempt.round } else { attempt.number - 1 };
        Some(Retry { attempt: position, cause, failed, scheduled, wait, number, error, by_hand: attempt.by_hand })
    };
    let retries: Vec<Retry> = attempts.iter().enumerate().filter_map(retry).collect();
    let mut cohort: Vec<u32> = retries.iter().map(|retry| attempts[retry.attempt].execution).collect();
    cohort.sort_unstable();
    cohort.dedup();
    Seen {
        class,
        from: retries.iter().map(|retry| retry.failed).min().expect("a retry"),
        to: retries.iter().map(|retry| retry.scheduled).max().expect("a retry"),
        waves: Vec::new(),
        cohort,
        late: Vec::new(),
        retries,
        spread,
    }
}

/// A machine whose only state has this `Retry`.
pub(super) fn machine(retry: &Value) -> Value {
    json!({"StartAt": "Call", "States": {"Call": {
        "Type": "Task", "Resource": "arn:aws:lambda:eu-central-1:123456789012:function:pay", "End": true, "Retry": retry}}})
}

/// A moment, so many milliseconds into the storms of these stories.
pub(super) fn moment(after: i64) -> Timestamp {
    Timestamp::from_millisecond(1_782_000_000_000 + after).expect("a moment")
}

/// Executions whose calls fail together while a dependency is down for `down` seconds. `wait` tells how many milliseconds the n-th retry
/// of an execution waits, `None` that there is none.
pub(super) fn outage(definition: &Value, calls: i64, down: f64, wait: impl Fn(i64, u32) -> Option<i64>) -> Vec<History> {
    let story = |call: i64| {
        let mut story = history("Orders");
        story.named(&format!("order-{call:03}")).definition(definition).clock_at(moment(call)).pace(milliseconds(0));
        story.enter_task("Call", json!({})).taking(milliseconds(50));
        story.attempt_failed("Busy", None);
        for number in 1.. {
            let Some(wait) = wait(call, number) else {
                return story.execution_failed().build();
            };
            story.after(milliseconds(wait.unsigned_abs()));
            #[allow(clippy::cast_precision_loss, reason = "seconds of a story")]
            let passed = (story.now().as_millisecond() - moment(0).as_millisecond()) as f64 / 1000.0;
            if passed > down {
                story.attempt_succeeded(json!({})).exit(json!({}));
                return story.execution_succeeded(json!({})).build();
            }
            story.attempt_failed("Busy", None);
        }
        story.build()
    };
    (0..calls).map(story).collect()
}

/// Executions whose calls fail together, and which go back through a Wait of so many seconds.
pub(super) fn looping(definition: &Value, calls: i64, rounds: u32, wait_seconds: i64) -> Vec<History> {
    let story = |call: i64| {
        let mut story = history("Orders");
        story.named(&format!("order-{call:03}")).definition(definition).clock_at(moment(call)).pace(milliseconds(0));
        for _ in 0..rounds {
            story.enter_task("Call", json!({})).taking(milliseconds(50)).attempt_failed("Busy", None).caught(json!({}));
            story.wait("Pause", json!({}), seconds(wait_seconds.unsigned_abs()));
        }
        story.enter_task("Call", json!({})).taking(milliseconds(50)).attempt_succeeded(json!({})).exit(json!({}));
        story.execution_succeeded(json!({})).build()
    };
    (0..calls).map(story).collect()
}
