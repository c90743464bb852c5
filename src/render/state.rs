//! `show --state`: every visit of one state, with what went in and what came out.

use std::io::{self, Write};

use super::columns::{Screen, counted, duration, mark, outcome_word, wrapped};
use super::escape;
use super::json_text::indented;
use super::redact::Redactor;
use super::show::{attempt_title, attempt_word, short_resource};
use super::styles::{Styles, paint};
use crate::analysis::show::{AttemptPayloads, StateReport, StateVisit, VisitAttempt};

/// Lines of one payload that are shown; the rest is counted.
const MOST_LINES: usize = 60;

/// Writes every visit of a state with its payloads.
pub fn state(report: &StateReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen::new(styles, redactor, width);
    screen.heading(&report.execution, out)?;
    let name = screen.line(&report.state);
    writeln!(out, "\n{}", paint(styles.heading, format_args!("{name}: {}", counted(report.visits.len() as u64, "visit"))))?;
    for (position, visit) in report.visits.iter().enumerate() {
        writeln!(out)?;
        VisitWriter { screen, visit }.write(position, report.visits.len(), out)?;
    }
    screen.incomplete(&report.incomplete, out)
}

struct VisitWriter<'a> {
    screen: Screen<'a>,
    visit: &'a StateVisit,
}

impl VisitWriter<'_> {
    fn write(&self, position: usize, count: usize, out: &mut dyn Write) -> io::Result<()> {
        self.title(position, count, out)?;
        self.failure(out)?;
        self.payload("Input", self.visit.input.as_deref(), out)?;
        let attempts = self.visit.visit.attempts.iter().zip(&self.visit.attempt_payloads);
        let mut before: Option<&AttemptPayloads> = None;
        for (attempt, payloads) in attempts {
            self.attempt(attempt, payloads, before, out)?;
            before = Some(payloads);
        }
        for (name, value) in &self.visit.assigned_variables {
            self.payload(&format!("Assigned ${}", self.screen.line(name)), Some(value), out)?;
        }
        match (&self.visit.output, self.visit.visit.exited_event_id) {
            (None, None) => Ok(()),
            (output, _) => self.payload("Output", output.as_deref(), out),
        }
    }

    fn title(&self, position: usize, count: usize, out: &mut dyn Write) -> io::Result<()> {
        let (styles, visit) = (self.screen.styles, &self.visit.visit);
        let mut words = vec![format!("visit {} of {count}", position + 1)];
        if !visit.scope.is_empty() {
            words.push(format!("in {}", self.screen.line(&visit.scope.join(" "))));
        }
        words.extend(visit.entered_event_id.map(|id| format!("event {id}")));
        words.extend(visit.offset_ms.map(|offset| format!("+{}", duration(offset))));
        words.extend(visit.duration_ms.map(|length| format!("took {}", duration(length))));
        words.extend(visit.resource.as_deref().map(|resource| self.screen.line(&short_resource(resource))));
        words.push(outcome_word(visit.outcome).to_owned());
        words.retain(|word| !word.is_empty());
        for (line, text) in wrapped(&words.join(", "), self.screen.width.saturating_sub(2)).iter().enumerate() {
            let sign = if line == 0 { mark(visit.outcome) } else { " " };
            writeln!(out, "{} {}", paint(styles.of(visit.outcome), sign), paint(styles.heading, text))?;
        }
        Ok(())
    }

    fn failure(&self, out: &mut dyn Write) -> io::Result<()> {
        let visit = &self.visit.visit;
        if visit.error.is_none() && visit.cause.is_none() {
            return Ok(());
        }
        let said: Vec<String> = [&visit.error, &visit.cause].into_iter().flatten().map(|text| self.screen.line(text)).collect();
        self.words(self.screen.styles.of(visit.outcome), &said.join(": "), out)?;
        match &visit.caught_by {
            Some(next) => self.words(self.screen.styles.caught, &format!("caught, went on with {}", self.screen.line(next)), out),
            None => Ok(()),
        }
    }

    fn words(&self, style: anstyle::Style, text: &str, out: &mut dyn Write) -> io::Result<()> {
        for line in wrapped(text, self.screen.width.saturating_sub(4)) {
            writeln!(out, "    {}", paint(style, line))?;
        }
        Ok(())
    }

    fn attempt(
        &self,
        attempt: &VisitAttempt,
        payloads: &AttemptPayloads,
        before: Option<&AttemptPayloads>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (_, style) = attempt_word(attempt.outcome, self.screen.styles);
        let mut words = vec![attempt_title(attempt, self.screen.styles)];
        words.extend([&attempt.error, &attempt.cause].into_iter().flatten().map(|said| self.screen.line(said)));
        let text = words.join(": ");
        for line in wrapped(&text, self.screen.width.saturating_sub(2)) {
            writeln!(out, "  {}", paint(style, line))?;
        }
        let same = before.is_some_and(|before| before.effective_input == payloads.effective_input);
        if same && payloads.effective_input.is_some() {
            self.words(self.screen.styles.dim, "received the same as the attempt before", out)?;
        } else if attempt.scheduled_event_id.is_some() {
            self.payload("  Received", payloads.effective_input.as_deref(), out)?;
        }
        for (title, payload) in [("  Submitted", &payloads.submitted), ("  Result", &payloads.result)] {
            if payload.is_some() {
                self.payload(title, payload.as_deref(), out)?;
            }
        }
        Ok(())
    }

    /// A title and JSON below it, indented; text that is no JSON as it stands.
    fn payload(&self, title: &str, payload: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
        let Some(payload) = payload else {
            return writeln!(out, "  {title}: {}", paint(self.screen.styles.dim, "not in the history"));
        };
        writeln!(out, "  {title}")?;
        let text = self.pretty(payload);
        let count = text.lines().count();
        for line in text.lines().take(MOST_LINES) {
            writeln!(out, "    {line}")?;
        }
        if count > MOST_LINES {
            let more = counted((count - MOST_LINES) as u64, "more line");
            self.words(self.screen.styles.dim, &format!("{more}; --output json shows all"), out)?;
        }
        Ok(())
    }

    fn pretty(&self, payload: &str) -> String {
        let masked = self.screen.redactor.apply(payload);
        match indented(&masked) {
            Some(text) => escape::json(&text).into_owned(),
            None => escape::block(&masked).into_owned(),
        }
    }
}
