//! `latency`: how long states and state machines take, and on what the time is spent.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs, Window};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, cleaner, document, lines};
use super::plot::PlotFile;
use super::traces::{self, TraceArgs};
use crate::analysis::latency::{self, By, LatencyOptions, LatencyQuestion, LatencyReport, Sort};
use crate::analysis::trace::{TraceIndex, TracesQuestion, TracesReport};
use crate::model::StateMachineArn;
use crate::render;

/// How long states take: percentiles, what the time is spent on, the critical path, what changed
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope latency --input executions.jsonl.gz
  stepscope latency --store history/ --since 24h
  stepscope latency --input exports/ --state-machine Orders --sort critical
  stepscope latency --input exports/ --state ChargeCard --by hour
  stepscope latency --input exports/ --by version --limit 5
  stepscope latency --input exports/ --state 'Charge*' --plot charge.svg
  stepscope latency --input exports/ --output json | jq .states[0].p95_ms
  stepscope latency --input exports/ --trace traces/

Durations are those of visits, from entered to exited; quantiles are exact, by
linear interpolation (type 7). With --since the window is compared with as long
a time before it, without it the later half of the time with the earlier.")]
pub struct LatencyArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only this state: a name, or a pattern with `*` and `?`; may be given several times
    #[arg(long, value_name = "NAME")]
    state: Vec<String>,
    /// Rows for each hour, or for each version of the machine
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<ByArg>,
    /// Order of a machine's states, the largest first
    #[arg(long, value_enum, value_name = "FIGURE", default_value_t = SortArg::P95)]
    sort: SortArg,
    /// Only so many states of each machine
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Draw percentiles of each state, a histogram, percentiles over time: FILE.svg or FILE.png
    #[arg(long, value_name = "FILE")]
    plot: Option<PlotFile>,
    #[command(flatten)]
    traces: TraceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ByArg {
    Hour,
    Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SortArg {
    P50,
    P90,
    P95,
    P99,
    Max,
    Total,
    Critical,
    Visits,
    Retries,
    Name,
}

impl LatencyArgs {
    fn options(&self, window: Window) -> LatencyOptions {
        LatencyOptions {
            by: self.by.map(|by| match by {
                ByArg::Hour => By::Hour,
                ByArg::Version => By::Version,
            }),
            states: self.state.clone(),
            since: window.since,
            until: window.until,
            sort: match self.sort {
                SortArg::P50 => Sort::P50,
                SortArg::P90 => Sort::P90,
                SortArg::P95 => Sort::P95,
                SortArg::P99 => Sort::P99,
                SortArg::Max => Sort::Max,
                SortArg::Total => Sort::Total,
                SortArg::Critical => Sort::Critical,
                SortArg::Visits => Sort::Visits,
                SortArg::Retries => Sort::Retries,
                SortArg::Name => Sort::Name,
            },
            limit: self.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            picture: self.plot.is_some(),
        }
    }
}

/// Reads, reckons and writes.
pub fn run(args: &LatencyArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let options = args.options(fleet.window());
    let answer = fleet.ask(|| LatencyQuestion::new(&options))?;
    let mut report = answer.question.report(answer.coverage);
    if report.states.is_empty() {
        if fleet.problems() > 0 {
            return Ok(Exit::Failed);
        }
        fleet.note(&fleet.nothing_there(&report.coverage).unwrap_or_else(|| nothing_matched(&report, args)));
        return Ok(fleet.nothing_matched());
    }
    if args.traces.is_wanted() {
        report.traces = Some(traced(args, &report, global, &mut fleet)?);
    }
    write(&report, global, out)?;
    if let Some(file) = &args.plot {
        file.write_or_tell(render::latency::figure(&report, &cleaner(global)).as_ref(), "no visit was exited", &mut fleet)?;
    }
    Ok(fleet.ending(false))
}

/// What traces tell of the same executions.
fn traced(args: &LatencyArgs, report: &LatencyReport, global: &GlobalArgs, fleet: &mut Fleet<'_>) -> anyhow::Result<TracesReport> {
    let mut machines: Vec<StateMachineArn> = report.machines.iter().filter_map(|row| row.state_machine.as_deref()?.parse().ok()).collect();
    machines.dedup();
    let window = report.coverage.first_start.zip(report.coverage.last_start);
    let traces = traces::of_machines(&args.traces, &machines, window, global, fleet)?;
    let index = TraceIndex::new(&traces);
    let answer = fleet.ask(|| TracesQuestion::new(&index, &args.state))?;
    Ok(answer.question.report(traces.len()))
}

fn write(report: &LatencyReport, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::latency::text(report, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Jsonl => lines(latency::ROW_SCHEMA, &report.states, settings.redactor, out)?,
        OutputFormat::Json => document(report, OutputFormat::Json, settings.redactor, out)?,
    }
    Ok(())
}

fn nothing_matched(report: &LatencyReport, args: &LatencyArgs) -> String {
    let executions = report.coverage.executions;
    let what = if args.state.is_empty() { "a state".to_owned() } else { args.state.join(", ") };
    format!("no visit of {what} in {executions} {}", if executions == 1 { "execution" } else { "executions" })
}
