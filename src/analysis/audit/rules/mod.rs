//! The rules, by what they are about.
//!
//! | file              | about                                                              |
//! |-------------------|--------------------------------------------------------------------|
//! | `retries.rs`      | numbers of a retrier: jitter, the longest wait, how often          |
//! | `errors.rs`       | errors that retriers and catchers name                             |
//! | `lambda.rs`       | invoking functions: errors that pass, timeouts                     |
//! | `nested.rs`       | retries around retries                                             |
//! | `catches.rs`      | what a Catch does to the work: lost input, hidden failures         |
//! | `cleanup.rs`      | what is left behind when a step fails                              |
//! | `compensation.rs` | chains that undo                                                   |
//! | `timeouts.rs`     | waiting without an end                                             |
//! | `loops.rs`        | polling, retries by hand, states that nothing leads to             |
//! | `resources.rs`    | functions in the place of an integration                           |
//! | `pages.rs`        | the pages that the rules stand on                                  |

mod catches;
mod cleanup;
mod compensation;
mod errors;
mod lambda;
mod loops;
mod nested;
mod pages;
mod resources;
mod retries;
mod timeouts;

use super::rule::Rule;

/// All rules, by id within a file.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        retries::RULES,
        errors::RULES,
        lambda::RULES,
        nested::RULES,
        catches::RULES,
        cleanup::RULES,
        compensation::RULES,
        timeouts::RULES,
        loops::RULES,
        resources::RULES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
