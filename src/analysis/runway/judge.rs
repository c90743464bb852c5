//! What is a finding, and how bad it is: the rules that stand in `mod.rs`.

use super::Found;
use super::gather::{Ended, Hits, LEAST_EVENTS, Machine, NAMED, Near, Nearest, Peaks, Running, RunwayQuestion, Sizes};
use super::report::{
    EVENTS, EXPRESS_MS, Limit, LimitSource, PAYLOAD_BYTES, RunningRunway, Runway, RunwayBasis, RunwayEvidence, STANDARD_MS,
};
use super::trend::{self, Trend};
use super::words;
use crate::analysis::finding::{Common, Confidence, NotEnough, Severity};
use crate::model::Micros;
use crate::model::facts::WorkflowType;

/// Within so long somebody has to act.
const SOON: i64 = 24 * 3_600_000_000;
/// Below this share of a limit nothing is said of what ended.
const HALF: f64 = 0.5;
/// From this share on it is worth knowing, whether it grows or not.
const NEAR: f64 = 0.8;
/// With so many executions that ended it is known what is usual: another one lies beyond all of them once in 21 times by chance.
const USUAL: u64 = 20;
/// A time limit that is missed by less was reached: the service ends an execution up to some seconds late.
const TIMED_OUT_SHARE: f64 = 0.99;
/// The question's name in what could not be judged.
const QUESTION: &str = "runway";

impl RunwayQuestion {
    /// Judges what was seen as of `now`.
    pub fn find(self, now: Micros) -> Found {
        let mut machines: Vec<(Box<str>, Machine)> = self.machines.into_iter().collect();
        machines.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut found = Found::default();
        for (name, mut machine) in machines {
            // Threads saw them in any order.
            machine.running.sort_unstable_by(|one, other| one.execution.cmp(&other.execution));
            machine.timed_out.sort_unstable();
            // Each definition is read once, however many executions run under it.
            let time_limits = (0..machine.definitions.len()).map(|position| machine.time_limit(position)).collect();
            let judge = Judge { name: Some(&*name).filter(|name| !name.is_empty()), machine: &machine, time_limits, now };
            judge.events(&mut found);
            judge.duration(&mut found);
            judge.payloads(&mut found);
        }
        found
    }
}

struct Judge<'m> {
    name: Option<&'m str>,
    machine: &'m Machine,
    /// `TimeoutSeconds` of its definitions.
    time_limits: Vec<Option<u64>>,
    now: Micros,
}

/// What was seen of one limit.
struct Seen<'m> {
    limit: Limit,
    state: Option<&'m str>,
    evidence: RunwayEvidence,
    /// Those that run, the first to reach it first; then those that failed of it, then the largest.
    executions: Vec<String>,
}

impl Judge<'_> {
    fn is_express(&self) -> bool {
        self.machine.workflow_type == Some(WorkflowType::Express)
    }

    fn usual_is_known(&self) -> bool {
        self.machine.finished >= USUAL
    }

    /// Milliseconds that executions with this definition may run, and who says so.
    fn time_limit(&self, definition: Option<usize>) -> (u64, LimitSource) {
        let of_service = if self.is_express() { EXPRESS_MS } else { STANDARD_MS };
        let own = definition.and_then(|position| *self.time_limits.get(position)?).map(|seconds| seconds.saturating_mul(1000));
        match own.filter(|own| *own > 0 && *own < of_service) {
            Some(own) => (own, LimitSource::Definition),
            None => (of_service, LimitSource::Service),
        }
    }

    fn events(&self, found: &mut Found) {
        if self.is_express() {
            return;
        }
        let machine = self.machine;
        let mut within: Vec<RunningRunway> = machine.running.iter().filter_map(|running| self.fills(running)).collect();
        within.sort_by(|one, other| (one.reached_at, &one.execution).cmp(&(other.reached_at, &other.execution)));
        let first = within.first().cloned();
        let largest = machine.largest.0.first();
        let of_first = first.as_ref().and_then(|first| machine.running.iter().find(|running| *running.execution == *first.execution));
        let shape = of_first.map_or_else(|| largest.and_then(|near| near.about.clone()), |running| running.shape.clone());
        let most = largest.map_or(0, |near| near.value).max(within.iter().map(|running| running.used).max().unwrap_or(0));
        let most_at = largest.filter(|near| near.value == most).and_then(|near| near.at);
        let evidence =
            RunwayEvidence { limit: EVENTS, most, most_at, running: first, within_reach: within.len() as u64, shape, ..self.evidence() };
        let executions = named(within.iter().map(|running| &*running.execution), &machine.full, &machine.largest);
        let seen = Seen { limit: Limit::Events, state: None, evidence, executions };
        self.conclude(seen, &machine.full, &machine.events, largest.map_or(0, |near| near.value), found);
    }

    /// Whether, and when, an execution's history will be full.
    fn fills(&self, running: &Running) -> Option<RunningRunway> {
        let (machine, now) = (self.machine, self.now);
        if running.events < LEAST_EVENTS {
            return None;
        }
        let (id, since) = running.since?;
        #[allow(clippy::cast_precision_loss, reason = "as many events as a history has")]
        let (gained, left) = (running.events.saturating_sub(id) as f64, EVENTS.saturating_sub(running.events) as f64);
        #[allow(clippy::cast_precision_loss, reason = "microseconds of a year are exact in f64")]
        let hours = now.0.saturating_sub(since.0) as f64 / 3.6e9;
        let per_hour = gained / hours;
        if hours <= 0.0 || per_hour <= 0.0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let reached_at = Micros(now.0.saturating_add((left / per_hour * 3.6e9) as i64));
        let deadline = self.deadline(running);
        let events_at_end = running.shape.as_ref().and_then(super::Shape::events_at_end);
        let largest = machine.largest.0.first().map_or(0, |near| near.value);
        let goes_on = match events_at_end {
            Some(events) => events >= EVENTS,
            None if self.usual_is_known() => running.events > largest,
            None => running.events >= EVENTS / 2,
        };
        (goes_on && deadline.is_none_or(|deadline| reached_at < deadline)).then(|| RunningRunway {
            execution: running.execution.to_string(),
            used: running.events,
            per_hour: Some((per_hour * 10.0).round() / 10.0),
            rate_since: Some(since),
            events_at_end,
            reached_at,
        })
    }

    fn deadline(&self, running: &Running) -> Option<Micros> {
        let (limit, _) = self.time_limit(running.definition);
        let start = running.start.filter(|_| !running.redriven)?;
        Some(Micros(start.0.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX).saturating_mul(1000))))
    }

    fn duration(&self, found: &mut Found) {
        let machine = self.machine;
        let (limit, limit_source) = self.time_limit(machine.last_definition());
        let longest = machine.longest.0.first().map_or(0, |near| near.value / 1000);
        let mut within: Vec<RunningRunway> = machine.running.iter().filter_map(|running| self.runs_out(running, longest)).collect();
        within.sort_by(|one, other| (one.reached_at, &one.execution).cmp(&(other.reached_at, &other.execution)));
        // Where nothing that succeeds needs half of the limit, something hung.
        let hits = if share(longest, limit) >= HALF { out_of_time(&machine.timed_out, limit) } else { Hits::default() };
        let most = longest.max(within.iter().map(|running| running.used).max().unwrap_or(0));
        let most_at = machine.longest.0.first().filter(|near| near.value / 1000 == most).and_then(|near| near.at);
        let evidence = RunwayEvidence {
            limit,
            limit_source,
            most,
            most_at,
            running: within.first().cloned(),
            within_reach: within.len() as u64,
            ..self.evidence()
        };
        let executions = named(within.iter().map(|running| &*running.execution), &hits, &machine.longest);
        let seen = Seen { limit: Limit::Duration, state: None, evidence, executions };
        self.conclude(seen, &hits, &machine.durations.in_milliseconds(), longest, found);
    }

    /// Whether, and when, an execution's time is up.
    fn runs_out(&self, running: &Running, longest: u64) -> Option<RunningRunway> {
        let (limit, _) = self.time_limit(running.definition);
        let deadline = self.deadline(running)?;
        let used = u64::try_from(self.now.0.saturating_sub(running.start?.0)).ok()? / 1000;
        let is_usual = self.machine.succeeded >= USUAL && used <= longest;
        // One that has lived on after its end has another limit than the one that is known.
        (share(used, limit) >= NEAR && used <= limit && !is_usual).then(|| RunningRunway {
            execution: running.execution.to_string(),
            used,
            per_hour: None,
            rate_since: None,
            events_at_end: None,
            reached_at: deadline,
        })
    }

    fn payloads(&self, found: &mut Found) {
        let machine = self.machine;
        if machine.sized == 0 && machine.unsized_ > 0 {
            found.not_enough.push(self.not_enough(None, 0, 1, "executions with payload sizes"));
        }
        let mut states: Vec<(&str, &Sizes)> = machine.states.iter().map(|(state, sizes)| (&**state, sizes)).collect();
        states.sort_unstable_by_key(|(state, _)| *state);
        for (state, sizes) in states {
            let largest = sizes.largest.0.first();
            let (most, most_at) = (largest.map_or(0, |near| near.value), largest.and_then(|near| near.at));
            let evidence = RunwayEvidence { limit: PAYLOAD_BYTES, most, most_at, sizes_unknown: machine.unsized_, ..self.evidence() };
            let executions = named(std::iter::empty(), &sizes.too_large, &sizes.largest);
            let seen = Seen { limit: Limit::Payload, state: Some(state), evidence, executions };
            self.conclude(seen, &sizes.too_large, &sizes.peaks, most, found);
        }
    }

    fn evidence(&self) -> RunwayEvidence {
        RunwayEvidence { finished: self.machine.finished, ..RunwayEvidence::default() }
    }

    fn not_enough(&self, state: Option<&str>, has: u64, needs: u64, of: &'static str) -> NotEnough {
        NotEnough { question: QUESTION, state_machine: self.name.map(str::to_owned), state: state.map(str::to_owned), has, needs, of }
    }

    /// Adds a finding if there is one; `largest` is the most of what ended.
    fn conclude(&self, mut seen: Seen<'_>, hits: &Hits, peaks: &Peaks, largest: u64, found: &mut Found) {
        let evidence = &mut seen.evidence;
        evidence.share = (share(evidence.most, evidence.limit) * 1000.0).round() / 1000.0;
        evidence.reached = hits.count;
        evidence.last_reached = hits.last;
        let share = share(largest, evidence.limit);
        if share >= HALF {
            match trend::of(&peaks.sorted(), evidence.limit) {
                Ok(trend) => evidence.trend = Some(trend),
                Err(points) => {
                    let of = "hours in which executions ended";
                    found.not_enough.push(self.not_enough(seen.state, points as u64, trend::FEWEST_POINTS as u64, of));
                }
            }
        }
        let crosses = seen.evidence.trend.as_ref().filter(|trend| trend.grows() && trend.reached_at.is_some());
        let running = seen.evidence.running.as_ref();
        let soon = |moment: Micros| moment.0.saturating_sub(self.now.0) <= SOON;
        let recently = |moment: Micros| self.now.0.saturating_sub(moment.0) <= SOON;
        let urgent = |is_urgent| if is_urgent { Severity::Critical } else { Severity::Warning };
        let rules = [
            running.map(|running| (urgent(soon(running.reached_at)), RunwayBasis::Running)),
            (hits.count > 0).then(|| (urgent(hits.last.is_none_or(recently)), RunwayBasis::Reached)),
            crosses.map(|_| (Severity::Warning, RunwayBasis::Trend)),
            (share >= NEAR).then_some((Severity::Notice, RunwayBasis::Level)),
        ];
        // Of rules that are as bad the first is told.
        let worst = rules.into_iter().flatten().min_by_key(|(severity, _)| *severity);
        let Some((severity, basis)) = worst else { return };
        seen.evidence.basis = basis;
        let confidence = self.confidence(&seen, basis, crosses);
        let reached_at = running.map(|running| running.reached_at);
        let told = words::Told { machine: self.name, state: seen.state, limit: seen.limit, evidence: &seen.evidence, now: self.now };
        let summary = told.summary();
        let steps = told.steps(&seen.executions);
        found.runways.push(Runway {
            kind: "runway",
            limit: seen.limit,
            state_machine: self.name.map(str::to_owned),
            state: seen.state.map(str::to_owned),
            executions: seen.executions,
            reached_at,
            common: Common { severity, confidence, summary, next: Vec::new(), steps },
            evidence: seen.evidence,
        });
    }

    /// By the rule of all findings: certain where the structure says so, strong where chance is below one in 10,000.
    fn confidence(&self, seen: &Seen<'_>, basis: RunwayBasis, trend: Option<&Trend>) -> Confidence {
        match basis {
            RunwayBasis::Reached | RunwayBasis::Level => Confidence::Certain,
            // A Map that has more items than there is room for.
            RunwayBasis::Running if seen.evidence.running.as_ref().is_some_and(|running| running.events_at_end.is_some()) => {
                Confidence::Certain
            }
            // By chance it lies beyond all others once in so many times as there are others, and itself.
            RunwayBasis::Running if self.machine.finished >= 10_000 => Confidence::Strong,
            RunwayBasis::Trend if trend.is_some_and(|trend| trend.p_value < 1e-4 && trend.points >= 20) => Confidence::Strong,
            RunwayBasis::Running | RunwayBasis::Trend => Confidence::Weak,
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a share needs no exact numbers")]
    let share = part as f64 / whole.max(1) as f64;
    share
}

/// Those that lasted as long as the limit that is in force now.
fn out_of_time(timed_out: &[Ended], limit_ms: u64) -> Hits {
    let mut hits = Hits::default();
    let lasted_it = |ended: &&Ended| share(u64::try_from(ended.lasted).unwrap_or(0) / 1000, limit_ms) >= TIMED_OUT_SHARE;
    timed_out.iter().filter(lasted_it).for_each(|ended| hits.add(&ended.execution, ended.at));
    hits
}

fn named<'e, T>(running: impl Iterator<Item = &'e str>, hits: &'e Hits, largest: &'e Nearest<T>) -> Vec<String> {
    let failed = hits.executions.iter().map(|(_, execution)| &**execution);
    let near = largest.0.iter().map(|near: &Near<T>| &*near.execution);
    let mut named: Vec<String> = Vec::new();
    for execution in running.chain(failed).chain(near) {
        if named.len() < NAMED && !named.iter().any(|known| known == execution) {
            named.push(execution.to_owned());
        }
    }
    named
}
