//! What the verbs over many executions share: which executions, and one pass over them.
//!
//! `selection` says which are wanted, `inputs` and `files` read them from files and streams, `stored` from a store. A question is
//! put on every thread to what that thread reads, and the answers are merged; of several sights of one execution the most complete counts
//! (`sights`).

pub(super) mod definitions;
mod files;
mod inputs;
mod next;
mod selection;
mod sights;
mod stored;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use self::inputs::Inputs;
use self::selection::Machines;
use super::exit_code::{Exit, WrongUsage};
use super::global::GlobalArgs;
use super::output::{redactor, say};
use super::problems::{PassedOver, Problems};
use super::settings::store_folder;
use crate::analysis::fleet::{Coverage, Question};
use crate::model::Micros;
use crate::sources::{DefinitionSet, Limits, SourceError, read_definitions};
use crate::store::{Store, StoreError};

pub(super) use self::next::Origin;
pub use self::selection::{Moment, Window, at_least_one};

/// Which executions.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which executions")]
pub struct FleetArgs {
    /// File or folder of histories, or `-`, in place of the store; may be given several times
    #[arg(long, value_name = "FILE|DIR")]
    pub input: Vec<String>,
    /// Folder or file with definitions, for histories that come without one
    #[arg(long, value_name = "DIR")]
    pub definitions: Option<PathBuf>,
    /// Only executions of this state machine: a name, an ARN, or a pattern with `*` and `?`; may be given several times
    #[arg(long, value_name = "NAME")]
    pub state_machine: Vec<String>,
    /// Only executions that started at this time or later: a time, or how long before now: 90m, 2h, 7d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only executions that started before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// The moment to look from; by default the last event that was read
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
}

/// The executions that arguments name.
pub struct Fleet<'w> {
    source: Source,
    definitions: DefinitionSet,
    has_definitions: bool,
    window: Window,
    now: Option<Micros>,
    machines: Machines,
    threads: usize,
    global: GlobalArgs,
    words: &'w mut dyn Write,
    problems: u64,
    /// What could not be read was said; asking again says nothing new.
    has_reported: bool,
}

/// Where the executions are.
enum Source {
    Files(Inputs),
    Store(Store),
}

/// What a pass over the executions gave.
pub struct Answer<Q> {
    /// The question, having seen all of them.
    pub question: Q,
    /// What it has seen.
    pub coverage: Coverage,
}

/// What a thread, or all of them, heard.
struct Heard<Q> {
    question: Q,
    coverage: Coverage,
    unread: Unread,
}

/// What could not be read.
#[derive(Debug, Default)]
struct Unread {
    /// Whether something could.
    has_read: bool,
    problems: Problems,
    /// Readable, and no history: files that lie beside those that were meant.
    unrelated: PassedOver,
}

impl<Q: Question> Heard<Q> {
    fn merge(&mut self, other: Self) {
        self.question.merge(other.question);
        self.coverage.merge(&other.coverage);
        self.unread.has_read |= other.unread.has_read;
        self.unread.problems.merge(other.unread.problems);
        self.unread.unrelated.merge(other.unread.unrelated);
    }
}

impl Unread {
    fn add(&mut self, error: &SourceError, is_beside: bool) {
        if is_beside { self.unrelated.add(error) } else { self.problems.add(error) }
    }

    fn add_stored(&mut self, file: &str, error: &StoreError) {
        self.problems.add_text(file, error.to_string());
    }
}

impl<'w> Fleet<'w> {
    /// Resolves the arguments and reads the definitions. Executions are read only where the window is told from the last event, and
    /// nothing says when that was.
    pub fn open(args: &FleetArgs, global: &GlobalArgs, words: &'w mut dyn Write) -> anyhow::Result<Self> {
        let moment = |text: &Option<String>| text.as_deref().map(Moment::parse).transpose();
        let now = match moment(&args.now)? {
            Some(Moment::At(now)) => Some(now),
            Some(_) => return Err(WrongUsage("--now is a moment such as 2026-11-20T08:00:00Z".to_owned()).into()),
            None => None,
        };
        let mut fleet = Self {
            source: source(args, global)?,
            definitions: DefinitionSet::default(),
            has_definitions: args.definitions.is_some(),
            window: Window::default(),
            now,
            machines: Machines::new(&args.state_machine),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            global: global.clone(),
            words,
            problems: 0,
            has_reported: false,
        };
        fleet.find_window(moment(&args.since)?, moment(&args.until)?)?;
        if let Some(folder) = &args.definitions {
            let (definitions, problems) = read_definitions(folder, &Limits::default());
            fleet.definitions = definitions;
            for problem in problems {
                fleet.report(&problem.to_string());
            }
        }
        Ok(fleet)
    }

    /// The moment to look from: what was given, else the last event that was read.
    pub fn now(&self, coverage: &Coverage) -> Option<Micros> {
        self.now.or(coverage.last_event)
    }

    /// How many inputs, or parts of them, could not be read.
    pub fn problems(&self) -> u64 {
        self.problems
    }

    /// Says on stderr what went wrong; the rest goes on.
    pub fn report(&mut self, problem: &str) {
        self.problems += 1;
        say(self.words, redactor(&self.global), problem);
    }

    /// Says something on stderr unless it was asked to be quiet.
    pub fn note(&mut self, text: &str) {
        if !self.global.quiet {
            say(self.words, redactor(&self.global), text);
        }
    }

    /// Puts the question to every execution that is wanted. Each comes once: of several sights of one execution the most complete.
    pub fn ask<Q: Question>(&mut self, make: impl Fn() -> Q + Sync) -> anyhow::Result<Answer<Q>> {
        let window = self.window;
        let mut heard = match &mut self.source {
            Source::Files(inputs) => {
                let wanted = files::Wanted { definitions: &self.definitions, window, machines: &self.machines, direct: inputs.names() };
                files::ask(inputs, &wanted, &self.global, self.threads, &make)?
            }
            Source::Store(store) => stored::ask(store, window, &self.machines, self.threads, &make)?,
        };
        if !std::mem::replace(&mut self.has_reported, true) {
            self.tell(&heard.unread);
        }
        heard.coverage.unreadable = self.problems;
        Ok(Answer { question: heard.question, coverage: heard.coverage })
    }

    fn find_window(&mut self, since: Option<Moment>, until: Option<Moment>) -> anyhow::Result<()> {
        if self.now.is_none() && [since, until].into_iter().flatten().any(Moment::is_relative) {
            self.now = match &mut self.source {
                Source::Files(inputs) => files::last_event(inputs, &self.machines, &self.global, self.threads)?,
                Source::Store(store) => stored::last_event(store, &self.machines)?,
            };
        }
        let resolve = |moment: Option<Moment>| moment.and_then(|moment| moment.resolve(self.now));
        self.window = Window { since: resolve(since), until: resolve(until) };
        if self.window.since.zip(self.window.until).is_some_and(|(since, until)| since >= until) {
            return Err(WrongUsage("--until is not after --since: nothing can have started between them".to_owned()).into());
        }
        Ok(())
    }

    /// The exit code where nothing matched: what could not be read may have, and goes before.
    pub fn nothing_matched(&self) -> Exit {
        if self.problems > 0 { Exit::Failed } else { Exit::NothingMatched }
    }

    /// The exit code where there was something to look at; `found` is that there is what `--exit-status` asks for. What could not be
    /// read goes before.
    pub fn ending(&self, found: bool) -> Exit {
        match (self.problems, found) {
            (0, true) => Exit::Found,
            (0, false) => Exit::Done,
            _ => Exit::Failed,
        }
    }

    /// Why there was nothing to look at, in the same words for every question; `None` when there was something.
    pub fn nothing_there(&self, coverage: &Coverage) -> Option<String> {
        let place = match self.source {
            Source::Files(_) => "input",
            Source::Store(_) => "store",
        };
        let is_narrowed = !self.machines.is_empty() || self.window != Window::default();
        match (coverage.executions, coverage.left_out) {
            // Days of a store that lie outside the window are not even counted.
            (0, 0) if is_narrowed => Some(format!("no execution in the {place} is of that machine and in that window")),
            (0, 0) => Some(format!("no execution in the {place}")),
            (0, 1) => Some(format!("the only execution in the {place} is not of that machine and in that window")),
            (0, left_out) => Some(format!("none of {left_out} executions in the {place} is of that machine and in that window")),
            _ => None,
        }
    }

    /// When executions must have started.
    pub fn window(&self) -> Window {
        self.window
    }

    fn tell(&mut self, unread: &Unread) {
        let Unread { has_read, problems, unrelated } = unread;
        for words in problems.words() {
            say(self.words, redactor(&self.global), &words);
        }
        self.problems += problems.count();
        if *has_read {
            for words in unrelated.words(self.has_definitions) {
                self.note(&words);
            }
        } else {
            for words in unrelated.words_of_failure() {
                say(self.words, redactor(&self.global), &words);
            }
            self.problems += unrelated.count();
        }
    }
}

/// The inputs if there are some, else the store. Both on one command line contradict each other; a store that is only set up in the
/// environment does not.
fn source(args: &FleetArgs, global: &GlobalArgs) -> anyhow::Result<Source> {
    if args.input.is_empty() {
        return match Store::open(&store_folder(global)?) {
            Err(error @ StoreError::NoStore { .. }) => Err(anyhow::anyhow!("{error}; --input reads files without one")),
            store => Ok(Source::Store(store?)),
        };
    }
    if global.store.is_some() {
        return Err(WrongUsage("give either --input or --store: an answer is about one of them".to_owned()).into());
    }
    Ok(Source::Files(Inputs::new(&args.input)?))
}
