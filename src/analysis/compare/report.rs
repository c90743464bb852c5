//! What a comparison tells.

use serde::Serialize;
use serde_json::Value;

use super::row::Kind;
use crate::analysis::fleet::Coverage;
use crate::model::Micros;

/// The answer of `compare`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CompareReport {
    /// `stepscope.compare/1`
    pub schema: &'static str,
    /// What the answer rests on.
    pub coverage: Coverage,
    /// Which executions are side A.
    pub a: String,
    /// Which executions are side B.
    pub b: String,
    /// One for each state machine (or failure group) with executions on side A, those with the most first.
    pub comparisons: Vec<Comparison>,
    /// Executions by status, whatever their side.
    pub statuses: Vec<StatusCount>,
    /// Executions that both sides would have; they are on neither.
    pub on_both_sides: u64,
}

/// How many executions have a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusCount {
    /// The service's word; `UNKNOWN` when nothing tells.
    pub status: String,
    /// How many.
    pub executions: u64,
}

/// Two sides of one state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// ARN; `None` for executions of which nothing tells the machine.
    pub state_machine: Option<String>,
    /// The failure group that side A is, where they are compared one by one.
    pub group: Option<String>,
    /// Those to be explained.
    pub a: Side,
    /// Those that they are compared with.
    pub b: Side,
    /// Whether side A failed as a whole: then only what was so before the failure is compared.
    pub failing: bool,
    /// The states that side A failed in, when only executions of side B that reached one of them are compared.
    pub reached: Vec<String>,
    /// When side A happened, when only executions of side B of that time are compared.
    pub window: Option<Window>,
    /// The root failures of side A, most frequent first.
    pub failures: Vec<RootFailure>,
    /// What is over- or under-represented on side A, what tells most first; what is about time stands last.
    pub findings: Vec<Finding>,
    /// How many findings there are beyond the limit.
    pub more: u64,
    /// How many values were tested: p is corrected for as many.
    pub tested: u64,
    /// How many values are too rare to be claimed, whatever the sides are; they were not tested.
    pub too_rare: u64,
    /// What was not compared, and why.
    pub not_tested: Vec<NotTested>,
    /// How many executions side A would need so that something all of them and a fifth of side B have could be claimed; `None`
    /// when it has them.
    pub needed: Option<u64>,
    /// What to know when reading it.
    pub notes: Vec<String>,
}

/// One side.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Side {
    /// What to call its executions: `failed`.
    pub name: String,
    /// How many executions it has.
    pub executions: u64,
    /// How many of them were compared.
    pub compared: u64,
    /// How many were left out because the side has more than are kept; which ones are kept is not for their time or content.
    pub not_sampled: u64,
    /// How many did not reach the states that side A failed in.
    pub not_reached: u64,
    /// How many started outside of the time of side A; they count for what is about time alone.
    pub outside_window: u64,
}

/// A stretch of time; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first start.
    pub from: Micros,
    /// The last start.
    pub to: Micros,
}

/// A failure group of side A, with the state and error of its failures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RootFailure {
    /// ARN of the state machine in which it failed, when that is another one: a child's.
    pub root_state_machine: Option<String>,
    /// `None` when nothing tells.
    pub state: Option<String>,
    /// `None` when none was given.
    pub error: Option<String>,
    /// The failure group, as `failures` names it; `None` where side A was selected by an expression.
    pub group: Option<String>,
    /// How many of those compared.
    pub executions: u64,
}

/// How a value relates to an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It is the value; for what happened or did not, `true` or `false`.
    Equal,
    /// One of its elements is the value.
    Contains,
    /// It is a greater number.
    Above,
    /// It is that number or a smaller one.
    AtMost,
    /// It has that JSON type.
    HasType,
    /// It has another JSON type.
    HasOtherType,
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// It is that moment or a later one.
    From,
    /// It is an earlier moment.
    Before,
    /// It is in the stretch of time that the value gives as `from/until`; the end does not belong to it.
    Within,
}

/// Something that the sides do not have alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What the attribute is about.
    pub kind: Kind,
    /// The attribute: `input.currency`, `took(Route)`, `hour`.
    pub attribute: String,
    /// How the value relates to it.
    pub relation: Relation,
    /// The value.
    pub value: Value,
    /// The expression that selects what has it, for `--where`; `None` when there is none.
    pub condition: Option<String>,
    /// How many of side A have it.
    pub a_count: u64,
    /// Of how many.
    pub a_total: u64,
    /// How many of side B have it.
    pub b_count: u64,
    /// Of how many.
    pub b_total: u64,
    /// `a_count / a_total`
    pub share_a: f64,
    /// `b_count / b_total`
    pub share_b: f64,
    /// `share_a / share_b`; `None` when no execution of side B has it.
    pub lift: Option<f64>,
    /// Lower end of the lift's 95 % interval.
    pub lift_low: f64,
    /// Upper end of the lift's 95 % interval.
    pub lift_high: f64,
    /// Lower 95 % bound of the odds ratio (of its inverse where side A has it less often): findings stand in this order.
    pub odds_ratio_low: f64,
    /// Fisher's exact test, two-sided.
    pub p: f64,
    /// The same, corrected for the number of tests (Benjamini and Hochberg).
    pub p_corrected: f64,
    /// What the very same executions have.
    pub same: Vec<Companion>,
    /// What is associated as well and tells nothing beyond this finding.
    pub along: Vec<Companion>,
}

/// Something that goes with a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Companion {
    /// As in a finding.
    pub kind: Kind,
    /// As in a finding.
    pub attribute: String,
    /// As in a finding.
    pub relation: Relation,
    /// As in a finding.
    pub value: Value,
    /// As in a finding.
    pub a_count: u64,
    /// As in a finding.
    pub b_count: u64,
}

/// Something that was not compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotTested {
    /// The attribute.
    pub attribute: String,
    /// Why.
    pub reason: Reason,
    /// Why, in words.
    pub text: String,
}

/// Why something was not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its values are different for most executions.
    Identifier,
    /// It has more different values than are looked at.
    TooManyValues,
    /// The sides were selected by it.
    Selected,
}
