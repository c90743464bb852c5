//! `failures`: what failed, grouped by cause.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Fleet, FleetArgs, Origin, Window, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, lines};
use crate::analysis::execution::quoted;
use crate::analysis::failures::{self, Asked, FailureGroup, FailureGroupReport, Failures, FailuresReport, Sort};
use crate::analysis::why::NextCommand;
use crate::model::ExecutionStatus;
use crate::render;

/// What failed, timed out or was stopped, grouped by cause: how often, since when, and whether that is new
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope failures --input executions.jsonl.gz
  stepscope failures --input runs/ --state-machine Orders --since 2h --sort new
  stepscope failures --input runs/ --status timed-out,aborted
  stepscope failures --input runs/ --group 1:5f0c
  stepscope failures --input runs/ --group 1:5f0c --output jsonl | jq .execution
  stepscope failures --input runs/ --output json | jq -r '.groups[].id'

A failure is recognised by state machine, state, error, the message without ids,
numbers, times and names, and the innermost frames of the stack. An execution
that failed because a child did counts with the child's failure. What came
before the window tells what is new in it.")]
pub struct FailuresArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    /// Open one group: the beginning of its id is enough
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Only executions that ended so
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATUS,…")]
    status: Vec<Ended>,
    /// Which groups come first
    #[arg(long, value_enum, default_value_t = Order::Count, value_name = "ORDER")]
    sort: Order,
    /// Show at most so many groups
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = at_least_one)]
    limit: usize,
    /// Only groups of at least so many executions
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    min: u64,
    /// Exit with code 3 when something failed
    #[arg(long)]
    exit_status: bool,
}

/// How an execution ended, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ended {
    Failed,
    TimedOut,
    Aborted,
}

/// Which groups come first, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// The largest
    Count,
    /// Those that were seen last
    Recent,
    /// Those that are new, then those that began last
    New,
}

/// Reads, groups and writes.
pub fn run(args: &FailuresArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut fleet = Fleet::open(&args.fleet, global, words)?;
    let opens = args.group.is_some();
    let answer = fleet.ask(|| Failures::new(opens))?;
    let asked = args.asked(fleet.window());
    let report = failures::report(&answer.question, &answer.coverage, &asked);
    if report.failures == 0 {
        if fleet.problems() > 0 && answer.coverage.executions == 0 {
            return Ok(Exit::Failed);
        }
        fleet.note(&fleet.nothing_there(&report.coverage).unwrap_or_else(|| nothing_failed(&report, args)));
        return Ok(fleet.nothing_matched());
    }
    let commands = Commands(Origin::new(&args.fleet, global));
    if let Some(wanted) = &args.group {
        match failures::open(&answer.question, &answer.coverage, &asked, wanted) {
            Ok(mut opened) => {
                opened.group.next = commands.for_opened(&opened.group);
                write_group(&opened, global, out)?;
            }
            Err(none @ failures::Unopened::None { .. }) => {
                fleet.note(&none.to_string());
                return Ok(fleet.nothing_matched());
            }
            Err(several) => return Err(WrongUsage(several.to_string()).into()),
        }
    } else {
        let mut report = report;
        if report.groups.is_empty() {
            fleet.note(&format!("no group has {} or more executions; {} failed", args.min, report.failures));
            return Ok(fleet.nothing_matched());
        }
        for group in &mut report.groups {
            group.next = commands.for_listed(group);
        }
        write(&report, global, out)?;
    }
    Ok(fleet.ending(args.exit_status))
}

fn nothing_failed(report: &FailuresReport, args: &FailuresArgs) -> String {
    let how = |ended: &Ended| ended.to_possible_value().map_or_else(String::new, |value| value.get_name().replace('-', " "));
    let wanted: Vec<String> = args.status.iter().map(how).collect();
    let what = if wanted.is_empty() { "failed".to_owned() } else { format!("ended as {}", wanted.join(" or ")) };
    match report.coverage.executions {
        1 => format!("the only execution looked at has not {what}"),
        executions => format!("none of {executions} executions {what}"),
    }
}

fn write(report: &FailuresReport, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::failures::text(report, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => document(report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => lines(failures::SCHEMA_ROW, &report.groups, settings.redactor, out)?,
    }
    Ok(())
}

fn write_group(report: &FailureGroupReport, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::failures::group(report, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => document(report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => lines(failures::SCHEMA_EXECUTION, &report.members, settings.redactor, out)?,
    }
    Ok(())
}

impl FailuresArgs {
    fn asked(&self, window: Window) -> Asked {
        let status = |ended: &Ended| match ended {
            Ended::Failed => ExecutionStatus::Failed,
            Ended::TimedOut => ExecutionStatus::TimedOut,
            Ended::Aborted => ExecutionStatus::Aborted,
        };
        Asked {
            statuses: self.status.iter().map(status).collect(),
            least: self.min,
            limit: self.limit,
            sort: match self.sort {
                Order::Count => Sort::Count,
                Order::Recent => Sort::Recent,
                Order::New => Sort::New,
            },
            since: window.since,
            until: window.until,
        }
    }
}

/// Commands that go on from a group, for the same executions.
struct Commands<'a>(Origin<'a>);

impl Commands<'_> {
    fn for_listed(&self, group: &FailureGroup) -> Vec<NextCommand> {
        let open =
            NextCommand { text: "everything about it".to_owned(), command: self.0.fleet("failures", &format!("--group {}", group.id)) };
        self.why(group).into_iter().chain([open]).collect()
    }

    fn for_opened(&self, group: &FailureGroup) -> Vec<NextCommand> {
        let compare = NextCommand {
            text: "what these executions have in common that others lack".to_owned(),
            command: self.0.fleet("compare", &which(group)),
        };
        self.why(group).into_iter().chain([compare]).collect()
    }

    /// The latest execution at length.
    fn why(&self, group: &FailureGroup) -> Option<NextCommand> {
        let sample = group.samples.first()?;
        let name = if sample.name.is_empty() { &sample.execution } else { &sample.name };
        Some(NextCommand { text: "why the latest one".to_owned(), command: self.0.execution("why", name, "") })
    }
}

/// The selection that `compare` takes for a group.
fn which(group: &FailureGroup) -> String {
    if group.caused_by.is_none() && group.merged_from.is_empty() {
        return format!("--group {}", group.id);
    }
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let conditions: Vec<String> = if group.caused_by.is_some() {
        let states: Vec<String> = group.waited_in.iter().filter_map(|waited| waited.state.as_deref()).map(text).collect();
        vec![format!("root_state in ({})", states.join(", "))]
    } else {
        let part = |field: &str, value: &Option<String>| value.as_deref().map(|value| format!("{field} = {}", text(value)));
        [part("root_state", &group.state), part("root_error", &group.error)].into_iter().flatten().collect()
    };
    format!("--where {}", quoted(&conditions.join(" and ")))
}
