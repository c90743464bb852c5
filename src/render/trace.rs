//! What traces add to the views of one execution: the parts of an attempt's time, its spans, and what the trace rests on.

use std::io::{self, Write};

use super::columns::{Screen, counted, duration, fit, width as columns, wrapped};
use super::styles::paint;
use crate::analysis::trace::{CallReport, Parts, SpanBasis, SpanReport, TraceBasis, TraceReport, TracedAttempt};
use crate::model::span::SpanKind;

/// Spans of one attempt that are shown.
const MOST_SPANS: usize = 12;
/// Exceptions of one attempt that are shown.
const MOST_EXCEPTIONS: usize = 3;
/// The columns on the right: when it began, how long it took.
const TIMES: usize = 21;

#[allow(clippy::cast_possible_truncation, reason = "to be shown")]
pub(super) fn time(milliseconds: f64) -> String {
    duration(milliseconds.round() as i64)
}

/// What the time went into, the parts that took some: `queue 1.2s, cold start 500ms`.
pub(super) fn parts_words(parts: &Parts) -> Option<String> {
    let named = [
        (parts.schedule_ms, "schedule"),
        (parts.queue_ms, "queue"),
        (parts.call_ms, "call"),
        (parts.service_ms, "Lambda"),
        (parts.init_ms, "cold start"),
        (parts.handler_ms, "handler"),
        (parts.overhead_ms, "overhead"),
        (parts.unaccounted_ms, "unaccounted"),
    ];
    let words: Vec<String> =
        named.iter().filter(|(length, _)| *length >= 0.5).map(|(length, name)| format!("{name} {}", time(*length))).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What a span is: `DynamoDB PutItem on Orders`, `charge (function)`.
pub(super) fn span_title(span: &SpanReport, screen: &Screen<'_>) -> String {
    let operation = span.operation.as_deref().map(|operation| format!(" {operation}")).unwrap_or_default();
    let of_call = matches!(span.kind, SpanKind::Client | SpanKind::Producer) || span.namespace.is_some();
    let resource = span.resource.as_deref().filter(|_| of_call).map(|resource| format!(" on {resource}")).unwrap_or_default();
    let what = match span.origin.as_deref() {
        Some("AWS::Lambda::Function") => " (function)",
        Some("AWS::Lambda") => " (Lambda)",
        _ => "",
    };
    screen.line(&format!("{}{operation}{resource}{what}", span.name))
}

/// How a span went wrong, and how often it was tried: `400 throttled, 3 retries`; empty for one that went well.
pub(super) fn flag_words(error: bool, fault: bool, throttle: bool, status: Option<u16>, retries: Option<u64>) -> String {
    let word = match (throttle, fault, error) {
        (true, ..) => "throttled",
        (_, true, _) => "fault",
        (.., true) => "error",
        _ => "",
    };
    let status = status.filter(|_| error || fault || throttle).map(|status| status.to_string());
    let flags: Vec<String> = status.into_iter().chain((!word.is_empty()).then(|| word.to_owned())).collect();
    let retries = retries.filter(|retries| *retries > 0).map(|retries| if retries == 1 { "1 retry".to_owned() } else { format!("{retries} retries") });
    [flags.join(" ")].into_iter().filter(|flags| !flags.is_empty()).chain(retries).collect::<Vec<_>>().join(", ")
}

/// `DynamoDB PutItem on Orders answered 400, throttled, after 125ms and 3 retries`.
pub(super) fn call_words(call: &CallReport) -> String {
    let flags = flag_words(call.error, call.fault, call.throttle, call.status, call.retries);
    let flags = if flags.is_empty() { String::new() } else { format!(": {flags}") };
    let length = call.duration_ms.map(|length| format!(" in {}", time(length))).unwrap_or_default();
    format!("{}{flags}{length}", call.what())
}

/// What says that the trace is this execution's.
pub(super) fn basis_words(basis: TraceBasis) -> &'static str {
    match basis {
        TraceBasis::TraceHeader => "the execution was started with its id",
        TraceBasis::ExecutionArn => "it holds the execution's ARN",
        TraceBasis::ResponseHeader => "a called service answered with its id",
        TraceBasis::RequestId => "it holds a request of the execution",
        TraceBasis::TimeAndName => "likely: it alone has the machine's name and the execution's times",
    }
}

/// The spans of an attempt that are shown: not those that X-Ray made up for a call that its caller recorded.
fn shown<'r>(report: &'r TraceReport, attempt: &'r TracedAttempt) -> Vec<&'r SpanReport> {
    let spans = attempt.spans.iter().filter_map(|at| report.spans.get(*at));
    let is_doubled = |span: &SpanReport| {
        let parent = span.parent.and_then(|parent| report.spans.get(parent));
        span.inferred && parent.is_some_and(|parent| parent.kind == SpanKind::Client)
    };
    spans.filter(|span| !is_doubled(span)).collect()
}

/// Writes what a trace tells of a visit's attempts, below its row; `indent` is what stands to the left.
pub(super) fn attempts(screen: &Screen<'_>, report: &TraceReport, visit: usize, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let of_visit: Vec<&TracedAttempt> = report.attempts.iter().filter(|attempt| attempt.visit == visit).collect();
    let several = of_visit.len() > 1 || of_visit.first().is_some_and(|attempt| attempt.attempt > 1);
    for attempt in of_visit {
        let title = if several { format!("trace of attempt {}: ", attempt.attempt) } else { "trace: ".to_owned() };
        let words = attempt.parts.as_ref().and_then(parts_words).unwrap_or_else(|| "no times are known".to_owned());
        let doubt = if attempt.basis == SpanBasis::OneOfSeveral { " (or another visit's: several fit alike)" } else { "" };
        let room = screen.width.saturating_sub(columns(indent));
        for line in wrapped(&format!("{title}{words}{doubt}"), room) {
            writeln!(out, "{}{line}", paint(screen.styles.dim, indent))?;
        }
        spans(screen, report, attempt, indent, out)?;
    }
    Ok(())
}

fn spans(screen: &Screen<'_>, report: &TraceReport, attempt: &TracedAttempt, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let shown = shown(report, attempt);
    let top = shown.iter().map(|span| span.depth).min().unwrap_or(0);
    for span in shown.iter().take(MOST_SPANS) {
        let indent = format!("{indent}{:1$}", "", 2 + 2 * (span.depth - top).min(6));
        line(screen, span, &indent, out)?;
    }
    if let Some(more) = shown.len().checked_sub(MOST_SPANS).filter(|more| *more > 0) {
        let text = format!("{indent}  {} (--output json shows all)", counted(more as u64, "more span"));
        writeln!(out, "{}", paint(screen.styles.dim, text))?;
    }
    let mut told: Vec<String> = Vec::new();
    for exception in shown.iter().flat_map(|span| &span.exceptions) {
        let words: Vec<&str> = [exception.kind.as_deref(), exception.message.as_deref()].into_iter().flatten().collect();
        let words = screen.line(&words.join(": "));
        if !words.is_empty() && !told.contains(&words) && told.len() < MOST_EXCEPTIONS {
            let room = screen.width.saturating_sub(columns(indent) + 2);
            let style = screen.styles.caught;
            writeln!(out, "{}  {}", paint(screen.styles.dim, indent), paint(style, fit(&words, room)))?;
            told.push(words);
        }
    }
    Ok(())
}

fn line(screen: &Screen<'_>, span: &SpanReport, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let styles = screen.styles;
    let room = screen.width.saturating_sub(TIMES + columns(indent)).max(8);
    let words = flag_words(span.error, span.fault, span.throttle, span.status, span.retries);
    let words = if words.is_empty() { words } else { format!("  {words}") };
    let title = fit(&span_title(span, screen), room.saturating_sub(columns(&words)).max(8)).into_owned();
    let fill = room.saturating_sub(columns(&title) + columns(&words));
    let is_bad = span.error || span.fault || span.throttle;
    let start = span.offset_ms.map(|offset| format!("+{}", time(offset))).unwrap_or_default();
    let length = span.duration_ms.map_or_else(|| "in progress".to_owned(), time);
    write!(out, "{}{}", paint(styles.dim, indent), title)?;
    write!(out, "{}", paint(if is_bad { styles.caught } else { styles.dim }, words))?;
    writeln!(out, "{:fill$} {} {length:>10}", "", paint(styles.dim, format_args!("{start:>9}")))
}

/// What the trace is, what says so, and what it lacks.
pub(super) fn foot(screen: &Screen<'_>, report: &TraceReport, out: &mut dyn Write) -> io::Result<()> {
    let id = report.trace_id.as_deref().unwrap_or("without an id");
    writeln!(out, "\n{}", paint(screen.styles.heading, format_args!("Trace {}", screen.line(id))))?;
    for text in remarks(report) {
        for (position, line) in wrapped(&screen.line(&text), screen.width - 4).into_iter().enumerate() {
            writeln!(out, "  {} {line}", if position == 0 { "-" } else { " " })?;
        }
    }
    Ok(())
}

fn remarks(report: &TraceReport) -> Vec<String> {
    let mut words = vec![basis_words(report.basis).to_owned()];
    let with = counted(report.attempts.len() as u64, "attempt");
    words.push(match report.untraced_attempts {
        0 => format!("{with} of tasks, all with spans"),
        without => format!("{with} of tasks with spans, {without} without: not recorded, which is not the same as not run"),
    });
    if report.limit_exceeded {
        words.push("X-Ray cut it because it grew too large".to_owned());
    }
    if report.partial {
        words.push("a span was still in progress when it was read".to_owned());
    }
    if report.orphans > 0 {
        words.push(format!("{} whose parent is missing", counted(report.orphans as u64, "span")));
    }
    if report.unplaced_spans > 0 {
        words.push(format!("{} of no visit: before the execution, or not to be told (--output json shows them)", counted(report.unplaced_spans as u64, "span")));
    }
    if report.clock_difference_ms >= 1.0 {
        let reach = time(report.clock_difference_ms);
        words.push(format!("spans reach up to {reach} out of their attempts, as clocks differ; that much was cut off"));
    }
    if !report.other_trace_ids.is_empty() {
        words.push(format!("its other traces, not shown: {}", report.other_trace_ids.join(", ")));
    }
    words
}

/// The spans of a visit as bars: label, start and end from the execution's start, whether it is a cold start.
pub(super) struct SpanBar {
    pub label: String,
    pub start_ms: i64,
    pub end_ms: i64,
    pub is_cold_start: bool,
    pub is_bad: bool,
}

/// Bars of what the attempts of a visit called.
#[allow(clippy::cast_possible_truncation, reason = "to be drawn")]
pub(super) fn bars(screen: &Screen<'_>, report: &TraceReport, visit: usize, span_ms: i64) -> Vec<SpanBar> {
    let mut found = Vec::new();
    for attempt in report.attempts.iter().filter(|attempt| attempt.visit == visit) {
        let shown = shown(report, attempt);
        let top = shown.iter().map(|span| span.depth).min().unwrap_or(0);
        for span in shown.into_iter().take(MOST_SPANS) {
            let Some(start) = span.offset_ms.map(|offset| offset.round() as i64) else { continue };
            let end = span.duration_ms.map_or(span_ms, |length| start.saturating_add(length.round() as i64));
            let indent = "  ".repeat(1 + (span.depth - top).min(3));
            let label = format!("{indent}{}", span_title(span, screen));
            let is_bad = span.error || span.fault || span.throttle;
            found.push(SpanBar { label, start_ms: start, end_ms: end, is_cold_start: span.cold_start, is_bad });
        }
    }
    found
}
