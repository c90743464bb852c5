//! The SDK's clients, one for each service, made when they are first used.

use std::sync::OnceLock;

use aws_config::SdkConfig;

use super::AwsSource;

/// Clients of one account and region.
#[derive(Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    /// Of all services; the endpoints that hand out credentials stay where they are.
    endpoint_url: Option<String>,
    states: OnceLock<aws_sdk_sfn::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    xray: OnceLock<aws_sdk_xray::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
}

impl Clients {
    pub(super) fn new(config: SdkConfig, endpoint_url: Option<String>) -> Self {
        Self { config, endpoint_url, states: OnceLock::new(), logs: OnceLock::new(), xray: OnceLock::new(), s3: OnceLock::new() }
    }
}

/// A client of a service's crate: they are alike, and share no trait.
macro_rules! client {
    ($clients:expr, $field:ident, $sdk:ident) => {
        $clients.$field.get_or_init(|| {
            let mut config = $sdk::config::Builder::from(&$clients.config);
            config.set_endpoint_url($clients.endpoint_url.clone().or_else(|| $clients.config.endpoint_url().map(str::to_owned)));
            $sdk::Client::from_conf(config.build())
        })
    };
}

#[allow(dead_code, reason = "the other services come one by one")]
impl AwsSource {
    pub(super) fn states(&self) -> &aws_sdk_sfn::Client {
        client!(self.clients, states, aws_sdk_sfn)
    }

    pub(super) fn logs(&self) -> &aws_sdk_cloudwatchlogs::Client {
        client!(self.clients, logs, aws_sdk_cloudwatchlogs)
    }

    pub(super) fn xray(&self) -> &aws_sdk_xray::Client {
        client!(self.clients, xray, aws_sdk_xray)
    }

    pub(super) fn s3(&self) -> &aws_sdk_s3::Client {
        self.clients.s3.get_or_init(|| {
            let mut config = aws_sdk_s3::config::Builder::from(&self.clients.config);
            if let Some(url) = &self.clients.endpoint_url {
                // A bucket is no host of an endpoint that somebody named.
                config = config.endpoint_url(url).force_path_style(true);
            }
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }
}
