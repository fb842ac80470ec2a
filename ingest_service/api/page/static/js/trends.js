// The curves: minute means of one furnace, judged hour means and limits, in the page's own greys.
import { centreNow } from "./ages.js";

const REFRESH_MS = 60_000;
const MINUTE_MS = 60_000;
const HOUR_MEAN = "hour:";
const drawn = new Map();

export function drawTrends() {
  for (const [section, parts] of drawn) {
    if (document.contains(section)) continue;
    parts.forEach((part) => part.plot.destroy());
    drawn.delete(section);
  }
  const section = document.getElementById("trends");
  if (section && !drawn.has(section)) load(section);
}

setInterval(() => drawn.forEach((_, section) => section.hasAttribute("data-follows") && load(section)), REFRESH_MS);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((_, section) => load(section)));

let wide;
addEventListener("resize", () => {
  clearTimeout(wide);
  wide = setTimeout(() => drawn.forEach((parts) => parts.forEach(({ plot, canvas }) => {
    plot.setSize({ width: canvas.clientWidth, height: canvas.clientHeight });
  })), 150);
});

async function load(section) {
  const { url, from, to } = section.dataset;
  const end = section.hasAttribute("data-follows") ? Math.round(centreNow()) : Number(to);
  const start = end - (Number(to) - Number(from));
  if (!drawn.has(section)) drawn.set(section, []);
  const response = await fetch(`${url}?from=${start}&to=${end}`);
  if (!response.ok) return;
  const data = await response.json();
  (drawn.get(section) ?? []).forEach((part) => part.plot.destroy());
  drawn.set(section, [...section.querySelectorAll(".plot")].map((figure) => draw(figure, data, { start, end, section })).filter(Boolean));
}

function columns(figure, data) {
  const keys = figure.dataset.lines.split(" ");
  return keys.map((key) => (key.startsWith(HOUR_MEAN) ? hourMeans(key.slice(HOUR_MEAN.length), data) : minuteMeans(key, data)));
}

function minuteMeans(quantity, data) {
  const line = data.lines.find((one) => one.quantity === quantity);
  return line ? line.mean : data.start_ms.map(() => null);
}

// A judged hour holds its mean over all its minutes.
function hourMeans(pollutant, data) {
  const hours = data.hours.filter((hour) => hour.pollutant === pollutant && hour.mean !== null);
  return data.start_ms.map((at) => hours.find((hour) => hour.start_ms <= at && at < hour.end_ms)?.mean ?? null);
}

function limitOf(figure, data) {
  const pollutant = figure.dataset.pollutant;
  const limits = data.hours.filter((hour) => hour.pollutant === pollutant).map((hour) => hour.limit);
  return limits.length ? Math.min(...limits) : null;
}

function draw(figure, data, span) {
  const canvas = figure.querySelector(".canvas");
  const lines = columns(figure, data);
  const nothing = lines.every((line) => line.every((mean) => mean === null));
  figure.querySelector(".nothing").hidden = !nothing;
  canvas.hidden = nothing;
  if (nothing) return null;
  const times = data.start_ms.map((at) => (at + MINUTE_MS / 2) / 1000);
  const limit = limitOf(figure, data);
  if (limit !== null) lines.push(lines[1].map((mean) => (mean !== null && mean > limit ? mean : null)));
  const usual = usualOf(figure, data);
  const key = figure.querySelector(".usual");
  if (key) key.hidden = !usual.length;
  const bounds = usual.flatMap(({ line }) => [line.usual.high, line.usual.low]);
  const plot = new uPlot(withAreas(options(figure, canvas, limit, span), usual, lines.length), [times, ...lines, ...bounds], canvas);
  return { plot, canvas };
}

// The lines of which is known what the furnace usually shows, each with its place among those of its plot.
function usualOf(figure, data) {
  const keys = figure.dataset.lines.split(" ");
  return keys.flatMap((key, place) => data.lines.filter((one) => one.quantity === key && one.usual).map((line) => ({ line, place })));
}

// Behind the lines, an area from the lower to the upper bound of each: two series that are not drawn themselves.
function withAreas(asked, usual, count) {
  const bound = (place) => ({ scale: asked.series[place + 1].scale, stroke: "transparent", width: 0, spanGaps: false, points: { show: false } });
  const areas = usual.map((_, at) => ({ series: [count + 2 * at + 1, count + 2 * at + 2], fill: `${colour("--fill")}2e` }));
  return { ...asked, series: [...asked.series, ...usual.flatMap(({ place }) => [bound(place), bound(place)])], bands: areas };
}

function options(figure, canvas, limit, span) {
  const ink = colour("--ink");
  const quiet = colour("--quiet");
  const keys = figure.dataset.lines.split(" ");
  const judged = Boolean(figure.dataset.pollutant);
  const steps = uPlot.paths.stepped({ align: 1 });
  const twoAxes = figure.dataset.plot === "oxygen" && keys.length > 1;
  const zone = document.body.dataset.zone;
  const outputs = [...figure.querySelectorAll("output")];
  const axis = { stroke: quiet, grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
  const strokes = judged
    ? [{ stroke: quiet, width: 1 }, { stroke: ink, width: 2.5, paths: steps }, { stroke: colour("--high-shape"), width: 4, paths: steps }]
    : [{ stroke: ink, width: 1.6 }, { stroke: quiet, width: 1.6, dash: [6, 4] }];
  return {
    width: canvas.clientWidth,
    height: canvas.clientHeight,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: "trends" } },
    scales: {
      x: { time: true, range: [span.start / 1000, span.end / 1000] },
      y: { range: (_, low, high) => reach(low, high, limit, judged) },
      second: { range: (_, low, high) => reach(low, high, null, true) },
    },
    axes: [
      { ...axis, space: 56, size: 28, values: (_, splits) => splits.map((at) => hourText(at, zone)) },
      { ...axis, size: 44 },
      ...(twoAxes ? [{ ...axis, scale: "second", side: 1, size: 44, grid: { show: false } }] : []),
    ],
    series: [
      {},
      ...strokes.slice(0, limit === null ? keys.length : strokes.length).map((stroke, place) => ({
        ...stroke,
        scale: twoAxes && place === 1 ? "second" : "y",
        spanGaps: false,
        points: { show: false },
      })),
    ],
    hooks: {
      ready: [(plot) => showReadings(plot, outputs)],
      draw: [(plot) => drawMarks(plot, limit, Number(span.section.dataset.onset) || null, ink)],
      setCursor: [(plot) => showReadings(plot, outputs)],
    },
  };
}

function reach(low, high, limit, fromZero) {
  const top = Math.max(high ?? 1, limit ?? -Infinity);
  const bottom = fromZero ? 0 : low ?? 0;
  const room = Math.max((top - bottom) * 0.08, 0.5);
  return [fromZero ? 0 : bottom - room, top + room];
}

// What stands under the finger, else the newest of each line.
function showReadings(plot, outputs) {
  outputs.forEach((output, place) => { output.value = readingAt(plot, place + 1); });
}

function readingAt(plot, place) {
  const line = plot.data[place];
  const value = line[plot.cursor.idx ?? line.findLastIndex((mean) => mean !== null)];
  return value === null || value === undefined ? "" : value.toFixed(Math.abs(value) >= 300 ? 0 : 1);
}

function drawMarks(plot, limit, onsetMs, ink) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
  if (limit !== null) stroke(ctx, bbox.left, plot.valToPos(limit, "y", true), bbox.left + bbox.width, null);
  ctx.setLineDash([]);
  if (onsetMs !== null) stroke(ctx, plot.valToPos(onsetMs / 1000, "x", true), bbox.top, null, bbox.top + bbox.height);
  ctx.restore();
}

function stroke(ctx, x, y, toX, toY) {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(toX ?? x, toY ?? y);
  ctx.stroke();
}

const hourTexts = new Map();

function hourText(seconds, zone) {
  if (!hourTexts.has(zone)) {
    hourTexts.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hour12: false }));
  }
  return hourTexts.get(zone).format(seconds * 1000);
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
