//! The calls about one log, one after the other.
//!
//! | what is known               | calls of FilterLogEvents                                                                  |
//! |-----------------------------|-------------------------------------------------------------------------------------------|
//! | the request id              | the lines that name it, which tell the stream and the time; then that stream for that time |
//! | the function and the time   | the platform's lines of that time; those with the error's words; then one stream           |
//! | the stream                  | its last quarter of an hour, and all of it when that was not enough                       |

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{known, second};
use crate::analysis::task_log::{
    Choice, InvocationReader, Invocations, LogBasis, LogQuestion, Search, StreamReader, Streams, TaskLog, choose, is_report,
};
use crate::model::Timestamp;
use crate::sources::aws::logs::{LogFilter, LogWindow};
use crate::sources::aws::{AwsError, AwsSource};

/// Pages that one search reads at most, of a megabyte each.
const MOST_PAGES: usize = 60;

/// Of a job's log the end is read first.
const LAST_OF_JOB: SignedDuration = SignedDuration::from_mins(15);

/// The end of a log that is too long to be read whole.
const END: SignedDuration = SignedDuration::from_secs(10);

/// The lines of the platform that tell when invocations began and ended, in both formats.
const MARKERS: &str = r#"?"START RequestId" ?"REPORT RequestId" ?"platform.start" ?"platform.report""#;

/// What is read, and how.
pub(super) struct Reading<'a> {
    pub(super) source: &'a AwsSource,
    pub(super) question: &'a LogQuestion,
    /// Lines at most.
    pub(super) most: usize,
}

/// Where the lines with a request id stand.
#[derive(Debug, Clone, Copy)]
struct Place {
    lines: usize,
    first: Timestamp,
    last: Timestamp,
    has_report: bool,
}

impl Reading<'_> {
    /// Asks until the answer is there.
    pub(super) async fn read(&self) -> Result<TaskLog, AwsError> {
        let mut log = match &self.question.search {
            Search::Request(id) => self.by_request(id).await?,
            Search::Invocations(clue) => self.by_time(clue.as_deref()).await?,
            Search::Streams(streams) => self.by_stream(streams).await?,
        };
        log.region = Some(self.source.region().to_owned());
        Ok(log)
    }

    async fn by_request(&self, id: &str) -> Result<TaskLog, AwsError> {
        let places = self.places(id).await?;
        let mut log =
            TaskLog { request_id: Some(id.to_owned()), basis: Some(LogBasis::RequestId), candidates: Some(1), ..known(self.question) };
        // A request that Lambda itself tried again is in several streams: the last one failed last.
        let Some((stream, place)) = places.iter().max_by_key(|(_, place)| (place.last, place.lines)) else {
            log.candidates = Some(0);
            log.note = Some(self.no_line_of(id));
            return Ok(log);
        };
        let mut notes = Vec::new();
        if places.len() > 1 {
            notes.push(format!("{} streams name the request; this is the last one", places.len()));
        }
        self.invocation(id, stream, *place, &mut log, &mut notes).await?;
        log.note = sentence(&notes);
        Ok(log)
    }

    fn no_line_of(&self, id: &str) -> String {
        let LogQuestion { group, from, until, .. } = self.question;
        let elsewhere =
            if self.question.is_named { "" } else { ", or the function logs elsewhere (then name that group with --log-group)" };
        let told = format!("no line in {group} names request {id} between {} and {}", second(*from), second(*until));
        format!("{told}: the lines are past their retention, were never written{elsewhere}")
    }

    /// The streams that name a request.
    async fn places(&self, id: &str) -> Result<BTreeMap<String, Place>, AwsError> {
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        self.each(&format!("\"{id}\""), "", self.window(), |at, stream, text| {
            if !text.contains(id) {
                return;
            }
            let place = places.entry(stream.to_owned()).or_insert(Place { lines: 0, first: at, last: at, has_report: false });
            place.lines += 1;
            place.first = place.first.min(at);
            place.last = place.last.max(at);
            place.has_report |= is_report(text, id);
        })
        .await?;
        Ok(places)
    }

    /// The lines of an invocation, from its stream.
    async fn invocation(&self, id: &str, stream: &str, place: Place, log: &mut TaskLog, notes: &mut Vec<String>) -> Result<(), AwsError> {
        let from = self.question.from.min(place.first);
        let until = if place.has_report { later(place.last, SignedDuration::from_secs(1)) } else { self.question.until };
        let mut reader = InvocationReader::new(id, self.most, self.question.was_killed);
        let window = LogWindow::new(from, until);
        let is_whole = self.each_of(stream, window, |at, text| reader.take(at, text)).await?;
        if !is_whole {
            notes.push(format!("the log is too long to be read whole: its first {MOST_PAGES} pages and its last {} s were", END.as_secs()));
            reader.skip();
            let window = LogWindow::new(earlier(place.last, END), until);
            self.each_of(stream, window, |at, text| reader.take(at, text)).await?;
        }
        let read = reader.finish();
        if read.lines.is_empty() {
            notes.push("the function wrote no line of its own".to_owned());
        } else if read.report.is_none() {
            notes.push("Lambda has not reported the end of this invocation: it may still run, or the report is late".to_owned());
        }
        log.stream = Some(stream.to_owned());
        log.request_id = Some(id.to_owned());
        (log.lines, log.left_out, log.left_out_after) = (read.lines, read.left_out, read.left_out_after);
        (log.report, log.outcome) = (read.report, read.outcome);
        Ok(())
    }

    async fn by_time(&self, clue: Option<&str>) -> Result<TaskLog, AwsError> {
        let mut invocations = Invocations::default();
        let is_whole = self.each(MARKERS, "", self.window(), |at, stream, text| invocations.take(at, stream, text)).await?;
        if let Some(clue) = clue.filter(|_| invocations.count() > 1) {
            let take = |at, stream: &str, text: &str| {
                if text.contains(clue) {
                    invocations.take_clue(at, stream, text);
                }
            };
            self.each(&format!("\"{clue}\""), "", self.window(), take).await?;
        }
        let mut log = TaskLog { basis: Some(LogBasis::TimeWindow), candidates: Some(0), ..known(self.question) };
        let mut notes = Vec::new();
        if !is_whole || invocations.are_too_many() {
            notes.push("the group has too many lines at that time to look at all of them".to_owned());
        }
        match choose(&invocations, self.question) {
            Some(choice) => {
                notes.push(chosen(&choice));
                log.candidates = Some(choice.fit);
                let Choice { invocation, .. } = choice;
                let first = invocation.started.unwrap_or(self.question.from);
                let last = invocation.ended.unwrap_or(self.question.until);
                let place = Place { lines: 0, first, last, has_report: invocation.ended.is_some() };
                self.invocation(&invocation.id, &invocation.stream, place, &mut log, &mut notes).await?;
            }
            None => notes.push(self.no_invocation(invocations.count())),
        }
        log.note = sentence(&notes);
        Ok(log)
    }

    fn no_invocation(&self, seen: usize) -> String {
        let LogQuestion { group, scheduled, ended, .. } = self.question;
        let seen = if seen == 0 { "none at all is" } else { "those that are do not fit its times" };
        format!(
            "no request id is recorded for this attempt, and no invocation between {} and {} is in {group} ({seen}): its lines are past their \
             retention, or the function logs elsewhere (then name that group with --log-group)",
            second(*scheduled),
            second(*ended)
        )
    }

    async fn by_stream(&self, streams: &Streams) -> Result<TaskLog, AwsError> {
        let question = self.question;
        let basis = if *streams == Streams::All { LogBasis::TimeWindow } else { LogBasis::Stream };
        let mut log = TaskLog { basis: Some(basis), ..known(question) };
        let mut notes = Vec::new();
        let last = earlier(question.ended, LAST_OF_JOB).max(question.from);
        let mut from = last;
        let (mut reader, mut is_whole) = self.lines_of(streams, from).await?;
        if reader.count() < self.most && from > question.from {
            from = question.from;
            (reader, is_whole) = self.lines_of(streams, from).await?;
        }
        if from > question.from {
            notes.push(format!("only lines since {} were read", second(from)));
        }
        if !is_whole {
            notes.push(format!("the log is too long to be read whole: its first {MOST_PAGES} pages were"));
        }
        let read = reader.finish();
        if read.lines.is_empty() {
            notes.push(format!(
                "no line of the {} is in {}: it wrote none, or they are past their retention",
                question.task.words(),
                question.group
            ));
        } else if basis == LogBasis::TimeWindow {
            notes.push("these are all lines of the group at that time: others may have written them".to_owned());
        }
        log.stream = <[String; 1]>::try_from(read.streams).ok().map(|[stream]| stream);
        (log.lines, log.left_out, log.left_out_after) = (read.lines, read.left_out, read.left_out_after);
        log.note = sentence(&notes);
        Ok(log)
    }

    /// The lines of a job since a moment, and whether all were read.
    async fn lines_of(&self, streams: &Streams, from: Timestamp) -> Result<(StreamReader, bool), AwsError> {
        let mut reader = StreamReader::new(streams.clone(), self.most);
        let window = LogWindow::new(from, self.question.until);
        let is_whole = self.each("", streams.prefix(), window, |at, stream, text| reader.take(at, stream, text)).await?;
        Ok((reader, is_whole))
    }

    fn window(&self) -> LogWindow {
        LogWindow::new(self.question.from, self.question.until)
    }

    /// Every line of one stream, whether all were read.
    async fn each_of(&self, stream: &str, window: LogWindow, mut take: impl FnMut(Timestamp, &str)) -> Result<bool, AwsError> {
        let only = |at, of: &str, text: &str| {
            if of == stream {
                take(at, text);
            }
        };
        self.each("", stream, window, only).await
    }

    /// Gives each line that a search finds to `take`: its time, its stream, its text. Says whether all were read.
    async fn each(
        &self,
        pattern: &str,
        stream_prefix: &str,
        window: LogWindow,
        mut take: impl FnMut(Timestamp, &str, &str),
    ) -> Result<bool, AwsError> {
        // The service takes no prefix with these characters; whoever takes the lines looks at their stream.
        let stream_prefix = if stream_prefix.contains([':', '*']) { "" } else { stream_prefix };
        let filter = LogFilter { pattern, stream_prefix, ..LogFilter::all(&self.question.group, window) };
        let mut pages = self.source.log_pages(filter);
        for _ in 0..MOST_PAGES {
            let Some(page) = pages.next().await? else { return Ok(true) };
            for event in page {
                take(event.timestamp.or(event.ingested).unwrap_or(window.from), &event.stream, &event.message);
            }
        }
        Ok(pages.next().await?.is_none())
    }
}

/// How far a choice by time can be trusted.
fn chosen(choice: &Choice) -> String {
    let none = "no request id is recorded for this attempt";
    match (choice.fit, choice.has_words) {
        (1, _) => format!("{none}; this is the only invocation of the function that fits its times"),
        (fit, true) => format!("{none}; of the {fit} invocations that fit its times this is the only one whose log has the error's words"),
        (fit, false) => format!(
            "a guess: {none}, and {fit} invocations of the function fit its times; this one fits best, and may be another execution's"
        ),
    }
}

/// Notes as one sentence; `None` when there are none.
fn sentence(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(moment)
}

fn earlier(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_sub(by).unwrap_or(moment)
}
