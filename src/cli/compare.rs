//! `compare`: what some executions have in common that others lack.

use std::io::Write;
use std::sync::Arc;

use clap::Args;

use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Fleet, FleetArgs, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document};
use crate::analysis::compare::{Compare, CompareReport, Grouping, Groups, NoGroup, Sides};
use crate::analysis::failures::{self, Asked, Failures};
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
retried(STATE), took(CHOICE, STATE); visits(STATE) > 3, items(MAP) > 100,
length(input.PATH) = 0; joined by and, or, not and parentheses.

What is found is associated with side A; it need not be the cause.")]
pub struct CompareArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Side A: what is to be explained; by default what failed, timed out or was aborted
    #[arg(long = "where", value_name = "EXPRESSION")]
    a: Option<String>,
    /// Side B: what it is compared with; by default what succeeded, or with --where all others
    #[arg(long, value_name = "EXPRESSION")]
    against: Option<String>,
    /// Side A is this failure group of `failures`: the beginning of its id is enough
    #[arg(long, value_name = "ID", conflicts_with = "a")]
    group: Option<String>,
    /// Compare each failure group of side A on its own
    #[arg(long, conflicts_with = "group")]
    by_group: bool,
    /// Show at most so many findings for each state machine
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = at_least_one)]
    limit: usize,
    /// Exit with code 3 when something was found
    #[arg(long)]
    exit_status: bool,
}

/// Reads, compares and writes.
pub fn run(args: &CompareArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let sides = Arc::new(args.sides()?);
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let report = match ask(args, &mut fleet, &sides)? {
        Ok(report) => report,
        Err(none @ NoGroup::None { .. }) => {
            fleet.note(&none.to_string());
            return Ok(fleet.nothing_matched());
        }
        Err(several) => return Err(WrongUsage(several.to_string()).into()),
    };
    if fleet.problems() > 0 && report.coverage.executions == 0 {
        return Ok(Exit::Failed);
    }
    if let Some(nothing) = fleet.nothing_there(&report.coverage).or_else(|| nothing_to_compare(&report)) {
        fleet.note(&nothing);
        return Ok(fleet.nothing_matched());
    }
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::compare::text(&report, &settings.styles, &settings.redactor, settings.width, out)?,
        format => document(&report, format, settings.redactor, out)?,
    }
    let found = report.comparisons.iter().any(|comparison| !comparison.findings.is_empty());
    Ok(fleet.ending(args.exit_status && found))
}

/// One pass over the executions. Where failures are explained they are grouped as well, as `failures` groups them.
fn ask(args: &CompareArgs, fleet: &mut Fleet<'_>, sides: &Arc<Sides>) -> anyhow::Result<Result<CompareReport, NoGroup>> {
    let compare = || Compare::new(Arc::clone(sides));
    if args.a.is_some() && !args.by_group {
        let answer = fleet.ask(compare)?;
        return Ok(Ok(answer.question.report(answer.coverage, args.limit, &Grouping::Unknown)));
    }
    let answer = fleet.ask(|| (compare(), Failures::new(false)))?;
    let (compare, failures) = answer.question;
    let asked = Asked { limit: usize::MAX, ..Asked::default() };
    let groups = Groups::of(&failures::report(&failures, &answer.coverage, &asked).groups);
    let grouping = match &args.group {
        Some(wanted) => match groups.only(wanted) {
            Ok(only) => Grouping::Apart(only),
            Err(none) => return Ok(Err(none)),
        },
        None if args.by_group => Grouping::Apart(groups),
        None => Grouping::Named(groups),
    };
    Ok(Ok(compare.report(answer.coverage, args.limit, &grouping)))
}

impl CompareArgs {
    fn sides(&self) -> anyhow::Result<Sides> {
        let selection = |text: &str, flag: &str| Selection::parse(text).map_err(|error| WrongUsage(format!("{flag}: {error}")));
        let against = self.against.as_deref().map(|text| selection(text, "--against")).transpose()?;
        let sides = if let Some(text) = &self.a {
            let names = if against.is_some() { ("side A", "side B") } else { ("selected", "others") };
            Sides::new(selection(text, "--where")?, against, names)
        } else {
            let names = ("failed", if against.is_some() { "side B" } else { "succeeded" });
            let against = against.map_or_else(|| selection(SUCCEEDED, "--against"), Ok)?;
            Sides::new(selection(FAILED, "--where")?, Some(against), names)
        };
        Ok(sides)
    }
}

/// Says which side is empty, and what there is.
fn nothing_to_compare(report: &CompareReport) -> Option<String> {
    let there_is = || {
        let statuses: Vec<String> = report.statuses.iter().map(|count| format!("{} {}", count.executions, count.status)).collect();
        let both = if report.on_both_sides > 0 { format!("; {} would be on both sides", report.on_both_sides) } else { String::new() };
        format!("there are {}{both}", statuses.join(", "))
    };
    if report.comparisons.is_empty() {
        if report.a == FAILED {
            return Some(format!("nothing failed, timed out or was aborted; {}", there_is()));
        }
        return Some(format!("side A is empty, no execution has `{}`; {}", report.a, there_is()));
    }
    let none = report.comparisons.iter().all(|comparison| comparison.b.executions == 0);
    none.then(|| format!("side B is empty, no execution of the same state machine has `{}`; {}", report.b, there_is()))
}
