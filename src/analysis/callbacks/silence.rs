//! Silent hours that tell nothing: those at which the class was never seen at work.
//!
//! That nobody answers on the first night, or on the first weekend, says nothing of the waits that are open then: nobody may be
//! there. Waiting counts in a silence of an hour or more only in those hours of the day at which answers came on another day, and on
//! a Saturday or Sunday only where a weekend brought answers before or where they come round the clock. The last silence
//! is no shorter for having only begun.

use super::clock::Span;
use super::week::{HOUR, WEEK, day_of, hour_of_week, is_weekend_everywhere, longest_quiet, may_be_weekend};

/// Hours apart from which on two answers are of different days.
const ANOTHER_DAY: usize = 12;
/// So many hours of the day without answers in a row are a night.
const NIGHT: usize = 6;
/// So many answers on a weekend show that somebody works then: one or two may be of a late Friday elsewhere on earth.
const OF_A_WEEKEND: usize = 3;

/// Stretches that do not count, in order: from, to, each within an hour. `first` is the start of the first hour.
pub(super) fn untold(spans: &[Span], first: i64, now: i64) -> Vec<(i64, i64)> {
    let mut answers: Vec<i64> = spans.iter().filter(|span| span.is_answered).map(|span| span.to.clamp(first, now)).collect();
    answers.sort_unstable();
    let place = |moment: i64| usize::try_from((moment - first).div_euclid(HOUR)).unwrap_or(0);
    let seen = Seen::of(&answers, first, place);
    let mut stretches = Vec::new();
    let mut last = first;
    for (position, answer) in answers.iter().copied().chain([now]).enumerate() {
        let mut from = std::mem::replace(&mut last, answer);
        // Nobody knows yet how long the last silence will be.
        let is_last = position == answers.len();
        if answer - from < HOUR && !is_last {
            continue;
        }
        while from < answer {
            let to = (first + (from - first).div_euclid(HOUR) * HOUR + HOUR).min(answer);
            if !seen.is_known(place(from)) {
                stretches.push((from, to));
            }
            from = to;
        }
    }
    stretches
}

/// When a class was seen at work.
struct Seen {
    /// The first and the last hour with an answer, of each hour of the day or one beside it.
    of_day: [Option<(usize, usize)>; 24],
    /// The hour of the day in UTC at which `first` lies.
    offset: usize,
    /// The hour of the week at which it lies.
    offset_of_week: usize,
    /// The longest run of hours of the day without answers: its first hour, and how many.
    quiet_from: usize,
    quiet: usize,
    is_seen_on_weekends: bool,
}

impl Seen {
    fn of(answers: &[i64], first: i64, place: impl Fn(i64) -> usize) -> Self {
        let offset_of_week = hour_of_week(first);
        let offset = offset_of_week % 24;
        let mut own = [None; 24];
        for hour in answers.iter().map(|answer| place(*answer)) {
            let of_day = &mut own[(hour + offset) % 24];
            let (earliest, latest) = of_day.unwrap_or((hour, hour));
            *of_day = Some((hour.min(earliest), hour.max(latest)));
        }
        let mut of_day = own;
        for (hour, seen) in of_day.iter_mut().enumerate() {
            for beside in [(hour + 23) % 24, (hour + 1) % 24] {
                *seen = match (*seen, own[beside]) {
                    (Some((from, to)), Some((other_from, other_to))) => Some((from.min(other_from), to.max(other_to))),
                    (one, other) => one.or(other),
                };
            }
        }
        let closed = of_day.map(|seen| if seen.is_some() { 1.0 } else { 0.0 });
        let (quiet_from, quiet) = longest_quiet(&closed);
        let mut seen = Self { of_day, offset, offset_of_week, quiet_from, quiet, is_seen_on_weekends: false };
        let on_weekends = answers.iter().filter(|answer| seen.is_on(place(**answer), is_weekend_everywhere)).count();
        seen.is_seen_on_weekends = on_weekends >= OF_A_WEEKEND;
        seen
    }

    /// Whether an hour is of such a day, where there are nights to part days.
    fn is_on(&self, hour: usize, is_such: impl Fn(usize, usize, usize) -> bool) -> bool {
        let night = (self.quiet_from + self.quiet / 2) % 24;
        let day = day_of((hour + self.offset_of_week) % WEEK, night);
        self.quiet >= NIGHT && is_such(day, self.quiet_from, self.quiet)
    }

    fn is_known(&self, hour: usize) -> bool {
        if !self.is_seen_on_weekends && self.is_on(hour, may_be_weekend) {
            return false;
        }
        let seen = self.of_day[(hour + self.offset) % 24];
        seen.is_some_and(|(earliest, latest)| earliest.abs_diff(hour) >= ANOTHER_DAY || latest.abs_diff(hour) >= ANOTHER_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::Clock;
    use super::super::judge::{Judged, judge};
    use super::*;

    const MINUTE: i64 = 60_000_000;
    /// Monday 2026-11-16 00:00 UTC.
    const MONDAY: i64 = 1_794_787_200_000_000;

    /// A wait each quarter of an hour from one hour to another, both counted from Monday 00:00 UTC. Those in open hours take 20
    /// minutes and a bit, the others until a bit after the next opening.
    fn waits(from: i64, to: i64, is_open: impl Fn(i64) -> bool) -> (Vec<Span>, Vec<bool>, i64) {
        let now = MONDAY + to * HOUR;
        let starts = (0..(to - from) * 4).map(|quarter| (quarter, MONDAY + from * HOUR + quarter * 15 * MINUTE));
        let span = |(quarter, from): (i64, i64)| {
            let bit = (quarter * 7 % 23) * MINUTE;
            let mut answered = from + 20 * MINUTE + bit;
            while !is_open((answered - MONDAY) / HOUR) && answered <= now {
                answered = MONDAY + ((answered - MONDAY) / HOUR + 1) * HOUR + bit;
            }
            Span { from, to: answered.min(now), is_answered: answered <= now }
        };
        let spans: Vec<Span> = starts.map(span).collect();
        let is_open = spans.iter().map(|span| !span.is_answered).collect();
        (spans, is_open, now)
    }

    fn stuck(judged: &Judged) -> usize {
        judged.open.iter().filter(|opinion| opinion.is_stuck || opinion.is_in_stop).count()
    }

    fn judged((spans, is_open, now): &(Vec<Span>, Vec<bool>, i64)) -> Judged {
        judge(spans, is_open, *now).expect("enough")
    }

    const FRIDAY: i64 = 4 * 24;

    #[test]
    fn the_first_night_and_the_first_weekend_are_no_stops() {
        let office = |hour: i64| (9..17).contains(&(hour % 24)) && hour / 24 % 7 < 5;
        let first_night = waits(FRIDAY - 24 + 11, FRIDAY - 24 + 22, office);
        let found = judged(&first_night);
        assert!(matches!(found.clock, Clock::Known(_)) && !found.open.is_empty());
        assert_eq!(stuck(&found), 0);
        for begins in [FRIDAY + 11, FRIDAY - 24 + 12, 10] {
            for ends in [FRIDAY + 24, FRIDAY + 40, FRIDAY + 56, FRIDAY + 72 + 10] {
                assert_eq!(stuck(&judged(&waits(begins, ends, office))), 0, "{begins} {ends}");
            }
        }
    }

    #[test]
    fn a_silence_at_hours_that_were_seen_is_a_stop() {
        // The same hours, and nobody on Wednesday: the days before show that somebody should be there.
        let absent = |hour: i64| (9..17).contains(&(hour % 24)) && hour / 24 < 2;
        let found = judged(&waits(0, 48 + 16, absent));
        assert!(stuck(&found) > 10, "{}", stuck(&found));
        // Round the clock for two days: a weekend is a day like others.
        let dead = |hour: i64| hour < FRIDAY + 28;
        let found = judged(&waits(FRIDAY - 24, FRIDAY + 34, dead));
        assert_eq!(stuck(&found), found.open.len());
    }

    #[test]
    fn days_of_those_who_work_far_from_greenwich_may_have_another_name() {
        // At nine in Sydney, Monday to Friday: at 23 UTC the day before.
        let sydney = |hour: i64| hour % 24 == 23 && matches!(hour / 24 % 7, 0..4 | 6);
        for ends in [FRIDAY + 25, FRIDAY + 48, FRIDAY + 71] {
            assert_eq!(stuck(&judged(&waits(12, ends, sydney))), 0, "{ends}");
        }
    }

    #[test]
    fn a_monday_morning_of_tokyo_is_no_weekend_that_somebody_worked() {
        // At one UTC, Monday to Friday; a Sunday evening of Los Angeles would be called Monday, too. Few answers, so that no hours are told.
        let mut all = waits(-18, 5 * 24 + 10, |hour| hour % 24 == 1 && hour / 24 % 7 < 5);
        let mut kept = (0..all.0.len()).map(|at| at % 16 == 0);
        all.0.retain(|_| kept.next() == Some(true));
        all.1 = all.0.iter().map(|span| !span.is_answered).collect();
        assert!(matches!(judged(&all).clock, Clock::Known(_)));
        assert_eq!(stuck(&judged(&all)), 0);
    }

    #[test]
    fn on_the_first_day_nobody_keeps_hours() {
        let office = |hour: i64| (9..17).contains(&(hour % 24));
        assert!(!matches!(judged(&waits(9, 24, office)).clock, Clock::Hours(_)));
        assert!(matches!(judged(&waits(9, 64, office)).clock, Clock::Hours(_)));
    }

    #[test]
    fn a_wait_younger_than_usual_is_not_stuck_by_working_hours() {
        // Somebody decides from five to six, in some minutes each.
        let decides = |hour: i64| hour % 24 == 17 && hour / 24 % 7 < 5;
        let mut all = waits(0, 72 + 18, decides);
        all.0.retain(|span| span.is_answered);
        all.0.push(Span { from: MONDAY + (72 + 8) * HOUR, to: all.2, is_answered: false });
        all.1 = all.0.iter().map(|span| !span.is_answered).collect();
        assert_eq!(stuck(&judged(&all)), 0);
        // The day before it waited for no less of the same hours.
        all.0.last_mut().expect("just added").from -= 24 * HOUR;
        assert_eq!(stuck(&judged(&all)), 1);
    }
}
