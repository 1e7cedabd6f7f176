//! What the engines share: one search, its findings and bounds, and the report at its end.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::config::{Config, Leftover, Strategy as Name, Vacuous};
use crate::corpus::Corpus;
use crate::detect::{self, Defect, Findings, Met};
use crate::engine::Outcome;
use crate::engine::reruns::Reruns;
use crate::engine::searches::{self, Number};
use crate::engine::watch::Watch;
use crate::explore::shrink::Shrinker;
use crate::explore::{Ending, Strategy};
use crate::op::{Action, How, Kind, ObjectId, Op, Site, ThreadId};
use crate::report::{
    self, Engine, Progress, REPORT_VERSION, Report, Search as Facts, Severity, StateFacts,
    Strength, Vacuity, Verdict,
};
use crate::trace::{
    Coverage, Difference, Distinct, Event, Identity, Paths, ReplayToken, Run, Turn, features,
    threads_in,
};

/// One search: many executions of one model.
pub(super) struct Search {
    number: Number,
    pub(super) config: Config,
    pub(super) run: Run,
    paths: Paths,
    findings: Findings,
    coverage: Coverage,
    /// Whether the model has used any object.
    has_objects: bool,
    /// How many interleavings there were, of a sample.
    distinct: Option<Distinct>,
    /// What the execution showed, if the strategy goes by that.
    signal: Vec<u64>,
    /// Where schedules are kept.
    corpus: Option<Corpus>,
    watch: Arc<Watch>,
    started: Instant,
    /// When, since the beginning, it was last said how far it is.
    told: Duration,
    facts: Facts,
    /// What is run again, once the search is over.
    reruns: Reruns,
    /// What is being made simpler, after that.
    shrinking: Option<Shrinking>,
    /// Why the search had to be broken off.
    error: Option<String>,
    /// The search whose object this one has met: it is given up, to begin anew.
    gives_way_to: Option<Number>,
    /// Whether an execution ended with threads that wait for ever.
    waited_for_ever: bool,
    /// Threads that were left behind, with what they own.
    threads_left_behind: u64,
    /// Of the process, when the first one was.
    resident_bytes: u64,
    /// What is to be said about how it went.
    remarks: Vec<String>,
    /// The states of the execution so far, if they are known and matter.
    path: HashSet<u128>,
    /// Whether an execution came back to a state that it had been in.
    repeats: bool,
}

/// A finding that is being made simpler.
struct Shrinking {
    /// Its place in the list.
    at: usize,
    shrinker: Shrinker,
    /// Whether this execution has led to it.
    met: bool,
}

/// More findings than this are left as they are.
const SHRUNK_MAX: usize = 20;

/// Between two times that it is said how far a search is, at least.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Steps between two looks at the clock.
const CLOCK_EVERY: usize = 64;

/// How much a process may grow by what threads own that were left behind.
const LEFT_BEHIND_BYTES_MAX: u64 = 1 << 30;

/// Threads left behind between two looks at that.
const RESIDENT_EVERY: u64 = 4_096;

/// Resident memory of this process; 0 where the OS is not asked.
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

/// A sample of fewer executions may have missed that threads meet.
const SAMPLE_EXECUTIONS_MIN: u64 = 100;

/// A systematic search whose executions are cut off again and again will not become complete: it
/// stops after so many.
const CAPPED_MAX: u64 = 100;

impl Search {
    pub(super) fn new(config: Config, number: Number, watch: Arc<Watch>) -> Search {
        Search {
            number,
            run: Run::new(config.program.clone(), spins_max(&config)),
            paths: Paths::new(),
            findings: Findings::default(),
            coverage: Coverage::default(),
            has_objects: false,
            distinct: may_repeat(&config).then(Distinct::default),
            signal: Vec::new(),
            corpus: None,
            watch,
            started: config.started.unwrap_or_else(Instant::now),
            told: Duration::ZERO,
            facts: facts(&config),
            reruns: Reruns::new(reruns(&config), config.engine == Engine::Controlled),
            shrinking: None,
            error: None,
            gives_way_to: None,
            waited_for_ever: false,
            threads_left_behind: 0,
            resident_bytes: 0,
            remarks: Vec::new(),
            path: HashSet::new(),
            repeats: false,
            config,
        }
    }

    /// The same, that keeps schedules there.
    pub(super) fn with_corpus(self, corpus: Option<Corpus>) -> Search {
        Search { corpus, ..self }
    }

    /// The same search from the beginning, with the time that is left.
    #[cfg(feature = "loom")]
    pub(super) fn restarted(&self, config: &Config, watch: &Arc<Watch>) -> Search {
        Search {
            started: self.started,
            ..Search::new(config.clone(), self.number, Arc::clone(watch))
        }
    }

    /// The object's number in this execution, which meets it now if it has not yet; none when it
    /// belongs to another search, so that this one is given up.
    pub(super) fn object(&mut self, identity: &Identity, kind: Kind) -> Option<ObjectId> {
        let epoch = self.run.epoch;
        if let Some(id) = identity.registered(epoch) {
            return Some(id);
        }
        match searches::claim(identity, self.number, epoch, &self.watch) {
            Ok(()) => Some(self.run.meet(identity, kind)),
            Err(other) => {
                self.gives_way_to = Some(other);
                None
            }
        }
    }

    /// Begins an execution.
    pub(super) fn begin(&mut self) {
        let epoch = searches::next_epoch();
        self.facts.executions += u64::from(!self.is_aside());
        self.path.clear();
        self.signal.clear();
        self.run.restart(epoch, &self.paths);
        self.watch
            .executions
            .store(self.facts.executions, Ordering::Relaxed);
        self.watch.in_model.store(true, Ordering::Relaxed);
    }

    /// Looks at an execution that is over, before the threads that are left go on.
    pub(super) fn look_back(&mut self) {
        if !self.reruns.is_on() {
            for (defect, run) in detect::shown_by_orders(&self.run) {
                self.report_of(&run, &defect);
            }
        }
        if !self.is_aside() {
            // The thread that starts those of a scenario is none that people know.
            let main = u32::from(self.run.program.is_none());
            let threads = self.run.spawns.len() as u32 + main;
            self.facts.threads = self.facts.threads.max(threads);
            self.coverage.take(&self.run);
            self.has_objects |= !self.run.objects.is_empty();
            if let Some(distinct) = &mut self.distinct {
                distinct.take(&self.run);
            }
            if self.config.strategy == Name::Fuzz {
                self.signal.extend(features(&self.run));
            }
        }
    }

    /// What the execution that is over showed, as numbers.
    pub(super) fn signal(&self) -> &[u64] {
        &self.signal
    }

    /// Keeps the schedule of the execution that is over.
    pub(super) fn keep(&mut self) {
        let token = ReplayToken::of(&self.run, &self.paths);
        if let Some(corpus) = &mut self.corpus {
            corpus.keep(&token);
        }
    }

    /// These steps of the execution that is over might have had to wait in another order.
    pub(super) fn note_contended(&mut self, steps: &[u32]) {
        self.coverage.note_contended(steps);
    }

    /// Ends an execution.
    pub(super) fn end(&mut self, ending: Ending) {
        self.watch.in_model.store(false, Ordering::Relaxed);
        if self.reruns.is_on() {
            if let Some(difference) = self.reruns.difference(&self.run, ending) {
                self.reruns.stop();
                self.differs(&difference);
            }
            return;
        }
        if self.shrinking.is_some() {
            return;
        }
        self.reruns.note(&self.run, ending);
        let steps = self.run.events.len() as u64;
        self.facts.steps += steps;
        self.facts.steps_longest = self.facts.steps_longest.max(steps);
        self.facts.contended += self.run.contended;
        match ending {
            Ending::Maximal | Ending::Known => {}
            // What ends the check is no bound.
            Ending::Capped => self.facts.executions_capped += u64::from(self.error.is_none()),
            Ending::Redundant => self.facts.executions_blocked += 1,
        }
        if let Some(why) = self.watch.foreign_use() {
            self.error.get_or_insert_with(|| why.to_owned());
        }
    }

    /// Says how far the search is, if somebody wants to know and has not heard for a while.
    pub(super) fn tell_progress(&mut self, estimate: impl FnOnce() -> Option<f64>) {
        let Some(file) = &self.config.progress else {
            return;
        };
        let elapsed = self.started.elapsed();
        if elapsed < self.told + PROGRESS_EVERY {
            return;
        }
        self.told = elapsed;
        let progress = Progress {
            executions: self.facts.executions,
            executions_estimate: estimate(),
            seconds: elapsed.as_secs_f64(),
        };
        // Nothing depends on it: whoever cannot read it goes without.
        let json = serde_json::to_vec(&progress).unwrap_or_default();
        let _ = std::fs::write(file, json);
    }

    /// Whether the search has come to an end before its time.
    pub(super) fn is_broken_off(&self) -> bool {
        self.error.is_some()
            || self.facts.incomplete_reason.is_some()
            || self.gives_way_to.is_some()
    }

    /// Whether a bound, or a failure, ends the search before the next execution.
    pub(super) fn must_stop(&mut self) -> bool {
        if self.is_broken_off() {
            return true;
        }
        let done = self.facts.executions;
        let sampled = !self.config.strategy.is_systematic();
        if self
            .config
            .executions_max
            .is_some_and(|max| done >= max && !sampled)
        {
            self.cut_short(format!("executions_max = {done} executions were done"));
        } else if self
            .config
            .steps_total_max
            .is_some_and(|max| self.facts.steps >= max)
        {
            self.cut_short(format!("{} steps were done", self.facts.steps));
        } else if self.has_enough_errors() {
            let errors = self.config.errors_max.unwrap_or_default();
            self.cut_short(format!("errors_max = {errors} was reached"));
        } else if self.out_of_time() {
            self.cut_short_by_time();
        } else if self.facts.executions_capped >= CAPPED_MAX && !sampled {
            self.cut_short(format!(
                "{CAPPED_MAX} executions reached steps_max = {} steps: a loop that need not end?",
                self.config.steps_max
            ));
        }
        self.facts.incomplete_reason.is_some()
    }

    fn has_enough_errors(&self) -> bool {
        let errors = || {
            let findings = self.findings.list().iter();
            findings
                .filter(|finding| finding.severity == Severity::Error)
                .count()
        };
        self.config
            .errors_max
            .is_some_and(|max| errors() >= max as usize)
    }

    /// Takes note of the state that the execution is in, if the strategy wants to know it; whether
    /// the execution was in it before, so that it need not end.
    pub(super) fn comes_back(&mut self) -> bool {
        let searches = self.config.strategy.is_systematic()
            && self.config.replay.is_none()
            && !self.is_aside();
        if self.run.program.is_none() || !searches {
            return false;
        }
        self.run.state = self.run.state_hash().unwrap_or_default();
        if self.config.strategy == Name::States || self.path.insert(self.run.state) {
            return false;
        }
        self.repeats = true;
        // Whoever goes through all interleavings goes on from that state elsewhere; whoever leaves
        // some out may have relied on what would come next.
        if self.config.strategy != Name::Dfs {
            self.cut_short("an execution came back to a state that it had been in".to_owned());
        }
        true
    }

    /// Whether a bound ends the execution here.
    pub(super) fn out_of_bounds(&mut self) -> bool {
        if self.run.steps_counted() >= self.config.steps_max as usize {
            return true;
        }
        let steps = self.run.events.len();
        if let Some(shrinking) = &self.shrinking {
            return shrinking.met;
        }
        if self.reruns.is_on() {
            return false;
        }
        if steps % CLOCK_EVERY == CLOCK_EVERY - 1 && self.out_of_time() {
            self.cut_short_by_time();
            return true;
        }
        false
    }

    fn out_of_time(&self) -> bool {
        self.config
            .time_max
            .is_some_and(|max| self.started.elapsed() >= max)
    }

    fn cut_short_by_time(&mut self) {
        let max = self.config.time_max.unwrap_or_default();
        self.cut_short(format!("time_max = {} s were over", max.as_secs_f64()));
    }

    /// Notes why the search is not complete.
    pub(super) fn cut_short(&mut self, why: String) {
        self.facts.incomplete_reason.get_or_insert(why);
    }

    /// Notes why the check cannot be carried out.
    pub(super) fn fail(&mut self, why: String) {
        self.error.get_or_insert(why);
    }

    /// Notes that the same schedule led elsewhere, which ends the search.
    pub(super) fn diverged(&mut self, why: String) {
        if self.config.replay.is_some() {
            self.fail(format!("the replay token does not fit: {why}"));
            return;
        }
        let last = self.run.events.last();
        let (thread, site) = last.map_or((ThreadId::MAIN, Site::here()), |last| {
            (last.thread, last.site)
        });
        let step = self.run.events.len() + 1;
        self.differs(&Difference {
            thread,
            site,
            why: format!("at step {step} {why}"),
        });
    }

    fn differs(&mut self, difference: &Difference) {
        self.report(&Defect::nondeterminism(difference));
        self.cut_short("the model is not deterministic".to_owned());
    }

    /// Takes in a defect of the execution.
    pub(super) fn report(&mut self, defect: &Defect) {
        let run = std::mem::take(&mut self.run);
        self.report_of(&run, defect);
        self.run = run;
    }

    /// The same, of an execution that leads there.
    fn report_of(&mut self, run: &Run, defect: &Defect) {
        let met = Met {
            run,
            paths: &self.paths,
            execution: self.facts.executions,
        };
        if self.reruns.is_on() {
            // It was met before, or else the difference says it.
            return;
        }
        if let Some(shrinking) = &mut self.shrinking {
            let is_it = self.findings.place(defect) == Some(shrinking.at);
            if is_it && !shrinking.met {
                shrinking.met = true;
                if shrinking.shrinker.met(run.schedule()) {
                    self.findings.simplify(shrinking.at, defect, &met);
                }
            }
            return;
        }
        let before = self.findings.list().len();
        self.findings.add(defect, &met);
        // A finding is worth as much as anything that was never seen before.
        self.signal
            .extend(self.findings.place(defect).map(|at| at as u64));
        if self.findings.list().len() > before {
            let mut shared = self
                .watch
                .findings
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            shared.extend(self.findings.list().last().cloned());
        }
    }

    /// Whether the execution that runs is no part of the search any more.
    pub(super) fn is_aside(&self) -> bool {
        self.reruns.is_on() || self.shrinking.is_some()
    }

    /// Once the search is over: the next schedule to be run.
    pub(super) fn next_aside(&mut self) -> Option<Vec<Turn>> {
        self.next_rerun().or_else(|| self.next_to_shrink())
    }

    /// The next schedule to be run again; none when that was done as often as is asked for.
    pub(super) fn next_rerun(&mut self) -> Option<Vec<Turn>> {
        if self.is_broken_off() {
            self.reruns.stop();
        }
        self.reruns.next()
    }

    /// The next schedule to be tried, to make a finding's interleaving simpler; none when all are as
    /// simple as they get.
    fn next_to_shrink(&mut self) -> Option<Vec<Turn>> {
        let is_given_up = self.error.is_some() || self.gives_way_to.is_some();
        if !self.config.shrink || self.config.replay.is_some() || is_given_up {
            return None;
        }
        let list = self.findings.list().len().min(SHRUNK_MAX);
        loop {
            if let Some(shrinking) = &mut self.shrinking {
                shrinking.met = false;
                if let Some(schedule) = shrinking.shrinker.propose() {
                    return Some(schedule);
                }
            }
            let next = self.shrinking.as_ref().map_or(0, |its| its.at + 1);
            let can_be = |at: &usize| {
                let code = self.findings.list()[*at].code;
                !matches!(
                    code,
                    report::Code::Nondeterminism | report::Code::Starvation
                )
            };
            let at = (next..list).find(can_be)?;
            self.shrinking = Some(Shrinking {
                at,
                shrinker: Shrinker::new(self.findings.schedule(at)),
                met: false,
            });
        }
    }

    /// Notes that a thread was left behind where it stood: what it owns stays allocated.
    pub(super) fn left_behind(&mut self) {
        if self.threads_left_behind == 0 {
            self.resident_bytes = resident_bytes();
        }
        self.threads_left_behind += 1;
        if self.threads_left_behind.is_multiple_of(RESIDENT_EVERY)
            && resident_bytes() > self.resident_bytes + LEFT_BEHIND_BYTES_MAX
        {
            self.cut_short(format!(
                "{} threads were left behind in the middle of their work, and with what they own \
                 the process has grown by more than 1 GiB",
                self.threads_left_behind
            ));
        }
    }

    /// A thread of the model has ended the process, or would have; that defect ends the search.
    #[cfg(unix)]
    pub(super) fn aborted(&mut self, defect: &Defect) {
        self.report(defect);
        // Each time that it is done again it would write to stderr again.
        self.config.shrink = false;
        self.cut_short("the model aborts the process, which ends the search as well".to_owned());
    }

    /// A destructor has panicked, of a thread that was unwound since its execution was over: from
    /// now on none is.
    #[cfg(unix)]
    pub(super) fn destructor_panicked(&mut self, panicked: &crate::detect::Panicked) {
        self.config.leftover = Leftover::Abandon;
        let place = match &panicked.site {
            Some(site) => format!(" at {site}"),
            None => String::new(),
        };
        self.remarks.push(format!(
            "a destructor{place} panicked in a thread that was unwound when an execution had ended \
             ({}); from then on threads were left where they stood, as `leftover = \"abandon\"` \
             asks for from the beginning",
            panicked.message
        ));
    }

    /// Starts a thread; none when there are too many.
    pub(super) fn spawn(
        &mut self,
        parent: ThreadId,
        name: Option<String>,
        site: Site,
    ) -> Option<ThreadId> {
        let child = self.run.spawn(parent, name, site, &mut self.paths)?;
        self.name_thread(child);
        Some(child)
    }

    /// Notes that the model starts more threads than there may be.
    pub(super) fn fail_too_many_threads(&mut self) {
        let most = ThreadId::COUNT_MAX - 1;
        self.fail(format!("a model may start at most {most} threads"));
    }

    /// Announces an operation; what waiting for it would close is reported.
    pub(super) fn announce(&mut self, by: ThreadId, op: Op, site: Site) {
        self.watch.beat(by.0, site);
        self.run.announce(by, op, site);
        if !self.run.world.enabled(op, by)
            && let Some(defect) = detect::closed_cycle(&self.run, by)
        {
            self.report(&defect);
        }
    }

    /// Does the announced operation of the thread; what is wrong with it is reported.
    pub(super) fn execute(&mut self, by: ThreadId, case: u32) -> Event {
        let pending = self.run.pending(by).expect("an announced operation");
        let (op, site) = (pending.op, pending.site);
        let defect = match op.action {
            Action::Unlock => detect::misused_release(&self.run, by, op, site),
            // What others have freed may have been held in another order: see `look_back`.
            Action::Slow | Action::Exit if self.run.freed_by_others => None,
            Action::Slow => detect::slow_under_lock(&self.run, by, op, site),
            Action::Exit => detect::leaked_guard(&self.run, by, op),
            Action::Read if op.how == How::Insist => {
                detect::recursive_read(&self.run, by, op, site)
            }
            _ => None,
        };
        // What is wrong shows before it is done, and is shown with it done: it is the last step of
        // the interleaving that a replay has to do again.
        let event = self.run.execute(by, case);
        if let Some(defect) = defect {
            self.report(&defect);
        }
        event
    }

    /// Reports what is wrong when nothing is enabled.
    pub(super) fn report_stuck(&mut self) {
        self.run.forget_standstill();
        self.waited_for_ever |= self.run.live != 0;
        let defects = detect::stuck(&self.run, u64::MAX);
        let mut left = threads_in(self.run.live);
        if defects.is_empty()
            && self.run.program.is_none()
            && left.any(|thread| !self.run.threads[thread.index()].daemon)
        {
            // What nobody can explain is not called proved.
            self.cut_short(
                "threads wait for ever in an interleaving, and none says why".to_owned(),
            );
        }
        for defect in defects {
            self.report(&defect);
        }
    }

    /// Whether an execution ended with threads that wait for ever.
    #[cfg(feature = "loom")]
    pub(super) fn has_waited_for_ever(&self) -> bool {
        self.waited_for_ever
    }

    /// Reports threads that can never go on again, and threads that never come to their end.
    pub(super) fn report_for_ever(&mut self, stuck: u64, starving: u64) {
        let mut defects = detect::stuck(&self.run, stuck);
        defects.extend(detect::never_ends(&self.run, starving));
        for defect in defects {
            self.report(&defect);
        }
    }

    /// Reports what is wrong with an execution that a bound on steps cut off.
    pub(super) fn report_capped(&mut self) {
        if self.is_aside() {
            return;
        }
        for defect in detect::starved(&self.run, detect::ATTEMPTS_MIN) {
            self.report(&defect);
        }
    }

    /// Notes a thread's name for the watching thread.
    fn name_thread(&self, thread: ThreadId) {
        let mut names = self
            .watch
            .thread_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if names.len() <= thread.index() {
            names.resize(thread.index() + 1, String::new());
            names[thread.index()] = self.run.thread_name(thread);
            if names[0].is_empty() {
                names[0] = "main".to_owned();
            }
        }
    }

    /// What came of it, at the end of the search.
    pub(super) fn into_outcome(self, strategy: Option<&dyn Strategy>) -> Outcome {
        match self.gives_way_to {
            Some(other) => Outcome::After(other),
            None => Outcome::of(self.into_report(strategy)),
        }
    }

    /// Why it says nothing that nothing was found, if that is so.
    fn vacuity(&self) -> Option<Vacuity> {
        // A scenario is asked for its answer, and one interleaving or a few show little.
        let may_be_told = self.config.program.is_none()
            && !is_single(&self.config)
            && (self.facts.strength != Strength::Sampled
                || self.facts.executions >= SAMPLE_EXECUTIONS_MIN);
        if !may_be_told || self.run.has_met || self.facts.contended > 0 {
            return None;
        }
        Some(match (self.has_objects, self.facts.threads) {
            (false, _) => Vacuity::NoObjects,
            (true, ..2) => Vacuity::OneThread,
            (true, _) => Vacuity::NoContention,
        })
    }

    /// The report, at the end of the search.
    fn into_report(mut self, strategy: Option<&dyn Strategy>) -> Report {
        if searches::await_strays(&self.watch) && self.watch.foreign_use().is_none() {
            self.remarks.push(
                "an OS thread that the model has started by std::thread is still running: what it \
                 does is not explored"
                    .to_owned(),
            );
        }
        let states = strategy.and_then(Strategy::states);
        self.facts.states = match self.repeats {
            true => Some(StateFacts {
                count: None,
                endless: true,
            }),
            false => states,
        };
        self.facts.remarks = strategy.map_or_else(Vec::new, Strategy::remarks);
        self.facts.remarks.append(&mut self.remarks);
        if let Some(corpus) = self.corpus.take() {
            self.facts.remarks.extend(corpus.remarks());
        }
        let contended = strategy.map_or(0, Strategy::contended);
        let estimate = strategy.and_then(Strategy::estimate);
        self.facts.contended = self.facts.contended.max(contended);
        if self.facts.executions_capped > 0 {
            self.cut_short(format!(
                "{} of {} executions reached steps_max = {} steps",
                self.facts.executions_capped, self.facts.executions, self.config.steps_max
            ));
        }
        self.facts.distinct = self.distinct.as_ref().map(Distinct::count);
        self.facts.complete = self.facts.incomplete_reason.is_none() && self.error.is_none();
        self.facts.executions_estimate = estimate.filter(|_| !self.facts.complete);
        self.facts.seconds = self.started.elapsed().as_secs_f64();
        self.facts.spins_max = self.run.waited_for_change.then_some(self.config.spins_max);
        let findings = self.findings.list().to_vec();
        let found = findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let verdict = match (&self.error, found, self.facts.complete) {
            (Some(_), _, _) => Verdict::Error,
            (None, true, _) => Verdict::Found,
            (None, false, true) => Verdict::Clean,
            (None, false, false) => Verdict::Incomplete,
        };
        if verdict == Verdict::Clean && findings.is_empty() {
            self.facts.vacuous = self.vacuity();
        }
        Report {
            v: REPORT_VERSION,
            model: self.config.model,
            verdict,
            search: self.facts,
            findings,
            error: self.error,
            expect: Vec::new(),
            scenario: None,
            coverage: self.coverage.into_report(),
        }
    }
}

/// After how many rounds a thread waits for a change. Of a scenario the whole state is known, so
/// that nobody has to guess; and loom has rules of its own.
fn spins_max(config: &Config) -> Option<u32> {
    let guesses = config.program.is_none() && config.engine == Engine::Controlled;
    guesses.then_some(config.spins_max)
}

/// How many executions are run again. What a scenario does is known, and a single execution is all
/// that is asked for when it is given.
fn reruns(config: &Config) -> u32 {
    match config.program.is_some() || is_single(config) {
        true => 0,
        false => config.reruns,
    }
}

/// Whether an execution may be one that was run before: of a sample, but not of what loom runs,
/// which tells values apart that no step knows.
fn may_repeat(config: &Config) -> bool {
    !config.strategy.is_systematic() && !is_single(config) && config.engine == Engine::Controlled
}

/// Whether one given execution is all that is asked for.
fn is_single(config: &Config) -> bool {
    config.replay.is_some() || config.choices.is_some()
}

/// The facts before anything is done.
fn facts(config: &Config) -> Facts {
    let systematic = config.strategy.is_systematic();
    let strength = match (&config.replay, config.preemptions_max) {
        (Some(_), _) => Strength::Replayed,
        (None, Some(preemptions_max)) if systematic => Strength::Bounded { preemptions_max },
        (None, _) if systematic => Strength::Exhaustive,
        (None, _) => Strength::Sampled,
    };
    Facts {
        engine: config.engine,
        strategy: config.strategy.as_str().to_owned(),
        strength,
        complete: false,
        incomplete_reason: None,
        executions: 0,
        distinct: None,
        executions_blocked: 0,
        executions_capped: 0,
        executions_estimate: None,
        steps: 0,
        steps_longest: 0,
        threads: 0,
        contended: 0,
        vacuous: None,
        vacuous_allowed: config.vacuous == Vacuous::Allow,
        states: None,
        spins_max: None,
        seconds: 0.0,
        seed: (!systematic).then_some(config.seed),
        remarks: Vec::new(),
    }
}

/// The report of a check that could not be carried out.
pub(super) fn refused(config: &Config, why: &str) -> Report {
    Report {
        v: REPORT_VERSION,
        model: config.model.clone(),
        verdict: Verdict::Error,
        search: facts(config),
        findings: Vec::new(),
        error: Some(why.to_owned()),
        expect: Vec::new(),
        scenario: None,
        coverage: report::Coverage::default(),
    }
}

/// Makes it a report of a check that could not be carried out after all.
pub(super) fn refuse(report: &mut Report, why: &str) {
    report.verdict = Verdict::Error;
    report.search.complete = false;
    report.error.get_or_insert_with(|| why.to_owned());
}

/// The report of a search that never came back.
pub(super) fn stalled(config: &Config, watch: &Watch) -> Report {
    let place = watch.last_site().map_or_else(
        || "the beginning of the model".to_owned(),
        |site| format!("its operation at {site}"),
    );
    let foreign = watch
        .foreign_use()
        .map(|why| format!("; {why}"))
        .unwrap_or_default();
    let why = format!(
        "`{}` has come to no operation for {} s since {place}: it is blocked in something that \
         the model does not know (a std lock or channel, I/O, a sleep), or it loops without any \
         operation{foreign}; use gordian::sync and gordian::thread in the model, or raise \
         stall_max",
        watch.last_thread(),
        config.stall_max.as_secs_f64(),
    );
    let mut report = refused(config, &why);
    report.search.executions = watch.executions.load(Ordering::Relaxed);
    report.findings = watch
        .findings
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    report
}
