//! The command line.

use clap::Parser;

/// An application with pages of its own and a Constellation controller mounted at /games.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The port of the application, on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// A port of its own for workers; 0 takes a free one [default: /workers-endpoint on the
    /// application's port]
    #[arg(long)]
    pub(crate) worker_port: Option<u16>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn workers_share_the_applications_port_unless_told_otherwise() {
        Arguments::command().debug_assert();
        let arguments = Arguments::try_parse_from(["embed-controller"]).unwrap();
        assert_eq!((arguments.port, arguments.worker_port), (8080, None));
    }
}
