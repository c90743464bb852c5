//! What expressions see in tests.

use super::{Scope, Surroundings, Value};

/// Surroundings with a fixed context object, `$v` and `$list`, and no chance.
pub(super) struct Fixed;

impl Surroundings for Fixed {
    fn context(&self) -> Value {
        json(r#"{"Execution":{"Id":"x","Input":{"a":1}}}"#)
    }

    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "v" => Some(json(r#"{"a":{"b":7}}"#)),
            "list" => Some(json("[1,2,3]")),
            _ => None,
        }
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn uuid(&self) -> String {
        "11111111-2222-4333-8444-555555555555".to_owned()
    }

    fn now(&self) -> i64 {
        0
    }
}

pub(super) fn json(text: &str) -> Value {
    Value::parse(text).expect("JSON")
}

pub(super) fn scope(input: &Value) -> Scope<'_> {
    Scope { input, result: None, error_output: None, around: &Fixed }
}
