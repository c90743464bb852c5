//! A table for each machine, then in words what the numbers do not say: visits without an end, what time was spent on, what changed.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;

use super::{machine_name, traces};
use crate::analysis::changes::Since;
use crate::analysis::latency::{By, Change, Compared, LatencyReport, MachineRow, Part, StateRow, Verdict};
use crate::model::Micros;
use crate::render::columns::{counted, duration, fit, width};
use crate::render::page::Page;
use crate::render::redact::Redactor;
use crate::render::styles::{Styles, paint};

/// Columns of a duration and the space before it.
const TIME: usize = 9;
/// Columns of the bar of the critical path.
const BAR: usize = 6;
/// Names of states take no more than this.
const WIDEST_STATE: usize = 40;
/// How many states a remark lists.
const MOST_LISTED: usize = 4;
/// From these shares of a state's time on its part is worth a remark.
const LEAST_QUEUE: f64 = 0.1;
/// Attempts that queue for less, in milliseconds, are as quick as the service is.
const LEAST_QUEUE_P95: f64 = 500.0;
const LEAST_RETRY_WAIT: f64 = 0.05;
const LEAST_CALLBACK: f64 = 0.5;
/// Iterations that wait less for their turn, in milliseconds, need no remark.
const LEAST_MAP_QUEUE: f64 = 1000.0;

/// Writes the answer for a person, in lines of `width` columns.
pub fn text(report: &LatencyReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    head(report, &mut page)?;
    let mut rest = report.states.as_slice();
    let mut machines = report.machines.as_slice();
    while let Some(first) = machines.first() {
        let of_machine = machines.iter().take_while(|row| row.state_machine == first.state_machine).count();
        let of_states = rest.iter().take_while(|row| row.state_machine == first.state_machine).count();
        machine(report, &machines[..of_machine], &rest[..of_states], &mut page)?;
        (machines, rest) = (&machines[of_machine..], &rest[of_states..]);
    }
    if let Some(report) = &report.traces {
        traces::write(report, &mut page)?;
    }
    changes(report, &mut page)?;
    foot(report, &mut page)
}

fn head(report: &LatencyReport, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    let mut machines: Vec<&Option<String>> = report.machines.iter().map(|row| &row.state_machine).collect();
    machines.dedup();
    let mut text = format!("{} of {}", counted(coverage.executions, "execution"), counted(machines.len() as u64, "state machine"));
    if let Some((first, last)) = coverage.first_start.zip(coverage.last_event) {
        let _ = write!(text, ", {}", span(first, last));
    }
    writeln!(page.out, "{}", paint(page.styles.heading, text))
}

/// `2026-02-04 07:13 to 09:13 UTC`.
fn span(from: Micros, to: Micros) -> String {
    let (from, to) = (from.timestamp(), to.timestamp());
    let same_day = from.strftime("%F").to_string() == to.strftime("%F").to_string();
    format!("{} to {} UTC", from.strftime("%F %H:%M"), to.strftime(if same_day { "%H:%M" } else { "%F %H:%M" }))
}

#[allow(clippy::cast_possible_truncation, reason = "to be shown")]
pub(super) fn time(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| "-".to_owned(), |value| duration(value.round() as i64))
}

/// `12 %`, at least one digit that is not 0.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.5 { "<1 %".to_owned() } else { format!("{percent:.0} %") }
}

fn machine(report: &LatencyReport, rows: &[MachineRow], states: &[StateRow], page: &mut Page<'_>) -> io::Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let name = page.clean(machine_name(first.state_machine.as_deref()));
    page.heading(&name)?;
    let columns = Columns::of(report, rows, states, page);
    columns.heads(page)?;
    for row in rows {
        columns.machine(row, page)?;
    }
    for row in states {
        columns.state(row, page)?;
    }
    remarks(states, rows, page)
}

/// What stands where in a machine's table.
struct Columns {
    name: usize,
    group: usize,
    visits: usize,
    wide: bool,
    by: Option<By>,
}

impl Columns {
    fn of(report: &LatencyReport, rows: &[MachineRow], states: &[StateRow], page: &Page<'_>) -> Self {
        let by = report.by;
        let groups = rows.iter().map(|row| group_text(by, row.hour, row.version.as_deref(), page));
        let group = groups.map(|text| width(&text)).max().unwrap_or(0).clamp(7, if by == Some(By::Hour) { 16 } else { 8 }) + 2;
        let group = if by.is_some() { group } else { 0 };
        let counts = rows.iter().map(|row| row.executions).chain(states.iter().map(|row| row.visits));
        let visits = counts.max().unwrap_or(0).to_string().len().max(6) + 2;
        let path = if by == Some(By::Hour) { 0 } else { BAR + 8 };
        let fixed = group + visits + 4 * TIME + path;
        // Another quantile, the total and retries where there is room for them.
        let wide = page.width >= 24 + fixed + 3 * TIME;
        let room = page.width.saturating_sub(fixed + if wide { 3 * TIME } else { 0 }).max(12);
        let widest = states.iter().map(|row| width(&state_name(row, page))).max().unwrap_or(0).max("all executions".len());
        Self { name: widest.min(room).min(WIDEST_STATE), group, visits, wide, by }
    }

    fn heads(&self, page: &mut Page<'_>) -> io::Result<()> {
        let group = match self.by {
            Some(By::Hour) => format!("  {:<1$}", "HOUR (UTC)", self.group - 2),
            Some(By::Version) => format!("  {:<1$}", "VERSION", self.group - 2),
            None => String::new(),
        };
        let p90 = if self.wide { format!("{:>TIME$}", "P90") } else { String::new() };
        let more = if self.wide { format!("{:>TIME$}{:>TIME$}", "TOTAL", "RETRIES") } else { String::new() };
        let path = if self.by == Some(By::Hour) { "" } else { "  CRITICAL" };
        let (name, visits) = (self.name, self.visits);
        let line = format!(
            "{:<name$}{group}{:>visits$}{:>TIME$}{p90}{:>TIME$}{:>TIME$}{:>TIME$}{more}{path}",
            "STATE", "VISITS", "P50", "P95", "P99", "MAX",
        );
        writeln!(page.out, "{}", paint(page.styles.dim, line))
    }

    fn machine(&self, row: &MachineRow, page: &mut Page<'_>) -> io::Result<()> {
        let times = [row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.max_ms];
        let group = group_text(self.by, row.hour, row.version.as_deref(), page);
        self.row("all executions", page.styles.dim, &group, row.executions, times, (row.total_ms, None), "", page)
    }

    fn state(&self, row: &StateRow, page: &mut Page<'_>) -> io::Result<()> {
        let times = [row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.max_ms];
        let group = group_text(self.by, row.hour, row.version.as_deref(), page);
        let path = row.critical_share.map(|share| format!("  {} {:>5}", bar(share), percent(share)));
        let path = path.filter(|_| row.critical_ms > 0.0).unwrap_or_default();
        let name = state_name(row, page);
        self.row(&name, page.styles.state, &group, row.visits, times, (row.total_ms, Some(row.retries)), &path, page)
    }

    #[allow(clippy::too_many_arguments, reason = "the cells of a row")]
    fn row(
        &self,
        name: &str,
        style: Style,
        group: &str,
        count: u64,
        times: [Option<f64>; 5],
        (total, retries): (f64, Option<u64>),
        path: &str,
        page: &mut Page<'_>,
    ) -> io::Result<()> {
        let name = fit(name, self.name);
        write!(page.out, "{}{:2$}", paint(style, &name), "", self.name.saturating_sub(width(&name)))?;
        if self.group > 0 {
            let group = fit(group, self.group - 2);
            write!(page.out, "  {group}{:1$}", "", (self.group - 2).saturating_sub(width(&group)))?;
        }
        let mut line = format!("{count:>0$}", self.visits);
        let shown = times.into_iter().enumerate().filter(|(position, _)| self.wide || *position != 1);
        for (_, value) in shown {
            let _ = write!(line, "{:>TIME$}", time(value));
        }
        if self.wide {
            let retries = retries.map_or_else(String::new, |retries| retries.to_string());
            let _ = write!(line, "{:>TIME$}{retries:>TIME$}", time(Some(total)));
        }
        line.push_str(path);
        writeln!(page.out, "{}", line.trim_end())
    }
}

fn state_name(row: &StateRow, page: &Page<'_>) -> String {
    if row.state.is_empty() { "(not named)".to_owned() } else { page.clean(&row.state) }
}

fn group_text(by: Option<By>, hour: Option<Micros>, version: Option<&str>, page: &Page<'_>) -> String {
    match by {
        None => String::new(),
        Some(By::Hour) => hour.map_or_else(|| "no time".to_owned(), |hour| hour.timestamp().strftime("%F %H:%M").to_string()),
        Some(By::Version) => version.map_or_else(|| "none".to_owned(), |version| page.clean(version)),
    }
}

/// A bar in eighths of a column.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few columns")]
fn bar(share: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    let text = "█".repeat(eighths / 8) + PARTS[eighths % 8];
    let columns = eighths.div_ceil(8);
    text + &" ".repeat(BAR - columns)
}

/// What the table does not say.
fn remarks(states: &[StateRow], machines: &[MachineRow], page: &mut Page<'_>) -> io::Result<()> {
    let (style, dim) = (page.styles.caught, page.styles.dim);
    let missing = sums(machines);
    if !missing.is_empty() {
        page.paragraph(dim, &missing)?;
    }
    let unfinished = listed(states, page, |row| {
        let kinds = [(row.failed, "failed"), (row.aborted, "aborted"), (row.open, "open")];
        let kinds: Vec<String> = kinds.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        // A Fail state is never exited.
        (row.unfinished > 0 && row.state_type != Some("Fail"))
            .then(|| format!("{} of {} ({})", row.unfinished, row.visits, kinds.join(", ")))
    });
    let retries = listed(states, page, |row| {
        let share = row.retry_wait.as_ref().and_then(|part| part.share).filter(|share| *share >= LEAST_RETRY_WAIT)?;
        Some(format!("{} ({})", percent(share), plural(row.retries, "retry", "retries")))
    });
    let queues = listed(states, page, |row| {
        long_part(row.queue.as_ref().filter(|queue| queue.p95_ms.is_some_and(|p95| p95 >= LEAST_QUEUE_P95)), LEAST_QUEUE)
    });
    let callbacks = listed(states, page, |row| long_part(row.callback.as_ref(), LEAST_CALLBACK));
    let slots = listed(states, page, |row| {
        let queue = row.map_queue.as_ref().filter(|part| part.p95_ms.is_some_and(|p95| p95 >= LEAST_MAP_QUEUE))?;
        Some(format!("p50 {}, p95 {}", time(queue.p50_ms), time(queue.p95_ms)))
    });
    let untimed = listed(states, page, |row| (row.untimed > 0).then(|| format!("{} of {}", row.untimed, row.visits)));
    for (what, list) in [
        ("Not exited, and in no percentile: ", unfinished),
        ("Exited at a time that the history does not tell: ", untimed),
        ("Share of the time spent waiting for retries: ", retries),
        ("Share of the time spent queueing to be started: ", queues),
        ("Share of the time somebody else had it (callback, Activity): ", callbacks),
        ("Iterations waited for their turn before: ", slots),
    ] {
        if !list.is_empty() {
            page.item(style, &format!("{what}{list}"))?;
        }
    }
    Ok(())
}

fn sums(machines: &[MachineRow]) -> String {
    let sum = |of: fn(&MachineRow) -> u64| machines.iter().map(of).sum::<u64>();
    let parts = [(sum(|row| row.unsuccessful), "ended without success"), (sum(|row| row.unfinished), "without an end, in no percentile")];
    let said: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if said.is_empty() { String::new() } else { format!("Of {}, {}.", counted(sum(|row| row.executions), "execution"), said.join(", ")) }
}

fn plural(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn long_part(part: Option<&Part>, least: f64) -> Option<String> {
    let part = part?;
    let share = part.share.filter(|share| *share >= least)?;
    Some(format!("{} (p50 {}, p95 {})", percent(share), time(part.p50_ms), time(part.p95_ms)))
}

/// `Charge 12 of 402 (7 failed), Ship …`, for the first states of which there is something to say.
fn listed(states: &[StateRow], page: &Page<'_>, say: impl Fn(&StateRow) -> Option<String>) -> String {
    let found: Vec<String> = states.iter().filter_map(|row| Some(format!("{} {}", state_name(row, page), say(row)?))).collect();
    let more = found.len().saturating_sub(MOST_LISTED);
    let list = found.into_iter().take(MOST_LISTED).collect::<Vec<_>>().join("; ");
    if more > 0 { format!("{list}; {more} more") } else { list }
}

/// What takes longer or shorter than before, with the counts of both sides.
fn changes(report: &LatencyReport, page: &mut Page<'_>) -> io::Result<()> {
    let Some(compared) = report.compared else { return Ok(()) };
    let of_states = report.states.iter().map(|row| (row.state_machine.as_deref(), Some(state_name(row, page)), row.change.as_ref()));
    let of_machines = report.machines.iter().map(|row| (row.state_machine.as_deref(), None, row.change.as_ref()));
    let all: Vec<(Option<&str>, Option<String>, &Change)> =
        of_machines.chain(of_states).filter_map(|(machine, state, change)| Some((machine, state, change?))).collect();
    let Some((_, _, any)) = all.first() else { return Ok(()) };
    let moment =
        |moment: Option<Micros>| moment.map_or_else(|| "?".to_owned(), |moment| moment.timestamp().strftime("%F %H:%M").to_string());
    let title = match compared {
        Compared::WindowBefore => format!("Since {} against as long before", moment(any.after.from)),
        Compared::Halves => format!("After {} UTC, the middle of the time, against before", moment(any.after.from)),
    };
    page.heading(&title)?;
    let mut tally = [0; 4];
    let mut moved: Vec<&(Option<&str>, Option<String>, &Change)> = Vec::new();
    for entry in &all {
        tally[entry.2.verdict as usize] += 1;
        if matches!(entry.2.verdict, Verdict::Slower | Verdict::Faster) {
            moved.push(entry);
        }
    }
    let distance = |change: &Change| change.p50_ratio.map_or(0.0, |ratio| ratio.ln().abs());
    moved.sort_by(|one, other| distance(other.2).total_cmp(&distance(one.2)));
    for (machine, state, change) in moved {
        let machine = page.clean(machine_name(*machine));
        let name = state.as_ref().map_or_else(|| format!("{machine} as a whole"), |state| format!("{machine} / {state}"));
        let (word, style) = match change.verdict {
            Verdict::Slower => ("slower", page.styles.failure),
            _ => ("faster", page.styles.ok),
        };
        let (before, after) = (&change.before, &change.after);
        let line = format!(
            "{name} is {word}: p50 {} → {}{}, p95 {} → {}; {} → {}",
            time(before.p50_ms),
            time(after.p50_ms),
            change.p50_ratio.map(|ratio| format!(" (×{})", factor(ratio))).unwrap_or_default(),
            time(before.p95_ms),
            time(after.p95_ms),
            before.count,
            counted(after.count, if state.is_some() { "visit" } else { "execution" }),
        );
        let since = change.since.as_ref().map(|since| page.clean(&since_when(since))).unwrap_or_default();
        page.item(style, &format!("{line}{since}"))?;
    }
    let machines = all.iter().filter(|(_, state, _)| state.is_none()).count();
    let [_, _, same, few] = tally;
    let said = [(same, "without a change that could be told from chance"), (few, "with too few on one side")];
    let said: Vec<String> = said.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if !said.is_empty() {
        let dim = page.styles.dim;
        page.paragraph(
            dim,
            &format!(
                "Of {} and {} compared, {}.",
                counted(machines as u64, "machine"),
                counted((all.len() - machines) as u64, "state"),
                said.join(", ")
            ),
        )?;
    }
    Ok(())
}

/// Since when, until when, and which version is near.
fn since_when(since: &Since) -> String {
    let moment = |moment: Micros| moment.timestamp().strftime("%F %H:%M").to_string();
    let until = since.until.map_or_else(String::new, |until| format!(" until {}", moment(until)));
    let near =
        since.nearest_change.as_ref().and_then(|near| Some(format!(", version {} began {}", near.value.as_deref()?, moment(near.at))));
    format!("; since {}{until}{}", moment(since.at), near.unwrap_or_default())
}

fn factor(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

fn foot(report: &LatencyReport, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    let dim = page.styles.dim;
    let mut said = Vec::new();
    if report.states_left_out > 0 {
        said.push(format!("{} left out by --limit", counted(report.states_left_out, "state")));
    }
    if coverage.incomplete > 0 {
        said.push(format!("{} known to lack events or payloads", counted(coverage.incomplete, "execution")));
    }
    if coverage.unreadable > 0 {
        said.push(format!("{} could not be read", counted(coverage.unreadable, "input")));
    }
    if said.is_empty() {
        return Ok(());
    }
    writeln!(page.out)?;
    for line in crate::render::page::wrapped(&said.join("; "), page.width) {
        writeln!(page.out, "{}", paint(dim, line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::analysis::facts::{Rebuilt, extract};
    use crate::analysis::fleet::{Coverage, Question};
    use crate::analysis::latency::{LatencyOptions, LatencyQuestion};
    use crate::model::builder::{history, milliseconds};
    use crate::model::event_type::StateType;
    use crate::rebuild::rebuild;

    /// A machine whose state has this name, seen by version.
    fn written(state: &str, by: Option<By>, columns: usize) -> String {
        let mut story = history("Orders");
        story.version("12345678901234567890").enter_task(state, json!({})).taking(milliseconds(1234));
        story.attempt_succeeded(json!({})).exit(json!({})).enter_fail("Give up", json!({}));
        let built = story.execution_failed_with("Gone", "for good").build();
        let path = rebuild(&built, None);
        let arena = Bump::new();
        let mut question = LatencyQuestion::new(&LatencyOptions { by, ..LatencyOptions::default() });
        let facts = extract(Rebuilt { history: &built, path: &path, definition: None }, question.needs(), &arena);
        let mut coverage = Coverage::default();
        coverage.count(&facts);
        question.take(&facts);
        let mut out = Vec::new();
        text(&question.report(coverage), &Styles::plain(), &Redactor::new(true), columns, &mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn lines_fit_whatever_names_there_are() {
        let names = ["Charge", &"Very".repeat(30), "状态".repeat(20).as_str(), "\u{1b}[2J"].map(str::to_owned);
        for name in &names {
            for (by, columns) in [(None, 80), (None, 120), (Some(By::Hour), 80), (Some(By::Version), 80), (Some(By::Version), 120)] {
                let text = written(name, by, columns);
                let widest = text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
                assert!(widest <= columns && !text.contains('\u{1b}'), "{widest} of {columns}:\n{text}");
            }
        }
    }

    #[test]
    fn more_room_shows_more() {
        let (narrow, wide) = (written("Charge", None, 80), written("Charge", None, 120));
        assert!(!narrow.contains("P90") && wide.contains("P90") && wide.contains("RETRIES"), "{wide}");
    }

    #[test]
    fn a_fail_state_is_not_missed_at_its_exit() {
        assert_eq!(StateType::Fail.name(), "Fail");
        assert!(!written("Charge", None, 80).contains("Not exited"));
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!([0.0, 0.001, 0.5, 1.0].map(bar), ["      ", "▏     ", "███   ", "██████"]);
    }
}
