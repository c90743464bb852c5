//! Makes up state machines and runs of them, and knows what each event belongs to and what each failure came from.
//!
//! The machines nest Parallel and Map states with retries and catches; the runs interleave their branches and iterations at
//! random. What is known of a run is noted while it is told, not read back from its history. Test programs use a part of it each.
#![allow(dead_code)]

use std::collections::HashMap;

use serde_json::{Value, json};
use stepscope::model::History;
use stepscope::model::builder::{HistoryBuilder, history, seconds};

/// A small generator of random numbers: the same seed gives the same run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below the bound")
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A visit, as the teller knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub state: String,
    pub scope: Vec<String>,
    pub entered: u64,
}

/// A run with what is known of it.
pub struct ToldRun {
    pub history: History,
    pub definition: String,
    /// For the events that name their state or link to it: the visit they belong to.
    pub owners: HashMap<u64, Known>,
    /// Where a failed run ended.
    pub terminal: Option<Known>,
    /// What started the failure.
    pub root: Option<Known>,
}

#[derive(Debug, Clone)]
struct StateDef {
    name: String,
    kind: KindDef,
    /// The handler states that a Catch leads to, and whether they come back to the normal path.
    handler: Option<(Vec<StateDef>, bool)>,
}

#[derive(Debug, Clone)]
enum KindDef {
    Pass,
    Task,
    Fail,
    Parallel(Vec<Vec<StateDef>>),
    Map(Vec<StateDef>),
}

fn machine(random: &mut Random, prefix: &str, depth: usize) -> Vec<StateDef> {
    (0..=random.below(3)).map(|number| state(random, &format!("{prefix}{number}"), depth)).collect()
}

fn state(random: &mut Random, name: &str, depth: usize) -> StateDef {
    let kind = match random.below(if depth == 0 { 3 } else { 6 }) {
        0 => KindDef::Pass,
        1 | 2 => KindDef::Task,
        3 | 4 => KindDef::Map(machine(random, &format!("{name}m"), depth - 1)),
        _ => KindDef::Parallel((0..=random.below(3)).map(|branch| machine(random, &format!("{name}b{branch}_"), depth - 1)).collect()),
    };
    let can_catch = !matches!(kind, KindDef::Pass);
    let handler = (can_catch && random.chance(40)).then(|| {
        let mut states: Vec<StateDef> =
            (0..=random.below(2)).map(|number| state(random, &format!("{name}h{number}"), depth.saturating_sub(1))).collect();
        let rejoins = random.chance(40);
        if !rejoins && random.chance(60) {
            states.push(StateDef { name: format!("{name}f"), kind: KindDef::Fail, handler: None });
        }
        (states, rejoins)
    });
    StateDef { name: name.to_owned(), kind, handler }
}

fn written(states: &[StateDef]) -> Value {
    let mut all = serde_json::Map::new();
    add_states(states, None, &mut all);
    json!({"StartAt": states[0].name, "States": all})
}

fn add_states(states: &[StateDef], after: Option<&str>, all: &mut serde_json::Map<String, Value>) {
    for (position, state) in states.iter().enumerate() {
        let next = states.get(position + 1).map(|state| state.name.as_str()).or(after);
        let mut text = match &state.kind {
            KindDef::Pass => json!({"Type": "Pass"}),
            KindDef::Task => json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}),
            KindDef::Fail => json!({"Type": "Fail"}),
            KindDef::Parallel(branches) => {
                json!({"Type": "Parallel", "Branches": branches.iter().map(|branch| written(branch)).collect::<Vec<_>>()})
            }
            KindDef::Map(processor) => json!({"Type": "Map", "ItemProcessor": written(processor)}),
        };
        if !matches!(state.kind, KindDef::Fail) {
            match next {
                Some(next) => text["Next"] = json!(next),
                None => text["End"] = json!(true),
            }
        }
        if let Some((handlers, rejoins)) = &state.handler {
            text["Catch"] = json!([{"ErrorEquals": ["States.ALL"], "Next": handlers[0].name}]);
            add_states(handlers, if *rejoins { next } else { None }, all);
        }
        all.insert(state.name.clone(), text);
    }
}

/// A scope that runs: the execution, a branch, an iteration.
struct Lane {
    cursor: HistoryBuilder,
    parent: Option<usize>,
    labels: Vec<String>,
    /// What is still to be entered, in order; `true` for states of the normal path.
    plan: Vec<(StateDef, bool)>,
    current: Option<Current>,
    /// The failure that the last Catch took, until the normal path is reached again.
    off_the_way: Option<Known>,
    waits: bool,
    over: bool,
    is_branch: bool,
}

struct Current {
    state: StateDef,
    known: Known,
    step: usize,
    attempts: usize,
    lanes: Vec<usize>,
    /// Iterations that wait for a free slot.
    delayed: Vec<u64>,
}

struct Teller<'r> {
    random: &'r mut Random,
    failing: usize,
    lanes: Vec<Lane>,
    owners: HashMap<u64, Known>,
    end: Option<(Known, Known)>,
}

/// One run of a machine made up from the seed; about `failing` percent of its attempts fail.
pub fn tell(seed: u64, failing: usize) -> ToldRun {
    let mut random = Random::new(seed);
    let states = machine(&mut random, "S", 3);
    let definition = written(&states);
    let mut cursor = history("Fleet");
    cursor.pace(seconds(1)).definition(&definition);
    let execution = Lane {
        cursor,
        parent: None,
        labels: Vec::new(),
        plan: states.into_iter().map(|state| (state, true)).collect(),
        current: None,
        off_the_way: None,
        waits: false,
        over: false,
        is_branch: false,
    };
    let mut teller = Teller { random: &mut random, failing, lanes: vec![execution], owners: HashMap::new(), end: None };
    teller.run();
    let Teller { lanes, owners, end, .. } = teller;
    let (terminal, root) = end.map_or((None, None), |(terminal, root)| (Some(terminal), Some(root)));
    ToldRun { history: lanes[0].cursor.build(), definition: definition.to_string(), owners, terminal, root }
}

impl Teller<'_> {
    fn run(&mut self) {
        for _ in 0..5_000 {
            let ready: Vec<usize> = (0..self.lanes.len()).filter(|lane| !self.lanes[*lane].over && !self.lanes[*lane].waits).collect();
            if ready.is_empty() {
                return;
            }
            let lane = ready[self.random.below(ready.len())];
            self.advance(lane);
        }
    }

    /// Notes that the last event written belongs to the lane's visit.
    fn own(&mut self, lane: usize) {
        let last = self.lanes[lane].cursor.last_event_id().0;
        if let Some(current) = &self.lanes[lane].current {
            self.owners.insert(last, current.known.clone());
        }
    }

    fn advance(&mut self, lane: usize) {
        if self.lanes[lane].current.is_none() {
            if self.lanes[lane].plan.is_empty() {
                self.finish(lane);
            } else {
                self.enter(lane);
            }
            return;
        }
        let current = self.lanes[lane].current.as_ref().expect("checked above");
        match (&current.state.kind, current.step) {
            (KindDef::Task, 0) => self.task(lane, HistoryBuilder::scheduled),
            (KindDef::Task, 1) => self.task(lane, HistoryBuilder::started),
            (KindDef::Task, 2) if self.random.chance(self.failing) => self.task_failed(lane),
            (KindDef::Task, 2) => self.task(lane, |cursor| cursor.succeeded(json!({}))),
            (KindDef::Pass | KindDef::Task, _) => self.exit(lane),
            (KindDef::Fail, _) => unreachable!("a Fail state ends its scope when it is entered"),
            (KindDef::Parallel(_) | KindDef::Map(_), _) => self.start_scopes(lane),
        }
    }

    fn task(&mut self, lane: usize, tell: impl Fn(&mut HistoryBuilder) -> &mut HistoryBuilder) {
        tell(&mut self.lanes[lane].cursor);
        self.lanes[lane].current.as_mut().expect("a Task is open").step += 1;
        self.own(lane);
    }

    fn enter(&mut self, lane: usize) {
        let (state, normal) = self.lanes[lane].plan.remove(0);
        if normal {
            self.lanes[lane].off_the_way = None;
        }
        let entry = &mut self.lanes[lane];
        match &state.kind {
            KindDef::Pass => entry.cursor.enter_pass(&state.name, json!({})),
            KindDef::Task => entry.cursor.enter_task(&state.name, json!({"task": state.name})),
            KindDef::Fail => entry.cursor.enter_fail(&state.name, json!({})),
            KindDef::Parallel(_) => entry.cursor.enter_parallel(&state.name, json!({})),
            KindDef::Map(_) => entry.cursor.enter_map(&state.name, json!([])),
        };
        let known = Known { state: state.name.clone(), scope: entry.labels.clone(), entered: entry.cursor.last_event_id().0 };
        let is_fail = matches!(state.kind, KindDef::Fail);
        entry.current = Some(Current { state, known: known.clone(), step: 0, attempts: 0, lanes: Vec::new(), delayed: Vec::new() });
        self.own(lane);
        if is_fail {
            let root = self.root_of(lane, &known);
            self.scope_failed(lane, known, root);
        }
    }

    fn exit(&mut self, lane: usize) {
        self.lanes[lane].cursor.exit(json!({}));
        self.own(lane);
        self.lanes[lane].current = None;
    }

    /// What took the lane, or one around it, off its way; else the failure itself.
    fn root_of(&self, lane: usize, failure: &Known) -> Known {
        let mut at = Some(lane);
        while let Some(lane) = at {
            if let Some(cause) = &self.lanes[lane].off_the_way {
                return cause.clone();
            }
            at = self.lanes[lane].parent;
        }
        failure.clone()
    }

    fn task_failed(&mut self, lane: usize) {
        self.lanes[lane].cursor.failed("Refused", Some("no"));
        self.own(lane);
        let current = self.lanes[lane].current.as_mut().expect("a Task is open");
        let known = current.known.clone();
        if current.attempts == 0 && self.random.chance(40) {
            current.attempts += 1;
            current.step = 0;
            return;
        }
        let root = self.root_of(lane, &known);
        if !self.catch(lane, &root) {
            self.scope_failed(lane, known, root);
        }
    }

    /// Takes the Catch of the lane's open state, if it has one.
    fn catch(&mut self, lane: usize, root: &Known) -> bool {
        let current = self.lanes[lane].current.as_ref().expect("a state is open");
        let Some((handlers, rejoins)) = current.state.handler.clone() else { return false };
        self.lanes[lane].cursor.caught(json!({"Error": "Refused"}));
        self.own(lane);
        let entry = &mut self.lanes[lane];
        entry.current = None;
        entry.off_the_way = Some(root.clone());
        let rest = if rejoins { std::mem::take(&mut entry.plan) } else { Vec::new() };
        entry.plan = handlers.into_iter().map(|state| (state, false)).chain(rest).collect();
        true
    }

    fn start_scopes(&mut self, lane: usize) {
        let current = self.lanes[lane].current.as_ref().expect("a Parallel or Map is open");
        let (state, labels) = (current.state.clone(), self.lanes[lane].labels.clone());
        self.lanes[lane].waits = true;
        match &state.kind {
            KindDef::Parallel(branches) => {
                self.lanes[lane].cursor.parallel_started();
                self.own(lane);
                for (index, branch) in branches.iter().enumerate() {
                    let cursor = self.lanes[lane].cursor.branch();
                    self.open_lane(lane, cursor, branch, &labels, &format!("{}[{index}]", state.name), true);
                }
            }
            KindDef::Map(processor) => {
                let items = self.random.below(5) as u64;
                self.lanes[lane].cursor.map_started(items);
                self.own(lane);
                let at_once = 1 + self.random.below(4) as u64;
                for index in 0..items.min(at_once) {
                    let cursor = self.lanes[lane].cursor.iteration(index);
                    self.open_lane(lane, cursor, processor, &labels, &format!("{}[{index}]", state.name), false);
                }
                self.lanes[lane].current.as_mut().expect("the Map is open").delayed = (at_once..items).collect();
                if items == 0 {
                    self.composite_succeeded(lane);
                }
            }
            _ => unreachable!("only Parallel and Map hold scopes"),
        }
    }

    fn open_lane(&mut self, parent: usize, cursor: HistoryBuilder, states: &[StateDef], labels: &[String], label: &str, is_branch: bool) {
        let mut labels = labels.to_vec();
        labels.push(label.to_owned());
        let plan = states.iter().map(|state| (state.clone(), true)).collect();
        let lane =
            Lane { cursor, parent: Some(parent), labels, plan, current: None, off_the_way: None, waits: false, over: false, is_branch };
        self.lanes.push(lane);
        let position = self.lanes.len() - 1;
        self.lanes[parent].current.as_mut().expect("the parent is open").lanes.push(position);
    }

    fn finish(&mut self, lane: usize) {
        self.lanes[lane].over = true;
        let Some(parent) = self.lanes[lane].parent else {
            self.lanes[lane].cursor.execution_succeeded(json!({}));
            return;
        };
        if self.lanes[lane].is_branch {
            self.lanes[lane].cursor.branch_succeeded()
        } else {
            self.lanes[lane].cursor.iteration_succeeded()
        };
        let current = self.lanes[parent].current.as_mut().expect("the parent is open");
        if !current.delayed.is_empty() {
            let index = current.delayed.remove(0);
            let KindDef::Map(processor) = current.state.kind.clone() else { unreachable!("only a Map delays iterations") };
            let label = format!("{}[{index}]", current.state.name);
            let labels = self.lanes[parent].labels.clone();
            // A cursor of its own, because the list lends out one lane at a time.
            let freed = std::mem::replace(&mut self.lanes[lane].cursor, history("Unused"));
            let cursor = self.lanes[parent].cursor.iteration_after(&freed, index);
            self.lanes[lane].cursor = freed;
            self.open_lane(parent, cursor, &processor, &labels, &label, false);
            return;
        }
        let all_over = self.lanes[parent].current.as_ref().expect("the parent is open").lanes.iter().all(|lane| self.lanes[*lane].over);
        if all_over {
            self.composite_succeeded(parent);
        }
    }

    fn composite_succeeded(&mut self, lane: usize) {
        self.lanes[lane].cursor.composite_succeeded();
        self.own(lane);
        self.lanes[lane].waits = false;
        self.exit(lane);
    }

    /// Something in the lane failed and nothing in it caught that.
    fn scope_failed(&mut self, lane: usize, terminal: Known, root: Known) {
        let Some(parent) = self.lanes[lane].parent else {
            self.lanes[lane].over = true;
            if terminal.state.ends_with('f') {
                self.lanes[lane].cursor.execution_failed_with("Given", "up");
            } else {
                self.lanes[lane].cursor.execution_failed();
            }
            self.end = Some((terminal, root));
            return;
        };
        self.lanes[lane].cursor.scope_failed();
        self.close(parent);
        let current = self.lanes[parent].current.as_mut().expect("the parent is open");
        if current.attempts == 0 && self.random.chance(30) {
            current.attempts += 1;
            current.lanes.clear();
            self.lanes[parent].waits = false;
            return;
        }
        self.lanes[parent].cursor.composite_failed();
        self.own(parent);
        self.lanes[parent].waits = false;
        if !self.catch(parent, &root) {
            self.scope_failed(parent, terminal, root);
        }
    }

    /// Nothing goes on in the scopes of the lane's open state.
    fn close(&mut self, lane: usize) {
        let below = self.lanes[lane].current.as_ref().map(|current| current.lanes.clone()).unwrap_or_default();
        for lane in below {
            self.lanes[lane].over = true;
            self.close(lane);
        }
    }
}
