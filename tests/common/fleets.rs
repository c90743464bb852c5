//! Fleets by number: sound ones that vary in whatever may vary without anything being wrong, and ones with a fault.
//!
//! Test programs use a part of it each.
#![allow(dead_code)]

use jiff::SignedDuration;
use serde_json::json;
use stepscope::model::Timestamp;
use stepscope::simulation::machines::{self, with_retriers};
use stepscope::simulation::{Answerer, Death, Draw, ErrorSaid, Fault, FaultKind, Fleet, Hours, Key, Machine, Service, Traffic};

/// How many sound fleets there are.
pub const CLEAN: u64 = 200;

/// A sound fleet: from four hours to eight days, some hundred executions, everything drawn from the number.
pub fn clean(number: u64) -> Fleet {
    let key = Key::new(0xc1ea).number(number);
    let mut draw = key.draw();
    let hours = (4.0_f64.ln() + draw.uniform() * (192.0_f64 / 4.0).ln()).exp();
    let from = moment(&mut draw);
    let now = from.checked_add(seconds(hours * 3600.0)).expect("a moment");
    let mut fleet =
        Fleet { seed: key.seed(), from, now, machines: Vec::new(), services: machines::services(), answerers: machines::answerers() };
    vary_services(&mut draw, &mut fleet.services);
    vary_answerers(&mut draw, &mut fleet.answerers);
    let machines = [machines::orders, machines::payments, machines::images, machines::approvals, machines::picking, machines::exports];
    let total = draw.between(120.0, 420.0);
    let mut any = false;
    for make in machines {
        let takes_part = draw.chance(0.6);
        let mut machine = vary_retries(&mut draw, make());
        if takes_part {
            any = true;
            machine = with_traffic(&mut draw, machine, from, hours, total / 4.0);
        }
        fleet.machines.push(machine);
    }
    if !any {
        fleet.machines[1].traffic.push(Traffic::Steady { per_hour: total / hours, night: 0.3, busiest: 12.0 });
    }
    fleet
}

fn moment(draw: &mut Draw) -> Timestamp {
    // Some second of 2026.
    let second = 1_767_225_600 + i64::try_from(draw.below(300 * 86_400)).expect("seconds of a year");
    Timestamp::from_second(second).expect("a moment")
}

pub fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::from_secs_f64(seconds)
}

/// Latencies, their spread, and failures that just happen: where executions come in cohorts, few enough that a cohort's failures
/// are no storm.
fn vary_services(draw: &mut Draw, services: &mut [Service]) {
    let scale = draw.lognormal(1.0, 0.5);
    let wild = draw.between(0.5, 2.5);
    let failing = if draw.chance(0.3) { draw.between(0.005, 0.02) } else { 0.002 };
    for service in services {
        service.takes.median_ms *= scale * draw.lognormal(1.0, 0.3);
        service.takes.sigma *= wild;
        service.by_day = if draw.chance(0.3) { draw.between(0.05, 0.2) } else { 0.0 };
        service.weather = if draw.chance(0.4) { draw.between(0.02, 0.12) } else { 0.0 };
        service.cold = if draw.chance(0.4) { Some((draw.between(0.01, 0.06), draw.between(3.0, 12.0))) } else { None };
        for (_, share) in &mut service.failures {
            *share = failing;
        }
        // Failures that nobody retries, rare ones among them: some are seen for the first time late.
        if draw.chance(0.3) {
            let share = if draw.chance(0.5) { draw.between(0.0005, 0.004) } else { draw.between(0.01, 0.06) };
            let said = draw.pick(&[REFUSED, MALFORMED, FORBIDDEN]).clone();
            service.failures.push((said, share));
        }
    }
}

const REFUSED: ErrorSaid =
    ErrorSaid { error: "CardDeclined", cause: r#"{"errorMessage":"declined, code {number}","errorType":"CardDeclined"}"# };
const MALFORMED: ErrorSaid =
    ErrorSaid { error: "InvalidAddress", cause: r#"{"errorMessage":"no such postcode: {number}","errorType":"InvalidAddress"}"# };
const FORBIDDEN: ErrorSaid =
    ErrorSaid { error: "AccountLocked", cause: r#"{"errorMessage":"account {id} is locked","errorType":"AccountLocked"}"# };

fn vary_answerers(draw: &mut Draw, answerers: &mut [Answerer]) {
    for answerer in answerers {
        answerer.takes.median_ms *= draw.lognormal(1.0, 0.5);
        answerer.takes.sigma = draw.between(0.4, 1.1);
        if draw.chance(0.3) {
            answerer.slow = Some((draw.between(0.02, 0.15), draw.between(2.0, 6.0)));
        }
        if let Some(hours) = &mut answerer.hours {
            let from = 7 + i64::try_from(draw.below(4)).expect("an hour");
            let zone = i64::try_from(draw.below(20)).expect("hours") - 9;
            *hours = Hours { utc_offset: zone, from, to: from + 8, weekends: draw.chance(0.15) };
            if draw.chance(0.15) {
                // Somebody who decides for one hour of each day.
                hours.to = from + 1;
                answerer.takes.median_ms = draw.between(5.0, 15.0) * 60_000.0;
            }
        }
    }
}

fn vary_retries(draw: &mut Draw, mut machine: Machine) -> Machine {
    let retried = [
        "ValidateOrder",
        "ReserveItem",
        "ScoreFraud",
        "ReleaseInventory",
        "Authorize",
        "Capture",
        "WriteLedger",
        "ListImages",
        "Resize",
        "PrintLabel",
        "StartExport",
        "AskForExport",
    ];
    for state in retried {
        let jitter = if draw.chance(0.5) { json!("FULL") } else { json!(null) };
        let backoff = *draw.pick(&[1.0, 1.5, 2.0, 2.5]);
        let members = json!({
            "IntervalSeconds": 1 + draw.below(10),
            "MaxAttempts": 2 + draw.below(5),
            "BackoffRate": backoff,
            "JitterStrategy": jitter,
            "MaxDelaySeconds": if draw.chance(0.3) { json!(20) } else { json!(null) },
        });
        for version in &mut machine.versions {
            version.definition = with_retriers(&version.definition, &[state], &members);
        }
    }
    machine
}

fn with_traffic(draw: &mut Draw, machine: Machine, from: Timestamp, hours: f64, count: f64) -> Machine {
    let night = if draw.chance(0.5) { draw.between(0.0, 0.4) } else { draw.between(0.6, 0.98) };
    // A night takes half of its depth from the mean.
    let per_hour = count / hours / (1.0 - night / 2.0);
    let mut machine = machine.with(Traffic::Steady { per_hour, night, busiest: draw.between(0.0, 24.0) });
    if draw.chance(0.35) {
        let first = from.checked_add(seconds(draw.between(600.0, 5_400.0))).expect("a moment");
        let times = 1 + draw.below(5);
        #[allow(clippy::cast_precision_loss, reason = "a small count")]
        let every = hours * 3600.0 / times as f64;
        #[allow(clippy::cast_possible_truncation, reason = "seconds of some days")]
        let every_seconds = every as i64;
        let cohort = 8 + draw.below(40);
        machine = machine.with(Traffic::Scheduled { first, every_seconds, count: cohort, spread_seconds: draw.between(0.2, 5.0) });
    }
    if draw.chance(0.35) {
        let begins = from.checked_add(seconds(draw.between(0.2, 0.9) * hours * 3600.0)).expect("a moment");
        let lasts = draw.between(20.0, 900.0);
        machine = machine.with(Traffic::Burst { from: begins, seconds: lasts, count: 20 + draw.below(80) });
    }
    machine
}

/// What is wrong with a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Calls are cut, and retried in lockstep.
    Lockstep,
    /// The same, with jitter.
    Jittered,
    /// Calls hang until their time is over, and are retried in lockstep.
    Hang,
    /// Workers die or tokens get lost.
    Stuck,
    /// An error that comes with one value of the input.
    NewError,
    /// A state takes longer for good.
    Slower,
    /// A storm, stuck tasks, a new error and a slower state in one fleet.
    All,
}

pub const WRONGS: [Wrong; 7] = [Wrong::Lockstep, Wrong::Jittered, Wrong::Hang, Wrong::Stuck, Wrong::NewError, Wrong::Slower, Wrong::All];

/// How many fleets with a fault there are: nine of each kind, from slight to severe.
pub const FAULTY: u64 = 63;

/// A fleet with a fault: which, and how severe from 0 (slight) to 8, follows from its number.
pub fn faulty(number: u64) -> (Wrong, Fleet) {
    let wrong = WRONGS[usize::try_from(number % 7).expect("small")];
    let severity = (number / 7) % 9;
    let key = Key::new(0xfa17).number(number);
    let mut draw = key.draw();
    let waits_long = matches!(wrong, Wrong::Stuck | Wrong::All);
    let hours = if waits_long { draw.between(72.0, 150.0) } else { draw.between(5.0, 20.0) };
    let from = moment(&mut draw);
    let at = |share: f64| from.checked_add(seconds(share * hours * 3600.0)).expect("a moment");
    let mut services = machines::services();
    let mut answerers = machines::answerers();
    vary_services(&mut draw, &mut services);
    vary_answerers(&mut draw, &mut answerers);
    let mut orders = machines::orders().with(Traffic::Steady { per_hour: 110.0 / hours, night: 0.5, busiest: 13.0 });
    let mut payments =
        vary_retries(&mut draw, machines::payments()).with(Traffic::Steady { per_hour: 80.0 / hours, night: 0.5, busiest: 13.0 });
    let mut images = machines::images().with(Traffic::Steady { per_hour: 60.0 / hours, night: 0.3, busiest: 13.0 });
    let approvals = machines::approvals().with(Traffic::Steady { per_hour: 150.0 / hours, night: 0.7, busiest: 11.0 });
    let picking = machines::picking().with(Traffic::Steady { per_hour: 80.0 / hours, night: 0.3, busiest: 11.0 });
    let storm = matches!(wrong, Wrong::Lockstep | Wrong::Jittered | Wrong::Hang | Wrong::All);
    if storm {
        let begins = at(draw.between(0.35, 0.9));
        // Ten to seventy calls are under way when it begins; they take some seconds.
        let cohort = 10 + usize::try_from(severity).expect("small") * 7;
        payments = payments.with(Traffic::Burst { from: begins.checked_sub(seconds(2.0)).expect("a moment"), seconds: 1.8, count: cohort });
        let jitter = if wrong == Wrong::Jittered { json!("FULL") } else { json!(null) };
        let interval = 2 + draw.below(4);
        let members = json!({"JitterStrategy": jitter, "IntervalSeconds": interval, "MaxAttempts": 3 + draw.below(3), "BackoffRate": *draw.pick(&[1.0, 1.5, 2.0])});
        payments.versions[0].definition = with_retriers(&payments.versions[0].definition, &["Authorize"], &members);
        let lasts = draw.between(6.0, 45.0);
        let spread_ms = draw.between(50.0, 900.0);
        let noise = if draw.chance(0.4) { draw.between(0.03, 0.1) } else { 0.0 };
        let service = named(&mut services, "payment-authorize");
        service.failures.push((machines::UNAVAILABLE, noise));
        service.takes = stepscope::simulation::Spread { median_ms: 6_000.0, sigma: 0.2 };
        let kind =
            if wrong == Wrong::Hang { FaultKind::Hang } else { FaultKind::Outage { said: machines::UNAVAILABLE, spread_ms, share: 1.0 } };
        let lasts = if wrong == Wrong::Hang { 200.0 } else { lasts };
        let ends = begins.checked_add(seconds(lasts)).expect("a moment");
        let begins = if wrong == Wrong::Hang { begins.checked_sub(seconds(2.5)).expect("a moment") } else { begins };
        service.faults.push(Fault { kind, from: begins, to: ends });
        if draw.chance(0.5) {
            // Parents retry what their children retried.
            let retry = json!([{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 2, "BackoffRate": 2.0}]);
            orders.versions[0].definition = retrying(&orders.versions[0].definition, &retry);
            orders =
                orders.with(Traffic::Burst { from: begins.checked_sub(seconds(3.5)).expect("a moment"), seconds: 1.5, count: cohort / 2 });
        }
    }
    if waits_long {
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let severe = severity as f64 / 8.0;
        let check = answerers.iter_mut().find(|answerer| answerer.state == "AutomatedCheck").expect("it is there");
        if draw.chance(0.5) {
            check.loses = 0.02 + 0.06 * severe;
        } else {
            let dead = at(0.95 - 0.5 * severe);
            let worker = if draw.chance(0.5) { None } else { Some(0) };
            let back = if draw.chance(0.5) { Timestamp::MAX } else { dead.checked_add(seconds(hours * 3600.0 * 0.1)).expect("a moment") };
            check.deaths.push(Death { worker, from: dead, to: back });
        }
        if draw.chance(0.5) {
            let picker = answerers.iter_mut().find(|answerer| answerer.state == "PickItems").expect("it is there");
            picker.loses = 0.02 + 0.04 * severe;
        }
    }
    if matches!(wrong, Wrong::NewError | Wrong::All) {
        let since = at(draw.between(0.35, 0.6));
        let said =
            ErrorSaid { error: "TypeError", cause: r#"{"errorMessage":"Cannot read properties of undefined","errorType":"TypeError"}"# };
        let value = *draw.pick(&["USD", "GBP", "SEK"]);
        let share = if severity < 3 { 0.7 } else { 1.0 };
        let rejects = FaultKind::Rejects { member: "currency", value, said, share };
        named(&mut services, "payment-capture").faults.push(Fault { kind: rejects, from: since, to: Timestamp::MAX });
    }
    if matches!(wrong, Wrong::Slower | Wrong::All) {
        let since = at(draw.between(0.35, 0.6));
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let factor = 1.5 + 0.3 * severity as f64;
        let service = named(&mut services, "image-resize");
        service.takes.sigma = service.takes.sigma.min(0.7);
        service.faults.push(Fault { kind: FaultKind::Slow(factor), from: since, to: Timestamp::MAX });
        images = images.with(Traffic::Steady { per_hour: 60.0 / hours, night: 0.0, busiest: 0.0 });
    }
    let mut fleet = Fleet { seed: key.seed(), from, now: at(1.0), machines: vec![orders, payments, images, picking], services, answerers };
    if waits_long {
        fleet.machines.push(approvals);
    }
    (wrong, fleet)
}

fn named<'a>(services: &'a mut [Service], name: &str) -> &'a mut Service {
    services.iter_mut().find(|service| service.name == name).expect("it is there")
}

/// `order-fulfilment` that retries `ChargeCustomer`.
fn retrying(definition: &str, retry: &serde_json::Value) -> String {
    let mut parsed: serde_json::Value = serde_json::from_str(definition).expect("JSON");
    parsed["States"]["ChargeCustomer"]["Retry"] = retry.clone();
    parsed.to_string()
}
