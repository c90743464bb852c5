//! The MockConfigFile format of Step Functions Local: state machines with test cases, which name mocked responses.

use std::rc::Rc;

use super::{Answers, MockError, present};
use crate::expr::{Object, Value};

/// A file of mocks.
#[derive(Debug, Clone)]
pub struct MockConfig {
    file: Value,
}

/// What one test case answers.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Its name.
    pub name: String,
    /// By state, in the order of the file.
    pub answers: Vec<(Rc<str>, Answers)>,
}

impl MockConfig {
    /// Reads the file's text. What no test case uses is not looked at.
    pub fn parse(text: &str) -> Result<Self, MockError> {
        let file = Value::parse(text).map_err(|error| MockError::NotJson(error.to_string()))?;
        match file.get("StateMachines") {
            Some(Value::Object(_)) => Ok(Self { file }),
            _ => Err(MockError::malformed("the file", "`StateMachines` is missing, or is no object")),
        }
    }

    /// The answers of a test case. `machine` is the name of the state machine, and whether a user gave it: then it must be there, else
    /// the only machine of the file will do. Without a name the only test case is taken.
    pub fn test_case(&self, (machine, is_given): (&str, bool), case: Option<&str>) -> Result<TestCase, MockError> {
        let machines = object(&self.file, "StateMachines", "the file")?;
        let (machine, config) = match machines.get(machine) {
            Some(config) => (machine, config),
            None if is_given => return Err(missing("state machine", machine, "", machines)),
            None => only("state machine", " (--name NAME)", machines)?,
        };
        let place = format!("state machine `{machine}`");
        let cases = object(config, "TestCases", &place)?;
        let within = format!(" in {place}");
        let (name, states) = match case {
            Some(name) => (name, cases.get(name).ok_or_else(|| missing("test case", name, &within, cases))?),
            None => only("test case", &format!("{within} (--test-case NAME)"), cases)?,
        };
        let place = format!("test case `{name}` of {place}");
        let Some(states) = states.as_object() else {
            return Err(MockError::malformed(&place, "it is an object from states to names of mocked responses"));
        };
        let answers = states.iter().map(|(state, response)| Ok((Rc::clone(state), self.response(state, response, &place)?)));
        Ok(TestCase { name: name.to_owned(), answers: answers.collect::<Result<_, MockError>>()? })
    }

    fn response(&self, state: &str, response: &Value, place: &str) -> Result<Answers, MockError> {
        let Some(name) = response.as_str() else {
            return Err(MockError::malformed(place, format!("state `{state}` needs the name of a mocked response")));
        };
        let responses = object(&self.file, "MockedResponses", "the file")?;
        let within = format!(", which {place} names for state `{state}`");
        let found = responses.get(name).ok_or_else(|| missing("mocked response", name, &within, responses))?;
        let place = format!("mocked response `{name}`");
        match found.as_object() {
            Some(attempts) => Answers::numbered(attempts, &place),
            None => Err(MockError::malformed(&place, "it is an object from attempts to answers, such as {\"0\": {\"Return\": …}}")),
        }
    }
}

fn object<'v>(value: &'v Value, name: &str, place: &str) -> Result<&'v Object, MockError> {
    let found = value.get(name).and_then(Value::as_object);
    found.ok_or_else(|| MockError::malformed(place, format!("`{name}` is missing, or is no object")))
}

/// The only member. `within` says in a message where, and how to choose.
fn only<'v>(what: &'static str, within: &str, members: &'v Object) -> Result<(&'v str, &'v Value), MockError> {
    let mut all = members.iter();
    match (all.next(), all.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(MockError::Choose { what, within: within.to_owned(), present: names(members) }),
    }
}

fn missing(what: &'static str, name: &str, within: &str, members: &Object) -> MockError {
    MockError::Missing { what, name: name.to_owned(), within: within.to_owned(), present: names(members) }
}

fn names(members: &Object) -> String {
    present(members.iter().map(|(name, _)| &**name))
}

#[cfg(test)]
mod tests {
    use super::super::Reply;
    use super::*;

    const FILE: &str = r#"{
        "StateMachines": {
            "Orders": {"TestCases": {
                "Happy": {"Charge": "Paid", "Ship": "Shipped"},
                "Retry": {"Charge": "PaidLate"},
                "Dangling": {"Charge": "Piad"}
            }},
            "Refunds": {"TestCases": {"Only": {"Pay": "Paid"}}}
        },
        "MockedResponses": {
            "Paid": {"0": {"Return": {"StatusCode": 200, "Payload": {"paid": true}}}},
            "PaidLate": {"0": {"Throw": {"Error": "Busy", "Cause": "later"}}, "1-2": {"Return": 1}},
            "Shipped": {}
        }
    }"#;

    fn case(machine: (&str, bool), case: Option<&str>) -> Result<TestCase, String> {
        MockConfig::parse(FILE).expect("a file").test_case(machine, case).map_err(|error| error.to_string())
    }

    #[test]
    fn a_test_case_has_the_answers_that_it_names() {
        let retry = case(("Orders", false), Some("Retry")).expect("a test case");
        let [(state, answers)] = &retry.answers[..] else { panic!("one state: {retry:?}") };
        assert_eq!((&**state, &*retry.name), ("Charge", "Retry"));
        assert_eq!(answers.get(0).expect("an answer").reply, Reply::Throw { error: Some("Busy".into()), cause: Some("later".into()) });
        assert_eq!(answers.get(2).expect("an answer").reply, Reply::Return(Value::from(1)));
        assert_eq!(answers.get(3), None);
        let happy = case(("Orders", true), Some("Happy")).expect("a test case");
        assert_eq!(happy.answers[1].1.get(0), None, "an entry without attempts is one that answers nothing");
    }

    #[test]
    fn the_only_test_case_and_the_only_machine_need_no_name() {
        assert_eq!(case(("Refunds", false), None).expect("a test case").name, "Only");
        let file = r#"{"StateMachines": {"Refunds": {"TestCases": {"Only": {}}}}}"#;
        let file = MockConfig::parse(file).expect("a file");
        assert_eq!(file.test_case(("refund.asl", false), None).expect("a test case").answers, []);
        let error = file.test_case(("Refund", true), None).expect_err("a name that was given must be there").to_string();
        assert_eq!(error, "there is no state machine `Refund`; it has Refunds");
    }

    #[test]
    fn errors_say_what_is_there() {
        for (machine, name, message) in [
            (("Order", false), None, "which state machine (--name NAME)? it has Orders, Refunds"),
            (("Orders", false), None, "which test case in state machine `Orders` (--test-case NAME)? it has Happy, Retry, Dangling"),
            (("Orders", false), Some("Sad"), "there is no test case `Sad` in state machine `Orders`; it has Happy, Retry, Dangling"),
            (
                ("Orders", false),
                Some("Dangling"),
                "there is no mocked response `Piad`, which test case `Dangling` of state machine `Orders` names for state `Charge`; \
                 it has Paid, PaidLate, Shipped",
            ),
        ] {
            assert_eq!(case(machine, name).expect_err(message), message);
        }
    }

    #[test]
    fn files_of_another_shape_are_refused() {
        for (file, message) in [
            ("{", "no JSON"),
            ("[]", "the file: `StateMachines` is missing"),
            (r#"{"StateMachines": {"A": {}}}"#, "state machine `A`: `TestCases` is missing"),
            (r#"{"StateMachines": {"A": {"TestCases": {"C": []}}}}"#, "test case `C` of state machine `A`: it is an object"),
            (r#"{"StateMachines": {"A": {"TestCases": {"C": {"S": 1}}}}}"#, "state `S` needs the name of a mocked response"),
            (r#"{"StateMachines": {"A": {"TestCases": {"C": {"S": "R"}}}}}"#, "the file: `MockedResponses` is missing"),
            (
                r#"{"StateMachines": {"A": {"TestCases": {"C": {"S": "R"}}}}, "MockedResponses": {"R": 1}}"#,
                "mocked response `R`: it is an object from attempts",
            ),
            (
                r#"{"StateMachines": {"A": {"TestCases": {"C": {"S": "R"}}}}, "MockedResponses": {"R": {"1st": {"Return": 1}}}}"#,
                "\"1st\" is no attempt",
            ),
            (
                r#"{"StateMachines": {"A": {"TestCases": {"C": {"S": "R"}}}}, "MockedResponses": {"R": {"0": {"Payload": 1}}}}"#,
                "mocked response `R`, attempt \"0\": `Return` or `Throw` is missing",
            ),
        ] {
            let error = MockConfig::parse(file).and_then(|file| file.test_case(("A", false), None)).expect_err(file).to_string();
            assert!(error.contains(message), "{file}: {error}");
        }
    }
}
