//! The command line of operators, as it was typed: what they ask of a running controller.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

/// The most keys of one page.
const PAGE_KEYS_MAX: u64 = constellation_actors::PAGE_KEYS_MAX as u64;

/// What to ask of a running controller.
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Show the workers.
    Workers(AdminArguments),
    /// List keys and who owns them.
    Keys(KeysArguments),
    /// Tell all that is known of one key: its owner, who is next, and how it came about.
    Explain(KeyArguments),
    /// Hand all keys of a worker over to others, and wait until it is empty.
    Drain(DrainArguments),
    /// Give a worker no new keys; those it has stay.
    Cordon(WorkerArguments),
    /// Let a cordoned or drained worker get keys again.
    Uncordon(WorkerArguments),
    /// Hand a key over to another worker, and wait until that holds it.
    Move(MoveArguments),
    /// Take a key from its owner; its next request finds it one.
    Unpin(KeyArguments),
    /// Show or change whether keys are moved so that workers have equally many.
    Rebalance(RebalanceArguments),
    /// Show how often what happened since the controller started.
    Counters(AdminArguments),
}

/// Where the controller's admin port is, and how to get in.
///
/// What is not given here is taken from the settings file, so that none of it is needed on the
/// controller's machine.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct AdminArguments {
    /// The controller's admin port [default: that of the settings, http://localhost:8002].
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<String>,
    /// A file with an admin key. CONSTELLATION_ADMIN_KEY in the environment holds one too.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_key_file: Option<PathBuf>,
    /// The header that carries the key [default: that of the settings, x-api-key].
    #[arg(long, value_name = "NAME")]
    pub(crate) admin_key_header: Option<String>,
    /// The controller's settings file.
    #[arg(long, value_name = "FILE", default_value = "./constellation.json")]
    pub(crate) config: PathBuf,
    /// How long one answer of the controller may take.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Print the controller's JSON, for scripts.
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Which keys to list.
#[derive(Args, Debug)]
pub(crate) struct KeysArguments {
    /// Only keys that begin so.
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// Only keys of this worker: its id, the beginning of its id, or its name.
    #[arg(long, value_name = "WORKER")]
    pub(crate) worker: Option<String>,
    /// Only keys that come behind this one, in the order of their bytes.
    #[arg(long, value_name = "KEY")]
    pub(crate) after: Option<String>,
    /// How many, at most 10,000.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, conflicts_with = "all",
          value_parser = clap::value_parser!(u64).range(1..=PAGE_KEYS_MAX))]
    pub(crate) limit: u64,
    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
}

/// One key.
#[derive(Args, Debug)]
pub(crate) struct KeyArguments {
    /// The key, such as /db/x.
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
}

/// One worker.
#[derive(Args, Debug)]
pub(crate) struct WorkerArguments {
    /// The worker: its id, the beginning of its id, or its name.
    pub(crate) worker: String,
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
}

/// Which worker to empty.
#[derive(Args, Debug)]
pub(crate) struct DrainArguments {
    /// Return as soon as it has begun.
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) worker: WorkerArguments,
}

/// Which key to move, and where.
#[derive(Args, Debug)]
pub(crate) struct MoveArguments {
    /// The key, such as /db/x.
    pub(crate) key: String,
    /// The worker that is to have it: its id, the beginning of its id, or its name [default:
    /// whoever is next].
    pub(crate) worker: Option<String>,
    /// Return as soon as it has begun.
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
}

/// Whether to move keys.
#[derive(Args, Debug)]
pub(crate) struct RebalanceArguments {
    /// What to change it to [default: change nothing, show it].
    #[arg(value_enum)]
    pub(crate) mode: Option<RebalanceMode>,
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
}

/// Whether to move keys.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RebalanceMode {
    /// Hold rounds.
    On,
    /// Leave keys where they are.
    Off,
    /// Interrupt the rounds for the time being.
    Pause,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("not a whole number from 1 to 3600"),
    }
}
