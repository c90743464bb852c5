//! What makes a storm actionable: the policy that was in force, the change that would have calmed it, and the load with both.
//!
//! | file            | holds                                                              |
//! |-----------------|--------------------------------------------------------------------|
//! | `report.rs`     | what is said, as JSON has it                                       |
//! | `in_force.rs`   | which definition was in force, which one is on file                |
//! | `chains.rs`     | the storm's retries, call by call                                  |
//! | `policy.rs`     | the declared policy against the one that the waits show            |
//! | `outage.rs`     | while calls failed                                                 |
//! | `simulation.rs` | replaying the retries under a policy, with seeds                   |
//! | `proposal.rs`   | the smallest change that is enough                                 |
//! | `patch.rs`      | the change as JSON and JSON Patch                                  |
//! | `by_hand.rs`    | the same for loops made by hand                                    |
//! | `load.rs`       | the scene of a storm, and its curves                               |

mod by_hand;
mod chains;
mod in_force;
mod load;
mod outage;
mod patch;
mod policy;
mod proposal;
mod report;
mod simulation;
#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact in binary, or rounded to be")]
mod tests;

pub use report::{
    Curve, Declared, DefinitionBasis, Disagreement, InsteadOfLoop, Load, Operation, Outage, PolicyCompared, Reason, Remedy, SeenPolicy,
    Verdict, WaitsSeen,
};

use serde_json::Value;

use self::chains::{Chain, chains};
use self::in_force::{Definitions, definitions};
use self::load::Stage;
use self::policy::{Main, as_retrier, compare, declared, main_retrier, seconds, seen_policy, waits};
use self::proposal::{Proposal, Question, count, propose};
use super::loops::{LoopKind, loops};
use super::{Seen, Spread};
use crate::analysis::observed::Observed;
use crate::analysis::retry_policy::{Policy, Retrier};

/// What is said of one storm.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Declared against seen; `None` for a loop made by hand, whose waits no `Retry` decides.
    pub policy: Option<PolicyCompared>,
    /// What would have calmed it.
    pub remedy: Remedy,
}

/// A storm with what is known of its state's definitions.
struct Case<'a> {
    seen: &'a Seen,
    observed: &'a Observed,
    state: &'a str,
    chains: Vec<Chain>,
    definitions: Option<Definitions<'a>>,
    is_inner: bool,
}

/// Explains a storm; `is_inner` says that a level outside it retries, too: more retries here would multiply, and are no remedy.
pub fn explain(seen: &Seen, observed: &Observed, is_inner: bool) -> Explained {
    let state = observed.text(seen.class(observed).state);
    let case = Case { seen, observed, state, chains: chains(seen, observed), definitions: definitions(seen, observed), is_inner };
    let by_hand = seen.retries.iter().filter(|retry| retry.by_hand).count();
    if by_hand * 2 > seen.retries.len() {
        return Explained { policy: None, remedy: case.of_loop() };
    }
    case.of_retry()
}

impl Case<'_> {
    fn policy(&self, pick: fn(&Definitions<'_>) -> crate::analysis::observed::Name) -> Option<Policy> {
        Policy::of(self.observed.text(pick(self.definitions.as_ref()?)), self.state)
    }

    fn of_retry(&self) -> Explained {
        let (then, now) = (self.policy(|known| known.then.text), self.policy(|known| known.now.text));
        let waits = waits(&self.chains, self.seen, then.as_ref(), self.observed);
        let main = main_retrier(&waits);
        let seen = seen_policy(&main, &self.chains, self.seen.spread);
        let of_now = now.as_ref().and_then(|now| Some((now, self.main_of(now)?)));
        let pair = self.declared(then.as_ref(), of_now, &main);
        let compared = compare(&waits, &main, then.as_ref(), pair, seen);
        let remedy = self.remedy(&compared, then.as_ref(), &main, now.as_ref(), of_now.map(|(_, index)| index));
        Explained { policy: Some(compared), remedy }
    }

    /// The retrier that takes the storm's most frequent error that any takes.
    fn main_of(&self, policy: &Policy) -> Option<usize> {
        let errors = self.seen.errors(self.observed);
        let names = errors.iter().map(|(error, _)| error.map_or("", |error| self.observed.text(error)));
        names.filter_map(|name| policy.retrier_for(name)).map(|(index, _)| index).next()
    }

    fn declared(&self, then: Option<&Policy>, now: Option<(&Policy, usize)>, main: &Main) -> (Option<Declared>, Option<Declared>) {
        let Some(definitions) = self.definitions else { return (None, None) };
        let in_force = then.zip(main.retrier).and_then(|(policy, index)| declared(policy, index, definitions.then, definitions.basis));
        let on_file = now.and_then(|(policy, index)| declared(policy, index, definitions.now, DefinitionBasis::OnFile));
        let same = in_force.as_ref().zip(on_file.as_ref()).is_some_and(|(one, other)| one.retrier == other.retrier);
        (in_force, on_file.filter(|_| !same))
    }

    fn remedy(
        &self,
        compared: &PolicyCompared,
        then: Option<&Policy>,
        main: &Main,
        now: Option<&Policy>,
        main_now: Option<usize>,
    ) -> Remedy {
        let errors = self.error_names();
        let seen = as_retrier(&compared.seen, errors);
        let believed = then.filter(|_| compared.declared.is_some() && compared.disagreements.is_empty());
        // The policy of the storm: the declared one, unless the waits speak against it.
        let in_force = match (believed, &seen) {
            (Some(policy), _) => Some((Some(policy), policy.retriers.clone())),
            (None, Some(seen)) => Some((None, vec![seen.clone()])),
            (None, None) => None,
        };
        let stage = in_force.map(|(policy, retriers)| Stage::new(self, main, policy, retriers));
        let Some((now, main_now)) = now.zip(main_now) else {
            return self.without_definition(now, seen, stage);
        };
        let pointer = Some(format!("{}/Retry", now.pointer));
        let mut remedy = Remedy::new(Verdict::ChangeRetry, "", pointer, now.retry.clone());
        let on_file = &now.retriers[main_now];
        let Some(stage) = stage else {
            // Waits of nobody knows what: jitter helps whatever they were.
            remedy.after = crate::analysis::retry_policy::calmed(&now.retry, 300);
            remedy.patch = patch::operations(&format!("{}/Retry", now.pointer), &now.retry, &remedy.after);
            "set JitterStrategy to FULL: retries then come spread over each wait, not together".clone_into(&mut remedy.text);
            return remedy;
        };
        if compared.seen.spread == Spread::Full && on_file.full_jitter {
            remedy.verdict = Verdict::SpreadAlready;
            let load = stage.load(None);
            remedy.text = format!(
                "the Retry has full jitter already: what is left is load; {} of {} calls were given up",
                count(load.observed.given_up),
                self.chains.len()
            );
            remedy.load = Some(load);
            return remedy;
        }
        let scene = stage.scene(self, Some(now));
        let used: Vec<usize> = (0..now.retriers.len()).filter(|index| scene.uses(*index)).collect();
        let question = Question {
            scene: &scene,
            before: &stage.before,
            retriers: &now.retriers,
            main: main_now,
            used: &used,
            more_attempts: !self.is_inner,
            runs: stage.few_runs,
        };
        if on_file.full_jitter && question_is_answered(&question) {
            remedy.verdict = Verdict::ChangedSince;
            "the Retry on file has full jitter and would have calmed it: nothing is left to change".clone_into(&mut remedy.text);
            remedy.load = Some(stage.load(Some((&scene, &now.retriers))));
            return remedy;
        }
        let Some(Proposal { retriers, reasons }) = propose(&question) else { return remedy };
        let blocks = now.retry.as_array().into_iter().flatten().zip(&retriers);
        remedy.after = Value::Array(blocks.map(|(before, to)| patch::retrier(before, to)).collect());
        remedy.patch = patch::operations(&format!("{}/Retry", now.pointer), &now.retry, &remedy.after);
        remedy.reasons = reasons;
        let load = stage.load(Some((&scene, &retriers)));
        let already = if on_file.full_jitter { "the Retry on file has full jitter by now; " } else { "" };
        remedy.text = format!("{already}{}", changed(&remedy.reasons, &load));
        remedy.load = Some(load);
        remedy
    }

    /// The `Retry` that there should be, where no definition says what there is.
    fn without_definition(&self, now: Option<&Policy>, seen: Option<Retrier>, stage: Option<Stage>) -> Remedy {
        let missing = if now.is_some() {
            "the definition on file does not retry this error any more"
        } else {
            "there is no definition of this state (--definitions FOLDER gives it)"
        };
        let verdict = if now.is_some() { Verdict::ChangedSince } else { Verdict::NoDefinition };
        let before = now.map_or(Value::Null, |now| now.retry.clone());
        let mut remedy = Remedy::new(verdict, missing, now.map(|now| format!("{}/Retry", now.pointer)), before);
        let (Some(stage), Some(seen), None) = (stage, seen, now) else { return remedy };
        if self.seen.spread == Spread::Full {
            remedy.verdict = Verdict::SpreadAlready;
            remedy.load = Some(stage.load(None));
            return remedy;
        }
        let scene = stage.scene(self, None);
        let retriers = [seen];
        let question = Question {
            scene: &scene,
            before: &stage.before,
            retriers: &retriers,
            main: 0,
            used: &[0],
            more_attempts: !self.is_inner,
            runs: stage.few_runs,
        };
        let Some(Proposal { retriers, reasons }) = propose(&question) else { return remedy };
        remedy.after = Value::Array(retriers.iter().map(patch::new_retrier).collect());
        remedy.reasons = reasons;
        let load = stage.load(Some((&scene, &retriers)));
        remedy.text = format!("{missing}; by its waits, this Retry would have calmed it: {}", changed(&remedy.reasons, &load));
        remedy.load = Some(load);
        remedy
    }

    fn of_loop(&self) -> Remedy {
        let text = self.definitions.map(|known| self.observed.text(known.now.text));
        let found = text.and_then(|text| loops(text, self.state).into_iter().find(|found| found.kind == LoopKind::Retries));
        let verdict = if text.is_some() { Verdict::ChangeWait } else { Verdict::NoDefinition };
        let advice = "a loop made by hand retries after the same wait each time: make its Wait random, or give the state a Retry with \
                      jitter in place of the loop";
        let mut remedy = Remedy::new(verdict, advice, found.as_ref().map(|found| found.pointer.clone()), Value::Null);
        let rounds = self.chains.iter().map(|chain| u64::from(chain.before) + chain.retries.len() as u64).max().unwrap_or(1);
        let waits = waits(&self.chains, self.seen, None, self.observed);
        let main = main_retrier(&waits);
        let observed_wait = main.waits.get(&1).map(|waits| policy::quantile(waits, 0.5) / 1000.0);
        let Some(wait) = found.as_ref().and_then(|found| found.seconds).or(observed_wait) else { return remedy };
        let ends = self.chains.iter().any(|chain| chain.given_up);
        // Rounds beyond those that were seen are only allowed where nobody gave up.
        let most = if ends { rounds } else { u64::MAX };
        let stage = Stage::new(self, &main, None, vec![by_hand::as_retrier(wait, false, most)]);
        let scene = stage.scene(self, None);
        let load = stage.load(Some((&scene, &[by_hand::as_retrier(wait, true, most)])));
        if let (Some(text), Some(found)) = (text, &found)
            && let Ok(definition) = serde_json::from_str::<Value>(text)
        {
            if let Some(random) = by_hand::random_wait(&definition, found) {
                remedy.text = format!(
                    "{} waits {} each time: a random wait from 0 to twice that, as long on average, has at most {} retries in one \
                     second in place of {}",
                    found.wait,
                    seconds(wait * 1000.0),
                    count(load.after.as_ref().map_or(0.0, |after| after.peak_per_second)),
                    count(load.before.peak_per_second)
                );
                (remedy.before, remedy.after, remedy.patch) = (random.before, random.after, random.patch);
            }
            let policy = Policy::of(text, self.state);
            remedy.instead_of_loop = policy.and_then(|policy| by_hand::instead(&policy, found, ends.then_some(rounds)));
        }
        remedy.load = Some(load);
        remedy
    }

    /// The errors of the storm, the most frequent first; `States.ALL` where none has a name.
    fn error_names(&self) -> Vec<String> {
        let errors = self.seen.errors(self.observed);
        let mut names: Vec<String> =
            errors.iter().filter_map(|(error, _)| Some(self.observed.text((*error)?).to_owned())).filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            names.push("States.ALL".to_owned());
        }
        names
    }
}

/// Whether what is on file would have been enough.
fn question_is_answered(question: &Question<'_>) -> bool {
    propose(question).is_some_and(|proposal| proposal.reasons.is_empty())
}

fn changed(reasons: &[Reason], load: &Load) -> String {
    let fields: Vec<String> = reasons.iter().map(|reason| format!("{} {}", reason.field, plain(&reason.value))).collect();
    let after = load.after.as_ref().map_or(0.0, |after| after.peak_per_second);
    format!("{}: at most {} retries in one second in place of {}", fields.join(", "), count(after), count(load.before.peak_per_second))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
