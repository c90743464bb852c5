//! All detectors over histories in memory, and their verdicts beside the truth.
//!
//! Test programs use a part of it each.
#![allow(dead_code)]

use std::collections::{BTreeSet, HashMap};

use bumpalo::Bump;
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::analysis::fleet::Question;
use stepscope::analysis::observed::Gather;
use stepscope::analysis::{callbacks, changes, storms};
use stepscope::asl::Definition;
use stepscope::model::{History, Micros, Timestamp};
use stepscope::rebuild::rebuild;
use stepscope::simulation::{SignalTruth, StormTruth, Truth};

/// What the detectors found.
pub struct Verdicts {
    pub storms: Vec<storms::Storm>,
    pub stuck: Vec<callbacks::StuckCallback>,
    pub changes: Vec<changes::ChangePoint>,
}

/// Puts a question to every history.
pub fn ask<Q: Question>(histories: &[&History], mut question: Q) -> Q {
    let mut definitions: HashMap<String, Option<Definition>> = HashMap::new();
    let mut arena = Bump::new();
    let needs = question.needs();
    for history in histories {
        let text = history.definition.as_ref().map(|text| text.decode().into_owned()).unwrap_or_default();
        let definition = definitions.entry(text).or_insert_with_key(|text| Definition::parse(text).ok()).as_ref();
        let path = rebuild(history, definition);
        arena.reset();
        question.take(&extract(Rebuilt { history, path: &path, definition }, needs, &arena));
    }
    question
}

/// Asks the detectors.
pub fn detect(histories: &[&History], now: Timestamp) -> Verdicts {
    let now = Micros::from(now);
    let observed = ask(histories, Gather::new()).finish();
    let mut changes = changes::find(&observed, now);
    if let Some(attributes) = changes.attributes() {
        let answered = ask(histories, attributes);
        changes.explain(answered);
    }
    Verdicts { storms: storms::find(&observed, now).storms, stuck: callbacks::find(&observed, now).stuck, changes: changes.changes }
}

impl Verdicts {
    /// The findings in a line each; none for a sound fleet. Jittered storms are no alarm, but in sound traffic they are none either.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let shown = |moment: Micros| moment.timestamp().to_string();
        for storm in &self.storms {
            let (from, to) = (shown(storm.from), shown(storm.to));
            let kind = if storm.jittered { "jittered storm" } else { "storm" };
            lines.push(format!("{kind} {} {from} to {to}, {} executions", storm.state, storm.executions.len()));
        }
        for stuck in &self.stuck {
            lines.push(format!("stuck {} since {}: {}", stuck.state, shown(stuck.since), stuck.execution));
        }
        for change in &self.changes {
            let (at, error) = (shown(change.at), change.error.as_deref().unwrap_or_default());
            lines.push(format!("change {:?} {} at {at} {error} {:?}", change.signal, change.state, change.attribute));
        }
        lines
    }
}

/// How verdicts stand to the truth, of one detector.
#[derive(Debug, Default, Clone)]
pub struct Score {
    pub right: usize,
    pub missed: Vec<String>,
    pub wrong: Vec<String>,
}

impl Score {
    pub fn add(&mut self, other: Self) {
        self.right += other.right;
        self.missed.extend(other.missed);
        self.wrong.extend(other.wrong);
    }

    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    pub fn precision(&self) -> f64 {
        self.right as f64 / (self.right + self.wrong.len()).max(1) as f64
    }

    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    pub fn recall(&self) -> f64 {
        self.right as f64 / (self.right + self.missed.len()).max(1) as f64
    }
}

fn overlaps(from: Micros, to: Micros, truth: &StormTruth) -> bool {
    const SLACK: i64 = 60_000_000;
    let (begins, ends) = (Micros::from(truth.from).0, Micros::from(truth.to).0);
    from.0 <= ends + SLACK && to.0 >= begins - SLACK
}

/// Storms: one in lockstep must be found, and with 97 % of its executions that were hit together; what is reported as unjittered must
/// be one. Fewer than eight together may be missed.
pub fn score_storms(verdicts: &Verdicts, truth: &Truth) -> Score {
    let mut score = Score::default();
    let unjittered = || verdicts.storms.iter().filter(|storm| !storm.jittered);
    let is_of = |storm: &&storms::Storm, truth: &StormTruth| {
        storm.state == truth.state && storm.state_machine.as_deref() == Some(&truth.machine) && overlaps(storm.from, storm.to, truth)
    };
    for truth in truth.storms.iter().filter(|truth| !truth.jittered && truth.together >= 8) {
        if unjittered().any(|storm| is_of(&storm, truth)) {
            score.right += 1;
        } else {
            score.missed.push(format!("{} from {}: {} together", truth.state, truth.from, truth.together));
        }
    }
    for storm in unjittered() {
        if !truth.storms.iter().any(|truth| !truth.jittered && is_of(&storm, truth)) {
            score.wrong.push(format!("{} from {}: {} executions", storm.state, storm.from.timestamp(), storm.executions.len()));
        }
    }
    score
}

/// Stuck callbacks: those that are older than nearly all that are answered must be found; whatever is found must be stuck.
pub fn score_stuck(verdicts: &Verdicts, truth: &Truth) -> Score {
    let mut score = Score::default();
    let found: BTreeSet<(&str, &str)> = verdicts.stuck.iter().map(|stuck| (stuck.execution.as_str(), stuck.state.as_str())).collect();
    let stuck: BTreeSet<(&str, &str)> = truth.stuck.iter().map(|stuck| (stuck.execution.as_str(), stuck.state.as_str())).collect();
    for truth in truth.stuck.iter().filter(|truth| truth.must_be_found) {
        if found.contains(&(truth.execution.as_str(), truth.state.as_str())) {
            score.right += 1;
        } else {
            score.missed.push(format!("{} since {}: {}", truth.state, truth.since, truth.execution));
        }
    }
    score.wrong = found.difference(&stuck).map(|(execution, state)| format!("{state}: {execution}")).collect();
    score
}

/// What a change must have to be demanded: enough before it and after it that a person would see it, too.
const DEMANDED: usize = 30;
/// A new error must have come so often.
const DEMANDED_ERRORS: usize = 6;
/// How far off the moment may be.
const TOLERANCE: i64 = 45 * 60 * 1_000_000;

/// Change points: of latency by half or more, of errors that came six times. Changes inside an outage, and those of a parent whose
/// child changed, are neither right nor wrong.
pub fn score_changes(verdicts: &Verdicts, truth: &Truth) -> Score {
    let mut score = Score::default();
    let family = |signal: changes::Signal| match signal {
        changes::Signal::Latency => SignalTruth::Latency,
        _ => SignalTruth::NewError,
    };
    let mut explained = BTreeSet::new();
    for truth in &truth.changes {
        // Few calls leave the moment open by as much as it takes until some of them were made.
        let lasts = Micros::from(truth.to.min(verdict_end(verdicts, truth.at))).0 - Micros::from(truth.at).0;
        let tolerance = TOLERANCE.max(lasts / 4);
        let found = verdicts.changes.iter().position(|change| {
            change.state == truth.state
                && change.state_machine.as_deref() == Some(&truth.machine)
                && family(change.signal) == truth.signal
                && (change.at.0 - Micros::from(truth.at).0).abs() <= tolerance
        });
        let demanded = match truth.signal {
            SignalTruth::Latency => truth.before >= DEMANDED && truth.after >= DEMANDED && truth.factor >= 1.8,
            SignalTruth::NewError => truth.before >= DEMANDED && truth.affected >= DEMANDED_ERRORS,
        };
        match found {
            Some(position) => {
                let change = &verdicts.changes[position];
                if demanded {
                    score.right += 1;
                }
                if let (Some((name, value)), Some(attribute)) = (&truth.attribute, &change.attribute)
                    && (!attribute.name.ends_with(name.as_str()) || attribute.value.as_str() != Some(value))
                {
                    score.wrong.push(format!("{} with {} = {}, not {name} = {value}", change.state, attribute.name, attribute.value));
                }
                explained.insert(position);
            }
            None if demanded => score.missed.push(format!(
                "{:?} {} at {}: {} before, {} after, {} affected, factor {:.1}",
                truth.signal, truth.state, truth.at, truth.before, truth.after, truth.affected, truth.factor
            )),
            None => {}
        }
    }
    for (position, change) in verdicts.changes.iter().enumerate() {
        let near = |at: Timestamp, slack: i64| (change.at.0 - Micros::from(at).0).abs() <= slack;
        let in_outage = truth
            .storms
            .iter()
            .any(|storm| (Micros::from(storm.from).0 - 900_000_000..=Micros::from(storm.to).0 + 1_800_000_000).contains(&change.at.0));
        let of_parent = change.state == "ChargeCustomer"
            && truth.changes.iter().any(|truth| near(truth.at, 2 * TOLERANCE) || truth.at < change.at.timestamp());
        let same_state = truth.changes.iter().any(|truth| truth.state == change.state && near(truth.at, 2 * TOLERANCE));
        if !explained.contains(&position) && !in_outage && !of_parent && !same_state {
            let error = change.error.as_deref().unwrap_or_default();
            score.wrong.push(format!("{:?} {} at {} {error}", change.signal, change.state, change.at.timestamp()));
        }
    }
    score
}

/// The latest moment that verdicts speak of, or this one.
fn verdict_end(verdicts: &Verdicts, at: Timestamp) -> Timestamp {
    verdicts.changes.iter().map(|change| change.at.timestamp()).max().map_or(at, |last| last.max(at))
}
