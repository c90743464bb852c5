//! A change in one sentence, for a person at three in the morning.

use super::report::{ChangePoint, Direction, Shape, Signal};
use super::told::share;
use crate::model::{Micros, last_part};

/// The sentence.
pub(super) fn summary(finding: &ChangePoint) -> String {
    let place = match finding.state_machine.as_deref().and_then(last_part) {
        Some(machine) => format!("{} of {machine}", finding.state),
        None => finding.state.clone(),
    };
    match finding.signal {
        Signal::Latency => latency(finding, &place),
        Signal::RetryRate => {
            format!("{place} needs {} times as many attempts once it failed, {}", ratio(finding), when(finding))
        }
        Signal::ErrorRate | Signal::NewError => errors(finding, &place),
    }
}

fn latency(finding: &ChangePoint, place: &str) -> String {
    let Some(sides) = finding.evidence.latency else { return String::new() };
    let (verb, figure, before, after) = match finding.shape {
        Shape::Tail => ("slowest take", "95 % within", sides.before.p95_ms, sides.after.p95_ms),
        _ => ("takes", "median", sides.before.p50_ms, sides.after.p50_ms),
    };
    let times = match (finding.direction, finding.shape) {
        (Direction::Down, _) => format!("{place} {verb} {} times as long as before", ratio(finding)),
        (Direction::Up, Shape::Tail) => format!("{place}: the {verb} {} times as long", ratio(finding)),
        (Direction::Up, Shape::Step) => format!("{place} {verb} {} times as long", ratio(finding)),
        (Direction::Up, _) => format!("{place} took {} times as long", ratio(finding)),
    };
    format!("{times} {}: {figure} {} instead of {}", when(finding), length(after), length(before))
}

fn errors(finding: &ChangePoint, place: &str) -> String {
    let Some(sides) = finding.evidence.errors else { return String::new() };
    let error = finding.error.as_deref().unwrap_or("an error without a name");
    let verb = if finding.until.is_none() { "fails" } else { "failed" };
    let counted = format!("{} of {} attempts", sides.after.failed, sides.after.attempts);
    let before = match sides.before.failed {
        0 => format!("none of {} before", sides.before.attempts),
        _ => format!("{} before", percent(share(sides.before))),
    };
    let which = match &finding.attribute {
        Some(attribute) => format!(", for {} = {}", attribute.name, shown(&attribute.value)),
        None => String::new(),
    };
    let is_new = if finding.signal == Signal::NewError { "a new error, " } else { "" };
    format!("{place} {verb} with {is_new}{error}, {}{which}: {counted}, {before}", when(finding))
}

fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn when(finding: &ChangePoint) -> String {
    let at = moment(finding.at);
    match finding.until.map(moment) {
        None => format!("since {at}"),
        Some(until) if until[..10.min(until.len())] == at[..10.min(at.len())] => format!("from {at} to {}", &until[11.min(until.len())..]),
        Some(until) => format!("from {at} to {until}"),
    }
}

fn moment(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M").to_string()
}

fn ratio(finding: &ChangePoint) -> String {
    finding.evidence.ratio.map_or_else(String::new, |ratio| if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") })
}

fn percent(share: f64) -> String {
    if share < 0.1 { format!("{:.1} %", share * 100.0) } else { format!("{:.0} %", share * 100.0) }
}

/// Milliseconds in few characters.
fn length(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 120_000.0 => format!("{:.1} s", ms / 1000.0),
        ms if ms < 7_200_000.0 => format!("{:.0} min", ms / 60_000.0),
        ms => format!("{:.1} h", ms / 3_600_000.0),
    }
}
