//! Reads the lines of one invocation out of the stream of its environment.
//!
//! An environment serves one invocation after the other, and most lines do not say to which they belong: it is their place that tells.
//!
//! | stage    | a line                               | belongs to it                     | next stage                  |
//! |----------|--------------------------------------|-----------------------------------|-----------------------------|
//! | before   | the environment starts               | -                                 | starting                    |
//! | starting | any line of the function's           | if its own START follows          | starting                    |
//! | both     | its START, or a line with its id     | yes                               | during                      |
//! | both     | START of another                     | no, nor does what came before it  | before                      |
//! | during   | any line of the function's           | yes                               | during                      |
//! | during   | START of another                     | no                                | after                       |
//! | during   | its REPORT                           | becomes the report                | after                       |
//! | after    | a line with its id                   | yes: a timeout is told late       | after                       |

use super::kept::Kept;
use super::line::{Line, classify};
use super::report::{FunctionOutcome, FunctionReport, LogLine};
use crate::model::Timestamp;

/// Collects the lines of an invocation.
#[derive(Debug)]
pub struct InvocationReader {
    id: String,
    stage: Stage,
    most: usize,
    /// Lines since the environment started, for the first invocation in it.
    starting: Option<Kept>,
    kept: Kept,
    report: Option<FunctionReport>,
    errors: Errors,
    is_cold: bool,
}

/// What the platform says of the invocation's end.
#[derive(Debug, Clone, Copy)]
struct Errors {
    timed_out: bool,
    killed: bool,
    exited: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    During,
    After,
}

/// What an invocation left in its log.
#[derive(Debug)]
pub struct InvocationLog {
    /// The first and the last lines of the function's own.
    pub lines: Vec<LogLine>,
    /// How many are missing between them.
    pub left_out: usize,
    /// After how many of them.
    pub left_out_after: usize,
    /// What Lambda reported.
    pub report: Option<FunctionReport>,
    /// How it ended, as far as the log tells.
    pub outcome: Option<FunctionOutcome>,
}

impl InvocationReader {
    /// For the invocation of this request id; keeps at most so many lines. `was_killed` when the failure's cause says so already.
    pub fn new(id: &str, most: usize, was_killed: bool) -> Self {
        Self {
            id: id.to_owned(),
            stage: Stage::Before,
            most,
            starting: None,
            kept: Kept::new(most),
            report: None,
            errors: Errors { timed_out: false, killed: was_killed, exited: was_killed },
            is_cold: false,
        }
    }

    /// Takes the next line of the stream.
    pub fn take(&mut self, at: Timestamp, text: &str) {
        match classify(text) {
            Line::InitStart if self.stage == Stage::Before => self.starting = Some(Kept::new(self.most)),
            Line::Start(id) if id == self.id => self.begin(),
            // What belongs to the next invocation, or to one before.
            Line::Start(_) if self.stage == Stage::During => self.stage = Stage::After,
            Line::Start(_) => self.starting = None,
            Line::Report(id, report) if id == self.id => {
                self.report = Some(report);
                self.stage = Stage::After;
            }
            Line::End(id) if id == self.id => self.begin(),
            Line::Told => self.take_told(at, text),
            Line::InitStart | Line::End(_) | Line::Report(..) | Line::Platform => {}
        }
    }

    /// Its START may be lost, or lie before the first line that was read.
    fn begin(&mut self) {
        if self.stage != Stage::Before {
            return;
        }
        self.stage = Stage::During;
        if let Some(starting) = self.starting.take() {
            self.is_cold = true;
            self.kept.append(starting);
        }
    }

    fn take_told(&mut self, at: Timestamp, text: &str) {
        let has_id = text.contains(&self.id);
        if has_id {
            self.begin();
            self.read_error(text);
        }
        match (&mut self.starting, self.stage) {
            (Some(starting), Stage::Before) => starting.push(at, text),
            (_, Stage::During) => self.kept.push(at, text),
            (_, Stage::After) if has_id => self.kept.push(at, text),
            (None, Stage::Before) | (_, Stage::After) => {}
        }
    }

    /// The platform's words about an error: `<time> <id> Task timed out after …`, `RequestId: <id> Error: Runtime exited …`. A function may
    /// write the same words about something else, without its own id before them.
    fn read_error(&mut self, text: &str) {
        let Some((_, after)) = text.split_once(&self.id) else { return };
        let after = after.trim_start().trim_start_matches("Error: ");
        self.errors.timed_out |= after.starts_with("Task timed out after");
        let exited = after.starts_with("Runtime exited");
        self.errors.exited |= exited;
        self.errors.killed |= exited && after.contains("signal: killed");
    }

    /// Lines follow that do not come right after those before; they belong to the invocation, until one says otherwise.
    pub fn skip(&mut self) {
        self.begin();
    }

    /// What was read.
    pub fn finish(self) -> InvocationLog {
        let outcome = self.outcome();
        let mut report = self.report;
        // An environment that started for it, where the report does not say how long that took.
        if self.is_cold
            && let Some(report) = &mut report
        {
            report.cold_start = true;
        }
        let (lines, left_out, left_out_after) = self.kept.into_lines();
        InvocationLog { lines, left_out, left_out_after, report, outcome }
    }

    fn outcome(&self) -> Option<FunctionOutcome> {
        let report = self.report.as_ref();
        let status = report.and_then(|report| report.status.as_deref());
        let error_type = report.and_then(|report| report.error_type.as_deref());
        let memory_is_full =
            report.and_then(|report| report.max_memory_mb.zip(report.memory_mb)).is_some_and(|(used, size)| size > 0 && used >= size);
        if error_type == Some("Runtime.OutOfMemory") || (self.errors.killed && memory_is_full) {
            Some(FunctionOutcome::OutOfMemory)
        } else if self.errors.timed_out || status == Some("timeout") {
            Some(FunctionOutcome::TimedOut)
        } else if self.errors.exited || error_type == Some("Runtime.ExitError") {
            Some(FunctionOutcome::Crashed)
        } else {
            None
        }
    }
}
