//! A wire between a worker and a controller that a test can cut.

use std::{cell::RefCell, rc::Rc};

use actix_rt::task::JoinHandle;
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on to a port.
pub(crate) struct Relay {
    port: u16,
    carried: Rc<RefCell<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let carried = Rc::new(RefCell::new(Vec::new()));
        let accepting = actix_rt::spawn({
            let carried = Rc::clone(&carried);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let carrying = actix_rt::spawn(carry(client, target));
                    carried.borrow_mut().push(carrying);
                }
            }
        });
        Self {
            port,
            carried,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Ends every connection without a word; new ones are carried. Returns how many there were.
    pub(crate) fn cut(&self) -> usize {
        let carried = std::mem::take(&mut *self.carried.borrow_mut());
        carried.iter().for_each(JoinHandle::abort);
        carried.len()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn carry(mut client: TcpStream, target: u16) {
    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await {
        let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}
