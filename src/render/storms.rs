//! `storms` as text: each storm with a sentence, its waves, why it is one, what it cost, and what to change.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::{counted, duration, fit};
use super::page::{LABEL, Page};
use super::redact::Redactor;
use super::storms_remedy;
use super::styles::{Styles, paint};
use crate::analysis::finding::Severity;
use crate::analysis::storms::{Pattern, Storm, StormEvidence, StormsReport, Timeline, WaveEvidence};
use crate::model::{Micros, thousands};

/// For so many storms it is told what to change; for more it takes too much of a screen.
const EXPLAINED: usize = 2;
/// Rows of a table of waves.
const MOST_WAVES: usize = 8;
/// From nothing to the largest.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Writes the report, at most `width` columns wide.
pub fn text(report: &StormsReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    head(report, &mut page)?;
    for (place, storm) in report.findings.iter().enumerate() {
        one(storm, &mut page)?;
        if place < EXPLAINED {
            storms_remedy::text(storm, &mut page)?;
        } else if let Some(remedy) = &storm.remedy {
            page.fact("remedy", page.styles.heading, &page.clean(&remedy.text))?;
        }
        next(storm, place >= EXPLAINED, &mut page)?;
    }
    if report.left_out > 0 {
        let text = format!("… and {}; --limit shows more", counted(report.left_out, "more storm"));
        writeln!(page.out, "\n{}", paint(page.styles.dim, text))?;
    }
    others(report, &mut page)
}

fn head(report: &StormsReport, page: &mut Page<'_>) -> io::Result<()> {
    let found = report.findings.len() as u64 + report.left_out;
    let executions = counted(report.coverage.executions, "execution");
    let jittered = report.findings.iter().any(|storm| storm.jittered);
    let what = match (found, jittered) {
        (0, _) => "No retry storm".to_owned(),
        (count, false) => counted(count, "retry storm"),
        (count, true) => format!("{}, those with jitter among them", counted(count, "retry storm")),
    };
    let span =
        report.coverage.first_start.zip(report.coverage.last_event).map_or_else(String::new, |(from, to)| format!(", {}", span(from, to)));
    page.paragraph_at_edge(page.styles.heading, &format!("{what} in {executions}{span}"))?;
    if found == 0 {
        let looked = report.looked_at;
        let text = format!(
            "looked at {} of {} in {}; fewer than five executions are no storm",
            counted(looked.retries, "retry").replace("retrys", "retries"),
            counted(looked.attempts, "attempt"),
            counted(looked.states, "state"),
        );
        page.paragraph_at_edge(page.styles.dim, &text)?;
    }
    Ok(())
}

/// `2026-02-04 07:13 to 09:13 UTC`.
fn span(from: Micros, to: Micros) -> String {
    let (from, to) = (from.timestamp(), to.timestamp());
    let same_day = from.strftime("%F").to_string() == to.strftime("%F").to_string();
    format!("{} to {} UTC", from.strftime("%F %H:%M"), to.strftime(if same_day { "%H:%M" } else { "%F %H:%M" }))
}

fn one(storm: &Storm, page: &mut Page<'_>) -> io::Result<()> {
    let evidence = &storm.evidence;
    let style = if storm.common.severity == Severity::Critical { page.styles.failure } else { page.styles.caught };
    writeln!(page.out)?;
    let title = format!("{}: {}", storm.common.severity.name().to_uppercase(), page.clean(&storm.common.summary));
    page.paragraph_at_edge(style, &title)?;
    let day = storm.from.timestamp().strftime("%F");
    let confidence = storm.common.confidence.name();
    let when = format!("{day} {} to {} UTC, {confidence}", second(storm.from), second(storm.to));
    page.fact("when", page.styles.dim, &when)?;
    waves(evidence, page)?;
    if storm.remedy.as_ref().is_none_or(|remedy| remedy.load.is_none()) {
        bar(&evidence.timeline, page)?;
    }
    page.fact("why", page.styles.state, &why(evidence))?;
    page.fact("load", page.styles.state, &load(evidence))?;
    if evidence.sustained_itself {
        page.detail(
            page.styles.caught,
            "some calls were answered while others were refused, and fewer new ones came than before: the retries kept it going",
        )?;
    }
    let errors: Vec<String> = evidence
        .errors
        .iter()
        .map(|one| format!("{} {}", page.clean(one.error.as_deref().unwrap_or("no name")), thousands(one.count)))
        .collect();
    page.fact("errors", page.styles.failure, &errors.join(", "))?;
    page.fact("cost", page.styles.state, &cost(evidence))
}

/// `14:03:12`.
fn second(moment: Micros) -> String {
    moment.timestamp().strftime("%H:%M:%S").to_string()
}

#[allow(clippy::cast_possible_truncation, reason = "to be shown")]
fn length(milliseconds: f64) -> String {
    duration(milliseconds.round() as i64)
}

fn waves(evidence: &StormEvidence, page: &mut Page<'_>) -> io::Result<()> {
    if evidence.waves.is_empty() {
        return Ok(());
    }
    let head = format!("{:<10}{:<9}{:>6}{:>12}{:>9}{:>8}{:>14}", "", "wave", "retry", "executions", "within", "usual", "failed again");
    writeln!(page.out, "{}", paint(page.styles.dim, fit(&head, page.width)))?;
    for wave in evidence.waves.iter().take(MOST_WAVES) {
        writeln!(page.out, "{}", fit(&row(wave), page.width))?;
    }
    if evidence.waves.len() > MOST_WAVES {
        let text = format!("… {} waves; --output json has them all", evidence.waves.len());
        writeln!(page.out, "{:LABEL$}{}", "", paint(page.styles.dim, text))?;
    }
    Ok(())
}

/// A wave; what is usual is for the window that speaks most against chance.
fn row(wave: &WaveEvidence) -> String {
    let usual = if wave.expected < 0.05 { "<0.1".to_owned() } else { format!("{:.1}", wave.expected) };
    let again = format!("{} of {}", wave.failed_again, wave.retries);
    format!("{:<10}{:<9}{:>6}{:>12}{:>9}{usual:>8}{again:>14}", "", second(wave.at), wave.retry, wave.executions, length(wave.span_ms))
}

/// Calls over time, a bar for each bin, or for as many of them as it takes to fit.
fn bar(timeline: &Timeline, page: &mut Page<'_>) -> io::Result<()> {
    let calls: Vec<u64> = timeline.first_calls.iter().zip(&timeline.retries).map(|(first, retries)| first + retries).collect();
    let room = page.width.saturating_sub(LABEL).max(1);
    let per_bar = calls.len().div_ceil(room).max(1);
    let bars: Vec<u64> = calls.chunks(per_bar).map(|part| part.iter().copied().max().unwrap_or(0)).collect();
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    let eighth = |count: u64| match count {
        0 => ' ',
        count => EIGHTHS[usize::try_from((count * 8).div_ceil(most) - 1).unwrap_or(7).min(7)],
    };
    let text: String = bars.into_iter().map(eighth).collect();
    let label = paint(page.styles.dim, format!("{:<LABEL$}", "calls"));
    writeln!(page.out, "{label}{}", paint(page.styles.open, text))?;
    #[allow(clippy::cast_precision_loss, reason = "bins of a storm")]
    let width = length(timeline.bin_ms * per_bar as f64);
    page.detail(page.styles.dim, &format!("one bar is {width}, from {}; the highest is {}", second(timeline.start), counted(most, "call")))
}

/// What says that it is a storm, or what else.
fn why(evidence: &StormEvidence) -> String {
    let waits = &evidence.waits;
    let spread = waits.spread.map_or_else(
        || "too few waits to compare".to_owned(),
        |spread| format!("their spread is {spread:.3} (none: under {}, full jitter: about 1.6)", waits.cut),
    );
    match evidence.pattern {
        Pattern::Lockstep => format!("waits before the same retry are the same: {spread}"),
        Pattern::Jittered => format!("waits before the same retry differ as full jitter makes them: {spread}"),
        Pattern::OneByOne => format!("waits are the same ({spread}), but calls failed one after another"),
        Pattern::Unclear => format!("neither clearly with jitter nor without: {spread}"),
    }
}

fn load(evidence: &StormEvidence) -> String {
    let load = &evidence.load;
    let mut text = String::new();
    if let Some(amplification) = load.amplification {
        let _ = write!(text, "{amplification:.1} calls for each first one");
        if let Some(usual) = load.usual_amplification {
            let _ = write!(text, ", {usual:.1} in the hour before");
        }
        text.push_str("; ");
    }
    let _ = write!(
        text,
        "{} in one second, {:.1} a second on average; {:.0} % were retries",
        load.peak_per_second,
        load.mean_per_second,
        load.retry_share * 100.0
    );
    text
}

fn cost(evidence: &StormEvidence) -> String {
    let mut text = format!("{} of waits and failed calls", length(evidence.lost_ms));
    if let Some(usd) = evidence.retries_usd {
        let _ = write!(text, ", {} for {} retries", usd.shown(), thousands(evidence.retries));
    }
    if let Some(failing) = evidence.failing_ms {
        let _ = write!(text, "; calls failed for {}", length(failing));
    }
    let all = evidence.cohort + evidence.late;
    match (evidence.failed_executions, evidence.running_executions) {
        (0, 0) => text.push_str("; all executions got through"),
        (failed, 0) => {
            let _ = write!(text, "; {} of {} executions failed", thousands(failed), thousands(all));
        }
        (failed, running) => {
            let _ = write!(text, "; {} of {} executions failed, {} still run", thousands(failed), thousands(all), thousands(running));
        }
    }
    text
}

fn next(storm: &Storm, more: bool, page: &mut Page<'_>) -> io::Result<()> {
    let (dim, command) = (page.styles.dim, page.styles.command);
    for (place, next) in storm.common.next.iter().enumerate() {
        if place == 0 {
            page.fact("next", dim, &next.text)?;
        } else {
            page.detail(dim, &next.text)?;
        }
        let line = page.clean(&next.command);
        page.copyable(LABEL, command, &line)?;
    }
    if more {
        page.detail(dim, "--state with its name shows all that is known of the change")?;
    }
    Ok(())
}

/// What retried together and is no storm.
fn others(report: &StormsReport, page: &mut Page<'_>) -> io::Result<()> {
    if report.others.is_empty() {
        return Ok(());
    }
    page.heading("Many retries, but no lockstep")?;
    for other in &report.others {
        let day = other.from.timestamp().strftime("%F").to_string();
        page.item(page.styles.dim, &format!("{day} {}", page.clean(&other.common.summary)))?;
    }
    if report.others.iter().any(|other| other.jittered) {
        page.paragraph(page.styles.dim, "--jittered shows those that were spread by jitter at length")?;
    }
    Ok(())
}
