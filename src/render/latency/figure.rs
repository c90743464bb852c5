//! The figure: percentiles of the states, and of one of them a histogram and percentiles over time.

use super::machine_name;
use crate::analysis::latency::{Compared, LatencyReport, Picture, StateMarks};
use crate::model::Micros;
use crate::render::columns::counted;
use crate::render::plot::{
    Axis, Chart, Column, Columns, Figure, Hue, Line, LineShape, Lines, Mark, Panel, Row, RowStyle, Rows, Series, Unit,
};

/// The figure of a report that was made with a picture; `None` where no visit was exited.
///
/// Texts are as they were read; `clean` masks and escapes them.
pub fn figure(report: &LatencyReport, clean: &dyn Fn(&str) -> String) -> Option<Figure> {
    let picture = report.picture.as_ref()?;
    let several = picture.states.iter().any(|state| state.state_machine != picture.subject.state_machine);
    let name = |state: &StateMarks| {
        let machine = if several { format!("{} / ", machine_name(state.state_machine.as_deref())) } else { String::new() };
        clean(&(machine + state_name(state)))
    };
    let subject = name(&picture.subject);
    let title = if several {
        "How long states take".to_owned()
    } else {
        clean(&format!("How long the states of {} take", machine_name(picture.subject.state_machine.as_deref())))
    };
    let coverage = &report.coverage;
    let span = coverage.first_start.zip(coverage.last_event);
    let day = |moment: Micros| moment.timestamp().strftime("%F %H:%M").to_string();
    let subtitle = span.map(|(first, last)| format!(", {} to {} UTC", day(first), day(last))).unwrap_or_default();
    Some(Figure {
        title,
        subtitle: counted(coverage.executions, "execution") + &subtitle,
        panels: vec![percentiles(picture, &name), histogram(picture, &subject), over_time(picture, &subject, report.compared)],
        notes: notes(report, picture),
    })
}

fn state_name(state: &StateMarks) -> &str {
    if state.state.is_empty() { "(not named)" } else { &state.state }
}

fn percentiles(picture: &Picture, name: &dyn Fn(&StateMarks) -> String) -> Panel {
    let rows = picture.states.iter().map(|state| Row {
        label: name(state),
        values: state.percentiles_ms.to_vec(),
        note: counted(state.finished, "visit"),
    });
    let series = ["p50", "p90", "p95", "p99"].map(Series::new).to_vec();
    let axis = Axis::logarithmic("from entered to exited, logarithmic", Unit::Milliseconds);
    Panel {
        title: "Percentiles of each state, those with most of the critical path first".to_owned(),
        chart: Chart::Rows(Rows { axis, series, style: RowStyle::Marks, rows: rows.collect() }),
    }
}

#[allow(clippy::cast_precision_loss, reason = "heights of columns")]
fn histogram(picture: &Picture, subject: &str) -> Panel {
    let columns = picture.histogram.iter().map(|bin| Column { from: bin.from_ms, to: bin.to_ms, values: vec![bin.visits as f64] });
    let [p50, _, p95, p99] = picture.subject.percentiles_ms;
    let marks = [(p50, "p50"), (p95, "p95"), (p99, "p99")];
    let marks = marks.into_iter().filter_map(|(x, label)| Some(Mark { x: x.filter(|x| *x > 0.0)?, label: label.to_owned() }));
    Panel {
        title: format!("Durations of {subject}"),
        chart: Chart::Columns(Columns {
            x: Axis::logarithmic("from entered to exited, logarithmic", Unit::Milliseconds),
            y: Axis::linear("visits", Unit::Count),
            series: vec![Series::colored("visits", Hue::Blue)],
            columns: columns.collect(),
            marks: marks.collect(),
            bands: Vec::new(),
        }),
    }
}

#[allow(clippy::cast_precision_loss, reason = "places of points")]
fn over_time(picture: &Picture, subject: &str, compared: Option<Compared>) -> Panel {
    let middle = |from: Micros| from.0 as f64 + picture.slot_ms * 500.0;
    let line = |position: usize, name: &str, hue: Hue| Line {
        series: Series::colored(name, hue),
        points: picture.over_time.iter().map(|slot| (middle(slot.from), slot.percentiles_ms[position])).collect(),
        shape: LineShape::Straight,
    };
    let after = if compared == Some(Compared::WindowBefore) { "slower from here on" } else { "later half: slower" };
    let marks = picture.changed_at.map(|moment| Mark { x: moment.0 as f64, label: after.to_owned() });

    Panel {
        title: format!("Percentiles of {subject} over time"),
        chart: Chart::Lines(Lines {
            x: Axis::linear("when visits were entered, UTC", Unit::Moment),
            y: Axis::logarithmic("from entered to exited, logarithmic", Unit::Milliseconds),
            lines: vec![line(0, "p50", Hue::Blue), line(1, "p95", Hue::Orange), line(2, "p99", Hue::Vermilion)],
            marks: marks.into_iter().collect(),
        }),
    }
}

fn notes(report: &LatencyReport, picture: &Picture) -> Vec<String> {
    let unfinished: u64 = report.states.iter().filter(|row| row.state_type != Some("Fail")).map(|row| row.unfinished).sum();
    let mut notes = vec!["Exact quantiles of visits that were exited, by linear interpolation (type 7).".to_owned()];
    if unfinished > 0 {
        let verb = if unfinished == 1 { "was" } else { "were" };
        notes.push(format!("{} {verb} not exited (failed, aborted or open) and are not shown.", counted(unfinished, "visit")));
    }
    if picture.states_left_out > 0 {
        notes.push(format!("{} with less of the critical path found no room.", counted(picture.states_left_out as u64, "state")));
    }
    notes
}
