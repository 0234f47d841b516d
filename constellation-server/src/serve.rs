//! Runs the controller with the settings in force.

use std::{io, net::TcpListener, slice};

use crate::{listen, settings::Settings};

/// Runs the controller until it is told to stop.
///
/// # Errors
///
/// When an address cannot be bound.
pub(crate) fn run(settings: Settings) -> io::Result<()> {
    let Settings {
        webserver,
        websocket,
        ..
    } = &settings;
    let clients = listen::bind(slice::from_ref(&webserver.hostname), webserver.port);
    let workers = listen::bind(&websocket.hostnames, websocket.port);
    announce("clients", &clients.map_err(io::Error::other)?)?;
    announce("workers", &workers.map_err(io::Error::other)?)?;
    Err(io::Error::other("not wired yet"))
}

fn announce(whom: &str, listeners: &[TcpListener]) -> io::Result<()> {
    for listener in listeners {
        let address = listener.local_addr()?;
        log::info!(whom, address:%; "listening");
    }
    Ok(())
}
