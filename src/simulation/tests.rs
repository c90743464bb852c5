//! Fleets and what they leave behind.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::json;

use super::*;
use crate::model::event_type::{AttemptStep, Role};
use crate::model::path::AttemptOutcome;
use crate::model::wire::{WireBundle, WireHistory};
use crate::model::{Details, ExecutionStatus, History, Timestamp};
use crate::rebuild::rebuild;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// Payments alone, one of them every two minutes, for four hours; and sixty at once at ten.
fn payments(services: Vec<Service>) -> Fleet {
    let cohort = Traffic::Scheduled { first: at("2026-03-02T10:00:00Z"), every_seconds: 86_400, count: 60, spread_seconds: 1.0 };
    let steady = Traffic::Steady { per_hour: 30.0, night: 0.0, busiest: 12.0 };
    Fleet {
        seed: 3,
        from: at("2026-03-02T08:00:00Z"),
        now: at("2026-03-02T12:00:00Z"),
        machines: vec![machines::payments().with(steady).with(cohort)],
        services,
        answerers: Vec::new(),
    }
}

/// The sound services, one of them changed.
fn services(name: &str, change: impl Fn(Service) -> Service) -> Vec<Service> {
    machines::services().into_iter().map(|service| if service.name == name { change(service) } else { service }).collect()
}

fn cut_at_ten(service: Service) -> Service {
    let outage = FaultKind::Outage { said: machines::UNAVAILABLE, spread_ms: 200.0, share: 1.0 };
    let mut service = service.fault(outage, at("2026-03-02T10:00:01.5Z"), at("2026-03-02T10:00:31Z"));
    service.takes.median_ms = 4_000.0;
    service
}

fn wire(histories: &[History]) -> Vec<String> {
    histories.iter().map(|history| serde_json::to_string(&WireBundle(history)).expect("a history is JSON")).collect()
}

/// How many histories have events that say this.
fn that_say(simulated: &Simulated, words: &[&str]) -> usize {
    let events = simulated.histories.iter().map(|history| serde_json::to_string(&WireHistory(history)).expect("a history is JSON"));
    events.filter(|events| words.iter().all(|word| events.contains(word))).count()
}

fn the_incident() -> &'static Simulated {
    static INCIDENT: OnceLock<Simulated> = OnceLock::new();
    INCIDENT.get_or_init(|| simulate(&incident()).expect("simulated"))
}

fn retries(simulated: &Simulated, state: &str) -> Vec<f64> {
    let mut waits = Vec::new();
    for history in &simulated.histories {
        let path = rebuild(history, None);
        for visit in path.visits.iter().filter(|visit| visit.state.as_ref().is_some_and(|name| name.is(state))) {
            for pair in visit.attempts.windows(2) {
                let time = |index: Option<crate::model::path::EventIndex>| {
                    history.events[index.expect("an event")].timestamp.expect("a time").as_millisecond()
                };
                #[allow(clippy::cast_precision_loss, reason = "milliseconds of a wait")]
                waits.push((time(pair[1].scheduled) - time(pair[0].ended)) as f64 / 1000.0);
            }
        }
    }
    waits
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let fleet = payments(services("payment-authorize", cut_at_ten));
    let told = |seed| wire(&simulate(&Fleet { seed, ..fleet.clone() }).expect("simulated").histories);
    let one = told(3);
    assert!(one == told(3), "the same seed");
    assert!(one != told(4), "another seed");
}

#[test]
fn another_machine_changes_nothing_for_those_that_share_no_service_with_it() {
    let alone = payments(machines::services());
    let mut both = alone.clone();
    both.machines.insert(0, machines::images().with(Traffic::Steady { per_hour: 60.0, night: 0.0, busiest: 12.0 }));
    let of_payments = |fleet: &Fleet| -> Vec<String> {
        let all = wire(&simulate(fleet).expect("simulated").histories);
        all.into_iter().filter(|history| history.contains("stateMachine:payment-flow")).collect()
    };
    assert!(of_payments(&alone) == of_payments(&both));
}

#[test]
fn histories_are_whole_and_rebuild_without_a_gap() {
    let simulated = the_incident();
    assert!(simulated.histories.len() > 500);
    for history in &simulated.histories {
        let arn = history.header.arn.as_ref().expect("an ARN");
        let ids: Vec<u64> = history.events.iter().map(|event| event.id.0).collect();
        assert!(ids.iter().copied().eq(1..=ids.len() as u64), "{arn}");
        let times: Vec<Timestamp> = history.events.iter().map(|event| event.timestamp.expect("a time")).collect();
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "{arn}");
        assert!(times.iter().all(|time| time.subsec_nanosecond() % 1_000_000 == 0), "{arn} counts milliseconds");
        assert_eq!(history.header.start, times.first().copied(), "{arn}");
        let path = rebuild(history, None);
        assert!(path.unplaced.is_empty() && path.broken_links.is_empty(), "{arn}");
        if history.header.status == Some(ExecutionStatus::Running) {
            assert_eq!(history.header.stop, None);
        } else {
            assert_eq!(history.header.stop, times.last().copied(), "{arn}");
        }
    }
}

#[test]
fn nothing_is_known_of_what_comes_after_now() {
    let whole = payments(services("payment-authorize", cut_at_ten));
    let early = Fleet { now: at("2026-03-02T10:00:10Z"), ..whole.clone() };
    let before = |simulated: &Simulated| -> Vec<String> {
        let over = |history: &&History| history.header.stop.is_some_and(|stop| stop <= early.now);
        wire(&simulated.histories.iter().filter(over).cloned().collect::<Vec<_>>())
    };
    let (whole, early_on) = (simulate(&whole).expect("simulated"), simulate(&early).expect("simulated"));
    assert!(before(&early_on).len() > 40);
    assert!(before(&early_on) == before(&whole), "what is over is the same, whenever it is read");
    let running = early_on.histories.iter().filter(|history| history.header.status == Some(ExecutionStatus::Running)).count();
    assert!(running > 40, "those that wait for a retry: {running}");
    for history in &early_on.histories {
        assert!(history.events.iter().all(|event| event.timestamp.expect("a time") <= early.now));
    }
}

/// Every attempt ends by a rule of the world: an answer, a failure that a service has, a limit of time; or it waits.
#[test]
fn every_attempt_has_an_outcome_by_the_rules_of_the_world() {
    let mut errors = BTreeSet::new();
    let mut open = 0_usize;
    let mut attempts = 0_usize;
    for history in &the_incident().histories {
        let scheduled = history.events.iter().filter(|event| matches!(event.kind.role(), Role::Attempt(AttemptStep::Scheduled))).count();
        let path = rebuild(history, None);
        let tasks: Vec<_> = path.visits.iter().filter(|visit| visit.attempts.iter().any(|attempt| attempt.scheduled.is_some())).collect();
        let told = tasks.iter().flat_map(|visit| &visit.attempts).filter(|attempt| {
            attempt.scheduled.is_some_and(|at| matches!(history.events[at].kind.role(), Role::Attempt(AttemptStep::Scheduled)))
        });
        let mut counted = 0;
        for attempt in told {
            counted += 1;
            match attempt.outcome {
                AttemptOutcome::Open => open += 1,
                AttemptOutcome::Succeeded => {}
                _ => {
                    let event = &history.events[attempt.ended.expect("an end")];
                    let Details::Failure(failure) = &event.details else { panic!("a failure has details") };
                    errors.insert(failure.error.as_ref().expect("an error").decode().into_owned());
                }
            }
        }
        assert_eq!(counted, scheduled, "{:?}", history.header.arn);
        attempts += counted;
    }
    assert!(attempts > 2_000);
    let known = ["Lambda.ServiceException", "Lambda.TooManyRequestsException", "States.TaskFailed", "TypeError", "UpstreamUnavailable"];
    assert!(errors.iter().all(|error| known.contains(&error.as_str())), "{errors:?}");
    assert!(errors.contains("UpstreamUnavailable") && errors.contains("TypeError") && errors.contains("States.TaskFailed"), "{errors:?}");
    // Only people and dead workers keep attempts open, and whoever called just before now.
    assert!(open < 80, "{open}");
}

#[test]
fn an_outage_cuts_what_is_under_way_and_unjittered_retries_come_together() {
    let simulated = simulate(&payments(services("payment-authorize", cut_at_ten))).expect("simulated");
    let [storm] = &*simulated.truth.storms else { panic!("{:?}", simulated.truth.storms) };
    assert_eq!((storm.state.as_str(), storm.jittered), ("Authorize", false));
    assert!(storm.cohort > 40 && storm.together > 40, "{storm:?}");
    assert_eq!(storm.from.as_second(), at("2026-03-02T10:00:01Z").as_second());
    let waits = retries(&simulated, "Authorize");
    assert!(waits.iter().all(|wait| [2.0, 4.0, 8.0, 16.0].iter().any(|nominal| (0.0..0.3).contains(&(wait - nominal)))), "{waits:?}");
}

#[test]
fn jitter_spreads_the_same_retries() {
    let mut fleet = payments(services("payment-authorize", cut_at_ten));
    let jittered = machines::with_retriers(machines::PAYMENT_FLOW, &["Authorize"], &json!({"JitterStrategy": "FULL"}));
    fleet.machines[0].versions[0].definition = jittered;
    let simulated = simulate(&fleet).expect("simulated");
    let [storm] = &*simulated.truth.storms else { panic!("{:?}", simulated.truth.storms) };
    assert!(storm.jittered && storm.cohort > 40, "{storm:?}");
    let waits = retries(&simulated, "Authorize");
    assert!(waits.iter().any(|wait| *wait < 1.0) && waits.iter().any(|wait| *wait > 10.0), "{waits:?}");
}

#[test]
fn without_a_fault_nothing_is_wrong() {
    let simulated = simulate(&payments(machines::services())).expect("simulated");
    let Truth { storms, stuck, changes } = &simulated.truth;
    assert!(storms.is_empty() && stuck.is_empty() && changes.is_empty());
}

#[test]
fn calls_over_the_rate_are_throttled_by_what_all_executions_call() {
    let slow = |mut service: Service| {
        service.per_second = Some(10.0);
        service
    };
    let simulated = simulate(&payments(services("payment-authorize", slow))).expect("simulated");
    let throttled = that_say(&simulated, &["Lambda.TooManyRequestsException"]);
    assert!((30..60).contains(&throttled), "sixty calls in a second and a half, of which some twenty pass: {throttled}");
}

#[test]
fn calls_beyond_those_that_are_served_wait_for_their_turn() {
    let busy = |mut service: Service| {
        service.concurrent = Some(5);
        service
    };
    let lasts = |fleet: &Fleet| {
        let simulated = simulate(fleet).expect("simulated");
        let longest = simulated.histories.iter().filter_map(|history| {
            let header = &history.header;
            Some(header.stop?.duration_since(header.start?).as_secs())
        });
        longest.max().expect("executions")
    };
    assert!(lasts(&payments(machines::services())) < 10);
    // Sixty calls of about a second, five at a time.
    assert!((10..30).contains(&lasts(&payments(services("payment-authorize", busy)))));
}

#[test]
fn a_hang_is_let_go_at_once_or_ends_by_timeouts() {
    let hang = |service: Service| service.fault(FaultKind::Hang, at("2026-03-02T10:00:00Z"), at("2026-03-02T10:00:40Z"));
    let freed = simulate(&payments(services("payment-authorize", hang))).expect("simulated");
    assert!(freed.histories.iter().all(|history| history.header.status == Some(ExecutionStatus::Succeeded)));
    let for_good = |service: Service| service.fault(FaultKind::Hang, at("2026-03-02T10:00:00Z"), Timestamp::MAX);
    let dead = simulate(&payments(services("payment-authorize", for_good))).expect("simulated");
    assert!(that_say(&dead, &["\"TaskTimedOut\"", "PaymentFailed"]) > 30);
    assert!(dead.truth.storms.iter().any(|storm| storm.state == "Authorize" && storm.together > 30), "{:?}", dead.truth.storms);
}

#[test]
fn the_incident_is_the_one_that_it_claims_to_be() {
    let truth = &the_incident().truth;
    let storms: Vec<(&str, bool)> = truth.storms.iter().map(|storm| (storm.state.as_str(), storm.jittered)).collect();
    assert_eq!(storms, [("Authorize", false)]);
    assert!(truth.storms[0].together >= 30, "{:?}", truth.storms);
    assert!((8..40).contains(&truth.stuck.len()), "{}", truth.stuck.len());
    assert!(truth.stuck.iter().all(|stuck| stuck.state == "AutomatedCheck" && stuck.reason == Lost::WorkerDied));
    let changes: Vec<(&str, SignalTruth)> = truth.changes.iter().map(|change| (change.state.as_str(), change.signal)).collect();
    assert_eq!(changes, [("Capture", SignalTruth::NewError), ("Resize", SignalTruth::Latency)]);
    assert!(truth.changes.iter().all(|change| change.affected >= 6), "{:?}", truth.changes);
}
