//! The program on files, folders and standard input: every form, what is broken, what it writes and how it ends.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::program::{Run, argument, program, stepscope, stepscope_reading};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::{Value, json};
use stepscope::model::History;
use stepscope::model::builder::{history, milliseconds, seconds};
use stepscope::model::wire::{WireBundle, WireExecution, WireHistory};
use tempfile::TempDir;

/// An execution whose task failed twice; eleven events.
fn charged(name: &str) -> History {
    let order = json!({"order": 7});
    let mut told = history("Orders");
    told.named(name).pass("Check", &order, &order).enter_task("Charge", &order);
    told.definition(&json!({"StartAt": "Check", "States": {"Check": {"Type": "Pass", "Next": "Charge"},
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]}}}));
    for wait in [milliseconds(20), seconds(1)] {
        told.after(wait).scheduled_with(json!({"FunctionName": "charge", "Payload": order}));
        told.started().failed("CardDeclined", Some("no money"));
    }
    told.execution_failed().build()
}

fn succeeded(name: &str) -> History {
    history("Orders").named(name).pass("Check", json!({}), json!({})).execution_succeeded(json!({})).build()
}

fn value(wire: &impl Serialize) -> Value {
    serde_json::to_value(wire).expect("strings and numbers")
}

fn bundle(history: &History) -> Value {
    value(&WireBundle(history))
}

fn events(history: &History) -> Vec<Value> {
    value(&WireHistory(history))["events"].as_array().expect("events").clone()
}

fn lines(histories: &[History]) -> String {
    let lines: Vec<String> = histories.iter().map(|history| bundle(history).to_string()).collect();
    lines.join("\n") + "\n"
}

/// A folder with these files, whose names may hold folders.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }
    folder
}

fn why_file(bytes: &[u8], arguments: &[&str]) -> Run {
    let folder = folder(&[("history.json", bytes)]);
    let file = folder.path().join("history.json");
    stepscope([&["why", argument(&file)], arguments].concat())
}

mod forms {
    use super::*;

    /// What an answer says whatever the form: a bare history lacks the ARN and the definition.
    fn essence(answer: &Value) -> Value {
        let mut root = answer["root_cause"].clone();
        for member in ["execution", "confidence"] {
            root.as_object_mut().expect("a root cause").remove(member);
        }
        json!({"root_cause": root, "terminal": answer["terminal"], "route": answer["route"], "handled": answer["handled"]})
    }

    fn pretty(value: &Value) -> Vec<u8> {
        serde_json::to_vec_pretty(value).expect("memory")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    /// Pages in reversed order, as `--reverse-order` gives them, one document after the other.
    fn reversed_pages(events: &[Value]) -> Vec<u8> {
        let page = |events: &[Value], more: bool| {
            let reversed: Vec<&Value> = events.iter().rev().collect();
            if more { json!({"events": reversed, "nextToken": "x"}) } else { json!({"events": reversed}) }
        };
        [pretty(&page(&events[6..], true)), pretty(&page(&events[..6], false))].concat()
    }

    /// Each form's name and bytes.
    fn all(told: &History) -> Vec<(&'static str, Vec<u8>)> {
        let (events, bundled) = (events(told), bundle(told));
        let line = format!("{bundled}\n").into_bytes();
        vec![
            ("bundle", pretty(&bundled)),
            ("describe and history", pretty(&json!({"describe": value(&WireExecution(told)), "history": {"events": events}}))),
            ("one page", pretty(&json!({"events": events}))),
            ("bare array", pretty(&json!(events))),
            ("overlapping pages", [pretty(&json!({"events": events[..8]})), pretty(&json!({"events": events[4..]}))].concat()),
            ("reversed pages", reversed_pages(&events)),
            ("gzip", gzip(&line)),
            ("zstd", zstd::stream::encode_all(line.as_slice(), 1).expect("memory")),
            ("JSON Lines", line),
        ]
    }

    #[test]
    fn every_form_gives_the_same_answer_as_a_file_and_on_standard_input() {
        let told = charged("run-1");
        let expected = essence(&why_file(&all(&told)[0].1, &["--output", "json"]).succeeds().json());
        assert_eq!(expected["root_cause"]["state"], "Charge");
        assert_eq!(expected["root_cause"]["attempts"].as_array().map(Vec::len), Some(2));
        for (form, bytes) in all(&told) {
            assert_eq!(essence(&why_file(&bytes, &["--output", "json"]).succeeds().json()), expected, "{form}");
            let piped = stepscope_reading(["why", "-", "--output", "json"], bytes).succeeds();
            assert_eq!(essence(&piped.json()), expected, "{form} on standard input");
        }
    }

    #[test]
    fn folders_as_the_cli_writes_them_give_the_same_answer() {
        let told = charged("run-1");
        let expected = essence(&why_file(&pretty(&bundle(&told)), &["--output", "json"]).json());
        let (events, described) = (events(&told), pretty(&value(&WireExecution(&told))));
        let page = |range: std::ops::Range<usize>| pretty(&json!({"events": events[range]}));
        let layouts = [
            folder(&[("describe-execution.json", &described), ("get-execution-history.json", &page(0..11))]),
            folder(&[("Orders/run-1/describe-execution.json", &described), ("Orders/run-1/get-execution-history.json", &page(0..11))]),
            folder(&[("page-2.json", &page(6..11)), ("page-1.json", &page(0..6))]),
        ];
        assert_eq!(events.len(), 11);
        for layout in layouts {
            let run = stepscope(["why", argument(layout.path()), "--output", "json"]).succeeds();
            assert_eq!(essence(&run.json()), expected);
        }
    }

    /// A failure was caught, and the state after it failed in turn: only the definition tells that this state is the normal next one.
    fn caught() -> (History, Value) {
        let task = |next: Value| {
            let mut task = json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"});
            task.as_object_mut().expect("an object").extend(next.as_object().expect("an object").clone());
            task
        };
        let definition = json!({"StartAt": "Charge", "States": {"Ship": task(json!({"End": true})),
            "Charge": task(json!({"Next": "Ship", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Ship"}]}))}});
        let mut told = history("Orders");
        told.named("run-1").enter_task("Charge", json!({})).attempt_failed("CardDeclined", None).caught(json!({}));
        (told.enter_task("Ship", json!({})).attempt_failed("NoParcel", None).execution_failed().build(), definition)
    }

    #[test]
    fn definitions_are_found_for_histories_without_one() {
        let (told, definition) = caught();
        let layout = folder(&[
            ("definitions/Orders.json", &pretty(&definition)),
            ("run/describe-execution.json", &pretty(&value(&WireExecution(&told)))),
            ("run/get-execution-history.json", &pretty(&json!({"events": events(&told)}))),
        ]);
        let (run, definitions) = (layout.path().join("run"), layout.path().join("definitions"));
        let without = stepscope(["why", argument(&run), "--output", "json"]).succeeds().json();
        assert_eq!(without["incomplete"][0]["id"], "no_definition");
        let arguments = ["why", argument(&run), "--definitions", argument(&definitions), "--output", "json"];
        let with = stepscope(arguments).succeeds().json();
        assert_eq!((&with["incomplete"], &with["root_cause"]["state"]), (&json!([]), &json!("Ship")));
        assert_eq!(with["handled"][0]["state"], "Charge");
    }
}

mod several {
    use super::*;

    fn three() -> Vec<u8> {
        lines(&[charged("run-1"), succeeded("run-2"), charged("run-3")]).into_bytes()
    }

    #[test]
    fn each_has_a_line_and_there_is_a_summary() {
        let run = why_file(&three(), &[]).succeeds().shows(&["run-1", "run-2", "run-3", "3 executions: 2 failed, 1 succeeded"]);
        let charged: Vec<&str> = run.out.lines().filter(|line| line.starts_with("FAILED") && line.contains("Charge")).collect();
        assert_eq!(charged.len(), 2, "{}", run.out);
    }

    #[test]
    fn statuses_choose_among_them() {
        let answers = why_file(&three(), &["--status", "succeeded,aborted", "--output", "jsonl"]).succeeds().json_lines();
        assert_eq!(answers.len(), 1);
        assert_eq!((&answers[0]["execution"]["name"], &answers[0]["root_cause"]), (&json!("run-2"), &Value::Null));
        let none = why_file(&three(), &["--status", "aborted"]).ends_with(4).says(&["none of 3 executions has the wanted status"]);
        assert_eq!(none.out, "");
        assert_eq!(why_file(&three(), &["--status", "aborted", "--quiet"]).ends_with(4).words, "");
    }

    #[test]
    fn a_name_or_an_arn_chooses_one() {
        let arn = "arn:aws:states:us-east-1:111111111111:execution:Orders:run-3";
        for wanted in ["run-3", arn] {
            let answer = why_file(&three(), &["--execution", wanted, "--output", "json"]).succeeds().json();
            assert_eq!(answer["execution"]["arn"], arn);
        }
        why_file(&three(), &["--execution", "run-9"]).ends_with(4).says(&["none of 3 executions is `run-9`"]);
    }

    #[test]
    fn they_do_not_make_one_document() {
        let run = why_file(&three(), &["--output", "json"]).ends_with(2).says(&["3 executions", "--output jsonl", "--execution NAME"]);
        assert_eq!(run.out, "");
        let answers = why_file(&three(), &["--output", "jsonl"]).succeeds().json_lines();
        let names: Vec<_> = answers.iter().map(|answer| answer["execution"]["name"].clone()).collect();
        assert_eq!(names, ["run-1", "run-2", "run-3"]);
    }

    #[test]
    fn a_summary_says_how_to_explain_one_of_each_group() {
        let folder = folder(&[("three.jsonl", &three())]);
        let file = folder.path().join("three.jsonl");
        let run = stepscope(["why", argument(&file)]).succeeds();
        let command = format!("stepscope why {} --execution run-1", file.display());
        assert!(run.out.lines().any(|line| line.trim() == command), "no `{command}` in\n{}", run.out);
        stepscope(command.split(' ').skip(1)).succeeds().shows(&["FAILED  Orders / run-1"]);
    }

    #[test]
    fn histories_without_names_are_chosen_by_their_files() {
        let bare = value(&WireHistory(&charged("run-1"))).to_string();
        let folder = folder(&[("one.json", bare.as_bytes()), ("two.json", bare.as_bytes())]);
        let (one, two) = (folder.path().join("one.json"), folder.path().join("two.json"));
        stepscope(["show", argument(&one), argument(&two)]).ends_with(2).says(&["2 executions in the input; name the file of one"]);
    }

    #[test]
    fn show_wants_one_of_them() {
        let folder = folder(&[("three.jsonl", &three())]);
        let file = folder.path().join("three.jsonl");
        stepscope(["show", argument(&file)]).ends_with(2).says(&["3 executions in the input", "--execution NAME", "run-2"]);
        assert!(!stepscope(["show", argument(&file)]).words.contains('…'), "all are named");
        stepscope(["show", argument(&file), "--execution", "run-2"]).succeeds().shows(&["run-2", "SUCCEEDED", "Check"]);
        stepscope(["show", argument(&file), "--execution", "run-9"]).ends_with(4);
    }

    #[test]
    fn a_failure_is_found_only_when_it_is_asked_for() {
        why_file(&three(), &["--exit-status"]).ends_with(3).shows(&["run-1"]);
        why_file(&three(), &["--exit-status", "--status", "succeeded"]).ends_with(0);
        // What could not be read weighs more than what was found.
        why_file(&[&three()[..], b"{\n"].concat(), &["--exit-status"]).ends_with(1);
    }

    #[test]
    fn one_bad_input_among_them_is_named_and_the_others_are_explained() {
        let folder = folder(&[("one.json", bundle(&charged("run-1")).to_string().as_bytes()), ("cut.json", b"{\"events\": [")]);
        let path = |name: &str| folder.path().join(name);
        let (one, cut, none) = (path("one.json"), path("cut.json"), path("none.json"));
        let run = stepscope(["why", argument(&cut), argument(&none), argument(&one)]).ends_with(1);
        run.shows(&["FAILED", "Charge"]).says(&["cut.json line 1, column 13", "none.json cannot be read"]);
    }

    #[test]
    fn files_of_a_folder_that_hold_something_else_are_passed_over_aloud() {
        let bundled = bundle(&charged("run-1")).to_string();
        let folder = folder(&[("run-1.json", bundled.as_bytes()), ("README.md", b"# Runs\n"), ("package.json", b"{\"name\": \"x\"}")]);
        let run = stepscope(["why", argument(folder.path())]).ends_with(0).shows(&["Charge"]);
        run.says(&["passed over: ", "README.md", "package.json"]);
        assert_eq!(stepscope(["why", "--quiet", argument(folder.path())]).ends_with(0).words, "");
        fs::remove_file(folder.path().join("run-1.json")).expect("it is there");
        stepscope(["why", argument(folder.path())]).ends_with(1).says(&["README.md", "not an execution's history"]);
    }

    #[test]
    fn children_among_the_input_are_followed() {
        let child = charged("child-1");
        let child_arn = child.header.arn.clone().expect("told with one");
        let mut parent = history("Fulfilment");
        parent.named("parent-1").enter_task("Pay", json!({})).calls("states", "startExecution.sync:2").scheduled_with(json!({})).started();
        let cause = json!({"ExecutionArn": child_arn.as_str(), "Status": "FAILED", "Error": "CardDeclined"}).to_string();
        let parent = parent.submitted_child(&child_arn).failed("States.TaskFailed", Some(&cause)).execution_failed().build();
        // The child stands behind its parent, and it is not itself asked for.
        let answer = why_file(lines(&[parent, child]).as_bytes(), &["--execution", "parent-1", "--output", "json"]).succeeds().json();
        assert_eq!((&answer["terminal"]["state"], &answer["root_cause"]["state"]), (&json!("Pay"), &json!("Charge")));
        assert_eq!(answer["root_cause"]["execution"], child_arn.as_str());
    }
}

mod broken {
    use super::*;

    #[test]
    fn what_is_no_history_is_an_error_that_names_file_and_place() {
        let cut = &bundle(&charged("run-1")).to_string()[..900];
        let deep = "[".repeat(1_000_000);
        let cases: [(&[u8], &str); 12] = [
            (b"", "history.json is empty"),
            (b"  \n", "history.json is empty"),
            (&[0, 159, 146, 150, 0, 1, 2, 3], "history.json: binary data"),
            (b"\x7fELF\x02\x01\x01\0\0\0\0", "history.json: binary data"),
            (b"not json at all", "history.json: text that is no JSON"),
            (cut.as_bytes(), "history.json line 1, column 901: the JSON ends"),
            (b"{\"events\": [\n{\"id\": 1,}]}", "history.json line 2, column 10: no JSON"),
            (b"{\"events\": {\"id\": 1}}", "history.json"),
            (b"{\"events\": 7}", "history.json"),
            (b"{\"execution\": [], \"events\": \"x\"}", "history.json"),
            (b"[1, 2, 3]", "history.json: an array of other things than events"),
            (deep.as_bytes(), "history.json line 1, column 515: JSON nested more than 512 levels deep"),
        ];
        for (bytes, wanted) in cases {
            for verb in ["why", "show"] {
                let folder = folder(&[("history.json", bytes)]);
                let run = stepscope([verb, argument(&folder.path().join("history.json"))]);
                let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
                assert_eq!((run.code, run.out.as_str()), (1, ""), "{verb} {beginning:?}: {}", run.words);
                assert!(run.words.contains(wanted), "{verb} {beginning:?}: {}", run.words);
                assert!(run.words.len() < 1_000, "an error is a line or two: {}", run.words);
            }
        }
    }

    /// The answer to a history whose events were changed, which must be marked as `id`.
    #[track_caller]
    fn marked(change: impl FnOnce(&mut Vec<Value>), id: &str) -> Value {
        let mut list = events(&charged("run-1"));
        change(&mut list);
        let bytes = json!({"events": list}).to_string();
        let answer = why_file(bytes.as_bytes(), &["--output", "json"]).ends_with(0).json();
        let ids: Vec<_> = answer["incomplete"].as_array().expect("a list").iter().map(|entry| entry["id"].clone()).collect();
        assert!(ids.contains(&json!(id)), "{id} is not among {ids:?}");
        for view in [&["show"][..], &["show", "--timeline"], &["show", "--events"], &["why"]] {
            stepscope_reading([view, &["-"]].concat(), bytes.clone()).ends_with(0);
        }
        answer
    }

    #[test]
    fn what_is_damaged_gives_a_marked_answer() {
        let jumped = marked(|events| drop(events.drain(1..3)), "missing_events");
        assert_eq!(jumped["root_cause"]["state"], "Charge");
        let nowhere = marked(|events| events[9]["previousEventId"] = json!(4_000_000_000_u64), "broken_links");
        assert_eq!(nowhere["root_cause"]["state"], "Charge");
        marked(
            |events| {
                for event in events.iter_mut() {
                    event["previousEventId"] = event["id"].clone();
                }
            },
            "broken_links",
        );
        marked(
            |events| {
                let last = events.len();
                for (index, event) in events.iter_mut().enumerate() {
                    event["previousEventId"] = json!((index + 1) % last + 1);
                }
            },
            "broken_links",
        );
        marked(|events| events[4]["type"] = json!("TaskTeleported"), "unknown_types");
        marked(|events| events[4]["timestamp"] = json!({"no": "time"}), "no_timestamps");
        marked(
            |events| {
                for event in events.iter_mut() {
                    event.as_object_mut().expect("an object").remove("id");
                }
            },
            "no_ids",
        );
    }

    #[test]
    fn members_of_wrong_types_are_an_error_or_left_out() {
        for wrong in [json!(null), json!(7), json!("x"), json!([]), json!({"a": [1]}), json!(true)] {
            for member in ["id", "previousEventId", "type", "timestamp", "stateEnteredEventDetails", "executionFailedEventDetails"] {
                let mut list = events(&charged("run-1"));
                for event in &mut list {
                    event[member] = wrong.clone();
                }
                for verb in ["why", "show"] {
                    let run = stepscope_reading([verb, "-"], json!({"events": list}).to_string());
                    assert!(run.code == 0 || run.code == 1 && run.words.contains("standard input"), "{member} {wrong}: {run:?}");
                }
            }
        }
    }

    #[test]
    fn damaged_compression_is_named() {
        for head in [&[0x1F_u8, 0x8B, 8, 0, 1, 2, 3, 4, 5][..], &[0x28, 0xB5, 0x2F, 0xFD, 1, 2, 3, 4]] {
            why_file(head, &[]).ends_with(1).says(&["history.json cannot be read"]);
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        for verb in ["why", "show"] {
            stepscope([verb, "/nonexistent/history.json"]).ends_with(1).says(&["/nonexistent/history.json cannot be read", "No such file"]);
        }
        let empty = tempfile::tempdir().expect("a folder");
        stepscope(["why", argument(empty.path())]).ends_with(1).says(&["is a folder without files"]);
        stepscope(["why", "-", "--definitions", "/nonexistent"]).ends_with(1).says(&["/nonexistent cannot be read"]);
    }

    /// Minutes and gigabytes: run by hand, `cargo test --release --test cli_input -- --ignored`.
    #[test]
    #[ignore = "pipes two gigabytes"]
    fn a_line_of_two_gigabytes_is_given_up_at_the_limit() {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_stepscope"))
            .args(["why", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("piped");
        let writer = std::thread::spawn(move || {
            let chunk = vec![b'x'; 1 << 20];
            // The program may give up before the end: that is what it is for.
            let _ = input.write_all(b"{\"events\": [\"");
            for _ in 0..2_048 {
                if input.write_all(&chunk).is_err() {
                    return;
                }
            }
            let _ = input.write_all(format!("\n{}\n", bundle(&charged("run-1"))).as_bytes());
        });
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("no panic");
        let words = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains("standard input") && words.contains("1073741824 bytes"), "{words}");
    }
}

mod usage {
    use super::*;

    #[test]
    fn wrong_usage_ends_with_2_and_says_what_is_wrong() {
        let cases: [(&[&str], &str); 10] = [
            (&["why"], "which execution?"),
            (&["why", "--bogus"], "--bogus"),
            (&["why", "x.json", "--status", "broken"], "timed-out"),
            (&["why", "x.json", "--output", "yaml"], "jsonl"),
            (&["explain"], "explain"),
            (&["show", "x.json", "--timeline", "--events"], "cannot be used with"),
            (&["why", "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders"], "--state-machine ARN --latest-failed"),
            (&["why", "arn:aws:lambda:eu-west-1:111111111111:function:charge"], "arn:aws:lambda"),
            (&["why", "https://example.com/"], "https://example.com/"),
            (&["completion", "tcsh"], "tcsh"),
        ];
        for (arguments, wanted) in cases {
            let run = stepscope(arguments).ends_with(2).says(&[wanted]);
            assert_eq!(run.out, "", "{arguments:?}");
        }
        assert_eq!(Run::of(&mut program()).code, 2, "without a verb");
    }

    #[test]
    fn the_help_of_every_verb_has_examples_and_fits_80_columns() {
        for verb in ["why", "show", "demo", "completion", "man"] {
            for flag in ["--help", "-h"] {
                let run = stepscope([verb, flag]).succeeds().shows(&["Examples:\n", &format!("stepscope {verb}")]);
                assert_fits(&run.out);
            }
        }
        let run = stepscope(["--help"]).succeeds().shows(&["Examples:\n", "Exit codes:"]);
        assert_fits(&run.out);
        stepscope(["--version"]).succeeds().shows(&[env!("CARGO_PKG_VERSION")]);
    }

    #[track_caller]
    fn assert_fits(text: &str) {
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:#?}");
    }

    #[test]
    fn completions_and_the_manual_are_written() {
        for shell in ["bash", "zsh", "fish"] {
            stepscope(["completion", shell]).succeeds().shows(&["stepscope", "latest-failed"]);
        }
        stepscope(["man"]).succeeds().shows(&[".TH stepscope 1", "Exit codes"]);
    }

    #[test]
    fn the_demo_is_written_once_and_every_file_of_it_explained() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("incidents");
        let written = stepscope(["demo", argument(&target)]).ends_with(0);
        let files: Vec<PathBuf> = written.out.lines().map(PathBuf::from).collect();
        assert!(files.len() >= 10, "{files:?}");
        for file in &files {
            let run = stepscope(["why", argument(file)]).succeeds();
            assert!(!run.out.is_empty());
            if !argument(file).ends_with(".jsonl.gz") {
                stepscope(["show", argument(file)]).succeeds();
            }
        }
        stepscope(["why", argument(&target)]).succeeds().shows(&["executions: "]);
        stepscope(["demo", argument(&target)]).ends_with(1).says(&["is not empty", "--force"]);
        stepscope(["demo", argument(&target), "--force"]).ends_with(0);
    }
}

mod output {
    use super::*;

    fn colored(arguments: &[&str], variables: &[(&str, &str)]) -> bool {
        let mut command = program();
        command.args(["why", "-"]).args(arguments).envs(variables.iter().copied()).write_stdin(lines(&[charged("run-1")]));
        let run = Run::of(&mut command).succeeds();
        assert!(run.out.contains("Charge"));
        run.out.contains('\u{1b}')
    }

    #[test]
    fn colour_is_for_terminals_unless_it_is_asked_for() {
        assert!(!colored(&[], &[]));
        assert!(!colored(&["--color", "auto"], &[("TERM", "xterm-256color")]));
        assert!(colored(&["--color", "always"], &[]));
        assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]), "the flag is nearer than the environment");
        assert!(!colored(&["--color", "never"], &[]));
        assert!(!colored(&["--color", "always", "--output", "json"], &[]));
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_error() {
        // More than any pipe holds.
        let many: Vec<History> = (0..400).map(|number| charged(&format!("run-{number}"))).collect();
        let folder = folder(&[("many.jsonl", lines(&many).as_bytes())]);
        let file = folder.path().join("many.jsonl");
        for arguments in [&["why", argument(&file), "--output", "jsonl"][..], &["why", argument(&file)], &["man"], &["--help"]] {
            let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_stepscope"))
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts");
            let mut first = String::new();
            BufReader::with_capacity(64, child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stepscope"))
            .arg("man")
            .stdout(fs::OpenOptions::new().write(true).open(full).expect("it can be opened"))
            .output()
            .expect("the program starts");
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("failed to write the answer: No space left"));
    }

    const TOKEN: &str = "AQCEAAAAKgAAAAMAAAAAAAAAAVx8dGVzdHMgYXJlIG5vIHNlY3JldHMgYnV0IGxvbmcgZW5vdWdoIHRvIGxvb2sgbGlrZSBvbmU";
    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    const PASSWORD: &str = "correct-horse-battery";

    /// Every view of one execution.
    const VIEWS: [&[&str]; 9] = [
        &["why"],
        &["why", "--output", "json"],
        &["why", "--output", "jsonl"],
        &["show"],
        &["show", "--timeline"],
        &["show", "--events"],
        &["show", "--state", "Ask"],
        &["show", "--output", "json"],
        &["show", "--events", "--output", "json"],
    ];

    fn asked() -> History {
        let mut told = history("Approval");
        told.named("run-1").enter_task("Ask", json!({"db": {"password": PASSWORD}})).calls("sqs", "sendMessage.waitForTaskToken");
        told.scheduled_with(json!({"MessageBody": {"TaskToken": TOKEN, "password": PASSWORD, "note": format!("key {KEY}")}})).started();
        told.submitted(json!({"MessageId": "1"}));
        let cause = json!({"errorMessage": format!("refused {TOKEN} for {KEY}"), "password": PASSWORD}).to_string();
        told.failed("Refused", Some(&cause)).execution_failed().build()
    }

    #[test]
    fn tokens_and_secrets_are_masked_unless_they_are_asked_for() {
        let told = lines(&[asked()]);
        let secrets = [TOKEN, KEY, PASSWORD];
        for view in VIEWS {
            let run = stepscope_reading([view, &["-"]].concat(), told.clone()).succeeds();
            for secret in secrets {
                assert!(!run.out.contains(secret), "{view:?} shows {secret}:\n{}", run.out);
            }
        }
        for view in [VIEWS[0], VIEWS[1], VIEWS[6], VIEWS[8]] {
            let run = stepscope_reading([view, &["-", "--no-redact"]].concat(), told.clone()).succeeds();
            for secret in secrets {
                // Long lines are wrapped or cut.
                assert!(run.out.contains(&secret[..20]), "{view:?} does not show {secret}:\n{}", run.out);
            }
        }
    }

    /// What a terminal would obey: colours, the title, the clipboard, text that runs backwards.
    const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{8}\r\u{202e}b";

    fn hostile() -> String {
        let mut told = history("Orders");
        let (state, input) = (HOSTILE, json!({"note": HOSTILE, HOSTILE: 1}));
        told.enter_task(state, &input).scheduled_with(&input).started();
        told.failed(HOSTILE, Some(HOSTILE)).execution_failed();
        let mut bundle = bundle(&told.build());
        bundle["execution"]["name"] = json!(HOSTILE);
        bundle.to_string()
    }

    #[track_caller]
    fn assert_harmless(text: &str, view: &[&str]) {
        let obeyed =
            |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
        let found: Vec<char> = text.chars().filter(|c| obeyed(*c)).collect();
        assert!(found.is_empty(), "{view:?}: {found:?} in\n{}", text.escape_debug());
    }

    #[test]
    fn escape_sequences_in_payloads_and_names_are_not_passed_on() {
        for view in VIEWS {
            let view: Vec<&str> = view.iter().map(|word| if *word == "Ask" { HOSTILE } else { word }).collect();
            for masking in [&[][..], &["--no-redact"]] {
                let run = stepscope_reading([&view, &["-"][..], masking].concat(), hostile()).ends_with(0);
                assert_harmless(&run.out, &view);
                assert_harmless(&run.words, &view);
            }
        }
        let both = format!("{}\n{}\n", hostile(), hostile());
        for arguments in [&["why", "-"][..], &["show", "-"], &["why", "-", "-v"]] {
            let run = stepscope_reading(arguments, both.clone());
            assert_harmless(&run.out, arguments);
            assert_harmless(&run.words, arguments);
        }
    }

    #[test]
    fn escape_sequences_in_arguments_and_file_names_are_not_passed_on() {
        let arguments: [&[&str]; 5] = [
            &["why", HOSTILE],
            &["why", "arn:aws:states:a\u{1b}[2J"],
            &["why", "-", "--execution", HOSTILE],
            &["show", "-", "--state", HOSTILE],
            &["why", "-", "--definitions", HOSTILE],
        ];
        for arguments in arguments {
            let run = stepscope_reading(arguments, lines(&[charged("run-1")]));
            assert_ne!(run.code, 0);
            assert_harmless(&run.words, arguments);
        }
    }

    #[test]
    fn stderr_masks_secrets_too() {
        let words = |arguments: &[&str]| stepscope(arguments.iter().copied()).ends_with(1).words;
        let missing = "password=hunter2";
        assert!(words(&["why", missing]).contains("password=****"));
        assert!(words(&["why", missing, "--no-redact"]).contains("password=hunter2"));
    }
}
