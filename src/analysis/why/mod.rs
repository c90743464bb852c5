//! Why an execution failed: the failure that started it, where it ended, what was handled on the way.

mod report;

pub use report::*;
