//! A question to the executions of a store: each thread takes a batch after the other.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::selection::{Machines, Window};
use super::{Heard, Unread};
use crate::analysis::fleet::{Coverage, Question};
use crate::model::Micros;
use crate::model::facts::Needs;
use crate::store::{Batch, Day, Store, StoreError, decode};

/// So often a store is listed again when batches are replaced while they are read.
const LISTINGS: usize = 10;

/// Puts the question to every execution of the store that is wanted.
pub(super) fn ask<Q: Question>(
    store: &Store,
    window: Window,
    machines: &Machines,
    threads: usize,
    make: &(impl Fn() -> Q + Sync),
) -> anyhow::Result<Heard<Q>> {
    let question = make();
    // Executions that were not asked for are of other days, too.
    let days = if question.looks_aside() { None } else { days(window) };
    let mut listings = 0;
    loop {
        listings += 1;
        let batches = store.batches(days.as_ref())?;
        let is_last = listings >= LISTINGS;
        if let Some(heard) = pass(&batches, window, machines, threads, make, is_last) {
            return Ok(heard);
        }
    }
}

/// One pass over batches; `None` when one of them is gone, unless it `is_last`.
fn pass<Q: Question>(
    batches: &[Batch],
    window: Window,
    machines: &Machines,
    threads: usize,
    make: &(impl Fn() -> Q + Sync),
    is_last: bool,
) -> Option<Heard<Q>> {
    let next = AtomicUsize::new(0);
    let is_gone = AtomicBool::new(false);
    let work = || {
        let mut heard = Heard { question: make(), coverage: Coverage::default(), unread: Unread::default() };
        let (needs, looks_aside) = (heard.question.needs(), heard.question.looks_aside());
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            if is_gone.load(Ordering::Relaxed) {
                break;
            }
            heard.unread.has_read = true;
            let read = decode::facts_of_batch(&batch.paths(), needs, &mut |facts| {
                if window.contains(facts.start) && machines.contain(facts.state_machine) {
                    heard.coverage.count(facts);
                    heard.question.take(facts);
                } else {
                    heard.coverage.left_out += 1;
                    if looks_aside {
                        heard.question.take_aside(facts);
                    }
                }
            });
            match read {
                Ok(()) => {}
                Err(error) if error.is_vanished() && !is_last => is_gone.store(true, Ordering::Relaxed),
                Err(error) => heard.unread.add_stored(&batch.executions().display().to_string(), &error),
            }
        }
        heard
    };
    let mut all = in_threads(threads.min(batches.len()), &work);
    let mut heard = all.pop()?;
    for other in all {
        heard.merge(other);
    }
    (!is_gone.into_inner()).then_some(heard)
}

/// Does the same on several threads, at least one.
fn in_threads<T: Send>(threads: usize, work: &(impl Fn() -> T + Sync)) -> Vec<T> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = vec![work()];
        all.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
        all
    })
}

/// The days of a window; `None` for all.
fn days(window: Window) -> Option<RangeInclusive<Day>> {
    if window == Window::default() {
        return None;
    }
    let day = |moment: Option<Micros>, open: i64| Day::containing(moment.unwrap_or(Micros(open)).timestamp());
    // Before the year 0 there are no days, and no executions.
    let since = window.since.map_or(Day::Date(jiff::civil::Date::ZERO), |since| day(Some(since), 0));
    Some(since..=day(window.until, i64::MAX))
}

/// The last event of the wanted machines' executions in the store. What can't be read is reported when the question is put.
pub(super) fn last_event(store: &Store, machines: &Machines) -> Result<Option<Micros>, StoreError> {
    let mut last = None;
    for batch in store.batches(None)? {
        let _ = decode::facts_of_batch(&batch.paths(), Needs::default(), &mut |facts| {
            if machines.contain(facts.state_machine) {
                last = last.max(facts.last_event).max(facts.stop);
            }
        });
    }
    Ok(last)
}
