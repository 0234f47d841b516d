//! Server-sent events to many clients. Each event carries its number and when it was written, so
//! that one that is lost, doubled or late shows.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpStream, tcp::OwnedReadHalf},
    task::{JoinSet, LocalSet},
    time::timeout,
};

use crate::{Failure, arguments::Events, clock, cluster::Cluster, delays::Delays, demand};

/// How long the next event may take beyond its time before the stream counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures, and tells whether the demands were met.
pub(crate) fn run(arguments: &Events) -> Result<bool, Failure> {
    let cluster = Cluster::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let delays = LocalSet::new().block_on(&runtime, clients(cluster.address, arguments))?;
    let expected = arguments.clients * arguments.events as usize;
    println!("delay of events: {delays}");
    let memory = cluster.controller.peak_memory_kib() / 1024;
    println!("the controller's memory: {memory} MiB at most");
    let whole = format!("{} of {expected} events came, in order", delays.count());
    let whole = demand(&whole, delays.count() == expected);
    let most = arguments.delay_ms_max;
    let soon = delays.of_thousand(990) < u64::from(most) * 1000;
    Ok(demand(&format!("p99 is below {most} ms"), soon) && whole)
}

async fn clients(address: SocketAddr, arguments: &Events) -> Result<Delays, Failure> {
    let mut running = JoinSet::new();
    for client in 0..arguments.clients {
        let arguments = arguments.clone();
        // One after the other, so that the streams do not all write at one time.
        let lines = connect(address, client, &arguments).await?;
        running.spawn_local(async move { read(lines, &arguments).await });
    }
    let mut delays = Delays::default();
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(|error| Failure::Answer(error.to_string()))?;
        delays.join(ended?);
    }
    Ok(delays)
}

async fn connect(
    address: SocketAddr,
    client: usize,
    arguments: &Events,
) -> Result<
    (
        Lines<BufReader<OwnedReadHalf>>,
        tokio::net::tcp::OwnedWriteHalf,
    ),
    Failure,
> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let key = client % arguments.keys as usize;
    let (events, every) = (arguments.events, arguments.every_ms);
    let target = format!("/events/{key}?events={events}&every-ms={every}");
    let head = format!("GET {target} HTTP/1.1\r\nhost: bench\r\n\r\n");
    writer.write_all(head.as_bytes()).await?;
    Ok((BufReader::new(reader).lines(), writer))
}

/// Reads a stream to its end; the lines of its head and of its chunks mean nothing here.
async fn read(
    (mut lines, _open): (
        Lines<BufReader<OwnedReadHalf>>,
        tokio::net::tcp::OwnedWriteHalf,
    ),
    arguments: &Events,
) -> Result<Delays, Failure> {
    let mut delays = Delays::default();
    let patience = PATIENCE + Duration::from_millis(arguments.every_ms.into());
    let mut numbered = false;
    while delays.count() < arguments.events as usize {
        let line = timeout(patience, lines.next_line()).await;
        let line = line.map_err(|_| Failure::Answer("a stream stands still".into()))??;
        let Some(line) = line else {
            return Err(Failure::Answer("a stream broke off".into()));
        };
        if let Some(number) = line.strip_prefix("id: ") {
            let expected = delays.count().to_string();
            if number != expected {
                let what = format!("event {number} came in the place of {expected}");
                return Err(Failure::Answer(what));
            }
            numbered = true;
        } else if let Some(written) = line.strip_prefix("data: ").filter(|_| numbered) {
            let written: u64 = written
                .parse()
                .map_err(|_| Failure::Answer(format!("{written:?} is no time")))?;
            delays.add(clock::micros().saturating_sub(written));
            numbered = false;
        }
    }
    Ok(delays)
}
