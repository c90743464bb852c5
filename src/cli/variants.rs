//! `variants`: the ways that executions took.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Fleet, FleetArgs, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, redactor};
use crate::analysis::variants::{Options, Sort, Variants, VariantsReport, report};
use crate::render;
use crate::render::graph::{ColorBy, GraphOf, picture};

/// The ways that executions took: distinct sequences of states, steps that only failures took, a graph
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope variants --input executions.jsonl.gz
  stepscope variants --input runs/ --definitions definitions/ --failed-only
  stepscope variants --input runs/ --sort duration --limit 5
  stepscope variants --input runs/ --variant v1:9f2c41d07ab3
  stepscope variants --input runs/ --state-machine Orders --graph orders.svg
  stepscope variants --input runs/ --graph - --graph-format dot

Turns of a loop and iterations of a Map are folded, branches stand in their
order, retries are counted apart: executions that differ in these alone are one
variant.")]
pub struct VariantsArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// The most variants of a state machine; with --variant, the most executions
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
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
    /// Write a graph to this file, .svg or .dot; `-` for standard output in place of the report
    #[arg(long, value_name = "FILE", help_heading = "Graph")]
    graph: Option<String>,
    /// What the graph is written as, where the file's name does not tell
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Graph", requires = "graph")]
    graph_format: Option<GraphFormat>,
    /// What the graph shows; by default the definition where it is known
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Graph", requires = "graph")]
    graph_of: Option<Shown>,
    /// What the colours of states mean
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Graph", requires = "graph", default_value_t = Colored::Failures)]
    color_by: Colored,
}

/// What a graph is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// A picture, laid out
    Svg,
    /// Text for Graphviz
    Dot,
}

/// What a graph shows, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// All states of the definition, with what was seen laid over
    Definition,
    /// Only what was seen
    Observed,
}

/// What colours mean, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colored {
    /// How many visits failed
    Failures,
    /// How long visits took on average
    Time,
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

impl VariantsArgs {
    /// What the graph is to be written as, if one was asked for.
    fn graph_format(&self) -> Result<Option<GraphFormat>, WrongUsage> {
        let Some(file) = &self.graph else { return Ok(None) };
        let ending = Path::new(file).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let format = self.graph_format.or(match ending.as_deref() {
            Some("svg") => Some(GraphFormat::Svg),
            Some("dot" | "gv") => Some(GraphFormat::Dot),
            _ => None,
        });
        let unknown =
            || WrongUsage(format!("what is the graph `{file}` to be? Add --graph-format svg or dot, or name a file .svg or .dot"));
        format.map(Some).ok_or_else(unknown)
    }

    /// Graphs of all state machines of the report.
    fn draw(&self, report: &VariantsReport, format: GraphFormat, global: &GlobalArgs) -> Result<String, WrongUsage> {
        let by = match self.color_by {
            Colored::Failures => ColorBy::Failures,
            Colored::Time => ColorBy::Time,
        };
        let mut graphs = Vec::new();
        for machine in &report.machines {
            let of = match self.graph_of {
                Some(Shown::Definition) if !machine.has_definition => {
                    let name = machine.name.as_deref().unwrap_or("the state machine");
                    return Err(WrongUsage(format!("no definition of {name} is at hand: give --definitions, or --graph-of observed")));
                }
                Some(Shown::Observed) => GraphOf::Observed,
                _ if machine.has_definition => GraphOf::Definition,
                _ => GraphOf::Observed,
            };
            graphs.push(picture(machine, of, by, &redactor(global)));
        }
        Ok(match format {
            GraphFormat::Svg => render::graph::svg(&graphs),
            GraphFormat::Dot => render::graph::dot(&graphs),
        })
    }
}

/// Reads, counts and writes.
pub fn run(args: &VariantsArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let format = args.graph_format()?;
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(|| Variants::new(args.variant.as_deref()))?;
    let report = report(&answer.question, answer.coverage, &args.options());
    if report.machines.iter().all(|machine| machine.variants.is_empty()) {
        if fleet.problems() > 0 && report.coverage.executions == 0 {
            return Ok(Exit::Failed);
        }
        fleet.note(&fleet.nothing_there(&report.coverage).unwrap_or_else(|| nothing_matched(args, &report)));
        return Ok(fleet.nothing_matched());
    }
    if let (Some(file), Some(format)) = (&args.graph, format) {
        let graph = args.draw(&report, format, global)?;
        if file == "-" {
            out.write_all(graph.as_bytes())?;
            return Ok(fleet.ending(false));
        }
        std::fs::write(file, graph).with_context(|| format!("failed to write the graph to {file}"))?;
        fleet.note(&format!("wrote {file}"));
    }
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => {
            let opened = args.variant.is_some();
            render::variants::text(&report, opened, &settings.styles, &settings.redactor, settings.width, out)?;
        }
        OutputFormat::Json => document(&report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => {
            for line in report.lines() {
                document(&line, OutputFormat::Jsonl, settings.redactor, out)?;
            }
        }
    }
    Ok(fleet.ending(false))
}

fn nothing_matched(args: &VariantsArgs, report: &VariantsReport) -> String {
    let executions = report.coverage.executions;
    match &args.variant {
        Some(id) => format!("none of {executions} executions took the variant `{id}`; `stepscope variants` lists them"),
        None => format!("no variant of {executions} executions is left by --min and --failed-only"),
    }
}
