//! The Step Functions API to histories, through the AWS SDK. The only module that opens a socket outward.
//!
//! Signing, credentials, endpoints, retries and the decoding of errors are the SDK's, though with a [`Pace`] every try waits for its
//! turn, and what is tried again is decided here (`send`). The bodies of answers are taken as they
//! came over the wire ([`wire`]) and read by the reader that also reads files: the SDK's types would drop every member and
//! every event type that they do not know.
//!
//! Everything here only reads. What is called stands in one table ([`Action`]), and every call goes through [`AwsSource::send`].

mod action;
mod clients;
mod connect;
mod credentials;
mod error;
mod fetch;
mod find;
mod listing;
pub mod logs;
mod map_runs;
mod objects;
pub mod pace;
mod pages;
mod pulled;
mod send;
mod verdict;
mod wire;
mod xray;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sfn::config::SharedCredentialsProvider;
use aws_sdk_sfn::types::IncludedData;
use tokio::task::JoinHandle;

use self::clients::Clients;
use self::credentials::Keyring;
use self::pace::Spender;
use crate::model::{ExecutionArn, ExecutionHeader, History};

pub use action::{Action, Quota, Resource, Service};
pub use error::AwsError;
pub use listing::{ExecutionItem, ExecutionsOf, Listed, Logging, MachineDescription, MachineItem, Revision};
pub use map_runs::MapRunItem;
pub use objects::{ObjectItem, ObjectStream};
pub use pace::Pace;
pub use pulled::Pulled;
pub use xray::{FetchedTraces, NotRead, TraceListing};

/// How to reach the API. The defaults are those of the AWS CLI where it has them.
#[derive(Debug, Clone, Default)]
pub struct AwsSettings {
    /// Profile of the AWS configuration. When one is named, only its credentials count, as in the AWS CLI.
    pub profile: Option<String>,
    /// Region, for what no ARN names one.
    pub region: Option<String>,
    /// Address of the API, for local engines and proxies.
    pub endpoint_url: Option<String>,
    /// Credentials of the caller's own, instead of those that the SDK's chain finds.
    pub credentials: Option<SharedCredentialsProvider>,
    /// How patient to be.
    pub patience: Patience,
    /// What calls are spent from; without one they are made at once.
    pub pace: Option<Pace>,
}

/// How long to wait, and how often to try.
///
/// A call is given up after `call` whatever happens, so an endpoint that hangs costs twice that at most: once for the calls
/// that run side by side, and once more when it begins to hang between two pages. With a [`Pace`] waiting for a turn does not count,
/// nor does being throttled, which has a limit of its own.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// To load credentials: a credential process may ask its user for a code.
    pub credentials: Duration,
    /// To open a connection.
    pub connect: Duration,
    /// For one try of one call, its answer included.
    pub attempt: Duration,
    /// For one call with all its tries.
    pub call: Duration,
    /// For all pages of one history.
    pub history: Duration,
    /// Tries of one call.
    pub attempts: u32,
    /// Whether calls slow down when the service throttles them, over and above the waits between tries.
    pub adaptive: bool,
    /// The wait before the first retry; later ones double it, each with jitter.
    pub first_wait: Duration,
    /// With a pace: how long the service may answer nothing but that calls of an action are throttled.
    pub throttling: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            credentials: Duration::from_secs(30),
            connect: Duration::from_millis(3_100),
            attempt: Duration::from_secs(10),
            call: Duration::from_secs(20),
            history: Duration::from_mins(2),
            attempts: 5,
            adaptive: false,
            first_wait: Duration::from_millis(250),
            throttling: Duration::from_mins(1),
        }
    }
}

/// A connection to the APIs of one account and region.
#[derive(Debug, Clone)]
pub struct AwsSource {
    clients: Arc<Clients>,
    patience: Patience,
    account: Account,
    credentials: Keyring,
    spender: Option<Spender>,
    /// Queries of Logs Insights that nobody waits for any more, while the service is told to stop them.
    stopping: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// What error messages say about where an answer came from.
#[derive(Debug, Clone)]
struct Account {
    profile: Option<String>,
    region: String,
    endpoint_url: Option<String>,
}

impl AwsSource {
    /// Finds region and credentials; nothing is asked of Step Functions yet.
    ///
    /// The region of an ARN goes before the one in `settings`, which goes before the environment's and the profile's.
    pub async fn connect(settings: &AwsSettings, region_of_arn: Option<&str>) -> Result<Self, AwsError> {
        connect::connect(settings, region_of_arn).await
    }

    /// The region that is asked.
    pub fn region(&self) -> &str {
        &self.account.region
    }

    /// How long so many calls of an action take from now on, when nobody else makes any; `None` without a pace.
    pub fn time_for(&self, action: Action, calls: u64) -> Option<Duration> {
        self.spender.as_ref().map(|spender| spender.time_for(action, calls))
    }

    /// One execution of a listing with all pages of its history, at the price of the pages alone.
    ///
    /// The header is made of the listing and the events, so it holds what they agree on; the definition is the caller's to add. Payloads
    /// that cannot be decrypted are left out, with [`Gap::NotFetched`](crate::model::Gap::NotFetched). An error means that
    /// the history did not come whole.
    pub async fn pull_history(&self, item: &ExecutionItem) -> Result<Pulled, AwsError> {
        pulled::pull(self, item).await
    }

    /// An execution as it is now, without its payloads.
    pub async fn describe(&self, arn: &ExecutionArn) -> Result<ExecutionHeader, AwsError> {
        fetch::described(self, arn, IncludedData::MetadataOnly).await
    }

    /// Everything that the API tells about one execution.
    ///
    /// What did not come is among the history's gaps: [`Gap::NotFetched`](crate::model::Gap::NotFetched), or
    /// [`Gap::NoDefinition`](crate::model::Gap::NoDefinition). An error means that neither the description nor a page came.
    pub async fn history(&self, arn: &ExecutionArn) -> Result<History, AwsError> {
        fetch::history(self, arn).await
    }

    /// The execution of a state machine that failed, timed out or was aborted last; `None` when none did within the service's memory.
    ///
    /// `state_machine` is an ARN (of a machine, a version or an alias) or an exact name. Of each status the thousand executions that
    /// started last are compared by the time they stopped.
    pub async fn latest_failed(&self, state_machine: &str) -> Result<Option<ExecutionArn>, AwsError> {
        find::latest_failed(self, state_machine).await
    }
}
