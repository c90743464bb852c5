//! `iam-policy`: the least that credentials must be allowed, for each verb.

mod needs;

use std::io::Write;

use clap::Args;
use serde::Serialize;

use self::needs::{PARTS, Part};
use super::exit_code::{Exit, WrongUsage};
use super::global::{GlobalArgs, OutputFormat};
use super::output::{TextSettings, document, redactor, say};
use crate::analysis::permissions::{MOST_CHARACTERS, Narrowing, Policy, policy};
use crate::render::iam_policy::{Explained, ExplainedCall};

/// The least that credentials must be allowed, as an IAM policy
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  stepscope iam-policy > policy.json
  stepscope iam-policy why 'why --latest-failed' show
  stepscope iam-policy why --account 111111111111 --state-machine Orders
  stepscope iam-policy queries --log-group orders-logs --region eu-west-1
  stepscope iam-policy --explain
  stepscope iam-policy why --kms-key arn:aws:kms:…

The calls are those that the program makes; it changes nothing in AWS. Without a
VERB all of them are allowed. A verb with a flag that calls more is one word:
'why --latest-failed'. Children of an execution run in state machines of their
own: name these as well.")]
pub struct IamPolicyArgs {
    /// What the credentials are for: verbs, or a verb with a flag
    #[arg(value_name = "VERB")]
    verbs: Vec<String>,
    /// Only resources of this account
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Option<String>,
    /// Only this state machine and its executions: a name, a pattern, or an ARN; may be given several times
    #[arg(long, value_name = "NAME")]
    state_machine: Vec<String>,
    /// Only this log group: a name, a pattern, or an ARN; may be given several times
    #[arg(long, value_name = "NAME")]
    log_group: Vec<String>,
    /// Only this bucket; may be given several times
    #[arg(long, value_name = "NAME")]
    bucket: Vec<String>,
    /// A key that encrypts state machines; may be given several times
    #[arg(long, value_name = "ARN", value_parser = key)]
    kms_key: Vec<String>,
    /// Partition of AWS: aws, aws-cn, aws-us-gov
    #[arg(long, value_name = "NAME", default_value = "aws")]
    partition: String,
    /// Tell what each call is for, and what happens without it, instead of the policy
    #[arg(long)]
    explain: bool,
}

/// What is written with `--output json`.
#[derive(Debug, Serialize)]
struct IamPolicyReport {
    schema: &'static str,
    needed_by: Vec<String>,
    policy: Policy,
    characters: usize,
    calls: Vec<ExplainedCall>,
}

/// Puts the policy together and writes it.
pub fn run(args: &IamPolicyArgs, global: &GlobalArgs, out: &mut dyn Write, words: &mut dyn Write) -> anyhow::Result<Exit> {
    let asked = args.asked()?;
    let parts: Vec<&Part> = PARTS.iter().filter(|part| asked.iter().any(|asked| part.is_needed_by(asked))).collect();
    let calls = || parts.iter().flat_map(|part| part.calls).map(|call| (call.action, call.resources));
    let policy = policy(calls(), &args.narrowing(global));
    let explained = Explained { calls: explain(&asked) };
    let settings = TextSettings::resolve(global);
    match global.output {
        OutputFormat::Text if args.explain => explained.text(&settings.styles, settings.width, out)?,
        // As IAM takes it, and nothing else.
        OutputFormat::Text => writeln!(out, "{}", serde_json::to_string_pretty(&policy)?)?,
        format => {
            let characters = policy.characters();
            let report = IamPolicyReport {
                schema: "stepscope.iam_policy/1",
                needed_by: asked.clone(),
                policy: policy.clone(),
                characters,
                calls: explained.calls,
            };
            document(&report, format, settings.redactor, out)?;
        }
    }
    if global.quiet {
        return Ok(Exit::Done);
    }
    for note in notes(args, &asked, &parts, &policy) {
        say(words, redactor(global), &note);
    }
    Ok(Exit::Done)
}

fn notes(args: &IamPolicyArgs, asked: &[String], parts: &[&Part], policy: &Policy) -> Vec<String> {
    let mut notes = Vec::new();
    let size = policy.characters();
    if size > MOST_CHARACTERS {
        notes.push(format!(
            "the policy has {size} characters, and IAM takes {MOST_CHARACTERS} of a managed one; name fewer resources, or patterns of them"
        ));
    }
    if args.verbs.is_empty() {
        return notes;
    }
    let is_left_out = |part: &&Part| !parts.iter().any(|taken| std::ptr::eq(*taken, *part));
    let of_verb = |name: &String| asked.iter().any(|asked| name.starts_with(&format!("{asked} --")));
    let more: Vec<String> =
        PARTS.iter().filter(is_left_out).flat_map(Part::names).filter(of_verb).map(|name| format!("'{name}'")).collect();
    if !more.is_empty() {
        notes.push(format!("not in this policy, for nobody asked for it: {}", more.join(", ")));
    }
    notes
}

impl IamPolicyArgs {
    /// What was asked for, each once and in the order of the table; everything when nothing was named.
    fn asked(&self) -> anyhow::Result<Vec<String>> {
        let names = needs::names();
        let mut asked = Vec::new();
        for text in &self.verbs {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let meant: Vec<&String> = names.iter().filter(|name| is_meant(name, &text)).collect();
            if meant.is_empty() {
                return Err(WrongUsage(format!("`{text}` asks nothing of AWS, or is no verb; these do: {}", names.join(", "))).into());
            }
            asked.extend(meant);
        }
        Ok(names.iter().filter(|name| self.verbs.is_empty() || asked.contains(name)).cloned().collect())
    }

    fn narrowing(&self, global: &GlobalArgs) -> Narrowing {
        Narrowing {
            partition: Some(self.partition.clone()),
            account: self.account.clone(),
            region: global.region.clone(),
            machines: self.state_machine.clone(),
            log_groups: self.log_group.clone(),
            buckets: self.bucket.clone(),
            keys: self.kms_key.clone(),
        }
    }
}

/// A name of the table, or a verb of which the table has parts.
fn is_meant(name: &str, text: &str) -> bool {
    let is_bare = !text.contains("--");
    name == text || (is_bare && !name.contains("--") && name.split(' ').next() == Some(text))
}

/// A row for each call of what was asked for.
fn explain(asked: &[String]) -> Vec<ExplainedCall> {
    let mut rows: Vec<ExplainedCall> = Vec::new();
    for part in PARTS {
        let is_needed = |name: &String| asked.iter().any(|asked| asked == name || asked.starts_with(&format!("{name} --")));
        let needed_by: Vec<String> = part.names().filter(is_needed).collect();
        if needed_by.is_empty() {
            continue;
        }
        rows.extend(part.calls.iter().map(|call| ExplainedCall {
            action: call.action.to_string(),
            needed_by: needed_by.clone(),
            purpose: call.purpose,
            without: call.without,
        }));
    }
    rows
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.chars().all(|digit| digit.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

fn key(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") && text.contains(":kms:") { Ok(text.to_owned()) } else { Err("wanted is the ARN of a key".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::aws::{Action, Resource};

    #[test]
    fn the_policy_for_everything_fits_a_managed_one() {
        let calls = || PARTS.iter().flat_map(|part| part.calls).map(|call| (call.action, call.resources));
        assert!(policy(calls(), &Narrowing::default()).characters() < MOST_CHARACTERS / 2);
        let machines = (0..5).map(|number| format!("a-state-machine-with-a-long-name-{number}")).collect();
        let narrowing = Narrowing {
            account: Some("111111111111".to_owned()),
            region: Some("ap-southeast-3".to_owned()),
            machines,
            log_groups: vec!["/aws/vendedlogs/states/*".to_owned()],
            buckets: vec!["results".to_owned()],
            ..Narrowing::default()
        };
        let size = policy(calls(), &narrowing).characters();
        assert!(size < MOST_CHARACTERS, "five state machines by name: {size}");
    }

    #[test]
    fn every_action_that_the_program_knows_is_some_verbs() {
        // Actions that no verb on this branch calls yet.
        const LATER: &[Action] = &[Action::DescribeLogGroups];
        let is_called = |action: &Action| PARTS.iter().flat_map(|part| part.calls).any(|call| call.action == *action);
        let without: Vec<Action> = Action::ALL.into_iter().filter(|action| !is_called(action) && !LATER.contains(action)).collect();
        assert!(without.is_empty(), "{without:?}");
        assert!(PARTS.iter().flat_map(|part| part.calls).all(|call| !call.resources.contains(&Resource::Any) || call.resources.len() == 1));
    }
}
