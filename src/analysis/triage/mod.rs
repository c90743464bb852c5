//! Everything that is wrong, the worst first: the findings of all detectors, put together to incidents.
//!
//! | file           | holds                                                        |
//! |----------------|--------------------------------------------------------------|
//! | `detect.rs`    | all detectors over what was read                             |
//! | `groups.rs`    | failure groups as findings: how bad they are                 |
//! | `relations.rs` | which machines have to do with each other, and what failed when |
//! | `incidents.rs` | which findings belong together, and their order              |
//! | `report.rs`    | the answer                                                   |

mod detect;
mod groups;
mod incidents;
mod relations;
mod report;
#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of stories told here"
)]
mod tests;

pub use detect::{Detected, detect, report};
pub use report::{FailureEvidence, FailureGroupFinding, Finding, Incident, MachineHealth, SCHEMA, SCHEMA_FINDING, TriageReport};
