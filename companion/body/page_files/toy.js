// Draws the toy from frames. Nothing here is invented: what has no channel does not move, what has no light is dark.
// A channel finds its part of the body by kind and name (`partOf`); those without one show as a gauge alone.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const CALM_MS = 250; // With reduced motion: at most four pictures a second, and wheels do not spin.

const LIGHT_TO_SCREEN = 0.55;

const $ = (id) => document.getElementById(id);

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
const group = (attributes, ...children) => make("g", attributes, ...children);
const path = (d, fill, more = {}) => make("path", { d, fill, ...more });
const ellipse = (cx, cy, rx, ry, fill, more = {}) => make("ellipse", { cx, cy, rx, ry, fill, ...more });

function gradient(id, stops, more = {}) {
  const colours = stops.map(([offset, colour]) => make("stop", { offset, "stop-color": colour }));
  return make("radialGradient", { id, cx: 0.42, cy: 0.3, r: 0.85, ...more }, ...colours);
}

const blur = (id, amount) =>
  make("filter", { id, x: "-150%", y: "-150%", width: "400%", height: "400%" },
    make("feGaussianBlur", { stdDeviation: amount }));

// Which part of the body a channel is.
function partOf(name, kind) {
  const side = /(^|_)(left|l)(_|$)/.test(name) ? "Left" : /(^|_)(right|r)(_|$)/.test(name) ? "Right" : "";
  if (kind === "mouth") return "mouth";
  if (kind === "motor") return "wheel" + side;
  if (kind === "light") {
    if (/eye/.test(name)) return "eyeLight" + side;
    if (/ear/.test(name)) return "earLight" + side;
    if (/cheek/.test(name)) return "cheekLight" + side;
    return "chestLight";
  }
  if (/lid|blink/.test(name)) return "lids" + side;
  if (/ear/.test(name)) return "ear" + side;
  if (/arm|hand|shoulder|wing/.test(name)) return "arm" + side;
  if (/tilt|roll/.test(name)) return "tilt";
  if (/nod|pitch|neck|up/.test(name)) return "nod";
  if (/eye/.test(name)) return "gaze";
  if (/head|turn|yaw|look/.test(name)) return "turn";
  return "";
}

const FUR = "url(#fur)", SHADE = "#8a5a3c", CREAM = "url(#cream)", GLASS = "#262b45";

function drawToy(has) {
  const parts = {};
  const note = (name, element) => { (parts[name] ||= []).push(element); return element; };
  const lamp = (name, element, glow) => {
    element.classList.add("shines");
    note(name, element);
    if (glow) { glow.classList.add("shines"); glow.setAttribute("opacity", 0); note(name + "Glow", glow); }
    return glow ? group({}, glow, element) : element;
  };
  const moves = (name, element) => { element.classList.add("moves"); return note(name, element); };

  const defs = make("defs", {},
    gradient("fur", [[0, "#d9a273"], [0.55, "#b97c4e"], [1, "#8f5a36"]]),
    gradient("cream", [[0, "#fff3df"], [1, "#e6c79f"]]),
    gradient("belly", [[0, "#f0d5ae"], [1, "#cda06f"]]),
    gradient("rubber", [[0, "#59617f"], [1, "#232843"]]),
    gradient("floor", [[0, "rgba(0,0,0,.55)"], [1, "rgba(0,0,0,0)"]], { cx: 0.5, cy: 0.5, r: 0.5 }),
    blur("soft", 16), blur("soften", 7), blur("wide", 34),
    make("clipPath", { id: "eyeLeftClip" }, ellipse(-44, -150, 23, 27, "#000")),
    make("clipPath", { id: "eyeRightClip" }, ellipse(44, -150, 23, 27, "#000")));

  const ear = (side, x) => {
    const inner = ellipse(x, -238, 25, 25, "#e9b9a0");
    const light = ellipse(x, -238, 25, 25, "transparent");
    return moves("ear" + side, group({ "data-x": x * 0.8, "data-y": -210 },
      ellipse(x, -238, 46, 46, FUR), inner, lamp("earLight" + side, light, ellipse(x, -238, 44, 44, "#fff", { filter: "url(#soft)" }))));
  };
  // On wheels, or with nothing that moves, it is a robot or a car, with a round face; else a bear.
  const ears = !has.ear && (has.wheel || !has.limb) ? [] : [ear("Left", -88), ear("Right", 88)];
  const arm = (side, sign) => moves("arm" + side, group({ "data-x": sign * 108, "data-y": 22, "data-sign": sign },
    path(`M ${sign * 96} 26 Q ${sign * 136} 62 ${sign * 140} 116`, "none", { stroke: "#a96e44", "stroke-width": 60, "stroke-linecap": "round" }),
    path(`M ${sign * 92} 22 Q ${sign * 128} 56 ${sign * 132} 108`, "none", { stroke: "#c68d5f", "stroke-width": 34, "stroke-linecap": "round", opacity: 0.75, filter: "url(#soften)" }),
    ellipse(sign * 141, 124, 20, 17, CREAM)));
  const eye = (side, x) => {
    const iris = ellipse(x, -150, 23, 27, "#1d1a22");
    const glow = ellipse(x, -150, 34, 38, "#fff", { filter: "url(#soft)" });
    const lid = moves("lids" + side, path(`M ${x - 30} -182 h 60 v 62 h -60 Z`, SHADE, { "data-lid": "", transform: "translate(0 -62)" }));
    return group({}, lamp("eyeLight" + side, iris, glow),
      moves("gaze", group({}, ellipse(x, -148, 10, 12, "#0b0a10", { opacity: has.eyeLight ? 0.85 : 0 }),
        ellipse(x - 7, -160, 7, 8, "#fff", { opacity: 0.92 }), ellipse(x + 8, -140, 3.4, 4, "#fff", { opacity: 0.6 }))),
      group({ "clip-path": `url(#eye${side}Clip)` }, lid));
  };
  const wheel = (side, x) => {
    const spokes = [0, 60, 120].map((angle) => make("rect", { x: x - 4, y: 212, width: 8, height: 76, rx: 4, fill: "#8e97bd", transform: `rotate(${angle} ${x} 250)` }));
    return group({}, ellipse(x, 250, 50, 50, "url(#rubber)"), ellipse(x, 250, 38, 38, "#2d3454"),
      note("wheel" + side, group({ "data-x": x, "data-y": 250 }, ...spokes)), ellipse(x, 250, 10, 10, "#c7cdea"));
  };
  const foot = (x) => group({}, ellipse(x, 238, 58, 40, FUR), ellipse(x, 240, 32, 23, CREAM));

  const chest = lamp("chestLight", path("M 0 108 C -44 78 -52 44 -30 30 C -14 21 0 34 0 46 C 0 34 14 21 30 30 C 52 44 44 78 0 108 Z", GLASS, { stroke: "#5b3a24", "stroke-opacity": 0.45, "stroke-width": 4 }),
    path("M 0 112 C -58 84 -66 38 -36 20 C -16 10 0 26 0 40 C 0 26 16 10 36 20 C 66 38 58 84 0 112 Z", "#fff", { filter: "url(#wide)" }));

  const mouth = note("mouth", group({},
    path("", "#5a2430", { stroke: "#3b1a1f", "stroke-width": 5, "stroke-linecap": "round", "stroke-linejoin": "round" }),
    ellipse(0, -78, 15, 0, "#e7798a")));

  const face = moves("face", group({},
    ellipse(0, -100, 62, 50, CREAM),
    ellipse(0, -124, 19, 13, "#3b2420"), ellipse(-6, -129, 6, 3.4, "#fff", { opacity: 0.35 }),
    make("line", { x1: 0, y1: -112, x2: 0, y2: -98, stroke: "#3b2420", "stroke-width": 4.5, "stroke-linecap": "round" }),
    mouth, eye("Left", -44), eye("Right", 44),
    lamp("cheekLightLeft", ellipse(-82, -102, 19, 13, "#e59a86", { opacity: 0.5 })),
    lamp("cheekLightRight", ellipse(82, -102, 19, 13, "#e59a86", { opacity: 0.5 }))));

  const head = moves("head", group({}, ...ears, ellipse(0, -140, 128, 112, FUR), face));
  const body = group({}, ellipse(0, 100, 120, 148, FUR), ellipse(0, 122, 80, 98, "url(#belly)"));
  const stand = has.wheel ? group({}, wheel("Left", -72), wheel("Right", 72)) : group({}, foot(-66), foot(66));
  $("toy").replaceChildren(defs, ellipse(0, 290, 210, 24, "url(#floor)"),
    body, stand, chest, arm("Left", -1), arm("Right", 1), head);
  return parts;
}

const rgb = (colour) => `rgb(${colour.join(",")})`;
const brightest = (colour) => Math.max(...colour);

class Toy {
  constructor(channels) {
    this.channels = channels;
    this.roles = {};
    for (const [name, one] of Object.entries(channels)) this.roles[name] = partOf(name, one.kind);
    const roles = Object.values(this.roles);
    this.parts = drawToy({
      wheel: roles.some((role) => role.startsWith("wheel")),
      eyeLight: roles.some((role) => role.startsWith("eyeLight")),
      ear: roles.some((role) => role.startsWith("ear")),
      limb: roles.some((role) => /^(arm|turn|tilt|nod)/.test(role)),
    });
    this.spun = { Left: 0, Right: 0 };
    this.gauges = new Gauges(channels);
  }

  show(frame, seconds) {
    const pose = { turn: 0, tilt: 0, nod: 0 };
    for (const [name, colour] of Object.entries(frame.lights)) this.shine(this.roles[name], colour);
    for (const [name, value] of Object.entries(frame.positions)) {
      const role = this.roles[name], one = this.channels[name];
      if (!role) continue;
      if (role in pose) pose[role] = value;
      else if (role === "mouth") this.speak(value);
      else if (role.startsWith("arm")) this.turnAround(role, -value * 0.95);
      else if (role.startsWith("ear")) this.turnAround(role, value);
      else if (role.startsWith("lids")) this.close(role, (value - one.low) / (one.high - one.low || 1));
      else if (role === "gaze") this.each(role, (part) => part.setAttribute("transform", `translate(${value * 0.15} 0)`));
      else if (role.startsWith("wheel")) this.roll(role.slice(5), value * seconds * 360);
    }
    this.each("head", (part) => part.setAttribute("transform",
      `translate(${pose.turn * 0.35} ${pose.nod * 0.2}) rotate(${pose.tilt} 0 -40)`));
    this.each("face", (part) => part.setAttribute("transform",
      `translate(${pose.turn * 0.75} ${pose.nod * 0.6}) translate(0 -130) scale(${1 - Math.abs(pose.turn) / 500} 1) translate(0 130)`));
    this.gauges.show(frame);
  }

  each(role, change) {
    const sides = role.endsWith("Left") || role.endsWith("Right") ? [role] : [role, role + "Left", role + "Right"];
    for (const side of sides) for (const part of this.parts[side] || []) change(part);
  }

  shine(role, colour) {
    if (!role) return;
    // A light's numbers are proportional to its power; a screen's are not. The hue stays.
    const level = (brightest(colour) / 255) ** LIGHT_TO_SCREEN, dark = role.startsWith("eye") ? [29, 26, 34] : [38, 43, 69];
    const most = brightest(colour) || 1, pure = colour.map((part) => Math.round((255 * part) / most));
    const seen = pure.map((part, i) => Math.round(part * level + dark[i] * (1 - level)));
    this.each(role, (part) => { part.setAttribute("fill", rgb(seen)); if (role.startsWith("ear")) part.setAttribute("opacity", level); });
    const glow = (part) => { part.setAttribute("fill", rgb(pure)); part.setAttribute("opacity", 0.85 * level); };
    for (const side of ["", "Left", "Right"]) {
      const name = role.endsWith("Left") || role.endsWith("Right") ? role + "Glow" : role + side + "Glow";
      for (const part of this.parts[name] || []) glow(part);
    }
  }

  turnAround(role, degrees) {
    this.each(role, (part) => {
      const { x, y, sign = 1 } = part.dataset;
      part.setAttribute("transform", `rotate(${degrees * sign} ${x} ${y})`);
    });
  }

  close(role, share) {
    this.each(role, (part) => part.setAttribute("transform", `translate(0 ${-62 * (1 - share)})`));
  }

  roll(side, degrees) {
    for (const one of side ? [side] : ["Left", "Right"]) {
      this.spun[one] = calm.matches ? 0 : (this.spun[one] + degrees) % 360;
      for (const part of this.parts["wheel" + one] || []) {
        part.setAttribute("transform", `rotate(${this.spun[one]} ${part.dataset.x} ${part.dataset.y})`);
      }
    }
  }

  speak(opening) {
    const open = Math.min(Math.max(opening, 0), 1), wide = 30 - 6 * open, low = 12 + 34 * open;
    for (const part of this.parts.mouth || []) {
      const [lips, tongue] = part.children;
      lips.setAttribute("d", `M ${-wide} -94 Q 0 ${-94 + 14 - 6 * open} ${wide} -94 Q ${wide * 0.8} ${-94 + low} 0 ${-94 + low} Q ${-wide * 0.8} ${-94 + low} ${-wide} -94 Z`);
      lips.setAttribute("fill", open > 0.04 ? "#5a2430" : "#3b1a1f");
      tongue.setAttribute("cy", -94 + low - 7 * open);
      tongue.setAttribute("ry", 9 * open);
    }
  }
}

class Gauges {
  constructor(channels) {
    this.rows = {};
    const boxes = Object.entries(channels).map(([name, one]) => this.box(name, one));
    $("gauges").replaceChildren(...boxes);
  }

  box(name, one) {
    const box = document.createElement("section"), head = document.createElement("div");
    const title = document.createElement("b"), text = document.createElement("span");
    title.textContent = name.replaceAll("_", " ");
    head.append(title, text);
    const track = make("rect", { width: 100, height: 6, rx: 3, fill: "rgba(255,255,255,.10)" });
    const mark = make("rect", { width: one.kind === "light" ? 100 : 8, height: 6, rx: 3, fill: "#9fb4ff" });
    box.className = "gauge";
    // For screen readers: one meter with a name and a value, and no picture.
    box.setAttribute("role", "meter");
    box.setAttribute("aria-label", title.textContent);
    if (one.kind !== "light") { box.setAttribute("aria-valuemin", one.low); box.setAttribute("aria-valuemax", one.high); }
    box.append(head, make("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" }, track, mark));
    this.rows[name] = { one, text, mark, box };
    return box;
  }

  show(frame) {
    for (const [name, { one, text, mark, box }] of Object.entries(this.rows)) {
      if (one.kind === "light") {
        const colour = frame.lights[name] || [0, 0, 0];
        mark.setAttribute("fill", rgb(colour));
        this.tell(box, text, "#" + colour.map((part) => part.toString(16).padStart(2, "0")).join(""), brightest(colour));
        continue;
      }
      const value = frame.positions[name] ?? 0, share = (value - one.low) / (one.high - one.low || 1);
      if (one.kind === "servo") mark.setAttribute("x", 92 * share);
      else {
        const zero = Math.min(Math.max(-one.low / (one.high - one.low || 1), 0), 1);
        mark.setAttribute("x", 100 * Math.min(zero, share));
        mark.setAttribute("width", Math.max(100 * Math.abs(share - zero), 2));
      }
      this.tell(box, text, one.kind === "servo" ? `${value.toFixed(0)}°` : `${(value * 100).toFixed(0)} %`, value);
    }
  }

  tell(box, text, shown, value) {
    if (text.textContent === shown) return;
    text.textContent = shown;
    box.setAttribute("aria-valuetext", shown);
    box.setAttribute("aria-valuenow", value);
  }
}

// Frames come as fast as they like; one picture is drawn for each refresh of the screen, from the newest.
let toy = null, newest = null, drawnAt = 0;

function draw(now) {
  requestAnimationFrame(draw);
  if (!toy || !newest || (calm.matches && now - drawnAt < CALM_MS)) return;
  toy.show(newest, Math.min((now - drawnAt) / 1000, 0.1));
  drawnAt = now;
}

function live(yes) {
  $("link").dataset.live = yes ? "yes" : "no";
  $("link").textContent = yes ? "live" : "waiting for the toy";
  $("toy").classList.toggle("gone", !yes);
}

const source = new EventSource("frames");
source.addEventListener("hello", (event) => {
  const { name, channels } = JSON.parse(event.data);
  $("name").textContent = document.title = name;
  $("toy").setAttribute("aria-label", `${name}, drawn live from what its body shows`);
  toy = new Toy(channels);
  live(true);
});
source.addEventListener("message", (event) => { newest = JSON.parse(event.data); });
source.addEventListener("error", () => live(false));
requestAnimationFrame(draw);
