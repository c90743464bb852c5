//! `--trace`: where traces are read, and what is said where there is none.

pub mod live;

use std::path::PathBuf;

use clap::Args;

use super::load::Loader;
use crate::analysis::execution::Incomplete;
use crate::analysis::trace::{self, Outline, TraceIndex, TraceReport, Unjoined};
use crate::model::span::Trace;
use crate::model::{ExecutionPath, History};
use crate::sources::{Limits, read_traces};

/// Where traces are.
#[derive(Debug, Clone, Default, Args)]
pub struct TraceArgs {
    /// Read traces: a file or folder with what `aws xray batch-get-traces` or an OpenTelemetry collector wrote; X-Ray is asked
    /// where none is named
    #[arg(long, value_name = "FILE|DIR", num_args = 0..=1)]
    trace: Option<Option<PathBuf>>,
}

impl TraceArgs {
    /// Whether traces are wanted.
    pub fn is_wanted(&self) -> bool {
        self.trace.is_some()
    }

    /// The file or folder; `None` where X-Ray is to be asked.
    pub fn path(&self) -> Option<&PathBuf> {
        self.trace.as_ref()?.as_ref()
    }
}

/// The trace of one execution, or why there is none.
pub fn of_execution(args: &TraceArgs, history: &History, path: &ExecutionPath, loader: &mut Loader<'_>) -> Result<TraceReport, Incomplete> {
    let outline = Outline::of_history(history, path);
    let traces = match args.path() {
        Some(file) => {
            let set = read_traces(file, &Limits::default(), &mut |error| loader.report(&error));
            set.into_traces()
        }
        None => loader.traces(history, path, &outline)?,
    };
    join(&outline, &traces)
}

fn join(outline: &Outline<'_>, traces: &[Trace]) -> Result<TraceReport, Incomplete> {
    let joined = TraceIndex::new(traces).join(outline).map_err(|unjoined| no_trace(&why(unjoined)))?;
    if joined.trace.spans.is_empty() {
        let id = joined.trace.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = format!("only the listing of its trace was read; `aws xray batch-get-traces --trace-ids {id}` gives its spans");
        return Err(no_trace(&text));
    }
    Ok(trace::report(outline, &joined))
}

/// An answer that lacks its trace.
pub fn no_trace(why: &str) -> Incomplete {
    Incomplete { id: "no_trace", text: why.to_owned() }
}

fn why(unjoined: Unjoined) -> String {
    match unjoined {
        Unjoined::NoTraces => "no trace was found: X-Ray records a sample only, so most executions have none".to_owned(),
        Unjoined::NoneFits(1) => "the only trace that was read is of another execution; X-Ray records a sample only".to_owned(),
        Unjoined::NoneFits(read) => {
            format!("none of {read} traces that were read is this execution's; X-Ray records a sample only")
        }
        Unjoined::Several(fitting) => {
            format!("{fitting} traces fit the execution by time and name, and nothing in them tells which is its own")
        }
    }
}
