//! `show --timeline`: bars over a common axis, scaled to the width of the screen.
//!
//! | cells       | meaning                                                        |
//! |-------------|----------------------------------------------------------------|
//! | `█`         | running                                                        |
//! | `▒`         | submitted: a callback, a job or a child execution is waited for |
//! | `░`         | the delay before a retry, or a Wait state                      |
//! | `─`         | a Parallel or Map, whose branches or iterations stand below     |
//! | `▓`         | several that went alike, or turns of a loop, in one bar         |
//! | `·`         | between a failure and the redrive                              |
//! | `━` `╍`     | a span of the trace; the cold start of a function              |
//! | `▏`         | shorter than half a cell                                       |
//! | `✗` `-` `…` | at the end: failed, aborted, still open                        |

use std::io::{self, Write};

use super::columns::{Screen, duration, fit, mark, width as columns};
use super::redact::Redactor;
use super::show::index_list;
use super::styles::{Styles, paint};
use super::trace;
use crate::analysis::show::{RowItem, ScopeKind, ShowReport, Spread, TreeRow, VisitReport};
use crate::analysis::why::WaitsFor;
use crate::model::path::VisitOutcome;

/// The column on the right: how long it took.
const LENGTH: usize = 9;
/// The longest column on the left.
const LONGEST_LABEL: usize = 32;
/// Between two marks of the axis stand at least this many cells.
const TICK: usize = 10;

/// Writes the path as bars.
pub fn timeline(report: &ShowReport, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let screen = Screen::new(styles, redactor, width);
    screen.heading(&report.execution, out)?;
    if report.visits.iter().all(|visit| visit.offset_ms.is_none()) {
        writeln!(out, "\nNo times are known: there are no bars to draw.")?;
        return screen.incomplete(&report.incomplete, out);
    }
    let mut bars: Vec<Bar> = Vec::with_capacity(report.tree.len());
    for row in &report.tree {
        bars.push(bar(report, &screen, row.depth, &row.item));
        bars.extend(span_bars(report, &screen, row));
    }
    let longest = bars.iter().map(|bar| columns(&bar.label)).max().unwrap_or(0);
    let label = longest.clamp(12, LONGEST_LABEL.min(screen.width * 2 / 5));
    let scale = Scale { cells: screen.width.saturating_sub(label + 2 + LENGTH).max(8), span_ms: report.span_ms.max(1) };
    let (marks, ticks) = scale.axis();
    writeln!(out, "\n{:label$}  {}", "", paint(styles.dim, marks))?;
    writeln!(out, "{:label$}  {}", "", paint(styles.dim, ticks))?;
    for bar in &bars {
        bar.write(&screen, label, &scale, out)?;
    }
    legend(&bars, &screen, label, out)?;
    if let Some(report) = &report.trace {
        trace::foot(&screen, report, out)?;
    }
    screen.incomplete(&report.incomplete, out)
}

/// What a part of a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Submitted,
    Delayed,
    Holding,
    Folded,
    Idle,
    Traced,
    ColdStart,
}

impl Phase {
    const ALL: [Self; 8] = [
        Self::Running,
        Self::Submitted,
        Self::Delayed,
        Self::Holding,
        Self::Folded,
        Self::Idle,
        Self::Traced,
        Self::ColdStart,
    ];

    fn cell(self) -> char {
        match self {
            Self::Running => '█',
            Self::Submitted => '▒',
            Self::Delayed => '░',
            Self::Holding => '─',
            Self::Folded => '▓',
            Self::Idle => '·',
            Self::Traced => '━',
            Self::ColdStart => '╍',
        }
    }

    /// Whether nothing happens.
    fn is_between(self) -> bool {
        matches!(self, Self::Delayed | Self::Idle)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Submitted => "waiting for a callback, a job or a child",
            Self::Delayed => "waiting for time to pass or to retry",
            Self::Holding => "holds what stands below",
            Self::Folded => "several in one",
            Self::Idle => "failed, until it was redriven",
            Self::Traced => "a span of its trace",
            Self::ColdStart => "the cold start of a function",
        }
    }
}

/// A part of a bar, in milliseconds from the execution's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    phase: Phase,
    start: i64,
    end: i64,
}

struct Bar {
    label: String,
    outcome: Option<VisitOutcome>,
    segments: Vec<Segment>,
    length: Option<i64>,
}

fn bar(report: &ShowReport, screen: &Screen<'_>, depth: u32, item: &RowItem) -> Bar {
    let indent = "  ".repeat(depth.min(6) as usize);
    let name = |name: Option<&str>| name.map_or_else(|| "(unnamed)".to_owned(), |name| screen.line(name));
    match item {
        RowItem::Redriven { run } => {
            Bar { label: format!("{indent}── redriven, run {}", run + 1), outcome: None, segments: Vec::new(), length: None }
        }
        RowItem::Visit { visit } => {
            let visit = &report.visits[*visit];
            let label = format!("{indent}{} {}", mark(visit.outcome), name(visit.state.as_deref()));
            Bar { label, outcome: Some(visit.outcome), segments: segments(visit), length: visit.duration_ms }
        }
        RowItem::Loop { states, outcome, turns, .. } => {
            let label = format!("{indent}{} {}× {} …", mark(*outcome), turns.count, name(states.first().and_then(|name| name.as_deref())));
            Bar { label, outcome: Some(*outcome), segments: folded(turns), length: turns.duration_ms }
        }
        RowItem::Attempt { visit, attempt } => {
            let attempt = &report.visits[*visit].attempts[*attempt];
            Bar { label: format!("{indent}attempt {}", attempt.number), outcome: None, segments: Vec::new(), length: attempt.duration_ms }
        }
        RowItem::Scopes { kind, indices, outcome, durations, .. } => {
            let word = if durations.count == 1 { kind.name() } else { plural(*kind) };
            let label = format!("{indent}{} {word} {}", mark(*outcome), index_list(indices));
            // One alone is what stands below it.
            let segments = if durations.count == 1 { Vec::new() } else { folded(durations) };
            Bar { label, outcome: Some(*outcome), segments, length: durations.duration_ms }
        }
        RowItem::More { kind, scopes, span, .. } => {
            let label = format!("{indent}{scopes} more {}", plural(*kind));
            Bar { label, outcome: None, segments: folded(span), length: span.duration_ms }
        }
    }
}

/// The spans of a visit's attempts, where there is a trace.
fn span_bars(report: &ShowReport, screen: &Screen<'_>, row: &TreeRow) -> Vec<Bar> {
    let (Some(traced), RowItem::Visit { visit }) = (&report.trace, &row.item) else { return Vec::new() };
    let indent = "  ".repeat(row.depth.min(6) as usize);
    let bar = |span: trace::SpanBar| {
        let phase = if span.is_cold_start { Phase::ColdStart } else { Phase::Traced };
        Bar {
            label: format!("{indent}{}", span.label),
            outcome: Some(if span.is_bad { VisitOutcome::Caught } else { VisitOutcome::Succeeded }),
            segments: vec![Segment { phase, start: span.start_ms, end: span.end_ms }],
            length: Some(span.end_ms.saturating_sub(span.start_ms)),
        }
    };
    trace::bars(screen, traced, *visit, report.span_ms).into_iter().map(bar).collect()
}

fn plural(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Execution => "executions",
        ScopeKind::Branch => "branches",
        ScopeKind::Iteration => "iterations",
    }
}

fn folded(spread: &Spread) -> Vec<Segment> {
    let both = spread.offset_ms.zip(spread.duration_ms);
    both.map(|(start, length)| Segment { phase: Phase::Folded, start, end: start.saturating_add(length) }).into_iter().collect()
}

/// The parts of a visit's bar, in the order in which they are drawn: later ones cover earlier ones.
fn segments(visit: &VisitReport) -> Vec<Segment> {
    let Some((start, length)) = visit.offset_ms.zip(visit.duration_ms) else { return Vec::new() };
    let end = start.saturating_add(length);
    let whole = |phase| vec![Segment { phase, start, end }];
    match visit.state_type {
        Some("Wait") => return whole(Phase::Delayed),
        Some("Parallel" | "Map") if visit.map_runs.is_empty() => return whole(Phase::Holding),
        Some("Parallel" | "Map") => return whole(Phase::Submitted),
        _ => {}
    }
    if visit.attempts.is_empty() {
        return whole(Phase::Running);
    }
    let mut parts: Vec<Segment> = Vec::new();
    let mut run = visit.run;
    for attempt in &visit.attempts {
        let Some((begun, length)) = attempt.offset_ms.zip(attempt.duration_ms) else { continue };
        let ended = begun.saturating_add(length);
        if attempt.run > run {
            run = attempt.run;
            parts.push(Segment { phase: Phase::Idle, start: parts.last().map_or(start, |part| part.end), end: begun });
        }
        if let Some(wait) = attempt.wait_before_ms {
            parts.push(Segment { phase: Phase::Delayed, start: begun.saturating_sub(wait), end: begun });
        }
        parts.push(Segment { phase: Phase::Running, start: begun, end: ended });
        if let Some(waited) = attempt.waited_ms {
            parts.push(Segment { phase: Phase::Submitted, start: ended.saturating_sub(waited), end: ended });
        }
    }
    if visit.waits_for == Some(WaitsFor::Retry)
        && let Some(last) = parts.last().map(|part| part.end)
    {
        parts.push(Segment { phase: Phase::Delayed, start: last, end });
    }
    parts
}

/// How milliseconds become cells.
struct Scale {
    cells: usize,
    span_ms: i64,
}

impl Scale {
    /// The cell in which a moment lies, the first one for what came before the start.
    fn cell(&self, moment: i64) -> usize {
        let place = i128::from(moment.max(0)) * self.cells as i128 / i128::from(self.span_ms);
        usize::try_from(place).unwrap_or(usize::MAX).min(self.cells - 1)
    }

    fn is_short(&self, segment: &Segment) -> bool {
        i128::from(segment.end - segment.start) * self.cells as i128 * 2 < i128::from(self.span_ms)
    }

    /// Draws segments, and at the end of the last one how it ended.
    fn draw(&self, segments: &[Segment], outcome: Option<VisitOutcome>) -> Vec<(char, Option<Phase>)> {
        let mut cells = vec![(' ', None); self.cells];
        let (short, long): (Vec<&Segment>, Vec<&Segment>) = segments.iter().partition(|segment| self.is_short(segment));
        // What happened covers the time in between, not the other way round.
        let (between, happened): (Vec<&Segment>, Vec<&Segment>) = long.into_iter().partition(|segment| segment.phase.is_between());
        for segment in between.into_iter().chain(happened) {
            let (first, last) = (self.cell(segment.start), self.cell(segment.end.max(segment.start + 1) - 1));
            cells[first..=last].fill((segment.phase.cell(), Some(segment.phase)));
        }
        for segment in short {
            let cell = &mut cells[self.cell(segment.start)];
            if cell.1.is_none_or(Phase::is_between) && !segment.phase.is_between() {
                *cell = ('▏', Some(segment.phase));
            }
        }
        let end = segments.iter().map(|segment| self.cell(segment.end.max(segment.start + 1) - 1)).max();
        if let Some(end) = end
            && let Some(outcome @ (VisitOutcome::Failed | VisitOutcome::Aborted | VisitOutcome::Open)) = outcome
        {
            cells[end].0 = mark(outcome).chars().next().unwrap_or(' ');
        }
        cells
    }

    /// The figures of the axis, and the marks below them.
    fn axis(&self) -> (String, String) {
        let step = self.step();
        let (mut marks, mut ticks) = (String::new(), vec!['╌'; self.cells]);
        for tick in 0_i64.. {
            let moment = tick.saturating_mul(step);
            if moment > self.span_ms {
                break;
            }
            let cell = self.cell(moment);
            ticks[cell] = '┬';
            let text = tick_label(moment);
            let used = columns(&marks);
            if (used == 0 || used < cell) && cell + columns(&text) <= self.cells {
                marks.push_str(&" ".repeat(cell - used));
                marks.push_str(&text);
            }
        }
        (marks, ticks.into_iter().collect())
    }

    /// A step that a person can count with, so that two marks never touch.
    fn step(&self) -> i64 {
        const MINUTE: i64 = 60_000;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        #[rustfmt::skip]
        const STEPS: [i64; 32] = [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000,
            MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
            HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY,
        ];
        let most = i64::try_from(self.cells / TICK).unwrap_or(i64::MAX).max(1);
        let fits = |step: &i64| self.span_ms / step <= most;
        STEPS.into_iter().find(fits).unwrap_or_else(|| (self.span_ms / most / DAY + 1) * DAY)
    }
}

/// A moment in few characters; nothing is lost, since it is a multiple of a round step.
fn tick_label(moment: i64) -> String {
    match moment {
        0 => return "0".to_owned(),
        ..1000 => return format!("{moment}ms"),
        1000..60_000 => {
            let text = format!("{}.{:03}", moment / 1000, moment % 1000);
            return format!("{}s", text.trim_end_matches('0').trim_end_matches('.'));
        }
        _ => {}
    }
    let mut rest = moment;
    let mut words = Vec::new();
    for (length, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] {
        if rest >= length {
            words.push(format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    words.concat()
}

impl Bar {
    fn write(&self, screen: &Screen<'_>, label: usize, scale: &Scale, out: &mut dyn Write) -> io::Result<()> {
        let styles = screen.styles;
        let shown = fit(&self.label, label);
        let style = self
            .outcome
            .map_or(styles.dim, |outcome| if outcome == VisitOutcome::Succeeded { anstyle::Style::new() } else { styles.of(outcome) });
        if self.segments.is_empty() && self.length.is_none() {
            return writeln!(out, "{}", paint(style, &shown));
        }
        write!(out, "{}{:fill$}  ", paint(style, &shown), "", fill = label - columns(&shown))?;
        let cells = scale.draw(&self.segments, self.outcome);
        for same in cells.chunk_by(|one, other| one.1 == other.1) {
            let text: String = same.iter().map(|cell| cell.0).collect();
            let style = match same[0].1 {
                None => anstyle::Style::new(),
                Some(Phase::Delayed | Phase::Holding | Phase::Idle) => styles.dim,
                Some(Phase::Submitted) => styles.open,
                Some(Phase::Running | Phase::Folded | Phase::Traced | Phase::ColdStart) => self.outcome.map_or(styles.dim, |outcome| styles.of(outcome)),
            };
            write!(out, "{}", paint(style, text))?;
        }
        writeln!(out, "{:>LENGTH$}", self.length.map(duration).unwrap_or_default())
    }
}

/// Says what the cells mean that were drawn.
fn legend(bars: &[Bar], screen: &Screen<'_>, label: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let drawn = |phase: &Phase| bars.iter().any(|bar| bar.segments.iter().any(|segment| segment.phase == *phase));
    for phase in Phase::ALL.into_iter().filter(drawn) {
        writeln!(out, "{:label$}  {}", "", paint(screen.styles.dim, format_args!("{} {}", phase.cell(), phase.words())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(scale: &Scale, segments: &[Segment], outcome: Option<VisitOutcome>) -> String {
        scale.draw(segments, outcome).into_iter().map(|cell| cell.0).collect()
    }

    fn segment(phase: Phase, start: i64, end: i64) -> Segment {
        Segment { phase, start, end }
    }

    #[test]
    fn bars_begin_and_end_in_the_cells_of_their_moments() {
        let scale = Scale { cells: 10, span_ms: 1000 };
        let parts = [segment(Phase::Running, 100, 300), segment(Phase::Delayed, 300, 500), segment(Phase::Running, 500, 600)];
        assert_eq!(drawn(&scale, &parts, Some(VisitOutcome::Succeeded)), " ██░░█    ");
        assert_eq!(drawn(&scale, &parts, Some(VisitOutcome::Failed)), " ██░░✗    ");
        assert_eq!(drawn(&scale, &[segment(Phase::Folded, 0, 1000)], None), "▓▓▓▓▓▓▓▓▓▓");
    }

    #[test]
    fn what_is_shorter_than_half_a_cell_is_a_thin_line() {
        let scale = Scale { cells: 10, span_ms: 1000 };
        assert_eq!(drawn(&scale, &[segment(Phase::Running, 400, 449)], None), "    ▏     ");
        assert_eq!(drawn(&scale, &[segment(Phase::Running, 1000, 1000)], None), "         ▏");
        assert_eq!(drawn(&scale, &[segment(Phase::Running, 400, 400)], Some(VisitOutcome::Failed)), "    ✗     ");
    }

    #[test]
    fn clocks_that_disagree_draw_inside_the_axis() {
        let scale = Scale { cells: 4, span_ms: 100 };
        assert_eq!(drawn(&scale, &[segment(Phase::Running, -500, 5000)], None), "████");
        assert_eq!(drawn(&scale, &[segment(Phase::Running, 80, 20)], None), "   ▏");
        assert_eq!(drawn(&scale, &[segment(Phase::Running, i64::MIN / 2, i64::MAX / 2)], None), "████");
    }

    #[test]
    fn the_axis_counts_in_steps_that_a_person_can_count_with() {
        let axis = |span_ms| Scale { cells: 40, span_ms }.axis().0;
        assert_eq!(axis(15_700), "0           5s           10s");
        assert_eq!(axis(900_000), "0            5m           10m");
        assert_eq!(axis(3 * 86_400_000 + 5), "0            1d           2d");
        assert_eq!(axis(1), "0");
        let long = axis(400 * 86_400_000);
        assert!(long.starts_with("0 ") && long.contains("90d"), "{long}");
    }

    #[test]
    fn a_mark_of_the_axis_is_a_round_figure() {
        assert_eq!([0, 500, 1500, 30_000].map(tick_label), ["0", "500ms", "1.5s", "30s"]);
        assert_eq!([60_000, 90_000, 3 * 86_400_000 + 3_600_000].map(tick_label), ["1m", "1m30s", "3d1h"]);
    }
}
