//! States under test, as requests and answers.

use serde_json::{Value as Json, json};

use super::{InspectionLevel, Mock, Refusal, Request, StateConfiguration, test_state};

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

fn request(definition: &Json) -> Request {
    Request {
        definition: definition.to_string(),
        state_name: None,
        input: None,
        variables: None,
        context: None,
        mock: None,
        configuration: StateConfiguration::default(),
        inspection_level: InspectionLevel::Debug,
        role_arn: None,
        reveal_secrets: false,
        now: "2026-01-02T03:04:05Z".parse().expect("a moment"),
        seed: 1,
    }
}

impl Request {
    fn input(self, input: &Json) -> Self {
        Self { input: Some(input.to_string()), ..self }
    }

    fn result(self, result: &Json) -> Self {
        self.mock(&json!({"result": result.to_string()}))
    }

    fn error(self, error: &str) -> Self {
        self.mock(&json!({"errorOutput": {"error": error, "cause": "because"}}))
    }

    fn mock(self, mock: &Json) -> Self {
        Self { mock: Some(Mock::parse(&mock.to_string()).expect("a mock")), ..self }
    }

    fn configured(self, configuration: &Json) -> Self {
        Self { configuration: StateConfiguration::parse(&configuration.to_string()).expect("a configuration"), ..self }
    }

    fn context(self, context: &Json) -> Self {
        Self { context: Some(context.to_string()), ..self }
    }

    /// The answer as JSON, with payloads read where they are JSON.
    fn answer(&self) -> Json {
        let mut answer = serde_json::to_value(test_state(self).expect("an answer")).expect("JSON");
        read_payloads(&mut answer);
        answer
    }

    fn refused(&self) -> String {
        test_state(self).expect_err("a refusal").to_string()
    }
}

fn read_payloads(answer: &mut Json) {
    if let Some(payload) = answer.as_str().and_then(|text| serde_json::from_str(text).ok()) {
        *answer = payload;
    } else if let Some(members) = answer.as_object_mut() {
        members.values_mut().for_each(read_payloads);
    }
}

fn task(fields: &Json) -> Json {
    let mut task = json!({"Type": "Task", "Resource": LAMBDA, "End": true});
    task.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    task
}

#[test]
fn a_task_shows_every_step_from_input_to_output() {
    let state = json!({"Type": "Task", "Resource": LAMBDA, "InputPath": "$.order", "Parameters": {"FunctionName": "f", "Payload.$": "$.id"},
        "ResultSelector": {"said.$": "$.Payload"}, "ResultPath": "$.answer", "OutputPath": "$.answer", "Next": "Ship"});
    let answer = request(&state).input(&json!({"order": {"id": 7}})).result(&json!({"Payload": "yes"})).answer();
    assert_eq!(
        answer,
        json!({"status": "SUCCEEDED", "output": {"said": "yes"}, "nextState": "Ship", "inspectionData": {
            "input": {"order": {"id": 7}}, "afterInputPath": {"id": 7}, "afterParameters": {"FunctionName": "f", "Payload": 7},
            "result": {"Payload": "yes"}, "afterResultSelector": {"said": "yes"},
            "afterResultPath": {"order": {"id": 7}, "answer": {"said": "yes"}}}})
    );
}

#[test]
fn only_the_outcome_is_told_at_the_level_info() {
    let answer = Request { inspection_level: InspectionLevel::Info, ..request(&json!({"Type": "Succeed"})) }.answer();
    assert_eq!(answer, json!({"status": "SUCCEEDED", "output": {}}));
}

#[test]
fn a_pass_with_a_result_shows_it_in_place_of_its_parameters() {
    let state = json!({"Type": "Pass", "Parameters": {"a": 1}, "Result": [1], "ResultPath": "$.r", "End": true});
    let answer = request(&state).answer();
    assert_eq!(answer["inspectionData"], json!({"input": {}, "result": [1], "afterResultSelector": [1], "afterResultPath": {"r": [1]}}));
    let answer = request(&json!({"Type": "Pass", "Parameters": {"a": 1}, "End": true})).answer();
    assert_eq!(
        answer["inspectionData"],
        json!({"input": {}, "afterInputPath": {}, "afterParameters": {"a": 1}, "afterResultSelector": {"a": 1}, "afterResultPath": {"a": 1}})
    );
}

#[test]
fn a_choice_names_the_state_that_it_takes() {
    let state = json!({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Few"}], "Default": "Many"});
    for (n, next) in [(1, "Few"), (3, "Many")] {
        assert_eq!(request(&state).input(&json!({"n": n})).answer()["nextState"], next);
    }
    let state = json!({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Few"}]});
    let answer = request(&state).input(&json!({"n": 3})).answer();
    assert_eq!((&answer["status"], &answer["error"], &answer["nextState"]), (&json!("FAILED"), &json!("States.Runtime"), &Json::Null));
}

#[test]
fn wait_and_fail_end_at_once() {
    let answer = request(&json!({"Type": "Wait", "Seconds": 86400, "Next": "Then"})).input(&json!([1])).answer();
    assert_eq!((&answer["output"], &answer["nextState"]), (&json!([1]), &json!("Then")));
    let answer = request(&json!({"Type": "Fail", "Error": "E", "CausePath": "$.why"})).input(&json!({"why": "so"})).answer();
    assert_eq!((&answer["status"], &answer["error"], &answer["cause"]), (&json!("FAILED"), &json!("E"), &json!("so")));
    assert_eq!(answer["output"], Json::Null);
}

#[test]
fn an_error_is_retried_then_caught_then_final() {
    let retry = json!([{"ErrorEquals": ["Other"]}, {"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2, "MaxDelaySeconds": 5}]);
    let catch = json!([{"ErrorEquals": ["Gone"], "Next": "A"}, {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "B"}]);
    let both = task(&json!({"Retry": retry, "Catch": catch}));
    for (used, seconds) in [(0, 3), (1, 5)] {
        let answer = request(&both).error("Busy").configured(&json!({"retrierRetryCount": used})).answer();
        assert_eq!((&answer["status"], &answer["error"], &answer["cause"]), (&json!("RETRIABLE"), &json!("Busy"), &json!("because")));
        assert_eq!(answer["inspectionData"]["errorDetails"], json!({"retryIndex": 1, "retryBackoffIntervalSeconds": seconds}));
    }
    let answer = request(&both).input(&json!({"a": 1})).error("Busy").configured(&json!({"retrierRetryCount": 2})).answer();
    assert_eq!((&answer["status"], &answer["nextState"]), (&json!("CAUGHT_ERROR"), &json!("B")));
    assert_eq!(answer["output"], json!({"a": 1, "error": {"Error": "Busy", "Cause": "because"}}));
    assert_eq!(answer["inspectionData"]["errorDetails"], json!({"retryIndex": 1, "catchIndex": 1}));
    let answer = request(&task(&json!({"Retry": retry}))).error("Unknown").answer();
    assert_eq!((&answer["status"], &answer["inspectionData"]["errorDetails"]), (&json!("FAILED"), &Json::Null));
}

#[test]
fn a_failing_expression_is_an_error_of_the_state() {
    let state = task(&json!({"Parameters": {"a.$": "$.missing"}, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}]}));
    let answer = request(&state).result(&json!({})).answer();
    // Nothing catches States.Runtime.
    assert_eq!((&answer["status"], &answer["error"]), (&json!("FAILED"), &json!("States.Runtime")));
    assert_eq!(answer["inspectionData"], json!({"input": {}, "afterInputPath": {}}));
}

#[test]
fn an_output_beyond_the_limit_is_caught_by_nothing() {
    let state = task(&json!({"ResultPath": "$.again", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A"}]}));
    let half = "x".repeat(140_000);
    let answer = request(&state).input(&json!({"half": half})).result(&json!({"Payload": half})).answer();
    assert_eq!((&answer["status"], &answer["error"]), (&json!("FAILED"), &json!("States.DataLimitExceeded")));
}

#[test]
fn what_nobody_could_read_is_not_shown() {
    let parameters: serde_json::Map<_, _> = (0..10_000).map(|number| (format!("p{number}.$"), json!("$"))).collect();
    let state = json!({"Type": "Pass", "Parameters": parameters, "OutputPath": "$.p7.few", "End": true});
    let answer = test_state(&request(&state).input(&json!({"few": 1, "many": "x".repeat(200_000)}))).expect("an answer");
    let seen = answer.inspection_data.expect("data");
    assert_eq!((answer.output.as_deref(), seen.after_parameters, seen.result), (Some("1"), None, None));
    assert_eq!(answer.notes[0], "a payload between the steps is too large to be shown");
}

fn map(fields: &Json) -> Json {
    let mut map = json!({"Type": "Map", "ItemsPath": "$.items", "End": true, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Each", "States": {"Each": {"Type": "Pass", "End": true}}}});
    map.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    map
}

#[test]
fn a_map_shows_its_items_and_what_its_iterations_get() {
    let state = map(&json!({"ItemSelector": {"n.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "all.$": "$.k"}, "MaxConcurrency": 2,
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.k"}}}));
    let answer = request(&state).input(&json!({"items": [5, 6, 7], "k": 1})).result(&json!([0, 0])).answer();
    let seen = &answer["inspectionData"];
    let item = |n: u64, i: u64| json!({"n": n, "i": i, "all": 1});
    assert_eq!(seen["afterItemsPath"], json!([5, 6, 7]));
    assert_eq!(seen["afterItemSelector"], json!([item(5, 0), item(6, 1), item(7, 2)]));
    let batches = json!([{"BatchInput": {"k": 1}, "Items": [item(5, 0), item(6, 1)]}, {"BatchInput": {"k": 1}, "Items": [item(7, 2)]}]);
    assert_eq!((&seen["afterItemBatcher"], &seen["maxConcurrency"]), (&batches, &json!(2)));
    assert_eq!(answer["output"], json!([0, 0]));
}

#[test]
fn inputs_of_iterations_that_are_too_large_are_left_out() {
    let input = json!({"items": vec![0; 1_000], "k": "x".repeat(1_000)});
    for fields in [json!({"ItemSelector": {"all.$": "$"}}), json!({"ItemBatcher": {"MaxItemsPerBatch": 1, "BatchInput": {"all.$": "$"}}})] {
        let answer = test_state(&request(&map(&fields)).input(&input).result(&json!([]))).expect("an answer");
        let seen = answer.inspection_data.expect("data");
        assert_eq!((seen.after_item_selector, seen.after_item_batcher), (None, None));
        assert_eq!(answer.notes, ["the inputs of the iterations are too large to be shown"]);
    }
}

#[test]
fn a_map_fails_when_more_iterations_fail_than_it_bears() {
    for (limit, failures, status) in [
        (json!({}), 3, "SUCCEEDED"),
        (json!({"ToleratedFailureCount": 1}), 1, "SUCCEEDED"),
        (json!({"ToleratedFailureCount": 1}), 2, "FAILED"),
        (json!({"ToleratedFailurePercentage": 50}), 2, "FAILED"),
        (json!({"ToleratedFailurePercentage": 70}), 2, "SUCCEEDED"),
    ] {
        let configuration = json!({"mapIterationFailureCount": failures});
        let tested = request(&map(&limit)).input(&json!({"items": [1, 2, 3]})).result(&json!([1, 2, 3])).configured(&configuration);
        assert_eq!(tested.answer()["status"], status, "{limit} {failures}");
    }
    let tested =
        request(&map(&json!({}))).input(&json!({"items": [1]})).result(&json!([1])).configured(&json!({"mapIterationFailureCount": 2}));
    assert!(tested.refused().contains("Map iteration failure count must be less than or equal to the number of Map iterations"));
}

#[test]
fn a_map_without_an_array_fails_before_its_limits_are_known() {
    let state = json!({"Type": "Map", "ItemsPath": "$$.Execution", "End": true, "ItemProcessor": {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": true}}}});
    let answer = request(&state).result(&json!([])).answer();
    assert_eq!(answer["cause"], "Reference path \"$.Execution\" must point to array.");
    assert_eq!(answer["inspectionData"], json!({"input": {}, "afterInputPath": {}}));
}

#[test]
fn data_of_an_item_reader_are_the_items() {
    let reader = json!({"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/rows"},
        "Parameters": {"Bucket": "b", "Key": "k"}});
    let mut state = map(&json!({"ItemReader": reader, "ItemSelector": {"v.$": "$$.Map.Item.Value"}}));
    state.as_object_mut().expect("an object").remove("ItemsPath");
    let data = json!({"rows": [1, 2]}).to_string();
    let tested = request(&state).result(&json!([1, 4])).configured(&json!({"mapItemReaderData": data}));
    let seen = &tested.answer()["inspectionData"];
    assert_eq!((&seen["afterItemsPointer"], &seen["afterItemSelector"]), (&json!([1, 2]), &json!([{"v": 1}, {"v": 2}])));
}

#[test]
fn a_state_of_a_machine_is_found_wherever_it_stands() {
    let machine = json!({"StartAt": "Outer", "States": {"Outer": map(&json!({"ItemsPath": "$"}))}});
    let inner = Request { state_name: Some("Each".to_owned()), ..request(&machine) }.input(&json!({"a": 1}));
    assert_eq!(inner.answer()["output"], json!({"a": 1}));
    assert!(Request { state_name: Some("Nobody".to_owned()), ..request(&machine) }.refused().contains("(ValidationException)"));
    assert!(request(&machine).refused().contains("(InvalidDefinition)"));
    let empty = Request { state_name: Some(String::new()), ..request(&machine) };
    assert_eq!(
        test_state(&empty).expect_err("a refusal"),
        Refusal::Parameter("Invalid length for parameter stateName, value: 0, valid min length: 1".to_owned())
    );
}

#[test]
fn variables_are_seen_and_shown_with_what_is_assigned() {
    let state = json!({"Type": "Pass", "Parameters": {"was.$": "$n"}, "Assign": {"n": 2, "new": true}, "End": true});
    let answer = Request { variables: Some(r#"{"n":1,"kept":0}"#.to_owned()), ..request(&state) }.answer();
    assert_eq!((&answer["output"], &answer["inspectionData"]["variables"]), (&json!({"was": 1}), &json!({"n": 2, "kept": 0, "new": true})));
    for text in ["[1]", "{"] {
        assert!(Request { variables: Some(text.to_owned()), ..request(&state) }.refused().contains("(ValidationException)"));
    }
}

#[test]
fn a_context_object_is_taken_as_it_is_or_made_up() {
    let state = task(&json!({"Parameters": {"c.$": "$$"}}));
    let given = json!({"Execution": {"Name": "run-1"}, "State": {"RetryCount": 4}});
    let answer = request(&state).result(&json!({})).context(&given).answer();
    assert_eq!(answer["inspectionData"]["afterParameters"]["c"], given);
    let made_up = request(&state).input(&json!({"a": 1})).result(&json!({})).answer();
    let context = &made_up["inspectionData"]["afterParameters"]["c"];
    assert_eq!((&context["Execution"]["Input"], &context["State"]["RetryCount"]), (&json!({"a": 1}), &json!(0)));
    assert_eq!((&context["Execution"]["StartTime"], &context["State"]["Name"]), (&json!("2026-01-02T03:04:05Z"), &json!("StateName")));
    let pass = json!({"Type": "Pass", "Parameters": {"c.$": "$$"}, "End": true});
    let context = &request(&pass).answer()["output"]["c"];
    assert_eq!((&context["Execution"]["RoleArn"], &context["State"]["RetryCount"]), (&Json::Null, &Json::Null));
}

#[test]
fn a_context_object_that_cannot_be_is_refused() {
    let token = json!({"Task": {"Token": "t"}});
    for (context, told) in [
        (json!({"Nobody": {}}), "Field 'Nobody' is not allowed"),
        (json!({"Execution": {"Nobody": 1}}), "Field 'Nobody' is not allowed"),
        (json!({"Execution": 1}), "Field 'Execution' must be an object"),
        (json!({"State": {"RetryCount": "1"}}), "Field 'RetryCount' must be a number"),
        (json!([]), "must be a JSON object"),
        (token.clone(), "Context object contains 'Task' when state is not a Task state"),
    ] {
        let refusal = request(&task(&json!({}))).result(&json!({})).context(&context).refused();
        assert!(refusal.contains("Invalid Context object provided: ") && refusal.contains(told), "{context}: {refusal}");
    }
    let waits = task(&json!({"Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Parameters": {"t.$": "$$.Task.Token"}}));
    let answer = request(&waits).result(&json!("done")).context(&token).answer();
    assert_eq!(answer["inspectionData"]["afterParameters"], json!({"t": "t"}));
    let made_up = request(&waits).result(&json!("done")).answer();
    assert!(made_up["inspectionData"]["afterParameters"]["t"].as_str().is_some_and(|token| !token.is_empty()), "{made_up}");
    assert!(request(&json!({"Type": "Succeed"})).context(&json!({})).refused().contains("Context can only be specified"));
}

#[test]
fn mocks_are_for_states_that_call_something_and_needed_there() {
    for state in [
        json!({"Type": "Pass", "End": true}),
        json!({"Type": "Wait", "Seconds": 1, "End": true}),
        json!({"Type": "Succeed"}),
        json!({"Type": "Fail"}),
        json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "A"}]}),
    ] {
        let told = format!("State type '{}' is not supported when a mock is specified", state["Type"].as_str().expect("a type"));
        assert!(request(&state).error("E").refused().ends_with(&told), "{state}");
    }
    let supported = "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]";
    assert!(request(&map(&json!({}))).refused().contains(supported));
    assert!(request(&task(&json!({}))).refused().contains("RoleArn must be specified when testing a Task state"));
    let with_role = Request { role_arn: Some("arn:aws:iam::111111111111:role/r".to_owned()), ..request(&task(&json!({}))) };
    assert!(matches!(test_state(&with_role), Err(Refusal::OutOfReach(told)) if told.contains("give --mock")));
    let waits = task(&json!({"Resource": "arn:aws:states:::states:startExecution.sync"}));
    assert!(request(&waits).refused().contains("(InvalidDefinition)"));
    let revealing = Request { reveal_secrets: true, ..request(&task(&json!({}))).result(&json!({})) };
    assert!(revealing.refused().contains("TestState does not support RevealSecrets when a mock is specified."));
}

#[test]
fn a_mocked_result_has_the_form_that_the_state_would_get() {
    let parallel = json!({"Type": "Parallel", "End": true, "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}]});
    let writer = json!({"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}});
    for (state, result, told) in [
        (parallel.clone(), json!({}), "Mocked result must be an array."),
        (parallel.clone(), json!([1, 2]), "Mocked result must contain the same number of items as number of Parallel branches."),
        (map(&json!({})), json!({}), "Mocked result must be an array."),
        (map(&writer), json!([]), "Mocked result must be a JSON object."),
        (task(&json!({})), json!({"StatusCode": "200"}), "Mock result schema validation error: Field 'StatusCode' must be a number"),
    ] {
        let refusal = request(&state).input(&json!({"items": []})).result(&result).refused();
        assert!(refusal.ends_with(told), "{state}: {refusal}");
    }
    assert!(request(&parallel).mock(&json!({"result": "nothing"})).refused().ends_with("Mocked result must be valid JSON"));
    let answer = request(&parallel).result(&json!([1])).answer();
    assert_eq!(answer["inspectionData"], json!({"input": {}, "afterResultSelector": [1], "afterResultPath": [1]}));
}

#[test]
fn results_are_checked_as_strictly_as_the_request_says() {
    let state = task(&json!({"Resource": "arn:aws:states:::states:startExecution"}));
    let incomplete = |mode| request(&state).mock(&json!({"result": "{\"ExecutionArn\": \"a\"}", "fieldValidationMode": mode}));
    assert!(incomplete("STRICT").refused().ends_with("Required field 'StartDate' is missing"));
    assert_eq!(incomplete("PRESENT").answer()["status"], "SUCCEEDED");
    let wrong = |mode| request(&state).mock(&json!({"result": "{\"ExecutionArn\": 1}", "fieldValidationMode": mode}));
    assert!(wrong("PRESENT").refused().ends_with("Field 'ExecutionArn' must be a string"));
    assert_eq!(wrong("NONE").answer()["status"], "SUCCEEDED");
}

#[test]
fn what_cannot_be_checked_is_said() {
    let unknown = task(&json!({"Resource": "arn:aws:states:::aws-sdk:nonesuch:call"}));
    let answer = test_state(&request(&unknown).result(&json!({}))).expect("an answer");
    assert!(answer.notes[0].contains("nonesuch:call"), "{:?}", answer.notes);
    let tested = request(&map(&json!({}))).input(&json!({"items": []})).error("E");
    let notes = |name: &str| {
        let answer = test_state(&tested.clone().configured(&json!({"errorCausedByState": name})));
        answer.expect("an answer").notes
    };
    assert!(notes("Each").is_empty());
    assert!(notes("Nobody")[0].contains("errorCausedByState names 'Nobody'"));
}

#[test]
fn what_is_no_json_is_refused() {
    let state = json!({"Type": "Succeed"});
    assert!(Request { input: Some("{".to_owned()), ..request(&state) }.refused().contains("(InvalidExecutionInput)"));
    assert!(Request { definition: "{".to_owned(), ..request(&state) }.refused().contains("(InvalidDefinition)"));
    assert!(request(&json!({"Type": "Sucess"})).refused().contains("(InvalidDefinition)"));
}

mod jsonata {
    use super::*;

    #[test]
    fn a_task_shows_its_arguments_and_its_result() {
        let state = json!({"Type": "Task", "QueryLanguage": "JSONata", "Resource": LAMBDA, "Next": "Ship",
            "Arguments": {"FunctionName": "f", "Payload": "{% $states.input.id %}"}, "Output": "{% $states.result.Payload & '!' %}"});
        let answer = request(&state).input(&json!({"id": 7})).result(&json!({"Payload": "yes"})).answer();
        assert_eq!(
            answer,
            json!({"status": "SUCCEEDED", "output": "yes!", "nextState": "Ship", "inspectionData": {"input": {"id": 7},
                "afterArguments": {"FunctionName": "f", "Payload": 7}, "result": {"Payload": "yes"}}})
        );
    }

    #[test]
    fn a_failing_expression_can_be_caught() {
        let state = json!({"Type": "Task", "QueryLanguage": "JSONata", "Resource": LAMBDA, "End": true, "Output": "{% $states.result.none %}",
            "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "{% $states.errorOutput.Error %}", "Next": "A"}]});
        let answer = request(&state).result(&json!({})).answer();
        assert_eq!((&answer["status"], &answer["nextState"]), (&json!("CAUGHT_ERROR"), &json!("A")));
        assert_eq!(answer["output"], "States.QueryEvaluationError");
    }

    #[test]
    fn a_map_shows_its_limits() {
        let state = json!({"Type": "Map", "QueryLanguage": "JSONata", "Items": "{% $states.input.items %}", "End": true,
            "ToleratedFailurePercentage": "{% 25 %}", "MaxConcurrency": "{% 3 %}", "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "E", "States": {"E": {"Type": "Pass", "End": true}}}});
        let answer = request(&state).input(&json!({"items": [1, 2]})).result(&json!([1, 2])).answer();
        let seen = json!({"input": {"items": [1, 2]}, "maxConcurrency": 3, "toleratedFailurePercentage": 25.0});
        assert_eq!(answer["inspectionData"], seen);
        assert_eq!(request(&state).input(&json!({"items": "no"})).result(&json!([])).answer()["error"], "States.QueryEvaluationError");
    }
}
