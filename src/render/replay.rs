//! The answer to `replay` as text: the verdict first, then what it rests on, the divergence with both values, what to do next.

use std::io::{self, Write};

use anstyle::Style;

use super::columns::{counted, fit, mark, width as columns};
use super::escape;
use super::page::{Page, head};
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::replay::{
    Chance, Change, DefinitionSource, DifferingPlace, Divergence, Event, OutcomeReport, ReplayReport, Step, StepPair, Verdict,
    VerdictCounts, WhatIf,
};
use crate::model::StateMachineArn;

/// How much of each is shown; JSON has all.
const MOST_PLACES: usize = 6;
const MOST_VALUE_LINES: usize = 6;
/// Steps before the parting; those before them agree as well.
const STEPS_BEFORE: usize = 6;
/// Steps after the parting.
const STEPS_AFTER: usize = 8;

/// Writes the answer for a person, in lines of `width` columns.
pub fn text(report: &ReplayReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let page = &mut Page::new(styles, redactor, width, out);
    headline(report, page)?;
    match &report.what_if {
        Some(what_if) => changed(report, what_if, page)?,
        None => compared(report, page)?,
    }
    answers(report, page)?;
    taken_over(report, page)?;
    parting(report, page)?;
    incomplete(report, page)?;
    next(report, page)
}

/// Writes a line, for one of several executions; beneath it why it was not reproduced.
pub fn line(report: &ReplayReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let page = &mut Page::new(styles, redactor, width, out);
    let (style, verdict) = verdict(report, page.styles);
    let why = report.not_replayable.as_deref().or(report.first_divergence.as_ref().map(|divergence| divergence.reason.as_str()));
    let title = page.clean(&title(report));
    let room = page.width.saturating_sub(16);
    writeln!(page.out, "{}  {}", paint(style, format_args!("{verdict:<14}")), fit(&title, room))?;
    let why = page.clean(why.unwrap_or_default());
    for line in super::page::wrapped(&why, page.width.saturating_sub(2)).iter().filter(|line| !line.is_empty()) {
        writeln!(page.out, "  {}", paint(page.styles.dim, line))?;
    }
    Ok(())
}

/// Writes how many executions have which verdict, and how to see one at length.
pub fn tally(counts: &VerdictCounts, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let page = &mut Page::new(styles, redactor, width, out);
    let all = [(counts.reproduced, "reproduced"), (counts.diverged, "diverged"), (counts.not_replayable, "not replayable")];
    let words: Vec<String> = all.iter().filter(|(count, _)| *count > 0).map(|(count, verdict)| format!("{count} {verdict}")).collect();
    let total = counts.reproduced + counts.diverged + counts.not_replayable;
    writeln!(page.out)?;
    writeln!(page.out, "{}: {}", counted(total as u64, "execution"), words.join(", "))?;
    let Some(example) = &counts.first_unlike else { return Ok(()) };
    page.heading("Next")?;
    page.item(Style::new(), "the first that is not reproduced, at length")?;
    let command = page.clean(&format!("stepscope replay {example}"));
    page.copyable(4, page.styles.command, &command)
}

/// Writes the answer as JSON: over several lines, or on one.
pub fn json(report: &ReplayReport, one_line: bool, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    // Parts that stand as they were read may have line ends, which in JSON are nothing but spaces.
    let text = if one_line { serde_json::to_string(report)?.replace(['\n', '\r'], " ") } else { serde_json::to_string_pretty(report)? };
    writeln!(out, "{}", escape::json(&redactor.apply(&text)))
}

fn verdict(report: &ReplayReport, styles: &Styles) -> (Style, &'static str) {
    match (report.verdict, &report.what_if) {
        (Verdict::NotReplayable, _) => (styles.failure, "NOT REPLAYABLE"),
        (Verdict::Reproduced, None) => (styles.ok, "REPRODUCED"),
        (Verdict::Diverged, None) => (styles.failure, "DIVERGED"),
        (Verdict::Reproduced, Some(_)) => (styles.caught, "NO CHANGE"),
        (Verdict::Diverged, Some(_)) => (styles.ok, "CHANGED"),
    }
}

fn title(report: &ReplayReport) -> String {
    let execution = &report.execution;
    let machine = execution.state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
    let names: Vec<&str> = [machine.as_ref().map(StateMachineArn::name), execution.name.as_deref()].into_iter().flatten().collect();
    if names.is_empty() { execution.origin.clone() } else { names.join(" / ") }
}

fn headline(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    let (style, verdict) = verdict(report, page.styles);
    let title = page.clean(&title(report));
    let room = page.width.saturating_sub(verdict.len() + 2);
    writeln!(page.out, "{}  {}", paint(style, verdict), paint(page.styles.heading, fit(&title, room)))
}

/// What was compared, and where it differs.
fn compared(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    let compared = &report.compared;
    let plain = Style::new();
    if let Some(reason) = &report.not_replayable {
        let reason = page.clean(reason);
        return page.fact("Because", plain, &reason);
    }
    let events = counted(compared.recorded_events as u64, "event");
    let agreed = match report.verdict {
        Verdict::Reproduced if compared.siblings_reordered => {
            format!("all {events} in each branch and iteration, which went on in another order")
        }
        Verdict::Reproduced => format!("all {events}: types, states, payloads, errors, causes, ids and links; not times"),
        _ => format!("the first {} of {events}", compared.agreed_events),
    };
    page.fact("Agree", plain, &agreed)?;
    if let Some(outcome) = &report.outcome {
        let text = page.clean(&outcome_words(outcome));
        page.fact("Ended", plain, &text)?;
    }
    Ok(())
}

/// Where the histories, or the paths, part.
fn parting(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    match (&report.what_if, &report.first_divergence) {
        (Some(what_if), _) => side_by_side(what_if, page),
        (None, Some(divergence)) => diverged(divergence, page),
        (None, None) => Ok(()),
    }
}

fn outcome_words(outcome: &OutcomeReport) -> String {
    let said: Vec<&str> = [outcome.error.as_deref(), outcome.cause.as_deref()].into_iter().flatten().collect();
    let cut = |text: &str| fit(text, 200).into_owned();
    match (said.as_slice(), &outcome.output) {
        ([], Some(output)) => format!("{} with {}", outcome.status, cut(output)),
        ([], None) => outcome.status.to_string(),
        (said, _) => format!("{} with {}", outcome.status, cut(&said.join(": "))),
    }
}

fn diverged(divergence: &Divergence, page: &mut Page<'_>) -> io::Result<()> {
    let plain = Style::new();
    page.heading("Where they part")?;
    let event = divergence.recorded_event_id.map_or("after the last recorded event".to_owned(), |id| format!("event {id}"));
    let scope = if divergence.scope.is_empty() { String::new() } else { format!(" in {}", divergence.scope.join(" > ")) };
    let state = divergence.state.as_ref().map(|state| format!(", state {state}{scope}")).unwrap_or_default();
    let place = page.clean(&format!("{event}{state}"));
    page.fact("At", page.styles.failure, &place)?;
    let reason = page.clean(&divergence.reason);
    page.fact("Reason", plain, &reason)?;
    if let Some(likely) = &divergence.likely {
        let likely = page.clean(likely);
        page.fact("Likely", page.styles.caught, &likely)?;
    }
    if divergence.differences.is_empty() {
        event_line("Recorded", divergence.recorded.as_ref(), page)?;
        return event_line("Produced", divergence.produced.as_ref(), page);
    }
    for place in divergence.differences.iter().take(MOST_PLACES) {
        differing(place, page)?;
    }
    let more = divergence.differences.len().saturating_sub(MOST_PLACES) + divergence.more_differences;
    if more > 0 {
        let dim = page.styles.dim;
        page.detail(dim, &format!("… {} (--output json shows them)", counted(more as u64, "more place")))?;
    }
    Ok(())
}

fn event_line(label: &str, event: Option<&Event>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(Event(event)) = event else { return page.fact(label, page.styles.dim, "nothing") };
    let name = event.state_name().map(|name| format!(" {}", name.decode())).unwrap_or_default();
    let error = event.error().map(|error| format!(" {}", error.decode())).unwrap_or_default();
    let text = page.clean(&format!("{}{name}{error}", event.type_name()));
    page.fact(label, Style::new(), &text)
}

fn differing(place: &DifferingPlace, page: &mut Page<'_>) -> io::Result<()> {
    let at = if place.place == "$" { place.field.clone() } else { format!("{} {}", place.field, place.place) };
    let at = page.clean(&at);
    writeln!(page.out)?;
    page.fact("In", page.styles.state, &at)?;
    for (label, value) in [("Recorded", &place.recorded), ("Produced", &place.produced)] {
        let text = page.clean(value.as_deref().unwrap_or("nothing"));
        let lines = super::page::wrapped(&text, page.width.saturating_sub(10)).join("\n");
        let (shown, more) = head(&lines, MOST_VALUE_LINES);
        page.fact(label, Style::new(), &shown)?;
        if more > 0 {
            let dim = page.styles.dim;
            page.detail(dim, &format!("… {} (--output json shows all)", counted(more as u64, "more line")))?;
        }
    }
    Ok(())
}

/// What was changed, and how that ended.
fn changed(report: &ReplayReport, what_if: &WhatIf, page: &mut Page<'_>) -> io::Result<()> {
    let plain = Style::new();
    if let Some(reason) = &report.not_replayable {
        let reason = page.clean(reason);
        return page.fact("Because", plain, &reason);
    }
    let words = what_if.changed.iter().map(|change| match change {
        Change::Definition => "the definition",
        Change::Input => "the input",
        Change::Answers => "answers of tasks",
    });
    page.fact("Changed", plain, &words.collect::<Vec<_>>().join(", "))?;
    if let Some(recorded) = what_if.recorded_outcome {
        page.fact("Recorded", plain, recorded.name())?;
    }
    if let Some(outcome) = &report.outcome {
        let text = page.clean(&outcome_words(outcome));
        page.fact("Now", plain, &text)?;
    }
    if what_if.parted_at.is_none() && !what_if.steps.is_empty() {
        page.fact("Path", plain, &format!("the same {}", counted(what_if.steps.len() as u64, "step")))?;
    }
    Ok(())
}

/// The steps of both runs, to the point where they part and a little on.
fn side_by_side(what_if: &WhatIf, page: &mut Page<'_>) -> io::Result<()> {
    let Some(parted) = what_if.parted_at else { return Ok(()) };
    page.heading("Side by side")?;
    let dim = page.styles.dim;
    row(page, '|', (dim, "recorded"), (dim, "changed"))?;
    let first = parted.saturating_sub(STEPS_BEFORE);
    if first > 0 {
        let text = format!("… {} that agree", counted(first as u64, "step"));
        row(page, '=', (dim, &text), (dim, &text))?;
    }
    let last = (parted + 1 + STEPS_AFTER).min(what_if.steps.len());
    for (position, StepPair { recorded, changed }) in what_if.steps.iter().enumerate().take(last).skip(first) {
        let sign = if position < parted { '=' } else { '|' };
        let side = |step: &Option<Step>, page: &Page<'_>| {
            step.as_ref().map_or((Style::new(), String::new()), |step| (page.styles.of(step.outcome), page.clean(&step_words(step))))
        };
        let ((one_style, one), (other_style, other)) = (side(recorded, page), side(changed, page));
        row(page, sign, (one_style, &one), (other_style, &other))?;
    }
    let rest = what_if.steps.len() - last;
    if rest > 0 {
        page.paragraph(dim, &format!("… {} (--output json shows all)", counted(rest as u64, "more row")))?;
    }
    Ok(())
}

/// Two texts in two columns, with a sign between them.
fn row(page: &mut Page<'_>, sign: char, (one_style, one): (Style, &str), (other_style, other): (Style, &str)) -> io::Result<()> {
    let half = (page.width - 3) / 2;
    let (one, other) = (fit(one, half), fit(other, half));
    let fill = half - columns(&one);
    write!(page.out, "{}{:fill$} {sign}", paint(one_style, &one), "")?;
    if other.is_empty() { writeln!(page.out) } else { writeln!(page.out, " {}", paint(other_style, &other)) }
}

/// `✗ Charge, 3 attempts, States.Timeout`.
fn step_words(step: &Step) -> String {
    let mut words = format!("{} {}", mark(step.outcome), step.state);
    if let Some(label) = step.scope.last() {
        words = format!("{words} in {label}");
    }
    if step.attempts > 1 {
        words = format!("{words}, {} attempts", step.attempts);
    }
    match &step.error {
        Some(error) => format!("{words}, {error}"),
        None => words,
    }
}

/// Where the answers of a changed run came from, as far as that is worth a word.
fn answers(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.verdict != Verdict::NotReplayable {
        let text = match report.definition {
            DefinitionSource::Given => "the given definition",
            DefinitionSource::Recorded | DefinitionSource::Missing => "the recorded definition",
        };
        page.fact("Ran", Style::new(), text)?;
    }
    let Some(what_if) = &report.what_if else { return Ok(()) };
    let total = what_if.answers.len();
    let given = what_if.answers.iter().filter(|answer| !answer.recorded).count();
    let mut words = vec![format!("{} recorded, {given} given", total - given)];
    let other: Vec<&str> = what_if.answers.iter().filter(|answer| answer.other_parameters).map(|answer| answer.state.as_str()).collect();
    if let Some(first) = other.first() {
        let were = if other.len() == 1 { "was" } else { "were" };
        words.push(format!(
            "{} of the recorded {were} given to other parameters than now, such as that of {first}: whether the task would answer the same \
             is not known",
            other.len()
        ));
    }
    let text = page.clean(&words.join("; "));
    page.fact("Answers", Style::new(), &text)
}

fn taken_over(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    let dim = page.styles.dim;
    let words = report.taken_over.iter().map(|taken| match taken.kind {
        Chance::Name => counted(taken.count as u64, "generated name"),
        Chance::Random => counted(taken.count as u64, "random number"),
        Chance::Time => counted(taken.count as u64, "time"),
    });
    let words: Vec<String> = words.collect();
    if !words.is_empty() {
        page.fact("Values", dim, &format!("{} taken from the recording, since no definition determines them", words.join(", ")))?;
    }
    let undetermined = report.compared.undetermined_places;
    if undetermined > 0 {
        page.fact("Left out", dim, &format!("{} of values that no replay can know", counted(undetermined as u64, "place")))?;
    }
    Ok(())
}

fn incomplete(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.incomplete.is_empty() {
        return Ok(());
    }
    page.heading("Incomplete")?;
    for gap in &report.incomplete {
        let text = page.clean(&gap.text);
        page.item(page.styles.caught, &text)?;
    }
    Ok(())
}

fn next(report: &ReplayReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.next.is_empty() {
        return Ok(());
    }
    page.heading("Next")?;
    for next in &report.next {
        page.item(Style::new(), &next.text)?;
        let command = page.clean(&next.command);
        page.copyable(4, page.styles.command, &command)?;
    }
    Ok(())
}
