//! Predictions in the words of a report.
//!
//! Knows how a circle of requests reads. Does not know why its threads can meet.

use std::collections::HashMap;
use std::time::Duration;

use super::reach::Meeting;
use super::sections::{Request, Sections};
use crate::detect::{Hash, listed};
use crate::report::{
    Code, Coverage, Edge, Engine, Finding, Holder, Outcome, REPORT_VERSION, Report, Search,
    Severity, Site, Step, Strength, Verdict, grouped,
};
use crate::trace::{ActorId, Recorded, Trace};

/// A run, and what it is called.
pub(super) struct Described<'t> {
    pub(super) name: &'t str,
    pub(super) trace: &'t Trace,
    pub(super) sections: &'t Sections,
}

/// A step that matters, and the number it has among those.
struct Told {
    steps: Vec<Step>,
    /// By event.
    numbers: HashMap<usize, u32>,
}

impl Described<'_> {
    /// Of each circle whether it is a prediction, or only a possibility.
    pub(super) fn report(
        &self,
        circles: &[(Meeting, bool)],
        cut_short: Option<String>,
        took: Duration,
    ) -> Report {
        let mut findings: Vec<Finding> = Vec::new();
        for (meeting, predicted) in circles {
            let finding = self.finding(meeting, *predicted);
            let same = |other: &&mut Finding| other.fingerprint == finding.fingerprint;
            match findings.iter_mut().find(same) {
                None => findings.push(finding),
                // The same places; what is shown is the one that is certain.
                Some(other) => {
                    let seen = other.seen + 1;
                    if finding.severity > other.severity {
                        *other = finding;
                    }
                    other.seen = seen;
                }
            }
        }
        let certain = |finding: &Finding| finding.severity == Severity::Error;
        let verdict = match (findings.iter().any(certain), &cut_short) {
            (true, _) => Verdict::Found,
            (false, Some(_)) => Verdict::Incomplete,
            (false, None) => Verdict::Clean,
        };
        Report {
            v: REPORT_VERSION,
            model: self.name.to_owned(),
            verdict,
            search: self.search(cut_short, took),
            findings,
            error: None,
            expect: Vec::new(),
            coverage: Coverage::default(),
            scenario: None,
        }
    }

    fn search(&self, cut_short: Option<String>, took: Duration) -> Search {
        let events = self.trace.len() as u64;
        Search {
            engine: Engine::Native,
            strategy: "predict".to_owned(),
            strength: Strength::Predicted,
            complete: cut_short.is_none(),
            incomplete_reason: cut_short,
            executions: 1,
            distinct: None,
            executions_blocked: 0,
            executions_capped: 0,
            executions_estimate: None,
            steps: events,
            steps_longest: events,
            threads: self.trace.threads() as u32,
            contended: self.sections.shared,
            vacuous: None,
            vacuous_allowed: false,
            states: None,
            spins_max: None,
            seconds: took.as_secs_f64(),
            seed: None,
            remarks: Vec::new(),
        }
    }

    fn finding(&self, meeting: &Meeting, predicted: bool) -> Finding {
        let requests: Vec<&Request> = meeting
            .requests
            .iter()
            .map(|&request| &self.sections.requests[request])
            .collect();
        let told = self.steps(&requests);
        let threads: Vec<_> = requests
            .iter()
            .map(|request| self.thread(request.thread))
            .collect();
        let objects: Vec<_> = requests
            .iter()
            .map(|request| self.trace.lock_name(request.lock).to_owned())
            .collect();
        let orders = if requests.len() == 2 {
            "in opposite orders"
        } else {
            "in a circle"
        };
        let before: u64 = meeting.prefix.iter().map(|&events| u64::from(events)).sum();
        let note = if predicted {
            format!(
                "{} of the run's events lead there in another order; shown are those that matter",
                grouped(before)
            )
        } else {
            "no reordering of this run that keeps the order on each lock leads there; another run \
             may"
            .to_owned()
        };
        Finding {
            code: Code::LockOrder,
            severity: if predicted {
                Severity::Error
            } else {
                Severity::Hazard
            },
            message: format!(
                "{} take {} {orders}",
                listed(threads.clone()),
                listed(objects.clone())
            ),
            edges: self.edges(&requests, &told),
            threads: sorted(threads),
            objects: sorted(objects),
            site: None,
            notes: vec![note],
            steps: told.steps,
            fingerprint: self.fingerprint(&requests),
            token: String::new(),
            execution: 1,
            seen: 1,
            shrunk: None,
        }
    }

    /// The acquisitions that are held where the threads meet, in the order of the run, and the
    /// requests that wait.
    fn steps(&self, requests: &[&Request]) -> Told {
        let held = requests.iter().flat_map(|request| request.held.iter());
        let mut events: Vec<usize> = held.map(|&(_, event)| event).collect();
        events.sort_unstable();
        let waiting = requests.iter().map(|request| request.event);
        let mut told = Told {
            steps: Vec::new(),
            numbers: HashMap::new(),
        };
        for (event, blocked) in events
            .into_iter()
            .map(|event| (event, false))
            .chain(waiting.map(|event| (event, true)))
        {
            let number = told.steps.len() as u32 + 1;
            told.numbers.insert(event, number);
            told.steps.push(self.step(event, number, blocked));
        }
        told
    }

    fn step(&self, event: usize, number: u32, blocked: bool) -> Step {
        let recorded = self.trace.events()[event];
        let object = match recorded.what {
            Recorded::Acquire(lock) | Recorded::Request(lock) => Some(self.trace.lock_name(lock)),
            _ => None,
        };
        let object = object.map(str::to_owned);
        Step {
            number,
            thread: self.thread(recorded.thread),
            operation: "lock".to_owned(),
            acquires: object.iter().filter(|_| !blocked).cloned().collect(),
            object,
            outcome: if blocked {
                Outcome::Blocked
            } else {
                Outcome::Done
            },
            site: self.site(event),
            releases: Vec::new(),
            alternatives: Vec::new(),
        }
    }

    fn edges(&self, requests: &[&Request], told: &Told) -> Vec<Edge> {
        let next = requests.iter().cycle().skip(1);
        let pairs = requests.iter().zip(next);
        pairs
            .map(|(waits, holds)| {
                let taken = holds.held.iter().find(|(lock, _)| *lock == waits.lock);
                let taken = taken.map(|&(_, event)| event);
                Edge {
                    thread: self.thread(waits.thread),
                    operation: "lock".to_owned(),
                    object: self.trace.lock_name(waits.lock).to_owned(),
                    site: self.site(waits.event),
                    step: told.numbers[&waits.event],
                    holder: Some(Holder {
                        thread: self.thread(holds.thread),
                        site: taken.map(|event| self.site(event)),
                        step: taken.map(|event| told.numbers[&event]),
                    }),
                }
            })
            .collect()
    }

    /// Of the locations in the recorded program, which stay the same from run to run. Locks and
    /// threads are often named by addresses, so their names count only where there is no location.
    fn fingerprint(&self, requests: &[&Request]) -> String {
        let location = |event: usize| self.trace.events()[event].location;
        let mut parts = Vec::new();
        for request in requests {
            let name = self.trace.lock_name(request.lock);
            let held = request
                .held
                .iter()
                .map(|&(_, event)| location(event).to_string());
            let held: Vec<_> = held.collect();
            parts.push(match location(request.event) {
                0 | -1 => format!("{name} while {}", held.join(" ")),
                at => format!("{at} while {}", held.join(" ")),
            });
        }
        parts.sort();
        let mut hash = Hash::new();
        hash.add(Code::LockOrder.as_str());
        parts.iter().for_each(|part| hash.add(part));
        hash.digits()
    }

    fn thread(&self, thread: ActorId) -> String {
        self.trace.thread_name(thread).to_owned()
    }

    fn site(&self, event: usize) -> Site {
        Site {
            file: self.name.to_owned(),
            line: self.trace.events()[event].line,
            column: 1,
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
