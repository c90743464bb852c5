//! Who returns task tokens and takes tasks of activities: a machine that checks, a person in office hours, workers that die.
//!
//! A task that comes to a dead worker, or is in its hands when it dies, is never answered, unless a heartbeat or a timeout ends it.

use std::time::Duration;

use crate::expr::Value;
use crate::interpreter::{TaskAnswer, TaskOutcome};
use crate::model::Timestamp;

use super::random::{Draw, Key};
use super::service::{ErrorSaid, Spread, after, failure, whole};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// When people work.
#[derive(Debug, Clone, Copy)]
pub struct Hours {
    /// Of their time zone, before UTC.
    pub utc_offset: i64,
    /// First hour of the day.
    pub from: i64,
    /// The hour at which they leave.
    pub to: i64,
    /// Whether Saturdays and Sundays are days like others.
    pub weekends: bool,
}

/// Somebody who answers the tasks of one state.
#[derive(Debug, Clone)]
pub struct Answerer {
    /// The state whose tokens, or activity, it serves.
    pub state: &'static str,
    /// From taking a task to its answer.
    pub takes: Spread,
    /// Some tasks take much longer: their share, and how many times as long.
    pub slow: Option<(f64, f64)>,
    /// Only these hours count as time; `None` for all.
    pub hours: Option<Hours>,
    /// A share of answers is a failure.
    pub refuses: Option<(ErrorSaid, f64)>,
    /// Answers as JSON, each with its weight.
    pub answers: Vec<(f64, &'static str)>,
    /// Workers that share the tasks.
    pub workers: u32,
    /// From scheduling to a worker's taking it, of an activity.
    pub picked_up: Spread,
    /// Seconds between heartbeats, where it sends any.
    pub beats: Option<u64>,
    /// A share of tokens gets lost.
    pub loses: f64,
    /// Workers that die, by number.
    pub deaths: Vec<Death>,
}

/// A worker that dies.
#[derive(Debug, Clone, Copy)]
pub struct Death {
    /// Which worker, from 0; `None` for all.
    pub worker: Option<u32>,
    /// When.
    pub from: Timestamp,
    /// When it is back for new tasks; `Timestamp::MAX` for never.
    pub to: Timestamp,
}

/// Why a task is never answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The worker that had it died.
    WorkerDied,
    /// The token got lost on the way.
    TokenLost,
}

/// A task that somebody has to answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    pub at: Timestamp,
    pub key: Key,
    /// Whether it is an activity's.
    pub is_activity: bool,
    /// Whether a worker's heartbeats count.
    pub heartbeat: bool,
}

impl Answerer {
    /// One worker that answers `{}` and lives.
    pub fn prompt(state: &'static str, median_ms: f64) -> Self {
        Self {
            state,
            takes: Spread { median_ms, sigma: 0.6 },
            slow: None,
            hours: None,
            refuses: None,
            answers: Vec::new(),
            workers: 1,
            picked_up: Spread { median_ms: 900.0, sigma: 0.6 },
            beats: None,
            loses: 0.0,
            deaths: Vec::new(),
        }
    }

    /// What becomes of a task, and why it is never answered, if it is not.
    pub(super) fn take(&self, given: &Given) -> (TaskAnswer, Option<Lost>) {
        let mut draw = given.key.draw();
        let worker = u32::try_from(draw.below(self.workers.max(1) as usize)).unwrap_or(0);
        let started = draw.between(8.0, 40.0).round();
        let waits = if given.is_activity { draw.lognormal(self.picked_up.median_ms, self.picked_up.sigma) } else { started };
        let submits = if given.is_activity { 0.0 } else { draw.between(15.0, 60.0).round() };
        let begins = given.at.as_millisecond().saturating_add(whole(waits)).saturating_add(whole(submits));
        let takes = self.takes_ms(&mut draw);
        let ends = self.hours.map_or_else(|| begins.saturating_add(whole(takes)), |hours| hours.after(begins, whole(takes)));
        let mut answer = TaskAnswer { started: Some(after(waits)), ..TaskAnswer::default() };
        if given.is_activity {
            answer.worker = Some(format!("{}-{worker}", self.state.to_lowercase()).into());
        } else {
            let id = draw.uuid();
            answer.submitted = Some((after(submits), Value::object([("MessageId", Value::from(&*id))])));
        }
        let death = self.death(worker, begins, ends);
        let lost = match (death, draw.chance(self.loses)) {
            (Some(_), _) => Some(Lost::WorkerDied),
            (None, true) => Some(Lost::TokenLost),
            (None, false) => None,
        };
        // Nobody takes the task of an activity whose worker is dead.
        if given.is_activity && death.is_some_and(|death| death.from.as_millisecond() <= begins) {
            (answer.started, answer.worker) = (None, None);
        }
        let alive_until = match (death, lost) {
            (Some(death), _) => death.from.as_millisecond().min(ends),
            (None, Some(_)) => begins,
            (None, None) => ends,
        };
        if let Some(seconds) = self.beats.filter(|_| given.heartbeat) {
            let alive = u64::try_from(alive_until.saturating_sub(begins) / 1000).unwrap_or(0);
            answer.heartbeats = (1..=alive / seconds.max(1)).map(|beat| Duration::from_secs(beat * seconds)).collect();
        }
        if lost.is_none() {
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of a wait")]
            let lasts = ends.saturating_sub(begins) as f64;
            answer.ended = Some((after(lasts), self.outcome(&mut draw)));
        }
        (answer, lost)
    }

    fn takes_ms(&self, draw: &mut Draw) -> f64 {
        let takes = draw.lognormal(self.takes.median_ms, self.takes.sigma);
        match self.slow {
            Some((share, times)) if draw.chance(share) => takes * times,
            _ => takes,
        }
    }

    fn outcome(&self, draw: &mut Draw) -> TaskOutcome {
        if let Some((said, share)) = &self.refuses
            && draw.chance(*share)
        {
            return failure(said, draw);
        }
        let position = draw.weighted(self.answers.iter().map(|(weight, _)| *weight));
        let answer = self.answers.get(position).and_then(|(_, text)| Value::parse(text).ok());
        TaskOutcome::Succeeded(answer.unwrap_or_else(|| Value::object::<&str>([])))
    }

    /// The death that keeps a task from being answered.
    fn death(&self, worker: u32, begins: i64, ends: i64) -> Option<&Death> {
        self.deaths.iter().filter(|death| death.worker.is_none_or(|dead| dead == worker)).find(|death| {
            let (from, to) = (death.from.as_millisecond(), death.to.as_millisecond());
            ends > from && begins < to
        })
    }
}

impl Hours {
    /// Nine to five on weekdays, in a time zone.
    pub fn office(utc_offset: i64) -> Self {
        Self { utc_offset, from: 9, to: 17, weekends: false }
    }

    /// The moment at which `work` milliseconds of working time have passed since `at`; all in milliseconds since the epoch.
    fn after(&self, at: i64, work: i64) -> i64 {
        let offset = self.utc_offset * HOUR_MS;
        let (mut now, mut left) = (at.saturating_add(offset), work.max(0));
        // Ten years of days: longer than any execution may take.
        for _ in 0..3_660 {
            let day = now.div_euclid(DAY_MS);
            let (opens, closes) = (day * DAY_MS + self.from * HOUR_MS, day * DAY_MS + self.to * HOUR_MS);
            // 1970-01-01 was a Thursday; 0 is Sunday.
            let is_open = self.weekends || (1..=5).contains(&(day + 4).rem_euclid(7));
            let begins = now.max(opens);
            if is_open && begins < closes {
                if left <= closes - begins {
                    return begins + left - offset;
                }
                left -= closes - begins;
            }
            now = (day + 1) * DAY_MS;
        }
        now - offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn given(moment: &str, number: u64) -> Given {
        Given { at: at(moment), key: Key::new(1).number(number), is_activity: false, heartbeat: false }
    }

    #[test]
    fn working_time_passes_in_office_hours_only() {
        let hours = Hours::office(1);
        let after = |from: &str, hours_of_work: i64| {
            let end = hours.after(at(from).as_millisecond(), hours_of_work * HOUR_MS);
            Timestamp::from_millisecond(end).expect("a moment").to_string()
        };
        // A Friday, an hour before the office in Vienna closes.
        assert_eq!(after("2026-03-06T15:00:00Z", 1), "2026-03-06T16:00:00Z");
        assert_eq!(after("2026-03-06T15:00:00Z", 2), "2026-03-09T09:00:00Z");
        assert_eq!(after("2026-03-07T12:00:00Z", 8), "2026-03-09T16:00:00Z");
        assert_eq!(after("2026-03-09T03:00:00Z", 0), "2026-03-09T08:00:00Z");
    }

    #[test]
    fn a_dead_worker_answers_neither_what_it_has_nor_what_comes() {
        let death = Death { worker: None, from: at("2026-03-06T12:00:00Z"), to: at("2026-03-06T13:00:00Z") };
        let worker = Answerer { takes: Spread { median_ms: 60_000.0, sigma: 0.0 }, deaths: vec![death], ..Answerer::prompt("Check", 1.0) };
        let lost = |moment: &str| worker.take(&given(moment, 1)).1;
        assert_eq!(lost("2026-03-06T11:50:00Z"), None);
        assert_eq!(lost("2026-03-06T11:59:30Z"), Some(Lost::WorkerDied), "it had it in its hands");
        assert_eq!(lost("2026-03-06T12:30:00Z"), Some(Lost::WorkerDied));
        assert_eq!(lost("2026-03-06T13:00:00Z"), None);
        assert!(worker.take(&given("2026-03-06T12:30:00Z", 1)).0.ended.is_none());
    }

    #[test]
    fn nobody_takes_an_activitys_task_while_all_workers_are_dead_and_beats_stop_with_the_worker() {
        let death = Death { worker: None, from: at("2026-03-06T12:00:00Z"), to: Timestamp::MAX };
        let takes = Spread { median_ms: 600_000.0, sigma: 0.0 };
        let worker = Answerer { takes, deaths: vec![death], beats: Some(60), ..Answerer::prompt("Pick", 1.0) };
        let task = |moment: &str| Given { is_activity: true, heartbeat: true, ..given(moment, 2) };
        assert!(worker.take(&task("2026-03-06T12:30:00Z")).0.started.is_none());
        let (caught, lost) = worker.take(&task("2026-03-06T11:55:00Z"));
        assert!(caught.started.is_some() && lost == Some(Lost::WorkerDied));
        assert!((4..=5).contains(&caught.heartbeats.len()), "{}", caught.heartbeats.len());
        assert_eq!(worker.take(&task("2026-03-06T11:00:00Z")).0.heartbeats.len(), 10);
    }
}
