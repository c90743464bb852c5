//! What came of a pull: what the store has now, and what was not looked at.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::columns::{counted, duration, fit, width};
use super::ingest::bytes;
use super::page::Page;
use super::pull_logs;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::pull::{Missing, NotLookedAt, Place, PlaceOutcome, PullCounts, PullReport, PulledMachine};
use crate::model::{machine_name, thousands};

/// So many state machines are shown of each place; the others are in the sum.
const MACHINES: usize = 12;
/// So many things that were not looked at are shown.
const NOT_LOOKED_AT: usize = 12;
/// Columns of a number.
const NUMBER: usize = 9;

/// How far a pull is, in one line.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Standing {
    pub wanted: u64,
    pub done: u64,
    pub calls: u64,
    pub throttled: u64,
    pub elapsed: Duration,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
        let rate = self.done as f64 / self.elapsed.as_secs_f64().max(0.001);
        write!(f, "{} of {} executions · {rate:.1}/s", thousands(self.done), thousands(self.wanted))?;
        let left = self.wanted.saturating_sub(self.done);
        if rate > 0.0 && left > 0 {
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "seconds are shown")]
            let milliseconds = (left as f64 / rate * 1000.0) as i64;
            write!(f, " · {} left", duration(milliseconds))?;
        }
        write!(f, " · {} calls", thousands(self.calls))?;
        if self.throttled > 0 {
            write!(f, ", {} throttled", thousands(self.throttled))?;
        }
        Ok(())
    }
}

/// A page for a person.
pub fn text(report: &PullReport, styles: &Styles, redactor: &Redactor, columns: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, columns, out);
    first_lines(report, &mut page)?;
    for place in &report.places {
        one_place(place, &report.not_looked_at, &mut page)?;
    }
    not_looked_at(report, &mut page)?;
    pull_logs::advice(report.places.iter().flat_map(|place| &place.logs), &mut page)?;
    last_lines(report, &mut page)
}

fn first_lines(report: &PullReport, page: &mut Page<'_>) -> io::Result<()> {
    let stored = report.executions.new + report.executions.replaced;
    let took = duration(i64::try_from(report.duration_ms).unwrap_or(i64::MAX));
    let executions = format!("{} execution{}", thousands(stored), if stored == 1 { "" } else { "s" });
    let title = if report.is_interrupted { "Stopped" } else { "Pulled" };
    writeln!(page.out, "{}", paint(page.styles.heading, format!("{title}: {executions} in {took}")))?;
    let mut parts = vec![format!("{} listed", thousands(report.executions.listed))];
    let counts = &report.executions;
    for (count, what) in [
        (counts.new, "new"),
        (counts.replaced, "replaced"),
        (counts.unchanged, "unchanged"),
        (counts.already_stored, "stored already"),
        (counts.left_out_by_sample, "left out by --sample"),
        (counts.left_out_by_limit, "left out by --limit"),
        (counts.missing, "missing"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", thousands(count)));
        }
    }
    let parts = format!("{}.", parts.join(", "));
    page.paragraph_at_edge(page.styles.dim, &parts)
}

fn one_place(place: &Place, not_looked_at: &[NotLookedAt], page: &mut Page<'_>) -> io::Result<()> {
    let mut names: Vec<String> = [&place.account, &place.region].into_iter().flatten().map(|name| page.clean(name)).collect();
    names.extend(place.profile.as_ref().map(|profile| format!("(profile {})", page.clean(profile))));
    let title = if names.is_empty() { "No account".to_owned() } else { names.join(" ") };
    page.heading(&title)?;
    let day = |moment: crate::model::Timestamp| moment.strftime("%Y-%m-%d %H:%M").to_string();
    page.paragraph(page.styles.dim, &format!("started from {} to {} UTC", day(place.since), day(place.until)))?;
    if let Some(began) = place.resumed_from {
        let text = format!("went on with the pull of {} UTC; what started since then comes with the next one", day(began));
        page.paragraph(page.styles.caught, &text)?;
    }
    if let Some((style, text)) = outcome(place, page.styles) {
        page.paragraph(style, text)?;
    }
    machines(place, not_looked_at, page)?;
    pull_logs::section(&place.logs, page)?;
    let calls: Vec<String> = place
        .calls
        .iter()
        .map(|calls| {
            let name = calls.action.split(':').next_back().unwrap_or_default();
            let throttled = if calls.throttled > 0 { format!(" ({} throttled)", thousands(calls.throttled)) } else { String::new() };
            format!("{name} {}{throttled}", thousands(calls.calls))
        })
        .collect();
    if calls.is_empty() { Ok(()) } else { page.paragraph(page.styles.dim, &format!("calls: {}", calls.join(", "))) }
}

fn outcome(place: &Place, styles: &Styles) -> Option<(anstyle::Style, &'static str)> {
    match place.outcome {
        PlaceOutcome::Done => None,
        PlaceOutcome::Interrupted => Some((styles.caught, "interrupted; the same command goes on here")),
        PlaceOutcome::BrokeOff => Some((styles.failure, "broke off; the same command goes on here")),
        PlaceOutcome::Failed => Some((styles.failure, "could not be asked")),
        PlaceOutcome::SameAccount => Some((styles.dim, "the same account and region as above: pulled once")),
        PlaceOutcome::Claimed => Some((styles.caught, "left to the other pull that is at work here")),
    }
}

/// A row for each machine that had anything; those that had nothing are counted, unless the page tells of them in another place.
fn machines(place: &Place, not_looked_at: &[NotLookedAt], page: &mut Page<'_>) -> io::Result<()> {
    let mut shown: Vec<&PulledMachine> = place.machines.iter().filter(|machine| machine.executions != PullCounts::default()).collect();
    shown.sort_by(|one, other| {
        other.executions.listed.cmp(&one.executions.listed).then_with(|| one.state_machine.cmp(&other.state_machine))
    });
    let is_told = |arn: &String| {
        let is_here = |missing: &&NotLookedAt| missing.region == place.region && missing.profile == place.profile;
        place.logs.iter().any(|logs| &logs.state_machine == arn)
            || not_looked_at.iter().filter(is_here).any(|missing| missing.state_machine.as_ref() == Some(arn))
    };
    let is_quiet = |machine: &&PulledMachine| machine.executions == PullCounts::default() && !is_told(&machine.state_machine);
    let quiet = place.machines.iter().filter(is_quiet).count();
    if place.machines.is_empty() && place.outcome == PlaceOutcome::Done {
        page.paragraph(page.styles.dim, "no state machine to look at")?;
    }
    if !shown.is_empty() {
        let columns = ["listed", "new", "replaced", "stored", "left out", "missing"];
        let room = page.width.saturating_sub(2 + NUMBER * columns.len()).max(8);
        let numbers = columns.map(|column| format!("{column:>NUMBER$}")).concat();
        writeln!(page.out, "  {}", paint(page.styles.dim, format!("{:room$}{numbers}", "state machine")))?;
        for machine in shown.iter().take(MACHINES) {
            one_machine(machine, room, page)?;
        }
        let others = shown.len().saturating_sub(MACHINES);
        if others > 0 {
            page.paragraph(page.styles.dim, &format!("and {} more", counted(others as u64, "state machine")))?;
        }
    }
    if quiet > 0 {
        page.paragraph(page.styles.dim, &format!("{} without executions to look at", counted(quiet as u64, "state machine")))?;
    }
    Ok(())
}

fn one_machine(machine: &PulledMachine, room: usize, page: &mut Page<'_>) -> io::Result<()> {
    let name = machine_name(&machine.state_machine);
    let clean = page.clean(name);
    let name = fit(&clean, room.saturating_sub(1));
    let padding = " ".repeat(room.saturating_sub(width(&name)));
    let counts = &machine.executions;
    let numbers = [
        counts.listed,
        counts.new,
        counts.replaced,
        counts.already_stored + counts.unchanged,
        counts.left_out_by_sample + counts.left_out_by_limit,
    ];
    let numbers = numbers.map(|number| format!("{:>NUMBER$}", thousands(number))).concat();
    let missing = format!("{:>NUMBER$}", thousands(counts.missing));
    let style = if counts.missing > 0 { page.styles.failure } else { anstyle::Style::new() };
    writeln!(page.out, "  {}{padding}{numbers}{}", paint(page.styles.state, name), paint(style, missing))
}

fn not_looked_at(report: &PullReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.not_looked_at.is_empty() {
        return Ok(());
    }
    page.heading("Not looked at")?;
    let has_several = report.places.len() > 1;
    let (express, others): (Vec<&NotLookedAt>, Vec<&NotLookedAt>) =
        report.not_looked_at.iter().partition(|missing| missing.what == Missing::Express && missing.example.is_none());
    for missing in others.iter().take(NOT_LOOKED_AT) {
        let text = page.clean(&in_words(missing, has_several));
        page.item(page.styles.caught, &text)?;
        if let Some(example) = &missing.example {
            let example = page.clean(example);
            page.copyable(4, page.styles.dim, &example)?;
        }
    }
    let more = others.len().saturating_sub(NOT_LOOKED_AT);
    if more > 0 {
        page.item(page.styles.caught, &format!("{more} more; --output json names them all"))?;
    }
    if let Some(first) = express.first() {
        let names: Vec<&str> = express.iter().filter_map(|missing| missing.state_machine.as_deref()).map(machine_name).take(5).collect();
        let more = if express.len() > names.len() { ", …" } else { "" };
        let machines = counted(express.len() as u64, "Express machine");
        let text = page.clean(&format!("{machines} ({}{more}): {}", names.join(", "), first.reason));
        page.item(page.styles.dim, &text)?;
    }
    Ok(())
}

/// What, where, and why.
fn in_words(missing: &NotLookedAt, has_several: bool) -> String {
    let machine = missing.state_machine.as_deref().map(machine_name);
    let of = machine.as_ref().map_or_else(String::new, |name| format!(" of {name}"));
    let executions = missing.executions.map_or_else(String::new, |count| counted(count, "execution"));
    let what = match missing.what {
        Missing::Place if executions.is_empty() => "this account and region".to_owned(),
        Missing::Place => format!("{executions} that were listed"),
        Missing::Tags => format!("the tags{of}, and so its executions"),
        Missing::Listing => format!("the list of executions{of}"),
        Missing::Express if !executions.is_empty() => format!("{executions}{of}"),
        Missing::Express | Missing::NotLogged => format!("the executions{of}"),
        Missing::Gone => format!("{executions}{of} that the service has no more"),
        Missing::Histories => format!("{executions}{of}"),
        Missing::Rest => format!("the rest of {executions}{of}"),
        Missing::Definition => format!("the definition{of} at the time of its executions"),
        Missing::Logs => format!("the logs{of}"),
    };
    let place: Vec<&str> = [&missing.profile, &missing.region].into_iter().flatten().map(String::as_str).collect();
    let place = if has_several && !place.is_empty() { format!(" ({})", place.join(" ")) } else { String::new() };
    format!("{what}{place}: {}", missing.reason)
}

fn last_lines(report: &PullReport, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let store = page.clean(&report.store);
    if report.waiting > 0 {
        let text = format!(
            "{} fetched and not in the tables yet; the next pull puts them there.",
            counted(report.waiting, "history").replace("historys", "histories")
        );
        page.paragraph_at_edge(page.styles.caught, &text)?;
    }
    match report.batches {
        0 => writeln!(page.out, "Nothing was written to {store}"),
        count => writeln!(page.out, "Wrote {} in {} to {store}", bytes(report.bytes_out), counted(count, "batch")),
    }
}
