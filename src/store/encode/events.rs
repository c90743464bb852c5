//! The rows of an execution's events, with everything that was read of them.

use crate::model::event::{AssignedVariables, Details};
use crate::model::{EventType, ExecutionFacts, ExecutionPath, History, HistoryEvent, Micros, Payload, RawText};
use crate::store::StoreError;
use crate::store::rest::{self, DetailsKind, EventRest, Parts};
use crate::store::schema::EVENTS;

use super::ParquetError;
use super::column::{Flags, Integers, Texts, Words};
use super::file::{Rows, columns};
use super::unescaped::Unescaped;

columns! {
    /// Of `events`.
    EventColumns of EVENTS {
        execution: Words,
        state_machine: Words,
        machine: Words,
        id: Integers,
        previous_event_id: Integers,
        timestamp: Integers,
        r#type: Words,
        visit: Integers,
        state: Words,
        name: Words,
        index: Integers,
        length: Integers,
        resource_type: Words,
        resource: Words,
        region: Words,
        timeout_seconds: Integers,
        heartbeat_seconds: Integers,
        role_arn: Words,
        worker_name: Words,
        alias_arn: Words,
        version_arn: Words,
        map_run: Words,
        redrive_count: Integers,
        location: Words,
        error: Words,
        cause: Texts,
        input: Texts,
        output: Texts,
        assigned_variables: Texts,
        truncated: Flags,
        rest: Texts,
    }
}

/// One row that is being filled.
struct Row<'c, 'h> {
    columns: &'c mut EventColumns,
    at: usize,
    rest: EventRest,
    unescaped: &'c mut Unescaped<'h>,
}

/// Adds the rows of an execution's events.
pub(super) fn events<'h>(
    rows: &mut Rows<EventColumns>,
    history: &'h History,
    path: &ExecutionPath,
    facts: &ExecutionFacts<'_>,
    unescaped: &mut Unescaped<'h>,
) -> Result<(), StoreError> {
    if history.events.is_empty() {
        return Ok(());
    }
    let columns = &mut rows.columns;
    let execution = columns.execution.add_new(facts.execution);
    let arn = facts.state_machine.map(|arn| columns.state_machine.number(arn));
    let machine = super::rows::machine(facts).map(|machine| columns.machine.number(machine.name()));
    let states: Vec<u32> = facts.visits.iter().map(|visit| columns.state.number(visit.state)).collect();
    let mut failed = None;
    let all = rows.filled..rows.filled + history.events.len();
    columns.execution.push_all(all.clone(), execution);
    if let Some(arn) = arn {
        columns.state_machine.push_all(all.clone(), arn);
    }
    if let Some(machine) = machine {
        columns.machine.push_all(all, machine);
    }
    let mut types = [None; EventType::ALL.len()];
    for (index, event) in history.events.iter().enumerate() {
        let row = rows.filled + index;
        let number = match types.get_mut(event.kind as usize) {
            Some(known) => *known.get_or_insert_with(|| columns.r#type.number(event.type_name())),
            None => columns.r#type.number(event.type_name()),
        };
        columns.r#type.push_number(row, number);
        if let Some(visit) = path.visit_of.get(index).copied().flatten() {
            columns.visit.push(row, i64::from(visit.0));
            if let Some(state) = states.get(visit.0 as usize) {
                columns.state.push_number(row, *state);
            }
        }
        let row = Row { columns, at: row, rest: EventRest::default(), unescaped };
        if let Err(error) = row.fill(event) {
            failed = Some(error);
        }
    }
    rows.filled += history.events.len();
    failed.map_or(Ok(()), |error| Err(rows.error(&error)))
}

/// Puts a text into the column of its name.
macro_rules! word {
    ($row:ident, $column:ident, $text:expr) => {
        if let Some(text) = $text {
            $row.columns.$column.push($row.at, &text.decode());
            $row.note_form(stringify!($column), text);
        }
    };
}

/// Puts a number into the column of its name.
macro_rules! number {
    ($row:ident, $column:ident, $number:expr) => {
        if let Some(number) = $number {
            $row.columns.$column.push($row.at, super::rows::whole(number));
            $row.note_size(stringify!($column), number);
        }
    };
}

/// Puts a long text into the column of its name.
macro_rules! text {
    ($row:ident, $column:ident, $text:expr) => {
        if let Some(text) = $text {
            $row.columns.$column.push($row.at, $row.unescaped.text(text))?;
            $row.note_form(stringify!($column), text);
        }
    };
}

/// Puts a payload into the column of its name.
macro_rules! payload {
    ($row:ident, $column:ident, $payload:expr) => {
        if let Some(Payload { text, truncated }) = $payload {
            text!($row, $column, Some(text));
            $row.columns.truncated.push($row.at, *truncated);
        }
    };
}

impl<'h> Row<'_, 'h> {
    fn fill(mut self, event: &'h HistoryEvent) -> Result<(), ParquetError> {
        number!(self, id, Some(event.id.0));
        number!(self, previous_event_id, event.previous_event_id.map(|id| id.0));
        if let Some(moment) = event.timestamp {
            let micros = Micros::from(moment);
            self.columns.timestamp.push(self.at, micros.0);
            if moment.subsec_nanosecond() % 1000 != 0 {
                self.rest.timestamp = Some(moment.to_string());
            }
        }
        self.details(&event.details)?;
        let found = DetailsKind::of(&event.details);
        if found != DetailsKind::usual(event.kind) {
            self.rest.details = Some(found);
        }
        if event.kind == EventType::Unknown || event.unknown.is_some() {
            self.unknown(event);
        }
        if let Some(rest) = rest::to_json(&self.rest) {
            self.columns.rest.push(self.at, rest.as_bytes())?;
        }
        Ok(())
    }

    fn details(&mut self, details: &'h Details) -> Result<(), ParquetError> {
        match details {
            Details::None => {}
            Details::ExecutionStarted(started) => {
                payload!(self, input, &started.input);
                word!(self, role_arn, &started.role_arn);
                word!(self, alias_arn, &started.state_machine_alias_arn);
                word!(self, version_arn, &started.state_machine_version_arn);
            }
            Details::Failure(failure) => {
                word!(self, resource_type, &failure.resource_type);
                word!(self, resource, &failure.resource);
                word!(self, error, &failure.error);
                text!(self, cause, &failure.cause);
            }
            Details::Output(output) => {
                word!(self, resource_type, &output.resource_type);
                word!(self, resource, &output.resource);
                payload!(self, output, &output.output);
            }
            Details::StateEntered(entered) => {
                word!(self, name, &entered.name);
                payload!(self, input, &entered.input);
            }
            Details::StateExited(exited) => {
                word!(self, name, &exited.name);
                payload!(self, output, &exited.output);
                if let Some(variables) = &exited.assigned_variables {
                    self.variables(variables, exited.output.as_ref())?;
                }
            }
            Details::Scheduled(scheduled) => {
                word!(self, resource_type, &scheduled.resource_type);
                word!(self, resource, &scheduled.resource);
                word!(self, region, &scheduled.region);
                payload!(self, input, &scheduled.input);
                number!(self, timeout_seconds, scheduled.timeout_in_seconds);
                number!(self, heartbeat_seconds, scheduled.heartbeat_in_seconds);
                word!(self, role_arn, &scheduled.role_arn);
            }
            Details::Started(started) => {
                word!(self, resource_type, &started.resource_type);
                word!(self, resource, &started.resource);
                word!(self, worker_name, &started.worker_name);
            }
            Details::Evaluation(evaluation) => {
                word!(self, name, &evaluation.state);
                word!(self, location, &evaluation.location);
                word!(self, error, &evaluation.error);
                text!(self, cause, &evaluation.cause);
            }
            Details::Iteration { name, index } => {
                word!(self, name, name);
                number!(self, index, *index);
            }
            Details::MapStarted { length } => number!(self, length, *length),
            Details::MapRunStarted { map_run_arn } => word!(self, map_run, map_run_arn),
            Details::Redriven { redrive_count, map_run_arn } => {
                number!(self, redrive_count, *redrive_count);
                word!(self, map_run, map_run_arn);
            }
        }
        Ok(())
    }

    fn note_form(&mut self, column: &str, text: &RawText) {
        if text.is_structured() {
            self.rest.structured.push(column.to_owned());
        }
    }

    fn note_size(&mut self, column: &str, number: u64) {
        if number > i64::MAX as u64 {
            self.rest.numbers.insert(column.to_owned(), number);
        }
    }

    fn variables(&mut self, variables: &AssignedVariables, output: Option<&Payload>) -> Result<(), ParquetError> {
        match output {
            None => self.columns.truncated.push(self.at, variables.truncated),
            Some(output) if output.truncated != variables.truncated => self.rest.variables_truncated = Some(variables.truncated),
            Some(_) => {}
        }
        if let Some(object) = object_of(variables) {
            return self.columns.assigned_variables.push(self.at, object.as_bytes());
        }
        self.rest.assigned_variables = Some(rest::texts(&variables.values));
        Ok(())
    }

    fn unknown(&mut self, event: &HistoryEvent) {
        let named = EventType::from_name(event.type_name());
        self.rest.type_is_unknown = event.kind == EventType::Unknown && named != EventType::Unknown;
        let usual = Parts { kind: Some(event.type_name().to_owned()), ..Parts::default() };
        let found = Parts::from(event.unknown.as_deref());
        if named != EventType::Unknown || found != usual {
            self.rest.unknown = Some(found);
        }
    }
}

/// `{"name": value, …}`; `None` when a value is no JSON, or would not come back as it is.
fn object_of(variables: &AssignedVariables) -> Option<String> {
    let mut object = String::from("{");
    for (name, value) in &variables.values {
        let text = value.decode();
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        if !is_json || value.is_structured() || text.trim_ascii() != text {
            return None;
        }
        if object.len() > 1 {
            object.push(',');
        }
        object.push_str(&serde_json::to_string(name).ok()?);
        object.push(':');
        object.push_str(&text);
    }
    object.push('}');
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_field_in_its_place() {
        let names: Vec<_> = EVENTS.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, EventColumns::NAMES);
    }
}
