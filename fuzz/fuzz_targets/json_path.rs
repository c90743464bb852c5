//! Any text as a path, evaluated on any JSON behind it: a value or an error, within the limits of what a path may cost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stepscope::expr::{PathExpression, ReferencePath, Scope, Value};

mod fixed;

fuzz_target!(|text: &str| {
    let (path, json) = text.split_once('\n').unwrap_or((text, r#"{"a":[{"b":1},{"b":"x"}],"b":null}"#));
    let Ok(input) = Value::parse(json) else { return };
    let scope = Scope { input: &input, result: None, error_output: None, around: &fixed::Fixed };
    if let Ok(path) = PathExpression::parse(path) {
        let evaluated = path.evaluate(scope);
        if let Ok(value) = &evaluated {
            assert_eq!(path.find(scope).as_ref(), Ok(&Some(value.clone())));
        }
        let _ = path.evaluate_for(scope, "field.$");
    }
    if let Ok(place) = ReferencePath::parse(path) {
        let _ = place.insert(&input, Value::from(true));
    }
});
