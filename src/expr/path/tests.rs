//! One line a case: path, input, result.

use super::PathExpression;
use crate::expr::testing::{json, scope};

fn evaluated(path: &str, input: &str) -> Result<String, String> {
    let path = PathExpression::parse(path).map_err(|error| error.to_string())?;
    path.evaluate(scope(&json(input))).map(|value| value.to_json()).map_err(|error| error.to_string())
}

fn expect(cases: &[(&str, &str, &str)]) {
    for (path, input, result) in cases {
        assert_eq!(evaluated(path, input).as_deref(), Ok(*result), "{path} of {input}");
    }
}

/// A path that is no path, or finds nothing: the end of the error's text.
fn expect_errors(cases: &[(&str, &str, &str)]) {
    for (path, input, error) in cases {
        let found = evaluated(path, input).expect_err(path);
        assert!(found.ends_with(error), "{path} of {input}: {found}");
    }
}

const BOOKS: &str = r#"{"limit":10,"store":{"book":[{"t":"A","price":8.95,"tags":["x"]},{"t":"B","price":12,"isbn":"1"},{"t":"C","price":"9","isbn":null}],"bike":{"price":20}}}"#;

#[test]
fn definite_paths_give_the_value() {
    expect(&[
        ("$", r#"{"a":1}"#, r#"{"a":1}"#),
        ("$.a.b", r#"{"a":{"b":2}}"#, "2"),
        ("$.a[1]", r#"{"a":[1,2]}"#, "2"),
        ("$.a[-1]", r#"{"a":[1,2]}"#, "2"),
        ("$.a.[0].b", r#"{"a":[{"b":null}]}"#, "null"),
        ("$['a b'][\"c\"]", r#"{"a b":{"c":1}}"#, "1"),
        (r"$['it\'s']", r#"{"it's":1}"#, "1"),
        (r"$['\u0041\n']", r#"{"A\n":1}"#, "1"),
        ("$.detail-type", r#"{"detail-type":"x"}"#, r#""x""#),
        ("$.${name}", r#"{"${name}":1}"#, "1"),
        ("$['b','a','none']", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        ("$[ 'a' ]", r#"{"a":1}"#, "1"),
        ("$.é", r#"{"é":1}"#, "1"),
        ("$$.Execution.Id", "{}", r#""x""#),
        ("$$", "{}", r#"{"Execution":{"Id":"x","Input":{"a":1}}}"#),
        ("$v.a.b", "{}", "7"),
        ("$list[2]", "{}", "3"),
    ]);
}

#[test]
fn indefinite_paths_give_an_array_even_of_nothing() {
    expect(&[
        ("$.item.items[*]", "{}", "[]"),
        ("$.items[:1].itemValue", "{}", "[]"),
        ("$.items[1:5]", r#"{"items":[0,1,2]}"#, "[1,2]"),
        ("$.items[:2]", r#"{"items":[0,1,2]}"#, "[0,1]"),
        ("$.items[-2:]", r#"{"items":[0,1,2]}"#, "[1,2]"),
        ("$.items[:-1]", r#"{"items":[0,1,2]}"#, "[0,1]"),
        ("$.items[-3:-1]", r#"{"items":[0,1,2]}"#, "[0,1]"),
        ("$.items[0,2,7]", r#"{"items":[0,1,2]}"#, "[0,2]"),
        ("$[*].['a','b']", r#"[{"a":1,"b":2,"c":3},{"b":4}]"#, r#"[{"a":1,"b":2},{"b":4}]"#),
        ("$['a','b'].c", r#"{"a":{"c":1},"b":{"c":2}}"#, "[1,2]"),
        ("$.*", r#"{"a":1,"b":[2]}"#, "[1,[2]]"),
        ("$[*][*]", r#"[[1,2],3,{"a":4}]"#, "[1,2,4]"),
        ("$..price", BOOKS, r#"[8.95,12,"9",20]"#),
        ("$..a", r#"{"a":{"a":1}}"#, r#"[{"a":1},1]"#),
        ("$..[0]", r#"{"a":[[1],2]}"#, "[[1],1]"),
        ("$..*", r#"{"a":[1]}"#, "[[1],1]"),
        ("$.d..a[*]", r#"{"d":{"x":{"a":[1,2]}}}"#, "[1,2]"),
        ("$list[0:2]", "{}", "[1,2]"),
    ]);
}

#[test]
fn filters_choose_items() {
    expect(&[
        ("$.users[?(@.status == 0)]", r#"{"users":[{"status":0},{"status":1}]}"#, r#"[{"status":0}]"#),
        ("$.l[?(@.keep)]", r#"{"l":[{"keep":true},{"keep":false},{"keep":null},{}]}"#, r#"[{"keep":true},{"keep":false},{"keep":null}]"#),
        ("$.store.book[?(@.price < 10)].t", BOOKS, r#"["A"]"#),
        ("$.store.book[?(@.price > $.limit)].t", BOOKS, r#"["B"]"#),
        ("$.store.book[?(@.price == 9)].t", BOOKS, r#"["C"]"#),
        ("$.store.book[?(@.price === 9)].t", BOOKS, "[]"),
        ("$.store.book[?(@.t == 'A' && @.price > 2 || @.t==\"C\")].t", BOOKS, r#"["A","C"]"#),
        ("$.store.book[?(!(@.t == 'A') && !@.tags)].t", BOOKS, r#"["B","C"]"#),
        ("$.store.book[?(@.isbn != 1)].t", BOOKS, r#"["A","C"]"#),
        ("$.store.book[?(@.isbn == null)].t", BOOKS, r#"["C"]"#),
        ("$.store.book[?(@.t in ['A', 'C'])].price", BOOKS, r#"[8.95,"9"]"#),
        ("$.store.book[?(@.t nin ['A'])].t", BOOKS, r#"["B","C"]"#),
        ("$.store.book[?(@.tags contains 'x')].t", BOOKS, r#"["A"]"#),
        ("$.store.book[?(@.t =~ /[ab]/i)].t", BOOKS, r#"["A","B"]"#),
        ("$.store.book[?('x' in @.tags)].t", BOOKS, r#"["A"]"#),
        ("$.store.book[?(@.tags.length() == 1)].t", BOOKS, r#"["A"]"#),
        ("$.store.book[?(@.tags size 1)].t", BOOKS, r#"["A"]"#),
        ("$.store.book[?(@.tags empty false)].t", BOOKS, r#"["A"]"#),
        ("$[?(@ subsetof [1,2])]", "[[1],[1,3],[]]", "[[1],[]]"),
        ("$[?(@ anyof [1])]", "[[1],[2]]", "[[1]]"),
        ("$[?(@ > 1)]", "[1,2,3]", "[2,3]"),
        ("$[?(@.Name==Receipt)]", r#"[{"Name":"Receipt"},{"Name":"x"}]"#, r#"[{"Name":"Receipt"}]"#),
        ("$.a[?(@.b == 1)]", r#"{"a":{"b":1}}"#, r#"[{"b":1}]"#),
        ("$..[?(@.price > 10)].price", BOOKS, "[12,20]"),
        ("$[?(@.x =~ /a.c/)]", r#"[{"x":"abc"},{"x":"xabc"}]"#, r#"[{"x":"abc"}]"#),
    ]);
}

#[test]
fn functions_end_a_path() {
    expect(&[
        ("$.a.length()", r#"{"a":[1,2,3]}"#, "3"),
        ("$.length()", r#"{"a":1}"#, "1"),
        ("$.a.sum()", r#"{"a":[1,2.5]}"#, "3.5"),
        ("$.a.max()", r#"{"a":[1,3,2]}"#, "3.0"),
        ("$.a.last()", r#"{"a":[1,3,2]}"#, "2"),
        ("$.keys()", r#"{"a":1,"b":2}"#, r#"["a","b"]"#),
        ("$..a.length()", r#"[{"a":1},{"a":2}]"#, "2"),
    ]);
    expect_errors(&[
        ("$.a.avg()", r#"{"a":[]}"#, "Invalid path '$.a.avg()' : Aggregation function attempted to calculate value using empty array"),
        ("$.a.nonsense()", "{}", "there is no such path function as nonsense() at character 13 of '$.a.nonsense()'"),
    ]);
}

#[test]
fn a_definite_path_to_nothing_says_where_it_ended() {
    expect_errors(&[
        ("$.no.such.path", "{}", "States.Runtime: Invalid path '$.no.such.path' : Missing property in path $['no']"),
        ("$.X", "{}", "Invalid path '$.X' : No results for path: $['X']"),
        ("$.a.X", r#"{"a":{}}"#, "Invalid path '$.a.X' : No results for path: $['a']['X']"),
        ("$.a[1].b.c", r#"{"a":[0,{}]}"#, "Invalid path '$.a[1].b.c' : Missing property in path $['a'][1]['b']"),
        ("$.a[3]", r#"{"a":[0]}"#, "Invalid path '$.a[3]' : No results for path: $['a'][3]"),
        ("$.a[0]", r#"{"a":1}"#, "Filter: [0] can only be applied to arrays. Current context is: 1"),
        ("$.a[0]", r#"{"a":null}"#, "The path $['a'] is null"),
        (
            "$.a.b",
            r#"{"a":"x"}"#,
            "Expected to find an object with property ['b'] in path $['a'] but found 'java.lang.String'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'.",
        ),
        ("$.a", "null", "States.Runtime: Unable to apply Path transformation to null or empty input."),
        ("$none.a", "{}", "The variable '$none' is not assigned."),
    ]);
}

#[test]
fn what_is_no_path_is_refused() {
    for path in [
        "",
        "a",
        "$a b",
        "$.",
        "$..",
        "$.a.",
        "$.a[",
        "$.a[]",
        "$.a['b]",
        "$[?(@.a ==)]",
        "$[?(@.a = 1)]",
        "$[?@.a]",
        "$.a b",
        "$.a[1x]",
        "$1",
        "$.a[?(@.b =~ /(/)]",
    ] {
        assert!(PathExpression::parse(path).is_err(), "{path}");
    }
    for (start, end) in [("[?(", ")]"), ("[?(@", "")] {
        let deep = format!("${}@.a{}", start.repeat(5000), end.repeat(5000));
        assert!(PathExpression::parse(&deep).is_err(), "{start} nested");
    }
    assert!(PathExpression::parse(&format!("${}", ".a".repeat(5000))).is_err(), "steps");
    assert!(PathExpression::parse(&format!("$[?({}@.a)]", "(".repeat(5000))).is_err(), "parentheses");
}

#[test]
fn a_template_names_its_field_and_takes_null_beyond_an_array() {
    let error = |path: &str, input: &str| {
        let path = PathExpression::parse(path).expect("a path");
        path.evaluate_for(scope(&json(input)), "f.$").map(|value| value.to_json()).map_err(|error| error.cause)
    };
    let text = r#"The JSONPath '$.x.y' specified for the field 'f.$' could not be found in the input '{"a":1}'"#;
    assert_eq!(error("$.x.y", r#"{"a":1}"#), Err(text.to_owned()));
    let text =
        r#"The JSONPath '$$.No' specified for the field 'f.$' could not be found in the input '{"Execution":{"Id":"x","Input":{"a":1}}}'"#;
    assert_eq!(error("$$.No", "{}"), Err(text.to_owned()));
    assert_eq!(error("$.a[5]", r#"{"a":[1]}"#).as_deref(), Ok("null"));
    assert!(error("$.a[5].b", r#"{"a":[1]}"#).is_err());
}

#[test]
fn find_tells_absence_from_null() {
    let find = |path: &str, input: &str| {
        let found = PathExpression::parse(path).expect("a path").find(scope(&json(input))).expect("no cost");
        found.map(|value| value.to_json())
    };
    assert_eq!(find("$.a", r#"{"a":null}"#).as_deref(), Some("null"));
    for path in ["$.b", "$.b.c", "$.a.b", "$.a[0]", "$none"] {
        assert_eq!(find(path, r#"{"a":1}"#), None, "{path}");
    }
    assert_eq!(find("$", "null").as_deref(), Some("null"));
}

#[test]
fn items_name_the_step_that_does_not_fit() {
    let path = PathExpression::parse("$.found.objects").expect("a path");
    let error = path.evaluate_items(scope(&json(r#"{"found":{"status":500}}"#))).expect_err("nothing there");
    assert_eq!(error.to_string(), r#"States.ReferencePathConflict: Unable to apply step "objects" to input {"found":{"status":500}}"#);
}

#[test]
fn the_cost_of_a_path_is_limited() {
    let nested = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let error = evaluated("$..*..*..*..*..*", &nested).expect_err("too many ways");
    assert!(error.contains("The path looks at more than 2000000 values"), "{error}");
}
