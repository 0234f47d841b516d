//! Notes in notebooks: an actix-web application that runs by itself, or as a worker of Constellation.
//!
//! ```sh
//! cargo run -p hosted-app -- --listen 127.0.0.1:8080      # as before: one process, one port
//! ```
//!
//! Then open `http://127.0.0.1:8080/notebooks/recipes` in two windows, or:
//!
//! ```sh
//! curl -i -X POST http://127.0.0.1:8080/notebooks/recipes/notes \
//!   -H 'content-type: application/json' -d '{"title":"Bread","text":"Flour, water, salt."}'
//! curl http://127.0.0.1:8080/notebooks/recipes/notes
//! curl -N http://127.0.0.1:8080/notebooks/recipes/events
//! ```
//!
//! Behind a controller, as many processes as you like, none with a port. A rule makes everything below
//! a notebook one key, so that each notebook has one owner:
//!
//! ```sh
//! constellation serve --set 'Routes=[{"Pattern":"/notebooks/{name}/**","Key":"/notebooks/{name}"}]' &
//! hosted-app --controller ws://localhost:8001 --name one &
//! hosted-app --controller ws://localhost:8001 --name two &
//! curl -i http://localhost:8000/notebooks/recipes/notes
//! ```
//!
//! # What was changed for that
//!
//! * here: the second arm of [`run`], which gives the same factory to a worker instead of to a server;
//! * in `notebook`: a database that is owned is opened behind a fence, with the epoch of the grant
//!   (`Guarded::Owned`), so that a process which was stopped for too long cannot write any more;
//! * in `notebooks`: an open notebook belongs to a grant, and is closed when its key goes;
//! * in `events`: a stream of events, which would never end by itself, ends when its key is to go.
//!
//! Services, extractors, middleware, errors and the page are what they were.

mod application;
mod arguments;
mod events;
mod notebook;
mod notebooks;
mod notes;
mod page;
mod problem;

use std::process::ExitCode;

use actix_web::{
    App, HttpServer,
    middleware::{Logger, NormalizePath},
    web,
};
use clap::Parser;

use self::{
    application::application,
    arguments::{Arguments, StartError},
    notebooks::Notebooks,
};

#[actix_web::main]
async fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), StartError> {
    std::fs::create_dir_all(&arguments.data_dir).map_err(StartError::Folder)?;
    let notebooks = web::Data::new(Notebooks::new(&arguments.data_dir));
    let open = notebooks.clone();
    let app = move || {
        App::new()
            .wrap(Logger::new("%a \"%r\" %s %b %Dms"))
            .wrap(NormalizePath::trim())
            .configure(application(&notebooks))
    };
    match &arguments.listen {
        // As before: a port of its own.
        Some(address) => {
            let server = HttpServer::new(app).bind(address);
            let server = server.map_err(StartError::Server)?;
            for address in server.addrs() {
                log::info!("listening on http://{address}");
            }
            server.run().await.map_err(StartError::Server)
        }
        // As a worker: no port, and what is open of a key is closed before it goes.
        None => {
            let worker = arguments
                .worker()
                .on_closing(move |grant, _why| {
                    open.close(&grant);
                    std::future::ready(())
                })
                .hosting(app)?;
            worker.run().await.map_err(StartError::Server)?;
            Ok(())
        }
    }
}
