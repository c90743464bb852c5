//! One sentence for a storm.

use std::fmt::Write as _;

use super::report::{Pattern, StormEvidence};
use super::seen::Seen;
use crate::analysis::observed::Observed;
use crate::model::{Micros, machine_name};

/// So many waves are told by their times.
const TOLD: usize = 5;

/// What happened, for somebody who was just woken.
pub(super) fn summary(seen: &Seen, observed: &Observed, pattern: Pattern, evidence: &StormEvidence) -> String {
    let class = seen.class(observed);
    let count = evidence.cohort + evidence.late;
    let machine = class.machine.map(|machine| observed.text(machine));
    let name = machine.map(machine_name);
    let of = name.map_or_else(String::new, |name| format!(" of {name}"));
    let state = observed.text(class.state);
    let who = format!("{count} executions{of} retried {state}");
    let time = |moment: Micros| moment.timestamp().strftime("%H:%M:%S").to_string();
    match pattern {
        Pattern::Lockstep => format!("{who} in lockstep: {}", times(evidence, &time)),
        Pattern::Jittered => format!("{who} from {} to {}, spread by jitter", time(seen.from), time(seen.to)),
        Pattern::OneByOne => format!("{who} from {} to {} without jitter, one by one", time(seen.from), time(seen.to)),
        Pattern::Unclear => format!("{who} from {} to {}; whether with jitter cannot be told", time(seen.from), time(seen.to)),
    }
}

/// `14:03:12, +4 s, +8 s`: when the first wave came, and how long after each the next.
fn times(evidence: &StormEvidence, time: &dyn Fn(Micros) -> String) -> String {
    let Some(first) = evidence.waves.first() else { return "in no wave".to_owned() };
    let mut text = time(first.at);
    for pair in evidence.waves.windows(2).take(TOLD - 1) {
        let _ = write!(text, ", +{}", seconds(pair[1].at.milliseconds_since(pair[0].at)));
    }
    match evidence.waves.len() {
        count if count > TOLD => format!("{text}, … ({count} waves)"),
        _ => text,
    }
}

/// `0.4 s`, `4 s`, `3 min`.
fn seconds(milliseconds: f64) -> String {
    let seconds = milliseconds / 1000.0;
    if seconds < 0.95 {
        return format!("{seconds:.1} s");
    }
    if seconds < 119.5 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}
