//! `maps`: what became of the items of Distributed Maps.
//!
//! Three ways lead to the evidence: the API (`api.rs`), the files of a ResultWriter (`results.rs`, `bucket.rs`), and histories of files or a
//! store, which `fleet` reads. `inputs.rs` writes what failed to a file that can be run again, `next.rs` says how to go on.

mod api;
mod bucket;
mod connection;
mod inputs;
mod next;
mod results;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use self::connection::Connection;
use self::inputs::Writers;
use super::exit_code::{Exit, WrongUsage};
use super::fleet::{Fleet, FleetArgs, at_least_one};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, lines, redactor, say};
use crate::analysis::maps::{self, Evidence, Lack, MapRunReport, MapRuns, MapsReport, NotKnown};
use crate::model::{ExecutionArn, MapRunName};
use crate::render;

/// What became of the items of a Distributed Map: counts, what failed and why, and inputs to run again
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope maps arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1
  stepscope maps arn:aws:states:eu-west-1:111111111111:mapRun:Orders/Each:5b0f
  stepscope maps --results s3://results/orders/5b0f/manifest.json
  stepscope maps --results copied/ --failed-inputs failed.jsonl
  stepscope maps --input executions.jsonl.gz
  stepscope maps --store store/ --state-machine Orders --since 2d
  stepscope maps --results copied/ --output json | jq '.runs[].groups'

An execution or a Map Run is asked of the API; where its ResultWriter wrote to
S3, the files are read, otherwise its children are listed. --results reads
files alone, from S3 or a folder they were copied to. Without either, the
histories of files or the store tell of the Map Runs and children among them.")]
pub struct MapsArgs {
    /// An execution's ARN or console address, a Map Run's ARN, or a file or folder of histories
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Files of a ResultWriter: a folder, a manifest.json, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIR|S3|FILE")]
    results: Option<String>,
    /// Write the inputs of the items that failed: a JSON array, or a line each where the name ends in .jsonl
    #[arg(long, value_name = "FILE")]
    failed_inputs: Option<PathBuf>,
    /// Write the inputs of the items that were never started, likewise
    #[arg(long, value_name = "FILE")]
    pending_inputs: Option<PathBuf>,
    /// Ask the API for the histories of so many children of each group, to name the state that failed
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    children: usize,
    /// Without result files: ask the API for the errors of at most so many failed children
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    describe: usize,
    /// Without result files: list children that succeeded or run until there are so many
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    list: usize,
    /// Do not read the files of children that succeeded: how many ran at once, and which were slow, is then told of the others alone
    #[arg(long)]
    failed_only: bool,
    /// Show at most so many groups of each Map Run
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = at_least_one)]
    limit: usize,
    /// Exit with code 3 when an item failed
    #[arg(long)]
    exit_status: bool,
    #[command(flatten)]
    fleet: FleetArgs,
}

/// What the arguments name.
enum Wanted {
    /// An execution of the API.
    Execution(ExecutionArn),
    /// A Map Run of the API.
    MapRun(String),
    /// Files of a ResultWriter alone.
    Results,
    /// Histories of files or a store; only those of the execution or Map Run that is named.
    Histories(Option<String>),
}

/// What all ways to the evidence share.
struct Desk<'w> {
    args: &'w MapsArgs,
    global: &'w GlobalArgs,
    words: &'w mut dyn Write,
    problems: u64,
    writers: Writers,
    connection: Connection,
}

impl Desk<'_> {
    /// Says on stderr what went wrong; the rest goes on.
    fn report(&mut self, problem: &str) {
        self.problems += 1;
        say(self.words, redactor(self.global), problem);
    }

    /// Says something on stderr unless it was asked to be quiet.
    fn note(&mut self, text: &str) {
        if !self.global.quiet {
            say(self.words, redactor(self.global), text);
        }
    }

    /// Says it, and puts it into the answer.
    fn lacks(&mut self, evidence: &mut Evidence, id: Lack, text: String) {
        self.report(&text);
        evidence.incomplete.push(NotKnown { id, text });
    }

    /// Inputs of several Maps do not go into one file.
    fn check_one(&self, runs: usize) -> anyhow::Result<()> {
        if runs > 1 && self.writers.are_wanted() {
            let text = format!("there are {runs} Map Runs, and a file of inputs is of one; name it by its ARN or its manifest.json");
            return Err(WrongUsage(text).into());
        }
        Ok(())
    }
}

/// Reads, counts and writes.
pub fn run(args: &MapsArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let (wanted, args) = args.wanted(global)?;
    let args = &args;
    let writers = Writers::open(args.failed_inputs.as_deref(), args.pending_inputs.as_deref())?;
    let mut desk = Desk { args, global, words, problems: 0, writers, connection: Connection::new(global) };
    let mut runs = match &wanted {
        Wanted::Execution(arn) => api::of_execution(&mut desk, arn)?,
        Wanted::MapRun(arn) => api::of_map_run(&mut desk, arn)?,
        Wanted::Results => results::alone(&mut desk)?,
        Wanted::Histories(named) => histories(&mut desk, named.as_deref())?,
    };
    runs.sort_by(|one, other| (one.start, &one.map_run).cmp(&(other.start, &other.map_run)));
    if runs.is_empty() {
        if desk.problems > 0 {
            return Ok(Exit::Failed);
        }
        desk.note(&wanted.nothing(args));
        return Ok(Exit::NothingMatched);
    }
    let written = std::mem::take(&mut desk.writers).close()?;
    for of in &written {
        desk.note(&of.words());
    }
    for run in &mut runs {
        run.next = next::commands(run, &wanted, args, global, &written);
    }
    let found = runs.iter().any(|run| run.items.failed_or_timed_out() > 0);
    let problems = desk.problems;
    write(&MapsReport { schema: maps::SCHEMA, runs, written }, global, out)?;
    Ok(match problems {
        0 if found && args.exit_status => Exit::Found,
        0 => Exit::Done,
        _ => Exit::Failed,
    })
}

fn write(report: &MapsReport, global: &GlobalArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text => render::maps::text(report, &settings.styles, &settings.redactor, settings.width, out)?,
        OutputFormat::Json => document(report, OutputFormat::Json, settings.redactor, out)?,
        OutputFormat::Jsonl => lines(maps::SCHEMA_RUN, &report.runs, settings.redactor, out)?,
    }
    Ok(())
}

/// The Map Runs that histories tell of.
fn histories(desk: &mut Desk<'_>, named: Option<&str>) -> anyhow::Result<Vec<MapRunReport>> {
    let keep_inputs = desk.args.failed_inputs.is_some();
    let mut fleet = Fleet::open(&desk.args.fleet, desk.global, desk.words)?;
    let answer = fleet.ask(|| MapRuns::new(named.map(str::to_owned), keep_inputs))?;
    let problems = fleet.problems();
    if let Some(nothing) = fleet.nothing_there(&answer.coverage) {
        fleet.note(&nothing);
    }
    desk.problems += problems;
    let found = answer.question.found();
    desk.check_one(found.len())?;
    let mut runs = Vec::new();
    for (arn, found) in found {
        let mut evidence = Evidence { map_run: Some(arn), parent: found.parent, children: found.children, ..Evidence::default() };
        if evidence.parent.is_none() {
            let text = "the execution whose Map it is was not read: what the Map tolerates and how it ended is not known";
            evidence.incomplete.push(NotKnown { id: Lack::ExecutionNotRead, text: text.to_owned() });
        }
        if found.children_read == 0 {
            let text = "none of its children was read; `pull --map-runs` fetches them, `--results` reads what its ResultWriter wrote";
            evidence.incomplete.push(NotKnown { id: Lack::ChildrenNotRead, text: text.to_owned() });
        } else {
            let text = format!("counted are the {} children that were read; the service may know of more", found.children_read);
            evidence.incomplete.push(NotKnown { id: Lack::ChildrenRead, text });
        }
        let batched = evidence.parent.as_ref().and_then(|parent| parent.settings.as_ref()).map(|settings| settings.batched);
        for (child, input) in &found.inputs {
            desk.writers.add_failed(child, input.as_deref(), batched)?;
        }
        runs.push(maps::report(evidence, desk.args.limit));
    }
    if desk.args.pending_inputs.is_some() {
        desk.report(
            "--pending-inputs: histories do not tell of items that were never started; the ResultWriter's PENDING files do (--results)",
        );
    }
    Ok(runs)
}

impl MapsArgs {
    /// What is asked, and the arguments with a path that was given as RUN moved to where it belongs.
    fn wanted(&self, global: &GlobalArgs) -> anyhow::Result<(Wanted, Self)> {
        let mut args = self.clone();
        let from_histories = !args.fleet.input.is_empty() || global.store.is_some();
        if args.results.is_some() && from_histories {
            return Err(WrongUsage("give either --results or --input and --store: an answer is about one of them".to_owned()).into());
        }
        let Some(text) = args.run.clone() else {
            let wanted = if args.results.is_some() { Wanted::Results } else { Wanted::Histories(None) };
            return Ok((wanted, args));
        };
        if MapRunName::parse(&text).is_some() {
            return Ok((if from_histories { Wanted::Histories(Some(text)) } else { Wanted::MapRun(text) }, args));
        }
        match text.parse() {
            Ok(crate::sources::Exec::Arn(arn)) if from_histories => Ok((Wanted::Histories(Some(arn.as_str().to_owned())), args)),
            Ok(crate::sources::Exec::Arn(arn)) => Ok((Wanted::Execution(arn), args)),
            Ok(_) if args.results.is_some() => {
                Err(WrongUsage(format!("`{text}` is no ARN; --results stands for itself, or with an execution's or a Map Run's ARN"))
                    .into())
            }
            Ok(_) if Path::new(&text).file_name().is_some_and(|name| name == "manifest.json") || text.starts_with("s3://") => {
                args.results = Some(text);
                args.run = None;
                Ok((Wanted::Results, args))
            }
            Ok(_) if global.store.is_some() => {
                let text =
                    format!("`{text}` is no ARN; with --store name an execution or a Map Run by its ARN, or read a file without --store");
                Err(WrongUsage(text).into())
            }
            Ok(_) => {
                args.fleet.input.push(text);
                args.run = None;
                Ok((Wanted::Histories(None), args))
            }
            Err(error) => Err(WrongUsage(error.to_string()).into()),
        }
    }
}

impl Wanted {
    fn nothing(&self, args: &MapsArgs) -> String {
        match self {
            Self::Execution(arn) => format!("{arn} has no Map Run: only a Map whose ProcessorConfig says DISTRIBUTED has one"),
            Self::MapRun(arn) => format!("nothing is known of {arn}"),
            Self::Results => {
                let place = args.results.as_deref().unwrap_or_default();
                format!("no manifest.json and no SUCCEEDED, FAILED or PENDING file of a ResultWriter in {place}")
            }
            Self::Histories(Some(named)) => format!("no Map Run of {named} among what was read"),
            Self::Histories(None) => "no Map Run among what was read: only a Map whose ProcessorConfig says DISTRIBUTED has one".to_owned(),
        }
    }
}
