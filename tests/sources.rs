//! Files, folders and streams to histories: every form that `EXEC` takes, what is missing, and what is broken.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use stepscope::model::wire::WireBundle;
use stepscope::model::{EventId, ExecutionStatus, Gap, History};
use stepscope::sources::{Limits, SourceError, read_definitions, read_path, read_stream};
use tempfile::TempDir;

const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";

/// A failed execution of one task: six events, in minute `minute` of the year.
fn events(minute: u64) -> Vec<Value> {
    let time = |second: u64| format!("2026-01-01T00:{minute:02}:{second:02}.100000+00:00");
    vec![
        json!({"timestamp": time(0), "type": "ExecutionStarted", "id": 1, "previousEventId": 0,
            "executionStartedEventDetails": {"input": "{\"order\":1}", "inputDetails": {"truncated": false}, "roleArn": "arn:aws:iam::111111111111:role/r"}}),
        json!({"timestamp": time(1), "type": "TaskStateEntered", "id": 2, "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "Charge", "input": "{\"order\":1}", "inputDetails": {"truncated": false}}}),
        json!({"timestamp": time(2), "type": "TaskScheduled", "id": 3, "previousEventId": 2,
            "taskScheduledEventDetails": {"resourceType": "lambda", "resource": "invoke", "region": "eu-west-1", "parameters": "{}"}}),
        json!({"timestamp": time(3), "type": "TaskStarted", "id": 4, "previousEventId": 3,
            "taskStartedEventDetails": {"resourceType": "lambda", "resource": "invoke"}}),
        json!({"timestamp": time(4), "type": "TaskFailed", "id": 5, "previousEventId": 4,
            "taskFailedEventDetails": {"resourceType": "lambda", "resource": "invoke", "error": "CardDeclined", "cause": "no \"funds\""}}),
        json!({"timestamp": time(5), "type": "ExecutionFailed", "id": 6, "previousEventId": 5,
            "executionFailedEventDetails": {"error": "CardDeclined", "cause": "no \"funds\""}}),
    ]
}

fn describe(name: &str, minute: u64) -> Value {
    json!({"executionArn": format!("arn:aws:states:eu-west-1:111111111111:execution:Orders:{name}"), "stateMachineArn": MACHINE, "name": name,
        "status": "FAILED", "startDate": format!("2026-01-01T00:{minute:02}:00.100000+00:00"), "stopDate": format!("2026-01-01T00:{minute:02}:05.100000+00:00"),
        "redriveStatus": "REDRIVABLE"})
}

fn definition() -> Value {
    json!({"StartAt": "Charge", "States": {"Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}}})
}

fn bundle(name: &str, minute: u64) -> Value {
    json!({"execution": describe(name, minute), "events": events(minute), "definition": definition()})
}

fn page(events: &[Value]) -> Value {
    json!({ "events": events })
}

/// What a source gave.
type Given = (Vec<History>, Vec<SourceError>);

fn from_bytes_with(bytes: impl Read + Send, limits: &Limits) -> Given {
    let (mut histories, mut errors) = (Vec::new(), Vec::new());
    read_stream(bytes, "input", limits, &mut |result| match result {
        Ok(history) => histories.push(history),
        Err(error) => errors.push(error),
    });
    (histories, errors)
}

fn from_bytes(bytes: &[u8]) -> Given {
    from_bytes_with(bytes, &Limits::default())
}

fn from_path(path: &Path) -> Given {
    let (mut histories, mut errors) = (Vec::new(), Vec::new());
    read_path(path, &Limits::default(), &mut |result| match result {
        Ok(history) => histories.push(history),
        Err(error) => errors.push(error),
    });
    (histories, errors)
}

/// The only history of an input without errors.
fn only(bytes: impl AsRef<[u8]>) -> History {
    let (mut histories, errors) = from_bytes(bytes.as_ref());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(histories.len(), 1);
    histories.remove(0)
}

/// The only error of an input without histories, as its message.
fn error(bytes: impl AsRef<[u8]>) -> String {
    let (histories, errors) = from_bytes(bytes.as_ref());
    assert!(histories.is_empty(), "{histories:?}");
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].to_string()
}

fn ids(history: &History) -> Vec<u64> {
    history.events.iter().map(|event| event.id.0).collect()
}

fn gap_ids(history: &History) -> Vec<&'static str> {
    history.gaps.iter().map(Gap::id).collect()
}

/// A folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    folder
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("JSON");
    text.push(b'\n');
    text
}

mod forms {
    use super::*;

    #[test]
    fn one_page_as_the_cli_prints_it() {
        let history = only(pretty(&page(&events(0))));
        assert_eq!(ids(&history), [1, 2, 3, 4, 5, 6]);
        assert_eq!(history.gaps, []);
        assert_eq!(history.origin.to_string(), "input");
        assert_eq!(history.header.status, None);
        assert_eq!(history.events[4].cause().expect("a cause").decode(), "no \"funds\"");
    }

    #[test]
    fn several_pages_in_any_order_and_overlapping() {
        let all = events(0);
        let mut reversed = all[3..].to_vec();
        reversed.reverse();
        let texts: [Vec<u8>; 4] = [
            [pretty(&page(&all[..3])), pretty(&page(&all[3..]))].concat(),
            [pretty(&page(&all[2..])), pretty(&page(&all[..4]))].concat(),
            pretty(&json!([page(&all[3..]), page(&all[..3])])),
            [bytes(&page(&reversed)), b"\n".to_vec(), bytes(&page(&all[..3]))].concat(),
        ];
        for text in texts {
            let history = only(&text);
            assert_eq!(ids(&history), [1, 2, 3, 4, 5, 6]);
            assert_eq!(history.gaps, []);
        }
    }

    #[test]
    fn bare_arrays_and_single_events() {
        assert_eq!(ids(&only(bytes(&json!(events(0))))), [1, 2, 3, 4, 5, 6]);
        assert_eq!(ids(&only(bytes(&json!([events(0)[..3], events(0)[3..]])))), [1, 2, 3, 4, 5, 6]);
        let lines: Vec<u8> = events(0).iter().flat_map(|event| [bytes(event), b"\n".to_vec()].concat()).collect();
        assert_eq!(ids(&only(lines)), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_bundle_has_everything_in_any_order_of_its_members() {
        let history = only(pretty(&bundle("run-1", 0)));
        assert_eq!(history.header.arn.as_ref().map(stepscope::model::ExecutionArn::name), Some("run-1"));
        assert_eq!(history.header.status, Some(ExecutionStatus::Failed));
        assert_eq!(history.header.unknown[0].0, "redriveStatus");
        assert_eq!(history.gaps, []);
        let text = format!(
            r#"{{"events":{},"definition":{},"execution":{}}}"#,
            json!(events(0)),
            json!(definition().to_string()),
            describe("run-1", 0)
        );
        let other = only(&text);
        assert_eq!(other.events, history.events);
        assert_eq!(other.header.name.as_deref(), Some("run-1"));
        let parsed = |history: &History| {
            let text = history.definition.as_ref().expect("a definition").decode().into_owned();
            serde_json::from_str::<Value>(&text).expect("JSON")
        };
        assert_eq!((parsed(&history), parsed(&other)), (definition(), definition()));
    }

    #[test]
    fn bundles_are_written_on_a_line_each() {
        // As people and tools indent them: a definition, members that the program does not know, and an input whose text has breaks.
        let indented = |name: &str, minute: u64| {
            let mut bundle = bundle(name, minute);
            bundle["definition"]["States"]["Charge"]["Comment"] = json!("two\nlines");
            bundle["definition"]["TimeoutSeconds"] = json!(1.5);
            bundle["events"][1]["stateEnteredEventDetails"]["input"] = json!("{\n  \"order\": 1\r\n}");
            bundle["events"][1]["colour"] = json!({"red": [1, 2]});
            String::from_utf8(pretty(&bundle)).expect("text").replace("1.5", "1.50")
        };
        let line = |history: &History| serde_json::to_string(&WireBundle(history)).expect("a history is JSON");
        let texts = [indented("run-1", 0), indented("run-2", 1)];
        let read: Vec<History> = texts.iter().map(only).collect();
        let lines: Vec<String> = read.iter().map(line).collect();
        assert!(lines.iter().all(|line| !line.contains(['\n', '\r']) && line.contains("1.50")), "{lines:?}");

        let (again, errors) = from_bytes(lines.join("\n").as_bytes());
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(again.iter().map(line).collect::<Vec<_>>(), lines);
        let values = |texts: &[String]| texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect::<Vec<Value>>();
        assert_eq!(values(&lines), values(&texts));
    }

    #[test]
    fn the_other_form_of_a_bundle() {
        let machine = json!({"stateMachineArn": MACHINE, "name": "Orders", "definition": definition().to_string()});
        for history in [json!({"events": events(0), "nextToken": null}), json!(events(0))] {
            let found = only(bytes(&json!({"describe": describe("run-1", 0), "history": history, "definition": machine})));
            assert_eq!((ids(&found).len(), gap_ids(&found)), (6, vec![]));
            assert!(found.definition.expect("a definition").decode().starts_with("{\"StartAt\""));
        }
    }

    #[test]
    fn json_lines_give_one_history_a_line() {
        let lines = format!("{}\n\n{}\r\n{}", bundle("run-1", 0), bundle("run-2", 1), bundle("run-3", 2));
        let (histories, errors) = from_bytes(lines.as_bytes());
        assert!(errors.is_empty(), "{errors:?}");
        let origins: Vec<String> = histories.iter().map(|history| history.origin.to_string()).collect();
        assert_eq!(origins, ["input line 1", "input line 3", "input line 4"]);
    }

    #[test]
    fn an_array_of_bundles_gives_each() {
        let (histories, errors) = from_bytes(&pretty(&json!([bundle("run-1", 0), bundle("run-2", 1)])));
        assert!(errors.is_empty());
        let origins: Vec<String> = histories.iter().map(|history| history.origin.to_string()).collect();
        assert_eq!(origins, ["input entry 1", "input entry 2"]);
    }

    #[test]
    fn a_description_and_the_pages_after_it_are_one_execution() {
        let all = events(0);
        let text = [pretty(&describe("run-1", 0)), pretty(&page(&all[..3])), pretty(&page(&all[3..])), pretty(&definition())].concat();
        let history = only(text);
        assert_eq!((history.header.name.as_deref(), ids(&history).len()), (Some("run-1"), 6));
        assert!(history.definition.is_some());
        let lines = format!("{}\n{}\n{}\n{}\n", describe("run-1", 0), page(&events(0)), describe("run-2", 1), page(&events(1)));
        let (histories, errors) = from_bytes(lines.as_bytes());
        assert!(errors.is_empty(), "{errors:?}");
        let names: Vec<_> = histories.iter().map(|history| (history.header.name.as_deref(), history.events.len())).collect();
        assert_eq!(names, [(Some("run-1"), 6), (Some("run-2"), 6)]);
    }

    #[test]
    fn the_name_of_an_execution_alone_is_no_history() {
        let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";
        for record in [
            json!({"execution": arn, "transitions": 3}),
            json!({"executionArn": arn, "name": "run-1"}),
            json!({"execution": {"executionArn": arn}}),
        ] {
            let message = error(bytes(&record));
            assert!(message.contains("an object that names an execution and says nothing of it"), "{message}");
        }
    }

    #[test]
    fn a_description_alone_is_a_history_without_events() {
        let history = only(pretty(&describe("run-1", 0)));
        assert_eq!((gap_ids(&history), history.header.status), (vec!["no_events"], Some(ExecutionStatus::Failed)));
    }

    #[test]
    fn pages_of_two_executions_are_told_apart_by_their_first_event() {
        let (histories, errors) = from_bytes(&[pretty(&page(&events(0))), pretty(&page(&events(1)))].concat());
        assert!(errors.is_empty());
        assert_eq!(histories.iter().map(|history| history.events.len()).collect::<Vec<_>>(), [6, 6]);
    }

    #[test]
    fn the_name_comes_from_the_arn_when_the_description_has_none() {
        let arn = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-9";
        let history = only(bytes(&json!({"execution": {"executionArn": arn}, "events": events(0)})));
        assert_eq!(history.header.name.as_deref(), Some("run-9"));
        assert_eq!(history.header.state_machine_arn.expect("from the ARN").as_str(), MACHINE);
    }

    #[test]
    fn compressed_inputs_are_told_by_their_first_bytes() {
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("memory");
            encoder.finish().expect("memory")
        };
        let text = pretty(&page(&events(0)));
        let (front, back) = text.split_at(text.len() / 2);
        let zstd = zstd::stream::encode_all(text.as_slice(), 1).expect("memory");
        for packed in [gzip(&text), [gzip(front), gzip(back)].concat(), zstd] {
            assert_eq!(ids(&only(packed)), [1, 2, 3, 4, 5, 6]);
        }
    }

    #[test]
    fn windows_line_ends_byte_order_marks_and_utf16() {
        let text = String::from_utf8(pretty(&page(&events(0)))).expect("text").replace('\n', "\r\n");
        assert_eq!(ids(&only(format!("\u{feff}{text}"))).len(), 6);
        let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(ids(&only(utf16)).len(), 6);
    }

    #[test]
    fn members_around_a_page_are_kept_and_do_not_keep_pages_apart() {
        let with = |events: &[Value]| json!({"events": events, "ResponseMetadata": {"HTTPStatusCode": 200}});
        let history = only([bytes(&with(&events(0)[..2])), bytes(&with(&events(0)[2..]))].concat());
        assert_eq!(ids(&history).len(), 6);
        assert_eq!(history.header.unknown[0].0, "ResponseMetadata");
    }
}

mod gaps {
    use super::*;

    fn changed(change: impl FnOnce(&mut Vec<Value>)) -> History {
        let mut events = events(0);
        change(&mut events);
        only(bytes(&json!({"execution": describe("run-1", 0), "events": events})))
    }

    fn remove(event: &mut Value, member: &str) {
        event.as_object_mut().expect("an object").remove(member);
    }

    #[test]
    fn missing_events_are_ranges() {
        let history = changed(|events| {
            events.drain(2..4);
            events.remove(0);
        });
        let range = |first, last| Gap::MissingEvents { first: EventId(first), last: EventId(last) };
        assert_eq!(history.gaps, [range(1, 1), range(3, 4)]);
    }

    #[test]
    fn a_next_page_is_missed_unless_it_is_there() {
        let with_token = |events: &[Value]| json!({"events": events, "nextToken": "AAAA"});
        assert_eq!(gap_ids(&only(bytes(&with_token(&events(0)[..3])))), ["more_pages"]);
        assert_eq!(gap_ids(&only([bytes(&with_token(&events(0)[..3])), bytes(&page(&events(0)[3..]))].concat())), [""; 0]);
        let reversed: Vec<Value> = events(0)[3..].iter().rev().cloned().collect();
        assert_eq!(gap_ids(&only(bytes(&with_token(&reversed)))), ["missing_events", "more_pages"]);
        assert_eq!(gap_ids(&only([bytes(&with_token(&reversed)), bytes(&page(&events(0)[..3]))].concat())), [""; 0]);
    }

    #[test]
    fn two_different_events_with_one_id_are_a_conflict_and_equal_ones_are_not() {
        let history = changed(|events| {
            let mut other = events[4].clone();
            other["taskFailedEventDetails"]["error"] = json!("Other");
            events.push(other);
        });
        assert_eq!(history.gaps, [Gap::ConflictingEvents { id: EventId(5) }]);
        assert_eq!(history.events[4].error().expect("the first").decode(), "CardDeclined");
        assert_eq!(changed(|events| events.push(events[4].clone())).gaps, []);
    }

    #[test]
    fn a_closed_execution_must_have_an_end() {
        assert_eq!(changed(|events| drop(events.pop())).gaps, [Gap::NoEnd]);
        let running = json!({"execution": {"status": "RUNNING"}, "events": events(0)[..5]});
        assert_eq!(only(bytes(&running)).gaps, []);
    }

    #[test]
    fn payloads_left_out_everywhere_are_one_gap() {
        let history = changed(|events| {
            for event in events {
                for details in event.as_object_mut().expect("an object").values_mut().filter_map(Value::as_object_mut) {
                    details.retain(|member, _| !["input", "inputDetails", "parameters", "output"].contains(&member.as_str()));
                }
            }
        });
        assert_eq!(history.gaps, [Gap::PayloadsLeftOut]);
    }

    #[test]
    fn cut_payloads_are_counted() {
        let history = changed(|events| {
            events[0]["executionStartedEventDetails"]["inputDetails"]["truncated"] = json!(true);
            events[1]["stateEnteredEventDetails"]["inputDetails"]["truncated"] = json!("true");
        });
        assert_eq!(history.gaps, [Gap::TruncatedPayloads { events: 2 }]);
    }

    #[test]
    fn what_local_engines_do_is_marked() {
        let history = changed(|events| {
            events[1]["stateEnteredEventDetails"]["input"] = json!({"order": 1});
            events[2]["timestamp"] = json!("timestamp");
            remove(&mut events[3], "taskStartedEventDetails");
            remove(&mut events[3], "previousEventId");
            events[4]["type"] = json!("TaskTeleported");
        });
        let wanted = [
            Gap::StructuredPayloads { events: 1 },
            Gap::NoTimestamps { events: 1 },
            Gap::UnknownTypes { events: 1, example: "TaskTeleported".to_owned() },
            Gap::MissingDetails { events: 1 },
        ];
        assert_eq!(history.gaps, wanted);
        assert_eq!(history.events[1].input().expect("an input").text.decode(), r#"{"order":1}"#);
        assert_eq!(history.events[4].unknown.as_ref().expect("kept").members[0].0, "taskFailedEventDetails");
    }

    #[test]
    fn events_without_a_readable_id_follow_the_one_before() {
        let history = changed(|events| {
            events[2]["id"] = json!([0]);
            remove(&mut events[3], "id");
        });
        assert_eq!(ids(&history), [1, 2, 3, 4, 5, 6]);
        assert_eq!(history.gaps, [Gap::NoIds { events: 2 }]);
    }

    #[test]
    fn ids_at_the_edge_of_the_numbers_are_taken_as_they_are() {
        let history = changed(|events| {
            events[5]["id"] = json!(u64::MAX);
            events[4]["id"] = json!(0);
        });
        assert_eq!(ids(&history), [0, 1, 2, 3, 4, u64::MAX]);
        assert_eq!(history.gaps[0], Gap::MissingEvents { first: EventId(5), last: EventId(u64::MAX - 1) });
    }
}

mod folders {
    use super::*;

    fn names(given: &Given) -> Vec<(String, usize)> {
        let mut names: Vec<_> =
            given.0.iter().map(|history| (history.header.name.clone().unwrap_or_default(), history.events.len())).collect();
        names.sort();
        names
    }

    fn run(number: u64) -> (String, usize) {
        (format!("run-{number}"), 6)
    }

    #[test]
    fn the_files_of_one_execution_are_put_together() {
        let folder = folder(&[
            ("Orders/run-1/describe-execution.json", pretty(&describe("run-1", 0))),
            ("Orders/run-1/get-execution-history-2.json", pretty(&page(&events(0)[3..]))),
            ("Orders/run-1/get-execution-history.json", pretty(&page(&events(0)[..4]))),
            ("Orders/run-1/definition.json", pretty(&definition())),
            ("Orders/run-2/describe-execution.json", pretty(&describe("run-2", 1))),
            ("Orders/run-2/get-execution-history.json", pretty(&page(&events(1)))),
        ]);
        let given = from_path(folder.path());
        assert!(given.1.is_empty(), "{:?}", given.1);
        assert_eq!(names(&given), [run(1), run(2)]);
        assert!(given.0[0].definition.is_some() && given.0[1].definition.is_none());
        assert!(given.0[0].origin.source.ends_with("run-1"), "{}", given.0[0].origin);
        assert_eq!(given.0[0].gaps, []);
    }

    #[test]
    fn descriptions_in_one_folder_find_their_pages_by_the_start() {
        let folder = folder(&[
            ("a-describe.json", pretty(&describe("run-1", 0))),
            ("b-describe.json", pretty(&describe("run-2", 1))),
            ("x.json", pretty(&page(&events(1)))),
            ("y.json", pretty(&page(&events(0)))),
        ]);
        let given = from_path(folder.path());
        assert_eq!(names(&given), [run(1), run(2)]);
        for history in &given.0 {
            assert_eq!(history.header.start, history.events[0].timestamp);
        }
    }

    #[test]
    fn a_description_of_another_execution_is_left_alone() {
        let folder = folder(&[("describe.json", pretty(&describe("run-1", 9))), ("page.json", pretty(&page(&events(0))))]);
        assert_eq!(names(&from_path(folder.path())), [(String::new(), 6), ("run-1".to_owned(), 0)]);
    }

    #[test]
    fn page_files_are_merged_when_their_ids_continue() {
        let all = events(0);
        let folder =
            folder(&[("p1.json", bytes(&page(&all[4..]))), ("p2.json", bytes(&page(&all[..2]))), ("p3.json", bytes(&page(&all[2..4])))]);
        let (histories, errors) = from_path(folder.path());
        assert!(errors.is_empty());
        assert_eq!(histories.iter().map(ids).collect::<Vec<_>>(), [[1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn a_page_that_fits_two_executions_is_not_placed_and_said_so() {
        let folder = folder(&[
            ("a.json", bytes(&page(&events(0)[..3]))),
            ("b.json", bytes(&page(&events(1)[..3]))),
            ("c.json", bytes(&page(&events(0)[3..]))),
        ]);
        let (histories, errors) = from_path(folder.path());
        assert_eq!(histories.iter().map(ids).collect::<Vec<_>>(), [[1, 2, 3], [1, 2, 3]]);
        assert_eq!(errors.len(), 1);
        assert!(matches!(&errors[0], SourceError::Unplaced { first: 4, last: 6, candidates: 2, .. }), "{errors:?}");
    }

    #[test]
    fn a_page_that_shares_events_finds_its_execution_among_several() {
        let folder = folder(&[
            ("a.json", bytes(&page(&events(0)[..4]))),
            ("b.json", bytes(&page(&events(1)[..4]))),
            ("c.json", bytes(&page(&events(1)[3..]))),
        ]);
        let (histories, errors) = from_path(folder.path());
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(histories.iter().map(ids).collect::<Vec<_>>(), [vec![1, 2, 3, 4], vec![1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn bundles_and_lines_stand_beside_each_other_and_unrelated_files_are_named() {
        let mut lines = bytes(&bundle("run-2", 1));
        lines.push(b'\n');
        lines.extend(bytes(&bundle("run-3", 2)));
        let folder = folder(&[
            ("one.json", pretty(&bundle("run-1", 0))),
            ("more.jsonl", lines),
            ("README.md", b"# Notes\n".to_vec()),
            ("package.json", b"{\"name\":\"x\",\"version\":\"1\"}".to_vec()),
            ("image.png", vec![0x89, b'P', b'N', b'G', 0, 0xFF]),
            ("definitions/Orders.json", pretty(&definition())),
            (".git/config.json", b"{".to_vec()),
        ]);
        let given = from_path(folder.path());
        assert_eq!(names(&given), [run(1), run(2), run(3)]);
        assert_eq!(given.1.len(), 4, "{:?}", given.1);
        assert!(given.1.iter().all(SourceError::is_unrelated), "{:?}", given.1);
    }

    #[test]
    fn an_empty_folder_says_so() {
        let folder = folder(&[]);
        assert!(matches!(from_path(folder.path()).1.as_slice(), [SourceError::EmptyFolder { .. }]));
    }

    #[cfg(unix)]
    #[test]
    fn loops_pipes_and_broken_links_do_not_hold_it_up() {
        let folder = folder(&[("sub/one.json", pretty(&bundle("run-1", 0)))]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop")).expect("a link");
        std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).expect("a link");
        let socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("a socket");
        let (histories, errors) = from_path(folder.path());
        drop(socket);
        assert_eq!(histories.len(), 1);
        let found: Vec<_> = errors.iter().map(|error| matches!(error, SourceError::NotAFile { .. })).collect();
        assert_eq!(found, [false, true], "{errors:?}");
    }
}

mod broken {
    use super::*;

    #[test]
    fn each_message_names_the_place_and_what_is_wrong() {
        let cases: [(&[u8], &str); 14] = [
            (b"\xEF\xBB\xBF", "input is empty"),
            (&vec![b' '; 20_000], "input is empty"),
            (b"", "input is empty"),
            (b" \n\n", "input is empty"),
            (b"\0\0\0\0", "binary data"),
            (b"hello", "text that is no JSON"),
            (
                b"{\n  \"events\": [\n    {\"id\": 1,}\n  ]\n}",
                "input line 3, column 14: no JSON: expected a member's name in quotes and found `}`",
            ),
            (b"{\"events\": [", "input line 1, column 13: the JSON ends too early; was it cut short?"),
            (b"{\"events\": [{\"type\": \"Exec", "ends inside a string"),
            (b"{\"a\0\": 1}", "control character"),
            (b"{\"caf\xE9\": 1}", "input line 1: not UTF-8 text"),
            (b"{\"name\":\"x\",\"version\":1}", "an object with the members `name`, `version`, not an execution's history"),
            (b"[1,2,3]", "an array of other things than events"),
            (br#"{"StartAt":"A","States":{}}"#, "the definition of a state machine"),
        ];
        for (bytes, wanted) in cases {
            let message = error(bytes);
            assert!(message.contains(wanted), "{message:?} for {:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn one_bad_line_is_reported_and_the_rest_go_on() {
        let cut = &bytes(&bundle("run-2", 1))[..400];
        for bad in [cut, b"not json".as_slice(), b"{\"a\":1}", b"{\"caf\xE9\":1}", b"{"] {
            let text = [&bytes(&bundle("run-1", 0)), b"\n".as_slice(), bad, b"\n", &bytes(&bundle("run-3", 2)), b"\n"].concat();
            let (histories, errors) = from_bytes(&text);
            assert_eq!(histories.len(), 2, "{errors:?}");
            assert_eq!(errors.len(), 1, "{errors:?}");
            let message = errors[0].to_string();
            assert!(message.contains("line 2") || message.contains("line 3, column 1:"), "{message}");
        }
    }

    #[test]
    fn a_bad_first_line_does_not_hide_the_others() {
        let text = [&bytes(&bundle("run-1", 0))[..400], b"\n", &bytes(&bundle("run-2", 1)), b"\n", &bytes(&bundle("run-3", 2))].concat();
        let (histories, errors) = from_bytes(&text);
        assert_eq!((histories.len(), errors.len()), (2, 1), "{errors:?}");
        assert!(errors[0].to_string().contains("line 1"));
    }

    #[test]
    fn a_broken_document_does_not_hide_the_next_one() {
        let first = pretty(&page(&events(0)));
        let text = [&first[..first.len() - 4], b"\n}\n", &pretty(&bundle("run-2", 1))].concat();
        let (histories, errors) = from_bytes(&text);
        assert_eq!((histories.len(), errors.len()), (1, 1), "{errors:?}");
        assert_eq!(histories[0].header.name.as_deref(), Some("run-2"));
    }

    #[test]
    fn elements_that_are_no_events_are_left_out_and_named() {
        let mut list = events(0);
        list.insert(2, json!(7));
        list.push(json!({"a": 1}));
        let (histories, errors) = from_bytes(&bytes(&page(&list)));
        assert_eq!(ids(&histories[0]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(errors[0].to_string(), "input: element 3 of the events is a number, and 1 others are no events; left out");
    }

    #[test]
    fn nesting_a_million_deep_is_an_error_wherever_it_stands() {
        let entered = "{\"events\":[{\"id\":1,\"type\":\"PassStateEntered\",\"stateEnteredEventDetails\":{";
        for deep in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            let texts = [
                deep.clone(),
                format!("{{\"events\":{deep}"),
                format!("{{\"events\":[{deep}"),
                format!("{entered}\"input\":{deep}"),
                format!("{entered}\"inputDetails\":{deep}"),
                format!("{{\"events\":[{{\"id\":1,\"colour\":{deep}"),
                format!("{{\"colour\":{deep}"),
                format!("{{\"execution\":{{\"colour\":{deep}"),
                format!("{{\"definition\":{deep}"),
                format!("{{\"history\":{deep}"),
            ];
            for text in texts {
                let message = error(&text);
                assert!(message.contains("more than 512 levels deep"), "{message}");
            }
        }
        let closed = format!("{}{}", "[".repeat(600), "]".repeat(600));
        let text = format!("{}\n{{\"colour\":{closed}}}\n{}\n", bundle("run-1", 0), bundle("run-2", 1));
        let (histories, errors) = from_bytes(text.as_bytes());
        assert_eq!(histories.len(), 2);
        assert!(matches!(errors.as_slice(), [SourceError::TooDeep { limit: 512, .. }]), "{errors:?}");
    }

    #[test]
    fn a_line_beyond_the_limit_costs_that_line_only() {
        let limits = Limits { document_bytes: 4_000, ..Limits::default() };
        let long = format!("{{\"execution\":{{}},\"note\":\"{}\"}}", "x".repeat(5_000));
        let text = format!("{}\n{long}\n{}\n", bundle("run-1", 0), bundle("run-2", 1));
        let (histories, errors) = from_bytes_with(text.as_bytes(), &limits);
        assert_eq!((histories.len(), errors.len()), (2, 1), "{errors:?}");
        let message = errors[0].to_string();
        assert!(message.contains("input line 2") && message.contains("4000 bytes"), "{message}");
        let (histories, errors) = from_bytes_with(pretty(&json!([bundle("a", 0), bundle("b", 1)])).as_slice(), &limits);
        assert!(histories.is_empty() && matches!(errors.as_slice(), [SourceError::TooLarge { .. }]), "{errors:?}");
    }

    #[test]
    fn inputs_larger_than_are_read_at_once_are_read_line_by_line() {
        let note = "x".repeat(1 << 20);
        let lines: Vec<String> = (0..70)
            .map(|number| format!("{{\"execution\":{{\"name\":\"run-{number}\",\"status\":\"RUNNING\"}},\"note\":\"{note}\"}}"))
            .collect();
        let text = lines.join("\n");
        let limits = Limits { document_bytes: 2 << 20, ..Limits::default() };
        let (histories, errors) = from_bytes_with(text.as_bytes(), &limits);
        assert!(errors.is_empty(), "{errors:?}");
        let names: Vec<_> = histories.into_iter().map(|history| history.header.name.expect("named")).collect();
        assert_eq!(names, (0..70).map(|number| format!("run-{number}")).collect::<Vec<_>>());
    }

    #[test]
    fn an_endless_line_is_given_up_at_the_limit() {
        let limits = Limits { document_bytes: 1 << 20, ..Limits::default() };
        let endless = b"{\"events\":[\"".as_slice().chain(std::io::repeat(b'x').take(100 << 20));
        let (_, errors) = from_bytes_with(endless, &limits);
        assert!(matches!(errors.as_slice(), [SourceError::TooLarge { .. }]), "{errors:?}");
    }

    #[test]
    fn compressed_data_that_grows_without_end_is_given_up() {
        let limits = Limits { document_bytes: 1 << 20, expansion: 100, ..Limits::default() };
        let spaces = b"{\"events\":[\"".as_slice().chain(std::io::repeat(b' ').take(64 << 20));
        let bomb = zstd::stream::encode_all(spaces, 1).expect("memory");
        let (histories, errors) = from_bytes_with(bomb.as_slice(), &limits);
        assert!(histories.is_empty());
        assert!(errors[0].to_string().contains("100-fold"), "{errors:?}");
    }

    #[test]
    fn damaged_compression_gives_what_came_before_it() {
        let text = format!("{}\n{}\n", bundle("run-1", 0), bundle("run-2", 1));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(text.as_bytes()).expect("memory");
        let packed = encoder.finish().expect("memory");
        let (histories, errors) = from_bytes(&packed[..packed.len() - 300]);
        assert_eq!(histories.len(), 1);
        assert!(matches!(errors.as_slice(), [SourceError::Unreadable { .. }]), "{errors:?}");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let (histories, errors) = from_path(Path::new("/nonexistent/history.json"));
        assert!(histories.is_empty());
        assert!(errors[0].to_string().starts_with("/nonexistent/history.json cannot be read"), "{}", errors[0]);
    }

    #[test]
    fn many_other_documents_are_not_reported_one_by_one() {
        let (histories, errors) = from_bytes("{\"level\":\"info\"}\n".repeat(10_000).as_bytes());
        assert!(histories.is_empty());
        assert_eq!(errors.len(), 101);
        assert!(errors[100].to_string().contains("the rest was not looked at"));
    }

    #[test]
    fn lone_surrogates_in_payloads_and_names_are_kept() {
        let text =
            r#"{"events":[{"id":1,"type":"PassStateEntered","stateEnteredEventDetails":{"name":"\ud800","input":"\udfff"}}],"\ud800":1}"#;
        let history = only(text);
        assert_eq!(history.events[0].state_name().expect("a name").decode(), r"\ud800");
    }
}

mod definition_sets {
    use super::*;
    use stepscope::model::ExecutionHeader;

    fn header(machine: Option<&str>) -> ExecutionHeader {
        ExecutionHeader { state_machine_arn: machine.map(|arn| arn.parse().expect("an ARN")), ..ExecutionHeader::default() }
    }

    fn arn(name: &str) -> String {
        format!("arn:aws:states:eu-west-1:111111111111:stateMachine:{name}")
    }

    #[test]
    fn definitions_are_found_by_arn_by_name_and_by_file_name() {
        let machine = |start: &str| json!({"StartAt": start, "States": {}});
        let folder = folder(&[
            ("a.json", pretty(&json!({"stateMachineArn": arn("Orders"), "name": "Orders", "definition": machine("A").to_string()}))),
            ("deep/b.json", pretty(&json!({"stateMachineArn": arn("Bills"), "definition": machine("B")}))),
            ("Parcels.json", pretty(&machine("P"))),
            ("notes.txt", b"notes".to_vec()),
        ]);
        let (set, errors) = read_definitions(folder.path(), &Limits::default());
        assert_eq!(set.len(), 3);
        assert!(matches!(errors.as_slice(), [SourceError::NotADefinition { .. }]), "{errors:?}");
        let start = |machine: &str| {
            let text = set.find(&header(Some(machine)))?.decode().into_owned();
            serde_json::from_str::<Value>(&text).ok()?["StartAt"].as_str().map(str::to_owned)
        };
        assert_eq!(start(&arn("Orders")).as_deref(), Some("A"));
        assert_eq!(start(&arn("Orders:3")).as_deref(), Some("A"));
        assert_eq!(start(&arn("Orders").replace("eu-west-1", "us-east-1")).as_deref(), Some("A"));
        assert_eq!(start(&arn("Bills")).as_deref(), Some("B"));
        assert_eq!(start(&arn("Parcels")).as_deref(), Some("P"));
        assert_eq!(start(&arn("Other")), None);
        assert_eq!(set.find(&header(None)), None);
    }

    #[test]
    fn the_only_definition_serves_a_bare_history() {
        let folder = folder(&[("x.json", pretty(&definition()))]);
        let (set, errors) = read_definitions(folder.path(), &Limits::default());
        assert!(errors.is_empty());
        assert!(set.find(&header(None)).is_some());
        assert!(set.find(&header(Some(MACHINE))).is_none());
    }

    #[test]
    fn a_second_different_definition_is_an_error_and_the_first_is_kept() {
        let described = |start: &str| json!({"stateMachineArn": MACHINE, "definition": {"StartAt": start, "States": {}}});
        let files = [("1.json", pretty(&described("A"))), ("2.json", pretty(&described("B"))), ("3.json", pretty(&described("A")))];
        let folder = folder(&files);
        let (set, errors) = read_definitions(folder.path(), &Limits::default());
        assert!(matches!(errors.as_slice(), [SourceError::SecondDefinition { .. }]), "{errors:?}");
        assert!(set.find(&header(Some(MACHINE))).expect("the first").source().contains("\"A\""));
    }
}

mod arbitrary {
    use super::*;
    use proptest::prelude::*;

    /// A change to a text: remove, double or replace bytes, or cut it off.
    fn mutate(text: &mut Vec<u8>, (kind, at, length, byte): (u8, usize, usize, u8)) {
        if text.is_empty() {
            return;
        }
        let start = at % text.len();
        let end = (start + length).min(text.len());
        match kind % 4 {
            0 => drop(text.drain(start..end)),
            1 => {
                let copy = text[start..end].to_vec();
                text.splice(start..start, copy);
            }
            2 => text[start] = byte,
            _ => text.truncate(start),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_give_histories_or_errors(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (histories, errors) = from_bytes(&bytes);
            prop_assert!(histories.len() + errors.len() > 0);
        }

        #[test]
        fn any_json_like_text_gives_histories_or_errors(text in r#"[\[\]{},:"\\ \n0-9a-e]{0,120}"#) {
            let (histories, errors) = from_bytes(text.as_bytes());
            prop_assert!(histories.len() + errors.len() > 0);
        }

        #[test]
        fn a_damaged_history_gives_histories_or_errors(
            changes in proptest::collection::vec((any::<u8>(), any::<usize>(), 1_usize..40, any::<u8>()), 1..6),
            form in 0..3,
        ) {
            let mut text = match form {
                0 => pretty(&page(&events(0))),
                1 => format!("{}\n{}\n", bundle("run-1", 0), bundle("run-2", 1)).into_bytes(),
                _ => pretty(&bundle("run-1", 0)),
            };
            for change in changes {
                mutate(&mut text, change);
            }
            let (histories, errors) = from_bytes(&text);
            prop_assert!(histories.len() + errors.len() > 0);
        }

        #[test]
        fn pages_in_any_order_with_any_overlap_are_the_same_as_one(
            cuts in proptest::collection::vec((0_usize..6, 1_usize..6, any::<bool>()), 0..6),
            order in any::<u64>(),
        ) {
            let all = events(0);
            // Together with any others, these two hold every event.
            let mut pages = vec![page(&all[..4]), page(&all[3..])];
            for (start, length, is_reversed) in cuts {
                let mut part = all[start..(start + length).min(all.len())].to_vec();
                if is_reversed {
                    part.reverse();
                }
                pages.push(page(&part));
            }
            let rotation = usize::try_from(order % pages.len() as u64).expect("small");
            pages.rotate_left(rotation);
            let whole = only(bytes(&page(&all)));
            let merged = only(pages.iter().flat_map(pretty).collect::<Vec<u8>>());
            prop_assert_eq!(&merged.events, &whole.events);
            prop_assert_eq!(&merged.gaps, &whole.gaps);

            let names: Vec<String> = (0..pages.len()).map(|number| format!("page-{number}.json")).collect();
            let files: Vec<(&str, Vec<u8>)> = names.iter().map(String::as_str).zip(pages.iter().map(pretty)).collect();
            let folder = folder(&files);
            let (histories, errors) = from_path(folder.path());
            prop_assert!(errors.is_empty(), "{:?}", errors);
            prop_assert_eq!(histories.len(), 1);
            prop_assert_eq!(&histories[0].events, &whole.events);
        }
    }
}
