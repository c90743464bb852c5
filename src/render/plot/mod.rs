//! Plots: a [`Figure`] of plain values to SVG text or the bytes of a PNG.
//!
//! `layout` makes shapes in pixels of it (`rows`, `field` for everything with two axes, `ticks` for scales, `lettering` for
//! the width of texts), `paint` gives the shapes to `plotters`. Same figure, same bytes, whatever fonts there are.

mod field;
mod figure;
mod layout;
pub(in crate::render) mod lettering;
mod paint;
mod rows;
mod sheet;
#[cfg(test)]
mod tests;
mod ticks;

use std::path::Path;

use thiserror::Error;

pub use figure::{
    Axis, Band, Chart, Column, Columns, Figure, Hue, Line, LineShape, Lines, Mark, Panel, Row, RowStyle, Rows, Scale, Series, Unit,
};

/// What a plot is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotFormat {
    /// Vector graphics, as text.
    Svg,
    /// Pixels, two for each of the figure's in both directions.
    Png,
}

/// Why a plot cannot be made.
#[derive(Debug, Error)]
pub enum PlotError {
    /// The file's name says nothing we write.
    #[error("`{0}` ends in neither .svg nor .png")]
    UnknownEnding(String),
    /// The painter failed.
    #[error("the plot could not be painted: {0}")]
    Drawing(String),
}

impl PlotFormat {
    /// What the ending of a file's name asks for, in capitals or not.
    pub fn of(file: &Path) -> Result<Self, PlotError> {
        match file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(PlotError::UnknownEnding(file.display().to_string())),
        }
    }
}

/// The bytes of the file. Texts of the figure may come from anywhere: they are escaped and cut to their place.
pub fn draw(figure: &Figure, format: PlotFormat) -> Result<Vec<u8>, PlotError> {
    let sheet = layout::sheet(figure);
    match format {
        PlotFormat::Svg => paint::svg(&sheet).map(String::into_bytes),
        PlotFormat::Png => paint::png(&sheet),
    }
}
