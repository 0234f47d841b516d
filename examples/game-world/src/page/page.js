
// The page: what it knows of the world, and what it shows of that.
const byId = (id) => document.getElementById(id);
const worldName = decodeURIComponent(location.pathname.split("/")[2] || "");
const base = `/games/${encodeURIComponent(worldName)}`;

// For tests and for whoever is curious: everything that this page knows, in numbers.
const game = {
  you: null, owner: null, state: null, names: new Map(),
  newOwner: null, states: 0, lastState: 0, longestGap: 0, ended: null,
};

// A player is known again by a secret of this tab, so that two tabs are two players.
function secret() {
  let known = sessionStorage.getItem("player");
  if (!known) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    known = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("player", known);
  }
  return known;
}

function tell(text) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toTimeString().slice(0, 8);
  line.append(time, text);
  byId("events").prepend(line);
  while (byId("events").children.length > 12) byId("events").lastChild.remove();
}

function notice(text) {
  byId("notice").hidden = !text;
  byId("notice").textContent = text;
}

const drawing = new Drawing(byId("canvas"));
let steering, connection;

// The two latest states and when they came: what is drawn lies between them.
let before = null, latest = null;

const listener = {
  message(message) {
    const handle = {
      welcome: welcomed, roster: (it) => { game.names = new Map(it.players); list(); }, state: stateCame,
      moving: () => notice("This world moves to another worker…"), error: (it) => tell(`The world says: ${it.message}`),
    }[message.type];
    if (handle) handle(message);
  },
  lost(code, reason, stopped) {
    byId("lamp").classList.remove("live");
    if (stopped) {
      game.ended = reason;
      notice(reason || "The world does not let this page play.");
      return;
    }
    if (game.you !== null) {
      const why = code === 1012 ? reason : `the connection was lost (${code})`;
      notice(code === 1012 ? "Looking for the world's next owner…" : "Connection lost, trying again…");
      tell(why);
    }
    game.you = null;
  },
};

function welcomed(message) {
  const former = game.owner;
  game.owner = message.owner;
  game.you = message.you;
  game.tickMs = message.tickMs;
  drawing.size = { width: message.width, height: message.height };
  before = latest = null;
  steering.repeat();
  steering.update(null);
  byId("worker").textContent = message.owner.worker;
  byId("process").textContent = message.owner.process;
  byId("epoch").textContent = message.owner.epoch;
  if (former && former.epoch !== message.owner.epoch) {
    game.newOwner = message.owner.worker;
    byId("owner").classList.remove("changed");
    void byId("owner").offsetWidth;
    byId("owner").classList.add("changed");
  } else if (!former) {
    tell(`${message.owner.worker} owns this world`);
  }
}

function stateCame(message) {
  if (game.you === null) return;
  const now = performance.now();
  const gap = game.lastState ? now - game.lastState : 0;
  game.longestGap = Math.max(game.longestGap, gap);
  if (game.newOwner) {
    tell(`${game.newOwner} owns the world now. Play paused for ${Math.round(gap)} ms.`);
    game.newOwner = null;
  }
  game.lastState = now;
  game.states += 1;
  const state = {
    at: now, tick: message.tick, revision: message.revision, saved: message.saved,
    players: new Map(message.players.map(([id, x, y, score]) => [id, { x, y, score }])),
    things: new Map(message.things.map(([id, x, y, value]) => [id, { x, y, value }])),
  };
  if (latest) {
    for (const [id, thing] of latest.things) {
      if (!state.things.has(id)) drawing.spark(thing.x, thing.y, thing.value, now);
    }
  }
  before = latest || state;
  latest = game.state = state;
  steering.update(state.players.get(game.you));
  if (!byId("lamp").classList.contains("live")) {
    byId("lamp").classList.add("live");
    notice("");
  }
  if (game.states % 10 === 1 || before.revision !== state.revision || before.saved !== state.saved) list();
}

function list() {
  const { state } = game;
  if (!state) return;
  const players = [...state.players].sort((one, other) => other[1].score - one[1].score || one[0] - other[0]);
  byId("players").replaceChildren(...players.slice(0, 15).map(([id, { score }]) => {
    const line = document.createElement("li");
    const [dot, name, points] = ["i", "span", "b"].map((tag) => document.createElement(tag));
    dot.style.background = Drawing.colour(id);
    name.textContent = game.names.get(id) || "…";
    points.textContent = score;
    line.classList.toggle("you", id === game.you);
    line.append(dot, name, points);
    return line;
  }));
  const safe = state.saved >= state.revision;
  byId("saved").className = safe ? "safe" : "unsafe";
  byId("saved").textContent = safe ? "Every score is saved" : "Saving…";
}

// Where everything is at this moment, one beat late.
function scene(now) {
  if (!latest) return game.state;
  const share = Math.min((now - latest.at) / game.tickMs, 1);
  const players = new Map();
  for (const [id, to] of latest.players) {
    const from = before.players.get(id) || to;
    players.set(id, { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share, score: to.score });
  }
  return { players, things: latest.things };
}

function frame(now) {
  drawing.draw(scene(now), now, game.you, game.names, game.you === null && game.owner !== null);
  requestAnimationFrame(frame);
}

function play(name) {
  sessionStorage.setItem("name", name);
  byId("entry").hidden = true;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  steering = new Steering(byId("canvas"), (event) => drawing.toWorld(event), (steer) => {
    if (connection && game.you !== null) connection.send(steer);
  });
  const hello = () => ({ type: "join", version: 1, player: secret(), name });
  connection = new Connection(`${scheme}//${location.host}${base}/socket`, hello, listener);
}

byId("world").textContent = worldName;
document.title = `${worldName} · game world`;
byId("move").addEventListener("click", async () => {
  byId("move").disabled = true;
  try {
    const answer = await fetch(`${base}/move`, { method: "POST" });
    if (!answer.ok) tell((await answer.json()).message);
  } catch {
    tell("The move could not be asked for.");
  }
  byId("move").disabled = false;
});
byId("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("name").value.trim();
  if (name) play(name);
});
byId("name").value = sessionStorage.getItem("name") || "";
if (sessionStorage.getItem("name")) play(sessionStorage.getItem("name"));
else byId("name").focus();
requestAnimationFrame(frame);
