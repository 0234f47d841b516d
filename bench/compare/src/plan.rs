//! What is measured, and in which order: every round measures each case with every peer in turn, so
//! that a machine that is busier for a while is so for all of them.

mod bodies;
mod open;
mod small;
mod websockets;

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{
    case::Case,
    error::Error,
    figure::{Figure, Measure},
    peer::Peer,
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
    /// Messages that websockets send back
    Websockets,
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

/// One round, and what was found in all of them so far.
#[derive(Debug, Default)]
struct Notebook {
    round: usize,
    figures: Vec<Figure>,
}

impl Notebook {
    /// Tells what is measured now.
    fn say(&self, case: Case, peer: Peer) {
        eprintln!("round {}: {case}: {}", self.round, peer.name());
    }

    fn note(&mut self, case: Case, peer: Peer, measure: Measure, value: f64) {
        self.figures.push(Figure {
            case,
            peer,
            measure,
            value,
        });
    }
}

impl Plan {
    /// Measures everything.
    ///
    /// # Errors
    ///
    /// When a peer does not come up or fails.
    pub(crate) fn measure(&self) -> Result<Vec<Figure>, Error> {
        let mut notebook = Notebook::default();
        for round in 1..=self.rounds {
            notebook.round = round;
            for &threads in &self.threads {
                self.with_threads(threads, &mut notebook)?;
            }
        }
        Ok(notebook.figures)
    }

    fn with_threads(&self, threads: usize, notebook: &mut Notebook) -> Result<(), Error> {
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

    /// Every peer that takes part. The one without a proxy has no threads to choose.
    fn peers(&self, threads: usize) -> impl Iterator<Item = Peer> {
        let all = Peer::ALL.into_iter().filter(|peer| self.takes(*peer));
        all.filter(move |peer| *peer != Peer::Direct || threads == self.threads[0])
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
