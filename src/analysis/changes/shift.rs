//! Since when something takes longer: a series of durations in the order of time, cut where its level steps.
//!
//! Binary segmentation with a rank statistic (`ranks.rs`): cut where |Z| is largest, then both parts again. What is cut is then
//! asked six questions, and a step is told of only if it answers all of them:
//!
//! | question                             | answer                                                                    |
//! |--------------------------------------|------------------------------------------------------------------------|
//! | could chance have done it?           | |Z| is at least [`LARGEST_BY_CHANCE`] (a piece in the middle: [`LARGEST_PIECE_BY_CHANCE`])   |
//! | is it worth a word?                  | medians differ by [`LEAST_EFFECT`] at least, [`FEWEST`] durations on both sides     |
//! | do durations only follow each other? | |Z| / sqrt(inflation by neighbours that are alike) is at least [`STURDY`]     |
//! | was it the weather of a quarter?     | the same with quarters of an hour weighed as they differ, and a small step has four of them on both sides (`weather.rs`) |
//! | was it the hour?                     | a daily curve does not fit as well, or the step is larger than days make (`day.rs`); from three days on it is taken out, and the step showed before |
//! | was it the load?                     | at matched load it is still as clear, and as large (`load.rs`)              |

use super::date::{OF_DURATIONS, Place, likeliest};
use super::day;
use super::load;
use super::ranks::{self, Cut, best_cut, best_piece, centred_ranks, inflation};
use super::season::Season;
use super::series::{self, Point, Series, median};
use super::side::{Side, ratio_interval};
use super::weather;

/// Fewer durations than this on one side of a step have no median to speak of.
pub(super) const FEWEST: usize = 15;
/// Fewer than this altogether are not looked at.
pub(super) const ENOUGH: usize = 40;
/// The largest |Z| over hundreds of cuts of an unchanged series exceeds this in fewer than one series of 10,000.
pub(super) const LARGEST_BY_CHANCE: f64 = 4.8;
/// The same over all pieces, of which there are many more.
const LARGEST_PIECE_BY_CHANCE: f64 = 5.3;
/// One cut that was fixed beforehand exceeds this in one series of 10,000: what corrections must leave.
pub(super) const STURDY: f64 = 3.9;
/// The least ratio of medians that is worth a word.
pub(super) const LEAST_EFFECT: f64 = 1.15;
/// What goes back within half an hour is a blip.
pub(super) const BLIP: i64 = 30 * 60 * 1_000_000;
/// Cuts of cuts of cuts: no more than this.
const DEEPEST: u32 = 8;
/// A step of the level.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shift {
    /// When it most likely came.
    pub at: i64,
    /// When the first duration at the new level began.
    pub first: i64,
    /// The earliest and the latest moment that fit nearly as well.
    pub interval: (i64, i64),
    /// When the level was back; `None` while it is not.
    pub until: Option<i64>,
    /// The level before.
    pub before: Side,
    /// The new level.
    pub after: Side,
    /// The later median by the earlier, the hour of the day taken out where that was done.
    pub ratio: f64,
    /// 95 % of resampled ratios lie between.
    pub ratio_interval: (f64, f64),
    /// How far the ranks lie apart, in standard deviations.
    pub z: f64,
    /// The same with correction for neighbours that are alike, and at matched load.
    pub sturdy_z: f64,
    /// How likely the largest Z is as large if nothing changed.
    pub p: f64,
    /// The ratio at matched load, where durations follow the load.
    pub ratio_at_matched_load: Option<f64>,
    /// By how much the load differs between both sides.
    pub load_ratio: Option<f64>,
}

/// What a series shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shifts {
    /// In the order of time.
    pub found: Vec<Shift>,
    /// Of the best cut, whether or not it is a step: what was tested. `None` for too few durations.
    pub p: Option<f64>,
    /// What was done about the hour of the day.
    pub season: Season,
}

/// Finds the steps. `points` and `arrivals`, the moments at which the state was asked for, are sorted.
pub(super) fn shifts(points: &[Point], arrivals: &[i64]) -> Shifts {
    if points.len() < ENOUGH {
        return Shifts::default();
    }
    let (series, season) = series::of(points);
    let mut found = Segments { series: &series, season, arrivals, cuts: Vec::new() };
    let p = found.cut(0, series.level.len(), 0);
    found.cuts.sort_by_key(|cut| cut.0);
    found.cuts.dedup_by_key(|cut| cut.0);
    found.join_alike();
    found.settle();
    found.join_doubtful();
    found.settle();
    Shifts { found: found.told(points), p, season }
}

struct Segments<'a> {
    series: &'a Series,
    season: Season,
    arrivals: &'a [i64],
    /// Where a new level begins, and the Z with which that was found.
    cuts: Vec<(usize, f64)>,
}

impl Segments<'_> {
    /// Cuts a part, and its parts; the p of its best cut.
    fn cut(&mut self, from: usize, to: usize, depth: u32) -> Option<f64> {
        let ranks = centred_ranks(&self.series.level[from..to]);
        let step = best_cut(&ranks, FEWEST)?;
        let p = ranks::p_of_largest(step.z, ranks.len(), FEWEST);
        let piece = best_piece(&ranks, FEWEST).filter(|piece| piece.z.abs() >= LARGEST_PIECE_BY_CHANCE && piece.z.abs() > step.z.abs());
        let cuts = match piece {
            Some(piece) => vec![(from + piece.from, piece.z), (from + piece.to, piece.z)],
            None if step.z.abs() >= LARGEST_BY_CHANCE => vec![(from + step.from, step.z)],
            None => return Some(p),
        };
        let p = cuts.iter().map(|(_, z)| ranks::p_of_largest(*z, ranks.len(), FEWEST)).fold(p, f64::min);
        self.cuts.extend(&cuts);
        if depth < DEEPEST {
            let bounds: Vec<usize> = std::iter::once(from).chain(cuts.iter().map(|(at, _)| *at)).chain([to]).collect();
            for part in bounds.windows(2).filter(|part| part[1] - part[0] >= 2 * FEWEST) {
                self.cut(part[0], part[1], depth + 1);
            }
        }
        Some(p)
    }

    /// The parts around a cut: from the cut before it to the cut after it.
    fn around(&self, number: usize) -> (usize, usize, usize) {
        let from = number.checked_sub(1).map_or(0, |before| self.cuts[before].0);
        let to = self.cuts.get(number + 1).map_or(self.series.level.len(), |after| after.0);
        (from, self.cuts[number].0, to)
    }

    fn median(&self, from: usize, to: usize) -> f64 {
        median(self.series.level[from..to].to_vec())
    }

    /// By how much the level changes at a cut: the logarithm of the ratio.
    fn effect(&self, number: usize) -> f64 {
        let (from, at, to) = self.around(number);
        self.median(at, to) - self.median(from, at)
    }

    /// Parts of the same level are one.
    fn join_alike(&mut self) {
        while let Some((number, effect)) = self.least(|segments, number| segments.effect(number).abs()) {
            if effect >= LEAST_EFFECT.ln() {
                break;
            }
            self.cuts.remove(number);
        }
    }

    /// Moves each cut to where it is clearest between the cuts around it: those that were made first knew nothing of the others.
    fn settle(&mut self) {
        for number in 0..self.cuts.len() {
            let (from, _, to) = self.around(number);
            if let Some(best) = best_cut(&centred_ranks(&self.series.level[from..to]), FEWEST) {
                self.cuts[number].0 = from + best.from;
            }
        }
    }

    /// What neighbours that are alike, or the load, explain is no step.
    fn join_doubtful(&mut self) {
        while let Some((number, z)) = self.least(|segments, number| segments.sturdy(number).0) {
            if z >= STURDY {
                break;
            }
            self.cuts.remove(number);
            self.join_alike();
        }
    }

    fn least(&self, of: impl Fn(&Self, usize) -> f64) -> Option<(usize, f64)> {
        (0..self.cuts.len()).map(|number| (number, of(self, number))).min_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// |Z| of a cut between its own two parts, as far as it withstands correction; and the ratio at matched load.
    fn sturdy(&self, number: usize) -> (f64, Option<f64>) {
        let (from, at, to) = self.around(number);
        let levels = &self.series.level[from..to];
        let ranks = centred_ranks(levels);
        let cut = Cut { from: at - from, to: to - from, z: 0.0 };
        let z = ranks::z_at(&ranks, cut);
        let quarters = weather::quarters(&self.series.at[from..to], &ranks, cut);
        let of_quarters = quarters.z * z.signum();
        let alone = (z.abs() / inflation(&ranks, cut).sqrt()).min(of_quarters);
        let is_small = self.effect(number).abs() < day::LARGEST.ln();
        if is_small && self.season == Season::TooShort && !day::is_no_daily_curve(&self.series.at[from..to], &ranks, cut) {
            return (0.0, None);
        }
        if is_small && quarters.fewest < weather::FEWEST || !self.was_there_before(number) {
            return (0.0, None);
        }
        match load::matched(&self.series.at[from..to], levels, &ranks, self.arrivals, cut) {
            None => (alone, None),
            Some(matched) => {
                let is_large = matched.effect.abs() >= LEAST_EFFECT.ln() && matched.effect.signum() == z.signum();
                (if is_large { matched.z.abs().min(z.abs()).min(of_quarters) } else { 0.0 }, Some(matched.effect.exp()))
            }
        }
    }

    /// Whether a step shows in the durations as they were: one that only shows once the hour was taken out comes of taking it out.
    fn was_there_before(&self, number: usize) -> bool {
        let (from, at, to) = self.around(number);
        let median = |from: usize, to: usize| median(self.series.raw[from..to].to_vec());
        (median(at, to) - median(from, at)) * self.effect(number).signum() >= LEAST_EFFECT.ln()
    }

    /// The steps in words of time: what goes back ends there, and is no step of its own.
    fn told(&self, points: &[Point]) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        let mut open: Option<f64> = None;
        for number in 0..self.cuts.len() {
            let (from, at, to) = self.around(number);
            let (before, after) = (self.median(from, at), self.median(at, to));
            let is_back = |level: &f64| (after - level).abs() < (before - level).abs() / 2.0;
            if let (Some(_), Some(last)) = (open.filter(is_back), shifts.last_mut()) {
                last.until = Some(self.series.at[at]);
                open = None;
                continue;
            }
            open = open.or(Some(before));
            shifts.push(self.shift(number, points));
        }
        // Where the level is back as soon as the load is, the load had raised it.
        shifts.retain(|shift| shift.until.is_none() || !load::explains(shift.load_ratio, shift.ratio));
        shifts
    }

    fn shift(&self, number: usize, points: &[Point]) -> Shift {
        let (from, at, to) = self.around(number);
        let ranks = centred_ranks(&self.series.level[from..to]);
        let cut = Cut { from: at - from, to: to - from, z: 0.0 };
        let cut = Cut { z: ranks::z_at(&ranks, cut), ..cut };
        let times = &self.series.at;
        let likelihoods = ranks::likelihoods(&ranks, FEWEST);
        let best = likelihoods.iter().map(|(_, llr)| *llr).fold(0.0, f64::max);
        let places: Vec<Place> =
            likelihoods.iter().map(|(at, llr)| Place { after: times[from + at - 1], until: times[from + at], llr: *llr }).collect();
        // As likely as the best but for a factor of e²: what fits nearly as well.
        let near = || places.iter().filter(|place| place.llr >= best - 2.0);
        let interval = (near().next().map_or(times[at], |place| place.after), near().next_back().map_or(times[at], |place| place.until));
        let side = |from: usize, to: usize| Side::of(&points[from * self.series.thinned..(to * self.series.thinned).min(points.len())]);
        let (before, after) = (side(from, at), side(at, to));
        let (sturdy_z, ratio_at_matched_load) = self.sturdy(number);
        let z = if self.cuts[number].1.abs() > cut.z.abs() { self.cuts[number].1.abs() * cut.z.signum() } else { cut.z };
        Shift {
            at: likeliest(&places, times[at], OF_DURATIONS),
            first: times[at],
            interval,
            until: None,
            ratio: self.effect(number).exp(),
            ratio_interval: ratio_interval(&before, &after, 0.5),
            before,
            after,
            z,
            sturdy_z,
            p: ranks::p_of_largest(z, self.series.level.len(), FEWEST),
            ratio_at_matched_load,
            load_ratio: load::ratio(times, self.arrivals, (from, at, to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    /// Durations a minute apart with some spread, each at its level.
    fn told(levels: &[(usize, f64)]) -> Vec<Point> {
        let mut random = fastrand::Rng::with_seed(9);
        let all = levels.iter().flat_map(|(count, level)| std::iter::repeat_n(*level, *count));
        (0..).zip(all).map(|(number, level)| Point { at: number * MINUTE, ms: level * (0.8 + 0.4 * random.f64()) }).collect()
    }

    fn found(levels: &[(usize, f64)]) -> Vec<Shift> {
        let points = told(levels);
        let arrivals: Vec<i64> = points.iter().map(|point| point.at).collect();
        shifts(&points, &arrivals).found
    }

    #[test]
    fn a_state_that_is_slower_for_good_has_one_step() {
        let steps = found(&[(100, 200.0), (80, 320.0)]);
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].first / MINUTE, steps[0].until), (100, None));
        assert!((steps[0].ratio - 1.6).abs() < 0.1, "{}", steps[0].ratio);
        assert!(steps[0].ratio_interval.0 > 1.5 && steps[0].ratio_interval.1 < 1.75, "{:?}", steps[0].ratio_interval);
        assert!(steps[0].interval.0 <= steps[0].at && steps[0].at <= steps[0].interval.1);
    }

    #[test]
    fn what_goes_back_is_one_step_with_an_end() {
        let steps = found(&[(120, 200.0), (40, 500.0), (120, 200.0)]);
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].first / MINUTE, steps[0].until.map(|until| until / MINUTE)), (120, Some(160)));
    }

    #[test]
    fn two_steps_up_are_two() {
        let steps = found(&[(100, 200.0), (100, 300.0), (100, 600.0)]);
        let at: Vec<i64> = steps.iter().map(|step| step.first / MINUTE).collect();
        assert_eq!(at, [100, 200]);
    }

    #[test]
    fn a_tenth_more_is_not_worth_a_word_and_few_say_nothing() {
        assert_eq!(found(&[(2000, 200.0), (2000, 220.0)]), []);
        assert_eq!(found(&[(20, 200.0), (19, 900.0)]), []);
        assert_eq!(found(&[(400, 200.0)]), []);
    }

    /// Two cohorts of a hundred calls within a minute, and few calls around them: what differs between the two may be the quarter's doing.
    #[test]
    fn a_small_step_between_two_cohorts_is_their_weather() {
        let cohorts = |times: f64| {
            let mut random = fastrand::Rng::with_seed(3);
            let mut points: Vec<Point> = Vec::new();
            for (hour, level) in [(0, 200.0), (5, 200.0 * times)] {
                points
                    .extend((0..100).map(|call| Point { at: hour * 60 * MINUTE + call * 500_000, ms: level * (0.8 + 0.4 * random.f64()) }));
            }
            shifts(&points, &points.iter().map(|point| point.at).collect::<Vec<_>>()).found.len()
        };
        assert_eq!((cohorts(1.3), cohorts(2.0)), (0, 1));
    }

    #[test]
    fn what_only_shows_once_the_hour_was_taken_out_is_no_step() {
        let stepped = [vec![0.0; 30], vec![0.5; 30]].concat();
        let is_step = |raw: Vec<f64>| {
            let series = Series { at: (0..60).map(|minute| minute * MINUTE).collect(), level: stepped.clone(), raw, thinned: 1 };
            Segments { series: &series, season: Season::HourOfDayTakenOut, arrivals: &[], cuts: vec![(30, 6.0)] }.was_there_before(0)
        };
        assert!(is_step(stepped.clone()));
        assert!(!is_step(vec![0.0; 60]) && !is_step(stepped.iter().map(|level| -level).collect()));
    }

    #[test]
    fn hostile_times_and_durations_do_no_harm() {
        let points: Vec<Point> = (0..100)
            .map(|number| Point { at: if number < 50 { i64::MIN } else { i64::MAX }, ms: if number % 2 == 0 { -5.0 } else { f64::MAX } })
            .collect();
        let arrivals: Vec<i64> = points.iter().map(|point| point.at).collect();
        shifts(&points, &arrivals);
        shifts(&points, &[]);
    }
}
