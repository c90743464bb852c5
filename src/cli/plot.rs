//! `--plot FILE`: where a plot is written, and writing it.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;

use crate::render::plot::{self, Figure, PlotError, PlotFormat};

/// A file for a plot; its ending says which format. Other endings are wrong usage.
#[derive(Debug, Clone)]
pub struct PlotFile {
    path: PathBuf,
    format: PlotFormat,
}

impl FromStr for PlotFile {
    type Err = PlotError;

    fn from_str(text: &str) -> Result<Self, PlotError> {
        let path = PathBuf::from(text);
        PlotFormat::of(&path).map(|format| Self { path, format })
    }
}

impl PlotFile {
    /// Draws the figure and writes it; a file that was there is replaced.
    pub fn write(&self, figure: &Figure) -> anyhow::Result<()> {
        let bytes = plot::draw(figure, self.format)?;
        std::fs::write(&self.path, bytes).with_context(|| format!("failed to write the plot to `{}`", self.path.display()))
    }

    /// Where it is written, as it was typed.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}
