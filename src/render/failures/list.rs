//! All groups: three or four lines for each, the worst first.

use std::io::{self, Write};

use super::words;
use crate::analysis::failures::{FailureGroup, FailuresReport};
use crate::model::thousands;
use crate::render::columns::{bin_width, fit, many, share, width};
use crate::render::page::{Page, wrapped};
use crate::render::redact::Redactor;
use crate::render::spark;
use crate::render::styles::{Styles, paint};

/// For how many groups the next command is told.
const MOST_NEXT: usize = 3;

/// Lines of a message.
const MESSAGE: usize = 2;

/// Writes the groups, then how to read on. Groups of parents stand with the cause that they share.
pub fn text(report: &FailuresReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    let shown: Vec<&FailureGroup> = report.groups.iter().filter(|group| !stands_elsewhere(group, report)).collect();
    head(report, shown.len(), &mut page)?;
    let count = shown.iter().map(|group| thousands(group.count).len()).max().unwrap_or(1).max(3);
    for group in &shown {
        entry(group, report, count, &mut page)?;
    }
    left_out(report, &mut page)?;
    next(&shown, &mut page)
}

/// Whether a group is told with the one that it came from.
fn stands_elsewhere(group: &FailureGroup, report: &FailuresReport) -> bool {
    group.caused_by.as_ref().is_some_and(|cause| report.groups.iter().any(|other| other.id == *cause))
}

fn head(report: &FailuresReport, groups: usize, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    let of = many(coverage.executions, "execution");
    let more = if report.left_out.groups > 0 { format!(" of {}", groups as u64 + report.left_out.groups) } else { String::new() };
    let causes = if groups == 1 && more.is_empty() { "1 cause".to_owned() } else { format!("{groups}{more} causes") };
    let title = format!("{} of {of} failed, {causes}", thousands(report.failures));
    writeln!(page.out, "{}", paint(page.styles.heading, title))?;
    // The first bar may begin long before anything did.
    let start = report.coverage.first_start.max(report.timeline.start);
    let Some((start, last)) = start.zip(report.coverage.last_event.or(start)) else { return Ok(()) };
    let day = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let (from, to) = (words::minute(start), words::minute(last));
    let to = if day(&from) == day(&to) { to.split(' ').next_back().unwrap_or_default().to_owned() } else { to };
    let bar = format!("one bar is {}", bin_width(report.timeline.bin_seconds));
    writeln!(page.out, "{}", paint(page.styles.dim, format!("{from} to {to} UTC, {bar}")))
}

fn entry(group: &FailureGroup, report: &FailuresReport, count: usize, page: &mut Page<'_>) -> io::Result<()> {
    let indent = count + 2;
    let (styles, dim) = (*page.styles, page.styles.dim);
    let state = page.clean(group.state.as_deref().unwrap_or("no state known"));
    let machine = page.clean(words::machine(group.root_state_machine.as_deref().or(group.state_machine.as_deref())));
    let error = page.clean(words::error(group));
    let room = page.width.saturating_sub(indent + width(&group.id) + 2);
    // The machine stands before the message where state and error need the line.
    let beside = width(&machine) + 1 + width(&state) + 2 + width(&error) <= room;
    let state = fit(&state, room.saturating_sub(2 + width(&error).min(room / 2))).into_owned();
    let error = fit(&error, room.saturating_sub(2 + width(&state))).into_owned();
    write!(page.out, "\n{}  ", paint(styles.failure, format!("{:>count$}", thousands(group.count))))?;
    let mut used = width(&state) + 2 + width(&error);
    if beside {
        write!(page.out, "{} ", paint(dim, &machine))?;
        used += width(&machine) + 1;
    }
    let fill = (page.width - indent).saturating_sub(used + width(&group.id));
    writeln!(page.out, "{}  {}{:fill$}{}", paint(styles.state, state), paint(styles.failure, error), "", paint(dim, &group.id))?;
    let message = if group.message.is_empty() { words::silent(group.kind).to_owned() } else { page.clean(&group.message) };
    let message = match (beside, message.is_empty()) {
        (true, _) => message,
        (false, true) => machine,
        (false, false) => format!("{machine}: {message}"),
    };
    lines(page, indent, styles.heading, &message, MESSAGE)?;
    let own = words::machine(group.state_machine.as_deref());
    let when = words::seen(group, &report.timeline);
    let share = format!("{} of executions", share(group.share_of_machine));
    let spark = spark::line(&group.counts);
    writeln!(
        page.out,
        "{:indent$}{}  {}",
        "",
        paint(styles.open, &spark),
        fit(&format!("{when}, {share}"), page.width.saturating_sub(indent + width(&spark) + 2))
    )?;
    if let Some(new) = &group.new_in_version {
        let text = format!("NEW with {}", words::new_in_version(new, page));
        lines(page, indent, styles.caught, &text, 2)?;
    } else if let Some(new) = &group.new {
        lines(page, indent, styles.caught, &format!("NEW: {}", words::new_since(new)), 2)?;
    }
    for upstream in &group.brought_down {
        let machine = page.clean(words::machine(upstream.state_machine.as_deref()));
        let text = format!("brought down {} of {machine}  {}", thousands(upstream.count), upstream.id);
        lines(page, indent, dim, &text, 2)?;
    }
    if group.caused_by.is_some() {
        let cause = page.clean(words::machine(group.root_state_machine.as_deref()));
        let text = format!("executions of {}, which waited for {cause}", page.clean(own));
        lines(page, indent, dim, &text, 2)?;
    }
    Ok(())
}

/// Text in at most so many lines.
fn lines(page: &mut Page<'_>, indent: usize, style: anstyle::Style, text: &str, most: usize) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let room = page.width.saturating_sub(indent);
    let all = wrapped(text, room);
    for (place, line) in all.iter().take(most).enumerate() {
        let is_cut = place + 1 == most && all.len() > most;
        let line = if is_cut { fit(&format!("{line} …"), room).into_owned() } else { line.clone() };
        writeln!(page.out, "{:indent$}{}", "", paint(style, line))?;
    }
    Ok(())
}

fn left_out(report: &FailuresReport, page: &mut Page<'_>) -> io::Result<()> {
    let left_out = report.left_out;
    if left_out.groups == 0 {
        return Ok(());
    }
    let text = format!("… and {} with {}; --limit shows more", many(left_out.groups, "group"), many(left_out.executions, "execution"));
    writeln!(page.out, "\n{}", paint(page.styles.dim, text))
}

/// The latest execution of the first groups, and how one is opened.
fn next(shown: &[&FailureGroup], page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Next")?;
    let (dim, command) = (page.styles.dim, page.styles.command);
    for group in shown.iter().take(MOST_NEXT) {
        let Some(next) = group.next.first() else { continue };
        let text = format!("{}, {}", group.state.as_deref().unwrap_or("no state known"), words::error(group));
        let room = page.width.saturating_sub(width(&next.text) + 4);
        let text = fit(&page.clean(&text), room).into_owned();
        page.paragraph(dim, &format!("{text}: {}", next.text))?;
        let line = page.clean(&next.command);
        page.copyable(4, command, &line)?;
    }
    if let Some(open) = shown.first().and_then(|group| group.next.get(1)) {
        page.paragraph(dim, "everything about a group: its id, or the beginning of it")?;
        let line = page.clean(&open.command);
        page.copyable(4, command, &line)?;
    }
    Ok(())
}
