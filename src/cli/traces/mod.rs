//! `--trace`: where traces are read, and what is said where there is none.

mod failures;
pub mod live;
mod machines;

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit_code::WrongUsage;
use super::load::Loader;
use crate::analysis::execution::{Incomplete, missing};
use crate::analysis::trace::{self, Outline, TraceIndex, TraceReport, Unjoined};
use crate::model::span::Trace;
use crate::model::{ExecutionPath, Gap, History};
use crate::sources::{Limits, read_traces};

pub use failures::Pending;
pub use machines::of_machines;

/// Where traces are.
#[derive(Debug, Clone, Default, Args)]
pub struct TraceArgs {
    /// Read traces: a file or folder with what `aws xray batch-get-traces` or an OpenTelemetry collector wrote; X-Ray is asked
    /// where none is named
    #[arg(long, value_name = "FILE|DIR", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "clap's form of a flag whose value may be left out")]
    trace: Option<Option<PathBuf>>,
}

impl TraceArgs {
    /// Whether traces are wanted.
    pub fn is_wanted(&self) -> bool {
        self.trace.is_some()
    }

    /// Refuses a command line on which `--trace` took what was meant to be the execution.
    pub fn check(&self, has_execution: bool) -> Result<(), WrongUsage> {
        match self.path() {
            Some(path) if !has_execution => Err(WrongUsage(format!(
                "which execution? --trace took `{}` as the file with traces: name the execution before --trace",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The file or folder; `None` where X-Ray is to be asked.
    pub fn path(&self) -> Option<&PathBuf> {
        self.trace.as_ref()?.as_ref()
    }
}

/// The trace of one execution, or why there is none.
pub fn of_execution(args: &TraceArgs, history: &History, path: &ExecutionPath, loader: &mut Loader<'_>) -> Result<TraceReport, Incomplete> {
    let outline = Outline::of_history(history, path);
    let traces = if let Some(file) = args.path() {
        read(file, loader)
    } else {
        let wanted = live::Wanted::of_execution(history, path, &outline).map_err(|why| no_trace(&why))?;
        loader.traces(&wanted)?
    };
    join(&outline, &TraceIndex::new(&traces), args.path().map(PathBuf::as_path))
}

/// Saved traces; what could not be read is said.
pub fn read(file: &Path, loader: &mut Loader<'_>) -> Vec<Trace> {
    read_traces(file, &Limits::default(), &mut |error| loader.report(&error)).into_traces()
}

/// What a trace among these tells of an execution, or why none does. `file` is where they were read, unless X-Ray was asked.
pub fn join(outline: &Outline<'_>, traces: &TraceIndex<'_>, file: Option<&Path>) -> Result<TraceReport, Incomplete> {
    let joined = traces.join(outline).map_err(|unjoined| no_trace(&why(unjoined, file)))?;
    if joined.trace.spans.is_empty() {
        let id = joined.trace.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = format!("only the listing of its trace was read; `aws xray batch-get-traces --trace-ids {id}` gives its spans");
        return Err(no_trace(&text));
    }
    Ok(trace::report(outline, &joined))
}

/// An answer that lacks its trace.
pub fn no_trace(why: &str) -> Incomplete {
    missing(&Gap::NoTrace { reason: why.to_owned() })
}

fn why(unjoined: Unjoined, file: Option<&Path>) -> String {
    match unjoined {
        Unjoined::NoTraces => match file {
            Some(file) => format!("no trace was read from {}", file.display()),
            None => "no trace was found: X-Ray records a sample only, so most executions have none".to_owned(),
        },
        Unjoined::NoneFits(1) => "the only trace that was read is of another execution; X-Ray records a sample only".to_owned(),
        Unjoined::NoneFits(read) => {
            format!("none of {read} traces that were read is this execution's; X-Ray records a sample only")
        }
        Unjoined::Several(fitting) => {
            format!("{fitting} traces fit the execution by time and name, and nothing in them tells which is its own")
        }
    }
}
