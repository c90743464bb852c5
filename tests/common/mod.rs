//! What several test programs share. Each uses a part of it.
#![allow(dead_code)]

pub mod corpus;
pub mod fake_endpoint;
pub mod function_log;
pub mod incidents;
pub mod insights;
pub mod limits;
pub mod log_group;
pub mod log_records;
pub mod moto;
pub mod program;
pub mod quota_endpoint;
pub mod store;
pub mod storms;
pub mod traces;

use std::future::Future;

use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use stepscope::sources::aws::AwsSettings;

/// The account of every ARN in these tests, which is moto's.
pub const ACCOUNT: &str = "123456789012";

/// The region of every ARN in these tests.
pub const REGION: &str = "eu-west-1";

/// Credentials that endpoints on loopback take.
pub fn credentials() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "tests")
}

/// Settings for an endpoint on loopback.
pub fn settings_for(endpoint_url: &str) -> AwsSettings {
    AwsSettings {
        endpoint_url: Some(endpoint_url.to_owned()),
        region: Some(REGION.to_owned()),
        credentials: Some(SharedCredentialsProvider::new(credentials())),
        ..AwsSettings::default()
    }
}

/// The environment in which the program finds credentials for an endpoint on loopback, and nothing of its user's.
pub const LOOPBACK_ENVIRONMENT: [(&str, &str); 5] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
];

/// Runs a future to its end, as the program does.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
