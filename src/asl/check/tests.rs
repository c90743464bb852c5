use super::super::source::Format;
use super::*;

fn verdict_as(definition: &str, machine_type: MachineType) -> Verdict {
    let source = Source::read(definition.as_bytes(), Some(Format::Json)).unwrap_or_else(|error| panic!("{error}: {definition}"));
    check(&source, machine_type)
}

/// `CODE message at /location` of each diagnostic.
fn said_as(definition: &str, machine_type: MachineType) -> Vec<String> {
    let said = verdict_as(definition, machine_type).diagnostics.into_iter().map(|diagnostic| {
        let code = serde_json::to_value(diagnostic.code).expect("a word");
        let location = diagnostic.location.map_or(String::new(), |location| format!(" at {location}"));
        format!("{} {}{location}", code.as_str().expect("a word"), diagnostic.message)
    });
    said.collect()
}

fn said(definition: &str) -> Vec<String> {
    said_as(definition, MachineType::Standard)
}

/// A machine of these states that begins with `S`.
fn machine(states: &str) -> String {
    format!(r#"{{"StartAt": "S", "States": {{{states}}}}}"#)
}

/// A machine of one state `S`, and an `E` that something in it leads to.
fn state(fields: &str) -> String {
    let other = if fields.contains(r#""E""#) { r#", "E": {"Type": "Succeed"}"# } else { "" };
    machine(&format!(r#""S": {{{fields}}}{other}"#))
}

/// The same in a machine whose language is JSONata.
fn query(fields: &str) -> String {
    state(fields).replacen('{', r#"{"QueryLanguage": "JSONata", "#, 1)
}

#[track_caller]
fn valid(definition: &str) {
    assert_eq!(said(definition), [""; 0], "{definition}");
}

#[track_caller]
fn schema(definition: &str, expected: &str) {
    assert_eq!(said(definition), [format!("SCHEMA_VALIDATION_FAILED {expected}")], "{definition}");
}

#[track_caller]
fn warns(definition: &str, code: &str) {
    let verdict = verdict_as(definition, MachineType::Standard);
    assert!(verdict.is_valid(), "{definition}");
    assert!(matches!(said(definition).as_slice(), [only] if only.starts_with(code)), "{definition}: {:?}", said(definition));
}

const LAMBDA: &str = r#""Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true"#;

#[test]
fn what_is_no_object_is_no_definition() {
    assert_eq!(said(""), ["MISSING_DESCRIPTION Definition must be a valid JSON object"]);
    for text in ["[]", "\"a\"", "7", "null", " "] {
        schema(text, "Definition must be a valid JSON object");
    }
}

#[test]
fn a_machine_has_a_start_and_states() {
    schema(r#"{"States": {"A": {"Type": "Succeed"}}}"#, "These fields are required: [StartAt] at /");
    schema("{}", "These fields are required: [StartAt, States] at /");
    schema(&state(r#""Type": "Succeed""#).replacen('{', r#"{"Coment": "x", "#, 1), "Field 'Coment' is not supported at /");
    schema(
        &state(r#""Type": "Succeed""#).replacen('{', r#"{"QueryLanguage": "XPath", "#, 1),
        "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata] at /QueryLanguage",
    );
    valid(&state(r#""Type": "Succeed""#).replacen('{', r#"{"Version": "1.0", "Comment": "", "TimeoutSeconds": 60, "#, 1));
}

#[test]
fn a_state_has_one_of_eight_types() {
    schema(
        &state(r#""Type": "Lambda", "End": true"#),
        "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at /States/S/Type",
    );
    schema(&state(r#""End": true"#), "These fields are required: [Type] at /States/S");
}

#[test]
fn fields_stand_where_the_language_has_them() {
    let bases = [
        ("Pass", r#""End": true"#),
        ("Wait", r#""Seconds": 1, "End": true"#),
        ("Choice", r#""Choices": [{"Variable": "$.a", "IsNull": true, "Next": "E"}]"#),
        ("Succeed", ""),
        ("Fail", ""),
        ("Map", r#""ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}, "End": true"#),
        ("Parallel", r#""Branches": [{"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}], "End": true"#),
    ];
    let fields = [
        ("TimeoutSeconds", "5", ""),
        ("Catch", "[]", "Map Parallel"),
        ("Retry", "[]", "Map Parallel"),
        ("InputPath", "\"$.a\"", "Pass Wait Choice Succeed Map Parallel"),
        ("OutputPath", "null", "Pass Wait Choice Succeed Map Parallel"),
        ("ResultPath", "\"$.a\"", "Pass Map Parallel"),
        ("ResultSelector", "{}", "Map Parallel"),
        ("Parameters", "{}", "Pass Map Parallel"),
        ("Result", "1", "Pass"),
        ("Assign", "{}", "Pass Wait Choice Map Parallel"),
        ("Comment", "\"\"", "Pass Wait Choice Succeed Fail Map Parallel"),
        ("Error", "\"E1\"", "Fail"),
        ("Default", "\"E\"", "Choice"),
        ("MaxConcurrency", "1", "Map"),
    ];
    for (state_type, base) in bases {
        for (field, value, allowed) in fields {
            let base = if base.is_empty() { String::new() } else { format!(", {base}") };
            let definition = state(&format!(r#""Type": "{state_type}"{base}, "{field}": {value}"#));
            let found: Vec<String> = said(&definition).into_iter().filter(|said| !said.contains("not reachable")).collect();
            if allowed.split(' ').any(|known| known == state_type) {
                assert_eq!(found, [""; 0], "{definition}");
            } else {
                assert_eq!(found, [format!("SCHEMA_VALIDATION_FAILED Field '{field}' is not supported at /States/S")], "{definition}");
            }
        }
    }
}

#[test]
fn fields_of_the_other_language_are_told_apart() {
    schema(
        &state(r#""Type": "Pass", "Output": 1, "End": true"#),
        "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/S",
    );
    schema(
        &query(r#""Type": "Pass", "InputPath": "$.a", "End": true"#),
        "The QueryLanguage is set to 'JSONata', but field 'InputPath' is only supported for the 'JSONPath' QueryLanguage at /States/S",
    );
    valid(&state(r#""Type": "Pass", "QueryLanguage": "JSONata", "Output": 1, "End": true"#));
    schema(
        &query(r#""Type": "Pass", "QueryLanguage": "JSONPath", "End": true"#),
        "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/S",
    );
}

#[test]
fn states_inside_of_a_map_take_the_language_of_the_machine() {
    let map = |inner: &str, more: &str| {
        state(&format!(
            r#""Type": "Map", "QueryLanguage": "JSONata", "ItemProcessor": {{{more}"StartAt": "I", "States": {{"I": {{"Type": "Pass", {inner}, "End": true}}}}}}, "End": true"#
        ))
    };
    valid(&map(r#""Parameters": {}"#, ""));
    schema(
        &map(r#""Output": 1"#, ""),
        "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/S/ItemProcessor/States/I",
    );
    schema(
        &map(r#""Comment": """#, r#""QueryLanguage": "JSONata", "#),
        "Field 'QueryLanguage' is not supported at /States/S/ItemProcessor",
    );
}

#[test]
fn a_state_leads_on_or_ends() {
    let nothing =
        machine(r#""S": {"Type": "Pass"}, "E": {"Type": "Succeed"}"#).replace(r#""S": {"#, r#""S": {"Type": "Pass", "Next": "T"}, "T": {"#);
    assert!(said(&nothing).contains(&"SCHEMA_VALIDATION_FAILED One of these fields is required: [Next, End] at /States/T".to_owned()));
    schema(&state(r#""Type": "Pass", "Next": "E", "End": true"#), "Only one of these fields may be given: [Next, End] at /States/S");
    valid(&state(r#""Type": "Pass", "Next": "E", "End": false"#));
}

#[test]
fn transitions_lead_to_states_of_their_own_block() {
    assert_eq!(
        said(&machine(r#""S": {"Type": "Pass", "Next": "Nowhere"}"#)),
        ["MISSING_END_STATE Workflow has no terminal state", "MISSING_TRANSITION_TARGET Missing 'Next' target: Nowhere at /States/S/Next"]
    );
    assert_eq!(
        said(r#"{"StartAt": "Not sure", "States": {"One": {"Type": "Pass", "Next": "Success"}, "Success": {"Type": "Succeed"}}}"#),
        [
            "MISSING_TRANSITION_TARGET Missing 'Next' target: Not sure at /StartAt",
            "MISSING_TRANSITION_TARGET State \"One\" is not reachable. at /States/One"
        ]
    );
    assert_eq!(
        said(&machine(
            r#""S": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "X"}], "Default": "Y"}, "E": {"Type": "Fail"}"#
        )),
        [
            "MISSING_TRANSITION_TARGET Missing 'Next' target: X at /States/S/Choices[0]/Next",
            "MISSING_TRANSITION_TARGET Missing 'Next' target: Y at /States/S/Default",
            "MISSING_TRANSITION_TARGET State \"E\" is not reachable. at /States/E"
        ]
    );
    let out_of_the_branch = state(
        r#""Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "E"}, "C": {"Type": "Succeed"}}}], "Next": "E""#,
    );
    assert!(
        said(&out_of_the_branch)
            .contains(&"MISSING_TRANSITION_TARGET Missing 'Next' target: E at /States/S/Branches[0]/States/B/Next".to_owned())
    );
}

#[test]
fn a_loop_without_a_way_out_is_no_workflow() {
    assert_eq!(
        said(&machine(r#""S": {"Type": "Pass", "Next": "T"}, "T": {"Type": "Pass", "Next": "S"}, "U": {"Type": "Pass", "Next": "S"}"#)),
        ["MISSING_END_STATE Workflow has no terminal state"]
    );
    assert_eq!(
        said(&machine(r#""S": {"Type": "Pass", "Next": "T"}, "T": {"Type": "Pass", "Next": "S"}, "C": {"Type": "Pass", "End": true}"#)),
        ["MISSING_TRANSITION_TARGET State \"C\" is not reachable. at /States/C"]
    );
}

#[test]
fn names_are_taken_once_in_the_whole_machine() {
    let twice = state(r#""Type": "Parallel", "Branches": [{"StartAt": "E", "States": {"E": {"Type": "Succeed"}}}], "Next": "E""#);
    assert_eq!(
        said(&twice),
        ["DUPLICATE_STATE_NAME Duplicate State name: E; it stands first at /States/E at /States/S/Branches[0]/States/E"]
    );
    let same_object = r#"{"StartAt": "S", "States": {"S": {"Type": "Succeed"}, "S": {"Type": "Succeed"}}}"#;
    assert_eq!(said(same_object), ["INVALID_JSON_DESCRIPTION Duplicate field 'S'"]);
    let long = state(r#""Type": "Succeed""#).replace("\"S\"", &format!("\"{}\"", "é".repeat(81)));
    assert!(said(&long)[0].starts_with("INVALID_STATE_NAME"), "{:?}", said(&long));
    valid(&state(r#""Type": "Succeed""#).replace("\"S\"", &format!("\"{}\"", "é".repeat(80))));
}

#[test]
fn resources_are_what_the_service_can_call() {
    let task = |resource: &str| state(&format!(r#""Type": "Task", "Resource": "{resource}", "End": true"#));
    for known in [
        "arn:aws:lambda:us-east-1:111111111111:function:f:live",
        "arn:aws-cn:states:cn-north-1:111111111111:activity:a",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:::ecs:runTask.sync",
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws:states:::aws-sdk:s3:listBuckets.waitForTaskToken",
        "arn:aws:states:us-east-1:111111111111:aws-sdk:sfn:startExecution",
        "${ChargeFunctionArn}",
        "arn:${AWS::Partition}:states:::lambda:invoke",
    ] {
        valid(&task(known));
    }
    for unknown in [
        "arn:aws:states:::dynamodb:query",
        "arn:aws:states:::lambda:invoke.sync",
        "arn:aws:states:::ecs:runTask.sync:2",
        "arn:aws:states:::aws-sdk:s3:listBuckets.sync",
        "arn:aws:states:::aws-sdk:S3:ListBuckets",
        "arn:aws:states:::nosuch:thing",
        "charge",
        "{% $fn %}",
    ] {
        let reason = "is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.";
        schema(&task(unknown), &format!("The resource provided {unknown} {reason} at /States/S/Resource"));
    }
    warns(&task("foo:bar"), "INVALID_RESOURCE");
    schema(&state(r#""Type": "Task", "End": true"#), "These fields are required: [Resource] at /States/S");
}

#[test]
fn express_machines_wait_for_nobody() {
    for (resource, message) in [
        ("arn:aws:states:us-east-1:111111111111:activity:a", "Express state machine does not support Activity ARN"),
        ("arn:aws:states:::states:startExecution.sync", "Express state machine does not support '.sync' service integration"),
        ("arn:aws:states:::states:startExecution.sync:2", "Express state machine does not support '.sync' service integration"),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Express state machine does not support '.waitForTaskToken' service integration",
        ),
    ] {
        let definition = state(&format!(r#""Type": "Task", "Resource": "{resource}", "End": true"#));
        valid(&definition);
        assert_eq!(
            said_as(&definition, MachineType::Express),
            [format!("SCHEMA_VALIDATION_FAILED {message} at /States/S/Resource")],
            "{resource}"
        );
    }
}

#[test]
fn tasks_have_sound_times_and_credentials() {
    let task = |more: &str| state(&format!("{LAMBDA}, {more}"));
    valid(&task(r#""TimeoutSeconds": 60, "HeartbeatSeconds": 59"#));
    schema(
        &task(r#""TimeoutSeconds": 60, "HeartbeatSeconds": 60"#),
        "HeartbeatSeconds must be smaller than TimeoutSeconds, and 60 is not smaller than 60 at /States/S/HeartbeatSeconds",
    );
    schema(
        &task(r#""TimeoutSeconds": 0"#),
        "The value of 'TimeoutSeconds' must be from 1 to 99999998, and this is 0 at /States/S/TimeoutSeconds",
    );
    schema(
        &task(r#""TimeoutSeconds": 6, "TimeoutSecondsPath": "$.t""#),
        "Only one of these fields may be given: [TimeoutSeconds, TimeoutSecondsPath] at /States/S",
    );
    schema(&task(r#""Credentials": {"InvalidField": "x"}"#), "The field 'RoleArn' is required but was missing at /States/S/Credentials");
    schema(&task(r#""Credentials": "x""#), "Expected value of type Object, and this is String at /States/S/Credentials");
    valid(&task(r#""Credentials": {"RoleArn.$": "$.role"}"#));
    valid(&query(&format!(r#"{LAMBDA}, "Credentials": {{"RoleArn": "{{% $states.input.role %}}"}}, "TimeoutSeconds": "{{% 60 %}}""#)));
    valid(&task(r#""TimeoutSeconds": "${Timeout}""#));
}

#[test]
fn a_wait_waits_for_one_thing() {
    let wait = |more: &str| state(&format!(r#""Type": "Wait", "End": true{more}"#));
    let all = "[Seconds, SecondsPath, Timestamp, TimestampPath]";
    schema(&wait(""), &format!("One of these fields is required: {all} at /States/S"));
    schema(&wait(r#", "Seconds": 1, "SecondsPath": "$.s""#), "Only one of these fields may be given: [Seconds, SecondsPath] at /States/S");
    for good in ["2016-03-14T01:59:00Z", "2016-03-14T01:59:00.123456789+01:00"] {
        valid(&wait(&format!(r#", "Timestamp": "{good}""#)));
    }
    for bad in
        ["2016-13-05T21:29:29Z", "2016-12-05T25:29:29Z", "2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-12-05t21:29:29z", "soon"]
    {
        schema(&wait(&format!(r#", "Timestamp": "{bad}""#)), "String does not match RFC3339 timestamp at /States/S/Timestamp");
    }
    valid(&query(r#""Type": "Wait", "Timestamp": "{% $now() %}", "End": true"#));
}

#[test]
fn a_fail_names_its_error_one_way() {
    schema(
        &state(r#""Type": "Fail", "Error": "A", "ErrorPath": "$.e""#),
        "Only one of these fields may be given: [Error, ErrorPath] at /States/S",
    );
    valid(&state(r#""Type": "Fail", "ErrorPath": "States.Format('{}', $.e)", "CausePath": "$$.Execution.Id""#));
    schema(
        &state(r#""Type": "Fail", "CausePath": "States.MathAdd(1, 2)""#),
        "The value for the field 'CausePath' must be a valid JSONPath or a valid intrinsic function call at /States/S/CausePath",
    );
    warns(&state(r#""Type": "Fail", "Cause": "$.cause""#), "NO_PATH");
    schema(
        &query(r#""Type": "Fail", "CausePath": "$.c""#),
        "The QueryLanguage is set to 'JSONata', but field 'CausePath' is only supported for the 'JSONPath' QueryLanguage at /States/S",
    );
}

#[test]
fn paths_are_paths() {
    let pass = |field: &str, value: &str| state(&format!(r#""Type": "Pass", "{field}": {value}, "End": true"#));
    for (field, value) in [
        ("InputPath", r#""$$.Execution.Input""#),
        ("InputPath", r#""$variable.a""#),
        ("OutputPath", "null"),
        ("ResultPath", "null"),
        ("ResultPath", r#""$.a['b c'][0]""#),
    ] {
        valid(&pass(field, value));
    }
    for (field, value, message) in [
        ("InputPath", "7", "Value is not a valid JSONPath: expected String, and this is Number"),
        ("InputPath", r#""a.b""#, "Value is not a valid JSONPath: 'a.b'"),
        ("InputPath", r#""States.UUID()""#, "Value is not a valid JSONPath: 'States.UUID()'"),
        ("OutputPath", r#""$$23""#, "Value is not a valid JSONPath: '$$23'"),
        ("ResultPath", r#""$$.Execution""#, "Value is not a Reference Path: '$$.Execution'"),
        ("ResultPath", r#""$variable""#, "Value is not a Reference Path: '$variable'"),
        ("ResultPath", r#""$.a[*]""#, "Value is not a Reference Path: '$.a[*]'"),
        ("ResultPath", r#""$..a""#, "Value is not a Reference Path: '$..a'"),
    ] {
        schema(&pass(field, value), &format!("{message} at /States/S/{field}"));
    }
}

#[test]
fn templates_hold_paths_where_their_names_end_in_a_dollar() {
    let pass = |template: &str| state(&format!(r#""Type": "Pass", "Parameters": {template}, "End": true"#));
    valid(&pass(r#"{"a.$": "$.a", "b": {"c.$": "$$", "d": [{"e.$": "States.Array($.x, 'y', 2)"}]}, "f": 7, "g.$": "$v"}"#));
    valid(&pass(r#""text""#));
    let refused = "must be a valid JSONPath or a valid intrinsic function call at /States/S/Parameters";
    for value in ["7", r#""7""#, r#""$$7""#, r#"" $.a""#, r#""States.Xyz($.a)""#, r#""States.Format('\\\"')""#, "[1]", "{}"] {
        schema(&pass(&format!(r#"{{"a.$": {value}}}"#)), &format!("The value for the field 'a.$' {refused}"));
    }
    schema(
        &pass(r#"{"a": [{"b.$": 1}]}"#),
        "The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call at /States/S/Parameters/a[0]",
    );
    warns(&pass(r#"{"a": "$.b"}"#), "NO_DOLLAR");
    warns(&state(r#""Type": "Pass", "Result": {"a.$": "$.b"}, "End": true"#), "PASS_RESULT_IS_STATIC");
}

#[test]
fn expressions_of_jsonata_are_read() {
    let pass = |output: &str| query(&format!(r#""Type": "Pass", "Output": {{"v": "{output}"}}, "End": true"#));
    for good in
        ["{% $states.input.a[b > 1] %}", "plain", "{% $uuid() & $partition([1], 1) %}", "{%$v%}", "${Bucket}", "{% ${Number} + 1 %}"]
    {
        valid(&pass(good));
    }
    for (bad, code) in [
        ("{% 1 + %}", "INVALID_JSONATA_EXPRESSION"),
        ("{% 1 ", "INVALID_JSONATA_EXPRESSION"),
        (" {% 1 %}", "INVALID_JSONATA_EXPRESSION"),
        ("{% phone %}", "UNSUPPORTED_JSONATA_EXPRESSION Reference to 'phone' at the top level is not supported."),
        ("{% $$ %}", "UNSUPPORTED_JSONATA_EXPRESSION"),
        ("{% $states.result %}", "UNSUPPORTED_JSONATA_EXPRESSION"),
        ("{% $states.errorOutput %}", "UNSUPPORTED_JSONATA_EXPRESSION"),
    ] {
        let found = said(&pass(bad));
        assert!(
            matches!(found.as_slice(), [only] if only.starts_with(code) && only.ends_with("at /States/S/Output/v")),
            "{bad}: {found:?}"
        );
    }
    let catch = r#""Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Assign": {"e": "{% $states.errorOutput.Error %}"}, "Next": "E"}]"#;
    valid(&query(&format!(r#"{LAMBDA}, "Output": "{{% $states.result %}}", {catch}"#)));
    let early = said(&query(&format!(r#"{LAMBDA}, "Arguments": "{{% $states.result %}}""#)));
    assert!(early[0].ends_with("at /States/S/Arguments"), "{early:?}");
}

#[test]
fn a_choice_has_rules_with_one_comparison_each() {
    let choice = |rule: &str| {
        state(&format!(r#""Type": "Choice", "Choices": [{rule}]"#)).replace("}}}", r#"}, "E": {"Type": "Fail"}}}"#).replacen(
            r#", "E": {"Type": "Succeed"}"#,
            "",
            1,
        )
    };
    valid(&choice(r#"{"Variable": "$.a", "StringMatches": "x*", "Next": "E", "Assign": {"v.$": "$.a"}, "Comment": ""}"#));
    valid(&choice(
        r#"{"And": [{"Variable": "$.a", "NumericLessThanPath": "$$.b"}, {"Not": {"Variable": "$v", "IsPresent": true}}], "Next": "E"}"#,
    ));
    for (rule, message) in [
        (
            r#"{"Variable": "$.a", "Next": "E"}"#,
            "A rule has one comparison, or one of And, Or and Not, and this has none at /States/S/Choices[0]",
        ),
        (r#"{"IsNull": true, "Next": "E"}"#, "These fields are required: [Variable] at /States/S/Choices[0]"),
        (
            r#"{"Variable": "$.a", "IsNull": true, "IsString": true, "Next": "E"}"#,
            "A rule has one comparison, and this has 2: [IsNull, IsString] at /States/S/Choices[0]",
        ),
        (
            r#"{"Variable": "$.a", "NumericEquals": "1", "Next": "E"}"#,
            "Expected value of type Number, and this is String at /States/S/Choices[0]/NumericEquals",
        ),
        (r#"{"Variable": "$.a", "Equals": 1, "IsNull": true, "Next": "E"}"#, "Field 'Equals' is not supported at /States/S/Choices[0]"),
        (
            r#"{"And": [{"Variable": "$.a", "IsNull": true, "Next": "E"}], "Next": "E"}"#,
            "Field 'Next' is not supported at /States/S/Choices[0]/And[0]",
        ),
        (r#"{"Or": [], "Next": "E"}"#, "The field 'Or' must not be empty at /States/S/Choices[0]/Or"),
        (
            r#"{"Variable": "$.a", "TimestampEquals": "today", "Next": "E"}"#,
            "String does not match RFC3339 timestamp at /States/S/Choices[0]/TimestampEquals",
        ),
        (
            r#"{"Condition": true, "Next": "E", "Variable": "$.a", "IsNull": true}"#,
            "The QueryLanguage is set to 'JSONPath', but field 'Condition' is only supported for the 'JSONata' QueryLanguage at /States/S/Choices[0]",
        ),
    ] {
        schema(&choice(rule), message);
    }
    schema(
        &machine(r#""S": {"Type": "Choice", "Choices": [], "Default": "E"}, "E": {"Type": "Fail"}"#),
        "The field 'Choices' must not be empty at /States/S/Choices",
    );
    let jsonata = |rule: &str| query(&format!(r#""Type": "Choice", "Choices": [{rule}], "Default": "E""#));
    valid(&jsonata(r#"{"Condition": "{% $states.input.a %}", "Output": 1, "Next": "E"}"#));
    valid(&jsonata(r#"{"Condition": true, "Next": "E"}"#));
    schema(
        &jsonata(r#"{"Condition": "yes", "Next": "E"}"#),
        "Expected value of type Boolean, and this is String at /States/S/Choices[0]/Condition",
    );
    schema(&jsonata(r#"{"Next": "E"}"#), "These fields are required: [Condition] at /States/S/Choices[0]");
}

#[test]
fn handlers_name_errors_and_states_all_stands_last_and_alone() {
    let task = |handlers: &str| state(&format!("{LAMBDA}, {handlers}"));
    valid(&task(
        r#""Retry": [{"ErrorEquals": ["A", "B"], "BackoffRate": 1.5, "MaxAttempts": 0, "JitterStrategy": "FULL", "MaxDelaySeconds": 5}, {"ErrorEquals": ["States.ALL"]}]"#,
    ));
    let all = "States.ALL can only appear in the last element, and by itself";
    for (handlers, message) in [
        (r#""Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]"#, format!("{all} at /States/S/Retry[0]/ErrorEquals[0]")),
        (r#""Retry": [{"ErrorEquals": ["A", "States.ALL"]}]"#, format!("{all} at /States/S/Retry[0]/ErrorEquals[1]")),
        (r#""Retry": [{"ErrorEquals": []}]"#, "The field 'ErrorEquals' must not be empty at /States/S/Retry[0]/ErrorEquals".to_owned()),
        (r#""Retry": [{}]"#, "These fields are required: [ErrorEquals] at /States/S/Retry[0]".to_owned()),
        (
            r#""Retry": [{"ErrorEquals": ["A"], "BackoffRate": 0.5}]"#,
            "The value of 'BackoffRate' must be at least 1, and this is 0.5 at /States/S/Retry[0]/BackoffRate".to_owned(),
        ),
        (
            r#""Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 1.5}]"#,
            "Expected value of type Integer, and this is 1.5 at /States/S/Retry[0]/IntervalSeconds".to_owned(),
        ),
        (
            r#""Retry": [{"ErrorEquals": ["A"], "JitterStrategy": "PARTIAL"}]"#,
            "The field 'JitterStrategy' should have one of these values: [FULL, NONE] at /States/S/Retry[0]/JitterStrategy".to_owned(),
        ),
        (r#""Catch": [{"ErrorEquals": ["A"]}]"#, "These fields are required: [Next] at /States/S/Catch[0]".to_owned()),
        (r#""Catch": {}"#, "Expected value of type Array, and this is Object at /States/S/Catch".to_owned()),
    ] {
        schema(&task(handlers), &message);
    }
    warns(&task(r#""Retry": [{"ErrorEquals": ["States.TimeOut"]}]"#), "RESERVED_ERROR_NAME");
}

#[test]
fn variables_have_names_and_scopes() {
    let pass = |assign: &str| state(&format!(r#""Type": "Pass", "Assign": {assign}, "End": true"#));
    valid(&pass(r#"{"größe": 1, "b.$": "$.b"}"#));
    for bad in ["states", "a.b", "1a", "", &"a".repeat(81)] {
        let found = said(&pass(&format!(r#"{{"{bad}": 1}}"#)));
        assert!(matches!(found.as_slice(), [only] if only.ends_with("at /States/S/Assign")), "{bad}: {found:?}");
    }
    let parallel = |own: &str, first: &str| {
        machine(&format!(
            r#""S": {{"Type": "Pass", "Assign": {{"{first}": 1}}, "Next": "P"}}, "P": {{"Type": "Parallel", {own}"Branches": [{{"StartAt": "B", "States": {{"B": {{"Type": "Pass", "Assign": {{"x": 1}}, "End": true}}}}}}], "End": true}}"#
        ))
    };
    valid(&parallel("", "y"));
    valid(&parallel(r#""Assign": {"x": 2}, "#, "y"));
    schema(
        &parallel("", "x"),
        "Variable 'x' is assigned in an outer scope, and may not be assigned again in an inner one at /States/P/Branches[0]/States/B/Assign",
    );
    assert!(!verdict_as(&parallel(r#""Assign": {"x": 2}, "#, "x"), MachineType::Standard).is_valid());
}

fn distributed(more: &str, config: &str) -> String {
    state(&format!(
        r#""Type": "Map", "ItemProcessor": {{"ProcessorConfig": {{"Mode": "DISTRIBUTED"{config}}}, "StartAt": "I", "States": {{"I": {{"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true}}}}}}, "End": true{more}"#
    ))
}

#[test]
fn a_map_has_one_processor() {
    let processor = r#"{"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}"#;
    schema(&state(r#""Type": "Map", "End": true"#), "One of these fields is required: [ItemProcessor, Iterator] at /States/S");
    assert!(!said(&state(&format!(r#""Type": "Map", "ItemProcessor": {processor}, "Iterator": {processor}, "End": true"#))).is_empty());
    schema(
        &state(&format!(r#""Type": "Map", "ItemProcessor": {processor}, "ItemsPath": null, "End": true"#)),
        "Value is not a valid JSONPath: expected String, and this is Null at /States/S/ItemsPath",
    );
    schema(
        &state(&format!(r#""Type": "Map", "ItemProcessor": {processor}, "Label": "a", "End": true"#)),
        "Field 'Label' is only supported in a Map whose Mode is 'DISTRIBUTED' at /States/S",
    );
}

#[test]
fn a_distributed_map_has_fields_of_its_own() {
    let standard = r#", "ExecutionType": "STANDARD""#;
    valid(&distributed(
        r#", "Label": "rows", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {}, "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItemsPath": "$.n"}}, "ItemBatcher": {"MaxItemsPerBatch": 5}, "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {}}, "ToleratedFailurePercentage": 12.5"#,
        standard,
    ));
    schema(&distributed("", ""), "These fields are required: [ExecutionType] at /States/S/ItemProcessor/ProcessorConfig");
    schema(
        &distributed("", r#", "ExecutionType": "EXPRESS""#),
        "Express state machine does not support '.waitForTaskToken' service integration at /States/S/ItemProcessor/States/I/Resource",
    );
    assert!(!verdict_as(&distributed("", standard), MachineType::Express).is_valid());
    schema(
        &distributed(r#", "ToleratedFailurePercentage": 101"#, standard),
        "The value of 'ToleratedFailurePercentage' must be from 0 to 100, and this is 101 at /States/S/ToleratedFailurePercentage",
    );
    schema(
        &distributed(
            r#", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}}"#,
            standard,
        ),
        "These fields are required: [CSVHeaders] at /States/S/ItemReader/ReaderConfig",
    );
    for (label, message) in [
        ("", "Label cannot be empty"),
        ("a b", "Label contains invalid character: ' '"),
        ("a:b", "Label contains invalid character: ':'"),
        ("a\\u0099", "Label contains invalid character: '\\u{99}'"),
        (&"l".repeat(41), "Label cannot exceed 40 characters, and this has 41"),
    ] {
        let definition = distributed(&format!(r#", "Label": "{label}""#), standard);
        assert_eq!(said(&definition), [format!("INVALID_LABEL_NAME {message} at /States/S/Label")]);
    }
    valid(&distributed(&format!(r#", "Label": "{}""#, "é".repeat(40)), standard));
}

#[test]
fn of_very_many_diagnostics_the_first_are_given() {
    let states: Vec<String> = (0..500).map(|number| format!(r#""{number}": {{"Type": "Pass", "Next": "S", "Colour": 1}}"#)).collect();
    let definition = machine(&format!(r#""S": {{"Type": "Fail"}}, {}"#, states.join(", ")));
    let verdict = verdict_as(&definition, MachineType::Standard);
    assert_eq!(verdict.diagnostics.len(), MOST_DIAGNOSTICS);
    assert!(verdict.truncated && !verdict.is_valid());
    let warnings = vec![r#"{"a": "$.b"}"#; 200].join(", ");
    let definition = state(&format!(r#""Type": "Pass", "Parameters": [{warnings}], "ResultPath": 7, "End": true"#));
    assert!(!verdict_as(&definition, MachineType::Standard).is_valid(), "an error after many warnings is told");
}

#[test]
fn diagnostics_point_at_what_they_are_about() {
    let source = Source::read(b"{\n \"StartAt\": \"S\",\n \"States\": {\n  \"S\": {\"Type\": \"Succeed\",\n   \"Colour\": 1}}}", None)
        .expect("JSON");
    let [diagnostic] = check(&source, MachineType::Standard).diagnostics.try_into().expect("one");
    assert_eq!((diagnostic.line, diagnostic.column, diagnostic.width), (5, 4, 8));
    assert_eq!(diagnostic.pointer, "/States/S");
}
