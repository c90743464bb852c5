//! ARNs of executions and state machines, and the console's addresses for them.
//!
//! | what                       | resource part                                            |
//! |----------------------------|----------------------------------------------------------|
//! | Standard execution         | `execution:<machine>:<name>`                             |
//! | child of a Distributed Map | `execution:<machine>/<label>:<name>`                     |
//! | Express execution          | `express:<machine>:<name>:<uuid>`                        |
//! | state machine              | `stateMachine:<machine>`, with `:<version or alias>`     |

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// Why text is no ARN of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArnError {
    /// Not six fields after `arn:`.
    #[error("`{0}` is no ARN; an execution's looks like arn:aws:states:us-east-1:111111111111:execution:Machine:name")]
    NotAnArn(String),
    /// An ARN, but of something else.
    #[error("`{arn}` names {found}, not {wanted}")]
    OtherKind {
        /// The text.
        arn: String,
        /// What it names.
        found: String,
        /// What was wanted.
        wanted: &'static str,
    },
}

/// The ARN of an execution. Holds the text; the parts are looked up on request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ExecutionArn(String);

/// The ARN of a state machine, a version or an alias of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct StateMachineArn(String);

/// The fields of an ARN: `arn:<partition>:<service>:<region>:<account>:<kind>:<rest>`.
struct Fields<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    kind: &'a str,
    rest: &'a str,
}

fn fields(text: &str) -> Option<Fields<'_>> {
    let mut parts = text.splitn(7, ':');
    if parts.next() != Some("arn") {
        return None;
    }
    let partition = parts.next()?;
    if parts.next() != Some("states") {
        return None;
    }
    let fields = Fields { partition, region: parts.next()?, account: parts.next()?, kind: parts.next()?, rest: parts.next()? };
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let sound = plain(fields.partition) && plain(fields.region) && plain(fields.account) && !fields.rest.is_empty();
    (sound && !text.chars().any(|c| c.is_control() || c.is_whitespace())).then_some(fields)
}

impl FromStr for ExecutionArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let found = fields(text).ok_or_else(|| ArnError::NotAnArn(text.to_owned()))?;
        if names_an_execution(&found) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ArnError::OtherKind { arn: text.to_owned(), found: described(found.kind), wanted: "an execution" })
        }
    }
}

fn names_an_execution(found: &Fields<'_>) -> bool {
    let names = found.rest.split(':').count();
    matches!((found.kind, names), ("execution", 2) | ("express", 2 | 3)) && found.rest.split(':').all(|name| !name.is_empty())
}

impl FromStr for StateMachineArn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let found = fields(text).ok_or_else(|| ArnError::NotAnArn(text.to_owned()))?;
        match found.kind {
            "stateMachine" => Ok(Self(text.to_owned())),
            kind => Err(ArnError::OtherKind { arn: text.to_owned(), found: described(kind), wanted: "a state machine" }),
        }
    }
}

fn described(kind: &str) -> String {
    match kind {
        "execution" | "express" => "an execution".to_owned(),
        "stateMachine" => "a state machine".to_owned(),
        "mapRun" => "a Map Run".to_owned(),
        "activity" => "an Activity".to_owned(),
        other => format!("something of kind `{other}`"),
    }
}

impl ExecutionArn {
    fn fields(&self) -> Fields<'_> {
        fields(&self.0).expect("checked when it was parsed")
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Such as `us-east-1`.
    pub fn region(&self) -> &str {
        self.fields().region
    }

    /// The account's twelve digits.
    pub fn account(&self) -> &str {
        self.fields().account
    }

    /// Whether it is one of an Express workflow, which the history API does not know.
    pub fn is_express(&self) -> bool {
        self.fields().kind == "express"
    }

    /// The execution's name.
    pub fn name(&self) -> &str {
        self.fields().rest.split(':').nth(1).unwrap_or_default()
    }

    /// The machine's name; for a child of a Distributed Map `<machine>/<label>`.
    pub fn machine(&self) -> &str {
        self.fields().rest.split(':').next().unwrap_or_default()
    }

    /// The ARN of the state machine that it ran; without the label of a Distributed Map.
    pub fn state_machine(&self) -> StateMachineArn {
        let found = self.fields();
        let machine = self.machine().split('/').next().unwrap_or_default();
        StateMachineArn(format!("arn:{}:states:{}:{}:stateMachine:{machine}", found.partition, found.region, found.account))
    }

    /// The console's page of the execution; `None` for Express, whose page needs its start time.
    pub fn console_url(&self) -> Option<String> {
        let found = self.fields();
        let host = match found.partition {
            "aws" => format!("{}.console.aws.amazon.com", found.region),
            "aws-cn" => format!("{}.console.amazonaws.cn", found.region),
            "aws-us-gov" => format!("{}.console.amazonaws-us-gov.com", found.region),
            _ => return None,
        };
        if found.kind == "express" || found.region.is_empty() {
            return None;
        }
        Some(format!("https://{host}/states/home?region={}#/v2/executions/details/{}", found.region, self.0))
    }

    /// The execution that a console address shows: the ARN after `/executions/details/`.
    ///
    /// Returns `None` when the text is no address of an execution's page.
    pub fn from_console_url(text: &str) -> Option<Self> {
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return None;
        }
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        let after = decoded.split("executions/details/").nth(1)?;
        let arn = after.split(['?', '#', '&', '/']).next()?;
        // The label of a Distributed Map's child holds a slash of its own.
        let with_label = after.split(['?', '#', '&']).next()?;
        with_label.trim_end_matches('/').parse().or_else(|_| arn.parse()).ok()
    }
}

impl StateMachineArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Such as `us-east-1`.
    pub fn region(&self) -> &str {
        fields(&self.0).expect("checked when it was parsed").region
    }

    /// Such as `aws`.
    pub fn partition(&self) -> &str {
        fields(&self.0).expect("checked when it was parsed").partition
    }

    /// The account's twelve digits.
    pub fn account(&self) -> &str {
        fields(&self.0).expect("checked when it was parsed").account
    }

    /// The ARN without version or alias, and without the label of a Distributed Map.
    pub fn unqualified(&self) -> &str {
        let after_kind = self.0.match_indices(':').nth(5).map_or(self.0.len(), |(colon, _)| colon + 1);
        let end = self.0[after_kind..].find([':', '/']).map_or(self.0.len(), |end| after_kind + end);
        &self.0[..end]
    }

    /// The version's number or the alias's name, when the ARN names one.
    pub fn qualifier(&self) -> Option<&str> {
        self.0.split(':').nth(7)
    }

    /// The machine's name, without version or alias.
    pub fn name(&self) -> &str {
        fields(&self.0).expect("checked when it was parsed").rest.split(':').next().unwrap_or_default()
    }
}

/// The name in a state machine's ARN, without version or alias; text that is no such ARN as it is.
///
/// A Distributed Map's child runs `<machine>/<label>`, and that is the name then.
pub fn machine_name(text: &str) -> &str {
    match fields(text) {
        Some(found) if found.kind == "stateMachine" => found.rest.split(':').next().unwrap_or_default(),
        _ => text,
    }
}

/// The name in an execution's ARN, Standard or Express; text that is no such ARN as it is.
pub fn execution_name(text: &str) -> &str {
    let found = fields(text).filter(names_an_execution);
    found.and_then(|found| found.rest.split(':').nth(1)).unwrap_or(text)
}

/// What stands after the last colon: of a version or an alias its own name, else mostly that of what the ARN names. `None` when
/// nothing does.
pub fn last_part(arn: &str) -> Option<&str> {
    arn.rsplit(':').next().filter(|part| !part.is_empty())
}

impl fmt::Display for ExecutionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for StateMachineArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: &str = "arn:aws:states:eu-west-1:111111111111:execution:Orders:run-1";

    fn execution(text: &str) -> ExecutionArn {
        text.parse().expect("an execution's ARN")
    }

    #[test]
    fn the_parts_of_an_execution_arn() {
        let arn = execution(STANDARD);
        assert_eq!((arn.region(), arn.account(), arn.machine(), arn.name()), ("eu-west-1", "111111111111", "Orders", "run-1"));
        assert_eq!(arn.state_machine().as_str(), "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders");
        assert!(!arn.is_express());
    }

    #[test]
    fn a_child_of_a_map_run_belongs_to_the_machine_without_its_label() {
        let arn = execution("arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:2f-1");
        assert_eq!(arn.machine(), "Orders/Each");
        assert_eq!(arn.state_machine().name(), "Orders");
    }

    #[test]
    fn a_machine_is_the_same_in_all_its_versions() {
        let machine = |text: &str| text.parse::<StateMachineArn>().expect("a machine's ARN");
        let plain = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders";
        for (text, qualifier) in [("", None), (":7", Some("7")), (":live", Some("live")), ("/Each", None), ("/Each:7", Some("7"))] {
            let arn = machine(&format!("{plain}{text}"));
            assert_eq!((arn.unqualified(), arn.qualifier()), (plain, qualifier));
        }
    }

    #[test]
    fn express_executions_are_told_apart() {
        let arn = execution("arn:aws:states:eu-west-1:111111111111:express:Orders:run-1:7fa0cfbe");
        assert!(arn.is_express());
        assert_eq!(arn.name(), "run-1");
        assert_eq!(arn.console_url(), None);
    }

    #[test]
    fn a_console_address_gives_the_arn_back() {
        let arn = execution(STANDARD);
        let url = arn.console_url().expect("a Standard execution has a page");
        assert_eq!(ExecutionArn::from_console_url(&url), Some(arn.clone()));
        let escaped = url.replace("arn:aws", "arn%3Aaws") + "?statusFilter=FAILED";
        assert_eq!(ExecutionArn::from_console_url(&escaped), Some(arn));
        let labelled = "https://eu-west-1.console.aws.amazon.com/states/home#/v2/executions/details/arn:aws:states:eu-west-1:111111111111:execution:Orders/Each:2f-1";
        assert_eq!(ExecutionArn::from_console_url(labelled).expect("labelled").machine(), "Orders/Each");
        assert_eq!(ExecutionArn::from_console_url("https://example.com/"), None);
    }

    #[test]
    fn names_are_found_in_text_that_may_be_no_arn() {
        let of = |resource: &str| format!("arn:aws:states:eu-west-1:111111111111:{resource}");
        for (resource, name) in
            [("stateMachine:Orders", "Orders"), ("stateMachine:Orders:7", "Orders"), ("stateMachine:Orders/Each", "Orders/Each")]
        {
            assert_eq!(machine_name(&of(resource)), name);
        }
        for (resource, name) in
            [("execution:Orders:run-1", "run-1"), ("execution:Orders/Each:2f-1", "2f-1"), ("express:Orders:run-1:7fa0cfbe", "run-1")]
        {
            assert_eq!(execution_name(&of(resource)), name);
        }
        assert_eq!((machine_name("Orders"), execution_name("run-1")), ("Orders", "run-1"));
        assert_eq!(machine_name(STANDARD), STANDARD);
        let others = [of("stateMachine:Orders"), of("execution:Orders"), of("execution:Orders:")];
        assert!(others.iter().all(|arn| execution_name(arn) == arn));
        assert_eq!(["a:b:live", "run-1", "a:", ""].map(last_part), [Some("live"), Some("run-1"), None, None]);
    }

    #[test]
    fn what_is_no_execution_is_refused_by_name() {
        let machine = "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders".parse::<ExecutionArn>();
        assert!(machine.expect_err("a machine").to_string().contains("names a state machine"));
        assert!("Orders".parse::<ExecutionArn>().is_err());
        assert!("arn:aws:states:eu-west-1:111111111111:execution:Orders:a\nb".parse::<ExecutionArn>().is_err());
        assert!("arn:aws:s3:::bucket".parse::<ExecutionArn>().is_err());
    }
}
