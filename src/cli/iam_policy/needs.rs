//! Which verb calls which action of AWS, what for, and what an answer lacks without it.
//!
//! `tests/iam_policy.rs` holds this table and the program together: whatever a verb asks for stands here, and everything that stands here
//! is asked for.

use crate::sources::aws::{Action, Resource};

/// Calls that some verbs make, always or with a flag.
#[derive(Debug)]
pub(super) struct Part {
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// The flag that makes them; `None` where the verb does without any.
    pub flag: Option<&'static str>,
    /// The calls.
    pub calls: &'static [Call],
}

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// What is called.
    pub action: Action,
    /// What is narrowed by its permission.
    pub resources: &'static [Resource],
    /// What it is for.
    pub purpose: &'static str,
    /// What happens where it is refused.
    pub without: &'static str,
}

const EXECUTIONS: &[Resource] = &[Resource::Execution];
const MACHINES: &[Resource] = &[Resource::StateMachine];
const GROUPS: &[Resource] = &[Resource::LogGroup];
const RUNS: &[Resource] = &[Resource::MapRun];
const OBJECTS: &[Resource] = &[Resource::Object];
const ANY: &[Resource] = &[Resource::Any];

/// All of them.
pub(super) const PARTS: &[Part] = &[
    Part {
        verbs: &["why", "show", "replay"],
        flag: None,
        calls: &[
            Call {
                action: Action::DescribeExecution,
                resources: EXECUTIONS,
                purpose: "status, start, end, error, version",
                without: "these come from the events, as far as they tell them",
            },
            Call {
                action: Action::GetExecutionHistory,
                resources: EXECUTIONS,
                purpose: "the events",
                without: "only status, error and cause are told",
            },
            Call {
                action: Action::DescribeStateMachineForExecution,
                resources: EXECUTIONS,
                purpose: "the definition, which tells handlers from the normal path",
                without: "what led to a Fail state may be taken for handled; replay needs --definition",
            },
        ],
    },
    Part {
        verbs: &["why", "show", "replay"],
        flag: Some("--latest-failed"),
        calls: &[
            Call {
                action: Action::ListExecutions,
                resources: MACHINES,
                purpose: "which execution failed last",
                without: "the execution must be named by its ARN",
            },
            Call {
                action: Action::ListStateMachines,
                resources: ANY,
                purpose: "the ARN of a state machine that is given by its name",
                without: "the state machine must be named by its ARN",
            },
        ],
    },
    Part {
        verbs: &["why"],
        flag: Some("--logs"),
        calls: &[Call {
            action: Action::FilterLogEvents,
            resources: GROUPS,
            purpose: "the failed task's own log lines",
            without: "the answer has none, and says why",
        }],
    },
    Part {
        verbs: &["why", "show"],
        flag: Some("--trace"),
        calls: &[
            Call {
                action: Action::GetTraceSummaries,
                resources: ANY,
                purpose: "which trace is the execution's",
                without: "only a trace that the execution names is read, else none",
            },
            Call { action: Action::BatchGetTraces, resources: ANY, purpose: "the spans", without: "the answer has no trace, and says why" },
        ],
    },
    Part {
        verbs: &["latency"],
        flag: Some("--trace"),
        calls: &[
            Call {
                action: Action::GetTraceSummaries,
                resources: ANY,
                purpose: "which traces the executions of a state machine have",
                without: "the answer has no traces, and says why",
            },
            Call {
                action: Action::BatchGetTraces,
                resources: ANY,
                purpose: "the spans",
                without: "the answer has no traces, and says why",
            },
        ],
    },
    Part {
        verbs: &["pull"],
        flag: None,
        calls: &[
            Call {
                action: Action::ListStateMachines,
                resources: ANY,
                purpose: "which state machines there are",
                without: "only state machines that are named by their ARNs are pulled",
            },
            Call {
                action: Action::ListExecutions,
                resources: MACHINES,
                purpose: "which executions there are",
                without: "nothing of that state machine is pulled",
            },
            Call {
                action: Action::GetExecutionHistory,
                resources: EXECUTIONS,
                purpose: "the events",
                without: "the executions are not pulled, and counted as missing",
            },
            Call {
                action: Action::DescribeExecution,
                resources: EXECUTIONS,
                purpose: "whether what ran before has ended by now",
                without: "executions that the store has open stay open",
            },
            Call {
                action: Action::DescribeStateMachineForExecution,
                resources: EXECUTIONS,
                purpose: "the definition of each revision",
                without: "the state machine's definition as it is now stands in",
            },
            Call {
                action: Action::DescribeStateMachine,
                resources: MACHINES,
                purpose: "the definition as it is now, where that of an execution cannot be had",
                without: "executions have no definition",
            },
        ],
    },
    Part {
        verbs: &["pull"],
        flag: Some("--tag"),
        calls: &[Call {
            action: Action::ListTagsForResource,
            resources: MACHINES,
            purpose: "the tags of state machines",
            without: "state machines whose tags cannot be read are left out",
        }],
    },
    Part {
        verbs: &["pull"],
        flag: Some("--map-runs"),
        calls: &[Call {
            action: Action::ListExecutions,
            resources: &[Resource::StateMachine, Resource::MapRun],
            purpose: "the children of Map Runs",
            without: "the children of that Map Run are not pulled",
        }],
    },
    Part {
        verbs: &["pull"],
        flag: Some("--logs"),
        calls: &[
            Call {
                action: Action::DescribeStateMachine,
                resources: MACHINES,
                purpose: "the log group and the level of logging",
                without: "the state machine's logs are not read",
            },
            Call {
                action: Action::FilterLogEvents,
                resources: GROUPS,
                purpose: "the records of Express executions",
                without: "the state machine's logs are not read",
            },
        ],
    },
    Part {
        verbs: &["pull"],
        flag: Some("--logs --via"),
        calls: &[
            Call { action: Action::StartQuery, resources: GROUPS, purpose: "the query", without: "the state machine's logs are not read" },
            Call { action: Action::GetQueryResults, resources: ANY, purpose: "its rows", without: "the state machine's logs are not read" },
            Call {
                action: Action::StopQuery,
                resources: ANY,
                purpose: "stops a query that nobody waits for any more",
                without: "it goes on in the service, and is charged",
            },
        ],
    },
    Part {
        verbs: &["maps"],
        flag: None,
        calls: &[
            Call {
                action: Action::ListMapRuns,
                resources: EXECUTIONS,
                purpose: "the Map Runs of an execution",
                without: "a Map Run must be named by its ARN",
            },
            Call {
                action: Action::DescribeMapRun,
                resources: RUNS,
                purpose: "counts, limits and status",
                without: "the Map Run is not told",
            },
            Call {
                action: Action::ListExecutions,
                resources: &[Resource::StateMachine, Resource::MapRun],
                purpose: "the children, where no result files are read",
                without: "failed items are counted, and not grouped",
            },
            Call {
                action: Action::DescribeExecution,
                resources: EXECUTIONS,
                purpose: "the errors and inputs of children",
                without: "failed items have no errors, and cannot be written to be run again",
            },
            Call {
                action: Action::GetExecutionHistory,
                resources: EXECUTIONS,
                purpose: "the state of the Map, and the failing states of children",
                without: "they are not named",
            },
            Call {
                action: Action::DescribeStateMachineForExecution,
                resources: EXECUTIONS,
                purpose: "limits and the place of result files, as the definition has them",
                without: "they are told as far as the Map Run does",
            },
            Call {
                action: Action::GetObject,
                resources: OBJECTS,
                purpose: "manifests and result files, where a ResultWriter wrote them",
                without: "the children are listed in their place",
            },
        ],
    },
    Part {
        verbs: &["maps"],
        flag: Some("--results"),
        calls: &[Call {
            action: Action::ListObjectsV2,
            resources: &[Resource::Bucket],
            purpose: "where the manifests below a prefix are",
            without: "the manifest must be named",
        }],
    },
    Part {
        verbs: &["queries run"],
        flag: None,
        calls: &[
            Call { action: Action::StartQuery, resources: GROUPS, purpose: "the query", without: "nothing is answered" },
            Call { action: Action::GetQueryResults, resources: ANY, purpose: "its rows", without: "nothing is answered" },
            Call {
                action: Action::StopQuery,
                resources: ANY,
                purpose: "stops a query that nobody waits for any more",
                without: "after Ctrl-C it goes on in the service, and is charged",
            },
        ],
    },
    Part {
        verbs: &["queries run"],
        flag: Some("--state-machine"),
        calls: &[
            Call {
                action: Action::DescribeStateMachine,
                resources: MACHINES,
                purpose: "the log group and the level of logging",
                without: "the log group must be named with --log-group",
            },
            Call {
                action: Action::ListStateMachines,
                resources: ANY,
                purpose: "the ARN of a state machine that is given by its name",
                without: "the state machine must be named by its ARN",
            },
        ],
    },
];

impl Part {
    /// As it is asked for: `why`, `why --latest-failed`.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.verbs.iter().map(|verb| match self.flag {
            Some(flag) => format!("{verb} {flag}"),
            None => (*verb).to_owned(),
        })
    }

    /// Whether what was asked for needs it: the verb, or the verb with this flag.
    pub(super) fn is_needed_by(&self, asked: &str) -> bool {
        let mut words = asked.split(" --");
        let verb = words.next().unwrap_or(asked);
        let given: Vec<&str> = words.collect();
        let is_verb = |known: &&str| *known == verb || known.split(' ').next() == Some(verb);
        let mut flags = self.flag.iter().flat_map(|flag| flag.split(" --"));
        self.verbs.iter().any(is_verb) && flags.all(|flag| given.contains(&flag.trim_start_matches('-')))
    }
}

/// Everything that may be asked for, in the order of the table.
pub(super) fn names() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in PARTS.iter().flat_map(Part::names) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The pages that hold the table.
    const PAGES: &[&str] = &["README.md", "docs/iam-policy.md"];

    /// The table as the pages for readers have it, in Markdown.
    fn markdown() -> String {
        let mut rows: Vec<(Action, Vec<&str>, Vec<String>)> = Vec::new();
        for part in PARTS {
            for call in part.calls {
                let users = part.names().collect::<Vec<_>>();
                match rows.iter_mut().find(|(action, ..)| *action == call.action) {
                    Some((_, purposes, known)) => {
                        if !purposes.contains(&call.purpose) {
                            purposes.push(call.purpose);
                        }
                        known.extend(users);
                    }
                    None => rows.push((call.action, vec![call.purpose], users)),
                }
            }
        }
        let mut text = "| action | for | needed by |\n|---|---|---|\n".to_owned();
        for (action, purposes, users) in rows {
            let users: Vec<String> = users.iter().map(|user| format!("`{user}`")).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| `{action}` | {} | {} |", purposes.join("; "), users.join(", "));
        }
        text
    }

    #[test]
    fn a_verb_needs_what_it_always_calls_and_a_flag_adds_to_it() {
        let needed = |asked: &str| -> Vec<String> {
            let calls = PARTS.iter().filter(|part| part.is_needed_by(asked)).flat_map(|part| part.calls);
            calls.map(|call| call.action.to_string()).collect()
        };
        assert_eq!(needed("why").len(), 3);
        assert_eq!(needed("why --latest-failed").len(), 5);
        assert_eq!(needed("queries")[0], "logs:StartQuery", "the verb stands for its parts");
        assert_eq!(needed("queries run"), needed("queries"));
        assert!(needed("wh").is_empty() && needed("cost").is_empty());
    }

    #[test]
    fn every_call_is_narrowed_as_its_action_can_be() {
        for call in PARTS.iter().flat_map(|part| part.calls) {
            assert!(call.resources.contains(&call.action.resource()), "{}: {:?}", call.action, call.resources);
        }
    }

    #[test]
    fn the_pages_hold_the_table() {
        for page in PAGES {
            let text = std::fs::read_to_string(format!("{}/{page}", env!("CARGO_MANIFEST_DIR"))).expect("the page");
            assert!(text.contains(&markdown()), "{page} should hold\n\n{}", markdown());
        }
    }
}
