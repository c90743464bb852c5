//! Rows: stacked bars, or marks on a common scale; a name before each, a note behind.

use super::figure::{Row, RowStyle, Rows};
use super::layout::{Place, colors, legend};
use super::lettering;
use super::sheet::{Align, Color, GRID, INK, Letters, RULE, Sheet, WHITE};
use super::ticks::Ruler;

const ROW: f64 = 26.0;
const BAR: f64 = 15.0;

/// Draws the rows; returns where they end.
pub(super) fn draw(sheet: &mut Sheet, chart: &Rows, place: Place) -> f64 {
    let name = Letters::NAME;
    let shown: Vec<(String, String)> = chart.rows.iter().map(|row| (lettering::safe(&row.label), lettering::safe(&row.note))).collect();
    let widest = |texts: &mut dyn Iterator<Item = &String>, letters: Letters| {
        texts.map(|text| lettering::width(text, letters.size, letters.weight)).fold(0.0, f64::max)
    };
    let label_width = widest(&mut shown.iter().map(|(label, _)| label), name).min(place.width * 0.32);
    let note_width = widest(&mut shown.iter().map(|(_, note)| note), Letters::SMALL).min(place.width * 0.3);
    let left = place.left + label_width + 12.0;
    let right = place.left + place.width - if note_width > 0.0 { note_width + 14.0 } else { 8.0 };

    let colors = series_colors(chart);
    let mut top = place.top;
    if chart.series.len() > 1 {
        let entries: Vec<(String, Color)> = chart.series.iter().map(|series| series.name.clone()).zip(colors.iter().copied()).collect();
        let dots = chart.style == RowStyle::Marks;
        top = legend(sheet, &entries, Place { left, top, width: place.left + place.width - left }, dots) + 6.0;
    }
    let ruler = ruler(chart, right - left);
    let across = |value: f64| left + ruler.place(value) * (right - left);
    #[allow(clippy::cast_precision_loss, reason = "rows on a sheet")]
    let bottom = top + ROW * chart.rows.len() as f64 + 4.0;
    for tick in &ruler.ticks {
        sheet.line(vec![(across(tick.value), top), (across(tick.value), bottom)], 1.0, GRID);
        sheet.text((across(tick.value), bottom + 11.0), &tick.label, Letters::SMALL.align(Align::Middle));
    }
    let mut middle = top + 2.0 + ROW / 2.0;
    for (row, (label, note)) in chart.rows.iter().zip(&shown) {
        let label = lettering::fit(label, label_width, name.size, name.weight);
        sheet.text((left - 12.0, middle), &label, name.align(Align::Right));
        match chart.style {
            RowStyle::Stacked => stacked(sheet, row, &colors, middle, &ruler, (left, right)),
            RowStyle::Marks => marks(sheet, row, &colors, middle, &across),
        }
        let note = lettering::fit(note, note_width, Letters::SMALL.size, Letters::SMALL.weight);
        sheet.text((right + 12.0, middle), &note, Letters::SMALL.color(INK));
        middle += ROW;
    }
    if chart.style == RowStyle::Stacked {
        sheet.line(vec![(left, top), (left, bottom)], 1.0, RULE);
    }
    let mut end = bottom + 20.0;
    if !chart.axis.label.is_empty() {
        let label = lettering::fit(&lettering::safe(&chart.axis.label), right - left, Letters::SMALL.size, Letters::SMALL.weight);
        sheet.text((left, end + 8.0), &label, Letters::SMALL);
        end += 16.0;
    }
    end
}

fn ruler(chart: &Rows, width: f64) -> Ruler {
    let sums = |row: &Row| row.values.iter().flatten().sum::<f64>();
    let most = most_ticks(width);
    match chart.style {
        RowStyle::Stacked => {
            let axis = super::figure::Axis { scale: super::figure::Scale::Linear, ..chart.axis.clone() };
            Ruler::new(&axis, chart.rows.iter().map(sums), most, false)
        }
        RowStyle::Marks => Ruler::new(&chart.axis, chart.rows.iter().flat_map(|row| row.values.iter().flatten().copied()), most, false),
    }
}

/// A number on a scale needs room.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful")]
pub(super) fn most_ticks(width: f64) -> usize {
    (width / 90.0).clamp(2.0, 12.0) as usize
}

/// Marks are of one kind and go from light to dark; parts of a bar are of different kinds.
fn series_colors(chart: &Rows) -> Vec<Color> {
    let chosen = chart.series.iter().any(|series| series.hue.is_some());
    if chart.style == RowStyle::Stacked || chosen {
        return colors(chart.series.iter());
    }
    let (light, dark) = (Color(158, 202, 225), Color(8, 48, 107));
    let last = chart.series.len().saturating_sub(1).max(1);
    #[allow(clippy::cast_precision_loss, reason = "a handful")]
    let share = |position: usize| if chart.series.len() == 1 { 0.6 } else { position as f64 / last as f64 };
    (0..chart.series.len()).map(|position| light.towards(dark, share(position))).collect()
}

fn stacked(sheet: &mut Sheet, row: &Row, colors: &[Color], middle: f64, ruler: &Ruler, (left, right): (f64, f64)) {
    let across = |value: f64| left + ruler.place(value) * (right - left);
    let mut sum = 0.0;
    for (value, color) in row.values.iter().zip(colors) {
        let Some(value) = value.filter(|value| value.is_finite() && *value > 0.0) else { continue };
        let from = across(sum);
        sum += value;
        // What is there is seen, however little.
        let to = across(sum).max(from + 1.0);
        sheet.bar(from, middle - BAR / 2.0, to, middle + BAR / 2.0, *color);
    }
}

fn marks(sheet: &mut Sheet, row: &Row, colors: &[Color], middle: f64, across: &dyn Fn(f64) -> f64) {
    let places: Vec<(f64, Color)> = row
        .values
        .iter()
        .zip(colors)
        .filter_map(|(value, color)| Some((across((*value)?), *color)))
        .filter(|(place, _)| place.is_finite())
        .collect();
    let (first, last) =
        places.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (place, _)| (low.min(*place), high.max(*place)));
    if last > first {
        sheet.bar(first, middle - 2.0, last, middle + 2.0, Color(205, 213, 222));
    }
    // The last is the one that matters most: it lies on top.
    for (place, color) in places {
        sheet.dot((place, middle), 6.0, WHITE);
        sheet.dot((place, middle), 5.0, color);
    }
}
