//! Groups of failures as text.

mod group;
mod list;
mod words;

pub use group::group;
pub use list::text;
