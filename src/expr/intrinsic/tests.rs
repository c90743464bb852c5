//! One line a case: call, input, result.

use super::Call;
use crate::expr::testing::{json, scope};

fn evaluated(call: &str, input: &str) -> Result<String, String> {
    let call = Call::parse(call).map_err(|error| error.to_string())?;
    call.evaluate(scope(&json(input))).map(|value| value.to_json()).map_err(|error| error.to_string())
}

fn expect(cases: &[(&str, &str, &str)]) {
    for (call, input, result) in cases {
        assert_eq!(evaluated(call, input).as_deref(), Ok(*result), "{call} of {input}");
    }
}

/// Calls whose arguments do not suit.
fn expect_refused(calls: &[(&str, &str)]) {
    for (call, input) in calls {
        let function = call.split('(').next().unwrap_or_default();
        let error = format!("States.Runtime: The function '{call}' had the following error: Invalid arguments in {function}");
        assert_eq!(evaluated(call, input), Err(error), "{input}");
    }
}

#[test]
fn format_fills_in_values_as_java_prints_them() {
    expect(&[
        ("States.Format('{} of {}.', $.a, 'b')", r#"{"a":1.1}"#, r#""1.1 of b.""#),
        ("States.Format('{}|{}', $.null, $.object)", r#"{"null":null,"object":{"Arg1":1,"Arg2":[]}}"#, r#""null|{Arg1=1, Arg2=[]}""#),
        (r"States.Format('\{{}\} it\'s \\', true)", "{}", r#""{true} it's \\""#),
        ("States.Format($.t, $.n)", r#"{"t":"Hello {}\\{","n":"x"}"#, r#""Hello x{""#),
        ("States.Format('{}', States.StringToJson($.s))", r#"{"s":"{\"a\":\"b\"}"}"#, r#""{\"a\":\"b\"}""#),
        ("States.Format('plain')", "{}", r#""plain""#),
        ("States.Format('{},{}',$v.a.b,$$.Execution.Id)", "{}", r#""7,x""#),
        ("States.Format('é {}', '😀')", "{}", r#""é 😀""#),
    ]);
    expect_refused(&[("States.Format($.a)", r#"{"a":1}"#), ("States.Format()", "{}")]);
    for (call, words) in [
        ("States.Format('{} {}', 1)", "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}."),
        ("States.Format('{', 1)", "Invalid template in States.Format: matching '}' not found for '{'."),
        ("States.Format('}')", "Invalid template in States.Format: matching '{' not found for '}'."),
    ] {
        let error = evaluated(call, "{}").expect_err(call);
        assert_eq!(error, format!("States.Runtime: The function '{call}' had the following error: {words}"));
    }
}

#[test]
fn arrays_are_made_and_taken_apart() {
    expect(&[
        ("States.Array()", "{}", "[]"),
        ("States.Array('Foo', $.x, null, 2.30)", r#"{"x":[1]}"#, r#"["Foo",[1],null,2.3]"#),
        ("States.ArrayPartition($list, 2)", "{}", "[[1,2],[3]]"),
        ("States.ArrayPartition($list, 2.6)", "{}", "[[1,2],[3]]"),
        ("States.ArrayPartition($.a, 4)", r#"{"a":[]}"#, "[]"),
        ("States.ArrayContains($.a, $.b)", r#"{"a":[{"x":[1]}],"b":{"x":[1]}}"#, "true"),
        ("States.ArrayContains($.a, $.b)", r#"{"a":[],"b":[]}"#, "false"),
        ("States.ArrayRange(0, 10, 3)", "{}", "[0,3,6,9]"),
        ("States.ArrayRange(5, 1, -2)", "{}", "[5,3,1]"),
        ("States.ArrayRange(5, 1, 1)", "{}", "[]"),
        ("States.ArrayRange(3, 3, -1)", "{}", "[3]"),
        ("States.ArrayRange(1.6, 1.4, 1)", "{}", "[1]"),
        ("States.ArrayLength(States.ArrayRange(1, 1000, 1))", "{}", "1000"),
        ("States.ArrayGetItem($list, 2)", "{}", "3"),
        ("States.ArrayGetItem($list, 1.9)", "{}", "2"),
        ("States.ArrayGetItem($.a, 999)", r#"{"a":[]}"#, "null"),
        ("States.ArrayUnique($.a)", r#"{"a":[1,2,3,3,3,4,null,1]}"#, "[null,1,2,3,4]"),
        ("States.ArrayUnique($.a)", r#"{"a":[true,false,true]}"#, "[false,true]"),
        ("States.ArrayUnique($.a)", r#"{"a":[[1,2],[1,2],[2,1]]}"#, "[[2,1],[1,2]]"),
        ("States.ArrayUnique($.a)", r#"{"a":[{"a":1,"b":2},{"b":2,"a":1}]}"#, r#"[{"a":1,"b":2}]"#),
    ]);
    expect_refused(&[
        ("States.ArrayPartition($list, 0)", "{}"),
        ("States.ArrayPartition($list, '2')", "{}"),
        ("States.ArrayPartition('x', 2)", "{}"),
        ("States.ArrayPartition($list)", "{}"),
        ("States.ArrayRange(1, 1001, 1)", "{}"),
        ("States.ArrayRange(1, 10, 0.49)", "{}"),
        ("States.ArrayRange(-2147483648, 2147483647, 1)", "{}"),
        ("States.ArrayGetItem($list, 3)", "{}"),
        ("States.ArrayGetItem($list, -1)", "{}"),
        ("States.ArrayLength('abc')", "{}"),
        ("States.ArrayUnique($)", "{}"),
    ]);
}

#[test]
fn numbers_are_added_rounded_and_drawn() {
    expect(&[
        ("States.MathAdd($.a, -1)", r#"{"a":111}"#, "110"),
        ("States.MathAdd(-1.5, -1.51)", "{}", "-3"),
        ("States.MathAdd(-0.5, 0.5)", "{}", "1"),
        ("States.MathAdd(2.5, 0)", "{}", "3"),
        ("States.MathAdd(-2.5, 0)", "{}", "-2"),
        ("States.MathAdd(2147483646, 1)", "{}", "2147483647"),
        ("States.MathAdd(States.MathAdd($v.a.b, 1), 2)", "{}", "10"),
        ("States.MathRandom(10, 20)", "{}", "15"),
        ("States.MathRandom(0, 10, 42)", "{}", "0"),
        ("States.MathRandom(-5, -4, 7)", "{}", "-5"),
    ]);
    expect_refused(&[
        ("States.MathAdd(2147483647, 1)", "{}"),
        ("States.MathAdd(3000000000, -3000000000)", "{}"),
        ("States.MathAdd(1e309, 1)", "{}"),
        ("States.MathAdd('1', 2)", "{}"),
        ("States.MathRandom(1.4, 1.6)", "{}"),
        ("States.MathRandom(1, 10, null)", "{}"),
    ]);
}

#[test]
fn strings_are_coded_split_and_read() {
    expect(&[
        ("States.StringSplit('1,2,3', ',')", "{}", r#"["1","2","3"]"#),
        ("States.StringSplit($.a, '.+,=')", r#"{"a":"This.is+a,test=string"}"#, r#"["This","is","a","test","string"]"#),
        ("States.StringSplit(', , ,', ',')", "{}", r#"[" "," "]"#),
        ("States.StringSplit(',,,', ',')", "{}", "[]"),
        ("States.StringSplit('a', '')", "{}", r#"["a"]"#),
        ("States.StringSplit('Hello\nWorld', '\n')", "{}", r#"["Hello","World"]"#),
        ("States.Base64Encode('Data to encode')", "{}", r#""RGF0YSB0byBlbmNvZGU=""#),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "{}", r#""Data to encode""#),
        ("States.Base64Decode('')", "{}", r#""""#),
        ("States.Base64Decode(' YWJ jZA ')", "{}", r#""abcd""#),
        ("States.Base64Decode('YWJjZ')", "{}", r#""abc""#),
        ("States.Hash('input data', 'SHA-1')", "{}", r#""aaff4a450a104cd177d28d18d74485e8cae074b7""#),
        ("States.Hash('input data', 'MD5')", "{}", r#""812f45842bc6d66ee14572ce20db8e86""#),
        ("States.JsonToString($)", r#"{"a":[1, 2.0]}"#, r#""{\"a\":[1,2.0]}""#),
        (r#"States.StringToJson('[1, "a"]')"#, "{}", r#"[1,"a"]"#),
        ("States.StringToJson(' ')", "{}", "null"),
        ("States.StringToJson('-0')", "{}", "0"),
        (
            "States.JsonMerge($.a, $.b, false)",
            r#"{"a":{"a":{"x":1},"b":2,"d":3},"b":{"a":{"y":1},"c":3,"d":4}}"#,
            r#"{"a":{"y":1},"b":2,"c":3,"d":4}"#,
        ),
        ("States.UUID()", "{}", r#""11111111-2222-4333-8444-555555555555""#),
    ]);
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(10_001));
    expect_refused(&[
        ("States.StringSplit(1, ',')", "{}"),
        ("States.Base64Encode($.a)", &long),
        ("States.Base64Decode($.a)", &long),
        ("States.Hash($.a, 'MD5')", &long),
        ("States.Hash('a', 'md5')", "{}"),
        (r"States.StringToJson('\{')", "{}"),
        ("States.StringToJson(1)", "{}"),
        ("States.JsonMerge($, $, true)", "{}"),
        ("States.JsonMerge($, 'x', false)", "{}"),
    ]);
}

#[test]
fn a_missing_argument_repeats_the_whole_call_and_the_input() {
    for (call, argument) in [
        ("States.Format('{}',$.nope)", "$.nope"),
        ("States.Format('{}', States.Format('{}', $.a.b))", "$.a.b"),
        ("States.Format('{}', $.list[5])", "$.list[5]"),
        ("States.ArrayLength($$.Nope.Deep)", "$.Nope.Deep"),
    ] {
        let words = format!("The JsonPath argument for the field '{argument}' could not be found in the input '{{\"list\":[1]}}'");
        let error = format!("States.Runtime: The function '{call}' had the following error: {words}");
        assert_eq!(evaluated(call, r#"{"list":[1]}"#), Err(error));
    }
    let error = evaluated("States.Format('{}', $.other[0])", r#"{"other":1}"#).expect_err("no array");
    assert!(error.ends_with("had the following error: Filter: [0] can only be applied to arrays. Current context is: 1"), "{error}");
    expect(&[("States.ArrayLength($.items[*].nope)", r#"{"items":[1,2]}"#, "0")]);
}

#[test]
fn what_is_no_call_is_refused() {
    for call in [
        "States.",
        "States.Xyz($.result)",
        "States.format('x')",
        "States.Format",
        "States.Format('x'",
        "States.Format('x') ",
        "States.Format('x',)",
        "States.Format(, 'x')",
        "States.Format(\"x\")",
        r#"States.Format('He said, \"Hello, {}!\"', 'x')"#,
        r"States.Base64Decode('YWJj\nZA==')",
        "States.Array($.a b)",
        "States.Array(1x)",
    ] {
        assert!(Call::parse(call).is_err(), "{call}");
    }
    let nested = |levels: usize| format!("{}{}", "States.Array(".repeat(levels), ")".repeat(levels));
    assert!(Call::parse(&nested(10)).is_ok());
    assert!(Call::parse(&nested(11)).is_err());
}
