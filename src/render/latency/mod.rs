//! The answer to `latency` as a table for each machine, and as a figure.

mod figure;
mod text;
mod traces;

pub use figure::figure;
pub use text::text;

use crate::model;

/// The name in a machine's ARN.
fn machine_name(arn: Option<&str>) -> &str {
    arn.map_or("(no state machine named)", model::machine_name)
}
