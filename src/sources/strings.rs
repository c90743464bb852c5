//! Where a JSON string ends.
//!
//! Apart from the cursor because most bytes of a history stand in strings, payloads above all, whose escaped quotes stand too close
//! for a search by library: 64 bytes are looked at in one step, which makes a mask of one bit a byte.

use wide::i8x16;

use super::json::{JsonError, Problem};

/// Where a string has its closing quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub at: usize,
    pub has_escapes: bool,
}

/// Bits of the bytes that matter in a string, the lowest for the first byte.
#[derive(Clone, Copy)]
struct Marks {
    quotes: u64,
    backslashes: u64,
    controls: u64,
}

impl Marks {
    fn of_16(bytes: &[u8; 16]) -> Self {
        let bytes = i8x16::new(bytes.map(u8::cast_signed));
        let bits = |marked: i8x16| u64::from(marked.to_bitmask() & 0xFFFF);
        Self {
            quotes: bits(bytes.simd_eq(i8x16::splat(b'"'.cast_signed()))),
            backslashes: bits(bytes.simd_eq(i8x16::splat(b'\\'.cast_signed()))),
            // Below 0x20 without sign: the highest bit turned over, numbers with sign stand in the order of those without.
            controls: bits((bytes ^ i8x16::splat(i8::MIN)).simd_lt(i8x16::splat(i8::MIN + 0x20))),
        }
    }

    fn of_64(bytes: &[u8; 64]) -> Self {
        let mut all = Self { quotes: 0, backslashes: 0, controls: 0 };
        for (number, part) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let marks = Self::of_16(part);
            all.quotes |= marks.quotes << (16 * number);
            all.backslashes |= marks.backslashes << (16 * number);
            all.controls |= marks.controls << (16 * number);
        }
        all
    }
}

/// Where the string that begins at `start`, after its opening quote, has its closing one.
pub(super) fn string_end(bytes: &[u8], start: usize) -> Result<End, JsonError> {
    let mut at = start;
    // Most names are short.
    if let Some(block) = block::<16>(bytes, at) {
        let Marks { quotes, backslashes, controls } = Marks::of_16(block);
        let others = backslashes | controls;
        let before_quote = quotes & quotes.wrapping_neg();
        if quotes != 0 && others & before_quote.wrapping_sub(1) == 0 {
            return Ok(End { at: at + quotes.trailing_zeros() as usize, has_escapes: false });
        }
        if quotes | others == 0 {
            at += 16;
        }
    }
    let mut has_escapes = false;
    // Whether the first byte of the block is escaped by the last one of the block before.
    let mut is_escaped = 0_u64;
    while let Some(block) = block::<64>(bytes, at) {
        let Marks { quotes, backslashes, controls } = Marks::of_64(block);
        let escaped = escaped(backslashes, &mut is_escaped);
        let stops = (quotes | controls) & !escaped;
        if stops != 0 {
            let first = stops.trailing_zeros() as usize;
            has_escapes |= backslashes & ((1 << first) - 1) != 0;
            return end_at(bytes, at + first, has_escapes);
        }
        has_escapes |= backslashes != 0;
        at += 64;
    }
    by_byte(bytes, at + usize::from(is_escaped != 0), has_escapes)
}

fn block<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..)?.first_chunk()
}

/// The bytes of a block that follow an odd number of backslashes; `carried` is 1 when the first one does, and for the next block then.
///
/// From a run of backslashes every other one escapes the byte after it. Subtracting the runs from the odd positions carries through
/// each run and so turns over the bits at which it ends, as in simdjson.
fn escaped(backslashes: u64, carried: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if backslashes == 0 {
        return std::mem::take(carried);
    }
    let potential = backslashes & !*carried;
    let codes = ((potential << 1) | ODD).wrapping_sub(potential) ^ ODD;
    let escaped = codes ^ (backslashes | *carried);
    *carried = (codes & backslashes) >> 63;
    escaped
}

fn end_at(bytes: &[u8], at: usize, has_escapes: bool) -> Result<End, JsonError> {
    if bytes[at] == b'"' { Ok(End { at, has_escapes }) } else { Err(JsonError { at, problem: Problem::ControlCharacter }) }
}

/// The same for the end of the text.
fn by_byte(bytes: &[u8], mut at: usize, mut has_escapes: bool) -> Result<End, JsonError> {
    loop {
        match bytes.get(at) {
            None => return Err(JsonError { at: bytes.len(), problem: Problem::End { in_string: true } }),
            Some(b'\\') => {
                has_escapes = true;
                at += 2;
            }
            Some(b'"' | 0..0x20) => return end_at(bytes, at, has_escapes),
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_end_is_found_wherever_it_stands() {
        for length in 0..200 {
            for escape in ["", "\\\"", "\\\\", "é\\n"] {
                let text = format!("{}{escape}{}\"rest", "x".repeat(length), "y".repeat(length % 7));
                let end = string_end(text.as_bytes(), 0).expect("a string");
                assert_eq!(end, End { at: text.len() - 5, has_escapes: escape.contains('\\') }, "{text}");
            }
        }
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![6 => Just(b'\\'), 1 => Just(b'"'), 1 => Just(b'\n'), 1 => Just(0x1F), 30 => 0x20_u8..0xFF, 1 => Just(0x80)];
        prop::collection::vec(byte, 0..300)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn steps_of_many_bytes_find_what_steps_of_one_find(bytes in bytes(), start in 0_usize..80) {
            let start = start.min(bytes.len());
            prop_assert_eq!(string_end(&bytes, start), by_byte(&bytes, start, false));
        }
    }
}
