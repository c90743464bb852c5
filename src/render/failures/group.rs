//! One group with everything about it.

use std::io::{self, Write};

use super::words;
use crate::analysis::failures::{FailureGroup, FailureGroupReport, FailureRecord, Sample};
use crate::model::thousands;
use crate::render::columns::{bin_width, counted, duration, many, share};
use crate::render::page::{Page, head};
use crate::render::redact::Redactor;
use crate::render::spark;
use crate::render::styles::{Styles, paint};

/// Lines of a cause or a stack.
const MOST_LINES: usize = 14;

/// Writes one group: when, how often, what made it one, examples, and what to do next.
pub fn group(report: &FailureGroupReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    title(&report.group, &mut page)?;
    facts(report, &mut page)?;
    parts(&report.group, &mut page)?;
    examples(&report.examples, &mut page)?;
    samples(&report.group, &mut page)?;
    advice(&report.group, &mut page)?;
    next(&report.group, &mut page)
}

fn title(group: &FailureGroup, page: &mut Page<'_>) -> io::Result<()> {
    let machine = words::machine(group.state_machine.as_deref());
    let state = group.state.as_deref().unwrap_or("no state known");
    let of = many(group.count, "execution");
    let title = page.clean(&format!("{of} of {machine}: {state}, {}", words::error(group)));
    for line in crate::render::page::wrapped(&title, page.width) {
        writeln!(page.out, "{}", paint(page.styles.failure, line))?;
    }
    writeln!(page.out, "{}\n", paint(page.styles.dim, &group.id))
}

fn facts(report: &FailureGroupReport, page: &mut Page<'_>) -> io::Result<()> {
    let group = &report.group;
    let (styles, plain) = (*page.styles, anstyle::Style::new());
    let message = if group.message.is_empty() { words::silent(group.kind).to_owned() } else { page.clean(&group.message) };
    if !message.is_empty() {
        page.fact("message", styles.heading, &message)?;
    }
    match (group.first_seen, group.last_seen) {
        (Some(first), Some(last)) if first == last => page.fact("when", plain, &words::second(first))?,
        (Some(first), Some(last)) => {
            page.fact("first", plain, &words::second(first))?;
            #[allow(clippy::cast_possible_truncation, reason = "milliseconds of years")]
            let after = last.milliseconds_since(first) as i64;
            page.fact("last", plain, &format!("{}, {} later", words::second(last), duration(after)))?;
        }
        _ => {}
    }
    let timeline = &report.timeline;
    if let Some(start) = timeline.start {
        let most = group.counts.iter().max().copied().unwrap_or(0);
        page.fact("", styles.open, &spark::line(&group.counts))?;
        let text =
            format!("from {}, one bar is {}, the highest {}", words::minute(start), bin_width(timeline.bin_seconds), thousands(most));
        page.detail(styles.dim, &text)?;
    }
    let machine = page.clean(words::machine(group.state_machine.as_deref()));
    let share =
        format!("{} of the executions of {machine}, {} of all failures", share(group.share_of_machine), share(group.share_of_failures));
    page.fact("share", plain, &share)?;
    if let Some(new) = &group.new {
        page.fact("new", styles.caught, &words::new_since(new))?;
    }
    if let Some(since) = &group.since {
        let text = words::since(since, page);
        page.fact("since", plain, &text)?;
    }
    if let Some(new) = &group.new_in_version {
        let text = words::new_in_version(new, page);
        page.fact("came with", styles.caught, &text)?;
    }
    let statuses = group.statuses;
    let ended: Vec<String> = [(statuses.failed, "FAILED"), (statuses.timed_out, "TIMED_OUT"), (statuses.aborted, "ABORTED")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, status)| format!("{} {status}", thousands(count)))
        .collect();
    page.fact("ended", plain, &ended.join(", "))?;
    if let Some(resource) = &group.resource {
        page.fact("called", plain, &page.clean(resource))?;
    }
    let versions: Vec<String> =
        group.versions.iter().map(|version| format!("{} ({})", version.version, thousands(version.count))).collect();
    if !versions.is_empty() {
        page.fact("versions", plain, &page.clean(&versions.join(", ")))?;
    }
    if !group.aliases.is_empty() {
        page.fact("aliases", plain, &page.clean(&group.aliases.join(", ")))?;
    }
    origin(group, page)?;
    if let Some(handled) = report.handled.filter(|handled| handled.cured_by_retry + handled.caught > 0) {
        let text = format!(
            "the same failure did not end {}: a retry cured {}, a Catch took {}",
            counted(handled.cured_by_retry + handled.caught, "other visit"),
            thousands(handled.cured_by_retry),
            thousands(handled.caught)
        );
        page.fact("handled", plain, &text)?;
    }
    Ok(())
}

/// How it went up to parents, or down to the child that it came from.
fn origin(group: &FailureGroup, page: &mut Page<'_>) -> io::Result<()> {
    let plain = anstyle::Style::new();
    if let Some(cause) = &group.caused_by {
        let root = words::machine(group.root_state_machine.as_deref());
        let waited: Vec<String> =
            group.waited_in.iter().map(|waited| waited.state.clone().unwrap_or_else(|| "no state known".to_owned())).collect();
        page.fact("cause", plain, &page.clean(&format!("in {root}, for which {} waited; group {cause}", waited.join(", "))))?;
    }
    for upstream in &group.brought_down {
        let text = format!(
            "{} of {}, group {}",
            counted(upstream.count, "execution"),
            words::machine(upstream.state_machine.as_deref()),
            upstream.id
        );
        page.fact("brought", plain, &page.clean(&format!("down {text}")))?;
    }
    Ok(())
}

fn parts(group: &FailureGroup, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Why one group")?;
    let parts = &group.why_grouped;
    let status = parts.status_code.map(|status| status.to_string());
    let named = [
        ("error", &parts.error),
        ("type inside", &parts.error_type),
        ("service", &parts.service),
        ("status", &status),
        ("code", &parts.error_code),
        ("child of", &parts.child_machine),
    ];
    let same: Vec<String> = named.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}"))).collect();
    let plain = anstyle::Style::new();
    let place = format!(
        "state {} of {}",
        group.state.as_deref().unwrap_or("not known"),
        words::machine(group.root_state_machine.as_deref().or(group.state_machine.as_deref()))
    );
    page.item(plain, &page.clean(&format!("same {place}")))?;
    if !same.is_empty() {
        page.item(plain, &page.clean(&format!("same {}", same.join(", "))))?;
    }
    if !group.message.is_empty() {
        page.item(plain, &page.clean(&format!("same message but for what is marked: {}", group.message)))?;
    }
    if !parts.frames.is_empty() {
        page.item(plain, &page.clean(&format!("same innermost frames: {}", parts.frames.join(", "))))?;
    }
    if !group.merged_from.is_empty() {
        let text = format!("{} fingerprints that differ in one word, which took many forms", group.merged_from.len());
        page.item(plain, &text)?;
    }
    Ok(())
}

fn examples(examples: &[FailureRecord], page: &mut Page<'_>) -> io::Result<()> {
    if examples.is_empty() {
        return Ok(());
    }
    page.heading(if examples.len() == 1 { "Word for word" } else { "Word for word, the latest first" })?;
    let (dim, plain) = (page.styles.dim, anstyle::Style::new());
    for (place, example) in examples.iter().enumerate() {
        let name = if example.name.is_empty() { &example.execution } else { &example.name };
        let event = example.event_id.map_or_else(String::new, |id| format!(", event {id}"));
        let scope = if example.scope.is_empty() { String::new() } else { format!(", in {}", example.scope) };
        let time = example.time.map_or_else(String::new, |time| format!("{}  ", words::second(time)));
        page.item(dim, &page.clean(&format!("{time}{name}{scope}{event}")))?;
        match &example.cause {
            Some(cause) => {
                let text = page.clean(cause);
                page.under_item(plain, &cut(&text))?;
            }
            None => page.under_item(dim, "no cause was given")?,
        }
        let stack = example.decoded.as_ref().filter(|decoded| place == 0 && decoded.stack.len() > 1);
        if let Some(decoded) = stack {
            let frames: Vec<String> =
                decoded.stack.iter().filter_map(|frame| frame.lines().next()).map(|frame| page.clean(frame)).collect();
            let text = frames.join("\n");
            let (text, more) = head(&text, MOST_LINES);
            page.under_item(dim, &text)?;
            if more > 0 {
                page.under_item(dim, &format!("… {}", counted(more as u64, "more frame")))?;
            }
        }
    }
    Ok(())
}

/// As much of a cause as is worth a screen.
fn cut(text: &str) -> String {
    const LONGEST: usize = 800;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} … ({} more characters)", &text[..end], text.chars().count() - LONGEST),
        None => text.to_owned(),
    }
}

fn samples(group: &FailureGroup, page: &mut Page<'_>) -> io::Result<()> {
    let shown = group.samples.len() as u64;
    page.heading(&if shown < group.count {
        format!("Executions, the latest {shown} of {}; all with --output jsonl", thousands(group.count))
    } else {
        "Executions".to_owned()
    })?;
    for sample in &group.samples {
        let text = page.clean(&row(sample));
        page.copyable(2, anstyle::Style::new(), &text)?;
    }
    Ok(())
}

fn row(sample: &Sample) -> String {
    let name = if sample.name.is_empty() { &sample.execution } else { &sample.name };
    let time = sample.failed.or(sample.start).map_or_else(|| "at a time not known".to_owned(), words::second);
    let version = sample.version.as_ref().map_or_else(String::new, |version| format!("  version {version}"));
    format!("{time}  {:<9}  {name}{version}", sample.status)
}

fn advice(group: &FailureGroup, page: &mut Page<'_>) -> io::Result<()> {
    if group.advice.is_empty() {
        return Ok(());
    }
    page.heading("Check")?;
    for advice in &group.advice {
        page.item(anstyle::Style::new(), &page.clean(&advice.text))?;
    }
    Ok(())
}

fn next(group: &FailureGroup, page: &mut Page<'_>) -> io::Result<()> {
    if group.next.is_empty() {
        return Ok(());
    }
    page.heading("Next")?;
    let (dim, command) = (page.styles.dim, page.styles.command);
    for next in &group.next {
        let line = page.clean(&next.command);
        page.paragraph(dim, &page.clean(&next.text))?;
        page.copyable(4, command, &line)?;
    }
    Ok(())
}
