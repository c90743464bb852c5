//! The least that credentials must be allowed: an IAM policy for a set of actions, narrowed to what was named.
//!
//! One statement for each service and kind of resource, in the order of their names, so that equal needs give equal text.
//!
//! | resource      | ARNs                                                                                             |
//! |---------------|--------------------------------------------------------------------------------------------------|
//! | state machine | `stateMachine:NAME`, and `stateMachine:NAME:*` for its versions and aliases                       |
//! | execution     | `execution:NAME:*`, and `execution:NAME/*:*` and `express:NAME/*:*` for the children of Map Runs |
//! | Map Run       | `mapRun:NAME/*:*`                                                                                |
//! | log group     | `log-group:NAME:*`                                                                               |
//! | bucket        | `BUCKET`                                                                                         |
//! | object        | `BUCKET/*`                                                                                       |
//!
//! The rest takes `*` only. See the service authorization reference of each service.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::StateMachineArn;
use crate::sources::aws::{Action, Resource};

/// IAM counts so many characters of a managed policy at most; white space does not count.
pub const MOST_CHARACTERS: usize = 6_144;

/// Permission to read what a key of the customer's own encrypts.
const DECRYPT: &str = "kms:Decrypt";

/// What a policy is narrowed to. Empty lists, and what is not given, stand for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// `aws` unless something else is given.
    pub partition: Option<String>,
    /// The account of the resources.
    pub account: Option<String>,
    /// Their region.
    pub region: Option<String>,
    /// State machines: names, patterns of IAM, or ARNs, which bring their own region and account.
    pub machines: Vec<String>,
    /// Log groups: names, patterns, or ARNs.
    pub log_groups: Vec<String>,
    /// Buckets.
    pub buckets: Vec<String>,
    /// Keys with which state machines encrypt; their ARNs.
    pub keys: Vec<String>,
}

/// A policy as IAM takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// Of the language of policies.
    pub version: &'static str,
    /// What is allowed.
    pub statement: Vec<Statement>,
}

/// What is allowed on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// Its name within the policy: letters and digits.
    pub sid: String,
    /// Always `Allow`.
    pub effect: &'static str,
    /// The permissions.
    pub action: Vec<String>,
    /// The resources.
    pub resource: Vec<String>,
}

impl Policy {
    /// Characters as IAM counts them.
    pub fn characters(&self) -> usize {
        serde_json::to_string(self).map_or(0, |text| text.chars().filter(|character| !character.is_whitespace()).count())
    }
}

/// The policy that allows these calls, each on these kinds of resources.
pub fn policy(calls: impl IntoIterator<Item = (Action, &'static [Resource])>, narrowing: &Narrowing) -> Policy {
    let mut statements: BTreeMap<String, (BTreeSet<String>, Vec<String>)> = BTreeMap::new();
    for (action, resources) in calls {
        for resource in resources {
            let sid = format!("{}{}", service_word(action), resource_word(*resource));
            let arns = || narrowing.arns(action, *resource);
            statements.entry(sid).or_insert_with(|| (BTreeSet::new(), arns())).0.insert(action.to_string());
        }
    }
    if !narrowing.keys.is_empty() {
        statements.insert("KmsKeys".to_owned(), (BTreeSet::from([DECRYPT.to_owned()]), narrowing.keys.clone()));
    }
    let statement = |(sid, (action, resource)): (String, (BTreeSet<String>, Vec<String>))| Statement {
        sid,
        effect: "Allow",
        action: action.into_iter().collect(),
        resource,
    };
    Policy { version: "2012-10-17", statement: statements.into_iter().map(statement).collect() }
}

fn service_word(action: Action) -> &'static str {
    use crate::sources::aws::Service;
    match action.service() {
        Service::States => "States",
        Service::Logs => "Logs",
        Service::Xray => "Xray",
        Service::S3 => "S3",
    }
}

fn resource_word(resource: Resource) -> &'static str {
    match resource {
        Resource::Any => "Any",
        Resource::StateMachine => "Machines",
        Resource::Execution => "Executions",
        Resource::MapRun => "MapRuns",
        Resource::LogGroup => "Groups",
        Resource::Bucket => "Buckets",
        Resource::Object => "Objects",
    }
}

/// A state machine of the command line, taken apart.
struct Machine<'a> {
    region: &'a str,
    account: &'a str,
    name: &'a str,
}

impl Narrowing {
    fn arns(&self, action: Action, resource: Resource) -> Vec<String> {
        let service = action.service().prefix();
        match resource {
            Resource::Any => vec!["*".to_owned()],
            Resource::StateMachine => self.of_machines(&|machine| match machine.name {
                "*" => vec![self.arn(service, machine, "stateMachine:*")],
                name => {
                    vec![
                        self.arn(service, machine, &format!("stateMachine:{name}")),
                        self.arn(service, machine, &format!("stateMachine:{name}:*")),
                    ]
                }
            }),
            Resource::Execution => self.of_machines(&|machine| match machine.name {
                "*" => vec![self.arn(service, machine, "execution:*"), self.arn(service, machine, "express:*")],
                name => [format!("execution:{name}:*"), format!("execution:{name}/*:*"), format!("express:{name}/*:*")]
                    .iter()
                    .map(|rest| self.arn(service, machine, rest))
                    .collect(),
            }),
            Resource::MapRun => self.of_machines(&|machine| match machine.name {
                "*" => vec![self.arn(service, machine, "mapRun:*")],
                name => vec![self.arn(service, machine, &format!("mapRun:{name}/*:*"))],
            }),
            Resource::LogGroup => self.of_groups(),
            Resource::Bucket => self.of_buckets(""),
            Resource::Object => self.of_buckets("/*"),
        }
    }

    fn partition(&self) -> &str {
        self.partition.as_deref().unwrap_or("aws")
    }

    fn everywhere<'a>(&'a self, name: &'a str) -> Machine<'a> {
        Machine { region: self.region.as_deref().unwrap_or("*"), account: self.account.as_deref().unwrap_or("*"), name }
    }

    fn arn(&self, service: &str, machine: &Machine<'_>, rest: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{rest}", self.partition(), machine.region, machine.account)
    }

    fn of_machines(&self, arns: &dyn Fn(&Machine<'_>) -> Vec<String>) -> Vec<String> {
        if self.machines.is_empty() {
            return arns(&self.everywhere("*"));
        }
        let of_one = |text: &String| match text.parse::<StateMachineArn>() {
            Ok(arn) => {
                let account = arn.as_str().split(':').nth(4).unwrap_or("*");
                arns(&Machine { region: arn.region(), account, name: arn.name() })
            }
            Err(_) => arns(&self.everywhere(text)),
        };
        without_repeats(self.machines.iter().flat_map(of_one))
    }

    fn of_groups(&self) -> Vec<String> {
        let of_name = |name: &str| {
            let machine = self.everywhere(name);
            self.arn("logs", &machine, &format!("log-group:{name}:*"))
        };
        if self.log_groups.is_empty() {
            return vec![of_name("*")];
        }
        let of_one = |text: &String| match text.strip_prefix("arn:") {
            Some(_) => format!("{}:*", text.trim_end_matches(":*")),
            None => of_name(text),
        };
        without_repeats(self.log_groups.iter().map(of_one))
    }

    fn of_buckets(&self, rest: &str) -> Vec<String> {
        let of_one = |bucket: &str| format!("arn:{}:s3:::{bucket}{rest}", self.partition());
        if self.buckets.is_empty() {
            return vec![of_one("*")];
        }
        without_repeats(self.buckets.iter().map(|bucket| of_one(bucket.trim_start_matches("s3://").trim_end_matches('/'))))
    }
}

fn without_repeats(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &[(Action, &[Resource])] = &[
        (Action::GetExecutionHistory, &[Resource::Execution]),
        (Action::DescribeExecution, &[Resource::Execution]),
        (Action::ListExecutions, &[Resource::StateMachine, Resource::MapRun]),
        (Action::StartQuery, &[Resource::LogGroup]),
        (Action::GetQueryResults, &[Resource::Any]),
        (Action::ListObjectsV2, &[Resource::Bucket]),
        (Action::GetObject, &[Resource::Object]),
    ];

    fn resources<'a>(policy: &'a Policy, sid: &str) -> Vec<&'a str> {
        let statement = policy.statement.iter().find(|statement| statement.sid == sid).expect("a statement");
        statement.resource.iter().map(String::as_str).collect()
    }

    #[test]
    fn without_narrowing_there_is_one_statement_for_each_kind() {
        let policy = policy(READ.iter().copied(), &Narrowing::default());
        let sids: Vec<&str> = policy.statement.iter().map(|statement| statement.sid.as_str()).collect();
        assert_eq!(sids, ["LogsAny", "LogsGroups", "S3Buckets", "S3Objects", "StatesExecutions", "StatesMachines", "StatesMapRuns"]);
        let executions = &policy.statement[4];
        assert_eq!(executions.action, ["states:DescribeExecution", "states:GetExecutionHistory"]);
        assert_eq!(executions.resource, ["arn:aws:states:*:*:execution:*", "arn:aws:states:*:*:express:*"]);
        assert_eq!(policy.statement[2].action, ["s3:ListBucket"], "S3 names the permission otherwise");
        assert_eq!(resources(&policy, "LogsGroups"), ["arn:aws:logs:*:*:log-group:*:*"]);
    }

    #[test]
    fn names_narrow_it_and_arns_bring_their_own_account() {
        let narrowing = Narrowing {
            account: Some("111111111111".to_owned()),
            region: Some("eu-west-1".to_owned()),
            machines: vec![
                "Orders".to_owned(),
                "arn:aws:states:us-east-1:123456789012:stateMachine:Payments:3".to_owned(),
                "Orders".to_owned(),
            ],
            log_groups: vec!["orders-logs".to_owned(), "arn:aws:logs:us-east-1:123456789012:log-group:pay:*".to_owned()],
            buckets: vec!["s3://results/".to_owned()],
            ..Narrowing::default()
        };
        let policy = policy(READ.iter().copied(), &narrowing);
        assert_eq!(
            resources(&policy, "StatesMachines"),
            [
                "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders",
                "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders:*",
                "arn:aws:states:us-east-1:123456789012:stateMachine:Payments",
                "arn:aws:states:us-east-1:123456789012:stateMachine:Payments:*",
            ]
        );
        assert_eq!(
            resources(&policy, "StatesExecutions")[..2],
            ["arn:aws:states:eu-west-1:111111111111:execution:Orders:*", "arn:aws:states:eu-west-1:111111111111:execution:Orders/*:*",]
        );
        assert_eq!(
            resources(&policy, "LogsGroups"),
            ["arn:aws:logs:eu-west-1:111111111111:log-group:orders-logs:*", "arn:aws:logs:us-east-1:123456789012:log-group:pay:*",]
        );
        assert_eq!(resources(&policy, "S3Buckets"), ["arn:aws:s3:::results"]);
        assert_eq!(resources(&policy, "S3Objects"), ["arn:aws:s3:::results/*"]);
    }

    #[test]
    fn a_key_and_another_partition() {
        let key = "arn:aws-cn:kms:cn-north-1:111111111111:key/1234".to_owned();
        let narrowing = Narrowing { partition: Some("aws-cn".to_owned()), keys: vec![key.clone()], ..Narrowing::default() };
        let policy = policy(READ.iter().copied(), &narrowing);
        assert_eq!(
            policy.statement[0],
            Statement { sid: "KmsKeys".to_owned(), effect: "Allow", action: vec![DECRYPT.to_owned()], resource: vec![key] }
        );
        assert!(
            policy.statement[1..].iter().flat_map(|statement| &statement.resource).all(|arn| arn == "*" || arn.starts_with("arn:aws-cn:"))
        );
    }

    #[test]
    fn size_is_counted_without_white_space() {
        let one = policy([(Action::ListStateMachines, &[Resource::Any][..])], &Narrowing::default());
        assert_eq!(one.characters(), r#"{"Version":"2012-10-17","Statement":[{"Sid":"StatesAny","Effect":"Allow","Action":["states:ListStateMachines"],"Resource":["*"]}]}"#.len());
    }
}
