//! HTTP clients: one for whole answers, and one that can go away in the middle.

use awc::Client;
use bytes::Bytes;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{PATIENCE, soon};

/// The most bytes of an answer.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a client got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Asks for `path` and waits for the whole answer.
pub(crate) async fn get(port: u16, path: &str) -> Answer {
    get_with(port, path, &[]).await
}

/// Asks for `path` with these headers.
pub(crate) async fn get_with(port: u16, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client().get(format!("http://127.0.0.1:{port}{path}"));
    for header in headers {
        request = request.append_header(*header);
    }
    let mut response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        body: response.body().limit(BODY_BYTES_MAX).await.unwrap(),
    }
}

/// Sends `body` to `path` and waits for the whole answer.
pub(crate) async fn post(port: u16, path: &str, body: Bytes) -> Answer {
    let request = client().post(format!("http://127.0.0.1:{port}{path}"));
    let mut response = request.send_body(body).await.unwrap();
    Answer {
        status: response.status().as_u16(),
        body: response.body().limit(BODY_BYTES_MAX).await.unwrap(),
    }
}

fn client() -> Client {
    Client::builder().timeout(PATIENCE).finish()
}

/// Asks for `path`; the client is gone when what this returns is dropped.
pub(crate) async fn ask(port: u16, path: &str) -> TcpStream {
    let connecting = TcpStream::connect(("127.0.0.1", port));
    let mut client = soon("a connection", connecting).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    client
}
