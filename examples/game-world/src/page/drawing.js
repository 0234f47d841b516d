
// Draws the world a little late, between the two latest states, so that players move smoothly.
class Drawing {
  static PLAYER = 18;

  constructor(canvas) {
    Object.assign(this, { canvas, ink: canvas.getContext("2d"), size: { width: 1600, height: 900 }, sparks: [], fresh: new Map() });
  }

  static hue(number) { return (number * 137.508) % 360; }
  static colour(number) { return `hsl(${Drawing.hue(number)} 75% 62%)`; }

  // Measures the canvas; what does not change is drawn only when that does.
  fit() {
    const { canvas, size } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    const shape = [width, height, size.width, size.height].join();
    if (shape === this.shape) return;
    this.shape = shape;
    Object.assign(canvas, { width, height });
    const scale = Math.min(width / size.width, height / size.height) * 0.97;
    this.view = { scale, ratio, x: (width - size.width * scale) / 2, y: (height - size.height * scale) / 2 };
    this.backdrop = Drawing.picture(width, height, (ink) => {
      ink.setTransform(scale, 0, 0, scale, this.view.x, this.view.y);
      Drawing.ground(ink, size);
    });
    this.common = this.star("#9be7ff", 10, 4);
    this.rare = this.star("#ffd166", 15, 5);
  }

  static picture(width, height, draw) {
    const picture = document.createElement("canvas");
    Object.assign(picture, { width: Math.max(width, 1), height: Math.max(height, 1) });
    draw(picture.getContext("2d"));
    return picture;
  }

  // A thing with its glow, which would be slow to draw each time.
  star(colour, radius, points) {
    const half = radius * 2.4;
    const side = Math.ceil(half * 2 * this.view.scale);
    const picture = Drawing.picture(side, side, (ink) => {
      ink.setTransform(this.view.scale, 0, 0, this.view.scale, side / 2, side / 2);
      for (let corner = 0; corner < points * 2; corner++) {
        const far = corner % 2 ? radius * 0.45 : radius;
        const angle = corner * Math.PI / points - Math.PI / 2;
        ink.lineTo(Math.cos(angle) * far, Math.sin(angle) * far);
      }
      ink.fillStyle = ink.shadowColor = colour;
      ink.shadowBlur = 12 * this.view.scale;
      ink.fill();
    });
    return { picture, half };
  }

  toWorld(event) {
    const box = this.canvas.getBoundingClientRect();
    const { scale, ratio, x, y } = this.view;
    return { x: ((event.clientX - box.left) * ratio - x) / scale, y: ((event.clientY - box.top) * ratio - y) / scale };
  }

  draw(scene, now, you, names, paused) {
    this.fit();
    const { ink, view, size } = this;
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ink.drawImage(this.backdrop, 0, 0);
    ink.setTransform(view.scale, 0, 0, view.scale, view.x, view.y);
    if (!scene) return;
    for (const [id, thing] of scene.things) this.thing(id, thing, now);
    for (const id of this.fresh.keys()) if (!scene.things.has(id)) this.fresh.delete(id);
    this.burst(now);
    for (const [id, player] of scene.players) this.player(id, player, id === you, names.get(id) || "");
    if (paused) {
      ink.fillStyle = "rgba(16, 20, 31, .55)";
      ink.fillRect(0, 0, size.width, size.height);
    }
  }

  static ground(ink, { width, height }) {
    const shade = ink.createLinearGradient(0, 0, 0, height);
    shade.addColorStop(0, "#1d3a44");
    shade.addColorStop(1, "#17293f");
    ink.fillStyle = shade;
    ink.beginPath();
    ink.roundRect(0, 0, width, height, 22);
    ink.fill();
    ink.fillStyle = "rgba(255, 255, 255, .05)";
    for (let x = 50; x < width; x += 75) {
      for (let y = 45; y < height; y += 75) ink.fillRect(x, y, 3, 3);
    }
    ink.strokeStyle = "rgba(255, 255, 255, .12)";
    ink.lineWidth = 2;
    ink.stroke();
  }

  thing(id, { x, y, value }, now) {
    const { ink } = this;
    if (!this.fresh.has(id)) this.fresh.set(id, now);
    const age = Math.min((now - this.fresh.get(id)) / 300, 1);
    const { picture, half } = value > 1 ? this.rare : this.common;
    const reach = half * age * (1 + 0.08 * Math.sin(now / 250 + id));
    ink.save();
    ink.translate(x, y);
    if (value > 1) ink.rotate(now / 1800 + id);
    ink.drawImage(picture, -reach, -reach, reach * 2, reach * 2);
    ink.restore();
  }

  player(id, { x, y, score }, isYou, name) {
    const { ink } = this;
    const radius = Drawing.PLAYER;
    ink.fillStyle = "rgba(0, 0, 0, .3)";
    ink.beginPath();
    ink.ellipse(x, y + radius * 0.85, radius * 0.95, radius * 0.4, 0, 0, 7);
    ink.fill();
    const light = ink.createRadialGradient(x - 6, y - 7, 3, x, y, radius);
    light.addColorStop(0, `hsl(${Drawing.hue(id)} 90% 80%)`);
    light.addColorStop(1, `hsl(${Drawing.hue(id)} 70% 50%)`);
    ink.fillStyle = light;
    ink.beginPath();
    ink.arc(x, y, radius, 0, 7);
    ink.fill();
    ink.lineWidth = isYou ? 3.5 : 1.5;
    ink.strokeStyle = isYou ? "#fff" : "rgba(0, 0, 0, .35)";
    ink.stroke();
    ink.textAlign = "center";
    ink.font = `${isYou ? 700 : 500} 19px system-ui, "DejaVu Sans", sans-serif`;
    ink.lineWidth = 4;
    ink.strokeStyle = "rgba(16, 20, 31, .8)";
    const label = `${name}  ${score}`;
    ink.strokeText(label, x, y - radius - 9);
    ink.fillStyle = "#fff";
    ink.fillText(label, x, y - radius - 9);
  }

  spark(x, y, value, now) { this.sparks.push({ x, y, value, since: now }); }

  burst(now) {
    const { ink } = this;
    this.sparks = this.sparks.filter((spark) => now - spark.since < 700);
    for (const { x, y, value, since } of this.sparks) {
      const age = (now - since) / 700;
      ink.globalAlpha = 1 - age;
      ink.strokeStyle = value > 1 ? "#ffd166" : "#9be7ff";
      ink.lineWidth = 3;
      ink.beginPath();
      ink.arc(x, y, 12 + age * 34, 0, 7);
      ink.stroke();
      ink.fillStyle = ink.strokeStyle;
      ink.textAlign = "left";
      ink.font = '700 22px system-ui, "DejaVu Sans", sans-serif';
      ink.fillText(`+${value}`, x + 28, y + 6 - age * 26);
      ink.globalAlpha = 1;
    }
  }
}
