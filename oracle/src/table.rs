//! The states that were met, each once, as bytes.
//!
//! Knows how to find equal bytes again. Does not know what they mean.

/// Numbers byte strings in the order in which they were met first.
#[derive(Debug)]
pub(crate) struct Table {
    bytes: Vec<u8>,
    /// Where each string ends; it starts where the one before it ends.
    ends: Vec<usize>,
    /// Open addressing, a power of two long: a number plus 1, or 0 for a free place.
    slots: Vec<u32>,
}

impl Table {
    pub(crate) fn new() -> Table {
        Table {
            bytes: Vec::new(),
            ends: Vec::new(),
            slots: vec![0; 1 << 10],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The memory that the strings take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = match number {
            0 => 0,
            _ => self.ends[number - 1],
        };
        &self.bytes[start..self.ends[number]]
    }

    /// The number of these bytes, and whether they are new.
    pub(crate) fn number(&mut self, bytes: &[u8]) -> (u32, bool) {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = hash(bytes) as usize & mask;
        while self.slots[at] != 0 {
            let number = self.slots[at] - 1;
            if self.get(number) == bytes {
                return (number, false);
            }
            at = (at + 1) & mask;
        }
        let number = self.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        self.slots[at] = number + 1;
        (number, true)
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        let mut slots = vec![0; mask + 1];
        for number in 0..self.len() as u32 {
            let mut at = hash(self.get(number)) as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = number + 1;
        }
        self.slots = slots;
    }
}

/// Eight bytes at a time, mixed by a multiplication; the high bits, which it mixes best, come down
/// at the end.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn equal_bytes_have_one_number_and_all_are_found_again() {
        let mut table = Table::new();
        let strings: Vec<Vec<u8>> = (0..5_000_u32)
            .map(|number| number.to_le_bytes()[..1 + number as usize % 4].to_vec())
            .collect();
        let mut distinct: Vec<&Vec<u8>> = Vec::new();
        let mut numbers = std::collections::HashMap::new();
        for string in &strings {
            let (number, new) = table.number(string);
            assert_eq!(new, !numbers.contains_key(string));
            assert_eq!(*numbers.entry(string).or_insert(number), number);
            if new {
                assert_eq!(number as usize, distinct.len());
                distinct.push(string);
            }
        }
        assert_eq!(table.len(), distinct.len());
        for (number, string) in (0..).zip(distinct) {
            assert_eq!(table.get(number), string.as_slice());
        }
    }
}
