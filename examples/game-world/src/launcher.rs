//! The game as one command: starts the controller and the workers, each a process of its own, starts a
//! worker anew that ends by itself, and ends them all in order.

mod child;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    pin::pin,
    time::Duration,
};

use futures::future::{join_all, select};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};

use self::child::Child;
use crate::{arguments::GameArguments, controller::FIRST_WORLD};

/// How long a worker that has ended is waited with.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// The file whose lock says that a game uses the folder. No world can have this name.
const LOCK_FILE: &str = ".lock";

/// Runs the game until SIGTERM or SIGINT.
///
/// # Errors
///
/// When the folder or a port cannot be had, or the controller ends by itself.
pub(crate) async fn run(arguments: &GameArguments) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _lock = lock(&arguments.worlds.data_dir)?;
    let stopped = async {
        select(pin!(terminate.recv()), pin!(interrupt.recv())).await;
    };
    let (stop, stopping) = watch::channel(false);
    let mut controller = Child::start(&controller_flags(arguments), true)?;
    let game = play(arguments, &mut controller, stopping);
    let outcome = {
        let (mut game, stopped) = (pin!(game), pin!(stopped));
        tokio::select! {
            outcome = &mut game => outcome,
            () = stopped => {
                log::info!("ending: worlds are saved");
                stop.send_replace(true);
                game.await
            }
        }
    };
    controller.end().await?;
    outcome
}

/// Plays until `stopping` says so; every worker has ended then.
async fn play(
    arguments: &GameArguments,
    controller: &mut Child,
    stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let ports = controller.line(|line| {
        let (players, workers) = line.strip_prefix("ports ")?.split_once(' ')?;
        Some((players.to_owned(), workers.to_owned()))
    });
    let (players, workers) = ports.await?;
    let seats = (1..=arguments.workers).map(|number| {
        let flags = worker_flags(arguments, number, &workers);
        keep_running(number, flags, stopping.clone())
    });
    let announce = async {
        controller
            .line(|line| (line == "ready").then_some(()))
            .await?;
        println!("Game worlds on http://127.0.0.1:{players}{FIRST_WORLD}");
        println!("Any other name is another world. Ctrl-C ends the game.");
        controller.ended().await
    };
    let mut stopped = stopping.clone();
    let lost = async {
        tokio::select! {
            ended = announce => Err(match ended {
                Ok(status) => io::Error::other(format!("the controller has ended: {status}")),
                Err(error) => error,
            }),
            _ = stopped.wait_for(|stop| *stop) => Ok(()),
        }
    };
    // Workers end in order when they are told what `lost` is told; when the controller is lost they
    // are killed with their handles.
    let ended = async {
        join_all(seats)
            .await
            .into_iter()
            .collect::<io::Result<()>>()
    };
    tokio::try_join!(lost, ended)?;
    Ok(())
}

/// Runs a worker, again whenever it ends by itself.
async fn keep_running(
    number: u16,
    flags: Vec<std::ffi::OsString>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    loop {
        let mut worker = Child::start(&flags, false)?;
        tokio::select! {
            ended = worker.ended() => {
                log::warn!("worker {number} has ended: {}; it is started again", ended?);
            }
            _ = stopping.wait_for(|stop| *stop) => return worker.end().await,
        }
        tokio::select! {
            () = sleep(RESTART_DELAY) => {}
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
        }
    }
}

/// Takes the folder of the worlds for this game: two controllers would not know of each other's.
fn lock(folder: &Path) -> io::Result<File> {
    let unusable = |error: &dyn std::fmt::Display| {
        io::Error::other(format!("the folder {} {error}", folder.display()))
    };
    let failed = |error: io::Error| unusable(&format_args!("cannot be used: {error}"));
    fs::create_dir_all(folder).map_err(failed)?;
    let file = File::create(folder.join(LOCK_FILE)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(unusable(&"is used by another game")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn controller_flags(arguments: &GameArguments) -> Vec<std::ffi::OsString> {
    let mut flags: Vec<std::ffi::OsString> = vec!["controller".into()];
    flags.push(format!("--port={}", arguments.port).into());
    flags.push(format!("--worker-port={}", arguments.worker_port).into());
    flags.push(format!("--workers={}", arguments.workers).into());
    flags.push(format!("--lease-ms={}", arguments.lease_ms).into());
    flags.push(format!("--idle-seconds={}", arguments.idle_seconds).into());
    if arguments.reassign {
        flags.push("--reassign".into());
    }
    flags
}

fn worker_flags(arguments: &GameArguments, number: u16, port: &str) -> Vec<std::ffi::OsString> {
    let mut flags: Vec<std::ffi::OsString> = vec!["worker".into()];
    flags.push(format!("--controller=ws://127.0.0.1:{port}").into());
    flags.push(format!("--name=worker {number}").into());
    flags.extend(arguments.worlds.to_flags());
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_game_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("deep/worlds");
        let first = lock(&folder).unwrap();
        let refused = lock(&folder).unwrap_err().to_string();
        assert!(refused.contains("another game"), "{refused}");
        drop(first);
        assert!(lock(&folder).is_ok());
    }
}
