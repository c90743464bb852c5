//! Says in words where two histories part, and what may be behind it.

use super::compare::Difference;
use super::recording::{Belongs, Key, Recording};
use super::report::{DefinitionSource, DifferingPlace, Divergence, Event};
use crate::asl::machine::StateMachine;
use crate::expr::Value;
use crate::model::{HistoryEvent, Role};

/// How many differing places a report holds.
const MOST_PLACES: usize = 20;
/// How much of a value stands in a sentence.
const MOST_CHARACTERS: usize = 60;
/// How far siblings may have run apart for their order to be named.
const NEAR: usize = 50;

/// What there is to say about a replay that left the recording.
pub(super) struct Parting<'p> {
    pub recorded: &'p Recording<'p>,
    pub produced: &'p Recording<'p>,
    pub machine: &'p StateMachine,
    pub source: DefinitionSource,
    /// Attempts that the recording does not hold.
    pub unanswered: &'p [Key],
    /// Whether the user changed more than the definition.
    pub is_changed: bool,
}

impl Parting<'_> {
    /// The divergence at this event.
    pub fn at(&self, index: usize, differences: &[Difference]) -> Divergence {
        let side = |recording: &Recording<'_>| -> (Option<HistoryEvent>, Option<Belongs>) {
            (recording.events().get(index).cloned(), recording.belongs.get(index).cloned())
        };
        let (recorded, belongs) = side(self.recorded);
        let (produced, produced_in) = side(self.produced);
        let place = belongs.as_ref().or(produced_in.as_ref());
        Divergence {
            recorded_event_id: recorded.as_ref().map(|event| event.id),
            state: place.and_then(|place| place.state.as_deref()).map(str::to_owned),
            scope: place.map(|place| labels(&place.scope)).unwrap_or_default(),
            reason: match (&recorded, &produced) {
                (Some(recorded), Some(produced)) if recorded.kind == produced.kind => values(recorded, belongs.as_ref(), differences),
                (Some(recorded), Some(produced)) => {
                    format!("the recording {}, the replay {}", told(recorded, belongs.as_ref()), told(produced, produced_in.as_ref()))
                }
                (Some(recorded), None) => {
                    let how = if self.produced.is_finished() { "ended" } else { "waits for an answer" };
                    format!("the recording {}, where the replay {how}", told(recorded, belongs.as_ref()))
                }
                (None, Some(produced)) => format!("the replay {}, where the recording ended", told(produced, produced_in.as_ref())),
                (None, None) => "one of the histories has no events".to_owned(),
            },
            likely: self.likely(index, recorded.as_ref(), belongs.as_ref()),
            differences: differences.iter().take(MOST_PLACES).map(DifferingPlace::from).collect(),
            more_differences: differences.len().saturating_sub(MOST_PLACES),
            recorded: recorded.map(Event),
            produced: produced.map(Event),
        }
    }

    fn likely(&self, index: usize, recorded: Option<&HistoryEvent>, belongs: Option<&Belongs>) -> Option<String> {
        if let Some(name) = belongs.and_then(|belongs| belongs.state.as_deref()).filter(|name| self.machine.find(name).is_none()) {
            return Some(format!("this definition has no state `{name}`: it was changed since, or belongs to another state machine"));
        }
        if let Some(key) = self.unanswered.first() {
            let which = attempt_words(key);
            return Some(format!("the replay called state `{}` ({which}), for which the recording holds no answer", key.state));
        }
        if recorded.is_some_and(|event| event.role() == Role::Unknown) {
            return Some("this program does not know the type of the recorded event".to_owned());
        }
        if self.is_order(index) {
            return Some("branches or iterations went on in another order than the recorded one".to_owned());
        }
        if self.is_changed {
            return None;
        }
        Some(match self.source {
            DefinitionSource::Given => "the given definition does something else than the one that ran".to_owned(),
            _ => "the definition was changed since the execution started (describe-state-machine-for-execution gives the one that ran)"
                .to_owned(),
        })
    }

    /// Whether the event that was produced is among the next recorded ones, of another branch or iteration.
    fn is_order(&self, index: usize) -> bool {
        let (Some(produced), Some(place)) = (self.produced.events().get(index), self.produced.belongs.get(index)) else { return false };
        let next = self.recorded.events().iter().zip(&self.recorded.belongs).skip(index).take(NEAR);
        let here = self.recorded.belongs.get(index).map(|belongs| &belongs.scope);
        here != Some(&place.scope) && next.into_iter().any(|(event, belongs)| event.kind == produced.kind && belongs == place)
    }
}

/// `Fulfil[2]`, outermost first.
pub(super) fn labels(scope: &[(std::rc::Rc<str>, u64)]) -> Vec<String> {
    scope.iter().map(|(name, index)| format!("{name}[{index}]")).collect()
}

/// `attempt 2`, and the visit and the scope where there may be others.
fn attempt_words(key: &Key) -> String {
    let scope = labels(&key.scope).join(" > ");
    let mut words = format!("attempt {}", key.attempt);
    if key.visit > 1 {
        words = format!("visit {}, {words}", key.visit);
    }
    if scope.is_empty() { words } else { format!("in {scope}, {words}") }
}

/// An event of one type that differs in its details.
fn values(event: &HistoryEvent, belongs: Option<&Belongs>, differences: &[Difference]) -> String {
    let of_state = belongs.and_then(|belongs| belongs.state.as_deref()).map(|state| format!(" of state `{state}`")).unwrap_or_default();
    let subject = format!("event {} ({}{of_state})", event.id, event.type_name());
    let Some(first) = differences.first() else { return format!("{subject} differs") };
    let at = if first.place == "$" { String::new() } else { format!(" at {}", first.place) };
    let more = match differences.len() {
        1 => String::new(),
        2 => ", and in one more place".to_owned(),
        several => format!(", and in {} more places", several - 1),
    };
    let said = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), |value| shortened(&value.to_json()));
    format!("{subject} differs in {}{at}: recorded {}, produced {}{more}", first.field, said(&first.recorded), said(&first.produced))
}

/// What an event does, as the rest of a sentence that begins with "the recording".
fn told(event: &HistoryEvent, belongs: Option<&Belongs>) -> String {
    let state = belongs.and_then(|belongs| belongs.state.as_deref());
    let in_scope = belongs.filter(|belongs| !belongs.scope.is_empty()).map(|belongs| format!(" in {}", labels(&belongs.scope).join(" > ")));
    let in_scope = in_scope.unwrap_or_default();
    let error = event.error().map(|error| format!(" with {}", shortened(&error.decode()))).unwrap_or_default();
    match (event.role(), state) {
        (Role::StateEntered(kind), Some(state)) => format!("enters {} state `{state}`{in_scope}", kind.name()),
        (Role::StateExited(_), Some(state)) => format!("leaves state `{state}`{in_scope}"),
        (Role::ExecutionEnded(_), _) => format!("ends with {}{error}", event.type_name()),
        (_, Some(state)) => format!("has {}{error} of state `{state}`{in_scope}", event.type_name()),
        (_, None) => format!("has {}{error}", event.type_name()),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(MOST_CHARACTERS).chain(['…']).collect()
}
