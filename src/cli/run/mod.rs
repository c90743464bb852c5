//! `run`: runs a definition here, with answers of tasks that the user gives.

pub(super) mod answering;
mod buckets;
mod callee;
mod command;
pub(super) mod definition;
pub(super) mod documents;
mod endpoint;
mod settings;
mod world;
mod write;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use self::definition::Invalid;
use self::documents::Input;
use self::settings::Settings;
use self::world::LocalWorld;
use self::write::Written;
use super::exit_code::Exit;
use super::global::{GlobalArgs, OutputFormat};
use super::output::{redactor, say};
use crate::asl::check::MachineType;
use crate::interpreter::{self, Run, RunOptions};
use crate::model::Origin;

/// The most that `--max-events` takes: a history is held in memory, and must be written, too.
const MOST_EVENTS: u64 = 1_000_000;

/// Run a definition here: every state as the service runs it, with the answers of tasks that you give
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope run order.asl.json --input '{\"id\": 7}' --mock Charge='{\"paid\": 1}'
  stepscope run order.asl.json --mock 'Charge=[{\"Error\": \"Busy\"}, {\"paid\": 1}]'
  stepscope run order.asl.json --mocks MockConfigFile.json#HappyPath
  stepscope run order.asl.json --task Charge='node charge.js' --mock '*=null'
  stepscope run order.asl.json --task Ship=http://localhost:9000
  stepscope run import.asl.yaml --s3 my-data=./data
  stepscope run order.asl.json --input inputs.jsonl --output jsonl
  stepscope run order.asl.json --history history.json

A mock is a result, {\"Error\", \"Cause\"} for a failure, or a list of both: one for
each attempt, counted over retries, loops and iterations. {\"Return\": RESULT} is
a result whatever it looks like. It is the whole result of the task: of
lambda:invoke {\"StatusCode\": 200, \"Payload\": …}. A command reads the task's
input and prints its result; of lambda:invoke both are the Payload.

Time is virtual: a Wait takes none. No command is run and no connection opened
but what --task names. More stands in docs/run.md.")]
pub struct RunArgs {
    /// The definition in JSON or YAML: a file, or `-`; also the output of describe-state-machine
    #[arg(value_name = "DEFINITION")]
    definition: String,
    /// The input; a file of several documents, such as JSON Lines, runs one execution each
    #[arg(long, value_name = "FILE|JSON|-")]
    input: Option<String>,
    /// What a state answers: a result, an error, or a list of both for successive attempts; `*` for every other state
    #[arg(long, value_name = "STATE=FILE|JSON")]
    mock: Vec<String>,
    /// Who answers a state: a command for the shell, or an endpoint that takes Lambda invocations; `*` for every other state
    #[arg(long, value_name = "STATE=COMMAND|URL")]
    task: Vec<String>,
    /// Answers in the MockConfigFile format of Step Functions Local
    #[arg(long, value_name = "FILE[#TESTCASE]")]
    mocks: Option<String>,
    /// The test case of --mocks; the only one needs no name
    #[arg(long, value_name = "NAME", requires = "mocks")]
    test_case: Option<String>,
    /// A folder that is a bucket of S3, for readers and writers of a Distributed Map
    #[arg(long, value_name = "BUCKET=DIR")]
    s3: Vec<String>,
    /// The definition of another state machine that a Task starts, by ARN or name
    #[arg(long, value_name = "ARN=FILE")]
    machine: Vec<String>,
    /// Name of the state machine; otherwise that of its file
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Name of the execution
    #[arg(long, value_name = "NAME")]
    execution_name: Option<String>,
    /// Type of the state machine; otherwise as describe-state-machine says, or STANDARD
    #[arg(long, value_enum, ignore_case = true, value_name = "TYPE")]
    r#type: Option<TypeChoice>,
    /// When the execution starts: a time, or `now` [default: 2026-01-01T00:00:00Z]
    #[arg(long, value_name = "TIME")]
    clock: Option<String>,
    /// For everything random; the same seed gives the same execution
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many events a history may have, in place of the service's 25000; at most a million
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_EVENTS))]
    max_events: Option<u64>,
    /// Run a definition that is not valid as far as it goes
    #[arg(long)]
    no_check: bool,
    /// Write the history to a file, as get-execution-history prints it
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Write every execution, those started by others included, to a file: a bundle a line, with definition
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Exit with code 3 when one of the executions did not succeed
    #[arg(long)]
    exit_status: bool,
}

/// Types of state machines, in the words of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum TypeChoice {
    Standard,
    Express,
}

impl From<TypeChoice> for MachineType {
    fn from(choice: TypeChoice) -> Self {
        match choice {
            TypeChoice::Standard => Self::Standard,
            TypeChoice::Express => Self::Express,
        }
    }
}

/// Reads everything, runs one execution for each input and writes what came of it.
pub fn run(args: &RunArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = match Settings::resolve(args, global.region.as_deref(), Timestamp::now()) {
        Ok(settings) => settings,
        Err(error) => return Err(explained(error, global, words)?),
    };
    for note in settings.notes.iter().filter(|_| !global.quiet) {
        say(words, redactor(global), note);
    }
    let several = settings.inputs.len() > 1;
    // A line for each execution holds no events.
    let record = !several || global.output != OutputFormat::Text || args.bundle.is_some();
    let mut written = Written::new(args, global, several)?;
    let mut problems = 0;
    for (input, number) in settings.inputs.iter().zip(1..) {
        match execute(&settings, input, number, record) {
            Ok(run) => written.write(run, out)?,
            Err(error) if several => {
                problems += 1;
                say(words, redactor(global), &format!("{error:#}"));
            }
            Err(error) => return Err(error),
        }
    }
    let unsuccessful = written.finish(out)?;
    Ok(match (problems, unsuccessful && args.exit_status) {
        (0, false) => Exit::Done,
        (0, true) => Exit::Found,
        _ => Exit::Failed,
    })
}

/// An error of which there is more to say goes on in short.
fn explained(error: anyhow::Error, global: &GlobalArgs, words: &mut dyn Write) -> std::io::Result<anyhow::Error> {
    match error.downcast::<Invalid>() {
        Ok(invalid) => {
            let short = anyhow::anyhow!("{invalid}");
            invalid.explain(global, words)?;
            Ok(short)
        }
        Err(error) => Ok(error),
    }
}

fn execute(settings: &Settings, input: &Input, number: usize, record: bool) -> anyhow::Result<Run> {
    let mut world = LocalWorld::new(&settings.setup);
    let machine = &settings.definition.machine;
    let options = RunOptions { record, ..settings.options_for(number) };
    let run = interpreter::run(machine, &input.text, &options, &mut world);
    let place = match input.line {
        Some(line) => format!("failed to run the input of line {line}"),
        None => format!("failed to run `{}`", settings.source),
    };
    let mut run = run.context(place)?;
    let part = input.line.map(|line| format!("line {line}"));
    run.history.origin = Origin { source: settings.source.clone(), part, definitions: None, store: None };
    Ok(run)
}
