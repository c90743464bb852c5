//! The answers of one state, by attempt.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Answer, MockError};
use crate::expr::{Object, Value};

/// What a mock says to the attempts of one state.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Same(Answer),
    /// In order, without overlaps; there may be gaps. Scopes with answers of their own stand beside them.
    Numbered(Vec<Span>, HashMap<String, Answers>),
}

#[derive(Debug, Clone, PartialEq)]
struct Span {
    first: u64,
    last: u64,
    answer: Answer,
}

impl Answers {
    /// Reads any of the forms of the [table](super); a single answer holds for every attempt.
    pub fn parse(value: &Value) -> Result<Self, MockError> {
        if let Value::Array(items) = value {
            let spans = items.iter().zip(0..).map(|(item, number)| {
                let answer = Answer::read(item, &format!("answer {number}"))?.unwrap_or_else(|| Answer::returns(item.clone()));
                Ok(Span { first: number, last: number, answer })
            });
            return Ok(Self(Kind::Numbered(spans.collect::<Result<_, _>>()?, HashMap::new())));
        }
        if let Some(members) = value.as_object().filter(|members| is_numbered(members)) {
            return Self::numbered(members, "the mock");
        }
        let answer = Answer::read(value, "the mock")?;
        Ok(Self(Kind::Same(answer.unwrap_or_else(|| Answer::returns(value.clone())))))
    }

    /// Reads an entry of `MockedResponses`: `{"0": …, "1-2": …}`, and `{"Each[3]": {"0": …}}` for a scope.
    pub(super) fn numbered(members: &Object, place: &str) -> Result<Self, MockError> {
        let mut spans = Vec::with_capacity(members.len());
        let mut scopes = HashMap::new();
        for (key, value) in members.iter() {
            let at = format!("{place}, attempt \"{key}\"");
            if let (true, Some(inner)) = (is_scope(key), value.as_object()) {
                scopes.insert(key.to_string(), Self::numbered(inner, &format!("{place}, scope \"{key}\""))?);
                continue;
            }
            let Some((first, last)) = range(key) else {
                return Err(MockError::malformed(place, format!("\"{key}\" is no attempt; these are written \"0\" or \"1-2\"")));
            };
            let Some(answer) = Answer::read(value, &at)? else {
                return Err(MockError::malformed(&at, "`Return` or `Throw` is missing"));
            };
            spans.push(Span { first, last, answer });
        }
        spans.sort_by_key(|span| span.first);
        if let Some([before, after]) = spans.array_windows().find(|[before, after]| before.last >= after.first) {
            let both = after.first.max(before.first);
            return Err(MockError::malformed(place, format!("attempt {both} has two answers")));
        }
        Ok(Self(Kind::Numbered(spans, scopes)))
    }

    /// The answers that only attempts in this scope get, and its label; `None` where the scope has none of its own. Attempts in such
    /// a scope are counted by themselves.
    pub fn within(&self, scope: &[(Rc<str>, u64)]) -> Option<(&str, &Self)> {
        let Kind::Numbered(_, scopes) = &self.0 else { return None };
        if scopes.is_empty() || scope.is_empty() {
            return None;
        }
        scopes.get_key_value(&scope_label(scope)).map(|(label, answers)| (&**label, answers))
    }

    /// The answer to an attempt, counted from 0.
    pub fn get(&self, attempt: u64) -> Option<&Answer> {
        match &self.0 {
            Kind::Same(answer) => Some(answer),
            Kind::Numbered(spans, _) => {
                let after = spans.partition_point(|span| span.first <= attempt);
                spans[..after].last().filter(|span| attempt <= span.last).map(|span| &span.answer)
            }
        }
    }

    /// In words which attempts have an answer, for a message.
    pub fn attempts(&self) -> String {
        match &self.0 {
            Kind::Same(_) => "every attempt".to_owned(),
            Kind::Numbered(spans, _) if spans.is_empty() => "no attempt".to_owned(),
            Kind::Numbered(spans, _) => {
                let one = |span: &Span| match (span.first, span.last) {
                    (first, last) if first == last => first.to_string(),
                    (first, last) => format!("{first}-{last}"),
                };
                format!("the attempts {}, counted from 0", spans.iter().map(one).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// What names a scope in mocks: for each Map or Parallel around, outermost first, its name and the number of the iteration or branch,
/// such as `Each[3]` or `Each[3]/Both[0]`.
pub fn scope_label(scope: &[(Rc<str>, u64)]) -> String {
    scope.iter().map(|(name, index)| format!("{name}[{index}]")).collect::<Vec<_>>().join("/")
}

/// Whether the name of a member is that of a scope.
fn is_scope(key: &str) -> bool {
    key.ends_with(']') && key.contains('[')
}

/// Whether an object is the numbered form: every name is an attempt or a scope, and every value looks like an answer, or like several.
fn is_numbered(members: &Object) -> bool {
    let is_answer = |value: &Object| ["Return", "Throw", "Never"].iter().any(|word| value.contains(word));
    !members.is_empty()
        && members.iter().all(|(name, value)| {
            let value = value.as_object();
            value.is_some_and(|value| if is_scope(name) { is_numbered(value) } else { range(name).is_some() && is_answer(value) })
        })
}

/// `0` or `1-2`.
fn range(key: &str) -> Option<(u64, u64)> {
    let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Reply;
    use super::*;

    fn parse(json: &str) -> Result<Answers, String> {
        Answers::parse(&Value::parse(json).expect("JSON")).map_err(|error| error.to_string())
    }

    fn reply(json: &str, attempt: u64) -> Reply {
        parse(json).expect("a mock").get(attempt).expect("an answer").reply.clone()
    }

    fn is_silent(json: &str, attempt: u64) -> bool {
        parse(json).expect("a mock").get(attempt).is_none()
    }

    fn returns(json: &str) -> Reply {
        Reply::Return(Value::parse(json).expect("JSON"))
    }

    fn throws(error: &str, cause: Option<&str>) -> Reply {
        Reply::Throw { error: Some(error.into()), cause: cause.map(Into::into) }
    }

    #[test]
    fn a_bare_value_is_the_result_of_every_attempt() {
        for attempt in [0, 1, 1_000] {
            assert_eq!(reply(r#"{"paid": true}"#, attempt), returns(r#"{"paid": true}"#));
        }
        assert_eq!(reply("null", 0), returns("null"));
        assert_eq!(reply(r#"{"0": "no answer"}"#, 0), returns(r#"{"0": "no answer"}"#), "values that are no answers make a result");
    }

    #[test]
    fn failures_are_told_from_results_by_their_form() {
        assert_eq!(reply(r#"{"Error": "Declined", "Cause": "no money"}"#, 0), throws("Declined", Some("no money")));
        assert_eq!(reply(r#"{"Error": "Declined"}"#, 0), throws("Declined", None));
        assert_eq!(reply(r#"{"Throw": {"Error": "Declined", "Cause": "no money"}}"#, 0), throws("Declined", Some("no money")));
        let looks_alike = r#"{"Error": "Declined", "Cause": "no money", "id": 1}"#;
        assert_eq!(reply(looks_alike, 0), returns(looks_alike));
        assert_eq!(reply(r#"{"Return": {"Error": "Declined"}}"#, 0), returns(r#"{"Error": "Declined"}"#));
    }

    #[test]
    fn a_list_answers_one_attempt_after_the_other_and_then_no_more() {
        let mock = r#"[{"Error": "Busy"}, 7, {"Return": [8]}]"#;
        assert_eq!(reply(mock, 0), throws("Busy", None));
        assert_eq!(reply(mock, 1), returns("7"));
        assert_eq!(reply(mock, 2), returns("[8]"));
        assert!(is_silent(mock, 3));
        assert_eq!(parse(mock).expect("a mock").attempts(), "the attempts 0, 1, 2, counted from 0");
    }

    #[test]
    fn attempts_are_numbered_as_in_a_mock_config_file() {
        let mock = r#"{"1-2": {"Return": "late"}, "0": {"Throw": {"Error": "Busy"}}}"#;
        assert_eq!(reply(mock, 0), throws("Busy", None));
        assert_eq!((reply(mock, 1), reply(mock, 2)), (returns("\"late\""), returns("\"late\"")));
        assert!(is_silent(mock, 3));
        assert_eq!(parse(mock).expect("a mock").attempts(), "the attempts 0, 1-2, counted from 0");
    }

    #[test]
    fn a_scope_has_answers_of_its_own() {
        let mock =
            r#"{"0": {"Return": "any"}, "Each[3]": {"0": {"Throw": {"Error": "Busy"}}}, "Each[3]/Both[1]": {"0": {"Return": "inner"}}}"#;
        let answers = parse(mock).expect("a mock");
        let within = |scope: &[(&str, u64)]| {
            let scope: Vec<(Rc<str>, u64)> = scope.iter().map(|(name, index)| ((*name).into(), *index)).collect();
            answers.within(&scope).map(|(label, own)| (label.to_owned(), own.get(0).expect("an answer").reply.clone()))
        };
        assert_eq!(within(&[("Each", 3)]), Some(("Each[3]".to_owned(), throws("Busy", None))));
        assert_eq!(within(&[("Each", 3), ("Both", 1)]), Some(("Each[3]/Both[1]".to_owned(), returns("\"inner\""))));
        assert_eq!((within(&[]), within(&[("Each", 2)])), (None, None));
        assert_eq!(reply(mock, 0), returns("\"any\""));
    }

    #[test]
    fn delays_and_heartbeats_are_read() {
        let answers = parse(r#"{"Return": 1, "AfterSeconds": 1.5, "HeartbeatSeconds": 0.5}"#).expect("a mock");
        let answer = answers.get(0).expect("an answer");
        assert_eq!((answer.after, answer.heartbeat), (Duration::from_millis(1500), Some(Duration::from_millis(500))));
        assert_eq!(reply(r#"{"Never": true}"#, 0), Reply::Never);
    }

    #[test]
    fn what_is_no_mock_says_why() {
        for (mock, message) in [
            (r#"{"Return": 1, "Throw": {}}"#, "the mock: Return and Throw do not go together"),
            (r#"{"Return": 1, "id": 2}"#, "the mock: `id` does not stand beside `Return`"),
            (r#"{"Throw": "Declined"}"#, "the mock: `Throw` is an object with `Error` and `Cause`"),
            (r#"[1, {"Throw": {"Error": "E", "Cause": {}}}]"#, "answer 1: `Cause` in `Throw` is a string"),
            (r#"{"Return": 1, "AfterSeconds": -1}"#, "the mock: `AfterSeconds` is a number of seconds from 0 to 31536000"),
            (r#"{"Never": false}"#, "`Never` can only be true"),
            (r#"{"Never": true, "HeartbeatSeconds": 1}"#, "`HeartbeatSeconds` needs an end"),
            (r#"{"Return": 1, "AfterSeconds": 31536000, "HeartbeatSeconds": 0.001}"#, "more than 10000 heartbeats"),
            (r#"{"0-2": {"Return": 1}, "2": {"Return": 2}}"#, "the mock: attempt 2 has two answers"),
        ] {
            let error = parse(mock).expect_err(mock);
            assert!(error.contains(message), "{mock}: {error}");
        }
    }
}
