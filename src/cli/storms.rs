//! `storms`: where executions retry in lockstep.

use std::cmp::Reverse;
use std::io::Write;

use clap::Args;

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs, Origin, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, cleaner, document, lines};
use super::plot::PlotFile;
use crate::analysis::fleet::Coverage;
use crate::analysis::observed::Gather;
use crate::analysis::storms::{self, Found, Storm, StormsReport};
use crate::model::Micros;
use crate::render;

/// Where executions retry in lockstep: retry storms, how bad they were, and the Retry that would have calmed them
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope storms --input executions.jsonl.gz --definitions definitions/
  stepscope storms --store DIR --since 2h --exit-status
  stepscope storms --input runs/ --state AuthorizePayment --jittered
  stepscope storms --input runs/ --output json | jq '.findings[].evidence.waves'
  stepscope storms --input executions.jsonl.gz --plot storm.svg

A storm is three things at once: executions retry at the same moments, more than
chance explains; their waits have no spread; and the retries are a load. Retries
with jitter are none, and fewer than five executions are not looked at.")]
pub struct StormsArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only storms in this state
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
    /// Only storms of at least so many executions
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    min: usize,
    /// Show at most so many storms
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = at_least_one)]
    limit: usize,
    /// Also show retries that came together but were spread by jitter
    #[arg(long)]
    jittered: bool,
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
    let mut report = args.report(found, now, answer.coverage);
    let origin = Origin::new(&args.fleet, global);
    report.findings.iter_mut().chain(&mut report.others).for_each(|finding| origin.complete(&mut finding.common));
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::storms::text(&report, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => document(&report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => lines(storms::SCHEMA_ROW, &report.findings, settings.redactor, out)?,
    }
    if let Some(file) = &args.plot {
        file.write_or_tell(render::storms_figure::figure(&report, &cleaner(global)).as_ref(), "no storm was found", &mut fleet)?;
    }
    Ok(fleet.ending(args.exit_status && !report.findings.is_empty()))
}

impl StormsArgs {
    /// What was found of what was asked for: the worst first, of those that are as bad the larger.
    fn report(&self, found: Found, now: Option<Micros>, coverage: Coverage) -> StormsReport {
        let (jittered, others): (Vec<Storm>, Vec<Storm>) = found.others.into_iter().partition(|other| self.jittered && other.jittered);
        let is_wanted = |storm: &Storm| storm.executions.len() >= self.min && self.state.as_ref().is_none_or(|state| *state == storm.state);
        let mut findings: Vec<Storm> = found.storms.into_iter().chain(jittered).filter(is_wanted).collect();
        findings.sort_by_key(|storm| (storm.jittered, storm.common.severity, Reverse(storm.executions.len())));
        let left_out = findings.len().saturating_sub(self.limit) as u64;
        findings.truncate(self.limit);
        StormsReport {
            schema: storms::SCHEMA,
            now,
            coverage,
            looked_at: found.looked_at,
            findings,
            left_out,
            others: others.into_iter().filter(is_wanted).collect(),
            not_enough: found.not_enough,
        }
    }
}
