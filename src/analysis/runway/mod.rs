//! Runway: executions that approach a limit of the service, and when they reach it at this rate.
//!
//! | limit    | of what                         | how much                                                                |
//! |----------|---------------------------------|-------------------------------------------------------------------------|
//! | events   | a Standard execution's history  | 25,000                                                                  |
//! | duration | an execution                    | a year; Express five minutes; less where the definition's `TimeoutSeconds` is |
//! | payload  | an input, output, parameters, result of a state | 262,144 bytes                                            |
//!
//! What is a finding. Every row is a rule by itself; a finding has the severity of the worst row that holds.
//!
//! | basis   | when                                                                                            | severity |
//! |---------|-------------------------------------------------------------------------------------------------|----------|
//! | running | an execution runs that reaches the limit before its time limit ends it, and nothing speaks for an end before (below) | critical within 24 hours, else warning |
//! | reached | executions failed of it; of a `TimeoutSeconds` only where successful ones need half of it or more: else something hung, and the limit is not what is wrong | critical when the last did within 24 hours, else warning |
//! | trend   | the largest has half of the limit, the largest of each hour or day grows (`trend.rs`), and the line reaches the limit within as long a time as was observed | warning |
//! | level   | the largest that ended has four fifths of it                                                     | notice |
//!
//! A running execution may end at any moment, and most do long before any limit. What speaks for an end, so that nothing is said:
//! its Map goes through its items and has room for all of them; or, of a machine of which twenty executions or more ended, another
//! one got as far and ended. Where fewer ended nobody knows what is usual, and an execution has to have used half of the limit (of
//! durations always four fifths: they are used up by waiting alone, and usually end by an answer).
//!
//! | file          | holds                                                         |
//! |---------------|---------------------------------------------------------------|
//! | `gather.rs`   | what is kept of executions while they pass                     |
//! | `shape.rs`    | what made a history long: a loop, a Map                        |
//! | `trend.rs`    | the line through the largest of each hour or day              |
//! | `judge.rs`    | the rules above                                               |
//! | `words.rs`    | what is said of them                                          |
//! | `report.rs`   | the answer                                                    |

mod gather;
mod judge;
mod report;
mod shape;
#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of stories told here"
)]
mod tests;
mod trend;
mod words;

pub use gather::RunwayQuestion;
pub use report::{EVENTS, EXPRESS_MS, Limit, LimitSource, PAYLOAD_BYTES, RunningRunway, Runway, RunwayBasis, RunwayEvidence, STANDARD_MS};
pub use shape::{Growth, Shape};
pub use trend::{Period, Trend};

use super::finding::NotEnough;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// By machine and limit.
    pub runways: Vec<Runway>,
    /// What could not be judged.
    pub not_enough: Vec<NotEnough>,
}
