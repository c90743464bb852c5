//! The rules, by what they are about.
//!
//! | file          | about                                        |
//! |---------------|----------------------------------------------|
//! | `retries.rs`  | Retry                                        |

mod retries;

use super::rule::Rule;

/// All rules, by id within a file.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [retries::RULES].into_iter().flatten()
}
