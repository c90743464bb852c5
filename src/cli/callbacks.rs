//! `callbacks`: what waits for an answer, and whether one still comes.

use std::io::Write;

use clap::Args;

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs, Origin};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document};
use crate::analysis::callbacks::{self, CallbacksReport};
use crate::analysis::observed::Gather;
use crate::render;

/// What waits for a task token, an activity, a job or a child execution, for how long, and whether an answer still comes
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope callbacks --input executions.jsonl.gz --definitions definitions/
  stepscope callbacks --store DIR --since 2h")]
pub struct CallbacksArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Exit with code 3 when something was found
    #[arg(long)]
    exit_status: bool,
}

/// Reads, judges and writes.
pub fn run(args: &CallbacksArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let answer = fleet.ask(Gather::new)?;
    let now = fleet.now(&answer.coverage);
    if let Some(nothing) = fleet.nothing_there(&answer.coverage) {
        fleet.note(&nothing);
        return Ok(fleet.nothing_matched());
    }
    let observed = answer.question.finish();
    let found = now.map(|now| callbacks::find(&observed, now)).unwrap_or_default();
    let mut report = CallbacksReport {
        schema: callbacks::SCHEMA,
        now,
        coverage: answer.coverage,
        findings: found.stuck,
        waiting: found.waiting,
        waiting_left_out: 0,
        classes: found.classes,
        not_enough: found.not_enough,
    };
    let origin = Origin::new(&args.fleet, global);
    report.findings.iter_mut().for_each(|finding| origin.complete(&mut finding.common));
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::callbacks::text(&report, &settings.styles, &settings.redactor, settings.width, out)?,
        format => document(&report, format, settings.redactor, out)?,
    }
    Ok(match (fleet.problems(), report.findings.is_empty()) {
        (0, false) if args.exit_status => Exit::Found,
        (0, _) => Exit::Done,
        _ => Exit::Failed,
    })
}
