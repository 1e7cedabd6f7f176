//! Files made of bytes: what a fuzzer changes.
//!
//! Knows how bytes decide. Does not know how statements are written. When the bytes have come to
//! their end every choice is the first one, so that few bytes make a small file.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::{File, Kind, Options, Statement, Topic, Words};

/// Bodies inside of bodies.
const DEPTH_MAX: u32 = 2;

impl<'a> Arbitrary<'a> for File {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let topics = topics(bytes)?;
        let words = Words::about(&topics);
        let threads_count = bytes.int_in_range(2..=4)?;
        let statements_max = [4, 3, 1][threads_count - 2];
        let unusual = Kind::unusual(&topics);
        let threads = (0..threads_count).map(|_| {
            let kind = match bytes.int_in_range(0..=6_u8)? {
                6 => *bytes.choose(unusual)?,
                _ => Kind::Plain,
            };
            let count = bytes.int_in_range(1..=statements_max)?;
            let body = (0..count).map(|_| statement(bytes, &words, DEPTH_MAX));
            Ok((kind, body.collect::<Result<_>>()?))
        });
        let threads = threads.collect::<Result<_>>()?;
        Ok(File {
            topics,
            expect: bytes.choose(&File::EXPECTED)?,
            options: options(bytes)?,
            threads,
        })
    }
}

/// One to three topics, in the order of all.
fn topics(bytes: &mut Unstructured<'_>) -> Result<Vec<Topic>> {
    let mut topics = vec![*bytes.choose(&Topic::ALL)?];
    for _ in 0..bytes.int_in_range(0..=2_u8)? {
        topics.push(*bytes.choose(&Topic::ALL)?);
    }
    topics.sort_unstable();
    topics.dedup();
    Ok(topics)
}

fn options(bytes: &mut Unstructured<'_>) -> Result<Options> {
    Ok(Options {
        preference: bytes.choose(&Options::PREFERENCES)?,
        condvar: bytes.choose(&Options::CONDVARS)?,
        permits: bytes.int_in_range(0..=2)?,
        semaphore: bytes.choose(&Options::SEMAPHORES)?,
        capacity: bytes.choose(&Options::CAPACITIES)?,
        parties: bytes.int_in_range(1..=3)?,
    })
}

fn statement(bytes: &mut Unstructured<'_>, words: &Words, depth: u32) -> Result<Statement> {
    let kind = bytes.int_in_range(0..=7_u8)?;
    Ok(match kind {
        5 | 6 if !words.pairs.is_empty() => {
            let (first, last) = *bytes.choose(&words.pairs)?;
            let count = match depth {
                0 => 0,
                _ => bytes.int_in_range(0..=2_u8)?,
            };
            let body = (0..count).map(|_| statement(bytes, words, depth - 1));
            Statement::Around(first, body.collect::<Result<_>>()?, last)
        }
        7 if depth > 0 => {
            let heads = bytes.choose(&words.blocks)?.iter();
            let blocks = heads.map(|head| {
                let body = match bytes.arbitrary::<bool>()? {
                    true => vec![statement(bytes, words, depth - 1)?],
                    false => Vec::new(),
                };
                Ok((*head, body))
            });
            Statement::Blocks(blocks.collect::<Result<_>>()?)
        }
        _ => Statement::Line(bytes.choose(&words.lines)?),
    })
}
