//! The fleet of `demo`: five state machines over two days, and a bad morning.
//!
//! | since                | what                                                                                           |
//! |----------------------|------------------------------------------------------------------------------------------------|
//! | Wednesday 14:20      | images take more than twice as long to resize                                                  |
//! | Wednesday 16:05      | a new version of the payments fails to capture those in SEK                                    |
//! | Thursday 07:05       | two of three workers that check requests died: what they had or are given waits for ever       |
//! | Thursday 09:00:03    | the payment provider cuts all calls, as the renewals come in, and refuses more for 20 seconds; |
//! |                      | when it is back, the retries come all at once, and most are over its rate                      |
//! | Thursday 09:40       | now                                                                                            |
//!
//! Renewals start 48 orders at once, every day at nine: that is how it is meant, and nothing to tell of. Managers decide in office
//! hours, and nights pass.

use crate::model::Timestamp;

use super::answerer::Death;
use super::fleet::{Fleet, Version};
use super::machines;
use super::service::{ErrorSaid, FaultKind};
use super::traffic::Traffic;

/// 2026-03-03, a Tuesday.
const FIRST_DAY: i64 = 1_772_496_000;

/// A moment of these days.
fn at(day: i64, hour: i64, minute: i64, second: i64) -> Timestamp {
    Timestamp::from_second(FIRST_DAY + ((day * 24 + hour) * 60 + minute) * 60 + second).expect("a moment of 2026")
}

/// The fleet.
pub fn incident() -> Fleet {
    let (from, now) = (at(0, 9, 0, 0), at(2, 9, 40, 0));
    let steady = |per_hour| Traffic::Steady { per_hour, night: 0.85, busiest: 12.0 };
    let renewals = Traffic::Scheduled { first: at(0, 9, 0, 0), every_seconds: 24 * 3_600, count: 48, spread_seconds: 3.0 };
    let mut services = machines::services();
    let mut answerers = machines::answerers();
    for service in &mut services {
        match service.name {
            "payment-authorize" => {
                // The provider holds a renewal for some seconds.
                let outage = FaultKind::Outage { said: machines::UNAVAILABLE, spread_ms: 250.0, share: 1.0 };
                *service = service.clone().fault(outage, at(2, 9, 0, 3), at(2, 9, 0, 23));
                service.takes.median_ms = 2_600.0;
                service.per_second = Some(20.0);
            }
            "payment-capture" => {
                let rejects = FaultKind::Rejects { member: "currency", value: "SEK", said: NO_MINOR_UNITS, share: 1.0 };
                *service = service.clone().fault(rejects, at(1, 16, 5, 0), Timestamp::MAX);
            }
            "image-resize" => *service = service.clone().fault(FaultKind::Slow(2.4), at(1, 14, 20, 0), Timestamp::MAX),
            _ => {}
        }
    }
    for answerer in &mut answerers {
        if answerer.state == "AutomatedCheck" {
            let died = |worker| Death { worker: Some(worker), from: at(2, 7, 5, 0), to: Timestamp::MAX };
            answerer.deaths = vec![died(0), died(1)];
        }
    }
    let mut payments = machines::payments();
    let first = payments.versions[0].definition.clone();
    payments.versions = vec![
        Version { from: Timestamp::MIN, number: Some(11), definition: first.clone() },
        Version { from: at(1, 16, 5, 0), number: Some(12), definition: first },
    ];
    Fleet {
        seed: 20,
        from,
        now,
        machines: vec![
            machines::orders().with(steady(8.0)).with(renewals),
            payments,
            machines::images().with(steady(3.0)),
            machines::approvals().with(Traffic::Steady { per_hour: 10.0, night: 0.9, busiest: 9.5 }),
            machines::picking().with(steady(3.0)),
        ],
        services,
        answerers,
    }
}

const NO_MINOR_UNITS: ErrorSaid = ErrorSaid {
    error: "TypeError",
    cause: r#"{"errorMessage":"Cannot read properties of undefined (reading 'minorUnits')","errorType":"TypeError","stackTrace":["at toMinor (/var/task/money.js:18:31)","at capture (/var/task/index.js:52:14)"]}"#,
};
