//! Game worlds in a browser. Each world, `/games/{world}`, is one actix actor on exactly one worker:
//! it ticks 20 times a second and decides where its players are and who has collected what. When
//! its worker ends, by plan or by `kill -9`, the world goes on at another one with every score that
//! was saved, and the page comes back by itself.
//!
//! ```sh
//! cargo run --release -p game-world                  # a controller and three workers
//! cargo run --release -p game-world -- --bots 500    # in another terminal
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `world` | the rules of the game, pure |
//! | `wire` | what pages and worlds say to each other, pure |
//! | `live` | the actor that lets a world's time pass, tells its players, and saves it |
//! | `socket` | the actor of one player's websocket |
//! | `worlds`, `application`, `worker` | the App of a worker, hosted without a port |
//! | `keeper` | where a world is kept, behind a fence |
//! | `controller`, `launcher` | the process of the controller, and who starts all of them |
//! | `page` | what a browser shows |
//! | `bots` | players that are programs |

mod application;
mod arguments;
mod bots;
mod clock;
mod controller;
mod keeper;
mod launcher;
mod leash;
mod live;
mod page;
mod problem;
mod socket;
mod wire;
mod worker;
mod world;
mod world_name;
mod worlds;

use std::{io, process::ExitCode};

use clap::Parser;

use self::arguments::{Arguments, Role};

/// What is logged unless `RUST_LOG` says otherwise. Without the dispatcher, to which the end of a
/// websocket is an error of its response.
const LOG: &str = "warn,game_world=info,actix_http::h1::dispatcher=off";

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(LOG)).init();
    let arguments = Arguments::parse();
    match actix_rt::System::new().block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    match arguments.role {
        Some(Role::Controller(controller)) => {
            leash::tie();
            controller::run(controller).await
        }
        Some(Role::Worker(worker)) => {
            leash::tie();
            worker::run(worker).await
        }
        None => match arguments.bots.bots {
            Some(bots) => bots::run(bots, &arguments.bots).await,
            None => launcher::run(&arguments.game).await,
        },
    }
}
