// Keeps the page fresh without a flash: fetches it anew and exchanges what is shown. Without this file it reloads itself.
"use strict";
const SECONDS = 5;
async function refresh() {
  if (document.hidden || document.querySelector(":focus-within form, pre:focus")) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    document.body.className = fresh.body.className;
    document.getElementById("page").replaceWith(fresh.getElementById("page"));
    const icon = fresh.querySelector("link[rel=icon]");
    document.querySelector("link[rel=icon]").replaceWith(icon);
  } catch {
    document.body.classList.add("lost");
    document.title = "Sentinel does not answer";
  }
}
setInterval(refresh, SECONDS * 1000);
document.addEventListener("visibilitychange", refresh);
