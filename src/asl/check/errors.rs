//! Retry and Catch.

use super::super::machine::QueryLanguage;
use super::super::source::Content;
use super::expressions::Sight;
use super::fields::{CATCHER, Field, RETRIER, Shape};
use super::spot::Spot;
use super::{Checker, Code};

/// The names of errors that begin with `States.`.
const RESERVED: &[&str] = &[
    "States.ALL",
    "States.HeartbeatTimeout",
    "States.Timeout",
    "States.TaskFailed",
    "States.Permissions",
    "States.ResultPathMatchFailure",
    "States.ParameterPathFailure",
    "States.BranchFailed",
    "States.NoChoiceMatched",
    "States.IntrinsicFailure",
    "States.ExceedToleratedFailureThreshold",
    "States.ItemReaderFailed",
    "States.ResultWriterFailed",
    "States.QueryEvaluationError",
    "States.DataLimitExceeded",
    "States.Runtime",
    "States.Http.Socket",
];

/// Whether something may have this name: anything, but of those that begin with `States.` only the language's own.
pub fn is_error_name(name: &str) -> bool {
    !name.starts_with("States.") || RESERVED.contains(&name) || name.starts_with("States.Http.StatusCode.")
}

impl<'s> Checker<'s> {
    /// `Retry` and `Catch` of a state.
    pub(super) fn retry_and_catch(&mut self, state: &Spot<'_, 's>, language: QueryLanguage) {
        let sight = Sight::plain(language);
        if let Some(retry) = state.member("Retry") {
            self.each_handler(&retry, RETRIER, &["ErrorEquals"], sight);
        }
        if let Some(catch) = state.member("Catch") {
            let sight = Sight { error_output: true, ..sight };
            self.each_handler(&catch, CATCHER, &["ErrorEquals", "Next"], sight);
            for assign in catch.items().filter(|catcher| catcher.node.is_object()) {
                if let Some(assign) = assign.member("Assign") {
                    self.assign(&assign, sight);
                }
            }
        }
    }

    fn each_handler(&mut self, list: &Spot<'_, 's>, table: &[Field], required: &[&str], sight: Sight) {
        let last = list.node.items().len().saturating_sub(1);
        for (position, handler) in list.items().enumerate() {
            if !handler.node.is_object() {
                self.shape(&handler, Shape::Object, sight);
                continue;
            }
            self.fields(&handler, &[table], sight);
            self.required(&handler, required);
            if let Some(names) = handler.member("ErrorEquals") {
                self.error_names(&names, position == last);
            }
        }
    }

    fn error_names(&mut self, names: &Spot<'_, 's>, is_last: bool) {
        let Content::Array(items) = &names.node.content else {
            return self.shape(names, Shape::Array, Sight::plain(QueryLanguage::JsonPath));
        };
        self.not_empty(names);
        for name in names.items() {
            match name.node.as_str() {
                None => self.shape(&name, Shape::Text, Sight::plain(QueryLanguage::JsonPath)),
                Some("States.ALL") if items.len() > 1 || !is_last => {
                    self.error(&name, "States.ALL can only appear in the last element, and by itself");
                }
                Some(text) => self.error_name(&name, text),
            }
        }
    }

    /// The service takes it, and nothing has this name.
    fn error_name(&mut self, spot: &Spot<'_, 's>, name: &str) {
        if !is_error_name(name) && !spot.node.is_substitution() {
            let message = format!("Names of errors that begin with 'States.' are the language's own, and '{name}' is none of them");
            self.say(Code::ReservedErrorName, spot, message);
        }
    }
}
