//! Reads the state that a cause names.
//!
//! `States.Runtime` and its like often leave no event of their own: the text of the execution's cause is then the only
//! pointer to the state. Recorded forms:
//!
//! | text                                                                               | tells                   |
//! |------------------------------------------------------------------------------------|-------------------------|
//! | An error occurred while executing the state '…' (entered at the event id #…). …    | state and Entered event |
//! | The state/task '…' returned a result with a size exceeding the maximum number of … | state, or a task's kind |

/// A state that a cause names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateInCause<'c> {
    /// Its name.
    pub state: &'c str,
    /// The id of its Entered event, where the text has it.
    pub entered_event_id: Option<u64>,
    /// What the cause goes on to say.
    pub rest: &'c str,
}

const EXECUTING: &str = "An error occurred while executing the state '";
const ENTERED: &str = "' (entered at the event id #";
const RESULT_OF: &str = "The state/task '";
const TOO_LARGE: &str = "' returned a result with a size exceeding";

/// The state that a cause names, where it begins in one of the recorded forms.
///
/// State names may hold quotes and even the words of the form: the name ends at the first place where the form goes on with a
/// number.
pub fn state_in_cause(cause: &str) -> Option<StateInCause<'_>> {
    let cause = cause.trim_start();
    if let Some(text) = cause.strip_prefix(EXECUTING) {
        return text.match_indices(ENTERED).find_map(|(position, marker)| {
            let after = &text[position + marker.len()..];
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let entered_event_id = after[..digits].parse().ok()?;
            let rest = after[digits..].strip_prefix(')')?;
            let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start();
            Some(StateInCause { state: &text[..position], entered_event_id: Some(entered_event_id), rest })
        });
    }
    let text = cause.strip_prefix(RESULT_OF)?;
    let state = &text[..text.rfind(TOO_LARGE)?];
    Some(StateInCause { state, entered_event_id: None, rest: cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(cause: &str) -> Option<(&str, Option<u64>, &str)> {
        state_in_cause(cause).map(|found| (found.state, found.entered_event_id, found.rest))
    }

    #[test]
    fn the_state_and_its_entered_event_are_read() {
        let cause = "An error occurred while executing the state 'Pick' (entered at the event id #12). Invalid path '$.a'";
        assert_eq!(named(cause), Some(("Pick", Some(12), "Invalid path '$.a'")));
    }

    #[test]
    fn a_name_may_hold_quotes_and_any_script() {
        let cause = "An error occurred while executing the state 'L'été (entered at #3) 状态' (entered at the event id #7). x";
        assert_eq!(named(cause), Some(("L'été (entered at #3) 状态", Some(7), "x")));
        let marker_without_number =
            "An error occurred while executing the state 'a' (entered at the event id #?) b' (entered at the event id #4).";
        assert_eq!(named(marker_without_number), Some(("a' (entered at the event id #?) b", Some(4), "")));
    }

    #[test]
    fn a_result_that_is_too_large_names_the_state_alone() {
        let cause = "The state/task 'Jo's state' returned a result with a size exceeding the maximum number of bytes service limit.";
        assert_eq!(named(cause), Some(("Jo's state", None, cause)));
        assert_eq!(named("The state/task 'X' returned"), None);
    }

    #[test]
    fn what_only_resembles_a_form_names_nothing() {
        assert_eq!(named("boom"), None);
        assert_eq!(named("An error occurred while executing the state 'Pick'"), None);
        assert_eq!(named("An error occurred while executing the state 'Pick' (entered at the event id #). x"), None);
        assert_eq!(named("An error occurred while executing the state 'Pick' (entered at the event id #99999999999999999999999). x"), None);
        assert_eq!(named("It said: An error occurred while executing the state 'Pick' (entered at the event id #1). x"), None);
    }
}
