//! Rules about what a definition names.

use std::collections::BTreeMap;

use crate::analysis::audit::rule::{Level, Rule, Violation};
use crate::analysis::audit::subject::{Subject, escaped};
use crate::asl::source::{Content, Node};

/// The rules of this file.
pub const RULES: &[Rule] = &[Rule {
    id: "hard-coded-account",
    level: Level::Note,
    title: "Accounts come from substitutions",
    reason: "A definition that names an account calls that account wherever it is deployed, from a test stage too.",
    source: "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-statemachine.html",
    check: hard_coded_account,
}];

/// Resources that AWS publishes from accounts of its own, for everybody to name.
const PUBLISHED: [&str; 5] = [":layer:", ":function:PRE-", ":function:ACS-", ":workteam/public-crowd/", ":applications/"];

/// One finding for each account, at the first place that names it. Does not apply to what was deployed: the output of
/// describe-state-machine has everything filled in. Comments may name whatever they like.
fn hard_coded_account(subject: &Subject<'_>, found: &mut Vec<Violation>) {
    if subject.source.description().is_some_and(|description| description.root.get("stateMachineArn").is_some()) {
        return;
    }
    let mut accounts: BTreeMap<String, Named> = BTreeMap::new();
    look_into(subject.source.root(), &mut String::new(), &mut accounts);
    for (account, named) in accounts {
        let more = match named.places {
            1 => String::new(),
            2 => ", and so does one more place".to_owned(),
            places => format!(", and so do {} more places", places - 1),
        };
        let state = subject.states.iter().rev().find(|state| named.first.starts_with(&format!("{}/", state.pointer)));
        let name = state.map_or("the definition", |state| state.name);
        found.push(Violation {
            pointer: named.first,
            message: format!("{name} names account {account} in {}{more}", named.what),
            fix: None,
        });
    }
}

struct Named {
    first: String,
    what: String,
    places: usize,
}

fn look_into(node: &Node, pointer: &mut String, accounts: &mut BTreeMap<String, Named>) {
    let length = pointer.len();
    match &node.content {
        Content::Text(text) => {
            for (account, what) in named(text) {
                let first = || Named { first: pointer.clone(), what: what.to_owned(), places: 0 };
                accounts.entry(account.to_owned()).or_insert_with(first).places += 1;
            }
        }
        Content::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{position}"));
                look_into(item, pointer, accounts);
                pointer.truncate(length);
            }
        }
        Content::Object(members) => {
            for member in members.iter().filter(|member| member.name != "Comment") {
                pointer.push_str(&format!("/{}", escaped(&member.name)));
                look_into(&member.value, pointer, accounts);
                pointer.truncate(length);
            }
        }
        Content::Null | Content::Boolean(_) | Content::Number(_) => {}
    }
}

/// The accounts that a text names: in ARNs, and in the addresses of queues; each with the words that it stands in.
fn named(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("arn:") {
        let arn = arn_at(&text[at..]);
        let account = fields(arn).nth(4).unwrap_or_default();
        if is_account(account) && !PUBLISHED.iter().any(|known| arn.contains(known)) {
            found.push((account, arn));
        }
    }
    if let Some((_, rest)) = text.split_once("https://sqs.") {
        let account = rest.split('/').nth(1).unwrap_or_default();
        if is_account(account) {
            found.push((account, "the address of a queue"));
        }
    }
    found
}

/// The ARN with which a text begins: to the first blank, quote or bracket that belongs to no substitution.
fn arn_at(text: &str) -> &str {
    let mut depth = 0_usize;
    let end = text.find(|character: char| match character {
        '{' => {
            depth += 1;
            false
        }
        '}' if depth > 0 => {
            depth -= 1;
            false
        }
        _ => depth == 0 && (character.is_whitespace() || "'\"`,)]}".contains(character)),
    });
    &text[..end.unwrap_or(text.len())]
}

/// The parts of an ARN; a colon inside a substitution such as `${AWS::Region}` divides nothing.
fn fields(arn: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    arn.split(move |character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ':' && depth == 0
    })
}

/// Twelve digits; all zeros are nobody's account, and stand for one in examples.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text != "000000000000" && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::named;
    use crate::analysis::audit::rules::testing::found;

    #[test]
    fn accounts_are_found_in_arns_and_queues() {
        let accounts = |text: &str| named(text).into_iter().map(|(account, _)| account.to_owned()).collect::<Vec<_>>();
        assert_eq!(accounts("arn:aws:lambda:us-east-1:111111111111:function:Charge"), ["111111111111"]);
        assert_eq!(accounts("arn:aws:lambda:${AWS::Region}:111111111111:function:Charge"), ["111111111111"]);
        assert_eq!(accounts("{% $a & 'arn:aws:sns:us-east-1:111111111111:Topic' %}"), ["111111111111"]);
        assert_eq!(accounts("https://sqs.eu-west-1.amazonaws.com/111111111111/Orders"), ["111111111111"]);
        for fine in [
            "arn:aws:states:::lambda:invoke",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:lambda:us-east-1:${AWS::AccountId}:function:Charge",
            "${ChargeArn}",
            "arn:aws:lambda:us-east-1:017000801446:layer:Powertools:1",
            "111111111111",
            "arn:",
        ] {
            assert!(named(fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn an_account_is_told_once_and_not_of_what_was_deployed() {
        let definition = r#"{"Comment": "arn:aws:sns:us-east-1:123456789012:Old", "StartAt": "A", "States": {
            "A": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:111111111111:function:A", "Next": "B"},
            "B": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:111111111111:function:B", "End": true}}}"#;
        assert_eq!(found("hard-coded-account", definition), ["/States/A/Resource"]);
        let described =
            serde_json::json!({"stateMachineArn": "arn:aws:states:us-east-1:111111111111:stateMachine:A", "definition": definition});
        assert!(found("hard-coded-account", &described.to_string()).is_empty());
    }
}
