//! `why`: why executions failed.

use std::collections::{HashMap, HashSet};
use std::io::Write;

use clap::{Args, ValueEnum};

use super::aws_settings;
use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::load::{ExecArgs, Loader, NothingFailed, definition_of};
use super::output::TextSettings;
use super::task_log::{self, Wanted};
use crate::analysis::why::{self, Evidence, WhyReport};
use crate::model::{ExecutionArn, ExecutionStatus, Gap, History};
use crate::rebuild::rebuild;
use crate::render;

/// How many nested executions are followed down to the one that failed first.
const DEEPEST_CHILD: usize = 10;

/// Why it failed: the state at fault, the input it really received, the decoded error, every attempt, the way there
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope why arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1
  stepscope why 'https://eu-west-1.console.aws.amazon.com/states/home?…'
  stepscope why --state-machine Orders --latest-failed --profile prod
  aws stepfunctions get-execution-history --execution-arn … | stepscope why -
  stepscope why executions.jsonl.gz --status failed,timed-out
  stepscope why executions/ --execution run-17
  stepscope why history.json --output json | jq -r .root_cause.input
  stepscope why --state-machine Orders --latest-failed --logs
  stepscope why history.json --logs=200 --log-group /services/charge

One execution is explained at length, several get one line each and a summary. A
failed child execution is followed when it is among the input or can be fetched.
--logs asks CloudWatch Logs for what the failed task wrote: docs/why-logs.md.")]
pub struct WhyArgs {
    #[command(flatten)]
    execs: ExecArgs,
    /// Only executions with one of these statuses
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATUS,…")]
    status: Vec<StatusFilter>,
    /// Only this execution among those read, by name or ARN; the others serve as its children
    #[arg(long, value_name = "NAME")]
    execution: Option<String>,
    /// Show the failed task's own log under the cause, at most so many of its lines
    ///
    /// Asks CloudWatch Logs, also for executions from files or the store: for Lambda functions by request id or, without one, by function
    /// and time; for jobs of Batch, Glue, CodeBuild and SageMaker by stream. One fifth of the lines are the first, the others the last.
    #[arg(long, value_name = "LINES", num_args = 0..=1, require_equals = true, default_missing_value = "50",
          value_parser = clap::value_parser!(u16).range(1..))]
    logs: Option<u16>,
    /// The log group of --logs, for a task that logs elsewhere than by default: a name or an ARN
    #[arg(long, value_name = "NAME", requires = "logs")]
    log_group: Option<String>,
    /// Exit with code 3 when one of the executions did not succeed
    #[arg(long)]
    exit_status: bool,
}

/// A status, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFilter {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    PendingRedrive,
}

impl StatusFilter {
    fn matches(self, status: Option<ExecutionStatus>) -> bool {
        let wanted = match self {
            Self::Running => ExecutionStatus::Running,
            Self::Succeeded => ExecutionStatus::Succeeded,
            Self::Failed => ExecutionStatus::Failed,
            Self::TimedOut => ExecutionStatus::TimedOut,
            Self::Aborted => ExecutionStatus::Aborted,
            Self::PendingRedrive => ExecutionStatus::PendingRedrive,
        };
        status == Some(wanted)
    }
}

/// Reads, explains and writes.
pub fn run(args: &WhyArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut loader = Loader::new(&args.execs, global, words);
    let mut explained = Explained::default();
    let read = loader.each(&args.execs, &mut |history| explained.add(history, args));
    if let Some(nothing) = read.as_ref().err().and_then(|error| error.downcast_ref::<NothingFailed>()) {
        loader.note(&nothing.to_string());
        return Ok(Exit::NothingMatched);
    }
    read?;
    explained.follow_children(&mut loader);
    explained.ask_as_before(&aws_settings::flags_again(global));
    if let Some(most) = args.logs {
        explained.refuse_logs_of_several(global)?;
        let wanted = Wanted { most: most.into(), log_group: args.log_group.as_deref(), region: global.region.as_deref() };
        explained.add_logs(wanted, &mut loader);
    }
    let reports = explained.chosen();
    if reports.is_empty() {
        if loader.problems() > 0 {
            return Ok(Exit::Failed);
        }
        loader.note(&nothing_matched(args, explained.read));
        return Ok(Exit::NothingMatched);
    }
    write(&reports, args, global, out)?;
    let found = reports.iter().any(|report| report.execution.status.is_some_and(ExecutionStatus::is_unsuccessful));
    Ok(match (loader.problems(), found && args.exit_status) {
        (0, false) => Exit::Done,
        (0, true) => Exit::Found,
        _ => Exit::Failed,
    })
}

fn nothing_matched(args: &WhyArgs, read: usize) -> String {
    match (&args.execution, read) {
        (_, 0) => "no execution in the input".to_owned(),
        (Some(name), _) => format!("none of {read} executions is `{name}`"),
        (None, _) => format!("none of {read} executions has the wanted status"),
    }
}

fn write(reports: &[&WhyReport], args: &WhyArgs, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    let several = reports.len() > 1 || (!args.status.is_empty() && args.logs.is_none());
    match (global.output, reports) {
        (OutputFormat::Jsonl, _) => {
            for report in reports {
                render::why::json_line(report, &settings.redactor, out)?;
            }
        }
        (OutputFormat::Json, [report]) => render::why::json(report, &settings.redactor, out)?,
        (OutputFormat::Json, _) => {
            let text =
                format!("{} executions do not make one document; use --output jsonl, or --execution NAME for one of them", reports.len());
            return Err(WrongUsage(text).into());
        }
        (OutputFormat::Text, [report]) if !several => {
            render::why::text(report, &settings.styles, &settings.redactor, settings.width, out)?;
        }
        (OutputFormat::Text, _) => render::why::summary(reports, &settings.styles, &settings.redactor, settings.width, out)?,
    }
    Ok(())
}

/// The answers so far.
#[derive(Default)]
struct Explained {
    read: usize,
    reports: Vec<WhyReport>,
    /// Which reports were asked for; the others are there as children only.
    wanted: Vec<usize>,
    by_arn: HashMap<String, usize>,
}

impl Explained {
    fn add(&mut self, history: History, args: &WhyArgs) {
        self.read += 1;
        let report = explain(history);
        let execution = &report.execution;
        let chosen = args.execution.as_ref().is_none_or(|wanted| [&execution.name, &execution.arn].contains(&&Some(wanted.clone())));
        let status = args.status.is_empty() || args.status.iter().any(|status| status.matches(execution.status));
        let wanted = chosen && status;
        // A child may come before its parent; one that did not fail is nobody's cause.
        if !wanted && report.root_cause.is_none() {
            return;
        }
        if wanted {
            self.wanted.push(self.reports.len());
        }
        self.keep(report);
    }

    fn keep(&mut self, report: WhyReport) -> usize {
        let position = self.reports.len();
        if let Some(arn) = &report.execution.arn {
            self.by_arn.insert(arn.clone(), position);
        }
        self.reports.push(report);
        position
    }

    fn follow_children(&mut self, loader: &mut Loader<'_>) {
        let mut followed = HashSet::new();
        for position in self.wanted.clone() {
            self.follow(position, loader, &mut followed, DEEPEST_CHILD);
        }
    }

    /// Puts the failure of a child in the place of the state that waited for it, the child's own children first.
    fn follow(&mut self, position: usize, loader: &mut Loader<'_>, followed: &mut HashSet<usize>, depth: usize) {
        if depth == 0 || !followed.insert(position) {
            return;
        }
        let Some(arn) = why::failed_child(&self.reports[position]).map(str::to_owned) else { return };
        let from_api = is_from_api(&self.reports[position]);
        let is_stored = self.reports[position].execution.store.is_some();
        let child = match self.by_arn.get(&arn) {
            Some(child) => *child,
            None if from_api || is_stored => match fetch(&arn, is_stored, loader) {
                Ok(Some(history)) => self.keep(explain(history)),
                // As with a file that does not hold the child.
                Ok(None) => return,
                Err(error) => {
                    loader.report(&format!("{error:#}; the answer is what its parent tells"));
                    let gap = Gap::ChildNotRead { execution: arn, reason: Some(format!("{error:#}")) };
                    let incomplete = &mut self.reports[position].incomplete;
                    incomplete.retain(|known| known.id != gap.id());
                    incomplete.push(why::missing(&gap));
                    return;
                }
            },
            None => return,
        };
        self.follow(child, loader, followed, depth - 1);
        let child = self.reports[child].clone();
        why::adopt_child(&mut self.reports[position], &child);
    }

    /// The next commands on what came from the API need the flags with which it was asked.
    fn ask_as_before(&mut self, flags: &str) {
        for report in self.reports.iter_mut().filter(|report| is_from_api(report)) {
            for next in &mut report.next {
                next.command.push_str(flags);
            }
        }
    }

    /// The table of several executions has no room for their logs.
    fn refuse_logs_of_several(&self, global: &GlobalArgs) -> Result<(), WrongUsage> {
        if global.output != OutputFormat::Text || self.wanted.len() < 2 {
            return Ok(());
        }
        let text = format!(
            "--logs shows the log of one execution, and these are {}; name one with --execution NAME, or use --output jsonl",
            self.wanted.len()
        );
        Err(WrongUsage(text))
    }

    fn add_logs(&mut self, wanted: Wanted<'_>, loader: &mut Loader<'_>) {
        for position in &self.wanted {
            task_log::add(&mut self.reports[*position], wanted, loader);
        }
    }

    fn chosen(&self) -> Vec<&WhyReport> {
        self.wanted.iter().map(|position| &self.reports[*position]).collect()
    }
}

fn is_from_api(report: &WhyReport) -> bool {
    report.execution.arn.as_ref() == Some(&report.execution.origin)
}

/// `None` for one that the store of its parent does not have.
fn fetch(arn: &str, is_stored: bool, loader: &mut Loader<'_>) -> anyhow::Result<Option<History>> {
    if is_stored {
        return loader.in_store(arn);
    }
    let arn: ExecutionArn = arn.parse()?;
    loader.execution(&arn).map(Some)
}

fn explain(mut history: History) -> WhyReport {
    let definition = definition_of(&mut history);
    let path = rebuild(&history, definition.as_ref());
    why::why(Evidence { history: &history, path: &path, definition: definition.as_ref() })
}
