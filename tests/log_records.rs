//! Step Functions log records of every form to histories: what is put together, and what is said to be missing.

mod common;

use std::fs;

use common::log_records::{FORMS, Level, bare, exported, filtered, records};
use proptest::prelude::*;
use serde_json::{Value, json};
use stepscope::analysis::why::{Confidence, Evidence, WhyReport, why};
use stepscope::asl::Definition;
use stepscope::model::builder::history;
use stepscope::model::history::LoggedLevel;
use stepscope::model::{EventId, ExecutionArn, ExecutionStatus, Gap, History, StateMachineArn};
use stepscope::rebuild::rebuild;
use stepscope::sources::{Collector, Limits, Place, SourceError, read_path, read_stream};

const EXPRESS: &str = "arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:7fa0cfbe-be28-4a20-9875-73c37f5dc39e";
const STANDARD: &str = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";

/// A task that fails twice: eleven events.
fn charged() -> History {
    let order = json!({"order": 7});
    let mut told = history("Orders");
    told.pass("Check", &order, &order).enter_task("Charge", &order);
    for _ in 0..2 {
        told.scheduled_with(json!({"FunctionName": "charge", "Payload": order}));
        told.started().failed("CardDeclined", Some("no money"));
    }
    told.execution_failed().build()
}

fn of(level: Level, arn: &str) -> Vec<Value> {
    records(&charged(), arn, level, true)
}

type Given = (Vec<History>, Vec<SourceError>);

fn read(bytes: impl AsRef<[u8]>) -> Given {
    let (mut histories, mut errors) = (Vec::new(), Vec::new());
    read_stream(bytes.as_ref().to_vec().as_slice(), "input", &Limits::default(), &mut |result| match result {
        Ok(history) => histories.push(history),
        Err(error) => errors.push(error),
    });
    (histories, errors)
}

fn only(bytes: impl AsRef<[u8]>) -> History {
    let (mut histories, errors) = read(bytes);
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(histories.len(), 1);
    histories.remove(0)
}

fn explained(history: &History, definition: Option<&Value>) -> WhyReport {
    let definition = definition.map(|text| Definition::parse(&text.to_string()).expect("a definition"));
    let path = rebuild(history, definition.as_ref());
    why(Evidence { history, path: &path, definition: definition.as_ref() })
}

mod forms {
    use super::*;

    #[test]
    fn every_form_gives_the_same_history() {
        let wanted = only(bare(&of(Level::All, EXPRESS)));
        assert_eq!((wanted.events.len(), wanted.gaps.as_slice()), (11, [].as_slice()));
        let header = &wanted.header;
        assert_eq!(header.arn.as_ref().map(ExecutionArn::as_str), Some(EXPRESS));
        assert_eq!(header.state_machine_arn.as_ref().map(StateMachineArn::name), Some("Orders"));
        assert_eq!((header.status, header.redrive_count), (Some(ExecutionStatus::Failed), Some(0)));
        assert_eq!((header.start, header.stop), (wanted.events[0].timestamp, wanted.events[10].timestamp));
        assert_eq!(wanted.origin.to_string(), "input log records");
        for (name, form) in FORMS {
            let found = only(form(&of(Level::All, EXPRESS)));
            assert_eq!(found.events, wanted.events, "{name}");
            assert_eq!(found.gaps, [], "{name}");
        }
    }

    #[test]
    fn get_log_events_and_several_pages() {
        let records = of(Level::All, EXPRESS);
        let page = |records: &[Value]| {
            let events: Vec<Value> =
                records.iter().map(|record| json!({"timestamp": 1, "message": record.to_string(), "ingestionTime": 2})).collect();
            json!({"events": events, "nextForwardToken": "f/1", "nextBackwardToken": "b/1"})
        };
        let (first, second) = records.split_at(5);
        for text in [
            format!("{}\n{}\n{}\n", page(first), page(second), page(&[])),
            format!("{:#}\n{:#}", page(second), page(first)),
            json!([page(first), page(second)]).to_string(),
            bare(page(&records)["events"].as_array().expect("events")),
        ] {
            assert_eq!(only(&text).gaps, [], "{text}");
        }
        let (histories, errors) = read(page(&[]).to_string());
        assert!(histories.is_empty() && errors.is_empty(), "an empty page is normal: {errors:?}");
    }

    #[test]
    fn rows_of_single_fields_tell_what_they_have() {
        let row = |record: &Value| {
            let mut fields: Vec<Value> = vec![json!({"field": "@ptr", "value": "Cm"})];
            for name in ["id", "type", "execution_arn", "previous_event_id", "event_timestamp"] {
                fields.push(json!({"field": name, "value": record[name]}));
            }
            for name in ["name", "resource", "resourceType", "error", "cause"] {
                if let Some(value) = record["details"].get(name) {
                    fields.push(json!({"field": format!("details.{name}"), "value": value}));
                }
            }
            fields
        };
        let rows: Vec<_> = of(Level::All, EXPRESS).iter().map(row).collect();
        let found = only(json!({"results": rows, "statistics": {}, "status": "Complete"}).to_string());
        assert_eq!(found.gaps, [Gap::PayloadsLeftOut]);
        let cause = explained(&found, None).root_cause.expect("it failed");
        assert_eq!((cause.state.as_deref(), cause.error.as_deref(), cause.attempts.len()), (Some("Charge"), Some("CardDeclined"), 2));
        let (histories, errors) = read(r#"{"results":[[{"field":"n","value":"5"}]],"status":"Complete","statistics":{}}"#);
        assert!(histories.is_empty() && errors.len() == 1 && errors[0].to_string().contains("without @message"), "{errors:?}");
    }

    #[test]
    fn a_console_export_holds_messages_as_objects() {
        let rows: Vec<Value> =
            of(Level::All, EXPRESS).iter().map(|record| json!({"@timestamp": "2026-01-01 00:00:00.000", "@message": record})).collect();
        assert_eq!(only(json!(rows).to_string()).gaps, []);
    }

    #[test]
    fn files_of_a_folder_are_one_input() {
        let records = of(Level::All, STANDARD);
        let folder = tempfile::tempdir().expect("a folder");
        for (number, part) in records.chunks(4).enumerate() {
            let stream = folder.path().join(format!("export/stream-{number}"));
            fs::create_dir_all(&stream).expect("a folder");
            fs::write(stream.join("000000"), exported(part)).expect("a file");
        }
        let mut read = Vec::new();
        read_path(folder.path(), &Limits::default(), &mut |result| read.push(result.expect("a history")));
        let [history] = read.as_slice() else { panic!("{} histories", read.len()) };
        assert_eq!((history.events.len(), history.gaps.as_slice()), (11, [].as_slice()));
        assert_eq!(history.origin.source, folder.path().join("export").display().to_string());
    }
}

mod gaps {
    use super::*;

    #[test]
    fn lost_records_are_holes() {
        let mut records = of(Level::All, EXPRESS);
        records.remove(5);
        records.remove(2);
        let found = only(bare(&records));
        let hole = |id| Gap::MissingEvents { first: EventId(id), last: EventId(id) };
        assert_eq!(found.gaps, [hole(3), hole(6)]);
    }

    #[test]
    fn without_an_end_nobody_says_that_it_runs() {
        for arn in [EXPRESS, STANDARD] {
            let mut records = of(Level::All, arn);
            records.pop();
            let found = only(filtered(&records));
            assert_eq!(found.gaps, [Gap::NoEndLogged]);
            assert_eq!(explained(&found, None).execution.status, None);
        }
    }

    #[test]
    fn without_data_only_payloads_are_missing() {
        let found = only(bare(&records(&charged(), EXPRESS, Level::All, false)));
        assert_eq!(found.gaps, [Gap::PayloadsLeftOut]);
        assert!(found.events.iter().all(|event| event.input().is_none() && event.output().is_none()));
    }

    #[test]
    fn payloads_that_were_cut_are_counted() {
        let long = "x".repeat(250 << 10);
        let mut records = of(Level::All, EXPRESS);
        records[0]["details"]["inputDetails"] = json!({"truncated": "true"});
        records[1]["details"]["inputDetails"] = json!({"truncated": true});
        // Parameters have no member that says so.
        records[4]["details"]["parameters"] = Value::String(format!("{{\"a\":\"{long}"));
        records[7]["details"]["parameters"] = Value::String(format!("{{\"a\":\"{long}\"}}"));
        let found = only(bare(&records));
        assert_eq!(found.gaps, [Gap::TruncatedPayloads { events: 3 }]);
    }

    #[test]
    fn a_step_that_ran_twice_is_told_and_not_merged() {
        let mut records = of(Level::All, STANDARD);
        let mut again = records[6].clone();
        again["details"]["error"] = json!("Timeout");
        again["event_timestamp"] = json!("1999999999999");
        records.insert(0, again);
        let found = only(bare(&records));
        assert_eq!(found.gaps, [Gap::RepeatedEvents { events: 1, first: EventId(7) }]);
        assert_eq!(found.events[6].error().expect("an error").decode(), "CardDeclined", "the earlier one counts");
    }

    #[test]
    fn an_event_that_was_told_otherwise_counts_once_however_often_and_in_whatever_order() {
        let first = of(Level::All, STANDARD);
        let mut other = first[6].clone();
        other["details"]["error"] = json!("Timeout");
        let gaps = |added: &[&Value]| {
            let mut records = first[..6].to_vec();
            records.extend(added.iter().map(|record| (*record).clone()));
            records.extend_from_slice(&first[7..]);
            only(bare(&records)).gaps
        };
        let told = [Gap::RepeatedEvents { events: 1, first: EventId(7) }];
        for order in [[&first[6], &other, &other], [&other, &other, &first[6]], [&other, &first[6], &other]] {
            assert_eq!(gaps(&order), told);
        }
    }

    #[test]
    fn a_whole_second_run_is_left_out() {
        let mut records = of(Level::All, STANDARD);
        let mut second = records.clone();
        for record in &mut second {
            let time: u64 = record["event_timestamp"].as_str().expect("a time").parse().expect("a number");
            record["event_timestamp"] = Value::String((time + 3_600_000).to_string());
        }
        second.push(json!({"id": "12", "type": "ExecutionFailed", "details": {}, "previous_event_id": "11", "execution_arn": STANDARD,
            "event_timestamp": "1999999999999"}));
        records.extend(second);
        let found = only(bare(&records));
        assert_eq!((found.events.len(), found.gaps.as_slice()), (11, [Gap::RepeatedEvents { events: 12, first: EventId(1) }].as_slice()));
    }

    #[test]
    fn what_an_express_execution_repeats_after_its_end_is_reported() {
        let mut records = of(Level::All, EXPRESS);
        let again = records[6].clone();
        records.push(again);
        let (histories, errors) = read(bare(&records));
        assert_eq!((histories.len(), errors.len()), (1, 0), "the same again is no news");
        records[11]["event_timestamp"] = json!("1999999999999");
        let (histories, errors) = read(bare(&records));
        assert_eq!((histories.len(), errors.len()), (1, 1));
        assert!(
            errors[0].is_remark() && errors[0].to_string().starts_with("input line 12: 1 log record of events that were read"),
            "{errors:?}"
        );
    }
}

mod levels {
    use super::*;

    fn definition(states: &[&str]) -> Value {
        let task = |name: &&str| {
            let resource = if name.starts_with("Send") { "arn:aws:states:::sqs:sendMessage" } else { "arn:aws:states:::lambda:invoke" };
            ((*name).to_owned(), json!({"Type": "Task", "Resource": resource, "End": true}))
        };
        json!({"StartAt": states[0], "States": states.iter().map(task).collect::<serde_json::Map<_, _>>()})
    }

    #[test]
    fn at_error_the_failure_is_told_without_its_state() {
        let found = only(filtered(&of(Level::Error, EXPRESS)));
        assert_eq!(found.gaps, [Gap::LoggedOnly { level: LoggedLevel::Error }]);
        let report = explained(&found, None);
        assert_eq!((report.execution.status, report.execution.start), (Some(ExecutionStatus::Failed), None));
        let cause = report.root_cause.expect("it failed");
        assert_eq!((cause.state, cause.error.as_deref(), cause.resource.as_deref()), (None, Some("CardDeclined"), Some("lambda:invoke")));
    }

    #[test]
    fn at_error_the_only_task_that_calls_the_resource_is_named() {
        let found = only(filtered(&of(Level::Error, EXPRESS)));
        let cause = explained(&found, Some(&definition(&["Charge", "Send"]))).root_cause.expect("it failed");
        assert_eq!((cause.state.as_deref(), cause.confidence, cause.attempts.len()), (Some("Charge"), Confidence::Likely, 2));
        let cause = explained(&found, Some(&definition(&["Charge", "Refund", "Send"]))).root_cause.expect("it failed");
        assert_eq!((cause.state, cause.error.as_deref()), (None, Some("CardDeclined")), "two may be meant");
    }

    #[test]
    fn at_error_another_failure_before_the_end_is_not_blamed() {
        // A failure that was caught, and an end that nothing logged leads to.
        let mut records = of(Level::Error, EXPRESS);
        let end = records.last_mut().expect("an end");
        end["id"] = json!("20");
        end["previous_event_id"] = json!("19");
        end["details"] = json!({"error": "States.Runtime", "cause": "something else"});
        let cause = explained(&only(bare(&records)), Some(&definition(&["Charge", "Send"]))).root_cause.expect("it failed");
        assert_eq!((cause.state, cause.error.as_deref()), (None, Some("States.Runtime")));
    }

    #[test]
    fn at_fatal_the_cause_may_name_the_state() {
        let found = only(filtered(&of(Level::Fatal, EXPRESS)));
        assert_eq!(found.gaps, [Gap::LoggedOnly { level: LoggedLevel::Fatal }]);
        let cause = explained(&found, Some(&definition(&["Charge"]))).root_cause.expect("it failed");
        assert_eq!((cause.state, cause.error.as_deref(), cause.confidence), (None, Some("CardDeclined"), Confidence::Guess));
        let mut records = of(Level::Fatal, EXPRESS);
        let text = "An error occurred while executing the state 'Choose' (entered at the event id #4). No choice rule matched.";
        records[0]["details"] = json!({"error": "States.NoChoiceMatched", "cause": text});
        let cause = explained(&only(filtered(&records)), None).root_cause.expect("it failed");
        assert_eq!((cause.state.as_deref(), cause.confidence), (Some("Choose"), Confidence::Likely));
    }

    #[test]
    fn a_fail_state_names_itself() {
        let mut told = history("Orders");
        told.pass("Check", json!({}), json!({})).enter_fail("Reject", json!({}));
        let found = only(bare(&records(&told.execution_failed_with("Rejected", "no").build(), EXPRESS, Level::Error, false)));
        let cause = explained(&found, None).root_cause.expect("it failed");
        assert_eq!((cause.state.as_deref(), cause.error.as_deref()), (Some("Reject"), Some("Rejected")));
    }
}

mod bad_lines {
    use super::*;

    #[test]
    fn other_lines_are_counted_and_bad_records_reported() {
        let records = of(Level::All, EXPRESS);
        let mut messages: Vec<String> = records.iter().map(ToString::to_string).collect();
        let cut = messages[3][..80].to_owned();
        messages.insert(0, "START RequestId: 7 Version: $LATEST".to_owned());
        messages.insert(5, cut);
        messages.insert(
            6,
            r#"{"id":"x","type":"TaskFailed","details":{},"execution_arn":"arn:aws:states:eu-west-1:1:execution:a:b"}"#.to_owned(),
        );
        messages.push(r#"{"level":"INFO"}"#.to_owned());
        messages.push("x".repeat(1 << 20));
        let events: Vec<Value> = messages.iter().map(|message| json!({"logStreamName": "s", "message": message})).collect();
        let lines = messages.join("\n");
        let timed = "2026-01-01T00:00:00.000Z ".to_owned() + &messages.join("\n2026-01-01T00:00:00.000Z ");
        for text in [json!({"events": events}).to_string(), lines, timed] {
            let (histories, errors) = read(&text);
            assert_eq!((histories.len(), histories[0].gaps.as_slice()), (1, [].as_slice()));
            let words: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert_eq!(errors.iter().filter(|error| error.fault_of_record().is_some()).count(), 2, "{words:?}");
            assert!(words[0].ends_with("a log record that is cut short or broken; left out"), "{words:?}");
            assert!(words[1].ends_with("a log record without an id of an event; left out"), "{words:?}");
            assert!(words[2].starts_with("3 lines of the log are no records of Step Functions (the first: input"), "{words:?}");
            assert!(errors[2].is_remark() && errors.len() == 3);
        }
    }

    #[test]
    fn a_log_of_something_else_says_so() {
        let (histories, errors) = read("2026-01-01T00:00:00.000Z START RequestId: 7\n2026-01-01T00:00:01.000Z END RequestId: 7\n");
        assert!(histories.is_empty());
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(
            error.is_unrelated() && error.to_string().contains("2 lines of the log are no records of Step Functions, and nothing else")
        );
    }

    #[test]
    fn bytes_that_are_no_text_cost_their_line_only() {
        let records = of(Level::All, EXPRESS);
        let mut bytes = exported(&records[..6]).into_bytes();
        bytes.extend_from_slice(b"2026-01-01T00:00:00.000Z caf\xE9\n2026-01-01T00:00:00.000Z {\"id\":\"3\",\"type\":\"TaskFailed\",\"details\":{\"error\":\"\xFF\n");
        bytes.extend_from_slice(exported(&records[6..]).as_bytes());
        let (histories, errors) = read(&bytes);
        assert_eq!((histories.len(), histories[0].gaps.as_slice()), (1, [].as_slice()));
        assert!(matches!(errors.as_slice(), [SourceError::NotUtf8 { .. }, SourceError::OtherLines { count: 1, .. }]), "{errors:?}");
    }
}

#[test]
fn a_collector_gives_an_express_execution_with_its_last_record() {
    let collector = Collector::default();
    let records = of(Level::All, EXPRESS);
    let mut given = Vec::new();
    for (number, record) in records.iter().rev().enumerate() {
        let place = Place::line("page", number + 1);
        collector.add_message(&record.to_string(), &place, &mut |result| given.push(result.expect("a history")));
        assert_eq!(given.len(), usize::from(number + 1 == records.len()));
        assert_eq!(collector.held().0, usize::from(given.is_empty()));
    }
    collector.finish(&mut |_| panic!("nothing is left, and nothing is to be said"));
}

#[test]
fn what_is_held_is_compressed() {
    let collector = Collector::default();
    let payload = "all work and no play ".repeat(1_000);
    for number in 0..3_000_u64 {
        let record = json!({"id": (number % 100 + 1).to_string(), "type": "PassStateEntered", "details": {"name": "A", "input": payload},
            "event_timestamp": "1", "execution_arn": format!("{STANDARD}-{}", number / 100)});
        collector.add_message(&record.to_string(), &Place::line("log", 1), &mut |_| panic!("not complete"));
    }
    let (executions, bytes) = collector.held();
    assert_eq!(executions, 30);
    assert!(bytes < 40 << 20, "63 MB were read, {bytes} bytes are held loose");
    let mut events = 0;
    collector.finish(&mut |result| events += result.expect("a history").events.len());
    assert_eq!(events, 3_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn order_and_duplicates_do_not_matter(order in prop::collection::vec(any::<prop::sample::Index>(), 40), arn in prop_oneof![Just(EXPRESS), Just(STANDARD)]) {
        let wanted = only(bare(&of(Level::All, arn)));
        let records = of(Level::All, arn);
        let mut shuffled: Vec<Value> = order.iter().map(|index| index.get(&records).clone()).collect();
        shuffled.extend(records);
        let found = only(filtered(&shuffled));
        prop_assert_eq!((found.events, found.gaps), (wanted.events, wanted.gaps));
    }

    #[test]
    fn no_bytes_stop_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..400), form in 0..FORMS.len(), at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let mut text = FORMS[form].1(&of(Level::All, EXPRESS)).into_bytes();
        text.truncate(cut.index(text.len() + 1));
        let at = at.index(text.len() + 1);
        let rest = text.split_off(at);
        text.append(&mut bytes);
        text.extend(rest);
        let (histories, _) = read(&text);
        for history in &histories {
            explained(history, None);
        }
    }
}
