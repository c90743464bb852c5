//! The ARNs of a Map Run and of its children.
//!
//! | what           | resource part                                  |
//! |----------------|------------------------------------------------|
//! | Map Run        | `mapRun:<machine>/<label>:<uuid>`              |
//! | its machine    | `stateMachine:<machine>/<label>`               |
//! | Standard child | `execution:<machine>/<label>:<name>`           |
//! | Express child  | `express:<machine>/<label>:<name>:<uuid>`      |
//!
//! A Map without a `Label` has a UUID in its place, which stays the same from Map Run to Map Run.

use std::rc::Rc;

use crate::interpreter::ExecutionInfo;

/// How a Map Run and its children are called.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// ARN of the Map Run.
    pub(super) arn: Rc<str>,
    /// `arn:<partition>:states:<region>:<account>`.
    prefix: Rc<str>,
    /// `<machine>/<label>`.
    machine: Rc<str>,
    role_arn: Rc<str>,
    express: bool,
}

impl Names {
    /// Names for a Map Run of `state`. `uuid` is new for each; `known` may put another ARN in the place of the one that was made.
    pub(super) fn new(
        execution: &ExecutionInfo,
        state: &str,
        label: Option<&str>,
        express: bool,
        uuid: &str,
        known: impl FnOnce(String) -> String,
    ) -> Self {
        let (prefix, machine) = split(&execution.machine_arn);
        let label = label.map_or_else(|| label_of(&execution.machine_arn, state), str::to_owned);
        let arn = known(format!("{prefix}:mapRun:{machine}/{label}:{uuid}"));
        let machine = match arn.split_once(":mapRun:").and_then(|(_, rest)| rest.rsplit_once(':')) {
            Some((machine, _)) if machine.contains('/') => machine.to_owned(),
            _ => format!("{machine}/{label}"),
        };
        let role_arn = Rc::clone(&execution.role_arn);
        Self { arn: arn.into(), prefix: prefix.into(), machine: machine.into(), role_arn, express }
    }

    /// The child of this name.
    pub(super) fn child(&self, name: &str) -> ExecutionInfo {
        let Self { prefix, machine, .. } = self;
        let arn =
            if self.express { format!("{prefix}:express:{machine}:{name}:{name}") } else { format!("{prefix}:execution:{machine}:{name}") };
        ExecutionInfo {
            arn: arn.into(),
            name: name.into(),
            machine_arn: format!("{prefix}:stateMachine:{machine}").into(),
            role_arn: Rc::clone(&self.role_arn),
            express: self.express,
        }
    }
}

/// The part before the resource, and the name of the machine, without version, alias and the label of a Map around it.
fn split(machine_arn: &str) -> (&str, &str) {
    let (prefix, rest) = machine_arn.split_once(":stateMachine:").unwrap_or(("arn:aws:states:us-east-1:123456789012", machine_arn));
    (prefix, rest.split([':', '/']).next().unwrap_or(rest))
}

/// A UUID for this Map of this machine.
fn label_of(machine_arn: &str, state: &str) -> String {
    let hash = |basis: u64| {
        let bytes = machine_arn.bytes().chain([0]).chain(state.bytes());
        bytes.fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    let (high, low) = (hash(0xcbf2_9ce4_8422_2325), hash(0x8422_2325_cbf2_9ce4));
    let digits = format!("{high:016x}{low:016x}");
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(machine: &str) -> ExecutionInfo {
        ExecutionInfo {
            arn: "arn:aws:states:eu-west-1:111111111111:execution:Orders:run".into(),
            name: "run".into(),
            machine_arn: format!("arn:aws:states:eu-west-1:111111111111:stateMachine:{machine}").into(),
            role_arn: "arn:aws:iam::111111111111:role/r".into(),
            express: false,
        }
    }

    #[test]
    fn arns_have_machine_and_label() {
        let names = Names::new(&parent("Orders:3"), "Each", Some("L"), false, "u-1", |arn| arn);
        assert_eq!(&*names.arn, "arn:aws:states:eu-west-1:111111111111:mapRun:Orders/L:u-1");
        let child = names.child("c-1");
        assert_eq!(&*child.arn, "arn:aws:states:eu-west-1:111111111111:execution:Orders/L:c-1");
        assert_eq!(&*child.machine_arn, "arn:aws:states:eu-west-1:111111111111:stateMachine:Orders/L");
        let express = Names::new(&parent("Orders/L"), "Inner", Some("M"), true, "u-2", |arn| arn).child("c-2");
        assert_eq!(&*express.arn, "arn:aws:states:eu-west-1:111111111111:express:Orders/M:c-2:c-2");
    }

    #[test]
    fn a_label_that_nobody_gave_stays_the_same() {
        let label = |state: &str, uuid: &str| {
            let names = Names::new(&parent("Orders"), state, None, false, uuid, |arn| arn);
            names.arn.rsplit_once(':').expect("an ARN").0.to_owned()
        };
        assert_eq!(label("Each", "1"), label("Each", "2"));
        assert_ne!(label("Each", "1"), label("Other", "1"));
        assert_eq!(label("Each", "1").rsplit_once('/').expect("a label").1.len(), 36);
    }

    #[test]
    fn a_known_arn_names_the_children_too() {
        let known = "arn:aws:states:eu-west-1:111111111111:mapRun:Orders/recorded:u-9";
        let names = Names::new(&parent("Orders"), "Each", None, false, "u-1", |_| known.to_owned());
        assert_eq!((&*names.arn, &*names.child("c").arn), (known, "arn:aws:states:eu-west-1:111111111111:execution:Orders/recorded:c"));
    }
}
