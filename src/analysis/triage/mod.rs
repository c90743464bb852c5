//! Everything that is wrong, the worst first: the findings of all detectors.
//!
//! | file         | holds                                     |
//! |--------------|-------------------------------------------|
//! | `detect.rs`  | all detectors over what was read          |
//! | `report.rs`  | the answer                                |

mod detect;
mod report;

pub use detect::{Detected, detect, report};
pub use report::{FailureGroupFinding, Finding, SCHEMA, TriageReport};
