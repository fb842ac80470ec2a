// One live stream per tab: values into their places, alarms into the header, and a word when the link is lost.
import { fullText, growOld, setCentreNow, sinceText } from "./ages.js";

const SILENT_AFTER_MS = 6000;
const TOLD_EVERY_MS = 5000; // of a whole country some alarm takes a step every moment
let heardAt = performance.now();
let source = null;
let followed = "";

export function keepFollowing() {
  follow();
  setInterval(showLink, 1000);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// A part of the page that was renewed may show other furnaces than before.
export function follow() {
  const wanted = document.querySelector("main [data-stream]")?.dataset.stream ?? document.body.dataset.stream;
  if (!wanted || wanted === followed) return;
  source?.close();
  followed = wanted;
  source = new EventSource(wanted);
  source.addEventListener("values", (event) => takeValues(JSON.parse(event.data)));
  source.addEventListener("alarms", (event) => takeAlarms(JSON.parse(event.data)));
  source.addEventListener("error", (event) => event.target.readyState === EventSource.CLOSED && signInAgain());
}

function takeValues(news) {
  heardAt = performance.now();
  setCentreNow(news.now_ms);
  news.values.forEach(takeValue);
  if (news.newest_at_ms !== null) {
    document.querySelectorAll(".age[data-newest]").forEach((age) => { age.dataset.at = news.newest_at_ms; });
  }
  growOld();
}

// A stream that is refused for good: the session has ended, or the reader may see this no more.
async function signInAgain() {
  const answer = await fetch("/api/v1/session");
  if (answer.status === 401) location.reload();
}

function takeValue(news) {
  const { shown, value } = news;
  document.querySelectorAll(`.reading[data-series="${shown.id}"]`).forEach((reading) => {
    const before = reading.dataset.trust;
    reading.dataset.trust = shown.trust;
    if (shown.at_ms !== null) reading.dataset.at = shown.at_ms;
    if (shown.stale_after_ms !== null) reading.dataset.staleAfter = shown.stale_after_ms;
    put(reading, ".value", shown.text);
    put(reading, ".unit", shown.unit);
    put(reading, ".why", shown.why);
    const age = reading.querySelector(".age");
    if (shown.at_ms !== null) {
      age.dateTime = new Date(shown.at_ms).toISOString();
      age.title = fullText(shown.at_ms);
    }
    if (before !== shown.trust && reading.closest(".group")) murmur(`${shown.name}: ${shown.text} ${shown.why}`);
  });
  document.querySelectorAll(`.phase[data-phase="${shown.id}"]`).forEach((phase) => takePhase(phase, shown, value));
}

function takePhase(phase, shown, value) {
  const steps = [...phase.querySelectorAll("[data-code]")];
  const known = ["live", "uncertain"].includes(shown.trust);
  const now = steps.find((step) => known && Number(step.dataset.code) === value);
  const before = steps.find((step) => step.hasAttribute("aria-current"));
  if (now === before) return;
  before?.removeAttribute("aria-current");
  now?.setAttribute("aria-current", "step");
  if (before && now) {
    phase.dataset.since = shown.at_ms;
    murmur(shown.text);
  }
}

// What the page was rendered with: an alarm may have come between that and the first event.
let step = Number(document.body.dataset.step);
let newest = Number(document.body.dataset.newest);

function takeAlarms(news) {
  document.querySelectorAll(".count").forEach((count) => {
    count.textContent = news.open;
    count.dataset.alarms = news.open;
    count.dataset.worst = news.worst;
  });
  if (news.newest_id > newest) {
    document.getElementById("announce").textContent = `${document.body.dataset.alarm}: ${news.newest}`;
    newest = news.newest_id;
  }
  if (news.step === step) return;
  step = news.step;
  tell();
}

let toldAt = -Infinity;
let telling = 0;

// At once, but not more often than now and then.
function tell() {
  if (telling) return;
  telling = setTimeout(() => {
    telling = 0;
    toldAt = performance.now();
    document.body.dispatchEvent(new CustomEvent("alarms"));
  }, Math.max(0, toldAt + TOLD_EVERY_MS - performance.now()));
}

function showLink() {
  const silentMs = performance.now() - heardAt;
  const lost = document.getElementById("lost");
  lost.hidden = silentMs < SILENT_AFTER_MS;
  if (!lost.hidden) lost.querySelector(".age").textContent = sinceText(silentMs);
}

function put(reading, part, text) {
  const element = reading.querySelector(part);
  if (element.textContent !== text) element.textContent = text;
}

function murmur(text) {
  document.getElementById("murmur").textContent = text;
}
