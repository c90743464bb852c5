//! `storms`: where executions retry in lockstep.

use std::io::Write;

use clap::Args;

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs, Origin};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{self, TextSettings, document};
use super::plot::PlotFile;
use crate::analysis::observed::Gather;
use crate::analysis::storms::{self, StormsReport};
use crate::render::{self, escape};

/// Where executions retry in lockstep: retry storms, how bad they were, and the Retry that would have calmed them
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope storms --input executions.jsonl.gz --definitions definitions/
  stepscope storms --store DIR --since 2h
  stepscope storms --input executions.jsonl.gz --plot storm.svg")]
pub struct StormsArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Draw retries over time, as they were and simulated with the change: FILE.svg or FILE.png
    #[arg(long, value_name = "FILE")]
    plot: Option<PlotFile>,
    /// Exit with code 3 when something was found
    #[arg(long)]
    exit_status: bool,
}

/// Reads, judges and writes.
pub fn run(args: &StormsArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(Gather::new)?;
    let now = fleet.now(&answer.coverage);
    if let Some(nothing) = fleet.nothing_there(&answer.coverage) {
        fleet.note(&nothing);
        return Ok(fleet.nothing_matched());
    }
    let observed = answer.question.finish();
    let found = now.map(|now| storms::find(&observed, now)).unwrap_or_default();
    let mut report = StormsReport {
        schema: storms::SCHEMA,
        now,
        coverage: answer.coverage,
        looked_at: found.looked_at,
        findings: found.storms,
        left_out: 0,
        others: found.others,
        not_enough: found.not_enough,
    };
    let origin = Origin::new(&args.fleet, global);
    report.findings.iter_mut().for_each(|finding| origin.complete(&mut finding.common));
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::storms::text(&report, &settings.styles, &settings.redactor, settings.width, out)?,
        format => document(&report, format, settings.redactor, out)?,
    }
    if let Some(file) = &args.plot {
        plot(&report, file, global, &mut fleet)?;
    }
    Ok(match (fleet.problems(), report.findings.is_empty()) {
        (0, false) if args.exit_status => Exit::Found,
        (0, _) => Exit::Done,
        _ => Exit::Failed,
    })
}

fn plot(report: &StormsReport, file: &PlotFile, global: &GlobalArgs, fleet: &mut Fleet<'_>) -> anyhow::Result<()> {
    let redactor = output::redactor(global);
    let clean = |text: &str| escape::line(&redactor.apply(text)).into_owned();
    match render::storms_figure::figure(report, &clean) {
        Some(figure) => {
            file.write(&figure)?;
            fleet.note(&format!("wrote {}", file.name()));
        }
        None => fleet.note("no storm was found: there is nothing to draw"),
    }
    Ok(())
}
