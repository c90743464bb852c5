//! What goes into the tables of the store comes out of them as it was.

mod common;

#[allow(dead_code, reason = "what is known of a run does not hold once it is confused")]
#[path = "common/fleet.rs"]
mod fleet;

use std::path::Path;

use bumpalo::Bump;
use common::corpus::{corpus, files};
use fleet::{Random, tell};
use serde_json::json;
use stepscope::analysis::facts::{Rebuilt, extract};
use stepscope::asl::Definition;
use stepscope::model::builder::{history, seconds};
use stepscope::model::event::{
    AssignedVariables, Details, Evaluation, ExecutionStarted, Failure, Output, Scheduled, Started, UnknownParts,
};
use stepscope::model::facts::Needs;
use stepscope::model::text::Form;
use stepscope::model::wire::WireBundle;
use stepscope::model::{
    EventId, EventType, ExecutionFacts, ExecutionPath, ExecutionStatus, Gap, History, HistoryEvent, Origin, Payload, RawText, Timestamp,
};
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, read_path};
use stepscope::store::decode::{BatchPaths, facts_of_batch, histories_of_batch, history_of, keys_of_batch, verify_batch};
use stepscope::store::encode::BatchBuilder;

fn stored(histories: &[History], folder: &Path) -> BatchPaths {
    let mut builder = BatchBuilder::new();
    for history in histories {
        with_facts(history, |path, facts| builder.push(history, path, facts).expect("pushed"));
    }
    assert_eq!(builder.executions(), histories.len());
    let written = builder.write(folder).expect("written");
    assert_eq!(written.files[0].rows, histories.len() as u64);
    for file in &written.files {
        assert_eq!(std::fs::metadata(&file.path).expect("the file").len(), file.bytes, "{}", file.path.display());
    }
    BatchPaths::from(&written)
}

fn with_facts<T>(history: &History, use_it: impl FnOnce(&ExecutionPath, &ExecutionFacts<'_>) -> T) -> T {
    let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
    let path = rebuild(history, definition.as_ref());
    let arena = Bump::new();
    use_it(&path, &extract(Rebuilt { history, path: &path, definition: definition.as_ref() }, Needs::ALL, &arena))
}

/// Every text of an event and whether it is a JSON value.
fn forms(event: &HistoryEvent) -> Vec<bool> {
    let mut texts: Vec<Option<&RawText>> = Vec::new();
    fn payload(payload: &Option<Payload>) -> Option<&RawText> {
        payload.as_ref().map(|payload| &payload.text)
    }
    match &event.details {
        Details::ExecutionStarted(of) => texts.extend([payload(&of.input), of.role_arn.as_ref(), of.state_machine_alias_arn.as_ref()]),
        Details::Failure(of) => texts.extend([of.resource_type.as_ref(), of.resource.as_ref(), of.error.as_ref(), of.cause.as_ref()]),
        Details::Output(of) => texts.extend([of.resource_type.as_ref(), of.resource.as_ref(), payload(&of.output)]),
        Details::StateEntered(of) => texts.extend([of.name.as_ref(), payload(&of.input)]),
        Details::StateExited(of) => {
            texts.extend([of.name.as_ref(), payload(&of.output)]);
            texts.extend(of.assigned_variables.iter().flat_map(|all| all.values.iter().map(|(_, text)| Some(text))));
        }
        Details::Scheduled(of) => texts.extend([of.resource.as_ref(), of.region.as_ref(), payload(&of.input), of.role_arn.as_ref()]),
        Details::Started(of) => texts.extend([of.resource.as_ref(), of.worker_name.as_ref()]),
        Details::Evaluation(of) => texts.extend([of.state.as_ref(), of.location.as_ref(), of.error.as_ref(), of.cause.as_ref()]),
        Details::Iteration { name, .. } => texts.push(name.as_ref()),
        Details::MapRunStarted { map_run_arn } | Details::Redriven { map_run_arn, .. } => texts.push(map_run_arn.as_ref()),
        Details::None | Details::MapStarted { .. } => {}
    }
    let unknown = event.unknown.iter().flat_map(|parts| parts.members.iter().chain(&parts.details).map(|(_, text)| Some(text)));
    texts.into_iter().chain(unknown).map(|text| text.is_some_and(RawText::is_structured)).collect()
}

#[track_caller]
fn assert_same(found: &History, wanted: &History) {
    assert_eq!(found.events.len(), wanted.events.len());
    for (found, wanted) in found.events.iter().zip(&wanted.events) {
        assert_eq!(found, wanted);
        assert_eq!(forms(found), forms(wanted), "{wanted:?}");
    }
    assert_eq!(format!("{:?}", found.header), format!("{:?}", wanted.header));
    let header_forms = |history: &History| {
        let header = &history.header;
        [&header.input, &header.output, &header.error, &header.cause, &history.definition]
            .map(|text| text.as_ref().map(RawText::is_structured))
    };
    assert_eq!(header_forms(found), header_forms(wanted));
    assert_eq!(found.definition, wanted.definition);
    assert_eq!(found.gaps, wanted.gaps);
    assert_eq!(found.origin, wanted.origin);
    let wire = |history: &History| serde_json::to_string(&WireBundle(history)).expect("a bundle");
    assert_eq!(wire(found), wire(wanted));
}

/// Stores the histories, reads them back in every way, and compares.
#[track_caller]
fn assert_kept(histories: &[History]) {
    let folder = tempfile::tempdir().expect("a folder");
    let batch = stored(histories, folder.path());
    let mut found = Vec::new();
    histories_of_batch(&batch, &mut |history| found.push(history)).expect("histories");
    assert_eq!(found.len(), histories.len());
    for (found, wanted) in found.iter().zip(histories) {
        assert_same(found, wanted);
    }
    let keys = keys_of_batch(&batch.executions).expect("keys");
    let mut position = 0;
    facts_of_batch(&batch, Needs::ALL, &mut |found| {
        let history = &histories[position];
        with_facts(history, |_, wanted| {
            // Parquet's whole numbers end at half of what the model holds; no count of the service is as large.
            let told = |facts: &ExecutionFacts<'_>| format!("{facts:#?}").replace(&u64::MAX.to_string(), &i64::MAX.to_string());
            let (found, wanted_text) = (told(found), told(wanted));
            let difference = found.lines().zip(wanted_text.lines()).find(|(found, wanted)| found != wanted);
            assert!(found == wanted_text, "{}: {difference:?}", wanted.execution);
            let key = &keys[position];
            assert_eq!((&*key.execution, &*key.name, key.status), (wanted.execution, wanted.name, wanted.status));
            assert_eq!((key.events, key.redrive_count), (wanted.events, wanted.redrive_count.min(i64::MAX as u64)));
        });
        position += 1;
    })
    .expect("facts");
    assert_eq!(position, histories.len());
    verify_batch(&batch).expect("a sound batch");
}

#[test]
fn a_batch_without_executions_is_read_back() {
    assert_kept(&[]);
}

#[test]
fn one_execution_is_found_by_its_arn_and_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let told: Vec<History> = (0..50).map(|seed| named(tell(seed, 30).history, seed)).collect();
    let batch = stored(&told, folder.path());
    for wanted in &told {
        let arn = wanted.header.arn.as_ref().expect("an ARN").as_str();
        let name = wanted.header.name.as_deref().expect("a name");
        for asked in [arn, name] {
            assert_same(&history_of(&batch, asked).expect("readable").expect("there"), wanted);
        }
    }
    assert!(history_of(&batch, "nobody").expect("readable").is_none());
}

/// The same history under a name of its own.
fn named(mut history: History, number: u64) -> History {
    let name = format!("run-number-{number}");
    history.header.arn = format!("arn:aws:states:eu-west-1:111111111111:execution:Orders:{name}").parse().ok();
    history.header.name = Some(name);
    history
}

#[test]
fn only_what_is_needed_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let told: Vec<History> = (0..20).map(|seed| tell(seed, 30).history).collect();
    let batch = stored(&told, folder.path());
    facts_of_batch(&batch, Needs::default(), &mut |facts| {
        assert!(facts.visits.is_empty() && facts.attempts.is_empty() && facts.failure.is_none());
        assert!(facts.input.is_none() && facts.definition.is_none());
        assert!(!facts.execution.is_empty());
    })
    .expect("facts");
    std::fs::remove_file(&batch.visits).expect("removed");
    facts_of_batch(&batch, Needs { attempts: true, ..Needs::default() }, &mut |_| {}).expect("visits are not asked for");
    assert!(facts_of_batch(&batch, Needs::ALL, &mut |_| {}).is_err());
}

#[test]
fn told_and_confused_histories_are_kept() {
    let mut random = Random::new(7);
    let mut histories: Vec<History> = (0..60).map(|seed| named(tell(seed, 40).history, seed)).collect();
    for number in 0..200 {
        let history = tell(random.below(200) as u64, 40).history;
        histories.push(named(confused(history, &mut random), 100 + number));
    }
    assert_kept(&histories);
}

const TEXTS: [&str; 9] =
    ["", "Charge", "{\"a\": [1.50, \"é\\n\"]}", "not JSON \u{1}\u{7f}", "null", " 1 ", "\"text\"", "𝒳 ünï\u{200b}", "[1,2"];

fn text(random: &mut Random) -> RawText {
    let text = TEXTS[random.below(TEXTS.len())];
    match random.below(4) {
        0 => RawText::json(text),
        1 => {
            let literal = serde_json::to_string(text).expect("a string");
            let document = std::sync::Arc::new(literal);
            RawText::slice(&document, 1..document.len() - 1, Form::Escaped).expect("inside the quotes")
        }
        2 => {
            let document = std::sync::Arc::new(format!("{}\\ud800\\q", text.len()));
            RawText::slice(&document, 0..document.len(), Form::Escaped).expect("all of it")
        }
        _ => RawText::plain(text),
    }
}

fn maybe<T>(random: &mut Random, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
    random.chance(70).then(|| make(random))
}

fn payload(random: &mut Random) -> Payload {
    Payload { text: text(random), truncated: random.chance(20) }
}

fn number(random: &mut Random) -> u64 {
    [0, 1, 77, i64::MAX as u64, u64::MAX][random.below(5)]
}

fn members(random: &mut Random) -> Vec<(String, RawText)> {
    (0..random.below(3)).map(|_| (TEXTS[random.below(TEXTS.len())].to_owned(), text(random))).collect()
}

fn any_details(random: &mut Random) -> Details {
    let one = &mut *random;
    match one.below(11) {
        0 => Details::None,
        1 => Details::ExecutionStarted(Box::new(ExecutionStarted {
            input: maybe(one, payload),
            role_arn: maybe(one, text),
            state_machine_alias_arn: maybe(one, text),
            state_machine_version_arn: maybe(one, text),
        })),
        2 => Details::Failure(Box::new(Failure {
            resource_type: maybe(one, text),
            resource: maybe(one, text),
            error: maybe(one, text),
            cause: maybe(one, text),
        })),
        3 => Details::Output(Box::new(Output { resource_type: maybe(one, text), resource: maybe(one, text), output: maybe(one, payload) })),
        4 => Details::StateExited(stepscope::model::event::StateExited {
            name: maybe(one, text),
            output: maybe(one, payload),
            assigned_variables: maybe(one, |one| Box::new(AssignedVariables { values: members(one), truncated: one.chance(50) })),
        }),
        5 => Details::Scheduled(Box::new(Scheduled {
            resource_type: maybe(one, text),
            resource: maybe(one, text),
            region: maybe(one, text),
            input: maybe(one, payload),
            timeout_in_seconds: maybe(one, number),
            heartbeat_in_seconds: maybe(one, number),
            role_arn: maybe(one, text),
        })),
        6 => Details::Started(Started { resource_type: maybe(one, text), resource: maybe(one, text), worker_name: maybe(one, text) }),
        7 => Details::Evaluation(Box::new(Evaluation {
            state: maybe(one, text),
            location: maybe(one, text),
            error: maybe(one, text),
            cause: maybe(one, text),
        })),
        8 => Details::Iteration { name: maybe(one, text), index: maybe(one, number) },
        9 => Details::MapStarted { length: maybe(one, number) },
        _ => Details::Redriven { redrive_count: maybe(one, number), map_run_arn: maybe(one, text) },
    }
}

/// A history in which everything that the model can hold may stand anywhere.
fn confused(mut history: History, random: &mut Random) -> History {
    let length = history.events.len();
    for event in &mut history.events {
        if random.chance(30) {
            event.details = any_details(random);
        }
        if random.chance(10) {
            event.kind = EventType::ALL[random.below(EventType::ALL.len())];
        }
        if random.chance(10) {
            event.kind = EventType::Unknown;
        }
        if random.chance(15) {
            let names = [None, Some("TaskTeleported"), Some("TaskFailed"), Some("Unknown"), Some("")];
            let kind = names[random.below(names.len())].map(str::to_owned);
            event.unknown = Some(Box::new(UnknownParts { kind, members: members(random), details: members(random) }));
        }
        if random.chance(10) {
            event.previous_event_id = maybe(random, |random| EventId(random.below(length + 3) as u64));
        }
        if random.chance(10) {
            let moments = [
                None,
                Timestamp::new(1_700_000_000, 123_456_789).ok(),
                Timestamp::new(-5, -999_999_999).ok(),
                Some(Timestamp::MIN),
                Some(Timestamp::MAX),
            ];
            event.timestamp = moments[random.below(moments.len())];
        }
    }
    let header = &mut history.header;
    if random.chance(40) {
        header.status = maybe(random, |random| ExecutionStatus::ALL[random.below(6)]);
        header.error = maybe(random, text);
        header.cause = maybe(random, text);
        header.input = maybe(random, text);
        header.output = maybe(random, text);
        header.unknown = members(random);
        header.redrive_count = maybe(random, number);
        header.map_run_arn = maybe(random, |_| "arn:aws:states:eu-west-1:1:mapRun:Orders/Each:7".to_owned());
        header.stop = Timestamp::new(1_800_000_000, 1).ok();
        header.state_machine_version_arn = maybe(random, |_| "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders:3".to_owned());
        header.state_machine_alias_arn = maybe(random, |_| "something else".to_owned());
    }
    if random.chance(20) {
        header.arn = None;
    }
    if random.chance(20) {
        header.name = None;
    }
    if random.chance(30) {
        history.definition = maybe(random, text);
    }
    if random.chance(30) {
        history.gaps = vec![
            Gap::NoEvents,
            Gap::MissingEvents { first: EventId(3), last: EventId(9) },
            Gap::NotFetched { what: "a page".to_owned(), reason: "a \"reason\"".to_owned() },
            Gap::ConflictingEvents { id: EventId(4) },
            Gap::UnknownTypes { events: 2, example: "é".to_owned() },
            Gap::ChildNotRead { execution: "child".to_owned(), reason: None },
            Gap::NoDefinition { reason: Some(String::new()) },
        ];
    }
    if random.chance(50) {
        history.origin = Origin {
            source: "a \u{1} file".to_owned(),
            part: random.chance(50).then(|| "line 3".to_owned()),
            definitions: random.chance(50).then(|| "definitions/Orders.json".to_owned()),
        };
    }
    history
}

#[test]
fn every_kind_of_event_that_the_builder_tells_is_kept() {
    let callbacks = history("Orders")
        .input(json!({"id": 7, "note": "line\nbreak \"quoted\" \\ é 𝒳"}))
        .enter_task("Charge", json!({}))
        .calls("lambda", "invoke.waitForTaskToken")
        .heartbeat(seconds(30))
        .timeout(seconds(60))
        .credentials("arn:aws:iam::111111111111:role/Other")
        .scheduled_with(json!({"FunctionName": "charge"}))
        .build();
    assert_kept(&[callbacks]);
}

#[test]
fn recordings_of_the_service_and_incidents_are_kept() {
    let Some(corpus) = corpus() else { return };
    let mut histories = Vec::new();
    for file in files(&corpus) {
        let is_wanted = file.components().any(|part| part.as_os_str() == "aws-recorded") || file.ends_with("executions.jsonl.gz");
        if is_wanted {
            // The incidents are large and alike; a part of each tells as much.
            let mut few = Vec::new();
            read_path(&file, &Limits::default(), &mut |read| few.extend(read.ok().filter(|_| few.len() < 40)));
            histories.append(&mut few);
        }
    }
    assert!(histories.len() > 500, "{} histories", histories.len());
    for (number, part) in histories.chunks(400).enumerate() {
        assert!(number < 100);
        assert_kept(part);
    }
}

#[test]
fn polars_reads_every_column_as_it_is() {
    use polars::prelude::{DataType, ParquetReader, SerReader, TimeUnit};
    use stepscope::store::schema::{Kind, TABLES};

    let folder = tempfile::tempdir().expect("a folder");
    let told: Vec<History> = (0..20).map(|seed| tell(seed, 30).history).collect();
    let batch = stored(&told, folder.path());
    for (table, path) in TABLES.into_iter().zip(batch.all()) {
        let frame = ParquetReader::new(std::fs::File::open(path).expect("the file")).finish().expect("a frame");
        assert_eq!(frame.width(), table.columns.len());
        for column in table.columns {
            let found = frame.column(column.name).expect("the column");
            let is_wanted = match (column.kind, found.dtype()) {
                (Kind::Word | Kind::Text, DataType::String) | (Kind::Integer, DataType::Int64) => true,
                (Kind::Milliseconds, DataType::Float64) | (Kind::Flag, DataType::Boolean) => true,
                (Kind::Moment, DataType::Datetime(TimeUnit::Microseconds, Some(zone))) => zone.as_str() == "UTC",
                _ => false,
            };
            assert!(is_wanted, "{}.{} is {}", table.name, column.name, found.dtype());
            assert!(!column.required || found.null_count() == 0, "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn damaged_files_are_errors_that_name_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let told: Vec<History> = (0..12).map(|seed| named(tell(seed, 30).history, seed)).collect();
    let batch = stored(&told, folder.path());
    let mut random = Random::new(3);
    let mut noticed = 0;
    for path in batch.all() {
        let sound = std::fs::read(path).expect("the file");
        for round in 0..60 {
            let mut bytes = sound.clone();
            if round % 5 == 0 {
                bytes.truncate(random.below(bytes.len()));
            } else {
                // Half of them in the footer, whose numbers say how large everything is.
                let from = if random.chance(50) { bytes.len().saturating_sub(6000) } else { 0 };
                for _ in 0..1 + random.below(3) {
                    let at = from + random.below(bytes.len() - from);
                    bytes[at] = u8::try_from(random.below(256)).expect("a byte");
                }
            }
            std::fs::write(path, &bytes).expect("written");
            let results = [
                facts_of_batch(&batch, Needs::ALL, &mut |_| {}),
                histories_of_batch(&batch, &mut |_| {}),
                history_of(&batch, "run-number-7").map(|_| ()),
                keys_of_batch(&batch.executions).map(|_| ()),
                verify_batch(&batch),
            ];
            for error in results.into_iter().filter_map(Result::err) {
                noticed += 1;
                let error = error.to_string();
                let names_it = batch.all().iter().any(|path| error.contains(&path.display().to_string()));
                assert!(names_it && !error.contains('\n'), "{error}");
            }
        }
        std::fs::write(path, &sound).expect("written");
        verify_batch(&batch).expect("whole again");
    }
    assert!(noticed > 200, "{noticed}");
}

#[test]
fn bytes_that_changed_without_a_trace_are_noticed_by_their_sum() {
    let folder = tempfile::tempdir().expect("a folder");
    let told: Vec<History> = (0..12).map(|seed| named(tell(seed, 30).history, seed)).collect();
    let batch = stored(&told, folder.path());
    for path in batch.all() {
        let sound = std::fs::read(path).expect("the file");
        for at in [5, sound.len() / 3, sound.len() / 2] {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x10;
            std::fs::write(path, &bytes).expect("written");
            let error = verify_batch(&batch).expect_err("a changed byte").to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
        std::fs::write(path, &sound).expect("written");
    }
}

#[test]
fn files_that_are_no_tables_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let batch = stored(&[tell(1, 30).history], folder.path());
    let swapped = BatchPaths { visits: batch.events.clone(), ..batch.clone() };
    let error = facts_of_batch(&swapped, Needs::ALL, &mut |_| {}).expect_err("events are no visits").to_string();
    assert!(error.contains("it holds the table `events`"), "{error}");
    for text in ["", "PAR1", "{\"events\":[]}", "PAR1aaaaaaaaaaaaaaaaaaaaaaaaPAR1"] {
        std::fs::write(&batch.executions, text).expect("written");
        let error = keys_of_batch(&batch.executions).expect_err("no table").to_string();
        assert!(error.contains("executions.parquet"), "{error}");
    }
    std::fs::remove_file(&batch.executions).expect("removed");
    assert!(keys_of_batch(&batch.executions).expect_err("gone").to_string().contains("could not be opened"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = BatchBuilder::new().write(&folder.path().join("nowhere")).expect_err("no folder");
    assert!(error.to_string().contains("could not be created"), "{error}");
    assert!(!error.is_disk_full());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_apart() {
    // A device that is always full.
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink("/dev/full", folder.path().join("events.parquet")).expect("a link");
    let history = tell(1, 30).history;
    let mut builder = BatchBuilder::new();
    with_facts(&history, |path, facts| builder.push(&history, path, facts).expect("pushed"));
    let error = builder.write(folder.path()).expect_err("a full disk");
    assert!(error.is_disk_full(), "{error}");
    assert!(error.to_string().contains("events.parquet"), "{error}");
}
