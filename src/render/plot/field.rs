//! What has two axes: lines and columns. The name of the upright axis stands above it, so that nothing has to be read sideways.

use super::figure::{Axis, Band, Column, Columns, Line, LineShape, Lines, Mark};
use super::layout::{Place, colors, legend};
use super::lettering;
use super::rows::most_ticks;
use super::sheet::{Align, Color, GRID, INK, Letters, RULE, SHADE, Sheet, WHITE};
use super::ticks::Ruler;

const HEIGHT: f64 = 230.0;
/// With more points, dots would make a line a chain.
const FEW: usize = 40;

/// The area between the axes.
struct Field {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Ruler,
    y: Ruler,
}

impl Field {
    fn across(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (self.right - self.left)
    }

    fn up(&self, value: f64) -> f64 {
        self.bottom - self.y.place(value) * (self.bottom - self.top)
    }
}

/// Draws lines; returns where they end.
pub(super) fn lines(sheet: &mut Sheet, chart: &Lines, place: Place) -> f64 {
    let colors = colors(chart.lines.iter().map(|line| &line.series));
    let name = Letters::NAME;
    let names: Vec<String> = chart
        .lines
        .iter()
        .map(|line| lettering::fit(&lettering::safe(&line.series.name), place.width * 0.24, name.size, name.weight))
        .collect();
    let label_width = names.iter().map(|text| lettering::width(text, name.size, name.weight)).fold(0.0, f64::max);
    let points = || chart.lines.iter().flat_map(|line| &line.points);
    let y = Ruler::new(&chart.y, points().filter_map(|(_, y)| *y), 5, false);
    let marks = chart.marks.iter().map(|mark| mark.x);
    let widths = (place.width, if label_width > 0.0 { label_width + 16.0 } else { 8.0 });
    let ruler = |width: f64| Ruler::new(&chart.x, points().map(|(x, _)| *x).chain(marks.clone()), most_ticks(width), true);
    let field = frame(sheet, &chart.y, y, &ruler, !chart.marks.is_empty(), Place { width: widths.0 - widths.1, ..place });
    draw_marks(sheet, &chart.marks, &field);
    for (line, color) in chart.lines.iter().zip(&colors) {
        draw_line(sheet, line, *color, &field);
    }
    let ends = ends(chart, &names, &field);
    for (position, middle) in ends {
        sheet.text((field.right + 10.0, middle), &names[position], name.color(colors[position].for_letters()));
    }
    foot(sheet, &chart.x, &field)
}

/// Draws columns; returns where they end.
pub(super) fn columns(sheet: &mut Sheet, chart: &Columns, mut place: Place) -> f64 {
    let colors = colors(chart.series.iter());
    if chart.series.len() > 1 {
        let entries: Vec<(String, Color)> = chart.series.iter().map(|series| series.name.clone()).zip(colors.iter().copied()).collect();
        place.top = legend(sheet, &entries, place, false) + 4.0;
    }
    let sums = chart.columns.iter().map(|column| column.values.iter().sum::<f64>());
    let y = Ruler::new(&chart.y, sums, 5, false);
    let marks = chart.marks.iter().map(|mark| mark.x);
    let ends = || chart.columns.iter().flat_map(|column| [column.from, column.to]);
    let ruler = |width: f64| Ruler::new(&chart.x, ends().chain(marks.clone()), most_ticks(width), true);
    let field = frame(sheet, &chart.y, y, &ruler, !chart.marks.is_empty(), Place { width: place.width - 8.0, ..place });
    draw_bands(sheet, &chart.bands, &field);
    for column in &chart.columns {
        draw_column(sheet, column, &colors, &field);
    }
    sheet.line(vec![(field.left, field.bottom), (field.right, field.bottom)], 1.0, RULE);
    draw_marks(sheet, &chart.marks, &field);
    foot(sheet, &chart.x, &field)
}

fn frame(sheet: &mut Sheet, axis: &Axis, y: Ruler, ruler: &dyn Fn(f64) -> Ruler, has_marks: bool, place: Place) -> Field {
    let small = Letters::SMALL;
    let mut top = place.top;
    if !axis.label.is_empty() {
        let label = lettering::fit(&lettering::safe(&axis.label), place.width, small.size, small.weight);
        sheet.text((place.left, top + 8.0), &label, small);
        top += 16.0;
    }
    // Room for the words at marks, and for half of the uppermost number.
    top += if has_marks { 22.0 } else { 12.0 };
    let numbers = y.ticks.iter().map(|tick| lettering::width(&tick.label, small.size, small.weight)).fold(0.0, f64::max);
    let (left, right) = (place.left + numbers + 10.0, place.left + place.width);
    let field = Field { left, right, top, bottom: top + HEIGHT, x: ruler(right - left), y };
    for tick in &field.y.ticks {
        let height = field.up(tick.value);
        sheet.line(vec![(left, height), (right, height)], 1.0, GRID);
        sheet.text((left - 8.0, height), &tick.label, small.align(Align::Right));
    }
    sheet.line(vec![(left, field.bottom), (right, field.bottom)], 1.0, RULE);
    for tick in &field.x.ticks {
        let at = field.across(tick.value);
        sheet.line(vec![(at, field.bottom), (at, field.bottom + 4.0)], 1.0, RULE);
        sheet.text((at, field.bottom + 14.0), &tick.label, small.align(Align::Middle));
        if let Some(below) = &tick.below {
            sheet.text((at, field.bottom + 29.0), below, small.align(Align::Middle).bold());
        }
    }
    field
}

fn foot(sheet: &mut Sheet, axis: &Axis, field: &Field) -> f64 {
    let second = field.x.ticks.iter().any(|tick| tick.below.is_some());
    let mut end = field.bottom + if second { 38.0 } else { 24.0 };
    if !axis.label.is_empty() {
        let small = Letters::SMALL;
        let label = lettering::fit(&lettering::safe(&axis.label), field.right - field.left, small.size, small.weight);
        sheet.text((field.left, end + 8.0), &label, small);
        end += 16.0;
    }
    end
}

/// Shades the part of each stretch that the chart shows; the lines of the grid go on through it.
fn draw_bands(sheet: &mut Sheet, bands: &[Band], field: &Field) {
    let small = Letters::SMALL.color(INK);
    for band in bands.iter().filter(|band| !band.from.is_nan() && !band.to.is_nan()) {
        // A scale has no place for infinity: what has no end goes on to the edge.
        let at = |x: f64, edge: f64| if x.is_finite() { field.across(x).clamp(field.left, field.right) } else { edge };
        let (left, right) = (at(band.from, field.left), at(band.to, field.right));
        if right <= left {
            continue;
        }
        sheet.bar(left, field.top, right, field.bottom, SHADE);
        for tick in &field.y.ticks {
            let height = field.up(tick.value);
            sheet.line(vec![(left, height), (right, height)], 1.0, RULE.towards(WHITE, 0.5));
        }
        let room = (field.right - left - 12.0).max(0.0);
        let label = lettering::fit(&lettering::safe(&band.label), room, small.size, small.weight);
        sheet.text((left + 6.0, field.top + 10.0), &label, small);
    }
}

/// Words that would stand on each other go to lines of their own.
fn draw_marks(sheet: &mut Sheet, marks: &[Mark], field: &Field) {
    let small = Letters::SMALL.color(INK);
    let mut by_place: Vec<&Mark> = marks.iter().filter(|mark| mark.x.is_finite()).collect();
    by_place.sort_by(|one, other| one.x.total_cmp(&other.x));
    let mut taken = [f64::NEG_INFINITY; 3];
    for mark in by_place {
        let at = field.across(mark.x);
        let label = lettering::fit(&lettering::safe(&mark.label), 160.0, small.size, small.weight);
        let width = lettering::width(&label, small.size, small.weight);
        let from = (at - width / 2.0).clamp(field.left, (field.right - width).max(field.left));
        let Some(line) = taken.iter().position(|end| *end + 6.0 < from) else {
            sheet.line(vec![(at, field.top), (at, field.bottom)], 1.0, RULE);
            continue;
        };
        taken[line] = from + width;
        let height = field.top - 10.0 + [0.0, 15.0, 30.0][line];
        sheet.line(vec![(at, height + 8.0), (at, field.bottom)], 1.0, RULE);
        sheet.text((from, height), &label, small);
    }
}

fn draw_line(sheet: &mut Sheet, line: &Line, color: Color, field: &Field) {
    let mut piece: Vec<(f64, f64)> = Vec::new();
    let mut pieces = Vec::new();
    for (x, y) in &line.points {
        let Some(y) = y.filter(|y| y.is_finite() && x.is_finite()) else {
            pieces.push(std::mem::take(&mut piece));
            continue;
        };
        let (at, height) = (field.across(*x), field.up(y));
        if line.shape == LineShape::Step
            && let Some((_, before)) = piece.last().copied()
        {
            piece.push((at, before));
        }
        piece.push((at, height));
    }
    pieces.push(piece);
    let dots = line.shape == LineShape::Straight && line.points.len() <= FEW;
    for piece in pieces {
        let lonely = piece.len() == 1;
        let places = piece.clone();
        if !lonely && !piece.is_empty() {
            sheet.line(piece, 2.0, color);
        }
        for place in places.into_iter().filter(|_| dots || lonely) {
            sheet.dot(place, 4.0, WHITE);
            sheet.dot(place, 3.0, color);
        }
    }
}

/// Where the name of each line stands: at its end, apart from the others.
fn ends(chart: &Lines, names: &[String], field: &Field) -> Vec<(usize, f64)> {
    const APART: f64 = 16.0;
    let last = |line: &Line| line.points.iter().rev().find_map(|(_, y)| y.filter(|y| y.is_finite()));
    let mut ends: Vec<(usize, f64)> = chart
        .lines
        .iter()
        .enumerate()
        .filter(|(position, _)| !names[*position].is_empty())
        .filter_map(|(position, line)| Some((position, field.up(last(line)?))))
        .collect();
    ends.sort_by(|one, other| one.1.total_cmp(&other.1).then(one.0.cmp(&other.0)));
    for position in 1..ends.len() {
        ends[position].1 = ends[position].1.max(ends[position - 1].1 + APART);
    }
    // What was pushed out at the bottom goes back up.
    let mut limit = field.bottom;
    for end in ends.iter_mut().rev() {
        end.1 = end.1.min(limit);
        limit = end.1 - APART;
    }
    ends
}

fn draw_column(sheet: &mut Sheet, column: &Column, colors: &[Color], field: &Field) {
    let (from, to) = (field.across(column.from), field.across(column.to));
    // A gap tells columns apart, where there is room for one.
    let gap = if to - from > 6.0 { 1.0 } else { 0.0 };
    let mut sum = 0.0;
    for (value, color) in column.values.iter().zip(colors) {
        if !value.is_finite() || *value <= 0.0 {
            continue;
        }
        let bottom = field.up(sum);
        sum += value;
        let top = field.up(sum).min(bottom - 1.0);
        sheet.bar(from + gap, top, to.max(from + 1.0) - gap, bottom, *color);
    }
}
