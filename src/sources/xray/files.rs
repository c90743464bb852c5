//! Traces from files and folders.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::{Found, TraceSet};
use crate::sources::compression::decompressed;
use crate::sources::error::{Place, SourceError};
use crate::sources::folder;
use crate::sources::limits::Limits;
use crate::sources::lines::{Line, Lines};

/// Reads every trace that a file or a folder holds. What can't be read goes to `report`, and the rest is read all the same.
pub fn read_traces(path: &Path, limits: &Limits, report: &mut dyn FnMut(SourceError)) -> TraceSet {
    let mut traces = TraceSet::default();
    if !path.is_dir() {
        read_file(path, limits, &mut traces, report);
        return traces;
    }
    let mut files = Vec::new();
    folder::walk(path, limits, &mut |_, found| files.extend(found), &mut |error| report(error));
    if files.is_empty() {
        report(SourceError::EmptyFolder { origin: path.display().to_string() });
    }
    for file in files {
        read_file(&file, limits, &mut traces, report);
    }
    traces
}

fn read_file(path: &Path, limits: &Limits, traces: &mut TraceSet, report: &mut dyn FnMut(SourceError)) {
    let origin = path.display().to_string();
    let opened = File::open(path).and_then(|file| decompressed(file, limits));
    let read = opened.and_then(|input| read(input, &origin, limits, traces, report));
    if let Err(reason) = read {
        report(SourceError::Unreadable { origin, reason });
    }
}

/// Reads JSON Lines a line at a time, and anything else as one document.
fn read(input: impl Read, origin: &str, limits: &Limits, traces: &mut TraceSet, report: &mut dyn FnMut(SourceError)) -> io::Result<()> {
    let mut lines = Lines::new(BufReader::new(input), limits.document_bytes());
    let mut reader = Reader { origin, traces, report, found: Found::default() };
    let Some(first) = next_with_text(&mut lines)? else {
        (reader.report)(SourceError::Empty { origin: origin.to_owned() });
        return Ok(());
    };
    let second = next_with_text(&mut lines)?;
    let is_json = |line: &Line| matches!(line, Line::Whole { bytes, .. } if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok());
    // A broken first line is none of JSON Lines only where the second is no document either.
    let opens = |line: &Line| matches!(line, Line::Whole { bytes, .. } if bytes.trim_ascii_start().starts_with(b"{"));
    let is_lines = is_json(&first) || second.as_ref().is_some_and(|line| opens(line) && is_json(line) && opens(&first));
    let had_second = second.is_some();
    if !is_lines {
        if let Some(second) = second {
            lines.give_back(second);
        }
        lines.give_back(first);
        return reader.whole(lines, limits);
    }
    reader.line(first, limits);
    if let Some(second) = second {
        reader.line(second, limits);
    }
    while had_second && let Some(line) = next_with_text(&mut lines)? {
        reader.line(line, limits);
    }
    reader.finish();
    Ok(())
}

fn next_with_text(lines: &mut Lines<impl io::BufRead>) -> io::Result<Option<Line>> {
    while let Some(line) = lines.next()? {
        match &line {
            Line::Whole { bytes, .. } if bytes.trim_ascii().is_empty() => {}
            _ => return Ok(Some(line)),
        }
    }
    Ok(None)
}

struct Reader<'r> {
    origin: &'r str,
    traces: &'r mut TraceSet,
    report: &'r mut dyn FnMut(SourceError),
    found: Found,
}

impl Reader<'_> {
    fn line(&mut self, line: Line, limits: &Limits) {
        match line {
            Line::Whole { number, bytes } => match serde_json::from_slice::<Value>(bytes.trim_ascii_end()) {
                Ok(value) => self.take(&value),
                Err(error) => {
                    let error = self.syntax(&error, number);
                    (self.report)(error);
                }
            },
            Line::TooLong { number, .. } => {
                let place = Place::line(self.origin, number);
                (self.report)(SourceError::TooLarge { place, limit: limits.document_bytes() });
            }
        }
    }

    fn whole(&mut self, lines: Lines<impl io::BufRead>, limits: &Limits) -> io::Result<()> {
        let Some(bytes) = lines.rest(limits.document_bytes())? else {
            let place = Place::whole(self.origin);
            (self.report)(SourceError::TooLarge { place, limit: limits.document_bytes() });
            return Ok(());
        };
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        // Documents one after the other, each over several lines.
        for document in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
            match document {
                Ok(value) => self.take(&value),
                Err(error) => {
                    let error = self.syntax(&error, 1);
                    (self.report)(error);
                    break;
                }
            }
        }
        self.finish();
        Ok(())
    }

    fn take(&mut self, value: &Value) {
        let found = self.traces.add(value);
        self.found.spans += found.spans;
        self.found.summaries += found.summaries;
        self.found.bad += found.bad;
        self.found.first_bad = self.found.first_bad.take().or(found.first_bad);
    }

    /// Tells what was no part of a trace: of a file that holds none, and of documents among others.
    fn finish(&mut self) {
        let found = std::mem::take(&mut self.found);
        let has_some = found.is_something();
        let Found { bad, first_bad: Some(first), .. } = found else { return };
        let place = Place::whole(self.origin);
        (self.report)(if has_some {
            SourceError::BadSegments { place, count: bad, first }
        } else {
            SourceError::NotTraces { place, found: first }
        });
    }

    fn syntax(&self, error: &serde_json::Error, first_line: usize) -> SourceError {
        let mut place = Place::line(self.origin, first_line + error.line().saturating_sub(1));
        place.column = Some(error.column()).filter(|column| *column > 0);
        let problem = error.to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
        SourceError::Syntax { place, problem: format!("no JSON: {problem}") }
    }
}
