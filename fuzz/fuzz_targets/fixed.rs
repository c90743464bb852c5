//! What expressions see beside their input.

use stepscope::expr::{Surroundings, Value};

pub struct Fixed;

impl Surroundings for Fixed {
    fn context(&self) -> Value {
        Value::object([("Execution", Value::object([("Id", Value::from("x"))]))])
    }

    fn variable(&self, name: &str) -> Option<Value> {
        (name == "v").then(|| Value::array([Value::from(1), Value::from("x")]))
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
