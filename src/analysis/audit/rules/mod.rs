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
//! | `maps.rs`         | Map: how many at once, how many in all, what comes of them         |
//! | `payloads.rs`     | constants that no state can pass on                                |
//! | `express.rs`      | what may happen twice in an Express machine                        |
//! | `identifiers.rs`  | accounts that are written into a definition                        |
//! | `settings.rs`     | logging and tracing                                                |
//! | `pages.rs`        | the pages that the rules stand on                                  |

mod catches;
mod cleanup;
mod compensation;
mod errors;
mod express;
mod identifiers;
mod lambda;
mod loops;
mod maps;
mod nested;
mod pages;
mod payloads;
mod resources;
mod retries;
mod settings;
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
        maps::RULES,
        payloads::RULES,
        express::RULES,
        identifiers::RULES,
        settings::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rule of this id.
///
/// # Errors
///
/// Words that say that there is none, and which was likely meant.
pub fn named(id: &str) -> Result<&'static Rule, String> {
    if let Some(rule) = all().find(|rule| rule.id == id) {
        return Ok(rule);
    }
    let near = all().map(|rule| (strsim::damerau_levenshtein(rule.id, id), rule.id)).min();
    // Further off than a third, another word was meant.
    let meant = near.filter(|(distance, known)| *distance * 3 <= known.len()).map(|(_, known)| format!(": did you mean `{known}`?"));
    Err(format!("there is no rule `{id}`{}", meant.unwrap_or_else(|| "; `stepscope audit --rules` lists them".to_owned())))
}

#[cfg(test)]
pub(in crate::analysis::audit) mod testing;
#[cfg(test)]
mod tests;
