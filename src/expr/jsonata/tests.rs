use super::*;
use crate::expr::Surroundings;

/// A context object, two variables, and chance that is none.
struct Around;

impl Surroundings for Around {
    fn context(&self) -> Value {
        json(r#"{"State":{"Name":"S","RetryCount":2}}"#)
    }

    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "i" => Some(Value::from(3)),
            "limit" => Some(Value::from(10)),
            "order" => Some(json(r#"{"id":"A1","lines":[{"sku":"x","qty":2},{"sku":"y","qty":5}],"paid":true,"note":null}"#)),
            "one" => Some(json("[7]")),
            "none" => Some(json("[]")),
            _ => None,
        }
    }

    fn random(&self) -> f64 {
        0.25
    }

    fn uuid(&self) -> String {
        "6f1f5c1e-0000-4000-8000-000000000000".to_owned()
    }

    fn now(&self) -> i64 {
        1_767_225_600_000
    }
}

fn json(text: &str) -> Value {
    Value::parse(text).expect("JSON")
}

fn with_input(expression: &str, input: &Value) -> Result<Value, String> {
    let parsed = Jsonata::parse(expression).map_err(|error| error.message)?;
    let scope = Scope { input, result: None, error_output: None, around: &Around };
    parsed.evaluate(scope, "Output/x").map_err(|error| error.cause)
}

fn cause(expression: &str) -> String {
    let cause = with_input(expression, &json(r#"{"a":{"b":[1,2]},"n":null}"#)).expect_err("must fail");
    let words = format!("The JSONata expression '{expression}' specified for the field 'Output/x' ");
    cause.strip_prefix(&words).unwrap_or_else(|| panic!("{cause}")).to_owned()
}

#[track_caller]
fn gives(expression: &str, expected: &str) {
    let value = with_input(expression, &json(r#"{"a":{"b":[1,2]},"n":null,"s":"{\"k\":[1]}","f":1.0}"#));
    assert_eq!(value.map(|value| value.to_json()).as_deref(), Ok(expected), "{expression}");
}

#[test]
fn expressions_see_input_context_and_variables() {
    gives("$states.input.a.b", "[1,2]");
    gives("$states.input.a.b[1]", "2");
    gives("$states.input.n", "null");
    gives("$states.context.State.RetryCount + 1", "3");
    gives("$states.context.*.Name", r#""S""#);
    gives("$i + $limit", "13");
    gives("$sum($order.lines.qty)", "7");
    gives("$order.lines[qty > 2].sku", r#""y""#);
    gives("$order.lines.(sku & qty)", r#"["x2","y5"]"#);
    gives("$count($keys($states))", "2");
    gives("($x := $order.lines; $map($x, function($l) { $l.qty * $i }))", "[6,15]");
    gives("$order.lines[0].%.id", r#""A1""#);
    gives("$order.lines#$at[$at = 1].sku", r#""y""#);
}

#[test]
fn result_and_error_output_are_there_when_they_are_given() {
    let (result, error) = (json(r#"{"Payload":{"ok":true}}"#), json(r#"{"Error":"E","Cause":"c"}"#));
    let scope = Scope { input: &Value::Null, result: Some(&result), error_output: Some(&error), around: &Around };
    let value = |text: &str| Jsonata::parse(text).expect("JSONata").evaluate(scope, "Output").expect("a value").to_json();
    assert_eq!(value("$states.result.Payload"), r#"{"ok":true}"#);
    assert_eq!(value("$states.errorOutput.Error & '!'"), r#""E!""#);
    assert_eq!(value("$merge([$states.result.Payload, $states.errorOutput])"), r#"{"ok":true,"Error":"E","Cause":"c"}"#);
}

#[test]
fn numbers_are_doubles_and_whole_ones_are_written_whole() {
    gives("1/3", "0.3333333333333333");
    gives("$states.input.f", "1");
    gives("6/2", "3");
    gives("[1e20, 1e21, 2.5, -0.0]", "[100000000000000000000,1e21,2.5,0]");
    gives("1/0", r#""Infinity""#);
    gives("{'k': -1/0}", r#"{"k":"-Infinity"}"#);
}

#[test]
fn a_large_value_comes_back_as_it_went_in() {
    let items = Value::array((0..1000).map(|number| Value::object([("n", Value::from(number))])));
    let input = Value::object([("items", items.clone()), ("other", Value::from(1))]);
    let same = |value: &Value| match (value, &items) {
        (Value::Array(one), Value::Array(other)) => Rc::ptr_eq(one, other),
        _ => false,
    };
    assert!(same(&with_input("$states.input.items", &input).expect("a value")));
    let wrapped = with_input("($x := $states.input.items; {'all': $x, 'count': $count($x)})", &input).expect("a value");
    assert!(same(wrapped.get("all").expect("a member")) && wrapped.get("count") == Some(&Value::from(1000)));
    // A value of its own with the same contents is another one.
    let other = Value::object([("items", json("[1]"))]);
    assert_eq!(with_input("$count($states.input.items)", &other), Ok(Value::from(1)));
}

#[test]
fn nothing_an_error_and_a_wrong_type_have_the_words_of_the_service() {
    assert_eq!(cause("$states.input.missing"), "returned nothing (undefined).");
    assert_eq!(cause("$nobody"), "returned nothing (undefined).");
    assert_eq!(cause("'a' + 1"), r#"threw an error during evaluation. T2001: The left side of the "+" operator must evaluate to a number"#);
    assert_eq!(
        cause("1 - null"),
        r#"threw an error during evaluation. T2002: The right side of the "-" operator must evaluate to a number"#
    );
    assert_eq!(
        cause("$sum(['a'])"),
        r#"threw an error during evaluation. T0412: Argument 1 of function "sum" must be an array of "numbers""#
    );
    assert_eq!(
        cause("$uppercase(1)"),
        r#"threw an error during evaluation. T0410: Argument 1 of function "uppercase" does not match function signature"#
    );
    assert_eq!(cause("$number('x')"), r#"threw an error during evaluation. D3030: Unable to cast value to a number: "x""#);
    assert_eq!(
        cause("null < 1"),
        r#"threw an error during evaluation. T2010: The expressions either side of operator "<" must evaluate to numeric or string values"#
    );
    assert_eq!(cause("$error('mine')"), "threw an error during evaluation. D3137: mine");
    assert_eq!(cause("$eval('1')"), "threw an error during evaluation. T1006: Attempted to invoke a non-function");
    assert_eq!(cause("function($x) { $x }"), "returned an unsupported result type.");
    assert_eq!(cause("{'f': $sum}"), "returned an unsupported result type.");
    let scope = Scope { input: &Value::Null, result: None, error_output: None, around: &Around };
    let error = Jsonata::parse("$i").expect("JSONata").evaluate_as("array", scope, "Items").expect_err("no array");
    assert_eq!(error.error, "States.QueryEvaluationError");
    assert_eq!(
        error.cause,
        "The JSONata expression '$i' specified for the field 'Items' returned an unexpected result type. \
         Expected 'array', but was 'number' for value: 3"
    );
    assert_eq!(error.location.as_deref(), Some("Items"));
}

#[test]
fn the_service_has_functions_of_its_own() {
    gives("$partition([1,2,3,4,5], 2.9)", "[[1,2],[3,4],[5]]");
    gives("$range(1, 9, 3)", "[1,4,7]");
    gives("$range(3.7, -1, -2)", "[3,1,-1]");
    gives("$range(1, 9, 9)", "1");
    gives("$hash('abc', 'MD5')", r#""900150983cd24fb0d6963f7d28e17f72""#);
    gives("$parse($states.input.s).k", "[1]");
    gives("$random(42)", "0.7275636800328681");
    gives("$random()", "0.25");
    gives("$uuid()", r#""6f1f5c1e-0000-4000-8000-000000000000""#);
    gives("$count($distinct($map([1..20], function($n) { $uuid() & $random() })))", "20");
    gives("$now()", r#""2026-01-01T00:00:00.000Z""#);
    gives("$now('[Y]-[D1]')", r#""2026-1""#);
    gives("$millis()", "1767225600000");
    assert_eq!(cause("$partition([1], 0)"), "returned nothing (undefined).");
    assert_eq!(cause("$range(1, 5)"), "returned nothing (undefined).");
    assert_eq!(cause("$parse('{')"), "threw an error during evaluation. D3137: Invalid JSON");
    assert!(cause("$hash('a', 'CRC')").contains("D3137: Hash algorithm 'CRC' must be one of"));
    assert!(cause("$uuid(1)").contains(r#"T0410: Argument 1 of function "uuid""#));
    assert!(cause("$partition('a', 1)").contains("T0412"));
}

#[test]
fn evaluations_are_bounded() {
    let recursive = |depth: u32| format!("($f := function($n) {{ $n = 0 ? 0 : 1 + $f($n - 1) }}; $f({depth}))");
    let (terms, parentheses) =
        (|count: usize| format!("1{}", "+1".repeat(count - 1)), |count: usize| format!("{}1{}", "(".repeat(count), ")".repeat(count)));
    for (accepted, refused, value) in
        [(recursive(31), recursive(32), "31"), (terms(100), terms(101), "100"), (parentheses(99), parentheses(100), "1")]
    {
        gives(&accepted, value);
        assert!(cause(&refused).contains(": Stack overflow error: Check for non-terminating"), "{refused}");
    }
    assert!(cause("($f := function($n) { 1 + $f($n + 1) }; $f(1))").contains(": Stack overflow error"));
    gives("[1..873782] ~> $count()", "873782");
    assert!(cause("[1..873783] ~> $count()").contains(": Expression evaluation memory limit exceeded"));
    gives("$count($range(1, 360145, 1))", "360145");
    assert!(cause("$range(1, 360146, 1)").contains(": Expression evaluation memory limit exceeded"));
    assert!(cause("$range(-9e18, 9e18, 1)").contains(": Expression evaluation memory limit exceeded"));
    gives("$contains($pad('', 5000, 'a'), /(a+)+$/)", "true");
    gives("$contains($pad('', 5000, 'a') & 'b', /^(a+)+$/)", "false");
}

/// A variable that is bound anew sixty times.
fn chained(expression: &str) -> String {
    format!("($x := 1; {} $count($x))", format!("$x := {expression}; ").repeat(60))
}

#[test]
fn what_grows_is_stopped() {
    for expression in [
        "$reduce([1..60], function($a, $n) { [$a, $a] }, 1)",
        &chained("[$x, $x]"),
        &chained("{'l': $x, 'r': $x}"),
        &chained("'x' & $x & $x"),
        "$reduce([1..60], function($a, $n) { {'l': $a, 'r': $a} }, 1)",
        "$reduce([1..60], function($a, $n) { $a & $a }, 'x')",
        "$reduce([1..60], function($a, $n) { ($b := [[$a], [$a]]; $b) }, 1)",
        "($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', 23)))",
        "($s := $pad('x', 10000); $join([1..1000].$s))",
        "$pad('x', 1e12)",
        "($x := $pad('', 10000, 'x'); $string($map([1..1000], function() { $x })))",
    ] {
        let cause = cause(expression);
        assert!(cause.contains("Expression evaluation memory limit exceeded"), "{expression}: {cause}");
    }
    gives("($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', 22)))", "4194304");
    gives("$map([1,2], function($n) { [$n, $n] })", "[[1,1],[2,2]]");
    gives("$reduce([1..5], function($a, $n) { $append($a, [$n, [$n]]) }, [])", "[1,[1],2,[2],3,[3],4,[4],5,[5]]");
    gives("[1,2].($f := function($x) { {'k': $x} }; $f($)).k", "[1,2]");
    gives("['a','b'] ~> $join('-')", r#""a-b""#);
    gives("$map(['a'], $pad(?, 3))", r#""a  ""#);
}

#[test]
fn deep_source_is_refused_or_bounded() {
    gives(&format!("{}1{}", "(".repeat(90), ")".repeat(90)), "1");
    for nested in [
        format!("{}1{}", "(".repeat(900), ")".repeat(900)),
        format!("{}1{}", "[".repeat(900), "]".repeat(900)),
        format!("1{}", "+1".repeat(900)),
        format!("{}1", "-".repeat(900)),
        format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{}1{}", "{'a':".repeat(50_000), "}".repeat(50_000)),
    ] {
        let error = with_input(&nested, &Value::Null).expect_err("too deep");
        assert!(!error.is_empty());
    }
}

#[test]
fn plain_expressions_have_the_values_that_the_engine_gives() {
    let operands = [
        "$i",
        "$limit",
        "$order.id",
        "$order.paid",
        "$order.note",
        "$order.missing",
        "$one",
        "$none",
        "$order",
        "$order.lines.qty",
        "$states.input.a",
        "$states.context.State.Name",
        "$nobody",
        "0",
        "2.5",
        "-1",
        "''",
        "'text'",
        "true",
        "false",
        "null",
        "[]",
        "[1,2]",
        "{}",
        "{'k':$i}",
        "$sum",
    ];
    let operators = ["+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "and", "or", "&"];
    let mut expressions: Vec<String> = operands.iter().map(|&operand| operand.to_owned()).collect();
    for left in operands {
        expressions.push(format!("{left} ? 'yes' : 'no'"));
        expressions.push(format!("{left} ? 'yes'"));
        expressions.push(format!("-{left}"));
        for right in operands {
            expressions.extend(operators.iter().map(|operator| format!("{left} {operator} {right}")));
            expressions.push(format!("[{left}, {right}]"));
            expressions.push(format!("{{'a': {left}, 'b': [{right}]}}"));
        }
    }
    let input = json(r#"{"a":{"b":[1,2]}}"#);
    let scope = Scope { input: &input, result: None, error_output: None, around: &Around };
    let mut sure = 0;
    for expression in &expressions {
        let parsed = Jsonata::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let Some(Ok(value)) = parsed.program.direct.as_ref().map(|direct| direct.evaluate(scope)) else { continue };
        sure += 1;
        match parsed.run(None, scope) {
            Ok(engine) => assert_eq!(Ok(value), convert::from_engine(&engine), "{expression}"),
            // The service goes on with what is no finite number.
            Err(error) => assert_eq!(error.code(), Some("D1001"), "{expression}"),
        }
    }
    assert!(sure > 2_000, "only {sure} of {} were plain", expressions.len());
}
