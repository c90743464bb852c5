//! The rules, by what they are about.
//!
//! | file             | about                                                        |
//! |------------------|--------------------------------------------------------------|
//! | `express.rs`     | what may happen twice in an Express machine                  |
//! | `identifiers.rs` | accounts that are written into a definition                  |
//! | `maps.rs`        | Map: how many at once, how many in all, what comes of them   |
//! | `payloads.rs`    | constants that no state can pass on                          |
//! | `retries.rs`     | Retry                                                        |
//! | `settings.rs`    | logging and tracing                                          |

mod express;
mod identifiers;
mod maps;
mod payloads;
mod retries;
mod settings;
#[cfg(test)]
pub(in crate::analysis::audit) mod testing;

use super::rule::Rule;

/// All rules, by id within a file.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [express::RULES, identifiers::RULES, maps::RULES, payloads::RULES, retries::RULES, settings::RULES].into_iter().flatten()
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
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_sentences_are_whole() {
        let mut ids = BTreeSet::new();
        for rule in all() {
            assert!(ids.insert(rule.id), "{} is there twice", rule.id);
            assert!(rule.id.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()), "{}", rule.id);
            assert!(rule.reason.ends_with('.') && !rule.title.ends_with('.'), "{}", rule.id);
            assert!(rule.source.starts_with("https://"), "{}", rule.id);
        }
    }
}
