//! One state: its fields, and what must be true of them together.

use super::super::machine::QueryLanguage;
use super::super::source::Content;
use super::expressions::{Sight, is_query};
use super::fields::{self, BRANCH, TYPES};
use super::spot::Spot;
use super::{Checker, Code};

/// The longest name of a variable, in characters.
const LONGEST_VARIABLE: usize = 80;

impl<'s> Checker<'s> {
    /// A state and everything in it.
    pub(super) fn state(&mut self, state: &Spot<'_, 's>) {
        if !state.node.is_object() {
            return self.shape(state, fields::Shape::Object, Sight::plain(self.language));
        }
        let Some(type_field) = state.member("Type") else { return self.required(state, &["Type"]) };
        let state_type = type_field.node.as_str().unwrap_or_default();
        let Some(tables) = fields::of_state(state_type) else {
            if !type_field.node.is_substitution() {
                self.one_of(&type_field, TYPES);
            }
            return;
        };
        let language = self.language_of(state.node);
        if language == QueryLanguage::JsonPath && self.language == QueryLanguage::Jsonata {
            self.error(state, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine");
        }
        let sight = Sight { result: matches!(state_type, "Task" | "Parallel" | "Map"), ..Sight::plain(language) };
        self.fields(state, tables, sight);
        if let Some(assign) = state.member("Assign").filter(|_| !matches!(state_type, "Succeed" | "Fail")) {
            self.assign(&assign, sight);
        }
        if !matches!(state_type, "Choice" | "Succeed" | "Fail") {
            self.leads_on(state);
        }
        if matches!(state_type, "Task" | "Parallel" | "Map") {
            self.retry_and_catch(state, language);
        }
        match state_type {
            "Task" => self.task(state, sight),
            "Choice" => self.choice(state, language),
            "Wait" if language == QueryLanguage::Jsonata => self.exactly_one(state, &["Seconds", "Timestamp"]),
            "Wait" => self.exactly_one(state, &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]),
            "Fail" => {
                self.only_one(state, &["Error", "ErrorPath"]);
                self.only_one(state, &["Cause", "CausePath"]);
            }
            "Parallel" => self.parallel(state),
            "Map" => self.map(state, sight),
            _ => {}
        }
    }

    /// Exactly one of `Next` and `"End": true`.
    fn leads_on(&mut self, state: &Spot<'_, 's>) {
        let end = state.member("End");
        let ends = end.as_ref().is_some_and(|end| end.node.content == Content::Boolean(true) || end.node.is_substitution());
        match state.node.member("Next") {
            None if !ends => self.error(state, "One of these fields is required: [Next, End]"),
            Some(next) if ends => self.error(&state.marking(next.name_span), "Only one of these fields may be given: [Next, End]"),
            _ => {}
        }
    }

    /// `Assign`: names of variables and their values.
    pub(super) fn assign(&mut self, assign: &Spot<'_, 's>, sight: Sight) {
        if !assign.node.is_object() {
            return self.shape(assign, fields::Shape::Object, sight);
        }
        for member in assign.node.members() {
            let name = match sight.language {
                QueryLanguage::JsonPath => member.name.strip_suffix(".$").unwrap_or(&member.name),
                QueryLanguage::Jsonata => &member.name,
            };
            if let Some(problem) = problem_with_variable(name) {
                self.error(&assign.marking(member.name_span), problem);
            } else if self.outer.iter().any(|scope| scope.takes(name)) {
                let message = format!("Variable '{name}' is assigned in an outer scope, and may not be assigned again in an inner one");
                self.error(&assign.marking(member.name_span), message);
            }
        }
        self.template(assign, sight);
    }

    fn task(&mut self, task: &Spot<'_, 's>, sight: Sight) {
        self.required(task, &["Resource"]);
        if let Some(resource) = task.member("Resource") {
            self.resource(&resource);
        }
        self.only_one(task, &["TimeoutSeconds", "TimeoutSecondsPath"]);
        self.only_one(task, &["HeartbeatSeconds", "HeartbeatSecondsPath"]);
        let literal = |name: &str| match &task.node.get(name)?.content {
            Content::Number(number) => number.parse::<u64>().ok(),
            _ => None,
        };
        if let (Some(timeout), Some(heartbeat), Some(field)) =
            (literal("TimeoutSeconds"), literal("HeartbeatSeconds"), task.member("HeartbeatSeconds"))
            && heartbeat >= timeout
        {
            self.error(
                &field,
                format!("HeartbeatSeconds must be smaller than TimeoutSeconds, and {heartbeat} is not smaller than {timeout}"),
            );
        }
        if let Some(credentials) = task.member("Credentials") {
            self.credentials(&credentials, Sight::plain(sight.language));
        }
    }

    fn credentials(&mut self, credentials: &Spot<'_, 's>, sight: Sight) {
        let is_expression = sight.language == QueryLanguage::Jsonata && credentials.node.as_str().is_some_and(is_query);
        if is_expression || credentials.node.is_substitution() {
            return self.template(credentials, sight);
        }
        if !credentials.node.is_object() {
            return self.shape(credentials, fields::Shape::Object, sight);
        }
        let by_path = sight.language == QueryLanguage::JsonPath && credentials.node.get("RoleArn.$").is_some();
        if credentials.node.get("RoleArn").is_none() && !by_path {
            self.error(credentials, "The field 'RoleArn' is required but was missing");
        }
        self.template(credentials, sight);
    }

    fn parallel(&mut self, parallel: &Spot<'_, 's>) {
        self.required(parallel, &["Branches"]);
        let Some(branches) = parallel.member("Branches") else { return };
        self.not_empty(&branches);
        self.enter(parallel);
        for branch in branches.items() {
            self.part(&branch, BRANCH);
        }
        self.leave();
    }

    /// The name of a state: not too long, and no other state has it.
    pub(super) fn state_name(&mut self, state: &Spot<'_, 's>) {
        let name = state.name();
        let length = name.chars().count();
        let marked = state.marking(state.name_span());
        if length == 0 || length > 80 {
            self.say(Code::InvalidStateName, &marked, format!("The name of a state has 1 to 80 characters, and this has {length}"));
        }
        match self.names.get(name) {
            Some(first) => {
                let message = format!("Duplicate State name: {name}; it stands first at {first}");
                self.say(Code::DuplicateStateName, &marked, message);
            }
            None => drop(self.names.insert(name, state.location())),
        }
    }
}

/// What is wrong with the name of a variable, if anything.
fn problem_with_variable(name: &str) -> Option<String> {
    let length = name.chars().count();
    if name == "states" {
        return Some("'states' is reserved, and no variable may have this name".to_owned());
    }
    if length > LONGEST_VARIABLE {
        return Some(format!("The name of a variable has at most {LONGEST_VARIABLE} characters, and this has {length}"));
    }
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    let goes_on = characters.all(|character| character.is_alphanumeric() || character == '_');
    (!begins || !goes_on).then(|| format!("'{name}' is no name of a variable: it begins with a letter, and letters, digits and '_' follow"))
}
