//! Finds out what the recording had where a run draws values that no definition determines.
//!
//! | kind            | how it is learned from a place where the histories differ                                            |
//! |-----------------|------------------------------------------------------------------------------------------------------|
//! | UUID, token, ARN | the drawn text stands in the produced string; what the recorded string has there is the recorded value |
//! | time            | both are times, and the time was asked for since the event before                                      |
//! | random number   | two more runs with the smallest and the greatest number tell how the place depends on it; in between, it is a straight line |
//!
//! What was learned is only ever a value that is drawn. The next run computes everything from it anew, so that a wrong guess leads
//! to a difference, never to agreement.

use std::collections::HashSet;

use super::chance::{BELOW_ONE, Draw, Drawn, Extreme, Known};
use super::compare::{Difference, Strictness, differences};
use super::world::Notes;
use crate::expr::{Number, Value};
use crate::interpreter::Run;
use crate::model::HistoryEvent;
use crate::model::time;

/// How often the execution is run at most. What one run teaches may lead the next one elsewhere, and on.
const ROUNDS: usize = 16;

/// One run, and what it left behind.
#[derive(Debug)]
pub(super) struct Ran {
    pub run: Run,
    pub draws: Vec<Draw>,
    pub notes: Notes,
}

impl Ran {
    pub fn events(&self) -> &[HistoryEvent] {
        &self.run.history.events
    }
}

/// The last run, with all that could be learned.
#[derive(Debug)]
pub(super) struct Learned {
    pub ran: Ran,
    /// The runs with the smallest and the greatest random numbers, where they were needed.
    pub probes: Option<(Ran, Ran)>,
}

/// Runs again and again, each time with what the time before taught.
pub(super) fn learn<E>(recorded: &[HistoryEvent], mut run: impl FnMut(&Known, Extreme) -> Result<Ran, E>) -> Result<Learned, E> {
    let mut known = Known::new();
    let mut ran = run(&known, Extreme::Seed)?;
    let mut probes = None;
    for _ in 1..ROUNDS {
        let mut lesson = Lesson::new(&ran.draws);
        lesson.read(recorded, ran.events());
        if !lesson.numbers.is_empty() {
            let with: Known = known.iter().chain(&lesson.learned).map(|(draw, value)| (*draw, value.clone())).collect();
            let (lowest, greatest) = (run(&with, Extreme::Lowest)?, run(&with, Extreme::Greatest)?);
            lesson.solve(&lowest, &greatest);
            probes = Some((lowest, greatest));
        }
        if lesson.learned.is_empty() {
            break;
        }
        known.extend(lesson.learned);
        ran = run(&known, Extreme::Seed)?;
    }
    Ok(Learned { ran, probes })
}

/// What one run teaches.
struct Lesson<'d> {
    draws: &'d [Draw],
    learned: Known,
    /// Places that may depend on random numbers: the event, the difference.
    numbers: Vec<(usize, Difference)>,
}

impl<'d> Lesson<'d> {
    fn new(draws: &'d [Draw]) -> Self {
        Self { draws, learned: Known::new(), numbers: Vec::new() }
    }

    /// Goes through both histories for as long as they differ in drawn values alone.
    fn read(&mut self, recorded: &[HistoryEvent], produced: &[HistoryEvent]) {
        if self.draws.iter().all(|draw| draw.known) {
            return;
        }
        for (index, (recorded, produced)) in recorded.iter().zip(produced).enumerate() {
            for difference in differences(recorded, produced, Strictness::Exact) {
                if !self.explains(index, difference) {
                    return;
                }
            }
        }
    }

    fn explains(&mut self, index: usize, difference: Difference) -> bool {
        let (Some(recorded), Some(produced)) = (&difference.recorded, &difference.produced) else { return false };
        if let (Some(one), Some(other)) = (recorded.as_str(), produced.as_str())
            && self.text(one, other)
        {
            return true;
        }
        if self.time(index, recorded, produced) {
            return true;
        }
        if recorded.as_number().is_some() && produced.as_number().is_some() && self.open_random(index).next().is_some() {
            self.numbers.push((index, difference));
            return true;
        }
        false
    }

    /// Learns the drawn texts that stand in `produced`. Texts of several draws must be as long as the recorded ones.
    fn text(&mut self, recorded: &str, produced: &str) -> bool {
        let drawn: Vec<(usize, &str)> = self
            .draws
            .iter()
            .enumerate()
            .filter_map(|(number, draw)| match &draw.value {
                Drawn::Text(text) if !draw.known && produced.contains(&**text) => Some((number, &**text)),
                _ => None,
            })
            .collect();
        // The ARN of a Map Run holds a UUID that was drawn for it.
        let is_part = |text: &str| drawn.iter().any(|(_, other)| other.len() > text.len() && other.contains(text));
        let drawn: Vec<(usize, &str)> = drawn.iter().copied().filter(|(_, text)| !is_part(text)).collect();
        let found = match drawn.as_slice() {
            [] => return false,
            [(number, text)] => instead_of(text, recorded, produced).map(|found| vec![(*number, found)]),
            several => several
                .iter()
                .map(|(number, text)| {
                    let at = produced.find(text)?;
                    Some((*number, recorded.get(at..at + text.len())?.to_owned()))
                })
                .collect(),
        };
        let Some(found) = found else { return false };
        let agrees = drawn.iter().zip(&found).fold(produced.to_owned(), |text, ((_, drawn), (_, found))| text.replace(drawn, found));
        if agrees != recorded {
            return false;
        }
        self.learned.extend(found.into_iter().map(|(number, text)| (number, Drawn::Text(text.into()))));
        true
    }

    /// Learns the time that was asked for, at this event or before.
    fn time(&mut self, index: usize, recorded: &Value, produced: &Value) -> bool {
        let (Some(recorded), Some(produced)) = (milliseconds(recorded), milliseconds(produced)) else { return false };
        let asked: Vec<usize> = (self.draws.iter().enumerate())
            .filter(|(_, draw)| !draw.known && draw.events <= index && draw.value == Drawn::Now(produced))
            .map(|(number, _)| number)
            .collect();
        let new: Vec<usize> = asked.iter().copied().filter(|number| !self.learned.contains_key(number)).collect();
        let agrees = |number: &usize| self.learned.get(number).is_none_or(|known| *known == Drawn::Now(recorded));
        // An event that carries on what an earlier one taught differs in the same way.
        let is_explained = !asked.is_empty() && (!new.is_empty() || asked.iter().any(agrees));
        self.learned.extend(new.into_iter().map(|number| (number, Drawn::Now(recorded))));
        is_explained
    }

    /// Random numbers that were drawn for this event or before, and are not known.
    fn open_random(&self, index: usize) -> impl Iterator<Item = usize> {
        let is_open = move |draw: &Draw| !draw.known && draw.events <= index && matches!(draw.value, Drawn::Random(_));
        self.draws.iter().enumerate().filter(move |(_, draw)| is_open(draw)).map(|(number, _)| number)
    }

    /// Learns random numbers: each place depends on one of those that were drawn last before its event, in their order.
    fn solve(&mut self, lowest: &Ran, greatest: &Ran) {
        let mut used: HashSet<usize> = HashSet::new();
        let mut from = 0;
        while from < self.numbers.len() {
            let index = self.numbers[from].0;
            let places: Vec<Difference> =
                self.numbers[from..].iter().take_while(|(at, _)| *at == index).map(|(_, place)| place.clone()).collect();
            from += places.len();
            let open: Vec<usize> = self.open_random(index).filter(|number| !used.contains(number)).collect();
            let depending = depending(lowest, greatest, index);
            for (draw, place) in open.iter().zip(&places) {
                let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_number).map(Number::as_f64);
                if let Some(probe) = depending.iter().find(|probe| probe.is_at(place))
                    && let (Some(low), Some(high), Some(wanted)) =
                        (number(&probe.recorded), number(&probe.produced), number(&place.recorded))
                    && let Some(random) = between(low, high, wanted)
                {
                    self.learned.insert(*draw, Drawn::Random(random));
                }
            }
            used.extend(open);
        }
    }
}

/// The places of an event that two runs with other drawn values fill in differently.
pub(super) fn depending(one: &Ran, other: &Ran, index: usize) -> Vec<Difference> {
    match (one.events().get(index), other.events().get(index)) {
        (Some(one), Some(other)) if one.kind == other.kind => differences(one, other, Strictness::Exact),
        _ => Vec::new(),
    }
}

/// What stands in `recorded` at the places of `text` in `produced`.
fn instead_of(text: &str, recorded: &str, produced: &str) -> Option<String> {
    let count = produced.matches(text).count();
    let rest = produced.len() - count * text.len();
    let length = recorded.len().checked_sub(rest)? / count;
    let at = produced.find(text)?;
    recorded.get(at..at + length).filter(|found| !found.is_empty()).map(str::to_owned)
}

/// A time as text, or as milliseconds since the epoch.
fn milliseconds(value: &Value) -> Option<i64> {
    match value.as_str() {
        Some(text) => time::parse(text).map(time::Timestamp::as_millisecond),
        None => value.as_i64(),
    }
}

/// The number that gives `wanted` where 0 gives `low` and the greatest gives `high`.
fn between(low: f64, high: f64, wanted: f64) -> Option<f64> {
    let integers = low.fract() == 0.0 && high.fract() == 0.0 && wanted.fract() == 0.0;
    let random = match (integers, high > low) {
        (_, false) => return None,
        // A number in the middle of those that are rounded down to the wanted one.
        (true, true) => (wanted - low + 0.5) / (high - low + 1.0),
        (false, true) => (wanted - low) / (high - low) * BELOW_ONE,
    };
    (0.0..1.0).contains(&random).then_some(random)
}
