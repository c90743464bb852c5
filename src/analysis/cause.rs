//! Reads what a cause says: the text that comes with an error.
//!
//! Apart from `why` because every question about failures asks it. Nothing here fails: a cause of a form that is not
//! known keeps its text.

/// The state that a cause of the States service names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateInCause<'a> {
    /// The state's name.
    pub state: String,
    /// Its Entered event.
    pub entered_event_id: u64,
    /// What comes after the prefix.
    pub rest: &'a str,
}

const EXECUTING: &str = "An error occurred while executing the state '";
const ENTERED: &str = "' (entered at the event id #";
const OVERSIZED: &str = "The state/task '";
const OVERSIZED_END: &str = "' returned a result with a size exceeding";

/// Reads the prefix `An error occurred while executing the state 'S' (entered at the event id #n). `.
///
/// The name may hold quotes; it ends where `' (entered at the event id #`, a number and `)` first follow.
pub fn state_in_cause(cause: &str) -> Option<StateInCause<'_>> {
    let text = cause.trim_start().strip_prefix(EXECUTING)?;
    text.match_indices(ENTERED).find_map(|(position, marker)| {
        let after = &text[position + marker.len()..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let entered_event_id = after[..digits].parse().ok()?;
        let rest = after[digits..].strip_prefix(')')?;
        let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start();
        Some(StateInCause { state: text[..position].to_owned(), entered_event_id, rest })
    })
}

/// Reads the state (or `lambda`, or a function's ARN) from `The state/task 'S' returned a result with a size exceeding …`.
pub fn oversized_in_cause(cause: &str) -> Option<&str> {
    let text = cause.trim_start().strip_prefix(OVERSIZED)?;
    text.rfind(OVERSIZED_END).map(|position| &text[..position])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(cause: &str) -> Option<(String, u64, &str)> {
        state_in_cause(cause).map(|found| (found.state, found.entered_event_id, found.rest))
    }

    #[test]
    fn the_prefix_names_state_and_event() {
        let cause = "An error occurred while executing the state 'Pick' (entered at the event id #12). Invalid path '$.a'";
        assert_eq!(named(cause), Some(("Pick".to_owned(), 12, "Invalid path '$.a'")));
    }

    #[test]
    fn a_name_may_hold_quotes_and_any_script() {
        let cause = "An error occurred while executing the state 'L'été (entered at #3) 状态' (entered at the event id #7). x";
        assert_eq!(named(cause), Some(("L'été (entered at #3) 状态".to_owned(), 7, "x")));
        let marker_without_number =
            "An error occurred while executing the state 'a' (entered at the event id #?) b' (entered at the event id #4).";
        assert_eq!(named(marker_without_number), Some(("a' (entered at the event id #?) b".to_owned(), 4, "")));
    }

    #[test]
    fn what_only_resembles_the_prefix_names_nothing() {
        assert_eq!(named("An error occurred while executing the state 'Pick'"), None);
        assert_eq!(named("An error occurred while executing the state 'Pick' (entered at the event id #). x"), None);
        assert_eq!(named("An error occurred while executing the state 'Pick' (entered at the event id #99999999999999999999999). x"), None);
        assert_eq!(named("It said: An error occurred while executing the state 'Pick' (entered at the event id #1). x"), None);
        assert_eq!(named(""), None);
    }

    #[test]
    fn a_result_that_is_too_large_names_its_state() {
        let cause = "The state/task 'Jo's state' returned a result with a size exceeding the maximum number of bytes service limit.";
        assert_eq!(oversized_in_cause(cause), Some("Jo's state"));
        assert_eq!(oversized_in_cause("The state/task 'X' returned"), None);
    }
}
