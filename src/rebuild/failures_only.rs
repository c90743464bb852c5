//! Histories of which only failures were logged: what can be said without the events between them.
//!
//! Apart from `likely`, which fills a hole or two by the order of what is left: here nearly everything is missing, and the order of two
//! failures says nothing about their states. So no state is named unless the event, the cause or the definition leaves no choice.
//!
//! | an event                                        | belongs to                                                             |
//! |-------------------------------------------------|------------------------------------------------------------------------|
//! | a failed step whose link leads to an event      | that one's visit, as elsewhere                                         |
//! | a failed step of what one Task alone calls      | a visit of it, by inference; the last one's next attempt outside a Map |
//! | any other failed step                           | a visit of a state without a name                                      |
//! | `MapRunFailed`                                  | the definition's only Distributed Map, else one without a name         |
//! | the end, linked to none of these                | what the cause names, else no visit: never the newest one              |

use std::borrow::Cow;

use super::place::{Place, Rebuilder};
use crate::asl::{Definition, State};
use crate::model::history::LoggedLevel;
use crate::model::path::{EventIndex, ScopeId, VisitId};
use crate::model::{EventType, Gap, History, HistoryEvent, RawText, StateType};

/// Whether only failures of the execution were logged.
pub(super) fn is_failures_only(history: &History) -> bool {
    history.gaps.iter().any(|gap| matches!(gap, Gap::LoggedOnly { level: LoggedLevel::Error | LoggedLevel::Fatal }))
}

impl Rebuilder<'_> {
    /// The visit of a failed step whose link leads nowhere.
    pub(super) fn task_of_failure(&mut self, index: EventIndex) -> VisitId {
        let event = self.event(index);
        let only = self.definition.and_then(|definition| only_state(definition, |state| calls(state, event)));
        let Some(state) = only else {
            return self.open_visit(ScopeId::EXECUTION, index, None, Some(StateType::Task));
        };
        let name = state.name.clone();
        let is_in_map = self.definition.is_some_and(|definition| is_in_map(definition, &name));
        // One after the other they are attempts. Iterations of a Map fail side by side.
        let last = self.path.visits().next_back().map(|(id, _)| id);
        let again = last.filter(|id| !is_in_map && self.visit(*id).state.as_ref().is_some_and(|state| state.is(&name)));
        again.unwrap_or_else(|| self.open_inferred(index, name, StateType::Task))
    }

    /// The Map of a failed run whose link leads nowhere.
    pub(super) fn map_of_failed_run(&mut self, index: EventIndex) -> Place {
        let only = self.definition.and_then(|definition| only_state(definition, |state| state.distributed));
        let visit = match only.map(|state| state.name.clone()) {
            Some(name) => self.open_inferred(index, name, StateType::Map),
            None => self.open_visit(ScopeId::EXECUTION, index, None, Some(StateType::Map)),
        };
        let entry = self.visit_mut(visit);
        entry.failure = Some(index);
        entry.failed_by = Some(visit);
        Place { scope: ScopeId::EXECUTION, visit: Some(visit) }
    }

    fn open_inferred(&mut self, index: EventIndex, name: String, kind: StateType) -> VisitId {
        let visit = self.open_visit(ScopeId::EXECUTION, index, Some(RawText::plain(name.as_str())), Some(kind));
        self.by_name.entry(Cow::Owned(name)).or_default().push(visit);
        self.visit_mut(visit).name_inferred = true;
        visit
    }
}

fn only_state(definition: &Definition, fits: impl Fn(&State) -> bool) -> Option<&State> {
    let mut fitting = definition.states().filter(|state| fits(state));
    fitting.next().filter(|_| fitting.next().is_none())
}

fn is_in_map(definition: &Definition, name: &str) -> bool {
    let mut at = definition.parent_of(name);
    while let Some(parent) = at {
        if parent.state_type == Some(StateType::Map) {
            return true;
        }
        at = definition.parent_of(&parent.name);
    }
    false
}

/// Whether a failed step may be one of the state. Events of functions and Activities do not say which one was called.
fn calls(state: &State, event: &HistoryEvent) -> bool {
    use EventType::{
        ActivityFailed, ActivityScheduleFailed, ActivityTimedOut, LambdaFunctionFailed, LambdaFunctionScheduleFailed,
        LambdaFunctionStartFailed, LambdaFunctionTimedOut,
    };
    let Some(resource) = state.resource.as_deref().filter(|_| state.state_type == Some(StateType::Task)) else { return false };
    match event.kind {
        LambdaFunctionFailed | LambdaFunctionTimedOut | LambdaFunctionScheduleFailed | LambdaFunctionStartFailed => {
            resource.contains(":function:")
        }
        ActivityFailed | ActivityTimedOut | ActivityScheduleFailed => resource.contains(":activity:"),
        _ => super::close::called(event).is_some_and(|called| resource.ends_with(&called)),
    }
}
