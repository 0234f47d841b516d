//! A live view: server-sent events, one for each change of a notebook.

use std::{convert::Infallible, time::Duration};

use actix_web::{HttpResponse, http::header::CACHE_CONTROL};
use bytes::Bytes;
use constellation_client::Grant;
use futures::{
    FutureExt, StreamExt,
    future::{OptionFuture, pending},
    stream,
};
use serde_json::json;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use crate::{notebook::Change, notebooks::Here, problem::Problem};

/// How long nothing is said before a line says that there is nothing to say.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Begins with who serves it, and ends when the notebook is given back: a browser then asks again,
/// and whoever owns the notebook by then answers.
pub(crate) async fn follow(here: Here, grant: Option<Grant>) -> Result<HttpResponse, Problem> {
    let changes = here
        .with(|notebook| Ok((notebook.changes(), notebook.contents()?.revision)))
        .await?;
    let (changes, revision) = changes;
    let epoch = grant.as_ref().map(|grant| grant.epoch().get());
    let hello = json!({ "revision": revision, "epoch": epoch });
    let hello = Bytes::from(format!("retry: 500\nevent: hello\ndata: {hello}\n\n"));
    let events = stream::unfold(changes, async |mut changes| {
        let event = next(&mut changes).await?;
        Some((Ok::<_, Infallible>(event), changes))
    });
    // A stream that never ends would hold up the move of its notebook.
    let leaving = OptionFuture::from(grant.map(|grant| grant.leaving()));
    let leaving = leaving.then(|left| async move {
        if left.is_none() {
            pending::<()>().await;
        }
    });
    let events = stream::once(async { Ok(hello) })
        .chain(events)
        .take_until(Box::pin(leaving));
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(events))
}

/// The next event; `None` when there are no more.
async fn next(changes: &mut Receiver<Change>) -> Option<Bytes> {
    match timeout(SILENCE_MAX, changes.recv()).await {
        Ok(Ok(change)) => {
            let change =
                serde_json::to_string(&change).expect("a change has nothing but texts and numbers");
            Some(Bytes::from(format!("event: change\ndata: {change}\n\n")))
        }
        Ok(Err(RecvError::Lagged(_))) => Some(Bytes::from_static(b"event: reload\ndata: {}\n\n")),
        Ok(Err(RecvError::Closed)) => None,
        Err(_elapsed) => Some(Bytes::from_static(b": still here\n\n")),
    }
}
