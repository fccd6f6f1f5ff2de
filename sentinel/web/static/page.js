// Keeps the page fresh without a flash: fetches it anew and exchanges what is shown. Without this file it reloads itself.
"use strict";
const SECONDS = 5;
async function refresh() {
  if (document.hidden || document.querySelector("details[open] form, pre:focus")) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    document.body.className = fresh.body.className;
    document.getElementById("page").replaceWith(fresh.getElementById("page"));
    recall();
    const icon = fresh.querySelector("link[rel=icon]");
    document.querySelector("link[rel=icon]").replaceWith(icon);
  } catch {
    document.body.classList.add("lost");
    document.title = "Sentinel does not answer";
  }
}
// A browser belongs to one person: the name given once is filled in the next time.
const kept = () => document.querySelectorAll("input[data-keep]");
function recall() {
  for (const input of kept()) input.value ||= localStorage.getItem(input.dataset.keep) || "";
}
document.addEventListener("submit", (event) => {
  for (const input of event.target.querySelectorAll("input[data-keep]"))
    if (input.value) localStorage.setItem(input.dataset.keep, input.value);
});
recall();
setInterval(refresh, SECONDS * 1000);
document.addEventListener("visibilitychange", refresh);
