//! Region, credentials and limits to a client.
//!
//! Differs from the SDK's own loading in three ways: a profile that was named explicitly is the only source of credentials, as
//! in the AWS CLI; credentials are loaded at once, so that missing ones are one error at the start; and the metadata service of EC2,
//! which exists on few machines, gets one short try.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use super::clients::Clients;
use super::error::{CredentialsProblem, told_by_sources};
use super::{Account, AwsError, AwsSettings, AwsSource, Patience};

/// How the service sees us in its access logs.
const APP_NAME: &str = concat!("stepscope-", env!("CARGO_PKG_VERSION"));

pub(super) async fn connect(settings: &AwsSettings, region_of_arn: Option<&str>) -> Result<AwsSource, AwsError> {
    check_endpoint(settings.endpoint_url.as_deref())?;
    let region = region(settings, region_of_arn).await.ok_or(AwsError::NoRegion)?;
    let credentials = credentials(settings, &region).await?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .credentials_provider(credentials)
        .retry_config(retries(&settings.patience))
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
    Ok(AwsSource { clients, patience: settings.patience, account })
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

fn retries(patience: &Patience) -> RetryConfig {
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

async fn credentials(settings: &AwsSettings, region: &Region) -> Result<SharedCredentialsProvider, AwsError> {
    let provider = provider(settings, region).await;
    let failed = |problem: CredentialsProblem| AwsError::Credentials { profile: settings.profile.clone(), problem };
    let limit = settings.patience.credentials;
    let Ok(loaded) = tokio::time::timeout(limit, provider.provide_credentials()).await else {
        return Err(failed(CredentialsProblem::NotLoaded { told: format!("nothing came within {} s", limit.as_secs()) }));
    };
    let loaded = loaded.map_err(|error| failed(credentials_problem(&error)))?;
    Ok(SharedCredentialsProvider::new(LoadedOnce { first: Mutex::new(Some(loaded)), provider }))
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

fn credentials_problem(error: &CredentialsError) -> CredentialsProblem {
    let told = if error.source().is_some() { told_by_sources(error) } else { String::new() };
    match error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsProblem::NoneFound { told },
        // The metadata service is asked last, when nothing else gave credentials: that it refuses says no more than that.
        _ if told.contains("IMDS") => CredentialsProblem::NoneFound { told },
        _ => CredentialsProblem::NotLoaded { told },
    }
}

/// Hands out the credentials that were loaded to see whether there are any; later ones, when these expire, come from the provider.
struct LoadedOnce {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
}

impl LoadedOnce {
    async fn next(&self) -> Result<Credentials, CredentialsError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(credentials) => Ok(credentials),
            None => self.provider.provide_credentials().await,
        }
    }
}

impl ProvideCredentials for LoadedOnce {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.next())
    }
}

impl fmt::Debug for LoadedOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedOnce").field("provider", &self.provider).finish_non_exhaustive()
    }
}
