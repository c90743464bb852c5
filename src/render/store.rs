//! What is in a store, and what was done to it, as text.

use std::io::{self, Write};

use super::columns::{counted, fit, width as columns_of};
use super::escape;
use super::ingest::bytes;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::model::{Micros, machine_name};
use crate::store::maintain::{CompactReport, FindingKind, InfoReport, MachineInfo, PruneReport, VerifyReport};

/// So many days are listed; of more, the last ones.
const DAYS: usize = 31;

fn clean(text: &str, redactor: Redactor) -> String {
    escape::line(&redactor.apply(text)).into_owned()
}

fn day_of(moment: Option<Micros>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| moment.timestamp().strftime("%Y-%m-%d %H:%M").to_string())
}

/// Tables, machines and days.
pub fn info(report: &InfoReport, styles: &Styles, redactor: Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", paint(styles.heading, clean(&report.store, redactor)))?;
    let unsuccessful = format!("{} unsuccessful, {} open", report.unsuccessful, report.open);
    writeln!(out, "{}: {unsuccessful}; {}", counted(report.executions, "execution"), bytes(report.bytes))?;
    if report.first_start.is_some() {
        writeln!(out, "Started from {} to {} UTC", day_of(report.first_start), day_of(report.last_start))?;
    }
    writeln!(out, "\n{}", paint(styles.heading, format!("{:<12}{:>12}{:>8}{:>10}", "table", "rows", "files", "size")))?;
    for table in &report.tables {
        writeln!(out, "{:<12}{:>12}{:>8}{:>10}", table.table, table.rows, table.files, bytes(table.bytes))?;
    }
    machines(report, styles, redactor, width, out)?;
    days(report, styles, out)
}

fn machines(report: &InfoReport, styles: &Styles, redactor: Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    if report.machines.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = report.machines.iter().map(|machine| clean(name_of(machine), redactor)).collect();
    let room = width.saturating_sub(49).max(12);
    let longest = names.iter().map(|name| columns_of(name)).max().unwrap_or(0).clamp(13, room);
    let head = format!("{:<longest$}{:>12}{:>14}  {:<18}versions", "state machine", "executions", "unsuccessful", "last start");
    writeln!(out, "\n{}", paint(styles.heading, head))?;
    for (machine, name) in report.machines.iter().zip(&names) {
        let name = fit(name, longest);
        let padding = " ".repeat(longest.saturating_sub(columns_of(&name)));
        let versions = match machine.versions.len() {
            0 => "-".to_owned(),
            1..=3 => machine.versions.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            count => count.to_string(),
        };
        let line = format!("{name}{padding}{:>12}{:>14}", machine.executions, machine.unsuccessful);
        writeln!(out, "{line}  {:<18}{}", day_of(machine.last_start), clean(&versions, redactor))?;
    }
    Ok(())
}

fn name_of(machine: &MachineInfo) -> &str {
    machine.state_machine.as_deref().map_or("(unknown)", machine_name)
}

fn days(report: &InfoReport, styles: &Styles, out: &mut dyn Write) -> io::Result<()> {
    if report.days.is_empty() {
        return Ok(());
    }
    let head = format!("{:<28}{:>8}{:>12}{:>10}", "day", "batches", "executions", "size");
    writeln!(out, "\n{}", paint(styles.heading, head))?;
    let earlier = report.days.len().saturating_sub(DAYS);
    if earlier > 0 {
        let (first, last) = (&report.days[0].day, &report.days[earlier - 1].day);
        writeln!(out, "{}", paint(styles.dim, format!("{earlier} earlier days, from {first} to {last}")))?;
    }
    for day in &report.days[earlier..] {
        writeln!(out, "{:<28}{:>8}{:>12}{:>10}", day.day, day.batches, day.executions, bytes(day.bytes))?;
    }
    Ok(())
}

/// What is damaged.
pub fn verify(report: &VerifyReport, styles: &Styles, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let style = match finding.kind {
            FindingKind::Damaged | FindingKind::Missing => styles.failure,
            FindingKind::Orphan | FindingKind::Foreign => styles.caught,
        };
        writeln!(out, "{} {}", paint(style, format!("{:<8}", finding.kind.name())), clean(&finding.file, redactor))?;
        writeln!(out, "         {}", clean(&finding.reason, redactor))?;
    }
    let read = format!("Read {} in {}, {}", counted(report.files, "file"), counted(report.batches, "batch"), bytes(report.bytes));
    match report.damaged {
        0 => writeln!(out, "{read}: {}.", paint(styles.ok, "all of them are as they were written"))?,
        count => writeln!(out, "{read}: {}.", paint(styles.failure, format!("{} damaged", counted(count, "batch"))))?,
    }
    if report.set_aside > 0 {
        writeln!(out, "Moved {} to .damaged in the store; ingest their days again.", counted(report.set_aside, "batch"))?;
    } else if report.damaged > 0 {
        writeln!(out, "The other batches stay usable. `stepscope store verify --set-aside` moves the")?;
        writeln!(out, "damaged ones away; then ingest their days again.")?;
    }
    Ok(())
}

/// What was put together.
pub fn compact(report: &CompactReport, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    for day in &report.days {
        writeln!(out, "{}: {} into {}", day.day, counted(day.from, "batch"), day.to)?;
    }
    let store = clean(&report.store, redactor);
    if report.days.is_empty() {
        writeln!(out, "Nothing to put together in {store}: {}.", counted(report.batches_before, "batch"))?;
    } else {
        let (before, after) = (counted(report.batches_before, "batch"), report.batches_after);
        writeln!(out, "{store}: {before} before, {after} now; {} before, {} now.", bytes(report.bytes_before), bytes(report.bytes_after))?;
    }
    if report.left > 0 {
        writeln!(out, "Other writers came in between {} times; run it again for what they changed.", report.left)?;
    }
    Ok(())
}

/// What was removed.
pub fn prune(report: &PruneReport, redactor: Redactor, out: &mut dyn Write) -> io::Result<()> {
    for day in &report.days {
        let what = format!("{} in {}, {}", counted(day.executions, "execution"), counted(day.batches, "batch"), bytes(day.bytes));
        writeln!(out, "{}: {what}", day.day)?;
    }
    let verb = if report.dry_run { "Would remove" } else { "Removed" };
    let store = clean(&report.store, redactor);
    if report.days.is_empty() {
        writeln!(out, "Nothing to remove in {store} from before {}.", report.before)?;
    } else {
        let what = format!("{} from before {}, {}", counted(report.executions, "execution"), report.before, bytes(report.bytes));
        writeln!(out, "{verb} {what}, in {store}")?;
    }
    if report.kept_open > 0 {
        let what = counted(report.kept_open, "execution");
        writeln!(out, "Kept {what} of that time still open when last read (--open removes them).")?;
    }
    Ok(())
}
