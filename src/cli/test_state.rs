//! `test-state`: tests one state, as the TestState API does, offline.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::de::IgnoredAny;

use super::exit_code::Exit;
use super::global::{GlobalArgs, OutputFormat};
use super::output;
use crate::interpreter::test_state::{self, InspectionLevel, Mock, Refusal, Request, StateConfiguration};
use crate::model::Timestamp;
use crate::render;

/// A definition is the largest thing that a request holds; more is read only to be refused with its true size.
const LONGEST_FILE: u64 = 16 << 20;

/// Test one state offline, with the flags and the answer of `aws stepfunctions test-state`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope test-state --definition state.json --input '{\"order\": 7}'
  stepscope test-state --definition machine.json --state-name Charge \\
    --input input.json --mock '{\"result\": \"{\\\"StatusCode\\\": 200}\"}' \\
    --inspection-level DEBUG
  stepscope test-state --definition machine.json --state-name Charge \\
    --mock '{\"errorOutput\": {\"error\": \"Declined\", \"cause\": \"no money\"}}' \\
    --state-configuration '{\"retrierRetryCount\": 2}' | jq -r .status

A value is JSON, the path of a file, file://PATH, or - for standard input.
Nothing is called: Task, Map and Parallel states need --mock. The answer is the
API's own JSON, also for --output text. A request that the service refuses ends
with code 1, and its words on stderr. Payloads are not redacted.
docs/test-state.md has what is checked, and where the service differs.")]
pub struct TestStateArgs {
    /// A state; or a state machine, with --state-name
    #[arg(long, value_name = "JSON|FILE")]
    definition: String,
    /// Which state of the state machine
    #[arg(long, value_name = "NAME")]
    state_name: Option<String>,
    /// Input of the state [default: {}]
    #[arg(long, value_name = "JSON|FILE")]
    input: Option<String>,
    /// Variables that are assigned already: an object
    #[arg(long, value_name = "JSON|FILE")]
    variables: Option<String>,
    /// The context object, in place of one that is made up; needs --mock
    #[arg(long, value_name = "JSON|FILE")]
    context: Option<String>,
    /// What stands in for the call: {"result": "JSON text"} or {"errorOutput": {"error": …, "cause": …}}, with
    /// "fieldValidationMode": STRICT (default), PRESENT or NONE
    #[arg(long, value_name = "JSON|FILE")]
    mock: Option<String>,
    /// Where in its life the state is: {"retrierRetryCount": …, "errorCausedByState": …, "mapIterationFailureCount": …,
    /// "mapItemReaderData": …}
    #[arg(long, value_name = "JSON|FILE")]
    state_configuration: Option<String>,
    /// How much is told beside the outcome
    #[arg(long, value_enum, ignore_case = true, default_value_t = Level::Info, value_name = "LEVEL")]
    inspection_level: Level,
    /// The role that would run the state; shown in the context object
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// Accepted as the service accepts it, which is without --mock
    #[arg(long)]
    reveal_secrets: bool,
    /// The moment at which the state runs, as 2026-01-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    clock: Option<Timestamp>,
    /// Seed of random numbers and UUIDs
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
}

/// The API's inspection levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    #[value(name = "INFO")]
    Info,
    #[value(name = "DEBUG")]
    Debug,
    #[value(name = "TRACE")]
    Trace,
}

/// Reads the request, tests the state and writes the answer.
pub fn run(args: &TestStateArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let answer = request(args).and_then(|request| Ok(test_state::test_state(&request)?));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let Some(refusal) = error.downcast_ref::<Refusal>() else { return Err(error) };
            // The AWS CLI has a line end in its words; here each message is a line.
            output::say(words, output::redactor(global), &refusal.to_string().replace('\n', " "));
            if args.mock.is_none() && calls_something(refusal) && !global.quiet {
                output::say(words, output::redactor(global), "nothing is called here: give --mock, as in --mock '{\"result\": \"{}\"}'");
            }
            return Ok(if matches!(refusal, Refusal::Parameter(_)) { Exit::WrongUsage } else { Exit::Failed });
        }
    };
    if !global.quiet {
        for note in &answer.notes {
            output::say(words, output::redactor(global), note);
        }
    }
    match global.output {
        OutputFormat::Jsonl => render::test_state::json_line(&answer, out)?,
        OutputFormat::Json | OutputFormat::Text => render::test_state::json(&answer, out)?,
    }
    Ok(Exit::Done)
}

/// Whether the service refused to test a state that calls something, in words that tell nobody of `--mock`.
fn calls_something(refusal: &Refusal) -> bool {
    let words = refusal.to_string();
    ["RoleArn must be specified", "does not support Map or Parallel"].iter().any(|known| words.contains(known))
}

fn request(args: &TestStateArgs) -> anyhow::Result<Request> {
    let mut values = Values::default();
    let mock = values.optional("--mock", args.mock.as_deref())?;
    let configuration = values.optional("--state-configuration", args.state_configuration.as_deref())?;
    Ok(Request {
        definition: values.read("--definition", &args.definition)?,
        state_name: args.state_name.clone(),
        input: values.optional("--input", args.input.as_deref())?,
        variables: values.optional("--variables", args.variables.as_deref())?,
        context: values.optional("--context", args.context.as_deref())?,
        mock: mock.as_deref().map(Mock::parse).transpose()?,
        configuration: configuration.as_deref().map(StateConfiguration::parse).transpose()?.unwrap_or_default(),
        inspection_level: match args.inspection_level {
            Level::Info => InspectionLevel::Info,
            Level::Debug => InspectionLevel::Debug,
            Level::Trace => InspectionLevel::Trace,
        },
        role_arn: args.role_arn.clone(),
        reveal_secrets: args.reveal_secrets,
        now: args.clock.unwrap_or_else(Timestamp::now),
        seed: args.seed,
    })
}

/// Reads values that are JSON or name what holds it. Standard input can be read once.
#[derive(Default)]
struct Values {
    standard_input: Option<&'static str>,
}

impl Values {
    fn optional(&mut self, flag: &'static str, value: Option<&str>) -> anyhow::Result<Option<String>> {
        value.map(|value| self.read(flag, value)).transpose()
    }

    /// The text behind a value: the file that it names, or itself. What is neither is left to whoever wants JSON there.
    fn read(&mut self, flag: &'static str, value: &str) -> anyhow::Result<String> {
        if value == "-" {
            if let Some(other) = self.standard_input.replace(flag) {
                return Err(Refusal::Parameter(format!("{other} and {flag} cannot both be read from standard input")).into());
            }
            return limited(io::stdin().lock()).with_context(|| format!("failed to read {flag} from standard input"));
        }
        let path = match value.strip_prefix("file://") {
            Some(path) => path,
            None if is_json(value) => return Ok(value.to_owned()),
            None if Path::new(value).exists() => value,
            None => anyhow::bail!("the value of {flag} is neither JSON nor a file: {value}"),
        };
        let read = std::fs::File::open(path).and_then(limited);
        read.with_context(|| format!("failed to read {flag} from `{path}`"))
    }
}

/// Whether a value is JSON, or meant to be. A number or a word may as well name a file, which then goes first.
fn is_json(value: &str) -> bool {
    value.trim_start().starts_with(['{', '[', '"']) || (!Path::new(value).is_file() && serde_json::from_str::<IgnoredAny>(value).is_ok())
}

fn limited(input: impl Read) -> io::Result<String> {
    let mut text = String::new();
    input.take(LONGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}
