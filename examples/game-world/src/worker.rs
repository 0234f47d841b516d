//! The process of a worker: hosts the App without a port of its own.

use std::{io, sync::Arc};

use actix_web::App;
use constellation_client::Worker;

use crate::{application::application, arguments::WorkerArguments, live::Setup, worlds};

/// Owns worlds until it is told to end; then it hands them over.
///
/// # Errors
///
/// When it cannot be a worker.
pub(crate) async fn run(arguments: WorkerArguments) -> io::Result<()> {
    let setup = Setup {
        worker: arguments.name.as_str().into(),
        data: Arc::new(arguments.worlds.data_dir.clone()),
        limits: arguments.worlds.limits(),
        messages_per_second_max: arguments.worlds.messages_per_second_max,
        save_interval: arguments.worlds.save_interval(),
    };
    let worker = Worker::builder()
        .controller(arguments.controller)
        .name(arguments.name)
        .serves("/games/*")
        .on_closing(worlds::close)
        .hosting(move || App::new().configure(application(&setup)))
        .map_err(io::Error::other)?;
    worker.run().await?;
    Ok(())
}
