//! What the arguments of `run` resolve to.

use std::fmt;

use anyhow::Context;
use jiff::Timestamp;

use super::RunArgs;
use super::answering::{TaskNames, read_test_case};
use super::definition::Definition;
use super::documents::{Input, inputs, pair};
use super::world::Setup;
use crate::asl::check::MachineType;
use crate::cli::exit_code::WrongUsage;
use crate::interpreter::{ExecutionInfo, RunOptions};
use crate::model::{StateMachineArn, time};

/// The account of every ARN that nobody gave.
const ACCOUNT: &str = "111111111111";
/// The region of every ARN that nobody gave.
const REGION: &str = "us-east-1";
/// When executions start for which nobody gave a time, so that the same arguments give the same bytes.
const START: &str = "2026-01-01T00:00:00Z";
/// What the service allows.
const MOST_EVENTS: u64 = 25_000;
/// States that may be entered, at least: more than any history has events.
const MOST_STATES: u64 = 1_000_000;

/// Everything that a run needs.
#[derive(Debug)]
pub struct Settings {
    /// What is run.
    pub definition: Definition,
    /// What messages call the definition.
    pub source: String,
    /// With what; one execution each.
    pub inputs: Vec<Input>,
    /// Answers, buckets and other machines.
    pub setup: Setup,
    /// Clock, seed, limits, and the ARNs of an execution without its name.
    pub options: RunOptions,
    /// What to say on stderr before.
    pub notes: Vec<String>,
    execution_name: Option<String>,
}

impl Settings {
    /// Reads everything that the arguments name. `now` is for `--clock now`.
    pub fn resolve(args: &RunArgs, region: Option<&str>, now: Timestamp) -> anyhow::Result<Self> {
        if args.definition == "-" && args.input.as_deref() == Some("-") {
            return Err(WrongUsage("standard input can't be both, the definition and the input".to_owned()).into());
        }
        let mut definition = Definition::read(&args.definition, args.r#type.map(MachineType::from), !args.no_check)?;
        let (setup, notes) = set_up(args, &definition)?;
        if let Some(name) = &args.name {
            definition.arn = None;
            definition.name.clone_from(name);
        }
        let inputs = inputs(args.input.as_deref())?;
        if inputs.len() > 1 && args.history.is_some() {
            let text = "several executions do not make one history; --bundle FILE takes all of them";
            return Err(WrongUsage(text.to_owned()).into());
        }
        let options = options(args, &definition, region.unwrap_or(REGION), now)?;
        let source = if args.definition == "-" { "standard input" } else { &args.definition }.to_owned();
        Ok(Self { definition, source, inputs, setup, options, notes, execution_name: args.execution_name.clone() })
    }

    /// How the execution with this input is run: `number` counts them from 1.
    pub fn options_for(&self, number: usize) -> RunOptions {
        let name = match &self.execution_name {
            Some(name) if self.inputs.len() == 1 => name.clone(),
            Some(name) => format!("{name}-{number}"),
            None => format!("run-{number}"),
        };
        let mut options = self.options.clone();
        let execution = &mut options.execution;
        execution.arn = execution_arn(&execution.machine_arn, &name, execution.express, options.seed).into();
        execution.name = name.into();
        options
    }
}

fn set_up(args: &RunArgs, definition: &Definition) -> anyhow::Result<(Setup, Vec<String>)> {
    let mut setup = Setup::default();
    for text in &args.machine {
        let (known, path) = pair("--machine", text)?;
        setup.machines.push((known.to_owned(), Definition::read(path, None, !args.no_check)?));
    }
    for text in &args.s3 {
        let (bucket, folder) = pair("--s3", text)?;
        setup.buckets.add(bucket, folder.as_ref()).with_context(|| format!("failed to use `{folder}` as bucket `{bucket}`"))?;
    }
    let machines = setup.machines.iter().map(|(_, definition)| definition);
    let names = TaskNames::of([definition].into_iter().chain(machines).map(|definition| &*definition.machine));
    let mut notes = Vec::new();
    if let Some(mocks) = &args.mocks {
        let machine = (args.name.as_ref().unwrap_or(&definition.name).as_str(), args.name.is_some());
        let test_case = read_test_case(mocks, args.test_case.as_deref(), machine)?;
        notes = setup.answering.set_test_case(test_case, &names);
    }
    for text in &args.mock {
        setup.answering.add_mock(text, &names)?;
    }
    for text in &args.task {
        setup.answering.add_task(text, &names)?;
    }
    Ok((setup, notes))
}

fn options(args: &RunArgs, definition: &Definition, region: &str, now: Timestamp) -> anyhow::Result<RunOptions> {
    let start = match args.clock.as_deref().unwrap_or(START) {
        "now" => now,
        text => time::parse(text).ok_or_else(|| WrongUsage(format!("--clock `{text}` is no time such as {START}, nor `now`")))?,
    };
    let machine_arn =
        definition.arn.clone().unwrap_or_else(|| format!("arn:aws:states:{region}:{ACCOUNT}:stateMachine:{}", definition.name));
    machine_arn
        .parse::<StateMachineArn>()
        .map_err(|error| WrongUsage(format!("`{}` can't be the name of a state machine: {error}", definition.name)))?;
    let role_arn = definition.role_arn.clone().unwrap_or_else(|| format!("arn:aws:iam::{ACCOUNT}:role/{}", definition.name));
    let max_events = args.max_events.unwrap_or(MOST_EVENTS);
    let execution = ExecutionInfo {
        arn: "".into(),
        name: "".into(),
        machine_arn: machine_arn.into(),
        role_arn: role_arn.into(),
        express: definition.is_express(),
    };
    Ok(RunOptions {
        execution,
        start: to_milliseconds(start),
        seed: args.seed,
        max_events,
        max_states: max_events.saturating_mul(2).max(MOST_STATES),
        record: true,
    })
}

/// The service's clock has milliseconds.
fn to_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// The ARN that the service would give: that of an Express execution ends in an id of its own.
fn execution_arn(machine_arn: &str, name: &str, express: bool, seed: u64) -> String {
    let kind = if express { ":express:" } else { ":execution:" };
    let arn = machine_arn.replacen(":stateMachine:", kind, 1);
    if express { format!("{arn}:{name}:{}", UuidOf(seed)) } else { format!("{arn}:{name}") }
}

/// A UUID in form, from a seed.
struct UuidOf(u64);

impl fmt::Display for UuidOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00000000-0000-4000-8{:03x}-{:012x}", self.0 >> 48 & 0xfff, self.0 & 0xffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_have_the_arns_of_the_service() {
        let machine = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
        let standard = execution_arn(machine, "run-1", false, 0);
        assert_eq!(standard, "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1");
        let express = execution_arn(machine, "run-1", true, 7);
        assert_eq!(express, "arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:00000000-0000-4000-8000-000000000007");
        for arn in [standard, express] {
            arn.parse::<crate::model::ExecutionArn>().expect("an ARN");
        }
    }
}
