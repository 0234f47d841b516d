"use strict";

// The way to the world's owner, whoever that is. It comes back by itself: at once when it is told to
// (close code 1012), else after 100 ms at first and up to 2 s later on.
class Connection {
  static FIRST_WAIT_MS = 100;
  static LONGEST_WAIT_MS = 2000;
  // Nothing for so long, from a world that speaks 20 times a second, is a broken connection.
  static SILENCE_MS = 4000;

  constructor(url, hello, listener) {
    Object.assign(this, { url, hello, listener, wait: Connection.FIRST_WAIT_MS, hurried: 0, lost: 0, stopped: false });
    this.open();
    setInterval(() => this.lookAfter(), 500);
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.heard = performance.now();
    socket.onopen = () => this.send(this.hello());
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.heard = performance.now();
      const message = JSON.parse(event.data);
      if (message.type === "state") {
        this.wait = Connection.FIRST_WAIT_MS;
        this.hurried = 0;
      }
      this.listener.message(message);
    };
    socket.onclose = (event) => this.closed(socket, event.code, event.reason);
  }

  closed(socket, code, reason) {
    if (socket !== this.socket) return;
    this.socket = null;
    // 1003 and 1008: the world does not want what this page says. To repeat it would not help.
    this.stopped = code === 1003 || code === 1008;
    this.listener.lost(code, reason, this.stopped);
    if (this.stopped) return;
    // A world that sends its players away again and again is not hurried to.
    const atOnce = code === 1012 && this.hurried < 3;
    if (atOnce) {
      this.hurried += 1;
      this.open();
      return;
    }
    setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 1.7, Connection.LONGEST_WAIT_MS);
  }

  lookAfter() {
    const socket = this.socket;
    const open = socket && socket.readyState === WebSocket.OPEN;
    if (open && performance.now() - this.heard > Connection.SILENCE_MS) {
      this.closed(socket, 1006, "nothing was heard");
      socket.close();
    }
  }

  send(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    }
  }
}
