//! Any text as a path, a call or a template: an error or a value, never a panic; and what was written to a place is found there.

use proptest::prelude::*;
use stepscope::expr::{PathExpression, ReferencePath, Scope, Surroundings, Template, TemplateLanguage, Value};

struct Fixed;

impl Surroundings for Fixed {
    fn context(&self) -> Value {
        Value::object([("a", Value::from(1))])
    }

    fn variable(&self, name: &str) -> Option<Value> {
        (name == "a").then(|| Value::array([Value::from(1), Value::from("x")]))
    }

    fn random(&self) -> f64 {
        0.25
    }

    fn uuid(&self) -> String {
        "11111111-2222-4333-8444-555555555555".to_owned()
    }

    fn now(&self) -> i64 {
        0
    }
}

fn scope(input: &Value) -> Scope<'_> {
    Scope { input, result: None, error_output: None, around: &Fixed }
}

/// Texts of the pieces that expressions are made of, and quite arbitrary ones.
fn expression() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "$",
        "$$",
        "$a",
        ".",
        "..",
        "[",
        "]",
        "*",
        "[?(",
        ")",
        "@",
        "@.a",
        "'a'",
        "\"b\"",
        "a",
        "é",
        "0",
        "-1",
        "1.5",
        "1e309",
        ":",
        ",",
        " ",
        "&&",
        "||",
        "!",
        "==",
        "<",
        "=~",
        "/a|b/i",
        "in",
        "['a', 1]",
        "length()",
        "null",
        "true",
        "\\",
        "{}",
        "'{}'",
        "'",
        "(",
        "States.Format(",
        "States.Array(",
        "States.ArrayRange(",
        "States.MathAdd(",
        "States.StringSplit(",
        "States.Base64Decode(",
        "States.JsonToString(",
        "States.ArrayUnique(",
        "States.MathRandom(",
        "States.ArrayPartition(",
        "States.StringToJson(",
        "States.Hash(",
        "'MD5'",
    ]);
    prop_oneof![
        4 => prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab{}\\\\,=é]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[abé]{1,2}", inner), 0..4).prop_map(Value::object),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_expression_gives_a_value_or_an_error(text in expression(), input in value()) {
        let Ok(path) = PathExpression::parse(&text) else { return Ok(()) };
        prop_assert_eq!(path.text(), text.trim_end_matches(' '));
        let evaluated = path.evaluate(scope(&input));
        let found = path.find(scope(&input));
        if let Ok(value) = &evaluated {
            prop_assert_eq!(found.as_ref(), Ok(&Some(value.clone())));
        }
        if let Some(value) = path.peek(scope(&input)) {
            prop_assert_eq!(evaluated.as_ref(), Ok(value));
        }
        if path.is_indefinite() {
            prop_assert!(evaluated.map_or(true, |value| value.as_array().is_some()));
        }
        let _ = path.evaluate_for(scope(&input), "field.$");
        let _ = path.evaluate_items(scope(&input));
    }

    #[test]
    fn any_template_gives_a_value_or_an_error(text in expression(), literal in value(), input in value()) {
        let template = Value::object([("filled.$", Value::from(text)), ("literal", literal.clone())]);
        let Ok(template) = Template::compile(&template, TemplateLanguage::JsonPath, "Parameters") else { return Ok(()) };
        if let Ok(value) = template.evaluate(scope(&input)) {
            prop_assert_eq!(value.get("literal"), Some(&literal));
            prop_assert!(value.get("filled").is_some());
        }
    }

    #[test]
    fn what_was_written_to_a_place_is_found_there(names in prop::collection::vec(".*", 1..4), input in value(), written in value()) {
        let quoted: Vec<String> = names.iter().map(|name| name.replace('\\', "\\\\").replace('\'', "\\'")).collect();
        let text = format!("$['{}']", quoted.join("']['"));
        let place = ReferencePath::parse(&text).expect("names in quotes are a reference path");
        let before = input.clone();
        if let Ok(with) = place.insert(&input, written.clone()) {
            let path = PathExpression::parse(&text).expect("a reference path is a path");
            prop_assert_eq!(path.evaluate(scope(&with)), Ok(written));
        }
        prop_assert_eq!(input, before);
    }
}
