//! The executions of state machines from their logs: of Express machines, and of others where somebody asks for them.

use std::cell::Cell;

use futures_util::future::join_all;

use super::logs::{self, LogsPull, Watch};
use super::machines::Machine;
use super::place::{Place, Skipped};
use crate::analysis::execution::quoted;
use crate::analysis::pull::Missing;
use crate::analysis::pull_logs::{MachineLogs, Via};
use crate::model::facts::WorkflowType;
use crate::sources::aws::logs::LogWindow;
use crate::sources::aws::{AwsSettings, AwsSource};
use crate::store::StoreError;

/// Machines whose logs are read at the same time.
const SIDE_BY_SIDE: usize = 3;

/// Which logs, and how.
#[derive(Debug, Clone, Copy)]
pub struct WantedLogs {
    /// How they are read.
    pub via: Via,
    /// Whether those of Standard machines are read as well, whose histories the API has.
    pub of_all: bool,
}

/// Reads the logs of all machines that were found.
pub(super) async fn read(place: &Place<'_>, source: &AwsSource) -> Result<(), StoreError> {
    let Some(wanted) = place.shared.pull.logs else { return Ok(()) };
    let mut machines: Vec<Machine> = place.machines.borrow().clone();
    let is_wanted = |workflow_type: Option<WorkflowType>| wanted.of_all || workflow_type != Some(WorkflowType::Standard);
    machines.retain(|machine| is_wanted(machine.workflow_type));
    let next = Cell::new(0);
    let worker = async || {
        while let Some(machine) = machines.get(next.get()) {
            next.set(next.get() + 1);
            if place.is_stopped() {
                skip(place, machine, Missing::Logs, "nothing more was asked of this account and region".to_owned());
                continue;
            }
            read_machine(place, source, machine, wanted, &is_wanted).await?;
        }
        Ok(())
    };
    join_all((0..SIDE_BY_SIDE).map(|_| worker())).await.into_iter().collect()
}

async fn read_machine(
    place: &Place<'_>,
    source: &AwsSource,
    machine: &Machine,
    wanted: WantedLogs,
    is_wanted: &dyn Fn(Option<WorkflowType>) -> bool,
) -> Result<(), StoreError> {
    let description = match place.ask_again(|| source.describe_machine(&machine.arn)).await {
        Some(Ok(description)) => description,
        Some(Err(error)) => {
            skip(place, machine, Missing::Logs, error.to_string());
            return Ok(());
        }
        None => {
            skip(place, machine, Missing::Logs, "nothing more was asked of this account and region".to_owned());
            return Ok(());
        }
    };
    if !is_wanted(description.workflow_type) {
        return Ok(());
    }
    let pull = place.shared.pull;
    let flags = flags(place.settings);
    let settings = LogsPull {
        source,
        worker: &|| place.shared.storing.borrow().worker(),
        ledger: &place.shared.ledger,
        window: LogWindow::new(pull.wanted.since.timestamp(), pull.wanted.until.timestamp()),
        via: wanted.via,
        anew: !pull.wanted.resumes,
        now: pull.now,
        flags: &flags,
    };
    let pulled = logs::pull(settings, &description, &mut Watching { place, machine }).await?;
    if let Some(error) = &pulled.error {
        place.failed(error);
    }
    let what = if pulled.report.log_group.is_none() { Missing::NotLogged } else { Missing::Logs };
    for reason in &pulled.report.not_looked_at {
        skip(place, machine, what, reason.clone());
    }
    place.logs.borrow_mut().insert(machine.arn.as_str().to_owned(), pulled.report);
    Ok(())
}

fn skip(place: &Place<'_>, machine: &Machine, what: Missing, reason: String) {
    let machine = Some(machine.arn.as_str().to_owned());
    place.skip(Skipped { what, machine, executions: None, example: None, reason });
}

/// What the AWS CLI needs to reach the same account.
fn flags(settings: &AwsSettings) -> String {
    let given = [("--profile", &settings.profile), ("--endpoint-url", &settings.endpoint_url)];
    given.iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", quoted(value.as_deref()?)))).collect()
}

/// Lets others see how far the logs of a machine are.
struct Watching<'w, 'p> {
    place: &'w Place<'p>,
    machine: &'w Machine,
}

impl Watch for Watching<'_, '_> {
    fn progress(&mut self, report: &MachineLogs) {
        let name = self.machine.arn.name();
        self.place.shared.pull.progress.take_in_hand(&format!("logs of {name}, {} records", report.records));
        // Whoever stops the pull drops what is in hand.
        self.place.logs.borrow_mut().insert(report.state_machine.clone(), report.clone());
    }

    fn is_stopped(&self) -> bool {
        self.place.is_stopped() || *self.place.shared.pull.stop.borrow()
    }
}
