//! Definitions that nobody would write: read, checked and compiled without a panic, whatever they hold.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stepscope::analysis::audit::rules;
use stepscope::analysis::audit::subject::Subject;
use stepscope::asl::check::{MOST_DIAGNOSTICS, MachineType, check};
use stepscope::asl::source::{Format, Source};

/// Values that fields of the language hold, rightly or not.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "Pass",
            "Task",
            "Choice",
            "Wait",
            "Map",
            "Parallel",
            "Fail",
            "Succeed",
            "JSONata",
            "JSONPath",
            "A",
            "B",
            "$.a",
            "$$",
            "$v.x",
            "$..[?(@",
            "States.Format('{}', $.a)",
            "States.Array(",
            "{% $states.result %}",
            "{% a( %}",
            "${Substituted}",
            "arn:aws:states:::lambda:invoke",
            "arn:aws:states:::x.sync:2",
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "arn:aws:states:::ecs:runTask.sync",
            "arn:aws:states:::aws-sdk:glue:getJobRun",
            "States.TaskFailed",
            "Lambda.ServiceException",
            "COMPLETED",
            "FULL",
            "2016-03-14T01:59:00Z",
            "2016-03-14T01:59:00+0é:0",
            "States.ALL",
            "DISTRIBUTED",
            "\u{202e}\u{0}",
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field(), inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Names of the language, and others.
fn field() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "StartAt",
        "States",
        "A",
        "B",
        "Type",
        "Next",
        "End",
        "QueryLanguage",
        "Choices",
        "Default",
        "And",
        "Not",
        "Variable",
        "IsNull",
        "Condition",
        "Retry",
        "Catch",
        "ErrorEquals",
        "MaxAttempts",
        "IntervalSeconds",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "Seconds",
        "StringEquals",
        "FunctionName",
        "InputPath",
        "OutputPath",
        "Result",
        "Assign",
        "Output",
        "Arguments",
        "Parameters",
        "a.$",
        "ResultPath",
        "Branches",
        "ItemProcessor",
        "Iterator",
        "ProcessorConfig",
        "Mode",
        "Label",
        "ItemReader",
        "ReaderConfig",
        "Resource",
        "Timestamp",
        "Credentials",
        "definition",
        "Resources",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn checks(text: &str, format: Option<Format>) {
    let Ok(source) = Source::read(text.as_bytes(), format) else { return };
    for machine_type in [MachineType::Standard, MachineType::Express] {
        let verdict = check(&source, machine_type);
        assert!(verdict.diagnostics.len() <= MOST_DIAGNOSTICS);
        for diagnostic in &verdict.diagnostics {
            let has_place = source.node(&diagnostic.pointer).is_some() && diagnostic.line >= 1 && diagnostic.column >= 1;
            assert!(has_place, "{diagnostic:?} in {text}");
        }
        let subject = Subject::new(&source, machine_type);
        let mut violations = Vec::new();
        rules::all().for_each(|rule| (rule.check)(&subject, &mut violations));
        for violation in &violations {
            assert!(source.node(&violation.pointer).is_some(), "{violation:?} in {text}");
        }
        // What is valid can be run, unless something is still to be put in; the compiler has its own word on the rest.
        let _ = stepscope::asl::compile(&source.to_json());
    }
}

proptest! {
    #[test]
    fn any_definition_is_checked(states in prop::collection::vec((field(), value()), 0..4), more in prop::collection::vec((field(), value()), 0..4)) {
        let mut definition = Map::from_iter(more);
        definition.insert("StartAt".to_owned(), json!("A"));
        definition.insert("States".to_owned(), Value::Object(states.into_iter().collect()));
        let text = Value::Object(definition).to_string();
        checks(&text, Some(Format::Json));
        checks(&text, Some(Format::Yaml));
    }

    #[test]
    fn json_is_the_same_after_the_way_through_the_tree(value in value()) {
        let text = value.to_string();
        let source = Source::read(text.as_bytes(), Some(Format::Json));
        if let Ok(source) = source && value.get("definition").is_none() {
            let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
            prop_assert_eq!(parsed(&source.to_json()), parsed(&text));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        checks(&text, None);
        checks(&text, Some(Format::Yaml));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Source::read(&bytes, None);
    }
}

#[test]
fn deep_expressions_do_not_exhaust_the_stack() {
    let deep = |expression: &str| {
        json!({"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}}})
            .to_string()
    };
    for count in [100, 900, 5_000, 100_000] {
        checks(&deep(&format!("{}1{}", "(".repeat(count), ")".repeat(count))), None);
        checks(&deep(&vec!["1"; count].join("+")), None);
        checks(&deep(&format!("$a{}", "[0]".repeat(count))), None);
    }
}
