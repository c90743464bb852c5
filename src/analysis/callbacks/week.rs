//! Hours of the week in UTC, and which of them are of a weekend somewhere on earth.

/// Microseconds in an hour.
pub(super) const HOUR: i64 = 3_600_000_000;
/// Hours in a week.
pub(super) const WEEK: usize = 168;

/// The longest run of hours without weight, around midnight as well: its first hour and how many.
pub(super) fn longest_quiet(weights: &[f64; 24]) -> (usize, usize) {
    let run = |from: usize| (0..24).take_while(|hour| weights[(from + hour) % 24] <= 0.0).count();
    let longest = (0..24).map(run).max().unwrap_or(0);
    ((0..24).find(|from| run(*from) == longest).unwrap_or(0), longest)
}

/// The day of an hour of the week where days begin in the middle of the night, wherever on earth that is: it is called by what its
/// middle is called in UTC. Monday is 0.
pub(super) fn day_of(hour: usize, night: usize) -> usize {
    ((hour + WEEK - night) / 24 + (night + 12) / 24) % 7
}

/// Whether a day, as [`day_of`] calls it, may be a Saturday or a Sunday. Who works for few hours may do so in the morning of one zone
/// or the evening of another, a date apart.
pub(super) fn may_be_weekend(day: usize, quiet_from: usize, quiet_hours: usize) -> bool {
    day >= 5 || weekend_elsewhere(quiet_from, quiet_hours).is_some_and(|elsewhere| elsewhere.contains(&day))
}

/// Whether a day is a Saturday or a Sunday in whatever zone they work.
pub(super) fn is_weekend_everywhere(day: usize, quiet_from: usize, quiet_hours: usize) -> bool {
    day >= 5 && weekend_elsewhere(quiet_from, quiet_hours).is_none_or(|elsewhere| elsewhere.contains(&day))
}

/// What days of the weekend are called where they are a date off; `None` where no zone calls them otherwise.
fn weekend_elsewhere(quiet_from: usize, quiet_hours: usize) -> Option<[usize; 2]> {
    match (quiet_from + quiet_hours / 2 + 12) % 24 {
        _ if quiet_hours < 18 => None,
        // The morning of Sydney, or the afternoon of Los Angeles.
        19.. => Some([4, 5]),
        // The evening of Los Angeles, or the morning of Tokyo.
        ..=4 => Some([6, 0]),
        _ => None,
    }
}

/// The hour of the week in UTC, from Monday 00:00; 1970 began on a Thursday.
pub(super) fn hour_of_week(moment: i64) -> usize {
    usize::try_from((moment.div_euclid(HOUR) + 72).rem_euclid(168)).unwrap_or(0)
}
