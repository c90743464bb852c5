//! What makes a storm actionable, as text: the policy, the change, the load with and without it, and what else it has to do with.

use std::io;

use serde_json::Value;

use super::page::{LABEL, Page, wrapped};
use super::styles::paint;
use crate::analysis::retry_policy::Retrier;
use crate::analysis::storms::nested::Nested;
use crate::analysis::storms::remedy::{Curve, Load, PolicyCompared, Remedy, Verdict};
use crate::analysis::storms::resources::SharedResource;
use crate::analysis::storms::{Spread, Storm};
use crate::model::machine_name;

/// Columns of a curve.
const CURVE: usize = 50;
/// From nothing to the largest.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Writes what is known of one storm beside its evidence; nothing where nothing is.
pub(super) fn text(storm: &Storm, page: &mut Page<'_>) -> io::Result<()> {
    if let Some(policy) = &storm.policy {
        compared(policy, page)?;
    }
    if let Some(nested) = &storm.nested {
        multiplied(nested, page)?;
    }
    if let Some(shared) = &storm.shared_resource {
        together(shared, storm, page)?;
    }
    if let Some(remedy) = &storm.remedy {
        change(remedy, page)?;
        if let Some(load) = &remedy.load {
            curves(load, page)?;
        }
    }
    Ok(())
}

fn compared(policy: &PolicyCompared, page: &mut Page<'_>) -> io::Result<()> {
    let seen = &policy.seen;
    let first = seen.interval_ms.map_or_else(|| "waits".to_owned(), |ms| format!("first wait {}", seconds(ms / 1000.0)));
    let rate = seen.backoff_rate.map_or_else(String::new, |rate| format!(", times {rate} each"));
    let longest = seen.max_delay_ms.map_or_else(String::new, |ms| format!(", at most {}", seconds(ms / 1000.0)));
    let spread = match seen.spread {
        Spread::None => "no jitter",
        Spread::Full => "full jitter",
        Spread::Unclear => "jitter unclear",
    };
    if let Some(declared) = &policy.declared {
        page.fact("declared", page.styles.state, &policy_text(&declared.retrier))?;
    }
    page.fact("seen", page.styles.state, &format!("{first}{rate}{longest}, up to {}, {spread}", retries(seen.max_attempts)))?;
    for disagreement in &policy.disagreements {
        page.detail(page.styles.caught, &disagreement.text)?;
    }
    if let Some(on_file) = &policy.on_file {
        page.fact("on file", page.styles.dim, &policy_text(&on_file.retrier))?;
    }
    Ok(())
}

fn policy_text(retrier: &Retrier) -> String {
    let longest = retrier.max_delay_seconds.map_or_else(String::new, |longest| format!(", at most {}", seconds(longest)));
    let jitter = if retrier.full_jitter { "full jitter" } else { "no jitter" };
    let first = seconds(retrier.interval_seconds);
    format!("first wait {first}, times {} each{longest}, up to {}, {jitter}", retrier.backoff_rate, retries(retrier.max_attempts))
}

fn retries(count: u64) -> String {
    if count == 1 { "1 retry".to_owned() } else { format!("{count} retries") }
}

fn seconds(seconds: f64) -> String {
    format!("{} s", (seconds * 10.0).round() / 10.0)
}

fn multiplied(nested: &Nested, page: &mut Page<'_>) -> io::Result<()> {
    let factors: Vec<String> = nested.levels.iter().map(|level| format!("{} {}", page.clean(&level.state), level.factor)).collect();
    let observed = nested.observed_mean.zip(nested.observed_max).map(|(mean, most)| {
        let visits = if nested.visits == 1 { "1 visit".to_owned() } else { format!("{} visits", nested.visits) };
        format!("; seen: {mean:.1} on average, {most} at most, over {visits}")
    });
    let text = format!(
        "retries multiply from the inside out: {} = {} calls at worst{}",
        factors.join(" x "),
        nested.worst_case,
        observed.unwrap_or_default()
    );
    page.fact("nested", page.styles.caught, &text)?;
    let Some(innermost) = nested.levels.first() else { return Ok(()) };
    let advice = if nested.level == 0 {
        "this is the innermost: calm it first, and retry an error at one level only".to_owned()
    } else {
        format!("{} is the innermost: calm it first, and retry an error at one level only", page.clean(&innermost.state))
    };
    page.detail(page.styles.dim, &advice)
}

fn together(shared: &SharedResource, storm: &Storm, page: &mut Page<'_>) -> io::Result<()> {
    let place = |machine: Option<&str>, state: &str| {
        let machine = machine.map(machine_name);
        machine.map_or_else(|| state.to_owned(), |machine| format!("{machine} / {state}"))
    };
    let others = shared.storms.iter().filter(|other| (&other.state_machine, &other.state) != (&storm.state_machine, &storm.state));
    let others: Vec<String> = others.map(|other| page.clean(&place(other.state_machine.as_deref(), &other.state))).collect();
    let resource = page.clean(&shared.resource);
    let text = format!("{resource}, called by {} as well: {} retries in one second in all", others.join(", "), shared.peak_per_second);
    page.fact("calls", page.styles.caught, &text)?;
    let Some(trigger) = shared.storms.get(shared.trigger) else { return Ok(()) };
    let first = page.clean(&place(trigger.state_machine.as_deref(), &trigger.state));
    page.detail(page.styles.dim, &format!("one incident; {first} was first"))
}

fn change(remedy: &Remedy, page: &mut Page<'_>) -> io::Result<()> {
    let style = if remedy.verdict == Verdict::ChangedSince { page.styles.ok } else { page.styles.state };
    let text = page.clean(&remedy.text);
    page.fact("remedy", style, &text)?;
    for reason in &remedy.reasons {
        page.detail(page.styles.dim, &format!("{}: {}", reason.field, reason.text))?;
    }
    let title = match (&remedy.pointer, remedy.verdict) {
        (Some(pointer), _) => page.clean(pointer),
        (None, _) => "Retry".to_owned(),
    };
    block("to be", &title, &remedy.after, page)?;
    if let Some(instead) = &remedy.instead_of_loop {
        let way: Vec<String> = instead.states.iter().map(|state| page.clean(state)).collect();
        block("better", &format!("a Retry in place of the loop {}", way.join(" > ")), &instead.retry, page)?;
    }
    if !remedy.patch.is_empty() {
        page.detail(page.styles.dim, "--output json has it as a JSON Patch (RFC 6902): remedy.patch")?;
    }
    Ok(())
}

/// JSON with each member on a line, lists of names wrapped.
fn block(label: &str, title: &str, value: &Value, page: &mut Page<'_>) -> io::Result<()> {
    if value.is_null() {
        return Ok(());
    }
    page.fact(label, page.styles.dim, title)?;
    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let is_list = value.is_array();
    for (position, value) in values.iter().enumerate() {
        let opening = if is_list && position == 0 { "[{" } else { " {" };
        let closing = match (is_list, position + 1 == values.len()) {
            (true, true) => " }]",
            (true, false) => " },",
            (false, _) => " }",
        };
        page.copyable(LABEL, page.styles.command, opening)?;
        let members: Vec<(&String, &Value)> = value.as_object().into_iter().flatten().collect();
        for (at, (name, value)) in members.iter().enumerate() {
            let comma = if at + 1 == members.len() { "" } else { "," };
            let names = value.as_array().map(|names| names.iter().map(Value::to_string).collect::<Vec<_>>().join(", "));
            let value = names.map_or_else(|| value.to_string(), |names| format!("[{names}]"));
            let line = page.clean(&format!("{}: {value}{comma}", Value::from(name.as_str())));
            for (part, text) in wrapped(&line, page.width.saturating_sub(LABEL + 6)).into_iter().enumerate() {
                page.copyable(LABEL + if part == 0 { 2 } else { 6 }, page.styles.command, &text)?;
            }
        }
        page.copyable(LABEL, page.styles.command, closing)?;
    }
    Ok(())
}

/// The curves below each other on one scale, and when calls failed.
fn curves(load: &Load, page: &mut Page<'_>) -> io::Result<()> {
    let rows = [("seen", Some(&load.observed)), ("before", Some(&load.before)), ("after", load.after.as_ref())];
    let highest = rows.iter().filter_map(|(_, curve)| *curve).flat_map(|curve| &curve.curve).copied().fold(0.0, f64::max);
    let bins = rows.iter().filter_map(|(_, curve)| *curve).map(|curve| curve.curve.len()).max().unwrap_or(0);
    let room = CURVE.min(page.width.saturating_sub(LABEL + 18)).max(10);
    let step = bins.div_ceil(room).max(1);
    #[allow(clippy::cast_precision_loss, reason = "widths of bins")]
    let width = seconds(load.bin_ms as f64 * step as f64 / 1000.0);
    let title = format!("retries a second, {width} a column; before and after are simulated, {} runs each", load.runs);
    page.fact("curves", page.styles.dim, &title)?;
    for (label, curve) in rows {
        let Some(curve) = curve else { continue };
        let style = match label {
            "after" => page.styles.ok,
            "before" => page.styles.failure,
            _ => page.styles.caught,
        };
        let drawn = sparkline(&curve.curve, step, highest);
        let columns = bins.div_ceil(step);
        let label = paint(page.styles.dim, format!("{label:<LABEL$}"));
        writeln!(page.out, "{label}{}  peak {}", paint(style, format!("{drawn:<columns$}")), peak(curve))?;
    }
    down(load, bins, step, page)
}

fn peak(curve: &Curve) -> String {
    format!("{}", curve.peak_per_second.round())
}

/// The largest of every `step` values as one character; nothing for nothing.
fn sparkline(values: &[f64], step: usize, highest: f64) -> String {
    let drawn = values.chunks(step.max(1)).map(|part| {
        let value = part.iter().copied().fold(0.0, f64::max);
        if value <= 0.0 || highest <= 0.0 {
            return ' ';
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8")]
        let eighth = (value / highest * 8.0).ceil() as usize;
        EIGHTHS[eighth.clamp(1, 8) - 1]
    });
    drawn.collect::<String>().trim_end().to_owned()
}

fn down(load: &Load, bins: usize, step: usize, page: &mut Page<'_>) -> io::Result<()> {
    #[allow(clippy::cast_precision_loss, reason = "widths of bins")]
    let column_ms = load.bin_ms as f64 * step as f64;
    let columns = bins.div_ceil(step);
    let share = format!("{:.0} % failed", load.outage.failed_share * 100.0);
    let until = load.outage.until.map(|until| until.milliseconds_since(load.from) / column_ms);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "columns of a curve")]
    let marked = until.map_or(columns, |until| until.ceil().clamp(1.0, columns.max(1) as f64) as usize);
    let text = format!("{:<columns$}  {share}", "─".repeat(marked));
    page.copyable(0, page.styles.dim, &format!("{:<LABEL$}{text}", "down"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_keeps_peaks_when_columns_are_put_together() {
        assert_eq!(sparkline(&[0.0, 8.0, 0.0, 1.0, 0.0, 0.0], 1, 8.0), " █ ▁");
        assert_eq!(sparkline(&[0.0, 8.0, 0.0, 1.0, 0.0, 0.0], 2, 8.0), "█▁");
        assert_eq!(sparkline(&[0.0, 0.0], 1, 0.0), "");
    }
}
