//! What is measured, and in which order: every round measures each case with every peer in turn, so
//! that a machine that is busier for a while is so for all of them.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    bodies::{self, Direction},
    closed_loop,
    error::Error,
    open_loop,
    peer::{self, Peer, Running},
    usage::{cpu_time, memory_kib},
};

/// A kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Small requests, as many as come back
    Small,
    /// Small requests at a fixed rate
    Open,
    /// Long bodies
    Bodies,
}

/// What to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct Plan {
    /// How many rounds there are
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many seconds each measurement takes
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Measure only these kinds; may be repeated
    #[arg(long)]
    only: Vec<Kind>,
    /// The peers; may be repeated [default: all]
    #[arg(long)]
    peer: Vec<Peer>,
    /// The threads or processes of each proxy; may be repeated
    #[arg(long, default_values_t = [1, 2])]
    threads: Vec<usize>,
    /// The connections of the small requests; may be repeated
    #[arg(long, default_values_t = [1, 64, 256, 1024])]
    connections: Vec<usize>,
    /// The rate of the open loop, in requests a second [default: half of the slowest peer's most]
    #[arg(long)]
    rate: Option<f64>,
}

/// One thing that was measured of one peer, once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What was done: the same for all peers.
    pub(crate) case: String,
    /// Who did it.
    pub(crate) peer: Peer,
    /// What of it was measured, with its unit.
    pub(crate) measure: Measure,
    /// The value, in that unit.
    pub(crate) value: f64,
}

/// A measured quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Requests that were answered in a second.
    RequestsPerSecond,
    /// Half of the answers came within so many microseconds.
    P50Micros,
    /// 99 of 100 answers came within so many microseconds.
    P99Micros,
    /// 999 of 1,000 answers came within so many microseconds.
    P999Micros,
    /// CPU time of the proxy for each request, in microseconds.
    ProxyMicros,
    /// CPU time of the proxy and what stands behind it for each request, in microseconds.
    TotalMicros,
    /// MiB of bodies in a second.
    MibPerSecond,
    /// CPU time of the proxy for each GiB, in seconds.
    ProxySecondsPerGib,
    /// The most memory that the proxy had, in MiB.
    ProxyPeakMib,
    /// Requests that were not answered as they should have been.
    Errors,
}

impl Plan {
    /// Measures everything.
    ///
    /// # Errors
    ///
    /// When a peer does not come up or fails.
    pub(crate) fn measure(&self) -> Result<Vec<Figure>, Error> {
        let mut figures = Vec::new();
        for round in 1..=self.rounds {
            for &threads in &self.threads {
                if self.wants(Kind::Small) {
                    for &connections in &self.connections {
                        self.small(round, threads, connections, &mut figures)?;
                    }
                }
                if self.wants(Kind::Open) {
                    self.open(round, threads, &mut figures)?;
                }
                if self.wants(Kind::Bodies) {
                    self.bodies(round, threads, &mut figures)?;
                }
            }
        }
        Ok(figures)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Every peer that takes part. The one without a proxy has no threads to choose.
    fn peers(&self, threads: usize) -> impl Iterator<Item = Peer> {
        let all = Peer::ALL.into_iter();
        all.filter(move |peer| {
            let wanted = self.peer.is_empty() || self.peer.contains(peer);
            wanted && (*peer != Peer::Direct || threads == self.threads[0])
        })
    }

    fn small(
        &self,
        round: usize,
        threads: usize,
        connections: usize,
        figures: &mut Vec<Figure>,
    ) -> Result<(), Error> {
        let case = format!("small requests, {threads} threads, {connections} connections");
        for peer in self.peers(threads) {
            say(round, &case, peer);
            let running = peer::start(peer, threads)?;
            // Connections are opened and keys are pinned before anything is counted.
            closed_loop::load(running.port, connections, Duration::from_secs(1))?;
            let before = Used::of(&running)?;
            let found = closed_loop::load(running.port, connections, self.time())?;
            let used = Used::of(&running)?.since(&before);
            let count = found.requests.max(1) as f64;
            let mut note = |measure, value| figures.push(figure(&case, peer, measure, value));
            note(Measure::RequestsPerSecond, count / found.time.as_secs_f64());
            note(Measure::P50Micros, micros(found.p50));
            note(Measure::P99Micros, micros(found.p99));
            note(Measure::ProxyMicros, micros(used.proxy) / count);
            note(Measure::TotalMicros, micros(used.proxy + used.far) / count);
            note(Measure::ProxyPeakMib, used.peak_mib);
            note(Measure::Errors, found.errors as f64);
        }
        Ok(())
    }

    fn open(&self, round: usize, threads: usize, figures: &mut Vec<Figure>) -> Result<(), Error> {
        let rate = match self.rate {
            Some(rate) => rate,
            None => self.half_of_the_slowest(threads)?,
        };
        let case =
            format!("open loop, {threads} threads, 64 connections, half of the least maximum");
        for peer in self.peers(threads) {
            say(round, &case, peer);
            let running = peer::start(peer, threads)?;
            closed_loop::load(running.port, 64, Duration::from_secs(1))?;
            let found = open_loop::load(running.port, 64, rate, self.time())?;
            let mut note = |measure, value| figures.push(figure(&case, peer, measure, value));
            note(
                Measure::RequestsPerSecond,
                found.requests as f64 / self.time().as_secs_f64(),
            );
            note(Measure::P50Micros, micros(found.p50));
            note(Measure::P99Micros, micros(found.p99));
            note(Measure::P999Micros, micros(found.p999));
        }
        Ok(())
    }

    /// The rate that is half of what the slowest proxy can do, so that none is pressed.
    fn half_of_the_slowest(&self, threads: usize) -> Result<f64, Error> {
        let mut least = f64::INFINITY;
        for peer in self.peers(threads).filter(|peer| *peer != Peer::Direct) {
            let running = peer::start(peer, threads)?;
            let found = closed_loop::load(running.port, 64, Duration::from_secs(2))?;
            least = least.min(found.requests as f64 / found.time.as_secs_f64());
        }
        Ok((least / 2.0).min(1e6))
    }

    fn bodies(&self, round: usize, threads: usize, figures: &mut Vec<Figure>) -> Result<(), Error> {
        for (name, direction) in [("answers", Direction::Down), ("uploads", Direction::Up)] {
            for (size, bytes) in [("64 KiB", 64 << 10), ("1 MiB", 1 << 20), ("1 GiB", 1 << 30)] {
                let case = format!("{name} of {size}, {threads} threads, 4 connections");
                for peer in self.peers(threads) {
                    say(round, &case, peer);
                    let running = peer::start(peer, threads)?;
                    let before = Used::of(&running)?;
                    let (moved, time) = bodies::load(running.port, direction, bytes, self.time())?;
                    let used = Used::of(&running)?.since(&before);
                    let mib = moved as f64 / f64::from(1 << 20);
                    let mut note =
                        |measure, value| figures.push(figure(&case, peer, measure, value));
                    note(Measure::MibPerSecond, mib / time.as_secs_f64());
                    note(
                        Measure::ProxySecondsPerGib,
                        used.proxy.as_secs_f64() / mib * 1024.0,
                    );
                    note(Measure::ProxyPeakMib, used.peak_mib);
                }
            }
        }
        Ok(())
    }
}

/// What a peer has used so far.
struct Used {
    proxy: Duration,
    far: Duration,
    peak_mib: f64,
}

impl Used {
    fn of(running: &Running) -> Result<Self, Error> {
        let (_, peak) = memory_kib(&running.proxy)?;
        Ok(Self {
            proxy: cpu_time(&running.proxy)?,
            far: cpu_time(&running.far)?,
            peak_mib: peak as f64 / 1024.0,
        })
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            proxy: self.proxy.saturating_sub(before.proxy),
            far: self.far.saturating_sub(before.far),
            peak_mib: self.peak_mib,
        }
    }
}

fn figure(case: &str, peer: Peer, measure: Measure, value: f64) -> Figure {
    let case = case.to_owned();
    Figure {
        case,
        peer,
        measure,
        value,
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn say(round: usize, case: &str, peer: Peer) {
    eprintln!("round {round}: {case}: {}", peer.name());
}
