use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn masked(text: &str) -> String {
    Redactor::new(true).apply(text).into_owned()
}

const TOKEN: &str = "AQCEAAAAKgAAAAMAAAAAAAAAAXoJmGZ/Uu0b+1aG3T5Jk2vWm0Yf8RrXcQ4hLq7nPz9sD6tEiOaBxVwKyUuIoPlMnBvCxZ==";

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(masked(text), *expected, "for {text}");
    }
}

#[test]
fn values_of_secret_names_in_json() {
    check(&[
        (r#"{"password":"hunter2","user":"jo"}"#, r#"{"password":"****","user":"jo"}"#),
        (r#"{"dbPassword" : "a\"b\\", "x": 1}"#, r#"{"dbPassword" : "****", "x": 1}"#),
        (
            r#"{"client_secret":"abc","X-Api-Key":"k","SecretAccessKey":"s"}"#,
            r#"{"client_secret":"****","X-Api-Key":"****","SecretAccessKey":"****"}"#,
        ),
        (r#"{"password":12345}"#, r#"{"password":"****"}"#),
        (r#"{"SessionToken":["a","b"],"n":1}"#, r#"{"SessionToken":["****","****"],"n":1}"#),
        (r#"{"refresh_token":{"value":"a","n":2},"c":"d"}"#, r#"{"refresh_token":{"value":"****","n":2},"c":"d"}"#),
        ("{\n  \"apiKey\": \"k-1\"\n}", "{\n  \"apiKey\": \"****\"\n}"),
        (r#"{"Authorization":"Bearer abc","Cookie":"a=b; c=d"}"#, r#"{"Authorization":"Bearer ****","Cookie":"****"}"#),
        (r#"{"AllHttpHeaders":{"Set-Cookie":["sid=1","t=2"]}}"#, r#"{"AllHttpHeaders":{"Set-Cookie":["****","****"]}}"#),
    ]);
}

#[test]
fn a_string_that_ends_with_a_secret_name_ends_there() {
    for text in [
        r#"["password:"]"#,
        r#"{"error":"wrong password:","user":"jo"}"#,
        "{\n  \"error\": \"password=\"\n}",
        r#"{"text":"{\"error\":\"password: \",\"user\":\"jo\"}"}"#,
    ] {
        check(&[(text, text)]);
    }
    check(&[(r#"password: "hunter2", user: "jo""#, r#"password: "****", user: "jo""#)]);
}

#[test]
fn values_of_secret_names_in_json_in_strings() {
    let inner = json!({"password": "a\"b\\c", "user": "jo"}).to_string();
    let mut text = inner;
    for depth in 1..5 {
        text = json!({"body": text, "depth": depth}).to_string();
        let shown = masked(&text);
        let mut value: Value = serde_json::from_str(&shown).expect("still JSON");
        for _ in 0..depth {
            value = serde_json::from_str(value["body"].as_str().expect("text")).expect("still JSON inside");
        }
        assert_eq!(value, json!({"password": "****", "user": "jo"}), "at depth {depth}");
    }
}

#[test]
fn numbers_in_nested_json_get_the_quotes_of_their_depth() {
    check(&[(r#"{"body":"{\"pwd\": 77, \"n\": 1}"}"#, r#"{"body":"{\"pwd\": \"****\", \"n\": 1}"}"#)]);
}

#[test]
fn pairs_of_name_and_value() {
    check(&[
        (
            r#"{"Environment":[{"Name":"DB_PASSWORD","Value":"x"},{"Name":"STAGE","Value":"prod"}]}"#,
            r#"{"Environment":[{"Name":"DB_PASSWORD","Value":"****"},{"Name":"STAGE","Value":"prod"}]}"#,
        ),
        (r#"{"Type":"SecureString","Value":"x","Version":1}"#, r#"{"Type":"SecureString","Value":"****","Version":1}"#),
        (r#"{"message":"Invalid token","value":"5"}"#, r#"{"message":"Invalid token","value":"5"}"#),
    ]);
}

#[test]
fn secrets_known_by_their_shape() {
    let text = format!("{{\"tok\":\"{TOKEN}\",\"n\":\"line\\n{TOKEN}\"}}");
    assert_eq!(masked(&text), r#"{"tok":"AQC****","n":"line\nAQC****"}"#);
    check(&[
        ("key AKIAIOSFODNN7EXAMPLE used", "key AKIA**** used"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIA****"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123.", "got eyJ****"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_****"),
        ("xoxb-123456789012-abcdef", "xoxb-****"),
        ("sk_live_abcdefghij0123", "sk_live_****"),
    ]);
}

#[test]
fn headers_options_and_query_strings() {
    check(&[
        ("Authorization: Basic dXNlcjpwYXNz\nAccept: */*", "Authorization: Basic ****\nAccept: */*"),
        ("{Authorization=Bearer abc.def1, Accept=json}", "{Authorization=Bearer ****, Accept=json}"),
        ("called with Bearer abcDEF123", "called with Bearer ****"),
        ("X-Api-Key: abc", "X-Api-Key: ****"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: ****\nHost: x"),
        ("psql --password hunter2 -h db", "psql --password **** -h db"),
        ("Server=db;Password=p@ss;User=jo", "Server=db;Password=****;User=jo"),
        ("{'password': 'x', 'user': 'jo'}", "{'password': '****', 'user': 'jo'}"),
        ("<password>x</password>", "<password>****</password>"),
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F2026&X-Amz-Expires=60&X-Amz-Security-Token=IQo%2F&X-Amz-Signature=0abc",
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=****&X-Amz-Expires=60&X-Amz-Security-Token=****&X-Amz-Signature=****",
        ),
        (r#"{"url":"https://x/?token=abc\u0026page=2"}"#, r#"{"url":"https://x/?token=****\u0026page=2"}"#),
        (r#"{"log":"password=x\nnext"}"#, r#"{"log":"password=****\nnext"}"#),
        (r#"{"log":"password=\"x y\" next"}"#, r#"{"log":"password=\"****\" next"}"#),
    ]);
}

#[test]
fn passwords_in_addresses() {
    check(&[
        ("postgres://jo:pa:ss@db:5432/x", "postgres://jo:****@db:5432/x"),
        (r#"{"u":"redis:\/\/:pw@h"}"#, r#"{"u":"redis:\/\/:****@h"}"#),
        ("https://example.com:8080/a@b", "https://example.com:8080/a@b"),
    ]);
}

#[test]
fn private_keys() {
    check(&[
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMII\nabc\n-----END RSA PRIVATE KEY-----\nx",
            "-----BEGIN RSA PRIVATE KEY-----****-----END RSA PRIVATE KEY-----\nx",
        ),
        (r#"{"k":"-----BEGIN PRIVATE KEY-----\nMII","x":"y"}"#, r#"{"k":"-----BEGIN PRIVATE KEY-----****","x":"y"}"#),
        (r#"{"b":"{\"k\":\"-----BEGIN PRIVATE KEY-----\\nMII\"}"}"#, r#"{"b":"{\"k\":\"-----BEGIN PRIVATE KEY-----****\"}"}"#),
        ("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"),
    ]);
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        r#"{"TaskToken.$":"$$.Task.Token","Password":"{% $states.input.p %}","secret":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf"}"#,
        r#"{"NextToken":"abc123","ClientRequestToken":"c1","max_tokens":4096,"tokenType":"x","SecretId":"db","password":"","token":null}"#,
        "SyntaxError: Unexpected token } in JSON at position 7",
        "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400)",
        "The security token included in the request is expired",
        "Basic authentication failed; Bearer token missing",
        "Missing Authentication Token",
        "token: not found",
        "task AAAAKgAAAA and AQCE are prefixes",
        r#"{"Credentials":{"RoleArn":"arn:aws:iam::111111111111:role/x"}}"#,
    ] {
        assert!(matches!(Redactor::new(true).apply(text), Cow::Borrowed(_)), "{} became {}", text, masked(text));
    }
}

#[test]
fn nothing_is_masked_when_told_so() {
    assert_eq!(Redactor::new(false).apply("password=x"), "password=x");
}

#[test]
fn truncated_json_is_masked_to_its_end() {
    check(&[(r#"{"a":1,"password":"hunt"#, r#"{"a":1,"password":"****"#), (r#"{"password":"#, r#"{"password":"#)]);
}

#[test]
fn work_is_linear_on_hostile_text() {
    // Each of these would take minutes if a pass over the rest of the text followed every hit.
    for unit in [
        "\"token\":\"\\",
        "-----BEGIN PRIVATE KEY-----",
        "token",
        "://a:",
        "\\\"password\\\":[",
        "bearer ",
        "password=\\",
        "'secret':'",
        "eyJ",
    ] {
        let text = unit.repeat(4_000_000 / unit.len());
        let _ = masked(&text);
    }
}

fn json_with_secrets() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("hunter2".to_owned()),
        Just(TOKEN.to_owned()),
        Just("Bearer abc123X".to_owned()),
        Just("u:password=a\"b\\c&token='x y'".to_owned()),
        Just("x://u:p@h Cookie: a=\\ \n-----BEGIN PRIVATE KEY-----\nQ".to_owned()),
        "[\\\\\"'a:=, \n{}\\[\\]é]{0,12}",
        "(password|token|secret|Cookie|Authorization|sig)[=: \"'\\\\]{1,4}[a-z\"'\\\\ \n]{0,9}",
    ];
    let leaf = prop_oneof![text.prop_map(Value::from), any::<i32>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let key =
            prop_oneof![Just("password"), Just("token"), Just("Name"), Just("Value"), Just("credentials"), Just("a"), Just("to\"ken")];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.prop_map(str::to_owned), inner.clone()), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// The strings that hold JSON, parsed, as deep as they go, with everything but the shape left out.
fn shape_of(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(members.iter().map(|(key, member)| (masked(key), shape_of(member))).collect()),
        Value::Array(items) => items.iter().map(shape_of).collect(),
        _ => Value::Null,
    }
}

proptest! {
    #[test]
    fn valid_json_stays_valid_and_keeps_its_shape(value in json_with_secrets()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")] {
            let shown = masked(&text);
            let parsed: Value = serde_json::from_str(&shown).map_err(|error| TestCaseError::fail(format!("{error}: {shown}")))?;
            prop_assert_eq!(shape_of(&parsed), shape_of(&value));
        }
    }

    #[test]
    fn masking_twice_changes_nothing_more(value in json_with_secrets()) {
        let once = masked(&value.to_string());
        prop_assert_eq!(masked(&once), once);
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,80}") {
        let _ = masked(&text);
    }
}
