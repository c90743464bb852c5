//! What a Task may call.

use super::expressions::quoted;
use super::spot::Spot;
use super::{Checker, Code};

/// Whether an optimized integration waits for the job that it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    Never,
    ForJob,
}

use Waits::{ForJob, Never};

/// The optimized integrations: service, action, and whether there is `.sync`.
const OPTIMIZED: &[(&str, &[(&str, Waits)])] = &[
    ("apigateway", &[("invoke", Never)]),
    ("athena", &[("startQueryExecution", ForJob), ("stopQueryExecution", Never), ("getQueryExecution", Never), ("getQueryResults", Never)]),
    ("batch", &[("submitJob", ForJob)]),
    ("bedrock", &[("invokeModel", Never), ("createModelCustomizationJob", ForJob)]),
    (
        "codebuild",
        &[
            ("startBuild", ForJob),
            ("stopBuild", Never),
            ("batchDeleteBuilds", Never),
            ("batchGetReports", Never),
            ("startBuildBatch", ForJob),
            ("stopBuildBatch", Never),
            ("retryBuildBatch", ForJob),
            ("deleteBuildBatch", Never),
        ],
    ),
    ("databrew", &[("startJobRun", ForJob)]),
    ("dynamodb", &[("getItem", Never), ("putItem", Never), ("deleteItem", Never), ("updateItem", Never)]),
    ("ecs", &[("runTask", ForJob)]),
    (
        "eks",
        &[
            ("call", Never),
            ("runJob", ForJob),
            ("createCluster", ForJob),
            ("deleteCluster", ForJob),
            ("createFargateProfile", ForJob),
            ("deleteFargateProfile", ForJob),
            ("createNodegroup", ForJob),
            ("deleteNodegroup", ForJob),
        ],
    ),
    (
        "elasticmapreduce",
        &[
            ("addStep", ForJob),
            ("cancelStep", Never),
            ("createCluster", ForJob),
            ("modifyInstanceFleetByName", Never),
            ("modifyInstanceGroupByName", Never),
            ("setClusterTerminationProtection", Never),
            ("terminateCluster", ForJob),
        ],
    ),
    ("emr-containers", &[("createVirtualCluster", Never), ("deleteVirtualCluster", ForJob), ("startJobRun", ForJob)]),
    (
        "emr-serverless",
        &[
            ("createApplication", ForJob),
            ("startApplication", ForJob),
            ("stopApplication", ForJob),
            ("deleteApplication", ForJob),
            ("startJobRun", ForJob),
            ("cancelJobRun", ForJob),
        ],
    ),
    ("events", &[("putEvents", Never)]),
    ("glue", &[("startJobRun", ForJob)]),
    ("http", &[("invoke", Never)]),
    ("lambda", &[("invoke", Never)]),
    ("mediaconvert", &[("createJob", ForJob)]),
    (
        "sagemaker",
        &[
            ("createEndpoint", Never),
            ("createEndpointConfig", Never),
            ("createHyperParameterTuningJob", ForJob),
            ("createLabelingJob", ForJob),
            ("createModel", Never),
            ("createProcessingJob", ForJob),
            ("createTrainingJob", ForJob),
            ("createTransformJob", ForJob),
            ("updateEndpoint", Never),
        ],
    ),
    ("sns", &[("publish", Never)]),
    ("sqs", &[("sendMessage", Never)]),
    ("states", &[("startExecution", ForJob)]),
];

impl<'s> Checker<'s> {
    /// `Resource` of a Task.
    pub(super) fn resource(&mut self, resource: &Spot<'_, 's>) {
        let Some(text) = resource.node.as_str().filter(|_| !resource.node.is_substitution()) else { return };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, "states", _, _, activity] if !partition.is_empty() && activity.starts_with("activity:") => {
                if self.express {
                    self.error(resource, "Express state machine does not support Activity ARN");
                }
            }
            // Region and account are empty as a rule; exported definitions have them.
            ["arn", partition, "states", _, _, call] if !partition.is_empty() => self.integration(resource, text, call),
            ["arn", partition, "lambda", _, _, function] if !partition.is_empty() && function.starts_with("function:") => {}
            _ if is_uri(text) => {
                let message = format!("The language takes any URI, and the service only ARNs of what it can call: {}", quoted(text));
                self.say(Code::InvalidResource, resource, message);
            }
            _ => self.unrecognized(resource, text),
        }
    }

    /// `<service>:<action>[.<pattern>]`.
    fn integration(&mut self, resource: &Spot<'_, 's>, text: &str, call: &str) {
        let Some((service, action)) = call.rsplit_once(':') else { return self.unrecognized(resource, text) };
        // `startExecution.sync:2` has a colon in its pattern.
        let (service, action, pattern) = match service.rsplit_once(':') {
            Some((service, first)) if action == "2" && first.strip_suffix(".sync").is_some() => {
                (service, first.trim_end_matches(".sync"), Some("sync:2"))
            }
            _ => match action.split_once('.') {
                Some((action, pattern)) => (service, action, Some(pattern)),
                None => (service, action, None),
            },
        };
        let waits = match service.strip_prefix("aws-sdk:") {
            Some(sdk) => is_sdk_call(sdk, action).then_some(Never),
            None => OPTIMIZED
                .iter()
                .find(|(known, _)| *known == service)
                .and_then(|(_, actions)| actions.iter().find(|(known, _)| *known == action))
                .map(|(_, waits)| *waits),
        };
        let is_known = waits.is_some_and(|waits| match pattern {
            None | Some("waitForTaskToken") => true,
            Some("sync") => waits == ForJob,
            Some("sync:2") => service == "states",
            Some(_) => false,
        });
        match pattern {
            _ if !is_known => self.unrecognized(resource, text),
            Some(pattern) if self.express => {
                // The version of the job's answer is no part of the message.
                let pattern = pattern.trim_end_matches(":2");
                self.error(resource, format!("Express state machine does not support '.{pattern}' service integration"));
            }
            _ => {}
        }
    }

    pub(super) fn unrecognized(&mut self, resource: &Spot<'_, 's>, text: &str) {
        let reason = "is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.";
        self.error(resource, format!("The resource provided {} {reason}", quoted(text)));
    }
}

/// `<service>:<action>` of the SDK: the service in small letters, the action in camel case.
fn is_sdk_call(service: &str, action: &str) -> bool {
    let is_service = !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_service && action.starts_with(|first: char| first.is_ascii_lowercase()) && action.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `scheme:something`, as in RFC 3986, without blanks.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme && !rest.is_empty() && !text.contains(char::is_whitespace)
}
