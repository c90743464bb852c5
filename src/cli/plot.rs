//! `--plot FILE`: where a plot is written, and writing it.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;

use super::fleet::Fleet;
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
    /// Draws the figure and tells where it is; a file that was there is replaced.
    pub(super) fn write(&self, figure: &Figure, fleet: &mut Fleet<'_>) -> anyhow::Result<()> {
        let bytes = plot::draw(figure, self.format)?;
        std::fs::write(&self.path, bytes).with_context(|| format!("failed to write the plot to `{}`", self.path.display()))?;
        fleet.note(&format!("wrote {}", self.path.display()));
        Ok(())
    }

    /// Draws what there is to draw; `lack` is why there is nothing, where there is no figure.
    pub(super) fn write_or_tell(&self, figure: Option<&Figure>, lack: &str, fleet: &mut Fleet<'_>) -> anyhow::Result<()> {
        if let Some(figure) = figure {
            return self.write(figure, fleet);
        }
        fleet.note(&format!("{lack}: there is nothing to draw"));
        Ok(())
    }
}
