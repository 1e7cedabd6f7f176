//! Who does what at the same time: one execution, as data.
//!
//! Knows threads, their calls, and what is judged when. Does not know the program: the reference
//! and the specimens run in the same scenarios.

use std::collections::BTreeSet;
use std::sync::Arc;

use autotrader::{Currency, Lease, Money, Orphan, Protocol, Refusal, Stats};
use gordian::thread::{Builder, JoinHandle};

use crate::desk::Desk;
use crate::disk::{Disk, Faults};
use crate::market::{HOLD, Market, Script};
use crate::properties::{Judge, Property};

/// The environment of one execution.
#[derive(Clone, Debug)]
pub struct World {
    /// The exchange.
    pub market: Arc<Market>,
    /// The disk.
    pub disk: Arc<Disk>,
    /// What clients were told.
    pub desk: Arc<Desk>,
    /// What is judged.
    pub judge: Judge,
    /// Number of currencies.
    pub currencies: usize,
}

/// Makes a program; called again after a crash, with the same disk.
pub type Build = fn(&World) -> Arc<dyn Protocol>;

/// One call of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `POST reset_cycle`.
    Reset(Currency),
    /// `POST resume_cycle`.
    Resume(Currency),
    /// `GET stats`.
    Stats(Currency),
    /// Until the answer is not 503, `POST reset_cycle`.
    ResetUntilDone(Currency),
    /// `POST stop`, for the loop with this thread name.
    Stop(&'static str),
    /// `POST start`; with a lease the thread becomes a loop of so many passes.
    Start(usize),
}

/// One execution: first the prelude, then loops and clients at the same time, then the checks.
///
/// Those of the proofs and of the specimens are constants; a fuzzer's live as long as its input.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<'a> {
    /// Number of currencies.
    pub currencies: usize,
    /// What the environment may do.
    pub script: Script,
    /// One pass per price, before any other thread starts; everything goes well.
    pub prelude: &'a [Money],
    /// Number of passes of each loop: threads `loop-1`, `loop-2` … with the same lease.
    pub loops: &'a [usize],
    /// The calls of each client: threads `client-1` …
    pub clients: &'a [&'a [Call]],
    /// Whether some slow call for currency 0 lasts until all clients have their answers.
    pub patient: bool,
    /// What may go wrong with the disk.
    pub faults: Faults,
    /// Whether properties of state are invariants, looked at after each step. Otherwise they are
    /// looked at in the end.
    pub watched: bool,
}

impl Scenario<'_> {
    /// One loop with one pass, one currency, no client, nothing goes wrong.
    pub const QUIET: Scenario<'static> = Scenario {
        currencies: 1,
        script: Script::CALM,
        prelude: &[],
        loops: &[1],
        clients: &[],
        patient: false,
        faults: Faults::None,
        watched: true,
    };

    fn calls(&self, wanted: impl Fn(&Call) -> bool) -> usize {
        self.clients
            .iter()
            .flat_map(|calls| calls.iter())
            .filter(|call| wanted(call))
            .count()
    }

    /// Whether nobody stops without starting again.
    fn ends_running(&self) -> bool {
        self.clients.iter().all(|calls| {
            let mut last = calls.iter().rev();
            let last = last.find(|call| matches!(call, Call::Stop(_) | Call::Start(_)));
            !matches!(last, Some(Call::Stop(_)))
        })
    }

    fn world(&self, judge: Judge) -> World {
        let stops = self.calls(|call| matches!(call, Call::Stop(_))) > 0;
        let desk = Arc::new(Desk::new(judge, self.currencies, self.clients.len(), stops));
        let disk = Arc::new(Disk::new(self.faults));
        let (books, records) = (Arc::clone(&desk), Arc::clone(&disk));
        let market = Market::new(self.script, judge, books, records, self.currencies);
        let market = Arc::new(market);
        World {
            market,
            disk,
            desk,
            judge,
            currencies: self.currencies,
        }
    }

    /// Runs one execution. To be called in a model.
    pub fn run(&self, build: Build, judge: Judge) -> Ending {
        let world = self.world(judge);
        let program = build(&world);
        let lease = program.start().expect("a new program is not running");
        world.market.calm(HOLD);
        world.disk.calm(true);
        for price in self.prelude {
            world.market.calm(*price);
            program.pass(lease);
        }
        world.market.wild();
        world.disk.calm(false);
        if self.watched {
            watch(&world, &program);
        }
        let mut clients = Vec::new();
        let mut starters = Vec::new();
        for (index, calls) in self.clients.iter().copied().enumerate() {
            let name = format!("client-{}", index + 1);
            let client = Client::new(index, &world, &program, lease);
            let calls = calls.to_vec();
            if calls.iter().any(|call| matches!(call, Call::Start(_))) {
                starters.push(spawn(name, move || client.run(&calls)));
            } else {
                clients.push(spawn(name, move || {
                    client.run(&calls);
                }));
            }
        }
        if self.patient {
            world.market.outlast(std::mem::take(&mut clients));
        }
        let loops = self.loops.iter().enumerate().map(|(index, passes)| {
            let client = Client::new(index, &world, &program, lease);
            let passes = *passes;
            spawn(format!("loop-{}", index + 1), move || {
                client.trade(lease, passes)
            })
        });
        let finished = join(loops.collect()).len() == self.loops.len();
        join(clients);
        join(world.market.not_outlasted());
        let mut leases = vec![lease];
        leases.extend(join(starters).into_iter().flatten());
        let states = self.conclude(build, &world, program, leases);
        Ending { finished, states }
    }

    /// Judges the end: all threads are done, the main one is alone.
    fn conclude(
        &self,
        build: Build,
        world: &World,
        program: Arc<dyn Protocol>,
        leases: Vec<Lease>,
    ) -> Vec<Stats> {
        if world.judge == Judge::Detectors {
            return Vec::new();
        }
        let (mut program, mut leases) = (program, leases);
        world.market.calm(HOLD);
        world.disk.calm(true);
        if self.faults != Faults::None {
            world.disk.restart();
            program = build(world);
            leases = vec![program.start().expect("a new program is not running")];
        }
        let currencies = (0..self.currencies).map(Currency);
        let states: Vec<_> = currencies
            .filter_map(|currency| program.stats(currency).ok())
            .collect();
        for (index, stats) in states.iter().enumerate() {
            judge_answers(world, Currency(index), stats);
        }
        // All goes well now: what is unknown can be learnt, what is in flight can end.
        leases.retain(|lease| program.pass(*lease) && program.pass(*lease));
        let (alive, wanted) = (leases.len(), usize::from(self.ends_running()));
        let what = "not one loop is alive at the end, or one that was stopped";
        world.judge.demand(Property::OneLoop, alive == wanted, what);
        let resets = self.calls(|call| matches!(call, Call::Reset(_) | Call::ResetUntilDone(_)));
        let stops = self.calls(|call| matches!(call, Call::Stop(_)));
        for index in 0..self.currencies {
            let currency = Currency(index);
            let Ok(stats) = program.stats(currency) else {
                continue;
            };
            judge_state(world, currency, &stats);
            judge_books(world, currency, &stats, resets);
            if stops == 0 || !leases.is_empty() {
                judge_liveness(world, currency, &stats);
            }
        }
        states
    }
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whether every loop came to the end of its passes, and so to every currency.
    pub finished: bool,
    /// The state of each currency when all threads were done, before all went well.
    pub states: Vec<Stats>,
}

fn spawn<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    Builder::new()
        .name(name)
        .spawn(body)
        .expect("a thread of the model starts")
}

/// Waits for all; a thread that panicked is a finding of its own.
fn join<T>(threads: Vec<JoinHandle<T>>) -> Vec<T> {
    threads
        .into_iter()
        .filter_map(|thread| thread.join().ok())
        .collect()
}

/// A thread that calls the program.
struct Client {
    index: usize,
    world: World,
    program: Arc<dyn Protocol>,
    lease: Lease,
}

impl Client {
    fn new(index: usize, world: &World, program: &Arc<dyn Protocol>, lease: Lease) -> Self {
        Client {
            index,
            world: world.clone(),
            program: Arc::clone(program),
            lease,
        }
    }

    /// The main loop.
    fn trade(&self, lease: Lease, passes: usize) {
        for _ in 0..passes {
            let over = self.lease_is_over(lease);
            let goes_on = self.program.pass(lease);
            let what = "a loop goes on after its stop";
            self.world
                .judge
                .demand(Property::OneLoop, !(over && goes_on), what);
            if !goes_on {
                return;
            }
        }
    }

    fn lease_is_over(&self, lease: Lease) -> bool {
        self.world.judge.asks(Property::OneLoop) && self.world.desk.is_over(lease)
    }

    fn run(&self, calls: &[Call]) -> Vec<Lease> {
        let mut started = Vec::new();
        for call in calls {
            if self.world.disk.is_dead() {
                break;
            }
            match *call {
                Call::Reset(currency) => drop(self.reset(currency)),
                Call::ResetUntilDone(currency) => {
                    while self.reset(currency) == Err(Refusal::Busy) {}
                }
                Call::Resume(currency) => {
                    self.world.desk.resume_begins(currency, self.index);
                    let answer = self.program.resume(currency);
                    self.judge_answer(answer);
                    let done = answer.is_ok() && !self.world.disk.is_dead();
                    self.world.desk.resume_answered(currency, self.index, done);
                }
                Call::Stats(currency) => self.look(currency),
                Call::Stop(thread) => {
                    self.program.stop();
                    self.world.desk.stopped(thread, self.lease);
                }
                Call::Start(passes) => {
                    if let Some(lease) = self.program.start() {
                        started.push(lease);
                        self.trade(lease, passes);
                    }
                }
            }
        }
        started
    }

    fn reset(&self, currency: Currency) -> Result<(), Refusal> {
        let Client { world, program, .. } = self;
        let mark = world.desk.reset_begins(currency, self.index);
        let answer = program.reset(currency);
        self.judge_answer(answer);
        if answer.is_ok() && !world.disk.is_dead() {
            world.desk.reset_answered(currency, self.index, mark);
        }
        if world.judge.asks(Property::ResetIsWhole)
            && answer == Err(Refusal::Failed)
            && let Ok(stats) = program.stats(currency)
        {
            let own = world.market.bought_in(currency, stats.cycle);
            let what = "a new cycle was counted, the old position is still there";
            world
                .judge
                .demand(Property::ResetIsWhole, stats.volume <= own, what);
        }
        answer
    }

    fn judge_answer(&self, answer: Result<(), Refusal>) {
        let busy = answer == Err(Refusal::Busy);
        self.world
            .judge
            .demand(Property::BoundedReply, !busy, "the answer was 503");
    }

    fn look(&self, currency: Currency) {
        if let Ok(stats) = self.program.stats(currency) {
            // A reset counts itself and pauses at once; nothing else pauses.
            let holds = is_sound(&stats) && (!stats.paused || stats.epoch.0 > 0);
            self.world
                .judge
                .demand(Property::OneInstant, holds, "half of a change was seen");
        }
    }
}

fn is_sound(stats: &Stats) -> bool {
    if stats.active {
        (0..ROWS as i64).contains(&stats.step) && stats.volume > 0
    } else {
        stats.step == -1 && stats.volume == 0
    }
}

/// Number of rows of every currency in the models.
pub const ROWS: usize = 3;

/// Registers the properties of state as invariants.
fn watch(world: &World, program: &Arc<dyn Protocol>) {
    type Holds = fn(&World, Currency, &Stats) -> bool;
    const WATCHED: &[(Property, Holds)] = &[
        (Property::Structure, |_, _, stats| is_sound(stats)),
        (Property::CurrentEpoch, |world, currency, stats| {
            stats.volume <= world.market.bought_in(currency, stats.cycle)
        }),
        (Property::ResetWins, |world, currency, stats| {
            !world.desk.is_reset(currency) || (!stats.active && stats.paused)
        }),
        (Property::PauseIsTheUsers, |world, currency, stats| {
            !world.desk.is_reset(currency) || stats.paused
        }),
        (Property::OwnerClears, |world, currency, stats| {
            stats.busy || !world.market.awaiting(currency)
        }),
    ];
    for (property, holds) in WATCHED
        .iter()
        .filter(|(property, _)| world.judge.asks(*property))
    {
        for index in 0..world.currencies {
            let (world, program) = (world.clone(), Arc::clone(program));
            let currency = Currency(index);
            gordian::invariant(property.name(), move || {
                program
                    .stats(currency)
                    .is_ok_and(|stats| holds(&world, currency, &stats))
            });
        }
    }
}

/// What clients were told must be so, also after a restart.
fn judge_answers(world: &World, currency: Currency, stats: &Stats) {
    let judge = world.judge;
    if world.desk.is_resumed(currency) {
        let what = "paused again after a resume";
        judge.demand(Property::PauseIsTheUsers, !stats.paused, what);
        judge.demand(
            Property::Durable,
            !stats.paused,
            "an acknowledged resume was forgotten",
        );
    }
    if world.desk.is_reset(currency) {
        let reset = !stats.active && stats.paused;
        judge.demand(
            Property::ResetWins,
            reset,
            "acknowledged, but not idle and paused",
        );
        judge.demand(
            Property::Durable,
            reset,
            "an acknowledged reset was forgotten",
        );
        judge.demand(Property::PauseIsTheUsers, stats.paused, "the pause is gone");
    }
}

/// The state at the end, by itself.
fn judge_state(world: &World, currency: Currency, stats: &Stats) {
    let judge = world.judge;
    judge.demand(
        Property::Structure,
        is_sound(stats),
        "idle with a position, or active without",
    );
    let held = world.market.net_of(currency, stats.cycle);
    let what = "the position is not what was traded in its cycle";
    judge.demand(Property::CurrentEpoch, stats.volume == held, what);
}

/// The program's books against the exchange's.
fn judge_books(world: &World, currency: Currency, stats: &Stats, resets: usize) {
    let judge = world.judge;
    let truth = world.market.truth(currency);
    let known = truth.net == stats.volume + stats.orphaned;
    judge.demand(Property::NoLostFill, known, "coins that are in no book");
    judge.demand(
        Property::Durable,
        known,
        "coins that are in no book after a restart",
    );
    judge.demand(
        Property::Durable,
        is_archived(world, currency, stats),
        "an entry of the orphan ledger that is neither in memory nor in the journal",
    );
    let ends = truth.sales + resets as u64;
    judge.demand(
        Property::StartsAndEnds,
        truth.starts <= ends + 1,
        "too many cycles started",
    );
    let honest = stats.profit <= truth.earned;
    judge.demand(
        Property::HonestProfit,
        honest,
        "more profit was booked than made",
    );
}

/// Whether the journal has each entry of the orphan ledger that has left memory.
fn is_archived(world: &World, currency: Currency, stats: &Stats) -> bool {
    let Some(records) = world.disk.kept() else {
        return true;
    };
    let entries = |count: u64, orphans: &[Orphan]| count - orphans.len() as u64..count;
    let left = 0..entries(stats.orphans_count, &stats.orphans).start;
    let books = records.iter().filter(|record| record.currency == currency);
    let kept: BTreeSet<u64> = books
        .flat_map(|record| entries(record.book.orphans_count, &record.book.orphans))
        .collect();
    left.into_iter().all(|place| kept.contains(&place))
}

/// What must have happened by the end.
fn judge_liveness(world: &World, currency: Currency, stats: &Stats) {
    let judge = world.judge;
    judge.demand(
        Property::TokenCleared,
        !stats.busy,
        "an operation is in flight for ever",
    );
    let learnt = !world.market.truth(currency).unresolved;
    judge.demand(
        Property::UnknownResolves,
        learnt,
        "the fate of an order was never learnt",
    );
}
