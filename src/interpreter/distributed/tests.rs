//! Map Runs in whole executions.
