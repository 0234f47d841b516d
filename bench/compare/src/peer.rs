//! What is measured: Constellation with two workers, nginx and HAProxy with two backends, and one
//! backend without a proxy. All answer the same requests in the same way.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    error::{Error, at},
    process::{Process, free_port, require},
};

/// The length of a small answer.
pub(crate) const BODY_BYTES: usize = 100;

/// How many workers or backends stand behind a proxy.
const FAR_SIDES: usize = 2;

/// Something that answers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peer {
    /// The controller, with two echo workers.
    Constellation,
    /// nginx, with two backends.
    Nginx,
    /// HAProxy, with two backends.
    Haproxy,
    /// One backend, without a proxy.
    Direct,
}

impl Peer {
    /// Every peer, in the order in which they are measured.
    pub(crate) const ALL: [Self; 4] = [
        Self::Constellation,
        Self::Nginx,
        Self::Haproxy,
        Self::Direct,
    ];

    /// Its name in a table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Constellation => "constellation",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Direct => "no proxy",
        }
    }
}

/// A peer that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where it answers.
    pub(crate) port: u16,
    /// The proxy: nothing without one.
    pub(crate) proxy: Vec<Process>,
    /// The workers or backends.
    pub(crate) far: Vec<Process>,
    _folder: tempfile::TempDir,
}

/// Starts `peer` with `threads` threads or processes of its proxy, and waits until it answers.
///
/// # Errors
///
/// When a program is missing or does not come up.
pub(crate) fn start(peer: Peer, threads: usize) -> Result<Running, Error> {
    let folder = tempfile::tempdir().map_err(at("making a folder"))?;
    let path = folder.path().to_owned();
    let (port, proxy, far) = match peer {
        Peer::Constellation => constellation(&path, threads)?,
        Peer::Nginx => proxied(&path, "nginx", "nginx-light", |file, listen, backends| {
            let text = nginx(&path, threads, listen, backends);
            fs::write(file, text).map(|()| {
                let (prefix, file) = (path.display().to_string(), file.display().to_string());
                vec!["-p".to_owned(), prefix, "-c".to_owned(), file]
            })
        })?,
        Peer::Haproxy => proxied(&path, "haproxy", "haproxy", |file, listen, backends| {
            fs::write(file, haproxy(threads, listen, backends))
                .map(|()| vec!["-f".to_owned(), file.display().to_string()])
        })?,
        Peer::Direct => {
            let (port, backend) = backend(&path)?;
            (port, Vec::new(), vec![backend])
        }
    };
    Ok(Running {
        port,
        proxy,
        far,
        _folder: folder,
    })
}

/// The port, the proxy and the far side.
type Started = (u16, Vec<Process>, Vec<Process>);

fn constellation(folder: &Path, threads: usize) -> Result<Started, Error> {
    let (clients, workers, admin) = (free_port()?, free_port()?, free_port()?);
    let settings = [
        "Store.Kind=Memory".to_owned(),
        "Webserver.Hostname=127.0.0.1".to_owned(),
        format!("Webserver.Port={clients}"),
        format!("Webserver.Threads={threads}"),
        "Websocket.Hostnames=127.0.0.1".to_owned(),
        format!("Websocket.Port={workers}"),
        format!("Admin.Port={admin}"),
        "Logging.MinimumSeverity=2".to_owned(),
    ];
    let mut arguments = vec!["serve".to_owned()];
    for setting in settings {
        arguments.extend(["--set".to_owned(), setting]);
    }
    let log = folder.join("controller.log");
    let mut controller = Process::start(beside("constellation")?, arguments, &log)?;
    controller.listens(clients)?;
    controller.listens(workers)?;
    let echo = beside("echo-worker")?;
    let far = (0..FAR_SIDES).map(|number| {
        let url = format!("ws://127.0.0.1:{workers}");
        let bytes = BODY_BYTES.to_string();
        let arguments = ["--url", &url, "--body-bytes", &bytes, "--quiet"];
        Process::start(
            &echo,
            arguments,
            &folder.join(format!("worker-{number}.log")),
        )
    });
    let far = far.collect::<Result<_, _>>()?;
    crate::http::until_answered(clients)?;
    Ok((clients, vec![controller], far))
}

/// A proxy and its backends; `configure` writes its file and tells its arguments.
fn proxied(
    folder: &Path,
    program: &str,
    package: &str,
    configure: impl FnOnce(&Path, u16, &[u16]) -> std::io::Result<Vec<String>>,
) -> Result<Started, Error> {
    require(program, package)?;
    let port = free_port()?;
    let mut backends = Vec::new();
    for _ in 0..FAR_SIDES {
        backends.push(backend(folder)?);
    }
    let ports: Vec<_> = backends.iter().map(|(port, _)| *port).collect();
    let file = folder.join(format!("{program}.conf"));
    let arguments = configure(&file, port, &ports).map_err(at("writing a configuration"))?;
    let log = folder.join(format!("{program}.log"));
    let mut proxy = Process::start(program, arguments, &log)?;
    proxy.listens(port)?;
    crate::http::until_answered(port)?;
    let far = backends.into_iter().map(|(_, process)| process).collect();
    Ok((port, vec![proxy], far))
}

fn backend(folder: &Path) -> Result<(u16, Process), Error> {
    let port = free_port()?;
    let this = std::env::current_exe().map_err(at("finding this program"))?;
    let (listen, bytes) = (port.to_string(), BODY_BYTES.to_string());
    let arguments = ["backend", "--port", &listen, "--body-bytes", &bytes];
    let log = folder.join(format!("backend-{port}.log"));
    let mut process = Process::start(this, arguments, &log)?;
    process.listens(port)?;
    Ok((port, process))
}

/// A program of this workspace, built in the same way as this one.
fn beside(name: &str) -> Result<PathBuf, Error> {
    let this = std::env::current_exe().map_err(at("finding this program"))?;
    let program = this.with_file_name(name);
    if program.is_file() {
        return Ok(program);
    }
    Err(Error::Program(format!(
        "{} is not built",
        program.display()
    )))
}

/// nginx, tuned for this: one process for each thread, no log, connections to the backends kept, the
/// URI chooses the backend, and the forwarding header is set as Constellation sets it.
fn nginx(folder: &Path, processes: usize, listen: u16, backends: &[u16]) -> String {
    let folder = folder.display();
    let servers: String = backends
        .iter()
        .map(|port| format!("    server 127.0.0.1:{port} max_fails=0;\n"))
        .collect();
    format!(
        "daemon off;
worker_processes {processes};
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 16384; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream backends {{
    hash $request_uri;
{servers}    keepalive 1024;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{listen} backlog=4096;
    location / {{
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off;
      proxy_buffering on;
      proxy_buffers 16 64k;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"
    )
}

/// HAProxy, tuned likewise.
fn haproxy(threads: usize, listen: u16, backends: &[u16]) -> String {
    let servers: String = backends
        .iter()
        .map(|port| format!("  server backend-{port} 127.0.0.1:{port} maxconn 4096\n"))
        .collect();
    format!(
        "global
  nbthread {threads}
  maxconn 4096
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  option forwardfor
  http-reuse always
frontend clients
  bind 127.0.0.1:{listen} backlog 4096
  default_backend backends
backend backends
  balance uri
{servers}"
    )
}
