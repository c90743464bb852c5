//! Traces of executions that failed, read once their histories were: a loader does one thing at a time.

use std::path::Path;

use super::{TraceArgs, join, live, no_trace, read};
use crate::analysis::trace::{self, Outline, TraceIndex};
use crate::analysis::why::{self, Evidence, WhyReport};
use crate::cli::load::Loader;
use crate::model::Trace;

/// X-Ray is asked for so many executions; what it is asked is charged, and whoever explains more has a file.
const MOST_ASKED: usize = 20;

/// Failures whose traces are still to be looked at.
#[derive(Debug, Default)]
pub struct Pending {
    list: Vec<Failure>,
    /// Traces of the file, once it was read.
    saved: Option<Vec<Trace>>,
    asked: usize,
    has_told: bool,
}

#[derive(Debug)]
struct Failure {
    /// Position among the reports.
    report: usize,
    outline: Outline<'static>,
    visit: usize,
    wanted: Result<live::Wanted, String>,
}

impl Pending {
    /// Takes a failure, where a trace could say something of it.
    pub fn add(&mut self, position: usize, report: &WhyReport, evidence: Evidence<'_>) {
        let Some(visit) = why::visit_of_cause(report, evidence) else { return };
        let outline = Outline::of_history(evidence.history, evidence.path);
        let wanted = live::Wanted::of_execution(evidence.history, evidence.path, &outline);
        self.list.push(Failure { report: position, outline: outline.into_owned(), visit, wanted });
    }

    /// Reads traces, and adds what they say to those of the reports that are `wanted`, in ascending order.
    pub fn settle(&mut self, args: &TraceArgs, wanted: &[usize], reports: &mut [WhyReport], loader: &mut Loader<'_>) {
        let (failures, others) =
            std::mem::take(&mut self.list).into_iter().partition(|failure| wanted.binary_search(&failure.report).is_ok());
        self.list = others;
        let failures: Vec<Failure> = failures;
        if let Some(file) = args.path() {
            let saved = self.saved.get_or_insert_with(|| read(file, loader));
            let index = TraceIndex::new(saved);
            for failure in &failures {
                failure.add_to(reports, &index, Some(file));
            }
            return;
        }
        for failure in failures {
            if self.asked == MOST_ASKED {
                if !std::mem::replace(&mut self.has_told, true) {
                    loader.note(&format!(
                        "X-Ray was asked for {MOST_ASKED} executions and not for the others; --trace FILE reads saved traces"
                    ));
                }
                missing(&mut reports[failure.report], "X-Ray was not asked: too many executions are explained at once");
                continue;
            }
            self.asked += 1;
            match &failure.wanted {
                Err(reason) => missing(&mut reports[failure.report], reason),
                Ok(wanted) => match loader.traces(wanted) {
                    Ok(traces) => failure.add_to(reports, &TraceIndex::new(&traces), None),
                    Err(reason) => reports[failure.report].incomplete.push(reason),
                },
            }
        }
    }
}

impl Failure {
    fn add_to(&self, reports: &mut [WhyReport], traces: &TraceIndex<'_>, file: Option<&Path>) {
        let report = &mut reports[self.report];
        match join(&self.outline, traces, file) {
            Ok(told) => match trace::evidence(&told, self.visit) {
                Some(evidence) => why::add_trace(report, evidence),
                None => missing(report, "its trace holds no span of the failed state: not recorded, which is not the same as not run"),
            },
            Err(reason) => report.incomplete.push(reason),
        }
    }
}

fn missing(report: &mut WhyReport, why: &str) {
    report.incomplete.push(no_trace(why));
}
