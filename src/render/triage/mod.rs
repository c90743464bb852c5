//! `triage` as text: one screen, the worst first.

use std::io::{self, Write};

use anstyle::Style;

use super::columns::{bin_width, counted, duration, fit, many, width};
use super::page::{Page, wrapped};
use super::redact::Redactor;
use super::spark;
use super::styles::{Styles, paint};
use crate::analysis::finding::Severity;
use crate::analysis::triage::{Finding, Incident, TriageReport};
use crate::model::{Micros, StateMachineArn, thousands};

/// How far text stands in.
const INDENT: usize = 3;

/// Lines of what happened.
const SUMMARY: usize = 4;

/// How many further findings of an incident are told.
const ALSO: usize = 4;

/// Commands of an incident.
const NEXT: usize = 2;

/// Writes the report, at most `width` columns wide, with at most `limit` incidents.
pub fn text(
    report: &TriageReport,
    limit: usize,
    styles: &Styles,
    redactor: &Redactor,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    head(report, &mut page)?;
    for (position, incident) in report.incidents.iter().take(limit).enumerate() {
        entry(position + 1, incident, report, &mut page)?;
    }
    let more = report.incidents.len().saturating_sub(limit);
    if more > 0 {
        let text = format!("… and {} more; --limit shows them", thousands(more as u64));
        writeln!(page.out, "\n{}", paint(page.styles.dim, text))?;
    }
    not_enough(report, &mut page)
}

fn head(report: &TriageReport, page: &mut Page<'_>) -> io::Result<()> {
    let of = |severity| report.incidents.iter().filter(|incident| incident.severity == severity).count() as u64;
    let (critical, warning, notice) = (of(Severity::Critical), of(Severity::Warning), of(Severity::Notice));
    let parts = [(critical, "critical"), (warning, "warning"), (notice, "notice")];
    let told: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let (style, title) = match (critical, report.incidents.len()) {
        (_, 0) => (page.styles.ok, "Nothing is wrong that these executions tell of".to_owned()),
        (0, count) => (page.styles.caught, format!("{}: {}", counted(count as u64, "incident"), told.join(", "))),
        (_, count) => (page.styles.failure, format!("{}: {}", counted(count as u64, "incident"), told.join(", "))),
    };
    let now = report.now.map(|now| format!("{} UTC", minute(now))).unwrap_or_default();
    let fill = page.width.saturating_sub(width(&title) + width(&now));
    writeln!(page.out, "{}{:fill$}{}", paint(style, &title), "", paint(page.styles.dim, now))?;
    let coverage = &report.coverage;
    let machines = counted(report.state_machines.len() as u64, "state machine");
    let executions = many(coverage.executions, "execution");
    let since = coverage.first_start.map(|start| format!(" since {}", minute(start))).unwrap_or_default();
    let (failed, running) = (thousands(coverage.unsuccessful), thousands(coverage.running));
    let incomplete = if coverage.incomplete > 0 { format!(", {} incomplete", thousands(coverage.incomplete)) } else { String::new() };
    let text = format!("{executions}, {machines}{}{since}: {failed} failed, {running} run{incomplete}", places(report));
    page.paragraph_at_edge(page.styles.dim, &text)?;
    if report.failures.iter().any(|count| *count > 0) {
        let line = format!("failures {}", spark::line(&report.failures));
        let bin = bin_width(report.timeline.bin_seconds);
        writeln!(page.out, "{}", paint(page.styles.dim, format!("{line}  one bar is {bin}")))?;
    }
    Ok(())
}

/// ` in 2 accounts and 3 regions`, where there is more than one.
fn places(report: &TriageReport) -> String {
    let part = |all: &[String], what: &str| (all.len() > 1).then(|| counted(all.len() as u64, what));
    let parts: Vec<String> = [part(&report.accounts, "account"), part(&report.regions, "region")].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" in {}", parts.join(" and ")) }
}

fn entry(number: usize, incident: &Incident, report: &TriageReport, page: &mut Page<'_>) -> io::Result<()> {
    let styles = *page.styles;
    let (style, word) = match incident.severity {
        Severity::Critical => (styles.failure, "CRITICAL"),
        Severity::Warning => (styles.caught, "WARNING"),
        Severity::Notice => (styles.dim, "NOTICE"),
    };
    let when = when(incident, report.now);
    let machines = page.clean(&machines(incident, report));
    let number = format!("{number:<INDENT$}");
    let used = width(&number) + word.len() + 2 + width(&when);
    let room = page.width.saturating_sub(used + 2);
    let machines = fit(&machines, room);
    let fill = page.width.saturating_sub(used + width(&machines));
    write!(page.out, "\n{}{}  {}", paint(styles.heading, number), paint(style, word), when)?;
    writeln!(page.out, "{:fill$}{}", "", paint(styles.state, machines))?;
    let summary = page.clean(&incident.summary);
    lines(page, INDENT, INDENT, styles.heading, &summary, SUMMARY)?;
    let findings: Vec<&Finding> = incident.findings.iter().filter_map(|at| report.findings.get(*at)).collect();
    // Waits in one state were told together.
    let also: Vec<&&Finding> = findings.iter().skip(1).filter(|finding| !matches!(finding, Finding::Callback(_))).collect();
    for finding in also.iter().take(ALSO) {
        let text = format!("- {}", page.clean(&finding.common().summary));
        lines(page, INDENT, INDENT + 2, Style::new(), &text, 2)?;
    }
    if also.len() > ALSO {
        let text = format!("- and {}", counted((also.len() - ALSO) as u64, "more finding"));
        lines(page, INDENT, INDENT + 2, styles.dim, &text, 1)?;
    }
    if let Some(Finding::Storm(storm)) = findings.first()
        && let Some(remedy) = &storm.remedy
    {
        let text = format!("Remedy: {}", page.clean(&remedy.text));
        lines(page, INDENT, INDENT + 2, styles.ok, &text, 3)?;
    }
    next(&findings, page)
}

/// The first commands of the finding that tells the story, the last of them making room for one about the executions that failed.
fn next(findings: &[&Finding], page: &mut Page<'_>) -> io::Result<()> {
    let own = findings.first().map_or(&[][..], |finding| &finding.common().next);
    let failed = findings.iter().skip(1).find(|finding| matches!(finding, Finding::Failure(_)));
    let failed = failed.and_then(|finding| finding.common().next.first());
    let most = NEXT - usize::from(failed.is_some());
    for command in own.iter().take(most).chain(failed) {
        let text = format!("{}:", page.clean(&command.text));
        lines(page, INDENT, INDENT, page.styles.dim, &text, 1)?;
        let line = page.clean(&command.command);
        page.copyable(INDENT + 2, page.styles.command, &line)?;
    }
    Ok(())
}

/// Text in at most so many lines, later ones further in.
fn lines(page: &mut Page<'_>, first: usize, rest: usize, style: Style, text: &str, most: usize) -> io::Result<()> {
    let room = page.width.saturating_sub(first.max(rest));
    let all = wrapped(text, room);
    for (place, line) in all.iter().take(most).enumerate() {
        let indent = if place == 0 { first } else { rest };
        let is_cut = place + 1 == most && all.len() > most;
        let line = if is_cut { fit(&format!("{line} …"), room).into_owned() } else { line.clone() };
        writeln!(page.out, "{:indent$}{}", "", paint(style, line))?;
    }
    Ok(())
}

fn when(incident: &Incident, now: Option<Micros>) -> String {
    let Some(from) = incident.from else { return String::new() };
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds of years")]
    let ago = |moment: Micros| now.map(|now| duration((now.milliseconds_since(moment).max(0.0) / 1000.0).round() as i64 * 1000));
    let is_today = |moment: Micros| now.is_some_and(|now| day(now) == day(moment));
    let time = |moment: Micros| if is_today(moment) { clock(moment) } else { format!("{} {}", day(moment), clock(moment)) };
    match (incident.ongoing, incident.to) {
        (true, _) => format!("since {}{}", time(from), ago(from).map(|ago| format!(" ({ago})")).unwrap_or_default()),
        (false, Some(to)) if minute(to) != minute(from) => {
            let end = if day(to) == day(from) { clock(to) } else { time(to) };
            format!("{} to {end}", time(from))
        }
        (false, _) => time(from),
    }
}

/// The machines, with account and region where there is more than one.
fn machines(incident: &Incident, report: &TriageReport) -> String {
    let name = |arn: &String| match arn.parse::<StateMachineArn>() {
        Ok(arn) => {
            let mut name = arn.name().to_owned();
            if report.accounts.len() > 1 {
                name = format!("{}/{name}", arn.account());
            }
            if report.regions.len() > 1 {
                name = format!("{}/{name}", arn.region());
            }
            name
        }
        Err(_) => arn.clone(),
    };
    incident.state_machines.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn not_enough(report: &TriageReport, page: &mut Page<'_>) -> io::Result<()> {
    let Some(first) = report.not_enough.first() else { return Ok(()) };
    let of = |question: &str| report.not_enough.iter().filter(|open| open.question == question).count();
    let mut questions: Vec<&str> = report.not_enough.iter().map(|open| open.question).collect();
    questions.sort_unstable();
    questions.dedup();
    let told: Vec<String> = questions.iter().map(|question| format!("{} ({})", question.replace('_', " "), of(question))).collect();
    let state = first.state.as_deref().or(first.state_machine.as_deref()).unwrap_or("a machine");
    let text = format!(
        "Not enough to say: {}. {} has {} of the {} {} that it takes; --output json lists them all.",
        told.join(", "),
        page.clean(state),
        thousands(first.has),
        thousands(first.needs),
        first.of
    );
    writeln!(page.out)?;
    page.paragraph_at_edge(page.styles.dim, &text)
}

fn minute(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M").to_string()
}

fn day(moment: Micros) -> String {
    moment.timestamp().strftime("%m-%d").to_string()
}

fn clock(moment: Micros) -> String {
    moment.timestamp().strftime("%H:%M").to_string()
}
