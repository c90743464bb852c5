//! `show` as a tree: what the execution went through, from the top, with times in columns on the right.

use std::io::{self, Write};

use super::columns::{Screen, counted, duration, fit, mark, outcome_word, width as columns, wrapped};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use super::trace;
use crate::analysis::show::{RowItem, ScopeKind, ShowReport, Spread, TreeRow, VisitAttempt, VisitReport};
use crate::analysis::why::WaitsFor;
use crate::model::path::{AttemptOutcome, VisitOutcome};

/// The columns on the right: when it began, how long it took.
const TIMES: usize = 21;
/// Deeper rows stand no further to the right and say how deep they are.
const MOST_GUIDES: usize = 8;
/// Of more attempts than this only the first and the last ones are shown.
const MOST_ATTEMPTS: usize = 6;
/// Lines of one cause that are shown.
const MOST_LINES: usize = 3;

/// Writes the path as a tree.
pub fn tree(report: &ShowReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen::new(styles, redactor, width);
    screen.heading(&report.execution, out)?;
    if !report.tree.is_empty() {
        let room = screen.width - TIMES;
        writeln!(out, "\n{:room$} {}", "", paint(styles.dim, format_args!("{:>9} {:>10}", "start", "duration")))?;
    }
    let guides = guides(&report.tree);
    for (row, guide) in report.tree.iter().zip(&guides) {
        TreeWriter { screen, report, guide, depth: row.depth }.row(&row.item, out)?;
    }
    if let Some(report) = &report.trace {
        trace::foot(&screen, report, out)?;
    }
    screen.incomplete(&report.incomplete, out)
}

/// For each row, which of its levels go on below it; its own level is the last one.
pub(super) fn guides(rows: &[TreeRow]) -> Vec<Vec<bool>> {
    let mut below: Vec<bool> = Vec::new();
    let mut guides: Vec<Vec<bool>> = rows
        .iter()
        .rev()
        .map(|row| {
            let depth = row.depth as usize;
            below.resize(depth + 1, false);
            let guide = below.get(1..).unwrap_or_default().iter().take(MOST_GUIDES).copied().collect();
            below[depth] = true;
            guide
        })
        .collect();
    guides.reverse();
    guides
}

struct TreeWriter<'a> {
    screen: Screen<'a>,
    report: &'a ShowReport,
    guide: &'a [bool],
    depth: u32,
}

/// When something began and how long it took, as far as that is known.
#[derive(Default)]
struct Times {
    start: Option<i64>,
    length: Option<String>,
}

impl TreeWriter<'_> {
    fn row(&self, item: &RowItem, out: &mut dyn Write) -> io::Result<()> {
        match item {
            RowItem::Redriven { run } => self.redriven(*run, out),
            RowItem::Visit { visit } => {
                self.visit(&self.report.visits[*visit], out)?;
                let indent = format!("{}  ", self.indent(false));
                self.report.trace.as_ref().map_or(Ok(()), |report| trace::attempts(&self.screen, report, *visit, &indent, out))
            }
            RowItem::Loop { states, outcome, turns, .. } => self.turns(states, *outcome, turns, out),
            RowItem::Attempt { visit, attempt } => self.composite_attempt(&self.report.visits[*visit].attempts[*attempt], out),
            RowItem::Scopes { kind, indices, shown, outcome, durations } => {
                self.scopes(*kind, indices, *outcome, durations, self.report.scopes[*shown].index, out)
            }
            RowItem::More { kind, groups, scopes, failed, .. } => self.more(*kind, *groups, *scopes, *failed, out),
        }
    }

    /// The lines of the tree to the left of a row, or of the lines that belong to it.
    fn indent(&self, is_first_line: bool) -> String {
        let own = self.guide.len().saturating_sub(1);
        let mut text = String::new();
        for (level, goes_on) in self.guide.iter().enumerate() {
            text.push_str(match (level == own && is_first_line, goes_on) {
                (true, true) => "├─ ",
                (true, false) => "└─ ",
                (false, true) => "│  ",
                (false, false) => "   ",
            });
        }
        if is_first_line && self.depth as usize > MOST_GUIDES {
            return format!("{text}(level {}) ", self.depth);
        }
        text
    }

    /// One line: sign, title, words after it, times on the right.
    fn line(&self, outcome: Option<VisitOutcome>, title: &str, words: &[String], times: &Times, out: &mut dyn Write) -> io::Result<()> {
        let styles = self.screen.styles;
        let indent = self.indent(true);
        let room = (self.screen.width - TIMES).saturating_sub(columns(&indent) + if outcome.is_some() { 2 } else { 0 });
        let title = fit(title, room);
        let words = words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join("  ");
        let words = fit(&words, room.saturating_sub(columns(&title) + 2)).into_owned();
        let gap = if words.is_empty() { "" } else { "  " };
        let fill = room.saturating_sub(columns(&title) + columns(gap) + columns(&words));
        if !indent.is_empty() {
            write!(out, "{}", paint(styles.dim, &indent))?;
        }
        if let Some(outcome) = outcome {
            write!(out, "{} ", paint(styles.of(outcome), mark(outcome)))?;
        }
        let title_style = if outcome.is_some() { styles.state } else { styles.heading };
        write!(out, "{}{gap}{}", paint(title_style, &title), paint(styles.dim, &words))?;
        let start = times.start.map(|start| format!("+{}", duration(start))).unwrap_or_default();
        let length = times.length.as_deref().unwrap_or_default();
        if start.is_empty() && length.is_empty() {
            return writeln!(out);
        }
        writeln!(out, "{:fill$} {} {length:>10}", "", paint(styles.dim, format_args!("{start:>9}")))
    }

    /// A line that belongs to the row above.
    fn note(&self, style: anstyle::Style, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = format!("{}  ", self.indent(false));
        let room = self.screen.width.saturating_sub(columns(&indent));
        writeln!(out, "{}{}", paint(self.screen.styles.dim, &indent), paint(style, fit(text, room)))
    }

    /// Lines that belong to the row above: as many as a cause needs to be understood, not all of a long one.
    fn paragraph(&self, style: anstyle::Style, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let room = self.screen.width.saturating_sub(columns(&self.indent(false)) + 2);
        let mut lines = wrapped(text, room);
        let cut = lines.len() > MOST_LINES;
        lines.truncate(MOST_LINES);
        if let Some(last) = lines.last_mut().filter(|_| cut) {
            last.push_str(" …");
        }
        lines.iter().try_for_each(|line| self.note(style, line, out))
    }

    /// A line that is to be copied, and so is never cut.
    fn whole(&self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", paint(self.screen.styles.dim, format_args!("{}  {text}", self.indent(false))))
    }

    fn redriven(&self, run: usize, out: &mut dyn Write) -> io::Result<()> {
        let Some(run) = self.report.runs.get(run) else { return Ok(()) };
        let when = run.start.map(|start| start.strftime(" at %Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default();
        writeln!(out, "{}", paint(self.screen.styles.heading, format_args!("── redriven{when}, run {} ──", run.number)))
    }

    fn visit(&self, visit: &VisitReport, out: &mut dyn Write) -> io::Result<()> {
        let name = visit.state.as_deref().map_or_else(|| "(unnamed)".to_owned(), |name| self.screen.line(name));
        let what = match (&visit.resource, visit.state_type) {
            (Some(resource), _) => self.screen.line(&short_resource(resource)),
            (None, Some(state_type)) => state_type.to_owned(),
            (None, None) => String::new(),
        };
        let mut words = vec![outcome_word(visit.outcome).to_owned(), what];
        if visit.outcome == VisitOutcome::Succeeded && visit.attempts.len() > 1 {
            words.push(format!("after {}", counted(visit.attempts.len() as u64, "attempt")));
        }
        let at_least = if visit.outcome == VisitOutcome::Open { ">" } else { "" };
        let times = Times { start: visit.offset_ms, length: visit.duration_ms.map(|length| format!("{at_least}{}", duration(length))) };
        self.line(Some(visit.outcome), &name, &words, &times, out)?;
        self.failure(visit, out)?;
        self.attempts(visit, out)?;
        if let Some(waits_for) = visit.waits_for {
            self.paragraph(self.screen.styles.open, &Self::waiting(visit, waits_for), out)?;
        }
        let children: Vec<&str> = visit.attempts.iter().filter_map(|attempt| attempt.child.as_deref()).collect();
        if let Some(last) = children.last() {
            let word = if children.len() == 1 { "child" } else { "last child" };
            self.whole(&format!("{word} {}", self.screen.line(last)), out)?;
        }
        for run in visit.map_runs.iter().filter_map(|run| run.arn.as_deref()) {
            self.whole(&format!("Map Run {}", self.screen.line(run)), out)?;
        }
        Ok(())
    }

    fn failure(&self, visit: &VisitReport, out: &mut dyn Write) -> io::Result<()> {
        let style = match visit.outcome {
            VisitOutcome::Caught => self.screen.styles.caught,
            VisitOutcome::Failed => self.screen.styles.failure,
            _ => return Ok(()),
        };
        match visit.failed_by.and_then(|by| self.report.visits.get(by)) {
            Some(by) => {
                let mut place = by.scope.last().map(|scope| format!("{} ", self.screen.line(scope))).unwrap_or_default();
                place.push_str(&by.state.as_deref().map_or_else(|| "?".to_owned(), |name| self.screen.line(name)));
                // Its own row, below, says the rest.
                let error = visit.error.as_deref().map(|error| format!(": {}", self.screen.line(error))).unwrap_or_default();
                self.note(style, &format!("because of {place}{error}"), out)?;
            }
            None => self.paragraph(style, &self.problem(visit.error.as_deref(), visit.cause.as_deref()), out)?,
        }
        match &visit.caught_by {
            Some(next) => self.note(style, &format!("caught, went on with {}", self.screen.line(next)), out),
            None => Ok(()),
        }
    }

    fn problem(&self, error: Option<&str>, cause: Option<&str>) -> String {
        match (error.filter(|text| !text.is_empty()), cause.filter(|text| !text.is_empty())) {
            (Some(error), Some(cause)) => format!("{}: {}", self.screen.line(error), self.screen.line(cause)),
            (Some(error), None) => self.screen.line(error),
            (None, Some(cause)) => self.screen.line(cause),
            (None, None) => "no error was given".to_owned(),
        }
    }

    /// The attempts of a Task, where there was more than one; those of a Parallel or Map have rows of their own.
    fn attempts(&self, visit: &VisitReport, out: &mut dyn Write) -> io::Result<()> {
        let timed_out = visit.attempts.iter().any(|attempt| attempt.outcome == AttemptOutcome::TimedOut);
        if visit.attempts.len() < 2 && !timed_out || !visit.scopes.is_empty() {
            return Ok(());
        }
        let count = visit.attempts.len();
        let mut run = visit.run;
        for (position, attempt) in visit.attempts.iter().enumerate() {
            if count > MOST_ATTEMPTS && (3..count - 2).contains(&position) {
                if position == 3 {
                    self.note(self.screen.styles.dim, &format!("{} more attempts", count - 5), out)?;
                }
                continue;
            }
            if attempt.run > run {
                run = attempt.run;
                self.note(self.screen.styles.heading, &format!("redriven, run {run}"), out)?;
            }
            self.attempt(visit, attempt, out)?;
        }
        Ok(())
    }

    fn attempt(&self, visit: &VisitReport, attempt: &VisitAttempt, out: &mut dyn Write) -> io::Result<()> {
        let (_, style) = attempt_word(attempt.outcome, self.screen.styles);
        // A failure that a retry cured or a Catch took is no alarm.
        let was_handled = matches!(visit.outcome, VisitOutcome::Succeeded | VisitOutcome::Caught) && attempt.outcome.is_failure();
        let style = if was_handled { self.screen.styles.caught } else { style };
        let error = attempt.error.as_deref().filter(|_| attempt.outcome != AttemptOutcome::TimedOut);
        let error = error.map(|error| format!(": {}", self.screen.line(error))).unwrap_or_default();
        self.note(style, &format!("{}{error}", attempt_title(attempt, self.screen.styles)), out)
    }

    fn waiting(visit: &VisitReport, waits_for: WaitsFor) -> String {
        let since = visit.waiting_since.map(|since| since.strftime(" since %Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default();
        let limits = match visit.attempts.last().and_then(limits) {
            Some(limits) => format!(", {limits}"),
            None if matches!(waits_for, WaitsFor::Callback | WaitsFor::Activity) => ", no time limit is set".to_owned(),
            None => String::new(),
        };
        format!("waits for {}{since}{limits}", waits_for_words(waits_for))
    }

    fn turns(&self, states: &[Option<String>], outcome: VisitOutcome, turns: &Spread, out: &mut dyn Write) -> io::Result<()> {
        let names: Vec<String> =
            states.iter().map(|name| name.as_deref().map_or_else(|| "?".to_owned(), |name| self.screen.line(name))).collect();
        let title = format!("{} turns of {}", turns.count, names.join(" → "));
        let times = Times { start: turns.offset_ms, length: turns.duration_ms.map(duration) };
        self.line(Some(outcome), &title, &[outcome_word(outcome).to_owned()], &times, out)?;
        match spread(turns) {
            Some(spread) => self.note(self.screen.styles.dim, &format!("each {spread}"), out),
            None => Ok(()),
        }
    }

    fn composite_attempt(&self, attempt: &VisitAttempt, out: &mut dyn Write) -> io::Result<()> {
        let (word, _) = attempt_word(attempt.outcome, self.screen.styles);
        let wait = attempt.wait_before_ms.map(|wait| format!("after waiting {}", duration(wait))).unwrap_or_default();
        let times = Times { start: attempt.offset_ms, length: attempt.duration_ms.map(duration) };
        self.line(None, &format!("attempt {}", attempt.number), &[word.to_owned(), wait], &times, out)
    }

    fn scopes(
        &self,
        kind: ScopeKind,
        indices: &[(u64, u64)],
        outcome: VisitOutcome,
        durations: &Spread,
        shown: u64,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let several = durations.count > 1;
        let title = format!("{} {}", if several { plural(kind) } else { kind.name() }, index_list(indices));
        let mut words = vec![outcome_word(outcome).to_owned()];
        if several {
            words.push(format!("({} alike, {shown} shown)", durations.count));
        }
        let times = Times { start: durations.offset_ms, length: durations.duration_ms.map(duration) };
        self.line(Some(outcome), &title, &words, &times, out)?;
        match spread(durations) {
            Some(spread) if several => self.note(self.screen.styles.dim, &format!("each {spread}"), out),
            _ => Ok(()),
        }
    }

    fn more(&self, kind: ScopeKind, groups: usize, scopes: usize, failed: usize, out: &mut dyn Write) -> io::Result<()> {
        let what = if scopes == 1 { kind.name() } else { plural(kind) };
        let failures = if failed == 0 { "none failed".to_owned() } else { format!("{failed} failed") };
        let title = format!("{scopes} more {what} in {} that differ, {failures}", counted(groups as u64, "group"));
        self.line(None, &title, &[], &Times::default(), out)?;
        self.note(self.screen.styles.dim, "--output json shows all", out)
    }
}

fn plural(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Execution => "executions",
        ScopeKind::Branch => "branches",
        ScopeKind::Iteration => "iterations",
    }
}

/// `0-3, 5`; of many rows the first ones.
pub(super) fn index_list(indices: &[(u64, u64)]) -> String {
    const MOST: usize = 3;
    let mut words: Vec<String> =
        indices.iter().take(MOST).map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") }).collect();
    if indices.len() > MOST {
        words.push("…".to_owned());
    }
    words.join(", ")
}

fn spread(spread: &Spread) -> Option<String> {
    let (shortest, median, longest) = (duration(spread.min_ms?), duration(spread.median_ms?), duration(spread.max_ms?));
    Some(if shortest == longest { median } else { format!("{median} in the median, {shortest} to {longest}") })
}

/// `attempt 2 failed in 3.1s after waiting 2.0s`.
pub(super) fn attempt_title(attempt: &VisitAttempt, styles: &Styles) -> String {
    let (word, _) = attempt_word(attempt.outcome, styles);
    let preposition = if attempt.outcome == AttemptOutcome::Open { "for at least" } else { "in" };
    let length = attempt.duration_ms.map(|length| format!(" {preposition} {}", duration(length))).unwrap_or_default();
    let wait = attempt.wait_before_ms.map(|wait| format!(" after waiting {}", duration(wait))).unwrap_or_default();
    let limits = limits(attempt).filter(|_| attempt.outcome == AttemptOutcome::TimedOut);
    let limits = limits.map(|limits| format!(" ({limits})")).unwrap_or_default();
    format!("attempt {} {word}{length}{wait}{limits}", attempt.number)
}

/// How an attempt ended, as a word.
pub(super) fn attempt_word(outcome: AttemptOutcome, styles: &Styles) -> (&'static str, anstyle::Style) {
    match outcome {
        AttemptOutcome::Open => ("under way", styles.open),
        AttemptOutcome::Succeeded => ("succeeded", styles.ok),
        AttemptOutcome::Failed => ("failed", styles.failure),
        AttemptOutcome::TimedOut => ("timed out", styles.failure),
        AttemptOutcome::Aborted => ("aborted", styles.dim),
    }
}

/// The limits that an attempt had, when it had any.
fn limits(attempt: &VisitAttempt) -> Option<String> {
    let limits = [("time limit", attempt.timeout_seconds), ("heartbeat limit", attempt.heartbeat_seconds)];
    let shown = |seconds: u64| duration(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000));
    let words: Vec<String> = limits.into_iter().filter_map(|(name, limit)| Some(format!("{name} {}", shown(limit?)))).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

pub(super) fn waits_for_words(waits_for: WaitsFor) -> &'static str {
    match waits_for {
        WaitsFor::Time => "time to pass",
        WaitsFor::Callback => "a callback with its task token",
        WaitsFor::ChildExecution => "its child execution",
        WaitsFor::Job => "its job",
        WaitsFor::Task => "the answer of the call",
        WaitsFor::TaskStart => "the call to begin",
        WaitsFor::ActivityWorker => "a worker to poll the activity",
        WaitsFor::Activity => "the activity's worker to answer",
        WaitsFor::Retry => "the delay before its retry",
        WaitsFor::Scopes => "what it holds",
        WaitsFor::MapRun => "the children of its Map Run",
        WaitsFor::Unknown => "something that the history does not tell",
    }
}

/// What a task calls, without the parts of an ARN that repeat.
pub(super) fn short_resource(resource: &str) -> String {
    let mut parts = resource.splitn(7, ':');
    match (parts.next(), parts.nth(4), parts.next()) {
        (Some("arn"), Some(kind), Some(name)) => format!("{kind} {name}"),
        _ => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guides_go_on_while_a_row_of_their_level_follows() {
        let row = |depth| TreeRow { depth, item: RowItem::Visit { visit: 0 } };
        let rows = [row(0), row(1), row(2), row(1), row(2), row(0)];
        let expected: [&[bool]; 6] = [&[], &[true], &[true, false], &[false], &[false, false], &[]];
        assert_eq!(guides(&rows), expected);
    }

    #[test]
    fn indices_are_ranges_and_many_of_them_are_cut() {
        assert_eq!(index_list(&[(0, 3), (5, 5)]), "0-3, 5");
        assert_eq!(index_list(&[(0, 0), (2, 2), (4, 4), (6, 6), (8, 8)]), "0, 2, 4, …");
    }

    #[test]
    fn resources_are_shown_without_what_repeats() {
        assert_eq!(short_resource("lambda:invoke"), "lambda:invoke");
        assert_eq!(short_resource("arn:aws:lambda:us-east-1:111111111111:function:charge"), "function charge");
        assert_eq!(short_resource("arn:aws:states:us-east-1:111111111111:activity:pick"), "activity pick");
    }
}
