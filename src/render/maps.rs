//! The answer to `maps` as text: how each Map Run went, what failed in it, and what to do next.

use std::io::{self, Write};

use super::columns::{counted, duration, fit, many, share, width};
use super::page::{LABEL, Page, wrapped};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::maps::{ItemGroup, MapRunReport, MapsReport, SlowChild, Tolerance};
use crate::model::{ExecutionStatus, MapRunCounts, StateMachineArn, Timestamp, thousands};

/// Columns of a bar.
const BAR: usize = 40;

/// A run that is shorter tells nothing by the clock: its moments are told by how long after its start they were.
const SHORT_MS: i64 = 10_000;

/// Lines of a message.
const MESSAGE: usize = 2;

/// Writes all runs.
pub fn text(report: &MapsReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    for (place, run) in report.runs.iter().enumerate() {
        if place > 0 {
            writeln!(page.out)?;
        }
        one(run, &mut page)?;
    }
    Ok(())
}

fn one(run: &MapRunReport, page: &mut Page<'_>) -> io::Result<()> {
    head(run, page)?;
    counts(run, page)?;
    facts(run, page)?;
    groups(run, page)?;
    slowest(&run.slowest, page)?;
    if !run.incomplete.is_empty() {
        page.heading("Not known")?;
        for lack in &run.incomplete {
            let text = page.clean(&lack.text);
            page.item(page.styles.caught, &text)?;
        }
    }
    if run.next.is_empty() {
        return Ok(());
    }
    page.heading("Next")?;
    for next in &run.next {
        page.paragraph(page.styles.dim, &next.text)?;
        let command = page.clean(&next.command);
        page.copyable(4, page.styles.command, &command)?;
    }
    Ok(())
}

fn head(run: &MapRunReport, page: &mut Page<'_>) -> io::Result<()> {
    let machine = run.state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
    let map = run.state.as_deref().or(run.label.as_deref());
    let names: Vec<String> =
        [machine.as_ref().map(StateMachineArn::name), map].into_iter().flatten().map(|name| page.clean(name)).collect();
    let title = if names.is_empty() { "Map Run".to_owned() } else { names.join(" / ") };
    let status = run.status.as_deref().map_or_else(|| "status not known".to_owned(), |status| page.clean(status));
    let status = match (run.duration_ms, run.stop) {
        (Some(length), Some(_)) => format!("{status} after {}", duration(length)),
        _ => status,
    };
    let style = match run.status.as_deref() {
        Some("SUCCEEDED") => page.styles.ok,
        Some("FAILED") => page.styles.failure,
        Some("RUNNING") => page.styles.open,
        _ => page.styles.caught,
    };
    let title = fit(&title, page.width.saturating_sub(width(&status) + 2)).into_owned();
    writeln!(page.out, "{}  {}", paint(page.styles.heading, title), paint(style, status))?;
    for arn in [&run.map_run, &run.execution].into_iter().flatten() {
        let arn = page.clean(arn);
        page.copyable(0, page.styles.dim, &arn)?;
    }
    let mut words = Vec::new();
    match (run.start, run.stop) {
        (Some(start), Some(stop)) => words.push(format!("{} to {} UTC", second(start), time_after(start, stop))),
        (Some(start), None) => words.push(format!("since {} UTC", second(start))),
        _ => {}
    }
    words.extend(run.items_per_second.map(|rate| format!("{} items a second", decimal(rate))));
    let text = words.join(", ");
    for line in wrapped(&text, page.width).into_iter().filter(|line| !line.is_empty()) {
        writeln!(page.out, "{}", paint(page.styles.dim, line))?;
    }
    Ok(())
}

fn counted_by(word: &str) -> &'static str {
    match word {
        "service" => "counted by the service",
        "files" => "counted from the result files",
        _ => "counted from the children that were read",
    }
}

/// The items as bars; with batches the child executions below them.
fn counts(run: &MapRunReport, page: &mut Page<'_>) -> io::Result<()> {
    let total = run.items.total;
    let of = if run.batched { format!(" in {}", many(run.executions.total, "batch")) } else { String::new() };
    let styles = *page.styles;
    let title = format!("{}{of}", many(total, "item"));
    writeln!(page.out, "\n{}  {}", paint(styles.heading, title), paint(styles.dim, counted_by(run.counted_by)))?;
    let most = rows(&run.items).iter().map(|(_, count)| thousands(*count).len()).max().unwrap_or(1);
    for (name, count) in rows(&run.items).into_iter().filter(|(name, count)| *count > 0 || (*name == "failed" && total > 0)) {
        let style = match name {
            "succeeded" => styles.ok,
            "failed" | "timed out" if count > 0 => styles.failure,
            "running" => styles.open,
            _ => styles.dim,
        };
        let room = BAR.min(page.width.saturating_sub(most + 22));
        let bar = bar(count, total, room);
        let fill = room - width(&bar);
        let part = share(part(count, total));
        writeln!(page.out, "  {name:<9}  {}{:fill$}  {:>most$}  {part:>5}", paint(style, bar), "", thousands(count))?;
    }
    if run.batched {
        let told: Vec<String> = rows(&run.executions)
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{} {name}", thousands(count)))
            .collect();
        page.paragraph(styles.dim, &format!("child executions: {}", told.join(", ")))?;
    }
    Ok(())
}

fn rows(counts: &MapRunCounts) -> [(&'static str, u64); 6] {
    [
        ("succeeded", counts.succeeded),
        ("failed", counts.failed),
        ("timed out", counts.timed_out),
        ("aborted", counts.aborted),
        ("running", counts.running),
        ("pending", counts.pending),
    ]
}

#[allow(clippy::cast_precision_loss, reason = "a Map Run has 100,000,000 items at most")]
fn part(count: u64, total: u64) -> f64 {
    count as f64 / total.max(1) as f64
}

/// A bar in eighths of a column; what is there at all is seen.
fn bar(count: u64, total: u64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let whole = u128::from(total.max(1));
    let eighths = (u128::from(count) * room as u128 * 8 / whole).max(u128::from(count > 0));
    let eighths = usize::try_from(eighths).unwrap_or(0).min(room * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

fn facts(run: &MapRunReport, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let plain = anstyle::Style::new();
    if let Some(error) = &run.error {
        let text = [Some(error), run.cause.as_ref()].into_iter().flatten().map(|text| page.clean(text)).collect::<Vec<_>>().join(": ");
        page.fact("error", page.styles.failure, &text)?;
    }
    let (style, text) = tolerance(run, page.styles);
    page.fact("tolerates", style, &text)?;
    if let Some(child) = &run.tolerance.broken_by {
        let child = page.clean(child);
        page.copyable(LABEL, page.styles.dim, &child)?;
    }
    if let Some(at_once) = run.concurrency {
        let limit = at_once.limit.map_or_else(String::new, |limit| format!("; MaxConcurrency {}", thousands(limit)));
        let coarse = if at_once.resolution_ms > 1 { format!(", to {}", duration(at_once.resolution_ms)) } else { String::new() };
        let at = moment(run, at_once.peak_at);
        let text = format!("{} at most, {at}; {} on average{limit}{coarse}", thousands(at_once.peak), decimal(at_once.mean));
        page.fact("at once", plain, &text)?;
    }
    let redrive = &run.redrive;
    let mut words = Vec::new();
    if redrive.count > 0 {
        let last = redrive.last.map_or_else(String::new, |last| format!(", last at {}", second(last)));
        words.push(format!("{}{last}", counted(redrive.count, "time")));
    }
    if let Some(status) = redrive.status.as_deref().filter(|_| run.status.as_deref() != Some("SUCCEEDED")) {
        let status = page.clean(&status.to_lowercase().replace('_', " "));
        let reason = redrive.reason.as_deref().map_or_else(String::new, |reason| format!(" ({})", page.clean(reason)));
        words.push(format!("{status}{reason}"));
    }
    if let Some(children) = redrive.children_not_redrivable.filter(|children| *children > 0) {
        words.push(format!("{} would not run again", many(children, "failed child execution")));
    }
    if !words.is_empty() {
        page.fact("redriven", plain, &words.join("; "))?;
    }
    if let Some(results) = &run.results {
        let location = page.clean(&results.location);
        let read = results.files.iter().filter(|file| file.elements > 0 || file.bytes_read > 0).count();
        let files = format!("{read} of {} read", counted(results.files.len() as u64, "file"));
        page.fact_beside("results", (plain, &location), (page.styles.dim, &files))?;
    }
    Ok(())
}

fn tolerance(run: &MapRunReport, styles: &Styles) -> (anstyle::Style, String) {
    let found = &run.tolerance;
    let part = found.failed_percentage.map_or_else(String::new, |part| format!(" ({})", share(part / 100.0)));
    let failed = match found.failed_items {
        0 => "none failed".to_owned(),
        count => format!("{} failed{part}", thousands(count)),
    };
    let Some(exceeded) = found.exceeded else { return (anstyle::Style::new(), not_known(found, &failed)) };
    let limits = limits(found).unwrap_or_else(|| "no failure".to_owned());
    if !exceeded {
        return (anstyle::Style::new(), format!("{limits}; {failed}"));
    }
    let since = found.broken_at.map_or_else(|| ": too many".to_owned(), |at| format!(", one too many {}:", moment(run, at)));
    (styles.failure, format!("{limits}; {failed}{since}"))
}

fn not_known(found: &Tolerance, failed: &str) -> String {
    limits(found).map_or_else(|| format!("not known; {failed}"), |limits| format!("{limits}; {failed} of those that were read"))
}

/// What is tolerated; `None` where nothing is set, or nothing known.
fn limits(found: &Tolerance) -> Option<String> {
    let limits: Vec<String> = [
        found.count.map(|count| many(count, "failed item")),
        found.percentage.map(|percentage| format!("{}% failed items", decimal(percentage))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!limits.is_empty()).then(|| limits.join(" or "))
}

fn groups(run: &MapRunReport, page: &mut Page<'_>) -> io::Result<()> {
    if run.groups.is_empty() {
        return Ok(());
    }
    let causes = counted(run.groups.len() as u64 + run.groups_left_out, "cause");
    page.heading(&format!("What did not succeed, {causes}"))?;
    let column = run.groups.iter().map(|group| thousands(group.count).len()).max().unwrap_or(1).max(3);
    for group in &run.groups {
        entry(group, run, column, page)?;
    }
    if run.groups_left_out > 0 {
        page.paragraph(page.styles.dim, &format!("… and {} more; --limit shows more", counted(run.groups_left_out, "cause")))?;
    }
    if run.unexplained > 0 {
        page.paragraph(page.styles.dim, &format!("… and {} whose error was not looked up", thousands(run.unexplained)))?;
    }
    Ok(())
}

fn entry(group: &ItemGroup, run: &MapRunReport, column: usize, page: &mut Page<'_>) -> io::Result<()> {
    let indent = column + 4;
    let styles = *page.styles;
    let state = group.state.as_deref().map(|state| format!("{}  ", page.clean(state))).unwrap_or_default();
    let error = page.clean(error(group));
    let room = page.width.saturating_sub(indent + width(&group.id) + 2);
    let state = fit(&state, room / 2).into_owned();
    let error = fit(&error, room.saturating_sub(width(&state))).into_owned();
    let fill = room.saturating_sub(width(&state) + width(&error)) + 2;
    let count = format!("{:>column$}", thousands(group.count));
    writeln!(
        page.out,
        "  {}  {}{}{:fill$}{}",
        paint(styles.failure, count),
        paint(styles.state, state),
        paint(styles.failure, error),
        "",
        paint(styles.dim, &group.id)
    )?;
    let message = group.explained.iter().find_map(|child| child.message.as_deref()).filter(|_| group.message.is_empty());
    let message = page.clean(message.unwrap_or(&group.message));
    let lines = wrapped(&message, page.width.saturating_sub(indent));
    for (place, line) in lines.iter().take(MESSAGE).enumerate().filter(|(_, line)| !line.is_empty()) {
        let line = if place + 1 == MESSAGE && lines.len() > MESSAGE { format!("{line} …") } else { line.clone() };
        page.cut(indent, styles.heading, &line)?;
    }
    let mut words = vec![format!("{} of what did not succeed", share(group.share))];
    if run.batched {
        words.push(many(group.items, "item"));
    }
    if let (Some(first), Some(last)) = (group.first, group.last) {
        let (from, to) = (moment(run, first), moment(run, last));
        words.push(if from == to { from } else { format!("{from} to {}", to.trim_start_matches("at ").trim_start_matches("after ")) });
    }
    page.cut(indent, styles.dim, &words.join(", "))?;
    if let Some(sample) = group.samples.first() {
        let arn = page.clean(&sample.execution);
        page.copyable(indent, styles.dim, &arn)?;
        if let Some(input) = &sample.input {
            let input = page.clean(input);
            page.cut(indent, anstyle::Style::new(), &format!("input {input}"))?;
        }
    }
    Ok(())
}

/// What failed, in a word.
fn error(group: &ItemGroup) -> &str {
    match group.error.as_deref() {
        Some(error) if !error.is_empty() => error,
        _ if group.statuses.aborted == group.count => "stopped",
        _ if group.statuses.timed_out == group.count => "timed out",
        _ => "failed without an error",
    }
}

fn slowest(children: &[SlowChild], page: &mut Page<'_>) -> io::Result<()> {
    if children.len() < 2 {
        return Ok(());
    }
    page.heading("Slowest")?;
    for child in children {
        let name = child.execution.rsplit(':').next().unwrap_or_default();
        let status = child.status.map_or("", ExecutionStatus::name);
        let input = child.input.as_deref().map(|input| page.clean(input)).unwrap_or_default();
        let text = format!("{:>7}  {}  {status}  {input}", duration(child.duration_ms), page.clean(name));
        page.cut(2, anstyle::Style::new(), text.trim_end())?;
    }
    Ok(())
}

/// Two significant figures below ten, none behind the point above a hundred.
fn decimal(value: f64) -> String {
    match value {
        value if value >= 99.95 => format!("{value:.0}"),
        value => {
            let text = if value >= 9.995 { format!("{value:.1}") } else { format!("{value:.2}") };
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// `2026-06-21 13:09:16`.
fn second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// When something was in a run: `at 08:12:11`, or `after 59ms`.
fn moment(run: &MapRunReport, moment: Timestamp) -> String {
    match (run.start, run.duration_ms) {
        (Some(start), Some(length)) if length < SHORT_MS => format!("after {}", duration(moment.as_millisecond() - start.as_millisecond())),
        (Some(start), _) => format!("at {}", time_after(start, moment)),
        (None, _) => format!("at {}", second(moment)),
    }
}

/// A moment beside another one: the day only where it is another.
fn time_after(start: Timestamp, moment: Timestamp) -> String {
    let day = |moment: Timestamp| moment.strftime("%Y-%m-%d").to_string();
    if day(start) == day(moment) { moment.strftime("%H:%M:%S").to_string() } else { second(moment) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_what_is_there_at_all_and_never_more_than_all() {
        assert_eq!(bar(0, 100, 10), "");
        assert_eq!(bar(1, 1_000_000, 10), "▏");
        assert_eq!(bar(50, 100, 10), "█████");
        assert_eq!(bar(100, 100, 10), "██████████");
        assert_eq!(bar(7, 0, 10), "██████████");
        assert_eq!(bar(u64::MAX, u64::MAX, 10), "██████████");
    }

    #[test]
    fn numbers_have_as_many_figures_as_tell_something() {
        assert_eq!([0.0, 0.5, 1.234, 9.99, 31.24, 20.0, 5.0, 1234.5].map(decimal), ["0", "0.5", "1.23", "9.99", "31.2", "20", "5", "1234"]);
    }
}
