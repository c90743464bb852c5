//! A state machine's name to the execution that failed last.

use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use futures_util::future::join3;

use super::error::Call;
use super::{Action, AwsError, AwsSource};
use crate::model::arn::ArnError;
use crate::model::{ExecutionArn, StateMachineArn};

/// Entries of a page, the most that the service gives.
pub(super) const PAGE: i32 = 1_000;

/// An account has 150,000 state machines at most; pages may be short.
const MOST_PAGES: usize = 1_000;

/// Names that are offered when one is not found.
const SIMILAR: usize = 3;

/// How much a name must look like another to be offered, of 1.
const SIMILARITY: f64 = 0.8;

impl AwsSource {
    /// A state machine by its ARN, of which nothing is asked, or by its exact name, which is looked up.
    pub async fn machine(&self, state_machine: &str) -> Result<StateMachineArn, AwsError> {
        if state_machine.starts_with("arn:") {
            return Ok(state_machine.parse()?);
        }
        let arn = machine_of_name(self, state_machine).await?;
        let unreadable = |error: ArnError| self.call(Action::ListStateMachines, "*").unreadable(error.to_string());
        arn.parse().map_err(unreadable)
    }
}

pub(super) async fn latest_failed(source: &AwsSource, state_machine: &str) -> Result<Option<ExecutionArn>, AwsError> {
    let machine = if state_machine.starts_with("arn:") {
        state_machine.parse::<StateMachineArn>()?.as_str().to_owned()
    } else {
        machine_of_name(source, state_machine).await?
    };
    let (failed, timed_out, aborted) = join3(
        last_started(source, &machine, ExecutionStatus::Failed),
        last_started(source, &machine, ExecutionStatus::TimedOut),
        last_started(source, &machine, ExecutionStatus::Aborted),
    )
    .await;
    let newest = [failed?, timed_out?, aborted?].into_iter().flatten().max_by_key(moments);
    let call = Call { action: Action::ListExecutions, resource: &machine, account: &source.account };
    newest.map(|item| item.execution_arn.parse().map_err(|error: ArnError| call.unreadable(error.to_string()))).transpose()
}

/// What decides which of two executions is the newer one: the end, then the start.
fn moments(item: &ExecutionListItem) -> ((i64, u32), (i64, u32)) {
    let moment = |time: &aws_smithy_types::DateTime| (time.secs(), time.subsec_nanos());
    (item.stop_date.as_ref().map(moment).unwrap_or_default(), moment(&item.start_date))
}

async fn last_started(source: &AwsSource, machine: &str, status: ExecutionStatus) -> Result<Vec<ExecutionListItem>, AwsError> {
    let request = source.states().list_executions().state_machine_arn(machine).status_filter(status).max_results(PAGE);
    source.send(Action::ListExecutions, machine, || request.clone().send()).await.map(|page| page.executions)
}

async fn machine_of_name(source: &AwsSource, name: &str) -> Result<String, AwsError> {
    let call = Call { action: Action::ListStateMachines, resource: "*", account: &source.account };
    let mut others = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let request = source.states().list_state_machines().max_results(PAGE).set_next_token(token.clone());
        let page = source.send(Action::ListStateMachines, "*", || request.clone().send()).await?;
        if let Some(found) = page.state_machines.iter().find(|machine| machine.name == name) {
            return Ok(found.state_machine_arn.clone());
        }
        others.extend(page.state_machines.into_iter().map(|machine| machine.name));
        match page.next_token {
            None => return Err(not_found(source, name, &others)),
            next if next == token => return Err(call.endless("a page names itself as the next one")),
            next => token = next,
        }
    }
    Err(call.endless("more pages than an account has state machines"))
}

fn not_found(source: &AwsSource, name: &str, others: &[String]) -> AwsError {
    AwsError::NoStateMachine { name: name.to_owned(), region: source.account.region.clone(), similar: similar(name, others) }
}

/// The names that look most like `name`, best first.
fn similar(name: &str, others: &[String]) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut close: Vec<(f64, &String)> = others
        .iter()
        .map(|other| {
            let lower = other.to_lowercase();
            (likeness(&wanted, &lower), other)
        })
        .filter(|(likeness, _)| *likeness >= SIMILARITY)
        .collect();
    close.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.cmp(second)));
    close.into_iter().take(SIMILAR).map(|(_, name)| name.clone()).collect()
}

/// 2 but for case, 1 when one holds the other, else from 0 to 1.
fn likeness(wanted: &str, other: &str) -> f64 {
    if wanted == other {
        2.0
    } else if other.contains(wanted) || wanted.contains(other) {
        1.0
    } else {
        strsim::jaro_winkler(wanted, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_the_wanted_one_are_offered_best_first() {
        let others = ["Orders-prod", "Ordres", "Billing", "orders", "Orders-test", "Orders-dev"].map(str::to_owned);
        assert_eq!(similar("Orders", &others), ["orders", "Orders-dev", "Orders-prod"]);
        assert_eq!(similar("Bilings", &others), ["Billing"]);
        assert!(similar("Shipment", &others).is_empty());
    }
}
