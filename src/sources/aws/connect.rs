//! Region, credentials and limits to a client.
//!
//! Differs from the SDK's own loading in three ways: a profile that was named explicitly is the only source of credentials, as
//! in the AWS CLI; credentials are loaded at once, so that missing ones are one error at the start; and the metadata service of EC2,
//! which exists on few machines, gets one short try.

use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::clients::Clients;
use super::credentials::Keyring;
use super::pace::Spender;
use super::{Account, AwsError, AwsSettings, AwsSource, Patience};

/// How the service sees us in its access logs.
const APP_NAME: &str = concat!("stepscope-", env!("CARGO_PKG_VERSION"));

pub(super) async fn connect(settings: &AwsSettings, region_of_arn: Option<&str>) -> Result<AwsSource, AwsError> {
    check_endpoint(settings.endpoint_url.as_deref())?;
    let region = region(settings, region_of_arn).await.ok_or(AwsError::NoRegion)?;
    let credentials = Keyring::load(provider(settings, &region).await, settings.profile.clone(), settings.patience.credentials).await?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .credentials_provider(credentials.clone())
        .identity_cache(IdentityCache::no_cache())
        .retry_config(retries(settings))
        .timeout_config(time_limits(&settings.patience));
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Ok(name) = AppName::new(APP_NAME) {
        loader = loader.app_name(name);
    }
    let shared = loader.load().await;
    let account =
        Account { profile: settings.profile.clone(), region: region.as_ref().to_owned(), endpoint_url: settings.endpoint_url.clone() };
    let clients = Arc::new(Clients::new(shared, settings.endpoint_url.clone()));
    let spender = settings.pace.clone().map(|pace| Spender { pace, profile: settings.profile.clone(), region: region.as_ref().to_owned() });
    let source = AwsSource { clients, patience: settings.patience, account, credentials, spender, stopping: Arc::default() };
    if let Some(account) = source.credentials.account().await {
        source.learn_account(&account);
    }
    Ok(source)
}

/// The SDK would report a malformed address only with the first call, and as an error of its own making.
fn check_endpoint(url: Option<&str>) -> Result<(), AwsError> {
    let Some(url) = url else { return Ok(()) };
    let after_scheme = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match after_scheme {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace) => Ok(()),
        _ => Err(AwsError::BadEndpoint { url: url.to_owned() }),
    }
}

fn retries(settings: &AwsSettings) -> RetryConfig {
    if settings.pace.is_some() {
        // Every try needs a turn of its own, which the SDK knows nothing about.
        return RetryConfig::disabled();
    }
    let patience = &settings.patience;
    let mode = if patience.adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
    mode.with_max_attempts(patience.attempts).with_initial_backoff(patience.first_wait)
}

fn time_limits(patience: &Patience) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(patience.connect)
        .operation_attempt_timeout(patience.attempt)
        .operation_timeout(patience.call)
        .build()
}

/// A client of the metadata service that gives up soon: where the service exists it answers within milliseconds.
fn metadata_service() -> imds::Client {
    let limit = Duration::from_secs(1);
    imds::Client::builder().max_attempts(1).connect_timeout(limit).read_timeout(limit).build()
}

async fn region(settings: &AwsSettings, region_of_arn: Option<&str>) -> Option<Region> {
    let given = region_of_arn.filter(|region| !region.is_empty()).or(settings.region.as_deref());
    if let Some(region) = given {
        return Some(Region::new(region.to_owned()));
    }
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(imds::region::ImdsRegionProvider::builder().imds_client(metadata_service()).build())
        .region()
        .await
}

async fn provider(settings: &AwsSettings, region: &Region) -> SharedCredentialsProvider {
    if let Some(own) = &settings.credentials {
        return own.clone();
    }
    let config = ProviderConfig::default().with_region(Some(region.clone()));
    if let Some(profile) = &settings.profile {
        return SharedCredentialsProvider::new(ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&config).build());
    }
    let chain = DefaultCredentialsChain::builder().region(region.clone()).configure(config).imds_client(metadata_service()).build().await;
    SharedCredentialsProvider::new(chain)
}
