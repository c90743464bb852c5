//! The shapes of the services' answers, and whether a mocked result has one of them.
//!
//! The table beside this file is made by `scripts/service_shapes.py` of botocore's models (Copyright Amazon.com, Inc. or its
//! affiliates, Apache-2.0); the script describes its form. It holds what workflows call most. An API that it does not hold
//! cannot be checked.

mod check;
mod table;

use std::io::Read;

use flate2::read::GzDecoder;

pub use check::check;
pub use table::Table;

use crate::asl::machine::{Pattern, Resource, Service};

const PACKED: &[u8] = include_bytes!("shapes.txt.gz");

/// What is known of the answer of a Task's resource.
#[derive(Debug)]
pub enum Answer {
    /// It has this shape, the number of one in the table.
    Shaped(Table, usize),
    /// It may be anything: what a function or a worker returns, or what an API of the user's own answers.
    Free,
    /// The table has no shape for it; the words name what was looked for.
    Unknown(String),
}

/// The answer that a resource gives to a Task.
pub fn answer(resource: &Resource) -> Answer {
    let Service::Integration { resource_type, resource: action } = &resource.service else {
        return Answer::Free;
    };
    // Whoever returns the token returns what they like.
    if resource.pattern == Pattern::WaitForTaskToken || matches!(&**resource_type, "apigateway" | "http") {
        return Answer::Free;
    }
    let action = action.split('.').next().unwrap_or_default();
    let (service, action) = match (resource_type.strip_prefix("aws-sdk:"), resource.pattern) {
        (Some(service), _) => (service, action),
        (None, Pattern::RequestResponse) => optimised(resource_type, action),
        (None, _) => match polled(resource_type, action) {
            Some(polled) => polled,
            None => return Answer::Unknown(format!("{resource_type}:{action}.sync")),
        },
    };
    let mut text = String::new();
    let read = GzDecoder::new(PACKED).read_to_string(&mut text);
    debug_assert!(read.is_ok(), "the table is part of the program");
    let found = Table::of_service(&text, service).and_then(|table| table.operation(action).map(|shape| (table, shape)));
    match found {
        Some((table, shape)) => Answer::Shaped(table, shape),
        None => Answer::Unknown(format!("{service}:{action}")),
    }
}

/// The service and the API behind an optimised integration.
fn optimised<'a>(resource_type: &'a str, action: &'a str) -> (&'a str, &'a str) {
    let service = match resource_type {
        "states" => "sfn",
        "events" => "eventbridge",
        "elasticmapreduce" => "emr",
        "emr-containers" => "emrcontainers",
        "emr-serverless" => "emrserverless",
        "bedrock" if matches!(action, "invokeModel" | "converse") => "bedrockruntime",
        other => other,
    };
    (service, action)
}

/// For a job that is waited for: the API whose answer is the result, where it is that answer as a whole.
fn polled<'a>(resource_type: &'a str, action: &'a str) -> Option<(&'a str, &'a str)> {
    Some(match (resource_type, action) {
        ("states", "startExecution") => ("sfn", "describeExecution"),
        ("athena", "startQueryExecution") => ("athena", "getQueryExecution"),
        ("sagemaker", "createTrainingJob") => ("sagemaker", "describeTrainingJob"),
        ("sagemaker", "createTransformJob") => ("sagemaker", "describeTransformJob"),
        ("sagemaker", "createProcessingJob") => ("sagemaker", "describeProcessingJob"),
        ("sagemaker", "createLabelingJob") => ("sagemaker", "describeLabelingJob"),
        ("sagemaker", "createHyperParameterTuningJob") => ("sagemaker", "describeHyperParameterTuningJob"),
        ("sagemaker", "createAutoMLJob") => ("sagemaker", "describeAutoMLJob"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(resource_type: &str, action: &str, pattern: Pattern) -> Resource {
        let service = Service::Integration { resource_type: resource_type.into(), resource: action.into() };
        Resource { arn: format!("arn:aws:states:::{resource_type}:{action}").into(), service, pattern }
    }

    #[test]
    fn every_optimised_integration_of_a_call_is_in_the_table() {
        for (resource_type, action) in [
            ("lambda", "invoke"),
            ("sns", "publish"),
            ("sqs", "sendMessage"),
            ("dynamodb", "putItem"),
            ("dynamodb", "getItem"),
            ("ecs", "runTask"),
            ("batch", "submitJob"),
            ("glue", "startJobRun"),
            ("databrew", "startJobRun"),
            ("events", "putEvents"),
            ("states", "startExecution"),
            ("athena", "startQueryExecution"),
            ("elasticmapreduce", "addStep"),
            ("emr-containers", "startJobRun"),
            ("emr-serverless", "startJobRun"),
            ("sagemaker", "createTrainingJob"),
            ("codebuild", "startBuild"),
            ("mediaconvert", "createJob"),
            ("eks", "createCluster"),
            ("bedrock", "invokeModel"),
            ("aws-sdk:s3", "getObject"),
            ("aws-sdk:cognitoidentityprovider", "adminGetUser"),
        ] {
            let found = answer(&resource(resource_type, action, Pattern::RequestResponse));
            // The optimised integration of EMR has names of its own for steps and clusters.
            let own = resource_type == "elasticmapreduce";
            assert_eq!(matches!(found, Answer::Shaped(..)), !own, "{resource_type}:{action}: {found:?}");
        }
    }

    #[test]
    fn what_a_job_ends_with_is_what_polling_it_answers() {
        for pattern in [Pattern::Sync, Pattern::Sync2] {
            let found = answer(&resource("states", "startExecution.sync:2", pattern));
            assert!(matches!(found, Answer::Shaped(..)), "{found:?}");
        }
        assert!(matches!(answer(&resource("ecs", "runTask.sync", Pattern::Sync)), Answer::Unknown(name) if name == "ecs:runTask.sync"));
    }

    #[test]
    fn what_others_return_may_be_anything() {
        let function = Resource { arn: "arn".into(), service: Service::Function, pattern: Pattern::RequestResponse };
        assert!(matches!(answer(&function), Answer::Free));
        assert!(matches!(answer(&resource("sqs", "sendMessage.waitForTaskToken", Pattern::WaitForTaskToken)), Answer::Free));
        assert!(matches!(answer(&resource("apigateway", "invoke", Pattern::RequestResponse)), Answer::Free));
        assert!(matches!(answer(&resource("aws-sdk:nonesuch", "call", Pattern::RequestResponse)), Answer::Unknown(_)));
    }
}
