//! How long one evaluation of a JSONata expression takes, with all that is bound for it.
//!
//! Run by `cargo bench --bench jsonata`. The loop of a state machine needs the first two in well under 2 microseconds.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

mod common;

use std::hint::black_box;

use common::{Candidate, medians, milliseconds};
use stepscope::expr::{Jsonata, Scope, Surroundings, Value};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVALUATIONS: usize = 10_000;
const ROUNDS: usize = 11;

/// Expressions, and what they stand for.
const EXPRESSIONS: [(&str, &str); 8] = [
    ("a condition", "$i < $limit"),
    ("an assignment", "$i + 1"),
    ("an output", "{'i': $i}"),
    ("a path", "$states.input.order.customer"),
    ("a path through the engine", "$states.input.order.lines[0].sku"),
    ("a filter", "$states.input.order.lines[qty > 2].sku"),
    ("a function", "$sum($states.input.order.lines.qty)"),
    ("a member of a large payload", "$count($states.input.large)"),
];

struct Variables;

impl Surroundings for Variables {
    fn context(&self) -> Value {
        Value::Null
    }

    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "i" => Some(Value::from(41)),
            "limit" => Some(Value::from(100_000)),
            _ => None,
        }
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn uuid(&self) -> String {
        String::new()
    }

    fn now(&self) -> i64 {
        0
    }
}

fn main() {
    let large =
        Value::array((0..5_000).map(|number| Value::object([("id", Value::from(number)), ("text", "some text of an item".into())])));
    let order = r#"{"customer":"C1","lines":[{"sku":"x","qty":2},{"sku":"y","qty":5},{"sku":"z","qty":1}]}"#;
    let input = Value::object([("order", Value::parse(order).expect("JSON")), ("large", large)]);
    let scope = Scope { input: &input, result: None, error_output: None, around: &Variables };
    for (what, text) in EXPRESSIONS {
        let expression = Jsonata::parse(text).expect("JSONata");
        let work = || (0..EVALUATIONS).filter(|_| black_box(expression.evaluate(scope, "Output")).is_ok()).count();
        let median = medians(&[Candidate { name: what, work: &work }], ROUNDS)[0];
        println!("{what:<28} {:>9.0} ns  {text}", milliseconds(median) * 1e6 / EVALUATIONS as f64);
    }
}
