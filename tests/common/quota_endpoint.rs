//! An endpoint of Step Functions with token buckets as the service has them, and a fleet of executions behind it.
//!
//! Every call takes a token of its action, whatever it is answered, and is throttled when there is none. Beside the calls that arrive
//! there may be a production which spends from the same buckets. What arrived is kept with its time, so that a test can say how many calls
//! there were in any window, and by how much they went over a share.
//!
//! The clock is the real one: nothing here says how long something may take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stepscope::sources::aws::pace::{Budget, QuotaOf, Share};
use stepscope::sources::aws::{Action, Quota, Service};

use super::fake_endpoint::{FakeEndpoint, Reply, Request};
use super::{ACCOUNT, REGION};

/// Entries of a page where the call names no number, as the service has it.
const DEFAULT_PAGE: usize = 100;

/// When the first execution of a fleet started: the first moment of 2026, as the wire has it.
pub const FIRST_START: f64 = 1_767_225_600.0;

/// An execution of a fleet.
#[derive(Debug, Clone)]
pub struct FleetExecution {
    /// Its name.
    pub name: String,
    /// The service's word. An execution that is `RUNNING` has no end.
    pub status: &'static str,
    /// In seconds since 1970.
    pub start: f64,
    /// Events of its history, from 4 on; an even number for one that succeeded.
    pub events: usize,
}

/// A state machine of a fleet.
#[derive(Debug, Clone)]
pub struct FleetMachine {
    /// Its name.
    pub name: String,
    /// Those that started last come first.
    pub executions: Vec<FleetExecution>,
}

/// What there is behind the endpoint.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// In the order in which they are listed.
    pub machines: Vec<FleetMachine>,
}

impl Fleet {
    /// A fleet of so many executions of mixed size, spread evenly over machines: of each hundred 10 failed, 2 timed out, 2 were aborted and 1
    /// is running; 91 have a page of history, 9 have from two to four.
    pub fn mixed(machines: usize, executions: usize) -> Self {
        let machine = |number: usize| FleetMachine {
            name: format!("Orders-{number}"),
            executions: (0..executions).rev().filter(|index| index % machines == number).map(execution).collect(),
        };
        Self { machines: (0..machines).map(machine).collect() }
    }

    /// The pages of all histories, which is how many calls they take.
    pub fn pages(&self) -> usize {
        let pages = |execution: &FleetExecution| execution.events.div_ceil(1_000);
        self.machines.iter().flat_map(|machine| &machine.executions).map(pages).sum()
    }

    fn machine(&self, arn: &Value) -> Option<&FleetMachine> {
        let name = arn.as_str()?.strip_prefix(&machine_arn(""))?;
        self.machines.iter().find(|machine| machine.name == name)
    }

    fn execution(&self, arn: &Value) -> Option<(&FleetMachine, &FleetExecution)> {
        let (_, names) = arn.as_str()?.split_once(":execution:")?;
        let (machine, name) = names.split_once(':')?;
        let machine = self.machines.iter().find(|known| known.name == machine)?;
        machine.executions.iter().find(|execution| execution.name == name).map(|execution| (machine, execution))
    }
}

fn execution(index: usize) -> FleetExecution {
    let status = match index % 100 {
        7 | 17 | 27 | 37 | 47 | 57 | 67 | 77 | 87 | 97 => "FAILED",
        3 | 53 => "TIMED_OUT",
        13 | 63 => "ABORTED",
        99 => "RUNNING",
        _ => "SUCCEEDED",
    };
    let events = match index % 11 {
        0 => 1_100 + (index / 11 % 3) * 1_000,
        rest => 6 + 8 * rest,
    };
    #[allow(clippy::cast_precision_loss, reason = "a fleet is small")]
    let start = FIRST_START + index as f64;
    FleetExecution { name: format!("run-{index}"), status, start, events }
}

/// The ARN of a machine of a fleet.
pub fn machine_arn(name: &str) -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}")
}

/// The ARN of an execution of a fleet.
pub fn execution_arn(machine: &str, name: &str) -> String {
    format!("arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}")
}

/// How the endpoint behaves.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// How much faster the buckets are filled than those of the service; they hold as much.
    pub acceleration: f64,
    /// The share of every quota that production spends: it has taken that much of the bucket, and calls at random at that part of the rate.
    pub production: f64,
    /// How long an answer takes.
    pub latency: Duration,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { acceleration: 1.0, production: 0.0, latency: Duration::ZERO }
    }
}

impl Quotas {
    /// The quota of an action.
    pub fn of(&self, action: Action) -> Quota {
        let quota = action.quota(REGION);
        Quota { refill: quota.refill * self.acceleration, ..quota }
    }

    /// A budget that knows them.
    pub fn budget(&self, share: Share) -> Budget {
        let all = Action::ALL.into_iter().map(|action| QuotaOf { action, quota: self.of(action) });
        all.fold(Budget::new(share), Budget::with_quota)
    }

    /// The same for the command line: `states:GetExecutionHistory=400/400` for each action of Step Functions.
    pub fn words(&self) -> Vec<String> {
        let states = Action::ALL.into_iter().filter(|action| action.service() == Service::States);
        let words = states.map(|action| {
            let quota = self.of(action);
            format!("{action}={}/{}", quota.refill, quota.bucket)
        });
        words.collect()
    }
}

/// The endpoint; see the head of the file.
pub struct QuotaEndpoint {
    endpoint: FakeEndpoint,
    gate: Arc<Mutex<Gate>>,
    quotas: Quotas,
}

impl QuotaEndpoint {
    /// Starts an endpoint on a free port of loopback.
    pub fn start(fleet: Fleet, quotas: Quotas) -> Self {
        Self::with_faults(fleet, quotas, |_| None)
    }

    /// Starts an endpoint that answers calls which were let through as `fault` says, where it says anything.
    pub fn with_faults(fleet: Fleet, quotas: Quotas, fault: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let gate = Arc::new(Mutex::new(Gate::new(quotas)));
        let shared = Arc::clone(&gate);
        let endpoint = FakeEndpoint::start(move |request| {
            let is_let_through = shared.lock().expect("no panic at the gate").lets_through(&request.action);
            std::thread::sleep(quotas.latency);
            if !is_let_through {
                return Reply::Error("ThrottlingException", "Rate exceeded");
            }
            fault(request).unwrap_or_else(|| fleet.answer(request))
        });
        Self { endpoint, gate, quotas }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        self.endpoint.url()
    }

    /// Calls of an action that arrived.
    pub fn calls(&self, action: Action) -> usize {
        self.gate().arrivals(action).len()
    }

    /// Calls of all actions that arrived.
    pub fn all_calls(&self) -> usize {
        Action::ALL.into_iter().map(|action| self.calls(action)).sum()
    }

    /// Calls of an action that were throttled.
    pub fn throttled(&self, action: Action) -> usize {
        self.gate().buckets.get(action.name()).map_or(0, |bucket| bucket.throttled)
    }

    /// Calls of production for an action, and how many of them were throttled.
    pub fn production(&self, action: Action) -> (usize, usize) {
        self.gate().buckets.get(action.name()).map_or((0, 0), |bucket| bucket.production_calls)
    }

    /// The most calls of an action in any window of this length.
    pub fn most_within(&self, action: Action, window: Duration) -> usize {
        let arrivals = self.gate().arrivals(action);
        let counted = |last: usize| arrivals[..=last].iter().filter(|time| arrivals[last].saturating_sub(**time) <= window).count();
        (0..arrivals.len()).map(counted).max().unwrap_or(0)
    }

    /// By how many calls a window of any length went over a share of the quota; 0 when none did.
    pub fn over(&self, action: Action, share: f64) -> f64 {
        let quota = self.quotas.of(action);
        let (size, refill) = ((quota.bucket * share).max(1.0), quota.refill * share);
        let (mut tokens, mut at, mut over) = (size, Duration::ZERO, 0.0_f64);
        for time in self.gate().arrivals(action) {
            tokens = (tokens + time.saturating_sub(at).as_secs_f64() * refill).min(size) - 1.0;
            at = time;
            over = over.max(-tokens);
        }
        over
    }

    /// The time from the first call of an action to the last.
    pub fn lasted(&self, action: Action) -> Duration {
        let arrivals = self.gate().arrivals(action);
        arrivals.last().zip(arrivals.first()).map_or(Duration::ZERO, |(last, first)| last.saturating_sub(*first))
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().expect("no panic at the gate")
    }
}

/// The buckets of all actions, by name.
struct Gate {
    quotas: Quotas,
    beginning: Instant,
    buckets: HashMap<String, Bucket>,
}

struct Bucket {
    quota: Quota,
    tokens: f64,
    at: Duration,
    arrivals: Vec<Duration>,
    throttled: usize,
    /// Calls a second of production.
    production: f64,
    /// When production calls next.
    next: Duration,
    random: fastrand::Rng,
    /// All, and those that were throttled.
    production_calls: (usize, usize),
}

impl Gate {
    fn new(quotas: Quotas) -> Self {
        Self { quotas, beginning: Instant::now(), buckets: HashMap::new() }
    }

    fn lets_through(&mut self, name: &str) -> bool {
        let Some(action) = Action::from_name(name) else { return true };
        let now = self.beginning.elapsed();
        let quotas = self.quotas;
        let bucket = self.buckets.entry(name.to_owned()).or_insert_with(|| Bucket::new(quotas.of(action), quotas.production, now));
        bucket.let_production_call(now);
        bucket.arrivals.push(now);
        let is_let_through = bucket.take(now);
        bucket.throttled += usize::from(!is_let_through);
        is_let_through
    }

    fn arrivals(&self, action: Action) -> Vec<Duration> {
        self.buckets.get(action.name()).map(|bucket| bucket.arrivals.clone()).unwrap_or_default()
    }
}

impl Bucket {
    fn new(quota: Quota, production: f64, now: Duration) -> Self {
        Self {
            quota,
            tokens: quota.bucket * (1.0 - production),
            at: now,
            arrivals: Vec::new(),
            throttled: 0,
            production: quota.refill * production,
            next: now,
            random: fastrand::Rng::with_seed(1),
            production_calls: (0, 0),
        }
    }

    fn take(&mut self, now: Duration) -> bool {
        self.tokens = (self.tokens + now.saturating_sub(self.at).as_secs_f64() * self.quota.refill).min(self.quota.bucket);
        self.at = self.at.max(now);
        let is_there = self.tokens >= 1.0;
        if is_there {
            self.tokens -= 1.0;
        }
        is_there
    }

    fn let_production_call(&mut self, now: Duration) {
        while self.production > 0.0 && self.next <= now {
            let is_let_through = self.take(self.next);
            self.production_calls.0 += 1;
            self.production_calls.1 += usize::from(!is_let_through);
            let wait = -self.random.f64().max(f64::MIN_POSITIVE).ln() / self.production;
            self.next += Duration::from_secs_f64(wait);
        }
    }
}

impl Fleet {
    fn answer(&self, request: &Request) -> Reply {
        let body = &request.body;
        let answer = match request.action.as_str() {
            "ListStateMachines" => {
                let item = |machine: &FleetMachine| json!({"stateMachineArn": machine_arn(&machine.name), "name": machine.name, "type": "STANDARD", "creationDate": FIRST_START});
                Some(listed(request, "stateMachines", self.machines.iter().collect(), item))
            }
            "ListExecutions" => self.machine(&body["stateMachineArn"]).map(|machine| {
                let is_wanted = |execution: &&FleetExecution| body["statusFilter"].is_null() || body["statusFilter"] == execution.status;
                let wanted = machine.executions.iter().filter(is_wanted).collect();
                listed(request, "executions", wanted, |execution| execution.described(machine))
            }),
            "DescribeStateMachine" => self.machine(&body["stateMachineArn"]).map(FleetMachine::described),
            "DescribeStateMachineForExecution" => self.execution(&body["executionArn"]).map(|(machine, _)| {
                let mut answer = machine.described();
                answer["updateDate"] = json!(FIRST_START - 1.0);
                answer
            }),
            "DescribeExecution" => self.execution(&body["executionArn"]).map(|(machine, execution)| execution.described(machine)),
            "GetExecutionHistory" => self.execution(&body["executionArn"]).map(|(_, execution)| execution.page(request)),
            "ListTagsForResource" => Some(json!({"tags": []})),
            "ListMapRuns" => Some(json!({"mapRuns": []})),
            _ => return Reply::Error("UnknownOperationException", ""),
        };
        match answer {
            Some(answer) => Reply::Json(answer),
            None if body["executionArn"].is_null() => Reply::Error("StateMachineDoesNotExist", "State Machine Does Not Exist"),
            None => Reply::Error("ExecutionDoesNotExist", "Execution Does Not Exist"),
        }
    }
}

/// Where a page begins, and how many entries it has.
fn page_of(request: &Request) -> (usize, usize) {
    let from = request.token().and_then(|token| token.strip_prefix("from-")).and_then(|token| token.parse().ok()).unwrap_or(0);
    let most = request.body["maxResults"].as_u64().filter(|most| *most > 0).and_then(|most| usize::try_from(most).ok());
    (from, most.unwrap_or(DEFAULT_PAGE))
}

/// The page of a listing that is asked for.
fn listed<T>(request: &Request, member: &str, all: Vec<T>, item: impl Fn(T) -> Value) -> Value {
    let (from, most) = page_of(request);
    let is_last = all.len() <= from.saturating_add(most);
    let page: Vec<Value> = all.into_iter().skip(from).take(most).map(item).collect();
    let mut answer = json!({ member: page });
    if !is_last {
        answer["nextToken"] = json!(format!("from-{}", from + most));
    }
    answer
}

impl FleetMachine {
    fn described(&self) -> Value {
        let definition = r#"{"StartAt":"Step","States":{"Step":{"Type":"Pass","Next":"Step"}}}"#;
        json!({
            "stateMachineArn": machine_arn(&self.name), "name": self.name, "status": "ACTIVE", "type": "STANDARD", "definition": definition,
            "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{}", self.name), "creationDate": FIRST_START - 1.0, "revisionId": "first",
        })
    }
}

impl FleetExecution {
    /// As a listing and a description have it.
    fn described(&self, machine: &FleetMachine) -> Value {
        let mut answer = json!({
            "executionArn": execution_arn(&machine.name, &self.name), "stateMachineArn": machine_arn(&machine.name), "name": self.name,
            "status": self.status, "startDate": self.start, "redriveCount": 0,
        });
        if self.status != "RUNNING" {
            answer["stopDate"] = json!(self.time_of(self.events));
        }
        answer
    }

    #[allow(clippy::cast_precision_loss, reason = "a history is short")]
    fn time_of(&self, id: usize) -> f64 {
        self.start + id as f64 / 1_000.0
    }

    fn page(&self, request: &Request) -> Value {
        listed(request, "events", (1..=self.events).collect(), |id| self.event(id))
    }

    /// A state that is entered and left again and again, until the end.
    fn event(&self, id: usize) -> Value {
        let is_last = id == self.events;
        let (kind, member, details) = match (id, self.status) {
            (1, _) => ("ExecutionStarted", "executionStartedEventDetails", json!({"input": "{\"order\":7}"})),
            (_, "SUCCEEDED") if is_last => ("ExecutionSucceeded", "executionSucceededEventDetails", json!({"output": "{}"})),
            (_, "FAILED") if is_last => {
                ("ExecutionFailed", "executionFailedEventDetails", json!({"error": "Broken", "cause": "on purpose"}))
            }
            (_, "TIMED_OUT") if is_last => ("ExecutionTimedOut", "executionTimedOutEventDetails", json!({})),
            (_, "ABORTED") if is_last => ("ExecutionAborted", "executionAbortedEventDetails", json!({})),
            _ if id.is_multiple_of(2) => {
                ("PassStateEntered", "stateEnteredEventDetails", json!({"name": "Step", "input": "{\"order\":7}"}))
            }
            _ => ("PassStateExited", "stateExitedEventDetails", json!({"name": "Step", "output": "{\"order\":7}"})),
        };
        json!({"id": id, "previousEventId": if id == 2 { 0 } else { id - 1 }, "timestamp": self.time_of(id), "type": kind, member: details})
    }
}
