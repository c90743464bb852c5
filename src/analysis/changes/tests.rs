//! Stories of executions, and what they say about change.
