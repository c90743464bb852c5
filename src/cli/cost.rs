//! `cost`: what executions cost, per state, and what is paid in vain.

use std::io::Write;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Answer, Fleet, FleetArgs};
use super::global::{GlobalArgs, OutputFormat};
use super::output::TextSettings;
use super::plot::PlotFile;
use crate::analysis::cost::{self, ASSUMED_MEMORY_MB, CostQuestion, CostReport, CostSettings, PeriodLength, Prices, Wanted, Window};
use crate::analysis::fleet::Coverage;
use crate::render;
use crate::render::cost::View;

/// The largest memory that makes sense, in MB.
const MOST_MEMORY_MB: u64 = 1 << 20;

/// What executions cost: transitions per state, retries and polling apart, Standard against Express
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope cost --input executions.jsonl.gz
  stepscope cost --input histories/ --by state
  stepscope cost --input histories/ --state-machine Orders --plot cost.svg
  stepscope cost --input histories/ --by execution --output jsonl
  stepscope cost --input histories/ --prices our-prices.toml

Counts what the events tell: each state entered, and each retry. Amounts are
list prices of the table in the program, without discounts; docs/cost.md says
how they are counted and what a file of prices looks like.")]
pub struct CostArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// What the rows are [default: machines with their states]
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<By>,
    /// File with prices that go before those in the program
    #[arg(long, value_name = "FILE")]
    prices: Option<String>,
    /// Memory of Express executions, where nothing tells what was billed, in MB
    #[arg(long, value_name = "MB", default_value_t = ASSUMED_MEMORY_MB, value_parser = clap::value_parser!(u64).range(1..=MOST_MEMORY_MB))]
    express_memory: u64,
    /// Draw the cost per state, and per day or hour, as SVG or PNG
    #[arg(long, value_name = "FILE.svg|png")]
    plot: Option<PlotFile>,
}

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    State,
    Machine,
    Execution,
    Day,
    Hour,
}

/// Reads, counts, prices and writes.
pub fn run(args: &CostArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let prices = prices(args)?;
    let settings = CostSettings { memory_mb: args.express_memory, keep_executions: args.by == Some(By::Execution) };
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let Answer { question, coverage } = fleet.ask(|| CostQuestion::new(settings))?;
    if question.is_empty() {
        if fleet.problems() == 0 {
            fleet.note(&fleet.nothing_there(&coverage).unwrap_or_else(|| "no execution has anything to count".to_owned()));
        }
        return Ok(fleet.nothing_matched());
    }
    let window = window(&fleet, &coverage);
    let period = period(args, window);
    let report = cost::report(question, coverage, Wanted { prices: &prices, window, period });
    write(&report, args, global, out)?;
    if let Some(file) = &args.plot {
        file.write(&render::cost::figure(&report, &TextSettings::resolve(global).redactor), &mut fleet)?;
    }
    Ok(fleet.ending(false))
}

/// The time that a rate rests on: what the user named, else from the first start to the last.
fn window(fleet: &Fleet<'_>, coverage: &Coverage) -> Option<Window> {
    let asked = fleet.window();
    let from = asked.since.or(coverage.first_start)?;
    let to = asked.until.or(coverage.last_start)?;
    Some(Window { from, to })
}

/// What was asked for; else hours for a few days, days for more.
fn period(args: &CostArgs, window: Option<Window>) -> PeriodLength {
    const THREE_DAYS: i64 = 3 * 86_400_000_000;
    let is_short = || window.is_some_and(|window| window.to.0.saturating_sub(window.from.0) < THREE_DAYS);
    match args.by {
        Some(By::Hour) => PeriodLength::Hour,
        Some(By::Day) => PeriodLength::Day,
        _ if is_short() => PeriodLength::Hour,
        _ => PeriodLength::Day,
    }
}

fn prices(args: &CostArgs) -> anyhow::Result<Prices> {
    let Some(file) = &args.prices else { return Ok(Prices::built_in()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("failed to read the prices of `{file}`"))?;
    Prices::overridden(file, &text).map_err(|error| WrongUsage(format!("these prices cannot be used: {error}")).into())
}

fn write(report: &CostReport, args: &CostArgs, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    let view = match args.by {
        None => View::Whole,
        Some(By::State) => View::States,
        Some(By::Machine) => View::Machines,
        Some(By::Execution) => View::Executions,
        Some(By::Day | By::Hour) => View::Periods,
    };
    match global.output {
        OutputFormat::Jsonl if view == View::Executions => render::cost::executions(report, &settings.redactor, out)?,
        OutputFormat::Jsonl => render::cost::json(report, true, &settings.redactor, out)?,
        OutputFormat::Json => render::cost::json(report, false, &settings.redactor, out)?,
        OutputFormat::Text => render::cost::text(report, view, &settings.styles, &settings.redactor, settings.width, out)?,
    }
    Ok(())
}
