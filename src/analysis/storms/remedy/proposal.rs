//! Which change of a `Retry` would have calmed a storm: the smallest one that the simulation says is enough.
//!
//! Jitter always. It makes waits half as long on average, so that the same number of retries lasts half as long, and a short first wait
//! leaves little to spread over. Where the simulation shows either, more is changed:
//!
//! | the simulation shows                                   | then                                                        |
//! |---------------------------------------------------------|-------------------------------------------------------------|
//! | more calls given up than with the policy of the storm   | a few more attempts, none of whose waits is longer than now; |
//! |                                                         | not on an inner level of retries that multiply              |
//! | that the peak is not halved, or the above was no help   | the first wait 2, 4 or 8 times as long                      |
//! | a quarter fewer retries with waits that grow            | `BackoffRate` 2 in place of a constant wait                 |
//! | waits that grow beyond five minutes                     | `MaxDelaySeconds`, if nothing above gets worse by it        |

use serde_json::{Value, json};

use super::policy::{seconds, tidy};
use super::report::Reason;
use super::simulation::{Outcome, Scene, simulate};
use crate::analysis::retry_policy::Retrier;

/// The first wait is made longer by these factors and the attempts are more by these numbers: the smallest change first. More attempts
/// load the dependency while it is down, so that a longer first wait comes before many of them.
const LADDER: [(f64, u64); 17] = [
    (1.0, 0),
    (1.0, 1),
    (1.0, 2),
    (1.0, 3),
    (2.0, 0),
    (2.0, 1),
    (2.0, 2),
    (4.0, 0),
    (4.0, 1),
    (4.0, 2),
    (8.0, 0),
    (8.0, 1),
    (8.0, 2),
    (1.0, 4),
    (1.0, 5),
    (1.0, 6),
    (8.0, 4),
];
/// A first wait is not made longer than this, in seconds: one call that fails by chance waits that long, too.
const LONGEST_FIRST_WAIT: f64 = 60.0;
/// The longest wait that is left as it is, in seconds: five minutes after the dependency is back, people have noticed.
const LONGEST_WAIT: f64 = 300.0;
/// So few retries in a second harm nobody, however few they were before.
const HARMLESS: f64 = 3.0;
/// Below this a wait counts as constant.
const CONSTANT: f64 = 1.2;

/// A policy that is calmer.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    /// All retriers of the state.
    pub retriers: Vec<Retrier>,
    /// What was changed in the main one, and why.
    pub reasons: Vec<Reason>,
}

/// What is asked for.
pub(super) struct Question<'a> {
    /// The storm, its calls with the retriers of `retriers`.
    pub scene: &'a Scene,
    /// The load under the policy that was in force.
    pub before: &'a Outcome,
    /// The retriers to be changed.
    pub retriers: &'a [Retrier],
    /// Which of them took most of the storm's errors.
    pub main: usize,
    /// Which of them took any of them.
    pub used: &'a [usize],
    /// Whether more attempts may be proposed: not where the retries of a level outside multiply them, and go on when they are used up.
    pub more_attempts: bool,
    /// How often a candidate is simulated.
    pub runs: u32,
}

impl Question<'_> {
    /// Whether it keeps as many calls from being given up as the policy of the storm did.
    fn keeps_calls(&self, outcome: &Outcome) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "counts of calls")]
        let slack = (self.scene.calls.len() as f64 / 100.0).max(0.5);
        outcome.given_up <= self.before.given_up + slack
    }

    /// Whether it halves the peak.
    fn calms(&self, outcome: &Outcome) -> bool {
        outcome.peak <= (self.before.peak / 2.0).max(HARMLESS)
    }

    fn with(&self, main: &Retrier) -> Vec<Retrier> {
        let mut retriers = self.retriers.to_vec();
        for index in self.used {
            if let Some(retrier) = retriers.get_mut(*index) {
                retrier.full_jitter |= retrier.max_attempts > 0;
            }
        }
        if let Some(retrier) = retriers.get_mut(self.main) {
            *retrier = main.clone();
        }
        retriers
    }

    fn outcome(&self, main: &Retrier) -> Outcome {
        simulate(self.scene, &self.with(main), self.runs)
    }
}

/// Finds the change; `None` without a main retrier.
pub(super) fn propose(question: &Question<'_>) -> Option<Proposal> {
    let declared = question.retriers.get(question.main)?;
    let jittered = Retrier { full_jitter: true, ..declared.clone() };
    let only_jitter = question.outcome(&jittered);
    let (mut chosen, mut outcome) = climb(question, &jittered, &only_jitter);
    if let Some((slower, calmer)) = growing(question, &chosen, &outcome) {
        (chosen, outcome) = (slower, calmer);
    }
    if let Some((capped, still)) = capped(question, &chosen, &outcome) {
        (chosen, outcome) = (capped, still);
    }
    let reasons = reasons(question, declared, &chosen, &only_jitter, &outcome);
    Some(Proposal { retriers: question.with(&chosen), reasons })
}

/// The first step of the ladder that is enough; if none is, of those that keep the calls the one with the least peak, and if none keeps
/// them, the one that keeps most.
fn climb(question: &Question<'_>, jittered: &Retrier, only_jitter: &Outcome) -> (Retrier, Outcome) {
    let mut best: Option<(Retrier, Outcome)> = None;
    let mut kindest = (jittered.clone(), only_jitter.clone());
    for (factor, more) in LADDER {
        let too_long = factor > 1.0 && jittered.interval_seconds * factor > LONGEST_FIRST_WAIT;
        if too_long || (more > 0 && !question.more_attempts) {
            continue;
        }
        let candidate = step(jittered, factor, more);
        let outcome = question.outcome(&candidate);
        // A change has to be worth it: a fifth less.
        if outcome.given_up < kindest.1.given_up * 0.8 {
            kindest = (candidate.clone(), outcome.clone());
        }
        if !question.keeps_calls(&outcome) {
            continue;
        }
        if question.calms(&outcome) {
            return (candidate, outcome);
        }
        if best.as_ref().is_none_or(|(_, least)| outcome.peak < least.peak * 0.8) {
            best = Some((candidate, outcome));
        }
    }
    best.unwrap_or(kindest)
}

fn step(jittered: &Retrier, factor: f64, more: u64) -> Retrier {
    let mut candidate = jittered.clone();
    candidate.interval_seconds *= factor;
    candidate.max_delay_seconds = jittered.max_delay_seconds.map(|longest| longest * factor);
    candidate.max_attempts = candidate.max_attempts.saturating_add(more);
    let grows = jittered.backoff_rate > 1.0 && candidate.max_delay_seconds.is_none();
    if more > 0 && grows {
        // The service wants it to be longer than the first wait.
        let now = jittered.last_delay_seconds() * factor;
        candidate.max_delay_seconds = Some(now.ceil().max(candidate.interval_seconds + 1.0));
    }
    candidate
}

/// Waits that grow, in place of constant ones.
fn growing(question: &Question<'_>, chosen: &Retrier, outcome: &Outcome) -> Option<(Retrier, Outcome)> {
    if chosen.backoff_rate > CONSTANT || chosen.max_attempts < 2 {
        return None;
    }
    let longest = (chosen.interval_seconds * 8.0).clamp(chosen.interval_seconds + 1.0, LONGEST_WAIT.max(chosen.interval_seconds + 1.0));
    let slower = Retrier { backoff_rate: 2.0, max_delay_seconds: Some(longest.ceil()), ..chosen.clone() };
    let calmer = question.outcome(&slower);
    let worth_it = calmer.retries <= outcome.retries * 0.75 && calmer.peak <= outcome.peak && question.keeps_calls(&calmer);
    worth_it.then_some((slower, calmer))
}

/// Waits that end at five minutes.
fn capped(question: &Question<'_>, chosen: &Retrier, outcome: &Outcome) -> Option<(Retrier, Outcome)> {
    let grows_far = chosen.max_delay_seconds.is_none() && chosen.last_delay_seconds() > LONGEST_WAIT;
    if !grows_far || chosen.interval_seconds >= LONGEST_WAIT {
        return None;
    }
    let capped = Retrier { max_delay_seconds: Some(LONGEST_WAIT), ..chosen.clone() };
    let still = question.outcome(&capped);
    let no_worse = still.peak <= outcome.peak * 1.1 && (question.keeps_calls(&still) || still.given_up <= outcome.given_up);
    no_worse.then_some((capped, still))
}

fn reasons(question: &Question<'_>, declared: &Retrier, chosen: &Retrier, only_jitter: &Outcome, outcome: &Outcome) -> Vec<Reason> {
    let before = question.before;
    let mut reasons = Vec::new();
    if !declared.full_jitter {
        let text = format!(
            "each wait is drawn from 0 to its full length: at most {} retries in one second in place of {}",
            count(only_jitter.peak),
            count(before.peak)
        );
        reasons.push(Reason { field: "JitterStrategy", value: "FULL".into(), text });
    }
    if chosen.interval_seconds > declared.interval_seconds {
        let why = if question.calms(only_jitter) {
            "drawn waits are half as long on average; twice as long, retries last as long as they did".to_owned()
        } else {
            format!(
                "from 0 to {} there is little to spread over: {} retries in one second, {} with this",
                seconds(declared.interval_seconds * 1000.0),
                count(only_jitter.peak),
                count(outcome.peak)
            )
        };
        let mean = seconds(chosen.interval_seconds * 500.0);
        let text = format!("{why}; the first wait is {mean} on average");
        reasons.push(Reason { field: "IntervalSeconds", value: number(chosen.interval_seconds), text });
    }
    if chosen.max_attempts > declared.max_attempts {
        let text = format!(
            "drawn waits are half as long on average: with jitter alone {} of {} calls would have been given up in this outage, \
             with all of this {} (without: {})",
            count(only_jitter.given_up),
            question.scene.calls.len(),
            count(outcome.given_up),
            count(before.given_up)
        );
        reasons.push(Reason { field: "MaxAttempts", value: chosen.max_attempts.into(), text });
    }
    if (chosen.backoff_rate - declared.backoff_rate).abs() > 1e-9 {
        let text = format!(
            "waits that grow ask less of a dependency that is down: {} retries in all, {} with a constant wait",
            count(outcome.retries),
            count(only_jitter.retries)
        );
        reasons.push(Reason { field: "BackoffRate", value: json!(chosen.backoff_rate), text });
    }
    if let Some(longest) = chosen.max_delay_seconds.filter(|longest| declared.max_delay_seconds != Some(*longest)) {
        let text = match declared.max_delay_seconds {
            Some(_) => "longer by as much as the first wait".to_owned(),
            None if declared.last_delay_seconds() > longest => format!(
                "without it waits grow to {}, and executions still wait when the dependency has long been back",
                seconds(declared.last_delay_seconds() * 1000.0)
            ),
            None => "no wait grows beyond that, however many retries there are".to_owned(),
        };
        reasons.push(Reason { field: "MaxDelaySeconds", value: number(longest), text });
    }
    reasons
}

fn number(seconds: f64) -> Value {
    super::patch::whole(seconds)
}

/// A number of retries or calls for a sentence: whole, or with one digit below ten.
pub(super) fn count(value: f64) -> String {
    let value = tidy(value);
    if value.fract().abs() < 0.05 || value >= 10.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact in binary, or rounded to be")]
mod tests {
    use super::super::simulation::{Call, failing_until};
    use super::*;

    fn retrier(interval_seconds: f64, max_attempts: u64, backoff_rate: f64) -> Retrier {
        Retrier {
            error_equals: vec!["States.ALL".to_owned()],
            interval_seconds,
            max_attempts,
            backoff_rate,
            max_delay_seconds: None,
            full_jitter: false,
        }
    }

    /// Calls that fail together, and a dependency that is down for so many seconds.
    fn proposed(retrier: &Retrier, calls: usize, down: f64) -> (Proposal, Outcome, Outcome) {
        let call = Call { failed: 0.0, retriers: vec![Some(0)] };
        let scene = Scene { calls: vec![call; calls], failing: failing_until(down), horizon: f64::INFINITY, ..Scene::default() };
        let retriers = std::slice::from_ref(retrier);
        let before = simulate(&scene, retriers, 20);
        let question = Question { scene: &scene, before: &before, retriers, main: 0, used: &[0], more_attempts: true, runs: 20 };
        let proposal = propose(&question).expect("a proposal");
        let after = simulate(&scene, &proposal.retriers, 20);
        (proposal, before, after)
    }

    fn fields(proposal: &Proposal) -> Vec<&'static str> {
        proposal.reasons.iter().map(|reason| reason.field).collect()
    }

    #[test]
    fn a_short_outage_needs_jitter_alone() {
        let (proposal, before, after) = proposed(&retrier(10.0, 5, 2.0), 100, 12.0);
        assert_eq!(fields(&proposal), ["JitterStrategy"]);
        assert!(after.peak * 2.0 <= before.peak && after.given_up <= before.given_up + 1.0);
    }

    #[test]
    fn where_jitter_uses_up_the_retries_there_are_more_and_none_waits_longer() {
        // Without jitter the last retry is at 28 s, when all is well.
        let (proposal, before, after) = proposed(&retrier(4.0, 3, 2.0), 100, 25.0);
        assert_eq!(before.given_up, 0.0);
        assert!(after.given_up <= 1.0, "{after:?}");
        let chosen = &proposal.retriers[0];
        assert!(chosen.max_attempts > 3 || chosen.interval_seconds > 4.0, "{proposal:?}");
        assert!(after.peak <= before.peak / 2.0);
    }

    #[test]
    fn a_first_wait_of_a_second_is_made_longer() {
        let (proposal, before, after) = proposed(&retrier(1.0, 6, 2.0), 200, 0.5);
        assert!(proposal.retriers[0].interval_seconds >= 4.0, "{proposal:?}");
        assert!(after.peak <= before.peak / 2.0, "{before:?} {after:?}");
    }

    #[test]
    fn where_a_level_outside_retries_too_there_are_no_more_of_them() {
        let call = Call { failed: 0.0, retriers: vec![Some(0)] };
        let scene = Scene { calls: vec![call; 100], failing: failing_until(25.0), horizon: f64::INFINITY, ..Scene::default() };
        let declared = [retrier(4.0, 3, 2.0)];
        let before = simulate(&scene, &declared, 20);
        let question =
            Question { scene: &scene, before: &before, retriers: &declared, main: 0, used: &[0], more_attempts: false, runs: 20 };
        let proposal = propose(&question).expect("a proposal");
        assert_eq!(proposal.retriers[0].max_attempts, 3);
        assert!(proposal.retriers[0].interval_seconds > 4.0, "longer waits last as long: {proposal:?}");
    }

    #[test]
    fn constant_waits_are_made_to_grow() {
        let (proposal, _, _) = proposed(&retrier(5.0, 30, 1.0), 100, 100.0);
        let chosen = &proposal.retriers[0];
        assert_eq!((chosen.backoff_rate, chosen.max_delay_seconds), (2.0, Some(chosen.interval_seconds * 8.0)));
    }

    #[test]
    fn waits_of_hours_are_cut() {
        let (proposal, ..) = proposed(&retrier(10.0, 12, 2.0), 100, 30.0);
        assert_eq!(proposal.retriers[0].max_delay_seconds, Some(300.0));
        assert!(fields(&proposal).contains(&"MaxDelaySeconds"));
    }

    #[test]
    fn an_outage_without_end_asks_for_jitter_alone() {
        let (proposal, ..) = proposed(&retrier(4.0, 4, 2.0), 100, f64::INFINITY);
        assert_eq!(fields(&proposal), ["JitterStrategy"]);
    }
}
