//! From a candidate to a finding: how bad it is, how sure, and what can be checked by hand.

use super::errors::{Rise, SHUFFLES};
use super::join::{Joined, error, signal};
use super::near::Deployments;
use super::proportion::Outcomes;
use super::report::{Affected, ChangeEvidence, ChangePoint, Direction, Failing, Lasted, Level, Load, Shape, Shuffles, Sides, Signal, Test};
use super::season::Season;
use super::shift::{BLIP, Shift};
use super::side::{Side, ratio_interval};
use super::state::{Seen, Tail};
use super::words;
use crate::analysis::execution::quoted;
use crate::analysis::finding::{Common, Confidence, Severity, Step};
use crate::analysis::fleet::quantile;
use crate::analysis::observed::{Execution, Name, Observed};
use crate::analysis::statistics::Table;
use crate::model::{ExecutionStatus, Micros};

/// What findings are made from.
pub(super) struct Told<'a> {
    pub observed: &'a Observed,
    pub now: Micros,
    pub tests: u64,
    pub deployments: Deployments,
}

/// Surer than one in so many, on so many observations: strong.
const STRONG: (f64, u64) = (1e-4, 20);
/// ARNs of executions that are given as examples.
const EXAMPLES: usize = 5;
/// An end that lies so far back is history.
const PAST: i64 = 60 * 60 * 1_000_000;
/// A state that makes executions this much longer hurts.
const FELT: f64 = 1.1;
/// A large series is not shuffled so often that the reader waits: outcomes times shuffles.
const MOST_SHUFFLED: u32 = 2_000_000;

impl Told<'_> {
    /// The finding.
    pub fn finding(&self, change: &Joined) -> ChangePoint {
        let candidate = &change.candidate;
        let class = &self.observed.classes[candidate.class];
        let text = |name: Name| self.observed.text(name).to_owned();
        let mut evidence = ChangeEvidence {
            first_seen: candidate.first(),
            interval: candidate.interval(),
            latency: None,
            errors: None,
            ratio: None,
            ratio_interval: None,
            test: self.test(&candidate.seen, candidate.p, candidate.corrected_p),
            season: None,
            load: None,
            end_to_end: None,
            executions: None,
            nearest_change: None,
            attributes: Vec::new(),
            also_seen_in: change.also_seen_in.clone(),
        };
        let (interval, at) = (candidate.interval(), candidate.at());
        evidence.nearest_change = self.deployments.nearest(self.observed, class.machine, at, (interval.from, interval.to));
        let observations = match &candidate.seen {
            Seen::Shift(shift, season) => self.durations(class.machine, shift, *season, &mut evidence),
            Seen::Retries(shift) => self.attempts(shift, &mut evidence),
            Seen::Tail(tail) => self.slowest(class.machine, tail, &mut evidence),
            Seen::Rise(rise) => self.failures(rise, &mut evidence),
        };
        let until = candidate.until();
        let shape = match (&candidate.seen, until) {
            (Seen::Tail(_), _) => Shape::Tail,
            (_, None) => Shape::Step,
            (_, Some(until)) if until.0.saturating_sub(at.0) <= BLIP => Shape::Blip,
            (_, Some(_)) => Shape::Episode,
        };
        let direction = if evidence.ratio.is_some_and(|ratio| ratio < 1.0) { Direction::Down } else { Direction::Up };
        let is_strong = candidate.corrected_p < STRONG.0 && observations >= STRONG.1;
        let mut finding = ChangePoint {
            kind: "change_point",
            signal: signal(&candidate.seen),
            state_machine: class.machine.map(text),
            state: text(class.state),
            at,
            until,
            shape,
            direction,
            error: error(self.observed, &candidate.seen),
            attribute: None,
            common: Common {
                severity: Severity::Notice,
                confidence: if is_strong { Confidence::Strong } else { Confidence::Weak },
                summary: String::new(),
                next: Vec::new(),
                steps: Vec::new(),
            },
            evidence,
        };
        finding.common.severity = self.severity(&finding);
        finding.common.steps = steps(&finding);
        finding.common.summary = words::summary(&finding);
        finding
    }

    fn test(&self, seen: &Seen, p_value: f64, corrected_p_value: f64) -> Test {
        let rank = |shift: &Shift| ("rank_sum_z", shift.z, Some(shift.sturdy_z), "the order of time says nothing about durations");
        let (statistic, value, corrected_value, null_hypothesis) = match seen {
            Seen::Shift(shift, _) => rank(shift),
            Seen::Retries(shift) => {
                let (statistic, value, corrected, _) = rank(shift);
                (statistic, value, corrected, "the order of time says nothing about the number of attempts")
            }
            Seen::Tail(tail) => ("log_likelihood_ratio", tail.window.llr, None, "slow attempts fall anywhere in the order of time"),
            Seen::Rise(rise) => ("log_likelihood_ratio", rise.window.llr, None, "the error falls anywhere in the order of time"),
        };
        Test {
            statistic,
            value: rounded(value),
            null_hypothesis,
            corrected_value: corrected_value.map(rounded),
            p_value,
            corrected_p_value,
            tests: self.tests,
            shuffles: if let Seen::Rise(rise) = seen { shuffles(rise) } else { None },
        }
    }

    fn durations(&self, machine: Option<Name>, shift: &Shift, season: Season, evidence: &mut ChangeEvidence) -> u64 {
        evidence.latency = Some(Sides { before: Level::from(&shift.before), after: Level::from(&shift.after) });
        evidence.ratio = Some(rounded(shift.ratio));
        evidence.ratio_interval = Some([rounded(shift.ratio_interval.0), rounded(shift.ratio_interval.1)]);
        evidence.season = Some(season);
        let matched = shift.ratio_at_matched_load.map(rounded);
        evidence.load = Some(Load { ratio: shift.load_ratio.map(rounded), ratio_at_matched_load: matched });
        evidence.end_to_end = Some(self.end_to_end(machine, Micros(shift.at), shift.until.map(Micros)));
        observations(&shift.before, &shift.after)
    }

    fn slowest(&self, machine: Option<Name>, tail: &Tail, evidence: &mut ChangeEvidence) -> u64 {
        evidence.latency = Some(Sides { before: Level::from(&tail.before), after: Level::from(&tail.after) });
        let (before, after) = (tail.before.quantile(0.95), tail.after.quantile(0.95));
        evidence.ratio = (before > 0.0).then(|| rounded(after / before));
        let (low, high) = ratio_interval(&tail.before, &tail.after, 0.95);
        evidence.ratio_interval = Some([rounded(low), rounded(high)]);
        evidence.load = Some(Load { ratio: tail.load_ratio.map(rounded), ratio_at_matched_load: None });
        evidence.end_to_end = Some(self.end_to_end(machine, tail.at, tail.until));
        observations(&tail.before, &tail.after)
    }

    #[allow(clippy::unused_self, reason = "as the others")]
    fn attempts(&self, shift: &Shift, evidence: &mut ChangeEvidence) -> u64 {
        evidence.ratio = Some(rounded(shift.ratio));
        evidence.ratio_interval = Some([rounded(shift.ratio_interval.0), rounded(shift.ratio_interval.1)]);
        observations(&shift.before, &shift.after)
    }

    fn failures(&self, rise: &Rise, evidence: &mut ChangeEvidence) -> u64 {
        let Sides { before, after } = rise.counts;
        evidence.errors = Some(rise.counts);
        let table = Table { a: after.visits_failed, a_total: after.visits, b: before.visits_failed, b_total: before.visits };
        let (lift, low, high) = table.lift();
        evidence.ratio = lift.map(rounded);
        evidence.ratio_interval = Some([rounded(low), rounded(high)]);
        let executions = || rise.executions.iter().map(|position| &self.observed.executions[*position as usize]);
        let is_lost = |execution: &&Execution| execution.status.is_some_and(ExecutionStatus::is_unsuccessful);
        // Those that it cost come first.
        let mut first: Vec<&Execution> = executions().collect();
        first.sort_by_key(|execution| (!is_lost(execution), execution.start));
        evidence.executions = Some(Affected {
            count: rise.executions.len() as u64,
            unsuccessful: executions().filter(is_lost).count() as u64,
            first: first.iter().take(EXAMPLES).map(|execution| self.observed.text(execution.arn).to_owned()).collect(),
        });
        before.visits + after.visits
    }

    /// How long executions of the machine took that started before, and until it ended.
    fn end_to_end(&self, machine: Option<Name>, at: Micros, until: Option<Micros>) -> Sides<Lasted> {
        let mut sides: [Vec<f64>; 2] = Default::default();
        for execution in self.observed.executions.iter().filter(|execution| execution.machine == machine) {
            let Some((start, stop)) = execution.start.zip(execution.stop) else { continue };
            if until.is_none_or(|until| start < until) {
                sides[usize::from(start >= at)].push(stop.milliseconds_since(start));
            }
        }
        let [before, after] = sides.map(|mut durations| {
            durations.sort_unstable_by(f64::total_cmp);
            Lasted { executions: durations.len() as u64, p50_ms: quantile(&durations, 0.5).map(rounded) }
        });
        Sides { before, after }
    }

    fn severity(&self, finding: &ChangePoint) -> Severity {
        let is_past = finding.until.is_some_and(|until| until.0 < self.now.0.saturating_sub(PAST));
        match finding.signal {
            Signal::NewError | Signal::ErrorRate => {
                let lost = finding.evidence.executions.as_ref().map_or(0, |affected| affected.unsuccessful);
                match (is_past, lost) {
                    (true, _) => Severity::Notice,
                    (false, 0) => Severity::Warning,
                    (false, _) if finding.until.is_none() => Severity::Critical,
                    (false, _) => Severity::Warning,
                }
            }
            _ if is_past || finding.shape == Shape::Blip || finding.direction == Direction::Down => Severity::Notice,
            _ => {
                let lasted = finding.evidence.end_to_end.and_then(|sides| sides.before.p50_ms.zip(sides.after.p50_ms));
                let is_felt = lasted.is_none_or(|(before, after)| after >= before * FELT);
                if is_felt { Severity::Warning } else { Severity::Notice }
            }
        }
    }
}

fn observations(before: &Side, after: &Side) -> u64 {
    (before.count() + after.count()) as u64
}

/// Three digits after the point are more than anybody reads.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The check by permutation; `None` for a series too long to shuffle.
fn shuffles(rise: &Rise) -> Option<Shuffles> {
    let Sides { before, after } = rise.counts;
    let [visits, failed] =
        [before.visits + after.visits, before.visits_failed + after.visits_failed].map(|count| u32::try_from(count).ok());
    let (visits, failed) = visits.zip(failed)?;
    if visits.saturating_mul(SHUFFLES) > MOST_SHUFFLED {
        return None;
    }
    // Which outcomes there are decides, not where they stand.
    let places: Vec<usize> = (0..failed as usize).collect();
    let outcomes = Outcomes { places: &places, count: visits as usize };
    Some(Shuffles { count: SHUFFLES, as_extreme: outcomes.shuffled(rise.window.llr, SHUFFLES, 1) })
}

fn steps(finding: &ChangePoint) -> Vec<Step> {
    let machine = finding.state_machine.as_deref().map(|machine| format!("--state-machine {}", quoted(machine))).unwrap_or_default();
    let fleet = |verb: &'static str, text: &str, arguments: &str| Step::Fleet {
        text: text.to_owned(),
        verb,
        arguments: [machine.as_str(), arguments].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" "),
    };
    let state = format!("--state {}", quoted(&finding.state));
    let Some(affected) = &finding.evidence.executions else {
        let by_hour = fleet("latency", "hour by hour, to check the numbers", &format!("{state} --by hour"));
        return vec![by_hour, fleet("latency", "on what its time is spent", &state)];
    };
    let mut steps: Vec<Step> = Vec::new();
    if let Some(first) = affected.first.first() {
        let (verb, text) = if affected.unsuccessful > 0 {
            ("why", "why the first of them failed")
        } else {
            ("show", "what the first of them went through")
        };
        steps.push(Step::Execution { text: text.to_owned(), verb, execution: first.clone(), arguments: String::new() });
    }
    if affected.unsuccessful > 0 {
        steps.push(fleet("failures", "what failed, by cause", ""));
        steps.push(fleet("compare", "what those that failed have in common", ""));
    }
    steps
}

/// How often an attempt has the error.
pub(super) fn share(failing: Failing) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 attempts")]
    let share = failing.failed as f64 / failing.attempts.max(1) as f64;
    share
}
