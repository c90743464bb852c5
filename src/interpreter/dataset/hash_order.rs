//! The order in which the service writes the columns of a CSV row: that of a hash table of its making, Java's `HashMap`.
//!
//! Recorded rows have it (`0`, `{}`, `True` for the header `0,True,{}`), and it shows wherever the output is a list of rows.

/// The positions of `names` in the order of the hash table.
pub(super) fn hash_order(names: &[impl AsRef<str>]) -> Vec<usize> {
    let mut buckets: usize = 16;
    while names.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    let mut order: Vec<usize> = (0..names.len()).collect();
    // Stable: names of one bucket stand as they were put in.
    order.sort_by_key(|&position| spread(names[position].as_ref()) as usize & (buckets - 1));
    order
}

/// `String.hashCode` over UTF-16, spread as `HashMap.hash` does.
fn spread(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}
