//! A table of the open waits, the worst first, then the story of each state in which something is stuck.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;

use super::machine_name;
use crate::analysis::callbacks::{CallbacksReport, DeadlineBy, Verdict, WaitClass, Waiting, WaitsFor};
use crate::analysis::finding::NotEnough;
use crate::model::{Micros, execution_name};
use crate::render::columns::{counted, duration, fit, fit_end, width};
use crate::render::page::Page;
use crate::render::redact::Redactor;
use crate::render::styles::{Styles, paint};

/// Names of states take no more than this in the table.
const WIDEST_STATE: usize = 18;
/// Columns of verdict, since, age, usual and end, with the space between.
const FIXED: usize = 7 + 2 + 2 + 2 + 12 + 2 + 7 + 2 + 7 + 2 + 7;
/// Stories are told of so many states at most.
const STORIES: usize = 5;
/// So many states without enough answers are listed.
const LISTED: usize = 5;

/// Writes the report, at most `width` columns wide, with so many open waits at most.
pub fn text(
    report: &CallbacksReport,
    rows: usize,
    styles: &Styles,
    redactor: &Redactor,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    head(report, &mut page)?;
    if !report.waiting.is_empty() {
        table(report, rows, &mut page)?;
    }
    let worth = report.classes.iter().filter(|class| class.stuck > 0 || class.stopped.is_some());
    for class in worth.take(STORIES) {
        story(report, class, &mut page)?;
    }
    not_enough(&report.not_enough, &mut page)?;
    next(report, &mut page)
}

fn head(report: &CallbacksReport, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    let at = report.now.map(|now| format!(", as of {} UTC", now.timestamp().strftime("%F %H:%M"))).unwrap_or_default();
    writeln!(page.out, "{}", paint(page.styles.heading, format!("{}{at}", counted(coverage.executions, "execution"))))?;
    let open: u64 = report.classes.iter().map(|class| class.open).sum();
    let stuck: u64 = report.classes.iter().map(|class| class.stuck).sum();
    let late: u64 = report.classes.iter().map(|class| class.late).sum();
    let unknown: u64 = report.classes.iter().map(|class| class.unknown).sum();
    if open == 0 {
        let answered: u64 = report.classes.iter().map(|class| class.answered).sum();
        let text = match answered {
            0 => "Nothing waits for a task token, an activity, a job or a child execution, and nothing did.".to_owned(),
            _ => format!("Nothing waits for an answer; answered so far: {}.", counted(answered, "wait")),
        };
        return page.paragraph_at_edge(page.styles.ok, &text);
    }
    let mut parts = vec![format!("{stuck} stuck")];
    parts
        .extend([(late, "late"), (unknown, "not to be judged")].into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
    parts.push(format!("{} as usual", open.saturating_sub(stuck + late + unknown)));
    let text = format!("{} for an answer: {}", waits(open), parts.join(", "));
    page.paragraph_at_edge(if stuck > 0 { page.styles.failure } else { page.styles.ok }, &text)
}

fn waits(count: u64) -> String {
    if count == 1 { "1 visit waits".to_owned() } else { format!("{count} visits wait") }
}

#[allow(clippy::cast_possible_truncation, reason = "to be shown")]
fn time(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| "-".to_owned(), |value| duration(value.round() as i64))
}

fn style(verdict: Verdict, styles: &Styles) -> Style {
    match verdict {
        Verdict::Stuck => styles.failure,
        Verdict::Late => styles.caught,
        Verdict::Unknown => styles.dim,
        Verdict::Normal => styles.ok,
    }
}

fn table(report: &CallbacksReport, rows: usize, page: &mut Page<'_>) -> io::Result<()> {
    let states = report.waiting.iter().map(|waiting| width(&page.clean(&waiting.state)));
    let state = states.max().unwrap_or(0).clamp(5, WIDEST_STATE);
    let execution = page.width.saturating_sub(FIXED + state).max(9);
    let heads = format!(
        "{:<7}  {:<state$}  {:<execution$}  {:<12}  {:>7}  {:>7}  {:>7}",
        "VERDICT", "STATE", "EXECUTION", "SINCE, UTC", "AGE", "USUAL", "ENDS IN"
    );
    writeln!(page.out, "\n{}", paint(page.styles.dim, heads))?;
    for waiting in report.waiting.iter().take(rows) {
        let class = class_of(report, waiting);
        let verdict = paint(style(waiting.verdict, page.styles), format!("{:<7}", waiting.verdict.name()));
        let name = fit(&page.clean(&waiting.state), state).into_owned();
        let name = format!("{name}{:fill$}", "", fill = state - width(&name));
        let of = fit_end(&page.clean(execution_name(&waiting.execution)), execution).into_owned();
        let of = format!("{of}{:fill$}", "", fill = execution.saturating_sub(width(&of)));
        let since = waiting.since.timestamp().strftime("%b %d %H:%M");
        let usual = time(class.and_then(|class| class.median_ms));
        let (age, ends) = (time(Some(waiting.age_ms)), ends(waiting, report.now));
        writeln!(page.out, "{verdict}  {}  {of}  {since}  {age:>7}  {usual:>7}  {ends:>7}", paint(page.styles.state, name))?;
    }
    if report.waiting.len() > rows {
        let text = format!("… and {} more: --limit shows them", report.waiting.len() - rows);
        writeln!(page.out, "{}", paint(page.styles.dim, text))?;
    }
    Ok(())
}

/// When it ends at the latest, in a few columns.
fn ends(waiting: &Waiting, now: Option<Micros>) -> String {
    match (waiting.deadline, waiting.deadline_by, now) {
        (None, ..) | (_, Some(DeadlineBy::ServiceLimit) | None, _) | (.., None) => "nothing".to_owned(),
        (Some(deadline), _, Some(now)) if deadline < now => "over".to_owned(),
        (Some(deadline), _, Some(now)) => time(Some(deadline.milliseconds_since(now))),
    }
}

fn class_of<'r>(report: &'r CallbacksReport, waiting: &Waiting) -> Option<&'r WaitClass> {
    report.classes.iter().find(|class| {
        (&class.state_machine, &class.state, class.waits_for, &class.resource)
            == (&waiting.state_machine, &waiting.state, waiting.waits_for, &waiting.resource)
    })
}

fn story(report: &CallbacksReport, class: &WaitClass, page: &mut Page<'_>) -> io::Result<()> {
    let machine = page.clean(machine_name(class.state_machine.as_deref()));
    let state = page.clean(&class.state);
    page.heading(&format!("{machine} / {state}"))?;
    let since = class.stuck_since.map(|since| format!(" since {}", moment(since))).unwrap_or_default();
    let mut text = format!("{} of {} open waits {} stuck{since}", class.stuck, class.open, if class.stuck == 1 { "is" } else { "are" });
    if let Some(stopped) = class.stopped {
        let _ = write!(text, "; nothing was answered since {}, while {:.0} answers were due", moment(stopped.since), stopped.due);
    } else if let Some(last) = class.last_answer {
        let _ = write!(text, "; others are answered, the last one at {}", moment(last));
    }
    page.paragraph(page.styles.failure, &text)?;
    let mut usual = format!("{} answered: half within {}", class.answered, time(class.median_ms));
    if let Some(p95) = class.p95_ms {
        let _ = write!(usual, ", 95 % within {}", time(Some(p95)));
    }
    let _ = write!(usual, ", the longest took {}", time(class.longest_ms));
    page.paragraph(Style::new(), &usual)?;
    if let Some(hours) = &class.working_hours {
        let text = format!("answers come {}; ages are counted in those hours", page.clean(&hours.text));
        page.paragraph(Style::new(), &text)?;
    }
    for stop in &class.earlier_stops {
        let text = format!("left out of what is usual: answers had stopped from {} to {}", moment(stop.from), moment(stop.to));
        page.paragraph(page.styles.dim, &text)?;
    }
    picture(report, class, page)?;
    let worst = report.waiting.iter().find(|waiting| waiting.verdict == Verdict::Stuck && is_of(waiting, class));
    if let Some(worst) = worst {
        for ground in &worst.grounds {
            let ground = page.clean(ground);
            page.item(page.styles.dim, &ground)?;
        }
        if let Some(worker) = &worst.worker {
            let text = format!("the oldest one is held by the worker {}", page.clean(worker));
            page.item(page.styles.dim, &text)?;
        }
    }
    Ok(())
}

fn is_of(waiting: &Waiting, class: &WaitClass) -> bool {
    (&waiting.state_machine, &waiting.state, waiting.waits_for, &waiting.resource)
        == (&class.state_machine, &class.state, class.waits_for, &class.resource)
}

fn moment(at: Micros) -> String {
    at.timestamp().strftime("%b %d %H:%M UTC").to_string()
}

/// Answered waits as a curve of how many last longer, open ones as marks at their age, both over the logarithm of time.
fn picture(report: &CallbacksReport, class: &WaitClass, page: &mut Page<'_>) -> io::Result<()> {
    const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let of_class: Vec<&Waiting> = report.waiting.iter().filter(|waiting| is_of(waiting, class)).collect();
    let ages: Vec<f64> = of_class.iter().map(|waiting| waiting.age_ms.max(1.0)).collect();
    let from = class.curve.iter().map(|step| step.age_ms).chain(ages.iter().copied()).fold(f64::INFINITY, f64::min).max(1.0);
    let to = class.curve.iter().map(|step| step.age_ms).chain(ages.iter().copied()).fold(1.0, f64::max);
    let room = page.width.saturating_sub(14).min(60);
    if class.curve.is_empty() || to <= from * 1.01 || room < 20 {
        return Ok(());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "columns of a screen")]
    let column = |age: f64| (((age.max(from) / from).ln() / (to / from).ln()) * (room - 1) as f64).round() as usize;
    let mut curve = vec![MARKS[7]; room];
    for step in &class.curve {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one of eight marks")]
        let mark = if step.survival <= 0.0 { ' ' } else { MARKS[((step.survival * 8.0).ceil() as usize).clamp(1, 8) - 1] };
        curve[column(step.age_ms).min(room - 1)..].fill(mark);
    }
    let mut open = vec![' '; room];
    for (waiting, age) in of_class.iter().zip(&ages).rev() {
        open[column(*age).min(room - 1)] = if waiting.verdict == Verdict::Stuck { 'x' } else { '.' };
    }
    let line = |marks: Vec<char>| marks.into_iter().collect::<String>().trim_end().to_owned();
    writeln!(page.out, "  {}{}", paint(page.styles.dim, "unanswered  "), line(curve))?;
    writeln!(page.out, "  {}{}", paint(page.styles.dim, "open        "), paint(page.styles.failure, line(open)))?;
    let (first, last) = (time(Some(from)), time(Some(to)));
    let gap = room.saturating_sub(width(&first) + width(&last));
    writeln!(page.out, "  {}", paint(page.styles.dim, format!("after       {first}{:gap$}{last}", "")))
}

fn not_enough(lacks: &[NotEnough], page: &mut Page<'_>) -> io::Result<()> {
    if lacks.is_empty() {
        return Ok(());
    }
    page.heading("Not enough to say")?;
    for lack in lacks.iter().take(LISTED) {
        let state = page.clean(lack.state.as_deref().unwrap_or("-"));
        let machine = page.clean(machine_name(lack.state_machine.as_deref()));
        let text = format!("{machine} / {state}: {} {}, it takes {}", lack.has, lack.of, lack.needs);
        page.item(page.styles.dim, &text)?;
    }
    if lacks.len() > LISTED {
        page.item(page.styles.dim, &format!("and {} more states", lacks.len() - LISTED))?;
    }
    Ok(())
}

fn next(report: &CallbacksReport, page: &mut Page<'_>) -> io::Result<()> {
    let Some(worst) = report.findings.iter().min_by_key(|finding| (finding.common.severity, finding.since)) else { return Ok(()) };
    page.heading("Next, for the one that waits longest")?;
    for next in &worst.common.next {
        page.paragraph(page.styles.dim, &next.text)?;
        let command = page.clean(&next.command);
        page.copyable(4, page.styles.command, &command)?;
    }
    if worst.evidence.waits_for == WaitsFor::Callback {
        page.paragraph(page.styles.dim, "none of this was run; --show-tokens puts the task token into the command")?;
    }
    Ok(())
}
