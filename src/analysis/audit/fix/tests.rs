use serde_json::{Value, json};

use super::edit::{applied, edits, value_of};
use super::*;

/// What becomes of a text when its definition is patched.
fn patched(text: &str, patch: &Value) -> Result<String, String> {
    let source = Source::read(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut value = value_of(source.root()).expect("a value");
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).expect("a patch");
    json_patch::patch(&mut value, &patch).expect("it fits");
    let edits = edits(&source, source.root(), "", &value).map_err(|problems| problems[0].1.clone())?;
    let new = applied(source.text(), &edits);
    let read = Source::read(new.as_bytes(), Some(source.format())).unwrap_or_else(|error| panic!("{error}: {new}"));
    assert_eq!(value_of(read.root()).as_ref(), Some(&value), "{new}");
    Ok(new)
}

fn add(path: &str, value: &Value) -> Value {
    json!([{"op": "add", "path": path, "value": value}])
}

const OPEN: &str = r#"{
  "StartAt": "A",
  "States": {
    "A": {
      "Type": "Task",
      "Retry": [
        {
          "ErrorEquals": ["E"],
          "MaxAttempts": 2
        }
      ],
      "End": true
    }
  }
}
"#;

#[test]
fn a_member_is_written_in_the_hand_of_the_text() {
    let new = patched(OPEN, &add("/States/A/Retry/0/JitterStrategy", &json!("FULL"))).expect("a text");
    assert_eq!(new, OPEN.replace("\"MaxAttempts\": 2\n", "\"MaxAttempts\": 2,\n          \"JitterStrategy\": \"FULL\"\n"));
    let tight = r#"{"StartAt":"A","States":{"A":{"Type":"Task","End":true}}}"#;
    let new = patched(tight, &add("/States/A/Retry", &json!([{"ErrorEquals": ["E"], "MaxAttempts": 2}]))).expect("a text");
    assert_eq!(new, tight.replace("\"End\":true", "\"End\":true,\"Retry\":[{\"ErrorEquals\":[\"E\"],\"MaxAttempts\":2}]"));
}

#[test]
fn a_new_value_is_laid_out_like_its_neighbours() {
    let new = patched(OPEN, &add("/States/A/Catch", &json!([{"ErrorEquals": ["E"], "Next": "A"}]))).expect("a text");
    let catch = "\"End\": true,\n      \"Catch\": [\n        {\n          \"ErrorEquals\": [\"E\"],\n          \"Next\": \"A\"\n        }\n      ]\n";
    assert_eq!(new, OPEN.replace("\"End\": true\n", catch));
    let flat =
        OPEN.replace("{\n          \"ErrorEquals\": [\"E\"],\n          \"MaxAttempts\": 2\n        }", "{\"ErrorEquals\": [\"E\"]}");
    let new = patched(&flat, &add("/States/A/Retry/0", &json!({"ErrorEquals": ["F"], "MaxAttempts": 0}))).expect("a text");
    assert!(
        new.contains("[\n        {\"ErrorEquals\": [\"F\"], \"MaxAttempts\": 0},\n        {\"ErrorEquals\": [\"E\"]}\n      ]"),
        "{new}"
    );
    let tabs = OPEN.replace("  ", "\t").replace('\n', "\r\n");
    let new = patched(&tabs, &add("/States/A/TimeoutSeconds", &json!(60))).expect("a text");
    assert_eq!(new, tabs.replace("\"End\": true\r\n", "\"End\": true,\r\n\t\t\t\"TimeoutSeconds\": 60\r\n"));
}

#[test]
fn what_goes_takes_its_comma_along() {
    let remove = |path: &str| json!([{"op": "remove", "path": path}]);
    for (path, gone) in [
        ("/States/A/Type", "\"Type\": \"Task\",\n      "),
        ("/States/A/End", ",\n      \"End\": true"),
        ("/States/A/Retry/0/MaxAttempts", ",\n          \"MaxAttempts\": 2"),
    ] {
        assert_eq!(patched(OPEN, &remove(path)).expect("a text"), OPEN.replace(gone, ""), "{path}");
    }
    let new = patched(OPEN, &remove("/States/A/Retry/0")).expect("a text");
    assert!(new.contains("\"Retry\": [],\n"), "{new}");
}

#[test]
fn items_that_come_and_go_leave_the_others_alone() {
    let list = |items: &str| format!("{{\"States\": {{}}, \"L\": [{items}]}}");
    let text = list("1,2,  {\"a\": 1.50}, 4");
    let ops = |patch: Value| patched(&text, &patch).expect("a text");
    assert_eq!(ops(json!([{"op": "remove", "path": "/L/0"}])), list("2,  {\"a\": 1.50}, 4"));
    assert_eq!(ops(json!([{"op": "remove", "path": "/L/3"}])), list("1,2,  {\"a\": 1.50}"));
    assert_eq!(ops(json!([{"op": "add", "path": "/L/2", "value": 3}])), list("1,2,3,  {\"a\": 1.50}, 4"));
    assert_eq!(ops(json!([{"op": "add", "path": "/L/-", "value": 3}, {"op": "remove", "path": "/L/1"}])), list("1,  {\"a\": 1.50}, 4,3"));
    assert_eq!(
        ops(json!([{"op": "add", "path": "/L/0", "value": 3}, {"op": "replace", "path": "/L/3/a", "value": 2}])),
        list("3,1,2,  {\"a\": 2}, 4")
    );
}

const YAML: &str = "# Orders
StartAt: A
States:
  A: # calls
    Type: Task
    Resource: !Sub ${A}
    Retry:
      - ErrorEquals: [E]   # never
        MaxAttempts: 2     # enough

      # the other
      - ErrorEquals:
          - F
        Comment: |
          Two
          lines
    Next: B

  B:
    Type: Succeed
";

#[test]
fn yaml_changes_by_whole_lines() {
    let new = patched(YAML, &add("/States/A/Retry/0/JitterStrategy", &json!("FULL"))).expect("a text");
    assert_eq!(new, YAML.replace("# enough\n", "# enough\n        JitterStrategy: FULL\n"));
    let new = patched(YAML, &add("/States/A/Retry/1/JitterStrategy", &json!("FULL"))).expect("a text");
    assert_eq!(new, YAML.replace("          lines\n", "          lines\n        JitterStrategy: FULL\n"));
    let new = patched(YAML, &add("/States/A/TimeoutSeconds", &json!(60))).expect("a text");
    assert_eq!(new, YAML.replace("    Next: B\n", "    Next: B\n    TimeoutSeconds: 60\n"));
    let new = patched(YAML, &add("/States/B/Comment", &json!("yes: no"))).expect("a text");
    assert_eq!(new, YAML.replace("Type: Succeed\n", "Type: Succeed\n    Comment: \"yes: no\"\n"));
    let new = patched(YAML.trim_end(), &add("/TimeoutSeconds", &json!(9))).expect("a text");
    assert_eq!(new, format!("{}\nTimeoutSeconds: 9", YAML.trim_end()));
}

#[test]
fn yaml_takes_lists_and_mappings() {
    let retrier = json!({"ErrorEquals": ["G", "H"], "BackoffRate": 1.5});
    let new = patched(YAML, &add("/States/A/Retry/0", &retrier)).expect("a text");
    let lines = "      - ErrorEquals:\n          - G\n          - H\n        BackoffRate: 1.5\n";
    assert_eq!(new, YAML.replace("    Retry:\n", &format!("    Retry:\n{lines}")));
    let new = patched(YAML, &add("/States/A/Retry/-", &retrier)).expect("a text");
    assert_eq!(new, YAML.replace("          lines\n", &format!("          lines\n{lines}")));
    let new = patched(YAML, &add("/States/A/Catch", &json!([{"ErrorEquals": ["States.ALL"], "Next": "B"}]))).expect("a text");
    assert_eq!(
        new,
        YAML.replace("    Next: B\n", "    Next: B\n    Catch:\n      - ErrorEquals:\n          - States.ALL\n        Next: B\n")
    );
    let new = patched(YAML, &add("/States/A/Retry/0/ErrorEquals/-", &json!("G"))).expect("a text");
    assert_eq!(new, YAML.replace("[E]", "[E, G]"));
    let new = patched(YAML, &json!([{"op": "remove", "path": "/States/A/Retry/1"}])).expect("a text");
    assert!(!new.contains("lines") && new.contains("# the other"), "{new}");
    let new = patched(YAML, &json!([{"op": "replace", "path": "/States/A/Retry/0/MaxAttempts", "value": 5}])).expect("a text");
    assert_eq!(new, YAML.replace("MaxAttempts: 2", "MaxAttempts: 5"));
}

#[test]
fn what_yaml_writes_elsewhere_is_not_changed() {
    let text = "StartAt: A\nX: &r\n  - ErrorEquals: [E]\nStates:\n  A:\n    Type: Pass\n    Retry: *r\n";
    let why = patched(text, &add("/States/A/Retry/0/JitterStrategy", &json!("FULL"))).expect_err("an alias");
    assert!(why.contains("alias"), "{why}");
    let first = "StartAt: A\nStates:\n  A:\n    L: [1]\n    Retry:\n    - - 1\n      - 2\n";
    assert!(patched(first, &add("/States/A/Retry/0/0", &json!(0))).is_err());
}

const JITTERLESS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
  "Parameters": {"QueueUrl": "q", "MessageBody": "m"}, "Retry": [{"ErrorEquals": ["E"]}, {"ErrorEquals": ["F"]}], "End": true}}}"#;

fn jitter() -> Options<'static> {
    Options { only: Some(["retry-without-jitter"].into()), ..Options::default() }
}

#[test]
fn all_fixes_are_made_and_none_is_left() {
    let source = Source::read(JITTERLESS.as_bytes(), None).expect("a definition");
    let outcome = fix(&source, MachineType::Standard, &jitter(), Wanted::Safe);
    let text = outcome.text.expect("a text");
    assert_eq!(text, JITTERLESS.replace("\"]}", "\"], \"JitterStrategy\": \"FULL\"}"));
    assert_eq!((outcome.fixed.len(), outcome.unfixed.len()), (2, 0));
    let again = Source::read(text.as_bytes(), None).expect("a definition");
    assert_eq!(fix(&again, MachineType::Standard, &jitter(), Wanted::All), Outcome::default());
}

#[test]
fn a_fix_that_cannot_be_written_is_left_out_alone() {
    let text = "StartAt: A\nStates:\n  A: &a\n    Type: Wait\n    Seconds: 1\n    Next: B\n  B:\n    Type: Task\n    Resource: arn:aws:states:::sqs:sendMessage\n    Parameters: {QueueUrl: q, MessageBody: m}\n    Retry: &r\n      - ErrorEquals: [E]\n    Next: C\n  C:\n    Type: Task\n    Resource: arn:aws:states:::sqs:sendMessage\n    Parameters: {QueueUrl: q, MessageBody: m}\n    Retry: [{ErrorEquals: [F]}]\n    Next: D\n  D:\n    Type: Task\n    Resource: arn:aws:states:::sqs:sendMessage\n    Parameters: {QueueUrl: q, MessageBody: m}\n    Retry: *r\n    End: true\n";
    let source = Source::read(text.as_bytes(), None).expect("a definition");
    let outcome = fix(&source, MachineType::Standard, &jitter(), Wanted::Safe);
    let states = |fixed: Vec<Option<String>>| fixed.into_iter().flatten().collect::<Vec<_>>().join(" ");
    assert_eq!(states(outcome.unfixed.iter().map(|out| out.state.clone()).collect()), "B D");
    assert_eq!(states(outcome.fixed.iter().map(|made| made.state.clone()).collect()), "C");
    assert_eq!(outcome.text.expect("a text"), text.replace("{ErrorEquals: [F]}", "{ErrorEquals: [F], JitterStrategy: FULL}"));
}

#[test]
fn edits_of_one_fix_are_those_of_its_place() {
    let source = Source::read(JITTERLESS.as_bytes(), None).expect("a definition");
    let (found, _, _) = findings(&source, MachineType::Standard, &jitter());
    let edits = edits_of(&source, found[1].fix.as_ref().expect("a fix")).expect("edits");
    assert_eq!(applied(source.text(), &edits), JITTERLESS.replace("[\"F\"]}", "[\"F\"], \"JitterStrategy\": \"FULL\"}"));
}

#[test]
fn a_diff_shows_changed_lines_with_three_around_them() {
    let source = Source::read(OPEN.as_bytes(), None).expect("a definition");
    let mut value = value_of(source.root()).expect("a value");
    value["States"]["A"]["Retry"][0]["JitterStrategy"] = "FULL".into();
    value["States"]["A"]["End"] = false.into();
    let edits = edits(&source, source.root(), "", &value).expect("edits");
    insta::assert_snapshot!(unified("a.json", OPEN, &edits), @r#"
    --- a.json
    +++ a.json
    @@ -6,10 +6,11 @@
           "Retry": [
             {
               "ErrorEquals": ["E"],
    -          "MaxAttempts": 2
    +          "MaxAttempts": 2,
    +          "JitterStrategy": "FULL"
             }
           ],
    -      "End": true
    +      "End": false
         }
       }
     }
    "#);
    assert_eq!(unified("a.json", OPEN, &[]), "");
    let no_end = unified("a", "x", &[Edit { span: crate::asl::source::Span { start: 1, end: 1 }, text: "\ny".to_owned() }]);
    assert_eq!(no_end, "--- a\n+++ a\n@@ -1,1 +1,2 @@\n-x\n\\ No newline at end of file\n+x\n+y\n\\ No newline at end of file\n");
}
