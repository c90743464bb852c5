//! One slice of a log group, by pages or by queries.
//!
//! Both are narrowed to the machine's records by the service; what comes all the same is sorted out here.

use super::hold::{Hold, Taken};
use super::storing::Storing;
use super::{Ended, Watch, prefixes};
use crate::analysis::pull_logs::MachineLogs;
use crate::model::StateMachineArn;
use crate::sources::aws::logs::{LogFilter, LogQuery, LogWindow, MOST_ROWS};
use crate::sources::aws::{AwsError, AwsSource};

/// What reading one slice needs.
pub(super) struct Reading<'r, 's> {
    pub(super) source: &'r AwsSource,
    pub(super) group: &'r str,
    pub(super) machine: &'r StateMachineArn,
    pub(super) hold: &'r mut Hold,
    pub(super) storing: &'r mut Storing<'s>,
    pub(super) report: &'r mut MachineLogs,
    pub(super) watch: &'r mut dyn Watch,
}

impl Reading<'_, '_> {
    /// Page by page.
    pub(super) async fn by_filter(&mut self, window: LogWindow) -> Result<(), Ended> {
        let pattern = pattern(self.machine);
        let filter = LogFilter { pattern: &pattern, ..LogFilter::all(self.group, window) };
        let mut pages = self.source.log_pages(filter);
        loop {
            let calls = pages.calls();
            let page = pages.next().await.map_err(|error| Ended::Aws { error, from: window.from });
            self.report.calls += pages.calls() - calls;
            let Some(events) = page? else { return Ok(()) };
            for event in &events {
                self.take(&event.message, &event.stream);
            }
            self.page_read(window)?;
        }
    }

    /// By queries. Where a query gives less than there is, pages give the rest.
    pub(super) async fn by_query(&mut self, window: LogWindow) -> Result<(), Ended> {
        let text = query(self.machine);
        let groups = [self.group.to_owned()];
        let query = LogQuery { groups: &groups, window, text: &text, limit: MOST_ROWS };
        let watch = &mut *self.watch;
        let report = &mut *self.report;
        let scanned_before = report.bytes_scanned;
        let mut progress = |now: crate::sources::aws::logs::QueryProgress| {
            report.calls += 1;
            report.scanned(now.statistics.bytes_scanned.saturating_sub(report.bytes_scanned - scanned_before));
            watch.progress(report);
        };
        let found = self.source.query_events(&query, &mut progress).await.map_err(|error| Ended::Aws { error, from: window.from })?;
        self.report.calls += u64::from(found.queries);
        self.report.scanned(found.statistics.bytes_scanned.saturating_sub(self.report.bytes_scanned - scanned_before));
        for row in &found.rows {
            self.take(row.get("@message").unwrap_or_default(), row.get("@logStream").unwrap_or_default());
        }
        self.page_read(window)?;
        for overfull in found.overfull {
            match self.by_filter(overfull).await {
                Err(Ended::Aws { error: AwsError::InfrequentAccess { .. }, from }) => {
                    let text =
                        format!("some log events of the second {from}: there are more than {MOST_ROWS}, which is all that a query gives");
                    self.report.not_looked_at.push(text);
                }
                read => read?,
            }
        }
        Ok(())
    }

    fn take(&mut self, message: &str, stream: &str) {
        self.report.log_events += 1;
        self.report.bytes_read += message.len() as u64;
        match self.hold.add(message) {
            Taken::New => self.report.records += 1,
            Taken::Again => self.report.repeated_records += 1,
            Taken::OtherMachine => self.report.other_lines += 1,
            Taken::NoRecord => self.storing.stray(message, stream, self.report),
        }
    }

    fn page_read(&mut self, window: LogWindow) -> Result<(), Ended> {
        let complete = self.hold.release_complete();
        self.storing.add_all(complete, self.report)?;
        self.watch.progress(self.report);
        if self.watch.is_stopped() { Err(Ended::Stopped { from: window.from }) } else { Ok(()) }
    }
}

/// In the syntax of the service's filter, of at most 1,024 characters: every record of the machine.
fn pattern(machine: &StateMachineArn) -> String {
    let terms: Vec<String> = prefixes(machine).iter().map(|prefix| format!(r#"($.execution_arn = "{prefix}*")"#)).collect();
    format!("{{ {} }}", terms.join(" || "))
}

/// In the language of Logs Insights: the same, in the order of time.
fn query(machine: &StateMachineArn) -> String {
    let terms: Vec<String> = prefixes(machine).iter().map(|prefix| format!(r#"execution_arn like "{prefix}""#)).collect();
    format!("fields @timestamp, @logStream, @message | filter {} | sort @timestamp asc", terms.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(name: &str) -> StateMachineArn {
        format!("arn:aws:states:eu-west-1:111111111111:stateMachine:{name}").parse().expect("an ARN")
    }

    #[test]
    fn a_pattern_names_the_machine_and_the_children_of_its_map_runs_and_no_machine_whose_name_begins_alike() {
        let pattern = pattern(&machine("Orders"));
        for part in ["express:Orders:*", "express:Orders/*", "execution:Orders:*", "execution:Orders/*"] {
            assert!(pattern.contains(&format!(r#"($.execution_arn = "arn:aws:states:eu-west-1:111111111111:{part}")"#)), "{pattern}");
        }
        assert!(pattern.starts_with("{ (") && pattern.ends_with(") }"), "{pattern}");
        let longest = super::pattern(&machine(&"x".repeat(80)));
        assert!(longest.len() <= 1_024 && longest.contains(&"x".repeat(80)), "{longest}");
    }

    #[test]
    fn a_query_asks_for_the_same_in_the_order_of_time() {
        let query = query(&machine("Orders"));
        assert!(query.contains(r#"execution_arn like "arn:aws:states:eu-west-1:111111111111:express:Orders:" or "#), "{query}");
        assert!(
            query.starts_with("fields @timestamp, @logStream, @message | filter ") && query.ends_with(" | sort @timestamp asc"),
            "{query}"
        );
    }
}
