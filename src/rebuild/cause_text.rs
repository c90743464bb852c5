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
/// State names may hold quotes; therefore the name ends at the first place where the form goes on.
pub fn state_in_cause(cause: &str) -> Option<StateInCause<'_>> {
    if let Some(text) = cause.strip_prefix(EXECUTING) {
        let (state, after) = text.split_once(ENTERED)?;
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let rest = after[digits..].strip_prefix(')')?;
        let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start();
        return Some(StateInCause { state, entered_event_id: after[..digits].parse().ok(), rest });
    }
    let text = cause.strip_prefix(RESULT_OF)?;
    let (state, _) = text.split_once(TOO_LARGE)?;
    Some(StateInCause { state, entered_event_id: None, rest: cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_and_its_entered_event_are_read() {
        let cause = "An error occurred while executing the state 'Say 'hi'' (entered at the event id #12). Invalid path '$.x'";
        let found = state_in_cause(cause).expect("a recorded form");
        assert_eq!(found, StateInCause { state: "Say 'hi'", entered_event_id: Some(12), rest: "Invalid path '$.x'" });
    }

    #[test]
    fn a_result_that_is_too_large_names_the_state_alone() {
        let cause = "The state/task 'Merge' returned a result with a size exceeding the maximum number of bytes service limit.";
        let found = state_in_cause(cause).expect("a recorded form");
        assert_eq!((found.state, found.entered_event_id), ("Merge", None));
    }

    #[test]
    fn other_texts_name_nothing() {
        assert_eq!(state_in_cause("boom"), None);
        assert_eq!(state_in_cause("An error occurred while executing the state 'S' (entered at the event id #"), None);
        assert_eq!(state_in_cause("He said: An error occurred while executing the state 'S' (entered at the event id #2)."), None);
    }
}
