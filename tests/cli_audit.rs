//! `audit` as its user runs it.

mod common;

use std::path::PathBuf;

use common::program::{argument, stepscope, stepscope_reading};
use tempfile::TempDir;

const SOUND: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#;
const DANGLING: &str = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    Next: Nowhere\n  B:\n    Type: Succeed\n";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}

#[test]
fn a_sound_definition_is_said_to_be_valid() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.json", SOUND);
    stepscope(["audit", argument(&file), "--exit-status"]).succeeds().shows(&["orders.asl.json: valid as STANDARD"]);
}

#[test]
fn places_of_yaml_are_those_in_the_file() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.yaml", DANGLING);
    let run = stepscope(["audit", argument(&file)]).succeeds();
    run.shows(&[
        "error[MISSING_TRANSITION_TARGET]: Missing 'Next' target: Nowhere",
        ":5:11  /States/A/Next",
        "5 |     Next: Nowhere",
        "|           ^^^^^^^",
        "not valid as STANDARD: 2 errors",
    ]);
    stepscope(["audit", argument(&file), "--exit-status"]).ends_with(3);
}

#[test]
fn the_answer_as_json_has_the_verdict_and_the_places() {
    let answer = stepscope_reading(["audit", "-", "--output", "json"], DANGLING).succeeds().json();
    assert_eq!(answer["schema"], "stepscope.audit/1");
    assert_eq!((&answer["valid"], &answer["file"]), (&false.into(), &"standard input".into()));
    let first = &answer["diagnostics"][0];
    assert_eq!((&first["code"], &first["severity"]), (&"MISSING_TRANSITION_TARGET".into(), &"ERROR".into()));
    assert_eq!((&first["pointer"], &first["line"], &first["column"]), (&"/States/A/Next".into(), &5.into(), &11.into()));
}

#[test]
fn express_machines_have_rules_of_their_own() {
    let activity = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:111111111111:activity:a", "End": true}}}"#;
    stepscope_reading(["audit", "-", "--exit-status"], activity).succeeds();
    stepscope_reading(["audit", "-", "--exit-status", "--type", "EXPRESS"], activity).ends_with(3);
    let described = serde_json::json!({"name": "Orders", "type": "EXPRESS", "definition": activity}).to_string();
    stepscope_reading(["audit", "-", "--exit-status"], described.as_str()).ends_with(3).shows(&["not valid as EXPRESS"]);
    stepscope_reading(["audit", "-", "--exit-status", "--type", "standard"], described.as_str()).succeeds();
}

#[test]
fn text_that_is_no_json_is_an_invalid_definition() {
    let folder = Folder::new();
    let file = folder.file("broken.json", "{\"StartAt\": \"A\",}");
    let answer = stepscope(["audit", argument(&file), "--output", "json"]).succeeds().json();
    assert_eq!((&answer["valid"], &answer["diagnostics"][0]["code"]), (&false.into(), &"INVALID_JSON_DESCRIPTION".into()));
    let blank = folder.file("blank.json", " ");
    stepscope(["audit", argument(&blank), "--exit-status"]).ends_with(3).shows(&["Definition must be a valid JSON object"]);
}

#[test]
fn one_that_cannot_be_read_is_told_and_the_rest_goes_on() {
    let folder = Folder::new();
    let file = folder.file("orders.json", SOUND);
    let run = stepscope(["audit", "no-such-file.json", argument(&file), "--output", "jsonl"]).ends_with(1);
    let run = run.says(&["no-such-file.json cannot be read"]);
    assert_eq!(run.json_lines().len(), 1);
    stepscope(["audit", argument(folder.0.path())]).ends_with(1).says(&["it is a folder"]);
    let template = folder.file("template.yaml", "Resources:\n  A:\n    Type: AWS::Serverless::StateMachine\n");
    stepscope(["audit", argument(&template)]).ends_with(1).says(&["template.yaml is no definition: it is a CloudFormation template"]);
    let binary = folder.0.path().join("binary.json");
    std::fs::write(&binary, [0xFF, 0xFE]).expect("a file");
    stepscope(["audit", argument(&binary)]).ends_with(1).says(&["it is no UTF-8 text"]);
}

#[test]
fn several_definitions_make_several_documents() {
    let folder = Folder::new();
    let (one, other) = (folder.file("one.json", SOUND), folder.file("other.yaml", DANGLING));
    let files = [argument(&one), argument(&other)];
    let lines = stepscope(["audit", files[0], files[1], "--output", "jsonl"]).succeeds().json_lines();
    assert_eq!(lines.iter().map(|line| line["valid"] == true).collect::<Vec<_>>(), [true, false]);
    assert_eq!(lines[1]["file"], files[1]);
    stepscope(["audit", files[0], files[1], "--output", "json"]).ends_with(2).says(&["use --output jsonl"]);
    stepscope(["audit"]).ends_with(2);
}

#[test]
fn a_hostile_definition_is_answered_soon() {
    let chain = |count: usize, more: &str| {
        let state = |number: usize| format!(r#""s{number}":{{"Type":"Pass","Next":"s{}"{more}}}"#, number + 1);
        let states: Vec<String> = (0..count).map(state).collect();
        format!(r#"{{"StartAt":"s0","States":{{{},"s{count}":{{"Type":"Succeed"}}}}}}"#, states.join(","))
    };
    stepscope_reading(["audit", "-", "--exit-status"], chain(30_000, "")).ends_with(3).shows(&["characters long"]);
    stepscope_reading(["audit", "-"], chain(9_000, r#","Colour":1"#)).succeeds().shows(&["100 errors, and more that are not shown"]);
    stepscope_reading(["audit", "-", "--exit-status"], "[".repeat(1_000_000)).ends_with(3).shows(&["TOO_DEEPLY_NESTED"]);
}
