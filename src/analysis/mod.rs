//! Questions about executions, each answered with a plain value that serialises.

pub mod advice;
pub mod audit;
pub mod cause;
pub mod compare;
pub mod cost;
pub mod execution;
pub mod facts;
pub mod failures;
pub mod fingerprint;
pub mod fleet;
pub mod ingest;
pub mod latency;
pub mod pattern;
pub mod pull;
pub mod pull_logs;
pub mod replay;
pub mod run;
pub mod selection;
pub mod show;
pub mod task_log;
pub mod variants;
pub mod why;
