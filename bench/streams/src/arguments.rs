//! The command line.

use clap::{Args, Parser, Subcommand};

/// Measures streams through a controller. Exit code 1: a demand was not met; 2: no measurement.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) mode: Mode,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Small exchanges of one session, alone and beside bulk transfers of the same session
    Bulk(Bulk),
    /// Server-sent events to many clients
    Events(Events),
    /// A very large body, up and down at once
    Large(Large),
}

/// What `bulk` can be told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Bulk {
    /// Bulk transfers; every second one goes up
    #[arg(long, default_value_t = 4)]
    pub(crate) transfers: usize,
    /// Megabits a second of all transfers together, as a network would limit them; 0 for as fast as
    /// they can, which is limited by the processors alone
    #[arg(long, default_value_t = 1_000)]
    pub(crate) megabits: u64,
    /// Small exchanges in a second, at fixed times
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// Seconds of each of the two phases
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub(crate) seconds: u32,
    /// How many times as long as alone an exchange may take, at the 99th percentile
    #[arg(long, default_value_t = 3.0)]
    pub(crate) ratio_max: f64,
}

/// What `events` can be told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Events {
    /// Clients, each with a stream of its own
    #[arg(long, default_value_t = 1_000)]
    pub(crate) clients: usize,
    /// Keys that they share
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keys: u32,
    /// Milliseconds between two events of a stream
    #[arg(long, default_value_t = 100)]
    pub(crate) every_ms: u32,
    /// Events of each stream
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) events: u32,
    /// The longest that an event may take, at the 99th percentile, in milliseconds
    #[arg(long, default_value_t = 20)]
    pub(crate) delay_ms_max: u32,
}

/// What `large` can be told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Large {
    /// MiB in each direction
    #[arg(long, default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) mib: u32,
    /// The most MiB that the controller and the worker may grow by, each
    #[arg(long, default_value_t = 32)]
    pub(crate) growth_mib_max: u64,
}
