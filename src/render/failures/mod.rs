//! Groups of failures as text and as lines of JSON.

mod group;
mod list;
pub(super) mod spark;
mod words;

use serde::Serialize;

pub use group::group;
pub use list::text;
pub(super) use words::{share, width as bin_width};

/// A part of a report on a line of its own, which begins with its schema as each document does.
#[derive(Serialize)]
pub struct Line<'a, T: Serialize> {
    schema: &'static str,
    #[serde(flatten)]
    part: &'a T,
}

impl<'a, T: Serialize> Line<'a, T> {
    /// A line.
    pub fn new(schema: &'static str, part: &'a T) -> Self {
        Self { schema, part }
    }
}
