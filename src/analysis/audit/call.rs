//! What a Task calls, as far as its `Resource` tells without a doubt.
//!
//! | `Resource`                                                   | call                                     |
//! |--------------------------------------------------------------|------------------------------------------|
//! | `arn:P:lambda:R:A:function:<name>`                           | [`Call::Function`]                       |
//! | `arn:P:states:R:A:activity:<name>`                           | [`Call::Activity`]                       |
//! | `arn:P:states:::<service>:<action>[.<pattern>]`              | [`Call::Integration`]                    |
//! | `arn:P:states:::aws-sdk:<service>:<action>[.<pattern>]`      | [`Call::Integration`]                    |
//! | anything else: `${Function}`, a substituted service or action | [`Call::Unknown`]: nothing may rest on it |
//!
//! Partition, region and account may be substitutions, also inside `{"Fn::Sub": …}`.

use super::subject::StateAt;
use crate::asl::source::Node;

/// What a Task calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'s> {
    /// A function by its ARN: the function's name.
    Function(&'s str),
    /// An activity.
    Activity,
    /// A service.
    Integration(Integration<'s>),
    /// No Task, or one whose `Resource` does not say.
    Unknown,
}

/// A service that a Task calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integration<'s> {
    /// `lambda`, `dynamodb`: in small letters, without `aws-sdk:`.
    pub service: &'s str,
    /// Whether it is an SDK integration.
    pub sdk: bool,
    /// `invoke`, `putItem`: without the pattern.
    pub action: &'s str,
    /// What it waits for.
    pub pattern: Pattern,
}

/// What a Task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// The service's answer.
    RequestResponse,
    /// `.sync`: the end of the job.
    Job,
    /// `.waitForTaskToken`: somebody's answer.
    Callback,
}

impl<'s> Call<'s> {
    /// What a state calls.
    pub fn of(state: &StateAt<'s>) -> Self {
        if state.state_type() != "Task" {
            return Self::Unknown;
        }
        let resource = state.get("Resource");
        let text = resource.and_then(Node::as_str).or_else(|| resource?.get("Fn::Sub")?.as_str());
        text.map_or(Self::Unknown, |text| Self::read(&fields(text)))
    }

    fn read(fields: &[&'s str]) -> Self {
        match fields {
            ["arn", _, "lambda", _, _, "function", name, ..] => Self::Function(name),
            ["arn", _, "states", _, _, "activity", ..] => Self::Activity,
            ["arn", _, "states", _, _, "aws-sdk", service, action] => Self::integration(service, true, action),
            // `startExecution.sync:2` has a colon in its pattern.
            ["arn", _, "states", _, _, service, action] | ["arn", _, "states", _, _, service, action, "2"] => {
                Self::integration(service, false, action)
            }
            _ => Self::Unknown,
        }
    }

    fn integration(service: &'s str, sdk: bool, action: &'s str) -> Self {
        if service.contains("${") || action.contains("${") {
            return Self::Unknown;
        }
        let (action, pattern) = match action.split_once('.') {
            None => (action, Pattern::RequestResponse),
            Some((action, "sync")) => (action, Pattern::Job),
            Some((action, "waitForTaskToken")) => (action, Pattern::Callback),
            Some(_) => return Self::Unknown,
        };
        Self::Integration(Integration { service, sdk, action, pattern })
    }

    /// Whether a function of Lambda is invoked.
    pub fn is_lambda(self) -> bool {
        match self {
            Self::Function(_) => true,
            Self::Integration(call) => call.service == "lambda" && call.action == "invoke",
            Self::Activity | Self::Unknown => false,
        }
    }

    /// Whether somebody outside has to answer: an activity's worker, or whoever has the task token. They may fail it with an error
    /// of any name.
    pub fn is_answered_from_outside(self) -> bool {
        match self {
            Self::Activity => true,
            Self::Integration(call) => call.pattern == Pattern::Callback,
            Self::Function(_) | Self::Unknown => false,
        }
    }
}

/// Splits at colons, but not inside of `${AWS::Region}`.
fn fields(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (at, character) in text.char_indices() {
        match character {
            '{' if text[..at].ends_with('$') => inside = true,
            '}' => inside = false,
            ':' if !inside => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Call<'_> {
        Call::read(&fields(text))
    }

    #[test]
    fn substitutions_of_partition_region_and_account_hide_nothing() {
        let expected = Integration { service: "s3", sdk: true, action: "getObject", pattern: Pattern::RequestResponse };
        let text = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:aws-sdk:s3:getObject";
        assert_eq!(read(text), Call::Integration(expected));
        assert_eq!(read("arn:aws:lambda:us-east-1:111111111111:function:charge:live"), Call::Function("charge"));
        assert_eq!(read("arn:aws:states:us-east-1:111111111111:activity:pick"), Call::Activity);
    }

    #[test]
    fn patterns_are_told_apart() {
        let pattern = |text| match read(text) {
            Call::Integration(call) => Some((call.action, call.pattern)),
            _ => None,
        };
        assert_eq!(pattern("arn:aws:states:::states:startExecution.sync:2"), Some(("startExecution", Pattern::Job)));
        assert_eq!(pattern("arn:aws:states:::sqs:sendMessage.waitForTaskToken"), Some(("sendMessage", Pattern::Callback)));
        assert_eq!(pattern("arn:aws:states:::sqs:sendMessage.later"), None);
    }

    #[test]
    fn what_is_still_to_be_put_in_is_unknown() {
        for text in ["${Function}", "arn:aws:states:::${Service}:invoke", "arn:aws:states:::lambda:${Action}", "", "${", "{:}"] {
            assert_eq!(read(text), Call::Unknown, "{text}");
        }
    }
}
