//! From a storm that was seen to what is said of it.

use super::assemble::Assembled;
use super::background::{Background, SECOND};
use super::judge::{Judged, MOST_WIDTH};
use super::report::{ErrorCount, Pattern, Sample, SampleRetry, Storm, StormEvidence, Timeline, WaveEvidence};
use super::seen::{Retry, Seen, Spread};
use super::spread::{self, Group, WaitGroup, Waits};
use super::words;
use crate::analysis::cost::{Item, Prices};
use crate::analysis::execution::quoted;
use crate::analysis::finding::{Common, Confidence, Severity, Step};
use crate::analysis::observed::{Attempt, Class, Execution, Observed};
use crate::model::facts::WorkflowType;
use crate::model::{ExecutionStatus, Micros, Usd, execution_name};

/// A storm within this long before now is one that somebody has to act on.
const RECENT: i64 = 3600 * SECOND;
/// Fewer executions are no strong evidence, by the rule for all findings.
const STRONG: u64 = 20;
/// Executions whose events are told one by one.
const SAMPLES: usize = 3;
/// Bars of the timeline at most.
const BINS: i64 = 600;

/// What a storm rests on beside itself.
pub(super) struct Case<'a> {
    pub observed: &'a Observed,
    pub now: Micros,
    pub storm: &'a Assembled,
    pub judged: Judged,
    pub groups: Vec<Group>,
    pub waits: (Option<f64>, Option<f64>),
}

impl Case<'_> {
    /// How its retries came.
    pub(super) fn pattern(&self) -> Pattern {
        match (self.storm.seen.spread, self.judged.comes_together()) {
            (Spread::None, true) => Pattern::Lockstep,
            (Spread::None, false) => Pattern::OneByOne,
            (Spread::Full, _) => Pattern::Jittered,
            (Spread::Unclear, _) => Pattern::Unclear,
        }
    }

    /// Puts it into words.
    pub(super) fn tell(self, background: &mut Background) -> Storm {
        let pattern = self.pattern();
        let (observed, seen) = (self.observed, &self.storm.seen);
        let class = seen.class(observed);
        let mut executions: Vec<String> = seen.executions().into_iter().map(|at| self.arn(at).to_owned()).collect();
        executions.sort_unstable();
        let evidence = self.evidence(pattern, class, background);
        let common = Common {
            severity: severity(&evidence, seen, self.now),
            confidence: confidence(&evidence),
            summary: words::summary(seen, observed, pattern, &evidence),
            next: Vec::new(),
            steps: steps(&evidence, observed.text(class.state)),
        };
        Storm {
            kind: "retry_storm",
            state_machine: class.machine.map(|machine| observed.text(machine).to_owned()),
            state: observed.text(class.state).to_owned(),
            from: seen.from,
            to: seen.to,
            jittered: pattern == Pattern::Jittered,
            executions,
            common,
            evidence,
            policy: None,
            remedy: None,
            nested: None,
            shared_resource: None,
        }
    }

    fn arn(&self, execution: u32) -> &str {
        self.observed.executions.get(execution as usize).map_or("", |execution| self.observed.text(execution.arn))
    }

    fn evidence(&self, pattern: Pattern, class: &Class, background: &mut Background) -> StormEvidence {
        let (observed, seen) = (self.observed, &self.storm.seen);
        let members: Vec<&Execution> = seen.executions().into_iter().filter_map(|at| observed.executions.get(at as usize)).collect();
        let ended = |status: fn(ExecutionStatus) -> bool| members.iter().filter(|member| member.status.is_some_and(status)).count() as u64;
        let last_failure = self.storm.tried.iter().filter(|tried| tried.failed_again).filter_map(|tried| tried.ended);
        let last_failure = last_failure.chain(seen.retries.iter().map(|retry| retry.failed)).max();
        let mut resources: Vec<String> = seen
            .retries
            .iter()
            .filter_map(|retry| class.attempts[retry.attempt].resource)
            .map(|resource| observed.text(resource).to_owned())
            .collect();
        resources.sort_unstable();
        resources.dedup();
        let errors = seen.errors(observed).into_iter();
        StormEvidence {
            pattern,
            cohort: seen.cohort.len() as u64,
            late: seen.late.len() as u64,
            failed_executions: ended(ExecutionStatus::is_unsuccessful),
            running_executions: members.iter().filter(|member| member.is_running()).count() as u64,
            attempts: self.judged.load.attempts,
            retries: seen.retries.len() as u64,
            waves: seen.waves.iter().map(|wave| wave_evidence(wave, &seen.retries)).collect(),
            background_per_second: background.rate(seen.from),
            waits: self.waits(),
            wave_width: self.judged.width,
            wave_width_cut: MOST_WIDTH,
            onset: self.judged.onset.clone(),
            surge: self.judged.surge.clone(),
            load: self.judged.load.clone(),
            errors: errors.map(|(error, count)| ErrorCount { error: error.map(|error| observed.text(error).to_owned()), count }).collect(),
            resources,
            last_failure,
            failing_ms: last_failure.map(|last| last.milliseconds_since(seen.from)),
            sustained_itself: self.sustained_itself(),
            lost_ms: seen.retries.iter().map(|retry| lost(retry, class)).sum(),
            retries_usd: self.charged(class),
            timeline: timeline(class, seen),
            samples: self.samples(class),
        }
    }

    fn waits(&self) -> Waits {
        let text = |group: &Group| {
            let retry = &self.storm.tried[group.members[0]].retry;
            let at = |p| crate::analysis::fleet::quantile(&group.waits, p).unwrap_or_default();
            WaitGroup {
                retry: retry.number,
                error: retry.error.map(|error| self.observed.text(error).to_owned()),
                count: group.waits.len() as u64,
                p10_ms: at(0.1),
                p50_ms: at(0.5),
                p90_ms: at(0.9),
            }
        };
        let (spread, full_jitter_probability) = self.waits;
        Waits {
            verdict: self.storm.seen.spread,
            spread,
            cut: spread::CUT,
            full_jitter_probability,
            groups: self.groups.iter().map(text).collect(),
        }
    }

    /// Some calls of a wave were answered and others refused, and fewer first calls came than before: the dependency worked again, and the
    /// retries were too many for it.
    fn sustained_itself(&self) -> bool {
        let is_mixed = |wave: &&super::Wave| wave.failed_again > 0 && wave.failed_again < wave.retries.len() as u64;
        let load = &self.judged.load;
        self.storm.seen.waves.iter().any(|wave| is_mixed(&wave))
            && load.retry_share > 0.5
            && load.first_attempts_per_second <= load.first_attempts_per_second_before
    }

    fn charged(&self, class: &Class) -> Option<Usd> {
        let first = self.storm.seen.executions().first().copied()?;
        let execution = self.observed.executions.get(first as usize)?;
        if execution.workflow_type == Some(WorkflowType::Express) {
            return None;
        }
        let region = class.machine.and_then(|machine| self.observed.text(machine).split(':').nth(3)).filter(|region| !region.is_empty());
        let retries = self.storm.seen.retries.iter().filter(|retry| !retry.by_hand).count() as u64;
        Some(Prices::built_in().quote(Item::Transition, region).usd.times(retries))
    }

    fn samples(&self, class: &Class) -> Vec<Sample> {
        let mut by_arn: Vec<u32> = self.storm.seen.cohort.clone();
        by_arn.sort_unstable_by_key(|at| self.arn(*at));
        let sample = |at: u32| Sample {
            execution: self.arn(at).to_owned(),
            retries: self
                .storm
                .tried
                .iter()
                .filter(|tried| tried.execution == at)
                .map(|tried| {
                    let retry = &tried.retry;
                    SampleRetry {
                        retry: retry.number,
                        failed_event_id: retry.cause.and_then(|cause| class.attempts[cause].ended_event_id).map(u64::from),
                        failed: retry.failed,
                        error: retry.error.map(|error| self.observed.text(error).to_owned()),
                        scheduled_event_id: class.attempts[retry.attempt].scheduled_event_id.map(u64::from),
                        scheduled: retry.scheduled,
                        wait_ms: retry.scheduled.milliseconds_since(retry.failed),
                    }
                })
                .collect(),
        };
        by_arn.into_iter().take(SAMPLES).map(sample).collect()
    }
}

fn severity(evidence: &StormEvidence, seen: &Seen, now: Micros) -> Severity {
    let is_recent = now.0.saturating_sub(seen.to.0) <= RECENT;
    if is_recent || evidence.failed_executions > 0 { Severity::Critical } else { Severity::Warning }
}

/// What the evidence alone says; that a Retry without jitter was in force makes it certain.
fn confidence(evidence: &StormEvidence) -> Confidence {
    let is_unlikely = evidence.waves.iter().any(|wave| wave.probability < 1e-4);
    if is_unlikely && evidence.cohort >= STRONG { Confidence::Strong } else { Confidence::Weak }
}

/// The name of a Standard execution, which says which it is within a machine. That of an Express one does not: its ARN.
fn short(arn: &str) -> &str {
    if arn.split(':').nth(5) == Some("express") { arn } else { execution_name(arn) }
}

fn steps(evidence: &StormEvidence, state: &str) -> Vec<Step> {
    let state = quoted(state);
    let mut steps = Vec::new();
    if let Some(sample) = evidence.samples.first() {
        steps.push(Step::Execution {
            text: "the attempts of one of them, and the waits between".to_owned(),
            verb: "show",
            execution: short(&sample.execution).to_owned(),
            arguments: format!("--state {state}"),
        });
    }
    if evidence.failed_executions > 0 {
        let text = "what the failed ones failed of".to_owned();
        steps.push(Step::Fleet { text, verb: "failures", arguments: String::new() });
    }
    steps
}

fn wave_evidence(wave: &super::Wave, retries: &[Retry]) -> WaveEvidence {
    #[allow(clippy::cast_precision_loss, reason = "at most twenty seconds")]
    let window_ms = wave.window as f64 / 1000.0;
    WaveEvidence {
        at: wave.from,
        retry: wave.retries.first().map_or(0, |first| retries[*first].number),
        executions: wave.executions,
        retries: wave.retries.len() as u64,
        span_ms: wave.to.milliseconds_since(wave.from),
        failed_again: wave.failed_again,
        window_ms,
        most: wave.most,
        expected: wave.expected,
        probability: wave.probability,
    }
}

/// What a retry cost its execution in time: the failed call before it, and the wait.
fn lost(retry: &Retry, class: &Class) -> f64 {
    let failed = retry.cause.and_then(|cause| class.attempts[cause].duration_ms()).unwrap_or(0.0).max(0.0);
    failed + retry.scheduled.milliseconds_since(retry.failed)
}

fn timeline(class: &Class, seen: &Seen) -> Timeline {
    let first = seen.retries.iter().filter_map(|retry| class.attempts[retry.cause?].scheduled).min().unwrap_or(seen.from);
    let start = first.min(seen.from).0.div_euclid(SECOND).saturating_mul(SECOND);
    let seconds = seen.to.0.saturating_sub(start).div_euclid(SECOND).saturating_add(1);
    let bin = seconds.div_euclid(BINS).saturating_add(i64::from(seconds % BINS != 0)).max(1);
    let bins = usize::try_from(seconds.div_euclid(bin) + i64::from(seconds % bin != 0)).unwrap_or(1).max(1);
    let (mut first_calls, mut retries) = (vec![0; bins], vec![0; bins]);
    let from = class.attempts.partition_point(|attempt| attempt.scheduled < Some(Micros(start)));
    let inside = |attempt: &&Attempt| attempt.scheduled <= Some(seen.to);
    for attempt in class.attempts[from..].iter().take_while(inside) {
        let Some(scheduled) = attempt.scheduled else { continue };
        let at = scheduled.0.saturating_sub(start).div_euclid(bin.saturating_mul(SECOND));
        let counts = if attempt.is_retry() { &mut retries } else { &mut first_calls };
        if let Some(count) = usize::try_from(at).ok().and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "seconds of a storm")]
    Timeline { start: Micros(start), bin_ms: bin as f64 * 1000.0, first_calls, retries }
}
