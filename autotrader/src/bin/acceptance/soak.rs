//! Memory under a load that does not change.
//!
//! Knows what is flat. Does not know how memory is read, nor what the load is.

use serde::Serialize;

/// A second half that has grown by more than this leaks. Less is how an allocator with an arena for
/// each thread settles: medians of quarters of 150 s differed by up to 170 KiB. In a soak of 600 s
/// with 16 clients this is 16 bytes for each request, or 220 for each reset.
const GROWTH_KIB_MAX: i64 = 512;

/// Rows of the table.
const PARTS: usize = 10;

/// Fewer samples say nothing: for the first four minutes the threads that wait for the disk, and
/// the allocator's arena of each, become more.
pub(crate) const SAMPLES_MIN: usize = 500;

/// Memory over time, and whether it grows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Trend {
    /// Samples, one in each second.
    pub(crate) samples: usize,
    /// Median, least and most of each tenth of the time, in KiB.
    pub(crate) parts: Vec<(u64, u64, u64)>,
    /// The median of the last quarter less that of the third.
    pub(crate) growth_kib: i64,
    pub(crate) growth_kib_max: i64,
}

impl Trend {
    /// Of samples in KiB; none of too few.
    pub(crate) fn of(samples: &[u64]) -> Option<Self> {
        let count = samples.len();
        if count < SAMPLES_MIN {
            return None;
        }
        let part = |number: usize, of: usize| {
            sorted(&samples[count * number / of..count * (number + 1) / of])
        };
        let parts = (0..PARTS).map(|number| {
            let part = part(number, PARTS);
            (part[part.len() / 2], part[0], part[part.len() - 1])
        });
        let quarter = |number: usize| {
            let part = part(number, 4);
            i64::try_from(part[part.len() / 2]).unwrap_or(i64::MAX)
        };
        Some(Trend {
            samples: count,
            parts: parts.collect(),
            growth_kib: quarter(3) - quarter(2),
            growth_kib_max: GROWTH_KIB_MAX,
        })
    }

    pub(crate) fn is_flat(&self) -> bool {
        self.growth_kib <= self.growth_kib_max
    }
}

fn sorted(samples: &[u64]) -> Vec<u64> {
    let mut samples = samples.to_vec();
    samples.sort_unstable();
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_to_the_end_is_not_flat() {
        type Memory = fn(u64) -> u64;
        // Memory after so many of 600 seconds.
        let cases: [(&str, Memory, bool); 7] = [
            ("nothing", |_| 10_000, true),
            ("less", |second| 20_000 - second, true),
            (
                "a start that takes long",
                |second| 10_000 + 20 * second.min(300),
                true,
            ),
            ("noise", |second| 10_000 + second * 7_919 % 1_000, true),
            (
                "one peak",
                |second| if second == 500 { 90_000 } else { 10_000 },
                true,
            ),
            ("4 KiB a second", |second| 10_000 + 4 * second, false),
            ("steps", |second| 10_000 + second / 100 * 600, false),
        ];
        for (name, memory, flat) in cases {
            let samples: Vec<_> = (0..600).map(memory).collect();
            let trend = Trend::of(&samples).unwrap();
            assert_eq!(trend.is_flat(), flat, "{name}: {trend:?}");
            assert_eq!(trend.parts.len(), PARTS);
        }
    }

    #[test]
    fn a_few_samples_are_no_trend() {
        assert!(Trend::of(&[10_000; SAMPLES_MIN - 1]).is_none());
        assert!(Trend::of(&[10_000; SAMPLES_MIN]).is_some());
    }
}
