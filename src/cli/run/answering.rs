//! Who answers which state: `--mock`, `--task`, then the test case of `--mocks`; a state called `*` stands for those that nobody names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};

use super::callee::Callee;
use super::documents::{pair, text_of};
use crate::analysis::execution::quoted;
use crate::asl::machine::{Kind, Service, StateMachine};
use crate::cli::exit_code::WrongUsage;
use crate::expr::Value;
use crate::interpreter::mocks::{Answers, MockConfig, TestCase};
use crate::interpreter::{TaskAnswer, TaskRequest, Unanswered};

/// Stands for every state.
const ANY: &str = "*";

/// Who answers one state.
#[derive(Debug)]
enum Answerer {
    Mock(Answers),
    Callee(Callee),
}

/// Who answers which state.
#[derive(Debug, Default)]
pub struct Answering {
    given: BTreeMap<String, Answerer>,
    test_case: Option<TestCase>,
}

/// The names of the states that can be answered: Tasks of the machine that is run, and of those that it may start.
pub struct TaskNames<'m>(BTreeSet<&'m str>);

impl<'m> TaskNames<'m> {
    /// The Tasks of these machines.
    pub fn of(machines: impl IntoIterator<Item = &'m StateMachine>) -> Self {
        let states = machines.into_iter().flat_map(|machine| &machine.states);
        Self(states.filter(|state| matches!(state.kind, Kind::Task(_))).map(|state| &*state.name).collect())
    }

    /// `STATE=VALUE`. A state's name may hold `=`: the longest name counts that fits.
    fn split<'a>(&self, flag: &str, text: &'a str) -> anyhow::Result<(&'a str, &'a str)> {
        let named = self.0.iter().filter_map(|name| text.strip_prefix(name)?.strip_prefix('=').map(|value| (&text[..name.len()], value)));
        let (state, value) = match named.max_by_key(|(state, _)| state.len()) {
            Some(found) => found,
            None => pair(flag, text)?,
        };
        if state != ANY && !self.0.contains(state) {
            return Err(WrongUsage(format!("{flag}: {}", self.unknown(state))).into());
        }
        Ok((state, value))
    }

    fn unknown(&self, state: &str) -> String {
        const MOST: usize = 20;
        let names: Vec<&str> = self.0.iter().take(MOST).copied().collect();
        let more = if self.0.len() > MOST { format!(" and {} more", self.0.len() - MOST) } else { String::new() };
        let there = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}{more}", names.join(", ")) };
        format!("the definition has no Task state `{state}`; {there}")
    }
}

impl Answering {
    /// Adds `--mock STATE=FILE|JSON`.
    pub fn add_mock(&mut self, text: &str, names: &TaskNames<'_>) -> anyhow::Result<()> {
        let (state, answers) = read_mock(text, names)?;
        self.add(state, Answerer::Mock(answers))
    }

    /// Adds `--task STATE=COMMAND|URL`.
    pub fn add_task(&mut self, text: &str, names: &TaskNames<'_>) -> anyhow::Result<()> {
        let (state, value) = names.split("--task", text)?;
        let callee = Callee::parse(value).map_err(|error| WrongUsage(format!("--task {state}: {error}")))?;
        self.add(state, Answerer::Callee(callee))
    }

    fn add(&mut self, state: &str, answerer: Answerer) -> anyhow::Result<()> {
        if self.given.insert(state.to_owned(), answerer).is_some() {
            let advice = "a list in --mock answers one attempt after the other";
            return Err(WrongUsage(format!("state `{state}` is given more than one --mock or --task; {advice}")).into());
        }
        Ok(())
    }

    /// Takes a test case from a MockConfigFile. Gives back which of its states are no Tasks of the definition.
    pub fn set_test_case(&mut self, test_case: TestCase, names: &TaskNames<'_>) -> Vec<String> {
        let unknown = test_case.answers.iter().filter(|(state, _)| !names.0.contains(&**state));
        let unknown = unknown.map(|(state, _)| format!("test case `{}`: {}", test_case.name, names.unknown(state))).collect();
        self.test_case = Some(test_case);
        unknown
    }

    /// The scope of an attempt, where the mocks of its state have answers for that scope alone.
    pub fn own_scope(&self, request: &TaskRequest<'_>) -> Option<&str> {
        let answers = match self.given.get(request.attempted.state) {
            Some(Answerer::Mock(answers)) => answers,
            Some(Answerer::Callee(_)) => return None,
            None => self.of_test_case(request.attempted.state)?.0,
        };
        answers.within(request.attempted.scope).map(|(label, _)| label)
    }

    /// The answer of one attempt, of which there were `earlier` of this state, or of it in its [own scope](Self::own_scope).
    pub fn attempt(&self, request: &TaskRequest<'_>, earlier: u64) -> Result<TaskAnswer, Unanswered> {
        let state = request.attempted.state;
        let unanswered = |advice: String| Unanswered { state: state.to_owned(), attempt: request.attempted.attempt, advice };
        match self.given.get(state) {
            Some(Answerer::Callee(callee)) => return callee.attempt(request).map_err(unanswered),
            Some(Answerer::Mock(answers)) => return mocked(answers, "--mock", earlier, request).map_err(unanswered),
            None => {}
        }
        if let Some((answers, name)) = self.of_test_case(state) {
            return mocked(answers, &format!("test case `{name}`"), earlier, request).map_err(unanswered);
        }
        match self.given.get(ANY) {
            Some(Answerer::Callee(callee)) => callee.attempt(request).map_err(unanswered),
            Some(Answerer::Mock(answers)) => mocked(answers, "--mock '*=…'", earlier, request).map_err(unanswered),
            None => Err(unanswered(self.advice(request))),
        }
    }

    fn of_test_case(&self, state: &str) -> Option<(&Answers, &str)> {
        let test_case = self.test_case.as_ref()?;
        let (_, answers) = test_case.answers.iter().find(|(name, _)| &**name == state)?;
        Some((answers, &test_case.name))
    }

    /// What to give, so that there is an answer next time.
    fn advice(&self, request: &TaskRequest<'_>) -> String {
        let state = request.attempted.state;
        let mock = quoted(&format!("{state}=RESULT"));
        let task = quoted(&format!("{state}=COMMAND"));
        let test_case = self.test_case.as_ref().map(|case| format!("test case `{}` does not name it; ", case.name)).unwrap_or_default();
        let machine = match (&request.resource.service, request.input.get("StateMachineArn").and_then(Value::as_str)) {
            (Service::Integration { resource_type, .. }, Some(arn)) if &**resource_type == "states" => {
                format!("--machine {} to run the other state machine here, or ", quoted(&format!("{arn}=FILE")))
            }
            _ => String::new(),
        };
        format!("{test_case}give {machine}--mock {mock}, or --task {task} to ask a command or an endpoint")
    }
}

fn mocked(answers: &Answers, whose: &str, earlier: u64, request: &TaskRequest<'_>) -> Result<TaskAnswer, String> {
    let own = answers.within(request.attempted.scope);
    let answers = own.map_or(answers, |(_, answers)| answers);
    let answer = answers.get(earlier).ok_or_else(|| {
        let counted = own.map_or_else(|| "the run, over all visits and iterations".to_owned(), |(label, _)| format!("it in {label}"));
        format!("this is number {earlier} of {counted}, and {whose} has answers for {}", answers.attempts())
    })?;
    Ok(answer.to_task(request))
}

/// The state and the answers of `--mock STATE=FILE|JSON`.
pub fn read_mock<'a>(text: &'a str, names: &TaskNames<'_>) -> anyhow::Result<(&'a str, Answers)> {
    let (state, value) = names.split("--mock", text)?;
    let (origin, json) = text_of(value).with_context(|| format!("failed to read the mock of state `{state}`"))?;
    let parsed = Value::parse(&json).map_err(|error| anyhow!("{error}"));
    let answers = parsed.and_then(|value| Ok(Answers::parse(&value)?));
    Ok((state, answers.with_context(|| format!("failed to read the mock of state `{state}` {origin}"))?))
}

/// `FILE`, or `FILE#TESTCASE`, and the value of `--test-case`.
pub fn read_test_case(mocks: &str, test_case: Option<&str>, machine: (&str, bool)) -> anyhow::Result<TestCase> {
    let whole = std::path::Path::new(mocks).exists();
    let (path, in_path) = match mocks.rsplit_once('#').filter(|_| !whole) {
        Some((path, case)) => (path, Some(case)),
        None => (mocks, None),
    };
    if let (Some(one), Some(other)) = (in_path, test_case) {
        return Err(WrongUsage(format!("the test case is given twice: `{one}` in --mocks, and --test-case {other}")).into());
    }
    let text = super::documents::file(path)?;
    let config = MockConfig::parse(&text).with_context(|| format!("failed to read the mocks in `{path}`"))?;
    config.test_case(machine, in_path.or(test_case)).with_context(|| format!("failed to choose a test case of `{path}`"))
}
