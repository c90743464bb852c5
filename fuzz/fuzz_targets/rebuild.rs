//! Any history that the readers accept, rebuilt and explained: never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stepscope::analysis::show;
use stepscope::analysis::why::{Evidence, why};
use stepscope::asl::Definition;
use stepscope::rebuild::rebuild;
use stepscope::sources::{Limits, read_stream};

fuzz_target!(|bytes: &[u8]| {
    read_stream(bytes, "fuzz", &Limits::default(), &mut |result| {
        if let Ok(history) = result {
            let definition = history.definition.as_ref().and_then(|text| Definition::parse(&text.decode()).ok());
            let path = rebuild(&history, definition.as_ref());
            assert_eq!(path.visit_of.len(), history.events.len());
            let report = why(Evidence { history: &history, path: &path, definition: definition.as_ref() });
            let shown = show::show(&history, &path);
            assert_eq!(report.execution.events, shown.execution.events);
        }
    });
});
