//! The command line.

use std::time::Duration;

use clap::Parser;
use constellation_client::{BuildError, Worker, WorkerBuilder, WorkerId};
use uuid::Uuid;

/// The most bytes that `--body-bytes` makes: they are held in memory.
const BODY_BYTES_MAX: u64 = 64 << 20;

/// A worker that answers each request with what it was asked.
///
/// In a query, `echo` streams the request's body back, `bytes=N` streams N bytes down (or the range
/// of them that is asked for), `events=N` with `every-ms=N` streams server-sent events, and
/// `sleep-ms=N` waits before the answer. `status=N`, `cookies=N` and `header-bytes=N` change its head.
///
/// A websocket gets back what it sends, frame by frame. With `goodbye` in its query it is sent the
/// text "goodbye" when its key is given back.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The workers' port of a controller; may be repeated
    #[arg(long, default_value = "ws://localhost:8001")]
    pub(crate) url: Vec<String>,
    /// A name for people
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// A pattern of the keys it serves, such as /db/**; may be repeated [default: every key]
    #[arg(long)]
    pub(crate) serves: Vec<String>,
    /// Milliseconds to wait before each answer
    #[arg(long, default_value_t = 0)]
    pub(crate) latency_ms: u64,
    /// Answer with exactly so many bytes instead of a report
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=BODY_BYTES_MAX))]
    pub(crate) body_bytes: Option<u64>,
    /// The worker's id, a UUID, kept over restarts [default: a random one]
    #[arg(long)]
    pub(crate) id: Option<Uuid>,
    /// The token that the controllers ask for
    #[arg(long)]
    pub(crate) token: Option<Secret>,
    /// Log no line for each request
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// A text that is not printed.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

impl Arguments {
    /// The worker's id; a random one when none was given.
    pub(crate) fn id(&self) -> WorkerId {
        WorkerId::new(self.id.unwrap_or_else(Uuid::new_v4))
    }

    /// How long each answer waits.
    pub(crate) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    /// A worker of this id, all but its handler.
    pub(crate) fn worker(&self, id: WorkerId) -> WorkerBuilder {
        let mut builder = Worker::builder().id(id).name(&self.name);
        for url in &self.url {
            builder = builder.controller(url);
        }
        for pattern in &self.serves {
            builder = builder.serves(pattern);
        }
        match &self.token {
            Some(Secret(token)) => builder.token(token),
            None => builder,
        }
    }
}

/// Why the worker cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Something on the command line does not hold up.
    #[error(transparent)]
    Worker(#[from] BuildError),
    /// Signals cannot be listened for.
    #[error("signals cannot be listened for")]
    Signals(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_may_be_left_out_or_repeated() {
        Arguments::command().debug_assert();
        let none = Arguments::try_parse_from(["echo-worker"]).unwrap();
        assert_eq!(none.url, ["ws://localhost:8001"]);
        assert_ne!(none.id(), none.id());
        let two = [
            "echo-worker",
            "--url=ws://a:1",
            "--url=ws://b:2",
            "--serves=/a",
            "--serves=/b",
        ];
        let two = Arguments::try_parse_from(two).unwrap();
        assert_eq!((two.url.len(), two.serves.len()), (2, 2));
    }

    #[test]
    fn an_id_is_kept_and_a_token_is_not_printed() {
        let uuid = "b3a1b1de-7d7d-4c61-9b6e-1d2e7f0c9a55";
        let flags = ["echo-worker", "--id", uuid, "--token", "opensesame"];
        let arguments = Arguments::try_parse_from(flags).unwrap();
        assert_eq!(arguments.id().to_string(), uuid);
        assert!(!format!("{arguments:?}").contains("opensesame"));
        assert!(Arguments::try_parse_from(["echo-worker", "--id=1"]).is_err());
    }
}
