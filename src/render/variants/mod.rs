//! Variants as text: each way as a path with arrows, then what only failed executions did and what nobody did.

mod way;

use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::{counted, duration, fit, mark, outcome_word, width};
use super::page::{Page, wrapped};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::variants::{Edge, EdgeKind, MachineVariants, RowKind, SampleExecution, Variant, VariantsReport};
use crate::model::path::VisitOutcome;
use crate::model::{ExecutionStatus, Micros};

/// Columns of the bar that shows a variant's share.
const BAR: f64 = 20.0;
/// How many edges of a kind are listed.
const MOST_EDGES: usize = 12;
/// How many states that nobody entered are named.
const MOST_NAMES: usize = 30;

/// Writes the report; `opened` says that one variant was asked for, whose executions are listed.
pub fn text(
    report: &VariantsReport,
    opened: bool,
    styles: &Styles,
    redactor: &Redactor,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    for (position, machine) in report.machines.iter().enumerate() {
        if position > 0 {
            writeln!(page.out)?;
        }
        heading(machine, &mut page)?;
        for (number, variant) in (1..).zip(&machine.variants) {
            writeln!(page.out)?;
            one(number, variant, opened, &mut page)?;
        }
        hidden(machine, opened, &mut page)?;
        if !opened {
            only_failures(machine, &mut page)?;
            never(machine, &mut page)?;
        }
    }
    legend(report, &mut page)
}

fn heading(machine: &MachineVariants, page: &mut Page<'_>) -> io::Result<()> {
    let title =
        machine.name.as_deref().or(machine.state_machine.as_deref()).map_or_else(|| "(unnamed)".to_owned(), |name| page.clean(name));
    let (executions, failed) = (counted(machine.executions, "execution"), counted(machine.variants_total, "variant"));
    let verdict = match machine.unsuccessful {
        0 => "none failed".to_owned(),
        unsuccessful => format!("{} failed", percent_of(unsuccessful, share(unsuccessful, machine.executions))),
    };
    let style = if machine.unsuccessful > 0 { page.styles.failure } else { page.styles.ok };
    let rest = format!("{executions}, {failed}, ");
    let title = fit(&title, page.width.saturating_sub(width(&rest) + width(&verdict) + 2));
    writeln!(page.out, "{}  {rest}{}", paint(page.styles.heading, title), paint(style, verdict))
}

fn one(number: usize, variant: &Variant, opened: bool, page: &mut Page<'_>) -> io::Result<()> {
    let (status, style) = match variant.status {
        Some(status) if status.is_unsuccessful() => (status.name(), page.styles.failure),
        Some(status @ ExecutionStatus::Succeeded) => (status.name(), page.styles.ok),
        Some(status) => (status.name(), page.styles.open),
        None => ("status unknown", page.styles.caught),
    };
    let count = format!("{:>7}  {:>6}", variant.executions, percent(variant.share));
    writeln!(
        page.out,
        "{number:>3}  {}  {}  {}  {}",
        paint(page.styles.command, &variant.id),
        paint(style, format_args!("{status:<14}")),
        paint(page.styles.heading, count),
        paint(style, bar(variant.share)),
    )?;
    let room = page.width - 5;
    for line in way::lines(&variant.rows, room, page) {
        writeln!(page.out, "     {line}")?;
    }
    let mut facts = Vec::new();
    if let (Some(p50), Some(p95), Some(max)) = (variant.p50_ms, variant.p95_ms, variant.max_ms) {
        facts.push(match variant.executions {
            1 => format!("took {}", length(max)),
            _ => format!("p50 {}, p95 {}, max {}", length(p50), length(p95), length(max)),
        });
    }
    facts.extend(seen(variant.first_seen, variant.last_seen));
    if variant.retries > 0 {
        facts.push(if variant.retries == 1 { "1 retry".to_owned() } else { format!("{} retries", variant.retries) });
    }
    if variant.redriven > 0 {
        facts.push(format!("{} redriven", variant.redriven));
    }
    for line in wrapped(&facts.join("; "), room) {
        writeln!(page.out, "     {}", paint(page.styles.dim, line))?;
    }
    if opened {
        return executions(variant, page);
    }
    let names: Vec<String> = variant.samples.iter().map(|sample| page.clean(sample_name(sample))).collect();
    if variant.failed > 0 && !names.is_empty() {
        let line = format!("such as {}", names[0]);
        writeln!(page.out, "     {}", paint(page.styles.dim, fit(&line, room)))?;
    }
    Ok(())
}

fn sample_name(sample: &SampleExecution) -> &str {
    if sample.name.is_empty() { &sample.execution } else { &sample.name }
}

fn executions(variant: &Variant, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Executions, the last first")?;
    for sample in &variant.samples {
        let start = sample.start.map_or_else(|| "-".to_owned(), moment);
        let took = sample.duration_ms.map_or_else(|| "-".to_owned(), length);
        let failed: Vec<String> = [&sample.root_state, &sample.root_error].into_iter().flatten().map(|text| page.clean(text)).collect();
        let head = format!("{start:<19}  {took:>7}  ");
        let room = page.width.saturating_sub(width(&head) + 2);
        let name = page.clean(sample_name(sample));
        let failed = failed.join(": ");
        let spare = room.saturating_sub(width(&name) + 2);
        write!(page.out, "  {}{}", paint(page.styles.dim, head), fit(&name, room))?;
        if !failed.is_empty() && spare > 8 {
            write!(page.out, "  {}", paint(page.styles.failure, fit(&failed, spare)))?;
        }
        writeln!(page.out)?;
    }
    let more = variant.executions.saturating_sub(variant.samples.len() as u64);
    if more > 0 {
        writeln!(page.out, "  {}", paint(page.styles.dim, format!("{more} more; --limit shows them")))?;
    }
    Ok(())
}

fn hidden(machine: &MachineVariants, opened: bool, page: &mut Page<'_>) -> io::Result<()> {
    if machine.variants_hidden == 0 || opened {
        return Ok(());
    }
    let text = format!(
        "     {} with {} not shown (--limit, --min, --failed-only)",
        counted(machine.variants_hidden, "variant"),
        counted(machine.executions_hidden, "execution")
    );
    writeln!(page.out, "\n{}", paint(page.styles.dim, text))
}

fn only_failures(machine: &MachineVariants, page: &mut Page<'_>) -> io::Result<()> {
    let is_step = |edge: &&Edge| matches!(edge.kind, EdgeKind::Start | EdgeKind::Next | EdgeKind::Catch);
    let edges: Vec<&Edge> = machine.edges.iter().filter(|edge| edge.only_failures).filter(is_step).collect();
    // Where nothing succeeded, that tells nothing.
    if edges.is_empty() || machine.unsuccessful == machine.executions {
        return Ok(());
    }
    page.heading("Steps that only failed executions took")?;
    for edge in edges.iter().take(MOST_EDGES) {
        let count = counted(edge.executions, "execution");
        line(edge, &count, page.styles.failure, page)?;
    }
    more(edges.len(), page)
}

fn never(machine: &MachineVariants, page: &mut Page<'_>) -> io::Result<()> {
    if !machine.has_definition {
        return Ok(());
    }
    let visited = |name: &Option<String>| {
        name.as_ref().is_none_or(|name| machine.states.iter().any(|state| state.visits > 0 && state.state == *name))
    };
    let edges: Vec<&Edge> = machine
        .edges
        .iter()
        .filter(|edge| edge.count == 0 && matches!(edge.kind, EdgeKind::Next | EdgeKind::Catch) && visited(&edge.from))
        .collect();
    let states: Vec<String> = machine.states.iter().filter(|state| state.visits == 0).map(|state| page.clean(&state.state)).collect();
    if edges.is_empty() && states.is_empty() {
        return Ok(());
    }
    let which =
        if machine.several_definitions { "In the latest definition, and not seen here" } else { "In the definition, and not seen here" };
    page.heading(which)?;
    for edge in edges.iter().take(MOST_EDGES) {
        line(edge, "never", page.styles.dim, page)?;
    }
    more(edges.len(), page)?;
    if !states.is_empty() {
        let rest = states.len().saturating_sub(MOST_NAMES);
        let mut names = states[..states.len().min(MOST_NAMES)].join(", ");
        if rest > 0 {
            let _ = write!(names, " and {rest} more");
        }
        page.paragraph(page.styles.dim, &format!("never entered: {names}"))?;
    }
    Ok(())
}

fn line(edge: &Edge, count: &str, style: anstyle::Style, page: &mut Page<'_>) -> io::Result<()> {
    let name = |name: &Option<String>, none: &str| name.as_ref().map_or_else(|| none.to_owned(), |name| page.clean(name));
    let what = match (edge.kind, &edge.mark) {
        (EdgeKind::Catch, _) => "  catch".to_owned(),
        (_, Some(mark)) => format!("  {mark}"),
        _ => String::new(),
    };
    let step = format!("{} → {}{what}", name(&edge.from, "start"), name(&edge.to, "end"));
    let room = page.width.saturating_sub(width(count) + 4);
    let step = fit(&step, room);
    let space = room.saturating_sub(width(&step)) + 2;
    writeln!(page.out, "  {}{:space$}{}", paint(style, step), "", paint(page.styles.dim, count))
}

fn more(edges: usize, page: &mut Page<'_>) -> io::Result<()> {
    match edges.checked_sub(MOST_EDGES) {
        None | Some(0) => Ok(()),
        Some(rest) => writeln!(page.out, "  {}", paint(page.styles.dim, format!("and {rest} more"))),
    }
}

/// What the signs before names mean, for those that stand on the page.
fn legend(report: &VariantsReport, page: &mut Page<'_>) -> io::Result<()> {
    let rows = || report.machines.iter().flat_map(|machine| &machine.variants).flat_map(|variant| &variant.rows);
    let has = |wanted: VisitOutcome| rows().any(|row| matches!(&row.kind, RowKind::Step { outcome, .. } if *outcome == wanted));
    let mut signs: Vec<String> = [VisitOutcome::Failed, VisitOutcome::Caught, VisitOutcome::Aborted, VisitOutcome::Open]
        .into_iter()
        .filter(|outcome| has(*outcome))
        .map(|outcome| format!("{} {}", mark(outcome), outcome_word(outcome)))
        .collect();
    for (sign, is_there) in [
        ("( )×n turns of a loop", rows().any(|row| matches!(row.kind, RowKind::Loop { .. }))),
        ("[ | ] branches", rows().any(|row| matches!(row.kind, RowKind::Branch { .. }))),
        ("{ ×n } iterations", rows().any(|row| matches!(row.kind, RowKind::Iterations { .. }))),
    ] {
        if is_there {
            signs.push(sign.to_owned());
        }
    }
    if signs.is_empty() {
        return Ok(());
    }
    writeln!(page.out)?;
    for part in wrapped(&signs.join(", "), page.width) {
        writeln!(page.out, "{}", paint(page.styles.dim, part))?;
    }
    Ok(())
}

/// A share as blocks, eighths of a column at the end.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the eighths of the bar")]
    let eighths = ((share.clamp(0.0, 1.0) * 8.0 * BAR).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent > 0.0 && percent < 0.1 => "<0.1%".to_owned(),
        _ if percent < 100.0 && percent > 99.9 => ">99.9%".to_owned(),
        _ => format!("{percent:.1}%"),
    }
}

fn percent_of(count: u64, share: f64) -> String {
    format!("{count} ({})", percent(share))
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Milliseconds in few characters.
#[allow(clippy::cast_possible_truncation, reason = "a duration in milliseconds is far below 2^63")]
fn length(milliseconds: f64) -> String {
    duration(milliseconds.round() as i64)
}

fn moment(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn seen(first: Option<Micros>, last: Option<Micros>) -> Option<String> {
    let (first, last) = (first?, last?);
    if first == last {
        return Some(format!("started {}", moment(first)));
    }
    let (first, last) = (moment(first), moment(last));
    let last = if first[..10] == last[..10] { last[11..].to_owned() } else { last };
    Some(format!("started {first} to {last}"))
}
