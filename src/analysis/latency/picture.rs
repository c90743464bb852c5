//! What a plot shows: percentiles of the states, and of one of them a histogram and percentiles over time.

use super::change::Verdict;
use super::gather::{Machine, Sample};
use super::quantile;
use super::report::StateRow;
use crate::model::Micros;

/// States beyond this many make a plot that nobody reads.
const MOST_STATES: usize = 14;
/// No more columns of a histogram than about this, fewer for few visits.
const MOST_BINS: f64 = 36.0;
/// No more slots of time than this, and no fewer, but where slots had too few visits to have percentiles.
const MOST_SLOTS: i64 = 60;
const FEWEST_SLOTS: i64 = 8;
const VISITS_PER_SLOT: i64 = 8;
/// States that take less, in microseconds, are not drawn: the scale is logarithmic, and nobody waits for them.
const LEAST_DRAWN: i64 = 1000;
/// What is shorter is drawn here: the service counts milliseconds.
const SHORTEST: f64 = 0.1;
const MINUTE: i64 = 60_000_000;
/// Lengths that people divide time into, in minutes.
const SLOTS: [i64; 13] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10_080];

/// The values of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The states with the largest share of the time first.
    pub states: Vec<StateMarks>,
    /// How many states found no room.
    pub states_left_out: usize,
    /// Of which state the rest is: one that got slower, else the one with most of the critical path.
    pub subject: StateMarks,
    /// Its durations, on a logarithmic scale.
    pub histogram: Vec<Bin>,
    /// Its percentiles over time, by when visits were entered.
    pub over_time: Vec<Slot>,
    /// What a slot lasts, in milliseconds.
    pub slot_ms: f64,
    /// Where the time begins that is compared with the one before, if the subject changed there.
    pub changed_at: Option<Micros>,
}

/// Percentiles of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateMarks {
    /// ARN of the machine.
    pub state_machine: Option<String>,
    /// The state.
    pub state: String,
    /// How many visits were exited.
    pub finished: u64,
    /// p50, p90, p95, p99.
    pub percentiles_ms: [Option<f64>; 4],
}

/// A column of the histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// From this duration.
    pub from_ms: f64,
    /// To this one.
    pub to_ms: f64,
    /// How many visits.
    pub visits: u64,
}

/// A slot of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slot {
    /// When it begins.
    pub from: Micros,
    /// How many visits that were exited were entered in it.
    pub visits: u64,
    /// p50, p95, p99; `None` for none.
    pub percentiles_ms: [Option<f64>; 3],
}

/// `None` when no visit that took any time was exited.
pub(super) fn of(machines: &[(&Option<String>, &Machine)], rows: &[StateRow]) -> Option<Picture> {
    let mut found: Vec<(&Option<String>, &String, i128, Vec<Sample>)> = Vec::new();
    for (name, machine) in machines {
        for (state, tallies) in &machine.states {
            // A state that was limited away is not drawn either.
            if !rows.iter().any(|row| row.state_machine == **name && row.state == *state) {
                continue;
            }
            let critical = tallies.values().map(|tally| tally.critical).sum();
            let mut samples: Vec<Sample> = tallies.values().flat_map(|tally| tally.samples.iter().copied()).collect();
            samples.sort_unstable();
            if samples.last().is_some_and(|slowest| slowest.duration >= LEAST_DRAWN) {
                found.push((name, state, critical, samples));
            }
        }
    }
    found.sort_by(|one, other| other.2.cmp(&one.2).then_with(|| (one.0, one.1).cmp(&(other.0, other.1))));
    let slower = |name: &Option<String>, state: &String| {
        let row = rows.iter().find(|row| row.state_machine == *name && row.state == *state)?;
        row.change.as_ref().filter(|change| change.verdict == Verdict::Slower)?.p50_ratio
    };
    let ratio = |(name, state, ..): &(&Option<String>, &String, i128, Vec<Sample>)| slower(name, state).unwrap_or(0.0);
    // The first of the largest: the order above decides where nothing got slower.
    let subject = found.iter().rev().max_by(|one, other| ratio(one).total_cmp(&ratio(other)))?;
    let (over_time, slot) = over_time(&subject.3);
    let row = rows.iter().find(|row| row.state_machine == *subject.0 && row.state == *subject.1);
    let changed = row.and_then(|row| row.change.as_ref()).filter(|change| change.verdict == Verdict::Slower);
    Some(Picture {
        states_left_out: found.len().saturating_sub(MOST_STATES),
        subject: marks(subject),
        histogram: histogram(&subject.3),
        over_time,
        #[allow(clippy::cast_precision_loss, reason = "a round number of minutes")]
        slot_ms: slot as f64 / 1000.0,
        changed_at: changed.and_then(|change| change.after.from),
        states: found.iter().take(MOST_STATES).map(marks).collect(),
    })
}

fn marks((name, state, _, samples): &(&Option<String>, &String, i128, Vec<Sample>)) -> StateMarks {
    let sorted: Vec<i64> = samples.iter().map(|sample| sample.duration).collect();
    StateMarks {
        state_machine: (*name).clone(),
        state: (*state).clone(),
        finished: sorted.len() as u64,
        percentiles_ms: [0.5, 0.9, 0.95, 0.99].map(|p| quantile(&sorted, p)),
    }
}

/// Columns of equal ratio over sorted durations.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "columns of a drawing")]
fn histogram(samples: &[Sample]) -> Vec<Bin> {
    let logarithm = |sample: &Sample| (sample.duration as f64 / 1000.0).max(SHORTEST).log10();
    let (Some(first), Some(last)) = (samples.first().map(logarithm), samples.last().map(logarithm)) else { return Vec::new() };
    let bins = (2.0 * (samples.len() as f64).sqrt()).clamp(8.0, MOST_BINS);
    let per_decade = (bins / (last - first).max(0.01)).clamp(4.0, 100.0).floor();
    let number = |logarithm: f64| (logarithm * per_decade).floor() as i64;
    let edge = |number: i64| 10_f64.powf(number as f64 / per_decade);
    let start = number(first);
    let mut bins: Vec<Bin> =
        (start..=number(last)).map(|number| Bin { from_ms: edge(number), to_ms: edge(number + 1), visits: 0 }).collect();
    for sample in samples {
        let at = usize::try_from(number(logarithm(sample)) - start).unwrap_or_default().min(bins.len() - 1);
        bins[at].visits += 1;
    }
    bins
}

/// Percentiles of the visits entered in each slot of time, and what a slot lasts in microseconds.
fn over_time(samples: &[Sample]) -> (Vec<Slot>, i64) {
    let first = samples.iter().map(|sample| sample.at).min().unwrap_or_default();
    let last = samples.iter().map(|sample| sample.at).max().unwrap_or_default();
    let visits = i64::try_from(samples.len()).unwrap_or(i64::MAX);
    let most = (visits / VISITS_PER_SLOT).clamp(FEWEST_SLOTS, MOST_SLOTS);
    let fits = |minutes: &i64| last.saturating_sub(first) / (minutes * MINUTE) < most;
    let weeks = || (last.saturating_sub(first) / most / (SLOTS[SLOTS.len() - 1] * MINUTE) + 1) * SLOTS[SLOTS.len() - 1];
    let slot = SLOTS.into_iter().find(fits).unwrap_or_else(weeks) * MINUTE;
    let start = first.div_euclid(slot);
    let count = usize::try_from(last.div_euclid(slot) - start + 1).unwrap_or(1);
    let mut durations: Vec<Vec<i64>> = vec![Vec::new(); count];
    for sample in samples {
        let at = usize::try_from(sample.at.div_euclid(slot) - start).unwrap_or_default().min(count - 1);
        // The samples come sorted by their durations, and so each slot is.
        durations[at].push(sample.duration);
    }
    let slots = (start..).zip(&durations).map(|(number, sorted)| Slot {
        from: Micros(number.saturating_mul(slot)),
        visits: sorted.len() as u64,
        percentiles_ms: [0.5, 0.95, 0.99].map(|p| quantile(sorted, p)),
    });
    (slots.collect(), slot)
}
