//! Distributed Map: items run as executions of their own.

use crate::asl::machine::{Map, State};
use crate::model::EventType;

use super::execution::{Execution, Flow};
use super::failure::Halt;
use super::thread::Thread;

/// A Map Run at work.
#[derive(Debug)]
pub(super) struct MapRun {}

impl MapRun {
    /// The type of the event that the Map Run writes next.
    pub(super) fn next_event(&self) -> EventType {
        EventType::MapRunStarted
    }
}

impl Execution<'_> {
    /// Begins a Map Run: reads the items, and sets what is written next.
    pub(super) fn begin_map_run(&mut self, thread: &mut Thread, state: &State, map: &Map) -> Result<Flow, Halt> {
        let _ = (thread, state, map);
        Ok(Flow::Wait)
    }

    /// Writes the next event of the Map Run.
    pub(super) fn map_run(&mut self, thread: &mut Thread, state: &State) -> Result<Flow, Halt> {
        let _ = (thread, state);
        Ok(Flow::Wait)
    }
}
