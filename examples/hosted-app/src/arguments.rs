//! The command line.

use std::path::PathBuf;

use clap::Parser;
use constellation_client::{BuildError, Worker, WorkerBuilder};

/// Notes in notebooks, by itself or as a worker.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The address to listen on, such as 127.0.0.1:8080
    #[arg(
        long,
        required_unless_present = "controller",
        conflicts_with = "controller"
    )]
    pub(crate) listen: Option<String>,
    /// The workers' port of a controller, such as ws://localhost:8001; may be repeated
    #[arg(long)]
    pub(crate) controller: Vec<String>,
    /// A name for people, as a worker
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// The folder of the notebooks, which all processes share
    #[arg(long, default_value = "notebooks")]
    pub(crate) data_dir: PathBuf,
}

impl Arguments {
    /// A worker of these controllers, all but its App.
    pub(crate) fn worker(&self) -> WorkerBuilder {
        let builder = Worker::builder().name(&self.name).serves("/notebooks/*");
        let controllers = self.controller.iter();
        controllers.fold(builder, WorkerBuilder::controller)
    }
}

/// Why it ends with an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the folder of the notebooks cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    #[error("{0}")]
    Server(#[source] std::io::Error),
    #[error(transparent)]
    Worker(#[from] BuildError),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn it_listens_or_works_and_never_both_or_neither() {
        Arguments::command().debug_assert();
        let parse =
            |arguments: &[&str]| Arguments::try_parse_from([&["hosted-app"], arguments].concat());
        assert!(parse(&[]).is_err());
        assert!(parse(&["--listen=127.0.0.1:0"]).is_ok());
        assert!(parse(&["--controller=ws://a:1", "--controller=ws://b:1"]).is_ok());
        assert!(parse(&["--listen=127.0.0.1:0", "--controller=ws://a:1"]).is_err());
    }
}
