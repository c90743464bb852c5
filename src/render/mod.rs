//! Reports to text and JSON. Renderers write to a given writer with given [`Styles`](styles::Styles) and add nothing.

pub mod escape;
pub mod redact;
pub mod styles;
