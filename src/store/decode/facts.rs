//! The facts of every execution in a batch.

use std::ops::Range;

use crate::model::facts::{Needs, Pattern, WorkflowType};
use crate::model::path::{AttemptOutcome, VisitOutcome};
use crate::model::{AttemptFacts, EventId, ExecutionFacts, ExecutionStatus, FailureFacts, Micros, StateType, VisitFacts};
use crate::store::StoreError;
use crate::store::schema::{ATTEMPTS, EXECUTIONS, VISITS};

use super::BatchPaths;
use super::file::{Piece, TableReader};
use super::values::{Doubles, Integers, Mapped, Texts};

/// A struct of columns, each read under its own name.
macro_rules! read {
    ($(#[$about:meta])* $name:ident { $($field:ident: $kind:ident $(if $needed:ident)?,)* }) => {
        $(#[$about])*
        struct $name {
            $($field: $kind,)*
        }

        impl $name {
            #[allow(unused_variables, reason = "some tables have nothing that is read on demand")]
            fn read(file: &TableReader, pieces: &[Piece], needs: Needs) -> Result<Self, StoreError> {
                Ok(Self { $($field: read!(@one file, pieces, $field $(, needs.$needed)?),)* })
            }
        }
    };
    (@one $file:ident, $pieces:ident, $field:ident) => { $file.column(stringify!($field), $pieces)? };
    (@one $file:ident, $pieces:ident, $field:ident, $needed:expr) => {
        if $needed { $file.column(stringify!($field), $pieces)? } else { Default::default() }
    };
}

read! {
    /// Of `executions`.
    Executions {
        execution: Texts,
        name: Texts,
        state_machine: Texts,
        workflow_type: Texts,
        version: Texts,
        alias: Texts,
        status: Texts,
        start: Integers,
        stop: Integers,
        redrive_count: Integers,
        map_run: Texts,
        parent: Texts,
        events: Integers,
        last_event: Integers,
        billed_duration_ms: Integers,
        billed_memory_mb: Integers,
        visits: Integers,
        attempts: Integers,
        terminal_state: Texts if failures,
        error: Texts if failures,
        cause: Texts if failures,
        root_state: Texts if failures,
        root_scope: Texts if failures,
        root_error: Texts if failures,
        root_cause: Texts if failures,
        root_kind: Texts if failures,
        root_basis: Texts if failures,
        root_confidence: Texts if failures,
        root_event_id: Integers if failures,
        root_time: Integers if failures,
        root_resource: Texts if failures,
        failed_child: Texts if failures,
        fingerprint: Texts if failures,
        gaps: Texts,
        input: Texts if inputs,
        output: Texts if payloads,
        definition: Texts if definitions,
    }
}

read! {
    /// Of `visits`.
    Visits {
        visit: Integers,
        parent_visit: Integers,
        index: Integers,
        parent_attempt: Integers,
        state: Texts,
        state_type: Texts,
        scope: Texts if visits,
        redrive: Integers,
        outcome: Texts,
        entered_event_id: Integers,
        exited_event_id: Integers,
        entered: Integers,
        exited: Integers,
        last_event: Integers,
        attempts: Integers,
        retries: Integers if visits,
        failed_attempts: Integers if visits,
        transitions: Integers if visits,
        queue_ms: Doubles if visits,
        run_ms: Doubles if visits,
        retry_wait_ms: Doubles if visits,
        callback_ms: Doubles if visits,
        map_queue_ms: Doubles if visits,
        critical_ms: Doubles if visits,
        error: Texts,
        resource: Texts if visits,
        pattern: Texts,
        child: Texts,
        items: Integers,
        payload_bytes: Integers if sizes,
    }
}

read! {
    /// Of `attempts`.
    Attempts {
        visit: Integers,
        number: Integers,
        redrive: Integers,
        state: Texts,
        resource: Texts,
        pattern: Texts,
        outcome: Texts,
        scheduled_event_id: Integers,
        ended_event_id: Integers,
        scheduled: Integers,
        started: Integers,
        submitted: Integers,
        ended: Integers,
        wait_before_ms: Doubles,
        timeout_seconds: Integers,
        heartbeat_seconds: Integers,
        error: Texts,
        cause: Texts if causes,
    }
}

impl Integers {
    fn moment(&self, row: usize) -> Option<Micros> {
        self.get(row).map(Micros)
    }

    fn event_id(&self, row: usize) -> Option<EventId> {
        self.unsigned(row).map(EventId)
    }
}

/// Hands over the facts of every execution.
pub(super) fn of_batch(batch: &BatchPaths, needs: Needs, take: &mut dyn FnMut(&ExecutionFacts<'_>)) -> Result<(), StoreError> {
    let needs = Needs { inputs: needs.inputs || needs.payloads, ..needs };
    let file = TableReader::open(&batch.executions, &EXECUTIONS)?;
    let rows = file.rows();
    let executions = Executions::read(&file, &file.all(), needs)?;
    let visits_file = if needs.any_visits() { Some(TableReader::open(&batch.visits, &VISITS)?) } else { None };
    let visits = visits_file.as_ref().map(|file| Visits::read(file, &file.all(), needs)).transpose()?;
    let attempts_file = if needs.attempts { Some(TableReader::open(&batch.attempts, &ATTEMPTS)?) } else { None };
    let attempts = attempts_file.as_ref().map(|file| Attempts::read(file, &file.all(), needs)).transpose()?;
    let visits_view = visits.as_ref().map(VisitsView::new);
    let attempts_view = attempts.as_ref().map(AttemptsView::new);
    let view = ExecutionsView::new(&executions, &file)?;
    let (mut visit_rows, mut attempt_rows) = (Vec::new(), Vec::new());
    let (mut visits_from, mut attempts_from) = (Place::of(visits_file.as_ref()), Place::of(attempts_file.as_ref()));
    for row in 0..rows {
        visit_rows.clear();
        attempt_rows.clear();
        if let Some(view) = &visits_view {
            visit_rows.extend(visits_from.next(executions.visits.unsigned(row))?.map(|row| view.facts(row)));
        }
        if let Some(view) = &attempts_view {
            attempt_rows.extend(attempts_from.next(executions.attempts.unsigned(row))?.map(|row| view.facts(row)));
        }
        let facts = view.facts(row, needs.failures);
        take(&ExecutionFacts { visits: &visit_rows, attempts: &attempt_rows, ..facts });
    }
    visits_from.end()?;
    attempts_from.end()
}

/// Which rows of a table come next.
pub(super) struct Place<'f> {
    file: Option<&'f TableReader>,
    at: usize,
}

impl<'f> Place<'f> {
    pub fn of(file: Option<&'f TableReader>) -> Self {
        Self { file, at: 0 }
    }

    /// The next rows, as many as the execution has.
    pub fn next(&mut self, count: Option<u64>) -> Result<Range<usize>, StoreError> {
        let rows = self.file.map_or(0, TableReader::rows);
        let end = count.and_then(|count| self.at.checked_add(usize::try_from(count).ok()?)).filter(|end| *end <= rows);
        let end = end.ok_or_else(|| self.mismatch())?;
        let from = std::mem::replace(&mut self.at, end);
        Ok(from..end)
    }

    /// Every row must have been asked for.
    pub fn end(&self) -> Result<(), StoreError> {
        if self.at == self.file.map_or(0, TableReader::rows) { Ok(()) } else { Err(self.mismatch()) }
    }

    fn mismatch(&self) -> StoreError {
        let reason = "it has more or fewer rows than the batch's executions say";
        match self.file {
            Some(file) => file.damaged(reason),
            None => StoreError::Encoding { table: EXECUTIONS.name, reason: reason.to_owned() },
        }
    }
}

struct ExecutionsView<'a> {
    columns: &'a Executions,
    execution: Mapped<'a, &'a str>,
    name: Mapped<'a, &'a str>,
    state_machine: Mapped<'a, &'a str>,
    workflow_type: Mapped<'a, Option<WorkflowType>>,
    version: Mapped<'a, &'a str>,
    alias: Mapped<'a, &'a str>,
    status: Mapped<'a, Option<ExecutionStatus>>,
    map_run: Mapped<'a, &'a str>,
    parent: Mapped<'a, &'a str>,
    gaps: Vec<Vec<&'a str>>,
    terminal_state: Mapped<'a, &'a str>,
    error: Mapped<'a, &'a str>,
    cause: Mapped<'a, &'a str>,
    root_state: Mapped<'a, &'a str>,
    root_scope: Mapped<'a, &'a str>,
    root_error: Mapped<'a, &'a str>,
    root_cause: Mapped<'a, &'a str>,
    root_kind: Mapped<'a, &'a str>,
    root_basis: Mapped<'a, &'a str>,
    root_confidence: Mapped<'a, &'a str>,
    root_resource: Mapped<'a, &'a str>,
    failed_child: Mapped<'a, &'a str>,
    fingerprint: Mapped<'a, &'a str>,
    input: Mapped<'a, &'a str>,
    output: Mapped<'a, &'a str>,
    definition: Mapped<'a, &'a str>,
}

impl<'a> ExecutionsView<'a> {
    fn new(columns: &'a Executions, file: &TableReader) -> Result<Self, StoreError> {
        let gaps = columns.gaps.table().into_iter().map(serde_json::from_str::<Vec<&str>>).collect::<Result<_, _>>();
        Ok(Self {
            columns,
            execution: columns.execution.view(),
            name: columns.name.view(),
            state_machine: columns.state_machine.view(),
            workflow_type: columns
                .workflow_type
                .map(|name| [WorkflowType::Standard, WorkflowType::Express].into_iter().find(|kind| kind.name() == name)),
            version: columns.version.view(),
            alias: columns.alias.view(),
            status: columns.status.map(ExecutionStatus::from_name),
            map_run: columns.map_run.view(),
            parent: columns.parent.view(),
            gaps: gaps.map_err(|_| file.damaged("column `gaps`: it holds no list of names"))?,
            terminal_state: columns.terminal_state.view(),
            error: columns.error.view(),
            cause: columns.cause.view(),
            root_state: columns.root_state.view(),
            root_scope: columns.root_scope.view(),
            root_error: columns.root_error.view(),
            root_cause: columns.root_cause.view(),
            root_kind: columns.root_kind.view(),
            root_basis: columns.root_basis.view(),
            root_confidence: columns.root_confidence.view(),
            root_resource: columns.root_resource.view(),
            failed_child: columns.failed_child.view(),
            fingerprint: columns.fingerprint.view(),
            input: columns.input.view(),
            output: columns.output.view(),
            definition: columns.definition.view(),
        })
    }

    fn facts(&self, row: usize, failures: bool) -> ExecutionFacts<'_> {
        let columns = self.columns;
        let gaps = columns.gaps.rows.get(row).and_then(|number| self.gaps.get(*number as usize));
        ExecutionFacts {
            execution: self.execution.get(row).unwrap_or_default(),
            name: self.name.get(row).unwrap_or_default(),
            state_machine: self.state_machine.get(row),
            workflow_type: self.workflow_type.get(row).flatten(),
            version: self.version.get(row),
            alias: self.alias.get(row),
            status: self.status.get(row).flatten(),
            start: columns.start.moment(row),
            stop: columns.stop.moment(row),
            redrive_count: columns.redrive_count.unsigned(row).unwrap_or(0),
            map_run: self.map_run.get(row),
            parent: self.parent.get(row),
            events: columns.events.unsigned(row).unwrap_or(0),
            last_event: columns.last_event.moment(row),
            billed_duration_ms: columns.billed_duration_ms.unsigned(row),
            billed_memory_mb: columns.billed_memory_mb.unsigned(row),
            gaps: gaps.map_or(&[], Vec::as_slice),
            failure: if failures { self.failure(row) } else { None },
            input: self.input.get(row),
            output: self.output.get(row),
            definition: self.definition.get(row),
            visits: &[],
            attempts: &[],
        }
    }

    fn failure(&self, row: usize) -> Option<FailureFacts<'_>> {
        let kind = self.root_kind.get(row)?;
        Some(FailureFacts {
            terminal_state: self.terminal_state.get(row),
            error: self.error.get(row),
            cause: self.cause.get(row),
            root_state: self.root_state.get(row),
            root_scope: self.root_scope.get(row).unwrap_or_default(),
            root_error: self.root_error.get(row),
            root_cause: self.root_cause.get(row),
            kind,
            basis: self.root_basis.get(row).unwrap_or_default(),
            confidence: self.root_confidence.get(row).unwrap_or_default(),
            root_event_id: self.columns.root_event_id.event_id(row),
            root_time: self.columns.root_time.moment(row),
            resource: self.root_resource.get(row),
            child: self.failed_child.get(row),
            fingerprint: self.fingerprint.get(row),
        })
    }
}

fn pattern_of(name: &str) -> Option<Pattern> {
    Pattern::ALL.into_iter().find(|pattern| pattern.name() == name)
}

struct VisitsView<'a> {
    columns: &'a Visits,
    state: Mapped<'a, &'a str>,
    state_type: Mapped<'a, Option<StateType>>,
    scope: Mapped<'a, &'a str>,
    outcome: Mapped<'a, Option<VisitOutcome>>,
    error: Mapped<'a, &'a str>,
    resource: Mapped<'a, &'a str>,
    pattern: Mapped<'a, Option<Pattern>>,
    child: Mapped<'a, &'a str>,
}

impl<'a> VisitsView<'a> {
    fn new(columns: &'a Visits) -> Self {
        Self {
            columns,
            state: columns.state.view(),
            state_type: columns.state_type.map(StateType::from_name),
            scope: columns.scope.view(),
            outcome: columns.outcome.map(|name| VisitOutcome::ALL.into_iter().find(|outcome| outcome.name() == name)),
            error: columns.error.view(),
            resource: columns.resource.view(),
            pattern: columns.pattern.map(pattern_of),
            child: columns.child.view(),
        }
    }

    fn facts(&self, row: usize) -> VisitFacts<'a>
    where
        Self: 'a,
    {
        let columns = self.columns;
        VisitFacts {
            visit: columns.visit.small(row).unwrap_or(0),
            parent: columns.parent_visit.small(row),
            index: columns.index.unsigned(row),
            parent_attempt: columns.parent_attempt.small(row),
            state: self.state.get(row).unwrap_or_default(),
            state_type: self.state_type.get(row).flatten(),
            scope: self.scope.get(row).unwrap_or_default(),
            redrive: columns.redrive.small(row).unwrap_or(0),
            outcome: self.outcome.get(row).flatten().unwrap_or(VisitOutcome::Open),
            entered_event_id: columns.entered_event_id.event_id(row),
            exited_event_id: columns.exited_event_id.event_id(row),
            entered: columns.entered.moment(row),
            exited: columns.exited.moment(row),
            last_event: columns.last_event.moment(row),
            attempts: columns.attempts.small(row).unwrap_or(0),
            retries: columns.retries.small(row).unwrap_or(0),
            failed_attempts: columns.failed_attempts.small(row).unwrap_or(0),
            transitions: columns.transitions.small(row).unwrap_or(0),
            queue_ms: columns.queue_ms.get(row),
            run_ms: columns.run_ms.get(row),
            retry_wait_ms: columns.retry_wait_ms.get(row),
            callback_ms: columns.callback_ms.get(row),
            map_queue_ms: columns.map_queue_ms.get(row),
            critical_ms: columns.critical_ms.get(row),
            error: self.error.get(row),
            resource: self.resource.get(row),
            pattern: self.pattern.get(row).flatten(),
            child: self.child.get(row),
            items: columns.items.unsigned(row),
            payload_bytes: columns.payload_bytes.unsigned(row),
        }
    }
}

struct AttemptsView<'a> {
    columns: &'a Attempts,
    state: Mapped<'a, &'a str>,
    resource: Mapped<'a, &'a str>,
    pattern: Mapped<'a, Option<Pattern>>,
    outcome: Mapped<'a, Option<AttemptOutcome>>,
    error: Mapped<'a, &'a str>,
    cause: Mapped<'a, &'a str>,
}

impl<'a> AttemptsView<'a> {
    fn new(columns: &'a Attempts) -> Self {
        Self {
            columns,
            state: columns.state.view(),
            resource: columns.resource.view(),
            pattern: columns.pattern.map(pattern_of),
            outcome: columns.outcome.map(|name| AttemptOutcome::ALL.into_iter().find(|outcome| outcome.name() == name)),
            error: columns.error.view(),
            cause: columns.cause.view(),
        }
    }

    fn facts(&self, row: usize) -> AttemptFacts<'a>
    where
        Self: 'a,
    {
        let columns = self.columns;
        AttemptFacts {
            visit: columns.visit.small(row).unwrap_or(0),
            number: columns.number.small(row).unwrap_or(0),
            redrive: columns.redrive.small(row).unwrap_or(0),
            state: self.state.get(row).unwrap_or_default(),
            resource: self.resource.get(row),
            pattern: self.pattern.get(row).flatten(),
            outcome: self.outcome.get(row).flatten().unwrap_or(AttemptOutcome::Open),
            scheduled_event_id: columns.scheduled_event_id.event_id(row),
            ended_event_id: columns.ended_event_id.event_id(row),
            scheduled: columns.scheduled.moment(row),
            started: columns.started.moment(row),
            submitted: columns.submitted.moment(row),
            ended: columns.ended.moment(row),
            wait_before_ms: columns.wait_before_ms.get(row),
            timeout_seconds: columns.timeout_seconds.unsigned(row),
            heartbeat_seconds: columns.heartbeat_seconds.unsigned(row),
            error: self.error.get(row),
            cause: self.cause.get(row),
        }
    }
}
