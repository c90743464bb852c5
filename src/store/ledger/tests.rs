use super::*;
use crate::model::{ExecutionStatus, Gap, Micros};

const PLACE: (&str, &str) = ("111111111111", "eu-west-1");
const MACHINE: &str = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";

struct Book {
    ledger: Ledger,
    _folder: tempfile::TempDir,
}

fn book() -> Book {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&folder.path().join(FILE)).expect("a ledger");
    Book { ledger, _folder: folder }
}

fn seconds(count: i64) -> Micros {
    Micros(count * 1_000_000)
}

fn arn(name: &str) -> String {
    format!("arn:aws:states:eu-west-1:111111111111:execution:Orders:{name}")
}

fn found(name: &str, status: ExecutionStatus, start: i64) -> Found {
    Found {
        arn: arn(name),
        machine: MACHINE.to_owned(),
        status: Some(status),
        start: Some(seconds(start)),
        stop: None,
        redrives: 0,
        version: None,
        alias: None,
        map_run: None,
        rank: u8::from(status == ExecutionStatus::Succeeded),
        was_known: false,
    }
}

fn listing(status: &str, token: Option<&str>) -> ListingRow {
    ListingRow {
        machine: MACHINE.to_owned(),
        status: status.to_owned(),
        token: token.map(str::to_owned),
        is_done: token.is_none(),
        problem: None,
    }
}

fn begun(ledger: &Ledger, selection: &str, now: i64, not_before: Option<i64>) -> Run {
    ledger.begin(PLACE, selection, (seconds(0), seconds(now)), seconds(now), not_before.map(seconds)).expect("a run")
}

fn history(name: &str, execution: Option<FoundId>) -> Fetched {
    Fetched {
        id: 0,
        execution,
        was_known: None,
        arn: arn(name),
        machine: MACHINE.to_owned(),
        start: Some(seconds(5)),
        version: None,
        bundle: br#"{"events":[]}"#.to_vec(),
        gaps: vec![Gap::NoEnd],
    }
}

#[test]
fn the_useful_come_first_and_the_newest_of_them() {
    let Book { ledger, _folder } = book();
    let run = begun(&ledger, "all", 100, None);
    let page = [
        found("new-success", ExecutionStatus::Succeeded, 90),
        found("old-failure", ExecutionStatus::Failed, 10),
        found("running", ExecutionStatus::Running, 20),
    ];
    ledger.add_page(run.id, &listing("", None), &page, &[("listed", 3)]).expect("kept");
    // The same page once more, as after a token that expired.
    ledger.add_page(run.id, &listing("", None), &page, &[]).expect("kept");
    let mut order = Vec::new();
    while let Some((_, found)) = ledger.take(run.id).expect("readable") {
        order.push(found.arn);
    }
    assert_eq!(order, [arn("running"), arn("old-failure"), arn("new-success")]);
    assert_eq!(ledger.tallies(run.id).expect("readable")[MACHINE].count("listed"), 3);
}

#[test]
fn a_run_that_was_interrupted_is_taken_up_where_it_was() {
    let Book { ledger, _folder } = book();
    let run = begun(&ledger, "all", 100, Some(0));
    assert!(!run.is_resumed);
    let page = [found("one", ExecutionStatus::Failed, 10), found("two", ExecutionStatus::Failed, 20)];
    ledger.add_page(run.id, &listing("FAILED", Some("page 2")), &page, &[]).expect("kept");
    let (id, taken) = ledger.take(run.id).expect("readable").expect("one");
    ledger.add_history(&history("two", Some(id))).expect("kept");
    assert_eq!(taken.arn, arn("two"));
    // This one is in flight when the process is killed.
    ledger.take(run.id).expect("readable").expect("the other one");
    let again = begun(&ledger, "all", 200, Some(50));
    assert_eq!((again.id, again.is_resumed, again.until), (run.id, true, seconds(100)));
    assert_eq!(ledger.take(again.id).expect("readable").expect("one").1.arn, arn("one"));
    assert_eq!(ledger.listings(again.id, MACHINE).expect("readable"), [listing("FAILED", Some("page 2"))]);
}

#[test]
fn another_selection_or_an_old_run_begins_anew_and_keeps_what_was_fetched() {
    let Book { ledger, _folder } = book();
    let run = begun(&ledger, "all", 100, Some(0));
    ledger.add_page(run.id, &listing("", None), &[found("one", ExecutionStatus::Failed, 10)], &[]).expect("kept");
    let (id, _) = ledger.take(run.id).expect("readable").expect("one");
    ledger.add_history(&history("one", Some(id))).expect("kept");
    let other = begun(&ledger, "some", 110, Some(0));
    assert!(!other.is_resumed && other.id != run.id);
    let old = begun(&ledger, "some", 200, Some(150));
    assert!(!old.is_resumed);
    let anew = begun(&ledger, "some", 210, None);
    assert!(!anew.is_resumed);
    let mut waiting = Vec::new();
    ledger
        .each_waiting(PLACE, &mut |fetched| {
            waiting.push(fetched);
            Ok(())
        })
        .expect("readable");
    let [fetched] = waiting.as_slice() else { panic!("one history waits: {waiting:?}") };
    assert_eq!((fetched.arn.as_str(), fetched.execution, fetched.gaps.as_slice()), (arn("one").as_str(), None, &[Gap::NoEnd][..]));
    assert_eq!(fetched.bundle, br#"{"events":[]}"#);
    ledger.stored(&[(fetched.id, None, State::New)]).expect("kept");
    assert_eq!(ledger.waiting().expect("readable"), (0, 0));
}

#[test]
fn one_answer_settles_every_execution_since_the_change() {
    let Book { ledger, _folder } = book();
    let definition = ledger.add_definition("{}").expect("kept");
    assert_eq!(ledger.add_definition("{}").expect("kept"), definition);
    let stretch = Stretch { since: seconds(100), seen: seconds(500), is_first: false, definition };
    ledger.add_stretch(MACHINE, stretch).expect("kept");
    let at = |moment: i64| ledger.in_force(MACHINE, seconds(moment)).expect("readable");
    assert_eq!(at(99), InForce::Unknown);
    assert_eq!(at(105), InForce::JustChanged);
    assert_eq!((at(110), at(500)), (InForce::Known(definition), InForce::Known(definition)));
    assert_eq!(at(501), InForce::Unknown, "it may have been changed since");
    let later = ledger.add_definition("[]").expect("kept");
    ledger.add_stretch(MACHINE, Stretch { since: seconds(600), seen: seconds(700), is_first: true, definition: later }).expect("kept");
    assert_eq!((at(550), at(600)), (InForce::Unknown, InForce::Known(later)), "a machine that was just made had none before");
    ledger.add_stretch(MACHINE, Stretch { seen: seconds(590), ..stretch }).expect("kept");
    assert_eq!(at(550), InForce::Known(definition));
    ledger.add_stretch(MACHINE, stretch).expect("kept");
    assert_eq!(at(550), InForce::Known(definition), "an earlier sight takes nothing back");
}

#[test]
fn the_next_one_to_ask_for_is_the_newest_that_nothing_settles() {
    let Book { ledger, _folder } = book();
    let run = begun(&ledger, "all", 100, None);
    let page = [10, 20, 30].map(|start| found(&format!("at-{start}"), ExecutionStatus::Failed, start));
    let versioned = Found { version: Some(format!("{MACHINE}:7")), ..found("versioned", ExecutionStatus::Failed, 40) };
    ledger.add_page(run.id, &listing("", None), &[&page[..], &[versioned]].concat(), &[]).expect("kept");
    let newest = |before: Option<i64>| ledger.newest_before(run.id, MACHINE, before.map(seconds)).expect("readable");
    assert_eq!(newest(None), Some((arn("at-30"), seconds(30))));
    assert_eq!(newest(Some(30)), Some((arn("at-20"), seconds(20))));
    let definition = ledger.add_definition("{}").expect("kept");
    ledger.set_exact(&arn("at-30"), definition).expect("kept");
    assert_eq!(newest(None), Some((arn("at-20"), seconds(20))));
    assert_eq!(newest(Some(10)), None);
    assert_eq!(ledger.versions_to_ask(run.id, MACHINE).expect("readable"), [format!("{MACHINE}:7")]);
    ledger.set_exact(&format!("{MACHINE}:7"), definition).expect("kept");
    assert!(ledger.versions_to_ask(run.id, MACHINE).expect("readable").is_empty());
}

#[test]
fn what_is_no_ledger_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(FILE);
    std::fs::write(
        &file,
        "nothing of the kind, and longer than a header of SQLite, which has a hundred bytes at least, as everybody knows",
    )
    .expect("written");
    let message = Ledger::open(&file).err().expect("no ledger").to_string();
    assert!(message.contains("can't be understood") && message.contains(FILE), "{message}");
}
