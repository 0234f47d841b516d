//! The configurations of nginx and HAProxy.

use std::path::Path;

/// nginx, tuned for this: one process for each thread, no log, connections to the backends kept, the
/// URI chooses the backend, and the forwarding header is set as Constellation sets it.
pub(super) fn nginx(folder: &Path, processes: usize, listen: u16, backends: &[u16]) -> String {
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
  # Upgrades are passed on; every other connection to a backend is kept.
  map $http_upgrade $connection_header {{ default upgrade; '' ''; }}
  upstream backends {{
    hash $request_uri;
{servers}    keepalive 1024;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{listen} backlog=4096 reuseport;
    location / {{
      proxy_pass http://backends;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off;
      proxy_buffering on;
      proxy_buffers 16 64k;
      proxy_max_temp_file_size 0;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }}
  }}
}}
"
    )
}

/// HAProxy, tuned likewise. A websocket may be silent for as long as Constellation lets it.
pub(super) fn haproxy(threads: usize, listen: u16, backends: &[u16]) -> String {
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
  timeout tunnel 1h
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
