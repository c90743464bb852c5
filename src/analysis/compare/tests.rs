use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Compare, CompareReport, Finding, Grouping, Reason, Relation, Sides};
use crate::analysis::fleet::{Coverage, Question};
use crate::analysis::selection::Selection;
use crate::model::facts::{FailureFacts, VisitFacts};
use crate::model::{EventId, ExecutionFacts, ExecutionStatus, Micros, StateType};

const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
const MINUTE: i64 = 60_000_000;

/// An execution as a test tells it.
#[derive(Clone)]
struct Story {
    name: String,
    machine: &'static str,
    minute: i64,
    input: Value,
    /// States in their order; a Choice begins with `?`, what comes after the failure stands behind `!`.
    path: &'static str,
    /// The state that failed, and the error.
    failed: Option<(&'static str, &'static str)>,
    version: &'static str,
}

fn order(number: u32, input: Value) -> Story {
    let name = format!("order-{number}");
    Story { name, machine: MACHINE, minute: i64::from(number), input, path: "Validate Charge Ship", failed: None, version: "1" }
}

impl Story {
    /// It fails in Charge, behind which it does not get.
    fn fails(self) -> Self {
        self.on("Validate Charge").fails_in("Charge")
    }

    /// It fails in a state of its path.
    fn fails_in(self, state: &'static str) -> Self {
        Self { failed: Some((state, "Declined")), ..self }
    }

    fn on(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    fn tell(&self, question: &mut Compare) {
        let (before, after) = self.path.split_once(" ! ").unwrap_or((self.path, ""));
        let states: Vec<&str> = before.split(' ').chain(after.split(' ').filter(|state| !state.is_empty())).collect();
        let visits: Vec<VisitFacts<'_>> = (0..).zip(&states).map(|(number, state)| visit(number, state)).collect();
        let failure = self.failed.map(|(state, error)| FailureFacts {
            root_state: Some(state),
            root_error: Some(error),
            error: Some(error),
            kind: if state == "Refuse" { "fail_state" } else { "task_failed" },
            root_event_id: Some(EventId(before.split(' ').count() as u64 * 10 - 1)),
            fingerprint: Some(error),
            ..FailureFacts::default()
        });
        let arn = format!("arn:aws:states:eu-west-1:111111111111:execution:Orders:{}", self.name);
        let input = self.input.to_string();
        question.take(&ExecutionFacts {
            execution: &arn,
            name: &self.name,
            state_machine: Some(self.machine),
            version: Some(self.version),
            status: Some(if failure.is_some() { ExecutionStatus::Failed } else { ExecutionStatus::Succeeded }),
            start: Some(Micros(self.minute * MINUTE)),
            stop: Some(Micros(self.minute * MINUTE + 5_000_000)),
            failure,
            input: Some(&input),
            visits: &visits,
            ..ExecutionFacts::default()
        });
    }
}

fn visit(number: u32, state: &str) -> VisitFacts<'_> {
    let is_choice = state.starts_with('?');
    VisitFacts {
        visit: number,
        state: state.trim_start_matches('?'),
        state_type: Some(if is_choice { StateType::Choice } else { StateType::Task }),
        entered_event_id: Some(EventId(u64::from(number) * 10 + 1)),
        ..VisitFacts::default()
    }
}

fn failed_against_succeeded() -> Arc<Sides> {
    let selection = |text: &str| Selection::parse(text).expect("an expression");
    Arc::new(Sides::new(selection("status = FAILED"), Some(selection("status = SUCCEEDED")), ("failed", "succeeded")))
}

fn compare_sides(sides: &Arc<Sides>, stories: &[Story]) -> CompareReport {
    let mut question = Compare::new(Arc::clone(sides));
    for story in stories {
        story.tell(&mut question);
    }
    question.report(Coverage::default(), 10, &Grouping::Unknown)
}

fn compare(stories: &[Story]) -> CompareReport {
    compare_sides(&failed_against_succeeded(), stories)
}

fn said(finding: &Finding) -> String {
    format!("{} {:?} {}", finding.attribute, finding.relation, finding.value)
}

fn findings(stories: &[Story]) -> Vec<String> {
    compare(stories).comparisons[0].findings.iter().map(said).collect()
}

fn currency(number: u32) -> &'static str {
    ["EUR", "USD", "GBP", "JPY", "CHF"][number as usize % 5]
}

#[test]
fn the_value_that_failures_share_is_found_with_its_counts() {
    let stories: Vec<Story> = (0..200)
        .map(|number: u32| {
            let story = order(number, json!({"id": format!("o-{number}"), "currency": currency(number), "tenant": number % 7}));
            if currency(number) == "JPY" && !number.is_multiple_of(3) { story.fails() } else { story }
        })
        .collect();
    let report = compare(&stories);
    let comparison = &report.comparisons[0];
    assert_eq!(comparison.findings.iter().map(said).collect::<Vec<_>>(), [r#"input.currency Equal "JPY""#]);
    let finding = &comparison.findings[0];
    // Two of the fourteen that succeeded did so before the first failure and after the last one.
    assert_eq!((finding.a_count, finding.a_total, finding.b_count), (26, 26, 12));
    assert_eq!(finding.condition.as_deref(), Some("input.currency = 'JPY'"));
    assert!(finding.p < 1e-15 && finding.p_corrected > finding.p && finding.lift_low > 6.0);
    assert_eq!(comparison.not_tested[0].attribute, "input.id");
    assert_eq!(comparison.not_tested[0].reason, Reason::Identifier);
}

#[test]
fn numbers_types_and_what_is_missing_are_found() {
    let of = |fails: &dyn Fn(u32) -> bool, input: &dyn Fn(u32) -> Value| {
        let story = |number| if fails(number) { order(number, input(number)).fails() } else { order(number, input(number)) };
        findings(&(0..300).map(story).collect::<Vec<_>>())
    };
    let amounts: Vec<u32> = {
        let mut random = Rng::with_seed(1);
        std::iter::repeat_with(|| random.u32(..1250)).take(300).collect()
    };
    let amount = |number: u32| amounts[number as usize];
    assert_eq!(of(&|number| amount(number) > 1000, &|number| json!({"amount": amount(number)})), ["input.amount Above 1000"]);
    let text_sometimes = |number: u32| if number.is_multiple_of(9) { json!({"zip": "12345"}) } else { json!({"zip": 12345}) };
    assert_eq!(of(&|number| number.is_multiple_of(9), &text_sometimes), [r#"input.zip Equal "12345""#]);
    let missing_sometimes = |number: u32| if number.is_multiple_of(9) { json!({}) } else { json!({"phone": format!("555-{number}")}) };
    assert_eq!(of(&|number| number.is_multiple_of(9), &missing_sometimes), ["input.phone Absent null"]);
    let many_items = |number: u32| json!({"items": vec![json!({"sku": number % 4}); if number.is_multiple_of(9) { 12 } else { 1 + number as usize % 3 }]});
    assert_eq!(of(&|number| number.is_multiple_of(9), &many_items)[0], "length(input.items) Equal 12");
    let one_item = |number: u32| json!({"items": [{"sku": "a"}, {"sku": if number.is_multiple_of(9) { "bad" } else { "good" }}]});
    assert_eq!(of(&|number| number.is_multiple_of(9), &one_item), [r#"input.items[*].sku Contains "bad""#]);
}

#[test]
fn what_follows_from_having_failed_explains_nothing() {
    let stories: Vec<Story> = (0..200)
        .map(|number: u32| {
            let story = order(number, json!({}));
            if number.is_multiple_of(5) { story.on("Validate Charge ! Refund Apologise").fails_in("Charge") } else { story }
        })
        .collect();
    assert_eq!(findings(&stories), [""; 0]);
}

#[test]
fn the_way_that_led_to_the_failing_state_is_found() {
    let stories: Vec<Story> = (0..200)
        .map(|number| match number % 5 {
            0 => order(number, json!({})).on("?Route Express Charge").fails_in("Charge"),
            1 => order(number, json!({})).on("?Route Express Charge Ship"),
            _ => order(number, json!({})).on("?Route Standard Charge Ship"),
        })
        .collect();
    let report = compare(&stories);
    let finding = &report.comparisons[0].findings[0];
    assert_eq!(report.comparisons[0].findings.len(), 1);
    assert_eq!(said(finding), "took(Route, Express) Equal true");
    let same: Vec<&str> = finding.same.iter().map(|companion| companion.attribute.as_str()).collect();
    assert_eq!(same, ["visited(Express)", "took(Route, Standard)", "visited(Standard)"]);
}

#[test]
fn executions_that_never_came_to_the_failing_state_are_not_compared() {
    // Only cards are charged: that failed charges were of cards is no news.
    let stories: Vec<Story> = (0..200)
        .map(|number| match number % 5 {
            0 => order(number, json!({"method": "card"})).on("Validate Charge").fails_in("Charge"),
            1 | 2 => order(number, json!({"method": "card"})),
            _ => order(number, json!({"method": "invoice"})).on("Validate Invoice Ship"),
        })
        .collect();
    let report = compare(&stories);
    let comparison = &report.comparisons[0];
    assert_eq!(comparison.findings, []);
    assert_eq!((comparison.b.executions, comparison.b.compared, comparison.b.not_reached), (160, 78, 80));
    assert_eq!(comparison.reached, ["Charge"]);
}

#[test]
fn a_fail_state_is_explained_by_what_was_before_it() {
    let stories: Vec<Story> = (0..200)
        .map(|number: u32| {
            let story = order(number, json!({"stock": number % 10}));
            if number.is_multiple_of(10) {
                story.on("Validate ?InStock Refuse").fails_in("Refuse")
            } else {
                story.on("Validate ?InStock Ship")
            }
        })
        .collect();
    assert_eq!(findings(&stories), ["input.stock Equal 0"]);
}

#[test]
fn loops_that_ran_longer_than_others_are_found() {
    let stories: Vec<Story> = (0..200)
        .map(|number| match number % 8 {
            0 => order(number, json!({})).on("Start Poll Poll Poll Poll Poll Poll Collect").fails_in("Collect"),
            odd if odd % 2 == 1 => order(number, json!({})).on("Start Poll Poll Collect"),
            _ => order(number, json!({})).on("Start Poll Collect"),
        })
        .collect();
    assert_eq!(findings(&stories), ["visits(Poll) Above 2"]);
}

#[test]
fn what_only_changed_in_the_meantime_is_no_finding() {
    // From noon on there are other tenants, and from noon on every tenth execution fails.
    let stories: Vec<Story> = (0..600)
        .map(|number: u32| {
            let afternoon = number >= 300;
            let story = order(number, json!({"tenant": if afternoon { "new" } else { "old" }}));
            if afternoon && number.is_multiple_of(10) { story.fails() } else { story }
        })
        .collect();
    let report = compare(&stories);
    let kinds: Vec<super::Kind> = report.comparisons[0].findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [super::Kind::Time]);
    assert_eq!(report.comparisons[0].findings[0].relation, Relation::From);
    assert!(report.comparisons[0].window.is_some());
}

#[test]
fn what_says_the_same_is_said_once() {
    let stories: Vec<Story> = (0..300)
        .map(|number: u32| {
            let is_japan = number.is_multiple_of(6);
            let input = json!({
                "country": if is_japan { "JP" } else { "DE" }, "currency": if is_japan { "JPY" } else { "EUR" },
                "region": if number % 6 < 2 { "APAC" } else { "EMEA" },
            });
            if is_japan && number.is_multiple_of(12) { order(number, input).fails() } else { order(number, input) }
        })
        .collect();
    let report = compare(&stories);
    let [finding] = &report.comparisons[0].findings[..] else { panic!("{:?}", report.comparisons[0].findings) };
    assert_eq!(said(finding), r#"input.country Equal "JP""#);
    let attributes = |companions: &[super::Companion]| companions.iter().map(|companion| companion.attribute.clone()).collect::<Vec<_>>();
    assert_eq!(attributes(&finding.same), ["input.currency"]);
    assert_eq!(attributes(&finding.along), ["input.region"]);
}

#[test]
fn machines_are_compared_one_by_one() {
    const OTHER: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Refunds";
    // Refunds fail often and are in dollars; within each machine the currency makes no difference.
    let stories: Vec<Story> = (0..400)
        .map(|number: u32| {
            let is_refund = number.is_multiple_of(2);
            let in_dollars = number % 20 < if is_refund { 18 } else { 2 };
            let story = order(number, json!({"currency": if in_dollars { "USD" } else { "EUR" }}));
            let story = Story { machine: if is_refund { OTHER } else { MACHINE }, ..story };
            if number / 20 % 10 < if is_refund { 5 } else { 1 } { story.fails() } else { story }
        })
        .collect();
    let report = compare(&stories);
    assert_eq!(report.comparisons.len(), 2);
    assert_eq!(report.comparisons[0].state_machine.as_deref(), Some(OTHER));
    for comparison in &report.comparisons {
        assert!(comparison.findings.iter().all(|finding| finding.kind == super::Kind::Time), "{:?}", comparison.findings);
    }
}

#[test]
fn two_selections_are_told_apart_by_everything_but_what_selected_them() {
    let stories: Vec<Story> = (0..200)
        .map(|number: u32| {
            let story =
                Story { version: if number.is_multiple_of(2) { "6" } else { "7" }, ..order(number, json!({"currency": currency(number)})) };
            if number % 2 == 1 && number.is_multiple_of(3) { story.fails() } else { story }
        })
        .collect();
    let selection = |text: &str| Selection::parse(text).expect("an expression");
    let sides = Arc::new(Sides::new(selection("version = 7"), Some(selection("version = 6")), ("side A", "side B")));
    let report = compare_sides(&sides, &stories);
    let comparison = &report.comparisons[0];
    assert!(!comparison.failing);
    assert_eq!(comparison.findings.iter().map(said).next().as_deref(), Some(r#"error Equal "Declined""#));
    assert!(comparison.not_tested.iter().any(|not| not.attribute == "version" && not.reason == Reason::Selected));
}

#[test]
fn a_few_failures_are_no_ground_for_a_claim() {
    let stories: Vec<Story> = (0..50)
        .map(|number: u32| {
            let story = order(number, json!({"currency": currency(number)}));
            if [3, 23].contains(&number) { story.fails() } else { story }
        })
        .collect();
    let comparison = &compare(&stories).comparisons[0];
    assert_eq!(comparison.findings, []);
    assert_eq!(comparison.needed, Some(3));
}

#[test]
fn what_is_found_can_be_selected() {
    let stories: Vec<Story> = (0..300)
        .map(|number| {
            let input = json!({"odd name": currency(number), "n": number % 50, "items": vec![0; number as usize % 4], "x": if number % 3 == 1 { json!(1) } else { json!(null) }});
            let story = order(number, input).on(["?Go A B", "?Go 'A Poll Poll B", "?Go C B"][number as usize % 3]);
            if number % 12 == 1 || number % 50 > 40 { story.fails_in("B") } else { story }
        })
        .collect();
    let all = |text: &str| Arc::new(Sides::new(Selection::parse(text).expect(text), None, ("a", "b")));
    for sides in [failed_against_succeeded(), all("start > 1970-01-01T02:00:00Z"), all("input.n in (1, 13)"), all("took(Go, C)")] {
        for finding in &compare_sides(&sides, &stories).comparisons[0].findings {
            let condition = finding.condition.as_deref().unwrap_or_else(|| panic!("{finding:?}"));
            let selected = compare_sides(&all(condition), &stories);
            let counted = if finding.share_a > finding.share_b { finding.a_count + finding.b_count } else { 0 };
            assert!(selected.comparisons[0].a.executions >= counted, "{finding:?}");
        }
    }
}

#[test]
fn the_same_executions_give_the_same_bytes() {
    let mut random = Rng::with_seed(4);
    let mut stories: Vec<Story> = (0..500)
        .map(|number: u32| {
            let story = order(number, json!({"currency": currency(random.u32(..5)), "amount": random.u32(..1000), "id": number}));
            if random.u32(..4) == 0 { story.fails() } else { story }
        })
        .collect();
    let sides = Arc::new(Sides { most_rows: 100, ..(*failed_against_succeeded()).clone() });
    let expected = serde_json::to_string(&compare_sides(&sides, &stories)).expect("JSON");
    assert!(expected.contains(r#""not_sampled":2"#), "{expected}");
    for threads in [1, 2, 5] {
        random.shuffle(&mut stories);
        let mut questions: Vec<Compare> = (0..threads).map(|_| Compare::new(Arc::clone(&sides))).collect();
        for (number, story) in stories.iter().enumerate() {
            story.tell(&mut questions[number % threads]);
        }
        let all = questions.into_iter().reduce(|mut one, other| {
            one.merge(other);
            one
        });
        let report = all.expect("a thread").report(Coverage::default(), 10, &Grouping::Unknown);
        assert_eq!(serde_json::to_string(&report).expect("JSON"), expected);
    }
}

#[test]
fn chance_alone_is_seldom_taken_for_a_finding() {
    const FLEETS: usize = 200;
    let mut random = Rng::with_seed(20_261_121);
    let mut wrong = 0;
    for _ in 0..FLEETS {
        let share = random.u32(5..40);
        let stories: Vec<Story> = (0..random.u32(40..250))
            .map(|number: u32| {
                let input = json!({
                    "a": random.u32(..2), "b": random.u32(..5).to_string(), "c": random.u32(..30).to_string(), "d": random.u32(..1000),
                    "e": random.f64(), "f": {"g": random.bool(), "h": random.u32(..8)}, "i": vec![random.u32(..4); random.usize(..4)],
                });
                let path = ["?Route Fast Charge Ship", "?Route Slow Charge Ship", "?Route Slow Wait Charge Ship"][random.usize(..3)];
                let story = Story { minute: i64::from(random.u32(..3000)), ..order(number, input) }.on(path);
                if random.u32(..100) < share { story.fails_in("Charge") } else { story }
            })
            .collect();
        let report = compare(&stories);
        wrong += usize::from(report.comparisons.iter().any(|comparison| !comparison.findings.is_empty()));
    }
    assert!(wrong * 100 <= FLEETS * 5, "{wrong} of {FLEETS} fleets without any cause had a finding");
}
