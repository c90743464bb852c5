//! What can be wrong with a file or a stream.

use std::fmt;

use thiserror::Error;

use super::json::{JsonError, Problem};
use crate::model::Origin;

/// A place in what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or what else messages call the source.
    pub origin: String,
    /// From 1; `None` where the whole source is meant.
    pub line: Option<usize>,
    /// In characters, from 1.
    pub column: Option<usize>,
    /// From 1, where one document holds several executions.
    pub entry: Option<usize>,
}

impl Place {
    /// The whole of a source.
    pub fn whole(origin: &str) -> Self {
        Self { origin: origin.to_owned(), line: None, column: None, entry: None }
    }

    /// A line of it.
    pub fn line(origin: &str, line: usize) -> Self {
        Self { origin: origin.to_owned(), line: Some(line), column: None, entry: None }
    }

    /// Byte `at` of a text whose first line is line `first_line` of the source.
    pub(super) fn at(origin: &str, first_line: usize, text: &str, at: usize) -> Self {
        let before = &text.as_bytes()[..at.min(text.len())];
        let breaks = memchr::memchr_iter(b'\n', before).count();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        // Continuation bytes begin no character.
        let column = before[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        Self { origin: origin.to_owned(), line: Some(first_line + breaks), column: Some(column), entry: None }
    }
}

impl Place {
    /// The place as the origin of what was read there.
    pub(super) fn origin_of_part(&self) -> Origin {
        let part = self.to_string()[self.origin.len()..].trim_start().to_owned();
        Origin { source: self.origin.clone(), part: Some(part).filter(|part| !part.is_empty()), definitions: None, store: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(entry) = self.entry {
            write!(f, " entry {entry}")?;
        }
        Ok(())
    }
}

/// Why something gave no history. The rest of what was asked for is read all the same.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The system could not open or read it, or its compressed data is damaged.
    #[error("{origin} cannot be read: {reason}")]
    Unreadable {
        /// Which file.
        origin: String,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A pipe, a socket or a device inside a folder; reading one could wait for ever.
    #[error("{origin} is no regular file; give it as an argument of its own, or pipe it to standard input")]
    NotAFile {
        /// Which.
        origin: String,
    },
    /// Folders inside folders beyond any use.
    #[error("{origin} lies more than {limit} folders deep; give the folder that holds the executions")]
    FoldersTooDeep {
        /// Which folder.
        origin: String,
        /// How deep folders are read.
        limit: usize,
    },
    /// Nothing in it.
    #[error("{origin} is empty; was the command that wrote it successful?")]
    Empty {
        /// Which file.
        origin: String,
    },
    /// A folder without any file.
    #[error("{origin} is a folder without files")]
    EmptyFolder {
        /// Which folder.
        origin: String,
    },
    /// Longer than a document may be.
    #[error(
        "{place} holds more than {limit} bytes in one document, which is the limit; split it, or write one execution a line (JSON Lines)"
    )]
    TooLarge {
        /// Where.
        place: Place,
        /// The limit.
        limit: usize,
    },
    /// Nested deeper than is read.
    #[error("{place}: JSON nested more than {limit} levels deep, which is the limit")]
    TooDeep {
        /// Where.
        place: Place,
        /// The limit.
        limit: usize,
    },
    /// No UTF-8.
    #[error("{place}: not UTF-8 text; is it compressed in another way than gzip or zstd, or in another encoding?")]
    NotUtf8 {
        /// Where.
        place: Place,
    },
    /// Broken JSON.
    #[error("{place}: {problem}")]
    Syntax {
        /// Where.
        place: Place,
        /// What is wrong.
        problem: String,
    },
    /// Readable, and no history.
    #[error(
        "{place}: {found}, not an execution's history; wanted is the output of `aws stepfunctions get-execution-history` or a bundle of it with `describe-execution`"
    )]
    NotAHistory {
        /// Where.
        place: Place,
        /// What it is instead.
        found: String,
    },
    /// Elements of a list of events that are none. The others were read.
    #[error("{place}: element {first} of the events is {found}{others}; left out", others = others(*.count))]
    NotEvents {
        /// Where.
        place: Place,
        /// Number of the first such element, from 1.
        first: usize,
        /// What it is instead.
        found: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A Step Functions log record that can't be read. The others were.
    #[error("{place}: {found}; left out")]
    BadRecord {
        /// Where.
        place: Place,
        /// What is wrong with it: the same words for the same kind of fault.
        found: &'static str,
    },
    /// Lines of a log that are no records of Step Functions.
    #[error("{}", other_lines(place, *count, example, *has_records))]
    OtherLines {
        /// Where the first one stood.
        place: Place,
        /// How many there are.
        count: u64,
        /// The beginning of the first one.
        example: String,
        /// Whether there were records beside them.
        has_records: bool,
    },
    /// Log records that say something else of events of an execution that was complete before they came.
    #[error(
        "{place}: {count} log {records} of events that were read before with other content, the first of {execution}; left out: a step ran more than once",
        records = if *.count == 1 { "record" } else { "records" }
    )]
    LateRecords {
        /// Where the first one stood.
        place: Place,
        /// How many there are.
        count: u64,
        /// The execution of the first one.
        execution: String,
    },
    /// A page that fits several executions, or none.
    #[error(
        "{origin}: events {first} to {last} fit {candidates} of the executions in this folder; put the pages of each execution into a folder of its own"
    )]
    Unplaced {
        /// The file with the page.
        origin: String,
        /// Its first event.
        first: u64,
        /// Its last event.
        last: u64,
        /// How many executions it may belong to.
        candidates: usize,
    },
    /// A definition was asked for, and this is none.
    #[error(
        "{place}: {found}, not a definition; wanted is the output of `aws stepfunctions describe-state-machine` or the definition itself"
    )]
    NotADefinition {
        /// Where.
        place: Place,
        /// What it is instead.
        found: String,
    },
    /// Two different definitions for the same state machine.
    #[error("{origin} holds another definition of `{machine}` than {first}, which was kept; leave only the one that is meant")]
    SecondDefinition {
        /// The file.
        origin: String,
        /// ARN or name.
        machine: String,
        /// The file that was kept.
        first: String,
    },
}

/// What a file is found to be that holds a definition in place of a history.
pub const DEFINITION: &str = "the definition of a state machine";

/// Something that was not taken.
#[derive(Debug)]
pub struct Rejected<'t> {
    /// Why, and where it stood.
    pub error: SourceError,
    /// What stood there, where it is one record: a line of JSON Lines, or a document. Empty for whole files and for what was
    /// skipped.
    pub text: &'t [u8],
}

impl SourceError {
    /// The file, or what else messages call the source, and the line where one is known: what errors are sorted by.
    pub fn source_and_line(&self) -> (&str, Option<usize>) {
        match self {
            Self::Unreadable { origin, .. }
            | Self::NotAFile { origin }
            | Self::FoldersTooDeep { origin, .. }
            | Self::Empty { origin }
            | Self::EmptyFolder { origin }
            | Self::Unplaced { origin, .. }
            | Self::SecondDefinition { origin, .. } => (origin, None),
            Self::TooLarge { place, .. }
            | Self::TooDeep { place, .. }
            | Self::NotUtf8 { place }
            | Self::Syntax { place, .. }
            | Self::NotAHistory { place, .. }
            | Self::NotEvents { place, .. }
            | Self::BadRecord { place, .. }
            | Self::OtherLines { place, .. }
            | Self::LateRecords { place, .. }
            | Self::NotADefinition { place, .. } => (&place.origin, place.line),
        }
    }

    /// Whether it is readable, and simply not what was looked for: worth a word, not a failure.
    pub fn is_unrelated(&self) -> bool {
        matches!(self, Self::NotAHistory { .. } | Self::NotADefinition { .. } | Self::OtherLines { has_records: false, .. })
    }

    /// Whether all that could be read was read, and there is something to say about it.
    pub fn is_remark(&self) -> bool {
        matches!(self, Self::OtherLines { has_records: true, .. } | Self::LateRecords { .. })
    }

    /// What is wrong with a record, where many may have the same fault and one line is enough for all of them.
    pub fn fault_of_record(&self) -> Option<&'static str> {
        match self {
            Self::BadRecord { found, .. } => Some(found),
            _ => None,
        }
    }

    /// What was found in place of what was looked for; empty for other errors.
    pub fn found(&self) -> &str {
        match self {
            Self::NotAHistory { found, .. } | Self::NotADefinition { found, .. } => found,
            Self::OtherLines { .. } => "lines of a log, none of them a record of Step Functions",
            _ => "",
        }
    }

    pub(super) fn json(origin: &str, first_line: usize, text: &str, error: JsonError, depth_limit: usize) -> Self {
        let place = Place::at(origin, first_line, text, error.at);
        let problem = match error.problem {
            Problem::TooDeep => return Self::TooDeep { place, limit: depth_limit },
            Problem::End { in_string: true } => "the JSON ends inside a string; was it cut short?".to_owned(),
            Problem::End { in_string: false } => "the JSON ends too early; was it cut short?".to_owned(),
            Problem::ControlCharacter => "a line break or control character inside a JSON string; was it cut short?".to_owned(),
            Problem::Expected(wanted) => format!("no JSON: expected {wanted} and found {}", found_at(text, error.at)),
        };
        Self::Syntax { place, problem }
    }
}

fn other_lines(place: &Place, count: u64, example: &str, has_records: bool) -> String {
    let lines = if count == 1 { "1 line of the log is".to_owned() } else { format!("{count} lines of the log are") };
    let record = if count == 1 { "no record" } else { "no records" };
    let alone = if has_records { "" } else { ", and nothing else was found" };
    format!("{lines} {record} of Step Functions{alone} (the first: {place}: {example})")
}

fn others(count: usize) -> String {
    if count <= 1 { String::new() } else { format!(", and {} others are no events", count - 1) }
}

fn found_at(text: &str, at: usize) -> String {
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        None => "the end".to_owned(),
        Some(character) if character.is_control() => format!("the character U+{:04X}", u32::from(character)),
        Some(character) => format!("`{character}`"),
    }
}
