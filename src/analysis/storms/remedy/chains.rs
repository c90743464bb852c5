//! The retries of a storm as chains: a first failure, and the retries that followed from it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::analysis::observed::{Name, Observed};
use crate::analysis::retry_policy::Policy;
use crate::analysis::storms::Seen;
use crate::model::Micros;

/// One call with its retries.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// When the first failure happened.
    pub failed: Micros,
    /// How many retries there had been before the first of these.
    pub before: u32,
    /// The error before each retry.
    pub errors: Vec<Option<Name>>,
    /// Each retry, as its position in [`Seen::retries`].
    pub retries: Vec<usize>,
    /// Whether the last retry failed, too.
    pub given_up: bool,
}

/// The chains, by their first retry.
pub(super) fn chains(seen: &Seen, observed: &Observed) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut chain_of: HashMap<usize, usize, RandomState> = HashMap::default();
    for (position, retry) in seen.retries.iter().enumerate() {
        let known = retry.cause.and_then(|cause| chain_of.get(&cause)).copied();
        let at = known.unwrap_or_else(|| {
            let before = retry.number.saturating_sub(1);
            chains.push(Chain { failed: retry.failed, before, errors: Vec::new(), retries: Vec::new(), given_up: false });
            chains.len() - 1
        });
        let chain = &mut chains[at];
        chain.errors.push(retry.error);
        chain.retries.push(position);
        chain.given_up = seen.attempt(observed, retry).has_failed();
        chain_of.insert(retry.attempt, at);
    }
    chains
}

/// Which retrier is used before each retry of a chain, and which use of it that is.
pub(super) fn uses(chain: &Chain, policy: Option<&Policy>, observed: &Observed) -> Vec<(Option<usize>, u32)> {
    let mut used: Vec<u32> = vec![0; policy.map_or(0, |policy| policy.retriers.len())];
    let mut unnamed = chain.before;
    let retrier = |error: &Option<Name>| {
        let error = error.map_or("", |error| observed.text(error));
        policy.and_then(|policy| policy.retrier_for(error)).map(|(index, _)| index)
    };
    // What was used before the storm was read is put down to the first retrier.
    if let Some(index) = chain.errors.first().and_then(retrier) {
        used[index] = chain.before;
    }
    let count = |error: &Option<Name>| {
        let index = retrier(error);
        let uses = index.map_or(&mut unnamed, |index| &mut used[index]);
        *uses = uses.saturating_add(1);
        (index, *uses)
    };
    chain.errors.iter().map(count).collect()
}
