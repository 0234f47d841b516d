//! The command line: what people start, and what the program starts of itself.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, value_parser};

use crate::world::Limits;

/// Game worlds in a browser: a controller and its workers, each world owned by one worker.
#[derive(Clone, Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) game: GameArguments,
    #[command(flatten)]
    pub(crate) bots: BotArguments,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// One process of the game; started by the program itself.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Role {
    /// The controller, with the port for players
    #[command(hide = true)]
    Controller(ControllerArguments),
    /// A worker
    #[command(hide = true)]
    Worker(WorkerArguments),
}

/// Everything about the game.
#[derive(Clone, Debug, Args)]
pub(crate) struct GameArguments {
    /// The port for players, on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// The port that the workers connect to, on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8001)]
    pub(crate) worker_port: u16,
    /// How many workers there are, each a process of its own
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u16).range(1..=100))]
    pub(crate) workers: u16,
    /// How long the worlds of a lost worker stay where they are, in milliseconds
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(u64).range(1_000..=60_000))]
    pub(crate) lease_ms: u64,
    /// Give the worlds of a worker whose connection is lost away at once. Quicker, but then the fence
    /// alone keeps two workers from one world
    #[arg(long)]
    pub(crate) reassign: bool,
    /// How long a world that nobody plays stays awake, in seconds
    #[arg(long, default_value_t = 60, value_parser = value_parser!(u64).range(1..=86_400))]
    pub(crate) idle_seconds: u64,
    #[command(flatten)]
    pub(crate) worlds: WorldArguments,
}

/// How worlds are.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorldArguments {
    /// The folder of the worlds; made when it is missing
    #[arg(long, default_value = "data/worlds")]
    pub(crate) data_dir: PathBuf,
    /// The most players in a world at a time
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u16).range(1..=1_000))]
    pub(crate) players_max: u16,
    /// The most messages a second of one player
    #[arg(long, default_value_t = 60, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(crate) messages_per_second_max: u32,
    /// The least time between two saves of a world, in milliseconds
    #[arg(long, default_value_t = 250, value_parser = value_parser!(u64).range(10..=60_000))]
    pub(crate) save_interval_ms: u64,
}

impl WorldArguments {
    /// How many players a world takes; it remembers ten times as many.
    pub(crate) fn limits(&self) -> Limits {
        let present_max = usize::from(self.players_max);
        Limits {
            present_max,
            remembered_max: present_max * 10,
        }
    }

    /// The least time between two saves.
    pub(crate) fn save_interval(&self) -> Duration {
        Duration::from_millis(self.save_interval_ms)
    }

    /// The same, as flags of another process.
    pub(crate) fn to_flags(&self) -> Vec<std::ffi::OsString> {
        let mut flags: Vec<std::ffi::OsString> = vec!["--data-dir".into()];
        flags.push(self.data_dir.clone().into());
        flags.push(format!("--players-max={}", self.players_max).into());
        let rate = self.messages_per_second_max;
        flags.push(format!("--messages-per-second-max={rate}").into());
        flags.push(format!("--save-interval-ms={}", self.save_interval_ms).into());
        flags
    }
}

/// Players that are programs.
#[derive(Clone, Debug, Args)]
pub(crate) struct BotArguments {
    /// Start no game: let so many bots play the one that runs, and report how it went
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) bots: Option<u16>,
    /// Where the game is that bots play
    #[arg(long, default_value = "127.0.0.1:8000", requires = "bots")]
    pub(crate) address: SocketAddr,
    /// How many worlds they play in; one for 50 of them unless said otherwise
    #[arg(long, requires = "bots", value_parser = value_parser!(u16).range(1..=1_000))]
    pub(crate) worlds: Option<u16>,
    /// How many seconds they play
    #[arg(long, default_value_t = 30, requires = "bots", value_parser = value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
}

/// What the controller's process is told.
#[derive(Clone, Debug, Args)]
pub(crate) struct ControllerArguments {
    #[arg(long)]
    pub(crate) port: u16,
    #[arg(long)]
    pub(crate) worker_port: u16,
    #[arg(long)]
    pub(crate) workers: u16,
    #[arg(long)]
    pub(crate) lease_ms: u64,
    #[arg(long)]
    pub(crate) reassign: bool,
    #[arg(long)]
    pub(crate) idle_seconds: u64,
}

/// What a worker's process is told.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkerArguments {
    #[arg(long)]
    pub(crate) controller: String,
    #[arg(long)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) worlds: WorldArguments,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(flags: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["game-world"], flags].concat())
    }

    #[test]
    fn without_flags_it_is_the_game_of_the_readme() {
        Arguments::command().debug_assert();
        let arguments = parse(&[]).unwrap();
        let game = &arguments.game;
        assert_eq!((game.port, game.worker_port, game.workers), (8000, 8001, 3));
        assert!(arguments.bots.bots.is_none() && arguments.role.is_none());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(parse(&["--bots=500", "--worlds=5"]).is_ok());
        for flags in [
            &["--workers=0"][..],
            &["--bots=0"],
            &["--lease-ms=10"],
            &["--seconds=5"],
            &["--bots=5", "--address=nowhere"],
        ] {
            assert!(parse(flags).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn a_worker_is_told_what_was_said_of_worlds() {
        let said = parse(&["--players-max=7", "--data-dir=x y", "--save-interval-ms=10"]).unwrap();
        let worker = ["worker", "--controller=ws://a:1", "--name=one"];
        let mut told: Vec<std::ffi::OsString> = vec!["game-world".into()];
        told.extend(worker.map(Into::into));
        told.extend(said.game.worlds.to_flags());
        let Some(Role::Worker(worker)) = Arguments::try_parse_from(told).unwrap().role else {
            panic!("no worker");
        };
        assert_eq!(worker.worlds.players_max, 7);
        assert_eq!(worker.worlds.data_dir, PathBuf::from("x y"));
        assert_eq!(worker.worlds.save_interval_ms, 10);
        assert_eq!(worker.worlds.messages_per_second_max, 60);
    }
}
