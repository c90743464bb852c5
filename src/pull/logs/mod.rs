//! The logs of a state machine into the store, slice by slice.
//!
//! Express executions leave nothing but logs. Each stretch of time is read once ([`plan`]); the records of an execution are held until
//! no more will come ([`hold`]), become its history, and that goes into the store. What is read and stored is written down, with the
//! records of the executions that are open there, so that a pull that was killed goes on with the slice it was in.
//!
//! | what is read                              | what becomes of it                                                    |
//! |-------------------------------------------|-----------------------------------------------------------------------|
//! | a record of this machine                  | part of a history                                                     |
//! | the same record again                     | counted                                                               |
//! | a record of another machine, another line | counted: a group may serve several                                    |
//! | a record that can't be read               | counted, and the first one told                                       |
//! | an execution that began in the window     | stored, unless the store has it as complete                           |
//! | one that began before, as far as is known | left out and counted: its beginning was not read                      |

mod hold;
mod plan;
mod reading;
mod storing;

use crate::analysis::pull_logs::{MachineLogs, Via, advice};
use crate::model::facts::WorkflowType;
use crate::model::{Micros, StateMachineArn, Timestamp};
use crate::sources::aws::logs::LogWindow;
use crate::sources::aws::{AwsError, AwsSource, MachineDescription};
use crate::store::ledger::Ledger;
use crate::store::{StoreError, Worker};

use self::hold::Hold;
use self::plan::{Slice, Stretch};
use self::reading::Reading;
use self::storing::Storing;

/// So many calls at most are made again after a pull was killed,
const CALLS_AT_STAKE: u64 = 20;
/// and so many executions are stored at once at most, about.
const EXECUTIONS_AT_STAKE: u64 = 2_000;

/// A pull of logs in one account and region.
#[derive(Clone, Copy)]
pub struct LogsPull<'a> {
    /// The API.
    pub source: &'a AwsSource,
    /// Makes who adds to the store.
    pub worker: &'a dyn Fn() -> Worker,
    /// What was read before.
    pub ledger: &'a Ledger,
    /// The executions that began in here are wanted.
    pub window: LogWindow,
    /// How to read.
    pub via: Via,
    /// Whether to read again what was read before.
    pub anew: bool,
    /// When now is.
    pub now: Timestamp,
    /// What the AWS CLI needs to reach the same account, each after a space; for commands to run.
    pub flags: &'a str,
}

/// What came of one machine, and why there is no more.
#[derive(Debug)]
pub struct Pulled {
    /// The report.
    pub report: MachineLogs,
    /// What kept the rest from being read; told in the report as well.
    pub error: Option<AwsError>,
    /// Whether somebody said to stop.
    pub is_stopped: bool,
}

/// Who looks on, and may say to stop.
pub trait Watch {
    /// How far it is.
    fn progress(&mut self, report: &MachineLogs);

    /// Whether to stop: what was read is stored, and the rest is left for the next time.
    fn is_stopped(&self) -> bool;
}

/// Pulls the logs of a machine into the store. Fails only when the store does.
pub async fn pull(pull: LogsPull<'_>, machine: &MachineDescription, watch: &mut dyn Watch) -> Result<Pulled, StoreError> {
    let logging = &machine.logging;
    let mut report = MachineLogs::new(&machine.arn, machine.workflow_type, logging.level.as_deref(), logging.includes_execution_data);
    report.log_group = logging.log_group().map(str::to_owned);
    report.advice = advice(&machine.arn, &report.level, report.includes_execution_data, logging.log_group_arn.as_deref(), pull.flags);
    let Some(group) = report.log_group.clone() else {
        if machine.workflow_type == Some(WorkflowType::Express) {
            report.not_looked_at.push("logging is off: nothing is left of them".to_owned());
        }
        return Ok(Pulled { report, error: None, is_stopped: false });
    };
    report.via = Some(pull.via);
    (report.since, report.until) = (Some(pull.window.from), Some(pull.window.until.min(pull.now)));
    let mut run = Run { pull, group: &group, machine, storing: Storing::new(pull.worker, machine, &group), report, calls_at_stake: 0 };
    let ended = run.read(watch).await;
    run.storing.commit()?;
    let mut report = run.report;
    match ended {
        Ok(()) => Ok(Pulled { report, error: None, is_stopped: false }),
        Err(Ended::Store(error)) => Err(error),
        Err(Ended::Aws { error, from }) => {
            report.not_looked_at.push(format!("its log group {group} from {from} on: {error}"));
            Ok(Pulled { report, error: Some(error), is_stopped: false })
        }
        Err(Ended::Stopped { from }) => {
            report.not_looked_at.push(format!("its log group {group} from {from} on: the pull was stopped"));
            Ok(Pulled { report, error: None, is_stopped: true })
        }
    }
}

/// Why reading ended early.
enum Ended {
    Store(StoreError),
    Aws { error: AwsError, from: Timestamp },
    Stopped { from: Timestamp },
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The pull of one machine.
struct Run<'a> {
    pull: LogsPull<'a>,
    group: &'a str,
    machine: &'a MachineDescription,
    storing: Storing<'a>,
    report: MachineLogs,
    /// Since something was written down.
    calls_at_stake: u64,
}

impl Run<'_> {
    async fn read(&mut self, watch: &mut dyn Watch) -> Result<(), Ended> {
        let arn = self.machine.arn.unqualified();
        if self.pull.anew {
            self.pull.ledger.forget_log_stretches(arn, self.group)?;
        }
        let read_before = self.pull.ledger.log_stretches(arn, self.group)?;
        let read_before: Vec<LogWindow> =
            read_before.into_iter().map(|(since, until)| LogWindow::new(since.timestamp(), until.timestamp())).collect();
        let stretches = plan::stretches(self.pull.window, &read_before, self.pull.now);
        self.report.read_before = stretches.first().is_none_or(|stretch| stretch.wanted.from > self.pull.window.from);
        for stretch in stretches {
            self.read_stretch(&stretch, watch).await?;
        }
        Ok(())
    }

    async fn read_stretch(&mut self, stretch: &Stretch, watch: &mut dyn Watch) -> Result<(), Ended> {
        let mut hold = Hold::new(prefixes(&self.machine.arn));
        let mut continues = stretch.continues;
        if continues {
            let kept = self.pull.ledger.kept_records(self.machine.arn.unqualified(), self.group, Micros::from(stretch.wanted.from))?;
            // Executions that were open there are then as if they had begun before.
            continues = hold.restore(&kept.unwrap_or_default());
        }
        self.storing.begin(stretch.wanted, continues);
        for slice in &stretch.slices {
            let read = self.read_slice(*slice, &mut hold, watch).await;
            if read.is_err() {
                return self.break_off(stretch, *slice, hold).map_err(Ended::from).and(read);
            }
            let released = hold.release(slice.read.until);
            self.storing.add_all(released, &mut self.report)?;
            if let Some(until) = slice.settles {
                self.settle(stretch, until, &hold)?;
            }
        }
        self.storing.add_all(hold.release_all(), &mut self.report)?;
        Ok(())
    }

    async fn read_slice(&mut self, slice: Slice, hold: &mut Hold, watch: &mut dyn Watch) -> Result<(), Ended> {
        let Run { pull, group, machine, storing, report, .. } = self;
        let calls_before = report.calls;
        let mut reading = Reading { source: pull.source, group, machine: &machine.arn, hold, storing, report, watch };
        let read = match pull.via {
            Via::Filter => reading.by_filter(slice.read).await,
            Via::Insights => reading.by_query(slice.read).await,
        };
        self.calls_at_stake += self.report.calls - calls_before;
        read
    }

    /// Writes down that a stretch is read up to a moment, once everything up to there is in the store. Few files are better than many: it
    /// waits until there is something to lose.
    fn settle(&mut self, stretch: &Stretch, until: Timestamp, hold: &Hold) -> Result<(), StoreError> {
        let is_last = stretch.slices.iter().filter_map(|slice| slice.settles).max() == Some(until);
        let uncommitted = self.storing.uncommitted();
        let is_due = uncommitted == 0 || uncommitted >= EXECUTIONS_AT_STAKE || self.calls_at_stake >= CALLS_AT_STAKE || is_last;
        if !is_due {
            return Ok(());
        }
        self.write_down(stretch, until, hold)
    }

    /// What came so far of a slice is better than nothing; the slice is read again the next time.
    fn break_off(&mut self, stretch: &Stretch, slice: Slice, mut hold: Hold) -> Result<(), StoreError> {
        let settled = slice.read.from.min(stretch.slices.iter().filter_map(|slice| slice.settles).max().unwrap_or(stretch.wanted.from));
        if settled > stretch.wanted.from {
            // Records of the slice that are kept as well come again; they are known then.
            self.write_down(stretch, settled, &hold)?;
        }
        self.storing.add_all(hold.release_all(), &mut self.report)
    }

    fn write_down(&mut self, stretch: &Stretch, until: Timestamp, hold: &Hold) -> Result<(), StoreError> {
        self.storing.commit()?;
        self.calls_at_stake = 0;
        let read = (Micros::from(stretch.wanted.from), Micros::from(until));
        self.pull.ledger.add_log_stretch(self.machine.arn.unqualified(), self.group, read, &hold.kept())
    }
}

/// How the ARNs of a machine's executions begin: its own, and those of its Map Runs' children.
fn prefixes(machine: &StateMachineArn) -> Vec<String> {
    let (partition, region, account, name) = (machine.partition(), machine.region(), machine.account(), machine.name());
    let name = name.split('/').next().unwrap_or_default();
    let prefix = |kind: &str, after: char| format!("arn:{partition}:states:{region}:{account}:{kind}:{name}{after}");
    [("express", ':'), ("express", '/'), ("execution", ':'), ("execution", '/')].map(|(kind, after)| prefix(kind, after)).to_vec()
}
