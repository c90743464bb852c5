//! Questions about executions, each answered with a plain value that serialises.

pub mod why;
