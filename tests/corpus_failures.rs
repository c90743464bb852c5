//! Labelled incidents: whether executions that failed of the same cause make one group, and others do not.
//!
//! Each pair of failed executions of a scenario is right or wrong: together in a group and in a cluster of the labels, or apart in
//! both. The material is no part of this repository; see `tests/common/corpus.rs`.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use common::incidents::{labels, list, scenarios};
use common::program::{argument, stepscope};
use serde_json::Value;

/// The groups that the program finds; none where nothing failed.
fn groups(scenario: &Path) -> Vec<Value> {
    let input = scenario.join("executions.jsonl.gz");
    let run = stepscope(["failures", "--input", argument(&input), "--limit", "1000", "--output", "json"]);
    if run.code == 4 {
        return Vec::new();
    }
    let document = run.ends_with(0).json();
    list(&document, "groups").to_vec()
}

/// Executions by what holds them.
fn held<'v>(holders: &'v [Value]) -> HashMap<&'v str, &'v str> {
    let held = |holder: &'v Value| list(holder, "executions").iter().filter_map(|arn| Some((arn.as_str()?, holder["id"].as_str()?)));
    holders.iter().flat_map(held).collect()
}

fn pairs(counts: impl Iterator<Item = u64>) -> u64 {
    counts.map(|count| count * count.saturating_sub(1) / 2).sum()
}

#[test]
fn every_pair_of_failures_is_together_or_apart_as_it_should_be() {
    let (mut right, mut clusters) = (0, 0);
    for scenario in scenarios() {
        let (labels, groups) = (labels(&scenario), groups(&scenario));
        let (truth, found) = (held(list(&labels, "clusters")), held(&groups));
        let (mut joint, mut of_groups, mut of_clusters) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (arn, cluster) in &truth {
            let group = found.get(arn).unwrap_or_else(|| panic!("{}: {arn} is in no group", scenario.display()));
            *joint.entry((cluster, group)).or_insert(0_u64) += 1;
            *of_groups.entry(group).or_insert(0_u64) += 1;
            *of_clusters.entry(cluster).or_insert(0_u64) += 1;
        }
        let together = pairs(joint.into_values());
        assert_eq!(together, pairs(of_groups.into_values()), "{}: a group holds two causes", scenario.display());
        assert_eq!(together, pairs(of_clusters.into_values()), "{}: a cause fell apart", scenario.display());
        right += together;
        clusters += list(&labels, "clusters").len();
        // What the labels do not count as failed was stopped by somebody.
        let others =
            groups.iter().filter(|group| !list(group, "executions").iter().any(|arn| truth.contains_key(arn.as_str().unwrap_or_default())));
        for other in others {
            assert_eq!(other["count"], other["statuses"]["aborted"], "{}: {other}", scenario.display());
        }
    }
    assert!(scenarios().is_empty() || (right > 30_000 && clusters > 40), "{right} pairs in {clusters} clusters");
}

#[test]
fn each_group_names_the_root_cause_that_the_labels_name() {
    for scenario in scenarios() {
        let labels = labels(&scenario);
        let clusters: HashMap<&str, &Value> = list(&labels, "clusters")
            .iter()
            .flat_map(|cluster| list(cluster, "executions").iter().map(move |arn| (arn.as_str().unwrap_or_default(), cluster)))
            .collect();
        for group in groups(&scenario) {
            let Some(cluster) = list(&group, "executions").first().and_then(|arn| clusters.get(arn.as_str()?)) else { continue };
            assert_eq!(group["state"], cluster["root_state"], "{}", scenario.display());
            assert_eq!(group["state_machine"], cluster["stateMachineArn"], "{}", scenario.display());
            // An execution that ran out of time has no error of its own.
            if !group["error"].is_null() {
                assert_eq!(group["error"], cluster["root_error"], "{}", scenario.display());
            }
        }
    }
}

#[test]
fn every_error_that_came_new_is_called_new_and_none_in_clean_traffic() {
    for scenario in scenarios() {
        let labels = labels(&scenario);
        let groups = groups(&scenario);
        let is_new = |group: &&Value| !group["new"].is_null();
        for change in list(&labels, "change_points").iter().filter(|change| change["signal"] == "new_error") {
            let is_it = |group: &&Value| group["state"] == change["state"] && group["error"] == change["error"];
            assert!(groups.iter().filter(is_it).any(|group| is_new(&group)), "{}: {change}", scenario.display());
        }
        // What was there all along is in no incident.
        let incidents =
            list(&labels, "incidents").iter().any(|incident| !incident["kind"].as_str().unwrap_or_default().starts_with("decoy"));
        if !incidents {
            assert_eq!(groups.iter().filter(is_new).count(), 0, "{}", scenario.display());
        }
    }
}
