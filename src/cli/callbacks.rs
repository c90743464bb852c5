//! `callbacks`: what waits for an answer, and whether one still comes.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::exit_code::Exit;
use super::fleet::{Fleet, FleetArgs, Origin, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, cleaner, document, lines};
use super::plot::PlotFile;
use super::tokens::Tokens;
use crate::analysis::callbacks::{self, CallbacksReport, Shown, Verdict};
use crate::analysis::observed::Gather;
use crate::render;

/// Rows of the table on a screen unless told otherwise.
const ROWS: usize = 20;

/// What waits for a task token, an activity, a job or a child execution, for how long, and whether an answer still comes
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope callbacks --input executions.jsonl.gz --definitions definitions/
  stepscope callbacks --store DIR --now 2026-11-20T08:00:00Z
  stepscope callbacks --input exports/ --state 'Approve*' --verdict stuck,late
  stepscope callbacks --input exports/ --execution run-17 --show-tokens
  stepscope callbacks --input exports/ --state Approve --plot approve.svg
  stepscope callbacks --input exports/ --output json | jq '.waiting[].age_ms'

Healthy waits of each state are learned from those that were answered, with the
open ones counted for as long as they lasted. Where answers keep working hours,
ages are counted in those. The commands shown are never run.")]
pub struct CallbacksArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Only this state: a name, or a pattern with `*` and `?`; may be given several times
    #[arg(long, value_name = "NAME")]
    state: Vec<String>,
    /// Only waits that are judged so
    #[arg(long, value_enum, value_delimiter = ',', value_name = "VERDICT,…")]
    verdict: Vec<VerdictArg>,
    /// Only this execution: a name or an ARN; may be given several times. Its history is looked at again, for the worker's name
    #[arg(long, value_name = "NAME")]
    execution: Vec<String>,
    /// At most so many open waits; 20 on a screen unless given
    #[arg(long, value_name = "COUNT", value_parser = at_least_one)]
    limit: Option<usize>,
    /// Write task tokens into the commands: whoever has one can answer for the worker
    ///
    /// Without it the commands hold the variable ${TASK_TOKEN}. The histories of the waits shown are read again for it. Everything else
    /// stays masked unless --no-redact is given, too.
    #[arg(long)]
    show_tokens: bool,
    /// Draw how long waits of the worst state take, and how old the open ones are: FILE.svg or FILE.png
    #[arg(long, value_name = "FILE")]
    plot: Option<PlotFile>,
    /// Exit with code 3 when something is stuck
    #[arg(long)]
    exit_status: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VerdictArg {
    Stuck,
    Late,
    Unknown,
    Normal,
}

impl CallbacksArgs {
    fn shown(&self, format: OutputFormat) -> Shown {
        let verdict = |verdict: &VerdictArg| match verdict {
            VerdictArg::Stuck => Verdict::Stuck,
            VerdictArg::Late => Verdict::Late,
            VerdictArg::Unknown => Verdict::Unknown,
            VerdictArg::Normal => Verdict::Normal,
        };
        Shown {
            states: self.state.clone(),
            verdicts: self.verdict.iter().map(verdict).collect(),
            executions: self.execution.clone(),
            limit: self.limit.filter(|_| format != OutputFormat::Text),
        }
    }
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
    report.narrow(&args.shown(global.output));
    if let Some(file) = &args.plot {
        file.write_or_tell(render::callbacks::figure(&report, &cleaner(global)).as_ref(), "no wait was answered", &mut fleet)?;
    }
    let ending = fleet.ending(args.exit_status && !report.findings.is_empty());
    drop(fleet);
    let mut tokens = Tokens::default();
    if args.show_tokens || !args.execution.is_empty() {
        tokens = Tokens::read(&args.fleet, global, &mut report, args.show_tokens, words)?;
    }
    let origin = Origin::new(&args.fleet, global);
    report.findings.iter_mut().for_each(|finding| origin.complete(&mut finding.common));
    let mut text = Vec::new();
    write(&report, args.limit.unwrap_or(ROWS), global, &mut text)?;
    out.write_all(&tokens.fill_in(text))?;
    Ok(ending)
}

fn write(report: &CallbacksReport, rows: usize, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::callbacks::text(report, rows, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => document(report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => lines(callbacks::SCHEMA_ROW, &report.findings, settings.redactor, out)?,
    }
    Ok(())
}
