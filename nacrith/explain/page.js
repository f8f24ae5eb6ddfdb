"use strict";
const find = (selector) => document.querySelector(selector);
const page = JSON.parse(find("#page").textContent);
const MODEL = 0, CODED = 2;
// Elements for more tokens than these are made only for what is near the screen.
const MANY = 60000;

async function columns() {
  const packed = Uint8Array.from(atob(find("#columns").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  let at = 0;
  const take = (Type, count) => {
    const column = new Type(buffer, at, count);
    at += column.byteLength;
    return column;
  };
  const n = page.rows, k = page.others;
  return {
    shown: take(Uint32Array, n), others: take(Uint32Array, n * k),
    bits: take(Uint16Array, 3 * n), pModel: take(Uint16Array, n * k), pHeads: take(Uint16Array, n * k),
    own: take(Uint8Array, n),
  };
}

function element(tag, text, parent) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function table(parent, head, rows) {
  const made = element("table", undefined, parent);
  for (const [i, cells] of [head, ...rows].entries()) {
    const row = element("tr", undefined, made);
    for (const cell of cells) element(i ? "td" : "th", cell, row);
  }
  return made;
}

const number = (x, digits = 0) => x.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const visible = (text) => text.replace(/\n/g, "↵").replace(/\t/g, "⇥").replace(/\r/g, "␍");

// The chance 2^-bits as people say it, with two digits.
function odds(bits) {
  const exponent = bits * Math.log10(2);
  if (exponent >= 15) return `1 in 10^${exponent.toFixed(0)}`;
  const chance = 2 ** bits;
  if (chance < 9.95) return `1 in ${chance.toFixed(1).replace(".0", "")}`;
  const rounded = Number(chance.toPrecision(2));
  for (const [power, name] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]])
    if (rounded >= power) return `1 in ${Number((rounded / power).toPrecision(3))} ${name}`;
  return `1 in ${number(rounded)}`;
}

function main(c) {
  const bits = (row, stage) => c.bits[3 * row + stage] / page.bitsUnit;
  const text = (row) => page.strings[c.shown[row]] ?? "";
  const scales = {
    cost: { low: "0 bits", high: "12 bits or more", from: 0, of: (row) => bits(row, CODED) / 12 },
    gain: { low: "4 bits worse", high: "4 bits better", from: -1, of: (row) => (bits(row, MODEL) - bits(row, CODED)) / 4 },
  };
  let scale = "cost";
  function paint(made, x) {
    made.className = scale === "cost" ? "cost" : x < 0 ? "worse" : "better";
    made.style.setProperty("--x", Math.min(1, Math.abs(x)).toFixed(2));
  }
  const shade = (span) => {
    const row = Number(span.dataset.row);
    if (c.own[row] !== page.binary) paint(span, scales[scale].of(row));
  };

  // Blocks of whole lines, each with its text; a block near the screen has an element a token.
  const blocks = [...find("main").children].map((made, i) => ({
    made, begin: page.blocks[i], end: page.blocks[i + 1] ?? page.rows, isFull: false,
  }));
  const blockOf = new Map(blocks.map((block) => [block.made, block]));
  function fill(block) {
    if (block.isFull) return;
    const made = document.createDocumentFragment();
    const add = (row, content) => {
      const span = element("span", undefined, made);
      for (const [i, part] of content.split("\n").entries()) {
        if (i) { element("i", undefined, span); span.append("\n"); }
        if (part) span.append(part);
      }
      span.dataset.row = row;
      shade(span);
    };
    // The end of a block is a line break, which the token after it may begin with.
    for (let row = block.begin; row < block.end; row++)
      add(row, row && row === block.begin ? text(row).replace(/^\n/, "") : text(row));
    if (text(block.end).startsWith("\n")) add(block.end, "\n");
    block.made.replaceChildren(made);
    block.isFull = true;
  }
  function empty(block) {
    if (!block.isFull || page.rows <= MANY) return;
    block.made.textContent = block.made.textContent;
    block.isFull = false;
  }
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) (entry.isIntersecting ? fill : empty)(blockOf.get(entry.target));
  }, { rootMargin: "1000px" });
  for (const block of blocks) near.observe(block.made);
  blocks.slice(0, 2).forEach(fill);
  // On paper all of it has its colours, if it is not too much.
  addEventListener("beforeprint", () => { if (page.rows <= MANY) blocks.forEach(fill); });

  function showScale() {
    const { low, high, from } = scales[scale];
    find("#low").textContent = low;
    find("#high").textContent = high;
    find("#scale").replaceChildren();
    for (let i = 0; i < 8; i++) paint(element("i", undefined, find("#scale")), from + (i / 7) * (1 - from));
    document.querySelectorAll("main span").forEach(shade);
  }
  find("select").onchange = (event) => { scale = event.target.value; showScale(); };
  showScale();

  function goTo(row) {
    const block = blocks.find((b) => row < b.end);
    fill(block);
    const span = block.made.children[row - block.begin];
    span.scrollIntoView({ block: "center" });
    return span;
  }
  for (const link of document.querySelectorAll(".words a"))
    link.onclick = (event) => {
      event.preventDefault();
      choose(goTo(Number(link.dataset.row)));
    };

  const tip = find("#tip");
  function explain(row) {
    tip.replaceChildren();
    const line = element("p", undefined, tip);
    element("code", visible(text(row)), line);
    if (c.own[row] === page.binary) {
      line.append(" coded without the language model");
      return;
    }
    line.append(`: ${number(bits(row, CODED), 2)} bits, ${odds(bits(row, CODED))}`);
    const stages = ["language model alone", "+ bias head, output head", "+ byte-level refinement"];
    const least = Math.min(...stages.map((_, i) => bits(row, i)));
    const costs = table(tip, ["predictor", "bits", ""],
      stages.map((name, i) => [name, number(bits(row, i), 2), bits(row, i) === least ? "best" : ""]));
    costs.rows[1 + stages.findIndex((_, i) => bits(row, i) === least)].className = "own";
    const k = page.others, rows = [];
    const percent = (p) => number(100 * p / page.probabilityUnit, 2) + " %";
    let own = -1;
    for (let i = 0; i < k; i++) {
      const at = row * k + i;
      const choice = c.others[at];
      // The last one is the model's first choice; mostly it is among the others.
      if (i === k - 1 && c.others.subarray(row * k, at).includes(choice)) break;
      if (c.own[row] === i) own = rows.length;
      rows.push([visible(page.strings[choice]), percent(c.pModel[at]), percent(c.pHeads[at])]);
    }
    const choices = table(tip, ["expected", "model", "with heads"], rows);
    choices.style.marginTop = ".4rem";
    if (own >= 0) choices.rows[1 + own].className = "own";
  }
  let chosen = null;
  function choose(span, x, y) {
    chosen?.classList.remove("on");
    chosen = span;
    tip.hidden = !span;
    if (!span) return;
    span.classList.add("on");
    explain(Number(span.dataset.row));
    const box = span.getBoundingClientRect();
    x ??= box.left;
    y ??= box.bottom;
    tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - tip.offsetWidth - 12))}px`;
    const below = y + 18 + tip.offsetHeight < innerHeight;
    tip.style.top = `${below ? y + 18 : Math.max(4, y - 12 - tip.offsetHeight)}px`;
  }
  const under = (event) => event.target.closest("span[data-row]");
  const point = (event) => choose(under(event), event.clientX, event.clientY);
  find("main").onpointermove = (event) => { if (event.pointerType === "mouse") point(event); };
  find("main").onclick = point;
  find("main").onpointerleave = (event) => { if (event.pointerType === "mouse") choose(null); };

  const curve = page.curve, points = curve.row.length, drawn = find("#curve");
  const at = (event) => {
    const box = drawn.getBoundingClientRect();
    return Math.max(0, Math.min(points - 1, Math.floor((points * (event.clientX - box.left)) / box.width)));
  };
  drawn.onclick = (event) => goTo(curve.row[at(event)]);
  drawn.onpointermove = (event) => {
    const i = at(event);
    find("#here").textContent = `— at ${number(i * curve.width)}: ${number(curve.coded[i], 2)}, model alone ${number(curve.model[i], 2)}`;
  };
  drawn.onpointerleave = () => { find("#here").textContent = ""; };
  function showWindow() {
    const box = find("main").getBoundingClientRect(), window = find("#window");
    const from = Math.max(0, -box.top) / box.height, to = Math.min(1, (innerHeight - box.top) / box.height);
    window.setAttribute("x", 1000 * from);
    window.setAttribute("width", Math.max(2, 1000 * (to - from)));
  }
  addEventListener("scroll", showWindow, { passive: true });
  addEventListener("resize", showWindow);
  showWindow();
}

// A picture of pixels is what most places take.
function offerPixels() {
  const link = find("#share"), image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0);
    canvas.toBlob((blob) => {
      if (!blob) return;
      link.href = URL.createObjectURL(blob);
      link.download = `${page.name}.png`;
    });
  };
  image.src = link.href;
}

offerPixels();
columns().then(main);
