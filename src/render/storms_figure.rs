//! The figure of storms: retries as they were, and simulated before and after the change.

use super::columns::counted;
use super::plot::{Axis, Band, Chart, Column, Columns, Figure, Hue, Panel, Series, Unit};
use crate::analysis::storms::remedy::{Curve, Load};
use crate::analysis::storms::{Storm, StormsReport};
use crate::model::{Micros, machine_name};

/// More storms in one figure are no picture.
const MOST: usize = 3;

/// The figure of a report; `None` where no storm has a load to draw.
///
/// Texts are as they were read; `clean` masks and escapes them.
pub fn figure(report: &StormsReport, clean: &dyn Fn(&str) -> String) -> Option<Figure> {
    let storms: Vec<(&Storm, &Load)> =
        report.findings.iter().filter_map(|storm| Some((storm, storm.remedy.as_ref()?.load.as_ref()?))).collect();
    let (first, _) = storms.first()?;
    let several = storms.len() > 1;
    let title = if several { "Retry storms".to_owned() } else { format!("Retry storm in {}", clean(&place(first))) };
    let drawn = storms.iter().take(MOST);
    let panels = drawn.flat_map(|(storm, load)| panels(storm, load, several.then(|| clean(&place(storm))).as_deref()));
    let mut notes = vec![
        "Retries in each second; first calls are not among them: no Retry changes those. Shaded: while calls failed.".to_owned(),
        "Simulated: first failures, errors, outage and the time that failing calls take are as they were seen; shown is the run with \
         the median peak."
            .to_owned(),
    ];
    if storms.len() > MOST {
        notes.push(format!("{} found no room; --state-machine picks one machine.", counted((storms.len() - MOST) as u64, "more storm")));
    }
    Some(Figure { title, subtitle: subtitle(report), panels: panels.collect(), notes })
}

fn place(storm: &Storm) -> String {
    let machine = storm.state_machine.as_deref();
    let name = machine.map(machine_name);
    name.map_or_else(|| storm.state.clone(), |name| format!("{name} / {}", storm.state))
}

fn subtitle(report: &StormsReport) -> String {
    let time = |moment: Micros| moment.timestamp().strftime("%F %H:%M:%S").to_string();
    let from = report.findings.iter().map(|storm| storm.from).min();
    let to = report.findings.iter().map(|storm| storm.to).max();
    let window = from.zip(to).map(|(from, to)| format!(", {} to {} UTC", time(from), time(to))).unwrap_or_default();
    let executions: usize = report.findings.iter().map(|storm| storm.executions.len()).sum();
    counted(executions as u64, "execution") + &window
}

fn panels(storm: &Storm, load: &Load, name: Option<&str>) -> Vec<Panel> {
    let curves = [
        ("As it was", Hue::Grey, Some(&load.observed)),
        ("Simulated with the policy that was in force", Hue::Vermilion, Some(&load.before)),
        (after(storm), Hue::Blue, load.after.as_ref()),
    ];
    let highest = curves.iter().filter_map(|(_, _, curve)| *curve).flat_map(|curve| &curve.curve).copied().fold(1.0, f64::max);
    let first = name.map_or_else(String::new, |name| format!("{name}: "));
    let named = curves.into_iter().filter_map(|(title, hue, curve)| Some((title, hue, curve?)));
    named.enumerate().map(|(at, (title, hue, curve))| panel(load, curve, (&first, title, hue), highest, at == 0)).collect()
}

fn after(storm: &Storm) -> &'static str {
    match storm.remedy.as_ref().map(|remedy| remedy.patch.is_empty()) {
        Some(false) => "Simulated with the change",
        _ => "Simulated with what is on file, or should be",
    }
}

#[allow(clippy::cast_precision_loss, reason = "places of columns")]
fn panel(load: &Load, curve: &Curve, (first, title, hue): (&str, &str, Hue), highest: f64, labelled: bool) -> Panel {
    let bin = load.bin_ms as f64 * 1000.0;
    let from = load.from.0 as f64;
    let column =
        |(at, value): (usize, &f64)| Column { from: from + at as f64 * bin, to: from + (at + 1) as f64 * bin, values: vec![*value] };
    let until = load.outage.until.map_or(f64::INFINITY, |until| until.0 as f64);
    let label = if labelled { format!("{:.0} % of calls failed", load.outage.failed_share * 100.0) } else { String::new() };
    let given_up = match curve.given_up.round() {
        0.0 => String::new(),
        count => format!(", {count} given up"),
    };
    Panel {
        title: format!("{first}{title}: at most {} retries in one second{given_up}", curve.peak_per_second.round()),
        chart: Chart::Columns(Columns {
            x: Axis::linear("", Unit::Moment),
            y: Axis::linear("retries a second", Unit::Count).reaching(highest),
            series: vec![Series::colored("retries", hue)],
            columns: curve.curve.iter().enumerate().map(column).collect(),
            marks: Vec::new(),
            bands: vec![Band { from: load.outage.from.0 as f64, to: until, label }],
        }),
    }
}
