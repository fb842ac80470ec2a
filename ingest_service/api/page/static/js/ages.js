// Ages of values, seen against the centre's clock, so that a wrong clock in the phone does no harm.
const marks = document.body.dataset;
const offsetMs = { value: Number(marks.now) - Date.now() };

export function centreNow() {
  return Date.now() + offsetMs.value;
}

export function setCentreNow(nowMs) {
  offsetMs.value = nowMs - Date.now();
}

export function sinceText(spanMs) {
  const seconds = Math.max(0, Math.floor(spanMs / 1000));
  const join = (count, mark) => `${count} ${mark}`;
  if (seconds < 60) return join(seconds, marks.s);
  if (seconds < 3600) return join(Math.floor(seconds / 60), marks.min);
  if (seconds < 172800) return `${join(Math.floor(seconds / 3600), marks.h)} ${join(Math.floor((seconds % 3600) / 60), marks.min)}`;
  return join(Math.floor(seconds / 86400), marks.d);
}

const written = new Intl.DateTimeFormat("sv-SE", {
  timeZone: marks.zone, dateStyle: "short", timeStyle: "medium",
});
const offset = new Intl.DateTimeFormat("en", { timeZone: marks.zone, timeZoneName: "longOffset" });

export function fullText(atMs) {
  const zone = offset.formatToParts(atMs).find((part) => part.type === "timeZoneName");
  return `${written.format(atMs)}${(zone?.value ?? "").replace("GMT", "") || "+00:00"}`;
}

function setAge(element, atMs, nowMs) {
  const text = sinceText(nowMs - atMs);
  if (element.textContent !== text) element.textContent = text;
}

// A live value that is not renewed in time turns stale here, also while the connection is lost.
function ageReading(reading, nowMs) {
  const atMs = Number(reading.dataset.at);
  setAge(reading.querySelector(".age"), atMs, nowMs);
  const staleAfter = Number(reading.dataset.staleAfter);
  if (!staleAfter || nowMs - atMs <= staleAfter || reading.dataset.trust === "stale") return;
  reading.dataset.trust = "stale";
  reading.querySelector(".why").textContent = marks.stale;
}

function ageTile(tile, nowMs) {
  const times = [...tile.querySelectorAll(".reading[data-at]")].map((reading) => Number(reading.dataset.at));
  const age = tile.querySelector(".tile-age");
  if (!times.length || !age) return;
  age.dataset.at = Math.max(...times);
  setAge(age, Number(age.dataset.at), nowMs);
}

export function growOld() {
  const nowMs = centreNow();
  document.querySelectorAll(".reading[data-at]").forEach((reading) => ageReading(reading, nowMs));
  document.querySelectorAll(".tile").forEach((tile) => ageTile(tile, nowMs));
  document.querySelectorAll(".age[data-newest]").forEach((age) => setAge(age, Number(age.dataset.at), nowMs));
  document.querySelectorAll(".phase[data-since] .since-span").forEach((span) => {
    setAge(span, Number(span.closest(".phase").dataset.since), nowMs);
  });
}
