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

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

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
    /// Finds the drawn texts that are not known in a produced string, and which draw each is of.
    texts: Option<(AhoCorasick, Vec<usize>)>,
    learned: Known,
    /// Places that may depend on random numbers: the event, the difference.
    numbers: Vec<(usize, Difference)>,
}

impl<'d> Lesson<'d> {
    fn new(draws: &'d [Draw]) -> Self {
        Self { draws, texts: finder(draws), learned: Known::new(), numbers: Vec::new() }
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
        let Some((finder, numbers)) = &self.texts else { return false };
        let found: Vec<(Range<usize>, usize)> =
            finder.find_iter(produced).map(|found| (found.range(), numbers[found.pattern().as_usize()])).collect();
        let Some((_, first)) = found.first() else { return false };
        let drawn: usize = found.iter().map(|(range, _)| range.len()).sum();
        let is_one = found.iter().all(|(_, number)| number == first);
        let Some(rest) = recorded.len().checked_sub(produced.len() - drawn) else { return false };
        let mut learned = Known::new();
        let (mut at, mut copied) = (0, 0);
        for (range, number) in &found {
            let between = &produced[copied..range.start];
            let length = if is_one { rest / found.len() } else { range.len() };
            let Some(text) = recorded[at..].strip_prefix(between).and_then(|after| after.get(..length)).filter(|text| !text.is_empty())
            else {
                return false;
            };
            at += between.len() + length;
            copied = range.end;
            let text = Drawn::Text(text.into());
            if learned.get(number).or(self.learned.get(number)).is_some_and(|known| *known != text) {
                return false;
            }
            learned.insert(*number, text);
        }
        if recorded[at..] != produced[copied..] {
            return false;
        }
        self.learned.extend(learned);
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

    /// Learns random numbers: the places of an event that depend on them are those of the draws before it, in their order.
    fn solve(&mut self, lowest: &Ran, greatest: &Ran) {
        let is_open = |draw: &Draw| !draw.known && matches!(draw.value, Drawn::Random(_));
        let open: Vec<usize> = (0..self.draws.len()).filter(|number| is_open(&self.draws[*number])).collect();
        // Where branches went on in between, nothing has come of a draw when the next event is written.
        let mut late: Vec<usize> =
            open.iter().copied().filter(|number| numeric(depending(lowest, greatest, self.draws[*number].events)).is_empty()).collect();
        let numbers = std::mem::take(&mut self.numbers);
        for places in numbers.chunk_by(|(one, _), (other, _)| one == other) {
            let index = places[0].0;
            let first = open.partition_point(|number| self.draws[*number].events < index);
            let last = open.partition_point(|number| self.draws[*number].events <= index);
            let probes = numeric(depending(lowest, greatest, index));
            let own = &open[first..last];
            let drawn = if own.is_empty() {
                late.iter().copied().filter(|number| self.draws[*number].events < index).collect()
            } else {
                own.to_vec()
            };
            for (draw, probe) in drawn.iter().zip(&probes) {
                let place = places.iter().find(|(_, place)| place.is_at(probe));
                let value = match place {
                    Some((_, place)) => between_extremes(probe, place).map(Drawn::Random),
                    // It happens to be the recorded one.
                    None => Some(self.draws[*draw].value.clone()),
                };
                self.learned.extend(value.map(|value| (*draw, value)));
            }
            if own.is_empty() {
                late.retain(|number| !drawn.contains(number));
            }
        }
    }
}

/// The places that hold numbers.
fn numeric(mut places: Vec<Difference>) -> Vec<Difference> {
    places.retain(|place| number(place.recorded.as_ref()).is_some());
    places
}

fn number(value: Option<&Value>) -> Option<f64> {
    value.and_then(Value::as_number).map(Number::as_f64)
}

/// The random number that gives what was recorded at a place, which the probe filled in with the smallest and the greatest.
fn between_extremes(probe: &Difference, place: &Difference) -> Option<f64> {
    let (low, high) = (number(probe.recorded.as_ref())?, number(probe.produced.as_ref())?);
    between(low, high, number(place.recorded.as_ref())?)
}

/// The places of an event that two runs with other drawn values fill in differently.
pub(super) fn depending(one: &Ran, other: &Ran, index: usize) -> Vec<Difference> {
    match (one.events().get(index), other.events().get(index)) {
        (Some(one), Some(other)) if one.kind == other.kind => differences(one, other, Strictness::Exact),
        _ => Vec::new(),
    }
}

/// Finds the drawn texts that are not known: the longest where one holds another, as the ARN of a Map Run holds a UUID.
fn finder(draws: &[Draw]) -> Option<(AhoCorasick, Vec<usize>)> {
    let open = draws.iter().enumerate().filter_map(|(number, draw)| match &draw.value {
        Drawn::Text(text) if !draw.known => Some((text.as_bytes(), number)),
        _ => None,
    });
    let (texts, numbers): (Vec<&[u8]>, Vec<usize>) = open.unzip();
    if texts.is_empty() {
        return None;
    }
    // Only too many bytes of texts make this fail; then nothing is learned from them.
    let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok()?;
    Some((finder, numbers))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(texts: &[&str]) -> Vec<Draw> {
        texts.iter().map(|text| Draw { value: Drawn::Text((*text).into()), events: 0, known: false }).collect()
    }

    fn learned(texts: &[&str], recorded: &str, produced: &str) -> Option<Vec<(usize, String)>> {
        let draws = drawn(texts);
        let mut lesson = Lesson::new(&draws);
        lesson.text(recorded, produced).then(|| {
            let mut learned: Vec<(usize, String)> = lesson
                .learned
                .into_iter()
                .map(|(number, value)| match value {
                    Drawn::Text(text) => (number, text.to_string()),
                    other => panic!("{other:?}"),
                })
                .collect();
            learned.sort();
            learned
        })
    }

    #[test]
    fn a_text_is_what_stands_in_its_place() {
        let one = |text: &str| Some(vec![(0, text.to_owned())]);
        assert_eq!(learned(&["UUID"], "order-12345678", "order-UUID"), one("12345678"));
        assert_eq!(learned(&["UUID"], "a-77-b-77", "a-UUID-b-UUID"), one("77"));
        assert_eq!(learned(&["UUID"], "a-77-b-78", "a-UUID-b-UUID"), None);
        assert_eq!(learned(&["UUID"], "other-77", "order-UUID"), None);
        assert_eq!(learned(&["UUID"], "order-", "order-UUID"), None);
        assert_eq!(learned(&["UUID"], "order-7!", "order-UUID?"), None);
    }

    #[test]
    fn several_texts_are_as_long_as_the_recorded_ones() {
        let both = vec![(0, "1111".to_owned()), (1, "2222".to_owned())];
        assert_eq!(learned(&["AAAA", "BBBB"], "1111 and 2222", "AAAA and BBBB"), Some(both));
        assert_eq!(learned(&["AAAA", "BBBB"], "11 and 2222", "AAAA and BBBB"), None);
        // The text that holds another one is meant.
        assert_eq!(learned(&["AAAA", "run:AAAA"], "x run:2222", "x run:AAAA"), Some(vec![(1, "run:2222".to_owned())]));
    }

    #[test]
    fn a_random_number_lies_on_the_line_between_its_extremes() {
        let near = |random: Option<f64>, wanted: f64| assert!((random.expect("a number") - wanted).abs() < 1e-9, "{random:?}");
        near(between(1.0, 6.0, 1.0), 0.5 / 6.0);
        near(between(1.0, 6.0, 6.0), 5.5 / 6.0);
        near(between(0.0, BELOW_ONE, 0.25), 0.25);
        assert_eq!(between(1.0, 6.0, 9.0), None);
        assert_eq!(between(3.0, 3.0, 3.0), None);
    }
}
