//! Bytes or the API to [`History`](crate::model::History); what events mean is decided elsewhere.

pub mod assemble;
pub mod aws;
pub mod exec;

pub use assemble::{Page, assemble};
pub use exec::Exec;
