//! Whole numbers as the differences between them, packed into as few bits as they need (`DELTA_BINARY_PACKED`).
//!
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/#delta-encoding-delta_binary_packed--5>. Blocks of 128 numbers
//! with four parts of 32, as the first implementation writes them: every engine reads that. Ids and moments of a history
//! rise by little from event to event and shrink to a tenth.

const BLOCK: usize = 128;
const PARTS: usize = 4;
const PART: usize = BLOCK / PARTS;

/// Appends the encoded numbers.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    uleb128(BLOCK as u64, out);
    uleb128(PARTS as u64, out);
    uleb128(values.len() as u64, out);
    let Some((first, others)) = values.split_first() else {
        return uleb128(0, out);
    };
    uleb128(zigzag(*first), out);
    let mut previous = *first;
    for block in others.chunks(BLOCK) {
        let mut differences = [0_i64; BLOCK];
        for (difference, value) in differences.iter_mut().zip(block) {
            *difference = value.wrapping_sub(previous);
            previous = *value;
        }
        let known = &differences[..block.len()];
        let least = known.iter().copied().min().unwrap_or(0);
        uleb128(zigzag(least), out);
        #[allow(clippy::cast_sign_loss, reason = "what is above the least is at least 0, counted around the end of the range")]
        let above = |part: usize| known.get(part * PART..).unwrap_or(&[]).iter().take(PART).map(|value| value.wrapping_sub(least) as u64);
        let width = |part: usize| u64::BITS - above(part).fold(0, |bits, value| bits | value).leading_zeros();
        let widths: [u32; PARTS] = std::array::from_fn(width);
        #[allow(clippy::cast_possible_truncation, reason = "at most 64")]
        out.extend(widths.map(|width| width as u8));
        for (part, width) in widths.into_iter().enumerate() {
            pack(above(part), width, out);
        }
    }
}

/// 32 numbers of so many bits each, lowest bit first; missing ones are 0.
fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let end = out.len() + PART * width as usize / 8;
    let (mut waiting, mut bits) = (0_u128, 0);
    for value in values {
        waiting |= u128::from(value) << bits;
        bits += width;
        if bits >= 64 {
            #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
            out.extend_from_slice(&(waiting as u64).to_le_bytes());
            waiting >>= 64;
            bits -= 64;
        }
    }
    out.extend_from_slice(&waiting.to_le_bytes()[..bits.div_ceil(8) as usize]);
    out.resize(end, 0);
}

/// Hands over the encoded numbers; `None` when the bytes end early or make no sense.
pub(super) fn decode(bytes: &[u8], limit: usize, take: &mut dyn FnMut(&[i64])) -> Option<()> {
    let mut at = 0;
    let small = |number: u64| usize::try_from(number).ok().filter(|number| *number <= 1 << 20);
    let block = small(read_uleb128(bytes, &mut at)?)?;
    let parts = small(read_uleb128(bytes, &mut at)?)?;
    let mut left = usize::try_from(read_uleb128(bytes, &mut at)?).ok().filter(|count| *count <= limit)?;
    let mut value = unzigzag(read_uleb128(bytes, &mut at)?);
    let part_length = block.checked_div(parts).filter(|length| length * parts == block && length % 32 == 0 && *length > 0)?;
    if left == 0 {
        return Some(());
    }
    take(&[value]);
    left -= 1;
    let mut numbers = [0_i64; 32];
    while left > 0 {
        let least = unzigzag(read_uleb128(bytes, &mut at)?);
        let widths = bytes.get(at..at + parts)?;
        at += parts;
        for width in widths.iter().map(|width| usize::from(*width)) {
            if left == 0 {
                break;
            }
            if width > 64 {
                return None;
            }
            for _ in 0..part_length / 32 {
                let packed = bytes.get(at..at + width * 4)?;
                at += packed.len();
                let count = left.min(32);
                unpack(packed, width, least, &mut value, &mut numbers);
                take(&numbers[..count]);
                left -= count;
            }
        }
    }
    Some(())
}

/// 32 numbers: each is the one before it, and a packed difference above `least`.
fn unpack(packed: &[u8], width: usize, least: i64, value: &mut i64, numbers: &mut [i64; 32]) {
    let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
    let (mut waiting, mut bits, mut at) = (0_u128, 0, 0);
    for number in numbers {
        if bits < width {
            // The last word of a part may be shorter than eight bytes.
            let rest = &packed[at..];
            let word = rest.first_chunk::<8>().map_or_else(
                || {
                    let mut word = [0; 8];
                    word[..rest.len()].copy_from_slice(rest);
                    u64::from_le_bytes(word)
                },
                |word| u64::from_le_bytes(*word),
            );
            let taken = rest.len().min(8);
            waiting |= u128::from(word) << bits;
            bits += taken * 8;
            at += taken;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "masked, and counted around the end of the range")]
        let difference = (waiting as u64 & mask) as i64;
        waiting >>= width;
        bits = bits.saturating_sub(width);
        *value = value.wrapping_add(least).wrapping_add(difference);
        *number = *value;
    }
}

#[allow(clippy::cast_sign_loss, reason = "the sign becomes the lowest bit")]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[allow(clippy::cast_possible_wrap, reason = "the lowest bit becomes the sign")]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends a number in bytes of seven bits, the lowest first.
#[allow(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub(super) fn uleb128(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads such a number and goes on behind it; `None` at the end, and for one of more than 64 bits.
pub(super) fn read_uleb128(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back(values: &[i64]) -> Vec<i64> {
        let mut bytes = Vec::new();
        encode(values, &mut bytes);
        let mut found = Vec::new();
        decode(&bytes, values.len(), &mut |numbers| found.extend_from_slice(numbers)).expect("what was encoded");
        found
    }

    proptest! {
        #[test]
        fn any_numbers_come_back(values in proptest::collection::vec(any::<i64>(), 0..400)) {
            prop_assert_eq!(there_and_back(&values), values);
        }

        #[test]
        fn small_steps_come_back(steps in proptest::collection::vec(-5_i64..200, 0..700)) {
            let values: Vec<i64> = steps.iter().scan(1_700_000_000_000_000, |at, step| { *at += step; Some(*at) }).collect();
            prop_assert_eq!(there_and_back(&values), values);
        }

        #[test]
        fn any_bytes_are_numbers_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut count = 0;
            decode(&bytes, 1000, &mut |numbers| count += numbers.len());
            prop_assert!(count <= 1000);
        }
    }

    #[test]
    fn numbers_that_rise_by_one_take_no_bits() {
        let values: Vec<i64> = (1..=10_000).collect();
        let mut bytes = Vec::new();
        encode(&values, &mut bytes);
        assert!(bytes.len() < 500, "{}", bytes.len());
    }
}
