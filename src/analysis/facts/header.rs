//! Which execution it is, of which machine, version and alias, from when to when, and who started it.

use std::borrow::Cow;

use bumpalo::Bump;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Rebuilt, kept, text};
use crate::analysis::execution;
use crate::model::facts::{Needs, WorkflowType};
use crate::model::{
    Details, ExecutionArn, ExecutionFacts, ExecutionHeader, ExecutionPath, History, HistoryEvent, Micros, RawText, last_part,
};

/// The member that the service's advice puts into the input of a child execution.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// How many bytes of a hash name a bare history: two of a billion are mixed up once in two million times.
const HASH_BYTES: usize = 10;

/// What tells an execution from every other: its ARN, or `unnamed-` and a hash of what its history began with.
///
/// The hash is of the first event (its number, time, type, input and role) and of the machine and name where a description has
/// them, so that it stays the same when a longer history of the same execution is read later. Two executions of a bare history
/// that began in the same millisecond with the same input are not told apart.
pub fn identity(history: &History) -> Cow<'_, str> {
    match &history.header.arn {
        Some(arn) => Cow::Borrowed(arn.as_str()),
        None => Cow::Owned(unnamed(history)),
    }
}

fn unnamed(history: &History) -> String {
    let header = &history.header;
    let first = history.events.first();
    let (input, role) = match first.map(|event| &event.details) {
        Some(Details::ExecutionStarted(started)) => (started.input.as_ref().map(|input| &input.text), started.role_arn.as_ref()),
        Some(_) => (first.and_then(HistoryEvent::input).map(|input| &input.text), first.and_then(HistoryEvent::state_name)),
        None => (header.input.as_ref(), None),
    };
    let moment = first.map_or(header.start, |event| event.timestamp).map(Micros::from);
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    add(header.state_machine_arn.as_ref().map_or("", |arn| arn.unqualified()));
    add(header.name.as_deref().unwrap_or_default());
    add(first.map_or("", |event| event.type_name()));
    add(&first.map_or(0, |event| event.id.0).to_string());
    add(&moment.map_or_else(String::new, |moment| moment.0.to_string()));
    add(&input.map(RawText::decode).unwrap_or_default());
    add(&role.map(RawText::decode).unwrap_or_default());
    let digest = hash.finalize();
    digest.iter().take(HASH_BYTES).fold("unnamed-".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Everything but visits, attempts and the failure.
pub(super) fn of<'a>(rebuilt: Rebuilt<'a>, needs: Needs, arena: &'a Bump) -> ExecutionFacts<'a> {
    let Rebuilt { history, path, .. } = rebuilt;
    let header = &history.header;
    let status = execution::status(history, path);
    let input = input(history);
    let billed = billed(header);
    let name = header.name.as_deref().or_else(|| header.arn.as_ref().map(ExecutionArn::name));
    ExecutionFacts {
        execution: kept(identity(history), arena),
        name: name.unwrap_or_default(),
        state_machine: state_machine(header, arena),
        workflow_type: header.arn.as_ref().map(workflow_type),
        version: version(history, arena),
        alias: alias(history, arena),
        status,
        start: execution::start(history).map(Micros::from),
        stop: execution::stop(history, status).map(Micros::from),
        redrive_count: execution::redrive_count(history, path),
        map_run: header.map_run_arn.as_deref(),
        parent: input.and_then(|input| parent(input, arena)),
        events: history.events.len() as u64,
        last_event: execution::last_moment(history).map(Micros::from),
        billed_duration_ms: billed.duration,
        billed_memory_mb: billed.memory,
        gaps: gaps(history, path, arena),
        input: input.filter(|_| needs.payloads || needs.inputs).map(|input| text(input, arena)),
        output: output(history).filter(|_| needs.payloads).map(|output| text(output, arena)),
        definition: history.definition.as_ref().filter(|_| needs.definitions).map(|definition| text(definition, arena)),
        ..ExecutionFacts::default()
    }
}

/// `billingDetails` of an answer of StartSyncExecution.
#[derive(Deserialize, Default)]
struct Billed {
    #[serde(rename = "billedDurationInMilliseconds")]
    duration: Option<u64>,
    #[serde(rename = "billedMemoryUsedInMB")]
    memory: Option<u64>,
}

fn billed(header: &ExecutionHeader) -> Billed {
    let details = header.unknown.iter().find(|(name, _)| name == "billingDetails");
    details.and_then(|(_, text)| serde_json::from_str(text.source()).ok()).unwrap_or_default()
}

fn state_machine<'a>(header: &'a ExecutionHeader, arena: &'a Bump) -> Option<&'a str> {
    match (&header.state_machine_arn, &header.arn) {
        (Some(machine), _) => Some(machine.unqualified()),
        (None, Some(arn)) => Some(arena.alloc_str(arn.state_machine().as_str())),
        (None, None) => None,
    }
}

/// The two types have ARNs of different kinds.
fn workflow_type(arn: &ExecutionArn) -> WorkflowType {
    if arn.is_express() { WorkflowType::Express } else { WorkflowType::Standard }
}

/// By the description, by the first event, by the machine's ARN. A version is a number, an alias is not.
fn version<'a>(history: &'a History, arena: &'a Bump) -> Option<&'a str> {
    let header = &history.header;
    let of_header = header.state_machine_version_arn.as_deref().and_then(last_part);
    let of_event = || last_part(text(started(history)?.state_machine_version_arn.as_ref()?, arena));
    let of_machine = || header.state_machine_arn.as_ref()?.qualifier().filter(|qualifier| is_number(qualifier));
    of_header.or_else(of_event).or_else(of_machine)
}

fn alias<'a>(history: &'a History, arena: &'a Bump) -> Option<&'a str> {
    let header = &history.header;
    let of_header = header.state_machine_alias_arn.as_deref().and_then(last_part);
    let of_event = || last_part(text(started(history)?.state_machine_alias_arn.as_ref()?, arena));
    let of_machine = || header.state_machine_arn.as_ref()?.qualifier().filter(|qualifier| !is_number(qualifier));
    of_header.or_else(of_event).or_else(of_machine)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn started(history: &History) -> Option<&crate::model::event::ExecutionStarted> {
    match &history.events.first()?.details {
        Details::ExecutionStarted(started) => Some(started),
        _ => None,
    }
}

fn input(history: &History) -> Option<&RawText> {
    let of_event = || Some(&started(history)?.input.as_ref()?.text);
    history.header.input.as_ref().or_else(of_event)
}

fn output(history: &History) -> Option<&RawText> {
    let of_event = || match &history.events.last()?.details {
        Details::Output(output) => output.output.as_ref().map(|output| &output.text),
        _ => None,
    };
    history.header.output.as_ref().or_else(of_event)
}

/// The execution that started this one, where its input says so. Most inputs do not, which one look at the raw text shows.
fn parent<'a>(input: &'a RawText, arena: &'a Bump) -> Option<&'a str> {
    #[derive(Deserialize)]
    struct Input {
        #[serde(rename = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID")]
        started_by: String,
    }
    memchr::memmem::find(input.source().as_bytes(), STARTED_BY.as_bytes())?;
    let input: Input = serde_json::from_str(&input.decode()).ok()?;
    let arn: ExecutionArn = input.started_by.parse().ok()?;
    Some(arena.alloc_str(arn.as_str()))
}

/// Sorted, each once.
fn gaps<'a>(history: &History, path: &ExecutionPath, arena: &'a Bump) -> &'a [&'a str] {
    if history.gaps.is_empty() && path.broken_links.is_empty() && path.unplaced.is_empty() {
        return &[];
    }
    let mut found: Vec<&str> = execution::incomplete(history, path).iter().map(|gap| gap.id).collect();
    found.sort_unstable();
    found.dedup();
    arena.alloc_slice_copy(&found)
}
