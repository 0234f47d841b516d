//! What two ends agree on, extensions above all, is theirs: a worker that pipes its tunnels to a
//! websocket server, and a client of that server that gets there through the controller.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use actix::Actor;
use bytes::Bytes;
use constellation_client::{HandlerError, Request, Response, Worker};
use futures::stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf},
};

use crate::support::{connected, controller::Running, soon};

/// A server that is killed when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut child = script("server").stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut port).unwrap();
        let port = port.trim().parse().expect("the server tells its port");
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One of the parts of the script, by a Python that has the websockets package.
fn script(part: &str) -> Command {
    let python = std::env::var("CONSTELLATION_TEST_PYTHON");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tunnels/deflate.py");
    let mut command = Command::new(python.as_deref().unwrap_or("/usr/bin/python3"));
    command.arg(path).arg(part).stdin(Stdio::null());
    command
}

/// Pipes a tunnel to the server on this port.
async fn pipe(request: Request, port: u16) -> Result<Response, HandlerError> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut head = format!(
        "GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n",
        request.target()
    );
    for (name, value) in request.headers() {
        if name.starts_with("sec-websocket-") {
            head += &format!("{name}: {}\r\n", str::from_utf8(value)?);
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let mut response = Response::new(101);
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        let name = name.to_ascii_lowercase();
        if name.starts_with("sec-websocket-") {
            response = response.header(name, value);
        }
    }
    let (down, mut up) = stream.into_split();
    let mut body = request.into_body();
    actix_rt::spawn(async move {
        while let Some(Ok(chunk)) = body.next().await {
            if up.write_all(&chunk).await.is_err() {
                return;
            }
        }
    });
    Ok(response.stream(stream::unfold(down, read)))
}

async fn read(mut down: OwnedReadHalf) -> Option<(Result<Bytes, HandlerError>, OwnedReadHalf)> {
    let mut buffer = vec![0; 16 * 1024];
    match down.read(&mut buffer).await {
        Ok(0) => None,
        Ok(length) => {
            buffer.truncate(length);
            Some((Ok(buffer.into()), down))
        }
        Err(error) => Some((Err(error.into()), down)),
    }
}

#[actix_rt::test]
async fn compression_and_a_sub_protocol_are_negotiated_end_to_end() {
    let server = Server::start();
    let controller = Running::start();
    let port = server.port;
    let worker = Worker::builder()
        .controller(controller.workers_url())
        .handler(move |request| pipe(request, port))
        .unwrap()
        .start();
    connected(&worker).await;
    let url = format!("ws://127.0.0.1:{}/room", controller.clients_port());
    let client = actix_rt::task::spawn_blocking(move || script("client").arg(url).output());
    let output = soon("the client's end", client).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{errors}");
    assert!(
        told.contains("compressed") && told.contains("closed by the server"),
        "{told}"
    );
    controller.stop().await;
}
