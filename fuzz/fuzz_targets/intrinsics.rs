//! Any arguments for each intrinsic function, on any JSON behind them: a value or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stepscope::expr::{PathExpression, Scope, Value};

mod fixed;

const FUNCTIONS: [&str; 18] = [
    "Array", "ArrayPartition", "ArrayContains", "ArrayRange", "ArrayGetItem", "ArrayLength", "ArrayUnique", "Base64Encode", "Base64Decode", "Hash",
    "JsonMerge", "StringToJson", "JsonToString", "MathRandom", "MathAdd", "StringSplit", "UUID", "Format",
];

fuzz_target!(|chosen: (u8, &str)| {
    let (function, text) = chosen;
    let (arguments, json) = text.split_once('\n').unwrap_or((text, r#"{"a":[1,2.5,"x"],"b":{"c":null},"s":"{}"}"#));
    let Ok(input) = Value::parse(json) else { return };
    let call = format!("States.{}({arguments})", FUNCTIONS[usize::from(function) % FUNCTIONS.len()]);
    if let Ok(call) = PathExpression::parse(&call) {
        let scope = Scope { input: &input, result: None, error_output: None, around: &fixed::Fixed };
        if let Err(error) = call.evaluate(scope) {
            assert!(error.cause.contains("had the following error: "), "{error}");
        }
    }
});
