//! A simulated, failing world: state machines run through the interpreter against services that queue, throttle, break and hang,
//! workers that die and people who take their time.
//!
//! For `demo` and for tests of detectors, which need to know the truth: [`simulate`] gives the histories as the service would
//! have written them by some moment, and beside them what was wrong ([`Truth`]). The same fleet and seed give the same bytes.
//!
//! | file          | holds                                                                            |
//! |---------------|----------------------------------------------------------------------------------|
//! | `fleet.rs`    | state machines, services and people; all executions, run side by side             |
//! | `world.rs`    | what one execution sees of them                                                  |
//! | `service.rs`  | a downstream service: latency, load, faults                                      |
//! | `answerer.rs` | who returns task tokens and takes tasks of activities                            |
//! | `traffic.rs`  | when executions start                                                            |
//! | `machines`    | definitions                                                                      |
//! | `cut.rs`      | histories as they are at a moment                                                |
//! | `truth.rs`    | what was wrong                                                                   |
//! | `incident.rs` | the fleet of `demo`                                                              |
//! | `random.rs`   | random numbers by name                                                           |

mod answerer;
mod cut;
mod fleet;
mod incident;
pub mod machines;
mod random;
mod service;
#[cfg(test)]
mod tests;
mod traffic;
mod truth;
mod world;

pub use answerer::{Answerer, Death, Hours, Lost};
pub use fleet::{Fleet, Machine, Simulated, SimulationError, Version, simulate};
pub use incident::incident;
pub use random::{Draw, Key};
pub use service::{ErrorSaid, Fault, FaultKind, Service, Spread};
pub use traffic::Traffic;
pub use truth::{ChangeTruth, SignalTruth, StormTruth, StuckTruth, Truth};
