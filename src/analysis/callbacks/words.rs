//! Why a wait is judged as it is, in sentences that can be checked by hand.

use super::clock::Hours;
use super::judge::{ENOUGH, FEWEST, Opinion};
use super::limits::{DeadlineBy, Limits};
use super::report::{Verdict, WaitClass, Waiting};
use super::waits::WaitsFor;
use crate::model::{Micros, machine_name};

/// A duration in words of two units at most: `41 min`, `2 h 05 min`, `3 d 4 h`.
#[allow(clippy::cast_possible_truncation, reason = "to be read")]
pub(super) fn length(milliseconds: f64) -> String {
    let seconds = (milliseconds / 1000.0).max(0.0);
    if seconds < 1.0 {
        return format!("{milliseconds:.0} ms");
    }
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    let minutes = (seconds / 60.0) as i64;
    match minutes {
        0..10 => format!("{minutes} min {:02} s", (seconds as i64) % 60),
        10..120 => format!("{minutes} min"),
        120..2880 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes % 1440 / 60),
    }
}

/// `1 in 12,000` or `31 %`.
fn share(share: f64) -> String {
    if share < 1e-6 {
        "less than 1 in 1,000,000".to_owned()
    } else if share < 0.01 {
        format!("1 in {:.0}", 1.0 / share)
    } else {
        format!("{:.0} %", 100.0 * share)
    }
}

/// A moment to the minute.
pub(super) fn moment(at: Micros) -> String {
    at.timestamp().strftime("%F %H:%M UTC").to_string()
}

/// The name of a state machine.
pub(super) fn machine(arn: Option<&str>) -> String {
    match arn {
        Some(text) => machine_name(text).to_owned(),
        None => "a state machine that is not named".to_owned(),
    }
}

/// `08-18 UTC, not on weekends`.
pub(super) fn hours(hours: &Hours) -> String {
    let runs = hours.open_hours();
    let told: Vec<String> = runs.iter().map(|(from, to)| format!("{from:02}-{to:02}")).collect();
    let days = if hours.is_closed_on_weekends { ", not on weekends" } else { "" };
    if told.is_empty() { format!("all day, more in some hours{days}") } else { format!("{} UTC{days}", told.join(" and ")) }
}

/// What will end a wait.
pub(super) fn end(waiting: &Waiting, limits: &Limits) -> String {
    let missing = match (limits.timeout_seconds, limits.is_watched(waiting.waits_for)) {
        (None, false) => "no TimeoutSeconds, no heartbeat",
        (None, true) => "no TimeoutSeconds",
        (Some(_), false) => "no heartbeat",
        (Some(_), true) => "",
    };
    match (limits.by, limits.deadline) {
        _ if limits.is_watched(waiting.waits_for) => {
            let seconds = limits.heartbeat_seconds.unwrap_or_default();
            format!("its heartbeat of {seconds} s ends it as soon as its worker falls silent: it is alive")
        }
        (Some(DeadlineBy::TimeoutSeconds), Some(deadline)) => {
            format!("nothing ends it before its TimeoutSeconds do, {}: {missing}", moment(deadline))
        }
        (Some(DeadlineBy::MachineTimeoutSeconds), Some(deadline)) => {
            format!("nothing ends it before the state machine's TimeoutSeconds do, {}: {missing}", moment(deadline))
        }
        (Some(DeadlineBy::ServiceLimit), Some(deadline)) => {
            format!("nothing ends it: {missing}; the service would, {}", moment(deadline))
        }
        _ => format!("nothing is known to end it: {missing}"),
    }
}

/// Why a wait is judged as it is.
pub(super) fn grounds(waiting: &Waiting, row: &WaitClass, opinion: Option<&Opinion>, limits: &Limits, now: Micros) -> Vec<String> {
    let mut grounds = Vec::new();
    if limits.deadline.is_some_and(|deadline| deadline < now) {
        let deadline = limits.deadline.map(moment).unwrap_or_default();
        grounds.push(format!("its time limit passed, {deadline}: the history was read before its end, and does not show it"));
        return grounds;
    }
    match opinion {
        Some(opinion) if row.answered >= ENOUGH as u64 => {
            let clock = match (&row.working_hours, waiting.working_age_ms) {
                (Some(_), _) => ", counted in working hours,",
                (None, Some(_)) => ", counted without silent hours at which no answer ever came,",
                (None, None) => "",
            };
            let age = length(opinion.age_ms);
            grounds.push(format!("{} of healthy waits{clock} last longer than {age}", share(opinion.survival)));
            if opinion.is_stuck {
                grounds.push(format!(
                    "of the waits that began at least so long ago {} healthy ones would still be open",
                    expected(opinion.expected_as_old)
                ));
                let limit = length(row.limit_ms.unwrap_or_default());
                grounds.push(format!(
                    "from {limit} on a wait of this state is lost with {:.0} % or more; {} are lost",
                    super::assemble::lost_percent(),
                    share(row.lost_share.unwrap_or_default())
                ));
            }
            if let Some(stopped) = row.stopped.filter(|_| opinion.is_in_stop) {
                grounds.push(format!(
                    "nothing was answered since {}, while {:.0} answers were due: a chance of {}",
                    moment(stopped.since),
                    stopped.due,
                    share(stopped.chance)
                ));
            }
        }
        Some(_) => {
            let limit = length(row.limit_ms.unwrap_or_default());
            grounds.push(format!("only {} waits were answered, which is few: stuck is what waits longer than {limit}", row.answered));
        }
        None => {
            grounds.push(format!("only {} waits of this state were answered; it takes {FEWEST} to say anything", row.answered));
            if waiting.verdict == Verdict::Late {
                grounds.push("half of its time limit is over".to_owned());
            }
        }
    }
    if waiting.incomplete {
        grounds.push("its history was not read whole: an answer may stand in what is missing".to_owned());
    }
    grounds.push(end(waiting, limits));
    grounds
}

fn expected(count: f64) -> String {
    if count < 0.001 { "less than 0.001".to_owned() } else { format!("{count:.3}") }
}

/// What was found, in one sentence.
pub(super) fn summary(waiting: &Waiting, row: &WaitClass) -> String {
    let machine = machine(waiting.state_machine.as_deref());
    let who = match waiting.waits_for {
        WaitsFor::Callback => "an answer",
        WaitsFor::ActivityWorker => "a worker",
        WaitsFor::Activity => "its worker",
        WaitsFor::Job => "its job",
        WaitsFor::ChildExecution => "its child execution",
    };
    let usual = row.median_ms.map_or_else(|| "few were ever answered".to_owned(), |median| format!("usual are {}", length(median)));
    let longest = row.longest_ms.map(|longest| format!(", the longest took {}", length(longest))).unwrap_or_default();
    let others = match row.stuck {
        0 | 1 => String::new(),
        2 => "; 1 more there".to_owned(),
        stuck => format!("; {} more there", stuck - 1),
    };
    format!(
        "{machine} has waited {} for {who} in {} since {}: {usual}{longest}{others}",
        length(waiting.age_ms),
        waiting.state,
        moment(waiting.since)
    )
}
