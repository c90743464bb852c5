//! The sections of the answer, in the order in which they are read.

use std::io;

use anstyle::Style;

use super::{attempts, log, route, words};
use crate::analysis::why::{DecodedCause, ExecutionSummary, Finding, Kind, Terminal, WhyReport};
use crate::model::{ExecutionStatus, StateMachineArn, Timestamp};
use crate::render::columns::{counted, duration};
use crate::render::escape;
use crate::render::json_fold::folded;
use crate::render::page::{Page, head, wrapped};
use crate::render::show::short_resource;
use crate::render::styles::paint;

/// How much of each is shown; `show --state` shows more, JSON all.
const MOST_PAYLOAD_LINES: usize = 14;
const MOST_MESSAGE_LINES: usize = 8;
const MOST_FRAMES: usize = 5;
const MOST_HANDLED: usize = 5;
const MOST_OPEN: usize = 8;

pub(super) fn write(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    headline(&report.execution, page)?;
    match &report.root_cause {
        Some(cause) => failed(report, cause, page)?,
        None => not_failed(report, page)?,
    }
    open(report, page)?;
    handled(report, page)?;
    way(report, page)?;
    advice(report, page)?;
    incomplete(report, page)?;
    next(report, page)
}

fn headline(execution: &ExecutionSummary, page: &mut Page<'_>) -> io::Result<()> {
    let style = match execution.status {
        Some(status) if status.is_unsuccessful() => page.styles.failure,
        Some(ExecutionStatus::Succeeded) => page.styles.ok,
        Some(_) => page.styles.open,
        None => page.styles.caught,
    };
    let machine = execution.state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
    let names: Vec<&str> = [machine.as_ref().map(StateMachineArn::name), execution.name.as_deref()].into_iter().flatten().collect();
    let title = if names.is_empty() { page.clean(&execution.origin) } else { page.clean(&names.join(" / ")) };
    let status = words::status(execution.status);
    for (position, line) in wrapped(&title, page.width - status.len() - 2).into_iter().enumerate() {
        let line = paint(page.styles.heading, line);
        match position {
            0 => writeln!(page.out, "{}  {line}", paint(style, status))?,
            _ => writeln!(page.out, "{:1$}{line}", "", status.len() + 2)?,
        }
    }
    let dim = page.styles.dim;
    let times = wrapped(&times(execution), page.width);
    times.into_iter().try_for_each(|line| writeln!(page.out, "{}", paint(dim, line)))
}

/// When it ran, for how long, and what was read of it.
fn times(execution: &ExecutionSummary) -> String {
    let mut words = Vec::new();
    let length = execution.duration_ms.map(duration);
    match (execution.start, execution.stop) {
        (Some(start), Some(stop)) => {
            let same_day = start.strftime("%F").to_string() == stop.strftime("%F").to_string();
            let stop = stop.strftime(if same_day { "%T" } else { "%F %T" }).to_string();
            words.push(format!("{} to {stop} UTC", start.strftime("%F %T")));
            words.extend(length.map(|length| format!("ran {length}")));
        }
        (Some(start), None) => {
            words.push(format!("started {}", start.strftime("%F %T UTC")));
            words.extend(length.map(|length| format!("last event after {length}")));
        }
        (None, Some(stop)) => words.push(format!("ended {}, started at a time that is not known", stop.strftime("%F %T UTC"))),
        (None, None) => words.push("times unknown".to_owned()),
    }
    words.push(counted(execution.events as u64, "event"));
    if execution.redrive_count > 0 {
        words.push(format!("redriven {}", times_over(execution.redrive_count)));
    }
    words.join(", ")
}

fn times_over(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn failed(report: &WhyReport, cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let plain = Style::new();
    writeln!(page.out)?;
    failing_state(report, cause, page)?;
    child_that_was_read(cause, page)?;
    page.fact("What", plain, &what(cause))?;
    if let Some(when) = when(cause, &report.execution) {
        page.fact("When", plain, &when)?;
    }
    error(cause, page)?;
    quoted_children(cause, page)?;
    page.fact("Sure?", plain, &words::grounds(cause))?;
    terminal(report, cause, page)?;
    if let Some(log) = &cause.logs {
        log::write(log, report.execution.start, page)?;
    }
    inputs(cause, page)?;
    attempts::write(&cause.attempts, page)
}

/// The state in the style of a failure, with what it called and where it is.
fn failing_state(report: &WhyReport, cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let Some(state) = &cause.state else {
        let text = if report.open.is_empty() { "not known" } else { "none alone: see what was open at the end" };
        return page.fact("State", page.styles.dim, text);
    };
    let mut beside: Vec<String> = cause.state_type.iter().map(ToString::to_string).collect();
    beside.extend(cause.resource.as_deref().map(|resource| page.clean(&short_resource(resource))));
    let state = page.clean(state);
    let (failure, dim) = (page.styles.failure, page.styles.dim);
    let beside = if beside.is_empty() { String::new() } else { format!("({})", beside.join(", ")) };
    page.fact_beside("State", (failure, &state), (dim, &beside))?;
    if cause.scope.is_empty() {
        return Ok(());
    }
    let scope = page.clean(&cause.scope.join(" > "));
    page.fact("In", Style::new(), &scope)
}

/// `the task reported a failure, 1.2s after it was scheduled`.
fn what(cause: &Finding) -> String {
    let happened = words::what_happened_to(cause);
    match cause.attempts.as_slice() {
        [] => happened.to_owned(),
        [only] => match only.duration_ms {
            Some(length) => format!("{happened}, {} after it was scheduled", duration(length)),
            None => happened.to_owned(),
        },
        several => format!("{happened}, in the last of {} attempts", several.len()),
    }
}

/// `00:02:59.100 UTC, event 41 (entered by event 38)`.
fn when(cause: &Finding, execution: &ExecutionSummary) -> Option<String> {
    let time = cause.time.map(|time| moment(time, execution.start));
    let event = match (cause.event_id, cause.entered_event_id) {
        (Some(event), Some(entered)) if event != entered => Some(format!("event {event} (entered by event {entered})")),
        (Some(event), _) => Some(format!("event {event}")),
        (None, Some(entered)) => Some(format!("entered by event {entered}")),
        (None, None) => None,
    };
    let parts: Vec<String> = time.into_iter().chain(event).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn moment(time: Timestamp, start: Option<Timestamp>) -> String {
    let same_day = start.is_some_and(|start| start.strftime("%F").to_string() == time.strftime("%F").to_string());
    time.strftime(if same_day { "%T%.3f UTC" } else { "%F %T%.3f UTC" }).to_string()
}

fn error(cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let name = match &cause.error {
        Some(error) => page.clean(error),
        None => "none was given".to_owned(),
    };
    let style = if cause.error.is_some() { page.styles.failure } else { page.styles.dim };
    page.fact("Error", style, &name)?;
    let decoded = cause.decoded.clone().unwrap_or_default();
    // The line about a child names its error.
    let inner = decoded.error_type.as_ref().filter(|inner| decoded.children.is_empty() && Some(*inner) != cause.error.as_ref());
    if let Some(inner) = inner {
        let inner = page.clean(inner);
        page.detail(Style::new(), &format!("inside: {inner}"))?;
    }
    message(cause, &decoded, page)?;
    stack(&decoded, page)?;
    if let Some(answer) = service_answer(&decoded) {
        let (dim, answer) = (page.styles.dim, page.clean(&answer));
        page.detail(dim, &answer)?;
    }
    Ok(())
}

fn message(cause: &Finding, decoded: &DecodedCause, page: &mut Page<'_>) -> io::Result<()> {
    let text = match (&decoded.message, &cause.cause_json, &cause.cause) {
        (Some(message), _, _) => block(message, page),
        (None, Some(json), _) if decoded.children.is_empty() => json_lines(json.get(), page.width - 10, page).join("\n"),
        (None, None, Some(text)) => block(text, page),
        // The service never gives one for what ran out of time.
        (None, _, None) if matches!(cause.kind, Kind::TaskTimedOut | Kind::HeartbeatTimedOut | Kind::ExecutionTimedOut) => return Ok(()),
        (None, _, None) => return page.fact("Cause", page.styles.dim, "none was given"),
        (None, Some(_), Some(_)) => return Ok(()),
    };
    if text.trim().is_empty() {
        return page.fact("Cause", page.styles.dim, "empty");
    }
    // What fills many lines may be one line without an end.
    let lines: Vec<String> = text.lines().flat_map(|line| wrapped(line, page.width - 10)).collect();
    let text = lines.join("\n");
    let (shown, more) = head(&text, MOST_MESSAGE_LINES);
    page.fact("Cause", Style::new(), &shown)?;
    left_out(more, "line", page)
}

fn left_out(more: usize, what: &str, page: &mut Page<'_>) -> io::Result<()> {
    if more == 0 {
        return Ok(());
    }
    let dim = page.styles.dim;
    page.detail(dim, &format!("… {} (--output json shows all)", counted(more as u64, &format!("more {what}"))))
}

fn stack(decoded: &DecodedCause, page: &mut Page<'_>) -> io::Result<()> {
    let dim = page.styles.dim;
    for frame in decoded.stack.iter().take(MOST_FRAMES) {
        // The line of code below a frame has its indent from the page.
        let lines: Vec<String> = block(frame, page).lines().map(|line| line.trim().to_owned()).collect();
        page.detail(dim, &lines.join("\n"))?;
    }
    left_out(decoded.stack.len().saturating_sub(MOST_FRAMES), "frame", page)
}

/// `AmazonSNS answered 404 NotFound (request r-2)`.
fn service_answer(decoded: &DecodedCause) -> Option<String> {
    let status = decoded.status_code.map(|status| status.to_string());
    let told = |code: &&String| decoded.message.as_ref().is_some_and(|message| message.contains(code.as_str()));
    let code = decoded.error_code.as_ref().filter(|code| !told(code)).cloned();
    let answered: Vec<String> = [status, code].into_iter().flatten().collect();
    let request = decoded.request_id.as_ref().map(|id| format!("request {id}"));
    let answer = (!answered.is_empty()).then(|| {
        let service = decoded.service.as_deref().unwrap_or("the service");
        format!("{service} answered {}", answered.join(" "))
    });
    let parts: Vec<String> = [answer, request].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The child execution that failed first, and the states that waited for it.
fn child_that_was_read(cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    if let (Some(_), Some(execution)) = (cause.via.first(), &cause.execution) {
        let execution = page.clean(execution);
        page.fact("Child", Style::new(), "the state belongs to this child execution:")?;
        page.copyable(10, page.styles.command, &execution)?;
    }
    for parent in &cause.via {
        let state = parent.state.as_deref().unwrap_or("a state without a name");
        let place: Vec<&str> = parent.scope.iter().map(String::as_str).chain([state]).collect();
        let error = parent.error.as_deref().map(|error| format!(" and saw {error}")).unwrap_or_default();
        let event = parent.event_id.map(|event| format!(" (event {event})")).unwrap_or_default();
        let text = page.clean(&format!("{} waited for it{error}{event}", place.join(" > ")));
        page.fact("Parent", Style::new(), &text)?;
    }
    Ok(())
}

/// Child executions that are known from the cause alone.
fn quoted_children(cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let quoted = cause.decoded.as_ref().filter(|_| cause.via.is_empty()).map(|decoded| decoded.children.as_slice());
    for child in quoted.unwrap_or_default() {
        let status = child.status.as_deref().unwrap_or("without a status");
        let error = child.error.as_deref().map(|error| format!(" with {error}")).unwrap_or_default();
        let text = page.clean(&format!("this child execution ended {status}{error}:"));
        page.fact("Child", Style::new(), &text)?;
        if let Some(execution) = &child.execution {
            let execution = page.clean(execution);
            page.copyable(10, page.styles.command, &execution)?;
        }
    }
    Ok(())
}

/// Where the execution ended, when that is another state than the one at fault.
fn terminal(report: &WhyReport, cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let Some(terminal) = &report.terminal else { return Ok(()) };
    if let Some(state) = &cause.caught_by {
        let text = page.clean(&format!("the failure was caught, and the execution went on with {state}"));
        page.fact("Caught", page.styles.caught, &text)?;
    }
    let elsewhere = (&terminal.state, terminal.entered_event_id) != (&cause.state, cause.entered_event_id);
    if !elsewhere || !cause.via.is_empty() || terminal.state.is_none() {
        return Ok(());
    }
    let text = ending(terminal, page);
    page.fact("Ended in", Style::new(), &text)
}

fn ending(terminal: &Terminal, page: &Page<'_>) -> String {
    let state = terminal.state.as_deref().unwrap_or_default();
    let place: Vec<&str> = terminal.scope.iter().map(String::as_str).chain([state]).collect();
    let place = page.clean(&place.join(" > "));
    let said: Vec<&str> = [terminal.error.as_deref(), terminal.cause.as_deref()].into_iter().flatten().collect();
    // The cause of the end may quote the failure whole, which was told above.
    let said = shortened(&said.join(": "), 300, page);
    if said.is_empty() { place } else { format!("{place}, with {said}") }
}

/// The beginning of a text. It is masked first: a part of a secret would not be recognised as one.
fn shortened(text: &str, most: usize, page: &Page<'_>) -> String {
    let text = page.clean(text);
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The input of the state and, where it differs, what the task received.
fn inputs(cause: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    match (&cause.input, &cause.effective_input) {
        (Some(input), Some(received)) if is_same_json(input, received) => {
            payload("Input of the state, which the task received as it is", input, page)
        }
        (input, received) => {
            if let Some(input) = input {
                payload("Input of the state", input, page)?;
            }
            if let Some(received) = received {
                payload("What the task received", received, page)?;
            }
            Ok(())
        }
    }
}

/// Whether two payloads hold the same, whatever the order of their members.
fn is_same_json(one: &str, other: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || parsed(one).is_some_and(|one| parsed(other) == Some(one))
}

fn payload(title: &str, text: &str, page: &mut Page<'_>) -> io::Result<()> {
    page.heading(title)?;
    let lines = json_lines(text, page.width - 2, page);
    for line in lines.iter().take(MOST_PAYLOAD_LINES) {
        page.cut(2, Style::new(), line)?;
    }
    let more = lines.len().saturating_sub(MOST_PAYLOAD_LINES);
    if more > 0 {
        let dim = page.styles.dim;
        page.paragraph(dim, &format!("… {} (--output json shows all)", counted(more as u64, "more line")))?;
    }
    Ok(())
}

/// JSON folded to the width; other text as it stands.
fn json_lines(text: &str, room: usize, page: &Page<'_>) -> Vec<String> {
    let masked = page.redactor.apply(text);
    let shown = escape::json(&masked);
    folded(&shown, room).unwrap_or_else(|| escape::block(&masked).lines().map(str::to_owned).collect())
}

/// Text from outside that may have lines.
fn block(text: &str, page: &Page<'_>) -> String {
    escape::block(&page.redactor.apply(text)).into_owned()
}

fn not_failed(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    let execution = &report.execution;
    let (style, text) = match execution.status {
        Some(ExecutionStatus::Succeeded) if report.handled.is_empty() => (page.styles.ok, "Nothing failed on the way.".to_owned()),
        Some(ExecutionStatus::Succeeded) => {
            let count = report.handled.len() as u64;
            (page.styles.caught, format!("It succeeded, but swallowed {} on the way.", counted(count, "failure")))
        }
        Some(ExecutionStatus::Running | ExecutionStatus::PendingRedrive) => (page.styles.open, "It has not ended.".to_owned()),
        _ => (page.styles.caught, "Nothing that was read tells how it ended.".to_owned()),
    };
    writeln!(page.out)?;
    wrapped(&text, page.width).into_iter().try_for_each(|line| writeln!(page.out, "{}", paint(style, line)))
}

/// Where a running execution stands; what was open when it was stopped.
fn open(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.open.is_empty() {
        return Ok(());
    }
    let stopped = report.execution.status.is_some_and(ExecutionStatus::is_unsuccessful);
    page.heading(if stopped { "What was open at the end" } else { "Where it stands" })?;
    for visit in report.open.iter().take(MOST_OPEN) {
        let state = visit.state.as_deref().unwrap_or("A state without a name");
        let place: Vec<&str> = visit.scope.iter().map(String::as_str).chain([state]).collect();
        let resource = visit.resource.as_deref().map(|resource| format!(" ({})", short_resource(resource))).unwrap_or_default();
        let text = page.clean(&format!("{}{resource} {}", place.join(" > "), words::waiting(visit, stopped)));
        page.item(Style::new(), &text)?;
        let dim = page.styles.dim;
        if let Some(limits) = words::limits(visit, stopped) {
            page.under_item(dim, &limits)?;
        }
        if visit.failed_attempts > 0 {
            page.under_item(dim, &format!("after {}", counted(visit.failed_attempts as u64, "failed attempt")))?;
        }
        if let Some(child) = &visit.child {
            let child = page.clean(child);
            page.copyable(4, page.styles.command, &child)?;
        }
    }
    more(report.open.len(), MOST_OPEN, page)
}

fn more(count: usize, most: usize, page: &mut Page<'_>) -> io::Result<()> {
    let dim = page.styles.dim;
    if count > most { page.paragraph(dim, &format!("… {} more (--output json shows all)", count - most)) } else { Ok(()) }
}

/// Failures that were caught or cured, alike ones together.
fn handled(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.handled.is_empty() {
        return Ok(());
    }
    let failed = report.root_cause.is_some();
    page.heading(if failed { "Failed before, and was caught or cured" } else { "Failed, and was caught or cured" })?;
    let mut groups: Vec<(String, Option<String>, usize)> = Vec::new();
    for finding in &report.handled {
        let (text, message) = handled_words(finding, page);
        match groups.iter_mut().find(|(known, said, _)| known == &text && said == &message) {
            Some((_, _, count)) => *count += 1,
            None => groups.push((text, message, 1)),
        }
    }
    let (caught, dim) = (page.styles.caught, page.styles.dim);
    for (text, message, count) in groups.iter().take(MOST_HANDLED) {
        let times = if *count > 1 { format!(" (×{count})") } else { String::new() };
        page.item(caught, &format!("{text}{times}"))?;
        message.iter().try_for_each(|message| page.under_item(dim, message))?;
    }
    more(groups.len(), MOST_HANDLED, page)
}

/// What failed and what came of it, and the first line of its message.
fn handled_words(finding: &Finding, page: &Page<'_>) -> (String, Option<String>) {
    let state = page.clean(finding.state.as_deref().unwrap_or("a state without a name"));
    let error = page.clean(finding.error.as_deref().unwrap_or("an error without a name"));
    let message = finding.decoded.as_ref().and_then(|decoded| decoded.message.as_deref()?.lines().next());
    let outcome = match &finding.caught_by {
        Some(next) => format!("caught, went on with {}", page.clean(next)),
        None => match finding.attempts.last() {
            Some(last) if last.redrive > 0 && last.number == 1 => "cured by a redrive".to_owned(),
            Some(last) if last.number > 1 => format!("cured by a retry, attempt {}", last.number),
            _ => "cured".to_owned(),
        },
    };
    (format!("{state} failed with {error}; {outcome}"), message.map(|message| shortened(message, 160, page)))
}

/// How the execution came to its end.
fn way(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.route.len() < 2 {
        return Ok(());
    }
    let in_parent = report.root_cause.as_ref().is_some_and(|cause| !cause.via.is_empty());
    page.heading(if in_parent { "The way there, in the parent" } else { "The way there" })?;
    for leg in route::legs(&report.route) {
        match leg {
            Ok(leg) => {
                let scope = if leg.scope.is_empty() { String::new() } else { format!("{}: ", leg.scope.join(" > ")) };
                let text = page.clean(&format!("{scope}{}", leg.steps.join(" > ")));
                page.paragraph(Style::new(), &text)?;
            }
            Err(left_out) => {
                let dim = page.styles.dim;
                page.paragraph(dim, &format!("… {} more", counted(left_out as u64, "scope")))?;
            }
        }
    }
    Ok(())
}

fn advice(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.advice.is_empty() {
        return Ok(());
    }
    page.heading("What to check")?;
    for advice in &report.advice {
        page.item(Style::new(), &advice.text)?;
        let retry = match advice.retry.as_str() {
            "yes" => "A retry helps. ",
            "no" => "A retry does not help. ",
            _ => "",
        };
        let dim = page.styles.dim;
        page.under_item(dim, &format!("{retry}[{}]", advice.source))?;
    }
    Ok(())
}

fn incomplete(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.incomplete.is_empty() {
        return Ok(());
    }
    page.heading("What this answer lacks")?;
    for gap in &report.incomplete {
        let (style, text) = (page.styles.caught, page.clean(&gap.text));
        page.item(style, &text)?;
    }
    Ok(())
}

fn next(report: &WhyReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.next.is_empty() && report.execution.console_url.is_none() {
        return Ok(());
    }
    page.heading("Next")?;
    let (dim, command) = (page.styles.dim, page.styles.command);
    for next in &report.next {
        let (text, line) = (page.clean(&next.text), page.clean(&next.command));
        page.paragraph(dim, &text)?;
        page.copyable(4, command, &line)?;
    }
    if let Some(url) = &report.execution.console_url {
        let url = page.clean(url);
        page.paragraph(dim, "in the console")?;
        page.copyable(4, command, &url)?;
    }
    Ok(())
}
