//! The answer to `latency` as a table for each machine, and as a figure.

mod figure;
mod text;

pub use figure::figure;
pub use text::text;

use crate::model::StateMachineArn;

/// The name in a machine's ARN.
fn machine_name(arn: Option<&str>) -> String {
    match arn.map(|arn| (arn, arn.parse::<StateMachineArn>())) {
        Some((_, Ok(arn))) => arn.name().to_owned(),
        Some((text, Err(_))) => text.to_owned(),
        None => "(no state machine named)".to_owned(),
    }
}
