//! Any bytes as a definition: read, checked and compiled, or refused with a reason; never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stepscope::asl::check::{MOST_DIAGNOSTICS, MachineType, check};
use stepscope::asl::source::{Format, Source};

fuzz_target!(|bytes: &[u8]| {
    for format in [None, Some(Format::Json), Some(Format::Yaml)] {
        let source = match Source::read(bytes, format) {
            Ok(source) => source,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        for machine_type in [MachineType::Standard, MachineType::Express] {
            let verdict = check(&source, machine_type);
            assert!(verdict.diagnostics.len() <= MOST_DIAGNOSTICS);
            for diagnostic in &verdict.diagnostics {
                assert!(source.node(&diagnostic.pointer).is_some() && diagnostic.line > 0 && diagnostic.column > 0);
            }
        }
        let _ = stepscope::asl::compile(&source.to_json());
    }
});
