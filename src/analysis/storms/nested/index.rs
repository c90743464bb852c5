//! What stands around a visit: a Parallel or Map, or the visit that started its execution.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::DEEPEST;
use crate::analysis::observed::{Attempt, Class, Name, Observed};
use crate::analysis::storms::Seen;
use crate::model::facts::Pattern;

/// A visit: its execution's position and its number.
pub(super) type VisitKey = (u32, u32);

/// Where visits stand.
pub(super) struct Index<'a> {
    pub(super) observed: &'a Observed,
    /// Visits of Parallel and Map states: the class, and the visit around.
    scopes: HashMap<VisitKey, (usize, Option<u32>), RandomState>,
    /// Attempts that started child executions, by execution: class and position.
    starters: HashMap<u32, Vec<(usize, usize)>, RandomState>,
    /// Executions by ARN.
    executions: HashMap<Name, u32, RandomState>,
}

impl<'a> Index<'a> {
    /// Of the executions of storms, and of those that started them.
    pub(super) fn new(storms: &[Seen], observed: &'a Observed) -> Self {
        let mut scopes: HashMap<VisitKey, (usize, Option<u32>), RandomState> = HashMap::default();
        let mut starters: HashMap<u32, Vec<(usize, usize)>, RandomState> = HashMap::default();
        let mut executions: HashMap<Name, u32, RandomState> = HashMap::default();
        let mut is_wanted = vec![false; observed.executions.len()];
        let mut newest: Vec<u32> = storms.iter().flat_map(Seen::executions).collect();
        for _ in 0..DEEPEST {
            newest.retain(|position| is_wanted.get_mut(*position as usize).is_some_and(|wanted| !std::mem::replace(wanted, true)));
            let parents: BTreeSet<Name> = newest.iter().filter_map(|position| observed.executions[*position as usize].parent).collect();
            if parents.is_empty() {
                break;
            }
            newest.clear();
            for (position, execution) in (0_u32..).zip(&observed.executions) {
                if parents.contains(&execution.arn) {
                    executions.insert(execution.arn, position);
                    newest.push(position);
                }
            }
        }
        for (class, of) in observed.classes.iter().enumerate() {
            let wanted = |(_, attempt): &(usize, &Attempt)| is_wanted.get(attempt.execution as usize).is_some_and(|wanted| *wanted);
            for (position, attempt) in of.attempts.iter().enumerate().filter(wanted) {
                match attempt.pattern {
                    Some(Pattern::Scopes) => {
                        scopes.entry((attempt.execution, attempt.visit)).or_insert((class, attempt.parent_visit));
                    }
                    Some(Pattern::ChildExecution) => starters.entry(attempt.execution).or_default().push((class, position)),
                    _ => {}
                }
            }
        }
        Self { observed, scopes, starters, executions }
    }

    pub(super) fn class(&self, position: usize) -> &'a Class {
        &self.observed.classes[position]
    }

    /// The visit of a class that each call stands in.
    pub(super) fn visits_at(&self, calls: &[&Attempt], class: usize) -> Vec<Option<VisitKey>> {
        let up = |call: &&Attempt| {
            let mut at = self.around(call.execution, call.parent_visit);
            for _ in 0..DEEPEST * DEEPEST {
                let (of, visit) = at?;
                if of == class {
                    return Some(visit);
                }
                at = self.outside(of, visit);
            }
            None
        };
        calls.iter().map(up).collect()
    }

    /// What stands around a visit: the Parallel or Map, or the visit that started its execution.
    pub(super) fn around(&self, execution: u32, parent_visit: Option<u32>) -> Option<(usize, VisitKey)> {
        match parent_visit {
            Some(visit) => self.scopes.get(&(execution, visit)).map(|(class, _)| (*class, (execution, visit))),
            None => self.starter(execution),
        }
    }

    /// What stands around a visit of a class.
    pub(super) fn outside(&self, class: usize, visit: VisitKey) -> Option<(usize, VisitKey)> {
        if let Some((_, parent_visit)) = self.scopes.get(&visit) {
            return self.around(visit.0, *parent_visit);
        }
        let attempts = self.starters.get(&visit.0)?;
        let (_, position) = attempts.iter().find(|(of, at)| *of == class && self.class(*of).attempts[*at].visit == visit.1)?;
        self.around(visit.0, self.class(class).attempts[*position].parent_visit)
    }

    /// The visit that started an execution: the one that names it as its child, else the last one that called before it started.
    fn starter(&self, execution: u32) -> Option<(usize, VisitKey)> {
        let child = self.observed.executions.get(execution as usize)?;
        let parent = *self.executions.get(&child.parent?)?;
        let attempts = self.starters.get(&parent)?;
        let attempt = |(class, position): &(usize, usize)| &self.class(*class).attempts[*position];
        let named = attempts.iter().find(|at| attempt(at).child == Some(child.arn));
        let before = || {
            let called = |at: &&(usize, usize)| attempt(at).scheduled.is_some_and(|scheduled| Some(scheduled) <= child.start);
            let still_open = |at: &&(usize, usize)| attempt(at).ended.is_none_or(|ended| child.start.is_none_or(|start| start <= ended));
            attempts.iter().filter(called).filter(still_open).max_by_key(|at| (attempt(at).scheduled, std::cmp::Reverse(**at)))
        };
        named.or_else(before).map(|at| (at.0, (parent, attempt(at).visit)))
    }
}
