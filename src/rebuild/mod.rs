//! A history to the path that the execution took. Pure, and linear in the number of events.
//!
//! Events name the event that caused them, but the links do not always lead where one expects. Each kind of event is placed by
//! a rule of its own (`place`), the visit at which an execution ended is found from its last event (`blame`), and what the
//! history leaves unsaid about siblings is closed at the end (`close`). The rules come from recordings of the service.
//!
//! | event                                | belongs to                                                                      |
//! |--------------------------------------|---------------------------------------------------------------------------------|
//! | `…StateEntered`                      | a new visit in the scope of what it links to; after `ParallelStateStarted` in a new branch |
//! | `…StateExited`                       | the visit it names, at or around what it links to                               |
//! | `MapStateStarted`, `Parallel…`       | the visit just entered, or the nearest open one around the failure it links to; linked to a `…Failed`, that one or one around it |
//! | `…Succeeded`, `…Failed` of these     | the nearest open one around the event it links to                               |
//! | `MapIterationStarted`                | the Map it names, at or around what it links to (a freed slot links to another iteration) |
//! | `MapIterationAborted`                | the open iteration with its name and index; its link leads to the failing sibling |
//! | `…StateAborted`                      | an open visit of its kind beside the failing one, by elimination                |
//! | `EvaluationFailed`                   | the state that it names, by the Entered event in its cause                      |
//! | steps of an attempt                  | the visit of what it links to                                                   |
//! | anything after `ExecutionRedriven`   | the visit that had not ended                                                    |
//! | a failure where nothing else was logged | what the definition leaves no choice about, else a state without a name (`failures_only`) |
//! | an event whose link leads nowhere    | what the definition, the names seen so far and the order make likely; it is listed |

mod attempts;
mod blame;
mod cause_text;
mod close;
mod composites;
mod failures_only;
mod likely;
mod place;
mod visits;

pub use cause_text::{StateInCause, state_in_cause};

use crate::asl::Definition;
use crate::model::{ExecutionPath, History};

/// How many Parallel and Map visits may enclose one another. The service's own limit on definitions is far below.
pub const DEEPEST: u32 = 256;

/// Rebuilds what an execution did from its history and, where there is one, its definition.
///
/// Never fails: events that belong nowhere are listed in [`ExecutionPath::unplaced`], links that lead nowhere in
/// [`ExecutionPath::broken_links`].
pub fn rebuild(history: &History, definition: Option<&Definition>) -> ExecutionPath {
    let mut rebuilder = place::Rebuilder::new(history, definition);
    for index in 0..history.events.len() {
        rebuilder.place(index);
    }
    rebuilder.end_without_event();
    rebuilder.close()
}
