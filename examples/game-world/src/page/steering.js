
// Where the player wants to go: by keys, or by holding a pointer.
class Steering {
  static KEYS = {
    ArrowUp: [0, -1], KeyW: [0, -1], ArrowDown: [0, 1], KeyS: [0, 1],
    ArrowLeft: [-1, 0], KeyA: [-1, 0], ArrowRight: [1, 0], KeyD: [1, 0],
  };
  // As close as this to the pointer, in units, is there.
  static NEAR = 12;

  constructor(canvas, toWorld, changed) {
    Object.assign(this, { toWorld, changed, pressed: new Set(), pointer: null, last: "" });
    addEventListener("keydown", (event) => this.key(event, true));
    addEventListener("keyup", (event) => this.key(event, false));
    addEventListener("blur", () => this.release());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event;
    });
    canvas.addEventListener("pointermove", (event) => { if (this.pointer) this.pointer = event; });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => { this.pointer = null; });
    }
  }

  key(event, down) {
    if (!(event.code in Steering.KEYS) || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    if (down) this.pressed.add(event.code); else this.pressed.delete(event.code);
    this.update(null);
  }

  release() {
    this.pressed.clear();
    this.pointer = null;
    this.update(null);
  }

  // Forgets what the world knows: its owner is a new one.
  repeat() { this.last = ""; }

  // Says where to go, if that is news. `me` is where the player is.
  update(me) {
    let [x, y] = [0, 0];
    for (const code of this.pressed) {
      x += Steering.KEYS[code][0];
      y += Steering.KEYS[code][1];
    }
    if (this.pointer && me) {
      const to = this.toWorld(this.pointer);
      [x, y] = [to.x - me.x, to.y - me.y];
      if (Math.hypot(x, y) < Steering.NEAR) [x, y] = [0, 0];
    } else if (this.pointer) {
      return;
    }
    const length = Math.max(Math.hypot(x, y), 1e-9);
    const steer = { type: "steer", x: Math.round(x / length * 20) / 20, y: Math.round(y / length * 20) / 20 };
    const text = JSON.stringify(steer);
    if (text !== this.last) {
      this.last = text;
      this.changed(steer);
    }
  }
}
