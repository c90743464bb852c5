//! Histories as they were read from their sources.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::event::{
    AssignedVariables, Details, Evaluation, ExecutionStarted, Failure, Output, Scheduled, Started, StateEntered, StateExited, UnknownParts,
};
use crate::model::{
    EventId, EventType, ExecutionHeader, ExecutionStatus, History, HistoryEvent, Micros, Origin, Payload, RawText, Timestamp,
};
use crate::store::StoreError;
use crate::store::rest::{DetailsKind, EventRest, ExecutionRest, Text, raw_texts};
use crate::store::schema::{EVENTS, EXECUTIONS};

use super::BatchPaths;
use super::facts::Place;
use super::file::{Piece, TableReader};
use super::values::{Flags, Integers, Texts};

/// The execution with this ARN or name.
pub(super) fn of_batch(batch: &BatchPaths, execution: &str) -> Result<Option<History>, StoreError> {
    let executions = TableReader::open(&batch.executions, &EXECUTIONS)?;
    let all = executions.all();
    let is_named = |column: &Texts| {
        let matches = column.map(|text| text == execution);
        (0..column.rows.len()).find(|row| matches.get(*row) == Some(true))
    };
    let row = is_named(&executions.column("execution", &all)?);
    let Some(row) = row.map_or_else(|| executions.column("name", &all).map(|column| is_named(&column)), |row| Ok(Some(row)))? else {
        return Ok(None);
    };
    let events = TableReader::open(&batch.events, &EVENTS)?;
    let counts: Integers = executions.column("events", &all)?;
    let mut place = Place::of(Some(&events));
    for before in 0..row {
        place.next(counts.unsigned(before))?;
    }
    let rows = place.next(counts.unsigned(row))?;
    let mut found = None;
    Reader { executions: &executions, events: &events }.read(row..row + 1, rows, &counts, &mut |history| found = Some(history))?;
    Ok(found)
}

/// Every execution of the batch.
pub(super) fn all_of_batch(batch: &BatchPaths, take: &mut dyn FnMut(History)) -> Result<(), StoreError> {
    let executions = TableReader::open(&batch.executions, &EXECUTIONS)?;
    let events = TableReader::open(&batch.events, &EVENTS)?;
    let counts: Integers = executions.column("events", &executions.all())?;
    let mut place = Place::of(Some(&events));
    let mut ends = events.all().into_iter().scan(0, |end, piece| {
        *end += piece.rows.len();
        Some(*end)
    });
    // Row groups end between executions: those of one are read together.
    let (mut first, mut from, mut end) = (0, 0, ends.next().unwrap_or(0));
    for row in 0..executions.rows() {
        let at = place.next(counts.unsigned(row))?.end;
        if at >= end || row + 1 == executions.rows() {
            Reader { executions: &executions, events: &events }.read(first..row + 1, from..at, &counts, take)?;
            (first, from) = (row + 1, at);
            end = ends.find(|end| *end > at).unwrap_or(usize::MAX);
        }
    }
    place.end()
}

struct Reader<'f> {
    executions: &'f TableReader,
    events: &'f TableReader,
}

impl Reader<'_> {
    /// Reads these executions, whose events are in these rows.
    fn read(
        &self,
        rows: Range<usize>,
        event_rows: Range<usize>,
        counts: &Integers,
        take: &mut dyn FnMut(History),
    ) -> Result<(), StoreError> {
        let executions = Executions::read(self.executions, &self.executions.pieces(&rows))?;
        let events = Events::read(self.events, &self.events.pieces(&event_rows))?;
        let mut event = 0;
        for (position, row) in rows.enumerate() {
            let mut history = executions.history(position).map_err(|reason| self.executions.damaged(reason))?;
            let count = counts.unsigned(row).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
            history.events.reserve(count.min(event_rows.len()));
            for position in event..event + count {
                history.events.push(events.event(position).map_err(|reason| self.events.damaged(reason))?);
            }
            event += count;
            take(history);
        }
        Ok(())
    }
}

/// Texts of a column as the model has them; those of a dictionary are shared.
struct RawTexts {
    table: Vec<RawText>,
    rows: Vec<u32>,
}

impl RawTexts {
    fn read(file: &TableReader, name: &str, pieces: &[Piece]) -> Result<Self, StoreError> {
        let texts: Texts = file.column(name, pieces)?;
        // A dictionary may hold many texts of which these rows have few.
        let mut used = vec![false; texts.count() as usize];
        for number in &texts.rows {
            if let Some(used) = used.get_mut(*number as usize) {
                *used = true;
            }
        }
        let table = texts.table().into_iter().zip(used).map(|(text, used)| RawText::plain(if used { text } else { "" })).collect();
        Ok(Self { table, rows: texts.rows })
    }

    fn get(&self, row: usize) -> Option<&RawText> {
        self.table.get(*self.rows.get(row)? as usize)
    }

    fn str(&self, row: usize) -> Option<&str> {
        self.get(row).map(RawText::source)
    }

    fn string(&self, row: usize) -> Option<String> {
        self.str(row).map(str::to_owned)
    }
}

/// A struct of columns, each read under its own name.
macro_rules! read {
    ($(#[$about:meta])* $name:ident { $($field:ident: $kind:ident,)* }) => {
        $(#[$about])*
        struct $name {
            $($field: $kind,)*
        }

        impl $name {
            fn read(file: &TableReader, pieces: &[Piece]) -> Result<Self, StoreError> {
                Ok(Self { $($field: read!(@one $kind, file, stringify!($field), pieces),)* })
            }
        }
    };
    (@one RawTexts, $file:ident, $name:expr, $pieces:ident) => { RawTexts::read($file, $name.trim_start_matches("r#"), $pieces)? };
    (@one $kind:ident, $file:ident, $name:expr, $pieces:ident) => { $file.column($name, $pieces)? };
}

read! {
    /// Of `executions`.
    Executions {
        execution: RawTexts,
        name: RawTexts,
        state_machine: RawTexts,
        version: RawTexts,
        alias: RawTexts,
        status: RawTexts,
        start: Integers,
        stop: Integers,
        redrive_count: Integers,
        map_run: RawTexts,
        error: RawTexts,
        cause: RawTexts,
        input: RawTexts,
        output: RawTexts,
        definition: RawTexts,
        source: RawTexts,
        source_part: RawTexts,
        definition_source: RawTexts,
        rest: RawTexts,
    }
}

read! {
    /// Of `events`.
    Events {
        id: Integers,
        previous_event_id: Integers,
        timestamp: Integers,
        r#type: RawTexts,
        name: RawTexts,
        index: Integers,
        length: Integers,
        resource_type: RawTexts,
        resource: RawTexts,
        region: RawTexts,
        timeout_seconds: Integers,
        heartbeat_seconds: Integers,
        role_arn: RawTexts,
        worker_name: RawTexts,
        alias_arn: RawTexts,
        version_arn: RawTexts,
        map_run: RawTexts,
        redrive_count: Integers,
        location: RawTexts,
        error: RawTexts,
        cause: RawTexts,
        input: RawTexts,
        output: RawTexts,
        assigned_variables: RawTexts,
        truncated: Flags,
        rest: RawTexts,
    }
}

/// Why a row makes no history.
type Reason = String;

fn rest_at<R: Default + serde::de::DeserializeOwned>(column: &RawTexts, row: usize) -> Result<R, Reason> {
    column.str(row).map_or_else(|| Ok(R::default()), |text| serde_json::from_str(text).map_err(|error| format!("column `rest`: {error}")))
}

/// The member of a description: as `rest` has it, or else as the column does.
fn member(header: &BTreeMap<String, Option<Text>>, name: &str, column: Option<&RawText>) -> Option<RawText> {
    match header.get(name) {
        Some(known) => known.clone().map(RawText::from),
        None => column.cloned(),
    }
}

fn parsed<T: std::str::FromStr>(name: &str, text: Option<RawText>) -> Result<Option<T>, Reason> {
    let parse = |text: RawText| text.source().parse().map_err(|_| format!("`{name}` holds `{}`", text.source()));
    text.map(parse).transpose()
}

impl Executions {
    fn history(&self, row: usize) -> Result<History, Reason> {
        let rest: ExecutionRest = rest_at(&self.rest, row)?;
        let text = |name: &str, column: &RawTexts| member(&rest.header, name, column.get(row));
        let string = |name: &str, column: &RawTexts| text(name, column).map(|text| text.source().to_owned());
        // A version's ARN is the machine's and a number, an alias's the machine's and a name.
        let qualified = |name: &str, column: &RawTexts| {
            let arn = || Some(format!("{}:{}", self.state_machine.str(row)?, column.str(row)?));
            rest.header.get(name).map_or_else(arn, |known| known.clone().map(|text| RawText::from(text).source().to_owned()))
        };
        let moment = |name: &str, column: &Integers| match rest.header.get(name) {
            Some(known) => parsed::<Timestamp>(name, known.clone().map(RawText::from)),
            None => Ok(column.get(row).map(|micros| Micros(micros).timestamp())),
        };
        let status = match string("status", &self.status) {
            Some(name) => Some(ExecutionStatus::from_name(&name).ok_or_else(|| format!("`status` holds `{name}`"))?),
            None => None,
        };
        let redrive_count = match rest.header.get("redrive_count") {
            Some(known) => parsed("redrive_count", known.clone().map(RawText::from))?,
            None => self.redrive_count.unsigned(row),
        };
        let header = ExecutionHeader {
            arn: parsed("execution", text("execution", &self.execution))?,
            state_machine_arn: parsed("state_machine", text("state_machine", &self.state_machine))?,
            name: string("name", &self.name),
            status,
            start: moment("start", &self.start)?,
            stop: moment("stop", &self.stop)?,
            input: text("input", &self.input),
            output: text("output", &self.output),
            error: text("error", &self.error),
            cause: text("cause", &self.cause),
            redrive_count,
            map_run_arn: string("map_run", &self.map_run),
            state_machine_version_arn: qualified("version", &self.version),
            state_machine_alias_arn: qualified("alias", &self.alias),
            unknown: raw_texts(rest.unknown),
        };
        let definition = member(&rest.header, "definition", self.definition.get(row));
        let definition = definition.map(|text| if rest.definition_is_text { text } else { RawText::json(text.source()) });
        let origin = Origin {
            source: self.source.string(row).unwrap_or_default(),
            part: self.source_part.string(row),
            definitions: self.definition_source.string(row),
            store: None,
        };
        Ok(History { header, events: Vec::new(), definition, gaps: rest.gaps, origin })
    }
}

/// One event that is put together.
struct Row<'e> {
    columns: &'e Events,
    at: usize,
    rest: EventRest,
}

impl Events {
    fn event(&self, row: usize) -> Result<HistoryEvent, Reason> {
        Row { columns: self, at: row, rest: rest_at(&self.rest, row)? }.event()
    }
}

impl Row<'_> {
    fn event(mut self) -> Result<HistoryEvent, Reason> {
        let name = self.columns.r#type.str(self.at).unwrap_or_default().to_owned();
        let kind = if self.rest.type_is_unknown { EventType::Unknown } else { EventType::from_name(&name) };
        let timestamp = match self.rest.timestamp.take() {
            Some(exact) => parsed("timestamp", Some(RawText::plain(exact)))?,
            None => self.columns.timestamp.get(self.at).map(|micros| Micros(micros).timestamp()),
        };
        let unknown = match self.rest.unknown.take() {
            Some(parts) => parts.into(),
            None => (kind == EventType::Unknown).then(|| Box::new(UnknownParts { kind: Some(name), ..UnknownParts::default() })),
        };
        let details = self.details(self.rest.details.unwrap_or_else(|| DetailsKind::usual(kind)))?;
        Ok(HistoryEvent {
            id: EventId(self.number("id", &self.columns.id).unwrap_or_default()),
            previous_event_id: self.number("previous_event_id", &self.columns.previous_event_id).map(EventId),
            timestamp,
            kind,
            details,
            unknown,
        })
    }

    fn number(&self, name: &str, column: &Integers) -> Option<u64> {
        self.rest.numbers.get(name).copied().or_else(|| column.unsigned(self.at))
    }

    fn text(&self, name: &str, column: &RawTexts) -> Option<RawText> {
        let text = column.get(self.at)?;
        let is_structured = self.rest.structured.iter().any(|column| column == name);
        Some(if is_structured { RawText::json(text.source()) } else { text.clone() })
    }

    fn payload(&self, name: &str, column: &RawTexts) -> Option<Payload> {
        let text = self.text(name, column)?;
        Some(Payload { text, truncated: self.columns.truncated.get(self.at).unwrap_or(false) })
    }

    fn details(&mut self, kind: DetailsKind) -> Result<Details, Reason> {
        let columns = self.columns;
        Ok(match kind {
            DetailsKind::None => Details::None,
            DetailsKind::ExecutionStarted => Details::ExecutionStarted(Box::new(ExecutionStarted {
                input: self.payload("input", &columns.input),
                role_arn: self.text("role_arn", &columns.role_arn),
                state_machine_alias_arn: self.text("alias_arn", &columns.alias_arn),
                state_machine_version_arn: self.text("version_arn", &columns.version_arn),
            })),
            DetailsKind::Failure => Details::Failure(Box::new(Failure {
                resource_type: self.text("resource_type", &columns.resource_type),
                resource: self.text("resource", &columns.resource),
                error: self.text("error", &columns.error),
                cause: self.text("cause", &columns.cause),
            })),
            DetailsKind::Output => Details::Output(Box::new(Output {
                resource_type: self.text("resource_type", &columns.resource_type),
                resource: self.text("resource", &columns.resource),
                output: self.payload("output", &columns.output),
            })),
            DetailsKind::StateEntered => {
                Details::StateEntered(StateEntered { name: self.text("name", &columns.name), input: self.payload("input", &columns.input) })
            }
            DetailsKind::StateExited => Details::StateExited(StateExited {
                name: self.text("name", &columns.name),
                output: self.payload("output", &columns.output),
                assigned_variables: self.variables()?,
            }),
            DetailsKind::Scheduled => Details::Scheduled(Box::new(Scheduled {
                resource_type: self.text("resource_type", &columns.resource_type),
                resource: self.text("resource", &columns.resource),
                region: self.text("region", &columns.region),
                input: self.payload("input", &columns.input),
                timeout_in_seconds: self.number("timeout_seconds", &columns.timeout_seconds),
                heartbeat_in_seconds: self.number("heartbeat_seconds", &columns.heartbeat_seconds),
                role_arn: self.text("role_arn", &columns.role_arn),
            })),
            DetailsKind::Started => Details::Started(Started {
                resource_type: self.text("resource_type", &columns.resource_type),
                resource: self.text("resource", &columns.resource),
                worker_name: self.text("worker_name", &columns.worker_name),
            }),
            DetailsKind::Evaluation => Details::Evaluation(Box::new(Evaluation {
                state: self.text("name", &columns.name),
                location: self.text("location", &columns.location),
                error: self.text("error", &columns.error),
                cause: self.text("cause", &columns.cause),
            })),
            DetailsKind::Iteration => {
                Details::Iteration { name: self.text("name", &columns.name), index: self.number("index", &columns.index) }
            }
            DetailsKind::MapStarted => Details::MapStarted { length: self.number("length", &columns.length) },
            DetailsKind::MapRunStarted => Details::MapRunStarted { map_run_arn: self.text("map_run", &columns.map_run) },
            DetailsKind::Redriven => Details::Redriven {
                redrive_count: self.number("redrive_count", &columns.redrive_count),
                map_run_arn: self.text("map_run", &columns.map_run),
            },
        })
    }

    fn variables(&mut self) -> Result<Option<Box<AssignedVariables>>, Reason> {
        let values = match (self.rest.assigned_variables.take(), self.columns.assigned_variables.str(self.at)) {
            (Some(values), _) => raw_texts(values),
            (None, Some(object)) => members_of(object).map_err(|error| format!("column `assigned_variables`: {error}"))?,
            (None, None) => return Ok(None),
        };
        let cut = self.rest.variables_truncated.or_else(|| self.columns.truncated.get(self.at));
        Ok(Some(Box::new(AssignedVariables { values, truncated: cut.unwrap_or(false) })))
    }
}

/// The members of a JSON object in their order, each value as it stands.
fn members_of(object: &str) -> serde_json::Result<Vec<(String, RawText)>> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, RawText)>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                members.push((name, RawText::plain(value.get())));
            }
            Ok(members)
        }
    }

    serde_json::Deserializer::from_str(object).deserialize_map(Members)
}
