//! What the `Resource` of a Task names.
//!
//! | shape                                                 | service                                             |
//! |-------------------------------------------------------|-----------------------------------------------------|
//! | `arn:P:states:::<type>:<action>`                      | integration `<type>`, resource `<action>`           |
//! | `arn:P:states:::aws-sdk:<service>:<action>`           | integration `aws-sdk:<service>`                     |
//! | `arn:P:states:R:A:activity:<name>`                    | activity                                            |
//! | `arn:P:lambda:R:A:function:<name>` and anything else  | function: a substitution is most often one's ARN    |
//!
//! The suffix of an action (`.sync`, `.sync:2`, `.waitForTaskToken`) is its pattern; events have it as part of the resource.

use std::rc::Rc;

use super::CompileError;
use super::fields::Fields;
use crate::asl::machine::{Pattern, Resource, Service};
use crate::expr::Value;

/// The `Resource` of a Task. Templates of CloudFormation have functions in its place: `Fn::Sub` counts by its text.
pub(super) fn resource_of(fields: &Fields<'_>) -> Result<Resource, CompileError> {
    match fields.get("Resource") {
        Some(function @ Value::Object(members)) => match members.get("Fn::Sub") {
            Some(Value::String(text)) => Ok(resource(text)),
            _ => Ok(resource(&function.to_json().into())),
        },
        _ => fields.wanted_text("Resource").map(resource),
    }
}

/// Reads a `Resource`. Nothing is refused: what has an unknown shape is kept as it stands.
fn resource(arn: &Rc<str>) -> Resource {
    let (service, pattern) = match integration(arn) {
        Some(("activity", _)) => (Service::Activity, Pattern::RequestResponse),
        Some((resource_type, action)) => {
            let service = Service::Integration { resource_type: resource_type.into(), resource: action.into() };
            (service, pattern(action))
        }
        None => (Service::Function, Pattern::RequestResponse),
    };
    Resource { arn: Rc::clone(arn), service, pattern }
}

/// Type and action of an ARN of the service `states`.
fn integration(arn: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_field(arn)?;
    let (_partition, rest) = split_field(rest)?;
    let (service, rest) = split_field(rest)?;
    // Region and account are empty but for activities; the service takes them elsewhere, too.
    let (_region, rest) = split_field(rest)?;
    let (_account, rest) = split_field(rest)?;
    if scheme != "arn" || service != "states" {
        return None;
    }
    let type_end = match rest.strip_prefix("aws-sdk:") {
        Some(sdk) => "aws-sdk:".len() + sdk.find(':')?,
        None => rest.find(':')?,
    };
    Some((&rest[..type_end], &rest[type_end + 1..]))
}

/// A field of an ARN and what follows; the colons of `${AWS::Partition}` end none.
fn split_field(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| from + at).filter(|start| !text[from..*start].contains(':')) {
        from = start + text[start..].find('}')? + 1;
    }
    let end = from + text[from..].find(':')?;
    Some((&text[..end], &text[end + 1..]))
}

fn pattern(action: &str) -> Pattern {
    match action.split_once('.') {
        Some((_, "sync")) => Pattern::Sync,
        Some((_, "sync:2")) => Pattern::Sync2,
        Some((_, "waitForTaskToken")) => Pattern::WaitForTaskToken,
        _ => Pattern::RequestResponse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arn: &str) -> (String, Pattern) {
        let read = resource(&arn.into());
        let service = match read.service {
            Service::Function => "function".to_owned(),
            Service::Activity => "activity".to_owned(),
            Service::Integration { resource_type, resource } => format!("{resource_type} {resource}"),
        };
        (service, read.pattern)
    }

    #[test]
    fn services_are_named_as_events_name_them() {
        for (arn, service, pattern) in [
            ("arn:aws:states:::lambda:invoke", "lambda invoke", Pattern::RequestResponse),
            ("arn:aws-cn:states:::lambda:invoke.waitForTaskToken", "lambda invoke.waitForTaskToken", Pattern::WaitForTaskToken),
            ("arn:aws-us-gov:states:::states:startExecution.sync:2", "states startExecution.sync:2", Pattern::Sync2),
            ("arn:aws:states:::batch:submitJob.sync", "batch submitJob.sync", Pattern::Sync),
            ("arn:aws:states:::aws-sdk:s3:getObject", "aws-sdk:s3 getObject", Pattern::RequestResponse),
            ("arn:aws:states:eu-west-1:111111111111:aws-sdk:s3:getObject", "aws-sdk:s3 getObject", Pattern::RequestResponse),
            ("arn:aws:states:::http:invoke", "http invoke", Pattern::RequestResponse),
            ("arn:aws:states:eu-west-1:111111111111:activity:Review", "activity", Pattern::RequestResponse),
            ("arn:aws:lambda:eu-west-1:111111111111:function:Charge:live", "function", Pattern::RequestResponse),
            ("arn:${AWS::Partition}:states:::sns:publish", "sns publish", Pattern::RequestResponse),
            ("arn:aws${Suffix}:states:${AWS::Region}:${AWS::AccountId}:activity:Review", "activity", Pattern::RequestResponse),
            ("${ChargeFunctionArn}", "function", Pattern::RequestResponse),
            ("${Charge::Function", "function", Pattern::RequestResponse),
            ("arn:aws:states:::", "function", Pattern::RequestResponse),
            ("", "function", Pattern::RequestResponse),
        ] {
            assert_eq!(read(arn), (service.to_owned(), pattern), "{arn}");
        }
    }
}
