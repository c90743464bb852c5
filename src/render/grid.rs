//! A table of rows as wide as what is in it, or as the screen: numbers to the right, wide columns of text cut.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::{counted, fit, fit_end, width};
use super::styles::{Styles, paint};

/// No column that is cut becomes narrower than this.
const NARROWEST: usize = 8;
/// Between columns.
pub(super) const GAP: &str = "  ";

/// What a table holds, as it is shown: escaped, and without secrets.
pub(super) struct Grid {
    /// The columns' names.
    pub names: Vec<String>,
    /// Which columns hold numbers only.
    pub is_number: Vec<bool>,
    /// The rows; each has a text for each column.
    pub lines: Vec<Vec<String>>,
}

impl Grid {
    /// Writes names, rows and their number; columns are cut to `room` where there is one.
    pub(super) fn write(&self, styles: &Styles, room: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| width(name)).collect();
        for line in &self.lines {
            for (widest, text) in widths.iter_mut().zip(line) {
                *widest = (*widest).max(width(text));
            }
        }
        if let Some(room) = room {
            shrink(&mut widths, &self.is_number, room);
        }
        writeln!(out, "{}", paint(styles.heading, aligned(&self.names, &widths, &self.is_number)))?;
        for line in &self.lines {
            writeln!(out, "{}", aligned(line, &widths, &self.is_number))?;
        }
        writeln!(out, "{}", paint(styles.dim, format!("({})", counted(self.lines.len() as u64, "row"))))
    }
}

/// Takes from the widest columns of text until the table fits, or none may become narrower.
fn shrink(widths: &mut [usize], is_number: &[bool], room: usize) {
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
    let mut over = total(widths).saturating_sub(room);
    while over > 0 {
        let cuttable = (0..widths.len()).filter(|at| !is_number[*at] && widths[*at] > NARROWEST);
        let Some(widest) = cuttable.max_by_key(|at| (widths[*at], usize::MAX - at)) else { return };
        widths[widest] -= 1;
        over -= 1;
    }
}

fn aligned(cells: &[String], widths: &[usize], is_number: &[bool]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push_str(GAP);
        }
        // ARNs differ at their ends.
        let cell = if cell.starts_with("arn:") { fit_end(cell, widths[at]) } else { fit(cell, widths[at]) };
        let padding = " ".repeat(widths[at].saturating_sub(width(&cell)));
        // Writing to a String cannot fail.
        let _ = if is_number[at] { write!(line, "{padding}{cell}") } else { write!(line, "{cell}{padding}") };
    }
    line.truncate(line.trim_end().len());
    line
}
