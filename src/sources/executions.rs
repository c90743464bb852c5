//! What documents hold to executions: which pages belong together, which description and definition belong to them.
//!
//! Inside one file or stream, order tells: pages follow each other until one contradicts what came before, and a description or a
//! definition belongs to its neighbours. Between the files of a folder only the contents tell:
//!
//! | a page of events                                   | belongs to                                             |
//! |----------------------------------------------------|--------------------------------------------------------|
//! | holds event 1                                      | an execution with the same event 1, or a new one       |
//! | shares events with one execution, and they agree   | that one                                               |
//! | shares none, and continues one execution's numbers | that one                                               |
//! | shares none, and there is one execution only       | that one, with a gap                                   |
//! | fits several                                       | none: nobody guesses, and an error says what was left  |

use std::collections::HashMap;

use crate::model::{EventId, ExecutionHeader, Gap, History, HistoryEvent, RawText, StateMachineArn, Timestamp};

use super::assemble::{Page, assemble};
use super::document::{DefinitionPart, Part};
use super::error::{DEFINITION, Place, SourceError};
use crate::model::Origin;

/// What is known of one execution so far; a definition alone is one of no execution yet.
#[derive(Debug)]
pub(super) struct Unit {
    pub header: Option<ExecutionHeader>,
    pub pages: Option<Pages>,
    pub definition: Option<DefinitionPart>,
    pub place: Place,
    /// Parts of it stood in several files.
    is_spread: bool,
    unknown: Vec<(String, RawText)>,
    without_ids: usize,
}

/// Pages of one execution, with an index once there are several.
#[derive(Debug, Default)]
pub(super) struct Pages {
    list: Vec<Page>,
    index: Option<HashMap<EventId, (usize, usize)>>,
}

/// How the events of a page stand to those of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// They share events, and these are the same.
    Agrees,
    /// They share no event.
    Disjoint,
    /// They share one event, and it differs.
    Doubtful,
    /// They are of different executions.
    Contradicts,
}

impl Pages {
    fn new(list: Vec<Page>) -> Self {
        Self { list, index: None }
    }

    fn events(&self) -> impl Iterator<Item = &HistoryEvent> {
        self.list.iter().flat_map(|page| &page.events)
    }

    fn lowest(&self) -> Option<EventId> {
        self.events().map(|event| event.id).min()
    }

    fn highest(&self) -> Option<EventId> {
        self.events().map(|event| event.id).max()
    }

    fn find(&mut self, id: EventId) -> Option<&HistoryEvent> {
        let list = &self.list;
        let index = self.index.get_or_insert_with(|| {
            let places = list
                .iter()
                .enumerate()
                .flat_map(|(number, page)| page.events.iter().enumerate().map(move |(at, event)| (event.id, (number, at))));
            // Of two events with one id the first is kept, here as when they are merged.
            places.fold(HashMap::new(), |mut index, (id, place)| {
                index.entry(id).or_insert(place);
                index
            })
        });
        index.get(&id).map(|(page, at)| &list[*page].events[*at])
    }

    fn relation(&mut self, other: &Pages) -> Relation {
        let (mut shared, mut agreeing) = (0_usize, 0_usize);
        for event in other.events() {
            let Some(known) = self.find(event.id) else { continue };
            shared += 1;
            agreeing += usize::from(known == event);
            if event.id == EventId(1) && known != event {
                return Relation::Contradicts;
            }
        }
        match (shared, agreeing) {
            (0, _) => Relation::Disjoint,
            (1, 0) => Relation::Doubtful,
            (_, 0) => Relation::Contradicts,
            _ => Relation::Agrees,
        }
    }

    fn add(&mut self, pages: Vec<Page>) {
        for page in pages {
            let number = self.list.len();
            if let Some(index) = &mut self.index {
                for (at, event) in page.events.iter().enumerate() {
                    index.entry(event.id).or_insert((number, at));
                }
            }
            self.list.push(page);
        }
    }

    /// One more event of a list that was taken apart: it goes on the last page.
    fn add_event(&mut self, pages: Vec<Page>) {
        let number = self.list.len();
        match self.list.last_mut().filter(|page| !page.more) {
            Some(last) => {
                for event in pages.into_iter().flat_map(|page| page.events) {
                    if let Some(index) = &mut self.index {
                        index.entry(event.id).or_insert((number - 1, last.events.len()));
                    }
                    last.events.push(event);
                }
            }
            None => self.add(pages),
        }
    }
}

impl Unit {
    pub(super) fn new(part: Part, place: Place) -> Self {
        Self {
            header: part.header,
            pages: part.pages.map(Pages::new),
            definition: part.definition,
            place,
            is_spread: false,
            unknown: part.unknown,
            without_ids: part.without_ids,
        }
    }

    /// Whether it is a definition and nothing else.
    pub(super) fn is_definition(&self) -> bool {
        self.header.is_none() && self.pages.is_none()
    }

    /// Whether a file of a folder completed it: nothing from the other files is looked for.
    pub(super) fn is_complete(&self) -> bool {
        self.pages.is_some() && (self.header.is_some() || self.definition.is_some())
    }

    /// The history, or why there is none.
    pub(super) fn into_history(self, origin: Option<String>) -> Result<History, SourceError> {
        if self.is_definition() {
            return Err(SourceError::NotAHistory { place: self.place, found: DEFINITION.to_owned() });
        }
        let mut header = self.header.unwrap_or_default();
        header.unknown.extend(self.unknown);
        if let (None, Some(definition)) = (&header.arn, &self.definition) {
            header.state_machine_arn = header.state_machine_arn.or_else(|| definition.arn.clone());
        }
        let pages = self.pages.map(|pages| pages.list).unwrap_or_default();
        let origin = origin.map_or_else(|| self.place.origin_of_part(), Origin::from);
        let mut history = assemble(header, pages, self.definition.map(|definition| definition.text), origin);
        if self.without_ids > 0 {
            history.gaps.push(Gap::NoIds { events: self.without_ids });
        }
        Ok(history)
    }

    fn merge_pages(&mut self, other: Unit) {
        self.unknown.extend(other.unknown);
        self.without_ids += other.without_ids;
        let Some(pages) = other.pages else { return };
        match &mut self.pages {
            Some(known) => known.add(pages.list),
            None => self.pages = Some(pages),
        }
    }

    /// When event 1 happened.
    fn first_time(&mut self) -> Option<Timestamp> {
        self.pages.as_mut()?.find(EventId(1))?.timestamp
    }

    fn machine(&self) -> Option<StateMachineArn> {
        let header = self.header.as_ref()?;
        header.state_machine_arn.clone().or_else(|| header.arn.as_ref().map(crate::model::ExecutionArn::state_machine))
    }
}

/// Whether a definition may be that of the machine; `None` where nothing tells.
fn is_of(definition: &DefinitionPart, machine: Option<&StateMachineArn>) -> Option<bool> {
    let (of, machine) = (definition.arn.as_ref()?, machine?);
    Some(of.unqualified() == machine.unqualified())
}

/// Puts the documents of one file or stream together, in their order.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    current: Option<Unit>,
}

impl Sequence {
    /// Takes the next document's part; what is complete goes to `out`.
    pub(super) fn take(&mut self, part: Part, place: Place, out: &mut dyn FnMut(Unit)) {
        let is_single_event = part.is_single_event;
        let is_bundle = part.is_bundle();
        let unit = Unit::new(part, place);
        if is_bundle {
            self.finish(out);
            return out(unit);
        }
        if let Some(current) = &mut self.current
            && accepts(current, &unit)
        {
            return join(current, unit, is_single_event);
        }
        self.finish(out);
        self.current = Some(unit);
    }

    /// Gives what is left.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(Unit)) {
        if let Some(unit) = self.current.take() {
            out(unit);
        }
    }
}

/// Whether the next document of a sequence, which is of one kind, may belong to what came before.
fn accepts(current: &mut Unit, next: &Unit) -> bool {
    if let Some(header) = &next.header {
        let fits = current.definition.as_ref().and_then(|definition| is_of(definition, header.state_machine_arn.as_ref())) != Some(false);
        return current.header.is_none() && fits && current.first_time().zip(header.start).is_none_or(|(first, start)| first == start);
    }
    if let Some(definition) = &next.definition {
        return current.definition.is_none() && is_of(definition, current.machine().as_ref()) != Some(false);
    }
    let Some(pages) = &next.pages else { return false };
    if let Some(known) = &mut current.pages {
        return known.relation(pages) != Relation::Contradicts;
    }
    let start = current.header.as_ref().and_then(|header| header.start);
    let first = pages.events().find(|event| event.id == EventId(1)).and_then(|event| event.timestamp);
    start.zip(first).is_none_or(|(start, first)| start == first)
}

fn join(current: &mut Unit, next: Unit, is_single_event: bool) {
    match (next, &mut current.pages) {
        (Unit { header: Some(header), unknown, .. }, _) => {
            current.header = Some(header);
            current.unknown.extend(unknown);
        }
        (Unit { definition: Some(definition), .. }, _) => current.definition = Some(definition),
        (Unit { pages: Some(pages), without_ids, .. }, Some(known)) if is_single_event => {
            current.without_ids += without_ids;
            known.add_event(pages.list);
        }
        (next, _) => current.merge_pages(next),
    }
}

/// Puts together what the files of one folder hold. The units are those that no file completed by itself.
pub(super) fn of_folder(folder: &str, units: Vec<Unit>, out: &mut dyn FnMut(Result<History, SourceError>)) {
    let (mut definitions, mut headers, mut pages, mut complete) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for unit in units {
        match &unit {
            Unit { header: Some(_), pages: Some(_), .. } => complete.push(unit),
            Unit { header: Some(_), .. } => headers.push(unit),
            Unit { pages: Some(_), .. } => pages.push(unit),
            Unit { .. } => definitions.push(unit),
        }
    }
    let groups = grouped(pages, &mut |error| out(Err(error)));
    let mut executions = described(groups, headers);
    let is_alone = executions.len() == 1 && complete.is_empty();
    executions.append(&mut complete);
    let unused = defined(&mut executions, definitions);
    executions.sort_by(|one, other| {
        (&one.place.origin, one.place.line, one.place.entry).cmp(&(&other.place.origin, other.place.line, other.place.entry))
    });
    for unit in executions {
        // One execution spread over the files of a folder is called by the folder's name.
        let origin = (is_alone && unit.is_spread).then(|| folder.to_owned());
        out(unit.into_history(origin));
    }
    for unit in unused {
        out(unit.into_history(None));
    }
}

/// Joins the pages of each execution, by the table at the top.
fn grouped(mut pages: Vec<Unit>, report: &mut dyn FnMut(SourceError)) -> Vec<Unit> {
    pages.sort_by_key(|unit| unit.pages.as_ref().and_then(Pages::lowest));
    let mut groups: Vec<Unit> = Vec::new();
    for unit in pages {
        match home(&mut groups, &unit) {
            Home::Group(at) => {
                groups[at].merge_pages(unit);
                groups[at].is_spread = true;
            }
            Home::Own => groups.push(unit),
            Home::Unknown { candidates } => report(unplaced(&unit, candidates)),
        }
    }
    groups
}

enum Home {
    Group(usize),
    /// It begins an execution of its own.
    Own,
    Unknown {
        candidates: usize,
    },
}

fn home(groups: &mut [Unit], unit: &Unit) -> Home {
    let Some(pages) = &unit.pages else { return Home::Own };
    let relations: Vec<Relation> = groups.iter_mut().filter_map(|group| group.pages.as_mut()).map(|known| known.relation(pages)).collect();
    let standing = |wanted: Relation| {
        relations.iter().enumerate().filter(move |(_, relation)| **relation == wanted).map(|(at, _)| at).collect::<Vec<_>>()
    };
    match standing(Relation::Agrees).as_slice() {
        [one] => return Home::Group(*one),
        [] => {}
        several => return Home::Unknown { candidates: several.len() },
    }
    let disjoint = standing(Relation::Disjoint);
    let begins = pages.lowest().is_none_or(|lowest| lowest.0 <= 1);
    if begins || disjoint.is_empty() {
        return Home::Own;
    }
    let continued: Vec<usize> = disjoint.iter().copied().filter(|at| continues(&groups[*at], pages)).collect();
    match (continued.as_slice(), disjoint.as_slice()) {
        ([one], _) | ([], [one]) => Home::Group(*one),
        ([], several) | (several, _) => Home::Unknown { candidates: several.len() },
    }
}

/// Whether the numbers of `pages` begin where those of the group end.
fn continues(group: &Unit, pages: &Pages) -> bool {
    let end = group.pages.as_ref().and_then(Pages::highest);
    end.zip(pages.lowest()).is_some_and(|(end, lowest)| end.0.checked_add(1) == Some(lowest.0))
}

fn unplaced(unit: &Unit, candidates: usize) -> SourceError {
    let bound = |id: Option<EventId>| id.map_or(0, |id| id.0);
    let pages = unit.pages.as_ref();
    SourceError::Unplaced {
        origin: unit.place.to_string(),
        first: bound(pages.and_then(Pages::lowest)),
        last: bound(pages.and_then(Pages::highest)),
        candidates,
    }
}

/// Gives each description to the pages of its execution: by the same start, or when there is one of each and nothing speaks against it.
fn described(mut groups: Vec<Unit>, headers: Vec<Unit>) -> Vec<Unit> {
    let mut left = Vec::new();
    let only = groups.len() == 1 && headers.len() == 1;
    let starts: Vec<Option<Timestamp>> = groups.iter_mut().map(Unit::first_time).collect();
    for unit in headers {
        let start = unit.header.as_ref().and_then(|header| header.start);
        let fits = |at: &usize| groups[*at].header.is_none() && starts[*at].zip(start).map_or(only, |(first, start)| first == start);
        let fitting: Vec<usize> = (0..groups.len()).filter(fits).collect();
        match fitting.as_slice() {
            [one] => {
                let group = &mut groups[*one];
                group.header = unit.header;
                group.unknown.extend(unit.unknown);
                group.is_spread = true;
            }
            _ => left.push(unit),
        }
    }
    groups.extend(left);
    groups
}

/// Gives the definitions to the executions that they are of; returns those that are of none.
fn defined(executions: &mut [Unit], definitions: Vec<Unit>) -> Vec<Unit> {
    let is_only = definitions.len() == 1;
    let mut unused = Vec::new();
    for unit in definitions {
        let Some(definition) = &unit.definition else { continue };
        let mut used = false;
        for execution in executions.iter_mut().filter(|execution| execution.definition.is_none()) {
            if is_of(definition, execution.machine().as_ref()).unwrap_or(is_only) {
                execution.definition = Some(definition.clone());
                used = true;
            }
        }
        if !used {
            unused.push(unit);
        }
    }
    unused
}
