//! From what could be said to what is said: tested, corrected, ranked, and what says the same twice folded.

use std::collections::HashMap;

use super::candidates::{self, Candidate, Test, candidates};
use super::cell::{json_number, mix};
use super::columns::Column;
use super::report::{Companion, Finding, NotTested, Relation};
use super::row::Kind;
use crate::analysis::statistics::{Table, corrected, stratified, worth_testing};
use crate::model::Micros;

/// Claims are false in no more than this share of the cases.
pub(super) const LEVEL: f64 = 0.05;
/// Fewer executions on side A are anecdotes.
pub(super) const FEWEST: u64 = 3;
/// Smaller differences are of no use to anybody, however sure they are.
const LEAST_ODDS_RATIO: f64 = 1.2;
/// What is less surprising than this, given a finding, adds nothing to it.
const ADDS: f64 = 0.01;
/// Weaker claims than these are not looked at: nobody reads so many.
const MOST_CLAIMS: usize = 200;
/// Companions of a finding that are told.
const COMPANIONS: usize = 5;

/// A set of rows of which the first are side A, and their columns.
pub(super) struct Frame {
    pub columns: Vec<Column>,
    pub a_total: u32,
    pub rows: u32,
}

/// What came of the tests.
#[derive(Default)]
pub(super) struct Outcome {
    pub findings: Vec<Finding>,
    pub tested: usize,
    pub too_rare: usize,
    pub not_tested: Vec<NotTested>,
}

/// Conditions that the same executions fulfil: one test.
struct Group<'f> {
    frame: &'f Frame,
    candidates: Vec<Candidate>,
    table: Table,
}

/// Tests everything in both frames as one family.
pub(super) fn find(frames: &[Frame], more_only: &dyn Fn(&Column) -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut groups: Vec<Group<'_>> = frames.iter().flat_map(|frame| groups(frame, &mut outcome.not_tested)).collect();
    groups.sort_by(|one, other| one.table.smallest_p().total_cmp(&other.table.smallest_p()));
    let smallest: Vec<f64> = groups.iter().map(|group| group.table.smallest_p()).collect();
    outcome.tested = worth_testing(&smallest, LEVEL);
    outcome.too_rare = groups.len() - outcome.tested;
    groups.truncate(outcome.tested);
    let p: Vec<f64> = groups.iter().map(|group| group.table.fisher()).collect();
    let corrected = corrected(&p);
    let mut claims: Vec<Claim<'_>> = (groups.into_iter().zip(p).zip(corrected))
        .filter(|(_, corrected)| *corrected <= LEVEL)
        .filter_map(|((group, p), corrected)| Claim::new(group, p, corrected, more_only))
        .collect();
    claims.sort_by(Claim::order);
    let of_time = claims.iter().position(|claim| claim.kind() == Kind::Time).unwrap_or(claims.len());
    claims.drain(of_time.min(MOST_CLAIMS)..of_time);
    claims.truncate(MOST_CLAIMS * 2);
    outcome.findings = fold(claims);
    outcome
}

fn groups<'f>(frame: &'f Frame, not_tested: &mut Vec<NotTested>) -> Vec<Group<'f>> {
    let whole: u64 = (0..frame.rows).fold(0, |sum, row| sum.wrapping_add(mix(u64::from(row))));
    let mut groups: Vec<Group<'f>> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for (number, column) in frame.columns.iter().enumerate() {
        for candidate in candidates(number, column, frame.a_total, frame.rows, not_tested) {
            let partition = candidate.partition.min(whole.wrapping_sub(candidate.partition));
            let place = *places.entry(partition).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Group { frame, table: candidate.table, candidates: Vec::new() });
            }
            groups[place].candidates.push(candidate);
        }
    }
    groups
}

/// A test that is to be told.
struct Claim<'f> {
    frame: &'f Frame,
    said: Candidate,
    table: Table,
    flipped: bool,
    same: Vec<(Candidate, bool)>,
    p: f64,
    corrected: f64,
}

impl<'f> Claim<'f> {
    /// Says of a group what side A has, or at least what it lacks.
    fn new(group: Group<'f>, p: f64, corrected: f64, more_only: &dyn Fn(&Column) -> bool) -> Option<Self> {
        let column = |candidate: &Candidate| &group.frame.columns[candidate.column];
        let mut ways: Vec<(Candidate, bool)> = group
            .candidates
            .into_iter()
            .map(|candidate| {
                // That side A lacks a value is said as such; other conditions have an opposite.
                let flipped = !candidate.table.is_over() && !matches!(candidate.test, Test::Equal(_) | Test::Within(..));
                (candidate, flipped)
            })
            .filter(|(candidate, flipped)| !(*flipped && more_only(column(candidate))))
            .collect();
        let has = |(candidate, flipped): &(Candidate, bool)| candidate.table.is_over() || *flipped;
        if ways.iter().any(has) {
            ways.retain(has);
        }
        ways.sort_by_key(|(candidate, flipped)| (column(candidate).kind, *flipped, plainness(&candidate.test)));
        let mut ways = ways.into_iter();
        let (said, flipped) = ways.next()?;
        let table = if flipped { said.table.complement() } else { said.table };
        let claim = Self { frame: group.frame, said, table, flipped, same: ways.collect(), p, corrected };
        (claim.strength() >= LEAST_ODDS_RATIO && claim.is_seen_often()).then_some(claim)
    }

    /// How far the odds are apart, at least.
    fn strength(&self) -> f64 {
        if self.table.is_over() {
            return self.table.odds_ratio_low();
        }
        self.table.complement().odds_ratio_low()
    }

    fn is_seen_often(&self) -> bool {
        if self.table.is_over() { self.table.a >= FEWEST } else { self.table.b >= FEWEST }
    }

    fn kind(&self) -> Kind {
        self.column().kind
    }

    fn column(&self) -> &'f Column {
        &self.frame.columns[self.said.column]
    }

    /// Time last: it tells since when, not what of. Then what is surest to be far apart.
    fn order(one: &Self, other: &Self) -> std::cmp::Ordering {
        let is_time = |claim: &Self| claim.kind() == Kind::Time;
        is_time(one)
            .cmp(&is_time(other))
            .then(other.strength().total_cmp(&one.strength()))
            .then_with(|| one.column().name.cmp(&other.column().name))
            .then_with(|| one.said.partition.cmp(&other.said.partition))
    }

    fn membership(&self) -> Vec<bool> {
        let mut membership = vec![self.flipped; self.frame.rows as usize];
        for row in candidates::members(self.column(), &self.said.test) {
            membership[row as usize] = !self.flipped;
        }
        membership
    }
}

/// What reads best comes first among conditions that say the same.
fn plainness(test: &Test) -> u8 {
    match test {
        Test::Equal(_) | Test::Happened => 0,
        Test::Above(_) | Test::From(_) | Test::Within(..) => 1,
        Test::HasType(_) => 2,
        Test::Present => 3,
    }
}

/// Puts under each finding what tells nothing beyond it.
fn fold(claims: Vec<Claim<'_>>) -> Vec<Finding> {
    let mut told: Vec<(Claim<'_>, Vec<bool>, Finding)> = Vec::new();
    for claim in claims {
        let membership = claim.membership();
        let covers = |(earlier, with, _): &&mut (Claim<'_>, Vec<bool>, Finding)| {
            let says_where = |claim: &Claim<'_>| matches!(claim.said.test, Test::Above(_) | Test::From(_) | Test::Within(..));
            let is_other_cut = earlier.column().name == claim.column().name && says_where(earlier) && says_where(&claim);
            let is_same_frame = std::ptr::eq(earlier.frame, claim.frame);
            is_same_frame && (is_other_cut || stratified(&strata(with, &membership, claim.frame.a_total)) > ADDS)
        };
        match told.iter_mut().find(covers) {
            // The other values of the same attribute go without saying.
            Some((earlier, _, _)) if base(&earlier.column().name) == base(&claim.column().name) => {}
            Some((_, _, finding)) if finding.along.len() < COMPANIONS => finding.along.push(companion(&claim)),
            Some(_) => {}
            None => {
                let finding = finding(&claim);
                told.push((claim, membership, finding));
            }
        }
    }
    told.into_iter().map(|(_, _, finding)| finding).collect()
}

/// `took(Route)` for every way out of `Route`.
fn base(name: &str) -> &str {
    if name.starts_with("took(") { name.rsplit_once(", ").map_or(name, |(base, _)| base) } else { name }
}

/// The table of one condition among the rows that fulfil another, and among those that do not.
fn strata(with: &[bool], membership: &[bool], a_total: u32) -> [Table; 2] {
    let mut strata = [Table { a: 0, a_total: 0, b: 0, b_total: 0 }; 2];
    for ((row, stratum), is_member) in (0..).zip(with).zip(membership) {
        let table = &mut strata[usize::from(*stratum)];
        if row < a_total {
            table.a_total += 1;
            table.a += u64::from(*is_member);
        } else {
            table.b_total += 1;
            table.b += u64::from(*is_member);
        }
    }
    strata
}

fn finding(claim: &Claim<'_>) -> Finding {
    let table = claim.table;
    let column = claim.column();
    let (relation, value) = said(column, &claim.said.test, claim.flipped);
    let (lift, lift_low, lift_high) = table.lift();
    let same = claim.same.iter().filter(|(other, _)| other.column != claim.said.column).take(COMPANIONS);
    Finding {
        kind: column.kind,
        attribute: column.name.to_string(),
        relation,
        condition: condition(&column.name, relation, &value),
        value,
        a_count: table.a,
        a_total: table.a_total,
        b_count: table.b,
        b_total: table.b_total,
        share_a: table.share_a(),
        share_b: table.share_b(),
        lift,
        lift_low,
        lift_high,
        odds_ratio_low: claim.strength(),
        p: claim.p,
        p_corrected: claim.corrected,
        same: same.map(|(other, flipped)| companion_of(claim.frame, other, *flipped)).collect(),
        along: Vec::new(),
    }
}

fn companion(claim: &Claim<'_>) -> Companion {
    companion_of(claim.frame, &claim.said, claim.flipped)
}

fn companion_of(frame: &Frame, candidate: &Candidate, flipped: bool) -> Companion {
    let column = &frame.columns[candidate.column];
    let (relation, value) = said(column, &candidate.test, flipped);
    let table = if flipped { candidate.table.complement() } else { candidate.table };
    Companion { kind: column.kind, attribute: column.name.to_string(), relation, value, a_count: table.a, b_count: table.b }
}

fn said(column: &Column, test: &Test, flipped: bool) -> (Relation, serde_json::Value) {
    use serde_json::Value;
    let is_element = column.name.contains("[*]");
    match test {
        Test::Equal(cell) if is_element => (Relation::Contains, cell.json()),
        Test::Equal(cell) => (Relation::Equal, cell.json()),
        Test::Happened => (Relation::Equal, Value::Bool(!flipped)),
        Test::Present => (if flipped { Relation::Absent } else { Relation::Present }, Value::Null),
        Test::HasType(name) => (if flipped { Relation::HasOtherType } else { Relation::HasType }, Value::from(*name)),
        Test::Above(cut) => (if flipped { Relation::AtMost } else { Relation::Above }, json_number(*cut)),
        Test::From(from) => (if flipped { Relation::Before } else { Relation::From }, Value::from(moment(*from))),
        Test::Within(from, length) => {
            #[allow(clippy::cast_precision_loss, reason = "a week in microseconds")]
            let until = from + *length as f64;
            (Relation::Within, Value::from(format!("{}/{}", moment(*from), moment(until))))
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it was made from whole microseconds")]
fn moment(micros: f64) -> String {
    Micros(micros as i64).timestamp().to_string()
}

/// The expression for `--where`, where the language has one.
fn condition(attribute: &str, relation: Relation, value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    let has_operand = attribute.starts_with("visited(") || attribute.starts_with("retried(") || attribute.starts_with("took(");
    let is_count = ["visits(", "items(", "length(", "size("].iter().any(|count| attribute.starts_with(count)) && !attribute.contains("[*]");
    let is_field = is_count || !attribute.contains('(');
    let written = match value {
        Value::String(text) if text.contains('…') => return None,
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Number(number) if attribute == "duration" => format!("{number}ms"),
        other => other.to_string(),
    };
    match relation {
        Relation::Equal if has_operand && *value == Value::Bool(true) => Some(attribute.to_owned()),
        Relation::Equal if has_operand => Some(format!("not {attribute}")),
        _ if !is_field => None,
        Relation::Equal | Relation::Contains => Some(format!("{attribute} = {written}")),
        Relation::Above => Some(format!("{attribute} > {written}")),
        Relation::AtMost => Some(format!("{attribute} <= {written}")),
        Relation::Present => Some(format!("{attribute} exists")),
        Relation::Absent => Some(format!("not {attribute} exists")),
        Relation::From => Some(format!("{attribute} >= {}", value.as_str()?)),
        Relation::Before => Some(format!("{attribute} < {}", value.as_str()?)),
        Relation::Within => {
            let (from, until) = value.as_str()?.split_once('/')?;
            Some(format!("{attribute} >= {from} and {attribute} < {until}"))
        }
        Relation::HasType | Relation::HasOtherType => None,
    }
}
