//! Records of executions to histories, and those into the store.

use std::sync::Arc;

use bumpalo::Bump;

use super::hold::Waiting;
use crate::analysis::facts::{Rebuilt, extract};
use crate::analysis::pull_logs::MachineLogs;
use crate::asl::Definition;
use crate::model::facts::Needs;
use crate::model::{Gap, History, RawText};
use crate::rebuild::rebuild;
use crate::sources::aws::MachineDescription;
use crate::sources::aws::logs::LogWindow;
use crate::sources::error::Place;
use crate::sources::log_records::Collector;
use crate::store::{Offer, StoreError, Worker};

/// What goes from one machine's logs into the store.
pub(super) struct Storing<'a> {
    begin_worker: &'a dyn Fn() -> Worker,
    worker: Option<Worker>,
    uncommitted: u64,
    group: &'a str,
    level: String,
    definition: RawText,
    /// `None` where the text is none.
    parsed: Option<Arc<Definition>>,
    window: LogWindow,
    continues: bool,
    arena: Bump,
    /// Lines that are no records, to be told apart from records that can't be read.
    strays: Collector,
}

impl<'a> Storing<'a> {
    pub(super) fn new(begin_worker: &'a dyn Fn() -> Worker, machine: &MachineDescription, group: &'a str) -> Self {
        let nothing = LogWindow::new(crate::model::Timestamp::UNIX_EPOCH, crate::model::Timestamp::UNIX_EPOCH);
        Self {
            begin_worker,
            worker: None,
            uncommitted: 0,
            group,
            level: machine.logging.level.clone().unwrap_or_default(),
            definition: machine.definition.clone(),
            parsed: Definition::parse(&machine.definition.decode()).ok().map(Arc::new),
            window: nothing,
            continues: false,
            arena: Bump::new(),
            strays: Collector::default(),
        }
    }

    /// What follows is of a stretch of time: of executions that began in it, and of those that were kept where it continues another.
    pub(super) fn begin(&mut self, wanted: LogWindow, continues: bool) {
        (self.window, self.continues) = (wanted, continues);
    }

    /// Executions that were added since the last commit.
    pub(super) fn uncommitted(&self) -> u64 {
        self.uncommitted
    }

    /// Puts everything that was added into the store.
    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        self.uncommitted = 0;
        self.worker.take().map_or(Ok(()), Worker::finish)
    }

    /// Adds executions, each with all of its records.
    pub(super) fn add_all(&mut self, released: Vec<Waiting>, report: &mut MachineLogs) -> Result<(), StoreError> {
        let wanted: Vec<Waiting> = released.into_iter().filter(|waiting| self.is_wanted(waiting, report)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let collector = Collector::default();
        let place = Place::whole(&format!("log group {}", self.group));
        let mut histories = Vec::new();
        let mut unreadable = Vec::new();
        let mut out = |read: Result<History, crate::sources::Rejected<'_>>| match read {
            Ok(history) => histories.push(history),
            Err(rejected) => unreadable.push(rejected.error.to_string()),
        };
        for message in wanted.iter().flat_map(|waiting| &waiting.messages) {
            collector.add_message(message, &place, &mut out);
        }
        collector.finish(&mut out);
        for problem in unreadable {
            unreadable_record(report, problem);
        }
        histories.into_iter().try_for_each(|history| self.add(history, report))
    }

    /// A line that is no record of an execution that could be named.
    pub(super) fn stray(&mut self, message: &str, stream: &str, report: &mut MachineLogs) {
        let place = Place::whole(&format!("log group {}, stream {stream}", self.group));
        let mut problem = None;
        self.strays.add_message(message, &place, &mut |read| problem = read.err().map(|rejected| rejected.error.to_string()));
        match problem {
            Some(problem) => unreadable_record(report, problem),
            None => report.other_lines += 1,
        }
    }

    /// Executions that began outside are another pull's. Where everything is logged, one without a beginning began before the window.
    fn is_wanted(&self, waiting: &Waiting, report: &mut MachineLogs) -> bool {
        let began_inside = waiting.first.is_none_or(|first| self.window.contains(first));
        let may_begin_late = self.level != "ALL" || self.continues || waiting.has_beginning();
        let is_wanted = waiting.was_kept || (began_inside && may_begin_late);
        report.outside += u64::from(!is_wanted);
        is_wanted
    }

    fn add(&mut self, mut history: History, report: &mut MachineLogs) -> Result<(), StoreError> {
        let definition = self.definition_for(&mut history);
        report.without_end += u64::from(history.gaps.contains(&Gap::NoEndLogged));
        let path = rebuild(&history, definition.as_deref());
        self.arena.reset();
        let facts = extract(Rebuilt { history: &history, path: &path, definition: definition.as_deref() }, Needs::ALL, &self.arena);
        let worker = self.worker.get_or_insert_with(self.begin_worker);
        *match worker.add(&history, &path, &facts)? {
            Offer::New => &mut report.new,
            Offer::Replaces => &mut report.replaced,
            Offer::Unchanged | Offer::Older => {
                report.known += 1;
                return Ok(());
            }
        } += 1;
        self.uncommitted += 1;
        Ok(())
    }

    /// The state machine's present definition, unless the execution visited a state that is not in it.
    fn definition_for(&self, history: &mut History) -> Option<Arc<Definition>> {
        let definition = self.parsed.as_ref()?;
        let stranger = history.events.iter().filter_map(|event| event.state_name()).find_map(|name| {
            let name = name.decode();
            definition.find(&name).is_none().then(|| name.into_owned())
        });
        if let Some(name) = stranger {
            let reason = format!("the state machine was changed since: it has no state {name}");
            history.gaps.push(Gap::NoDefinition { reason: Some(reason) });
            return None;
        }
        history.definition = Some(self.definition.clone());
        Some(Arc::clone(definition))
    }
}

/// Counts a record that can't be read; of each kind of fault the first is told.
fn unreadable_record(report: &mut MachineLogs, problem: String) {
    report.unreadable_records += 1;
    let kind = |problem: &str| problem.rsplit(": ").next().unwrap_or_default().to_owned();
    if !report.unreadable.iter().any(|known| kind(known) == kind(&problem)) {
        report.unreadable.push(problem);
    }
}
