//! `variants`: the ways that executions took.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document};
use crate::analysis::variants::{Options, Sort, Variants, VariantsReport, report};
use crate::render;

/// The ways that executions took: distinct sequences of states, steps that only failures took, a graph
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope variants --input executions.jsonl.gz
  stepscope variants --input executions/ --definitions definitions/ --failed-only
  stepscope variants --input executions/ --sort duration --limit 5
  stepscope variants --input executions/ --variant v1:9f2c41d07ab3
  stepscope variants --input executions/ --state-machine Orders --graph orders.svg
  stepscope variants --input executions/ --graph - --graph-format dot

Turns of a loop and iterations of a Map are folded, branches stand in their order,
retries are counted apart: executions that differ in these alone are one variant.")]
pub struct VariantsArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// The most variants of a state machine; with --variant, the most executions
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Only variants that at least so many executions took
    #[arg(long, value_name = "N", default_value_t = 1)]
    min: u64,
    /// Which variants come first
    #[arg(long, value_enum, value_name = "BY", default_value_t = SortBy::Count)]
    sort: SortBy,
    /// Only variants whose executions did not succeed
    #[arg(long)]
    failed_only: bool,
    /// Only this variant, with its executions
    #[arg(long, value_name = "ID", conflicts_with_all = ["min", "sort", "failed_only"])]
    variant: Option<String>,
}

/// Which variants come first, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortBy {
    /// Those that most executions took
    Count,
    /// Those that failed most often
    Failed,
    /// Those that took longest, by the median
    Duration,
}

impl VariantsArgs {
    fn options(&self) -> Options {
        let sort = match self.sort {
            SortBy::Count => Sort::Count,
            SortBy::Failed => Sort::Failed,
            SortBy::Duration => Sort::Duration,
        };
        Options { limit: self.limit, min: self.min, sort, failed_only: self.failed_only, variant: self.variant.clone() }
    }
}

/// Reads, counts and writes.
pub fn run(args: &VariantsArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(|| Variants::new(args.variant.as_deref()))?;
    let report = report(&answer.question, answer.coverage, &args.options());
    if report.machines.iter().all(|machine| machine.variants.is_empty()) {
        if fleet.problems() > 0 && report.coverage.executions == 0 {
            return Ok(Exit::Failed);
        }
        fleet.note(&nothing_matched(args, &report));
        return Ok(if fleet.problems() > 0 { Exit::Failed } else { Exit::NothingMatched });
    }
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => {
            let opened = args.variant.is_some();
            render::variants::text(&report, opened, &settings.styles, &settings.redactor, settings.width, out)?;
        }
        format => document(&report, format, settings.redactor, out)?,
    }
    Ok(if fleet.problems() > 0 { Exit::Failed } else { Exit::Done })
}

fn nothing_matched(args: &VariantsArgs, report: &VariantsReport) -> String {
    match (&args.variant, report.coverage.executions) {
        (_, 0) => "no execution matched".to_owned(),
        (Some(id), executions) => format!("none of {executions} executions took the variant `{id}`; `stepscope variants` lists them"),
        (None, executions) => format!("no variant of {executions} executions is left by --min and --failed-only"),
    }
}
