//! The traces of many executions: saved ones, or those that X-Ray has of their machines in their window.

use anyhow::Context;

use super::{TraceArgs, live};
use crate::cli::aws_settings;
use crate::cli::fleet::Fleet;
use crate::cli::global::GlobalArgs;
use crate::model::span::{Trace, TraceId};
use crate::model::{Micros, StateMachineArn, Timestamp};
use crate::sources::aws::{AwsError, AwsSource};
use crate::sources::{Limits, read_traces};

/// So many traces of a machine are read, the newest.
const MOST_TRACES: usize = 1_000;
/// A trace may begin with a caller, so many seconds before its execution; clocks differ as well.
const SLACK: i64 = 60;

/// The traces of machines whose executions started between two moments. What could not be read is said.
pub fn of_machines(
    args: &TraceArgs,
    machines: &[StateMachineArn],
    window: Option<(Micros, Micros)>,
    global: &GlobalArgs,
    fleet: &mut Fleet<'_>,
) -> anyhow::Result<Vec<Trace>> {
    if let Some(file) = args.path() {
        return Ok(read_traces(file, &Limits::default(), &mut |error| fleet.report(&error.to_string())).into_traces());
    }
    let Some((first, last)) = window.filter(|_| !machines.is_empty()) else {
        fleet.report("X-Ray was not asked: the executions name no state machine, or have no times; --trace FILE reads saved traces");
        return Ok(Vec::new());
    };
    let settings = aws_settings::resolve(global, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the network runtime")?;
    let mut traces = Vec::new();
    for machine in machines {
        let asked = runtime.block_on(async {
            let source = AwsSource::connect(&settings, Some(machine.region())).await?;
            of_machine(&source, machine, first.timestamp(), last.timestamp()).await
        });
        match asked {
            Ok(found) => {
                found.problems.iter().chain(&found.absence).for_each(|problem| fleet.report(problem));
                found.notes.iter().for_each(|note| fleet.note(note));
                traces.extend(found.traces);
            }
            Err(error) => fleet.report(&format!("failed to read traces of {}: {error}", machine.name())),
        }
    }
    Ok(traces)
}

async fn of_machine(source: &AwsSource, machine: &StateMachineArn, first: Timestamp, last: Timestamp) -> Result<live::Fetched, AwsError> {
    let mut fetched = live::Fetched::default();
    let moved = |at: Timestamp, seconds: i64| Timestamp::from_second(at.as_second().saturating_add(seconds)).unwrap_or(at);
    let listing = source.list_traces(Some(machine.name()), moved(first, -SLACK), moved(last, SLACK)).await?;
    fetched.problems.extend(listing.missing.iter().map(live::words));
    let listed = listing.summaries.len();
    let newest: Vec<TraceId> = listing.summaries.into_keys().rev().take(MOST_TRACES).collect();
    if newest.is_empty() {
        fetched.notes.push(format!("X-Ray has no trace of {} in this window", machine.name()));
        return Ok(fetched);
    }
    if listed > newest.len() {
        fetched
            .notes
            .push(format!("the newest {MOST_TRACES} of {listed} traces of {} are read; --since narrows the window", machine.name()));
    }
    let found = source.traces(&newest).await?;
    if !fetched.take(found) && fetched.problems.is_empty() {
        fetched.absence = Some(live::in_transaction_search(listed));
    }
    Ok(fetched)
}
