//! Numbers, shares and moments in few characters.

use crate::analysis::changes::Since;
use crate::analysis::failures::{FailureGroup, NewInVersion, NewSince, Timeline};
use crate::model::{Micros, machine_name, thousands};
use crate::render::columns::duration;
use crate::render::page::Page;

/// The name in a state machine's ARN.
pub(super) fn machine(arn: Option<&str>) -> &str {
    arn.map_or("unknown machine", machine_name)
}

/// What failed, in a word: the error, or how it ended.
pub(super) fn error(group: &FailureGroup) -> &str {
    match group.error.as_deref() {
        Some(error) if !error.is_empty() => error,
        _ => kind(group.kind),
    }
}

fn kind(kind: &str) -> &'static str {
    match kind {
        "task_timed_out" => "timed out",
        "heartbeat_timed_out" => "heartbeat missed",
        "schedule_failed" => "could not be scheduled",
        "runtime" => "runtime error",
        "fail_state" => "Fail state",
        "map_failed" => "Map failed",
        "limit" => "limit reached",
        "aborted" => "stopped",
        "execution_timed_out" => "execution timed out",
        _ => "failed without an error",
    }
}

/// What failed without a message says by its kind.
pub(super) fn silent(kind: &str) -> &'static str {
    match kind {
        "task_timed_out" => "the task's time limit ran out",
        "heartbeat_timed_out" => "the task's heartbeat did not come in time",
        "execution_timed_out" => "the state machine's time limit ran out while this state was open",
        "aborted" => "stopped while this state was open",
        _ => "",
    }
}

/// `2026-06-21 13:09`.
pub(super) fn minute(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M").to_string()
}

/// `2026-06-21 13:09:16 UTC`.
pub(super) fn second(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// When a group was seen, beside a window whose days the reader knows: the day only where there is more than one.
pub(super) fn seen(group: &FailureGroup, timeline: &Timeline) -> String {
    let (Some(first), Some(last)) = (group.first_seen, group.last_seen) else { return "at a time not known".to_owned() };
    let day = |moment: Micros| moment.timestamp().strftime("%m-%d").to_string();
    let time = |moment: Micros| moment.timestamp().strftime("%H:%M").to_string();
    let one_day = timeline.start.is_some_and(|start| day(start) == day(last));
    let from = if one_day { time(first) } else { format!("{} {}", day(first), time(first)) };
    match (day(first) == day(last), minute(first) == minute(last)) {
        (_, true) => from,
        (true, false) => format!("{from} to {}", time(last)),
        (false, false) => format!("{from} to {} {}", day(last), time(last)),
    }
}

/// What tells that a group was not there before.
pub(super) fn new_since(new: &NewSince) -> String {
    let before = match new.executions_before {
        1 => "the execution before it".to_owned(),
        count => format!("the {} executions before it", thousands(count)),
    };
    format!("none in {before}, {} in {} since", thousands(new.failures_since), thousands(new.executions_since))
}

/// Since when a group is more frequent, and which version is near.
pub(super) fn since(since: &Since, page: &Page<'_>) -> String {
    let mut text = format!("{}, between {} and {}", minute(since.at), minute(since.interval.from), minute(since.interval.to));
    if let Some(until) = since.until {
        text = format!("{text}; until {}", minute(until));
    }
    if let Some(near) = &since.nearest_change {
        let version = page.clean(near.value.as_deref().unwrap_or_default());
        text = format!("{text}; version {version} started {}", minute(near.at));
    }
    text
}

/// What tells that a group came with a version.
pub(super) fn new_in_version(new: &NewInVersion, page: &Page<'_>) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds of years")]
    let after = match new.after_ms {
        Some(after) if after >= 1000.0 => format!(", first {} after it", duration(after as i64)),
        _ => String::new(),
    };
    format!(
        "version {}{after}: {} of its {}, none in {} of other versions",
        page.clean(&new.version),
        thousands(new.failures),
        thousands(new.executions),
        thousands(new.executions_of_others)
    )
}
