//! What the verbs over many executions share: which executions, and one pass over them.

use std::io::Write;
use std::path::PathBuf;

use bumpalo::Bump;
use clap::Args;

use super::exit_code::WrongUsage;
use super::global::GlobalArgs;
use super::load::definition_of;
use super::output::{redactor, say};
use crate::analysis::facts::{self, Rebuilt};
use crate::analysis::fleet::{Coverage, Question};
use crate::model::facts::Needs;
use crate::model::{ExecutionFacts, History, Micros, StateMachineArn, time};
use crate::rebuild::rebuild;
use crate::sources::{DefinitionSet, Limits, read_definitions, read_path, read_stream};

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
    /// Only executions of this state machine: a name, an ARN, or a pattern with `*`; may be given several times
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
    inputs: Vec<String>,
    definitions: DefinitionSet,
    window: Window,
    machines: Vec<String>,
    global: GlobalArgs,
    words: &'w mut dyn Write,
    problems: u64,
}

/// When executions must have started; both ends may be open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// The first moment inside.
    pub since: Option<Micros>,
    /// The first moment after it.
    pub until: Option<Micros>,
}

/// What a pass over the executions gave.
pub struct Answer<Q> {
    /// The question, having seen all of them.
    pub question: Q,
    /// What it has seen.
    pub coverage: Coverage,
}

impl<'w> Fleet<'w> {
    /// Resolves the arguments and reads the definitions; no execution yet.
    pub fn open(args: &FleetArgs, global: &GlobalArgs, words: &'w mut dyn Write) -> anyhow::Result<Self> {
        let moment = |text: &Option<String>| text.as_deref().map(parse_moment).transpose();
        let mut fleet = Self {
            inputs: args.input.clone(),
            definitions: DefinitionSet::default(),
            window: Window { since: moment(&args.since)?, until: moment(&args.until)? },
            machines: args.state_machine.clone(),
            global: global.clone(),
            words,
            problems: 0,
        };
        if args.input.is_empty() {
            return Err(WrongUsage("which executions? Give --input FILE or DIR".to_owned()).into());
        }
        if let Some(folder) = &args.definitions {
            let (definitions, problems) = read_definitions(folder, &Limits::default());
            fleet.definitions = definitions;
            for problem in problems {
                fleet.report(&problem.to_string());
            }
        }
        Ok(fleet)
    }

    /// When executions must have started.
    pub fn window(&self) -> Window {
        self.window
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

    /// Puts the question to every execution.
    #[allow(clippy::unnecessary_wraps, reason = "a store may not be readable")]
    pub fn ask<Q: Question>(&mut self, make: impl Fn() -> Q + Sync) -> anyhow::Result<Answer<Q>> {
        let mut question = make();
        let mut coverage = Coverage::default();
        let needs = question.needs();
        let mut errors = Vec::new();
        for input in self.inputs.clone() {
            let take = &mut |read: Result<History, crate::sources::SourceError>| match read {
                Ok(history) => self.look_at(history, needs, &mut |facts| {
                    if self.is_wanted(facts) {
                        coverage.count(facts);
                        question.take(facts);
                    } else {
                        coverage.left_out += 1;
                        if question.looks_aside() {
                            question.take_aside(facts);
                        }
                    }
                }),
                Err(problem) => errors.push(problem.to_string()),
            };
            if input == "-" {
                read_stream(std::io::stdin(), "standard input", &Limits::default(), take);
            } else {
                read_path(input.as_ref(), &Limits::default(), take);
            }
        }
        for error in errors {
            self.report(&error);
        }
        coverage.unreadable = self.problems;
        Ok(Answer { question, coverage })
    }

    fn look_at(&self, mut history: History, needs: Needs, take: &mut dyn FnMut(&ExecutionFacts<'_>)) {
        if history.definition.is_none() {
            history.definition = self.definitions.find(&history.header);
        }
        let definition = definition_of(&mut history);
        let path = rebuild(&history, definition.as_ref());
        let arena = Bump::new();
        take(&facts::extract(Rebuilt { history: &history, path: &path, definition: definition.as_ref() }, needs, &arena));
    }

    fn is_wanted(&self, facts: &ExecutionFacts<'_>) -> bool {
        let starts =
            |moment: Micros| self.window.since.is_none_or(|since| moment >= since) && self.window.until.is_none_or(|until| moment < until);
        let name = |arn: &str| arn.parse::<StateMachineArn>().ok().map(|arn| arn.name().to_owned());
        let is_machine = |arn: &str| self.machines.iter().any(|wanted| wanted == arn || name(arn).as_ref() == Some(wanted));
        facts.start.is_none_or(starts) && (self.machines.is_empty() || facts.state_machine.is_some_and(is_machine))
    }
}

fn parse_moment(text: &str) -> anyhow::Result<Micros> {
    let moment = time::parse(text).ok_or_else(|| WrongUsage(format!("`{text}` is no time; write it as 2026-11-20T08:00:00Z")))?;
    Ok(moment.into())
}
