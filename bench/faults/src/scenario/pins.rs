//! Many keys without databases: pinned by asking for each once, and asked for again to see whether
//! they have the owner and the epoch that they had.

use std::{cell::RefCell, rc::Rc};

use tokio::task::JoinSet;

use crate::load::Connection;

/// How many clients ask at a time.
const CLIENTS: usize = 32;

/// The owner of a key: its worker, and its epoch as its worker says it.
pub(super) type Owner = (String, String);

/// Asks for every key, and keeps who answered. `None` for a key without an answer.
pub(super) async fn owners(port: u16, count: usize) -> Vec<Option<Owner>> {
    let owners = Rc::new(RefCell::new(vec![None; count]));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let owners = Rc::clone(&owners);
        clients.spawn_local(async move {
            let mut connection = Connection::new(port);
            for number in (client..count).step_by(CLIENTS) {
                let owner = owner(&mut connection, number).await;
                owners.borrow_mut()[number] = owner;
            }
        });
    }
    while clients.join_next().await.is_some() {}
    owners.take()
}

/// Asks for one key.
pub(super) async fn owner(connection: &mut Connection, number: usize) -> Option<Owner> {
    let target = format!("/pin/{number}");
    let reply = connection.request("GET", &target, "").await.ok()?;
    if reply.status != 200 {
        return None;
    }
    let worker = reply.header("x-worker")?.to_owned();
    let (_, epoch) = std::str::from_utf8(&reply.body).ok()?.split_once(' ')?;
    Some((worker, epoch.to_owned()))
}
