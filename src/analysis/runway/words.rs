//! What is said of an execution near a limit, in one sentence, and what to run next.

use super::report::{Limit, LimitSource, RunwayBasis, RunwayEvidence};
use super::shape::Growth;
use crate::analysis::execution::quoted;
use crate::analysis::finding::Step;
use crate::model::{Micros, last_part, thousands};

/// What is told.
pub(super) struct Told<'t> {
    pub machine: Option<&'t str>,
    pub state: Option<&'t str>,
    pub limit: Limit,
    pub evidence: &'t RunwayEvidence,
    pub now: Micros,
}

impl Told<'_> {
    /// One sentence.
    pub fn summary(&self) -> String {
        let (machine, evidence) = (self.machine.map_or("a machine without a name", name), self.evidence);
        match evidence.basis {
            RunwayBasis::Running => self.of_running(machine),
            RunwayBasis::Reached => {
                let last = evidence.last_reached.map_or_else(String::new, |last| format!(", last at {}", minute(last)));
                format!("{}{last}{}", self.failed(machine, evidence.reached), self.why())
            }
            RunwayBasis::Trend => {
                let at = evidence.trend.as_ref().and_then(|trend| trend.reached_at);
                let when =
                    at.map_or_else(String::new, |at| format!(" and grows: at this rate it is reached about {}", minute(at.max(self.now))));
                format!("{}{when}{}", self.largest(machine), self.why())
            }
            RunwayBasis::Level => format!("{}{}", self.largest(machine), self.why()),
        }
    }

    fn of_running(&self, machine: &str) -> String {
        let Some(running) = &self.evidence.running else { return self.largest(machine) };
        let name = name(&running.execution);
        let others = match self.evidence.within_reach {
            0 | 1 => String::new(),
            more => format!(" ({} more do so)", thousands(more - 1)),
        };
        let end = minute(running.reached_at);
        let Some(per_hour) = running.per_hour else {
            let (used, limit) = (duration(running.used), duration(self.evidence.limit));
            return format!("{name} of {machine} has run for {used} of {limit}: {} ends it at {end}{others}", self.who());
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and a cast of a float saturates")]
        let rate = thousands(per_hour.round() as u64);
        let (used, limit) = (thousands(running.used), thousands(self.evidence.limit));
        format!("{name} of {machine} has {used} of {limit} events, {rate} more an hour: it fails about {end}{others}{}", self.why())
    }

    fn who(&self) -> &'static str {
        match self.evidence.limit_source {
            LimitSource::Service => "the service",
            LimitSource::Definition => "TimeoutSeconds",
        }
    }

    fn failed(&self, machine: &str, count: u64) -> String {
        let executions = if count == 1 { "1 execution".to_owned() } else { format!("{} executions", thousands(count)) };
        match (self.limit, self.state) {
            (Limit::Events, _) => {
                format!("{executions} of {machine} failed with a full history of {} events", thousands(self.evidence.limit))
            }
            (Limit::Duration, _) => format!("{executions} of {machine} ran out of time after {}", duration(self.evidence.limit)),
            (Limit::Payload, state) => {
                let state = state.unwrap_or("a state");
                format!("in {executions} of {machine} a payload of {state} was larger than {} bytes", thousands(self.evidence.limit))
            }
        }
    }

    fn largest(&self, machine: &str) -> String {
        let percent = self.percent();
        match (self.limit, self.state) {
            (Limit::Events, _) => {
                let (most, limit) = (thousands(self.evidence.most), thousands(self.evidence.limit));
                format!("the longest history of {machine} has {most} of {limit} events ({percent} %)")
            }
            (Limit::Duration, _) => {
                let (most, limit) = (duration(self.evidence.most), duration(self.evidence.limit));
                format!("the longest successful execution of {machine} took {most} of {limit} ({percent} %)")
            }
            (Limit::Payload, state) => {
                let (most, limit) = (thousands(self.evidence.most), thousands(self.evidence.limit));
                let state = state.unwrap_or("a state");
                format!("the largest payload of {state} in {machine} has {most} of {limit} bytes ({percent} %)")
            }
        }
    }

    fn percent(&self) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and a cast of a float saturates")]
        let percent = (self.evidence.share * 100.0) as u64;
        percent
    }

    /// What makes the history long; empty where that is not known.
    fn why(&self) -> String {
        let Some(shape) = &self.evidence.shape else { return String::new() };
        let (count, at_limit) = (thousands(shape.count), thousands(shape.count_at_limit));
        match shape.growth {
            Growth::Loop => format!("; {} came {count} times, {at_limit} are too many", shape.states.join(", ")),
            Growth::Map => {
                let state = shape.states.first().map_or("the Map", String::as_str);
                format!("; its Map {state} had {count} iterations, {at_limit} are too many")
            }
        }
    }

    /// What to run next.
    pub fn steps(&self, executions: &[String]) -> Vec<Step> {
        let Some(nearest) = executions.first() else { return Vec::new() };
        let step =
            |text: &str, verb, arguments: String| Step::Execution { text: text.to_owned(), verb, execution: nearest.clone(), arguments };
        let mut steps = match (self.limit, self.state) {
            (Limit::Payload, Some(state)) => vec![step("what that state received and gave", "show", format!("--state {}", quoted(state)))],
            (Limit::Duration, _) => vec![step("where its time goes", "show", "--timeline".to_owned())],
            _ => vec![step("what it does again and again", "show", String::new())],
        };
        if self.evidence.basis == RunwayBasis::Reached {
            steps.push(step("why it failed", "why", String::new()));
        }
        if self.limit == Limit::Duration {
            let arguments = self.machine.map_or_else(String::new, |machine| format!("--state-machine {}", quoted(machine)));
            steps.push(Step::Fleet { text: "how long its states take".to_owned(), verb: "latency", arguments });
        }
        steps
    }
}

fn name(arn: &str) -> &str {
    last_part(arn).unwrap_or(arn)
}

fn minute(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Milliseconds in two units at most.
fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let two = |more: u64, unit: &str, less: u64, small: &str| {
        if less == 0 { format!("{more}{unit}") } else { format!("{more}{unit} {less}{small}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => two(seconds / 60, "min", seconds % 60, "s"),
        7_200..172_800 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}
