//! The figure: for the worst states, how many waits last longer than a time, and how old the open ones are.

use super::machine_name;
use crate::analysis::callbacks::{CallbacksReport, WaitClass};
use crate::render::columns::counted;
use crate::render::plot::{Axis, Chart, Figure, Hue, Line, LineShape, Lines, Mark, Panel, Series, Unit};

/// So many states are drawn.
const STATES: usize = 3;

/// The figure of a report; `None` where no wait was answered.
///
/// Texts are as they were read; `clean` masks and escapes them.
pub fn figure(report: &CallbacksReport, clean: &dyn Fn(&str) -> String) -> Option<Figure> {
    let drawn: Vec<&WaitClass> = report.classes.iter().filter(|class| !class.curve.is_empty()).take(STATES).collect();
    if drawn.is_empty() {
        return None;
    }
    let at = report.now.map(|now| format!(", as of {} UTC", now.timestamp().strftime("%F %H:%M"))).unwrap_or_default();
    Some(Figure {
        title: "How long waits for an answer take".to_owned(),
        subtitle: counted(report.coverage.executions, "execution") + &at,
        panels: drawn.into_iter().map(|class| panel(report, class, clean)).collect(),
        notes: vec![
            "Unanswered: Kaplan and Meier's estimate, open waits counted for as long as they lasted.".to_owned(),
            "Open: the share of open waits that are older. Open waits far to the right of the curve are those nobody answers.".to_owned(),
        ],
    })
}

#[allow(clippy::cast_precision_loss, reason = "places of points")]
fn panel(report: &CallbacksReport, class: &WaitClass, clean: &dyn Fn(&str) -> String) -> Panel {
    let mut unanswered: Vec<(f64, Option<f64>)> = vec![(class.curve[0].age_ms, Some(100.0))];
    unanswered.extend(class.curve.iter().map(|step| (step.age_ms, Some(100.0 * step.survival))));
    let of_class = report.waiting.iter().filter(|waiting| {
        (&waiting.state_machine, &waiting.state, waiting.waits_for, &waiting.resource)
            == (&class.state_machine, &class.state, class.waits_for, &class.resource)
    });
    let mut ages: Vec<f64> = of_class.map(|waiting| waiting.age_ms.max(1.0)).collect();
    ages.sort_unstable_by(f64::total_cmp);
    if let (Some((_, Some(last))), Some(oldest)) = (unanswered.last().copied(), ages.last())
        && unanswered.last().is_some_and(|(age, _)| age < oldest)
    {
        unanswered.push((*oldest, Some(last)));
    }
    let open = (0..ages.len()).map(|at| (ages[at], Some(100.0 * (ages.len() - at) as f64 / ages.len() as f64)));
    let line =
        |name: &str, hue: Hue, points: Vec<(f64, Option<f64>)>| Line { series: Series::colored(name, hue), points, shape: LineShape::Step };
    let mut lines = vec![line("unanswered", Hue::Blue, unanswered)];
    if !ages.is_empty() {
        lines.push(line("open", Hue::Vermilion, open.collect()));
    }
    // The limit counts working hours where those are used, and the axis does not.
    let limit = class.limit_ms.filter(|_| class.working_hours.is_none());
    let marks = [(class.p95_ms, "p95"), (limit, "stuck from here on")];
    Panel {
        title: clean(&format!(
            "{} / {}: {} answered, {} open",
            machine_name(class.state_machine.as_deref()),
            class.state,
            class.answered,
            class.open
        )),
        chart: Chart::Lines(Lines {
            x: Axis::logarithmic("how long it waits, logarithmic", Unit::Milliseconds),
            y: Axis::linear("share that lasts longer", Unit::Percent),
            lines,
            marks: marks.into_iter().filter_map(|(x, label)| Some(Mark { x: x?, label: label.to_owned() })).collect(),
        }),
    }
}
