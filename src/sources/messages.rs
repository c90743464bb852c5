//! The part of the reader that hands on messages of log events: lines of a log, rows of a table.
//!
//! Apart from `documents` because here a line is not cut into JSON: what it holds is told by whoever takes the message.

use std::sync::Arc;

use super::documents::{Read, Reader};
use super::error::{Place, SourceError};
use super::form::message_of_line;
use super::log_records::{is_broken_record, table};
use super::records::{is_blank, line_end};
use crate::model::RawText;
use crate::model::text::Form;

impl Reader<'_> {
    /// Lines of a log that are in memory; `text` is the same, if it is UTF-8 all over.
    pub(super) fn log_lines(&mut self, all: &[u8], text: Option<&Arc<String>>, first_line: usize) {
        let (mut at, mut number) = (0, first_line);
        while at < all.len() {
            let end = line_end(all, at);
            let line = &all[at..end];
            match text {
                _ if is_blank(line) => {}
                _ if line.len() > self.limits.document_bytes() => self.too_large(Place::line(self.origin, number)),
                Some(text) => {
                    let message = message_of_line(&text[at..end]);
                    let begin = message.as_ptr() as usize - text.as_ptr() as usize;
                    let message = RawText::slice(text, begin..begin + message.len(), Form::Plain);
                    self.message(message.unwrap_or_else(|| RawText::plain("")), Place::line(self.origin, number));
                }
                None => self.log_line(line, number),
            }
            (at, number) = (end, number + 1);
        }
    }

    pub(super) fn log_line(&mut self, line: &[u8], number: usize) {
        let place = Place::line(self.origin, number);
        match std::str::from_utf8(line) {
            Ok(text) => self.message(RawText::plain(message_of_line(text)), place),
            // Only a record is missed; a function may write what it likes.
            Err(_) if is_broken_record(message_of_line(&String::from_utf8_lossy(line)), self.limits.depth) => {
                self.report(SourceError::NotUtf8 { place }, line);
            }
            Err(_) => self.message(RawText::plain(String::from_utf8_lossy(line).into_owned()), place),
        }
    }

    /// A table of Logs Insights.
    pub(super) fn table(&mut self, bytes: Vec<u8>) {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = 1 + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
                return self.report(SourceError::NotUtf8 { place: Place::line(self.origin, line) }, &[]);
            }
        };
        table::read(&text, &mut |line, message| {
            let place = Place::line(self.origin, line);
            if let Some(message) = message {
                self.message(message, place);
            } else {
                self.tally.unrelated += 1;
                let found = "a row of Logs Insights without @message, or else without execution_arn, id and type".to_owned();
                self.report(SourceError::NotAHistory { place, found }, &[]);
            }
        });
    }

    /// Hands a message on, and before it the lines that it shows to be messages, too.
    pub(super) fn message(&mut self, message: RawText, place: Place) {
        self.tally.found += 1;
        if self.tally.found == 1 {
            self.tally.is_log = true;
            for (error, text) in std::mem::take(&mut self.tally.held_back) {
                let place = Place { line: error.source_and_line().1, ..Place::whole(self.origin) };
                self.message(RawText::plain(String::from_utf8_lossy(&text).into_owned()), place);
            }
        }
        (self.sink)(Ok(Read::Message(message, place)));
    }

    /// Reports lines that were held back: they are no log's.
    pub(super) fn give_up_held_back(&mut self) {
        for (error, text) in std::mem::take(&mut self.tally.held_back) {
            self.report(error, &text);
        }
    }
}
