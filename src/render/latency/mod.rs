//! The answer to `latency` as a table for each machine, and as a figure.

mod figure;
mod text;
mod traces;

pub use figure::figure;
pub use text::text;

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::latency::{LatencyReport, ROW_SCHEMA, StateRow};
use crate::model;
use crate::render::escape;
use crate::render::redact::Redactor;

/// Writes a line for each state: its row, which begins with its schema.
pub fn json_lines(report: &LatencyReport, redactor: &Redactor, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'r> {
        schema: &'static str,
        #[serde(flatten)]
        row: &'r StateRow,
    }
    for row in &report.states {
        let line = serde_json::to_string(&Line { schema: ROW_SCHEMA, row })?;
        writeln!(out, "{}", escape::json(&redactor.apply(&line)))?;
    }
    Ok(())
}

/// The name in a machine's ARN.
fn machine_name(arn: Option<&str>) -> &str {
    arn.map_or("(no state machine named)", model::machine_name)
}
