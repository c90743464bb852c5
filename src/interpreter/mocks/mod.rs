//! Prepared answers of tasks: what a mock says to the n-th attempt of a state.
//!
//! Two ways lead here: a file in the MockConfigFile format of Step Functions Local ([`MockConfig`]), and a single value as it is given
//! on a command line ([`Answers::parse`]). Attempts are counted as Step Functions Local does: one counter for each state in a run,
//! which goes on over retries, loops, and the iterations of a Map.
//!
//! | value                                           | answer                                                      |
//! |-------------------------------------------------|-------------------------------------------------------------|
//! | `{"Return": <JSON>}`                            | this result                                                 |
//! | `{"Throw": {"Error": "…", "Cause": "…"}}`       | this failure                                                |
//! | `{"Error": "…", "Cause": "…"}`, nothing else    | the same, shorter                                           |
//! | `{"Never": true}`                               | none, ever: a timeout ends the attempt, or nothing does     |
//! | `{"0": <one of these>, "1-2": <one of these>}`  | by attempt, counted from 0                                  |
//! | `{"Each[3]": {"0": <one of these>}}`            | by attempt in iteration 3 of the Map `Each`, counted there  |
//! | `[<any>, <any>, …]`                             | the first to the first attempt, the second to the second, … |
//! | anything else                                   | it is the result itself                                     |
//!
//! Beside `Return`, `Throw` and `Never` may stand `AfterSeconds`, how long the answer takes, and `HeartbeatSeconds`, how often a heartbeat
//! comes in that time. These, `Never` and answers by scope are ours; [`scope_label`] writes the name of a scope.

mod answer;
mod answers;
mod config_file;

pub use answer::{Answer, Reply, failure_event, timeout_event};
pub use answers::{Answers, scope_label};
pub use config_file::{MockConfig, TestCase};

use thiserror::Error;

/// What is wrong with mocks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the messages show the fields")]
pub enum MockError {
    /// No JSON.
    #[error("no JSON: {0}")]
    NotJson(String),
    /// A value that is none of the forms of the table above.
    #[error("{place}: {message}")]
    Malformed { place: String, message: String },
    /// What was asked for by name is not there.
    #[error("there is no {what} `{name}`{within}; {present}")]
    Missing { what: &'static str, name: String, within: String, present: String },
    /// Nothing was asked for by name, and there is more than one, or none.
    #[error("which {what}{within}? {present}")]
    Choose { what: &'static str, within: String, present: String },
}

impl MockError {
    fn malformed(place: &str, message: impl Into<String>) -> Self {
        Self::Malformed { place: place.to_owned(), message: message.into() }
    }
}

/// `it has: a, b and 3 more`, or that it has none.
fn present<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const MOST: usize = 12;
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return "it has none".to_owned();
    }
    let more = if names.len() > MOST { format!(" and {} more", names.len() - MOST) } else { String::new() };
    format!("it has {}{more}", names[..names.len().min(MOST)].join(", "))
}
