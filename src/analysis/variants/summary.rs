//! What was seen to the report: variants, states and edges of each state machine, sorted.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::edges::EdgeKey;
use super::report::SCHEMA;
use super::rows::rows;
use super::terms::{Content, Name, Term, Terms};
use super::unused::{Outline, outline};
use super::{
    Edge, EdgeKind, MachineFold, MachineVariants, Options, Sample, SampleExecution, Sort, StateCount, Variant, VariantFold, Variants,
    VariantsReport,
};
use crate::analysis::fleet::{Coverage, quantile};
use crate::model::StateMachineArn;

/// The report of what was seen.
pub fn report(question: &Variants, coverage: Coverage, options: &Options) -> VariantsReport {
    let mut machines: Vec<MachineVariants> = question.machines.iter().map(|(arn, machine)| machine.report(arn, options)).collect();
    machines.retain(|machine| options.variant.is_none() || !machine.variants.is_empty());
    machines.sort_by(|one, other| (Reverse(one.executions), &one.state_machine).cmp(&(Reverse(other.executions), &other.state_machine)));
    VariantsReport { schema: SCHEMA, coverage, machines }
}

impl MachineFold {
    fn report(&self, arn: &str, options: &Options) -> MachineVariants {
        let name = arn.parse::<StateMachineArn>().ok().map(|arn| arn.name().to_owned());
        let mut variants: Vec<Chosen<'_>> = self.variants.iter().map(|(term, fold)| Chosen::new(*term, fold, &self.terms)).collect();
        let wanted = |chosen: &Chosen<'_>| match &options.variant {
            Some(id) => self.terms.id(chosen.term) == *id,
            None => chosen.fold.executions >= options.min && (!options.failed_only || chosen.fold.failed > 0),
        };
        variants.retain(wanted);
        variants.sort_by(|one, other| one.compare(other, options.sort));
        if options.variant.is_none() {
            variants.truncate(options.limit);
        }
        let shown: u64 = variants.iter().map(|chosen| chosen.fold.executions).sum();
        let outline = self.outline(arn);
        MachineVariants {
            state_machine: (!arn.is_empty()).then(|| arn.to_owned()),
            name,
            executions: self.executions,
            unsuccessful: self.unsuccessful,
            variants_total: self.variants.len() as u64,
            variants_hidden: (self.variants.len() - variants.len()) as u64,
            executions_hidden: self.executions - shown,
            variants: variants.iter().map(|chosen| self.variant(chosen, options)).collect(),
            has_definition: outline.is_some(),
            several_definitions: self.other_definitions,
            states: self.states(outline.as_ref()),
            edges: self.edges(outline.as_ref()),
        }
    }

    fn outline(&self, arn: &str) -> Option<Outline> {
        let at_the_top = self.edges.keys().filter(|key| key.within.is_none()).filter_map(|key| key.to).map(|name| self.terms.text(name));
        outline(&self.definition.as_ref()?.text, arn, &at_the_top.collect::<Vec<_>>())
    }

    fn variant(&self, chosen: &Chosen<'_>, options: &Options) -> Variant {
        let fold = chosen.fold;
        let status = match self.terms.content(chosen.term) {
            Content::Variant { status, .. } => status,
            _ => None,
        };
        let mut samples: Vec<&Sample> = fold.samples.iter().collect();
        samples.sort_unstable();
        samples.truncate(if options.variant.is_some() { options.limit } else { super::SAMPLES });
        Variant {
            id: self.terms.id(chosen.term),
            status,
            executions: fold.executions,
            share: share(fold.executions, self.executions).unwrap_or_default(),
            failed: fold.failed,
            failed_share: share(fold.failed, fold.executions).unwrap_or_default(),
            redriven: fold.redriven,
            retries: fold.retries,
            p50_ms: quantile(&chosen.durations, 0.5),
            p95_ms: quantile(&chosen.durations, 0.95),
            max_ms: chosen.durations.last().copied(),
            first_seen: fold.first,
            last_seen: fold.last,
            rows: rows(chosen.term, fold, &self.terms, |name| self.states.get(&name)?.state_type),
            samples: samples.into_iter().map(SampleExecution::of).collect(),
        }
    }

    fn states(&self, outline: Option<&Outline>) -> Vec<StateCount> {
        let mut within: HashMap<Name, &str> = HashMap::new();
        for key in self.edges.keys() {
            if let (Some(state), Some(around)) = (key.to, key.within) {
                let around = self.terms.text(around);
                within.entry(state).and_modify(|known| *known = (*known).min(around)).or_insert(around);
            }
        }
        let mut states: Vec<StateCount> = Vec::new();
        for (name, text) in self.terms.names() {
            let Some(count) = self.states.get(&name) else { continue };
            let known = outline.and_then(|outline| outline.states.get(text));
            let failures = count.failed + count.caught;
            states.push(StateCount {
                state: text.to_owned(),
                state_type: count.state_type.or(known.and_then(|known| known.state_type)),
                within: known.map_or_else(|| within.get(&name).map(|&around| around.to_owned()), |known| known.within.clone()),
                branch: known.map_or(count.branch, |known| known.branch),
                visits: count.visits,
                executions: count.executions,
                failed: count.failed,
                caught: count.caught,
                failed_share: share(failures, count.visits),
                retries: count.retries,
                mean_ms: mean(count.time, count.exited),
                defined: outline.map(|_| known.is_some()),
            });
        }
        let never = outline.into_iter().flat_map(|outline| &outline.states).filter(|(name, _)| !self.terms.knows(name));
        states.extend(never.map(|(name, known)| StateCount {
            state: name.clone(),
            state_type: known.state_type,
            within: known.within.clone(),
            branch: known.branch,
            visits: 0,
            executions: 0,
            failed: 0,
            caught: 0,
            failed_share: None,
            retries: 0,
            mean_ms: None,
            defined: Some(true),
        }));
        states.sort_by(|one, other| (Reverse(one.visits), &one.state).cmp(&(Reverse(other.visits), &other.state)));
        states
    }

    fn edges(&self, outline: Option<&Outline>) -> Vec<Edge> {
        let text = |name: Option<Name>| name.map(|name| self.terms.text(name).to_owned());
        let mut edges: Vec<Edge> = Vec::new();
        let mut taken = Vec::new();
        for (key, count) in &self.edges {
            let EdgeKey { from, to, within, kind } = *key;
            let (from, to, within) = (text(from), text(to), text(within));
            let known = outline.and_then(|outline| outline.edges.get(&(from.clone(), to.clone(), kind)));
            if known.is_some() {
                taken.push((from.clone(), to.clone(), kind));
            }
            let mut waits: Vec<i64> = count.waits.clone();
            waits.sort_unstable();
            let total: i128 = waits.iter().map(|wait| i128::from(*wait)).sum();
            let milliseconds: Vec<f64> = waits.into_iter().map(milliseconds).collect();
            edges.push(Edge {
                from,
                to,
                within,
                kind,
                count: count.count,
                executions: count.executions,
                failed_executions: count.failed_executions,
                failed_share: share(count.failed_executions, count.executions),
                only_failures: count.executions > 0 && count.failed_executions == count.executions,
                mean_ms: mean(total, milliseconds.len() as u64),
                p50_ms: quantile(&milliseconds, 0.5),
                // How an execution may fail or be stopped, no definition says.
                defined: outline
                    .filter(|_| matches!(kind, EdgeKind::Start | EdgeKind::Next | EdgeKind::Catch | EdgeKind::End))
                    .map(|_| known.is_some()),
                mark: known.and_then(|known| known.mark.clone()),
            });
        }
        taken.sort_unstable();
        let never = outline.into_iter().flat_map(|outline| &outline.edges).filter(|(key, _)| taken.binary_search(key).is_err());
        edges.extend(never.map(|((from, to, kind), known)| Edge {
            from: from.clone(),
            to: to.clone(),
            within: known.within.clone(),
            kind: *kind,
            count: 0,
            executions: 0,
            failed_executions: 0,
            failed_share: None,
            only_failures: false,
            mean_ms: None,
            p50_ms: None,
            defined: Some(true),
            mark: known.mark.clone(),
        }));
        edges.sort_by(|one, other| {
            let key = |edge: &Edge| (Reverse(edge.count), edge.within.clone(), edge.from.clone(), edge.to.clone(), edge.kind);
            key(one).cmp(&key(other))
        });
        edges
    }
}

/// A variant on its way into the report.
struct Chosen<'a> {
    term: Term,
    fold: &'a VariantFold,
    digest: &'a [u8; 32],
    /// Milliseconds, sorted.
    durations: Vec<f64>,
}

impl<'a> Chosen<'a> {
    fn new(term: Term, fold: &'a VariantFold, terms: &'a Terms) -> Self {
        let mut durations = fold.durations.clone();
        durations.sort_unstable();
        Self { term, fold, digest: terms.digest(term), durations: durations.into_iter().map(milliseconds).collect() }
    }

    fn compare(&self, other: &Self, sort: Sort) -> std::cmp::Ordering {
        let by_count = (Reverse(self.fold.executions), self.digest).cmp(&(Reverse(other.fold.executions), other.digest));
        match sort {
            Sort::Count => by_count,
            Sort::Failed => other.fold.failed.cmp(&self.fold.failed).then(by_count),
            Sort::Duration => {
                let median = |chosen: &Self| quantile(&chosen.durations, 0.5).unwrap_or(f64::NEG_INFINITY);
                median(other).total_cmp(&median(self)).then(by_count)
            }
        }
    }
}

impl SampleExecution {
    fn of(sample: &Sample) -> Self {
        let start = sample.start.0;
        Self {
            execution: sample.execution.to_string(),
            name: sample.name.to_string(),
            status: sample.status,
            start,
            duration_ms: sample.stop.zip(start).map(|(stop, start)| stop.milliseconds_since(start)),
            root_state: sample.root_state.as_deref().map(str::to_owned),
            root_error: sample.root_error.as_deref().map(str::to_owned),
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "nobody has 2^52 executions")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[allow(clippy::cast_precision_loss, reason = "285 years of microseconds are exact, and more is no duration")]
fn mean(microseconds: i128, count: u64) -> Option<f64> {
    (count > 0).then(|| microseconds as f64 / 1000.0 / count as f64)
}

#[allow(clippy::cast_precision_loss, reason = "285 years of microseconds are exact")]
fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1000.0
}
