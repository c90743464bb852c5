//! Scales: which numbers are written on them, how, and where a number lies.

use jiff::tz::TimeZone;

use super::figure::{Axis, Scale, Unit};
use crate::model::{Micros, digits};

const SECOND: f64 = 1000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Steps between durations that people count in, and moments of a clock; milliseconds.
const DURATIONS: [f64; 24] = [
    SECOND,
    2.0 * SECOND,
    5.0 * SECOND,
    10.0 * SECOND,
    20.0 * SECOND,
    30.0 * SECOND,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    20.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
    30.0 * DAY,
    90.0 * DAY,
    365.0 * DAY,
];

/// Durations a logarithmic scale is read by.
const LANDMARKS: [f64; 10] = [1.0, 10.0, 100.0, SECOND, 10.0 * SECOND, MINUTE, 10.0 * MINUTE, HOUR, 10.0 * HOUR, DAY];

/// A number on a scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
    /// A second line below: the day, where it begins.
    pub(super) below: Option<String>,
}

/// A scale over the numbers that it has to show.
#[derive(Debug, Clone)]
pub(super) struct Ruler {
    scale: Scale,
    low: f64,
    high: f64,
    pub(super) ticks: Vec<Tick>,
}

impl Ruler {
    /// A scale from `values`' least to greatest, with about `most` numbers on it, ends rounded to numbers of its own unless
    /// `tight`.
    pub(super) fn new(axis: &Axis, values: impl Iterator<Item = f64>, most: usize, tight: bool) -> Self {
        let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.chain(axis.reaches).filter(|value| value.is_finite() && (axis.scale == Scale::Linear || *value > 0.0)) {
            least = least.min(value);
            greatest = greatest.max(value);
        }
        if least > greatest {
            (least, greatest) = if axis.unit == Unit::Moment { (0.0, HOUR * 1000.0) } else { (1.0, 1.0) };
        }
        let most = most.max(2);
        match (axis.scale, axis.unit) {
            (Scale::Linear, Unit::Moment) => moments(least, greatest, most),
            (Scale::Linear, unit) => linear(unit, least.min(0.0), greatest.max(0.0), most, tight),
            (Scale::Logarithmic, unit) => logarithmic(unit, least, greatest, most),
        }
    }

    /// Where a number lies: 0 at the lower end, 1 at the upper.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value.max(self.low) / self.low).ln() / (self.high / self.low).ln(),
        };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }
}

fn linear(unit: Unit, least: f64, greatest: f64, most: usize, tight: bool) -> Ruler {
    let span = if greatest > least { greatest - least } else { 1.0 };
    #[allow(clippy::cast_precision_loss, reason = "a handful")]
    let wanted = span / most as f64;
    let mut step = match unit {
        Unit::Milliseconds if wanted > SECOND / 2.0 => duration_step(wanted),
        _ => decimal_step(wanted),
    };
    if unit == Unit::Count {
        step = step.max(1.0);
    }
    let low = (least / step).floor() * step;
    let high = if tight { low + span } else { (greatest / step - 1e-9).ceil().max((low / step) + 1.0) * step };
    let ticks = multiples(low, high, step).into_iter().map(|value| Tick { value, label: label(unit, value, step), below: None });
    Ruler { scale: Scale::Linear, low, high, ticks: ticks.collect() }
}

/// 1, 2 or 5 times a power of ten, not below `wanted`.
fn decimal_step(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.max(1e-12).log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= wanted * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

fn duration_step(wanted: f64) -> f64 {
    let found = DURATIONS.into_iter().find(|step| *step >= wanted);
    found.unwrap_or_else(|| decimal_step(wanted / (365.0 * DAY)) * 365.0 * DAY)
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful; limited")]
    let count = (last - first).clamp(0.0, 200.0) as u32;
    (0..=count).map(|number| (first + f64::from(number)) * step).collect()
}

fn logarithmic(unit: Unit, least: f64, greatest: f64, most: usize) -> Ruler {
    let least = least.max(1e-9);
    let landmarks = landmarks(unit, least, greatest);
    let below = landmarks.iter().copied().filter(|mark| *mark <= least * 1.000_001).fold(f64::NAN, f64::max);
    let above = landmarks.iter().copied().filter(|mark| *mark >= greatest * 0.999_999).fold(f64::NAN, f64::min);
    let (low, mut high) = (if below.is_nan() { least } else { below }, if above.is_nan() { greatest } else { above });
    if high <= low {
        high = landmarks.iter().copied().find(|mark| *mark > low).unwrap_or(low * 10.0);
    }
    let inside = |mark: &&f64| **mark >= low * 0.999_999 && **mark <= high * 1.000_001;
    let mut marks: Vec<f64> = landmarks.iter().filter(inside).copied().collect();
    if marks.len() <= most / 2 {
        let finer: Vec<f64> = landmarks.windows(2).flat_map(|pair| between(unit, pair[0], pair[1])).collect();
        marks.extend(finer.iter().filter(inside));
        marks.sort_by(f64::total_cmp);
    }
    let every = marks.len().div_ceil(most).max(1);
    let ticks = marks.into_iter().step_by(every).map(|value| Tick { value, label: label(unit, value, value), below: None });
    Ruler { scale: Scale::Logarithmic, low, high, ticks: ticks.collect() }
}

/// What a logarithmic scale of this unit is read by, from below `least` to above `greatest`.
fn landmarks(unit: Unit, least: f64, greatest: f64) -> Vec<f64> {
    let mut marks = Vec::new();
    let mut power = 10_f64.powf(least.log10().floor());
    // Durations are decimal below a second only, and count in days at last.
    let last = if unit == Unit::Milliseconds { 1.0 } else { greatest * 10.0 };
    while power < last * 0.999_999 && marks.len() < 40 {
        marks.push(power);
        power *= 10.0;
    }
    if unit == Unit::Milliseconds {
        marks.extend(LANDMARKS);
        let mut days = 10.0 * DAY;
        while marks.last().is_some_and(|last| *last < greatest) && marks.len() < 60 {
            marks.push(days);
            days *= 10.0;
        }
    } else {
        marks.push(power);
    }
    marks
}

fn between(unit: Unit, from: f64, to: f64) -> Vec<f64> {
    let ratio = to / from;
    if unit == Unit::Milliseconds && ratio < 7.0 {
        // 10 s to 1 min, 10 min to 1 h: by the clock.
        return vec![from * 2.0, from * 3.0];
    }
    if ratio < 3.0 {
        return vec![from * 1.5];
    }
    vec![from * 2.0, from * 5.0]
}

fn moments(least: f64, greatest: f64, most: usize) -> Ruler {
    let greatest = if greatest > least { greatest } else { least + MINUTE * 1000.0 };
    #[allow(clippy::cast_precision_loss, reason = "a handful")]
    let step = duration_step((greatest - least) / 1000.0 / most as f64);
    let mut ticks = Vec::new();
    let mut day_before = None;
    for value in multiples(least, greatest, step * 1000.0).into_iter().filter(|value| (least..=greatest).contains(value)) {
        #[allow(clippy::cast_possible_truncation, reason = "microseconds of a moment")]
        let moment = Micros(value as i64).timestamp().to_zoned(TimeZone::UTC);
        let day = moment.strftime("%b %-d").to_string();
        let (label, below) = if step >= DAY {
            let year = moment.year();
            let below = (day_before.as_ref() != Some(&year.to_string())).then(|| year.to_string());
            day_before = Some(year.to_string());
            (day, below)
        } else {
            let below = (day_before.as_ref() != Some(&day)).then(|| day.clone());
            day_before = Some(day);
            let form = if step < MINUTE { "%H:%M:%S" } else { "%H:%M" };
            (moment.strftime(form).to_string(), below)
        };
        ticks.push(Tick { value, label, below });
    }
    Ruler { scale: Scale::Linear, low: least, high: greatest, ticks }
}

/// A number as it stands on a scale whose numbers are `step` apart.
pub(super) fn label(unit: Unit, value: f64, step: f64) -> String {
    let places = decimals(step);
    match unit {
        Unit::Count => grouped(value, places),
        Unit::Percent => format!("{} %", grouped(value, places)),
        Unit::Dollars if value == 0.0 => "$0".to_owned(),
        Unit::Dollars => format!("${}", grouped(value, if step >= 1.0 { 0 } else { places.max(2) })),
        Unit::Milliseconds => duration(value),
        Unit::Moment => String::new(),
    }
}

/// How many digits after the point tell numbers apart that are `step` from each other.
fn decimals(step: f64) -> usize {
    if step <= 0.0 || step >= 1.0 {
        return 0;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "limited")]
    let places = (-(step * 1.000_001).log10().floor()).clamp(0.0, 9.0) as usize;
    places
}

fn grouped(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::from(if whole.starts_with('-') { "−" } else { "" });
    out.push_str(&digits::grouped(whole.trim_start_matches('-')));
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A duration with at most two parts: `0.5 ms`, `20 ms`, `1.5 s`, `2 min 30 s`, `1 h`, `3 d`.
pub(super) fn duration(milliseconds: f64) -> String {
    let trimmed = |value: f64, places: usize| {
        let text = format!("{value:.places$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    let parts = |large: f64, name: &str, small: f64, small_name: &str| {
        let count = (milliseconds / small).round();
        let ratio = large / small;
        let (whole, rest) = ((count / ratio).floor(), count % ratio);
        if rest == 0.0 { format!("{whole} {name}") } else { format!("{whole} {name} {rest} {small_name}") }
    };
    match milliseconds.abs() {
        0.0 => "0".to_owned(),
        value if value < 1.0 => format!("{} ms", trimmed(milliseconds, 3)),
        value if value < 999.5 => format!("{} ms", trimmed(milliseconds, usize::from(value < 10.0))),
        value if value < MINUTE - 50.0 => format!("{} s", trimmed(milliseconds / SECOND, if value < 10.0 * SECOND { 2 } else { 1 })),
        value if value < HOUR - SECOND / 2.0 => parts(MINUTE, "min", SECOND, "s"),
        value if value < DAY - MINUTE / 2.0 => parts(HOUR, "h", MINUTE, "min"),
        _ => parts(DAY, "d", HOUR, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64], most: usize) -> Vec<String> {
        Ruler::new(axis, values.iter().copied(), most, false).ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn numbers_on_scales_are_those_that_people_count_in() {
        let count = Axis::linear("", Unit::Count);
        assert_eq!(labels(&count, &[3.0, 1734.0], 5), ["0", "500", "1,000", "1,500", "2,000"]);
        assert_eq!(labels(&count, &[1.0], 5), ["0", "1"]);
        let dollars = Axis::linear("", Unit::Dollars);
        assert_eq!(labels(&dollars, &[0.013], 4), ["$0", "$0.005", "$0.010", "$0.015"]);
        assert_eq!(labels(&dollars, &[12.0], 4), ["$0", "$5", "$10", "$15"]);
        assert_eq!(labels(&Axis::linear("", Unit::Percent), &[100.0], 4), ["0 %", "50 %", "100 %"]);
        assert_eq!(
            labels(&Axis::linear("", Unit::Milliseconds), &[95_000.0], 5),
            ["0", "20 s", "40 s", "1 min", "1 min 20 s", "1 min 40 s"]
        );
    }

    #[test]
    fn a_logarithmic_scale_is_read_by_landmarks() {
        let axis = Axis::logarithmic("", Unit::Milliseconds);
        assert_eq!(labels(&axis, &[12.0, 3_000_000.0], 8), ["10 ms", "100 ms", "1 s", "10 s", "1 min", "10 min", "1 h"]);
        assert_eq!(labels(&axis, &[120.0, 800.0], 8), ["100 ms", "200 ms", "500 ms", "1 s"]);
        assert_eq!(labels(&axis, &[0.02, 0.5], 8), ["0.01 ms", "0.02 ms", "0.05 ms", "0.1 ms", "0.2 ms", "0.5 ms", "1 ms"]);
        assert_eq!(labels(&Axis::logarithmic("", Unit::Count), &[1.0, 5000.0], 8), ["1", "10", "100", "1,000", "10,000"]);
    }

    #[test]
    fn moments_say_their_day_once() {
        let axis = Axis::linear("", Unit::Moment);
        let start = 1_795_132_800_000_000.0; // 2026-11-20T00:00:00Z
        let ruler = Ruler::new(&axis, [start + 79_200e6, start + 108_000e6].into_iter(), 5, true);
        let read: Vec<(&str, Option<&str>)> = ruler.ticks.iter().map(|tick| (tick.label.as_str(), tick.below.as_deref())).collect();
        assert_eq!(read, [("22:00", Some("Nov 20")), ("00:00", Some("Nov 21")), ("02:00", None), ("04:00", None), ("06:00", None)]);
    }

    #[test]
    fn strange_numbers_make_a_scale_too() {
        for axis in [Axis::linear("", Unit::Count), Axis::logarithmic("", Unit::Milliseconds), Axis::linear("", Unit::Moment)] {
            for values in [vec![], vec![0.0], vec![f64::NAN, f64::INFINITY], vec![-5.0, 5.0], vec![1e-300, 1e300], vec![1e18, 1e18]] {
                let ruler = Ruler::new(&axis, values.iter().copied(), 6, false);
                assert!(ruler.ticks.len() < 300);
                for value in values {
                    assert!((0.0..=1.0).contains(&ruler.place(value)), "{axis:?} {value}");
                }
            }
        }
    }

    #[test]
    fn durations_have_two_parts_at_most() {
        let shown: Vec<String> = [0.25, 7.0, 1250.0, 59_990.0, 150_000.0, 3_599_900.0, 5_400_000.0, 90_000_000.0].map(duration).into();
        assert_eq!(shown, ["0.25 ms", "7 ms", "1.25 s", "1 min", "2 min 30 s", "1 h", "1 h 30 min", "1 d 1 h"]);
    }
}
