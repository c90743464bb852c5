//! `compare` as text: a sentence and two bars for each finding.

use std::io::{self, Write};

use serde_json::Value;

use super::columns::width;
use super::page::Page;
use super::redact::Redactor;
use super::styles::{Styles, paint};
use crate::analysis::compare::{Companion, CompareReport, Comparison, Finding, Relation};
use crate::model::{Micros, StateMachineArn, thousands};

/// Columns of a bar for all executions of a side.
const BAR: usize = 24;

/// Writes the comparisons.
pub fn text(report: &CompareReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let page = &mut Page::new(styles, redactor, width, out);
    let (against, alone): (Vec<&Comparison>, Vec<&Comparison>) =
        report.comparisons.iter().partition(|comparison| comparison.b.executions > 0);
    for (position, comparison) in against.into_iter().enumerate() {
        if position > 0 {
            writeln!(page.out)?;
        }
        heading(comparison, page)?;
        for (number, finding) in (1..).zip(&comparison.findings) {
            writeln!(page.out)?;
            write_finding(number, finding, comparison, page)?;
        }
        summary(comparison, page)?;
    }
    if !alone.is_empty() {
        let told = |comparison: &&Comparison| format!("{} ({} {})", name(comparison, page), comparison.a.executions, comparison.a.name);
        let text = format!("Nothing to compare with: {}.", alone.iter().map(told).collect::<Vec<_>>().join(", "));
        writeln!(page.out)?;
        page.paragraph(page.styles.dim, &text)?;
    }
    if report.on_both_sides > 0 {
        let text = format!("{} would be on both sides and are on neither.", thousands(report.on_both_sides));
        page.paragraph(page.styles.dim, &text)?;
    }
    Ok(())
}

/// The name of the state machine, fit for a line.
fn name(comparison: &Comparison, page: &Page<'_>) -> String {
    let arn = comparison.state_machine.as_deref();
    let machine = arn.and_then(|arn| arn.parse::<StateMachineArn>().ok());
    page.clean(machine.as_ref().map_or(arn.unwrap_or("unknown state machine"), StateMachineArn::name))
}

fn heading(comparison: &Comparison, page: &mut Page<'_>) -> io::Result<()> {
    let name = name(comparison, page);
    let (a, b) = (&comparison.a, &comparison.b);
    let sides = format!("{} {} against {} {}", thousands(a.executions), a.name, thousands(b.executions), b.name);
    writeln!(page.out, "{}  {sides}", paint(page.styles.heading, name))?;
    let mut among = Vec::new();
    if !comparison.reached.is_empty() && b.not_reached > 0 {
        among.push(format!("reached {}", page.clean(&comparison.reached.join(" or "))));
    }
    if let Some(window) = comparison.window.filter(|_| b.outside_window > 0) {
        among.push(format!("started in the same time, {}", stretch(window.from, window.to)));
    }
    if !among.is_empty() {
        let text = format!("Compared with the {} {} that {}.", thousands(b.compared), b.name, among.join(" and "));
        page.paragraph(page.styles.dim, &text)?;
    }
    if a.not_sampled + b.not_sampled > 0 {
        let of = |side: &crate::analysis::compare::Side| thousands(side.executions - side.not_sampled);
        page.paragraph(page.styles.dim, &format!("Looked at {} {} and {} {}, drawn at random.", of(a), a.name, of(b), b.name))?;
    }
    failures(comparison, page)
}

/// The ways in which side A failed; each can be compared alone.
fn failures(comparison: &Comparison, page: &mut Page<'_>) -> io::Result<()> {
    for (position, failure) in comparison.failures.iter().enumerate() {
        let mut words = [failure.state.as_deref(), failure.error.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let child = failure.root_state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
        if let Some(child) = child {
            words.push_str(" of ");
            words.push_str(child.name());
        }
        let group = failure.group.as_deref().map(|group| format!("{}  ", page.clean(group))).unwrap_or_default();
        let label = if position == 0 { "Failed in" } else { "" };
        let text = format!("{label:<10}{:>5} x {group}{}", thousands(failure.executions), page.clean(&words));
        page.cut(2, page.styles.dim, &text)?;
    }
    Ok(())
}

fn write_finding(number: usize, finding: &Finding, comparison: &Comparison, page: &mut Page<'_>) -> io::Result<()> {
    let (a, b) = (&comparison.a.name, &comparison.b.name);
    let what = page.clean(&phrase(&finding.attribute, finding.relation, &finding.value));
    let sentence = format!(
        "{} of {} {a} {what}, {} of {} {b}",
        percent(finding.share_a, finding.a_count),
        thousands(finding.a_total),
        percent(finding.share_b, finding.b_count),
        thousands(finding.b_total),
    );
    for (position, line) in super::page::wrapped(&sentence, page.width - 4).into_iter().enumerate() {
        let label = if position == 0 { format!("{number:>2}") } else { String::new() };
        writeln!(page.out, "{label:<4}{}", paint(page.styles.state, line))?;
    }
    let room = width(a).max(width(b));
    let pad = |name: &str| format!("{name}{:1$}", "", room - width(name));
    let bars = [(a, finding.share_a, page.styles.failure), (b, finding.share_b, page.styles.ok)];
    for (side, share, style) in bars {
        let bar = bar(share);
        let evidence = if side == b { evidence(finding) } else { String::new() };
        let gap = if evidence.is_empty() { 0 } else { BAR + 1 - width(&bar) };
        writeln!(
            page.out,
            "    {} {}{:gap$}{}",
            paint(page.styles.dim, pad(side)),
            paint(style, bar),
            "",
            paint(page.styles.dim, evidence)
        )?;
    }
    companions("the same executions", &finding.same, comparison, page)?;
    companions("along with it", &finding.along, comparison, page)
}

fn companions(label: &str, companions: &[Companion], comparison: &Comparison, page: &mut Page<'_>) -> io::Result<()> {
    let words: Vec<String> = companions
        .iter()
        .map(|companion| {
            let what = page.clean(&phrase(&companion.attribute, companion.relation, &companion.value));
            match label {
                "along with it" => format!(
                    "{what} ({} {}, {} {})",
                    thousands(companion.a_count),
                    comparison.a.name,
                    thousands(companion.b_count),
                    comparison.b.name
                ),
                _ => what,
            }
        })
        .collect();
    if words.is_empty() {
        return Ok(());
    }
    page.under_item(page.styles.dim, &format!("{label}: {}", words.join("; ")))
}

fn summary(comparison: &Comparison, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let (tested, rare) = (comparison.tested, comparison.too_rare);
    let counted = |count: u64| format!("{} {}", thousands(count), if count == 1 { "value" } else { "values" });
    let rare = if rare > 0 { format!(", {} too rare to tell", thousands(rare)) } else { String::new() };
    let more = if comparison.more > 0 { format!(" {} more with --limit.", thousands(comparison.more)) } else { String::new() };
    let text = if tested + comparison.too_rare == 0 {
        "Nothing was tested.".to_owned()
    } else if comparison.findings.is_empty() {
        format!("Nothing sets them apart beyond chance: {} tested{rare}.", counted(tested))
    } else {
        format!("Associated, not shown to be the cause. {} tested{rare}; p is corrected for that.{more}", counted(tested))
    };
    page.paragraph(page.styles.dim, &text)?;
    if let Some(needed) = comparison.needed.filter(|_| comparison.findings.is_empty()) {
        let text = format!(
            "Too few to be told apart from chance: {} {} would be needed for something that all of them have and a fifth of the {} has.",
            thousands(needed),
            comparison.a.name,
            comparison.b.name
        );
        page.paragraph(page.styles.caught, &text)?;
    }
    for note in &comparison.notes {
        page.paragraph(page.styles.caught, &format!("Note: {note}."))?;
    }
    let ids: Vec<String> = comparison.not_tested.iter().map(|not| page.clean(&not.attribute)).collect();
    if !ids.is_empty() {
        page.paragraph(page.styles.dim, &format!("Not compared value by value: {}.", ids.join(", ")))?;
    }
    if comparison.failing && comparison.failures.len() > 1 {
        page.paragraph(page.styles.dim, "They failed in more than one way: --by-group compares each on its own, --group ID one.")?;
    }
    Ok(())
}

/// What side A does, as a part of a sentence.
fn phrase(attribute: &str, relation: Relation, value: &Value) -> String {
    let shown = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let call = attribute.split_once('(').and_then(|(what, rest)| Some((what, rest.strip_suffix(')')?)));
    let yes = *value != Value::Bool(false);
    match (call, relation) {
        (Some(("visited", state)), _) => format!("{} {state}", if yes { "visited" } else { "did not visit" }),
        (Some(("retried", state)), _) => format!("{} {state}", if yes { "retried" } else { "did not retry" }),
        (Some(("took", way)), _) => {
            let (choice, next) = way.split_once(", ").unwrap_or((way, ""));
            format!("{} from {choice} to {next}", if yes { "went" } else { "did not go" })
        }
        (Some(("visits", state)), Relation::Above) => format!("visited {state} more than {shown} times"),
        (Some(("visits", state)), _) => format!("visited {state} at most {shown} times"),
        (Some(("items", state)), Relation::Above) => format!("had more than {shown} items in {state}"),
        (Some(("items", state)), Relation::AtMost) => format!("had at most {shown} items in {state}"),
        (_, Relation::From) => format!("started at {} UTC or later", time(&shown)),
        (_, Relation::Before) => format!("started before {} UTC", time(&shown)),
        (_, Relation::Within) => {
            let (from, until) = shown.split_once('/').unwrap_or((&shown, ""));
            let ends = read(from).zip(read(until));
            format!("started from {}", ends.map_or_else(|| shown.clone(), |(from, until)| stretch(from, until)))
        }
        (_, Relation::Equal) if attribute == "hour" => format!("started in hour {shown} (UTC)"),
        (_, Relation::Equal) if attribute == "weekday" => format!("started on a {shown}"),
        (_, Relation::Equal) => format!("have {attribute} = {shown}"),
        (_, Relation::Contains) => format!("have {shown} in {attribute}"),
        (_, Relation::Above) => format!("have {attribute} > {shown}"),
        (_, Relation::AtMost) => format!("have {attribute} <= {shown}"),
        (_, Relation::HasType) => format!("have {attribute} as {shown}"),
        (_, Relation::HasOtherType) => format!("have {attribute} not as {shown}"),
        (_, Relation::Present) => format!("have {attribute}"),
        (_, Relation::Absent) => format!("have no {attribute}"),
    }
}

/// A moment of the report, to the minute.
fn time(text: &str) -> String {
    read(text).map_or_else(|| text.to_owned(), minute)
}

fn read(text: &str) -> Option<Micros> {
    text.parse::<crate::model::Timestamp>().ok().map(Micros::from)
}

fn minute(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M").to_string()
}

/// A stretch of time, with seconds where it is short, and without what its ends have in common.
fn stretch(from: Micros, to: Micros) -> String {
    const TEN_MINUTES: f64 = 600_000.0;
    let clock = if to.milliseconds_since(from) < TEN_MINUTES { "%H:%M:%S" } else { "%H:%M" };
    let written = |moment: Micros, format: &str| moment.timestamp().strftime(format).to_string();
    let day = |moment: Micros| written(moment, "%Y-%m-%d");
    let until = if day(from) == day(to) { written(to, clock) } else { format!("{} {}", day(to), written(to, clock)) };
    format!("{} {} to {until} UTC", day(from), written(from, clock))
}

fn evidence(finding: &Finding) -> String {
    let lift = match finding.lift {
        Some(lift) => format!("lift {} ({} to {})", short(lift), short(finding.lift_low), short(finding.lift_high)),
        None => format!("lift at least {}", short(finding.lift_low)),
    };
    format!("{lift}, p {}", probability(finding.p_corrected))
}

/// A number in a few digits.
fn short(number: f64) -> String {
    match number {
        number if number >= 100.0 => format!("{number:.0}"),
        number if number >= 1.0 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

fn probability(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("{p:.0e}") }
}

/// A share in whole percent; what is not none and not all is not shown as such.
fn percent(share: f64, count: u64) -> String {
    let percent = share * 100.0;
    match percent {
        percent if count == 0 || share >= 1.0 => format!("{percent:.0} %"),
        percent if percent < 1.0 => "under 1 %".to_owned(),
        percent if percent > 99.0 => "over 99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// A bar in eighths of a column.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share is from 0 to 1")]
    let eighths = (share.clamp(0.0, 1.0) * (BAR * 8) as f64).ceil() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}
