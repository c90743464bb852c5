use super::Selection;
use crate::model::facts::{FailureFacts, VisitFacts};
use crate::model::{ExecutionFacts, ExecutionStatus, Micros, StateType, time};

fn visit(number: u32, state: &'static str, state_type: StateType) -> VisitFacts<'static> {
    VisitFacts { visit: number, state, state_type: Some(state_type), retries: u32::from(state == "Charge"), ..VisitFacts::default() }
}

fn moment(text: &str) -> Option<Micros> {
    time::parse(text).map(Micros::from)
}

/// A failed order: it was routed to `Charge`, which was retried and failed.
fn matches(text: &str) -> bool {
    let visits = [visit(0, "Route", StateType::Choice), visit(1, "Charge", StateType::Task)];
    let facts = ExecutionFacts {
        execution: "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1",
        name: "run-1",
        state_machine: Some("arn:aws:states:eu-west-1:111111111111:stateMachine:Orders"),
        version: Some("7"),
        status: Some(ExecutionStatus::TimedOut),
        start: moment("2026-11-20T23:30:00Z"),
        stop: moment("2026-11-20T23:30:42Z"),
        failure: Some(FailureFacts { root_state: Some("Charge"), root_error: Some("Declined"), ..FailureFacts::default() }),
        input: Some(
            r#"{"currency":"JPY","amount":1200,"id":"7","test":false,"coupon":null,"odd name":{"a.b":1},"items":[{"sku":"a"},{"sku":"b"}]}"#,
        ),
        visits: &visits,
        ..ExecutionFacts::default()
    };
    Selection::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).matches(&facts)
}

#[test]
fn expressions_are_asked_of_an_execution() {
    for (text, expected) in [
        ("status = timed-out and machine = Orders", true),
        ("status in (FAILED, ABORTED)", false),
        ("status not in (FAILED, ABORTED)", true),
        ("input.currency = 'JPY' and not (version = 7)", false),
        ("version = 7 or alias = live and name = other", true),
        ("(version = 7 or alias = live) and name = other", false),
        ("start >= 2026-11-01T00:00:00Z and start < 2026-11-21", true),
        ("hour = 23 and weekday = friday", true),
        ("duration > 30s and duration <= 0.7m", true),
        ("visited(Charge) and retried('Charge') and took(Route, Charge) and not visited(\"Ship\")", true),
        ("took(Charge, Route)", false),
        ("root_state = Charge and root_error like 'Decl*'", true),
        ("input.amount > 1000 and input.amount<2e3", true),
        ("input.amount > '1000'", false),
        ("input.id = 7", false),
        ("input.id = '7'", true),
        ("input.test = false and input.coupon = null", true),
        ("input.coupon exists and not input.voucher exists", true),
        ("input['odd name']['a.b'] = 1", true),
        ("input.items[*].sku = b and input.items[0].sku = a and not input.items[1].sku = a", true),
        ("input.voucher != x", false),
        ("not (input.voucher = x)", true),
        ("input exists and input.items exists and not output exists", true),
        ("name like '*-1' and name like 'r*n*1' and not name like 'run' and name not like '*x*'", true),
        ("visits(Charge) = 1 and visits('Ship') < 1 and not items(Charge) exists", true),
        ("length(input.items) in (2, 3) and size(input) > 100 and not length(input.currency) exists", true),
        ("retries = 1 and redriven = false and redrives < 1", true),
    ] {
        assert_eq!(matches(text), expected, "{text}");
    }
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, expected) in [
        ("", "column 1: expected a field, `visited(…)`, `not` or `(`, found the end"),
        ("status", "column 7: expected `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `like` or `exists` after `status`, found the end"),
        ("status = ", "column 10: expected a value for `status`, found the end"),
        (
            "status = BROKEN",
            "column 10: `BROKEN` is no status (RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE) for `status`",
        ),
        ("staus = FAILED", "column 1: there is no field `staus`; is `status` meant?"),
        ("currency = JPY", "column 1: there is no field `currency`; fields of the input are written `input.NAME`"),
        ("version = 7 version = 8", "column 13: expected `and`, `or` or the end, found `version`"),
        ("(version = 7", "column 13: expected `)`, found the end"),
        ("duration > 30", "column 12: `30` is no duration with its unit (250ms, 30s, 5m, 2h, 1d) for `duration`"),
        ("start > yesterday", "column 9: `yesterday` is no time (2026-11-20T08:00:00Z, 2026-11-20) for `start`"),
        ("name = 'odd", "column 8: the text that begins with ' has no end; double a ' that is meant"),
        (
            "vistied(Charge)",
            "column 1: there is no `vistied(…)`; known are visited(STATE), retried(STATE), took(CHOICE, STATE), visits(STATE), items(STATE), length(input.PATH), size(input)",
        ),
        ("length(items) > 1", "column 8: expected `input.PATH`, found `items`"),
        ("size(input.items) > 1", "column 6: expected `input`, found `input.items`"),
        ("visits() > 1", "column 8: expected the name of a state, found `)`"),
        ("status in FAILED", "column 11: expected `(`, found `FAILED`"),
        ("status in (FAILED", "column 18: expected `,` or `)`, found the end"),
        ("name not = x", "column 10: expected `in` or `like` after `not`, found `=`"),
        ("input.[0] = 1", "column 1: a name is missing after `.`"),
        ("input[x] = 1", "column 1: `[x]` is no element; write a number, `*`, or a name in quotes"),
        ("!status = FAILED", "column 1: `!` stands for nothing here; write `not`, or `!=`"),
        ("名前 = 1 and status", "column 1: there is no field `名前`; fields of the input are written `input.NAME`"),
    ] {
        let error = Selection::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    assert!(Selection::parse(&"(".repeat(100_000)).is_err());
    assert!(Selection::parse(&"not ".repeat(100_000)).is_err());
}

#[test]
fn an_expression_says_what_it_looks_at() {
    let selection =
        Selection::parse("version = 7 and (input.currency = JPY or not visited(Ship)) and input.currency exists").expect("an expression");
    assert_eq!(selection.names(), ["input.currency", "version", "visited(Ship)"]);
    let needs = selection.needs();
    assert!(needs.payloads && needs.visits && !needs.failures && !needs.attempts);
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_panic(text in "[a-z =<>!()'\".,\\[\\]*0-9é-]{0,60}") {
        if let Ok(selection) = Selection::parse(&text) {
            selection.matches(&ExecutionFacts::default());
        }
    }
}
