//! The owner of one key: an actor that runs the statements sent to its database. It knows HTTP
//! and nothing of SQLite, and never blocks the thread that it shares with the other actors.

use std::{pin::pin, sync::Arc, time::Duration};

use actix::{Actor, AsyncContext, Context, Handler, ResponseActFuture, ResponseFuture, WrapFuture};
use constellation_client::{BodyError, Closing, Grant, HandlerError, Request, Response};
use futures::future::{Either, select};

use crate::{
    database::Limits,
    folder::DataFolder,
    keeper::Keeper,
    name::{DatabaseName, NameError},
    problem::Problem,
    query::{self, BODY_BYTES_MAX},
};

/// A database that nobody asked for during one such interval is closed until somebody does, so
/// that the number of open files follows the use and not the number of databases.
const IDLE_INTERVAL: Duration = Duration::from_secs(60);

/// What all databases of one worker share.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    /// The number of the worker, from 1.
    pub(crate) worker: u16,
    /// Where the files are.
    pub(crate) folder: DataFolder,
    /// What a statement may use.
    pub(crate) limits: Limits,
    /// How long a statement may take.
    pub(crate) statement_timeout: Duration,
}

/// The owner of one key.
#[derive(Debug)]
pub(crate) struct Owner {
    subject: Subject,
    /// Whether a request came since the last look for idleness.
    used: bool,
}

/// What a key names.
#[derive(Clone, Debug)]
enum Subject {
    Database(Arc<Shelved>),
    /// No database. Such a key has an owner all the same, who says so.
    Nothing(NameError),
}

#[derive(Debug)]
struct Shelved {
    worker: u16,
    name: DatabaseName,
    keeper: Keeper,
}

impl Owner {
    /// The owner of the granted key. Opens nothing yet.
    pub(crate) fn new(shelf: &Shelf, grant: &Grant) -> Self {
        let subject = match DatabaseName::from_path(grant.key()) {
            Ok(name) => {
                let file = shelf.folder.file(&name);
                let keeper =
                    Keeper::new(file, grant.epoch(), shelf.limits, shelf.statement_timeout)
                        .owned_under(grant.clone());
                Subject::Database(Arc::new(Shelved {
                    worker: shelf.worker,
                    name,
                    keeper,
                }))
            }
            Err(error) => Subject::Nothing(error),
        };
        Self {
            subject,
            used: false,
        }
    }

    fn close_if_idle(&mut self) {
        if let Subject::Database(shelved) = &self.subject
            && !self.used
        {
            shelved.keeper.close_idle();
        }
        self.used = false;
    }
}

impl Actor for Owner {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(IDLE_INTERVAL, |owner, _| owner.close_if_idle());
    }
}

impl Handler<Request> for Owner {
    type Result = ResponseFuture<Result<Response, HandlerError>>;

    fn handle(&mut self, request: Request, _context: &mut Self::Context) -> Self::Result {
        self.used = true;
        let subject = self.subject.clone();
        Box::pin(async move {
            let gone = pin!(request.cancelled());
            // Dropping the answer stops its statement.
            match select(pin!(answer(&subject, request)), gone).await {
                Either::Left((Ok(response), _)) => Ok(response),
                Either::Left((Err(problem), _)) => Ok(respond(&problem)),
                Either::Right(((), _)) => Err(HandlerError::new("nobody waits for the answer")),
            }
        })
    }
}

impl Handler<Closing> for Owner {
    /// Bound to the actor, so that it ends with it when there is no more time.
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Closing, _context: &mut Self::Context) -> Self::Result {
        match &self.subject {
            Subject::Database(shelved) => Box::pin(shelved.keeper.clone().close().into_actor(self)),
            Subject::Nothing(_) => Box::pin(actix::fut::ready(())),
        }
    }
}

async fn answer(subject: &Subject, mut request: Request) -> Result<Response, Problem> {
    let database = match subject {
        Subject::Database(shelved) => shelved,
        Subject::Nothing(error) => return Err(error.clone().into()),
    };
    if request.method() != "POST" {
        return Err(Problem::method_not_allowed());
    }
    let body = request
        .body()
        .bytes(BODY_BYTES_MAX)
        .await
        .map_err(|error| match error {
            BodyError::TooLarge { .. } => Problem::body_too_large(),
            // Nobody is left to read the answer.
            BodyError::BrokenOff { .. } => Problem::internal(),
        })?;
    let rows = database
        .keeper
        .clone()
        .run(query::statement(&body)?)
        .await?;
    Ok(Response::ok().body(document(database.worker, &database.name, &rows)))
}

/// The answer's body. A name needs no escapes, and `rows` is JSON already.
fn document(worker: u16, name: &DatabaseName, rows: &[u8]) -> Vec<u8> {
    let mut json =
        format!("{{\"worker\":{worker},\"database\":\"{name}\",\"results\":").into_bytes();
    json.extend_from_slice(rows);
    json.push(b'}');
    json
}

fn respond(problem: &Problem) -> Response {
    let mut response = Response::new(problem.status()).body(problem.to_json());
    if let Some(seconds) = problem.retry_after() {
        response = response.header("retry-after", seconds.to_string());
    }
    if problem.names_methods() {
        response = response.header("allow", "POST");
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_answer_names_its_worker_and_database_before_its_rows() {
        let name = DatabaseName::from_path("/db/customers").unwrap();
        let body = document(2, &name, br#"[{"a":1}]"#);
        assert_eq!(
            String::from_utf8(body.clone()).unwrap(),
            r#"{"worker":2,"database":"customers","results":[{"a":1}]}"#
        );
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["results"], json!([{ "a": 1 }]));
    }
}
