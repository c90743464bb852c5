//! A figure on a sheet: title, panels below each other, notes; and the legend, which all charts share.

use super::figure::{Chart, Figure, Panel, Series};
use super::lettering::{self, Weight};
use super::sheet::{Color, INK, Letters, PALETTE, QUIET, Sheet};
use super::{field, rows};

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 28.0;
const TITLE: Letters = Letters { size: 18.0, weight: Weight::Bold, color: INK, ..Letters::SMALL };
const PANEL_TITLE: Letters = Letters { size: 13.5, weight: Weight::Bold, color: INK, ..Letters::SMALL };
const SUBTITLE: Letters = Letters { size: 12.5, color: QUIET, ..Letters::SMALL };

/// Where a chart may draw: its upper left corner, and how wide it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
}

/// The figure as shapes.
pub(super) fn sheet(figure: &Figure) -> Sheet {
    let mut sheet = Sheet { title: lettering::safe(&figure.title), width: WIDTH, height: 0.0, shapes: Vec::new() };
    let width = WIDTH - 2.0 * MARGIN;
    let mut top = MARGIN;
    top = lines(&mut sheet, &figure.title, top, width, TITLE);
    if !figure.subtitle.is_empty() {
        top = lines(&mut sheet, &figure.subtitle, top + 2.0, width, SUBTITLE);
    }
    for panel in &figure.panels {
        top = draw_panel(&mut sheet, panel, Place { left: MARGIN, top: top + 20.0, width });
    }
    if !figure.notes.is_empty() {
        top += 12.0;
    }
    for note in &figure.notes {
        top = lines(&mut sheet, note, top, width, Letters::SMALL);
    }
    sheet.height = (top + MARGIN - 8.0).ceil();
    sheet
}

fn lines(sheet: &mut Sheet, text: &str, mut top: f64, width: f64, letters: Letters) -> f64 {
    for line in lettering::wrap(&lettering::safe(text), width, letters.size, letters.weight) {
        let height = (letters.size * 1.4).round();
        sheet.text((MARGIN, top + height / 2.0), &line, letters);
        top += height;
    }
    top
}

fn draw_panel(sheet: &mut Sheet, panel: &Panel, mut place: Place) -> f64 {
    if !panel.title.is_empty() {
        place.top = lines(sheet, &panel.title, place.top, place.width, PANEL_TITLE) + 6.0;
    }
    match &panel.chart {
        Chart::Rows(chart) => rows::draw(sheet, chart, place),
        Chart::Lines(chart) => field::lines(sheet, chart, place),
        Chart::Columns(chart) => field::columns(sheet, chart, place),
    }
}

/// The colours of series, by their own choice or from the palette.
pub(super) fn colors<'a>(series: impl Iterator<Item = &'a Series>) -> Vec<Color> {
    let mut palette = PALETTE.iter().cycle();
    series.map(|series| Color::from(series.hue.unwrap_or_else(|| *palette.next().unwrap_or(&PALETTE[0])))).collect()
}

/// Names with their colours in a line, or several; returns where it ends. `dots`: round samples instead of square ones.
pub(super) fn legend(sheet: &mut Sheet, entries: &[(String, Color)], place: Place, dots: bool) -> f64 {
    let letters = Letters::NAME;
    let (mut left, mut middle) = (place.left, place.top + 9.0);
    for (name, color) in entries {
        let name = lettering::fit(&lettering::safe(name), place.width - 24.0, letters.size, letters.weight);
        let width = 18.0 + lettering::width(&name, letters.size, letters.weight);
        if left > place.left && left + width > place.left + place.width {
            left = place.left;
            middle += 19.0;
        }
        if dots {
            sheet.dot((left + 6.0, middle), 4.5, *color);
        } else {
            sheet.bar(left, middle - 5.5, left + 11.0, middle + 5.5, *color);
        }
        sheet.text((left + 17.0, middle), &name, letters);
        left += width + 20.0;
    }
    middle + 9.0
}
