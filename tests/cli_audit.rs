//! `audit` as its user runs it.

mod common;

use std::path::PathBuf;

use common::program::{argument, stepscope, stepscope_reading};
use stepscope::model::builder::{history, seconds};
use stepscope::model::wire::WireBundle;
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

/// One Task without jitter, one Map without a limit.
const ORDERS: &str = r#"{
  "StartAt": "Charge",
  "States": {
    "Charge": {
      "Type": "Task",
      "Resource": "arn:aws:states:::sqs:sendMessage",
      "Parameters": {"QueueUrl": "q", "MessageBody": "m"},
      "Retry": [{"ErrorEquals": ["Busy"]}],
      "Next": "Each"
    },
    "Each": {
      "Type": "Map",
      "ItemProcessor": {
        "StartAt": "Tell",
        "States": {
          "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "q", "MessageBody": "m"},
            "End": true
          }
        }
      },
      "End": true
    }
  }
}
"#;
const OURS: &str = "--rule=retry-without-jitter,map-without-max-concurrency";

/// The text with its lines put together: where they break depends on how long the folder's name is.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_finding_has_its_place_its_reason_and_its_fix() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.json", ORDERS);
    let run = stepscope(["audit", argument(&file), OURS]).succeeds().shows(&[
        "warning[retry-without-jitter]: Charge retries ",
        "8 |       \"Retry\": [{\"ErrorEquals\": [\"Busy\"]}],",
        "= why: Executions that fail together retry together",
        "= fix: add JitterStrategy FULL (--fix)",
        "note[map-without-max-concurrency]: Each runs up to 40 iterations at once",
        "1 has a fix: --fix, or --diff to see; 1 more with --fix=all",
    ]);
    assert!(unwrapped(&run.out).contains("valid as STANDARD; rules: 1 warning, 1 note"), "{}", run.out);
    let long: Vec<&str> = run.out.lines().filter(|line| line.chars().count() > 80 && !line.contains("-->")).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn ci_denies_by_level() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.json", ORDERS);
    for (level, code) in [("error", 0), ("warning", 3), ("note", 3)] {
        stepscope(["audit", argument(&file), OURS, "--deny", level]).ends_with(code);
    }
    stepscope(["audit", argument(&file), "--rule", "map-without-max-concurrency", "--deny", "warning"]).succeeds();
    stepscope(["audit", argument(&file), OURS, "--ignore", "retry-without-jitter", "--deny", "warning"]).succeeds();
    stepscope_reading(["audit", "-", "--deny", "error"], DANGLING).ends_with(3);
    stepscope(["audit", argument(&file), "--rule", "retry-without-jiter"]).ends_with(2).says(&["did you mean `retry-without-jitter`?"]);
}

#[test]
fn rules_are_switched_off_with_a_reason() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.json", ORDERS);
    let off = "[[off]]\nrule = \"retry-without-jitter\"\nstate = \"Cha*\"\nreason = \"one at a time\"\n";
    folder.file(".stepscope-audit.toml", off);
    let report = stepscope(["audit", argument(&file), "--ignore", "logging-off", "--output", "json"]).succeeds().json();
    assert_eq!(report["suppressed"][0]["rule"], "retry-without-jitter");
    assert_eq!(report["suppressed"][0]["justification"], "one at a time");
    let rules = |report: &serde_json::Value| {
        report["findings"].as_array().expect("a list").iter().map(|found| found["rule"].clone()).collect::<Vec<_>>()
    };
    assert!(!rules(&report).contains(&"retry-without-jitter".into()));
    stepscope(["audit", argument(&file)]).succeeds().shows(&["rules: ", "switched"]);
    assert!(
        rules(&stepscope(["audit", argument(&file), "--no-config", "--output", "json"]).succeeds().json())
            .contains(&"retry-without-jitter".into())
    );
    let unused = folder.file("unused.toml", &off.replace("Cha*", "Pay*"));
    let config = ["audit", argument(&file), "--config", argument(&unused)];
    stepscope(config).ends_with(0).says(&["unused.toml:1: retry-without-jitter in Pay* is switched off, and nothing breaks it"]);
    folder.file("unused.toml", &off.replace("one at a time", ""));
    stepscope(config).ends_with(2).says(&["line 1: retry-without-jitter is switched off without a reason"]);
    stepscope(["audit", argument(&file), "--config", "no-such-file.toml"]).ends_with(2).says(&["no-such-file.toml cannot be read"]);
}

#[test]
fn a_file_of_switches_above_the_definition_counts() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.0.path().join("machines/deep")).expect("a folder");
    let file = folder.file("machines/deep/orders.asl.json", ORDERS);
    folder.file(".stepscope-audit.toml", "[[off]]\nrule = \"retry-without-jitter\"\nfile = \"machines/*\"\nreason = \"known\"\n");
    let run = stepscope(["audit", argument(&file), OURS]).succeeds();
    assert!(
        unwrapped(&run.out).ends_with("valid as STANDARD; rules: 1 note; 1 switched off 1 has a fix that changes what it does: --fix=all"),
        "{}",
        run.out
    );
}

#[test]
fn fixes_go_into_the_file_and_once() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.json", ORDERS);
    let text = || std::fs::read_to_string(&file).expect("the file");
    let diff = stepscope(["audit", argument(&file), OURS, "--diff"]).succeeds();
    diff.shows(&["+      \"Retry\": [{\"ErrorEquals\": [\"Busy\"], \"JitterStrategy\": \"FULL\"}],\n", "@@ -5,7 +5,7 @@"]);
    assert_eq!(text(), ORDERS, "a diff writes nothing");
    stepscope(["audit", argument(&file), OURS, "--fix"])
        .succeeds()
        .shows(&["fixed[retry-without-jitter]: add JitterStrategy FULL in Charge", "rules: 1 note; 1 fixed"]);
    let safe = ORDERS.replace("[\"Busy\"]}", "[\"Busy\"], \"JitterStrategy\": \"FULL\"}");
    assert_eq!(text(), safe);
    stepscope(["audit", argument(&file), OURS, "--fix"]).succeeds();
    assert_eq!(text(), safe, "a second run changes nothing");
    stepscope(["audit", argument(&file), OURS, "--fix=all", "--deny", "note"]).succeeds();
    assert_eq!(text(), safe.replace("\"End\": true\n    }\n  }\n}", "\"End\": true,\n      \"MaxConcurrency\": 10\n    }\n  }\n}"));
    stepscope(["audit", argument(&file), "--unsafe-fixes"]).ends_with(2);
    stepscope(["audit", argument(&file), "--diff", "--output", "json"]).ends_with(2);
}

#[test]
fn what_was_piped_in_comes_out_fixed() {
    let fixed = ORDERS.replace("[\"Busy\"]}", "[\"Busy\"], \"JitterStrategy\": \"FULL\"}");
    let run = stepscope_reading(["audit", "-", OURS, "--fix"], ORDERS).ends_with(0).says(&["fixed[retry-without-jitter]"]);
    assert_eq!(run.out, fixed);
    let described = serde_json::json!({"name": "Orders", "type": "STANDARD", "definition": ORDERS}).to_string();
    let run = stepscope_reading(["audit", "-", OURS, "--fix", "--quiet"], described.as_str()).succeeds();
    assert_eq!(run.out, fixed, "the definition's own text");
    let run = stepscope_reading(["audit", "-", OURS, "--fix", "--quiet"], fixed.as_str()).succeeds();
    assert_eq!(run.out, fixed);
    let folder = Folder::new();
    let file = folder.file("described.json", &described);
    stepscope(["audit", argument(&file), OURS, "--fix"]).succeeds();
    let now: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
    assert_eq!((&now["definition"], &now["name"]), (&fixed.into(), &"Orders".into()), "the rest stays as it is");
}

#[test]
fn yaml_keeps_its_comments() {
    let folder = Folder::new();
    let yaml = "# orders\nStartAt: Charge\nStates:\n  Charge:\n    Type: Task\n    Resource: !Ref Queue # later\n    Retry:\n      - ErrorEquals: [Busy] # now and then\n    End: true\n";
    let file = folder.file("orders.asl.yaml", yaml);
    stepscope(["audit", argument(&file), OURS, "--fix"]).succeeds();
    let fixed = yaml.replace("then\n", "then\n        JitterStrategy: FULL\n");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), fixed);
}

#[test]
fn rules_are_listed() {
    stepscope(["audit", "--rules"]).succeeds().shows(&["warning  retry-without-jitter", "https://docs.aws.amazon.com/"]);
    let list = stepscope(["audit", "--rules", "--output", "json"]).succeeds().json();
    assert_eq!(list["schema"], "stepscope.audit-rules/1");
    let lines = stepscope(["audit", "--rules", "--rule", "tracing-off", "--output", "jsonl"]).succeeds().json_lines();
    assert_eq!((lines.len(), &lines[0]["rule"]), (1, &"tracing-off".into()));
}

/// What the SARIF 2.1.0 schema requires of the objects that we write, and which members it has for them.
fn hold_to_sarif(log: &serde_json::Value) {
    let object = |value: &serde_json::Value, required: &[&str], known: &[&str]| {
        let members = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
        for name in required {
            assert!(members.contains_key(*name), "no {name} in {value}");
        }
        members.keys().for_each(|name| assert!(required.contains(&name.as_str()) || known.contains(&name.as_str()), "{name} in {value}"));
    };
    let message = |value: &serde_json::Value| {
        object(value, &["text"], &["markdown"]);
        assert!(value["text"].is_string());
    };
    let list = |value: &serde_json::Value| value.as_array().unwrap_or_else(|| panic!("no list: {value}")).clone();
    let region = |value: &serde_json::Value| {
        object(value, &["startLine", "startColumn"], &["endLine", "endColumn"]);
        value
            .as_object()
            .expect("an object")
            .values()
            .for_each(|number| assert!(number.as_u64().is_some_and(|number| number >= 1), "{value}"));
    };
    let artifact = |value: &serde_json::Value| {
        object(value, &["uri"], &[]);
        assert!(value["uri"].as_str().is_some_and(|uri| !uri.contains([' ', '\\'])), "{value}");
    };
    object(log, &["version", "runs"], &["$schema"]);
    assert_eq!(log["version"], "2.1.0");
    for run in list(&log["runs"]) {
        object(&run, &["tool", "results"], &["columnKind"]);
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        object(&run["tool"]["driver"], &["name", "rules"], &["version"]);
        let rules = list(&run["tool"]["driver"]["rules"]);
        for rule in &rules {
            object(rule, &["id", "shortDescription", "help"], &["fullDescription", "helpUri", "defaultConfiguration"]);
            message(&rule["shortDescription"]);
            message(&rule["help"]);
        }
        for result in list(&run["results"]) {
            object(&result, &["message", "ruleId", "level"], &["ruleIndex", "locations", "fixes", "suppressions", "partialFingerprints"]);
            message(&result["message"]);
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small number");
            assert_eq!(rules[index]["id"], result["ruleId"]);
            for location in list(&result["locations"]) {
                object(&location, &["physicalLocation"], &["logicalLocations"]);
                object(&location["physicalLocation"], &["artifactLocation"], &["region"]);
                artifact(&location["physicalLocation"]["artifactLocation"]);
                if let Some(place) = location["physicalLocation"].get("region") {
                    region(place);
                }
            }
            for suppression in list(&result["suppressions"]) {
                object(&suppression, &["kind"], &["justification"]);
                assert!(["inSource", "external"].contains(&suppression["kind"].as_str().expect("a kind")));
            }
            for fix in result.get("fixes").map(list).unwrap_or_default() {
                object(&fix, &["artifactChanges"], &["description"]);
                message(&fix["description"]);
                for change in list(&fix["artifactChanges"]) {
                    object(&change, &["artifactLocation", "replacements"], &[]);
                    artifact(&change["artifactLocation"]);
                    assert!(!list(&change["replacements"]).is_empty());
                    for replacement in list(&change["replacements"]) {
                        object(&replacement, &["deletedRegion"], &["insertedContent"]);
                        region(&replacement["deletedRegion"]);
                        object(&replacement["insertedContent"], &["text"], &[]);
                    }
                }
            }
        }
    }
}

#[test]
fn one_sarif_log_holds_all_definitions() {
    let folder = Folder::new();
    let (orders, dangling) = (folder.file("my orders.asl.json", ORDERS), folder.file("dangling.yaml", DANGLING));
    let described =
        serde_json::json!({"name": "Orders", "type": "EXPRESS", "definition": ORDERS, "loggingConfiguration": {"level": "OFF"}});
    let described = folder.file("described.json", &described.to_string());
    folder.file(".stepscope-audit.toml", "[[off]]\nrule = \"retry-without-jitter\"\nfile = \"described.json\"\nreason = \"known\"\n");
    let files = [argument(&orders), argument(&dangling), argument(&described)];
    let log = stepscope(["audit", files[0], files[1], files[2], "--format", "sarif"]).succeeds().json();
    hold_to_sarif(&log);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let of = |rule: &str, file: &str| {
        let uri = |result: &serde_json::Value| {
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a URI").to_owned()
        };
        results
            .iter()
            .find(|result| result["ruleId"] == rule && uri(result).ends_with(file))
            .unwrap_or_else(|| panic!("no {rule} in {file}"))
    };
    let jitter = of("retry-without-jitter", "my%20orders.asl.json");
    assert_eq!(jitter["locations"][0]["physicalLocation"]["region"]["startLine"], 8);
    let replacement = &jitter["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], ", \"JitterStrategy\": \"FULL\"");
    assert_eq!((&replacement["deletedRegion"]["startLine"], &replacement["deletedRegion"]["startColumn"]), (&8.into(), &41.into()));
    assert_eq!(of("MISSING_TRANSITION_TARGET", "dangling.yaml")["level"], "error");
    assert_eq!(of("retry-without-jitter", "described.json")["suppressions"][0]["justification"], "known");
    let express = of("express-logging-off", "described.json");
    assert!(express["locations"][0]["physicalLocation"].get("region").is_none(), "its places are not those of the file");
    hold_to_sarif(&stepscope_reading(["audit", "-", "--format", "sarif"], "{").succeeds().json());
    stepscope(["audit", files[0], "--format", "sarif", "--output", "json"]).ends_with(2);
}

#[test]
fn a_finding_tells_what_it_has_cost() {
    let folder = Folder::new();
    let file = folder.file("orders.asl.json", ORDERS);
    let mut story = history("Orders");
    story.enter_task("Charge", serde_json::json!({}));
    for _ in 0..3 {
        story.attempt_failed("Busy", None).after(seconds(40));
    }
    story.attempt_succeeded(serde_json::json!({})).exit(serde_json::json!({})).execution_succeeded(serde_json::json!({}));
    let bundle = serde_json::to_string(&WireBundle(&story.build())).expect("JSON");
    let runs = folder.file("runs.json", &bundle);
    let cost = ["audit", argument(&file), OURS, "--input", argument(&runs)];
    stepscope(cost).succeeds().shows(&["= cost here: 3 retries, 2 min of waiting in 1 execution, $0.000075 of\n    transitions"]);
    let report = stepscope(cost.into_iter().chain(["--output", "json"])).succeeds().json();
    assert_eq!((&report["findings"][0]["cost"]["retries"], &report["findings"][0]["cost"]["failed"]), (&3.into(), &0.into()));
    assert_eq!((&report["past"]["executions"], &report["findings"][1]["cost"]), (&1.into(), &serde_json::Value::Null));
    let other = folder.file("other.asl.json", &ORDERS.replace("Charge", "Refund"));
    let run = stepscope(["audit", argument(&other), OURS, "--input", argument(&runs)]).ends_with(0);
    run.says(&["no execution is of the machine of", "nothing tells what its findings cost"]);
}

#[test]
fn a_hostile_definition_is_fixed_soon() {
    let state = |number: usize| {
        format!(r#""s{number}":{{"Type":"Task","Resource":"${{f}}","Retry":[{{"ErrorEquals":["E"]}}],"Next":"s{}"}}"#, number + 1)
    };
    let states: Vec<String> = (0..3_000).map(state).collect();
    let definition = format!(r#"{{"StartAt":"s0","States":{{{},"s3000":{{"Type":"Succeed"}}}}}}"#, states.join(","));
    let run = stepscope_reading(["audit", "-", OURS, "--fix", "--quiet"], definition.as_str()).succeeds();
    assert_eq!(run.out.matches("\"JitterStrategy\":\"FULL\"").count(), 3_000);
    stepscope_reading(["audit", "-", OURS], definition.as_str()).succeeds().shows(&["2900 findings more: --output json has all of them"]);
}
