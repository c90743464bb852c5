//! The plots of `cost`: what states cost, and what days do.

use rust_decimal::prelude::ToPrimitive;

use crate::analysis::cost::{Charge, CostReport, PeriodLength};
use crate::model::{Timestamp, Usd};
use crate::render::plot::{Axis, Chart, Column, Columns, Figure, Hue, Panel, Row, RowStyle, Rows, Series, Unit};
use crate::render::redact::Redactor;

/// More rows are no picture.
const MOST_STATES: usize = 24;

/// Cost per state, and per day or hour.
pub fn figure(report: &CostReport, redactor: &Redactor) -> Figure {
    let mut panels = vec![states(report, *redactor)];
    // One column tells nothing that the title does not.
    if report.periods.len() > 1 {
        panels.push(periods(report));
    }
    let executions = report.coverage.executions;
    let when = report.window.map(|window| {
        let form = |moment: Timestamp| moment.strftime("%b %-d %H:%M").to_string();
        format!(", started {} to {} UTC", form(window.from.timestamp()), form(window.to.timestamp()))
    });
    let names: Vec<&str> = report.machines.iter().filter_map(|machine| machine.name.as_deref()).collect();
    let title = match names.as_slice() {
        [one] => format!("What {one} costs"),
        _ => format!("What {} state machines cost", report.machines.len()),
    };
    let month = report.rate.map(|rate| format!("; {} in 30 days at this rate", rate.per_month_usd.shown()));
    Figure {
        title: redactor.apply(&title).into_owned(),
        subtitle: format!(
            "{} for {executions} execution{}{}{}",
            report.total.cost_usd.shown(),
            if executions == 1 { "" } else { "s" },
            when.unwrap_or_default(),
            month.unwrap_or_default()
        ),
        panels,
        notes: vec![format!(
            "{} in USD, table of {}; not included: {}. Free transitions are not taken off.",
            if report.basis.file.is_some() { "Own and list prices" } else { "List prices" },
            report.basis.compiled,
            report.basis.not_included.join(", ")
        )],
    }
}

fn series() -> Vec<Series> {
    vec![
        Series::colored("first attempts", Hue::Blue),
        Series::colored("retries", Hue::Vermilion),
        Series::colored("polling", Hue::Orange),
        Series::colored("redrives", Hue::Purple),
    ]
}

/// The parts of an amount, in the order of the series.
fn parts(charge: &Charge) -> [f64; 4] {
    let dear = |amount: Usd| amount.0.to_f64().unwrap_or(0.0);
    let rest = charge.cost_usd - charge.retries_usd - charge.polling_usd - charge.redriven_usd;
    [rest, charge.retries_usd, charge.polling_usd, charge.redriven_usd].map(dear)
}

/// The series that have something to show; the first always is.
fn kept(charges: &[&Charge]) -> Vec<usize> {
    (0..4).filter(|series| *series == 0 || charges.iter().any(|charge| parts(charge)[*series] > 0.0)).collect()
}

fn states(report: &CostReport, redactor: Redactor) -> Panel {
    let several = report.machines.len() > 1;
    let mut all = Vec::new();
    for machine in &report.machines {
        for state in machine.states.iter().filter(|state| !state.charge.cost_usd.is_zero()) {
            let name = if state.state.is_empty() { "(not told)" } else { &state.state };
            let label = match machine.name.as_deref().filter(|_| several) {
                Some(machine) => format!("{machine} / {name}"),
                None => name.to_owned(),
            };
            all.push((redactor.apply(&label).into_owned(), &state.charge));
        }
    }
    all.sort_by(|one, other| other.1.cost_usd.cmp(&one.1.cost_usd).then_with(|| one.0.cmp(&other.0)));
    let charges: Vec<&Charge> = all.iter().map(|(_, charge)| *charge).collect();
    let kept = kept(&charges);
    let places = Usd::places(charges.iter().take(MOST_STATES).map(|charge| charge.cost_usd));
    let left_out = all.len().saturating_sub(MOST_STATES);
    let rows = all
        .into_iter()
        .take(MOST_STATES)
        .map(|(label, charge)| Row {
            label,
            values: kept.iter().map(|series| Some(parts(charge)[*series])).collect(),
            note: charge.cost_usd.fixed(places),
        })
        .collect();
    let names = series();
    let title =
        if left_out > 0 { format!("By state: the dearest {MOST_STATES}, without {left_out} others") } else { "By state".to_owned() };
    let chart = Rows {
        axis: Axis::linear("", Unit::Dollars),
        series: kept.into_iter().map(|series| names[series].clone()).collect(),
        style: RowStyle::Stacked,
        rows,
    };
    Panel { title, chart: Chart::Rows(chart) }
}

fn periods(report: &CostReport) -> Panel {
    let charges: Vec<&Charge> = report.periods.iter().map(|period| &period.charge).collect();
    let kept = kept(&charges);
    let (word, micros) = match report.period {
        PeriodLength::Day => ("day", 86_400e6),
        PeriodLength::Hour => ("hour", 3600e6),
    };
    #[allow(clippy::cast_precision_loss, reason = "microseconds are exact in f64 for 285 years")]
    let columns = report
        .periods
        .iter()
        .map(|period| {
            let from = period.start.0 as f64;
            Column { from, to: from + micros, values: kept.iter().map(|series| parts(&period.charge)[*series]).collect() }
        })
        .collect();
    let names = series();
    let chart = Columns {
        x: Axis::linear("", Unit::Moment),
        y: Axis::linear(
            &format!("USD in a{} {word}, by the start of executions, UTC", if word == "hour" { "n" } else { "" }),
            Unit::Dollars,
        ),
        series: kept.into_iter().map(|series| names[series].clone()).collect(),
        columns,
        marks: Vec::new(),
        bands: Vec::new(),
    };
    Panel { title: format!("By {word}"), chart: Chart::Columns(chart) }
}
