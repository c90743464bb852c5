//! Any history that the readers accept through the rebuilding of its path: never a panic, and every event is accounted for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stepscope::sources::{Limits, read_stream};

fuzz_target!(|bytes: &[u8]| {
    read_stream(bytes, "fuzz", &Limits::default(), &mut |result| {
        if let Ok(history) = result {
            let path = stepscope::rebuild::rebuild(&history, None);
            let _ = format!("{path:?}");
        }
    });
});
