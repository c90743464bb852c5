//! The log of the task at fault, under its cause.

use std::io;

use anstyle::Style;

use crate::analysis::task_log::{FunctionOutcome, FunctionReport, LogBasis, LogLine, TaskLog};
use crate::model::Timestamp;
use crate::render::columns::{counted, duration, fit, width};
use crate::render::escape;
use crate::render::page::{Page, wrapped};
use crate::render::styles::paint;

/// Columns of a time and the space after it.
const TIME: usize = 14;

/// How much of one line is shown; JSON has all that was kept.
const MOST_PARTS: usize = 20;

/// `day` is the one that the page names at its top.
pub(super) fn write(log: &TaskLog, day: Option<Timestamp>, page: &mut Page<'_>) -> io::Result<()> {
    let title = page.clean(&title(log));
    page.heading(&title)?;
    place(log, page)?;
    if let Some(report) = &log.report {
        let style = if log.outcome.is_some() { page.styles.failure } else { Style::new() };
        let text = page.clean(&sentence(&took(report, log.outcome)));
        page.paragraph(style, &text)?;
    } else if let Some(outcome) = log.outcome {
        let style = page.styles.failure;
        page.paragraph(style, &sentence(outcome_words(outcome)))?;
    }
    if let Some(note) = &log.note {
        let (style, text) = (page.styles.caught, page.clean(&sentence(note)));
        page.paragraph(style, &text)?;
    }
    lines(log, day, page)
}

/// `Log of the function charge, attempt 3`.
fn title(log: &TaskLog) -> String {
    let task = log.task.map_or("task", |task| task.words());
    let name = log.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let attempt = log.attempt.filter(|attempt| *attempt > 1).map(|attempt| format!(", attempt {attempt}")).unwrap_or_default();
    format!("Log of the {task}{name}{attempt}")
}

/// The group, the stream and the request, each where it can be copied.
fn place(log: &TaskLog, page: &mut Page<'_>) -> io::Result<()> {
    let dim = page.styles.dim;
    let request = log.request_id.as_ref().map(|id| match log.basis {
        Some(LogBasis::TimeWindow) => format!("request {id} (found by its time)"),
        _ => format!("request {id}"),
    });
    for text in [log.group.clone(), log.stream.clone(), request].into_iter().flatten() {
        let text = page.clean(&text);
        page.copyable(2, dim, &text)?;
    }
    Ok(())
}

/// `ran out of memory: it ran 2.3s, used 128 of 128 MB, after a cold start of 310ms`.
fn took(report: &FunctionReport, outcome: Option<FunctionOutcome>) -> String {
    let ran = report.duration_ms.map(|length| format!("ran {}", shown(length)));
    let used = match (report.max_memory_mb, report.memory_mb) {
        (Some(used), Some(size)) => Some(format!("used {used} of {size} MB")),
        (Some(used), None) => Some(format!("used {used} MB")),
        _ => None,
    };
    let cold = match report.init_ms {
        Some(length) => Some(format!("after a cold start of {}", shown(length))),
        None => report.cold_start.then(|| "after a cold start".to_owned()),
    };
    let facts = [ran, used, cold].into_iter().flatten().collect::<Vec<_>>().join(", ");
    match (outcome, facts.is_empty()) {
        (Some(outcome), true) => outcome_words(outcome).to_owned(),
        (Some(outcome), false) => format!("{}: it {facts}", outcome_words(outcome)),
        (None, true) => "Lambda reported its end".to_owned(),
        (None, false) => format!("it {facts}"),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "`as` saturates, and a function runs for 15 minutes at most")]
fn shown(milliseconds: f64) -> String {
    duration(milliseconds.round() as i64)
}

fn outcome_words(outcome: FunctionOutcome) -> &'static str {
    match outcome {
        FunctionOutcome::OutOfMemory => "the function was killed with all of its memory in use",
        FunctionOutcome::TimedOut => "the function reached its own timeout",
        FunctionOutcome::Crashed => "the function's process ended before it answered",
    }
}

/// With a capital, unless it begins with an address, and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let is_address = text.split(' ').next().is_some_and(|word| word.contains("://"));
    let capital = |first: char| if is_address { first.to_string() } else { first.to_uppercase().collect() };
    let first = characters.next().map(capital).unwrap_or_default();
    let end = if text.ends_with(['.', '…', ')']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

fn lines(log: &TaskLog, day: Option<Timestamp>, page: &mut Page<'_>) -> io::Result<()> {
    let mut day = day.map(|day| day.strftime("%F").to_string()).unwrap_or_default();
    for (position, line) in log.lines.iter().enumerate() {
        if log.left_out > 0 && position == log.left_out_after {
            let dim = page.styles.dim;
            page.paragraph(dim, &format!("… {} left out (--logs=N shows N)", counted(log.left_out as u64, "line")))?;
        }
        let date = line.at.strftime("%F").to_string();
        if date != day {
            let dim = page.styles.dim;
            page.paragraph(dim, &format!("{date}, times in UTC"))?;
            day = date;
        }
        write_line(line, page)?;
    }
    Ok(())
}

/// A time, and the line beside it: wrapped, with what would not fit cut off.
fn write_line(line: &LogLine, page: &mut Page<'_>) -> io::Result<()> {
    let room = page.width - TIME - 2;
    let style = style(line, page);
    let mut parts = Vec::new();
    for text in told(line, page).lines() {
        // Frames of a stack keep their indent, and none is worth more lines than it needs.
        parts.extend(if width(text) <= room { vec![text.to_owned()] } else { wrapped(text, room) });
        if parts.len() > MOST_PARTS {
            break;
        }
    }
    let is_cut = parts.len() > MOST_PARTS;
    parts.truncate(MOST_PARTS);
    let (dim, time) = (page.styles.dim, line.at.strftime("%T%.3f").to_string());
    for (position, part) in parts.iter().enumerate() {
        match position {
            0 => write!(page.out, "  {}", paint(dim, format_args!("{time:<TIME$}")))?,
            _ => write!(page.out, "  {:TIME$}", "")?,
        }
        writeln!(page.out, "{}", paint(style, fit(part, room)))?;
    }
    if is_cut {
        writeln!(page.out, "  {:TIME$}{}", "", paint(dim, "… (--output json shows all)"))?;
    }
    Ok(())
}

/// What the line says to a person, with its level; its secrets masked, its control characters shown.
fn told(line: &LogLine, page: &Page<'_>) -> String {
    let text = match (&line.message, &line.level) {
        (Some(message), Some(level)) => format!("{level} {message}"),
        (Some(message), None) => message.clone(),
        (None, _) => without_time(line).to_owned(),
    };
    // Runtimes part the lines of a stack with carriage returns, so that they stay one event.
    let masked = page.redactor.apply(&text).replace("\r\n", "\n").replace('\r', "\n");
    escape::block(&masked).into_owned()
}

/// Most lines begin with their own time, which stands beside them already.
fn without_time(line: &LogLine) -> &str {
    let Some((first, rest)) = line.text.split_once(['\t', ' ']) else { return &line.text };
    let is_time = first.len() >= 20 && first.parse::<Timestamp>().is_ok();
    if is_time && !rest.trim().is_empty() { rest.trim_start() } else { &line.text }
}

fn style(line: &LogLine, page: &Page<'_>) -> Style {
    match line.level.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("ERROR" | "FATAL" | "CRITICAL") => page.styles.failure,
        Some("WARN" | "WARNING") => page.styles.caught,
        Some("DEBUG" | "TRACE") => page.styles.dim,
        _ => Style::new(),
    }
}
