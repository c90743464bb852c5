//! Which values of the input go with an error: asked in a second pass, because few errors need it and inputs are most of the bytes.
//!
//! Executions with the error are compared, from its begin on, with the others that came to the same state. For each value a table of
//! four counts: Fisher's exact test, corrected for all values that were tested (Benjamini and Hochberg); of those that pass, the lower 95 %
//! bound of the odds ratio tells which is clearest. Values that are nearly all different are names of things, and say nothing.
//!
//! It also makes sure of errors that are too few to be called new by their time alone. Among executions with the value only: had the
//! error always gone with it at one rate, the chance that it is met in the last `n1` of `N` alone is `C(n1, K) / C(N, K)`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde_json::Value;

use super::date::{OF_ERRORS, Place, likeliest};
use super::errors::{ONSETS, Rise};
use super::proportion::Outcomes;
use super::report::{Attribute, AttributeEvidence, ChangePoint, Interval};
use super::words;
use crate::analysis::fleet::Question;
use crate::analysis::observed::Observed;
use crate::analysis::statistics::{Table, corrected};
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, Micros};

/// Members of members, and no further.
const DEEPEST: usize = 2;
/// Members that one input may have; what comes after them is not looked at.
const MOST_MEMBERS: usize = 200;
/// Longer texts are no values that anybody compares.
const LONGEST: usize = 200;
/// Larger inputs are not read: the service takes 256 KiB.
const LARGEST: usize = 1 << 20;
/// More different values are not looked at one by one.
const MOST_VALUES: usize = 200;
/// Values that are different for more than half of the executions are names of things.
const MOST_DISTINCT_SHARE: f64 = 0.5;
/// Executions of each side that are looked at; of more, each n-th.
const MOST_EXECUTIONS: usize = 2000;
/// Changes that are explained, the first ones.
const MOST_ASKS: usize = 50;
/// A value goes with an error if chance does it in less than one of twenty reports.
const LEVEL: f64 = 0.05;
/// Values that are shown.
const MOST_SHOWN: usize = 5;
/// What makes sure of a new error: its value goes with it as clearly as the first, and it is met so late, among those, as the second.
const CONFIRMED: (f64, f64) = (1e-3, 2e-2);
/// What the service adds to the input of executions that an execution started.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// What is asked about one change.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    pub is_pending: bool,
    /// Position of the change in its list.
    pub number: usize,
    /// The executions with the error.
    failing: Vec<Asked>,
    /// Those that had it outside of the time that is told of.
    strays: Vec<Asked>,
    /// The others, from the begin on.
    others: Vec<Asked>,
    /// Those that came before.
    before: Vec<Asked>,
}

/// An execution that is asked about.
#[derive(Debug, Clone)]
struct Asked {
    arn: String,
    start: Option<Micros>,
}

impl Ask {
    pub fn of(observed: &Observed, rise: &Rise, is_pending: bool, number: usize) -> Self {
        let asked = |position: &u32| {
            let execution = &observed.executions[*position as usize];
            Asked { arn: observed.text(execution.arn).to_owned(), start: execution.start }
        };
        let began = rise.executions.iter().filter_map(|position| observed.executions[*position as usize].start).min();
        let (before, others): (Vec<u32>, Vec<u32>) =
            rise.others.iter().partition(|position| observed.executions[**position as usize].start < began);
        let some = |positions: &[u32]| {
            let step = positions.len().div_ceil(MOST_EXECUTIONS).max(1);
            positions.iter().step_by(step).map(asked).collect()
        };
        let failing: Vec<u32> = rise.executions.iter().copied().collect();
        Self { is_pending, number, failing: some(&failing), strays: some(&rise.strays), others: some(&others), before: some(&before) }
    }
}

/// The second question.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    wanted: Arc<HashSet<String, RandomState>>,
    found: HashMap<String, Vec<(String, Text)>, RandomState>,
}

/// A value by its JSON text.
type Text = String;

impl Attributes {
    pub(super) fn about(asks: &[Ask]) -> Option<Self> {
        let asks = asks.iter().take(MOST_ASKS);
        let wanted: HashSet<String, RandomState> = asks
            .flat_map(|ask| ask.failing.iter().chain(&ask.strays).chain(&ask.others).chain(&ask.before))
            .map(|asked| asked.arn.clone())
            .collect();
        (!wanted.is_empty()).then(|| Self { wanted: Arc::new(wanted), found: HashMap::default() })
    }

    /// What was found, for each of what was asked.
    pub(super) fn answers(&self, asks: &[Ask]) -> Vec<Explained> {
        asks.iter().map(|ask| self.answer(ask)).collect()
    }

    fn answer(&self, ask: &Ask) -> Explained {
        let rows = |asked: &[Asked]| -> Vec<&Vec<(String, Text)>> { asked.iter().filter_map(|asked| self.found.get(&asked.arn)).collect() };
        let (failing, others, before) = (rows(&ask.failing), rows(&ask.others), rows(&ask.before));
        let mut tests: Vec<(&str, &str, Table)> = Vec::new();
        for (name, values) in columns(&failing, &others) {
            let all: u64 = values.values().map(|(a, b)| a + b).sum();
            #[allow(clippy::cast_precision_loss, reason = "counts of executions")]
            let is_identifier = values.len() as f64 > MOST_DISTINCT_SHARE * all as f64;
            if is_identifier || values.len() > MOST_VALUES || values.len() < 2 && all == (failing.len() + others.len()) as u64 {
                continue;
            }
            let table = |(a, b): (u64, u64)| Table { a, a_total: failing.len() as u64, b, b_total: others.len() as u64 };
            tests.extend(values.into_iter().map(|(value, counts)| (name, value, table(counts))));
        }
        let p: Vec<f64> = tests.iter().map(|(_, _, table)| table.fisher()).collect();
        let mut shown: Vec<AttributeEvidence> = tests
            .iter()
            .zip(corrected(&p))
            .filter(|((_, _, table), p)| *p <= LEVEL && table.odds_ratio_low() > 1.0)
            .map(|((name, value, table), p)| AttributeEvidence {
                name: (*name).to_owned(),
                value: serde_json::from_str(value).unwrap_or_default(),
                failing: table.a,
                failing_total: table.a_total,
                others: table.b,
                others_total: table.b_total,
                odds_ratio_low: (table.odds_ratio_low() * 1000.0).round() / 1000.0,
                corrected_p_value: p,
            })
            .collect();
        shown.sort_by(|one, other| {
            other
                .odds_ratio_low
                .total_cmp(&one.odds_ratio_low)
                .then_with(|| (&one.name, one.value.to_string()).cmp(&(&other.name, other.value.to_string())))
        });
        shown.truncate(MOST_SHOWN);
        let late = shown.first().map_or(1.0, |first| lateness(first, &before));
        let date = shown.first().and_then(|first| self.date(ask, first));
        Explained { shown, late, date }
    }

    /// When it began, as far as executions with a value tell: between the last that was well and the first that was not.
    fn date(&self, ask: &Ask, value: &AttributeEvidence) -> Option<(Micros, Interval)> {
        let text = value.value.to_string();
        let has_it = |asked: &&Asked| {
            self.found.get(&asked.arn).is_some_and(|row| row.iter().any(|(name, other)| *name == value.name && *other == text))
        };
        let told = |asked: &[Asked], failed: bool| -> Vec<(Micros, bool)> {
            asked.iter().filter(has_it).filter_map(|asked| Some((asked.start?, failed))).collect()
        };
        let mut all = [told(&ask.before, false), told(&ask.others, false), told(&ask.strays, true), told(&ask.failing, true)].concat();
        all.sort_unstable();
        let places: Vec<usize> = all.iter().enumerate().filter(|(_, (_, failed))| *failed).map(|(at, _)| at).collect();
        let outcomes = Outcomes { places: &places, count: all.len() };
        let window = outcomes.rest()?;
        let onsets = outcomes.onsets(window, ONSETS);
        // What fails began before it was first met.
        let (first, _) = all[window.from];
        let moment = |at: usize| all[at].0.min(first).0;
        let place = |(at, llr): &(usize, f64)| Some(Place { after: moment(at.checked_sub(1)?), until: moment(*at), llr: *llr });
        let around: Vec<Place> = onsets.iter().filter_map(place).collect();
        let best = around.iter().map(|place| place.llr).fold(f64::NEG_INFINITY, f64::max);
        let near = || around.iter().filter(|place| place.llr >= best - 2.0);
        let interval = Interval { from: Micros(near().next()?.after), to: Micros(near().next_back()?.until) };
        Some((Micros(likeliest(&around, first.0, OF_ERRORS)), interval))
    }
}

/// How late the error is met among executions with its value: the chance that the last ones alone have it.
fn lateness(first: &AttributeEvidence, before: &[&Vec<(String, Text)>]) -> f64 {
    let value = first.value.to_string();
    let with_value = |row: &&&Vec<(String, Text)>| row.iter().any(|(name, text)| *name == first.name && *text == value);
    let earlier = before.iter().filter(with_value).count() as u64;
    Table { a: first.failing, a_total: first.failing + first.others, b: 0, b_total: earlier }.at_least()
}

/// For each member and value how many of both sides have it.
fn columns<'a>(
    failing: &[&'a Vec<(String, Text)>],
    others: &[&'a Vec<(String, Text)>],
) -> BTreeMap<&'a str, BTreeMap<&'a str, (u64, u64)>> {
    let mut columns: BTreeMap<&str, BTreeMap<&str, (u64, u64)>> = BTreeMap::new();
    for (row, is_failing) in failing.iter().map(|row| (row, true)).chain(others.iter().map(|row| (row, false))) {
        for (name, value) in *row {
            let counts = columns.entry(name).or_default().entry(value).or_default();
            counts.0 += u64::from(is_failing);
            counts.1 += u64::from(!is_failing);
        }
    }
    columns
}

/// What goes with an error.
#[derive(Debug, Clone, Default)]
pub(super) struct Explained {
    shown: Vec<AttributeEvidence>,
    late: f64,
    date: Option<(Micros, Interval)>,
}

impl Explained {
    /// Whether a new error is one, few as they are.
    pub fn confirms(&self) -> bool {
        self.late <= CONFIRMED.1 && self.shown.first().is_some_and(|first| first.corrected_p_value <= CONFIRMED.0)
    }

    /// Adds it to the finding.
    pub fn tell(&self, change: &mut ChangePoint) {
        change.evidence.attributes.clone_from(&self.shown);
        change.attribute = self.shown.first().map(|first| Attribute { name: first.name.clone(), value: first.value.clone() });
        // What lasts began when the value began to fail; of an outage the first failure tells.
        if let Some((at, interval)) = self.date.filter(|_| change.until.is_none()) {
            change.at = at;
            change.evidence.interval = Some(interval);
        }
        change.common.summary = words::summary(change);
    }
}

impl Question for Attributes {
    fn needs(&self) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn take(&mut self, facts: &ExecutionFacts<'_>) {
        if !self.wanted.contains(facts.execution) {
            return;
        }
        let mut row: Vec<(String, Text)> = Vec::new();
        if let Some(input) = facts.input.filter(|input| input.len() <= LARGEST).and_then(|input| serde_json::from_str(input).ok()) {
            flatten("", &input, DEEPEST, &mut row);
        }
        let own = [("version", facts.version), ("alias", facts.alias)];
        row.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?).to_string()))));
        // The same member twice is the same once.
        let mut seen = BTreeSet::new();
        row.retain(|member| seen.insert(member.clone()));
        self.found.insert(facts.execution.to_owned(), row);
    }

    fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
    }
}

/// Scalars by their path.
fn flatten(path: &str, value: &Value, depth: usize, row: &mut Vec<(String, Text)>) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (name, member) in members.iter().filter(|(name, _)| *name != STARTED_BY) {
                if row.len() >= MOST_MEMBERS {
                    return;
                }
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, member, depth - 1, row);
            }
        }
        Value::Object(_) | Value::Array(_) => {}
        scalar if !path.is_empty() => {
            let text = scalar.to_string();
            if text.len() <= LONGEST {
                row.push((path.to_owned(), text));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    /// Orders in SEK fail since five o'clock: one of them then, when time alone says stray, the others from ten o'clock on.
    #[test]
    fn a_stray_with_the_value_is_the_begin() {
        let mut attributes = Attributes::default();
        let mut asked = |currency: &str, minutes: &[i64]| -> Vec<Asked> {
            let told = minutes.iter().map(|minute| Asked { arn: format!("{currency} {minute}"), start: Some(Micros(minute * HOUR / 60)) });
            let told: Vec<Asked> = told.collect();
            for one in &told {
                attributes.found.insert(one.arn.clone(), vec![("currency".to_owned(), format!("\"{currency}\""))]);
            }
            told
        };
        let every = |from: i64, to: i64| (from..to).step_by(7).collect::<Vec<i64>>();
        let before = [asked("SEK", &[60, 110, 170, 230, 290]), asked("EUR", &every(3, 600))].concat();
        let (strays, others) = (asked("SEK", &[300]), asked("EUR", &every(603, 900)));
        let failing = asked("SEK", &[601, 640, 690, 730, 800, 850, 880]);
        let explained = attributes.answer(&Ask { failing, strays, others, before, ..Ask::default() });
        assert_eq!(explained.shown.first().map(|value| value.name.as_str()), Some("currency"));
        let (at, _) = explained.date.expect("a moment");
        assert!((270..=300).contains(&(at.0 * 60 / HOUR)), "{}", at.0 * 60 / HOUR);
    }
}
