//! What is measured, and in which order: every round measures each case with every peer in turn, so
//! that a machine that is busier for a while is so for all of them.

mod bodies;
mod instructions;
mod open;
mod scale;
mod small;
mod tunnels;
mod websockets;

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{
    case::Case,
    error::Error,
    figure::{Figure, Measure},
    instructions::Function,
    peer::Peer,
};

/// The most websockets that every peer takes as it is set up.
const TUNNELS_MAX: usize = 4_000;

/// A kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Small requests, as many as come back
    Small,
    /// Small requests at a fixed rate
    Open,
    /// Long bodies
    Bodies,
    /// Messages that websockets send back
    Websockets,
    /// Websockets that do nothing
    Tunnels,
    /// Many keys, Constellation alone
    Scale,
    /// Instructions of the controller, counted by valgrind
    Instructions,
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
    /// How many idle websockets there are
    #[arg(long, default_value_t = 2_000, value_parser = tunnels_in_range)]
    tunnels: usize,
    /// How many keys get an owner; may be repeated. The SQLite store is measured with at most 100,000
    #[arg(
        long,
        default_values_t = [1_000, 100_000, 1_000_000, 10_000_000],
        value_parser = clap::value_parser!(u64).range(100..),
    )]
    pins: Vec<u64>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Every figure of every round.
    pub(crate) figures: Vec<Figure>,
    /// The functions that take most instructions, by the last round.
    pub(crate) functions: Vec<Function>,
}

/// One round, and what was found in all of them so far.
#[derive(Debug)]
struct Notebook<'a> {
    round: usize,
    findings: &'a mut Findings,
}

impl Notebook<'_> {
    /// Tells what is measured now.
    fn say(&self, case: Case, peer: Peer) {
        eprintln!("round {}: {case}: {}", self.round, peer.name());
    }

    fn note(&mut self, case: Case, peer: Peer, measure: Measure, value: f64) {
        self.findings.figures.push(Figure {
            case,
            peer,
            measure,
            value,
        });
    }
}

impl Plan {
    /// Measures everything, and adds what it finds to `findings` as soon as it is found.
    ///
    /// # Errors
    ///
    /// When a peer does not come up or fails. What was found before stays.
    pub(crate) fn measure(&self, findings: &mut Findings) -> Result<(), Error> {
        for round in 1..=self.rounds {
            self.round(&mut Notebook { round, findings })?;
        }
        Ok(())
    }

    fn round(&self, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        for &threads in &self.threads {
            self.with_threads(threads, notebook)?;
        }
        if self.wants(Kind::Tunnels) {
            self.tunnels(notebook)?;
        }
        if self.wants(Kind::Scale) {
            self.scale(notebook)?;
        }
        if self.wants(Kind::Instructions) {
            self.instructions(notebook)?;
        }
        Ok(())
    }

    fn with_threads(&self, threads: usize, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        if self.wants(Kind::Small) {
            for &connections in &self.connections {
                self.small(threads, connections, notebook)?;
            }
        }
        if self.wants(Kind::Open) {
            self.open(threads, notebook)?;
        }
        if self.wants(Kind::Bodies) {
            self.bodies(threads, notebook)?;
        }
        if self.wants(Kind::Websockets) {
            self.websockets(threads, notebook)?;
        }
        Ok(())
    }

    fn wants(&self, kind: Kind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn takes(&self, peer: Peer) -> bool {
        self.peer.is_empty() || self.peer.contains(&peer)
    }

    /// Every peer that takes part, in another order in each round: none always comes first. The one
    /// without a proxy has no threads to choose.
    fn peers(&self, round: usize, threads: usize) -> Vec<Peer> {
        let fewest = self.threads.iter().min() == Some(&threads);
        let all = Peer::ALL.into_iter().filter(|peer| self.takes(*peer));
        let mut peers: Vec<_> = all.filter(|peer| *peer != Peer::Direct || fewest).collect();
        let first = round % peers.len().max(1);
        peers.rotate_left(first);
        peers
    }
}

/// HAProxy is set up for 4,096 connections, and so are the backends.
fn tunnels_in_range(text: &str) -> Result<usize, String> {
    let count = text.parse().map_err(|_| "not a number".to_owned())?;
    if (1..=TUNNELS_MAX).contains(&count) {
        return Ok(count);
    }
    Err(format!("not from 1 to {TUNNELS_MAX}"))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
