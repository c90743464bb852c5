//! `compare`: what some executions have in common that others lack.

use std::io::Write;
use std::sync::Arc;

use clap::Args;

use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Fleet, FleetArgs};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document};
use crate::analysis::compare::{Compare, CompareReport, Sides};
use crate::analysis::selection::Selection;
use crate::render;

/// Executions that did not succeed, as an expression.
const FAILED: &str = "status in (FAILED, TIMED_OUT, ABORTED)";
/// What they are compared with.
const SUCCEEDED: &str = "status = SUCCEEDED";

/// What failed executions have in common that succeeded ones lack, or any two selections
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope compare --input executions.jsonl.gz
  stepscope compare --input runs/ --state-machine Orders --since 6h
  stepscope compare --input runs/ --by-group
  stepscope compare --input runs/ --group 1:5f0c2a91
  stepscope compare --input runs/ --where \"root_error = 'States.Timeout'\"
  stepscope compare --input runs/ --where 'version = 7' --against 'version = 6'
  stepscope compare --input runs/ --where 'duration > 30s and visited(Charge)'

Fields: status machine version alias name parent map_run start stop hour weekday
duration error root_state root_error group redrives retries input.PATH ….
Comparisons: = != < <= > >=, in (…), like 'a*', exists; visited(STATE),
retried(STATE), took(CHOICE, STATE); joined by and, or, not and parentheses.

What is found is associated with side A; it need not be the cause.")]
pub struct CompareArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Side A: what is to be explained; by default what failed, timed out or was aborted
    #[arg(long = "where", value_name = "EXPRESSION")]
    a: Option<String>,
    /// Side B: what it is compared with; by default what succeeded, or with --where or --group all others
    #[arg(long, value_name = "EXPRESSION")]
    against: Option<String>,
    /// Side A is this failure group, as `failures` names it
    #[arg(long, value_name = "ID", conflicts_with = "a")]
    group: Option<String>,
    /// Compare each failure group of side A on its own
    #[arg(long, conflicts_with = "group")]
    by_group: bool,
    /// Show at most so many findings for each state machine
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    limit: usize,
    /// Exit with code 3 when something was found
    #[arg(long)]
    exit_status: bool,
}

/// Reads, compares and writes.
pub fn run(args: &CompareArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let sides = Arc::new(args.sides()?);
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(|| Compare::new(Arc::clone(&sides)))?;
    let report = answer.question.report(answer.coverage, args.limit);
    if let Some(nothing) = nothing_to_compare(&report) {
        let failed = fleet.problems() > 0 && report.coverage.executions == 0;
        fleet.note(&nothing);
        return Ok(if failed { Exit::Failed } else { Exit::NothingMatched });
    }
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::compare::text(&report, &settings.styles, &settings.redactor, settings.width, out)?,
        format => document(&report, format, settings.redactor, out)?,
    }
    let found = report.comparisons.iter().any(|comparison| !comparison.findings.is_empty());
    Ok(match fleet.problems() {
        0 if found && args.exit_status => Exit::Found,
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

impl CompareArgs {
    fn sides(&self) -> anyhow::Result<Sides> {
        let group = self.group.as_ref().map(|id| format!("group = '{}'", id.replace('\'', "''")));
        let selection = |text: &str, flag: &str| Selection::parse(text).map_err(|error| WrongUsage(format!("{flag}: {error}")));
        let against = self.against.as_deref().map(|text| selection(text, "--against")).transpose()?;
        let sides = if let Some(text) = self.a.as_ref().or(group.as_ref()) {
            let names = if against.is_some() { ("side A", "side B") } else { ("selected", "others") };
            Sides::new(selection(text, "--where")?, against, names)
        } else {
            let names = ("failed", if against.is_some() { "side B" } else { "succeeded" });
            let against = against.map_or_else(|| selection(SUCCEEDED, "--against"), Ok)?;
            Sides::new(selection(FAILED, "--where")?, Some(against), names)
        };
        Ok(Sides { by_group: self.by_group, ..sides })
    }
}

/// Says which side is empty, and what there is.
fn nothing_to_compare(report: &CompareReport) -> Option<String> {
    let there_is = || {
        let statuses: Vec<String> = report.statuses.iter().map(|count| format!("{} {}", count.executions, count.status)).collect();
        let both = if report.on_both_sides > 0 { format!("; {} would be on both sides", report.on_both_sides) } else { String::new() };
        format!("there are {}{both}", statuses.join(", "))
    };
    if report.coverage.executions == 0 {
        return Some("no execution to look at".to_owned());
    }
    if report.comparisons.is_empty() {
        if report.a == FAILED {
            return Some(format!("nothing failed, timed out or was aborted; {}", there_is()));
        }
        return Some(format!("side A is empty, no execution has `{}`; {}", report.a, there_is()));
    }
    let none = report.comparisons.iter().all(|comparison| comparison.b.executions == 0);
    none.then(|| format!("side B is empty, no execution of the same state machine has `{}`; {}", report.b, there_is()))
}
