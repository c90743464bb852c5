//! The credentials that calls are signed with: loaded at once, kept while they are good, and loaded again when they are not.
//!
//! In place of the SDK's own cache, which cannot be told that the service refuses what it holds: a session may be ended before
//! its time, and clocks may differ. Whatever hands out credentials (a credential process, SSO, an assumed role) is asked by one
//! call at a time, while the others wait for its answer.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::AwsError;
use super::error::{CredentialsProblem, told_by_sources};

/// How long before their end credentials are replaced: a call that they sign must arrive in time.
const EARLY: Duration = Duration::from_secs(10);

/// How often credentials that are still good are asked to be replaced: some are handed out until the very end.
const PAUSE: Duration = Duration::from_secs(1);

/// The credentials of one source. Clones share them.
#[derive(Clone)]
pub(super) struct Keyring(Arc<Inner>);

struct Inner {
    provider: SharedCredentialsProvider,
    profile: Option<String>,
    /// To load them.
    limit: Duration,
    held: Mutex<Held>,
}

struct Held {
    credentials: Credentials,
    /// How often others took their place.
    generation: u64,
    /// Whether the service does not take them any more.
    is_refused: bool,
    asked: Instant,
}

impl Keyring {
    /// Loads the first credentials: missing ones are one error at the start.
    pub(super) async fn load(provider: SharedCredentialsProvider, profile: Option<String>, limit: Duration) -> Result<Self, AwsError> {
        let loaded = loaded_from(&provider, limit).await;
        let credentials = loaded.map_err(|problem| AwsError::Credentials { profile: profile.clone(), problem })?;
        let held = Mutex::new(Held { credentials, generation: 0, is_refused: false, asked: Instant::now() });
        Ok(Self(Arc::new(Inner { provider, profile, limit, held })))
    }

    /// The account's number, where the credentials tell it.
    pub(super) async fn account(&self) -> Option<String> {
        self.0.held.lock().await.credentials.account_id().map(|id| id.as_str().to_owned())
    }

    /// Sees to it that there are credentials to sign with; returns which ones, by number.
    pub(super) async fn ready(&self) -> Result<u64, AwsError> {
        let mut held = self.0.held.lock().await;
        self.0.freshen(&mut held).await.map_err(|problem| AwsError::Credentials { profile: self.0.profile.clone(), problem })?;
        Ok(held.generation)
    }

    /// Tells that the service says these credentials have expired; returns whether there are others now.
    pub(super) async fn replace(&self, generation: u64) -> Result<bool, AwsError> {
        let mut held = self.0.held.lock().await;
        if held.generation == generation {
            held.is_refused = true;
            self.0.freshen(&mut held).await.map_err(|problem| AwsError::Credentials { profile: self.0.profile.clone(), problem })?;
        }
        Ok(held.generation != generation)
    }
}

impl Inner {
    /// Loads credentials in place of those that have expired, are about to, or were refused.
    async fn freshen(&self, held: &mut Held) -> Result<(), CredentialsProblem> {
        let is_good = !held.is_refused && !expires_within(&held.credentials, Duration::ZERO);
        if is_good && (!expires_within(&held.credentials, EARLY) || held.asked.elapsed() < PAUSE) {
            return Ok(());
        }
        held.asked = Instant::now();
        match loaded_from(&self.provider, self.limit).await {
            Ok(credentials) => {
                if !are_same(&credentials, &held.credentials) {
                    held.generation += 1;
                    held.is_refused = false;
                }
                held.credentials = credentials;
                Ok(())
            }
            // They may do for a few calls yet.
            Err(_) if is_good => Ok(()),
            Err(problem) => Err(problem),
        }
    }
}

fn expires_within(credentials: &Credentials, time: Duration) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry <= SystemTime::now() + time)
}

fn are_same(one: &Credentials, other: &Credentials) -> bool {
    let keys = |credentials: &Credentials| (credentials.access_key_id().to_owned(), credentials.session_token().map(str::to_owned));
    keys(one) == keys(other)
}

async fn loaded_from(provider: &SharedCredentialsProvider, limit: Duration) -> Result<Credentials, CredentialsProblem> {
    let Ok(loaded) = tokio::time::timeout(limit, provider.provide_credentials()).await else {
        return Err(CredentialsProblem::NotLoaded { told: format!("nothing came within {} s", limit.as_secs()) });
    };
    loaded.map_err(|error| problem(&error))
}

fn problem(error: &CredentialsError) -> CredentialsProblem {
    let told = if error.source().is_some() { told_by_sources(error) } else { String::new() };
    match error {
        CredentialsError::CredentialsNotLoaded(_) => CredentialsProblem::NoneFound { told },
        // The metadata service is asked last, when nothing else gave credentials: that it refuses says no more than that.
        _ if told.contains("IMDS") => CredentialsProblem::NoneFound { told },
        _ => CredentialsProblem::NotLoaded { told },
    }
}

/// Signs with what is held: whoever makes a call saw to it with [`Keyring::ready`] before.
impl ProvideCredentials for Keyring {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { Ok(self.0.held.lock().await.credentials.clone()) })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("provider", &self.0.provider).finish_non_exhaustive()
    }
}
