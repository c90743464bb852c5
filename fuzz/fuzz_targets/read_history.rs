//! Any bytes through the readers: histories or errors, never a panic. Small limits reach the ways of large inputs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stepscope::sources::{Limits, read_stream};

fuzz_target!(|bytes: &[u8]| {
    for document_bytes in [1 << 20, 64] {
        let limits = Limits { document_bytes, depth: 16, ..Limits::default() };
        let mut results = 0_usize;
        read_stream(bytes, "fuzz", &limits, &mut |result| {
            results += 1;
            match result {
                Ok(history) => {
                    // Every text can be decoded, and ids stand in order, each once.
                    let _ = format!("{history:?}");
                    assert!(history.events.is_sorted_by(|one, next| one.id < next.id));
                }
                Err(error) => assert!(error.to_string().contains("fuzz")),
            }
        });
        assert!(results > 0, "every input gives a history or an error");
    }
});
