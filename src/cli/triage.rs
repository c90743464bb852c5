//! `triage`: what is broken now, the worst first.

use std::io::Write;

use clap::Args;

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs, Origin, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, lines};
use crate::analysis::failures::Failures;
use crate::analysis::finding::Severity;
use crate::analysis::observed::Gather;
use crate::analysis::runway::RunwayQuestion;
use crate::analysis::triage;
use crate::render;

/// What is broken now, the worst first: failures by cause, retry storms, stuck callbacks, what changed, limits that are near
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope triage --input executions.jsonl.gz --definitions definitions/
  stepscope triage --store DIR --since 24h
  stepscope triage --input runs/ --output json | jq '.findings[].summary'
  stepscope triage --store DIR --exit-status --quiet")]
pub struct TriageArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Show at most so many incidents
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = at_least_one)]
    limit: usize,
    /// Exit with code 3 when something was found that is at least a warning
    #[arg(long)]
    exit_status: bool,
}

/// Reads, judges and writes.
pub fn run(args: &TriageArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(|| (Gather::new(), (Failures::new(false), RunwayQuestion::default())))?;
    if let Some(nothing) = fleet.nothing_there(&answer.coverage) {
        fleet.note(&nothing);
        return Ok(fleet.nothing_matched());
    }
    let now = fleet.now(&answer.coverage);
    let (gathered, (failures, runway)) = answer.question;
    let mut detected = triage::detect(&gathered.finish(), &failures, runway, &answer.coverage, now);
    // Inputs are most of the bytes, and few changes are explained by them: they are read only when one is.
    if let Some(attributes) = detected.changes.attributes() {
        let answer = fleet.ask(|| attributes.clone())?;
        detected.changes.explain(answer.question);
    }
    let mut report = triage::report(detected, answer.coverage, now);
    let origin = Origin::new(&args.fleet, global);
    report.findings.iter_mut().for_each(|finding| origin.complete(finding.common_mut()));
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => {
            render::triage::text(&report, args.limit, &settings.styles, &settings.redactor, settings.width, out)?;
        }
        OutputFormat::Json => document(&report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => lines(triage::SCHEMA_FINDING, &report.findings, settings.redactor, out)?,
    }
    let is_bad = report.incidents.iter().any(|incident| incident.severity <= Severity::Warning);
    Ok(fleet.ending(args.exit_status && is_bad))
}
