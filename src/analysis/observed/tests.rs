//! Stories of executions, and what is kept of them.

use bumpalo::Bump;
use serde_json::json;

use super::*;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::fleet::Question;
use crate::model::History;
use crate::model::builder::{history, milliseconds, seconds};
use crate::rebuild::rebuild;

fn gathered(histories: &[History]) -> Gather {
    let mut gather = Gather::new();
    for history in histories {
        let path = rebuild(history, None);
        let arena = Bump::new();
        gather.take(&extract(Rebuilt { history, path: &path, definition: None }, gather.needs(), &arena));
    }
    gather
}

/// Its task fails once and is retried after two seconds.
fn retried(name: &str) -> History {
    let mut told = history("Orders");
    told.named(name);
    told.enter_task("Call", json!({})).pace(milliseconds(0)).taking(milliseconds(100)).attempt_failed("Oops", None);
    told.after(seconds(2)).taking(milliseconds(100)).attempt_succeeded(json!({})).exit(json!({}));
    told.execution_succeeded(json!({})).build()
}

#[test]
fn attempts_stand_by_state_in_the_order_of_time() {
    let observed = gathered(&[retried("one"), retried("two")]).finish();
    let class = observed.classes.first().expect("a state");
    assert_eq!((observed.text(class.state), class.attempts.len()), ("Call", 4));
    let waits: Vec<Option<i64>> = class.attempts.iter().map(|attempt| attempt.wait_before).collect();
    assert_eq!(waits, [None, None, Some(2_000_000), Some(2_000_000)]);
    assert!(class.attempts.windows(2).all(|pair| pair[0].scheduled <= pair[1].scheduled));
}

#[test]
fn it_is_the_same_in_any_order_and_on_any_number_of_threads() {
    let all: Vec<History> = ["one", "two", "three"].iter().map(|name| retried(name)).collect();
    let alone = gathered(&all).finish();
    let mut one = gathered(&all[2..]);
    let mut other = gathered(&all[1..2]);
    other.merge(gathered(&all[..1]));
    one.merge(other);
    let several = one.finish();
    let told = |observed: &Observed| -> Vec<String> {
        let attempts = observed.classes.iter().flat_map(|class| &class.attempts);
        let told = |attempt: &Attempt| format!("{} {:?}", observed.text(observed.execution_of(attempt).arn), attempt.scheduled);
        attempts.map(told).collect()
    };
    assert_eq!(told(&alone), told(&several));
    assert_eq!(told(&alone).len(), 6);
}

#[test]
fn an_attempt_takes_little_room() {
    // There may be millions of them, and most of the time of a question goes with the memory that it touches.
    assert!(size_of::<Attempt>() <= 176, "{} bytes", size_of::<Attempt>());
}
