//! Many executions of an order workflow as the AWS CLI writes them, a line each: what questions over many executions are timed on.
//!
//! The same number of executions gives the same bytes. An execution has about forty events: six Tasks, two of which are sometimes
//! tried again, a Choice, a Pass and, in one of eight, a Wait; of a hundred, three fail and one still runs. `Shape::Mixed`
//! adds a Parallel or a Map to every other execution; `Shape::Linear` has states in a row only, which short scripts can follow.
//! `Shape::Incident` adds to the mixed ones an approval by task token in one of ten, a few of which nobody answers, and ten minutes in
//! which every `Charge` is refused and tried again after 2, 4 and 8 seconds without jitter; its machines have definitions.
#![allow(dead_code, reason = "each benchmark uses its own part")]
#![allow(clippy::cast_possible_truncation, reason = "numbers below a small bound")]

use std::fmt::Write as _;
use std::io::{self, Write};

/// Which executions there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Linear,
    Mixed,
    Incident,
}

/// What was written.
#[derive(Debug, Default, Clone, Copy)]
pub struct Written {
    pub executions: u64,
    pub events: u64,
    pub bytes: u64,
}

const MACHINES: [&str; 3] = ["Orders", "Returns", "Refunds"];
const TASKS: [(&str, u64, u64); 6] =
    [("Validate", 40, 120), ("CheckStock", 30, 200), ("Charge", 150, 900), ("Pack", 400, 4_000), ("Ship", 90, 700), ("Notify", 20, 60)];
/// 2026-11-02T00:00:00Z, a Monday.
const FIRST_START: u64 = 1_793_577_600_000;
/// From 18:00 on,
const OUTAGE_START: u64 = FIRST_START + 18 * 3_600_000;
/// for ten minutes.
const OUTAGE_END: u64 = OUTAGE_START + 600_000;
/// Waits before the attempts of a `Charge` that is refused.
const BACKOFF: [u64; 3] = [2_000, 4_000, 8_000];

/// The definitions of the machines: name and JSON text.
pub fn definitions() -> Vec<(&'static str, String)> {
    MACHINES.into_iter().map(|machine| (machine, definition(machine))).collect()
}

/// The definition of a machine, as far as the executions follow it.
fn definition(machine: &str) -> String {
    let next = ["CheckStock", "InStock", "CoolDown", "Inform", "Notify", "Done"];
    let mut states = String::new();
    for ((name, _, _), next) in TASKS.into_iter().zip(next) {
        write!(states, r#""{name}":{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"Parameters":{{"FunctionName":"{name}","Payload.$":"$"}},"ResultSelector":{{"order.$":"$.Payload"}},"Retry":[{{"ErrorEquals":["Busy"],"IntervalSeconds":1,"BackoffRate":1,"MaxAttempts":9}},{{"ErrorEquals":["Refused"],"IntervalSeconds":2,"BackoffRate":2,"MaxAttempts":3}}],"Next":"{next}"}},"#)
            .expect("a String takes everything");
    }
    let approve = r#""Approve":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"approvals","MessageBody":{"token.$":"$$.Task.Token"}},"Next":"Pack"}"#;
    let called = |name: &str| {
        format!(r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}}}}}}"#)
    };
    format!(
        r#"{{"Comment":"{machine}","StartAt":"Validate","TimeoutSeconds":604800,"States":{{{states}"InStock":{{"Type":"Choice","Choices":[{{"Variable":"$.order","IsPresent":true,"Next":"Charge"}}],"Default":"Charge"}},"CoolDown":{{"Type":"Wait","Seconds":5,"Next":"Approve"}},{approve},"Inform":{{"Type":"Parallel","Branches":[{},{}],"Next":"Label"}},"Label":{{"Type":"Map","ItemProcessor":{{"StartAt":"PrintLabel","States":{{"PrintLabel":{{"Type":"Pass","End":true}}}}}},"Next":"Ship"}},"Done":{{"Type":"Pass","End":true}}}}}}"#,
        called("MailCustomer"),
        called("TellWarehouse")
    )
}

/// Numbers that are the same everywhere (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// Writes so many executions.
pub fn write(executions: u64, shape: Shape, out: &mut dyn Write) -> io::Result<Written> {
    let mut written = Written::default();
    let mut line = String::new();
    for number in 0..executions {
        line.clear();
        written.events += Story::new(number, shape).write(&mut line);
        written.executions += 1;
        written.bytes += line.len() as u64;
        out.write_all(line.as_bytes())?;
    }
    Ok(written)
}

/// One execution as it is told.
struct Story {
    number: u64,
    machine: &'static str,
    shape: Shape,
    random: Random,
    events: String,
    count: u64,
    /// The event that the next one links to.
    previous: u64,
    /// Milliseconds since 1970.
    clock: u64,
}

impl Story {
    fn new(number: u64, shape: Shape) -> Self {
        let mut random = Random(number.wrapping_mul(0x5851_F42D_4C95_7F2D) ^ 0x1405_7B7E_F767_814F);
        let machine = MACHINES[[0, 0, 0, 1, 2][random.below(5) as usize]];
        let clock = FIRST_START + number * 1_300 + random.below(1_300);
        Self { number, machine, shape, random, events: String::new(), count: 0, previous: 0, clock }
    }

    fn write(mut self, line: &mut String) -> u64 {
        let start = self.clock;
        let fails_at = if self.random.percent(3) { self.random.below(TASKS.len() as u64) } else { u64::MAX };
        let stays_at = if self.random.percent(1) { self.random.below(TASKS.len() as u64) } else { u64::MAX };
        let order = self.payload();
        self.event(
            "ExecutionStarted",
            "executionStartedEventDetails",
            &format!(
                r#""input":"{order}","inputDetails":{{"truncated":false}},"roleArn":"arn:aws:iam::111111111111:role/{}""#,
                self.machine
            ),
        );
        self.previous = 0;
        let (mut status, mut error) = ("SUCCEEDED", "");
        for (position, (name, least, most)) in TASKS.into_iter().enumerate() {
            if position == 2 {
                self.choice("InStock");
            }
            if position == 3 && self.shape == Shape::Incident && self.number.is_multiple_of(10) && !self.approval() {
                status = "RUNNING";
                break;
            }
            if position == 2 && self.shape == Shape::Incident && (OUTAGE_START..OUTAGE_END).contains(&self.clock) {
                let is_over = self.refused(name, least, most);
                if !is_over {
                    (status, error) = ("FAILED", "Refused");
                    break;
                }
                continue;
            }
            if position == 4 && self.shape != Shape::Linear {
                match self.number % 4 {
                    0 => self.parallel(),
                    2 => self.map(),
                    _ => {}
                }
            }
            if position == 3 && self.number.is_multiple_of(8) {
                self.wait("CoolDown");
            }
            if position as u64 == stays_at {
                self.enter("Task", name);
                self.scheduled(name);
                self.started(name);
                status = "RUNNING";
                break;
            }
            if position as u64 == fails_at {
                error = ["CardDeclined", "States.Timeout", "OutOfStock"][self.random.below(3) as usize];
                self.failing(name, error, least, most);
                status = "FAILED";
                break;
            }
            self.task(name, least, most);
        }
        match status {
            "SUCCEEDED" => {
                self.pass("Done");
                let output = self.payload();
                self.event(
                    "ExecutionSucceeded",
                    "executionSucceededEventDetails",
                    &format!(r#""output":"{output}","outputDetails":{{"truncated":false}}"#),
                );
            }
            "FAILED" => self.event(
                "ExecutionFailed",
                "executionFailedEventDetails",
                &format!(r#""error":"{error}","cause":"order {} was refused""#, self.number),
            ),
            _ => {}
        }
        let (machine, number) = (self.machine, self.number);
        let arn = "arn:aws:states:eu-west-1:111111111111";
        let stop = if status == "RUNNING" { String::new() } else { format!(r#","stopDate":"{}""#, moment(self.clock)) };
        writeln!(line, r#"{{"describe":{{"executionArn":"{arn}:execution:{machine}:order-{number:08}","stateMachineArn":"{arn}:stateMachine:{machine}","name":"order-{number:08}","status":"{status}","startDate":"{}"{stop},"input":"{order}","inputDetails":{{"included":true}}}},"history":{{"events":[{}]}}}}"#,
            moment(start), self.events).expect("a String takes everything");
        self.count
    }

    /// An order of some 150 bytes, as JSON inside a JSON string.
    fn payload(&mut self) -> String {
        let (sku, amount, length) = (self.random.below(900), self.random.below(50_000), self.random.below(50) as usize);
        let tenant = ["globex", "initech", "umbrella", "acme"][self.random.below(4) as usize];
        let note = "ring twice, mind the dog, no signature is needed here";
        format!(
            r#"{{\"orderId\":\"ord-{:08}\",\"sku\":\"sku-{sku:04}\",\"amount\":{amount},\"tenant\":\"{tenant}\",\"note\":\"{}\"}}"#,
            self.number,
            &note[..length]
        )
    }

    fn event(&mut self, kind: &str, member: &str, details: &str) {
        self.count += 1;
        let (comma, id, previous) = (if self.count == 1 { "" } else { "," }, self.count, self.previous);
        write!(self.events, r#"{comma}{{"timestamp":"{}","type":"{kind}","id":{id},"previousEventId":{previous}"#, moment(self.clock))
            .expect("a String takes everything");
        if !member.is_empty() {
            write!(self.events, r#","{member}":{{{details}}}"#).expect("a String takes everything");
        }
        self.events.push('}');
        self.previous = id;
    }

    fn enter(&mut self, kind: &str, name: &str) {
        let input = self.payload();
        self.event(
            &format!("{kind}StateEntered"),
            "stateEnteredEventDetails",
            &format!(r#""name":"{name}","input":"{input}","inputDetails":{{"truncated":false}}"#),
        );
    }

    fn exit(&mut self, kind: &str, name: &str) {
        let output = self.payload();
        self.event(
            &format!("{kind}StateExited"),
            "stateExitedEventDetails",
            &format!(r#""name":"{name}","output":"{output}","outputDetails":{{"truncated":false}}"#),
        );
    }

    fn scheduled(&mut self, name: &str) {
        let input = self.payload();
        self.event("TaskScheduled", "taskScheduledEventDetails", &format!(
            r#""resourceType":"lambda","resource":"invoke","region":"eu-west-1","parameters":"{{\"FunctionName\":\"{name}\",\"Payload\":{input}}}""#));
    }

    fn started(&mut self, _: &str) {
        self.clock += 2 + self.random.below(30);
        self.event("TaskStarted", "taskStartedEventDetails", r#""resourceType":"lambda","resource":"invoke""#);
    }

    fn failed(&mut self, error: &str) {
        self.event("TaskFailed", "taskFailedEventDetails", &format!(
            r#""resourceType":"lambda","resource":"invoke","error":"{error}","cause":"{{\"errorMessage\":\"order {} failed\",\"errorType\":\"{error}\"}}""#, self.number));
    }

    /// Milliseconds with a long tail.
    fn takes(&mut self, least: u64, most: u64) {
        let span = most - least;
        self.clock += least + self.random.below(span) * self.random.below(span) / span;
    }

    fn task(&mut self, name: &str, least: u64, most: u64) {
        self.enter("Task", name);
        let is_flaky = matches!(name, "Charge" | "Ship");
        while is_flaky && self.random.percent(15) {
            self.scheduled(name);
            self.started(name);
            self.takes(least, most);
            self.failed("Busy");
            self.clock += 1_000;
        }
        self.scheduled(name);
        self.started(name);
        self.takes(least, most);
        self.answered(name);
    }

    fn answered(&mut self, name: &str) {
        let output = self.payload();
        self.event(
            "TaskSucceeded",
            "taskSucceededEventDetails",
            &format!(r#""resourceType":"lambda","resource":"invoke","output":"{output}","outputDetails":{{"truncated":false}}"#),
        );
        self.exit("Task", name);
    }

    /// A Task that is refused until the outage is over; `false` when its attempts were used up before.
    fn refused(&mut self, name: &str, least: u64, most: u64) -> bool {
        self.enter("Task", name);
        for wait in BACKOFF.into_iter().map(Some).chain([None]) {
            self.scheduled(name);
            self.started(name);
            if self.clock >= OUTAGE_END {
                self.takes(least, most);
                self.answered(name);
                return true;
            }
            self.clock += 20;
            self.failed("Refused");
            self.clock += wait.unwrap_or(0);
        }
        false
    }

    /// A Task that waits for somebody with a token, from minutes to a day; `false` when nobody answers: one of two hundred.
    fn approval(&mut self) -> bool {
        let of_queue = r#""resourceType":"sqs","resource":"sendMessage.waitForTaskToken""#;
        self.enter("Task", "Approve");
        let token = self.random.next();
        self.event("TaskScheduled", "taskScheduledEventDetails", &format!(
            r#"{of_queue},"region":"eu-west-1","parameters":"{{\"QueueUrl\":\"approvals\",\"MessageBody\":{{\"token\":\"AAAA{token:016x}\"}}}}""#));
        self.clock += 5;
        self.event("TaskStarted", "taskStartedEventDetails", of_queue);
        self.clock += 20;
        self.event("TaskSubmitted", "taskSubmittedEventDetails", &format!(r#"{of_queue},"output":"{{}}""#));
        if self.random.below(200) == 0 {
            return false;
        }
        self.clock += 60_000 + self.random.below(86_400_000) * self.random.below(100) * self.random.below(100) / 10_000;
        self.event("TaskSucceeded", "taskSucceededEventDetails", &format!(r#"{of_queue},"output":"{{\"approved\":true}}""#));
        self.exit("Task", "Approve");
        true
    }

    fn failing(&mut self, name: &str, error: &str, least: u64, most: u64) {
        self.enter("Task", name);
        self.scheduled(name);
        self.started(name);
        self.takes(least, most);
        self.failed(error);
    }

    fn choice(&mut self, name: &str) {
        self.enter("Choice", name);
        self.exit("Choice", name);
    }

    fn pass(&mut self, name: &str) {
        self.enter("Pass", name);
        self.exit("Pass", name);
    }

    fn wait(&mut self, name: &str) {
        self.enter("Wait", name);
        self.clock += 5_000;
        self.exit("Wait", name);
    }

    fn parallel(&mut self) {
        self.enter("Parallel", "Inform");
        self.event("ParallelStateStarted", "", "");
        let started = self.previous;
        for name in ["MailCustomer", "TellWarehouse"] {
            self.previous = started;
            self.task(name, 10, 90);
        }
        self.event("ParallelStateSucceeded", "", "");
        self.exit("Parallel", "Inform");
    }

    fn map(&mut self) {
        self.enter("Map", "Label");
        self.event("MapStateStarted", "mapStateStartedEventDetails", r#""length":2"#);
        let started = self.previous;
        for index in 0..2 {
            self.previous = started;
            let details = format!(r#""name":"Label","index":{index}"#);
            self.event("MapIterationStarted", "mapIterationStartedEventDetails", &details);
            self.pass("PrintLabel");
            self.event("MapIterationSucceeded", "mapIterationSucceededEventDetails", &details);
        }
        self.event("MapStateSucceeded", "", "");
        self.exit("Map", "Label");
    }
}

/// `2026-11-02T00:00:00.100000+00:00`: the CLI's form.
fn moment(milliseconds: u64) -> String {
    let (seconds, fraction) = (milliseconds / 1_000, milliseconds % 1_000);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    loop {
        let length = if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}T{:02}:{:02}:{:02}.{fraction:03}000+00:00", days + 1, second / 3_600, second / 60 % 60, second % 60)
}
