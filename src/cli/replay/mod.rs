//! `replay`: runs a recorded execution again, as it was or with something changed.

mod changes;
mod save;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use self::changes::ChangeArgs;
use super::aws_settings::flags_again;
use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::load::{ExecArgs, Loader, NothingFailed, definition_of};
use super::output::TextSettings;
use super::run::definition::{Definition, Invalid};
use crate::analysis::execution::quoted;
use crate::analysis::replay::{self, Changes, ReplayReport, Replayed, Request, Verdict, VerdictCounts};
use crate::model::{ExecutionArn, ExecutionStatus, History};
use crate::rebuild::rebuild;
use crate::render;

/// How many executions may be kept in memory at once for a single answer.
const NAMED: usize = 5;

/// Run a recorded execution again with the recorded answers of its tasks, and compare event by event
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope replay history.json --definition order.asl.json
  stepscope replay arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1
  stepscope replay bundle.json --what-if --definition fixed.asl.json
  stepscope replay bundle.json --what-if --patch '{\"total\": 0}'
  stepscope replay bundle.json --what-if --mock Charge='{\"paid\": true}'
  stepscope replay bundle.json --save tests/order-4711
  stepscope replay executions.jsonl.gz --output jsonl | jq -r .verdict

The definition is run; only what came from outside is taken from the recording:
answers of tasks, the order of branches, and values that nothing determines,
such as UUIDs, tokens and the time.
Exit code 1 when an execution cannot be replayed. More: docs/replay.md.")]
pub struct ReplayArgs {
    #[command(flatten)]
    execs: ExecArgs,
    /// Only this execution among those read, by name or ARN
    #[arg(long, value_name = "NAME")]
    execution: Option<String>,
    /// The definition to run in place of the recorded one; also the output of describe-state-machine
    #[arg(long, value_name = "FILE")]
    definition: Option<String>,
    #[command(flatten)]
    changes: ChangeArgs,
    /// Write a folder from which `run --mocks` reproduces the execution: definition, input, mocks, expected outcome
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Exit with code 3 when the histories differ; with --what-if when the changed execution does not succeed
    #[arg(long)]
    exit_status: bool,
}

/// Reads, replays and writes.
pub fn run(args: &ReplayArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    args.changes.check(args.definition.is_some())?;
    let definition = args.definition.as_deref().map(|path| read_definition(path, args.changes.what_if, global, words)).transpose()?;
    let mut loader = Loader::new(&args.execs, global, words);
    let mut found = Vec::new();
    let mut read = 0;
    let result = loader.each(&args.execs, &mut |history| {
        read += 1;
        if is_wanted(&history, args.execution.as_deref()) {
            found.push(history);
        }
    });
    if let Some(nothing) = result.as_ref().err().and_then(|error| error.downcast_ref::<NothingFailed>()) {
        loader.note(&nothing.to_string());
        return Ok(Exit::NothingMatched);
    }
    result?;
    if found.is_empty() {
        if loader.problems() > 0 {
            return Ok(Exit::Failed);
        }
        let text =
            args.execution.as_ref().map_or("no execution in the input".to_owned(), |name| format!("none of {read} executions is `{name}`"));
        loader.note(&text);
        return Ok(Exit::NothingMatched);
    }
    one_only(&found, args, global.output)?;
    let definition = definition.map(|definition| definition.machine.source.to_string());
    let several = found.len() > 1;
    let mut tally = Tally::default();
    for mut history in found {
        let graph = definition_of(&mut history);
        let path = rebuild(&history, graph.as_ref());
        let changes = args.changes.read(&history, definition.as_deref())?;
        let request = Request { history: &history, path: &path, definition: definition.as_deref(), changes: changes.as_ref() };
        match replay::replay(request).with_context(|| format!("failed to replay {}", history.origin)) {
            Ok(mut replayed) => {
                ask_as_before(&mut replayed.report, args, global);
                tally.count(&replayed.report, changes.as_ref());
                save(args, &replayed, &mut loader)?;
                write(&replayed.report, global, several, out)?;
            }
            Err(error) if several => loader.report(&format!("{error:#}")),
            Err(error) => return Err(error),
        }
    }
    if several && global.output == OutputFormat::Text {
        let TextSettings { styles, redactor, width } = TextSettings::resolve(global);
        render::replay::tally(&tally.verdicts, &styles, &redactor, width, out)?;
    }
    Ok(match (loader.problems() > 0 || tally.verdicts.not_replayable > 0, tally.found && args.exit_status) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Found,
        (false, false) => Exit::Done,
    })
}

/// Reads a definition. What the service would say against one that somebody changed, or that cannot be run, goes to `words`: it runs as
/// far as it goes.
fn read_definition(path: &str, is_changed: bool, global: &GlobalArgs, words: &mut dyn Write) -> anyhow::Result<Definition> {
    let unchecked = Definition::read(path, None, false);
    // Standard input is read only once.
    if path == "-" || unchecked.is_ok() && !is_changed {
        return unchecked;
    }
    if let Err(error) = Definition::read(path, None, true)
        && let Ok(invalid) = error.downcast::<Invalid>()
    {
        invalid.explain(global, words)?;
    }
    unchecked
}

/// The next commands need the flags with which this one was asked: those of the account, and the definition where none was recorded.
fn ask_as_before(report: &mut ReplayReport, args: &ReplayArgs, global: &GlobalArgs) {
    let is_from_api = report.execution.arn.as_ref() == Some(&report.execution.origin);
    // What was just saved need not be saved again.
    report.next.retain(|next| args.save.is_none() || !next.command.contains(" --save "));
    for next in &mut report.next {
        if let Some(definition) = args.definition.as_deref().filter(|_| next.command.contains(" --save ")) {
            next.command = format!("{} --definition {}", next.command, quoted(definition));
        }
        if is_from_api {
            next.command.push_str(&flags_again(global));
        }
    }
}

fn is_wanted(history: &History, wanted: Option<&str>) -> bool {
    let header = &history.header;
    wanted.is_none_or(|wanted| header.name.as_deref() == Some(wanted) || header.arn.as_ref().map(ExecutionArn::as_str) == Some(wanted))
}

/// What can only be done with one execution.
fn one_only(found: &[History], args: &ReplayArgs, format: OutputFormat) -> Result<(), WrongUsage> {
    let needs_one = args.save.is_some() || args.changes.what_if || format == OutputFormat::Json;
    if found.len() < 2 || !needs_one {
        return Ok(());
    }
    let names: Vec<&str> = found.iter().filter_map(|history| history.header.name.as_deref()).take(NAMED).collect();
    let more = if names.len() < found.len() { ", …" } else { "" };
    let how = match (names.is_empty(), format) {
        (false, _) => format!("choose one with --execution NAME: {}{more}", names.join(", ")),
        (true, _) => "name the file of one".to_owned(),
    };
    Err(WrongUsage(format!("{} executions in the input; {how}", found.len())))
}

#[derive(Default)]
struct Tally {
    verdicts: VerdictCounts,
    /// Something that `--exit-status` tells.
    found: bool,
}

impl Tally {
    fn count(&mut self, report: &ReplayReport, changes: Option<&Changes>) {
        self.verdicts.add(report);
        let succeeded = report.outcome.as_ref().is_some_and(|outcome| outcome.status == ExecutionStatus::Succeeded);
        self.found |= match changes {
            Some(_) => !succeeded,
            None => report.verdict == Verdict::Diverged,
        };
    }
}

fn save(args: &ReplayArgs, replayed: &Replayed, loader: &mut Loader<'_>) -> anyhow::Result<()> {
    let (Some(folder), Some(fixture)) = (&args.save, &replayed.fixture) else { return Ok(()) };
    save::write(folder, fixture)?;
    loader.note(&format!("wrote {}; its payloads are those of the execution, secrets included", folder.display()));
    if args.changes.what_if || replayed.report.verdict == Verdict::Reproduced {
        return Ok(());
    }
    loader.note("the replay diverged: the folder reproduces the replayed execution, not the recorded one");
    Ok(())
}

fn write(report: &ReplayReport, global: &GlobalArgs, several: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let TextSettings { styles, redactor, width } = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text if several => render::replay::line(report, &styles, &redactor, width, out)?,
        OutputFormat::Text => render::replay::text(report, &styles, &redactor, width, out)?,
        format => render::replay::json(report, format == OutputFormat::Jsonl, &redactor, out)?,
    }
    Ok(())
}
