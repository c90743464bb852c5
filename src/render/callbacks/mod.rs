//! The answer to `callbacks` as text and as a figure.

mod figure;
mod text;

pub use figure::figure;
pub use text::text;

use crate::model::StateMachineArn;

/// The name in a machine's ARN.
fn machine_name(arn: Option<&str>) -> String {
    arn.map_or_else(
        || "(no state machine named)".to_owned(),
        |text| text.parse::<StateMachineArn>().map_or_else(|_| text.to_owned(), |arn| arn.name().to_owned()),
    )
}
