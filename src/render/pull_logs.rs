//! What came of the logs of state machines, and how to log more; a section of what came of a pull.

use std::fmt::Write as _;
use std::io;

use super::columns::counted;
use super::ingest::bytes;
use super::page::Page;
use crate::analysis::pull_logs::{LoggingAdvice, MachineLogs, Via};
use crate::model::{machine_name, thousands};

/// So many state machines are shown; the others are counted.
const MACHINES: usize = 12;
/// So many kinds of records that can't be read are shown of each.
const UNREADABLE: usize = 3;

/// The section, if there is something to tell.
pub(super) fn section(logs: &[MachineLogs], page: &mut Page<'_>) -> io::Result<()> {
    for machine in logs.iter().take(MACHINES) {
        one_machine(machine, page)?;
    }
    let others = logs.len().saturating_sub(MACHINES);
    if others > 0 {
        page.paragraph(
            page.styles.dim,
            &format!("and the logs of {}; --output json has them all", counted(others as u64, "state machine")),
        )?;
    }
    Ok(())
}

fn one_machine(machine: &MachineLogs, page: &mut Page<'_>) -> io::Result<()> {
    let name = machine_name(&machine.state_machine);
    let title = match &machine.log_group {
        Some(group) => format!("logs of {name}, level {}, group {group}", machine.level),
        None => format!("logs of {name}: none"),
    };
    let title = page.clean(&title);
    page.item(page.styles.state, &title)?;
    if machine.calls == 0 && !machine.not_looked_at.is_empty() && machine.log_group.is_some() {
        page.under_item(page.styles.failure, "could not be read; see below")?;
    } else if let Some(via) = machine.via {
        page.under_item(anstyle::Style::new(), &what_came(machine))?;
        page.under_item(page.styles.dim, &how_read(machine, via))?;
    }
    for (count, words) in [
        (machine.outside, "began outside of the time that was asked for, and was left out"),
        (machine.without_end, "has no end in the logs: it still runs, or records were lost"),
    ] {
        if count > 0 {
            let words = if count == 1 { words.to_owned() } else { plural(words) };
            page.under_item(page.styles.dim, &format!("{} {words}", counted(count, "execution")))?;
        }
    }
    unreadable(machine, page)?;
    if let Some(advice) = &machine.advice {
        page.under_item(page.styles.caught, &advice.lack)?;
    }
    Ok(())
}

fn plural(words: &str) -> String {
    words.replace("was left", "were left").replace("has no end", "have no end").replace("it still runs", "they still run")
}

/// `24 executions in 208 records: 20 new, 4 replaced`.
fn what_came(machine: &MachineLogs) -> String {
    let parts = [(machine.new, "new"), (machine.replaced, "replaced"), (machine.known, "stored already")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", thousands(*count))).collect();
    let after = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    match (machine.calls, machine.read_before) {
        (0, true) => "everything of that time was read before; --no-resume reads it again".to_owned(),
        (_, true) => format!("{} in {}{after}; the first part of that time was read before", executions(machine), records(machine)),
        (_, false) => format!("{} in {}{after}", executions(machine), records(machine)),
    }
}

fn executions(machine: &MachineLogs) -> String {
    counted(machine.executions(), "execution")
}

fn records(machine: &MachineLogs) -> String {
    counted(machine.records, "record")
}

/// How, in how many calls, and at what price.
fn how_read(machine: &MachineLogs, via: Via) -> String {
    let calls = counted(machine.calls, "call");
    let read = bytes(machine.bytes_read);
    let mut text = match via {
        Via::Filter => format!("read page by page: {calls}, {read}, without charge"),
        Via::Insights if machine.bytes_scanned == 0 => format!("read by queries: {calls}, {read}; what they scanned was not told"),
        Via::Insights => format!(
            "read by queries: {calls}, {read}; they scanned {}, which costs about ${:.4} (list price of us-east-1)",
            bytes(machine.bytes_scanned),
            machine.scanned_usd
        ),
    };
    for (count, what) in [(machine.repeated_records, "record"), (machine.other_lines, "line")] {
        if count > 0 {
            let words = if what == "line" { "of others" } else { "more than once" };
            let _ = write!(text, "; {} {words}", counted(count, what));
        }
    }
    text
}

fn unreadable(machine: &MachineLogs, page: &mut Page<'_>) -> io::Result<()> {
    if machine.unreadable_records == 0 {
        return Ok(());
    }
    let count = counted(machine.unreadable_records, "record");
    page.under_item(page.styles.failure, &format!("{count} could not be read; the first of each kind:"))?;
    for problem in machine.unreadable.iter().take(UNREADABLE) {
        let problem = page.clean(problem);
        page.under_item(page.styles.dim, &problem)?;
    }
    Ok(())
}

/// The commands that make machines log everything, and what the roles of all of them need.
pub(super) fn advice<'l>(logs: impl Iterator<Item = &'l MachineLogs>, page: &mut Page<'_>) -> io::Result<()> {
    let advised: Vec<&LoggingAdvice> = logs.filter_map(|machine| machine.advice.as_ref()).collect();
    let Some(first) = advised.first() else { return Ok(()) };
    page.heading("To log everything from now on")?;
    page.paragraph(page.styles.dim, "Not run by stepscope. Log records are charged by their size.")?;
    for advice in advised.iter().take(MACHINES) {
        for command in &advice.commands {
            let command = page.clean(command);
            page.copyable(2, anstyle::Style::new(), &command)?;
        }
    }
    let others = advised.len().saturating_sub(MACHINES);
    if others > 0 {
        page.paragraph(page.styles.dim, &format!("and {} more; --output json has them all", counted(others as u64, "state machine")))?;
    }
    let permissions = format!("The state machine's role needs, on all resources: {}", first.role_permissions.join(", "));
    page.paragraph(page.styles.dim, &permissions)
}
