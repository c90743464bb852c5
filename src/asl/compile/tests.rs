use super::*;
use crate::asl::machine::{Comparison, Condition, Operand, Order, Pattern, Selection, Service, Setting, Wait};

fn compiled(text: &str) -> Rc<StateMachine> {
    compile(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The first state of a machine that has this one only.
fn only(state: &str) -> Rc<StateMachine> {
    compiled(&format!(r#"{{"StartAt":"S","States":{{"S":{state}}}}}"#))
}

#[track_caller]
fn refused(text: &str, pointer: &str, message: &str) {
    let error = compile(text).expect_err("must be refused");
    assert_eq!(error.pointer, pointer, "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn defaults_of_the_language_are_filled_in() {
    let machine = compiled(
        r#"{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","InputPath":"$","Next":"B",
            "Retry":[{"ErrorEquals":["X"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}]},"B":{"Type":"Succeed"}}}"#,
    );
    let state = machine.state(machine.block(BlockNumber(0)).start_at);
    assert_eq!((&*state.name, state.language, state.next), ("A", QueryLanguage::JsonPath, Transition::Next(StateNumber(1))));
    assert!(state.input_path.is_none() && state.output_path.is_none() && matches!(state.result_path, ResultPath::Replace));
    let retrier = &state.retry[0];
    assert_eq!((retrier.interval_seconds, retrier.max_attempts, retrier.max_delay_seconds, retrier.full_jitter), (1, 3, None, false));
    assert!((retrier.backoff_rate - 2.0).abs() < f64::EPSILON);
    assert!(matches!(state.catch[0].result_path, ResultPath::Replace));
    assert_eq!((state.catch[0].next, &*state.catch[0].error_equals[0]), (StateNumber(1), "States.ALL"));
    assert_eq!(machine.timeout_seconds, None);
}

#[test]
fn paths_are_nothing_or_something() {
    let machine = only(r#"{"Type":"Pass","InputPath":null,"OutputPath":"$.a","ResultPath":null,"Result":1,"End":true}"#);
    let state = machine.state(StateNumber(0));
    assert!(matches!(state.input_path, Some(Selection::Nothing)) && matches!(state.result_path, ResultPath::Discard));
    assert!(matches!(&state.output_path, Some(Selection::Path(path)) if path.text() == "$.a"));
    assert!(matches!(&state.kind, Kind::Pass { result: Some(value) } if *value == Value::from(1)));
}

#[test]
fn a_state_speaks_the_language_of_its_machine_unless_it_says_otherwise() {
    let machine = compiled(
        r#"{"StartAt":"M","QueryLanguage":"JSONPath","States":{"M":{"Type":"Map","QueryLanguage":"JSONata","Items":"{% [1] %}","End":true,
            "Iterator":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}}}}}"#,
    );
    let language = |name| machine.state(machine.find(name).expect("a state")).language;
    assert_eq!((language("M"), language("I")), (QueryLanguage::Jsonata, QueryLanguage::JsonPath));
}

#[test]
fn blocks_know_their_parents() {
    let machine = only(
        r#"{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},
            {"StartAt":"C","States":{"B":{"Type":"Succeed"},"C":{"Type":"Pass","Next":"B"}}}]}"#,
    );
    let Kind::Parallel { branches } = &machine.state(StateNumber(0)).kind else { panic!("no Parallel") };
    let starts: Vec<&str> = branches.iter().map(|branch| &*machine.state(machine.block(*branch).start_at).name).collect();
    assert_eq!(starts, ["A", "C"]);
    assert!(branches.iter().all(|branch| machine.block(*branch).parent == Some(StateNumber(0))));
    assert_eq!(machine.state(machine.find("B").expect("a state")).block, branches[1]);
}

#[test]
fn settings_are_literals_paths_or_expressions() {
    let wait = |fields: &str| {
        let machine = only(&format!(r#"{{"Type":"Wait",{fields},"End":true}}"#));
        let Kind::Wait(wait) = &machine.state(StateNumber(0)).kind else { panic!("no Wait") };
        match wait {
            Wait::Seconds(Setting::Literal(value)) => format!("seconds {value}"),
            Wait::Seconds(Setting::Path(path)) => format!("seconds at {}", path.text()),
            Wait::Seconds(Setting::Query(query)) => format!("seconds by {}", query.text()),
            Wait::Timestamp(_) => "timestamp".to_owned(),
        }
    };
    assert_eq!(wait(r#""Seconds":5"#), "seconds 5");
    assert_eq!(wait(r#""Seconds":"${Delay}""#), "seconds \"${Delay}\"");
    assert_eq!(wait(r#""SecondsPath":"$.delay""#), "seconds at $.delay");
    assert_eq!(wait(r#""QueryLanguage":"JSONata","Seconds":5"#), "seconds 5");
    assert_eq!(wait(r#""QueryLanguage":"JSONata","Seconds":"{% $delay %}""#), "seconds by $delay");
    assert_eq!(wait(r#""TimestampPath":"$.until""#), "timestamp");
}

#[test]
fn rules_nest_and_compare() {
    let machine = compiled(
        r#"{"StartAt":"C","States":{"S":{"Type":"Succeed"},"C":{"Type":"Choice","Default":"S","Choices":[
            {"And":[{"Variable":"$.a","IsPresent":true},{"Not":{"Variable":"$.a","NumericLessThanEqualsPath":"$.b"}}],"Next":"S"},
            {"Or":[{"Variable":"$.a","StringMatches":"x*"},{"Comment":"c","Variable":"$.a","BooleanEquals":true}],"Next":"S"}]}}}"#,
    );
    let Kind::Choice { rules, default: Some(StateNumber(0)) } = &machine.state(StateNumber(1)).kind else { panic!("no Choice") };
    let Condition::And(all) = &rules[0].condition else { panic!("no And") };
    assert!(matches!(&all[0], Condition::Compare { variable, comparison: Comparison::IsPresent(true) } if variable.text() == "$.a"));
    let Condition::Not(negated) = &all[1] else { panic!("no Not") };
    assert!(matches!(&**negated, Condition::Compare { comparison: Comparison::Numeric(Order::LessThanEquals, Operand::Path(_)), .. }));
    let Condition::Or(any) = &rules[1].condition else { panic!("no Or") };
    assert!(matches!(&any[0], Condition::Compare { comparison: Comparison::StringMatches(pattern), .. } if &**pattern == "x*"));
    assert!(matches!(&any[1], Condition::Compare { comparison: Comparison::Boolean(Operand::Literal(_)), .. }));
}

#[test]
fn a_distributed_map_has_readers_batches_and_writers() {
    let machine = only(
        r#"{"Type":"Map","End":true,"Label":"L","Parameters":{"a.$":"$.a"},"ToleratedFailureCountPath":"$.t",
            "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}},
            "ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b"},
                "ReaderConfig":{"InputType":"CSV","MaxItemsPath":"$.m"}},
            "ItemBatcher":{"MaxItemsPerBatch":10},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject"}}"#,
    );
    let Kind::Map(map) = &machine.state(StateNumber(0)).kind else { panic!("no Map") };
    let distributed = map.distributed.as_ref().expect("distributed");
    let reader = distributed.reader.as_ref().expect("a reader");
    assert!(machine.state(StateNumber(0)).arguments.is_none() && map.item_selector.is_some());
    assert!(distributed.express && distributed.label.as_deref() == Some("L"));
    assert!(matches!(&reader.max_items, Some(Setting::Path(path)) if path.text() == "$.m"));
    assert_eq!(reader.config.to_json(), r#"{"InputType":"CSV"}"#);
    assert!(matches!(&distributed.batcher.as_ref().expect("a batcher").max_items, Some(Setting::Literal(_))));
    assert!(matches!(&distributed.tolerated_failure_count, Some(Setting::Path(_))));
    assert_eq!(distributed.writer.as_ref().expect("a writer").config.to_json(), "{}");
}

#[test]
fn substitutions_hinder_nothing() {
    let machine = compiled(
        r#"{"StartAt":"T","TimeoutSeconds":"${Limit}","States":{"T":{"Type":"Task","Resource":"${Function}","TimeoutSeconds":"${T}",
            "Retry":[{"ErrorEquals":["${Error}"],"MaxAttempts":"${N}","BackoffRate":"${R}"}],"End":true}}}"#,
    );
    let Kind::Task(task) = &machine.state(StateNumber(0)).kind else { panic!("no Task") };
    assert_eq!((&task.resource.service, task.resource.pattern), (&Service::Function, Pattern::RequestResponse));
    assert_eq!((machine.timeout_seconds, machine.state(StateNumber(0)).retry[0].max_attempts), (None, 3));
}

#[test]
fn functions_of_a_template_may_stand_for_a_resource() {
    let service = |resource: &str| {
        let machine = only(&format!(r#"{{"Type":"Task","Resource":{resource},"End":true}}"#));
        let Kind::Task(task) = &machine.state(StateNumber(0)).kind else { panic!("no Task") };
        task.resource.clone()
    };
    let substituted = service(r#"{"Fn::Sub":"arn:${AWS::Partition}:states:::sns:publish"}"#);
    assert_eq!(substituted.service, Service::Integration { resource_type: "sns".into(), resource: "publish".into() });
    assert_eq!(&*service(r#"{"Ref":"Function"}"#).arn, r#"{"Ref":"Function"}"#);
}

#[test]
fn what_cannot_be_run_is_refused_with_its_place() {
    let with = |state: &str| format!(r#"{{"StartAt":"a/b","States":{{"a/b":{state}}}}}"#);
    refused("{", "", "no JSON");
    refused("[]", "", "must be an object");
    refused("{}", "", "States is missing");
    refused(r#"{"States":{}}"#, "", "StartAt is missing");
    refused(r#"{"StartAt":"X","States":{}}"#, "/StartAt", "no state 'X'");
    refused(&with(r#"{"Type":"Pass"}"#), "/States/a~1b", "neither Next nor");
    refused(&with(r#"{"Type":"Pass","Next":"Nowhere"}"#), "/States/a~1b/Next", "no state 'Nowhere'");
    refused(&with(r#"{"Type":"Bogus"}"#), "/States/a~1b/Type", "'Bogus'");
    refused(&with(r#"{"Type":"Task","End":true}"#), "/States/a~1b", "Resource is missing");
    refused(&with(r#"{"Type":"Map","End":true}"#), "/States/a~1b", "ItemProcessor is missing");
    refused(&with(r#"{"Type":"Choice","Choices":[{"Variable":"$.a","Next":"a/b"}]}"#), "/States/a~1b/Choices/0", "no comparison");
    refused(
        &with(r#"{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":"x","Next":"a/b"}]}"#),
        "/States/a~1b/Choices/0/IsNull",
        "true",
    );
    refused(&with(r#"{"Type":"Pass","QueryLanguage":"XPath","End":true}"#), "/States/a~1b/QueryLanguage", "XPath");
    let inner = with(r#"{"Type":"Parallel","End":true,"Branches":[{"StartAt":"I","States":{"I":{"Type":"Pass","Next":"a/b"}}}]}"#);
    refused(&inner, "/States/a~1b/Branches/0/States/I/Next", "no state 'a/b'");
}

#[test]
fn deep_nesting_is_refused_by_the_parser_and_nothing_overflows() {
    let deep = |levels: usize| {
        let state = r#"{"Type":"Succeed"}"#.to_owned();
        let nested = (0..levels).fold(state, |inner, level| {
            format!(r#"{{"Type":"Map","End":true,"Iterator":{{"StartAt":"S{level}","States":{{"S{level}":{inner}}}}}}}"#)
        });
        compile(&format!(r#"{{"StartAt":"S","States":{{"S":{nested}}}}}"#))
    };
    assert_eq!(deep(40).expect("40 levels").blocks.len(), 41);
    assert!(deep(10_000).is_err());
}

#[test]
fn a_description_of_a_machine_holds_its_definition() {
    let definition = r#"{"StartAt":"S","States":{"S":{"Type":"Succeed","Comment":"a \"definition\""}}}"#;
    let described = serde_json::json!({"name": "M", "definition": definition}).to_string();
    assert_eq!(definition_text(&described), definition);
    assert_eq!(definition_text(definition), definition);
    assert_eq!(&*compiled(&described).source, definition);
}

#[test]
fn a_single_state_is_compiled_with_those_it_leads_to() {
    let state = r#"{"Type":"Task","Resource":"r","Next":"Later","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Later"}]}"#;
    let machine = compile_state("Alone", state).expect("a state");
    assert_eq!(machine.states.len(), 2);
    assert_eq!(machine.state(machine.block(BlockNumber(0)).start_at).next, Transition::Next(machine.find("Later").expect("added")));
}
