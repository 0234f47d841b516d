//! One request to the admin API at a time, each within a time.

use std::time::Duration;

use awc::{
    Connector,
    error::SendRequestError,
    http::{Method, StatusCode},
};
use serde::{Serialize, de::DeserializeOwned};

use super::connection::Connection;
use crate::admin::problem::Body;

/// The most bytes of an answer: a page of the longest keys has room.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Asks a controller.
pub(super) struct Client {
    http: awc::Client,
    connection: Connection,
    timeout: Duration,
}

/// What a controller answered.
#[derive(Debug)]
pub(super) struct Reply {
    /// As it came.
    pub(super) json: String,
    url: String,
}

/// Why there is no answer to go on with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody is there.
    #[error("cannot reach a controller at {url}; is it running, and is this its admin port?")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        source: SendRequestError,
    },
    /// It takes too long.
    #[error(
        "the controller at {url} did not answer within {} s; whether it acted is not known",
        .timeout.as_secs()
    )]
    Timeout {
        /// Where.
        url: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// The connection broke.
    #[error("the answer of {url} broke off: {reason}")]
    Broken {
        /// Where.
        url: String,
        /// How.
        reason: String,
    },
    /// The key is wrong.
    #[error("the controller lets nobody in with this admin key: {description}")]
    Unauthorized {
        /// What it said.
        description: String,
    },
    /// It cannot or will not.
    #[error("the controller refused ({}): {description}", .status.as_u16())]
    Refused {
        /// The status of its answer.
        status: StatusCode,
        /// What it said.
        description: String,
    },
    /// Something else answers there.
    #[error("what answers at {url} is no admin port of a controller (status {})", .status.as_u16())]
    Foreign {
        /// Where.
        url: String,
        /// The status of its answer.
        status: StatusCode,
    },
    /// It is of another version, or something else.
    #[error("the answer of {url} cannot be read")]
    Unreadable {
        /// Where.
        url: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl Client {
    pub(super) fn new(connection: Connection, timeout: Duration) -> Self {
        let http = awc::Client::builder()
            .connector(Connector::new().timeout(timeout))
            .timeout(timeout)
            .disable_redirects()
            .finish();
        Self {
            http,
            connection,
            timeout,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Reply, Error> {
        self.ask(Method::GET, path, None::<&()>).await
    }

    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Reply, Error> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &impl Serialize) -> Result<Reply, Error> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Reply, Error> {
        let asked = self.exchange(method, path, body);
        match actix_web::rt::time::timeout(self.timeout, asked).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(self.timed_out()),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Reply, Error> {
        let Connection { url, header, key } = &self.connection;
        let request = self
            .http
            .request(method, format!("{url}{path}"))
            .insert_header((header.clone(), key.clone()));
        let sending = match body {
            Some(body) => request.send_json(body),
            None => request.send(),
        };
        let mut response = sending.await.map_err(|error| self.failed(error))?;
        let status = response.status();
        let body = response.body().limit(ANSWER_BYTES_MAX).await;
        let body = body.map_err(|error| Error::Broken {
            url: url.clone(),
            reason: error.to_string(),
        })?;
        if !status.is_success() {
            return Err(self.refused(status, &body));
        }
        Ok(Reply {
            json: String::from_utf8_lossy(&body).into_owned(),
            url: url.clone(),
        })
    }

    fn timed_out(&self) -> Error {
        Error::Timeout {
            url: self.connection.url.clone(),
            timeout: self.timeout,
        }
    }

    fn failed(&self, error: SendRequestError) -> Error {
        let url = self.connection.url.clone();
        match error {
            SendRequestError::Timeout => self.timed_out(),
            SendRequestError::Connect(_) => Error::Unreachable { url, source: error },
            other => Error::Broken {
                url,
                reason: other.to_string(),
            },
        }
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> Error {
        match serde_json::from_slice::<Body>(body) {
            Ok(Body { description, .. }) if status == StatusCode::UNAUTHORIZED => {
                Error::Unauthorized { description }
            }
            Ok(Body { description, .. }) => Error::Refused {
                status,
                description,
            },
            Err(_no_problem) => Error::Foreign {
                url: self.connection.url.clone(),
                status,
            },
        }
    }
}

impl Reply {
    /// What it says.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.json).map_err(|source| Error::Unreadable {
            url: self.url.clone(),
            source,
        })
    }
}
