//! Which rule of Retry or Catch takes an error of the state under test.

use super::answer::{Answer, ErrorDetails, Status};
use super::states::{Left, Test, text};
use crate::interpreter::data_flow;
use crate::interpreter::failure::{Failure, Problem};
use crate::interpreter::payload::Payload;
use crate::interpreter::retry;

impl Test<'_> {
    /// The answer for a failure: RETRIABLE, CAUGHT_ERROR or FAILED.
    ///
    /// The wait before a retry is told without its jitter. A retrier that is used up is named, too, beside the catcher, if any.
    pub(super) fn handle(&mut self, failure: &Failure, input: &Payload) -> Answer {
        let state = self.state();
        let mut details = ErrorDetails::default();
        if let Some(position) = retry::matching(&state.retry, failure) {
            let retrier = &state.retry[position];
            let used = self.request.configuration.retrier_retry_count.unwrap_or(0);
            details.retry_index = Some(position);
            if used < retrier.max_attempts {
                details.retry_backoff_interval_seconds = Some(retry::delay(retrier, used).as_secs());
                self.seen.error_details = Some(details);
                return self.with_failure(Status::Retriable, failure);
            }
        }
        let Some(position) = state.catch.iter().position(|catcher| failure.matches(&catcher.error_equals)) else {
            self.seen.error_details = Some(details).filter(|details| *details != ErrorDetails::default());
            return self.failed(failure);
        };
        let catcher = &state.catch[position];
        details.catch_index = Some(position);
        self.seen.error_details = Some(details);
        match data_flow::caught(state, catcher, input, failure, self.sight) {
            Ok(completed) => {
                let left = Left { completed, next: Some(catcher.next) };
                let (error, cause) = (text(failure.error.as_ref()), text(failure.cause.as_ref()));
                Answer { error, cause, ..self.left(Status::CaughtError, &left) }
            }
            Err(Problem::Evaluation(error)) => self.failed(&Failure::new(error.error, error.cause)),
            Err(Problem::TooLarge) => self.failed_of_size(),
        }
    }
}
