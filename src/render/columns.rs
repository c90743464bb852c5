//! What fits where on a screen: widths of text, durations and shares in few characters.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::why::{ExecutionSummary, Incomplete};
use crate::model::{ExecutionStatus, StateMachineArn, thousands};

/// Where and how a view is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen<'a> {
    pub styles: &'a Styles,
    pub redactor: &'a Redactor,
    pub width: usize,
}

impl<'a> Screen<'a> {
    /// Narrower screens than this are written past their edge.
    const NARROWEST: usize = 40;

    pub fn new(styles: &'a Styles, redactor: &'a Redactor, width: usize) -> Self {
        Self { styles, redactor, width: width.max(Self::NARROWEST) }
    }

    /// Text from outside, for a place within one line.
    pub fn line(&self, text: &str) -> String {
        escape::line(&self.redactor.apply(text)).into_owned()
    }

    /// The execution's name, how it went and where it was read.
    pub fn heading(&self, execution: &ExecutionSummary, out: &mut dyn Write) -> io::Result<()> {
        let machine = execution.state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
        let names: Vec<String> = [machine.as_ref().map(StateMachineArn::name), execution.name.as_deref()]
            .into_iter()
            .flatten()
            .map(|name| self.line(name))
            .collect();
        let title = if names.is_empty() { self.line(&execution.origin) } else { names.join(" / ") };
        let status = execution.status.map_or("status unknown", ExecutionStatus::name);
        let after = match execution.duration_ms {
            // How long it has been running now is not for us to know.
            Some(length) if execution.stop.is_none() => format!(", last event after {}", duration(length)),
            Some(length) => format!(" after {}", duration(length)),
            None => String::new(),
        };
        let verdict = format!("{status}{after}");
        let room = self.width.saturating_sub(verdict.width() + 2);
        let title = fit(&title, room);
        writeln!(out, "{}  {}", paint(self.styles.heading, &title), paint(self.status_style(execution.status), &verdict))?;
        if let Some(arn) = &execution.arn {
            writeln!(out, "{}", paint(self.styles.dim, self.line(arn)))?;
        }
        let mut words = Vec::new();
        if let Some(start) = execution.start {
            words.push(format!("started {}", start.strftime("%Y-%m-%d %H:%M:%S UTC")));
        }
        words.push(counted(execution.events as u64, "event"));
        if execution.redrive_count > 0 {
            words.push(counted(execution.redrive_count, "redrive"));
        }
        writeln!(out, "{}", paint(self.styles.dim, words.join(", ")))
    }

    fn status_style(&self, status: Option<ExecutionStatus>) -> anstyle::Style {
        match status {
            Some(ExecutionStatus::Succeeded) => self.styles.ok,
            Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive) => self.styles.open,
            Some(_) => self.styles.failure,
            None => self.styles.caught,
        }
    }

    /// What the answer does not rest on.
    pub fn incomplete(&self, missing: &[Incomplete], out: &mut dyn Write) -> io::Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", paint(self.styles.heading, "Incomplete"))?;
        for gap in missing {
            for (position, text) in wrapped(&self.line(&gap.text), self.width.saturating_sub(2)).iter().enumerate() {
                writeln!(out, "{} {}", if position == 0 { "-" } else { " " }, paint(self.styles.caught, text))?;
            }
        }
        Ok(())
    }
}

/// `1 event`, `2 events`.
pub(super) fn counted(count: u64, what: &str) -> String {
    let ending = match (count, what.strip_suffix("ch")) {
        (1, _) => "",
        (_, Some(_)) => "es",
        (_, None) => "s",
    };
    format!("{count} {what}{ending}")
}

/// The same with its thousands apart: `1 execution`, `2,000 executions`.
pub(super) fn many(count: u64, what: &str) -> String {
    counted(count, what).replacen(&count.to_string(), &thousands(count), 1)
}

/// A duration in at most seven characters: `116ms`, `3.1s`, `12m 05s`, `2h 14m`, `3d 04h`.
pub(super) fn duration(milliseconds: i64) -> String {
    if milliseconds < 0 {
        return format!("-{}", duration(milliseconds.saturating_neg()));
    }
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        // Cut, not rounded: 59.96 seconds are no minute.
        1..60 => format!("{seconds}.{}s", milliseconds % 1000 / 100),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A share of a whole: `41%`, `0.3%`, `<0.1%`.
pub(super) fn share(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        percent if percent < 0.1 => "<0.1%".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1}%"),
        percent => format!("{percent:.0}%"),
    }
}

/// How long a bin of a timeline is: `5 minutes`, `1 hour`, `6 hours`.
pub(super) fn bin_width(seconds: u64) -> String {
    match seconds {
        seconds if seconds % 604_800 == 0 && seconds > 604_800 => counted(seconds / 604_800, "week"),
        seconds if seconds % 86_400 == 0 => counted(seconds / 86_400, "day"),
        seconds if seconds % 3600 == 0 => counted(seconds / 3600, "hour"),
        seconds if seconds % 60 == 0 => counted(seconds / 60, "minute"),
        seconds => counted(seconds, "second"),
    }
}

/// How many columns text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Text cut to this many columns; what was cut ends with an ellipsis.
pub(super) fn fit(text: &str, room: usize) -> Cow<'_, str> {
    if text.width() <= room {
        return Cow::Borrowed(text);
    }
    let mut cut = String::new();
    let mut used = 0;
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > room {
            break;
        }
        used += columns;
        cut.push(character);
    }
    if room > 0 {
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// Text whose end is what tells it from others, cut to this many columns; what was cut begins with an ellipsis.
pub(super) fn fit_end(text: &str, room: usize) -> Cow<'_, str> {
    if text.width() <= room {
        return Cow::Borrowed(text);
    }
    let mut kept = text.len();
    let mut used = 0;
    for (at, character) in text.char_indices().rev() {
        used += character.width().unwrap_or(0);
        if used + 1 > room {
            break;
        }
        kept = at;
    }
    Cow::Owned(if room > 0 { format!("…{}", &text[kept..]) } else { String::new() })
}

/// Text in lines of at most this many columns, broken between words where that is possible.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.last_mut().expect("there is one from the beginning");
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// How a thing ended, as a sign that needs no colour.
pub(super) fn mark(outcome: crate::model::path::VisitOutcome) -> &'static str {
    use crate::model::path::VisitOutcome as Outcome;
    match outcome {
        Outcome::Succeeded => "✓",
        Outcome::Caught => "!",
        Outcome::Failed => "✗",
        Outcome::Aborted => "-",
        Outcome::Open => "…",
    }
}

/// How a thing ended, as a word; empty for what went well.
pub(super) fn outcome_word(outcome: crate::model::path::VisitOutcome) -> &'static str {
    use crate::model::path::VisitOutcome as Outcome;
    match outcome {
        Outcome::Succeeded => "",
        Outcome::Caught => "caught",
        Outcome::Failed => "failed",
        Outcome::Aborted => "aborted",
        Outcome::Open => "open",
    }
}

impl Styles {
    /// The style of what ended so.
    pub(super) fn of(&self, outcome: crate::model::path::VisitOutcome) -> anstyle::Style {
        use crate::model::path::VisitOutcome as Outcome;
        match outcome {
            Outcome::Succeeded => self.ok,
            Outcome::Caught => self.caught,
            Outcome::Failed => self.failure,
            Outcome::Aborted => self.dim,
            Outcome::Open => self.open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_seven_columns_at_most() {
        let shown = [0, 999, 1000, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, 31_536_000_000].map(duration);
        assert_eq!(shown, ["0ms", "999ms", "1.0s", "59.9s", "1m 00s", "59m 59s", "1h 00m", "23h 59m", "1d 00h", "365d 00h"]);
        assert_eq!(duration(-1500), "-1.5s");
        assert!(duration(i64::MIN).starts_with('-'));
    }

    #[test]
    fn text_is_cut_by_columns_and_not_by_characters() {
        assert_eq!(fit("Charge", 6), "Charge");
        assert_eq!(fit("Charge", 4), "Cha…");
        assert_eq!(fit("状态状态", 5), "状态…");
        assert_eq!(fit("Charge", 0), "");
        assert_eq!(fit_end("arn:Orders", 10), "arn:Orders");
        assert_eq!(fit_end("arn:Orders", 7), "…Orders");
        assert_eq!(fit_end("arn:状态状态", 6), "…状态");
        assert_eq!((fit_end("arn", 0), fit_end("arn", 1)), ("".into(), "…".into()));
    }

    #[test]
    fn shares_and_bins_take_few_characters() {
        assert_eq!([0.0, 0.0001, 0.034, 0.0996, 0.41, 1.0].map(share), ["0%", "<0.1%", "3.4%", "10%", "41%", "100%"]);
        assert_eq!(
            [1, 60, 300, 3600, 21_600, 86_400, 604_800].map(bin_width),
            ["1 second", "1 minute", "5 minutes", "1 hour", "6 hours", "1 day", "7 days"]
        );
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(counted(1, "branch"), "1 branch");
        assert_eq!((counted(2, "branch"), counted(0, "event")), ("2 branches".to_owned(), "0 events".to_owned()));
    }
}
