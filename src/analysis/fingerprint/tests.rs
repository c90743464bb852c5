use proptest::prelude::*;
use serde_json::json;

use super::template::{Names, document, message};
use super::*;

fn shown(text: &str) -> String {
    message(text, Names::Values).shown().to_owned()
}

fn failure<'a>(error: &'a str, cause: &'a str) -> FailureFacts<'a> {
    FailureFacts {
        root_state: Some("Charge"),
        root_error: Some(error),
        root_cause: Some(cause),
        kind: "task_failed",
        ..FailureFacts::default()
    }
}

const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";

fn id_of(error: &str, cause: &str) -> String {
    of_failure(Some(MACHINE), &failure(error, cause)).0.id
}

#[test]
fn each_kind_of_value_leaves_its_mark() {
    let cases = [
        ("order line 28 has no price", "order line <num> has no price"),
        ("balance is -12.50 of 1,234.00", "balance is <num> of <num>"),
        ("cart b0fb553a is gone", "cart <id> is gone"),
        ("order 6fd736c1-ff96-4c5f-a972-ade9031f27c9 not found", "order <uuid> not found"),
        ("issuer declined transaction 2a5cc178-8172 with code 54", "issuer declined transaction <id> with code <num>"),
        ("ord-49861825 refused by approver-14", "ord-<num> refused by approver-<num>"),
        ("could not parse coupon C513817", "could not parse coupon <id>"),
        ("connect ECONNREFUSED 10.0.12.163:8443", "connect ECONNREFUSED <ip>"),
        ("connect ETIMEDOUT 2001:db8::7", "connect ETIMEDOUT <ip>"),
        ("no route to https://api.example.com/v2/orders?id=7, giving up", "no route to <url>, giving up"),
        ("cannot read s3://bucket/key.csv", "cannot read <url>"),
        ("open /var/task/data/7.json: no such file", "open <path>: no such file"),
        ("in/2026/07/orders.csv is empty", "<path> is empty"),
        ("role arn:aws:iam::111111111111:role/pay may not", "role <arn> may not"),
        ("mail to ana@example.com bounced", "mail to <email> bounced"),
        ("expired at 2026-06-21T13:10:47.065Z", "expired at <time>"),
        ("expired at 2026-06-21 13:10:47", "expired at <time>"),
        ("not after Fri, 21 Nov 2026 08:00:01 GMT", "not after <time>"),
        ("timed out after 30948 ms", "timed out after <num> ms"),
        ("timed out after 2.5s", "timed out after <duration>"),
        ("took 1h30m, limit 64MB", "took <duration>, limit <size>"),
        ("user 'alice' does not exist", "user <quoted> does not exist"),
        ("relation \"orders 7\" does not exist", "relation <quoted> does not exist"),
        ("no price in {\"order\": {\"id\": 7}}", "no price in <json>"),
        ("bad input '{\"it\": \"isn't\"}' given", "bad input <json> given"),
        ("postal code 66886 is unknown in country FR", "postal code <num> is unknown in country <country>"),
        ("cannot pay in JPY", "cannot pay in <currency>"),
        ("missing ids: 1, 2 and 3", "missing ids: <num>"),
        ("key AKIAabcdefgh1234567890 is unknown", "key <id> is unknown"),
        ("shard12 of db-3 is down", "shard<num> of db-<num> is down"),
        ("state=PENDING id=7", "state=PENDING id=<num>"),
        ("  spread\n over  lines ", "spread over lines"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn words_stay() {
    for text in [
        "connect ECONNRESET",
        "don't panic, it's fine",
        "S3 is not EC2",
        "SHA256 and UTF8 over HTTP2",
        "text/html and/or application/json",
        "IO ERROR ON DB IN US",
        "Internal server error",
        "",
        "Bestellung nicht gefunden: größer als erlaubt",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn messages_that_differ_in_values_fall_together() {
    let together = [
        ("cart b0fb553a is gone", "cart 12345678 is gone"),
        ("declined transaction 2a5cc178-8172", "declined transaction 25d0e77c-abcd"),
        ("declined transaction 67b74559-e4d4", "declined transaction 93215512-7314"),
        ("waited 500ms", "waited 1.25s"),
        ("missing: 'a', 'b'", "missing: 'c'"),
        ("订单12345不存在", "订单678不存在"),
        ("user \u{201c}Zoë\u{201d} is unknown", "user \u{201c}Bob\u{201d} is unknown"),
        ("rows 1 to 10 of a.csv", "rows 11 to 20 of a.csv"),
        ("ip-10-0-12-5.internal refused", "ip-10-0-3-77.internal refused"),
        ("payload [1, 2] refused", "payload [3] refused"),
    ];
    for (one, other) in together {
        assert_eq!(message(one, Names::Values).canonical(), message(other, Names::Values).canonical(), "{one} / {other}");
    }
}

#[test]
fn messages_that_differ_in_a_word_stay_apart() {
    let apart = [
        ("connect ECONNREFUSED 10.0.12.163:8443", "connect ECONNRESET 10.0.12.163:8443"),
        ("order 7 has no price", "order 7 has no weight"),
        ("S3 is slow", "EC2 is slow"),
        ("cannot read 7", "cannot write 7"),
        ("订单12345不存在", "订单12345已存在"),
    ];
    for (one, other) in apart {
        assert_ne!(id_of("Oops", one), id_of("Oops", other), "{one} / {other}");
    }
}

#[test]
fn a_quoted_name_of_a_program_is_a_name() {
    let lambda = |message: &str| json!({"errorType": "KeyError", "errorMessage": message, "requestId": "r"}).to_string();
    assert_ne!(id_of("KeyError", &lambda("'taxRegion'")), id_of("KeyError", &lambda("'price'")));
    assert_eq!(id_of("KeyError", &lambda("'ord-4711'")), id_of("KeyError", &lambda("'ord-4712'")));
    assert_eq!(id_of("KeyError", &lambda("'Ana Lee'")), id_of("KeyError", &lambda("'Bo Li'")));
}

#[test]
fn what_the_service_quotes_from_a_definition_stays_and_its_input_goes() {
    let cause = |path: &str, order: u32| {
        format!(
            "An error occurred while executing the state 'Charge' (entered at the event id #{order}). The JSONPath '{path}' specified for \
             the field 'amount.$' could not be found in the input '{{\"order\": {order}, \"note\": \"it's\"}}'"
        )
    };
    assert_eq!(id_of("States.Runtime", &cause("$.a.b", 7)), id_of("States.Runtime", &cause("$.a.b", 81)));
    assert_ne!(id_of("States.Runtime", &cause("$.a.b", 7)), id_of("States.Runtime", &cause("$.a.c", 7)));
    let text = of_failure(None, &failure("States.Runtime", &cause("$.a.b", 7))).0.parts.message;
    assert_eq!(text.shown(), "The JSONPath '$.a.b' specified for the field 'amount.$' could not be found in the input <json>");
}

#[test]
fn a_function_is_known_by_type_message_and_frames_and_not_by_lines() {
    let cause = |line: u32, function: &str| {
        json!({
            "errorType": "InvalidOrder", "errorMessage": format!("order line {line} has no price"), "requestId": format!("r-{line}"),
            "stackTrace": [
                "  File \"/var/lang/lib/python3.12/site-packages/app.py\", line 3, in wrap\n",
                "  File \"/var/task/app/main.py\", line 3, in handler\n",
                format!("  File \"/var/task/app/check.py\", line {line}, in {function}\n    return 1\n"),
            ]
        })
        .to_string()
    };
    assert_eq!(id_of("InvalidOrder", &cause(7, "check")), id_of("InvalidOrder", &cause(8, "check")));
    assert_ne!(id_of("InvalidOrder", &cause(7, "check")), id_of("InvalidOrder", &cause(7, "validate")));
    let parts = of_failure(None, &failure("InvalidOrder", &cause(7, "check"))).0.parts;
    assert_eq!(parts.frames, ["app/check.py check", "app/main.py handler"]);
}

#[test]
fn frames_of_every_runtime_lose_their_lines() {
    let frames = |lines: &[&str]| frames::of_application(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), 2);
    let cases: [(&[&str], &[&str]); 8] = [
        (
            &["at async charge (/var/task/src/pay.js:12:11)", "at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)"],
            &["src/pay.js charge"],
        ),
        (&["at /var/task/index.js:4:9", "at process.processTicks (node:internal/process/task_queues:95:5)"], &["index.js"]),
        (
            &[
                "java.base/java.util.Optional.orElseThrow(Optional.java:403)",
                "com.example.Pay.lambda$charge$0(Pay.java:15)",
                "com.example.Handler.handleRequest(Handler.java:9)",
            ],
            &["Pay.java com.example.Pay.lambda$charge$#", "Handler.java com.example.Handler.handleRequest"],
        ),
        (
            &["at Example.Pay.Charge(String id) in /src/Pay.cs:line 42", "at lambda_method1(Closure , Stream , Stream )"],
            &["Pay.cs Example.Pay.Charge"],
        ),
        (&["github.com/example/pay/charge.go:12 charge", "runtime/panic.go:770 runtime.gopanic"], &["charge.go charge"]),
        (&["/var/task/pay.rb:5:in `charge'", "/var/lang/lib/ruby/gems/3.2.0/x.rb:1:in 'call'"], &["pay.rb charge"]),
        (&["File \"/var/runtime/bootstrap.py\", line 1, in main"], &["bootstrap.py main"]),
        (
            &["File \"/var/task/a.py\", line 9, in f", "File \"/var/task/a.py\", line 9, in f", "File \"/var/task/a.py\", line 2, in g"],
            &["a.py f", "a.py g"],
        ),
    ];
    for (lines, expected) in cases {
        assert_eq!(frames(lines), expected, "{lines:?}");
    }
}

#[test]
fn services_are_known_by_status_and_code_and_not_by_the_request() {
    let dynamo = |status: u16, request: &str| {
        format!(
            "Internal server error (Service: AmazonDynamoDBv2; Status Code: {status}; Error Code: X; Request ID: {request}; Proxy: null)"
        )
    };
    assert_eq!(id_of("DynamoDB.X", &dynamo(500, "40404A0B1D4E4886A5E21C27DA")), id_of("DynamoDB.X", &dynamo(500, "E82C275EE3AC48CBAD8F")));
    assert_ne!(id_of("DynamoDB.X", &dynamo(500, "A")), id_of("DynamoDB.X", &dynamo(503, "A")));
}

#[test]
fn a_quoted_child_is_known_by_its_machine_and_its_own_failure() {
    let cause = |name: &str, machine: &str, inner: &str| {
        json!({"Cause": inner, "Error": "PaymentFailed", "Status": "FAILED", "Input": format!("{{\"order\": \"{name}\"}}"),
            "ExecutionArn": format!("arn:aws:states:eu-west-1:111111111111:execution:{machine}:{name}")})
        .to_string()
    };
    let id = |name, machine, inner| id_of("States.TaskFailed", &cause(name, machine, inner));
    assert_eq!(id("a", "Payments", "card 17 declined"), id("b", "Payments", "card 4 declined"));
    assert_ne!(id("a", "Payments", "card 17 declined"), id("a", "Refunds", "card 17 declined"));
    assert_ne!(id("a", "Payments", "card 17 declined"), id("a", "Payments", "card 17 stolen"));
}

#[test]
fn a_stop_a_time_limit_and_a_failure_without_words_are_three_things() {
    let of = |kind| of_failure(Some(MACHINE), &FailureFacts { root_state: Some("Wait"), kind, ..FailureFacts::default() }).0.id;
    assert_ne!(of("aborted"), of("execution_timed_out"));
    assert_ne!(of("aborted"), of("task_failed"));
    assert_eq!(of("task_timed_out"), of("heartbeat_timed_out"), "an age alone does not tell them apart for sure");
}

#[test]
fn ids_in_names_of_errors_go_and_status_codes_stay() {
    assert_eq!(id_of("NotFound-8812437", "x"), id_of("NotFound-8812438", "x"));
    assert_ne!(id_of("States.Http.StatusCode.404", "x"), id_of("States.Http.StatusCode.500", "x"));
}

#[test]
fn json_of_no_known_form_is_known_by_its_members() {
    let template = |text: &str| document(text, Names::Values).shown().to_owned();
    assert_eq!(template(r#"{"b": [1, 2], "a": {"id": "ord-7", "ok": false}}"#), "{a: {id: ord-<num>, ok: false}, b: <num>}");
    assert_eq!(template(r#"{"a": {"id": "ord-81", "ok": false}, "b": [3]}"#), "{a: {id: ord-<num>, ok: false}, b: <num>}");
    assert_eq!(template("{\"cut\": \"of"), "<json>");
}

#[test]
fn a_fingerprint_has_a_version_and_never_changes() {
    assert_eq!(id_of("UpstreamTimeout", "upstream did not answer within 2979 ms"), "1:45f19604b1a5");
    assert_eq!(of_failure(None, &FailureFacts::default()).0.id, "1:99ebc3bc3800");
}

#[test]
fn a_huge_message_is_cut_and_taken_for_what_it_begins_with() {
    let long = |number: u32| format!("row {number} is bad. {}", "more words ü ".repeat(100_000 / 13));
    let template = message(&long(1), Names::Values);
    assert!(template.shown().len() < 10_000);
    assert_eq!(template, message(&long(2), Names::Values));
    let nested = "[".repeat(100_000);
    assert!(document(&nested, Names::Values).shown().len() < 10_000);
}

#[test]
fn one_more_value_can_be_taken_out() {
    let template = message("region berlin refused 7 orders", Names::Values);
    let merged = template.without_word(1);
    assert_eq!((merged.shown(), merged.canonical()), ("region <word> refused <num> orders", "region <*> refused <*> orders"));
}

proptest! {
    #[test]
    fn any_text_has_a_template(text in any::<String>()) {
        let template = message(&text, Names::Values);
        prop_assert!(template.shown().len() <= text.len() * 12 + 16);
        prop_assert_eq!(template.shown().split(' ').count(), template.canonical().split(' ').count());
        message(&text, Names::Names);
        document(&text, Names::Values);
    }

    #[test]
    fn awkward_text_has_a_template(text in "[a-f0-9 '\"{}\\[\\]$./:@,_=üÄ\\\\-]{0,60}") {
        let template = message(&text, Names::Names);
        prop_assert_eq!(template.shown().split(' ').count(), template.canonical().split(' ').count());
        frames::of_application(&[text], 2);
    }

    #[test]
    fn any_two_hexadecimal_ids_fall_together(one in "[0-9a-f]{8}", other in "[0-9a-f]{8}-[0-9a-f]{4}") {
        prop_assume!([&one, &other].iter().all(|id| id.bytes().take(8).any(|byte| byte.is_ascii_digit())));
        let template = |id: &str| message(&format!("cart {id} is gone"), Names::Values).canonical().to_owned();
        prop_assert_eq!(template(&one), "cart <*> is gone");
        prop_assert_eq!(template(&other), "cart <*> is gone");
    }
}

/// A value as programs print it; those without a digit are left to the rule that puts free values together.
fn value(kind: &'static str) -> BoxedStrategy<String> {
    let with_digit = |text: &String| text.bytes().any(|byte| byte.is_ascii_digit());
    match kind {
        "number" => {
            prop_oneof![any::<i64>().prop_map(|number| number.to_string()), "[0-9]{1,3},[0-9]{3}\\.[0-9]{2}", "[0-9]{1,4}\\.[0-9]{1,6}"]
                .boxed()
        }
        "hex" => "[0-9a-f]{8,40}".prop_filter("a digit", with_digit).boxed(),
        "upper" => "[0-9A-F]{12,26}".prop_filter("a digit", with_digit).boxed(),
        "uuid" => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}".boxed(),
        "half" => "[0-9a-f]{8}-[0-9a-f]{4}".prop_filter("a digit", |text| text.bytes().take(8).any(|byte| byte.is_ascii_digit())).boxed(),
        "ip" => (any::<[u8; 4]>(), 1..65535_u16).prop_map(|(ip, port)| format!("{}.{}.{}.{}:{port}", ip[0], ip[1], ip[2], ip[3])).boxed(),
        "host" => "[1-9][0-9]{0,2}".prop_map(|number| format!("gateway-{number}.internal:{number}")).boxed(),
        "email" => "[a-z]{3,8}(\\.[a-z]{2,5})?@[a-z]{3,8}\\.(com|org|de)".boxed(),
        "url" => "https://[a-z]{3,9}\\.example\\.com/[a-z]{2,5}/[0-9a-f]{4}(\\?page=[0-9])?".boxed(),
        "path" => "/(tmp|var/data|home/[a-z]{4})/[a-z0-9_]{3,9}\\.(csv|json)".boxed(),
        "arn" => "arn:aws:(s3|lambda|sqs):eu-west-1:[0-9]{12}:[a-z]{3,8}".boxed(),
        "time" => "20[0-9]{2}-(0[1-9]|1[0-2])-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|\\+0[0-9]:00)".boxed(),
        "duration" => prop_oneof!["[1-9][0-9]{0,3}(ms|s|µs)", "[1-9]\\.[0-9]{1,6}(ms|s)", "[1-9]m[1-5][0-9]s"].boxed(),
        "quoted" => {
            "'[A-Za-zäöüß ]{1,20}'".prop_filter("no space at its ends", |text| !text.contains("' ") && !text.contains(" '")).boxed()
        }
        "country" => prop_oneof![Just("DE"), Just("FR"), Just("US"), Just("JP"), Just("GB"), Just("BR")].prop_map(str::to_owned).boxed(),
        "currency" => prop_oneof![Just("EUR"), Just("USD"), Just("JPY"), Just("GBP")].prop_map(str::to_owned).boxed(),
        "json" => (any::<u32>(), "[a-z\\\\\"{}]{0,9}").prop_map(|(id, text)| json!({"id": id, "text": text}).to_string()).boxed(),
        "list" => prop::collection::vec("[0-9]{1,6}", 1..6).prop_map(|list| list.join(", ")).boxed(),
        "coupon" => "[A-Z][0-9]{6}".boxed(),
        _ => "ord-[0-9]{4,9}".boxed(),
    }
}

const SKELETONS: [&str; 26] = [
    "order line {number} has no price",
    "order line {number} has no weight",
    "cart {hex} is gone",
    "cart {hex} is locked",
    "request {upper} was refused",
    "customer {uuid} does not exist",
    "issuer declined transaction {half} with code {number}",
    "connect ECONNREFUSED {ip}",
    "connect ECONNRESET {ip}",
    "connection to {host} reset by peer",
    "connection to {host} timed out after {duration}",
    "mail to {email} bounced at {time}",
    "GET {url} answered late",
    "PUT {url} answered late",
    "cannot open {path}",
    "{arn} is not there",
    "not valid before {time}",
    "waited {duration} for a lock",
    "user {quoted} may not do this",
    "postal code {number} is unknown in country {country}",
    "cannot pay {number} in {currency}",
    "bad body {json} from {ip}",
    "missing rows: {list}",
    "could not parse coupon {coupon}",
    "{order} is paid already",
    "Über {number} Stück von {order} fehlen",
];

fn instance(skeleton: &'static str) -> BoxedStrategy<String> {
    let mut parts: Vec<BoxedStrategy<String>> = Vec::new();
    for (place, part) in skeleton.split(['{', '}']).enumerate() {
        parts.push(if place % 2 == 1 { value(part) } else { Just(part.to_owned()).boxed() });
    }
    parts.prop_map(|parts| parts.concat()).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_fault_stays_one_whatever_its_values(
        (skeleton, one, other) in (0..SKELETONS.len()).prop_flat_map(|place| (Just(place), instance(SKELETONS[place]), instance(SKELETONS[place])))
    ) {
        let canonical = |text: &str| message(text, Names::Values).canonical().to_owned();
        prop_assert_eq!(canonical(&one), canonical(&other), "{} / {} of {}", &one, &other, SKELETONS[skeleton]);
    }

    #[test]
    fn two_faults_stay_two_whatever_their_values(
        (one, other) in (0..SKELETONS.len(), 0..SKELETONS.len())
            .prop_filter("two", |(one, other)| one != other)
            .prop_flat_map(|(one, other)| (instance(SKELETONS[one]), instance(SKELETONS[other])))
    ) {
        prop_assert_ne!(id_of("E", &one), id_of("E", &other), "{} / {}", &one, &other);
    }
}
