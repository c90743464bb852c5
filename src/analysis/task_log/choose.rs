//! Which invocation of a function was the attempt, when no request id says so.
//!
//! An invocation fits when it began within the attempt, and, where the function answered, ended as the attempt did. Of those that fit,
//! one whose log has the error's own words goes before others; then the one whose times are closest.

use std::collections::HashMap;

use super::line::{Line, classify};
use super::question::LogQuestion;
use crate::model::{Timestamp, time};

/// Milliseconds by which the clocks of Lambda and Step Functions may differ.
const SKEW: i64 = 1_000;

/// The answer reaches Step Functions before the report is written: extensions may run for two seconds more.
const REPORT_IS_LATE: i64 = 3_000;

/// More invocations than this within one attempt are not told apart.
const MOST: usize = 50_000;

/// The invocations of a stretch of time, from the platform's lines.
#[derive(Debug, Default)]
pub struct Invocations {
    found: HashMap<String, Invocation>,
    /// Lines with the error's words: their moment and stream, and the text.
    clues: Vec<(Timestamp, String, String)>,
}

/// An invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Its request id.
    pub id: String,
    /// The stream of its environment.
    pub stream: String,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When its report was written.
    pub ended: Option<Timestamp>,
}

/// The invocation that is taken for the attempt.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The one.
    pub invocation: Invocation,
    /// How many fit, this one included.
    pub fit: usize,
    /// Whether it alone has the error's words in its log.
    pub has_words: bool,
}

impl Invocations {
    /// Takes a line of the group.
    pub fn take(&mut self, at: Timestamp, stream: &str, text: &str) {
        let (id, is_start, duration) = match classify(text) {
            Line::Start(id) => (id, true, None),
            Line::Report(id, report) => (id, false, report.duration_ms),
            _ => return,
        };
        if self.found.len() >= MOST && !self.found.contains_key(id.as_ref()) {
            return;
        }
        let invocation = self.found.entry(id.to_string()).or_insert_with(|| Invocation {
            id: id.to_string(),
            stream: stream.to_owned(),
            started: None,
            ended: None,
        });
        if is_start {
            invocation.started = Some(at);
        } else {
            invocation.ended = Some(at);
            // A lost START: the report says how long ago it was.
            #[allow(clippy::cast_possible_truncation, reason = "a function runs for 15 minutes at most, and `as` saturates")]
            let before = duration.map(|duration| duration as i64);
            let started = before.and_then(|before| at.checked_sub(jiff::SignedDuration::from_millis(before)).ok());
            invocation.started = invocation.started.or(started);
        }
    }

    /// Takes a line that has the error's words.
    pub fn take_clue(&mut self, at: Timestamp, stream: &str, text: &str) {
        self.clues.push((at, stream.to_owned(), text.to_owned()));
    }

    /// Whether there were more than can be told apart.
    pub fn are_too_many(&self) -> bool {
        self.found.len() >= MOST
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    fn has_words(&self, invocation: &Invocation) -> bool {
        self.clues.iter().any(|(at, stream, text)| {
            let after = |start: Timestamp| time::milliseconds_between(start, *at) >= -SKEW;
            let before = |end: Timestamp| time::milliseconds_between(*at, end) >= -SKEW;
            let within = invocation.started.is_some_and(after) && invocation.ended.is_none_or(before);
            text.contains(&invocation.id) || (*stream == invocation.stream && within)
        })
    }
}

/// The invocation that is most likely the attempt; `None` when none fits.
pub fn choose(invocations: &Invocations, question: &LogQuestion) -> Option<Choice> {
    let mut fitting: Vec<(bool, i64, &Invocation)> = invocations
        .found
        .values()
        .filter(|invocation| may_serve(&invocation.stream, question))
        .filter_map(|invocation| Some((invocations.has_words(invocation), distance(invocation, question)?, invocation)))
        .collect();
    fitting.sort_by(|(words, distance, one), (other_words, other_distance, other)| {
        other_words.cmp(words).then_with(|| distance.cmp(other_distance)).then_with(|| one.id.cmp(&other.id))
    });
    let (has_words, _, first) = fitting.first()?;
    let others_have = fitting.iter().skip(1).any(|(words, ..)| *words);
    Some(Choice { invocation: (*first).clone(), fit: fitting.len(), has_words: *has_words && !others_have })
}

/// Whether the environment of a stream may be one of the function, in its version. Streams are named `<date>/[<version>]<hash>`; in a group
/// that functions share, `<date>/<function>[<version>]<hash>`. Of any other name nothing is known.
fn may_serve(stream: &str, question: &LogQuestion) -> bool {
    let Some((before, (version, _))) = stream.split_once('[').and_then(|(before, after)| Some((before, after.split_once(']')?))) else {
        return true;
    };
    let function = before.rsplit('/').next().filter(|function| !function.is_empty());
    let is_other = |known: Option<&str>, wanted: Option<&String>| known.zip(wanted).is_some_and(|(known, wanted)| known != wanted);
    !is_other(function, question.name.as_ref()) && !is_other(Some(version), question.version.as_ref())
}

/// Milliseconds by which the times of an invocation differ from those of the attempt; `None` when it cannot be the one.
fn distance(invocation: &Invocation, question: &LogQuestion) -> Option<i64> {
    let started = invocation.started?;
    let after_schedule = time::milliseconds_between(question.scheduled, started);
    let before_end = time::milliseconds_between(started, question.ended);
    if after_schedule < -SKEW || before_end < -SKEW {
        return None;
    }
    let late = match invocation.ended {
        Some(ended) if question.is_answered => {
            let late = time::milliseconds_between(question.ended, ended);
            if !(-SKEW..=REPORT_IS_LATE).contains(&late) {
                return None;
            }
            late.abs()
        }
        // Step Functions gave up on it: it may end at any time.
        Some(ended) if time::milliseconds_between(ended, question.ended) > SKEW => return None,
        Some(_) => 0,
        None => REPORT_IS_LATE,
    };
    Some(after_schedule.abs() + late)
}
