//! The change of version, alias or definition that is nearest to a moment.
//!
//! What executions of a machine started with tells when something was deployed: the first execution of a version that was not seen
//! before. It is offered as what a change is associated with; whether it is the cause, the data do not say.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::analysis::observed::{Name, Observed};
use crate::model::Micros;

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The version of the state machine.
    Version,
    /// The alias by which executions were started.
    Alias,
    /// The definition.
    Definition,
}

impl What {
    /// As a person reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Alias => "alias",
            Self::Definition => "definition",
        }
    }
}

/// A change near another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NearestChange {
    /// What was changed.
    pub what: What,
    /// To what: a version's number, an alias; null for a definition.
    pub value: Option<String>,
    /// What was in use before.
    pub before: Option<String>,
    /// When the first execution with it started.
    pub at: Micros,
    /// From that to the finding; negative for a change that came after it.
    pub offset_ms: i64,
    /// Executions with it from then on.
    pub executions: u64,
}

/// A version, alias or definition that was new then.
#[derive(Debug, Clone)]
struct Deployed {
    what: What,
    value: Option<Name>,
    before: Option<Name>,
    at: Micros,
    executions: u64,
}

/// What was deployed, by machine.
#[derive(Debug, Default)]
pub(super) struct Deployments(BTreeMap<Option<Name>, Vec<Deployed>>);

/// A change so near may belong to it.
const NEAR: i64 = 15 * 60 * 1_000_000;

impl Deployments {
    pub fn of(observed: &Observed) -> Self {
        let mut seen: BTreeSet<(Option<Name>, What, Name)> = BTreeSet::new();
        let mut last: BTreeMap<(Option<Name>, What), Name> = BTreeMap::new();
        let mut counts: BTreeMap<(Option<Name>, What, Name), u64> = BTreeMap::new();
        let mut all = Self::default();
        for execution in &observed.executions {
            let Some(at) = execution.start else { continue };
            for (what, value) in [(What::Version, execution.version), (What::Alias, execution.alias)] {
                let Some(value) = value else { continue };
                *counts.entry((execution.machine, what, value)).or_default() += 1;
                let before = last.insert((execution.machine, what), value);
                if seen.insert((execution.machine, what, value)) && before.is_some() {
                    let deployed = Deployed { what, value: Some(value), before, at, executions: 0 };
                    all.0.entry(execution.machine).or_default().push(deployed);
                }
            }
        }
        for deployed in all.0.iter_mut().flat_map(|(machine, all)| all.iter_mut().map(move |deployed| (machine, deployed))) {
            let (machine, deployed) = deployed;
            deployed.executions =
                deployed.value.and_then(|value| counts.get(&(*machine, deployed.what, value))).copied().unwrap_or_default();
        }
        for pair in observed.definitions.windows(2).filter(|pair| pair[0].machine == pair[1].machine) {
            if let Some(at) = pair[1].first_start.filter(|_| pair[0].first_start.is_some() && pair[0].text != pair[1].text) {
                let deployed = Deployed { what: What::Definition, value: None, before: None, at, executions: pair[1].executions };
                all.0.entry(pair[1].machine).or_default().push(deployed);
            }
        }
        all
    }

    /// The nearest to the moments between which something began: within a quarter of an hour of them.
    pub fn nearest(&self, observed: &Observed, machine: Option<Name>, at: Micros, (from, to): (Micros, Micros)) -> Option<NearestChange> {
        let is_near = |deployed: &&Deployed| {
            deployed.at.0 >= from.0.min(at.0).saturating_sub(NEAR) && deployed.at.0 <= to.0.max(at.0).saturating_add(NEAR)
        };
        let near = self.0.get(&machine)?.iter().filter(is_near);
        let nearest = near.min_by_key(|deployed| (at.0.abs_diff(deployed.at.0), deployed.what, deployed.at))?;
        let text = |name: Option<Name>| name.map(|name| observed.text(name).to_owned());
        Some(NearestChange {
            what: nearest.what,
            value: text(nearest.value),
            before: text(nearest.before),
            at: nearest.at,
            offset_ms: at.0.saturating_sub(nearest.at.0) / 1000,
            executions: nearest.executions,
        })
    }
}
