//! Random scenario files, by proptest: a file shrinks by losing statements and threads.
//!
//! Knows how often what is drawn. Does not know how statements are written.

use model_tests::files::{File, Kind, Options, Statement, Topic, Words};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Any program.
pub(crate) fn file() -> impl Strategy<Value = File> {
    let topics = prop_oneof![
        1 => Just(vec![Topic::Locks]),
        6 => subsequence(Topic::ALL.to_vec(), 1..=3),
    ];
    let expect = select(File::EXPECTED.to_vec());
    (topics, options(), expect).prop_flat_map(|(topics, options, expect)| {
        let statement = statement(&topics);
        let unusual = Kind::unusual(&topics).to_vec();
        let kind = prop_oneof![6 => Just(Kind::Plain), 1 => select(unusual)];
        let few = vec((kind.clone(), vec(statement.clone(), 1..=4)), 2..=2);
        let some = vec((kind.clone(), vec(statement.clone(), 1..=3)), 3..=3);
        let many = vec((kind, vec(statement, 1..=1)), 3..=4);
        let threads = prop_oneof![3 => few, 3 => some, 1 => many];
        (Just(topics), Just(options), threads).prop_map(move |(topics, options, threads)| File {
            topics,
            expect,
            options,
            threads,
        })
    })
}

fn options() -> impl Strategy<Value = Options> {
    (
        select(Options::PREFERENCES.to_vec()),
        select(Options::CONDVARS.to_vec()),
        0..=2_u32,
        select(Options::SEMAPHORES.to_vec()),
        select(Options::CAPACITIES.to_vec()),
        1..=3_u32,
    )
        .prop_map(
            |(preference, condvar, permits, semaphore, capacity, parties)| Options {
                preference,
                condvar,
                permits,
                semaphore,
                capacity,
                parties,
            },
        )
}

/// A statement about one of these topics, or, now and then, about nothing.
fn statement(topics: &[Topic]) -> BoxedStrategy<Statement> {
    let Words {
        lines,
        pairs,
        blocks,
    } = Words::about(topics);
    let line = select(lines).prop_map(Statement::Line);
    let leaf = if pairs.is_empty() {
        line.boxed()
    } else {
        let pair = select(pairs.clone())
            .prop_map(|(first, last)| Statement::Around(first, Vec::new(), last));
        prop_oneof![3 => line, 2 => pair].boxed()
    };
    leaf.prop_recursive(2, 5, 2, move |inner| {
        let body = vec(inner.clone(), 1..=2);
        let heads = select(blocks.clone());
        let nested = (heads, vec(vec(inner.clone(), 0..=1), 3)).prop_map(|(heads, bodies)| {
            Statement::Blocks(heads.iter().copied().zip(bodies).collect())
        });
        if pairs.is_empty() {
            return prop_oneof![4 => inner, 1 => nested].boxed();
        }
        let pair = (select(pairs.clone()), body)
            .prop_map(|((first, last), body)| Statement::Around(first, body, last));
        prop_oneof![2 => inner, 3 => pair, 1 => nested].boxed()
    })
    .boxed()
}
