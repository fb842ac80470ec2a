// Keeps the page at the present: live values, ages, alarms. Without it the page still reads and acknowledges.
import { growOld } from "./ages.js";
import { follow, keepFollowing } from "./live.js";
import { drawTrends } from "./trends.js";

const TICK_MS = 1000;

keepFollowing();
growOld();
setInterval(growOld, TICK_MS);
drawTrends();

// What the reader has unfolded stays so when its part of the page is renewed.
const unfolded = new Set();
document.addEventListener("toggle", ({ target }) => {
  if (target.id) unfolded[target.open ? "add" : "delete"](target.id);
}, true);

document.body.addEventListener("htmx:afterSwap", () => {
  unfolded.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  follow();
  growOld();
  drawTrends();
});

// A form that someone fills in is not swapped away under their thumb.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  const busy = target.matches("[data-keep-form]")
    && (target.querySelector("details.act[open]") || target.querySelector("form")?.contains(document.activeElement));
  if (!busy) return;
  event.detail.shouldSwap = false;
  const waiting = document.getElementById("waiting");
  if (waiting) waiting.hidden = false;
});
