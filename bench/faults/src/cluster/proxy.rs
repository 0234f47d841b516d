//! The network between one worker and the controller: a TCP proxy that can fail in each direction by
//! itself. It never looks into what it carries.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

use super::port;

/// How bytes flow in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// As they come.
    Open,
    /// Not at all for now, as when packets are lost and sent again: they come later.
    Stalled,
    /// Into nothing. A connection that lost some is closed when the flow opens again.
    Swallowed,
    /// Each piece that much later.
    Delayed(Duration),
}

/// What a proxy is told, for all of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Weather {
    /// From the worker to the controller.
    up: Flow,
    /// From the controller to the worker.
    down: Flow,
    /// Counts the times that all connections were closed.
    storms: u64,
}

/// A proxy. It and its connections end when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Listens on a free port, for connections to `target`.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub(super) fn start(target: u16) -> io::Result<Self> {
        let listener = port::bound()?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let listener = TcpListener::from_std(listener)?;
        let (weather, forecast) = watch::channel(Weather {
            up: Flow::Open,
            down: Flow::Open,
            storms: 0,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, forecast));
        Ok(Self {
            port,
            weather,
            _tasks: tasks,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Sets how bytes flow from the worker and to the worker.
    pub(crate) fn set(&self, up: Flow, down: Flow) {
        self.weather.send_modify(|weather| {
            weather.up = up;
            weather.down = down;
        });
    }

    /// Closes all connections there are.
    pub(crate) fn close_all(&self) {
        self.weather.send_modify(|weather| weather.storms += 1);
    }
}

async fn accept(listener: TcpListener, target: u16, weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((worker, _)) = accepted {
                    connections.spawn(carry(worker, target, weather.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection until it ends on either side.
async fn carry(worker: TcpStream, target: u16, weather: watch::Receiver<Weather>) {
    let Ok(controller) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
        return;
    };
    let prompt = [&worker, &controller].map(|stream| stream.set_nodelay(true));
    if prompt.iter().any(Result::is_err) {
        return;
    }
    let (from_worker, to_worker) = worker.into_split();
    let (from_controller, to_controller) = controller.into_split();
    let up = pump(from_worker, to_controller, weather.clone(), |weather| {
        weather.up
    });
    let down = pump(from_controller, to_worker, weather.clone(), |weather| {
        weather.down
    });
    tokio::select! {
        () = up => {}
        () = down => {}
        () = storm(weather) => {}
    }
}

async fn storm(mut weather: watch::Receiver<Weather>) {
    let before = weather.borrow().storms;
    // An error is the end of the proxy itself.
    let _gone = weather.wait_for(|now| now.storms != before).await;
}

/// Carries one direction until it ends, as far as the weather lets anyone know of the end.
async fn pump(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    flow: fn(&Weather) -> Flow,
) {
    let mut buffer = vec![0; 32 * 1024];
    let mut spoilt = false;
    loop {
        let ready = weather.wait_for(|now| flow(now) != Flow::Stalled).await;
        let Ok(current) = ready.map(|now| flow(&now)) else {
            return;
        };
        if spoilt && current != Flow::Swallowed {
            return;
        }
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = weather.changed() => continue,
        };
        let count = read.unwrap_or(0);
        // What was read just before the weather changed is subject to the new weather.
        let ready = weather.wait_for(|now| flow(now) != Flow::Stalled).await;
        let Ok(current) = ready.map(|now| flow(&now)) else {
            return;
        };
        match current {
            Flow::Swallowed if count == 0 => {
                let _healed = weather.wait_for(|now| flow(now) != Flow::Swallowed).await;
                return;
            }
            Flow::Swallowed => spoilt = true,
            Flow::Delayed(delay) => sleep(delay).await,
            Flow::Open | Flow::Stalled => {}
        }
        if count == 0 {
            return;
        }
        if current != Flow::Swallowed && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(20);

    struct Line {
        proxy: Proxy,
        worker: TcpStream,
        controller: TcpStream,
    }

    async fn line() -> Line {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap().port()).unwrap();
        let worker = TcpStream::connect(("127.0.0.1", proxy.port()))
            .await
            .unwrap();
        let (controller, _) = listener.accept().await.unwrap();
        Line {
            proxy,
            worker,
            controller,
        }
    }

    /// What comes within `patience`; `None` when nothing does.
    async fn comes(stream: &mut TcpStream, patience: Duration) -> Option<Vec<u8>> {
        let mut buffer = [0; 16];
        let count = timeout(patience, stream.read(&mut buffer)).await.ok()?;
        Some(buffer[..count.unwrap_or(0)].to_vec())
    }

    #[tokio::test]
    async fn what_is_stalled_one_way_comes_later_and_the_other_way_flows() {
        let mut line = line().await;
        line.proxy.set(Flow::Stalled, Flow::Open);
        line.worker.write_all(b"up").await.unwrap();
        line.controller.write_all(b"down").await.unwrap();
        assert_eq!(comes(&mut line.worker, LONG).await.unwrap(), b"down");
        assert_eq!(comes(&mut line.controller, SHORT).await, None);
        line.proxy.set(Flow::Open, Flow::Open);
        assert_eq!(comes(&mut line.controller, LONG).await.unwrap(), b"up");
    }

    #[tokio::test]
    async fn what_is_swallowed_never_comes_and_its_connection_ends_after_that() {
        let mut line = line().await;
        line.proxy.set(Flow::Open, Flow::Swallowed);
        line.controller.write_all(b"down").await.unwrap();
        assert_eq!(comes(&mut line.worker, SHORT).await, None);
        line.proxy.set(Flow::Open, Flow::Open);
        assert_eq!(comes(&mut line.worker, LONG).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn nobody_learns_of_an_end_behind_a_cut() {
        let mut line = line().await;
        line.proxy.set(Flow::Swallowed, Flow::Swallowed);
        drop(line.worker);
        assert_eq!(comes(&mut line.controller, SHORT).await, None);
        line.proxy.set(Flow::Open, Flow::Open);
        assert_eq!(comes(&mut line.controller, LONG).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_storm_closes_what_is_open() {
        let mut line = line().await;
        line.worker.write_all(b"up").await.unwrap();
        assert_eq!(comes(&mut line.controller, LONG).await.unwrap(), b"up");
        line.proxy.close_all();
        assert_eq!(comes(&mut line.worker, LONG).await.unwrap(), b"");
    }
}
