//! Reports to text and JSON. Renderers write to a given writer with given [`Styles`](styles::Styles) and add nothing.

pub mod audit;
mod columns;
pub mod escape;
pub mod events;
pub mod failures;
pub mod ingest;
mod json_fold;
mod json_text;
pub mod latency;
mod page;
pub mod plot;
pub mod redact;
pub mod replay;
pub mod run;
pub mod show;
pub mod state;
pub mod store;
pub mod styles;
pub mod test_state;
pub mod timeline;
pub mod why;
