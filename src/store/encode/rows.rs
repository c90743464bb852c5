//! The rows of an execution in `executions`, `visits` and `attempts`.

use crate::model::facts::{Pattern, WorkflowType};
use crate::model::{
    AttemptFacts, ExecutionArn, ExecutionFacts, ExecutionStatus, FailureFacts, History, Micros, RawText, StateMachineArn, StateType,
    VisitFacts,
};
use crate::store::StoreError;
use crate::store::rest::{self, ExecutionRest, Text};
use crate::store::schema::{ATTEMPTS, EXECUTIONS, VISITS};

use super::column::{Doubles, Integers, Texts, Words};
use super::file::{Rows, columns};

columns! {
    /// Of `executions`.
    ExecutionColumns of EXECUTIONS {
        execution: Texts,
        name: Texts,
        state_machine: Words,
        machine: Words,
        region: Words,
        account: Words,
        workflow_type: Words,
        version: Words,
        alias: Words,
        status: Words,
        start: Integers,
        stop: Integers,
        duration_ms: Doubles,
        redrive_count: Integers,
        map_run: Words,
        parent: Texts,
        events: Integers,
        last_event: Integers,
        billed_duration_ms: Integers,
        billed_memory_mb: Integers,
        visits: Integers,
        attempts: Integers,
        retries: Integers,
        failed_attempts: Integers,
        transitions: Integers,
        terminal_state: Words,
        error: Words,
        cause: Texts,
        root_state: Words,
        root_scope: Texts,
        root_error: Words,
        root_cause: Texts,
        root_kind: Words,
        root_basis: Words,
        root_confidence: Words,
        root_event_id: Integers,
        root_time: Integers,
        root_resource: Words,
        failed_child: Texts,
        fingerprint: Words,
        gaps: Words,
        input: Texts,
        output: Texts,
        definition: Words,
        source: Words,
        source_part: Texts,
        definition_source: Words,
        rest: Texts,
    }
}

columns! {
    /// Of `visits`.
    VisitColumns of VISITS {
        execution: Words,
        state_machine: Words,
        machine: Words,
        visit: Integers,
        parent_visit: Integers,
        index: Integers,
        parent_attempt: Integers,
        state: Words,
        state_type: Words,
        scope: Words,
        redrive: Integers,
        outcome: Words,
        entered_event_id: Integers,
        exited_event_id: Integers,
        entered: Integers,
        exited: Integers,
        last_event: Integers,
        duration_ms: Doubles,
        attempts: Integers,
        retries: Integers,
        failed_attempts: Integers,
        transitions: Integers,
        queue_ms: Doubles,
        run_ms: Doubles,
        retry_wait_ms: Doubles,
        callback_ms: Doubles,
        map_queue_ms: Doubles,
        critical_ms: Doubles,
        error: Words,
        resource: Words,
        pattern: Words,
        child: Texts,
        items: Integers,
        payload_bytes: Integers,
    }
}

columns! {
    /// Of `attempts`.
    AttemptColumns of ATTEMPTS {
        execution: Words,
        state_machine: Words,
        machine: Words,
        visit: Integers,
        number: Integers,
        redrive: Integers,
        state: Words,
        resource: Words,
        pattern: Words,
        outcome: Words,
        scheduled_event_id: Integers,
        ended_event_id: Integers,
        scheduled: Integers,
        started: Integers,
        submitted: Integers,
        ended: Integers,
        duration_ms: Doubles,
        wait_before_ms: Doubles,
        timeout_seconds: Integers,
        heartbeat_seconds: Integers,
        error: Words,
        cause: Texts,
    }
}

fn word(column: &mut Words, row: usize, text: Option<&str>) {
    if let Some(text) = text {
        column.push(row, text);
    }
}

fn integer<N>(column: &mut Integers, row: usize, number: Option<N>)
where
    u64: From<N>,
{
    if let Some(number) = number {
        column.push(row, whole(u64::from(number)));
    }
}

/// As Parquet has whole numbers; none that the service writes is larger.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn moment(column: &mut Integers, row: usize, moment: Option<Micros>) {
    if let Some(Micros(moment)) = moment {
        column.push(row, moment);
    }
}

fn milliseconds(column: &mut Doubles, row: usize, duration: Option<f64>) {
    if let Some(duration) = duration {
        column.push(row, duration);
    }
}

/// Adds an execution's row.
pub(super) fn execution(
    rows: &mut Rows<ExecutionColumns>,
    history: &History,
    facts: &ExecutionFacts<'_>,
    rest: Option<&str>,
) -> Result<(), StoreError> {
    let row = rows.filled;
    rows.filled += 1;
    let columns = &mut rows.columns;
    let machine = machine(facts);
    let arn = facts.execution.parse::<ExecutionArn>().ok();
    word(&mut columns.state_machine, row, facts.state_machine);
    word(&mut columns.machine, row, machine.as_ref().map(StateMachineArn::name));
    let region = arn.as_ref().map(ExecutionArn::region).or_else(|| machine.as_ref().map(StateMachineArn::region));
    word(&mut columns.region, row, region.filter(|region| !region.is_empty()));
    let account = arn.as_ref().map(ExecutionArn::account).or_else(|| facts.state_machine.and_then(|arn| arn.split(':').nth(4)));
    word(&mut columns.account, row, account.filter(|account| !account.is_empty()));
    word(&mut columns.workflow_type, row, facts.workflow_type.map(WorkflowType::name));
    word(&mut columns.version, row, facts.version);
    word(&mut columns.alias, row, facts.alias);
    word(&mut columns.status, row, facts.status.map(ExecutionStatus::name));
    moment(&mut columns.start, row, facts.start);
    moment(&mut columns.stop, row, facts.stop);
    milliseconds(&mut columns.duration_ms, row, facts.duration_ms());
    columns.redrive_count.push(row, whole(facts.redrive_count));
    word(&mut columns.map_run, row, facts.map_run);
    columns.events.push(row, whole(history.events.len() as u64));
    moment(&mut columns.last_event, row, facts.last_event);
    for (column, billed) in
        [(&mut columns.billed_duration_ms, facts.billed_duration_ms), (&mut columns.billed_memory_mb, facts.billed_memory_mb)]
    {
        if let Some(billed) = billed {
            column.push(row, whole(billed));
        }
    }
    columns.visits.push(row, whole(facts.visits.len() as u64));
    columns.attempts.push(row, whole(facts.attempts.len() as u64));
    let sum = |count: fn(&VisitFacts<'_>) -> u32| whole(facts.visits.iter().map(|visit| u64::from(count(visit))).sum());
    columns.retries.push(row, sum(|visit| visit.retries));
    columns.failed_attempts.push(row, sum(|visit| visit.failed_attempts));
    columns.transitions.push(row, sum(|visit| visit.transitions));
    if !facts.gaps.is_empty() {
        // A list of strings always serialises.
        columns.gaps.push(row, &serde_json::to_string(facts.gaps).unwrap_or_default());
    }
    let definition = history.definition.as_ref().map(RawText::decode);
    word(&mut columns.definition, row, definition.as_deref().or(facts.definition));
    columns.source.push(row, &history.origin.source);
    word(&mut columns.definition_source, row, history.origin.definitions.as_deref());
    let mut texts = [
        (&mut columns.execution, Some(facts.execution)),
        (&mut columns.name, Some(facts.name)),
        (&mut columns.parent, facts.parent),
        (&mut columns.input, facts.input),
        (&mut columns.output, facts.output),
        (&mut columns.source_part, history.origin.part.as_deref()),
        (&mut columns.rest, rest),
    ];
    let pushed = texts.iter_mut().try_for_each(|(column, text)| text.map_or(Ok(()), |text| column.push(row, text.as_bytes())));
    pushed.and_then(|()| failure(columns, row, facts.failure.as_ref())).map_err(|error| rows.error(&error))
}

fn failure(columns: &mut ExecutionColumns, row: usize, facts: Option<&FailureFacts<'_>>) -> Result<(), super::ParquetError> {
    let Some(facts) = facts else { return Ok(()) };
    word(&mut columns.terminal_state, row, facts.terminal_state);
    word(&mut columns.error, row, facts.error);
    word(&mut columns.root_state, row, facts.root_state);
    word(&mut columns.root_error, row, facts.root_error);
    columns.root_kind.push(row, facts.kind);
    columns.root_basis.push(row, facts.basis);
    columns.root_confidence.push(row, facts.confidence);
    integer(&mut columns.root_event_id, row, facts.root_event_id.map(|id| id.0));
    moment(&mut columns.root_time, row, facts.root_time);
    word(&mut columns.root_resource, row, facts.resource);
    word(&mut columns.fingerprint, row, facts.fingerprint);
    let mut texts = [
        (&mut columns.root_scope, Some(facts.root_scope)),
        (&mut columns.cause, facts.cause),
        (&mut columns.root_cause, facts.root_cause),
        (&mut columns.failed_child, facts.child),
    ];
    texts.iter_mut().try_for_each(|(column, text)| text.map_or(Ok(()), |text| column.push(row, text.as_bytes())))
}

/// The state machine of an execution, where its ARN is one.
pub(super) fn machine(facts: &ExecutionFacts<'_>) -> Option<StateMachineArn> {
    facts.state_machine?.parse().ok()
}

/// Adds the rows of an execution's visits.
pub(super) fn visits(rows: &mut Rows<VisitColumns>, facts: &ExecutionFacts<'_>) -> Result<(), StoreError> {
    if facts.visits.is_empty() {
        return Ok(());
    }
    let columns = &mut rows.columns;
    let execution = columns.execution.add_new(facts.execution);
    let arn = facts.state_machine.map(|arn| columns.state_machine.number(arn));
    let machine = machine(facts).map(|machine| columns.machine.number(machine.name()));
    let all = rows.filled..rows.filled + facts.visits.len();
    columns.execution.push_all(all.clone(), execution);
    if let Some(arn) = arn {
        columns.state_machine.push_all(all.clone(), arn);
    }
    if let Some(machine) = machine {
        columns.machine.push_all(all, machine);
    }
    let mut failed = None;
    for (row, visit) in (rows.filled..).zip(facts.visits) {
        if let Err(error) = one_visit(columns, row, visit) {
            failed = Some(error);
        }
    }
    rows.filled += facts.visits.len();
    failed.map_or(Ok(()), |error| Err(rows.error(&error)))
}

fn one_visit(columns: &mut VisitColumns, row: usize, facts: &VisitFacts<'_>) -> Result<(), super::ParquetError> {
    columns.visit.push(row, i64::from(facts.visit));
    integer(&mut columns.parent_visit, row, facts.parent);
    integer(&mut columns.index, row, facts.index);
    integer(&mut columns.parent_attempt, row, facts.parent_attempt);
    columns.state.push(row, facts.state);
    word(&mut columns.state_type, row, facts.state_type.map(StateType::name));
    columns.scope.push(row, facts.scope);
    columns.redrive.push(row, i64::from(facts.redrive));
    columns.outcome.push(row, facts.outcome.name());
    integer(&mut columns.entered_event_id, row, facts.entered_event_id.map(|id| id.0));
    integer(&mut columns.exited_event_id, row, facts.exited_event_id.map(|id| id.0));
    moment(&mut columns.entered, row, facts.entered);
    moment(&mut columns.exited, row, facts.exited);
    moment(&mut columns.last_event, row, facts.last_event);
    milliseconds(&mut columns.duration_ms, row, facts.duration_ms());
    columns.attempts.push(row, i64::from(facts.attempts));
    columns.retries.push(row, i64::from(facts.retries));
    columns.failed_attempts.push(row, i64::from(facts.failed_attempts));
    columns.transitions.push(row, i64::from(facts.transitions));
    milliseconds(&mut columns.queue_ms, row, facts.queue_ms);
    milliseconds(&mut columns.run_ms, row, facts.run_ms);
    milliseconds(&mut columns.retry_wait_ms, row, facts.retry_wait_ms);
    milliseconds(&mut columns.callback_ms, row, facts.callback_ms);
    milliseconds(&mut columns.map_queue_ms, row, facts.map_queue_ms);
    milliseconds(&mut columns.critical_ms, row, facts.critical_ms);
    word(&mut columns.error, row, facts.error);
    word(&mut columns.resource, row, facts.resource);
    word(&mut columns.pattern, row, facts.pattern.map(Pattern::name));
    integer(&mut columns.items, row, facts.items);
    integer(&mut columns.payload_bytes, row, facts.payload_bytes);
    facts.child.map_or(Ok(()), |child| columns.child.push(row, child.as_bytes()))
}

/// Adds the rows of an execution's attempts.
pub(super) fn attempts(rows: &mut Rows<AttemptColumns>, facts: &ExecutionFacts<'_>) -> Result<(), StoreError> {
    if facts.attempts.is_empty() {
        return Ok(());
    }
    let columns = &mut rows.columns;
    let execution = columns.execution.add_new(facts.execution);
    let arn = facts.state_machine.map(|arn| columns.state_machine.number(arn));
    let machine = machine(facts).map(|machine| columns.machine.number(machine.name()));
    let all = rows.filled..rows.filled + facts.attempts.len();
    columns.execution.push_all(all.clone(), execution);
    if let Some(arn) = arn {
        columns.state_machine.push_all(all.clone(), arn);
    }
    if let Some(machine) = machine {
        columns.machine.push_all(all, machine);
    }
    let mut failed = None;
    for (row, attempt) in (rows.filled..).zip(facts.attempts) {
        if let Err(error) = one_attempt(columns, row, attempt) {
            failed = Some(error);
        }
    }
    rows.filled += facts.attempts.len();
    failed.map_or(Ok(()), |error| Err(rows.error(&error)))
}

fn one_attempt(columns: &mut AttemptColumns, row: usize, facts: &AttemptFacts<'_>) -> Result<(), super::ParquetError> {
    columns.visit.push(row, i64::from(facts.visit));
    columns.number.push(row, i64::from(facts.number));
    columns.redrive.push(row, i64::from(facts.redrive));
    columns.state.push(row, facts.state);
    word(&mut columns.resource, row, facts.resource);
    word(&mut columns.pattern, row, facts.pattern.map(Pattern::name));
    columns.outcome.push(row, facts.outcome.name());
    integer(&mut columns.scheduled_event_id, row, facts.scheduled_event_id.map(|id| id.0));
    integer(&mut columns.ended_event_id, row, facts.ended_event_id.map(|id| id.0));
    moment(&mut columns.scheduled, row, facts.scheduled);
    moment(&mut columns.started, row, facts.started);
    moment(&mut columns.submitted, row, facts.submitted);
    moment(&mut columns.ended, row, facts.ended);
    let duration = facts.ended.zip(facts.scheduled).map(|(ended, scheduled)| ended.milliseconds_since(scheduled));
    milliseconds(&mut columns.duration_ms, row, duration);
    milliseconds(&mut columns.wait_before_ms, row, facts.wait_before_ms);
    integer(&mut columns.timeout_seconds, row, facts.timeout_seconds);
    integer(&mut columns.heartbeat_seconds, row, facts.heartbeat_seconds);
    word(&mut columns.error, row, facts.error);
    facts.cause.map_or(Ok(()), |cause| columns.cause.push(row, cause.as_bytes()))
}

/// What the row of an execution does not say of its history.
pub(super) fn rest_of(history: &History, facts: &ExecutionFacts<'_>) -> Option<String> {
    let header = &history.header;
    let mut rest = ExecutionRest {
        unknown: rest::texts(&header.unknown),
        gaps: history.gaps.clone(),
        definition_is_text: history.definition.as_ref().is_some_and(|definition| !definition.is_structured()),
        ..ExecutionRest::default()
    };
    let mut differs = |name: &str, column: Option<&str>, member: Option<&str>| {
        if column != member {
            rest.header.insert(name.to_owned(), member.map(|member| Text::Plain(member.to_owned())));
        }
    };
    differs("execution", Some(facts.execution), header.arn.as_ref().map(ExecutionArn::as_str));
    differs("name", Some(facts.name), header.name.as_deref());
    differs("state_machine", facts.state_machine, header.state_machine_arn.as_ref().map(StateMachineArn::as_str));
    differs("status", facts.status.map(ExecutionStatus::name), header.status.map(ExecutionStatus::name));
    differs("map_run", facts.map_run, header.map_run_arn.as_deref());
    let qualified = |qualifier: Option<&str>| Some(format!("{}:{}", facts.state_machine?, qualifier?));
    differs("version", qualified(facts.version).as_deref(), header.state_machine_version_arn.as_deref());
    differs("alias", qualified(facts.alias).as_deref(), header.state_machine_alias_arn.as_deref());
    for (name, column, member) in [("start", facts.start, header.start), ("stop", facts.stop, header.stop)] {
        if column.map(Micros::timestamp) != member {
            rest.header.insert(name.to_owned(), member.map(|moment| Text::Plain(moment.to_string())));
        }
    }
    if header.redrive_count != Some(facts.redrive_count) || facts.redrive_count > i64::MAX as u64 {
        rest.header.insert("redrive_count".to_owned(), header.redrive_count.map(|count| Text::Plain(count.to_string())));
    }
    let (error, cause) = facts.failure.as_ref().map_or((None, None), |failure| (failure.error, failure.cause));
    let texts = [
        ("input", facts.input, &header.input),
        ("output", facts.output, &header.output),
        ("error", error, &header.error),
        ("cause", cause, &header.cause),
        ("definition", history.definition.as_ref().map_or(facts.definition, |_| None), &None),
    ];
    for (name, column, member) in texts {
        let is_same = match (column, member) {
            (None, None) => true,
            (Some(column), Some(member)) => !member.is_structured() && member.is(column),
            _ => false,
        };
        if !is_same {
            rest.header.insert(name.to_owned(), member.as_ref().map(Text::from));
        }
    }
    rest::to_json(&rest)
}

#[cfg(test)]
mod tests {
    use crate::store::schema::Table;

    use super::*;

    #[test]
    fn every_column_has_a_field_in_its_place() {
        let names = |table: &Table| table.columns.iter().map(|column| column.name).collect::<Vec<_>>();
        assert_eq!(names(&EXECUTIONS), ExecutionColumns::NAMES);
        assert_eq!(names(&VISITS), VisitColumns::NAMES);
        assert_eq!(names(&ATTEMPTS), AttemptColumns::NAMES);
    }
}
